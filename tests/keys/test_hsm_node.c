/* An HSM on a thread and a node that uses it; see test_hsm_node.h. */
#include "tests/test.h"

#include "tests/keys/test_hsm_node.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/keys/test_keys.h"

/* ---- an HSM process on a thread ---- */

static void *
serve(void *arg)
{
	struct test_hsm *h = arg;

	h->ended_well = hsm_core_serve(h->core, h->fds[1]);
	return NULL;
}

struct hsm_settings
test_hsm_settings(int64_t timeout_us)
{
	return (struct hsm_settings){.module = getenv("KONTOR_P11_MODULE"),
				     .token = TEST_TOKEN,
				     .pin = TEST_TOKEN_PIN,
				     .sessions = 2,
				     .queue = 6,
				     .timeout_us = timeout_us};
}

struct test_hsm *
test_hsm_start(struct arena *a, enum signer_role role, const struct hsm_settings *s,
	       const char *instance)
{
	struct test_hsm *h = ARENA_NEW(a, struct test_hsm);
	struct err err = {0};

	test_token_fault(NULL);
	h->a = a;
	ASSERT_OK(signer_socketpair(h->fds, &err) && hsm_core_create(role, &h->core, &err), &err);
	assert_int_equal(pthread_create(&h->thread, NULL, serve, h), 0);
	if (s != NULL)
		ASSERT_OK(hsm_send_secrets(h->fds[0], instance, test_signer_secrets(), s,
					   TEST_HSM_LONG_US, &err),
			  &err);
	return h;
}

void
test_hsm_stop(struct test_hsm *h)
{
	test_token_fault(NULL);
	pthread_join(h->thread, NULL);
	hsm_core_destroy(h->core);
	close(h->fds[1]);
}

/* ---- keys ---- */

const struct key_wish test_hsm_wishes[TEST_HSM_ROWS] = {
	[SAML_P256] = {KEY_SAML_SIGN, KEY_P256, 30},
	[OIDC_RSA] = {KEY_OIDC_SIGN, KEY_RSA3072, 30},
	[DECRYPT_P256] = {KEY_DECRYPT, KEY_P256, 30},
};
struct key_row test_hsm_rows[TEST_HSM_ROWS];
const char *test_hsm_labels[TEST_HSM_ROWS];

struct signer *
test_hsm_client(struct test_hsm *h)
{
	struct signer *s;
	struct err err = {0};

	ASSERT_OK(signer_create(-1, TEST_HSM_LONG_US, &s, &err), &err);
	ASSERT_OK(signer_add_hsm(s, h->fds[0], 10 * TEST_HSM_LONG_US, &err), &err);
	return s;
}

void
test_hsm_make_rows(void)
{
	static struct arena *kept;
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct err err = {0};

	if (kept != NULL)
		return;
	kept = arena_create(TEST_HSM_ARENA_BYTES);
	struct test_hsm *h = test_hsm_start(kept, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = test_hsm_client(h);

	for (size_t i = 0; i < TEST_HSM_ROWS; i++) {
		ASSERT_OK(signer_hsm_generate(s, kept, &test_hsm_wishes[i], NULL, TEST_HSM_NOW,
					      &test_hsm_rows[i], &test_hsm_labels[i], &err),
			  &err);
		test_hsm_rows[i].state = KEY_ACTIVE;
	}
	signer_destroy(s);
	test_hsm_stop(h);
}

const struct keyring *
test_hsm_mixed_keys(struct arena *a, const struct keyring *sealed)
{
	struct key_row *all = ARENA_ARRAY(a, struct key_row, 32);
	const struct keyring *kr;
	const struct key *k;
	struct err err = {0};
	size_t n = 0;

	for (size_t i = 0; (k = keyring_each(sealed, &i)) != NULL;) {
		all[n] = k->row;
		for (size_t r = 0; r < TEST_HSM_ROWS; r++)
			if (test_hsm_rows[r].purpose == k->row.purpose &&
			    test_hsm_rows[r].type == k->row.type)
				all[n].state = KEY_RETIRED;
		n++;
	}
	for (size_t r = 0; r < TEST_HSM_ROWS; r++)
		all[n++] = test_hsm_rows[r];
	ASSERT_OK(keyring_create(a, all, n, &kr, &err), &err);
	return kr;
}

struct test_node
test_node_start(struct arena *a, const struct hsm_settings *set)
{
	struct test_signer *t = test_signer_create(a);
	struct test_node n = {.s = t->s};
	struct err err = {0};

	test_hsm_make_rows();
	n.keys = test_hsm_mixed_keys(a, t->keys);
	n.hsm = test_hsm_start(a, SIGNER_SERVE, set, TEST_INSTANCE);
	ASSERT_OK(signer_add_hsm(n.s, n.hsm->fds[0], TEST_HSM_LONG_US, &err), &err);
	ASSERT_OK(signer_load(n.s, n.keys, &err), &err);
	n.ops = signer_key_ops(n.s);
	return n;
}

void
test_node_stop(struct test_node *n, struct arena *a)
{
	struct test_hsm h = *n->hsm;

	test_token_fault(NULL);
	shutdown(h.fds[0], SHUT_RDWR);
	test_hsm_stop(&h);
	arena_destroy(a);
}

struct bytes
test_node_text(struct arena *a, const char *kid, const char *alg)
{
	return test_jws_input(a, alg, kid);
}

struct bytes
test_node_query(void)
{
	return bytes_of("SAMLResponse=x&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2F"
			"xmldsig-more%23ecdsa-sha256");
}

bool
test_node_sign_saml(struct test_node *n, struct arena *a, struct err *err)
{
	const struct key *k = keyring_active(n->keys, KEY_SAML_SIGN, KEY_P256);
	struct bytes sig;

	if (!n->ops.sign(n->ops.ctx, a, k->row.kid, SIG_ES256, test_node_query(), &sig, err))
		return false;
	assert_true(test_verifies(k->pub, SIG_ES256, test_node_query(), sig));
	return true;
}

void
test_node_sign_elsewhere(struct test_node *n, struct arena *a)
{
	const struct key *k = keyring_active(n->keys, KEY_OIDC_SIGN, KEY_P256);
	struct err err = {0};
	struct bytes sig;

	assert_int_equal(k->row.place, KEY_SEALED);
	ASSERT_OK(n->ops.sign(n->ops.ctx, a, k->row.kid, SIG_ES256,
			      test_node_text(a, k->row.kid, "ES256"), &sig, &err),
		  &err);
}

void
test_node_wait(struct test_node *n)
{
	int64_t until = clock_mono_us() + TEST_HSM_LONG_US;
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct err err = {0};

	while (!test_node_sign_saml(n, a, &err)) {
		if (clock_mono_us() > until)
			fail_msg("it does not come back: %s", err.text);
		err_clear(&err);
		arena_reset(a);
		usleep(20000);
	}
	arena_destroy(a);
}

struct signer_hsm
test_node_look(struct test_node *n)
{
	static unsigned char trouble[WIRE_LABEL_MAX];
	struct arena *a = arena_create((size_t)1 << 20);
	struct signer_hsm seen;

	signer_hsm_look(n->s, a, &seen);
	assert_true(strlen(seen.trouble) < sizeof(trouble));
	memcpy(trouble, seen.trouble, strlen(seen.trouble) + 1);
	seen.trouble = (const char *)trouble;
	arena_destroy(a);
	return seen;
}

uint64_t
test_node_sealed_uses(struct test_node *n, struct arena *a, enum key_purpose purpose)
{
	struct signer_status status;
	struct err err = {0};
	uint64_t uses = 0;

	ASSERT_OK(signer_status(n->s, a, &status, &err), &err);
	for (size_t i = 0; i < status.n_keys; i++) {
		const struct key *k = keyring_find(n->keys, status.keys[i].kid);

		assert_non_null(k);
		if (k->row.place == KEY_SEALED && k->row.purpose == purpose)
			uses += status.keys[i].uses;
	}
	return uses;
}
