/*
 * Verifying a signature with a public key.  The caller's table row says how; the
 * key's type must be the row's, so that an algorithm can never be tried on a key
 * of another kind (security.md 1.1, HMAC and key type confusion).
 */
#ifndef KONTOR_KEYS_VERIFY_H
#define KONTOR_KEYS_VERIFY_H

#include <openssl/types.h>

#include "base/base.h"

struct verify_how {
	const char *key;    /* as OpenSSL names it: "EC", "RSA", "ED25519"; a text that lasts */
	const char *digest; /* "SHA256" …, a text that lasts; NULL where the algorithm has its own
			       (Ed25519) */
	bool pss;           /* RSASSA-PSS with MGF1 and a salt of the digest's size */
};

/*
 * Only true says that `sig` over `text` was made with the private half of pub.
 * ECDSA signatures are r || s, each as long as the curve's order (RFC 7518 3.4,
 * XMLDSIG 1.1 6.4.3).  pub was accepted by keys/cert.h, so it is strong enough.
 */
MUST_USE bool verify_signature(const struct verify_how *how, EVP_PKEY *pub, struct bytes text,
			       struct bytes sig);

#endif
