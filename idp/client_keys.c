/* Keys at a jwks_uri that are new; see client_keys.h. */
#include "idp/client_keys.h"

#include "base/clock.h"
#include "base/log.h"
#include "db/source.h"
#include "idp/app.h"
#include "idp/refresh.h"

#define MISS_PAUSE_S 60
#define WAIT_US      ((int64_t)1500000)

static void
release(void *p)
{
	snapshot_release(p);
}

/* A snapshot in which the client has other keys, held for the caller; NULL: none until then. */
static const struct snapshot *
find_other(struct request *rq, const struct party *p, int64_t until_us)
{
	for (;;) {
		const struct snapshot *snap = snapshot_hold(&rq->app->snapshots);
		const struct party *now = party_find(&snap->parties, p->id);
		uint64_t version = snap->version;
		int64_t left_us = until_us - clock_mono_us();

		if (now != NULL && now->oidc != NULL &&
		    !bytes_eq((struct bytes){now->keys_digest, SHA256_BYTES},
			      (struct bytes){p->keys_digest, SHA256_BYTES}))
			return snap;
		snapshot_release(snap);
		if (now == NULL || left_us <= 0 ||
		    !snapshot_wait(&rq->app->snapshots, version, left_us / 1000))
			return NULL;
	}
}

/* Whoever would keep our threads waiting gets one of them, and once a minute for a client. */
static const struct snapshot *
await_other(struct request *rq, const struct party *p)
{
	int64_t until_us = clock_mono_us() + WAIT_US;
	const struct snapshot *snap = NULL;

	refresh_wake(rq->app->refresh);
	if (atomic_exchange(&rq->app->keys_awaited, true))
		return NULL;
	snap = find_other(rq, p, until_us < rq->deadline_us ? until_us : rq->deadline_us);
	atomic_store(&rq->app->keys_awaited, false);
	return snap;
}

bool
client_keys_again(struct request *rq, const struct party **p, struct err *err)
{
	if (!client_keys_renew(rq, p))
		return false;
	if (err != NULL)
		err_clear(err);
	return true;
}

bool
client_keys_renew(struct request *rq, const struct party **p)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct snapshot *snap;
	struct err err = {0};
	bool did;

	if ((*p)->oidc->jwks_uri == NULL)
		return false;
	snap = find_other(rq, *p, 0);
	if (snap == NULL) {
		/* Who asks is refused anyway; what goes wrong here is told and changes nothing. */
		if (!db_source_miss(&c, (*p)->id, MISS_PAUSE_S, rq->now, &did, &err))
			log_err(LOG_LVL_WARN, "client_keys_unasked", &err, "party", (*p)->id, NULL);
		else if (did && rq->app->refresh != NULL)
			snap = await_other(rq, *p);
	}
	if (snap == NULL)
		return false;
	arena_defer(rq->a, release, (void *)(uintptr_t)snap);
	rq->snap = snap;
	*p = party_find(&snap->parties, (*p)->id);
	return true;
}
