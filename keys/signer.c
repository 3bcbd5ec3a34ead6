/*
 * The signer's process; see signer.h.  Its threads all wait on the one socket:
 * packets are whole messages, the kernel gives each to one of them.
 */
#include "keys/signer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include <openssl/crypto.h>

#include "base/json.h"
#include "base/rand.h"
#include "keys/signer_core.h"
#include "keys/signer_loop.h"
#include "keys/signer_sandbox.h"

#define THREADS_DEFAULT 2
#define STACK_BYTES     ((size_t)512 * 1024)

/* A packet of no octets also reads as 0: only a hung-up socket is the end. */
bool
signer_hung_up(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool
signer_answer_send(int fd, struct bytes answer)
{
	ssize_t n;

	do
		n = send(fd, answer.p, answer.n, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)answer.n;
}

void
signer_loop(int fd, struct signer_core *core, size_t lane)
{
	struct arena *a;
	unsigned char *buffer = arena_create_with((size_t)2 * WIRE_MAX, WIRE_MAX, &a);

	if (buffer == NULL)
		return;

	for (;;) {
		/* MSG_TRUNC: a packet that is too long shows its true length, and is refused. */
		ssize_t n = recv(fd, buffer, WIRE_MAX, MSG_TRUNC);

		if ((n < 0 && errno != EINTR) || (n == 0 && signer_hung_up(fd)))
			break;
		if (n < 0)
			continue;
		size_t got = n > WIRE_MAX ? 0 : (size_t)n;
		struct bytes answer = signer_core_handle(core, lane, (struct bytes){buffer, got});
		bool sent = answer.n > 0 && signer_answer_send(fd, answer);

		signer_core_wipe(core, lane);
		wipe(buffer, got);
		if (!sent)
			break;
	}
	arena_destroy(a);
}

struct thread {
	int fd;
	struct signer_core *core;
	size_t lane;
	pthread_barrier_t *ready;
	pthread_t id;
};

/* What is made at first use is made now, while every system call is still allowed. */
static void
warm_up(void)
{
	unsigned char octet;

	rand_bytes(&octet, 1);
	json_object_seed(0); /* reads /dev/urandom */
}

static void *
thread_main(void *arg)
{
	struct thread *t = arg;

	warm_up();
	pthread_barrier_wait(t->ready); /* all threads run */
	pthread_barrier_wait(t->ready); /* and the filter is set */
	signer_loop(t->fd, t->core, t->lane);
	return NULL;
}

/* Small stacks: with locked memory each is resident in full. */
static bool
threads_start(struct thread *threads, size_t n)
{
	pthread_attr_t attr;
	bool ok =
		pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, STACK_BYTES) == 0;

	for (size_t i = 1; ok && i < n; i++)
		ok = pthread_create(&threads[i].id, &attr, thread_main, &threads[i]) == 0;
	pthread_attr_destroy(&attr);
	return ok;
}

/* The calling thread is lane 0. */
static bool
serve(int fd, struct signer_core *core, struct err *err)
{
	struct thread threads[CRYPTO_LANES_MAX] = {0};
	pthread_barrier_t ready;

	if (pthread_barrier_init(&ready, NULL, (unsigned)core->n_lanes) != 0)
		return FAIL(err, ERR_INTERNAL, NULL, "no barrier");
	for (size_t i = 0; i < core->n_lanes; i++)
		threads[i] = (struct thread){.fd = fd, .core = core, .lane = i, .ready = &ready};
	if (!threads_start(threads, core->n_lanes))
		return FAIL(err, ERR_INTERNAL, NULL, "threads cannot be started");
	warm_up();
	pthread_barrier_wait(&ready);
	if (!signer_sandbox_close(err))
		return false; /* the process ends, and the waiting threads with it */
	pthread_barrier_wait(&ready);
	signer_loop(fd, core, 0);
	for (size_t i = 1; i < core->n_lanes; i++)
		pthread_join(threads[i].id, NULL);
	return true;
}

bool
signer_run(int fd, const struct signer_options *options, struct err *err)
{
	size_t n = options->threads == 0 ? THREADS_DEFAULT : options->threads;
	struct signer_core *core;
	bool memory_locked = false;

	/* OpenSSL reads its configuration now, or never. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
				NULL) != 1)
		return FAIL(err, ERR_INTERNAL, NULL, "OpenSSL cannot be set up");
	if (!signer_core_create(options->role, n, &core, err))
		return false;
	if (!signer_sandbox_prepare(&fd, &memory_locked, err)) {
		signer_core_destroy(core);
		return false;
	}
	core->memory_locked = memory_locked;
	if (!serve(fd, core, err))
		return false;
	signer_core_destroy(core);
	return true;
}
