/*
 * Connections; see conn.h.  Errors are told by SQLSTATE, constraint and
 * statement: the server's own sentences may quote values.
 */
#include "db/conn.h"

#include <endian.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "db/pgtype.h"

#define SETUP_US      (10 * 1000000LL)
#define OLDEST_SERVER 150000

/*
 * Settings of a session.  A lock is waited for briefly: what holds it is another
 * short statement, or something is wrong.
 */
#define COMMON                               \
	"SET client_min_messages = warning;" \
	"SET TimeZone = 'UTC';"              \
	"SET idle_in_transaction_session_timeout = '10s';"
/*
 * Each statement looks up single rows by key.  Its plan is made once and has to
 * be right for a table that is still empty (as each partition is at midnight) and
 * for the same table an hour later: so it follows indexes, whatever the
 * statistics of the moment say.
 */
#define BY_INDEX                                                                           \
	"SET plan_cache_mode = force_generic_plan;"                                        \
	"SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;" \
	"SET jit = off;"
/* A bitmap, or a memory of rows met before, is set up at each run and saves nothing with one row.
 */
#define ONE_ROW "SET enable_bitmapscan = off; SET enable_memoize = off;"
#define SHORT   "SET statement_timeout = '5s'; SET lock_timeout = '100ms';"
#define LONGER  "SET statement_timeout = '10s'; SET lock_timeout = '2s';"
/* Whatever the server's default is, durable means at least on this server's disk. */
#define ON_DISK                                                \
	"SELECT set_config('synchronous_commit', 'on', false)" \
	" WHERE current_setting('synchronous_commit') IN ('off', 'local');"

static const char *const settings[] = {
	[CONN_READER] = COMMON BY_INDEX ONE_ROW SHORT "SET default_transaction_read_only = on;",
	[CONN_DURABLE] = COMMON BY_INDEX ONE_ROW SHORT ON_DISK,
	[CONN_LAZY] = COMMON BY_INDEX ONE_ROW SHORT "SET synchronous_commit = off;",
	[CONN_TX] = COMMON BY_INDEX LONGER ON_DISK,
	[CONN_LISTENER] = COMMON SHORT "LISTEN kontor;",
	[CONN_ADMIN] = COMMON "SET lock_timeout = '2s';" ON_DISK,
};

/* As pg_stat_activity shows them, after the program's name. */
static const char *const role_names[] = {
	[CONN_READER] = "reader", [CONN_DURABLE] = "durable",   [CONN_LAZY] = "lazy",
	[CONN_TX] = "tx",         [CONN_LISTENER] = "listener", [CONN_ADMIN] = "admin",
};

static bool
role_runs(enum conn_role role, enum db_class class)
{
	switch (role) {
	case CONN_READER:
		return class == DB_READ;
	case CONN_DURABLE:
		return class == DB_DURABLE;
	case CONN_LAZY:
		return class == DB_LAZY;
	case CONN_TX: /* few of them, and seldom: conn_prepare */
	case CONN_LISTENER:
	case CONN_ADMIN:
		break;
	}
	return false;
}

/* libpq would print notices; we only want to know that there was a WARNING. */
static void
on_notice(void *arg, const PGresult *res)
{
	struct conn *c = arg;
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity == NULL || strcmp(severity, "WARNING") == 0)
		c->warned = true;
}

enum conn_wait
conn_wait(struct conn *c, int64_t deadline_us)
{
	for (;;) {
		int unsent = PQflush(c->pg);

		if (unsent < 0)
			return CONN_LOST;
		if (!PQisBusy(c->pg))
			return CONN_READY;
		int64_t left_us = deadline_us - clock_mono_us();

		if (left_us <= 0)
			return CONN_LATE;
		struct pollfd fd = {.fd = PQsocket(c->pg), .events = POLLIN};

		if (unsent > 0)
			fd.events |= POLLOUT;
		int64_t ms = left_us / 1000 + 1;

		if (poll(&fd, 1, ms > 60000 ? 60000 : (int)ms) > 0 &&
		    (fd.revents & ~POLLOUT) != 0 && PQconsumeInput(c->pg) == 0)
			return CONN_LOST;
	}
}

bool
conn_alive(struct conn *c)
{
	return c->pg != NULL && PQconsumeInput(c->pg) == 1 && PQstatus(c->pg) == CONNECTION_OK;
}

enum conn_wait
conn_answer(struct conn *c, int64_t deadline_us, PGresult **out)
{
	PGresult *last = NULL;

	for (;;) {
		enum conn_wait w = conn_wait(c, deadline_us);
		PGresult *res = w == CONN_READY ? PQgetResult(c->pg) : NULL;

		if (w != CONN_READY || (res == NULL && last == NULL) ||
		    PQstatus(c->pg) != CONNECTION_OK) {
			PQclear(res);
			PQclear(last);
			return w == CONN_LATE ? CONN_LATE : CONN_LOST;
		}
		if (res == NULL)
			break;
		PQclear(last);
		last = res;
	}
	*out = last;
	return CONN_READY;
}

enum conn_wait
conn_command(struct conn *c, const char *sql, int64_t deadline_us, PGresult **out)
{
	if (PQsendQuery(c->pg, sql) == 0)
		return CONN_LOST;
	return conn_answer(c, deadline_us, out);
}

bool
conn_result_ok(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

bool
conn_result_stale(const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	return state != NULL && (strcmp(state, "25006") == 0 || /* read only */
				 strcmp(state, "0A000") == 0 || /* cached plan, other columns */
				 strcmp(state, "26000") == 0);  /* no such prepared statement */
}

/* The one statement that asks for the database's time: it is what is measured here. */
#define CLOCK_SQL "SELECT floor(extract(epoch FROM clock_timestamp()))::text"

bool
conn_clock_look(struct conn *c, time_t (*clock)(void), int64_t deadline_us, int64_t *ahead_s,
		time_t *now)
{
	PGresult *res = NULL;
	int64_t before = clock();

	if (conn_command(c, CLOCK_SQL, deadline_us, &res) != CONN_READY)
		return false;
	int64_t after = *now = clock();
	uint64_t theirs = 0;
	bool held = PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1 &&
		    text_to_u64(PQgetvalue(res, 0, 0), INT64_MAX, &theirs);

	PQclear(res);
	/* They looked at some moment between the two. */
	if (held)
		*ahead_s = (int64_t)theirs < before  ? before - (int64_t)theirs
			   : (int64_t)theirs > after ? after - (int64_t)theirs
						     : 0;
	return held;
}

static Oid
type_of_letter(char letter)
{
	switch (letter) {
	case 'b':
		return PGTYPE_BYTEA;
	case 't':
		return PGTYPE_TEXT;
	case 'o':
		return PGTYPE_BOOL;
	default:
		return PGTYPE_INT8;
	}
}

static bool
send_prepare(struct conn *c, const struct db_statement *st)
{
	Oid types[DB_PARAMS_MAX];
	size_t n = strlen(st->params);

	if (n > ARRAY_LEN(types))
		return false;
	for (size_t i = 0; i < n; i++)
		types[i] = type_of_letter(st->params[i]);
	return PQsendPrepare(c->pg, st->name, st->sql, (int)n, types) == 1;
}

PGresult *
conn_pipeline_next(struct conn *c, int64_t deadline_us)
{
	if (conn_wait(c, deadline_us) != CONN_READY)
		return NULL;
	PGresult *res = PQgetResult(c->pg);

	if (res == NULL || PQresultStatus(res) == PGRES_PIPELINE_SYNC)
		return res;
	if (conn_wait(c, deadline_us) == CONN_READY)
		PQclear(PQgetResult(c->pg));
	return res;
}

static bool
take_prepared(struct conn *c, const char *what, int64_t deadline_us, struct err *err)
{
	PGresult *res = conn_pipeline_next(c, deadline_us);

	if (res == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "prepare %s: no answer", what);
	bool held = conn_result_ok(res) || PQresultStatus(res) == PGRES_PIPELINE_SYNC;

	if (!held)
		(void)conn_fail(err, what, res);
	PQclear(res);
	return held;
}

bool
conn_prepare(struct conn *c, const struct db_statement *st, int64_t deadline_us,
	     enum conn_wait *wait, struct err *err)
{
	PGresult *res = NULL;

	*wait = CONN_READY;
	for (size_t i = 0; i < c->n_prepared; i++)
		if (c->prepared[i] == st)
			return true;
	*wait = send_prepare(c, st) ? conn_answer(c, deadline_us, &res) : CONN_LOST;
	if (*wait != CONN_READY)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: %s", st->name,
			    *wait == CONN_LATE ? "no answer in time" : "connection lost");
	bool held = conn_result_ok(res) || conn_fail(err, st->name, res);

	PQclear(res);
	if (held && c->n_prepared < CONN_PREPARED_MAX)
		c->prepared[c->n_prepared++] = st;
	return held;
}

/* All in one round trip. */
static bool
prepare_all(struct conn *c, enum conn_role role, struct err *err)
{
	int64_t deadline_us = clock_mono_us() + SETUP_US;
	bool sent = PQenterPipelineMode(c->pg) == 1;

	for (size_t t = 0; db_statement_tables[t] != NULL; t++)
		for (const struct db_statement *st = db_statement_tables[t]; st->name != NULL; st++)
			if (role_runs(role, st->class))
				sent = sent && send_prepare(c, st);
	if (!sent || PQpipelineSync(c->pg) != 1)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "prepare: connection lost");
	for (size_t t = 0; db_statement_tables[t] != NULL; t++)
		for (const struct db_statement *st = db_statement_tables[t]; st->name != NULL; st++)
			if (role_runs(role, st->class) &&
			    !take_prepared(c, st->name, deadline_us, err))
				return false;
	if (!take_prepared(c, "sync", deadline_us, err))
		return false;
	if (PQexitPipelineMode(c->pg) != 1)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "prepare: pipeline is not empty");
	return true;
}

static bool
set_up(struct conn *c, enum conn_role role, struct err *err)
{
	PGresult *res = NULL;

	if (PQserverVersion(c->pg) < OLDEST_SERVER)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "PostgreSQL %d is older than 15",
			    PQserverVersion(c->pg));
	if (conn_command(c, settings[role], clock_mono_us() + SETUP_US, &res) != CONN_READY)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "session settings: no answer");
	bool held = conn_result_ok(res) || conn_fail(err, "session settings", res);

	PQclear(res);
	return held && prepare_all(c, role, err);
}

bool
conn_open(struct conn *c, const char *conninfo, const char *application_name, enum conn_role role,
	  struct err *err)
{
	char name[64];

	snprintf(name, sizeof(name), "%s %s", application_name, role_names[role]);
	/* Before dbname: defaults.  After it: what the program relies on. */
	const char *const names[] = {"connect_timeout",  "tcp_user_timeout",
				     "keepalives_idle",  "keepalives_interval",
				     "keepalives_count", "fallback_application_name",
				     "dbname",           "target_session_attrs",
				     "client_encoding",  NULL};
	const char *const values[] = {"3",  "10000",  "10",         "5",    "2",
				      name, conninfo, "read-write", "UTF8", NULL};

	c->warned = false;
	c->n_prepared = 0;
	c->pg = PQconnectdbParams(names, values, 1);
	bool held = PQstatus(c->pg) == CONNECTION_OK && PQsetnonblocking(c->pg, 1) == 0;

	if (held) {
		PQsetNoticeReceiver(c->pg, on_notice, c);
		held = set_up(c, role, err);
	} else {
		(void)FAIL(err, ERR_UNAVAILABLE, NULL, "no connection: %s", PQerrorMessage(c->pg));
	}
	if (!held)
		conn_close(c);
	return held;
}

void
conn_close(struct conn *c)
{
	PQfinish(c->pg);
	c->pg = NULL;
}

bool
conn_params_check(const struct db_statement *st, const struct db_param *params, size_t n,
		  struct err *err)
{
	if (n != strlen(st->params) || n > DB_PARAMS_MAX)
		return FAIL(err, ERR_INTERNAL, NULL, "%s takes %zu parameters, not %zu", st->name,
			    strlen(st->params), n);
	for (size_t i = 0; i < n; i++) {
		if (params[i].type != st->params[i])
			return FAIL(err, ERR_INTERNAL, NULL, "%s: parameter %zu has another type",
				    st->name, i + 1);
		/* PostgreSQL has no NUL in text; libpq's binary form would send it. */
		if (params[i].type == 't' && params[i].octets.n > 0 &&
		    memchr(params[i].octets.p, 0, params[i].octets.n) != NULL)
			return FAIL(err, ERR_INTERNAL, NULL, "%s: parameter %zu holds a NUL",
				    st->name, i + 1);
	}
	return true;
}

/* Binary form of parameters, as PQsendQueryPrepared wants it. */
struct wire {
	const char *values[DB_PARAMS_MAX];
	int lengths[DB_PARAMS_MAX], formats[DB_PARAMS_MAX];
	uint64_t numbers[DB_PARAMS_MAX];
	char bools[DB_PARAMS_MAX];
};

static void
to_wire(struct wire *w, size_t i, const struct db_param *p)
{
	w->formats[i] = 1;
	switch (p->type) {
	case 'i':
		w->numbers[i] = htobe64((uint64_t)p->number);
		w->values[i] = (const char *)&w->numbers[i];
		w->lengths[i] = sizeof(w->numbers[i]);
		break;
	case 'o':
		w->bools[i] = p->number != 0;
		w->values[i] = &w->bools[i];
		w->lengths[i] = 1;
		break;
	default: /* empty octets may come as NULL, which libpq would take for SQL's */
		w->values[i] = p->octets.n == 0 ? "" : (const char *)p->octets.p;
		w->lengths[i] = (int)p->octets.n;
		break;
	}
	if (p->null)
		w->values[i] = NULL;
}

bool
conn_send(struct conn *c, const struct db_statement *st, const struct db_param *params, size_t n)
{
	struct wire w;

	for (size_t i = 0; i < n; i++)
		to_wire(&w, i, &params[i]);
	return PQsendQueryPrepared(c->pg, st->name, (int)n, w.values, w.lengths, w.formats, 1) == 1;
}

/* What a failure means to a caller, by the beginning of its SQLSTATE (PostgreSQL, appendix A). */
static const struct {
	const char *state;
	enum err_kind kind;
} meanings[] = {
	{"23505", ERR_CONFLICT},    /* unique */
	{"23P01", ERR_CONFLICT},    /* exclusion */
	{"23503", ERR_NOT_FOUND},   /* foreign key: what it hangs on is not there */
	{"23", ERR_DENIED},         /* not null, check */
	{"P0001", ERR_DENIED},      /* a trigger of ours */
	{"08", ERR_UNAVAILABLE},    /* connection */
	{"0A000", ERR_UNAVAILABLE}, /* the tables changed: conn_result_stale */
	{"26000", ERR_UNAVAILABLE}, /* the same for what was prepared */
	{"25006", ERR_UNAVAILABLE}, /* read-only: this is a standby now */
	{"40", ERR_UNAVAILABLE},    /* deadlock, serialization */
	{"53", ERR_UNAVAILABLE},    /* resources */
	{"55P03", ERR_UNAVAILABLE}, /* a lock was not to be had in time */
	{"57", ERR_UNAVAILABLE},    /* cancelled, shutting down */
	{"58", ERR_UNAVAILABLE},    /* the server's disk */
};

bool
conn_fail(struct err *err, const char *what, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
	enum err_kind kind = ERR_INTERNAL;

	if (state == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: connection lost", what);
	if (strcmp(state, "23514") == 0 && constraint == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: no partition", what);
	for (size_t i = 0; i < ARRAY_LEN(meanings) && kind == ERR_INTERNAL; i++)
		if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0)
			kind = meanings[i].kind;
	/* Class 42 (syntax, names) quotes nothing but our own SQL; the developer needs it. */
	const char *more = strncmp(state, "42", 2) == 0
				   ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY)
				   : constraint;

	return FAIL(err, kind, NULL, "%s: SQLSTATE %s%s%s", what, state, more == NULL ? "" : " ",
		    more == NULL ? "" : more);
}

struct db_rows *
conn_rows(struct arena *a, const char *statement, const PGresult *res)
{
	struct db_rows *rows = ARENA_NEW(a, struct db_rows);
	size_t n = (size_t)PQntuples(res), n_cols = (size_t)PQnfields(res);
	unsigned *types = ARENA_ARRAY(a, unsigned, n_cols);
	struct bytes *cells = ARENA_ARRAY(a, struct bytes, n * n_cols);

	for (size_t col = 0; col < n_cols; col++)
		types[col] = PQftype(res, (int)col);
	for (size_t i = 0; i < n * n_cols; i++) {
		int row = (int)(i / n_cols), col = (int)(i % n_cols);

		if (PQgetisnull(res, row, col))
			continue;
		cells[i] = arena_bytes(
			a, (struct bytes){(const unsigned char *)PQgetvalue(res, row, col),
					  (size_t)PQgetlength(res, row, col)});
	}
	*rows = (struct db_rows){.n = n,
				 .a = a,
				 .statement = statement,
				 .types = types,
				 .cells = cells,
				 .n_cols = n_cols};
	return rows;
}
