/* Readers and writers of OpenID Connect without memory. */
#include "oidc/authorize.h"
#include "oidc/client_auth.h"
#include "oidc/id_token.h"
#include "oidc/logout.h"
#include "oidc/token.h"
#include "tests/fail/functions.h"
#include "tests/oidc/support.h"

#define NOW ((time_t)1800000000)

static bool
token(struct arena *a, const char *in, const char **text, struct err *err)
{
	const char *at = strchr(in, '\n');
	const struct oidc_signed *s;
	struct oidc_jwks set;
	struct oidc_jws jws;
	json_t *o;

	if (!json_parse_object(a, bytes_of(at + 1), 65536, &o, err) ||
	    !oidc_jwks_parse(a, o, OIDC_RS256, &set, err) ||
	    !oidc_jws_parse(a, (struct bytes){(const unsigned char *)in, (size_t)(at - in)}, &jws,
			    err) ||
	    !oidc_jws_verify(a, &jws, &set, &s, err))
		return false;
	*text = json_text(a, oidc_signed_claims(s), true);
	return true;
}

static const char *
token_and_keys(enum oidc_alg alg, const char *name, bool broken)
{
	const char *header = arena_printf(kept, "{\"alg\":\"%s\",\"kid\":\"k\"}", name);
	char *made = arena_strdup(kept, token_of(kept, alg, header, "{\"sub\":\"erika\"}"));

	if (broken)
		made[strlen(made) - 10] = made[strlen(made) - 10] == 'A' ? 'B' : 'A';
	return arena_printf(kept, "%s\n%s", made, public_jwks(kept, alg, "k"));
}

static bool
client(struct arena *a, const char *in, const char **text, struct err *err)
{
	static const char *const scopes[] = {"openid", "profile"};
	static const struct oidc_client_rules rules = {.scopes = {scopes, 2}};
	struct oidc_client *c;
	struct oidc_strs unknown;

	if (!oidc_client_parse(a, bytes_of(in), NULL, &rules, &c, &unknown, err))
		return false;
	*text = json_text(a, oidc_client_build(a, c), true);
	return true;
}

/* What comes before the first line break is the claims parameter. */
static bool
authorize(struct arena *a, const char *in, const char **text, struct err *err)
{
	static const char *const scopes[] = {"openid", "profile"};
	static const struct oidc_client c = {
		.client_id = "c1",
		.scopes = {scopes, 2},
		.default_max_age_s = -1,
		.profile = &oidc_profiles[0],
		.response_types = OIDC_TYPE_CODE,
	};
	const struct param list[] = {
		{"response_type", "code"},
		{"client_id", "c1"},
		{"redirect_uri", "https://portal.example/back"},
		{"scope", "openid profile"},
		{"code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
		{"code_challenge_method", "S256"},
		{"acr_values", "high substantial"},
		{"prompt", "login consent"},
		{"claims", in},
	};
	const struct params ps = {list, ARRAY_LEN(list)};
	struct oidc_authorize rq;
	struct oidc_start start;

	if (!oidc_authorize_start(&ps, &start, err) || !oidc_authorize_parse(a, &ps, &c, &rq, err))
		return false;
	*text = arena_printf(a, "%zu %u %zu %zu %s %d", rq.scopes.n, rq.prompt, rq.acr.n,
			     rq.claims.n, rq.claims.n == 0 ? "" : rq.claims.p[0].name,
			     rq.claims.n > 0 && rq.claims.p[0].essential);
	return true;
}

static bool
client_auth(struct arena *a, const char *in, const char **text, struct err *err)
{
	static const struct oidc_server server = {.issuer = "https://idp.example",
						  .token_endpoint =
							  "https://idp.example/oidc/token"};
	const struct param list[] = {
		{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		{"client_assertion", in}};
	const struct params ps = {list, ARRAY_LEN(list)};
	const struct oidc_jwk key = public_key(OIDC_ES256, "k");
	const struct oidc_client c = {.client_id = "c1",
				      .auth_method = OIDC_AUTH_PRIVATE_KEY,
				      .jwks = {.keys = &key, .n = 1}};
	struct oidc_client_proof proof = {0};
	struct oidc_client_auth auth;

	if (!oidc_client_auth_parse(a, NULL, &ps, &auth, err) ||
	    !oidc_client_auth_check(a, &auth, &c, &server, NOW, &proof, err))
		return false;
	*text = arena_printf(a, "%s %lld", proof.jti, (long long)proof.jti_expires);
	return proof.client == &c;
}

static const char *
assertion(const char *aud)
{
	return token_of(kept, OIDC_ES256, "{\"alg\":\"ES256\",\"kid\":\"k\"}",
			arena_printf(kept,
				     "{\"iss\":\"c1\",\"sub\":\"c1\",\"aud\":\"%s\","
				     "\"exp\":1800000060,\"jti\":\"j1\"}",
				     aud));
}

static bool
id_token(struct arena *a, const char *in UNUSED, const char **text, struct err *err)
{
	static const char *const amr[] = {"pwd", "otp"};
	struct oidc_id_token t = {
		.issuer = "https://idp.example",
		.sub = "pairwise",
		.client_id = "c1",
		.sid = "s1",
		.nonce = "n1",
		.acr = "substantial",
		.amr = {amr, 2},
		.auth_time = NOW - 60,
		.lifetime_s = 300,
		.access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
	};
	const struct oidc_claim_value values[] = {
		{"family_name", "Mustermann", false, NULL, "low", 1, NULL},
		{"nationalities", "DE", true, "low", NULL, 0, NULL},
		{"address.locality", "Dresden", false, NULL, NULL, 0, NULL}};
	const struct oidc_claim wishes[] = {
		{.name = "family_name",
		 .essential = false,
		 .in_id_token = true,
		 .in_userinfo = true},
		{.name = "nationalities",
		 .essential = false,
		 .in_id_token = true,
		 .in_userinfo = true},
		{.name = "address", .essential = false, .in_id_token = true, .in_userinfo = true}};
	const struct oidc_claims wanted = {.p = wishes, .n = 3};
	struct oidc_token_response answer = {
		.access_token = t.access_token, .expires_in_s = 300, .scope = "openid"};
	json_t *claims = json_new_object(a);

	oidc_claims_put(a, values, ARRAY_LEN(values), &wanted, OIDC_IN_ID_TOKEN, claims);
	t.claims = claims;
	if (!oidc_id_token_build(a, &keys->ops, keys->rsa.kid, OIDC_RS256, &t, NOW,
				 &answer.id_token, err))
		return false;
	*text = oidc_token_response_build(a, &answer);
	return true;
}

static bool
hint(struct arena *a, const char *in, const char **text, struct err *err)
{
	const struct oidc_jwk key = {keys->rsa.kid, OIDC_RS256, keys->rsa.pub};
	const struct oidc_jwks ours = {.keys = &key, .n = 1};
	struct oidc_hint h;

	if (!oidc_hint_verify(a, in, &ours, "https://idp.example", &h, err))
		return false;
	*text = arena_printf(a, "%s %s %s", h.client_id, h.sub, h.sid);
	return true;
}

static const char *
hint_text(const char *issuer)
{
	struct oidc_id_token t = {.issuer = issuer,
				  .sub = "pairwise",
				  .client_id = "c1",
				  .sid = "s1",
				  .auth_time = NOW,
				  .lifetime_s = 300,
				  .access_token = "a"};
	struct err err = {0};
	const char *out;

	ASSERT_OK(oidc_id_token_build(kept, &keys->ops, keys->rsa.kid, OIDC_RS256, &t, NOW, &out,
				      &err),
		  &err);
	return out;
}

/* ---- rows ---- */

static void
messages_of_openid_connect(void **state UNUSED)
{
	const struct row rows[] = {
		{"token ES256", token, token_and_keys(OIDC_ES256, "ES256", false), true},
		{"token ES256 changed", token, token_and_keys(OIDC_ES256, "ES256", true), false},
		{"token RS256", token, token_and_keys(OIDC_RS256, "RS256", false), true},
		{"token RS256 changed", token, token_and_keys(OIDC_RS256, "RS256", true), false},
		{"token EdDSA", token, token_and_keys(OIDC_EDDSA, "EdDSA", false), true},
		{"token EdDSA changed", token, token_and_keys(OIDC_EDDSA, "EdDSA", true), false},
		{"client", client,
		 arena_printf(kept,
			      "{\"client_id\":\"c1\",\"redirect_uris\":[\"https://p.example/cb\"],"
			      "\"scope\":\"openid profile\",\"client_name#de\":\"Portal\","
			      "\"token_endpoint_auth_method\":\"private_key_jwt\",\"jwks\":%s}",
			      public_jwks(kept, OIDC_ES256, "k")),
		 true},
		{"client without an address", client, "{\"client_id\":\"c1\"}", false},
		{"authorization request", authorize,
		 "{\"id_token\":{\"family_name\":{\"essential\":true}}}", true},
		{"authorization request with broken claims", authorize, "{\"id_token\":[]}", false},
		{"client assertion", client_auth, assertion("https://idp.example"), true},
		{"client assertion for another", client_auth, assertion("https://x.example"),
		 false},
		{"ID token", id_token, "", true},
		{"id_token_hint", hint, hint_text("https://idp.example"), true},
		{"id_token_hint of another", hint, hint_text("https://x.example"), false},
	};

	functions_sweep(rows, ARRAY_LEN(rows));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FUNCTIONS_TEST(messages_of_openid_connect),
	};

	return cmocka_run_group_tests_name("fail oidc", tests, functions_setup, functions_teardown);
}
