/* Between idp/home*.c and idp/ep_acs.c, for both protocols. */
#ifndef KONTOR_IDP_HOME_PART_H
#define KONTOR_IDP_HOME_PART_H

#include "db/seen.h"
#include "idp/home.h"

#define HOME_PROBLEM "home_answer" /* the page about an answer that does not count */

/* What was asked, as the flow's row has it until it is answered. */
struct home_away {
	const char *upstream, *request_id;
	time_t asked_at;
	const char *secret; /* of the request, sealed; NULL: it has none */
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

/* May the portal learn it, and is it taken from there? */
bool home_takes(const struct flow *f, const struct upstream *from, const struct attribute *at);

/* A level as a provider told it, by its cap and by what is wanted.  ERR_DENIED. */
MUST_USE bool home_level_fits(const struct upstream *from, enum level told, enum level wanted,
			      struct err *err);
enum level home_level_of_word(const struct upstream *from, const char *word);

/* SAML V2.0 Subject Identifier Attributes 3.3: it speaks for its own people alone. */
bool home_is_in_scope(const struct upstream *from, const char *identity);

/* In the form that we keep values in; NULL: it is none. */
const char *home_value_of(struct arena *a, const struct attribute *at, const char *text);

/* An attribute of the sealed object's list "held". */
void home_put_held(struct arena *a, json_t *list, const struct attribute *at, const char *value,
		   enum level level);

/* Sealed for this flow, to count in the browser that gets the cookie with it. */
MUST_USE bool home_seal(struct request *rq, const char *flow_id, json_t *home, struct response *rs,
			struct bytes *sealed, struct err *err);

/* The flow that an answer is for, and whom it asked. */
struct home_arrival {
	const struct db_flow *row;
	struct home_away away;
	struct ask ask;
	const struct upstream *from;
};

/*
 * What was made of the answer, sealed and stored, once: rs leads to the flow's page.  What does
 * not count is refused as below.
 */
MUST_USE bool home_arrive(struct request *rq, const struct home_arrival *t, json_t *home,
			  const struct db_mark *mark, struct response *rs, struct err *err);

/* Always false: a refusal is a row of the trail and HOME_PROBLEM; all else fails as it did. */
bool home_refuse(struct request *rq, const struct home_arrival *t, const struct err *why,
		 struct err *err);

#endif
