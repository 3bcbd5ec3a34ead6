/* The consent page: every attribute with value, source and level; optional ones can be switched
 * off. */
#ifndef KONTOR_IDP_CONSENT_H
#define KONTOR_IDP_CONSENT_H

#include "idp/flow.h"

MUST_USE bool consent_show(struct flow *f, struct response *rs, struct err *err);

/* Instead: the page that says which required attribute the account does not have. */
MUST_USE bool consent_show_missing(struct flow *f, struct response *rs, struct err *err);

/* The form's handler (idp/route.c). */
bool consent_handle(struct request *rq, struct response *rs, struct err *err);

#endif
