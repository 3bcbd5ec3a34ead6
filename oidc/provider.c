/* Another OpenID Provider; see provider.h. */
#include "oidc/provider.h"

#include <string.h>

#include "base/rand.h"
#include "base/text.h"
#include "oidc/id_token.h"
#include "oidc/redirect.h"

#define LIST_MAX       64
#define SUB_MAX_BYTES  255 /* Core 2 */
#define ACR_MAX_BYTES  256
#define SKEW_S         60
#define PROOF_LIVES_S  60

#define BAD(err, ...)  FAIL((err), ERR_INPUT, NULL, __VA_ARGS__)
#define DENY(err, ...) FAIL((err), ERR_DENIED, NULL, __VA_ARGS__)

/* ---- what it says of itself ---- */

const char *
oidc_provider_document(struct arena *a, const char *issuer)
{
	size_t n = strlen(issuer);

	return arena_printf(a, "%.*s/.well-known/openid-configuration",
			    (int)(n > 0 && issuer[n - 1] == '/' ? n - 1 : n), issuer);
}

static bool
get_url(struct arena *a, const json_t *o, const char *name, bool needed, const char **out,
	struct err *err)
{
	const char *url = NULL;

	if (!json_get_str(o, name, &url, err))
		return false;
	if (url == NULL && !needed)
		return true;
	if (url == NULL || strlen(url) > OIDC_URI_MAX_BYTES || !oidc_uri_check(url, false, NULL))
		return BAD(err, "discovery: %s is missing or not an https URL", name);
	*out = arena_strdup(a, url);
	return true;
}

static bool
get_list(struct arena *a, const json_t *o, const char *name, struct oidc_strs *out, struct err *err)
{
	const char **s = NULL;

	if (!json_get_strs(a, o, name, LIST_MAX, &s, &out->n, err))
		return false;
	out->s = s;
	return true;
}

/* A list that has to have a value, or to be missing where `unsaid` is what that means. */
static bool
need(struct arena *a, const json_t *o, const char *name, const char *value, bool unsaid,
     struct err *err)
{
	struct oidc_strs list = {0};

	if (!get_list(a, o, name, &list, err))
		return false;
	return (unsaid && json_object_get(o, name) == NULL) || oidc_strs_have(list, value) ||
	       BAD(err, "discovery: %s lacks %s", name, value);
}

static bool
signs_as_we_verify(struct arena *a, const json_t *o, struct err *err)
{
	static const char name[] = "id_token_signing_alg_values_supported";
	struct oidc_strs algs = {0};

	if (!get_list(a, o, name, &algs, err))
		return false;
	for (size_t i = 0; i < algs.n; i++)
		if (oidc_alg_find(algs.s[i]) != OIDC_ALG_NONE)
			return true;
	return BAD(err, "discovery: %s has none that we verify", name);
}

bool
oidc_provider_parse(struct arena *a, struct bytes json, const char *issuer,
		    struct oidc_provider *out, struct err *err)
{
	struct oidc_provider p = {.issuer = arena_strdup(a, issuer)};
	const char *its = NULL;
	json_t *o;

	if (!json_parse_object(a, json, OIDC_PROVIDER_MAX_BYTES, &o, err) ||
	    !json_get_str(o, "issuer", &its, err))
		return false;
	/* Discovery 4.3: else it could speak for another one. */
	if (!text_eq(its, issuer))
		return BAD(err, "discovery: it is of another issuer");
	if (!get_url(a, o, "authorization_endpoint", true, &p.authorization_endpoint, err) ||
	    !get_url(a, o, "token_endpoint", true, &p.token_endpoint, err) ||
	    !get_url(a, o, "jwks_uri", true, &p.jwks_uri, err) ||
	    !get_url(a, o, "userinfo_endpoint", false, &p.userinfo_endpoint, err) ||
	    !get_url(a, o, "pushed_authorization_request_endpoint", false, &p.par_endpoint, err) ||
	    !need(a, o, "response_types_supported", "code", false, err) ||
	    !need(a, o, "code_challenge_methods_supported", "S256", true, err) ||
	    !need(a, o, "token_endpoint_auth_methods_supported", "private_key_jwt", false, err) ||
	    !signs_as_we_verify(a, o, err) || !get_list(a, o, "scopes_supported", &p.scopes, err) ||
	    !get_list(a, o, "token_endpoint_auth_signing_alg_values_supported", &p.auth_algs,
		      err) ||
	    !json_get_bool(o, "authorization_response_iss_parameter_supported", &p.tells_iss,
			   err) ||
	    !json_get_bool(o, "claims_parameter_supported", &p.takes_claims, err) ||
	    !json_get_bool(o, "verified_claims_supported", &p.verified, err))
		return false;
	*out = p;
	return true;
}

/* ---- who we are ---- */

enum oidc_alg
oidc_provider_auth_alg(const struct oidc_provider *p, struct oidc_strs ours)
{
	for (size_t i = 0; i < ours.n; i++)
		if (p->auth_algs.n == 0 || oidc_strs_have(p->auth_algs, ours.s[i]))
			return oidc_alg_find(ours.s[i]);
	return OIDC_ALG_NONE;
}

bool
oidc_provider_proof(struct arena *a, const struct oidc_provider *p, const struct key_ops *ops,
		    const char *kid, enum oidc_alg alg, const char *client_id, time_t now,
		    const char **compact, struct err *err)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "iss", client_id);
	json_put_str(a, o, "sub", client_id);
	json_put_str(a, o, "aud", p->issuer);
	json_put_str(a, o, "jti", rand_token(a, 16));
	json_put_i64(a, o, "iat", now);
	json_put_i64(a, o, "exp", now + PROOF_LIVES_S);
	return oidc_jws_build(a, ops, kid, alg, "JWT", o, compact, err);
}

/* ---- what it tells ---- */

bool
oidc_told_key_is_new(struct arena *a, const char *id_token, const struct oidc_jwks *keys)
{
	struct oidc_jws jws;

	return oidc_jws_parse(a, bytes_of(id_token), &jws, NULL) &&
	       oidc_jwks_find(keys, jws.kid, jws.alg) == NULL;
}

static const char *
text_of(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

/* For us, and for nobody beside us. */
static bool
is_for(const json_t *claims, const char *client_id)
{
	const json_t *aud = json_object_get(claims, "aud"), *azp = json_object_get(claims, "azp");

	if (azp != NULL && !text_eq(json_string_value(azp), client_id))
		return false;
	if (json_array_size(aud) == 1)
		aud = json_array_get(aud, 0);
	return text_eq(json_string_value(aud), client_id);
}

static bool
check_times(const json_t *claims, const struct oidc_told_rules *rules, time_t now,
	    struct oidc_told *out, struct err *err)
{
	int64_t exp = 0, iat = 0, nbf = 0, auth_time = 0;

	if (!json_get_i64(claims, "exp", &exp, err) || !json_get_i64(claims, "iat", &iat, err) ||
	    !json_get_i64(claims, "nbf", &nbf, err) ||
	    !json_get_i64(claims, "auth_time", &auth_time, err))
		return false;
	if (exp <= now - SKEW_S)
		return DENY(err, "ID token: it has expired");
	if (iat < rules->asked_at - SKEW_S || iat > now + SKEW_S || nbf > now + SKEW_S)
		return DENY(err, "ID token: it is not of this login");
	/* max_age=0 was asked for (Core 3.1.2.1): a login of before is none. */
	if (auth_time < rules->asked_at - SKEW_S || auth_time > now + SKEW_S)
		return DENY(err, "ID token: the login was not now");
	out->auth_time = (time_t)auth_time;
	return true;
}

/* Core 3.1.3.8: optional with a code, but true. */
static bool
check_hash(struct arena *a, const json_t *claims, enum oidc_alg alg, const char *access_token,
	   struct err *err)
{
	const json_t *told = json_object_get(claims, "at_hash");

	return told == NULL ||
	       text_eq(json_string_value(told), oidc_half_hash(a, alg, access_token)) ||
	       DENY(err, "ID token: at_hash is of another access token");
}

static bool
check_claims(struct arena *a, const struct oidc_signed *s, enum oidc_alg alg,
	     const struct oidc_told_rules *rules, time_t now, struct oidc_told *out,
	     struct err *err)
{
	const json_t *claims = oidc_signed_claims(s);

	*out = (struct oidc_told){
		.claims = claims, .sub = text_of(claims, "sub"), .acr = text_of(claims, "acr")};
	if (!oidc_signed_typ_is(s, NULL) && !oidc_signed_typ_is(s, "JWT"))
		return DENY(err, "ID token: its type is of something else");
	if (!text_eq(text_of(claims, "iss"), rules->issuer))
		return DENY(err, "ID token: of another issuer");
	if (!is_for(claims, rules->client_id))
		return DENY(err, "ID token: not for us alone");
	if (!text_eq(text_of(claims, "nonce"), rules->nonce))
		return DENY(err, "ID token: not what was asked for");
	if (out->sub == NULL || !text_is_visible_ascii(out->sub, SUB_MAX_BYTES))
		return DENY(err, "ID token: sub is missing or malformed");
	if (out->acr != NULL && strlen(out->acr) > ACR_MAX_BYTES)
		return DENY(err, "ID token: acr is too long");
	return check_times(claims, rules, now, out, err) &&
	       check_hash(a, claims, alg, rules->access_token, err);
}

bool
oidc_told_verify(struct arena *a, const char *id_token, const struct oidc_told_rules *rules,
		 time_t now, struct oidc_told *out, struct err *err)
{
	const struct oidc_signed *s;
	struct oidc_jws jws;

	if (!oidc_jws_parse(a, bytes_of(id_token), &jws, err))
		return false;
	if (rules->alg != OIDC_ALG_NONE && jws.alg != rules->alg)
		return DENY(err, "ID token: not signed by the agreed algorithm");
	return oidc_jws_verify(a, &jws, rules->keys, &s, err) &&
	       check_claims(a, s, jws.alg, rules, now, out, err);
}

bool
oidc_told_userinfo(struct arena *a, struct bytes json, const struct oidc_told *told,
		   const json_t **claims, struct err *err)
{
	json_t *o;

	if (!json_parse_object(a, json, OIDC_PROVIDER_MAX_BYTES, &o, err))
		return false;
	if (!text_eq(text_of(o, "sub"), told->sub))
		return DENY(err, "userinfo: it is of somebody else");
	*claims = o;
	return true;
}

const char *
oidc_told_text(struct arena *a, const json_t *claims, const char *claim)
{
	const char *dot = strchr(claim, '.');
	const json_t *v;

	if (dot != NULL)
		claims = json_object_get(claims, arena_strndup(a, claim, (size_t)(dot - claim)));
	v = json_object_get(claims, dot == NULL ? claim : dot + 1);
	if (json_array_size(v) == 1) /* "nationalities" */
		v = json_array_get(v, 0);
	return json_string_value(v);
}
