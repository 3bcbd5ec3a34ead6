/* The page of requests that wait; see ep_requests.h. */
#include "idp/ep_requests.h"

#include "base/enc.h"
#include "base/text.h"
#include "db/account.h"
#include "idp/account.h"
#include "idp/asking.h"
#include "idp/flow.h"
#include "idp/front_account.h"
#include "idp/front_polled.h"
#include "idp/session.h"
#include "idp/show.h"

void
ep_requests_lead(struct request *rq, struct response *rs, const char *notice)
{
	response_redirect(rs, notice == NULL
				      ? REQUESTS_PATH
				      : arena_printf(rq->a, REQUESTS_PATH "?notice=%s", notice));
}

/* The query is anybody's: only what we ourselves redirect with has a text. */
static const char *
known_notice(const char *name)
{
	static const char *const known[] = {"request_agreed", "request_denied", "request_gone",
					    "request_other"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (text_eq(name, known[i]))
			return known[i];
	return NULL;
}

/* What it asks; *person is whom the party knows by this pseudonym. */
static bool
ask_of(struct request *rq, const struct db_polled *polled, const struct party *p, struct ask *out,
       struct err *err)
{
	struct account_work w = account_work_of(rq);
	const struct db_subject *subject;
	const char *person;

	if (!db_account_load(&w.db, *polled->acting, &subject, err))
		return false;
	/* second line: it is the person of a session, which is found of an active account only */
	if (subject == NULL)
		return FAIL(err, ERR_DENIED, NULL, "no such account");
	return account_pseudonym(&w, subject, p->sector, NULL, &person, err) &&
	       front_polled_ask(rq, p, polled, person, out, err);
}

/* ---- the list ---- */

/* NULL: it is switched off, and its requests lead nowhere. */
static const struct party *
party_of(const struct request *rq, const struct db_polled *polled)
{
	const struct party *p = party_find(&rq->snap->parties, polled->party);

	return p == NULL || p->oidc == NULL ? NULL : p;
}

static bool
put_row(struct request *rq, const struct db_polled *polled, const struct party *p, json_t *list,
	struct err *err)
{
	json_t *row = json_new_object(rq->a);
	const char *message;
	struct ask ask;
	struct err why = {0};

	/* It asks for what is not there any more. */
	if (!ask_of(rq, polled, p, &ask, &why))
		return why.kind == ERR_INPUT || FAIL(err, why.kind, why.proto, "%s", why.text);
	if (!asking_open_message(rq, polled, &message, err))
		return false;
	json_put_str(rq->a, row, "request_id", enc_hex(rq->a, polled->handle));
	json_put_bool(rq->a, row, "first", json_array_size(list) == 0);
	json_put_str(rq->a, row, "request_portal", p->display_name);
	json_put_str(rq->a, row, "message", message);
	json_put_str(rq->a, row, "asked_at", show_time(rq->a, polled->created));
	json_put_str(rq->a, row, "until", show_time(rq->a, polled->expires));
	json_put_str(rq->a, row, "level", level_word(flow_wanted_level(&ask), LEVEL_VOCAB_SHORT));
	json_push(rq->a, list, row);
	return true;
}

bool
ep_requests_show(struct request *rq, struct response *rs, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	json_t *vars = json_new_object(rq->a), *list = json_new_array(rq->a);
	const struct db_polled *polled;
	const struct db_session *s;
	size_t n;

	if (!session_find(rq, &s, err))
		return false;
	if (s == NULL)
		return front_account_start_for(rq, REQUESTS_PATH, rs, err);
	if (!db_polled_list(&c, s->acting, rq->now, &polled, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct party *p = party_of(rq, &polled[i]);

		if (p != NULL && !put_row(rq, &polled[i], p, list, err))
			return false;
	}
	json_put(rq->a, vars, "requests", list);
	json_put_str(rq->a, vars, "account_url", "/account");
	json_put_str(rq->a, vars, "notice", known_notice(request_query(rq, "notice")));
	show_form_vars(rq, rs, vars, REQUESTS_PATH, "");
	return show_page(rq, rs, 200, "requests", vars, REQUESTS_PATH, err);
}

/* ---- the answer ---- */

/* The one that the form names, of this person; *out NULL: there is none, or none any more. */
static bool
find(struct request *rq, const struct db_session *s, const struct db_polled **out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const char *hex = request_form(rq, "request");
	struct bytes handle;

	*out = NULL;
	if (hex == NULL || !dec_hex(rq->a, bytes_of(hex), &handle, NULL))
		return true;
	return db_polled_find(&c, handle, DB_POLLED_CIBA, &s->acting, rq->now, out, err);
}

bool
ep_requests_act(struct request *rq, struct response *rs, struct err *err)
{
	const char *what = request_form(rq, "do");
	const struct db_polled *polled;
	const struct db_session *s;
	const struct party *p;
	struct ask ask;

	if (!session_find(rq, &s, err))
		return false;
	if (s == NULL) {
		ep_requests_lead(rq, rs, NULL);
		return true;
	}
	if (!find(rq, s, &polled, err))
		return false;
	p = polled == NULL ? NULL : party_of(rq, polled);
	if (p == NULL) {
		ep_requests_lead(rq, rs, "request_gone");
		return true;
	}
	if (text_eq(what, "deny"))
		return front_polled_deny(rq, p, DB_POLLED_CIBA, polled->handle, &s->acting, rs,
					 err);
	if (text_eq(what, "agree"))
		return ask_of(rq, polled, p, &ask, err) && flow_start(rq, &ask, true, rs, err);
	return FAIL(err, ERR_INPUT, NULL, "nothing to do");
}
