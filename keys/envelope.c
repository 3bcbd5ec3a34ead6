/* Encrypting to peers; see envelope.h. */
#include "keys/envelope.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/rand.h"
#include "keys/cert.h"

#define EC_SECRET_MAX   66 /* P-521 */
#define AES_BLOCK_BYTES 16
#define WRAP_MORE_BYTES 8 /* AES key wrap's integrity block */
#define DOES_NOT_OPEN   "encrypted content does not open"

/* Forget OpenSSL's error queue and speak for ourselves. */
static bool
fail(struct err *err, enum err_kind kind, const char *what)
{
	ERR_clear_error();
	return FAIL(err, kind, NULL, "%s", what);
}

static void
free_pkey(void *p)
{
	EVP_PKEY_free(p);
}

static void
free_pkey_ctx(void *p)
{
	EVP_PKEY_CTX_free(p);
}

static void
free_cipher_ctx(void *p)
{
	EVP_CIPHER_CTX_free(p);
}

/* A context of the arena; NULL only when OpenSSL has none. */
static EVP_PKEY_CTX *
key_context(struct arena *a, EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	arena_defer(a, free_pkey_ctx, ctx);
	return ctx;
}

bool
envelope_wrap_rsa(struct arena *a, EVP_PKEY *pub, enum wrap_alg alg, struct bytes content_key,
		  struct bytes *out, struct err *err)
{
	const char *md = alg == WRAP_RSA_OAEP_SHA256 ? "SHA256" : "SHA1";
	EVP_PKEY_CTX *ctx = key_context(a, pub);
	size_t n = (size_t)EVP_PKEY_get_size(pub);
	unsigned char *p = arena_alloc(a, n);

	if (!EVP_PKEY_is_a(pub, "RSA") || ctx == NULL || EVP_PKEY_encrypt_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, md, NULL) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, md, NULL) != 1 ||
	    EVP_PKEY_encrypt(ctx, p, &n, content_key.p, content_key.n) != 1)
		return fail(err, ERR_INTERNAL, "content key cannot be wrapped for this RSA key");
	*out = (struct bytes){p, n};
	return true;
}

void
envelope_concat_kdf(struct bytes z, struct bytes other_info, unsigned char *out, size_t n)
{
	unsigned char digest[SHA256_BYTES];

	for (size_t done = 0, round = 1; done < n; done += sizeof(digest), round++) {
		unsigned char counter[4] = {0, 0, 0, (unsigned char)round};
		struct bytes parts[] = {{counter, sizeof(counter)}, z, other_info};

		hash_sha256_parts(parts, ARRAY_LEN(parts), digest);
		memcpy(out + done, digest, n - done < sizeof(digest) ? n - done : sizeof(digest));
	}
	wipe(digest, sizeof(digest));
}

/* A fresh key on the curve of pub, of the arena; NULL when pub has none. */
static EVP_PKEY *
fresh_key(struct arena *a, EVP_PKEY *pub)
{
	EVP_PKEY_CTX *ctx = key_context(a, pub);
	EVP_PKEY *key = NULL;

	/* A context made of a key generates on that key's curve. */
	if (!EVP_PKEY_is_a(pub, "EC") || ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_generate(ctx, &key) != 1)
		return NULL;
	arena_defer(a, free_pkey, key);
	return key;
}

bool
envelope_agree(struct arena *a, EVP_PKEY *pub, struct bytes other_info, size_t key_bytes,
	       struct bytes *point, struct bytes *key, struct err *err)
{
	EVP_PKEY *mine = fresh_key(a, pub);
	EVP_PKEY_CTX *ctx;
	size_t z_n = EC_SECRET_MAX;
	unsigned char *z = arena_alloc(a, z_n); /* wiped with the arena */

	if (mine == NULL || (ctx = key_context(a, mine)) == NULL ||
	    EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, pub) != 1 ||
	    EVP_PKEY_derive(ctx, z, &z_n) != 1)
		return fail(err, ERR_INTERNAL, "no agreement with this EC key");
	unsigned char *k = arena_alloc(a, key_bytes);

	envelope_concat_kdf((struct bytes){z, z_n}, other_info, k, key_bytes);
	*key = (struct bytes){k, key_bytes};
	return cert_ec_point(a, mine, point, err);
}

/* ---- symmetric ---- */

/* The cipher of this kind for a key of n octets; NULL: no such size. */
static const char *
aes_name(size_t n, const char *with_16, const char *with_32)
{
	return n == 16 ? with_16 : n == 32 ? with_32 : NULL;
}

static EVP_CIPHER_CTX *
cipher_init(struct arena *a, const char *name, const unsigned char *key, const unsigned char *nonce,
	    bool encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	arena_defer(a, free_cipher_ctx, ctx);
	if (ctx == NULL || name == NULL)
		return NULL;
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);

	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	bool ok = EVP_CipherInit_ex2(ctx, cipher, key, nonce, encrypt, NULL) == 1;

	EVP_CIPHER_free(cipher); /* the context holds its own reference */
	return ok ? ctx : NULL;
}

static bool
wrap_aes(struct arena *a, struct bytes kek, struct bytes in, bool encrypt, struct bytes *out)
{
	const char *name = aes_name(kek.n, "AES-128-WRAP", "AES-256-WRAP");
	EVP_CIPHER_CTX *ctx = cipher_init(a, name, kek.p, NULL, encrypt);
	unsigned char *p = arena_alloc(a, in.n + AES_BLOCK_BYTES);
	int n = 0, rest = 0;

	if (ctx == NULL || in.n > INT32_MAX || in.n % WRAP_MORE_BYTES != 0 ||
	    EVP_CipherUpdate(ctx, p, &n, in.p, (int)in.n) != 1 || n <= 0 ||
	    EVP_CipherFinal_ex(ctx, p + n, &rest) != 1)
		return false;
	*out = (struct bytes){p, (size_t)n + (size_t)rest};
	return true;
}

bool
envelope_wrap_aes(struct arena *a, struct bytes kek, struct bytes content_key, struct bytes *out,
		  struct err *err)
{
	return wrap_aes(a, kek, content_key, true, out) ||
	       fail(err, ERR_INTERNAL, "content key cannot be wrapped");
}

bool
envelope_unwrap_aes(struct arena *a, struct bytes kek, struct bytes wrapped, struct bytes *out,
		    struct err *err)
{
	return wrap_aes(a, kek, wrapped, false, out) ||
	       fail(err, ERR_INPUT, "wrapped key does not open");
}

static EVP_CIPHER_CTX *
gcm_init(struct arena *a, struct bytes key, const unsigned char *nonce, struct bytes aad,
	 bool encrypt)
{
	const char *name = aes_name(key.n, "AES-128-GCM", "AES-256-GCM");
	EVP_CIPHER_CTX *ctx = cipher_init(a, name, key.p, nonce, encrypt);
	int n;

	if (ctx == NULL || aad.n > INT32_MAX ||
	    (aad.n > 0 && EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.n) != 1))
		return NULL;
	return ctx;
}

bool
envelope_seal(struct arena *a, struct bytes key, struct bytes aad, struct bytes plain,
	      struct bytes *out, struct err *err)
{
	size_t n = ENVELOPE_NONCE_BYTES + plain.n + ENVELOPE_TAG_BYTES;
	unsigned char *p = arena_alloc(a, n), *text = p + ENVELOPE_NONCE_BYTES;
	EVP_CIPHER_CTX *ctx;
	int done = 0, rest;

	rand_bytes(p, ENVELOPE_NONCE_BYTES);
	ctx = gcm_init(a, key, p, aad, true);
	if (ctx == NULL || plain.n > INT32_MAX ||
	    (plain.n > 0 && EVP_CipherUpdate(ctx, text, &done, plain.p, (int)plain.n) != 1) ||
	    EVP_CipherFinal_ex(ctx, text + done, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, ENVELOPE_TAG_BYTES, text + plain.n) !=
		    1)
		return fail(err, ERR_INTERNAL, "content cannot be encrypted");
	*out = (struct bytes){p, n};
	return true;
}

bool
envelope_open(struct arena *a, struct bytes key, struct bytes aad, struct bytes sealed,
	      struct bytes *plain, struct err *err)
{
	unsigned char tag[ENVELOPE_TAG_BYTES];
	EVP_CIPHER_CTX *ctx;
	int done = 0, rest;

	if (sealed.n < ENVELOPE_NONCE_BYTES + ENVELOPE_TAG_BYTES || sealed.n > INT32_MAX)
		return fail(err, ERR_INPUT, DOES_NOT_OPEN);
	size_t n = sealed.n - ENVELOPE_NONCE_BYTES - ENVELOPE_TAG_BYTES;
	const unsigned char *text = sealed.p + ENVELOPE_NONCE_BYTES;
	unsigned char *p = arena_alloc(a, n);

	/* Always the whole tag: a shorter one could be guessed. */
	memcpy(tag, text + n, sizeof(tag));
	ctx = gcm_init(a, key, sealed.p, aad, false);
	if (ctx == NULL || (n > 0 && EVP_CipherUpdate(ctx, p, &done, text, (int)n) != 1) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) != 1 ||
	    EVP_CipherFinal_ex(ctx, p + done, &rest) != 1)
		return fail(err, ERR_INPUT, DOES_NOT_OPEN);
	*plain = (struct bytes){p, n};
	return true;
}

/* ---- AES-CBC with HMAC (RFC 7518 5.2.2) ---- */

struct cbc_parts {
	struct bytes mac_key, cipher_key;
	size_t tag_bytes;
	const char *cipher, *digest;
};

/* The key's first half authenticates, its second encrypts.  False: no such size. */
static bool
cbc_parts_of(struct bytes key, struct cbc_parts *out)
{
	size_t half = key.n / 2;
	const char *cipher = aes_name(half, "AES-128-CBC", "AES-256-CBC");

	if (cipher == NULL || key.n % 2 != 0)
		return false;
	*out = (struct cbc_parts){{key.p, half},
				  {key.p + half, half},
				  half,
				  cipher,
				  half == 16 ? "SHA256" : "SHA512"};
	return true;
}

/* HMAC over AAD, vector and ciphertext, and the AAD's length in bits; its first half is the tag. */
static bool
cbc_tag(struct arena *a, const struct cbc_parts *k, struct bytes aad, struct bytes sealed,
	unsigned char tag[EVP_MAX_MD_SIZE])
{
	unsigned char length[8];
	struct buf b;
	struct bytes text;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(length); i++)
		length[i] = (unsigned char)((uint64_t)aad.n * 8 >> (56 - 8 * i));
	buf_init(&b, a, aad.n + sealed.n + sizeof(length));
	buf_add(&b, aad);
	buf_add(&b, sealed);
	buf_add(&b, (struct bytes){length, sizeof(length)});
	return buf_finish(&b, &text, NULL) &&
	       EVP_Q_mac(NULL, "HMAC", NULL, k->digest, NULL, k->mac_key.p, k->mac_key.n, text.p,
			 text.n, tag, EVP_MAX_MD_SIZE, &n) != NULL &&
	       n == 2 * k->tag_bytes;
}

bool
envelope_seal_cbc(struct arena *a, struct bytes key, struct bytes aad, struct bytes plain,
		  struct bytes *out, struct err *err)
{
	unsigned char tag[EVP_MAX_MD_SIZE];
	struct cbc_parts k;
	EVP_CIPHER_CTX *ctx;
	int done = 0, rest = 0;

	if (!cbc_parts_of(key, &k) || plain.n > INT32_MAX - AES_BLOCK_BYTES)
		return fail(err, ERR_INTERNAL, "content cannot be encrypted");
	size_t most = ENVELOPE_CBC_IV_BYTES + plain.n + AES_BLOCK_BYTES;
	unsigned char *p = arena_alloc(a, most + k.tag_bytes), *text = p + ENVELOPE_CBC_IV_BYTES;

	rand_bytes(p, ENVELOPE_CBC_IV_BYTES);
	ctx = cipher_init(a, k.cipher, k.cipher_key.p, p, true);
	if (ctx == NULL || EVP_CipherUpdate(ctx, text, &done, plain.p, (int)plain.n) != 1 ||
	    EVP_CipherFinal_ex(ctx, text + done, &rest) != 1)
		return fail(err, ERR_INTERNAL, "content cannot be encrypted");
	size_t n = ENVELOPE_CBC_IV_BYTES + (size_t)done + (size_t)rest;

	if (!cbc_tag(a, &k, aad, (struct bytes){p, n}, tag))
		return fail(err, ERR_INTERNAL, "content cannot be encrypted");
	memcpy(p + n, tag, k.tag_bytes);
	*out = (struct bytes){p, n + k.tag_bytes};
	return true;
}

bool
envelope_open_cbc(struct arena *a, struct bytes key, struct bytes aad, struct bytes sealed,
		  struct bytes *plain, struct err *err)
{
	unsigned char tag[EVP_MAX_MD_SIZE];
	struct cbc_parts k;
	EVP_CIPHER_CTX *ctx;
	int done = 0, rest = 0;

	if (!cbc_parts_of(key, &k) || sealed.n > INT32_MAX ||
	    sealed.n < ENVELOPE_CBC_IV_BYTES + AES_BLOCK_BYTES + k.tag_bytes)
		return fail(err, ERR_INPUT, DOES_NOT_OPEN);
	size_t n = sealed.n - k.tag_bytes, text_n = n - ENVELOPE_CBC_IV_BYTES;
	const unsigned char *text = sealed.p + ENVELOPE_CBC_IV_BYTES;
	unsigned char *p = arena_alloc(a, text_n + AES_BLOCK_BYTES);

	/* Nothing is decrypted before the whole tag has proved it: no oracle of the padding. */
	if (!cbc_tag(a, &k, aad, (struct bytes){sealed.p, n}, tag) ||
	    CRYPTO_memcmp(tag, sealed.p + n, k.tag_bytes) != 0)
		return fail(err, ERR_INPUT, DOES_NOT_OPEN);
	ctx = cipher_init(a, k.cipher, k.cipher_key.p, sealed.p, false);
	if (ctx == NULL || EVP_CipherUpdate(ctx, p, &done, text, (int)text_n) != 1 ||
	    EVP_CipherFinal_ex(ctx, p + done, &rest) != 1)
		return fail(err, ERR_INPUT, DOES_NOT_OPEN);
	*plain = (struct bytes){p, (size_t)done + (size_t)rest};
	return true;
}
