/* Sessions of browsers; see session.h. */
#include "idp/session.h"

#include <string.h>

#include "base/rand.h"
#include "base/text.h"
#include "idp/app.h"
#include "idp/audit.h"
#include "idp/login.h"
#include "idp/logout.h"

/* The group of a session that no group asked for. */
#define SSO_GROUP      "portalverbund"

#define CLIENT_LIVES_S 3600 /* that no cookie leads to */

/* The longest any session lives: the row of niedrig (TR-03160-1 table 2). */
static int64_t
session_most_s(void)
{
	return level_session_limits(LEVEL_LOW).max_age_s;
}

static struct db_call
call_of(const struct request *rq)
{
	return (struct db_call){rq->app->db, rq->a, rq->deadline_us};
}

bool
session_find(struct request *rq, const struct db_session **out, struct err *err)
{
	const char *cookie = request_cookie(rq, SESSION_COOKIE);
	struct db_call c = call_of(rq);
	const struct db_session *s = NULL;

	if (cookie != NULL && !db_session_find(&c, cookie, rq->now, &s, err))
		return false;
	if (s != NULL && session_level(rq, s) == LEVEL_NONE)
		s = NULL;
	if (s != NULL && !db_session_touch(&c, s, rq->now, err))
		return false;
	*out = s;
	return true;
}

static bool
is_first_step(const struct db_proof *proof)
{
	const struct login_method *m = login_method_find(proof->method);

	return m != NULL && m->event == FLOW_EVENT_LOGIN;
}

/*
 * The first step on its own is what a session rests on: its limit is not
 * stretched by codes of the second means (TR-03160-1 table 2).
 */
static bool
rests_on_first_step(const struct request *rq, const struct db_session *s)
{
	for (size_t i = 0; i < s->n_proofs; i++) {
		struct level_proof p = {(enum level)s->proofs[i].level, s->proofs[i].at};

		if (is_first_step(&s->proofs[i]) &&
		    level_of_session(&p, 1, s->last_used, rq->now) != LEVEL_NONE)
			return true;
	}
	return false;
}

enum level
session_level_since(const struct request *rq, const struct db_session *s, time_t since)
{
	struct level_proof *p = ARENA_ARRAY(rq->a, struct level_proof, s->n_proofs + 1);
	size_t n = 0;

	if (!rests_on_first_step(rq, s))
		return LEVEL_NONE;
	for (size_t i = 0; i < s->n_proofs; i++)
		if (s->proofs[i].at >= since)
			p[n++] = (struct level_proof){(enum level)s->proofs[i].level,
						      s->proofs[i].at};
	return level_of_session(p, n, s->last_used, rq->now);
}

enum level
session_level(const struct request *rq, const struct db_session *s)
{
	return session_level_since(rq, s, 0);
}

time_t
session_proved_at(const struct db_session *s, enum level level)
{
	time_t latest = 0;

	for (size_t i = 0; i < s->n_proofs; i++)
		if (s->proofs[i].level >= (int)level && s->proofs[i].at > latest)
			latest = s->proofs[i].at;
	return latest;
}

time_t
session_told_until(const struct db_session *s, enum level told)
{
	time_t until = session_proved_at(s, told) + level_session_limits(told).max_age_s, first = 0;

	for (size_t i = 0; i < s->n_proofs; i++)
		if (is_first_step(&s->proofs[i]) && s->proofs[i].at > first)
			first = s->proofs[i].at;
	/* Nobody who comes from another provider has taken one here. */
	if (first != 0 && first + session_most_s() < until)
		until = first + session_most_s();
	return s->expires < until ? s->expires : until;
}

static struct db_audit
audit_of_login(const struct request *rq, const struct subject_id *subject,
	       const struct db_proof *proof)
{
	return (struct db_audit){
		.event = AUDIT_LOGIN,
		.ref = rq->ref,
		.subject = subject,
		.details = audit_details(rq->a, "method", proof->method, "level",
					 level_word((enum level)proof->level, LEVEL_VOCAB_SHORT),
					 NULL),
	};
}

/* A new one; sso_group NULL: none asked for it. */
static struct db_session *
make_session(struct request *rq, struct subject_id subject, const struct db_proof *proof,
	     const char *sso_group)
{
	struct db_session *s = ARENA_NEW(rq->a, struct db_session);

	*s = (struct db_session){
		.sid = rand_token(rq->a, 16),
		.acting = subject,
		.sso_group = sso_group == NULL ? SSO_GROUP : sso_group,
		.proofs = proof,
		.n_proofs = 1,
		.created = rq->now,
		.last_used = rq->now,
		.expires = rq->now + session_most_s(),
	};
	return s;
}

static bool
session_begin(struct request *rq, const struct db_session *s, const char *id, struct err *err)
{
	struct db_call c = call_of(rq);
	struct db_audit audit = audit_of_login(rq, &s->acting, s->proofs);

	return db_session_create(&c, id, s, &audit, rq->now, err);
}

static bool
session_extend(struct request *rq, const struct db_session *current, const struct db_proof *proof,
	       const char *id, const struct db_session **out, struct err *err)
{
	struct db_call c = call_of(rq);
	struct db_session *s = ARENA_NEW(rq->a, struct db_session);
	struct db_proof *proofs = ARENA_ARRAY(rq->a, struct db_proof, current->n_proofs + 1);
	struct db_audit audit = audit_of_login(rq, &current->acting, proof);

	if (!db_session_add_proof(&c, request_cookie(rq, SESSION_COOKIE), id, proof,
				  rq->now + session_most_s(), &audit, rq->now, err))
		return false;
	memcpy(proofs, current->proofs, current->n_proofs * sizeof(*proofs));
	proofs[current->n_proofs] = *proof;
	*s = *current;
	s->proofs = proofs;
	s->n_proofs++;
	s->last_used = rq->now;
	*out = s;
	return true;
}

struct db_audit
session_end_audit(const struct request *rq, const struct db_session *s, const char *why)
{
	return (struct db_audit){
		.event = AUDIT_SESSION_ENDED,
		.ref = rq->ref,
		.subject = &s->acting,
		.details = audit_details(rq->a, "why", why, NULL),
	};
}

/* The browser goes on to what it came for: nobody is told through it. */
static bool
end_before(struct request *rq, const struct db_session *s, struct err *err)
{
	struct db_audit audit = session_end_audit(rq, s, "another person or group");

	return logout_quietly(rq, s->sid, &audit, err);
}

bool
session_prove(struct request *rq, const struct db_session *current, struct subject_id subject,
	      const struct db_proof *proof, const char *sso_group, struct response *rs,
	      const struct db_session **out, struct err *err)
{
	const char *id = rand_token(rq->a, 32);

	if (current != NULL && subject_id_eq(current->acting, subject) &&
	    (sso_group == NULL || text_eq(current->sso_group, sso_group))) {
		if (!session_extend(rq, current, proof, id, out, err))
			return false;
	} else {
		if (current != NULL && !end_before(rq, current, err))
			return false;
		*out = make_session(rq, subject, proof, sso_group);
		if (!session_begin(rq, *out, id, err))
			return false;
	}
	response_cookie(rq, rs, SESSION_COOKIE, id, -1);
	return true;
}

const struct db_session *
session_of_client(struct request *rq, struct subject_id subject, const struct db_proof *proof,
		  const char *sso_group)
{
	struct db_session *s = make_session(rq, subject, proof, sso_group);

	s->expires = rq->now + CLIENT_LIVES_S;
	return s;
}

bool
session_keep_client(struct request *rq, const struct db_session *s, struct err *err)
{
	return session_begin(rq, s, rand_token(rq->a, 32), err); /* nobody learns it */
}

bool
session_drop_client(struct request *rq, const struct db_session *s, struct err *err)
{
	struct db_audit audit = session_end_audit(rq, s, "not answered");

	return logout_quietly(rq, s->sid, &audit, err);
}

bool
session_note_proof(struct request *rq, const struct db_session *s, struct err *err)
{
	struct db_call c = call_of(rq);
	struct db_audit audit = audit_of_login(rq, &s->acting, s->proofs);

	return db_audit_add(&c, &audit, rq->now, err);
}
