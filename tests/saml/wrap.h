/*
 * Signature wrapping (Somorovsky et al., "On Breaking SAML", 2012): the signed
 * element is moved aside and another takes its place, so that what verifies the
 * Signature and what reads the content look at different elements.
 */
#ifndef KONTOR_TESTS_SAML_WRAP_H
#define KONTOR_TESTS_SAML_WRAP_H

#include "base/arena.h"
#include "base/err.h"

#define WRAP_SHAPES 8

/* A signed element, standing alone, taken apart. */
struct wrap_target {
	const char *text, *bare, *sig; /* signed; without its Signature; the Signature */
	const char *evil;              /* bare with what the attacker wants: set by the caller */
	struct bytes octets;           /* what was signed */
};

struct wrap_target wrap_target(struct arena *a, const char *text);

/* How the evil element may call itself; NULL past the last one. */
const char *wrap_id(size_t i);

/*
 * The document of shape XSW 1 to 8 around a message, its root being the evil
 * element under the i-th spelling of an ID.
 */
const char *wrap_message(struct arena *a, int shape, const struct wrap_target *t, size_t id);

/*
 * The same around an element inside another (an Assertion in a Response): what is
 * to stand in the holder in its place.
 */
const char *wrap_child(struct arena *a, int shape, const struct wrap_target *t, size_t id);

/* An element with something put at its "start", after its "issuer" (if any), or at its "end". */
char *wrap_put(struct arena *a, const char *element, const char *where, const char *what);

/* Something inside a Signature, at its end, plain or in a ds:Object; inside Extensions. */
char *wrap_in_signature(struct arena *a, const char *sig, const char *what);
char *wrap_in_object(struct arena *a, const char *sig, const char *what);
char *wrap_in_extensions(struct arena *a, const char *what);

#endif
