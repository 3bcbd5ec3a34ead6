/*
 * X.509 certificates and bare public keys of others and of ours, public half
 * only: DER in, a usable EVP_PKEY out, weak keys refused.  A certificate here is
 * a box around a key (metadata says who it belongs to); chains are not built.
 */
#ifndef KONTOR_KEYS_CERT_H
#define KONTOR_KEYS_CERT_H

#include <openssl/types.h>

#include "base/arena.h"
#include "base/err.h"

#define CERT_DER_MAX 16384 /* octets; longer input is refused unread */

struct cert {
	EVP_PKEY *pub; /* lives as long as the arena */
	time_t not_before, not_after;
	unsigned char sha256[32]; /* of the DER certificate */
	bool old_digest; /* its own signature is over SHA-1 or MD5: of no account for the key */
};

/*
 * Parse one DER certificate.  ERR_INPUT: not a certificate, octets after it, a
 * time that does not exist, a key that cert_key_check refuses.  Validity in time
 * is the caller's policy.
 */
MUST_USE bool cert_parse(struct arena *a, struct bytes der, struct cert *out, struct err *err);

/* Parse one DER SubjectPublicKeyInfo, under the same rules. */
MUST_USE bool cert_spki_parse(struct arena *a, struct bytes der, EVP_PKEY **out, struct err *err);

/*
 * An EC key from OpenSSL's name of its curve and its uncompressed point, under
 * the same rules: ERR_INPUT for a point that is not on the curve.
 */
MUST_USE bool cert_ec_parse(struct arena *a, const char *curve, struct bytes point, EVP_PKEY **out,
			    struct err *err);

/* The uncompressed point of an EC key. */
MUST_USE bool cert_ec_point(struct arena *a, const EVP_PKEY *pub, struct bytes *out,
			    struct err *err);

/* The DER SubjectPublicKeyInfo of a key; EC keys as named curve, uncompressed point. */
MUST_USE bool cert_spki_build(struct arena *a, const EVP_PKEY *pub, struct bytes *out,
			      struct err *err);

/*
 * Is the key strong enough?  RSA: 2048..16384 bits, odd modulus, odd public
 * exponent from 65537 to 2^64 (FIPS 186-4 5.1, TR-02102-1 2.3.1).  EC: P-256,
 * P-384, P-521, brainpoolP256r1/384r1/512r1 given by name (RFC 5480 2.1.1).
 * Nothing else passes.  ERR_INPUT.
 */
MUST_USE bool cert_key_check(const EVP_PKEY *pub, struct err *err);

/* The sizes in bits that pass there, of keys of a kind as OpenSSL names it: "RSA", "EC". */
void cert_key_bits(const char *kind, int *least, int *most);

#endif
