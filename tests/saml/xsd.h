/*
 * Debian's copies of the OASIS and W3C schemas (opensaml-schemas,
 * xmltooling-schemas) as an oracle: what we accept and what we write must be
 * valid there too (TR-03160-2 4.3.2.10).
 */
#ifndef KONTOR_TESTS_SAML_XSD_H
#define KONTOR_TESTS_SAML_XSD_H

#include "base/arena.h"

/*
 * The document is valid.  *why becomes the first complaint ("" when it is
 * valid).  Fails the test when the schemas are not installed.
 */
bool xsd_accepts(struct arena *a, struct bytes xml, const char **why);

/* Fails the test with the complaint when it is not. */
void assert_schema_valid(struct arena *a, struct bytes xml);

#endif
