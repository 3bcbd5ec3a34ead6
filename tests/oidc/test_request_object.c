/* Request objects: what counts of them, and each reason to refuse one. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include "oidc/request_object.h"

#define ISSUER  "https://idp.example"
#define NOW     1800000000
#define HEADER  "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"oauth-authz-req+jwt\"}"
#define PARTIES "\"iss\":\"c1\",\"aud\":\"" ISSUER "\""

static const struct oidc_profile plain = {"plain", 0};
static const struct oidc_profile timed = {"timed", OIDC_CHECK_TIMED_REQUEST};
static const struct oidc_profile strong = {"strong", OIDC_CHECK_STRONG_ALGS};

static struct oidc_jwk keys[3];
static const struct oidc_jwe_keys no_keys;

static struct oidc_client
client_of(const struct oidc_profile *profile)
{
	keys[0] = public_key(OIDC_ES256, "k1");
	keys[1] = public_key(OIDC_RS256, "k2");
	keys[2] = public_key(OIDC_PS256, "k3");
	return (struct oidc_client){
		.client_id = "c1", .profile = profile, .jwks = {.keys = keys, .n = 3}};
}

static bool
read_signed(const struct oidc_client *c, enum oidc_alg alg, const char *header, const char *payload,
	    struct oidc_request_object *out)
{
	return oidc_request_object_read(a, token_of(a, alg, header, payload), c, ISSUER, &no_keys,
					NOW, out, &err);
}

static bool
read_plain(const char *payload, struct oidc_request_object *out)
{
	struct oidc_client c = client_of(&plain);

	return read_signed(&c, OIDC_ES256, HEADER, payload, out);
}

static const char *
value(const struct oidc_request_object *o, const char *name)
{
	const char *v;

	return params_find(&o->ps, name, &v) == 1 ? v : NULL;
}

static void
claims_become_parameters(void **state UNUSED)
{
	struct oidc_request_object o;
	const char *v;

	ASSERT_OK(read_plain("{" PARTIES ",\"client_id\":\"c1\",\"response_type\":\"code\","
			     "\"max_age\":86400,\"state\":\"\xc3\xbc\",\"nothing\":null,"
			     "\"claims\":{\"userinfo\":{\"email\":null}},"
			     "\"authorization_details\":[{\"type\":\"x\"}],\"flag\":true,"
			     "\"resource\":[\"https://a.example\",\"https://b.example\"],"
			     "\"iat\":1,\"sub\":\"other\"}",
			     &o),
		  &err);
	assert_string_equal(value(&o, "client_id"), "c1");
	assert_string_equal(value(&o, "response_type"), "code");
	assert_string_equal(value(&o, "max_age"), "86400");
	assert_string_equal(value(&o, "state"), "\xc3\xbc");
	assert_string_equal(value(&o, "claims"), "{\"userinfo\":{\"email\":null}}");
	assert_string_equal(value(&o, "authorization_details"), "[{\"type\":\"x\"}]");
	assert_string_equal(value(&o, "flag"), "true");
	assert_int_equal(params_find(&o.ps, "resource", &v), 2);
	assert_string_equal(v, "https://a.example");
	assert_null(value(&o, "nothing"));
	assert_null(value(&o, "iss"));
	assert_null(value(&o, "aud"));
	assert_null(value(&o, "iat"));
	assert_null(value(&o, "sub"));
	assert_null(o.jti);
	/* Without a client_id of its own it is the one that its signer has. */
	ASSERT_OK(read_plain("{" PARTIES ",\"resource\":\"https://a.example\"}", &o), &err);
	assert_string_equal(value(&o, "client_id"), "c1");
	assert_string_equal(value(&o, "resource"), "https://a.example");
	/* FAPI2MS 5.3.1: aud is us, or we are one of those in it. */
	ASSERT_OK(read_plain("{\"iss\":\"c1\",\"aud\":[\"" ISSUER "\"]}", &o), &err);
	ASSERT_OK(read_plain("{\"iss\":\"c1\",\"aud\":[\"https://x\",\"" ISSUER "\"]}", &o), &err);
}

static void
a_jti_is_told_with_its_time(void **state UNUSED)
{
	struct oidc_request_object o;

	ASSERT_OK(read_plain("{" PARTIES ",\"jti\":\"j1\",\"exp\":1800000300}", &o), &err);
	assert_string_equal(o.jti, "j1");
	assert_int_equal(o.jti_expires, NOW + 311); /* when exp can no longer pass */
	/* The same at each use, so that the mark of the first is found. */
	ASSERT_OK(read_plain("{" PARTIES ",\"jti\":\"j1\",\"iat\":1799996400}", &o), &err);
	assert_int_equal(o.jti_expires, NOW + 11);
	ASSERT_OK(read_plain("{" PARTIES ",\"jti\":\"j1\",\"iat\":1800000060}", &o), &err);
	assert_int_equal(o.jti_expires, NOW + 3671);
}

static void
improper_objects_are_refused(void **state UNUSED)
{
	static const struct {
		const char *payload, *part;
	} cases[] = {
		{"{\"aud\":\"" ISSUER "\"}", "iss is not the client"},
		{"{\"iss\":\"c2\",\"aud\":\"" ISSUER "\"}", "iss is not the client"},
		{"{" PARTIES ",\"client_id\":\"c2\"}", "client_id is another"},
		{"{" PARTIES ",\"client_id\":1}", "client_id is another"},
		{"{\"iss\":\"c1\"}", "aud is not ours"},
		{"{\"iss\":\"c1\",\"aud\":\"https://other.example\"}", "aud is not ours"},
		{"{\"iss\":\"c1\",\"aud\":\"" ISSUER "/\"}", "aud is not ours"},
		{"{\"iss\":\"c1\",\"aud\":[\"" ISSUER "/\",\"https://x\"]}", "aud is not ours"},
		{"{\"iss\":\"c1\",\"aud\":[[\"" ISSUER "\"]]}", "aud is not ours"},
		{"{\"iss\":\"c1\",\"aud\":[]}", "aud is not ours"},
		{"{" PARTIES ",\"sub\":\"c1\"}", "sub is the client"},
		{"{" PARTIES ",\"request\":\"a.b.c\"}", "a request in a request"},
		{"{" PARTIES ",\"request_uri\":\"https://x\"}", "a request in a request"},
		{"{" PARTIES ",\"exp\":1799999989}", "exp is past"},
		{"{" PARTIES ",\"exp\":\"1800000300\"}", "exp"},
		{"{" PARTIES ",\"exp\":1800003601}", "exp is too far ahead"},
		{"{" PARTIES ",\"nbf\":1800000061,\"exp\":1800000300}", "nbf is ahead"},
		{"{" PARTIES ",\"nbf\":1799996399}", "nbf is too long ago"},
		{"{" PARTIES ",\"nbf\":1799999940,\"exp\":1800003541}", "exp is too far ahead"},
		{"{" PARTIES ",\"iat\":1,\"exp\":1800000300,\"jti\":\"\"}", "jti is malformed"},
		{"{" PARTIES ",\"exp\":1800000300,\"jti\":7}", "jti is malformed"},
		{"{" PARTIES ",\"exp\":1800000300,\"jti\":\"a b\"}", "jti is malformed"},
		{"{" PARTIES ",\"jti\":\"j1\"}", "neither exp nor iat"},
		{"{" PARTIES ",\"jti\":\"j1\",\"iat\":\"1800000000\"}", "iat"},
		{"{" PARTIES ",\"jti\":\"j1\",\"iat\":1799996389}", "exp is past"},
		{"{" PARTIES ",\"jti\":\"j1\",\"iat\":1800000061}", "iat is ahead"},
		{"{" PARTIES ",\"state\":\"a\",\"state\":\"b\"}", "not well-formed"},
		{"{" PARTIES ",\"state\":\"\\u0000\"}", "not well-formed"},
		{"[]", "not an object"},
	};
	struct oidc_request_object o;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (read_plain(cases[i].payload, &o))
			fail_msg("case %zu was accepted", i);
		assert_string_equal(err.proto, "invalid_request_object");
		assert_false(o.unfit);
		if (strstr(err.text, cases[i].part) == NULL)
			fail_msg("case %zu: %s", i, err.text);
		err_clear(&err);
	}
	ASSERT_OK(read_plain("{" PARTIES ",\"nbf\":1799996400,\"exp\":1799999990}", &o), &err);
	ASSERT_OK(read_plain("{" PARTIES ",\"nbf\":1800000060,\"exp\":1800003660}", &o), &err);
}

static void
no_more_parameters_than_a_request_has(void **state UNUSED)
{
	struct oidc_request_object o;
	const char *list = "\"x\"";

	for (int i = 1; i < 63; i++)
		list = arena_printf(a, "%s,\"x\"", list);
	ASSERT_OK(read_plain(arena_printf(a, "{" PARTIES ",\"resource\":[%s]}", list), &o), &err);
	ASSERT_REFUSED(
		read_plain(arena_printf(a, "{" PARTIES ",\"resource\":[%s,\"x\"]}", list), &o),
		&err, ERR_DENIED, "more than 64");
	ASSERT_REFUSED(
		read_plain(arena_printf(a, "{" PARTIES ",\"resource\":[%s],\"x\":1}", list), &o),
		&err, ERR_DENIED, "more than 64");
}

static void
what_others_could_have_made_is_refused(void **state UNUSED)
{
	static const char *const headers[] = {
		"{\"alg\":\"ES256\",\"kid\":\"k9\"}",
		"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"at+jwt\"}",
		"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"client-authentication+jwt\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k1\"}",
		"{\"alg\":\"none\"}",
		"{\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":[\"b64\"]}",
		"{\"alg\":\"ES256\",\"kid\":\"k1\",\"jku\":\"https://x\"}",
	};
	static const char *const good[] = {
		HEADER,
		"{\"alg\":\"ES256\",\"kid\":\"k1\"}",
		"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\"}",
		"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"application/oauth-authz-req+jwt\"}",
	};
	struct oidc_client c = client_of(&plain), none = client_of(&plain);
	struct oidc_request_object o;

	none.jwks.n = 0;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		assert_false(read_signed(&c, OIDC_ES256, headers[i], "{" PARTIES "}", &o));
		assert_string_equal(err.proto, "invalid_request_object");
		err_clear(&err);
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ASSERT_OK(read_signed(&c, OIDC_ES256, good[i], "{" PARTIES "}", &o), &err);
	assert_false(read_signed(&none, OIDC_ES256, HEADER, "{" PARTIES "}", &o));
	err_clear(&err);
	/* One octet more or less is another signature. */
	char *text = arena_strdup(a, token_of(a, OIDC_ES256, HEADER, "{" PARTIES "}"));

	text[strlen(text) - 3] = text[strlen(text) - 3] == 'A' ? 'B' : 'A';
	assert_false(oidc_request_object_read(a, text, &c, ISSUER, &no_keys, NOW, &o, &err));
	assert_string_equal(err.proto, "invalid_request_object");
	assert_true(o.unfit); /* which a new key would do, too */
	err_clear(&err);
	ASSERT_REFUSED(oidc_request_object_read(a, "x", &c, ISSUER, &no_keys, NOW, &o, &err), &err,
		       ERR_INPUT, "");
}

static void
the_record_says_which_algorithm(void **state UNUSED)
{
	static const char rs256[] = "{\"alg\":\"RS256\",\"kid\":\"k2\"}",
			  ps256[] = "{\"alg\":\"PS256\",\"kid\":\"k3\"}";
	struct oidc_client c = client_of(&plain), fapi = client_of(&strong);
	struct oidc_request_object o;

	ASSERT_OK(read_signed(&c, OIDC_RS256, rs256, "{" PARTIES "}", &o), &err);
	c.request_object_alg = OIDC_PS256;
	ASSERT_OK(read_signed(&c, OIDC_PS256, ps256, "{" PARTIES "}", &o), &err);
	ASSERT_REFUSED(read_signed(&c, OIDC_RS256, rs256, "{" PARTIES "}", &o), &err, ERR_DENIED,
		       "not the registered one");
	ASSERT_OK(read_signed(&fapi, OIDC_PS256, ps256, "{" PARTIES "}", &o), &err);
	ASSERT_REFUSED(read_signed(&fapi, OIDC_RS256, rs256, "{" PARTIES "}", &o), &err, ERR_DENIED,
		       "not good enough");
}

/* FAPI 2.0 Message Signing 5.3.1 */
static void
times_are_demanded_by_the_profile(void **state UNUSED)
{
	struct oidc_client c = client_of(&timed);
	struct oidc_request_object o;

	ASSERT_OK(read_signed(&c, OIDC_ES256, HEADER,
			      "{" PARTIES ",\"nbf\":1800000000,\"exp\":1800000300}", &o),
		  &err);
	ASSERT_REFUSED(read_signed(&c, OIDC_ES256, HEADER, "{" PARTIES ",\"nbf\":1800000000}", &o),
		       &err, ERR_DENIED, "missing");
	ASSERT_REFUSED(read_signed(&c, OIDC_ES256, HEADER, "{" PARTIES ",\"exp\":1800000300}", &o),
		       &err, ERR_DENIED, "missing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_become_parameters),
		cmocka_unit_test(a_jti_is_told_with_its_time),
		cmocka_unit_test(improper_objects_are_refused),
		cmocka_unit_test(no_more_parameters_than_a_request_has),
		cmocka_unit_test(what_others_could_have_made_is_refused),
		cmocka_unit_test(the_record_says_which_algorithm),
		cmocka_unit_test(times_are_demanded_by_the_profile),
	};

	return cmocka_run_group_tests_name("request_object", tests, setup, teardown);
}
