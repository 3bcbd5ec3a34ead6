/* saml/metadata_diff.c: each rule sees its change and no other, and what is grave is never plain.
 */
#include "saml/metadata_diff.h"

#include "base/conf.h"
#include "base/enc.h"
#include "keys/cert_build.h"
#include "saml/names.h"
#include "tests/saml/portal.h"
#include "tests/test.h"

static struct arena *a;
static struct test_keys *keys;
static const char *whole; /* portal_metadata */

/* Descriptors of keys of the portal's own, and of others. */
static const char *signing, *signing2, *encryption, *encryption2, *renewed;

static const char *
descriptor(const char *use, struct bytes cert, const char *more)
{
	return arena_printf(a,
			    "<md:KeyDescriptor use=\"%s\"><ds:KeyInfo><ds:X509Data>"
			    "<ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
			    "%s</md:KeyDescriptor>",
			    use, enc_base64(a, cert), more);
}

static const struct saml_party *
party(const char *xml)
{
	const struct saml_party *p = NULL;
	struct err err = {0};

	ASSERT_OK(saml_metadata_parse_role(a, bytes_of(xml), NULL,
					   strstr(xml, "<md:IDPSSODescriptor") != NULL, &p, &err),
		  &err);
	return p;
}

static struct saml_changes
diff(const char *before, const char *after)
{
	struct saml_changes c;

	saml_metadata_diff(a, party(before), party(after), false, &c);
	return c;
}

#define ACS "Location=\"https://amt24.example/saml/acs2\""
/* Another endpoint before the one that the text goes on with; for clients without a browser. */
#define CLIENT(url)                                                                         \
	" index=\"8\"/><md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:" \
	"bindings:PAOS\" Location=\"" url "\""
#define ROLE     "<md:SPSSODescriptor "
#define UNTIL    ROLE "validUntil=\"2027-02-01T00:00:00Z\" "
#define LATER    ROLE "validUntil=\"2027-03-01T00:00:00Z\" "
#define ASKED    "<md:RequestedAttribute Name=\"urn:oid:2.5.4.4\""
#define SERVICE1 "<md:AttributeConsumingService index=\"1\""
/* One more, where what service 1 requires can be declined. */
#define OPTIONAL(index)                                            \
	"<md:AttributeConsumingService index=\"" index "\">"       \
	"<md:ServiceName xml:lang=\"de\">Anfrage</md:ServiceName>" \
	"<md:RequestedAttribute Name=\"urn:oid:2.5.4.42\"/></md:AttributeConsumingService>"
#define ENC_METHOD                                                                    \
	"<md:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-" \
	"mgf1p\"/>"
#define SUBJECT_ID(v)                                                                      \
	"<md:Extensions><mdattr:EntityAttributes xmlns:mdattr=\"urn:oasis:names:tc:SAML:"  \
	"metadata:attribute\"><saml:Attribute xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:"   \
	"assertion\" Name=\"urn:oasis:names:tc:SAML:profiles:subject-id:req\" NameFormat=" \
	"\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\"><saml:AttributeValue>" v      \
	"</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes></md:Extensions>" ROLE

/* `from` of the whole becomes `was` before and `is` after; the gravest change is of this rule. */
static const struct row {
	const char *rule, *from, *was, *is, *part;
} rows[] = {
	{"entity-id", "entityID=\"" PORTAL_ENTITY, NULL, "entityID=\"https://evil.example/sp",
	 "another entity: https://evil.example/sp"},
	{"acs-host", ACS, NULL, "Location=\"https://evil.example/saml/acs2\"",
	 "not before: https://evil.example"},
	{"acs-host", ACS, NULL, "Location=\"https://amt24.example:8443/saml/acs2\"",
	 "not before: https://amt24.example:8443"},
	{"acs-host", ACS, NULL, "Location=\"http://amt24.example/saml/acs2\"",
	 "not before: http://amt24.example"},
	{"acs-host", ACS, NULL, "Location=\"https://amt24.example.evil.example/saml/acs2\"",
	 "https://amt24.example.evil.example"},
	{"acs-host", ACS, NULL, "Location=\"https://amt24.example@evil.example/\"",
	 "https://amt24.example@evil.example"},
	{"acs-host", ACS, NULL,
	 "Location=\"https://amt24.example?.evil.example/\" "
	 "ResponseLocation=\"https://evil.example/\"",
	 "not before: https://evil.example"},
	{"acs-host", ACS, NULL, ACS CLIENT("https://evil.example/paos"),
	 "not before: https://evil.example"},
	{"acs", ACS, NULL, ACS CLIENT("https://amt24.example/paos"), "/paos is new"},
	{"acs", ACS, ACS CLIENT("https://amt24.example/paos"), ACS, "/paos is gone"},
	{"slo-host", "\"https://amt24.example/saml/slo-post\"", NULL,
	 "\"https://evil.example/slo\"", "not before: https://evil.example"},
	{"slo-host", "\"https://amt24.example/saml/slo-done?x=1\"", NULL,
	 "\"https://evil.example/done\"", "not before: https://evil.example"},
	{"signing-keys-gone", "{SIGNING}", NULL, "", "cannot be verified"},
	{"encryption-keys-gone", "{ENCRYPTION}", NULL, "", "would go in clear"},
	{"encryption-keys-gone", "{ENCRYPTION}", "{ENCRYPTION2}", "{UNUSABLE}", "that we can use"},
	{"signing-key-replaced", "{SIGNING}", NULL, "{SIGNING2}", "takes the place of all"},
	{"encryption-key-replaced", "{ENCRYPTION}", NULL, "{ENCRYPTION2}",
	 "takes the place of all"},
	{"encryption-weaker", "{ENCRYPTION}", NULL, "{WEAK}", "with SHA-1"},
	{"requests-unsigned", " AuthnRequestsSigned=\"true\"", NULL, "", "AuthnRequestsSigned"},
	{"requests-unsigned", "AuthnRequestsSigned=\"true\"", NULL, "AuthnRequestsSigned=\"false\"",
	 "AuthnRequestsSigned"},
	{"assertions-unsigned", "WantAssertionsSigned=\"true\"", NULL, "WantAssertionsSigned=\"0\"",
	 "WantAssertionsSigned"},
	{"shorter-validity", ROLE, NULL, UNTIL, "2027-02-01T00:00:00Z, before without end"},
	{"shorter-validity", ROLE, LATER, UNTIL,
	 "2027-02-01T00:00:00Z, before 2027-03-01T00:00:00Z"},
	{"name", ">Amt24<", NULL, ">Finanzamt<", "is \"Finanzamt\""},
	{"attribute-new", ASKED, NULL, "<md:RequestedAttribute Name=\"urn:oid:2.5.4.7\"/>" ASKED,
	 "asks for \"urn:oid:2.5.4.7\""},
	{"attribute-required", ASKED, NULL, ASKED " isRequired=\"true\"",
	 "\"urn:oid:2.5.4.4\" is required"},
	/* By the service that counts, though another one required it before. */
	{"attribute-required", SERVICE1 " isDefault=\"true\">",
	 OPTIONAL("7\" isDefault=\"true") SERVICE1 ">",
	 OPTIONAL("7") SERVICE1 " isDefault=\"true\">", "\"urn:oid:2.5.4.42\" is required"},
	{"attribute-required", SERVICE1 " isDefault=\"true\">", OPTIONAL("7") SERVICE1 ">",
	 SERVICE1 " isDefault=\"true\">", "\"urn:oid:2.5.4.42\" is required"},
	{"attribute-required", SERVICE1 " isDefault=\"true\">",
	 OPTIONAL("1") "<md:AttributeConsumingService index=\"7\" isDefault=\"true\">",
	 OPTIONAL("7") SERVICE1 " isDefault=\"true\">", "\"urn:oid:2.5.4.42\" is required"},
	{"subject-id", ROLE, SUBJECT_ID("pairwise-id"), SUBJECT_ID("subject-id"),
	 "is subject-id, before pairwise-id"},
	{"subject-id", ROLE, NULL, SUBJECT_ID("any"), "is any, before not stated"},
	{"subject-id", ROLE, SUBJECT_ID("any"), ROLE, "is not stated, before any"},
	{"acs", ACS, NULL, "Location=\"https://amt24.example/saml/acs3\"", "is new"},
	{"acs", ACS, "Location=\"HTTPS://AMT24.example:443/saml/acs2\"", ACS, "is new"},
	{"acs", "Location=\"https://amt24.example/saml/acs2\" index=\"1\"", NULL,
	 "Location=\"https://amt24.example/saml/acs2\" index=\"7\"", "is new"},
	{"acs-default", "index=\"0\" isDefault=\"true\"", "index=\"0\"",
	 "index=\"0\" isDefault=\"false\"", "before to " PORTAL_ACS},
	{"slo", "\"https://amt24.example/saml/slo-post\"", NULL, "\"https://amt24.example/out\"",
	 "/out is new"},
	{"recipient-key", "{ENCRYPTION}", NULL, "{ENCRYPTION2}{ENCRYPTION}", "encrypted to key"},
	{"recipient-key", "{ENCRYPTION}", "{ENCRYPTION}{ENCRYPTION2}", "{ENCRYPTION2}{ENCRYPTION}",
	 "encrypted to key"},
	{"recipient-key", "{ENCRYPTION}", "{ENCRYPTION}{ENCRYPTION2}", "{ENCRYPTION2}",
	 "encrypted to key"},
	{"signing-key-new", "{SIGNING}", NULL, "{SIGNING}{SIGNING2}", "is new"},
	{"signing-key-new", "{SIGNING}", "", "{SIGNING}", "is new"},
	{"keys", "{SIGNING}", "{SIGNING}{SIGNING2}", "{SIGNING2}", "is gone"},
	{"keys", "{ENCRYPTION}", NULL, "{ENCRYPTION}{ENCRYPTION2}", "encryption key"},
	{"certificate", "{SIGNING}", NULL, "{RENEWED}", "in another certificate"},
	{"signed-more", " AuthnRequestsSigned=\"true\"", "", " AuthnRequestsSigned=\"true\"",
	 "AuthnRequestsSigned is true now"},
	{"signed-more", " WantAssertionsSigned=\"true\"", "", " WantAssertionsSigned=\"true\"",
	 "WantAssertionsSigned is true now"},
	{"services", ASKED "/>", NULL, "", "AttributeConsumingService"},
	{"services", "Wohngeld", NULL, "Kindergeld", "AttributeConsumingService"},
	{"services", ASKED, ASKED " isRequired=\"true\"", ASKED, "AttributeConsumingService"},
	{"formats", SAML_NAMEID_PERSISTENT, NULL, SAML_NAMEID_TRANSIENT, "NameIDFormat"},
	{"algorithms", "{ENCRYPTION}", NULL, "{METHOD}", "algorithms"},
	{"people", "Das Amt", NULL, "Ein Amt", "Organization"},
	{"people", "technik@", NULL, "support@", "ContactPerson"},
	{"longer-validity", ROLE, UNTIL, LATER,
	 "2027-03-01T00:00:00Z, before 2027-02-01T00:00:00Z"},
	{"longer-validity", ROLE, UNTIL, ROLE, "without end"},
	{"cache-duration", ROLE, NULL, ROLE "cacheDuration=\"PT6H\" ", "cacheDuration"},
};

/* The whole with `from` replaced, descriptors written as {NAMES}. */
static const char *
edited(const char *xml, const char *from, const char *to)
{
	const struct {
		const char *name, *text;
	} names[] = {
		{"{SIGNING}", signing},
		{"{SIGNING2}", signing2},
		{"{ENCRYPTION}", encryption},
		{"{ENCRYPTION2}", encryption2},
		{"{RENEWED}", renewed},
		{"{UNUSABLE}", descriptor("encryption", keys->dec_p256.cert,
					  "<md:EncryptionMethod Algorithm=\"http://www.w3.org/2009/"
					  "xmlenc11#dh-es\"/>")},
		{"{WEAK}", descriptor("encryption", keys->dec_rsa.cert, ENC_METHOD)},
		{"{METHOD}", descriptor("encryption", keys->dec_rsa.cert,
					"<md:EncryptionMethod Algorithm=\"http://www.w3.org/"
					"2009/xmlenc11#aes256-gcm\"/>")}};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(from, names[i].name) == 0)
			from = names[i].text;
		while (strstr(to, names[i].name) != NULL)
			to = replace(a, to, names[i].name, names[i].text);
	}
	return replace(a, xml, from, to);
}

static const char *
before_of(const struct row *r)
{
	return r->was == NULL ? whole : edited(whole, r->from, r->was);
}

static const struct saml_change_rule *
rule_named(const char *id)
{
	const struct saml_change_rule *rule;

	for (size_t i = 0; (rule = saml_change_rule_at(i)) != NULL; i++)
		if (strcmp(rule->id, id) == 0)
			return rule;
	fail_msg("no rule %s", id);
	return NULL;
}

static void
test_nothing_has_changed_when_nothing_has(void **state)
{
	struct saml_changes c = diff(whole, whole);

	(void)state;
	assert_int_equal(c.n, 0);
	assert_int_equal(saml_changes_risk(&c), SAML_RISK_RENEWAL);
	/* Neither the document's own id, nor white space, nor what people are to be told apart. */
	c = diff(whole, replace(a, whole, "entityID=", "ID=\"_x\" entityID="));
	assert_int_equal(c.n, 0);
}

static void
test_each_rule_sees_its_change_and_nothing_graver_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const struct saml_change_rule *rule = rule_named(r->rule);
		struct saml_changes c = diff(before_of(r), edited(whole, r->from, r->is));
		bool told = false;

		if (c.n == 0 || strcmp(c.p[0].rule, r->rule) != 0)
			fail_msg("row %zu: %s: %s", i, r->rule, c.n == 0 ? "none" : c.p[0].text);
		assert_int_equal(c.p[0].number, rule->number);
		assert_int_equal(c.p[0].risk, rule->risk);
		assert_int_equal(saml_changes_risk(&c), rule->risk);
		for (size_t k = 0; k < c.n; k++)
			told = told || (strcmp(c.p[k].rule, r->rule) == 0 &&
					strstr(c.p[k].text, r->part) != NULL);
		if (!told)
			fail_msg("row %zu: %s: %s", i, r->rule, c.p[0].text);
	}
}

/* An identity provider: where we ask, and for whom it speaks. */
#define SSO   "Location=\"https://konto.land.example/sso\""
#define SCOPE "<shibmd:Scope regexp=\"false\">land.example</shibmd:Scope>"

static const char provider[] =
	"<md:EntityDescriptor xmlns:md=\"" SAML_NS_METADATA "\" xmlns:ds=\"" SAML_NS_DS
	"\" xmlns:shibmd=\"" SAML_NS_SHIBMD "\" entityID=\"https://konto.land.example/\">"
	"<md:IDPSSODescriptor WantAuthnRequestsSigned=\"true\" protocolSupportEnumeration="
	"\"urn:oasis:names:tc:SAML:2.0:protocol\"><md:Extensions>" SCOPE "</md:Extensions>{SIGNING}"
	"<md:SingleSignOnService "
	"Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" " SSO
	"/></md:IDPSSODescriptor></md:EntityDescriptor>";

static const struct row provider_rows[] = {
	{"sso-host", SSO, NULL, "Location=\"https://evil.example/sso\"",
	 "not before: https://evil.example"},
	{"sso", SSO, NULL, "Location=\"https://konto.land.example/sso2\"", "/sso2 is new"},
	{"scope-new", SCOPE, NULL, SCOPE "<shibmd:Scope>stadt.example</shibmd:Scope>",
	 "speaks for stadt.example"},
	{"scope", SCOPE, NULL, "<x xmlns=\"urn:x\"/>", "not speak for land.example"},
	{"requests-wanted", "WantAuthnRequestsSigned=\"true\"", NULL, "", "not true any more"},
	{"signing-key-replaced", "{SIGNING}", NULL, "{SIGNING2}", "takes the place of all"},
	{"signing-keys-gone", "{SIGNING}", NULL, "", "cannot be verified"},
};

static void
test_rules_for_who_is_asked(void **state)
{
	const char *asked = replace(a, provider, "{SIGNING}", signing);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(provider_rows); i++) {
		const struct row *r = &provider_rows[i];
		struct saml_changes c = diff(asked, edited(asked, r->from, r->is));

		if (c.n == 0 || strcmp(c.p[0].rule, r->rule) != 0)
			fail_msg("row %zu: %s: %s", i, r->rule, c.n == 0 ? "none" : c.p[0].text);
		assert_int_equal(c.p[0].risk, rule_named(r->rule)->risk);
		if (strstr(c.p[0].text, r->part) == NULL)
			fail_msg("row %zu: %s", i, c.p[0].text);
	}
	/* A pattern is no scope: nobody knows whom it means. */
	struct saml_changes none = diff(asked, edited(asked, SCOPE,
						      SCOPE "<shibmd:Scope regexp=\"true\">.*"
							    "</shibmd:Scope>"));

	assert_int_equal(none.n, 0);
}

static void
test_every_rule_has_a_case_and_its_number_stays(void **state)
{
	/* API: append, never renumber. */
	static const struct {
		const char *id;
		int number;
	} known[] = {
		{"entity-id", 1},
		{"acs-host", 2},
		{"slo-host", 3},
		{"sso-host", 30},
		{"scope-new", 31},
		{"signing-keys-gone", 4},
		{"encryption-keys-gone", 5},
		{"signing-key-replaced", 6},
		{"encryption-key-replaced", 7},
		{"encryption-weaker", 8},
		{"requests-unsigned", 9},
		{"assertions-unsigned", 10},
		{"shorter-validity", 11},
		{"name", 12},
		{"attribute-new", 13},
		{"attribute-required", 14},
		{"subject-id", 15},
		{"recipient-key", 16},
		{"signing-key-new", 17},
		{"acs", 18},
		{"acs-default", 19},
		{"slo", 20},
		{"sso", 32},
		{"scope", 33},
		{"requests-wanted", 34},
		{"keys", 21},
		{"certificate", 22},
		{"signed-more", 23},
		{"services", 24},
		{"formats", 25},
		{"algorithms", 26},
		{"people", 27},
		{"longer-validity", 28},
		{"cache-duration", 29},
	};
	const struct saml_change_rule *rule;
	size_t n = 0;

	(void)state;
	for (; (rule = saml_change_rule_at(n)) != NULL; n++) {
		size_t cases = 0;

		assert_true(n < ARRAY_LEN(known));
		assert_string_equal(rule->id, known[n].id);
		assert_int_equal(rule->number, known[n].number);
		assert_true(rule->sentence[0] != '\0');
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			cases += strcmp(rows[i].rule, rule->id) == 0;
		for (size_t i = 0; i < ARRAY_LEN(provider_rows); i++)
			cases += strcmp(provider_rows[i].rule, rule->id) == 0;
		if (cases == 0)
			fail_msg("%s has no case", rule->id);
		if (n > 0) /* gravest first */
			assert_true(saml_change_rule_at(n - 1)->risk <= rule->risk);
	}
	assert_int_equal(n, ARRAY_LEN(known));
}

/* What may come at once, each alone: a new endpoint at a known host is no new host, and so on. */
static void
test_what_looks_like_a_risk_and_is_none(void **state)
{
	static const struct {
		const char *from, *was, *is;
	} plain[] = {
		/* The same place, otherwise written. */
		{ACS, NULL, "Location=\"https://AMT24.example:443/saml/acs9\""},
		/* Logout where answers went. */
		{"\"https://amt24.example/saml/slo-post\"", NULL, "\"https://amt24.example/x\""},
		/* Old and new beside each other, then the old one goes. */
		{"{SIGNING}", "{SIGNING2}{SIGNING}", "{SIGNING}"},
		{"{ENCRYPTION}", NULL, "{ENCRYPTION}{ENCRYPTION2}"},
		/* A key it did not have of that use takes nobody's place. */
		{"{ENCRYPTION}", "", "{ENCRYPTION}"},
		/* Asked for by one service more. */
		{"Name=\"urn:oid:2.5.4.16\"/>", NULL,
		 "Name=\"urn:oid:2.5.4.16\"/><md:RequestedAttribute Name=\"urn:oid:2.5.4.4\"/>"},
		{ROLE, UNTIL, LATER},
		{ROLE, UNTIL, ROLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		const char *was =
			plain[i].was == NULL ? whole : edited(whole, plain[i].from, plain[i].was);
		struct saml_changes c = diff(was, edited(whole, plain[i].from, plain[i].is));

		assert_true(c.n > 0);
		if (saml_changes_risk(&c) < SAML_RISK_PLAIN)
			fail_msg("case %zu: %s", i, c.p[0].text);
	}
}

/* What only a web server that was taken over could make up; nothing else. */
static void
test_a_pinned_signer_vouches_for_keys_beside_those_there_were(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const struct saml_change_rule *rule = rule_named(r->rule);
		struct saml_changes c;

		saml_metadata_diff(a, party(before_of(r)), party(edited(whole, r->from, r->is)),
				   true, &c);
		assert_int_equal(saml_changes_risk(&c),
				 rule->unless_signed ? SAML_RISK_PLAIN : rule->risk);
		for (size_t k = 1; k < c.n; k++)
			assert_true(c.p[k - 1].risk <= c.p[k].risk);
	}
	assert_true(rule_named("recipient-key")->unless_signed);
	assert_true(rule_named("signing-key-new")->unless_signed);
	assert_false(rule_named("signing-key-replaced")->unless_signed);
}

/* Any two changes together: what one of them demands, both demand, in either order. */
static void
test_a_grave_change_hides_behind_no_other(void **state)
{
	size_t step = test_size(5, 1), pairs = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t j = (i * 3) % step; j < ARRAY_LEN(rows); j += step) {
			const struct row *x = &rows[i], *y = &rows[j];
			const char *after;

			if (x->was != NULL || y->was != NULL || strcmp(x->from, y->from) == 0 ||
			    strstr(x->from, y->from) != NULL || strstr(y->from, x->from) != NULL ||
			    strstr(x->is, y->from) != NULL)
				continue;
			after = edited(whole, x->from, x->is);
			if (y->from[0] != '{' && strstr(after, y->from) == NULL)
				continue;
			struct saml_changes c = diff(whole, edited(after, y->from, y->is));
			enum saml_risk rx = rule_named(x->rule)->risk;
			enum saml_risk ry = rule_named(y->rule)->risk;

			if (saml_changes_risk(&c) > (rx < ry ? rx : ry))
				fail_msg("%s and %s: %s", x->rule, y->rule,
					 c.n == 0 ? "none" : c.p[0].text);
			pairs++;
		}
	assert_true(pairs > test_size(50, 400));
}

static void
test_what_is_asked_of_a_person_has_one_value(void **state)
{
	const char *evil = edited(whole, ACS, "Location=\"https://evil.example/acs\"");
	const char *other = edited(whole, ACS, "Location=\"https://other.example/acs\"");
	struct saml_changes c = diff(whole, evil), d;
	unsigned char x[32], y[32];

	(void)state;
	saml_changes_digest(a, &c, SAML_RISK_HELD, x);
	/* Signed anew, valid for longer, with another contact: the same question. */
	d = diff(whole, replace(a, replace(a, evil, "technik@", "hilfe@"),
				"entityID=", "ID=\"_y\" entityID="));
	saml_changes_digest(a, &d, SAML_RISK_HELD, y);
	assert_memory_equal(x, y, sizeof(x));
	/* When everything waits, the contact is part of it. */
	saml_changes_digest(a, &d, SAML_RISK_PLAIN, y);
	assert_memory_not_equal(x, y, sizeof(x));
	/* Another host is another question, and so is one more. */
	d = diff(whole, other);
	saml_changes_digest(a, &d, SAML_RISK_HELD, y);
	assert_memory_not_equal(x, y, sizeof(x));
	d = diff(whole, edited(evil, ">Amt24<", ">Amt<"));
	saml_changes_digest(a, &d, SAML_RISK_HELD, y);
	assert_memory_not_equal(x, y, sizeof(x));
}

/* One place is told once, however many endpoints are there. */
static void
test_a_host_is_told_once(void **state)
{
	struct saml_changes c = diff(
		whole, edited(edited(whole, ACS, "Location=\"https://new.example/2\""),
			      "Location=\"" PORTAL_ACS "\"", "Location=\"https://new.example/1\""));
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < c.n; i++)
		n += strcmp(c.p[i].rule, "acs-host") == 0;
	assert_int_equal(n, 1);
	assert_string_equal(c.p[0].subject, "https://new.example");
}

/* However many changes there are, the gravest are among those that are told. */
static void
test_many_small_changes_crowd_out_no_grave_one(void **state)
{
	struct saml_attribute_service service = {0};
	struct saml_requested_attribute asked[250] = {0};
	struct saml_party p = *party(whole);
	struct saml_changes c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		asked[i].name = arena_printf(a, "urn:x:%zu", i);
	service.attributes = asked;
	service.n_attributes = ARRAY_LEN(asked);
	p.services = &service;
	p.n_services = 1;
	p.authn_requests_signed = false;
	saml_metadata_diff(a, party(whole), &p, false, &c);
	assert_int_equal(c.n, 200);
	assert_string_equal(c.p[0].rule, "requests-unsigned");
}

static void
test_words_of_risks_stay(void **state)
{
	(void)state;
	assert_string_equal(saml_risk_word(SAML_RISK_REFUSED), "refused");
	assert_string_equal(saml_risk_word(SAML_RISK_HELD), "held");
	assert_string_equal(saml_risk_word(SAML_RISK_PLAIN), "plain");
	assert_string_equal(saml_risk_word(SAML_RISK_RENEWAL), "renewal");
}

static void
test_the_manual_tells_every_rule(void **state)
{
	static const char *const then[SAML_RISKS] = {"refused", "waits", "counts at once",
						     "counts at once, no copy kept"};
	const struct saml_change_rule *rule;
	struct bytes text;
	struct err err = {0};

	(void)state;
	ASSERT_OK(conf_read_file(a, OPERATE, 1 << 20, &text, &err), &err);
	const char *manual = arena_strndup(a, (const char *)text.p, text.n);

	for (size_t i = 0; (rule = saml_change_rule_at(i)) != NULL; i++) {
		const char *row = arena_printf(
			a, "| %d | `%s` | %s | %s |\n", rule->number, rule->id, rule->sentence,
			rule->unless_signed ? "waits, unless a signer is pinned"
					    : then[rule->risk]);

		if (strstr(manual, row) == NULL)
			fail_msg("not in docs/operate.md: %s", row);
	}
}

/* ---- signed as a whole ---- */

static char *
signed_metadata(void)
{
	char *text = replace(a, whole, "entityID=", "ID=\"_meta\" entityID=");
	struct fixture f = fixture_request();

	text = replace(a, text, ROLE, FIXTURE_PLACE ROLE);
	f.text = text;
	f.id = "_meta";
	return fixture_sign(a, &f);
}

static void
test_only_what_was_signed_is_read(void **state)
{
	char *good = signed_metadata();
	struct saml_keys none = {NULL, 0};
	struct bytes out;
	struct err err = {0};

	(void)state;
	ASSERT_OK(saml_metadata_verify(a, bytes_of(good), NULL, fixture_keys(), &out, &err), &err);
	const char *text = arena_strndup(a, (const char *)out.p, out.n);

	assert_null(strstr(text, "SignatureValue"));
	assert_int_equal(diff(whole, text).n, 0);
	ASSERT_REFUSED(saml_metadata_verify(a, bytes_of(good), NULL, none, &out, &err), &err,
		       ERR_DENIED, "key");
	ASSERT_REFUSED(saml_metadata_verify(a, bytes_of(whole), NULL, fixture_keys(), &out, &err),
		       &err, ERR_INPUT, "no <Signature>");
	ASSERT_REFUSED(saml_metadata_verify(a,
					    bytes_of(replace(a, good, "amt24.example/saml/acs2",
							     "evil.example/saml/acs2")),
					    NULL, fixture_keys(), &out, &err),
		       &err, ERR_DENIED, "");
	ASSERT_REFUSED(saml_metadata_verify(a, bytes_of("<x"), NULL, fixture_keys(), &out, &err),
		       &err, ERR_INPUT, "");
}

static int
setup(void **state)
{
	struct err err = {0};
	struct bytes der;

	(void)state;
	a = arena_create((size_t)1024 << 20);
	keys = test_keys_create(a);
	whole = portal_metadata(a, keys);
	signing = descriptor("signing", keys->p256.cert, "");
	signing2 = descriptor("signing", keys->rsa.cert, "");
	encryption = descriptor("encryption", keys->dec_rsa.cert, "");
	encryption2 = descriptor("encryption", keys->dec_p256.cert, "");
	ASSERT_OK(cert_build_for(a, keys->p256.pub, "renewed", portal_now(), 100, &der, &err),
		  &err);
	renewed = descriptor("signing", der, "");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_destroy(a);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_has_changed_when_nothing_has),
		cmocka_unit_test(test_each_rule_sees_its_change_and_nothing_graver_is_said),
		cmocka_unit_test(test_rules_for_who_is_asked),
		cmocka_unit_test(test_every_rule_has_a_case_and_its_number_stays),
		cmocka_unit_test(test_what_looks_like_a_risk_and_is_none),
		cmocka_unit_test(test_a_pinned_signer_vouches_for_keys_beside_those_there_were),
		cmocka_unit_test(test_a_grave_change_hides_behind_no_other),
		cmocka_unit_test(test_what_is_asked_of_a_person_has_one_value),
		cmocka_unit_test(test_a_host_is_told_once),
		cmocka_unit_test(test_many_small_changes_crowd_out_no_grave_one),
		cmocka_unit_test(test_words_of_risks_stay),
		cmocka_unit_test(test_the_manual_tells_every_rule),
		cmocka_unit_test(test_only_what_was_signed_is_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
