/*
 * An HSM process on a thread, with SoftHSM behind a module that fails on command, and a node whose
 * active keys lie in it.
 */
#ifndef KONTOR_TESTS_KEYS_TEST_HSM_NODE_H
#define KONTOR_TESTS_KEYS_TEST_HSM_NODE_H

#include <pthread.h>

#include "keys/hsm_core.h"
#include "keys/keyring.h"
#include "tests/keys/test_signer_thread.h"
#include "tests/keys/test_token.h"

#define TEST_HSM_ARENA_BYTES ((size_t)16 << 20)
#define TEST_HSM_NOW         ((time_t)1800000000)
#define TEST_HSM_LONG_US     20000000 /* where the HSM is to answer, on whatever machine */
#define TEST_HSM_SHORT_US    300000   /* where it is not */

struct test_hsm {
	struct arena *a;
	struct hsm_core *core;
	pthread_t thread;
	int fds[2]; /* fds[0] is ours */
	bool ended_well;
};

struct hsm_settings test_hsm_settings(int64_t timeout_us);

/* s NULL: it has no secrets yet. */
struct test_hsm *test_hsm_start(struct arena *a, enum signer_role role,
				const struct hsm_settings *s, const char *instance);

/* Our end was given away or closed; calls into the module come back. */
void test_hsm_stop(struct test_hsm *h);

/* A client whose HSM is h, for commands. */
struct signer *test_hsm_client(struct test_hsm *h);

enum { SAML_P256, OIDC_RSA, DECRYPT_P256, TEST_HSM_ROWS };
extern const struct key_wish test_hsm_wishes[TEST_HSM_ROWS];

/* Their rows and the labels of their objects, once they are made: RSA keys take their time. */
extern struct key_row test_hsm_rows[TEST_HSM_ROWS];
extern const char *test_hsm_labels[TEST_HSM_ROWS];
void test_hsm_make_rows(void);

/* The sealed ones, retired where a row of the HSM takes their place, and these rows. */
const struct keyring *test_hsm_mixed_keys(struct arena *a, const struct keyring *sealed);

/* A signer with keys of its own, an HSM with others, which are the active ones. */
struct test_node {
	struct test_hsm *hsm;
	struct signer *s;
	const struct keyring *keys;
	struct key_ops ops;
};

struct test_node test_node_start(struct arena *a, const struct hsm_settings *set);

/* The arena ends the signer, whose client closes the HSM's socket. */
void test_node_stop(struct test_node *n, struct arena *a);

struct bytes test_node_text(struct arena *a, const char *kid, const char *alg);

/* A Redirect query that names the algorithm. */
struct bytes test_node_query(void);

/* With the key of the HSM; what it makes verifies. */
MUST_USE bool test_node_sign_saml(struct test_node *n, struct arena *a, struct err *err);

/* With a key that lies in its row: that works whatever the HSM does. */
void test_node_sign_elsewhere(struct test_node *n, struct arena *a);

/* Until test_node_sign_saml works. */
void test_node_wait(struct test_node *n);

/* In memory of its own, good until the next look: it may be asked for often. */
struct signer_hsm test_node_look(struct test_node *n);

/* How often sealed keys of that purpose were used, by the signer's own count. */
uint64_t test_node_sealed_uses(struct test_node *n, struct arena *a, enum key_purpose purpose);

#endif
