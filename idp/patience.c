/* Watching for late connections; see patience.h. */
#include "idp/patience.h"

#include <pthread.h>
#include <sys/socket.h>

#include "base/clock.h"

#define LOOK_EVERY_US 100000

struct patience {
	const struct config *config;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct patience_item *items;
	bool stop;
};

void
patience_enter(struct patience_item *item, enum patience_phase phase)
{
	atomic_store_explicit(&item->since_us, clock_mono_us(), memory_order_relaxed);
	atomic_store_explicit(&item->phase, phase, memory_order_release);
}

enum patience_phase
patience_phase_of(const struct patience_item *item)
{
	return (enum patience_phase)atomic_load_explicit(&item->phase, memory_order_acquire);
}

void
patience_add(struct patience *p, struct patience_item *item, int fd)
{
	item->fd = fd;
	patience_enter(item, PATIENCE_HEAD);
	pthread_mutex_lock(&p->lock);
	item->next = p->items;
	if (item->next != NULL)
		item->next->prev = item;
	p->items = item;
	pthread_mutex_unlock(&p->lock);
}

/* Under the lock, so that no look ever shuts down a descriptor that is another's by now. */
void
patience_remove(struct patience *p, struct patience_item *item)
{
	pthread_mutex_lock(&p->lock);
	if (item->prev != NULL)
		item->prev->next = item->next;
	else
		p->items = item->next;
	if (item->next != NULL)
		item->next->prev = item->prev;
	pthread_mutex_unlock(&p->lock);
}

static int64_t
limit_us(const struct config *c, enum patience_phase phase)
{
	switch (phase) {
	case PATIENCE_HEAD:
		return c->head_timeout_ms * 1000;
	case PATIENCE_IDLE:
		return c->idle_timeout_ms * 1000;
	case PATIENCE_BODY:
		return c->body_timeout_ms * 1000;
	case PATIENCE_SEND:
		return c->send_timeout_ms * 1000;
	case PATIENCE_WORK:
		break;
	}
	return INT64_MAX;
}

/* The lock is held. */
static void
shut_late(struct patience *p, int64_t now_us)
{
	for (struct patience_item *i = p->items; i != NULL; i = i->next) {
		enum patience_phase phase = patience_phase_of(i);
		int64_t since_us = atomic_load_explicit(&i->since_us, memory_order_relaxed);

		if (now_us - since_us > limit_us(p->config, phase))
			(void)shutdown(i->fd, SHUT_RDWR);
	}
}

void
patience_look(struct patience *p, int64_t now_us)
{
	pthread_mutex_lock(&p->lock);
	shut_late(p, now_us);
	pthread_mutex_unlock(&p->lock);
}

static void *
look_on(void *arg)
{
	struct patience *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		int64_t now_us = clock_mono_us();
		struct timespec until = clock_mono_timespec(now_us + LOOK_EVERY_US);

		shut_late(p, now_us);
		pthread_cond_timedwait(&p->wake, &p->lock, &until);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

bool
patience_start(struct arena *a, const struct config *config, struct patience **out, struct err *err)
{
	struct patience *p = ARENA_NEW(a, struct patience);
	pthread_condattr_t attr;

	p->config = config;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&p->thread, NULL, look_on, p) != 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no thread to look for late connections");
	*out = p;
	return true;
}

void
patience_stop(struct patience *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
}
