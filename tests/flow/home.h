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

/* Both as members of the federation "verbund", and none registered by hand. */
#define HOME_SOURCE  "verbund"
#define BADEN_SCOPE  "konto.baden.example"
#define HESSEN_SCOPE "konto.hessen.example"
#define HOME_RULES                                                                     \
	"{\"approval\":\"whole\",\"gone-percent\":100,\"members\":{\"" PROVIDER_ENTITY \
	"\":{\"level-cap\":\"high\"}}}"
int home_setup_members(void **state);
/* The one sort, or the other. */
void home_be_members(struct world *w, bool members);

/* What of them is in the form, in flows and in the audit trail: the id, of members the entityID. */
const char *home_id(const char *id);

/* A member's EntityDescriptor; scope, more (of its extensions) and suite NULL: none, its own. */
const char *home_member(struct world *w, const char *id, const char *scope, const char *more,
			const char *suite);
/* The federation anew by these rules, and the next copy of it. */
void home_federation(struct world *w, const char *rules);
void home_publish(struct world *w, const char *members);
/* One more source, and a copy of it: why it waits, as JSON; NULL: it counts. */
void home_source(struct world *w, const char *name, const char *rules);
const char *home_take(struct world *w, const char *name, const char *members);
void home_approve(struct world *w, const char *name);
void home_suspend(struct world *w, const char *id, bool suspended);

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

/* Ask as the SAML portal and choose `id`. */
struct home_request home_sent(struct web *b, const char *id);

/* Nothing came of it: an error page, and the flow is where it was. */
void home_refused(struct web *b, const char *flow);

/* The public key that is encrypted to for us. */
EVP_PKEY *home_encrypt_to(struct world *w);

#endif
