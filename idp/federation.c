/*
 * Members of federations; see federation.h.  One thread reads the copies that count, one after
 * the other, and swaps the set of what it read; who looks somebody up holds the set he began with.
 */
#include "idp/federation.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "idp/app.h"
#include "idp/config.h"
#include "idp/federation_read.h"
#include "idp/metrics.h"

#define SET_BYTES   ((size_t)64 * 1024 * 1024)
#define READ_BYTES  ((size_t)96 * 1024 * 1024)
#define DB_LIMIT_US ((int64_t)10 * 1000000)
#define LOOK_US     ((int64_t)60 * 1000000) /* without being told: what failed is tried again */
#define NICE        10

/* One source, as far as this node has read it. */
struct part {
	const char *name, *signers, *rules_text;
	int64_t version, seq;           /* of the source, and of the copy that counts */
	struct federation_index *index; /* held; NULL: nothing is read yet, or nothing counts */
	/* By which it was made, and of what. */
	struct federation_rules rules;
	const char *index_rules, *index_signers;
	int64_t index_version, index_seq;
	bool settled; /* that is as it is meant */
};

struct federation_set {
	struct arena *a;
	atomic_uint refs;
	struct part *p; /* by name */
	size_t n;
	const struct federation_named **named; /* of all parts, by name */
	size_t n_named;
	time_t reach_until[LEVEL_HIGH + 1]; /* by their home_cap: the last validUntil */
	bool complete;
};

struct federation {
	struct app *app;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stop;
	bool changed;
	struct federation_set *current; /* NULL: nothing was read yet */
	pthread_mutex_t looking;        /* one look at a time */
};

/* ---- sets ---- */

static struct federation_set *
hold(struct federation *f)
{
	pthread_mutex_lock(&f->lock);
	struct federation_set *s = f->current;

	if (s != NULL)
		atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	pthread_mutex_unlock(&f->lock);
	return s;
}

static void
let_go(void *p)
{
	struct federation_set *s = p;

	if (s != NULL && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
		arena_destroy(s->a);
}

static void
publish(struct federation *f, struct federation_set *s)
{
	pthread_mutex_lock(&f->lock);
	struct federation_set *old = f->current;

	f->current = s;
	pthread_mutex_unlock(&f->lock);
	let_go(old);
}

static void
release(void *p)
{
	federation_index_release(p);
}

/* The index of `from`, which may be an earlier part of the same name. */
static bool
give_index(struct federation_set *s, struct part *p, const struct part *from,
	   struct federation_index *index)
{
	if (!federation_rules_parse(s->a, from->index_rules, &p->rules, NULL))
		return false;
	federation_index_hold(index);
	arena_defer(s->a, release, index);
	p->index = index;
	p->index_rules = arena_strdup(s->a, from->index_rules);
	p->index_signers = arena_strdup(s->a, from->index_signers);
	p->index_version = from->index_version;
	p->index_seq = from->index_seq;
	p->settled = p->index_version == p->version && p->index_seq == p->seq;
	return true;
}

/* ---- reading what counts ---- */

static int
by_name(const void *x, const void *y)
{
	const struct federation_choice *p = &(*(const struct federation_named *const *)x)->choice;
	const struct federation_choice *q = &(*(const struct federation_named *const *)y)->choice;
	int names = strcmp(p->de, q->de);

	return names != 0 ? names : strcmp(p->entity_id, q->entity_id);
}

struct looking {
	struct federation *f;
	struct arena *a;
	struct federation_set *set;
	const struct federation_set *before;
	struct part *part; /* that is to be read; NULL: the list is */
	const struct db_federation_source *rows;
	const struct db_federation_suspended *suspended;
	const struct db_federation_copy *copies;
	size_t n_rows, n_suspended, n_copies;
	struct federation_index *index;
	struct err err;
	bool ok;
};

static bool
is_suspended(const struct db_federation_suspended *list, size_t n,
	     const struct federation_choice *choice)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].entity, choice->entity_id) == 0 &&
		    (list[i].source == NULL || strcmp(list[i].source, choice->source) == 0))
			return true;
	return false;
}

struct listed {
	const struct federation_named *named;
	int64_t rank;
};

/* Of the same one first what is said by whom it is looked up. */
static int
by_entity(const void *x, const void *y)
{
	const struct listed *p = x, *q = y;
	int ids = strcmp(p->named->choice.entity_id, q->named->choice.entity_id);

	if (ids != 0)
		return ids;
	if (p->rank != q->rank)
		return p->rank < q->rank ? -1 : 1;
	return strcmp(p->named->choice.source, q->named->choice.source);
}

/* As a look-up finds it: suspended, or gone from a copy that waits or was rejected. */
static bool
is_refused(const struct looking *l, const struct federation_choice *choice)
{
	unsigned char id[SHA256_BYTES];

	if (is_suspended(l->suspended, l->n_suspended, choice))
		return true;
	for (size_t i = 0; i < l->n_copies; i++) {
		const struct db_federation_copy *copy = &l->copies[i];

		if (copy->gone.n == 0 || strcmp(copy->source, choice->source) != 0)
			continue;
		hash_sha256(bytes_of(choice->entity_id), id);
		for (size_t at = 0; at < copy->gone.n; at += SHA256_BYTES)
			if (federation_same(copy->gone.p + at, id))
				return true;
	}
	return false;
}

/* Those to choose from, of all sources; who is in several is there once. */
static void
merge_named(struct federation_set *s, const struct looking *l)
{
	struct listed *list;
	size_t all = 0, kept = 0;

	for (size_t i = 0; i < s->n; i++)
		all += s->p[i].index == NULL ? 0 : s->p[i].index->n_named;
	list = ARENA_ARRAY(s->a, struct listed, all);
	s->named = ARENA_ARRAY(s->a, const struct federation_named *, all);
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; s->p[i].index != NULL && k < s->p[i].index->n_named; k++)
			if (!is_refused(l, &s->p[i].index->named[k].choice))
				list[kept++] = (struct listed){&s->p[i].index->named[k],
							       s->p[i].rules.rank};
	if (kept > 0)
		qsort(list, kept, sizeof(*list), by_entity);
	for (size_t i = 0; i < kept; i++)
		if (i == 0 || strcmp(list[i - 1].named->choice.entity_id,
				     list[i].named->choice.entity_id) != 0)
			s->named[s->n_named++] = list[i].named;
	if (s->n_named > 0)
		qsort(s->named, s->n_named, sizeof(*s->named), by_name);
	for (size_t i = 0; i < s->n_named; i++) {
		time_t *until = &s->reach_until[s->named[i]->choice.home_cap];

		if (s->named[i]->valid_until > *until)
			*until = s->named[i]->valid_until;
	}
}

/* Is who signed what was read still pinned?  Beside another one, while keys roll over. */
static bool
is_pinned(struct federation_set *s, const struct part *old, const char *signers)
{
	struct saml_keys keys;
	const struct bytes *was, *is;

	if (strcmp(old->index_signers, signers) == 0)
		return true;
	if (!federation_signers(s->a, old->index_signers, &keys, &was, NULL) ||
	    old->index->key >= keys.n || !federation_signers(s->a, signers, &keys, &is, NULL))
		return false;
	for (size_t i = 0; i < keys.n; i++)
		if (bytes_eq(was[old->index->key], is[i]))
			return true;
	return false;
}

/* What is as it was before, or of which what was before goes on until its successor is read. */
static void
keep_part(struct federation_set *s, struct part *p, const struct federation_set *before)
{
	for (size_t i = 0; before != NULL && i < before->n; i++) {
		const struct part *old = &before->p[i];

		if (strcmp(old->name, p->name) != 0 || old->index == NULL)
			continue;
		/* Whoever is not pinned any more vouches for nobody. */
		if (is_pinned(s, old, p->signers))
			(void)!give_index(s, p, old, old->index);
		return;
	}
}

static void
set_part(struct federation_set *s, const struct db_federation_source *row, struct part *p,
	 const struct federation_set *before)
{
	struct err err = {0};

	*p = (struct part){.rules.rank = FEDERATION_RANK_MOST, /* until they are read */
			   .name = arena_strdup(s->a, row->name),
			   .signers = arena_strdup(s->a, row->signers),
			   .rules_text = arena_strdup(s->a, row->rules),
			   .version = row->version,
			   .seq = row->counting.seq};
	if (!federation_rules_parse(s->a, row->rules, &p->rules, &err)) {
		log_err(LOG_LVL_ERROR, "federation_unusable", &err, "source", row->name, NULL);
		return;
	}
	/* Nothing counts: nobody is a member, and that is all there is to know. */
	p->settled = row->counting.seq == 0;
	if (!p->settled)
		keep_part(s, p, before);
}

static void
fill_set(void *arg)
{
	struct looking *l = arg;
	struct federation_set *s = l->set;

	s->p = ARENA_ARRAY(s->a, struct part, l->n_rows);
	for (size_t i = 0; i < l->n_rows; i++)
		set_part(s, &l->rows[i], &s->p[s->n++], l->before);
	if (l->index != NULL)
		for (size_t i = 0; i < s->n; i++)
			if (strcmp(s->p[i].name, l->part->name) == 0)
				(void)!give_index(s, &s->p[i], l->part, l->index);
	s->complete = true;
	for (size_t i = 0; i < s->n; i++)
		s->complete = s->complete && s->p[i].settled;
	merge_named(s, l);
	l->ok = true;
}

/* A set of what the rows say; with l->index that of its part. */
static bool
swap_set(struct looking *l)
{
	struct arena *a;

	l->set = arena_create_with(SET_BYTES, sizeof(*l->set), &a);
	if (l->set == NULL)
		return FAIL(&l->err, ERR_UNAVAILABLE, NULL, "no memory for federations");
	l->set->a = a;
	atomic_init(&l->set->refs, 1);
	l->before = hold(l->f);
	l->ok = false;
	if (!arena_run(a, fill_set, l))
		l->ok = arena_run_failed(a, &l->err);
	let_go((void *)(uintptr_t)l->before);
	if (!l->ok) {
		let_go(l->set);
		return false;
	}
	publish(l->f, l->set);
	return true;
}

static void
read_part(void *arg)
{
	struct looking *l = arg;
	struct db_call c = {l->f->app->db, l->a, clock_mono_us() + DB_LIMIT_US};
	struct federation_reader reader = {.source = l->part->name};
	struct federation_rules rules;
	const struct bytes *certs;

	/* By the rules that are to be: those of the part may be of the index before. */
	reader.rules = &rules;
	l->ok = federation_rules_parse(l->a, l->part->rules_text, &rules, &l->err) &&
		federation_signers(l->a, l->part->signers, &reader.keys, &certs, &l->err) &&
		federation_read_copy(&c, l->part->seq, &reader, &l->index, &l->err);
}

/* Verify and index one copy, then swap it in. */
static void
look_at_part(struct looking *l, const struct part *p)
{
	struct part copy = *p;
	struct arena *outer = l->a;

	copy.index_rules = p->rules_text;
	copy.index_signers = p->signers;
	copy.index_version = p->version;
	copy.index_seq = p->seq;

	l->part = &copy;
	l->index = NULL;
	l->ok = false;
	err_clear(&l->err);
	l->a = arena_create(READ_BYTES);
	if (l->a == NULL || !arena_run(l->a, read_part, l))
		l->ok = arena_run_failed(l->a, &l->err);
	memory_set_failed(false);
	if (l->ok && swap_set(l))
		log_event(LOG_LVL_INFO, "federation_indexed", "source", p->name, NULL);
	else
		log_err(LOG_LVL_ERROR, "federation_unusable", &l->err, "source", p->name, NULL);
	federation_index_release(l->index);
	arena_destroy(l->a);
	l->a = outer;
}

static void
look_guarded(void *arg)
{
	struct looking *l = arg;
	struct db_call c = {l->f->app->db, l->a, clock_mono_us() + DB_LIMIT_US};

	l->ok = db_federation_list(&c, NULL, &l->rows, &l->n_rows, &l->err) &&
		db_federation_suspensions(&c, &l->suspended, &l->n_suspended, &l->err) &&
		db_federation_copies(&c, NULL, false, &l->copies, &l->n_copies, &l->err) &&
		swap_set(l);
	if (!l->ok)
		return;
	for (size_t i = 0; i < l->n_rows && !l->f->stop; i++) {
		struct federation_set *s = hold(l->f);
		bool settled = s->p[i].settled;

		if (!settled)
			look_at_part(l, &s->p[i]);
		let_go(s);
	}
	l->ok = true;
}

bool
federation_look(struct federation *f, struct err *err)
{
	struct looking l = {.f = f};

	pthread_mutex_lock(&f->looking);
	l.a = arena_create(SET_BYTES);
	if (l.a == NULL || !arena_run(l.a, look_guarded, &l))
		l.ok = arena_run_failed(l.a, &l.err);
	arena_destroy(l.a);
	pthread_mutex_unlock(&f->looking);
	return l.ok || FAIL(err, l.err.kind, l.err.proto, "%s", l.err.text);
}

/* ---- the thread ---- */

static bool
wait_for_turn(struct federation *f)
{
	struct timespec until = clock_mono_timespec(clock_mono_us() + LOOK_US);
	int rc = 0;

	pthread_mutex_lock(&f->lock);
	while (!f->changed && !f->stop && rc == 0)
		rc = pthread_cond_timedwait(&f->wake, &f->lock, &until);
	f->changed = false;
	bool go_on = !f->stop;

	pthread_mutex_unlock(&f->lock);
	return go_on;
}

static void *
work(void *arg)
{
	struct federation *f = arg;
	struct err err = {0};

	/* On Linux that is of this thread alone: logins go first. */
	(void)!setpriority(PRIO_PROCESS, 0, NICE);
	while (wait_for_turn(f)) {
		err_clear(&err);
		if (!federation_look(f, &err))
			log_err(LOG_LVL_WARN, "federation_unread", &err, NULL);
	}
	return NULL;
}

static void
finish(void *p)
{
	struct federation *f = p;

	let_go(f->current);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	pthread_mutex_destroy(&f->looking);
}

struct federation *
federation_create(struct arena *a, struct app *app)
{
	struct federation *f = ARENA_NEW(a, struct federation);
	pthread_condattr_t attr;

	f->app = app;
	pthread_mutex_init(&f->lock, NULL);
	pthread_mutex_init(&f->looking, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attr);
	pthread_condattr_destroy(&attr);
	arena_defer(a, finish, f);
	return f;
}

bool
federation_start(struct federation *f, struct err *err)
{
	f->changed = true;
	return pthread_create(&f->thread, NULL, work, f) == 0 ||
	       FAIL(err, ERR_UNAVAILABLE, NULL, "no thread for federations");
}

void
federation_stop(struct federation *f)
{
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_broadcast(&f->wake);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
}

void
federation_changed(struct federation *f)
{
	pthread_mutex_lock(&f->lock);
	f->changed = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
}

/* ---- looking up ---- */

static bool
left_out(struct arena *a, const struct federation_entry *e, struct err *err)
{
	enum federation_filter filter = (enum federation_filter)e->filter;

	return FAIL(err, ERR_DENIED, "member_left_out", "%s%s%s",
		    federation_filter_sentence(filter), e->missing == 0 ? "" : " ",
		    federation_fields_text(a, e->missing));
}

/* Its text, if nobody suspended it, as we verified it. */
static bool
read_text(const struct db_call *c, const struct part *p, const char *entity_id,
	  const struct federation_entry *e, struct bytes *out, struct err *err)
{
	unsigned char digest[SHA256_BYTES];
	struct db_federation_said said;

	if (!db_federation_said(c, p->name, entity_id, (struct bytes){e->id, SHA256_BYTES},
				(struct bytes){e->digest, SHA256_BYTES}, &said, err))
		return false;
	if (said.suspended != NULL)
		return FAIL(err, ERR_DENIED, "member_suspended", "it is suspended: %s",
			    said.suspended);
	if (said.gone)
		return FAIL(err, ERR_DENIED, "member_suspended",
			    "it is gone from a copy that waits or was rejected");
	if (said.old)
		return FAIL(err, ERR_UNAVAILABLE, "members_loading",
			    "another copy counts, which is not read yet");
	if (said.text.n == 0)
		return FAIL(err, ERR_INTERNAL, NULL, "its text is not in the database");
	*out = said.text;
	hash_sha256(said.text, digest);
	return federation_same(digest, e->digest) ||
	       FAIL(err, ERR_INTERNAL, NULL, "its text in the database is not what was signed");
}

/*
 * A scope of its metadata is not its own that an operator gave to another member, that another
 * one of the same source names as well, or one of a source before it.
 */
static bool
is_its_own(const struct federation_set *s, const struct part *p, const char *entity_id,
	   const char *key)
{
	for (const struct part *q = s->p; q < s->p + s->n; q++)
		if (q->index != NULL &&
		    federation_claims_other(&q->index->claims, key, entity_id, q > p) != NULL)
			return false;
	return true;
}

static void
give_scopes(const struct federation_set *s, const struct part *p, struct arena *a,
	    struct federation_member *m)
{
	const char **own = ARENA_ARRAY(a, const char *, m->saml->n_scopes);

	m->scopes = m->policy->n_scopes > 0 ? m->policy->scopes : own;
	m->n_scopes = m->policy->n_scopes;
	for (size_t i = 0; m->policy->n_scopes == 0 && i < m->saml->n_scopes; i++)
		if (is_its_own(s, p, m->saml->entity_id,
			       federation_scope_key(a, m->saml->scopes[i])))
			own[m->n_scopes++] = m->saml->scopes[i];
}

static bool
read_member(struct app *app, const struct db_call *c, const struct federation_set *s,
	    const struct part *p, const char *entity_id, enum saml_role role,
	    const struct federation_entry *e, struct federation_member *out, struct err *err)
{
	struct federation_policy *policy = ARENA_NEW(c->a, struct federation_policy);
	struct federation_member m = {.policy = policy};
	struct bytes text;

	if (!read_text(c, p, entity_id, e, &text, err))
		return false;
	if (!saml_metadata_parse_role(c->a, text, entity_id, role == SAML_ROLE_IDP, &m.saml, err)) {
		struct err why = *err;

		err_clear(err);
		return FAIL(err, ERR_DENIED, "member_left_out", "%s %s",
			    federation_filter_sentence(FEDERATION_UNREADABLE), why.text);
	}
	if (!federation_policy_of(c->a, &p->rules, entity_id,
				  app->config == NULL ? LEVEL_HIGH : config_level_most(app->config),
				  policy, err))
		return false;
	m.source = arena_strdup(c->a, p->name);
	give_scopes(s, p, c->a, &m);
	m.digest = enc_hex(c->a, (struct bytes){e->digest, SHA256_BYTES});
	m.valid_until = e->valid_until;
	*out = m;
	return true;
}

/* In one source. */
static bool
find_in(struct app *app, const struct db_call *c, const struct federation_set *s,
	const struct part *p, const char *entity_id, enum saml_role role, time_t now,
	struct federation_member *out, struct err *err)
{
	const struct federation_entry *e = NULL;
	unsigned char id[SHA256_BYTES];

	hash_sha256(bytes_of(entity_id), id);
	if (p->index != NULL)
		e = federation_index_find(p->index, id);
	if (e == NULL && !p->settled)
		return FAIL(err, ERR_UNAVAILABLE, "members_loading",
			    "federation %s is not read yet", p->name);
	if (e != NULL && e->filter != FEDERATION_TAKEN)
		return left_out(c->a, e, err);
	if (e == NULL || (e->roles & role) == 0)
		return FAIL(err, ERR_NOT_FOUND, "member_unknown", "no member of a federation%s",
			    e == NULL ? "" : " in this role");
	if (e->valid_until <= now || p->index->valid_until <= now)
		return FAIL(err, ERR_DENIED, "member_over",
			    "validUntil of its metadata has passed");
	return read_member(app, c, s, p, entity_id, role, e, out, err);
}

/* It is a member there, if not suspended. */
static const struct federation_entry *
entry_in(const struct part *p, const unsigned char id[SHA256_BYTES], enum saml_role role)
{
	const struct federation_entry *e =
		p->index == NULL ? NULL : federation_index_find(p->index, id);

	return e != NULL && e->filter == FEDERATION_TAKEN && (e->roles & role) != 0 ? e : NULL;
}

/* The lowest rank of a source that has it, or that nothing is known of yet. */
static int64_t
rank_of(const struct federation_set *s, const unsigned char id[SHA256_BYTES], enum saml_role role)
{
	int64_t least = FEDERATION_RANK_MOST;

	for (size_t i = 0; i < s->n; i++) {
		const struct part *p = &s->p[i];
		bool unread = p->index == NULL && !p->settled;

		if (p->rules.rank < least && (unread || entry_in(p, id, role) != NULL))
			least = p->rules.rank;
	}
	return least;
}

/* Whose name stands first in the alphabet is no reason to believe one of two. */
static bool
check_undisputed(const struct federation_set *s, const unsigned char id[SHA256_BYTES],
		 enum saml_role role, int64_t rank, time_t now, struct err *err)
{
	const struct federation_entry *first = NULL;
	const char *by = NULL;

	for (size_t i = 0; i < s->n; i++) {
		const struct part *p = &s->p[i];
		const struct federation_entry *e = entry_in(p, id, role);

		if (e == NULL || p->rules.rank != rank || e->valid_until <= now ||
		    p->index->valid_until <= now)
			continue;
		if (first != NULL && !federation_same(first->digest, e->digest))
			return FAIL(err, ERR_DENIED, "member_disputed",
				    "%s and %s say it differently, and neither goes first (rank)",
				    by, p->name);
		first = e;
		by = p->name;
	}
	return true;
}

/* What says more than "not here" is told, and a source that may have it before that. */
static int
weight(const struct err *err)
{
	if (err->kind == ERR_NOT_FOUND)
		return 0;
	return text_eq(err->proto, "member_left_out") || text_eq(err->proto, "member_over") ? 1 : 2;
}

bool
federation_find(struct app *app, const struct db_call *c, const char *entity_id,
		enum saml_role role, time_t now, struct federation_member *out, struct err *err)
{
	struct federation_set *s = app->federation == NULL ? NULL : hold(app->federation);
	unsigned char id[SHA256_BYTES];
	struct err worst = {0};

	if (s == NULL)
		return app->federation == NULL
			       ? FAIL(err, ERR_NOT_FOUND, "member_unknown", "no federations")
			       : FAIL(err, ERR_UNAVAILABLE, "members_loading",
				      "federations are not read yet");
	arena_defer(c->a, let_go, s);
	hash_sha256(bytes_of(entity_id), id);
	int64_t rank = rank_of(s, id, role);

	if (!check_undisputed(s, id, role, rank, now, err))
		return false;
	(void)FAIL(&worst, ERR_NOT_FOUND, "member_unknown", "no member of a federation");
	for (size_t i = 0; i < s->n; i++) {
		struct err why = {0};

		if (s->p[i].rules.rank > rank)
			continue;
		if (find_in(app, c, s, &s->p[i], entity_id, role, now, out, &why))
			return true;
		if (weight(&why) > weight(&worst))
			worst = why;
	}
	return FAIL(err, worst.kind, worst.proto, "%s", worst.text);
}

void
federation_choices(struct app *app, struct arena *a, time_t now,
		   const struct federation_choice *const **out, size_t *n, bool *complete)
{
	struct federation_set *s = app->federation == NULL ? NULL : hold(app->federation);
	const struct federation_choice **list;

	*out = NULL;
	*n = 0;
	*complete = s != NULL ? s->complete : app->federation == NULL;
	if (s == NULL)
		return;
	arena_defer(a, let_go, s);
	list = ARENA_ARRAY(a, const struct federation_choice *, s->n_named);
	for (size_t i = 0; i < s->n_named; i++)
		if (s->named[i]->valid_until > now)
			list[(*n)++] = &s->named[i]->choice;
	*out = list;
}

enum level
federation_reach(struct app *app, time_t now)
{
	struct federation_set *s = app->federation == NULL ? NULL : hold(app->federation);
	enum level most = LEVEL_NONE;

	for (int l = LEVEL_NONE; s != NULL && l <= LEVEL_HIGH; l++)
		if (s->reach_until[l] > now)
			most = (enum level)l;
	let_go(s);
	return level_min(most, config_level_most(app->config));
}

/* ---- metrics ---- */

void
federation_metrics(struct federation *f, struct buf *b, time_t now)
{
	struct federation_set *s = hold(f);

	metrics_family(b, "kontor_federation_indexed", "gauge",
		       "1 when this node has read what counts of the source.");
	for (size_t i = 0; s != NULL && i < s->n; i++)
		buf_printf(b, "kontor_federation_indexed{source=\"%s\"} %d\n", s->p[i].name,
			   s->p[i].settled);
	metrics_family(b, "kontor_federation_members", "gauge", "Members that are taken.");
	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (s->p[i].index != NULL)
			buf_printf(b, "kontor_federation_members{source=\"%s\"} %zu\n",
				   s->p[i].name, s->p[i].index->n_filtered[FEDERATION_TAKEN]);
	metrics_family(b, "kontor_federation_left_seconds", "gauge",
		       "Until validUntil of the source's metadata; negative: nobody of it counts.");
	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (s->p[i].index != NULL)
			buf_printf(b, "kontor_federation_left_seconds{source=\"%s\"} %lld\n",
				   s->p[i].name, (long long)(s->p[i].index->valid_until - now));
	let_go(s);
}
