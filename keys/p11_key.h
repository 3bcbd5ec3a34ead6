/*
 * Keys that lie in a token: found by label and id, used, made.  What comes back
 * is the token's word; whoever asks holds it against the public key he knows.
 * Internal to keys/.
 */
#ifndef KONTOR_KEYS_P11_KEY_H
#define KONTOR_KEYS_P11_KEY_H

#include "keys/key_ops.h"
#include "keys/p11.h"

#define P11_NAME_MAX 64   /* octets of a label or an id */
#define P11_OUT_MAX  2048 /* octets of a signature or an opened key */

/* CKA_LABEL and CKA_ID; both name it, so that neither alone can be given to another. */
struct p11_object {
	const char *label;
	struct bytes id; /* 1..P11_NAME_MAX octets */
};

/* A run of octets from the token. */
struct p11_out {
	unsigned char p[P11_OUT_MAX];
	size_t n;
};

/* A signature over a digest, both as enum sig_alg has it (ECDSA: r || s). */
MUST_USE bool p11_sign(struct p11 *p, struct p11_session *s, const struct p11_object *key,
		       enum sig_alg alg, struct bytes digest, struct p11_out *sig, struct err *err);

/* RSA-OAEP.  ERR_INPUT: does not open. */
MUST_USE bool p11_unwrap(struct p11 *p, struct p11_session *s, const struct p11_object *key,
			 enum wrap_alg alg, struct bytes wrapped, struct p11_out *plain,
			 struct err *err);

/* ECDH with an uncompressed point of the key's curve, which the caller has checked. */
MUST_USE bool p11_derive(struct p11 *p, struct p11_session *s, const struct p11_object *key,
			 enum key_type type, struct bytes point, struct p11_out *z,
			 struct err *err);

/*
 * A new pair that cannot leave the token (CKA_SENSITIVE, not CKA_EXTRACTABLE),
 * for signing or (KEY_DECRYPT) opening alone.  ERR_UNAVAILABLE, ERR_DENIED.
 */
MUST_USE bool p11_generate(struct p11 *p, struct p11_session *s, enum key_type type, bool decrypts,
			   const struct p11_object *key, struct err *err);

/* Both halves of a pair that nothing was told of yet.  Whether it worked nobody needs to know. */
void p11_remove(struct p11 *p, struct p11_session *s, const struct p11_object *key);

/*
 * The one private key of this label: its id into `a`.  ERR_NOT_FOUND: none or
 * several; ERR_DENIED: it could leave the token, is of another type or for
 * something else.
 */
MUST_USE bool p11_adopt(struct p11 *p, struct p11_session *s, struct arena *a, const char *label,
			enum key_type type, bool decrypts, struct bytes *id, struct err *err);

/* The public half of an object, as a DER SubjectPublicKeyInfo that was judged like a peer's. */
MUST_USE bool p11_public(struct p11 *p, struct p11_session *s, struct arena *a,
			 const struct p11_object *key, enum key_type type, struct bytes *spki,
			 struct err *err);

/* Is the token there, and this object in it?  key NULL: the session alone. */
MUST_USE bool p11_probe(struct p11 *p, struct p11_session *s, const struct p11_object *key,
			struct err *err);

#endif
