/* Answers to authorization requests on their way through the browser. */
#ifndef KONTOR_IDP_OIDC_CARRY_H
#define KONTOR_IDP_OIDC_CARRY_H

#include "idp/party.h"
#include "idp/response.h"
#include "oidc/answer.h"

/* rs takes the answer to the client `p`: by a redirect, or by a page that posts it. */
MUST_USE bool oidc_carry(struct request *rq, const struct party *p, const struct oidc_return *to,
			 const struct oidc_answer *answer, struct response *rs, struct err *err);

#endif
