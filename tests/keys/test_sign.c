/* The client of the signer: connection, threads, deadlines, a signer that dies (keys/sign.c). */
#include "tests/test.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "keys/wire.h"
#include "tests/keys/test_keys.h"
#include "tests/keys/test_signer_thread.h"

#define ARENA_BYTES ((size_t)16 << 20)

static void
a_key_that_left_the_keyring_is_forgotten(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	const struct key *k = keyring_active(t->keys, KEY_OIDC_SIGN, KEY_P256);
	struct key_ops ops = signer_key_ops(t->s);
	struct bytes text = test_jws_input(a, "ES256", k->row.kid), sig;
	struct key_row row = k->row;
	const struct keyring *kr;
	struct signer_status status;
	struct err err = {0};

	ASSERT_OK(keyring_create(a, &row, 1, &kr, &err), &err);
	ASSERT_OK(signer_load(t->s, kr, &err), &err);
	ASSERT_OK(signer_status(t->s, a, &status, &err), &err);
	assert_int_equal(status.n_keys, 1);
	ASSERT_OK(ops.sign(ops.ctx, a, row.kid, SIG_ES256, text, &sig, &err), &err);
	row.state = KEY_GONE;
	row.sealed = (struct bytes){0};
	ASSERT_OK(keyring_create(a, &row, 1, &kr, &err), &err);
	ASSERT_OK(signer_load(t->s, kr, &err), &err);
	ASSERT_REFUSED(ops.sign(ops.ctx, a, row.kid, SIG_ES256, text, &sig, &err), &err, ERR_DENIED,
		       "no such key");
	arena_destroy(a);
}

struct signing {
	struct test_signer *t;
	int wrong;
};

static void *
sign_many(void *arg)
{
	struct signing *job = arg;
	const struct key *k = keyring_active(job->t->keys, KEY_OIDC_SIGN, KEY_P256);
	struct key_ops ops = signer_key_ops(job->t->s);

	for (int i = 0; i < 100; i++) {
		struct arena *a = arena_create(1 << 20);
		struct bytes text = test_jws_input(a, "ES256", k->row.kid), sig = {0};

		text = bytes_of(arena_printf(a, "%.*s", (int)text.n, (const char *)text.p));
		if (!ops.sign(ops.ctx, a, k->row.kid, SIG_ES256, text, &sig, NULL) ||
		    !test_verifies(k->pub, SIG_ES256, text, sig))
			job->wrong++;
		arena_destroy(a);
	}
	return NULL;
}

static void
many_threads_each_get_their_own_answers(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	struct signing jobs[8];
	pthread_t threads[8];

	for (size_t i = 0; i < 8; i++) {
		jobs[i] = (struct signing){.t = t};
		assert_int_equal(pthread_create(&threads[i], NULL, sign_many, &jobs[i]), 0);
	}
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(jobs[i].wrong, 0);
	}
	arena_destroy(a);
}

static void
a_process_without_descriptors_gets_no_connection(void **state UNUSED)
{
	struct rlimit all, none;
	int fds[2];
	struct err err = {0};

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = all.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	bool made = signer_socketpair(fds, &err);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_false(made);
	assert_int_equal(err.kind, ERR_UNAVAILABLE);
}

/* From here on the other end is ours: a signer that misbehaves. */
static struct signer *
client_of(int fds[2], int64_t timeout_us)
{
	struct signer *s;
	struct err err = {0};

	ASSERT_OK(signer_socketpair(fds, &err), &err);
	ASSERT_OK(signer_create(fds[0], timeout_us, &s, &err), &err);
	return s;
}

static void
a_silent_signer_costs_its_deadline_and_no_more(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct signer_status status;
	struct err err = {0};
	int fds[2];
	struct signer *s = client_of(fds, 20000);
	int64_t start_us = clock_mono_us();

	ASSERT_REFUSED(signer_status(s, a, &status, &err), &err, ERR_UNAVAILABLE,
		       "does not answer");
	assert_in_range(clock_mono_us() - start_us, 20000, 5000000);
	assert_true(signer_alive(s));
	close(fds[1]);
	signer_destroy(s);
	arena_destroy(a);
}

static void
a_dying_signer_frees_everybody_who_waits(void **state UNUSED)
{
	int fds[2];
	struct signer *s = client_of(fds, TEST_TIMEOUT_US);
	struct test_askers askers;
	unsigned char packet[64];
	int64_t start_us = clock_mono_us();

	test_askers_start(&askers, s);
	for (size_t i = 0; i < TEST_ASKERS; i++) /* all questions are under way */
		assert_true(recv(fds[1], packet, sizeof(packet), 0) > 0);
	close(fds[1]);
	assert_int_equal(test_askers_refused(&askers, ERR_UNAVAILABLE), TEST_ASKERS);
	assert_true(clock_mono_us() - start_us < TEST_TIMEOUT_US);
	assert_false(signer_alive(s));
	assert_int_equal(test_ask(s), ERR_UNAVAILABLE);
	signer_destroy(s);
}

/* Answer the next question with these octets after the header (code, then fields). */
static void
answer_with(int fd, uint8_t code, struct bytes fields)
{
	struct arena *a = arena_create(ARENA_BYTES);
	unsigned char packet[4096];
	ssize_t n = recv(fd, packet, sizeof(packet), 0);
	struct wire_header h;
	struct wire_reader r;
	struct bytes message;
	struct buf b;

	assert_true(n > 0 && wire_open((struct bytes){packet, (size_t)n}, &h, &r));
	wire_begin(&b, a, code, h.number);
	buf_add(&b, fields);
	assert_true(wire_finish(&b, &message, NULL));
	assert_int_equal(send(fd, message.p, message.n, 0), message.n);
	arena_destroy(a);
}

static void
malformed_answers_are_not_believed(void **state UNUSED)
{
	static const struct {
		uint8_t code;
		struct bytes fields;
	} rows[] = {
		{ERR_NONE, {(const unsigned char *)"", 0}},
		{ERR_NONE, {(const unsigned char *)"x", 1}},
		{77, {(const unsigned char *)"\0\0\0\1x", 5}},
		{ERR_DENIED, {(const unsigned char *)"\0\0\0\2x", 5}},
		{ERR_NONE,
		 {(const unsigned char *)"0123456789abcdef0aaaabbbb\xff\xff\xff\xff", 29}},
		{ERR_NONE, {(const unsigned char *)"0123456789abcdef0aaaabbbb\0\0\0\1", 29}},
	};
	int fds[2];
	struct signer *s = client_of(fds, TEST_TIMEOUT_US);
	unsigned char big[2000] = {0};
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_askers askers;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_askers_start(&askers, s);
		for (size_t n = 0; n < TEST_ASKERS; n++)
			answer_with(fds[1], rows[i].code, rows[i].fields);
		assert_int_equal(test_askers_refused(&askers, ERR_INTERNAL), TEST_ASKERS);
	}
	/* A MAC of another length, an answer longer than asked for. */
	for (size_t i = 0; i < 2; i++) {
		unsigned char mac[32];
		struct err err = {0};

		signer_destroy(s);
		close(fds[1]);
		s = client_of(fds, TEST_TIMEOUT_US);
		struct bytes fields = i == 0 ? (struct bytes){(const unsigned char *)"\0\0\0\1x", 5}
					     : (struct bytes){big, sizeof(big)};
		struct bytes message;
		struct buf b;

		wire_begin(&b, a, ERR_NONE, 0); /* the first question's number */
		buf_add(&b, fields);
		assert_true(wire_finish(&b, &message, NULL));
		assert_int_equal(send(fds[1], message.p, message.n, 0), message.n);
		ASSERT_REFUSED(signer_mac(s, a, KEY_COOKIE, "k", "l", bytes_of(""), mac, &err),
			       &err, ERR_INTERNAL, "malformed");
	}
	close(fds[1]);
	signer_destroy(s);
	arena_destroy(a);
}

static void
octets_that_are_no_message_end_the_connection(void **state UNUSED)
{
	int fds[2];
	struct signer *s = client_of(fds, TEST_TIMEOUT_US);

	assert_int_equal(send(fds[1], "junk", 4, 0), 4);
	assert_int_equal(test_ask(s), ERR_UNAVAILABLE);
	assert_false(signer_alive(s));
	close(fds[1]);
	signer_destroy(s);
}

/* Late answers nobody waits for any more must not block those who come after. */
static void
a_flood_of_late_answers_is_drained(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	int fds[2];
	struct signer *s = client_of(fds, 2000);
	struct signer_status status;
	struct err err = {0};
	size_t late = 0;

	/* Fill both directions: unanswered questions there, unread answers here. */
	while (!signer_status(s, a, &status, NULL) && late < 2000) {
		struct bytes message;
		struct buf b;

		wire_begin(&b, a, ERR_NONE, UINT64_MAX);
		assert_true(wire_finish(&b, &message, NULL));
		for (int i = 0; i < 8; i++)
			late += send(fds[1], message.p, message.n, MSG_DONTWAIT) > 0;
		arena_reset(a);
	}
	assert_true(late >= 2000);
	close(fds[1]);
	ASSERT_REFUSED(signer_status(s, a, &status, &err), &err, ERR_UNAVAILABLE,
		       "does not answer");
	signer_destroy(s);
	arena_destroy(a);
}

static void
a_new_signer_gets_the_keys_again(void **state UNUSED)
{
	/* The later signers outlive the client, which goes with `a`. */
	struct arena *signers = arena_create(ARENA_BYTES), *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	const struct key *k = keyring_active(t->keys, KEY_OIDC_SIGN, KEY_P256);
	struct key_ops ops = signer_key_ops(t->s);
	struct bytes text = test_jws_input(a, "ES256", k->row.kid), sig;
	struct err err = {0};
	int fds[2];

	for (int round = 0; round < 3; round++) {
		ASSERT_OK(signer_replace_fd(
				  t->s,
				  test_signer_start(signers, SIGNER_SERVE, test_signer_secrets()),
				  &err),
			  &err);
		ASSERT_OK(ops.sign(ops.ctx, a, k->row.kid, SIG_ES256, text, &sig, &err), &err);
	}
	/* One that dies at once changes nothing. */
	ASSERT_OK(signer_socketpair(fds, &err), &err);
	close(fds[1]);
	ASSERT_REFUSED(signer_replace_fd(t->s, fds[0], &err), &err, ERR_UNAVAILABLE, "not answer");
	ASSERT_OK(ops.sign(ops.ctx, a, k->row.kid, SIG_ES256, text, &sig, &err), &err);
	/* One that refuses the rows is used, and the refusal reported. */
	int fd = test_signer_start(signers, SIGNER_SERVE, NULL);

	ASSERT_OK(
		signer_send_secrets(fd, "elsewhere", test_signer_secrets(), TEST_TIMEOUT_US, &err),
		&err);
	ASSERT_REFUSED(signer_replace_fd(t->s, fd, &err), &err, ERR_INPUT, "does not open");
	ASSERT_REFUSED(ops.sign(ops.ctx, a, k->row.kid, SIG_ES256, text, &sig, &err), &err,
		       ERR_DENIED, "no such key");
	arena_destroy(a);
	arena_destroy(signers);
}

static void
a_client_may_wait_for_its_first_signer(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct signer *s;
	struct signer_status status;
	int fds[2];
	struct err err = {0};

	ASSERT_OK(signer_create(-1, TEST_TIMEOUT_US, &s, &err), &err);
	assert_false(signer_alive(s));
	ASSERT_REFUSED(signer_status(s, a, &status, &err), &err, ERR_UNAVAILABLE, "not answer");
	ASSERT_OK(signer_socketpair(fds, &err), &err);
	close(fds[1]);
	ASSERT_REFUSED(signer_replace_fd(s, fds[0], &err), &err, ERR_UNAVAILABLE, "not answer");
	assert_false(signer_alive(s));
	ASSERT_OK(signer_replace_fd(s, test_signer_start(a, SIGNER_SERVE, test_signer_secrets()),
				    &err),
		  &err);
	ASSERT_OK(signer_status(s, a, &status, &err), &err);
	assert_true(signer_alive(s));
	ASSERT_REFUSED(signer_replace_fd(s, 9999, &err), &err, ERR_INTERNAL, "connection to");
	signer_destroy(s);
	signer_destroy(NULL);
	ASSERT_REFUSED(signer_create(9999, 1, &s, &err), &err, ERR_INTERNAL, "connection to");
	ASSERT_REFUSED(signer_send_secrets(9999, "i", test_signer_secrets(), 1, &err), &err,
		       ERR_UNAVAILABLE, "signer's socket");
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_left_the_keyring_is_forgotten),
		cmocka_unit_test(many_threads_each_get_their_own_answers),
		cmocka_unit_test(a_process_without_descriptors_gets_no_connection),
		cmocka_unit_test(a_silent_signer_costs_its_deadline_and_no_more),
		cmocka_unit_test(a_dying_signer_frees_everybody_who_waits),
		cmocka_unit_test(malformed_answers_are_not_believed),
		cmocka_unit_test(octets_that_are_no_message_end_the_connection),
		cmocka_unit_test(a_flood_of_late_answers_is_drained),
		cmocka_unit_test(a_new_signer_gets_the_keys_again),
		cmocka_unit_test(a_client_may_wait_for_its_first_signer),
	};

	return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
