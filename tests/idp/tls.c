/* TLS for tests; see tls.h. */
#include "tests/idp/tls.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

static const char *
take_text(struct arena *a, BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	const char *text = arena_strndup(a, p, (size_t)n);

	BIO_free(bio);
	return text;
}

void
tls_make_certificate(struct arena *a, const char **cert_pem, const char **key_pem)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());

	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_version(x, X509_VERSION_3);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"k", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_EXTENSION *name =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:k,DNS:localhost");

	X509_add_ext(x, name, -1);
	X509_EXTENSION_free(name);
	X509_sign(x, key, EVP_sha256());
	PEM_write_bio_X509(cert_bio, x);
	PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL);
	*cert_pem = take_text(a, cert_bio);
	*key_pem = take_text(a, key_bio);
	X509_free(x);
	EVP_PKEY_free(key);
}

int
tls_ask(int fd, int least, int most, const char *ciphers, const char *request, char *answer,
	size_t n)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int spoken = 0;

	SSL_CTX_set_security_level(ctx, 0); /* so that old things are the server's to refuse */
	SSL_CTX_set_min_proto_version(ctx, least);
	SSL_CTX_set_max_proto_version(ctx, most);
	SSL_CTX_set_cipher_list(ctx, ciphers == NULL ? "ALL" : ciphers);
	SSL *ssl = SSL_new(ctx);

	SSL_set_fd(ssl, fd);
	answer[0] = '\0';
	if (SSL_connect(ssl) == 1) {
		int got = 0;

		spoken = SSL_version(ssl);
		if (SSL_write(ssl, request, (int)strlen(request)) > 0)
			got = SSL_read(ssl, answer, (int)n - 1);
		answer[got > 0 ? got : 0] = '\0';
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return spoken;
}
