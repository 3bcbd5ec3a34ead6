/* Error answers; see problem.h. */
#include "idp/problem.h"

#include <string.h>

#include "base/json.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/config.h"
#include "idp/page.h"

/* RFC 6749 5.2, RFC 6750 3.1: names that have a status and a challenge of their own. */
static const struct {
	const char *proto;
	int status;
	const char *challenge;
} named[] = {
	{"invalid_client", 401, "Basic realm=\"client\""},
	{"invalid_token", 401, "Bearer error=\"invalid_token\""},
	{"token_missing", 401, "Bearer"}, /* RFC 6750 3.1: without an error code */
	{"insufficient_scope", 403, "Bearer error=\"insufficient_scope\""},
};

/*
 * By status: the name a program gets when the failure had none, the texts
 * error_title.PAGE and error_text.PAGE for people, and plain words for when
 * there are no pages.
 */
static const struct {
	int status;
	const char *proto, *page, *plain;
} kinds[] = {
	{400, "invalid_request", "input", "The request was malformed."},
	{403, "access_denied", "denied", "This is not allowed."},
	{404, "not_found", "not_found", "There is no such page."},
	{405, "invalid_request", "method", "This page cannot be called in this way."},
	{409, "invalid_request", "conflict", "This has been done already."},
	{413, "invalid_request", "input", "The request is too large."},
	{414, "invalid_request", "input", "The address is too long."},
	{415, "invalid_request", "input", "This kind of content is not accepted."},
	{421, "invalid_request", "not_found", "The service does not answer under this name."},
	{429, "temporarily_unavailable", "too_many", "Too many requests. Try again in a moment."},
	{500, "server_error", "internal", "Something went wrong here."},
	{503, "temporarily_unavailable", "unavailable",
	 "The service is busy. Try again in a moment."},
};

static size_t
kind_index(int status)
{
	size_t i = 0;

	while (i < ARRAY_LEN(kinds) && kinds[i].status != status)
		i++;
	return i < ARRAY_LEN(kinds) ? i : 0;
}

static int
status_of(const struct err *err, bool machine)
{
	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		if (machine && text_eq(err->proto, named[i].proto))
			return named[i].status;
	switch (err->kind) {
	case ERR_INPUT:
		return 400;
	case ERR_DENIED:
		return machine ? 400 : 403;
	case ERR_NOT_FOUND:
		return machine ? 400 : 404;
	case ERR_CONFLICT:
		return machine ? 400 : 409;
	case ERR_UNAVAILABLE:
		return 503;
	case ERR_NONE:
	case ERR_INTERNAL:
		break;
	}
	return 500;
}

struct problem
problem_of(const struct err *err, bool machine)
{
	struct problem p = {.status = status_of(err, machine), .machine = machine};

	/* The names of faults of ours say nothing to the other side. */
	if (p.status < 500)
		p.proto = err->proto;
	return p;
}

static void
answer_json(struct arena *a, const struct problem *p, struct response *rs)
{
	size_t i = kind_index(p->status);
	const char *proto = p->proto != NULL ? p->proto : kinds[i].proto;
	json_t *o = json_new_object(a);

	json_put_str(a, o, "error", proto);
	json_put_str(a, o, "error_description",
		     arena_printf(a, "%s Reference: %s", kinds[i].plain, p->ref));
	response_json(rs, p->status, json_text(a, o, false));
	for (size_t n = 0; n < ARRAY_LEN(named); n++)
		if (p->status == named[n].status && text_eq(proto, named[n].proto))
			response_header(rs, "WWW-Authenticate", named[n].challenge);
}

/* A failure may name texts of its own ("portal_unknown"), else those of its status count. */
static const char *
page_error(const struct app *app, struct arena *a, const struct problem *p)
{
	const char *key = arena_printf(a, "error_title.%s", p->proto == NULL ? "" : p->proto);

	if (p->proto != NULL && strcmp(page_text(app->pages, p->lang, key), key) != 0)
		return p->proto;
	return kinds[kind_index(p->status)].page;
}

static bool
answer_page(const struct app *app, struct arena *a, const struct problem *p, struct response *rs)
{
	json_t *vars = json_new_object(a);
	struct bytes html;

	if (app->pages == NULL)
		return false;
	json_put_str(a, vars, "error", page_error(app, a, p));
	json_put_str(a, vars, "ref", p->ref);
	json_put_str(a, vars, "site_name", app->config->site_name);
	json_put(a, vars, "languages", json_new_array(a));
	if (!page_render(a, app->pages, "error", p->lang, vars, &html, NULL))
		return false;
	response_html(rs, p->status, html);
	return true;
}

void
problem_answer(const struct app *app, struct arena *a, const struct problem *p, struct response *rs)
{
	unsigned char jitter;

	*rs = (struct response){0};
	if (p->machine)
		answer_json(a, p, rs);
	else if (!answer_page(app, a, p, rs))
		response_text(rs, p->status,
			      arena_printf(a, "%s\nReference: %s\n",
					   kinds[kind_index(p->status)].plain, p->ref));
	if (p->status != 503 && p->status != 429)
		return;
	/* Spread, so that those refused together do not come back together. */
	rand_bytes(&jitter, 1);
	response_header(rs, "Retry-After", arena_printf(a, "%d", 1 + jitter % 4));
}

void
problem_answer_static(int status, struct response *rs)
{
	*rs = (struct response){0};
	response_text(rs, status, kinds[kind_index(status)].plain);
	rs->close = true;
}
