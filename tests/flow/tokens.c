/* See tokens.h. */
#include "tests/flow/tokens.h"

#include "base/enc.h"
#include "base/hash.h"

const char *const tokens_erika[] = {"given_names", "Erika",   "family_name",
				    "Mustermann",  "email",   "erika@example.invalid",
				    "locality",    "Dresden", NULL};

struct subject_id tokens_person;

/* The client with further members of its metadata and of its record. */
void
register_with(struct world *w, const char *more, const char *policy)
{
	world_oidc_document(
		w,
		arena_printf(w->a,
			     "{\"metadata\":{\"client_id\":\"" OIDC_CLIENT
			     "\",\"redirect_uris\":[\"" OIDC_BACK
			     "\"]%s%s},\"secret_sha256\":\"%s\"}",
			     strstr(more, "\"scope\"") != NULL
				     ? ""
				     : ",\"scope\":\"openid profile email address offline_access\"",
			     more, oidc_secret_digest(w)),
		arena_printf(w->a, "{\"level-attributes\":\"yes\"%s}", policy));
}

void
register_client(struct world *w, const char *more)
{
	register_with(w, more, "");
}

int
tokens_setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	tokens_person = world_person(w, "erika", PASSWORD, tokens_erika, LEVEL_SUBSTANTIAL);
	return world_fresh(state);
}

int
tokens_fresh(void **state)
{
	struct world *w = *state;

	world_fresh(state);
	register_client(w, MAY);
	return 0;
}

/* Log in and agree as far as pages ask for it; the code. */
const char *
code_of(struct web *b, const char *scope, const char *more)
{
	web_get(b, oidc_request_url(b->w, scope, more));
	if (b->status == 200 && web_field(b, "password") != NULL)
		web_submit(b, "/flow/password/", LOGIN);
	if (b->status == 200)
		web_submit(b, "/flow/consent/", "attr_email=1&attr_locality=1&do=agree");
	assert_int_equal(b->status, 303);
	return location_param(b, "code");
}

int
refresh(struct web *b, const char *token, const char *more)
{
	web_token(
		b, oidc_basic(b->w),
		arena_printf(b->w->a, "grant_type=refresh_token&refresh_token=%s%s", token, more));
	return b->status;
}

json_t *
refreshed(struct web *b, const char *token, const char *more)
{
	if (refresh(b, token, more) != 200)
		fail_msg("token endpoint: %d %s", b->status, b->body);
	return web_json(b);
}

void
assert_refused(struct web *b, const char *token, const char *more, const char *error)
{
	assert_int_equal(refresh(b, token, more), 400);
	assert_string_equal(web_member(b, "error"), error);
}

const char *
login_offline(struct web *b)
{
	const char *token = text_member(web_redeem(b, code_of(b, OFFLINE, "")), "refresh_token");

	assert_non_null(token);
	return token;
}

int
userinfo(struct web *b, const char *access_token)
{
	web_userinfo(b, access_token);
	return b->status;
}

const char *
basic(struct world *w, const char *id)
{
	return arena_printf(w->a, "Basic %s",
			    enc_base64(w->a, bytes_of(arena_printf(w->a, "%s:" OIDC_SECRET, id))));
}

void
register_api(struct world *w, const char *id, const char *uri, const char *format)
{
	const struct db_party row = {
		.id = id,
		.kind = "oidc",
		.display_name = id,
		.policy = "{}",
		.enabled = true,
		.document = bytes_of(arena_printf(
			w->a,
			"{\"metadata\":{\"client_id\":\"%s\",\"grant_types\":[],"
			"\"resource_uris\":[\"%s\"],\"resource_scopes\":[\"read\",\"write\"],"
			"\"access_token_format\":\"%s\"},\"secret_sha256\":\"%s\"}",
			id, uri, format, oidc_secret_digest(w))),
	};

	world_party(w, &row);
}

json_t *
introspect_as(struct web *b, const char *who, const char *token)
{
	b->authorization = basic(b->w, who);
	web_form(b, "/oidc/introspect", arena_printf(b->w->a, "token=%s", token));
	if (b->status != 200)
		fail_msg("introspection: %d %s", b->status, b->body);
	return web_json(b);
}

bool
is_active(const json_t *o)
{
	return json_is_true(json_object_get(o, "active"));
}

json_t *
own_token(struct web *b, const char *more)
{
	web_token(b, oidc_basic(b->w),
		  arena_printf(b->w->a, "grant_type=client_credentials%s", more));
	return web_json(b);
}

void
register_all(struct world *w, const char *grants, const char *format)
{
	register_client(w, arena_printf(w->a, "%s,\"scope\":\"openid email read admin\"", grants));
	register_api(w, "api", API, format);
	register_api(w, "other", "https://other.example/", "opaque");
}

/* A person's token for the API. */
const json_t *
api_tokens(struct web *b)
{
	web_token(b, oidc_basic(b->w),
		  arena_printf(b->w->a, "%s&resource=" API,
			       oidc_redeem_form(b->w, code_of(b, "openid email read", ""))));
	if (b->status != 200)
		fail_msg("token endpoint: %d %s", b->status, b->body);
	return web_json(b);
}

const char *
proof_of(struct web *b, enum oidc_alg alg, const char *htm, const char *path, const char *more)
{
	return proof_at(b, alg, htm, arena_printf(b->w->a, BASE "%s", path), more);
}

/* A proof by that key, as now, with further claims. */
const char *
proof_at(struct web *b, enum oidc_alg alg, const char *htm, const char *url, const char *more)
{
	static int n;
	struct oidc_jwk key = public_key(alg, NULL);
	struct world *w = b->w;
	const char *set;
	struct err err = {0};
	json_t *o, *header = json_new_object(w->a);

	key.kid = "k";
	ASSERT_OK(oidc_jwks_build(w->a, &(struct oidc_jwks){.keys = &key, .n = 1}, &set, &err),
		  &err);
	ASSERT_OK(json_parse_object(w->a, bytes_of(set), 65536, &o, &err), &err);
	json_t *jwk = json_array_get(json_object_get(o, "keys"), 0);

	json_object_del(jwk, "kid");
	json_put_str(w->a, header, "typ", "dpop+jwt");
	json_put_str(w->a, header, "alg", oidc_alg_info(alg)->name);
	json_put(w->a, header, "jwk", jwk);
	return token_of(w->a, alg, json_text(w->a, header, false),
			arena_printf(w->a,
				     "{\"jti\":\"j%d\",\"htm\":\"%s\",\"htu\":\"%s\","
				     "\"iat\":%lld%s}",
				     n++, htm, url, (long long)w->now, more));
}

const char *
nonce_claim(struct web *b)
{
	return b->dpop_nonce == NULL ? ""
				     : arena_printf(b->w->a, ",\"nonce\":\"%s\"", b->dpop_nonce);
}

/* What the token endpoint says to a proof that has the nonce it told. */
const json_t *
bound(struct web *b, enum oidc_alg alg, const char *form)
{
	b->dpop = proof_of(b, alg, "POST", "/oidc/token", "");
	web_token(b, oidc_basic(b->w), form);
	assert_int_equal(b->status, 400);
	assert_string_equal(web_member(b, "error"), "use_dpop_nonce");
	b->dpop = proof_of(b, alg, "POST", "/oidc/token", nonce_claim(b));
	web_token(b, oidc_basic(b->w), form);
	return web_json(b);
}

int
bound_userinfo(struct web *b, enum oidc_alg alg, const char *token, const char *more)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(token), digest);
	b->dpop = proof_of(
		b, alg, "POST", "/oidc/userinfo",
		arena_printf(b->w->a, ",\"ath\":\"%s\"%s",
			     enc_base64url(b->w->a, (struct bytes){digest, sizeof(digest)}), more));
	b->authorization = arena_printf(b->w->a, "DPoP %s", token);
	web_form(b, "/oidc/userinfo", "");
	return b->status;
}

/* Asked again whatever stands: `boxes` are those left on. */
void
agree_anew(struct web *b, const char *scope, const char *boxes)
{
	web_get(b, oidc_request_url(b->w, scope, "&prompt=consent"));
	assert_int_equal(b->status, 200);
	web_submit(b, "/flow/consent/", arena_printf(b->w->a, "%sdo=agree", boxes));
	assert_int_equal(b->status, 303);
	assert_non_null(location_param(b, "code"));
}
