/*
 * What the signer knows and the dispatch of its messages, without socket and
 * process: so it runs in tests and under the fuzzer as it stands.  Internal to
 * keys/.
 */
#ifndef KONTOR_KEYS_SIGNER_CORE_H
#define KONTOR_KEYS_SIGNER_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "keys/masterfile.h"
#include "keys/private.h"
#include "keys/signer.h"
#include "keys/wire.h"

#define SIGNER_KEYS_MAX     256
#define SIGNER_INSTANCE_MAX 64

/* A loaded key, in an arena of its own: forgetting it wipes it. */
struct signer_key {
	struct arena *a;
	struct private_key key;
	unsigned char digest[32]; /* of the private half: the same key again is no conflict */
	atomic_uint_fast64_t uses;
};

/* What one thread has for itself. */
struct signer_lane {
	struct arena *a; /* of the message being handled */
	size_t index;    /* its place in every key */
	struct seal masters[MASTERFILE_MASTERS_MAX];
	struct seal epochs[MASTERFILE_EPOCHS_MAX];
	struct seal account; /* takes another key each time */
};

struct signer_core {
	struct arena *a;
	struct crypto crypto;
	enum signer_role role;
	bool memory_locked;
	atomic_uint_fast64_t requests, refused;

	pthread_rwlock_t lock; /* over all that follows; written by secrets, load, forget */
	bool has_secrets;
	const char *instance;
	size_t n_masters, n_epochs;
	struct signer_key *keys[SIGNER_KEYS_MAX];
	size_t n_keys;
	size_t n_lanes;
	struct signer_lane lanes[CRYPTO_LANES_MAX];
};

/* ERR_INPUT: lanes out of range; ERR_INTERNAL: OpenSSL or memory. */
MUST_USE bool signer_core_create(enum signer_role role, size_t n_lanes, struct signer_core **out,
				 struct err *err);
void signer_core_destroy(struct signer_core *c); /* no lane may be at work; c may be NULL */

/*
 * Answer one message on a lane.  The answer lives until signer_core_wipe; it is
 * empty when there is not even memory to say so.
 */
struct bytes signer_core_handle(struct signer_core *c, size_t lane, struct bytes message);

/* Wipe all that the message left on the lane, once its answer is sent. */
void signer_core_wipe(struct signer_core *c, size_t lane);

/* One operation under way. */
struct signer_op {
	struct signer_core *core;
	struct signer_lane *lane;
	struct arena *a;
	struct wire_reader in;
	struct buf out;
};

/* A row of the table of operations. */
struct signer_op_row {
	enum wire_op op;
	unsigned roles; /* bits 1 << enum signer_role */
	bool writes;    /* changes what the lock is over */
	bool first;     /* before the secrets are there, and never after */
	bool (*handle)(struct signer_op *o, struct err *err);
};

extern const struct signer_op_row signer_ops[]; /* ends with a NULL handle */

/* The operations on accounts' keys and values (signer_account.c). */
MUST_USE bool signer_op_account_new(struct signer_op *o, struct err *err);
MUST_USE bool signer_op_account_rewrap(struct signer_op *o, struct err *err);
MUST_USE bool signer_op_account_seal(struct signer_op *o, struct err *err);
MUST_USE bool signer_op_account_open(struct signer_op *o, struct err *err);

/*
 * What a sealed key row is bound to: instance, purpose, type and kid; the master's
 * generation stands in the envelope.  Lives in `a`.
 */
struct bytes signer_row_aad(struct arena *a, const char *instance, enum key_purpose purpose,
			    enum key_type type, const char *kid);

/* Associated data: what the sealed thing is, the instance, and n parts, each behind its length. */
struct bytes signer_aad(struct arena *a, const char *what, const char *instance,
			const struct bytes *parts, size_t n);

/* "saml-sign-" and 16 hex digits of the public key's digest, or random ones for a secret. */
const char *signer_kid_make(struct arena *a, enum key_purpose purpose, struct bytes spki);

/* All fields were read and fitted, or ERR_INPUT. */
MUST_USE bool signer_op_end(const struct signer_op *o, struct err *err);

#endif
