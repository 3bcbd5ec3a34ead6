/* Lifetimes, caps and the exit of an arena. */
#include <stdint.h>

#include "base/memory.h"
#include "tests/test.h"

static int calls[8], n_calls;

static void
note(void *p)
{
	calls[n_calls++] = (int)(intptr_t)p;
}

static void
objects_are_zeroed_and_aligned(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);

	for (size_t n = 0; n < 300; n++) {
		unsigned char *p = arena_alloc(a, n);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	arena_destroy(a);
}

/* Lengths around what is left of the first chunk: printed once or twice, the rest stays zero. */
static void
printed_text_is_whole_and_leaves_nothing_behind(void **state UNUSED)
{
	for (int n = 4000; n < 4200; n++) {
		struct arena *a = arena_create(1 << 20);
		const char *s, *copied;

		arena_alloc(a, 10);
		s = arena_printf(a, "%0*d", n, 7);
		assert_int_equal(strlen(s), n);
		assert_int_equal(s[n - 1], '7');
		copied = arena_alloc(a, 64);
		for (int i = 0; i < 64; i++)
			assert_int_equal(copied[i], 0);
		arena_destroy(a);
	}
}

static void
only_the_newest_object_grows(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	unsigned char *p = arena_alloc(a, 20), *q;

	memset(p, 0xff, 20);
	if (arena_extend(a, p, 20, 100)) { /* not where each object is a malloc */
		for (int i = 20; i < 120; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, 120);
		q = arena_alloc(a, 10);
		assert_true(q >= p + 120);
		assert_false(arena_extend(a, q, 10, 1 << 19)); /* more than the chunk has */
	}
	arena_alloc(a, 1);
	assert_false(arena_extend(a, p, 120, 1));
	arena_destroy(a);
}

static void
growing_stays_within_the_cap(void **state UNUSED)
{
	struct arena *a = arena_create(256);
	unsigned char *p = arena_alloc(a, 100);

	assert_false(arena_extend(a, p, 100, 200));
	assert_true(arena_used(a) <= 256);
	arena_destroy(a);
}

static void
deferred_calls_run_last_first_and_once(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 16);

	n_calls = 0;
	arena_defer(a, note, (void *)1);
	arena_defer(a, note, (void *)2);
	arena_reset(a);
	assert_int_equal(n_calls, 2);
	assert_int_equal(calls[0], 2);
	assert_int_equal(calls[1], 1);
	arena_defer(a, note, (void *)3);
	arena_destroy(a);
	assert_int_equal(n_calls, 3);
}

static void
defer_without_room(void *arg)
{
	arena_defer(arg, note, (void *)4);
}

static void
what_is_deferred_when_memory_runs_out_is_freed_too(void **state UNUSED)
{
	struct arena *a = arena_create(8);

	n_calls = 0;
	assert_false(arena_run(a, defer_without_room, a));
	assert_int_equal(n_calls, 0);
	arena_destroy(a);
	assert_int_equal(n_calls, 1);
	assert_int_equal(calls[0], 4);
}

struct greedy {
	struct arena *a;
	int rounds;
};

static void
take_until_refused(void *arg)
{
	struct greedy *g = arg;

	for (;; g->rounds++)
		arena_alloc(g->a, 1000);
}

static void
take_a_little(void *arg)
{
	struct greedy *g = arg;

	arena_alloc(g->a, 10);
	g->rounds = -1;
}

static void
a_reached_cap_ends_the_guarded_work_and_nothing_else(void **state UNUSED)
{
	struct greedy g = {arena_create(64 * 1024), 0};

	n_calls = 0;
	arena_defer(g.a, note, (void *)7);
	assert_false(arena_run(g.a, take_until_refused, &g));
	assert_in_range(g.rounds, 50, 65);
	assert_true(arena_used(g.a) <= 64 * 1024);
	arena_reset(g.a);
	assert_int_equal(n_calls, 1);
	assert_true(arena_run(g.a, take_a_little, &g));
	assert_int_equal(g.rounds, -1);
	arena_destroy(g.a);
}

static void
ask_for_too_many(void *arg)
{
	struct greedy *g = arg;

	arena_calloc(g->a, SIZE_MAX / 2, 3);
	g->rounds = 1;
}

static void
a_product_that_overflows_is_refused(void **state UNUSED)
{
	struct greedy g = {arena_create(1 << 20), 0};

	assert_false(arena_run(g.a, ask_for_too_many, &g));
	assert_int_equal(g.rounds, 0);
	arena_destroy(g.a);
}

static void
copies_end_in_nul(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 16);

	assert_string_equal(arena_strdup(a, "Amt"), "Amt");
	assert_null(arena_strdup(a, NULL));
	assert_string_equal(arena_strndup(a, "Amtsweg", 3), "Amt");
	assert_string_equal(arena_printf(a, "%s-%d", "Amt", 24), "Amt-24");
	struct bytes b = arena_bytes(a, bytes_of("xyz"));

	assert_int_equal(b.n, 3);
	assert_string_equal((const char *)b.p, "xyz");
	arena_destroy(a);
}

/* What is kept for the next use shows nothing of the last one. */
/* The leak check of the debug build says so. */
static void
a_destroyed_arena_keeps_nothing_however_small(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 16);

	for (int i = 0; i < 3; i++)
		arena_alloc(a, 0);
	arena_reset(a);
	arena_alloc(a, 0);
	arena_destroy(a);
}

static void
a_reset_arena_gives_zeroed_memory_again(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);

	for (int round = 0; round < 4; round++) {
		for (size_t n = 1; n < 60000; n = n * 3 + 1) {
			unsigned char *p = arena_alloc(a, n);

			for (size_t i = 0; i < n; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xff, n);
		}
		arena_reset(a);
		assert_int_equal(arena_used(a), 0);
	}
	arena_destroy(a);
}

static void
an_empty_arena_takes_another_cap(void **state UNUSED)
{
	struct greedy g = {arena_create(1000), 0};

	assert_false(arena_run(g.a, take_until_refused, &g));
	assert_int_equal(g.rounds, 0);
	arena_reset(g.a);
	arena_set_cap(g.a, 10000);
	assert_false(arena_run(g.a, take_until_refused, &g));
	assert_int_equal(g.rounds, 9);
	arena_destroy(g.a);
}

static void
find_no_memory_in_a_library(void *arg UNUSED)
{
	assert_null(memory_alloc(PTRDIFF_MAX));
}

/* Also where the work inside is guarded by itself. */
static void
guard_another(void *arg)
{
	struct arena *inner = arena_create(1000);

	assert_false(arena_run(inner, find_no_memory_in_a_library, NULL));
	assert_true(arena_run(inner, (void (*)(void *))arg, NULL));
	arena_destroy(inner);
}

static void
find_enough(void *arg UNUSED)
{
	free(memory_alloc(10));
}

static void
work_that_found_no_memory_in_a_library_is_not_done(void **state UNUSED)
{
	struct arena *a = arena_create(1000);
	struct err err = {ERR_INPUT, NULL, NULL, 0, "not well-formed"};

	assert_false(arena_run(a, find_no_memory_in_a_library, NULL));
	assert_false(arena_run_failed(a, &err));
	assert_int_equal(err.kind, ERR_UNAVAILABLE);
	assert_string_equal(err.text, "out of memory");
	assert_true(arena_run(a, find_enough, NULL));
	assert_false(arena_run(a, guard_another, (void *)find_enough));
	arena_destroy(a);
}

static void
leave(void *arg)
{
	arena_leave(arg);
}

static void
what_nobody_guards_leaves_through_the_innermost_guard(void **state UNUSED)
{
	struct arena *a = arena_create(1000), *other = arena_create(8);
	struct err err = {0};

	assert_false(arena_run(a, leave, NULL));
	assert_false(arena_run(a, leave, other));
	assert_false(arena_was_full(a));
	assert_false(arena_run(a, take_a_little, &(struct greedy){other, 0}));
	assert_true(arena_was_full(other));
	assert_false(arena_run_failed(other, &err));
	assert_int_equal(err.kind, ERR_INTERNAL);
	arena_destroy(other);
	arena_destroy(a);
}

static void
an_arena_comes_with_its_first_object(void **state UNUSED)
{
	struct arena *a = NULL;
	unsigned char *p = arena_create_with(1000, 100, &a);

	assert_non_null(p);
	assert_int_equal(p[99], 0);
	arena_destroy(a);
	assert_null(arena_create_with(10, 100, &a));
}

/* With KONTOR_ARENA_DEBUG each object is a chunk, an empty one too; a leak is reported at the end.
 */
static void
an_object_of_no_octets_goes_with_its_arena(void **state UNUSED)
{
	struct arena *a = arena_create(1000);

	assert_non_null(arena_alloc(a, 0));
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_zeroed_and_aligned),
		cmocka_unit_test(printed_text_is_whole_and_leaves_nothing_behind),
		cmocka_unit_test(only_the_newest_object_grows),
		cmocka_unit_test(growing_stays_within_the_cap),
		cmocka_unit_test(deferred_calls_run_last_first_and_once),
		cmocka_unit_test(what_is_deferred_when_memory_runs_out_is_freed_too),
		cmocka_unit_test(a_reached_cap_ends_the_guarded_work_and_nothing_else),
		cmocka_unit_test(a_product_that_overflows_is_refused),
		cmocka_unit_test(copies_end_in_nul),
		cmocka_unit_test(a_destroyed_arena_keeps_nothing_however_small),
		cmocka_unit_test(a_reset_arena_gives_zeroed_memory_again),
		cmocka_unit_test(an_empty_arena_takes_another_cap),
		cmocka_unit_test(work_that_found_no_memory_in_a_library_is_not_done),
		cmocka_unit_test(what_nobody_guards_leaves_through_the_innermost_guard),
		cmocka_unit_test(an_arena_comes_with_its_first_object),
		cmocka_unit_test(an_object_of_no_octets_goes_with_its_arena),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
