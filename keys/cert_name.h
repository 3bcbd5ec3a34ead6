/* Whom an X.509 certificate is of, by the names in it. */
#ifndef KONTOR_KEYS_CERT_NAME_H
#define KONTOR_KEYS_CERT_NAME_H

#include "base/arena.h"
#include "base/err.h"

#define CERT_NAMES_MAX 64

enum cert_name_kind { CERT_NAME_DNS = 1, CERT_NAME_URI, CERT_NAME_EMAIL, CERT_NAME_IP };

/* An entry of subjectAltName (RFC 5280 4.2.1.6). */
struct cert_name {
	enum cert_name_kind kind;
	const char *text;    /* never with a NUL inside; NULL for CERT_NAME_IP */
	struct bytes octets; /* CERT_NAME_IP: 4 or 16 */
};

struct cert_names {
	/* The subject's distinguished name (RFC 4514), with octets beyond ASCII as they are and
	 * escaped in hexadecimal: what `openssl x509 -nameopt RFC2253` prints. */
	const char *subject, *subject_escaped;
	const struct cert_name *names;
	size_t n;
};

/* Other kinds of entries are left out.  ERR_INPUT: no certificate, a name with a NUL in it, more
 * than CERT_NAMES_MAX names. */
MUST_USE bool cert_names_read(struct arena *a, struct bytes der, struct cert_names *out,
			      struct err *err);

#endif
