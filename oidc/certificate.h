/*
 * The certificate that a client showed in its TLS handshake (RFC 8705), as a proxy of ours
 * passes it on (RFC 9440), and whether it is the one of a record.  That the client has its key
 * was proven in the handshake; that it is of an authority we know is what the proxy says.
 */
#ifndef KONTOR_OIDC_CERTIFICATE_H
#define KONTOR_OIDC_CERTIFICATE_H

#include "keys/cert.h"
#include "keys/cert_name.h"

struct oidc_client;

struct oidc_certificate {
	struct cert cert;
	struct cert_names names;
	const char
		*thumbprint; /* base64url of its SHA-256: x5t#S256 (RFC 8705 3.1), 43 characters */
	bool verified;       /* its chain leads to an authority of ours */
};

/*
 * Read the two headers: Client-Cert, a byte sequence (RFC 9440 2.1), and the proxy's verdict
 * on the chain, which is good only if it is "0"; NULL: it has none.  ERR_INPUT: not a
 * certificate, or one whose key is too weak.
 */
MUST_USE bool oidc_certificate_read(struct arena *a, const char *client_cert, const char *verdict,
				    struct oidc_certificate *out, struct err *err);

/*
 * Is it the certificate of this client, whose method is tls_client_auth (chain and the one
 * registered name, RFC 8705 2.1) or self_signed_tls_client_auth (a key of its set, 2.2)?
 * ERR_DENIED: no, or its time has not begun or is over.
 */
MUST_USE bool oidc_certificate_check(const struct oidc_certificate *c,
				     const struct oidc_client *client, time_t now, struct err *err);

#endif
