/*
 * The client side of the signer: the only way to a signature, an opened content
 * key, a keyed digest or a sealed value anywhere in the program.
 *
 * A struct signer may be used by any number of threads at once; requests go out
 * as they come and answers are matched by number.  Every function waits for its
 * answer, at most the time given to signer_create.  Errors of all of them:
 * ERR_UNAVAILABLE (no answer in time, the signer is gone or restarting),
 * ERR_DENIED (no such key, wrong purpose, bytes of another shape, not for this
 * role), ERR_INPUT (what does not open; one text for all causes), ERR_NOT_FOUND
 * (the epoch key that wrapped an account's key is destroyed).
 */
#ifndef KONTOR_KEYS_SIGN_H
#define KONTOR_KEYS_SIGN_H

#include "keys/keyring.h"

struct masterfile;
struct signer;

/* The two ends of a new connection; fds[1] is the signer's.  Both close on exec. */
MUST_USE bool signer_socketpair(int fds[2], struct err *err);

/*
 * Hand a new signer its secrets: the first message, sent by whoever started the
 * process and holds the master key file, before anybody else has the socket.
 * `instance` is the name that every sealed key row is bound to.
 */
MUST_USE bool signer_send_secrets(int fd, const char *instance, const struct masterfile *mf,
				  int64_t timeout_us, struct err *err);

/* A client over fd, which it then owns.  fd -1: not connected until signer_replace_fd. */
MUST_USE bool signer_create(int fd, int64_t timeout_us, struct signer **out, struct err *err);
void signer_destroy(struct signer *s); /* no call may be under way; s may be NULL */

/* False after the signer's death until signer_replace_fd; for readiness. */
bool signer_alive(struct signer *s);

/*
 * Give the signer every key of the keyring that is not gone and that it does not
 * have yet, and have it forget those that are no longer there.  Rows are
 * remembered (sealed as they are) for signer_replace_fd.  A row the signer refuses
 * is reported after all the others were sent.
 */
MUST_USE bool signer_load(struct signer *s, const struct keyring *kr, struct err *err);

/*
 * Go on over a new connection (owned from here on, whatever the result), whose
 * signer already has its secrets: remembered rows are sent, then callers are let
 * in; calls under way on the old connection fail.  ERR_UNAVAILABLE: the new
 * signer does not answer, nothing has changed; any other error: a row was
 * refused, all else goes on.
 */
MUST_USE bool signer_replace_fd(struct signer *s, int fd, struct err *err);

/* sign, unwrap, agree of this signer; each key's are asked of where it lies. */
struct key_ops signer_key_ops(struct signer *s);

/*
 * Ask an HSM process (keys/hsm.h) for the keys whose rows say KEY_HSM.  To be
 * said before the first use.  fd as for signer_create; without one, and as long
 * as there is none, those keys are ERR_UNAVAILABLE: no other takes their place.
 */
MUST_USE bool signer_add_hsm(struct signer *s, int fd, int64_t timeout_us, struct err *err);

/* signer_replace_fd for the HSM process: of the new one nothing is known yet, so its keys are
 * tried. */
MUST_USE bool signer_replace_hsm(struct signer *s, int fd, struct err *err);

/* The HSM as it was last seen. */
struct signer_hsm {
	bool needed;         /* an active key lies in one */
	bool there;          /* signer_add_hsm was said */
	bool ready;          /* the token does what it is asked */
	const char *trouble; /* why not; "" */
	uint32_t jobs;       /* requests waiting or at work */
	uint64_t done, failed;
};

/* Ask; never fails: a process that does not answer is a trouble like another. */
void signer_hsm_look(struct signer *s, struct arena *a, struct signer_hsm *out);

/* Is this key, as far as known, to be used now?  To be asked before something is used up for it. */
bool signer_key_ready(struct signer *s, const char *kid);

/* HMAC-SHA-256 over (label, data) with a key of purpose PEPPER, LOOKUP, AUDIT or COOKIE. */
MUST_USE bool signer_mac(struct signer *s, struct arena *a, enum key_purpose purpose,
			 const char *kid, const char *label, struct bytes data,
			 unsigned char out[32], struct err *err);

/* Whom a pseudonym is for (DESIGN 2.8). */
struct pseudonym_subject {
	uint8_t kind;       /* person, organisation, authority as the rows number them */
	const char *origin; /* "local", or the issuer of a foreign account */
	struct bytes id;    /* our 128-bit id, or the issuer's id for the account */
};

/* base64url(HMAC-SHA-256(pseudonym key, kind, origin, id, sector)): 43 characters. */
MUST_USE bool signer_pseudonym(struct signer *s, struct arena *a, const char *kid,
			       const struct pseudonym_subject *subject, const char *sector,
			       const char **out, struct err *err);

/*
 * Seal a short secret (TOTP seed, stored request) with a KEY_SEAL key; the result
 * names its key.  Opens only under the same label (1..256 octets): say there what
 * the value is and whose ("totp:" and the row's id).
 */
MUST_USE bool signer_seal(struct signer *s, struct arena *a, const char *kid, struct bytes label,
			  struct bytes plain, struct bytes *sealed, struct err *err);
MUST_USE bool signer_open(struct signer *s, struct arena *a, struct bytes label,
			  struct bytes sealed, struct bytes *plain, struct err *err);

/*
 * A secret that another party signs with by HMAC-SHA-256 (client_secret_jwt), sealed for that
 * alone: what is sealed under a label that begins with SIGNER_MAC_LABEL does not open any more,
 * it only says whether a MAC over `text` is by it.  ERR_INPUT: the sealed value is not of this
 * label; ERR_DENIED: the MAC is of another secret or text.
 */
#define SIGNER_MAC_LABEL "mac:"
MUST_USE bool signer_mac_check(struct signer *s, struct arena *a, struct bytes label,
			       struct bytes sealed, struct bytes text, struct bytes mac,
			       struct err *err);

/* One value of an account: `label` is its name in the row, `data` plain or sealed. */
struct account_value {
	struct bytes label; /* 1..256 octets */
	struct bytes data;  /* at most 64 KiB */
};

#define ACCOUNT_VALUES_MAX 256 /* in one call; and 96 KiB in all */

/* A new random key for an account, wrapped under the newest epoch key for this account id. */
MUST_USE bool signer_account_new(struct signer *s, struct arena *a, struct bytes account_id,
				 struct bytes *wrapped, struct err *err);

/* The same key under the newest epoch; *wrapped is equal to the old one when it already is. */
MUST_USE bool signer_account_rewrap(struct signer *s, struct arena *a, struct bytes account_id,
				    struct bytes wrapped, struct bytes *rewrapped, struct err *err);

/* The epoch that wrapped it (stored beside it, so that the job finds what is old); 0: malformed. */
uint32_t signer_account_epoch(struct bytes wrapped);

/* Seal or open n values at once; out has n places and gets them in order.  All or nothing. */
MUST_USE bool signer_account_seal(struct signer *s, struct arena *a, struct bytes account_id,
				  struct bytes wrapped, const struct account_value *values,
				  size_t n, struct bytes *out, struct err *err);
MUST_USE bool signer_account_open(struct signer *s, struct arena *a, struct bytes account_id,
				  struct bytes wrapped, const struct account_value *values,
				  size_t n, struct bytes *out, struct err *err);

/* A key to be made; role CLI only. */
struct key_wish {
	enum key_purpose purpose;
	enum key_type type;
	int64_t cert_days; /* validity of the certificate that SAML purposes get; 1..36500 */
};

/* Role CLI: make a key inside the signer; *row is complete but for its generation: planned since
 * now. */
MUST_USE bool signer_generate(struct signer *s, struct arena *a, const struct key_wish *wish,
			      time_t now, struct key_row *row, struct err *err);

/*
 * The same for a key in the HSM: made there, or, with `adopt` not NULL, the one
 * object of that label.  *object: its label.  ERR_DENIED: the HSM cannot do all
 * that is wanted of such a key.
 */
MUST_USE bool signer_hsm_generate(struct signer *s, struct arena *a, const struct key_wish *wish,
				  const char *adopt, time_t now, struct key_row *row,
				  const char **object, struct err *err);

/* Role CLI: the row's private half sealed under the newest master key generation. */
MUST_USE bool signer_rewrap(struct signer *s, struct arena *a, const struct key_row *row,
			    struct bytes *sealed, struct err *err);

/* What the signer counted since it started. */
struct signer_key_count {
	const char *kid;
	uint64_t uses; /* operations with it, signatures included */
};

struct signer_status {
	uint64_t requests, refused;
	bool memory_locked; /* its pages cannot be swapped out */
	uint32_t newest_master, newest_epoch;
	size_t n_keys;
	const struct signer_key_count *keys;
};

MUST_USE bool signer_status(struct signer *s, struct arena *a, struct signer_status *out,
			    struct err *err);

#endif
