/* Tokens bound to the key of a DPoP proof (RFC 9449). */
#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "tests/flow/tokens.h"

static void
a_bound_token_is_for_who_has_the_key(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *code = code_of(&b, "openid email", "");
	const json_t *t = bound(&b, OIDC_ES256, oidc_redeem_form(w, code));
	const char *token = text_member(t, "access_token");

	assert_int_equal(b.status, 200);
	assert_non_null(b.dpop_nonce);
	assert_string_equal(text_member(t, "token_type"), "DPoP");
	assert_int_equal(bound_userinfo(&b, OIDC_ES256, token, ""), 200);
	/* The same proof again, the token alone, or another key. */
	web_form(&b, "/oidc/userinfo", "");
	assert_int_equal(b.status, 401);
	assert_non_null(strstr(b.challenge, "DPoP error=\"invalid_dpop_proof\""));
	b.dpop = NULL;
	web_form(&b, "/oidc/userinfo", "");
	assert_int_equal(b.status, 401);
	assert_int_equal(userinfo(&b, token), 401);
	assert_string_equal(web_member(&b, "error"), "invalid_token");
	assert_int_equal(bound_userinfo(&b, OIDC_EDDSA, token, ""), 401);
	assert_non_null(strstr(b.challenge, "DPoP error=\"invalid_token\""));
	/* A nonce need not be there; one that is has to be ours. */
	assert_int_equal(bound_userinfo(&b, OIDC_ES256, token, ",\"nonce\":\"x\""), 401);
	assert_non_null(strstr(b.challenge, "use_dpop_nonce"));
	assert_int_equal(bound_userinfo(&b, OIDC_ES256, token, nonce_claim(&b)), 200);
	/* One that is not bound does not come by that scheme. */
	b.dpop = NULL;
	token = text_member(web_redeem(&b, code_of(&b, "openid", "")), "access_token");
	assert_int_equal(bound_userinfo(&b, OIDC_ES256, token, ""), 401);
	b.dpop = NULL;
	assert_int_equal(userinfo(&b, token), 200);
}

static void
a_proof_counts_once_and_does_not_cost_the_code(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *form = oidc_redeem_form(w, code_of(&b, OFFLINE, ""));
	const json_t *t = bound(&b, OIDC_ES256, form);
	const char *kept = text_member(t, "refresh_token");

	/* Refreshed with another key: the client has proven itself otherwise. */
	assert_int_equal(refresh(&b, kept, ""), 400);
	assert_string_equal(web_member(&b, "error"), "invalid_dpop_proof");
	b.dpop = proof_of(&b, OIDC_EDDSA, "POST", "/oidc/token", nonce_claim(&b));
	t = refreshed(&b, kept, "");
	assert_string_equal(text_member(t, "token_type"), "DPoP");
	assert_int_equal(bound_userinfo(&b, OIDC_EDDSA, text_member(t, "access_token"), ""), 200);
	/* Nonces end. */
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce_claim(&b));
	const char *nonce = nonce_claim(&b);

	w->now += 301;
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce);
	t = refreshed(&b, text_member(t, "refresh_token"), "");
	w->now += 300;
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce);
	assert_refused(&b, text_member(t, "refresh_token"), "", "use_dpop_nonce");
	b.dpop = NULL;
	refreshed(&b, text_member(t, "refresh_token"), "");
}

static void
a_record_may_demand_bound_tokens(void **state)
{
	struct world *w = *state;
	struct web b;

	register_all(w, MAY_API ",\"dpop_bound_access_tokens\":true", "jwt");
	web_init(&b, w);
	const char *form = arena_printf(w->a, "%s&resource=" API,
					oidc_redeem_form(w, code_of(&b, "openid read", "")));

	web_token(&b, oidc_basic(w), form);
	assert_int_equal(b.status, 400);
	assert_string_equal(web_member(&b, "error"), "invalid_dpop_proof");
	const json_t *t = bound(&b, OIDC_ES256, form);
	const char *token = text_member(t, "access_token");
	const json_t *c = oidc_token_says(w, token);

	assert_int_equal(strlen(text_member(json_object_get(c, "cnf"), "jkt")), 43);
	b.dpop = NULL;
	const json_t *told = introspect_as(&b, "api", token);

	assert_string_equal(text_member(told, "token_type"), "DPoP");
	assert_true(json_equal(json_object_get(told, "cnf"), json_object_get(c, "cnf")));
}

/* FAPI2SP 5.3.2.1; and a code may be bound before it is given (RFC 9449 10). */
static void
a_profile_or_a_code_may_demand_the_key(void **state)
{
	struct world *w = *state;
	struct oidc_client *client;
	struct web b;

	web_init(&b, w);
	const char *code = code_of(&b, "openid", "");
	const struct snapshot *snap = snapshot_hold(&w->app.snapshots);

	client = (struct oidc_client *)(uintptr_t)party_find(&snap->parties, OIDC_CLIENT)->oidc;
	client->profile = &(struct oidc_profile){"bound", OIDC_CHECK_BOUND_TOKENS};
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	assert_string_equal(web_member(&b, "error"), "invalid_dpop_proof");
	client->profile = oidc_profile_find("oauth");
	snapshot_release(snap);
	pg_sql(w->pg, "UPDATE grant_code SET cnf = '{\"jkt\":\"x\"}' WHERE taken_at IS NULL");
	const json_t *o = bound(&b, OIDC_ES256, oidc_redeem_form(w, code));

	assert_string_equal(text_member(o, "error"), "invalid_grant");
}

/* RFC 9449 5: who has no other proof is bound to its key for as long as the grant lives. */
static void
the_refresh_token_of_a_public_client_is_for_its_key(void **state)
{
	struct world *w = *state;
	struct web b;

	register_client(w, MAY ",\"token_endpoint_auth_method\":\"none\"");
	web_init(&b, w);
	const char *form = arena_printf(w->a, "%s&client_id=" OIDC_CLIENT,
					oidc_redeem_form(w, code_of(&b, OFFLINE, "")));

	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", "");
	web_token(&b, NULL, form);
	assert_string_equal(web_member(&b, "error"), "use_dpop_nonce");
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce_claim(&b));
	web_token(&b, NULL, form);
	assert_int_equal(b.status, 200);
	form = arena_printf(w->a,
			    "grant_type=refresh_token&client_id=" OIDC_CLIENT "&refresh_token=%s",
			    web_member(&b, "refresh_token"));
	const char *nonce = nonce_claim(&b);

	b.dpop = NULL;
	web_token(&b, NULL, form);
	assert_string_equal(web_member(&b, "error"), "invalid_grant");
	b.dpop = proof_of(&b, OIDC_EDDSA, "POST", "/oidc/token", nonce);
	web_token(&b, NULL, form);
	assert_string_equal(web_member(&b, "error"), "invalid_grant");
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce);
	web_token(&b, NULL, form);
	assert_int_equal(b.status, 200);
}

static const char *
by_assertion(struct world *w, const char *form, const char *jti)
{
	const char *claims = arena_printf(w->a,
					  "{\"iss\":\"" OIDC_CLIENT "\",\"sub\":\"" OIDC_CLIENT
					  "\",\"aud\":\"" BASE "\",\"exp\":%lld,\"jti\":\"%s\"}",
					  (long long)w->now + 60, jti);

	return arena_printf(
		w->a,
		"%s&client_assertion_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3A"
		"client-assertion-type%%3Ajwt-bearer&client_assertion=%s",
		form, token_of(w->a, OIDC_ES256, "{\"alg\":\"ES256\",\"kid\":\"k1\"}", claims));
}

/* A proof by ES256 for the next request, with the nonce that was told. */
static void
prove(struct web *b, const char *path)
{
	b->dpop = proof_of(b, OIDC_ES256, "POST", path, nonce_claim(b));
}

/* Who is told a nonce sends the same request again, as libraries do; and it counts once then. */
static void
a_nonce_that_is_asked_for_does_not_cost_the_assertion(void **state)
{
	static const char *const paths[] = {"/oidc/token", "/oidc/par"};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	register_client(w, arena_printf(w->a,
					",\"token_endpoint_auth_method\":\"private_key_jwt\","
					"\"jwks\":%s",
					public_jwks(w->a, OIDC_ES256, "k1")));
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const char *form = i == 0 ? oidc_redeem_form(w, code_of(&b, "openid", ""))
					  : strchr(oidc_request_url(w, "openid", ""), '?') + 1;

		form = by_assertion(w, form, arena_printf(w->a, "a%zu", i));
		b.authorization = NULL;
		b.dpop_nonce = NULL;
		prove(&b, paths[i]);
		web_form(&b, paths[i], form);
		assert_int_equal(b.status, 400);
		assert_string_equal(web_member(&b, "error"), "use_dpop_nonce");
		/* A proof for elsewhere costs as little. */
		prove(&b, "/oidc/userinfo");
		web_form(&b, paths[i], form);
		assert_string_equal(web_member(&b, "error"), "invalid_dpop_proof");
		prove(&b, paths[i]);
		web_form(&b, paths[i], form);
		assert_int_equal(b.status, i == 0 ? 200 : 201);
		prove(&b, paths[i]);
		web_form(&b, paths[i], form);
		assert_int_equal(b.status, 401);
		assert_string_equal(web_member(&b, "error"), "invalid_client");
	}
	b.dpop = NULL;
}

/* RFC 9449 4.3 (9): the URL that was asked, of the two that we have. */
static void
a_proof_is_for_the_host_that_is_asked(void **state)
{
	static const char other[] = "https://mtls.konto.example/oidc/token";
	struct world *w = *state;
	struct web b;

	w->config.mtls_url = "https://mtls.konto.example";
	w->config.mtls_host = "mtls.konto.example";
	web_init(&b, w);
	const char *form = oidc_redeem_form(w, code_of(&b, "openid", ""));

	prove(&b, "/oidc/token");
	web_token(&b, oidc_basic(w), form); /* for a nonce */
	b.dpop = proof_at(&b, OIDC_ES256, "POST", other, nonce_claim(&b));
	web_token(&b, oidc_basic(w), form);
	assert_string_equal(web_member(&b, "error"), "invalid_dpop_proof");
	b.host = "MTLS.konto.example:443";
	prove(&b, "/oidc/token");
	web_token(&b, oidc_basic(w), form);
	assert_string_equal(web_member(&b, "error"), "invalid_dpop_proof");
	b.dpop = proof_at(&b, OIDC_ES256, "POST", other, nonce_claim(&b));
	web_token(&b, oidc_basic(w), form);
	assert_int_equal(b.status, 200);
	w->config.mtls_url = w->config.mtls_host = NULL;
}

/* An application that is a page in a browser: all it needs, and nothing for anybody else's page. */
static void
a_public_client_may_be_a_page(void **state)
{
	static const char *const paths[] = {"/oidc/token", "/oidc/par", "/oidc/revoke",
					    "/oidc/userinfo", "/oidc/device_authorization"};
	static const char page[] = "https://stadtportal.example";
	struct world *w = *state;
	struct web b;

	for (int public = 1; public >= 0; public --) {
		register_client(w, public ? ",\"token_endpoint_auth_method\":\"none\"" : MAY);
		web_init(&b, w);
		for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
			b.origin = page;
			web_method(&b, "OPTIONS", paths[i], NULL);
			assert_int_equal(b.status, 204);
			assert_int_equal(b.allow_origin != NULL, public);
			assert_int_equal(b.allow_headers != NULL, public);
			if (public) {
				assert_string_equal(b.allow_origin, page);
				assert_non_null(strstr(b.allow_headers, "DPoP"));
			}
			/* Errors are read as well. */
			web_form(&b, paths[i], "client_id=" OIDC_CLIENT);
			assert_true(b.status >= 200);
			assert_int_equal(b.allow_origin != NULL, public);
			b.origin = "https://evil.example";
			web_form(&b, paths[i], "client_id=" OIDC_CLIENT);
			assert_null(b.allow_origin);
			web_method(&b, "OPTIONS", paths[i], NULL);
			assert_null(b.allow_origin);
			assert_null(b.allow_headers);
		}
	}
	register_client(w, ",\"token_endpoint_auth_method\":\"none\"");
	web_init(&b, w);
	const char *form = arena_printf(w->a, "%s&client_id=" OIDC_CLIENT,
					oidc_redeem_form(w, code_of(&b, "openid", "")));

	b.origin = page;
	prove(&b, "/oidc/token");
	web_token(&b, NULL, form);
	assert_string_equal(b.exposed, "DPoP-Nonce, WWW-Authenticate");
	assert_non_null(b.dpop_nonce);
	prove(&b, "/oidc/token");
	web_token(&b, NULL, form);
	assert_int_equal(b.status, 200);
	assert_string_equal(b.allow_origin, page);
	const char *token = web_member(&b, "access_token");

	assert_int_equal(bound_userinfo(&b, OIDC_ES256, token, ""), 200);
	assert_string_equal(b.allow_origin, page);
	/* Nothing that a person's browser alone may ask. */
	web_form(&b, "/oidc/introspect", "");
	assert_null(b.allow_origin);
	web_method(&b, "OPTIONS", "/oidc/authorize", NULL);
	assert_int_equal(b.status, 405);
	assert_null(b.allow_origin);
}

#define T(f) cmocka_unit_test_setup_teardown(f, tokens_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_bound_token_is_for_who_has_the_key),
		T(a_proof_counts_once_and_does_not_cost_the_code),
		T(a_record_may_demand_bound_tokens),
		T(a_profile_or_a_code_may_demand_the_key),
		T(the_refresh_token_of_a_public_client_is_for_its_key),
		T(a_nonce_that_is_asked_for_does_not_cost_the_assertion),
		T(a_proof_is_for_the_host_that_is_asked),
		T(a_public_client_may_be_a_page),
	};

	return cmocka_run_group_tests_name("flow bound", tests, tokens_setup, world_teardown);
}
