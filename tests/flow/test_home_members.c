/*
 * Logging in with the account of a federation's member: known by signed metadata alone, looked up
 * when it is asked, when it answers and when the portal is told.
 */
#include "base/clock.h"
#include "base/text.h"
#include "idp/federation.h"
#include "saml/names.h"
#include "saml/status.h"
#include "tests/flow/home.h"
#include "tests/flow/leave.h"
#include "tests/saml/portal.h"

static const char *
agree(struct web *b)
{
	web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
	return saml_response_of(b);
}

static void
both(struct world *w)
{
	home_publish(w, arena_printf(w->a, "%s%s", home_member(w, BADEN, BADEN_SCOPE, NULL, NULL),
				     home_member(w, HESSEN, HESSEN_SCOPE, NULL, NULL)));
}

static void
who_has_an_account_at_a_member_logs_in_with_it(void **state)
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
	assert_string_equal(q.r->requesters, SAML_PARTY);
	struct provider_answer p = home_answer(w, BADEN, &q);

	home_bring(&b, &p);
	ASSERT_PAGE(&b, CONSENT);
	assert_true(web_shows(&b, "Servicekonto Baden"));
	const char *response = agree(&b);

	assert_non_null(strstr(response, "status:Success"));
	assert_non_null(strstr(response, ">Beispiel<"));
	assert_non_null(strstr(response, "<saml:AuthenticatingAuthority>" PROVIDER_ENTITY
					 "</saml:AuthenticatingAuthority>"));
	assert_string_equal(world_value(w, "SELECT count(*) FROM audit WHERE event = 'assertion'"
					   " AND subject IS NULL AND details->>'upstream' = "
					   "'" PROVIDER_ENTITY "'"),
			    "1");
}

static void
our_metadata_say_where_members_answer(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, "/saml/metadata");
	assert_non_null(strstr(b.body, "Location=\"" BASE "/saml/acs\""));
	/* Of a federation whose portals alone are taken nobody answers. */
	home_federation(w, "{\"roles\":[\"sp\"]}");
	web_get(&b, "/saml/metadata");
	assert_null(strstr(b.body, "/saml/acs"));
	ask(&b, "", "");
	assert_false(web_shows(&b, "/flow/home/"));
	home_federation(w, HOME_RULES);
	both(w);
}

/* The EntityDescriptor with an attribute more. */
static const char *
with_attribute(struct world *w, const char *member, const char *name, const char *value)
{
	const char *open = "<md:EntityDescriptor ";

	return arena_printf(w->a, "%s%s=\"%s\" %s", open, name, value, member + strlen(open));
}

/* ---- what becomes of a member between two steps ---- */

/* Hessen and nobody else; Baden with another key; as a portal's federation has it. */
static void
gone(struct world *w)
{
	home_publish(w, home_member(w, HESSEN, HESSEN_SCOPE, NULL, NULL));
}

static void
key_replaced(struct world *w)
{
	home_publish(w, arena_printf(w->a, "%s%s",
				     home_member(w, BADEN, BADEN_SCOPE, NULL, "ecdsa-sha384"),
				     home_member(w, HESSEN, HESSEN_SCOPE, NULL, NULL)));
}

static void
suspended(struct world *w)
{
	home_suspend(w, BADEN, true);
}

static void
left_out(struct world *w)
{
	home_federation(w, "{\"deny\":[\"" PROVIDER_ENTITY "\"]}");
	both(w);
}

static void
over(struct world *w)
{
	home_federation(w, HOME_RULES);
	home_publish(w,
		     arena_printf(w->a, "%s%s",
				  with_attribute(w, home_member(w, BADEN, BADEN_SCOPE, NULL, NULL),
						 "validUntil", clock_text(w->a, w->now)),
				  home_member(w, HESSEN, HESSEN_SCOPE, NULL, NULL)));
}

static void
capped(struct world *w)
{
	home_federation(w, "{\"policy\":{\"level-cap\":\"low\"}}");
	both(w);
}

static void
as_before(struct world *w)
{
	home_federation(w, HOME_RULES);
	both(w);
}

static const struct {
	const char *name;
	void (*happens)(struct world *w);
	bool answered; /* what was taken before counts on */
} meanwhile[] = {
	{"gone", gone, false},           {"key replaced", key_replaced, true},
	{"suspended", suspended, false}, {"left out", left_out, false},
	{"over", over, false},           {"capped", capped, true},
};

static void
what_counts_is_what_counts_when_it_answers(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(meanwhile); i++) {
		struct home_request q = home_sent(&b, BADEN);
		struct provider_answer p = home_answer(w, BADEN, &q);

		print_message("%s\n", meanwhile[i].name);
		meanwhile[i].happens(w);
		home_bring(&b, &p);
		home_refused(&b, q.relay_state);
		as_before(w);
	}
	assert_string_equal(
		world_value(w, "SELECT count(*) FROM audit WHERE event = 'login_refused' AND"
			       " details->>'upstream' = '" PROVIDER_ENTITY "'"),
		"6");
}

static void
what_counts_is_what_counts_when_the_portal_is_told(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(meanwhile); i++) {
		home_login(&b, BADEN, "");
		ASSERT_PAGE(&b, CONSENT);
		const char *flow = flow_of(&b);

		print_message("%s\n", meanwhile[i].name);
		meanwhile[i].happens(w);
		web_submit(&b, "/flow/consent/", "attr_email=1&do=agree");
		if (meanwhile[i].answered) {
			assert_non_null(saml_response_of(&b));
		} else {
			assert_false(succeeded(&b));
			web_get(&b, arena_printf(w->a, "/flow/%s", flow));
			ASSERT_PAGE(&b, LOGIN);
			assert_true(web_shows(&b, "hat nicht geklappt"));
		}
		as_before(w);
	}
}

static void
what_counts_is_what_counts_when_it_is_chosen(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(meanwhile); i++) {
		ask(&b, "", LEVEL3);
		web_get(&b, arena_printf(w->a, "/flow/home/%s", flow_of(&b)));
		print_message("%s\n", meanwhile[i].name);
		meanwhile[i].happens(w);
		home_choose(&b, BADEN);
		if (meanwhile[i].happens == key_replaced)
			assert_int_equal(b.status, 303);
		else if (meanwhile[i].happens == capped || meanwhile[i].happens == gone)
			assert_true(web_shows(&b, "aus der Liste"));
		else
			assert_true(web_shows(&b, "zurzeit nicht benutzt"));
		as_before(w);
	}
}

static void
whoever_is_registered_by_hand_is_not_that_member(void **state)
{
	struct world *w = *state;
	struct db_audit audit = {.event = "upstream_enabled", .ref = "test"};
	struct err err = {0};
	struct web b;

	web_init(&b, w);
	home_upstream(w, BADEN, "bundid", "{}");
	ask(&b, "", "");
	web_get(&b, arena_printf(w->a, "/flow/home/%s", flow_of(&b)));
	assert_true(web_shows(&b, "value=\"baden\""));
	assert_false(web_shows(&b, "value=\"" PROVIDER_ENTITY "\""));
	home_choose(&b, BADEN); /* by its entityID */
	assert_non_null(home_request(&b).r->akdb);
	/* Who switches that off does not mean the member. */
	ASSERT_OK(db_upstream_set_enabled(&w->pg->c, BADEN, false, &audit, w->now, &err), &err);
	world_reload(w);
	ask(&b, "", "");
	web_get(&b, arena_printf(w->a, "/flow/home/%s", flow_of(&b)));
	assert_false(web_shows(&b, "Servicekonto Baden"));
	home_choose(&b, BADEN);
	assert_true(web_shows(&b, "zurzeit nicht benutzt"));
	ASSERT_OK(db_upstream_remove(&w->pg->c, BADEN, &audit, w->now, &err), &err);
	world_reload(w);
}

static void
a_member_speaks_for_its_own_scopes(void **state)
{
	static const struct {
		const char *name;
		bool fine;
	} rows[] = {{"berta@" BADEN_SCOPE, false},
		    {"berta", false},
		    {"berta@" HESSEN_SCOPE ".evil.example", false},
		    {"berta@evil." HESSEN_SCOPE, false},
		    {"berta@" HESSEN_SCOPE, true}};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
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
	/* Who has none speaks for nobody; unless its federation has no use for scopes. */
	for (int scoped = 1; scoped >= 0; scoped--) {
		home_federation(w, scoped == 1 ? "{}" : "{\"policy\":{\"scoped\":false}}");
		home_publish(w, home_member(w, HESSEN, NULL, NULL, NULL));
		struct home_request q = home_sent(&b, HESSEN);
		struct provider_answer p = home_answer(w, HESSEN, &q);

		home_bring(&b, &p);
		if (scoped == 0)
			ASSERT_PAGE(&b, CONSENT);
		else
			home_refused(&b, q.relay_state);
	}
	as_before(w);
}

/* ---- scopes of others ---- */

static const char *
two(struct world *w, const char *baden, const char *hessen)
{
	return arena_printf(w->a, "%s%s",
			    baden == NULL ? "" : home_member(w, BADEN, baden, NULL, NULL),
			    home_member(w, HESSEN, hessen, NULL, NULL));
}

static void
a_scope_of_another_waits(void **state)
{
	struct world *w = *state;
	const char *why;

	/* In any case, as the first copy and as a later one; and of one who is gone with it. */
	for (int i = 0; i < 3; i++) {
		as_before(w);
		why = home_take(w, HOME_SOURCE,
				two(w, i == 2 ? NULL : BADEN_SCOPE,
				    i == 1 ? "KONTO.baden.example" : BADEN_SCOPE));
		assert_non_null(why);
		assert_non_null(strstr(why, "\"scope-taken\""));
		assert_non_null(strstr(why, PROVIDER_ENTITY));
	}
	/* However many it has besides. */
	const char *many = BADEN_SCOPE;

	for (int i = 0; i < 8; i++)
		many = arena_printf(
			w->a,
			"s%d.example</shibmd:Scope><shibmd:Scope xmlns:shibmd=\"" SAML_NS_SHIBMD
			"\">%s",
			i, many);
	as_before(w);
	why = home_take(w, HOME_SOURCE, two(w, BADEN_SCOPE, many));
	assert_non_null(why);
	assert_non_null(strstr(why, "\"scope-taken\""));
	home_federation(w, HOME_RULES);
	why = home_take(w, HOME_SOURCE, two(w, BADEN_SCOPE, BADEN_SCOPE));
	assert_non_null(why);
	assert_non_null(strstr(why, "scope-taken"));
	/* What an operator gave to another, too; but not where scopes mean nothing. */
	home_federation(w, "{\"members\":{\"https://x.example/\":{\"scopes\":[\"" HESSEN_SCOPE
			   "\"]}}}");
	assert_non_null(home_take(w, HOME_SOURCE, two(w, BADEN_SCOPE, HESSEN_SCOPE)));
	home_federation(w, "{\"policy\":{\"scoped\":false}}");
	assert_null(home_take(w, HOME_SOURCE, two(w, BADEN_SCOPE, BADEN_SCOPE)));
	as_before(w);
}

/* Does an answer of this member about somebody of konto.baden.example count? */
static bool
speaks_for_baden(struct world *w, const char *id)
{
	struct web b;

	web_init(&b, w);
	struct home_request q = home_sent(&b, id);
	struct provider_answer p = home_answer(w, id, &q);

	p.nameid = "berta@" BADEN_SCOPE;
	home_bring(&b, &p);
	if (b.status == 403)
		return false;
	ASSERT_PAGE(&b, CONSENT);
	return true;
}

static void
a_scope_of_two_is_of_none_until_it_is_given(void **state)
{
	struct world *w = *state;
	const char *both_claim = two(w, BADEN_SCOPE, BADEN_SCOPE);

	assert_non_null(home_take(w, HOME_SOURCE, both_claim));
	assert_true(speaks_for_baden(w, BADEN));
	home_approve(w, HOME_SOURCE);
	assert_false(speaks_for_baden(w, BADEN));
	assert_false(speaks_for_baden(w, HESSEN));
	/* What was approved is not asked again. */
	assert_null(home_take(w, HOME_SOURCE, arena_printf(w->a, "%s<!-- anew -->", both_claim)));
	home_federation(w, "{\"members\":{\"" HESSEN_IDP "\":{\"scopes\":[\"" BADEN_SCOPE "\"]}}}");
	assert_non_null(home_take(w, HOME_SOURCE, both_claim));
	home_approve(w, HOME_SOURCE);
	assert_false(speaks_for_baden(w, BADEN));
	assert_true(speaks_for_baden(w, HESSEN));
	as_before(w);
}

static void
a_scope_that_was_given_by_hand_is_no_members(void **state)
{
	struct world *w = *state;
	struct db_audit audit = {.event = "upstream_enabled", .ref = "test"};
	struct err err = {0};

	home_upstream(w, HESSEN, "saml", "{\"scope\":[\"Konto.Baden.Example\"]}");
	assert_false(speaks_for_baden(w, BADEN));
	home_upstream(w, HESSEN, "saml", "{\"scope\":[\"baden.example\"]}");
	assert_true(speaks_for_baden(w, BADEN));
	ASSERT_OK(db_upstream_remove(&w->pg->c, HESSEN, &audit, w->now, &err), &err);
	world_reload(w);
}

static void
of_two_sources_the_first_has_a_scope(void **state)
{
	struct world *w = *state;
	const char *baden = home_member(w, BADEN, BADEN_SCOPE, NULL, NULL);
	const char *hessen = home_member(w, HESSEN, BADEN_SCOPE, NULL, NULL);

	for (int first = 0; first < 2; first++) {
		home_federation(w, first == 0 ? "{}"
					      : "{\"members\":{\"" HESSEN_IDP
						"\":{\"scopes\":[\"" BADEN_SCOPE "\"]}}}");
		home_source(w, "anderer", "{}");
		assert_null(home_take(w, "anderer", baden));
		assert_null(home_take(w, HOME_SOURCE, hessen));
		/* But what an operator gave is given. */
		assert_int_equal(speaks_for_baden(w, BADEN), first == 0);
		assert_int_equal(speaks_for_baden(w, HESSEN), first == 1);
	}
	as_before(w);
}

static void
members_encrypt_unless_the_rules_do_without(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (int never = 0; never < 2; never++) {
		if (never == 1) {
			home_federation(w, "{\"policy\":{\"encrypt\":\"never\"}}");
			both(w);
		}
		struct home_request q = home_sent(&b, BADEN);
		struct provider_answer p = home_answer(w, BADEN, &q);

		p.encrypt_to = NULL;
		home_bring(&b, &p);
		if (never == 1)
			ASSERT_PAGE(&b, CONSENT);
		else
			home_refused(&b, q.relay_state);
	}
	as_before(w);
}

static void
an_answer_of_a_member_lives_as_long_as_the_rules_say(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (int lifetime = 60; lifetime <= 120; lifetime += 60) {
		home_federation(w, arena_printf(w->a, "{\"policy\":{\"lifetime\":%d}}", lifetime));
		both(w);
		struct home_request q = home_sent(&b, BADEN);
		struct provider_answer p = home_answer(w, BADEN, &q);
		const char *form = provider_form(w->a, w->keys, &p);

		w->now += 125; /* and clocks may differ by one minute */
		web_foreign_post(&b, "/saml/acs", form);
		if (lifetime == 120)
			ASSERT_PAGE(&b, CONSENT);
		else
			home_refused(&b, q.relay_state);
	}
	as_before(w);
}

#define IDP_LIST(entry)                                                     \
	"<samlp:Scoping><samlp:IDPList><samlp:IDPEntry ProviderID=\"" entry \
	"\"></samlp:IDPEntry></samlp:IDPList></samlp:Scoping>"

/* ---- choosing ---- */

/* As Hessen, with another name and entityID; more: of its UIInfo. */
static const char *
another(struct world *w, const char *entity, const char *name, const char *more)
{
	const char *text = home_member(w, HESSEN, NULL, NULL, NULL);

	text = replace(w->a, text, HESSEN_IDP, entity);
	text = replace(w->a, text, HESSEN_SSO "\"", arena_printf(w->a, "%s/sso\"", entity));
	text = replace(w->a, text, "Servicekonto Hessen", name);
	return replace(w->a, text, "</mdui:UIInfo>", arena_printf(w->a, "%s</mdui:UIInfo>", more));
}

#define HIDDEN                                                                \
	"<mdattr:EntityAttributes xmlns:mdattr=\"" SAML_NS_ATTRIBUTE          \
	"\" xmlns:saml=\"" SAML_NS_ASSERTION                                  \
	"\"><saml:Attribute Name=\"http://macedir.org/entity-category\">"     \
	"<saml:AttributeValue>http://refeds.org/category/hide-from-discovery" \
	"</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes>"

static void
find(struct web *b, const char *flow, const char *query)
{
	web_get(b, arena_printf(b->w->a, "/flow/home/%s?q=%s", flow,
				portal_percent(b->w->a, bytes_of(query))));
	assert_int_equal(b->status, 200);
}

static size_t
n_choices(const struct web *b)
{
	size_t n = 0;

	for (const char *p = strstr(b->body, "name=\"to\""); p != NULL;
	     p = strstr(p + 1, "name=\"to\""))
		n++;
	return n;
}

static void
members_are_found_by_what_people_type(void **state)
{
	struct world *w = *state;
	const char *all = home_member(w, HESSEN, HESSEN_SCOPE, NULL, NULL);
	struct web b;

	web_init(&b, w);
	for (int i = 0; i < 60; i++)
		all = arena_printf(w->a, "%s%s", all,
				   another(w, arena_printf(w->a, "https://k%d.example/", i),
					   arena_printf(w->a, "Konto %02d", i), ""));
	all = arena_printf(w->a, "%s%s%s", all,
			   another(w, "https://konto.bw.example/idp", "Baden-Württemberg",
				   "<mdui:DisplayName xml:lang=\"en\">The &lt;South&gt;"
				   "</mdui:DisplayName><mdui:Keywords xml:lang=\"de\">Ländle "
				   "Stutt+gart</mdui:Keywords>"),
			   replace(w->a, another(w, "https://hidden.example/", "Versteckt", ""),
				   "<md:IDPSSODescriptor",
				   "<md:Extensions>" HIDDEN
				   "</md:Extensions><md:IDPSSODescriptor"));
	home_publish(w, all);
	ask(&b, "", "");
	const char *flow = arena_strdup(w->a, flow_of(&b));

	web_get(&b, arena_printf(w->a, "/flow/home/%s", flow));
	assert_int_equal(n_choices(&b), 50);
	assert_true(web_shows(&b, "62 Servicekonten"));
	/* Where the browser may be led, for those that are there. */
	assert_non_null(strstr(b.csp, " https://k48.example"));
	assert_null(strstr(b.csp, " https://k49.example"));
	static const char *const queries[] = {"wurttemberg", "WÜRTTEMBERG baden", "wuertt",
					      "landle",      "stutt gart",        "konto.bw",
					      "south"};

	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		find(&b, flow, queries[i]);
		assert_int_equal(n_choices(&b), 1);
		assert_true(web_shows(&b, "Baden-Württemberg"));
		assert_false(web_shows(&b, "Servicekonten passen"));
	}
	find(&b, flow, "konto 5");
	assert_int_equal(n_choices(&b), 10 + 5); /* 50 to 59, 05 to 45 */
	find(&b, flow, "versteckt");
	assert_true(web_shows(&b, "Kein Servicekonto gefunden"));
	/* What is typed comes back as text, and what is too long is nothing. */
	find(&b, flow, "\"><script>");
	assert_null(strstr(b.body, "\"><script>"));
	web_get(&b, "/language/en?to=%2F");
	find(&b, flow, "south");
	assert_non_null(strstr(b.body, "The &lt;South&gt;"));
	both(w);
}

static void
a_member_that_is_hidden_is_asked_when_a_portal_names_it(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	home_publish(w, replace(w->a, home_member(w, BADEN, BADEN_SCOPE, NULL, NULL),
				"<md:IDPSSODescriptor",
				"<md:Extensions>" HIDDEN "</md:Extensions><md:IDPSSODescriptor"));
	ask(&b, "", "");
	assert_false(web_shows(&b, "/flow/home/"));
	ask(&b, "", IDP_LIST(PROVIDER_ENTITY));
	assert_int_equal(b.status, 303);
	assert_true(text_starts(b.location, PROVIDER_SSO "?"));
	both(w);
}

static void
a_member_is_remembered_when_one_asks_for_it(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	home_choose(&b, HESSEN);
	assert_null(web_cookie(&b, "__Host-home"));
	ask(&b, "", "");
	web_get(&b, arena_printf(w->a, "/flow/home/%s", flow_of(&b)));
	web_submit(
		&b, "/flow/choose/",
		arena_printf(w->a, "to=%s&remember=1", portal_percent(w->a, bytes_of(HESSEN_IDP))));
	assert_non_null(web_cookie(&b, "__Host-home"));
	ask(&b, "", "");
	const char *page = arena_printf(w->a, "/flow/home/%s", flow_of(&b));

	web_get(&b, page);
	assert_true(strstr(b.body, HESSEN_IDP) < strstr(b.body, PROVIDER_ENTITY));
	assert_int_equal(n_choices(&b), 2);
	/* Whoever is gone is remembered in vain. */
	home_publish(w, home_member(w, BADEN, BADEN_SCOPE, NULL, NULL));
	web_get(&b, page);
	assert_int_equal(n_choices(&b), 1);
	home_choose(&b, BADEN); /* without the tick */
	assert_null(web_cookie(&b, "__Host-home"));
	both(w);
}

static void
who_cannot_be_asked_is_not_listed(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{HESSEN_SSO "\"", "http://konto.hessen.example/sso\""},
		{HESSEN_SSO "\"", "https://x.example; script-src */\""},
		{HESSEN_SSO "\"", "https://x.example'/\""},
		{HESSEN_SSO "\"", "https:///sso\""},
		{"HTTP-Redirect", "HTTP-Artifact"},
	};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *hessen = home_member(w, HESSEN, HESSEN_SCOPE, NULL, NULL);

		hessen = replace(w->a, hessen, "HTTP-POST", "HTTP-POST-SimpleSign");
		home_publish(w, arena_printf(w->a, "%s%s",
					     home_member(w, BADEN, BADEN_SCOPE, NULL, NULL),
					     replace(w->a, hessen, rows[i].from, rows[i].to)));
		ask(&b, "", "");
		web_get(&b, arena_printf(w->a, "/flow/home/%s", flow_of(&b)));
		assert_int_equal(n_choices(&b), 1);
	}
	both(w);
}

static void
a_portal_may_name_a_member(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", IDP_LIST(PROVIDER_ENTITY));
	assert_int_equal(b.status, 303);
	assert_true(text_starts(b.location, PROVIDER_SSO "?"));
	suspended(w);
	ask(&b, "", IDP_LIST(PROVIDER_ENTITY));
	assert_non_null(strstr(saml_response_of(&b), "NoSupportedIDP"));
	ask(&b, "", IDP_LIST("https://nobody.example/"));
	assert_non_null(strstr(saml_response_of(&b), "NoSupportedIDP"));
	as_before(w);
	/* It may be there, and this node has not read it yet: another time. */
	w->app.federation = federation_create(w->pg->a, &w->app);
	ask(&b, "", IDP_LIST(PROVIDER_ENTITY));
	const char *response = saml_response_of(&b);

	assert_non_null(strstr(response, "status:Responder"));
	assert_null(strstr(response, "NoSupportedIDP"));
	as_before(w);
}

static void
while_members_are_read_nothing_is_lost(void **state)
{
	struct world *w = *state;
	struct federation *read = w->app.federation;
	struct web b;

	web_init(&b, w);
	struct home_request q = home_sent(&b, BADEN);
	struct provider_answer p = home_answer(w, BADEN, &q);
	const char *form = provider_form(w->a, w->keys, &p);

	w->app.federation = federation_create(w->pg->a, &w->app);
	web_foreign_post(&b, "/saml/acs", form);
	assert_int_equal(b.status, 503);
	w->app.federation = read;
	web_foreign_post(&b, "/saml/acs", form);
	ASSERT_PAGE(&b, CONSENT);
	const char *flow = flow_of(&b);

	w->app.federation = federation_create(w->pg->a, &w->app);
	web_get(&b, arena_printf(w->a, "/flow/%s", flow));
	assert_int_equal(b.status, 503);
	w->app.federation = read;
	web_get(&b, arena_printf(w->a, "/flow/%s", flow));
	ASSERT_PAGE(&b, CONSENT);
}

/* ---- the end ---- */

static void
a_failure_at_a_member_is_told_to_the_portal(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	struct home_request q = home_sent(&b, BADEN);
	struct provider_answer p = home_answer(w, BADEN, &q);

	p.status = SAML_RESPONDER;
	p.substatus = SAML_AUTHN_FAILED;
	home_bring(&b, &p);
	assert_non_null(strstr(saml_response_of(&b), "login-cancelled"));
}

/* There is no session, at neither side. */
static void
a_portals_logout_ends_nobody_elses_session(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	log_in_aside(&b, "erika");
	assert_true(is_logged_in(&b));
	ask(&b, " ForceAuthn=\"true\"", IDP_LIST(PROVIDER_ENTITY));
	struct home_request q = home_request(&b);
	struct provider_answer p = home_answer(w, BADEN, &q);

	home_bring(&b, &p);
	ASSERT_PAGE(&b, CONSENT);
	assert_non_null(agree(&b));
	struct login at = login_of(&b);

	send_soap(&b, saml_logout_envelope(w, logout_id(w), at.name, at.index));
	assert_string_equal(soap_status(&b), "Success");
	assert_true(is_logged_in(&b));
	/* In the browser, too, it leads back to the portal and to nobody else. */
	web_get(&b, saml_logout_url(w, logout_id(w), at.name, at.index));
	assert_true(text_starts(b.location, SAML_SLO "?SAMLResponse="));
	assert_true(is_logged_in(&b));
}

static void
a_members_logout_is_from_no_party(void **state)
{
	struct world *w = *state;
	const char *portal = w->saml_party;
	struct web b;

	web_init(&b, w);
	web_get(&b, "/saml/metadata");
	const char *role = strstr(b.body, "<md:SPSSODescriptor");

	assert_non_null(role);
	assert_null(strstr(role, "SingleLogoutService"));
	w->saml_party = PROVIDER_ENTITY;
	web_get(&b, saml_logout_url(w, logout_id(w), "berta-dort@" BADEN_SCOPE, "_1"));
	w->saml_party = portal;
	assert_int_equal(b.status, 404);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_has_an_account_at_a_member_logs_in_with_it, steps_fresh),
		cmocka_unit_test_setup(our_metadata_say_where_members_answer, steps_fresh),
		cmocka_unit_test_setup(what_counts_is_what_counts_when_it_is_chosen, steps_fresh),
		cmocka_unit_test_setup(what_counts_is_what_counts_when_it_answers, steps_fresh),
		cmocka_unit_test_setup(what_counts_is_what_counts_when_the_portal_is_told,
				       steps_fresh),
		cmocka_unit_test_setup(whoever_is_registered_by_hand_is_not_that_member,
				       steps_fresh),
		cmocka_unit_test_setup(a_member_speaks_for_its_own_scopes, steps_fresh),
		cmocka_unit_test_setup(a_scope_of_another_waits, steps_fresh),
		cmocka_unit_test_setup(a_scope_of_two_is_of_none_until_it_is_given, steps_fresh),
		cmocka_unit_test_setup(a_scope_that_was_given_by_hand_is_no_members, steps_fresh),
		cmocka_unit_test_setup(of_two_sources_the_first_has_a_scope, steps_fresh),
		cmocka_unit_test_setup(members_encrypt_unless_the_rules_do_without, steps_fresh),
		cmocka_unit_test_setup(an_answer_of_a_member_lives_as_long_as_the_rules_say,
				       steps_fresh),
		cmocka_unit_test_setup(members_are_found_by_what_people_type, steps_fresh),
		cmocka_unit_test_setup(a_member_that_is_hidden_is_asked_when_a_portal_names_it,
				       steps_fresh),
		cmocka_unit_test_setup(a_member_is_remembered_when_one_asks_for_it, steps_fresh),
		cmocka_unit_test_setup(who_cannot_be_asked_is_not_listed, steps_fresh),
		cmocka_unit_test_setup(a_portal_may_name_a_member, steps_fresh),
		cmocka_unit_test_setup(while_members_are_read_nothing_is_lost, steps_fresh),
		cmocka_unit_test_setup(a_failure_at_a_member_is_told_to_the_portal, steps_fresh),
		cmocka_unit_test_setup(a_portals_logout_ends_nobody_elses_session, steps_fresh),
		cmocka_unit_test_setup(a_members_logout_is_from_no_party, steps_fresh),
	};

	return cmocka_run_group_tests(tests, home_setup_members, world_teardown);
}
