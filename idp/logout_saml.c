/* Telling SAML parties that a session is over; see logout_send.h. */
#include "base/rand.h"
#include "base/text.h"
#include "idp/config.h"
#include "idp/fetch.h"
#include "idp/logout_send.h"
#include "idp/party_metadata.h"
#include "idp/party_suite.h"
#include "idp/saml_peer.h"
#include "saml/names.h"
#include "saml/soap.h"

#define REASON_USER "urn:oasis:names:tc:SAML:2.0:logout:user"
#define REQUEST_S   300 /* a request is worth something so long */
#define ANSWER_MAX  ((size_t)128 * 1024)

bool
logout_ask_read(struct arena *a, const char *content, const char *entity_id, const char *party,
		time_t now, struct saml_logout_ask *out, struct err *err)
{
	struct saml_logout_ask ask = {.not_on_or_after = now + REQUEST_S, .reason = REASON_USER};
	struct logout_content c;

	if (!logout_content_read(a, content, &c, err))
		return false;
	ask.nameid.value = c.name_id;
	ask.nameid.format = c.format;
	ask.session_index = c.sessions;
	ask.n_session_indexes = c.n_sessions;
	/* As the assertion had it: an address has no qualifiers (SAML2Core 8.3.2). */
	if (ask.nameid.format != NULL && !text_eq(ask.nameid.format, SAML_NAMEID_EMAIL)) {
		ask.nameid.name_qualifier = entity_id;
		ask.nameid.sp_name_qualifier = party;
	}
	*out = ask;
	return true;
}

enum db_told_state
logout_state_of(const struct saml_logout_response *r)
{
	return r->success || r->unknown ? DB_TOLD_CONFIRMED : DB_TOLD_FAILED;
}

/* ---- by SOAP ---- */

static bool
build(const struct outbox_try *t, const struct party *p, const char *url, const char *id,
      struct bytes *envelope, struct err *err)
{
	struct saml_logout_ask ask;
	struct saml_carrier carrier;
	const struct saml_suite *suite;
	struct saml_signer signer;
	const char *us = t->app->config->entity_id;

	if (!logout_ask_read(t->a, t->taken->item.content, us, p->id, t->now, &ask, err) ||
	    !party_suite(p, t->snap->keyring, t->now, &suite, err) ||
	    !saml_signer_of(t->a, t->snap->keyring, t->app->signer, KEY_SAML_SIGN, suite->make,
			    &signer, err))
		return false;
	struct saml_logout_send how = {
		.binding = SAML_BINDING_SOAP,
		.url = url,
		.id = id,
		.issuer = us,
		.issued_at = t->now,
		.signer = &signer,
	};

	if (!saml_logout_request_build(t->a, &how, &ask, &carrier, err))
		return false;
	*envelope = carrier.envelope;
	return true;
}

/*
 * The answer has no Destination to be checked against: it came over the connection that the
 * request went by (SAML2Bindings 3.2.3).  Signed, it must be ours to the letter; unsigned,
 * it is what the host at the end of a verified TLS connection claims.
 */
static struct outbox_outcome
judge(const struct outbox_try *t, const struct party *p, const char *id, struct bytes body,
      struct err *err)
{
	const struct saml_logout_response *r;
	const struct saml_verified *v;
	const struct saml_message *m;

	if (!saml_message_decode(t->a, SAML_BINDING_SOAP, body, &m, err))
		return (struct outbox_outcome){OUTBOX_AGAIN, "not_an_answer"};
	if (!saml_message_verify(t->a, m, p->saml, &v, err) ||
	    !saml_logout_response_parse(t->a, v, &r, err)) {
		bool claimed = saml_message_kind(m) == SAML_LOGOUT_RESPONSE &&
			       text_eq(saml_message_in_response_to(m), id) &&
			       saml_message_claims_success(m);

		return claimed ? (struct outbox_outcome){OUTBOX_DONE, LOGOUT_CLAIMED}
			       : (struct outbox_outcome){OUTBOX_AGAIN, "not_proven"};
	}
	if (!text_eq(r->header.in_response_to, id)) {
		(void)!FAIL(err, ERR_DENIED, NULL, "LogoutResponse answers another request");
		return (struct outbox_outcome){OUTBOX_AGAIN, "another_request"};
	}
	if (logout_state_of(r) == DB_TOLD_CONFIRMED)
		return (struct outbox_outcome){OUTBOX_DONE, LOGOUT_CONFIRMED};
	(void)!FAIL(err, ERR_DENIED, NULL, "the party has not logged out");
	return (struct outbox_outcome){r->may_come_better ? OUTBOX_AGAIN : OUTBOX_GIVE_UP,
				       "refused"};
}

struct outbox_outcome
logout_send_saml(const struct outbox_try *t, struct err *err)
{
	const struct party *p = party_find(&t->snap->parties, t->taken->item.target);
	const struct saml_endpoint *to = p == NULL || p->saml == NULL || party_is_over(p, t->now)
						 ? NULL
						 : saml_party_slo(p->saml, SAML_BINDING_SOAP);
	const char *id = rand_xml_id(t->a);
	struct fetch_answer answer;

	if (to == NULL) {
		(void)!FAIL(err, ERR_NOT_FOUND, NULL, "no such party, or none that hears SOAP now");
		return (struct outbox_outcome){OUTBOX_AGAIN, "no_endpoint"};
	}
	struct fetch_post what = {
		.url = to->url,
		.ca_file = t->app->config->outbound_ca,
		.type = SOAP_CONTENT_TYPE,
		.action = SOAP_ACTION,
		.max_bytes = ANSWER_MAX,
		.timeout_ms = LOGOUT_SEND_LIMIT_MS,
		.inside = &t->app->config->outbound_inside,
	};

	if (!build(t, p, to->url, id, &what.body, err))
		return (struct outbox_outcome){OUTBOX_AGAIN, "not_built"};
	if (!t->app->post(t->a, &what, &answer, err))
		return (struct outbox_outcome){OUTBOX_AGAIN, "not_reached"};
	if (answer.status != 200) {
		(void)!FAIL(err, ERR_UNAVAILABLE, NULL, "the party answered with status %ld",
			    answer.status);
		return (struct outbox_outcome){OUTBOX_AGAIN, "status"};
	}
	return judge(t, p, id, answer.body, err);
}
