/*
 * The device grant's two ends (RFC 8628): the device gets two codes; a person types the short one
 * here, sees who asks, says that the device is theirs, and then logs in and agrees as ever.
 */
#include "idp/ep_device.h"

#include <string.h>

#include "base/rand.h"
#include "base/text.h"
#include "idp/access.h"
#include "idp/asking.h"
#include "idp/client_proof.h"
#include "idp/config.h"
#include "idp/flow.h"
#include "idp/form.h"
#include "idp/front_polled.h"
#include "idp/login.h"
#include "idp/show.h"
#include "oidc/authorize.h"
#include "oidc/details.h"
#include "oidc/error.h"
#include "oidc/token.h"

#define DEVICE_LIVES_S 600

/* 6.1: no vowels, so no words, and nothing that looks like another; 34 bits, and login_attempt's
 * budget for each source (5.1). */
#define LETTERS     "BCDFGHJKLMNPQRSTVWXZ"
#define N_LETTERS   8
#define GROUP       4
#define CODES_TRIED 4

/* ---- the device ---- */

static const char *
user_code_create(struct arena *a)
{
	char *code = arena_alloc(a, N_LETTERS + 1);

	for (size_t i = 0; i < N_LETTERS;) {
		unsigned char octet;

		rand_bytes(&octet, 1);
		if (octet < 256 / strlen(LETTERS) * strlen(LETTERS))
			code[i++] = LETTERS[octet % strlen(LETTERS)];
	}
	code[N_LETTERS] = '\0';
	return code;
}

/* As people read it: "WDJB-MJHT". */
static const char *
user_code_shown(struct arena *a, const char *code)
{
	return arena_printf(a, "%.*s-%s", GROUP, code, code + GROUP);
}

static bool
begin(struct request *rq, const struct party *p, const char **device_code, const char **user_code,
      struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_polled d = {
		.kind = DB_POLLED_DEVICE, .party = p->id, .expires = rq->now + DEVICE_LIVES_S};
	struct oidc_strs scopes, resources;
	json_t *details, *access;
	bool created = false;

	if (!oidc_authorize_scopes(rq->a, &rq->form, p->oidc, &scopes, err) ||
	    !oidc_authorize_resources(rq->a, &rq->form, p->oidc, &resources, err) ||
	    !oidc_details_parse(rq->a, &rq->form, &rq->snap->details, p->oidc, &details, err) ||
	    !access_ask(rq, p, resources, scopes, &access, err))
		return false;
	d.scope = oidc_scope_text(rq->a, scopes);
	d.resources = resources.n == 0 ? NULL : oidc_scope_text(rq->a, resources);
	for (int i = 0; i < CODES_TRIED && !created; i++) {
		*device_code = db_dated_create(rq->a, d.expires);
		*user_code = user_code_create(rq->a);
		d.handle = db_polled_typed(rq->a, *user_code);
		if (!asking_seal_details(rq, d.handle, details, &d.details, err) ||
		    !db_polled_create(&c, *device_code, &d, POLLED_PAUSE_S, rq->now, &created, err))
			return false;
	}
	return created || FAIL(err, ERR_UNAVAILABLE, NULL, "no code that nobody has");
}

bool
ep_device_authorization(struct request *rq, struct response *rs, struct err *err)
{
	const char *device_code = NULL, *user_code = NULL, *url;
	json_t *o = json_new_object(rq->a);
	struct oidc_client_proof proof;
	const struct party *p;

	if (!client_proof_demand(rq, &p, &proof, err))
		return false;
	if (!oidc_strs_have(p->oidc->grant_types, OIDC_GRANT_DEVICE))
		return FAIL(err, ERR_DENIED, OIDC_UNAUTHORIZED_CLIENT,
			    "a client that is not registered for devices");
	if (!begin(rq, p, &device_code, &user_code, err))
		return false;
	user_code = user_code_shown(rq->a, user_code);
	url = arena_printf(rq->a, "%s" DEVICE_PATH, rq->app->config->base_url);
	json_put_str(rq->a, o, "device_code", device_code);
	json_put_str(rq->a, o, "user_code", user_code);
	json_put_str(rq->a, o, "verification_uri", url);
	json_put_str(rq->a, o, "verification_uri_complete",
		     arena_printf(rq->a, "%s?user_code=%s", url, user_code));
	json_put_i64(rq->a, o, "expires_in", DEVICE_LIVES_S);
	json_put_i64(rq->a, o, "interval", POLLED_PAUSE_S);
	response_json(rs, 200, json_text(rq->a, o, false));
	return true;
}

/* ---- the person ---- */

static const struct form_field fields[] = {
	{"user_code", NULL, NULL, FORM_TEXT, FORM_HINT | FORM_PLAIN, 32, 0},
};

/* What was typed, in the one form that counts; NULL: none of ours. */
static const char *
user_code_read(struct arena *a, const char *typed)
{
	char *code = arena_alloc(a, N_LETTERS + 1);
	size_t n = 0;

	for (; *typed != '\0'; typed++) {
		char upper = *typed >= 'a' && *typed <= 'z' ? (char)(*typed - 'a' + 'A') : *typed;

		if (*typed == '-' || *typed == ' ')
			continue;
		if (strchr(LETTERS, upper) == NULL || n == N_LETTERS)
			return NULL;
		code[n++] = upper;
	}
	code[n] = '\0';
	return n == N_LETTERS ? code : NULL;
}

static bool
show_form(struct request *rq, struct form *form, const char *problem, struct response *rs,
	  struct err *err)
{
	json_t *vars = json_new_object(rq->a);

	form_vars(rq->a, form, vars);
	json_put_str(rq->a, vars, "problem", problem);
	show_form_vars(rq, rs, vars, DEVICE_PATH, "");
	return show_page(rq, rs, 200, "device", vars, DEVICE_PATH, err);
}

static bool
show_confirm(struct request *rq, const char *code, const struct party *p, struct response *rs,
	     struct err *err)
{
	json_t *vars = json_new_object(rq->a);

	json_put_str(rq->a, vars, "portal_name", p->display_name);
	json_put_str(rq->a, vars, "user_code", user_code_shown(rq->a, code));
	show_form_vars(rq, rs, vars, DEVICE_PATH, "");
	return show_page(rq, rs, 200, "device_confirm", vars, NULL, err);
}

/* A code that somebody typed or followed a link with, and what it leads to. */
struct typed {
	const char *code;
	const struct db_polled *device;
	const struct party *p; /* NULL: it leads to nothing */
	bool slow;             /* not looked at: too many attempts */
};

/* Each look is an attempt of this source; a right one does not count (RFC 8628 5.1). */
static bool
look(struct request *rq, const char *text, struct typed *out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct login_attempt attempt;
	struct bytes source;

	*out = (struct typed){.code = user_code_read(rq->a, text)};
	if (out->code == NULL)
		return true;
	if (!login_source(rq, &source, err) ||
	    !login_attempt_reserve(rq, "device", source, NULL, &attempt, err))
		return false;
	out->slow = !attempt.allowed;
	if (out->slow)
		return true;
	if (!db_polled_find(&c, db_polled_typed(rq->a, out->code), DB_POLLED_DEVICE, NULL, rq->now,
			    &out->device, err))
		return false;
	if (out->device == NULL)
		return true;
	out->p = party_find(&rq->snap->parties, out->device->party);
	if (out->p != NULL && out->p->oidc == NULL) /* second line: of a client by its proof */
		out->p = NULL;
	return login_attempt_good(rq, &attempt, err);
}

static bool
agree(struct request *rq, const struct typed *t, struct response *rs, struct err *err)
{
	struct ask ask;

	return front_polled_ask(rq, t->p, t->device, NULL, &ask, err) &&
	       flow_start(rq, &ask, true, rs, err);
}

bool
ep_device(struct request *rq, struct response *rs, struct err *err)
{
	bool post = rq->method == HTTP_POST;
	struct form *form = form_create(rq->a, fields, ARRAY_LEN(fields));
	const char *text = post ? request_form(rq, "user_code") : request_query(rq, "user_code");
	const char *what = post ? request_form(rq, "do") : NULL;
	struct typed t;

	if (text == NULL)
		return show_form(rq, form, NULL, rs, err);
	if (!look(rq, text, &t, err))
		return false;
	form_set(form, "user_code", text);
	if (t.slow)
		return show_form(rq, form, "login_slow", rs, err);
	if (t.p == NULL) {
		form_problem(form, "user_code", "user_code");
		return show_form(rq, form, NULL, rs, err);
	}
	if (text_eq(what, "agree"))
		return agree(rq, &t, rs, err);
	if (text_eq(what, "deny"))
		return front_polled_deny(rq, t.p, DB_POLLED_DEVICE, t.device->handle, NULL, rs,
					 err);
	return show_confirm(rq, t.code, t.p, rs, err);
}
