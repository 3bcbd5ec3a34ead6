/* What leaves through the browser, held against the OASIS schemas (TR-03160-2 4.3.2.10). */
#ifndef KONTOR_TESTS_FLOW_EMITTED_H
#define KONTOR_TESTS_FLOW_EMITTED_H

#include "tests/flow/world.h"

/*
 * Fails the test when the answer that `b` just took carries a SAML message, in a form, a redirect
 * or as its body, that the schemas refuse.  Every answer of every test in flow/ passes here.
 */
void assert_emitted_valid(struct web *b);

#endif
