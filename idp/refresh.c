/* Fetching metadata again; see refresh.h. */
#include "idp/refresh.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/upstream_fetch.h"

#define THREADS        3  /* a few that hang hold up no other */
#define LEASE_S        60 /* longer than any look lasts */
#define LOOK_US        ((int64_t)1000000)
#define LOOK_BYTES     ((size_t)128 * 1024 * 1024)
#define TAKE_BYTES     ((size_t)16 * 1024 * 1024) /* so that what fails for want of it is settled */
#define DB_LIMIT_US    ((int64_t)10 * 1000000)

#define PAUSE_LEAST_S  3600
#define PAUSE_MOST_S   86400
#define PAUSE_UNSAID_S ((int64_t)6 * 3600)
#define PAUSE_AT_END_S 300
#define KEYS_LEAST_S   300
#define KEYS_UNSAID_S  3600
#define KEYS_LIMIT_MS  10000
#define RETRY_FIRST_S  60
#define RETRY_MOST_S   3600

/* ---- when ---- */

int64_t
refresh_pause_s(const struct saml_party *p, time_t now)
{
	int64_t pause = p->cache_s < 0 ? PAUSE_UNSAID_S : p->cache_s;

	if (pause < PAUSE_LEAST_S)
		pause = PAUSE_LEAST_S;
	if (pause > PAUSE_MOST_S)
		pause = PAUSE_MOST_S;
	if (p->valid_until != 0 && (p->valid_until - now) / 2 < pause)
		pause = (p->valid_until - now) / 2;
	return pause < PAUSE_AT_END_S ? PAUSE_AT_END_S : pause;
}

int64_t
refresh_keys_pause_s(int64_t fresh_s)
{
	int64_t pause = fresh_s < 0 ? KEYS_UNSAID_S : fresh_s;

	if (pause < KEYS_LEAST_S)
		return KEYS_LEAST_S;
	return pause > PAUSE_MOST_S ? PAUSE_MOST_S : pause;
}

int64_t
refresh_retry_s(int64_t tries)
{
	int64_t pause = RETRY_FIRST_S;

	for (; tries > 1 && pause < RETRY_MOST_S; tries--)
		pause *= 2;
	return pause < RETRY_MOST_S ? pause : RETRY_MOST_S;
}

/* Up to an eighth sooner, so that what was registered together is not fetched together. */
static time_t
with_jitter(time_t now, int64_t pause)
{
	unsigned char jitter;

	rand_bytes(&jitter, 1);
	return now + pause - pause * jitter / 2048;
}

/* ---- one source ---- */

struct look {
	struct app *app;
	struct db_call *c;
	const struct db_source_taken *taken;
	time_t now;
	struct party was;    /* what counts */
	struct db_party row; /* the same with the document that was fetched */
	struct party_judged judged;
	struct saml_changes changes;
	struct fetch_known known; /* what to ask with the next time */
	int64_t fresh_s;          /* of keys: how long they may be kept */
	bool counts;              /* what was fetched is what counts */
	bool well;
	struct err why; /* it did not go well */
};

static struct db_audit
audit_of(const struct look *l, const char *event, char ref[REQUEST_REF_BYTES])
{
	app_make_ref(ref);
	return (struct db_audit){
		.event = event,
		.ref = ref,
		.party = l->row.id,
		.details = audit_details(l->c->a, "rules",
					 party_changes_rules(l->c->a, &l->changes), NULL),
	};
}

/* What waits asks the same, and has not ended while it waited. */
static bool
waits_already(const struct look *l, struct bytes asked)
{
	struct db_party row = l->taken->party;
	struct party p;

	row.document = l->taken->pending_document;
	return bytes_eq(l->taken->pending, asked) && party_parse(l->c->a, &row, &p, NULL) &&
	       !party_is_over(&p, l->now);
}

/* It waits for an operator, who is asked once. */
static bool
hold(const struct look *l, struct err *err)
{
	enum saml_risk least = l->taken->source.held ? SAML_RISK_PLAIN : SAML_RISK_HELD;
	json_t *changes = json_new_object(l->c->a);
	unsigned char digest[SHA256_BYTES];
	char ref[REQUEST_REF_BYTES];

	json_put(l->c->a, changes, "changes", party_changes_json(l->c->a, &l->changes));
	saml_changes_digest(l->c->a, &l->changes, least, digest);
	const struct db_copy copy = {
		.party = l->row.id,
		.document = l->row.document,
		.base = l->taken->base,
		.asked = {digest, sizeof(digest)},
		.changes = json_text(l->c->a, changes, false),
	};
	struct db_audit audit = audit_of(l, AUDIT_PARTY_HELD, ref);

	if (bytes_eq(l->taken->rejected, copy.asked))
		return FAIL(err, ERR_DENIED, NULL, "what was rejected is still served");
	if (waits_already(l, copy.asked))
		return true;
	if (!db_copy_hold(l->c, &copy, &audit, l->now, err))
		return false;
	log_event(LOG_LVL_WARN, "metadata_held", "party", l->row.id, "rules",
		  party_changes_rules(l->c->a, &l->changes), "ref", ref, NULL);
	return true;
}

static bool
let_count(struct look *l, struct err *err)
{
	const struct db_replace what = {
		.party = l->row.id,
		.base = l->taken->base,
		.document = l->row.document,
		.forget = saml_changes_risk(&l->changes) == SAML_RISK_RENEWAL,
	};
	char ref[REQUEST_REF_BYTES];
	struct db_audit audit = audit_of(l, AUDIT_PARTY_REFRESHED, ref);

	l->counts = true;
	/* The same again is nothing new, unless something waits that is not there any more. */
	if (bytes_eq(l->row.document, l->taken->party.document) && l->taken->pending.n == 0)
		return true;
	if (!db_copy_replace(l->c, &what, &audit, l->now, err))
		return false;
	log_event(LOG_LVL_INFO, "metadata_refreshed", "party", l->row.id, "rules",
		  party_changes_rules(l->c->a, &l->changes), "ref", ref, NULL);
	return true;
}

/* Judge what was fetched and let it count or wait. */
static bool
take_document(struct look *l, struct bytes document, struct err *err)
{
	unsigned flags = l->taken->source.local_http ? SAML_LINT_LOCAL_HTTP : 0;

	l->row.document = document;
	if (!party_judge(l->c->a, &l->row, flags, l->now, &l->judged, err))
		return false;
	saml_metadata_diff(l->c->a, l->was.saml, l->judged.party.saml,
			   l->taken->source.signers[0] != '\0', &l->changes);
	switch (saml_changes_risk(&l->changes)) {
	case SAML_RISK_REFUSED: /* second line: it was looked for by its name */
		return FAIL(err, ERR_DENIED, NULL, "%s", l->changes.p[0].text);
	case SAML_RISK_HELD:
		return hold(l, err);
	case SAML_RISK_PLAIN:
		return l->taken->source.held ? hold(l, err) : let_count(l, err);
	case SAML_RISK_RENEWAL:
		return let_count(l, err);
	}
	return false;
}

/* ---- the keys of a client ---- */

/* They count if they read; else those of before do. */
static bool
take_keys(struct look *l, struct bytes keys, struct err *err)
{
	struct oidc_client client = *l->was.oidc;
	char ref[REQUEST_REF_BYTES];

	if (!oidc_client_take_keys(l->c->a, &client, keys, err))
		return false;
	if (bytes_eq(keys, l->taken->party.keys))
		return true;
	app_make_ref(ref);
	struct db_audit audit = {
		.event = AUDIT_CLIENT_KEYS,
		.ref = ref,
		.party = l->row.id,
		.details = audit_details(l->c->a, "jwks_uri", l->taken->source.url, NULL)};

	if (!db_source_keys(l->c, l->taken, keys, &audit, l->now, err))
		return false;
	log_event(LOG_LVL_INFO, "client_keys", "party", l->row.id, "ref", ref, NULL);
	return true;
}

static bool
look_at_keys(struct look *l, struct err *err)
{
	const struct db_source *source = &l->taken->source;
	const struct fetch_get what = {
		.url = source->url,
		.ca_file = l->app->config->outbound_ca,
		.accept = "application/jwk-set+json, application/json",
		.known = {source->etag, source->last_modified},
		.max_bytes = OIDC_JWKS_MAX_BYTES,
		.timeout_ms = KEYS_LIMIT_MS,
		.inside = &l->app->config->outbound_inside,
	};
	struct fetch_got got;

	if (!party_parse(l->c->a, &l->taken->party, &l->was, err) ||
	    !l->app->get(l->c->a, &what, &got, err))
		return false;
	l->c->deadline_us = clock_mono_us() + DB_LIMIT_US;
	if (!got.same && !take_keys(l, got.body, err))
		return false;
	l->known = got.known;
	l->fresh_s = got.fresh_s;
	return true;
}

static bool
is_client(const struct look *l)
{
	return text_eq(l->row.kind, "oidc");
}

/* Fetch and see to it. */
static bool
look_at(struct look *l, struct err *err)
{
	struct fetch_got got;

	if (is_client(l))
		return look_at_keys(l, err);
	if (!party_parse(l->c->a, &l->taken->party, &l->was, err) ||
	    !party_metadata_fetch(l->c->a, l->app->config, l->app->get, &l->taken->source, &got,
				  err))
		return false;
	l->c->deadline_us = clock_mono_us() + DB_LIMIT_US;
	if (!got.same && !take_document(l, got.body, err))
		return false;
	if (got.same && party_is_over(&l->was, l->now))
		return FAIL(err, ERR_DENIED, NULL, "validUntil has passed, and there is no other");
	l->known = got.known;
	return true;
}

/* What counts from now on, to say when it has to be looked at again. */
static int64_t
pause_of(const struct look *l)
{
	const struct party *p = l->counts ? &l->judged.party : &l->was;

	if (is_client(l))
		return refresh_keys_pause_s(l->fresh_s);
	return refresh_pause_s(p->saml, l->now);
}

static void
look_guarded(void *arg)
{
	struct look *l = arg;

	l->well = look_at(l, &l->why);
}

static struct db_source_end
end_of(const struct look *l)
{
	const struct db_source *source = &l->taken->source;
	struct db_source_end end = {.due = 0};

	if (l->well) {
		end.due = with_jitter(l->now, pause_of(l));
		end.etag = l->known.etag;
		end.last_modified = l->known.last_modified;
		return end;
	}
	end.due = with_jitter(l->now, refresh_retry_s(source->tries));
	end.trouble = l->why.text;
	/* What came last is known as before; what was refused is asked for again. */
	if (l->why.kind == ERR_UNAVAILABLE) {
		end.etag = source->etag;
		end.last_modified = source->last_modified;
	}
	return end;
}

static void
destroy_arena(void *a)
{
	arena_destroy(a);
}

/* In an arena of its own: of one that was not enough there is an end to write all the same. */
bool
refresh_one(struct app *app, struct arena *a, time_t now, bool *did, struct err *err)
{
	struct db_call c = {app->db, a, clock_mono_us() + DB_LIMIT_US}, own = c;
	struct look l = {.app = app, .c = &own, .now = now};

	*did = false;
	if (!db_source_take(&c, LEASE_S, now, &l.taken, err))
		return false;
	if (l.taken == NULL)
		return true;
	*did = true;
	l.row = l.taken->party;
	own.a = arena_create(LOOK_BYTES);
	arena_defer(a, destroy_arena, own.a);
	if (own.a == NULL || !arena_run(own.a, look_guarded, &l))
		l.well = arena_run_failed(own.a, &l.why);
	memory_set_failed(false); /* told by `why`: what comes now is another piece of work */
	if (!l.well)
		log_err(LOG_LVL_WARN, is_client(&l) ? "client_keys_failed" : "metadata_failed",
			&l.why, "party", l.taken->party.id, NULL);
	const struct db_source_end end = end_of(&l);

	c.deadline_us = clock_mono_us() + DB_LIMIT_US;
	return db_source_settle(&c, l.taken, &end, now, err);
}

/* ---- the threads ---- */

struct refresh {
	struct app *app;
	pthread_t threads[THREADS];
	size_t n_threads;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
};

struct looking {
	struct refresh *r;
	struct arena *a;
	struct err err;
	bool ok, did;
};

static void
take_guarded(void *arg)
{
	struct looking *s = arg;
	struct app *app = s->r->app;

	s->ok = refresh_one(app, s->a, app->clock(app), &s->did, &s->err) &&
		(s->did || upstream_fetch_one(app, s->a, app->clock(app), &s->did, &s->err));
}

/* One look; true: there was one due. */
static bool
look(struct refresh *r)
{
	struct looking s = {.r = r, .a = arena_create(TAKE_BYTES)};

	if (s.a == NULL || !arena_run(s.a, take_guarded, &s))
		s.ok = arena_run_failed(s.a, &s.err);
	if (!s.ok)
		log_err(LOG_LVL_WARN, "metadata_unsettled", &s.err, NULL);
	arena_destroy(s.a);
	return s.ok && s.did;
}

/* Wait a second, if nothing was due; false: it is over. */
static bool
wait_for_turn(struct refresh *r, bool at_once)
{
	struct timespec until = clock_mono_timespec(clock_mono_us() + LOOK_US);

	pthread_mutex_lock(&r->lock);
	if (!at_once && !r->stop)
		pthread_cond_timedwait(&r->wake, &r->lock, &until);
	bool go_on = !r->stop;

	pthread_mutex_unlock(&r->lock);
	return go_on;
}

static void *
work(void *arg)
{
	struct refresh *r = arg;
	bool did = false;

	while (wait_for_turn(r, did))
		did = look(r);
	return NULL;
}

static void
refresh_finish(void *p)
{
	struct refresh *r = p;

	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
}

bool
refresh_start(struct arena *a, struct app *app, struct refresh **out, struct err *err)
{
	struct refresh *r = ARENA_NEW(a, struct refresh);
	pthread_condattr_t attr;

	r->app = app;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attr);
	pthread_condattr_destroy(&attr);
	arena_defer(a, refresh_finish, r);
	for (; r->n_threads < THREADS; r->n_threads++)
		if (pthread_create(&r->threads[r->n_threads], NULL, work, r) != 0)
			break;
	if (r->n_threads == THREADS) {
		*out = r;
		return true;
	}
	refresh_stop(r);
	return FAIL(err, ERR_UNAVAILABLE, NULL, "no threads for metadata");
}

void
refresh_wake(struct refresh *r)
{
	pthread_mutex_lock(&r->lock);
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

void
refresh_stop(struct refresh *r)
{
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_broadcast(&r->wake);
	pthread_mutex_unlock(&r->lock);
	for (size_t i = 0; i < r->n_threads; i++)
		pthread_join(r->threads[i], NULL);
}
