/*
 * Certificates: the box that SAML metadata wants around a key.  Made where the
 * private key is used, at its making; nobody trusts them for who signed them.
 */
#ifndef KONTOR_KEYS_CERT_BUILD_H
#define KONTOR_KEYS_CERT_BUILD_H

#include <openssl/types.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * X.509 v3, subject and issuer CN = cn (1..64 characters), valid from not_before
 * for `days`, with a subject key identifier, signed with SHA-256 by the key
 * itself.  ERR_INPUT: cn or days out of range.
 */
MUST_USE bool cert_build_self_signed(struct arena *a, EVP_PKEY *key, const char *cn,
				     time_t not_before, int64_t days, struct bytes *der,
				     struct err *err);

/* Signs the octets given; the signature as the algorithm has it (ECDSA: r || s, 64 octets). */
typedef bool (*cert_sign_fn)(void *ctx, struct arena *a, struct bytes tbs, struct bytes *sig,
			     struct err *err);

/* The same for a P-256 or RSA key whose private half is elsewhere: `sign` has it sign. */
MUST_USE bool cert_build_signed_by(struct arena *a, EVP_PKEY *pub, const char *cn,
				   time_t not_before, int64_t days, cert_sign_fn sign, void *ctx,
				   struct bytes *der, struct err *err);

/* The same for a key that signs nothing: signed with a key made for that and forgotten. */
MUST_USE bool cert_build_for(struct arena *a, EVP_PKEY *pub, const char *cn, time_t not_before,
			     int64_t days, struct bytes *der, struct err *err);

#endif
