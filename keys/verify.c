/* Verifying signatures; see verify.h. */
#include "keys/verify.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
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

/*
 * A context made ready costs a look-up of algorithms in the library; a copy of it does not.
 * Each thread keeps those it used last, with a reference to the key, so that no other key
 * can ever have its address.
 */
struct ready {
	struct verify_how how;
	EVP_PKEY *pub;
	EVP_MD_CTX *ctx;
};

#define READY_KEPT 8

struct kept {
	struct ready ready[READY_KEPT];
	size_t next; /* is replaced next */
};

static _Thread_local struct kept kept_here;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_end;
static bool end_is_seen;

static void
kept_free(void *p)
{
	struct kept *kept = p;

	for (size_t i = 0; i < READY_KEPT; i++) {
		EVP_MD_CTX_free(kept->ready[i].ctx);
		EVP_PKEY_free(kept->ready[i].pub);
	}
}

static void
prepare(void)
{
	end_is_seen = pthread_key_create(&at_thread_end, kept_free) == 0;
}

/* NULL: nobody would free what is kept. */
static struct kept *
kept_of_thread(void)
{
	if (pthread_once(&once, prepare) != 0 || !end_is_seen ||
	    pthread_setspecific(at_thread_end, &kept_here) != 0)
		return NULL;
	return &kept_here;
}

static bool
same_how(const struct verify_how *x, const struct verify_how *y)
{
	bool no_digest = x->digest == NULL || y->digest == NULL;

	return x->pss == y->pss && strcmp(x->key, y->key) == 0 &&
	       (no_digest ? x->digest == y->digest : strcmp(x->digest, y->digest) == 0);
}

static bool
ready_init(EVP_MD_CTX *ctx, const struct verify_how *how, EVP_PKEY *pub)
{
	EVP_PKEY_CTX *p = NULL;

	return EVP_DigestVerifyInit_ex(ctx, &p, how->digest, NULL, NULL, pub, NULL) == 1 &&
	       (!how->pss || (EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) == 1 &&
			      EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) == 1));
}

/* NULL: the library cannot. */
static const EVP_MD_CTX *
ready_for(const struct verify_how *how, EVP_PKEY *pub)
{
	struct kept *kept = kept_of_thread();

	for (size_t i = 0; kept != NULL && i < READY_KEPT; i++)
		if (kept->ready[i].pub == pub && same_how(&kept->ready[i].how, how))
			return kept->ready[i].ctx;
	EVP_MD_CTX *ctx = kept == NULL ? NULL : EVP_MD_CTX_new();

	if (ctx == NULL || !ready_init(ctx, how, pub) || EVP_PKEY_up_ref(pub) != 1) {
		EVP_MD_CTX_free(ctx);
		return NULL;
	}
	struct ready *r = &kept->ready[kept->next];

	kept->next = (kept->next + 1) % READY_KEPT;
	EVP_MD_CTX_free(r->ctx);
	EVP_PKEY_free(r->pub);
	*r = (struct ready){*how, pub, ctx};
	return ctx;
}

bool
verify_signature(const struct verify_how *how, EVP_PKEY *pub, struct bytes text, struct bytes sig)
{
	unsigned char der[EC_DER_MAX];

	if (!EVP_PKEY_is_a(pub, how->key) ||
	    (strcmp(how->key, "EC") == 0 && !ec_der(pub, sig, der, &sig)))
		return false;
	const EVP_MD_CTX *ready = ready_for(how, pub);
	EVP_MD_CTX *ctx = ready == NULL ? NULL : EVP_MD_CTX_new();
	bool ok = ctx != NULL && EVP_MD_CTX_copy_ex(ctx, ready) == 1 &&
		  EVP_DigestVerify(ctx, sig.p, sig.n, text.p, text.n) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}
