/*
 * What becomes different when a party's metadata is replaced, and how much of it a
 * person has to look at first: one rule a row.  Pure, so that it serves a party's own
 * URL and an aggregate alike.  Both sides are what saml_metadata_parse made; whether the
 * new one is wise by itself, saml_metadata_lint tells.
 */
#ifndef KONTOR_SAML_METADATA_DIFF_H
#define KONTOR_SAML_METADATA_DIFF_H

#include "saml/metadata.h"

/* Gravest first; zero refuses.  Words of them are stored: never rename. */
enum saml_risk {
	SAML_RISK_REFUSED = 0, /* it is not this party's metadata */
	SAML_RISK_HELD,        /* a person has to approve it */
	SAML_RISK_PLAIN,       /* may count at once */
	SAML_RISK_RENEWAL,     /* says the same for another time */
};
#define SAML_RISKS 4

struct saml_change {
	enum saml_risk risk;
	int number;          /* of the rule; stable, in documents */
	const char *rule;    /* static and stable: "acs-host" */
	const char *subject; /* what it is about: an origin, a fingerprint, a name; "" */
	const char *text;    /* a sentence for the operator */
};

struct saml_changes {
	const struct saml_change *p; /* gravest first */
	size_t n;
};

/* "refused", "held", "plain", "renewal". */
const char *saml_risk_word(enum saml_risk risk);

/*
 * From `before` to `after`; everything lives in `a`.  signed_by_pinned: `after` comes under the
 * signature of a key that an operator named, so that what the party's web server could not
 * have made up need not wait (`unless_signed`).
 */
void saml_metadata_diff(struct arena *a, const struct saml_party *before,
			const struct saml_party *after, bool signed_by_pinned,
			struct saml_changes *out);

/* The gravest of them; SAML_RISK_RENEWAL when there is none. */
enum saml_risk saml_changes_risk(const struct saml_changes *changes);

/*
 * One value for what a person was asked: the rules and subjects of all changes that are at
 * least as grave as `least`.  Equal when metadata that is signed anew each time asks the same
 * again.  32 octets.
 */
void saml_changes_digest(struct arena *a, const struct saml_changes *changes, enum saml_risk least,
			 unsigned char out[32]);

/* A row of the rules, for documents and tests; NULL: there are no more. */
struct saml_change_rule {
	int number;
	enum saml_risk risk;
	const char *id, *sentence;
	bool unless_signed; /* SAML_RISK_PLAIN under a pinned signer's signature */
};
const struct saml_change_rule *saml_change_rule_at(size_t i);

#endif
