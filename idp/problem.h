/*
 * What the other side reads when something is wrong: a page with a reference
 * id for people, RFC 6749 5.2 JSON for programs.  Never the text for the log.
 */
#ifndef KONTOR_IDP_PROBLEM_H
#define KONTOR_IDP_PROBLEM_H

#include "idp/app.h"
#include "oidc/error.h"

#define PROBLEM_RETRY_MOST_S 4

struct problem {
	int status;
	const struct oidc_error *error; /* for programs; NULL: by status */
	const char *proto;              /* for people: of texts error_title.*; NULL: by status */
	const char *ref;                /* "": this answer has none */
	enum lang lang;
	bool machine; /* JSON */
	bool soap;    /* a SOAP fault instead */
	int retry_s;  /* for Retry-After, at most PROBLEM_RETRY_MOST_S; 0: some time up to that */
};

/* Status and name for a failure of a handler. */
struct problem problem_of(const struct err *err, bool machine);

/* Fill rs (as if empty). Retry-After with every 503 and 429. */
void problem_answer(const struct app *app, struct arena *a, const struct problem *p,
		    struct response *rs);

/* The last resort when even the error page does not fit: static text. */
void problem_answer_static(int status, struct response *rs);

#endif
