/*
 * Straight code that waits without a thread of its own: a fiber runs until it pauses, its caller
 * goes on, and resumes it later.  All fibers of a program belong to the thread that made them.
 */
#ifndef KONTOR_TESTS_BENCH_FIBER_H
#define KONTOR_TESTS_BENCH_FIBER_H

#include "base/base.h"

struct fiber;

/* Begins with the first fiber_resume.  fn must not return.  Aborts when memory is out. */
struct fiber *fiber_create(void (*fn)(void *arg), void *arg);

/* Go on with it until it pauses.  Not from a fiber. */
void fiber_resume(struct fiber *f);

/* Back to who resumed us. */
void fiber_pause(void);

#endif
