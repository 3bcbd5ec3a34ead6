/*
 * The closed list of XML signature algorithms: one row says the URI, what key
 * it takes and how it is computed, for both directions.  What is not in the
 * table (SHA-1, HMAC, DSA, RIPEMD …) does not exist.
 */
#ifndef KONTOR_SAML_SUITE_H
#define KONTOR_SAML_SUITE_H

#include <openssl/evp.h>

#include "base/arena.h"
#include "base/err.h"
#include "keys/key_ops.h"

struct saml_suite {
	const char *name;   /* as a party's record names it: "ecdsa-sha256" */
	const char *uri;    /* SignatureMethod/@Algorithm and SigAlg */
	enum sig_alg make;  /* how we sign with it; SIG_NONE: only verified */
	const char *key;    /* key type as OpenSSL names it: "EC" or "RSA" */
	const char *digest; /* of the signature: "SHA256" … */
	bool pss;           /* RSASSA-PSS, MGF1 and salt of the digest's size */
};

/* NULL when there is no such row. */
const struct saml_suite *saml_suite_by_uri(const char *uri);
const struct saml_suite *saml_suite_by_name(const char *name);
const struct saml_suite *saml_suite_by_alg(enum sig_alg alg);

/* Row i in the table's order (metadata lists them so); NULL past the end. */
const struct saml_suite *saml_suite_at(size_t i);

/* The key is of the suite's type and strong enough: RSA >= 2048 bits, a named curve of >= 256. */
bool saml_suite_takes(const struct saml_suite *s, EVP_PKEY *key);

/*
 * The octets of `text` were signed with the private half of `key`.  ECDSA
 * signatures are r || s (XMLDSIG 1.1 6.4.3).  Also for the Redirect binding.
 */
MUST_USE bool saml_suite_verify(const struct saml_suite *s, EVP_PKEY *key, struct bytes text,
				struct bytes sig);

/* OpenSSL's name of a permitted DigestMethod ("SHA256", "SHA384", "SHA512"); NULL: not permitted.
 */
const char *saml_digest_by_uri(const char *uri);

#endif
