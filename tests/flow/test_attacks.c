/*
 * What was done to identity providers elsewhere, tried on whole logins here;
 * each test names its incident (docs/threats.md lists them all).
 */
#include "base/clock.h"
#include "base/text.h"
#include "oidc/jwk.h"
#include "oidc/jws.h"
#include "tests/flow/world.h"

#define PASSWORD "Lachs-Turmuhr-47"
#define LOGIN    "login_name=erika&password=" PASSWORD "&do=login"
#define POLICY   "{\"attribute\":[\"family_name:required\",\"email\"]}"

static const char *const erika[] = {"given_names", "Erika", "family_name",
				    "Mustermann",  "email", "erika@example.invalid",
				    NULL};

static int counter;

static int
setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	world_totp(w, world_person(w, "erika", PASSWORD, erika, LEVEL_SUBSTANTIAL));
	world_saml_party(w, POLICY);
	return world_fresh(state);
}

static const char *
fresh_id(struct world *w)
{
	return arena_printf(w->a, "_attack%d", counter++);
}

static void
ask(struct web *b)
{
	web_get(b, saml_request_url(b->w, fresh_id(b->w), "", ""));
}

static void
log_in(struct web *b)
{
	web_submit(b, "/flow/password/", LOGIN);
}

/* Until the Response is on the page. */
static const char *
go_through(struct web *b)
{
	log_in(b);
	if (saml_response_of(b) == NULL)
		web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
	return saml_response_of(b);
}

static const char *
code_of(struct web *b)
{
	web_get(b, oidc_request_url(b->w, "openid", ""));
	if (b->status == 200 && web_field(b, "password") != NULL)
		log_in(b);
	if (b->status == 200)
		web_submit(b, "/flow/consent/", "do=agree");
	return location_param(b, "code");
}

/* ---- portals ---- */

static void
a_portal_switched_off_stops_no_other(void **state)
{
	/* OpenR@thaus, June 2024: because of one portal some 300 municipalities went offline. */
	struct world *w = *state;
	struct web b, other;

	web_init(&b, w);
	ask(&b);
	web_init(&other, w);
	web_get(&other, oidc_request_url(w, "openid", ""));
	world_disable(w, SAML_PARTY);
	log_in(&b);
	assert_null(saml_response_of(&b));
	log_in(&other);
	if (other.status == 200)
		web_submit(&other, "/flow/consent/", "do=agree");
	web_token(&other, oidc_basic(w), oidc_redeem_form(w, location_param(&other, "code")));
	assert_int_equal(other.status, 200);
	world_saml_party(w, POLICY);
}

static void
a_client_switched_off_redeems_nothing_more(void **state)
{
	/* Keycloak CVE-2026-2603, Casdoor CVE-2026-9098: switched off, and still served. */
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code_of(&b)));
	const char *token = web_member(&b, "access_token");
	const char *code = code_of(&b);

	web_userinfo(&b, token);
	assert_int_equal(b.status, 200);
	world_disable(w, OIDC_CLIENT);
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	assert_int_equal(b.status, 401);
	assert_string_equal(web_member(&b, "error"), "invalid_client");
	web_userinfo(&b, token);
	assert_int_equal(b.status, 401);
	world_oidc_party(w, "{}");
}

static void
relay_state_and_state_are_carried_and_never_followed(void **state)
{
	/* OpenR@thaus: a convenience redirect after the login let a foreign page run it. */
	static const char evil[] = "https%3A%2F%2Fevil.example%2F";
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	w->relay_state = "https://evil.example/";
	ask(&b);
	w->relay_state = NULL;
	assert_non_null(go_through(&b));
	assert_string_equal(web_field(&b, "RelayState"), "https://evil.example/");
	assert_non_null(strstr(b.body, "action=\"" SAML_ACS "\""));
	assert_null(strstr(b.csp, "evil.example"));
	web_get(&b, arena_printf(w->a, "%s&redirect_url=%s&next=%s",
				 oidc_request_url(w, "openid", ""), evil, evil));
	if (b.status == 200)
		web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(text_starts(b.location, OIDC_BACK "?"));
	assert_null(strstr(b.location, "evil"));
}

static void
the_language_switch_leads_nowhere_else(void **state)
{
	/* Glewlwyd CVE-2024-25715 and many more: a way back that anybody may name. */
	static const char *const places[] = {"https%3A%2F%2Fevil.example%2F",
					     "%2F%2Fevil.example%2F",
					     "%2F%5Cevil.example",
					     "%5C%5Cevil.example",
					     "%2F%09%2Fevil.example",
					     "%2F%0d%0aX%3A%20y",
					     "javascript%3Aalert(1)",
					     "evil.example",
					     "%2Fa%5C..%5C%5Cevil.example",
					     "%20%2F%2Fevil.example",
					     "%2F%C2%85%2Fevil",
					     ""};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		web_init(&b, w);
		web_get(&b, arena_printf(w->a, "/language/en?to=%s", places[i]));
		assert_int_equal(b.status, 200); /* followed to our front page */
		assert_string_equal(b.path, "/");
	}
	web_get(&b, "/language/en?to=%2Fregister");
	assert_true(text_starts(b.path, "/register"));
}

static void
no_path_leads_to_a_file(void **state)
{
	/* Glewlwyd CVE-2022-29967: a path that climbed out of the folder of assets. */
	static const char *const paths[] = {
		"/static/../main.c",
		"/static/../../../../etc/passwd",
		"/static/%2e%2e/%2e%2e/etc/passwd",
		"/static/..%2f..%2fetc%2fpasswd",
		"/static/..%5c..%5cetc%5cpasswd",
		"/static//etc/passwd",
		"/static/",
		"/static/.",
		"/..%2f..%2fetc/passwd",
		"//etc/passwd",
	};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		web_init(&b, w);
		web_get(&b, paths[i]);
		assert_true(b.status == 404 || b.status == 400);
		assert_false(web_shows(&b, "root:"));
	}
}

/* ---- the order of steps ---- */

static void
steps_out_of_order_are_not_taken(void **state)
{
	/* Freundschaftspass 2023: tickets by calling the later steps without the login. */
	static const struct {
		const char *route, *fields;
	} steps[] = {
		{"/flow/consent/", "attr_email=1&do=agree"},
		{"/flow/totp/", "code=%s&do=login"},
		{"/flow/enroll/", "code=%s&do=enroll"},
	};
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"email\"],\"consent\":\"always\"}");
	w->now += 60;
	web_init(&b, w);
	ask(&b);
	const char *flow = b.path + strlen("/flow/");

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		const char *fields = steps[i].fields, *at = strstr(fields, "%s");

		if (at != NULL)
			fields = arena_printf(w->a, "%.*s%s%s", (int)(at - fields), fields,
					      world_code(w), at + 2);
		web_post(&b, steps[i].route, flow, fields);
		assert_null(saml_response_of(&b));
		assert_null(web_cookie(&b, "__Host-session"));
	}
	web_get(&b, arena_printf(w->a, "/flow/restart/%s", flow)); /* nothing has expired */
	assert_non_null(web_field(&b, "password"));
	log_in(&b);
	web_post(&b, "/flow/consent/", flow, "attr_email=1&do=agree"); /* to no page shown */
	assert_null(saml_response_of(&b));
	web_submit(&b, "/flow/consent/", "attr_email=1&do=agree");
	assert_non_null(saml_response_of(&b));
	world_saml_party(w, POLICY);
}

static void
a_malformed_cookie_skips_no_check(void **state)
{
	/* authentik CVE-2026-25748: a cookie that could not be read was no cookie to check. */
	static const struct {
		const char *name, *value;
		int status;
	} cases[] = {
		{"__Host-form", "short", 403},   {"__Host-form", "\"\"", 400},
		{"__Host-form", "", 403},        {"__Host-session", "a b", 400},
		{"__Host-session", "a\\b", 400},
	};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		web_init(&b, w);
		ask(&b);
		size_t k = 0;

		while (k < b.n_cookies && strcmp(b.cookies[k][0], cases[i].name) != 0)
			k++;
		b.cookies[k][0] = cases[i].name;
		b.cookies[k][1] = cases[i].value;
		b.n_cookies += k == b.n_cookies;
		log_in(&b);
		assert_int_equal(b.status, cases[i].status);
		assert_null(saml_response_of(&b));
	}
}

/* ---- logout ---- */

static void
a_logout_unsigned_or_of_another_session_ends_nothing(void **state)
{
	/* ipsilon CVE-2016-8638: logout showed and ended the sessions of others. */
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b);
	const char *response = go_through(&b);
	const char *nameid = between(w->a, response, "<saml:NameID", "</saml:NameID>");
	const char *index = between(w->a, response, "SessionIndex=\"", "\"");

	nameid = strchr(nameid, '>') + 1;
	const char *urls[] = {
		saml_logout_url(w, fresh_id(w), nameid, index), /* its signature is cut off below */
		saml_logout_url(w, fresh_id(w), nameid, "_another"),
		saml_logout_url(w, fresh_id(w), "_somebody", index),
	};

	urls[0] = arena_strndup(w->a, urls[0], (size_t)(strstr(urls[0], "&SigAlg=") - urls[0]));
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct web thief;

		web_init(&thief, w);
		web_get(&thief, urls[i]);
		assert_int_equal(thief.status, i == 0 ? 403 : 303);
		assert_null(i == 0 ? thief.location : NULL);
		ask(&b);
		assert_non_null(saml_response_of(&b));
	}
}

/* ---- one-time things ---- */

static void
key_client(struct world *w)
{
	struct oidc_jwk key = {w->keys->p256.kid, OIDC_ES256, w->keys->p256.pub};
	struct oidc_jwks set = {.keys = &key, .n = 1};
	struct err err = {0};
	const char *jwks;

	ASSERT_OK(oidc_jwks_build(w->a, &set, &jwks, &err), &err);
	world_oidc_document(w,
			    arena_printf(w->a,
					 "{\"metadata\":{\"client_id\":\"" OIDC_CLIENT
					 "\",\"redirect_uris\":[\"" OIDC_BACK
					 "\"],\"token_endpoint_auth_method\":\"private_key_jwt\","
					 "\"scope\":\"openid\",\"jwks\":%s}}",
					 jwks),
			    "{}");
}

static const char *
assertion_of(struct world *w, const char *jti)
{
	struct err err = {0};
	const char *compact;
	json_t *claims;

	ASSERT_OK(json_parse_object(w->a,
				    bytes_of(arena_printf(
					    w->a,
					    "{\"iss\":\"" OIDC_CLIENT "\",\"sub\":\"" OIDC_CLIENT
					    "\",\"aud\":\"" BASE "\",\"exp\":%lld,\"jti\":\"%s\"}",
					    (long long)w->now + 60, jti)),
				    4096, &claims, &err),
		  &err);
	ASSERT_OK(oidc_jws_build(w->a, &w->keys->ops, w->keys->p256.kid, OIDC_ES256, "JWT", claims,
				 &compact, &err),
		  &err);
	return compact;
}

/* No row like these goes into a table any more, until let_in. */
static void
keep_out(struct world *w, const char *table, const char *rows)
{
	pg_sql(w->pg,
	       arena_printf(w->a,
			    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
			    "$$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$;"
			    "CREATE TRIGGER refuse BEFORE INSERT ON %s FOR EACH ROW WHEN (%s)"
			    " EXECUTE FUNCTION refuse()",
			    table, rows));
}

static void
let_in(struct world *w, const char *table)
{
	pg_sql(w->pg,
	       arena_printf(w->a, "DROP TRIGGER refuse ON %s; DROP FUNCTION refuse()", table));
}

static void
redeem_by_assertion(struct web *b, const char *assertion)
{
	struct world *w = b->w;

	web_token(b, NULL,
		  arena_printf(w->a,
			       "%s&client_assertion_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3A"
			       "client-assertion-type%%3Ajwt-bearer&client_assertion=%s",
			       oidc_redeem_form(w, code_of(b)), assertion));
}

static void
a_client_assertion_proves_once(void **state)
{
	/* Hydra CVE-2020-15222: the jti of a client assertion was never remembered. */
	struct world *w = *state;
	struct web b;

	key_client(w);
	web_init(&b, w);
	const char *first = assertion_of(w, "j1"), *second = assertion_of(w, "j2");
	const char *assertions[] = {first, first, second};

	for (size_t i = 0; i < ARRAY_LEN(assertions); i++) {
		redeem_by_assertion(&b, assertions[i]);
		assert_int_equal(b.status, i == 1 ? 401 : 200);
		if (i == 1)
			assert_string_equal(web_member(&b, "error"), "invalid_client");
	}
	/* And not at all where that cannot be remembered. */
	keep_out(w, "seen", "true");
	redeem_by_assertion(&b, assertion_of(w, "j3"));
	assert_true(b.status >= 500);
	let_in(w, "seen");
	world_oidc_party(w, "{}");
}

static void
what_cannot_be_recorded_is_not_answered(void **state)
{
	/* Fosite CVE-2020-15223: a store that failed was no reason to stop. */
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b);
	assert_non_null(go_through(&b));
	const char *code = code_of(&b);

	keep_out(w, "audit", "NEW.event IN ('assertion', 'code_redeemed', 'logout')");
	ask(&b);
	assert_true(b.status >= 500);
	assert_null(saml_response_of(&b));
	web_get(&b, oidc_request_url(w, "openid", ""));
	assert_true(b.status >= 500);
	assert_null(b.location);
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	assert_true(b.status >= 500);
	assert_null(strstr(b.body, "access_token"));
	let_in(w, "audit");
	ask(&b);
	assert_non_null(saml_response_of(&b));
}

static time_t
clock_ahead(void)
{
	return clock_now() + 90;
}

static void
a_node_with_another_time_answers_nothing(void **state)
{
	/* It would take codes that are over and date assertions wrongly. */
	struct world *w = *state;
	struct db *right = w->app.db, *wrong;
	struct web b;

	web_init(&b, w);
	ask(&b);
	assert_non_null(go_through(&b));
	const char *code = code_of(&b);
	const struct db_options options = {.conninfo = w->pg->conninfo, .clock = clock_ahead};

	ASSERT_OK(db_create(&options, &wrong, &w->pg->err), &w->pg->err);
	while (db_clock_skew_s(wrong) == INT64_MAX)
		pg_sql(w->pg, "SELECT pg_sleep(0.01)");
	w->app.db = wrong;
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	assert_int_equal(b.status, 503);
	ask(&b);
	assert_int_equal(b.status, 503);
	web_get(&b, "/health/live");
	assert_int_equal(b.status, 200);
	w->app.db = right;
	db_destroy(wrong);
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	assert_int_equal(b.status, 200);
}

/* ---- accounts ---- */

static void
nobody_sets_a_level_of_ones_own(void **state)
{
	/* Zitadel CVE-2026-27946: a form of one's own could set "verified". */
	static const char extra[] =
		"&level=high&source=proofing&email_level=4&email_verified=true&email.level=4&"
		"attribute=email%3Dx%3Ahigh&doctoral_degree=Dr.&kind=1&proofing=1";
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, "/register");
	web_submit(&b, "/register/",
		   arena_printf(w->a,
				"given_names=Max&family_name=Muster&birth_date_day=1&"
				"birth_date_month=2&birth_date_year=1990&country=DE&"
				"email=max%%40example.invalid&login_name=maxi.muster&"
				"new_password=Pflaume-Regal-83&password_repeat=Pflaume-Regal-83&"
				"store_consent=1&do=register%s",
				extra));
	assert_non_null(web_cookie(&b, "__Host-session"));
	assert_string_equal(
		world_value(w,
			    "SELECT count(*) || ' ' || max(level) || ' ' || min(source) || ' ' || "
			    "max(source) FROM attribute WHERE subject = (SELECT subject FROM "
			    "audit WHERE event = 'account_created' ORDER BY seq DESC LIMIT 1)"),
		"5 1 self self");
}

static void
guesses_at_a_code_are_counted_like_guesses_at_a_password(void **state)
{
	/* Keycloak CVE-2026-9798: the side way had no limit. */
	struct world *w = *state;
	struct web b;

	w->now += 86400;
	web_init(&b, w);
	web_get(&b, "/login?level=substantial");
	log_in(&b);
	for (int i = 0; i < 10; i++)
		web_submit(&b, "/flow/totp/", "code=000000&do=login");
	web_submit(&b, "/flow/totp/", arena_printf(w->a, "code=%s&do=login", world_code(w)));
	assert_non_null(web_field(&b, "code")); /* the eleventh, though right */
	w->now += 900;
	web_submit(&b, "/flow/totp/", arena_printf(w->a, "code=%s&do=login", world_code(w)));
	assert_null(web_field(&b, "code"));
}

static void
a_name_in_lookalike_letters_is_nobody(void **state)
{
	/* Django CVE-2019-19844: two addresses became one by folding letters beyond ASCII. */
	static const char *const names[] = {
		"er%C4%B1ka",     /* dotless i */
		"eri%E2%84%AAa",  /* Kelvin sign */
		"erik%C3%A1",     /* a with acute */
		"%D0%B5rika",     /* Cyrillic e */
		"erika%E2%80%8B", /* zero-width space */
		"erika%C2%A0",    /* no-break space */
	};
	struct world *w = *state;
	struct web b;

	w->now += 86400;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		web_init(&b, w);
		ask(&b);
		web_submit(&b, "/flow/password/",
			   arena_printf(w->a, "login_name=%s&password=" PASSWORD "&do=login",
					names[i]));
		assert_null(web_cookie(&b, "__Host-session"));
	}
	web_submit(&b, "/flow/password/", "login_name=%20ERIKA&password=" PASSWORD "&do=login");
	assert_non_null(web_cookie(&b, "__Host-session"));
}

/* ---- memory ---- */

struct secrets {
	const char *s[16];
	size_t n;
};

static void
no_secret_in(const struct web *b, const struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->n; i++) {
		assert_null(strstr(b->body, secrets->s[i]));
		if (b->location != NULL)
			assert_null(strstr(b->location, secrets->s[i]));
		for (size_t k = 0; k < b->n_cookies; k++)
			assert_null(strstr(b->cookies[k][1], secrets->s[i]));
	}
}

static void
no_answer_holds_what_belongs_to_others(void **state)
{
	/*
	 * NetScaler CVE-2026-3055: broken SAML requests were answered with memory that held
	 * sessions of administrators.
	 */
	struct world *w = *state;
	struct secrets secrets = {.n = 0};
	struct web b, thief;

	web_init(&b, w);
	ask(&b);
	assert_non_null(go_through(&b));
	for (size_t i = 0; i < b.n_cookies; i++)
		if (strlen(b.cookies[i][1]) > 16)
			secrets.s[secrets.n++] = b.cookies[i][1];
	secrets.s[secrets.n++] = PASSWORD;
	secrets.s[secrets.n++] = "Mustermann";
	secrets.s[secrets.n++] = "erika@example.invalid";
	assert_true(secrets.n > 4);

	const char *url = saml_request_url(w, fresh_id(w), "", "");
	const char *authorize = oidc_request_url(w, "openid", "");
	size_t n = strlen(url), m = strlen(authorize), from = strlen(BASE "/saml/sso?");
	char *changed = arena_strdup(w->a, url);

	for (size_t i = from; i < n; i += n / 150) {
		web_init(&thief, w);
		web_get(&thief, arena_strndup(w->a, url, i)); /* cut short */
		no_secret_in(&thief, &secrets);
		changed[i] = "AZaz09%&=+/"[i % 11];
		web_get(&thief, changed);
		no_secret_in(&thief, &secrets);
		changed[i] = url[i];
		web_foreign_post(
			&thief, "/saml/sso",
			arena_printf(w->a, "SAMLRequest=%.*s", (int)(i - from), url + from));
		no_secret_in(&thief, &secrets);
		web_get(&thief,
			arena_strndup(w->a, authorize, strlen(BASE "/") + i % (m - strlen(BASE))));
		no_secret_in(&thief, &secrets);
		web_token(&thief, NULL, arena_strndup(w->a, url + from, i - from));
		no_secret_in(&thief, &secrets);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_portal_switched_off_stops_no_other),
		T(a_client_switched_off_redeems_nothing_more),
		T(relay_state_and_state_are_carried_and_never_followed),
		T(the_language_switch_leads_nowhere_else),
		T(no_path_leads_to_a_file),
		T(steps_out_of_order_are_not_taken),
		T(a_malformed_cookie_skips_no_check),
		T(a_logout_unsigned_or_of_another_session_ends_nothing),
		T(a_client_assertion_proves_once),
		T(what_cannot_be_recorded_is_not_answered),
		T(a_node_with_another_time_answers_nothing),
		T(nobody_sets_a_level_of_ones_own),
		T(guesses_at_a_code_are_counted_like_guesses_at_a_password),
		T(a_name_in_lookalike_letters_is_nobody),
		T(no_answer_holds_what_belongs_to_others),
	};

	return cmocka_run_group_tests_name("flow attacks", tests, setup, world_teardown);
}
