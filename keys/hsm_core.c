/* Requests, their table and their deadlines; see hsm_core.h. */
#include "keys/hsm_core.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "keys/signer_loop.h"

#define CORE_ARENA_BYTES    ((size_t)4 << 20)
#define MESSAGE_ARENA_BYTES ((size_t)2 << 20)
#define JOB_ARENA_BYTES     ((size_t)1 << 20)
#define PROBE_EVERY_US      1000000
#define LOOK_BUSY_MS        20
#define LOOK_IDLE_MS        250
#define GENERATE_US         ((int64_t)60 * 1000000) /* an RSA key in a slow token */
#define STUCK_TIMES         10

#define SERVE               (1u << SIGNER_SERVE | 1u << SIGNER_CLI)
#define CLI                 (1u << SIGNER_CLI)

static const struct {
	enum wire_op op;
	unsigned roles;
} ops[] = {
	{WIRE_HSM_SECRETS, SERVE}, {WIRE_STATUS, SERVE},     {WIRE_HSM_STATE, SERVE},
	{WIRE_LOAD_KEY, SERVE},    {WIRE_FORGET_KEY, SERVE}, {WIRE_SIGN, SERVE},
	{WIRE_UNWRAP, SERVE},      {WIRE_AGREE, SERVE},      {WIRE_HSM_GENERATE, CLI},
	{WIRE_REWRAP, CLI},
};

/* May this be done now, by this role? */
static bool
permitted(const struct hsm_core *c, uint8_t op, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (ops[i].op != op)
			continue;
		if ((op == WIRE_HSM_SECRETS) == c->has_secrets)
			return FAIL(err, ERR_DENIED, NULL,
				    c->has_secrets ? "secrets are there already"
						   : "no secrets yet");
		return (ops[i].roles & 1u << c->role) != 0 ||
		       FAIL(err, ERR_DENIED, NULL, "not for this role");
	}
	return FAIL(err, ERR_DENIED, NULL, "unknown operation");
}

static bool
core_init(struct hsm_core *c, struct err *err)
{
	if (pthread_mutex_init(&c->lock, NULL) != 0 || pthread_cond_init(&c->wake, NULL) != 0)
		return FAIL(err, ERR_INTERNAL, NULL, "no lock");
	c->message = arena_create(MESSAGE_ARENA_BYTES);
	return c->message == NULL ? FAIL(err, ERR_INTERNAL, NULL, "out of memory")
				  : crypto_init(c->a, &c->crypto, err);
}

bool
hsm_core_create(enum signer_role role, struct hsm_core **out, struct err *err)
{
	struct arena *a;
	struct hsm_core *c = arena_create_with(CORE_ARENA_BYTES, sizeof(*c), &a);

	if (c == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "out of memory");
	c->a = a;
	c->role = role;
	if (!core_init(c, err)) {
		hsm_core_destroy(c);
		return false;
	}
	*out = c;
	return true;
}

static void
workers_end(struct hsm_core *c)
{
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->wake);
	pthread_mutex_unlock(&c->lock);
	for (uint32_t i = 0; i < c->n_workers; i++)
		if (c->workers[i].started)
			pthread_join(c->workers[i].id, NULL);
}

void
hsm_core_destroy(struct hsm_core *c)
{
	if (c == NULL)
		return;
	workers_end(c);
	for (size_t i = 0; i <= HSM_QUEUE_MAX; i++) {
		hsm_key_release(c, c->jobs[i].key);
		arena_destroy(c->jobs[i].a);
	}
	for (size_t i = 0; i < c->n_keys; i++)
		hsm_key_release(c, c->keys[i]);
	if (c->p11 != NULL)
		p11_destroy(c->p11);
	arena_destroy(c->message);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wake);
	arena_destroy(c->a);
}

/* ---- keys ---- */

void
hsm_key_hold(struct hsm_core *c, struct hsm_key *k)
{
	pthread_mutex_lock(&c->lock);
	k->refs++;
	pthread_mutex_unlock(&c->lock);
}

void
hsm_key_release(struct hsm_core *c, struct hsm_key *k)
{
	if (k == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	bool last = --k->refs == 0;

	pthread_mutex_unlock(&c->lock);
	if (last)
		arena_destroy(k->a);
}

struct hsm_key *
hsm_key_find(struct hsm_core *c, const char *kid)
{
	struct hsm_key *found = NULL;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; found == NULL && i < c->n_keys; i++)
		if (strcmp(c->keys[i]->kid, kid) == 0)
			found = c->keys[i];
	if (found != NULL)
		found->refs++;
	pthread_mutex_unlock(&c->lock);
	return found;
}

/* ---- the table of jobs ---- */

static void
job_forget(struct hsm_core *c, struct hsm_job *j)
{
	hsm_key_release(c, j->key);
	j->key = NULL;
	arena_reset(j->a);
}

/*
 * A free place.  When every session hangs there is nothing to wait for: then who
 * asks is told at once, and no thread of the other side waits in vain.
 */
static struct hsm_job *
job_take(struct hsm_core *c, struct err *err)
{
	struct hsm_job *found = NULL;
	uint32_t late = 0;

	pthread_mutex_lock(&c->lock);
	for (uint32_t i = 0; i <= c->n_jobs; i++)
		late += c->jobs[i].state == HSM_JOB_LATE;
	for (uint32_t i = 0; found == NULL && i < c->n_jobs; i++)
		if (c->jobs[i].state == HSM_JOB_FREE)
			found = &c->jobs[i];
	pthread_mutex_unlock(&c->lock);
	if (late >= c->n_workers)
		(void)FAIL(err, ERR_UNAVAILABLE, NULL, "HSM: every session hangs");
	else if (found == NULL)
		(void)FAIL(err, ERR_UNAVAILABLE, NULL, "HSM: too many requests");
	else
		return found;
	return NULL;
}

static void
job_queue(struct hsm_core *c, struct hsm_job *j, int64_t now_us)
{
	j->answer = (struct bytes){0};
	j->err = (struct err){0};
	j->deadline_us = now_us + (j->op == WIRE_HSM_GENERATE ? GENERATE_US : c->timeout_us);
	pthread_mutex_lock(&c->lock);
	j->state = HSM_JOB_WAITING;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
}

struct decoding {
	struct hsm_core *c;
	struct hsm_job *j;
	struct wire_reader in;
	struct err *err;
	bool ok;
};

static void
decode(void *arg)
{
	struct decoding *d = arg;

	d->ok = hsm_job_decode(d->c, d->j, &d->in, d->err);
}

static bool
job_begin(struct hsm_core *c, const struct wire_header *h, struct wire_reader in, struct err *err)
{
	struct hsm_job *j = job_take(c, err);

	if (j == NULL)
		return false;
	if (j->a == NULL && (j->a = arena_create(JOB_ARENA_BYTES)) == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "out of memory");
	j->op = h->code;
	j->number = h->number;
	struct decoding d = {.c = c, .j = j, .in = in, .err = err};

	if (!arena_run(j->a, decode, &d))
		(void)FAIL(err, ERR_INTERNAL, NULL, "request needs too much memory");
	if (!d.ok) {
		job_forget(c, j);
		return false;
	}
	job_queue(c, j, clock_mono_us());
	return true;
}

/* ---- one message ---- */

struct handling {
	struct hsm_core *c;
	struct wire_header header;
	struct wire_reader in;
	struct bytes answer;
	struct err err;
};

static void
answer_ours(void *arg)
{
	struct handling *h = arg;
	struct bytes answer;
	struct buf out;

	wire_begin(&out, h->c->message, ERR_NONE, h->header.number);
	if (hsm_op_do(h->c, h->header.code, &h->in, &out, &h->err) &&
	    wire_finish(&out, &answer, &h->err))
		h->answer = answer;
}

static void
answer_error(void *arg)
{
	struct handling *h = arg;
	struct bytes answer;
	struct buf b;

	wire_begin(&b, h->c->message, (uint8_t)h->err.kind, h->header.number);
	wire_put_text(&b, h->err.text);
	if (wire_finish(&b, &answer, NULL))
		h->answer = answer;
}

static void
error_message(struct handling *h)
{
	arena_reset(h->c->message);
	if (!arena_run(h->c->message, answer_error, h))
		h->answer = (struct bytes){0};
}

static void
handle_permitted(struct handling *h)
{
	if (!hsm_op_is_ours(h->header.code))
		(void)!job_begin(h->c, &h->header, h->in, &h->err);
	else if (!arena_run(h->c->message, answer_ours, h))
		(void)FAIL(&h->err, ERR_INTERNAL, NULL, "request needs too much memory");
}

struct bytes
hsm_core_handle(struct hsm_core *c, struct bytes message)
{
	struct handling h = {.c = c};

	arena_reset(c->message);
	atomic_fetch_add_explicit(&c->requests, 1, memory_order_relaxed);
	if (!wire_open(message, &h.header, &h.in))
		(void)FAIL(&h.err, ERR_INPUT, NULL, "malformed request");
	else if (permitted(c, h.header.code, &h.err))
		handle_permitted(&h);
	if (h.err.kind == ERR_NONE)
		return h.answer;
	atomic_fetch_add_explicit(&c->refused, 1, memory_order_relaxed);
	error_message(&h);
	return h.answer;
}

/* ---- the clock ---- */

/* Say that it was not done in time; who waits has gone by then or is told now. */
static void
job_late(struct hsm_core *c, const struct hsm_job *j)
{
	struct handling h = {.c = c, .header = {.number = j->number}};

	(void)FAIL(&h.err, ERR_UNAVAILABLE, NULL, "HSM: no answer in %lld ms",
		   (long long)(c->timeout_us / 1000));
	error_message(&h);
	if (j->op != 0 && h.answer.n > 0)
		(void)signer_answer_send(c->fd, h.answer);
}

/* With the lock held.  The worker that is inside comes back to a job that is answered. */
static bool
job_time_out(struct hsm_core *c, struct hsm_job *j, int64_t now_us)
{
	bool working = j->state == HSM_JOB_WORKING;

	if ((!working && j->state != HSM_JOB_WAITING) || now_us < j->deadline_us)
		return false;
	j->state = working ? HSM_JOB_LATE : HSM_JOB_FREE;
	if (working) {
		c->ready = WIRE_HSM_DOWN;
		c->failed++;
		snprintf(c->trouble, sizeof(c->trouble), "HSM: no answer in %lld ms",
			 (long long)(c->timeout_us / 1000));
	}
	return true;
}

/* An idle token is asked whether it is there, with a place in the table of its own. */
static void
probe(struct hsm_core *c, int64_t now_us)
{
	struct hsm_job *j = &c->jobs[c->n_jobs];

	pthread_mutex_lock(&c->lock);
	bool due = j->state == HSM_JOB_FREE && now_us - c->done_us >= PROBE_EVERY_US;

	if (due)
		c->done_us = now_us;
	pthread_mutex_unlock(&c->lock);
	if (!due || (j->a == NULL && (j->a = arena_create(JOB_ARENA_BYTES)) == NULL))
		return;
	j->op = 0;
	job_queue(c, j, now_us);
}

void
hsm_core_look(struct hsm_core *c, int64_t now_us, bool *stuck)
{
	*stuck = false;
	if (!c->has_secrets)
		return;
	for (uint32_t i = 0; i <= c->n_jobs; i++) {
		struct hsm_job *j = &c->jobs[i];

		pthread_mutex_lock(&c->lock);
		bool late = job_time_out(c, j, now_us), freed = late && j->state == HSM_JOB_FREE;

		*stuck |= j->state == HSM_JOB_LATE &&
			  now_us - j->begun_us > STUCK_TIMES * c->timeout_us &&
			  now_us - j->deadline_us > c->timeout_us;
		pthread_mutex_unlock(&c->lock);
		if (late)
			job_late(c, j);
		if (freed)
			job_forget(c, j);
	}
	probe(c, now_us);
}

static bool
anything_under_way(struct hsm_core *c)
{
	bool any = false;

	pthread_mutex_lock(&c->lock);
	for (uint32_t i = 0; !any && i <= c->n_jobs; i++)
		any = c->jobs[i].state != HSM_JOB_FREE;
	pthread_mutex_unlock(&c->lock);
	return any;
}

/* One packet.  False: nobody is there any more. */
static bool
serve_one(struct hsm_core *c, unsigned char *buffer)
{
	ssize_t n = recv(c->fd, buffer, WIRE_MAX, MSG_TRUNC | MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0 && signer_hung_up(c->fd))
		return false;
	size_t got = n > WIRE_MAX ? 0 : (size_t)n;
	struct bytes answer = hsm_core_handle(c, (struct bytes){buffer, got});
	bool ok = answer.n == 0 || signer_answer_send(c->fd, answer);

	wipe(buffer, got);
	return ok;
}

bool
hsm_core_serve(struct hsm_core *c, int fd)
{
	unsigned char *buffer = arena_alloc(c->a, WIRE_MAX);
	bool stuck = false;

	c->fd = fd;
	while (!stuck) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, anything_under_way(c) ? LOOK_BUSY_MS : LOOK_IDLE_MS) > 0 &&
		    !serve_one(c, buffer))
			return true;
		hsm_core_look(c, clock_mono_us(), &stuck);
	}
	return false;
}
