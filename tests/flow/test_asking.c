/* Resources and keys that an authorization request names (RFC 8707, RFC 9449 10). */
#include "base/text.h"
#include "tests/flow/asking.h"

#define FORM     "application/x-www-form-urlencoded"
#define RESOURCE "&resource=https%3A%2F%2Fapi.example%2F"
#define OTHER    "&resource=https%3A%2F%2Fother.example%2F"
#define AGREE    "attr_email=1&do=agree"

static int
fresh(void **state)
{
	struct world *w = *state;

	world_fresh(state);
	asking_client(w, CODE_AND_REFRESH);
	asking_apis(w, "opaque");
	return 0;
}

/* ---- resources ---- */

static void
resources_are_named_shown_and_agreed_to(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "karl", "Lachs-Turmuhr-47",
		     (const char *const[]){"given_names", "Karl", NULL}, LEVEL_LOW);
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid read", RESOURCE));
	web_submit(&b, "/flow/password/", "login_name=karl&password=Lachs-Turmuhr-47&do=login");
	assert_true(web_shows(&b, "andere Dienste"));
	assert_true(web_shows(&b, "Terminvergabe"));
	assert_true(web_shows(&b, "<li>read</li>"));
	assert_false(web_shows(&b, "Postfach"));
	web_submit(&b, "/flow/consent/", AGREE);
	const char *code = location_param(&b, "code");
	const json_t *t = asking_token(&b, code, RESOURCE);

	assert_int_equal(b.status, 200);
	assert_string_equal(asking_text(t, "scope"), "read");
	assert_string_equal(
		asking_text(asking_introspect(&b, "api", asking_text(t, "access_token")), "aud"),
		API);
	/* The same, or less, asks nobody again; more does. */
	web_get(&b, oidc_request_url(w, "openid read", RESOURCE));
	assert_non_null(location_param(&b, "code"));
	web_get(&b, oidc_request_url(w, "openid", RESOURCE));
	assert_non_null(location_param(&b, "code"));
	web_get(&b, oidc_request_url(w, "openid", ""));
	assert_non_null(location_param(&b, "code"));
	web_get(&b, oidc_request_url(w, "openid read write", RESOURCE "&prompt=none"));
	asking_refused(&b, "consent_required");
	web_get(&b, oidc_request_url(w, "openid read", RESOURCE OTHER "&prompt=none"));
	asking_refused(&b, "consent_required");
	/* Scopes alone reach whoever of its resources knows them. */
	web_get(&b, oidc_request_url(w, "openid read", ""));
	assert_true(web_shows(&b, "Postfach"));
	web_get(&b, "/account");
	assert_true(web_shows(&b, "Zugriff auf Terminvergabe: read"));
}

static void
only_a_service_s_own_scopes_are_shown(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	asking(&b, "openid email write", OTHER "&prompt=consent");
	assert_true(web_shows(&b, "Postfach"));
	assert_true(web_shows(&b, "Wer Sie dort sind"));
	assert_false(web_shows(&b, "<li>write</li>"));
	assert_false(web_shows(&b, "<li>email</li>"));
	/* Who asks for no service is shown none. */
	asking(&b, "openid email", "&prompt=consent");
	assert_false(web_shows(&b, "andere Dienste"));
}

/* RFC 8707 2 */
static void
a_resource_that_is_not_the_client_s_is_refused(void **state)
{
	static const char *const wrong[] = {
		"&resource=https%3A%2F%2Fnone.example%2F",
		"&resource=https%3A%2F%2Fapi.example",
		"&resource=api",
		RESOURCE "&resource=https%3A%2F%2Fapi.example%2F%23x",
	};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		web_get(&b, oidc_request_url(w, "openid", wrong[i]));
		asking_refused(&b, "invalid_target");
	}
	/* One that it may ask for, and that nobody is any more. */
	world_disable(w, "api");
	web_get(&b, oidc_request_url(w, "openid", RESOURCE));
	asking_refused(&b, "invalid_target");
	web_get(&b, oidc_request_url(w, "openid", "&resource=" OTHER));
	assert_int_equal(b.status, 200);
}

/* RFC 8707 2.2 */
static void
a_token_is_for_one_of_those_that_were_named(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	asking_token(&b, asking_code(&b, "openid read", RESOURCE), OTHER);
	asking_refused(&b, "invalid_target");
	/* Several by one code: the first, and the other by its refresh token. */
	const json_t *t =
		asking_token(&b, asking_code(&b, "openid read", RESOURCE OTHER), RESOURCE);
	const char *token = asking_text(t, "access_token");
	const char *refresh = asking_text(t, "refresh_token");

	assert_string_equal(asking_text(asking_introspect(&b, "api", token), "aud"), API);
	t = asking_refresh(&b, refresh, OTHER);
	token = asking_text(t, "access_token");
	assert_string_equal(asking_text(asking_introspect(&b, "other", token), "aud"), OTHER_API);
	/* One that was given for another of them alone gives none for this one. */
	t = asking_token(&b, asking_code(&b, "openid read", RESOURCE), RESOURCE);
	asking_refresh(&b, asking_text(t, "refresh_token"), OTHER);
	asking_refused(&b, "invalid_target");
}

static const char *
pushed(struct web *b, const char *more)
{
	const char *form = strchr(oidc_request_url(b->w, "openid read", more), '?') + 1;

	b->authorization = oidc_basic(b->w);
	web_program(b, "/oidc/par", FORM, form);
	if (b->status != 201)
		return NULL;
	return arena_printf(b->w->a,
			    BASE "/oidc/authorize?client_id=" OIDC_CLIENT "&request_uri=%s",
			    asking_text(web_json(b), "request_uri"));
}

static const char *
pushed_code(struct web *b, const char *more)
{
	const char *url = pushed(b, more);

	assert_non_null(url);
	b->dpop = NULL;
	web_get(b, url);
	if (b->status == 200 && web_field(b, "password") != NULL)
		web_submit(b, "/flow/password/", ASK_LOGIN);
	if (b->status == 200)
		web_submit(b, "/flow/consent/", AGREE);
	assert_non_null(location_param(b, "code"));
	return location_param(b, "code");
}

static void
several_resources_are_pushed(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	asking_token(&b, pushed_code(&b, RESOURCE OTHER), OTHER);
	assert_int_equal(b.status, 200);
	assert_null(pushed(&b, RESOURCE "&resource=x"));
	asking_refused(&b, "invalid_target");
	/* By a form at the authorization endpoint as well. */
	web_foreign_post(&b, "/oidc/authorize",
			 strchr(oidc_request_url(w, "openid read", RESOURCE OTHER), '?') + 1);
	assert_non_null(location_param(&b, "code"));
}

/* ---- the key of the code ---- */

/* What the token endpoint says to a code with a proof by that key (with its nonce). */
static const json_t *
redeemed_by(struct web *b, enum oidc_alg alg, const char *code)
{
	b->dpop_nonce = NULL;
	asking_prove(b, alg, "/oidc/token");
	asking_token(b, code, "");
	asking_refused(b, "use_dpop_nonce");
	asking_prove(b, alg, "/oidc/token");
	return asking_token(b, code, "");
}

/* RFC 9449 10 */
static void
a_code_is_for_the_key_that_was_named(void **state)
{
	struct world *w = *state;
	const char *named = arena_printf(w->a, "&dpop_jkt=%s", asking_jkt(w, OIDC_ES256));
	struct web b;

	web_init(&b, w);
	const json_t *t = redeemed_by(&b, OIDC_ES256, asking_code(&b, "openid", named));

	assert_int_equal(b.status, 200);
	assert_string_equal(asking_text(t, "token_type"), "DPoP");
	redeemed_by(&b, OIDC_EDDSA, asking_code(&b, "openid", named));
	asking_refused(&b, "invalid_grant");
	b.dpop = NULL;
	asking_token(&b, asking_code(&b, "openid", named), "");
	asking_refused(&b, "invalid_grant");
}

static void
what_is_no_thumbprint_is_refused(void **state)
{
	static const char *const wrong[] = {
		"&dpop_jkt=x",
		"&dpop_jkt=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"&dpop_jkt=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"&dpop_jkt=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%2B",
	};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		web_get(&b, oidc_request_url(w, "openid", wrong[i]));
		asking_refused(&b, "invalid_request");
	}
}

/* RFC 9449 10.1 */
static void
the_key_of_a_proof_at_the_push_is_the_code_s(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	asking_prove(&b, OIDC_ES256, "/oidc/par");
	assert_null(pushed(&b, ""));
	asking_refused(&b, "use_dpop_nonce");
	asking_prove(&b, OIDC_ES256, "/oidc/par");
	const char *code = pushed_code(&b, "&dpop_jkt=");

	redeemed_by(&b, OIDC_EDDSA, code);
	asking_refused(&b, "invalid_grant");
	asking_prove(&b, OIDC_ES256, "/oidc/par");
	redeemed_by(&b, OIDC_ES256, pushed_code(&b, ""));
	assert_int_equal(b.status, 200);
	/* Both ways at once: the same key. */
	asking_prove(&b, OIDC_ES256, "/oidc/par");
	assert_null(pushed(&b, arena_printf(w->a, "&dpop_jkt=%s", asking_jkt(w, OIDC_EDDSA))));
	asking_refused(&b, "invalid_dpop_proof");
	asking_prove(&b, OIDC_ES256, "/oidc/par");
	code = pushed_code(&b, arena_printf(w->a, "&dpop_jkt=%s", asking_jkt(w, OIDC_ES256)));
	redeemed_by(&b, OIDC_ES256, code);
	assert_int_equal(b.status, 200);
	/* A proof for elsewhere is none. */
	asking_prove(&b, OIDC_ES256, "/oidc/token");
	assert_null(pushed(&b, ""));
	asking_refused(&b, "invalid_dpop_proof");
}

/* ---- values of claims ---- */

/* Core 5.5.1: another value than the one that is asked for is not told, and no error. */
static void
a_claim_is_told_with_a_value_that_was_asked_for(void **state)
{
#define CLAIMS(place, rest) \
	"&claims=%7B%22" place "%22%3A%7B%22given_name%22%3A%7B" rest "%7D%7D%7D"
	static const struct {
		const char *more;
		bool id_token, userinfo;
	} cases[] = {
		{CLAIMS("id_token", "%22value%22%3A%22Erika%22"), true, false},
		{CLAIMS("id_token", "%22value%22%3A%22Max%22"), false, false},
		{CLAIMS("id_token", "%22essential%22%3Atrue%2C%22value%22%3A%22Max%22"), false,
		 false},
		{CLAIMS("id_token", "%22values%22%3A%5B%22Max%22%2C%22Erika%22%5D"), true, false},
		{CLAIMS("id_token", "%22values%22%3A%5B%5D"), false, false},
		{CLAIMS("id_token", "%22value%22%3Atrue"), false, false},
		{CLAIMS("userinfo", "%22value%22%3A%22Erika%22"), false, true},
		{CLAIMS("userinfo", "%22value%22%3A%22Max%22"), false, false},
	};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		asking(&b, "openid", cases[i].more);
		if (b.status == 200)
			web_submit(&b, "/flow/consent/", "attr_given_names=1&do=agree");
		const json_t *t = asking_token(&b, location_param(&b, "code"), "");
		const json_t *id = asking_claims(&b, asking_text(t, "id_token"));

		assert_int_equal(asking_text(id, "given_name") != NULL, cases[i].id_token);
		web_userinfo(&b, asking_text(t, "access_token"));
		assert_int_equal(asking_text(web_json(&b), "given_name") != NULL,
				 cases[i].userinfo);
	}
	/* A scope asks for whatever it is. */
	asking(&b, "openid profile", cases[7].more);
	if (b.status == 200)
		web_submit(&b, "/flow/consent/", "attr_given_names=1&do=agree");
	const json_t *t = asking_token(&b, location_param(&b, "code"), "");

	web_userinfo(&b, asking_text(t, "access_token"));
	assert_string_equal(asking_text(web_json(&b), "given_name"), "Erika");
}

/* ---- making an account ---- */

/* OpenID Connect Initiating User Registration 1.0 */
static void
an_account_is_made_on_the_way(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	/* Also for who is logged in: the portal wants somebody new. */
	asking_code(&b, "openid", "");
	web_get(&b, oidc_request_url(w, "openid email", "&prompt=create"));
	assert_true(text_starts(b.path, "/register/"));
	web_submit(&b, "/register/",
		   "given_names=Max&family_name=Muster&birth_date_day=1&birth_date_month=2&"
		   "birth_date_year=1990&country=DE&email=max%40example.invalid&"
		   "login_name=max.neu&new_password=Pflaume-Regal-83&"
		   "password_repeat=Pflaume-Regal-83&store_consent=1&do=register");
	web_submit(&b, "/flow/consent/", "attr_email=1&do=agree");
	const json_t *t = asking_token(&b, location_param(&b, "code"), "");

	web_userinfo(&b, asking_text(t, "access_token"));
	assert_string_equal(asking_text(web_json(&b), "email"), "max@example.invalid");
	/* By a form of the portal's as well; and never together with another. */
	web_foreign_post(&b, "/oidc/authorize",
			 strchr(oidc_request_url(w, "openid", "&prompt=create"), '?') + 1);
	assert_true(text_starts(b.path, "/register/"));
	web_get(&b, oidc_request_url(w, "openid", "&prompt=create+login"));
	asking_refused(&b, "invalid_request");
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(resources_are_named_shown_and_agreed_to),
		T(only_a_service_s_own_scopes_are_shown),
		T(a_resource_that_is_not_the_client_s_is_refused),
		T(a_token_is_for_one_of_those_that_were_named),
		T(several_resources_are_pushed),
		T(a_code_is_for_the_key_that_was_named),
		T(what_is_no_thumbprint_is_refused),
		T(the_key_of_a_proof_at_the_push_is_the_code_s),
		T(a_claim_is_told_with_a_value_that_was_asked_for),
		T(an_account_is_made_on_the_way),
	};

	return cmocka_run_group_tests_name("flow asking", tests, asking_setup, world_teardown);
}
