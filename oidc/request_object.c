/* Request objects; see request_object.h. */
#include "oidc/request_object.h"

#include <string.h>

#include "base/text.h"
#include "oidc/error.h"
#include "oidc/jws.h"

#define PARAMS_MAX    64
#define JTI_MAX_BYTES 256

/* FAPI2MS 5.3.1: made at most so long ago, and good for at most so long. */
#define LIVES_MAX_S 3600
/* FAPI 2.0 5.3.2.1: 10 s off must pass, more than 60 s must not. */
#define EXPIRED_SKEW_S 10
#define FUTURE_SKEW_S  60

#define DENY(err, ...) \
	FAIL((err), ERR_DENIED, OIDC_INVALID_REQUEST_OBJECT, "request object: " __VA_ARGS__)

static const char *
text_claim(const json_t *claims, const char *name)
{
	return json_string_value(json_object_get(claims, name));
}

/* FAPI2MS 5.3.1, RFC 9101 5: one text, or a list with us in it. */
static bool
is_for_us(const json_t *claims, const char *issuer)
{
	const json_t *aud = json_object_get(claims, "aud");

	for (size_t i = 0; i < json_array_size(aud); i++)
		if (text_eq(json_string_value(json_array_get(aud, i)), issuer))
			return true;
	return text_eq(json_string_value(aud), issuer);
}

bool
oidc_is_for_us_alone(const json_t *claims, const char *issuer)
{
	const json_t *aud = json_object_get(claims, "aud");

	if (json_array_size(aud) == 1)
		aud = json_array_get(aud, 0);
	return text_eq(json_string_value(aud), issuer);
}

static bool
check_parties(const json_t *claims, const struct oidc_client *client, const char *issuer,
	      struct err *err)
{
	const char *id = text_claim(claims, "client_id");

	if (!text_eq(text_claim(claims, "iss"), client->client_id))
		return DENY(err, "iss is not the client");
	/* RFC 9101 5: the same as beside it, which the client was found by. */
	if (json_object_get(claims, "client_id") != NULL && !text_eq(id, client->client_id))
		return DENY(err, "client_id is another");
	if (!is_for_us(claims, issuer))
		return DENY(err, "aud is not ours");
	/* RFC 9101 10.8: it could pass as an assertion of who the client is. */
	if (text_eq(text_claim(claims, "sub"), client->client_id))
		return DENY(err, "sub is the client");
	if (json_object_get(claims, "request") != NULL ||
	    json_object_get(claims, "request_uri") != NULL) /* RFC 9101 4 */
		return DENY(err, "a request in a request");
	return true;
}

static bool
check_times(const json_t *claims, bool demanded, time_t now, int64_t *exp, struct err *err)
{
	int64_t nbf = now, iat;

	*exp = now + LIVES_MAX_S;
	/* What counts once has its time by itself, so that it is the same each time it comes. */
	if (json_object_get(claims, "jti") != NULL && json_object_get(claims, "exp") == NULL) {
		if (json_object_get(claims, "iat") == NULL)
			return DENY(err, "a jti and neither exp nor iat");
		if (!json_get_i64(claims, "iat", &iat, err))
			return err_name(err, OIDC_INVALID_REQUEST_OBJECT);
		if (iat > now + FUTURE_SKEW_S)
			return DENY(err, "iat is ahead of us");
		*exp = iat + LIVES_MAX_S;
		nbf = iat;
	}
	if (!json_get_i64(claims, "exp", exp, err) || !json_get_i64(claims, "nbf", &nbf, err))
		return err_name(err, OIDC_INVALID_REQUEST_OBJECT);
	if (demanded &&
	    (json_object_get(claims, "exp") == NULL || json_object_get(claims, "nbf") == NULL))
		return DENY(err, "exp or nbf is missing");
	if (*exp < now - EXPIRED_SKEW_S)
		return DENY(err, "exp is past");
	if (nbf > now + FUTURE_SKEW_S)
		return DENY(err, "nbf is ahead of us");
	if (nbf < now - LIVES_MAX_S)
		return DENY(err, "nbf is too long ago");
	if (*exp > nbf + LIVES_MAX_S)
		return DENY(err, "exp is too far ahead");
	return true;
}

static bool
check_jti(struct arena *a, const json_t *claims, int64_t exp, struct oidc_request_object *out,
	  struct err *err)
{
	const char *jti = text_claim(claims, "jti");

	if (json_object_get(claims, "jti") == NULL)
		return true;
	if (jti == NULL || !text_is_visible_ascii(jti, JTI_MAX_BYTES))
		return DENY(err, "jti is malformed");
	out->jti = arena_strdup(a, jti);
	out->jti_expires = (time_t)exp + EXPIRED_SKEW_S + 1;
	return true;
}

/* Claims of the token itself; the rest are parameters. */
static bool
is_own(const char *name)
{
	static const char *const names[] = {"iss", "aud", "sub", "exp", "nbf", "iat", "jti"};

	return text_in(names, ARRAY_LEN(names), name);
}

/* Texts as they are, all else as JSON (RFC 9101 4): "claims" is an object, max_age a number. */
static const char *
value_of(struct arena *a, const json_t *v)
{
	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_object(v) || json_is_array(v))
		return json_text(a, v, false);
	if (json_is_integer(v))
		return arena_printf(a, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	if (json_is_real(v))
		return arena_printf(a, "%g", json_real_value(v));
	return json_is_true(v) ? "true" : "false";
}

static bool
add(struct param *p, size_t *n, const char *name, const char *value, struct err *err)
{
	if (*n == PARAMS_MAX)
		return DENY(err, "more than %d parameters", PARAMS_MAX);
	p[(*n)++] = (struct param){name, value};
	return true;
}

/* RFC 8707 2: the one parameter that may come several times. */
static bool
add_list(struct arena *a, struct param *p, size_t *n, const char *name, const json_t *list,
	 struct err *err)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!add(p, n, name, value_of(a, json_array_get(list, i)), err))
			return false;
	return true;
}

static bool
params_of(struct arena *a, json_t *claims, const struct oidc_client *client, struct params *out,
	  struct err *err)
{
	struct param *p = ARENA_ARRAY(a, struct param, PARAMS_MAX);
	size_t n = 0;
	const char *name;
	json_t *v;

	p[n++] = (struct param){"client_id", client->client_id};
	json_object_foreach(claims, name, v)
	{
		if (is_own(name) || strcmp(name, "client_id") == 0 || json_is_null(v))
			continue;
		if (strcmp(name, "resource") == 0 && json_is_array(v)
			    ? !add_list(a, p, &n, name, v, err)
			    : !add(p, &n, name, value_of(a, v), err))
			return false;
	}
	*out = (struct params){p, n};
	return true;
}

/* Its key's algorithm is the record's business; which of them counts here, too. */
static bool
check_alg(const struct oidc_client *client, enum oidc_alg registered, enum oidc_alg alg,
	  struct err *err)
{
	if (registered != OIDC_ALG_NONE && registered != alg)
		return DENY(err, "alg is not the registered one");
	if ((client->profile->checks & OIDC_CHECK_STRONG_ALGS) != 0 && alg == OIDC_RS256)
		return DENY(err, "RS256 is not good enough for its profile");
	return true;
}

/* Signed by the client, for us and for now: its parameters. */
static bool
read_signed(struct arena *a, const struct oidc_jws *jws, const struct oidc_client *client,
	    const char *issuer, bool timed, time_t now, struct oidc_request_object *out,
	    struct err *err)
{
	struct oidc_request_object o = {0};
	const struct oidc_signed *s;
	int64_t exp;

	if (!oidc_jws_verify(a, jws, &client->jwks, &s, err)) {
		out->unfit = err != NULL && err->kind == ERR_DENIED;
		return err_name(err, OIDC_INVALID_REQUEST_OBJECT);
	}
	/* RFC 8725 3.11, RFC 9101 10.8; "JWT" says as much as none. */
	if (!oidc_signed_typ_is(s, NULL) && !oidc_signed_typ_is(s, "JWT") &&
	    !oidc_signed_typ_is(s, "oauth-authz-req+jwt"))
		return DENY(err, "typ is of something else");
	/* Its members are only looked at. */
	json_t *claims = (json_t *)(uintptr_t)oidc_signed_claims(s);

	if (!check_parties(claims, client, issuer, err) ||
	    !check_times(claims, timed, now, &exp, err) || !check_jti(a, claims, exp, &o, err) ||
	    !params_of(a, claims, client, &o.ps, err))
		return false;
	o.has_iat = json_is_integer(json_object_get(claims, "iat"));
	*out = o;
	return true;
}

bool
oidc_request_object_read(struct arena *a, const char *text, const struct oidc_client *client,
			 const char *issuer, const struct oidc_jwe_keys *ours, time_t now,
			 struct oidc_request_object *out, struct err *err)
{
	bool timed = (client->profile->checks & OIDC_CHECK_TIMED_REQUEST) != 0;
	struct oidc_jws jws;

	out->unfit = false;
	if (!(oidc_is_jwe(bytes_of(text)) ? oidc_jwe_open_jws(a, bytes_of(text), ours, &jws, err)
					  : oidc_jws_parse(a, bytes_of(text), &jws, err)))
		return err != NULL && err->kind == ERR_UNAVAILABLE /* our fault, not its */
			       ? false
			       : err_name(err, OIDC_INVALID_REQUEST_OBJECT);
	return check_alg(client, client->request_object_alg, jws.alg, err) &&
	       read_signed(a, &jws, client, issuer, timed, now, out, err);
}

bool
oidc_ciba_request_read(struct arena *a, const char *text, const struct oidc_client *client,
		       const char *issuer, time_t now, struct oidc_request_object *out,
		       struct err *err)
{
	struct oidc_jws jws;
	struct err why = {0};

	out->unfit = false;
	if (client->ciba_request_alg == OIDC_ALG_NONE)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "a signed request of a client that registered no algorithm for it");
	if (!oidc_jws_parse(a, bytes_of(text), &jws, &why) ||
	    !check_alg(client, client->ciba_request_alg, jws.alg, &why) ||
	    !read_signed(a, &jws, client, issuer, true, now, out, &why))
		return FAIL(err, why.kind, OIDC_INVALID_REQUEST, "%s", why.text);
	if (out->jti == NULL || !out->has_iat)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "jti or iat is missing");
	return true;
}
