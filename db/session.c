/* Browser sessions; see session.h. */
#include "db/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "db/artifact.h"
#include "db/dated.h"
#include "db/grant.h"
#include "db/logout.h"
#include "db/part.h"
#include "db/partition.h"
#include "db/statements.h"

#define TOUCH_EVERY_S 60

enum {
	CREATE,
	FIND,
	LOAD,
	LIST,
	TOUCH,
	ADD_PROOF,
	REPRESENT,
	PARTICIPATE,
	PARTICIPATE_ARTIFACT,
	PARTICIPANTS,
	PARTICIPANTS_OF,
	OF_PARTICIPANT,
	LOCK,
	END,
	SWEEP,
};

/* One row for each proof.  A subject that may not act has no session. */
#define SELECT_SESSION                                                                           \
	"SELECT s.sid, s.acting, s.represented, s.sso_group, s.created, s.last_used, s.expires," \
	" p.level, p.method, p.at FROM session s"                                                \
	" JOIN subject a ON a.id = s.acting AND a.state = 'active'"                              \
	" LEFT JOIN subject r ON r.id = s.represented"                                           \
	" JOIN session_proof p ON p.sid = s.sid"                                                 \
	" WHERE (s.represented IS NULL OR r.state = 'active')"

/*
 * Nothing of it when the request was answered before, the session has ended or acts for somebody
 * else by now, or the consent is no longer what the answer rests on.
 */
#define TAKE_PART                                                                       \
	"WITH m AS (INSERT INTO seen (day, kind, hash, expires)"                        \
	" SELECT $12, $13, $14, $15 WHERE $14 IS NOT NULL"                              \
	" ON CONFLICT DO NOTHING RETURNING 1),"                                         \
	" alive AS (SELECT sid FROM session WHERE sid = $7"                             \
	" AND expires > $1 AND acting = $17"                                            \
	" AND represented IS NOT DISTINCT FROM $18),"                                   \
	" last AS (SELECT id, given, fingerprint, attributes" DB_CONSENT_LAST(          \
		"$17", "$18",                                                           \
		"$8") "),"                                                              \
		      " p AS (INSERT INTO session_participant"                          \
		      " (sid, party, dialect, name_id, session_index, at, name_format)" \
		      " SELECT sid, $8, $9, $10, $11, $1, $16 FROM alive"               \
		      " WHERE ($14 IS NULL OR EXISTS (SELECT FROM m))"                  \
		      " AND EXISTS (SELECT FROM last WHERE given"                       \
		      " AND fingerprint = $19 AND attributes = $20::jsonb)"             \
		      " ON CONFLICT (sid, party, name_id, session_index)"               \
		      " DO UPDATE SET at = EXCLUDED.at RETURNING 1),"                   \
		      " a AS (" DB_AUDIT_FROM("p") ")"
#define TOOK_PART                                        \
	" SELECT $14 IS NULL OR EXISTS (SELECT FROM m)," \
	" EXISTS (SELECT FROM p), EXISTS (SELECT FROM alive)"

#define REFRESH_OF_ONE DB_HOLD_REFRESH("sid = $7")
#define REFRESH_OF_OLD DB_HOLD_REFRESH("sid IN (SELECT sid FROM old)")
#define REVOKE_OF_ONE  DB_REVOKE_TOKENS("$1", "sid = (SELECT sid FROM gone)")
#define AUDIT_OF_GONE  DB_AUDIT_FROM("gone")

const struct db_statement db_session_statements[] = {
	/*
	 * The subjects are locked: whoever is just disabling one is waited for, or will
	 * wait and then find this session.
	 */
	[CREATE] =
		{"session_create", DB_LAZY, T_SESSION, 7, DB_AUDIT_PARAMS "tbbbtit",
		 "WITH r AS (SELECT FROM subject WHERE id = $10 AND state = 'active'"
		 " FOR KEY SHARE),"
		 " s AS (INSERT INTO session (sid, id_hash, acting, represented, sso_group,"
		 " created, last_used, expires)"
		 " SELECT $7, $8, id, $10, $11, $1, $1, $12 FROM subject"
		 " WHERE id = $9 AND state = 'active' AND ($10 IS NULL OR EXISTS (SELECT FROM r))"
		 " FOR KEY SHARE RETURNING sid),"
		 " p AS (INSERT INTO session_proof (sid, at, level, method)"
		 " SELECT s.sid, p.at, p.level, p.method FROM s,"
		 " jsonb_to_recordset($13::jsonb) AS p(at bigint, level smallint, method text)),"
		 " a AS (" DB_AUDIT_FROM("s") ") SELECT FROM s"},
	[FIND] = {"session_find", DB_READ, T_SESSION, 1, "bi",
		  SELECT_SESSION " AND s.id_hash = $1 AND s.expires > $2"},
	[LOAD] = {"session_load", DB_READ, T_SESSION, 1, "ti",
		  SELECT_SESSION " AND s.sid = $1 AND s.expires > $2"},
	[LIST] = {"session_list", DB_READ, T_SESSION, 0, "bii",
		  SELECT_SESSION " AND s.sid IN (SELECT sid FROM session WHERE acting = $1"
				 " AND expires > $2 ORDER BY last_used DESC, sid LIMIT $3)"
				 " ORDER BY s.last_used DESC, s.sid"},
	[TOUCH] = {"session_touch", DB_LAZY, T_SESSION, 1, "ti",
		   "UPDATE session SET last_used = $2 WHERE sid = $1 AND last_used < $2"},
	[ADD_PROOF] = {"session_add_proof", DB_DURABLE, T_SESSION, 7, DB_AUDIT_PARAMS "bbiiti",
		       "WITH s AS (UPDATE session SET id_hash = $8, last_used = $1,"
		       " expires = greatest(expires, $12)"
		       " WHERE id_hash = $7 AND expires > $1 RETURNING sid),"
		       " p AS (INSERT INTO session_proof (sid, level, at, method)"
		       " SELECT sid, $9, $10, $11 FROM s ON CONFLICT DO NOTHING),"
		       " a AS (" DB_AUDIT_FROM("s") ") SELECT FROM s"},
	[REPRESENT] = {"session_represent", DB_DURABLE, T_SESSION, 1, "tbi",
		       "UPDATE session SET represented = $2 WHERE sid = $1 AND expires > $3"
		       " RETURNING 1"},
	[PARTICIPATE] = {"session_participate", DB_DURABLE, T_SESSION, 7,
			 DB_AUDIT_PARAMS "tttttitbitbbbt", TAKE_PART TOOK_PART},
	[PARTICIPATE_ARTIFACT] =
		{"session_participate_artifact", DB_DURABLE, T_SESSION, 7,
		 DB_AUDIT_PARAMS "tttttitbitbbbtbbi",
		 TAKE_PART
		 ", r AS (INSERT INTO artifact (hash, party, sid, acting, represented,"
		 " sealed, created, expires, consent) SELECT $21, $8, sid, $17, $18, $22, $1,"
		 " $23, id FROM alive, last WHERE EXISTS (SELECT FROM p))" TOOK_PART},
	[PARTICIPANTS] = {"session_participants", DB_READ, T_SESSION, 1, "t",
			  "SELECT party, dialect, name_id, session_index, at, name_format"
			  " FROM session_participant WHERE sid = $1 ORDER BY at, party"},
	[PARTICIPANTS_OF] = {"session_participants_of", DB_IN_TX, T_SESSION, 1, "b",
			     "SELECT p.party, p.dialect, p.name_id, p.session_index, p.at,"
			     " p.name_format FROM session s JOIN session_participant p"
			     " ON p.sid = s.sid WHERE s.acting = $1 OR s.represented = $1"
			     " ORDER BY p.at, p.party"},
	[OF_PARTICIPANT] =
		{"session_of_participant", DB_READ, T_SESSION, 1, "tttii",
		 "SELECT p.sid FROM session_participant p JOIN session s ON s.sid = p.sid"
		 " WHERE p.party = $1 AND p.name_id = $2"
		 " AND ($3 = '' OR p.session_index = $3) AND s.expires > $4"
		 " GROUP BY p.sid ORDER BY max(p.at) DESC, p.sid LIMIT $5"},
	/*
	 * In a statement before END's: whoever is just giving a token or telling a party
	 * holds the row, and END must see what that left.
	 */
	[LOCK] = {"session_lock", DB_IN_TX, T_SESSION, 1, "t",
		  "SELECT FROM session WHERE sid = $1 FOR UPDATE"},
	/* The refresh tokens that go with it are held first: db/grant.h. */
	[END] = {"session_end", DB_IN_TX, T_SESSION, 7, DB_AUDIT_PARAMS "t",
		 "WITH held AS MATERIALIZED (" REFRESH_OF_ONE "),"
		 " gone AS (DELETE FROM session WHERE sid = $7"
		 " AND (SELECT count(*) FROM held) >= 0 RETURNING sid),"
		 " t AS (" REVOKE_OF_ONE "), a AS (" AUDIT_OF_GONE ")"
		 " SELECT p.party, p.dialect, p.name_id, p.session_index, p.at, p.name_format"
		 " FROM gone LEFT JOIN session_participant p ON p.sid = gone.sid"
		 " ORDER BY p.at, p.party"},
	[SWEEP] = {"session_sweep", DB_IN_TX, T_SESSION, 0, "ii",
		   "WITH old AS MATERIALIZED (SELECT sid FROM session WHERE expires < $1 LIMIT $2"
		   " FOR UPDATE SKIP LOCKED), held AS MATERIALIZED (" REFRESH_OF_OLD "),"
		   " gone AS (DELETE FROM session WHERE sid IN (SELECT sid FROM old)"
		   " AND (SELECT count(*) FROM held) >= 0 RETURNING 1)"
		   " SELECT count(*) FROM gone"},
	{0},
};

static struct bytes
id_hash(const struct db_call *c, const char *id)
{
	return db_hash(c->a, "session", bytes_of(id));
}

static const char *
proofs_text(struct arena *a, const struct db_proof *proofs, size_t n)
{
	json_t *list = json_new_array(a);

	for (size_t i = 0; i < n; i++) {
		json_t *o = json_new_object(a);

		json_put_i64(a, o, "at", proofs[i].at);
		json_put_i64(a, o, "level", proofs[i].level);
		json_put_str(a, o, "method", proofs[i].method);
		json_push(a, list, o);
	}
	return json_text(a, list, false);
}

bool
db_session_create(const struct db_call *c, const char *id, const struct db_session *s,
		  const struct db_audit *audit, time_t now, struct err *err)
{
	if (s->n_proofs == 0)
		return FAIL(err, ERR_INTERNAL, NULL, "a session without a proof");
	return db_run_found(
		c, &db_session_statements[CREATE],
		DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(s->sid), db_bytes(id_hash(c, id)),
			db_id(&s->acting), db_id(s->represented), db_text(s->sso_group),
			db_int(s->expires), db_text(proofs_text(c->a, s->proofs, s->n_proofs))),
		err);
}

/* Oldest first; of one time the lower level first. */
static int
by_time(const void *x, const void *y)
{
	const struct db_proof *a = x, *b = y;

	return a->at != b->at ? (a->at > b->at) - (a->at < b->at) : a->level - b->level;
}

/* The session whose rows begin at `first`; how many rows it took, one for each proof. */
static size_t
read_session(const struct db_call *c, struct db_rows *rows, size_t first, struct db_session *s)
{
	const char *sid = db_get_text(rows, first, 0);
	size_t n = 1;

	while (first + n < rows->n && text_eq(db_get_text(rows, first + n, 0), sid))
		n++;
	struct db_proof *proofs = ARENA_ARRAY(c->a, struct db_proof, n);

	for (size_t i = 0; i < n; i++)
		proofs[i] = (struct db_proof){.level = (int)db_get_int(rows, first + i, 7),
					      .method = db_get_text(rows, first + i, 8),
					      .at = db_get_int(rows, first + i, 9)};
	qsort(proofs, n, sizeof(*proofs), by_time);
	*s = (struct db_session){
		.sid = sid,
		.acting = db_get_id(rows, first, 1),
		.represented = db_get_id_opt(rows, first, 2),
		.sso_group = db_get_text(rows, first, 3),
		.proofs = proofs,
		.n_proofs = n,
		.created = db_get_int(rows, first, 4),
		.last_used = db_get_int(rows, first, 5),
		.expires = db_get_int(rows, first, 6),
	};
	return n;
}

static bool
one_session(const struct db_call *c, struct db_rows *rows, const struct db_session **out,
	    struct err *err)
{
	struct db_session *s = NULL;

	if (rows->n > 0) {
		s = ARENA_NEW(c->a, struct db_session);
		read_session(c, rows, 0, s);
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = s;
	return true;
}

bool
db_session_find(const struct db_call *c, const char *id, time_t now, const struct db_session **out,
		struct err *err)
{
	struct db_rows *rows;

	return db_run(c, &db_session_statements[FIND],
		      DB_ARGS(db_bytes(id_hash(c, id)), db_int(now)), &rows, err) &&
	       one_session(c, rows, out, err);
}

bool
db_session_load(const struct db_call *c, const char *sid, time_t now, const struct db_session **out,
		struct err *err)
{
	struct db_rows *rows;

	return db_run(c, &db_session_statements[LOAD], DB_ARGS(db_text(sid), db_int(now)), &rows,
		      err) &&
	       one_session(c, rows, out, err);
}

bool
db_session_list(const struct db_call *c, struct subject_id acting, size_t most, time_t now,
		const struct db_session **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_session_statements[LIST],
		    DB_ARGS(db_id(&acting), db_int(now), db_int((int64_t)most)), &rows, err))
		return false;
	struct db_session *list = ARENA_ARRAY(c->a, struct db_session, rows->n + 1);
	size_t used = 0;

	for (size_t i = 0; i < rows->n; used++)
		i += read_session(c, rows, i, &list[used]);
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = used;
	return true;
}

bool
db_session_touch(const struct db_call *c, const struct db_session *session, time_t now,
		 struct err *err)
{
	if (now < session->last_used + TOUCH_EVERY_S)
		return true;
	return db_run(c, &db_session_statements[TOUCH], DB_ARGS(db_text(session->sid), db_int(now)),
		      NULL, err);
}

bool
db_session_add_proof(const struct db_call *c, const char *old_id, const char *new_id,
		     const struct db_proof *proof, time_t expires, const struct db_audit *audit,
		     time_t now, struct err *err)
{
	return db_run_found(c, &db_session_statements[ADD_PROOF],
			    DB_ARGS(DB_AUDIT_ARGS(audit, now), db_bytes(id_hash(c, old_id)),
				    db_bytes(id_hash(c, new_id)), db_int(proof->level),
				    db_int(proof->at), db_text(proof->method), db_int(expires)),
			    err);
}

bool
db_session_represent(const struct db_call *c, const char *sid, const struct subject_id *represented,
		     time_t now, struct err *err)
{
	return db_run_found(c, &db_session_statements[REPRESENT],
			    DB_ARGS(db_text(sid), db_id(represented), db_int(now)), err);
}

/* Of both statements; the second has three more. */
#define TAKE_PART_PARAMS 20

static bool
take_part(const struct db_call *c, const struct db_param *params,
	  const struct db_artifact *artifact, struct db_rows **rows, struct err *err)
{
	struct db_param all[TAKE_PART_PARAMS + 3];

	if (artifact == NULL)
		return db_run(c, &db_session_statements[PARTICIPATE], params, TAKE_PART_PARAMS,
			      rows, err);
	memcpy(all, params, TAKE_PART_PARAMS * sizeof(*all));
	all[TAKE_PART_PARAMS] = db_bytes(db_artifact_hash(c->a, artifact->handle));
	all[TAKE_PART_PARAMS + 1] = db_bytes(artifact->sealed);
	all[TAKE_PART_PARAMS + 2] = db_int(artifact->expires);
	return db_run(c, &db_session_statements[PARTICIPATE_ARTIFACT], all, ARRAY_LEN(all), rows,
		      err);
}

bool
db_session_participate(const struct db_call *c, const struct db_answer *answer,
		       const struct db_audit *audit, time_t now, enum db_answered *how,
		       struct err *err)
{
	static const struct db_mark none = {NULL, {NULL, 0}, 0};
	const struct db_mark *m = answer->mark == NULL ? &none : answer->mark;
	const struct db_participant *p = answer->participant;
	const struct db_consent *consent = answer->consent;
	struct db_rows *rows;

	if (answer->mark != NULL && !db_mark_check(m, now, err))
		return false;
	struct bytes hash = answer->mark == NULL ? m->value : db_hash(c->a, m->kind, m->value);
	const struct db_param params[TAKE_PART_PARAMS] = {
		DB_AUDIT_ARGS(audit, now),
		db_text(answer->sid),
		db_text(p->party),
		db_text(p->dialect),
		db_text(p->name_id),
		db_text(p->session_index),
		db_int(m->expires / DAY_S),
		db_text(m->kind),
		db_bytes_or_null(hash),
		db_int(m->expires),
		db_text(p->name_format == NULL ? "" : p->name_format),
		db_id(&consent->acting),
		db_id(consent->represented),
		db_octets(consent->fingerprint, sizeof(consent->fingerprint)),
		db_text(consent->attributes),
	};

	if (!take_part(c, params, answer->artifact, &rows, err))
		return false;
	bool marked = db_get_bool(rows, 0, 0), told = db_get_bool(rows, 0, 1),
	     alive = db_get_bool(rows, 0, 2);

	if (!db_rows_check(rows, err))
		return false;
	if (marked && !alive)
		return FAIL(err, ERR_NOT_FOUND, NULL, "session_participate: it is not there");
	*how = !marked ? DB_ANSWERED_BEFORE : told ? DB_ANSWERED_NOW : DB_ANSWERED_WITHDRAWN;
	return true;
}

static bool
all_participants(const struct db_call *c, struct db_rows *rows, const struct db_participant **out,
		 size_t *n, struct err *err)
{
	struct db_participant *list = ARENA_ARRAY(c->a, struct db_participant, rows->n);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = (struct db_participant){.party = db_get_text(rows, i, 0),
						  .dialect = db_get_text(rows, i, 1),
						  .name_id = db_get_text(rows, i, 2),
						  .session_index = db_get_text(rows, i, 3),
						  .at = db_get_int(rows, i, 4),
						  .name_format = db_get_text(rows, i, 5)};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_session_participants(const struct db_call *c, const char *sid, const struct db_participant **out,
			size_t *n, struct err *err)
{
	struct db_rows *rows;

	return db_run(c, &db_session_statements[PARTICIPANTS], DB_ARGS(db_text(sid)), &rows, err) &&
	       all_participants(c, rows, out, n, err);
}

bool
db_session_participants_of_tx(struct db_tx *tx, const struct db_call *c, struct subject_id subject,
			      const struct db_participant **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	return db_tx_run(tx, &db_session_statements[PARTICIPANTS_OF], DB_ARGS(db_id(&subject)),
			 &rows, err) &&
	       all_participants(c, rows, out, n, err);
}

bool
db_session_all_of_participant(const struct db_call *c, const char *party, const char *name_id,
			      const char *session_index, size_t most, time_t now,
			      const char *const **sids, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_session_statements[OF_PARTICIPANT],
		    DB_ARGS(db_text(party), db_text(name_id), db_text(session_index), db_int(now),
			    db_int((int64_t)most)),
		    &rows, err))
		return false;
	const char **list = ARENA_ARRAY(c->a, const char *, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		list[i] = db_get_text(rows, i, 0);
	if (!db_rows_check(rows, err))
		return false;
	*sids = list;
	*n = rows->n;
	return true;
}

bool
db_session_of_participant(const struct db_call *c, const char *party, const char *name_id,
			  const char *session_index, time_t now, const char **sid, struct err *err)
{
	const char *const *list;
	size_t n;

	if (!db_session_all_of_participant(c, party, name_id, session_index, 1, now, &list, &n,
					   err))
		return false;
	*sid = n == 0 ? NULL : list[0];
	return true;
}

/* What an END gave: was the session there, and who took part in it. */
struct end {
	bool ended;
	const struct db_participant *list;
	size_t n;
};

static bool
end_in(struct db_tx *tx, const struct db_call *c, const char *sid, const struct db_audit *audit,
       time_t now, struct end *out, struct err *err)
{
	struct db_rows *rows;

	if (!db_tx_run(tx, &db_session_statements[LOCK], DB_ARGS(db_text(sid)), NULL, err) ||
	    !db_tx_run(tx, &db_session_statements[END],
		       DB_ARGS(DB_AUDIT_ARGS(audit, now), db_text(sid)), &rows, err))
		return false;
	out->ended = rows->n > 0;
	/* Without participants the outer join gives one row of NULLs. */
	if (out->ended && db_get_text_opt(rows, 0, 0) == NULL)
		rows->n = 0;
	return all_participants(c, rows, &out->list, &out->n, err);
}

bool
db_session_end(const struct db_call *c, const char *sid, const struct db_audit *audit,
	       const struct db_telling *telling, time_t now, bool *ended,
	       const struct db_participant **out, size_t *n, struct err *err)
{
	struct end end = {0};
	struct db_tx *tx;

	if (!db_tx_begin(c, &tx, err))
		return false;
	bool held = end_in(tx, c, sid, audit, now, &end, err) &&
		    (telling == NULL || !end.ended ||
		     db_logout_add_tx(tx, c->a, telling, end.list, end.n, now, err));

	if (!db_tx_conclude(tx, held, NULL, now, err))
		return false;
	*ended = end.ended;
	*out = end.list;
	*n = end.n;
	return true;
}

bool
db_session_sweep(const struct db_call *c, int64_t limit, time_t now, int64_t *n, struct err *err)
{
	return db_sweep(c, &db_session_statements[SWEEP], db_int(now), limit, now, n, err);
}
