/* Subjects and their login names; see account.h. */
#include "db/account.h"

#include "db/grant.h"
#include "db/logout.h"
#include "db/names.h"
#include "db/part.h"
#include "db/polled.h"
#include "db/statements.h"

static const char *const kinds[] = {NULL, "person", "organisation", "authority"};
static const char *const origins[] = {NULL, "local", "foreign", "temporary"};
static const char *const states[] = {NULL, "active", "disabled", "deleted"};

enum {
	LOAD,
	FIND,
	FIND_FOREIGN,
	INSERT,
	INSERT_NAME,
	HOLD,
	LOCK,
	SET_STATE,
	LOCK_SESSIONS,
	END_SESSIONS,
	END_OFFLINE,
	FORGET,
	DELETED,
};

/* All that ends with it is held before anything goes: db/grant.h. */
#define REFRESH_OF_SUBJECT                                                               \
	DB_HOLD_REFRESH("handle IN (SELECT handle FROM refresh_token WHERE acting = $1"  \
			" UNION SELECT handle FROM refresh_token WHERE represented = $1" \
			" UNION SELECT r.handle FROM session s JOIN refresh_token r"     \
			" ON r.sid = s.sid WHERE s.acting = $1 OR s.represented = $1)")
#define REVOKE_OF_SESSIONS DB_REVOKE_TOKENS("$2", "sid IN (SELECT sid FROM gone)")
#define REVOKE_OF_GRANTS   DB_REVOKE_TOKENS("$2", "grant_id IN (SELECT grant_id FROM gone)")

const struct db_statement db_account_statements[] = {
	[LOAD] = {"account_load", DB_READ, T_SUBJECT, 1, "b",
		  "SELECT " DB_SUBJECT_COLUMNS " FROM subject s WHERE s.id = $1"},
	[FIND] = {"account_find", DB_READ, T_SUBJECT, 1, "b",
		  "SELECT " DB_SUBJECT_COLUMNS
		  " FROM login_name n JOIN subject s ON s.id = n.subject"
		  " WHERE n.lookup = $1"},
	[FIND_FOREIGN] = {"account_find_foreign", DB_READ, T_SUBJECT, 1, "tt",
			  "SELECT " DB_SUBJECT_COLUMNS " FROM subject s"
			  " WHERE s.issuer = $1 AND s.foreign_id = $2"},
	[INSERT] = {"account_insert", DB_IN_TX, T_SUBJECT, 1, "bttttbi",
		    "INSERT INTO subject (id, kind, origin, issuer, foreign_id, account_key,"
		    " created, state) VALUES ($1, $2, $3, $4, $5, $6, $7, 'active')"},
	[INSERT_NAME] = {"account_insert_name", DB_IN_TX, T_SUBJECT, 1, "bbi",
			 "INSERT INTO login_name (lookup, subject, created) VALUES ($1, $2, $3)"},
	[HOLD] = {"account_hold", DB_IN_TX, T_SUBJECT, 1, "b",
		  "SELECT FROM subject WHERE id = $1 FOR NO KEY UPDATE"},
	[LOCK] = {"account_lock", DB_IN_TX, T_SUBJECT, 1, "b",
		  "SELECT state FROM subject WHERE id = $1 FOR UPDATE"},
	[SET_STATE] = {"account_set_state", DB_IN_TX, T_SUBJECT, 1, "bt",
		       "UPDATE subject SET state = $2, account_key ="
		       " CASE WHEN $2 = 'deleted' THEN NULL ELSE account_key END WHERE id = $1"},
	/* In a statement of its own, as in session.c: who holds one may just give a token for it.
	 */
	[LOCK_SESSIONS] = {"account_lock_sessions", DB_IN_TX, T_SESSION, 1, "b",
			   "SELECT FROM session WHERE acting = $1 OR represented = $1"
			   " ORDER BY sid FOR UPDATE"},
	[END_SESSIONS] =
		{"account_end_sessions", DB_IN_TX, T_SESSION, 1, "bi",
		 "WITH held AS MATERIALIZED (" REFRESH_OF_SUBJECT "),"
		 " gone AS (DELETE FROM session WHERE (acting = $1 OR represented = $1)"
		 " AND (SELECT count(*) FROM held) >= 0 RETURNING sid) " REVOKE_OF_SESSIONS},
	/* What outlives sessions; those of sessions have gone with them. */
	[END_OFFLINE] = {"account_end_offline", DB_IN_TX, T_REFRESH, 1, "bi",
			 "WITH gone AS (DELETE FROM refresh_token"
			 " WHERE acting = $1 OR represented = $1 RETURNING grant_id)"
			 " " REVOKE_OF_GRANTS},
	[FORGET] = {"account_forget", DB_IN_TX, T_SUBJECT, 1, "b",
		    "WITH n AS (DELETE FROM login_name WHERE subject = $1),"
		    " c AS (DELETE FROM credential WHERE subject = $1),"
		    " p AS (DELETE FROM pseudonym WHERE subject = $1)"
		    " DELETE FROM attribute WHERE subject = $1"},
	[DELETED] = {"account_deleted", DB_READ, T_SUBJECT, 0, "",
		     "SELECT id FROM subject WHERE state = 'deleted' ORDER BY id"},
	{0},
};

const char *
db_subject_kind_name(enum db_subject_kind kind)
{
	return db_name(kinds, ARRAY_LEN(kinds), (int)kind);
}

const char *
db_subject_origin_name(enum db_subject_origin origin)
{
	return db_name(origins, ARRAY_LEN(origins), (int)origin);
}

const char *
db_subject_state_name(enum db_subject_state state)
{
	return db_name(states, ARRAY_LEN(states), (int)state);
}

static bool
insert(struct db_tx *tx, const struct db_account_new *account, time_t now, struct err *err)
{
	const struct db_subject *s = &account->subject;

	return db_tx_run(tx, &db_account_statements[INSERT],
			 DB_ARGS(db_id(&s->id), db_text(db_subject_kind_name(s->kind)),
				 db_text(db_subject_origin_name(s->origin)), db_text(s->issuer),
				 db_text(s->foreign_id), db_bytes_or_null(s->account_key),
				 db_int(now)),
			 NULL, err) &&
	       (account->lookup.n == 0 ||
		db_tx_run(tx, &db_account_statements[INSERT_NAME],
			  DB_ARGS(db_bytes(account->lookup), db_id(&s->id), db_int(now)), NULL,
			  err));
}

bool
db_account_create(const struct db_call *c, const struct db_account_new *account,
		  const struct db_audit *audit, time_t now, struct err *err)
{
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	bool held = insert(tx, account, now, err);

	for (size_t i = 0; held && i < account->n_credentials; i++) {
		struct db_credential credential = account->credentials[i];

		credential.subject = account->subject.id;
		held = db_credential_add_tx(tx, &credential, now, err);
	}
	held = held && db_attribute_put_tx(tx, account->subject.id, account->attributes,
					   account->n_attributes, err);
	return db_tx_conclude(tx, held, audit, now, err);
}

bool
db_account_answer(struct arena *a, struct db_rows *rows, const struct db_subject **out,
		  struct err *err)
{
	if (rows->n == 0) {
		*out = NULL;
		return true;
	}
	struct db_subject *s = ARENA_NEW(a, struct db_subject);

	*s = (struct db_subject){
		.id = db_get_id(rows, 0, 0),
		.kind = (enum db_subject_kind)db_name_find(kinds, ARRAY_LEN(kinds),
							   db_get_text(rows, 0, 1)),
		.origin = (enum db_subject_origin)db_name_find(origins, ARRAY_LEN(origins),
							       db_get_text(rows, 0, 2)),
		.state = (enum db_subject_state)db_name_find(states, ARRAY_LEN(states),
							     db_get_text(rows, 0, 3)),
		.issuer = db_get_text_opt(rows, 0, 4),
		.foreign_id = db_get_text_opt(rows, 0, 5),
		.account_key = db_get_bytes_opt(rows, 0, 6),
		.created = db_get_int(rows, 0, 7),
	};
	if (!db_rows_check(rows, err))
		return false;
	*out = s;
	return true;
}

void
db_account_ask(struct arena *a, const struct subject_id *id, struct db_ask *out)
{
	*out = db_ask_of(a, &db_account_statements[LOAD], DB_ARGS(db_id(id)));
}

bool
db_account_load(const struct db_call *c, struct subject_id id, const struct db_subject **out,
		struct err *err)
{
	struct db_ask ask;

	db_account_ask(c->a, &id, &ask);
	return db_run_all(c, &ask, 1, err) && db_account_answer(c->a, ask.rows, out, err);
}

bool
db_account_find(const struct db_call *c, struct bytes lookup, const struct db_subject **out,
		struct err *err)
{
	struct db_rows *rows;

	return db_run(c, &db_account_statements[FIND], DB_ARGS(db_bytes(lookup)), &rows, err) &&
	       db_account_answer(c->a, rows, out, err);
}

bool
db_account_find_foreign(const struct db_call *c, const char *issuer, const char *foreign_id,
			const struct db_subject **out, struct err *err)
{
	struct db_rows *rows;

	return db_run(c, &db_account_statements[FIND_FOREIGN],
		      DB_ARGS(db_text(issuer), db_text(foreign_id)), &rows, err) &&
	       db_account_answer(c->a, rows, out, err);
}

static bool
end_sessions(struct db_tx *tx, const struct db_call *c, struct subject_id id,
	     const struct db_telling *telling, time_t now, struct err *err)
{
	const struct db_participant *list = NULL;
	size_t n = 0;

	return db_tx_run(tx, &db_account_statements[LOCK_SESSIONS], DB_ARGS(db_id(&id)), NULL,
			 err) &&
	       db_polled_deny_tx(tx, id, NULL, now, err) &&
	       (telling == NULL || db_session_participants_of_tx(tx, c, id, &list, &n, err)) &&
	       db_tx_run(tx, &db_account_statements[END_SESSIONS], DB_ARGS(db_id(&id), db_int(now)),
			 NULL, err) &&
	       db_tx_run(tx, &db_account_statements[END_OFFLINE], DB_ARGS(db_id(&id), db_int(now)),
			 NULL, err) &&
	       (telling == NULL || db_logout_add_tx(tx, c->a, telling, list, n, now, err));
}

bool
db_account_hold_tx(struct db_tx *tx, struct subject_id id, struct err *err)
{
	return db_tx_run(tx, &db_account_statements[HOLD], DB_ARGS(db_id(&id)), NULL, err);
}

/* With the row locked: whatever the state was, its sessions end with it. */
static bool
set_state(struct db_tx *tx, const struct db_call *c, struct subject_id id,
	  enum db_subject_state state, const struct db_telling *telling, time_t now,
	  struct err *err)
{
	struct db_rows *rows;

	if (!db_tx_run(tx, &db_account_statements[LOCK], DB_ARGS(db_id(&id)), &rows, err))
		return false;
	if (rows->n == 0)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no such subject");
	if (!db_tx_run(tx, &db_account_statements[SET_STATE],
		       DB_ARGS(db_id(&id), db_text(db_subject_state_name(state))), NULL, err))
		return false;
	if (state != DB_ACTIVE && !end_sessions(tx, c, id, telling, now, err))
		return false;
	return state != DB_DELETED ||
	       db_tx_run(tx, &db_account_statements[FORGET], DB_ARGS(db_id(&id)), NULL, err);
}

bool
db_account_set_state_told(const struct db_call *c, struct subject_id id,
			  enum db_subject_state state, const struct db_telling *telling,
			  const struct db_audit *audit, time_t now, struct err *err)
{
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	return db_tx_conclude(tx, set_state(tx, c, id, state, telling, now, err), audit, now, err);
}

bool
db_account_set_state(const struct db_call *c, struct subject_id id, enum db_subject_state state,
		     const struct db_audit *audit, time_t now, struct err *err)
{
	return db_account_set_state_told(c, id, state, NULL, audit, now, err);
}

bool
db_account_deleted(const struct db_call *c, const struct subject_id **out, size_t *n,
		   struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_account_statements[DELETED], NULL, 0, &rows, err))
		return false;
	struct subject_id *list = ARENA_ARRAY(c->a, struct subject_id, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = db_get_id(rows, i, 0);
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}
