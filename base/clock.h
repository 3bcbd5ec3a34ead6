/*
 * Time.  Read once per request or job by clock_now and passed on as an
 * argument; nothing else in the program asks the system for it.
 */
#ifndef KONTOR_BASE_CLOCK_H
#define KONTOR_BASE_CLOCK_H

#include "base/arena.h"
#include "base/err.h"

/* UTC seconds since the epoch. */
time_t clock_now(void);

/* A monotonic count of microseconds, for durations only. */
int64_t clock_mono_us(void);

/* The same moment for pthread_cond_timedwait on CLOCK_MONOTONIC. */
struct timespec clock_mono_timespec(int64_t mono_us);

/* "2026-11-23T18:00:00Z": what we write in SAML (SAML2Core 1.3.3) and logs. */
char *clock_text(struct arena *a, time_t t);

/*
 * xs:dateTime in UTC as peers write it: YYYY-MM-DDThh:mm:ss[.fraction]Z, the
 * fraction dropped.  SAML2Core 1.3.3 demands UTC: another offset is ERR_INPUT,
 * as is a date that does not exist, hour 24, a leap second.
 */
MUST_USE bool clock_parse(const char *s, time_t *out, struct err *err);

#endif
