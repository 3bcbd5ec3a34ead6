/*
 * Single logout by SAML parties (SAML2Profiles 4.4).  A request ends what its signed issuer
 * was told of, and nothing else.  An answer belongs to a request that we sent: whose
 * it is says its signature; without one that verifies, it is a claim and shown as such.
 */
#include "idp/ep_slo.h"

#include "base/rand.h"
#include "base/text.h"
#include "db/logout.h"
#include "db/seen.h"
#include "idp/config.h"
#include "idp/logout.h"
#include "idp/logout_send.h"
#include "idp/refusal.h"
#include "idp/saml_peer.h"
#include "idp/session.h"

#define SESSIONS_MOST 64 /* of one person with one party that one request ends */

/* A LogoutRequest on its way through us. */
struct slo {
	struct logout l;
	const struct saml_logout_request *r;
	const char *own; /* sid of the session in this browser; NULL: none */
	bool own_ended;
};

/* ---- requests ---- */

static bool
end_one(struct slo *s, const char *sid, struct err *err)
{
	struct request *rq = s->l.rq;
	struct db_audit audit = {
		.event = AUDIT_LOGOUT,
		.ref = rq->ref,
		.party = s->l.asker.party->id,
		.details = audit_details(rq->a, "dialect", "saml", NULL),
	};
	bool ended;

	if (!logout_end(&s->l, sid, &audit, &ended, err))
		return false;
	s->own_ended = s->own_ended || text_eq(sid, s->own);
	return true;
}

/* All of that index ("": of any).  What is left then is known before the first one ends. */
static bool
end_of_index(struct slo *s, const char *session_index, struct err *err)
{
	struct request *rq = s->l.rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const char *const *sids;
	size_t n;

	if (!db_session_all_of_participant(&c, s->l.asker.party->id, s->r->nameid.value,
					   session_index, SESSIONS_MOST + 1, rq->now, &sids, &n,
					   err))
		return false;
	if (n > SESSIONS_MOST)
		s->l.asker.left = true;
	for (size_t i = 0; i < n && i < SESSIONS_MOST; i++)
		if (!end_one(s, sids[i], err))
			return false;
	return true;
}

static bool
end_named(struct slo *s, struct err *err)
{
	/* SAML2Core 3.7.3.1: without an index, every session of that person with this party. */
	if (s->r->n_session_indexes == 0)
		return end_of_index(s, "", err);
	for (size_t i = 0; i < s->r->n_session_indexes; i++)
		if (!end_of_index(s, s->r->session_index[i], err))
			return false;
	return true;
}

/*
 * A request that comes again ends nothing further: who logged in since is not meant.  It counts
 * as having come when all is ended, not before: what failed half way, or was too much for one,
 * is ended by the next one.  Its answer claims no more than is known: nobody keeps what became of
 * the first.
 */
static bool
end_once(struct slo *s, struct err *err)
{
	struct request *rq = s->l.rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const char *value = arena_printf(rq->a, "%s %s", s->l.asker.party->id, s->r->header.id);
	struct db_mark mark = {"logout", bytes_of(value),
			       s->r->header.issued_at + saml_window_default.max_age_s +
				       2 * saml_window_default.skew_s};
	bool first;

	return db_seen_look(&c, &mark, rq->now, &s->l.again, err) &&
	       (s->l.again || (end_named(s, err) &&
			       (s->l.asker.left || db_seen_once(&c, &mark, rq->now, &first, err))));
}

/* A request that was proven, for this endpoint.  *why: it does not count; its sender may hear that.
 */
static bool
admit(struct request *rq, const struct saml_verified *v, const char *path,
      const struct saml_logout_request **r, struct err *why, struct err *err)
{
	struct xmlenc_keys keys;

	saml_decryption_keys(rq, &keys);
	if (!saml_logout_request_parse(rq->a, v, &keys, r, err) ||
	    !saml_header_check_place(&(*r)->header, saml_our_url(rq, path), err))
		return false;
	if (!saml_logout_request_check(*r, &saml_window_default, rq->now, why))
		refusal_note(rq, why);
	return true;
}

static bool
take_request(struct request *rq, const struct saml_message *m, const struct party *p,
	     struct response *rs, struct err *err)
{
	struct slo s = {0};
	const struct saml_verified *v;
	const struct db_session *own;
	struct err why = {0};

	if (!saml_prove(rq, m, p, SAML_LOGOUT_REQUEST, &v, err) ||
	    !admit(rq, v, SAML_SLO_PATH, &s.r, &why, err))
		return false;
	struct logout_asker asker = {
		.party = p,
		.request = s.r->header.id,
		.named = s.r,
		.binding = saml_message_binding(m),
		.relay_state = saml_message_relay_state(m),
	};

	if (why.kind != ERR_NONE)
		return logout_refuse(rq, &asker, saml_status_reason(&why), rs, err);
	if (!session_find(rq, &own, err))
		return false;
	logout_init(&s.l, rq, &asker);
	s.own = own == NULL ? NULL : own->sid;
	if (!end_once(&s, err))
		return false;
	/* The person may be sitting at another browser than this one. */
	if (s.own_ended)
		response_cookie(rq, rs, SESSION_COOKIE, "", 0);
	return logout_go_on(&s.l, rs, err);
}

/* ---- answers ---- */

/* What a message that its signature does not prove is worth: a claim at most. */
static bool
read_claim(const struct saml_message *m, const char **request, enum db_told_state *state,
	   struct err *err)
{
	*request = saml_message_in_response_to(m);
	*state = saml_message_claims_success(m) ? DB_TOLD_CLAIMED : DB_TOLD_FAILED;
	return *request != NULL || FAIL(err, ERR_INPUT, NULL, "an answer to nothing");
}

static bool
read_answer(struct request *rq, const struct saml_message *m, const struct party *p,
	    const char **request, enum db_told_state *state, struct err *err)
{
	const struct saml_logout_response *r;
	const struct saml_verified *v;
	struct err why = {0};

	if (!saml_message_verify(rq->a, m, p->saml, &v, &why) ||
	    !saml_logout_response_parse(rq->a, v, &r, &why) ||
	    !saml_header_check(&r->header, saml_our_url(rq, SAML_SLO_PATH), &saml_window_default,
			       rq->now, &why))
		return read_claim(m, request, state, err);
	*request = r->header.in_response_to;
	*state = logout_state_of(r);
	return true;
}

/* The browser goes on whatever the answer was: one broken party stops none of the others. */
static bool
take_answer(struct request *rq, const struct saml_message *m, const struct party *p,
	    struct response *rs, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	enum db_told_state state;
	const char *request;
	bool taken;

	if (!read_answer(rq, m, p, &request, &state, err) ||
	    !db_logout_answer(&c, p->id, request, state, &taken, err))
		return false;
	response_redirect(rs, LOGOUT_NEXT);
	return true;
}

bool
ep_saml_slo(struct request *rq, struct response *rs, struct err *err)
{
	const struct saml_message *m;
	const struct party *p;

	if (!saml_receive(rq, saml_binding_of(rq), &m, &p, err))
		return false;
	return saml_message_kind(m) == SAML_LOGOUT_RESPONSE ? take_answer(rq, m, p, rs, err)
							    : take_request(rq, m, p, rs, err);
}

/* ---- by SOAP ---- */

static bool
answer_soap(struct request *rq, const struct party *p, const char *request_id,
	    const char *status_name, struct response *rs, struct err *err)
{
	struct saml_status status = saml_status_of(status_name);
	struct saml_carrier carrier;
	struct saml_peer peer;

	if (!saml_peer_of(rq, p, &peer, err))
		return false;
	struct saml_logout_send how = {
		.binding = SAML_BINDING_SOAP,
		.id = rand_xml_id(rq->a),
		.issuer = rq->app->config->entity_id,
		.issued_at = rq->now,
		.signer = peer.signer,
	};

	if (!saml_logout_response_build(rq->a, &how, request_id, &status, &carrier, err))
		return false;
	response_soap(rs, 200, carrier.envelope);
	return true;
}

bool
ep_saml_slo_soap(struct request *rq, struct response *rs, struct err *err)
{
	struct logout_asker asker = {.binding = SAML_BINDING_SOAP};
	const struct saml_verified *v;
	struct slo s = {0};
	struct err why = {0};
	bool all;

	if (!saml_receive_soap(rq, SAML_LOGOUT_REQUEST, &asker.party, &v, err) ||
	    !admit(rq, v, SAML_SLO_SOAP_PATH, &s.r, &why, err))
		return false;
	/* SAML2Bindings 3.2.3.3: a fault is for what could not be taken for a request at all. */
	if (why.kind != ERR_NONE)
		return answer_soap(rq, asker.party, s.r->header.id, saml_status_reason(&why), rs,
				   err);
	asker.named = s.r;
	logout_init(&s.l, rq, &asker);
	if (!end_once(&s, err) || !logout_wait(&s.l, &all, err))
		return false;
	return answer_soap(rq, asker.party, s.r->header.id,
			   all ? SAML_SUCCESS : SAML_PARTIAL_LOGOUT, rs, err);
}
