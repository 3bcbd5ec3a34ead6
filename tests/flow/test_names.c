/* In which names a SAML portal is told who somebody is: those it asks with. */
#include "base/enc.h"
#include "base/text.h"
#include "tests/flow/steps.h"

#define EIDAS        "http://eidas.europa.eu/attributes/naturalperson/"
#define SUBJECT      "urn:oasis:names:tc:SAML:attribute:"
#define REQUESTED(n) "<eidas:RequestedAttribute Name=\"" n "\" isRequired=\"false\"/>"
#define EXTENSION(inner)                                                                  \
	"<samlp:Extensions xmlns:eidas=\"http://eidas.europa.eu/saml-extensions\">" inner \
	"</samlp:Extensions>"
#define ASKED(inner)                                                                     \
	EXTENSION("<eidas:SPType>public</eidas:SPType><eidas:RequestedAttributes>" inner \
		  "</eidas:RequestedAttributes>")
#define ALL                                                                                 \
	"\"attribute\":[\"given_names\",\"family_name\",\"birth_date\",\"street_address\"," \
	"\"postal_code\",\"locality\",\"country\",\"email\"]"

static const char *const whole[] = {
	"given_names", "Erika",      "family_name",    "Mustermann",
	"birth_date",  "1964-08-12", "locality",       "Köln",
	"postal_code", "51147",      "street_address", "Heidestraße 17",
	"country",     "DE",         "email",          "e@example.invalid",
	NULL};

static int
names_setup(void **state)
{
	if (steps_setup(state) != 0)
		return 1;
	world_person(*state, "greta", PASSWORD, whole, LEVEL_SUBSTANTIAL);
	return world_fresh(state);
}

/* A login with consent to all that is offered; the Response. */
static const char *
response_to(struct world *w, const char *policy, const char *inner)
{
	struct web b;

	world_saml_party(w, policy);
	web_init(&b, w);
	ask(&b, "", inner);
	log_in(&b, "greta");
	ASSERT_PAGE(&b, CONSENT);
	web_submit(&b, "/flow/consent/",
		   "attr_given_names=1&attr_family_name=1&attr_birth_date=1&attr_street_address=1&"
		   "attr_postal_code=1&attr_locality=1&attr_country=1&attr_email=1&do=agree");
	assert_true(succeeded(&b));
	return saml_response_of(&b);
}

/* The first value of the attribute of this name; NULL: it is not told. */
static const char *
value_of(struct world *w, const char *response, const char *name)
{
	const char *at = strstr(response, arena_printf(w->a, " Name=\"%s\"", name));

	return at == NULL ? NULL : between(w->a, strstr(at, "<saml:AttributeValue"), ">", "<");
}

#define ASSERT_TOLD(w, response, name, value) \
	assert_string_equal(value_of(w, response, name), value)
#define ASSERT_NOT_TOLD(w, response, name) assert_null(value_of(w, response, name))

static void
eidas_names_are_answered_in_kind(void **state)
{
	struct world *w = *state;
	const char *r = response_to(
		w, "{" ALL "}",
		ASKED(REQUESTED(EIDAS "CurrentFamilyName") REQUESTED(EIDAS "DateOfBirth") REQUESTED(
			EIDAS "CurrentAddress") REQUESTED(EIDAS "PersonIdentifier")));
	struct bytes address;
	struct err err = {0};

	ASSERT_TOLD(w, r, EIDAS "CurrentFamilyName", "Mustermann");
	ASSERT_TOLD(w, r, EIDAS "DateOfBirth", "1964-08-12");
	assert_true(text_starts(value_of(w, r, EIDAS "PersonIdentifier"), "DE/DE/"));
	assert_non_null(strstr(r, "xsi:type=\"eidas:CurrentFamilyNameType\""));
	ASSERT_OK(dec_base64(w->a, bytes_of(value_of(w, r, EIDAS "CurrentAddress")), false,
			     &address, &err),
		  &err);
	assert_non_null(
		memmem(address.p, address.n, ">Heidestraße 17<", strlen(">Heidestraße 17<")));
	assert_non_null(memmem(address.p, address.n, ">51147<", 7));
	/* Not asked for. */
	ASSERT_NOT_TOLD(w, r, EIDAS "CurrentGivenName");
	assert_null(strstr(r, "e@example.invalid"));
	assert_string_equal(world_value(w, "SELECT details->>'sp_type' FROM audit WHERE event = "
					   "'assertion' ORDER BY seq DESC LIMIT 1"),
			    "public");
}

static void
an_sp_type_that_is_none_is_refused(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{" ALL "}");
	web_init(&b, w);
	ask(&b, "", EXTENSION("<eidas:SPType>secret</eidas:SPType>"));
	assert_non_null(strstr(saml_response_of(&b), "KONTOR-10 request"));
	ask(&b, "", ASKED("<eidas:RequestedAttribute/>"));
	assert_non_null(strstr(saml_response_of(&b), "KONTOR-10 request"));
	ask(&b, "", EXTENSION("<eidas:SPType>private</eidas:SPType>"));
	ASSERT_PAGE(&b, LOGIN);
}

static void
the_organisation_accounts_portals_get_its_names(void **state)
{
	struct world *w = *state;
	const char *r = response_to(
		w, "{" ALL ",\"attribute-names\":\"ekona\",\"level-attributes\":\"yes\"}", "");

	ASSERT_TOLD(w, r, "Vorname", "Erika");
	ASSERT_TOLD(w, r, "Geburtsdatum", "12.08.1964");
	ASSERT_TOLD(w, r, "PersTyp", "NatPers");
	ASSERT_TOLD(w, r, "IstTestkonto", "false");
	ASSERT_TOLD(w, r, "DatenkranzTyp", "IdNr");
	ASSERT_TOLD(w, r, "ElsterVertrauensniveauIdentifizierung", "niedrig");
	ASSERT_TOLD(w, r, "ElsterVertrauensniveauAuthentifizierung", "niedrig");
	assert_true(text_starts(value_of(w, r, "DatenuebermittlerPseudonymId"), "du-"));
	assert_non_null(strstr(r, "<ekona:Ort>Köln</ekona:Ort>"));
	assert_non_null(strstr(r, "xsi:type=\"ekona:AdresseType\""));
	assert_null(strstr(r, "TrustLevel=\"NORMAL\" FriendlyName=\"Vorname\""));
	/* Of the last kind: what this vocabulary has no name for. */
	assert_non_null(value_of(w, r, "urn:kontor:attribute-levels"));
}

/* Who agreed to nothing has no level that he was identified at. */
static void
nothing_told_has_no_level(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{" ALL ",\"attribute-names\":\"ekona\",\"consent\":\"always\"}");
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "greta");
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(succeeded(&b));
	const char *r = saml_response_of(&b);

	ASSERT_TOLD(w, r, "ElsterVertrauensniveauAuthentifizierung", "niedrig");
	assert_null(strstr(r, "ElsterVertrauensniveauIdentifizierung"));
}

/* The person lacks it; one name of two is enough for it to be required. */
static void
what_is_required_by_one_name_is_required(void **state)
{
	static const char required[] =
		"<eidas:RequestedAttribute Name=\"" EIDAS "DateOfBirth\" isRequired=\"true\"/>";
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{" ALL ",\"consent\":\"always\"}");
	web_init(&b, w);
	ask(&b, "",
	    arena_printf(w->a, ASKED("%s%s"), required, REQUESTED("urn:oid:1.2.40.0.10.2.1.1.55")));
	log_in(&b, "karl");
	ASSERT_PAGE(&b, MISSING);
	ask(&b, "", ASKED(REQUESTED(EIDAS "DateOfBirth")));
	ASSERT_PAGE(&b, CONSENT);
}

static void
who_names_some_gets_no_more_than_these(void **state)
{
	struct world *w = *state;
	const char *r = response_to(w, "{" ALL ",\"attribute-names\":\"bundid\"}",
				    ASKED(REQUESTED("Vorname") REQUESTED("PersTyp")));

	ASSERT_TOLD(w, r, "Vorname", "Erika");
	ASSERT_TOLD(w, r, "PersTyp", "NatPers");
	ASSERT_NOT_TOLD(w, r, "Name");
	ASSERT_NOT_TOLD(w, r, "DatenuebermittlerPseudonymId");
	ASSERT_NOT_TOLD(w, r, "IstTestkonto");
	r = response_to(w, "{" ALL ",\"attribute-names\":\"basic\",\"consent\":\"always\"}", "");
	ASSERT_TOLD(w, r, "surname", "Mustermann");
	assert_non_null(strstr(r, "attrname-format:basic"));
	assert_null(strstr(r, "attrname-format:uri"));
	assert_non_null(strstr(r, "TrustLevel=\"NORMAL\""));
	ASSERT_NOT_TOLD(w, r, "bPK2");
}

static void
identifiers_are_scoped_and_for_one_party_unless_allowed(void **state)
{
	static const char asked[] = ASKED(REQUESTED(SUBJECT "pairwise-id") REQUESTED(
		SUBJECT "subject-id") REQUESTED("urn:oid:2.5.4.4"));
	struct world *w = *state;
	const char *r = response_to(w, "{" ALL "}", asked);
	const char *pairwise = value_of(w, r, SUBJECT "pairwise-id");

	assert_int_equal(strspn(pairwise, "0123456789abcdef"), 64);
	assert_string_equal(pairwise + 64, "@konto.example");
	ASSERT_NOT_TOLD(w, r, SUBJECT "subject-id");
	r = response_to(w, "{" ALL ",\"subject-id\":\"yes\",\"consent\":\"always\"}", asked);
	ASSERT_TOLD(w, r, SUBJECT "pairwise-id", pairwise);
	const char *subject = value_of(w, r, SUBJECT "subject-id");

	assert_string_not_equal(subject, pairwise);
	assert_string_equal(subject + 64, "@konto.example");
	/* Another sector: another pseudonym, the same subject. */
	r = response_to(
		w, "{" ALL ",\"subject-id\":\"yes\",\"sector\":\"else\",\"consent\":\"always\"}",
		asked);
	assert_string_not_equal(value_of(w, r, SUBJECT "pairwise-id"), pairwise);
	ASSERT_TOLD(w, r, SUBJECT "subject-id", subject);
}

static void
conditions_of_the_request_are_kept(void **state)
{
	struct world *w = *state;
	const char *r = response_to(w, "{" ALL ",\"consent\":\"always\"}",
				    "<saml:Conditions><saml:OneTimeUse/></saml:Conditions>");

	assert_non_null(strstr(r, "<saml:OneTimeUse>"));
	r = response_to(w, "{" ALL ",\"consent\":\"always\"}", "");
	assert_null(strstr(r, "OneTimeUse"));
}

/* Some keyboards send letters and their marks apart. */
static void
texts_are_one_whatever_typed_them(void **state)
{
	static const char *const apart[] = {"family_name", "Mu\xcc\x88ller", "email",
					    "x@example.invalid", NULL};
	struct world *w = *state;
	struct web b;

	world_person(w, "uenal", PASSWORD, apart, LEVEL_BASIC);
	world_saml_party(w, "{\"attribute\":[\"family_name:required\"]}");
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "uenal");
	ASSERT_PAGE(&b, CONSENT);
	web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_TOLD(w, saml_response_of(&b), "urn:oid:2.5.4.4", "M\xc3\xbcller");
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(eidas_names_are_answered_in_kind),
		T(an_sp_type_that_is_none_is_refused),
		T(the_organisation_accounts_portals_get_its_names),
		T(nothing_told_has_no_level),
		T(what_is_required_by_one_name_is_required),
		T(who_names_some_gets_no_more_than_these),
		T(identifiers_are_scoped_and_for_one_party_unless_allowed),
		T(conditions_of_the_request_are_kept),
		T(texts_are_one_whatever_typed_them),
	};

	return cmocka_run_group_tests_name("flow names", tests, names_setup, world_teardown);
}
