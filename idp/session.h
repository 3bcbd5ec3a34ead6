/* The browser's login: the session cookie, its row, and what it still proves. */
#ifndef KONTOR_IDP_SESSION_H
#define KONTOR_IDP_SESSION_H

#include "db/session.h"
#include "idp/level.h"
#include "idp/response.h"

#define SESSION_COOKIE "session"

/* The session of this browser that lives now; NULL: none.  Notes its use. */
MUST_USE bool session_find(struct request *rq, const struct db_session **out, struct err *err);

/* Highest level its proofs still give at rq->now. */
enum level session_level(const struct request *rq, const struct db_session *s);

/* The same of the proofs given at `since` or later. */
enum level session_level_since(const struct request *rq, const struct db_session *s, time_t since);

/* When the person last gave a proof of at least this level: auth_time, AuthnInstant. */
time_t session_proved_at(const struct db_session *s, enum level level);

/*
 * When a login that was told this level is over, whatever else is given until then: the proof of
 * the level has its limit, and so has the first step that the session rests on (TR-03160-1 4.3,
 * table 2).
 */
time_t session_told_until(const struct db_session *s, enum level told);

/*
 * A proof was given for `subject`: add it to `current` when that is the same
 * person's and of `sso_group` (NULL: of any), else end `current` and begin a new
 * session.  The cookie's value changes either way (session fixation).  *out is
 * the session as it is now.
 */
MUST_USE bool session_prove(struct request *rq, const struct db_session *current,
			    struct subject_id subject, const struct db_proof *proof,
			    const char *sso_group, struct response *rs,
			    const struct db_session **out, struct err *err);

/*
 * A client without a browser proved who it is, in the request it wants answered.  The session is
 * kept for the party that is told of it; no cookie leads to it, so an hour is enough, and those
 * of a program that signs on again and again do not pile up.  Not stored yet.
 */
const struct db_session *session_of_client(struct request *rq, struct subject_id subject,
					   const struct db_proof *proof, const char *sso_group);

/* Store it with the audit row of its proof; or, where no party is told, that row alone. */
MUST_USE bool session_keep_client(struct request *rq, const struct db_session *s, struct err *err);
MUST_USE bool session_note_proof(struct request *rq, const struct db_session *s, struct err *err);

/* Nobody is told of it after all: end it again. */
MUST_USE bool session_drop_client(struct request *rq, const struct db_session *s, struct err *err);

/* What the trail says of its end. */
struct db_audit session_end_audit(const struct request *rq, const struct db_session *s,
				  const char *why);

#endif
