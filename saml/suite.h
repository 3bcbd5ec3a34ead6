/*
 * The closed list of XML signature algorithms: one row says the URI, what key
 * it takes and how it is computed, for both directions; the computing is in
 * keys/verify.h.  What is not in the
 * table (SHA-1, HMAC, DSA, RIPEMD …) does not exist.
 */
#ifndef KONTOR_SAML_SUITE_H
#define KONTOR_SAML_SUITE_H

#include "keys/key_ops.h"
#include "keys/verify.h"

struct saml_suite {
	const char *name;       /* in logs and reports: "ecdsa-sha256" */
	const char *word;       /* as a party's record names it: "es256"; NULL: only verified */
	const char *uri;        /* SignatureMethod/@Algorithm and SigAlg */
	const char *digest_uri; /* of the Reference that we write with it */
	enum sig_alg make;      /* how we sign with it; SIG_NONE: only verified */
	struct verify_how how;  /* how it is verified, and with what type of key */
	bool old;               /* for parties whose record says until when (TR-03116-4: ended) */
};

/* NULL when there is no such row.  Rows of one URI are verified in one way. */
const struct saml_suite *saml_suite_by_uri(const char *uri);
const struct saml_suite *saml_suite_by_name(const char *name);
const struct saml_suite *saml_suite_by_word(const char *word);
const struct saml_suite *saml_suite_by_alg(enum sig_alg alg);

/* Row i in the table's order (metadata lists them so); NULL past the end. */
const struct saml_suite *saml_suite_at(size_t i);

/* OpenSSL's name of a permitted DigestMethod ("SHA256", "SHA384", "SHA512"); NULL: not permitted.
 */
const char *saml_digest_by_uri(const char *uri);

/* Its URI, i in the table's order; NULL past the end. */
const char *saml_digest_at(size_t i);

#endif
