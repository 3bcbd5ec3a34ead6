/* Authentication requests at the back channel; see backchannel.h. */
#include "oidc/backchannel.h"

#include <string.h>

#include "base/text.h"
#include "oidc/authorize.h"
#include "oidc/error.h"
#include "oidc/jws.h"
#include "oidc/request_object.h"

#define HINT_MAX_BYTES   256
#define TOKEN_MAX_BYTES  (16 * 1024)
#define NUMBER_MAX_BYTES 20

/* Of the client's token: CIBA Core 1.0, 7.1. */
#define NOTIFICATION_MIN 16
#define NOTIFICATION_MAX 1024

#define EXPIRY_LIMIT_S   (365 * 86400)
#define HINT_LIVES_MAX_S 3600
#define EXPIRED_SKEW_S   10 /* as for request objects */

#define BAD(err, ...)    FAIL((err), ERR_INPUT, OIDC_INVALID_REQUEST, __VA_ARGS__)

/* ---- its parameters ---- */

static bool
parse_hints(const struct params *ps, struct oidc_backchannel *out, struct err *err)
{
	if (!oidc_param(ps, "login_hint", HINT_MAX_BYTES, &out->login_hint, err) ||
	    !oidc_param(ps, "id_token_hint", TOKEN_MAX_BYTES, &out->id_token_hint, err) ||
	    !oidc_param(ps, "login_hint_token", TOKEN_MAX_BYTES, &out->login_hint_token, err))
		return false;
	int n = (out->login_hint != NULL) + (out->id_token_hint != NULL) +
		(out->login_hint_token != NULL);

	return n == 1 || BAD(err, "%d hints, and not one", n);
}

/* Shown as it is: no controls, nothing invisible, of another direction or made of two. */
static bool
is_shown(uint32_t cp)
{
	return (cp >= 0x20 && cp < 0x7f) || (cp > 0xa0 && cp < 0x180 && cp != 0xad) ||
	       cp == 0x1e9e /* capital sharp s */ || cp == 0x2013 || cp == 0x20ac;
}

/* Blanks at an end or side by side a browser would not show. */
static bool
is_message(const char *s)
{
	size_t n = strlen(s), count = 0;
	uint32_t cp, before = ' ';

	for (size_t i = 0; i < n; count++) {
		size_t len = text_utf8_next((const unsigned char *)s + i, n - i, &cp);

		if (len == 0 || !is_shown(cp) || (cp == ' ' && before == ' '))
			return false;
		before = cp;
		i += len;
	}
	return count <= OIDC_BINDING_MESSAGE_MAX && before != ' ';
}

static bool
parse_message(const struct params *ps, const struct oidc_client *client, const char **out,
	      struct err *err)
{
	bool demanded = (client->profile->checks & OIDC_CHECK_CIBA) != 0;

	if (!oidc_param_text(ps, "binding_message", TOKEN_MAX_BYTES, out, err))
		return false;
	if (*out == NULL)
		return !demanded || FAIL(err, ERR_INPUT, OIDC_INVALID_BINDING_MESSAGE,
					 "no binding_message, which the profile demands");
	return is_message(*out) || FAIL(err, ERR_INPUT, OIDC_INVALID_BINDING_MESSAGE,
					"a binding_message that cannot be shown as it is");
}

/* RFC 6750 2.1 */
static bool
is_bearer_token(const char *s)
{
	size_t n =
		strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");

	return n > 0 && s[n + strspn(s + n, "=")] == '\0';
}

/* Who polls is not told, whatever it sends. */
static bool
parse_notification(const struct params *ps, const struct oidc_client *client, const char **out,
		   struct err *err)
{
	if (!oidc_param(ps, "client_notification_token", NOTIFICATION_MAX, out, err))
		return false;
	if (client->delivery != OIDC_DELIVERY_PING) {
		*out = NULL;
		return true;
	}
	return (*out != NULL && strlen(*out) >= NOTIFICATION_MIN && is_bearer_token(*out)) ||
	       BAD(err, "client_notification_token is missing, too short or no bearer token");
}

static bool
parse_expiry(const struct params *ps, int64_t *out, struct err *err)
{
	const char *text;
	uint64_t s = 0;

	if (!oidc_param(ps, "requested_expiry", NUMBER_MAX_BYTES, &text, err))
		return false;
	if (text != NULL && (!text_to_u64(text, EXPIRY_LIMIT_S, &s) || s == 0))
		return BAD(err, "requested_expiry is no number of seconds");
	*out = (int64_t)s;
	return true;
}

/* What would be another question if it were passed over. */
static bool
check_unsupported(const struct params *ps, struct err *err)
{
	static const char *const names[] = {"user_code", "request_uri", "claims"};
	const char *value;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (params_find(ps, names[i], &value) > 0)
			return BAD(err, "%s is not supported", names[i]);
	return true;
}

/* CIBA Core 1.0, 7.1 */
static bool
check_openid(struct oidc_strs scopes, struct err *err)
{
	return oidc_strs_have(scopes, "openid") ||
	       FAIL(err, ERR_INPUT, OIDC_INVALID_SCOPE, "scope without openid");
}

bool
oidc_backchannel_parse(struct arena *a, const struct params *ps, const struct oidc_client *client,
		       struct oidc_backchannel *out, struct err *err)
{
	struct oidc_backchannel r = {0};

	if (!check_unsupported(ps, err) || !oidc_authorize_scopes(a, ps, client, &r.scopes, err) ||
	    !check_openid(r.scopes, err) || !parse_hints(ps, &r, err) ||
	    !parse_message(ps, client, &r.message, err) ||
	    !parse_notification(ps, client, &r.notification_token, err) ||
	    !parse_expiry(ps, &r.expiry_s, err) ||
	    !oidc_authorize_resources(a, ps, client, &r.resources, err) ||
	    !oidc_param_words(a, ps, "acr_values", OIDC_ACR_MAX, &r.acr, err))
		return false;
	*out = r;
	return true;
}

bool
oidc_backchannel_check_beside(const struct params *ps, struct err *err)
{
	static const char *const names[] = {
		"scope",
		"client_notification_token",
		"acr_values",
		"login_hint_token",
		"id_token_hint",
		"login_hint",
		"binding_message",
		"user_code",
		"requested_expiry",
		"request_uri",
		"resource",
		"authorization_details",
	};
	const char *value;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (params_find(ps, names[i], &value) > 0)
			return BAD(err, "%s beside a signed request", names[i]);
	return true;
}

/* ---- the client's word for a person ---- */

static const char *
text_claim(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static bool
check_hint_times(const json_t *claims, time_t now, struct err *err)
{
	int64_t exp = 0;

	if (!json_get_i64(claims, "exp", &exp, err))
		return err_name(err, OIDC_INVALID_REQUEST);
	if (exp == 0)
		return BAD(err, "login_hint_token: exp is missing");
	if (exp < now - EXPIRED_SKEW_S)
		return FAIL(err, ERR_DENIED, OIDC_EXPIRED_LOGIN_HINT_TOKEN,
			    "a login_hint_token that has expired");
	return exp <= now + HINT_LIVES_MAX_S || BAD(err, "login_hint_token: exp is too far ahead");
}

/* RFC 9493 3.2.4 */
static bool
read_sub(struct arena *a, const json_t *claims, const char *issuer, const char **sub,
	 struct err *err)
{
	const json_t *id = json_object_get(claims, "sub_id");
	const char *s = text_claim(id, "sub");

	if (!text_eq(text_claim(id, "format"), "iss_sub") ||
	    !text_eq(text_claim(id, "iss"), issuer) || s == NULL)
		return BAD(err, "login_hint_token: sub_id names nobody of ours");
	*sub = arena_strdup(a, s);
	return true;
}

bool
oidc_login_hint_token_read(struct arena *a, const char *text, const struct oidc_client *client,
			   const char *issuer, time_t now, bool *unfit, const char **sub,
			   struct err *err)
{
	const struct oidc_signed *s;
	struct oidc_jws jws;

	*unfit = false;
	if (!oidc_jws_parse(a, bytes_of(text), &jws, err))
		return err_name(err, OIDC_INVALID_REQUEST);
	if (!oidc_jws_verify(a, &jws, &client->jwks, &s, err)) {
		*unfit = err != NULL && err->kind == ERR_DENIED;
		return err_name(err, OIDC_INVALID_REQUEST);
	}
	const json_t *claims = oidc_signed_claims(s);

	if (!text_eq(text_claim(claims, "iss"), client->client_id) ||
	    !oidc_is_for_us_alone(claims, issuer))
		return BAD(err, "login_hint_token: not this client's word for us");
	return check_hint_times(claims, now, err) && read_sub(a, claims, issuer, sub, err);
}
