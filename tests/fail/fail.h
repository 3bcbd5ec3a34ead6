/*
 * Failures to order: memory that is not there, calls to the system that fail.  The
 * program's own malloc, send and so on (fail.c) stand before those of the C library, so
 * that every library that is linked passes through them, and under AddressSanitizer they
 * ask its allocator, so that memory errors still show.
 *
 * A "place" is one such call while a plan is armed; places are counted from 1.
 */
#ifndef KONTOR_TESTS_FAIL_FAIL_H
#define KONTOR_TESTS_FAIL_FAIL_H

#include <stdbool.h>
#include <stddef.h>

enum fail_what {
	FAIL_MEMORY,    /* malloc and its kin give NULL */
	FAIL_INPUT,     /* read, pread, recv, recvmsg */
	FAIL_OUTPUT,    /* write, send, sendmsg, fsync, rename, link */
	FAIL_OPEN,      /* open, socket, connect and their kin; a new process or thread */
	FAIL_STATEMENT, /* what a test says is one (fail_place) */
};

/* Who fails: the thread that arms the plan, or all the others and the processes forked since. */
enum fail_who { FAIL_HERE, FAIL_ELSEWHERE };

struct fail_plan {
	enum fail_what what;
	enum fail_who who;
	size_t nth;    /* 0: none fails, all are counted */
	bool onwards;  /* the nth and all that follow */
	unsigned near; /* so many callers tell places apart; 0: all */
	int error;     /* errno; 0: reads and writes that may do half of what they are asked to */
};

/* From here until fail_pause; fail_go_on goes on counting, for the thread that calls it. */
void fail_arm(const struct fail_plan *plan);
void fail_pause(void);
void fail_go_on(void);

/* What this thread calls meanwhile does not fail: libraries that cannot do without. */
void fail_spare(bool spared);

/* A place of the test's own making: is it to fail? */
bool fail_place(enum fail_what what);

/* Places passed since fail_arm, and whether one of them failed. */
size_t fail_passed(void);
bool fail_happened(void);

/* A process ended by a signal of its own making or with a sanitizer's report since fail_arm. */
bool fail_crashed(void);

/*
 * After a plan that only counted: the places whose chain of callers was not seen before,
 * in order.  Failing these once each reaches all that the code can do about it.  With `near`,
 * what plans of its kind have seen before counts as well.
 */
const size_t *fail_distinct(size_t *n);

/*
 * Say on standard output which place failed last and who called it.  Also said by itself
 * when the process aborts or a sanitizer ends it while a plan is under way.
 */
void fail_explain(void);

/* Where it is said, and where a sanitizer reports; standard output and error at first. */
void fail_speak(int out, int err);

/* No plan is under way any more: nothing is to be explained. */
void fail_over(void);

#endif
