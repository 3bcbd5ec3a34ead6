/*
 * Other identity providers that people may come from: kinds of them in one table, and those that
 * an operator registered, as the snapshot holds them.  A new kind is a row.
 */
#ifndef KONTOR_IDP_UPSTREAM_H
#define KONTOR_IDP_UPSTREAM_H

#include "db/upstream.h"
#include "idp/policy.h"
#include "oidc/provider.h"
#include "saml/answer.h"

struct upstream;

/* How providers of a kind are asked, and how their answers are read. */
struct upstream_kind {
	const char *name;
	const char *sentence;             /* for the manual */
	const char *proved_by;            /* AssertionProvedBy, as BundID's portals know it */
	const char *prefix;               /* of pseudonyms that portals get of its people */
	enum saml_binding binding;        /* requests go by, if it has such an endpoint */
	enum level_vocabulary vocabulary; /* of the classes it is asked for */
	enum vocabulary names;            /* of the attributes it is asked for */
	const char *nameid_format;        /* asked for; NULL: none is */
	const char *identify;             /* the attribute whose value stays; NULL: the NameID */
	const char *level;                /* attributes that say the level, separated by a space;
					     NULL: the AuthnContextClassRef does */
	bool oidc;                        /* it is asked by OpenID Connect; else by SAML */
	bool akdb, eidas;                 /* request extensions */
	bool scoping;                     /* is told who asks at last */
	bool levels_attributes; /* each attribute has its level; else all have the login's */
};

extern const struct upstream_kind upstream_kinds[]; /* ends with a NULL name */
const struct upstream_kind *upstream_kind_find(const char *name);

/* What the operator laid down for one. */
struct upstream_policy {
	enum level level_cap;                 /* who says more is not believed at all */
	struct wanted_list attributes;        /* taken from it; n 0: all that we know */
	const struct level_word *level_words; /* its own, before those of the vocabularies */
	size_t n_level_words;
	enum saml_answer_signed sign;
	bool encrypted;            /* plain assertions are refused */
	const char *identify;      /* in place of the kind's; "nameid": the NameID */
	bool scoped;               /* it speaks for identifiers of its scopes alone: */
	const char *const *scopes; /* what these end with, after an "@"; none: for nobody */
	size_t n_scopes;
	time_t old_until;   /* RSA PKCS#1 v1.5 counts before it; 0: never */
	enum sig_alg suite; /* it is asked with; SIG_NONE: the best that it can */
	/* In place of the kind's; the counts: the kind's. */
	enum level_vocabulary vocabulary;
	enum vocabulary names;
	int64_t lifetime_s;         /* of its answers; 0: as they say themselves */
	bool first;                 /* before the others in the list */
	enum level attribute_level; /* of attributes that come without one; LEVEL_NONE: left out */
	const char *service_id;     /* given by the provider for us (OnlineServiceId); NULL */
	const char *client_id;      /* likewise, of an OpenID Provider */
	enum oidc_alg signing_alg;  /* of its ID tokens; OIDC_ALG_NONE: as its keys say */
};

/* An OpenID Provider, as it was fetched last. */
struct upstream_oidc {
	const char *client_id;
	const struct oidc_provider *provider; /* NULL: nothing that can be used was fetched yet */
	struct oidc_jwks keys;
	struct bytes keys_text; /* to be told from others */
};

struct upstream {
	const char *id; /* of a federation's member: its entityID */
	const struct upstream_kind *kind;
	const char *display_name;
	bool enabled;
	struct upstream_policy policy;
	const char *entity_id;            /* or its issuer */
	const struct saml_party *saml;    /* of its role as identity provider; NULL: it has none */
	const struct upstream_oidc *oidc; /* then this */
	const char *source;               /* the federation that it is a member of; NULL: none, it
					     was registered by hand */
};

struct upstreams {
	const struct upstream *p; /* sorted by id */
	size_t n;
	bool saml;    /* one of them speaks SAML */
	bool members; /* and those of a federation, which are looked up (idp/home.h) */
};

/* A row as a provider; what does not parse is ERR_INPUT. */
MUST_USE bool upstream_parse(struct arena *a, const struct db_upstream *row, struct upstream *out,
			     struct err *err);

/* What was fetched of an OpenID Provider: does it read?  (idp/upstream_fetch.h) */
MUST_USE bool upstream_read_keys(struct arena *a, struct bytes text, enum oidc_alg signing_alg,
				 struct oidc_jwks *out, struct err *err);

/* Where people are sent; NULL: it is not known yet. */
const char *upstream_url(const struct upstream *u);

/* All rows; one that does not parse is left out and handed to `bad`. */
void upstreams_create(struct arena *a, const struct db_upstream *rows, size_t n,
		      void (*bad)(const char *id, const struct err *err), struct upstreams *out);

/* By id, or by entityID; NULL: none.  Disabled ones, too. */
const struct upstream *upstream_find(const struct upstreams *list, const char *id);
const struct upstream *upstream_of_entity(const struct upstreams *list, const char *entity_id);

/* validUntil of its metadata has passed: nothing that it says counts any more. */
bool upstream_is_over(const struct upstream *u, time_t now);

/* The highest level that any enabled one may tell of; LEVEL_NONE: there is none. */
enum level upstreams_reach(const struct upstreams *list);

/* Ids are short and last: letters, digits and "-", 1 to 32 of them. */
bool upstream_is_id(const char *id);

/* One key of the policy, for the command line ("--level-cap") and the manual. */
struct upstream_key {
	const char *name, *argument, *fallback, *sentence;
	bool repeatable;
	bool (*read)(struct arena *a, const json_t *v, struct upstream_policy *p, struct err *err);
};
extern const struct upstream_key upstream_keys[]; /* ends with a NULL name */

/* Set one key of a policy from its command-line text; as policy_put. */
MUST_USE bool upstream_put(struct arena *a, json_t *policy, const char *key, const char *text,
			   struct err *err);

#endif
