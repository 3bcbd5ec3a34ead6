/* Requests of clients that name a person; see asking.h. */
#include "idp/asking.h"

#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "idp/config.h"
#include "idp/fetch.h"
#include "keys/keyring.h"
#include "keys/sign.h"
#include "oidc/details.h"

#define CONTENT_MAX   8192
#define ANSWER_MAX    ((size_t)16 * 1024) /* nobody reads it */
#define PING_LIMIT_MS 8000
#define LOOK_LIMIT_US ((int64_t)10 * 1000000)

/* ---- sealed ---- */

/* What it is, and of which request: it opens as nothing else. */
static struct bytes
label_of(struct arena *a, const char *what, struct bytes handle)
{
	return bytes_of(arena_printf(a, "ciba-%s:%s", what, enc_hex(a, handle)));
}

static bool
seal(struct request *rq, const char *what, struct bytes handle, const char *plain,
     struct bytes *sealed, struct err *err)
{
	const struct key *k = keyring_active(rq->snap->keyring, KEY_SEAL, KEY_SECRET);

	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active seal key");
	return signer_seal(rq->app->signer, rq->a, k->row.kid, label_of(rq->a, what, handle),
			   bytes_of(plain), sealed, err);
}

bool
asking_seal_details(struct request *rq, struct bytes handle, const json_t *details,
		    struct bytes *sealed, struct err *err)
{
	json_t *o = json_new_object(rq->a);

	*sealed = (struct bytes){0};
	if (details == NULL)
		return true;
	json_put(rq->a, o, "details", (json_t *)(uintptr_t)details);
	return seal(rq, "details", handle, json_text(rq->a, o, false), sealed, err);
}

bool
asking_open_details(struct request *rq, const struct db_polled *polled, json_t **details,
		    struct err *err)
{
	struct bytes plain;
	json_t *o;

	*details = NULL;
	if (polled->details.n == 0)
		return true;
	if (!signer_open(rq->app->signer, rq->a, label_of(rq->a, "details", polled->handle),
			 polled->details, &plain, err) ||
	    !json_parse_object(rq->a, plain, OIDC_DETAILS_MAX_BYTES * 2, &o, err))
		return false;
	*details = json_object_get(o, "details");
	return true;
}

bool
asking_seal_message(struct request *rq, struct bytes handle, const char *message,
		    struct bytes *sealed, struct err *err)
{
	*sealed = (struct bytes){0};
	return message == NULL || seal(rq, "message", handle, message, sealed, err);
}

bool
asking_open_message(struct request *rq, const struct db_polled *polled, const char **message,
		    struct err *err)
{
	struct bytes plain;

	*message = NULL;
	if (polled->sealed.n == 0)
		return true;
	if (!signer_open(rq->app->signer, rq->a, label_of(rq->a, "message", polled->handle),
			 polled->sealed, &plain, err))
		return false;
	*message = arena_strndup(rq->a, (const char *)plain.p, plain.n);
	return true;
}

bool
asking_ping_content(struct request *rq, struct bytes handle, const char *token,
		    const char *auth_req_id, const char **content, struct err *err)
{
	json_t *secret = json_new_object(rq->a), *o = json_new_object(rq->a);
	struct bytes sealed;

	*content = NULL;
	if (token == NULL)
		return true;
	json_put_str(rq->a, secret, "token", token);
	json_put_str(rq->a, secret, "auth_req_id", auth_req_id);
	if (!seal(rq, "ping", handle, json_text(rq->a, secret, false), &sealed, err))
		return false;
	json_put_str(rq->a, o, "handle", enc_hex(rq->a, handle));
	json_put_str(rq->a, o, "sealed", enc_base64url(rq->a, sealed));
	*content = json_text(rq->a, o, false);
	return true;
}

/* ---- telling the client ---- */

struct ping {
	struct bytes handle;
	const char *token, *auth_req_id;
};

static bool
content_read(const struct outbox_try *t, struct ping *out, struct err *err)
{
	const char *content = t->taken->item.content, *handle = NULL, *sealed = NULL;
	struct bytes octets, plain;
	json_t *o;

	*out = (struct ping){0};
	if (!json_parse_object(t->a, bytes_of(content), CONTENT_MAX, &o, err) ||
	    !json_get_str(o, "handle", &handle, err) || !json_get_str(o, "sealed", &sealed, err))
		return false;
	if (handle == NULL || sealed == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "a stored ping of no request");
	if (!dec_hex(t->a, bytes_of(handle), &out->handle, err) ||
	    !dec_base64url(t->a, bytes_of(sealed), &octets, err) ||
	    !signer_open(t->app->signer, t->a, label_of(t->a, "ping", out->handle), octets, &plain,
			 err) ||
	    !json_parse_object(t->a, plain, CONTENT_MAX, &o, err) ||
	    !json_get_str(o, "token", &out->token, err) ||
	    !json_get_str(o, "auth_req_id", &out->auth_req_id, err))
		return false;
	return true;
}

/*
 * CIBA Core 1.0, 10.2: 204, or 200 from who will have it so.  What the client does not take now
 * it will not take later, and it may ask all the same; no redirect is followed.
 */
static struct outbox_outcome
judge(long status, struct err *err)
{
	if (status == 204 || status == 200)
		return (struct outbox_outcome){OUTBOX_DONE, "told"};
	(void)!FAIL(err, ERR_UNAVAILABLE, NULL, "the client answered with status %ld", status);
	if (status >= 400 && status < 500 && status != 408 && status != 429)
		return (struct outbox_outcome){OUTBOX_GIVE_UP, "refused"};
	return (struct outbox_outcome){OUTBOX_AGAIN, "status"};
}

/* Who is told too early asks in vain, and who has asked by itself again. */
static bool
look(const struct outbox_try *t, struct bytes handle, enum db_polled_news *news, struct err *err)
{
	struct db_call c = {t->app->db, t->a, clock_mono_us() + LOOK_LIMIT_US};

	if (!db_polled_news(&c, handle, news, err))
		return false;
	return *news != DB_POLLED_NO_NEWS ||
	       FAIL(err, ERR_NOT_FOUND, NULL, "what was agreed to is not there yet");
}

struct outbox_outcome
asking_ping(const struct outbox_try *t, struct err *err)
{
	const struct party *p = party_find(&t->snap->parties, t->taken->item.target);
	json_t *body = json_new_object(t->a);
	struct fetch_answer answer;
	enum db_polled_news news;
	struct ping ping;

	if (p == NULL || p->oidc == NULL || p->oidc->notification_uri == NULL) {
		(void)!FAIL(err, ERR_NOT_FOUND, NULL, "no such client, or none that is told now");
		return (struct outbox_outcome){OUTBOX_AGAIN, "no_endpoint"};
	}
	if (!content_read(t, &ping, err) || !look(t, ping.handle, &news, err))
		return (struct outbox_outcome){OUTBOX_AGAIN, "not_built"};
	if (news == DB_POLLED_NEWS_HAD)
		return (struct outbox_outcome){OUTBOX_DONE, "had"};
	json_put_str(t->a, body, "auth_req_id", ping.auth_req_id);
	struct fetch_post what = {
		.url = p->oidc->notification_uri,
		.ca_file = t->app->config->outbound_ca,
		.type = "application/json",
		.bearer = ping.token,
		.body = bytes_of(json_text(t->a, body, false)),
		.max_bytes = ANSWER_MAX,
		.timeout_ms = PING_LIMIT_MS,
		.inside = &t->app->config->outbound_inside,
	};

	if (!t->app->post(t->a, &what, &answer, err))
		return (struct outbox_outcome){OUTBOX_AGAIN, "not_reached"};
	return judge(answer.status, err);
}
