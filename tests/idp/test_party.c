/* What a party's row says, when the operator laid down little: its metadata. */
#include "idp/party.h"
#include "tests/arena.h"

#define METADATA(services)                                                        \
	"<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" " \
	"entityID=\"https://amt.example:8443/sp\"><md:SPSSODescriptor "           \
	"protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">"    \
	"<md:AssertionConsumerService index=\"0\" "                               \
	"Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" "             \
	"Location=\"https://amt.example/acs\"/>" services "</md:SPSSODescriptor>" \
	"</md:EntityDescriptor>"
#define SERVICE(index, attributes)                                                            \
	"<md:AttributeConsumingService index=\"" index "\"><md:ServiceName xml:lang=\"de\">x" \
	"</md:ServiceName>" attributes "</md:AttributeConsumingService>"
#define NAMED(name, required) \
	"<md:RequestedAttribute Name=\"" name "\" isRequired=\"" required "\"/>"

static struct party
party_of(const char *services, const char *policy)
{
	struct db_party row = {.id = "https://amt.example:8443/sp",
			       .kind = "saml",
			       .display_name = "Amt",
			       .document = bytes_of(arena_printf(a, METADATA("%s"), services)),
			       .policy = policy,
			       .enabled = true};
	struct err err = {0};
	struct party p;

	ASSERT_OK(party_parse(a, &row, &p, &err), &err);
	return p;
}

static void
metadata_says_what_is_registered_and_in_which_names(void **state UNUSED)
{
	struct party p = party_of(
		SERVICE("0", NAMED("http://unknown.example/x", "true") NAMED("Vorname", "true"))
			SERVICE("1",
				NAMED("Anschrift", "false") NAMED("urn:oid:2.5.4.42", "false")),
		"{}");
	static const char *const wanted[] = {"given_names", "street_address", "postal_code",
					     "locality", "country"};

	assert_int_equal(p.policy.names, VOCABULARY_EKONA);
	assert_int_equal(p.policy.attributes.n, ARRAY_LEN(wanted));
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		assert_string_equal(p.policy.attributes.p[i].at->name, wanted[i]);
		/* That is of a request and its service. */
		assert_false(p.policy.attributes.p[i].required);
	}
	assert_string_equal(p.sector, "amt.example");
}

static void
the_operators_word_goes_first(void **state UNUSED)
{
	struct party p = party_of(SERVICE("0", NAMED("Vorname", "true")),
				  "{\"attribute-names\":\"eidas\",\"attribute\":[\"email\"],"
				  "\"sector\":\"s\"}");

	assert_int_equal(p.policy.names, VOCABULARY_EIDAS);
	assert_int_equal(p.policy.attributes.n, 1);
	assert_string_equal(p.sector, "s");
}

static void
without_a_word_of_either_it_is_bundids(void **state UNUSED)
{
	struct party p = party_of("", "{}");

	assert_int_equal(p.policy.names, VOCABULARY_BUNDID);
	assert_int_equal(p.policy.attributes.n, 0);
	assert_int_equal(p.policy.vocabulary, LEVEL_VOCAB_STORK);
	assert_false(p.policy.subject_id);
	assert_int_equal(p.policy.akdb, SAML_AKDB_RULE_V2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_says_what_is_registered_and_in_which_names),
		cmocka_unit_test(the_operators_word_goes_first),
		cmocka_unit_test(without_a_word_of_either_it_is_bundids),
	};

	return cmocka_run_group_tests_name("party", tests, setup, teardown);
}
