/* The error table: every failure has a name, a status and a text a peer may read. */
#include <string.h>

#include "tests/test.h"

#include "oidc/error.h"

static void
a_named_failure_finds_its_row(void **state UNUSED)
{
	static const struct {
		const char *name;
		int status;
	} cases[] = {
		{OIDC_INVALID_REQUEST, 400},
		{OIDC_INVALID_CLIENT, 401},
		{OIDC_INVALID_GRANT, 400},
		{OIDC_INVALID_SCOPE, 400},
		{OIDC_UNSUPPORTED_RESPONSE_TYPE, 400},
		{OIDC_UNSUPPORTED_GRANT_TYPE, 400},
		{OIDC_ACCESS_DENIED, 403},
		{OIDC_SERVER_ERROR, 500},
		{OIDC_TEMPORARILY_UNAVAILABLE, 503},
		{OIDC_INTERACTION_REQUIRED, 400},
		{OIDC_LOGIN_REQUIRED, 400},
		{OIDC_CONSENT_REQUIRED, 400},
		{OIDC_INVALID_REQUEST_OBJECT, 400},
		{OIDC_REQUEST_URI_NOT_SUPPORTED, 400},
		{OIDC_REGISTRATION_NOT_SUPPORTED, 400},
		{OIDC_UNMET_REQUIREMENTS, 400},
		{OIDC_INVALID_TOKEN, 401},
		{OIDC_TOKEN_MISSING, 401},
		{OIDC_INSUFFICIENT_SCOPE, 403},
		{OIDC_INVALID_REDIRECT_URI, 400},
		{OIDC_INVALID_CLIENT_METADATA, 400},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct err err = {.kind = ERR_INTERNAL, .proto = cases[i].name};
		const struct oidc_error *e = oidc_error_of(&err);

		assert_string_equal(e->name, cases[i].name);
		assert_int_equal(e->status, cases[i].status);
		/* RFC 6749 5.2: %x20-21 / %x23-5B / %x5D-7E */
		for (const char *s = e->description; *s != '\0'; s++)
			assert_true(*s >= 0x20 && *s <= 0x7e && *s != '"' && *s != '\\');
	}
}

static void
a_failure_without_a_name_is_told_by_its_kind(void **state UNUSED)
{
	static const struct {
		enum err_kind kind;
		const char *proto, *name;
	} cases[] = {
		{ERR_INPUT, NULL, OIDC_INVALID_REQUEST},
		{ERR_DENIED, NULL, OIDC_ACCESS_DENIED},
		{ERR_UNAVAILABLE, NULL, OIDC_TEMPORARILY_UNAVAILABLE},
		{ERR_INTERNAL, NULL, OIDC_SERVER_ERROR},
		{ERR_NOT_FOUND, NULL, OIDC_INVALID_REQUEST},
		{ERR_CONFLICT, NULL, OIDC_INVALID_REQUEST},
		{ERR_NONE, NULL, OIDC_SERVER_ERROR},
		{(enum err_kind)99, NULL, OIDC_SERVER_ERROR},
		{ERR_INPUT, "urn:oasis:names:tc:SAML:2.0:status:Requester", OIDC_INVALID_REQUEST},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct err err = {.kind = cases[i].kind, .proto = cases[i].proto};

		assert_string_equal(oidc_error_of(&err)->name, cases[i].name);
	}
}

/* RFC 9449 7.1, 9: the same name, another status and challenge. */
static void
a_resource_tells_the_same_in_its_own_way(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{OIDC_DPOP_RESOURCE_PROOF, OIDC_INVALID_DPOP_PROOF},
		{OIDC_DPOP_RESOURCE_NONCE, OIDC_USE_DPOP_NONCE},
		{OIDC_DPOP_RESOURCE_TOKEN, OIDC_INVALID_TOKEN},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct oidc_error *e =
			oidc_error_of(&(struct err){.kind = ERR_DENIED, .proto = cases[i][0]});

		assert_string_equal(e->name, cases[i][1]);
		assert_int_equal(e->status, 401);
		assert_int_equal(strncmp(e->challenge, "DPoP error=", 11), 0);
		assert_non_null(strstr(e->challenge, "algs=\"ES256 "));
	}
	assert_int_equal(
		oidc_error_of(&(struct err){.kind = ERR_DENIED, .proto = OIDC_USE_DPOP_NONCE})
			->status,
		400);
}

static void
who_must_authenticate_is_told_how(void **state UNUSED)
{
	static const struct {
		const char *name, *challenge;
	} cases[] = {
		{OIDC_INVALID_CLIENT, "Basic realm=\"client\""},
		{OIDC_INVALID_TOKEN, "Bearer error=\"invalid_token\""},
		{OIDC_TOKEN_MISSING, "Bearer"}, /* RFC 6750 3.1: no code for who brought no token */
		{OIDC_INSUFFICIENT_SCOPE, "Bearer error=\"insufficient_scope\""},
		{OIDC_INVALID_REQUEST, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct err err = {.kind = ERR_DENIED, .proto = cases[i].name};
		const struct oidc_error *e = oidc_error_of(&err);

		if (cases[i].challenge == NULL)
			assert_null(e->challenge);
		else
			assert_string_equal(e->challenge, cases[i].challenge);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_named_failure_finds_its_row),
		cmocka_unit_test(a_failure_without_a_name_is_told_by_its_kind),
		cmocka_unit_test(a_resource_tells_the_same_in_its_own_way),
		cmocka_unit_test(who_must_authenticate_is_told_how),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
