/*
 * The kinds of keys we have and the signatures we make, a row each: what OpenSSL,
 * the command line, JOSE and XML call them, and with which key and digest they
 * are made.  A new kind is a number in keys/key_ops.h and a row here.
 */
#ifndef KONTOR_KEYS_KEY_TYPE_H
#define KONTOR_KEYS_KEY_TYPE_H

#include <openssl/types.h>

#include "keys/key_ops.h"
#include "keys/verify.h"

#define KEY_FIELD_BYTES_MOST 48 /* of all rows */

struct key_type_row {
	enum key_type type;
	const char *name;   /* "p256": in commands and rows of the database's texts */
	const char *title;  /* "P-256", for sentences */
	const char *curve;  /* as OpenSSL names it; NULL: no EC key */
	size_t field_bytes; /* octets of a coordinate and of the order; 0: no EC key */
	bool jose;          /* OpenID Connect has a signature for it that we make */
	bool saml;          /* and so has SAML; it encrypts in both */
};

/* The row; NULL for a number that is none. */
const struct key_type_row *key_type_row(enum key_type type);

/* Static names: "p256", "secret"; NULL for an unknown number. */
const char *key_type_name(enum key_type type);

/* The reverse; false and *out untouched for an unknown name. */
MUST_USE bool key_type_from_name(const char *name, enum key_type *out);

bool key_type_is_rsa(enum key_type type);

/* Octets of an uncompressed point on the row's curve. */
size_t key_type_point_bytes(const struct key_type_row *row);

/* Is this key, either half, one of the type?  RSA: of KEY_RSA_BITS or more. */
bool key_type_fits(enum key_type type, const EVP_PKEY *pkey);

struct sig_alg_row {
	enum sig_alg alg;
	enum key_type type; /* the one type of key that makes it */
	struct verify_how how;
	const char *jose; /* RFC 7518 3.1; NULL: not used there */
	const char *xml;  /* RFC 6931 2.3; NULL: not used there */
};

/* The row; NULL for SIG_NONE and unknown ones. */
const struct sig_alg_row *sig_alg_row(enum sig_alg alg);

/* The same in the table's order; NULL past the end. */
const struct sig_alg_row *sig_alg_at(size_t i);

/* The type whose keys make signatures of this algorithm; 0 for SIG_NONE and unknown ones. */
enum key_type key_type_of_sig(enum sig_alg alg);

#endif
