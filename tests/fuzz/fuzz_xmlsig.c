/*
 * xmlsig_verify on every element of any document, and on the document as octets
 * beside a message.  The key is that of the ECDSA vectors: what it verifies must
 * be the one text that was signed with it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "keys/cert.h"
#include "saml/xmlsig.h"

static const unsigned char spki[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
	0x04, 0x91, 0xea, 0x5f, 0x51, 0xd2, 0x4a, 0x2c, 0x2e, 0xba, 0xee, 0x5e, 0x85,
	0xa7, 0x7e, 0x4d, 0x69, 0xad, 0x5b, 0x29, 0x27, 0x5a, 0x68, 0x38, 0x04, 0x83,
	0x04, 0xd2, 0x71, 0xe0, 0xf8, 0x3a, 0x4f, 0x11, 0x9f, 0x8f, 0x43, 0xd9, 0x1d,
	0xf0, 0x73, 0x00, 0xec, 0x47, 0x5c, 0xe9, 0xa8, 0xf5, 0xff, 0x26, 0xf4, 0xe9,
	0xfb, 0x20, 0xaa, 0x32, 0x96, 0xcc, 0x43, 0x21, 0x35, 0x47, 0xcb, 0xbc, 0x6a,
};

/* DigestValue of tests/vectors/saml/xmlsig/ecdsa-sha256.xml. */
static const unsigned char signed_text[SHA256_BYTES] = {
	0xe3, 0x12, 0x04, 0x72, 0xaf, 0x27, 0x51, 0xeb, 0x6b, 0x65, 0xad,
	0x30, 0x25, 0xb5, 0x57, 0x45, 0x49, 0x4a, 0xe9, 0x31, 0x2b, 0x04,
	0x14, 0x4e, 0xd8, 0x85, 0xec, 0x9e, 0x93, 0x80, 0x69, 0x00,
};

static struct saml_keys
keys(void)
{
	static struct arena *kept;
	static EVP_PKEY *key;

	if (kept == NULL) {
		kept = arena_create(1 << 16);
		if (!cert_spki_parse(kept, (struct bytes){spki, sizeof(spki)}, &key, NULL))
			abort();
	}
	return (struct saml_keys){&key, 1};
}

static void
check(const struct saml_signed *s)
{
	unsigned char got[SHA256_BYTES];

	hash_sha256(saml_signed_bytes(s), got);
	if (!bytes_eq((struct bytes){got, sizeof(got)},
		      (struct bytes){signed_text, sizeof(signed_text)}))
		abort();
}

static void
verify_all(struct arena *a, const struct xml_node *n)
{
	struct saml_signed *s;
	const struct xml_node *found;

	if (xmlsig_verify(a, n, keys(), &s, NULL)) {
		check(s);
		if (saml_signed_assertion(s, &found, NULL) && saml_signed_holds(s, s, NULL))
			abort();
	}
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
		verify_all(a, c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(64 << 20);
	struct bytes text = {data, size};
	struct xmlsig_octets beside = {
		.alg_uri = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
		.octets = text,
		.sig = {data, size < 64 ? size : 64},
		.message = text,
	};
	struct saml_signed *s;
	struct xml_doc *doc;

	if (a != NULL && size <= 65536) {
		if (xml_parse(a, text, &xml_limits_metadata, &doc, NULL))
			verify_all(a, xml_root(doc));
		if (xmlsig_verify_octets(a, &beside, keys(), &xml_limits_message, &s, NULL))
			abort();
	}
	arena_destroy(a);
	return 0;
}
