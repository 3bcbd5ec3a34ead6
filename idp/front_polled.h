/*
 * Clients that ask until somebody has answered, as fronts: what they want of the person, and
 * the page at the end instead of an answer to them.
 */
#ifndef KONTOR_IDP_FRONT_POLLED_H
#define KONTOR_IDP_FRONT_POLLED_H

#include "db/polled.h"
#include "idp/front.h"

#define POLLED_PAUSE_S 5 /* between two questions (RFC 8628 3.5, CIBA 7.3) */

/* By a code that a person types, and by naming the person. */
extern const struct front front_device, front_ciba;

/* What this row asks.  person: the pseudonym of the only one who may answer; NULL: anybody. */
MUST_USE bool front_polled_ask(struct request *rq, const struct party *p,
			       const struct db_polled *polled, const char *person, struct ask *out,
			       struct err *err);

/* The person says no: with an account, or (NULL) at a device's page.  rs is the page at the end. */
MUST_USE bool front_polled_deny(struct request *rq, const struct party *p, const char *kind,
				struct bytes handle, const struct subject_id *acting,
				struct response *rs, struct err *err);

#endif
