/*
 * Attribute queries (SAML2Profiles 6): a party asks, signed and by SOAP, about a person it was told
 * of, without a login.  It is told what that person agreed to before and nothing has changed of;
 * about everybody else all parties hear the same, whether there is no such person, none of
 * this party's, or one who has agreed to nothing or not any more.
 */
#include "idp/ep_query.h"

#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/holding.h"
#include "db/pseudonym.h"
#include "db/seen.h"
#include "idp/account.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/refusal.h"
#include "idp/party_suite.h"
#include "idp/saml_attributes.h"
#include "idp/saml_peer.h"
#include "idp/session.h"
#include "saml/attribute_query.h"
#include "saml/names.h"

#define ASSERTION_LIVES_S   300
#define ASSERTION_SKEW_S    60
#define CONSENTED_NAMES_MAX 256

#define NO_CONSENT          "no consent stands"

/* A query on its way. */
struct query {
	struct request *rq;
	const struct party *p;
	struct saml_peer peer; /* the same, for the answer */
	const struct saml_attribute_query *q;
	struct db_call c;
	const struct subject_id *id; /* whom it is about; NULL: nobody */
	enum level level;            /* of a login that lasts and counts here; else the lowest */
	const char *sid;             /* the session that name or level rest on; NULL: none */
	struct db_holding holding;
	struct held_list held;
	const char *why; /* nothing is told: for the audit log alone; static */
};

/* ---- whom it is about ---- */

static bool
is_ours(const char *qualifier, const char *name)
{
	return qualifier == NULL || strcmp(qualifier, name) == 0;
}

/* Subject Identifier Attributes 3.4: the pseudonym in hex, at our host, in any case. */
static const char *
pseudonym_of_pairwise(struct query *k)
{
	struct arena *a = k->rq->a;
	const char *value = k->q->subject.value, *at = strchr(value, '@');
	struct bytes octets;

	if (at == NULL || strcasecmp(at + 1, party_host(a, k->rq->app->config->base_url)) != 0 ||
	    !dec_hex(a, (struct bytes){(const unsigned char *)value, (size_t)(at - value)}, &octets,
		     NULL))
		return NULL;
	return enc_base64url(a, octets);
}

/* A name that stays; NULL: it is none. */
static const char *
lasting_name(struct query *k)
{
	const char *format = k->q->subject.format;

	if (format == NULL || strcmp(format, SAML_NAMEID_UNSPECIFIED) == 0 ||
	    strcmp(format, SAML_NAMEID_PERSISTENT) == 0)
		return k->q->subject.value;
	return strcmp(format, NAME_PAIRWISE_ID) == 0 ? pseudonym_of_pairwise(k) : NULL;
}

/* A session that the party takes part in by this name, and that still proves something. */
static bool
find_session(struct query *k, const char *name, const struct db_session **out, struct err *err)
{
	const char *sid;

	*out = NULL;
	if (!db_session_of_participant(&k->c, k->p->id, name, "", k->rq->now, &sid, err) ||
	    (sid != NULL && !db_session_load(&k->c, sid, k->rq->now, out, err)))
		return false;
	if (*out != NULL && session_level(k->rq, *out) == LEVEL_NONE)
		*out = NULL;
	return true;
}

static bool
find_subject(struct query *k, struct err *err)
{
	const struct saml_nameid *s = &k->q->subject;
	const char *lasting = lasting_name(k);
	const struct db_session *session;

	k->level = LEVEL_BASIC; /* nobody has logged in */
	if (!is_ours(s->name_qualifier, k->rq->app->config->entity_id) ||
	    !is_ours(s->sp_name_qualifier, k->p->id))
		return true;
	if (!find_session(k, lasting != NULL ? lasting : s->value, &session, err))
		return false;
	if (session != NULL && text_eq(session->sso_group, k->p->policy.sso_group))
		k->level = session_level(k->rq, session);
	if (k->level > LEVEL_BASIC)
		k->sid = session->sid;
	if (lasting != NULL)
		return db_pseudonym_subject(&k->c, k->p->sector, lasting, &k->id, err);
	/* A name of one login is one for as long as that lasts. */
	if (session != NULL && text_eq(s->format, SAML_NAMEID_TRANSIENT)) {
		k->id = &session->acting;
		k->sid = session->sid;
	}
	return true;
}

/* ---- what was agreed to ---- */

/* The account is opened only where something may come of it: all refusals cost alike. */
static bool
load_holding(struct query *k, struct err *err)
{
	struct account_work w = account_work_of(k->rq);
	struct db_holder who = {.acting = *k->id, .party = k->p->id, .sector = k->p->sector};

	if (!db_holding_load(&k->c, &who, &k->holding, err))
		return false;
	if (k->holding.subject == NULL || k->holding.subject->state != DB_ACTIVE)
		k->why = "account is not active";
	else if (k->level < k->p->policy.level)
		k->why = "level is below the party's";
	else if (k->holding.consent == NULL || k->p->policy.consent == CONSENT_ALWAYS)
		k->why = NO_CONSENT;
	return k->why != NULL || account_open(&w, k->holding.subject, k->holding.attributes,
					      k->holding.n_attributes, &k->held, err);
}

static void
offer_of(const struct query *k, struct wanted_list asked, struct release *out)
{
	release_compute(k->rq->a, k->p->policy.attributes, asked, k->held, k->level,
			level_min(k->level, k->p->policy.level_cap), out);
}

/* Would a login that asks for this go on without a page? */
static bool
is_agreed(const struct query *k, struct wanted_list asked)
{
	const struct db_consent *consent = k->holding.consent;
	struct bytes kept = {consent->fingerprint, sizeof(consent->fingerprint)}, now;
	struct release offer;

	offer_of(k, asked, &offer);
	return dec_hex(k->rq->a,
		       bytes_of(release_fingerprint(k->rq->a, &offer, party_purpose(k->p, LANG_DE),
						    (struct bytes){0})),
		       &now, NULL) &&
	       bytes_eq(now, kept);
}

/*
 * A consent is for attributes, their sources and a purpose, and stands as long as a login could
 * ask for the same: what the record, a service of the metadata, or this query names.
 */
static bool
consent_stands(const struct query *k)
{
	const struct saml_party *saml = k->p->saml;
	struct arena *a = k->rq->a;

	if (is_agreed(k, k->p->policy.attributes) ||
	    is_agreed(k, saml_attributes_wanted(a, &k->q->names, k->p)))
		return true;
	for (size_t i = 0; i < saml->n_services; i++) {
		struct saml_named_list names = saml_attributes_of_service(a, &saml->services[i]);

		if (is_agreed(k, saml_attributes_wanted(a, &names, k->p)))
			return true;
	}
	return false;
}

/* What is asked, registered, held and agreed to; nothing is required of a query. */
static bool
grant(struct query *k, struct release *out, struct err *err)
{
	struct arena *a = k->rq->a;
	const char *wrapped = arena_printf(a, "{\"names\":%s}", k->holding.consent->attributes);
	struct wanted_list asked = k->q->names.n == 0
					   ? k->p->policy.attributes
					   : saml_attributes_wanted(a, &k->q->names, k->p);
	struct release offer;
	const char **names;
	json_t *o;
	size_t n;

	/* second line: we have written them */
	if (!json_parse_object(a, bytes_of(wrapped), 65536, &o, err) ||
	    !json_get_strs(a, o, "names", CONSENTED_NAMES_MAX, &names, &n, err))
		return false;
	offer_of(k, asked, &offer);
	struct released *items = ARENA_ARRAY(a, struct released, offer.n + 1);
	size_t used = 0;

	for (size_t i = 0; i < offer.n; i++)
		if (text_in(names, n, offer.p[i].at->name))
			items[used++] = offer.p[i];
	*out = (struct release){.p = items, .n = used};
	return true;
}

/* Whom it is about and what may be told; k->why is set where that is nobody or nothing. */
static bool
judge(struct query *k, struct release *granted, struct err *err)
{
	*granted = (struct release){0};
	if (!find_subject(k, err))
		return false;
	if (k->id == NULL)
		k->why = "nobody of that name";
	else if (!load_holding(k, err))
		return false;
	else if (k->why == NULL && !consent_stands(k))
		k->why = NO_CONSENT;
	return k->why != NULL || grant(k, granted, err);
}

/* ---- answering ---- */

static bool
send_answer(struct query *k, const char *reason, const struct saml_assertion *assertion,
	    struct response *rs, struct err *err)
{
	struct request *rq = k->rq;
	struct saml_response response = {
		.id = rand_xml_id(rq->a),
		.issuer = rq->app->config->entity_id,
		.binding = SAML_BINDING_SOAP,
		.in_response_to = k->q->header.id,
		.issued_at = rq->now,
		.status = saml_status_of(reason),
		.assertion = assertion,
	};
	struct saml_carrier carrier;

	return saml_response_build(rq->a, &response, &k->peer, &carrier, err) &&
	       saml_send(rq, &carrier, k->p, rs, err);
}

static struct db_audit
audit_of(const struct query *k, const char *event, const char *details)
{
	return (struct db_audit){
		.event = event,
		.ref = k->rq->ref,
		.subject = k->id,
		.party = k->p->id,
		.details = details,
	};
}

static bool
refuse(struct query *k, const char *why, const char *reason, struct response *rs, struct err *err)
{
	struct db_audit audit =
		audit_of(k, AUDIT_QUERY_REFUSED, audit_details(k->rq->a, "why", why, NULL));
	struct err told = {0};

	(void)!FAIL(&told, ERR_DENIED, reason, "%s", why);
	refusal_note(k->rq, &told);
	return send_answer(k, reason, NULL, rs, err) &&
	       db_audit_add(&k->c, &audit, k->rq->now, err);
}

static const char *
names_told(struct arena *a, const struct release *granted)
{
	json_t *names = json_new_array(a);

	for (size_t i = 0; i < granted->n; i++)
		json_push_str(a, names, granted->p[i].at->name);
	return json_text(a, names, false);
}

/* Signing takes its time: what it rests on may have been taken back meanwhile. */
static bool
tell(struct query *k, const struct release *granted, struct response *rs, struct err *err)
{
	struct request *rq = k->rq;
	struct saml_assertion assertion = {
		.id = rand_xml_id(rq->a),
		.issuer = rq->app->config->entity_id,
		.audience = k->p->id,
		.nameid = k->q->subject, /* SAML2Core 3.3.4: it has to match */
		.issued_at = rq->now,
		.not_before = rq->now - ASSERTION_SKEW_S,
		.not_on_or_after = rq->now + ASSERTION_LIVES_S,
	};
	const char *level =
		level_word(level_min(k->level, k->p->policy.level_cap), LEVEL_VOCAB_SHORT);

	saml_attributes_queried(rq, k->p, saml_attributes_vocabulary(&k->q->names, k->p), granted,
				&assertion.attributes, &assertion.n_attributes);
	struct db_audit audit =
		audit_of(k, AUDIT_ATTRIBUTES_TOLD,
			 audit_details(rq->a, "attributes", names_told(rq->a, granted), "level",
				       level, NULL));
	bool stands;

	if (!send_answer(k, SAML_SUCCESS, &assertion, rs, err) ||
	    !db_holding_tell(&k->c, k->holding.consent, k->sid, &audit, rq->now, &stands, err))
		return false;
	return stands || refuse(k, "ended while it was answered", SAML_WHY_NO_SUBJECT, rs, err);
}

/* Who caught a query on its way gets nothing by it. */
static bool
take_once(struct query *k, struct err *err)
{
	const struct saml_header *h = &k->q->header;
	const char *value = arena_printf(k->rq->a, "%s %s", k->p->id, h->id);
	struct db_mark mark = {"query", bytes_of(value),
			       h->issued_at + saml_window_default.max_age_s +
				       2 * saml_window_default.skew_s};
	bool first;

	return db_seen_once(&k->c, &mark, k->rq->now, &first, err) &&
	       (first || FAIL(err, ERR_CONFLICT, NULL, "the query was answered before"));
}

static bool
admit(struct query *k, struct err *err)
{
	struct request *rq = k->rq;
	const struct saml_verified *v;
	struct xmlenc_keys keys;

	saml_decryption_keys(rq, &keys);
	return saml_receive_soap(rq, SAML_ATTRIBUTE_QUERY, &k->p, &v, err) &&
	       saml_attribute_query_parse(rq->a, v, &keys, &k->q, err) &&
	       saml_header_check_soap(&k->q->header, saml_our_url(rq, SAML_ATTRIBUTES_PATH),
				      &saml_window_default, rq->now, err) &&
	       saml_peer_ready(rq, k->p, &k->peer, err) && take_once(k, err);
}

bool
ep_saml_query(struct request *rq, struct response *rs, struct err *err)
{
	struct query k = {.rq = rq, .c = {rq->app->db, rq->a, rq->deadline_us}};
	struct release granted;
	struct err why = {0};

	if (!admit(&k, err))
		return false;
	if (!k.p->policy.query)
		return refuse(&k, "not in the record", SAML_REQUEST_DENIED, rs, err);
	if (!party_can_encrypt(k.p, &why))
		return refuse(&k, "no key to encrypt for it", SAML_REQUEST_DENIED, rs, err);
	if (!saml_attribute_query_check_wish(k.q, &why))
		return refuse(&k, "not understood", saml_status_reason(&why), rs, err);
	if (!judge(&k, &granted, err))
		return false;
	if (k.why != NULL)
		return refuse(&k, k.why, SAML_WHY_NO_SUBJECT, rs, err);
	if (granted.n == 0)
		return refuse(&k, "nothing of it may be told", SAML_INVALID_ATTRIBUTE, rs, err);
	return tell(&k, &granted, rs, err);
}
