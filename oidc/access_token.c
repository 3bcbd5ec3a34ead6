/* Access tokens for resource servers; see access_token.h. */
#include "oidc/access_token.h"

#include <string.h>

#include "base/text.h"
#include "oidc/error.h"

#define TYPE               "at+jwt"
#define INTROSPECTION_TYPE "token-introspection+jwt"
#define OBJECT_MAX_BYTES   8192

/* Our own JSON, as it was stored. */
static void
put_object(struct arena *a, json_t *o, const char *name, const char *text)
{
	json_t *v;

	if (text != NULL && json_parse_object(a, bytes_of(text), OBJECT_MAX_BYTES, &v, NULL))
		json_put(a, o, name, v);
}

/* RFC 9068 2.2, RFC 7662 2.2: the members that both have. */
static json_t *
members_of(struct arena *a, const struct oidc_access_token *t)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "iss", t->issuer);
	json_put_str(a, o, "sub", t->sub);
	json_put_str(a, o, "aud", t->audience);
	json_put_str(a, o, "client_id", t->client_id);
	json_put_i64(a, o, "iat", t->issued);
	json_put_i64(a, o, "exp", t->expires);
	json_put_str(a, o, "jti", t->jti);
	if (*t->scope != '\0')
		json_put_str(a, o, "scope", t->scope);
	json_put_str(a, o, "acr", t->acr);
	if (t->auth_time != 0)
		json_put_i64(a, o, "auth_time", t->auth_time);
	put_object(a, o, "cnf", t->cnf);
	put_object(a, o, "act", t->act);
	if (t->details != NULL)
		json_put(a, o, "authorization_details", t->details);
	return o;
}

bool
oidc_access_token_build(struct arena *a, const struct key_ops *ops, const char *kid,
			enum oidc_alg alg, const struct oidc_access_token *t, const char **compact,
			struct err *err)
{
	return oidc_jws_build(a, ops, kid, alg, TYPE, members_of(a, t), compact, err);
}

bool
oidc_access_token_is_jwt(const char *text)
{
	const char *dot = strchr(text, '.');

	return dot != NULL && strchr(dot + 1, '.') != NULL;
}

bool
oidc_access_token_jti(struct arena *a, const char *text, const struct oidc_jwks *ours,
		      const char *issuer, const char **jti, struct err *err)
{
	const struct oidc_signed *s;
	struct oidc_jws jws;

	if (!oidc_jws_parse(a, bytes_of(text), &jws, err) ||
	    !oidc_jws_verify(a, &jws, ours, &s, err))
		return err_name(err, OIDC_INVALID_TOKEN);
	if (!oidc_signed_typ_is(s, TYPE))
		return FAIL(err, ERR_DENIED, OIDC_INVALID_TOKEN, "a token of another type");
	/* second line: nobody else signs with our keys */
	if (!text_eq(json_string_value(json_object_get(oidc_signed_claims(s), "iss")), issuer))
		return FAIL(err, ERR_DENIED, OIDC_INVALID_TOKEN, "a token of another issuer");
	*jti = json_string_value(json_object_get(oidc_signed_claims(s), "jti"));
	return *jti != NULL || FAIL(err, ERR_DENIED, OIDC_INVALID_TOKEN, "a token without a name");
}

static const char *
token_type(const json_t *answer)
{
	const json_t *cnf = json_object_get(answer, "cnf");

	return json_object_get(cnf, "jkt") != NULL ? "DPoP" : "Bearer";
}

json_t *
oidc_introspection_build(struct arena *a, const struct oidc_access_token *t)
{
	json_t *o = json_new_object(a);

	json_put_bool(a, o, "active", t != NULL);
	if (t == NULL)
		return o;
	json_put_all(a, o, members_of(a, t));
	json_put_str(a, o, "token_type", token_type(o));
	return o;
}

bool
oidc_introspection_sign(struct arena *a, const struct key_ops *ops, const char *kid,
			enum oidc_alg alg, const char *issuer, const char *client_id,
			const json_t *answer, time_t now, const char **compact, struct err *err)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "iss", issuer);
	json_put_str(a, o, "aud", client_id);
	json_put_i64(a, o, "iat", now);
	json_put(a, o, "token_introspection", (json_t *)(uintptr_t)answer);
	return oidc_jws_build(a, ops, kid, alg, INTROSPECTION_TYPE, o, compact, err);
}
