/*
 * One way to fail.  A function that can fail returns bool and takes a struct
 * err of its caller; on false the caller's outputs are untouched and err says
 * what kind of failure it was, what the protocol calls it, and what the log
 * should say.  Nothing below idp/ logs.
 */
#ifndef KONTOR_BASE_ERR_H
#define KONTOR_BASE_ERR_H

#include "base/base.h"

/* What a caller can act on.  Zero is "no error recorded", never "allowed". */
enum err_kind {
	ERR_NONE = 0,
	ERR_INPUT,       /* the other side sent something malformed */
	ERR_DENIED,      /* well-formed, but not allowed */
	ERR_NOT_FOUND,   /* names something that is not there */
	ERR_CONFLICT,    /* already there, or used before */
	ERR_UNAVAILABLE, /* try again later: database, signer, full lane, unknown commit */
	ERR_INTERNAL,    /* a fault of ours */
};

struct err {
	enum err_kind kind;
	const char *proto; /* static protocol name to answer with ("invalid_grant"), or NULL */
	const char *file;  /* where it was raised; static */
	int line;
	char text[240]; /* for the log only; no secrets, no personal data; always NUL-terminated */
};

/* Static name of a kind, for logs: "input", "denied", ... */
const char *err_kind_name(enum err_kind kind);

/*
 * Record a failure and return false, so that a function ends with
 * `return FAIL(err, ERR_INPUT, NULL, "...")`.  The first failure wins: an err
 * that already holds one keeps it.  err may be NULL: then only false remains.
 */
#define FAIL(err, kind, proto, ...) \
	(err_set((err), (kind), (proto), __FILE__, __LINE__, __VA_ARGS__), false)

void err_set(struct err *err, enum err_kind kind, const char *proto, const char *file, int line,
	     const char *fmt, ...) PRINTF_LIKE(6, 7);

/*
 * Give a failure that has no protocol name yet the name `proto`, and return
 * false: `if (!json_get_str(...)) return err_name(err, "invalid_request");`
 * A name that is there already stays.
 */
static inline bool
err_name(struct err *err, const char *proto)
{
	if (err != NULL && err->kind != ERR_NONE && err->proto == NULL)
		err->proto = proto;
	return false;
}

/*
 * What it means that a file that was named cannot be opened or read: ERR_UNAVAILABLE when the
 * machine cannot at the moment (memory, descriptors, its disk), else ERR_NOT_FOUND.
 */
enum err_kind err_kind_of_errno(int number);

/* Forget what err holds, so that it can serve another attempt. */
void err_clear(struct err *err);

#endif
