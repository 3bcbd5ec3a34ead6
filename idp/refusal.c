/* What is refused to parties, collected; see refusal.h. */
#include "idp/refusal.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "idp/app.h"
#include "idp/route.h"
#include "oidc/error.h"

#define ERROR_BYTES 96

struct entry {
	char party[REFUSAL_ID_BYTES];
	const char *endpoint; /* of the route table */
	char error[ERROR_BYTES];
	char reason[sizeof(((struct err *)0)->text)];
	char ref[REQUEST_REF_BYTES];
	int64_t times;
	time_t first, last;
};

struct list {
	struct entry e[REFUSALS_MOST];
	size_t n;
};

struct refusals {
	pthread_mutex_t lock;
	struct list lists[2]; /* not proven, proven */
};

static void
finish(void *p)
{
	struct refusals *r = p;

	pthread_mutex_destroy(&r->lock);
}

struct refusals *
refusals_create(struct arena *a)
{
	struct refusals *r = ARENA_NEW(a, struct refusals);

	pthread_mutex_init(&r->lock, NULL);
	arena_defer(a, finish, r);
	return r;
}

void
refusal_of(struct request *rq, const struct party *p, bool proven)
{
	if (p == NULL || (rq->of_proven && !proven))
		return;
	rq->of = p;
	rq->of_proven = proven;
}

/* What every client meets that does all right, and what is our own fault. */
static bool
is_ordinary(const struct err *why)
{
	static const char *const names[] = {OIDC_AUTHORIZATION_PENDING, OIDC_USE_DPOP_NONCE,
					    OIDC_DPOP_RESOURCE_NONCE};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (text_eq(why->proto, names[i]))
			return true;
	return why->kind == ERR_NONE || why->kind == ERR_UNAVAILABLE || why->kind == ERR_INTERNAL;
}

static const char *
error_of(const struct party *p, const struct err *why)
{
	if (p->oidc != NULL)
		return oidc_error_of(why)->name;
	return why->proto == NULL ? err_kind_name(why->kind) : why->proto;
}

/* The one of these words, or a new one; NULL: there is no place. */
static struct entry *
find(struct list *l, const struct entry *like)
{
	size_t of_party = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct entry *e = &l->e[i];

		if (strcmp(e->party, like->party) != 0)
			continue;
		if (e->endpoint == like->endpoint && strcmp(e->error, like->error) == 0 &&
		    strcmp(e->reason, like->reason) == 0)
			return e;
		of_party++;
	}
	if (l->n == REFUSALS_MOST || of_party >= REFUSALS_OF_PARTY)
		return NULL;
	l->e[l->n] = *like;
	return &l->e[l->n++];
}

void
refusal_note(const struct request *rq, const struct err *why)
{
	struct refusals *r = rq->app->refusals;
	struct entry like = {.endpoint = rq->route->path, .first = rq->now};

	if (rq->of == NULL || is_ordinary(why))
		return;
	snprintf(like.party, sizeof(like.party), "%s", rq->of->id);
	snprintf(like.error, sizeof(like.error), "%s", error_of(rq->of, why));
	snprintf(like.reason, sizeof(like.reason), "%s", why->text);
	pthread_mutex_lock(&r->lock);
	struct entry *e = find(&r->lists[rq->of_proven], &like);

	if (e != NULL) {
		e->times++;
		e->last = rq->now;
		memcpy(e->ref, rq->ref, sizeof(e->ref));
	}
	pthread_mutex_unlock(&r->lock);
}

bool
refusals_take(struct refusals *r, struct arena *a, struct db_refusal *out)
{
	struct entry *copy = ARENA_NEW(a, struct entry);
	bool proven = false;

	pthread_mutex_lock(&r->lock);
	/* Those with proof first: they tell more. */
	for (int i = 1; i >= 0 && copy->times == 0; i--)
		if (r->lists[i].n > 0) {
			proven = i == 1;
			*copy = r->lists[i].e[--r->lists[i].n];
		}
	pthread_mutex_unlock(&r->lock);
	if (copy->times == 0)
		return false;
	*out = (struct db_refusal){
		.party = copy->party,
		.proven = proven,
		.endpoint = copy->endpoint,
		.error = copy->error,
		.reason = copy->reason[0] == '\0' ? "unsaid" : copy->reason,
		.ref = copy->ref,
		.times = copy->times,
		.first = copy->first,
		.last = copy->last,
	};
	return true;
}
