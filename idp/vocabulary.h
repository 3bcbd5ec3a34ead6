/*
 * In which words a SAML party is told what an account holds and what the login
 * was: BundID's OIDs, their friendly names in the basic format, eIDAS, EKONA.
 * One table; a new name is a row of it.
 */
#ifndef KONTOR_IDP_VOCABULARY_H
#define KONTOR_IDP_VOCABULARY_H

#include "idp/release.h"
#include "saml/attribute.h"
#include "saml/metadata_check.h"

enum vocabulary {
	VOCABULARY_BUNDID, /* OIDs, uri format, each attribute with its level */
	VOCABULARY_BASIC,  /* BundID's friendly names, basic format, likewise */
	VOCABULARY_EIDAS,  /* http://eidas.europa.eu/attributes/naturalperson/... */
	VOCABULARY_EKONA,  /* the organisation account's German names, basic format */
	VOCABULARY_COUNT,
};

/* By the word that a policy has for it: "bundid". */
MUST_USE bool vocabulary_from_word(const char *word, enum vocabulary *out);
const char *vocabulary_word(enum vocabulary v);

/* SAML V2.0 Subject Identifier Attributes 3.3, 3.4: the same names in every vocabulary. */
#define NAME_SUBJECT_ID  "urn:oasis:names:tc:SAML:attribute:subject-id"
#define NAME_PAIRWISE_ID "urn:oasis:names:tc:SAML:attribute:pairwise-id"

/* Facts of the login rather than of the person, which have names of their own. */
enum login_fact {
	FACT_PSEUDONYM,
	FACT_OLD_PSEUDONYM, /* the same, by the name that BundID had for it before */
	FACT_LEVEL,
	FACT_PROVED_BY,
	FACT_MFA,
	FACT_ATTRIBUTE_LEVELS,
	FACT_IDENTITY_LEVEL, /* the lowest level of what is released */
	FACT_PERSON_KIND,
	FACT_DATA_KIND,
	FACT_TEST_ACCOUNT,
	FACT_PAIRWISE_ID,
	FACT_SUBJECT_ID,
	FACT_COUNT,
};

/* Does this name, of whichever vocabulary, stand for this attribute?  An address is several. */
bool vocabulary_names(const char *name, const struct attribute *at);

/* FACT_COUNT: it is a name of none. */
enum login_fact vocabulary_fact(const char *name);

/* The vocabulary that a name is of; VOCABULARY_COUNT: of none, or it is the same in all. */
enum vocabulary vocabulary_of(const char *name);

/* What an attribute is called; what a vocabulary has no name for goes by BundID's. */
const char *vocabulary_name(enum vocabulary v, const struct attribute *at);

/* Told also when the request names nothing, as peers of that vocabulary expect? */
bool vocabulary_always_tells(enum vocabulary v, enum login_fact fact);

/*
 * What is released, one attribute for each name: those of one address together.
 * out has room for r->n more; *n of them are used.
 */
void vocabulary_tell(struct arena *a, enum vocabulary v, const struct release *r,
		     struct saml_attribute *out, size_t *n);

/* A fact; one that this vocabulary has no name for goes by BundID's, else is left out. */
void vocabulary_tell_fact(enum vocabulary v, enum login_fact fact, const char *const *values,
			  size_t n_values, struct saml_attribute *out, size_t *n);

/* What is known of a name that metadata ask for (saml_check_wish); friendly: as they call it. */
void vocabulary_explain(struct arena *a, const char *name, const char *friendly,
			struct saml_name_word *out);

/* All that can be asked for, each name once, without values. */
const struct saml_attribute *vocabulary_list(struct arena *a, size_t *n);

#endif
