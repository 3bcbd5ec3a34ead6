/* Proofs of possession; see dpop.h. */
#include "oidc/dpop.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "oidc/error.h"

#define JTI_MAX_BYTES 256
#define URL_MAX_BYTES 2048

#define BAD(err, ...) FAIL((err), ERR_INPUT, OIDC_INVALID_DPOP_PROOF, __VA_ARGS__)

static const char *const algs[] = {"ES256", "ES384", "EdDSA", "PS256", "PS384"};

struct oidc_strs
oidc_dpop_algs(void)
{
	return (struct oidc_strs){algs, ARRAY_LEN(algs)};
}

/* RFC 7638 3: the members that make the key, by name, without blanks. */
static const char *
thumbprint(struct arena *a, const json_t *jwk)
{
	static const char *const members[] = {"crv", "e", "kty", "n", "x", "y"};
	unsigned char digest[SHA256_BYTES];
	json_t *o = json_new_object(a);

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		json_put_str(a, o, members[i], json_string_value(json_object_get(jwk, members[i])));
	hash_sha256(bytes_of(json_text(a, o, true)), digest);
	return enc_base64url(a, (struct bytes){digest, sizeof(digest)});
}

/* Only the members of its type make a key: others could give it a second thumbprint. */
static bool
check_members(const json_t *jwk, enum oidc_key_type type)
{
	bool rsa = type == OIDC_KEY_RSA, ec = type == OIDC_KEY_P256 || type == OIDC_KEY_P384;

	return (json_object_get(jwk, "n") != NULL) == rsa &&
	       (json_object_get(jwk, "e") != NULL) == rsa &&
	       (json_object_get(jwk, "crv") != NULL) == !rsa &&
	       (json_object_get(jwk, "x") != NULL) == !rsa &&
	       (json_object_get(jwk, "y") != NULL) == ec;
}

/* The key that it brings: strong and public, or it is none (oidc/jwk.h). */
static bool
read_key(struct arena *a, const json_t *jwk, enum oidc_alg alg, struct oidc_jwks *out,
	 struct err *err)
{
	json_t *set = json_new_object(a), *keys = json_new_array(a);
	struct err why = {0};

	json_push(a, keys, (json_t *)(uintptr_t)jwk);
	json_put(a, set, "keys", keys);
	if (!oidc_jwks_parse(a, set, alg, out, &why))
		return BAD(err, "proof: %s", why.text);
	return check_members(jwk, oidc_alg_info(alg)->key) || BAD(err, "proof: an ambiguous key");
}

/* RFC 9449 4.3 (2) to (7) */
static bool
read_proof(struct arena *a, const char *proof, const json_t **claims, const char **jkt,
	   struct err *err)
{
	const struct oidc_signed *s;
	struct err why = {0};
	struct oidc_jwks key;
	struct oidc_jws jws;
	const json_t *jwk;

	if (!oidc_jws_parse_with_key(a, bytes_of(proof), &jws, &jwk, &why))
		return BAD(err, "proof: %s", why.text);
	if (!oidc_strs_have(oidc_dpop_algs(), oidc_alg_info(jws.alg)->name))
		return BAD(err, "proof: signed with an algorithm that we do not take");
	if (!read_key(a, jwk, jws.alg, &key, err))
		return false;
	jws.kid = key.n == 1 ? key.keys[0].kid : NULL;
	if (!oidc_jws_verify(a, &jws, &key, &s, &why))
		return BAD(err, "proof: %s", why.text);
	if (!oidc_signed_typ_is(s, "dpop+jwt"))
		return BAD(err, "proof: another typ");
	*claims = oidc_signed_claims(s);
	*jkt = thumbprint(a, jwk);
	return true;
}

/* A percent-encoded octet that need not be (RFC 3986 6.2.2.2), else 0. */
static char
unreserved(struct arena *a, const char *s)
{
	struct bytes octet;

	if (s[0] != '%' || s[1] == '\0' || s[2] == '\0' ||
	    !dec_hex(a, (struct bytes){(const unsigned char *)s + 1, 2}, &octet, NULL))
		return '\0';
	char c = (char)octet.p[0];

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			       (c != '\0' && strchr("-._~", c) != NULL)
		       ? c
		       : '\0';
}

/* Scheme and authority in lower case, no default port, a path that is never empty. */
static const char *
normal(struct arena *a, const char *url)
{
	static const char https[] = "https://", port[] = ":443";
	const char *host, *end, *p;
	struct buf b;

	if (strncasecmp(url, https, sizeof(https) - 1) != 0)
		return NULL;
	host = url + sizeof(https) - 1;
	end = host + strcspn(host, "/?#");
	buf_init(&b, a, 2 * URL_MAX_BYTES);
	buf_str(&b, https);
	for (p = host; p < end; p++)
		buf_char(&b, *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p);
	if (b.n > sizeof(port) - 1 && bytes_end((struct bytes){b.p, b.n}, port))
		b.n -= sizeof(port) - 1;
	if (*end != '/')
		buf_char(&b, '/');
	for (p = end; *p != '\0' && *p != '?' && *p != '#'; p++) {
		char c = unreserved(a, p);

		buf_char(&b, c != '\0' ? c : *p);
		p += c != '\0' ? 2 : 0;
	}
	return arena_strndup(a, (const char *)b.p, b.n);
}

bool
oidc_dpop_url_eq(struct arena *a, const char *htu, const char *url)
{
	return text_is_visible_ascii(htu, URL_MAX_BYTES) && normal(a, htu) != NULL &&
	       text_eq(normal(a, htu), normal(a, url));
}

/* RFC 9449 4.3 (12): made for this very token. */
static bool
check_token(struct arena *a, const json_t *claims, const char *access_token, struct err *err)
{
	const char *ath = json_string_value(json_object_get(claims, "ath"));
	unsigned char digest[SHA256_BYTES];

	if (access_token == NULL)
		return true;
	hash_sha256(bytes_of(access_token), digest);
	return text_eq(ath, enc_base64url(a, (struct bytes){digest, sizeof(digest)})) ||
	       BAD(err, "proof: ath is of another token");
}

/* RFC 9449 8, 4.3 (10) */
static bool
check_nonce(const json_t *claims, const struct oidc_dpop_request *rq, struct err *err)
{
	const json_t *v = json_object_get(claims, "nonce");
	const char *nonce = json_string_value(v);

	if (v == NULL && !rq->nonce_demanded)
		return true;
	return (nonce != NULL && oidc_strs_have(rq->nonces, nonce)) ||
	       FAIL(err, ERR_DENIED, OIDC_USE_DPOP_NONCE, "proof: nonce is missing or over");
}

/* RFC 9449 4.3 (8) to (11) */
static bool
check_claims(struct arena *a, const json_t *claims, const struct oidc_dpop_request *rq, time_t now,
	     struct oidc_dpop *out, struct err *err)
{
	const char *htm = json_string_value(json_object_get(claims, "htm"));
	const char *htu = json_string_value(json_object_get(claims, "htu"));
	const char *jti = json_string_value(json_object_get(claims, "jti"));
	int64_t iat = 0;

	if (!text_eq(htm, rq->method))
		return BAD(err, "proof: htm is of another request");
	if (htu == NULL || !oidc_dpop_url_eq(a, htu, rq->url))
		return BAD(err, "proof: htu is of another request");
	if (jti == NULL || !text_is_visible_ascii(jti, JTI_MAX_BYTES))
		return BAD(err, "proof: jti is missing or malformed");
	if (!json_get_i64(claims, "iat", &iat, err))
		return err_name(err, OIDC_INVALID_DPOP_PROOF);
	if (iat < now - OIDC_DPOP_PAST_S || iat > now + OIDC_DPOP_FUTURE_S)
		return BAD(err, "proof: iat is missing, too old, or ahead of us");
	if (!check_nonce(claims, rq, err) || !check_token(a, claims, rq->access_token, err))
		return false;
	out->jti = jti;
	out->expires = (time_t)iat + OIDC_DPOP_PAST_S + 1;
	return true;
}

bool
oidc_dpop_check(struct arena *a, const char *proof, const struct oidc_dpop_request *rq, time_t now,
		struct oidc_dpop *out, struct err *err)
{
	struct oidc_dpop d = {0};
	const json_t *claims;

	if (!read_proof(a, proof, &claims, &d.jkt, err) ||
	    !check_claims(a, claims, rq, now, &d, err))
		return false;
	*out = d;
	return true;
}
