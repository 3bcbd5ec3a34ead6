/* What the files of the comparison share; see metadata_diff.h. */
#ifndef KONTOR_SAML_METADATA_DIFF_PART_H
#define KONTOR_SAML_METADATA_DIFF_PART_H

#include "saml/metadata_diff.h"

struct diff {
	struct arena *a;
	const struct saml_party *before, *after;
	bool signed_by_pinned;
	const struct saml_change_rule *rule; /* whose turn it is */
	struct saml_change *found;
	size_t n;
};

/* A change by the rule whose turn it is.  Past the end graver ones are told already. */
void diff_find(struct diff *d, const char *subject, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* ---- rules of metadata_diff_keys.c ---- */

void look_signing_gone(struct diff *d);
void look_encryption_gone(struct diff *d);
void look_signing_replaced(struct diff *d);
void look_encryption_replaced(struct diff *d);
void look_encryption_weaker(struct diff *d);
void look_recipient(struct diff *d);
void look_signing_new(struct diff *d);
void look_keys(struct diff *d);
void look_certificate(struct diff *d);

#endif
