/* The outbox; see outbox.h. */
#include "db/outbox.h"

#include "base/json.h"
#include "db/statements.h"

enum { ADD, TAKE, SETTLE, AGAIN, COUNT, SWEEP };

const struct db_statement db_outbox_statements[] = {
	[ADD] = {"outbox_add", DB_IN_TX, T_OUTBOX, 0, "ti",
		 "INSERT INTO outbox (id, kind, target, content, state, tries, due, lease, created,"
		 " expires) SELECT i.id, i.kind, i.target, i.content, 'waiting', 0, $2, 0, $2,"
		 " i.expires FROM jsonb_to_recordset($1::jsonb)"
		 " AS i(id text, kind text, target text, content text, expires bigint)"},
	/*
	 * A row that another node took since this statement looked is looked at anew once
	 * its lock is held, and then no longer fits.
	 */
	[TAKE] = {"outbox_take", DB_LAZY, T_OUTBOX, 0, "iiit",
		  "UPDATE outbox SET tries = tries + 1, lease = $2 WHERE id = (SELECT o.id"
		  " FROM outbox o WHERE o.state = 'waiting' AND o.due <= $1 AND o.lease <= $1"
		  " AND ($4::jsonb ? o.kind OR o.expires <= $1)"
		  " AND (SELECT count(*) FROM outbox b WHERE b.state = 'waiting'"
		  " AND b.target = o.target AND b.lease > $1) < $3"
		  " ORDER BY o.due LIMIT 1 FOR UPDATE OF o SKIP LOCKED)"
		  " RETURNING id, kind, target, content, expires, tries"},
	[SETTLE] = {"outbox_settle", DB_DURABLE, T_OUTBOX, 1, "tot",
		    "UPDATE outbox SET state = CASE WHEN $2 THEN 'done' ELSE 'failed' END,"
		    " result = $3, content = '', lease = 0 WHERE id = $1 AND state = 'waiting'"},
	[AGAIN] = {"outbox_again", DB_LAZY, T_OUTBOX, 1, "tiit",
		   "UPDATE outbox SET due = $3, result = $4, lease = 0"
		   " WHERE id = $1 AND tries = $2 AND state = 'waiting'"},
	[COUNT] = {"outbox_count", DB_READ, T_OUTBOX, 0, "",
		   "SELECT count(*), count(*) FILTER (WHERE result IS NOT NULL) FROM outbox"
		   " WHERE state = 'waiting'"},
	[SWEEP] = {"outbox_sweep", DB_IN_TX, T_OUTBOX, 0, "ii",
		   "WITH gone AS (DELETE FROM outbox WHERE id IN (SELECT id FROM outbox"
		   " WHERE state <> 'waiting' AND expires < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)"
		   " RETURNING 1) SELECT count(*) FROM gone"},
	{0},
};

bool
db_outbox_add_tx(struct db_tx *tx, struct arena *a, const struct db_outbox_item *items, size_t n,
		 time_t now, struct err *err)
{
	json_t *list = json_new_array(a);

	for (size_t i = 0; i < n; i++) {
		json_t *o = json_new_object(a);

		json_put_str(a, o, "id", items[i].id);
		json_put_str(a, o, "kind", items[i].kind);
		json_put_str(a, o, "target", items[i].target);
		json_put_str(a, o, "content", items[i].content);
		json_put_i64(a, o, "expires", items[i].expires);
		json_push(a, list, o);
	}
	return n == 0 ||
	       db_tx_run(tx, &db_outbox_statements[ADD],
			 DB_ARGS(db_text(json_text(a, list, false)), db_int(now)), NULL, err);
}

bool
db_outbox_take(const struct db_call *c, const char *const *kinds, size_t n_kinds, int64_t lease_s,
	       int64_t at_once, time_t now, const struct db_outbox_taken **out, struct err *err)
{
	json_t *known = json_new_array(c->a);
	struct db_outbox_taken *t = NULL;
	struct db_rows *rows;

	for (size_t i = 0; i < n_kinds; i++)
		json_push_str(c->a, known, kinds[i]);
	if (!db_run(c, &db_outbox_statements[TAKE],
		    DB_ARGS(db_int(now), db_int(now + lease_s), db_int(at_once),
			    db_text(json_text(c->a, known, false))),
		    &rows, err))
		return false;
	if (rows->n > 0) {
		t = ARENA_NEW(c->a, struct db_outbox_taken);
		t->item = (struct db_outbox_item){.id = db_get_text(rows, 0, 0),
						  .kind = db_get_text(rows, 0, 1),
						  .target = db_get_text(rows, 0, 2),
						  .content = db_get_text(rows, 0, 3),
						  .expires = db_get_int(rows, 0, 4)};
		t->tries = db_get_int(rows, 0, 5);
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = t;
	return true;
}

bool
db_outbox_settle(const struct db_call *c, const char *id, bool done, const char *result,
		 struct err *err)
{
	return db_run(c, &db_outbox_statements[SETTLE],
		      DB_ARGS(db_text(id), db_bool(done), db_text(result)), NULL, err);
}

bool
db_outbox_again(const struct db_call *c, const struct db_outbox_taken *taken, time_t due,
		const char *result, struct err *err)
{
	return db_run(c, &db_outbox_statements[AGAIN],
		      DB_ARGS(db_text(taken->item.id), db_int(taken->tries), db_int(due),
			      db_text(result)),
		      NULL, err);
}

bool
db_outbox_count(const struct db_call *c, int64_t *waiting, int64_t *failing, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_outbox_statements[COUNT], NULL, 0, &rows, err))
		return false;
	int64_t all = db_get_int(rows, 0, 0), vain = db_get_int(rows, 0, 1);

	if (!db_rows_check(rows, err))
		return false;
	*waiting = all;
	*failing = vain;
	return true;
}

bool
db_outbox_sweep(const struct db_call *c, time_t before, int64_t limit, time_t now, int64_t *n,
		struct err *err)
{
	return db_sweep(c, &db_outbox_statements[SWEEP], db_int(before), limit, now, n, err);
}
