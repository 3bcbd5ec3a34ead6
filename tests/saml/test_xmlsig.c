/*
 * saml/xmlsig.c: what is verified is what is read.  The attacks have their own
 * file (test_xmlsig_attacks.c); here are the permitted shapes, each refusal of
 * the shape of a Signature, and the ties between a Response and its assertion.
 */
#include "tests/test.h"

#include <openssl/evp.h>

#include "base/conf.h"
#include "base/enc.h"
#include "keys/cert.h"
#include "saml/xmlw.h"
#include "tests/saml/fixture.h"
#include "tests/saml/with_keys.h"

static struct saml_signed *
verified(const char *text)
{
	struct saml_signed *got;

	ASSERT_OK(fixture_verify(a, parse_xml(a, text), &got, &err), &err);
	return got;
}

static void
refused(const char *text, enum err_kind kind, const char *part)
{
	struct saml_signed *got = NULL;

	err_clear(&err);
	if (fixture_verify(a, parse_xml(a, text), &got, &err))
		fail_msg("accepted: %s", text);
	if (err.kind != kind || strstr(err.text, part) == NULL)
		fail_msg("refused as %s: %s\n%s", err_kind_name(err.kind), err.text, text);
	assert_null(got);
	err_clear(&err);
}

/* ---- permitted ---- */

static void
every_permitted_algorithm_verifies(void **state UNUSED)
{
	static const char *const digests[] = {"http://www.w3.org/2001/04/xmlenc#sha256",
					      "http://www.w3.org/2001/04/xmldsig-more#sha384",
					      "http://www.w3.org/2001/04/xmlenc#sha512"};

	for (size_t d = 0; d < ARRAY_LEN(digests); d++)
		for (size_t i = 0; saml_suite_at(i) != NULL; i++) {
			struct fixture f = fixture_request();

			f.suite = saml_suite_at(i);
			f.digest = digests[d];
			f.digest_md = saml_digest_by_uri(digests[d]);
			struct saml_signed *s = verified(fixture_sign(a, &f));

			assert_ptr_equal(saml_signed_suite(s), saml_suite_by_uri(f.suite->uri));
			assert_string_equal(xml_attr(saml_signed_root(s), "ID"), "_r");
		}
}

static void
every_element_that_may_be_signed_verifies(void **state UNUSED)
{
	static const struct {
		const char *prefix, *ns, *name, *issuer;
	} rows[] = {
		{"samlp", "protocol", "AuthnRequest", FIXTURE_ISSUER},
		{"samlp", "protocol", "Response", FIXTURE_ISSUER},
		{"samlp", "protocol", "Response", ""},
		{"samlp", "protocol", "LogoutRequest", FIXTURE_ISSUER},
		{"samlp", "protocol", "LogoutResponse", FIXTURE_ISSUER},
		{"samlp", "protocol", "ArtifactResolve", FIXTURE_ISSUER},
		{"samlp", "protocol", "ArtifactResponse", FIXTURE_ISSUER},
		{"saml", "assertion", "Assertion", FIXTURE_ISSUER},
		{"md", "metadata", "EntityDescriptor", ""},
		{"md", "metadata", "EntitiesDescriptor", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f = fixture_request();

		f.text = arena_printf(a,
				      "<%s:%s xmlns:%s=\"urn:oasis:names:tc:SAML:2.0:%s\" "
				      "ID=\"_r\">%s" FIXTURE_PLACE "<x xmlns=\"urn:x\"/></%s:%s>",
				      rows[i].prefix, rows[i].name, rows[i].prefix, rows[i].ns,
				      rows[i].issuer, rows[i].prefix, rows[i].name);
		assert_string_equal(xml_name(saml_signed_root(verified(fixture_sign(a, &f)))),
				    rows[i].name);
	}
	struct fixture f = fixture_request();

	f.text = "<samlp:Status xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
		 "ID=\"_r\">" FIXTURE_PLACE "</samlp:Status>";
	refused(fixture_sign(a, &f), ERR_INPUT, "nothing that is signed");
}

static void
what_is_read_is_the_signed_text_without_its_signature(void **state UNUSED)
{
	struct fixture f = fixture_request();
	struct saml_signed *s = verified(fixture_sign(a, &f));
	const char *text = text_of(a, saml_signed_bytes(s)), *issuer;
	const struct xml_node *n;

	assert_null(strstr(text, "Signature"));
	assert_false(xmlsig_present(saml_signed_root(s)));
	ASSERT_OK(xml_child(saml_signed_root(s), xmlns_saml.uri, "Issuer", &n, &err), &err);
	ASSERT_OK(xml_text(a, n, &issuer, &err), &err);
	assert_string_equal(issuer, "https://portal.example/saml");
	assert_ptr_not_equal(xml_doc_of(saml_signed_root(s)), xml_doc_of(parse_xml(a, text)));
}

static void
a_canonical_text_may_be_longer_than_what_came(void **state UNUSED)
{
	struct fixture f = fixture_request();
	char *quotes = arena_alloc(a, 200001);

	memset(quotes, '"', 200000);
	quotes[200000] = '\0';
	f.text = replace(a, f.text, "IsPassive=\"false\"",
			 arena_printf(a, "IsPassive=\"false\" ProviderName='%s'", quotes));
	assert_true(saml_signed_bytes(verified(fixture_sign(a, &f))).n >
		    xml_limits_message.max_bytes);
}

static void
a_canonical_text_may_need_more_than_there_may_be(void **state UNUSED)
{
	enum { MANY = 12000 };
	static const char child[] = "<p:x/>";
	struct fixture f = fixture_request();
	char *children = arena_alloc(a, MANY * strlen(child) + 1);

	/* One declaration as it came, one for each in canonical form. */
	for (size_t i = 0; i < MANY; i++)
		memcpy(children + i * strlen(child), child, strlen(child) + 1);
	f.text =
		arena_printf(a,
			     "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
			     "xmlns:p=\"urn:p\" ID=\"_r\">" FIXTURE_PLACE "%s</samlp:Response>",
			     children);
	refused(fixture_sign(a, &f), ERR_INPUT, "too many elements");
	f.transform_prefixes = "p"; /* as it came: declared once, at the root */
	verified(fixture_sign(a, &f));
}

static void
a_prefix_list_longer_than_we_take_proves_nothing(void **state UNUSED)
{
	struct fixture f = fixture_request();

	f.transform_prefixes = "a b c d e f g h i j k l m n o p";
	verified(fixture_sign(a, &f));
	f.info_from = "n o p\"";
	f.info_to = "n o p q\"";
	refused(fixture_sign(a, &f), ERR_INPUT, "PrefixList of more than 16");
}

static void
the_key_that_verified_is_named(void **state UNUSED)
{
	EVP_PKEY *all[] = {keys->rsa.pub, keys->p256.pub, fixture_keys().key[0]};
	struct fixture f = fixture_request();
	const char *text = fixture_sign(a, &f);
	struct saml_signed *s;

	ASSERT_OK(xmlsig_verify(a, parse_xml(a, text), (struct saml_keys){all, 3}, &s, &err), &err);
	assert_int_equal(saml_signed_key(s), 2);
	ASSERT_REFUSED(xmlsig_verify(a, parse_xml(a, text), (struct saml_keys){all, 2}, &s, &err),
		       &err, ERR_DENIED, "no key");
	ASSERT_REFUSED(xmlsig_verify(a, parse_xml(a, text), (struct saml_keys){NULL, 0}, &s, &err),
		       &err, ERR_DENIED, "no key");
}

static void
white_space_and_prefix_lists_are_accepted(void **state UNUSED)
{
	struct fixture f = fixture_request();

	f.text = "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
		 "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:u=\"urn:unused\" ID=\"_r\">\n"
		 "  " FIXTURE_ISSUER "\n  " FIXTURE_PLACE "\n  <x xmlns=\"urn:x\">xs:string</x>\n"
		 "</samlp:Response>\n";
	f.pretty = true;
	verified(fixture_sign(a, &f));
	f.transform_prefixes = "xs";
	f.info_prefixes = "xs samlp";
	struct saml_signed *s = verified(fixture_sign(a, &f));
	const char *text = text_of(a, saml_signed_bytes(s));

	assert_non_null(strstr(text, "xmlns:xs="));
	assert_null(strstr(text, "urn:unused"));
}

static void
base64_may_be_broken_into_lines(void **state UNUSED)
{
	struct fixture f = fixture_request();
	char *text = fixture_sign(a, &f);
	char *value = strstr(text, "<ds:SignatureValue>") + strlen("<ds:SignatureValue>");

	text = arena_printf(a, "%.*s\r\n %.20s&#13;\n%s", (int)(value - text), text, value,
			    value + 20);
	verified(text);
}

static EVP_PKEY *
vector_key(const char *cert_file)
{
	struct bytes der;
	struct cert cert;

	ASSERT_OK(conf_read_file(a, arena_printf(a, "%s/xmlsig/%s", VECTORS, cert_file),
				 CERT_DER_MAX, &der, &err),
		  &err);
	ASSERT_OK(cert_parse(a, der, &cert, &err), &err);
	return cert.pub;
}

static void
what_xmlsec_signed_verifies(void **state UNUSED)
{
	static const struct {
		const char *suite, *file;
		size_t key;
	} vectors[] = {
		{"rsa-pss-sha256", "rsa-pss-sha256.xml", 0},
		{"rsa-sha256", "rsa-sha256.xml", 0},
		{"rsa-sha512", "rsa-sha512.xml", 0},
		{"ecdsa-sha256", "ecdsa-sha256.xml", 1},
		{"ecdsa-sha384", "ecdsa-sha384.xml", 1},
		{"ecdsa-sha256", "ecdsa-sha256-brainpool.xml", 2},
		{"ecdsa-sha384", "ecdsa-sha384-p384.xml", 3},
		/* TR-03116-4 asks for SHA-256 or longer, whatever the curve. */
		{"ecdsa-sha256", "ecdsa-sha256-p384.xml", 3},
		{"ecdsa-sha384", "ecdsa-sha384-brainpool.xml", 4},
		{"ecdsa-sha512", "ecdsa-sha512-p521.xml", 5},
		{"rsa-pss-sha256", "rsa-pss-sha256-rsa3072.xml", 6},
		{"rsa-pss-sha384", "rsa-pss-sha384.xml", 6},
		{"rsa-pss-sha512", "rsa-pss-sha512.xml", 6},
	};
	EVP_PKEY *all[] = {vector_key("rsa.cert.der"),    vector_key("p256.cert.der"),
			   vector_key("bp256.cert.der"),  vector_key("p384.cert.der"),
			   vector_key("bp384.cert.der"),  vector_key("p521.cert.der"),
			   vector_key("rsa3072.cert.der")};

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct bytes text;
		struct saml_signed *s;

		ASSERT_OK(conf_read_file(a,
					 arena_printf(a, "%s/xmlsig/%s", VECTORS, vectors[i].file),
					 1 << 16, &text, &err),
			  &err);
		const struct xml_node *n = parse_xml(a, text_of(a, text));

		ASSERT_OK(xmlsig_verify(a, n, (struct saml_keys){all, ARRAY_LEN(all)}, &s, &err),
			  &err);
		assert_int_equal(saml_signed_key(s), vectors[i].key);
		assert_string_equal(saml_signed_suite(s)->name, vectors[i].suite);
		for (size_t k = 0; k < ARRAY_LEN(all); k++)
			assert_int_equal(
				xmlsig_verify(a, n, (struct saml_keys){&all[k], 1}, &s, NULL),
				k == vectors[i].key);
	}
}

/* ---- octets beside the message ---- */

static void
a_signature_beside_the_message_proves_it(void **state UNUSED)
{
	EVP_PKEY *all[] = {keys->rsa.pub, keys->p256.pub};
	struct saml_keys both = {all, 2};
	struct fixture f = fixture_request();
	const char *query = "SAMLRequest=abc&SigAlg="
			    "http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23ecdsa-sha256";
	struct xmlsig_octets in = {
		.alg_uri = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
		.octets = bytes_of(query),
		.message = bytes_of(replace(a, f.text, FIXTURE_PLACE, "")),
	};
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	struct saml_signed *s = NULL;

	ASSERT_OK(saml_sign_octets(a, &signer, in.octets, &in.sig, &err), &err);
	ASSERT_OK(xmlsig_verify_octets(a, &in, both, &xml_limits_message, &s, &err), &err);
	assert_int_equal(saml_signed_key(s), 1);
	assert_true(bytes_eq(saml_signed_bytes(s), in.message));

	struct xmlsig_octets bad = in;

	bad.octets = bytes_of("SAMLRequest=abd");
	ASSERT_REFUSED(xmlsig_verify_octets(a, &bad, both, &xml_limits_message, &s, &err), &err,
		       ERR_DENIED, "no key");
	bad = in;
	bad.alg_uri = "http://www.w3.org/2000/09/xmldsig#rsa-sha1";
	ASSERT_REFUSED(xmlsig_verify_octets(a, &bad, both, &xml_limits_message, &s, &err), &err,
		       ERR_DENIED, "SigAlg");
	bad.alg_uri = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
	ASSERT_REFUSED(xmlsig_verify_octets(a, &bad, both, &xml_limits_message, &s, &err), &err,
		       ERR_DENIED, "no key");
	bad = in;
	bad.message = bytes_of("<!DOCTYPE a><a/>");
	ASSERT_REFUSED(xmlsig_verify_octets(a, &bad, both, &xml_limits_message, &s, &err), &err,
		       ERR_INPUT, "DTD");
	bad.message = bytes_of(fixture_sign(a, &f));
	ASSERT_REFUSED(xmlsig_verify_octets(a, &bad, both, &xml_limits_message, &s, &err), &err,
		       ERR_INPUT, "inside and beside");
}

/* ---- the shape of a Signature ---- */

struct change {
	const char *from, *to;
	enum err_kind kind;
	const char *part;
};

#define EXC     "http://www.w3.org/2001/10/xml-exc-c14n#"
#define ENV     "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
#define TO_INFO "<ds:SignedInfo>"
#define METHOD \
	"<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\">"
#define C14N   "<ds:CanonicalizationMethod Algorithm=\"" EXC "\">"
#define DIGEST "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\">"
#define REF    "<ds:Reference URI=\"#_r\">"
#define T_ENV  "<ds:Transform Algorithm=\"" ENV "\"></ds:Transform>"
#define T_EXC  "<ds:Transform Algorithm=\"" EXC "\"></ds:Transform>"
#define X      "<x xmlns=\"urn:x\"/>"

/* Each is made before signing, so that all but the shape is in order. */
static const struct change before_signing[] = {
	/* CanonicalizationMethod */
	{EXC "\">", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315\">", ERR_DENIED, "exclusive"},
	{EXC "\">", EXC "WithComments\">", ERR_DENIED, "exclusive"},
	{C14N, "<ds:CanonicalizationMethod>", ERR_INPUT, "no attribute Algorithm"},
	{C14N, C14N X, ERR_INPUT, "unexpected <x>"},
	{C14N, "<ds:CanonicalizationMethod x=\"\" Algorithm=\"" EXC "\">", ERR_INPUT,
	 "attribute x"},
	{C14N, C14N "<e:InclusiveNamespaces xmlns:e=\"" EXC "\"/>", ERR_INPUT,
	 "attribute PrefixList"},
	{C14N, C14N "<e:InclusiveNamespaces xmlns:e=\"" EXC "\" PrefixList=\"\" x=\"\"/>",
	 ERR_INPUT, "attribute x"},
	{C14N,
	 C14N "<e:InclusiveNamespaces xmlns:e=\"" EXC
	      "\" PrefixList=\"\">x</e:InclusiveNamespaces>",
	 ERR_INPUT, "text beside"},
	{C14N,
	 C14N "<e:InclusiveNamespaces xmlns:e=\"" EXC "\" PrefixList=\"a\"/>"
	      "<e:InclusiveNamespaces xmlns:e=\"" EXC "\" PrefixList=\"b\"/>",
	 ERR_INPUT, "unexpected <InclusiveNamespaces>"},
	{TO_INFO, TO_INFO X, ERR_INPUT, "lacks <CanonicalizationMethod>"},
	{TO_INFO, "<ds:SignedInfo x=\"\">", ERR_INPUT, "attribute x"},
	{TO_INFO, TO_INFO "text", ERR_INPUT, "text beside"},
	/* SignatureMethod */
	{METHOD, "<ds:SignatureMethod>", ERR_INPUT, "no attribute Algorithm"},
	{METHOD, METHOD "<ds:HMACOutputLength>8</ds:HMACOutputLength>", ERR_INPUT,
	 "HMACOutputLength"},
	{"<ds:SignatureMethod ", "<ds:SignatureMethod x=\"\" ", ERR_INPUT, "attribute x"},
	{"<ds:DigestMethod ", "<ds:DigestMethod x=\"\" ", ERR_INPUT, "attribute x"},
	{"<ds:Transform Algorithm=\"" ENV, "<ds:Transform x=\"\" Algorithm=\"" ENV, ERR_INPUT,
	 "attribute x"},
	{"#ecdsa-sha256", "#ecdsa-sha1", ERR_DENIED, "SignatureMethod"},
	{"2001/04/xmldsig-more#ecdsa-sha256", "2000/09/xmldsig#rsa-sha1", ERR_DENIED,
	 "SignatureMethod"},
	{"2001/04/xmldsig-more#ecdsa-sha256", "2000/09/xmldsig#hmac-sha1", ERR_DENIED,
	 "SignatureMethod"},
	{"2001/04/xmldsig-more#ecdsa-sha256", "2001/04/xmldsig-more#hmac-sha256", ERR_DENIED,
	 "SignatureMethod"},
	{"2001/04/xmldsig-more#ecdsa-sha256", "2007/05/xmldsig-more#rsa-pss", ERR_DENIED,
	 "SignatureMethod"},
	{METHOD "</ds:SignatureMethod>", "", ERR_INPUT, "lacks <SignatureMethod>"},
	/* Reference */
	{REF, REF X, ERR_INPUT, "lacks <Transforms>"},
	{REF, "<ds:Reference>", ERR_INPUT, "no attribute URI"},
	{REF, "<ds:Reference URI=\"\">", ERR_INPUT, "element itself"},
	{REF, "<ds:Reference URI=\"_r\">", ERR_INPUT, "element itself"},
	{REF, "<ds:Reference URI=\"#_x\">", ERR_INPUT, "element itself"},
	{REF, "<ds:Reference URI=\"#xpointer(/)\">", ERR_INPUT, "element itself"},
	{REF, "<ds:Reference URI=\"#xpointer(id('_r'))\">", ERR_INPUT, "element itself"},
	{REF, "<ds:Reference URI=\"https://evil.example/#_r\">", ERR_INPUT, "element itself"},
	{REF, "<ds:Reference URI=\"file:///etc/passwd\">", ERR_INPUT, "element itself"},
	{REF, "<ds:Reference URI=\"#_r\" Type=\"http://www.w3.org/2000/09/xmldsig#Manifest\">",
	 ERR_INPUT, "attribute Type"},
	/* Transforms */
	{"<ds:Transforms>", "<ds:Transforms x=\"\">", ERR_INPUT, "attribute x"},
	{T_ENV, "", ERR_INPUT, "lacks <Transform>"},
	{T_EXC, "", ERR_INPUT, "lacks <Transform>"},
	{T_ENV T_EXC, T_EXC T_ENV, ERR_DENIED, "enveloped-signature"},
	{T_ENV T_EXC, T_EXC T_EXC, ERR_DENIED, "enveloped-signature"},
	{T_ENV T_EXC, T_ENV T_ENV, ERR_DENIED, "exclusive"},
	{T_ENV T_EXC, T_ENV T_EXC T_EXC, ERR_INPUT, "unexpected <Transform>"},
	{T_EXC, "<ds:Transform Algorithm=\"" EXC "WithComments\"></ds:Transform>", ERR_DENIED,
	 "exclusive"},
	{T_EXC, "<ds:Transform Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>",
	 ERR_DENIED, "exclusive"},
	{T_EXC, "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/>",
	 ERR_DENIED, "exclusive"},
	{T_ENV,
	 "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>"
	 "true()</ds:XPath></ds:Transform>",
	 ERR_INPUT, "unexpected <XPath>"},
	{T_ENV, "<ds:Transform Algorithm=\"http://www.w3.org/2002/06/xmldsig-filter2\"/>",
	 ERR_DENIED, "enveloped-signature"},
	/* Digest */
	{"<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\">",
	 "<ds:DigestMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1\">", ERR_DENIED,
	 "DigestMethod"},
	{DIGEST, DIGEST X, ERR_INPUT, "unexpected <x>"},
	{"<ds:DigestValue>", "<ds:DigestValue>!", ERR_INPUT, "base64"},
	{"<ds:DigestValue>", "<ds:DigestValue>" X, ERR_INPUT, "beside text"},
	{"</ds:DigestValue>", "</ds:DigestValue>" X, ERR_INPUT, "unexpected <x>"},
	{"</ds:Reference>", "</ds:Reference>" REF "</ds:Reference>", ERR_INPUT,
	 "unexpected <Reference>"},
};

static void
a_signed_info_of_another_shape_is_refused(void **state UNUSED)
{
	struct fixture f = fixture_request();

	for (size_t i = 0; i < ARRAY_LEN(before_signing); i++) {
		f.info_from = before_signing[i].from;
		f.info_to = before_signing[i].to;
		refused(fixture_sign(a, &f), before_signing[i].kind, before_signing[i].part);
	}
}

/* Each is made after signing, in what no digest covers. */
static const struct change after_signing[] = {
	{"<ds:SignatureValue>", "<ds:SignatureValue>!", ERR_INPUT, "base64"},
	{"<ds:SignatureValue>", "<ds:SignatureValue>" X, ERR_INPUT, "beside text"},
	{"<ds:SignatureValue>", "<ds:SignatureValue>AAAA", ERR_DENIED, "no key"},
	{"<ds:SignatureValue>", X "<ds:SignatureValue>", ERR_INPUT, "lacks <SignatureValue>"},
	{"</ds:SignatureValue>", "</ds:SignatureValue><ds:Object/>", ERR_INPUT,
	 "unexpected <Object>"},
	{"</ds:SignatureValue>", "</ds:SignatureValue><ds:KeyInfo/><ds:KeyInfo/>", ERR_INPUT,
	 "unexpected <KeyInfo>"},
	{"</ds:SignatureValue>", "</ds:SignatureValue><ds:SignatureValue/>", ERR_INPUT,
	 "unexpected <SignatureValue>"},
	{"</ds:SignatureValue>", "</ds:SignatureValue>text", ERR_INPUT, "text beside"},
	{TO_INFO, X TO_INFO, ERR_INPUT, "lacks <SignedInfo>"},
	{TO_INFO, "<ds:SignedInfo></ds:SignedInfo>" TO_INFO, ERR_INPUT, "lacks <SignatureValue>"},
	{"IsPassive=\"false\"", "IsPassive=\"true\"", ERR_DENIED, "content is not what was signed"},
	{" ID=\"_r\"", " ID=\"_s\"", ERR_INPUT, "element itself"},
	{" ID=\"_r\"", "", ERR_INPUT, "no attribute ID"},
};

static void
a_signature_of_another_shape_is_refused(void **state UNUSED)
{
	struct fixture f = fixture_request();
	const char *text = fixture_sign(a, &f);

	for (size_t i = 0; i < ARRAY_LEN(after_signing); i++)
		refused(replace(a, text, after_signing[i].from, after_signing[i].to),
			after_signing[i].kind, after_signing[i].part);
}

static void
a_signature_out_of_its_place_is_refused(void **state UNUSED)
{
	static const char *const places[] = {
		/* before the Issuer, after something else, not a child, not there */
		FIXTURE_PLACE FIXTURE_ISSUER X,
		FIXTURE_ISSUER X FIXTURE_PLACE,
		X FIXTURE_PLACE,
		FIXTURE_ISSUER "<x xmlns=\"urn:x\">" FIXTURE_PLACE "</x>",
		FIXTURE_ISSUER FIXTURE_ISSUER FIXTURE_PLACE,
	};
	struct fixture f = fixture_request();
	const char *format = "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
			     "ID=\"_r\">INSIDE</samlp:Response>";

	for (size_t i = 1; i < ARRAY_LEN(places); i++) {
		f.text = replace(a, format, "INSIDE", places[i]);
		refused(fixture_sign(a, &f), ERR_INPUT,
			i == 3 ? "no <Signature>" : "not in its place");
	}
	/* First in a message is a place too: Issuer may be left out. */
	f.text = replace(a, format, "INSIDE", places[0]);
	verified(fixture_sign(a, &f));
	f.text = "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" "
		 "ID=\"_r\">" FIXTURE_ISSUER FIXTURE_PLACE "</md:EntityDescriptor>";
	refused(fixture_sign(a, &f), ERR_INPUT, "not in its place");

	f = fixture_request();
	const char *text = fixture_sign(a, &f);
	const char *sig = cut(a, text, "<ds:Signature ", "</ds:Signature>");

	refused(replace(a, text, "</samlp:AuthnRequest>",
			arena_printf(a, "%s</samlp:AuthnRequest>", sig)),
		ERR_INPUT, "second <Signature>");
	refused(replace(a, text, sig, ""), ERR_INPUT, "no <Signature>");
	assert_true(xmlsig_present(parse_xml(a, text)));
	assert_false(xmlsig_present(parse_xml(a, replace(a, text, sig, ""))));
}

/* ---- a Response and its assertion ---- */

#define RESPONSE(inside)                                                                 \
	"<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "          \
	"xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r\">" FIXTURE_ISSUER \
		FIXTURE_PLACE inside "</samlp:Response>"
#define ASSERTION "<saml:Assertion ID=\"_a\"><saml:Subject/></saml:Assertion>"
#define ENCRYPTED "<saml:EncryptedAssertion><x xmlns=\"urn:x\">c</x></saml:EncryptedAssertion>"

static struct saml_signed *
signed_response(const char *text)
{
	struct fixture f = fixture_request();

	f.text = text;
	return verified(fixture_sign(a, &f));
}

static void
the_assertion_of_a_response_is_the_only_one(void **state UNUSED)
{
	static const struct {
		const char *text, *part;
	} rows[] = {
		{RESPONSE(ASSERTION), NULL},
		{RESPONSE(ENCRYPTED), NULL},
		{RESPONSE(""), "no assertion of its own"},
		{RESPONSE(ASSERTION "<saml:Assertion ID=\"_b\"/>"), "more than one"},
		{RESPONSE(ENCRYPTED ENCRYPTED), "more than one"},
		{RESPONSE(ASSERTION ENCRYPTED), "more than one"},
		{RESPONSE("<samlp:Extensions>" ASSERTION "</samlp:Extensions>"),
		 "no assertion of its own"},
		{RESPONSE("<saml:Assertion ID=\"_b\"><saml:Advice>" ASSERTION
			  "</saml:Advice></saml:Assertion>"),
		 "more than one"},
		{RESPONSE("<Assertion xmlns=\"urn:x\" ID=\"_a\"/>"), "no assertion of its own"},
	};
	const struct xml_node *n;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct saml_signed *s = signed_response(rows[i].text);

		if (rows[i].part == NULL)
			ASSERT_OK(saml_signed_assertion(s, &n, &err), &err);
		else
			ASSERT_REFUSED(saml_signed_assertion(s, &n, &err), &err, ERR_INPUT,
				       rows[i].part);
	}
	struct fixture f = fixture_request();

	ASSERT_REFUSED(saml_signed_assertion(verified(fixture_sign(a, &f)), &n, &err), &err,
		       ERR_INPUT, "no Response");
}

static struct saml_signed *
signed_with_id(const char *prefix, const char *ns, const char *name, const char *id)
{
	struct fixture f = fixture_request();

	f.id = id;
	f.text = arena_printf(a,
			      "<%s:%s xmlns:%s=\"urn:oasis:names:tc:SAML:2.0:%s\" "
			      "ID=\"%s\">" FIXTURE_ISSUER FIXTURE_PLACE "</%s:%s>",
			      prefix, name, prefix, ns, id, prefix, name);
	return verified(fixture_sign(a, &f));
}

static struct saml_signed *
signed_assertion(const char *id)
{
	return signed_with_id("saml", "assertion", "Assertion", id);
}

static void
an_assertion_belongs_to_the_response_that_holds_it(void **state UNUSED)
{
	struct saml_signed *response = signed_response(RESPONSE(ASSERTION));

	ASSERT_OK(saml_signed_holds(response, signed_assertion("_a"), &err), &err);
	ASSERT_REFUSED(saml_signed_holds(response, signed_assertion("_b"), &err), &err, ERR_INPUT,
		       "not the one");
	ASSERT_REFUSED(saml_signed_holds(response, signed_response(RESPONSE(ASSERTION)), &err),
		       &err, ERR_INPUT, "not the one");
	/* Something else that is signed, under the assertion's ID. */
	struct saml_signed *other = signed_with_id("samlp", "protocol", "LogoutRequest", "_a");

	ASSERT_REFUSED(saml_signed_holds(response, other, &err), &err, ERR_INPUT, "not the one");
	ASSERT_REFUSED(saml_signed_holds(signed_assertion("_a"), signed_assertion("_a"), &err),
		       &err, ERR_INPUT, "no Response");
	ASSERT_REFUSED(
		saml_signed_holds(signed_response(RESPONSE("")), signed_assertion("_a"), &err),
		&err, ERR_INPUT, "no assertion");
	ASSERT_REFUSED(
		saml_signed_holds(signed_response(RESPONSE("<saml:EncryptedAssertion ID=\"_a\"/>")),
				  signed_assertion("_a"), &err),
		&err, ERR_INPUT, "not the one");
	ASSERT_REFUSED(saml_signed_holds(signed_response(RESPONSE("<saml:Assertion/>")),
					 signed_assertion("_a"), &err),
		       &err, ERR_INPUT, "no attribute ID");
}

static void
ciphertext_belongs_to_the_response_that_holds_it(void **state UNUSED)
{
	struct fixture f = fixture_request();
	struct saml_signed *response;
	const struct xml_node *n;

	f.text = RESPONSE(ENCRYPTED);
	const struct xml_node *received = parse_xml(a, fixture_sign(a, &f));

	ASSERT_OK(fixture_verify(a, received, &response, &err), &err);
	ASSERT_OK(xml_child(received, xmlns_saml.uri, "EncryptedAssertion", &n, &err), &err);
	ASSERT_OK(saml_signed_holds_encrypted(a, response, n, &err), &err);
	ASSERT_REFUSED(saml_signed_holds_encrypted(a, response, xml_first(n), &err), &err,
		       ERR_INPUT, "too short");
	ASSERT_REFUSED(saml_signed_holds_encrypted(a, response, received, &err), &err, ERR_INPUT,
		       "not the one");
	ASSERT_REFUSED(saml_signed_holds_encrypted(a, signed_response(RESPONSE("")), n, &err), &err,
		       ERR_INPUT, "no assertion");
	response = signed_response(RESPONSE(ASSERTION));
	ASSERT_OK(saml_signed_assertion(response, &n, &err), &err);
	ASSERT_REFUSED(saml_signed_holds_encrypted(a, response, n, &err), &err, ERR_INPUT,
		       "not the one");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_permitted_algorithm_verifies),
		T(every_element_that_may_be_signed_verifies),
		T(what_is_read_is_the_signed_text_without_its_signature),
		T(a_canonical_text_may_be_longer_than_what_came),
		T(a_canonical_text_may_need_more_than_there_may_be),
		T(a_prefix_list_longer_than_we_take_proves_nothing),
		T(the_key_that_verified_is_named),
		T(white_space_and_prefix_lists_are_accepted),
		T(base64_may_be_broken_into_lines),
		T(what_xmlsec_signed_verifies),
		T(a_signature_beside_the_message_proves_it),
		T(a_signed_info_of_another_shape_is_refused),
		T(a_signature_of_another_shape_is_refused),
		T(a_signature_out_of_its_place_is_refused),
		T(the_assertion_of_a_response_is_the_only_one),
		T(an_assertion_belongs_to_the_response_that_holds_it),
		T(ciphertext_belongs_to_the_response_that_holds_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
