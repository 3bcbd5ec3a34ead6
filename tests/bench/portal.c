/* The portals of the bench; see portal.h. */
#include "tests/bench/portal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/rand.h"
#include "keys/cert.h"
#include "saml/binding.h"
#include "saml/xmlsig.h"

#define KEYS_MAX 8

struct bench_portal {
	const char *host, *authorization;
	EVP_PKEY *pub[KEYS_MAX];
	struct saml_keys trusted;
};

static void __attribute__((noreturn)) give_up(const char *why, const char *what)
{
	fprintf(stderr, "load: %s %s\n", why, what);
	exit(1);
}

/* Every certificate of the metadata; a signature by any of them is Kontor's. */
static void
read_keys(struct arena *a, struct bench_portal *p, const char *metadata)
{
	static const char tag[] = "<ds:X509Certificate>";
	struct err err = {0};

	for (const char *at = metadata;
	     (at = strstr(at, tag)) != NULL && p->trusted.n < KEYS_MAX;) {
		struct cert cert;
		struct bytes der;

		at += strlen(tag);
		if (!dec_base64(a, (struct bytes){(const unsigned char *)at, strcspn(at, "<")},
				true, &der, &err) ||
		    !cert_parse(a, der, &cert, &err))
			give_up("Kontor's metadata:", err.text);
		p->pub[p->trusted.n++] = cert.pub;
	}
	p->trusted.key = p->pub;
}

struct bench_portal *
bench_portal_open(struct arena *a, struct client *c)
{
	struct bench_portal *p = ARENA_NEW(a, struct bench_portal);
	const char *secret = getenv("BENCH_CLIENT_SECRET");

	if (secret == NULL)
		give_up("missing:", "BENCH_CLIENT_SECRET");
	if (!client_get(c, "/saml/metadata") || c->status != 200)
		give_up("no metadata at", c->host);
	p->host = c->host;
	p->authorization =
		arena_printf(a, "Authorization: Basic %s\r\n",
			     enc_base64(a, bytes_of(arena_printf(a, "bench:%s", secret))));
	read_keys(a, p, c->body);
	return p;
}

const char *
bench_authorization(const struct bench_portal *p)
{
	return p->authorization;
}

const char *
bench_saml_path(const struct bench_portal *p, struct arena *a)
{
	const char *xml = arena_printf(
		a,
		"<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
		"xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"%s\" Version=\"2.0\" "
		"IssueInstant=\"%s\" Destination=\"https://%s/saml/sso\"><saml:Issuer>" BENCH_PARTY
		"</saml:Issuer></samlp:AuthnRequest>",
		rand_xml_id(a), clock_text(a, clock_now()), p->host);
	struct saml_to_sign message = {.element = bytes_of(xml)};
	struct saml_outgoing out = {.url = "/saml/sso", .message = &message};
	struct saml_carrier carrier;
	struct err err = {0};

	if (!saml_binding_encode(a, SAML_BINDING_REDIRECT, &out, &carrier, &err))
		give_up("AuthnRequest:", err.text);
	return carrier.location;
}

bool
bench_saml_accepted(const struct bench_portal *p, struct arena *a, struct bytes base64)
{
	struct saml_signed *verified;
	struct xml_doc *doc;
	struct bytes xml;

	return dec_base64(a, base64, false, &xml, NULL) &&
	       xml_parse(a, xml, &xml_limits_message, &doc, NULL) &&
	       xmlsig_verify(a, xml_root(doc), p->trusted, &verified, NULL) &&
	       memmem(saml_signed_bytes(verified).p, saml_signed_bytes(verified).n,
		      "status:Success", strlen("status:Success")) != NULL;
}
