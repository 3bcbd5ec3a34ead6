/*
 * The second means: a one-time code from an app.  Who has none yet sets one up
 * on the way (TR-03160-1 4.1: a means may be registered in a session at the
 * account's best level) and proves it in the same session.
 */
#include "idp/login.h"

#include <string.h>

#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/attribute.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/flow_judge.h"
#include "idp/qr.h"
#include "idp/show.h"
#include "idp/totp.h"
#include "keys/sign.h"

#define METHOD "totp"

static const struct form_field fields[] = {
	{"code", NULL, "one-time-code", FORM_CODE, FORM_HINT, 20, 0},
};

/* ---- means of the account ---- */

struct means {
	const struct db_credential *p;
	size_t n;
};

static bool
means_load(struct flow *f, struct means *out, struct err *err)
{
	struct db_call c = {f->rq->app->db, f->rq->a, f->rq->deadline_us};

	return db_credential_list(&c, f->session->acting, &out->p, &out->n, err);
}

static bool
has_totp(const struct means *means)
{
	for (size_t i = 0; i < means->n; i++)
		if (means->p[i].kind == DB_TOTP && !means->p[i].blocked)
			return true;
	return false;
}

/*
 * TR-03160-1 4.1, and one thing more: where an office has vouched for more than
 * this session proves, a password alone must not open it; the office adds the
 * means (kontor account totp).
 */
static bool
may_add(struct request *rq, struct subject_id subject, enum level session,
	const struct means *means, bool *may, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	enum level *levels = ARENA_ARRAY(rq->a, enum level, means->n + 1);
	const struct db_attribute *rows;
	size_t n;

	if (!db_attribute_load(&c, subject, &rows, &n, err))
		return false;
	/* A blocked one counts: it is not replaced by who has lost it, or found it. */
	for (size_t i = 0; i < means->n; i++)
		levels[i] = (enum level)means->p[i].level;
	*may = level_may_register(login_method_find(METHOD)->level, session,
				  level_account_max(levels, means->n));
	for (size_t i = 0; i < n; i++)
		*may = *may && (enum level)rows[i].level <= session;
	return true;
}

bool
login_totp_standing(struct request *rq, struct subject_id subject, enum level session,
		    const struct db_credential *means, size_t n, enum login_totp *out,
		    struct err *err)
{
	const struct means all = {means, n};
	bool may = false;

	*out = LOGIN_TOTP_THERE;
	if (has_totp(&all))
		return true;
	if (!may_add(rq, subject, session, &all, &may, err))
		return false;
	*out = may ? LOGIN_TOTP_MAY_ADD : LOGIN_TOTP_OFFICE;
	return true;
}

/* The same of this flow's person. */
static bool
standing(struct flow *f, struct means *means, enum login_totp *out, struct err *err)
{
	return means_load(f, means, err) && login_totp_standing(f->rq, f->session->acting, f->level,
								means->p, means->n, out, err);
}

/* The seed of one credential is sealed for that credential alone. */
static struct bytes
seal_label(struct arena *a, const unsigned char id[16])
{
	return bytes_of(arena_printf(a, "totp:%s", enc_hex(a, (struct bytes){id, 16})));
}

static bool
seal_seed(const struct account_work *w, const unsigned char id[16], struct bytes seed,
	  struct bytes *sealed, struct err *err)
{
	const struct key *k = keyring_active(w->keyring, KEY_SEAL, KEY_SECRET);

	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active seal key");
	return signer_seal(w->signer, w->a, k->row.kid, seal_label(w->a, id), seed, sealed, err);
}

/*
 * ---- setting up: the seed waits, sealed, in the flow's progress ----
 * For one person: who logs in later in the same browser must not take over an
 * app that somebody else has seen the seed of.
 */

struct enrollment {
	unsigned char id[16]; /* of the credential to be */
	struct bytes secret, sealed;
};

static const char *
acting_text(const struct flow *f)
{
	return enc_hex(f->rq->a, (struct bytes){f->session->acting.octets,
						sizeof(f->session->acting.octets)});
}

static bool
enrollment_new(struct flow *f, struct enrollment *out, struct err *err)
{
	struct account_work w = account_work_of(f->rq);
	unsigned char *secret = arena_alloc(f->rq->a, TOTP_SECRET_BYTES);

	rand_bytes(out->id, sizeof(out->id));
	rand_bytes(secret, TOTP_SECRET_BYTES);
	out->secret = (struct bytes){secret, TOTP_SECRET_BYTES};
	if (!seal_seed(&w, out->id, out->secret, &out->sealed, err))
		return false;
	json_t *progress = flow_progress(f);

	json_put_str(f->rq->a, progress, "totp_id",
		     enc_hex(f->rq->a, (struct bytes){out->id, sizeof(out->id)}));
	json_put_str(f->rq->a, progress, "totp_seed", enc_base64url(f->rq->a, out->sealed));
	json_put_str(f->rq->a, progress, "totp_for", acting_text(f));
	return flow_keep(f, progress, err);
}

/* *found false: none waits for this person. */
static bool
enrollment_read(struct flow *f, struct enrollment *out, bool *found, struct err *err)
{
	const json_t *progress = flow_progress(f);
	const char *id_text = NULL, *seed = NULL, *whose = NULL;
	struct bytes id;

	*found = false;
	if (!json_get_str(progress, "totp_id", &id_text, err) ||
	    !json_get_str(progress, "totp_seed", &seed, err) ||
	    !json_get_str(progress, "totp_for", &whose, err))
		return false;
	if (id_text == NULL || seed == NULL || !text_eq(whose, acting_text(f)))
		return true;
	if (!dec_hex(f->rq->a, bytes_of(id_text), &id, err) ||
	    !dec_base64url(f->rq->a, bytes_of(seed), &out->sealed, err))
		return false;
	if (id.n != sizeof(out->id))
		return FAIL(err, ERR_INTERNAL, NULL, "progress: no credential id");
	memcpy(out->id, id.p, id.n);
	*found = true;
	return signer_open(f->rq->app->signer, f->rq->a, seal_label(f->rq->a, out->id), out->sealed,
			   &out->secret, err);
}

static json_t *
groups_of_four(struct arena *a, const char *text)
{
	json_t *groups = json_new_array(a);

	for (size_t n = strlen(text), i = 0; i < n; i += 4)
		json_push_str(a, groups, arena_strndup(a, text + i, n - i < 4 ? n - i : 4));
	return groups;
}

static bool
show_enroll(struct flow *f, struct form *form, const struct enrollment *e, struct response *rs,
	    struct err *err)
{
	json_t *vars = flow_vars(f, "/flow/enroll/", rs);
	const char *text, *path;
	size_t size;

	if (!totp_secret_text(f->rq->a, e->secret, &text, err) ||
	    !qr_path(f->rq->a, totp_uri(f->rq->a, f->rq->app->config->site_name, text), &size,
		     &path, err))
		return false;
	form_vars(f->rq->a, form, vars);
	json_put_i64(f->rq->a, vars, "qr_size", (int64_t)size);
	json_put_str(f->rq->a, vars, "qr_path", path);
	json_put(f->rq->a, vars, "secret_groups", groups_of_four(f->rq->a, text));
	return show_page(f->rq, rs, 200, "totp_enroll", vars, flow_path(f, "/flow/"), err);
}

static bool
show_code(struct flow *f, struct form *form, const char *problem, struct response *rs,
	  struct err *err)
{
	json_t *vars = flow_vars(f, "/flow/totp/", rs);

	form_vars(f->rq->a, form, vars);
	json_put_str(f->rq->a, vars, "problem", problem);
	return show_page(f->rq, rs, 200, "totp", vars, flow_path(f, "/flow/"), err);
}

/* Nothing to enter, only the way back to the portal. */
static bool
show_office(struct flow *f, struct response *rs, struct err *err)
{
	json_t *vars = flow_vars(f, "/flow/totp/", rs);

	return show_page(f->rq, rs, 200, "totp_office", vars, flow_path(f, "/flow/"), err);
}

bool
login_show_step_up(struct flow *f, struct response *rs, struct err *err)
{
	struct form *form = form_create(f->rq->a, fields, ARRAY_LEN(fields));
	struct enrollment e = {0};
	enum login_totp has;
	struct means means;
	bool found;

	if (!standing(f, &means, &has, err))
		return false;
	if (has == LOGIN_TOTP_THERE)
		return show_code(f, form, NULL, rs, err);
	if (has == LOGIN_TOTP_OFFICE)
		return show_office(f, rs, err);
	if (!enrollment_read(f, &e, &found, err))
		return false;
	if (!found && !enrollment_new(f, &e, err))
		return false;
	return show_enroll(f, form, &e, rs, err);
}

/* ---- judging a code ---- */

static struct bytes
attempt_key(struct flow *f)
{
	return arena_bytes(f->rq->a, (struct bytes){f->session->acting.octets,
						    sizeof(f->session->acting.octets)});
}

/* Which credential the code belongs to; *hit NULL: none, or its step was used before. */
static bool
match_code(struct flow *f, const struct means *means, const char *code,
	   const struct db_credential **hit, struct err *err)
{
	struct db_call c = {f->rq->app->db, f->rq->a, f->rq->deadline_us};

	*hit = NULL;
	for (size_t i = 0; i < means->n && *hit == NULL; i++) {
		const struct db_credential *m = &means->p[i];
		struct bytes secret;
		int64_t step;
		bool accepted = false;

		if (m->kind != DB_TOTP || m->blocked)
			continue;
		if (!signer_open(f->rq->app->signer, f->rq->a, seal_label(f->rq->a, m->id),
				 m->secret, &secret, err) ||
		    !totp_match(secret, code, f->rq->now, &step, err))
			return false;
		if (step != 0 &&
		    !db_credential_totp_step(&c, m->id, step, f->rq->now, &accepted, err))
			return false;
		if (accepted)
			*hit = m;
	}
	return true;
}

static bool
judge(struct flow *f, struct form *form, struct response *rs, struct err *err)
{
	struct request *rq = f->rq;
	struct login_attempt attempt;
	struct login_known known;
	const struct db_credential *hit;
	struct means means;

	if (!means_load(f, &means, err))
		return false;
	if (!has_totp(&means))
		return flow_lead_on(f, rs);
	/* Only a code makes it known: who has the password alone could have any number of marks. */
	if (!login_known_read(rq, DB_TOTP, means.p, means.n, &known, err) ||
	    !login_attempt_reserve(rq, METHOD, attempt_key(f), &known, &attempt, err))
		return false;
	if (!attempt.allowed)
		return login_refused(rq, &f->session->acting, METHOD, "too many attempts", err) &&
		       show_code(f, form, "login_slow", rs, err);
	if (!match_code(f, &means, form_value(form, "code"), &hit, err))
		return false;
	if (hit == NULL)
		return login_refused(rq, &f->session->acting, METHOD, "wrong or used code", err) &&
		       show_code(f, form, "code_wrong", rs, err);
	login_known_keep(rq, &known, rs);
	return login_attempt_good(rq, &attempt, err) &&
	       flow_proved(f, f->session->acting,
			   level_min((enum level)hit->level, login_method_find(METHOD)->level),
			   METHOD, rs, err);
}

/* The means as a row; the step of a first code that was shown is used up. */
static bool
add_means(const struct account_work *w, struct subject_id subject, const unsigned char id[16],
	  struct bytes sealed, int64_t step, struct err *err)
{
	struct db_credential m = {
		.subject = subject,
		.kind = DB_TOTP,
		.level = (int)login_method_find(METHOD)->level,
		.secret = sealed,
		.last_step = step,
	};
	struct db_audit audit = {
		.event = AUDIT_MEANS_ADDED,
		.ref = w->ref,
		.subject = &subject,
		.details = audit_details(w->a, "method", METHOD, NULL),
	};

	memcpy(m.id, id, sizeof(m.id));
	return db_credential_add(&w->db, &m, &audit, w->now, err);
}

bool
login_totp_add(const struct account_work *w, struct subject_id subject, struct bytes seed,
	       struct err *err)
{
	unsigned char id[16];
	struct bytes sealed;

	rand_bytes(id, sizeof(id));
	return seal_seed(w, id, seed, &sealed, err) && add_means(w, subject, id, sealed, 0, err);
}

static bool
judge_enrollment(struct flow *f, struct form *form, struct response *rs, struct err *err)
{
	struct enrollment e = {0};
	enum login_totp has;
	struct means means;
	int64_t step;
	bool found;

	if (!standing(f, &means, &has, err) || !enrollment_read(f, &e, &found, err))
		return false;
	if (!found || has != LOGIN_TOTP_MAY_ADD)
		return flow_lead_on(f, rs);
	if (!totp_match(e.secret, form_value(form, "code"), f->rq->now, &step, err))
		return false;
	if (step == 0) {
		form_problem(form, "code", "code_wrong");
		return show_enroll(f, form, &e, rs, err);
	}
	struct account_work w = account_work_of(f->rq);

	return add_means(&w, f->session->acting, e.id, e.sealed, step, err) &&
	       flow_proved(f, f->session->acting, login_method_find(METHOD)->level, METHOD, rs,
			   err);
}

/* ---- the forms ---- */

typedef bool (*judge_fn)(struct flow *f, struct form *form, struct response *rs, struct err *err);

static bool
handle(struct request *rq, judge_fn good, judge_fn bad, struct response *rs, struct err *err)
{
	struct flow *f;

	if (!login_take_form(rq, FLOW_EVENT_STEP_UP, &f, rs, err))
		return false;
	if (f == NULL)
		return true;
	struct form *form = form_read(rq->a, fields, ARRAY_LEN(fields), &rq->form);

	return form_ok(form) ? good(f, form, rs, err) : bad(f, form, rs, err);
}

static bool
misread_code(struct flow *f, struct form *form, struct response *rs, struct err *err)
{
	return show_code(f, form, NULL, rs, err);
}

static bool
misread_enrollment(struct flow *f, struct form *form, struct response *rs, struct err *err)
{
	struct enrollment e = {0};
	bool found;

	if (!enrollment_read(f, &e, &found, err))
		return false;
	return found ? show_enroll(f, form, &e, rs, err) : flow_lead_on(f, rs);
}

bool
login_totp_handle(struct request *rq, struct response *rs, struct err *err)
{
	return handle(rq, judge, misread_code, rs, err);
}

bool
login_totp_enroll_handle(struct request *rq, struct response *rs, struct err *err)
{
	return handle(rq, judge_enrollment, misread_enrollment, rs, err);
}
