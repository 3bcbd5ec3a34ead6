/*
 * What we make of a document, printed: the whole way of a message from the portal
 * of portal.h to what is read from it, and of metadata, at portal_now().  Documents
 * of one meaning differ in nothing that anybody acts upon.
 */
#ifndef KONTOR_TESTS_SAML_MEANING_H
#define KONTOR_TESTS_SAML_MEANING_H

#include "saml/xmlenc.h"
#include "tests/saml/portal.h"

struct meaning_reader {
	const struct saml_party *party; /* who the sender should be */
	const struct xmlenc_keys *open; /* NULL: nothing encrypted opens */
};

/* Decoded, verified, parsed and checked.  The printed text is never NULL. */
MUST_USE bool meaning_of_message(struct arena *a, enum saml_binding binding, struct bytes raw,
				 const struct meaning_reader *reader, const char **out,
				 struct err *err);

/* Metadata as a file that an operator registers; and as one signed by fixture_keys(). */
MUST_USE bool meaning_of_metadata(struct arena *a, struct bytes text, const char **out,
				  struct err *err);
MUST_USE bool meaning_of_signed_metadata(struct arena *a, struct bytes text, const char **out,
					 struct err *err);

/* How it was refused: kind, protocol name, text, a line each. */
const char *meaning_of_refusal(struct arena *a, const struct err *err);

#endif
