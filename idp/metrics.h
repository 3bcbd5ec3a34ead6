/*
 * Counters for /metrics (Prometheus text).  Names and labels are API.  No value
 * identifies anybody: routes, status classes, lanes and rules only.
 */
#ifndef KONTOR_IDP_METRICS_H
#define KONTOR_IDP_METRICS_H

#include "base/buf.h"
#include "idp/gate.h"
#include "idp/route.h"

struct metrics;

/* Counters for a route table, in `a`; any thread may count. */
struct metrics *metrics_create(struct arena *a, const struct route *table)
	__attribute__((returns_nonnull));

/* One answered request; route NULL: none matched. */
void metrics_request(struct metrics *m, const struct route *route, int status, int64_t duration_us);

void metrics_gate(struct metrics *m, enum gate_rule rule);

/* Why a lane did not take or not run a job. */
enum lane_refusal { LANE_FULL, LANE_LATE, LANE_REFUSALS };
void metrics_lane(struct metrics *m, enum lane lane, enum lane_refusal why);

/* Connections open, and refused by the limit of their source. */
void metrics_connection(struct metrics *m, int change);
void metrics_source_refused(struct metrics *m);

/* What this module counted, as text. */
void metrics_text(const struct metrics *m, struct buf *b);

/* "# HELP" and "# TYPE" of one more family, for what others measure. */
void metrics_family(struct buf *b, const char *name, const char *type, const char *help);

#endif
