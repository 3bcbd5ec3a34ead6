/* The table of login methods and what they share; see login.h. */
#include "idp/login.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "db/budget.h"
#include "idp/audit.h"
#include "idp/flow_judge.h"
#include "idp/net.h"
#include "idp/show.h"
#include "keys/sign.h"

/*
 * Guesses at one account, from one browser that it logged in with, and from one
 * address: OWASP ASVS 6.3.1, NIST SP 800-63B 3.2.2.
 */
#define ACCOUNT_ATTEMPTS  10
#define BROWSER_ATTEMPTS  10
#define SOURCE_ATTEMPTS   100
#define ATTEMPTS_WINDOW_S 900

const struct login_method login_methods[] = {
	{"password", "pwd", "Benutzername", DB_PASSWORD, LEVEL_LOW, FLOW_EVENT_LOGIN},
	{"totp", "otp", "Benutzername", DB_TOTP, LEVEL_SUBSTANTIAL, FLOW_EVENT_STEP_UP},
	{NULL, NULL, NULL, 0, LEVEL_NONE, FLOW_EVENT_COUNT},
};

const struct login_method *
login_method_find(const char *name)
{
	for (const struct login_method *m = login_methods; m->name != NULL; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

const struct login_method *
login_method_of_kind(enum db_credential_kind kind)
{
	for (const struct login_method *m = login_methods; m->name != NULL; m++)
		if (m->kind == kind)
			return m;
	return NULL;
}

enum level
login_reachable(void)
{
	enum level best = LEVEL_NONE;

	for (const struct login_method *m = login_methods; m->name != NULL; m++)
		best = m->level > best ? m->level : best;
	return best;
}

const char **
login_amr(struct flow *f, size_t *n)
{
	const struct db_session *s = f->session;
	const char **amr = ARENA_ARRAY(f->rq->a, const char *, s->n_proofs + 1);

	*n = 0;
	for (size_t i = 0; i < s->n_proofs; i++) {
		const struct login_method *m = login_method_find(s->proofs[i].method);

		if (m != NULL && flow_rests_on(f, &s->proofs[i]) && !text_in(amr, *n, m->amr))
			amr[(*n)++] = m->amr;
	}
	if (*n > 1)
		amr[(*n)++] = "mfa";
	return amr;
}

bool
login_take_form(struct request *rq, enum flow_event e, struct flow **out, struct response *rs,
		struct err *err)
{
	struct flow *f;

	*out = NULL;
	if (!flow_load(rq, rs, &f, err))
		return false;
	if (f == NULL)
		return true;
	if (text_eq(request_form(rq, "do"), "cancel") &&
	    flow_event_allowed(f->state, FLOW_EVENT_CANCEL))
		return flow_cancelled(f, rs, err);
	if (flow_take_event(f, e, rs))
		*out = f;
	return true;
}

/* ---- attempts ---- */

struct db_budget_pair {
	struct db_budget account, source;
	struct db_attempt at_account, at_source;
};

/* What one subscriber controls counts as one source; "unix" stands for itself. */
static const char *
source_text(struct request *rq)
{
	struct net_addr addr = {0};

	if (!net_addr_parse(rq->client_addr, &addr))
		return rq->client_addr;
	addr = net_addr_source(addr);
	return enc_hex(rq->a, (struct bytes){addr.octets, sizeof(addr.octets)});
}

/* Addresses are counted under a keyed hash: no list of who came is kept. */
bool
login_source(struct request *rq, struct bytes *out, struct err *err)
{
	struct account_work w = account_work_of(rq);

	return account_lookup(&w, arena_printf(rq->a, "source %s", source_text(rq)), out, err);
}

static struct db_budget
account_budget(struct request *rq, const char *method, struct bytes account,
	       const struct login_known *known)
{
	if (known != NULL && known->known)
		return (struct db_budget){arena_printf(rq->a, "%s-browser", method),
					  bytes_of(known->mark), BROWSER_ATTEMPTS,
					  ATTEMPTS_WINDOW_S};
	return (struct db_budget){arena_printf(rq->a, "%s-account", method), account,
				  ACCOUNT_ATTEMPTS, ATTEMPTS_WINDOW_S};
}

bool
login_attempt_reserve(struct request *rq, const char *method, struct bytes account,
		      const struct login_known *known, struct login_attempt *out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_budget_pair *p = ARENA_NEW(rq->a, struct db_budget_pair);

	p->account = account_budget(rq, method, account, known);
	p->source = (struct db_budget){
		arena_printf(rq->a, "%s-source", method), {0}, SOURCE_ATTEMPTS, ATTEMPTS_WINDOW_S};
	if (!login_source(rq, &p->source.key, err) ||
	    !db_budget_reserve(&c, &p->source, rq->now, &p->at_source, err))
		return false;
	if (p->at_source.allowed &&
	    !db_budget_reserve(&c, &p->account, rq->now, &p->at_account, err))
		return false;
	*out = (struct login_attempt){p->at_account.allowed,
				      p}; /* none where the source has none */
	return true;
}

bool
login_attempt_good(struct request *rq, const struct login_attempt *attempt, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct db_budget_pair *p = attempt->reserved;

	return db_budget_give_back(&c, &p->account, &p->at_account, err) &&
	       db_budget_give_back(&c, &p->source, &p->at_source, err);
}

bool
login_refused(struct request *rq, const struct subject_id *subject, const char *method,
	      const char *why, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_audit audit = {
		.event = AUDIT_LOGIN_REFUSED,
		.ref = rq->ref,
		.subject = subject,
		.details = audit_details(rq->a, "method", method, "why", why, NULL),
	};

	return db_audit_add(&c, &audit, rq->now, err);
}
