/* How long old signatures count for a party, and what `kontor party show` says of its suites. */
#include "idp/party_suite.h"
#include "tests/arena.h"

#define DAY  86400
#define NOW  ((time_t)1800000000) /* 2027-01-15 08:00 UTC */
#define LAST "\"old-until\":\"2027-05-31\""

static const char metadata[] =
	"<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" "
	"entityID=\"https://amt.example/sp\"><md:SPSSODescriptor "
	"protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">"
	"<md:AssertionConsumerService index=\"0\" "
	"Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" "
	"Location=\"https://amt.example/acs\"/></md:SPSSODescriptor></md:EntityDescriptor>";

static struct party
party_of(const char *policy)
{
	struct db_party row = {.id = "https://amt.example/sp",
			       .kind = "saml",
			       .display_name = "Amt",
			       .document = bytes_of(metadata),
			       .policy = policy,
			       .enabled = true};
	struct err err = {0};
	struct party p;

	ASSERT_OK(party_parse(a, &row, &p, &err), &err);
	return p;
}

static void
the_end_of_old_suites_is_told_in_time(void **state UNUSED)
{
	struct party p = party_of("{" LAST "}"), never = party_of("{}"), other = p;
	time_t end = p.policy.old_until;

	assert_string_equal(party_old_day(a, &p), "2027-05-31");
	assert_null(party_old_day(a, &never));
	assert_null(party_old_warning(a, &never, NOW));
	assert_null(party_old_warning(a, &p, end - PARTY_OLD_WARNS_S - 1));
	assert_string_equal(party_old_warning(a, &p, end - PARTY_OLD_WARNS_S),
			    "rsa-sha256 ends for it on 2027-05-31 (old-until), in 180 days");
	assert_string_equal(party_old_warning(a, &p, end - DAY),
			    "rsa-sha256 ends for it on 2027-05-31 (old-until), in 1 days");
	assert_string_equal(party_old_warning(a, &p, end),
			    "rsa-sha256 ended for it on 2027-05-31 (old-until)");
	/* A client of OpenID Connect has no such suite. */
	other.saml = NULL;
	assert_null(party_old_warning(a, &other, end));
}

static void
a_suite_that_there_is_for_no_key_is_refused(void **state UNUSED)
{
	struct party fits = party_of("{\"suite\":\"bp384\"}"),
		     old = party_of("{\"suite\":\"rs256\"}");
	struct party until = party_of("{\"suite\":\"rs256\"," LAST "}");
	struct err err = {0};

	ASSERT_OK(party_suite_exists(&fits, NOW, &err), &err);
	ASSERT_REFUSED(party_suite_exists(&old, NOW, &err), &err, ERR_DENIED, "old-until");
	ASSERT_OK(party_suite_exists(&until, NOW, &err), &err);
	ASSERT_REFUSED(party_suite_exists(&until, until.policy.old_until, &err), &err, ERR_DENIED,
		       "old-until");
}

static const char *
shown(const struct party *p, const char *name)
{
	const struct keyring *none;
	struct err err = {0};

	ASSERT_OK(keyring_create(a, NULL, 0, &none, &err), &err);
	return json_string_value(json_object_get(party_suite_json(a, p, none, NOW), name));
}

static void
what_a_party_gets_is_shown(void **state UNUSED)
{
	struct party p = party_of("{" LAST "}"), never = party_of("{\"encrypt\":\"never\"}");
	struct saml_party with_key = *p.saml;

	assert_non_null(strstr(shown(&p, "problem"), "no active saml-sign key"));
	assert_null(shown(&p, "signature"));
	assert_string_equal(shown(&p, "old_until"), "2027-05-31");
	assert_non_null(strstr(shown(&p, "warning"), "in 136 days"));
	/* Without a key for it, or where the record says never, nothing is encrypted. */
	assert_null(shown(&p, "content"));
	with_key.recipient = (struct xmlenc_recipient){
		.key = (void *)&with_key, .content = XMLENC_A256GCM, .transport = XMLENC_OAEP_SHA1};
	p.saml = never.saml = &with_key;
	assert_string_equal(shown(&p, "content"), "aes256-gcm");
	assert_string_equal(shown(&p, "key_transport"), "rsa-oaep-mgf1p");
	assert_null(shown(&never, "content"));
	assert_null(shown(&never, "key_transport"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_old_suites_is_told_in_time),
		cmocka_unit_test(a_suite_that_there_is_for_no_key_is_refused),
		cmocka_unit_test(what_a_party_gets_is_shown),
	};

	return cmocka_run_group_tests_name("party suite", tests, setup, teardown);
}
