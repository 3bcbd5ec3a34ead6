/* A browser without a socket: cookies, redirects, forms; see world.h. */
#include <pthread.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "idp/publish.h"
#include "idp/route.h"
#include "tests/flow/emitted.h"
#include "tests/flow/world.h"

#define REQUEST_ARENA_BYTES ((size_t)512 * 1024 * 1024)

void
web_init(struct web *b, struct world *w)
{
	*b = (struct web){.w = w};
}

const char *
web_cookie(const struct web *b, const char *name)
{
	for (size_t i = 0; i < b->n_cookies; i++)
		if (strcmp(b->cookies[i][0], name) == 0)
			return b->cookies[i][1];
	return NULL;
}

static void
keep_cookie(struct web *b, const char *line)
{
	struct arena *a = b->w->a;
	size_t name = strcspn(line, "="), value = strcspn(line + name + 1, ";");
	const char *n = arena_strndup(a, line, name), *v = arena_strndup(a, line + name + 1, value);
	size_t i = 0;

	/* Whatever cookie it is (OWASP ASVS 3.3). */
	assert_true(text_starts(line, "__Host-"));
	assert_non_null(strstr(line, "; Path=/; Secure; HttpOnly; SameSite=Lax"));
	while (i < b->n_cookies && strcmp(b->cookies[i][0], n) != 0)
		i++;
	if (strstr(line, "Max-Age=0") != NULL) {
		if (i < b->n_cookies) {
			b->n_cookies--;
			memmove(&b->cookies[i], &b->cookies[i + 1],
				(b->n_cookies - i) * sizeof(b->cookies[0]));
		}
		return;
	}
	assert_true(i < ARRAY_LEN(b->cookies));
	b->cookies[i][0] = n;
	b->cookies[i][1] = v;
	b->n_cookies += i == b->n_cookies;
}

static const char *
cookie_header(struct web *b)
{
	struct buf c;

	buf_init(&c, b->w->a, 65536);
	for (size_t i = 0; i < b->n_cookies; i++)
		buf_printf(&c, "%s%s=%s", i == 0 ? "" : "; ", b->cookies[i][0], b->cookies[i][1]);
	return c.n == 0 ? NULL : (const char *)c.p;
}

static void
take_answer(struct web *b, const struct response *rs)
{
	b->status = rs->status;
	b->location = b->csp = b->challenge = b->dpop_nonce = b->cache = b->pragma = NULL;
	b->allow_origin = arena_strdup(b->w->a, response_find(rs, "Access-Control-Allow-Origin"));
	b->allow_headers = arena_strdup(b->w->a, response_find(rs, "Access-Control-Allow-Headers"));
	b->exposed = arena_strdup(b->w->a, response_find(rs, "Access-Control-Expose-Headers"));
	assert_null(response_find(rs, "Access-Control-Allow-Credentials"));
	b->type = arena_strdup(b->w->a, response_find(rs, "Content-Type"));
	b->body = (const char *)arena_bytes(b->w->a, rs->body).p;
	for (size_t i = 0; i < rs->n_headers; i++) {
		if (strcasecmp(rs->headers[i].name, "Set-Cookie") == 0)
			keep_cookie(b, rs->headers[i].value);
		if (strcasecmp(rs->headers[i].name, "WWW-Authenticate") == 0)
			b->challenge = arena_strdup(b->w->a, rs->headers[i].value);
		if (strcasecmp(rs->headers[i].name, "DPoP-Nonce") == 0)
			b->dpop_nonce = arena_strdup(b->w->a, rs->headers[i].value);
		if (strcasecmp(rs->headers[i].name, "Cache-Control") == 0)
			b->cache = arena_strdup(b->w->a, rs->headers[i].value);
		if (strcasecmp(rs->headers[i].name, "Pragma") == 0)
			b->pragma = arena_strdup(b->w->a, rs->headers[i].value);
		if (strcasecmp(rs->headers[i].name, "Location") == 0)
			b->location = arena_strdup(b->w->a, rs->headers[i].value);
		if (strcasecmp(rs->headers[i].name, "Content-Security-Policy") == 0)
			b->csp = arena_strdup(b->w->a, rs->headers[i].value);
	}
	assert_emitted_valid(b);
}

struct sending {
	const char *method, *target, *form, *cookies, *origin, *authorization;
	const char *type; /* of `form`; NULL: a form */
};

static void
add_header(struct raw_header *headers, size_t *n, const char *name, const char *value)
{
	if (value != NULL)
		headers[(*n)++] = (struct raw_header){bytes_of(name), bytes_of(value)};
}

#define SENT_HEADERS_MAX 10

/* The request as it arrives; in the world's arena. */
static struct raw_request *
raw_of(struct web *b, const struct sending *s)
{
	struct arena *a = b->w->a;
	struct raw_header *headers = ARENA_ARRAY(a, struct raw_header, SENT_HEADERS_MAX);
	struct raw_request *raw = ARENA_NEW(a, struct raw_request);

	*raw = (struct raw_request){
		.method = bytes_of(s->method),
		.target = bytes_of(s->target),
		.version = bytes_of("HTTP/1.1"),
		.headers = headers,
		.peer = b->addr == NULL ? "192.0.2.1" : b->addr,
	};
	add_header(headers, &raw->n_headers, "Host", b->host == NULL ? "konto.example" : b->host);
	add_header(headers, &raw->n_headers, "Client-Cert", b->certificate);
	add_header(headers, &raw->n_headers, "X-Client-Cert-Verify", b->verdict);
	add_header(headers, &raw->n_headers, "Cookie", s->cookies);
	add_header(headers, &raw->n_headers, "Origin",
		   s->origin != NULL || s->cookies != NULL ? s->origin : b->origin);
	add_header(headers, &raw->n_headers, "Authorization", s->authorization);
	if (s->cookies == NULL) {
		add_header(headers, &raw->n_headers, "DPoP", b->dpop);
		add_header(headers, &raw->n_headers, "Accept", b->accept);
	}
	if (s->form != NULL) {
		raw->body = bytes_of(s->form);
		add_header(headers, &raw->n_headers, "Content-Type",
			   s->type != NULL ? s->type : "application/x-www-form-urlencoded");
		add_header(headers, &raw->n_headers, "Content-Length",
			   arena_printf(a, "%zu", raw->body.n));
	}
	return raw;
}

static void
transmit(struct web *b, const struct sending *s)
{
	const struct raw_request *raw = raw_of(b, s);
	struct response rs = {0};

	b->path = s->target;
	struct arena *a = arena_create(REQUEST_ARENA_BYTES);

	(b->w->handle == NULL ? app_handle : b->w->handle)(&b->w->app, a, raw, &b->w->worker, &rs);
	take_answer(b, &rs);
	arena_destroy(a);
}

static const char *
own_target(const char *url)
{
	return text_starts(url, BASE) ? url + strlen(BASE) : url[0] == '/' ? url : NULL;
}

static void
follow(struct web *b)
{
	for (int hops = 0; b->status == 303 && own_target(b->location) != NULL; hops++) {
		struct sending s = {.method = "GET",
				    .target = own_target(b->location),
				    .cookies = cookie_header(b)};

		assert_true(hops < 10);
		transmit(b, &s);
	}
}

void
web_get(struct web *b, const char *url)
{
	struct sending s = {
		.method = "GET", .target = own_target(url), .cookies = cookie_header(b)};

	assert_non_null(s.target);
	transmit(b, &s);
	follow(b);
}

void
web_post_from(struct web *b, const char *origin, const char *path, const char *form)
{
	struct sending s = {.method = "POST",
			    .target = path,
			    .form = form,
			    .cookies = cookie_header(b),
			    .origin = origin};

	transmit(b, &s);
	follow(b);
}

void
web_foreign_post(struct web *b, const char *path, const char *form)
{
	struct sending s = {
		.method = "POST", .target = path, .form = form, .origin = "https://amt24.example"};

	transmit(b, &s);
	follow(b);
}

static const char *
unescape(struct arena *a, const char *s)
{
	static const char *const pairs[][2] = {
		{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}};
	char *out = arena_alloc(a, strlen(s) + 1), *o = out;

	while (*s != '\0') {
		size_t i = 0;

		while (i < ARRAY_LEN(pairs) && !text_starts(s, pairs[i][0]))
			i++;
		*o++ = i < ARRAY_LEN(pairs) ? pairs[i][1][0] : *s;
		s += i < ARRAY_LEN(pairs) ? strlen(pairs[i][0]) : 1;
	}
	return out;
}

/* An attribute of the tag that begins at `tag`; NULL: none. */
static const char *
tag_attribute(struct arena *a, const char *tag, const char *name)
{
	const char *end = strchr(tag, '>'), *at = strstr(tag, arena_printf(a, " %s=\"", name));

	if (at == NULL || end == NULL || at > end)
		return NULL;
	at += strlen(name) + 3;
	return unescape(a, arena_strndup(a, at, strcspn(at, "\"")));
}

static void
put_field(struct buf *form, const char *name, const char *value)
{
	if (form->n > 0)
		buf_char(form, '&');
	enc_percent(form, bytes_of(name));
	buf_char(form, '=');
	enc_percent(form, bytes_of(value));
}

static _Thread_local struct sending last_form;

void
web_fill_in(struct web *b, const char *action, const char *fields)
{
	struct arena *a = b->w->a;
	const char *form = b->body, *target = NULL, *end;
	struct buf body;

	while ((form = strstr(form, "<form")) != NULL) {
		target = tag_attribute(a, form, "action");
		if (target != NULL && text_starts(target, action))
			break;
		form += 5;
	}
	if (form == NULL)
		fail_msg("no form for %s on this page (status %d): %s", action, b->status, b->body);
	end = strstr(form, "</form>");
	buf_init(&body, a, 1024 * 1024);
	for (const char *p = form; (p = strstr(p, "<input")) != NULL && p < end; p++) {
		const char *type = tag_attribute(a, p, "type");

		if (text_eq(type, "hidden"))
			put_field(&body, tag_attribute(a, p, "name"), tag_attribute(a, p, "value"));
	}
	if (*fields != '\0')
		buf_printf(&body, "%s%s", body.n > 0 ? "&" : "", fields);
	last_form = (struct sending){.method = "POST",
				     .target = target,
				     .form = (const char *)body.p,
				     .cookies = cookie_header(b),
				     .origin = BASE};
}

void
web_submit(struct web *b, const char *action, const char *fields)
{
	web_fill_in(b, action, fields);
	transmit(b, &last_form);
	follow(b);
}

void
web_submit_again(struct web *b)
{
	last_form.cookies = cookie_header(b);
	transmit(b, &last_form);
	follow(b);
}

void
web_post(struct web *b, const char *route, const char *tail, const char *fields)
{
	struct arena *a = b->w->a;
	const char *secret = web_cookie(b, "__Host-form");
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(arena_printf(a, "%s form %s", secret == NULL ? "" : secret, route)),
		    digest);
	struct sending s = {
		.method = "POST",
		.target = arena_printf(a, "%s%s", route, tail),
		.form = arena_printf(a, "csrf=%s&%s",
				     enc_base64url(a, (struct bytes){digest, sizeof(digest)}),
				     fields),
		.cookies = cookie_header(b),
		.origin = BASE,
	};

	transmit(b, &s);
	follow(b);
}

struct racer {
	struct web *b;
	const struct raw_request *raw;
	const char *sign;
	pthread_barrier_t *start;
	bool shown;
};

static void *
race(void *p)
{
	struct racer *r = p;
	struct arena *a = arena_create(REQUEST_ARENA_BYTES);
	struct worker worker = {.lane = LANE_LOGIN};
	struct response rs = {0};

	pthread_barrier_wait(r->start);
	app_handle(&r->b->w->app, a, r->raw, &worker, &rs);
	const char *to = response_find(&rs, "Location");

	r->shown =
		(to != NULL && text_starts(to, r->sign)) ||
		(rs.body.n > 0 && memmem(rs.body.p, rs.body.n, r->sign, strlen(r->sign)) != NULL);
	arena_destroy(a);
	return NULL;
}

size_t
web_at_once(struct web *b, const char *path, const char *sign)
{
	struct sending get = {.method = "GET", .target = path, .cookies = cookie_header(b)};
	const struct raw_request *raw = raw_of(b, path == NULL ? &last_form : &get);
	struct racer racers[WEB_AT_ONCE];
	pthread_t threads[WEB_AT_ONCE];
	pthread_barrier_t start;
	size_t shown = 0;

	assert_int_equal(pthread_barrier_init(&start, NULL, WEB_AT_ONCE), 0);
	for (size_t i = 0; i < WEB_AT_ONCE; i++) {
		racers[i] = (struct racer){b, raw, sign, &start, false};
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < WEB_AT_ONCE; i++) {
		pthread_join(threads[i], NULL);
		shown += racers[i].shown;
	}
	pthread_barrier_destroy(&start);
	return shown;
}

const char *
web_field(struct web *b, const char *name)
{
	for (const char *p = b->body; (p = strstr(p, "<input")) != NULL; p++)
		if (text_eq(tag_attribute(b->w->a, p, "name"), name))
			return tag_attribute(b->w->a, p, "value");
	return NULL;
}

bool
web_shows(const struct web *b, const char *text)
{
	return strstr(b->body, text) != NULL;
}

void
web_token(struct web *b, const char *authorization, const char *form)
{
	struct sending s = {.method = "POST",
			    .target = "/oidc/token",
			    .form = form,
			    .authorization = authorization};

	transmit(b, &s);
}

void
web_userinfo(struct web *b, const char *token)
{
	struct sending s = {
		.method = "GET",
		.target = "/oidc/userinfo",
		.authorization = token == NULL ? NULL : arena_printf(b->w->a, "Bearer %s", token)};

	transmit(b, &s);
}

void
web_program(struct web *b, const char *path, const char *type, const char *body)
{
	struct sending s = {.method = "POST",
			    .target = path,
			    .form = body,
			    .authorization = b->authorization,
			    .type = type};

	transmit(b, &s);
}

void
web_method(struct web *b, const char *method, const char *path, const char *body)
{
	struct sending s = {.method = method,
			    .target = path,
			    .form = body,
			    .authorization = b->authorization,
			    .type = "application/json"};

	transmit(b, &s);
}

json_t *
web_json(struct web *b)
{
	json_t *o = NULL;
	struct err err = {0};

	ASSERT_OK(json_parse_object(b->w->a, bytes_of(b->body), 65536, &o, &err), &err);
	return o;
}

const char *
oidc_basic(struct world *w)
{
	return arena_printf(w->a, "Basic %s",
			    enc_base64(w->a, bytes_of(OIDC_CLIENT ":" OIDC_SECRET)));
}

const char *
oidc_redeem_form(struct world *w, const char *code)
{
	return arena_printf(
		w->a,
		"grant_type=authorization_code&code=%s&redirect_uri="
		"https%%3A%%2F%%2Fstadtportal.example%%2Fback&code_verifier=" PKCE_VERIFIER,
		code);
}

void
web_form(struct web *b, const char *path, const char *form)
{
	web_program(b, path, "application/x-www-form-urlencoded", form);
}

void
web_as_client(struct web *b, const char *path, const char *form)
{
	b->authorization = oidc_basic(b->w);
	web_form(b, path, form);
}

const char *
text_member(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

const char *
web_member(struct web *b, const char *name)
{
	return text_member(web_json(b), name);
}

json_t *
web_redeem(struct web *b, const char *code)
{
	web_token(b, oidc_basic(b->w), oidc_redeem_form(b->w, code));
	if (b->status != 200)
		fail_msg("token endpoint: %d %s", b->status, b->body);
	return web_json(b);
}

const struct oidc_signed *
oidc_verified(struct world *w, const char *token)
{
	const struct oidc_signed *verified;
	struct oidc_jwks ours;
	struct oidc_jws jws;
	struct err err = {0};

	assert_non_null(token);
	publish_jwks(w->a, w->signer->keys, &ours);
	ASSERT_OK(oidc_jws_parse(w->a, bytes_of(token), &jws, &err), &err);
	ASSERT_OK(oidc_jws_verify(w->a, &jws, &ours, &verified, &err), &err);
	return verified;
}

const json_t *
oidc_token_says(struct world *w, const char *token)
{
	return oidc_signed_claims(oidc_verified(w, token));
}
