/* Authorization requests, their answers and what is made of them; see asking.h. */
#include "tests/flow/asking.h"

#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "idp/publish.h"
#include "oidc/jwk.h"
#include "oidc/jws.h"
#include "tests/oidc/support.h"

#define FORM "application/x-www-form-urlencoded"

static const char *const erika[] = {"given_names", "Erika", "email", "erika@example.invalid", NULL};

int
asking_setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	world_person(*state, "erika", "Lachs-Turmuhr-47", erika, LEVEL_SUBSTANTIAL);
	return world_fresh(state);
}

void
asking_client_of(struct world *w, const char *more, const char *policy)
{
	world_oidc_document(w,
			    arena_printf(w->a,
					 "{\"metadata\":{\"client_id\":\"" OIDC_CLIENT
					 "\",\"redirect_uris\":[\"" OIDC_BACK
					 "\"],\"scope\":\"openid profile email read write "
					 "offline_access\"" BOTH_APIS
					 "%s},\"secret_sha256\":\"%s\"}",
					 more, oidc_secret_digest(w)),
			    arena_printf(w->a, "{\"level-attributes\":\"no\"%s}", policy));
}

void
asking_client(struct world *w, const char *more)
{
	asking_client_of(w, more, "");
}

static void
api(struct world *w, const char *id, const char *name, const char *uri, const char *scopes,
    const char *format)
{
	struct db_party row = {
		.id = id, .kind = "oidc", .display_name = name, .policy = "{}", .enabled = true};
	struct err err = {0};

	row.document =
		bytes_of(arena_printf(w->a,
				      "{\"metadata\":{\"client_id\":\"%s\",\"grant_types\":[],"
				      "\"resource_uris\":[\"%s\"],\"resource_scopes\":[%s],"
				      "\"access_token_format\":\"%s\"},\"secret_sha256\":\"%s\"}",
				      id, uri, scopes, format, oidc_secret_digest(w)));
	ASSERT_OK(db_party_save(&w->pg->c, &row, NULL, w->now, &(int64_t){0}, &err), &err);
}

void
asking_apis(struct world *w, const char *format)
{
	api(w, "api", "Terminvergabe", API, "\"read\",\"write\"", format);
	api(w, "other", "Postfach", OTHER_API, "\"read\"", format);
	world_reload(w);
}

void
asking(struct web *b, const char *scope, const char *more)
{
	web_get(b, oidc_request_url(b->w, scope, more));
	if (b->status == 200 && web_field(b, "password") != NULL)
		web_submit(b, "/flow/password/", ASK_LOGIN);
}

const char *
asking_code(struct web *b, const char *scope, const char *more)
{
	asking(b, scope, more);
	if (b->status == 200)
		web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
	assert_int_equal(b->status, 303);
	if (location_param(b, "code") == NULL)
		fail_msg("answer: %s", b->location);
	return location_param(b, "code");
}

const json_t *
asking_token(struct web *b, const char *code, const char *more)
{
	web_token(b, oidc_basic(b->w),
		  arena_printf(b->w->a, "%s%s", oidc_redeem_form(b->w, code), more));
	return web_json(b);
}

const json_t *
asking_refresh(struct web *b, const char *refresh_token, const char *more)
{
	web_token(b, oidc_basic(b->w),
		  arena_printf(b->w->a, "grant_type=refresh_token&refresh_token=%s%s",
			       refresh_token, more));
	return web_json(b);
}

void
asking_refused(struct web *b, const char *error)
{
	const char *told = b->location != NULL ? location_param(b, "error")
					       : asking_text(web_json(b), "error");

	if (!text_eq(told, error))
		fail_msg("%s, not %s: %d %s", told == NULL ? "no error" : told, error, b->status,
			 b->location == NULL ? b->body : b->location);
}

const char *
asking_basic(struct world *w, const char *id)
{
	return arena_printf(w->a, "Basic %s",
			    enc_base64(w->a, bytes_of(arena_printf(w->a, "%s:" OIDC_SECRET, id))));
}

const json_t *
asking_introspect(struct web *b, const char *who, const char *token)
{
	b->authorization = asking_basic(b->w, who);
	web_program(b, "/oidc/introspect", FORM, arena_printf(b->w->a, "token=%s", token));
	if (b->status != 200)
		fail_msg("introspection: %d %s", b->status, b->body);
	return web_json(b);
}

const json_t *
asking_claims(struct web *b, const char *token)
{
	struct world *w = b->w;
	const struct oidc_signed *verified;
	struct oidc_jwks ours;
	struct oidc_jws jws;
	struct err err = {0};

	publish_jwks(w->a, w->signer->keys, &ours);
	ASSERT_OK(oidc_jws_parse(w->a, bytes_of(token), &jws, &err), &err);
	ASSERT_OK(oidc_jws_verify(w->a, &jws, &ours, &verified, &err), &err);
	return oidc_signed_claims(verified);
}

const char *
asking_text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

/* The public key, as a proof has it. */
static json_t *
jwk_of(struct world *w, enum oidc_alg alg)
{
	struct oidc_jwk key = public_key(alg, NULL);
	struct err err = {0};
	const char *set;
	json_t *o;

	key.kid = "k";
	ASSERT_OK(oidc_jwks_build(w->a, &(struct oidc_jwks){.keys = &key, .n = 1}, &set, &err),
		  &err);
	ASSERT_OK(json_parse_object(w->a, bytes_of(set), 65536, &o, &err), &err);
	o = json_array_get(json_object_get(o, "keys"), 0);
	json_object_del(o, "kid");
	return o;
}

void
asking_prove(struct web *b, enum oidc_alg alg, const char *path)
{
	static int n;
	struct world *w = b->w;
	json_t *header = json_new_object(w->a), *claims = json_new_object(w->a);

	json_put_str(w->a, header, "typ", "dpop+jwt");
	json_put_str(w->a, header, "alg", oidc_alg_info(alg)->name);
	json_put(w->a, header, "jwk", jwk_of(w, alg));
	json_put_str(w->a, claims, "jti", arena_printf(w->a, "asking-%d", n++));
	json_put_str(w->a, claims, "htm", "POST");
	json_put_str(w->a, claims, "htu", arena_printf(w->a, BASE "%s", path));
	json_put_i64(w->a, claims, "iat", w->now);
	json_put_str(w->a, claims, "nonce", b->dpop_nonce);
	b->dpop =
		token_of(w->a, alg, json_text(w->a, header, false), json_text(w->a, claims, false));
}

/* RFC 7638 3.2 */
const char *
asking_jkt(struct world *w, enum oidc_alg alg)
{
	static const char *const members[] = {"crv", "kty", "x", "y"};
	json_t *jwk = jwk_of(w, alg), *o = json_new_object(w->a);
	unsigned char digest[SHA256_BYTES];

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		json_put_str(w->a, o, members[i], asking_text(jwk, members[i]));
	hash_sha256(bytes_of(json_text(w->a, o, true)), digest);
	return enc_base64url(w->a, (struct bytes){digest, sizeof(digest)});
}
