/* Attempt budgets; see budget.h. */
#include "db/budget.h"

#include "db/dated.h"
#include "db/statements.h"

enum { RESERVE, GIVE_BACK };

const struct db_statement db_budget_statements[] = {
	[RESERVE] = {"budget_reserve", DB_LAZY, T_BUDGET, 2, "ibii",
		     "INSERT INTO attempt_budget (day, hash, \"window\", used)"
		     " VALUES ($1, $2, $3, 1) ON CONFLICT (day, hash, \"window\")"
		     " DO UPDATE SET used = attempt_budget.used + 1"
		     " WHERE attempt_budget.used < $4 RETURNING used"},
	[GIVE_BACK] = {"budget_give_back", DB_LAZY, T_BUDGET, 2, "ibi",
		       "UPDATE attempt_budget SET used = used - 1"
		       " WHERE day = $1 AND hash = $2 AND \"window\" = $3 AND used > 0"},
	{0},
};

bool
db_budget_reserve(const struct db_call *c, const struct db_budget *budget, time_t now,
		  struct db_attempt *out, struct err *err)
{
	struct db_rows *rows;

	if (budget->limit < 1 || budget->window_s < 1 || budget->window_s > DAY_S)
		return FAIL(err, ERR_INPUT, NULL, "a budget of %lld in %lld s",
			    (long long)budget->limit, (long long)budget->window_s);
	int64_t window = now - now % budget->window_s, end = window + budget->window_s;
	struct bytes hash = db_hash(c->a, budget->purpose, budget->key);

	if (!db_run(c, &db_budget_statements[RESERVE],
		    DB_ARGS(db_int(end / DAY_S), db_bytes(hash), db_int(window),
			    db_int(budget->limit)),
		    &rows, err))
		return false;
	struct db_attempt attempt = {.window = window, .retry_at = end};

	if (rows->n == 1) {
		attempt.allowed = true;
		attempt.left = budget->limit - db_get_int(rows, 0, 0);
	}
	if (!db_rows_check(rows, err))
		return false;
	*out = attempt;
	return true;
}

bool
db_budget_give_back(const struct db_call *c, const struct db_budget *budget,
		    const struct db_attempt *attempt, struct err *err)
{
	int64_t end = attempt->window + budget->window_s;
	struct bytes hash = db_hash(c->a, budget->purpose, budget->key);

	return db_run(c, &db_budget_statements[GIVE_BACK],
		      DB_ARGS(db_int(end / DAY_S), db_bytes(hash), db_int(attempt->window)), NULL,
		      err);
}
