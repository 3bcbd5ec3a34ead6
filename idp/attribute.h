/*
 * THE ATTRIBUTES an account can hold and a portal can ask for, in one table:
 * name inside, claim and scope in OIDC, label of the consent page.  Adding one
 * is adding a row, two texts and its SAML name (idp/vocabulary.c).
 */
#ifndef KONTOR_IDP_ATTRIBUTE_H
#define KONTOR_IDP_ATTRIBUTE_H

#include "base/arena.h"
#include "base/err.h"

enum attribute_shape {
	ATTRIBUTE_TEXT,
	ATTRIBUTE_DATE, /* YYYY-MM-DD; a card may know only the year or the month: YYYY, YYYY-MM */
	ATTRIBUTE_COUNTRY, /* ISO 3166-1 alpha-2 */
	ATTRIBUTE_NATION,  /* ICAO code as cards write it ("D"), or alpha-3 */
	ATTRIBUTE_EMAIL,
	ATTRIBUTE_POSTCODE,
};

enum attribute_use {
	ATTRIBUTE_SELF = 1, /* the person may enter it; it then stays LEVEL_BASIC */
	ATTRIBUTE_MINIMUM =
		2, /* minimum data set (TR-03160-1 4.5), raised by proofing as a whole */
};

struct attribute {
	const char *name;     /* "family_name": rows, command line, consent */
	const char *claim;    /* "family_name"; "address.locality" is a member of an object */
	const char *scope;    /* the scope that asks for it */
	const char *text_key; /* label in web/i18n */
	enum attribute_shape shape;
	unsigned use;
	size_t max_bytes;
};

extern const struct attribute attributes[]; /* ends with a NULL name */

/* NULL: none of that name. */
const struct attribute *attribute_by_name(const char *name);

/* By claim as a portal writes it; "address" and other objects: see attribute_in_claim. */
const struct attribute *attribute_by_claim(const char *claim);

/* The attribute's claim is `claim` or a member of the object `claim`. */
bool attribute_in_claim(const struct attribute *at, const char *claim);

/* A value as a person or an officer enters it: of the attribute's shape and length. */
MUST_USE bool attribute_check_value(const struct attribute *at, const char *value, struct err *err);

#endif
