/*
 * Access tokens that are given for others (RFC 8693).  What is given hangs on all that the first
 * token hung on: its grant, session, account, consent, and that it is not revoked itself.
 */
#ifndef KONTOR_DB_EXCHANGE_H
#define KONTOR_DB_EXCHANGE_H

#include "db/grant.h"

/* One exchange: what was shown, and what is given to whom. */
struct db_exchange {
	const char *shown; /* the text that was shown, or its jti */
	bool shown_is_jti;
	const struct db_token_new *token; /* no longer than what was shown */
	const char *party, *scope;
	const char *act; /* a JSON object; NULL: nobody acts for the subject */
};

/*
 * Store the token that is given, durably, with its audit row.  *stored is false when what was shown
 * has expired or was revoked meanwhile; all else that it hangs on is looked at by db_token_find,
 * before and at each use.
 */
MUST_USE bool db_token_exchange(const struct db_call *c, const struct db_exchange *x,
				const struct db_audit *audit, time_t now, bool *stored,
				struct err *err);

#endif
