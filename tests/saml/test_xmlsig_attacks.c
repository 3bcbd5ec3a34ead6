/*
 * Attacks on XML signatures that were seen in the field (each test names its
 * own).  The judge is always the same: whatever element of the hostile document
 * somebody verifies, success means exactly the octets that were signed.
 */
#include "tests/test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>

#include "base/enc.h"
#include "keys/cert.h"
#include "saml/xmlw.h"
#include "tests/saml/fixture.h"
#include "tests/saml/support.h"
#include "tests/saml/wrap.h"

static struct arena *a, *scratch;
static struct err err;

static int
setup(void **state UNUSED)
{
	a = arena_create(64 << 20);
	scratch = arena_create(64 << 20);
	err_clear(&err);
	return a == NULL || scratch == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(scratch);
	arena_destroy(a);
	return 0;
}

/* ---- the judge ---- */

struct verdict {
	int proven;    /* elements that verified, all with the octets that were signed */
	bool root, ok; /* the root was among them; the document parsed at all */
};

static void
judge_element(const struct xml_node *n, const struct bytes *was_signed, size_t n_signed,
	      struct verdict *v)
{
	struct saml_signed *s;

	if (!fixture_verify(scratch, n, &s, NULL))
		return;
	for (size_t i = 0; i < n_signed; i++)
		if (bytes_eq(saml_signed_bytes(s), was_signed[i])) {
			v->proven++;
			v->root |= xml_parent(n) == NULL;
			return;
		}
	fail_msg("proven, but never signed: %s", text_of(a, saml_signed_bytes(s)));
}

static struct verdict
judge_with(struct bytes text, const struct xml_limits *limits, const struct bytes *was_signed,
	   size_t n_signed)
{
	struct verdict v = {0};
	struct xml_doc *doc;

	arena_reset(scratch);
	v.ok = xml_parse(scratch, text, limits, &doc, NULL);
	for (const struct xml_node *n = v.ok ? xml_root(doc) : NULL; n != NULL;
	     n = xml_next_in_document(n))
		judge_element(n, was_signed, n_signed, &v);
	return v;
}

static struct verdict
judge(const char *text, const struct bytes *was_signed, size_t n_signed)
{
	return judge_with(bytes_of(text), &xml_limits_message, was_signed, n_signed);
}

/* ---- what is attacked ---- */

#define NS "xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
#define NA "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" "
#define ASSERTION                                                                             \
	"<saml:Assertion " NA "ID=\"_a\">" FIXTURE_ISSUER "<saml:Subject>good</saml:Subject>" \
	"</saml:Assertion>"

static const char *const bodies[] = {
	/* an element with one slot for what it may carry besides */
	"<samlp:AuthnRequest " NS "ID=\"_r\">" FIXTURE_ISSUER FIXTURE_PLACE
	"<samlp:Extensions><x xmlns=\"urn:x\">good</x></samlp:Extensions></samlp:AuthnRequest>",
	"<samlp:Response " NS "ID=\"_r\">" FIXTURE_ISSUER FIXTURE_PLACE ASSERTION
	"</samlp:Response>",
	"<saml:Assertion " NA "ID=\"_r\">" FIXTURE_ISSUER FIXTURE_PLACE
	"<saml:Subject>good</saml:Subject></saml:Assertion>",
	"<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" "
	"ID=\"_r\">" FIXTURE_PLACE "<md:Organization>good</md:Organization></md:EntityDescriptor>",
};

static struct wrap_target
target(const char *body)
{
	struct fixture f = fixture_request();
	struct wrap_target t;

	f.text = body;
	t = wrap_target(a, fixture_sign(a, &f));
	t.evil = replace(a, t.bare, "good", "evil");
	return t;
}

/* ---- wrapping ---- */

static void
every_place_for_the_signed_element_and_its_signature_proves_nothing_new(void **state UNUSED)
{
	static const char *const ids[] = {"ID=\"_evil\"", "ID=\"_r\"", ""};
	int cases = 0;

	for (size_t b = 0; b < ARRAY_LEN(bodies); b++) {
		struct wrap_target t = target(bodies[b]);
		const char *advice =
			arena_printf(a,
				     "<saml:Assertion " NA "ID=\"_x\"><saml:Advice>%s</saml:Advice>"
				     "</saml:Assertion>",
				     t.text);
		const char *signatures[] = {"",
					    t.sig,
					    wrap_in_signature(a, t.sig, t.bare),
					    wrap_in_signature(a, t.sig, t.text),
					    wrap_in_object(a, t.sig, t.bare),
					    wrap_in_object(a, t.sig, t.text),
					    wrap_in_extensions(a, t.sig),
					    arena_printf(a, "%s%s", t.sig, t.sig)};
		const char *moved[] = {"",
				       t.bare,
				       t.text,
				       wrap_in_extensions(a, t.bare),
				       wrap_in_extensions(a, t.text),
				       advice,
				       arena_printf(a, "<x xmlns=\"urn:x\">%s</x>", t.text)};
		static const char *const places[] = {"start", "issuer", "end"};

		for (size_t i = 0; i < ARRAY_LEN(ids); i++)
			for (size_t s = 0; s < ARRAY_LEN(signatures); s++)
				for (size_t m = 0; m < ARRAY_LEN(moved); m++)
					for (size_t p = 0; p < 9; p++, cases++) {
						const char *evil =
							replace(a, t.evil, "ID=\"_r\"", ids[i]);
						const char *text = wrap_put(
							a,
							wrap_put(a, evil, places[p / 3], moved[m]),
							places[p % 3], signatures[s]);

						assert_false(judge(text, &t.octets, 1).root);
					}
		arena_reset(a);
	}
	assert_int_equal(cases, 4 * 3 * 8 * 7 * 9);
}

static void
more_than_one_assertion_is_never_read(void **state UNUSED)
{
	/* lasso CVE-2021-28091: the last of several assertions won, and it was not signed. */
	static const char *const evil = "<saml:Assertion " NA "ID=\"_e\"/>",
				 *const encrypted = "<saml:EncryptedAssertion " NA "/>";
	const char *more[] = {evil, encrypted, wrap_in_extensions(a, evil)};
	static const char *const places[] = {"start", "issuer", "end"};
	struct fixture f = fixture_request();

	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		for (size_t p = 0; p < ARRAY_LEN(places); p++) {
			const struct xml_node *n;
			struct saml_signed *s;

			f.text = bodies[1];
			/* Even when the sender himself signed it so. */
			f.text = p == 2 ? wrap_put(a, f.text, "end", more[i])
					: replace(a, f.text, FIXTURE_PLACE,
						  arena_printf(a, FIXTURE_PLACE "%s", more[i]));
			ASSERT_OK(fixture_verify(a, parse_xml(a, fixture_sign(a, &f)), &s, &err),
				  &err);
			ASSERT_REFUSED(saml_signed_assertion(s, &n, &err), &err, ERR_INPUT,
				       "more than one");
		}
}

static void
what_lies_around_a_signed_assertion_is_not_read(void **state UNUSED)
{
	/* samlify CVE-2025-47949: verified here, read from the unsigned surroundings. */
	struct wrap_target t = target(bodies[2]);
	const char *text = arena_printf(a,
					"<samlp:Response " NS NA "ID=\"_x\"><saml:Subject>evil"
					"</saml:Subject>%s</samlp:Response>",
					t.text);
	struct verdict v = judge(text, &t.octets, 1);

	assert_int_equal(v.proven, 1);
	assert_false(v.root);
}

/* ---- comments, instructions, declarations ---- */

/* Calls judge for `what` put between any two octets of the text. */
static int
put_everywhere(const struct wrap_target *t, const char *what, const struct xml_limits *limits)
{
	size_t n = strlen(t->text);
	int proven = 0;

	for (size_t i = 0; i <= n; i++) {
		char *text = arena_printf(a, "%.*s%s%s", (int)i, t->text, what, t->text + i);
		struct verdict v = judge_with(bytes_of(text), limits, &t->octets, 1);

		proven += v.proven;
		if (limits == &xml_limits_message)
			assert_false(v.ok);
	}
	return proven;
}

static void
a_comment_anywhere_truncates_nothing(void **state UNUSED)
{
	/* VU#475445 (CVE-2017-11427 and others): canonicalization drops it, readers stop at it. */
	struct wrap_target t = target(bodies[3]);

	assert_int_equal(put_everywhere(&t, "<!-- x -->", &xml_limits_message), 0);
	/* In a file, where comments may stand, it still proves no other octets. */
	assert_true(put_everywhere(&t, "<!-- x -->", &xml_limits_metadata) > 0);
	/* SAMLStorm, CVE-2025-29775: a comment in DigestValue. */
	char *text = replace(a, t.text, "<ds:DigestValue>", "<ds:DigestValue><!-- AAAA -->");

	assert_int_equal(judge_with(bytes_of(text), &xml_limits_metadata, &t.octets, 1).proven, 0);
	text = replace(a, t.text, "<ds:SignatureValue>", "<ds:SignatureValue><!-- AAAA -->");
	assert_int_equal(judge_with(bytes_of(text), &xml_limits_metadata, &t.octets, 1).proven, 0);
}

static void
an_instruction_anywhere_splits_nothing(void **state UNUSED)
{
	/* xml-crypto, August 2026: canonicalizer and reader disagreed on it. */
	struct wrap_target t = target(bodies[1]);

	assert_int_equal(put_everywhere(&t, "<?x y?>", &xml_limits_message), 0);
	assert_int_equal(put_everywhere(&t, "<?x y?>", &xml_limits_metadata), 0);
}

static void
a_cdata_section_anywhere_proves_nothing_new(void **state UNUSED)
{
	struct wrap_target t = target(bodies[0]);

	assert_int_equal(put_everywhere(&t, "<![CDATA[evil]]>", &xml_limits_message), 0);
	put_everywhere(&t, "<![CDATA[evil]]>", &xml_limits_request);
	put_everywhere(&t, "<![CDATA[]]>", &xml_limits_request);
}

static void
namespace_tricks_prove_nothing_new(void **state UNUSED)
{
	/* The Fragile Lock, December 2025: polluted attributes, confused namespaces, void C14N. */
	static const struct {
		const char *from, *to;
		bool parses;
	} rows[] = {
		{" ID=\"_r\"", " xmlns:x=\"urn:x\" x:ID=\"_r\" ID=\"_e\"", true},
		{" ID=\"_r\"", " xmlns:x=\"urn:x\" x:ID=\"_e\" ID=\"_r\"", true},
		{" ID=\"_r\"", " ID=\"_r\" samlp:ID=\"_e\"", true},
		{" ID=\"_r\"", " ID=\"_r\" ID=\"_e\"", false},
		{" ID=\"_r\"",
		 " xmlns:y=\"urn:oasis:names:tc:SAML:2.0:protocol\" y:a=\"\" samlp:a=\"\" "
		 "ID=\"_r\"",
		 false},
		{" ID=\"_r\"", " xmlns=\"1\" ID=\"_r\"", false},
		{" ID=\"_r\"", " xmlns:x=\"1\" ID=\"_r\"", false},
		{" ID=\"_r\"", " xmlns:xml=\"urn:x\" ID=\"_r\"", false},
		{"xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", "xmlns:ds=\"urn:ds\"", true},
		{"xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", "", false},
		{"<ds:SignedInfo>", "<ds:SignedInfo xmlns:x=\"1\">", false},
		{"<ds:SignedInfo>", "<SignedInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\">",
		 false},
		{"<ds:SignedInfo>", "<ds:SignedInfo xmlns:ds=\"urn:ds\">", true},
		{"<ds:Reference ", "<ds:Reference xmlns:x=\"urn:x\" x:URI=\"#_e\" ", true},
	};
	struct wrap_target t = target(bodies[1]);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct verdict v =
			judge(replace(a, t.text, rows[i].from, rows[i].to), &t.octets, 1);

		assert_int_equal(v.ok, rows[i].parses);
		assert_int_equal(v.proven, 0);
	}
}

static void
two_signed_infos_prove_nothing(void **state UNUSED)
{
	/* SAMLStorm, CVE-2025-29774: one was verified, the other obeyed. */
	struct wrap_target t = target(bodies[1]);
	const char *info = cut(a, t.text, "<ds:SignedInfo>", "</ds:SignedInfo>");
	const char *evil = replace(a, info, "#_r", "#_e");
	const char *both[] = {arena_printf(a, "%s%s", info, evil),
			      arena_printf(a, "%s%s", evil, info),
			      arena_printf(a, "%s%s", info, info)};

	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		assert_int_equal(judge(replace(a, t.text, info, both[i]), &t.octets, 1).proven, 0);
}

/* ---- algorithms and keys ---- */

static void
refused(const char *text, enum err_kind kind, const char *part)
{
	struct saml_signed *s;

	ASSERT_REFUSED(fixture_verify(a, parse_xml(a, text), &s, &err), &err, kind, part);
}

static void
an_hmac_keyed_with_the_public_key_is_refused(void **state UNUSED)
{
	/* CVE-2009-0217 and its kin: the attacker knows the "secret". */
	static const char *const uris[] = {"http://www.w3.org/2000/09/xmldsig#hmac-sha1",
					   "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"};

	for (size_t k = 0; k < fixture_keys().n; k++)
		for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
			struct saml_suite hmac = *saml_suite_at(0);
			struct fixture f = fixture_request();
			unsigned char mac[EVP_MAX_MD_SIZE];
			struct bytes spki, info;
			const struct xml_node *sig;
			unsigned n;

			hmac.uri = uris[i];
			f.suite = &hmac;
			const char *text = fixture_sign(a, &f);

			ASSERT_OK(cert_spki_build(a, fixture_keys().key[k], &spki, &err), &err);
			ASSERT_OK(xml_child(parse_xml(a, text), xmlns_ds.uri, "Signature", &sig,
					    &err),
				  &err);
			ASSERT_OK(xml_c14n(a, xml_first(sig), NULL, NULL, 0, &info, &err), &err);
			HMAC(i == 0 ? EVP_sha1() : EVP_sha256(), spki.p, (int)spki.n, info.p,
			     info.n, mac, &n);
			const char *value =
				cut(a, text, "<ds:SignatureValue>", "</ds:SignatureValue>");

			refused(replace(a, text, value,
					arena_printf(a, "<ds:SignatureValue>%s</ds:SignatureValue>",
						     enc_base64(a, (struct bytes){mac, n}))),
				ERR_DENIED, "SignatureMethod");
		}
}

static void
sha1_is_refused_however_well_it_verifies(void **state UNUSED)
{
	static const struct saml_suite rsa = {
		.name = "rsa-sha1",
		.uri = "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
		.how = {"RSA", "SHA1", false},
	};
	static const struct saml_suite ec = {
		.name = "ecdsa-sha1",
		.uri = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
		.how = {"EC", "SHA1", false},
	};
	struct fixture f = fixture_request();

	f.suite = &rsa;
	refused(fixture_sign(a, &f), ERR_DENIED, "SignatureMethod");
	f.suite = &ec;
	refused(fixture_sign(a, &f), ERR_DENIED, "SignatureMethod");
	f = fixture_request();
	f.digest = "http://www.w3.org/2000/09/xmldsig#sha1";
	f.digest_md = "SHA1";
	refused(fixture_sign(a, &f), ERR_DENIED, "DigestMethod");
}

static void
a_signature_of_one_algorithm_under_the_name_of_another_is_refused(void **state UNUSED)
{
	for (size_t i = 0; saml_suite_at(i) != NULL; i++)
		for (size_t k = 0; saml_suite_at(k) != NULL; k++) {
			struct saml_suite mixed = *saml_suite_at(i);
			struct fixture f = fixture_request();

			mixed.uri = saml_suite_at(k)->uri;
			f.suite = &mixed;
			/* Two curves may share a name: there the key decides. */
			if (strcmp(mixed.uri, saml_suite_at(i)->uri) != 0)
				refused(fixture_sign(a, &f), ERR_DENIED, "no key");
		}
}

#define DSIG11           "xmlns:d=\"http://www.w3.org/2009/xmldsig11#\""
#define KEY_INFO(inside) "<ds:KeyInfo>" inside "</ds:KeyInfo>"

static void
key_info_of_every_kind_is_ignored(void **state UNUSED)
{
	/* xmltooling CVE-2023-36661 (a fetch by URI), Santuario-C (null dereferences). */
	static const char *const kinds[] = {
		KEY_INFO(""),
		"<ds:KeyInfo Id=\"_k\">text</ds:KeyInfo>",
		KEY_INFO("<ds:KeyName>name</ds:KeyName>"),
		KEY_INFO("<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</"
			 "ds:Modulus><ds:Exponent>Aw=="
			 "</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"),
		KEY_INFO("<ds:KeyValue/>"),
		KEY_INFO("<ds:RetrievalMethod URI=\"http://127.0.0.1:1/\"/>"),
		KEY_INFO("<ds:RetrievalMethod "
			 "URI=\"file:///etc/passwd\"><ds:Transforms><ds:Transform "
			 "Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/></"
			 "ds:Transforms>"
			 "</ds:RetrievalMethod>"),
		KEY_INFO("<ds:X509Data/>"),
		KEY_INFO("<ds:X509Data><ds:X509Certificate>!</ds:X509Certificate></ds:X509Data>"),
		KEY_INFO("<ds:X509Data><ds:X509IssuerSerial/><ds:X509SKI/><ds:X509CRL/></"
			 "ds:X509Data>"),
		KEY_INFO("<ds:PGPData><ds:PGPKeyID/></ds:PGPData>"),
		KEY_INFO("<ds:SPKIData><ds:SPKISexp/></ds:SPKIData>"),
		KEY_INFO("<ds:MgmtData>x</ds:MgmtData>"),
		KEY_INFO("<d:DEREncodedKeyValue " DSIG11 ">AAAA</d:DEREncodedKeyValue>"),
		KEY_INFO("<d:KeyInfoReference " DSIG11 " URI=\"http://127.0.0.1:1/\"/>"),
		KEY_INFO("<x:EncryptedKey xmlns:x=\"http://www.w3.org/2001/04/xmlenc#\"/>"),
	};
	struct fixture f = fixture_request();
	struct saml_signed *s;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		f.key_info = kinds[i];
		ASSERT_OK(fixture_verify(a, parse_xml(a, fixture_sign(a, &f)), &s, &err), &err);
	}
}

static void
a_key_in_key_info_is_not_trusted(void **state UNUSED)
{
	struct fixture f = fixture_request();
	EVP_PKEY *key = fixture_keys().key[1]; /* RSA; the signature is by the EC key */
	struct bytes spki;
	struct saml_signed *s;

	ASSERT_OK(cert_spki_build(a, fixture_keys().key[0], &spki, &err), &err);
	f.key_info = arena_printf(
		a, KEY_INFO("<d:DEREncodedKeyValue " DSIG11 ">%s</d:DEREncodedKeyValue>"),
		enc_base64(a, spki));
	ASSERT_REFUSED(xmlsig_verify(a, parse_xml(a, fixture_sign(a, &f)),
				     (struct saml_keys){&key, 1}, &s, &err),
		       &err, ERR_DENIED, "no key");
}

static void
a_stripped_signature_is_refused(void **state UNUSED)
{
	/* OpenAthens CVE-2012-5353. */
	for (size_t b = 0; b < ARRAY_LEN(bodies); b++) {
		struct wrap_target t = target(bodies[b]);

		refused(t.bare, ERR_INPUT, "no <Signature>");
		refused(replace(a, t.text, t.sig,
				"<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>"),
			ERR_INPUT, "lacks <SignedInfo>");
		refused(replace(a, t.text, t.sig, "<Signature/>"), ERR_INPUT, "no <Signature>");
	}
}

/* ---- every octet ---- */

/* Changes each octet in turn, eight bits and to what XML takes notice of; how many were proven. */
static int
change_each_octet(const struct wrap_target *t)
{
	static const char others[] = "<>&\"'/= #:!?_x\n";
	size_t n = strlen(t->text);
	char *text = arena_strdup(a, t->text);
	int proven = 0;

	for (size_t i = 0; i < n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			text[i] = (char)(t->text[i] ^ (1 << bit));
			proven += judge_with((struct bytes){(unsigned char *)text, n},
					     &xml_limits_message, &t->octets, 1)
					  .proven;
		}
		for (const char *o = others; *o != '\0'; o++) {
			text[i] = *o;
			proven += judge(text, &t->octets, 1).proven;
		}
		text[i] = t->text[i];
	}
	return proven;
}

/* The shortest body; all of them at full size. */
static void
no_single_changed_octet_proves_other_content(void **state UNUSED)
{
	for (size_t b = test_size(2, 0); b < test_size(3, ARRAY_LEN(bodies)); b++) {
		struct wrap_target t = target(bodies[b]);

		/* A few do: white space between attributes, or an octet put back as it was. */
		assert_true(change_each_octet(&t) > 0);
	}
}

static void
no_octet_left_out_or_doubled_proves_other_content(void **state UNUSED)
{
	for (size_t b = test_size(1, 0); b < test_size(2, ARRAY_LEN(bodies)); b++) {
		struct wrap_target t = target(bodies[b]);
		size_t n = strlen(t.text);

		for (size_t i = 0; i < n; i++) {
			judge(arena_printf(a, "%.*s%s", (int)i, t.text, t.text + i + 1), &t.octets,
			      1);
			judge(arena_printf(a, "%.*s%s", (int)i + 1, t.text, t.text + i), &t.octets,
			      1);
		}
	}
}

static void
no_document_cut_short_or_continued_is_proven(void **state UNUSED)
{
	struct wrap_target t = target(bodies[1]);
	static const char *const more[] = {"x", "<a/>", "</samlp:Response>", "&#32;",
					   "\xef\xbb\xbf"};

	for (size_t i = 0; i < strlen(t.text); i++)
		assert_false(judge(arena_strndup(a, t.text, i), &t.octets, 1).ok);
	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		assert_false(judge(arena_printf(a, "%s%s", t.text, more[i]), &t.octets, 1).ok);
		assert_false(judge(arena_printf(a, "%s%s", more[i], t.text), &t.octets, 1).ok);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_place_for_the_signed_element_and_its_signature_proves_nothing_new),
		T(more_than_one_assertion_is_never_read),
		T(what_lies_around_a_signed_assertion_is_not_read),
		T(a_comment_anywhere_truncates_nothing),
		T(an_instruction_anywhere_splits_nothing),
		T(a_cdata_section_anywhere_proves_nothing_new),
		T(namespace_tricks_prove_nothing_new),
		T(two_signed_infos_prove_nothing),
		T(an_hmac_keyed_with_the_public_key_is_refused),
		T(sha1_is_refused_however_well_it_verifies),
		T(a_signature_of_one_algorithm_under_the_name_of_another_is_refused),
		T(key_info_of_every_kind_is_ignored),
		T(a_key_in_key_info_is_not_trusted),
		T(a_stripped_signature_is_refused),
		T(no_single_changed_octet_proves_other_content),
		T(no_octet_left_out_or_doubled_proves_other_content),
		T(no_document_cut_short_or_continued_is_proven),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
