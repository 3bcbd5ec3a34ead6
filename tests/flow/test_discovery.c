/* What OpenID Connect clients read about us: two documents, one of them signed, and the keys. */
#include <string.h>

#include "idp/publish.h"
#include "oidc/jws.h"
#include "tests/flow/world.h"
#include "tests/test.h"

static struct world *w;
static enum err_kind no_signature; /* how signing fails; ERR_NONE: it does not */
static struct key_ops real_ops;

static bool
sign(void *ctx, struct arena *a, const char *kid, enum sig_alg alg, struct bytes text,
     struct bytes *sig, struct err *err)
{
	if (no_signature != ERR_NONE)
		return FAIL(err, no_signature, NULL, "the test's outage");
	return real_ops.sign(ctx, a, kid, alg, text, sig, err);
}

struct key_ops __real_signer_key_ops(struct signer *s);
struct key_ops __wrap_signer_key_ops(struct signer *s);
struct key_ops
__wrap_signer_key_ops(struct signer *s)
{
	real_ops = __real_signer_key_ops(s);
	return (struct key_ops){real_ops.ctx, sign, real_ops.unwrap, real_ops.agree};
}

static int
fresh(void **state)
{
	int rc = world_fresh(state);

	w = *state;
	no_signature = ERR_NONE;
	return rc;
}

static json_t *
document(const char *path)
{
	struct err err = {0};
	struct web b;
	json_t *o;

	web_init(&b, w);
	web_get(&b, path);
	assert_int_equal(b.status, 200);
	ASSERT_OK(json_parse_object(w->a, bytes_of(b.body), 65536, &o, &err), &err);
	return o;
}

static bool
has(const json_t *o, const char *member, const char *word)
{
	const json_t *list = json_object_get(o, member);

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), word) == 0)
			return true;
	return false;
}

/* RFC 8414 2.1, by the keys that the other document leads to. */
static void
the_signed_document_is_the_other_one(void **state UNUSED)
{
	json_t *plain = document(DISCOVERY_PATH), *o = document(SERVER_PATH);
	const char *jwt = json_string_value(json_object_get(o, "signed_metadata"));
	const struct oidc_signed *s;
	struct oidc_jwks keys;
	struct oidc_jws jws;
	struct err err = {0};

	assert_string_equal(json_string_value(json_object_get(plain, "jwks_uri")), BASE JWKS_PATH);
	ASSERT_OK(oidc_jwks_parse(w->a, document(JWKS_PATH), OIDC_ALG_NONE, &keys, &err), &err);
	assert_string_equal(json_string_value(json_object_get(plain, "end_session_endpoint")),
			    BASE "/oidc/logout");
	assert_non_null(jwt);
	ASSERT_OK(oidc_jws_parse(w->a, bytes_of(jwt), &jws, &err), &err);
	ASSERT_OK(oidc_jws_verify(w->a, &jws, &keys, &s, &err), &err);
	assert_int_equal(json_integer_value(json_object_get(oidc_signed_claims(s), "iat")), w->now);
	json_object_del(o, "signed_metadata");
	assert_true(json_equal(o, plain));
	assert_null(json_object_get(plain, "signed_metadata"));
	/* Discovery 3: RS256 MUST be included; and no level that no login reaches. */
	assert_true(has(plain, "id_token_signing_alg_values_supported", "RS256"));
	assert_true(has(plain, "acr_values_supported", "substantial"));
	assert_false(has(plain, "acr_values_supported", "high"));
	assert_true(has(plain, "scopes_supported", "level3"));
	assert_true(has(plain, "scopes_supported", "person"));
	assert_false(has(plain, "scopes_supported", "level4"));
	assert_false(has(plain, "scopes_supported", "legalEntity"));
	assert_true(has(plain, "claims_supported", "name"));
	assert_false(has(plain, "claims_in_verified_claims_supported", "name"));
}

/* Clients go on finding us while no key signs; then the snapshot is made anew. */
static void
without_a_key_in_reach_it_is_not_signed(void **state UNUSED)
{
	const struct snapshot *snap;

	no_signature = ERR_UNAVAILABLE;
	world_reload(w);
	assert_true(json_equal(document(SERVER_PATH), document(DISCOVERY_PATH)));
	snap = snapshot_hold(&w->app.snapshots);
	assert_true(snap->stale);
	snapshot_release(snap);
	no_signature = ERR_NONE;
	world_reload(w);
	assert_non_null(json_object_get(document(SERVER_PATH), "signed_metadata"));
	snap = snapshot_hold(&w->app.snapshots);
	assert_false(snap->stale);
	snapshot_release(snap);
}

/* A refusal is not an outage: what cannot be signed is not shown as if it needed no signature. */
static void
a_signature_that_is_refused_fails_the_snapshot(void **state UNUSED)
{
	struct snapshot *snap = snapshot_create((size_t)64 * 1024 * 1024);
	struct err err = {0};

	no_signature = ERR_DENIED;
	snap->keyring = w->signer->keys;
	ASSERT_REFUSED(publish_documents(&w->app, snap, w->now, &err), &err, ERR_DENIED, "outage");
	snapshot_release(snap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_signed_document_is_the_other_one, fresh),
		cmocka_unit_test_setup(without_a_key_in_reach_it_is_not_signed, fresh),
		cmocka_unit_test_setup(a_signature_that_is_refused_fails_the_snapshot, fresh),
	};

	return cmocka_run_group_tests_name("discovery", tests, world_setup, world_teardown);
}
