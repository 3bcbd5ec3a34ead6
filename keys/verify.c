/* Verifying signatures; see verify.h. */
#include "keys/verify.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#define EC_DER_MAX 160 /* of r and s on P-521 */

/* r || s as the DER that OpenSSL takes; false when it is not of the curve's length. */
static bool
ec_der(EVP_PKEY *pub, struct bytes sig, unsigned char der[EC_DER_MAX], struct bytes *out)
{
	size_t half = ((size_t)EVP_PKEY_get_bits(pub) + 7) / 8;
	ECDSA_SIG *both = ECDSA_SIG_new();
	int n = 0;

	if (both != NULL && sig.n == 2 * half && half <= 66) {
		BIGNUM *r = BN_bin2bn(sig.p, (int)half, NULL);
		BIGNUM *s = BN_bin2bn(sig.p + half, (int)half, NULL);

		if (ECDSA_SIG_set0(both, r, s) == 1)
			n = i2d_ECDSA_SIG(both, &der);
		else {
			BN_free(r);
			BN_free(s);
		}
	}
	ECDSA_SIG_free(both);
	if (n <= 0)
		return false;
	*out = (struct bytes){der - n, (size_t)n};
	return true;
}

static bool
verify_with(EVP_MD_CTX *ctx, const struct verify_how *how, EVP_PKEY *pub, struct bytes text,
	    struct bytes sig)
{
	EVP_PKEY_CTX *p = NULL;
	unsigned char der[EC_DER_MAX];

	if (EVP_DigestVerifyInit_ex(ctx, &p, how->digest, NULL, NULL, pub, NULL) != 1)
		return false;
	if (how->pss && (EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) != 1 ||
			 EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) != 1))
		return false;
	if (strcmp(how->key, "EC") == 0 && !ec_der(pub, sig, der, &sig))
		return false;
	return EVP_DigestVerify(ctx, sig.p, sig.n, text.p, text.n) == 1;
}

bool
verify_signature(const struct verify_how *how, EVP_PKEY *pub, struct bytes text, struct bytes sig)
{
	if (!EVP_PKEY_is_a(pub, how->key))
		return false;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL && verify_with(ctx, how, pub, text, sig);

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}
