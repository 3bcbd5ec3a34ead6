/*
 * What an operator laid down for a federation's source: whom of it we take, within which caps, what
 * waits for a person, and by which policy members are served and asked.  A JSON object, judged
 * when it is stored and read by each node.
 */
#ifndef KONTOR_IDP_FEDERATION_RULES_H
#define KONTOR_IDP_FEDERATION_RULES_H

#include "idp/federation.h"

/* What TR-03160-2 4.3.2.1 demands of each member; bits. */
enum federation_field {
	FEDERATION_VALID_UNTIL = 1 << 0,
	FEDERATION_ORGANIZATION_NAME = 1 << 1,
	FEDERATION_ORGANIZATION_DISPLAY_NAME = 1 << 2,
	FEDERATION_ORGANIZATION_URL = 1 << 3,
	FEDERATION_SIGNING_KEY = 1 << 4,
	FEDERATION_ENCRYPTION_KEY = 1 << 5,
	FEDERATION_CONTACT_ADMINISTRATIVE = 1 << 6,
	FEDERATION_CONTACT_TECHNICAL = 1 << 7,
	FEDERATION_CONTACT_SUPPORT = 1 << 8,
	FEDERATION_CONTACT_OTHER = 1 << 9,
};

/* Why a member is left out; kept in the index.  Zero: it is not. */
enum federation_filter {
	FEDERATION_TAKEN = 0,
	FEDERATION_NO_ROLE,     /* none of the roles */
	FEDERATION_DENIED,      /* it is in the list of those that are not taken */
	FEDERATION_NOT_ALLOWED, /* there is a list of those that are, and it is not in it */
	FEDERATION_REGISTRAR,   /* another registration authority */
	FEDERATION_UNMARKED,    /* none of the entity attributes */
	FEDERATION_MARKED,      /* one of those that are not taken */
	FEDERATION_FIELDS,      /* required fields are missing */
	FEDERATION_UNREADABLE,  /* what is needed of it cannot be read */
	FEDERATION_FILTERS,
};

enum federation_approval {
	FEDERATION_RISKY, /* grave changes of the whole or of a member wait */
	FEDERATION_WHOLE, /* only those of the whole: for many members, whom the signer vouches for
			   */
	FEDERATION_ALL,   /* every change waits */
};

struct federation_names {
	const char **p; /* sorted */
	size_t n;
};

struct federation_rules {
	unsigned roles;                                  /* enum saml_role */
	unsigned required;                               /* enum federation_field */
	struct federation_names allow, deny, registrars; /* n 0: no such list */
	/* Those looked for while reading: n_taken that are taken, n_left that are not, and last
	 * the one that hides from discovery. */
	struct saml_mark marks[SAML_MARKS_MOST];
	size_t n_taken, n_left;
	int64_t validity_most_s;
	int64_t gone_most; /* percent of members */
	size_t bytes_most, members_most, member_bytes_most;
	enum federation_approval approval;
	int64_t every_s;
	int64_t rank;          /* of two sources that have a member, the lower one's word counts */
	const char *policy;    /* JSON object as text */
	const json_t *members; /* by entityID; NULL: none has a policy of its own */
};

#define FEDERATION_RANK_MOST 1000

/* The widest caps there are. */
#define FEDERATION_BYTES_MOST        ((size_t)1024 * 1024 * 1024)
#define FEDERATION_MEMBERS_MOST      200000
#define FEDERATION_MEMBER_BYTES_MOST ((size_t)4096 * 1024)

#define FEDERATION_RULES_BYTES       ((size_t)1024 * 1024)

/* ERR_INPUT names the member that is wrong, policies included. */
MUST_USE bool federation_rules_parse(struct arena *a, const char *json,
				     struct federation_rules *out, struct err *err);

/* By the source's policy and the member's own above it; cap: of the whole node. */
MUST_USE bool federation_policy_of(struct arena *a, const struct federation_rules *rules,
				   const char *entity_id, enum level cap,
				   struct federation_policy *out, struct err *err);

size_t federation_n_marks(const struct federation_rules *rules);
/* It hides from discovery. */
bool federation_is_hidden(const struct federation_rules *rules, uint32_t marks);

/*
 * Is it left out, before anything of its text is looked at?  FEDERATION_FIELDS and
 * FEDERATION_UNREADABLE come later.
 */
enum federation_filter federation_filter(const struct federation_rules *rules,
					 const struct saml_entity *e);

/* Stable word ("not-allowed") and sentence of why it is left out. */
const char *federation_filter_word(enum federation_filter filter);
const char *federation_filter_sentence(enum federation_filter filter);

/* What a role has of them; FEDERATION_VALID_UNTIL is the entity's, and not told. */
unsigned federation_fields_of(const struct saml_party *p);

/* "organization-url contact-other": the names of these bits. */
const char *federation_fields_text(struct arena *a, unsigned fields);

#endif
