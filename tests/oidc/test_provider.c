/* Another OpenID Provider: what it says of itself, and ID tokens that do not count. */
#include "oidc/provider.h"

#include "base/enc.h"
#include "base/hash.h"
#include "tests/keys/test_keys.h"
#include "tests/oidc/support.h"

#define NOW    1800000000
#define ISSUER "https://op.example"
#define CLIENT "kontor"
#define DOCUMENT                                                                           \
	"{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"" ISSUER "/auth\","       \
	"\"token_endpoint\":\"" ISSUER "/token\",\"jwks_uri\":\"" ISSUER "/jwks\","        \
	"\"userinfo_endpoint\":\"" ISSUER "/me\",\"response_types_supported\":[\"code\"]," \
	"\"code_challenge_methods_supported\":[\"S256\"],"                                 \
	"\"token_endpoint_auth_methods_supported\":[\"private_key_jwt\"],"                 \
	"\"id_token_signing_alg_values_supported\":[\"RS256\",\"ES256\"]}"

static struct arena *
arena_of(void **state)
{
	arena_reset(*state);
	return *state;
}

/* The text with one part of it exchanged. */
static const char *
changed(struct arena *a, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	return arena_printf(a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void
a_document_is_read(void **state)
{
	struct arena *a = arena_of(state);
	struct oidc_provider p;
	struct err err = {0};

	ASSERT_OK(oidc_provider_parse(a, bytes_of(DOCUMENT), ISSUER, &p, &err), &err);
	assert_string_equal(p.token_endpoint, ISSUER "/token");
	assert_string_equal(p.userinfo_endpoint, ISSUER "/me");
	assert_null(p.par_endpoint);
	assert_false(p.tells_iss || p.takes_claims || p.verified);
	assert_string_equal(oidc_provider_document(a, ISSUER),
			    ISSUER "/.well-known/openid-configuration");
	assert_string_equal(oidc_provider_document(a, ISSUER "/x/"),
			    ISSUER "/x/.well-known/openid-configuration");
	/* Who does not say what PKCE it knows may know it. */
	const char *silent =
		changed(a, DOCUMENT, "\"code_challenge_methods_supported\":[\"S256\"],", "");

	ASSERT_OK(oidc_provider_parse(a, bytes_of(silent), ISSUER, &p, &err), &err);
}

static void
a_document_that_does_not_do_is_refused(void **state)
{
	static const struct {
		const char *from, *to, *part;
	} cases[] = {
		{"\"issuer\":\"" ISSUER "\"", "\"issuer\":\"" ISSUER "/\"", "another issuer"},
		{"\"issuer\":\"" ISSUER "\",", "", "another issuer"},
		{ISSUER "/auth", "http://op.example/auth", "authorization_endpoint is"},
		{ISSUER "/token", "http://op.example/token", "token_endpoint is"},
		{ISSUER "/jwks", "file:///etc/passwd", "jwks_uri is"},
		{ISSUER "/me", "http://op.example/me", "userinfo_endpoint is"},
		{"\"jwks_uri\"", "\"x\"", "jwks_uri is"},
		{"\"code\"", "\"token\"", "response_types_supported lacks code"},
		{"\"S256\"", "\"plain\"", "lacks S256"},
		{"\"private_key_jwt\"", "\"client_secret_basic\"", "lacks private_key_jwt"},
		{"\"RS256\",\"ES256\"", "\"HS256\",\"none\"", "none that we verify"},
		{"\"RS256\",\"ES256\"", "1", "id_token_signing_alg"},
		{"{\"issuer\"", "[{\"issuer\"", ""},
	};
	struct arena *a = arena_of(state);
	struct oidc_provider p;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(oidc_provider_parse(
				       a,
				       bytes_of(changed(a, DOCUMENT, cases[i].from, cases[i].to)),
				       ISSUER, &p, &err),
			       &err, ERR_INPUT, cases[i].part);
}

static void
we_prove_ourselves_to_the_issuer_alone(void **state)
{
	struct arena *a = arena_of(state);
	struct test_keys *keys = test_keys_create(a);
	const struct oidc_jwk ours = {keys->p256.kid, OIDC_ES256, keys->p256.pub};
	const char *const mine[] = {"ES256", "RS256"}, *const theirs[] = {"RS256"},
			  *const others[] = {"ES512"};
	struct oidc_provider p;
	const struct oidc_signed *s;
	struct oidc_jws jws;
	struct err err = {0};
	const char *proof;

	ASSERT_OK(oidc_provider_parse(a, bytes_of(DOCUMENT), ISSUER, &p, &err), &err);
	ASSERT_OK(oidc_provider_proof(a, &p, &keys->ops, keys->p256.kid, OIDC_ES256, CLIENT, NOW,
				      &proof, &err),
		  &err);
	ASSERT_OK(oidc_jws_parse(a, bytes_of(proof), &jws, &err), &err);
	ASSERT_OK(oidc_jws_verify(a, &jws, &(struct oidc_jwks){.keys = &ours, .n = 1}, &s, &err),
		  &err);
	const json_t *claims = oidc_signed_claims(s);

	assert_string_equal(json_string_value(json_object_get(claims, "aud")), ISSUER);
	assert_string_equal(json_string_value(json_object_get(claims, "iss")), CLIENT);
	assert_string_equal(json_string_value(json_object_get(claims, "sub")), CLIENT);
	assert_int_equal(json_integer_value(json_object_get(claims, "exp")), NOW + 60);
	assert_true(json_string_length(json_object_get(claims, "jti")) >= 22);
	/* By an algorithm that both know. */
	assert_int_equal(oidc_provider_auth_alg(&p, (struct oidc_strs){mine, 2}), OIDC_ES256);
	p.auth_algs = (struct oidc_strs){theirs, 1};
	assert_int_equal(oidc_provider_auth_alg(&p, (struct oidc_strs){mine, 2}), OIDC_RS256);
	p.auth_algs = (struct oidc_strs){others, 1};
	assert_int_equal(oidc_provider_auth_alg(&p, (struct oidc_strs){mine, 2}), OIDC_ALG_NONE);
}

/* ---- ID tokens ---- */

#define CLAIMS                                                                              \
	"{\"iss\":\"" ISSUER "\",\"aud\":\"" CLIENT "\",\"sub\":\"berta\",\"nonce\":\"n\"," \
	"\"iat\":1800000000,\"exp\":1800000300,\"auth_time\":1799999990,\"acr\":\"high\"}"

static bool
told(struct arena *a, enum oidc_alg alg, const char *claims, struct oidc_told *out, struct err *err)
{
	const struct oidc_jwk key = public_key(alg, "k1");
	const struct oidc_jwks set = {.keys = &key, .n = 1};
	const struct oidc_told_rules rules = {.keys = &set,
					      .issuer = ISSUER,
					      .client_id = CLIENT,
					      .nonce = "n",
					      .access_token = "at",
					      .asked_at = NOW - 100};
	const char *header =
		arena_printf(a, "{\"alg\":\"%s\",\"kid\":\"k1\"}", oidc_alg_info(alg)->name);

	return oidc_told_verify(a, token_of(a, alg, header, claims), &rules, NOW, out, err);
}

static void
an_id_token_tells_who_it_is(void **state)
{
	struct arena *a = arena_of(state);
	struct oidc_told t;
	struct err err = {0};

	for (int alg = OIDC_ES256; alg < OIDC_ALG_COUNT; alg++)
		ASSERT_OK(told(a, (enum oidc_alg)alg, CLAIMS, &t, &err), &err);
	assert_string_equal(t.sub, "berta");
	assert_string_equal(t.acr, "high");
	assert_int_equal(t.auth_time, NOW - 10);
	/* An audience of us alone may be a list; azp may say it again. */
	ASSERT_OK(told(a, OIDC_ES256,
		       changed(a, CLAIMS, "\"aud\":\"" CLIENT "\"",
			       "\"aud\":[\"" CLIENT "\"],\"azp\":\"" CLIENT "\""),
		       &t, &err),
		  &err);
}

static void
what_is_not_for_us_now_is_refused(void **state)
{
	static const struct {
		const char *from, *to, *part;
	} cases[] = {
		{ISSUER, "https://other.example", "another issuer"},
		{"\"iss\":\"" ISSUER "\",", "", "another issuer"},
		{"\"" CLIENT "\"", "\"other\"", "not for us"},
		{"\"" CLIENT "\"", "[\"" CLIENT "\",\"other\"]", "not for us"},
		{"\"" CLIENT "\"", "[]", "not for us"},
		{"\"sub\"", "\"azp\":\"other\",\"sub\"", "not for us"},
		{"\"sub\"", "\"azp\":null,\"sub\"", "not for us"},
		{"\"nonce\":\"n\"", "\"nonce\":\"m\"", "not what was asked"},
		{"\"nonce\":\"n\",", "", "not what was asked"},
		{"\"berta\"", "\"\"", "sub is"},
		{"\"berta\"", "7", "sub is"},
		{"1800000300", "1799999940", "expired"},
		{",\"exp\":1800000300", "", "expired"},
		{"\"iat\":1800000000", "\"iat\":1799999839", "not of this login"},
		{"\"iat\":1800000000", "\"iat\":1800000061", "not of this login"},
		{"\"sub\"", "\"nbf\":1800000061,\"sub\"", "not of this login"},
		{"1799999990", "1799999839", "was not now"},
		{"1799999990", "1800000061", "was not now"},
		{",\"auth_time\":1799999990", "", "was not now"},
		{"\"sub\"", "\"at_hash\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"sub\"", "at_hash"},
		{"\"sub\"", "\"at_hash\":null,\"sub\"", "at_hash"},
	};
	struct arena *a = arena_of(state);
	struct oidc_told t;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(told(a, OIDC_ES256, changed(a, CLAIMS, cases[i].from, cases[i].to),
				    &t, &err),
			       &err, ERR_DENIED, cases[i].part);
}

static void
at_hash_is_that_of_the_signature(void **state)
{
	static const struct {
		enum oidc_alg alg;
		const char *digest;
	} cases[] = {{OIDC_ES256, "SHA256"}, {OIDC_ES384, "SHA384"}, {OIDC_EDDSA, "SHA512"}};
	struct arena *a = arena_of(state);
	struct oidc_told t;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct hash_digest d;

		assert_true(hash_named(cases[i].digest, bytes_of("at"), &d));
		const char *member =
			arena_printf(a, "\"at_hash\":\"%s\",\"sub\"",
				     enc_base64url(a, (struct bytes){d.octets, d.n / 2}));

		ASSERT_OK(told(a, cases[i].alg, changed(a, CLAIMS, "\"sub\"", member), &t, &err),
			  &err);
	}
}

static void
only_keys_of_its_own_count(void **state)
{
	struct arena *a = arena_of(state);
	const struct oidc_jwk key = public_key(OIDC_ES256, "k1");
	const struct oidc_jwks set = {.keys = &key, .n = 1};
	struct oidc_told_rules rules = {&set, OIDC_ALG_NONE, ISSUER, CLIENT, "n", "at", NOW - 100};
	struct oidc_told t;
	struct err err = {0};
	const char *good = token_of(a, OIDC_ES256, "{\"alg\":\"ES256\",\"kid\":\"k1\"}", CLAIMS);
	const char *other = token_of(a, OIDC_ES256, "{\"alg\":\"ES256\",\"kid\":\"k2\"}", CLAIMS);

	ASSERT_OK(oidc_told_verify(a, good, &rules, NOW, &t, &err), &err);
	assert_false(oidc_told_key_is_new(a, good, &set));
	assert_true(oidc_told_key_is_new(a, other, &set));
	ASSERT_REFUSED(oidc_told_verify(a, other, &rules, NOW, &t, &err), &err, ERR_DENIED, "");
	ASSERT_REFUSED(oidc_told_verify(
			       a,
			       compact_of(a, "{\"alg\":\"none\"}", CLAIMS, (struct bytes){NULL, 0}),
			       &rules, NOW, &t, &err),
		       &err, ERR_INPUT, "");
	ASSERT_REFUSED(oidc_told_verify(a,
					compact_of(a, "{\"alg\":\"HS256\",\"kid\":\"k1\"}", CLAIMS,
						   bytes_of("0123456789abcdef0123456789abcdef")),
					&rules, NOW, &t, &err),
		       &err, ERR_INPUT, "");
	/* Under a key that is for another algorithm; and where another one was agreed. */
	ASSERT_REFUSED(oidc_told_verify(a,
					token_of(a, OIDC_RS256,
						 "{\"alg\":\"RS256\",\"kid\":\"k1\"}", CLAIMS),
					&rules, NOW, &t, &err),
		       &err, ERR_DENIED, "");
	rules.alg = OIDC_PS256;
	ASSERT_REFUSED(oidc_told_verify(a, good, &rules, NOW, &t, &err), &err, ERR_DENIED,
		       "agreed algorithm");
	/* A token of another purpose. */
	rules.alg = OIDC_ALG_NONE;
	ASSERT_REFUSED(
		oidc_told_verify(a,
				 token_of(a, OIDC_ES256,
					  "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"at+jwt\"}",
					  CLAIMS),
				 &rules, NOW, &t, &err),
		&err, ERR_DENIED, "its type");
}

static void
userinfo_is_of_the_same_person(void **state)
{
	struct arena *a = arena_of(state);
	const struct oidc_told t = {.sub = "berta"};
	const json_t *claims;
	struct err err = {0};

	ASSERT_OK(oidc_told_userinfo(a,
				     bytes_of("{\"sub\":\"berta\",\"email\":\"b@example.invalid\","
					      "\"address\":{\"locality\":\"Ulm\"},"
					      "\"nationalities\":[\"D\"],\"many\":[\"a\",\"b\"]}"),
				     &t, &claims, &err),
		  &err);
	assert_string_equal(oidc_told_text(a, claims, "email"), "b@example.invalid");
	assert_string_equal(oidc_told_text(a, claims, "address.locality"), "Ulm");
	assert_string_equal(oidc_told_text(a, claims, "nationalities"), "D");
	assert_null(oidc_told_text(a, claims, "many"));
	assert_null(oidc_told_text(a, claims, "address.country"));
	assert_null(oidc_told_text(a, claims, "address"));
	ASSERT_REFUSED(oidc_told_userinfo(a, bytes_of("{\"sub\":\"karl\"}"), &t, &claims, &err),
		       &err, ERR_DENIED, "somebody else");
	ASSERT_REFUSED(oidc_told_userinfo(a, bytes_of("{}"), &t, &claims, &err), &err, ERR_DENIED,
		       "somebody else");
	ASSERT_REFUSED(oidc_told_userinfo(a, bytes_of("a.b.c"), &t, &claims, &err), &err, ERR_INPUT,
		       "");
}

static int
setup(void **state)
{
	*state = arena_create((size_t)64 << 20);
	return *state == NULL;
}

static int
teardown(void **state)
{
	arena_destroy(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_read),
		cmocka_unit_test(a_document_that_does_not_do_is_refused),
		cmocka_unit_test(we_prove_ourselves_to_the_issuer_alone),
		cmocka_unit_test(an_id_token_tells_who_it_is),
		cmocka_unit_test(what_is_not_for_us_now_is_refused),
		cmocka_unit_test(at_hash_is_that_of_the_signature),
		cmocka_unit_test(only_keys_of_its_own_count),
		cmocka_unit_test(userinfo_is_of_the_same_person),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
