/* Tokens bound to the key of a DPoP proof (RFC 9449). */
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
	};

	return cmocka_run_group_tests_name("flow bound", tests, tokens_setup, world_teardown);
}
