/* Keys in a token; see p11_key.h. */
#include "keys/p11_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/hash.h"
#include "keys/cert.h"
#include "keys/crypto.h"
#include "keys/key_type.h"

#define RSA_MAX 2048 /* octets of a modulus */

/* DigestInfo of SHA-256 up to the digest (RFC 8017 9.2, note 1). */
static const unsigned char digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
					    0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
					    0x01, 0x05, 0x00, 0x04, 0x20};

#define OID_MAX 32

/* The curve's OBJECT IDENTIFIER as DER (RFC 5480 2.1.1.1); n 0: no EC key. */
struct curve_oid {
	unsigned char p[OID_MAX];
	size_t n;
};

static struct curve_oid
curve_oid(enum key_type type)
{
	const struct key_type_row *row = key_type_row(type);
	const ASN1_OBJECT *o = row->curve == NULL ? NULL : OBJ_nid2obj(OBJ_sn2nid(row->curve));
	struct curve_oid oid = {.n = 0};
	unsigned char *end = oid.p;
	int n = o == NULL ? 0 : i2d_ASN1_OBJECT(o, NULL);

	if (n > 0 && n <= OID_MAX)
		oid.n = (size_t)i2d_ASN1_OBJECT(o, &end);
	return oid;
}

static bool
is_ec(enum key_type type)
{
	return !key_type_is_rsa(type);
}

static CK_ATTRIBUTE
attribute(CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
	return (CK_ATTRIBUTE){type, (void *)(uintptr_t)p, n};
}

/* ---- finding ---- */

/* The first two that fit, to tell one from several. */
static CK_RV
find(CK_FUNCTION_LIST *f, struct p11_session *s, CK_ATTRIBUTE *wanted, CK_ULONG n_wanted,
     CK_OBJECT_HANDLE found[2], CK_ULONG *n)
{
	CK_RV rv = f->C_FindObjectsInit(s->handle, wanted, n_wanted), end;

	*n = 0;
	if (rv != CKR_OK)
		return rv;
	rv = f->C_FindObjects(s->handle, found, 2, n);
	end = f->C_FindObjectsFinal(s->handle);
	return rv != CKR_OK ? rv : end;
}

static CK_RV
find_named(CK_FUNCTION_LIST *f, struct p11_session *s, CK_OBJECT_CLASS class,
	   const struct p11_object *key, CK_OBJECT_HANDLE *out)
{
	CK_ATTRIBUTE wanted[] = {
		attribute(CKA_CLASS, &class, sizeof(class)),
		attribute(CKA_LABEL, key->label, strlen(key->label)),
		attribute(CKA_ID, key->id.p, key->id.n),
	};
	CK_OBJECT_HANDLE found[2];
	CK_ULONG n;
	CK_RV rv = find(f, s, wanted, ARRAY_LEN(wanted), found, &n);

	if (rv != CKR_OK)
		return rv;
	if (n != 1)
		return P11_NO_OBJECT;
	*out = found[0];
	return CKR_OK;
}

/* The private key's handle, looked for once in each session. */
static CK_RV
handle_of(CK_FUNCTION_LIST *f, struct p11_session *s, const struct p11_object *key,
	  CK_OBJECT_HANDLE *out)
{
	const struct bytes parts[] = {
		bytes_of(key->label), {(const unsigned char *)"", 1}, key->id};
	struct p11_handle h;
	CK_RV rv;

	hash_sha256_parts(parts, ARRAY_LEN(parts), h.name);
	for (size_t i = 0; i < s->n_handles; i++)
		if (bytes_eq((struct bytes){s->handles[i].name, 32}, (struct bytes){h.name, 32})) {
			*out = s->handles[i].handle;
			return CKR_OK;
		}
	rv = find_named(f, s, CKO_PRIVATE_KEY, key, &h.handle);
	if (rv != CKR_OK)
		return rv;
	if (s->n_handles == P11_HANDLES_MAX)
		s->n_handles = 0;
	s->handles[s->n_handles++] = h;
	*out = h.handle;
	return CKR_OK;
}

struct probe {
	const struct p11_object *key;
};

/* Not from what the session remembers: the token itself is asked. */
static CK_RV
probe_run(CK_FUNCTION_LIST *f, struct p11_session *s, void *arg)
{
	const struct probe *w = arg;
	CK_OBJECT_HANDLE unused;
	CK_SESSION_INFO info;
	CK_RV rv = f->C_GetSessionInfo(s->handle, &info);

	if (rv != CKR_OK)
		return rv;
	if (info.state != CKS_RW_USER_FUNCTIONS && info.state != CKS_RO_USER_FUNCTIONS)
		return CKR_USER_NOT_LOGGED_IN;
	return w->key == NULL ? CKR_OK : find_named(f, s, CKO_PRIVATE_KEY, w->key, &unused);
}

bool
p11_probe(struct p11 *p, struct p11_session *s, const struct p11_object *key, struct err *err)
{
	struct probe w = {key};

	return p11_do(p, s, &(struct p11_work){"look for the key", probe_run, &w}, err);
}

/* ---- using ---- */

struct use {
	const struct p11_object *key;
	CK_MECHANISM *mechanism;
	struct bytes in;
	struct p11_out *out;
	CK_ULONG secret_bytes; /* of an agreement */
};

static CK_RV
sign_run(CK_FUNCTION_LIST *f, struct p11_session *s, void *arg)
{
	struct use *u = arg;
	CK_ULONG n = sizeof(u->out->p);
	CK_OBJECT_HANDLE key;
	CK_RV rv = handle_of(f, s, u->key, &key);

	if (rv == CKR_OK)
		rv = f->C_SignInit(s->handle, u->mechanism, key);
	if (rv == CKR_OK)
		rv = f->C_Sign(s->handle, (unsigned char *)(uintptr_t)u->in.p, u->in.n, u->out->p,
			       &n);
	u->out->n = n <= sizeof(u->out->p) ? n : 0;
	return rv;
}

bool
p11_sign(struct p11 *p, struct p11_session *s, const struct p11_object *key, enum sig_alg alg,
	 struct bytes digest, struct p11_out *sig, struct err *err)
{
	CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, SHA256_BYTES};
	unsigned char info[sizeof(digest_info) + SHA256_BYTES];
	CK_MECHANISM m = {CKM_ECDSA, NULL, 0};
	struct use u = {key, &m, digest, sig, 0};

	if (alg == SIG_RS256) {
		memcpy(info, digest_info, sizeof(digest_info));
		memcpy(info + sizeof(digest_info), digest.p, SHA256_BYTES);
		m.mechanism = CKM_RSA_PKCS;
		u.in = (struct bytes){info, sizeof(info)};
	} else if (alg == SIG_PS256 || alg == SIG_PS256_ALONE) {
		m = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &pss, sizeof(pss)};
	} else if (!is_ec(key_type_of_sig(alg))) {
		return FAIL(err, ERR_DENIED, NULL, "key makes no signatures of this kind");
	}
	return p11_do(p, s, &(struct p11_work){"sign", sign_run, &u}, err);
}

/*
 * Whatever is wrong with what was sent, modules call it by many names, and one of
 * them is that of a lost token.  A token that is really gone shows at the next
 * call that is not about a stranger's octets.
 */
static CK_RV
decrypt_run(CK_FUNCTION_LIST *f, struct p11_session *s, void *arg)
{
	struct use *u = arg;
	CK_ULONG n = sizeof(u->out->p);
	CK_OBJECT_HANDLE key;
	CK_RV rv = handle_of(f, s, u->key, &key);

	if (rv == CKR_OK)
		rv = f->C_DecryptInit(s->handle, u->mechanism, key);
	if (rv != CKR_OK)
		return rv;
	rv = f->C_Decrypt(s->handle, (unsigned char *)(uintptr_t)u->in.p, u->in.n, u->out->p, &n);
	u->out->n = n <= sizeof(u->out->p) ? n : 0;
	switch (rv) {
	case CKR_ENCRYPTED_DATA_INVALID:
	case CKR_ENCRYPTED_DATA_LEN_RANGE:
	case CKR_DATA_LEN_RANGE:
	case CKR_GENERAL_ERROR:
	case CKR_FUNCTION_FAILED:
	case CKR_ARGUMENTS_BAD:
		return CKR_DATA_INVALID;
	default:
		return rv;
	}
}

bool
p11_unwrap(struct p11 *p, struct p11_session *s, const struct p11_object *key, enum wrap_alg alg,
	   struct bytes wrapped, struct p11_out *plain, struct err *err)
{
	bool sha1 = alg == WRAP_RSA_OAEP_SHA1;
	CK_RSA_PKCS_OAEP_PARAMS oaep = {sha1 ? CKM_SHA_1 : CKM_SHA256,
					sha1 ? CKG_MGF1_SHA1 : CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED,
					NULL, 0};
	CK_MECHANISM m = {CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)};
	struct use u = {key, &m, wrapped, plain, 0};

	return p11_do(p, s, &(struct p11_work){"decrypt", decrypt_run, &u}, err);
}

/* The shared secret is an object of the session for as long as it takes to read it. */
static CK_RV
derive_run(CK_FUNCTION_LIST *f, struct p11_session *s, void *arg)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	struct use *u = arg;
	CK_ATTRIBUTE template[] = {
		attribute(CKA_CLASS, &class, sizeof(class)),
		attribute(CKA_KEY_TYPE, &type, sizeof(type)),
		attribute(CKA_VALUE_LEN, &u->secret_bytes, sizeof(u->secret_bytes)),
		attribute(CKA_TOKEN, &no, sizeof(no)),
		attribute(CKA_SENSITIVE, &no, sizeof(no)),
		attribute(CKA_EXTRACTABLE, &yes, sizeof(yes)),
	};
	CK_ATTRIBUTE value = {CKA_VALUE, u->out->p, sizeof(u->out->p)};
	CK_OBJECT_HANDLE key, secret;
	CK_RV rv = handle_of(f, s, u->key, &key);

	if (rv == CKR_OK)
		rv = f->C_DeriveKey(s->handle, u->mechanism, key, template, ARRAY_LEN(template),
				    &secret);
	if (rv != CKR_OK)
		return rv;
	rv = f->C_GetAttributeValue(s->handle, secret, &value, 1);
	u->out->n = value.ulValueLen <= sizeof(u->out->p) ? value.ulValueLen : 0;
	f->C_DestroyObject(s->handle, secret);
	return rv;
}

bool
p11_derive(struct p11 *p, struct p11_session *s, const struct p11_object *key, enum key_type type,
	   struct bytes point, struct p11_out *z, struct err *err)
{
	CK_ECDH1_DERIVE_PARAMS ecdh = {
		.kdf = CKD_NULL,
		.public_data_len = point.n,
		.public_data = (unsigned char *)(uintptr_t)point.p,
	};
	CK_MECHANISM m = {CKM_ECDH1_DERIVE, &ecdh, sizeof(ecdh)};
	struct use u = {key, &m, point, z, key_type_row(type)->field_bytes};

	if (!p11_do(p, s, &(struct p11_work){"derive", derive_run, &u}, err))
		return false;
	return z->n == u.secret_bytes ||
	       FAIL(err, ERR_UNAVAILABLE, NULL, "HSM: derive: %zu octets", z->n);
}

/* ---- making ---- */

struct make {
	enum key_type type;
	bool decrypts;
	const struct p11_object *key;
};

static CK_RV
generate_run(CK_FUNCTION_LIST *f, struct p11_session *s, void *arg)
{
	const struct make *w = arg;
	bool ec = is_ec(w->type);
	struct curve_oid oid = curve_oid(w->type);
	CK_MECHANISM m = {ec ? CKM_EC_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_BBOOL signs = !w->decrypts, derives = w->decrypts && ec, opens = w->decrypts && !ec;
	static const unsigned char exponent[] = {1, 0, 1};
	CK_ULONG bits = KEY_RSA_BITS;
	CK_ATTRIBUTE label = attribute(CKA_LABEL, w->key->label, strlen(w->key->label));
	CK_ATTRIBUTE id = attribute(CKA_ID, w->key->id.p, w->key->id.n);
	CK_ATTRIBUTE pub[] = {
		label,
		id,
		attribute(CKA_TOKEN, &yes, 1),
		attribute(CKA_VERIFY, &signs, 1),
		ec ? attribute(CKA_EC_PARAMS, oid.p, oid.n)
		   : attribute(CKA_MODULUS_BITS, &bits, sizeof(bits)),
		ec ? attribute(CKA_DERIVE, &derives, 1) : attribute(CKA_ENCRYPT, &opens, 1),
		attribute(CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)), /* RSA alone */
	};
	CK_ATTRIBUTE priv[] = {
		label,
		id,
		attribute(CKA_TOKEN, &yes, 1),
		attribute(CKA_PRIVATE, &yes, 1),
		attribute(CKA_SENSITIVE, &yes, 1),
		attribute(CKA_EXTRACTABLE, &no, 1),
		attribute(CKA_SIGN, &signs, 1),
		ec ? attribute(CKA_DERIVE, &derives, 1) : attribute(CKA_DECRYPT, &opens, 1),
	};
	CK_OBJECT_HANDLE made_pub, made_priv;

	return f->C_GenerateKeyPair(s->handle, &m, pub, ARRAY_LEN(pub) - ec, priv, ARRAY_LEN(priv),
				    &made_pub, &made_priv);
}

bool
p11_generate(struct p11 *p, struct p11_session *s, enum key_type type, bool decrypts,
	     const struct p11_object *key, struct err *err)
{
	struct make w = {type, decrypts, key};

	return p11_do(p, s, &(struct p11_work){"generate", generate_run, &w}, err);
}

static CK_RV
remove_run(CK_FUNCTION_LIST *f, struct p11_session *s, void *arg)
{
	CK_OBJECT_HANDLE handle;

	if (find_named(f, s, CKO_PUBLIC_KEY, arg, &handle) == CKR_OK)
		f->C_DestroyObject(s->handle, handle);
	if (find_named(f, s, CKO_PRIVATE_KEY, arg, &handle) == CKR_OK)
		f->C_DestroyObject(s->handle, handle);
	return CKR_OK;
}

void
p11_remove(struct p11 *p, struct p11_session *s, const struct p11_object *key)
{
	struct p11_object copy = *key;

	(void)!p11_do(p, s, &(struct p11_work){"remove", remove_run, &copy}, NULL);
}

struct adopt {
	const char *label, *why; /* why: NULL as long as nothing is wrong with it */
	enum key_type type;
	bool decrypts;
	unsigned char id[P11_NAME_MAX];
	size_t n_id;
};

/* What may be wrong with an object that somebody else made. */
static const char *
fault_of(const struct adopt *w, CK_KEY_TYPE type, bool sensitive, bool extractable, bool usable)
{
	if (type != (is_ec(w->type) ? CKK_EC : CKK_RSA))
		return "it is of another type";
	if (!sensitive || extractable)
		return "it could be taken out of the token";
	if (!usable)
		return w->decrypts ? "it does not decrypt" : "it does not sign";
	if (w->n_id == 0 || w->n_id > P11_NAME_MAX)
		return "it has no id of 1 to 64 octets";
	return NULL;
}

static CK_RV
adopt_run(CK_FUNCTION_LIST *f, struct p11_session *s, void *arg)
{
	struct adopt *w = arg;
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE wanted[] = {
		attribute(CKA_CLASS, &class, sizeof(class)),
		attribute(CKA_LABEL, w->label, strlen(w->label)),
	};
	CK_BBOOL sensitive = CK_FALSE, extractable = CK_TRUE, usable = CK_FALSE;
	CK_KEY_TYPE type = 0;
	CK_ATTRIBUTE_TYPE use = !w->decrypts ? CKA_SIGN : is_ec(w->type) ? CKA_DERIVE : CKA_DECRYPT;
	CK_ATTRIBUTE has[] = {
		{CKA_KEY_TYPE, &type, sizeof(type)}, {CKA_SENSITIVE, &sensitive, 1},
		{CKA_EXTRACTABLE, &extractable, 1},  {use, &usable, 1},
		{CKA_ID, w->id, sizeof(w->id)},
	};
	CK_OBJECT_HANDLE found[2];
	CK_ULONG n;
	CK_RV rv = find(f, s, wanted, ARRAY_LEN(wanted), found, &n);

	if (rv != CKR_OK)
		return rv;
	if (n != 1) {
		w->why = n == 0 ? "there is none" : "there are several";
		return CKR_OK;
	}
	rv = f->C_GetAttributeValue(s->handle, found[0], has, ARRAY_LEN(has));
	if (rv != CKR_OK)
		return rv;
	w->n_id = has[4].ulValueLen;
	w->why = fault_of(w, type, sensitive, extractable, usable);
	return CKR_OK;
}

bool
p11_adopt(struct p11 *p, struct p11_session *s, struct arena *a, const char *label,
	  enum key_type type, bool decrypts, struct bytes *id, struct err *err)
{
	struct adopt w = {.label = label, .type = type, .decrypts = decrypts};

	if (!p11_do(p, s, &(struct p11_work){"look for the key", adopt_run, &w}, err))
		return false;
	if (w.why != NULL)
		return FAIL(err, ERR_DENIED, NULL, "private key '%s' in the HSM: %s", label, w.why);
	*id = arena_bytes(a, (struct bytes){w.id, w.n_id});
	return true;
}

/* ---- the public half ---- */

struct public
{
	const struct p11_object *key;
	enum key_type type;
	unsigned char first[RSA_MAX], second[64]; /* point; or modulus and exponent */
	size_t n_first, n_second;
};

static CK_RV
public_run(CK_FUNCTION_LIST *f, struct p11_session *s, void *arg)
{
	struct public *w = arg;
	bool ec = is_ec(w->type);
	CK_ATTRIBUTE has[] = {
		{ec ? CKA_EC_POINT : CKA_MODULUS, w->first, sizeof(w->first)},
		{ec ? CKA_EC_PARAMS : CKA_PUBLIC_EXPONENT, w->second, sizeof(w->second)},
	};
	CK_OBJECT_HANDLE key;
	CK_RV rv = find_named(f, s, CKO_PUBLIC_KEY, w->key, &key);

	if (rv == CKR_OK)
		rv = f->C_GetAttributeValue(s->handle, key, has, ARRAY_LEN(has));
	if (rv != CKR_OK)
		return rv;
	w->n_first = has[0].ulValueLen;
	w->n_second = has[1].ulValueLen;
	return CKR_OK;
}

/* The point in a DER OCTET STRING, as PKCS#11 has it, or bare, as some tokens do. */
static bool
ec_public(struct arena *a, const struct public *w, EVP_PKEY **out, struct err *err)
{
	const struct key_type_row *row = key_type_row(w->type);
	struct curve_oid oid = curve_oid(w->type);
	struct bytes point = {w->first, w->n_first};
	size_t n = key_type_point_bytes(row);

	if (!bytes_eq((struct bytes){w->second, w->n_second}, (struct bytes){oid.p, oid.n}))
		return FAIL(err, ERR_DENIED, NULL, "key in the HSM is not on %s", row->title);
	if (point.n == n + 2 && point.p[0] == 0x04 && point.p[1] == n)
		point = (struct bytes){point.p + 2, n};
	return cert_ec_parse(a, row->curve, point, out, err);
}

static void
free_bn(void *p)
{
	BN_free(p);
}

static bool
rsa_public(struct arena *a, const struct public *w, EVP_PKEY **out, struct err *err)
{
	BIGNUM *n = BN_bin2bn(w->first, (int)w->n_first, NULL);
	BIGNUM *e = BN_bin2bn(w->second, (int)w->n_second, NULL);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	arena_defer(a, free_bn, n);
	arena_defer(a, free_bn, e);
	crypto_keep_pkey_ctx(a, ctx);
	if (bld != NULL && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		params = OSSL_PARAM_BLD_to_param(bld);
	if (params != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	crypto_keep_pkey(a, pkey);
	*out = pkey;
	return pkey != NULL || CRYPTO_FAIL(err, ERR_DENIED, "key in the HSM is no RSA key");
}

bool
p11_public(struct p11 *p, struct p11_session *s, struct arena *a, const struct p11_object *key,
	   enum key_type type, struct bytes *spki, struct err *err)
{
	struct public *w = ARENA_NEW(a, struct public);
	EVP_PKEY *pkey = NULL, *judged;
	struct bytes der;

	w->key = key;
	w->type = type;
	if (!p11_do(p, s, &(struct p11_work){"read the public key", public_run, w}, err))
		return false;
	if (w->n_first > sizeof(w->first) || w->n_second > sizeof(w->second))
		return FAIL(err, ERR_DENIED, NULL, "public key in the HSM is too long");
	if (!(is_ec(type) ? ec_public(a, w, &pkey, err) : rsa_public(a, w, &pkey, err)) ||
	    !cert_spki_build(a, pkey, &der, err) || !cert_spki_parse(a, der, &judged, err))
		return false;
	if (key_type_is_rsa(type) && EVP_PKEY_get_bits(judged) < KEY_RSA_BITS)
		return FAIL(err, ERR_DENIED, NULL, "RSA key in the HSM has %d bits, not %d",
			    EVP_PKEY_get_bits(judged), KEY_RSA_BITS);
	*spki = der;
	return true;
}
