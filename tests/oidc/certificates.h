/* Certificates as clients show them, made for tests. */
#ifndef KONTOR_TESTS_OIDC_CERTIFICATES_H
#define KONTOR_TESTS_OIDC_CERTIFICATES_H

#include <openssl/evp.h>

#include "tests/test.h"

/*
 * A certificate of this key that signs itself, good from `from` to `to`, as the value of
 * Client-Cert.  cn is UTF-8; san is OpenSSL's text ("DNS:a.example,IP:192.0.2.1"), NULL: none.
 */
const char *client_cert(struct arena *a, EVP_PKEY *key, const char *cn, const char *san,
			time_t from, time_t to);

#endif
