/*
 * What a signing key may sign: the signer gets the bytes, never a digest, and
 * checks here that they are the kind of message the key is for.  So a stolen
 * connection to the signer cannot turn a SAML key into a token key.  Internal to
 * keys/.
 */
#ifndef KONTOR_KEYS_SHAPE_H
#define KONTOR_KEYS_SHAPE_H

#include "keys/key_ops.h"

#define SHAPE_TEXT_MAX 65536 /* octets that one signature may cover */

/*
 * ERR_DENIED unless `text` is what a key `kid` of `purpose` signs with `alg`:
 *  saml-sign: a canonical <ds:SignedInfo> naming alg, or the octets of the
 *    Redirect binding ending in SigAlg naming alg (SAML2Bindings 3.4.4.1);
 *  federation-sign: the same SignedInfo (metadata of a federation), or as follows;
 *  oidc-sign, federation-sign: a JWS signing input (RFC 7515 5.1) whose header
 *    names alg and kid; the types of OpenID Federation for the latter alone.
 * `a` takes what is decoded on the way.
 */
MUST_USE bool shape_check(struct arena *a, enum key_purpose purpose, const char *kid,
			  enum sig_alg alg, struct bytes text, struct err *err);

#endif
