/* Client metadata: what is admitted, what is refused, and that the record reads back the same. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include "oidc/client.h"

#define URIS "\"redirect_uris\":[\"https://portal.example/cb\"]"

static struct oidc_strs unknown;

static const char *const offered[] = {"openid", "profile", "email", "address"};
static const char *const grants[] = {"refresh_token"};
static const struct oidc_client_rules rules = {false, {offered, ARRAY_LEN(offered)}, {grants, 1}};
static const struct oidc_client_rules dev_rules = {
	true, {offered, ARRAY_LEN(offered)}, {grants, 1}};

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
	assert_int_equal(c->default_max_age_s, -1);
	assert_false(c->require_auth_time);
	assert_string_equal(c->sector_host, "portal.example");
	assert_null(c->sector_identifier_uri);
	assert_int_equal(c->jwks.n, 0);
	assert_int_equal(c->secret_sha256.n, 0);
	assert_int_equal(unknown.n, 0);
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
		"\"client_assertion_audience\":\"token_endpoint\",\"jwks\":%s,"
		"\"scope\":\"openid profile\",\"id_token_signed_response_alg\":\"RS256\","
		"\"sector_identifier_uri\":\"https://sector.example/uris.json\","
		"\"default_max_age\":0,\"require_auth_time\":true,"
		"\"default_acr_values\":[\"substantial\"],\"contacts\":[\"it@portal.example\"],"
		"\"client_name\":\"City\",\"client_name#de\":\"Stadt\",\"client_name#de-AT\":"
		"\"Stadl\","
		"\"logo_uri\":\"https://portal.example/logo.png\",\"application_type\":\"web\","
		"\"subject_type\":\"pairwise\",\"response_types\":[\"code\"],"
		"\"grant_types\":[\"authorization_code\"],"
		"\"require_pushed_authorization_requests\":true,\"dpop_bound_access_tokens\":false,"
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
	assert_int_equal(c->assertion_audience, OIDC_AUDIENCE_TOKEN_ENDPOINT);
	assert_int_equal(c->jwks.n, 1);
	assert_int_equal(c->scopes.n, 2);
	assert_int_equal(c->id_token_alg, OIDC_RS256);
	assert_string_equal(c->sector_host, "sector.example");
	assert_int_equal(c->default_max_age_s, 0);
	assert_true(c->require_auth_time);
	assert_true(c->require_pushed);
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
		"\"refresh_tokens\":\"offline\",\"access_token_format\":\"opaque\","
		"\"require_pushed_authorization_requests\":false,"
		"\"dpop_bound_access_tokens\":false}");
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

	ASSERT_OK(parse(with("\"request_object_signing_alg\":null,\"jwks_uri\":false"), &c), &err);
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

	ASSERT_OK(parse(with("\"id_token_encrypted_response_alg\":\"ECDH-ES+A256KW\","
			     "\"userinfo_signed_response_alg\":\"PS256\","
			     "\"userinfo_encrypted_response_alg\":\"ECDH-ES\","
			     "\"userinfo_encrypted_response_enc\":\"A256GCM\"," ENC_JWKS),
			&c),
		  &err);
	assert_int_equal(c->id_token_encryption.alg, OIDC_ECDH_ES_A256KW);
	assert_int_equal(c->id_token_encryption.enc, OIDC_A128CBC_HS256);
	assert_int_equal(c->userinfo_alg, OIDC_PS256);
	assert_int_equal(c->userinfo_encryption.alg, OIDC_ECDH_ES);
	assert_int_equal(c->userinfo_encryption.enc, OIDC_A256GCM);
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
		{"\"token_endpoint_auth_method\":\"none\"", "not a value we offer"},
		{"\"token_endpoint_auth_method\":\"client_secret_jwt\"", "not a value we offer"},
		{"\"token_endpoint_auth_method\":1", "is not a string"},
		{"\"profile\":\"fapi1\"", "not a profile we know"},
		{"\"token_endpoint_auth_signing_alg\":\"HS256\"", "not a value we offer"},
		{"\"token_endpoint_auth_signing_alg\":\"none\"", "not a value we offer"},
		{"\"client_assertion_audience\":\"any\"", "not a value we offer"},
		{"\"id_token_signed_response_alg\":\"HS256\"", "not a value we offer"},
		{"\"id_token_signed_response_alg\":\"EdDSA\"", "not a value we offer"},
		{"\"token_endpoint_auth_method\":\"private_key_jwt\"", "needs keys"},
		{"\"jwks\":[]", "jwks is not an object"},
		{"\"jwks\":{\"keys\":[]}", "no key that we have a use for"},
		{"\"jwks\":{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", "symmetric"},
		{"\"scope\":\"profile\"", "openid is missing"},
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
		{"\"application_type\":\"native\"", "only web"},
		{"\"subject_type\":\"public\"", "only pairwise"},
		{"\"response_types\":[\"code\",\"id_token\"]", "only code"},
		{"\"response_types\":[\"code id_token\"]", "only code"},
		{"\"response_types\":[]", "only code"},
		{"\"grant_types\":[\"implicit\"]", "grant_types: implicit is not offered"},
		{"\"grant_types\":[\"refresh_token\",\"refresh_token\"]", "is there twice"},
		{"\"grant_types\":[1]", "something other than text"},
		{"\"refresh_tokens\":\"always\"", "refresh_tokens: not a value"},
		{"\"client_secret\":\"x\"", "client_secret: not supported"},
		{"\"default_max_age\":\"1\"", "default_max_age is not"},
		{"\"scope\":\"\\u0001\"", "scope: control character"},
		{"\"jwks_uri\":\"https://portal.example/jwks\"", "jwks_uri: not supported"},
		{"\"software_statement\":\"x\"", "not supported"},
		{"\"request_uris\":[]", "not supported"},
		{"\"request_object_signing_alg\":\"none\"", "not supported"},
		{"\"request_object_encryption_alg\":\"x\"", "not supported"},
		{"\"require_signed_request_object\":true", "not supported"},
		{"\"require_pushed_authorization_requests\":1", "require_pushed"},
		{"\"dpop_bound_access_tokens\":1", "not true or false"},
		{"\"resource_uris\":[\"api\"]", "resource_uris: not https"},
		{"\"resource_uris\":[\"https://api.example/#x\"]", "resource_uris: not https"},
		{"\"resources\":[\"http://api.example/\"]", "resources: not https"},
		{"\"resource_uris\":[\"https://api.example/\"],\"resource_scopes\":[\"a b\"]",
		 "resource_scopes: not words"},
		{"\"resource_scopes\":[\"a\"]", "resource_scopes: of no"},
		{"\"access_token_format\":\"saml\"", "access_token_format: not a value"},
		{"\"grant_types\":[]", "grant_types: none"},
		{"\"tls_client_certificate_bound_access_tokens\":true", "not supported"},
		{"\"userinfo_signed_response_alg\":\"none\"", "not a value we offer"},
		{"\"id_token_encrypted_response_alg\":\"RSA1_5\"", "not a value we offer"},
		{"\"id_token_encrypted_response_alg\":\"dir\"", "not a value we offer"},
		{"\"id_token_encrypted_response_enc\":\"A192GCM\"", "not a value we offer"},
		{"\"id_token_encrypted_response_enc\":\"A256GCM\"",
		 "id_token_encrypted_response_enc: without an alg"},
		{"\"userinfo_encrypted_response_enc\":\"A256GCM\"",
		 "userinfo_encrypted_response_enc: without an alg"},
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
	ASSERT_OK(oidc_client_parse(a, bytes_of("{\"redirect_uris\":[\"http://localhost/cb\"]}"),
				    "c", &dev_rules, &c, &unknown, &err),
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
	assert_int_equal(oidc_client_auth_methods(a).n, 3);
	assert_true(oidc_strs_have(oidc_client_auth_methods(a), "private_key_jwt"));
	assert_false(oidc_strs_have(oidc_client_auth_methods(a), "none"));
	assert_int_equal(oidc_client_auth_algs(a).n, OIDC_ALG_COUNT);
	assert_string_equal(oidc_client_id_token_algs(a).s[0], "ES256");
	assert_string_equal(oidc_client_id_token_algs(a).s[1], "RS256");
	assert_int_equal(oidc_client_id_token_algs(a).n, 4);
	assert_int_equal(oidc_client_jwe_algs(a).n, OIDC_JWE_ALG_COUNT - 1);
	assert_int_equal(oidc_client_jwe_encs(a).n, OIDC_ENC_COUNT - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_metadata_gets_safe_defaults),
		cmocka_unit_test(all_metadata_is_read),
		cmocka_unit_test(texts_are_found_by_language),
		cmocka_unit_test(the_record_reads_back_the_same),
		cmocka_unit_test(a_resource_server_needs_no_redirect_uri),
		cmocka_unit_test(what_says_nothing_or_is_unknown_is_passed_over),
		cmocka_unit_test(encryption_is_read_with_its_default),
		cmocka_unit_test(improper_metadata_is_refused),
		cmocka_unit_test(redirect_uris_are_demanded_and_checked),
		cmocka_unit_test(an_algorithm_of_two_names_is_written_by_one),
		cmocka_unit_test(an_rsa_key_takes_the_algorithm_the_client_registered),
		cmocka_unit_test(too_many_texts_are_refused),
		cmocka_unit_test(discovery_learns_what_may_be_registered),
	};

	return cmocka_run_group_tests_name("client", tests, setup, teardown);
}
