/* Client metadata: what is admitted, what is refused, and that the record reads back the same. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include "oidc/client.h"

#define URIS "\"redirect_uris\":[\"https://portal.example/cb\"]"

static struct oidc_strs unknown;

static const char *const offered[] = {"openid", "profile", "email", "address"};
static const char *const grants[] = {"authorization_code",
				     "refresh_token",
				     "client_credentials",
				     "urn:ietf:params:oauth:grant-type:device_code",
				     "urn:openid:params:grant-type:ciba",
				     "implicit"};
static const struct oidc_client_rules rules = {
	.scopes = {offered, ARRAY_LEN(offered)},
	.grant_types = {grants, ARRAY_LEN(grants)},
};

static bool
parse(const char *json, struct oidc_client **out)
{
	return oidc_client_parse(a, bytes_of(json), "c1", &rules, out, &unknown, &err);
}

static const char *
with(const char *members)
{
	return arena_printf(a, "{" URIS "%s%s}", *members == '\0' ? "" : ",", members);
}

static void
the_least_metadata_gets_safe_defaults(void **state UNUSED)
{
	struct oidc_client *c;

	ASSERT_OK(parse(with(""), &c), &err);
	assert_string_equal(c->client_id, "c1");
	assert_string_equal(c->profile->name, "oauth");
	assert_int_equal(c->redirect_uris.n, 1);
	assert_int_equal(c->auth_method, OIDC_AUTH_BASIC);
	assert_int_equal(c->auth_alg, OIDC_ALG_NONE);
	assert_int_equal(c->assertion_audience, OIDC_AUDIENCE_ISSUER);
	assert_int_equal(c->id_token_alg, OIDC_ES256);
	assert_int_equal(c->scopes.n, 1);
	assert_string_equal(c->scopes.s[0], "openid");
	assert_int_equal(c->response_types, OIDC_TYPE_CODE);
	assert_int_equal(c->default_max_age_s, -1);
	assert_false(c->require_auth_time);
	assert_string_equal(c->sector_host, "portal.example");
	assert_null(c->sector_identifier_uri);
	assert_int_equal(c->application, OIDC_APPLICATION_WEB);
	assert_int_equal(c->grant_types.n, 1);
	assert_int_equal(c->jwks.n, 0);
	assert_int_equal(c->secret_sha256.n, 0);
	assert_int_equal(c->secret_sealed.n, 0);
	assert_int_equal(unknown.n, 0);
}

/* A new client that says nothing gets what is hardest to do wrong. */
static void
a_new_client_is_one_of_fapi_unless_it_says_otherwise(void **state UNUSED)
{
	struct oidc_client_rules fresh = rules;
	const char *key =
		arena_printf(a, "\"token_endpoint_auth_method\":\"private_key_jwt\",\"jwks\":%s",
			     public_jwks(a, OIDC_ES256, "k1"));
	const struct {
		const char *members, *profile;
	} rows[] = {
		{key, "fapi2"},
		{arena_printf(a, "%s,\"profile\":\"oidc\"", key), "oidc"},
		{"\"token_endpoint_auth_method\":\"none\"", "oauth"},
		{"\"grant_types\":[\"client_credentials\"]", "oauth"},
	};
	struct oidc_client *c;

	fresh.fapi_unless_said = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ASSERT_OK(oidc_client_parse(a, bytes_of(with(rows[i].members)), "c", &fresh, &c,
					    &unknown, &err),
			  &err);
		assert_string_equal(c->profile->name, rows[i].profile);
	}
	ASSERT_REFUSED(oidc_client_parse(a, bytes_of(with("")), "c", &fresh, &c, &unknown, &err),
		       &err, ERR_INPUT, "the profile takes private_key_jwt and mTLS alone");
}

/* OpenID Connect Registration 2: what a response type needs beside it. */
static void
the_grant_of_an_id_token_in_front_is_taken(void **state UNUSED)
{
	struct oidc_client *c;

	ASSERT_OK(parse(with("\"response_types\":[\"code id_token\"],\"grant_types\":"
			     "[\"authorization_code\",\"implicit\"],\"request_uris\":[]"),
			&c),
		  &err);
	assert_int_equal(c->response_types, OIDC_TYPE_CODE_ID_TOKEN);
	assert_int_equal(c->grant_types.n, 2);
	assert_int_equal(unknown.n, 0);
}

/* What the certification plans register says neither (Registration 2, Core 9). */
static void
the_profile_says_what_a_record_leaves_out(void **state UNUSED)
{
	struct oidc_client *c;

	ASSERT_OK(parse(with("\"profile\":\"oidc\""), &c), &err);
	assert_int_equal(c->id_token_alg, OIDC_RS256);
	assert_int_equal(c->assertion_audience, OIDC_AUDIENCE_TOKEN_ENDPOINT);
	ASSERT_OK(parse(with("\"profile\":\"oidc\",\"id_token_signed_response_alg\":\"ES256\","
			     "\"client_assertion_audience\":\"issuer\""),
			&c),
		  &err);
	assert_int_equal(c->id_token_alg, OIDC_ES256);
	assert_int_equal(c->assertion_audience, OIDC_AUDIENCE_ISSUER);
	ASSERT_OK(parse(with("\"profile\":\"oauth\""), &c), &err);
	assert_int_equal(c->id_token_alg, OIDC_ES256);
	assert_int_equal(c->assertion_audience, OIDC_AUDIENCE_ISSUER);
}

static void
a_resource_is_any_absolute_uri(void **state UNUSED)
{
	struct oidc_client *c;

	ASSERT_OK(parse(with("\"resources\":[\"urn:example:api\",\"https://api.example/v1\"]"), &c),
		  &err);
	assert_string_equal(c->resources.s[0], "urn:example:api");
	/* Who asks tokens for it need not be a client of OpenID Connect. */
	ASSERT_OK(parse(with("\"resources\":[\"urn:example:api\"],\"scope\":\"read\""), &c), &err);
}

/* Registration 2: it says what it may do, and need not do it. */
static void
what_it_encrypts_with_may_be_said(void **state UNUSED)
{
	struct oidc_client *c;

	ASSERT_OK(parse(with("\"request_object_encryption_alg\":\"ECDH-ES\","
			     "\"introspection_signed_response_alg\":\"RS256\""),
			&c),
		  &err);
	assert_int_equal(c->request_encryption.alg, OIDC_ECDH_ES);
	assert_int_equal(c->request_encryption.enc, OIDC_A128CBC_HS256);
	assert_int_equal(c->introspection_alg, OIDC_RS256);
	const json_t *told = oidc_client_build(a, c);

	assert_string_equal(
		json_string_value(json_object_get(told, "request_object_encryption_enc")),
		"A128CBC-HS256");
}

static const char *
full_metadata(void)
{
	return arena_printf(
		a,
		"{\"client_id\":\"stadtportal\",\"profile\":\"fapi2\","
		"\"redirect_uris\":[\"https://portal.example/cb\",\"https://b.example/cb\"],"
		"\"post_logout_redirect_uris\":[\"https://portal.example/bye\"],"
		"\"backchannel_logout_uri\":\"https://portal.example/out?logout=backchannel\","
		"\"backchannel_logout_session_required\":true,"
		"\"frontchannel_logout_uri\":\"https://b.example/out\","
		"\"frontchannel_logout_session_required\":true,"
		"\"token_endpoint_auth_method\":\"private_key_jwt\","
		"\"token_endpoint_auth_signing_alg\":\"PS256\","
		"\"client_assertion_audience\":\"issuer\",\"jwks\":%s,"
		"\"scope\":\"openid profile\",\"id_token_signed_response_alg\":\"ES256\","
		"\"sector_identifier_uri\":\"https://sector.example/uris.json\","
		"\"default_max_age\":0,\"require_auth_time\":true,"
		"\"default_acr_values\":[\"substantial\"],\"contacts\":[\"it@portal.example\"],"
		"\"client_name\":\"City\",\"client_name#de\":\"Stadt\",\"client_name#de-AT\":"
		"\"Stadl\","
		"\"logo_uri\":\"https://portal.example/logo.png\",\"application_type\":\"web\","
		"\"subject_type\":\"pairwise\",\"response_types\":[\"code\"],"
		"\"grant_types\":[\"authorization_code\",\"refresh_token\"],"
		"\"require_pushed_authorization_requests\":true,"
		"\"request_object_signing_alg\":\"PS256\",\"require_signed_request_object\":true,"
		"\"dpop_bound_access_tokens\":false,"
		"\"software_id\":\"x\",\"scope#de\":\"x\",\"vendor\":{}}",
		public_jwks(a, OIDC_PS256, "k1"));
}

static void
all_metadata_is_read(void **state UNUSED)
{
	struct oidc_client *c;

	ASSERT_OK(parse(full_metadata(), &c), &err);
	assert_string_equal(c->client_id, "stadtportal");
	assert_string_equal(c->profile->name, "fapi2");
	assert_true((c->profile->checks & OIDC_CHECK_PUSHED) != 0);
	assert_int_equal(c->redirect_uris.n, 2);
	assert_string_equal(c->post_logout_redirect_uris.s[0], "https://portal.example/bye");
	assert_string_equal(c->backchannel_logout_uri,
			    "https://portal.example/out?logout=backchannel");
	assert_true(c->backchannel_logout_session_required);
	assert_string_equal(c->frontchannel_logout_uri, "https://b.example/out");
	assert_true(c->frontchannel_logout_session_required);
	assert_int_equal(c->auth_method, OIDC_AUTH_PRIVATE_KEY);
	assert_int_equal(c->auth_alg, OIDC_PS256);
	assert_int_equal(c->assertion_audience, OIDC_AUDIENCE_ISSUER);
	assert_int_equal(c->application, OIDC_APPLICATION_WEB);
	assert_int_equal(c->grant_types.n, 2);
	assert_int_equal(c->response_types, OIDC_TYPE_CODE);
	assert_int_equal(c->jwks.n, 1);
	assert_int_equal(c->scopes.n, 2);
	assert_int_equal(c->id_token_alg, OIDC_ES256);
	assert_string_equal(c->sector_host, "sector.example");
	assert_int_equal(c->default_max_age_s, 0);
	assert_true(c->require_auth_time);
	assert_true(c->require_pushed);
	assert_true(c->require_signed_request);
	assert_int_equal(c->request_object_alg, OIDC_PS256);
	assert_string_equal(c->default_acr_values.s[0], "substantial");
	assert_string_equal(c->contacts.s[0], "it@portal.example");
	assert_int_equal(c->n_texts, 4);
	assert_int_equal(unknown.n, 3);
	assert_true(oidc_strs_have(unknown, "software_id"));
	assert_true(oidc_strs_have(unknown, "scope#de"));
	assert_true(oidc_strs_have(unknown, "vendor"));
}

static void
texts_are_found_by_language(void **state UNUSED)
{
	struct oidc_client *c;

	ASSERT_OK(parse(full_metadata(), &c), &err);
	assert_string_equal(oidc_client_text(c, "client_name", "de"), "Stadt");
	assert_string_equal(oidc_client_text(c, "client_name", "en"), "City");
	assert_null(oidc_client_text(c, "tos_uri", "de"));
	ASSERT_OK(parse(with("\"client_name#fr\":\"Ville\""), &c), &err);
	assert_string_equal(oidc_client_text(c, "client_name", "de"), "Ville");
	ASSERT_OK(parse(with("\"client_name#de-AT\":\"Stadl\",\"client_name\":\"City\""), &c),
		  &err);
	assert_string_equal(oidc_client_text(c, "client_name", "de"), "Stadl");
	/* Another language whose tag only begins alike. */
	ASSERT_OK(parse(with("\"client_name#den\":\"Dene\",\"client_name\":\"City\""), &c), &err);
	assert_string_equal(oidc_client_text(c, "client_name", "de"), "City");
}

static void
the_record_reads_back_the_same(void **state UNUSED)
{
	const char *inputs[] = {full_metadata(), with("")};

	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct oidc_client *c, *again;
		const char *first, *second;

		ASSERT_OK(parse(inputs[i], &c), &err);
		first = json_text(a, oidc_client_build(a, c), false);
		ASSERT_OK(parse(first, &again), &err);
		assert_int_equal(unknown.n, 0);
		second = json_text(a, oidc_client_build(a, again), false);
		assert_string_equal(first, second);
		if (i == 0) {
			assert_non_null(strstr(first, "\"client_name#de\""));
			assert_non_null(strstr(first, "\"default_max_age\""));
		}
	}
	struct oidc_client *c;

	ASSERT_OK(parse(with(""), &c), &err);
	assert_string_equal(
		json_text(a, oidc_client_build(a, c), false),
		"{\"client_id\":\"c1\",\"profile\":\"oauth\",\"redirect_uris\":[\"https://"
		"portal.example/cb\"],\"backchannel_logout_session_required\":false,"
		"\"frontchannel_logout_session_required\":false,"
		"\"token_endpoint_auth_method\":\"client_secret_basic\","
		"\"client_assertion_audience\":\"issuer\",\"scope\":\"openid\","
		"\"id_token_signed_response_alg\":\"ES256\",\"require_auth_time\":false,"
		"\"application_type\":\"web\",\"subject_type\":\"pairwise\","
		"\"response_types\":[\"code\"],\"grant_types\":[\"authorization_code\"],"
		"\"refresh_tokens\":\"offline\",\"access_token_format\":\"opaque\",\"token_"
		"exchange\":\"delegation\","
		"\"authorization_signed_response_alg\":\"ES256\",\"require_signed_request_object\":"
		"false,\"require_pushed_authorization_requests\":false,"
		"\"dpop_bound_access_tokens\":false,"
		"\"tls_client_certificate_bound_access_tokens\":false}");
}

/* Nobody logs in at it, and its scopes are its own. */
static void
a_resource_server_needs_no_redirect_uri(void **state UNUSED)
{
	static const char text[] =
		"{\"client_id\":\"api\",\"grant_types\":[],\"resource_uris\":[\"https://"
		"api.example/\"],"
		"\"resource_scopes\":[\"read\"],\"access_token_format\":\"jwt\"}";
	struct oidc_client *c;

	ASSERT_OK(parse(text, &c), &err);
	assert_int_equal(c->grant_types.n, 0);
	assert_string_equal(c->resource_uris.s[0], "https://api.example/");
	assert_string_equal(c->resource_scopes.s[0], "read");
	assert_int_equal(c->access_token_format, OIDC_TOKEN_JWT);
	assert_string_equal(c->sector_host, "client:api");
	ASSERT_OK(parse(with("\"resources\":[\"https://api.example/\"],\"scope\":\"openid read\""),
			&c),
		  &err);
	assert_string_equal(c->resources.s[0], "https://api.example/");
}

static void
what_says_nothing_or_is_unknown_is_passed_over(void **state UNUSED)
{
	struct oidc_client *c;

	ASSERT_OK(parse(with("\"request_object_signing_alg\":null,\"jwks_uri\":null,\"request_"
			     "uris\":false"),
			&c),
		  &err);
	assert_int_equal(unknown.n, 0);
	ASSERT_OK(parse(with("\"client_na\":\"begins like a member\""), &c), &err);
	assert_int_equal(unknown.n, 1);
}

#define ENC_JWKS                                                                               \
	"\"jwks\":{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"enc\",\"kid\":\"e\"," \
	"\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","                               \
	"\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\"}]}"

static void
encryption_is_read_with_its_default(void **state UNUSED)
{
	struct oidc_client *c;
	json_t *o;

	ASSERT_OK(
		parse(with("\"id_token_encrypted_response_alg\":\"ECDH-ES+A256KW\","
			   "\"userinfo_signed_response_alg\":\"PS256\","
			   "\"userinfo_encrypted_response_alg\":\"ECDH-ES\","
			   "\"userinfo_encrypted_response_enc\":\"A256GCM\","
			   "\"authorization_encrypted_response_alg\":\"ECDH-ES+A128KW\"," ENC_JWKS),
		      &c),
		&err);
	assert_int_equal(c->id_token_encryption.alg, OIDC_ECDH_ES_A256KW);
	assert_int_equal(c->id_token_encryption.enc, OIDC_A128CBC_HS256);
	assert_int_equal(c->userinfo_alg, OIDC_PS256);
	assert_int_equal(c->userinfo_encryption.alg, OIDC_ECDH_ES);
	assert_int_equal(c->userinfo_encryption.enc, OIDC_A256GCM);
	assert_int_equal(c->response_encryption.alg, OIDC_ECDH_ES_A128KW);
	assert_int_equal(c->response_encryption.enc, OIDC_A128CBC_HS256);
	o = oidc_client_build(a, c);
	assert_string_equal(
		json_string_value(json_object_get(o, "id_token_encrypted_response_enc")),
		"A128CBC-HS256");
	assert_string_equal(json_string_value(json_object_get(o, "userinfo_signed_response_alg")),
			    "PS256");
	ASSERT_OK(parse(with("\"client_name\":\"x\""), &c), &err);
	assert_int_equal(c->id_token_encryption.alg, OIDC_JWE_ALG_NONE);
	assert_int_equal(c->userinfo_alg, OIDC_ALG_NONE);
}

static void
improper_metadata_is_refused(void **state UNUSED)
{
	static const struct {
		const char *members, *part;
	} cases[] = {
		{"\"client_id\":\"\"", "client_id: missing"},
		{"\"client_id\":\"a b\"", "client_id: missing"},
		{"\"client_id\":\"\\u00fc\"", "client_id: missing"},
		{"\"client_id\":1", "client_id is not a string"},
		{"\"token_endpoint_auth_method\":\"none\",\"profile\":\"oidc\"", "demands PKCE"},
		{"\"token_endpoint_auth_method\":\"none\","
		 "\"grant_types\":[\"authorization_code\",\"client_credentials\"]",
		 "not for a public client"},
		{"\"token_endpoint_auth_method\":\"none\","
		 "\"grant_types\":[\"authorization_code\",\"urn:openid:params:grant-type:ciba\"]",
		 "not for a public client"},
		{"\"token_endpoint_auth_method\":\"client_secret_jwt\","
		 "\"token_endpoint_auth_signing_alg\":\"ES256\"",
		 "HS256 is what"},
		{"\"token_endpoint_auth_method\":1", "is not a string"},
		{"\"profile\":\"fapi1\"", "not a profile we know"},
		{"\"token_endpoint_auth_signing_alg\":\"HS256\"", "HS256 is what"},
		{"\"token_endpoint_auth_signing_alg\":\"HS512\"", "not a value we offer"},
		{"\"token_endpoint_auth_signing_alg\":\"none\"", "not a value we offer"},
		{"\"client_assertion_audience\":\"any\"", "not a value we offer"},
		{"\"id_token_signed_response_alg\":\"HS256\"", "not a value we offer"},
		{"\"id_token_signed_response_alg\":\"EdDSA\"", "not a value we offer"},
		{"\"token_endpoint_auth_method\":\"private_key_jwt\"", "needs keys"},
		{"\"jwks\":[]", "jwks is not an object"},
		{"\"jwks\":{\"keys\":[]}", "no key that we have a use for"},
		{"\"jwks\":{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", "symmetric"},
		{"\"scope\":\"profile\"", "openid is missing"},
		{"\"scope\":\"read\",\"profile\":\"oidc\",\"resources\":[\"https://api.example/\"]",
		 "openid is missing"},
		{"\"scope\":\"openid admin\"", "admin is not offered"},
		{"\"scope\":\"\"", "scope: empty"},
		{"\"scope\":[\"openid\"]", "is not a string"},
		{"\"scope\":\"a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a\"",
		 "words"},
		{"\"post_logout_redirect_uris\":[\"https://portal.example/#x\"]", "fragment"},
		{"\"post_logout_redirect_uris\":\"https://portal.example/\"", "not an array"},
		{"\"backchannel_logout_uri\":\"http://portal.example/out\"", "not an https URI"},
		{"\"backchannel_logout_uri\":\"https://portal.example/out#x\"", "not an https URI"},
		{"\"backchannel_logout_uri\":[]", "is not a string"},
		{"\"backchannel_logout_session_required\":1", "is not true or false"},
		{"\"frontchannel_logout_uri\":\"http://portal.example/out\"", "not an https URI"},
		{"\"frontchannel_logout_uri\":\"https://other.example/out\"",
		 "origin of a redirect"},
		{"\"frontchannel_logout_uri\":\"https://portal.example:8443/out\"",
		 "origin of a redirect"},
		{"\"frontchannel_logout_uri\":\"https://portal.exampl?x\"", "origin of a redirect"},
		{"\"frontchannel_logout_session_required\":1", "is not true or false"},
		{"\"sector_identifier_uri\":\"http://portal.example/\"", "not an https URI"},
		{"\"sector_identifier_uri\":1", "is not a string"},
		{"\"default_max_age\":-1", "out of range"},
		{"\"default_max_age\":31536001", "out of range"},
		{"\"default_max_age\":\"60\"", "is not an integer"},
		{"\"require_auth_time\":\"yes\"", "is not true or false"},
		{"\"default_acr_values\":[1]", "something other than text"},
		{"\"default_acr_values\":[\"\"]", "default_acr_values: empty"},
		{"\"contacts\":[\"a\\nb\"]", "contacts: control"},
		{"\"client_name\":1", "client_name: not a text"},
		{"\"client_name\":null", "client_name: not a text"},
		{"\"client_name\":\"\"", "client_name: empty"},
		{"\"client_name\":\"a\\u007fb\"", "client_name: control"},
		{"\"client_name#d_e\":\"x\"", "bad language tag"},
		{"\"client_name#aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":\"x\"", "bad language tag"},
		{"\"logo_uri\":\"http://portal.example/logo\"", "logo_uri: not an https URI"},
		{"\"tos_uri#de\":\"javascript:alert(1)\"", "tos_uri: not an https URI"},
		{"\"application_type\":\"tv\"", "not a value we offer"},
		{"\"subject_type\":\"ephemeral\"", "not a value we offer"},
		{"\"response_types\":[\"code\",\"id_token\"]", "not one that is offered"},
		{"\"response_types\":[\"code id_token token\"]", "not one that is offered"},
		{"\"response_types\":[\"token\"]", "not one that is offered"},
		{"\"response_types\":[\"code\",\"code\"]", "there twice"},
		{"\"response_types\":[]", "do not go together"},
		{"\"response_types\":\"code\"", "is not an array"},
		{"\"response_types\":[1]", "something other than text"},
		{"\"grant_types\":[\"client_credentials\"],\"response_types\":[\"code\"]",
		 "do not go together"},
		{"\"grant_types\":[]", "grant_types: none"},
		{"\"grant_types\":[\"authorization_code\",\"implicit\"]", "implicit is for"},
		{"\"response_types\":[\"code id_token\"],\"grant_types\":[\"implicit\"]",
		 "do not go together"},
		{"\"grant_types\":[\"refresh_token\",\"refresh_token\"]", "is there twice"},
		{"\"grant_types\":[1]", "something other than text"},
		{"\"grant_types\":[\"a\\u0001b\"]", "a value is not offered"},
		{"\"refresh_tokens\":\"always\"", "refresh_tokens: not a value"},
		{"\"client_secret\":\"x\"", "client_secret: not supported"},
		{"\"default_max_age\":\"1\"", "default_max_age is not"},
		{"\"scope\":\"\\u0001\"", "scope: control character"},
		{"\"jwks_uri\":\"http://portal.example/jwks\"", "jwks_uri: not an https URI"},
		{"\"software_statement\":\"x\"", "not supported"},
		{"\"request_uris\":[\"https://portal.example/r\"]", "not supported"},
		{"\"request_uris\":{}", "not supported"},
		{"\"token_endpoint_auth_method\":\"none\",\"resource_uris\":[\"https://api.example/"
		 "\"]",
		 "resource_uris: of a client that proves nothing"},
		{"\"request_object_signing_alg\":\"none\"", "not a value we offer"},
		{"\"request_object_signing_alg\":\"HS256\"", "not a value we offer"},
		{"\"request_object_encryption_alg\":\"x\"", "not a value we offer"},
		{"\"request_object_encryption_enc\":\"A128GCM\"", "without an alg"},
		{"\"require_signed_request_object\":true", "signed requests need keys"},
		{"\"require_pushed_authorization_requests\":1", "require_pushed"},
		{"\"dpop_bound_access_tokens\":1", "not true or false"},
		{"\"resource_uris\":[\"api\"]", "resource_uris: not URIs"},
		{"\"resource_uris\":[\"https://api.example/#x\"]", "resource_uris: not URIs"},
		{"\"resources\":[\"urn:\"]", "resources: not URIs"},
		{"\"resources\":[\"urn:api#x\"]", "resources: not URIs"},
		{"\"resources\":[\"ftp://api.example/\"]", "resources: not URIs"},
		{"\"resources\":[\"/api\"]", "resources: not URIs"},
		{"\"resources\":[\"http://api.example/\"]", "resources: not URIs"},
		{"\"resource_uris\":[\"https://api.example/\"],\"resource_scopes\":[\"a b\"]",
		 "resource_scopes: not words"},
		{"\"resource_scopes\":[\"a\"]", "resource_scopes: of no"},
		{"\"access_token_format\":\"saml\"", "access_token_format: not a value"},
		{"\"userinfo_signed_response_alg\":\"none\"", "not a value we offer"},
		{"\"id_token_encrypted_response_alg\":\"RSA1_5\"", "not a value we offer"},
		{"\"id_token_encrypted_response_alg\":\"dir\"", "not a value we offer"},
		{"\"id_token_encrypted_response_enc\":\"A192GCM\"", "not a value we offer"},
		{"\"id_token_encrypted_response_enc\":\"A256GCM\"",
		 "id_token_encrypted_response_enc: without an alg"},
		{"\"userinfo_encrypted_response_enc\":\"A256GCM\"",
		 "userinfo_encrypted_response_enc: without an alg"},
		{"\"authorization_encrypted_response_enc\":\"A256GCM\"",
		 "authorization_encrypted_response_enc: without an alg"},
		{"\"authorization_encrypted_response_alg\":\"ECDH-ES\"",
		 "jwks: no key to encrypt to with ECDH-ES"},
		{"\"id_token_encrypted_response_alg\":\"ECDH-ES\"",
		 "jwks: no key to encrypt to with ECDH-ES"},
		{"\"id_token_encrypted_response_alg\":\"RSA-OAEP-256\"," ENC_JWKS,
		 "jwks: no key to encrypt to with RSA-OAEP-256"},
		{"\"userinfo_signed_response_alg\":\"ES256\","
		 "\"userinfo_encrypted_response_alg\":\"ECDH-ES\"",
		 "jwks: no key to encrypt to with ECDH-ES"},
		{"\"userinfo_encrypted_response_alg\":\"ECDH-ES\"," ENC_JWKS,
		 "userinfo_encrypted_response_alg: needs userinfo_signed_response_alg"},
		{"\"token_endpoint_auth_method\":\"private_key_jwt\"," ENC_JWKS,
		 "private_key_jwt needs keys"},
		{"\"token_endpoint_auth_method\":\"tls_client_auth\"", "one tls_client_auth_*"},
		{"\"token_endpoint_auth_method\":\"tls_client_auth\","
		 "\"tls_client_auth_san_dns\":\"a.example\",\"tls_client_auth_san_uri\":\"x:y\"",
		 "one tls_client_auth_*"},
		{"\"tls_client_certificate_bound_access_tokens\":true,"
		 "\"dpop_bound_access_tokens\":true",
		 "one of them"},
		{"\"tls_client_auth_san_ip\":\"192.0.2.1\"", "one tls_client_auth_*"},
		{"\"tls_client_auth_san_email\":\"\"", "tls_client_auth_san_email: empty"},
		{"\"tls_client_auth_subject_dn\":1", "is not a string"},
		{"\"token_endpoint_auth_method\":\"self_signed_tls_client_auth\"", "needs keys"},
		{"\"scope\":\"openid\",\"scope\":\"openid\"", "not well-formed"},
	};
	struct oidc_client *c;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_REFUSED(parse(with(cases[i].members), &c), &err, ERR_INPUT, cases[i].part);
		assert_false(parse(with(cases[i].members), &c));
		assert_non_null(strstr(err.proto, "invalid_"));
		err_clear(&err);
	}
	ASSERT_REFUSED(parse("[]", &c), &err, ERR_INPUT, "not an object");
	ASSERT_REFUSED(oidc_client_parse(a, bytes_of(with("")), NULL, &rules, &c, &unknown, &err),
		       &err, ERR_INPUT, "client_id: missing");
}

static void
redirect_uris_are_demanded_and_checked(void **state UNUSED)
{
	static const struct {
		const char *json, *part, *proto;
	} cases[] = {
		{"{}", "redirect_uris: missing", "invalid_client_metadata"},
		{"{\"redirect_uris\":[]}", "redirect_uris: missing", "invalid_client_metadata"},
		{"{\"redirect_uris\":[\"https://portal.example/*\"]}", "wildcard",
		 "invalid_redirect_uri"},
		{"{\"redirect_uris\":[\"http://localhost/cb\"]}", "not https",
		 "invalid_redirect_uri"},
		{"{\"redirect_uris\":[\"https://a.example/\",\"https://b.example/\"]}",
		 "sector_identifier_uri", "invalid_client_metadata"},
	};
	struct oidc_client *c;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_REFUSED(parse(cases[i].json, &c), &err, ERR_INPUT, cases[i].part);
		assert_false(parse(cases[i].json, &c));
		assert_string_equal(err.proto, cases[i].proto);
		err_clear(&err);
	}
}

static void
a_client_without_logins_needs_no_redirect_uri(void **state UNUSED)
{
	struct oidc_client *c;

	ASSERT_OK(parse("{\"grant_types\":[\"client_credentials\"],\"response_types\":[]}", &c),
		  &err);
	assert_int_equal(c->redirect_uris.n, 0);
	assert_string_equal(c->sector_host, "client:c1");
	assert_non_null(
		strstr(json_text(a, oidc_client_build(a, c), false), "\"response_types\":[]"));
	ASSERT_OK(parse("{\"grant_types\":[\"client_credentials\"],\"response_types\":[],"
			"\"scope\":\"profile\"}",
			&c),
		  &err);
}

/* RFC 8252 7; the sector of what runs on a person's own device is the client's alone. */
static void
a_native_client_comes_back_by_loopback_or_its_own_scheme(void **state UNUSED)
{
	static const char native[] =
		"{\"application_type\":\"native\",\"token_endpoint_auth_method\":\"none\","
		"\"redirect_uris\":[\"http://127.0.0.1/cb\",\"example.app.a:/cb\"],"
		"\"post_logout_redirect_uris\":[\"http://[::1]/bye\"]}";
	struct oidc_client *c;

	ASSERT_OK(parse(native, &c), &err);
	assert_int_equal(c->auth_method, OIDC_AUTH_PUBLIC);
	assert_string_equal(c->sector_host, "client:c1");
	assert_true(oidc_client_redirects_to(c, "http://127.0.0.1/cb"));
	assert_true(oidc_client_redirects_to(c, "http://127.0.0.1:51004/cb"));
	assert_true(oidc_client_redirects_to(c, "example.app.a:/cb"));
	assert_false(oidc_client_redirects_to(c, "http://127.0.0.1:51004/cb2"));
	assert_false(oidc_client_redirects_to(c, "example.app.a:/cb2"));
	assert_false(oidc_client_redirects_to(c, NULL));
	assert_true(oidc_client_leaves_to(c, "http://[::1]:7/bye"));
	assert_false(oidc_client_leaves_to(c, "http://127.0.0.1:51004/cb"));
	/* No port of a web client's differs. */
	c->application = OIDC_APPLICATION_WEB;
	assert_false(oidc_client_redirects_to(c, "http://127.0.0.1:51004/cb"));
	assert_true(oidc_client_redirects_to(c, "http://127.0.0.1/cb"));
	ASSERT_REFUSED(parse("{\"redirect_uris\":[\"example.app.a:/cb\"]}", &c), &err, ERR_INPUT,
		       "not https");
	ASSERT_REFUSED(parse("{\"application_type\":\"native\","
			     "\"redirect_uris\":[\"app:/cb\"]}",
			     &c),
		       &err, ERR_INPUT, "scheme with a dot");
	/* RFC 8252 7.2: a claimed https URI has a host, which is its sector. */
	ASSERT_OK(parse("{\"application_type\":\"native\","
			"\"redirect_uris\":[\"https://app.example/cb\"]}",
			&c),
		  &err);
	assert_string_equal(c->sector_host, "app.example");
}

#define CIBA "\"grant_types\":[\"urn:openid:params:grant-type:ciba\"]"
#define POLL "\"backchannel_token_delivery_mode\":\"poll\""
#define PING "\"backchannel_token_delivery_mode\":\"ping\""
#define ALG  "\"backchannel_authentication_request_signing_alg\":\"ES256\""
#define TOLD "\"backchannel_client_notification_endpoint\":\"https://portal.example/ping\""

/* CIBA Core 1.0, 4 */
static void
who_asks_for_persons_says_how_it_hears(void **state UNUSED)
{
	const char *es256 = arena_printf(a, "\"jwks\":%s", public_jwks(a, OIDC_ES256, "k1"));
	const struct {
		const char *json, *part;
	} cases[] = {
		{"{" CIBA "}", "backchannel_token_delivery_mode: what"},
		{with(POLL), "backchannel_token_delivery_mode: what"},
		{"{" CIBA ",\"backchannel_token_delivery_mode\":\"push\"}", "not a value we offer"},
		{"{" CIBA "," PING "}", "notification_endpoint: what ping needs"},
		{"{" CIBA "," POLL "," TOLD "}", "notification_endpoint: what ping needs"},
		{with(TOLD), "notification_endpoint: what ping needs"},
		{"{" CIBA "," PING ",\"backchannel_client_notification_endpoint\":"
		 "\"http://portal.example/\"}",
		 "not an https URI"},
		{"{" CIBA "," POLL "," ALG "}", "jwks: signed requests need keys"},
		{with(arena_printf(a, ALG ",%s", es256)), "without urn:openid"},
		{"{" CIBA "," POLL ",\"backchannel_authentication_request_signing_alg\":"
		 "\"HS256\"}",
		 "not a value we offer"},
		{"{" CIBA "," POLL ",\"backchannel_user_code_parameter\":true}", "not supported"},
		{"{" CIBA "," POLL ",\"scope\":\"profile\"}", "openid is missing"},
		{"{" CIBA "," POLL ",\"token_endpoint_auth_method\":\"none\"}",
		 "not for a public client"},
		{arena_printf(a,
			      "{" CIBA "," POLL ",\"profile\":\"fapi2\","
			      "\"token_endpoint_auth_method\":\"private_key_jwt\",%s}",
			      es256),
		 "signed requests alone (FAPI-CIBA 5.2.2"},
		{arena_printf(a,
			      "{" CIBA "," POLL ",\"profile\":\"fapi2\","
			      "\"backchannel_authentication_request_signing_alg\":\"RS256\","
			      "\"token_endpoint_auth_method\":\"private_key_jwt\",%s}",
			      es256),
		 "signing_alg: the profile takes PS256"},
	};
	struct oidc_client_rules fresh = rules;
	struct oidc_client *c;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_REFUSED(parse(cases[i].json, &c), &err, ERR_INPUT, cases[i].part);
		assert_false(parse(cases[i].json, &c));
		err_clear(&err);
	}
	ASSERT_OK(parse(arena_printf(a,
				     "{" CIBA "," PING "," TOLD "," ALG
				     ",\"backchannel_user_code_parameter\":false,%s}",
				     es256),
			&c),
		  &err);
	assert_int_equal(c->delivery, OIDC_DELIVERY_PING);
	assert_string_equal(c->notification_uri, "https://portal.example/ping");
	assert_int_equal(c->ciba_request_alg, OIDC_ES256);
	json_t *o = oidc_client_build(a, c);

	assert_string_equal(
		json_string_value(json_object_get(o, "backchannel_token_delivery_mode")), "ping");
	assert_null(json_object_get(o, "backchannel_user_code_parameter"));
	/* People log in at it: who says nothing is of FAPI 2.0, as with codes. */
	fresh.fapi_unless_said = true;
	ASSERT_REFUSED(oidc_client_parse(a, bytes_of("{" CIBA "," POLL "}"), "c", &fresh, &c,
					 &unknown, &err),
		       &err, ERR_INPUT, "the profile takes");
	err_clear(&err);
}

static const char *
fapi2(const char *members)
{
	return with(arena_printf(a,
				 "\"profile\":\"fapi2\",\"token_endpoint_auth_method\":"
				 "\"private_key_jwt\"%s%s",
				 *members == '\0' ? "" : ",", members));
}

static void
a_record_that_contradicts_its_profile_is_refused(void **state UNUSED)
{
	const char *es256 = arena_printf(a, "\"jwks\":%s", public_jwks(a, OIDC_ES256, "k1"));
	const struct {
		const char *json, *part;
	} cases[] = {
		{with("\"profile\":\"fapi2\""), "private_key_jwt and mTLS alone (FAPI2SP 5.3.2.1"},
		{with("\"profile\":\"fapi2\",\"token_endpoint_auth_method\":"
		      "\"client_secret_jwt\""),
		 "private_key_jwt and mTLS alone"},
		{with("\"profile\":\"fapi2\",\"token_endpoint_auth_method\":\"none\""),
		 "private_key_jwt and mTLS alone"},
		{fapi2(arena_printf(a, "%s,\"client_assertion_audience\":\"token_endpoint\"",
				    es256)),
		 "the issuer alone (FAPI2SP 5.3.2.1"},
		{fapi2(arena_printf(a, "%s,\"response_types\":[\"code id_token\"]", es256)),
		 "code alone (FAPI2SP 5.3.2.1"},
		{fapi2(arena_printf(a, "%s,\"response_types\":[\"code\",\"code id_token\"]",
				    es256)),
		 "code alone"},
		{fapi2(arena_printf(a, "%s,\"id_token_signed_response_alg\":\"RS256\"", es256)),
		 "id_token_signed_response_alg: the profile takes PS256"},
		{fapi2(arena_printf(a, "%s,\"token_endpoint_auth_signing_alg\":\"RS256\"", es256)),
		 "token_endpoint_auth_signing_alg: the profile takes PS256"},
		{fapi2(arena_printf(a, "\"jwks\":%s", public_jwks(a, OIDC_RS256, "k1"))),
		 "jwks: the profile takes PS256"},
		{fapi2(arena_printf(a, "\"jwks\":%s", public_jwks(a, OIDC_ES384, "k1"))),
		 "jwks: the profile takes PS256"},
	};
	static const enum oidc_alg strong[] = {OIDC_PS256, OIDC_ES256, OIDC_EDDSA};
	struct oidc_client *c;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASSERT_REFUSED(parse(cases[i].json, &c), &err, ERR_INPUT, cases[i].part);
		assert_false(parse(cases[i].json, &c));
		assert_string_equal(err.proto, "invalid_client_metadata");
		err_clear(&err);
	}
	ASSERT_OK(parse(with("\"profile\":\"fapi2\",\"token_endpoint_auth_method\":"
			     "\"tls_client_auth\",\"tls_client_auth_subject_dn\":\"CN=c1\","
			     "\"tls_client_certificate_bound_access_tokens\":true"),
			&c),
		  &err);
	assert_true(c->tls_bound);
	assert_string_equal(c->tls.subject_dn, "CN=c1");
	for (size_t i = 0; i < ARRAY_LEN(strong); i++)
		ASSERT_OK(parse(fapi2(arena_printf(a, "\"jwks\":%s",
						   public_jwks(a, strong[i], "k1"))),
				&c),
			  &err);
	/* Elsewhere each of these is the client's own choice. */
	ASSERT_OK(parse(with("\"profile\":\"oidc\",\"client_assertion_audience\":"
			     "\"token_endpoint\",\"id_token_signed_response_alg\":\"RS256\","
			     "\"response_types\":[\"code id_token\"]"),
			&c),
		  &err);
}

static void
an_algorithm_of_two_names_is_written_by_one(void **state UNUSED)
{
	struct oidc_client *c;

	ASSERT_OK(parse(with("\"token_endpoint_auth_signing_alg\":\"Ed25519\""), &c), &err);
	assert_int_equal(c->auth_alg, OIDC_EDDSA);
	assert_non_null(strstr(json_text(a, oidc_client_build(a, c), false),
			       "\"token_endpoint_auth_signing_alg\":\"EdDSA\","));
}

static void
keys_may_come_from_elsewhere(void **state UNUSED)
{
	const char *es256 = public_jwks(a, OIDC_ES256, "k1"),
		   *rs256 = public_jwks(a, OIDC_RS256, "k2");
	struct oidc_client *c;

	ASSERT_OK(parse(fapi2("\"jwks_uri\":\"https://portal.example/jwks\""), &c), &err);
	assert_string_equal(c->jwks_uri, "https://portal.example/jwks");
	assert_int_equal(c->jwks.n, 0);
	ASSERT_OK(oidc_client_take_keys(a, c, bytes_of(es256), &err), &err);
	assert_string_equal(c->jwks.keys[0].kid, "k1");
	/* What does not do leaves those of before. */
	ASSERT_REFUSED(oidc_client_take_keys(a, c, bytes_of(rs256), &err), &err, ERR_INPUT,
		       "FAPI2SP 5.4.1");
	ASSERT_REFUSED(oidc_client_take_keys(a, c, bytes_of("{}"), &err), &err, ERR_INPUT,
		       "no array of keys");
	ASSERT_REFUSED(oidc_client_take_keys(a, c, bytes_of("<html>"), &err), &err, ERR_INPUT,
		       "not well-formed");
	assert_string_equal(c->jwks.keys[0].kid, "k1");
	/* RFC 7591 2 */
	ASSERT_REFUSED(parse(with(arena_printf(a,
					       "\"jwks\":%s,\"jwks_uri\":"
					       "\"https://portal.example/jwks\"",
					       es256)),
			     &c),
		       &err, ERR_INPUT, "one of them");
}

static void
an_rsa_key_takes_the_algorithm_the_client_registered(void **state UNUSED)
{
	json_t *set = json_of(a, public_jwks(a, OIDC_PS256, "k1"));
	const char *jwks;
	struct oidc_client *c;

	json_object_del(json_array_get(json_object_get(set, "keys"), 0), "alg");
	jwks = json_text(a, set, false);
	ASSERT_REFUSED(parse(with(arena_printf(a, "\"jwks\":%s", jwks)), &c), &err, ERR_INPUT,
		       "must name its alg");
	ASSERT_REFUSED(parse(with(arena_printf(a,
					       "\"jwks\":%s,\"token_endpoint_auth_signing_alg\":"
					       "\"ES256\"",
					       jwks)),
			     &c),
		       &err, ERR_INPUT, "must name its alg");
	ASSERT_OK(parse(with(arena_printf(a,
					  "\"jwks\":%s,\"token_endpoint_auth_signing_alg\":"
					  "\"RS256\"",
					  jwks)),
			&c),
		  &err);
	assert_int_equal(c->jwks.keys[0].alg, OIDC_RS256);
}

static void
too_many_texts_are_refused(void **state UNUSED)
{
	const char *members = "\"client_name\":\"x\"";
	struct oidc_client *c;

	for (int i = 0; i < 64; i++)
		members = arena_printf(a, "%s,\"client_name#x%d\":\"x\"", members, i);
	ASSERT_REFUSED(parse(with(members), &c), &err, ERR_INPUT, "more than 64 texts");
	char *longer = arena_alloc(a, 600);

	memset(longer, 'x', 513);
	ASSERT_REFUSED(parse(with(arena_printf(a, "\"client_name\":\"%s\"", longer)), &c), &err,
		       ERR_INPUT, "too long");
}

static void
discovery_learns_what_may_be_registered(void **state UNUSED)
{
	assert_int_equal(oidc_client_auth_methods(a, false).n, 5);
	assert_true(oidc_strs_have(oidc_client_auth_methods(a, false), "private_key_jwt"));
	assert_true(oidc_strs_have(oidc_client_auth_methods(a, false), "none"));
	assert_false(oidc_strs_have(oidc_client_auth_methods(a, false), "tls_client_auth"));
	assert_int_equal(oidc_client_auth_methods(a, true).n, 7);
	assert_true(oidc_strs_have(oidc_client_auth_methods(a, true), "tls_client_auth"));
	/* RFC 8414 2: none stands among the methods, never among the algorithms. */
	assert_false(oidc_strs_have(oidc_client_auth_algs(a), "none"));
	/* the closed list, Ed25519 by two names, and HS256 */
	assert_int_equal(oidc_client_auth_algs(a).n, OIDC_ALG_COUNT - 1 + 2);
	assert_string_equal(oidc_client_id_token_algs(a).s[0], "ES256");
	assert_string_equal(oidc_client_id_token_algs(a).s[1], "RS256");
	assert_int_equal(oidc_client_id_token_algs(a).n, 4);
	assert_int_equal(oidc_client_jwe_algs(a).n, OIDC_JWE_ALG_COUNT - 1);
	assert_int_equal(oidc_client_jwe_encs(a).n, OIDC_ENC_COUNT - 1);
}

static void
response_types_are_read_in_any_order_of_words(void **state UNUSED)
{
	struct oidc_client *c;

	ASSERT_OK(parse(with("\"response_types\":[\"id_token code\",\"code\"]"), &c), &err);
	assert_int_equal(c->response_types, OIDC_TYPE_CODE | OIDC_TYPE_CODE_ID_TOKEN);
	assert_non_null(strstr(json_text(a, oidc_client_build(a, c), false),
			       "\"response_types\":[\"code\",\"code id_token\"]"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_metadata_gets_safe_defaults),
		cmocka_unit_test(the_profile_says_what_a_record_leaves_out),
		cmocka_unit_test(what_it_encrypts_with_may_be_said),
		cmocka_unit_test(a_resource_is_any_absolute_uri),
		cmocka_unit_test(the_grant_of_an_id_token_in_front_is_taken),
		cmocka_unit_test(a_new_client_is_one_of_fapi_unless_it_says_otherwise),
		cmocka_unit_test(all_metadata_is_read),
		cmocka_unit_test(texts_are_found_by_language),
		cmocka_unit_test(the_record_reads_back_the_same),
		cmocka_unit_test(response_types_are_read_in_any_order_of_words),
		cmocka_unit_test(a_resource_server_needs_no_redirect_uri),
		cmocka_unit_test(what_says_nothing_or_is_unknown_is_passed_over),
		cmocka_unit_test(encryption_is_read_with_its_default),
		cmocka_unit_test(improper_metadata_is_refused),
		cmocka_unit_test(redirect_uris_are_demanded_and_checked),
		cmocka_unit_test(an_algorithm_of_two_names_is_written_by_one),
		cmocka_unit_test(a_client_without_logins_needs_no_redirect_uri),
		cmocka_unit_test(a_native_client_comes_back_by_loopback_or_its_own_scheme),
		cmocka_unit_test(who_asks_for_persons_says_how_it_hears),
		cmocka_unit_test(a_record_that_contradicts_its_profile_is_refused),
		cmocka_unit_test(keys_may_come_from_elsewhere),
		cmocka_unit_test(an_rsa_key_takes_the_algorithm_the_client_registered),
		cmocka_unit_test(too_many_texts_are_refused),
		cmocka_unit_test(discovery_learns_what_may_be_registered),
	};

	return cmocka_run_group_tests_name("client", tests, setup, teardown);
}
