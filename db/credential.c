/* Means of authentication; see credential.h. */
#include "db/credential.h"

#include <string.h>

#include "db/names.h"
#include "db/statements.h"

#define TOUCH_EVERY_S 60

enum { LIST, ADD, ADD_TX, REPLACE, STEP, TOUCH, BLOCK, REMOVE };

static const char *const kinds[] = {NULL, "password", "totp"};

#define INSERT_COLUMNS "(id, subject, kind, level, blocked, secret, last_step, created)"

const struct db_statement db_credential_statements[] = {
	[LIST] = {"credential_list", DB_READ, T_CREDENTIAL, 1, "b",
		  "SELECT id, subject, kind, level, blocked, secret, last_step, created, last_used"
		  " FROM credential WHERE subject = $1 ORDER BY created, id"},
	[ADD] = {"credential_add", DB_DURABLE, T_CREDENTIAL, 7, DB_AUDIT_PARAMS "bbtiobi",
		 "WITH c AS (INSERT INTO credential " INSERT_COLUMNS
		 " VALUES ($7, $8, $9, $10, $11, $12, $13, $1) RETURNING 1)" DB_AUDIT_FROM("c")},
	[ADD_TX] = {"credential_add_tx", DB_IN_TX, T_CREDENTIAL, 1, "bbtiobii",
		    "INSERT INTO credential " INSERT_COLUMNS
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"},
	[REPLACE] = {"credential_replace", DB_DURABLE, T_CREDENTIAL, 7, DB_AUDIT_PARAMS "bbb",
		     "WITH c AS (UPDATE credential SET secret = $9"
		     " WHERE id = $7 AND secret = $8 RETURNING 1),"
		     " a AS (" DB_AUDIT_FROM("c") ") SELECT FROM c"},
	[STEP] = {"credential_step", DB_DURABLE, T_CREDENTIAL, 1, "bii",
		  "UPDATE credential SET last_step = $2, last_used = $3"
		  " WHERE id = $1 AND last_step < $2 AND NOT blocked RETURNING 1"},
	[TOUCH] = {"credential_touch", DB_LAZY, T_CREDENTIAL, 1, "bi",
		   "UPDATE credential SET last_used = $2"
		   " WHERE id = $1 AND (last_used IS NULL OR last_used < $2)"},
	[BLOCK] = {"credential_block", DB_DURABLE, T_CREDENTIAL, 7, DB_AUDIT_PARAMS "bo",
		   "WITH c AS (UPDATE credential SET blocked = $8 WHERE id = $7 RETURNING 1),"
		   " a AS (" DB_AUDIT_FROM("c") ") SELECT FROM c"},
	[REMOVE] = {"credential_remove", DB_DURABLE, T_CREDENTIAL, 7, DB_AUDIT_PARAMS "b",
		    "WITH c AS (DELETE FROM credential WHERE id = $7 RETURNING 1),"
		    " a AS (" DB_AUDIT_FROM("c") ") SELECT FROM c"},
	{0},
};

static struct db_param
step_param(const struct db_credential *credential)
{
	struct db_param p = db_int(credential->last_step);

	p.null = credential->kind != DB_TOTP;
	return p;
}

static struct db_param
kind_param(const struct db_credential *credential)
{
	return db_text(db_name(kinds, ARRAY_LEN(kinds), (int)credential->kind));
}

bool
db_credential_list(const struct db_call *c, struct subject_id subject,
		   const struct db_credential **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_credential_statements[LIST], DB_ARGS(db_id(&subject)), &rows, err))
		return false;
	struct db_credential *list = ARENA_ARRAY(c->a, struct db_credential, rows->n);

	for (size_t i = 0; i < rows->n; i++) {
		struct db_credential *to = &list[i];

		db_get_octets(rows, i, 0, to->id, sizeof(to->id));
		to->subject = db_get_id(rows, i, 1);
		to->kind = (enum db_credential_kind)db_name_find(kinds, ARRAY_LEN(kinds),
								 db_get_text(rows, i, 2));
		to->level = (int)db_get_int(rows, i, 3);
		to->blocked = db_get_bool(rows, i, 4);
		to->secret = db_get_bytes(rows, i, 5);
		to->last_step = db_get_int_opt(rows, i, 6);
		to->created = db_get_int(rows, i, 7);
		to->last_used = db_get_int_opt(rows, i, 8);
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_credential_add(const struct db_call *c, const struct db_credential *credential,
		  const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run(c, &db_credential_statements[ADD],
		      DB_ARGS(DB_AUDIT_ARGS(audit, now),
			      db_octets(credential->id, sizeof(credential->id)),
			      db_id(&credential->subject), kind_param(credential),
			      db_int(credential->level), db_bool(credential->blocked),
			      db_bytes(credential->secret), step_param(credential)),
		      NULL, err);
}

bool
db_credential_add_tx(struct db_tx *tx, const struct db_credential *credential, time_t now,
		     struct err *err)
{
	return db_tx_run(tx, &db_credential_statements[ADD_TX],
			 DB_ARGS(db_octets(credential->id, sizeof(credential->id)),
				 db_id(&credential->subject), kind_param(credential),
				 db_int(credential->level), db_bool(credential->blocked),
				 db_bytes(credential->secret), step_param(credential), db_int(now)),
			 NULL, err);
}

bool
db_credential_replace_secret(const struct db_call *c, const unsigned char id[16], struct bytes old,
			     struct bytes secret, const struct db_audit *audit, time_t now,
			     bool *replaced, struct err *err)
{
	return db_run_did(c, &db_credential_statements[REPLACE],
			  DB_ARGS(DB_AUDIT_ARGS(audit, now), db_octets(id, 16), db_bytes(old),
				  db_bytes(secret)),
			  replaced, err);
}

bool
db_credential_totp_step(const struct db_call *c, const unsigned char id[16], int64_t step,
			time_t now, bool *accepted, struct err *err)
{
	return db_run_did(c, &db_credential_statements[STEP],
			  DB_ARGS(db_octets(id, 16), db_int(step), db_int(now)), accepted, err);
}

bool
db_credential_touch(const struct db_call *c, const struct db_credential *credential, time_t now,
		    struct err *err)
{
	if (now < credential->last_used + TOUCH_EVERY_S)
		return true;
	return db_run(c, &db_credential_statements[TOUCH],
		      DB_ARGS(db_octets(credential->id, sizeof(credential->id)), db_int(now)), NULL,
		      err);
}

bool
db_credential_set_blocked(const struct db_call *c, const unsigned char id[16], bool blocked,
			  const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run_found(c, &db_credential_statements[BLOCK],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_octets(id, 16), db_bool(blocked)),
			    err);
}

bool
db_credential_remove(const struct db_call *c, const unsigned char id[16],
		     const struct db_audit *audit, time_t now, struct err *err)
{
	return db_run_found(c, &db_credential_statements[REMOVE],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_octets(id, 16)), err);
}
