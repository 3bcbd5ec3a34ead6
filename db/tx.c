/*
 * Transactions on a bounded pool of connections.  A connection is used by the
 * thread that holds the transaction; what goes wrong on it in a way that leaves
 * questions closes it.
 */
#include "db/tx.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/conn.h"

#define ROLLBACK_US (1 * 1000000LL)

struct slot {
	struct conn conn;
	bool busy;
};

struct pool {
	const char *conninfo, *application_name;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	uint64_t unknown; /* commits whose outcome nobody knows */
	size_t n;
	struct slot slots[];
};

struct db_tx {
	struct db *db;
	struct pool *pool;
	struct slot *slot; /* NULL: over */
	struct arena *a;
	PGresult *res; /* the answer that is being copied into the arena */
	int64_t deadline_us;
	bool failed;
};

struct pool *
pool_create(const char *conninfo, const char *application_name, unsigned most)
{
	struct pool *pool = calloc(1, sizeof(*pool) + most * sizeof(pool->slots[0]));
	pthread_condattr_t attr;

	if (pool == NULL)
		return NULL;
	pool->conninfo = conninfo;
	pool->application_name = application_name;
	pool->n = most;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->freed, &attr);
	pthread_condattr_destroy(&attr);
	return pool;
}

void
pool_destroy(struct pool *pool)
{
	if (pool == NULL)
		return;
	for (size_t i = 0; i < pool->n; i++)
		conn_close(&pool->slots[i].conn);
	pthread_cond_destroy(&pool->freed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

uint64_t
pool_unknown(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	uint64_t n = pool->unknown;

	pthread_mutex_unlock(&pool->lock);
	return n;
}

/* A free slot, one with a connection first.  Held: pool->lock. */
static struct slot *
find_free(struct pool *pool)
{
	struct slot *found = NULL;

	for (size_t i = 0; i < pool->n; i++) {
		struct slot *slot = &pool->slots[i];

		if (!slot->busy && (found == NULL || slot->conn.pg != NULL))
			found = slot;
		if (found != NULL && found->conn.pg != NULL)
			break;
	}
	return found;
}

static struct slot *
take_slot(struct pool *pool, int64_t deadline_us)
{
	const struct timespec until = {.tv_sec = deadline_us / 1000000,
				       .tv_nsec = deadline_us % 1000000 * 1000};
	struct slot *slot;
	int rc = 0;

	pthread_mutex_lock(&pool->lock);
	while ((slot = find_free(pool)) == NULL && rc == 0)
		rc = pthread_cond_timedwait(&pool->freed, &pool->lock, &until);
	if (slot != NULL)
		slot->busy = true;
	pthread_mutex_unlock(&pool->lock);
	return slot;
}

static void
give_slot(struct pool *pool, struct slot *slot)
{
	pthread_mutex_lock(&pool->lock);
	slot->busy = false;
	pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->lock);
}

/* The transaction no longer has its connection; `keep`: another one may use it. */
static void
release(struct db_tx *tx, bool keep)
{
	if (!keep)
		conn_close(&tx->slot->conn);
	give_slot(tx->pool, tx->slot);
	tx->slot = NULL;
}

/* At the arena's end: whatever was not committed is undone. */
static void
finish(void *p)
{
	struct db_tx *tx = p;

	PQclear(tx->res);
	tx->res = NULL;
	db_tx_rollback(tx);
}

/* An open transaction on the slot's connection, made anew if it had died in the meantime. */
static bool
start(struct db_tx *tx, struct err *err)
{
	struct conn *conn = &tx->slot->conn;
	bool fresh = false;

	for (;;) {
		PGresult *res = NULL;

		if (!conn_alive(conn)) {
			conn_close(conn);
			if (!conn_open(conn, tx->pool->conninfo, tx->pool->application_name,
				       CONN_TX, err))
				return false;
			fresh = true;
		}
		enum conn_wait w = conn_command(conn, "BEGIN", tx->deadline_us, &res);
		bool begun = w == CONN_READY && conn_result_ok(res);

		PQclear(res);
		if (begun)
			return true;
		conn_close(conn);
		if (fresh || w == CONN_LATE)
			return FAIL(err, ERR_UNAVAILABLE, NULL, "begin: no answer");
	}
}

bool
db_tx_begin(const struct db_call *c, struct db_tx **out, struct err *err)
{
	struct db_tx *tx = ARENA_NEW(c->a, struct db_tx);

	tx->db = c->db;
	tx->pool = db_pool(c->db);
	tx->a = c->a;
	tx->deadline_us = c->deadline_us;
	arena_defer(c->a, finish, tx);
	/* Connecting takes seconds when a host is silent; one thread tries for all. */
	if (db_refuses(c->db))
		return FAIL(err, ERR_UNAVAILABLE, NULL, "begin: not connected");
	tx->slot = take_slot(tx->pool, tx->deadline_us);
	if (tx->slot == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "begin: all %zu connections are taken",
			    tx->pool->n);
	if (!start(tx, err)) {
		release(tx, false);
		return false;
	}
	*out = tx;
	return true;
}

/* Run it and leave the result in tx->res; on failure the transaction is good for a rollback only.
 */
static bool
execute(struct db_tx *tx, const struct db_statement *st, const struct db_param *params, size_t n,
	struct err *err)
{
	struct conn *conn = &tx->slot->conn;
	enum conn_wait w;

	tx->failed = true;
	if (!conn_prepare(conn, st, tx->deadline_us, &w, err)) {
		if (w != CONN_READY)
			release(tx, false);
		return false;
	}
	w = conn_send(conn, st, params, n) ? conn_answer(conn, tx->deadline_us, &tx->res)
					   : CONN_LOST;
	if (w != CONN_READY) {
		release(tx, false);
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: %s", st->name,
			    w == CONN_LATE ? "no answer in time" : "connection lost");
	}
	if (conn_result_ok(tx->res)) {
		tx->failed = false;
		return true;
	}
	(void)conn_fail(err, st->name, tx->res);
	if (conn_result_stale(tx->res))
		release(tx, false);
	return false;
}

bool
db_tx_run(struct db_tx *tx, const struct db_statement *st, const struct db_param *params, size_t n,
	  struct db_rows **rows, struct err *err)
{
	if (tx->slot == NULL || tx->failed)
		return FAIL(err, ERR_INTERNAL, NULL, "%s: the transaction is over", st->name);
	if (!conn_params_check(st, params, n, err))
		return false;
	bool held = execute(tx, st, params, n, err);

	if (held && rows != NULL)
		*rows = conn_rows(tx->a, st->name, tx->res);
	PQclear(tx->res);
	tx->res = NULL;
	return held;
}

bool
db_tx_check_clock(struct db_tx *tx, struct err *err)
{
	int64_t ahead_s = 0;
	time_t now;

	if (tx->slot == NULL || tx->failed)
		return FAIL(err, ERR_INTERNAL, NULL, "clock: the transaction is over");
	if (!conn_clock_look(&tx->slot->conn, db_clock(tx->db), tx->deadline_us, &ahead_s, &now)) {
		release(tx, false);
		return FAIL(err, ERR_UNAVAILABLE, NULL, "clock: no answer");
	}
	return llabs(ahead_s) <= SKEW_MOST_S || db_fail_clock(ahead_s, err);
}

static bool
fail_unknown(struct pool *pool, struct err *err)
{
	pthread_mutex_lock(&pool->lock);
	pool->unknown++;
	pthread_mutex_unlock(&pool->lock);
	return FAIL(err, ERR_UNAVAILABLE, NULL, "commit: outcome unknown");
}

bool
db_tx_commit(struct db_tx *tx, struct err *err)
{
	PGresult *res = NULL;

	if (tx->slot == NULL || tx->failed) {
		db_tx_rollback(tx);
		return FAIL(err, ERR_INTERNAL, NULL, "commit: the transaction has failed before");
	}
	struct conn *conn = &tx->slot->conn;

	conn->warned = false;
	enum conn_wait w = conn_command(conn, "COMMIT", tx->deadline_us, &res);

	if (w != CONN_READY) {
		release(tx, false);
		return fail_unknown(tx->pool, err);
	}
	bool held = true;

	if (!conn_result_ok(res))
		held = conn_fail(err, "commit", res);
	else if (conn->warned || strcmp(PQcmdStatus(res), "COMMIT") != 0)
		held = fail_unknown(tx->pool, err);
	PQclear(res);
	release(tx, true);
	return held;
}

void
db_tx_rollback(struct db_tx *tx)
{
	PGresult *res = NULL;

	if (tx->slot == NULL)
		return;
	bool done = conn_command(&tx->slot->conn, "ROLLBACK", clock_mono_us() + ROLLBACK_US,
				 &res) == CONN_READY &&
		    conn_result_ok(res);

	PQclear(res);
	release(tx, done);
}
