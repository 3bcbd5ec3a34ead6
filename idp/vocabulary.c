/* The names that SAML parties know; see vocabulary.h. */
#include "idp/vocabulary.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "saml/names.h"

#define EIDAS    "http://eidas.europa.eu/attributes/naturalperson/"
#define AKDB_OID "urn:oid:1.3.6.1.4.1.25484.494450."

static const struct xmlns xmlns_eidas = {"eidas",
					 "http://eidas.europa.eu/attributes/naturalperson"},
			  xmlns_ekona = {"ekona",
					 "http://www.elster.de/schema/ekona/saml/extensions"};

/* How the values of a vocabulary are written. */
static const struct manner {
	const char *word; /* of the policy */
	const char *name_format;
	const struct xmlns *ns; /* of its types; NULL: xs:string only */
	bool trust_levels;      /* an akdb:TrustLevel at each */
	bool address_is_base64; /* the parts of an address as text, not as elements */
} manners[VOCABULARY_COUNT] = {
	[VOCABULARY_BUNDID] = {"bundid", SAML_ATTRNAME_URI, NULL, true, false},
	[VOCABULARY_BASIC] = {"basic", SAML_ATTRNAME_BASIC, NULL, true, false},
	[VOCABULARY_EIDAS] = {"eidas", SAML_ATTRNAME_URI, &xmlns_eidas, false, true},
	[VOCABULARY_EKONA] = {"ekona", SAML_ATTRNAME_BASIC, &xmlns_ekona, false, false},
};

/* YYYY-MM-DD, or the part of it that is known, as dd.MM.yyyy. */
static const char *
german_date(struct arena *a, const char *date)
{
	if (strlen(date) == 10)
		return arena_printf(a, "%.2s.%.2s.%.4s", date + 8, date + 5, date);
	return strlen(date) == 7 ? arena_printf(a, "%.2s.%.4s", date + 5, date) : date;
}

/* Of one attribute, or of a fact; VOCABULARY_BASIC has the friendly names of BundID's rows. */
static const struct word {
	enum vocabulary v; /* VOCABULARY_COUNT: of each */
	const char *attribute;
	enum login_fact fact; /* when attribute is NULL */
	const char *name, *friendly;
	const char *type; /* of the values, in the vocabulary's namespace; NULL: xs:string */
	const char *part; /* what it is of a value that has several parts; NULL: all of it */
	const char *(*form)(struct arena *a, const char *value); /* NULL: as it is held */
	bool always;
} words[] = {
#define BUNDID(attribute, name, friendly)                                                         \
	{                                                                                         \
		VOCABULARY_BUNDID, attribute, FACT_COUNT, name, friendly, NULL, NULL, NULL, false \
	}
	BUNDID("given_names", "urn:oid:2.5.4.42", "givenName"),
	BUNDID("family_name", "urn:oid:2.5.4.4", "surname"),
	BUNDID("birth_name", "urn:oid:1.2.40.0.10.2.1.1.225566", "birthName"),
	BUNDID("title", "urn:oid:0.9.2342.19200300.100.1.40", "personalTitle"),
	BUNDID("birth_date", "urn:oid:1.2.40.0.10.2.1.1.55", "birthdate"),
	BUNDID("birth_place", "urn:oid:1.3.6.1.5.5.7.9.2", "placeOfBirth"),
	BUNDID("nationality", "urn:oid:1.2.40.0.10.2.1.1.225577", "nationality"),
	BUNDID("street_address", "urn:oid:2.5.4.16", "postalAddress"),
	BUNDID("postal_code", "urn:oid:2.5.4.17", "postalCode"),
	BUNDID("locality", "urn:oid:2.5.4.7", "localityName"),
	BUNDID("country", "urn:oid:1.2.40.0.10.2.1.1.225599", "country"),
	BUNDID("email", "urn:oid:0.9.2342.19200300.100.1.3", "mail"),
	BUNDID("phone_number", "urn:oid:2.5.4.20", "telephoneNumber"),
#undef BUNDID
#define FACT(v, fact, name, friendly, type, always)                     \
	{                                                               \
		v, NULL, fact, name, friendly, type, NULL, NULL, always \
	}
	FACT(VOCABULARY_BUNDID, FACT_PSEUDONYM, AKDB_OID "3", "bPK2", NULL, false),
	FACT(VOCABULARY_BUNDID, FACT_OLD_PSEUDONYM, "urn:oid:1.2.40.0.10.2.1.1.149", "bPK", NULL,
	     false),
	FACT(VOCABULARY_BUNDID, FACT_LEVEL, "urn:oid:1.2.40.0.10.2.1.1.261.94",
	     "EID-CITIZEN-QAA-LEVEL", NULL, false),
	FACT(VOCABULARY_BUNDID, FACT_PROVED_BY, AKDB_OID "2", "AssertionProvedBy", NULL, false),
	FACT(VOCABULARY_BUNDID, FACT_MFA, AKDB_OID "7", "mfa", NULL, false),
	FACT(VOCABULARY_BUNDID, FACT_ATTRIBUTE_LEVELS, "urn:kontor:attribute-levels",
	     "attributeLevels", NULL, false),
	FACT(VOCABULARY_COUNT, FACT_PAIRWISE_ID, NAME_PAIRWISE_ID, "pairwise-id", NULL, false),
	FACT(VOCABULARY_COUNT, FACT_SUBJECT_ID, NAME_SUBJECT_ID, "subject-id", NULL, false),
#define NATURAL(attribute, name, friendly)                                                        \
	{                                                                                         \
		VOCABULARY_EIDAS, attribute, FACT_COUNT, EIDAS name, friendly, name "Type", NULL, \
			NULL, false                                                               \
	}
#define ADDRESS(attribute, part)                                                                   \
	{                                                                                          \
		VOCABULARY_EIDAS, attribute, FACT_COUNT, EIDAS "CurrentAddress", "CurrentAddress", \
			"CurrentAddressType", part, NULL, false                                    \
	}
	FACT(VOCABULARY_EIDAS, FACT_PSEUDONYM, EIDAS "PersonIdentifier", "PersonIdentifier",
	     "PersonIdentifierType", true),
	NATURAL("family_name", "CurrentFamilyName", "FamilyName"),
	NATURAL("given_names", "CurrentGivenName", "FirstName"),
	NATURAL("birth_date", "DateOfBirth", "DateOfBirth"),
	NATURAL("birth_name", "BirthName", "BirthName"),
	NATURAL("birth_place", "PlaceOfBirth", "PlaceOfBirth"),
	ADDRESS("street_address", "Thoroughfare"),
	ADDRESS("postal_code", "PostCode"),
	ADDRESS("locality", "PostName"),
	ADDRESS("country", "AdminunitFirstline"),
#undef NATURAL
#undef ADDRESS
#define PLAIN(attribute, name, form)                                                         \
	{                                                                                    \
		VOCABULARY_EKONA, attribute, FACT_COUNT, name, name, NULL, NULL, form, false \
	}
#define ADDRESS(attribute, part)                                                                  \
	{                                                                                         \
		VOCABULARY_EKONA, attribute, FACT_COUNT, "Anschrift", "Anschrift", "AdresseType", \
			part, NULL, false                                                         \
	}
	FACT(VOCABULARY_EKONA, FACT_TEST_ACCOUNT, "IstTestkonto", "IstTestkonto", NULL, true),
	FACT(VOCABULARY_EKONA, FACT_DATA_KIND, "DatenkranzTyp", "DatenkranzTyp", NULL, true),
	FACT(VOCABULARY_EKONA, FACT_PERSON_KIND, "PersTyp", "PersTyp", NULL, true),
	FACT(VOCABULARY_EKONA, FACT_IDENTITY_LEVEL, "ElsterVertrauensniveauIdentifizierung",
	     "ElsterVertrauensniveauIdentifizierung", NULL, true),
	FACT(VOCABULARY_EKONA, FACT_LEVEL, "ElsterVertrauensniveauAuthentifizierung",
	     "ElsterVertrauensniveauAuthentifizierung", NULL, true),
	FACT(VOCABULARY_EKONA, FACT_PSEUDONYM, "DatenuebermittlerPseudonymId",
	     "DatenuebermittlerPseudonymId", NULL, true),
	PLAIN("given_names", "Vorname", NULL),
	PLAIN("family_name", "Name", NULL),
	PLAIN("birth_name", "Geburtsname", NULL),
	PLAIN("title", "AkademischerGrad", NULL),
	PLAIN("birth_date", "Geburtsdatum", german_date),
	PLAIN("birth_place", "Geburtsort", NULL),
	PLAIN("email", "EMailAdresse", NULL),
	ADDRESS("street_address", "Strasse"),
	ADDRESS("postal_code", "PLZ"),
	ADDRESS("locality", "Ort"),
	ADDRESS("country", "Land"),
#undef PLAIN
#undef ADDRESS
#undef FACT
};

bool
vocabulary_from_word(const char *word, enum vocabulary *out)
{
	for (size_t v = 0; v < VOCABULARY_COUNT; v++) {
		if (text_eq(word, manners[v].word)) {
			*out = (enum vocabulary)v;
			return true;
		}
	}
	return false;
}

const char *
vocabulary_word(enum vocabulary v)
{
	return manners[v].word;
}

/* A word's name in v; rows of BundID's serve two. */
static const char *
called(enum vocabulary v, const struct word *w)
{
	return v == VOCABULARY_BASIC && w->v == VOCABULARY_BUNDID ? w->friendly : w->name;
}

/* The vocabulary that knows this row by this name; VOCABULARY_COUNT: none, or all. */
static bool
is_called(const struct word *w, const char *name, enum vocabulary *v)
{
	*v = w->v;
	if (strcmp(w->name, name) == 0)
		return true;
	*v = VOCABULARY_BASIC;
	return w->v == VOCABULARY_BUNDID && strcmp(w->friendly, name) == 0;
}

bool
vocabulary_names(const char *name, const struct attribute *at)
{
	enum vocabulary v;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (text_eq(words[i].attribute, at->name) && is_called(&words[i], name, &v))
			return true;
	return false;
}

enum login_fact
vocabulary_fact(const char *name)
{
	enum vocabulary v;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].attribute == NULL && is_called(&words[i], name, &v))
			return words[i].fact;
	return FACT_COUNT;
}

enum vocabulary
vocabulary_of(const char *name)
{
	enum vocabulary v;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (is_called(&words[i], name, &v))
			return v;
	return VOCABULARY_COUNT;
}

/* The row of an attribute (or, with NULL, of a fact) in v itself; NULL: none. */
static const struct word *
row_in(enum vocabulary v, const char *attribute, enum login_fact fact)
{
	enum vocabulary rows = v == VOCABULARY_BASIC ? VOCABULARY_BUNDID : v;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const struct word *w = &words[i];

		if ((w->v == rows || w->v == VOCABULARY_COUNT) &&
		    text_eq(w->attribute, attribute) && w->fact == fact)
			return w;
	}
	return NULL;
}

/* The same, else BundID's; *v becomes whose it is. */
static const struct word *
row_for(enum vocabulary *v, const char *attribute, enum login_fact fact)
{
	const struct word *w = row_in(*v, attribute, fact);

	if (w == NULL) {
		*v = VOCABULARY_BUNDID;
		w = row_in(*v, attribute, fact);
	}
	return w;
}

const char *
vocabulary_name(enum vocabulary v, const struct attribute *at)
{
	const struct word *w = row_for(&v, at->name, FACT_COUNT);

	return called(v, w);
}

bool
vocabulary_always_tells(enum vocabulary v, enum login_fact fact)
{
	const struct word *w = row_in(v, NULL, fact);

	return w != NULL && w->always;
}

static struct saml_attribute
attribute_in(enum vocabulary v, const struct word *w)
{
	return (struct saml_attribute){
		.name = called(v, w),
		.name_format =
			w->v == VOCABULARY_COUNT ? SAML_ATTRNAME_URI : manners[v].name_format,
		.friendly_name = w->friendly,
		.type_ns = w->type == NULL ? NULL : manners[v].ns,
		.type = w->type,
	};
}

/* eIDAS SAML Attribute Profile 2.2.3: the elements of an address, base64 of their text. */
static const char *
base64_of_parts(struct arena *a, const struct xmlns *ns, const struct saml_part *parts, size_t n)
{
	struct buf b;

	buf_init(&b, a, 65536);
	for (size_t i = 0; i < n; i++) {
		buf_printf(&b, "<%s:%s xmlns:%s=\"%s\">", ns->prefix, parts[i].name, ns->prefix,
			   ns->uri);
		enc_xml_text(&b, parts[i].text);
		buf_printf(&b, "</%s:%s>", ns->prefix, parts[i].name);
	}
	return enc_base64(a, (struct bytes){b.p, b.n});
}

/* Everything released that this name covers, in the order of the table. */
static size_t
parts_of(struct arena *a, const char *name, const struct release *r, struct saml_part *parts)
{
	size_t n = 0;

	for (size_t k = 0; k < ARRAY_LEN(words); k++) {
		const struct word *w = &words[k];

		if (w->part == NULL || strcmp(w->name, name) != 0)
			continue;
		for (size_t i = 0; i < r->n; i++)
			if (strcmp(r->p[i].at->name, w->attribute) == 0)
				parts[n++] =
					(struct saml_part){w->part, arena_strdup(a, r->p[i].value)};
	}
	return n;
}

static bool
is_told(const struct saml_attribute *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return true;
	return false;
}

static const char *const *
one_value(struct arena *a, const char *value)
{
	const char **values = ARENA_ARRAY(a, const char *, 1);

	values[0] = value;
	return values;
}

static void
tell_one(struct arena *a, enum vocabulary v, const struct word *w, const struct release *r,
	 const struct released *released, struct saml_attribute *out)
{
	struct saml_attribute at = attribute_in(v, w);

	if (manners[v].trust_levels)
		at.trust_level = level_trust_word(released->level);
	if (w->part == NULL) {
		const char *value = released->value;

		at.values =
			one_value(a, w->form == NULL || *value == '\0' ? value : w->form(a, value));
		at.n_values = 1;
	} else {
		struct saml_part *parts = ARENA_ARRAY(a, struct saml_part, r->n + 1);

		at.n_parts = parts_of(a, w->name, r, parts);
		at.parts = parts;
		if (manners[v].address_is_base64) {
			at.values =
				one_value(a, base64_of_parts(a, manners[v].ns, parts, at.n_parts));
			at.n_values = 1;
			at.n_parts = 0;
		}
	}
	*out = at;
}

void
vocabulary_tell(struct arena *a, enum vocabulary v, const struct release *r,
		struct saml_attribute *out, size_t *n)
{
	for (size_t i = 0; i < r->n; i++) {
		enum vocabulary whose = v;
		const struct word *w = row_for(&whose, r->p[i].at->name, FACT_COUNT);

		if (!is_told(out, *n, called(whose, w)))
			tell_one(a, whose, w, r, &r->p[i], &out[(*n)++]);
	}
}

void
vocabulary_tell_fact(enum vocabulary v, enum login_fact fact, const char *const *values,
		     size_t n_values, struct saml_attribute *out, size_t *n)
{
	const struct word *w = row_for(&v, NULL, fact);

	if (w == NULL || n_values == 0)
		return;
	out[*n] = attribute_in(v, w);
	out[*n].values = values;
	out[(*n)++].n_values = n_values;
}

const struct saml_attribute *
vocabulary_list(struct arena *a, size_t *n)
{
	struct saml_attribute *list = ARENA_ARRAY(a, struct saml_attribute, 2 * ARRAY_LEN(words));

	*n = 0;
	for (size_t v = 0; v < VOCABULARY_COUNT; v++) {
		for (size_t i = 0; i < ARRAY_LEN(words); i++) {
			const struct word *w = &words[i];
			enum vocabulary rows =
				v == VOCABULARY_BASIC ? VOCABULARY_BUNDID : (enum vocabulary)v;

			if ((w->v != rows && w->v != VOCABULARY_COUNT) ||
			    is_told(list, *n, called((enum vocabulary)v, w)))
				continue;
			list[*n] = attribute_in((enum vocabulary)v, w);
			list[(*n)++].type = NULL;
		}
	}
	return list;
}
