/* Locking the signer's process down, in two steps.  Internal to keys/. */
#ifndef KONTOR_KEYS_SIGNER_SANDBOX_H
#define KONTOR_KEYS_SIGNER_SANDBOX_H

#include "base/err.h"

/*
 * Everything that still needs the kernel's help: not dumpable, no core, no new
 * privileges, signals, descriptors (only *fd stays, moved above 2; /dev/null
 * stands at 0 to 2), memory locked where the limits allow it.  ERR_INTERNAL.
 */
MUST_USE bool signer_sandbox_prepare(int *fd, bool *memory_locked, struct err *err);

/*
 * From here on only the listed system calls, for all threads there are; any
 * other kills the process.  Threads must be running: none can be started after.
 */
MUST_USE bool signer_sandbox_close(struct err *err);

#endif
