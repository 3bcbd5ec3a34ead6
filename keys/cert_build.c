/* Writing certificates (cert_build.h), with OpenSSL's X.509 builder. */
#include "keys/cert_build.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/buf.h"
#include "base/rand.h"

#define DAYS_MAX     36500
#define SERIAL_BYTES 16

static void
free_x509(void *p)
{
	X509_free(p);
}

/* RFC 5280 4.1.2.2: positive, at most 20 octets; random, so that no two are equal. */
static bool
set_serial(X509 *x)
{
	unsigned char serial[SERIAL_BYTES];
	rand_bytes(serial, sizeof(serial));
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);
	BIGNUM *bn = BN_bin2bn(serial, sizeof(serial), NULL);
	bool ok = bn != NULL && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL;
	BN_free(bn);
	return ok;
}

static bool
set_names(X509 *x, const char *cn)
{
	X509_NAME *name = X509_get_subject_name(x);
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
					  (const unsigned char *)cn, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x, name) == 1;
}

static bool
set_key_identifier(X509 *x)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_key_identifier, "hash");
	bool ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool
fill(X509 *x, EVP_PKEY *pub, const char *cn, time_t not_before, int64_t days)
{
	return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) && set_names(x, cn) &&
	       ASN1_TIME_set(X509_getm_notBefore(x), not_before) != NULL &&
	       ASN1_TIME_adj(X509_getm_notAfter(x), not_before, (int)days, 0) != NULL &&
	       X509_set_pubkey(x, pub) == 1 && set_key_identifier(x);
}

/* Everything but the signature. */
static bool
begin(struct arena *a, EVP_PKEY *pub, const char *cn, time_t not_before, int64_t days, X509 **out,
      struct err *err)
{
	if (days < 1 || days > DAYS_MAX)
		return FAIL(err, ERR_INPUT, NULL, "certificate for %lld days", (long long)days);
	if (cn[0] == '\0')
		return FAIL(err, ERR_INPUT, NULL, "certificate without a name");
	X509 *x = X509_new();
	if (x == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "out of memory");
	arena_defer(a, free_x509, x);
	if (!fill(x, pub, cn, not_before, days)) {
		ERR_clear_error();
		return FAIL(err, ERR_INPUT, NULL, "certificate cannot be made for this name");
	}
	*out = x;
	return true;
}

/* The digest of a signature with this key, as those that SAML's signatures have. */
static bool
takes_sha384(const EVP_PKEY *key)
{
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256;
}

static bool
sign_with(struct arena *a, X509 *x, EVP_PKEY *key, struct bytes *der, struct err *err)
{
	const EVP_MD *digest = takes_sha384(key) ? EVP_sha384() : EVP_sha256();
	int n = X509_sign(x, key, digest) > 0 ? i2d_X509(x, NULL) : -1;
	if (n <= 0) {
		ERR_clear_error();
		return FAIL(err, ERR_INPUT, NULL, "certificate cannot be signed");
	}
	unsigned char *p = arena_alloc(a, (size_t)n), *end = p;
	if (i2d_X509(x, &end) != n)
		return FAIL(err, ERR_INTERNAL, NULL, "certificate cannot be encoded");
	*der = (struct bytes){p, (size_t)n};
	return true;
}

bool
cert_build_self_signed(struct arena *a, EVP_PKEY *key, const char *cn, time_t not_before,
		       int64_t days, struct bytes *der, struct err *err)
{
	X509 *x;

	return begin(a, key, cn, not_before, days, &x, err) && sign_with(a, x, key, der, err);
}

static void
free_pkey(void *p)
{
	EVP_PKEY_free(p);
}

bool
cert_build_for(struct arena *a, EVP_PKEY *pub, const char *cn, time_t not_before, int64_t days,
	       struct bytes *der, struct err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x;

	arena_defer(a, free_pkey, key);
	if (key == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "key cannot be made");
	return begin(a, pub, cn, not_before, days, &x, err) && sign_with(a, x, key, der, err);
}

/* DER: tag, definite length of at most two octets, contents. */
static void
put_der(struct buf *b, unsigned char tag, struct bytes contents)
{
	buf_char(b, (char)tag);
	if (contents.n >= 0x100)
		buf_char(b, (char)0x82);
	else if (contents.n >= 0x80)
		buf_char(b, (char)0x81);
	if (contents.n >= 0x100)
		buf_char(b, (char)(contents.n >> 8));
	buf_char(b, (char)contents.n);
	buf_add(b, contents);
}

/* RFC 3279 2.2.3: ECDSA's r and s as a SEQUENCE of two INTEGERs. */
static bool
ecdsa_der(struct arena *a, struct bytes raw, struct bytes *out)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	unsigned char *p = arena_alloc(a, raw.n + 16), *end = p;
	int half = (int)raw.n / 2;
	BIGNUM *r = BN_bin2bn(raw.p, half, NULL), *s = BN_bin2bn(raw.p + half, half, NULL);
	bool set = sig != NULL && ECDSA_SIG_set0(sig, r, s) == 1;
	int n = set ? i2d_ECDSA_SIG(sig, &end) : 0;
	if (!set) {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	*out = (struct bytes){p, n > 0 ? (size_t)n : 0};
	return n > 0;
}

/* The part that is signed, with the name of the algorithm; OpenSSL sets it only when it signs. */
static bool
tbs_build(struct arena *a, X509 *x, const EVP_PKEY *pub, struct bytes *tbs, struct bytes *alg)
{
	const X509_ALGOR *inner = X509_get0_tbs_sigalg(x);
	bool ec = EVP_PKEY_get_base_id(pub) == EVP_PKEY_EC;
	int nid = takes_sha384(pub) ? NID_ecdsa_with_SHA384
		  : ec              ? NID_ecdsa_with_SHA256
				    : NID_sha256WithRSAEncryption;
	int type = ec ? V_ASN1_UNDEF : V_ASN1_NULL;
	if (X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)inner, OBJ_nid2obj(nid), type, NULL) != 1)
		return false;
	int n = i2d_re_X509_tbs(x, NULL), m = i2d_X509_ALGOR(inner, NULL);
	if (n <= 0 || m <= 0)
		return false;
	unsigned char *p = arena_alloc(a, (size_t)n), *q = arena_alloc(a, (size_t)m), *end;
	*tbs = (struct bytes){p, (size_t)n};
	*alg = (struct bytes){q, (size_t)m};
	end = p;
	if (i2d_re_X509_tbs(x, &end) != n)
		return false;
	end = q;
	return i2d_X509_ALGOR(inner, &end) == m;
}

bool
cert_build_signed_by(struct arena *a, EVP_PKEY *pub, const char *cn, time_t not_before,
		     int64_t days, cert_sign_fn sign, void *ctx, struct bytes *der, struct err *err)
{
	bool ec = EVP_PKEY_get_base_id(pub) == EVP_PKEY_EC;
	struct bytes tbs, alg, sig, bits, body;
	struct buf b;
	X509 *x;
	if (!begin(a, pub, cn, not_before, days, &x, err))
		return false;
	if (!tbs_build(a, x, pub, &tbs, &alg)) {
		ERR_clear_error();
		return FAIL(err, ERR_INTERNAL, NULL, "certificate cannot be encoded");
	}
	if (!sign(ctx, a, tbs, &sig, err))
		return false;
	if (ec && !ecdsa_der(a, sig, &sig))
		return FAIL(err, ERR_INTERNAL, NULL, "signature cannot be encoded");
	buf_init(&b, a, 8192);
	buf_char(&b, '\0'); /* no unused bits */
	buf_add(&b, sig);
	if (!buf_finish(&b, &bits, err))
		return false;
	buf_init(&b, a, 16384);
	buf_add(&b, tbs);
	buf_add(&b, alg);
	put_der(&b, 0x03, bits);
	if (!buf_finish(&b, &body, err))
		return false;
	buf_init(&b, a, 16384);
	put_der(&b, 0x30, body);
	return buf_finish(&b, der, err);
}
