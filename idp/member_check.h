/*
 * What there is to say of a member's metadata before a second person approves them: whether they
 * have what TR-03160-2 demands, what is wrong or unwise in each of their roles, and what becomes
 * different.  One table of rules; what a service provider's metadata are judged by
 * (saml/metadata_check.h) and what changes are called by (saml/metadata_diff.h) are the same here.
 */
#ifndef KONTOR_IDP_MEMBER_CHECK_H
#define KONTOR_IDP_MEMBER_CHECK_H

#include "saml/metadata_check.h"

struct member_check {
	const char *entity_id;
	struct bytes document; /* as it was brought */
	struct bytes before;   /* as it counts; n 0: nothing does */
	time_t valid_until;    /* in the register; 0: without an end */
	time_t now;
};

/* Never fails: what is wrong is a finding.  out->party is NULL. */
void member_examine(struct arena *a, const struct member_check *what, struct saml_checked *out);

/* The id of rule i, for tests and documents; NULL past the end. */
const char *member_rule_at(size_t i);

#endif
