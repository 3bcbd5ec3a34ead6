/* Client authentication: each method with its good case and every way to get it wrong. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include <openssl/hmac.h>

#include "base/enc.h"
#include "oidc/client_auth.h"

#define NOW    1800000000
#define ISSUER "https://idp.example"
#define TOKEN  ISSUER "/oidc/token"
#define SECRET "7Fjfp0ZBr1KtDRbnfVdmIw"

#define SEALED bytes_of("sealed by the signer")

/* What stands for the signer: it knows the secret behind SEALED. */
static enum err_kind mac_trouble;

static bool
check_mac(void *ctx UNUSED, struct arena *arena UNUSED, const char *client_id,
	  struct bytes sealed_secret, struct bytes text, struct bytes mac, struct err *e)
{
	unsigned char want[SHA256_BYTES];

	assert_string_equal(client_id, "c1");
	assert_true(bytes_eq(sealed_secret, SEALED));
	if (mac_trouble != ERR_NONE)
		return FAIL(e, mac_trouble, NULL, "the signer has trouble");
	HMAC(EVP_sha256(), SECRET, (int)strlen(SECRET), text.p, text.n, want, NULL);
	return bytes_eq((struct bytes){want, sizeof(want)}, mac) ||
	       FAIL(e, ERR_DENIED, NULL, "a MAC of another secret or text");
}

static struct oidc_server server = {
	.issuer = ISSUER, .token_endpoint = TOKEN, .mac = {NULL, check_mac}};

static struct params
form(const struct param *p, size_t n)
{
	return (struct params){p, n};
}

static bool
parse(const char *authorization, struct params ps, struct oidc_client_auth *out)
{
	return oidc_client_auth_parse(a, authorization, &ps, out, &err);
}

static const char *
basic(const char *pair)
{
	return arena_printf(a, "Basic %s", enc_base64(a, bytes_of(pair)));
}

static struct oidc_client
secret_client(enum oidc_auth_method method)
{
	unsigned char *digest = arena_alloc(a, SHA256_BYTES);

	hash_sha256(bytes_of(SECRET), digest);
	return (struct oidc_client){
		.client_id = "s6BhdRkqt3",
		.auth_method = method,
		.secret_sha256 = {digest, SHA256_BYTES},
	};
}

static bool
check(const struct oidc_client_auth *auth, const struct oidc_client *client,
      struct oidc_client_proof *out)
{
	return oidc_client_auth_check(a, auth, client, &server, NOW, out, &err);
}

static void
basic_credentials_are_read(void **state UNUSED)
{
	struct oidc_client_auth auth;

	/* RFC 6749 2.3.1 */
	ASSERT_OK(parse("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW", form(NULL, 0), &auth), &err);
	assert_int_equal(auth.method, OIDC_AUTH_BASIC);
	assert_string_equal(auth.client_id, "s6BhdRkqt3");
	assert_string_equal(auth.secret, "gX1fBat3bV");
	ASSERT_OK(parse("bAsIc  czZCaGRSa3F0MzpnWDFmQmF0M2JW", form(NULL, 0), &auth), &err);
	/* Both halves are form-encoded; only the first colon divides. */
	ASSERT_OK(parse(basic("https%3A%2F%2Fx+y:a%25b:c"), form(NULL, 0), &auth), &err);
	assert_string_equal(auth.client_id, "https://x y");
	assert_string_equal(auth.secret, "a%b:c");
	/* The id may also stand in the form, if it is the same. */
	ASSERT_OK(parse(basic("c1:s"), form(&(struct param){"client_id", "c1"}, 1), &auth), &err);
}

static void
malformed_basic_credentials_are_refused(void **state UNUSED)
{
	struct oidc_client_auth auth;
	char *longer = arena_alloc(a, 300);
	const struct {
		const char *header, *part;
	} cases[] = {
		{"", "not Basic"},
		{"Bearer abc", "not Basic"},
		{"Basic", "not Basic"},
		{"BasicczZC", "not Basic"},
		{"Basic !", "base64"},
		{"Basic czZCaGRSa3F0MzpnWDFmQmF0M2J", "base64"},
		{"Basic ", "without colon"},
		{basic("no colon"), "without colon"},
		{basic("a%zz:b"), ""},
		{basic("a:b%0"), ""},
		{basic("a%00:b"), ""},
		{basic("\xff:b"), "Basic credentials"},
		{basic(arena_printf(a, "a:%s", (char *)memset(longer, 'x', 257))), "at most 256"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_REFUSED(parse(cases[i].header, form(NULL, 0), &auth), &err, ERR_INPUT,
			       cases[i].part);
		assert_false(parse(cases[i].header, form(NULL, 0), &auth));
		assert_string_equal(err.proto, "invalid_client");
		err_clear(&err);
	}
}

static void
form_credentials_are_read(void **state UNUSED)
{
	static const struct param list[] = {{"client_secret", "s"}, {"client_id", "c1"}};
	struct oidc_client_auth auth;

	ASSERT_OK(parse(NULL, form(list, 2), &auth), &err);
	assert_int_equal(auth.method, OIDC_AUTH_POST);
	assert_string_equal(auth.client_id, "c1");
	assert_string_equal(auth.secret, "s");
	ASSERT_REFUSED(parse(NULL, form(list, 1), &auth), &err, ERR_INPUT, "without client_id");
}

static void
one_way_of_authentication_is_demanded(void **state UNUSED)
{
	static const struct {
		const char *authorization;
		struct param p[3];
		const char *proto, *part;
	} cases[] = {
		{NULL, {{"x", "y"}}, "invalid_client", "no client authentication"},
		{NULL, {{"client_id", ""}}, "invalid_client", "no client authentication"},
		{"Basic YTpi", {{"client_secret", "b"}}, "invalid_request", "more than one"},
		{"Basic YTpi", {{"client_assertion", "b"}}, "invalid_request", "more than one"},
		{"Basic YTpi",
		 {{"client_assertion_type", "b"}},
		 "invalid_request",
		 "more than one"},
		{NULL,
		 {{"client_secret", "b"}, {"client_assertion", "b"}},
		 "invalid_request",
		 "more than one"},
		{"Basic YTpi", {{"client_id", "c"}}, "invalid_request", "client_id differs"},
		{NULL, {{"client_id", "c"}, {"client_id", "c"}}, "invalid_request", "twice"},
		{NULL,
		 {{"client_secret", "c"}, {"client_secret", "c"}},
		 "invalid_request",
		 "twice"},
		{NULL,
		 {{"client_assertion", "c"}, {"client_assertion", "c"}},
		 "invalid_request",
		 "twice"},
		{NULL,
		 {{"client_assertion_type", "c"}, {"client_assertion_type", "c"}},
		 "invalid_request",
		 "twice"},
		{NULL, {{"client_assertion", "a.b.c"}}, "invalid_client", "type is missing"},
		{NULL,
		 {{"client_assertion_type", OIDC_ASSERTION_TYPE}},
		 "invalid_client",
		 "is missing"},
		{NULL,
		 {{"client_assertion", "a.b.c"},
		  {"client_assertion_type",
		   "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}},
		 "invalid_client",
		 "or another"},
		{NULL,
		 {{"client_assertion", "a.b.c"}, {"client_assertion_type", OIDC_ASSERTION_TYPE}},
		 "invalid_client",
		 "base64"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oidc_client_auth auth;
		size_t n = 0;

		while (n < 3 && cases[i].p[n].name != NULL)
			n++;
		ASSERT_REFUSED(parse(cases[i].authorization, form(cases[i].p, n), &auth), &err,
			       ERR_INPUT, cases[i].part);
		assert_false(parse(cases[i].authorization, form(cases[i].p, n), &auth));
		assert_string_equal(err.proto, cases[i].proto);
		err_clear(&err);
	}
}

static void
the_right_secret_proves_the_client(void **state UNUSED)
{
	static const enum oidc_auth_method methods[] = {OIDC_AUTH_BASIC, OIDC_AUTH_POST};

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct oidc_client client = secret_client(methods[i]);
		struct oidc_client_auth auth = {methods[i], client.client_id, SECRET, {0}, NULL};
		struct oidc_client_proof proof;

		ASSERT_OK(check(&auth, &client, &proof), &err);
		assert_ptr_equal(proof.client, &client);
		assert_null(proof.jti);
	}
}

static void
a_wrong_secret_or_way_is_refused(void **state UNUSED)
{
	struct oidc_client client = secret_client(OIDC_AUTH_BASIC);
	struct oidc_client without = client;
	struct oidc_client_auth good = {OIDC_AUTH_BASIC, client.client_id, SECRET, {0}, NULL};
	struct oidc_client_auth auth = good;
	struct oidc_client_proof proof = {0};

	auth.secret = "";
	ASSERT_REFUSED(check(&auth, &client, &proof), &err, ERR_DENIED, "wrong client_secret");
	auth.secret = SECRET "x";
	ASSERT_REFUSED(check(&auth, &client, &proof), &err, ERR_DENIED, "wrong client_secret");
	without.secret_sha256.n = 0;
	ASSERT_REFUSED(check(&good, &without, &proof), &err, ERR_DENIED, "wrong client_secret");
	ASSERT_REFUSED(check(&good, NULL, &proof), &err, ERR_DENIED, "no such client");
	auth = good;
	auth.client_id = "other";
	ASSERT_REFUSED(check(&auth, &client, &proof), &err, ERR_DENIED, "no such client");
	auth = good;
	auth.method = OIDC_AUTH_POST;
	ASSERT_REFUSED(check(&auth, &client, &proof), &err, ERR_DENIED, "not the registered way");
	auth.method = OIDC_AUTH_PUBLIC;
	ASSERT_REFUSED(check(&auth, &client, &proof), &err, ERR_DENIED, "not the registered way");
	auth.method = OIDC_AUTH_NONE;
	client.auth_method = OIDC_AUTH_NONE;
	ASSERT_REFUSED(check(&auth, &client, &proof), &err, ERR_DENIED, "no such way");
	assert_null(proof.client);
	assert_false(check(&auth, NULL, &proof));
	assert_string_equal(err.proto, "invalid_client");
	err_clear(&err);
}

static struct oidc_client
key_client(struct oidc_jwk *key)
{
	return (struct oidc_client){
		.client_id = "c1",
		.auth_method = OIDC_AUTH_PRIVATE_KEY,
		.jwks = {.keys = key, .n = 1},
	};
}

static bool
assert_with(enum oidc_alg alg, const char *header, const char *claims,
	    const struct oidc_client *client, struct oidc_client_proof *out)
{
	const struct param list[] = {{"client_assertion_type", OIDC_ASSERTION_TYPE},
				     {"client_assertion", token_of(a, alg, header, claims)}};
	struct oidc_client_auth auth;

	return parse(NULL, form(list, 2), &auth) && check(&auth, client, out);
}

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k\"}"

/* The members of a good assertion, `name` replaced by `value` (JSON; NULL: left out). */
static const char *
claims_but(const char *name, const char *value)
{
	static const struct {
		const char *name, *value;
	} good[] = {
		{"iss", "\"c1\""},     {"sub", "\"c1\""},     {"aud", "\"" ISSUER "\""},
		{"exp", "1800000060"}, {"iat", "1800000000"}, {"jti", "\"j-1\""},
		{"nbf", "1800000000"},
	};
	const char *text = "", *comma = "";

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const char *v = strcmp(good[i].name, name) == 0 ? value : good[i].value;

		if (v == NULL)
			continue;
		text = arena_printf(a, "%s%s\"%s\":%s", text, comma, good[i].name, v);
		comma = ",";
	}
	return arena_printf(a, "{%s}", text);
}

static void
a_signed_assertion_proves_the_client(void **state UNUSED)
{
	for (int alg = OIDC_ES256; alg < OIDC_ALG_COUNT; alg++) {
		struct oidc_jwk key = public_key((enum oidc_alg)alg, "k");
		struct oidc_client client = key_client(&key);
		struct oidc_client_proof proof;
		const char *header = arena_printf(a, "{\"alg\":\"%s\",\"kid\":\"k\"}",
						  oidc_alg_info((enum oidc_alg)alg)->name);

		ASSERT_OK(assert_with((enum oidc_alg)alg, header, claims_but("", NULL), &client,
				      &proof),
			  &err);
		assert_ptr_equal(proof.client, &client);
		assert_string_equal(proof.jti, "j-1");
		/* Remembered until exp can pass no more, whenever it arrived. */
		assert_int_equal(proof.jti_expires, 1800000060 + 11);
	}
}

static void
claims_of_an_assertion_are_all_checked(void **state UNUSED)
{
	static const struct {
		const char *name, *value, *part;
		bool ok;
	} cases[] = {
		{"iss", NULL, "iss is not", false},
		{"iss", "\"c2\"", "iss is not", false},
		{"iss", "[\"c1\"]", "iss is not", false},
		{"sub", "\"c2\"", "no such client", false},
		{"sub", NULL, "without sub", false},
		{"sub", "5", "not a string", false},
		{"aud", NULL, "aud is missing", false},
		/* CVE-2025-27370: a list could mean another server too */
		{"aud", "[\"" ISSUER "\"]", "not one text", false},
		{"aud", "[\"" ISSUER "\",\"https://evil.example\"]", "not one text", false},
		{"aud", "\"" ISSUER "/\"", "aud is not ours", false},
		{"aud", "\"" TOKEN "\"", "aud is not ours", false},
		{"aud", "\"https://evil.example\"", "aud is not ours", false},
		{"exp", NULL, "exp is missing", false},
		{"exp", "\"1800000060\"", "exp is not an integer", false},
		{"exp", "1800000060.5", "exp is not an integer", false},
		{"exp", "1799999990", "", true}, /* 10 s past */
		{"exp", "1799999989", "past", false},
		{"exp", "1800003660", "", true},
		{"exp", "1800003661", "too far ahead", false},
		{"exp", "9223372036854775807", "too far ahead", false},
		{"exp", "-9223372036854775808", "past", false},
		{"iat", NULL, "", true},
		{"iat", "1800000060", "", true},
		{"iat", "1800000061", "ahead of us", false},
		{"iat", "\"x\"", "iat is not an integer", false},
		{"nbf", NULL, "", true},
		{"nbf", "1800000061", "ahead of us", false},
		{"nbf", "{}", "nbf is not an integer", false},
		{"jti", NULL, "jti is missing",
		 false}, /* or a replay goes unseen (CVE-2020-15222) */
		{"jti", "\"\"", "jti is missing", false},
		{"jti", "\"a b\"", "jti is missing", false},
		{"jti", "5", "jti is missing", false},
	};
	struct oidc_jwk key = public_key(OIDC_ES256, "k");
	struct oidc_client client = key_client(&key);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oidc_client_proof proof = {0};
		const char *claims = claims_but(cases[i].name, cases[i].value);

		err_clear(&err);
		if (cases[i].ok) {
			ASSERT_OK(assert_with(OIDC_ES256, HEADER, claims, &client, &proof), &err);
			continue;
		}
		assert_false(assert_with(OIDC_ES256, HEADER, claims, &client, &proof));
		if (strstr(err.text, cases[i].part) == NULL)
			fail_msg("%s: %s", claims, err.text);
		assert_string_equal(err.proto, "invalid_client");
		assert_null(proof.client);
		err_clear(&err);
	}
	char *longer = arena_alloc(a, 300);
	struct oidc_client_proof proof;

	memset(longer, 'j', 257);
	ASSERT_REFUSED(assert_with(OIDC_ES256, HEADER,
				   claims_but("jti", arena_printf(a, "\"%s\"", longer)), &client,
				   &proof),
		       &err, ERR_DENIED, "jti is missing");
}

static void
a_written_exception_allows_the_token_endpoint_as_audience(void **state UNUSED)
{
	struct oidc_jwk key = public_key(OIDC_ES256, "k");
	struct oidc_client client = key_client(&key);
	struct oidc_client_proof proof;

	client.assertion_audience = OIDC_AUDIENCE_TOKEN_ENDPOINT;
	ASSERT_OK(assert_with(OIDC_ES256, HEADER, claims_but("aud", "\"" TOKEN "\""), &client,
			      &proof),
		  &err);
	ASSERT_OK(assert_with(OIDC_ES256, HEADER, claims_but("", NULL), &client, &proof), &err);
	ASSERT_REFUSED(assert_with(OIDC_ES256, HEADER, claims_but("aud", "\"" TOKEN "/\""), &client,
				   &proof),
		       &err, ERR_DENIED, "aud is not ours");
	ASSERT_REFUSED(assert_with(OIDC_ES256, HEADER, claims_but("aud", "[\"" TOKEN "\"]"),
				   &client, &proof),
		       &err, ERR_DENIED, "not one text");
}

/* RFC 8705 5: who shows certificates knows the token endpoint by another address. */
static void
its_alias_for_certificates_is_the_token_endpoint(void **state UNUSED)
{
#define ALIAS "https://mtls.idp.example/oidc/token"
	static const struct {
		const char *alias;
		enum oidc_audience audience;
		bool taken;
	} cases[] = {
		{ALIAS, OIDC_AUDIENCE_TOKEN_ENDPOINT, true},
		{ALIAS, OIDC_AUDIENCE_ISSUER, false},
		{NULL, OIDC_AUDIENCE_TOKEN_ENDPOINT, false},
		{ALIAS "/", OIDC_AUDIENCE_TOKEN_ENDPOINT, false},
	};
	struct oidc_jwk key = public_key(OIDC_ES256, "k");
	struct oidc_client client = key_client(&key);
	struct oidc_client_proof proof;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		server.mtls_token_endpoint = cases[i].alias;
		client.assertion_audience = cases[i].audience;
		bool ok = assert_with(OIDC_ES256, HEADER, claims_but("aud", "\"" ALIAS "\""),
				      &client, &proof);

		server.mtls_token_endpoint = NULL;
		assert_int_equal(ok, cases[i].taken);
		if (!ok)
			assert_string_equal(err.text, "assertion: aud is not ours");
		err = (struct err){0};
	}
}

static void
an_assertion_by_another_key_or_algorithm_is_refused(void **state UNUSED)
{
	struct oidc_jwk key = public_key(OIDC_PS256, "k");
	struct oidc_client client = key_client(&key);
	struct oidc_client_proof proof;
	const char *claims = claims_but("", NULL);

	ASSERT_REFUSED(assert_with(OIDC_ES256, HEADER, claims, &client, &proof), &err, ERR_DENIED,
		       "the key is for PS256");
	ASSERT_REFUSED(assert_with(OIDC_RS256, "{\"alg\":\"PS256\",\"kid\":\"k\"}", claims, &client,
				   &proof),
		       &err, ERR_DENIED, "wrong signature");
	ASSERT_REFUSED(assert_with(OIDC_PS256, "{\"alg\":\"PS256\",\"kid\":\"x\"}", claims, &client,
				   &proof),
		       &err, ERR_DENIED, "no key");
	client.auth_alg = OIDC_RS256;
	ASSERT_REFUSED(assert_with(OIDC_PS256, "{\"alg\":\"PS256\",\"kid\":\"k\"}", claims, &client,
				   &proof),
		       &err, ERR_DENIED, "not the registered one");
	client.auth_alg = OIDC_PS256;
	ASSERT_OK(assert_with(OIDC_PS256, "{\"alg\":\"PS256\",\"kid\":\"k\"}", claims, &client,
			      &proof),
		  &err);
	client.jwks.n = 0;
	assert_false(assert_with(OIDC_PS256, "{\"alg\":\"PS256\",\"kid\":\"k\"}", claims, &client,
				 &proof));
	assert_string_equal(err.proto, "invalid_client");
	err_clear(&err);
}

static void
a_token_made_for_something_else_is_refused(void **state UNUSED)
{
	static const struct {
		const char *typ;
		bool ok;
	} cases[] = {
		{"JWT", true},         {"client-authentication+jwt", true},
		{"at+jwt", false},     {"", false},
		{"logout+jwt", false}, {"dpop+jwt", false},
		{"JOSE", false},
	};
	struct oidc_jwk key = public_key(OIDC_ES256, "k");
	struct oidc_client client = key_client(&key);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oidc_client_proof proof;
		const char *header = arena_printf(
			a, "{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"%s\"}", cases[i].typ);

		if (cases[i].ok)
			ASSERT_OK(assert_with(OIDC_ES256, header, claims_but("", NULL), &client,
					      &proof),
				  &err);
		else
			ASSERT_REFUSED(assert_with(OIDC_ES256, header, claims_but("", NULL),
						   &client, &proof),
				       &err, ERR_DENIED, "typ is of something else");
	}
}

static void
a_public_client_says_who_it_is_and_nothing_else(void **state UNUSED)
{
	static const struct param alone[] = {{"client_id", "c1"}, {"client_secret", ""}};
	struct oidc_client client = {.client_id = "c1", .auth_method = OIDC_AUTH_PUBLIC};
	struct oidc_client_proof proof = {0};
	struct oidc_client_auth auth;

	ASSERT_OK(parse(NULL, form(alone, 2), &auth), &err);
	assert_int_equal(auth.method, OIDC_AUTH_PUBLIC);
	assert_string_equal(auth.client_id, "c1");
	ASSERT_OK(check(&auth, &client, &proof), &err);
	assert_ptr_equal(proof.client, &client);
	assert_null(proof.jti);
	/* Who has credentials is no public client, and none that says so. */
	client.auth_method = OIDC_AUTH_BASIC;
	ASSERT_REFUSED(check(&auth, &client, &proof), &err, ERR_DENIED, "not the registered way");
	client.auth_method = OIDC_AUTH_PUBLIC;
	ASSERT_OK(parse(basic("c1:x"), form(alone, 1), &auth), &err);
	ASSERT_REFUSED(check(&auth, &client, &proof), &err, ERR_DENIED, "not the registered way");
}

/* A token under HS256 with this secret. */
static const char *
mac_token(const char *secret, const char *header, const char *claims)
{
	const char *input = arena_printf(a, "%s.%s", enc_base64url(a, bytes_of(header)),
					 enc_base64url(a, bytes_of(claims)));
	unsigned char mac[SHA256_BYTES];

	HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)input, strlen(input),
	     mac, NULL);
	return arena_printf(a, "%s.%s", input, enc_base64url(a, (struct bytes){mac, sizeof(mac)}));
}

static bool
assert_mac(const char *token, const struct oidc_client *client, struct oidc_client_proof *out)
{
	const struct param list[] = {{"client_assertion_type", OIDC_ASSERTION_TYPE},
				     {"client_assertion", token}};
	struct oidc_client_auth auth;

	return parse(NULL, form(list, 2), &auth) && check(&auth, client, out);
}

#define HS256 "{\"alg\":\"HS256\"}"

static void
a_mac_by_its_secret_proves_the_client(void **state UNUSED)
{
	struct oidc_client client = {
		.client_id = "c1", .auth_method = OIDC_AUTH_SECRET_JWT, .secret_sealed = SEALED};
	struct oidc_client_proof proof = {0};
	const char *good = mac_token(SECRET, HS256, claims_but("", NULL));

	ASSERT_OK(assert_mac(good, &client, &proof), &err);
	assert_string_equal(proof.jti, "j-1");
	client.auth_alg = OIDC_HS256;
	ASSERT_OK(assert_mac(good, &client, &proof), &err);
	ASSERT_REFUSED(
		assert_mac(mac_token("another", HS256, claims_but("", NULL)), &client, &proof),
		&err, ERR_DENIED, "another secret");
	assert_false(
		assert_mac(mac_token("another", HS256, claims_but("", NULL)), &client, &proof));
	assert_string_equal(err.proto, "invalid_client");
	err_clear(&err);
	/* All claims are checked as under a key. */
	ASSERT_REFUSED(assert_mac(mac_token(SECRET, HS256, claims_but("aud", "\"" TOKEN "\"")),
				  &client, &proof),
		       &err, ERR_DENIED, "aud is not ours");
	ASSERT_REFUSED(
		assert_mac(mac_token(SECRET, HS256, claims_but("jti", NULL)), &client, &proof),
		&err, ERR_DENIED, "jti is missing");
	ASSERT_REFUSED(assert_mac(mac_token(SECRET, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}",
					    claims_but("", NULL)),
				  &client, &proof),
		       &err, ERR_DENIED, "typ is of something else");
	client.secret_sealed.n = 0;
	ASSERT_REFUSED(assert_mac(good, &client, &proof), &err, ERR_DENIED, "no secret is kept");
}

/* CVE-2015-9235 and its kin: a public key is never a secret, a secret never a key. */
static void
a_mac_and_a_signature_do_not_stand_for_each_other(void **state UNUSED)
{
	struct oidc_jwk key = public_key(OIDC_ES256, "k");
	struct oidc_client by_key = key_client(&key);
	struct oidc_client by_mac = {
		.client_id = "c1", .auth_method = OIDC_AUTH_SECRET_JWT, .secret_sealed = SEALED};
	struct oidc_client_proof proof;
	const char *mac =
		mac_token(SECRET, "{\"alg\":\"HS256\",\"kid\":\"k\"}", claims_but("", NULL));

	ASSERT_REFUSED(assert_mac(mac, &by_key, &proof), &err, ERR_DENIED,
		       "not the registered way");
	ASSERT_REFUSED(assert_with(OIDC_ES256, HEADER, claims_but("", NULL), &by_mac, &proof), &err,
		       ERR_DENIED, "not the registered way");
	/* An outage is no verdict on the client. */
	mac_trouble = ERR_UNAVAILABLE;
	assert_false(assert_mac(mac, &by_mac, &proof));
	assert_int_equal(err.kind, ERR_UNAVAILABLE);
	assert_null(err.proto);
	err_clear(&err);
	mac_trouble = ERR_NONE;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(basic_credentials_are_read),
		cmocka_unit_test(malformed_basic_credentials_are_refused),
		cmocka_unit_test(form_credentials_are_read),
		cmocka_unit_test(one_way_of_authentication_is_demanded),
		cmocka_unit_test(the_right_secret_proves_the_client),
		cmocka_unit_test(a_wrong_secret_or_way_is_refused),
		cmocka_unit_test(a_signed_assertion_proves_the_client),
		cmocka_unit_test(claims_of_an_assertion_are_all_checked),
		cmocka_unit_test(a_written_exception_allows_the_token_endpoint_as_audience),
		cmocka_unit_test(its_alias_for_certificates_is_the_token_endpoint),
		cmocka_unit_test(an_assertion_by_another_key_or_algorithm_is_refused),
		cmocka_unit_test(a_token_made_for_something_else_is_refused),
		cmocka_unit_test(a_public_client_says_who_it_is_and_nothing_else),
		cmocka_unit_test(a_mac_by_its_secret_proves_the_client),
		cmocka_unit_test(a_mac_and_a_signature_do_not_stand_for_each_other),
	};

	return cmocka_run_group_tests_name("client_auth", tests, setup, teardown);
}
