/* What keys may sign (keys/shape.h). */
#include "tests/test.h"

#include "base/enc.h"
#include "keys/shape.h"
#include "tests/keys/test_keys.h"

#define ES256_URI "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
#define INFO(inner) \
	"<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">" inner "</ds:SignedInfo>"
#define METHOD(uri) "<ds:SignatureMethod Algorithm=\"" uri "\"></ds:SignatureMethod>"
#define REFERENCE   "<ds:Reference URI=\"#_1\"></ds:Reference>"
#define SIG_ALG     "&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23ecdsa-sha256"

struct row {
	enum key_purpose purpose;
	const char *text; /* for JWS: header and payload separated by a blank, to be encoded */
	const char *why;  /* part of the refusal; NULL: accepted */
};

static const struct row saml_rows[] = {
	{KEY_SAML_SIGN, INFO(METHOD(ES256_URI) REFERENCE), NULL},
	{KEY_SAML_SIGN, "SAMLRequest=fZ%2B" SIG_ALG, NULL},
	{KEY_SAML_SIGN, "SAMLResponse=fZ%2B&RelayState=x%20y" SIG_ALG, NULL},
	{KEY_SAML_SIGN, "", "0 octets"},
	{KEY_SAML_SIGN, "anything", "neither"},
	{KEY_SAML_SIGN, "eyJhbGciOiJFUzI1NiJ9.e30", "neither"},
	{KEY_SAML_SIGN, " " INFO(METHOD(ES256_URI) REFERENCE), "neither"},
	{KEY_SAML_SIGN, INFO(METHOD(ES256_URI) REFERENCE) "x", "not one SignedInfo"},
	{KEY_SAML_SIGN, INFO(METHOD(ES256_URI) REFERENCE "<ds:SignedInfo>"), "not one SignedInfo"},
	{KEY_SAML_SIGN, INFO(METHOD(ES256_URI) "<!-- -->" REFERENCE), "not canonical"},
	{KEY_SAML_SIGN, INFO(METHOD(ES256_URI) "<?p?>" REFERENCE), "not canonical"},
	{KEY_SAML_SIGN, INFO(METHOD("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256") REFERENCE),
	 "another algorithm"},
	{KEY_SAML_SIGN, INFO(METHOD(ES256_URI) METHOD("x") REFERENCE), "another algorithm"},
	{KEY_SAML_SIGN, INFO(METHOD(ES256_URI)), "not one Reference"},
	{KEY_SAML_SIGN, INFO(METHOD(ES256_URI) REFERENCE REFERENCE), "not one Reference"},
	{KEY_SAML_SIGN, "SAMLRequest=fZ%2B", "does not end in SigAlg"},
	{KEY_SAML_SIGN, "SAMLRequest=f Z" SIG_ALG, "not URL-encoded"},
	{KEY_SAML_SIGN, "SAMLRequest=fZ\x80" SIG_ALG, "not URL-encoded"},
	{KEY_SAML_SIGN, "SAMLRequest=fZ" SIG_ALG "&a=b", "other parameters"},
	{KEY_SAML_SIGN, "SAMLRequest=fZ&RelayState=a&RelayState=b" SIG_ALG, "other parameters"},
	{KEY_SAML_SIGN, "SAMLRequest=fZ&x=a" SIG_ALG, "other parameters"},
	{KEY_SAML_SIGN, "SAMLRequest=fZ&SigAlg=http%3A%2F%2Fexample", "another algorithm"},
	{KEY_SAML_SIGN, "SAMLRequest=fZ&SigAlg=%zz", "another algorithm"},
	{KEY_FEDERATION_SIGN, INFO(METHOD(ES256_URI) REFERENCE), NULL},
	{KEY_FEDERATION_SIGN, INFO(METHOD(ES256_URI)), "not one Reference"},
	{KEY_FEDERATION_SIGN, "SAMLRequest=fZ%2B" SIG_ALG, "not a JWS"},
	{KEY_OIDC_SIGN, INFO(METHOD(ES256_URI) REFERENCE), "not a JWS"},
	{KEY_DECRYPT, INFO(METHOD(ES256_URI) REFERENCE), "not for signatures"},
	{(enum key_purpose)77, INFO(METHOD(ES256_URI) REFERENCE), "not for signatures"},
};

static const struct row jws_rows[] = {
	{KEY_OIDC_SIGN, "{\"alg\":\"ES256\",\"kid\":\"k1\"} {}", NULL},
	{KEY_OIDC_SIGN, "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"k1\"} {\"a\":1}", NULL},
	{KEY_FEDERATION_SIGN,
	 "{\"typ\":\"entity-statement+jwt\",\"alg\":\"ES256\",\"kid\":\"k1\"} {}", NULL},
	{KEY_OIDC_SIGN, "{\"alg\":\"RS256\",\"kid\":\"k1\"} {}", "another algorithm"},
	{KEY_OIDC_SIGN, "{\"alg\":\"none\",\"kid\":\"k1\"} {}", "another algorithm"},
	{KEY_OIDC_SIGN, "{\"alg\":1,\"kid\":\"k1\"} {}", "another algorithm"},
	{KEY_OIDC_SIGN, "{\"alg\":\"ES256\"} {}", "another key"},
	{KEY_OIDC_SIGN, "{\"alg\":\"ES256\",\"kid\":\"k2\"} {}", "another key"},
	{KEY_OIDC_SIGN, "{\"typ\":\"entity-statement+jwt\",\"alg\":\"ES256\",\"kid\":\"k1\"} {}",
	 "another purpose"},
	{KEY_OIDC_SIGN, "{\"typ\":\"Entity-Statement+JWT\",\"alg\":\"ES256\",\"kid\":\"k1\"} {}",
	 "another purpose"},
	{KEY_OIDC_SIGN, "{\"typ\":7,\"alg\":\"ES256\",\"kid\":\"k1\"} {}", "another purpose"},
	{KEY_FEDERATION_SIGN, "{\"alg\":\"ES256\",\"kid\":\"k1\"} {}", "another purpose"},
	{KEY_OIDC_SIGN, "{\"alg\":\"ES256\",\"alg\":\"none\",\"kid\":\"k1\"} {}",
	 "not a flat object"},
	{KEY_OIDC_SIGN, "{\"alg\":\"ES256\",\"kid\":\"k1\",\"x\":[[[[[[[[]]]]]]]]} {}",
	 "not a flat object"},
	{KEY_OIDC_SIGN, "[] {}", "not a flat object"},
	{KEY_OIDC_SIGN, "{\"alg\":\"ES256\",\"kid\":\"k1\"} text", "payload is not an object"},
	{KEY_OIDC_SIGN, "{\"alg\":\"ES256\",\"kid\":\"k1\"} {", "payload is not an object"},
	{KEY_OIDC_SIGN, "{\"alg\":\"ES256\",\"kid\":\"k1\"} x}", "payload is not an object"},
};

static void
check(const struct row *row, struct bytes text)
{
	struct arena *a = arena_create(1 << 20);
	struct err err = {0};

	if (row->why == NULL)
		ASSERT_OK(shape_check(a, row->purpose, "k1", SIG_ES256, text, &err), &err);
	else
		ASSERT_REFUSED(shape_check(a, row->purpose, "k1", SIG_ES256, text, &err), &err,
			       ERR_DENIED, row->why);
	arena_destroy(a);
}

static void
a_saml_key_signs_signed_info_and_redirect_queries_only(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(saml_rows); i++)
		check(&saml_rows[i], bytes_of(saml_rows[i].text));
}

static void
a_token_key_signs_what_names_its_algorithm_and_itself(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(jws_rows); i++) {
		struct arena *a = arena_create(1 << 16);
		const char *text = jws_rows[i].text, *blank = strchr(text, ' ');
		struct bytes head = {(const unsigned char *)text, (size_t)(blank - text)};

		check(&jws_rows[i], bytes_of(arena_printf(a, "%s.%s", enc_base64url(a, head),
							  enc_base64url(a, bytes_of(blank + 1)))));
		arena_destroy(a);
	}
}

static void
what_is_no_signing_input_at_all_is_refused(void **state UNUSED)
{
	static const char *const texts[] = {"e30", "e30.e3", "e30=.e30", "e30.e30.e30", "e 0.e30"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		check(&(struct row){KEY_OIDC_SIGN, "", "not a JWS"}, bytes_of(texts[i]));
}

static void
a_nul_in_signed_info_is_refused(void **state UNUSED)
{
	char text[] = INFO(METHOD(ES256_URI) "x" REFERENCE);

	*(strstr(text, ">x<") + 1) = '\0';
	check(&(struct row){KEY_SAML_SIGN, "", "not canonical"},
	      (struct bytes){(unsigned char *)text, sizeof(text) - 1});
}

static void
too_much_and_unknown_algorithms_are_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct bytes big = {arena_alloc(a, SHAPE_TEXT_MAX + 1), SHAPE_TEXT_MAX + 1};
	struct err err = {0};

	check(&(struct row){KEY_OIDC_SIGN, "", "65537 octets"}, big);
	ASSERT_REFUSED(shape_check(a, KEY_OIDC_SIGN, "k1", SIG_NONE, bytes_of("e30.e30"), &err),
		       &err, ERR_DENIED, "unknown signature algorithm");
	ASSERT_REFUSED(
		shape_check(a, KEY_OIDC_SIGN, "k1", (enum sig_alg)9, bytes_of("e30.e30"), &err),
		&err, ERR_DENIED, "unknown signature algorithm");
	ASSERT_REFUSED(shape_check(a, KEY_SAML_SIGN, "k1", SIG_PS256_ALONE,
				   bytes_of("SAMLRequest=x" SIG_ALG), &err),
		       &err, ERR_DENIED, "no algorithm of SAML");
	ASSERT_REFUSED(shape_check(a, KEY_OIDC_SIGN, "k1", SIG_PS256,
				   test_jws_input(a, "PS256", "k1"), &err),
		       &err, ERR_DENIED, "names another algorithm");
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_saml_key_signs_signed_info_and_redirect_queries_only),
		cmocka_unit_test(a_token_key_signs_what_names_its_algorithm_and_itself),
		cmocka_unit_test(what_is_no_signing_input_at_all_is_refused),
		cmocka_unit_test(a_nul_in_signed_info_is_refused),
		cmocka_unit_test(too_much_and_unknown_algorithms_are_refused),
	};

	return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
