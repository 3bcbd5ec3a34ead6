/* The portals of the bench; see portal.h. */
#include "tests/bench/portal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "keys/cert.h"
#include "keys/crypto.h"
#include "keys/private.h"
#include "saml/binding.h"
#include "saml/names.h"
#include "saml/xmlenc.h"
#include "saml/xmlsig.h"

#define KEYS_MAX      8
#define KEY_MAX_BYTES 4096
#define KEY_ID        "bench"

/* One thread's way to the key. */
struct opener {
	struct bench_portal *portal;
	size_t lane;
	struct key_ops ops;
};

static const struct bench_provider kontor = {
	"/oidc/authorize", "/oidc/token",
	"/oidc/userinfo",  "/oidc/introspect",
	"/saml/metadata",  "/saml/sso",
	"/flow/password/", "password=Lachs-Turmuhr-Wiese-47&do=login&login_name=bench",
};

/* The same of those it is measured beside. */
static const struct {
	const char *portals; /* whose names end so */
	struct bench_provider provider;
} others[] = {
	{"provider", {"/auth", "/token", "/me", "/token/introspection", NULL, NULL, NULL, NULL}},
	{"php",
	 {NULL, NULL, NULL, NULL, "/simplesaml/saml2/idp/metadata.php",
	  "/simplesaml/saml2/idp/SSOService.php", "?", "username=bench&password=bench&n="}},
};

struct bench_portal {
	const struct bench_provider *provider;
	const char *host, *name, *authorization, *authorize;
	bool encrypted;
	EVP_PKEY *pub[KEYS_MAX];
	struct saml_keys trusted;
	struct crypto crypto;
	struct private_key key;
	struct opener *openers;
};

static void __attribute__((noreturn)) give_up(const char *why, const char *what)
{
	fprintf(stderr, "load: %s %s\n", why, what);
	exit(1);
}

static const char *
setting(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		give_up("missing:", name);
	return value;
}

/* Every certificate of the metadata; a signature by any of them is the provider's. */
static void
read_keys(struct arena *a, struct bench_portal *p, struct client *c)
{
	static const char tag[] = "<ds:X509Certificate>";
	struct err err = {0};

	if (!client_get(c, p->provider->metadata) || c->status != 200)
		give_up("no metadata at", c->host);
	for (const char *at = c->body; (at = strstr(at, tag)) != NULL && p->trusted.n < KEYS_MAX;) {
		struct cert cert;
		struct bytes der;

		at += strlen(tag);
		if (!dec_base64(a, (struct bytes){(const unsigned char *)at, strcspn(at, "<")},
				true, &der, &err) ||
		    !cert_parse(a, der, &cert, &err))
			give_up("the metadata:", err.text);
		p->pub[p->trusted.n++] = cert.pub;
	}
	p->trusted.key = p->pub;
}

static bool
agree(void *ctx, struct arena *a, const char *kid UNUSED, struct bytes peer_spki,
      struct bytes other_info, size_t key_bytes, struct bytes *key, struct err *err)
{
	struct opener *o = ctx;

	return private_key_agree(&o->portal->key, o->lane, a, peer_spki, other_info, key_bytes, key,
				 err);
}

static void
read_decrypt_key(struct arena *a, struct bench_portal *p, size_t threads)
{
	unsigned char *der = arena_alloc(a, KEY_MAX_BYTES);
	FILE *f = fopen(setting("BENCH_DECRYPT_KEY"), "rbe");
	size_t n = f == NULL ? 0 : fread(der, 1, KEY_MAX_BYTES, f);
	struct err err = {0};

	if (f != NULL)
		fclose(f);
	if (!crypto_init(a, &p->crypto, &err) ||
	    !private_key_init(a, &p->crypto, KEY_ID, KEY_DECRYPT, KEY_P256, (struct bytes){der, n},
			      threads, &p->key, &err))
		give_up("BENCH_DECRYPT_KEY:", err.text);
	p->openers = ARENA_ARRAY(a, struct opener, threads);
	for (size_t i = 0; i < threads; i++) {
		p->openers[i] = (struct opener){.portal = p, .lane = i};
		p->openers[i].ops = (struct key_ops){.ctx = &p->openers[i], .agree = agree};
	}
}

static void
set_client(struct arena *a, struct bench_portal *p)
{
	const char *secret = setting(arena_printf(a, "BENCH_SECRET_%s", p->name));
	const char *pair = arena_printf(a, "bench-%s:%s", p->name, secret);

	p->authorization =
		arena_printf(a, "Authorization: Basic %s\r\n", enc_base64(a, bytes_of(pair)));
	p->authorize = arena_printf(
		a,
		"%s?response_type=code&client_id=bench-%s&redirect_uri=%s&state=s&nonce=n"
		"&code_challenge_method=S256&code_challenge="
		"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&scope=openid%%20profile%s",
		p->provider->authorize, p->name, BENCH_BACK,
		bytes_start(bytes_of(p->name), "tokens") ? "%20offline_access" : "");
}

struct bench_portal *
bench_portal_open(struct arena *a, struct client *c, const char *name, size_t threads)
{
	struct bench_portal *p = ARENA_NEW(a, struct bench_portal);

	p->provider = &kontor;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (bytes_end(bytes_of(name), others[i].portals))
			p->provider = &others[i].provider;
	p->host = c->host;
	p->name = name;
	p->encrypted = bytes_end(bytes_of(name), "enc");
	if (p->provider->authorize != NULL)
		set_client(a, p);
	if (p->provider->metadata != NULL)
		read_keys(a, p, c);
	if (p->encrypted)
		read_decrypt_key(a, p, threads);
	return p;
}

const struct bench_provider *
bench_provider(const struct bench_portal *p)
{
	return p->provider;
}

const char *
bench_authorization(const struct bench_portal *p)
{
	return p->authorization;
}

const char *
bench_authorize_path(const struct bench_portal *p)
{
	return p->authorize;
}

const char *
bench_saml_path(const struct bench_portal *p, struct arena *a)
{
	const char *xml = arena_printf(
		a,
		"<samlp:AuthnRequest xmlns:samlp=\"" SAML_NS_PROTOCOL
		"\" xmlns:saml=\"" SAML_NS_ASSERTION
		"\" ID=\"%s\" Version=\"2.0\" IssueInstant=\"%s\" "
		"Destination=\"https://%s%s\"><saml:Issuer>" BENCH_ENTITY "%s</saml:Issuer>"
		"</samlp:AuthnRequest>",
		rand_xml_id(a), clock_text(a, clock_now()), p->host, p->provider->sso, p->name);
	struct saml_to_sign message = {.element = bytes_of(xml)};
	struct saml_outgoing out = {.url = p->provider->sso, .message = &message};
	struct saml_carrier carrier;
	struct err err = {0};

	if (!saml_binding_encode(a, SAML_BINDING_REDIRECT, &out, &carrier, &err))
		give_up("AuthnRequest:", err.text);
	return carrier.location;
}

/* The assertion inside, read with our key. */
static bool
opens(const struct bench_portal *p, struct arena *a, size_t thread, const struct xml_node *response)
{
	static const char *const kids[] = {KEY_ID};
	struct xmlenc_keys keys = {&p->openers[thread].ops, kids, 1};
	const struct xml_node *encrypted;
	struct xml_doc *assertion;

	return xml_child(response, SAML_NS_ASSERTION, "EncryptedAssertion", &encrypted, NULL) &&
	       encrypted != NULL && xmlenc_decrypt(a, encrypted, &keys, &assertion, NULL);
}

static bool
has(struct bytes b, const char *what)
{
	return memmem(b.p, b.n, what, strlen(what)) != NULL;
}

bool
bench_saml_accepted(const struct bench_portal *p, struct arena *a, size_t thread,
		    struct bytes base64)
{
	struct saml_signed *verified;
	struct xml_doc *doc;
	struct bytes xml;

	return dec_base64(a, base64, false, &xml, NULL) &&
	       xml_parse(a, xml, &xml_limits_message, &doc, NULL) &&
	       xmlsig_verify(a, xml_root(doc), p->trusted, &verified, NULL) &&
	       has(saml_signed_bytes(verified), "status:Success") &&
	       (p->encrypted ? opens(p, a, thread, saml_signed_root(verified))
			     : has(saml_signed_bytes(verified), "Mustermann"));
}
