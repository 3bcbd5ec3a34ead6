/*
 * Everything that can be said of a service provider's metadata as a document:
 * what is wrong, what is unwise, what is fine.  One table of rules (metadata_lint.c)
 * serves who registers a party and who builds one.  Nothing is judged here that the
 * program would judge otherwise: each rule asks the tables that the answers are made by.
 */
#ifndef KONTOR_SAML_METADATA_CHECK_H
#define KONTOR_SAML_METADATA_CHECK_H

#include "saml/metadata.h"

/* What can be registered; a longer document is told so and looked at no further. */
#define SAML_METADATA_MAX_BYTES ((size_t)1024 * 1024)

/* What is known of the name of an attribute; all texts NULL when there is none. */
struct saml_name_word {
	bool ours;               /* answers can carry it */
	const char *vocabulary;  /* whose name it is: "bundid"; NULL: it is unknown, or anyone's */
	const char *friendly;    /* "givenName" */
	const char *name_format; /* that goes with it */
	const char *guess;       /* of an unknown one: the name most like it */
};

struct saml_check_wish {
	const char *entity_id; /* of an aggregate; NULL: there is one only */
	unsigned flags;        /* enum saml_lint_flag */
	time_t now;
	const struct saml_party *known; /* read from this document, with what our record adds;
					   NULL: there is no record */
	/* What idp/ knows of a name; friendly may be NULL.  NULL: names are not looked at. */
	void (*explain)(struct arena *a, const char *name, const char *friendly,
			struct saml_name_word *out);
};

struct saml_checked {
	const struct saml_party *party;   /* NULL: it cannot be read as one */
	const struct saml_finding *found; /* gravest first; what is fine comes last */
	size_t n;
};

/* Look at a whole document.  Never fails: what is wrong is a finding. */
void saml_metadata_examine(struct arena *a, struct bytes text, const struct saml_check_wish *wish,
			   struct saml_checked *out);

/* A usable key for people: "RSA of 3072 bits", "EC on P-256". */
const char *saml_key_words(struct arena *a, const struct saml_party_key *key);

/* The id of rule i, for tests and manuals; NULL past the end. */
const char *saml_metadata_rule_at(size_t i);

#endif
