/* Keys of tokens; see jose.h. */
#include "idp/jose.h"

#include "base/text.h"
#include "idp/client_keys.h"
#include "idp/config.h"
#include "keys/sign.h"
#include "oidc/error.h"

/* RFC 8725 3.1: keys of a type make one algorithm, and no other type makes it. */
static enum oidc_alg
alg_of(enum key_type type)
{
	for (int alg = OIDC_ALG_NONE + 1; alg < OIDC_ALG_COUNT; alg++)
		if (key_type_of_sig(oidc_alg_info((enum oidc_alg)alg)->sign) == type)
			return (enum oidc_alg)alg;
	return OIDC_ALG_NONE;
}

struct oidc_jwk
jose_jwk(const struct key *k)
{
	return (struct oidc_jwk){k->row.kid, alg_of(k->row.type), k->pub};
}

bool
jose_enc_jwk(const struct key *k, struct oidc_enc_jwk *out)
{
	static const struct {
		enum key_type type;
		enum oidc_key_type jose;
		enum oidc_jwe_alg alg; /* NONE: the three ways of ECDH-ES */
	} rows[] = {
		{KEY_P256, OIDC_KEY_P256, OIDC_JWE_ALG_NONE},
		{KEY_P384, OIDC_KEY_P384, OIDC_JWE_ALG_NONE},
		{KEY_RSA3072, OIDC_KEY_RSA, OIDC_RSA_OAEP_256},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == k->row.type) {
			*out = (struct oidc_enc_jwk){k->row.kid, rows[i].jose, rows[i].alg, k->pub};
			return true;
		}
	return false;
}

static const struct key *
key_for(const struct keyring *kr, enum oidc_alg alg)
{
	return keyring_active(kr, KEY_OIDC_SIGN, key_type_of_sig(oidc_alg_info(alg)->sign));
}

struct oidc_strs
jose_signing_algs(struct arena *a, const struct keyring *kr)
{
	struct oidc_strs all = oidc_client_id_token_algs(a);
	const char **names = ARENA_ARRAY(a, const char *, all.n);
	size_t n = 0;

	for (size_t i = 0; i < all.n; i++)
		if (key_for(kr, oidc_alg_find(all.s[i])) != NULL)
			names[n++] = all.s[i];
	return (struct oidc_strs){names, n};
}

bool
jose_signing_key(const struct app *app, const struct snapshot *snap, enum oidc_alg alg,
		 const struct key **out, struct err *err)
{
	const struct key *k = key_for(snap->keyring, alg);

	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active oidc-sign key for %s",
			    oidc_alg_info(alg)->name);
	if (!signer_key_ready(app->signer, k->row.kid))
		return FAIL(err, ERR_UNAVAILABLE, NULL, "the HSM with key %s is away", k->row.kid);
	*out = k;
	return true;
}

bool
jose_maker_find(const struct app *app, const struct snapshot *snap, const struct oidc_client *c,
		enum oidc_alg alg, const struct oidc_encryption *e, struct jose_maker *out,
		struct err *err)
{
	const struct key *k;
	struct jose_maker m = {.ops = signer_key_ops(app->signer), .alg = alg, .encryption = *e};

	if (!jose_signing_key(app, snap, alg, &k, err))
		return false;
	m.issuer = app->config->base_url;
	m.kid = k->row.kid;
	if (e->alg != OIDC_JWE_ALG_NONE) {
		m.to = oidc_jwks_find_enc(&c->jwks, e->alg);
		if (m.to == NULL) /* its jwks_uri has not brought one yet */
			return FAIL(err, ERR_UNAVAILABLE, NULL,
				    "client %s has no key to encrypt to with %s", c->client_id,
				    oidc_jwe_alg_info(e->alg)->name);
	}
	*out = m;
	return true;
}

bool
jose_maker_for(struct request *rq, const struct party *p, enum oidc_alg alg,
	       const struct oidc_encryption *e, struct jose_maker *out, struct err *err)
{
	if (jose_maker_find(rq->app, rq->snap, p->oidc, alg, e, out, err))
		return true;
	return e->alg != OIDC_JWE_ALG_NONE && oidc_jwks_find_enc(&p->oidc->jwks, e->alg) == NULL &&
	       client_keys_again(rq, &p, err) &&
	       jose_maker_find(rq->app, rq->snap, p->oidc, alg, e, out, err);
}

bool
jose_encrypt(struct arena *a, const struct jose_maker *m, const char *signed_token,
	     const char **out, struct err *err)
{
	*out = signed_token;
	return m->to == NULL || oidc_jwe_build(a, m->to, m->encryption.alg, m->encryption.enc,
					       "JWT", m->issuer, bytes_of(signed_token), out, err);
}

void
jose_decryption_keys(struct request *rq, struct oidc_jwe_keys *out)
{
	const struct keyring *kr = rq->snap->keyring;
	struct key_ops *ops = ARENA_NEW(rq->a, struct key_ops);
	struct oidc_enc_jwk *keys;
	const struct key *k;
	size_t n = 0;

	for (size_t i = 0; keyring_each(kr, &i) != NULL;)
		n++;
	keys = ARENA_ARRAY(rq->a, struct oidc_enc_jwk, n + 1);
	n = 0;
	/* Retired ones too: a client may still hold an older JWKS. */
	for (size_t i = 0; (k = keyring_each(kr, &i)) != NULL;)
		if (k->row.purpose == KEY_DECRYPT && k->row.state != KEY_GONE)
			n += jose_enc_jwk(k, &keys[n]) ? 1 : 0;
	*ops = signer_key_ops(rq->app->signer);
	*out = (struct oidc_jwe_keys){ops, keys, n};
}

bool
jose_hint(struct request *rq, const char *text, const char **out, struct err *err)
{
	struct oidc_jwe_keys ours;
	struct bytes plain;

	*out = text;
	if (!oidc_is_jwe(bytes_of(text)))
		return true;
	jose_decryption_keys(rq, &ours);
	if (!oidc_jwe_open(rq->a, bytes_of(text), &ours, &plain, err))
		return err != NULL && err->kind == ERR_UNAVAILABLE /* our fault, not its */
			       ? false
			       : err_name(err, OIDC_INVALID_REQUEST);
	return text_from_bytes(rq->a, plain, OIDC_JWE_MAX_BYTES, "id_token_hint", out, err) ||
	       err_name(err, OIDC_INVALID_REQUEST);
}
