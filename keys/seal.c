/* The envelope of secrets at rest; see seal.h. */
#include "keys/seal.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/rand.h"

#define VERSION      1
#define ID_AT        1
#define NONCE_AT     5
#define NONCE_BYTES  12
#define HEADER_BYTES (NONCE_AT + NONCE_BYTES)
#define TAG_BYTES    16

_Static_assert(HEADER_BYTES + TAG_BYTES == SEAL_OVERHEAD, "the envelope's overhead");

bool
seal_init(struct arena *a, const struct crypto *c, uint32_t id, const unsigned char key[32],
	  struct seal *out, struct err *err)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	crypto_keep_cipher_ctx(a, ctx);
	if (ctx == NULL || EVP_EncryptInit_ex2(ctx, c->aes256_gcm, key, NULL, NULL) != 1)
		return CRYPTO_FAIL(err, ERR_INTERNAL, "AES-256-GCM cannot be keyed");
	*out = (struct seal){.ctx = ctx, .id = id};
	return true;
}

bool
seal_rekey(struct seal *s, uint32_t id, const unsigned char key[32], struct err *err)
{
	if (EVP_EncryptInit_ex2(s->ctx, NULL, key, NULL, NULL) != 1)
		return CRYPTO_FAIL(err, ERR_INTERNAL, "AES-256-GCM cannot be keyed");
	s->id = id;
	return true;
}

bool
seal_key_id(struct bytes sealed, uint32_t *id)
{
	const unsigned char *p = sealed.p + ID_AT;

	if (sealed.n < SEAL_OVERHEAD || sealed.p[0] != VERSION)
		return false;
	*id = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return true;
}

bool
seal_write(struct seal *s, struct arena *a, struct bytes aad, struct bytes plain, struct bytes *out,
	   struct err *err)
{
	int n = 0;

	if (plain.n > INT_MAX / 2 || aad.n > INT_MAX / 2)
		return FAIL(err, ERR_INTERNAL, NULL, "too much to seal");
	unsigned char *p = arena_alloc(a, plain.n + SEAL_OVERHEAD);
	unsigned char *body = p + HEADER_BYTES;

	p[0] = VERSION;
	for (int i = 0; i < 4; i++)
		p[ID_AT + i] = (unsigned char)(s->id >> (24 - 8 * i));
	rand_bytes(p + NONCE_AT, NONCE_BYTES);
	if (EVP_EncryptInit_ex2(s->ctx, NULL, NULL, p + NONCE_AT, NULL) != 1 ||
	    EVP_EncryptUpdate(s->ctx, NULL, &n, p, NONCE_AT) != 1 ||
	    EVP_EncryptUpdate(s->ctx, NULL, &n, aad.p, (int)aad.n) != 1 ||
	    EVP_EncryptUpdate(s->ctx, body, &n, plain.p, (int)plain.n) != 1 ||
	    EVP_EncryptFinal_ex(s->ctx, body + plain.n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, body + plain.n) != 1)
		return CRYPTO_FAIL(err, ERR_INTERNAL, "AES-256-GCM failed");
	*out = (struct bytes){p, plain.n + SEAL_OVERHEAD};
	return true;
}

bool
seal_read(struct seal *s, struct arena *a, struct bytes aad, struct bytes sealed,
	  struct bytes *plain, struct err *err)
{
	uint32_t id = 0;
	int n = 0;

	if (!seal_key_id(sealed, &id) || id != s->id || sealed.n > INT_MAX / 2 ||
	    aad.n > INT_MAX / 2)
		return FAIL(err, ERR_INPUT, NULL, "sealed value does not open");
	size_t body_n = sealed.n - SEAL_OVERHEAD;
	const unsigned char *body = sealed.p + HEADER_BYTES;
	unsigned char tag[TAG_BYTES];
	unsigned char *p = arena_alloc(a, body_n + 1);

	memcpy(tag, body + body_n, TAG_BYTES);
	if (EVP_DecryptInit_ex2(s->ctx, NULL, NULL, sealed.p + NONCE_AT, NULL) != 1 ||
	    EVP_DecryptUpdate(s->ctx, NULL, &n, sealed.p, NONCE_AT) != 1 ||
	    EVP_DecryptUpdate(s->ctx, NULL, &n, aad.p, (int)aad.n) != 1 ||
	    EVP_DecryptUpdate(s->ctx, p, &n, body, (int)body_n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) != 1 ||
	    EVP_DecryptFinal_ex(s->ctx, p + body_n, &n) != 1) {
		wipe(p, body_n); /* nothing unauthenticated leaves this function */
		return CRYPTO_FAIL(err, ERR_INPUT, "sealed value does not open");
	}
	*plain = (struct bytes){p, body_n};
	return true;
}
