/*
 * Test doubles of BundID and of the organisation account (kontor simulate): an identity provider
 * for tests alone, so that portals and states can try what happens with all that those answer.
 * It judges requests as strictly as their interfaces are written, tells what is wrong, and
 * answers by our own writer: well, or broken in one deliberate way.
 *
 * It has no database, no signer and none of an instance's keys.  Persons are invented.
 */
#ifndef KONTOR_IDP_SIMULATE_H
#define KONTOR_IDP_SIMULATE_H

#include <pthread.h>

#include "idp/app.h"
#include "idp/config.h"
#include "idp/level.h"
#include "keys/folder.h"
#include "saml/authn_request.h"
#include "saml/response.h"

/* ---- what there is to simulate (simulate_kind.c) ---- */

enum sim_of { SIM_BUNDID = 1, SIM_ORGANISATION = 2 }; /* bits: rules and outcomes have several */

/* What is not held for a person but follows from the login. */
enum sim_fact {
	SIM_HELD = 0,
	SIM_PSEUDONYM,     /* bPK2; du-… */
	SIM_OLD_PSEUDONYM, /* bPK */
	SIM_LEVEL,
	SIM_PROVED_BY,
	SIM_VERSION, /* of the interface */
	SIM_MAILBOX,
	SIM_APPLICATION,
	SIM_MFA,
	SIM_TEST_ACCOUNT,
};

struct sim_name {
	const char *friendly, *wire;
	enum sim_fact fact;
	bool is_address; /* several parts */
};

struct sim_kind {
	enum sim_of of;
	const char *word;                                        /* on the command line: "bundid" */
	const char *title;                                       /* "BundID" */
	const char *path, *post_path, *redirect_path, *slo_path; /* redirect NULL: none */
	unsigned nameid_formats;                                 /* enum saml_nameid_format */
	const char *name_format;                                 /* of attributes */
	const struct xmlns *type_ns;                             /* of addresses */
	const struct sim_name *names;                            /* end with a NULL friendly */
};

const struct sim_kind *sim_kind_find(const char *word); /* NULL: none */
const struct sim_name *sim_name_by_wire(const struct sim_kind *k, const char *wire);
const struct sim_name *sim_name_by_friendly(const struct sim_kind *k, const char *friendly);

/* ---- who logs in (simulate_person.c) ---- */

struct sim_value {
	const struct sim_name *name;
	const char *text; /* NULL: an address */
	const struct saml_part *parts;
	size_t n_parts;
	enum level level;
};

struct sim_person {
	const char *id;
	const char *title[LANG_COUNT];
	const char *method; /* as akdb:AuthnMethods has it; NULL: none */
	enum level level;
	bool temporary;           /* without an account, so without a lasting pseudonym */
	const char *organisation; /* NULL: nobody's but their own */
	const struct sim_value *values;
	size_t n_values;
};

struct sim_persons {
	const struct sim_person *p;
	size_t n;
};

/* The built-in ones of a kind, as the JSON that may be given in their place. */
struct bytes sim_persons_built_in(const struct sim_kind *k);

/* ERR_INPUT: names the person and what is wrong. */
MUST_USE bool sim_persons_read(struct arena *a, const struct sim_kind *k, struct bytes json,
			       struct sim_persons *out, struct err *err);

const struct sim_person *sim_person_find(const struct sim_persons *list, const char *id);
const struct sim_value *sim_person_value(const struct sim_person *p, const struct sim_name *name);

/* ---- the double itself ---- */

struct sim_portal {
	struct saml_party *party; /* as registered, but that old suites count and are remarked on */
	bool says_signed;         /* AuthnRequestsSigned */
	const char *name;
	/* Of the last good answer to it, to be repeated; NULL: none.  Under the lock. */
	const char *assertion_id, *message;
	struct arena *last;
};

/* What is answered without asking; person NULL: the page asks. */
struct sim_automatic {
	const struct sim_person *person;
	const struct sim_outcome *outcome;
};

struct simulate {
	struct app app; /* first: a request leads here */
	struct config config;
	const struct sim_kind *kind;
	const char *entity_id, *post_url, *redirect_url, *slo_url;
	struct sim_portal *portals;
	size_t n_portals;
	struct sim_persons persons;
	struct folder_keys *keys;
	struct key_ops ops;
	const struct saml_suite *suite;
	pthread_mutex_t lock; /* over what follows, and what portals were told last */
	struct sim_automatic automatic;
};

struct sim_options {
	const struct sim_kind *kind;
	const char *base_url; /* http(s)://HOST[:PORT] */
	const struct bytes *portals;
	size_t n_portals;
	struct bytes persons;         /* n 0: the built-in ones */
	const char *keys;             /* a folder; NULL: in memory */
	const char *suite;            /* "ps256", "rs256", "es256" */
	const char *person, *outcome; /* answered at once; NULL */
	time_t now;
};

/* *s is zeroed and lives in `a`, with which all of it goes. */
MUST_USE bool simulate_open(struct arena *a, const struct sim_options *o, struct simulate *s,
			    struct err *err);

struct simulate *simulate_of(const struct request *rq);

/* ERR_NOT_FOUND: no such person or outcome here; person NULL: the page asks again. */
MUST_USE bool simulate_set(struct simulate *s, const char *person, const char *outcome,
			   struct err *err);
struct sim_automatic simulate_automatic(struct simulate *s);

/* Its signed metadata, anew. */
MUST_USE bool simulate_metadata(struct arena *a, struct simulate *s, time_t now, struct bytes *out,
				struct err *err);

MUST_USE bool simulate_signer(struct arena *a, const struct simulate *s, const char *kid,
			      struct saml_signer *out, struct err *err);

#define SIM_KID_SIGN     "sign"
#define SIM_KID_STRANGER "stranger" /* in nobody's metadata */
#define SIM_KID_DECRYPT  "decrypt"

/* ---- judging requests (simulate_judge.c) ---- */

enum sim_weight {
	SIM_ADVICE = 1, /* the interface has it otherwise, and nobody refuses it for that */
	SIM_REFUSAL,
};

struct sim_case;

struct sim_rule {
	int number; /* for good: docs/simulate.md */
	const char *name, *clause;
	unsigned of; /* enum sim_of */
	enum sim_weight weight;
	const char *status; /* what is answered then (saml/status.h); NULL: a page, nothing else */
	bool stops;         /* nothing further can be judged */
	bool (*holds)(struct sim_case *c, struct err *err);
};

#define SIM_RULES_MOST 64

struct sim_finding {
	const struct sim_rule *rule;
	bool holds;
	const char *detail; /* NULL when it holds */
};

/* A request under judgement. */
struct sim_case {
	struct arena *a;
	struct simulate *s;
	time_t now;
	enum saml_binding binding;
	struct bytes raw;
	const char *address; /* of the browser; NULL: unknown */

	const struct saml_message *m; /* all of these NULL until they are known */
	struct sim_portal *portal;
	const struct saml_verified *v;
	const struct saml_authn_request *r;
	const struct xml_node *root;
	const struct saml_endpoint *acs;

	struct sim_finding found[SIM_RULES_MOST];
	size_t n_found, n_refusals, n_advice;
	const char *status; /* what it is refused with; NULL: it cannot be answered, or need not */
};

/* Fill in all from a, s, now, binding and raw. */
void sim_judge(struct sim_case *c);

/* The same of a portal's metadata, for the rules about them. */
void sim_judge_metadata(struct sim_case *c);

/* Row i, those of metadata behind those of requests; NULL past the end. */
const struct sim_rule *sim_rule_at(size_t i);

/* What it asks for: LEVEL_NONE for nothing that there is. */
enum level sim_level_wanted(const struct sim_case *c);

/* The means is one that the request lets people use. */
bool sim_method_allowed(const struct sim_case *c, const struct sim_person *p);

/* ---- answering (simulate_answer.c) ---- */

struct sim_build; /* an answer being made */

struct sim_outcome {
	const char *name;
	unsigned of;                /* enum sim_of */
	bool broken;                /* no provider may answer so, and no portal may take it */
	const char *code, *subcode; /* NULL: success */
	void (*before)(struct sim_case *c, struct sim_build *b); /* NULL: nothing is changed */
	bool (*after)(struct sim_case *c, struct bytes xml, struct bytes *out, struct err *err);
};

const struct sim_outcome *sim_outcome_find(const struct sim_kind *k, const char *name);
const struct sim_outcome *sim_outcome_at(size_t i); /* NULL past the end */

struct sim_choice {
	const struct sim_person *person;
	enum level level; /* LEVEL_NONE: the person's */
	const struct sim_outcome *outcome;
	const char *const *withheld; /* names of attributes that are not given */
	size_t n_withheld;
};

/* The answer to a request that is not refused.  ERR_CONFLICT: there is none to repeat yet. */
MUST_USE bool sim_answer(struct sim_case *c, const struct sim_choice *choice,
			 struct saml_carrier *out, struct err *err);

/* The answer to one that is: its status. */
MUST_USE bool sim_refuse(struct sim_case *c, struct saml_carrier *out, struct err *err);

/* ---- over HTTP (ep_simulate.c) ---- */

const struct route *simulate_routes(const struct sim_kind *k);

#endif
