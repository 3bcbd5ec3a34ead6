/* What the tests of single logout share: "karl" at a portal, and requests by SOAP. */
#ifndef KONTOR_TESTS_FLOW_LEAVE_H
#define KONTOR_TESTS_FLOW_LEAVE_H

#include "tests/flow/steps.h"

struct login {
	const char *name, *index; /* NameID and SessionIndex that the portal was told */
};

/* Of the Response on the page. */
struct login login_of(struct web *b);

/* Log "karl" in at the SAML portal of now. */
struct login karl_at_the_portal(struct web *b);

/* An ID of a LogoutRequest, never given before. */
const char *logout_id(struct world *w);

bool is_logged_in(struct web *b);

/* An envelope to our SOAP endpoint. */
void send_soap(struct web *b, const char *envelope);

/* The status and second-level status of the signed answer ("Success", "Success PartialLogout"). */
const char *soap_status(struct web *b);

#endif
