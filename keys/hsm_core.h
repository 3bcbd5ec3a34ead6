/*
 * What the HSM process knows and does, without the process: its socket may lead
 * to a test.  Internal to keys/.
 */
#ifndef KONTOR_KEYS_HSM_CORE_H
#define KONTOR_KEYS_HSM_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "keys/hsm.h"
#include "keys/masterfile.h"
#include "keys/p11_key.h"
#include "keys/private.h"
#include "keys/wire.h"

#define HSM_KEYS_MAX 64

/* A loaded row: public, and where the private half lies.  Counted; in an arena of its own. */
struct hsm_key {
	struct arena *a;
	unsigned refs; /* under core->lock */
	const char *kid;
	enum key_purpose purpose;
	enum key_type type;
	struct p11_object object;
	struct bytes spki;
	EVP_PKEY *pub;
	unsigned char digest[32]; /* of what the row's envelope holds */
	atomic_uint_fast64_t uses;
};

enum hsm_job_state {
	HSM_JOB_FREE,
	HSM_JOB_WAITING,
	HSM_JOB_WORKING,
	HSM_JOB_ANSWERING,
	HSM_JOB_LATE, /* answered in its place, and still in the module */
};

/* A request on its way to the token. */
struct hsm_job {
	enum hsm_job_state state;
	struct arena *a;
	uint8_t op; /* enum wire_op; 0: is the token there? */
	uint64_t number;
	int64_t deadline_us, begun_us;
	struct hsm_key *key;
	enum sig_alg sign;
	enum wrap_alg wrap;
	struct bytes in, info; /* text, ciphertext or the peer's public key; KDF's other info */
	uint32_t key_bytes;
	/* to be made */
	enum key_purpose purpose;
	enum key_type type;
	time_t now;
	uint32_t cert_days;
	const char *adopt; /* label of an object to take; "": make one */
	struct bytes answer;
	struct err err;
	bool missing; /* err: the token does not have the key's object */
};

/* One thread with a session. */
struct hsm_worker {
	struct hsm_core *core;
	struct p11_session session;
	pthread_t id;
	bool started;
};

struct hsm_core {
	struct arena *a;
	struct crypto crypto;
	enum signer_role role;
	int fd;
	bool memory_locked;
	atomic_uint_fast64_t requests, refused;

	/* set by the first message */
	bool has_secrets;
	const char *instance, *token;
	size_t n_masters;
	struct seal masters[2][MASTERFILE_MASTERS_MAX]; /* of the reading thread; of the worker */
	struct p11 *p11;
	uint32_t n_workers, n_jobs;
	int64_t timeout_us;
	struct hsm_worker workers[HSM_SESSIONS_MAX];

	pthread_mutex_t lock; /* over all that follows */
	pthread_cond_t wake;
	bool stop;
	struct hsm_job jobs[HSM_QUEUE_MAX + 1]; /* the last in use is for probes */
	struct hsm_key *keys[HSM_KEYS_MAX];
	size_t n_keys;
	enum wire_hsm ready;
	int64_t done_us; /* when the token last did something, or was last looked for */
	uint64_t done, failed;
	char trouble[P11_TROUBLE_BYTES];

	struct arena *message; /* of the reading thread */
};

MUST_USE bool hsm_core_create(enum signer_role role, struct hsm_core **out, struct err *err);

/* Nobody may be in the module; c may be NULL. */
void hsm_core_destroy(struct hsm_core *c);

/* Answer what comes over fd until it hangs up: true; false: a call into the module is stuck. */
bool hsm_core_serve(struct hsm_core *c, int fd);

/*
 * One message, on the reading thread.  The answer lives until the next one; empty
 * when a worker will send it.
 */
struct bytes hsm_core_handle(struct hsm_core *c, struct bytes message);

/* What is late is answered now; *stuck: something has been in the module for too long. */
void hsm_core_look(struct hsm_core *c, int64_t now_us, bool *stuck);

/* Of the core's parts for each other: hsm_core.c, hsm_ops.c, hsm_work.c. */

/* Decode a request for the token into a job; ERR_INPUT, ERR_DENIED. */
MUST_USE bool hsm_job_decode(struct hsm_core *c, struct hsm_job *j, struct wire_reader *in,
			     struct err *err);

/* Do it, in a worker.  The answer is in j->answer or j->err. */
void hsm_job_work(struct hsm_worker *w, struct hsm_job *j);

/* Everything that is not for the token: keys loaded and forgotten, status, secrets, re-wrapping. */
bool hsm_op_is_ours(uint8_t op);
MUST_USE bool hsm_op_do(struct hsm_core *c, uint8_t op, struct wire_reader *in, struct buf *out,
			struct err *err);

/* The envelope of a row: where its private half lies, bound to all that the row says. */
MUST_USE bool hsm_row_seal(struct hsm_core *c, struct seal *master, struct arena *a,
			   const struct hsm_key *k, struct bytes *sealed, struct err *err);

MUST_USE bool hsm_workers_start(struct hsm_core *c, struct err *err);

void hsm_key_hold(struct hsm_core *c, struct hsm_key *k);
void hsm_key_release(struct hsm_core *c, struct hsm_key *k); /* k may be NULL */

/* The loaded key, held; NULL: none. */
struct hsm_key *hsm_key_find(struct hsm_core *c, const char *kid);

#endif
