/*
 * A SAML party's metadata before it counts: read, judged and compared with what counts now,
 * in one way whether an operator brings it or its URL (idp/refresh.h).
 */
#ifndef KONTOR_IDP_PARTY_METADATA_H
#define KONTOR_IDP_PARTY_METADATA_H

#include "base/json.h"
#include "db/source.h"
#include "idp/fetch.h"
#include "idp/party.h"
#include "saml/metadata_check.h"
#include "saml/metadata_diff.h"

struct config;

#define PARTY_METADATA_MAX SAML_METADATA_MAX_BYTES

/* ---- from its URL ---- */

/* By whom it is fetched: fetch_get, but for tests. */
typedef bool (*party_get_fn)(struct arena *a, const struct fetch_get *what, struct fetch_got *out,
			     struct err *err);

/* The keys of certificates in PEM, one or more.  ERR_INPUT. */
MUST_USE bool party_signers_parse(struct arena *a, const char *pem, struct saml_keys *out,
				  struct err *err);

/* The same certificates themselves, in the same order. */
MUST_USE bool party_signers_certs(struct arena *a, const char *pem, const struct bytes **out,
				  size_t *n, struct err *err);

/*
 * Ask the source, of its party (NULL: the only one that is told of).  The body is what may be
 * read: where signers are pinned, the octets under their signature and nothing else, and of an
 * aggregate that entity alone.  ERR_DENIED, ERR_INPUT: that signature; else fetch_get's.
 */
MUST_USE bool party_metadata_fetch(struct arena *a, const struct config *config, party_get_fn get,
				   const struct db_source *source, struct fetch_got *out,
				   struct err *err);

/* ---- before it counts ---- */

struct party_judged {
	struct party party;          /* as the program will have it, with its record */
	struct saml_checked checked; /* all findings but what is fine */
};

/*
 * Would this row do?  flags: enum saml_lint_flag.  ERR_INPUT: it is not this party's metadata,
 * or its record does not fit; ERR_DENIED: a fatal finding, or nothing can be signed for it;
 * then *out is filled all the same.
 */
MUST_USE bool party_judge(struct arena *a, const struct db_party *row, unsigned flags, time_t now,
			  struct party_judged *out, struct err *err);

/* What becomes different when `after` takes the place of the row; see saml_metadata_diff. */
MUST_USE bool party_diff(struct arena *a, const struct db_party *before, const struct party *after,
			 bool signed_by_pinned, struct saml_changes *out, struct err *err);

/* [{"number", "rule", "risk", "text"}, …] */
json_t *party_changes_json(struct arena *a, const struct saml_changes *changes);

/* "acs-host keys": the rules, each once, for the audit trail. */
const char *party_changes_rules(struct arena *a, const struct saml_changes *changes);

/* ---- while it counts ---- */

/* Its validUntil has passed: nothing of it counts any more (SAML2Metadata 2.3.2). */
bool party_is_over(const struct party *p, time_t now);

/* ERR_DENIED with texts of its own when it is over. */
MUST_USE bool party_check_time(const struct party *p, time_t now, struct err *err);

/*
 * A sentence for who operates this when it is over, or ends within a week and nobody sees
 * to that: source NULL, or in trouble.  NULL: nothing to tell.
 */
const char *party_end_warning(struct arena *a, const struct party *p,
			      const struct db_source *source, time_t now);

#endif
