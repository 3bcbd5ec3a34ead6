/* What people and programs do while something fails (test_requests.c). */
#ifndef KONTOR_TESTS_FAIL_SCENES_H
#define KONTOR_TESTS_FAIL_SCENES_H

#include "tests/flow/steps.h"

struct scene {
	const char *name;
	bool (*play)(struct web *b); /* did it come to its end?  What a page lacks ends it. */
	bool good;                   /* it has to; else it never may */
};

extern const struct scene scenes[];
extern const size_t n_scenes;

/* The plan is in force.  What a scene needs beforehand it does with this switched off. */
extern bool scene_fails;

#define SCENES_PROGRAMS "https://bau.example/metadata" /* the portal that programs are at */

/* Portals and persons that the scenes need, once. */
void scenes_set_up(struct world *w);

#endif
