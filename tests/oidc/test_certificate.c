/* Client certificates: how they are passed on, and whose they are. */
#include "tests/oidc/certificates.h"
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include <openssl/rsa.h>

#include "base/enc.h"
#include "base/hash.h"
#include "oidc/client_auth.h"

#define NOW ((time_t)1800000000)
#define SANS                                                                             \
	"DNS:client.example,DNS:other.example,URI:urn:client:1,email:it@client.example," \
	"IP:192.0.2.7,IP:2001:db8::7"

static struct oidc_certificate
certificate(const char *cn, const char *san, const char *verdict)
{
	struct oidc_certificate c;
	const char *text = client_cert(a, key_pair(OIDC_ES256), cn, san, NOW - 86400, NOW + 86400);

	ASSERT_OK(oidc_certificate_read(a, text, verdict, &c, &err), &err);
	return c;
}

static void
a_certificate_is_read_from_its_header(void **state UNUSED)
{
	const char *text =
		client_cert(a, key_pair(OIDC_ES256), "c1", SANS, NOW - 86400, NOW + 86400);
	size_t n = strlen(text);
	struct oidc_certificate c;
	struct bytes der;
	unsigned char digest[SHA256_BYTES];

	ASSERT_OK(oidc_certificate_read(a, text, "0", &c, &err), &err);
	assert_true(c.verified);
	assert_string_equal(c.names.subject, "CN=c1,C=DE");
	assert_int_equal(c.names.n, 6);
	ASSERT_OK(dec_base64(a, (struct bytes){(const unsigned char *)text + 1, n - 2}, false, &der,
			     &err),
		  &err);
	hash_sha256(der, digest);
	assert_string_equal(c.thumbprint, enc_base64url(a, (struct bytes){digest, sizeof(digest)}));
	assert_int_equal(strlen(c.thumbprint), 43);
	/* What says nothing, or anything else, is no good verdict. */
	static const char *const bad[] = {NULL, "", "1", "18", "00", " 0", "0,0", "OK"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ASSERT_OK(oidc_certificate_read(a, text, bad[i], &c, &err), &err);
		assert_false(c.verified);
	}
}

static void
what_is_no_certificate_is_refused(void **state UNUSED)
{
	const char *good =
		client_cert(a, key_pair(OIDC_ES256), "c1", NULL, NOW - 86400, NOW + 86400);
	size_t n = strlen(good);
	const struct {
		const char *text, *part;
	} cases[] = {
		{"", "byte sequence"},
		{":", "byte sequence"},
		{"::", ""},
		{arena_strndup(a, good, n - 1), "byte sequence"},
		{good + 1, "byte sequence"},
		{arena_printf(a, "%s:", good), "base64"},
		{arena_printf(a, ":%s", good), "base64"},
		{arena_printf(a, ":%.40s:", good + 1), ""},
		{arena_printf(a, ":%.*sAAAA:", (int)(n - 2), good + 1), ""}, /* more behind it */
		{":MIIB:", ""},
		{"-----BEGIN CERTIFICATE-----", "byte sequence"},
	};
	struct oidc_certificate c;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(oidc_certificate_read(a, cases[i].text, "0", &c, &err), &err,
			       ERR_INPUT, cases[i].part);
	EVP_PKEY *weak = EVP_RSA_gen(1024);

	ASSERT_REFUSED(
		oidc_certificate_read(a, client_cert(a, weak, "c1", NULL, NOW - 86400, NOW + 86400),
				      "0", &c, &err),
		&err, ERR_INPUT, "RSA");
	EVP_PKEY_free(weak);
}

static bool
check_named(const struct oidc_certificate *c, struct oidc_tls_names names)
{
	const struct oidc_client client = {
		.client_id = "c1", .auth_method = OIDC_AUTH_TLS, .tls = names};

	return oidc_certificate_check(c, &client, NOW, &err);
}

static void
the_registered_name_makes_it_the_clients(void **state UNUSED)
{
	const struct oidc_certificate c = certificate("M\xc3\xbcller, c1", SANS, "0");
	const struct oidc_tls_names good[] = {
		{.subject_dn = "CN=M\xc3\xbcller\\, c1,C=DE"},
		{.subject_dn = "CN=M\\C3\\BCller\\, c1,C=DE"},
		{.san_dns = "client.example"},
		{.san_dns = "Other.EXAMPLE"},
		{.san_uri = "urn:client:1"},
		{.san_email = "it@client.example"},
		{.san_ip = "192.0.2.7"},
		{.san_ip = "2001:db8::7"},
		{.san_ip = "2001:0db8:0:0:0:0:0:0007"},
	};
	const struct oidc_tls_names bad[] = {
		{NULL, NULL, NULL, NULL, NULL},
		{.subject_dn = "CN=M\xc3\xbcller\\, c1"},
		{.subject_dn = "C=DE,CN=M\xc3\xbcller\\, c1"},
		{.subject_dn = ""},
		{.san_dns = "example"},
		{.san_dns = "*.example"},
		{.san_dns = "client.example."},
		{.san_dns = "urn:client:1"},
		{.san_uri = "client.example"},
		{.san_uri = "URN:client:1"},
		{.san_email = "IT@client.example"},
		{.san_email = "client.example"},
		{.san_ip = "192.0.2.8"},
		{.san_ip = "192.0.2.07"},
		{.san_ip = "::ffff:192.0.2.7"},
		{.san_ip = "client.example"},
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ASSERT_OK(check_named(&c, good[i]), &err);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_REFUSED(check_named(&c, bad[i]), &err, ERR_DENIED, "not of this name");
	/* Who has the name in the subject has no such entry. */
	const struct oidc_certificate bare = certificate("client.example", NULL, "0");

	ASSERT_REFUSED(check_named(&bare, good[2]), &err, ERR_DENIED, "not of this name");
	/* Nor is any name worth something without an authority. */
	const struct oidc_certificate own = certificate("c1", SANS, "18");

	ASSERT_REFUSED(check_named(&own, good[2]), &err, ERR_DENIED, "of no authority");
	assert_false(check_named(&own, good[2]));
	assert_string_equal(err.proto, "invalid_client");
	err_clear(&err);
}

static void
a_name_with_a_nul_inside_is_none(void **state UNUSED)
{
	/* CVE-2009-2408: "client.example\0.evil.example" */
	char *text = arena_strdup(a, client_cert(a, key_pair(OIDC_ES256), "c1",
						 "DNS:client.exampleX.evil.example", NOW - 86400,
						 NOW + 86400));
	struct oidc_certificate c;
	struct bytes der;

	ASSERT_OK(dec_base64(a, (struct bytes){(unsigned char *)text + 1, strlen(text) - 2}, false,
			     &der, &err),
		  &err);
	for (size_t i = 0; i + 5 < der.n; i++)
		if (memcmp(der.p + i, "X.evil", 6) == 0)
			((unsigned char *)(uintptr_t)der.p)[i] = '\0';
	ASSERT_REFUSED(oidc_certificate_read(a, arena_printf(a, ":%s:", enc_base64(a, der)), "0",
					     &c, &err),
		       &err, ERR_INPUT, "malformed name");
}

static void
a_key_of_its_set_makes_it_the_clients(void **state UNUSED)
{
	struct oidc_jwk keys[] = {public_key(OIDC_ES384, "k1"), public_key(OIDC_ES256, "k2")};
	struct oidc_client client = {.client_id = "c1",
				     .auth_method = OIDC_AUTH_SELF_SIGNED_TLS,
				     .jwks = {.keys = keys, .n = 2}};
	const struct oidc_certificate c = certificate("whoever", NULL, "18");

	ASSERT_OK(oidc_certificate_check(&c, &client, NOW, &err), &err);
	client.jwks.n = 1;
	ASSERT_REFUSED(oidc_certificate_check(&c, &client, NOW, &err), &err, ERR_DENIED,
		       "none of the client's keys");
	/* A good chain does not stand for the key. */
	const struct oidc_certificate chained = certificate("whoever", NULL, "0");

	ASSERT_REFUSED(oidc_certificate_check(&chained, &client, NOW, &err), &err, ERR_DENIED,
		       "none of the client's keys");
}

static void
a_certificate_counts_in_its_time(void **state UNUSED)
{
	const struct oidc_client client = {
		.client_id = "c1", .auth_method = OIDC_AUTH_TLS, .tls.san_dns = "client.example"};
	const struct oidc_certificate c = certificate("c1", SANS, "0");

	ASSERT_OK(oidc_certificate_check(&c, &client, NOW - 86400, &err), &err);
	ASSERT_OK(oidc_certificate_check(&c, &client, NOW + 86400, &err), &err);
	ASSERT_REFUSED(oidc_certificate_check(&c, &client, NOW - 86401, &err), &err, ERR_DENIED,
		       "not begun");
	ASSERT_REFUSED(oidc_certificate_check(&c, &client, NOW + 86401, &err), &err, ERR_DENIED,
		       "is over");
}

/* RFC 8705 2: the certificate and a client_id, whatever the method of the two. */
static void
a_certificate_proves_a_client_that_is_registered_so(void **state UNUSED)
{
	static const struct oidc_server server = {.issuer = "https://idp.example",
						  .token_endpoint =
							  "https://idp.example/oidc/token"};
	static const struct param alone[] = {{"client_id", "c1"}};
	const struct params form = {alone, 1};
	const struct oidc_certificate c = certificate("c1", SANS, "0");
	struct oidc_client client = {
		.client_id = "c1", .auth_method = OIDC_AUTH_TLS, .tls.san_dns = "client.example"};
	struct oidc_client_proof proof = {0};
	struct oidc_client_auth auth;

	ASSERT_OK(oidc_client_auth_parse(a, NULL, &form, &auth, &err), &err);
	ASSERT_REFUSED(oidc_client_auth_check(a, &auth, &client, &server, NOW, &proof, &err), &err,
		       ERR_DENIED, "no client certificate");
	auth.certificate = &c;
	ASSERT_OK(oidc_client_auth_check(a, &auth, &client, &server, NOW, &proof, &err), &err);
	assert_ptr_equal(proof.client, &client);
	client.tls.san_dns = "evil.example";
	ASSERT_REFUSED(oidc_client_auth_check(a, &auth, &client, &server, NOW, &proof, &err), &err,
		       ERR_DENIED, "not of this name");
	/* Beside another proof it stands for nothing. */
	client.auth_method = OIDC_AUTH_BASIC;
	ASSERT_REFUSED(oidc_client_auth_check(a, &auth, &client, &server, NOW, &proof, &err), &err,
		       ERR_DENIED, "not the registered way");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_read_from_its_header),
		cmocka_unit_test(what_is_no_certificate_is_refused),
		cmocka_unit_test(the_registered_name_makes_it_the_clients),
		cmocka_unit_test(a_name_with_a_nul_inside_is_none),
		cmocka_unit_test(a_key_of_its_set_makes_it_the_clients),
		cmocka_unit_test(a_certificate_counts_in_its_time),
		cmocka_unit_test(a_certificate_proves_a_client_that_is_registered_so),
	};

	return cmocka_run_group_tests_name("certificate", tests, setup, teardown);
}
