/* Certificate and key of built-in TLS; see tls_pair.h. */
#include "keys/tls_pair.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* Nobody sits at a terminal to type one. */
static int
no_passphrase(char *out UNUSED, int size UNUSED, int writing UNUSED, void *ctx UNUSED)
{
	return -1;
}

static bool
fits(const X509 *cert, const EVP_PKEY *key, struct err *err)
{
	if (cert == NULL)
		return FAIL(err, ERR_INPUT, NULL, "holds no certificate in PEM");
	if (key == NULL)
		return FAIL(err, ERR_INPUT, NULL,
			    "tls_key holds no private key in PEM that opens "
			    "without a passphrase");
	return X509_check_private_key(cert, key) == 1 ||
	       FAIL(err, ERR_INPUT, NULL, "its first certificate is for another key than tls_key");
}

bool
tls_pair_check(struct bytes certificates, struct bytes key, struct err *err)
{
	BIO *cert_in = BIO_new_mem_buf(certificates.p, (int)certificates.n);
	BIO *key_in = BIO_new_mem_buf(key.p, (int)key.n);
	X509 *cert = NULL;
	EVP_PKEY *pkey = NULL;

	if (cert_in != NULL && key_in != NULL) {
		cert = PEM_read_bio_X509(cert_in, NULL, no_passphrase, NULL);
		pkey = PEM_read_bio_PrivateKey(key_in, NULL, no_passphrase, NULL);
	}
	bool ok = fits(cert, pkey, err);

	EVP_PKEY_free(pkey);
	X509_free(cert);
	BIO_free(key_in);
	BIO_free(cert_in);
	ERR_clear_error();
	return ok;
}
