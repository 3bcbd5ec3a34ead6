/* Client authentication; see client_auth.h. */
#include "oidc/client_auth.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "oidc/error.h"

#define ID_MAX_BYTES     256
#define SECRET_MAX_BYTES 256
#define TYPE_MAX_BYTES   128
#define JTI_MAX_BYTES    256

/* FAPI 2.0 5.3.2.1: 10 s off must pass, more than 60 s must not. */
#define EXPIRED_SKEW_S 10
#define FUTURE_SKEW_S  60
/* Common libraries sign for a minute to an hour; every jti is remembered that long. */
#define ASSERTION_MAX_S 3600

#define DENY(err, ...)  FAIL((err), ERR_DENIED, OIDC_INVALID_CLIENT, __VA_ARGS__)
#define BAD(err, ...)   FAIL((err), ERR_INPUT, OIDC_INVALID_CLIENT, __VA_ARGS__)

/* What a request offers as credentials; NULL where absent. */
struct offered {
	const char *authorization, *client_id, *secret, *assertion, *assertion_type;
};

static bool
basic_present(const struct offered *o)
{
	return o->authorization != NULL;
}

static bool
post_present(const struct offered *o)
{
	return o->secret != NULL;
}

static bool
key_present(const struct offered *o)
{
	return o->assertion != NULL || o->assertion_type != NULL;
}

/* One half of the pair, form-encoded before it was joined (RFC 6749 2.3.1). */
static bool
basic_half(struct arena *a, struct bytes encoded, const char **out, struct err *err)
{
	struct bytes plain;

	return dec_form(a, encoded, &plain, err) &&
	       text_from_bytes(a, plain, ID_MAX_BYTES, "Basic credentials", out, err);
}

static bool
basic_parse(struct arena *a, const struct offered *o, struct oidc_client_auth *out, struct err *err)
{
	struct bytes id, secret;

	if (!dec_basic(a, o->authorization, &id, &secret, err) ||
	    !basic_half(a, id, &out->client_id, err) || !basic_half(a, secret, &out->secret, err))
		return err_name(err, OIDC_INVALID_CLIENT);
	return true;
}

static bool
post_parse(struct arena *a UNUSED, const struct offered *o, struct oidc_client_auth *out,
	   struct err *err)
{
	if (o->client_id == NULL)
		return BAD(err, "client_secret without client_id");
	out->client_id = o->client_id;
	out->secret = o->secret;
	return true;
}

static bool
key_parse(struct arena *a, const struct offered *o, struct oidc_client_auth *out, struct err *err)
{
	if (!text_eq(o->assertion_type, OIDC_ASSERTION_TYPE) || o->assertion == NULL)
		return BAD(err, "client_assertion or its type is missing or another");
	if (!oidc_jws_parse_proof(a, bytes_of(o->assertion), &out->assertion, err) ||
	    !oidc_jws_claimed(a, &out->assertion, "sub", &out->client_id, err))
		return err_name(err, OIDC_INVALID_CLIENT);
	if (out->assertion.alg == OIDC_HS256)
		out->method = OIDC_AUTH_SECRET_JWT;
	return out->client_id != NULL || BAD(err, "client_assertion without sub");
}

/* RFC 6749 2.3.1, 3.2.1: who it is without any credentials. */
static bool
public_present(const struct offered *o)
{
	return o->client_id != NULL && !basic_present(o) && !post_present(o) && !key_present(o);
}

static bool
public_parse(struct arena *a UNUSED, const struct offered *o, struct oidc_client_auth *out,
	     struct err *err UNUSED)
{
	out->client_id = o->client_id;
	return true;
}

static bool
public_check(struct arena *a UNUSED, const struct oidc_client_auth *auth UNUSED,
	     const struct oidc_client *client UNUSED, const struct oidc_server *server UNUSED,
	     time_t now UNUSED, struct oidc_client_proof *out UNUSED, struct err *err UNUSED)
{
	return true;
}

static bool
secret_check(struct arena *a UNUSED, const struct oidc_client_auth *auth,
	     const struct oidc_client *client, const struct oidc_server *server UNUSED,
	     time_t now UNUSED, struct oidc_client_proof *out UNUSED, struct err *err)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(auth->secret), digest);
	if (!bytes_eq_secret((struct bytes){digest, sizeof(digest)}, client->secret_sha256))
		return DENY(err, "wrong client_secret");
	return true;
}

/* RFC 7523 3 with FAPI 2.0 5.3.2.1: one text, not a list, so that nobody else can be meant too. */
static bool
check_audience(const json_t *claims, const struct oidc_client *client,
	       const struct oidc_server *server, struct err *err)
{
	const char *aud = json_string_value(json_object_get(claims, "aud"));

	if (aud == NULL)
		return DENY(err, "assertion: aud is missing or not one text");
	if (strcmp(aud, server->issuer) == 0 ||
	    (client->assertion_audience == OIDC_AUDIENCE_TOKEN_ENDPOINT &&
	     (strcmp(aud, server->token_endpoint) == 0 ||
	      text_eq(aud, server->mtls_token_endpoint))))
		return true;
	return DENY(err, "assertion: aud is not ours");
}

/* exp is demanded; iat and nbf may be there.  *expires becomes when exp can no longer pass. */
static bool
check_times(const json_t *claims, time_t now, time_t *expires, struct err *err)
{
	int64_t exp = 0, iat = now, nbf = now;

	if (!json_get_i64(claims, "exp", &exp, err) || !json_get_i64(claims, "iat", &iat, err) ||
	    !json_get_i64(claims, "nbf", &nbf, err))
		return err_name(err, OIDC_INVALID_CLIENT);
	if (exp < now - EXPIRED_SKEW_S)
		return DENY(err, "assertion: exp is missing or past");
	if (exp > now + ASSERTION_MAX_S + FUTURE_SKEW_S)
		return DENY(err, "assertion: exp is too far ahead");
	if (iat > now + FUTURE_SKEW_S || nbf > now + FUTURE_SKEW_S)
		return DENY(err, "assertion: iat or nbf is ahead of us");
	*expires = (time_t)exp + EXPIRED_SKEW_S + 1;
	return true;
}

static bool
check_claims(struct arena *a, const json_t *claims, const struct oidc_client *client,
	     const struct oidc_server *server, time_t now, struct oidc_client_proof *out,
	     struct err *err)
{
	const char *iss = json_string_value(json_object_get(claims, "iss"));
	const char *sub = json_string_value(json_object_get(claims, "sub"));
	const char *jti = json_string_value(json_object_get(claims, "jti"));

	if (!text_eq(iss, client->client_id))
		return DENY(err, "assertion: iss is not the client");
	/* second line: the client was looked up by the sub of these very octets */
	if (!text_eq(sub, client->client_id))
		return DENY(err, "assertion: sub is not the client");
	if (!check_audience(claims, client, server, err) ||
	    !check_times(claims, now, &out->jti_expires, err))
		return false;
	if (jti == NULL || !text_is_visible_ascii(jti, JTI_MAX_BYTES))
		return DENY(err, "assertion: jti is missing or malformed");
	out->jti = arena_strdup(a, jti);
	return true;
}

static bool
tls_check(struct arena *a UNUSED, const struct oidc_client_auth *auth,
	  const struct oidc_client *client, const struct oidc_server *server UNUSED, time_t now,
	  struct oidc_client_proof *out UNUSED, struct err *err)
{
	if (auth->certificate == NULL)
		return DENY(err, "no client certificate");
	return oidc_certificate_check(auth->certificate, client, now, err);
}

static bool
check_assertion(struct arena *a, const struct oidc_signed *s, const struct oidc_client *client,
		const struct oidc_server *server, time_t now, struct oidc_client_proof *out,
		struct err *err)
{
	/* A token made for something else is no proof (RFC 8725 3.11). */
	if (!oidc_signed_typ_is(s, NULL) && !oidc_signed_typ_is(s, "JWT") &&
	    !oidc_signed_typ_is(s, "client-authentication+jwt"))
		return DENY(err, "assertion: typ is of something else");
	return check_claims(a, oidc_signed_claims(s), client, server, now, out, err);
}

static bool
key_check(struct arena *a, const struct oidc_client_auth *auth, const struct oidc_client *client,
	  const struct oidc_server *server, time_t now, struct oidc_client_proof *out,
	  struct err *err)
{
	const struct oidc_signed *s;

	if (client->auth_alg != OIDC_ALG_NONE && client->auth_alg != auth->assertion.alg)
		return DENY(err, "assertion: alg is not the registered one");
	if (!oidc_jws_verify(a, &auth->assertion, &client->jwks, &s, err))
		return err_name(err, OIDC_INVALID_CLIENT);
	return check_assertion(a, s, client, server, now, out, err);
}

/* What cannot be asked now (ERR_UNAVAILABLE) keeps its own name: that is no verdict on the client.
 */
static bool
mac_check(struct arena *a, const struct oidc_client_auth *auth, const struct oidc_client *client,
	  const struct oidc_server *server, time_t now, struct oidc_client_proof *out,
	  struct err *err)
{
	const struct oidc_signed *s;
	struct err why = {0};

	if (client->secret_sealed.n == 0)
		return DENY(err, "assertion: no secret is kept for it");
	if (!oidc_jws_verify_mac(a, &auth->assertion, &server->mac, client->client_id,
				 client->secret_sealed, &s, &why))
		return FAIL(err, why.kind, why.kind == ERR_UNAVAILABLE ? NULL : OIDC_INVALID_CLIENT,
			    "assertion: %s", why.text);
	return check_assertion(a, s, client, server, now, out, err);
}

static const struct method {
	enum oidc_auth_method method;
	bool (*present)(const struct offered *o);
	bool (*parse)(struct arena *a, const struct offered *o, struct oidc_client_auth *out,
		      struct err *err);
	bool (*check)(struct arena *a, const struct oidc_client_auth *auth,
		      const struct oidc_client *client, const struct oidc_server *server,
		      time_t now, struct oidc_client_proof *out, struct err *err);
} methods[] = {
	{OIDC_AUTH_BASIC, basic_present, basic_parse, secret_check},
	{OIDC_AUTH_POST, post_present, post_parse, secret_check},
	{OIDC_AUTH_PRIVATE_KEY, key_present, key_parse, key_check},
	/* its assertion is told from the one above by its alg */
	{OIDC_AUTH_SECRET_JWT, NULL, NULL, mac_check},
	{OIDC_AUTH_PUBLIC, public_present, public_parse, public_check},
	/* their requests look like those of public clients */
	{OIDC_AUTH_TLS, NULL, NULL, tls_check},
	{OIDC_AUTH_SELF_SIGNED_TLS, NULL, NULL, tls_check},
};

static bool
read_offered(const char *authorization, const struct params *form, struct offered *out,
	     struct err *err)
{
	out->authorization = authorization;
	return oidc_param(form, "client_id", ID_MAX_BYTES, &out->client_id, err) &&
	       oidc_param(form, "client_secret", SECRET_MAX_BYTES, &out->secret, err) &&
	       oidc_param(form, "client_assertion", OIDC_JWS_MAX_BYTES, &out->assertion, err) &&
	       oidc_param(form, "client_assertion_type", TYPE_MAX_BYTES, &out->assertion_type, err);
}

bool
oidc_client_auth_parse(struct arena *a, const char *authorization, const struct params *form,
		       struct oidc_client_auth *out, struct err *err)
{
	const struct method *used = NULL;
	struct oidc_client_auth auth = {0};
	struct offered o;

	if (!read_offered(authorization, form, &o, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (methods[i].present == NULL || !methods[i].present(&o))
			continue;
		if (used != NULL)
			return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
				    "more than one way of client authentication");
		used = &methods[i];
	}
	if (used == NULL)
		return BAD(err, "no client authentication");
	auth.method = used->method;
	if (!used->parse(a, &o, &auth, err))
		return false;
	if (o.client_id != NULL && strcmp(o.client_id, auth.client_id) != 0)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "client_id differs from the authentication");
	*out = auth;
	return true;
}

bool
oidc_client_auth_check(struct arena *a, const struct oidc_client_auth *auth,
		       const struct oidc_client *client, const struct oidc_server *server,
		       time_t now, struct oidc_client_proof *out, struct err *err)
{
	struct oidc_client_proof proof = {.client = client};

	if (client == NULL || strcmp(client->client_id, auth->client_id) != 0)
		return DENY(err, "no such client");
	/* RFC 8705 2: the certificate goes with a client_id and nothing else. */
	bool by_tls = auth->method == OIDC_AUTH_PUBLIC && oidc_client_has_tls(client);

	if (auth->method != client->auth_method && !by_tls)
		return DENY(err, "not the registered way of client authentication");
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (methods[i].method == client->auth_method) {
			if (!methods[i].check(a, auth, client, server, now, &proof, err))
				return false;
			*out = proof;
			return true;
		}
	return DENY(err, "no such way of client authentication");
}
