/* ID tokens; see id_token.h. */
#include "oidc/id_token.h"

#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "oidc/error.h"

const char *
oidc_half_hash(struct arena *a, enum oidc_alg alg, const char *text)
{
	const char *name = oidc_alg_info(alg)->digest;
	struct hash_digest digest;

	if (name == NULL && alg == OIDC_EDDSA)
		name = "SHA512";
	if (text == NULL || name == NULL || !hash_named(name, bytes_of(text), &digest))
		return NULL;
	return enc_base64url(a, (struct bytes){digest.octets, digest.n / 2});
}

static json_t *
claims_of(struct arena *a, const struct oidc_id_token *t, enum oidc_alg alg, time_t now)
{
	json_t *o = json_new_object(a), *amr = json_new_array(a);

	json_put_all(a, o, t->claims);
	json_put_str(a, o, "iss", t->issuer);
	json_put_str(a, o, "sub", t->sub);
	json_put_str(a, o, "aud", t->client_id);
	json_put_i64(a, o, "exp", now + t->lifetime_s);
	json_put_i64(a, o, "iat", now);
	json_put_i64(a, o, "auth_time", t->auth_time);
	json_put_str(a, o, "nonce", t->nonce);
	json_put_str(a, o, "acr", t->acr);
	for (size_t i = 0; i < t->amr.n; i++)
		json_push_str(a, amr, t->amr.s[i]);
	json_put(a, o, "amr", amr);
	json_put_str(a, o, "sid", t->sid);
	json_put_str(a, o, "at_hash", oidc_half_hash(a, alg, t->access_token));
	json_put_str(a, o, "c_hash", oidc_half_hash(a, alg, t->code));
	json_put_str(a, o, "s_hash", oidc_half_hash(a, alg, t->state));
	return o;
}

bool
oidc_id_token_build(struct arena *a, const struct key_ops *ops, const char *kid, enum oidc_alg alg,
		    const struct oidc_id_token *t, time_t now, const char **compact,
		    struct err *err)
{
	return oidc_jws_build(a, ops, kid, alg, "JWT", claims_of(a, t, alg, now), compact, err);
}

bool
oidc_hint_verify(struct arena *a, const char *text, const struct oidc_jwks *ours,
		 const char *issuer, struct oidc_hint *out, struct err *err)
{
	const struct oidc_signed *s;
	struct oidc_jws jws;
	struct oidc_hint h;
	const char *iss;

	if (!oidc_jws_parse(a, bytes_of(text), &jws, err) ||
	    !oidc_jws_verify(a, &jws, ours, &s, err))
		return err_name(err, OIDC_INVALID_REQUEST);
	if (!oidc_signed_typ_is(s, "JWT"))
		return FAIL(err, ERR_DENIED, OIDC_INVALID_REQUEST, "hint: not an ID token");
	iss = json_string_value(json_object_get(oidc_signed_claims(s), "iss"));
	h.client_id = json_string_value(json_object_get(oidc_signed_claims(s), "aud"));
	h.sub = json_string_value(json_object_get(oidc_signed_claims(s), "sub"));
	h.sid = json_string_value(json_object_get(oidc_signed_claims(s), "sid"));
	if (!text_eq(iss, issuer) || h.client_id == NULL || h.sub == NULL)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_REQUEST, "hint: iss, aud or sub");
	*out = h;
	return true;
}
