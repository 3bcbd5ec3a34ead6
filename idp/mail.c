/* Mail to persons; see mail.h. */
#include "idp/mail.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/account.h"
#include "idp/config.h"
#include "idp/ep_requests.h"
#include "idp/fetch.h"
#include "idp/page.h"

#define CONTENT_MAX    1024
#define MAIL_MAX       ((size_t)16 * 1024)
#define MAIL_LIMIT_MS  8000
#define LOOK_LIMIT_US  ((int64_t)10 * 1000000)
#define LINE_OCTETS    57 /* 76 characters of base64 (RFC 2045 6.8) */
#define SUBJECT_OCTETS 39 /* of one encoded word: 76 characters with the name (RFC 2047 2) */

const struct db_outbox_item *
mail_of_request(struct request *rq, const struct db_polled *polled)
{
	struct db_outbox_item *item = ARENA_NEW(rq->a, struct db_outbox_item);
	json_t *o = json_new_object(rq->a);

	if (rq->app->config->mail_relay == NULL)
		return NULL;
	json_put_str(rq->a, o, "subject",
		     enc_hex(rq->a, (struct bytes){polled->acting->octets,
						   sizeof(polled->acting->octets)}));
	json_put_str(rq->a, o, "party", polled->party);
	json_put_str(rq->a, o, "handle", enc_hex(rq->a, polled->handle));
	*item = (struct db_outbox_item){
		.id = rand_token(rq->a, 16),
		.kind = MAIL_KIND,
		.target = "mail", /* one relay: few at once */
		.content = json_text(rq->a, o, false),
		.expires = polled->expires,
	};
	return item;
}

/* ---- to whom ---- */

struct letter {
	const char *to, *portal_name;
};

/* What is kept until it is sent. */
struct kept {
	struct subject_id who;
	const char *party;
	struct bytes handle; /* of what waits */
};

static bool
content_read(const struct outbox_try *t, struct kept *out, struct err *err)
{
	const char *content = t->taken->item.content, *who = NULL, *handle = NULL;
	struct bytes octets;
	json_t *o;

	*out = (struct kept){0};
	if (!json_parse_object(t->a, bytes_of(content), CONTENT_MAX, &o, err) ||
	    !json_get_str(o, "subject", &who, err) || !json_get_str(o, "party", &out->party, err) ||
	    !json_get_str(o, "handle", &handle, err))
		return false;
	if (who == NULL || handle == NULL || !dec_hex(t->a, bytes_of(who), &octets, NULL) ||
	    octets.n != sizeof(out->who.octets))
		return FAIL(err, ERR_INTERNAL, NULL, "a stored mail to nobody");
	memcpy(out->who.octets, octets.p, octets.n);
	return dec_hex(t->a, bytes_of(handle), &out->handle, err);
}

/* Nobody is told of what was answered, or denied in their place. */
static bool
waits(const struct outbox_try *t, const struct kept *k, bool *out, struct err *err)
{
	struct db_call c = {t->app->db, t->a, clock_mono_us() + LOOK_LIMIT_US};
	const struct db_polled *polled;

	if (!db_polled_find(&c, k->handle, DB_POLLED_CIBA, &k->who, t->now, &polled, err))
		return false;
	*out = polled != NULL;
	return true;
}

/* An address that goes into a header as it is; no other is written to. */
static bool
is_plain_address(const char *s)
{
	return text_is_visible_ascii(s, 254) && s[strcspn(s, "<>()[]\\,;:\"")] == '\0' &&
	       strchr(s, '@') != NULL;
}

/* The address of an account that is active; NULL: there is none to write to. */
static bool
address_of(const struct outbox_try *t, struct subject_id who, const char **to, struct err *err)
{
	struct account_work w = {
		.a = t->a,
		.db = {t->app->db, t->a, clock_mono_us() + LOOK_LIMIT_US},
		.signer = t->app->signer,
		.keyring = t->snap->keyring,
		.now = t->now,
	};
	const struct db_subject *subject;
	struct held_list held = {0};

	*to = NULL;
	if (!db_account_load(&w.db, who, &subject, err))
		return false;
	if (subject == NULL || subject->state != DB_ACTIVE)
		return true;
	if (!account_attributes(&w, subject, &held, err))
		return false;
	for (size_t i = 0; i < held.n; i++)
		if (text_eq(held.p[i].at->name, "email") && held.p[i].value != NULL &&
		    is_plain_address(held.p[i].value))
			*to = held.p[i].value;
	return true;
}

/* ---- the letter ---- */

/* A text of ours with its {names} filled in. */
static void
put_text(struct buf *b, const char *text, const struct param *values, size_t n)
{
	while (*text != '\0') {
		size_t i = 0, len;

		for (; i < n; i++)
			if (*text == '{' && text_starts(text + 1, values[i].name) &&
			    text[1 + strlen(values[i].name)] == '}')
				break;
		if (i < n) {
			buf_str(b, values[i].value);
			text += strlen(values[i].name) + 2;
			continue;
		}
		len = 1 + strcspn(text + 1, "{");
		buf_add(b, (struct bytes){(const unsigned char *)text, len});
		text += len;
	}
}

/* German first, then English: nobody's language is known here. */
static bool
text_of(const struct outbox_try *t, const char *const *keys, size_t n_keys, const char *between,
	const char *portal_name, struct bytes *out, struct err *err)
{
	const struct config *conf = t->app->config;
	const struct param values[] = {
		{"portal_name", text_one_line(t->a, portal_name)},
		{"site_name", conf->site_name},
		{"url", arena_printf(t->a, "%s" REQUESTS_PATH, conf->base_url)},
	};
	static const enum lang langs[] = {LANG_DE, LANG_EN};
	struct buf b;

	buf_init(&b, t->a, MAIL_MAX);
	for (size_t l = 0; l < ARRAY_LEN(langs); l++)
		for (size_t i = 0; i < n_keys; i++) {
			if (l + i > 0)
				buf_str(&b, between);
			put_text(&b, page_text(t->app->pages, langs[l], keys[i]), values,
				 ARRAY_LEN(values));
		}
	return buf_finish(&b, out, err);
}

static void
put_body(struct buf *b, struct arena *a, struct bytes text)
{
	for (size_t at = 0; at < text.n; at += LINE_OCTETS) {
		struct bytes line = {text.p + at,
				     text.n - at < LINE_OCTETS ? text.n - at : LINE_OCTETS};

		buf_printf(b, "%s\r\n", enc_base64(a, line));
	}
}

/* As many octets of UTF-8 as an encoded word may have, whole characters only (RFC 2047 5). */
static void
put_subject(struct buf *b, struct arena *a, struct bytes text)
{
	const char *before = "Subject: ";

	for (size_t at = 0, n; at < text.n; at += n, before = " ") {
		n = text.n - at < SUBJECT_OCTETS ? text.n - at : SUBJECT_OCTETS;
		while (at + n < text.n && (text.p[at + n] & 0xc0) == 0x80)
			n--;
		buf_printf(b, "%s=?UTF-8?B?%s?=\r\n", before,
			   enc_base64(a, (struct bytes){text.p + at, n}));
	}
}

/* RFC 5322 3.3, in universal time, with the names that any locale has there. */
static const char *
date_of(struct arena *a, time_t now)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm tm;

	gmtime_r(&now, &tm);
	return arena_printf(a, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
			    months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static bool
letter_build(const struct outbox_try *t, const struct letter *l, struct bytes *out, struct err *err)
{
	static const char *const title[] = {"mail_request.subject"};
	static const char *const body[] = {"mail_request.text", "mail_request.where",
					   "mail_request.warning"};
	const struct config *conf = t->app->config;
	struct bytes subject, text;
	struct buf b;

	if (!text_of(t, title, ARRAY_LEN(title), " / ", l->portal_name, &subject, err) ||
	    !text_of(t, body, ARRAY_LEN(body), "\r\n\r\n", l->portal_name, &text, err))
		return false;
	buf_init(&b, t->a, MAIL_MAX);
	buf_printf(&b, "From: <%s>\r\nTo: <%s>\r\n", conf->mail_from, l->to);
	put_subject(&b, t->a, subject);
	/* The item's id: told twice, it is one message to who looks. */
	buf_printf(&b, "Date: %s\r\nMessage-ID: <%s@%s>\r\nAuto-Submitted: auto-generated\r\n",
		   date_of(t->a, t->now), t->taken->item.id, party_host(t->a, conf->base_url));
	buf_str(&b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n");
	put_body(&b, t->a, text);
	return buf_finish(&b, out, err);
}

/* ---- sending ---- */

static struct outbox_outcome
send_letter(const struct outbox_try *t, const struct letter *l, struct err *err)
{
	const struct config *conf = t->app->config;
	struct fetch_mail what = {
		.relay = conf->mail_relay,
		.ca_file = conf->outbound_ca,
		.from = conf->mail_from,
		.to = l->to,
		.timeout_ms = MAIL_LIMIT_MS,
	};

	if (!letter_build(t, l, &what.message, err))
		return (struct outbox_outcome){OUTBOX_AGAIN, "not_built"};
	if (t->app->mail(t->a, &what, err))
		return (struct outbox_outcome){OUTBOX_DONE, "taken"};
	/* The relay said no for good, to this address or to us. */
	return err != NULL && err->kind == ERR_DENIED
		       ? (struct outbox_outcome){OUTBOX_GIVE_UP, "refused"}
		       : (struct outbox_outcome){OUTBOX_AGAIN, "not_taken"};
}

struct outbox_outcome
mail_send(const struct outbox_try *t, struct err *err)
{
	const struct party *p;
	struct letter l = {0};
	struct kept kept;
	bool waiting;

	if (t->app->config->mail_relay == NULL) {
		(void)!FAIL(err, ERR_NOT_FOUND, NULL, "no mail is sent here any more");
		return (struct outbox_outcome){OUTBOX_GIVE_UP, "no_relay"};
	}
	if (!content_read(t, &kept, err) || !waits(t, &kept, &waiting, err) ||
	    !address_of(t, kept.who, &l.to, err))
		return (struct outbox_outcome){OUTBOX_AGAIN, "not_read"};
	if (!waiting)
		return (struct outbox_outcome){OUTBOX_DONE, "answered"};
	p = kept.party == NULL ? NULL : party_find(&t->snap->parties, kept.party);
	if (l.to == NULL || p == NULL)
		return (struct outbox_outcome){OUTBOX_DONE, "nobody"};
	l.portal_name = p->display_name;
	return send_letter(t, &l, err);
}
