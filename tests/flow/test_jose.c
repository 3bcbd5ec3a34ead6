/* What a client's record says of the tokens it gets: signed how, encrypted to which key. */
#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "idp/jose.h"
#include "oidc/jws.h"
#include "tests/flow/world.h"

#define PASSWORD "Lachs-Turmuhr-47"
#define LOGIN    "login_name=erika&password=" PASSWORD "&do=login"

static const char *const erika[] = {"given_names", "Erika", "family_name", "Mustermann", NULL};

static int
setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	world_person(*state, "erika", PASSWORD, erika, LEVEL_SUBSTANTIAL);
	return world_fresh(state);
}

/* The portal's keys to encrypt to, each with a kid of the test's key ops. */
static const char *
portal_jwks(struct world *w)
{
	struct oidc_enc_jwk enc[] = {
		{w->keys->dec_p256.kid, OIDC_KEY_P256, OIDC_JWE_ALG_NONE, w->keys->dec_p256.pub},
		{w->keys->dec_rsa.kid, OIDC_KEY_RSA, OIDC_JWE_ALG_NONE, w->keys->dec_rsa.pub},
	};
	struct err err = {0};
	const char *text;

	ASSERT_OK(oidc_jwks_build(w->a, &(struct oidc_jwks){.enc = enc, .n_enc = 2}, &text, &err),
		  &err);
	return text;
}

static void
portal_wants(struct world *w, const char *members)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(OIDC_SECRET), digest);
	world_oidc_document(w,
			    arena_printf(w->a,
					 "{\"metadata\":{\"client_id\":\"" OIDC_CLIENT
					 "\",\"redirect_uris\":[\"" OIDC_BACK
					 "\"],\"scope\":\"openid profile\","
					 "\"jwks\":%s%s},\"secret_sha256\":\"%s\"}",
					 portal_jwks(w), members,
					 enc_hex(w->a, (struct bytes){digest, sizeof(digest)})),
			    "{}");
}

/* Log in; what the token endpoint says. */
static const json_t *
tokens(struct world *w, struct web *b)
{
	web_init(b, w);
	web_get(b, oidc_request_url(w, "openid profile", ""));
	if (b->status == 200 && web_field(b, "password") != NULL)
		web_submit(b, "/flow/password/", LOGIN);
	if (b->status == 200)
		web_submit(b, "/flow/consent/", "attr_given_names=1&attr_family_name=1&do=agree");
	assert_int_equal(b->status, 303);
	web_token(b, oidc_basic(w), oidc_redeem_form(w, location_param(b, "code")));
	return b->status == 200 ? web_json(b) : NULL;
}

/* Opened with the portal's private keys: the signed token that was inside. */
static const char *
opened(struct world *w, const char *compact)
{
	struct oidc_enc_jwk keys[] = {
		{w->keys->dec_p256.kid, OIDC_KEY_P256, OIDC_JWE_ALG_NONE, w->keys->dec_p256.pub},
		{w->keys->dec_rsa.kid, OIDC_KEY_RSA, OIDC_JWE_ALG_NONE, w->keys->dec_rsa.pub},
	};
	struct oidc_jwe_keys portal = {&w->keys->ops, keys, 2};
	struct bytes plain;
	struct err err = {0};

	assert_true(oidc_is_jwe(bytes_of(compact)));
	ASSERT_OK(oidc_jwe_open(w->a, bytes_of(compact), &portal, &plain, &err), &err);
	return arena_strndup(w->a, (const char *)plain.p, plain.n);
}

static const json_t *
verified(struct world *w, const char *compact, enum oidc_alg alg)
{
	struct oidc_jws jws;
	struct err err = {0};

	ASSERT_OK(oidc_jws_parse(w->a, bytes_of(compact), &jws, &err), &err);
	assert_int_equal(jws.alg, alg);
	return oidc_token_says(w, compact);
}

static void
id_tokens_are_signed_as_the_record_says(void **state)
{
	static const struct {
		const char *word;
		enum oidc_alg alg;
	} rows[] = {{"ES256", OIDC_ES256},
		    {"RS256", OIDC_RS256},
		    {"PS256", OIDC_PS256},
		    {"ES384", OIDC_ES384}};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		portal_wants(w, arena_printf(w->a, ",\"id_token_signed_response_alg\":\"%s\"",
					     rows[i].word));
		assert_string_equal(text_member(verified(w, text_member(tokens(w, &b), "id_token"),
							 rows[i].alg),
						"aud"),
				    OIDC_CLIENT);
	}
}

static void
an_id_token_is_signed_and_then_encrypted(void **state)
{
	static const char *const algs[] = {"ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW",
					   "RSA-OAEP-256"};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		portal_wants(w, arena_printf(w->a, ",\"id_token_encrypted_response_alg\":\"%s\"",
					     algs[i]));
		const json_t *t = tokens(w, &b);
		const char *inner = opened(w, text_member(t, "id_token"));

		assert_string_equal(text_member(verified(w, inner, OIDC_ES256), "iss"), BASE);
		/* Userinfo goes on in plain JSON, over TLS, until the record asks otherwise. */
		web_userinfo(&b, text_member(t, "access_token"));
		assert_string_equal(web_member(&b, "family_name"), "Mustermann");
	}
}

static void
userinfo_is_signed_as_the_record_says(void **state)
{
	struct world *w = *state;
	struct web b;

	portal_wants(w, ",\"userinfo_signed_response_alg\":\"RS256\"");
	web_userinfo(&b, text_member(tokens(w, &b), "access_token"));
	assert_int_equal(b.status, 200);
	assert_string_equal(b.type, "application/jwt");
	const json_t *claims = verified(w, b.body, OIDC_RS256);

	assert_string_equal(text_member(claims, "iss"), BASE);
	assert_string_equal(text_member(claims, "aud"), OIDC_CLIENT);
	assert_string_equal(text_member(claims, "family_name"), "Mustermann");
	assert_int_equal(strlen(text_member(claims, "sub")), 43);
}

static void
userinfo_is_signed_and_then_encrypted(void **state)
{
	struct world *w = *state;
	struct web b;

	portal_wants(w, ",\"userinfo_signed_response_alg\":\"PS256\","
			"\"userinfo_encrypted_response_alg\":\"RSA-OAEP-256\","
			"\"userinfo_encrypted_response_enc\":\"A256GCM\"");
	web_userinfo(&b, text_member(tokens(w, &b), "access_token"));
	assert_int_equal(b.status, 200);
	assert_string_equal(b.type, "application/jwt");
	assert_string_equal(text_member(verified(w, opened(w, b.body), OIDC_PS256), "family_name"),
			    "Mustermann");
}

/* JARM 2.2: the answer of the authorization endpoint, errors as well. */
static void
an_answer_is_signed_and_then_encrypted(void **state)
{
	static const char *const wanted[] = {"", "&prompt=none+login"};
	struct world *w = *state;
	struct web b;

	portal_wants(w, ",\"authorization_encrypted_response_alg\":\"RSA-OAEP-256\","
			"\"authorization_encrypted_response_enc\":\"A256GCM\","
			"\"authorization_signed_response_alg\":\"PS256\"");
	tokens(w, &b);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		web_get(&b,
			oidc_request_url(w, "openid profile",
					 arena_printf(w->a, "&response_mode=jwt%s", wanted[i])));
		assert_null(location_param(&b, "state"));
		const char *inner = opened(w, location_param(&b, "response"));
		const json_t *told = verified(w, inner, OIDC_PS256);

		assert_string_equal(text_member(told, "iss"), BASE);
		assert_string_equal(text_member(told, "aud"), OIDC_CLIENT);
		assert_string_equal(text_member(told, "state"), "s1");
		if (i == 1) {
			assert_string_equal(text_member(told, "error"), "invalid_request");
			continue;
		}
		web_token(&b, oidc_basic(w), oidc_redeem_form(w, text_member(told, "code")));
		assert_int_equal(b.status, 200);
	}
}

/* Core 3.1.2.1: the client takes the hint out of what we encrypted, and may encrypt it to us. */
static void
a_hint_may_be_encrypted_to_us(void **state)
{
	struct world *w = *state;
	struct oidc_jwks set;
	struct err err = {0};
	const char *hint;
	struct web b;

	portal_wants(w, ",\"id_token_encrypted_response_alg\":\"ECDH-ES\"");
	const char *token = text_member(tokens(w, &b), "id_token");
	const char *inner = opened(w, token);

	web_get(&b, "/oidc/jwks");
	ASSERT_OK(oidc_jwks_parse(w->a, web_json(&b), OIDC_ALG_NONE, &set, &err), &err);
	ASSERT_OK(oidc_jwe_build(w->a, oidc_jwks_find_enc(&set, OIDC_ECDH_ES), OIDC_ECDH_ES,
				 OIDC_A128GCM, "JWT", NULL, bytes_of(inner), &hint, &err),
		  &err);
	const char *const hints[] = {inner, hint};

	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		web_get(&b, oidc_request_url(
				    w, "openid profile",
				    arena_printf(w->a, "&prompt=none&id_token_hint=%s", hints[i])));
		assert_non_null(location_param(&b, "code"));
	}
	/* What is for the client alone, and what is none. */
	ASSERT_OK(oidc_jwe_build(w->a, oidc_jwks_find_enc(&set, OIDC_ECDH_ES), OIDC_ECDH_ES,
				 OIDC_A128GCM, "JWT", NULL, bytes_of("a\xff"), &hint, &err),
		  &err);
	const char *const wrong[] = {token, hint};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		web_get(&b, oidc_request_url(
				    w, "openid profile",
				    arena_printf(w->a, "&prompt=none&id_token_hint=%s", wrong[i])));
		assert_string_equal(location_param(&b, "error"), "invalid_request");
	}
	/* At logout the same. */
	web_get(&b, arena_printf(w->a, "/oidc/logout?id_token_hint=%s", token));
	assert_int_equal(b.status, 400);
	web_get(&b, "/oidc/jwks");
	ASSERT_OK(oidc_jwe_build(w->a, oidc_jwks_find_enc(&set, OIDC_ECDH_ES), OIDC_ECDH_ES,
				 OIDC_A128GCM, "JWT", NULL, bytes_of(inner), &hint, &err),
		  &err);
	web_get(&b, arena_printf(w->a, "/oidc/logout?id_token_hint=%s", hint));
	assert_int_equal(b.status, 200);
	assert_null(web_cookie(&b, "__Host-session"));
}

/* What clients read about us follows the keys: signing algorithms, keys to encrypt to. */
static void
discovery_and_key_set_follow_the_keys(void **state)
{
	struct world *w = *state;
	struct oidc_jwks set;
	struct err err = {0};
	struct web b;

	web_init(&b, w);
	web_get(&b, "/.well-known/openid-configuration");
	assert_non_null(strstr(b.body, "\"id_token_signing_alg_values_supported\":[\"ES256\","
				       "\"RS256\",\"PS256\",\"ES384\"]"));
	web_get(&b, "/oidc/jwks");
	ASSERT_OK(oidc_jwks_parse(w->a, web_json(&b), OIDC_ALG_NONE, &set, &err), &err);
	assert_int_equal(set.n, 4);
	assert_int_equal(set.n_enc, 3); /* brainpool has no name in JOSE */
	assert_non_null(oidc_jwks_find_enc(&set, OIDC_RSA_OAEP_256));
	assert_non_null(oidc_jwks_find_enc(&set, OIDC_ECDH_ES));
}

static void
what_is_encrypted_to_us_opens(void **state)
{
	struct world *w = *state;
	struct request rq = {.a = w->a, .app = &w->app};
	struct oidc_jwe_keys ours;
	struct oidc_jwks set;
	struct err err = {0};
	const char *compact;
	struct bytes plain;
	struct web b;

	web_init(&b, w);
	web_get(&b, "/oidc/jwks");
	ASSERT_OK(oidc_jwks_parse(w->a, web_json(&b), OIDC_ALG_NONE, &set, &err), &err);
	rq.snap = snapshot_hold(&w->app.snapshots);
	jose_decryption_keys(&rq, &ours);
	for (int alg = OIDC_ECDH_ES; alg <= OIDC_ECDH_ES_A256KW; alg++) {
		ASSERT_OK(oidc_jwe_build(w->a, oidc_jwks_find_enc(&set, (enum oidc_jwe_alg)alg),
					 (enum oidc_jwe_alg)alg, OIDC_A256CBC_HS512, NULL, NULL,
					 bytes_of("asked"), &compact, &err),
			  &err);
		ASSERT_OK(oidc_jwe_open(w->a, bytes_of(compact), &ours, &plain, &err), &err);
		assert_true(bytes_eq(plain, bytes_of("asked")));
	}
	snapshot_release(rq.snap);
}

static void
pss_key_is(struct world *w, enum key_state to)
{
	const struct key *k;

	for (size_t i = 0; (k = keyring_each(w->signer->keys, &i)) != NULL;)
		if (k->row.purpose == KEY_OIDC_SIGN && k->row.type == KEY_RSA_PSS)
			((struct key *)(uintptr_t)k)->row.state = to;
}

/* The code is for another attempt when the key that would sign is not there. */
static void
an_algorithm_without_a_key_is_said_before_the_code_is_used(void **state)
{
	struct world *w = *state;
	const char *form;
	struct web b;

	portal_wants(w, ",\"id_token_signed_response_alg\":\"PS256\"");
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid profile", ""));
	if (b.status == 200 && web_field(&b, "password") != NULL)
		web_submit(&b, "/flow/password/", LOGIN);
	if (b.status == 200)
		web_submit(&b, "/flow/consent/", "attr_given_names=1&attr_family_name=1&do=agree");
	form = oidc_redeem_form(w, location_param(&b, "code"));
	pss_key_is(w, KEY_RETIRED);
	web_token(&b, oidc_basic(w), form);
	assert_int_equal(b.status, 503);
	pss_key_is(w, KEY_ACTIVE);
	web_token(&b, oidc_basic(w), form);
	assert_int_equal(b.status, 200);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, world_fresh)
	const struct CMUnitTest tests[] = {
		T(id_tokens_are_signed_as_the_record_says),
		T(an_id_token_is_signed_and_then_encrypted),
		T(userinfo_is_signed_as_the_record_says),
		T(userinfo_is_signed_and_then_encrypted),
		T(an_answer_is_signed_and_then_encrypted),
		T(a_hint_may_be_encrypted_to_us),
		T(discovery_and_key_set_follow_the_keys),
		T(what_is_encrypted_to_us_opens),
		T(an_algorithm_without_a_key_is_said_before_the_code_is_used),
	};

	return cmocka_run_group_tests_name("flow jose", tests, setup, world_teardown);
}
