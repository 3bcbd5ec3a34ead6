/* Decryption with the private keys of tests/vectors/saml/xmlenc, by OpenSSL alone. */
#ifndef KONTOR_TESTS_SAML_FILE_KEY_H
#define KONTOR_TESTS_SAML_FILE_KEY_H

#include <openssl/types.h>

#include "keys/key_ops.h"

/* A file of that folder as text. */
char *file_key_text(struct arena *a, const char *name);

/* The key of a PEM file there; the caller frees it. */
EVP_PKEY *file_key(struct arena *a, const char *name);

/* unwrap and agree with it, under any kid. */
struct key_ops file_key_ops(EVP_PKEY *key);

#endif
