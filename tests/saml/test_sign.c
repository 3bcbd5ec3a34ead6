/* saml/sign.c: xmlsec1, our own verifier and libxml2's canonicalization agree with what we write.
 */
#include "tests/test.h"

#include "base/enc.h"
#include "keys/key_type.h"
#include "saml/xmlw.h"
#include "tests/saml/with_keys.h"

/* ---- the shapes we write ---- */

static void
open_message(struct xmlw *w, const char *name, const char *id)
{
	xmlw_open(w, &xmlns_samlp, name);
	xmlw_attr(w, NULL, "ID", id);
	xmlw_attr(w, NULL, "Version", "2.0");
	xmlw_attr(w, NULL, "IssueInstant", "2026-11-23T18:00:00Z");
	xmlw_element(w, &xmlns_saml, "Issuer", "https://konto.example/saml/metadata");
}

static struct bytes
signed_text(struct xmlw *w, const char *suite, const char *id, size_t place, const char *prefixes)
{
	struct saml_signer signer = test_signer(keys, suite);
	struct saml_to_sign what = {.place = place, .id = id, .prefix_list = prefixes};
	struct bytes out;

	ASSERT_OK(xmlw_finish(w, &what.element, &err), &err);
	ASSERT_OK(saml_sign_enveloped(a, &signer, &what, &out, &err), &err);
	return out;
}

static struct bytes
assertion(const char *suite)
{
	struct xmlw w;

	xmlw_init(&w, a, 1 << 16);
	xmlw_open(&w, &xmlns_saml, "Assertion");
	xmlw_attr(&w, NULL, "ID", "_a");
	xmlw_attr(&w, NULL, "Version", "2.0");
	xmlw_element(&w, &xmlns_saml, "Issuer", "https://konto.example/saml/metadata");
	size_t place = xmlw_place(&w);

	xmlw_open(&w, &xmlns_saml, "AttributeStatement");
	xmlw_open(&w, &xmlns_saml, "Attribute");
	xmlw_attr(&w, NULL, "Name", "urn:oid:2.5.4.4");
	xmlw_open(&w, &xmlns_saml, "AttributeValue");
	xmlw_declare(&w, &xmlns_xs);
	xmlw_attr(&w, &xmlns_xsi, "type", "xs:string");
	xmlw_text(&w, "M\xc3\xbcstermann & \"S\xc3\xb6hne\" <\r\n>");
	xmlw_close(&w);
	xmlw_close(&w);
	xmlw_close(&w);
	xmlw_close(&w);
	return signed_text(&w, suite, "_a", place, "xs");
}

static struct bytes
plain_message(const char *suite)
{
	struct xmlw w;

	xmlw_init(&w, a, 1 << 16);
	open_message(&w, "LogoutRequest", "_r");
	size_t place = xmlw_place(&w);

	xmlw_element(&w, &xmlns_saml, "NameID", "x");
	xmlw_close(&w);
	return signed_text(&w, suite, "_r", place, NULL);
}

static struct bytes
response_with_assertion(const char *suite)
{
	struct xmlw w;

	xmlw_init(&w, a, 1 << 16);
	open_message(&w, "Response", "_r");
	size_t place = xmlw_place(&w);

	xmlw_open(&w, &xmlns_samlp, "Status");
	xmlw_open(&w, &xmlns_samlp, "StatusCode");
	xmlw_attr(&w, NULL, "Value", "urn:oasis:names:tc:SAML:2.0:status:Success");
	xmlw_close(&w);
	xmlw_close(&w);
	xmlw_canonical(&w, &xmlns_saml, assertion(suite));
	xmlw_close(&w);
	return signed_text(&w, suite, "_r", place, "xs");
}

static struct bytes
metadata(const char *suite)
{
	struct xmlw w;

	xmlw_init(&w, a, 1 << 16);
	xmlw_open(&w, &xmlns_md, "EntityDescriptor");
	xmlw_attr(&w, NULL, "ID", "_r");
	xmlw_attr(&w, NULL, "entityID", "https://konto.example/saml/metadata");
	size_t place = xmlw_place(&w);

	xmlw_element(&w, &xmlns_md, "Organization", NULL);
	xmlw_close(&w);
	return signed_text(&w, suite, "_r", place, NULL);
}

static const struct {
	const char *name;
	struct bytes (*build)(const char *suite);
	const char *id_attr; /* as the xmlsec1 command is told where IDs are */
} shapes[] = {
	{"assertion", assertion, "urn:oasis:names:tc:SAML:2.0:assertion:Assertion"},
	{"message", plain_message, "urn:oasis:names:tc:SAML:2.0:protocol:LogoutRequest"},
	{"response", response_with_assertion, "urn:oasis:names:tc:SAML:2.0:protocol:Response"},
	{"metadata", metadata, "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor"},
};

static const char *const suites[] = {
	"ecdsa-sha256",           "ecdsa-sha384", "ecdsa-sha256-brainpool",
	"ecdsa-sha384-brainpool", "rsa-sha256",   "rsa-pss-sha256",
};

/* ---- tests ---- */

static void
every_shape_is_verified_by_our_own_reader(void **state UNUSED)
{
	for (size_t s = 0; s < ARRAY_LEN(suites); s++)
		for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
			EVP_PKEY *key = test_signer_pub(keys, suites[s]);
			const char *text = text_of(a, shapes[i].build(suites[s]));
			struct saml_signed *got;

			ASSERT_OK(xmlsig_verify(a, parse_xml(a, text), (struct saml_keys){&key, 1},
						&got, &err),
				  &err);
			assert_string_equal(saml_signed_suite(got)->uri,
					    saml_suite_by_name(suites[s])->uri);
			assert_false(xmlsig_present(saml_signed_root(got)));
		}
}

static void
every_shape_is_canonical(void **state UNUSED)
{
	for (size_t s = 0; s < ARRAY_LEN(suites); s++)
		for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
			struct bytes text = shapes[i].build(suites[s]), again;

			ASSERT_OK(xml_c14n(a, parse_xml(a, text_of(a, text)), NULL, "xs", 0, &again,
					   &err),
				  &err);
			assert_string_equal(text_of(a, text), text_of(a, again));
		}
}

static bool
xmlsec_verifies(const char *path, const char *cert, const char *id_attr)
{
	const char *argv[] = {
		"xmlsec1", "--verify", "--pubkey-cert-der", cert, "--id-attr:ID", id_attr,
		path,      NULL};

	return run_program(a, argv, NULL);
}

static void
every_shape_is_verified_by_xmlsec1(void **state UNUSED)
{
	for (size_t s = 0; s < 5; s++) { /* xmlsec1 1.2.37 knows no RSASSA-PSS */
		const char *cert =
			temp_file(a, "signer.der", test_signer(keys, suites[s]).cert_der);

		for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
			const char *text = text_of(a, shapes[i].build(suites[s]));

			if (!xmlsec_verifies(temp_file(a, "signed.xml", bytes_of(text)), cert,
					     shapes[i].id_attr))
				fail_msg("xmlsec1 refuses %s with %s", shapes[i].name, suites[s]);
			text = replace(a, text, "konto.example", "konto.evil");
			assert_false(xmlsec_verifies(temp_file(a, "changed.xml", bytes_of(text)),
						     cert, shapes[i].id_attr));
		}
	}
}

static void
the_assertion_inside_a_response_is_verified_by_xmlsec1_too(void **state UNUSED)
{
	const char *cert = temp_file(a, "ec.der", keys->p256.cert);
	const char *text = text_of(a, response_with_assertion("ecdsa-sha256"));
	const char *argv[] = {"xmlsec1",
			      "--verify",
			      "--pubkey-cert-der",
			      cert,
			      "--id-attr:ID",
			      "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
			      "--node-xpath",
			      "//*[local-name()='Assertion']/*[local-name()='Signature']",
			      temp_file(a, "response.xml", bytes_of(text)),
			      NULL};
	char *out;

	if (!run_program(a, argv, &out))
		fail_msg("%s", out);
}

static void
a_pss_signature_is_verified_by_openssl_over_libxml2s_signed_info(void **state UNUSED)
{
	const struct xml_node *n = parse_xml(a, text_of(a, plain_message("rsa-pss-sha256"))), *sig;
	const char *value;
	struct bytes info, raw;

	ASSERT_OK(xml_child(n, xmlns_ds.uri, "Signature", &sig, &err), &err);
	ASSERT_OK(xml_c14n(a, xml_first(sig), NULL, NULL, 0, &info, &err), &err);
	ASSERT_OK(xml_text(a, xml_next(xml_first(sig)), &value, &err), &err);
	ASSERT_OK(dec_base64(a, bytes_of(value), false, &raw, &err), &err);
	const char *argv[] = {"openssl",
			      "dgst",
			      "-sha256",
			      "-verify",
			      temp_file(a, "rsa.spki", keys->rsa.spki),
			      "-keyform",
			      "DER",
			      "-sigopt",
			      "rsa_padding_mode:pss",
			      "-sigopt",
			      "rsa_pss_saltlen:32",
			      "-sigopt",
			      "rsa_mgf1_md:sha256",
			      "-signature",
			      temp_file(a, "pss.sig", raw),
			      temp_file(a, "pss.info", info),
			      NULL};
	char *out;

	if (!run_program(a, argv, &out))
		fail_msg("%s", out);
}

static void
key_info_is_written_when_there_is_a_certificate(void **state UNUSED)
{
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	struct saml_to_sign what = {.id = "_r"};
	struct bytes with, without;
	struct xmlw w;

	xmlw_init(&w, a, 1 << 16);
	open_message(&w, "LogoutRequest", "_r");
	what.place = xmlw_place(&w);
	xmlw_close(&w);
	ASSERT_OK(xmlw_finish(&w, &what.element, &err), &err);
	ASSERT_OK(saml_sign_enveloped(a, &signer, &what, &with, &err), &err);
	assert_non_null(strstr(text_of(a, with),
			       arena_printf(a, "<ds:X509Certificate>%s</ds:X509Certificate>",
					    enc_base64(a, keys->p256.cert))));
	signer.cert_der.n = 0;
	ASSERT_OK(saml_sign_enveloped(a, &signer, &what, &without, &err), &err);
	assert_null(strstr(text_of(a, without), "KeyInfo"));
}

static void
what_cannot_be_signed_is_refused(void **state UNUSED)
{
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	struct saml_to_sign what = {.element = bytes_of("<a></a>"), .place = 3, .id = "_r"};
	struct bytes out;

	what.place = 0;
	ASSERT_REFUSED(saml_sign_enveloped(a, &signer, &what, &out, &err), &err, ERR_INTERNAL,
		       "no place");
	what.place = 7;
	ASSERT_REFUSED(saml_sign_enveloped(a, &signer, &what, &out, &err), &err, ERR_INTERNAL,
		       "no place");
	what.place = 3;
	what.id = "\x01";
	ASSERT_REFUSED(saml_sign_enveloped(a, &signer, &what, &out, &err), &err, ERR_INTERNAL,
		       "SignedInfo cannot");
	what.id = "_r";
	signer.suite = saml_suite_by_name("rsa-sha512");
	ASSERT_REFUSED(saml_sign_enveloped(a, &signer, &what, &out, &err), &err, ERR_INTERNAL,
		       "not one we sign with");
	signer.suite = saml_suite_by_name("ecdsa-sha256");
	signer.kid = "nobody";
	ASSERT_REFUSED(saml_sign_enveloped(a, &signer, &what, &out, &err), &err, ERR_DENIED,
		       "no such key");
}

/* What we write names the digest of its suite, in the Reference as in the method. */
static void
the_reference_has_the_digest_of_the_suite(void **state UNUSED)
{
	for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
		const struct saml_suite *suite = saml_suite_by_name(suites[s]);
		const char *text = text_of(a, plain_message(suites[s]));
		const char *digest = cut(a, text, "<ds:DigestMethod ", ">");
		const char *method = cut(a, text, "<ds:SignatureMethod ", ">");

		assert_non_null(strstr(digest, suite->digest_uri));
		assert_non_null(strstr(method, suite->uri));
		assert_string_equal(saml_digest_by_uri(suite->digest_uri), suite->how.digest);
	}
}

static void
the_suite_table_is_found_by_each_of_its_names(void **state UNUSED)
{
	size_t n = 0, old = 0;

	for (const struct saml_suite *s; (s = saml_suite_at(n)) != NULL; n++) {
		const struct saml_suite *same = saml_suite_by_uri(s->uri);

		/* The curve is the key's: one URI is verified in one way. */
		assert_string_equal(same->how.key, s->how.key);
		assert_string_equal(same->how.digest, s->how.digest);
		assert_int_equal(same->how.pss, s->how.pss);
		assert_int_equal(same->old, s->old);
		assert_ptr_equal(saml_suite_by_name(s->name), s);
		assert_int_equal(s->make != SIG_NONE, s->word != NULL);
		if (s->make == SIG_NONE)
			continue;
		assert_ptr_equal(saml_suite_by_alg(s->make), s);
		assert_ptr_equal(saml_suite_by_word(s->word), s);
		assert_string_equal(sig_alg_row(s->make)->xml, s->uri);
		assert_string_equal(sig_alg_row(s->make)->how.digest, s->how.digest);
		assert_int_equal(sig_alg_row(s->make)->how.pss, s->how.pss);
		/* TR-03116-4: PKCS#1 v1.5 ended. */
		assert_int_equal(s->old, s->make == SIG_RS256);
		old += s->old;
	}
	assert_int_equal(n, 10);
	assert_int_equal(old, 1);
	assert_true(saml_suite_by_name("rsa-sha512")->old);
	assert_null(saml_suite_by_alg(SIG_NONE));
	assert_null(saml_suite_by_word("rs1"));
	static const char *const never[] = {
		"http://www.w3.org/2000/09/xmldsig#rsa-sha1",
		"http://www.w3.org/2000/09/xmldsig#dsa-sha1",
		"http://www.w3.org/2000/09/xmldsig#hmac-sha1",
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
		"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
		"http://www.w3.org/2007/05/xmldsig-more#rsa-pss",
		"http://www.w3.org/2007/05/xmldsig-more#sha1-rsa-MGF1",
	};

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		assert_null(saml_suite_by_uri(never[i]));
	assert_null(saml_suite_by_name("rsa-sha1"));
	assert_null(saml_digest_by_uri("http://www.w3.org/2000/09/xmldsig#sha1"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_shape_is_verified_by_our_own_reader),
		T(every_shape_is_canonical),
		T(every_shape_is_verified_by_xmlsec1),
		T(the_assertion_inside_a_response_is_verified_by_xmlsec1_too),
		T(a_pss_signature_is_verified_by_openssl_over_libxml2s_signed_info),
		T(key_info_is_written_when_there_is_a_certificate),
		T(what_cannot_be_signed_is_refused),
		T(the_reference_has_the_digest_of_the_suite),
		T(the_suite_table_is_found_by_each_of_its_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
