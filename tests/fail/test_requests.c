/*
 * Whole logins with a failure at every place in turn: an allocation, a call to the system,
 * a statement.  The person gets what was asked for or is told of a fault of ours, nothing is
 * half written, and the next one finds all as it was.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/text.h"
#include "keys/sign.h"
#include "tests/fail/fail.h"
#include "tests/fail/libraries.h"
#include "tests/fail/scenes.h"
#include "tests/fail/statement.h"
#include "tests/flow/steps.h"

/* ---- the world that fails ---- */

#define ANSWERS_MOST 40

/* What the browser was answered, request by request. */
struct run {
	struct world *w;
	unsigned refused; /* requests that were answered as a fault of ours */
	size_t n;
	const char *answers[ANSWERS_MOST];
};

static struct run *current;
static struct arena *kept;    /* of a whole sweep */
static struct arena *signers; /* that took the place of one that was cut off */

#define RANDOM_LEAST 14 /* a reference id; all else that is random is longer */

/* The key of a new app as a page shows it, and its picture. */
static const char *
past_key(const char *in)
{
	static const char *const shown[][2] = {{"<svg", "</svg>"}, {"kontor-key", "</p>"}};

	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		if (text_starts(in, shown[i][0]))
			return strstr(in, shown[i][1]);
	return in;
}

/* "WDJB-MJHT" */
static bool
is_user_code(const char *in, size_t n)
{
	return n == 9 && in[4] == '-' && strspn(in, "-BCDFGHJKLMNPQRSTVWXZ") >= n;
}

/* Random values masked: what has so many letters of base64url and the like in a row. */
static const char *
masked(struct arena *a, const struct response *rs)
{
	const char *location = response_find(rs, "Location");
	const char *in = arena_printf(a, "%d %s %.*s", rs->status, location == NULL ? "" : location,
				      (int)rs->body.n, (const char *)rs->body.p);
	char *out = arena_alloc(a, strlen(in) + 1), *o = out;

	while (*(in = past_key(in)) != '\0') {
		size_t n = 0;

		while (isalnum((unsigned char)in[n]) || strchr("-_+/=%.", in[n]) != NULL) {
			if (in[n] == '\0')
				break;
			n++;
		}
		if (n == 0 || n >= RANDOM_LEAST || is_user_code(in, n)) {
			*o++ = n == 0 ? *in : '*';
			in += n == 0 ? 1 : n;
		} else {
			memcpy(o, in, n);
			o += n;
			in += n;
		}
	}
	return out;
}

/* A whole answer with a reference that the log has, or the plain one of last resort. */
static bool
is_proper_refusal(const struct response *rs)
{
	const char *body = (const char *)rs->body.p;

	if (rs->status != 500 && rs->status != 503)
		return false;
	if (rs->close && strchr(body, '<') == NULL)
		return true;
	for (const char *p = body; *p != '\0'; p++)
		if (strspn(p, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == 4 && p[4] == '-' &&
		    p[9] == '-')
			return strstr(body, "<html") == NULL || strstr(body, "</html>") != NULL;
	return false;
}

/* As the supervisor and the lanes do by themselves. */
static void
heal(struct world *w)
{
	int64_t give_up_us = clock_mono_us() + 60 * 1000000LL;
	struct err err = {0};

	while (!db_ready(w->pg->db) && clock_mono_us() < give_up_us)
		(void)poll(NULL, 0, 5);
	assert_true(db_ready(w->pg->db));
	if (!signer_alive(w->app.signer))
		ASSERT_OK(signer_replace_fd(
				  w->app.signer,
				  test_signer_start(signers, SIGNER_SERVE, test_signer_secrets()),
				  &err),
			  &err);
}

struct serving {
	struct app *app;
	struct arena *a;
	const struct raw_request *raw;
	struct worker *worker;
	struct response *rs;
};

static void *
serve(void *arg)
{
	struct serving *s = arg;

	libraries_know_thread();
	fail_go_on();
	app_handle(s->app, s->a, s->raw, s->worker, s->rs);
	fail_pause();
	return NULL;
}

/* Stands for app_handle: on a thread of its own, which has used no library yet. */
static void
handle(struct app *app, struct arena *a, const struct raw_request *raw, struct worker *worker,
       struct response *rs)
{
	struct serving s = {app, a, raw, worker, rs};
	bool before = fail_happened();
	pthread_t thread;

	if (!scene_fails || before) {
		app_handle(app, a, raw, worker, rs);
	} else {
		assert_int_equal(pthread_create(&thread, NULL, serve, &s), 0);
		pthread_join(thread, NULL);
	}
	if (fail_happened() && !before && is_proper_refusal(rs)) {
		current->refused++;
		heal(current->w);
		arena_reset(a);
		*rs = (struct response){0};
		app_handle(app, a, raw, worker, rs); /* what people do: try again */
	}
	assert_true(current->n < ANSWERS_MOST);
	current->answers[current->n++] = masked(kept, rs);
}

/* ---- what must hold of the database ---- */

#define BY_BROWSER " NOT IN (SELECT acting FROM consent WHERE party = '" SCENES_PROGRAMS "')"

/* Each gives no row. */
static const char *const whole[][2] = {
	{"a session without the audit row of its login, or the other way round",
	 "SELECT 1 WHERE (SELECT count(*) FROM session WHERE acting" BY_BROWSER
	 ") <> (SELECT count(*) FROM audit WHERE event = 'login' AND details->>'method' <> 'totp'"
	 " AND subject" BY_BROWSER ") - (SELECT count(*) FROM audit WHERE event IN"
	 " ('session_ended', 'logout') AND (subject IS NULL OR subject" BY_BROWSER "))"},
	/* Its login is told of, too, where the request turns out to be answered before. */
	{"a program's session without the audit row of its login",
	 "SELECT 1 WHERE (SELECT count(*) FROM session) > (SELECT count(*) FROM audit WHERE event ="
	 " 'login' AND details->>'method' <> 'totp') - (SELECT count(*) FROM audit WHERE event IN"
	 " ('session_ended', 'logout'))"},
	{"a second means of a session that the audit does not know",
	 "SELECT 1 FROM session_proof p JOIN session s USING (sid) WHERE p.method = 'totp' AND NOT"
	 " EXISTS (SELECT FROM audit a WHERE a.event = 'login' AND a.subject = s.acting AND"
	 " a.details->>'method' = 'totp')"},
	{"an app without audit or the other way round",
	 "SELECT 1 WHERE (SELECT count(*) FROM credential WHERE kind = 'totp') <> (SELECT count(*)"
	 " FROM audit WHERE event = 'means_added')"},
	{"a code that nobody was told of in the audit",
	 "SELECT 1 WHERE (SELECT count(*) FROM grant_code) <> (SELECT count(*) FROM audit WHERE"
	 " event = 'assertion' AND party = '" OIDC_CLIENT "')"},
	{"a code without a session that takes part",
	 "SELECT 1 FROM grant_code g JOIN session s USING (sid) WHERE NOT EXISTS (SELECT FROM"
	 " session_participant p WHERE p.sid = g.sid AND p.party = g.party)"},
	{"a token of a code that is not taken", "SELECT 1 FROM access_token t JOIN grant_code g "
						"USING (grant_id) WHERE g.taken_at IS NULL"},
	{"a redemption without a token or a token without redemption",
	 "SELECT 1 WHERE (SELECT count(*) FROM access_token) <> (SELECT count(*) FROM audit WHERE"
	 " event = 'code_redeemed')"},
	{"an assertion without participation, or the other way round",
	 "SELECT 1 WHERE (SELECT count(*) FROM audit WHERE event = 'assertion' AND"
	 " details->>'dialect' = 'saml') < (SELECT count(*) FROM session_participant WHERE dialect "
	 "="
	 " 'saml')"},
	{"a message without the audit row of its assertion, or had without one",
	 "SELECT 1 WHERE (SELECT count(*) FROM artifact) > (SELECT count(*) FROM audit WHERE event "
	 "="
	 " 'assertion' AND details->>'binding' = 'artifact') OR (SELECT count(*) FROM artifact "
	 "WHERE"
	 " taken_at IS NOT NULL) <> (SELECT count(*) FROM audit WHERE event = "
	 "'artifact_resolved')"},
	{"an account without audit, name, means or values",
	 "SELECT 1 FROM subject s WHERE NOT EXISTS (SELECT FROM audit a WHERE a.subject = s.id AND"
	 " a.event = 'account_created') OR NOT EXISTS (SELECT FROM credential c WHERE c.subject ="
	 " s.id) OR NOT EXISTS (SELECT FROM attribute t WHERE t.subject = s.id)"},
	{"an answer without what it gives, or the other way round",
	 "SELECT 1 FROM polled p FULL JOIN (SELECT day, hash FROM grant_code WHERE redirect_uri ="
	 " '') g ON g.day = p.day AND g.hash = p.code WHERE coalesce(p.state = 'agreed', false) <>"
	 " (g.hash IS NOT NULL)"},
	{"a request without audit or the other way round",
	 "SELECT 1 WHERE (SELECT count(*) FROM polled WHERE kind = 'ciba') <> (SELECT count(*) FROM"
	 " audit WHERE event = 'request_made')"},
	{"a consent without audit or the other way round",
	 "SELECT 1 WHERE (SELECT count(*) FROM consent WHERE given) <> (SELECT count(*) FROM audit"
	 " WHERE event = 'consent_given' AND subject IS NOT NULL)"},
	{"an answer of another provider without its mark or the other way round",
	 "SELECT 1 WHERE (SELECT count(*) FROM seen WHERE kind = 'upstream-assertion') <> (SELECT"
	 " count(*) FROM audit WHERE event = 'login' AND details->>'method' = 'home')"},
};

static void
assert_whole(struct world *w)
{
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (strcmp(world_value(w, whole[i][1]), "1") == 0)
			fail_msg("half written: %s", whole[i][0]);
}

/* ---- one run ---- */

static bool
play(struct world *w, const struct scene *row, bool failing, struct run *run)
{
	struct web b;

	*run = (struct run){.w = w};
	scene_fails = failing;
	current = run;
	w->handle = handle;
	arena_reset(w->a);
	pg_sql(w->pg, "DELETE FROM attempt_budget");
	web_init(&b, w);
	bool ended = row->play(&b);

	fail_pause();
	return ended;
}

static void
fail_run(struct world *w, const struct scene *row, const struct run *clean,
	 const struct fail_plan *plan)
{
	struct run run, after;

	fail_arm(plan);
	fail_pause();
	bool ended = play(w, row, true, &run);

	if (ended && !row->good)
		fail_msg("%s came through", row->name);
	if (row->good && !ended && run.refused == 0)
		fail_msg("%s did not end, and nobody was told why", row->name);
	if (run.refused == 0) {
		assert_int_equal(run.n, clean->n);
		for (size_t i = 0; i < run.n; i++)
			assert_string_equal(run.answers[i], clean->answers[i]);
	}
	heal(w);
	fail_over();
	assert_whole(w);
	if (plan->nth % 8 == 0)
		assert_int_equal(play(w, row, false, &after), row->good);
}

/* ---- sweeps ---- */

static size_t
count_places(struct world *w, const struct scene *row, struct fail_plan plan, struct run *clean)
{
	plan.nth = 0;
	fail_arm(&plan);
	fail_pause();
	bool ended = play(w, row, true, clean);

	fail_over();
	if (ended != row->good || clean->refused > 0)
		fail_msg("%s: last answer %s", row->name,
			 clean->n == 0 ? "none" : clean->answers[clean->n - 1]);
	assert_whole(w);
	return fail_passed();
}

/* About `most` of the places, of memory one for each chain of callers; every one at full size. */
static void
sweep_row(struct world *w, const struct scene *row, struct fail_plan plan, const char *what,
	  size_t most)
{
	bool chains = plan.what == FAIL_MEMORY && plan.who == FAIL_HERE && test_size(1, 0) == 1;
	struct run clean;
	size_t n_distinct;

	(void)play(w, row, false, &clean); /* makes what lasts, connections too */
	heal(w);
	size_t n = count_places(w, row, plan, &clean);
	const size_t *distinct = fail_distinct(&n_distinct);
	size_t all = chains ? n_distinct : n, step = test_size(1 + all / most, 1);

	for (size_t k = step / 2; k < all; k += step) {
		plan.nth = chains ? distinct[k] : k + 1;
		fail_run(w, row, &clean, &plan);
	}
	print_message("# %s: %s: %zu places\n", what, row->name, n);
}

static void
sweep_all(struct world *w, struct fail_plan plan, const char *what, size_t most)
{
	for (size_t i = 0; i < n_scenes; i++) {
		kept = arena_create((size_t)1 << 30);
		sweep_row(w, &scenes[i], plan, what, most);
		arena_destroy(kept);
	}
}

static void
memory_of_the_request(void **state)
{
	sweep_all(*state, (struct fail_plan){.what = FAIL_MEMORY}, "memory", 8);
}

static void
memory_from_there_on(void **state)
{
	sweep_all(*state, (struct fail_plan){.what = FAIL_MEMORY, .onwards = true}, "no memory", 4);
}

static void
memory_of_database_and_signer(void **state)
{
	sweep_all(*state, (struct fail_plan){.what = FAIL_MEMORY, .who = FAIL_ELSEWHERE},
		  "memory elsewhere", 2);
}

static void
input_and_output(void **state)
{
	static const struct {
		enum fail_what what;
		enum fail_who who;
		int error;
		const char *name;
	} cases[] = {
		{FAIL_INPUT, FAIL_HERE, EINTR, "input interrupted"},
		{FAIL_INPUT, FAIL_HERE, EIO, "input"},
		{FAIL_INPUT, FAIL_ELSEWHERE, ECONNRESET, "database's input"},
		{FAIL_INPUT, FAIL_ELSEWHERE, 0, "database's input short"},
		{FAIL_OUTPUT, FAIL_HERE, EINTR, "output interrupted"},
		{FAIL_OUTPUT, FAIL_HERE, EPIPE, "output"},
		{FAIL_OUTPUT, FAIL_ELSEWHERE, EPIPE, "database's output"},
		{FAIL_OUTPUT, FAIL_ELSEWHERE, 0, "database's output short"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		sweep_all(*state,
			  (struct fail_plan){.what = cases[i].what,
					     .who = cases[i].who,
					     .error = cases[i].error},
			  cases[i].name, 1);
}

static void
statements(void **state)
{
	static const char *const names[] = {
		[STATEMENT_UNSENT] = "statement unsent",
		[STATEMENT_UNHEARD] = "statement unheard",
		[STATEMENT_REFUSED] = "statement refused",
		[STATEMENT_WARNED] = "statement with a warning",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (int who = FAIL_HERE; who <= FAIL_ELSEWHERE; who++) {
			statement_set_fault((enum statement_fault)i);
			sweep_all(*state,
				  (struct fail_plan){.what = FAIL_STATEMENT,
						     .who = (enum fail_who)who},
				  names[i], 1);
		}
}

static int
setup(void **state)
{
	signers = arena_create((size_t)64 << 20);
	if (steps_setup(state) != 0)
		return 1;
	struct world *w = *state;

	w->config.requests_hourly = 1000;
	scenes_set_up(w);
	return 0;
}

/* A signer ends when its client has gone. */
static int
teardown(void **state)
{
	int rc = world_teardown(state);

	arena_destroy(signers);
	return rc;
}

static int
explain(void **state)
{
	struct world *w = *state;

	w->handle = NULL;
	fail_explain();
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_fresh, explain)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(memory_of_the_request), T(memory_from_there_on), T(memory_of_database_and_signer),
		T(input_and_output),      T(statements),
	};

	return cmocka_run_group_tests_name("fail requests", tests, setup, teardown);
}
