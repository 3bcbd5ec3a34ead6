/* From a flow and its session to facts, and to the state they name; see flow_judge.h. */
#include "idp/flow_judge.h"

#include "base/enc.h"
#include "base/text.h"
#include "idp/access.h"
#include "idp/flow_member.h"
#include "idp/login.h"

json_t *
flow_progress(struct flow *f)
{
	json_t *o = NULL;

	if (!json_parse_object(f->rq->a, f->row->progress, 65536, &o, NULL))
		return json_new_object(f->rq->a);
	return o;
}

/* The proofs given inside this very flow: what ForceAuthn counts. */
static const struct level_proof *
proofs_in_flow(struct flow *f, size_t *n)
{
	json_t *proofs = json_object_get(flow_progress(f), "proofs");
	struct level_proof *p =
		ARENA_ARRAY(f->rq->a, struct level_proof, json_array_size(proofs) + 1);

	*n = json_array_size(proofs);
	for (size_t i = 0; i < *n; i++) {
		const json_t *row = json_array_get(proofs, i);

		p[i].level = (enum level)json_integer_value(json_array_get(row, 0));
		p[i].at = (time_t)json_integer_value(json_array_get(row, 1));
	}
	return p;
}

static enum level
level_in_flow(struct flow *f)
{
	size_t n;
	const struct level_proof *p = proofs_in_flow(f, &n);

	return level_of_session(p, n, f->rq->now, f->rq->now);
}

static bool
in_own_session(const struct flow *f)
{
	return f->row != NULL && text_eq(f->row->sid, f->session->sid);
}

/* Must this login rest on a proof given in this flow? */
static bool
needs_own_proof(const struct flow *f)
{
	const struct party *p = f->ask.party;

	return f->ask.force || (p != NULL && p->policy.sso_group == NULL);
}

static bool
group_fits(const struct flow *f)
{
	const struct party *p = f->ask.party;

	return p == NULL || p->policy.sso_group == NULL ||
	       text_eq(p->policy.sso_group, f->session->sso_group);
}

/* With a greatest age each proof counts by its own: a young password makes no old code young. */
static enum level
counted_level(struct flow *f)
{
	if (f->home != NULL) /* of this flow, and of no other */
		return f->home->level;
	if (f->session != NULL && f->only != NULL) /* of this request: as new as can be */
		return session_level(f->rq, f->session);
	if (f->session == NULL || !group_fits(f))
		return LEVEL_NONE;
	if (!needs_own_proof(f) && f->ask.max_age_s < 0)
		return session_level(f->rq, f->session);
	enum level own = in_own_session(f) ? level_in_flow(f) : LEVEL_NONE;

	if (needs_own_proof(f))
		return own;
	enum level young = session_level_since(f->rq, f->session, f->rq->now - f->ask.max_age_s);

	return own > young ? own : young;
}

static bool
was_given_here(struct flow *f, const struct db_proof *proof)
{
	const struct level_proof *p;
	size_t n;

	if (f->only != NULL)
		return true;
	if (!in_own_session(f))
		return false;
	p = proofs_in_flow(f, &n);
	for (size_t i = 0; i < n; i++)
		if ((int)p[i].level == proof->level && p[i].at == proof->at)
			return true;
	return false;
}

bool
flow_rests_on(struct flow *f, const struct db_proof *proof)
{
	struct level_proof p = {(enum level)proof->level, proof->at};
	bool young = f->ask.max_age_s < 0 || proof->at >= f->rq->now - f->ask.max_age_s;

	if (level_of_session(&p, 1, f->session->last_used, f->rq->now) != p.level)
		return false;
	return (young && !needs_own_proof(f)) || was_given_here(f, proof);
}

static bool
load_holding(struct flow *f, struct err *err)
{
	struct db_call c = {f->rq->app->db, f->rq->a, f->rq->deadline_us};
	const struct party *p = f->ask.party;
	if (f->home != NULL) {
		f->holding = (struct db_holding){0};
		f->subject = &f->home->subject;
		return true;
	}
	struct db_holder who = {.acting = f->session->acting,
				.represented = f->session->represented,
				.party = p == NULL ? NULL : p->id,
				.sector = p == NULL ? NULL : p->sector};

	if (!db_holding_load(&c, &who, &f->holding, err))
		return false;
	/* second line: a session is found of an active account only */
	if (f->holding.subject != NULL && f->holding.subject->state == DB_ACTIVE)
		f->subject = f->holding.subject;
	return true;
}

/* The names a stored consent allows, applied to today's offer, if they are all that is asked. */
static bool
grant_stored(struct flow *f, const struct db_consent *stored, bool *still_needed, struct err *err)
{
	const char *wrapped = arena_printf(f->rq->a, "{\"names\":%s}", stored->attributes);
	const char **names;
	json_t *o;
	size_t n;

	/* second line: we have written them */
	if (!json_parse_object(f->rq->a, bytes_of(wrapped), 65536, &o, err) ||
	    !json_get_strs(f->rq->a, o, "names", 1024, &names, &n, err))
		return false;
	if (!access_agreed(f->rq->a, f->ask.access, names, n))
		return true;
	release_consented(f->rq->a, &f->offer, names, n, &f->granted);
	f->consent = stored;
	*still_needed = false;
	return true;
}

/* A pseudonym that was ever told is a row; of who has no account here nothing is kept. */
static bool
is_other_person(struct flow *f, bool *out, struct err *err)
{
	const char *known = f->holding.pseudonym;

	if (flow_is_passing(f) && f->ask.person != NULL && !flow_pseudonym(f, &known, err))
		return false;
	*out = (!flow_is_passing(f) && f->ask.known_only && known == NULL) ||
	       (f->ask.person != NULL && !text_eq(f->ask.person, known));
	return true;
}

/* Another service of the same portal is another purpose, and so is what goes on without a login. */
static const char *
purpose_of(const struct flow *f, bool offline)
{
	const char *purpose = party_purpose(f->ask.party, LANG_DE);

	if (f->ask.service == NULL && !offline)
		return purpose;
	return arena_printf(f->rq->a, "%s\n%s%s", purpose == NULL ? "" : purpose,
			    f->ask.service == NULL ? "" : f->ask.service,
			    offline ? "\noffline" : "");
}

/* Is it the offer that was agreed to?  Who agreed to more than a login agreed to a login. */
static bool
is_agreed(const struct flow *f, struct bytes kept)
{
	for (int offline = f->ask.offline ? 1 : 0; offline < 2; offline++) {
		const char *hex = release_fingerprint(
			f->rq->a, &f->offer, purpose_of(f, offline == 1), (struct bytes){0});
		struct bytes digest;

		/* second line: it is ours */
		if (dec_hex(f->rq->a, bytes_of(hex), &digest, NULL) && bytes_eq(digest, kept))
			return true;
	}
	return false;
}

/* Compute the offer, and whether a stored consent covers it. */
static bool
load_offer(struct flow *f, struct flow_facts *facts, struct err *err)
{
	const struct party *p = f->ask.party;
	struct account_work w = account_work_of(f->rq);
	const struct db_consent *stored = f->holding.consent;

	if (f->home != NULL)
		f->held = f->home->held;
	else if (!account_open(&w, f->subject, f->holding.attributes, f->holding.n_attributes,
			       &f->held, err))
		return false;
	if (p == NULL)
		return true;
	struct wanted_list asked = f->ask.names_attributes ? f->ask.wanted : p->policy.attributes;

	release_compute(f->rq->a, p->policy.attributes, asked, f->held, f->level,
			flow_told_level(f), &f->offer);
	if (!is_other_person(f, &facts->other_person, err))
		return false;
	facts->required_missing = f->offer.missing != NULL;
	f->fingerprint = release_fingerprint(f->rq->a, &f->offer, purpose_of(f, f->ask.offline),
					     (struct bytes){0});
	facts->consent_needed = true;
	if (stored == NULL || p->policy.consent == CONSENT_ALWAYS || f->ask.consent_anew)
		return true;
	if (!is_agreed(f, (struct bytes){stored->fingerprint, sizeof(stored->fingerprint)}))
		return true;
	return grant_stored(f, stored, &facts->consent_needed, err);
}

/* What can be told at all: no login of ours reaches more, and nothing above a cap counts. */
static enum level
reachable(const struct flow *f)
{
	const struct party *p = f->ask.party;
	enum level means = f->only == NULL ? login_reachable() : f->only->level;
	enum level home = f->only == NULL ? home_reach(f->rq, &f->ask) : LEVEL_NONE;

	means = home > means ? home : means;
	enum level most = level_set_best(
		f->ask.levels, level_min(means, p == NULL ? LEVEL_HIGH : p->policy.level_cap));

	/* What the party has no word for cannot be told. */
	return f->ask.front->level_word(f->rq->a, &f->ask, most) == NULL ? LEVEL_NONE : most;
}

/* Gather the facts and name the state. */
bool
flow_judge(struct flow *f, struct err *err)
{
	/* second line: whoever finds a party finds none that is switched off */
	bool enabled = f->ask.party == NULL || f->ask.party->enabled;
	struct flow_facts facts = {
		.party_enabled = enabled,
		.expired = f->row != NULL && f->rq->now - f->row->created > FLOW_GOES_ON_S,
		.passive = f->ask.passive,
		.wanted = flow_wanted_level(&f->ask),
		.reachable = reachable(f),
	};

	if (f->home != NULL) {
		facts.home_cancelled = f->home->outcome == SAML_OUTCOME_CANCELLED;
		facts.home_refused = f->home->outcome == SAML_OUTCOME_REFUSED;
		facts.home_below = f->home->outcome == SAML_OUTCOME_LEVEL;
	}
	f->subject = NULL;
	f->level = counted_level(f);
	if (f->level != LEVEL_NONE && !load_holding(f, err))
		return false;
	facts.session_usable = f->subject != NULL;
	facts.session = f->level;
	if (facts.session_usable && facts.session >= facts.wanted && !load_offer(f, &facts, err))
		return false;
	f->state = flow_state_of(&facts);
	return true;
}
