/*
 * A PKCS#11 module and one token of it (PKCS#11 2.40): loaded, found by its
 * label, logged in once, found again after it was away.  The module is somebody
 * else's code and may block for ever or fail in any way; nothing here trusts it
 * with more than the PIN, and whoever calls must be able to wait.  Internal to
 * keys/.
 */
#ifndef KONTOR_KEYS_P11_H
#define KONTOR_KEYS_P11_H

#include <p11-kit/pkcs11.h>

#include "base/arena.h"
#include "base/err.h"

#define P11_TROUBLE_BYTES 160
#define P11_NO_OBJECT     (CKR_VENDOR_DEFINED | 0x4b6f6eUL) /* ours: not there, or twice */
#define P11_HANDLES_MAX   16

struct p11;

/* What is where; the texts are copied. */
struct p11_options {
	const char *module; /* path of the shared library */
	const char *token;  /* label of the token */
	const char *pin;    /* of the user */
};

/* One thread's session and the objects it knows by name.  Zero is "none yet". */
struct p11_session {
	CK_SESSION_HANDLE handle;
	bool open;
	uint64_t epoch; /* of the connection it was opened in */
	size_t n_handles;
	struct p11_handle {
		unsigned char name[32]; /* digest of what the object is called */
		CK_OBJECT_HANDLE handle;
	} handles[P11_HANDLES_MAX];
};

/* Nothing is loaded before the first use.  Lives in `a`. */
struct p11 *p11_create(struct arena *a, const struct p11_options *options);

/*
 * Give the PIN up and the module back, if nobody is inside it.  For tests: a
 * process that held a module ends by _exit, since it may still be at work.
 */
void p11_destroy(struct p11 *p);

/*
 * A piece of work in an open session: called with the module's functions, it
 * returns what the module said.  CKR_OK and CKR_DATA_INVALID end it at once (the
 * latter is ERR_INPUT: what was given does not open), as does P11_NO_OBJECT
 * (ERR_NOT_FOUND); anything that a lost session or token can be is tried a second
 * time in a new session.  Other failures are ERR_UNAVAILABLE, at once as long as
 * the token is known to be away.
 */
struct p11_work {
	const char *what; /* for the error: "C_Sign" */
	CK_RV (*run)(CK_FUNCTION_LIST *f, struct p11_session *s, void *arg);
	void *arg;
};

MUST_USE bool p11_do(struct p11 *p, struct p11_session *s, const struct p11_work *work,
		     struct err *err);

/* Why the token is away, "" when it is not as far as known. */
void p11_trouble(struct p11 *p, char out[P11_TROUBLE_BYTES]);

/* "CKR_PIN_INCORRECT" or a number. */
const char *p11_rv_name(CK_RV rv, char number[24]);

#endif
