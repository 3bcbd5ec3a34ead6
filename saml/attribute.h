/*
 * An attribute as it is written into assertions and metadata (SAML2Core 2.7.3.1).
 * Which attributes there are and what they are called is idp/'s table.
 */
#ifndef KONTOR_SAML_ATTRIBUTE_H
#define KONTOR_SAML_ATTRIBUTE_H

#include "saml/xmlw.h"

/* An element of a value that has several. */
struct saml_part {
	const char *name, *text;
};

struct saml_attribute {
	const char *name;          /* "urn:oid:2.5.4.42" */
	const char *name_format;   /* SAML_ATTRNAME_URI or SAML_ATTRNAME_BASIC */
	const char *friendly_name; /* for people only; NULL: none */
	const char *trust_level;   /* akdb:TrustLevel (BundID interface 5); NULL: none */
	const char *const *values; /* UTF-8; "" is a value that is verified to be empty */
	size_t n_values;
	const struct xmlns *type_ns;   /* of the values' type; NULL: they are xs:string */
	const char *type;              /* in type_ns; goes with it */
	const struct saml_part *parts; /* one more value: elements of type_ns */
	size_t n_parts;
};

/* Write it; the namespace of the type (xmlns_xs) must be declared above when there are values. */
void saml_attribute_write(struct xmlw *w, const struct saml_attribute *at);

#endif
