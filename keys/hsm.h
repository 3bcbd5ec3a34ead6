/*
 * The HSM process: the only one that has a PKCS#11 module loaded.  It stands
 * beside the signer (keys/signer.h), speaks the same protocol, and does the same
 * to keys that lie in a hardware security module: bytes come in, their shape is
 * checked, the token signs their digest, and the signature goes out only if it
 * verifies under the public key of the key's row.  It holds neither master keys
 * nor any other key; what it opens rows with is derived for that alone
 * (docs/decisions/0014).
 *
 * One thread reads the socket and never enters the module.  Requests wait in a
 * bounded table for a few threads, each with a session of its own; what is not
 * done in time is answered ERR_UNAVAILABLE, whatever the module is doing.
 */
#ifndef KONTOR_KEYS_HSM_H
#define KONTOR_KEYS_HSM_H

#include "base/arena.h"
#include "base/err.h"
#include "keys/signer.h"

struct masterfile;

#define HSM_SESSIONS_MAX 64
#define HSM_QUEUE_MAX    256
#define HSM_PIN_MAX      255

struct hsm_settings {
	const char *module; /* path of the shared library */
	const char *token;  /* label; 1..32 octets */
	const char *pin;    /* 1..HSM_PIN_MAX octets */
	uint32_t sessions;  /* 1..HSM_SESSIONS_MAX */
	uint32_t queue;     /* requests at once, those at work included; 1..HSM_QUEUE_MAX */
	int64_t timeout_us; /* for each request */
};

/*
 * Lock this process down (as signer_run does, but for the system calls, which are
 * the caller's to restrict: a module needs files, sockets and threads), then
 * answer until the socket closes.  True after an orderly end.  False when it
 * could not start, or when a call into the module has not come back for ten
 * times the timeout: then only a new process helps.  Either way the process must
 * end by _exit, since threads may still be in the module.
 */
MUST_USE bool hsm_run(int fd, enum signer_role role, struct err *err);

/* The first message, like signer_send_secrets.  Does not wait for the module. */
MUST_USE bool hsm_send_secrets(int fd, const char *instance, const struct masterfile *mf,
			       const struct hsm_settings *settings, int64_t timeout_us,
			       struct err *err);

/*
 * The PIN from its file: one line.  ERR_NOT_FOUND, ERR_DENIED as for the master
 * key file; ERR_INPUT: not one line of 1..HSM_PIN_MAX octets.
 */
MUST_USE bool hsm_pin_read(struct arena *a, const char *path, const char **pin, struct err *err);

#endif
