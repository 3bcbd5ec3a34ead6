/* Random octets, drawn from the kernel in blocks, one block per thread. */
#ifndef KONTOR_BASE_RAND_H
#define KONTOR_BASE_RAND_H

#include "base/arena.h"

/* Fill p.  A generator that fails ends the process: nothing can be issued without it. */
void rand_bytes(void *p, size_t n);

/* n random octets as base64url text (n = 32: 43 characters).  Never NULL. */
char *rand_token(struct arena *a, size_t n);

/* "_" and 32 hex digits: an xs:ID with 128 random bits (SAML2Core 1.3.4). */
char *rand_xml_id(struct arena *a);

#endif
