/*
 * The signer: the process that holds the private keys.  It has one socket, no
 * network, no files, no parser of what strangers send, and does a closed list of
 * operations (signer_ops.c) for whoever holds the other end of the socket.
 *
 * The parent makes the pair (signer_socketpair), forks, and calls signer_run in
 * the child; sends the secrets (signer_send_secrets); then hands its end to the
 * HTTP process.  When the last other end closes, the signer ends.
 */
#ifndef KONTOR_KEYS_SIGNER_H
#define KONTOR_KEYS_SIGNER_H

#include "base/err.h"

enum signer_role {
	SIGNER_SERVE = 1, /* uses keys */
	SIGNER_CLI = 2,   /* also makes and re-wraps them */
};

struct signer_options {
	enum signer_role role;
	unsigned threads; /* 1..16; 0: 2 */
};

/*
 * Lock this process down, then answer until the socket closes.  Every other
 * descriptor is closed, SIGINT, SIGTERM and SIGHUP are ignored (the parent may
 * be draining requests that still need signatures).  True after an orderly end;
 * false when it could not start, and then the process must end at once.
 *
 * Locked down means: not dumpable (no ptrace, no core, no /proc/PID/mem for the
 * same user), no new privileges, memory not swapped where the limits allow it,
 * and a seccomp list of the few calls that computing and this socket need; any
 * other call kills the process.  Builds with a sanitizer leave out the list and
 * the locking of memory: the sanitizers' own needs are too many.
 */
MUST_USE bool signer_run(int fd, const struct signer_options *options, struct err *err);

#endif
