/* The person's own pages; see ep_account.h. */
#include "idp/ep_account.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "db/consent.h"
#include "db/polled.h"
#include "idp/access.h"
#include "idp/audit.h"
#include "idp/ep_requests.h"
#include "idp/flow.h"
#include "idp/front_account.h"
#include "idp/login.h"
#include "idp/logout.h"
#include "idp/show.h"

#define LANGUAGE_COOKIE_S ((int64_t)365 * 86400)
#define SESSIONS_SHOWN    100

/* ---- front page, login, language ---- */

static bool
person_name(struct request *rq, const struct db_session *s, const char **out, struct err *err)
{
	struct account_work w = account_work_of(rq);
	const struct db_subject *subject;
	struct held_list held = {0};

	if (!db_account_load(&w.db, s->acting, &subject, err) ||
	    (subject != NULL && !account_attributes(&w, subject, &held, err)))
		return false;
	*out = account_person_name(rq->a, held);
	return true;
}

bool
ep_start(struct request *rq, struct response *rs, struct err *err)
{
	json_t *vars = json_new_object(rq->a);
	const struct db_session *s;
	const char *name = NULL;

	if (!session_find(rq, &s, err) || (s != NULL && !person_name(rq, s, &name, err)))
		return false;
	json_put_str(rq->a, vars, "signed_in_as", name != NULL && *name == '\0' ? "-" : name);
	json_put_str(rq->a, vars, "account_url", "/account");
	json_put_str(rq->a, vars, "login_url", "/login");
	json_put_str(rq->a, vars, "register_url", "/register");
	return show_page(rq, rs, 200, "start", vars, "/", err);
}

bool
ep_login(struct request *rq, struct response *rs, struct err *err)
{
	enum level level = level_from_word(request_query(rq, "level"));

	return front_account_start(rq, level, NULL, rs, err);
}

/* A path of ours to go back to; anything else is the front page (no open redirect). */
static const char *
own_path(const char *to)
{
	if (to == NULL || to[0] != '/' || to[1] == '/' || !text_is_visible_ascii(to, 2000) ||
	    strchr(to, '\\') != NULL)
		return "/";
	return to;
}

bool
ep_language(struct request *rq, struct response *rs, struct err *err)
{
	if (strcmp(rq->path_tail, "de") != 0 && strcmp(rq->path_tail, "en") != 0)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no such language");
	response_cookie(rq, rs, "lang", rq->path_tail, LANGUAGE_COOKIE_S);
	response_redirect(rs, own_path(request_query(rq, "to")));
	return true;
}

/* ---- the account ---- */

static json_t *
attribute_rows(struct arena *a, struct held_list held)
{
	json_t *list = json_new_array(a);

	for (size_t i = 0; i < held.n; i++) {
		json_t *row = json_new_object(a);

		json_put_str(a, row, "name", held.p[i].at->name);
		json_put_str(a, row, "value", held.p[i].value);
		json_put_str(a, row, "source", held.p[i].source);
		json_put_str(a, row, "level", level_word(held.p[i].level, LEVEL_VOCAB_SHORT));
		json_push(a, list, row);
	}
	return list;
}

static json_t *
means_rows(struct arena *a, const struct db_credential *means, size_t n)
{
	json_t *list = json_new_array(a);

	for (size_t i = 0; i < n; i++) {
		json_t *row = json_new_object(a);

		json_put_str(a, row, "kind", login_method_of_kind(means[i].kind)->name);
		json_put_str(a, row, "level",
			     level_word((enum level)means[i].level, LEVEL_VOCAB_SHORT));
		json_put_str(a, row, "added_at", show_time(a, means[i].created));
		json_push(a, list, row);
	}
	return list;
}

static const char *
party_name(const struct request *rq, const char *id)
{
	const struct party *p = party_find(&rq->snap->parties, id);

	return p == NULL ? id : p->display_name;
}

static bool
session_rows(struct request *rq, const struct db_session *current, json_t *vars, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	json_t *list = json_new_array(rq->a);
	const struct db_session *s;
	size_t n;

	if (!db_session_list(&c, current->acting, SESSIONS_SHOWN + 1, rq->now, &s, &n, err))
		return false;
	for (size_t i = 0; i < n && i < SESSIONS_SHOWN; i++) {
		json_t *row = json_new_object(rq->a);
		enum level level = session_level(rq, &s[i]);

		if (level == LEVEL_NONE)
			continue;
		json_put_str(rq->a, row, "session_id", s[i].sid);
		json_put_str(rq->a, row, "started_at", show_time(rq->a, s[i].created));
		json_put_str(rq->a, row, "used_at", show_time(rq->a, s[i].last_used));
		json_put_str(rq->a, row, "level", level_word(level, LEVEL_VOCAB_SHORT));
		if (text_eq(s[i].sid, current->sid))
			json_put_bool(rq->a, row, "current", true);
		json_push(rq->a, list, row);
	}
	json_put(rq->a, vars, "sessions", list);
	json_put_bool(rq->a, vars, "sessions_more", n > SESSIONS_SHOWN);
	return true;
}

/* What a consent names: attributes, which the page has words for, and the rest in its own. */
static void
put_names(struct request *rq, const json_t *names, json_t *row)
{
	json_t *data = json_new_array(rq->a), *access = json_new_array(rq->a);

	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		const char *told = name == NULL ? NULL : access_told(rq, name);

		if (name == NULL) /* not written by us: the rest of the page is still theirs */
			continue;
		json_push_str(rq->a, told == NULL ? data : access, told == NULL ? name : told);
	}
	json_put(rq->a, row, "consent_attributes", data);
	json_put(rq->a, row, "consent_access", access);
}

static bool
consent_rows(struct request *rq, struct subject_id subject, json_t *vars, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	json_t *list = json_new_array(rq->a);
	const struct db_consent *consents;
	size_t n;

	if (!db_consent_list(&c, subject, &consents, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_new_object(rq->a);
		json_error_t why;
		json_t *names = json_loads(consents[i].attributes, JSON_REJECT_DUPLICATES, &why);

		if (names == NULL) /* second line: the column holds JSON */
			return FAIL(err, ERR_INTERNAL, NULL, "a stored consent does not parse");
		json_put_str(rq->a, row, "consent_id", consents[i].party);
		json_put_str(rq->a, row, "consent_portal", party_name(rq, consents[i].party));
		json_put_str(rq->a, row, "given_at", show_time(rq->a, consents[i].at));
		put_names(rq, json_keep(rq->a, names), row);
		json_push(rq->a, list, row);
	}
	json_put(rq->a, vars, "consents", list);
	return true;
}

/* What the person can do about a second means: only what is so. */
static bool
put_totp(struct request *rq, const struct db_session *s, const struct db_credential *means,
	 size_t n, json_t *vars, struct err *err)
{
	enum login_totp has;

	if (!login_totp_standing(rq, s->acting, session_level(rq, s), means, n, &has, err))
		return false;
	if (has == LOGIN_TOTP_MAY_ADD)
		json_put_str(rq->a, vars, "totp_enroll_url", "/login?level=substantial");
	json_put_bool(rq->a, vars, "totp_office", has == LOGIN_TOTP_OFFICE);
	return true;
}

/* Where portals wait for an answer, the way to them. */
static bool
put_requests(struct request *rq, struct subject_id who, json_t *vars, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct db_polled *polled;
	size_t n;

	if (!db_polled_list(&c, who, rq->now, &polled, &n, err))
		return false;
	if (n > 0)
		json_put_str(rq->a, vars, "requests_url", REQUESTS_PATH);
	return true;
}

/* A form of another route than the page's own has its own token. */
static json_t *
logout_form(struct request *rq, struct response *rs)
{
	json_t *form = json_new_object(rq->a);

	show_form_vars(rq, rs, form, "/logout", "");
	return form;
}

/* The query is anybody's: only what we ourselves redirect with has a text. */
static const char *
known_notice(const char *name)
{
	static const char *const known[] = {"session_ended", "consent_withdrawn"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (text_eq(name, known[i]))
			return known[i];
	return NULL;
}

static bool
show_account(struct request *rq, const struct db_session *s, struct response *rs, struct err *err)
{
	struct account_work w = account_work_of(rq);
	json_t *vars = json_new_object(rq->a);
	const struct db_subject *subject;
	const struct db_credential *means;
	struct held_list held;
	size_t n;

	if (!db_account_load(&w.db, s->acting, &subject, err))
		return false;
	/* second line: a session is found of an active account only */
	if (subject == NULL || subject->state != DB_ACTIVE)
		return FAIL(err, ERR_DENIED, NULL, "the account is not active");
	if (!account_attributes(&w, subject, &held, err) ||
	    !db_credential_list(&w.db, subject->id, &means, &n, err) ||
	    !put_totp(rq, s, means, n, vars, err) || !session_rows(rq, s, vars, err) ||
	    !consent_rows(rq, subject->id, vars, err))
		return false;
	enum level *levels = ARENA_ARRAY(rq->a, enum level, n + 1);

	for (size_t i = 0; i < n; i++)
		levels[i] = (enum level)means[i].level;
	json_put_str(rq->a, vars, "account_level",
		     level_word(level_account_max(levels, n), LEVEL_VOCAB_SHORT));
	json_put(rq->a, vars, "attributes", attribute_rows(rq->a, held));
	json_put(rq->a, vars, "means", means_rows(rq->a, means, n));
	json_put(rq->a, vars, "logout", logout_form(rq, rs));
	if (!put_requests(rq, subject->id, vars, err))
		return false;
	json_put_str(rq->a, vars, "notice", known_notice(request_query(rq, "notice")));
	show_form_vars(rq, rs, vars, "/account", "");
	return show_page(rq, rs, 200, "account", vars, "/account", err);
}

bool
ep_account_show(struct request *rq, struct response *rs, struct err *err)
{
	const struct db_session *s;

	if (!session_find(rq, &s, err))
		return false;
	return s == NULL ? front_account_start(rq, LEVEL_NONE, NULL, rs, err)
			 : show_account(rq, s, rs, err);
}

/* Ends another session of the same person; one that is somebody else's does not exist here. */
static bool
end_other(struct request *rq, const struct db_session *current, const char *sid, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct db_session *s = NULL;
	struct db_audit audit = session_end_audit(rq, current, "ended by its owner");

	if (sid == NULL || !db_session_load(&c, sid, rq->now, &s, err))
		return sid == NULL && FAIL(err, ERR_INPUT, NULL, "no session named");
	if (s == NULL || !subject_id_eq(s->acting, current->acting))
		return FAIL(err, ERR_NOT_FOUND, NULL, "no such session of this person");
	return logout_quietly(rq, sid, &audit, err);
}

static bool
withdraw(struct request *rq, const struct db_session *s, const char *party, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_audit audit = {
		.event = AUDIT_CONSENT_WITHDRAWN,
		.ref = rq->ref,
		.subject = &s->acting,
		.party = party,
	};

	if (party == NULL)
		return FAIL(err, ERR_INPUT, NULL, "no consent named");
	return db_consent_withdraw(&c, s->acting, s->represented, party, &audit, rq->now, err);
}

bool
ep_account_act(struct request *rq, struct response *rs, struct err *err)
{
	const char *what = request_form(rq, "do");
	const struct db_session *s;

	if (!session_find(rq, &s, err))
		return false;
	if (s == NULL) {
		response_redirect(rs, "/account");
		return true;
	}
	if (text_eq(what, "end_session")) {
		response_redirect(rs, "/account?notice=session_ended");
		return end_other(rq, s, request_form(rq, "session"), err);
	}
	if (text_eq(what, "withdraw")) {
		response_redirect(rs, "/account?notice=consent_withdrawn");
		return withdraw(rq, s, request_form(rq, "consent"), err);
	}
	return FAIL(err, ERR_INPUT, NULL, "nothing to do");
}
