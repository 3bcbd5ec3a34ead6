/*
 * Logging in with the account of another provider: whole logins at a SAML and an OIDC portal, and
 * hostile answers under good signatures, none of which is taken.
 */
#include "base/clock.h"
#include "base/text.h"
#include "db/account.h"
#include "saml/names.h"
#include "saml/status.h"
#include "tests/flow/home.h"

#define TOLD_AT(oid, level, v)                                                                  \
	{                                                                                       \
		.name = "urn:oid:" oid, .name_format = SAML_ATTRNAME_URI, .trust_level = level, \
		.values = v, .n_values = 1                                                      \
	}
#define BASIC(word, v)                                                                       \
	{                                                                                    \
		.name = word, .name_format = SAML_ATTRNAME_BASIC, .values = v, .n_values = 1 \
	}

static const char *
agree(struct web *b)
{
	web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
	return saml_response_of(b);
}

/* ---- to the portal ---- */

static void
who_has_an_account_elsewhere_logs_in_with_it(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	assert_true(web_shows(&b, "/flow/home/"));
	home_choose(&b, BADEN);
	assert_int_equal(b.status, 303);
	assert_true(text_starts(b.location, PROVIDER_SSO "?"));
	struct home_request q = home_request(&b);

	assert_true(q.r->force_authn);
	assert_string_equal(q.r->acs_url, BASE "/saml/acs");
	struct provider_answer p = home_answer(w, BADEN, &q);

	home_bring(&b, &p);
	ASSERT_PAGE(&b, CONSENT);
	assert_true(web_shows(&b, "Servicekonto Baden"));
	assert_true(web_shows(&b, "von einem anderen Servicekonto"));
	assert_true(web_shows(&b, "Berta Beispiel"));
	const char *response = agree(&b);

	assert_non_null(response);
	assert_non_null(strstr(response, "status:Success"));
	assert_non_null(strstr(response, ">Beispiel<"));
	assert_non_null(strstr(response, "STORK-QAA-Level-3"));
	assert_null(strstr(response, "HOCH")); /* never above the login */
	/* mod_auth_mellon keeps no session that is over. */
	const char *until = between(w->a, response, "SessionNotOnOrAfter=\"", "\"");

	assert_true(strcmp(until, clock_text(w->a, w->now)) > 0);
	assert_non_null(strstr(response, "<saml:AuthenticatingAuthority>" PROVIDER_ENTITY
					 "</saml:AuthenticatingAuthority>"));
	assert_null(strstr(response, "5b1c1f4e")); /* the mailbox of the other account */
}

static void
nothing_of_it_is_kept(void **state)
{
	struct world *w = *state;
	const char *sessions = world_value(w, "SELECT count(*) FROM session");
	const char *subjects = world_value(w, "SELECT count(*) FROM subject");
	const char *consents = world_value(w, "SELECT count(*) FROM consent");
	struct web b;

	web_init(&b, w);
	home_login(&b, BADEN, "");
	assert_string_equal(world_value(w, "SELECT count(*) FROM flow WHERE home IS NOT NULL"),
			    "1");
	assert_string_equal(world_value(w, "SELECT count(*) FROM flow WHERE home IS NOT NULL AND"
					   " position('Beispiel'::bytea IN home) > 0"),
			    "0");
	assert_non_null(agree(&b));
	assert_string_equal(world_value(w, "SELECT count(*) FROM flow WHERE home IS NOT NULL"),
			    "0");
	assert_string_equal(world_value(w, "SELECT count(*) FROM session"), sessions);
	assert_string_equal(world_value(w, "SELECT count(*) FROM subject"), subjects);
	assert_string_equal(world_value(w, "SELECT count(*) FROM consent"), consents);
	assert_string_equal(world_value(w, "SELECT count(*) FROM pseudonym WHERE value LIKE "
					   "'%.%'"),
			    "0");
	assert_string_equal(world_value(w, "SELECT count(*) FROM audit WHERE event = 'assertion'"
					   " AND subject IS NULL AND details->>'upstream' = "
					   "'baden'"),
			    "2");
	/* The next login asks everything anew: no session was opened. */
	ask(&b, "", "");
	ASSERT_PAGE(&b, LOGIN);
}

#define PERSISTENT                                                                  \
	"<samlp:NameIDPolicy AllowCreate=\"true\" Format=\"" SAML_NAMEID_PERSISTENT \
	"\"></samlp:NameIDPolicy>"

static const char *
name_of(struct web *b, const char *id, const char *who)
{
	ask(b, "", PERSISTENT);
	home_choose(b, id);
	struct home_request q = home_request(b);
	struct provider_answer p = home_answer(b->w, id, &q);

	p.nameid = who;
	home_bring(b, &p);
	const char *response = agree(b);

	assert_non_null(response);
	return between(b->w->a, strstr(response, "<saml:NameID"), ">", "<");
}

static void
portals_know_them_by_a_name_of_its_own_kind(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *berta = name_of(&b, BADEN, "berta-dort");

	assert_true(text_starts(berta, "fink."));
	assert_int_equal(strlen(berta), strlen("fink.") + 43);
	assert_string_equal(name_of(&b, BADEN, "berta-dort"), berta);
	assert_string_not_equal(name_of(&b, BADEN, "karl-dort"), berta);
	/* The same name at another provider is another person. */
	assert_string_not_equal(strchr(name_of(&b, HESSEN, "berta-dort"), '.'), strchr(berta, '.'));
}

static void
an_oidc_portal_gets_code_tokens_and_claims(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid profile email", ""));
	home_choose(&b, BADEN);
	struct home_request q = home_request(&b);
	struct provider_answer p = home_answer(w, BADEN, &q);

	home_bring(&b, &p);
	web_submit(&b, "/flow/consent/", "attr_family_name=1&attr_email=1&do=agree");
	assert_int_equal(b.status, 303);
	const char *code = location_param(&b, "code");

	assert_non_null(code);
	const json_t *t = web_redeem(&b, code);
	const json_t *id = oidc_token_says(w, text_member(t, "id_token"));

	assert_true(text_starts(text_member(id, "sub"), "fink."));
	assert_string_equal(text_member(id, "acr"), "substantial");
	assert_null(text_member(id, "sid")); /* there is no session */
	assert_null(text_member(t, "refresh_token"));
	web_userinfo(&b, text_member(t, "access_token"));
	assert_string_equal(web_member(&b, "family_name"), "Beispiel");
	assert_string_equal(web_member(&b, "sub"), text_member(id, "sub"));
	/* A second use takes back what the first gave. */
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	assert_int_equal(b.status, 400);
	web_userinfo(&b, text_member(t, "access_token"));
	assert_int_equal(b.status, 401);
}

static void
what_outlives_the_login_is_for_accounts_here(void **state)
{
	struct world *w = *state;
	struct web b;

	world_oidc_document(
		w,
		arena_printf(w->a,
			     "{\"metadata\":{\"client_id\":\"" OIDC_CLIENT
			     "\",\"redirect_uris\":[\"" OIDC_BACK
			     "\"],\"scope\":\"openid email offline_access\",\"grant_types\":"
			     "[\"authorization_code\",\"refresh_token\"]},"
			     "\"secret_sha256\":\"%s\"}",
			     oidc_secret_digest(w)),
		"{}");
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid email offline_access", ""));
	ASSERT_PAGE(&b, LOGIN);
	assert_false(web_shows(&b, "/flow/home/"));
	web_get(&b, oidc_request_url(w, "openid email", ""));
	assert_true(web_shows(&b, "/flow/home/"));
	world_oidc_party(w, "{\"home-accounts\":\"no\"}");
	web_get(&b, oidc_request_url(w, "openid email", ""));
	assert_false(web_shows(&b, "/flow/home/"));
	world_oidc_party(w, "{}");
}

/* ---- levels ---- */

#define LEVEL4                                                                            \
	"<samlp:RequestedAuthnContext Comparison=\"minimum\"><saml:AuthnContextClassRef>" \
	"STORK-QAA-Level-4</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"

static void
a_level_that_no_means_here_reaches_is_reached_elsewhere(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", LEVEL4);
	assert_true(web_shows(&b, "Servicekonto Baden"));
	assert_false(web_shows(&b, "Servicekonto Hessen")); /* its cap is below */
	assert_null(web_field(&b, "password"));
	home_choose(&b, BADEN);
	struct home_request q = home_request(&b);

	assert_string_equal(q.r->class_refs[0], "STORK-QAA-Level-4");
	assert_int_equal(q.r->comparison, SAML_MINIMUM);
	struct provider_answer p = home_answer(w, BADEN, &q);

	p.class_ref = "STORK-QAA-Level-4";
	home_bring(&b, &p);
	const char *response = agree(&b);

	assert_non_null(strstr(response, "STORK-QAA-Level-4"));
	assert_non_null(strstr(response, "TrustLevel=\"HOCH\""));
}

/* ---- failures travel on ---- */

static void
a_failure_there_is_told_to_the_portal(void **state)
{
	static const struct {
		const char *top, *sub, *told;
	} rows[] = {
		{SAML_RESPONDER, SAML_AUTHN_FAILED, "login-cancelled"},
		{SAML_RESPONDER, SAML_REQUEST_DENIED, "consent-refused"},
		{SAML_REQUESTER, SAML_NO_AUTHN_CONTEXT, "level-not-reached"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct web b;

		web_init(&b, w);
		ask(&b, "", "");
		home_choose(&b, BADEN);
		struct home_request q = home_request(&b);
		struct provider_answer p = home_answer(w, BADEN, &q);

		p.status = rows[i].top;
		p.substatus = rows[i].sub;
		home_bring(&b, &p);
		const char *response = saml_response_of(&b);

		if (response == NULL || strstr(response, rows[i].told) == NULL)
			fail_msg("%s: %s", rows[i].told, b.body);
		assert_null(strstr(response, "<saml:Assertion"));
	}
}

static void
after_a_fault_there_another_way_is_open(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	home_choose(&b, BADEN);
	struct home_request q = home_request(&b);
	struct provider_answer p = home_answer(w, BADEN, &q);

	p.status = SAML_RESPONDER;
	home_bring(&b, &p);
	ASSERT_PAGE(&b, LOGIN);
	assert_true(web_shows(&b, "hat nicht geklappt"));
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CONSENT);
	assert_true(web_shows(&b, "Mustermann"));
	assert_non_null(agree(&b));
}

static void
who_agrees_to_nothing_here_is_refused(void **state)
{
	struct web b;

	web_init(&b, *state);
	home_login(&b, BADEN, "");
	web_submit(&b, "/flow/consent/", "do=cancel");
	assert_non_null(strstr(saml_response_of(&b), "consent-refused"));
}

/* ---- choosing ---- */

static void
providers_are_found_by_name(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	const char *page = arena_printf(w->a, "/flow/home/%s", flow_of(&b));

	web_get(&b, arena_printf(w->a, "%s?q=HESS", page));
	assert_true(web_shows(&b, "Servicekonto Hessen"));
	assert_false(web_shows(&b, "Servicekonto Baden"));
	web_get(&b, arena_printf(w->a, "%s?q=nirgends", page));
	assert_true(web_shows(&b, "Kein Servicekonto gefunden"));
	web_get(&b, page);
	assert_true(web_shows(&b, "Servicekonto Baden"));
	/* Where the browser will be led stands in the policy of the page. */
	assert_non_null(strstr(b.csp, "https://konto.baden.example"));
	web_submit(&b, "/flow/choose/", "to=nobody");
	assert_true(web_shows(&b, "wählen Sie ein Servicekonto"));
}

static void
a_choice_is_remembered_when_one_asks_for_it(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	home_choose(&b, BADEN);
	assert_null(web_cookie(&b, "__Host-home"));
	ask(&b, "", "");
	home_choose(&b, "hessen&remember=1");
	assert_string_equal(web_cookie(&b, "__Host-home"), HESSEN);
	ask(&b, "", "");
	web_get(&b, arena_printf(w->a, "/flow/home/%s", flow_of(&b)));
	assert_true(strstr(b.body, "Hessen") < strstr(b.body, "Baden"));
	home_choose(&b, BADEN); /* without the tick */
	assert_null(web_cookie(&b, "__Host-home"));
}

#define IDP_LIST(entry)                                                     \
	"<samlp:Scoping><samlp:IDPList><samlp:IDPEntry ProviderID=\"" entry \
	"\"></samlp:IDPEntry></samlp:IDPList></samlp:Scoping>"

static void
who_is_named_by_the_portal_is_asked_at_once(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", IDP_LIST(PROVIDER_ENTITY));
	assert_int_equal(b.status, 303);
	assert_true(text_starts(b.location, PROVIDER_SSO "?"));
	struct home_request q = home_request(&b);
	struct provider_answer p = home_answer(w, BADEN, &q);

	home_bring(&b, &p);
	assert_non_null(agree(&b));
	ask(&b, "", IDP_LIST("https://nobody.example/"));
	assert_non_null(strstr(saml_response_of(&b), "NoSupportedIDP"));
}

#define SCOPING(attr, inner) "<samlp:Scoping " attr ">" inner "</samlp:Scoping>"
#define LISTED(entry)                                                               \
	"<samlp:IDPList><samlp:IDPEntry ProviderID=\"" entry "\"></samlp:IDPEntry>" \
	"</samlp:IDPList>"

static void
a_portal_may_want_nobody_else_to_be_asked(void **state)
{
	struct web b;

	web_init(&b, *state);
	ask(&b, "", SCOPING("ProxyCount=\"0\"", ""));
	ASSERT_PAGE(&b, LOGIN);
	assert_false(web_shows(&b, "/flow/home/"));
	ask(&b, "", SCOPING("ProxyCount=\"0\"", LISTED(PROVIDER_ENTITY)));
	const char *response = saml_response_of(&b);

	assert_non_null(strstr(response, "status:ProxyCountExceeded"));
	assert_non_null(strstr(response, "KONTOR-37"));
	ask(&b, "", SCOPING("ProxyCount=\"10\"", LISTED(PROVIDER_ENTITY)));
	assert_int_equal(b.status, 303);
	assert_true(text_starts(b.location, PROVIDER_SSO "?"));
}

static void
for_whom_a_portal_asks_is_passed_on(void **state)
{
	struct web b;

	web_init(&b, *state);
	ask(&b, "",
	    SCOPING("", LISTED(PROVIDER_ENTITY) "<samlp:RequesterID>https://one.example/"
						"</samlp:RequesterID><samlp:RequesterID>"
						"https://two.example/</samlp:RequesterID>"));
	assert_string_equal(home_request(&b).r->requesters,
			    SAML_PARTY " https://one.example/ https://two.example/");
	assert_true(home_request(&b).r->no_proxy);
}

/* ---- hostile, with good signatures ---- */

static void
whom_a_provider_may_not_speak_for_is_refused(void **state)
{
	struct world *w = *state;
	struct web b;

	home_upstream(w, HESSEN, "saml", "{\"scope\":[\"hessen.example\"]}");
	web_init(&b, w);
	static const struct {
		const char *name;
		bool fine;
	} rows[] = {{"berta@baden.example", false},
		    {"berta", false},
		    {"berta@hessen.example.evil.example", false},
		    {"berta@evil.hessen.example", false},
		    {"berta@hessen.example", true}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct home_request q = home_sent(&b, HESSEN);
		struct provider_answer p = home_answer(w, HESSEN, &q);

		p.nameid = rows[i].name;
		home_bring(&b, &p);
		if (rows[i].fine)
			ASSERT_PAGE(&b, CONSENT);
		else
			home_refused(&b, q.relay_state);
	}
	home_upstream(w, HESSEN, "saml", "{}");
}

static void
who_was_switched_off_meanwhile_is_not_believed(void **state)
{
	struct world *w = *state;
	struct db_audit audit = {.event = "upstream_enabled", .ref = "test"};
	struct err err = {0};
	struct web b;

	web_init(&b, w);
	/* This node has not heard of it yet: the row counts. */
	for (int heard = 0; heard < 2; heard++) {
		struct home_request q = home_sent(&b, BADEN);
		struct provider_answer p = home_answer(w, BADEN, &q);

		ASSERT_OK(db_upstream_set_enabled(&w->pg->c, BADEN, false, &audit, w->now, &err),
			  &err);
		if (heard == 1)
			world_reload(w);
		home_bring(&b, &p);
		home_refused(&b, q.relay_state);
		ASSERT_OK(db_upstream_set_enabled(&w->pg->c, BADEN, true, &audit, w->now, &err),
			  &err);
		world_reload(w);
	}
	/* Between the answer and the consent. */
	home_login(&b, BADEN, "");
	ASSERT_PAGE(&b, CONSENT);
	const char *flow = flow_of(&b);

	ASSERT_OK(db_upstream_set_enabled(&w->pg->c, BADEN, false, &audit, w->now, &err), &err);
	world_reload(w);
	web_get(&b, arena_printf(w->a, "/flow/%s", flow));
	ASSERT_PAGE(&b, LOGIN);
	home_upstream(w, BADEN, "fink", CAP_HIGH);
}

/* ---- kinds ---- */

static void
bundid_is_asked_and_read_in_its_own_words(void **state)
{
	static const char *const bpk2[] = {"AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_ABCDE"},
				 *const proved[] = {"eID"}, *const name[] = {"Beispiel"};
	const struct saml_attribute told[] = {
		TOLD_AT("1.3.6.1.4.1.25484.494450.3", NULL, bpk2),
		TOLD_AT("1.3.6.1.4.1.25484.494450.2", NULL, proved),
		TOLD_AT("2.5.4.4", "NORMAL", name),
		TOLD_AT("2.5.4.42", NULL, name), /* without a level: left out */
	};
	struct world *w = *state;
	struct web b;

	home_upstream(w, HESSEN, "bundid",
		      "{\"level-cap\":\"high\",\"encrypted\":\"yes\",\"service-id\":\"BMI-1\"}");
	world_saml_party(w, "{\"attribute\":[\"family_name\",\"given_names\"]}");
	web_init(&b, w);
	ask(&b, "", PERSISTENT);
	home_choose(&b, HESSEN);
	struct home_request q = home_request(&b);

	assert_non_null(web_field(&b, "SAMLRequest")); /* by POST */
	assert_non_null(q.r->akdb);
	ASSERT_OK(saml_akdb_check(q.r->akdb, true, SAML_AKDB_RULE_REQUIRED, &w->pg->err),
		  &w->pg->err);
	assert_string_equal(q.r->akdb->online_service_id, "BMI-1");
	assert_string_equal(q.r->akdb->organization_display_name, "Amt24");
	assert_string_equal(q.r->class_refs[0], "STORK-QAA-Level-1");
	assert_false(q.r->has_nameid_policy);
	struct provider_answer p = home_answer(w, HESSEN, &q);

	p.nameid_format = SAML_NAMEID_TRANSIENT;
	p.attributes = told;
	p.n_attributes = ARRAY_LEN(told);
	home_bring(&b, &p);
	home_refused(&b, q.relay_state); /* not encrypted */
	home_choose(&b, HESSEN);
	q = home_request(&b);
	p = home_answer(w, HESSEN, &q);
	p.nameid_format = SAML_NAMEID_TRANSIENT;
	p.attributes = told;
	p.n_attributes = ARRAY_LEN(told);
	p.encrypt_to = home_encrypt_to(w);
	home_bring(&b, &p);
	ASSERT_PAGE(&b, CONSENT);
	web_submit(&b, "/flow/consent/", "attr_family_name=1&attr_given_names=1&do=agree");
	const char *response = saml_response_of(&b);

	assert_non_null(response);
	assert_non_null(strstr(response, "TrustLevel=\"NORMAL\""));
	assert_null(strstr(response, "givenName"));
	assert_true(
		text_starts(between(w->a, strstr(response, "<saml:NameID"), ">", "<"), "bundid."));
	home_upstream(w, HESSEN, "saml", "{}");
	world_saml_party(w, POLICY);
}

static void
the_organisation_account_tells_levels_in_attributes(void **state)
{
	static const char *const du[] = {"du-0815"}, *const low[] = {"niedrig"},
				 *const sub[] = {"substanziell"}, *const name[] = {"Beispiel"},
				 *const date[] = {"24.12.1970"}, *const yes[] = {"true"},
				 *const one[] = {"1"}, *const other[] = {"TRUE"},
				 *const two[] = {"false", "true"};
	const struct saml_attribute told[] = {
		BASIC("DatenuebermittlerPseudonymId", du),
		BASIC("ElsterVertrauensniveauAuthentifizierung", sub),
		BASIC("ElsterVertrauensniveauIdentifizierung", sub),
		BASIC("Name", name),
		BASIC("Geburtsdatum", date),
		BASIC("IstTestkonto", yes),
	};
	struct saml_attribute weak[ARRAY_LEN(told)];
	struct world *w = *state;
	struct web b;

	memcpy(weak, told, sizeof(told));
	weak[2].values = low;
	home_upstream(w, HESSEN, "organisation", "{\"signed\":\"response\"}");
	world_saml_party(w, "{\"attribute\":[\"family_name\",\"birth_date\"],"
			    "\"level\":\"substantial\"}");
	web_init(&b, w);
	const char *const *const tests[] = {yes, one, other};

	for (size_t i = 0; i < 6; i++) {
		struct saml_attribute test[ARRAY_LEN(told)];

		memcpy(test, told, sizeof(told));
		if (i < ARRAY_LEN(tests)) {
			test[5].values = tests[i];
		} else {
			test[5].values = two;
			test[5].n_values = ARRAY_LEN(two);
		}
		ask(&b, "", "");
		web_get(&b, arena_printf(w->a, "/flow/home/%s", flow_of(&b)));
		home_choose(&b, HESSEN);
		struct home_request q = home_request(&b);
		struct provider_answer p = home_answer(w, HESSEN, &q);

		p.class_ref = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified";
		p.unsigned_assertion = true;
		p.attributes = i == 4 ? weak : test;
		p.n_attributes = i < 4 ? ARRAY_LEN(told) : ARRAY_LEN(told) - 1;
		home_bring(&b, &p);
		/* A test account; one that was proofed at niedrig; one that is fine. */
		if (i < 5)
			home_refused(&b, q.relay_state);
	}
	ASSERT_PAGE(&b, CONSENT);
	assert_true(web_shows(&b, "1970-12-24") || web_shows(&b, "24.12.1970"));
	web_submit(&b, "/flow/consent/", "attr_family_name=1&attr_birth_date=1&do=agree");
	assert_non_null(strstr(saml_response_of(&b), "1970-12-24"));
	home_upstream(w, HESSEN, "saml", "{}");
	world_saml_party(w, POLICY);
}

/* Neither offered, nor asked, nor believed when its answer comes. */
static void
nobody_counts_past_the_end_of_its_metadata(void **state)
{
	struct world *w = *state;
	time_t before = w->now;
	struct web b;

	pg_sql(w->pg,
	       arena_printf(w->a,
			    "UPDATE upstream SET document = convert_to(replace(convert_from("
			    "document, 'UTF8'), '<md:EntityDescriptor ', '<md:EntityDescriptor "
			    "validUntil=\"%s\" '), 'UTF8') WHERE id = '" BADEN "'",
			    clock_text(w->a, w->now + 100)));
	world_reload(w);
	web_init(&b, w);
	struct home_request q = home_sent(&b, BADEN);

	w->now += 100;
	struct provider_answer p = home_answer(w, BADEN, &q);

	home_bring(&b, &p);
	home_refused(&b, q.relay_state);
	web_get(&b, arena_printf(w->a, "/flow/home/%s", q.relay_state));
	assert_false(web_shows(&b, "value=\"" BADEN "\""));
	assert_true(web_shows(&b, "value=\"" HESSEN "\""));
	w->now = before;
	home_upstream(w, BADEN, "fink", CAP_HIGH);
}

static void
our_metadata_say_where_others_answer(void **state)
{
	struct web b;

	web_init(&b, *state);
	web_get(&b, "/saml/metadata");
	assert_non_null(strstr(b.body, "<md:SPSSODescriptor AuthnRequestsSigned=\"true\""));
	assert_non_null(strstr(b.body, "Location=\"" BASE "/saml/acs\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_has_an_account_elsewhere_logs_in_with_it, steps_fresh),
		cmocka_unit_test_setup(nothing_of_it_is_kept, steps_fresh),
		cmocka_unit_test_setup(portals_know_them_by_a_name_of_its_own_kind, steps_fresh),
		cmocka_unit_test_setup(an_oidc_portal_gets_code_tokens_and_claims, steps_fresh),
		cmocka_unit_test_setup(what_outlives_the_login_is_for_accounts_here, steps_fresh),
		cmocka_unit_test_setup(a_level_that_no_means_here_reaches_is_reached_elsewhere,
				       steps_fresh),
		cmocka_unit_test_setup(a_failure_there_is_told_to_the_portal, steps_fresh),
		cmocka_unit_test_setup(after_a_fault_there_another_way_is_open, steps_fresh),
		cmocka_unit_test_setup(who_agrees_to_nothing_here_is_refused, steps_fresh),
		cmocka_unit_test_setup(providers_are_found_by_name, steps_fresh),
		cmocka_unit_test_setup(a_choice_is_remembered_when_one_asks_for_it, steps_fresh),
		cmocka_unit_test_setup(who_is_named_by_the_portal_is_asked_at_once, steps_fresh),
		cmocka_unit_test_setup(a_portal_may_want_nobody_else_to_be_asked, steps_fresh),
		cmocka_unit_test_setup(for_whom_a_portal_asks_is_passed_on, steps_fresh),
		cmocka_unit_test_setup(whom_a_provider_may_not_speak_for_is_refused, steps_fresh),
		cmocka_unit_test_setup(who_was_switched_off_meanwhile_is_not_believed, steps_fresh),
		cmocka_unit_test_setup(bundid_is_asked_and_read_in_its_own_words, steps_fresh),
		cmocka_unit_test_setup(the_organisation_account_tells_levels_in_attributes,
				       steps_fresh),
		cmocka_unit_test_setup(nobody_counts_past_the_end_of_its_metadata, steps_fresh),
		cmocka_unit_test_setup(our_metadata_say_where_others_answer, steps_fresh),
	};

	return cmocka_run_group_tests(tests, home_setup, world_teardown);
}
