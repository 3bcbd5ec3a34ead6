/* Epochs of account keys; see epoch.h. */
#include "db/epoch.h"

#include "db/statements.h"

enum { OLD, REPLACE, IS_SETTLED, SETTLE, UNSETTLE, USES, UNUSED_SINCE };

#define EPOCH_OF "substring(account_key FROM 2 FOR 4)" /* as the index subject_epoch has it */

const struct db_statement db_epoch_statements[] = {
	[OLD] = {"epoch_old", DB_READ, T_SUBJECT, 0, "bi",
		 "SELECT id, account_key FROM subject WHERE account_key IS NOT NULL"
		 " AND " EPOCH_OF " < $1 ORDER BY " EPOCH_OF " LIMIT $2"},
	[REPLACE] = {"epoch_replace", DB_LAZY, T_SUBJECT, 1, "bbb",
		     "UPDATE subject SET account_key = $3 WHERE id = $1 AND account_key = $2"
		     " RETURNING 1"},
	[IS_SETTLED] = {"epoch_is_settled", DB_READ, T_SUBJECT, 0, "i",
			"SELECT FROM epoch_settled WHERE epoch = $1"},
	[SETTLE] = {"epoch_settle", DB_DURABLE, T_SUBJECT, 0, "ibi",
		    "INSERT INTO epoch_settled (epoch, at) SELECT $1, $3"
		    " WHERE NOT EXISTS (SELECT FROM subject WHERE account_key IS NOT NULL"
		    " AND " EPOCH_OF " < $2) ON CONFLICT DO NOTHING"},
	[UNSETTLE] = {"epoch_unsettle", DB_DURABLE, T_SUBJECT, 0, "i",
		      "DELETE FROM epoch_settled WHERE epoch > $1"},
	[USES] = {"epoch_uses", DB_READ, T_SUBJECT, 0, "",
		  "SELECT " EPOCH_OF ", count(*) FROM subject WHERE account_key IS NOT NULL"
		  " GROUP BY 1 ORDER BY 1"},
	[UNUSED_SINCE] = {"epoch_unused_since", DB_READ, T_SUBJECT, 0, "ib",
			  "SELECT min(at) FROM epoch_settled WHERE epoch > $1 AND NOT EXISTS"
			  " (SELECT FROM subject WHERE account_key IS NOT NULL"
			  " AND " EPOCH_OF " <= $2)"},
	{0},
};

#define EPOCH_BYTES 4

static struct db_param
epoch_param(const struct db_call *c, uint32_t epoch)
{
	unsigned char *p = arena_alloc(c->a, EPOCH_BYTES);

	for (size_t i = 0; i < EPOCH_BYTES; i++)
		p[i] = (unsigned char)(epoch >> (8 * (EPOCH_BYTES - 1 - i)));
	return db_octets(p, EPOCH_BYTES);
}

bool
db_epoch_old(const struct db_call *c, uint32_t epoch, int64_t limit,
	     const struct db_epoch_account **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_epoch_statements[OLD], DB_ARGS(epoch_param(c, epoch), db_int(limit)),
		    &rows, err))
		return false;
	struct db_epoch_account *list = ARENA_ARRAY(c->a, struct db_epoch_account, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++)
		list[i] =
			(struct db_epoch_account){db_get_id(rows, i, 0), db_get_bytes(rows, i, 1)};
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_epoch_replace(const struct db_call *c, const struct db_epoch_account *account,
		 struct bytes wrapped, bool *replaced, struct err *err)
{
	return db_run_did(
		c, &db_epoch_statements[REPLACE],
		DB_ARGS(db_id(&account->id), db_bytes(account->account_key), db_bytes(wrapped)),
		replaced, err);
}

bool
db_epoch_settle(const struct db_call *c, uint32_t epoch, time_t now, struct err *err)
{
	bool there;

	/* Asked every few seconds, written once. */
	return db_run_did(c, &db_epoch_statements[IS_SETTLED], DB_ARGS(db_int(epoch)), &there,
			  err) &&
	       (there ||
		db_run(c, &db_epoch_statements[SETTLE],
		       DB_ARGS(db_int(epoch), epoch_param(c, epoch), db_int(now)), NULL, err));
}

bool
db_epoch_unsettle(const struct db_call *c, uint32_t epoch, struct err *err)
{
	return db_run(c, &db_epoch_statements[UNSETTLE], DB_ARGS(db_int(epoch)), NULL, err);
}

bool
db_epoch_uses(const struct db_call *c, const struct db_epoch_use **out, size_t *n, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_epoch_statements[USES], NULL, 0, &rows, err))
		return false;
	struct db_epoch_use *list = ARENA_ARRAY(c->a, struct db_epoch_use, rows->n + 1);

	for (size_t i = 0; i < rows->n; i++) {
		unsigned char p[EPOCH_BYTES] = {0};

		db_get_octets(rows, i, 0, p, EPOCH_BYTES);
		for (size_t j = 0; j < EPOCH_BYTES; j++)
			list[i].epoch = list[i].epoch << 8 | p[j];
		list[i].accounts = db_get_int(rows, i, 1);
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = list;
	*n = rows->n;
	return true;
}

bool
db_epoch_unused_since(const struct db_call *c, uint32_t epoch, time_t *since, struct err *err)
{
	struct db_rows *rows;

	if (!db_run(c, &db_epoch_statements[UNUSED_SINCE],
		    DB_ARGS(db_int(epoch), epoch_param(c, epoch)), &rows, err))
		return false;
	time_t at = db_get_int_opt(rows, 0, 0);

	if (!db_rows_check(rows, err))
		return false;
	*since = at;
	return true;
}
