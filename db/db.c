/*
 * A struct db: its lanes, its pool, its listener.  Which of them a statement
 * goes to is written in the statement's row.
 */
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rand.h"
#include "db/conn.h"
#include "db/lane.h"
#include "db/listen.h"
#include "db/tx.h"

#define TX_CONNECTIONS 4
#define DEAF_MOST_US   (1 * 1000000LL) /* what is changed counts on all nodes within a second */

struct db {
	struct db_options options;
	char *conninfo, *application_name;
	struct lane *reader, *durable, *lazy;
	struct pool *pool;
	struct listener *listener;
};

bool
db_conninfo_check(const char *conninfo, struct err *err)
{
	char *why = NULL;
	PQconninfoOption *parsed = PQconninfoParse(conninfo, &why);

	/* libpq's sentence may quote a password. */
	PQfreemem(why);
	PQconninfoFree(parsed);
	if (parsed == NULL)
		return FAIL(err, ERR_INPUT, NULL, "the database's conninfo cannot be understood");
	return true;
}

static struct lane *
make_lane(const struct db *db, enum conn_role role)
{
	return lane_create(&(struct lane_options){
		.conninfo = db->conninfo, .application_name = db->application_name, .role = role});
}

bool
db_create(const struct db_options *options, struct db **out, struct err *err)
{
	if (!db_conninfo_check(options->conninfo, err))
		return false;
	struct db *db = calloc(1, sizeof(*db));

	if (db == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "out of memory");
	db->options = *options;
	db->conninfo = strdup(options->conninfo);
	db->application_name =
		strdup(options->application_name == NULL ? "kontor" : options->application_name);
	db->options.conninfo = db->conninfo;
	db->options.application_name = db->application_name;
	if (db->conninfo != NULL && db->application_name != NULL) {
		db->reader = make_lane(db, CONN_READER);
		db->durable = make_lane(db, CONN_DURABLE);
		db->lazy = make_lane(db, CONN_LAZY);
		db->pool = pool_create(db->conninfo, db->application_name,
				       options->tx_connections == 0 ? TX_CONNECTIONS
								    : options->tx_connections);
		db->listener = listener_create(&db->options);
	}
	if (db->reader == NULL || db->durable == NULL || db->lazy == NULL || db->pool == NULL ||
	    db->listener == NULL) {
		db_destroy(db);
		return FAIL(err, ERR_UNAVAILABLE, NULL, "out of threads or memory");
	}
	*out = db;
	return true;
}

void
db_destroy(struct db *db)
{
	if (db == NULL)
		return;
	listener_destroy(db->listener);
	lane_destroy(db->reader);
	lane_destroy(db->durable);
	lane_destroy(db->lazy);
	pool_destroy(db->pool);
	if (db->conninfo != NULL)
		wipe(db->conninfo, strlen(db->conninfo));
	free(db->conninfo);
	free(db->application_name);
	free(db);
}

struct pool *
db_pool(struct db *db)
{
	return db->pool;
}

time_t (*db_clock(struct db *db))(void)
{
	return db->options.clock;
}

bool
db_refuses(struct db *db)
{
	return lane_refuses(db->durable);
}

static struct lane *
lane_of(const struct db *db, enum db_class class)
{
	switch (class) {
	case DB_READ:
		return db->reader;
	case DB_DURABLE:
		return db->durable;
	case DB_LAZY:
		return db->lazy;
	case DB_IN_TX:
		break;
	}
	return NULL;
}

/* Copying may leave by the arena's exit: then the results go with the arena. */
static void
clear_results(void *p)
{
	struct lane_ask *asks = p;

	for (size_t i = 0; i < LANE_ASKS_MOST; i++) {
		PQclear(asks[i].res);
		asks[i].res = NULL;
	}
}

struct db_ask
db_ask_of(struct arena *a, const struct db_statement *st, const struct db_param *params, size_t n)
{
	struct db_param *copy = ARENA_ARRAY(a, struct db_param, n);

	for (size_t i = 0; i < n; i++)
		copy[i] = params[i];
	return (struct db_ask){st, copy, n, NULL};
}

bool
db_run_all(const struct db_call *c, struct db_ask *asks, size_t n, struct err *err)
{
	struct lane *lane = lane_of(c->db, asks[0].statement->class);
	struct lane_ask *wire = ARENA_ARRAY(c->a, struct lane_ask, LANE_ASKS_MOST);

	if (lane == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "%s runs in a transaction only",
			    asks[0].statement->name);
	if (n > LANE_ASKS_MOST)
		return FAIL(err, ERR_INTERNAL, NULL, "too many statements for one call");
	for (size_t i = 0; i < n; i++) {
		if (!conn_params_check(asks[i].statement, asks[i].params, asks[i].n, err))
			return false;
		if (lane_of(c->db, asks[i].statement->class) != lane)
			return FAIL(err, ERR_INTERNAL, NULL, "%s runs elsewhere",
				    asks[i].statement->name);
		wire[i] = (struct lane_ask){asks[i].statement, asks[i].params, asks[i].n, NULL};
	}
	arena_defer(c->a, clear_results, wire);
	if (!lane_run(lane, wire, n, c->deadline_us, err))
		return false;
	for (size_t i = 0; i < n; i++)
		asks[i].rows = conn_rows(c->a, asks[i].statement->name, wire[i].res);
	clear_results(wire);
	return true;
}

bool
db_run(const struct db_call *c, const struct db_statement *st, const struct db_param *params,
       size_t n, struct db_rows **rows, struct err *err)
{
	struct db_ask ask = {st, params, n, NULL};

	if (!db_run_all(c, &ask, 1, err))
		return false;
	if (rows != NULL)
		*rows = ask.rows;
	return true;
}

bool
db_run_did(const struct db_call *c, const struct db_statement *st, const struct db_param *params,
	   size_t n, bool *did, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, st, params, n, &rows, err))
		return false;
	*did = rows->n > 0;
	return true;
}

bool
db_run_found(const struct db_call *c, const struct db_statement *st, const struct db_param *params,
	     size_t n, struct err *err)
{
	bool did;

	if (!db_run_did(c, st, params, n, &did, err))
		return false;
	return did || FAIL(err, ERR_NOT_FOUND, NULL, "%s: it is not there", st->name);
}

void
db_status(struct db *db, struct db_status *out)
{
	struct lane *const lanes[] = {db->reader, db->durable, db->lazy};
	struct lane_status ls[ARRAY_LEN(lanes)];
	struct listener_status listener;

	listener_status(db->listener, &listener);
	*out = (struct db_status){.listener = listener.connected,
				  .clock_known = listener.clock_known,
				  .clock_skew_s = llabs(listener.ahead_s),
				  .unknown = pool_unknown(db->pool),
				  .connects = listener.connects};
	memcpy(out->trouble, listener.trouble, sizeof(out->trouble));
	for (size_t i = 0; i < ARRAY_LEN(lanes); i++) {
		lane_status(lanes[i], &ls[i]);
		out->queued += ls[i].queued;
		out->statements += ls[i].statements;
		out->batches += ls[i].batches;
		out->reruns += ls[i].reruns;
		out->unknown += ls[i].unknown;
		out->connects += ls[i].connects;
		if (ls[i].trouble[0] != '\0')
			memcpy(out->trouble, ls[i].trouble, sizeof(out->trouble));
	}
	out->reader = ls[0].connected;
	out->durable = ls[1].connected;
	out->lazy = ls[2].connected;
}

int64_t
db_clock_skew_s(struct db *db)
{
	struct listener_status s;

	listener_status(db->listener, &s);
	return s.clock_known ? llabs(s.ahead_s) : INT64_MAX;
}

bool
db_ready(struct db *db)
{
	struct db_status s;

	db_status(db, &s);
	return s.reader && s.durable && s.lazy && s.listener && s.clock_known &&
	       s.clock_skew_s <= SKEW_MOST_S;
}

bool
db_fail_clock(int64_t ahead_s, struct err *err)
{
	return FAIL(err, ERR_UNAVAILABLE, NULL, "this node's clock is %lld s off the database's",
		    (long long)llabs(ahead_s));
}

bool
db_in_step(struct db *db, struct err *err)
{
	struct listener_status s;

	listener_status(db->listener, &s);
	if (s.clock_known && llabs(s.ahead_s) > SKEW_MOST_S)
		return db_fail_clock(s.ahead_s, err);
	return s.connected || clock_mono_us() - s.deaf_since_us <= DEAF_MOST_US ||
	       FAIL(err, ERR_UNAVAILABLE, NULL, "what other nodes change is not heard");
}

struct subject_id
subject_id_create(void)
{
	struct subject_id id;

	rand_bytes(id.octets, sizeof(id.octets));
	return id;
}

bool
subject_id_eq(struct subject_id a, struct subject_id b)
{
	return bytes_eq((struct bytes){a.octets, sizeof(a.octets)},
			(struct bytes){b.octets, sizeof(b.octets)});
}
