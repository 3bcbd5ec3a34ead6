/* Between idp/home*.c and idp/ep_acs.c. */
#ifndef KONTOR_IDP_HOME_PART_H
#define KONTOR_IDP_HOME_PART_H

#include "idp/home.h"

/* What was asked, as the flow's row has it until it is answered. */
struct home_away {
	const char *upstream, *request_id;
	time_t asked_at;
};

struct bytes home_away_write(struct arena *a, const struct home_away *away);
MUST_USE bool home_away_read(struct arena *a, struct bytes json, struct home_away *out,
			     struct err *err);

/*
 * What the answer means.  ERR_DENIED: a level that is not known, above its cap or below what is
 * wanted, a name it may not give.  The object is what is sealed.
 */
MUST_USE bool home_read(struct request *rq, const struct upstream *from, enum level wanted,
			const struct saml_answered *answered, json_t **out, struct err *err);

/* Sealed for this flow, to count in the browser that gets the cookie with it. */
MUST_USE bool home_seal(struct request *rq, const char *flow_id, json_t *home, struct response *rs,
			struct bytes *sealed, struct err *err);

#endif
