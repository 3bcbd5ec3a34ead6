/* Counted snapshots; see snapshot.h. */
#include "idp/snapshot.h"

#include "base/clock.h"

void
snapshots_init(struct snapshots *s)
{
	pthread_condattr_t attr;

	*s = (struct snapshots){.current = NULL};
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void
snapshots_finish(struct snapshots *s)
{
	snapshot_release(s->current);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
}

struct snapshot *
snapshot_create(size_t cap_bytes)
{
	struct arena *a;
	struct snapshot *snap = arena_create_with(cap_bytes, sizeof(*snap), &a);

	if (snap == NULL)
		return NULL;
	snap->a = a;
	atomic_init(&snap->refs, 1);
	return snap;
}

void
snapshot_publish(struct snapshots *s, struct snapshot *snap)
{
	pthread_mutex_lock(&s->lock);
	struct snapshot *old = s->current;

	snap->version = ++s->last_version;
	s->current = snap;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	snapshot_release(old);
}

bool
snapshot_wait(struct snapshots *s, uint64_t version, int64_t wait_ms)
{
	struct timespec until = clock_mono_timespec(clock_mono_us() + wait_ms * 1000);
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	while (s->last_version <= version && rc == 0)
		rc = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	bool there = s->last_version > version;

	pthread_mutex_unlock(&s->lock);
	return there;
}

const struct snapshot *
snapshot_hold(struct snapshots *s)
{
	pthread_mutex_lock(&s->lock);
	struct snapshot *snap = s->current;

	if (snap != NULL)
		atomic_fetch_add_explicit(&snap->refs, 1, memory_order_relaxed);
	pthread_mutex_unlock(&s->lock);
	return snap;
}

void
snapshot_release(const struct snapshot *snap)
{
	struct snapshot *s = (struct snapshot *)(uintptr_t)snap;

	if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	arena_destroy(s->a);
}
