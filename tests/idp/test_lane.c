/* Lanes: every job runs or is dropped exactly once, and no lane waits for another. */
#include "idp/lane.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/test.h"

static struct arena *a;
static atomic_int_fast64_t now_us;

static int64_t
fake_clock(void)
{
	return now_us;
}

/* A gate that jobs wait at, opened by the test. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_open;
static int n_entered, n_run, n_dropped;

static void
reset(void)
{
	is_open = false;
	n_entered = n_run = n_dropped = 0;
	now_us = 1000;
}

static void
run_waiting(struct job *j UNUSED, struct worker *w UNUSED)
{
	pthread_mutex_lock(&lock);
	n_entered++;
	pthread_cond_broadcast(&changed);
	while (!is_open)
		pthread_cond_wait(&changed, &lock);
	n_run++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void
run_quick(struct job *j UNUSED, struct worker *w UNUSED)
{
	pthread_mutex_lock(&lock);
	n_run++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void
drop(struct job *j UNUSED)
{
	pthread_mutex_lock(&lock);
	n_dropped++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void
wait_until(const int *what, int n)
{
	pthread_mutex_lock(&lock);
	while (*what < n)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void
open_gate(void)
{
	pthread_mutex_lock(&lock);
	is_open = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static struct lanes *
start(unsigned workers, unsigned queue)
{
	struct lanes_options o = {.clock_us = fake_clock};
	struct lanes *l;
	struct err err = {0};

	reset();
	for (int i = LANE_LIGHT; i < LANE_COUNT; i++)
		o.size[i] = (struct lane_size){workers, queue};
	ASSERT_OK(lanes_start(a, &o, &l, &err), &err);
	return l;
}

static void
queue(struct lanes *l, enum lane lane, struct job *j)
{
	assert_true(lane_reserve(l, lane, j->begins, j->late_us));
	lane_push(l, lane, j);
}

static struct job
waiting_job(int64_t late_us)
{
	return (struct job){.late_us = late_us, .run = run_waiting, .drop = drop};
}

static void
every_job_runs_once(void **state UNUSED)
{
	struct lanes *l = start(4, 1000);
	struct job jobs[500];

	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		jobs[i] = (struct job){.late_us = 5000, .run = run_quick, .drop = drop};
		queue(l, LANE_TOKEN, &jobs[i]);
	}
	wait_until(&n_run, ARRAY_LEN(jobs));
	lanes_stop(l);
	assert_int_equal(n_run, ARRAY_LEN(jobs));
	assert_int_equal(n_dropped, 0);
}

static void
a_full_lane_refuses_and_others_go_on(void **state UNUSED)
{
	struct lanes *l = start(1, 2);
	struct job held = waiting_job(5000), one = waiting_job(5000), two = waiting_job(5000),
		   light = {.late_us = 5000, .run = run_quick};
	unsigned waiting, running;

	queue(l, LANE_PASSWORD, &held);
	wait_until(&n_entered, 1);
	queue(l, LANE_PASSWORD, &one);
	queue(l, LANE_PASSWORD, &two);
	assert_true(lane_is_full(l, LANE_PASSWORD, 5000));
	assert_false(lane_reserve(l, LANE_PASSWORD, false, 5000));
	lane_depth(l, LANE_PASSWORD, &waiting, &running);
	assert_int_equal(waiting, 2);
	assert_int_equal(running, 1);

	queue(l, LANE_LIGHT, &light);
	wait_until(&n_run, 1);
	open_gate();
	wait_until(&n_run, 4);
	lanes_stop(l);
}

static void
late_jobs_make_room_from_the_front(void **state UNUSED)
{
	struct lanes *l = start(1, 2);
	struct job held = waiting_job(5000), old = waiting_job(1500), fresh = waiting_job(9000),
		   next = waiting_job(9000);

	queue(l, LANE_LOGIN, &held);
	wait_until(&n_entered, 1);
	queue(l, LANE_LOGIN, &old);
	queue(l, LANE_LOGIN, &fresh);
	now_us = 2000;
	queue(l, LANE_LOGIN, &next);
	wait_until(&n_dropped, 1);
	open_gate();
	wait_until(&n_run, 3);
	lanes_stop(l);
	assert_int_equal(n_dropped, 1);
}

static void
a_late_job_is_not_begun(void **state UNUSED)
{
	struct lanes *l = start(1, 4);
	struct job held = waiting_job(5000), old = waiting_job(1500);

	queue(l, LANE_LOGIN, &held);
	wait_until(&n_entered, 1);
	queue(l, LANE_LOGIN, &old);
	now_us = 2000;
	open_gate();
	wait_until(&n_dropped, 1);
	lanes_stop(l);
	assert_int_equal(n_run, 1);
}

/* Takes a tenth of a second of the tests' clock. */
static void
run_slow(struct job *j, struct worker *w)
{
	now_us += 100000;
	run_quick(j, w);
}

static void
who_would_come_late_is_refused_at_once(void **state UNUSED)
{
	struct lanes *l = start(1, 100);
	struct job first = waiting_job(INT64_MAX), held = waiting_job(INT64_MAX), slow[3],
		   places[8];

	queue(l, LANE_LOGIN, &first);
	wait_until(&n_entered, 1);
	for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
		slow[i] = (struct job){.late_us = INT64_MAX, .run = run_slow, .drop = drop};
		queue(l, LANE_LOGIN, &slow[i]);
	}
	open_gate();
	wait_until(&n_run, 1 + ARRAY_LEN(slow));
	is_open = false;
	queue(l, LANE_LOGIN, &held);
	wait_until(&n_entered, 2);

	/* Ten could begin by then; a quarter of the time is left for the pace to slow down. */
	int64_t late_us = now_us + 1000000;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		places[i] = (struct job){.late_us = late_us, .run = run_quick, .drop = drop};
		queue(l, LANE_LOGIN, &places[i]);
	}
	assert_true(lane_is_full(l, LANE_LOGIN, late_us));
	assert_false(lane_reserve(l, LANE_LOGIN, false, late_us));
	open_gate();
	wait_until(&n_run, 2 + ARRAY_LEN(slow) + ARRAY_LEN(places));
	lanes_stop(l);
	assert_int_equal(n_dropped, 0);
}

static void
run_a_minute(struct job *j, struct worker *w)
{
	now_us += 60000000;
	run_quick(j, w);
}

/* One job that took a minute must not close the lane to all who come later. */
static void
a_stall_is_forgotten(void **state UNUSED)
{
	struct lanes *l = start(1, 100);
	struct job first = waiting_job(INT64_MAX), held = waiting_job(INT64_MAX),
		   stall = {.late_us = INT64_MAX, .run = run_a_minute, .drop = drop},
		   after = {.late_us = INT64_MAX, .run = run_quick, .drop = drop}, last = after;

	queue(l, LANE_LOGIN, &first);
	wait_until(&n_entered, 1);
	queue(l, LANE_LOGIN, &stall);
	queue(l, LANE_LOGIN, &after);
	open_gate();
	wait_until(&n_run, 3);
	is_open = false;
	queue(l, LANE_LOGIN, &held);
	wait_until(&n_entered, 2);
	queue(l, LANE_LOGIN, &last); /* nobody waits: there is a place whatever the pace */
	assert_true(lane_is_full(l, LANE_LOGIN, now_us + 2000000));
	now_us += 1000001;
	assert_false(lane_is_full(l, LANE_LOGIN, now_us + 2000000));
	open_gate();
	wait_until(&n_run, 5);
	lanes_stop(l);
}

/* The order in which jobs ran. */
static const struct job *ran[16];

static void
run_noting(struct job *j, struct worker *w)
{
	ran[n_run] = j;
	run_quick(j, w);
}

static void
who_goes_on_is_before_who_begins(void **state UNUSED)
{
	struct lanes *l = start(1, 10);
	struct job held = waiting_job(5000), jobs[4];

	queue(l, LANE_SAML, &held);
	wait_until(&n_entered, 1);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		jobs[i] = (struct job){
			.late_us = 5000, .begins = i < 2, .run = run_noting, .drop = drop};
		queue(l, LANE_SAML, &jobs[i]);
	}
	open_gate();
	wait_until(&n_run, 1 + ARRAY_LEN(jobs));
	lanes_stop(l);
	assert_ptr_equal(ran[1], &jobs[2]);
	assert_ptr_equal(ran[2], &jobs[3]);
	assert_ptr_equal(ran[3], &jobs[0]);
	assert_ptr_equal(ran[4], &jobs[1]);
}

/* A lane whose pace is a tenth of a second, and its one worker held. */
static struct lanes *
start_slow(struct job *first, struct job *slow, size_t n, struct job *held)
{
	struct lanes *l = start(1, 100);

	*first = *held = waiting_job(INT64_MAX);
	queue(l, LANE_SAML, first);
	wait_until(&n_entered, 1);
	for (size_t i = 0; i < n; i++) {
		slow[i] = (struct job){.late_us = INT64_MAX, .run = run_slow, .drop = drop};
		queue(l, LANE_SAML, &slow[i]);
	}
	open_gate();
	wait_until(&n_run, (int)n + 1);
	is_open = false;
	queue(l, LANE_SAML, held);
	wait_until(&n_entered, 2);
	return l;
}

static void
a_burst_may_wait_but_a_standing_queue_lets_only_few_begin(void **state UNUSED)
{
	struct job first, slow[3], held, burst[6], later;
	struct lanes *l = start_slow(&first, slow, ARRAY_LEN(slow), &held);

	for (size_t i = 0; i < ARRAY_LEN(burst); i++) {
		burst[i] = (struct job){
			.late_us = INT64_MAX, .begins = true, .run = run_quick, .drop = drop};
		assert_true(lane_reserve(l, LANE_SAML, true, now_us + 2000000));
		lane_push(l, LANE_SAML, &burst[i]);
	}
	now_us += 499999;
	later = (struct job){.late_us = INT64_MAX, .run = run_quick, .drop = drop};
	assert_false(lane_is_full(l, LANE_SAML, now_us + 4000000));
	now_us += 1;
	assert_true(lane_is_full(l, LANE_SAML, now_us + 4000000));
	assert_false(lane_reserve(l, LANE_SAML, true, now_us + 4000000));
	/* Nobody who goes on is in front of who goes on. */
	queue(l, LANE_SAML, &later);
	open_gate();
	wait_until(&n_run, 2 + ARRAY_LEN(slow) + ARRAY_LEN(burst) + 1);
	lanes_stop(l);
}

/* For a second only near places are given, so that the queue is not let grow again at once. */
static void
a_refusal_is_remembered(void **state UNUSED)
{
	struct job first, slow[3], held, few[4];
	struct lanes *l = start_slow(&first, slow, ARRAY_LEN(slow), &held);

	assert_true(lane_is_full(l, LANE_SAML, now_us - 8)); /* nobody can be in time */
	for (size_t i = 0; i < ARRAY_LEN(few); i++) {
		few[i] = (struct job){
			.late_us = INT64_MAX, .begins = true, .run = run_quick, .drop = drop};
		assert_true(lane_reserve(l, LANE_SAML, true, now_us + 2000000));
		lane_push(l, LANE_SAML, &few[i]);
	}
	assert_false(lane_reserve(l, LANE_SAML, true, now_us + 2000000));
	open_gate();
	wait_until(&n_run, 2 + ARRAY_LEN(slow) + ARRAY_LEN(few));
	lanes_stop(l);
}

static void
who_was_let_in_has_a_place_until_he_comes_or_is_long_away(void **state UNUSED)
{
	struct job first, slow[3], held, come = {.run = run_quick, .drop = drop};
	struct lanes *l = start_slow(&first, slow, ARRAY_LEN(slow), &held);
	int64_t late_us = now_us + 1000000; /* half is five */

	for (int i = 0; i < 6; i++)
		assert_true(lane_expect(l, LANE_SAML, late_us));
	assert_false(lane_expect(l, LANE_SAML, late_us));
	assert_true(lane_is_full(l, LANE_SAML, late_us));

	/* One comes: he waits now, and is not expected besides. */
	come.late_us = INT64_MAX;
	queue(l, LANE_SAML, &come);
	assert_false(lane_expect(l, LANE_SAML, late_us));
	open_gate();
	wait_until(&n_run, 3 + ARRAY_LEN(slow));
	assert_true(lane_expect(l, LANE_SAML, late_us));

	/* The others fill in their forms. */
	now_us += 500001;
	for (int i = 0; i < 6; i++)
		assert_true(lane_expect(l, LANE_SAML, now_us + 1000000));
	assert_false(lane_expect(l, LANE_SAML, now_us + 1000000));
	lanes_stop(l);
}

static void
stopping_drops_what_waits_and_lets_the_rest_end(void **state UNUSED)
{
	struct lanes *l = start(1, 4);
	struct job held = waiting_job(5000), queued = waiting_job(5000);

	queue(l, LANE_LOGIN, &held);
	wait_until(&n_entered, 1);
	queue(l, LANE_LOGIN, &queued);
	open_gate();
	lanes_stop(l);
	assert_int_equal(n_run + n_dropped, 2);
	assert_true(n_run >= 1);
	lanes_stop(NULL);
}

/* What somebody got who came while the lane was stopping. */
static struct {
	struct lanes *l;
	bool went_on, began, may_begin, expected;
} latecomer = {NULL, true, true, true, true};

static void
come_late(struct job *j)
{
	latecomer.went_on = lane_reserve(latecomer.l, LANE_LOGIN, false, INT64_MAX);
	latecomer.began = lane_reserve(latecomer.l, LANE_LOGIN, true, INT64_MAX);
	latecomer.may_begin = !lane_is_full(latecomer.l, LANE_LOGIN, INT64_MAX);
	latecomer.expected = lane_expect(latecomer.l, LANE_LOGIN, INT64_MAX);
	open_gate();
	drop(j);
}

static void
a_lane_that_stops_lets_nobody_in(void **state UNUSED)
{
	struct lanes *l = start(1, 4);
	struct job held = waiting_job(INT64_MAX), queued = waiting_job(INT64_MAX);

	queue(l, LANE_LOGIN, &held);
	wait_until(&n_entered, 1);
	queued.drop = come_late;
	queue(l, LANE_LOGIN, &queued);
	latecomer.l = l;
	lanes_stop(l);
	assert_int_equal(n_dropped, 1);
	assert_false(latecomer.went_on || latecomer.began);
	assert_false(latecomer.may_begin || latecomer.expected);
}

static int n_memories;

static struct kdf_memory *
memory_create(void *ctx)
{
	n_memories++;
	return ctx;
}

static void
memory_destroy(struct kdf_memory *memory UNUSED)
{
	n_memories--;
}

static void *seen[4];

static void
run_memory(struct job *j, struct worker *w)
{
	seen[w->lane == LANE_PASSWORD] = w->memory;
	run_quick(j, w);
}

static void
only_password_workers_have_hashing_memory(void **state UNUSED)
{
	int block;
	struct lanes_options o = {.clock_us = fake_clock,
				  .memory_create = memory_create,
				  .memory_destroy = memory_destroy,
				  .ctx = &block};
	struct job p = {.late_us = 5000, .run = run_memory}, q = p;
	struct lanes *l;
	struct err err = {0};

	reset();
	o.size[LANE_PASSWORD] = (struct lane_size){3, 4};
	o.size[LANE_LIGHT] = (struct lane_size){2, 4};
	ASSERT_OK(lanes_start(a, &o, &l, &err), &err);
	assert_int_equal(n_memories, 3);
	queue(l, LANE_PASSWORD, &p);
	queue(l, LANE_LIGHT, &q);
	wait_until(&n_run, 2);
	lanes_stop(l);
	assert_ptr_equal(seen[1], &block);
	assert_null(seen[0]);
	assert_int_equal(n_memories, 0);

	o.ctx = NULL; /* memory is out */
	ASSERT_REFUSED(lanes_start(a, &o, &l, &err), &err, ERR_UNAVAILABLE, "worker threads");
}

static int
setup(void **state UNUSED)
{
	a = arena_create(1 << 20);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_runs_once),
		cmocka_unit_test(a_full_lane_refuses_and_others_go_on),
		cmocka_unit_test(late_jobs_make_room_from_the_front),
		cmocka_unit_test(a_late_job_is_not_begun),
		cmocka_unit_test(who_would_come_late_is_refused_at_once),
		cmocka_unit_test(a_stall_is_forgotten),
		cmocka_unit_test(who_goes_on_is_before_who_begins),
		cmocka_unit_test(a_burst_may_wait_but_a_standing_queue_lets_only_few_begin),
		cmocka_unit_test(a_refusal_is_remembered),
		cmocka_unit_test(who_was_let_in_has_a_place_until_he_comes_or_is_long_away),
		cmocka_unit_test(stopping_drops_what_waits_and_lets_the_rest_end),
		cmocka_unit_test(a_lane_that_stops_lets_nobody_in),
		cmocka_unit_test(only_password_workers_have_hashing_memory),
	};

	return cmocka_run_group_tests_name("lane", tests, setup, teardown);
}
