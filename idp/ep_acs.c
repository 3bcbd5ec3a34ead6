/*
 * Where other providers answer (SAML2Profiles 4.1.4).  The browser comes from another site and
 * brings no cookie of ours: what it brings is verified for what it says, stored with the flow that
 * waits for it, and counts from the flow's own page on, in the browser that gets the cookie now.
 */
#include "idp/home_part.h"

#include "base/log.h"
#include "base/text.h"
#include "db/seen.h"
#include "idp/ask.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/saml_peer.h"

#define PROBLEM "home_answer"

struct arrival {
	const struct db_flow *row;
	struct home_away away;
	struct ask ask;
	const struct upstream *from;
	const struct saml_answered *answered;
};

/* The flow that waits for it, and whom it asked: the answer's own word counts for neither. */
static bool
find_flow(struct request *rq, const struct saml_answer *m, struct arrival *out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const char *relay = saml_answer_relay_state(m);

	if (relay == NULL)
		return FAIL(err, ERR_DENIED, PROBLEM, "an answer that nobody asked for");
	if (!db_flow_waiting(&c, relay, rq->now, &out->row, err))
		return false;
	if (out->row == NULL || rq->now - out->row->created > FLOW_GOES_ON_S)
		return FAIL(err, ERR_NOT_FOUND, PROBLEM, "no login waits for this answer");
	if (!home_away_read(rq->a, out->row->away, &out->away, err) ||
	    !ask_read(rq->a, out->row->ask, &rq->snap->parties, &out->ask, err))
		return false;
	return true;
}

static bool
verify(struct request *rq, const struct saml_answer *m, struct arrival *t, struct err *err)
{
	const struct saml_asked asked = {
		.idp = t->from->saml,
		.rule = t->from->policy.sign,
		.our_entity_id = rq->app->config->entity_id,
		.acs_url = saml_our_url(rq, SAML_ACS_PATH),
		.request_id = t->away.request_id,
		.final_party = t->ask.party == NULL ? NULL : t->ask.party->id,
		.asked_at = t->away.asked_at,
		.encrypted = t->from->policy.encrypted,
		.lifetime_s = t->from->policy.lifetime_s,
	};
	struct xmlenc_keys keys;

	saml_decryption_keys(rq, &keys);
	return saml_answer_verify(rq->a, m, &asked, &keys, rq->now, &t->answered, err);
}

/* An assertion counts once, whatever flow it is brought to; a failure has none. */
static struct db_mark
mark_of(struct request *rq, const struct arrival *t)
{
	const struct saml_answered *s = t->answered;

	if (s->outcome != SAML_OUTCOME_LOGIN)
		return (struct db_mark){"upstream-failure", bytes_of(t->away.request_id),
					rq->now + FLOW_GOES_ON_S};
	return (struct db_mark){
		"upstream-assertion",
		bytes_of(arena_printf(rq->a, "%s %s", t->from->saml->entity_id, s->assertion_id)),
		s->expires + 2 * saml_answer_window.skew_s};
}

static const char *
outcome_word(enum saml_outcome outcome)
{
	static const char *const words[] = {
		[SAML_OUTCOME_FAILED] = "failed", [SAML_OUTCOME_CANCELLED] = "cancelled",
		[SAML_OUTCOME_LEVEL] = "level",   [SAML_OUTCOME_REFUSED] = "refused",
		[SAML_OUTCOME_LOGIN] = NULL,
	};

	return words[outcome];
}

static bool
store(struct request *rq, const struct arrival *t, struct bytes sealed, enum level level,
      bool *stored, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct db_mark mark = mark_of(rq, t);
	const struct db_flow_answer answer = {
		.away = t->row->away,
		.home = sealed,
		.upstream = t->from->id,
		.source = t->from->source,
		.mark = &mark,
	};
	const char *why = outcome_word(t->answered->outcome);
	const struct db_audit audit = {
		.event = why == NULL ? AUDIT_LOGIN : AUDIT_LOGIN_REFUSED,
		.ref = rq->ref,
		.details = audit_details(rq->a, "method", "home", "upstream", t->from->id, "level",
					 level_word(level, LEVEL_VOCAB_SHORT), "why", why, NULL),
	};

	return db_flow_answered(&c, t->row->id, &answer, &audit, rq->now, stored, err);
}

/* Each refusal leaves a row, for a flow that waits only: a stranger could write the trail full. */
static bool
refuse(struct request *rq, const struct arrival *t, const struct err *why, struct err *err)
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
	       FAIL(err, ERR_DENIED, PROBLEM, "%s: %s", t->away.upstream, why->text);
}

bool
ep_saml_acs(struct request *rq, struct response *rs, struct err *err)
{
	const struct saml_answer *m;
	struct arrival t = {0};
	struct err why = {0};
	struct bytes sealed;
	int64_t level = LEVEL_NONE;
	json_t *home;
	bool stored;

	if (!saml_answer_decode(rq->a, rq->body, &m, err) || !find_flow(rq, m, &t, err))
		return false;
	/* As it counts now, whatever it was when it was asked. */
	if (!home_upstream_find(rq, t.away.upstream, &t.from, &why) || !verify(rq, m, &t, &why) ||
	    !home_read(rq, t.from, flow_wanted_level(&t.ask), t.answered, &home, &why))
		return refuse(rq, &t, &why, err);
	if (t.answered->status != NULL && t.answered->outcome != SAML_OUTCOME_LOGIN)
		log_event(LOG_LVL_INFO, "home_failed", "ref", rq->ref, "upstream", t.from->id,
			  "status", t.answered->status, "substatus", t.answered->substatus, NULL);
	if (!json_get_i64(home, "level", &level, err) ||
	    !home_seal(rq, t.row->id, home, rs, &sealed, err) ||
	    !store(rq, &t, sealed, (enum level)level, &stored, &why))
		return why.kind == ERR_NONE ? false : refuse(rq, &t, &why, err);
	if (!stored) {
		(void)!FAIL(&why, ERR_DENIED, NULL, "it came before, or is not waited for");
		*rs = (struct response){0};
		return refuse(rq, &t, &why, err);
	}
	response_redirect(rs, arena_printf(rq->a, "/flow/%s", t.row->id));
	return true;
}
