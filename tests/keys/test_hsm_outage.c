/*
 * An HSM that is away, slow, wrong or another one (p11_fault.c): what needs its keys is refused
 * in time, nothing else signs in their place, and it comes back by itself.
 */
#include "tests/test.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/keys/test_hsm_node.h"
#include "tests/keys/test_keys.h"

/* ---- outages ---- */

static void
a_signature_that_is_not_the_keys_never_leaves(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct test_node n = test_node_start(a, &set);
	struct err err = {0};

	ASSERT_OK(test_node_sign_saml(&n, a, &err), &err);
	test_token_fault("wrong");
	ASSERT_REFUSED(test_node_sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE,
		       "is not one of this key");
	test_token_fault(NULL);
	ASSERT_OK(test_node_sign_saml(&n, a, &err), &err);
	test_node_stop(&n, a);
}

/* Whatever a session is lost to, the next one does it, unseen. */
static void
a_lost_session_is_opened_again(void **state UNUSED)
{
	static const char *const lost[] = {"once 0xb3", "once 0x32",  "once 0xe0",
					   "once 0x30", "once 0x101", "once 0x82"};
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct test_node n = test_node_start(a, &set);
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
		test_token_fault(lost[i]);
		ASSERT_OK(test_node_sign_saml(&n, a, &err), &err);
		assert_int_not_equal(access(test_token_fault_path, F_OK), 0);
	}
	test_node_stop(&n, a);
}

static void
when_the_token_is_away_nothing_signs_in_its_place(void **state UNUSED)
{
	static const char *const faults[] = {"fail 0xe0", "fail 0x5", "fail 0x30"};
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct test_node n = test_node_start(a, &set);
	const char *kid = test_hsm_rows[SAML_P256].kid;
	struct signer_hsm seen;
	struct err err = {0};

	ASSERT_OK(test_node_sign_saml(&n, a, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		test_token_fault(faults[i]);
		ASSERT_REFUSED(test_node_sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "HSM");
		assert_false(signer_key_ready(n.s, kid));
		assert_true(signer_key_ready(
			n.s, keyring_active(n.keys, KEY_OIDC_SIGN, KEY_P256)->row.kid));
		seen = test_node_look(&n);
		assert_false(seen.ready);
		assert_true(seen.failed > i && seen.trouble[0] != '\0');
		test_node_sign_elsewhere(&n, a);
		test_token_fault(NULL);
		test_node_wait(&n);
		seen = test_node_look(&n);
		assert_true(seen.ready && signer_key_ready(n.s, kid));
	}
	/* The retired key of the same purpose, which lies in its row, was never touched. */
	assert_int_equal(test_node_sealed_uses(&n, a, KEY_SAML_SIGN), 0);
	test_node_stop(&n, a);
}

/* As the HSM's own tools would take one of its keys away. */
static void
remove_object(struct arena *a, const char *label, enum key_type type)
{
	struct p11_options o = {getenv("KONTOR_P11_MODULE"), TEST_TOKEN, TEST_TOKEN_PIN};
	struct p11 *p = p11_create(a, &o);
	struct p11_session s = {0};
	struct p11_object object = {.label = label};
	struct err err = {0};

	ASSERT_OK(p11_adopt(p, &s, a, label, type, false, &object.id, &err), &err);
	p11_remove(p, &s, &object);
	p11_destroy(p);
}

static void
a_key_whose_object_is_gone_fails_alone(void **state UNUSED)
{
	static const struct key_wish wish = {KEY_OIDC_SIGN, KEY_P256, 30};
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct key_row both[2];
	const struct keyring *kr;
	const char *label;
	struct bytes sig;
	struct err err = {0};

	test_hsm_make_rows();
	struct test_hsm *h = test_hsm_start(a, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = test_hsm_client(h);

	ASSERT_OK(signer_hsm_generate(s, a, &wish, NULL, TEST_HSM_NOW, &both[0], &label, &err),
		  &err);
	signer_destroy(s);
	test_hsm_stop(h);
	remove_object(a, label, KEY_P256);
	struct test_node n = test_node_start(a, &set);

	both[1] = test_hsm_rows[SAML_P256];
	ASSERT_OK(keyring_create(a, both, 2, &kr, &err), &err);
	ASSERT_OK(signer_load(n.s, kr, &err), &err);
	for (int i = 0; i < 5; i++) {
		ASSERT_REFUSED(n.ops.sign(n.ops.ctx, a, both[0].kid, SIG_ES256,
					  test_node_text(a, both[0].kid, "ES256"), &sig, &err),
			       &err, ERR_UNAVAILABLE, "does not have the key's object");
		ASSERT_OK(test_node_sign_saml(&n, a, &err), &err);
		assert_true(test_node_look(&n).ready &&
			    signer_key_ready(n.s, test_hsm_rows[SAML_P256].kid));
	}
	usleep(1500000); /* an idle token is looked at meanwhile */
	assert_true(test_node_look(&n).ready);
	test_node_stop(&n, a);
}

/* Not only a request finds out: an idle token is looked after. */
static void
an_idle_token_is_seen_to_go_and_to_come(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct test_node n = test_node_start(a, &set);
	int64_t until = clock_mono_us() + TEST_HSM_LONG_US;
	struct signer_hsm seen = {.ready = false};

	for (int up = 1; up >= 0; up--) {
		test_token_fault(up ? NULL : "fail 0xe0");
		do {
			usleep(20000);
			seen = test_node_look(&n);
			assert_true(clock_mono_us() < until);
		} while (seen.ready != (up == 1));
	}
	test_token_fault(NULL);
	do {
		usleep(20000);
		seen = test_node_look(&n);
		assert_true(clock_mono_us() < until);
	} while (!seen.ready);
	test_node_stop(&n, a);
}

static void *
ask(void *arg)
{
	struct test_node *n = arg;
	struct arena *a = arena_create((size_t)1 << 20);
	struct err err = {0};
	bool ok = test_node_sign_saml(n, a, &err);

	arena_destroy(a);
	return (void *)(intptr_t)(ok ? ERR_NONE : err.kind);
}

static void
a_stall_is_answered_in_time_and_stops_nothing_else(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_SHORT_US);
	struct test_node n = test_node_start(a, &set);
	pthread_t threads[12];
	struct err err = {0};
	void *kind;

	test_node_wait(&n);
	test_token_fault("stall");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &n), 0);
	test_node_sign_elsewhere(&n, a);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], &kind);
		assert_int_equal((intptr_t)kind, ERR_UNAVAILABLE);
	}
	/* By now every session hangs: who asks is told so without waiting. */
	ASSERT_REFUSED(test_node_sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE,
		       "HSM: every session hangs");
	test_node_sign_elsewhere(&n, a);
	test_token_fault(NULL);
	test_node_wait(&n);
	assert_int_equal(test_node_sealed_uses(&n, a, KEY_SAML_SIGN), 0);
	test_node_stop(&n, a);
}

/* More at once than the table holds are refused at once, and the rest is done. */
static void
the_queue_is_bounded(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct test_node n = test_node_start(a, &set);
	pthread_t threads[12];
	size_t done = 0, refused = 0;
	struct signer_hsm seen;
	void *kind;

	test_node_wait(&n);
	uint64_t before = atomic_load(&n.hsm->core->refused);

	while (test_node_look(&n).jobs > 0) /* an answer is there before its place is free again */
		usleep(10000);
	test_token_fault("stall");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &n), 0);
	do {
		usleep(10000);
		seen = test_node_look(&n);
	} while (seen.jobs < set.queue);
	/* The six that found no place have their answer; the six others wait. */
	while (atomic_load(&n.hsm->core->refused) < before + 6)
		usleep(10000);
	test_token_fault(NULL);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], &kind);
		done += (intptr_t)kind == ERR_NONE;
		refused += (intptr_t)kind == ERR_UNAVAILABLE;
	}
	assert_int_equal(done, 6);
	assert_int_equal(refused, 6);
	test_node_stop(&n, a);
}

/* Then only a new process helps: this one says so, and its like are started again. */
static void
a_call_that_never_comes_back_ends_the_process(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(50000);
	struct test_hsm *h = test_hsm_start(a, SIGNER_SERVE, &set, TEST_INSTANCE);

	test_token_fault("stall");
	pthread_join(h->thread, NULL); /* by itself, our end being open */
	assert_false(h->ended_well);
	test_token_fault(NULL);
	hsm_core_destroy(h->core);
	close(h->fds[0]);
	close(h->fds[1]);
	arena_destroy(a);
}

static size_t
logins(void)
{
	char path[80], line[16];
	size_t n = 0;

	snprintf(path, sizeof(path), "%s.logins", test_token_fault_path);
	FILE *f = fopen(path, "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n++;
	if (f != NULL)
		fclose(f);
	return n;
}

/* Tokens count wrong PINs, and lock. */
static void
a_pin_that_is_refused_is_not_tried_again(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);

	set.pin = "wrong";
	size_t before = logins();
	struct test_node n = test_node_start(a, &set);
	struct err err = {0};

	for (int i = 0; i < 20; i++) {
		ASSERT_REFUSED(test_node_sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE,
			       "CKR_PIN_INCORRECT");
		usleep(20000);
	}
	assert_int_equal(logins(), before + 1);
	test_node_sign_elsewhere(&n, a);
	test_node_stop(&n, a);
}

static void
a_module_or_token_that_is_not_there_is_an_outage(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct err err = {0};

	set.module = "/nowhere/module.so";
	struct test_node n = test_node_start(a, &set);

	ASSERT_REFUSED(test_node_sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "cannot be loaded");
	test_node_sign_elsewhere(&n, a);
	test_node_stop(&n, a);
	a = arena_create(TEST_HSM_ARENA_BYTES);
	set.module = "libcrypto.so.3";
	n = test_node_start(a, &set);
	ASSERT_REFUSED(test_node_sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE,
		       "is no PKCS#11 module");
	test_node_stop(&n, a);
	arena_destroy(NULL);
}

/* Its rows say that they lie in an HSM, and there is none: no other key, no other answer. */
static void
without_an_hsm_its_keys_are_unavailable(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	struct test_node n = {.s = t->s};
	struct signer_hsm seen;
	struct err err = {0};

	test_hsm_make_rows();
	n.keys = test_hsm_mixed_keys(a, t->keys);
	n.ops = signer_key_ops(n.s);
	ASSERT_OK(signer_load(n.s, n.keys, &err), &err);
	ASSERT_REFUSED(test_node_sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "none is set up");
	assert_false(signer_key_ready(n.s, test_hsm_rows[SAML_P256].kid));
	seen = test_node_look(&n);
	assert_true(seen.needed && !seen.there && !seen.ready);
	test_node_sign_elsewhere(&n, a);
	assert_int_equal(test_node_sealed_uses(&n, a, KEY_SAML_SIGN), 0);
	arena_destroy(a);
}

/* A new process in the place of one that died gets the rows, and signs. */
static void
a_process_that_died_is_replaced(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES),
		     *b = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct test_node n = test_node_start(a, &set);
	struct test_hsm first = *n.hsm;
	struct err err = {0};

	ASSERT_OK(test_node_sign_saml(&n, a, &err), &err);
	shutdown(first.fds[0], SHUT_RDWR);
	test_hsm_stop(&first);
	ASSERT_REFUSED(test_node_sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "does not answer");
	assert_false(signer_key_ready(n.s, test_hsm_rows[SAML_P256].kid));
	ASSERT_OK(signer_load(n.s, n.keys, &err), &err); /* goes on without it */
	test_node_sign_elsewhere(&n, a);
	n.hsm = test_hsm_start(b, SIGNER_SERVE, &set, TEST_INSTANCE);
	ASSERT_OK(signer_replace_hsm(n.s, n.hsm->fds[0], &err), &err);
	/* Of this one nothing is known, whatever the one before was seen to do. */
	assert_true(signer_key_ready(n.s, test_hsm_rows[SAML_P256].kid));
	test_node_wait(&n);
	test_node_stop(&n, a);
	arena_destroy(b);
}

static void *
look_in_a_thread(void *arg)
{
	(void)test_node_look(arg);
	return NULL;
}

/* Who asked the one that died finds that out only after there is another. */
static void
what_a_dead_process_was_asked_says_nothing_of_the_next(void **state UNUSED)
{
	static unsigned char asked[WIRE_MAX];
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES),
		     *b = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct test_signer *t = test_signer_create(a);
	struct test_node n = {.s = t->s};
	struct err err = {0};
	pthread_t id;
	int deaf[2];

	test_hsm_make_rows();
	ASSERT_OK(signer_load(n.s, test_hsm_mixed_keys(a, t->keys), &err), &err);
	ASSERT_OK(signer_socketpair(deaf, &err), &err);
	ASSERT_OK(signer_add_hsm(n.s, deaf[0], TEST_HSM_LONG_US, &err), &err);
	assert_int_equal(pthread_create(&id, NULL, look_in_a_thread, &n), 0);
	assert_true(recv(deaf[1], asked, sizeof(asked), 0) > 0);
	n.hsm = test_hsm_start(b, SIGNER_SERVE, &set, TEST_INSTANCE);
	ASSERT_OK(signer_replace_hsm(n.s, n.hsm->fds[0], &err), &err);
	pthread_join(id, NULL);
	assert_true(signer_key_ready(n.s, test_hsm_rows[SAML_P256].kid));
	test_node_stop(&n, a);
	close(deaf[1]);
	arena_destroy(b);
}

/* What it is told holds no master and no epoch key, only what was derived for its rows. */
static void
the_process_is_told_no_master_key(void **state UNUSED)
{
	static unsigned char told[WIRE_MAX];
	const struct masterfile *mf = test_signer_secrets();
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct err err = {0};
	int fds[2];

	ASSERT_OK(signer_socketpair(fds, &err), &err);
	ASSERT_REFUSED(hsm_send_secrets(fds[0], TEST_INSTANCE, mf, &set, 1000, &err), &err,
		       ERR_UNAVAILABLE, "");
	ssize_t n = recv(fds[1], told, sizeof(told), 0);

	assert_true(n > 0 &&
		    memmem(told, (size_t)n, TEST_TOKEN_PIN, strlen(TEST_TOKEN_PIN)) != NULL);
	for (size_t i = 0; i < mf->n_masters; i++)
		assert_null(memmem(told, (size_t)n, mf->masters[i].key, MASTERFILE_KEY_BYTES));
	for (size_t i = 0; i < mf->n_epochs; i++)
		assert_null(memmem(told, (size_t)n, mf->epochs[i].key, MASTERFILE_KEY_BYTES));
	close(fds[0]);
	close(fds[1]);
}

/* ---- the PIN's file ---- */

static void
a_pin_file_is_one_line_for_its_owner_alone(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	char path[64], longest[300];
	const char *pin;
	struct err err = {0};

	snprintf(path, sizeof(path), "%s/pin", test_token_folder);
	ASSERT_REFUSED(hsm_pin_read(a, path, &pin, &err), &err, ERR_NOT_FOUND, "PIN file");
	test_token_write(path, TEST_TOKEN_PIN "\n");
	assert_int_equal(chmod(path, 0640), 0);
	ASSERT_REFUSED(hsm_pin_read(a, path, &pin, &err), &err, ERR_DENIED, "open to others");
	assert_int_equal(chmod(path, 0600), 0);
	ASSERT_OK(hsm_pin_read(a, path, &pin, &err), &err);
	assert_string_equal(pin, TEST_TOKEN_PIN);
	test_token_write(path, "1\n2\n");
	ASSERT_REFUSED(hsm_pin_read(a, path, &pin, &err), &err, ERR_INPUT, "one line");
	test_token_write(path, "\n");
	ASSERT_REFUSED(hsm_pin_read(a, path, &pin, &err), &err, ERR_INPUT, "one line");
	memset(longest, 'x', 256);
	longest[256] = '\0';
	test_token_write(path, longest);
	ASSERT_REFUSED(hsm_pin_read(a, path, &pin, &err), &err, ERR_INPUT, "one line");
	longest[255] = '\0';
	test_token_write(path, longest);
	ASSERT_OK(hsm_pin_read(a, path, &pin, &err), &err);
	assert_int_equal(strlen(pin), 255);
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_that_is_not_the_keys_never_leaves),
		cmocka_unit_test(a_lost_session_is_opened_again),
		cmocka_unit_test(when_the_token_is_away_nothing_signs_in_its_place),
		cmocka_unit_test(a_key_whose_object_is_gone_fails_alone),
		cmocka_unit_test(an_idle_token_is_seen_to_go_and_to_come),
		cmocka_unit_test(a_stall_is_answered_in_time_and_stops_nothing_else),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(a_call_that_never_comes_back_ends_the_process),
		cmocka_unit_test(a_pin_that_is_refused_is_not_tried_again),
		cmocka_unit_test(a_module_or_token_that_is_not_there_is_an_outage),
		cmocka_unit_test(without_an_hsm_its_keys_are_unavailable),
		cmocka_unit_test(a_process_that_died_is_replaced),
		cmocka_unit_test(what_a_dead_process_was_asked_says_nothing_of_the_next),
		cmocka_unit_test(the_process_is_told_no_master_key),
		cmocka_unit_test(a_pin_file_is_one_line_for_its_owner_alone),
	};

	return cmocka_run_group_tests_name("hsm_outage", tests, test_token_make, test_token_remove);
}
