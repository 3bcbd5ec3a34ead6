/*
 * Browser sessions: who acts (for whom), what was proved when, and which parties
 * took part.  The cookie's value is stored as a hash only; the public sid goes
 * into tokens.  How long a proof counts is idp/level.c's business, here a row
 * ends at `expires` or when its subject is no longer active.
 */
#ifndef KONTOR_DB_SESSION_H
#define KONTOR_DB_SESSION_H

#include "db/consent.h"
#include "db/seen.h"

struct db_proof {
	int level;          /* 1..4 */
	const char *method; /* "password", "totp" */
	time_t at;
};

struct db_session {
	const char *sid;
	struct subject_id acting;
	const struct subject_id *represented; /* NULL: acts for itself */
	const char *sso_group;                /* "portalverbund" */
	const struct db_proof *proofs;        /* oldest first */
	size_t n_proofs;                      /* at least 1 */
	time_t created, last_used, expires;
};

/*
 * `id` is the cookie's value (rand_token(a, 32)).  created and last_used are
 * `now`, whatever the struct holds.  Lazy, with its audit row: a session lost in
 * a crash costs a login.  ERR_NOT_FOUND: a subject of it is not (or no longer) active.
 */
MUST_USE bool db_session_create(const struct db_call *c, const char *id,
				const struct db_session *session, const struct db_audit *audit,
				time_t now, struct err *err);

/* Does not write.  *out is NULL when there is none that lives at `now`. */
MUST_USE bool db_session_find(const struct db_call *c, const char *id, time_t now,
			      const struct db_session **out, struct err *err);
MUST_USE bool db_session_load(const struct db_call *c, const char *sid, time_t now,
			      const struct db_session **out, struct err *err);

/*
 * Those of a person that live at `now`, last used first, at most `most`; for the person's own
 * page.
 */
MUST_USE bool db_session_list(const struct db_call *c, struct subject_id acting, size_t most,
			      time_t now, const struct db_session **out, size_t *n,
			      struct err *err);

/* Note a use; written at most once a minute, lazily. */
MUST_USE bool db_session_touch(const struct db_call *c, const struct db_session *session,
			       time_t now, struct err *err);

/*
 * A further login in a session: the cookie's value changes from old_id to
 * new_id, and the proof is added; `expires` moves to at least `expires`.
 * ERR_NOT_FOUND: the session ended, or another login changed the id before.
 * Durable, with its audit row.
 */
MUST_USE bool db_session_add_proof(const struct db_call *c, const char *old_id, const char *new_id,
				   const struct db_proof *proof, time_t expires,
				   const struct db_audit *audit, time_t now, struct err *err);

/* Act for somebody else from now on; NULL: for itself. */
MUST_USE bool db_session_represent(const struct db_call *c, const char *sid,
				   const struct subject_id *represented, time_t now,
				   struct err *err);

/* A party that was told about this session and has to hear of its end. */
struct db_participant {
	const char *party;
	const char *dialect;       /* "saml" or "oidc" */
	const char *name_id;       /* SAML NameID or OIDC sub, as sent; never NULL */
	const char *name_format;   /* of the NameID; NULL or "" for none */
	const char *session_index; /* as sent; "" for none; never NULL */
	time_t at;
};

struct db_artifact; /* db/artifact.h */

/* An answer that tells a party of a person, and what is stored with it. */
struct db_answer {
	const char *sid;
	const struct db_participant *participant;
	const struct db_consent *consent; /* what it rests on, as it was judged; never NULL */
	const struct db_mark *mark;       /* of the request; NULL: it was marked before */
	const struct db_artifact
		*artifact; /* what the party is to resolve; NULL: it is sent itself */
};

enum db_answered {
	DB_ANSWERED_BEFORE = 0, /* the request was: nothing is written, and nothing may be sent */
	DB_ANSWERED_WITHDRAWN,  /* that consent does not stand any more: the mark is all that is
				   written, and nothing may be told */
	DB_ANSWERED_NOW,        /* the answer may be sent */
};

/*
 * All of it and the audit row, in one durable statement, before anything is sent.
 * ERR_NOT_FOUND: the session has ended meanwhile or acts for another; nothing may be sent.
 */
MUST_USE bool db_session_participate(const struct db_call *c, const struct db_answer *answer,
				     const struct db_audit *audit, time_t now,
				     enum db_answered *how, struct err *err);

/* In order of time. */
MUST_USE bool db_session_participants(const struct db_call *c, const char *sid,
				      const struct db_participant **out, size_t *n,
				      struct err *err);

/* SAML2Core 3.7.3.1: the session a party's LogoutRequest names.  session_index "": any.  NULL:
 * none. */
MUST_USE bool db_session_of_participant(const struct db_call *c, const char *party,
					const char *name_id, const char *session_index, time_t now,
					const char **sid, struct err *err);

/* The same, the latest first, `most` at most. */
MUST_USE bool db_session_all_of_participant(const struct db_call *c, const char *party,
					    const char *name_id, const char *session_index,
					    size_t most, time_t now, const char *const **sids,
					    size_t *n, struct err *err);

/* Between account.c and session.c: of all sessions of a subject, in order of time. */
struct db_tx;
MUST_USE bool db_session_participants_of_tx(struct db_tx *tx, const struct db_call *c,
					    struct subject_id subject,
					    const struct db_participant **out, size_t *n,
					    struct err *err);

struct db_telling; /* db/logout.h */

/*
 * End it, durably, and revoke the access tokens it gave, also one that another
 * node is just giving; *out are those who took part, and those of them who are to be told
 * by `telling` (NULL: nobody) are written down in the same transaction.  *ended is false when
 * it was over before.
 */
MUST_USE bool db_session_end(const struct db_call *c, const char *sid, const struct db_audit *audit,
			     const struct db_telling *telling, time_t now, bool *ended,
			     const struct db_participant **out, size_t *n, struct err *err);

/* Remove at most `limit` rows that expired before `now`; *n were.  ERR_UNAVAILABLE: as
 * db_partitions_maintain, when the node's clock is not the database's. */
MUST_USE bool db_session_sweep(const struct db_call *c, int64_t limit, time_t now, int64_t *n,
			       struct err *err);

#endif
