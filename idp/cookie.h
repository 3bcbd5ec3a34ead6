/*
 * Cookies: all ours are __Host-NAME, HttpOnly, Secure, SameSite=Lax.  Cookies
 * of other names (a parent domain may set them) are passed over unread.
 */
#ifndef KONTOR_IDP_COOKIE_H
#define KONTOR_IDP_COOKIE_H

#include "idp/response.h"

#define COOKIE_VALUE_MAX_BYTES 4000

/*
 * Step through a Cookie header (RFC 6265 4.2.1): *name and *value of the next
 * pair, *rest what follows.  False at the end.  A part without '=' is a pair
 * with an empty name.
 */
MUST_USE bool cookie_next(struct bytes *rest, struct bytes *name, struct bytes *value);

/* A cookie of ours: the __Host- prefix; *name loses it. */
MUST_USE bool cookie_is_ours(struct bytes *name);

/* Only cookie-octets (RFC 6265 4.1.1), at most COOKIE_VALUE_MAX_BYTES; may be empty. */
MUST_USE bool cookie_value_ok(struct bytes value);

/*
 * Our cookies of the header, names without the prefix.  ERR_INPUT: one of our
 * names twice, or with a value we never wrote.
 */
MUST_USE bool cookies_parse(struct arena *a, struct bytes header, struct params *out,
			    struct err *err);

#endif
