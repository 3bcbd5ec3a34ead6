/*
 * From the wire to a verified message of a registered party.  Until the party
 * and its AssertionConsumerService are proven, failures end on a page of ours;
 * from then on the party gets an orderly Response.
 */
#include "idp/ep_saml.h"

#include "base/rand.h"
#include "base/text.h"
#include "db/seen.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/flow.h"
#include "idp/front_saml.h"
#include "idp/saml_peer.h"
#include "saml/logout.h"

/* A message of this kind, with the registered party it claims to be from; nothing is verified yet.
 */
static bool
receive(struct request *rq, enum saml_binding binding, enum saml_kind kind,
	const struct saml_message **m, const struct party **p, struct err *err)
{
	struct bytes raw = binding == SAML_BINDING_REDIRECT ? bytes_of(rq->query_raw) : rq->body;

	if (!saml_message_decode(rq->a, binding, raw, m, err))
		return false;
	if (saml_message_kind(*m) != kind)
		return FAIL(err, ERR_INPUT, "portal_request", "another kind of message");
	*p = party_find(&rq->snap->parties, saml_message_issuer(*m));
	if (*p == NULL || (*p)->saml == NULL)
		return FAIL(err, ERR_NOT_FOUND, "portal_unknown",
			    "the sender is not a registered party");
	return true;
}

/* By which binding a browser brought it. */
static enum saml_binding
binding_of(const struct request *rq)
{
	return rq->method == HTTP_GET ? SAML_BINDING_REDIRECT : SAML_BINDING_POST;
}

static bool
admit_request(struct request *rq, const struct saml_message *m, const struct party *p,
	      const struct saml_authn_request **out, const struct saml_endpoint **acs,
	      struct err *err)
{
	struct saml_policy policy = {.accept_unsigned = p->policy.accept_unsigned};
	const struct saml_verified *v;

	return saml_message_admit(rq->a, m, p->saml, &policy, &v, err) &&
	       saml_authn_request_parse(rq->a, v, out, err) &&
	       saml_authn_request_check(*out, saml_our_url(rq, SAML_SSO_PATH), &saml_window_default,
					rq->now, acs, err);
}

bool
ep_saml_sso(struct request *rq, struct response *rs, struct err *err)
{
	const struct saml_message *m;
	const struct saml_authn_request *r;
	const struct saml_endpoint *acs;
	const struct party *p;
	struct err why = {0};
	struct ask ask;

	if (!receive(rq, binding_of(rq), SAML_AUTHN_REQUEST, &m, &p, err) ||
	    !admit_request(rq, m, p, &r, &acs, err))
		return false;
	const char *relay = saml_message_relay_state(m);

	if (!front_saml_ask(rq, p, r, acs, relay, &ask, &why))
		return front_saml_refuse(rq, p, r, acs, relay, &why, rs, err);
	/* A cross-site POST brings no Lax cookie: the session is read on the flow's own page. */
	return flow_start(rq, &ask, rq->method == HTTP_GET, rs, err);
}

/* ---- logout ---- */

#define SESSIONS_MOST 64 /* of one person with one party */

struct ended {
	const char *own; /* sid of the session in this browser; NULL: none */
	bool own_ended;
	size_t n_others; /* parties that were told of it at login and are not told of its end */
};

static bool
end_one(struct request *rq, const struct saml_logout_request *r, const struct party *p,
	const char *session_index, bool *found, struct ended *out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_audit audit = {
		.event = AUDIT_LOGOUT,
		.ref = rq->ref,
		.party = p->id,
		.details = audit_details(rq->a, "dialect", "saml", NULL),
	};
	const struct db_participant *list;
	const char *sid;
	bool ended;
	size_t n;

	*found = false;
	if (!db_session_of_participant(&c, p->id, r->nameid.value, session_index, rq->now, &sid,
				       err))
		return false;
	if (sid == NULL)
		return true;
	if (!db_session_end(&c, sid, &audit, NULL, rq->now, &ended, &list, &n, err))
		return false;
	*found = true;
	out->own_ended = out->own_ended || text_eq(sid, out->own);
	for (size_t i = 0; i < n; i++)
		out->n_others += !text_eq(list[i].party, p->id);
	return true;
}

static bool
end_named(struct request *rq, const struct saml_logout_request *r, const struct party *p,
	  struct ended *out, struct err *err)
{
	bool found = true;

	/* SAML2Core 3.7.3.1: without an index, every session of that person with this party. */
	if (r->n_session_indexes == 0) {
		for (size_t i = 0; found && i < SESSIONS_MOST; i++)
			if (!end_one(rq, r, p, "", &found, out, err))
				return false;
		return true;
	}
	for (size_t i = 0; i < r->n_session_indexes; i++)
		if (!end_one(rq, r, p, r->session_index[i], &found, out, err))
			return false;
	return true;
}

static bool
answer_logout(struct request *rq, const struct saml_message *m, const struct party *p,
	      const char *request_id, const struct saml_status *status, struct response *rs,
	      struct err *err)
{
	const struct saml_endpoint *to = saml_party_slo(p->saml, saml_message_binding(m));
	struct saml_carrier carrier;
	struct saml_peer peer;

	to = to == NULL ? saml_party_slo(p->saml, SAML_BINDING_NONE) : to;
	if (to == NULL)
		return FAIL(err, ERR_INPUT, NULL, "the party has no SingleLogoutService");
	if (!saml_peer_of(rq, p, &peer, err))
		return false;
	struct saml_logout_send how = {
		.binding = to->binding,
		.url = to->response_url,
		.relay_state = saml_message_relay_state(m),
		.id = rand_xml_id(rq->a),
		.issuer = rq->app->config->entity_id,
		.issued_at = rq->now,
		.signer = peer.signer,
	};

	return saml_logout_response_build(rq->a, &how, request_id, status, &carrier, err) &&
	       saml_send(rq, &carrier, p, rs, err);
}

/*
 * A request that comes again ends nothing further: who logged in since is not meant.  It counts
 * as having come when all is ended, not before: what failed half way is ended by the next one.
 */
static bool
end_once(struct request *rq, const struct saml_logout_request *r, const struct party *p,
	 struct ended *out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const char *value = arena_printf(rq->a, "%s %s", p->id, r->header.id);
	struct db_mark mark = {"logout", bytes_of(value),
			       r->header.issued_at + saml_window_default.max_age_s +
				       2 * saml_window_default.skew_s};
	bool seen, first;

	return db_seen_look(&c, &mark, rq->now, &seen, err) &&
	       (seen ||
		(end_named(rq, r, p, out, err) && db_seen_once(&c, &mark, rq->now, &first, err)));
}

/* A signed request of a registered party, for this endpoint and now. */
static bool
admit_logout(struct request *rq, const struct saml_message *m, const struct party *p,
	     const char *path, const struct saml_logout_request **r, struct err *err)
{
	const struct saml_verified *v;
	struct xmlenc_keys keys;

	saml_decryption_keys(rq, &keys);
	return saml_message_verify(rq->a, m, p->saml, &v, err) &&
	       saml_logout_request_parse(rq->a, v, &keys, r, err) &&
	       saml_logout_request_check(*r, saml_our_url(rq, path), &saml_window_default, rq->now,
					 err);
}

/* Told truthfully: others hold sessions of their own and were not reached (SAML2Core 3.7.3.2). */
static struct saml_status
status_of(const struct ended *ended)
{
	return saml_status_of(ended->n_others > 0 ? SAML_PARTIAL_LOGOUT : SAML_SUCCESS);
}

bool
ep_saml_slo(struct request *rq, struct response *rs, struct err *err)
{
	const struct saml_logout_request *r;
	const struct saml_message *m;
	const struct party *p;
	const struct db_session *own;
	struct ended ended = {0};

	if (!receive(rq, binding_of(rq), SAML_LOGOUT_REQUEST, &m, &p, err) ||
	    !admit_logout(rq, m, p, SAML_SLO_PATH, &r, err) || !session_find(rq, &own, err))
		return false;
	ended.own = own == NULL ? NULL : own->sid;
	if (!end_once(rq, r, p, &ended, err))
		return false;
	struct saml_status status = status_of(&ended);

	/* The person may be sitting at another browser than this one. */
	if (ended.own_ended)
		response_cookie(rq, rs, SESSION_COOKIE, "", 0);
	return answer_logout(rq, m, p, r->header.id, &status, rs, err);
}

static bool
answer_soap(struct request *rq, const struct party *p, const char *request_id,
	    const struct saml_status *status, struct response *rs, struct err *err)
{
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

	if (!saml_logout_response_build(rq->a, &how, request_id, status, &carrier, err))
		return false;
	response_soap(rs, 200, carrier.envelope);
	return true;
}

bool
ep_saml_slo_soap(struct request *rq, struct response *rs, struct err *err)
{
	const struct saml_logout_request *r;
	const struct saml_message *m;
	const struct party *p;
	struct ended ended = {0};

	if (!receive(rq, SAML_BINDING_SOAP, SAML_LOGOUT_REQUEST, &m, &p, err) ||
	    !admit_logout(rq, m, p, SAML_SLO_SOAP_PATH, &r, err) ||
	    !end_once(rq, r, p, &ended, err))
		return false;
	struct saml_status status = status_of(&ended);

	return answer_soap(rq, p, r->header.id, &status, rs, err);
}
