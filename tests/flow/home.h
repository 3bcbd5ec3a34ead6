/*
 * What the tests of other providers' accounts share: two of them, "baden" and "hessen", each with
 * a key of its own, that ask and answer as the specification has it or with one thing changed.
 */
#ifndef KONTOR_TESTS_FLOW_HOME_H
#define KONTOR_TESTS_FLOW_HOME_H

#include "saml/authn_request.h"
#include "tests/flow/steps.h"
#include "tests/saml/provider.h"

#define BADEN      "baden"
#define HESSEN     "hessen"
#define HESSEN_IDP "https://konto.hessen.example/idp"
#define HESSEN_SSO "https://konto.hessen.example/sso"
#define CAP_HIGH   "{\"level-cap\":\"high\"}"

/* Group fixture: steps_setup with both, capped at "high" and "substantial". */
int home_setup(void **state);

/* Register or change one: kind, policy as JSON. */
void home_upstream(struct world *w, const char *id, const char *kind, const char *policy);

/* Choose it on the page of the flow; the browser is where it was sent. */
void home_choose(struct web *b, const char *id);

/* What the browser was sent to a provider with, read as the provider reads it. */
struct home_request {
	const struct saml_authn_request *r;
	const char *relay_state;
};
struct home_request home_request(struct web *b);

/* A good answer of one of them to that, with attributes of "Berta Beispiel" at HOCH. */
struct provider_answer home_answer(struct world *w, const char *id, const struct home_request *q);

/* The browser brings it to us, as a page of the provider would post it, and is led on. */
void home_bring(struct web *b, const struct provider_answer *p);

/* Ask as the SAML portal, choose `id`, and come back with a good answer. */
void home_login(struct web *b, const char *id, const char *inner);

/* The public key that is encrypted to for us. */
EVP_PKEY *home_encrypt_to(struct world *w);

#endif
