/*
 * saml/xmlenc.c and xmlenc_open.c: what we encrypt opens (by xmlsec1 too: test_xmlsec1.c),
 * what others encrypted opens, and nothing of another shape does.
 */
#include "tests/test.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/enc.h"
#include "base/hash.h"
#include "keys/envelope.h"
#include "keys/key_type.h"
#include "saml/xmlenc.h"
#include "saml/xmlenc_alg.h"
#include "tests/saml/file_key.h"
#include "tests/saml/fixture.h"
#include "tests/saml/with_keys.h"

#define ELEMENT                                                                 \
	"<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" " \
	"ID=\"_a\"><saml:Subject>M\xc3\xbcller</saml:Subject></saml:Assertion>"

/* The keys themselves, but it is counted how often one is used, and all may be forbidden. */
static unsigned asked;
static bool forbidden;

static bool
watched_unwrap(void *ctx, struct arena *arena, const char *kid, enum wrap_alg alg,
	       struct bytes wrapped, struct bytes *key, struct err *e)
{
	asked++;
	return keys->ops.unwrap(ctx, arena, kid, alg, wrapped, key, e) &&
	       (!forbidden || FAIL(e, ERR_DENIED, NULL, "forbidden"));
}

static bool
watched_agree(void *ctx, struct arena *arena, const char *kid, struct bytes peer_spki,
	      struct bytes other_info, size_t key_bytes, struct bytes *key, struct err *e)
{
	asked++;
	return keys->ops.agree(ctx, arena, kid, peer_spki, other_info, key_bytes, key, e) &&
	       (!forbidden || FAIL(e, ERR_DENIED, NULL, "forbidden"));
}

static const enum key_type types[] = {KEY_P256, KEY_RSA3072, KEY_P384, KEY_BP256, KEY_BP384};

static struct xmlenc_keys
our_keys(void)
{
	static const char *kids[ARRAY_LEN(types)];
	static struct key_ops ops;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		kids[i] = test_key_of(keys, KEY_DECRYPT, types[i])->kid;
	ops = keys->ops;
	ops.unwrap = watched_unwrap;
	ops.agree = watched_agree;
	return (struct xmlenc_keys){&ops, kids, ARRAY_LEN(types)};
}

static const struct xml_node *
decrypted(const char *text)
{
	struct xmlenc_keys ours = our_keys();
	struct xml_doc *doc;

	ASSERT_OK(xmlenc_decrypt(a, parse_xml(a, text), &ours, &doc, &err), &err);
	return xml_root(doc);
}

static void
refused(const char *text, enum err_kind kind, const char *part)
{
	struct xmlenc_keys ours = our_keys();
	struct xml_doc *doc = NULL;

	err_clear(&err);
	asked = 0;
	if (xmlenc_decrypt(a, parse_xml(a, text), &ours, &doc, &err))
		fail_msg("opened: %s", text);
	if (err.kind != kind || strstr(err.text, part) == NULL)
		fail_msg("refused as %s: %s\n%s", err_kind_name(err.kind), err.text, text);
	assert_null(doc);
	err_clear(&err);
}

/* Refused for what can be seen from outside: no key of ours is put to use for it. */
static void
refused_unasked(const char *text, enum err_kind kind, const char *part)
{
	refused(text, kind, part);
	if (asked > 0)
		fail_msg("a key was used for %s", text);
}

static const struct recipient_row {
	enum xmlenc_transport transport;
	enum xmlenc_content content;
	enum key_type type;
} rows[] = {
	{XMLENC_OAEP_SHA256, XMLENC_A128GCM, KEY_RSA3072},
	{XMLENC_OAEP_SHA256, XMLENC_A256GCM, KEY_RSA3072},
	{XMLENC_OAEP_SHA1, XMLENC_A128GCM, KEY_RSA3072},
	{XMLENC_OAEP_SHA1, XMLENC_A256GCM, KEY_RSA3072},
	{XMLENC_ECDH_ES, XMLENC_A128GCM, KEY_P256},
	{XMLENC_ECDH_ES, XMLENC_A256GCM, KEY_P256},
	{XMLENC_ECDH_ES, XMLENC_A128GCM, KEY_P384},
	{XMLENC_ECDH_ES, XMLENC_A256GCM, KEY_P384},
	{XMLENC_ECDH_ES, XMLENC_A128GCM, KEY_BP256},
	{XMLENC_ECDH_ES, XMLENC_A256GCM, KEY_BP256},
	{XMLENC_ECDH_ES, XMLENC_A256GCM, KEY_BP384},
};

static struct xmlenc_recipient
recipient(const struct recipient_row *row)
{
	const struct test_key *key = test_key_of(keys, KEY_DECRYPT, row->type);

	return (struct xmlenc_recipient){
		.key = key->pub, .content = row->content, .transport = row->transport};
}

static char *
encrypted_text(const char *element, const struct recipient_row *row)
{
	struct xmlenc_recipient to = recipient(row);
	struct bytes out;

	ASSERT_OK(xmlenc_encrypt(a, bytes_of(element), "EncryptedAssertion", &to, &out, &err),
		  &err);
	return text_of(a, out);
}

/* ---- what we write ---- */

static void
what_we_encrypt_opens_and_is_canonical(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int with = 0; with < 2; with++) {
			struct xmlenc_recipient to = recipient(&rows[i]);
			struct bytes out, again;

			if (with) {
				to.cert_der = keys->dec_rsa.cert;
				to.name = "https://portal.example/saml?a=1&b=2";
			}
			ASSERT_OK(xmlenc_encrypt(a, bytes_of(ELEMENT), "EncryptedAssertion", &to,
						 &out, &err),
				  &err);
			const char *text = text_of(a, out);

			ASSERT_OK(xml_c14n(a, parse_xml(a, text), NULL, NULL, 0, &again, &err),
				  &err);
			assert_string_equal(text, text_of(a, again));
			assert_null(strstr(text, "ller"));
			assert_true((strstr(text, "Recipient=\"https") != NULL) == with);
			assert_true((strstr(text, "<ds:X509Certificate>") != NULL) == with);
			const char *theirs = strstr(text, "<xenc:RecipientKeyInfo>");

			assert_true(theirs == NULL ||
				    (strstr(theirs, "ECKeyValue") == NULL) == with);
			ASSERT_OK(xml_c14n(a, decrypted(text), NULL, NULL, 0, &again, &err), &err);
			assert_string_equal(text_of(a, again), ELEMENT);
		}
}

static void
names_and_uris_agree(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(xmlenc_content_by_uri(xmlenc_content_uri(rows[i].content)),
				 rows[i].content);
		assert_int_equal(xmlenc_transport_by_uri(xmlenc_transport_uri(rows[i].transport)),
				 rows[i].transport);
	}
	assert_null(xmlenc_content_uri(0));
	assert_null(xmlenc_transport_uri(0));
	assert_int_equal(xmlenc_content_by_uri("http://www.w3.org/2001/04/xmlenc#aes128-cbc"), 0);
	assert_int_equal(xmlenc_transport_by_uri("http://www.w3.org/2001/04/xmlenc#rsa-1_5"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(xmlenc_content_by_word(xmlenc_content_word(rows[i].content)),
				 rows[i].content);
		assert_int_equal(xmlenc_transport_by_word(xmlenc_transport_word(rows[i].transport)),
				 rows[i].transport);
	}
	assert_int_equal(xmlenc_content_by_word("aes128-cbc"), 0);
	assert_int_equal(xmlenc_transport_by_word("rsa-1_5"), 0);
	assert_null(xmlenc_content_word(0));
	assert_null(xmlenc_transport_word(0));
}

static void
a_key_that_does_not_fit_its_transport_is_refused(void **state UNUSED)
{
	struct xmlenc_recipient to = recipient(&rows[0]);
	struct bytes out;

	to.key = keys->dec_p256.pub;
	ASSERT_REFUSED(xmlenc_encrypt(a, bytes_of(ELEMENT), "EncryptedAssertion", &to, &out, &err),
		       &err, ERR_INTERNAL, "RSA key");
	to = recipient(&rows[4]);
	to.key = keys->dec_rsa.pub;
	ASSERT_REFUSED(xmlenc_encrypt(a, bytes_of(ELEMENT), "EncryptedAssertion", &to, &out, &err),
		       &err, ERR_INTERNAL, "no named curve");
	to = recipient(&rows[0]);
	to.transport = 0;
	ASSERT_REFUSED(xmlenc_encrypt(a, bytes_of(ELEMENT), "EncryptedAssertion", &to, &out, &err),
		       &err, ERR_INTERNAL, "no such key transport");
	to = recipient(&rows[0]);
	to.content = 0;
	ASSERT_REFUSED(xmlenc_encrypt(a, bytes_of(ELEMENT), "EncryptedAssertion", &to, &out, &err),
		       &err, ERR_INTERNAL, "no such content encryption");
}

/* ---- what others write ---- */

static void
what_xmlsec_encrypted_opens(void **state UNUSED)
{
	static const struct {
		const char *file, *key;
	} vectors[] = {
		{"oaep-sha256-a256gcm.xml", "rsa.key.pem"},
		{"oaep-mgf1p-a128gcm.xml", "rsa.key.pem"},
		{"ecdh-es-kw128-a128gcm.xml", "p256.key.pem"},
		{"ecdh-es-kw256-a256gcm-info.xml", "p256.key.pem"},
		{"ecdh-es-p384-kw256-a256gcm.xml", "p384.key.pem"},
		{"ecdh-es-bp256-kw128-a128gcm.xml", "bp256.key.pem"},
		{"ecdh-es-bp384-kw256-a256gcm.xml", "bp384.key.pem"},
	};
	const char *kid = "any";

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		EVP_PKEY *key = file_key(a, vectors[i].key);
		struct key_ops ops = file_key_ops(key);
		struct xmlenc_keys ours = {&ops, &kid, 1};
		const struct xml_node *n;
		struct xml_doc *doc;
		const char *id;

		ASSERT_OK(xmlenc_decrypt(a, parse_xml(a, file_key_text(a, vectors[i].file)), &ours,
					 &doc, &err),
			  &err);
		/* The prefix is declared outside the ciphertext only. */
		assert_true(xml_is(xml_root(doc), xmlns_saml.uri, "Assertion"));
		ASSERT_OK(xml_need_attr(xml_root(doc), "ID", &id, &err), &err);
		assert_string_equal(id, "_a");
		ASSERT_OK(xml_child(xml_root(doc), xmlns_saml.uri, "Subject", &n, &err), &err);
		EVP_PKEY_free(key);
	}
}

static void
an_encrypted_key_beside_the_data_is_found(void **state UNUSED)
{
	const char *text = encrypted_text(ELEMENT, &rows[0]);
	const char *key = cut(a, text, "<xenc:EncryptedKey", "</xenc:EncryptedKey>");
	const char *info = cut(a, text, "<ds:KeyInfo", "</ds:KeyInfo>");
	const char *beside = arena_printf(
		a, "%s</saml:EncryptedAssertion>",
		replace(a, key, "<xenc:EncryptedKey",
			"<xenc:EncryptedKey Id=\"k\" xmlns:xenc=\"http://www.w3.org/2001/04/"
			"xmlenc#\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\""));

	beside = replace(a, text, "</saml:EncryptedAssertion>", beside);
	decrypted(replace(a, beside, info, ""));
	decrypted(replace(a, beside, info,
			  "<ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">"
			  "<ds:RetrievalMethod Type=\"http://www.w3.org/2001/04/"
			  "xmlenc#EncryptedKey\" URI=\"#k\"/></ds:KeyInfo>"));
}

static void
the_key_for_us_is_found_among_others(void **state UNUSED)
{
	const char *text = encrypted_text(ELEMENT, &rows[4]);
	const char *info = cut(a, text, "<xenc:EncryptedKey", "</xenc:EncryptedKey>");
	const char *other = "<xenc:EncryptedKey><xenc:EncryptionMethod "
			    "Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-1_5\"/>"
			    "<xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue>"
			    "</xenc:CipherData></xenc:EncryptedKey>";
	const char *three = arena_printf(a, "%s%s%s", other, other, other);

	decrypted(replace(a, text, info, arena_printf(a, "%s%s", three, info)));
	decrypted(replace(a, text, info, arena_printf(a, "%s%s", info, three)));
	refused(replace(a, text, info, arena_printf(a, "%s%s%s", info, three, other)), ERR_INPUT,
		"more than 4");
	const char *beside = replace(a, other, "<xenc:EncryptedKey>",
				     "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/"
				     "xmlenc#\">");

	refused(replace(a, text, "</saml:EncryptedAssertion>",
			arena_printf(a, "%s%s%s%s</saml:EncryptedAssertion>", beside, beside,
				     beside, beside)),
		ERR_INPUT, "more than 4");
	refused(replace(a, text, info, other), ERR_INPUT, "does not open");
}

static void
oaep_of_either_digest_opens_under_either_name(void **state UNUSED)
{
	const char *sha1 = encrypted_text(ELEMENT, &rows[2]);
	const char *digest =
		"<ds:DigestMethod "
		"Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1\"></ds:DigestMethod>";
	const char *old = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
		   *new = "http://www.w3.org/2009/xmlenc11#rsa-oaep";

	decrypted(replace(a, sha1, digest, ""));
	decrypted(replace(a, sha1, old, new));
	decrypted(replace(a, replace(a, sha1, digest, ""), old, new));
	decrypted(replace(a, replace(a, sha1, old, new), digest,
			  "<m:MGF xmlns:m=\"http://www.w3.org/2009/xmlenc11#\" "
			  "Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha1\"/>"));
	/* The names must say what was done. */
	const char *sha256 = encrypted_text(ELEMENT, &rows[0]);
	const char *mgf = cut(a, sha256, "<xenc11:MGF", "</xenc11:MGF>");

	refused_unasked(replace(a, sha256, new, old), ERR_INPUT, "does not open");
	refused_unasked(replace(a, sha1, digest, arena_printf(a, "%s%s", digest, mgf)), ERR_INPUT,
			"does not open");
	refused_unasked(replace(a, sha256, mgf, ""), ERR_INPUT, "does not open");
	refused_unasked(replace(a, sha256, mgf, arena_printf(a, "%s%s", mgf, mgf)), ERR_INPUT,
			"does not open");
	refused_unasked(
		replace(a, sha256, cut(a, sha256, "<ds:DigestMethod", "</ds:DigestMethod>"), mgf),
		ERR_INPUT, "does not open");
	refused_unasked(replace(a, sha1, digest, arena_printf(a, "%s%s", digest, digest)),
			ERR_INPUT, "does not open");
	refused_unasked(
		replace(a, sha1, digest,
			arena_printf(a, "%s<xenc:OAEPparams>AAAA</xenc:OAEPparams>", digest)),
		ERR_INPUT, "does not open");
}

/* ---- refusals ---- */

struct change {
	const char *from, *to;
	enum err_kind kind;
	const char *part;
	bool asks; /* what is wrong shows when a key has been used */
};

#define OPENS_NOT ERR_INPUT, "encrypted element does not open"
#define UNTRIED   OPENS_NOT, false
#define TRIED     OPENS_NOT, true

static void
refuse_changes(const char *text, const struct change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(changes[i].asks ? refused : refused_unasked)(
			replace(a, text, changes[i].from, changes[i].to), changes[i].kind,
			changes[i].part);
}

static void
data_of_another_shape_is_refused(void **state UNUSED)
{
	static const struct change changes[] = {
		{"xmlenc#Element\"", "xmlenc#Content\"", ERR_INPUT, "not an element", false},
		{"2009/xmlenc11#aes128-gcm", "2001/04/xmlenc#aes128-cbc", ERR_DENIED,
		 "not permitted", false},
		{"2009/xmlenc11#aes128-gcm", "2001/04/xmlenc#aes256-cbc", ERR_DENIED,
		 "not permitted", false},
		{"2009/xmlenc11#aes128-gcm", "2001/04/xmlenc#tripledes-cbc", ERR_DENIED,
		 "not permitted", false},
		{"2009/xmlenc11#aes128-gcm", "2009/xmlenc11#aes192-gcm", ERR_DENIED,
		 "not permitted", false},
		{" Algorithm=\"http://www.w3.org/2009/xmlenc11#aes128-gcm\"", "", ERR_INPUT,
		 "no attribute Algorithm", false},
		{"aes128-gcm\">", "aes128-gcm\"><xenc:KeySize>128</xenc:KeySize>", ERR_INPUT,
		 "unexpected <KeySize>", false},
		{"<xenc:EncryptedData ", "<x/><xenc:EncryptedData ", ERR_INPUT,
		 "lacks <EncryptedData>", false},
		{"</xenc:EncryptedData>", "</xenc:EncryptedData><x/>", ERR_INPUT, "unexpected <x>",
		 false},
		{"</xenc:CipherData></xenc:EncryptedData>",
		 "</xenc:CipherData><xenc:EncryptionProperties/></xenc:EncryptedData>", ERR_INPUT,
		 "unexpected <EncryptionProperties>", false},
	};
	const char *text = encrypted_text(ELEMENT, &rows[0]);

	refuse_changes(text, changes, ARRAY_LEN(changes));
	refused(ELEMENT, ERR_INPUT, "nothing encrypted");
	const char *value =
		cut(a, strstr(text, "</ds:KeyInfo>"), "<xenc:CipherValue>", "</xenc:CipherValue>");

	refused(replace(a, text, value, "<xenc:CipherReference URI=\"https://evil.example/\"/>"),
		ERR_INPUT, "lacks <CipherValue>");
	refused(replace(a, text, value, arena_printf(a, "%s%s", value, value)), ERR_INPUT,
		"unexpected <CipherValue>");
	refused(replace(a, text, value, "<xenc:CipherValue>!</xenc:CipherValue>"), ERR_INPUT,
		"base64");
	refused(replace(a, text, value, "<xenc:CipherValue><x/></xenc:CipherValue>"), ERR_INPUT,
		"beside text");
	refused(replace(a, text, cut(a, text, "<ds:KeyInfo", "</ds:KeyInfo>"), ""), ERR_INPUT,
		"no encrypted key");
}

static void
an_rsa_key_of_another_shape_opens_not(void **state UNUSED)
{
	static const struct change changes[] = {
		{"2009/xmlenc11#rsa-oaep", "2001/04/xmlenc#rsa-1_5", UNTRIED},
		{"2009/xmlenc11#rsa-oaep", "2001/04/xmlenc#kw-aes128", UNTRIED},
		{"<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#rsa-oaep\">",
		 "<xenc:EncryptionMethod>", UNTRIED},
		{"2001/04/xmlenc#sha256", "2001/04/xmlenc#sha512", UNTRIED},
		{"2009/xmlenc11#mgf1sha256", "2009/xmlenc11#mgf1sha512", UNTRIED},
		{"</xenc11:MGF>", "</xenc11:MGF><x/>", UNTRIED},
		{"<xenc:CipherValue>", "<xenc:CipherReference URI=\"x\"/><xenc:CipherValue>",
		 UNTRIED},
		{"<xenc:CipherValue>", "<xenc:CipherValue>AAAA", TRIED},
	};

	const char *text = encrypted_text(ELEMENT, &rows[0]);
	const char *key = cut(a, text, "<xenc:EncryptedKey", "</xenc:EncryptedKey>");

	refuse_changes(text, changes, ARRAY_LEN(changes));
	refused_unasked(replace(a, text,
				cut(a, key, "<xenc:EncryptionMethod", "</xenc:EncryptionMethod>"),
				""),
			OPENS_NOT);
	refused_unasked(replace(a, text, cut(a, key, "<xenc:CipherData", "</xenc:CipherData>"), ""),
			OPENS_NOT);
	refused_unasked(replace(a, text, "<xenc:CipherData>",
				"<ds:KeyInfo/><ds:KeyInfo/><xenc:CipherData>"),
			OPENS_NOT);
}

static void
an_agreement_of_another_shape_opens_not(void **state UNUSED)
{
	static const struct change changes[] = {
		{"2001/04/xmlenc#kw-aes128", "2001/04/xmlenc#kw-tripledes", UNTRIED},
		{"2001/04/xmlenc#kw-aes128", "2001/04/xmlenc#kw-aes256", TRIED},
		{"2009/xmlenc11#ECDH-ES", "2001/04/xmlenc#dh", UNTRIED},
		{"2009/xmlenc11#ConcatKDF", "2009/xmlenc11#pbkdf2", UNTRIED},
		{"2001/04/xmlenc#sha256", "2001/04/xmlenc#sha512", UNTRIED},
		{"AlgorithmID=\"00\"", "AlgorithmID=\"0001\"", TRIED},
		{"AlgorithmID=\"00\"", "AlgorithmID=\"01\"", UNTRIED},
		{"AlgorithmID=\"00\"", "AlgorithmID=\"0\"", UNTRIED},
		{"PartyUInfo=\"00\"", "PartyUInfo=\"00aa\"", TRIED},
		{"PartyVInfo=\"00\"", "PartyVInfo=\"xx\"", UNTRIED},
		{"PartyVInfo=\"00\"", "SuppPrivInfo=\"00bb\"", TRIED},
		{"1.2.840.10045.3.1.7", "1.3.132.0.34", UNTRIED},
		{"1.2.840.10045.3.1.7", "1.2.3.4", UNTRIED},
		{"urn:oid:1.2.840.10045.3.1.7", "P-256", UNTRIED},
		{"urn:oid:1.2.840.10045.3.1.7", "urn:xyz:1.2.840.10045.3.1.7", UNTRIED},
		{"<dsig11:PublicKey>B", "<dsig11:PublicKey>A", UNTRIED},
		{"<dsig11:PublicKey>B", "<dsig11:PublicKey>!", UNTRIED},
	};
	const char *text = encrypted_text(ELEMENT, &rows[4]);

	refuse_changes(text, changes, ARRAY_LEN(changes));
	decrypted(replace(a, text, "AlgorithmID=\"00\"", "AlgorithmID=\"\""));
	decrypted(replace(a, text, "AlgorithmID=\"00\" ", ""));
	const char *info =
		cut(a, strstr(text, "<xenc:EncryptedKey"), "<ds:KeyInfo>", "</ds:KeyInfo>");

	/* Each level of what is read, left out with what it holds and without. */
	static const char *const parts[] = {"xenc11:KeyDerivationMethod",
					    "xenc11:ConcatKDFParams",
					    "ds:DigestMethod",
					    "xenc:OriginatorKeyInfo",
					    "ds:KeyValue",
					    "dsig11:ECKeyValue",
					    "dsig11:NamedCurve",
					    "dsig11:PublicKey"};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		refused_unasked(replace(a, text,
					cut(a, text, arena_printf(a, "<%s", parts[i]),
					    arena_printf(a, "</%s>", parts[i])),
					""),
				OPENS_NOT);
	const char *ns = " xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\"";
	const char *declared = replace(a, replace(a, text, ns, ""), "<xenc:OriginatorKeyInfo>",
				       arena_printf(a, "<xenc:OriginatorKeyInfo%s>", ns));

	decrypted(declared);
	for (size_t i = 4; i < 6; i++)
		refused_unasked(replace(a,
					replace(a, declared, arena_printf(a, "<%s>", parts[i]), ""),
					arena_printf(a, "</%s>", parts[i]), ""),
				OPENS_NOT);
	declared = replace(a, declared, arena_printf(a, "<xenc:OriginatorKeyInfo%s>", ns), "");
	declared = replace(a, declared, "</xenc:OriginatorKeyInfo>", "");
	refused_unasked(
		replace(a, declared, "<ds:KeyValue>", arena_printf(a, "<ds:KeyValue%s>", ns)),
		OPENS_NOT);
	refused_unasked(replace(a, text, " URI=\"urn:oid", " Uri=\"urn:oid"), OPENS_NOT);
	refused_unasked(replace(a, text, "<dsig11:PublicKey>", "<dsig11:PublicKey><x/>"),
			OPENS_NOT);
	refused(replace(a, text, info, ""), OPENS_NOT);
	refused(replace(a, text, info, "<ds:KeyInfo/>"), OPENS_NOT);
	const char *long_info = arena_printf(a, "AlgorithmID=\"00%0*d\"", 2200, 0);

	refused(replace(a, text, "AlgorithmID=\"00\"", long_info), OPENS_NOT);
}

/* Content under a key of our choice, the key wrapped for us. */
static char *
with_content(struct bytes content_key, struct bytes sealed)
{
	struct bytes wrapped;

	ASSERT_OK(envelope_wrap_rsa(a, keys->dec_rsa.pub, WRAP_RSA_OAEP_SHA1, content_key, &wrapped,
				    &err),
		  &err);
	return arena_printf(
		a,
		"<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" "
		"xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" xmlns:p=\"urn:p\">"
		"<xenc:EncryptedData><xenc:EncryptionMethod "
		"Algorithm=\"http://www.w3.org/2009/xmlenc11#aes128-gcm\"/>"
		"<KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey>"
		"<xenc:EncryptionMethod "
		"Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>"
		"<xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData>"
		"</xenc:EncryptedKey></KeyInfo><xenc:CipherData><xenc:CipherValue>%s"
		"</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"
		"</saml:EncryptedAssertion>",
		enc_base64(a, wrapped), enc_base64(a, sealed));
}

static const struct bytes key16 = {(const unsigned char *)"0123456789abcdef", 16};

static struct bytes
sealed(const char *text)
{
	struct bytes out;

	ASSERT_OK(envelope_seal(a, key16, (struct bytes){0}, bytes_of(text), &out, &err), &err);
	return out;
}

static void
a_tag_cut_short_is_refused(void **state UNUSED)
{
	/* SimpleSAMLphp xml-security CVE-2026-32600: tags of 0 to 15 octets. */
	struct bytes s = sealed("<p:x/>");

	assert_string_equal(xml_ns(decrypted(with_content(key16, s))), "urn:p");
	for (size_t cut_off = 1; cut_off <= s.n; cut_off++)
		refused(with_content(key16, (struct bytes){s.p, s.n - cut_off}), OPENS_NOT);
	refused(with_content((struct bytes){key16.p, 15}, s), OPENS_NOT);
}

static void
a_content_key_is_of_the_named_size(void **state UNUSED)
{
	/* All in order but the name: content under AES-256-GCM that says aes128-gcm. */
	struct bytes key32 = bytes_of("0123456789abcdef0123456789abcdef"), s;

	ASSERT_OK(envelope_seal(a, key32, (struct bytes){0}, bytes_of("<p:x/>"), &s, &err), &err);
	const char *text = with_content(key32, s);

	refused(text, OPENS_NOT);
	decrypted(replace(a, text, "aes128-gcm", "aes256-gcm"));
}

static void
each_flipped_bit_of_the_ciphertext_is_refused(void **state UNUSED)
{
	struct bytes s = sealed("<p:x/>");

	for (size_t i = 0; i < s.n; i++) {
		unsigned char *p = (unsigned char *)(uintptr_t)s.p;

		p[i] ^= 1;
		refused(with_content(key16, s), OPENS_NOT);
		p[i] ^= 1;
	}
}

static void
decrypted_octets_are_one_element_of_closed_xml(void **state UNUSED)
{
	static const char *const bad[] = {
		"",
		"text",
		"<p:x>",
		"<p:x/><p:x/>",
		"<p:x/> ",
		"<q:x/>",
		"<!DOCTYPE x><p:x/>",
		"<?pi?><p:x/>",
		"<p:x><!-- c --></p:x>",
		"<p:x><![CDATA[c]]></p:x>",
		"</context><context>",
		"\xff<p:x/>",
		"<p:x ID=\"a\"><p:y ID=\"a\"/></p:x>",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refused(with_content(key16, sealed(bad[i])), OPENS_NOT);
}

static void
without_our_key_nothing_opens(void **state UNUSED)
{
	static const char *const kids[] = {"nobody", "test-p256", "test-rsa"};
	struct xmlenc_keys none = {&keys->ops, kids, ARRAY_LEN(kids)};
	struct xml_doc *doc;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct xml_node *n = parse_xml(a, encrypted_text(ELEMENT, &rows[i]));

		ASSERT_REFUSED(xmlenc_decrypt(a, n, &none, &doc, &err), &err, ERR_INPUT,
			       "encrypted element does not open");
		none.n = i % 2 ? ARRAY_LEN(kids) : 0;
	}
}

/* The right key, and no leave to have it: whoever looks at the key alone would open. */
static void
a_key_that_was_refused_is_not_used(void **state UNUSED)
{
	forbidden = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		refused(encrypted_text(ELEMENT, &rows[i]), OPENS_NOT);
	forbidden = false;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		decrypted(encrypted_text(ELEMENT, &rows[i]));
}

static bool
unavailable_unwrap(void *ctx UNUSED, struct arena *arena UNUSED, const char *kid UNUSED,
		   enum wrap_alg alg UNUSED, struct bytes wrapped UNUSED, struct bytes *key UNUSED,
		   struct err *e)
{
	return FAIL(e, ERR_UNAVAILABLE, NULL, "the signer does not answer");
}

static bool
unavailable_agree(void *ctx UNUSED, struct arena *arena UNUSED, const char *kid UNUSED,
		  struct bytes peer_spki UNUSED, struct bytes other_info UNUSED,
		  size_t key_bytes UNUSED, struct bytes *key UNUSED, struct err *e)
{
	return FAIL(e, ERR_UNAVAILABLE, NULL, "the signer does not answer");
}

static void
a_signer_that_does_not_answer_is_no_refusal(void **state UNUSED)
{
	struct key_ops ops = {.unwrap = unavailable_unwrap, .agree = unavailable_agree};
	const char *kid = "any";
	struct xmlenc_keys ours = {&ops, &kid, 1};
	struct xml_doc *doc;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_REFUSED(xmlenc_decrypt(a, parse_xml(a, encrypted_text(ELEMENT, &rows[i])),
					      &ours, &doc, &err),
			       &err, ERR_UNAVAILABLE, "does not answer");
}

static void
what_is_encrypted_but_unsigned_proves_nothing(void **state UNUSED)
{
	/* Keycloak CVE-2026-2092: an attacker encrypts an assertion of his own for us. */
	struct saml_signed *s = NULL;
	const struct xml_node *n = decrypted(encrypted_text(ELEMENT, &rows[0]));

	ASSERT_REFUSED(fixture_verify(a, n, &s, &err), &err, ERR_INPUT, "no <Signature>");
	/* What the peer signed before it encrypted is verified like anything else. */
	struct fixture f = fixture_request();

	f.id = "_a";
	f.text = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" "
		 "ID=\"_a\">" FIXTURE_ISSUER FIXTURE_PLACE "</saml:Assertion>";
	n = decrypted(encrypted_text(fixture_sign(a, &f), &rows[4]));
	ASSERT_OK(fixture_verify(a, n, &s, &err), &err);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_we_encrypt_opens_and_is_canonical),
		T(names_and_uris_agree),
		T(a_key_that_does_not_fit_its_transport_is_refused),
		T(what_xmlsec_encrypted_opens),
		T(an_encrypted_key_beside_the_data_is_found),
		T(the_key_for_us_is_found_among_others),
		T(oaep_of_either_digest_opens_under_either_name),
		T(data_of_another_shape_is_refused),
		T(an_rsa_key_of_another_shape_opens_not),
		T(an_agreement_of_another_shape_opens_not),
		T(a_tag_cut_short_is_refused),
		T(a_content_key_is_of_the_named_size),
		T(each_flipped_bit_of_the_ciphertext_is_refused),
		T(decrypted_octets_are_one_element_of_closed_xml),
		T(without_our_key_nothing_opens),
		T(a_key_that_was_refused_is_not_used),
		T(a_signer_that_does_not_answer_is_no_refusal),
		T(what_is_encrypted_but_unsigned_proves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
