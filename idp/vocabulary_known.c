/* What is known of a name that a portal asks for, ours or not; see vocabulary.h. */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "idp/vocabulary.h"
#include "saml/names.h"

#define AKDB_OID       "urn:oid:1.3.6.1.4.1.25484.494450."
#define CARD_OID       "urn:oid:1.2.40.0.10.2.1.1."
#define EIDAS          "http://eidas.europa.eu/attributes/"

#define NAME_MAX_BYTES 256 /* longer ones are like no other */

/*
 * Names that portals know from elsewhere and that stand for nothing an account here
 * holds (BundID interface 6, BayernID, EKONA, eIDAS SAML Attribute Profile 2.2).
 */
static const struct {
	const char *name, *friendly, *vocabulary;
} elsewhere[] = {
	{"urn:oid:1.3.6.1.4.1.33592.1.3.5", "gender", "bundid"},
	{CARD_OID "552255", "documentType", "bundid"},
	{CARD_OID "552244", "issuingState", "bundid"},
	{CARD_OID "552233", "artisticName", "bundid"},
	{"urn:oid:1.3.6.1.4.1.55605.70737875.1.1.1.7.1", "DeMail", "bundid"},
	{AKDB_OID "5", "communityId", "bundid"},
	{AKDB_OID "10.1", "eIDAS-Issuing-Country", "bundid"},
	{AKDB_OID "1", "Version", "bundid"},
	{"urn:oid:2.5.4.18", "legacyPostkorbHandle", "bundid"},
	{AKDB_OID "4", "applicationId", "bundid"},
	{CARD_OID "226699", "pseudonym", "bundid"},
	{"urn:oid:2.5.4.10", "organizationName", "bayernid"},
	{"urn:oid:2.5.4.11", "organizationId", "bayernid"},
	{"urn:oid:2.5.4.9", "houseNumber", "bayernid"},
	{"urn:oid:akdb:registerLocation", "registerLocation", "bayernid"},
	{"urn:oid:akdb:registerNumber", "registerNumber", "bayernid"},
	{"urn:oid:akdb:legalForm", "legalForm", "bayernid"},
	{"urn:oid:akdb:ukHandle", "ukHandle", "bayernid"},
	{"urn:oid:akdb:adresszusatz", "adresszusatz", "bayernid"},
	{"urn:oid:akdb:hausnummerzusatz", "hausnummerzusatz", "bayernid"},
	{AKDB_OID "12.1", "organizationIdentifier", "bayernid"},
	{"Firmenname", "Firmenname", "ekona"},
	{"Rechtsform", "Rechtsform", "ekona"},
	{"RechtsformText", "RechtsformText", "ekona"},
	{"Taetigkeit", "Taetigkeit", "ekona"},
	{"TaetigkeitText", "TaetigkeitText", "ekona"},
	{"Registernummer", "Registernummer", "ekona"},
	{"Registerart", "Registerart", "ekona"},
	{"Registergericht", "Registergericht", "ekona"},
	{"Unternehmensanschrift", "Unternehmensanschrift", "ekona"},
	{"Namensvorsatz", "Namensvorsatz", "ekona"},
	{"Namenszusatz", "Namenszusatz", "ekona"},
	{"Geburtsland", "Geburtsland", "ekona"},
	{"IdNr", "IdNr", "ekona"},
	{EIDAS "naturalperson/Gender", "Gender", "eidas"},
	{EIDAS "legalperson/LegalPersonIdentifier", "LegalPersonIdentifier", "eidas"},
	{EIDAS "legalperson/LegalName", "LegalName", "eidas"},
};

/* Letters to be put in, taken out or changed to make one of the other (Levenshtein). */
static size_t
distance(const char *x, const char *y)
{
	size_t row[NAME_MAX_BYTES + 1], n = strlen(y);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; x[i] != '\0'; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t change = corner + (x[i] != y[j]);
			size_t other = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;

			corner = row[j + 1];
			row[j + 1] = change < other ? change : other;
		}
	}
	return row[n];
}

static const char *
without_blanks(struct arena *a, const char *s)
{
	char *out = arena_strdup(a, s);
	size_t n = 0;

	for (; *s != '\0'; s++)
		if (strchr(" \t\r\n", *s) == NULL)
			out[n++] = *s;
	out[n] = '\0';
	return out;
}

/* How unlike a name of ours: 0 is the same but for blanks, case, "urn:oid:" or its other name. */
static size_t
unlike(const char *asked, const char *asked_friendly, const char *name, const char *friendly)
{
	if (strcasecmp(asked, name) == 0 || strcasecmp(asked, friendly) == 0 ||
	    (asked_friendly != NULL && strcasecmp(asked_friendly, friendly) == 0) ||
	    (text_starts(name, "urn:oid:") && strcmp(asked, name + strlen("urn:oid:")) == 0))
		return 0;
	return distance(asked, name);
}

static const char *
guess(struct arena *a, const struct saml_attribute *list, size_t n, const char *name,
      const char *friendly)
{
	const char *asked = without_blanks(a, name);
	size_t best =
		strlen(asked) < 8 ? 2 : 3; /* what differs in so many letters is another one */
	const char *found = NULL;

	if (strlen(asked) > NAME_MAX_BYTES)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t d = unlike(asked, friendly, list[i].name, list[i].friendly_name);

		if (d >= best)
			continue;
		best = d;
		found = strcmp(list[i].name, list[i].friendly_name) == 0
				? list[i].name
				: arena_printf(a, "%s (%s)", list[i].name, list[i].friendly_name);
	}
	return found;
}

void
vocabulary_explain(struct arena *a, const char *name, const char *friendly,
		   struct saml_name_word *out)
{
	size_t n;
	const struct saml_attribute *list = vocabulary_list(a, &n);
	enum vocabulary v = vocabulary_of(name);

	*out = (struct saml_name_word){.vocabulary =
					       v == VOCABULARY_COUNT ? NULL : vocabulary_word(v)};
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, name) != 0)
			continue;
		out->ours = true;
		out->friendly = list[i].friendly_name;
		out->name_format = list[i].name_format;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		if (strcmp(elsewhere[i].name, name) != 0)
			continue;
		out->vocabulary = elsewhere[i].vocabulary;
		out->friendly = elsewhere[i].friendly;
		return;
	}
	out->guess = guess(a, list, n, name, friendly);
}
