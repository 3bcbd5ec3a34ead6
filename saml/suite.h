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
	const char *name;      /* as a party's record names it: "ecdsa-sha256" */
	const char *uri;       /* SignatureMethod/@Algorithm and SigAlg */
	enum sig_alg make;     /* how we sign with it; SIG_NONE: only verified */
	struct verify_how how; /* how it is verified, and with what type of key */
};

/* NULL when there is no such row. */
const struct saml_suite *saml_suite_by_uri(const char *uri);
const struct saml_suite *saml_suite_by_name(const char *name);
const struct saml_suite *saml_suite_by_alg(enum sig_alg alg);

/* Row i in the table's order (metadata lists them so); NULL past the end. */
const struct saml_suite *saml_suite_at(size_t i);

/* OpenSSL's name of a permitted DigestMethod ("SHA256", "SHA384", "SHA512"); NULL: not permitted.
 */
const char *saml_digest_by_uri(const char *uri);

#endif
