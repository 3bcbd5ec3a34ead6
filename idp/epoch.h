/*
 * Bringing accounts' keys under the newest epoch key, so that the old one can be
 * destroyed when the promised backup time is over: from then on no backup opens
 * an account that was deleted before.
 */
#ifndef KONTOR_IDP_EPOCH_H
#define KONTOR_IDP_EPOCH_H

#include "db/db.h"
#include "keys/sign.h"

/*
 * One bounded batch; *done accounts were wrapped anew, 0: none is left, which is
 * noted.  May be cut short and run by several at once.  ERR_NOT_FOUND: what is
 * left is wrapped under epoch keys that are not in the file.
 */
MUST_USE bool epoch_rewrap(struct signer *signer, const struct db_call *c, time_t now,
			   int64_t *done, struct err *err);

#endif
