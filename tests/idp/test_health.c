/* Health and metrics: what a balancer and Prometheus read; names are API. */
#include "idp/health.h"

#include "base/log.h"
#include "idp/app.h"
#include "idp/config.h"
#include "tests/idp/raw.h"
#include "tests/test.h"

static struct arena *a, *life;
static struct app app;
static struct config config;

static int
setup(void **state UNUSED)
{
	struct err err = {0};

	log_open(-1, LOG_LVL_ERROR, "test");
	life = arena_create(1 << 20);
	a = arena_create(4 << 20);
	ASSERT_OK(config_parse(life, "t.conf",
			       bytes_of("instance = t\nbase_url = https://konto.example\n"
					"listen = 127.0.0.1:0\ndatabase = x\n"
					"master_key_file = /dev/null\n"),
			       true, &config, &err),
		  &err);
	app_init(&app, life, &config, routes);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	app_finish(&app);
	arena_destroy(a);
	arena_destroy(life);
	return 0;
}

static struct response rs;

static int
ask(const char *line, bool internal)
{
	struct raw_text t;

	arena_reset(a);
	raw_text_init(&t, line, "Host: health");
	t.raw.internal = internal;
	app_handle(&app, a, &t.raw, NULL, &rs);
	return rs.status;
}

static bool
body_is(const char *text)
{
	return bytes_eq(rs.body, bytes_of(text));
}

static void
ready_says_what_is_missing(void **state UNUSED)
{
	assert_int_equal(ask("GET /health/live HTTP/1.1", false), 200);
	assert_int_equal(ask("GET /health/ready HTTP/1.1", false), 503);
	assert_true(body_is("database\n"));
	atomic_store(&app.health.db_ready, true);
	assert_int_equal(ask("GET /health/ready HTTP/1.1", false), 503);
	assert_true(body_is("signer\n"));
	atomic_store(&app.health.signer_ready, true);
	assert_int_equal(ask("GET /health/ready HTTP/1.1", false), 200);
	atomic_store(&app.health.hsm_missing, true);
	assert_int_equal(ask("GET /health/ready HTTP/1.1", false), 503);
	assert_true(body_is("hsm\n"));
	atomic_store(&app.health.hsm_missing, false);
	app.db = (struct db *)&config; /* one there is; nobody asks it here */
	assert_int_equal(ask("GET /health/ready HTTP/1.1", false), 503);
	assert_true(body_is("keys\n"));
	app.db = NULL;
	atomic_store(&app.health.draining, true);
	assert_int_equal(ask("GET /health/ready HTTP/1.1", true), 503);
	assert_true(body_is("draining\n"));
	assert_int_equal(ask("GET /health/live HTTP/1.1", true), 200);
	atomic_store(&app.health.draining, false);
}

static void
the_watch_looks_at_once_and_stops(void **state UNUSED)
{
	struct health_watch *w;
	struct err err = {0};

	atomic_store(&app.health.db_ready, false);
	ASSERT_OK(health_watch_start(life, &app, &w, &err), &err);
	health_watch_stop(w);
	health_look(&app); /* without database and signer nothing can be missing */
	assert_int_equal(ask("GET /health/ready HTTP/1.1", false), 200);
	health_watch_stop(NULL);
}

static void
metrics_are_for_the_inside(void **state UNUSED)
{
	static const char *const names[] = {
		"kontor_build_info{version=\"",
		"\nkontor_db_ready ",
		"\nkontor_signer_ready ",
		"\nkontor_draining 0\n",
		"\nkontor_snapshot_version 0\n",
		"\n# TYPE kontor_lane_jobs gauge\n",
		"\n# TYPE kontor_requests_total counter\n",
	};
	const char *text;

	assert_int_equal(ask("GET /metrics HTTP/1.1", false), 421);
	assert_int_equal(ask("GET /metrics HTTP/1.1", true), 200);
	assert_non_null(text = arena_strndup(a, (const char *)rs.body.p, rs.body.n));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strstr(text, names[i]) == NULL)
			fail_msg("missing: %s", names[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ready_says_what_is_missing),
		cmocka_unit_test(the_watch_looks_at_once_and_stops),
		cmocka_unit_test(metrics_are_for_the_inside),
	};

	return cmocka_run_group_tests_name("health", tests, setup, teardown);
}
