/*
 * Browsers that an account has logged in with (decisions/0013).  Whoever knows a
 * login name can use up the account's attempts; a browser that proved the same
 * means before has attempts of its own.  Nothing is stored here: its cookie holds
 * a random id and, newest first, one keyed hash for each means that was proved,
 * over the id and the means' rows.  So a mark names nobody, fits no other browser,
 * account or means, and dies when the password or app is replaced or blocked.
 *
 * Logging out leaves the cookie: it opens nothing, and the one who logged out is
 * the one who comes back and must not be shut out then.
 */
#include "idp/login.h"

#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/text.h"
#include "keys/sign.h"

#define COOKIE       "known"
#define COOKIE_S     ((int64_t)400 * 86400) /* RFC 6265bis 5.5: browsers keep none longer */
#define DEVICE_CHARS 22                     /* 16 octets in base64url */
#define MARK_CHARS   43                     /* 32 octets */
#define MARKS_MOST   6 /* password and code of three accounts that share a browser */
#define VALUE_MOST   (DEVICE_CHARS + MARKS_MOST * (1 + MARK_CHARS))

/* The cookie "DEVICE.MARK.MARK" when it has the shape we write; NULL: none. */
static const char *
cookie_of(const struct request *rq)
{
	const char *value = request_cookie(rq, COOKIE);
	size_t n = value == NULL ? 0 : strlen(value);

	if (n <= DEVICE_CHARS || n > VALUE_MOST || (n - DEVICE_CHARS) % (1 + MARK_CHARS) != 0)
		return NULL;
	return value;
}

/* The next mark; *at begins at its dot. */
static bool
next_mark(const char **at, struct bytes *mark)
{
	if (**at == '\0')
		return false;
	*mark = (struct bytes){(const unsigned char *)*at + 1, MARK_CHARS};
	*at += 1 + MARK_CHARS;
	return true;
}

/* What can be used now: which rows, and what each holds. */
static void
means_digest(enum db_credential_kind kind, const struct db_credential *means, size_t n,
	     unsigned char digest[SHA256_BYTES])
{
	memset(digest, 0, SHA256_BYTES);
	for (size_t i = 0; i < n; i++) {
		const struct bytes parts[] = {
			{digest, SHA256_BYTES},
			{means[i].id, sizeof(means[i].id)},
			means[i].secret,
		};

		if (means[i].kind == kind && !means[i].blocked)
			hash_sha256_parts(parts, ARRAY_LEN(parts), digest);
	}
}

/* Computed with or without cookie and account, so that each way takes as long. */
bool
login_known_read(struct request *rq, enum db_credential_kind kind,
		 const struct db_credential *means, size_t n, struct login_known *out,
		 struct err *err)
{
	const struct key *k = keyring_active(rq->snap->keyring, KEY_COOKIE, KEY_SECRET);
	const char *value = cookie_of(rq), *at = value == NULL ? "" : value + DEVICE_CHARS;
	unsigned char text[DEVICE_CHARS + SHA256_BYTES], mac[32];
	struct bytes mark;

	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active cookie key");
	*out = (struct login_known){
		.device = value == NULL ? rand_token(rq->a, 16)
					: arena_strndup(rq->a, value, DEVICE_CHARS),
	};
	memcpy(text, out->device, DEVICE_CHARS);
	means_digest(kind, means, n, text + DEVICE_CHARS);
	if (!signer_mac(rq->app->signer, rq->a, KEY_COOKIE, k->row.kid, "known browser",
			(struct bytes){text, sizeof(text)}, mac, err))
		return false;
	out->mark = enc_base64url(rq->a, (struct bytes){mac, sizeof(mac)});
	while (next_mark(&at, &mark))
		out->known = bytes_eq_secret(mark, bytes_of(out->mark)) || out->known;
	return true;
}

void
login_known_keep(struct request *rq, const struct login_known *known, struct response *rs)
{
	const char *value = cookie_of(rq), *at = value == NULL ? "" : value + DEVICE_CHARS;
	struct bytes mark;
	struct buf b;

	buf_init(&b, rq->a, VALUE_MOST + 1);
	buf_printf(&b, "%s.%s", known->device, known->mark);
	while (next_mark(&at, &mark) && b.n < VALUE_MOST) {
		if (bytes_eq(mark, bytes_of(known->mark)))
			continue;
		buf_char(&b, '.');
		buf_add(&b, mark);
	}
	response_cookie(rq, rs, COOKIE, (const char *)b.p, COOKIE_S);
}
