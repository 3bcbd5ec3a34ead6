/* One-time codes over liboath; see totp.h. */
#include "idp/totp.h"

#include <stdlib.h>
#include <string.h>

#include <liboath/oath.h>

#include "base/buf.h"
#include "base/enc.h"

#define STEP_S 30
#define WINDOW 1

bool
totp_match(struct bytes secret, const char *code, time_t now, int64_t *step, struct err *err)
{
	uint64_t counter = 0;
	int pos;

	if (strlen(code) != TOTP_DIGITS || strspn(code, "0123456789") != TOTP_DIGITS) {
		*step = 0;
		return true;
	}
	int rc = oath_totp_validate4((const char *)secret.p, secret.n, now, STEP_S, 0, WINDOW, &pos,
				     &counter, 0, code);

	if (rc < 0 && rc != OATH_INVALID_OTP)
		return FAIL(err, ERR_INTERNAL, NULL, "one-time code: %s", oath_strerror_name(rc));
	*step = rc < 0 ? 0 : (int64_t)counter;
	return true;
}

int64_t
totp_last_step(time_t now)
{
	return now / STEP_S + WINDOW;
}

bool
totp_secret_text(struct arena *a, struct bytes secret, const char **out, struct err *err)
{
	char *text = NULL;
	size_t n;

	if (oath_base32_encode((const char *)secret.p, secret.n, &text, &n) != OATH_OK)
		return FAIL(err, ERR_INTERNAL, NULL, "base32 failed");
	*out = arena_strndup(a, text, strcspn(text, "="));
	wipe(text, n);
	free(text);
	return true;
}

const char *
totp_uri(struct arena *a, const char *issuer, const char *secret_text)
{
	struct buf b;

	buf_init(&b, a, 4096);
	buf_str(&b, "otpauth://totp/");
	enc_percent(&b, bytes_of(issuer));
	buf_printf(&b, "?secret=%s&issuer=", secret_text);
	enc_percent(&b, bytes_of(issuer));
	buf_printf(&b, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS, STEP_S);
	return b.over ? "" : (const char *)b.p;
}
