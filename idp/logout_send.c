/* Telling parties that a session is over; see logout_send.h. */
#include "idp/logout_send.h"

#include <string.h>

#include "base/json.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/config.h"
#include "idp/fetch.h"
#include "idp/party_metadata.h"
#include "idp/party_suite.h"
#include "idp/saml_peer.h"
#include "saml/names.h"
#include "saml/soap.h"

#define REASON_USER   "urn:oasis:names:tc:SAML:2.0:logout:user"
#define REQUEST_S     300 /* a request is worth something so long */
#define ANSWER_MAX    ((size_t)128 * 1024)
#define SEND_LIMIT_MS 8000

/* ---- whom ---- */

static json_t *
content_of(struct arena *a, const struct db_participant *list, size_t n, size_t first)
{
	json_t *o = json_new_object(a), *sessions = json_new_array(a);

	json_put_str(a, o, "name_id", list[first].name_id);
	json_put_str(a, o, "format", list[first].name_format);
	for (size_t i = first; i < n; i++)
		if (text_eq(list[i].party, list[first].party) &&
		    text_eq(list[i].name_id, list[first].name_id) &&
		    list[i].session_index[0] != '\0' &&
		    json_array_size(sessions) < SAML_SESSION_INDEXES_MAX)
			json_push_str(a, sessions, list[i].session_index);
	json_put(a, o, "sessions", sessions);
	return o;
}

/* An earlier row is of the same party and name. */
static bool
is_repeated(const struct db_participant *list, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (text_eq(list[j].party, list[i].party) &&
		    text_eq(list[j].name_id, list[i].name_id))
			return true;
	return false;
}

/* The back channel first; the browser only for those without (SAML2Profiles 4.4.3.3). */
static enum db_channel
channel_to(const struct logout_plan *plan, const struct party *p)
{
	if (p == NULL || p->saml == NULL)
		return DB_CHANNEL_NONE;
	if (saml_party_slo(p->saml, SAML_BINDING_SOAP) != NULL)
		return DB_CHANNEL_OUTBOX;
	if (plan->by_browser && saml_party_slo(p->saml, SAML_BINDING_NONE) != NULL)
		return DB_CHANNEL_FRONT;
	return DB_CHANNEL_NONE;
}

void
logout_plan(void *ctx, struct arena *a, const struct db_participant *list, size_t n,
	    const struct db_told **out, size_t *n_out)
{
	struct logout_plan *plan = ctx;
	struct db_told *told = ARENA_ARRAY(a, struct db_told, n + 1);
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (text_eq(list[i].party, plan->asker) || is_repeated(list, i))
			continue;
		told[used++] = (struct db_told){
			.party = list[i].party,
			.channel = channel_to(plan, party_find(plan->parties, list[i].party)),
			.kind = LOGOUT_SAML_KIND,
			.content = json_text(a, content_of(a, list, n, i), false),
		};
	}
	plan->n += used;
	*out = told;
	*n_out = used;
}

/* ---- with what ---- */

bool
logout_ask_read(struct arena *a, const char *content, const char *entity_id, const char *party,
		time_t now, struct saml_logout_ask *out, struct err *err)
{
	struct saml_logout_ask ask = {.not_on_or_after = now + REQUEST_S, .reason = REASON_USER};
	const char *format = NULL;
	json_t *o;

	if (!json_parse_object(a, bytes_of(content), strlen(content), &o, err) ||
	    !json_get_str(o, "name_id", &ask.nameid.value, err) ||
	    !json_get_str(o, "format", &format, err) ||
	    !json_get_strs(a, o, "sessions", SAML_SESSION_INDEXES_MAX,
			   (const char ***)&ask.session_index, &ask.n_session_indexes, err))
		return false;
	if (ask.nameid.value == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "a stored logout without a name");
	if (format != NULL && format[0] != '\0')
		ask.nameid.format = format;
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
	    !saml_signer_of(t->a, t->snap->keyring, t->app->signer, suite->make, &signer, err))
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
		.timeout_ms = SEND_LIMIT_MS,
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
