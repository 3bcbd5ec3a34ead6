/*
 * kontor simulate: what the test doubles say of requests, rule by rule, and what they answer,
 * as our own strict reader of other providers' answers takes or refuses it.
 */
#include "tests/test.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/enc.h"
#include "idp/simulate.h"
#include "saml/answer.h"
#include "saml/names.h"
#include "saml/status.h"
#include "tests/idp/raw.h"
#include "tests/saml/portal.h"
#include "tests/saml/with_keys.h"
#include "tests/saml/xsd.h"

#define BASE   "http://127.0.0.1:8600"
#define HOST   "Host: 127.0.0.1:8600"
#define BUNDID "/test-double/bundid/idp"
#define POST   BUNDID "/profile/SAML2/POST/SSO"
#define SLO    BUNDID "/profile/SAML2/SLO"
#define RELAY  "relay-1"

#define REQUEST_HEAD                                                                               \
	"<samlp:AuthnRequest xmlns:samlp=\"" SAML_NS_PROTOCOL "\" xmlns:saml=\"" SAML_NS_ASSERTION \
	"\" AssertionConsumerServiceURL=\"" PORTAL_ACS "\" Destination=\"" BASE POST               \
	"\" ForceAuthn=\"true\" ID=\"_request1\" IsPassive=\"false\""                              \
	" IssueInstant=\"2026-11-23T18:00:00Z\" ProtocolBinding=\"" SAML_BINDING_URI_POST          \
	"\" Version=\"2.0\"><saml:Issuer>" PORTAL_ENTITY "</saml:Issuer>" FIXTURE_PLACE

/* As BundID's interface 10.1 has it, white space, CDATA and all. */
static const char request[] = REQUEST_HEAD
	"<samlp:Extensions><akdb:AuthenticationRequest xmlns:akdb=\"" SAML_NS_AKDB
	"\" EnableStatusDetail=\"true\" Version=\"2\">"
	"<akdb:AuthnMethods><akdb:eID><akdb:Enabled>true</akdb:Enabled></akdb:eID>"
	"<akdb:Elster><akdb:Enabled>true</akdb:Enabled></akdb:Elster></akdb:AuthnMethods>"
	"<akdb:RequestedAttributes>"
	"<akdb:RequestedAttribute Name=\"urn:oid:2.5.4.4\" RequiredAttribute=\"true\"/>"
	"<akdb:RequestedAttribute Name=\"urn:oid:0.9.2342.19200300.100.1.3\"/>"
	"<akdb:RequestedAttribute Name=\"urn:oid:1.3.6.1.4.1.25484.494450.3\"/>"
	"<akdb:RequestedAttribute Name=\"urn:oid:1.3.6.1.4.1.25484.494450.2\"/>"
	"</akdb:RequestedAttributes><akdb:DisplayInformation>"
	"<classic-ui:Version xmlns:classic-ui=\"" SAML_NS_AKDB_UI "\">"
	"<classic-ui:OrganizationDisplayName>\n<![CDATA[Testamt]]>\n"
	"</classic-ui:OrganizationDisplayName><classic-ui:Lang>de</classic-ui:Lang>"
	"<classic-ui:BackURL>https://amt24.example/</classic-ui:BackURL>"
	"<classic-ui:OnlineServiceId>BMI-TEST</classic-ui:OnlineServiceId>"
	"</classic-ui:Version></akdb:DisplayInformation></akdb:AuthenticationRequest>"
	"</samlp:Extensions><samlp:RequestedAuthnContext Comparison=\"minimum\">"
	"<saml:AuthnContextClassRef>STORK-QAA-Level-3</saml:AuthnContextClassRef>"
	"</samlp:RequestedAuthnContext></samlp:AuthnRequest>";

static struct simulate *bundid, *organisation;
static struct arena *life; /* of both, whose keys take their time */

static time_t
test_clock(struct app *app UNUSED)
{
	return portal_now();
}

static struct simulate *
open_double(const char *kind, const char *metadata)
{
	struct simulate *s = ARENA_NEW(life, struct simulate);
	const struct bytes document = bytes_of(metadata);
	const struct sim_options o = {.kind = sim_kind_find(kind),
				      .base_url = BASE,
				      .portals = &document,
				      .n_portals = 1,
				      .suite = "es256",
				      .now = portal_now()};
	struct err why = {0};

	ASSERT_OK(simulate_open(life, &o, s, &why), &why);
	s->portals[0].party->signing = fixture_keys();
	s->app.clock = test_clock;
	return s;
}

static int
setup_doubles(void **state UNUSED)
{
	life = arena_create(256 << 20);
	const char *metadata = portal_metadata(life, test_keys_create(life));

	bundid = open_double("bundid", metadata);
	organisation = open_double("organisation", metadata);
	return 0;
}

static int
teardown_doubles(void **state UNUSED)
{
	arena_destroy(life);
	return 0;
}

/* RSA keys of the tests are the same in each arena. */
static struct xmlenc_keys
open_with(void)
{
	static const char *kid;

	kid = keys->dec_rsa.kid;
	return (struct xmlenc_keys){&keys->ops, &kid, 1};
}

static struct sim_case
judged(struct simulate *s, enum saml_binding binding, const char *raw)
{
	struct sim_case c = {.a = a,
			     .s = s,
			     .now = portal_now(),
			     .binding = binding,
			     .raw = bytes_of(raw),
			     .address = "192.0.2.7"};

	sim_judge(&c);
	return c;
}

static struct sim_case
posted(struct simulate *s, const char *xml)
{
	return judged(s, SAML_BINDING_POST, portal_form(a, "SAMLRequest", xml, RELAY));
}

/* "14 30": the rules that do not hold. */
static const char *
broken_rules(const struct sim_case *c)
{
	const char *list = "";

	for (size_t i = 0; i < c->n_found; i++)
		if (!c->found[i].holds)
			list = arena_printf(a, "%s%s%d", list, list[0] == '\0' ? "" : " ",
					    c->found[i].rule->number);
	return list;
}

static bool seen_broken[100];

static void
breaks(const struct sim_case *c, const char *numbers, const char *status)
{
	for (size_t i = 0; i < c->n_found; i++)
		seen_broken[c->found[i].rule->number] |= !c->found[i].holds;
	if (strcmp(broken_rules(c), numbers) != 0)
		fail_msg("rules %s expected, not %s", numbers, broken_rules(c));
	if (status == NULL)
		assert_null(c->status);
	else
		assert_string_equal(c->status, status);
	for (size_t i = 0; i < c->n_found; i++)
		assert_true(c->found[i].holds == (c->found[i].detail == NULL));
}

/* ---- the judge ---- */

static void
a_request_as_the_interface_has_it_is_right(void **state UNUSED)
{
	struct sim_case c = posted(bundid, request);

	breaks(&c, "", NULL);
	assert_int_equal(c.n_found, 34);
	c = judged(
		bundid, SAML_BINDING_REDIRECT,
		portal_query(a, "SAMLRequest", replace(a, request, "/POST/", "/Redirect/"), NULL));
	breaks(&c, "", NULL);
}

#define ATTRIBUTE "<akdb:RequestedAttribute Name=\"urn:oid:2.5.4.4\" RequiredAttribute=\"true\"/>"
#define FIFTY     "Amt für die Prüfung sehr langer Namen von Diensten"

/* One thing wrong in each, by hand. */
static const struct {
	const char *from, *to, *rules, *status;
} bad[] = {
	{PORTAL_ENTITY "</saml:Issuer>", "https://other.example/sp</saml:Issuer>", "3", NULL},
	{FIXTURE_PLACE, "", "4", SAML_AKDB_UNSIGNED},
	{" ID=\"_request1\"", " ID=\"_request1\" Unknown=\"x\"", "6", NULL},
	{"Version=\"2.0\"", "Version=\"2.1\"", "7", SAML_REQUESTER},
	{"Enabled>true", "Enabled>perhaps", "7", SAML_REQUESTER},
	{"Version=\"2\">", "Version=\"3\">", "7", SAML_REQUESTER},
	{"Destination=\"" BASE POST "\"", "Destination=\"" BASE "/\"", "8", NULL},
	{" Destination=\"" BASE POST "\"", "", "8", NULL},
	{PORTAL_ACS, "https://amt24.example/elsewhere", "9", NULL},
	{SAML_BINDING_URI_POST, SAML_BINDING_URI_ARTIFACT, "10", SAML_UNSUPPORTED_BINDING},
	{"18:00:00Z", "17:00:00Z", "11", SAML_REQUEST_DENIED},
	{"ForceAuthn=\"true\"", "ForceAuthn=\"false\"", "14", NULL},
	{"IsPassive=\"false\"", "IsPassive=\"true\"", "15", SAML_NO_PASSIVE},
	{"<samlp:RequestedAuthnContext",
	 "<samlp:NameIDPolicy Format=\"" SAML_NAMEID_PERSISTENT "\"/><samlp:RequestedAuthnContext",
	 "16 17", SAML_INVALID_NAMEID_POLICY},
	{"<samlp:RequestedAuthnContext",
	 "<samlp:NameIDPolicy Format=\"" SAML_NAMEID_TRANSIENT "\"/><samlp:RequestedAuthnContext",
	 "17", NULL},
	{"</saml:AuthnContextClassRef>",
	 "</saml:AuthnContextClassRef><saml:AuthnContextClassRef>STORK-QAA-Level-4"
	 "</saml:AuthnContextClassRef>",
	 "18", SAML_NO_AUTHN_CONTEXT},
	{"STORK-QAA-Level-3", "http://eidas.europa.eu/LoA/substantial", "19",
	 SAML_NO_AUTHN_CONTEXT},
	{"STORK-QAA-Level-3", "STORK-QAA-Level-7", "19", SAML_NO_AUTHN_CONTEXT},
	{"\"minimum\"", "\"exact\"", "20", NULL},
	{"xmlns:akdb=\"" SAML_NS_AKDB, "xmlns:akdb=\"https://www.akdb.de/request/2018/08", "21",
	 SAML_AKDB_MISSING},
	{"Version=\"2\">", "Version=\"1\">", "22", SAML_AKDB_V1},
	{"<akdb:RequestedAttributes>", "<akdb:RequestedAttributes><akdb:Other/>", "23",
	 SAML_REQUESTER},
	{"</akdb:AuthnMethods>", "<akdb:Smart/></akdb:AuthnMethods>", "23", SAML_REQUESTER},
	{"</classic-ui:Version>", "<classic-ui:Colour/></classic-ui:Version>", "23",
	 SAML_REQUESTER},
	{"</akdb:DisplayInformation>", "</akdb:DisplayInformation><akdb:eID/>", "23",
	 SAML_REQUESTER},
	{"STORK-QAA-Level-3", "STORK-QAA-Level-4", "", NULL},
	{"eID><akdb:Enabled>true", "eID><akdb:Enabled>false", "", NULL},
	{"Name=\"urn:oid:2.5.4.4\" ", "", "27", SAML_AKDB_NAMELESS},
	{"Name=\"urn:oid:2.5.4.4\"", "Name=\"urn:oid:2.5.4.999\"", "28", NULL},
	{ATTRIBUTE, ATTRIBUTE ATTRIBUTE, "29", NULL},
	{"<![CDATA[Testamt]]>", "", "30", SAML_AKDB_NO_ORGANIZATION},
	{"Testamt", FIFTY, "", NULL},
	{"Testamt", FIFTY "!", "31", NULL},
	{"BMI-TEST", " ", "32", NULL},
	{"<classic-ui:OnlineServiceId>BMI-TEST</classic-ui:OnlineServiceId>", "", "32", NULL},
	{"Lang>de", "Lang>fr", "33", NULL},
	{"BackURL>https:", "BackURL>http:", "34", NULL},
};

static void
each_fault_is_told_by_its_rule_and_no_other(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct sim_case c = posted(bundid, replace(a, request, bad[i].from, bad[i].to));

		breaks(&c, bad[i].rules, bad[i].status);
	}
}

static void
what_is_no_request_is_told(void **state UNUSED)
{
	struct sim_case c = judged(bundid, SAML_BINDING_POST, "SAMLRequest=x");

	breaks(&c, "1", NULL);
	c = posted(bundid, portal_logout_request);
	breaks(&c, "2", NULL);
	/* Signed by the portal, and changed afterwards. */
	const char *form = portal_form(a, "SAMLRequest", request, NULL);
	struct bytes xml;

	const char *value = strchr(form, '=') + 1;
	struct bytes decoded;

	ASSERT_OK(dec_form(a, bytes_of(value), &decoded, &err), &err);
	ASSERT_OK(dec_base64(a, decoded, false, &xml, &err), &err);
	c = posted(bundid, replace(a, text_of(a, xml), "Testamt", "Testmat"));
	breaks(&c, "5", NULL);
	/* A long RelayState. */
	c = judged(bundid, SAML_BINDING_POST,
		   portal_form(a, "SAMLRequest", request,
			       "0123456789012345678901234567890123456789"
			       "01234567890123456789012345678901234567890"));
	breaks(&c, "13", NULL);
}

/* Faults that take more than one place. */
static void
all_faults_of_a_request_are_told_at_once(void **state UNUSED)
{
	const char *none = cut(a, request, "<akdb:RequestedAttribute ", "RequestedAttributes>");
	struct sim_case c =
		posted(bundid, replace(a, request, none, "</akdb:RequestedAttributes>"));

	breaks(&c, "26", SAML_AKDB_NO_ATTRIBUTES);
	const char *off = replace(a, request, "eID><akdb:Enabled>true", "eID><akdb:Enabled>false");

	c = posted(bundid, replace(a, off, "STORK-QAA-Level-3", "STORK-QAA-Level-4"));
	breaks(&c, "25", SAML_WHY_NO_MEANS);
	off = replace(a, off, "Elster><akdb:Enabled>true", "Elster><akdb:Enabled>false");
	c = posted(bundid, off);
	breaks(&c, "24 25", SAML_AKDB_NO_METHODS);
	off = replace(a, off, "ForceAuthn=\"true\" ", "");
	off = replace(a, off, "Testamt", "");
	c = posted(bundid, replace(a, off, "BMI-TEST", ""));
	breaks(&c, "14 24 25 30 32", SAML_AKDB_NO_METHODS);
	/* Where nobody may be answered, no status is offered. */
	c = posted(bundid, replace(a, off, PORTAL_ACS, "https://amt24.example/elsewhere"));
	breaks(&c, "9 14 24 25 30", NULL);
}

static void
old_signatures_are_advised_against(void **state UNUSED)
{
	struct fixture f = fixture_request();

	f.text = request;
	f.id = "_request1";
	f.suite = saml_suite_by_name("rsa-sha256");
	const char *form = portal_form(a, "SAMLRequest", fixture_sign(a, &f), RELAY);
	struct sim_case c = judged(bundid, SAML_BINDING_POST, form);

	breaks(&c, "12", NULL);
}

static void
the_organisation_account_has_its_own_rules(void **state UNUSED)
{
	const char *plain =
		replace(a, request, cut(a, request, "<samlp:Ext", "</samlp:Extensions>"), "");

	plain = replace(a, plain, BUNDID "/profile/SAML2/POST/SSO",
			"/test-double/organisation/ekona/sso");
	plain = replace(a, plain, cut(a, plain, "<samlp:Req", "RequestedAuthnContext>"),
			"<samlp:NameIDPolicy Format=\"" SAML_NAMEID_PERSISTENT "\"/>");
	struct sim_case c = posted(organisation, plain);

	breaks(&c, "", NULL);
	c = posted(organisation, replace(a, plain, SAML_NAMEID_PERSISTENT, SAML_NAMEID_TRANSIENT));
	breaks(&c, "16", SAML_INVALID_NAMEID_POLICY);
	c = posted(organisation, replace(a, request, BUNDID "/profile/SAML2/POST/SSO",
					 "/test-double/organisation/ekona/sso"));
	breaks(&c, "35", NULL);
}

static void
metadata_are_judged_too(void **state UNUSED)
{
	struct saml_party party = *bundid->portals[0].party;
	struct sim_portal portal = {.party = &party, .says_signed = true};
	struct sim_case c = {.a = a, .s = bundid, .portal = &portal};

	sim_judge_metadata(&c);
	breaks(&c, "", NULL);
	party.valid_until = portal_now();
	party.has_id = true;
	party.entity_id = "https://amt24.example:8443/sp";
	party.recipient.key = NULL;
	party.signing.n = 0;
	party.acs.n = 0;
	portal.says_signed = false;
	c.n_found = 0;
	sim_judge_metadata(&c);
	breaks(&c, "51 52 53 54 55 56 57", NULL);
	party.entity_id = "http://amt24.example/sp";
	c.n_found = 0;
	sim_judge_metadata(&c);
	breaks(&c, "51 52 53 54 55 56 57", NULL);
}

static void
every_rule_has_a_number_of_its_own_and_is_documented(void **state UNUSED)
{
	const struct sim_rule *rule, *before;
	struct bytes doc;

	ASSERT_OK(conf_read_file(a, SIMULATE_MANUAL, 1 << 20, &doc, &err), &err);
	const char *text = text_of(a, doc);

	for (size_t i = 0; (rule = sim_rule_at(i)) != NULL; i++) {
		for (size_t j = 0; j < i && (before = sim_rule_at(j)) != NULL; j++) {
			assert_int_not_equal(before->number, rule->number);
			assert_string_not_equal(before->name, rule->name);
		}
		const char *row =
			arena_printf(a, "| %d | %s | %s |", rule->number,
				     rule->weight == SIM_ADVICE ? "advice" : "error", rule->clause);

		if (strstr(text, row) == NULL)
			fail_msg("docs/simulate.md has no row \"%s\"", row);
	}
	const struct sim_outcome *o;

	for (size_t i = 0; (o = sim_outcome_at(i)) != NULL; i++)
		if (strstr(text, arena_printf(a, "`%s`", o->name)) == NULL)
			fail_msg("docs/simulate.md has no outcome %s", o->name);
}

/* Behind all others of the judge: so none can be taken out unnoticed. */
static void
every_rule_was_seen_broken(void **state UNUSED)
{
	const struct sim_rule *rule;

	for (size_t i = 0; (rule = sim_rule_at(i)) != NULL; i++)
		if (!seen_broken[rule->number])
			fail_msg("no request breaks rule %d", rule->number);
}

/* ---- answers ---- */

static struct saml_carrier
answer(struct sim_case *c, const char *person, const char *outcome)
{
	const struct sim_choice choice = {
		.person = sim_person_find(&c->s->persons, person),
		.outcome = sim_outcome_find(c->s->kind, outcome),
	};
	struct saml_carrier carrier;

	assert_non_null(choice.person);
	assert_non_null(choice.outcome);
	ASSERT_OK(sim_answer(c, &choice, &carrier, &err), &err);
	assert_string_equal(carrier.action, PORTAL_ACS);
	assert_string_equal(carrier.relay_state, RELAY);
	assert_schema_valid(a, portal_unpack(a, &carrier));
	return carrier;
}

/* What a portal makes of it that believes the double, as strictly as Kontor does. */
static bool
takes(struct simulate *s, const struct saml_carrier *carrier, const struct saml_answered **out)
{
	const struct xmlenc_keys with = open_with();
	const struct saml_party *idp;
	const struct saml_answer *m;
	struct bytes metadata;

	err_clear(&err);
	ASSERT_OK(simulate_metadata(a, s, portal_now(), &metadata, &err), &err);
	ASSERT_OK(saml_metadata_parse_role(a, metadata, NULL, true, &idp, &err), &err);
	const struct saml_asked asked = {.idp = idp,
					 .our_entity_id = PORTAL_ENTITY,
					 .acs_url = PORTAL_ACS,
					 .request_id = "_request1",
					 .asked_at = portal_now() - 10,
					 .encrypted = true};

	return saml_answer_decode(
		       a,
		       bytes_of(arena_printf(a, "SAMLResponse=%s&RelayState=" RELAY,
					     portal_percent(a, bytes_of(carrier->value)))),
		       &m, &err) &&
	       saml_answer_verify(a, m, &asked, &with, portal_now(), out, &err);
}

static const char *
told(const struct saml_answered *s, const char *name, const char **level)
{
	const struct saml_told_attribute *at = saml_told_find(s, name);

	*level = at == NULL ? NULL : at->trust_level;
	return at == NULL ? NULL : saml_told_text(a, at->value[0]);
}

static void
a_good_answer_tells_what_was_asked_at_its_level(void **state UNUSED)
{
	struct sim_case c = posted(bundid, request);
	struct saml_carrier carrier = answer(&c, "erika", "success");
	const struct saml_answered *s;
	const char *level;

	ASSERT_OK(takes(bundid, &carrier, &s), &err);
	assert_int_equal(s->outcome, SAML_OUTCOME_LOGIN);
	assert_string_equal(s->class_ref, "STORK-QAA-Level-4");
	assert_string_equal(s->nameid.format, SAML_NAMEID_TRANSIENT);
	assert_int_equal(s->n_attributes, 4);
	assert_string_equal(told(s, "urn:oid:2.5.4.4", &level), "Mustermann");
	assert_string_equal(level, "HOCH");
	assert_non_null(told(s, "urn:oid:0.9.2342.19200300.100.1.3", &level));
	assert_string_equal(level, "NORMAL");
	assert_string_equal(told(s, "urn:oid:1.3.6.1.4.1.25484.494450.2", &level), "eID");
	/* The same person has the same pseudonym, and no other portal's. */
	const char *bpk2 = told(s, "urn:oid:1.3.6.1.4.1.25484.494450.3", &level);

	assert_int_equal(strlen(bpk2), 43);
	carrier = answer(&c, "erika", "success");
	ASSERT_OK(takes(bundid, &carrier, &s), &err);
	assert_string_equal(told(s, "urn:oid:1.3.6.1.4.1.25484.494450.3", &level), bpk2);
	/* A lower means caps every attribute. */
	const struct sim_choice low = {.person = sim_person_find(&bundid->persons, "erika"),
				       .level = LEVEL_SUBSTANTIAL,
				       .outcome = sim_outcome_find(bundid->kind, "success")};

	ASSERT_OK(sim_answer(&c, &low, &carrier, &err), &err);
	ASSERT_OK(takes(bundid, &carrier, &s), &err);
	assert_string_equal(s->class_ref, "STORK-QAA-Level-3");
	assert_non_null(told(s, "urn:oid:2.5.4.4", &level));
	assert_string_equal(level, "SUBSTANTIELL");
}

static void
every_test_person_can_be_told_of(void **state UNUSED)
{
	const char *all =
		replace(a, request, cut(a, request, "<akdb:AuthnM", "</akdb:AuthnMethods>"), "");
	const char *names = "";

	all = replace(a, all, "STORK-QAA-Level-3", "STORK-QAA-Level-1");
	for (const struct sim_name *n = bundid->kind->names; n->friendly != NULL; n++)
		names = arena_printf(a, "%s<akdb:RequestedAttribute Name=\"%s\"/>", names, n->wire);
	all = replace(a, all, cut(a, all, "<akdb:RequestedAttribute ", "RequestedAttributes>"),
		      arena_printf(a, "%s</akdb:RequestedAttributes>", names));
	for (size_t i = 0; i < bundid->persons.n; i++) {
		struct sim_case c = posted(bundid, all);
		const struct sim_person *p = &bundid->persons.p[i];
		const struct saml_answered *s;
		const char *level;

		breaks(&c, "", NULL);
		struct saml_carrier carrier = answer(&c, p->id, "success");

		ASSERT_OK(takes(bundid, &carrier, &s), &err);
		assert_string_equal(told(s, "urn:oid:1.3.6.1.4.1.25484.494450.2", &level),
				    p->method);
		assert_true(p->temporary ==
			    (saml_told_find(s, "urn:oid:1.3.6.1.4.1.25484.494450.3") == NULL));
		/* As plain text, so that the schema sees inside. */
		answer(&c, p->id, "unencrypted");
	}
}

static void
what_bundid_would_not_say_is_a_status(void **state UNUSED)
{
	static const struct {
		const char *person, *outcome;
		enum saml_outcome means;
	} rows[] = {
		{"erika", "cancelled", SAML_OUTCOME_CANCELLED},
		{"erika", "level-not-reached", SAML_OUTCOME_LEVEL},
		{"erika", "consent-refused", SAML_OUTCOME_REFUSED},
		{"erika", "technical-error", SAML_OUTCOME_FAILED},
		{"anna", "success", SAML_OUTCOME_LEVEL},  /* below what was asked */
		{"fiona", "success", SAML_OUTCOME_LEVEL}, /* by a means that is not allowed */
	};
	struct sim_case c = posted(bundid, request);
	const struct saml_answered *s;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct saml_carrier carrier = answer(&c, rows[i].person, rows[i].outcome);

		ASSERT_OK(takes(bundid, &carrier, &s), &err);
		assert_int_equal(s->outcome, rows[i].means);
	}
	/* A required attribute is not given (BundID 9.7). */
	static const char *const withheld[] = {"surname"};
	const struct sim_choice choice = {.person = sim_person_find(&bundid->persons, "erika"),
					  .outcome = sim_outcome_find(bundid->kind, "success"),
					  .withheld = withheld,
					  .n_withheld = 1};
	struct saml_carrier carrier;

	ASSERT_OK(sim_answer(&c, &choice, &carrier, &err), &err);
	const char *xml = text_of(a, portal_unpack(a, &carrier));

	assert_schema_valid(a, bytes_of(xml));
	assert_non_null(strstr(xml, "IDP_REQUIRED_ATTRIBUTES_MISSING"));
	assert_non_null(strstr(xml, "security-msg"));
	assert_null(strstr(xml, "KONTOR"));
	assert_null(strstr(xml, "Assertion"));
}

static void
a_refused_request_is_answered_with_its_status(void **state UNUSED)
{
	struct sim_case c = posted(bundid, replace(a, request, "Testamt", ""));
	const struct saml_answered *s;
	struct saml_carrier carrier;

	ASSERT_OK(sim_refuse(&c, &carrier, &err), &err);
	assert_non_null(strstr(text_of(a, portal_unpack(a, &carrier)),
			       "organization-display-name-missing"));
	ASSERT_OK(takes(bundid, &carrier, &s), &err);
	assert_int_equal(s->outcome, SAML_OUTCOME_FAILED);
	c = posted(bundid, replace(a, request, PORTAL_ACS, "https://amt24.example/elsewhere"));
	ASSERT_REFUSED(sim_refuse(&c, &carrier, &err), &err, ERR_DENIED, "nobody can be told");
}

static void
each_broken_answer_is_broken_in_its_own_way(void **state UNUSED)
{
	static const struct {
		const char *outcome, *why;
	} rows[] = {
		{"expired", "NotOnOrAfter"},
		{"not-yet-valid", "NotBefore has not come"},
		{"wrong-audience", "another audience"},
		{"wrong-recipient", "Recipient"},
		{"wrong-destination", "Destination"},
		{"wrong-issuer", "another provider"},
		{"wrong-in-response-to", "InResponseTo"},
		{"unsolicited", "InResponseTo"},
		{"unencrypted", "encrypted"},
		{"unsigned", "Response is not signed"},
		{"stranger", "no key of the sender"},
		{"altered", "content is not what was signed"},
	};
	struct sim_case c = posted(bundid, request);
	const struct saml_answered *s;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct saml_carrier carrier = answer(&c, "erika", rows[i].outcome);

		if (takes(bundid, &carrier, &s))
			fail_msg("%s was taken", rows[i].outcome);
		if (strcasestr(err.text, rows[i].why) == NULL)
			fail_msg("%s was refused for: %s", rows[i].outcome, err.text);
	}
	struct saml_carrier carrier = answer(&c, "erika", "lower-level");

	ASSERT_OK(takes(bundid, &carrier, &s), &err);
	assert_string_equal(s->class_ref, "STORK-QAA-Level-2");
}

static void
an_answer_can_be_repeated(void **state UNUSED)
{
	struct sim_case c = posted(bundid, request);
	struct saml_carrier first = answer(&c, "erika", "success");
	const struct saml_answered *s, *again;
	struct saml_carrier carrier = answer(&c, "elmar", "replayed");

	assert_string_equal(carrier.value, first.value);
	ASSERT_OK(takes(bundid, &first, &s), &err);
	carrier = answer(&c, "elmar", "same-assertion");
	assert_string_not_equal(carrier.value, first.value);
	ASSERT_OK(takes(bundid, &carrier, &again), &err);
	assert_string_equal(again->assertion_id, s->assertion_id);
	/* What was answered with a status, or broken, is not what is repeated. */
	answer(&c, "erika", "cancelled");
	answer(&c, "erika", "expired");
	carrier = answer(&c, "erika", "replayed");
	assert_string_equal(carrier.value, first.value);
}

static void
nothing_is_repeated_before_there_was_an_answer(void **state UNUSED)
{
	const char *plain = replace(a, request, BUNDID "/profile/SAML2/POST/SSO",
				    "/test-double/organisation/ekona/sso");
	struct sim_case c = posted(organisation, plain);
	static const char *const outcomes[] = {"replayed", "same-assertion"};
	struct saml_carrier carrier;

	organisation->portals[0].message = organisation->portals[0].assertion_id = NULL;
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		const struct sim_choice choice = {
			.person = &organisation->persons.p[0],
			.outcome = sim_outcome_find(organisation->kind, outcomes[i])};

		ASSERT_REFUSED(sim_answer(&c, &choice, &carrier, &err), &err, ERR_CONFLICT,
			       "no answer yet");
	}
}

static void
organisations_are_told_of_in_their_words(void **state UNUSED)
{
	const char *plain = replace(a, request, BUNDID "/profile/SAML2/POST/SSO",
				    "/test-double/organisation/ekona/sso");
	struct sim_case c = posted(organisation, plain);
	const struct saml_answered *s, *other;
	const char *level;

	for (size_t i = 0; i < organisation->persons.n; i++) {
		answer(&c, organisation->persons.p[i].id, "unencrypted");
		struct saml_carrier carrier = answer(&c, organisation->persons.p[i].id, "success");

		ASSERT_OK(takes(organisation, &carrier, &s), &err);
		assert_string_equal(s->nameid.format, SAML_NAMEID_PERSISTENT);
		assert_memory_equal(s->nameid.value, "ek-", 3);
		assert_string_equal(told(s, "IstTestkonto", &level), "false");
		assert_null(level);
	}
	struct saml_carrier carrier = answer(&c, "handel-chefin", "success");

	ASSERT_OK(takes(organisation, &carrier, &s), &err);
	assert_string_equal(told(s, "Firmenname", &level), "Testhandel GmbH");
	assert_string_equal(told(s, "ElsterVertrauensniveauAuthentifizierung", &level),
			    "substanziell");
	assert_non_null(saml_told_find(s, "Unternehmensanschrift"));
	/* Another certificate of the same organisation. */
	carrier = answer(&c, "handel-sachbearbeiter", "success");
	ASSERT_OK(takes(organisation, &carrier, &other), &err);
	assert_string_equal(told(s, "DatenuebermittlerPseudonymId", &level),
			    told(other, "DatenuebermittlerPseudonymId", &level));
	assert_string_not_equal(s->nameid.value, other->nameid.value);
	carrier = answer(&c, "verein", "test-account");
	ASSERT_OK(takes(organisation, &carrier, &s), &err);
	assert_string_equal(told(s, "IstTestkonto", &level), "true");
	carrier = answer(&c, "verein", "lower-level");
	ASSERT_OK(takes(organisation, &carrier, &s), &err);
	assert_string_equal(told(s, "ElsterVertrauensniveauAuthentifizierung", &level),
			    "basisregistrierung");
}

/* ---- persons of the tester's own ---- */

static void
persons_are_read_strictly(void **state UNUSED)
{
	static const struct {
		const char *json, *why;
	} rows[] = {
		{"{}", "nobody"},
		{"{\"persons\":[{}]}", "person 1: id"},
		{"{\"persons\":[{\"id\":\"a\"}]}", "title"},
		{"{\"persons\":[{\"id\":\"a\",\"title\":\"A\"}]}", "level"},
		{"{\"persons\":[{\"id\":\"a\",\"title\":{\"de\":\"A\"},\"level\":\"high\"}]}",
		 "title"},
		{"{\"persons\":[{\"id\":\"a\",\"title\":\"A\",\"level\":\"high\"}]}", "method"},
		{"{\"persons\":[{\"id\":\"a\",\"title\":\"A\",\"level\":\"high\",\"method\":"
		 "\"eID\","
		 "\"attributes\":{\"shoeSize\":\"43\"}}]}",
		 "no 'shoeSize' at the BundID"},
		{"{\"persons\":[{\"id\":\"a\",\"title\":\"A\",\"level\":\"high\",\"method\":"
		 "\"eID\","
		 "\"attributes\":{\"bPK2\":\"x\"}}]}",
		 "'bPK2' follows from the login"},
		{"{\"persons\":[{\"id\":\"a\",\"title\":\"A\",\"level\":\"high\",\"method\":"
		 "\"eID\","
		 "\"attributes\":{\"mail\":1}}]}",
		 "mail: a text, or an object"},
		{"{\"persons\":[{\"id\":\"a\",\"title\":\"A\",\"level\":\"high\",\"method\":"
		 "\"eID\"},"
		 "{\"id\":\"a\",\"title\":\"A\",\"level\":\"high\",\"method\":\"eID\"}]}",
		 "person 2: there is a 'a' already"},
	};
	struct sim_persons list;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_REFUSED(
			sim_persons_read(a, bundid->kind, bytes_of(rows[i].json), &list, &err),
			&err, ERR_INPUT, rows[i].why);
	ASSERT_REFUSED(sim_persons_read(a, organisation->kind,
					bytes_of("{\"persons\":[{\"id\":\"a\",\"title\":\"A\","
						 "\"level\":\"high\",\"attributes\":{\"Anschrift\":"
						 "\"x\"}}]}"),
					&list, &err),
		       &err, ERR_INPUT, "Anschrift: an object of its parts");
}

/* ---- over HTTP ---- */

static struct response
call(struct simulate *s, const char *line, const char *headers, const char *body)
{
	struct raw_text t;
	struct response rs;
	char length[32];

	snprintf(length, sizeof(length), "%zu", strlen(body));
	raw_text_init(&t, line,
		      arena_printf(a, HOST "\n%s%s%s", headers,
				   body[0] == '\0' ? ""
						   : "Content-Type: application/x-www-form-"
						     "urlencoded\nContent-Length: ",
				   body[0] == '\0' ? "" : length));
	t.raw.body = bytes_of(body);
	t.raw.peer = "127.0.0.1";
	app_handle(&s->app, a, &t.raw, NULL, &rs);
	return rs;
}

static const char *
page(const struct response *rs)
{
	return text_of(a, rs->body);
}

static void
has(const struct response *rs, int status, const char *text)
{
	if (rs->status != status || strstr(page(rs), text) == NULL)
		fail_msg("%d with \"%s\" expected, not %d: %s", status, text, rs->status, page(rs));
}

/* The value of a hidden field. */
static const char *
field(const struct response *rs, const char *name)
{
	const char *at = strstr(page(rs), arena_printf(a, "name=\"%s\" value=\"", name));

	assert_non_null(at);
	at = strstr(at, "value=\"") + strlen("value=\"");
	return arena_strndup(a, at, strcspn(at, "\""));
}

static void
its_pages_say_what_it_is_and_lead_to_an_answer(void **state UNUSED)
{
	struct response rs = call(bundid, "GET / HTTP/1.1", "", "");

	has(&rs, 200, "TESTDOUBLE BundID");
	has(&rs, 200, "nur zum Testen");
	rs = call(bundid, "GET /?lang=en HTTP/1.1", "", "");
	has(&rs, 200, "for tests only");
	rs = call(bundid, "GET " BUNDID " HTTP/1.1", "", "");
	has(&rs, 200, "TEST DOUBLE BundID");
	assert_schema_valid(a, rs.body);
	assert_string_equal(response_find(&rs, "Content-Type"), "application/samlmetadata+xml");
	rs = call(bundid, "POST " POST " HTTP/1.1", "",
		  portal_form(a, "SAMLRequest", request, RELAY));
	has(&rs, 200, "Anfrage eines Portals");
	has(&rs, 200, "Erika Mustermann");
	const char *wire = field(&rs, "wire");

	/* In another language, without an answer. */
	rs = call(bundid, "POST /choice HTTP/1.1", "",
		  arena_printf(a, "binding=post&wire=%s&lang=en", wire));
	has(&rs, 200, "A portal");
	rs = call(bundid, "POST /choice HTTP/1.1", "",
		  arena_printf(a,
			       "binding=post&wire=%s&do=answer&person=erika&level=&outcome=success"
			       "&a_surname=1",
			       wire));
	has(&rs, 200, "action=\"" PORTAL_ACS "\"");
	const struct saml_carrier carrier = {.value = field(&rs, "SAMLResponse")};
	const struct saml_answered *s;

	assert_string_equal(field(&rs, "RelayState"), RELAY);
	ASSERT_OK(takes(bundid, &carrier, &s), &err);
	assert_int_equal(s->n_attributes, 1); /* the others were not ticked */
	rs = call(bundid, "POST /choice HTTP/1.1", "",
		  arena_printf(a, "binding=post&wire=%s&do=answer&person=nobody&outcome=success",
			       wire));
	assert_int_equal(rs.status, 404);
	rs = call(bundid, "POST /choice HTTP/1.1", "", "binding=post&do=answer");
	assert_int_equal(rs.status, 400);
}

static void
a_bad_request_gets_a_page_and_the_button_for_its_status(void **state UNUSED)
{
	struct response rs =
		call(bundid, "POST " POST " HTTP/1.1", "Accept-Language: en\n",
		     portal_form(a, "SAMLRequest", replace(a, request, "Testamt", ""), RELAY));

	has(&rs, 400, "Rule 30 demands:");
	has(&rs, 400, "BundID 9, 9.6");
	has(&rs, 400, "organization-display-name-missing");
	rs = call(bundid, "POST /choice HTTP/1.1", "",
		  arena_printf(a, "binding=post&wire=%s&do=refuse", field(&rs, "wire")));
	has(&rs, 200, "action=\"" PORTAL_ACS "\"");
	rs = call(bundid, "POST " POST " HTTP/1.1", "Accept-Language: en\n", "SAMLRequest=x");
	has(&rs, 400, "Rule 1 demands:");
	has(&rs, 400, "no answer to the portal");
	/* Under another name nobody is served: a page elsewhere cannot make itself ours. */
	struct raw_text t;

	raw_text_init(&t, "GET / HTTP/1.1", "Host: evil.example");
	app_handle(&bundid->app, a, &t.raw, NULL, &rs);
	assert_int_equal(rs.status, 421);
}

static void
programs_set_what_is_answered_at_once(void **state UNUSED)
{
	const char *form = portal_form(a, "SAMLRequest", request, RELAY);
	struct response rs =
		call(bundid, "POST /answer HTTP/1.1", "", "person=elmar&outcome=cancelled");
	const struct saml_answered *s;

	has(&rs, 200, "\"outcome\":\"cancelled\"");
	rs = call(bundid, "GET / HTTP/1.1", "", "");
	has(&rs, 200, "Von der Person abgebrochen");
	rs = call(bundid, "POST " POST " HTTP/1.1", "", form);
	has(&rs, 200, "action=\"" PORTAL_ACS "\"");
	struct saml_carrier carrier = {.value = field(&rs, "SAMLResponse")};

	ASSERT_OK(takes(bundid, &carrier, &s), &err);
	assert_int_equal(s->outcome, SAML_OUTCOME_CANCELLED);
	/* What is wrong is told all the same. */
	rs = call(bundid, "POST " POST " HTTP/1.1", "", "SAMLRequest=x");
	assert_int_equal(rs.status, 400);
	rs = call(bundid, "POST /answer HTTP/1.1", "", "person=nobody");
	assert_int_equal(rs.status, 404);
	rs = call(bundid, "POST /answer HTTP/1.1", "", "person=erika&outcome=nothing");
	assert_int_equal(rs.status, 404);
	rs = call(bundid, "POST /answer HTTP/1.1", "Origin: https://evil.example\n",
		  "person=erika");
	assert_int_equal(rs.status, 403);
	rs = call(bundid, "GET /answer HTTP/1.1", "", "");
	has(&rs, 200, "\"person\":\"elmar\"");
	rs = call(bundid, "POST /answer HTTP/1.1", "", "person=");
	has(&rs, 200, "{\"persons\"");
	rs = call(bundid, "POST " POST " HTTP/1.1", "", form);
	has(&rs, 200, "Anfrage eines Portals");
}

static void
a_logout_is_answered(void **state UNUSED)
{
	const char *logout = replace(a, portal_logout_request, PORTAL_SLO, BASE SLO);
	struct response rs = call(bundid,
				  arena_printf(a, "GET " SLO "?%s HTTP/1.1",
					       portal_query(a, "SAMLRequest", logout, RELAY)),
				  "", "");

	assert_int_equal(rs.status, 303);
	assert_memory_equal(response_find(&rs, "Location"), "https://amt24.example/saml/slo-done?",
			    36);
	rs = call(bundid,
		  arena_printf(a, "GET " SLO "?%s HTTP/1.1",
			       portal_query_unsigned(a, "SAMLRequest", logout, RELAY)),
		  "", "");
	assert_int_equal(rs.status, 403);
	rs = call(bundid,
		  arena_printf(a, "GET " SLO "?%s HTTP/1.1",
			       portal_query(a, "SAMLRequest", portal_logout_request, RELAY)),
		  "", "");
	assert_int_equal(rs.status, 403);
	rs = call(bundid, "POST " SLO " HTTP/1.1", "",
		  portal_form(a, "SAMLRequest", request, RELAY));
	assert_int_equal(rs.status, 400);
	rs = call(bundid, "POST " SLO " HTTP/1.1", "",
		  portal_form(a, "SAMLRequest",
			      replace(a, logout, PORTAL_ENTITY, "https://other.example/sp"),
			      RELAY));
	assert_int_equal(rs.status, 404);
}

/* ---- opening ---- */

static void
what_it_is_opened_with_is_checked(void **state UNUSED)
{
	const char *metadata = portal_metadata(a, keys);
	const struct bytes twice[] = {bytes_of(metadata), bytes_of(metadata)};
	const struct sim_options good = {.kind = bundid->kind,
					 .base_url = BASE,
					 .portals = twice,
					 .n_portals = 1,
					 .suite = "es256",
					 .now = portal_now()};
	struct sim_options o = good;
	struct simulate s = {0};

	o.n_portals = 2;
	ASSERT_REFUSED(simulate_open(a, &o, &s, &err), &err, ERR_CONFLICT, "is there twice");
	o = good;
	o.suite = "sha1";
	s = (struct simulate){0};
	ASSERT_REFUSED(simulate_open(a, &o, &s, &err), &err, ERR_INPUT, "ps256, rs256 or es256");
	o = good;
	o.base_url = "http://127.0.0.1/path";
	s = (struct simulate){0};
	ASSERT_REFUSED(simulate_open(a, &o, &s, &err), &err, ERR_INPUT, "url: ");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_request_as_the_interface_has_it_is_right),
		TEST(each_fault_is_told_by_its_rule_and_no_other),
		TEST(what_is_no_request_is_told),
		TEST(all_faults_of_a_request_are_told_at_once),
		TEST(old_signatures_are_advised_against),
		TEST(the_organisation_account_has_its_own_rules),
		TEST(metadata_are_judged_too),
		TEST(every_rule_has_a_number_of_its_own_and_is_documented),
		TEST(every_rule_was_seen_broken),
		TEST(a_good_answer_tells_what_was_asked_at_its_level),
		TEST(every_test_person_can_be_told_of),
		TEST(what_bundid_would_not_say_is_a_status),
		TEST(a_refused_request_is_answered_with_its_status),
		TEST(each_broken_answer_is_broken_in_its_own_way),
		TEST(an_answer_can_be_repeated),
		TEST(nothing_is_repeated_before_there_was_an_answer),
		TEST(organisations_are_told_of_in_their_words),
		TEST(persons_are_read_strictly),
		TEST(its_pages_say_what_it_is_and_lead_to_an_answer),
		TEST(a_bad_request_gets_a_page_and_the_button_for_its_status),
		TEST(programs_set_what_is_answered_at_once),
		TEST(a_logout_is_answered),
		TEST(what_it_is_opened_with_is_checked),
	};
#undef TEST

	return cmocka_run_group_tests(tests, setup_doubles, teardown_doubles);
}
