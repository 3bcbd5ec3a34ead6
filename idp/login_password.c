/*
 * Login with name and password.  A name that is no account costs the same work
 * and gets the same page: a hash is computed, the signer is asked, the attempt
 * is counted (DESIGN: no enumeration by text or timing).
 */
#include "idp/login.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "idp/audit.h"
#include "idp/home.h"
#include "idp/lane.h"
#include "idp/password.h"
#include "idp/show.h"
#include "keys/sign.h"

#define METHOD "password"

static const struct form_field fields[] = {
	{"login_name", NULL, "username", FORM_TEXT, FORM_PLAIN, LOGIN_NAME_MAX_BYTES, 0},
	{"password", NULL, "current-password", FORM_PASSWORD, 0, KDF_PASSWORD_MAX, 0},
};

/* ---- whom the portal expects ---- */

#define HINT_LABEL "login hint"

bool
login_hint_seal(struct request *rq, const char *text, const char **out, struct err *err)
{
	const struct key *k = keyring_active(rq->snap->keyring, KEY_SEAL, KEY_SECRET);
	struct bytes sealed;
	const char *name;

	*out = NULL;
	if (text == NULL || !account_login_name(rq->a, text, &name, NULL))
		return true;
	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active seal key");
	if (!signer_seal(rq->app->signer, rq->a, k->row.kid, bytes_of(HINT_LABEL), bytes_of(name),
			 &sealed, err))
		return false;
	*out = enc_base64url(rq->a, sealed);
	return true;
}

/* It is shown whether such an account exists or not. */
static bool
fill_in_hint(struct flow *f, struct form *form, struct err *err)
{
	struct request *rq = f->rq;
	struct bytes sealed, plain;
	const char *name;

	if (f->ask.login_hint == NULL)
		return true;
	if (!dec_base64url(rq->a, bytes_of(f->ask.login_hint), &sealed, err) ||
	    !signer_open(rq->app->signer, rq->a, bytes_of(HINT_LABEL), sealed, &plain, err) ||
	    /* second line: sealed as a login name */
	    !text_from_bytes(rq->a, plain, LOGIN_NAME_MAX_BYTES, "login hint", &name, err))
		return false;
	form_set(form, "login_name", name);
	return true;
}

bool
login_show_first(struct flow *f, struct form *form, const char *problem, struct response *rs,
		 struct err *err)
{
	json_t *vars = flow_vars(f, "/flow/password/", rs);

	if (form == NULL) {
		form = form_create(f->rq->a, fields, ARRAY_LEN(fields));
		if (!fill_in_hint(f, form, err))
			return false;
	}
	form_vars(f->rq->a, form, vars);
	json_put_str(f->rq->a, vars, "problem", problem);
	if (home_reach(f->rq, &f->ask) != LEVEL_NONE)
		json_put_str(f->rq->a, vars, "home_url", flow_path(f, "/flow/home/"));
	json_put_str(f->rq->a, vars, "register_url", flow_path(f, "/register/"));
	return show_page(f->rq, rs, 200, "login", vars, flow_path(f, "/flow/"), err);
}

/* What a password belongs to; credential NULL: nobody, or nothing that may be used. */
struct candidate {
	const struct db_subject *subject;
	const struct db_credential *credential;
};

static bool
candidate_find(struct request *rq, struct bytes lookup, struct candidate *out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct db_credential *list;
	struct subject_id id = subject_id_create();
	size_t n;

	if (!db_account_find(&c, lookup, &out->subject, err))
		return false;
	if (out->subject != NULL)
		id = out->subject->id;
	/* Asked for an unknown account too, so that both ways take as long. */
	if (!db_credential_list(&c, id, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (list[i].kind == DB_PASSWORD && !list[i].blocked)
			out->credential = &list[i];
	if (out->subject != NULL && out->subject->state != DB_ACTIVE)
		out->credential = NULL;
	return true;
}

/*
 * Settings rose since this password was stored: store it anew, unless it was changed
 * meanwhile.  Marks are over what is stored, so the browser gets one of the new record.
 */
static bool
rehash(struct request *rq, const struct candidate *who, const char *password,
       struct login_known *known, struct err *err)
{
	struct account_work w = account_work_of(rq);
	struct db_credential now = *who->credential;
	struct db_audit audit = {
		.event = AUDIT_MEANS_CHANGED,
		.ref = rq->ref,
		.subject = &who->subject->id,
		.details = audit_details(rq->a, "method", METHOD, "why", "rehash", NULL),
	};
	bool replaced;

	return password_hash(&w, rq->worker->memory, password, &now.secret, err) &&
	       db_credential_replace_secret(&w.db, now.id, who->credential->secret, now.secret,
					    &audit, rq->now, &replaced, err) &&
	       (!replaced || login_known_read(rq, DB_PASSWORD, &now, 1, known, err));
}

static bool
accept(struct request *rq, const struct candidate *who, const char *password,
       const struct login_attempt *attempt, struct login_checked *out, struct err *err)
{
	struct account_work w = account_work_of(rq);

	if (password_wants_rehash(&w, who->credential->secret) &&
	    !rehash(rq, who, password, &out->known, err))
		return false;
	if (!login_attempt_good(rq, attempt, err) ||
	    !db_credential_touch(&w.db, who->credential, rq->now, err))
		return false;
	out->right = true;
	out->subject = who->subject->id;
	out->level =
		level_min((enum level)who->credential->level, login_method_find(METHOD)->level);
	return true;
}

bool
login_password_check(struct request *rq, const char *login_name, const char *password,
		     struct login_checked *out, struct err *err)
{
	struct account_work w = account_work_of(rq);
	struct candidate who = {0};
	struct login_attempt attempt;
	struct bytes lookup;
	const char *name;
	bool right;

	*out = (struct login_checked){0};
	if (!account_login_name(rq->a, login_name, &name, NULL))
		name = "-"; /* no account has a name of one character */
	if (!account_lookup(&w, name, &lookup, err) || !candidate_find(rq, lookup, &who, err) ||
	    !login_known_read(rq, DB_PASSWORD, who.credential, who.credential != NULL, &out->known,
			      err) ||
	    !login_attempt_reserve(rq, METHOD, lookup, &out->known, &attempt, err))
		return false;
	out->slow = !attempt.allowed;
	if (out->slow)
		return login_refused(rq, NULL, METHOD, "too many attempts", err);
	if (!password_verify(&w, rq->worker->memory, password,
			     who.credential == NULL ? (struct bytes){0} : who.credential->secret,
			     &right, err))
		return false;
	if (right && who.credential != NULL) /* second line: no password is nobody's */
		return accept(rq, &who, password, &attempt, out, err);
	return login_refused(rq, who.subject == NULL ? NULL : &who.subject->id, METHOD,
			     who.subject == NULL ? "unknown name" : "wrong password", err);
}

static bool
judge(struct flow *f, struct form *form, struct response *rs, struct err *err)
{
	struct login_checked done;

	if (!login_password_check(f->rq, form_value(form, "login_name"),
				  form_value(form, "password"), &done, err))
		return false;
	if (!done.right)
		return login_show_first(f, form, done.slow ? "login_slow" : "login_wrong", rs, err);
	login_known_keep(f->rq, &done.known, rs);
	return flow_proved(f, done.subject, done.level, METHOD, rs, err);
}

bool
login_password_handle(struct request *rq, struct response *rs, struct err *err)
{
	struct flow *f;

	if (!login_take_form(rq, FLOW_EVENT_LOGIN, &f, rs, err))
		return false;
	if (f == NULL)
		return true;
	struct form *form = form_read(rq->a, fields, ARRAY_LEN(fields), &rq->form);

	if (!form_ok(form))
		return login_show_first(f, form, NULL, rs, err);
	return judge(f, form, rs, err);
}
