/* Decryption keys from files; see file_key.h. */
#include "tests/saml/file_key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/conf.h"
#include "base/hash.h"
#include "tests/saml/support.h"
#include "tests/test.h"

static bool
file_unwrap(void *ctx, struct arena *arena, const char *kid UNUSED, enum wrap_alg alg,
	    struct bytes wrapped, struct bytes *key, struct err *e)
{
	EVP_PKEY_CTX *p = EVP_PKEY_CTX_new(ctx, NULL);
	const EVP_MD *md = alg == WRAP_RSA_OAEP_SHA256 ? EVP_sha256() : EVP_sha1();
	unsigned char *out = arena_alloc(arena, 512);
	size_t n = 512;
	bool ok = EVP_PKEY_decrypt_init(p) == 1 &&
		  EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_OAEP_PADDING) == 1 &&
		  EVP_PKEY_CTX_set_rsa_oaep_md(p, md) == 1 &&
		  EVP_PKEY_CTX_set_rsa_mgf1_md(p, md) == 1 &&
		  EVP_PKEY_decrypt(p, out, &n, wrapped.p, wrapped.n) == 1;

	EVP_PKEY_CTX_free(p);
	*key = (struct bytes){out, n};
	return ok || FAIL(e, ERR_INPUT, NULL, "no");
}

static bool
file_agree(void *ctx, struct arena *arena, const char *kid UNUSED, struct bytes peer_spki,
	   struct bytes other_info, size_t key_bytes, struct bytes *key, struct err *e)
{
	const unsigned char *at = peer_spki.p, counter[] = {0, 0, 0, 1};
	EVP_PKEY *peer = d2i_PUBKEY(NULL, &at, (long)peer_spki.n);
	EVP_PKEY_CTX *p = EVP_PKEY_CTX_new(ctx, NULL);
	unsigned char z[66], *out = arena_alloc(arena, SHA256_BYTES);
	size_t n = sizeof(z);
	bool ok = EVP_PKEY_derive_init(p) == 1 && EVP_PKEY_derive_set_peer(p, peer) == 1 &&
		  EVP_PKEY_derive(p, z, &n) == 1;
	struct bytes parts[] = {{counter, 4}, {z, n}, other_info};

	hash_sha256_parts(parts, 3, out);
	EVP_PKEY_CTX_free(p);
	EVP_PKEY_free(peer);
	*key = (struct bytes){out, key_bytes};
	return ok || FAIL(e, ERR_INPUT, NULL, "no");
}

struct key_ops
file_key_ops(EVP_PKEY *key)
{
	return (struct key_ops){.ctx = key, .unwrap = file_unwrap, .agree = file_agree};
}

char *
file_key_text(struct arena *a, const char *name)
{
	struct err err = {0};
	struct bytes text;

	ASSERT_OK(conf_read_file(a, arena_printf(a, "%s/xmlenc/%s", VECTORS, name), 1 << 16, &text,
				 &err),
		  &err);
	return text_of(a, text);
}

EVP_PKEY *
file_key(struct arena *a, const char *name)
{
	char *pem = file_key_text(a, name);
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(key);
	return key;
}
