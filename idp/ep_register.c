/*
 * Registration: what a person enters about itself stays at the lowest level
 * (TR-03160-1 2.5); the password is the first means.  Nothing is kept unless the
 * whole account is made, in one transaction.
 */
#include "idp/ep_register.h"

#include <string.h>

#include "base/text.h"
#include "idp/audit.h"
#include "idp/flow.h"
#include "idp/form.h"
#include "idp/front_account.h"
#include "idp/lane.h"
#include "idp/login.h"
#include "idp/password.h"
#include "idp/show.h"
#include "keys/sign.h"

#define ROUTE  "/register/"
#define METHOD "register"

#define OPT    FORM_OPTIONAL

/* Fields named as attributes become attributes; the other three make the access. */
static const struct form_field fields[] = {
	{"given_names", "person", "given-name", FORM_TEXT, FORM_HINT, 200, 0},
	{"family_name", "person", "family-name", FORM_TEXT, FORM_HINT, 200, 0},
	{"birth_name", "person", "off", FORM_TEXT, OPT | FORM_HINT, 200, 0},
	{"birth_date", "person", NULL, FORM_DATE, FORM_HINT, 10, 0},
	{"birth_place", "person", "off", FORM_TEXT, OPT, 200, 0},
	{"street_address", "address", "street-address", FORM_TEXT, OPT, 200, 0},
	{"postal_code", "address", "postal-code", FORM_TEXT, OPT | FORM_PLAIN, 10, 0},
	{"locality", "address", "address-level2", FORM_TEXT, OPT, 200, 0},
	{"country", "address", "country", FORM_TEXT, OPT | FORM_HINT | FORM_PLAIN, 2, 0},
	{"email", "address", "email", FORM_EMAIL, OPT | FORM_HINT, 254, 0},
	{"login_name", "access", "username", FORM_TEXT, FORM_HINT | FORM_PLAIN,
	 LOGIN_NAME_MAX_BYTES, 0},
	{"new_password", "access", "new-password", FORM_PASSWORD, FORM_HINT, KDF_PASSWORD_MAX,
	 PASSWORD_MIN_CHARS},
	{"password_repeat", "access", "new-password", FORM_PASSWORD, 0, KDF_PASSWORD_MAX, 0},
	{"store_consent", "access", NULL, FORM_CHECK, FORM_HINT, 1, 0},
};

static bool
show(struct flow *f, struct form *form, const char *problem, struct response *rs, struct err *err)
{
	json_t *vars = flow_vars(f, ROUTE, rs);

	form_vars(f->rq->a, form, vars);
	json_put_str(f->rq->a, vars, "problem", problem);
	json_put_str(f->rq->a, vars, "login_url", flow_path(f, "/flow/"));
	/* What was typed would be lost by a link to another language. */
	return show_page(f->rq, rs, 200, "register", vars,
			 f->rq->method == HTTP_GET ? flow_path(f, ROUTE) : NULL, err);
}

/* ---- judging what was entered ---- */

static void
check_attributes(struct form *form)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct attribute *at = attribute_by_name(fields[i].name);
		const char *value = at == NULL ? "" : form_value(form, at->name);

		if (*value != '\0' && !attribute_check_value(at, value, NULL))
			form_problem(form, at->name,
				     at->shape == ATTRIBUTE_EMAIL      ? "email"
				     : at->shape == ATTRIBUTE_POSTCODE ? "postal_code"
								       : "form");
	}
}

static void
check_password(struct form *form)
{
	const char *hints[] = {form_value(form, "given_names"), form_value(form, "family_name"),
			       form_value(form, "login_name"), "servicekonto", NULL};
	const char *password = form_value(form, "new_password");
	const char *problem = password_problem(password, hints);

	if (problem != NULL)
		form_problem(form, "new_password", problem);
	if (strcmp(password, form_value(form, "password_repeat")) != 0)
		form_problem(form, "password_repeat", "password_mismatch");
}

/* ---- making the account ---- */

static size_t
entered(struct flow *f, struct form *form, struct held *held)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct attribute *at = attribute_by_name(fields[i].name);
		const char *value = at == NULL ? "" : form_value(form, at->name);

		if (*value != '\0')
			held[n++] = (struct held){.at = at,
						  .value = arena_strdup(f->rq->a, value),
						  .level = LEVEL_BASIC,
						  .source = "self"};
	}
	return n;
}

/* *taken: somebody has this login name. */
static bool
make(struct flow *f, struct form *form, const char *login_name, struct subject_id *id, bool *taken,
     struct err *err)
{
	struct account_work w = account_work_of(f->rq);
	struct held held[ARRAY_LEN(fields)];
	struct account_person person = {
		.login_name = login_name,
		.password = form_value(form, "new_password"),
		.held = held,
		.n = entered(f, form, held),
	};
	struct err why = {0};

	*taken = false;
	if (account_create(&w, f->rq->worker->memory, &person, id, &why))
		return true;
	*taken = why.kind == ERR_CONFLICT;
	return *taken || FAIL(err, why.kind, why.proto, "%s", why.text);
}

static bool
judge(struct flow *f, struct form *form, struct response *rs, struct err *err)
{
	struct login_attempt attempt;
	struct subject_id id;
	struct bytes source;
	const char *name = NULL;
	bool taken;

	check_attributes(form);
	check_password(form);
	if (!account_login_name(f->rq->a, form_value(form, "login_name"), &name, NULL))
		form_problem(form, "login_name", "login_name");
	if (!form_ok(form))
		return show(f, form, NULL, rs, err);
	/* Making accounts costs an attempt per source, so that names cannot be tried out in bulk.
	 */
	if (!login_source(f->rq, &source, err) ||
	    !login_attempt_reserve(f->rq, METHOD, source, NULL, &attempt, err))
		return false;
	if (!attempt.allowed)
		return show(f, form, "login_slow", rs, err);
	if (!make(f, form, name, &id, &taken, err))
		return false;
	if (taken) {
		form_problem(form, "login_name", "login_name_taken");
		return show(f, form, NULL, rs, err);
	}
	return flow_proved(f, id, login_method_find("password")->level, "password", rs, err);
}

bool
ep_register_start(struct request *rq, struct response *rs, struct err *err)
{
	return front_account_start(rq, LEVEL_NONE, "register", rs, err);
}

bool
ep_register_show(struct request *rq, struct response *rs, struct err *err)
{
	struct flow *f;

	if (!flow_load(rq, rs, &f, err))
		return false;
	if (f == NULL || !flow_take_event(f, FLOW_EVENT_LOGIN, rs))
		return true;
	struct form *form = form_create(rq->a, fields, ARRAY_LEN(fields));

	form_set(form, "country", "DE");
	return show(f, form, NULL, rs, err);
}

bool
ep_register_make(struct request *rq, struct response *rs, struct err *err)
{
	struct flow *f;

	if (!login_take_form(rq, FLOW_EVENT_LOGIN, &f, rs, err))
		return false;
	if (f == NULL)
		return true;
	return judge(f, form_read(rq->a, fields, ARRAY_LEN(fields), &rq->form), rs, err);
}
