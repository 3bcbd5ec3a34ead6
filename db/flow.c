/* Logins on their way; see flow.h. */
#include "db/flow.h"

#include "db/dated.h"
#include "db/statements.h"

enum { CREATE, LOAD, SAVE, TAKE };

#define FLOW_COLUMNS \
	"party, front, ask, state, version, progress, acting, represented, sid, created, expires"
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
	};
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
