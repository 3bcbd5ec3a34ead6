/*
 * Our keys and the clients', as the tokens of a request need them: which key signs, whose
 * key an answer is encrypted to, which of ours open what was encrypted to us.
 */
#ifndef KONTOR_IDP_JOSE_H
#define KONTOR_IDP_JOSE_H

#include "idp/app.h"
#include "oidc/client.h"
#include "oidc/jwe.h"

/* One of our oidc-sign keys for the JWKS. */
struct oidc_jwk jose_jwk(const struct key *k);

/* One of our decrypt keys; false: JOSE knows no encryption to keys of its type. */
bool jose_enc_jwk(const struct key *k, struct oidc_enc_jwk *out);

/* The algorithms that our active keys sign with, in the order of oidc_client_id_token_algs. */
struct oidc_strs jose_signing_algs(struct arena *a, const struct keyring *kr);

/* The one that signs so now.  ERR_UNAVAILABLE: it is missing or known to be out of reach. */
MUST_USE bool jose_signing_key(const struct app *app, const struct snapshot *snap,
			       enum oidc_alg alg, const struct key **out, struct err *err);

/* What makes a client's token. */
struct jose_maker {
	struct key_ops ops;
	const char *issuer;
	const char *kid;
	enum oidc_alg alg;
	const struct oidc_enc_jwk *to; /* NULL: it is not encrypted */
	struct oidc_encryption encryption;
};

/*
 * What will make a token of this client.  To be asked for before anything is used up:
 * ERR_UNAVAILABLE when our key is missing or known to be out of reach, or the client has
 * no key of the kind.
 */
MUST_USE bool jose_maker_find(const struct app *app, const struct snapshot *snap,
			      const struct oidc_client *c, enum oidc_alg alg,
			      const struct oidc_encryption *e, struct jose_maker *out,
			      struct err *err);

/*
 * The same in a request.  A key to encrypt to that the client's jwks_uri has not brought yet is
 * fetched (idp/client_keys.h).
 */
MUST_USE bool jose_maker_for(struct request *rq, const struct party *p, enum oidc_alg alg,
			     const struct oidc_encryption *e, struct jose_maker *out,
			     struct err *err);

/* The signed token, or, where the client asked for it, a token that it is encrypted in (Core
 * 16.14: signed first). */
MUST_USE bool jose_encrypt(struct arena *a, const struct jose_maker *m, const char *signed_token,
			   const char **out, struct err *err);

/*
 * An ID token that a client shows as a hint: as it was signed, or encrypted to one of our keys by
 * the client (Core 3.1.2.1).  What we encrypted to the client itself does not open here.
 * ERR_INPUT, invalid_request: it does not open.
 */
MUST_USE bool jose_hint(struct request *rq, const char *text, const char **out, struct err *err);

/* Our keys for what others encrypted to us, retired ones too. */
void jose_decryption_keys(struct request *rq, struct oidc_jwe_keys *out);

#endif
