/*
 * A signer for tests: the real core behind a real socket, on threads of this
 * process instead of in a process of its own.
 */
#ifndef KONTOR_TESTS_KEYS_TEST_SIGNER_THREAD_H
#define KONTOR_TESTS_KEYS_TEST_SIGNER_THREAD_H

#include <pthread.h>

#include "keys/masterfile.h"
#include "keys/sign.h"
#include "keys/signer.h"

#define TEST_INSTANCE   "test"
#define TEST_TIMEOUT_US 100000000 /* slow machines under sanitizers make RSA keys */

/*
 * Start one with two threads; returns our end of its socket, which the caller
 * closes (or gives to signer_create) before the arena goes; with the arena go the
 * threads.  secrets NULL: it has none yet.
 */
int test_signer_start(struct arena *a, enum signer_role role, const struct masterfile *secrets);

/* Two master generations and three epochs, fixed. */
const struct masterfile *test_signer_secrets(void);

struct test_signer {
	struct signer *s;           /* role serve, every key loaded; goes with the arena */
	const struct keyring *keys; /* an active key of each purpose and type */
};

/* Everything that idp/ needs of keys/.  The keys are made once per process. */
struct test_signer *test_signer_create(struct arena *a);

/* The kid of the active key. */
const char *test_signer_kid(const struct test_signer *t, enum key_purpose purpose,
			    enum key_type type);

/* Ask for the status and say what kind of failure that was; ERR_NONE: it answered. */
enum err_kind test_ask(struct signer *s);

/* Threads that each ask once. */
#define TEST_ASKERS 5

struct test_askers {
	pthread_t threads[TEST_ASKERS];
};

void test_askers_start(struct test_askers *askers, struct signer *s);

/* Wait for all of them; how many ended with this kind. */
size_t test_askers_refused(struct test_askers *askers, enum err_kind kind);

#endif
