/*
 * Token exchange (RFC 8693): "api" has a token that the portal was given for it, and wants one for
 * "archive" behind it.
 */
#include "base/enc.h"
#include "base/text.h"
#include "db/account.h"
#include "oidc/access_token.h"
#include "oidc/exchange.h"
#include "tests/flow/tokens.h"

#define ARCHIVE  "https://archive.example/"
#define GRANT    "urn:ietf:params:oauth:grant-type:token-exchange"
#define SELF     "https://portal.example/api/"
#define MAY_SWAP "\"grant_types\":[\"" GRANT "\",\"client_credentials\"]"

static void
service_of(struct world *w, const char *id, const char *uri, const char *scopes, const char *more)
{
	const struct db_party row = {
		.id = id,
		.kind = "oidc",
		.display_name = id,
		.policy = "{}",
		.enabled = true,
		.document = bytes_of(arena_printf(
			w->a,
			"{\"metadata\":{\"client_id\":\"%s\",\"resource_uris\":[\"%s\"],"
			"\"resource_scopes\":[%s]%s},\"secret_sha256\":\"%s\"}",
			id, uri, scopes, more, oidc_secret_digest(w))),
	};

	world_party(w, &row);
}

static void
service(struct world *w, const char *id, const char *uri, const char *more)
{
	service_of(w, id, uri, "\"read\",\"write\"", more);
}

#define CODE "\"authorization_code\""

/* The portal with these grants and further members; erika's tokens name all that is behind it. */
static void
portal(struct world *w, const char *grants, const char *more)
{
	register_client(w,
			arena_printf(w->a, GRANTS("%s") ",\"scope\":\"openid email read write\"%s",
				     grants, more));
}

static void
api(struct world *w, const char *more)
{
	service(w, "api", API,
		arena_printf(w->a, ",\"resources\":[\"" ARCHIVE "\"],\"scope\":\"read\"%s", more));
}

static int
fresh(void **state)
{
	struct world *w = *state;

	tokens_fresh(state);
	portal(w, CODE, ",\"may_act\":[\"api\"]");
	api(w, "," MAY_SWAP);
	service(w, "archive", ARCHIVE, ",\"grant_types\":[]");
	service(w, "other", "https://other.example/",
		"," MAY_SWAP ",\"resources\":[\"" ARCHIVE "\"],\"scope\":\"read\"");
	return 0;
}

/* A token of erika's for the API. */
static const char *
hers(struct web *b)
{
	web_token(b, oidc_basic(b->w),
		  arena_printf(b->w->a, "%s&resource=" API,
			       oidc_redeem_form(b->w, code_of(b, "openid email read write", ""))));
	assert_int_equal(b->status, 200);
	return web_member(b, "access_token");
}

static const char *
form_of(struct world *w, const char *token, const char *more)
{
	return arena_printf(w->a,
			    "grant_type=" GRANT "&subject_token_type=" OIDC_TYPE_ACCESS
			    "&subject_token=%s%s",
			    token, more);
}

static int
swap(struct web *b, const char *who, const char *token, const char *more)
{
	web_token(b, basic(b->w, who), form_of(b->w, token, more));
	return b->status;
}

static const json_t *
swapped(struct web *b, const char *who, const char *token, const char *more)
{
	if (swap(b, who, token, more) != 200)
		fail_msg("exchange%s: %d %s", more, b->status, b->body);
	return web_json(b);
}

static void
refuses(struct web *b, const char *who, const char *token, const char *more, const char *error)
{
	int status = swap(b, who, token, more);

	if (status != 400 || !text_eq(web_member(b, "error"), error))
		fail_msg("%s%s: %d %s", who, more, status, b->body);
}

/* 2.2.1, 4.1, 4.3 */
static void
a_service_gets_a_token_for_the_one_behind_it(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = hers(&b);
	const json_t *at_api = introspect_as(&b, "api", token);

	w->now += 100;
	const json_t *t = swapped(&b, "api", token, "");
	const char *next = text_member(t, "access_token");
	const json_t *told = introspect_as(&b, "archive", next);

	assert_string_equal(text_member(t, "issued_token_type"), OIDC_TYPE_ACCESS);
	assert_string_equal(text_member(t, "token_type"), "Bearer");
	assert_string_equal(text_member(t, "scope"), "read write");
	assert_null(text_member(t, "refresh_token"));
	assert_null(text_member(t, "id_token"));
	/* No longer than what was shown. */
	assert_int_equal(json_integer_value(json_object_get(t, "expires_in")), 500);
	assert_true(is_active(told));
	assert_string_equal(text_member(told, "aud"), ARCHIVE);
	assert_string_equal(text_member(told, "client_id"), "api");
	assert_string_equal(text_member(told, "acr"), text_member(at_api, "acr"));
	assert_int_equal(json_integer_value(json_object_get(told, "auth_time")),
			 json_integer_value(json_object_get(at_api, "auth_time")));
	assert_int_equal(json_integer_value(json_object_get(told, "exp")),
			 json_integer_value(json_object_get(at_api, "exp")));
	assert_string_equal(text_member(json_object_get(told, "act"), "sub"), "api");
	assert_null(json_object_get(json_object_get(told, "act"), "act"));
	/* By the name of the archive's sector. */
	assert_int_equal(strlen(text_member(told, "sub")), 43);
	assert_string_not_equal(text_member(told, "sub"), text_member(at_api, "sub"));
	/* What was shown counts on, and each is for its own service. */
	assert_true(is_active(introspect_as(&b, "api", token)));
	assert_false(is_active(introspect_as(&b, "api", next)));
	assert_int_equal(userinfo(&b, next), 401);
	assert_string_equal(
		world_value(w, "SELECT count(subject) || min(party) || min(details->>'from') ||"
			       " min(details->>'resource') || min(details->>'as') FROM audit"
			       " WHERE event = 'token_exchanged'"),
		"1api" OIDC_CLIENT ARCHIVE "actor");
}

static void
scope_only_narrows(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = hers(&b);
	const json_t *t = swapped(&b, "api", token, "&scope=read");

	assert_string_equal(text_member(t, "scope"), "read");
	refuses(&b, "api", token, "&scope=read+admin", "invalid_scope");
	/* And stays so. */
	service(w, "archive", ARCHIVE,
		"," MAY_SWAP ",\"resources\":[\"https://other.example/\"],\"scope\":\"read\"");
	api(w, "," MAY_SWAP ",\"may_act\":[\"archive\"]");
	token = text_member(t, "access_token");
	assert_string_equal(text_member(swapped(&b, "archive", token, ""), "scope"), "read");
	refuses(&b, "archive", token, "&scope=write", "invalid_scope");
}

/* The grant has it, and the one behind it knows it: but the API was not given it. */
static void
a_scope_of_another_service_is_not_given(void **state)
{
	struct world *w = *state;
	struct web b;

	service_of(w, "api", API, "\"read\"",
		   ",\"resources\":[\"" ARCHIVE "\"],\"scope\":\"read\"," MAY_SWAP);
	web_init(&b, w);
	const char *token = hers(&b);

	assert_string_equal(text_member(introspect_as(&b, "api", token), "scope"), "read");
	assert_string_equal(text_member(swapped(&b, "api", token, ""), "scope"), "read");
	refuses(&b, "api", token, "&scope=write", "invalid_scope");
}

/* 2.1 */
static void
the_target_is_one_that_the_record_names(void **state)
{
	static const char *const good[] = {
		"",
		"&resource=" ARCHIVE,
		"&audience=archive",
		"&resource=" ARCHIVE "&resource=" ARCHIVE "&audience=archive&audience=archive",
		"&audience=archive&resource=" ARCHIVE "&resource=&audience=",
	};
	static const char *const bad[] = {
		"&resource=https://other.example/",
		"&resource=https://none.example/",
		"&resource=" API,
		"&audience=other",
		"&audience=none",
		"&audience=" OIDC_CLIENT,
		"&audience=" SAML_PARTY,
		"&resource=" ARCHIVE "&resource=https://other.example/",
		"&resource=" ARCHIVE "&audience=other",
		"&audience=archive&audience=other",
	};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = hers(&b);

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		swapped(&b, "api", token, good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuses(&b, "api", token, bad[i], "invalid_target");
	/* Of several none is meant unless one is named; and the record may name what is gone. */
	service(w, "api", API,
		"," MAY_SWAP ",\"resources\":[\"" ARCHIVE
		"\",\"https://other.example/\"],\"scope\":\"read\"");
	refuses(&b, "api", token, "", "invalid_target");
	swapped(&b, "api", token, "&audience=other");
	world_disable(w, "archive");
	refuses(&b, "api", token, "&resource=" ARCHIVE, "invalid_target");
	refuses(&b, "api", token, "&audience=archive", "invalid_target");
}

/* 2.2.2, 5: nobody uses what was not given to it. */
static void
a_token_of_another_is_refused(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = hers(&b);
	const json_t *ours = web_redeem(&b, code_of(&b, "openid read", ""));

	refuses(&b, "other", token, "", "invalid_request");
	refuses(&b, "api", text_member(ours, "access_token"), "", "invalid_request");
	refuses(&b, "api", text_member(ours, "id_token"), "", "invalid_request");
	refuses(&b, "api", "x", "", "invalid_request");
	refuses(&b, "api", "a.b.c", "", "invalid_request");
	/* The portal says who may act with its tokens. */
	portal(w, CODE, ",\"may_act\":[\"other\"]");
	refuses(&b, "api", token, "", "invalid_request");
	/* Who may act still has to be who the token is for. */
	refuses(&b, "other", token, "", "invalid_request");
	refuses(&b, "other", token, "&resource=" API, "invalid_request");
	portal(w, CODE, "");
	refuses(&b, "api", token, "", "invalid_request");
	/* And the service's own record, that it may at all. */
	portal(w, CODE, ",\"may_act\":[\"api\"]");
	api(w, ",\"grant_types\":[\"client_credentials\"]");
	refuses(&b, "api", token, "", "unauthorized_client");
	web_token(&b, NULL, form_of(w, token, ""));
	assert_int_equal(b.status, 401);
}

static void
what_was_given_ends_with_what_it_hangs_on(void **state)
{
	static const char *const ends[] = {
		"session", "consent", "account", "portal", "service", "given back", "at a race",
	};
	struct world *w = *state;
	struct err err = {0};
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		fresh(state);
		ASSERT_OK(db_account_set_state(&w->pg->c, tokens_person, DB_ACTIVE, NULL, w->now,
					       &err),
			  &err);
		web_init(&b, w);
		const char *token = hers(&b);
		const char *next = text_member(swapped(&b, "api", token, ""), "access_token");

		assert_true(is_active(introspect_as(&b, "archive", next)));
		w->now += 1;
		if (i == 0) {
			web_get(&b, "/logout");
			web_submit(&b, "/logout", "do=logout");
		} else if (i == 1) {
			web_get(&b, "/account");
			web_post(&b, "/account", "", "do=withdraw&consent=" OIDC_CLIENT);
		} else if (i == 2) {
			ASSERT_OK(db_account_set_state(&w->pg->c, tokens_person, DB_DISABLED, NULL,
						       w->now, &err),
				  &err);
		} else if (i == 3) {
			world_disable(w, OIDC_CLIENT);
		} else if (i == 4) {
			world_disable(w, "api");
		} else if (i == 5) {
			b.authorization = oidc_basic(w);
			web_form(&b, "/oidc/revoke", arena_printf(w->a, "token=%s", token));
		} else {
			/* Whoever revoked the grant did not see what was just given. */
			pg_sql(w->pg,
			       "UPDATE access_token SET revoked_at = 1 WHERE origin IS NULL");
		}
		if (is_active(introspect_as(&b, "archive", next)))
			fail_msg("%s: it counts on", ends[i]);
		if (i != 4)
			refuses(&b, "api", token, "", "invalid_request");
		else
			assert_int_equal(swap(&b, "api", token, ""), 401);
	}
	ASSERT_OK(db_account_set_state(&w->pg->c, tokens_person, DB_ACTIVE, NULL, w->now, &err),
		  &err);
}

/* 4.1: the chain is told, newest first, and has an end. */
static void
actors_are_a_chain_with_an_end(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = hers(&b);

	/* Two services that hand it to and fro. */
	service(w, "archive", ARCHIVE,
		"," MAY_SWAP ",\"resources\":[\"" API "\"],\"scope\":\"read\","
		"\"may_act\":[\"api\"]");
	api(w, "," MAY_SWAP ",\"may_act\":[\"archive\"]");
	for (int i = 0; i < OIDC_ACTORS_MAX; i++)
		token = text_member(swapped(&b, i % 2 == 0 ? "api" : "archive", token, ""),
				    "access_token");
	const json_t *act = json_object_get(introspect_as(&b, "api", token), "act");

	for (int i = OIDC_ACTORS_MAX; i > 0; i--, act = json_object_get(act, "act"))
		assert_string_equal(text_member(act, "sub"), i % 2 == 1 ? "api" : "archive");
	assert_null(act);
	refuses(&b, "api", token, "", "invalid_request");
	/* The first client's record counts for each of them. */
	assert_true(is_active(introspect_as(&b, "api", token)));
	world_disable(w, OIDC_CLIENT);
	assert_false(is_active(introspect_as(&b, "api", token)));
}

/* 1.1 */
static void
who_impersonates_is_not_told(void **state)
{
	struct world *w = *state;
	struct web b;

	api(w, "," MAY_SWAP ",\"token_exchange\":\"impersonation\"");
	web_init(&b, w);
	const char *token = hers(&b);
	const char *next = text_member(swapped(&b, "api", token, ""), "access_token");

	assert_null(json_object_get(introspect_as(&b, "archive", next), "act"));
	assert_string_equal(world_value(w, "SELECT details->>'as' FROM audit WHERE event ="
					   " 'token_exchanged' ORDER BY seq DESC LIMIT 1"),
			    "itself");
}

static void
an_actor_token_is_the_actor_s_own(void **state)
{
	struct world *w = *state;
	struct web b;

	api(w, "," MAY_SWAP ",\"token_exchange\":\"impersonation\"");
	web_init(&b, w);
	const char *token = hers(&b);

	web_token(&b, basic(w, "api"), "grant_type=client_credentials");
	const char *own = web_member(&b, "access_token");

	web_token(&b, basic(w, "other"), "grant_type=client_credentials");
	const char *others = web_member(&b, "access_token");
	const char *type = "&actor_token_type=" OIDC_TYPE_ACCESS "&actor_token=";

	refuses(&b, "api", token, arena_printf(w->a, "%s%s", type, others), "invalid_request");
	refuses(&b, "api", token, arena_printf(w->a, "%s%s", type, token), "invalid_request");
	refuses(&b, "api", token, arena_printf(w->a, "%sx", type), "invalid_request");
	const json_t *t = swapped(&b, "api", token, arena_printf(w->a, "%s%s", type, own));

	/* With one it acts, whatever its record would let it do without. */
	t = json_object_get(introspect_as(&b, "archive", text_member(t, "access_token")), "act");
	assert_string_equal(text_member(t, "sub"), "api");
}

static void
a_service_s_own_token_stays_its_own(void **state)
{
	struct world *w = *state;
	struct web b;

	/* Of the portal itself, for the API, which goes on for it. */
	portal(w, CODE ",\"client_credentials\"", ",\"may_act\":[\"api\"]");
	web_init(&b, w);
	web_token(&b, oidc_basic(w), "grant_type=client_credentials");
	const json_t *t = swapped(&b, "api", web_member(&b, "access_token"), "");
	const json_t *told = introspect_as(&b, "archive", text_member(t, "access_token"));

	assert_string_equal(text_member(told, "sub"), OIDC_CLIENT);
	assert_string_equal(text_member(told, "client_id"), "api");
	assert_string_equal(text_member(json_object_get(told, "act"), "sub"), "api");
	assert_null(json_object_get(told, "auth_time"));
}

/* The portal makes less of its own token, and nothing else. */
static void
a_client_narrows_its_own_token(void **state)
{
	struct world *w = *state;
	struct web b;

	portal(w, CODE ",\"" GRANT "\"", "");
	web_init(&b, w);
	const char *token = hers(&b);
	const json_t *t = swapped(&b, OIDC_CLIENT, token, "&scope=read");
	const json_t *told = introspect_as(&b, "api", text_member(t, "access_token"));

	assert_string_equal(text_member(told, "scope"), "read");
	assert_string_equal(text_member(told, "aud"), API);
	assert_null(json_object_get(told, "act"));
	refuses(&b, OIDC_CLIENT, token, "&resource=" ARCHIVE, "invalid_target");
	refuses(&b, OIDC_CLIENT, token, "&audience=archive", "invalid_target");
	/* A person is no actor, though the token is the client's. */
	refuses(&b, OIDC_CLIENT, token,
		arena_printf(w->a, "&actor_token_type=" OIDC_TYPE_ACCESS "&actor_token=%s", token),
		"invalid_request");
	/* Not even for what it might have had otherwise. */
	register_client(w, ",\"grant_types\":[\"authorization_code\",\"" GRANT
			   "\"],\"resources\":[\"" API "\",\"" ARCHIVE
			   "\"],\"scope\":\"openid email read write\"");
	refuses(&b, OIDC_CLIENT, token, "&resource=" ARCHIVE, "invalid_target");
}

/* Also where the client is the service that the token is for. */
static void
a_client_that_is_a_service_goes_no_further_with_its_own(void **state)
{
	struct world *w = *state;
	struct web b;

	register_client(w, ",\"grant_types\":[\"authorization_code\",\"" GRANT
			   "\"],\"resource_uris\":[\"" SELF "\"],\"resources\":[\"" SELF
			   "\",\"" ARCHIVE "\"],\"scope\":\"openid email read write\"");
	web_init(&b, w);
	const char *code = code_of(&b, "openid read", "&resource=" SELF);

	web_token(&b, oidc_basic(w),
		  arena_printf(w->a, "%s&resource=" SELF, oidc_redeem_form(w, code)));
	assert_int_equal(b.status, 200);
	const char *token = web_member(&b, "access_token");

	refuses(&b, OIDC_CLIENT, token, "&resource=" ARCHIVE, "invalid_target");
	refuses(&b, OIDC_CLIENT, token, "&audience=archive", "invalid_target");
	assert_string_equal(
		text_member(introspect_as(&b, OIDC_CLIENT,
					  text_member(swapped(&b, OIDC_CLIENT, token, ""),
						      "access_token")),
			    "aud"),
		SELF);
}

static void
the_form_is_as_it_has_to_be(void **state)
{
	static const char *const bad[] = {
		"subject_token_type=" OIDC_TYPE_ACCESS,
		"subject_token=%s",
		"subject_token=%s&subject_token_type=" OIDC_TYPE_JWT,
		"subject_token=%s&subject_token_type=urn:ietf:params:oauth:token-type:id_token",
		"subject_token=%s&subject_token_type=urn:ietf:params:oauth:token-type:saml2",
		"subject_token=%s&subject_token=x&subject_token_type=" OIDC_TYPE_ACCESS,
		"subject_token=%s&subject_token_type=" OIDC_TYPE_ACCESS "&actor_token=x",
		"subject_token=%s&subject_token_type=" OIDC_TYPE_ACCESS
		"&actor_token_type=" OIDC_TYPE_ACCESS,
		"subject_token=%s&subject_token_type=" OIDC_TYPE_ACCESS
		"&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token",
		"subject_token=%s&subject_token_type=" OIDC_TYPE_ACCESS
		"&requested_token_type=" OIDC_TYPE_JWT,
	};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = hers(&b);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *form = arena_strdup(w->a, bad[i]), *at = strstr(form, "%s");

		if (at != NULL) {
			*at = '\0';
			form = arena_printf(w->a, "%s%s%s", form, token, at + 2);
		}
		web_token(&b, basic(w, "api"), arena_printf(w->a, "grant_type=" GRANT "&%s", form));
		if (b.status != 400 || !text_eq(web_member(&b, "error"), "invalid_request"))
			fail_msg("%s: %d %s", bad[i], b.status, b.body);
	}
}

static void
signed_ones_are_taken_and_given(void **state)
{
	struct world *w = *state;
	struct web b;

	api(w, "," MAY_SWAP ",\"access_token_format\":\"jwt\"");
	service(w, "archive", ARCHIVE, ",\"grant_types\":[],\"access_token_format\":\"jwt\"");
	web_init(&b, w);
	const char *token = hers(&b);

	assert_true(oidc_access_token_is_jwt(token));
	web_token(&b, basic(w, "api"),
		  arena_printf(w->a,
			       "grant_type=" GRANT
			       "&subject_token=%s&subject_token_type=" OIDC_TYPE_JWT
			       "&requested_token_type=" OIDC_TYPE_JWT,
			       token));
	assert_int_equal(b.status, 200);
	assert_string_equal(web_member(&b, "issued_token_type"), OIDC_TYPE_JWT);
	const char *next = web_member(&b, "access_token");
	const json_t *c = oidc_token_says(w, next);

	assert_string_equal(text_member(c, "aud"), ARCHIVE);
	assert_string_equal(text_member(c, "client_id"), "api");
	assert_string_equal(text_member(json_object_get(c, "act"), "sub"), "api");
	assert_string_equal(text_member(c, "sub"),
			    text_member(introspect_as(&b, "archive", next), "sub"));
	swapped(&b, "api", token, "");
}

/* RFC 9449: with the key, at both ends. */
static void
a_bound_token_stays_bound(void **state)
{
	struct world *w = *state;
	struct web b;

	portal(w, CODE ",\"" GRANT "\"", ",\"may_act\":[\"api\"]");
	web_init(&b, w);
	const json_t *t = bound(&b, OIDC_ES256,
				arena_printf(w->a, "%s&resource=" API,
					     oidc_redeem_form(w, code_of(&b, "openid read", ""))));
	const char *token = text_member(t, "access_token"), *nonce = nonce_claim(&b);

	/* The audience has no key of the portal's, and gets a token for its own. */
	b.dpop = NULL;
	refuses(&b, "api", token, "", "invalid_request");
	b.dpop = proof_of(&b, OIDC_EDDSA, "POST", "/oidc/token", nonce);
	t = swapped(&b, "api", token, "");
	assert_string_equal(text_member(t, "token_type"), "DPoP");
	b.dpop = NULL;
	const json_t *to_api = introspect_as(&b, "api", token);
	const json_t *told = introspect_as(&b, "archive", text_member(t, "access_token"));

	assert_non_null(json_object_get(told, "cnf"));
	assert_false(json_equal(json_object_get(told, "cnf"), json_object_get(to_api, "cnf")));
	/* The portal itself has it, and proves it. */
	b.dpop = proof_of(&b, OIDC_EDDSA, "POST", "/oidc/token", nonce);
	refuses(&b, OIDC_CLIENT, token, "", "invalid_request");
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce);
	swapped(&b, OIDC_CLIENT, token, "");
	/* So does an actor token's. */
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce);
	web_token(&b, basic(w, "api"), "grant_type=client_credentials");
	assert_int_equal(b.status, 200);
	const char *actor =
		arena_printf(w->a, "&actor_token_type=" OIDC_TYPE_ACCESS "&actor_token=%s",
			     web_member(&b, "access_token"));

	b.dpop = proof_of(&b, OIDC_EDDSA, "POST", "/oidc/token", nonce);
	refuses(&b, "api", token, actor, "invalid_request");
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce);
	swapped(&b, "api", token, actor);
}

/* The level that the exchanger may be told. */
static void
the_level_is_no_more_than_the_exchanger_may_know(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = hers(&b);

	pg_sql(w->pg, "UPDATE party SET policy = '{\"level-cap\":\"basic\"}' WHERE id = 'api'");
	world_reload(w);
	refuses(&b, "api", token, "", "invalid_grant");
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_service_gets_a_token_for_the_one_behind_it),
		T(scope_only_narrows),
		T(a_scope_of_another_service_is_not_given),
		T(the_target_is_one_that_the_record_names),
		T(a_token_of_another_is_refused),
		T(what_was_given_ends_with_what_it_hangs_on),
		T(actors_are_a_chain_with_an_end),
		T(who_impersonates_is_not_told),
		T(an_actor_token_is_the_actor_s_own),
		T(a_service_s_own_token_stays_its_own),
		T(a_client_narrows_its_own_token),
		T(a_client_that_is_a_service_goes_no_further_with_its_own),
		T(the_form_is_as_it_has_to_be),
		T(signed_ones_are_taken_and_given),
		T(a_bound_token_stays_bound),
		T(the_level_is_no_more_than_the_exchanger_may_know),
	};

	return cmocka_run_group_tests_name("flow exchange", tests, tokens_setup, world_teardown);
}
