/*
 * From the wire to a verified message of a registered party.  Until the party
 * and its AssertionConsumerService are proven, failures end on a page of ours;
 * from then on the party gets an orderly Response.
 */
#include "idp/ep_saml.h"

#include "idp/flow.h"
#include "idp/front_saml.h"
#include "idp/refusal.h"
#include "idp/saml_peer.h"

static bool
admit_request(struct request *rq, const struct saml_message *m, const struct party *p,
	      const struct saml_authn_request **out, struct err *err)
{
	struct saml_policy policy = {.accept_unsigned = p->policy.accept_unsigned};
	const struct saml_verified *v;

	if (!saml_message_admit(rq->a, m, p->saml, &policy, &v, err) ||
	    !saml_authn_request_parse(rq->a, v, out, err))
		return false;
	refusal_of(rq, p, (*out)->header.is_signed);
	return true;
}

bool
ep_saml_sso(struct request *rq, struct response *rs, struct err *err)
{
	const struct saml_message *m;
	const struct saml_authn_request *r;
	const struct saml_endpoint *acs;
	const struct party *p;
	const char *about;
	struct err why = {0};
	struct ask ask;

	if (!saml_receive(rq, saml_binding_of(rq), &m, &p, err) ||
	    !saml_expect(m, SAML_AUTHN_REQUEST, err) || !admit_request(rq, m, p, &r, err))
		return false;
	const char *relay = saml_message_relay_state(m);

	if (!saml_authn_request_check(r, saml_our_url(rq, SAML_SSO_PATH), &saml_window_default,
				      rq->now, &acs, &why))
		return front_saml_turn_away(rq, p, r, acs, relay, &why, rs, err);
	if (!front_saml_ask(rq, p, r, acs, relay, &ask, &about, &why))
		return front_saml_refuse(rq, p, r, acs, relay, &why, about, rs, err);
	/* A cross-site POST brings no Lax cookie: the session is read on the flow's own page. */
	return flow_start(rq, &ask, rq->method == HTTP_GET, rs, err);
}
