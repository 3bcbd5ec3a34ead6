/* State and dispatch of the signer; see signer_core.h. */
#include "keys/signer_core.h"

#include <string.h>

#define LANE_ARENA_BYTES ((size_t)2 << 20) /* a message in, decoded, and one out */
#define CORE_ARENA_BYTES ((size_t)4 << 20)

static void
core_free_keys(struct signer_core *c)
{
	for (size_t i = 0; i < c->n_keys; i++)
		arena_destroy(c->keys[i]->a);
	c->n_keys = 0;
}

/* A writer must not wait for ever behind a stream of signatures. */
static bool
lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	return pthread_rwlockattr_init(&attr) == 0 &&
	       pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) ==
		       0 &&
	       pthread_rwlock_init(lock, &attr) == 0;
}

static bool
lane_init(struct signer_core *c, size_t i, struct err *err)
{
	static const unsigned char no_key[32];
	struct signer_lane *lane = &c->lanes[i];

	lane->a = arena_create(LANE_ARENA_BYTES);
	if (lane->a == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "out of memory");
	lane->index = i;
	return seal_init(c->a, &c->crypto, 0, no_key, &lane->account, err);
}

static bool
core_init(struct signer_core *c, size_t n_lanes, struct err *err)
{
	if (!lock_init(&c->lock))
		return FAIL(err, ERR_INTERNAL, NULL, "no lock");
	if (!crypto_init(c->a, &c->crypto, err))
		return false;
	for (; c->n_lanes < n_lanes; c->n_lanes++)
		if (!lane_init(c, c->n_lanes, err))
			return false;
	return true;
}

bool
signer_core_create(enum signer_role role, size_t n_lanes, struct signer_core **out, struct err *err)
{
	struct signer_core *c;
	struct arena *a;

	if (n_lanes < 1 || n_lanes > CRYPTO_LANES_MAX)
		return FAIL(err, ERR_INPUT, NULL, "a signer of %zu threads", n_lanes);
	c = arena_create_with(CORE_ARENA_BYTES, sizeof(*c), &a);
	if (c == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "out of memory");
	c->a = a;
	c->role = role;
	if (!core_init(c, n_lanes, err)) {
		signer_core_destroy(c);
		return false;
	}
	*out = c;
	return true;
}

void
signer_core_destroy(struct signer_core *c)
{
	if (c == NULL)
		return;
	core_free_keys(c);
	for (size_t i = 0; i < CRYPTO_LANES_MAX; i++)
		arena_destroy(c->lanes[i].a);
	pthread_rwlock_destroy(&c->lock);
	arena_destroy(c->a);
}

static const struct signer_op_row *
row_find(uint8_t code)
{
	for (const struct signer_op_row *row = signer_ops; row->handle != NULL; row++)
		if (row->op == code)
			return row;
	return NULL;
}

bool
signer_op_end(const struct signer_op *o, struct err *err)
{
	if (!wire_end(&o->in))
		return FAIL(err, ERR_INPUT, NULL, "malformed request");
	return true;
}

static unsigned char *
aad_put(unsigned char *at, struct bytes part)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (unsigned char)(part.n >> shift);
	memcpy(at, part.p, part.n);
	return at + part.n;
}

struct bytes
signer_aad(struct arena *a, const char *what, const char *instance, const struct bytes *parts,
	   size_t n)
{
	const struct bytes head[] = {bytes_of(what), bytes_of(instance)};
	size_t all = 8 + head[0].n + head[1].n;

	for (size_t i = 0; i < n; i++)
		all += 4 + parts[i].n;
	unsigned char *p = arena_alloc(a, all), *at = aad_put(aad_put(p, head[0]), head[1]);

	for (size_t i = 0; i < n; i++)
		at = aad_put(at, parts[i]);
	return (struct bytes){p, all};
}

struct bytes
signer_row_aad(struct arena *a, const char *instance, enum key_purpose purpose, enum key_type type,
	       const char *kid)
{
	const unsigned char kind[] = {(unsigned char)purpose, (unsigned char)type};
	const struct bytes parts[] = {{kind, sizeof(kind)}, bytes_of(kid)};

	return signer_aad(a, "kontor key row", instance, parts, ARRAY_LEN(parts));
}

/* One message on one lane, as arena_run takes it. */
struct handling {
	struct signer_core *core;
	struct signer_lane *lane;
	const struct signer_op_row *row;
	struct wire_header header;
	struct wire_reader in;
	struct bytes answer;
	struct err err;
};

/* May this be done now, by this role? */
static bool
permitted(const struct handling *h, struct err *err)
{
	if (h->row->first == h->core->has_secrets)
		return FAIL(err, ERR_DENIED, NULL,
			    h->row->first ? "secrets are there already" : "no secrets yet");
	if ((h->row->roles & 1u << h->core->role) == 0)
		return FAIL(err, ERR_DENIED, NULL, "not for this role");
	return true;
}

static void
answer_op(void *arg)
{
	struct handling *h = arg;
	struct signer_op o = {.core = h->core, .lane = h->lane, .a = h->lane->a, .in = h->in};
	struct bytes answer;

	wire_begin(&o.out, o.a, ERR_NONE, h->header.number);
	if (permitted(h, &h->err) && h->row->handle(&o, &h->err) &&
	    wire_finish(&o.out, &answer, &h->err))
		h->answer = answer;
}

static void
answer_error(void *arg)
{
	struct handling *h = arg;
	struct bytes answer;
	struct buf b;

	wire_begin(&b, h->lane->a, (uint8_t)h->err.kind, h->header.number);
	wire_put_text(&b, h->err.text);
	if (wire_finish(&b, &answer, NULL))
		h->answer = answer;
}

/* The lock is taken outside arena_run, so that its exit cannot leave it held. */
static void
handle_locked(struct handling *h)
{
	struct signer_core *c = h->core;

	if (h->row->writes)
		pthread_rwlock_wrlock(&c->lock);
	else
		pthread_rwlock_rdlock(&c->lock);
	if (!arena_run(h->lane->a, answer_op, h))
		(void)arena_run_failed(h->lane->a, &h->err);
	pthread_rwlock_unlock(&c->lock);
}

struct bytes
signer_core_handle(struct signer_core *c, size_t lane, struct bytes message)
{
	struct handling h = {.core = c, .lane = &c->lanes[lane]};

	atomic_fetch_add_explicit(&c->requests, 1, memory_order_relaxed);
	if (!wire_open(message, &h.header, &h.in))
		(void)FAIL(&h.err, ERR_INPUT, NULL, "malformed request");
	else if ((h.row = row_find(h.header.code)) == NULL)
		(void)FAIL(&h.err, ERR_DENIED, NULL, "unknown operation");
	else
		handle_locked(&h);
	if (h.err.kind == ERR_NONE)
		return h.answer;
	atomic_fetch_add_explicit(&c->refused, 1, memory_order_relaxed);
	arena_reset(h.lane->a);
	if (!arena_run(h.lane->a, answer_error, &h))
		return (struct bytes){0};
	return h.answer;
}

void
signer_core_wipe(struct signer_core *c, size_t lane)
{
	arena_reset(c->lanes[lane].a);
}
