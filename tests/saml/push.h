/* The canonical form of a document that is read in pieces: what tests and a fuzz target compare. */
#ifndef KONTOR_TESTS_SAML_PUSH_H
#define KONTOR_TESTS_SAML_PUSH_H

#include "saml/canon.h"

/*
 * Read `text`, `piece_bytes` at a time, and write the exclusive canonical form of its root, or,
 * with `copy`, a copy of each element at depth 2, one after the other.  At most 1 MiB.
 */
MUST_USE bool push_through(struct arena *a, struct bytes text, const struct xml_limits *limits,
			   const char *const *prefixes, size_t piece_bytes, bool copy,
			   struct bytes *out, struct err *err);

#endif
