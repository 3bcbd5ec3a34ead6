/* Requests at the back channel (CIBA): what counts of them, and each reason to refuse one. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include "oidc/backchannel.h"
#include "oidc/request_object.h"

#define ISSUER "https://idp.example"
#define NOW    1800000000
#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\"}"
#define WHO    "\"sub_id\":{\"format\":\"iss_sub\",\"iss\":\"" ISSUER "\",\"sub\":\"p1\"}"
#define OURS   "\"iss\":\"c1\",\"aud\":\"" ISSUER "\""
#define TIMES  "\"iat\":1800000000,\"nbf\":1800000000,\"exp\":1800000300"

static const struct oidc_profile plain = {"plain", 0};
static const struct oidc_profile fapi = {"fapi", OIDC_CHECK_CIBA};
static const char *const scopes[] = {"openid", "profile"};
static struct oidc_jwk keys[2];

static struct oidc_client
client_of(const struct oidc_profile *profile, enum oidc_delivery delivery)
{
	keys[0] = public_key(OIDC_ES256, "k1");
	keys[1] = public_key(OIDC_RS256, "k2");
	return (struct oidc_client){
		.client_id = "c1",
		.profile = profile,
		.scopes = {scopes, ARRAY_LEN(scopes)},
		.delivery = delivery,
		.ciba_request_alg = OIDC_ES256,
		.jwks = {.keys = keys, .n = 2},
	};
}

/* Up to six names and values. */
static bool
read_as(const struct oidc_client *c, const char *const (*pairs)[2], struct oidc_backchannel *out)
{
	static struct param p[7];
	size_t n = 0;

	for (; n < 6 && pairs[n][0] != NULL; n++)
		p[n] = (struct param){pairs[n][0], pairs[n][1]};
	return oidc_backchannel_parse(a, &(struct params){p, n}, c, out, &err);
}

static void
what_is_asked_is_read(void **state UNUSED)
{
	struct oidc_client poll = client_of(&plain, OIDC_DELIVERY_POLL),
			   ping = client_of(&plain, OIDC_DELIVERY_PING);
	struct oidc_backchannel r;

	ASSERT_OK(read_as(&poll,
			  (const char *const[][2]){{"scope", "openid profile admin"},
						   {"login_hint", "p1"},
						   {"acr_values", "high substantial"},
						   {"binding_message", "Antrag 7/2"},
						   {"requested_expiry", "90"},
						   {"client_notification_token", "short"}},
			  &r),
		  &err);
	assert_int_equal(r.scopes.n, 2);
	assert_string_equal(r.scopes.s[1], "profile");
	assert_string_equal(r.login_hint, "p1");
	assert_null(r.id_token_hint);
	assert_int_equal(r.acr.n, 2);
	assert_string_equal(r.message, "Antrag 7/2");
	assert_int_equal(r.expiry_s, 90);
	assert_null(r.notification_token); /* who polls is not told */
	ASSERT_OK(read_as(&ping,
			  (const char *const[][2]){
				  {"scope", "openid"},
				  {"id_token_hint", "x.y.z"},
				  {"client_notification_token", "AZaz09-._~+/AZaz=="},
				  {NULL, NULL}},
			  &r),
		  &err);
	assert_string_equal(r.notification_token, "AZaz09-._~+/AZaz==");
	assert_int_equal(r.expiry_s, 0);
	assert_null(r.message);
}

static void
improper_requests_are_refused(void **state UNUSED)
{
	static const struct {
		const char *pairs[6][2], *error;
	} cases[] = {
		{{{"login_hint", "p"}}, "invalid_scope"},
		{{{"scope", "profile"}, {"login_hint", "p"}}, "invalid_scope"},
		{{{"scope", "openid"}}, "invalid_request"},
		{{{"scope", "openid"}, {"login_hint", ""}}, "invalid_request"},
		{{{"scope", "openid"}, {"login_hint", "p"}, {"id_token_hint", "t"}},
		 "invalid_request"},
		{{{"scope", "openid"}, {"login_hint", "p"}, {"login_hint_token", "t"}},
		 "invalid_request"},
		{{{"scope", "openid"}, {"login_hint_token", "p"}, {"id_token_hint", "t"}},
		 "invalid_request"},
		{{{"scope", "openid"}, {"login_hint", "p"}, {"login_hint", "p"}},
		 "invalid_request"},
		{{{"scope", "openid"}, {"login_hint", "p"}, {"user_code", "1"}}, "invalid_request"},
		{{{"scope", "openid"}, {"login_hint", "p"}, {"resource", "x"}}, "invalid_target"},
		{{{"scope", "openid"}, {"login_hint", "p"}, {"claims", "{}"}}, "invalid_request"},
		{{{"scope", "openid"}, {"login_hint", "p"}, {"request_uri", "u"}},
		 "invalid_request"},
		{{{"scope", "openid"}, {"login_hint", "p"}, {"requested_expiry", "0"}},
		 "invalid_request"},
		{{{"scope", "openid"}, {"login_hint", "p"}, {"requested_expiry", "-1"}},
		 "invalid_request"},
		{{{"scope", "openid"}, {"login_hint", "p"}, {"requested_expiry", "1h"}},
		 "invalid_request"},
		{{{"scope", "openid"}, {"login_hint", "p"}, {"requested_expiry", "31536001"}},
		 "invalid_request"},
	};
	struct oidc_client c = client_of(&plain, OIDC_DELIVERY_POLL);
	struct oidc_backchannel r;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_false(read_as(&c, cases[i].pairs, &r));
		assert_string_equal(err.proto, cases[i].error);
		err_clear(&err);
	}
}

static void
a_message_is_shown_as_it_is_or_not_at_all(void **state UNUSED)
{
	static const char *const good[] = {
		"W4SC",
		"Antrag 12, 3 <b> & \"c\"",
		"Gr\xc3\xbc\xc3\x9f Gott",
		"50 \xe2\x82\xac",
		"\xc3\x84\xe2\x80\x93\xe1\xba\x9e",
		"0123456789012345678901234567890123456789012345678901234567890123"};
	static const char *const bad[] = {
		" W4SC",
		"W4SC ",
		"W4  SC",
		"W4\nSC",
		"W4\x7f",
		"W4\xc2\x80",          /* a control of Latin-1 */
		"W4\xc2\xa0SC",        /* a blank that does not break */
		"W4\xc2\xadSC",        /* a hyphen that is not seen */
		"W4\xe2\x80\x8bSC",    /* a blank of no width */
		"\xe2\x80\xaeW4SC",    /* read from the right */
		"W4\xcc\x81SC",        /* an accent of its own */
		"\320\2414SC",         /* a Cyrillic letter that looks like C */
		"\xf0\x9f\x94\x92 ok", /* a lock */
		"W4\xffSC",
		"01234567890123456789012345678901234567890123456789012345678901234"};
	struct oidc_client c = client_of(&plain, OIDC_DELIVERY_POLL);
	struct oidc_backchannel r;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ASSERT_OK(read_as(&c,
				  (const char *const[][2]){{"scope", "openid"},
							   {"login_hint", "p"},
							   {"binding_message", good[i]},
							   {NULL, NULL}},
				  &r),
			  &err);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (read_as(&c,
			    (const char *const[][2]){{"scope", "openid"},
						     {"login_hint", "p"},
						     {"binding_message", bad[i]},
						     {NULL, NULL}},
			    &r))
			fail_msg("taken: %zu", i);
		assert_string_equal(err.proto, "invalid_binding_message");
		err_clear(&err);
	}
	/* FAPI-CIBA 5.2.2: what the person can compare is there. */
	c.profile = &fapi;
	assert_false(read_as(
		&c,
		(const char *const[][2]){{"scope", "openid"}, {"login_hint", "p"}, {NULL, NULL}},
		&r));
	assert_string_equal(err.proto, "invalid_binding_message");
	err_clear(&err);
}

static void
a_ping_needs_a_token_of_its_client(void **state UNUSED)
{
	static const char *const bad[] = {"",
					  "123456789012345",
					  "1234567890123456 ",
					  "12345678 90123456",
					  "====================",
					  "1234567890=123456",
					  "1234567890\"123456"};
	char longest[1026];
	struct oidc_client c = client_of(&plain, OIDC_DELIVERY_PING);
	struct oidc_backchannel r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (read_as(&c,
			    (const char *const[][2]){{"scope", "openid"},
						     {"login_hint", "p"},
						     {"client_notification_token", bad[i]},
						     {NULL, NULL}},
			    &r))
			fail_msg("taken: %s", bad[i]);
		assert_string_equal(err.proto, "invalid_request");
		err_clear(&err);
	}
	memset(longest, 'x', sizeof(longest));
	for (int more = 0; more < 2; more++) {
		longest[1024 + more] = '\0';
		bool taken =
			read_as(&c,
				(const char *const[][2]){{"scope", "openid"},
							 {"login_hint", "p"},
							 {"client_notification_token", longest},
							 {NULL, NULL}},
				&r);

		longest[1024] = 'x';
		assert_int_equal(taken, more == 0);
		err_clear(&err);
	}
}

static void
beside_a_signed_request_stands_nothing_of_it(void **state UNUSED)
{
	static const char *const names[] = {"scope",
					    "client_notification_token",
					    "acr_values",
					    "login_hint_token",
					    "id_token_hint",
					    "login_hint",
					    "binding_message",
					    "user_code",
					    "requested_expiry",
					    "request_uri"};
	const struct param proofs[] = {
		{"client_id", "c1"}, {"client_assertion", "x"}, {"request", "y"}};

	ASSERT_OK(oidc_backchannel_check_beside(&(struct params){proofs, 3}, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct param p = {names[i], ""};

		assert_false(oidc_backchannel_check_beside(&(struct params){&p, 1}, &err));
		assert_string_equal(err.proto, "invalid_request");
		err_clear(&err);
	}
}

/* ---- what is signed ---- */

static void
a_signed_request_is_complete_and_by_its_algorithm(void **state UNUSED)
{
	static const struct {
		enum oidc_alg alg;
		const char *header, *payload;
	} cases[] = {
		{OIDC_RS256, "{\"alg\":\"RS256\",\"kid\":\"k2\"}",
		 "{" OURS "," TIMES ",\"jti\":\"j\",\"scope\":\"openid\"}"},
		{OIDC_ES256, HEADER, "{" OURS "," TIMES ",\"scope\":\"openid\"}"},
		{OIDC_ES256, HEADER, "{" OURS "," TIMES ",\"jti\":1}"},
		{OIDC_ES256, HEADER,
		 "{" OURS ",\"nbf\":1800000000,\"exp\":1800000300,\"jti\":\"j\"}"},
		{OIDC_ES256, HEADER,
		 "{" OURS ",\"iat\":\"x\",\"nbf\":1800000000,\"exp\":1800000300,"
		 "\"jti\":\"j\"}"},
		{OIDC_ES256, HEADER,
		 "{" OURS ",\"iat\":1800000000,\"exp\":1800000300,\"jti\":\"j\"}"},
		{OIDC_ES256, HEADER,
		 "{" OURS ",\"iat\":1800000000,\"nbf\":1800000000,\"jti\":\"j\"}"},
		{OIDC_ES256, HEADER,
		 "{\"iss\":\"c2\",\"aud\":\"" ISSUER "\"," TIMES ",\"jti\":\"j\"}"},
		{OIDC_ES256, HEADER,
		 "{\"iss\":\"c1\",\"aud\":\"https://other.example\"," TIMES ",\"jti\":\"j\"}"},
	};
	struct oidc_client c = client_of(&plain, OIDC_DELIVERY_POLL);
	struct oidc_request_object o;
	const char *v;

	ASSERT_OK(oidc_ciba_request_read(a,
					 token_of(a, OIDC_ES256, HEADER,
						  "{" OURS "," TIMES
						  ",\"jti\":\"j\",\"requested_expiry\":90}"),
					 &c, ISSUER, NOW, &o, &err),
		  &err);
	assert_string_equal(o.jti, "j");
	assert_int_equal(params_find(&o.ps, "requested_expiry", &v), 1);
	assert_string_equal(v, "90");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (oidc_ciba_request_read(
			    a, token_of(a, cases[i].alg, cases[i].header, cases[i].payload), &c,
			    ISSUER, NOW, &o, &err))
			fail_msg("taken: %s", cases[i].payload);
		assert_string_equal(err.proto, "invalid_request");
		err_clear(&err);
	}
	assert_false(oidc_ciba_request_read(a, "a.b.c.d.e", &c, ISSUER, NOW, &o, &err));
	assert_string_equal(err.proto, "invalid_request");
	err_clear(&err);
	c.ciba_request_alg = OIDC_ALG_NONE;
	assert_false(oidc_ciba_request_read(
		a, token_of(a, OIDC_ES256, HEADER, "{" OURS "," TIMES ",\"jti\":\"j\"}"), &c,
		ISSUER, NOW, &o, &err));
	assert_string_equal(err.proto, "invalid_request");
	err_clear(&err);
}

static bool
hint(const char *payload, const char **sub)
{
	struct oidc_client c = client_of(&plain, OIDC_DELIVERY_POLL);
	bool unfit;
	bool ok = oidc_login_hint_token_read(a, token_of(a, OIDC_ES256, HEADER, payload), &c,
					     ISSUER, NOW, &unfit, sub, &err);

	assert_false(unfit); /* whatever it says, the key is the client's */
	return ok;
}

static void
a_hint_is_the_client_s_own_word_for_us_and_now(void **state UNUSED)
{
	static const struct {
		const char *payload, *error;
	} cases[] = {
		{"{" OURS ",\"exp\":1799999989," WHO "}", "expired_login_hint_token"},
		{"{" OURS "," WHO "}", "invalid_request"},
		{"{" OURS ",\"exp\":\"1800000060\"," WHO "}", "invalid_request"},
		{"{" OURS ",\"exp\":1800003601," WHO "}", "invalid_request"},
		{"{\"iss\":\"c2\",\"aud\":\"" ISSUER "\",\"exp\":1800000060," WHO "}",
		 "invalid_request"},
		{"{\"iss\":\"c1\",\"aud\":[\"" ISSUER "\",\"x\"],\"exp\":1800000060," WHO "}",
		 "invalid_request"},
		{"{" OURS ",\"exp\":1800000060}", "invalid_request"},
		{"{" OURS ",\"exp\":1800000060,\"sub\":\"p1\"}", "invalid_request"},
		{"{" OURS ",\"exp\":1800000060,\"sub_id\":{\"format\":\"email\",\"iss\":\"" ISSUER
		 "\",\"sub\":\"p1\"}}",
		 "invalid_request"},
		{"{" OURS ",\"exp\":1800000060,\"sub_id\":{\"format\":\"iss_sub\",\"iss\":"
		 "\"https://other.example\",\"sub\":\"p1\"}}",
		 "invalid_request"},
		{"{" OURS ",\"exp\":1800000060,\"sub_id\":{\"format\":\"iss_sub\",\"iss\":\"" ISSUER
		 "\"}}",
		 "invalid_request"},
	};
	bool unfit;
	struct oidc_client c = client_of(&plain, OIDC_DELIVERY_POLL);
	const char *sub = NULL;

	ASSERT_OK(hint("{" OURS ",\"exp\":1799999990," WHO "}", &sub), &err);
	assert_string_equal(sub, "p1");
	ASSERT_OK(hint("{" OURS ",\"exp\":1800003600," WHO "}", &sub), &err);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (hint(cases[i].payload, &sub))
			fail_msg("taken: %s", cases[i].payload);
		assert_string_equal(err.proto, cases[i].error);
		err_clear(&err);
	}
	/* Not by its key. */
	c.jwks.n = 0;
	assert_false(oidc_login_hint_token_read(
		a, token_of(a, OIDC_ES256, HEADER, "{" OURS ",\"exp\":1800000060," WHO "}"), &c,
		ISSUER, NOW, &unfit, &sub, &err));
	assert_true(unfit);
	assert_string_equal(err.proto, "invalid_request");
	err_clear(&err);
	assert_false(oidc_login_hint_token_read(a, "x", &c, ISSUER, NOW, &unfit, &sub, &err));
	assert_false(unfit);
	assert_string_equal(err.proto, "invalid_request");
	err_clear(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_is_read),
		cmocka_unit_test(improper_requests_are_refused),
		cmocka_unit_test(a_message_is_shown_as_it_is_or_not_at_all),
		cmocka_unit_test(a_ping_needs_a_token_of_its_client),
		cmocka_unit_test(beside_a_signed_request_stands_nothing_of_it),
		cmocka_unit_test(a_signed_request_is_complete_and_by_its_algorithm),
		cmocka_unit_test(a_hint_is_the_client_s_own_word_for_us_and_now),
	};

	return cmocka_run_group_tests_name("oidc backchannel", tests, setup, teardown);
}
