/* Client certificates for tests; see certificates.h. */
#include "tests/oidc/certificates.h"

#include <openssl/x509v3.h>

#include "base/enc.h"

static void
add_san(X509 *x, const char *san)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, san);

	assert_non_null(ext);
	assert_true(X509_add_ext(x, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

const char *
client_cert(struct arena *a, EVP_PKEY *key, const char *cn, const char *san, time_t from, time_t to)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	unsigned char *der = NULL;

	assert_true(X509_set_version(x, 2) == 1 &&
		    X509_NAME_add_entry_by_txt(name, "C", MBSTRING_UTF8,
					       (const unsigned char *)"DE", -1, -1, 0) == 1 &&
		    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn,
					       -1, -1, 0) == 1 &&
		    X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	ASN1_TIME_set(X509_getm_notBefore(x), from);
	ASN1_TIME_set(X509_getm_notAfter(x), to);
	if (san != NULL)
		add_san(x, san);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	int n = i2d_X509(x, &der);

	assert_true(n > 0);
	const char *text = arena_printf(a, ":%s:", enc_base64(a, (struct bytes){der, (size_t)n}));

	OPENSSL_free(der);
	X509_free(x);
	return text;
}
