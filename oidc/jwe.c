/* Compact JWE: build and open; see jwe.h. */
#include "oidc/jwe.h"

#include <string.h>

#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "keys/cert.h"
#include "keys/envelope.h"
#include "oidc/compact.h"

#define KEY_BYTES_MOST        64
#define PARTY_INFO_MAX_BYTES  512
#define OTHER_INFO_MAX_BYTES  (2 * PARTY_INFO_MAX_BYTES + 64)
#define WRAPPED_KEY_MAX_BYTES 1024 /* RSA with 8192 bits */

enum { HEADER, WRAPPED_KEY, VECTOR, CIPHERTEXT, TAG };

struct jwe {
	const struct oidc_jwe_alg_info *alg;
	const struct oidc_jwe_enc_info *enc;
	enum oidc_jwe_alg alg_id;
	const char *kid; /* NULL if absent */
	struct bytes aad, wrapped, sealed;
	struct bytes apu, apv;
	const json_t *epk; /* NULL if absent */
};

bool
oidc_is_jwe(struct bytes compact)
{
	return oidc_compact_parts(compact) == OIDC_JWE_PARTS;
}

/* ---- what both ways have in common ---- */

static void
put_u32(struct buf *b, size_t v)
{
	unsigned char p[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
			      (unsigned char)(v >> 8), (unsigned char)v};

	buf_add(b, (struct bytes){p, sizeof(p)});
}

static void
put_sized(struct buf *b, struct bytes octets)
{
	put_u32(b, octets.n);
	buf_add(b, octets);
}

/* Octets of the key that is agreed on. */
static size_t
agreed_bytes(const struct jwe *j)
{
	return j->alg->kek_bytes > 0 ? j->alg->kek_bytes : j->enc->key_bytes;
}

/* RFC 7518 4.6.2: what the key is for goes into its derivation. */
static bool
other_info(struct arena *a, const struct jwe *j, struct bytes *out, struct err *err)
{
	struct buf b;

	buf_init(&b, a, OTHER_INFO_MAX_BYTES);
	put_sized(&b, bytes_of(j->alg->kek_bytes > 0 ? j->alg->name : j->enc->name));
	put_sized(&b, j->apu);
	put_sized(&b, j->apv);
	put_u32(&b, agreed_bytes(j) * 8);
	return buf_finish(&b, out, err);
}

/* ---- opening ---- */

static bool
header_octets(struct arena *a, const json_t *header, const char *name, struct bytes *out,
	      struct err *err)
{
	const char *text = NULL;

	if (!json_get_str(header, name, &text, err) ||
	    (text != NULL && !dec_base64url(a, bytes_of(text), out, err)))
		return false;
	return out->n <= PARTY_INFO_MAX_BYTES || FAIL(err, ERR_INPUT, NULL, "JWE: long %s", name);
}

static bool
read_header(struct arena *a, const json_t *header, struct jwe *j, struct err *err)
{
	const char *alg = "", *enc = "";

	if (!json_get_str(header, "alg", &alg, err) || !json_get_str(header, "enc", &enc, err) ||
	    !json_get_str(header, "kid", &j->kid, err) ||
	    !json_get_object(header, "epk", &j->epk, err) ||
	    !header_octets(a, header, "apu", &j->apu, err) ||
	    !header_octets(a, header, "apv", &j->apv, err))
		return false;
	j->alg_id = oidc_jwe_alg_find(alg);
	j->alg = oidc_jwe_alg_info(j->alg_id);
	if (j->alg_id == OIDC_JWE_ALG_NONE || oidc_jwe_enc_find(enc) == OIDC_ENC_NONE)
		return FAIL(err, ERR_INPUT, NULL, "JWE: alg or enc is not one we open");
	j->enc = oidc_jwe_enc_info(oidc_jwe_enc_find(enc));
	return true;
}

/* RFC 7516 5.2, steps 2 to 5 and 10: each part of its one size. */
static bool
parse(struct arena *a, struct bytes compact, struct jwe *j, struct err *err)
{
	struct bytes part[OIDC_JWE_PARTS], piece[OIDC_JWE_PARTS];
	json_t *header;
	struct buf b;

	if (compact.n > OIDC_JWE_MAX_BYTES)
		return FAIL(err, ERR_INPUT, NULL, "JWE: %zu octets", compact.n);
	if (!oidc_compact_split(compact, part, OIDC_JWE_PARTS, err) ||
	    !oidc_header_parse(a, part[HEADER], OIDC_JWE_PARTS, &header, err) ||
	    !read_header(a, header, j, err))
		return false;
	for (size_t i = WRAPPED_KEY; i <= TAG; i++)
		if (!dec_base64url(a, part[i], &piece[i], err))
			return false;
	if (piece[VECTOR].n != j->enc->iv_bytes || piece[TAG].n != j->enc->tag_bytes)
		return FAIL(err, ERR_INPUT, NULL, "JWE: vector or tag of wrong size");
	if ((piece[WRAPPED_KEY].n == 0) != (j->alg_id == OIDC_ECDH_ES) ||
	    piece[WRAPPED_KEY].n > WRAPPED_KEY_MAX_BYTES)
		return FAIL(err, ERR_INPUT, NULL, "JWE: encrypted key of wrong size");
	j->aad = part[HEADER];
	j->wrapped = piece[WRAPPED_KEY];
	buf_init(&b, a, OIDC_JWE_MAX_BYTES);
	for (size_t i = VECTOR; i <= TAG; i++)
		buf_add(&b, piece[i]);
	return buf_finish(&b, &j->sealed, err);
}

static bool
agree(struct arena *a, const struct jwe *j, const struct key_ops *ops,
      const struct oidc_enc_jwk *key, struct bytes *out, struct err *err)
{
	struct bytes info, spki, agreed;
	enum oidc_key_type type;
	EVP_PKEY *epk;

	if (!oidc_epk_parse(a, j->epk, &type, &epk, err) || type != key->type ||
	    !other_info(a, j, &info, err) || !cert_spki_build(a, epk, &spki, err) ||
	    !ops->agree(ops->ctx, a, key->kid, spki, info, agreed_bytes(j), &agreed, err))
		return false;
	*out = agreed;
	return j->alg->kek_bytes == 0 || envelope_unwrap_aes(a, agreed, j->wrapped, out, err);
}

/*
 * RFC 7516 11.5: a key that does not come out, or of a wrong size, is replaced by a random
 * one, so that what is wrong shows only where the content does not open.
 */
static bool
content_key(struct arena *a, const struct jwe *j, const struct key_ops *ops,
	    const struct oidc_enc_jwk *key, struct bytes *out, struct err *err)
{
	struct err why = {0};
	struct bytes got = {0};
	bool ok = j->alg->rsa ? ops->unwrap(ops->ctx, a, key->kid, WRAP_RSA_OAEP_SHA256, j->wrapped,
					    &got, &why)
			      : agree(a, j, ops, key, &got, &why);

	if (!ok && why.kind == ERR_UNAVAILABLE)
		return FAIL(err, why.kind, NULL, "%s", why.text);
	if (!ok || got.n != j->enc->key_bytes) {
		unsigned char *random = arena_alloc(a, j->enc->key_bytes);

		rand_bytes(random, j->enc->key_bytes);
		got = (struct bytes){random, j->enc->key_bytes};
	}
	*out = got;
	return true;
}

bool
oidc_jwe_open(struct arena *a, struct bytes compact, const struct oidc_jwe_keys *ours,
	      struct bytes *plain, struct err *err)
{
	struct jwe j = {0};

	if (!parse(a, compact, &j, err))
		return false;
	for (size_t i = 0; i < ours->n; i++) {
		const struct oidc_enc_jwk *key = &ours->keys[i];
		struct bytes cek, got;

		if (!oidc_jwe_alg_fits(j.alg_id, key->type) ||
		    (j.kid != NULL && !text_eq(j.kid, key->kid)))
			continue;
		if (!content_key(a, &j, ours->ops, key, &cek, err))
			return false;
		if (j.enc->cbc ? envelope_open_cbc(a, cek, j.aad, j.sealed, &got, NULL)
			       : envelope_open(a, cek, j.aad, j.sealed, &got, NULL)) {
			*plain = got;
			return true;
		}
	}
	return FAIL(err, ERR_INPUT, NULL, "JWE: does not open");
}

bool
oidc_jwe_open_jws(struct arena *a, struct bytes compact, const struct oidc_jwe_keys *ours,
		  struct oidc_jws *out, struct err *err)
{
	struct bytes inner;

	return oidc_jwe_open(a, compact, ours, &inner, err) && oidc_jws_parse(a, inner, out, err);
}

/* ---- building ---- */

struct made_key {
	struct bytes content_key, wrapped;
	json_t *epk; /* NULL: none */
};

static bool
make_key(struct arena *a, const struct jwe *j, const struct oidc_enc_jwk *to, struct made_key *out,
	 struct err *err)
{
	struct made_key k = {.wrapped = {(const unsigned char *)"", 0}};
	struct bytes info, point, agreed;
	unsigned char *random = arena_alloc(a, KEY_BYTES_MOST);

	rand_bytes(random, KEY_BYTES_MOST);
	k.content_key = (struct bytes){random, j->enc->key_bytes};
	if (j->alg->rsa) {
		if (!envelope_wrap_rsa(a, to->pkey, WRAP_RSA_OAEP_SHA256, k.content_key, &k.wrapped,
				       err))
			return false;
	} else {
		if (!other_info(a, j, &info, err) ||
		    !envelope_agree(a, to->pkey, info, agreed_bytes(j), &point, &agreed, err))
			return false;
		k.epk = oidc_epk_build(a, to->type, point);
		if (j->alg->kek_bytes == 0)
			k.content_key = agreed;
		else if (!envelope_wrap_aes(a, agreed, k.content_key, &k.wrapped, err))
			return false;
	}
	*out = k;
	return true;
}

bool
oidc_jwe_build(struct arena *a, const struct oidc_enc_jwk *to, enum oidc_jwe_alg alg,
	       enum oidc_jwe_enc enc, const char *cty, const char *iss, struct bytes plain,
	       const char **compact, struct err *err)
{
	struct jwe j = {.alg = oidc_jwe_alg_info(alg), .enc = oidc_jwe_enc_info(enc)};
	json_t *header = json_new_object(a);
	struct made_key key;
	struct bytes sealed;

	if (!oidc_jwe_alg_fits(alg, to->type) || j.enc->key_bytes == 0)
		return FAIL(err, ERR_INTERNAL, NULL, "JWE: no such encryption to this key");
	if (!make_key(a, &j, to, &key, err))
		return false;
	json_put_str(a, header, "alg", j.alg->name);
	json_put_str(a, header, "enc", j.enc->name);
	json_put_str(a, header, "kid", to->kid);
	json_put_str(a, header, "cty", cty);
	json_put_str(a, header, "iss", iss);
	if (key.epk != NULL)
		json_put(a, header, "epk", key.epk);
	const char *head = enc_base64url(a, bytes_of(json_text(a, header, false)));

	if (!(j.enc->cbc
		      ? envelope_seal_cbc(a, key.content_key, bytes_of(head), plain, &sealed, err)
		      : envelope_seal(a, key.content_key, bytes_of(head), plain, &sealed, err)))
		return false;
	struct bytes iv = {sealed.p, j.enc->iv_bytes};
	struct bytes tag = {sealed.p + sealed.n - j.enc->tag_bytes, j.enc->tag_bytes};
	struct bytes text = {sealed.p + iv.n, sealed.n - iv.n - tag.n};

	*compact =
		arena_printf(a, "%s.%s.%s.%s.%s", head, enc_base64url(a, key.wrapped),
			     enc_base64url(a, iv), enc_base64url(a, text), enc_base64url(a, tag));
	return true;
}
