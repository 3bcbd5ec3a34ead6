/* Every page with members as the program would fill them (samples.json), for tests and pictures. */
#ifndef KONTOR_TESTS_IDP_SAMPLES_H
#define KONTOR_TESTS_IDP_SAMPLES_H

#include "base/json.h"

struct sample {
	const char *name; /* "login-wrong" */
	const char *page; /* "login" */
	json_t *vars;     /* complete */
};

struct samples {
	struct sample *p;
	size_t n;
};

/* path: of samples.json. */
MUST_USE bool samples_load(struct arena *a, const char *path, struct samples *out, struct err *err);

#endif
