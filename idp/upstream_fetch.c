/* Fetching what OpenID Providers say, and calling them; see upstream_fetch.h. */
#include "idp/upstream_fetch.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/upstream.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/refresh.h"

#define LEASE_S       60 /* longer than any look lasts */
#define LOOK_BYTES    ((size_t)8 * 1024 * 1024)
#define DB_LIMIT_US   ((int64_t)10 * 1000000)
#define FETCH_MS      10000
#define MISS_PAUSE_S  60
#define WAIT_US       ((int64_t)1500000)
#define CALL_MS       3000
#define CALL_LEAST_MS 200
#define CALL_SPARE_MS 500 /* to answer the browser in */

/* ---- again and again ---- */

struct look {
	struct app *app;
	struct db_call *c;
	const struct db_upstream_taken *taken;
	time_t now;
	int64_t fresh_s;
	bool well;
	struct err why;
};

static bool
get(const struct look *l, const char *url, struct fetch_got *out, struct err *err)
{
	const struct fetch_get what = {
		.url = url,
		.ca_file = l->app->config->outbound_ca,
		.accept = "application/json, application/jwk-set+json",
		.max_bytes = OIDC_PROVIDER_MAX_BYTES,
		.timeout_ms = FETCH_MS,
		.inside = &l->app->config->outbound_inside,
	};

	return l->app->get(l->c->a, &what, out, err);
}

static bool
let_count(const struct look *l, struct bytes discovery, struct bytes keys, struct err *err)
{
	char ref[REQUEST_REF_BYTES];

	if (bytes_eq(discovery, l->taken->discovery) && bytes_eq(keys, l->taken->keys))
		return true;
	app_make_ref(ref);
	const struct db_audit audit = {
		.event = AUDIT_UPSTREAM,
		.ref = ref,
		.details = audit_details(l->c->a, "upstream", l->taken->upstream, "now", "fetched",
					 NULL),
	};

	l->c->deadline_us = clock_mono_us() + DB_LIMIT_US;
	if (!db_upstream_fetched(l->c, l->taken, discovery, keys, &audit, l->now, err))
		return false;
	log_event(LOG_LVL_INFO, "upstream_fetched", "upstream", l->taken->upstream, "ref", ref,
		  NULL);
	return true;
}

static bool
look_at(struct look *l, struct err *err)
{
	struct arena *a = l->c->a;
	struct fetch_got discovery, keys;
	struct oidc_provider p;
	struct oidc_jwks jwks;

	if (!get(l, oidc_provider_document(a, l->taken->issuer), &discovery, err) ||
	    !oidc_provider_parse(a, discovery.body, l->taken->issuer, &p, err) ||
	    !get(l, p.jwks_uri, &keys, err) ||
	    !upstream_read_keys(a, keys.body, OIDC_ALG_NONE, &jwks, err))
		return false;
	l->fresh_s = keys.fresh_s;
	return let_count(l, discovery.body, keys.body, err);
}

static void
look_guarded(void *arg)
{
	struct look *l = arg;

	l->well = look_at(l, &l->why);
}

static void
destroy_arena(void *a)
{
	arena_destroy(a);
}

bool
upstream_fetch_one(struct app *app, struct arena *a, time_t now, bool *did, struct err *err)
{
	struct db_call c = {app->db, a, clock_mono_us() + DB_LIMIT_US}, own = c;
	struct look l = {.app = app, .c = &own, .now = now};

	*did = false;
	if (!db_upstream_take(&c, LEASE_S, now, &l.taken, err))
		return false;
	if (l.taken == NULL)
		return true;
	*did = true;
	own.a = arena_create(LOOK_BYTES);
	arena_defer(a, destroy_arena, own.a);
	if (own.a == NULL || !arena_run(own.a, look_guarded, &l))
		l.well = arena_run_failed(own.a, &l.why);
	memory_set_failed(false); /* told by `why`: what comes now is another piece of work */
	if (!l.well)
		log_err(LOG_LVL_WARN, "upstream_failed", &l.why, "upstream", l.taken->upstream,
			NULL);
	c.deadline_us = clock_mono_us() + DB_LIMIT_US;
	return db_upstream_settle(
		&c, l.taken,
		now + (l.well ? refresh_keys_pause_s(l.fresh_s) : refresh_retry_s(l.taken->tries)),
		l.well ? NULL : l.why.text, now, err);
}

/* ---- keys that are new ---- */

static void
release(void *p)
{
	snapshot_release(p);
}

/* A snapshot in which the provider has other keys, held for the caller; NULL: none until then. */
static const struct snapshot *
find_other(struct request *rq, const struct upstream *from, int64_t until_us)
{
	for (;;) {
		const struct snapshot *snap = snapshot_hold(&rq->app->snapshots);
		const struct upstream *now = upstream_find(&snap->upstreams, from->id);
		uint64_t version = snap->version;
		int64_t left_us = until_us - clock_mono_us();

		if (now != NULL && now->enabled && now->oidc != NULL &&
		    now->oidc->provider != NULL &&
		    !bytes_eq(now->oidc->keys_text, from->oidc->keys_text))
			return snap;
		snapshot_release(snap);
		if (now == NULL || left_us <= 0 ||
		    !snapshot_wait(&rq->app->snapshots, version, left_us / 1000))
			return NULL;
	}
}

/* Whoever would keep our threads waiting gets one of them. */
static const struct snapshot *
await_other(struct request *rq, const struct upstream *from)
{
	int64_t until_us = clock_mono_us() + WAIT_US;
	const struct snapshot *snap;

	refresh_wake(rq->app->refresh);
	if (atomic_exchange(&rq->app->keys_awaited, true))
		return NULL;
	snap = find_other(rq, from, until_us < rq->deadline_us ? until_us : rq->deadline_us);
	atomic_store(&rq->app->keys_awaited, false);
	return snap;
}

bool
upstream_keys_renew(struct request *rq, const struct upstream **from)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct snapshot *snap = find_other(rq, *from, 0);
	struct err err = {0};
	bool did;

	if (snap == NULL) {
		if (!db_upstream_miss(&c, (*from)->id, MISS_PAUSE_S, rq->now, &did, &err))
			log_err(LOG_LVL_WARN, "upstream_keys_unasked", &err, "upstream",
				(*from)->id, NULL);
		else if (did && rq->app->refresh != NULL)
			snap = await_other(rq, *from);
	}
	if (snap == NULL)
		return false;
	arena_defer(rq->a, release, (void *)(uintptr_t)snap);
	rq->snap = snap;
	*from = upstream_find(&snap->upstreams, (*from)->id);
	return true;
}

/* ---- calls ---- */

/* Given back once: after the call, or with the arena when it is left another way. */
struct hold {
	atomic_uint *calls;
	bool held;
};

static void
let_go(void *p)
{
	struct hold *h = p;

	if (h->held)
		atomic_fetch_sub(h->calls, 1);
	h->held = false;
}

/* Two that share a place have less, never more. */
static atomic_uint *
place_of(struct app *app, const char *id)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(id), digest);
	return &app->upstream_calls[digest[0] % ARRAY_LEN(app->upstream_calls)];
}

bool
upstream_call(struct request *rq, const struct upstream *from, const char *url, const char *bearer,
	      struct bytes body, struct fetch_answer *out, struct err *err)
{
	unsigned most = ((unsigned)rq->app->config->workers[LANE_UPSTREAM] + 1) / 2;
	struct hold *h = ARENA_NEW(rq->a, struct hold);
	int64_t left_ms = (rq->deadline_us - clock_mono_us()) / 1000 - CALL_SPARE_MS;
	const struct fetch_post what = {
		.url = url,
		.ca_file = rq->app->config->outbound_ca,
		.type = "application/x-www-form-urlencoded",
		.bearer = bearer,
		.body = body,
		.max_bytes = OIDC_PROVIDER_MAX_BYTES,
		.timeout_ms = left_ms < CALL_MS ? left_ms : CALL_MS,
		.inside = &rq->app->config->outbound_inside,
	};

	if (left_ms < CALL_LEAST_MS)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: no time is left", from->id);
	h->calls = place_of(rq->app, from->id);
	arena_defer(rq->a, let_go, h);
	h->held = true;
	bool ok = atomic_fetch_add(h->calls, 1) < most
			  ? rq->app->post(rq->a, &what, out, err)
			  : FAIL(err, ERR_UNAVAILABLE, NULL, "%s: too many wait for it", from->id);

	let_go(h);
	return ok;
}
