/*
 * The structured log: one JSON object a line on a descriptor.  Only idp/ logs,
 * once per event, at the edge.  Values are reference ids, names of rules and
 * counts; never tokens, names, addresses or attribute values.
 */
#ifndef KONTOR_BASE_LOG_H
#define KONTOR_BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_LVL_ERROR, LOG_LVL_WARN, LOG_LVL_INFO, LOG_LVL_DEBUG };

/* Where lines go (default 2) and the least severe level written (default INFO). */
void log_open(int fd, enum log_level least, const char *process);

/*
 * log_event(LOG_LVL_INFO, "party_added", "ref", ref, "party", id, NULL):
 * an event name, then pairs of static name and text value (NULL value: pair
 * skipped), then NULL.  Adds time, level, process.  A line is one write(2).
 */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

/*
 * Lines that could not be written: the device is full, or whoever reads them is behind.  The
 * work does not wait for them.  The first line that can be written again is an event
 * "log_lost" with their number.
 */
uint64_t log_lost(void);

/* The same for a failure: adds kind, proto, text and place of err. */
void log_err(enum log_level level, const char *event, const struct err *err, ...)
	__attribute__((sentinel));

#endif
