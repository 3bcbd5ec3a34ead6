/* Time-based one-time codes (RFC 6238): SHA-1, 30 s, six digits, one step of tolerance each way. */
#ifndef KONTOR_IDP_TOTP_H
#define KONTOR_IDP_TOTP_H

#include "base/arena.h"
#include "base/err.h"

#define TOTP_SECRET_BYTES 20 /* RFC 4226 4 R6 */
#define TOTP_DIGITS       6

/*
 * *step is the time step `code` belongs to, 0 when it belongs to none of the
 * three around `now`.  Whether that step was used before is the database's to
 * say (db_credential_totp_step).
 */
MUST_USE bool totp_match(struct bytes secret, const char *code, time_t now, int64_t *step,
			 struct err *err);

/* The last step of which totp_match would take a code at `now`. */
int64_t totp_last_step(time_t now);

/* Base32 without padding, as apps take it typed; and in groups of four. */
MUST_USE bool totp_secret_text(struct arena *a, struct bytes secret, const char **out,
			       struct err *err);

/* otpauth URI for the QR code. */
const char *totp_uri(struct arena *a, const char *issuer, const char *secret_text);

#endif
