/*
 * The OASIS schemas for what we read, as a table: which attributes and children
 * an element has, and of which type their values are (SAML2Core, SAML2Metadata,
 * TR-03160-2 4.3.2.10).  A document is checked once, before a reader looks for
 * fields in it; so readers ask for what they need and know that nothing else is
 * there.  We refuse more than the schemas do, never less.
 */
#ifndef KONTOR_SAML_SCHEMA_H
#define KONTOR_SAML_SCHEMA_H

#include "saml/xml.h"

/*
 * Check `n`, which must be an element of the table, and all below it.  Elements
 * of foreign namespaces may stand where the schemas have a wildcard and are
 * passed over, but for known elements inside them.  ERR_INPUT.
 */
MUST_USE bool saml_schema_check(struct arena *a, const struct xml_node *n, struct err *err);

/*
 * Of a document that was refused there: in which order children stand in the
 * first element that has others, for people.  NULL: that was not what is wrong.
 */
const char *saml_schema_order(struct arena *a, const struct xml_node *root);

#endif
