/* What the HTTP process gives up before it reads the first octet from outside. */
#ifndef KONTOR_IDP_SANDBOX_H
#define KONTOR_IDP_SANDBOX_H

#include "base/err.h"

/*
 * Become another user, with his groups and for good.  NULL: stay.  ERR_INPUT:
 * no such user; ERR_DENIED: not root, so it cannot be done.
 */
MUST_USE bool sandbox_become(const char *user, struct err *err);

/*
 * No core dump, no ptrace by others, no new privileges, and never again the
 * system calls that only an intruder needs: starting programs or processes,
 * looking into others or sending them signals, another user, memory both
 * written and run, loading code into the kernel, mounting, sockets of other
 * families than UNIX and IP.  tests/idp/test_seccomp.c is the list.  Builds with
 * a sanitizer leave out the last part: the sanitizers need some of them.
 */
MUST_USE bool sandbox_enter(struct err *err);

#endif
