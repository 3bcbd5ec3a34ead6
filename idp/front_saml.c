/* SAML requests as asks, outcomes as Responses; see front_saml.h. */
#include "idp/front_saml.h"

#include <string.h>

#include "base/rand.h"
#include "base/text.h"
#include "idp/artifact.h"
#include "idp/ask.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/flow_member.h"
#include "idp/login.h"
#include "idp/net.h"
#include "idp/party_suite.h"
#include "idp/refusal.h"
#include "idp/saml_attributes.h"
#include "idp/saml_level.h"
#include "idp/saml_peer.h"
#include "saml/names.h"

/* Validity of an assertion. */
#define ASSERTION_LIVES_S 300
#define ASSERTION_SKEW_S  60

/* From when to when: of a member's, one to two minutes in all (TR-03160-2 4.3.2.12). */
static void
set_times(const struct party *p, struct saml_assertion *assertion)
{
	bool member = party_is_member(p);

	assertion->not_before = assertion->issued_at - (member ? 0 : ASSERTION_SKEW_S);
	assertion->not_on_or_after =
		assertion->issued_at + (member ? p->lifetime_s : ASSERTION_LIVES_S);
}

/* ---- asking ---- */

/* An address names only for a party that may learn it. */
static unsigned
nameid_formats(const struct party *p)
{
	for (size_t i = 0; i < p->policy.attributes.n; i++)
		if (p->policy.attributes.p[i].at == attribute_by_name("email"))
			return p->policy.nameid_formats;
	return p->policy.nameid_formats & ~(unsigned)SAML_NAMEID_IS_EMAIL;
}

/* Being named by it is being told it: by the same rules, and not without it. */
static void
want_email(struct arena *a, struct ask *ask)
{
	const struct wanted_list *from =
		ask->names_attributes ? &ask->wanted : &ask->party->policy.attributes;
	const struct attribute *email = attribute_by_name("email");
	struct wanted *w = ARENA_ARRAY(a, struct wanted, from->n + 1);
	size_t n = 0;

	for (size_t i = 0; i < from->n; i++)
		if (from->p[i].at != email)
			w[n++] = from->p[i];
	w[n++] = (struct wanted){email, true, true};
	ask->wanted = (struct wanted_list){w, n};
	ask->names_attributes = true;
}

static bool
wants_detail(const struct saml_authn_request *r)
{
	return r->akdb != NULL && r->akdb->enable_status_detail;
}

static json_t *
answer_state(struct arena *a, const struct saml_authn_request *r, const struct saml_endpoint *acs,
	     const char *relay_state)
{
	json_t *s = json_new_object(a), *classes = json_new_array(a);

	json_put_str(a, s, "id", r->header.id);
	json_put_str(a, s, "acs", acs->url);
	json_put_i64(a, s, "binding", acs->binding);
	json_put_bool(a, s, "signed", r->header.is_signed);
	json_put_str(a, s, "relay_state", relay_state);
	json_put_bool(a, s, "detail", wants_detail(r));
	json_put_bool(a, s, "once", r->one_time_use);
	json_put_str(a, s, "sp_type", r->eidas.sp_type);
	json_put_str(a, s, "requesters", r->requesters);
	json_put_str(a, s, "online_service", r->akdb == NULL ? NULL : r->akdb->online_service_id);
	for (size_t i = 0; i < r->n_class_refs; i++)
		json_push_str(a, classes, r->class_refs[i]);
	json_put(a, s, "classes", classes);
	return s;
}

/* A request may list the means it takes; with none of ours nobody need be bothered. */
static bool
has_means(const struct saml_akdb_request *akdb, struct err *err)
{
	bool any = akdb == NULL || !akdb->names_methods;

	for (const struct login_method *m = login_methods; !any && m->name != NULL; m++)
		any = (akdb->methods & saml_akdb_method_of(m->proved_by)) != 0;
	return any || FAIL(err, ERR_DENIED, SAML_WHY_NO_MEANS, "no login method is allowed");
}

/* SAML2Core 3.4.1.2: the first that is listed and can be had, where we are not. */
static bool
choose_home(struct request *rq, const struct saml_authn_request *r, const struct saml_wish *wish,
	    struct ask *ask, struct err *err)
{
	/* Of BundID's means of login, other accounts are one. */
	ask->local_only = r->no_proxy || (r->akdb != NULL && r->akdb->names_methods &&
					  (r->akdb->methods & SAML_AKDB_FINK) == 0);
	if (r->no_proxy && !wish->scope_is_ours)
		return FAIL(err, ERR_DENIED, SAML_PROXY_COUNT_EXCEEDED,
			    "Scoping lists others alone, and does not let us ask them");
	for (size_t i = 0; !wish->scope_is_ours && i < r->n_idp_list && ask->home == NULL; i++) {
		const struct upstream *u;
		struct err why = {0};

		if (home_upstream_of_entity(rq, r->idp_list[i], &u, &why)) {
			if (home_fits(rq, ask, u))
				ask->home = u->id;
		} else if (!home_is_refused(&why)) {
			return FAIL(err, why.kind, why.proto, "%s", why.text);
		}
	}
	return wish->scope_is_ours || ask->home != NULL ||
	       FAIL(err, ERR_DENIED, SAML_NO_SUPPORTED_IDP,
		    "Scoping lists identity providers that we cannot ask");
}

bool
front_saml_ask(struct request *rq, const struct party *p, const struct saml_authn_request *r,
	       const struct saml_endpoint *acs, const char *relay_state, struct ask *out,
	       const char **about, struct err *err)
{
	*about = NULL;
	struct ask ask = {
		.front = &front_saml,
		.party = p,
		.force = r->force_authn,
		.passive = r->is_passive,
		.max_age_s = -1,
		.lang = r->akdb == NULL ? NULL : lang_code_of_tag(r->akdb->lang),
		.service = r->akdb == NULL ? NULL : r->akdb->organization_display_name,
		.state = answer_state(rq->a, r, acs, relay_state),
		.replay = r->header.id,
		.replay_expires = r->header.issued_at + saml_window_default.max_age_s +
				  2 * saml_window_default.skew_s,
	};
	struct saml_wish wish;
	struct saml_peer peer;

	/* Before anybody is bothered: is there an answer that it would take? */
	if (!saml_peer_of(rq, p, &peer, err) || !party_can_encrypt(p, err) ||
	    !saml_akdb_check(r->akdb, r->header.is_signed, p->policy.akdb, err) ||
	    !has_means(r->akdb, err) ||
	    !saml_authn_request_check_wish(r, rq->app->config->entity_id, nameid_formats(p), &wish,
					   err) ||
	    !saml_level_wanted(&p->policy, r->comparison,
			       (struct acr_words){r->class_refs, r->n_class_refs}, &ask.levels,
			       err) ||
	    !choose_home(rq, r, &wish, &ask, err))
		return false;
	json_put_str(rq->a, ask.state, "nameid", wish.nameid_format);
	if (!saml_attributes_asked(rq->a, r, &wish, &ask, about, err))
		return false;
	/* Of others the record says who they are, and a stored consent is for that. */
	if (party_is_member(p)) {
		ask.behind = r->requesters;
		ask.behind_private = text_eq(r->eidas.sp_type, "private");
	}
	ask.person = wish.person;
	ask.known_only = wish.known_only && p->policy.create == CREATE_ASKED;
	if (text_eq(wish.nameid_format, SAML_NAMEID_EMAIL))
		want_email(rq->a, &ask);
	*out = ask;
	return true;
}

/* ---- answering ---- */

struct state {
	const char *id, *acs, *relay_state, *nameid;
	int64_t binding; /* enum saml_binding: of the ACS */
	bool is_signed, detail, once;
};

static bool
state_read(const struct ask *ask, struct state *out, struct err *err)
{
	const json_t *s = ask->state;

	*out = (struct state){.binding = SAML_BINDING_POST};
	if (!json_get_str(s, "id", &out->id, err) || !json_get_str(s, "acs", &out->acs, err) ||
	    !json_get_i64(s, "binding", &out->binding, err) ||
	    !json_get_bool(s, "signed", &out->is_signed, err) ||
	    !json_get_str(s, "relay_state", &out->relay_state, err) ||
	    !json_get_str(s, "nameid", &out->nameid, err) ||
	    !json_get_bool(s, "detail", &out->detail, err) ||
	    !json_get_bool(s, "once", &out->once, err))
		return false;
	if (out->acs == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "a stored SAML ask without ACS");
	return true;
}

/* Required of the offer, so no answer comes this far without it. */
static const char *
granted_email(const struct flow *f)
{
	for (size_t i = 0; i < f->granted.n; i++)
		if (strcmp(f->granted.p[i].at->name, "email") == 0)
			return f->granted.p[i].value;
	return NULL;
}

static struct saml_nameid
nameid_of(struct flow *f, const struct state *s, const char *pseudonym)
{
	struct saml_nameid name = {
		.format = s->nameid,
		.name_qualifier = f->rq->app->config->entity_id,
		.sp_name_qualifier = f->ask.party->id,
	};

	switch (saml_nameid_format_bit(s->nameid)) {
	case SAML_NAMEID_IS_PERSISTENT:
		name.value = pseudonym;
		break;
	case SAML_NAMEID_IS_EMAIL:
		/* SAML2Core 8.3.2: an address has no qualifiers. */
		return (struct saml_nameid){.value = granted_email(f), .format = s->nameid};
	default:
		name.value = rand_xml_id(f->rq->a);
		break;
	}
	return name;
}

/*
 * The ask may be an hour old: an endpoint that has left the party's metadata since gets nothing
 * (SAML2Profiles 4.1.4.1).
 */
static bool
acs_is_registered(const struct party *p, const struct state *s)
{
	return saml_party_acs(p->saml, s->acs, -1, SAML_BINDING_NONE) != NULL ||
	       saml_party_acs_client(p->saml, s->acs, -1) != NULL;
}

/*
 * *kept: what is to be stored before rs is sent; NULL when it holds the message itself.
 */
static bool
make_response(struct flow *f, const struct state *s, struct saml_status status,
	      const struct saml_assertion *assertion, const struct db_artifact **kept,
	      struct response *rs, struct err *err)
{
	struct request *rq = f->rq;
	struct db_artifact *row = ARENA_NEW(rq->a, struct db_artifact);
	struct artifact artifact = {0};
	struct saml_response response = {
		.id = rand_xml_id(rq->a),
		.issuer = rq->app->config->entity_id,
		.binding = (enum saml_binding)s->binding,
		.destination = s->acs,
		.in_response_to = s->id,
		.relay_state = s->relay_state,
		.request_signed = s->is_signed,
		.issued_at = rq->now,
		.status = status,
		.assertion = assertion,
	};
	struct account_lock of = {0};
	struct saml_carrier carrier;
	struct saml_peer peer;
	bool ours = assertion != NULL && !flow_is_passing(f); /* whom the trail may name */

	if (ours)
		of = (struct account_lock){f->subject->id, f->subject->account_key};
	if (!acs_is_registered(f->ask.party, s))
		return FAIL(err, ERR_DENIED, "portal_request",
			    "the AssertionConsumerService is not in the party's metadata any more");
	if (response.binding == SAML_BINDING_ARTIFACT) {
		artifact_make(rq, &artifact);
		response.artifact = artifact.text;
	}
	if (!saml_peer_of(rq, f->ask.party, &peer, err) ||
	    !saml_response_build(rq->a, &response, &peer, &carrier, err) ||
	    (carrier.kept.n > 0 &&
	     !artifact_keep(rq, &artifact, &carrier, f->ask.party, ours ? &of : NULL, row, err)))
		return false;
	*kept = carrier.kept.n > 0 ? row : NULL;
	return saml_send(rq, &carrier, f->ask.party, rs, err);
}

/* An answer that tells of nobody. */
static bool
send_status(struct flow *f, const struct state *s, struct saml_status status, struct response *rs,
	    struct err *err)
{
	struct db_call c = {f->rq->app->db, f->rq->a, f->rq->deadline_us};
	const struct db_artifact *kept;

	return make_response(f, s, status, NULL, &kept, rs, err) &&
	       (kept == NULL || db_artifact_create(&c, kept, f->rq->now, err));
}

static const char *
word_for(struct arena *a, const struct ask *ask, enum level told)
{
	const char **words;
	size_t n;

	if (!json_get_strs(a, ask->state, "classes", SAML_CLASS_REFS_MAX, &words, &n, NULL))
		return NULL;
	return acr_told(&ask->party->policy, (struct acr_words){words, n}, told);
}

/*
 * SAML2Core 2.4.1.2, 2.7.2.1, for parties that expect it (BundID's portals): it tells where the
 * person is, so only where the record says so.  NULL: it is not told, or there is none (a socket).
 */
static const char *
address_told(const struct flow *f)
{
	struct net_addr addr;

	return f->ask.party->policy.tell_address && net_addr_parse(f->rq->client_addr, &addr)
		       ? f->rq->client_addr
		       : NULL;
}

/* What build made and record stores. */
struct built {
	struct db_participant participant;
	const struct db_artifact *kept; /* NULL: the answer holds the message itself */
};

static bool
build(struct flow *f, struct response *rs, struct err *err)
{
	struct request *rq = f->rq;
	struct built *b = ARENA_NEW(rq->a, struct built);
	const char *pseudonym;
	struct state s;

	if (!state_read(&f->ask, &s, err) || !flow_pseudonym(f, &pseudonym, err))
		return false;
	const char *class_ref = word_for(rq->a, &f->ask, flow_told_level(f));
	struct saml_assertion assertion = {
		.id = rand_xml_id(rq->a),
		.issuer = rq->app->config->entity_id,
		.audience = f->ask.party->id,
		.recipient = s.acs,
		.in_response_to = s.id,
		.address = address_told(f),
		.nameid = nameid_of(f, &s, pseudonym),
		.issued_at = rq->now,
		.authn_at = session_proved_at(f->session, flow_told_level(f)),
		.session_index = rand_xml_id(rq->a),
		.class_ref = class_ref,
		.one_time_use = s.once,
	};

	set_times(f->ask.party, &assertion);
	/* For a member there is no session that could last. */
	if (!party_is_member(f->ask.party))
		assertion.session_not_on_or_after =
			session_told_until(f->session, flow_told_level(f));
	if (f->home != NULL) {
		assertion.authorities = f->home->authorities;
		assertion.n_authorities = f->home->n_authorities;
	}
	if (assertion.nameid.value == NULL) /* second line: required, and filled */
		return FAIL(err, ERR_INTERNAL, NULL, "no address to be named by");
	if (class_ref == NULL) /* second line: a level without a word is not one asked for */
		return FAIL(err, ERR_INTERNAL, NULL, "the party's vocabulary has no word for %d",
			    (int)flow_told_level(f));
	if (!saml_attributes_told(f, pseudonym, class_ref, &assertion.attributes,
				  &assertion.n_attributes, err))
		return false;
	b->participant = (struct db_participant){
		.party = f->ask.party->id,
		.dialect = "saml",
		.name_id = assertion.nameid.value,
		.name_format = assertion.nameid.format,
		.session_index = assertion.session_index,
		.at = rq->now,
	};
	f->built = b;
	return make_response(f, &s, (struct saml_status){.code = SAML_SUCCESS}, &assertion,
			     &b->kept, rs, err);
}

static bool
record(struct flow *f, struct err *err)
{
	struct request *rq = f->rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct built *b = f->built;
	const char *service = NULL, *sp_type = NULL, *requesters = NULL;
	int64_t binding = SAML_BINDING_NONE;

	if (!json_get_str(f->ask.state, "online_service", &service, err) ||
	    !json_get_str(f->ask.state, "sp_type", &sp_type, err) ||
	    !json_get_str(f->ask.state, "requesters", &requesters, err) ||
	    !json_get_i64(f->ask.state, "binding", &binding, err))
		return false;
	struct db_audit audit = {
		.event = AUDIT_ASSERTION,
		.ref = rq->ref,
		.subject = flow_audited(f),
		.party = f->ask.party->id,
		.details = audit_details(rq->a, "dialect", "saml", "level",
					 level_word(flow_told_level(f), LEVEL_VOCAB_SHORT),
					 "upstream", f->home == NULL ? NULL : f->home->from->id,
					 "online_service", service, "sp_type", sp_type,
					 "requesters", requesters, "binding",
					 binding == SAML_BINDING_PAOS       ? "paos"
					 : binding == SAML_BINDING_ARTIFACT ? "artifact"
									    : NULL,
					 NULL),
	};
	const struct db_answer answer = {f->session->sid, &b->participant, f->consent, f->mark,
					 b->kept};
	enum db_answered how;

	/* No session is opened across accounts, so there is none to end (TR-03160-1 4.3). */
	if (flow_is_passing(f))
		return (b->kept == NULL || db_artifact_create(&c, b->kept, rq->now, err)) &&
		       db_audit_add(&c, &audit, rq->now, err);
	if (!db_session_participate(&c, &answer, &audit, rq->now, &how, err))
		return false;
	f->replayed = how == DB_ANSWERED_BEFORE;
	f->withdrawn = how == DB_ANSWERED_WITHDRAWN;
	return true;
}

static const char *
reason_of(const struct flow *f, enum flow_state why)
{
	switch (why) {
	case FLOW_UNREACHABLE:
		return SAML_NO_AUTHN_CONTEXT;
	case FLOW_PASSIVE_LOGIN:
		return SAML_NO_PASSIVE;
	case FLOW_PASSIVE_CONSENT:
		return SAML_WHY_PASSIVE_CONSENT;
	case FLOW_OTHER_PERSON:
		return f->ask.person != NULL ? SAML_UNKNOWN_PRINCIPAL : SAML_INVALID_NAMEID_POLICY;
	case FLOW_MISSING:
		return SAML_WHY_ATTRIBUTE_MISSING;
	case FLOW_REFUSED:
		return SAML_WHY_CONSENT_REFUSED;
	/* These three only where there is no browser to show a page to. */
	case FLOW_LOGIN:
		return SAML_AUTHN_FAILED;
	case FLOW_STEP_UP:
		return SAML_NO_AUTHN_CONTEXT;
	case FLOW_CONSENT:
		return SAML_WHY_CONSENT_NEEDED;
	default:
		return SAML_WHY_LOGIN_CANCELLED;
	}
}

static struct saml_status
status_of(struct arena *a, const char *reason, bool detail, const char *about)
{
	return detail ? saml_status_detailed(a, reason, about) : saml_status_of(reason);
}

static bool
refuse(struct flow *f, enum flow_state why, struct response *rs, struct err *err)
{
	struct arena *a = f->rq->a;
	const char *about =
		why == FLOW_MISSING ? saml_attributes_name(a, &f->ask, f->offer.missing) : NULL;
	struct state s;

	return state_read(&f->ask, &s, err) &&
	       send_status(f, &s, status_of(a, reason_of(f, why), s.detail, about), rs, err);
}

bool
front_saml_refuse(struct request *rq, const struct party *p, const struct saml_authn_request *r,
		  const struct saml_endpoint *acs, const char *relay_state, const struct err *why,
		  const char *about, struct response *rs, struct err *err)
{
	struct flow f = {.rq = rq, .ask = {.front = &front_saml, .party = p}};
	struct state s = {.id = r->header.id,
			  .acs = acs->url,
			  .binding = acs->binding,
			  .is_signed = r->header.is_signed,
			  .relay_state = relay_state};
	refusal_note(rq, why);
	if (party_is_member(p))
		flow_member_count(rq, p, "request", LEVEL_NONE);

	struct saml_status status =
		status_of(rq->a, saml_status_reason(why), wants_detail(r), about);

	return send_status(&f, &s, status, rs, err);
}

bool
front_saml_turn_away(struct request *rq, const struct party *p, const struct saml_authn_request *r,
		     const struct saml_endpoint *acs, const char *relay_state,
		     const struct err *why, struct response *rs, struct err *err)
{
	if (acs == NULL)
		return FAIL(err, why->kind, why->proto, "%s", why->text);
	return front_saml_refuse(rq, p, r, acs, relay_state, why, NULL, rs, err);
}

static const char *
origins(struct arena *a, const struct ask *ask)
{
	const char *acs = NULL;

	/* second line: what is no text leaves it NULL */
	if (!json_get_str(ask->state, "acs", &acs, NULL) || acs == NULL)
		return NULL;
	return url_origin(a, acs);
}

const struct front front_saml = {"saml", false, build, record, refuse, word_for, origins};
