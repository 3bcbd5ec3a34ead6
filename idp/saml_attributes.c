/* Names asked with and answered in; see saml_attributes.h. */
#include "idp/saml_attributes.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "idp/ask.h"
#include "idp/config.h"
#include "idp/home.h"
#include "idp/login.h"
#include "saml/status.h"

/* ---- asking ---- */

struct saml_named_list
saml_attributes_of_service(struct arena *a, const struct saml_attribute_service *s)
{
	struct saml_named *p = ARENA_ARRAY(a, struct saml_named, s->n_attributes + 1);

	for (size_t i = 0; i < s->n_attributes; i++)
		p[i] = (struct saml_named){s->attributes[i].name, s->attributes[i].required};
	return (struct saml_named_list){p, s->n_attributes};
}

/* What the request names itself; else its service, of which *of_metadata is true. */
static struct saml_named_list
names_of(struct arena *a, const struct saml_authn_request *r, const struct saml_wish *wish,
	 bool *of_metadata)
{
	*of_metadata = false;
	if (r->akdb != NULL && r->akdb->attributes.n > 0)
		return r->akdb->attributes;
	if (r->eidas.attributes.n > 0)
		return r->eidas.attributes;
	*of_metadata = wish->service != NULL;
	if (wish->service != NULL)
		return saml_attributes_of_service(a, wish->service);
	return (struct saml_named_list){NULL, 0};
}

/* An address is several attributes, of which some may be registered. */
static bool
may_be_told(const char *name, const struct party *p)
{
	enum login_fact fact = vocabulary_fact(name);

	if (fact != FACT_COUNT)
		return fact != FACT_SUBJECT_ID || p->policy.subject_id;
	for (size_t i = 0; i < p->policy.attributes.n; i++)
		if (vocabulary_names(name, p->policy.attributes.p[i].at))
			return true;
	return false;
}

const char *
saml_attributes_lacking(const struct saml_named_list *names, const struct party *p)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->p[i].required && !may_be_told(names->p[i].name, p))
			return names->p[i].name;
	return NULL;
}

/* One name may stand for several attributes, and two names for one. */
struct wanted_list
saml_attributes_wanted(struct arena *a, const struct saml_named_list *names, const struct party *p)
{
	size_t used = 0, most = 0;

	for (const struct attribute *at = attributes; at->name != NULL; at++)
		most++;
	struct wanted *w = ARENA_ARRAY(a, struct wanted, most + 1);

	for (const struct attribute *at = attributes; at->name != NULL; at++) {
		bool named = false, required = false;

		for (size_t i = 0; i < names->n; i++) {
			if (!vocabulary_names(names->p[i].name, at))
				continue;
			named = true;
			required = required || names->p[i].required;
		}
		required = required && release_wants(p->policy.attributes, at);
		if (named)
			w[used++] = (struct wanted){at, required, false};
	}
	return (struct wanted_list){w, used};
}

/* The first name that is of one vocabulary only says in which the party is answered. */
enum vocabulary
saml_attributes_vocabulary(const struct saml_named_list *names, const struct party *p)
{
	for (size_t i = 0; i < names->n; i++) {
		enum vocabulary v = vocabulary_of(names->p[i].name);

		if (v != VOCABULARY_COUNT)
			return v;
	}
	return p->policy.names;
}

bool
saml_attributes_asked(struct arena *a, const struct saml_authn_request *r,
		      const struct saml_wish *wish, struct ask *ask, const char **about,
		      struct err *err)
{
	bool of_metadata;
	struct saml_named_list names = names_of(a, r, wish, &of_metadata);
	const char *needed = ask->party->saml->subject_id;
	json_t *facts = json_new_array(a);

	if (names.n > ASK_NAMES_MAX)
		return FAIL(err, ERR_DENIED, SAML_WHY_TOO_MANY_NAMES, "%zu attributes named",
			    names.n);
	/* What the operator wrote down is what it gets, whatever its metadata demand besides. */
	if (!of_metadata || !ask->party->policy.own_attributes) {
		*about = saml_attributes_lacking(&names, ask->party);
		if (*about != NULL)
			return FAIL(err, ERR_DENIED, SAML_WHY_ATTRIBUTE_MISSING,
				    "a required attribute cannot be had: %s", *about);
	}
	for (size_t i = 0; i < names.n; i++)
		if (vocabulary_fact(names.p[i].name) != FACT_COUNT)
			json_push_str(a, facts, names.p[i].name);
	if (needed != NULL) /* "any" is the one that tells less */
		json_push_str(a, facts,
			      text_eq(needed, "subject-id") ? NAME_SUBJECT_ID : NAME_PAIRWISE_ID);
	ask->names_attributes = names.n > 0;
	ask->wanted = saml_attributes_wanted(a, &names, ask->party);
	json_put_str(a, ask->state, "names",
		     vocabulary_word(saml_attributes_vocabulary(&names, ask->party)));
	json_put_bool(a, ask->state, "named", names.n > 0);
	json_put(a, ask->state, "facts", facts);
	return true;
}

/* ---- telling ---- */

struct asked {
	enum vocabulary v;
	bool named;
	unsigned facts;
};

static bool
asked_read(struct arena *a, const struct ask *ask, struct asked *out, struct err *err)
{
	struct asked asked = {.v = VOCABULARY_BUNDID};
	const char *word = NULL, **facts;
	size_t n;

	if (!json_get_str(ask->state, "names", &word, err) ||
	    !json_get_bool(ask->state, "named", &asked.named, err) ||
	    !json_get_strs(a, ask->state, "facts", ASK_NAMES_MAX + 1, &facts, &n, err))
		return false;
	if (word != NULL && !vocabulary_from_word(word, &asked.v))
		return FAIL(err, ERR_NOT_FOUND, NULL, "ask: no names '%s'", word);
	for (size_t i = 0; i < n; i++) {
		asked.facts |= 1u << vocabulary_fact(facts[i]); /* FACT_COUNT is never told */
	}
	*out = asked;
	return true;
}

const char *
saml_attributes_name(struct arena *a, const struct ask *ask, const struct attribute *at)
{
	struct asked asked;

	return vocabulary_name(asked_read(a, ask, &asked, NULL) ? asked.v : VOCABULARY_BUNDID, at);
}

static bool
is_asked(const struct asked *asked, const struct party *p, enum login_fact fact)
{
	if ((fact == FACT_LEVEL || fact == FACT_ATTRIBUTE_LEVELS) && p->policy.level_attributes)
		return true;
	if ((asked->facts & 1u << fact) != 0)
		return fact != FACT_SUBJECT_ID || p->policy.subject_id;
	return !asked->named && vocabulary_always_tells(asked->v, fact);
}

/* More than one means, not more than one proof. */
static bool
is_multi_factor(struct flow *f)
{
	size_t n;
	const char **amr = login_amr(f, &n);

	return text_in(amr, n, "mfa");
}

static const char *
proved_by(const struct db_session *s)
{
	const struct login_method *m = login_method_find(s->proofs[s->n_proofs - 1].method);

	return m == NULL ? "Benutzername" : m->proved_by;
}

/* As TR-03160-1 calls them, which EKONA's portals read; NULL for LEVEL_NONE. */
static const char *
german_level(enum level level)
{
	static const char *const words[] = {
		[LEVEL_BASIC] = "basisregistrierung",
		[LEVEL_LOW] = "niedrig",
		[LEVEL_SUBSTANTIAL] = "substanziell",
		[LEVEL_HIGH] = "hoch",
	};

	return words[level];
}

static enum level
least_released(const struct release *r)
{
	enum level least = r->n == 0 ? LEVEL_NONE : LEVEL_HIGH;

	for (size_t i = 0; i < r->n; i++)
		least = level_min(least, r->p[i].level);
	return least;
}

/*
 * uniqueID@scope, compared without regard to case (Subject Identifier Attributes
 * 3.3.2): the pseudonym in hex, at our host.
 */
static bool
scoped_id(struct flow *f, const char *pseudonym, const char **out, struct err *err)
{
	struct arena *a = f->rq->a;
	const char *dot =
		strrchr(pseudonym, '.'); /* behind it, that of another provider's people */
	struct bytes octets;

	if (!dec_base64url(a, bytes_of(dot == NULL ? pseudonym : dot + 1), &octets,
			   err)) /* second line: it is ours */
		return false;
	*out = arena_printf(a, "%s%s@%s", dot == NULL ? "" : "home-", enc_hex(a, octets),
			    party_host(a, f->rq->app->config->base_url));
	return true;
}

static bool
subject_id(struct flow *f, const char **out, struct err *err)
{
	const char *pseudonym;

	return home_pseudonym(f, PARTY_SECTOR_OF_ALL, NULL, &pseudonym, err) &&
	       scoped_id(f, pseudonym, out, err);
}

/* eIDAS SAML Attribute Profile 2.2.3.1: whose identifier it is, and for whom. */
static const char *
pseudonym_in(struct arena *a, enum vocabulary v, const char *pseudonym)
{
	if (v == VOCABULARY_EIDAS)
		return arena_printf(a, "DE/DE/%s", pseudonym);
	return v == VOCABULARY_EKONA ? arena_printf(a, "du-%s", pseudonym) : pseudonym;
}

static size_t
attribute_levels(const struct flow *f, const char **values)
{
	size_t used = 0;

	for (size_t i = 0; i < f->granted.n; i++) {
		const struct released *r = &f->granted.p[i];
		const char *word = level_word(r->level, f->ask.party->policy.vocabulary);

		if (word != NULL) /* eIDAS has none for Basisregistrierung */
			values[used++] = arena_printf(
				f->rq->a, "%s=%s", vocabulary_name(VOCABULARY_BASIC, r->at), word);
	}
	return used;
}

/* *n values of one fact; none when there is nothing to say. */
static bool
fact_values(struct flow *f, enum vocabulary v, enum login_fact fact, const char *pseudonym,
	    const char *class_ref, const char **values, size_t *n, struct err *err)
{
	*n = 1;
	switch (fact) {
	case FACT_PSEUDONYM:
		values[0] = pseudonym_in(f->rq->a, v, pseudonym);
		break;
	case FACT_OLD_PSEUDONYM:
		values[0] = pseudonym;
		break;
	case FACT_LEVEL:
		values[0] = v == VOCABULARY_EKONA ? german_level(flow_told_level(f)) : class_ref;
		break;
	case FACT_PROVED_BY:
		values[0] = f->home != NULL ? f->home->proved_by : proved_by(f->session);
		break;
	case FACT_MFA:
		values[0] = is_multi_factor(f) ? "true" : "false";
		break;
	case FACT_ATTRIBUTE_LEVELS:
		*n = attribute_levels(f, values);
		return true;
	case FACT_IDENTITY_LEVEL:
		values[0] = german_level(least_released(&f->granted));
		break;
	case FACT_PERSON_KIND:
		values[0] = "NatPers";
		break;
	case FACT_DATA_KIND:
		values[0] = "IdNr";
		break;
	case FACT_TEST_ACCOUNT:
		values[0] = "false";
		break;
	case FACT_PAIRWISE_ID:
		return scoped_id(f, pseudonym, &values[0], err); /* second line: it is ours */
	case FACT_SUBJECT_ID:
		return subject_id(f, &values[0], err);
	case FACT_COUNT:
		values[0] = NULL;
		break;
	}
	*n = values[0] == NULL ? 0 : 1;
	return true;
}

bool
saml_attributes_told(struct flow *f, const char *pseudonym, const char *class_ref,
		     const struct saml_attribute **out, size_t *n, struct err *err)
{
	struct arena *a = f->rq->a;
	struct saml_attribute *list =
		ARENA_ARRAY(a, struct saml_attribute, f->granted.n + FACT_COUNT);
	struct asked asked;

	if (!asked_read(a, &f->ask, &asked, err))
		return false;
	*n = 0;
	vocabulary_tell(a, asked.v, &f->granted, list, n);
	for (enum login_fact fact = 0; fact < FACT_COUNT; fact++) {
		if (!is_asked(&asked, f->ask.party, fact))
			continue;
		const char **values = ARENA_ARRAY(a, const char *, f->granted.n + 1);
		size_t n_values;

		if (!fact_values(f, asked.v, fact, pseudonym, class_ref, values, &n_values, err))
			return false;
		vocabulary_tell_fact(asked.v, fact, values, n_values, list, n);
	}
	*out = list;
	return true;
}

void
saml_attributes_queried(struct request *rq, const struct party *p, enum vocabulary v,
			const struct release *granted, const struct saml_attribute **out, size_t *n)
{
	const struct flow f = {.rq = rq, .ask = {.party = p}, .granted = *granted};
	struct saml_attribute *list = ARENA_ARRAY(rq->a, struct saml_attribute, granted->n + 1);
	const char **levels = ARENA_ARRAY(rq->a, const char *, granted->n + 1);

	*n = 0;
	vocabulary_tell(rq->a, v, granted, list, n);
	if (p->policy.level_attributes)
		vocabulary_tell_fact(v, FACT_ATTRIBUTE_LEVELS, levels, attribute_levels(&f, levels),
				     list, n);
	*out = list;
}
