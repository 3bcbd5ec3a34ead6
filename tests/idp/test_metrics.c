/* Counters and how they are written; names are API. */
#include "idp/metrics.h"

#include "tests/test.h"

static const struct route table[] = {
	{.method = HTTP_GET, .path = "/a", .lane = LANE_LIGHT},
	{.method = HTTP_POST, .path = "/b", .lane = LANE_TOKEN},
	{.path = NULL},
};

static void
what_was_counted_is_written(void **state UNUSED)
{
	static const char *const lines[] = {
		"kontor_requests_total{route=\"/a\",method=\"GET\",class=\"2xx\"} 2\n",
		"kontor_requests_total{route=\"/b\",method=\"POST\",class=\"5xx\"} 1\n",
		"kontor_requests_total{route=\"none\",method=\"any\",class=\"4xx\"} 1\n",
		"kontor_requests_total{route=\"/b\",method=\"POST\",class=\"0xx\"} 1\n",
		"kontor_request_seconds_bucket{lane=\"light\",le=\"0.001\"} 1\n",
		"kontor_request_seconds_bucket{lane=\"light\",le=\"0.005\"} 2\n",
		"kontor_request_seconds_bucket{lane=\"token\",le=\"+Inf\"} 2\n",
		"kontor_request_seconds_sum{lane=\"light\"} 0.004000\n",
		"kontor_request_seconds_count{lane=\"light\"} 2\n",
		"kontor_gate_refusals_total{rule=\"framing\"} 1\n",
		"kontor_lane_refusals_total{lane=\"login\",why=\"late\"} 1\n",
		"kontor_lane_refusals_total{lane=\"login\",why=\"full\"} 0\n",
		"kontor_connections 1\n",
		"kontor_source_refusals_total 1\n",
		"kontor_log_lines_lost_total 0\n",
	};
	struct arena *a = arena_create(1 << 20);
	struct metrics *m = metrics_create(a, table);
	struct buf b;
	const char *text;
	struct err err = {0};

	metrics_request(m, &table[0], 200, 1000);
	metrics_request(m, &table[0], 204, 3000);
	metrics_request(m, &table[1], 503, 9000000);
	metrics_request(m, &table[1], 999, 1);
	metrics_request(m, NULL, 404, 1);
	metrics_gate(m, GATE_FRAMING);
	metrics_gate(m, GATE_RULE_COUNT);
	metrics_lane(m, LANE_LOGIN, LANE_LATE);
	metrics_connection(m, 2);
	metrics_connection(m, -1);
	metrics_source_refused(m);
	buf_init(&b, a, 1 << 18);
	metrics_text(m, &b);
	ASSERT_OK(buf_finish_str(&b, &text, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (strstr(text, lines[i]) == NULL)
			fail_msg("missing: %s", lines[i]);
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_counted_is_written),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
