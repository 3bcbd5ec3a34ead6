/*
 * The client's transport (sign.h): a connection that many threads use at once.
 *
 * There is no reading thread: of those who wait, one reads, hands each answer to
 * the thread that waits for its number, and passes the reading on when its own
 * has come.  A lone caller thus reads its own answer without a switch of threads.
 */
#include "keys/sign.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "keys/masterfile.h"
#include "keys/sign_call.h"

#define ANSWER_LEAST     512    /* octets; an error and its text always fit */
#define READ_SLICE_US    100000 /* how long one look at the socket lasts at most */
#define UNSENT_WAIT_US   1000   /* between attempts to send into a full socket */
#define ROW_ARENA_BYTES  ((size_t)256 * 1024)
#define ROWS_ARENA_BYTES ((size_t)32 << 20)

/* A thread that waits for the answer of this number. */
struct waiter {
	struct waiter *prev, *next;
	uint64_t number;
	pthread_cond_t wake;
	unsigned char *answer;
	size_t cap, n;
	bool done;
};

/* One socket.  Closed when it is dead and nobody uses it any more. */
struct conn {
	struct arena *a;
	int fd;
	unsigned users; /* those inside conn_ask, and the signer while it is the current one */
	bool dead, reading;
	struct waiter *first, *last;
	unsigned char packet[WIRE_MAX]; /* of whoever reads */
};

/* A key row as it was sent, for the next signer. */
struct sent_row {
	struct key_row row;
	bool loaded; /* the current signer has it */
};

struct signer {
	struct arena *a;
	int64_t timeout_us;
	atomic_uint_fast64_t number;
	pthread_condattr_t monotonic;
	pthread_mutex_t lock;      /* over conn and everything in it but packet */
	struct conn *conn;         /* NULL: never connected */
	pthread_mutex_t load_lock; /* over the rows; taken before `lock` */
	struct arena *rows_arena;
	struct sent_row *rows;
	size_t n_rows;
	enum key_place place;    /* of the rows it takes */
	struct signer *hsm;      /* for those of the other place; NULL: none */
	atomic_bool hsm_down;    /* as last seen, of the process there is; `lock` to change */
	unsigned hsm_turn;       /* which one that is */
	struct arena *hsm_arena; /* of the names below, which `lock` is over as well */
	const char **hsm_kids;
	size_t n_hsm_kids;
	atomic_bool hsm_any; /* there are such names: else nobody has to look */
	bool hsm_needed;     /* one of them is active */
};

bool
signer_socketpair(int fds[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no socket pair: %s", strerror(errno));
	return true;
}

static bool
conn_create(int fd, struct conn **out, struct err *err)
{
	struct timeval slice = {.tv_usec = READ_SLICE_US};
	struct conn *c;
	struct arena *a;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof(slice)) != 0) {
		close(fd);
		return FAIL(err, ERR_INTERNAL, NULL, "connection to the signer: %s",
			    strerror(errno));
	}
	c = arena_create_with((size_t)2 * WIRE_MAX, sizeof(*c), &a);
	if (c == NULL) {
		close(fd);
		return FAIL(err, ERR_UNAVAILABLE, NULL, "out of memory");
	}
	c->a = a;
	c->fd = fd;
	c->users = 1;
	*out = c;
	return true;
}

/* With the lock held, as all conn_ functions but conn_create and conn_ask. */
static void
conn_release(struct conn *c)
{
	if (c == NULL || --c->users > 0)
		return;
	close(c->fd);
	arena_destroy(c->a);
}

/* Nothing will come any more: whoever waits is told, whoever reads wakes. */
static void
conn_die(struct conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	shutdown(c->fd, SHUT_RDWR);
	for (struct waiter *w = c->first; w != NULL; w = w->next)
		pthread_cond_signal(&w->wake);
}

static void
waiter_link(struct conn *c, struct waiter *w)
{
	w->prev = c->last;
	w->next = NULL;
	*(c->last != NULL ? &c->last->next : &c->first) = w;
	c->last = w;
}

static void
waiter_unlink(struct conn *c, struct waiter *w)
{
	*(w->prev != NULL ? &w->prev->next : &c->first) = w->next;
	*(w->next != NULL ? &w->next->prev : &c->last) = w->prev;
}

/* Hand an answer to whoever waits for it; nobody does when he gave up. */
static void
conn_deliver(struct conn *c, size_t n)
{
	struct bytes packet = {c->packet, n};
	struct wire_header h;
	struct wire_reader r;

	if (n == 0 || n > WIRE_MAX || !wire_open(packet, &h, &r)) {
		conn_die(c);
		return;
	}
	for (struct waiter *w = c->first; w != NULL; w = w->next) {
		if (w->number != h.number)
			continue;
		w->n = n; /* more than cap: the asker says so */
		memcpy(w->answer, c->packet, n < w->cap ? n : w->cap);
		w->done = true;
		waiter_unlink(c, w);
		pthread_cond_signal(&w->wake);
		break;
	}
	wipe(c->packet, n);
}

/* Read one packet, without the lock meanwhile.  wait_us: at most READ_SLICE_US of it. */
static void
conn_read(struct signer *s, struct conn *c, int64_t wait_us)
{
	ssize_t n;
	int why;

	c->reading = true;
	pthread_mutex_unlock(&s->lock);
	if (wait_us < READ_SLICE_US) { /* the socket's own patience would be too long */
		struct pollfd p = {.fd = c->fd, .events = POLLIN};

		poll(&p, 1, (int)((wait_us + 999) / 1000));
	}
	n = recv(c->fd, c->packet, WIRE_MAX,
		 wait_us < READ_SLICE_US ? MSG_TRUNC | MSG_DONTWAIT : MSG_TRUNC);
	why = errno;
	pthread_mutex_lock(&s->lock);
	c->reading = false;
	if (n >= 0)
		conn_deliver(c, (size_t)n);
	else if (why != EAGAIN && why != EINTR)
		conn_die(c);
}

/* Try to send; true when the packet is gone.  A full socket leaves it unsent. */
static bool
conn_send(struct conn *c, struct bytes message)
{
	if (send(c->fd, message.p, message.n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno != EAGAIN && errno != EINTR)
		conn_die(c);
	return false;
}

/* Sleep until there is something to do for this waiter. */
static void
waiter_sleep(struct signer *s, struct waiter *w, int64_t wait_us)
{
	int64_t until_us = clock_mono_us() + wait_us;
	struct timespec until = {.tv_sec = (time_t)(until_us / 1000000),
				 .tv_nsec = (long)(until_us % 1000000 * 1000)};

	pthread_cond_timedwait(&w->wake, &s->lock, &until);
}

/*
 * Send, then wait as reader or as sleeper until the answer is there, the time is
 * over or the connection is dead.  Also who cannot send yet reads: else a signer
 * that waits for us to take its answers, and we for it, would wait for ever.
 */
static void
waiter_wait(struct signer *s, struct conn *c, struct waiter *w, struct bytes message)
{
	int64_t deadline_us = clock_mono_us() + s->timeout_us, left_us = s->timeout_us;
	bool sent = false;

	while (!w->done && !c->dead && left_us > 0) {
		sent = sent || conn_send(c, message);
		if (!sent && left_us > UNSENT_WAIT_US)
			left_us = UNSENT_WAIT_US;
		if (c->reading)
			waiter_sleep(s, w, left_us);
		else if (!c->dead)
			conn_read(s, c, left_us);
		left_us = deadline_us - clock_mono_us();
	}
}

/* One question over one connection; the answer is in w when w->done. */
static void
conn_ask(struct signer *s, struct conn *c, struct waiter *w, struct bytes message)
{
	pthread_cond_init(&w->wake, &s->monotonic);
	waiter_link(c, w);
	c->users++;
	waiter_wait(s, c, w, message);
	if (!w->done)
		waiter_unlink(c, w);
	if (!c->reading && c->first != NULL)
		pthread_cond_signal(&c->first->wake); /* read on in our place */
	conn_release(c);
	pthread_cond_destroy(&w->wake);
}

void
sign_call_begin(struct sign_call *c, struct signer *s, struct arena *a, enum wire_op op)
{
	c->s = s;
	c->a = a;
	c->number = atomic_fetch_add_explicit(&s->number, 1, memory_order_relaxed);
	wire_begin(&c->fields, a, (uint8_t)op, c->number);
}

static bool
answer_open(const struct sign_call *c, const struct waiter *w, struct wire_reader *answer,
	    struct err *err)
{
	struct wire_header h;
	struct wire_reader r;

	if (w->n > w->cap || !wire_open((struct bytes){w->answer, w->n}, &h, &r))
		return FAIL(err, ERR_INTERNAL, NULL, "signer's answer is malformed");
	if (h.code == ERR_NONE) {
		*answer = r;
		return true;
	}
	const char *text = wire_text(&r, c->a, 0, sizeof(err->text));

	if (!wire_end(&r) || h.code > ERR_INTERNAL)
		return FAIL(err, ERR_INTERNAL, NULL, "signer's answer is malformed");
	return FAIL(err, (enum err_kind)h.code, NULL, "signer: %s", text);
}

/* On a given connection (while a new one is being prepared), or on the current one. */
static bool
ask_on(struct sign_call *c, struct conn *conn, size_t answer_max, struct wire_reader *answer,
       struct err *err)
{
	size_t cap = WIRE_HEADER + answer_max;
	struct waiter w = {.number = c->number};
	struct bytes message;

	if (!wire_finish(&c->fields, &message, err))
		return false;
	w.cap = cap < ANSWER_LEAST ? ANSWER_LEAST : cap;
	w.answer = arena_alloc(c->a, w.cap); /* before the lock: it may leave */
	pthread_mutex_lock(&c->s->lock);
	if (conn == NULL)
		conn = c->s->conn;
	if (conn != NULL && !conn->dead)
		conn_ask(c->s, conn, &w, message);
	pthread_mutex_unlock(&c->s->lock);
	if (!w.done)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "signer does not answer");
	return answer_open(c, &w, answer, err);
}

bool
sign_call_ask(struct sign_call *c, size_t answer_max, struct wire_reader *answer, struct err *err)
{
	return ask_on(c, NULL, answer_max, answer, err);
}

static bool
locks_init(struct signer *s)
{
	return pthread_condattr_init(&s->monotonic) == 0 &&
	       pthread_condattr_setclock(&s->monotonic, CLOCK_MONOTONIC) == 0 &&
	       pthread_mutex_init(&s->lock, NULL) == 0 &&
	       pthread_mutex_init(&s->load_lock, NULL) == 0;
}

bool
signer_create(int fd, int64_t timeout_us, struct signer **out, struct err *err)
{
	struct arena *a;
	struct signer *s = arena_create_with(ROW_ARENA_BYTES, sizeof(*s), &a);
	struct conn *conn = NULL;

	if (s == NULL) {
		if (fd >= 0)
			close(fd);
		return FAIL(err, ERR_UNAVAILABLE, NULL, "out of memory");
	}
	if (fd >= 0 && !conn_create(fd, &conn, err)) {
		arena_destroy(a);
		return false;
	}
	if (!locks_init(s)) {
		conn_release(conn);
		arena_destroy(a);
		return FAIL(err, ERR_INTERNAL, NULL, "no locks for the signer's client");
	}
	s->a = a;
	s->timeout_us = timeout_us;
	s->conn = conn;
	s->place = KEY_SEALED;
	*out = s;
	return true;
}

void
signer_destroy(struct signer *s)
{
	if (s == NULL)
		return;
	signer_destroy(s->hsm);
	conn_release(s->conn);
	arena_destroy(s->rows_arena);
	arena_destroy(s->hsm_arena);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->load_lock);
	pthread_condattr_destroy(&s->monotonic);
	arena_destroy(s->a);
}

bool
signer_alive(struct signer *s)
{
	pthread_mutex_lock(&s->lock);
	bool alive = s->conn != NULL && !s->conn->dead;

	pthread_mutex_unlock(&s->lock);
	return alive;
}

/* A question of our own, in an arena of its own, through arena_run. */
struct question {
	struct signer *s;
	struct conn *conn; /* NULL: the current one */
	enum wire_op op;
	size_t answer_max;
	void (*fill)(struct buf *fields, const void *with);
	const void *with;
	struct err *err;
	struct arena *a;
	bool ok;
};

static void
put_question(void *arg)
{
	struct question *q = arg;
	struct wire_reader answer;
	struct sign_call c;

	sign_call_begin(&c, q->s, q->a, q->op);
	if (q->fill != NULL)
		q->fill(&c.fields, q->with);
	q->ok = ask_on(&c, q->conn, q->answer_max, &answer, q->err);
}

static bool
question_ask(struct question *q)
{
	q->a = arena_create(ROW_ARENA_BYTES);
	if (q->a == NULL || !arena_run(q->a, put_question, q))
		q->ok = arena_run_failed(q->a, q->err);
	arena_destroy(q->a);
	return q->ok;
}

struct secrets {
	const char *instance;
	const struct masterfile *mf;
};

static void
fill_secrets(struct buf *fields, const void *with)
{
	const struct secrets *secrets = with;
	const struct masterfile *mf = secrets->mf;

	wire_put_text(fields, secrets->instance);
	wire_put_u8(fields, (uint8_t)mf->n_masters);
	for (size_t i = 0; i < mf->n_masters; i++) {
		wire_put_u32(fields, mf->masters[i].generation);
		wire_put_bytes(fields, (struct bytes){mf->masters[i].key, MASTERFILE_KEY_BYTES});
	}
	wire_put_u8(fields, (uint8_t)mf->n_epochs);
	for (size_t i = 0; i < mf->n_epochs; i++) {
		wire_put_u32(fields, mf->epochs[i].id);
		wire_put_bytes(fields, (struct bytes){mf->epochs[i].key, MASTERFILE_KEY_BYTES});
	}
}

bool
signer_send_secrets(int fd, const char *instance, const struct masterfile *mf, int64_t timeout_us,
		    struct err *err)
{
	const struct secrets secrets = {instance, mf};
	struct question q = {
		.op = WIRE_SECRETS, .fill = fill_secrets, .with = &secrets, .err = err};
	int own = dup(fd);

	if (own < 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "signer's socket: %s", strerror(errno));
	if (!signer_create(own, timeout_us, &q.s, err))
		return false;
	bool ok = question_ask(&q);

	signer_destroy(q.s);
	return ok;
}

static void
fill_row(struct buf *fields, const void *with)
{
	const struct key_row *row = with;

	wire_put_text(fields, row->kid);
	wire_put_u8(fields, (uint8_t)row->purpose);
	wire_put_u8(fields, (uint8_t)row->type);
	wire_put_bytes(fields, row->spki);
	wire_put_bytes(fields, row->sealed);
}

static bool
row_send(struct signer *s, struct conn *conn, const struct key_row *row, struct err *err)
{
	struct question q = {.s = s,
			     .conn = conn,
			     .op = WIRE_LOAD_KEY,
			     .fill = fill_row,
			     .with = row,
			     .err = err};

	return question_ask(&q);
}

static void
fill_kid(struct buf *fields, const void *with)
{
	wire_put_text(fields, with);
}

static bool
row_forget(struct signer *s, const char *kid, struct err *err)
{
	struct question q = {
		.s = s, .op = WIRE_FORGET_KEY, .fill = fill_kid, .with = kid, .err = err};

	return question_ask(&q);
}

/* Does the signer have this very row? */
static bool
row_is_loaded(const struct signer *s, const struct key_row *row)
{
	for (size_t i = 0; i < s->n_rows; i++)
		if (strcmp(s->rows[i].row.kid, row->kid) == 0)
			return s->rows[i].loaded && bytes_eq(s->rows[i].row.sealed, row->sealed);
	return false;
}

static bool
is_for_signer(const struct signer *s, const struct key *k)
{
	return k != NULL && k->row.state != KEY_GONE && k->row.sealed.n > 0 &&
	       k->row.place == s->place;
}

/* Have the signer forget what the keyring no longer has. */
static bool
rows_forget(struct signer *s, const struct keyring *kr, struct err *err)
{
	bool ok = true;

	for (size_t i = 0; i < s->n_rows; i++)
		if (s->rows[i].loaded && !is_for_signer(s, keyring_find(kr, s->rows[i].row.kid)))
			ok = row_forget(s, s->rows[i].row.kid, err) && ok;
	return ok;
}

/* What a keyring's rows become, in an arena of their own, through arena_run. */
struct loading {
	struct signer *s;
	const struct keyring *kr;
	struct err *err;
	struct arena *a;
	struct sent_row *rows;
	size_t n;
	bool ok;
};

/* Send what is new. */
static void
rows_send(void *arg)
{
	struct loading *l = arg;
	const struct key *k;
	size_t n = 0, i = 0;

	while (keyring_each(l->kr, &i) != NULL)
		n++;
	l->rows = ARENA_ARRAY(l->a, struct sent_row, n);
	i = 0;
	while ((k = keyring_each(l->kr, &i)) != NULL) {
		struct sent_row *r = &l->rows[l->n];

		if (!is_for_signer(l->s, k))
			continue;
		*r = (struct sent_row){.row = k->row};
		r->row.kid = arena_strdup(l->a, k->row.kid);
		r->row.spki = arena_bytes(l->a, k->row.spki);
		r->row.cert = (struct bytes){0};
		r->row.sealed = arena_bytes(l->a, k->row.sealed);
		r->loaded = row_is_loaded(l->s, &r->row) || row_send(l->s, NULL, &r->row, l->err);
		l->ok = r->loaded && l->ok;
		l->n++;
	}
}

/* Remember all of them. */
static bool
rows_keep(struct loading *l)
{
	struct signer *s = l->s;

	if (l->a == NULL || !arena_run(l->a, rows_send, l)) {
		(void)arena_run_failed(l->a, l->err);
		arena_destroy(l->a);
		return false;
	}
	arena_destroy(s->rows_arena);
	s->rows_arena = l->a;
	s->rows = l->rows;
	s->n_rows = l->n;
	return l->ok;
}

/* The rows of its place. */
static bool
rows_load(struct signer *s, const struct keyring *kr, struct err *err)
{
	struct loading l = {
		.s = s, .kr = kr, .err = err, .a = arena_create(ROWS_ARENA_BYTES), .ok = true};

	pthread_mutex_lock(&s->load_lock);
	bool forgot = rows_forget(s, kr, err), sent = rows_keep(&l);

	pthread_mutex_unlock(&s->load_lock);
	return forgot && sent;
}

/* The kids of a keyring that lie in an HSM, through arena_run. */
struct hsm_kids {
	struct arena *a;
	const struct keyring *kr;
	const char **kids;
	size_t n;
	bool needed; /* one of them is active */
};

static void
hsm_kids_list(void *arg)
{
	struct hsm_kids *h = arg;
	const struct key *k;
	size_t n = 0;

	for (size_t i = 0; (k = keyring_each(h->kr, &i)) != NULL;)
		n += k->row.place == KEY_HSM;
	h->kids = ARENA_ARRAY(h->a, const char *, n);
	for (size_t i = 0; (k = keyring_each(h->kr, &i)) != NULL;) {
		if (k->row.place != KEY_HSM)
			continue;
		h->kids[h->n++] = arena_strdup(h->a, k->row.kid);
		h->needed |= k->row.state == KEY_ACTIVE;
	}
}

/* Whether an HSM is there or not: they are asked for nowhere else. */
static bool
hsm_kids_note(struct signer *s, const struct keyring *kr, struct err *err)
{
	struct hsm_kids h = {.a = arena_create(ROWS_ARENA_BYTES), .kr = kr};

	if (h.a == NULL || !arena_run(h.a, hsm_kids_list, &h)) {
		(void)arena_run_failed(h.a, err);
		arena_destroy(h.a);
		return false;
	}
	pthread_mutex_lock(&s->lock);
	struct arena *before = s->hsm_arena;

	s->hsm_arena = h.a;
	s->hsm_kids = h.kids;
	s->n_hsm_kids = h.n;
	s->hsm_needed = h.needed;
	atomic_store(&s->hsm_any, h.n > 0);
	pthread_mutex_unlock(&s->lock);
	arena_destroy(before);
	return true;
}

bool
signer_load(struct signer *s, const struct keyring *kr, struct err *err)
{
	struct err why = {0};

	if (!hsm_kids_note(s, kr, err))
		return false;
	bool ok = rows_load(s, kr, err);

	/* An HSM process that is away gets its rows when it is back; all else goes on without. */
	if (s->hsm == NULL || rows_load(s->hsm, kr, &why) || why.kind == ERR_UNAVAILABLE)
		return ok;
	return FAIL(err, why.kind, NULL, "%s", why.text);
}

/* Does anybody answer there? */
static bool
conn_probe(struct signer *s, struct conn *conn, struct err *err)
{
	struct question q = {
		.s = s, .conn = conn, .op = WIRE_STATUS, .answer_max = WIRE_DATA_MAX, .err = err};

	return question_ask(&q);
}

/* Every remembered row into a new connection. */
static bool
rows_resend(struct signer *s, struct conn *conn, struct err *err)
{
	bool ok = true;

	for (size_t i = 0; i < s->n_rows; i++) {
		s->rows[i].loaded = row_send(s, conn, &s->rows[i].row, err);
		ok = s->rows[i].loaded && ok;
	}
	return ok;
}

bool
signer_replace_fd(struct signer *s, int fd, struct err *err)
{
	struct conn *conn;

	if (!conn_create(fd, &conn, err))
		return false;
	pthread_mutex_lock(&s->load_lock);
	bool answers = conn_probe(s, conn, err), ok = answers && rows_resend(s, conn, err);

	pthread_mutex_lock(&s->lock);
	if (answers) { /* callers are let in; what they leave behind goes */
		struct conn *old = s->conn;

		s->conn = conn;
		conn = old;
	}
	if (conn != NULL)
		conn_die(conn);
	conn_release(conn);
	pthread_mutex_unlock(&s->lock);
	pthread_mutex_unlock(&s->load_lock);
	return ok;
}

/* ---- the HSM's ---- */

bool
signer_add_hsm(struct signer *s, int fd, int64_t timeout_us, struct err *err)
{
	if (!signer_create(fd, timeout_us, &s->hsm, err))
		return false;
	s->hsm->place = KEY_HSM;
	return true;
}

bool
signer_replace_hsm(struct signer *s, int fd, struct err *err)
{
	if (s->hsm == NULL) {
		close(fd);
		return FAIL(err, ERR_INTERNAL, NULL, "an HSM process where none was wanted");
	}
	if (!signer_replace_fd(s->hsm, fd, err))
		return false;
	pthread_mutex_lock(&s->lock);
	s->hsm_turn++;
	atomic_store(&s->hsm_down, false);
	pthread_mutex_unlock(&s->lock);
	return true;
}

static bool
lies_in_hsm(struct signer *s, const char *kid)
{
	bool found = false;

	if (!atomic_load(&s->hsm_any))
		return false;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; !found && i < s->n_hsm_kids; i++)
		found = strcmp(s->hsm_kids[i], kid) == 0;
	pthread_mutex_unlock(&s->lock);
	return found;
}

bool
sign_route(struct signer *s, const char *kid, struct signer **out, struct err *err)
{
	bool hsm = lies_in_hsm(s, kid);

	if (hsm && s->hsm == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "key %s lies in an HSM, and none is set up",
			    kid);
	*out = hsm ? s->hsm : s;
	return true;
}

struct signer *
sign_hsm_of(struct signer *s)
{
	return s->hsm;
}

unsigned
sign_hsm_turn(struct signer *s)
{
	pthread_mutex_lock(&s->lock);
	unsigned turn = s->hsm_turn;

	pthread_mutex_unlock(&s->lock);
	return turn;
}

void
sign_hsm_note(struct signer *s, unsigned turn, bool down)
{
	pthread_mutex_lock(&s->lock);
	if (turn == s->hsm_turn)
		atomic_store(&s->hsm_down, down);
	pthread_mutex_unlock(&s->lock);
}

bool
sign_hsm_needed(struct signer *s)
{
	pthread_mutex_lock(&s->lock);
	bool needed = s->hsm_needed;

	pthread_mutex_unlock(&s->lock);
	return needed;
}

bool
signer_key_ready(struct signer *s, const char *kid)
{
	return !lies_in_hsm(s, kid) || (s->hsm != NULL && !atomic_load(&s->hsm_down));
}
