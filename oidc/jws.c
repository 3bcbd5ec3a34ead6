/* Compact JWS: parse, verify, build; see jws.h. */
#include "oidc/jws.h"

#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "keys/verify.h"
#include "oidc/compact.h"

struct oidc_signed {
	const json_t *claims;
	const char *typ;
};

/* jwk NULL: a header that brings its own key is refused; mac: HS256 may be as well. */
static bool
parse(struct arena *a, struct bytes compact, const json_t **jwk, bool mac, struct oidc_jws *out,
      struct err *err)
{
	struct bytes part[OIDC_JWS_PARTS];
	struct oidc_jws jws = {0};
	const char *alg = "";
	json_t *header;

	if (compact.n > OIDC_JWS_MAX_BYTES)
		return FAIL(err, ERR_INPUT, NULL, "JWS: %zu octets", compact.n);
	if (!oidc_compact_split(compact, part, OIDC_JWS_PARTS, err) ||
	    !(jwk == NULL ? oidc_header_parse(a, part[0], OIDC_JWS_PARTS, &header, err)
			  : oidc_header_parse_with_key(a, part[0], &header, jwk, err)) ||
	    !json_get_str(header, "alg", &alg, err) ||
	    !json_get_str(header, "kid", &jws.kid, err) ||
	    !json_get_str(header, "typ", &jws.typ, err) ||
	    !dec_base64url(a, part[1], &jws.payload, err) ||
	    !dec_base64url(a, part[2], &jws.signature, err))
		return false;
	jws.alg = mac && strcmp(alg, "HS256") == 0 ? OIDC_HS256 : oidc_alg_find(alg);
	if (jws.alg == OIDC_ALG_NONE)
		return FAIL(err, ERR_INPUT, NULL, "JWS: alg is not one we verify");
	jws.signing_input = (struct bytes){compact.p, part[0].n + 1 + part[1].n};
	*out = jws;
	return true;
}

bool
oidc_jws_parse(struct arena *a, struct bytes compact, struct oidc_jws *out, struct err *err)
{
	return parse(a, compact, NULL, false, out, err);
}

bool
oidc_jws_parse_proof(struct arena *a, struct bytes compact, struct oidc_jws *out, struct err *err)
{
	return parse(a, compact, NULL, true, out, err);
}

bool
oidc_jws_parse_with_key(struct arena *a, struct bytes compact, struct oidc_jws *out,
			const json_t **jwk, struct err *err)
{
	return parse(a, compact, jwk, false, out, err);
}

bool
oidc_jws_claimed(struct arena *a, const struct oidc_jws *jws, const char *name, const char **out,
		 struct err *err)
{
	const char *value = NULL;
	json_t *claims;

	if (!json_parse_object(a, jws->payload, OIDC_JWS_MAX_BYTES, &claims, err) ||
	    !json_get_str(claims, name, &value, err))
		return false;
	*out = value;
	return true;
}

/* The raw check, by the key and its algorithm's row alone. */
static bool
signature_fits(EVP_PKEY *pkey, const struct oidc_alg_info *alg, struct bytes text,
	       struct bytes signature)
{
	static const char *const names[] = {[OIDC_KEY_NONE] = "",
					    [OIDC_KEY_RSA] = "RSA",
					    [OIDC_KEY_P256] = "EC",
					    [OIDC_KEY_P384] = "EC",
					    [OIDC_KEY_ED25519] = "ED25519"};
	struct verify_how how = {names[alg->key], alg->digest, alg->pss};

	/* second line: verify_signature knows the length by the key */
	return (alg->signature_bytes == 0 || signature.n == alg->signature_bytes) &&
	       verify_signature(&how, pkey, text, signature);
}

/* Only of what was verified. */
static bool
read_signed(struct arena *a, const struct oidc_jws *jws, const struct oidc_signed **out,
	    struct err *err)
{
	struct oidc_signed *s = ARENA_NEW(a, struct oidc_signed);
	json_t *claims;

	if (!json_parse_object(a, jws->payload, OIDC_JWS_MAX_BYTES, &claims, err))
		return false;
	*s = (struct oidc_signed){claims, jws->typ};
	*out = s;
	return true;
}

bool
oidc_jws_verify_mac(struct arena *a, const struct oidc_jws *jws, const struct oidc_mac *mac,
		    const char *client_id, struct bytes sealed_secret,
		    const struct oidc_signed **out, struct err *err)
{
	if (jws->alg != OIDC_HS256)
		return FAIL(err, ERR_DENIED, NULL, "JWS: header says %s, the secret is for HS256",
			    oidc_alg_info(jws->alg)->name);
	return mac->check(mac->ctx, a, client_id, sealed_secret, jws->signing_input, jws->signature,
			  err) &&
	       read_signed(a, jws, out, err);
}

bool
oidc_jws_verify(struct arena *a, const struct oidc_jws *jws, const struct oidc_jwks *keys,
		const struct oidc_signed **out, struct err *err)
{
	const struct oidc_jwk *key = oidc_jwks_find(keys, jws->kid, jws->alg);

	if (key == NULL)
		return FAIL(err, ERR_DENIED, NULL,
			    "JWS: no key, or more than one, fits the header");
	if (key->alg != jws->alg)
		return FAIL(err, ERR_DENIED, NULL, "JWS: header says %s, the key is for %s",
			    oidc_alg_info(jws->alg)->name, oidc_alg_info(key->alg)->name);
	if (!signature_fits(key->pkey, oidc_alg_info(key->alg), jws->signing_input, jws->signature))
		return FAIL(err, ERR_DENIED, NULL, "JWS: wrong signature");
	return read_signed(a, jws, out, err);
}

const json_t *
oidc_signed_claims(const struct oidc_signed *s)
{
	return s->claims;
}

bool
oidc_signed_typ_is(const struct oidc_signed *s, const char *typ)
{
	static const char prefix[] = "application/";
	const char *have = s->typ;

	if (have == NULL || typ == NULL)
		return have == typ;
	if (strncasecmp(have, prefix, sizeof(prefix) - 1) == 0)
		have += sizeof(prefix) - 1;
	return strcasecmp(have, typ) == 0;
}

bool
oidc_jws_build(struct arena *a, const struct key_ops *ops, const char *kid, enum oidc_alg alg,
	       const char *typ, const json_t *claims, const char **compact, struct err *err)
{
	const struct oidc_alg_info *info = oidc_alg_info(alg);
	json_t *header = json_new_object(a);
	struct bytes signature;

	if (info->sign == SIG_NONE)
		return FAIL(err, ERR_INTERNAL, NULL, "JWS: we do not sign with '%s'", info->name);
	json_put_str(a, header, "alg", info->name);
	json_put_str(a, header, "kid", kid);
	json_put_str(a, header, "typ", typ);
	char *input =
		arena_printf(a, "%s.%s", enc_base64url(a, bytes_of(json_text(a, header, false))),
			     enc_base64url(a, bytes_of(json_text(a, claims, false))));

	if (!ops->sign(ops->ctx, a, kid, info->sign, bytes_of(input), &signature, err))
		return false;
	*compact = arena_printf(a, "%s.%s", input, enc_base64url(a, signature));
	return true;
}
