/* One thread of the signer.  Internal to keys/ and its tests. */
#ifndef KONTOR_KEYS_SIGNER_LOOP_H
#define KONTOR_KEYS_SIGNER_LOOP_H

#include "keys/signer_core.h"

/* Answer messages from fd on this lane until the other end closes.  fd stays open. */
void signer_loop(int fd, struct signer_core *core, size_t lane);

#endif
