/* Logins on their way; see flow.h. */
#include "db/flow.h"

#include "db/dated.h"
#include "db/seen.h"
#include "db/statements.h"

enum { CREATE, LOAD, SAVE, SEND, WAITING, ANSWERED, TAKE };

#define FLOW_COLUMNS                                                                               \
	"party, front, ask, state, version, progress, acting, represented, sid, created, expires," \
	" away, home"
#define WHERE_BROWSER "WHERE day = $1 AND hash = $2 AND browser_hash = $3 AND expires > $4"

const struct db_statement db_flow_statements[] = {
	[CREATE] = {"flow_create", DB_LAZY, T_FLOW, 2, "ibbttbtbbbtii",
		    "INSERT INTO flow (day, hash, browser_hash, party, front, ask, state, progress,"
		    " acting, represented, sid, created, expires, version)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1)"},
	[LOAD] = {"flow_load", DB_READ, T_FLOW, 2, "ibbi",
		  "SELECT " FLOW_COLUMNS " FROM flow " WHERE_BROWSER},
	[SAVE] = {"flow_save", DB_LAZY, T_FLOW, 2, "ibitbbbti",
		  "UPDATE flow SET state = $4, progress = $5, acting = $6, represented = $7,"
		  " sid = $8, version = version + 1"
		  " WHERE day = $1 AND hash = $2 AND version = $3 AND expires > $9"
		  " RETURNING version"},
	[SEND] = {"flow_send", DB_LAZY, T_FLOW, 2, "ibibi",
		  "UPDATE flow SET away = $4, home = NULL, version = version + 1"
		  " WHERE day = $1 AND hash = $2 AND version = $3 AND expires > $5"
		  " RETURNING version"},
	[WAITING] = {"flow_waiting", DB_READ, T_FLOW, 2, "ibi",
		     "SELECT " FLOW_COLUMNS " FROM flow WHERE day = $1 AND hash = $2"
		     " AND expires > $3 AND away IS NOT NULL"},
	/* Who is disabled meanwhile is not believed, whatever a node still thinks. */
	[ANSWERED] = {"flow_answered", DB_DURABLE, T_FLOW, 8, DB_AUDIT_PARAMS "ibbbttitbi",
		      "WITH pick AS MATERIALIZED (SELECT FROM flow WHERE day = $7 AND hash = $8"
		      " AND away = $9 AND expires > $1 AND CASE WHEN $12 IS NULL THEN EXISTS"
		      " (SELECT FROM upstream WHERE id = $11 AND enabled) ELSE NOT EXISTS"
		      " (SELECT FROM federation_suspended WHERE entity = $11"
		      " AND (source IS NULL OR source = $12)) END"
		      " FOR UPDATE OF flow SKIP LOCKED),"
		      " m AS (INSERT INTO seen (day, kind, hash, expires)"
		      " SELECT $13, $14, $15, $16 FROM pick ON CONFLICT DO NOTHING RETURNING 1),"
		      " f AS (UPDATE flow SET away = NULL, home = $10, version = version + 1"
		      " FROM m WHERE day = $7 AND hash = $8 RETURNING 1),"
		      " a AS (" DB_AUDIT_FROM("f") ") SELECT 1 FROM f"},
	[TAKE] = {"flow_take", DB_DURABLE, T_FLOW, 2, "ibbi",
		  "WITH pick AS MATERIALIZED (SELECT FROM flow " WHERE_BROWSER
		  " FOR UPDATE SKIP LOCKED)"
		  " DELETE FROM flow USING pick WHERE day = $1 AND hash = $2"
		  " RETURNING " FLOW_COLUMNS},
	{0},
};

static struct bytes
browser_hash(const struct db_call *c, const char *browser)
{
	return db_hash(c->a, "browser", bytes_of(browser));
}

bool
db_flow_create(const struct db_call *c, const struct db_flow *flow, const char *browser, time_t now,
	       struct err *err)
{
	struct db_dated at;

	if (!db_dated_parse("flow", flow->id, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a flow id");
	return db_run(c, &db_flow_statements[CREATE],
		      DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)),
			      db_bytes(browser_hash(c, browser)), db_text(flow->party),
			      db_text(flow->front), db_bytes(flow->ask), db_text(flow->state),
			      db_bytes(flow->progress), db_id(flow->acting),
			      db_id(flow->represented), db_text(flow->sid), db_int(now),
			      db_int(flow->expires)),
		      NULL, err);
}

static const struct db_flow *
flow_of(const struct db_call *c, struct db_rows *rows, const char *id)
{
	struct db_flow *flow = ARENA_NEW(c->a, struct db_flow);

	*flow = (struct db_flow){
		.id = arena_strdup(c->a, id),
		.party = db_get_text(rows, 0, 0),
		.front = db_get_text(rows, 0, 1),
		.ask = db_get_bytes(rows, 0, 2),
		.state = db_get_text(rows, 0, 3),
		.version = db_get_int(rows, 0, 4),
		.progress = db_get_bytes(rows, 0, 5),
		.acting = db_get_id_opt(rows, 0, 6),
		.represented = db_get_id_opt(rows, 0, 7),
		.sid = db_get_text_opt(rows, 0, 8),
		.created = db_get_int(rows, 0, 9),
		.expires = db_get_int(rows, 0, 10),
		.away = db_get_bytes_opt(rows, 0, 11),
		.home = db_get_bytes_opt(rows, 0, 12),
	};
	return flow;
}

/* Load and take differ in the statement only. */
static bool
get_flow(const struct db_call *c, const struct db_statement *st, const char *id,
	 const char *browser, time_t now, const struct db_flow **out, struct err *err)
{
	struct db_dated at;
	struct db_rows *rows = NULL;

	if (db_dated_parse("flow", id, &at) &&
	    !db_run(c, st,
		    DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)),
			    db_bytes(browser_hash(c, browser)), db_int(now)),
		    &rows, err))
		return false;
	if (rows == NULL || rows->n == 0) {
		*out = NULL;
		return true;
	}
	const struct db_flow *flow = flow_of(c, rows, id);

	if (!db_rows_check(rows, err))
		return false;
	*out = flow;
	return true;
}

bool
db_flow_load(const struct db_call *c, const char *id, const char *browser, time_t now,
	     const struct db_flow **out, struct err *err)
{
	return get_flow(c, &db_flow_statements[LOAD], id, browser, now, out, err);
}

bool
db_flow_take(const struct db_call *c, const char *id, const char *browser, time_t now,
	     const struct db_flow **out, struct err *err)
{
	return get_flow(c, &db_flow_statements[TAKE], id, browser, now, out, err);
}

bool
db_flow_save(const struct db_call *c, struct db_flow *flow, time_t now, struct err *err)
{
	struct db_dated at;
	struct db_rows *rows;

	if (!db_dated_parse("flow", flow->id, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a flow id");
	if (!db_run(c, &db_flow_statements[SAVE],
		    DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)),
			    db_int(flow->version), db_text(flow->state), db_bytes(flow->progress),
			    db_id(flow->acting), db_id(flow->represented), db_text(flow->sid),
			    db_int(now)),
		    &rows, err))
		return false;
	if (rows->n == 0)
		return FAIL(err, ERR_CONFLICT, NULL, "the flow was changed meanwhile");
	int64_t version = db_get_int(rows, 0, 0);

	if (!db_rows_check(rows, err))
		return false;
	flow->version = version;
	return true;
}

bool
db_flow_send(const struct db_call *c, struct db_flow *flow, struct bytes away, time_t now,
	     struct err *err)
{
	struct db_dated at;
	struct db_rows *rows;

	if (!db_dated_parse("flow", flow->id, &at))
		return FAIL(err, ERR_INTERNAL, NULL, "not a flow id");
	if (!db_run(c, &db_flow_statements[SEND],
		    DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)),
			    db_int(flow->version), db_bytes(away), db_int(now)),
		    &rows, err))
		return false;
	if (rows->n == 0)
		return FAIL(err, ERR_CONFLICT, NULL, "the flow was changed meanwhile");
	int64_t version = db_get_int(rows, 0, 0);

	if (!db_rows_check(rows, err))
		return false;
	flow->version = version;
	flow->away = away;
	flow->home = (struct bytes){0};
	return true;
}

bool
db_flow_waiting(const struct db_call *c, const char *id, time_t now, const struct db_flow **out,
		struct err *err)
{
	struct db_dated at;
	struct db_rows *rows;

	*out = NULL;
	if (!db_dated_parse("flow", id, &at))
		return true;
	if (!db_run(c, &db_flow_statements[WAITING],
		    DB_ARGS(db_int(at.day), db_octets(at.hash, sizeof(at.hash)), db_int(now)),
		    &rows, err))
		return false;
	if (rows->n == 0)
		return true;
	const struct db_flow *flow = flow_of(c, rows, id);

	if (!db_rows_check(rows, err))
		return false;
	*out = flow;
	return true;
}

bool
db_flow_answered(const struct db_call *c, const char *id, const struct db_flow_answer *answer,
		 const struct db_audit *audit, time_t now, bool *stored, struct err *err)
{
	const struct db_mark *m = answer->mark;
	struct db_dated at;

	*stored = false;
	if (!db_dated_parse("flow", id, &at))
		return true;
	return db_mark_check(m, now, err) &&
	       db_run_did(c, &db_flow_statements[ANSWERED],
			  DB_ARGS(DB_AUDIT_ARGS(audit, now), db_int(at.day),
				  db_octets(at.hash, sizeof(at.hash)), db_bytes(answer->away),
				  db_bytes(answer->home), db_text(answer->upstream),
				  db_text(answer->source), db_int(m->expires / DAY_S),
				  db_text(m->kind), db_bytes(db_hash(c->a, m->kind, m->value)),
				  db_int(m->expires)),
			  stored, err);
}
