/*
 * Where other providers answer (SAML2Profiles 4.1.4).  The browser comes from another site and
 * brings no cookie of ours: what it brings is verified for what it says, stored with the flow that
 * waits for it, and counts from the flow's own page on, in the browser that gets the cookie now.
 */
#include "idp/home_part.h"

#include "base/log.h"
#include "base/text.h"
#include "idp/ask.h"
#include "idp/config.h"
#include "idp/saml_peer.h"

/* The flow that waits for it, and whom it asked: the answer's own word counts for neither. */
static bool
find_flow(struct request *rq, const struct saml_answer *m, struct home_arrival *out,
	  struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const char *relay = saml_answer_relay_state(m);

	if (relay == NULL)
		return FAIL(err, ERR_DENIED, HOME_PROBLEM, "an answer that nobody asked for");
	if (!db_flow_waiting(&c, relay, rq->now, &out->row, err))
		return false;
	if (out->row == NULL || rq->now - out->row->created > FLOW_GOES_ON_S)
		return FAIL(err, ERR_NOT_FOUND, HOME_PROBLEM, "no login waits for this answer");
	if (!home_away_read(rq->a, out->row->away, &out->away, err) ||
	    !ask_read(rq->a, out->row->ask, &rq->snap->parties, &out->ask, err))
		return false;
	return true;
}

static bool
verify(struct request *rq, const struct saml_answer *m, const struct home_arrival *t,
       const struct saml_answered **answered, struct err *err)
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
	return saml_answer_verify(rq->a, m, &asked, &keys, rq->now, answered, err);
}

/* An assertion counts once, whatever flow it is brought to; a failure has none. */
static struct db_mark
mark_of(struct request *rq, const struct home_arrival *t, const struct saml_answered *s)
{
	if (s->outcome != SAML_OUTCOME_LOGIN)
		return (struct db_mark){"upstream-failure", bytes_of(t->away.request_id),
					rq->now + FLOW_GOES_ON_S};
	return (struct db_mark){
		"upstream-assertion",
		bytes_of(arena_printf(rq->a, "%s %s", t->from->entity_id, s->assertion_id)),
		s->expires + 2 * saml_answer_window.skew_s};
}

bool
ep_saml_acs(struct request *rq, struct response *rs, struct err *err)
{
	const struct saml_answered *answered = NULL;
	const struct saml_answer *m;
	struct home_arrival t = {0};
	struct err why = {0};
	json_t *home;

	if (!saml_answer_decode(rq->a, rq->body, &m, err) || !find_flow(rq, m, &t, err))
		return false;
	/* As it counts now, whatever it was when it was asked. */
	if (!home_upstream_find(rq, t.away.upstream, &t.from, &why) ||
	    !verify(rq, m, &t, &answered, &why) ||
	    !home_read(rq, t.from, flow_wanted_level(&t.ask), answered, &home, &why))
		return home_refuse(rq, &t, &why, err);
	if (answered->status != NULL && answered->outcome != SAML_OUTCOME_LOGIN)
		log_event(LOG_LVL_INFO, "home_failed", "ref", rq->ref, "upstream", t.from->id,
			  "status", answered->status, "substatus", answered->substatus, NULL);
	const struct db_mark mark = mark_of(rq, &t, answered);

	return home_arrive(rq, &t, home, &mark, rs, err);
}
