/* Forms and links of the pages: forged, foreign, out of place; languages; the account's page. */
#include "base/text.h"
#include "db/account.h"
#include "db/credential.h"
#include "idp/form.h"
#include "idp/route.h"
#include "tests/flow/world.h"

#define PASSWORD "Lachs-Turmuhr-47"

static const char *const erika[] = {"given_names", "Erika", "family_name",
				    "Mustermann",  "email", "erika@example.invalid",
				    NULL};

static struct subject_id vouched;

static int
setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	world_person(w, "erika", PASSWORD, erika, LEVEL_BASIC);
	world_person(w, "karl", PASSWORD, erika, LEVEL_BASIC);
	vouched = world_person(w, "vouched", PASSWORD, erika, LEVEL_SUBSTANTIAL);
	world_saml_party(w, "{\"attribute\":[\"family_name:required\",\"email\"],"
			    "\"consent\":\"always\"}");
	return world_fresh(state);
}

static void
log_in(struct web *b, const char *login_name)
{
	web_submit(
		b, "/flow/password/",
		arena_printf(b->w->a, "login_name=%s&password=" PASSWORD "&do=login", login_name));
}

/* A browser whose person is logged in and looks at the account. */
static void
at_account(struct web *b, struct world *w, const char *login_name)
{
	web_init(b, w);
	web_get(b, "/login");
	log_in(b, login_name);
	assert_true(text_starts(b->path, "/account"));
}

/* The token of the page's forms for /account: that of logging out is another. */
static const char *
account_token(struct web *b)
{
	struct web form = *b;

	form.body = strstr(b->body, "action=\"/account\"");
	assert_non_null(form.body);
	return web_field(&form, "csrf");
}

static void
account_post(struct web *b, const char *token, const char *fields)
{
	web_post_from(b, BASE, "/account", arena_printf(b->w->a, "csrf=%s&%s", token, fields));
}

static void
ask_saml(struct web *b, const char *inner)
{
	static int counter;

	web_get(b, saml_request_url(b->w, arena_printf(b->w->a, "_form%d", counter++), "", inner));
}

/* ---- forms of other sites ---- */

static void
every_form_needs_our_origin_and_its_own_token(void **state)
{
	struct world *w = *state;
	struct web b;
	size_t n = 0;

	at_account(&b, w, "erika");
	at_account(&b, w, "erika"); /* with a form that ends the other session */
	const char *token = account_token(&b);

	for (const struct route *r = routes; r->path != NULL; r++) {
		if (r->method != HTTP_POST || r->flags & (ROUTE_PROTOCOL | ROUTE_MACHINE))
			continue;
		const char *path =
			arena_printf(w->a, "%s%s", r->path, r->flags & ROUTE_PREFIX ? "x" : "");
		const char *with = arena_printf(w->a, "csrf=%s", token);
		const char *const tries[][2] = {{NULL, with},
						{"https://amt24.example", with},
						{"null", with},
						{BASE, "a=b"}};

		for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
			web_post_from(&b, tries[i][0], path, tries[i][1]);
			assert_int_equal(b.status, 403);
		}
		/* The token is the account form's: no other takes it. */
		if (!text_eq(r->path, "/account")) {
			web_post_from(&b, BASE, path, with);
			assert_int_equal(b.status, 403);
		}
		n++;
	}
	assert_int_equal(n, 10);
	web_get(&b, "/account");
	assert_int_equal(b.status, 200);
	assert_null(web_field(&b, "password")); /* still logged in */
}

static void
a_token_belongs_to_one_browser(void **state)
{
	struct world *w = *state;
	struct web b, other;

	at_account(&other, w, "karl");
	at_account(&b, w, "karl");
	const char *token = account_token(&b);

	account_post(&other, token, "do=withdraw&consent=x");
	assert_int_equal(other.status, 403);
	web_init(&other, w); /* no cookie of ours at all */
	account_post(&other, token, "do=withdraw&consent=x");
	assert_int_equal(other.status, 403);
	assert_true(web_shows(&other, "Cookie"));
}

static void
a_redirect_of_ours_leads_to_ourselves(void **state)
{
	static const char *const evil[] = {"//evil.example",       "/%5Cevil.example",
					   "https://evil.example", "/x%5C..%5C",
					   "/%09/evil.example",    ""};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
		web_init(&b, w);
		web_get(&b, arena_printf(w->a, "/language/en?to=%s", evil[i]));
		assert_int_equal(b.status, 200);
		assert_string_equal(b.path, "/");
	}
	web_get(&b, "/language/fr?to=%2F");
	assert_int_equal(b.status, 404);
}

/* ---- the account's page ---- */

static void
the_account_page_logs_out(void **state)
{
	struct world *w = *state;
	struct web b;

	at_account(&b, w, "erika");
	web_submit(&b, "/logout", "do=logout");
	assert_int_equal(b.status, 200);
	assert_null(web_cookie(&b, "__Host-session"));
	web_get(&b, "/account");
	assert_non_null(web_field(&b, "password"));
}

static const char *
current_session(struct web *b)
{
	const char *badge = strstr(b->body, "kern-badge"), *at = b->body, *last = NULL;

	assert_non_null(badge);
	while ((at = strstr(at, "id=\"session-")) != NULL && at < badge)
		last = at++;
	assert_non_null(last);
	return between(b->w->a, last, "id=\"session-", "\"");
}

static void
nobody_ends_the_session_of_another(void **state)
{
	struct world *w = *state;
	struct web b, other;

	at_account(&b, w, "erika");
	at_account(&other, w, "karl");
	at_account(&other, w, "karl");
	account_post(&other, account_token(&other),
		     arena_printf(w->a, "do=end_session&session=%s", current_session(&b)));
	assert_int_equal(other.status, 404);
	web_get(&other, "/account");
	account_post(&other, account_token(&other), "do=end_session&session=none");
	assert_int_equal(other.status, 404);
	web_get(&b, "/account");
	assert_null(web_field(&b, "password"));
}

static void
a_person_ends_another_session_of_its_own(void **state)
{
	struct world *w = *state;
	struct web b, other;

	at_account(&other, w, "karl");
	at_account(&b, w, "karl");
	const char *token = account_token(&b), *here = current_session(&b);

	web_get(&other, "/account");
	account_post(&other, account_token(&other),
		     arena_printf(w->a, "do=end_session&session=%s", here));
	assert_true(web_shows(&other, "Die Sitzung ist beendet"));
	account_post(&b, token, "do=withdraw&consent=x");
	assert_non_null(web_field(&b, "password"));
}

static void
a_form_that_says_nothing_does_nothing(void **state)
{
	static const char *const forms[] = {"a=b", "do=withdraw", "do=end_session", "do=x"};
	struct world *w = *state;
	struct web b;

	at_account(&b, w, "erika");
	at_account(&b, w, "erika");
	const char *token = account_token(&b);

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		account_post(&b, token, forms[i]);
		assert_int_equal(b.status, 400);
	}
	web_get(&b, "/logout");
	web_submit(&b, "/logout", "do=stay");
	assert_true(text_starts(b.path, "/account"));
	assert_null(web_field(&b, "password"));
}

static void
set_blocked(struct world *w, struct subject_id id, bool blocked)
{
	struct db_audit audit = {.event = "means_blocked", .ref = "test"};
	const struct db_credential *list;
	struct err err = {0};
	size_t n;

	ASSERT_OK(db_credential_list(&w->pg->c, id, &list, &n, &err), &err);
	for (size_t i = 0; i < n; i++)
		if (list[i].kind == DB_TOTP)
			ASSERT_OK(db_credential_set_blocked(&w->pg->c, list[i].id, blocked, &audit,
							    w->now, &err),
				  &err);
}

static void
the_account_page_offers_only_what_will_be_done(void **state)
{
	static const char link[] = "/login?level=substantial",
			  office[] = "richtet Ihnen die Stelle ein";
	struct world *w = *state;
	struct web b;

	at_account(&b, w, "erika");
	assert_true(web_shows(&b, link));
	assert_false(web_shows(&b, office));
	at_account(&b, w, "vouched");
	assert_false(web_shows(&b, link));
	assert_true(web_shows(&b, office));
	world_totp(w, vouched);
	web_get(&b, "/account");
	assert_false(web_shows(&b, link));
	assert_false(web_shows(&b, office));
	/* One that is blocked is none, and is not replaced with the password alone. */
	set_blocked(w, vouched, true);
	web_get(&b, "/account");
	assert_false(web_shows(&b, link));
	assert_true(web_shows(&b, office));
	web_get(&b, "/login?level=substantial");
	assert_null(web_field(&b, "code"));
	assert_false(web_shows(&b, "<svg"));
	/* Nor by who has vouched for itself only. */
	struct subject_id lost = world_person(w, "lost", PASSWORD, erika, LEVEL_BASIC);
	struct web other;

	world_totp(w, lost);
	set_blocked(w, lost, true);
	at_account(&other, w, "lost");
	assert_false(web_shows(&other, link));
	assert_true(web_shows(&other, office));
	set_blocked(w, vouched, false);
	web_get(&b, "/login?level=substantial");
	assert_non_null(web_field(&b, "code"));
}

/* ---- registration ---- */

#define NEW                                                                             \
	"given_names=Max&family_name=Muster&birth_date_day=1&birth_date_month=2&"       \
	"birth_date_year=1990&country=DE&new_password=Pflaume-Regal-83&store_consent=1" \
	"&do=register"

static const char *
accounts(struct world *w)
{
	return world_value(w, "SELECT count(*) FROM subject");
}

static void
registration_makes_nothing_of_a_faulty_form(void **state)
{
	static const char *const forms[] = {
		NEW "&login_name=somebody&password_repeat=Pflaume-Regal-84",
		NEW "&login_name=ab&password_repeat=Pflaume-Regal-83",
		NEW "&login_name=some+body&password_repeat=Pflaume-Regal-83",
		NEW "&login_name=somebody&password_repeat=Pflaume-Regal-83&email=nowhere",
		NEW "&login_name=somebody&password_repeat=Pflaume-Regal-83&postal_code=%3F%3F",
		NEW "&login_name=erika&password_repeat=Pflaume-Regal-83",
		"given_names=Max&family_name=Muster&birth_date_day=1&birth_date_month=2&"
		"birth_date_year=1990&country=DE&new_password=password1234&store_consent=1&"
		"login_name=somebody&password_repeat=password1234&do=register",
		"do=register",
	};
	struct world *w = *state;
	const char *before = accounts(w);
	struct web b;

	web_init(&b, w);
	b.addr = "192.0.2.77";
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		web_get(&b, "/register");
		assert_true(web_shows(&b, "/language/en"));
		web_submit(&b, "/register/", forms[i]);
		assert_int_equal(b.status, 200);
		if (!web_shows(&b, "role=\"alert\""))
			fail_msg("form %zu was taken or says nothing: %s", i, b.body);
		assert_null(web_cookie(&b, "__Host-session"));
		/* A link would lose what was typed. */
		assert_false(web_shows(&b, "/language/"));
	}
	assert_string_equal(accounts(w), before);
	at_account(&b, w, "erika"); /* with the password it had */
}

static void
registration_can_be_left(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, "/register");
	web_submit(&b, "/register/", "do=cancel");
	assert_string_equal(b.path, "/");
}

/* ---- whom and how the portal expects ---- */

static void
a_login_hint_fills_in_the_name_and_tells_nothing(void **state)
{
	struct world *w = *state;
	const char *pages[2];
	struct web b;

	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "erika" : "nobod";

		web_init(&b, w);
		web_get(&b,
			oidc_request_url(w, "openid", arena_printf(w->a, "&login_hint=%s", name)));
		assert_string_equal(web_field(&b, "login_name"), name);
		pages[i] = between(w->a, b.body, "<main", "<form");
	}
	assert_string_equal(pages[0], pages[1]);
	web_submit(&b, "/flow/password/", "login_name=other&password=x&do=login");
	assert_string_equal(web_field(&b, "login_name"), "other");
	/* It names a person: the row keeps it sealed. */
	assert_string_equal(world_value(w, "SELECT count(*) FROM flow WHERE"
					   " position('\\x6e6f626f64'::bytea IN ask) > 0"),
			    "0");
}

static void
a_hint_that_is_no_login_name_is_not_shown(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", "&login_hint=Rufen+Sie+0123456+an"));
	assert_non_null(web_field(&b, "password"));
	assert_false(web_shows(&b, "0123456"));
}

static bool
speaks(const struct web *b, const char *code)
{
	return web_shows(b, arena_printf(b->w->a, "<html lang=\"%s\"", code));
}

static void
the_portals_language_holds_until_the_person_chooses(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", "&ui_locales=fr+EN-GB+de"));
	assert_true(speaks(&b, "en"));
	const char *page = b.path;

	log_in(&b, "nobod");
	assert_true(speaks(&b, "en"));
	web_get(&b, arena_printf(w->a, "/register/%s", page + strlen("/flow/")));
	assert_true(speaks(&b, "en"));
	web_get(&b, page);
	web_get(&b, between(w->a, b.body, "href=\"/language/de", "\"") == NULL
			    ? "/"
			    : arena_printf(w->a, "/language/de?to=%s", page));
	assert_string_equal(b.path, page);
	assert_true(speaks(&b, "de"));
	log_in(&b, "karl");
	assert_true(speaks(&b, "de"));
	web_get(&b, oidc_request_url(w, "openid", "&ui_locales=en&prompt=login"));
	assert_true(speaks(&b, "de"));
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", "&ui_locales=fr"));
	assert_true(speaks(&b, "de"));
}

#define AKDB(inner)                                                               \
	"<samlp:Extensions><akdb:AuthenticationRequest "                          \
	"xmlns:akdb=\"https://www.akdb.de/request/2018/09\" Version=\"2\">" inner \
	"</akdb:AuthenticationRequest></samlp:Extensions>"

static void
a_saml_request_names_the_language_too(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask_saml(&b, AKDB("<akdb:DisplayInformation><classic-ui:Version "
			  "xmlns:classic-ui=\"https://www.akdb.de/request/2018/09/classic-ui/v1\">"
			  "<classic-ui:Lang>en</classic-ui:Lang></classic-ui:Version>"
			  "</akdb:DisplayInformation>"));
	assert_non_null(web_field(&b, "password"));
	assert_true(speaks(&b, "en"));
}

static const char *
many_attributes(struct world *w, int n)
{
	const char *list = "";

	for (int i = 0; i < n; i++)
		list = arena_printf(w->a, "%s<akdb:RequestedAttribute Name=\"urn:oid:1.2.%d\"/>",
				    list, i);
	return arena_printf(w->a, AKDB("<akdb:RequestedAttributes>%s</akdb:RequestedAttributes>"),
			    list);
}

static void
too_many_attributes_are_refused_at_the_request(void **state)
{
	static const int too_many[] = {65, 129, 300};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(too_many); i++) {
		ask_saml(&b, many_attributes(w, too_many[i]));
		assert_non_null(saml_response_of(&b));
		assert_non_null(strstr(saml_response_of(&b), "status:Requester"));
		assert_non_null(strstr(saml_response_of(&b), "status:RequestDenied"));
	}
	ask_saml(&b, many_attributes(w, 64));
	log_in(&b, "erika");
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_non_null(strstr(saml_response_of(&b), "status:Success"));
}

/* ---- links to other languages ---- */

static void
a_page_that_cannot_be_had_again_has_no_links_to_languages(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask_saml(&b, "");
	assert_true(web_shows(&b, "/language/en?to=%2Fflow%2F"));
	log_in(&b, "erika");
	assert_true(web_shows(&b, "/language/en?to=%2Fflow%2F"));
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_non_null(saml_response_of(&b));
	assert_false(web_shows(&b, "/language/"));
	web_get(&b, "/logout");
	assert_true(web_shows(&b, "/language/en?to=%2Flogout\""));
	web_submit(&b, "/logout", "do=logout");
	assert_true(web_shows(&b, "Amt24"));
	assert_true(web_shows(&b, "/language/en?to=%2Flogout%2Fportals\""));
}

static void
a_finished_login_keeps_its_page_in_the_other_language(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask_saml(&b, "");
	const char *page = b.path;

	web_submit(&b, "/flow/password/", "do=cancel");
	web_get(&b, page);
	assert_int_equal(b.status, 410);
	web_get(&b, arena_printf(w->a, "/language/en?to=%s", page));
	assert_int_equal(b.status, 410);
	assert_true(speaks(&b, "en"));
	web_get(&b, "/account");
	web_get(&b, "/");
	assert_true(web_shows(&b, "/language/de?to=%2F\""));
}

/* ---- a browser with many open logins ---- */

static void
many_open_logins_do_not_shut_a_browser_out(void **state)
{
	struct world *w = *state;
	const char *first, *last;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", ""));
	first = b.path;
	for (int i = 0; i < 40; i++)
		web_get(&b, oidc_request_url(w, "openid", ""));
	last = b.path;
	assert_in_range(b.n_cookies, 16, 20);
	web_get(&b, first);
	assert_int_equal(b.status, 410);
	web_get(&b, last);
	log_in(&b, "erika");
	assert_int_equal(b.status, 200);
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_non_null(location_param(&b, "code"));
}

static void
logins_begun_by_post_are_forgotten_too(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (int i = 0; i < 40; i++) {
		const char *url = oidc_request_url(w, "openid", "");

		/* Begun without a cookie, as a cross-site POST is; its page is got with all. */
		web_foreign_post(&b, "/oidc/authorize", strchr(url, '?') + 1);
		assert_int_equal(b.status, 200);
	}
	assert_in_range(b.n_cookies, 16, 20);
	/* The one whose page is shown stays, however old. */
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", ""));
	const char *first = b.path;

	for (int i = 0; i < 20; i++) {
		b.cookies[b.n_cookies][0] = arena_printf(w->a, "__Host-f-%d", i);
		b.cookies[b.n_cookies++][1] = "x.y";
	}
	web_get(&b, first);
	assert_int_equal(b.status, 200);
	web_get(&b, first);
	assert_int_equal(b.status, 200);
	assert_in_range(b.n_cookies, 16, 20);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_form_needs_our_origin_and_its_own_token),
		T(a_token_belongs_to_one_browser),
		T(a_redirect_of_ours_leads_to_ourselves),
		T(the_account_page_logs_out),
		T(nobody_ends_the_session_of_another),
		T(a_person_ends_another_session_of_its_own),
		T(a_form_that_says_nothing_does_nothing),
		T(the_account_page_offers_only_what_will_be_done),
		T(registration_makes_nothing_of_a_faulty_form),
		T(registration_can_be_left),
		T(a_login_hint_fills_in_the_name_and_tells_nothing),
		T(a_hint_that_is_no_login_name_is_not_shown),
		T(the_portals_language_holds_until_the_person_chooses),
		T(a_saml_request_names_the_language_too),
		T(too_many_attributes_are_refused_at_the_request),
		T(a_page_that_cannot_be_had_again_has_no_links_to_languages),
		T(a_finished_login_keeps_its_page_in_the_other_language),
		T(many_open_logins_do_not_shut_a_browser_out),
		T(logins_begun_by_post_are_forgotten_too),
	};

	return cmocka_run_group_tests_name("flow forms", tests, setup, world_teardown);
}
