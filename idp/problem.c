/* Error answers; see problem.h. */
#include "idp/problem.h"

#include <string.h>

#include "base/json.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/config.h"
#include "idp/page.h"
#include "idp/show.h"
#include "saml/soap.h"

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
status_of(const struct err *err)
{
	switch (err->kind) {
	case ERR_INPUT:
		return 400;
	case ERR_DENIED:
		return 403;
	case ERR_NOT_FOUND:
		return 404;
	case ERR_CONFLICT:
		return 409;
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
	const struct oidc_error *e = oidc_error_of(err);

	/* A document that is not there is no error of OAuth's. */
	if (machine && !(err->kind == ERR_NOT_FOUND && err->proto == NULL))
		return (struct problem){.status = e->status, .error = e, .machine = true};
	struct problem p = {.status = status_of(err), .machine = machine};

	/* The names of faults of ours say nothing to the other side. */
	if (p.status < 500)
		p.proto = err->proto;
	return p;
}

static const char *
with_ref(struct arena *a, const char *text, const char *between, const struct problem *p)
{
	return p->ref[0] == '\0' ? text
				 : arena_printf(a, "%s%sReference: %s", text, between, p->ref);
}

static void
answer_json(struct arena *a, const struct problem *p, struct response *rs)
{
	size_t i = kind_index(p->status);
	const struct oidc_error *e = p->error;
	json_t *o = json_new_object(a);

	json_put_str(a, o, "error", e != NULL ? e->name : kinds[i].proto);
	json_put_str(a, o, "error_description",
		     with_ref(a, e != NULL ? e->description : kinds[i].plain, " ", p));
	response_json(rs, p->status, json_text(a, o, false));
	if (e != NULL && e->challenge != NULL)
		response_header(rs, "WWW-Authenticate", e->challenge);
}

/*
 * SAML2Bindings 3.2.3.3: what is wrong with a message is a fault with 500; 403 says that we
 * do not talk to its sender.  What HTTP has a status for keeps it.
 */
static bool
answer_fault(struct arena *a, const struct problem *p, struct response *rs)
{
	size_t i = kind_index(p->status);
	struct bytes fault;

	if (!soap_write_fault(a, p->status < 500 ? SOAP_CLIENT : SOAP_SERVER,
			      with_ref(a, kinds[i].plain, " ", p), &fault, NULL))
		return false;
	bool of_message = p->status == 400 || p->status == 404 || p->status == 409;

	response_soap(rs, of_message ? 500 : p->status, fault);
	return true;
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
	/* No links to other languages: what failed may not be repeated by a link. */
	show_site_vars(a, app->config, vars);
	if (!page_render(a, app->pages, "error", p->lang, vars, &html, NULL))
		return false;
	response_html(rs, p->status, html);
	return true;
}

void
problem_answer(const struct app *app, struct arena *a, const struct problem *p, struct response *rs)
{
	unsigned char jitter;
	int retry_s = p->retry_s;

	*rs = (struct response){0};
	if (p->soap && answer_fault(a, p, rs))
		;
	else if (p->machine)
		answer_json(a, p, rs);
	else if (!answer_page(app, a, p, rs))
		response_text(
			rs, p->status,
			arena_printf(a, "%s\n",
				     with_ref(a, kinds[kind_index(p->status)].plain, "\n", p)));
	if (p->status != 503 && p->status != 429)
		return;
	/* Spread, so that those refused together do not come back together. */
	if (retry_s == 0) {
		rand_bytes(&jitter, 1);
		retry_s = 1 + jitter % PROBLEM_RETRY_MOST_S;
	}
	response_header(rs, "Retry-After", arena_printf(a, "%d", retry_s));
}

void
problem_answer_static(int status, struct response *rs)
{
	*rs = (struct response){0};
	response_text(rs, status, kinds[kind_index(status)].plain);
	rs->close = true;
}
