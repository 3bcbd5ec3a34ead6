/*
 * Keys that a test double makes for itself and uses in its own process: never those of an
 * instance, whose private halves the signer alone holds.  Kept in a folder, so that who trusts
 * them can go on doing so after a restart, or in memory alone.
 */
#ifndef KONTOR_KEYS_FOLDER_H
#define KONTOR_KEYS_FOLDER_H

#include "keys/key_ops.h"

/* A key to have. */
struct folder_wish {
	const char *kid; /* also the file's name: KID-TYPE.pem */
	enum key_purpose purpose;
	enum key_type type; /* no KEY_SECRET */
};

struct folder_keys; /* lives in its arena */

/*
 * Read the keys from `folder` (made if it is not there; NULL: none) and make those that are
 * missing, each with a certificate for `cn`.  ERR_INPUT: a file that is no such key; ERR_DENIED:
 * one that others may read; ERR_UNAVAILABLE: it cannot be written.
 */
MUST_USE bool folder_keys_open(struct arena *a, const char *folder, const char *cn,
			       const struct folder_wish *wishes, size_t n, time_t now,
			       struct folder_keys **out, struct err *err);

/* Any thread may use them; operations wait for each other. */
struct key_ops folder_keys_ops(struct folder_keys *keys);

/* DER; empty for a kid that there is not. */
struct bytes folder_keys_certificate(const struct folder_keys *keys, const char *kid);

#endif
