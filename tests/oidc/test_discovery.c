/* The metadata document says what the tables say. */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include "oidc/discovery.h"
#include "tests/keys/test_keys.h"

#define NOW 1800000000

static const struct oidc_endpoint endpoints[] = {
	{"authorization_endpoint", "https://idp.example/oidc/authorize"},
	{"token_endpoint", "https://idp.example/oidc/token"},
	{"jwks_uri", "https://idp.example/oidc/jwks"},
};

static const struct oidc_scope_claim rows[] = {
	{"profile", "given_name"},
	{"address", "address.locality"},
	{"address", "address.country"},
	{"profile", "sub"},
};

static const char *const scopes[] = {"openid", "profile", "address"};
static const char *const acr[] = {"low", "high"};
static const char *const grants[] = {"authorization_code"};
static const char *const locales[] = {"de", "en"};
static const char *const algs[] = {"ES256", "PS256"};

static void
expect(const json_t *o, const char *member, const char *wanted)
{
	const json_t *v = json_object_get(o, member);
	char *text = v == NULL ? NULL : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL || strcmp(text, wanted) != 0)
		fail_msg("%s is %s", member, text == NULL ? "missing" : text);
	free(text);
}

#define JWE_ALGS "[\"ECDH-ES\",\"ECDH-ES+A128KW\",\"ECDH-ES+A256KW\",\"RSA-OAEP-256\"]"
#define JWE_ENCS "[\"A128GCM\",\"A256GCM\",\"A128CBC-HS256\",\"A256CBC-HS512\"]"

static void
certificates_are_offered_where_they_are_asked_for(void **state UNUSED)
{
	static const struct oidc_endpoint aliases[] = {
		{"token_endpoint", "https://mtls.idp.example/oidc/token"}};
	struct oidc_discovery d = {.issuer = "https://idp.example"};
	const json_t *o = json_of(a, oidc_discovery_build(a, &d));

	assert_null(json_object_get(o, "mtls_endpoint_aliases"));
	assert_null(json_object_get(o, "tls_client_certificate_bound_access_tokens"));
	d.mtls_aliases = aliases;
	d.n_mtls_aliases = 1;
	o = json_of(a, oidc_discovery_build(a, &d));
	/* RFC 8705 3.3, 5 */
	expect(o, "mtls_endpoint_aliases",
	       "{\"token_endpoint\":\"https://mtls.idp.example/oidc/token\"}");
	expect(o, "tls_client_certificate_bound_access_tokens", "true");
	expect(o, "token_endpoint_auth_methods_supported",
	       "[\"client_secret_basic\",\"client_secret_post\",\"private_key_jwt\","
	       "\"client_secret_jwt\",\"none\",\"tls_client_auth\","
	       "\"self_signed_tls_client_auth\"]");
}

static void
the_document_follows_the_tables(void **state UNUSED)
{
	static const char *documents[] = {"idcard"}, *methods[] = {"vpip"};
	const struct oidc_discovery d = {
		.issuer = "https://idp.example",
		.endpoints = endpoints,
		.n_endpoints = ARRAY_LEN(endpoints),
		.claims = rows,
		.n_claims = ARRAY_LEN(rows),
		.n_verified_claims = ARRAY_LEN(rows) - 1,
		.scopes = {scopes, 3},
		.documents = {documents, 1},
		.check_methods = {methods, 1},
		.acr_values = {acr, 2},
		.grant_types = {grants, 1},
		.ui_locales = {locales, 2},
		.signing_algs = {algs, 2},
	};
	const json_t *o = json_of(a, oidc_discovery_build(a, &d));

	expect(o, "issuer", "\"https://idp.example\"");
	expect(o, "token_endpoint", "\"https://idp.example/oidc/token\"");
	expect(o, "jwks_uri", "\"https://idp.example/oidc/jwks\"");
	expect(o, "scopes_supported", "[\"openid\",\"profile\",\"address\"]");
	expect(o, "claims_supported",
	       "[\"iss\",\"sub\",\"aud\",\"exp\",\"iat\",\"auth_time\",\"nonce\",\"acr\",\"amr\","
	       "\"sid\",\"at_hash\",\"claim_levels\",\"verified_claims\",\"given_name\","
	       "\"address\"]");
	expect(o, "verified_claims_supported", "true");
	expect(o, "trust_frameworks_supported", "[\"eidas\"]");
	expect(o, "evidence_supported", "[\"document\"]");
	expect(o, "documents_supported", "[\"idcard\"]");
	expect(o, "documents_check_methods_supported", "[\"vpip\"]");
	expect(o, "claims_in_verified_claims_supported", "[\"given_name\",\"address\"]");
	expect(o, "acr_values_supported", "[\"low\",\"high\"]");
	expect(o, "grant_types_supported", "[\"authorization_code\"]");
	expect(o, "ui_locales_supported", "[\"de\",\"en\"]");
	expect(o, "response_types_supported", "[\"code\",\"code id_token\"]");
	expect(o, "response_modes_supported",
	       "[\"query\",\"fragment\",\"form_post\",\"query.jwt\",\"fragment.jwt\","
	       "\"form_post.jwt\",\"jwt\"]");
	expect(o, "subject_types_supported", "[\"pairwise\",\"public\"]");
	expect(o, "id_token_signing_alg_values_supported", "[\"ES256\",\"PS256\"]");
	expect(o, "userinfo_signing_alg_values_supported", "[\"ES256\",\"PS256\"]");
	expect(o, "authorization_signing_alg_values_supported", "[\"ES256\",\"PS256\"]");
	expect(o, "authorization_encryption_alg_values_supported", JWE_ALGS);
	expect(o, "authorization_encryption_enc_values_supported", JWE_ENCS);
	expect(o, "id_token_encryption_alg_values_supported", JWE_ALGS);
	expect(o, "id_token_encryption_enc_values_supported", JWE_ENCS);
	expect(o, "userinfo_encryption_alg_values_supported", JWE_ALGS);
	expect(o, "userinfo_encryption_enc_values_supported", JWE_ENCS);
	expect(o, "token_endpoint_auth_methods_supported",
	       "[\"client_secret_basic\",\"client_secret_post\",\"private_key_jwt\","
	       "\"client_secret_jwt\",\"none\"]");
	/* Who asks what a token is worth proves itself (RFC 7662 2.1). */
	expect(o, "introspection_endpoint_auth_methods_supported",
	       "[\"client_secret_basic\",\"client_secret_post\",\"private_key_jwt\","
	       "\"client_secret_jwt\"]");
	expect(o, "revocation_endpoint_auth_methods_supported",
	       "[\"client_secret_basic\",\"client_secret_post\",\"private_key_jwt\","
	       "\"client_secret_jwt\",\"none\"]");
	expect(o, "token_endpoint_auth_signing_alg_values_supported",
	       "[\"HS256\",\"ES256\",\"ES384\",\"EdDSA\",\"Ed25519\",\"PS256\",\"PS384\","
	       "\"RS256\"]");
	expect(o, "dpop_signing_alg_values_supported",
	       "[\"ES256\",\"ES384\",\"EdDSA\",\"PS256\",\"PS384\"]");
	expect(o, "introspection_endpoint_auth_signing_alg_values_supported",
	       "[\"HS256\",\"ES256\",\"ES384\",\"EdDSA\",\"Ed25519\",\"PS256\",\"PS384\","
	       "\"RS256\"]");
	expect(o, "revocation_endpoint_auth_signing_alg_values_supported",
	       "[\"HS256\",\"ES256\",\"ES384\",\"EdDSA\",\"Ed25519\",\"PS256\",\"PS384\","
	       "\"RS256\"]");
	expect(o, "introspection_signing_alg_values_supported", "[\"ES256\",\"PS256\"]");
	expect(o, "request_object_encryption_alg_values_supported", JWE_ALGS);
	expect(o, "request_object_encryption_enc_values_supported", JWE_ENCS);
	expect(o, "code_challenge_methods_supported", "[\"S256\"]");
	expect(o, "prompt_values_supported",
	       "[\"none\",\"login\",\"consent\",\"select_account\",\"create\"]");
	expect(o, "claim_types_supported", "[\"normal\"]");
	expect(o, "claims_parameter_supported", "true");
	expect(o, "request_parameter_supported", "true");
	expect(o, "request_object_signing_alg_values_supported",
	       "[\"ES256\",\"ES384\",\"EdDSA\",\"Ed25519\",\"PS256\",\"PS384\",\"RS256\"]");
	/* Absent would mean true (Discovery 3). */
	expect(o, "request_uri_parameter_supported", "false");
	expect(o, "authorization_response_iss_parameter_supported", "true");
	expect(o, "frontchannel_logout_supported", "true");
	expect(o, "frontchannel_logout_session_supported", "true");
	expect(o, "backchannel_logout_supported", "true");
	expect(o, "backchannel_logout_session_supported", "true");
}

/* RFC 8414 2.1: iss is there, signed_metadata is not in itself, nothing else differs. */
static void
the_signed_document_says_the_same(void **state UNUSED)
{
	const struct test_keys *keys = test_keys_create(a);
	struct oidc_jwk key = {keys->p256.kid, OIDC_ES256, keys->p256.pub};
	struct oidc_jwks ours = {.keys = &key, .n = 1};
	const struct oidc_discovery d = {
		.issuer = "https://idp.example",
		.endpoints = endpoints,
		.n_endpoints = ARRAY_LEN(endpoints),
	};
	const struct oidc_signed *s;
	struct oidc_jws jws;
	const char *text;

	ASSERT_OK(oidc_discovery_sign(a, &d, &keys->ops, key.kid, key.alg, NOW, &text, &err), &err);
	json_t *o = json_of(a, text);
	const char *jwt = json_string_value(json_object_get(o, "signed_metadata"));

	assert_non_null(jwt);
	ASSERT_OK(oidc_jws_parse(a, bytes_of(jwt), &jws, &err), &err);
	ASSERT_OK(oidc_jws_verify(a, &jws, &ours, &s, &err), &err);
	assert_true(oidc_signed_typ_is(s, "server-metadata+jwt"));
	json_t *claims = json_deep_copy(oidc_signed_claims(s));

	expect(claims, "iss", "\"https://idp.example\"");
	expect(claims, "iat", "1800000000");
	json_object_del(claims, "iss");
	json_object_del(claims, "iat");
	json_object_del(o, "signed_metadata");
	assert_true(json_equal(claims, o));
	json_decref(claims);
	assert_true(json_equal(o, json_of(a, oidc_discovery_build(a, &d))));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_follows_the_tables),
		cmocka_unit_test(the_signed_document_says_the_same),
		cmocka_unit_test(certificates_are_offered_where_they_are_asked_for),
	};

	return cmocka_run_group_tests_name("discovery", tests, setup, teardown);
}
