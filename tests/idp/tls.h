/* A certificate of its own for a test's server, and a client to look at what it speaks. */
#ifndef KONTOR_TESTS_IDP_TLS_H
#define KONTOR_TESTS_IDP_TLS_H

#include "base/arena.h"

/* Fresh, self-signed, P-256, for "k" and "localhost"; PEM in `a`. */
void tls_make_certificate(struct arena *a, const char **cert_pem, const char **key_pem);

/*
 * Shake hands over fd with protocols `least` to `most` (TLS1_2_VERSION ...) and a
 * list of cipher suites (NULL: all that the library has), send `request`, read
 * one piece of the answer.  Returns the protocol spoken, 0: no handshake.
 */
int tls_ask(int fd, int least, int most, const char *ciphers, const char *request, char *answer,
	    size_t n);

#endif
