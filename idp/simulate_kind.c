/* The providers there are doubles of; see simulate.h. */
#include "idp/simulate.h"

#include "base/text.h"
#include "saml/names.h"

#define AKDB_OID "urn:oid:1.3.6.1.4.1.25484.494450."
#define AT_OID   "urn:oid:1.2.40.0.10.2.1.1."

static const struct xmlns xmlns_ekona = {"ekona",
					 "http://www.elster.de/schema/ekona/saml/extensions"};

/* BundID's interface, chapter 6. */
static const struct sim_name bundid_names[] = {
	{"givenName", "urn:oid:2.5.4.42", SIM_HELD, false},
	{"surname", "urn:oid:2.5.4.4", SIM_HELD, false},
	{"mail", "urn:oid:0.9.2342.19200300.100.1.3", SIM_HELD, false},
	{"postalAddress", "urn:oid:2.5.4.16", SIM_HELD, false},
	{"postalCode", "urn:oid:2.5.4.17", SIM_HELD, false},
	{"localityName", "urn:oid:2.5.4.7", SIM_HELD, false},
	{"country", AT_OID "225599", SIM_HELD, false},
	{"personalTitle", "urn:oid:0.9.2342.19200300.100.1.40", SIM_HELD, false},
	{"gender", "urn:oid:1.3.6.1.4.1.33592.1.3.5", SIM_HELD, false},
	{"birthdate", AT_OID "55", SIM_HELD, false},
	{"placeOfBirth", "urn:oid:1.3.6.1.5.5.7.9.2", SIM_HELD, false},
	{"birthName", AT_OID "225566", SIM_HELD, false},
	{"nationality", AT_OID "225577", SIM_HELD, false},
	{"documentType", AT_OID "552255", SIM_HELD, false},
	{"issuingState", AT_OID "552244", SIM_HELD, false},
	{"artisticName", AT_OID "552233", SIM_HELD, false},
	{"DeMail", "urn:oid:1.3.6.1.4.1.55605.70737875.1.1.1.7.1", SIM_HELD, false},
	{"telephoneNumber", "urn:oid:2.5.4.20", SIM_HELD, false},
	{"communityId", AKDB_OID "5", SIM_HELD, false},
	{"eIDAS-Issuing-Country", AKDB_OID "10.1", SIM_HELD, false},
	{"pseudonym", AT_OID "226699", SIM_HELD, false},
	{"bPK", AT_OID "149", SIM_OLD_PSEUDONYM, false},
	{"bPK2", AKDB_OID "3", SIM_PSEUDONYM, false},
	{"EID-CITIZEN-QAA-LEVEL", AT_OID "261.94", SIM_LEVEL, false},
	{"Version", AKDB_OID "1", SIM_VERSION, false},
	{"AssertionProvedBy", AKDB_OID "2", SIM_PROVED_BY, false},
	{"legacyPostkorbHandle", "urn:oid:2.5.4.18", SIM_MAILBOX, false},
	{"applicationId", AKDB_OID "4", SIM_APPLICATION, false},
	{"mfa", AKDB_OID "7", SIM_MFA, false},
	{.friendly = NULL},
};

#define PLAIN(name)                         \
	{                                   \
		name, name, SIM_HELD, false \
	}
/* The organisation account's, whose names are German words. */
static const struct sim_name organisation_names[] = {
	{"IstTestkonto", "IstTestkonto", SIM_TEST_ACCOUNT, false},
	PLAIN("DatenkranzTyp"),
	{"ElsterVertrauensniveauIdentifizierung", "ElsterVertrauensniveauIdentifizierung",
	 SIM_LEVEL, false},
	{"ElsterVertrauensniveauAuthentifizierung", "ElsterVertrauensniveauAuthentifizierung",
	 SIM_LEVEL, false},
	{"DatenuebermittlerPseudonymId", "DatenuebermittlerPseudonymId", SIM_PSEUDONYM, false},
	PLAIN("PersTyp"),
	PLAIN("Firmenname"),
	PLAIN("Rechtsform"),
	PLAIN("RechtsformText"),
	PLAIN("Taetigkeit"),
	PLAIN("TaetigkeitText"),
	PLAIN("Registernummer"),
	PLAIN("Registerart"),
	PLAIN("Registergericht"),
	{"Unternehmensanschrift", "Unternehmensanschrift", SIM_HELD, true},
	PLAIN("EMailAdresse"),
	PLAIN("Namensvorsatz"),
	PLAIN("AkademischerGrad"),
	PLAIN("Vorname"),
	PLAIN("Name"),
	PLAIN("Namenszusatz"),
	PLAIN("Geburtsdatum"),
	PLAIN("Geburtsname"),
	PLAIN("Geburtsort"),
	PLAIN("Geburtsland"),
	{"Anschrift", "Anschrift", SIM_HELD, true},
	PLAIN("IdNr"),
	{.friendly = NULL},
};
#undef PLAIN

/* "test-double" stands in each name that a portal's configuration or log may hold. */
static const struct sim_kind kinds[] = {
	{.of = SIM_BUNDID,
	 .word = "bundid",
	 .title = "BundID",
	 .path = "/test-double/bundid/idp",
	 .post_path = "/test-double/bundid/idp/profile/SAML2/POST/SSO",
	 .redirect_path = "/test-double/bundid/idp/profile/SAML2/Redirect/SSO",
	 .slo_path = "/test-double/bundid/idp/profile/SAML2/SLO",
	 .nameid_formats = SAML_NAMEID_IS_TRANSIENT,
	 .name_format = SAML_ATTRNAME_URI,
	 .names = bundid_names},
	{.of = SIM_ORGANISATION,
	 .word = "organisation",
	 .title = "Organisationskonto",
	 .path = "/test-double/organisation",
	 .post_path = "/test-double/organisation/ekona/sso",
	 .slo_path = "/test-double/organisation/ekona/slo",
	 .nameid_formats = SAML_NAMEID_IS_PERSISTENT,
	 .name_format = SAML_ATTRNAME_BASIC,
	 .type_ns = &xmlns_ekona,
	 .names = organisation_names},
};

const struct sim_kind *
sim_kind_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (text_eq(kinds[i].word, word))
			return &kinds[i];
	return NULL;
}

const struct sim_name *
sim_name_by_wire(const struct sim_kind *k, const char *wire)
{
	for (const struct sim_name *n = k->names; n->friendly != NULL; n++)
		if (text_eq(n->wire, wire))
			return n;
	return NULL;
}

const struct sim_name *
sim_name_by_friendly(const struct sim_kind *k, const char *friendly)
{
	for (const struct sim_name *n = k->names; n->friendly != NULL; n++)
		if (text_eq(n->friendly, friendly))
			return n;
	return NULL;
}
