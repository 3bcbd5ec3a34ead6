/* Authorization requests: what is read, what is refused and under which name. */
#include "tests/oidc/fixture.h"

#include "oidc/authorize.h"

#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

static const char *const scopes[] = {"openid", "profile", "email"};
static const char *const default_acr[] = {"low"};
static const struct oidc_profile demanding = {"demanding", OIDC_CHECK_PKCE}, plain = {"plain", 0};
static const struct oidc_client client = {
	.client_id = "c1",
	.scopes = {scopes, ARRAY_LEN(scopes)},
	.default_acr_values = {default_acr, 1},
	.default_max_age_s = 600,
	.profile = &demanding,
	.auth_method = OIDC_AUTH_BASIC,
	.response_types = OIDC_TYPE_CODE | OIDC_TYPE_CODE_ID_TOKEN,
};

static const struct param least[] = {
	{"response_type", "code"},
	{"scope", "openid"},
	{"code_challenge", CHALLENGE},
	{"code_challenge_method", "S256"},
};

#define LEAST ARRAY_LEN(least)

/* The least request, with `name` set to value (NULL: left out), and once more if `twice`. */
static struct params
request(const char *name, const char *value, bool twice)
{
	struct param *p = ARENA_ARRAY(a, struct param, LEAST + 2);
	size_t n = 0;

	for (size_t i = 0; i < LEAST; i++)
		if (strcmp(least[i].name, name) != 0)
			p[n++] = least[i];
	for (int i = 0; i < (value == NULL ? 0 : twice ? 2 : 1); i++)
		p[n++] = (struct param){name, value};
	return (struct params){p, n};
}

static bool
parse(struct params ps, struct oidc_authorize *out)
{
	return oidc_authorize_parse(a, &ps, &client, out, &err);
}

static void
the_start_names_who_asks_and_where_the_answer_goes(void **state UNUSED)
{
	static const struct param list[] = {
		{"client_id", "c1"}, {"redirect_uri", "https://x/"}, {"state", "s t"}};
	struct oidc_start s;

	ASSERT_OK(oidc_authorize_start(&(struct params){list, 3}, &s, &err), &err);
	assert_string_equal(s.client_id, "c1");
	assert_string_equal(s.redirect_uri, "https://x/");
	assert_string_equal(s.state, "s t");
	ASSERT_OK(oidc_authorize_start(&(struct params){list, 2}, &s, &err), &err);
	assert_null(s.state);
	ASSERT_REFUSED(oidc_authorize_start(&(struct params){list, 1}, &s, &err), &err, ERR_INPUT,
		       "is missing");
	ASSERT_REFUSED(oidc_authorize_start(&(struct params){list + 1, 2}, &s, &err), &err,
		       ERR_INPUT, "is missing");
}

static void
the_start_says_how_errors_travel(void **state UNUSED)
{
	static const struct param list[] = {{"client_id", "c1"},
					    {"redirect_uri", "https://x/"},
					    {"response_type", "code id_token"},
					    {"response_mode", "form_post"}};
	struct oidc_start s;

	ASSERT_OK(oidc_authorize_start(&(struct params){list, 2}, &s, &err), &err);
	assert_int_equal(s.way.mode, OIDC_MODE_QUERY);
	ASSERT_OK(oidc_authorize_start(&(struct params){list, 3}, &s, &err), &err);
	assert_int_equal(s.way.mode, OIDC_MODE_FRAGMENT);
	ASSERT_OK(oidc_authorize_start(&(struct params){list, 4}, &s, &err), &err);
	assert_int_equal(s.way.mode, OIDC_MODE_FORM_POST);
	assert_string_equal(s.type, "code id_token");
}

/* Keycloak CVE-2026-9689: parameter pollution. */
static void
a_duplicate_at_the_start_is_refused(void **state UNUSED)
{
	static const char *const names[] = {"client_id", "redirect_uri", "state"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct param list[] = {{"client_id", "c1"},
					     {"redirect_uri", "https://x/"},
					     {"state", "s"},
					     {names[i], "https://x/"}};
		struct oidc_start s;

		ASSERT_REFUSED(oidc_authorize_start(&(struct params){list, 4}, &s, &err), &err,
			       ERR_INPUT, "occurs twice");
	}
}

static void
the_least_request_takes_the_clients_defaults(void **state UNUSED)
{
	struct oidc_authorize rq;

	ASSERT_OK(parse(request("x", NULL, false), &rq), &err);
	assert_int_equal(rq.scopes.n, 1);
	assert_string_equal(rq.scopes.s[0], "openid");
	assert_string_equal(rq.challenge, CHALLENGE);
	assert_null(rq.nonce);
	assert_int_equal(rq.prompt, 0);
	assert_int_equal(rq.max_age_s, 600);
	assert_string_equal(rq.acr.s[0], "low");
	assert_false(rq.acr_essential);
	assert_int_equal(rq.claims.n, 0);
	assert_null(rq.login_hint);
	assert_null(rq.id_token_hint);
	assert_int_equal(rq.ui_locales.n, 0);
}

static void
everything_asked_is_read(void **state UNUSED)
{
	static const struct param list[] = {
		{"response_type", "code"},
		{"response_mode", "query"},
		{"scope", "openid offline_access email unknown email address"},
		{"code_challenge", CHALLENGE},
		{"code_challenge_method", "S256"},
		{"nonce", "n-0S6_WzA2Mj"},
		{"prompt", "login consent"},
		{"max_age", "0"},
		{"acr_values", "high substantial"},
		{"login_hint", "j\xc3\xb6rg@example.invalid"},
		{"id_token_hint", "a.b.c"},
		{"ui_locales", "de-DE en"},
		{"display", "popup"},
		{"claims_locales", "de"},
		{"claims", "{\"userinfo\":{\"email\":{\"essential\":true}}}"},
		{"request", ""},
		{"vendor", "x"},
		{"vendor", "y"},
	};
	struct oidc_authorize rq;

	ASSERT_OK(parse((struct params){list, ARRAY_LEN(list)}, &rq), &err);
	assert_int_equal(rq.scopes.n, 2); /* neither unknown nor unregistered ones */
	assert_true(oidc_strs_have(rq.scopes, "openid") && oidc_strs_have(rq.scopes, "email"));
	assert_string_equal(rq.nonce, "n-0S6_WzA2Mj");
	assert_int_equal(rq.prompt, OIDC_PROMPT_LOGIN | OIDC_PROMPT_CONSENT);
	assert_int_equal(rq.max_age_s, 0);
	assert_int_equal(rq.acr.n, 2);
	assert_string_equal(rq.acr.s[0], "high");
	assert_string_equal(rq.login_hint, "j\xc3\xb6rg@example.invalid");
	assert_string_equal(rq.id_token_hint, "a.b.c");
	assert_string_equal(rq.ui_locales.s[1], "en");
	assert_true(oidc_claims_find(&rq.claims, "email")->essential);
}

static void
acr_in_claims_goes_before_acr_values(void **state UNUSED)
{
	struct params ps =
		request("claims",
			"{\"id_token\":{\"acr\":{\"essential\":true,\"value\":\"high\"}}}", false);
	struct param more[LEAST + 2];
	struct oidc_authorize rq;

	memcpy(more, ps.p, ps.n * sizeof(*more));
	more[ps.n] = (struct param){"acr_values", "low"};
	ASSERT_OK(parse((struct params){more, ps.n + 1}, &rq), &err);
	assert_int_equal(rq.acr.n, 1);
	assert_string_equal(rq.acr.s[0], "high");
	assert_true(rq.acr_essential);
}

static void
prompts_are_known(void **state UNUSED)
{
	static const struct {
		const char *text;
		unsigned prompt;
	} cases[] = {
		{"none", OIDC_PROMPT_NONE},         {"login", OIDC_PROMPT_LOGIN},
		{"consent", OIDC_PROMPT_CONSENT},   {"select_account", OIDC_PROMPT_SELECT_ACCOUNT},
		{"login login", OIDC_PROMPT_LOGIN}, {"", 0},
		{"create", OIDC_PROMPT_CREATE},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oidc_authorize rq;

		ASSERT_OK(parse(request("prompt", cases[i].text, false), &rq), &err);
		assert_int_equal(rq.prompt, cases[i].prompt);
	}
}

static void
improper_requests_are_refused_by_name(void **state UNUSED)
{
	static const struct {
		const char *name, *value, *proto, *part;
	} cases[] = {
		{"request_uri", "https://x/", "request_uri_not_supported", "request_uri"},
		{"registration", "{}", "registration_not_supported", "registration"},
		{"response_type", NULL, "invalid_request", "is missing"},
		{"response_type", "", "invalid_request", "is missing"},
		{"response_type", "token", "unsupported_response_type", "not one of ours"},
		{"response_type", "id_token", "unsupported_response_type", "not one of ours"},
		{"response_type", "code id_token", "invalid_request", "without nonce"},
		{"response_type", "none", "unsupported_response_type", "not one of ours"},
		{"response_type", "code\n", "invalid_request", "plain ASCII"},
		{"response_mode", "web_message", "invalid_request", "not one of ours"},
		{"scope", NULL, "invalid_scope", "without openid"},
		{"scope", "profile", "invalid_scope", "without openid"},
		{"scope", "openidx", "invalid_scope", "without openid"},
		{"scope", "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a",
		 "invalid_request", "words"},
		{"code_challenge", NULL, "invalid_request", "code_challenge is missing"},
		{"code_challenge", "short", "invalid_request", "no digest"},
		{"code_challenge_method", NULL, "invalid_request", "not S256"},
		{"code_challenge_method", "plain", "invalid_request", "not S256"},
		{"nonce", "a\tb", "invalid_request", "plain ASCII"},
		{"prompt", "other", "invalid_request", "unknown prompt"},
		{"prompt", "create login", "invalid_request", "create with another"},
		{"prompt", "consent create", "invalid_request", "create with another"},
		{"prompt", "none login", "invalid_request", "with another"},
		{"prompt", "none none", "invalid_request", "with another"},
		{"max_age", "-1", "invalid_request", "max_age"},
		{"max_age", "1h", "invalid_request", "max_age"},
		{"max_age", "31536001", "invalid_request", "max_age"},
		{"claims", "{", "invalid_request", "not well-formed"},
		{"claims", "\"x\"", "invalid_request", "JSON"},
		{"acr_values", "a\x01", "invalid_request", "plain ASCII"},
		{"id_token_hint", "\xc3\xbc", "invalid_request", "plain ASCII"},
		{"ui_locales", "\xc3\xbc", "invalid_request", "plain ASCII"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct oidc_authorize rq;
		struct params ps = request(cases[i].name, cases[i].value, false);

		ASSERT_REFUSED(parse(ps, &rq), &err, ERR_INPUT, cases[i].part);
		assert_false(parse(ps, &rq));
		assert_string_equal(err.proto, cases[i].proto);
		err_clear(&err);
	}
}

/* What a client asks for a service is its own affair; an ID token it is not. */
static void
a_request_without_openid_is_for_a_service(void **state UNUSED)
{
	static const char *const apis[] = {"https://api.example/"};
	static const struct oidc_profile openid = {"openid", OIDC_CHECK_OPENID};
	static const struct param front[] = {{"response_type", "code id_token"},
					     {"scope", "profile"},
					     {"nonce", "n"},
					     {"code_challenge", CHALLENGE},
					     {"code_challenge_method", "S256"}};
	struct params ps = request("scope", "profile", false), types = {front, ARRAY_LEN(front)};
	struct oidc_client c = client;
	struct oidc_authorize rq;

	c.resources = (struct oidc_strs){apis, 1};
	ASSERT_OK(oidc_authorize_parse(a, &ps, &c, &rq, &err), &err);
	assert_int_equal(rq.scopes.n, 1);
	assert_string_equal(rq.scopes.s[0], "profile");
	ASSERT_REFUSED(oidc_authorize_parse(a, &types, &c, &rq, &err), &err, ERR_INPUT,
		       "an ID token without openid");
	ps = request("scope", "other", false);
	ASSERT_REFUSED(oidc_authorize_parse(a, &ps, &c, &rq, &err), &err, ERR_INPUT,
		       "no scope that the client may have");
	c.profile = &openid;
	ps = request("scope", "profile", false);
	ASSERT_REFUSED(oidc_authorize_parse(a, &ps, &c, &rq, &err), &err, ERR_INPUT,
		       "without openid");
}

static void
a_duplicate_parameter_is_refused(void **state UNUSED)
{
	static const char *const names[] = {
		"response_type",
		"response_mode",
		"scope",
		"code_challenge",
		"code_challenge_method",
		"nonce",
		"prompt",
		"max_age",
		"acr_values",
		"login_hint",
		"id_token_hint",
		"ui_locales",
		"claims",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct oidc_authorize rq;
		const char *value = "x";

		for (size_t k = 0; k < LEAST; k++)
			if (strcmp(least[k].name, names[i]) == 0)
				value = least[k].value;
		ASSERT_REFUSED(parse(request(names[i], value, true), &rq), &err, ERR_INPUT,
			       "occurs twice");
	}
}

static void
oversize_parameters_are_refused(void **state UNUSED)
{
	static const struct {
		const char *name;
		size_t n;
	} cases[] = {
		{"nonce", 513},  {"login_hint", 257},      {"claims", 8193},
		{"scope", 2049}, {"id_token_hint", 16385},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *value = arena_alloc(a, cases[i].n + 1);
		struct oidc_authorize rq;

		memset(value, 'x', cases[i].n);
		ASSERT_REFUSED(parse(request(cases[i].name, value, false), &rq), &err, ERR_INPUT,
			       "octets");
	}
	/* FAPI2SP 5.3.2.2: 64 at least. */
	char nonce[513];
	struct oidc_authorize rq;

	memset(nonce, 'x', sizeof(nonce) - 1);
	nonce[sizeof(nonce) - 1] = '\0';
	ASSERT_OK(parse(request("nonce", nonce, false), &rq), &err);
	assert_string_equal(rq.nonce, nonce);
}

/* RFC 9700 2.1.1: who may, and who may never. */
static void
pkce_is_left_out_by_who_may(void **state UNUSED)
{
	struct oidc_client lax = client, open = client;
	struct params without = request("code_challenge_method", NULL, false);
	struct param kept[LEAST];
	struct oidc_authorize rq;
	size_t n = 0;

	for (size_t i = 0; i < without.n; i++)
		if (strcmp(without.p[i].name, "code_challenge") != 0)
			kept[n++] = without.p[i];
	without = (struct params){kept, n};
	lax.profile = open.profile = &plain;
	open.auth_method = OIDC_AUTH_PUBLIC;
	ASSERT_OK(oidc_authorize_parse(a, &without, &lax, &rq, &err), &err);
	assert_null(rq.challenge);
	ASSERT_REFUSED(oidc_authorize_parse(a, &without, &open, &rq, &err), &err, ERR_INPUT,
		       "code_challenge is missing");
	ASSERT_REFUSED(oidc_authorize_parse(a, &without, &client, &rq, &err), &err, ERR_INPUT,
		       "code_challenge is missing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_start_names_who_asks_and_where_the_answer_goes),
		cmocka_unit_test(the_start_says_how_errors_travel),
		cmocka_unit_test(a_duplicate_at_the_start_is_refused),
		cmocka_unit_test(the_least_request_takes_the_clients_defaults),
		cmocka_unit_test(everything_asked_is_read),
		cmocka_unit_test(acr_in_claims_goes_before_acr_values),
		cmocka_unit_test(prompts_are_known),
		cmocka_unit_test(improper_requests_are_refused_by_name),
		cmocka_unit_test(a_request_without_openid_is_for_a_service),
		cmocka_unit_test(a_duplicate_parameter_is_refused),
		cmocka_unit_test(oversize_parameters_are_refused),
		cmocka_unit_test(pkce_is_left_out_by_who_may),
	};

	return cmocka_run_group_tests_name("authorize", tests, setup, teardown);
}
