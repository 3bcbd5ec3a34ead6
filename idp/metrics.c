/* Counters; see metrics.h. */
#include "idp/metrics.h"

#include <stdatomic.h>

#include "base/log.h"

#define CLASSES 6 /* 0: none, 1xx .. 5xx */

static const int64_t bounds_us[] = {1000,   2500,   5000,   10000,   25000,  50000,
				    100000, 250000, 500000, 1000000, 2500000};
#define BUCKETS (ARRAY_LEN(bounds_us) + 1)

struct histogram {
	atomic_uint_fast64_t bucket[BUCKETS], sum_us;
};

struct metrics {
	const struct route *routes;
	size_t n_routes; /* the counters of index n_routes: no route matched */
	atomic_uint_fast64_t (*requests)[CLASSES];
	struct histogram lanes[LANE_COUNT];
	atomic_uint_fast64_t gate[GATE_RULE_COUNT];
	atomic_uint_fast64_t refused[LANE_COUNT][LANE_REFUSALS];
	atomic_int_fast64_t connections;
	atomic_uint_fast64_t source_refused;
};

static const char *const refusal_names[LANE_REFUSALS] = {"full", "late"};

static void
count(atomic_uint_fast64_t *c, uint64_t by)
{
	atomic_fetch_add_explicit(c, by, memory_order_relaxed);
}

static unsigned long long
value(const atomic_uint_fast64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

struct metrics *
metrics_create(struct arena *a, const struct route *table)
{
	struct metrics *m = ARENA_NEW(a, struct metrics);

	m->routes = table;
	m->n_routes = route_count(table);
	m->requests = arena_calloc(a, m->n_routes + 1, sizeof(*m->requests));
	return m;
}

void
metrics_request(struct metrics *m, const struct route *route, int status, int64_t duration_us)
{
	size_t i = route == NULL ? m->n_routes : (size_t)(route - m->routes), b = 0;
	struct histogram *h = &m->lanes[route == NULL ? LANE_LOOP : route->lane];
	int class = status / 100;

	while (b < ARRAY_LEN(bounds_us) && duration_us > bounds_us[b])
		b++;
	count(&m->requests[i][class > 0 && class < CLASSES ? class : 0], 1);
	count(&h->bucket[b], 1);
	count(&h->sum_us, (uint64_t)duration_us);
}

void
metrics_gate(struct metrics *m, enum gate_rule rule)
{
	if ((size_t)rule < GATE_RULE_COUNT)
		count(&m->gate[rule], 1);
}

void
metrics_lane(struct metrics *m, enum lane lane, enum lane_refusal why)
{
	count(&m->refused[lane][why], 1);
}

void
metrics_connection(struct metrics *m, int change)
{
	atomic_fetch_add_explicit(&m->connections, change, memory_order_relaxed);
}

void
metrics_source_refused(struct metrics *m)
{
	count(&m->source_refused, 1);
}

void
metrics_family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
write_requests(const struct metrics *m, struct buf *b)
{
	static const char *const methods[] = {"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"};

	metrics_family(b, "kontor_requests_total", "counter",
		       "Answered requests by route and class of status.");
	for (size_t i = 0; i <= m->n_routes; i++) {
		const char *path = i == m->n_routes ? "none" : m->routes[i].path;
		const char *method = i == m->n_routes ? "any" : methods[m->routes[i].method];

		for (int c = 0; c < CLASSES; c++)
			if (value(&m->requests[i][c]) > 0)
				buf_printf(b,
					   "kontor_requests_total{route=\"%s\",method=\"%s\","
					   "class=\"%dxx\"} %llu\n",
					   path, method, c, value(&m->requests[i][c]));
	}
}

static void
write_durations(const struct metrics *m, struct buf *b)
{
	metrics_family(b, "kontor_request_seconds", "histogram",
		       "Time from the complete request to its answer, by lane.");
	for (size_t l = 0; l < LANE_COUNT; l++) {
		const char *lane = lane_name((enum lane)l);
		unsigned long long sum = 0;

		for (size_t i = 0; i < BUCKETS; i++) {
			sum += value(&m->lanes[l].bucket[i]);
			buf_printf(b, "kontor_request_seconds_bucket{lane=\"%s\",le=", lane);
			if (i < ARRAY_LEN(bounds_us))
				buf_printf(b, "\"%g\"} %llu\n", (double)bounds_us[i] / 1e6, sum);
			else
				buf_printf(b, "\"+Inf\"} %llu\n", sum);
		}
		buf_printf(b, "kontor_request_seconds_sum{lane=\"%s\"} %.6f\n", lane,
			   (double)value(&m->lanes[l].sum_us) / 1e6);
		buf_printf(b, "kontor_request_seconds_count{lane=\"%s\"} %llu\n", lane, sum);
	}
}

static void
write_refusals(const struct metrics *m, struct buf *b)
{
	metrics_family(b, "kontor_gate_refusals_total", "counter",
		       "Requests refused before routing, by rule.");
	for (size_t r = GATE_TORN; r < GATE_RULE_COUNT; r++)
		buf_printf(b, "kontor_gate_refusals_total{rule=\"%s\"} %llu\n",
			   gate_rule_name((enum gate_rule)r), value(&m->gate[r]));
	metrics_family(b, "kontor_lane_refusals_total", "counter",
		       "Requests answered 503: the lane was full, or the request waited too long.");
	for (size_t l = LANE_LIGHT; l < LANE_COUNT; l++)
		for (size_t w = 0; w < LANE_REFUSALS; w++)
			buf_printf(b, "kontor_lane_refusals_total{lane=\"%s\",why=\"%s\"} %llu\n",
				   lane_name((enum lane)l), refusal_names[w],
				   value(&m->refused[l][w]));
}

void
metrics_text(const struct metrics *m, struct buf *b)
{
	write_requests(m, b);
	write_durations(m, b);
	write_refusals(m, b);
	metrics_family(b, "kontor_connections", "gauge", "Open connections.");
	buf_printf(b, "kontor_connections %lld\n", (long long)atomic_load(&m->connections));
	metrics_family(b, "kontor_log_lines_lost_total", "counter",
		       "Log lines that could not be written.");
	buf_printf(b, "kontor_log_lines_lost_total %llu\n", (unsigned long long)log_lost());
	metrics_family(b, "kontor_source_refusals_total", "counter",
		       "Connections refused because their source has too many.");
	buf_printf(b, "kontor_source_refusals_total %llu\n", value(&m->source_refused));
}
