/*
 * Clients without a browser (SAML2Profiles 4.2, ECP): the client brings the service provider's
 * AuthnRequest by SOAP, with its user's name and password by HTTP Basic, and takes the Response
 * back.  Until the party and its AssertionConsumerService are proven, failures are SOAP faults;
 * from then on orderly Responses.  Who has not said who it is gets HTTP's own answer, so that the
 * client can come again with the same request.
 */
#include "idp/ep_ecp.h"

#include "base/enc.h"
#include "base/text.h"
#include "idp/config.h"
#include "idp/front_saml.h"
#include "idp/login.h"
#include "idp/refusal.h"
#include "idp/saml_peer.h"
#include "saml/soap.h"

static bool
admit_request(struct request *rq, const struct saml_message *m, const struct party *p,
	      const struct saml_authn_request **out, struct err *err)
{
	struct saml_policy policy = {.accept_unsigned = p->policy.accept_unsigned};
	const struct saml_verified *v;

	if (!saml_expect(m, SAML_AUTHN_REQUEST, err) ||
	    !saml_message_admit(rq->a, m, p->saml, &policy, &v, err) ||
	    !saml_authn_request_parse(rq->a, v, out, err))
		return false;
	refusal_of(rq, p, (*out)->header.is_signed);
	return true;
}

/* False: there are none, or none that anybody could have (and then nothing was tried). */
static bool
read_credentials(struct request *rq, const char **name, const char **password)
{
	const char *authorization = request_header(rq, "authorization");
	struct bytes user, secret;

	return authorization != NULL && dec_basic(rq->a, authorization, &user, &secret, NULL) &&
	       text_from_bytes(rq->a, user, LOGIN_NAME_MAX_BYTES, "name", name, NULL) &&
	       text_from_bytes(rq->a, secret, KDF_PASSWORD_MAX, "password", password, NULL) &&
	       (*name)[0] != '\0' && (*password)[0] != '\0';
}

/* By a status of HTTP, with a fault for who reads no further. */
static bool
turn_away(struct request *rq, int status, const char *text, struct response *rs, struct err *err)
{
	struct bytes fault;

	if (!soap_write_fault(rq->a, SOAP_CLIENT,
			      arena_printf(rq->a, "%s Reference: %s", text, rq->ref), &fault, err))
		return false;
	response_soap(rs, status, fault);
	return true;
}

/* RFC 7617 2.1; the same for a wrong password as for none. */
static bool
challenge(struct request *rq, struct response *rs, struct err *err)
{
	response_header(rs, "WWW-Authenticate",
			arena_printf(rq->a, "Basic realm=\"%s\", charset=\"UTF-8\"",
				     rq->app->config->host));
	return turn_away(rq, 401, "Name and password are needed.", rs, err);
}

static bool
sign_on(struct request *rq, const struct ask *ask, struct response *rs, struct err *err)
{
	const char *name, *password;
	bool given = read_credentials(rq, &name, &password);
	struct login_checked done;
	struct flow *f;

	if (!flow_of_client(rq, ask, login_method_find("password"), &f, err))
		return false;
	/* What no password can reach is said before one is asked for.  One that came along is
	 * nothing to see (SAML2Core 3.4.1 IsPassive). */
	if (f->state != FLOW_LOGIN && !(f->state == FLOW_PASSIVE_LOGIN && given))
		return flow_client_answer(f, rs, err);
	if (!given)
		return challenge(rq, rs, err);
	if (!login_password_check(rq, name, password, &done, err))
		return false;
	if (done.slow)
		return turn_away(rq, 429, "Too many attempts.", rs, err);
	return done.right ? flow_client_proved(f, done.subject, done.level, rs, err)
			  : challenge(rq, rs, err);
}

bool
ep_saml_ecp(struct request *rq, struct response *rs, struct err *err)
{
	const struct saml_message *m;
	const struct saml_authn_request *r;
	const struct saml_endpoint *acs;
	const struct party *p;
	const char *about = NULL;
	struct err why = {0};
	struct ask ask;

	if (!saml_receive(rq, SAML_BINDING_SOAP, &m, &p, err) || !admit_request(rq, m, p, &r, err))
		return false;
	if (!saml_authn_request_check_client(r, saml_our_url(rq, SAML_SSO_SOAP_PATH),
					     &saml_window_default, rq->now, &acs, &why))
		return front_saml_turn_away(rq, p, r, acs, NULL, &why, rs, err);
	if (!p->policy.ecp)
		(void)!FAIL(&why, ERR_DENIED, SAML_REQUEST_DENIED,
			    "its record permits no clients without a browser");
	else if (front_saml_ask(rq, p, r, acs, NULL, &ask, &about, &why))
		return sign_on(rq, &ask, rs, err);
	return front_saml_refuse(rq, p, r, acs, NULL, &why, about, rs, err);
}
