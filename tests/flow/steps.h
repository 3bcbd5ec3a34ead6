/*
 * What the tests of single steps share: a portal that asks for consent each
 * time, a person with a second means and one without, and what a page is.
 */
#ifndef KONTOR_TESTS_FLOW_STEPS_H
#define KONTOR_TESTS_FLOW_STEPS_H

#include "tests/flow/world.h"

#define PASSWORD "Lachs-Turmuhr-47"
#define POLICY                                                 \
	"{\"attribute\":[\"family_name:required\",\"email\"]," \
	"\"consent\":\"always\"}"
#define LEVEL3                                                                            \
	"<samlp:RequestedAuthnContext Comparison=\"minimum\"><saml:AuthnContextClassRef>" \
	"STORK-QAA-Level-3</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"

/* Attributes of everybody here. */
extern const char *const everybody[];

/* Of "erika": vouched for by an office, with a one-time-code app.  "karl" has a password only. */
extern struct subject_id erika_id;

int steps_setup(void **state);

/* Before each test: half an hour later, so that budgets and steps of codes count anew. */
int steps_fresh(void **state);

/* Ask as the SAML portal, with an id of its own (saml_request_url). */
void ask(struct web *b, const char *extra, const char *inner);

void log_in(struct web *b, const char *login_name);
void enter_code(struct web *b);
void log_out(struct web *b);

/* At our own front door, as in another tab. */
void log_in_aside(struct web *b, const char *login_name);

enum page { OTHER, LOGIN, CODE, ENROLL, CONSENT, MISSING, ANSWER };
enum page page_of(struct web *b);
#define ASSERT_PAGE(b, p) assert_int_equal(page_of(b), (p))

/* The page posts a Response of success. */
bool succeeded(struct web *b);

/* The form of a page this browser was shown, offer and all, sent to another flow of its own. */
void forge(struct web *b, const char *page, const char *route, const char *flow,
	   const char *fields);

/* ---- a client without a browser ---- */

#define ECP_ENDPOINT "/saml/sso/soap"
#define ECP_ACS      "https://amt24.example/ecp"

/* The SAML portal, with an endpoint by PAOS besides. */
void ecp_portal(struct world *w, const char *policy);

/* What it asks by the client.  Zero value: whoever it is, at that endpoint. */
struct ecp_asking {
	const char *id, *acs, *destination, *binding;
	const char *force, *passive;
	const char *format, *create, *level, *person;
	bool no_acs;
};
const char *ecp_id(struct world *w);

/* The envelope that the client sends on, and how it says who it is for. */
const char *ecp_envelope(struct world *w, const struct ecp_asking *how);
const char *ecp_basic(struct world *w, const char *name, const char *password);

/* ---- an attribute query ---- */

#define QUERY_ENDPOINT "/saml/attributes"

/* Zero value: about nobody, for whatever there is, signed. */
struct query_asking {
	const char *id, *name, *format, *qualifier, *sp_qualifier, *destination;
	const char *asked[3];
	const char *value; /* of the first that is asked */
	bool confirm;
};

const char *query_envelope(struct world *w, const struct query_asking *how);

/* The id of the flow whose page is shown. */
const char *flow_of(const struct web *b);

#endif
