/* People who come with an account of another provider; see home.h. */
#include "idp/home_part.h"

#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/config.h"
#include "idp/federation.h"
#include "idp/front_oidc.h"
#include "idp/front_saml.h"
#include "idp/home_oidc.h"
#include "idp/login.h"
#include "idp/party_suite.h"
#include "idp/saml_peer.h"
#include "keys/sign.h"
#include "saml/authn_request.h"
#include "saml/authn_request_write.h"
#include "saml/value.h"

#define HOME_COOKIE     "h-"
#define HOME_MAX_BYTES  ((size_t)64 * 1024)
#define AUTHORITIES_MAX (SAML_ANSWER_AUTHORITIES_MAX + 1)
#define REQUESTERS_MAX  (SAML_REQUESTERS_MAX + 1)
#define METHOD          "home"
#define SOURCE          "federation" /* as pages call it, and what is agreed to names it */

/* ---- whom one may choose from ---- */

/*
 * What outlives the login, or tells resource servers of a person, hangs on an account here; and
 * clients without a browser lead nobody anywhere.
 */
bool
home_offered(const struct request *rq UNUSED, const struct ask *ask)
{
	return ask->party != NULL && (ask->front == &front_saml || ask->front == &front_oidc) &&
	       !ask->offline && ask->access == NULL && !ask->passive && !ask->local_only &&
	       ask->party->policy.home_accounts;
}

bool
home_fits(const struct request *rq, const struct ask *ask, const struct upstream *from)
{
	return home_offered(rq, ask) && from->enabled && !upstream_is_over(from, rq->now) &&
	       upstream_url(from) != NULL && from->policy.level_cap >= flow_wanted_level(ask);
}

enum level
home_reach(const struct request *rq, const struct ask *ask)
{
	enum level by_hand = upstreams_reach(&rq->snap->upstreams);
	enum level members = federation_reach(rq->app, rq->now);

	if (!home_offered(rq, ask))
		return LEVEL_NONE;
	return members > by_hand ? members : by_hand;
}

/* ---- asking ---- */

struct bytes
home_away_write(struct arena *a, const struct home_away *away)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "upstream", away->upstream);
	json_put_str(a, o, "request", away->request_id);
	json_put_i64(a, o, "at", (int64_t)away->asked_at);
	json_put_str(a, o, "secret", away->secret);
	return bytes_of(json_text(a, o, false));
}

bool
home_away_read(struct arena *a, struct bytes json, struct home_away *out, struct err *err)
{
	int64_t at = 0;
	json_t *o;

	*out = (struct home_away){0};
	if (!json_parse_object(a, json, HOME_MAX_BYTES, &o, err) ||
	    !json_get_str(o, "upstream", &out->upstream, err) ||
	    !json_get_str(o, "request", &out->request_id, err) ||
	    !json_get_i64(o, "at", &at, err) || !json_get_str(o, "secret", &out->secret, err))
		return false;
	out->asked_at = (time_t)at;
	return (out->upstream != NULL && out->request_id != NULL) ||
	       FAIL(err, ERR_INTERNAL, NULL, "a stored request of nobody");
}

/* The word for the least level that will do, in the provider's own words. */
static const char *
class_for(const struct upstream *from, enum level wanted)
{
	const struct upstream_policy *p = &from->policy;
	const struct level_word *best = NULL;

	for (size_t i = 0; i < p->n_level_words; i++)
		if (p->level_words[i].level >= wanted &&
		    (best == NULL || p->level_words[i].level < best->level))
			best = &p->level_words[i];
	if (best != NULL)
		return best->word;
	for (enum level l = wanted; l <= LEVEL_HIGH; l++) {
		const char *word =
			level_word(l, p->vocabulary != LEVEL_VOCAB_COUNT ? p->vocabulary
									 : from->kind->vocabulary);

		if (word != NULL)
			return word;
	}
	return NULL;
}

static const struct wanted_list *
asked_for(const struct flow *f)
{
	return f->ask.names_attributes ? &f->ask.wanted : &f->ask.party->policy.attributes;
}

bool
home_takes(const struct flow *f, const struct upstream *from, const struct attribute *at)
{
	return release_wants(*asked_for(f), at) &&
	       release_wants(f->ask.party->policy.attributes, at) &&
	       (from->policy.attributes.n == 0 || release_wants(from->policy.attributes, at));
}

/* What the portal may learn, as far as it is taken from there; and the person's name there. */
static struct saml_named_list
names_for(const struct flow *f, const struct upstream *from)
{
	struct arena *a = f->rq->a;
	const struct wanted_list *asked = asked_for(f);
	enum vocabulary names =
		from->policy.names != VOCABULARY_COUNT ? from->policy.names : from->kind->names;
	struct saml_named *list = ARENA_ARRAY(a, struct saml_named, asked->n + 1);
	size_t n = 0;

	if (from->kind->identify != NULL)
		list[n++] = (struct saml_named){from->kind->identify, from->kind->eidas};
	for (size_t i = 0; i < asked->n; i++) {
		const struct attribute *at = asked->p[i].at;

		if (home_takes(f, from, at))
			list[n++] = (struct saml_named){vocabulary_name(names, at), false};
	}
	return (struct saml_named_list){list, n};
}

/* The key that the provider can verify. */
static bool
signer_for(struct request *rq, const struct upstream *from, struct saml_signer *out,
	   struct err *err)
{
	const struct party as_party = {
		.id = from->id, .saml = from->saml, .policy = {.suite = from->policy.suite}};
	const struct saml_suite *suite;

	return party_suite(&as_party, rq->snap->keyring, rq->now, &suite, err) &&
	       saml_signer_of(rq->a, rq->snap->keyring, rq->app->signer, KEY_SAML_SIGN, suite->make,
			      out, err);
}

/* SAML2Core 3.4.1.5.1: who asked us, and before it those for whom that one asks. */
static bool
requesters_of(const struct flow *f, const char *const **out, size_t *n, struct err *err)
{
	const char **list = ARENA_ARRAY(f->rq->a, const char *, REQUESTERS_MAX), **before;
	const char *text = NULL;
	size_t n_before;

	*n = 0;
	if (saml_is_uri(f->ask.party->id))
		list[(*n)++] = f->ask.party->id;
	if (!json_get_str(f->ask.state, "requesters", &text, err) ||
	    !text_words(f->rq->a, text == NULL ? "" : text, SAML_REQUESTERS_MAX, &before, &n_before,
			err))
		return false;
	for (size_t i = 0; i < n_before; i++)
		list[(*n)++] = before[i];
	*out = list;
	return true;
}

static bool
build_request(struct flow *f, const struct upstream *from, const char *id, struct saml_carrier *out,
	      struct err *err)
{
	struct request *rq = f->rq;
	const struct party *p = f->ask.party;
	const struct saml_endpoint *sso = saml_party_sso(from->saml, from->kind->binding);
	struct saml_named_list names = names_for(f, from);
	const char *const *requesters;
	const char *service = NULL;
	struct saml_signer signer;
	size_t n_requesters;

	if (sso == NULL)
		sso = saml_party_sso(from->saml, SAML_BINDING_NONE);
	if (!json_get_str(f->ask.state, "online_service", &service, err) ||
	    !requesters_of(f, &requesters, &n_requesters, err) ||
	    !signer_for(rq, from, &signer, err))
		return false;
	const struct saml_akdb_ask akdb = {
		.attributes = names,
		.organization_display_name =
			f->ask.service != NULL ? f->ask.service : p->display_name,
		.online_service_id = service != NULL ? service : from->policy.service_id,
		.lang = rq->lang == LANG_EN ? "en" : "de",
	};
	const struct saml_eidas_ask eidas = {"public", names};
	const struct saml_authn_ask ask = {
		.binding = sso->binding,
		.url = sso->url,
		.relay_state = f->row->id,
		.id = id,
		.issuer = rq->app->config->entity_id,
		.acs_url = saml_our_url(rq, SAML_ACS_PATH),
		.issued_at = rq->now,
		.provider_name = p->display_name,
		.nameid_format = from->kind->nameid_format,
		.class_ref = class_for(from, flow_wanted_level(&f->ask)),
		.scoping = from->kind->scoping,
		.requesters = requesters,
		.n_requesters = n_requesters,
		.akdb = from->kind->akdb ? &akdb : NULL,
		.eidas = from->kind->eidas ? &eidas : NULL,
		.signer = &signer,
	};

	return saml_authn_ask_build(rq->a, &ask, out, err);
}

bool
home_send(struct flow *f, const struct upstream *from, struct response *rs, struct err *err)
{
	struct request *rq = f->rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct home_away away = {
		.upstream = from->id, .request_id = rand_xml_id(rq->a), .asked_at = rq->now};
	const struct party as_party = {.id = from->id, .display_name = from->display_name};
	struct saml_carrier carrier;

	if (from->oidc != NULL)
		return home_oidc_send(f, from, rs, err);
	return build_request(f, from, away.request_id, &carrier, err) &&
	       db_flow_send(&c, f->row, home_away_write(rq->a, &away), rq->now, err) &&
	       saml_send(rq, &carrier, &as_party, rs, err);
}

/* ---- coming back ---- */

static const char *
label_of(struct arena *a, const char *flow_id)
{
	return arena_printf(a, "flow-home:%s", flow_id);
}

static const char *
cookie_name(struct arena *a, const char *flow_id)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(flow_id), digest);
	return arena_printf(a, HOME_COOKIE "%s", enc_hex(a, (struct bytes){digest, 8}));
}

static const char *
browser_mark(struct arena *a, const char *cookie)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(cookie), digest);
	return enc_hex(a, (struct bytes){digest, sizeof(digest)});
}

/*
 * The flow's own cookie says whose login it is; this one, who came back with the answer.  Who
 * sends somebody else to the provider with a request of his own flow gets nothing by it.
 */
bool
home_seal(struct request *rq, const char *flow_id, json_t *home, struct response *rs,
	  struct bytes *sealed, struct err *err)
{
	const char *cookie = rand_token(rq->a, 32);
	struct subject_id id = subject_id_create();

	json_put_str(rq->a, home, "browser", browser_mark(rq->a, cookie));
	json_put_str(rq->a, home, "id",
		     enc_hex(rq->a, (struct bytes){id.octets, sizeof(id.octets)}));
	response_cookie(rq, rs, cookie_name(rq->a, flow_id), cookie, FLOW_GOES_ON_S);
	return account_value_seal(rq, NULL, label_of(rq->a, flow_id),
				  bytes_of(json_text(rq->a, home, false)), sealed, err);
}

void
home_forget(const struct flow *f, struct response *rs)
{
	if (f->row->home.n > 0)
		response_cookie(f->rq, rs, cookie_name(f->rq->a, f->row->id), "", 0);
}

static bool
held_read(struct arena *a, const json_t *o, time_t at, struct held_list *out, struct err *err)
{
	const json_t *list = NULL;

	if (!json_get_array(o, "held", &list, err))
		return false;
	size_t n = json_array_size(list), used = 0;
	struct held *held = ARENA_ARRAY(a, struct held, n + 1);

	for (size_t i = 0; i < n; i++) {
		const json_t *row = json_array_get(list, i);
		const char *name = NULL, *value = NULL;
		int64_t level = LEVEL_NONE;

		if (!json_get_str(row, "name", &name, err) ||
		    !json_get_str(row, "value", &value, err) ||
		    !json_get_i64(row, "level", &level, err))
			return false;
		const struct attribute *attribute = name == NULL ? NULL : attribute_by_name(name);

		if (attribute == NULL || value == NULL) /* a later program than this wrote it */
			continue;
		held[used++] = (struct held){.at = attribute,
					     .value = value,
					     .level = (enum level)level,
					     .source = SOURCE,
					     .verified_at = level > LEVEL_BASIC ? at : 0};
	}
	*out = (struct held_list){held, used};
	return true;
}

/* What the rest of the flow asks a session and an account for. */
static void
as_person(struct flow *f, struct home *h, const unsigned char *id)
{
	struct subject_id who;

	memcpy(who.octets, id, sizeof(who.octets));
	h->proof = (struct db_proof){(int)h->level, METHOD, h->at};
	h->subject = (struct db_subject){.id = who,
					 .kind = DB_PERSON,
					 .origin = DB_FOREIGN,
					 .state = DB_ACTIVE,
					 .issuer = h->from->entity_id,
					 .foreign_id = h->identity};
	h->session =
		(struct db_session){.sid = "",
				    .acting = who,
				    .sso_group = "",
				    .proofs = &h->proof,
				    .n_proofs = 1,
				    .created = h->at,
				    .last_used = f->rq->now,
				    .expires = h->at + level_session_limits(h->level).max_age_s};
}

static bool
login_read(struct flow *f, const json_t *o, struct home *h, struct err *err)
{
	struct arena *a = f->rq->a;
	int64_t level = LEVEL_NONE, at = 0;
	const char *id = NULL;
	struct bytes octets;

	if (!json_get_i64(o, "level", &level, err) || !json_get_i64(o, "at", &at, err) ||
	    !json_get_str(o, "identity", &h->identity, err) ||
	    !json_get_str(o, "proved_by", &h->proved_by, err) ||
	    !json_get_strs(a, o, "authorities", AUTHORITIES_MAX, &h->authorities, &h->n_authorities,
			   err) ||
	    !held_read(a, o, (time_t)at, &h->held, err) || !json_get_str(o, "id", &id, err))
		return false;
	if (h->identity == NULL || id == NULL || !dec_hex(a, bytes_of(id), &octets, err) ||
	    octets.n != sizeof(((struct subject_id *)0)->octets))
		return FAIL(err, ERR_INTERNAL, NULL, "a stored login of nobody");
	h->level = (enum level)level;
	h->at = (time_t)at;
	as_person(f, h, octets.p);
	return true;
}

bool
home_load(struct flow *f, struct err *err)
{
	struct request *rq = f->rq;
	const char *cookie = request_cookie(rq, cookie_name(rq->a, f->row->id));
	const char *browser = NULL, *from = NULL;
	struct err why = {0};
	struct home *h = ARENA_NEW(rq->a, struct home);
	struct bytes plain;
	int64_t outcome = SAML_OUTCOME_FAILED;
	json_t *o;

	if (f->row->home.n == 0 || cookie == NULL)
		return true;
	if (!account_value_open(rq, NULL, label_of(rq->a, f->row->id), f->row->home, &plain, err) ||
	    !json_parse_object(rq->a, plain, HOME_MAX_BYTES, &o, err) ||
	    !json_get_str(o, "browser", &browser, err) ||
	    !json_get_str(o, "upstream", &from, err) || !json_get_i64(o, "outcome", &outcome, err))
		return false;
	h->outcome = (enum saml_outcome)outcome;
	if (!text_eq(browser_mark(rq->a, cookie), browser)) /* of another one */
		return true;
	f->home_failed = h->outcome == SAML_OUTCOME_FAILED;
	/* Who was switched off or suspended meanwhile is not believed any more. */
	if (!f->home_failed && !home_upstream_find(rq, from, &h->from, &why)) {
		f->home_failed = home_is_refused(&why);
		if (!f->home_failed)
			return FAIL(err, why.kind, why.proto, "%s", why.text);
	}
	if (f->home_failed)
		return true;
	if (h->outcome == SAML_OUTCOME_LOGIN) {
		if (!login_read(f, o, h, err))
			return false;
		f->session = &h->session;
	}
	f->home = h;
	return true;
}

/* ---- what the portal knows them by ---- */

bool
home_pseudonym(struct flow *f, const char *sector, const char *kept, const char **out,
	       struct err *err)
{
	struct account_work w = account_work_of(f->rq);
	const struct key *k;
	const char *made;

	if (f->home == NULL)
		return account_pseudonym(&w, f->subject, sector, kept, out, err);
	const struct pseudonym_subject who = {
		.kind = (uint8_t)f->subject->kind,
		.origin = f->subject->issuer,
		.id = bytes_of(f->subject->foreign_id),
	};

	k = keyring_active(w.keyring, KEY_PSEUDONYM, KEY_SECRET);
	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active pseudonym key");
	if (!signer_pseudonym(w.signer, w.a, k->row.kid, &who, sector, &made, err))
		return false;
	*out = arena_printf(w.a, "%s%s", f->home->from->kind->prefix, made);
	return true;
}

const struct subject_id *
home_subject(const struct flow *f)
{
	return f->home != NULL || f->session == NULL ? NULL : &f->session->acting;
}
