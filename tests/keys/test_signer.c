/*
 * The signer as a process (keys/signer.h): locked down, and yet doing all its
 * work.  Built without sanitizers, because those need more system calls than the
 * signer may make.
 */
#include "tests/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/keys/test_keys.h"
#include "tests/keys/test_signer_thread.h"

#define ARENA_BYTES ((size_t)16 << 20)
#define NOW         ((time_t)1800000000)
#define ID          bytes_of("0123456789abcdef")
#define NOBODY      65534

struct process {
	pid_t pid;
	int fd; /* our end */
};

static void
drop_to_nobody(void)
{
	if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		_exit(90);
}

static struct process
start(enum signer_role role, bool as_nobody)
{
	struct signer_options options = {.role = role};
	struct process p;
	struct err err = {0};
	int fds[2];

	ASSERT_OK(signer_socketpair(fds, &err), &err);
	p.pid = fork();
	p.fd = fds[0];
	assert_true(p.pid >= 0);
	if (p.pid == 0) {
		close(fds[0]);
		if (as_nobody)
			drop_to_nobody();
		_exit(signer_run(fds[1], &options, &err) ? 0 : 1);
	}
	close(fds[1]);
	ASSERT_OK(signer_send_secrets(p.fd, TEST_INSTANCE, test_signer_secrets(), TEST_TIMEOUT_US,
				      &err),
		  &err);
	return p;
}

/* How it ended: its exit status, or 1000 and the signal. */
static int
end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static struct signer *
client_of(const struct process *p)
{
	struct signer *s;
	struct err err = {0};

	ASSERT_OK(signer_create(p->fd, TEST_TIMEOUT_US, &s, &err), &err);
	return s;
}

/* ---- all work is done under the filter ---- */

/* Keys of every purpose, made in the process itself; RSA keys take a second each. */
static const struct keyring *
generate(struct arena *a, struct signer *s, bool with_rsa)
{
	struct key_row *rows = ARENA_ARRAY(a, struct key_row, 32);
	const struct keyring *kr;
	struct err err = {0};
	size_t n = 0;

	for (int purpose = KEY_SAML_SIGN; purpose <= KEY_AUDIT; purpose++)
		for (int type = KEY_P256; type <= KEY_RSA_PSS; type++) {
			struct key_wish wish = {(enum key_purpose)purpose, (enum key_type)type, 30};

			if (!key_purpose_takes(wish.purpose, wish.type) ||
			    (key_type_is_rsa(wish.type) && !with_rsa))
				continue;
			ASSERT_OK(signer_generate(s, a, &wish, NOW, &rows[n], &err), &err);
			rows[n++].state = KEY_ACTIVE;
		}
	ASSERT_OK(keyring_create(a, rows, n, &kr, &err), &err);
	return kr;
}

static const char *
kid_of(const struct keyring *kr, enum key_purpose purpose, enum key_type type)
{
	return keyring_active(kr, purpose, type)->row.kid;
}

static void
sign_each(struct arena *a, struct signer *s, const struct keyring *kr)
{
	struct key_ops ops = signer_key_ops(s);
	const struct sig_alg_row *row;
	struct bytes sig;
	struct err err = {0};

	for (size_t i = 0; (row = sig_alg_at(i)) != NULL; i++) {
		enum key_purpose purpose = row->jose != NULL ? KEY_OIDC_SIGN : KEY_SAML_SIGN;
		const struct key *k = keyring_active(kr, purpose, row->type);

		if (k == NULL)
			continue;
		struct bytes text = row->jose != NULL ? test_jws_input(a, row->jose, k->row.kid)
						      : test_redirect_query(a, row->xml);

		ASSERT_OK(ops.sign(ops.ctx, a, k->row.kid, row->alg, text, &sig, &err), &err);
		assert_true(test_verifies(k->pub, row->alg, text, sig));
	}
}

static void
decrypt_each(struct arena *a, struct signer *s, const struct keyring *kr)
{
	static const enum key_type curves[] = {KEY_P256, KEY_P384, KEY_BP256, KEY_BP384};
	const char *rsa = kid_of(kr, KEY_DECRYPT, KEY_RSA3072);
	struct key_ops ops = signer_key_ops(s);
	struct bytes key, junk = {arena_alloc(a, 384), 384};
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		const struct key_row *row = &keyring_active(kr, KEY_DECRYPT, curves[i])->row;

		ASSERT_OK(ops.agree(ops.ctx, a, row->kid, row->spki, ID, 32, &key, &err), &err);
	}
	ASSERT_REFUSED(ops.unwrap(ops.ctx, a, rsa, WRAP_RSA_OAEP_SHA256, junk, &key, &err), &err,
		       ERR_INPUT, "does not open");
	ASSERT_REFUSED(ops.unwrap(ops.ctx, a, rsa, WRAP_RSA_OAEP_SHA1, junk, &key, &err), &err,
		       ERR_INPUT, "does not open");
}

static void
seal_each(struct arena *a, struct signer *s, const struct keyring *kr)
{
	struct pseudonym_subject subject = {1, "local", ID};
	struct account_value v = {bytes_of("name"), bytes_of("Mustermann")};
	const char *pseudonym;
	struct bytes sealed, plain, wrapped;
	unsigned char mac[32];
	struct err err = {0};

	ASSERT_OK(signer_mac(s, a, KEY_PEPPER, kid_of(kr, KEY_PEPPER, KEY_SECRET), "l", ID, mac,
			     &err),
		  &err);
	ASSERT_OK(signer_pseudonym(s, a, kid_of(kr, KEY_PSEUDONYM, KEY_SECRET), &subject, "amt24",
				   &pseudonym, &err),
		  &err);
	ASSERT_OK(signer_seal(s, a, kid_of(kr, KEY_SEAL, KEY_SECRET), ID, ID, &sealed, &err), &err);
	ASSERT_OK(signer_open(s, a, ID, sealed, &plain, &err), &err);
	ASSERT_OK(signer_account_new(s, a, ID, &wrapped, &err), &err);
	ASSERT_OK(signer_account_seal(s, a, ID, wrapped, &v, 1, &v.data, &err), &err);
	ASSERT_OK(signer_account_open(s, a, ID, wrapped, &v, 1, &plain, &err), &err);
	ASSERT_OK(signer_account_rewrap(s, a, ID, wrapped, &wrapped, &err), &err);
}

struct work {
	struct signer *s;
	const struct keyring *kr;
};

static void *
work_main(void *arg)
{
	struct work *w = arg;

	for (int i = 0; i < 20; i++) {
		struct arena *a = arena_create(ARENA_BYTES);

		sign_each(a, w->s, w->kr);
		decrypt_each(a, w->s, w->kr);
		seal_each(a, w->s, w->kr);
		arena_destroy(a);
	}
	return NULL;
}

static void
every_operation_works_behind_the_filter(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct process p = start(SIGNER_CLI, false);
	struct signer *s = client_of(&p);
	struct work w = {s, generate(a, s, true)};
	struct bytes big = {arena_alloc(a, 60000), 60000}, sealed;
	pthread_t threads[4];
	struct err err = {0};

	ASSERT_OK(signer_load(s, w.kr, &err), &err);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work_main, &w), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ASSERT_OK(signer_seal(s, a, kid_of(w.kr, KEY_SEAL, KEY_SECRET), ID, big, &sealed, &err),
		  &err);
	ASSERT_OK(signer_rewrap(s, a,
				&keyring_find(w.kr, kid_of(w.kr, KEY_COOKIE, KEY_SECRET))->row,
				&sealed, &err),
		  &err);
	signer_destroy(s);
	assert_int_equal(end_of(p.pid), 0); /* the closed socket is its orderly end */
	arena_destroy(a);
}

/* ---- what may not be done to it; what it may not do is in tests/idp/test_seccomp.c ---- */

/* The number behind a name in /proc/PID/status or a task's. */
static long
status_of(const char *path, const char *name)
{
	FILE *f = fopen(path, "r");
	char line[256];
	long value = -1;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtol(line + strlen(name) + 1, NULL, 10);
	fclose(f);
	return value;
}

static void
it_is_locked_down_in_every_thread(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 16);
	struct process p = start(SIGNER_SERVE, false);
	const char *path = arena_printf(a, "/proc/%d/status", p.pid);
	struct rlimit core;

	if (geteuid() != 0) /* its /proc files are root's */
		skip();
	assert_int_equal(status_of(path, "NoNewPrivs:"), 1);
	DIR *tasks = opendir(arena_printf(a, "/proc/%d/task", p.pid));
	int threads = 0;

	assert_non_null(tasks);
	for (const struct dirent *d; (d = readdir(tasks)) != NULL;) {
		if (d->d_name[0] == '.')
			continue;
		path = arena_printf(a, "/proc/%d/task/%s/status", p.pid, d->d_name);
		assert_int_equal(status_of(path, "Seccomp:"), 2);
		threads++;
	}
	closedir(tasks);
	assert_int_equal(threads, 2);
	assert_int_equal(prlimit(p.pid, RLIMIT_CORE, NULL, &core), 0);
	assert_int_equal(core.rlim_max, 0);
	close(p.fd);
	assert_int_equal(end_of(p.pid), 0);
	arena_destroy(a);
}

/* What another process of the same unprivileged user can do to `pid`: bit 1 read, bit 2 trace. */
static int
attack(pid_t pid)
{
	pid_t attacker = fork();

	if (attacker != 0)
		return end_of(attacker);
	char path[64];
	int got = 0;

	drop_to_nobody();
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	if (open(path, O_RDONLY) >= 0)
		got |= 1;
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
		got |= 2;
	_exit(got);
}

static void
its_own_user_can_neither_read_nor_trace_it(void **state UNUSED)
{
	struct process p = start(SIGNER_SERVE, true);
	int ends[2];
	char c;

	assert_int_equal(attack(p.pid), 0);
	close(p.fd);
	assert_int_equal(end_of(p.pid), 0);

	/* The same against a process that is not locked down succeeds: the attack is a real one. */
	assert_int_equal(pipe(ends), 0);
	pid_t open_one = fork();

	if (open_one == 0) {
		drop_to_nobody();
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* cleared by the change of user */
		(void)!write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(attack(open_one) & 1, 1);
	kill(open_one, SIGKILL);
	assert_int_equal(end_of(open_one), 1000 + SIGKILL);
	close(ends[0]);
	close(ends[1]);
}

static void
it_keeps_one_descriptor_of_all_it_inherits(void **state UNUSED)
{
	int secret = open("/etc/hostname", O_RDONLY), high = fcntl(secret, F_DUPFD, 200);
	struct process p = start(SIGNER_SERVE, false);
	char path[64], target[64];
	size_t found = 0;

	if (geteuid() != 0)
		skip();
	for (int fd = 0; fd < 300; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", p.pid, fd);
		ssize_t n = readlink(path, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		found++;
		if (fd < 3)
			assert_string_equal(target, "/dev/null");
		else
			assert_int_equal(strncmp(target, "socket:", 7), 0);
	}
	assert_int_equal(found, 4);
	close(p.fd);
	close(high);
	close(secret);
	assert_int_equal(end_of(p.pid), 0);
}

static void
its_memory_is_locked_where_the_limits_allow(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct process p = start(SIGNER_SERVE, false);
	struct signer *s = client_of(&p);
	struct signer_status status;
	struct err err = {0};

	if (geteuid() != 0)
		skip();
	ASSERT_OK(signer_status(s, a, &status, &err), &err);
	if (status.memory_locked) /* a container may forbid it to root */
		assert_true(status_of(arena_printf(a, "/proc/%d/status", p.pid), "VmLck:") > 0);
	signer_destroy(s);
	assert_int_equal(end_of(p.pid), 0);
	arena_destroy(a);
}

/* ---- its life ---- */

static void
signals_of_a_terminal_do_not_end_it(void **state UNUSED)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2};
	struct arena *a = arena_create(ARENA_BYTES);
	struct process p = start(SIGNER_SERVE, false);
	struct signer *s = client_of(&p);
	struct signer_status status;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		assert_int_equal(kill(p.pid, signals[i]), 0);
	ASSERT_OK(signer_status(s, a, &status, &err), &err);
	/* What was interrupted goes on. */
	for (int i = 0; i < 20; i++) {
		assert_int_equal(kill(p.pid, SIGSTOP), 0);
		usleep(1000);
		assert_int_equal(kill(p.pid, SIGCONT), 0);
		ASSERT_OK(signer_status(s, a, &status, &err), &err);
	}
	signer_destroy(s);
	assert_int_equal(end_of(p.pid), 0);
	arena_destroy(a);
}

static void
empty_and_oversize_packets_do_not_end_it(void **state UNUSED)
{
	static unsigned char big[140000];
	struct arena *a = arena_create(ARENA_BYTES);
	struct process p = start(SIGNER_SERVE, false);
	struct signer_status status;
	unsigned char answer[512];
	struct err err = {0};

	for (int i = 0; i < 3; i++) {
		assert_int_equal(send(p.fd, "", 0, 0), 0);
		assert_true(recv(p.fd, answer, sizeof(answer), 0) > 0);
		assert_int_equal(send(p.fd, big, sizeof(big), 0), sizeof(big));
		assert_true(recv(p.fd, answer, sizeof(answer), 0) > 0);
	}
	struct signer *s = client_of(&p);

	ASSERT_OK(signer_status(s, a, &status, &err), &err);
	signer_destroy(s);
	assert_int_equal(end_of(p.pid), 0);
	arena_destroy(a);
}

static void
without_a_socket_or_with_too_many_threads_it_does_not_start(void **state UNUSED)
{
	static const struct {
		int fd;
		unsigned threads;
	} rows[] = {{0, 17}, {-1, 2}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct signer_options options = {.role = SIGNER_SERVE,
							 .threads = rows[i].threads};

			_exit(signer_run(rows[i].fd, &options, NULL));
		}
		assert_int_equal(end_of(pid), 0);
	}
}

/* Killed with questions in its queue: all askers hear at once, and a new one takes over. */
static void
its_death_in_the_middle_is_noticed_and_mended(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct process maker = start(SIGNER_CLI, false), p = start(SIGNER_SERVE, false);
	struct signer *m = client_of(&maker), *s = client_of(&p);
	const struct keyring *kr = generate(a, m, false);
	int64_t start_us = clock_mono_us();
	struct test_askers askers;
	struct err err = {0};

	ASSERT_OK(signer_load(s, kr, &err), &err);
	/* Stopped for sure, not soon: else it may answer the first of them. */
	kill(p.pid, SIGSTOP);
	assert_int_equal(waitpid(p.pid, NULL, WUNTRACED), p.pid);
	test_askers_start(&askers, s);
	kill(p.pid, SIGKILL);
	assert_int_equal(test_askers_refused(&askers, ERR_UNAVAILABLE), TEST_ASKERS);
	assert_true(clock_mono_us() - start_us < TEST_TIMEOUT_US);
	assert_int_equal(end_of(p.pid), 1000 + SIGKILL);
	assert_false(signer_alive(s));
	p = start(SIGNER_SERVE, false);
	ASSERT_OK(signer_replace_fd(s, p.fd, &err), &err);
	sign_each(a, s, kr);
	signer_destroy(s);
	signer_destroy(m);
	assert_int_equal(end_of(p.pid), 0);
	assert_int_equal(end_of(maker.pid), 0);
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_works_behind_the_filter),
		cmocka_unit_test(it_is_locked_down_in_every_thread),
		cmocka_unit_test(its_own_user_can_neither_read_nor_trace_it),
		cmocka_unit_test(it_keeps_one_descriptor_of_all_it_inherits),
		cmocka_unit_test(its_memory_is_locked_where_the_limits_allow),
		cmocka_unit_test(signals_of_a_terminal_do_not_end_it),
		cmocka_unit_test(empty_and_oversize_packets_do_not_end_it),
		cmocka_unit_test(without_a_socket_or_with_too_many_threads_it_does_not_start),
		cmocka_unit_test(its_death_in_the_middle_is_noticed_and_mended),
	};

	return cmocka_run_group_tests_name("signer", tests, NULL, NULL);
}
