/* What became of a login elsewhere, stored with the flow that waits for it; see home_part.h. */
#include "idp/home_part.h"

#include "idp/audit.h"

static const char *
outcome_word(int64_t outcome)
{
	static const char *const words[] = {
		[SAML_OUTCOME_FAILED] = "failed", [SAML_OUTCOME_CANCELLED] = "cancelled",
		[SAML_OUTCOME_LEVEL] = "level",   [SAML_OUTCOME_REFUSED] = "refused",
		[SAML_OUTCOME_LOGIN] = NULL,
	};

	return words[outcome];
}

static bool
store(struct request *rq, const struct home_arrival *t, json_t *home, const struct db_mark *mark,
      struct response *rs, bool *stored, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_flow_answer answer = {
		.away = t->row->away,
		.upstream = t->from->id,
		.source = t->from->source,
		.mark = mark,
	};
	int64_t outcome = SAML_OUTCOME_FAILED, level = LEVEL_NONE;

	if (!json_get_i64(home, "outcome", &outcome, err) ||
	    !json_get_i64(home, "level", &level, err) ||
	    !home_seal(rq, t->row->id, home, rs, &answer.home, err))
		return false;
	const char *why = outcome_word(outcome);
	const struct db_audit audit = {
		.event = why == NULL ? AUDIT_LOGIN : AUDIT_LOGIN_REFUSED,
		.ref = rq->ref,
		.details = audit_details(rq->a, "method", "home", "upstream", t->from->id, "level",
					 level_word((enum level)level, LEVEL_VOCAB_SHORT), "why",
					 why, NULL),
	};

	return db_flow_answered(&c, t->row->id, &answer, &audit, rq->now, stored, err);
}

/* Each refusal leaves a row, for a flow that waits only: a stranger could write the trail full. */
bool
home_refuse(struct request *rq, const struct home_arrival *t, const struct err *why,
	    struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct db_audit audit = {
		.event = AUDIT_LOGIN_REFUSED,
		.ref = rq->ref,
		.details = audit_details(rq->a, "method", "home", "upstream", t->away.upstream,
					 "why", "the answer does not count", NULL),
	};

	if (!home_is_refused(why) && why->kind != ERR_INPUT)
		return FAIL(err, why->kind, why->proto, "%s", why->text);
	return db_audit_add(&c, &audit, rq->now, err) &&
	       FAIL(err, ERR_DENIED, HOME_PROBLEM, "%s: %s", t->away.upstream, why->text);
}

bool
home_arrive(struct request *rq, const struct home_arrival *t, json_t *home,
	    const struct db_mark *mark, struct response *rs, struct err *err)
{
	struct err why = {0};
	bool stored;

	if (!store(rq, t, home, mark, rs, &stored, &why))
		return home_refuse(rq, t, &why, err);
	if (!stored) {
		(void)!FAIL(&why, ERR_DENIED, NULL, "it came before, or is not waited for");
		*rs = (struct response){0};
		return home_refuse(rq, t, &why, err);
	}
	response_redirect(rs, arena_printf(rq->a, "/flow/%s", t->row->id));
	return true;
}
