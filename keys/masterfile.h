/*
 * The master key file: the one secret that lies outside the database and its
 * backups.  All nodes of an instance hold the same.  It is read by the supervisor
 * and handed to the signer; the HTTP process never sees it.
 *
 *	# comment
 *	master GENERATION KEY
 *	epoch ID UNIX_CREATED KEY
 *
 * KEY is 32 octets in base64url.  Master keys seal the key rows: the newest
 * writes, the one before still reads.  Epoch keys wrap the accounts' keys: the
 * newest wraps; when an old one is dropped here, no backup opens the accounts
 * that were deleted while it was in use.
 */
#ifndef KONTOR_KEYS_MASTERFILE_H
#define KONTOR_KEYS_MASTERFILE_H

#include "base/arena.h"
#include "base/err.h"

#define MASTERFILE_MASTERS_MAX 2
#define MASTERFILE_EPOCHS_MAX  64
#define MASTERFILE_KEY_BYTES   32

struct master_key {
	uint32_t generation; /* from 1 */
	unsigned char key[MASTERFILE_KEY_BYTES];
};

struct epoch_key {
	uint32_t id; /* from 1 */
	time_t created;
	unsigned char key[MASTERFILE_KEY_BYTES];
};

/* Holds secrets: keep it in an arena, which wipes.  Both lists ascend; the last is the newest. */
struct masterfile {
	struct master_key masters[MASTERFILE_MASTERS_MAX];
	size_t n_masters; /* 1 or 2 */
	struct epoch_key epochs[MASTERFILE_EPOCHS_MAX];
	size_t n_epochs; /* at least 1 */
};

/* Parse the text of a file.  ERR_INPUT names the line, never what stands there. */
MUST_USE bool masterfile_parse(struct arena *a, struct bytes text, struct masterfile *out,
			       struct err *err);

/* The text of a file that parses to the same.  Lives in `a`. */
MUST_USE bool masterfile_build(struct arena *a, const struct masterfile *mf, struct bytes *text,
			       struct err *err);

/*
 * Read and parse.  ERR_NOT_FOUND or ERR_UNAVAILABLE: cannot be opened.  ERR_DENIED: not a regular
 * file, not owned by this user or root, or open to group or others.
 */
MUST_USE bool masterfile_read(struct arena *a, const char *path, struct masterfile *out,
			      struct err *err);

/*
 * Write a first one durably and whole, readable by the owner alone: a new file beside, then
 * renamed.  ERR_CONFLICT: one is there.  ERR_UNAVAILABLE: the disk or the folder does not
 * let us; there is none then.
 */
MUST_USE bool masterfile_create(struct arena *a, const struct masterfile *mf, const char *path,
				struct err *err);

/*
 * Another content for one that is there, in steps, so that it changes together with something
 * elsewhere, or not at all: what can fail for want of room or memory fails in the first.
 * Beside the file lie PATH.new before it is applied and PATH.old after; what a process left
 * there that was killed in between goes with the next change.
 */
struct masterfile_change {
	const char *path, *fresh, *old;
	int folder;
	bool applied;
};

/* Write it beside.  `path` has to outlive the change.  ERR_UNAVAILABLE as above. */
MUST_USE bool masterfile_change_begin(struct arena *a, const struct masterfile *mf,
				      const char *path, struct masterfile_change *out,
				      struct err *err);

/* Put it in place, durably.  Also after false: masterfile_change_end. */
MUST_USE bool masterfile_change_apply(struct masterfile_change *c, struct err *err);

/* Once, after whatever came: keep it, or have the file as it was.  Only the latter can fail. */
MUST_USE bool masterfile_change_end(struct masterfile_change *c, bool keep, struct err *err);

/* A fresh one: master generation 1, epoch 1 of `now`, random keys. */
void masterfile_init(struct masterfile *mf, time_t now);

/* A new newest master key; of the older ones the newest stays.  ERR_INPUT: numbers are used up. */
MUST_USE bool masterfile_add_master(struct masterfile *mf, struct err *err);

/* A new newest epoch.  ERR_CONFLICT: too many epochs lie there already. */
MUST_USE bool masterfile_add_epoch(struct masterfile *mf, time_t now, struct err *err);

/* Destroy an epoch key.  ERR_NOT_FOUND: no such id.  ERR_DENIED: it is the newest. */
MUST_USE bool masterfile_drop_epoch(struct masterfile *mf, uint32_t id, struct err *err);

#endif
