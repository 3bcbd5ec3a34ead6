/*
 * Debian's xmlsec1 as the other side, both ways: signatures and encryptions of every
 * algorithm that it and we know.  What it does not know (RSASSA-PSS, OAEP with
 * SHA-256, ECDH-ES in 1.2.37) comes from files made by a later one: test_xmlsig.c,
 * test_xmlenc.c.  What it writes and we refuse stands here too.
 */
#include "tests/test.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "saml/xmlenc.h"
#include "tests/saml/fixture.h"
#include "tests/saml/with_keys.h"

#define DS        "http://www.w3.org/2000/09/xmldsig#"
#define MORE      "http://www.w3.org/2001/04/xmldsig-more#"
#define MORE_2007 "http://www.w3.org/2007/05/xmldsig-more#"
#define XENC      "http://www.w3.org/2001/04/xmlenc#"
#define XENC11    "http://www.w3.org/2009/xmlenc11#"

#define ELEMENT                                                                 \
	"<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" " \
	"ID=\"_a\"><saml:Subject>M\xc3\xbcller</saml:Subject></saml:Assertion>"

static char *
xmlsec1(const char *const *argv)
{
	char *out;

	if (!run_program(a, argv, &out))
		fail_msg("%s %s: %s", argv[0], argv[1], out);
	return out;
}

/* ---- it signs ---- */

static const struct signs_row {
	const char *name, *uri, *digest; /* as xmlsec1 lists it */
	const char *curve;               /* NULL: RSA */
	bool taken;
} signs[] = {
	{"ecdsa-sha256", MORE "ecdsa-sha256", XENC "sha256", "P-256", true},
	{"ecdsa-sha384", MORE "ecdsa-sha384", MORE "sha384", "P-384", true},
	{"ecdsa-sha512", MORE "ecdsa-sha512", XENC "sha512", "P-521", true},
	{"ecdsa-sha512", MORE "ecdsa-sha512", XENC "sha512", "P-256", true},
	{"ecdsa-sha256", MORE "ecdsa-sha256", XENC "sha256", "brainpoolP256r1", true},
	{"ecdsa-sha384", MORE "ecdsa-sha384", MORE "sha384", "brainpoolP384r1", true},
	{"ecdsa-sha512", MORE "ecdsa-sha512", XENC "sha512", "brainpoolP512r1", true},
	{"rsa-sha256", MORE "rsa-sha256", XENC "sha256", NULL, true},
	{"rsa-sha384", MORE "rsa-sha384", MORE "sha384", NULL, false},
	{"rsa-sha512", MORE "rsa-sha512", XENC "sha512", NULL, true},
	{"rsa-pss-sha256", MORE_2007 "sha256-rsa-MGF1", XENC "sha256", NULL, true},
	{"ecdsa-sha1", MORE "ecdsa-sha1", DS "sha1", "P-256", false},
	{"ecdsa-sha224", MORE "ecdsa-sha224", MORE "sha224", "P-256", false},
	{"rsa-sha1", DS "rsa-sha1", DS "sha1", NULL, false},
	{"rsa-md5", MORE "rsa-md5", MORE "md5", NULL, false},
	{"rsa-ripemd160", MORE "rsa-ripemd160", XENC "ripemd160", NULL, false},
};

static const char *
signed_by_xmlsec1(const struct signs_row *row, EVP_PKEY *key)
{
	struct fixture f = fixture_request();
	const char *empty = arena_printf(
		a,
		"<ds:Signature xmlns:ds=\"" DS "\"><ds:SignedInfo><ds:CanonicalizationMethod "
		"Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>"
		"<ds:SignatureMethod Algorithm=\"%s\"/><ds:Reference URI=\"#_r\"><ds:Transforms>"
		"<ds:Transform Algorithm=\"" DS "enveloped-signature\"/>"
		"<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>"
		"</ds:Transforms><ds:DigestMethod Algorithm=\"%s\"/><ds:DigestValue/>"
		"</ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>",
		row->uri, row->digest);
	const char *argv[] = {
		"xmlsec1",
		"--sign",
		"--privkey-pem",
		pem_file(a, "signer.pem", key),
		"--id-attr:ID",
		"urn:oasis:names:tc:SAML:2.0:protocol:AuthnRequest",
		temp_file(a, "unsigned.xml", bytes_of(replace(a, f.text, FIXTURE_PLACE, empty))),
		NULL};

	return xmlsec1(argv);
}

static void
we_verify_what_it_signs_and_nothing_weak(void **state UNUSED)
{
	size_t tried = 0;

	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		const struct signs_row *row = &signs[i];
		struct saml_signed *s;

		if (!xmlsec1_knows(a, row->name)) {
			print_message("# xmlsec1 does not know %s\n", row->name);
			continue;
		}
		EVP_PKEY *key = row->curve != NULL ? EVP_EC_gen(row->curve) : EVP_RSA_gen(2048);
		const struct saml_keys by = {&key, 1};
		const char *text = signed_by_xmlsec1(row, key);

		if (row->taken)
			ASSERT_OK(xmlsig_verify(a, parse_xml(a, text), by, &s, &err), &err);
		else
			ASSERT_REFUSED(xmlsig_verify(a, parse_xml(a, text), by, &s, &err), &err,
				       ERR_DENIED, "is not permitted");
		text = replace(a, text, "IsPassive=\"false\"", "IsPassive=\"true\"");
		assert_false(xmlsig_verify(a, parse_xml(a, text), by, &s, NULL));
		EVP_PKEY_free(key);
		tried++;
	}
	assert_true(tried >= 13); /* 1.2.37 */
}

/* ---- it encrypts ---- */

static const struct encrypts_row {
	const char *content, *transport; /* as xmlsec1 lists them */
	const char *content_uri, *transport_uri, *session_key;
	const char *refused; /* NULL: it opens */
} encrypts[] = {
	{"aes128-gcm", "rsa-oaep-mgf1p", XENC11 "aes128-gcm", XENC "rsa-oaep-mgf1p", "aes-128",
	 NULL},
	{"aes256-gcm", "rsa-oaep-mgf1p", XENC11 "aes256-gcm", XENC "rsa-oaep-mgf1p", "aes-256",
	 NULL},
	{"aes192-gcm", "rsa-oaep-mgf1p", XENC11 "aes192-gcm", XENC "rsa-oaep-mgf1p", "aes-192",
	 "not permitted"},
	{"aes128-cbc", "rsa-oaep-mgf1p", XENC "aes128-cbc", XENC "rsa-oaep-mgf1p", "aes-128",
	 "not permitted"},
	{"aes256-cbc", "rsa-oaep-mgf1p", XENC "aes256-cbc", XENC "rsa-oaep-mgf1p", "aes-256",
	 "not permitted"},
	{"tripledes-cbc", "rsa-oaep-mgf1p", XENC "tripledes-cbc", XENC "rsa-oaep-mgf1p", "des-192",
	 "not permitted"},
	{"aes128-gcm", "rsa-1_5", XENC11 "aes128-gcm", XENC "rsa-1_5", "aes-128", "does not open"},
};

static const char *
encrypted_by_xmlsec1(const struct encrypts_row *row)
{
	const char *how = arena_printf(
		a,
		"<xenc:EncryptedData xmlns:xenc=\"" XENC "\" Type=\"" XENC "Element\">"
		"<xenc:EncryptionMethod Algorithm=\"%s\"/><ds:KeyInfo xmlns:ds=\"" DS "\">"
		"<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm=\"%s\"/><xenc:CipherData>"
		"<xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
		"<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>",
		row->content_uri, row->transport_uri);
	const char *data = "<saml:EncryptedAssertion "
			   "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">" ELEMENT
			   "</saml:EncryptedAssertion>";
	const char *argv[] = {"xmlsec1",
			      "--encrypt",
			      "--pubkey-cert-der",
			      temp_file(a, "ours.der", keys->dec_rsa.cert),
			      "--session-key",
			      row->session_key,
			      "--xml-data",
			      temp_file(a, "plain.xml", bytes_of(data)),
			      "--node-name",
			      "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
			      temp_file(a, "how.xml", bytes_of(how)),
			      NULL};

	return xmlsec1(argv);
}

static void
we_open_what_it_encrypts_and_nothing_weak(void **state UNUSED)
{
	const char *const kids[] = {keys->dec_rsa.kid};
	const struct xmlenc_keys ours = {&keys->ops, kids, 1};

	for (size_t i = 0; i < ARRAY_LEN(encrypts); i++) {
		const struct encrypts_row *row = &encrypts[i];
		const char *text = encrypted_by_xmlsec1(row);
		struct xml_doc *doc;
		struct bytes opened;

		assert_null(strstr(text, "Subject"));
		if (row->refused != NULL) {
			err_clear(&err);
			assert_false(xmlenc_decrypt(a, parse_xml(a, text), &ours, &doc, &err));
			assert_non_null(strstr(err.text, row->refused));
			continue;
		}
		err_clear(&err);
		ASSERT_OK(xmlenc_decrypt(a, parse_xml(a, text), &ours, &doc, &err), &err);
		ASSERT_OK(xml_c14n(a, xml_root(doc), NULL, NULL, 0, &opened, &err), &err);
		assert_string_equal(text_of(a, opened), ELEMENT);
	}
}

/* ---- it opens ---- */

/* No release knows brainpool in an ECKeyValue. */
static const struct opens_row {
	enum xmlenc_transport transport;
	enum xmlenc_content content;
	const char *curve; /* NULL: RSA */
} opens_rows[] = {
	{XMLENC_OAEP_SHA1, XMLENC_A128GCM, NULL},   {XMLENC_OAEP_SHA1, XMLENC_A256GCM, NULL},
	{XMLENC_OAEP_SHA256, XMLENC_A128GCM, NULL}, {XMLENC_OAEP_SHA256, XMLENC_A256GCM, NULL},
	{XMLENC_ECDH_ES, XMLENC_A128GCM, "P-256"},  {XMLENC_ECDH_ES, XMLENC_A256GCM, "P-256"},
	{XMLENC_ECDH_ES, XMLENC_A128GCM, "P-384"},  {XMLENC_ECDH_ES, XMLENC_A256GCM, "P-384"},
};

/* From 1.3 on it knows all of it, and has to be told where it may find keys. */
static void
opens(const char *text, const char *pem)
{
	const char *path = temp_file(a, "encrypted.xml", bytes_of(text));
	const char *const old[] = {"xmlsec1", "--decrypt", "--privkey-pem", pem, path, NULL};
	const char *const new[] = {"xmlsec1",
				   "--decrypt",
				   "--privkey-pem:recipient",
				   pem,
				   "--lax-key-search",
				   "--enabled-key-data",
				   "key-name,enc-key,agreement-method,key-value,ec,concatkdf,aes",
				   path,
				   NULL};
	char *got;

	if (!run_program(a, xmlsec1_knows(a, "ecdh-es") ? new : old, &got))
		fail_msg("%s", got);
	assert_non_null(strstr(got, "<saml:Subject>M&#xFC;ller</saml:Subject>"));
}

static void
it_opens_what_we_encrypt_as_far_as_it_knows(void **state UNUSED)
{
	static const char *const names[] = {[XMLENC_OAEP_SHA256] = "rsa-oaep-enc11",
					    [XMLENC_OAEP_SHA1] = "rsa-oaep-mgf1p",
					    [XMLENC_ECDH_ES] = "ecdh-es"};
	size_t opened = 0;

	for (size_t i = 0; i < ARRAY_LEN(opens_rows); i++) {
		const char *curve = opens_rows[i].curve;

		if (!xmlsec1_knows(a, names[opens_rows[i].transport]))
			continue;
		EVP_PKEY *key = curve == NULL ? EVP_RSA_gen(2048) : EVP_EC_gen(curve);
		struct xmlenc_recipient to = {.key = key,
					      .content = opens_rows[i].content,
					      .transport = opens_rows[i].transport};
		struct bytes out;

		ASSERT_OK(
			xmlenc_encrypt(a, bytes_of(ELEMENT), "EncryptedAssertion", &to, &out, &err),
			&err);
		const char *text = text_of(a, out);

		if (curve != NULL)
			text = replace(
				a, text,
				cut(a, text, "<xenc:RecipientKeyInfo>", "</xenc:RecipientKeyInfo>"),
				"<xenc:RecipientKeyInfo><ds:KeyName>recipient</ds:KeyName>"
				"</xenc:RecipientKeyInfo>");
		opens(text, pem_file(a, "recipient.pem", key));
		opened++;
		EVP_PKEY_free(key);
	}
	assert_true(opened >= 2); /* Debian 12's: RSA with SHA-1 */
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(we_verify_what_it_signs_and_nothing_weak),
		T(we_open_what_it_encrypts_and_nothing_weak),
		T(it_opens_what_we_encrypt_as_far_as_it_knows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
