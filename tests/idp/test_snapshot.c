/*
 * Snapshots: readers hold what they began with while a writer swaps, and the
 * last one that lets go frees.  Meant for ./dev test --threads too.
 */
#include "idp/snapshot.h"

#include "tests/test.h"

#define READERS 4
#define PATHS   8

static atomic_uint n_gone;

static void
count_gone(void *p UNUSED)
{
	atomic_fetch_add(&n_gone, 1);
}

/* Number n, said by each of its documents. */
static struct snapshot *
make(uint64_t n)
{
	struct snapshot *snap = snapshot_create(1 << 20);
	struct err err = {0};

	assert_non_null(snap);
	arena_defer(snap->a, count_gone, NULL);
	for (int i = 0; i < PATHS; i++) {
		struct document d = {
			.path = arena_printf(snap->a, "/%d", i),
			.type = "text/plain",
			.cache = "no-store",
			.body = bytes_of(arena_printf(snap->a, "%llu", (unsigned long long)n))};

		ASSERT_OK(documents_add(snap->a, &snap->documents, &d, &err), &err);
	}
	return snap;
}

/* The number that all its documents say; 0: they differ, or it is not its version. */
static uint64_t
number_of(const struct snapshot *snap)
{
	for (size_t i = 0; i < PATHS; i++)
		if (strtoull((const char *)snap->documents.d[i].body.p, NULL, 10) != snap->version)
			return 0;
	return snap->documents.n == PATHS ? snap->version : 0;
}

struct reader {
	pthread_t id;
	struct snapshots *s;
	const atomic_bool *end;
	uint64_t last;
	bool torn, went_back;
};

static void *
reader_main(void *arg)
{
	struct reader *r = arg;

	while (!atomic_load(r->end)) {
		const struct snapshot *first = snapshot_hold(r->s), *next = snapshot_hold(r->s);

		/* Both are there until they are let go, whatever came meanwhile. */
		r->torn |= number_of(first) == 0 || number_of(next) == 0;
		r->went_back |= first->version < r->last || next->version < first->version;
		r->last = next->version;
		snapshot_release(first);
		r->torn |= number_of(next) == 0;
		snapshot_release(next);
	}
	return NULL;
}

static void
readers_see_whole_ones_and_never_go_back(void **state UNUSED)
{
	const uint64_t n = test_size(300, 20000);
	struct reader readers[READERS];
	atomic_bool end = false;
	struct snapshots s;

	atomic_store(&n_gone, 0);
	snapshots_init(&s);
	snapshot_publish(&s, make(1));
	for (size_t i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.s = &s, .end = &end};
		assert_int_equal(pthread_create(&readers[i].id, NULL, reader_main, &readers[i]), 0);
	}
	for (uint64_t i = 2; i <= n; i++)
		snapshot_publish(&s, make(i));
	atomic_store(&end, true);
	for (size_t i = 0; i < READERS; i++) {
		pthread_join(readers[i].id, NULL);
		assert_false(readers[i].torn);
		assert_false(readers[i].went_back);
	}
	/* Each was freed once, but for the current one. */
	assert_int_equal(atomic_load(&n_gone), n - 1);
	snapshots_finish(&s);
	assert_int_equal(atomic_load(&n_gone), n);
}

static void
the_last_hold_frees(void **state UNUSED)
{
	struct snapshots s;

	atomic_store(&n_gone, 0);
	snapshots_init(&s);
	assert_null(snapshot_hold(&s));
	snapshot_release(NULL);
	snapshot_publish(&s, make(1));
	const struct snapshot *held = snapshot_hold(&s), *again = snapshot_hold(&s);

	snapshot_publish(&s, make(2));
	assert_int_equal(atomic_load(&n_gone), 0);
	assert_int_equal(number_of(held), 1);
	snapshot_release(held);
	assert_int_equal(atomic_load(&n_gone), 0);
	snapshot_release(again);
	assert_int_equal(atomic_load(&n_gone), 1);
	snapshots_finish(&s);
	assert_int_equal(atomic_load(&n_gone), 2);
}

static void *
publish_first(void *arg)
{
	snapshot_publish(arg, make(1));
	return NULL;
}

static void
who_waits_is_woken_by_the_first(void **state UNUSED)
{
	struct snapshots s;
	pthread_t thread;

	snapshots_init(&s);
	assert_false(snapshot_wait(&s, 0, 1));
	assert_int_equal(pthread_create(&thread, NULL, publish_first, &s), 0);
	assert_true(snapshot_wait(&s, 0, 60000));
	pthread_join(thread, NULL);
	assert_true(snapshot_wait(&s, 0, 0));
	/* And for a newer one than that. */
	assert_false(snapshot_wait(&s, 1, 1));
	snapshots_finish(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_whole_ones_and_never_go_back),
		cmocka_unit_test(the_last_hold_frees),
		cmocka_unit_test(who_waits_is_woken_by_the_first),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
