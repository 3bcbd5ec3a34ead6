/* Building an answer; see response.h. */
#include "idp/response.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "idp/cookie.h"
#include "saml/soap.h"

#define CSP_PAGE                                                                  \
	"default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; " \
	"script-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
#define CSP_DATA "default-src 'none'; frame-ancestors 'none'"

/*
 * same-origin, not no-referrer: under the latter browsers send "Origin: null"
 * with our own forms (Fetch 3.2, "append a request Origin header"), and the
 * Origin check would have nothing to look at.  Nobody else learns more by it.
 */
static const struct header always[] = {
	{"Strict-Transport-Security", "max-age=63072000"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "same-origin"},
	{"X-Frame-Options", "DENY"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
	{"Cache-Control", "no-store"},
};

/* RFC 9110 5.5: visible characters, space and TAB. */
static bool
is_sendable(const char *s)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

void
response_header(struct response *rs, const char *name, const char *value)
{
	if (!text_is_visible_ascii(name, 128) || !is_sendable(value)) {
		rs->fault = "header with a character that cannot be sent";
		return;
	}
	if (rs->n_headers == RESPONSE_HEADERS_MAX) {
		rs->fault = "too many headers";
		return;
	}
	rs->headers[rs->n_headers++] = (struct header){name, value};
}

const char *
response_find(const struct response *rs, const char *name)
{
	for (size_t i = 0; i < rs->n_headers; i++)
		if (strcasecmp(rs->headers[i].name, name) == 0)
			return rs->headers[i].value;
	return NULL;
}

static void
set_body(struct response *rs, int status, struct bytes body, const char *type)
{
	rs->status = status;
	rs->body = body;
	response_header(rs, "Content-Type", type);
}

void
response_html(struct response *rs, int status, struct bytes html)
{
	set_body(rs, status, html, "text/html; charset=utf-8");
}

void
response_json(struct response *rs, int status, const char *json)
{
	set_body(rs, status, bytes_of(json), "application/json");
}

void
response_jwt(struct response *rs, int status, const char *type, const char *compact)
{
	set_body(rs, status, bytes_of(compact), type);
}

void
response_text(struct response *rs, int status, const char *text)
{
	set_body(rs, status, bytes_of(text), "text/plain; charset=utf-8");
}

void
response_soap(struct response *rs, int status, struct bytes envelope)
{
	set_body(rs, status, envelope, SOAP_CONTENT_TYPE);
}

/* A path of ours ("//host" and "/\host" lead elsewhere) or a URL with a scheme. */
static bool
is_target(const char *url)
{
	size_t scheme = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789+-.");

	if (url[0] == '/')
		return url[1] != '/' && url[1] != '\\';
	return scheme > 0 && url[scheme] == ':';
}

void
response_redirect(struct response *rs, const char *url)
{
	if (!is_target(url))
		rs->fault = "redirect to what is neither a path nor absolute";
	rs->status = 303;
	rs->body = (struct bytes){NULL, 0};
	response_header(rs, "Location", url);
}

void
response_cookie(struct request *rq, struct response *rs, const char *name, const char *value,
		int64_t max_age_s)
{
	const char *life =
		max_age_s < 0 ? "" : arena_printf(rq->a, "; Max-Age=%lld", (long long)max_age_s);

	if (!cookie_value_ok(bytes_of(value)))
		rs->fault = "cookie value with a foreign character";
	response_header(rs, "Set-Cookie",
			arena_printf(rq->a,
				     "__Host-%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax%s", name,
				     value, life));
}

/* Lists of origins; a ';' or ',' would start another directive or policy. */
static bool
is_origins(const char *s)
{
	return is_sendable(s) && strpbrk(s, ";,\t") == NULL;
}

static bool
is_some(const char *s)
{
	return s != NULL && s[0] != '\0';
}

static const char *
page_policy(struct arena *a, struct response *rs)
{
	const char *policy = CSP_PAGE;

	if (is_some(rs->form_action)) {
		if (!is_origins(rs->form_action))
			rs->fault = "form-action is not a list of origins";
		policy = arena_printf(a, "%s %s", policy, rs->form_action);
	}
	if (is_some(rs->frame_src)) {
		if (!is_origins(rs->frame_src))
			rs->fault = "frame-src is not a list of origins";
		policy = arena_printf(a, "%s; frame-src %s", policy, rs->frame_src);
	}
	return policy;
}

void
response_finish(struct arena *a, struct response *rs)
{
	const char *type = response_find(rs, "Content-Type");
	bool page = type != NULL && text_starts(type, "text/html");

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (response_find(rs, always[i].name) == NULL)
			response_header(rs, always[i].name, always[i].value);
	response_header(rs, "Content-Security-Policy", page ? page_policy(a, rs) : CSP_DATA);
}
