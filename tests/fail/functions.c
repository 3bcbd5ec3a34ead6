/* Functions without memory; see functions.h. */
#include "tests/fail/functions.h"

#include <pthread.h>

#include "tests/fail/fail.h"
#include "tests/fail/libraries.h"

#define BYTES ((size_t)32 << 20)

struct arena *kept;
struct test_keys *keys;

struct trial {
	const struct row *row;
	const struct fail_plan *plan;
	struct arena *a;
	const char *text;
	struct err err;
	bool held, left; /* left: by the arena's exit */
};

static void
run_row(void *arg)
{
	struct trial *t = arg;

	t->held = t->row->run(t->a, t->row->in, &t->text, &t->err);
}

static void *
run_trial(void *arg)
{
	struct trial *t = arg;

	libraries_know_thread();
	fail_arm(t->plan);
	t->left = !arena_run(t->a, run_row, t);
	fail_pause();
	return NULL;
}

/*
 * With this plan, on a thread of its own: what libraries make at its first use of them,
 * they make in each trial.  Its text is kept when there is one.
 */
static struct trial
try_row(const struct row *row, const struct fail_plan *plan)
{
	struct trial t = {.row = row, .plan = plan, .a = arena_create(BYTES), .text = ""};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_trial, &t), 0);
	pthread_join(thread, NULL);
	if (t.held && !t.left)
		t.text = arena_strdup(kept, t.text);
	arena_destroy(t.a);
	return t;
}

/* A refusal blames the input for nothing that is ours. */
static bool
is_ours(const struct trial *t)
{
	return t->left || t->err.kind == ERR_UNAVAILABLE || t->err.kind == ERR_INTERNAL;
}

static void
fail_row(const struct row *row, const struct trial *clean, size_t nth, bool onwards)
{
	const struct fail_plan plan = {.what = FAIL_MEMORY, .nth = nth, .onwards = onwards};
	struct trial t = try_row(row, &plan);

	if (t.held && !t.left) {
		assert_true(row->good);
		assert_string_equal(t.text, clean->text);
	} else if (row->good && !is_ours(&t)) {
		fail_msg("%s: out of memory is told as %s: %s", row->name,
			 err_kind_name(t.err.kind), t.err.text);
	}
	/* The next one finds all as it was. */
	t = try_row(row, &(struct fail_plan){.what = FAIL_MEMORY, .nth = SIZE_MAX});
	assert_int_equal(t.held, row->good);
	assert_string_equal(t.text, clean->text);
	fail_over();
}

static void
sweep_row(const struct row *row)
{
	const struct fail_plan count = {.what = FAIL_MEMORY};
	struct trial clean = try_row(row, &count), again;
	size_t n;

	clean = try_row(row, &count); /* the first one made what lasts */
	if (clean.held != row->good)
		fail_msg("%s: %s", row->name, clean.err.text);
	size_t all = fail_passed();
	const size_t *places = fail_distinct(&n);
	size_t step = test_size(1 + n / 40, 1);

	for (size_t i = 0; i < n; i += step) {
		fail_row(row, &clean, places[i], false);
		fail_row(row, &clean, places[i], true);
	}
	for (size_t i = 1; getenv("KONTOR_TEST_FULL") != NULL && i <= all; i++)
		fail_row(row, &clean, i, false);
	again = try_row(row, &count);
	fail_over();
	assert_int_equal(again.held, row->good);
	assert_string_equal(again.text, clean.text);
	print_message("# %s: %zu places, %zu distinct\n", row->name, all, n);
}

void
functions_sweep(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sweep_row(&rows[i]);
}

int
functions_setup(void **state UNUSED)
{
	kept = arena_create((size_t)512 << 20);
	keys = test_keys_create(kept);
	return 0;
}

int
functions_teardown(void **state UNUSED)
{
	arena_destroy(kept);
	return 0;
}

int
functions_explain(void **state UNUSED)
{
	fail_explain();
	return 0;
}
