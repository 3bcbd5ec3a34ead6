/* Invitations and registrations; see registration.h. */
#include "db/registration.h"

#include "db/statements.h"

enum { PUT, FIND, LIST, DROP, USE, ADD, OF };

#define INVITATION_COLUMNS "name, rules::text, remaining, expires, created"

const struct db_statement db_registration_statements[] = {
	[PUT] = {"invitation_put", DB_DURABLE, T_REGISTRATION, 7, DB_AUDIT_PARAMS "tbtii",
		 "WITH i AS (INSERT INTO invitation (name, hash, rules, remaining, expires, "
		 "created)"
		 " VALUES ($7, $8, $9::jsonb, $10, $11, $1) ON CONFLICT DO NOTHING RETURNING 1),"
		 " a AS (" DB_AUDIT_FROM("i") ") SELECT FROM i"},
	[FIND] = {"invitation_find", DB_READ, T_REGISTRATION, 1, "bi",
		  "SELECT " INVITATION_COLUMNS " FROM invitation WHERE hash = $1"
		  " AND remaining > 0 AND expires > $2"},
	[LIST] = {"invitation_list", DB_READ, T_REGISTRATION, 0, "",
		  "SELECT " INVITATION_COLUMNS " FROM invitation ORDER BY name COLLATE \"C\""},
	[DROP] = {"invitation_drop", DB_DURABLE, T_REGISTRATION, 7, DB_AUDIT_PARAMS "t",
		  "WITH i AS (DELETE FROM invitation WHERE name = $7 RETURNING 1),"
		  " a AS (" DB_AUDIT_FROM("i") ") SELECT FROM i"},
	/* The row stays locked until the end: two at once use up two. */
	[USE] = {"invitation_use", DB_IN_TX, T_REGISTRATION, 1, "bi",
		 "UPDATE invitation SET remaining = remaining - 1 WHERE hash = $1"
		 " AND remaining > 0 AND expires > $2 RETURNING 1"},
	[ADD] = {"registration_add", DB_IN_TX, T_REGISTRATION, 1, "tbtti",
		 "INSERT INTO registration (party, hash, invitation, rules, at)"
		 " VALUES ($1, $2, $3, $4::jsonb, $5)"},
	[OF] = {"registration_of", DB_READ, T_REGISTRATION, 1, "tb",
		"SELECT party, hash, invitation, rules::text FROM registration"
		" WHERE party = $1 AND hash = $2"},
	{0},
};

bool
db_invitation_put(const struct db_call *c, const struct db_invitation *invitation,
		  struct bytes hash, const struct db_audit *audit, time_t now, struct err *err)
{
	bool did;

	if (!db_run_did(c, &db_registration_statements[PUT],
			DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(invitation->name),
				db_bytes(hash), db_text(invitation->rules),
				db_int(invitation->remaining), db_int(invitation->expires)),
			&did, err))
		return false;
	return did ||
	       FAIL(err, ERR_CONFLICT, NULL, "%s: there is one of this name", invitation->name);
}

static bool
all_invitations(const struct db_call *c, struct db_rows *rows, const struct db_invitation **out,
		struct err *err)
{
	struct db_invitation *list = ARENA_ARRAY(c->a, struct db_invitation, rows->n);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_invitation){
			.name = db_get_text(rows, i, 0),
			.rules = db_get_text(rows, i, 1),
			.remaining = db_get_int(rows, i, 2),
			.expires = db_get_int(rows, i, 3),
			.created = db_get_int(rows, i, 4),
		};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	return true;
}

bool
db_invitation_find(const struct db_call *c, struct bytes hash, time_t now,
		   const struct db_invitation **out, struct err *err)
{
	const struct db_invitation *list;
	struct db_rows *rows;

	if (!db_run(c, &db_registration_statements[FIND], DB_ARGS(db_bytes(hash), db_int(now)),
		    &rows, err) ||
	    !all_invitations(c, rows, &list, err))
		return false;
	*out = rows->n == 0 ? NULL : list;
	return true;
}

bool
db_invitation_list(const struct db_call *c, const struct db_invitation **out, size_t *n,
		   struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_registration_statements[LIST], NULL, 0, &rows, err) ||
	    !all_invitations(c, rows, out, err))
		return false;
	*n = rows->n;
	return true;
}

bool
db_invitation_drop(const struct db_call *c, const char *name, const struct db_audit *audit,
		   time_t now, struct err *err)
{
	return db_run_found(c, &db_registration_statements[DROP],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(name)), err);
}

static bool
use(struct db_tx *tx, struct bytes invitation, time_t now, struct err *err)
{
	struct db_rows *rows;

	if (!db_tx_run(tx, &db_registration_statements[USE],
		       DB_ARGS(db_bytes(invitation), db_int(now)), &rows, err))
		return false;
	return rows->n == 1 || FAIL(err, ERR_DENIED, NULL, "the invitation counts no longer");
}

bool
db_registration_make(const struct db_call *c, struct bytes invitation,
		     const struct db_registration *r, const struct db_party *party,
		     const struct db_source *source, const struct db_audit *audit, time_t now,
		     struct err *err)
{
	int64_t version;
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	return db_tx_conclude(
		tx,
		use(tx, invitation, now, err) && db_party_save_tx(tx, party, now, &version, err) &&
			db_source_follow_tx(tx, source, now, err) &&
			db_tx_run(tx, &db_registration_statements[ADD],
				  DB_ARGS(db_text(r->party), db_bytes(r->hash),
					  db_text(r->invitation), db_text(r->rules), db_int(now)),
				  NULL, err),
		audit, now, err);
}

bool
db_registration_find(const struct db_call *c, const char *party, struct bytes hash,
		     const struct db_registration **out, struct err *err)
{
	struct db_registration *r = NULL;
	struct db_rows *rows;

	if (!db_run(c, &db_registration_statements[OF], DB_ARGS(db_text(party), db_bytes(hash)),
		    &rows, err))
		return false;
	if (rows->n > 0) {
		r = ARENA_NEW(c->a, struct db_registration);
		*r = (struct db_registration){db_get_text(rows, 0, 0), db_get_bytes(rows, 0, 1),
					      db_get_text(rows, 0, 2), db_get_text(rows, 0, 3)};
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = r;
	return true;
}
