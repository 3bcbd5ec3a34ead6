/* Tokens that are given for others; see exchange.h. */
#include "db/exchange.h"

#include "db/statements.h"

enum { EXCHANGE };

const struct db_statement db_exchange_statements[] = {
	/* A client's own token leaves what it has of its own behind.
	 * Who revokes the grant meanwhile does not see the new row, and need not: the first token
	 * is looked at, too. */
	[EXCHANGE] = {"token_exchange", DB_DURABLE, T_TOKEN, 10, DB_AUDIT_PARAMS "ibibttittt",
		      "WITH s AS (SELECT * FROM access_token WHERE day = $7 AND hash = $8"
		      " AND expires >= $13 AND revoked_at IS NULL),"
		      " t AS (INSERT INTO access_token (day, hash, grant_id, party, acting,"
		      " represented, sid, scope, created, expires, audience, cnf, extra, consent,"
		      " act, origin, root_day, root_hash)"
		      " SELECT $9, $10, grant_id, $11, acting, represented, sid, $12, $1, $13,"
		      " $14, $15, CASE WHEN acting IS NOT NULL THEN extra END, consent, $16, "
		      "coalesce(origin, party),"
		      " coalesce(root_day, day), coalesce(root_hash, hash)"
		      " FROM s RETURNING 1),"
		      " a AS (" DB_AUDIT_FROM("t") ")"
						   " SELECT FROM t"},
	{0},
};

bool
db_token_exchange(const struct db_call *c, const struct db_exchange *x,
		  const struct db_audit *audit, time_t now, bool *stored, struct err *err)
{
	const struct db_token_new shown = {.text = x->shown, .is_jti = x->shown_is_jti};
	const struct db_token_new *t = x->token;
	struct db_dated from, at;

	return db_token_place(&shown, &from, err) && db_token_place(t, &at, err) &&
	       db_run_did(c, &db_exchange_statements[EXCHANGE],
			  DB_ARGS(DB_AUDIT_ARGS(audit, now), db_int(from.day),
				  db_octets(from.hash, sizeof(from.hash)), db_int(at.day),
				  db_octets(at.hash, sizeof(at.hash)), db_text(x->party),
				  db_text(x->scope), db_int(t->expires), db_text(t->audience),
				  db_text(t->cnf), db_text(x->act)),
			  stored, err);
}
