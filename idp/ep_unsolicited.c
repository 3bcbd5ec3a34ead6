/*
 * Sign-on that no request of the portal asks for (SAML2Profiles 4.1.5): a link,
 * say of an intranet or a catalogue, names portal and page, with the parameters
 * Shibboleth uses.  Anybody can make such a link, so a party's record has to
 * permit it; the answer goes to a registered endpoint all the same.
 */
#include <string.h>

#include "idp/ep_saml.h"
#include "idp/flow.h"
#include "idp/front_saml.h"
#include "idp/party_metadata.h"
#include "idp/refusal.h"

bool
ep_saml_unsolicited(struct request *rq, struct response *rs, struct err *err)
{
	const char *id = request_query(rq, "providerId"), *acs_url = request_query(rq, "shire"),
		   *target = request_query(rq, "target");
	const struct party *p = id == NULL ? NULL : party_find(&rq->snap->parties, id);
	const struct saml_authn_request *r;
	const struct saml_endpoint *acs;
	const char *about;
	struct err why = {0};
	struct ask ask;

	if (p == NULL || p->saml == NULL)
		return FAIL(err, ERR_NOT_FOUND, "portal_unknown", "providerId is no SAML party");
	refusal_of(rq, p, false);
	if (!party_check_time(p, rq->now, err))
		return false;
	if (!p->policy.unsolicited)
		return FAIL(err, ERR_DENIED, "portal_request",
			    "the party takes answers to its own requests only");
	if (target != NULL && strlen(target) > SAML_RELAY_STATE_MAX)
		return FAIL(err, ERR_INPUT, "portal_request", "target is too long");
	if (!saml_authn_request_unsolicited(rq->a, p->saml, acs_url, &r, &acs, err))
		return false;
	if (!front_saml_ask(rq, p, r, acs, target, &ask, &about, &why))
		return front_saml_refuse(rq, p, r, acs, target, &why, about, rs, err);
	return flow_start(rq, &ask, true, rs, err);
}
