/*
 * The public view of our keys: which there are, what each is for, how far along
 * its life it is.  Built from key rows once per change, immutable, part of the
 * snapshot; the private halves are sealed in the rows and open only inside the
 * signer (keys/signer.h).
 *
 * Life of a key: planned (nobody sees it) -> published (peers see it, we do not
 * sign with it yet) -> active (one per purpose and type) -> retired (peers still
 * see it, so that what it signed can be verified) -> gone (private half destroyed).
 */
#ifndef KONTOR_KEYS_KEYRING_H
#define KONTOR_KEYS_KEYRING_H

#include <openssl/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "keys/key_type.h"

/* Stored in rows: append, never renumber.  Zero is "no state", allowed nothing. */
enum key_state {
	KEY_PLANNED = 1,
	KEY_PUBLISHED = 2,
	KEY_ACTIVE = 3,
	KEY_RETIRED = 4,
	KEY_GONE = 5,
};

/* Where the private half lies.  Stored in rows: append, never renumber. */
enum key_place {
	KEY_SEALED = 1, /* in the row, sealed under the master key; opened by the signer */
	KEY_HSM = 2,    /* in a hardware token; the row says, sealed, which object it is */
};

/* A key as it lies in the database. */
struct key_row {
	const char *kid; /* 1..64 characters of A-Z a-z 0-9 - _ */
	enum key_purpose purpose;
	enum key_type type;
	enum key_state state;
	enum key_place place;
	int64_t generation;  /* counts the keys of a purpose and type from 1; 0: not stored yet */
	struct bytes spki;   /* DER SubjectPublicKeyInfo; empty for KEY_SECRET */
	struct bytes cert;   /* DER certificate (key_has_cert); else empty */
	struct bytes sealed; /* the private half or where it is, for this row; empty once gone */
	time_t created, state_since;
};

/* A key of the view.  Lives as long as the keyring's arena. */
struct key {
	struct key_row row;
	EVP_PKEY *pub;                 /* NULL for KEY_SECRET; never freed by the reader */
	unsigned char spki_sha256[32]; /* zero for KEY_SECRET */
	unsigned char cert_sha256[32]; /* zero without a certificate */
	time_t cert_not_after;         /* 0 without a certificate */
};

struct keyring;

/*
 * Build the view in `a`; rows are copied.  Refused: ERR_CONFLICT for a kid that
 * occurs twice or two active keys of one purpose and type; ERR_INPUT for an
 * unknown number, a public key that is weak or of another type than the row
 * says, a certificate for another key.
 */
MUST_USE bool keyring_create(struct arena *a, const struct key_row *rows, size_t n,
			     const struct keyring **out, struct err *err);

/* The active key, or NULL.  Exactly one or none exists. */
const struct key *keyring_active(const struct keyring *kr, enum key_purpose purpose,
				 enum key_type type);

/* By kid, any state; NULL when there is none. */
const struct key *keyring_find(const struct keyring *kr, const char *kid);

/*
 * The keys that peers are to see: for signing, those published, active and
 * retired; for KEY_DECRYPT, those published and active (nobody shall encrypt to a
 * retired key).  Active first, then published, then retired; the younger first.
 *	for (size_t i = 0; (k = keyring_shown(kr, purpose, &i)) != NULL;)
 */
const struct key *keyring_shown(const struct keyring *kr, enum key_purpose purpose, size_t *i);

/* Every key in any state, in the same manner. */
const struct key *keyring_each(const struct keyring *kr, size_t *i);

/* What a move of one key's state means; filled by keyring_move_check. */
struct key_move {
	const char *retired_kid; /* the key that was active until now and retires with it; NULL */
	bool emergency;          /* made active before peers can have seen it: audit says so */
};

/*
 * May `kid` move to state `to` at `now`?  A key is to be published for
 * min_published_s before it replaces an active one; sooner is allowed, and is an
 * emergency.  Secret keys (nobody sees them) may go from planned to active.
 * ERR_NOT_FOUND: no such kid; ERR_DENIED: the table has no such move.
 */
MUST_USE bool keyring_move_check(const struct keyring *kr, const char *kid, enum key_state to,
				 int64_t min_published_s, time_t now, struct key_move *out,
				 struct err *err);

/* The master key generation a row's private half is sealed under; 0: none or malformed. */
uint32_t keyring_sealed_under(struct bytes sealed);

/* Static names: "saml-sign", "planned"; NULL for an unknown number. */
const char *key_purpose_name(enum key_purpose purpose);
const char *key_state_name(enum key_state state);
const char *key_place_name(enum key_place place); /* "sealed", "hsm" */

/* The reverse; false and *out untouched for an unknown name. */
MUST_USE bool key_purpose_from_name(const char *name, enum key_purpose *out);
MUST_USE bool key_state_from_name(const char *name, enum key_state *out);

/* 1..64 characters of A-Z a-z 0-9 - _ */
bool key_kid_is_valid(const char *kid);

/* May a key of this purpose have this type?  One that signs: what its protocol has a signature of.
 */
bool key_purpose_takes(enum key_purpose purpose, enum key_type type);

/* Is a certificate made for it, since SAML metadata shows it or is pinned by it? */
bool key_has_cert(enum key_purpose purpose, enum key_type type);

#endif
