/* From gated octets to what handlers read; see request.h. */
#include "idp/request.h"

#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "base/text.h"
#include "idp/app.h"
#include "idp/config.h"
#include "idp/cookie.h"
#include "idp/gate.h"
#include "idp/net.h"
#include "idp/route.h"
#include "oidc/certificate.h"

#define FORM_TYPE "application/x-www-form-urlencoded"

static const char *
find(const struct params *ps, const char *name)
{
	const char *value;

	(void)params_find(ps, name, &value);
	return value;
}

const char *
request_query(const struct request *rq, const char *name)
{
	return find(&rq->query, name);
}

const char *
request_form(const struct request *rq, const char *name)
{
	return find(&rq->form, name);
}

const char *
request_header(const struct request *rq, const char *lower_name)
{
	return find(&rq->headers, lower_name);
}

const char *
request_cookie(const struct request *rq, const char *name)
{
	return find(&rq->cookies, name);
}

const char *
request_param(const struct request *rq, const char *name)
{
	return find(rq->method == HTTP_POST ? &rq->form : &rq->query, name);
}

/* `word` stands in a list of words separated by single spaces. */
static bool
is_word_of(const char *words, const char *word)
{
	for (const char *w = words; w != NULL && *w != '\0';) {
		size_t len = strcspn(w, " ");

		if (bytes_eq((struct bytes){(const unsigned char *)w, len}, bytes_of(word)))
			return true;
		w += len + (w[len] == ' ');
	}
	return false;
}

static bool
decode_text(struct arena *a, struct bytes text, const char **out, struct err *err)
{
	struct bytes decoded;

	return dec_form(a, text, &decoded, err) &&
	       text_from_bytes(a, decoded, text.n, "parameter", out, err);
}

static bool
parse_pair(struct arena *a, struct bytes pair, struct param *out, struct err *err)
{
	const unsigned char *eq = memchr(pair.p, '=', pair.n);
	size_t n = eq == NULL ? pair.n : (size_t)(eq - pair.p);
	struct bytes value = {pair.p + n, pair.n - n};

	if (eq != NULL)
		value = (struct bytes){eq + 1, pair.n - n - 1};
	return decode_text(a, (struct bytes){pair.p, n}, &out->name, err) &&
	       decode_text(a, value, &out->value, err);
}

bool
params_parse(struct arena *a, struct bytes text, const char *repeatable, struct params *out,
	     struct err *err)
{
	struct param *list = ARENA_ARRAY(a, struct param, REQUEST_PARAMS_MAX);
	struct params found = {list, 0};

	while (text.n > 0) {
		const unsigned char *amp = memchr(text.p, '&', text.n);
		struct bytes pair = {text.p, amp == NULL ? text.n : (size_t)(amp - text.p)};
		size_t step = pair.n + (amp != NULL);

		text = (struct bytes){text.p + step, text.n - step};
		if (pair.n == 0)
			continue;
		if (found.n == REQUEST_PARAMS_MAX)
			return FAIL(err, ERR_INPUT, "invalid_request", "more than %d parameters",
				    REQUEST_PARAMS_MAX);
		if (!parse_pair(a, pair, &list[found.n], err))
			return false;
		/* Two readers may pick different ones of a pair (Governikus 2018, CVE-2026-9689).
		 */
		if (find(&found, list[found.n].name) != NULL &&
		    !is_word_of(repeatable, list[found.n].name))
			return FAIL(err, ERR_INPUT, "invalid_request", "parameter given twice");
		found.n++;
	}
	*out = found;
	return true;
}

/* A quality in thousandths (RFC 9110 12.4.2); -1 when malformed. */
static int
parse_quality(const char *s, size_t n)
{
	int q = 0, scale = 1000;

	if ((n > 1 && s[1] != '.') || n > 5)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (i == 1)
			continue;
		if (s[i] < '0' || s[i] > '9')
			return -1;
		q += (s[i] - '0') * scale;
		scale /= 10;
	}
	return q > 1000 ? -1 : q;
}

/* Does a tag of n bytes, which no letter follows, begin with this language? */
static bool
tag_names(const char *tag, size_t n, const char *code)
{
	return strncasecmp(tag, code, 2) == 0 && (n == 2 || tag[2] == '-');
}

/* One range such as "en-GB;q=0.8": its quality, and whether it names `code`. */
static int
range_quality(const char *s, size_t n, const char *code)
{
	size_t tag = strcspn(s, ";, \t"), at = tag;

	if (!tag_names(s, tag, code))
		return -1;
	while (at < n && (s[at] == ' ' || s[at] == '\t' || s[at] == ';'))
		at++;
	if (at >= n)
		return 1000;
	if (strncasecmp(s + at, "q=", 2) != 0)
		return -1;
	size_t end = n;

	while (end > at && (s[end - 1] == ' ' || s[end - 1] == '\t'))
		end--;
	return parse_quality(s + at + 2, end - at - 2);
}

enum lang
request_accept_language(const char *value)
{
	int best_de = 0, best_en = 0;

	for (const char *s = value == NULL ? "" : value; *s != '\0';) {
		s += strspn(s, " \t,");
		size_t n = strcspn(s, ",");
		int de = range_quality(s, n, "de"), en = range_quality(s, n, "en");

		best_de = de > best_de ? de : best_de;
		best_en = en > best_en ? en : best_en;
		s += n;
	}
	return best_en > best_de ? LANG_EN : LANG_DE;
}

const char *
lang_code(enum lang lang)
{
	static const char *const codes[LANG_COUNT] = {[LANG_DE] = "de", [LANG_EN] = "en"};

	return (size_t)lang < LANG_COUNT ? codes[lang] : codes[LANG_DE];
}

const char *
lang_code_of_tag(const char *tag)
{
	for (int l = 0; tag != NULL && l < LANG_COUNT; l++)
		if (tag_names(tag, strlen(tag), lang_code((enum lang)l)))
			return lang_code((enum lang)l);
	return NULL;
}

/* False, and *out untouched, when there is no such code. */
static bool
lang_from_code(const char *code, enum lang *out)
{
	for (int l = 0; l < LANG_COUNT; l++) {
		if (text_eq(code, lang_code((enum lang)l))) {
			*out = (enum lang)l;
			return true;
		}
	}
	return false;
}

static void
choose_lang(struct request *rq)
{
	rq->lang = request_accept_language(request_header(rq, "accept-language"));
	rq->lang_chosen = lang_from_code(request_cookie(rq, "lang"), &rq->lang);
}

void
request_wish_lang(struct request *rq, const char *code)
{
	if (!rq->lang_chosen)
		(void)lang_from_code(code, &rq->lang);
}

/* Of a list-valued header that came in several lines, the first counts. */
static bool
parse_headers(struct request *rq, const struct raw_request *raw, struct err *err)
{
	struct param *list = ARENA_ARRAY(rq->a, struct param, GATE_HEADERS_MAX);
	struct bytes value;
	const char *name;
	size_t n = 0;

	for (size_t i = 0; (name = gate_header_name(i)) != NULL; i++) {
		if (strcmp(name, "cookie") == 0 || !gate_header_find(raw, name, &value))
			continue;
		list[n].name = name;
		/* second line: the gate lets no other octets pass in a header we read */
		if (!text_from_bytes(rq->a, value, GATE_HEADERS_MAX_BYTES, name, &list[n].value,
				     err))
			return false;
		n++;
	}
	rq->headers = (struct params){list, n};
	return true;
}

static bool
is_form(const struct request *rq)
{
	const char *type = request_header(rq, "content-type");
	size_t n = strlen(FORM_TYPE);

	return type != NULL && strncasecmp(type, FORM_TYPE, n) == 0 &&
	       (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static bool
parse_target(struct request *rq, const struct gate_head *head, struct err *err)
{
	size_t prefix = strlen(rq->route->path);

	/* second line: the gate lets no other octets pass */
	if (!text_from_bytes(rq->a, head->path, GATE_TARGET_MAX_BYTES, "path", &rq->path, err) ||
	    !text_from_bytes(rq->a, head->query, GATE_TARGET_MAX_BYTES, "query", &rq->query_raw,
			     err))
		return false;
	rq->path_tail = rq->route->flags & ROUTE_PREFIX ? rq->path + prefix : "";
	return params_parse(rq->a, head->query, rq->route->repeatable, &rq->query, err);
}

/*
 * The address the budgets count: the other end's, unless that is one of the
 * configured proxies, which then names exactly one.
 */
static bool
find_client(struct request *rq, const struct raw_request *raw, struct err *err)
{
	const char *forwarded = request_header(rq, "x-forwarded-for");
	const struct net_list *trusted = &rq->app->config->trusted_proxy;
	struct net_addr addr;
	size_t lines = 0;

	rq->client_addr = arena_strdup(rq->a, raw->peer);
	if (forwarded == NULL || !net_list_has_text(trusted, raw->peer))
		return true;
	for (size_t i = 0; i < raw->n_headers; i++)
		lines += raw->headers[i].name.n == strlen("x-forwarded-for") &&
			 strncasecmp((const char *)raw->headers[i].name.p, "x-forwarded-for",
				     raw->headers[i].name.n) == 0;
	if (lines != 1 || !net_addr_parse(forwarded, &addr))
		return FAIL(err, ERR_INPUT, NULL, "X-Forwarded-For is not one address");
	rq->client_addr = forwarded;
	return true;
}

/*
 * The certificate of a client comes from a proxy of ours alone, and only where certificates are
 * asked for: anybody else who says that there was one is lying.
 */
static bool
find_certificate(struct request *rq, const struct raw_request *raw, const struct gate_head *head,
		 struct err *err)
{
	const char *cert = request_header(rq, "client-cert");
	const char *verdict = request_header(rq, "x-client-cert-verify");
	const struct config *conf = rq->app->config;
	struct oidc_certificate *c;

	if (cert == NULL && verdict == NULL)
		return true;
	if (!net_list_has_text(&conf->trusted_proxy, raw->peer))
		return FAIL(err, ERR_INPUT, NULL, "Client-Cert, and not from a proxy of ours");
	if (cert == NULL || conf->mtls_host == NULL || !app_is_host(head->host, conf->mtls_host))
		return FAIL(err, ERR_INPUT, NULL,
			    "Client-Cert where no certificates are asked for");
	c = ARENA_NEW(rq->a, struct oidc_certificate);
	if (!oidc_certificate_read(rq->a, cert, verdict, c, err))
		return false;
	rq->certificate = c;
	return true;
}

/* One of two, whatever the header spells. */
static void
find_base(struct request *rq, const struct gate_head *head)
{
	const struct config *conf = rq->app->config;
	bool mtls = conf->mtls_host != NULL && app_is_host(head->host, conf->mtls_host);

	rq->base_url = mtls ? conf->mtls_url : conf->base_url;
}

bool
request_parse(struct request *rq, const struct raw_request *raw, const struct gate_head *head,
	      struct err *err)
{
	struct bytes cookies = {NULL, 0};

	rq->method = head->method == HTTP_HEAD ? HTTP_GET : head->method;
	rq->body = raw->body;
	if (!parse_target(rq, head, err) || !parse_headers(rq, raw, err))
		return false;
	/* second line: the gate has looked at our cookies in the same way */
	if (gate_header_find(raw, "cookie", &cookies) &&
	    !cookies_parse(rq->a, cookies, &rq->cookies, err))
		return false;
	choose_lang(rq);
	find_base(rq, head);
	if (!find_client(rq, raw, err) || !find_certificate(rq, raw, head, err))
		return false;
	if (!is_form(rq))
		return true;
	return params_parse(rq->a, rq->body, rq->route->repeatable, &rq->form, err);
}
