/* Signed XML for tests; see fixture.h. */
#include "tests/saml/fixture.h"

#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/enc.h"
#include "tests/saml/support.h"
#include "tests/test.h"

#define NS_DS    "http://www.w3.org/2000/09/xmldsig#"
#define EXC_C14N "http://www.w3.org/2001/10/xml-exc-c14n#"

struct fixture
fixture_request(void)
{
	return (struct fixture){
		.text = "<samlp:AuthnRequest "
			"xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
			"ID=\"_r\" Version=\"2.0\" IsPassive=\"false\">" FIXTURE_ISSUER
				FIXTURE_PLACE "<samlp:NameIDPolicy></samlp:NameIDPolicy>"
			"</samlp:AuthnRequest>",
		.id = "_r",
		.suite = saml_suite_by_name("ecdsa-sha256"),
		.digest = "http://www.w3.org/2001/04/xmlenc#sha256",
		.digest_md = "SHA256",
	};
}

/* ---- keys ---- */

static EVP_PKEY *pairs[2];

static void
free_pairs(void)
{
	EVP_PKEY_free(pairs[0]);
	EVP_PKEY_free(pairs[1]);
}

struct saml_keys
fixture_keys(void)
{
	if (pairs[0] == NULL) {
		pairs[0] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		pairs[1] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
		assert_true(pairs[0] != NULL && pairs[1] != NULL);
		atexit(free_pairs);
	}
	return (struct saml_keys){pairs, 2};
}

bool
fixture_verify(struct arena *a, const struct xml_node *n, struct saml_signed **out, struct err *err)
{
	return xmlsig_verify(a, n, fixture_keys(), out, err);
}

static struct bytes
raw_of_der(struct arena *a, struct bytes der)
{
	const unsigned char *p = der.p;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	unsigned char *out = arena_alloc(a, 64);

	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32), 32);
	ECDSA_SIG_free(sig);
	return (struct bytes){out, 64};
}

struct bytes
fixture_sign_octets(struct arena *a, const struct saml_suite *suite, struct bytes octets)
{
	bool ec = strcmp(suite->how.key, "EC") == 0;
	EVP_PKEY *key = fixture_keys().key[ec ? 0 : 1];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *p = arena_alloc(a, 512);
	EVP_PKEY_CTX *pctx;
	size_t n = 512;

	assert_int_equal(
		EVP_DigestSignInit_ex(ctx, &pctx, suite->how.digest, NULL, NULL, key, NULL), 1);
	if (suite->how.pss) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST), 1);
	}
	assert_int_equal(EVP_DigestSign(ctx, p, &n, octets.p, octets.n), 1);
	EVP_MD_CTX_free(ctx);
	return ec ? raw_of_der(a, (struct bytes){p, n}) : (struct bytes){p, n};
}

/* ---- text ---- */

static const struct xml_node *
parsed(struct arena *a, const char *text)
{
	struct err err = {0};
	struct xml_doc *doc;

	ASSERT_OK(xml_parse(a, bytes_of(text), &test_limits, &doc, &err), &err);
	return xml_root(doc);
}

/* The element of this ID in a text, in its canonical form. */
static struct bytes
canonical(struct arena *a, const char *text, const char *id, const char *prefixes)
{
	struct err err = {0};
	const struct xml_node *n = xml_find_id(xml_doc_of(parsed(a, text)), id);
	struct bytes out;

	assert_non_null(n);
	ASSERT_OK(xml_c14n(a, n, NULL, prefixes, 0, &out, &err), &err);
	return out;
}

static char *
digest_value(struct arena *a, const struct fixture *f)
{
	struct bytes text =
		canonical(a, replace(a, f->text, FIXTURE_PLACE, ""), f->id, f->transform_prefixes);
	unsigned char md[EVP_MAX_MD_SIZE];
	size_t n = 0;

	assert_int_equal(EVP_Q_digest(NULL, f->digest_md, NULL, text.p, text.n, md, &n), 1);
	return enc_base64(a, (struct bytes){md, n});
}

static const char *
prefix_list(struct arena *a, const char *prefixes)
{
	return prefixes == NULL ? ""
				: arena_printf(a,
					       "<ec:InclusiveNamespaces xmlns:ec=\"" EXC_C14N
					       "\" PrefixList=\"%s\"></ec:InclusiveNamespaces>",
					       prefixes);
}

static char *
signed_info(struct arena *a, const struct fixture *f)
{
	const char *s = f->pretty ? "\n  " : "";
	char *info = arena_printf(
		a,
		"<ds:SignedInfo>%s"
		"<ds:CanonicalizationMethod Algorithm=\"" EXC_C14N
		"\">%s</ds:CanonicalizationMethod>%s"
		"<ds:SignatureMethod Algorithm=\"%s\"></ds:SignatureMethod>%s"
		"<ds:Reference URI=\"#%s\">%s<ds:Transforms>%s"
		"<ds:Transform Algorithm=\"" NS_DS "enveloped-signature\"></ds:Transform>%s"
		"<ds:Transform Algorithm=\"" EXC_C14N "\">%s</ds:Transform>%s</ds:Transforms>%s"
		"<ds:DigestMethod Algorithm=\"%s\"></ds:DigestMethod>%s"
		"<ds:DigestValue>%s</ds:DigestValue>%s</ds:Reference>%s</ds:SignedInfo>",
		s, prefix_list(a, f->info_prefixes), s, f->suite->uri, s, f->id, s, s, s,
		prefix_list(a, f->transform_prefixes), s, s, f->digest, s, digest_value(a, f), s,
		s);

	return f->info_from == NULL ? info : replace(a, info, f->info_from, f->info_to);
}

/* The SignedInfo of the Signature that is being made. */
static const struct xml_node *
find_info(const struct xml_node *n)
{
	const char *id = xml_is(n, NS_DS, "Signature") ? xml_attr(n, "Id") : NULL;

	if (id != NULL && strcmp(id, "_new") == 0)
		return xml_first(n);
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c)) {
		const struct xml_node *found = find_info(c);

		if (found != NULL)
			return found;
	}
	return NULL;
}

char *
fixture_sign(struct arena *a, const struct fixture *f)
{
	char *info = signed_info(a, f);
	struct err err = {0};
	struct bytes text;
	/* The Id marks this Signature among others; canonical SignedInfo does not see it. */
	const struct xml_node *n = find_info(
		parsed(a, replace(a, f->text, FIXTURE_PLACE,
				  arena_printf(a,
					       "<ds:Signature Id=\"_new\" xmlns:ds=\"" NS_DS
					       "\">%s</ds:Signature>",
					       info))));

	assert_non_null(n);
	ASSERT_OK(xml_c14n(a, n, NULL, f->info_prefixes, 0, &text, &err), &err);
	return replace(a, f->text, FIXTURE_PLACE,
		       arena_printf(a,
				    "<ds:Signature xmlns:ds=\"" NS_DS "\">%s%s<ds:SignatureValue>%s"
				    "</ds:SignatureValue>%s%s</ds:Signature>",
				    info, f->pretty ? "\n" : "",
				    enc_base64(a, fixture_sign_octets(a, f->suite, text)),
				    f->key_info != NULL ? f->key_info : "", f->pretty ? "\n" : ""));
}
