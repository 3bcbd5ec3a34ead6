/*
 * Values as XML Schema types them, for saml/schema.h and the readers behind it.
 * Pure judgements of a text; each is at least as strict as the type it is for.
 */
#ifndef KONTOR_SAML_VALUE_H
#define KONTOR_SAML_VALUE_H

#include "saml/xml.h"

enum saml_type {
	SAML_T_STRING,
	SAML_T_URI,
	SAML_T_LOGO, /* a URI that may be long */
	SAML_T_URIS, /* separated by white space */
	SAML_T_BOOL,
	SAML_T_TIME,
	SAML_T_DURATION,
	SAML_T_SHORT,
	SAML_T_COUNT,
	SAML_T_ID, /* its form and uniqueness are looked at by xml_parse */
	SAML_T_NCNAME,
	SAML_T_BASE64,
	SAML_T_INTEGER,
	SAML_T_POSITIVE,
	SAML_T_COMPARISON,
	SAML_T_KEY_USE,
	SAML_T_CONTACT,
};

/* The text is of the type.  `a` takes what is decoded on the way. */
bool saml_value_is(struct arena *a, const char *text, enum saml_type type);

/* "a URI", "an xs:boolean": for messages. */
const char *saml_type_name(enum saml_type type);

MUST_USE bool saml_read_bool(const char *text, bool *out); /* xs:boolean */
MUST_USE bool saml_read_short(const char *text, int *out); /* xs:unsignedShort */

/* xs:duration in seconds: a year has 365 days, a month 30.  No sign, no fraction. */
MUST_USE bool saml_read_duration(const char *text, int64_t *out_s);

/* A URI or relative reference of RFC 3986, without brackets. */
bool saml_is_uri(const char *text);

/* xs:language */
bool saml_is_language(const char *text);

/*
 * Attributes by type: a missing one leaves *out as it is, a malformed one is
 * ERR_INPUT.
 */
MUST_USE bool saml_attr_bool(const struct xml_node *n, const char *name, bool *out,
			     struct err *err);
MUST_USE bool saml_attr_short(const struct xml_node *n, const char *name, int *out,
			      struct err *err);
MUST_USE bool saml_attr_time(const struct xml_node *n, const char *name, time_t *out,
			     struct err *err);
MUST_USE bool saml_attr_duration(const struct xml_node *n, const char *name, int64_t *out_s,
				 struct err *err);

#endif
