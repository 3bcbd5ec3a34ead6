/* The certificate and key of built-in TLS, as they are configured: do they fit? */
#ifndef KONTOR_KEYS_TLS_PAIR_H
#define KONTOR_KEYS_TLS_PAIR_H

#include "base/err.h"

/*
 * Two PEM texts: the first certificate of `certificates` is for `key`.  Used by
 * check-config alone; TLS itself is libmicrohttpd's.  ERR_INPUT says what is wrong.
 */
MUST_USE bool tls_pair_check(struct bytes certificates, struct bytes key, struct err *err);

#endif
