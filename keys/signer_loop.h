/* The signer's receiving and answering, apart from its process.  Internal to keys/. */
#ifndef KONTOR_KEYS_SIGNER_LOOP_H
#define KONTOR_KEYS_SIGNER_LOOP_H

#include "keys/signer_core.h"

/* Answer messages from fd on this lane until the other end closes.  fd stays open. */
void signer_loop(int fd, struct signer_core *core, size_t lane);

/* A packet of no octets also reads as 0: only a hung-up socket is the end. */
bool signer_hung_up(int fd);

/* False: nobody takes it any more. */
bool signer_answer_send(int fd, struct bytes answer);

#endif
