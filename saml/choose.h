/*
 * Which of our algorithms a party gets: chosen from the rows of saml/suite.h and
 * saml/xmlenc.h by what its metadata lists, what keys it has and what our record
 * says.  Nothing of a party can bring in an algorithm that is not a row.
 */
#ifndef KONTOR_SAML_CHOOSE_H
#define KONTOR_SAML_CHOOSE_H

#include "saml/metadata.h"

/* What the choice of a signature stands on beside the metadata. */
struct saml_sign_wish {
	enum sig_alg alg; /* what our record names; SIG_NONE: nothing */
	unsigned have;    /* 1 << enum sig_alg of each that an active key makes */
	time_t now;       /* old suites: before the party's old_until */
};

/* Every algorithm we make, as if there were a key for each. */
#define SAML_SIGN_ALL (~0u)

/*
 * The suite for this party: of those that its SigningMethods and DigestMethods
 * permit (none listed: all), the one on the curve of a signing key of its own,
 * else the first.  *out untouched and ERR_DENIED: there is none, and the text
 * says why; ERR_UNAVAILABLE: there is, and no active key makes it.
 */
MUST_USE bool saml_choose_suite(const struct saml_party *party, const struct saml_sign_wish *wish,
				const struct saml_suite **out, struct err *err);

/*
 * Whom we encrypt to, and how: the party's first encryption key with a method
 * for it; one that takes the best transport of its kind goes before one that
 * does not.  content and transport are what our record names, 0: nothing.
 * False: there is no such key.
 */
bool saml_choose_recipient(const struct saml_party *party, enum xmlenc_content content,
			   enum xmlenc_transport transport, struct xmlenc_recipient *out);

/* Why what a key lists is nothing that we do, with the clause.  NULL: we can encrypt to it. */
const char *saml_key_encryption_problem(const struct saml_party_key *key);

/* Why nothing can be signed for the party whatever our keys and record; NULL: something can. */
const char *saml_party_signing_problem(const struct saml_party *party);

#endif
