/* Proofs of possession: for this request, this moment, this token, and by a key that will do. */
#include "oidc/dpop.h"

#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "oidc/error.h"
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#define NOW ((time_t)1800000000)
#define URL "https://idp.example/oidc/token"

static const char *const nonces[] = {"n2", "n1"};

static const struct oidc_dpop_request at_token = {
	.method = "POST", .url = URL, .nonces = {nonces, 2}};

#define CLAIMS "\"jti\":\"j1\",\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":1800000000"

/* The key's JWK, with further members. */
static const char *
jwk_of(enum oidc_alg alg, const char *more)
{
	const json_t *set = json_of(a, public_jwks(a, alg, "k"));
	json_t *o = json_array_get(json_object_get(set, "keys"), 0);

	json_object_del(o, "kid");
	json_object_del(o, "use");
	json_put_all(a, o, json_of(a, more));
	return json_text(a, o, false);
}

static const char *
header_of(enum oidc_alg alg, const char *typ, const char *jwk)
{
	return arena_printf(a, "{\"typ\":\"%s\",\"alg\":\"%s\",\"jwk\":%s}", typ,
			    oidc_alg_info(alg)->name, jwk);
}

static const char *
proof(enum oidc_alg alg, const char *claims)
{
	return token_of(a, alg, header_of(alg, "dpop+jwt", jwk_of(alg, "{}")),
			arena_printf(a, "{%s}", claims));
}

static void
refused(const char *text, const struct oidc_dpop_request *rq, const char *part, const char *name)
{
	struct oidc_dpop d;

	err_clear(&err);
	if (oidc_dpop_check(a, text, rq, NOW, &d, &err))
		fail_msg("accepted: %s", part);
	if (strstr(err.text, part) == NULL)
		fail_msg("'%s' is not '%s'", err.text, part);
	assert_string_equal(err.proto, name);
	err_clear(&err);
}

#define REFUSED(text, part) refused((text), &at_token, (part), OIDC_INVALID_DPOP_PROOF)

static void
a_proof_of_each_algorithm_is_taken(void **state UNUSED)
{
	struct oidc_strs algs = oidc_dpop_algs();

	for (size_t i = 0; i < algs.n; i++) {
		struct oidc_dpop d = {0};

		ASSERT_OK(oidc_dpop_check(a, proof(oidc_alg_find(algs.s[i]), CLAIMS), &at_token,
					  NOW, &d, &err),
			  &err);
		assert_string_equal(d.jti, "j1");
		assert_int_equal(d.expires, NOW + OIDC_DPOP_PAST_S + 1);
		assert_int_equal(strlen(d.jkt), 43);
	}
	assert_int_equal(algs.n, 5);
	REFUSED(proof(OIDC_RS256, CLAIMS), "algorithm that we do not take");
}

/* RFC 9449 4.1 and 6.1: its example, and the thumbprint of its key. */
static void
the_example_of_the_rfc_is_understood(void **state UNUSED)
{
	static const char text[] =
		"eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik"
		"VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR"
		"nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE"
		"QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj"
		"oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia"
		"WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg"
		"4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
	const struct oidc_dpop_request rq = {.method = "POST",
					     .url = "https://server.example.com/token"};
	struct oidc_dpop d;

	ASSERT_OK(oidc_dpop_check(a, text, &rq, 1562262616, &d, &err), &err);
	assert_string_equal(d.jkt, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
	assert_string_equal(d.jti, "-BwC3ESc6acc2lTc");
}

static void
only_a_proof_for_this_request_counts(void **state UNUSED)
{
	static const struct {
		const char *claims, *part;
	} cases[] = {
		{"\"jti\":\"j\",\"htm\":\"GET\",\"htu\":\"" URL "\",\"iat\":1800000000", "htm"},
		{"\"jti\":\"j\",\"htm\":\"post\",\"htu\":\"" URL "\",\"iat\":1800000000", "htm"},
		{"\"jti\":\"j\",\"htu\":\"" URL "\",\"iat\":1800000000", "htm"},
		{"\"jti\":\"j\",\"htm\":\"POST\",\"iat\":1800000000", "htu"},
		{"\"jti\":\"j\",\"htm\":\"POST\",\"htu\":\"https://idp.example/oidc/userinfo\","
		 "\"iat\":1800000000",
		 "htu"},
		{"\"jti\":\"j\",\"htm\":\"POST\",\"htu\":1,\"iat\":1800000000", "htu"},
		{"\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":1800000000", "jti"},
		{"\"jti\":\"\",\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":1800000000", "jti"},
		{"\"jti\":\"a b\\n\",\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":1800000000",
		 "jti"},
		{"\"jti\":\"j\",\"htm\":\"POST\",\"htu\":\"" URL "\"", "iat is missing"},
		{"\"jti\":\"j\",\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":\"now\"", "iat"},
		{"\"jti\":\"j\",\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":1799999939",
		 "too old"},
		{"\"jti\":\"j\",\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":1800000061", "ahead"},
	};
	struct oidc_dpop d;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		REFUSED(proof(OIDC_ES256, cases[i].claims), cases[i].part);
	for (int off = -OIDC_DPOP_PAST_S; off <= OIDC_DPOP_FUTURE_S; off += 60) {
		ASSERT_OK(oidc_dpop_check(
				  a,
				  proof(OIDC_ES256, arena_printf(a,
								 "\"jti\":\"j\",\"htm\":\"POST\","
								 "\"htu\":\"" URL "\",\"iat\":%lld",
								 (long long)NOW + off)),
				  &at_token, NOW, &d, &err),
			  &err);
		/* Remembered for as long as it can come again. */
		assert_int_equal(d.expires, NOW + off + OIDC_DPOP_PAST_S + 1);
	}
}

static void
only_its_own_key_makes_a_proof(void **state UNUSED)
{
	const char *good = proof(OIDC_ES256, CLAIMS), *jwk = jwk_of(OIDC_ES256, "{}");
	char *changed = arena_strdup(a, good);

	REFUSED("x", "parts");
	REFUSED(token_of(a, OIDC_ES256, header_of(OIDC_ES256, "JWT", jwk), "{" CLAIMS "}"), "typ");
	REFUSED(token_of(a, OIDC_ES256, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\"}", "{" CLAIMS "}"),
		"without a key");
	REFUSED(token_of(a, OIDC_ES256,
			 arena_printf(a,
				      "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"kid\":\"k\","
				      "\"jwk\":%s}",
				      jwk),
			 "{" CLAIMS "}"),
		"with a kid");
	REFUSED(token_of(a, OIDC_ES256,
			 arena_printf(a,
				      "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"x5u\":\"k\","
				      "\"jwk\":%s}",
				      jwk),
			 "{" CLAIMS "}"),
		"x5u is refused");
	REFUSED(token_of(a, OIDC_ES256,
			 header_of(OIDC_ES256, "dpop+jwt", jwk_of(OIDC_ES256, "{\"d\":\"AA\"}")),
			 "{" CLAIMS "}"),
		"private member");
	REFUSED(token_of(a, OIDC_ES256,
			 header_of(OIDC_ES256, "dpop+jwt", jwk_of(OIDC_ES256, "{\"e\":\"AQAB\"}")),
			 "{" CLAIMS "}"),
		"ambiguous");
	REFUSED(token_of(a, OIDC_ES256,
			 header_of(OIDC_ES256, "dpop+jwt", jwk_of(OIDC_ES256, "{\"use\":\"enc\"}")),
			 "{" CLAIMS "}"),
		"proof: ");
	REFUSED(token_of(a, OIDC_ES256, header_of(OIDC_ES256, "dpop+jwt", jwk_of(OIDC_ES384, "{}")),
			 "{" CLAIMS "}"),
		"proof: ");
	REFUSED(token_of(a, OIDC_ES256,
			 header_of(OIDC_ES256, "dpop+jwt", "{\"kty\":\"oct\",\"k\":\"AA\"}"),
			 "{" CLAIMS "}"),
		"symmetric");
	REFUSED(token_of(a, OIDC_ES256, header_of(OIDC_ES256, "dpop+jwt", "[]"), "{" CLAIMS "}"),
		"proof: ");
	REFUSED(compact_of(a, header_of(OIDC_ES256, "dpop+jwt", jwk), "{" CLAIMS "}",
			   (struct bytes){NULL, 0}),
		"signature");
	/* Another letter of the alphabet, so that the signature is what is wrong. */
	changed[strlen(changed) - 5] = changed[strlen(changed) - 5] == 'A' ? 'B' : 'A';
	REFUSED(changed, "signature");
	/* Any octet of it. */
	for (size_t i = 0; i < strlen(good); i += 7) {
		struct oidc_dpop d;

		changed = arena_strdup(a, good);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		if (strcmp(changed, good) != 0 &&
		    oidc_dpop_check(a, changed, &at_token, NOW, &d, &err))
			fail_msg("octet %zu", i);
		err_clear(&err);
	}
}

static void
a_nonce_has_to_be_ours(void **state UNUSED)
{
	struct oidc_dpop_request demanded = at_token;
	struct oidc_dpop d;

	demanded.nonce_demanded = true;
	refused(proof(OIDC_ES256, CLAIMS), &demanded, "nonce", OIDC_USE_DPOP_NONCE);
	refused(proof(OIDC_ES256, CLAIMS ",\"nonce\":\"n3\""), &demanded, "nonce",
		OIDC_USE_DPOP_NONCE);
	refused(proof(OIDC_ES256, CLAIMS ",\"nonce\":1"), &at_token, "nonce", OIDC_USE_DPOP_NONCE);
	for (size_t i = 0; i < ARRAY_LEN(nonces); i++)
		ASSERT_OK(oidc_dpop_check(
				  a,
				  proof(OIDC_ES256,
					arena_printf(a, CLAIMS ",\"nonce\":\"%s\"", nonces[i])),
				  &demanded, NOW, &d, &err),
			  &err);
}

static void
ath_is_of_the_token(void **state UNUSED)
{
	struct oidc_dpop_request with = at_token;
	unsigned char digest[SHA256_BYTES];
	struct oidc_dpop d;

	with.access_token = "token";
	hash_sha256(bytes_of("token"), digest);
	const char *ath = enc_base64url(a, (struct bytes){digest, sizeof(digest)});

	ASSERT_OK(oidc_dpop_check(a,
				  proof(OIDC_ES256, arena_printf(a, CLAIMS ",\"ath\":\"%s\"", ath)),
				  &with, NOW, &d, &err),
		  &err);
	refused(proof(OIDC_ES256, CLAIMS), &with, "ath", OIDC_INVALID_DPOP_PROOF);
	with.access_token = "other";
	refused(proof(OIDC_ES256, arena_printf(a, CLAIMS ",\"ath\":\"%s\"", ath)), &with, "ath",
		OIDC_INVALID_DPOP_PROOF);
}

/* RFC 9449 4.3 (9) */
static void
urls_are_compared_as_urls(void **state UNUSED)
{
	static const char *const same[] = {
		URL,
		"https://idp.example/oidc/token?a=b",
		"https://idp.example/oidc/token#f",
		"HTTPS://IDP.Example/oidc/token",
		"https://idp.example:443/oidc/token",
		"https://idp.example/oidc/%74oken",
	};
	static const char *const other[] = {
		"http://idp.example/oidc/token",
		"https://idp.example:8443/oidc/token",
		"https://idp.example.evil/oidc/token",
		"https://idp.example@evil.example/oidc/token",
		"https://idp.example/oidc/Token",
		"https://idp.example/oidc/token/",
		"https://idp.example/oidc//token",
		"https://idp.example/x/../oidc/token",
		"https://idp.example/oidc%2Ftoken",
		"https://idp.example/oidc/token%",
		"https://idp.example",
		"",
		"/oidc/token",
		"https://idp.example/oidc/tok\nen",
	};

	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		if (!oidc_dpop_url_eq(a, same[i], URL))
			fail_msg("%s", same[i]);
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		if (oidc_dpop_url_eq(a, other[i], URL))
			fail_msg("%s", other[i]);
	assert_true(oidc_dpop_url_eq(a, "https://idp.example", "https://idp.example/"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_of_each_algorithm_is_taken),
		cmocka_unit_test(the_example_of_the_rfc_is_understood),
		cmocka_unit_test(only_a_proof_for_this_request_counts),
		cmocka_unit_test(only_its_own_key_makes_a_proof),
		cmocka_unit_test(a_nonce_has_to_be_ours),
		cmocka_unit_test(ath_is_of_the_token),
		cmocka_unit_test(urls_are_compared_as_urls),
	};

	return cmocka_run_group_tests_name("dpop", tests, setup, teardown);
}
