/*
 * xmlenc_decrypt on every element of any document, with key operations that
 * always give the same key; and any octets as the content that it decrypts.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "keys/envelope.h"
#include "saml/xmlenc.h"

static const unsigned char fixed[32] = "0123456789abcdef0123456789abcde";

static bool
unwrap(void *ctx, struct arena *a, const char *kid, enum wrap_alg alg, struct bytes wrapped,
       struct bytes *key, struct err *err)
{
	(void)ctx, (void)a, (void)kid, (void)alg;
	if (wrapped.n == 0)
		return FAIL(err, ERR_INPUT, NULL, "empty");
	*key = (struct bytes){fixed, wrapped.p[0] & 1 ? 16 : 32};
	return true;
}

static bool
agree(void *ctx, struct arena *a, const char *kid, struct bytes peer_spki, struct bytes other_info,
      size_t key_bytes, struct bytes *key, struct err *err)
{
	(void)ctx, (void)a, (void)kid, (void)peer_spki, (void)other_info, (void)err;
	*key = (struct bytes){fixed, key_bytes};
	return true;
}

static const struct key_ops ops = {.unwrap = unwrap, .agree = agree};

static void
decrypt_all(struct arena *a, const struct xml_node *n, int *budget)
{
	const char *kid = "any";
	struct xmlenc_keys keys = {&ops, &kid, 1};
	struct xml_doc *doc;
	struct bytes text;

	if ((*budget)-- <= 0)
		return;
	if (xmlenc_decrypt(a, n, &keys, &doc, NULL) &&
	    !xml_c14n(a, xml_root(doc), NULL, NULL, 0, &text, NULL))
		abort();
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
		decrypt_all(a, c, budget);
}

/* The octets as content, sealed under the fixed key. */
static char *
sealed(struct arena *a, struct bytes plain)
{
	struct bytes out;

	if (!envelope_seal(a, (struct bytes){fixed, 16}, (struct bytes){0}, plain, &out, NULL))
		abort();
	return arena_printf(
		a,
		"<a:EncryptedID xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\" "
		"xmlns=\"http://www.w3.org/2001/04/xmlenc#\"><EncryptedData><EncryptionMethod "
		"Algorithm=\"http://www.w3.org/2009/xmlenc11#aes128-gcm\"/><CipherData>"
		"<CipherValue>%s</CipherValue></CipherData></EncryptedData><EncryptedKey>"
		"<EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>"
		"<CipherData><CipherValue>AQ==</CipherValue></CipherData></EncryptedKey>"
		"</a:EncryptedID>",
		enc_base64(a, out));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(64 << 20);
	struct bytes text = {data, size};
	struct xml_doc *doc;
	int budget = 1000;

	if (a != NULL && size <= 65536) {
		if (xml_parse(a, text, &xml_limits_message, &doc, NULL))
			decrypt_all(a, xml_root(doc), &budget);
		if (!xml_parse(a, bytes_of(sealed(a, text)), &xml_limits_message, &doc, NULL))
			abort();
		decrypt_all(a, xml_root(doc), &budget);
	}
	arena_destroy(a);
	return 0;
}
