/* idp/member_check.h: a member that nothing can be said against, and one change for each rule. */
#include "idp/member_check.h"

#include "base/clock.h"
#include "base/enc.h"
#include "keys/cert_build.h"
#include "saml/names.h"
#include "tests/saml/support.h"
#include "tests/test.h"

#include <string.h>

#include <openssl/ec.h>

#define ENTITY "https://konto.land.example/"
#define MD_OPEN                                                                                 \
	"<md:EntityDescriptor xmlns:md=\"" SAML_NS_METADATA "\" xmlns:mdui=\"" SAML_NS_MDUI     \
	"\" xmlns:ds=\"" SAML_NS_DS "\" xmlns:shibmd=\"" SAML_NS_SHIBMD "\" entityID=\"" ENTITY \
	"\">"
#define KEY(use)                                                                                \
	"<md:KeyDescriptor use=\"" use                                                          \
	"\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{CERT-" use "}</ds:X509Certificate></" \
	"ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
#define UI                                                                                  \
	"<mdui:UIInfo><mdui:DisplayName xml:lang=\"de\">Land</mdui:DisplayName><mdui:Logo " \
	"height=\"16\" width=\"16\">https://land.example/logo.png</mdui:Logo></mdui:UIInfo>"
#define SCOPE "<shibmd:Scope regexp=\"false\">land.example</shibmd:Scope>"
#define SSO                                                            \
	"<md:SingleSignOnService Binding=\"" SAML_BINDING_URI_REDIRECT \
	"\" Location=\"https://konto.land.example/sso\"/>"
#define ROLE "protocolSupportEnumeration=\"" SAML_NS_PROTOCOL "\""
#define IDP                                                                                        \
	"<md:IDPSSODescriptor " ROLE "><md:Extensions>" UI SCOPE "</md:Extensions>" KEY("signing") \
		KEY("encryption") SSO "</md:IDPSSODescriptor>"
#define SP                                                                                     \
	"<md:SPSSODescriptor AuthnRequestsSigned=\"true\" WantAssertionsSigned=\"true\" " ROLE \
	"><md:Extensions>" UI "</md:Extensions>" KEY("signing") KEY(                           \
		"encryption") "<md:AssertionConsumerService index=\"0\" "                      \
			      "Binding=\"" SAML_BINDING_URI_POST "\" "                         \
			      "Location=\"https://konto.land.example/acs\"/></md:SPSSODescriptor>"
#define ORG                                                                      \
	"<md:Organization><md:OrganizationName "                                 \
	"xml:lang=\"de\">Land</md:OrganizationName><md:OrganizationDisplayName " \
	"xml:lang=\"de\">Land</md:OrganizationDisplayName><md:OrganizationURL "  \
	"xml:lang=\"de\">https://land.example/</md:OrganizationURL></md:Organization>"
#define CONTACT(type)                                                              \
	"<md:ContactPerson contactType=\"" type "\"><md:EmailAddress>mailto:" type \
	"@land.example</md:EmailAddress></md:ContactPerson>"
#define CONTACTS CONTACT("administrative") CONTACT("technical") CONTACT("support") CONTACT("other")

static struct arena *a;
static const char *base, *good, *other, *ended;

static const struct saml_finding *
found_by(const struct saml_checked *c, const char *rule)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->found[i].rule, rule) == 0)
			return &c->found[i];
	return NULL;
}

static struct saml_checked
examine(const char *text, const char *before, time_t valid_until)
{
	const struct member_check what = {.entity_id = ENTITY,
					  .document = bytes_of(text),
					  .before = bytes_of(before),
					  .valid_until = valid_until,
					  .now = clock_now()};
	struct saml_checked c;

	member_examine(a, &what, &c);
	for (size_t i = 1; i < c.n; i++)
		assert_true(c.found[i].severity <= c.found[i - 1].severity);
	return c;
}

static void
nothing_is_said_of_a_good_one(void **state UNUSED)
{
	struct saml_checked c = examine(base, base, 0);

	for (size_t i = 0; i < c.n; i++)
		if (c.found[i].severity > SAML_NOTE)
			fail_msg("%s: %s", c.found[i].rule, c.found[i].text);
	assert_non_null(
		strstr(found_by(&c, "member-keys")->text, " for signing, its certificate until "));
	assert_non_null(strstr(found_by(&c, "idp-scopes")->text, "land.example"));
	assert_null(found_by(&c, "member-new"));
	if (found_by(&c, "changed") != NULL)
		fail_msg("%s", found_by(&c, "changed")->text);
}

#define DAYS(n) ((time_t)(n)*86400)

static const struct {
	enum saml_severity severity;
	const char *rule, *from, *to, *part;
	time_t lasts; /* from now; 0: without an end */
} rows[] = {
	{SAML_FATAL, "member-role", "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0",
	 "protocolSupportEnumeration=\"urn:x", "neither identity provider nor", 0},
	{SAML_FATAL, "member-role", "<md:EntityDescriptor", "<!DOCTYPE x><md:EntityDescriptor",
	 "DTD", 0},
	{SAML_FATAL, "member-unreadable", SP, SP SP, "sp: ", 0},
	{SAML_FATAL, "member-unreadable", IDP, IDP IDP, "idp: ", 0},
	{SAML_FATAL, "member-over", NULL, NULL, "has passed", -DAYS(1)},
	{SAML_FATAL, "idp-no-key", KEY("signing") KEY("encryption") "<md:SingleSignOn",
	 KEY("encryption") "<md:SingleSignOn", "no key", 0},
	{SAML_FATAL, "idp-no-endpoint", "HTTP-Redirect\" Location=\"https://konto.land.example/sso",
	 "SOAP\" Location=\"https://konto.land.example/sso", "neither by Redirect", 0},
	{SAML_FATAL, "idp-endpoint", "https://konto.land.example/sso",
	 "http://konto.land.example/sso", "is not an https URL", 0},
	{SAML_FATAL, "acs-url", "https://konto.land.example/acs", "http://konto.land.example/acs",
	 "not https", 0},
	{SAML_WARNING, "changed-gravely", "https://konto.land.example/acs",
	 "https://evil.example/acs", "sp: acs-host: ", 0},
	{SAML_WARNING, "changed-gravely", SP, "", "sp: it gives up this role", 0},
	{SAML_WARNING, "changed-gravely", "https://konto.land.example/sso",
	 "https://evil.example/sso", "idp: ", 0},
	{SAML_WARNING, "member-field", CONTACT("other"), "", "contact-other", 0},
	{SAML_WARNING, "member-field", ORG, "", "organization-url", 0},
	{SAML_WARNING, "member-field", KEY("encryption") SSO, SSO, "encryption-key", 0},
	{SAML_WARNING, "member-key", KEY("encryption") SSO,
	 KEY("encryption") "<md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>AAAA</"
			   "ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>" SSO,
	 "key 3 cannot be used", 0},
	{SAML_WARNING, "member-soon-over", NULL, NULL, "--until", DAYS(20)},
	{SAML_WARNING, "idp-no-scope", SCOPE, "", "no scope", 0},
	{SAML_WARNING, "member-logo", "https://land.example/logo.png",
	 "http://land.example/logo.png", "neither an https URL", 0},
	{SAML_NOTE, "changed", "https://konto.land.example/sso", "https://konto.land.example/sso2",
	 "idp: sso: ", 0},
	{SAML_NOTE, "member-certificate", "{CERT-signing}", "{ENDED}", "ended on", 0},
	{SAML_NOTE, "member-no-logo",
	 "<mdui:Logo height=\"16\" width=\"16\">https://land.example/logo.png</mdui:Logo>", "",
	 "no logo", 0},
};

/* All of them, if what is put there does not have it again. */
static const char *
replace_all(const char *text, const char *from, const char *to)
{
	do
		text = replace(a, text, from, to);
	while (strstr(to, from) == NULL && strstr(text, from) != NULL);
	return text;
}

static const char *
with_certificates(const char *text)
{
	static const struct {
		const char *word, *const *cert;
	} words[] = {{"{CERT-signing}", &good}, {"{CERT-encryption}", &other}, {"{ENDED}", &ended}};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(text, words[i].word) != NULL)
			text = replace_all(text, words[i].word, *words[i].cert);
	return text;
}

static void
each_rule_speaks(void **state UNUSED)
{
	const char *whole = MD_OPEN IDP SP ORG CONTACTS "</md:EntityDescriptor>";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text =
			rows[i].from == NULL ? whole : replace_all(whole, rows[i].from, rows[i].to);

		text = with_certificates(text);
		struct saml_checked c =
			examine(text, base, rows[i].lasts == 0 ? 0 : clock_now() + rows[i].lasts);
		const struct saml_finding *f = NULL;

		for (size_t k = 0; k < c.n; k++)
			if (strcmp(c.found[k].rule, rows[i].rule) == 0 &&
			    strstr(c.found[k].text, rows[i].part) != NULL)
				f = &c.found[k];
		if (f == NULL)
			fail_msg("row %zu: %s is silent; %s: %s", i, rows[i].rule, c.found[0].rule,
				 c.found[0].text);
		assert_int_equal(f->severity, rows[i].severity);
	}
}

static void
every_rule_has_a_row(void **state UNUSED)
{
	static const char *const elsewhere[] = {"member-new", "member-keys", "idp-scopes"};
	const char *rule;

	for (size_t i = 0; (rule = member_rule_at(i)) != NULL; i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			found |= strcmp(rows[k].rule, rule) == 0;
		for (size_t k = 0; k < ARRAY_LEN(elsewhere); k++)
			found |= strcmp(elsewhere[k], rule) == 0;
		if (!found)
			fail_msg("no row for %s", rule);
	}
}

static void
who_is_new_has_nothing_that_changed(void **state UNUSED)
{
	struct saml_checked c = examine(base, "", 0);

	assert_non_null(found_by(&c, "member-new"));
	assert_null(found_by(&c, "changed-gravely"));
	c = examine(with_certificates(MD_OPEN IDP ORG CONTACTS "</md:EntityDescriptor>"), base, 0);
	assert_non_null(strstr(found_by(&c, "changed-gravely")->text, "gives up"));
	c = examine(base, with_certificates(MD_OPEN IDP ORG CONTACTS "</md:EntityDescriptor>"), 0);
	assert_non_null(strstr(found_by(&c, "changed-gravely")->text, "takes on"));
}

static const char *
cert_until(EVP_PKEY *key, time_t not_after)
{
	struct err err = {0};
	struct bytes der;

	ASSERT_OK(cert_build_self_signed(a, key, "x", not_after - DAYS(365), 365, &der, &err),
		  &err);
	return enc_base64(a, der);
}

static int
setup(void **state UNUSED)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *second = EVP_EC_gen("P-256");

	a = arena_create((size_t)256 << 20);
	if (a == NULL || key == NULL || second == NULL)
		return 1;
	good = cert_until(key, clock_now() + DAYS(360));
	ended = cert_until(key, clock_now() - DAYS(2));
	other = cert_until(second, clock_now() + DAYS(360));
	EVP_PKEY_free(key);
	EVP_PKEY_free(second);
	base = with_certificates(MD_OPEN IDP SP ORG CONTACTS "</md:EntityDescriptor>");
	return 0;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_of_a_good_one),
		cmocka_unit_test(each_rule_speaks),
		cmocka_unit_test(every_rule_has_a_row),
		cmocka_unit_test(who_is_new_has_nothing_that_changed),
	};

	return cmocka_run_group_tests_name("member_check", tests, setup, teardown);
}
