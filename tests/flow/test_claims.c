/* Claims made of what an account holds, scopes that say who has to log in, the portal's words. */
#include "base/text.h"
#include "tests/flow/tokens.h"

#define ALL "openid profile email phone address"
#define AGREE                                                                     \
	"attr_given_names=1&attr_family_name=1&attr_email=1&attr_phone_number=1&" \
	"attr_street_address=1&attr_postal_code=1&attr_locality=1&attr_country=1&do=agree"
#define SCOPE(words) ",\"scope\":\"" words "\"" MAY

static const char *const anna[] = {"given_names", "Anna Maria", "family_name",
				   "Beispiel",    "email",      "anna@example.invalid",
				   "postal_code", "01067",      "street_address",
				   "Weg 1",       "locality",   "Dresden",
				   "country",     "DE",         "phone_number",
				   "+493511",     NULL};

static int
claims_setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	world_person(*state, "anna", PASSWORD, anna, LEVEL_SUBSTANTIAL);
	return world_fresh(state);
}

static int
claims_fresh(void **state)
{
	world_fresh(state);
	register_client(*state, SCOPE(ALL " level1 level2 level3 level4 person legalEntity any"));
	return 0;
}

/* Log in and agree to what the page offers; the tokens, or NULL with the error in b. */
static const json_t *
login(struct web *b, const char *scope, const char *more)
{
	web_init(b, b->w);
	web_get(b, oidc_request_url(b->w, scope, more));
	if (b->status == 200 && web_field(b, "password") != NULL)
		web_submit(b, "/flow/password/", "login_name=anna&password=" PASSWORD "&do=login");
	if (b->status == 200)
		web_submit(b, "/flow/consent/", AGREE);
	assert_int_equal(b->status, 303);
	const char *code = location_param(b, "code");

	return code == NULL ? NULL : web_redeem(b, code);
}

/* What userinfo says after that login. */
static const json_t *
told(struct web *b, const char *scope, const char *more)
{
	const json_t *t = login(b, scope, more);

	assert_non_null(t);
	web_userinfo(b, json_string_value(json_object_get(t, "access_token")));
	return web_json(b);
}

/* Core 5.1, 5.1.1, 5.4 */
static void
claims_are_made_of_what_is_held(void **state)
{
	struct web b = {.w = *state};
	const json_t *u = told(&b, ALL, "");

	assert_string_equal(text_member(u, "name"), "Anna Maria Beispiel");
	assert_true(json_is_true(json_object_get(u, "email_verified")));
	assert_true(json_is_true(json_object_get(u, "phone_number_verified")));
	assert_string_equal(text_member(json_object_get(u, "address"), "formatted"),
			    "Weg 1\n01067 Dresden\nDE");
	assert_string_equal(text_member(json_object_get(u, "claim_levels"), "name"), "low");
	/* One alone, by its name: what it is made of is agreed to, and not told beside it. */
	u = told(&b, "openid", "&claims=%7B%22userinfo%22%3A%7B%22name%22%3Anull%7D%7D");
	assert_string_equal(text_member(u, "name"), "Anna Maria Beispiel");
	assert_null(json_object_get(u, "given_name"));
	assert_null(json_object_get(u, "email_verified"));
}

/* What a record may not have by now, nothing made of it tells either. */
static void
they_end_with_what_they_are_made_of(void **state)
{
	struct world *w = *state;
	struct web b = {.w = w};
	const json_t *t;

	register_with(w, SCOPE(ALL), ",\"attribute\":[\"given_names\",\"locality\"]");
	t = login(&b, ALL, "");
	web_userinfo(&b, text_member(t, "access_token"));
	const json_t *u = web_json(&b);

	assert_string_equal(text_member(u, "given_name"), "Anna Maria");
	assert_null(json_object_get(u, "name"));
	assert_null(json_object_get(u, "email_verified"));
	assert_null(json_object_get(json_object_get(u, "address"), "formatted"));
	/* The same where the record became less after the login. */
	register_client(w, SCOPE(ALL));
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, ALL, ""));
	web_submit(&b, "/flow/password/", "login_name=anna&password=" PASSWORD "&do=login");
	if (b.status == 200)
		web_submit(&b, "/flow/consent/", AGREE);
	register_with(w, SCOPE(ALL), ",\"attribute\":[\"given_names\",\"locality\"]");
	t = web_redeem(&b, location_param(&b, "code"));
	web_userinfo(&b, text_member(t, "access_token"));
	u = web_json(&b);
	assert_string_equal(text_member(u, "given_name"), "Anna Maria");
	assert_null(json_object_get(u, "name"));
	assert_null(json_object_get(u, "email_verified"));
	assert_null(json_object_get(json_object_get(u, "address"), "formatted"));
}

static void
scopes_demand_a_level_and_a_kind(void **state)
{
	static const struct {
		const char *scope, *more;
		const char *got;   /* the scope of the answer; NULL: refused */
		const char *error; /* NULL: a page that asks for more than a password */
	} cases[] = {
		{"openid level1", "", "openid level1", NULL},
		{"openid level2 person", "", "openid level2 person", NULL},
		{"openid any", "", "openid any", NULL},
		{"openid person legalEntity", "", "openid person", NULL},
		{"openid any legalEntity", "", "openid any", NULL},
		{"openid level3", "", NULL, NULL},
		{"openid level1 level3", "", NULL, NULL},
		{"openid level3", "&acr_values=low", NULL, NULL},
		{"openid level4", "", NULL, "unmet_authentication_requirements"},
		{"openid legalEntity", "", NULL, "unmet_authentication_requirements"},
		{"openid level3",
		 "&claims=%7B%22id_token%22%3A%7B%22acr%22%3A%7B%22essential%22%3Atrue%2C%22value"
		 "%22%3A%22low%22%7D%7D%7D",
		 NULL, "unmet_authentication_requirements"},
	};
	struct world *w = *state;
	struct web b = {.w = w};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (cases[i].got != NULL) {
			const json_t *t = login(&b, cases[i].scope, cases[i].more);

			assert_string_equal(text_member(t, "scope"), cases[i].got);
			continue;
		}
		web_init(&b, w);
		web_get(&b, oidc_request_url(w, cases[i].scope, cases[i].more));
		if (cases[i].error != NULL) { /* before anybody is bothered */
			assert_int_equal(b.status, 303);
			assert_string_equal(location_param(&b, "error"), cases[i].error);
			continue;
		}
		web_submit(&b, "/flow/password/", "login_name=anna&password=" PASSWORD "&do=login");
		assert_true(b.status == 200 || text_starts(b.location, "/"));
	}
}

/* RFC 7591 2, 2.2 */
static void
the_portals_own_words_are_linked(void **state)
{
	static const struct {
		const char *more, *privacy, *terms;
	} cases[] = {
		{"", "https://portal.example/datenschutz?a=1&amp;b=2",
		 "https://portal.example/nutzung"},
		{"&ui_locales=en", "https://portal.example/privacy",
		 "https://portal.example/nutzung"},
	};
	struct world *w = *state;
	struct web b;

	register_client(w,
			SCOPE(ALL) ",\"policy_uri\":\"https://portal.example/datenschutz?a=1&b=2\","
				   "\"policy_uri#en\":\"https://portal.example/privacy\","
				   "\"tos_uri#de\":\"https://portal.example/nutzung\"");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		web_init(&b, w);
		web_get(&b,
			oidc_request_url(w, ALL " offline_access",
					 arena_printf(w->a, "&prompt=consent%s", cases[i].more)));
		web_submit(&b, "/flow/password/", "login_name=anna&password=" PASSWORD "&do=login");
#define LINK "href=\"%s\" target=\"_blank\" rel=\"noopener noreferrer\""
		assert_true(web_shows(&b, arena_printf(w->a, LINK, cases[i].privacy)));
		assert_true(web_shows(&b, arena_printf(w->a, LINK, cases[i].terms)));
	}
	register_client(w, SCOPE(ALL));
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, ALL, "&prompt=consent"));
	web_submit(&b, "/flow/password/", "login_name=anna&password=" PASSWORD "&do=login");
	assert_true(web_shows(&b, "name=\"offer\""));
	assert_false(web_shows(&b, "Nutzungsbedingungen"));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup(name, claims_fresh)
	const struct CMUnitTest tests[] = {
		T(claims_are_made_of_what_is_held),
		T(they_end_with_what_they_are_made_of),
		T(scopes_demand_a_level_and_a_kind),
		T(the_portals_own_words_are_linked),
	};

	return cmocka_run_group_tests_name("flow claims", tests, claims_setup, world_teardown);
}
