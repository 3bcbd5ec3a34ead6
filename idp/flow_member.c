/* Logins of which nothing is kept; see flow_member.h. */
#include "idp/flow_member.h"

#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/member_count.h"
#include "idp/audit.h"
#include "idp/flow_judge.h"
#include "keys/sign.h"

#define COOKIE     "l-"
#define PROOFS     "proofs"  /* [level, at, method] each */
#define BROWSER    "browser" /* digest of the cookie's value */
#define PROOFS_MAX 16

static const char *
digest_of(struct arena *a, const char *text, size_t n)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(text), digest);
	return enc_hex(a, (struct bytes){digest, n});
}

static const char *
cookie_name(struct arena *a, const char *flow_id)
{
	return arena_printf(a, COOKIE "%s", digest_of(a, flow_id, 8));
}

/*
 * The flow's cookie is older than the proof: who planted it in somebody else's browser would have
 * that person's login.  So each proof gives a new one, as it gives a session another.
 */
static bool
is_browser(const struct flow *f, const json_t *progress)
{
	struct arena *a = f->rq->a;
	const char *cookie = request_cookie(f->rq, cookie_name(a, f->row->id)), *mark = NULL;

	return cookie != NULL && json_get_str(progress, BROWSER, &mark, NULL) && mark != NULL &&
	       text_eq(mark, digest_of(a, cookie, SHA256_BYTES));
}

static struct db_proof
proof_of(const json_t *row)
{
	return (struct db_proof){
		.level = (int)json_integer_value(json_array_get(row, 0)),
		.method = json_string_value(json_array_get(row, 2)),
		.at = (time_t)json_integer_value(json_array_get(row, 1)),
	};
}

void
flow_member_load(struct flow *f)
{
	const json_t *progress = flow_progress(f), *proofs = json_object_get(progress, PROOFS);
	struct db_session *s = ARENA_NEW(f->rq->a, struct db_session);
	struct db_proof *p = ARENA_ARRAY(f->rq->a, struct db_proof, PROOFS_MAX);
	size_t n = 0;

	if (f->row->acting == NULL || f->row->sid == NULL || !is_browser(f, progress))
		return;
	for (size_t i = 0; i < json_array_size(proofs) && n < PROOFS_MAX; i++) {
		p[n] = proof_of(json_array_get(proofs, i));
		n += p[n].method != NULL;
	}
	*s = (struct db_session){
		.sid = f->row->sid,
		.acting = *f->row->acting,
		.sso_group = "",
		.proofs = p,
		.n_proofs = n,
		.created = f->row->created,
		.last_used = f->rq->now,
		.expires = f->row->created + FLOW_GOES_ON_S,
	};
	f->session = s;
}

static void
add_proof(struct flow *f, json_t *progress, const struct db_proof *proof)
{
	struct arena *a = f->rq->a;
	json_t *proofs = json_object_get(progress, PROOFS), *row = json_new_array(a);

	/* Those of another person say nothing about this one. */
	if (proofs == NULL || f->session == NULL || json_array_size(proofs) == PROOFS_MAX ||
	    !subject_id_eq(f->session->acting, *f->row->acting))
		json_put(a, progress, PROOFS, proofs = json_new_array(a));
	json_push(a, row, json_keep(a, json_integer(proof->level)));
	json_push(a, row, json_keep(a, json_integer((json_int_t)proof->at)));
	json_push_str(a, row, proof->method);
	json_push(a, proofs, row);
}

bool
flow_member_proved(struct flow *f, struct subject_id subject, const struct db_proof *proof,
		   struct response *rs, struct err *err)
{
	struct request *rq = f->rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const char *cookie = rand_token(rq->a, 32);
	struct subject_id *who = ARENA_NEW(rq->a, struct subject_id);
	json_t *progress = flow_progress(f);
	int64_t before = f->row->version;
	const struct db_audit audit = {
		.event = AUDIT_LOGIN,
		.ref = rq->ref,
		.subject = &subject,
		.details = audit_details(rq->a, "method", proof->method, "level",
					 level_word((enum level)proof->level, LEVEL_VOCAB_SHORT),
					 NULL),
	};

	*who = subject;
	f->row->acting = who;
	f->row->sid = rand_token(rq->a, 16); /* of no session: it names this login */
	add_proof(f, progress, proof);
	json_put_str(rq->a, progress, BROWSER, digest_of(rq->a, cookie, SHA256_BYTES));
	if (!db_audit_add(&c, &audit, rq->now, err) || !flow_keep(f, progress, err))
		return false;
	/* Where another tab was faster, its cookie counts. */
	if (f->row->version != before)
		response_cookie(rq, rs, cookie_name(rq->a, f->row->id), cookie, FLOW_GOES_ON_S);
	return true;
}

void
flow_member_count(struct request *rq, const struct party *p, const char *outcome, enum level told)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct db_member_count count = {
		.day = rq->now / 86400, .member = p->id, .outcome = outcome, .level = told};
	struct err why = {0};

	/* What was answered was answered: a number less takes nothing back. */
	if (!db_member_count_add(&c, &count, &why))
		log_err(LOG_LVL_WARN, "member_uncounted", &why, "ref", rq->ref, NULL);
}

void
flow_member_forget(const struct flow *f, struct response *rs)
{
	if (party_is_member(f->ask.party) && f->row->acting != NULL)
		response_cookie(f->rq, rs, cookie_name(f->rq->a, f->row->id), "", 0);
}

bool
flow_pseudonym(struct flow *f, const char **out, struct err *err)
{
	struct account_work w = account_work_of(f->rq);

	if (f->home == NULL && party_is_member(f->ask.party))
		return account_pseudonym_made(&w, f->subject, f->ask.party->sector, out, err);
	return home_pseudonym(f, f->ask.party->sector, f->holding.pseudonym, out, err);
}
