/*
 * What all requests share and none may change: the public view of the keys, the
 * parties, the documents made from both.  A snapshot is built aside, then swapped
 * in; a request holds the one it began with until its answer is built.
 */
#ifndef KONTOR_IDP_SNAPSHOT_H
#define KONTOR_IDP_SNAPSHOT_H

#include <pthread.h>
#include <stdatomic.h>

#include "idp/document.h"
#include "idp/party.h"
#include "idp/upstream.h"
#include "keys/keyring.h"
#include "oidc/details.h"

struct snapshot {
	struct arena *a; /* owns everything below */
	atomic_uint refs;
	uint64_t version;              /* 1, 2, ... within this process */
	const struct keyring *keyring; /* never NULL once published */
	struct parties parties;
	struct oidc_detail_types details; /* types of authorization details */
	struct upstreams upstreams;       /* other identity providers */
	struct documents documents;
	/* Metadata is that of before, unsigned or missing: the key to sign it was out of reach. */
	bool stale;
};

/* Holds the current one. */
struct snapshots {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* there is another one */
	struct snapshot *current;
	uint64_t last_version;
};

void snapshots_init(struct snapshots *s);
void snapshots_finish(struct snapshots *s); /* lets the current one go */

/* Empty, held once by the caller, its arena capped.  NULL: memory is out. */
struct snapshot *snapshot_create(size_t cap_bytes);

/* Make it the current one, numbered; takes over the caller's hold.  The old one goes when unheld.
 */
void snapshot_publish(struct snapshots *s, struct snapshot *snap);

/* Wait for one after `version` (0: for the first); false: there is still none after wait_ms. */
bool snapshot_wait(struct snapshots *s, uint64_t version, int64_t wait_ms);

/* The current one, held for the caller; NULL before the first. */
const struct snapshot *snapshot_hold(struct snapshots *s);

/* snap may be NULL. */
void snapshot_release(const struct snapshot *snap);

#endif
