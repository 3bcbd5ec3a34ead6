/* Whom people may come from, by name: one look-up for both sorts; see home.h. */
#include "idp/home_part.h"

#include "base/text.h"
#include "idp/config.h"
#include "idp/federation.h"
#include "idp/federation_claims.h"
#include "idp/party.h"

#define MEMBER_KIND "fink"

/* What people know it by, in their language. */
static const char *
name_of(const struct request *rq, const struct saml_party *p)
{
	const char *lang = rq->lang == LANG_EN ? "en" : "de", *name;

	name = saml_texts_find(&p->display_name, lang);
	if (name == NULL)
		name = saml_texts_find(&p->organization_display_name, lang);
	return name == NULL ? party_host(rq->a, p->entity_id) : text_one_line(rq->a, name);
}

/* What a federation's rules say of those that we ask. */
static struct upstream_policy
policy_of(const struct federation_member *m)
{
	const struct federation_policy *p = m->policy;

	return (struct upstream_policy){
		.level_cap = p->home_cap,
		.attributes = p->policy.attributes,
		.level_words = p->policy.level_words,
		.n_level_words = p->policy.n_level_words,
		.sign = SAML_ANSWER_BOTH,
		/* TR-03160-2 4.3.2.8: signed, then encrypted. */
		.encrypted = p->policy.encrypt != ENCRYPT_NEVER,
		.attribute_level = p->attribute_level,
		.scoped = p->scoped,
		.old_until = p->policy.old_until,
		.suite = p->policy.suite,
		.vocabulary = p->policy.vocabulary,
		.names = p->policy.names,
		.lifetime_s = p->lifetime_s,
	};
}

/* What an operator gave to somebody who was registered by hand is not a member's. */
static bool
is_given_away(const struct request *rq, const char *scope)
{
	const struct upstreams *all = &rq->snap->upstreams;
	const char *key = federation_scope_key(rq->a, scope);

	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < all->p[i].policy.n_scopes; k++)
			if (text_eq(key, federation_scope_key(rq->a, all->p[i].policy.scopes[k])))
				return true;
	return false;
}

static void
give_scopes(const struct request *rq, const struct federation_member *m, struct upstream_policy *p)
{
	const char **own = ARENA_ARRAY(rq->a, const char *, m->n_scopes);

	for (size_t i = 0; i < m->n_scopes; i++)
		if (!is_given_away(rq, m->scopes[i]))
			own[p->n_scopes++] = m->scopes[i];
	p->scopes = own;
}

static bool
find_member(const struct request *rq, const char *entity_id, const struct upstream **out,
	    struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct saml_party *party = ARENA_NEW(rq->a, struct saml_party);
	struct upstream *u = ARENA_NEW(rq->a, struct upstream);
	struct federation_member m;

	if (!federation_find(rq->app, &c, entity_id, SAML_ROLE_IDP, rq->now, &m, err))
		return false;
	if (saml_party_sso(m.saml, SAML_BINDING_NONE) == NULL || m.saml->signing.n == 0)
		return FAIL(err, ERR_DENIED, "member_left_out",
			    "it has no endpoint that we can ask, or no key to sign with");
	*party = *m.saml;
	*u = (struct upstream){
		.id = party->entity_id,
		.kind = upstream_kind_find(MEMBER_KIND),
		.display_name = name_of(rq, party),
		.enabled = true,
		.policy = policy_of(&m),
		.entity_id = party->entity_id,
		.saml = party,
		.source = m.source,
	};
	party->old_until = u->policy.old_until;
	give_scopes(rq, &m, &u->policy);
	*out = u;
	return true;
}

static bool
registered(const struct request *rq, const struct upstream *u, const struct upstream **out,
	   struct err *err)
{
	*out = u;
	if (upstream_is_over(u, rq->now))
		return FAIL(err, ERR_DENIED, "member_over",
			    "validUntil of the metadata of %s has passed", u->id);
	return u->enabled ||
	       FAIL(err, ERR_DENIED, "home_off", "the provider %s is switched off", u->id);
}

bool
home_upstream_find(const struct request *rq, const char *id, const struct upstream **out,
		   struct err *err)
{
	const struct upstream *u = upstream_find(&rq->snap->upstreams, id);

	if (u != NULL)
		return registered(rq, u, out, err);
	if (upstream_is_id(id))
		return FAIL(err, ERR_NOT_FOUND, "member_unknown", "no provider %s", id);
	return home_upstream_of_entity(rq, id, out, err);
}

bool
home_upstream_of_entity(const struct request *rq, const char *entity_id,
			const struct upstream **out, struct err *err)
{
	const struct upstream *u = upstream_of_entity(&rq->snap->upstreams, entity_id);

	return u != NULL ? registered(rq, u, out, err) : find_member(rq, entity_id, out, err);
}
