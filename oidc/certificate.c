/* Client certificates; see certificate.h. */
#include "oidc/certificate.h"

#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

#include "base/enc.h"
#include "base/text.h"
#include "oidc/client.h"
#include "oidc/error.h"

#define DENY(err, ...) FAIL((err), ERR_DENIED, OIDC_INVALID_CLIENT, __VA_ARGS__)

bool
oidc_certificate_read(struct arena *a, const char *client_cert, const char *verdict,
		      struct oidc_certificate *out, struct err *err)
{
	struct oidc_certificate c = {.verified = text_eq(verdict, "0")};
	size_t n = strlen(client_cert);
	struct bytes der;

	if (n < 2 || client_cert[0] != ':' || client_cert[n - 1] != ':')
		return FAIL(err, ERR_INPUT, NULL, "Client-Cert is not a byte sequence");
	if (!dec_base64(a, (struct bytes){(const unsigned char *)client_cert + 1, n - 2}, false,
			&der, err) ||
	    !cert_parse(a, der, &c.cert, err) || !cert_names_read(a, der, &c.names, err))
		return false;
	c.thumbprint = enc_base64url(a, (struct bytes){c.cert.sha256, sizeof(c.cert.sha256)});
	*out = c;
	return true;
}

/* ---- tls_client_auth ---- */

static bool
has_name(const struct oidc_certificate *c, enum cert_name_kind kind, const char *want)
{
	for (size_t i = 0; i < c->names.n; i++) {
		const struct cert_name *name = &c->names.names[i];

		/* RFC 4343: a domain's name compares without case; all else octet by octet. */
		if (name->kind == kind && (kind == CERT_NAME_DNS ? strcasecmp(name->text, want) == 0
								 : strcmp(name->text, want) == 0))
			return true;
	}
	return false;
}

/* RFC 8705 2.1.2, RFC 5952 8: in binary. */
static bool
has_address(const struct oidc_certificate *c, const char *want)
{
	unsigned char octets[16];
	struct bytes address = {octets, 0};

	if (inet_pton(AF_INET, want, octets) == 1)
		address.n = 4;
	else if (inet_pton(AF_INET6, want, octets) == 1)
		address.n = 16;
	for (size_t i = 0; address.n > 0 && i < c->names.n; i++)
		if (c->names.names[i].kind == CERT_NAME_IP &&
		    bytes_eq(c->names.names[i].octets, address))
			return true;
	return false;
}

static bool
is_named(const struct oidc_certificate *c, const struct oidc_tls_names *want)
{
	if (want->subject_dn != NULL)
		return strcmp(want->subject_dn, c->names.subject) == 0 ||
		       strcmp(want->subject_dn, c->names.subject_escaped) == 0;
	if (want->san_dns != NULL)
		return has_name(c, CERT_NAME_DNS, want->san_dns);
	if (want->san_uri != NULL)
		return has_name(c, CERT_NAME_URI, want->san_uri);
	if (want->san_email != NULL)
		return has_name(c, CERT_NAME_EMAIL, want->san_email);
	return want->san_ip != NULL && has_address(c, want->san_ip);
}

/* ---- self_signed_tls_client_auth ---- */

static bool
has_key(const struct oidc_jwks *keys, EVP_PKEY *pub)
{
	for (size_t i = 0; i < keys->n; i++)
		if (EVP_PKEY_eq(keys->keys[i].pkey, pub) == 1)
			return true;
	return false;
}

bool
oidc_certificate_check(const struct oidc_certificate *c, const struct oidc_client *client,
		       time_t now, struct err *err)
{
	if (now < c->cert.not_before || now > c->cert.not_after)
		return DENY(err, "the certificate's time has not begun, or is over");
	if (client->auth_method == OIDC_AUTH_SELF_SIGNED_TLS)
		return has_key(&client->jwks, c->cert.pub) ||
		       DENY(err, "the certificate is of none of the client's keys");
	if (!c->verified)
		return DENY(err, "the certificate is of no authority that the proxy knows");
	return is_named(c, &client->tls) || DENY(err, "the certificate is not of this name");
}
