/*
 * One HTTP request as a handler sees it: gated (idp/gate.h), collected within
 * its route row's limits, with one arena, one time and one snapshot.
 */
#ifndef KONTOR_IDP_REQUEST_H
#define KONTOR_IDP_REQUEST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/param.h"

struct app;
struct route;
struct snapshot;
struct worker;
struct raw_request;
struct oidc_certificate;
struct oidc_dpop;
struct party;
struct gate_head;

enum http_method { HTTP_GET, HTTP_POST, HTTP_HEAD, HTTP_OPTIONS, HTTP_PUT, HTTP_DELETE };

enum lang { LANG_DE, LANG_EN, LANG_COUNT };

#define REQUEST_REF_BYTES  24
#define REQUEST_PARAMS_MAX 128

struct request {
	struct arena *a;
	struct app *app;
	const struct route *route;
	const struct snapshot *snap; /* keys, parties, documents: held until the response is sent */
	struct worker *worker;       /* the lane worker that runs us (idp/lane.h); its hashing
					memory.  NULL on the event loop */
	time_t now;
	int64_t deadline_us;         /* clock_mono_us() after which the answer is of no use */
	char ref[REQUEST_REF_BYTES]; /* reference id: in the log and on the error page */
	enum http_method method;     /* HEAD never: a handler sees GET, the body is not sent */
	enum lang lang;              /* cookie, else Accept-Language, else German */
	bool lang_chosen;            /* by the person: the cookie */
	const char *path;            /* as matched, no query */
	const char *path_tail;       /* after a prefix route's path; "" for exact routes */
	const char *query_raw;       /* octets after '?', as received; "" if none */
	struct params query;         /* no name twice, unless the route row marks it repeatable */
	struct params form;          /* application/x-www-form-urlencoded body, likewise */
	struct bytes body;           /* as received */
	struct params headers;       /* names in lower case; those of gate_header_name() */
	struct params cookies;       /* ours, without the __Host- prefix */
	const char *client_addr;     /* text form; from configured proxies only by header */
	const char *form_secret;     /* idp/csrf.h: made in this request; NULL */
	const struct oidc_certificate *certificate; /* that a proxy of ours passed on; NULL: none */
	const struct party *of; /* registered, as far as it says (idp/refusal.h); NULL: unsaid */
	bool of_proven;         /* it came with a proof of that */
	const char
		*base_url; /* the host that was asked: ours, or where certificates are asked for */
	const struct oidc_dpop *dpop; /* the proof, once it is judged (idp/binding.h); NULL: none */
	const char *dpop_nonce;       /* to be told with the answer, also a failure; NULL: none */
};

/* The value or NULL; the first when the name is repeatable. Names are exact. */
const char *request_query(const struct request *rq, const char *name);
const char *request_form(const struct request *rq, const char *name);
const char *request_header(const struct request *rq, const char *lower_name);
const char *request_cookie(const struct request *rq, const char *name);

/* Query on GET, form on POST: what OIDC and SAML bindings call "the parameters". */
const char *request_param(const struct request *rq, const char *name);

/*
 * Fill rq from a request that passed the gate; a, app, route, snap, worker,
 * now, deadline_us and ref are the caller's.  ERR_INPUT: a broken escape,
 * ill-formed UTF-8, a name twice, too many parameters, an unreadable
 * forwarded address.
 */
MUST_USE bool request_parse(struct request *rq, const struct raw_request *raw,
			    const struct gate_head *head, struct err *err);

/*
 * name=value pairs separated by '&' (HTML "application/x-www-form-urlencoded").
 * A name may come twice only when it is a word of `repeatable` (NULL: none).
 */
MUST_USE bool params_parse(struct arena *a, struct bytes text, const char *repeatable,
			   struct params *out, struct err *err);

/* The better of our languages in an Accept-Language value (RFC 9110 12.5.4); NULL: German. */
enum lang request_accept_language(const char *value);

/* "de", "en": as in html lang, Accept-Language, and the names of the files in web/i18n. */
const char *lang_code(enum lang lang);

/* The code of the language of ours that a tag (RFC 5646, "de-AT") names; NULL: none, or no tag. */
const char *lang_code_of_tag(const char *tag);

/* A portal wishes this language (a code; NULL: none) for our pages; what the person chose wins. */
void request_wish_lang(struct request *rq, const char *code);

#endif
