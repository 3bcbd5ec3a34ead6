/* Whom a refusal is counted for, and whether it was proven to be its own: each endpoint. */
#include "base/text.h"
#include "idp/refusal.h"
#include "tests/flow/tokens.h"

static int
fresh(void **state)
{
	struct db_refusal r;

	if (tokens_fresh(state) != 0)
		return 1;
	struct world *w = *state;

	while (refusals_take(w->app.refusals, w->a, &r))
		;
	world_saml_party(w, "{}");
	return 0;
}

/* "proven /path error" of what was counted, "" for nothing. */
static const char *
counted(struct world *w, const char *party)
{
	const char *out = "";
	struct db_refusal r;

	while (refusals_take(w->app.refusals, w->a, &r)) {
		assert_string_equal(r.party, party);
		assert_int_equal(r.last, w->now);
		assert_true(r.reason[0] != '\0' && r.ref[0] != '\0');
		out = arena_printf(w->a, "%s%s%s %s %s", out, *out == '\0' ? "" : ", ",
				   r.proven ? "proven" : "claimed", r.endpoint, r.error);
	}
	return out;
}

#define ASSERT_COUNTED(w, text) assert_string_equal(counted((w), OIDC_CLIENT), (text))

static void
at_the_token_endpoint(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *code = code_of(&b, "openid", "");

	(void)web_redeem(&b, code);
	ASSERT_COUNTED(w, "");
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	ASSERT_COUNTED(w, "proven /oidc/token invalid_grant");
	web_token(&b, "Basic c3RhZHRwb3J0YWw6d3Jvbmc=", oidc_redeem_form(w, code));
	assert_int_equal(b.status, 401);
	ASSERT_COUNTED(w, "claimed /oidc/token invalid_client");
	web_token(&b, "Basic bm9ib2R5Ondyb25n", oidc_redeem_form(w, code));
	assert_int_equal(b.status, 401);
	ASSERT_COUNTED(w, "");
	web_token(&b, oidc_basic(w), "grant_type=password");
	ASSERT_COUNTED(w, "proven /oidc/token unsupported_grant_type");
}

/* Anybody may say that they are one. */
static void
of_a_public_client(void **state)
{
	struct world *w = *state;
	struct web b;

	register_client(w, MAY ",\"token_endpoint_auth_method\":\"none\"");
	web_init(&b, w);
	web_token(&b, NULL,
		  "grant_type=authorization_code&client_id=" OIDC_CLIENT
		  "&code=x&redirect_uri=https://stadtportal.example/"
		  "back&code_verifier=" PKCE_VERIFIER);
	assert_string_equal(web_member(&b, "error"), "invalid_grant");
	ASSERT_COUNTED(w, "claimed /oidc/token invalid_grant");
}

static void
at_the_back_channel(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_as_client(&b, "/oidc/par", "response_type=code&redirect_uri=https://evil.example/");
	ASSERT_COUNTED(w, "proven /oidc/par invalid_request");
	web_as_client(&b, "/oidc/introspect", "token=x");
	ASSERT_COUNTED(w, "proven /oidc/introspect access_denied");
	web_as_client(&b, "/oidc/revoke", "a=b");
	ASSERT_COUNTED(w, "proven /oidc/revoke invalid_request");
	web_as_client(&b, "/oidc/backchannel", "scope=openid&login_hint=x");
	ASSERT_COUNTED(w, "proven /oidc/backchannel unauthorized_client");
	web_as_client(&b, "/oidc/device_authorization", "scope=openid");
	ASSERT_COUNTED(w, "proven /oidc/device_authorization unauthorized_client");
}

static void
at_userinfo(void **state)
{
	struct world *w = *state;
	struct web b;

	register_all(w, GRANTS("\"client_credentials\""), "opaque");
	web_init(&b, w);
	const char *token = text_member(own_token(&b, ""), "access_token");

	ASSERT_COUNTED(w, "");
	assert_int_equal(userinfo(&b, token), 401);
	ASSERT_COUNTED(w, "proven /oidc/userinfo invalid_token");
	assert_int_equal(userinfo(&b, "nobodys"), 401);
	ASSERT_COUNTED(w, "");
}

/* What a browser brings may come from anybody, unless the client pushed it. */
static void
in_a_browser(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "profile", ""));
	assert_string_equal(location_param(&b, "error"), "invalid_scope");
	ASSERT_COUNTED(w, "claimed /oidc/authorize invalid_scope");
	web_get(&b, BASE "/oidc/authorize?response_type=code&client_id=" OIDC_CLIENT
			 "&redirect_uri=https://evil.example/&scope=openid");
	assert_int_equal(b.status, 400);
	ASSERT_COUNTED(w, "claimed /oidc/authorize invalid_request");
	web_get(&b, BASE "/oidc/authorize?response_type=code&client_id=nobody&scope=openid");
	ASSERT_COUNTED(w, "");
	web_get(&b, BASE "/oidc/authorize?client_id=" OIDC_CLIENT);
	ASSERT_COUNTED(w, "claimed /oidc/authorize invalid_request");
	web_get(&b, BASE "/oidc/authorize?client_id=" OIDC_CLIENT "&request=a.b.c&scope=openid");
	ASSERT_COUNTED(w, "claimed /oidc/authorize invalid_request_object");
	web_get(&b, BASE "/oidc/logout?client_id=" OIDC_CLIENT
			 "&post_logout_redirect_uri=https://evil.example/");
	assert_int_equal(b.status, 400);
	ASSERT_COUNTED(w, "claimed /oidc/logout invalid_request");
}

static void
of_saml_parties(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	w->acs = "https://evil.example/acs";
	web_get(&b, saml_request_url(w, "_1", "", ""));
	w->acs = NULL;
	assert_int_equal(b.status, 403);
	assert_string_equal(counted(w, SAML_PARTY),
			    "proven /saml/sso urn:oasis:names:tc:SAML:2.0:status:Requester");
	web_get(&b, unsigned_url(w, saml_request_url(w, "_2", "", "")));
	assert_string_equal(counted(w, SAML_PARTY), "claimed /saml/sso denied");
	/* An orderly answer is one too. */
	web_get(&b, saml_request_url(w, "_3", "",
				     "<samlp:NameIDPolicy Format=\"urn:oasis:names:tc:SAML:1.1:"
				     "nameid-format:X509SubjectName\"/>"));
	assert_int_equal(b.status, 200);
	const char *told = counted(w, SAML_PARTY);

	assert_true(text_starts(told, "proven /saml/sso urn:oasis:names:tc:SAML:2.0:status:"));
	w->saml_party = "https://nobody.example/";
	web_get(&b, saml_request_url(w, "_4", "", ""));
	w->saml_party = NULL;
	assert_string_equal(counted(w, SAML_PARTY), "");
	web_get(&b, arena_printf(w->a, BASE "/saml/unsolicited?providerId=%s", SAML_PARTY));
	assert_string_equal(counted(w, SAML_PARTY), "claimed /saml/unsolicited portal_request");
	w->resolve_at = "https://other.example/";
	web_program(&b, "/saml/artifact", "text/xml", saml_artifact_envelope(w, "_6", "x"));
	w->resolve_at = NULL;
	assert_true(text_starts(counted(w, SAML_PARTY), "proven /saml/artifact "));
}

#define T(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(at_the_token_endpoint), T(of_a_public_client), T(at_the_back_channel),
		T(at_userinfo),           T(in_a_browser),       T(of_saml_parties),
	};

	return cmocka_run_group_tests(tests, tokens_setup, world_teardown);
}
