/*
 * Debian's pysaml2 as the other side: it takes what we sign and encrypt, as far as
 * it and xmlsec1 below it know the algorithms, and we take what it makes.
 */
#include "tests/test.h"

#include <openssl/x509.h>
#include <time.h>

#include "base/conf.h"
#include "base/enc.h"
#include "keys/cert.h"
#include "keys/cert_build.h"
#include "keys/key_type.h"
#include "saml/attribute_query.h"
#include "saml/authn_request.h"
#include "saml/metadata_write.h"
#include "saml/names.h"
#include "saml/response.h"
#include "saml/xmlenc.h"
#include "tests/saml/portal.h"
#include "tests/saml/with_keys.h"

#define QUERY_URL "https://konto.example/saml/attributes"

static EVP_PKEY *sp_key;
static struct bytes sp_cert;
static const char *folder;

static const char *
cert_pem(struct bytes der)
{
	const char *text = enc_base64(a, der), *lines = "";

	for (size_t n = strlen(text); n > 0;) {
		size_t part = n < 64 ? n : 64;

		lines = arena_printf(a, "%s%.*s\n", lines, (int)part, text);
		text += part;
		n -= part;
	}
	return arena_printf(a, "-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n", lines);
}

/* ---- what it is told of us ---- */

static const enum key_type types[] = {KEY_P256, KEY_RSA3072, KEY_P384, KEY_BP256, KEY_BP384};

static struct bytes
our_metadata(void)
{
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	struct saml_published_key signing[ARRAY_LEN(types)],
		encryption[] = {{keys->dec_rsa.cert, KEY_RSA3072}};
	struct bytes xml;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		signing[i] = (struct saml_published_key){
			test_key_of(keys, KEY_SAML_SIGN, types[i])->cert, types[i]};
	const struct saml_description d = {
		.entity_id = PORTAL_OURS,
		.id = "_metadata1",
		.valid_until = time(NULL) + 86400,
		.sso_url = PORTAL_SSO,
		.slo_url = PORTAL_SLO,
		.sso_soap_url = PORTAL_SSO "/soap",
		.slo_soap_url = PORTAL_SLO "/soap",
		.attribute_url = QUERY_URL,
		.want_authn_requests_signed = true,
		.signing = signing,
		.n_signing = ARRAY_LEN(signing),
		.encryption = encryption,
		.n_encryption = 1,
	};

	ASSERT_OK(saml_metadata_build(a, &d, &signer, &xml, &err), &err);
	return xml;
}

/* pysaml2 with its files; what it printed. */
static char *
peer(const char *const *words, size_t n)
{
	const char *argv[64] = {"/usr/bin/python3", PEER, words[0], folder};
	char *out;

	assert_true(n + 4 < ARRAY_LEN(argv));
	for (size_t i = 1; i < n; i++)
		argv[3 + i] = words[i];
	if (!run_program(a, argv, &out))
		fail_msg("%s", out);
	return out;
}

static int
setup_peer(void **state)
{
	if (setup(state) != 0)
		return 1;
	sp_key = EVP_RSA_gen(2048);
	ASSERT_OK(cert_build_self_signed(a, sp_key, "portal", time(NULL) - 60, 30, &sp_cert, &err),
		  &err);
	const char *path = pem_file(a, "sp.key", sp_key);

	temp_file(a, "sp.crt", bytes_of(cert_pem(sp_cert)));
	temp_file(a, "idp.xml", our_metadata());
	folder = arena_strndup(a, path, (size_t)(strrchr(path, '/') - path));
	return 0;
}

static int
teardown_peer(void **state)
{
	EVP_PKEY_free(sp_key);
	return teardown(state);
}

/* ---- it reads ours ---- */

static const char *
response_for(const struct saml_party *party, const char *suite, bool encrypt)
{
	const struct saml_policy policy = {.encrypt = encrypt ? SAML_ENCRYPT_ALWAYS
							      : SAML_ENCRYPT_NEVER};
	time_t now = time(NULL);
	const struct saml_assertion facts = portal_assertion(now);
	const struct saml_response r = portal_response(&facts, now);
	struct saml_signer signer = test_signer(keys, suite);
	const struct saml_peer to = {party, &policy, &signer};
	struct saml_carrier c;

	ASSERT_OK(saml_response_build(a, &r, &to, &c, &err), &err);
	return c.value;
}

/* The portal's party, with a key of pysaml2's to encrypt to, as the record says how. */
static struct saml_party
its_party(enum xmlenc_content content)
{
	struct saml_party p = *portal_party(a, keys);
	EVP_PKEY *pub;
	struct cert cert;

	ASSERT_OK(cert_parse(a, sp_cert, &cert, &err), &err);
	pub = cert.pub;
	p.recipient =
		(struct xmlenc_recipient){pub, content, XMLENC_OAEP_SHA1, sp_cert, PORTAL_ENTITY};
	return p;
}

static void
it_takes_what_we_sign_and_encrypt(void **state UNUSED)
{
	/* RSASSA-PSS is unknown to the xmlsec1 below it. */
	static const char *const suites[] = {"ecdsa-sha256", "ecdsa-sha384",
					     "ecdsa-sha256-brainpool", "ecdsa-sha384-brainpool",
					     "rsa-sha256"};
	static const struct {
		bool encrypt;
		enum xmlenc_content content;
	} ways[] = {{false, XMLENC_A128GCM}, {true, XMLENC_A128GCM}, {true, XMLENC_A256GCM}};
	const char *words[3 + 2 * ARRAY_LEN(suites) * ARRAY_LEN(ways)] = {"read", PORTAL_ENTITY,
									  PORTAL_ACS};
	const char *want = "";
	size_t n = 3;

	for (size_t s = 0; s < ARRAY_LEN(suites); s++)
		for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
			struct saml_party p = its_party(ways[w].content);
			const char *value = response_for(&p, suites[s], ways[w].encrypt);
			struct bytes xml;

			words[n] = temp_file(a, arena_printf(a, "good-%zu", n), bytes_of(value));
			n++;
			want = arena_printf(a, "%sname1 Erika\n", want);
			/* And not with another answer inside. */
			ASSERT_OK(dec_base64(a, bytes_of(value), false, &xml, &err), &err);
			const char *bad = replace(a, text_of(a, xml), "_response1", "_response2");

			words[n] = temp_file(a, arena_printf(a, "bad-%zu", n),
					     bytes_of(enc_base64(a, bytes_of(bad))));
			n++;
			want = arena_printf(a, "%srefused\n", want);
		}
	char *got = peer(words, n), *line;
	const char *seen = "";

	while ((line = strsep(&got, "\n")) != NULL && *line != '\0')
		seen = arena_printf(a, "%s%s\n", seen,
				    strncmp(line, "refused:", 8) == 0 ? "refused" : line);
	assert_string_equal(seen, want);
}

/* ---- we read its ---- */

static char *
file_text(const char *name)
{
	struct bytes text;

	ASSERT_OK(conf_read_file(a, arena_printf(a, "%s/%s", folder, name), 1 << 16, &text, &err),
		  &err);
	return text_of(a, text);
}

static bool
takes(enum saml_binding binding, const char *raw, const struct saml_party *p)
{
	const struct saml_authn_request *r;
	const struct saml_endpoint *acs;
	const struct saml_verified *v;
	const struct saml_message *m;

	err_clear(&err);
	return saml_message_decode(a, binding, bytes_of(raw), &m, &err) &&
	       saml_message_verify(a, m, p, &v, &err) && saml_authn_request_parse(a, v, &r, &err) &&
	       saml_authn_request_check(r, PORTAL_SSO, &saml_window_default, time(NULL), &acs,
					&err);
}

static void
we_take_what_it_signs_if_it_is_marked_old(void **state UNUSED)
{
	static const struct {
		const char *name;
		bool known;
	} algs[] = {{"SIG_RSA_SHA256", true}, {"SIG_RSA_SHA512", true}, {"SIG_RSA_SHA1", false}};
	const char *const words[] = {"request", PORTAL_ENTITY, PORTAL_SSO};
	struct saml_party p = *portal_party(a, keys);
	struct cert cert;

	ASSERT_OK(cert_parse(a, sp_cert, &cert, &err), &err);
	p.signing = (struct saml_keys){&cert.pub, 1};
	const char *made = peer(words, ARRAY_LEN(words));

	for (size_t i = 0; i < ARRAY_LEN(algs); i++)
		for (int post = 0; post < 2; post++) {
			enum saml_binding binding =
				post ? SAML_BINDING_POST : SAML_BINDING_REDIRECT;
			const char *raw = file_text(
				arena_printf(a, "%s.%s", algs[i].name, post ? "form" : "query"));

			assert_non_null(strstr(made, algs[i].name));
			p.old_until = time(NULL) + 3600;
			if (takes(binding, raw, &p) != algs[i].known)
				fail_msg("%s %d: %s", algs[i].name, post, err.text);
			p.old_until = 0;
			assert_false(takes(binding, raw, &p));
			assert_non_null(strstr(err.text, algs[i].known ? "marked old alone"
								       : "not permitted"));
		}
}

/*
 * Only so far: it takes an envelope apart by writing its content anew, without the prefixes that
 * stand in values alone (xs:string), and so verifies no signature over attributes.
 */
static void
its_query_is_read(void **state UNUSED)
{
	const char *const ask[] = {"query", PORTAL_ENTITY, QUERY_URL, "name1"};
	struct saml_party p = *portal_party(a, keys);
	const struct saml_attribute_query *q;
	const struct saml_verified *v;
	const struct saml_message *m;
	struct cert cert;

	ASSERT_OK(cert_parse(a, sp_cert, &cert, &err), &err);
	p.signing = (struct saml_keys){&cert.pub, 1};
	p.old_until = time(NULL) + 3600;
	peer(ask, ARRAY_LEN(ask));
	ASSERT_OK(saml_message_decode(a, SAML_BINDING_SOAP, bytes_of(file_text("query.soap")), &m,
				      &err),
		  &err);
	ASSERT_OK(saml_message_verify(a, m, &p, &v, &err), &err);
	ASSERT_OK(saml_attribute_query_parse(a, v, NULL, &q, &err), &err);
	ASSERT_OK(saml_header_check_soap(&q->header, QUERY_URL, &saml_window_default, time(NULL),
					 &err),
		  &err);
	ASSERT_OK(saml_attribute_query_check_wish(q, &err), &err);
	assert_string_equal(q->subject.value, "name1");
	assert_string_equal(q->subject.format, SAML_NAMEID_PERSISTENT);
	assert_int_equal(q->names.n, 0);
}

static void
we_open_what_it_encrypts(void **state UNUSED)
{
	const char *cert = temp_file(a, "ours.crt", bytes_of(cert_pem(keys->dec_rsa.cert)));
	const char *out = arena_printf(a, "%s/encrypted.xml", folder);
	const char *const words[] = {"encrypt", cert, out};
	const char *const kids[] = {keys->dec_rsa.kid};
	const struct xmlenc_keys ours = {&keys->ops, kids, 1};
	const struct xml_node *n;
	struct xml_doc *doc;

	peer(words, ARRAY_LEN(words));
	ASSERT_OK(xmlenc_decrypt(a, parse_xml(a, file_text("encrypted.xml")), &ours, &doc, &err),
		  &err);
	ASSERT_OK(xml_child(xml_root(doc), xmlns_saml.uri, "Subject", &n, &err), &err);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup_peer, teardown_peer)
	const struct CMUnitTest tests[] = {
		T(it_takes_what_we_sign_and_encrypt),
		T(we_take_what_it_signs_if_it_is_marked_old),
		T(its_query_is_read),
		T(we_open_what_it_encrypts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
