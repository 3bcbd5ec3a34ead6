/*
 * What oidc/ makes of tokens and keys, for a comparison with another library
 * (jose_diff.mjs).  Reads a line per case, "verb argument argument ...", each argument
 * base64url; writes a line per answer: "ok VALUE" (base64url) or "no REASON".
 *
 *	jws SET TOKEN      the payload that verifies with a key of the set
 *	jwe TOKEN          the content that opens with a key of ours
 *	jwk KEY            "verify ALG" or "encrypt"
 *	sign ALG CLAIMS    a token of ours
 *	seal SET ALG ENC CONTENT   a token for the set's key
 *	import KID CURVE D POINT   an EC key of ours with this private half
 *	ours               the JWK Set of our signing keys
 *	rsa                our RSA key to decrypt with, PKCS#8 in base64, its kid test-dec-rsa
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "oidc/jwe.h"
#include "tests/keys/test_keys.h"
#include "tests/keys/test_rsa.h"

#define ARGS_MAX 5
#define OURS_MAX 8

static struct arena *kept; /* keys */
static struct test_keys *keys;
static struct oidc_enc_jwk ours[OURS_MAX];
static size_t n_ours;

struct call {
	struct arena *a;
	struct bytes arg[ARGS_MAX];
	size_t n;
};

static const char *
text_arg(struct call *c, size_t i)
{
	return arena_strndup(c->a, (const char *)c->arg[i].p, c->arg[i].n);
}

static bool
set_of(struct call *c, size_t i, struct oidc_jwks *out, struct err *err)
{
	json_t *o;

	return json_parse_object(c->a, c->arg[i], OIDC_JWKS_MAX_BYTES, &o, err) &&
	       oidc_jwks_parse(c->a, o, OIDC_ALG_NONE, out, err);
}

static bool
do_jws(struct call *c, struct bytes *out, struct err *err)
{
	const struct oidc_signed *s;
	struct oidc_jwks set;
	struct oidc_jws jws;

	if (!set_of(c, 0, &set, err) || !oidc_jws_parse(c->a, c->arg[1], &jws, err) ||
	    !oidc_jws_verify(c->a, &jws, &set, &s, err))
		return false;
	*out = jws.payload;
	return true;
}

static bool
do_jwe(struct call *c, struct bytes *out, struct err *err)
{
	struct oidc_jwe_keys set = {&keys->ops, ours, n_ours};

	return oidc_jwe_open(c->a, c->arg[0], &set, out, err);
}

static bool
do_jwk(struct call *c, struct bytes *out, struct err *err)
{
	struct call set = *c;
	struct oidc_jwks found;

	set.arg[0] = bytes_of(arena_printf(c->a, "{\"keys\":[%s]}", text_arg(c, 0)));
	if (!set_of(&set, 0, &found, err))
		return false;
	*out = bytes_of(found.n == 0 ? "encrypt"
				     : arena_printf(c->a, "verify %s",
						    oidc_alg_info(found.keys[0].alg)->name));
	return true;
}

static const struct test_key *
signing_key(enum oidc_alg alg)
{
	return test_key_of(keys, KEY_OIDC_SIGN,
			   alg == OIDC_RS256   ? KEY_RSA3072
			   : alg == OIDC_PS256 ? KEY_RSA_PSS
			   : alg == OIDC_ES384 ? KEY_P384
					       : KEY_P256);
}

static bool
do_sign(struct call *c, struct bytes *out, struct err *err)
{
	enum oidc_alg alg = oidc_alg_find(text_arg(c, 0));
	const char *compact;
	json_t *claims;

	if (!json_parse_object(c->a, c->arg[1], 1 << 20, &claims, err) ||
	    !oidc_jws_build(c->a, &keys->ops, signing_key(alg)->kid, alg, "JWT", claims, &compact,
			    err))
		return false;
	*out = bytes_of(compact);
	return true;
}

static bool
do_seal(struct call *c, struct bytes *out, struct err *err)
{
	enum oidc_jwe_alg alg = oidc_jwe_alg_find(text_arg(c, 1));
	const struct oidc_enc_jwk *to;
	struct oidc_jwks set;
	const char *compact;

	if (!set_of(c, 0, &set, err))
		return false;
	to = oidc_jwks_find_enc(&set, alg);
	if (to == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no key for this alg");
	if (!oidc_jwe_build(c->a, to, alg, oidc_jwe_enc_find(text_arg(c, 2)), NULL, NULL, c->arg[3],
			    &compact, err))
		return false;
	*out = bytes_of(compact);
	return true;
}

static bool
do_import(struct call *c, struct bytes *out, struct err *err)
{
	bool p384 = strcmp(text_arg(c, 1), "P-384") == 0;
	const char *kid = arena_strndup(kept, (const char *)c->arg[0].p, c->arg[0].n);

	if (n_ours == OURS_MAX)
		return FAIL(err, ERR_INPUT, NULL, "too many keys");
	const struct test_key *k =
		test_key_import(keys, kid, p384 ? KEY_P384 : KEY_P256, c->arg[2], c->arg[3]);

	ours[n_ours++] = (struct oidc_enc_jwk){kid, p384 ? OIDC_KEY_P384 : OIDC_KEY_P256,
					       OIDC_JWE_ALG_NONE, k->pub};
	*out = bytes_of("");
	return true;
}

static bool
do_ours(struct call *c, struct bytes *out, struct err *err)
{
	static const enum oidc_alg algs[] = {OIDC_ES256, OIDC_ES384, OIDC_RS256, OIDC_PS256};
	struct oidc_jwk jwks[ARRAY_LEN(algs)];
	const char *text;

	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		const struct test_key *k = signing_key(algs[i]);

		jwks[i] = (struct oidc_jwk){k->kid, algs[i], k->pub};
	}
	if (!oidc_jwks_build(c->a, &(struct oidc_jwks){.keys = jwks, .n = ARRAY_LEN(algs)}, &text,
			     err))
		return false;
	*out = bytes_of(text);
	return true;
}

static bool
do_rsa(struct call *c UNUSED, struct bytes *out, struct err *err UNUSED)
{
	*out = bytes_of(test_rsa_keys[1]);
	return true;
}

static const struct verb {
	const char *name;
	size_t n_args;
	bool (*run)(struct call *c, struct bytes *out, struct err *err);
} verbs[] = {
	{"jws", 2, do_jws},   {"jwe", 1, do_jwe},       {"jwk", 1, do_jwk},   {"sign", 2, do_sign},
	{"seal", 4, do_seal}, {"import", 4, do_import}, {"ours", 0, do_ours}, {"rsa", 0, do_rsa},
};

static void
answer(char *line)
{
	struct call c = {.a = arena_create((size_t)4 << 20)};
	struct bytes out = {0};
	struct err err = {0};
	char *save, *name = strtok_r(line, " \n", &save), *arg;
	const struct verb *v = verbs;
	bool ok = true;

	while (v < verbs + ARRAY_LEN(verbs) && !text_eq(v->name, name))
		v++;
	while ((arg = strtok_r(NULL, " \n", &save)) != NULL && c.n < ARGS_MAX)
		ok = ok && dec_base64url(c.a, bytes_of(strcmp(arg, "-") == 0 ? "" : arg),
					 &c.arg[c.n++], &err);
	if (v == verbs + ARRAY_LEN(verbs) || !ok || c.n != v->n_args) {
		fprintf(stderr, "jose_driver: what is %s with %zu arguments?\n", name, c.n);
		exit(1);
	}
	if (v->run(&c, &out, &err))
		printf("ok %s\n", enc_base64url(c.a, out));
	else
		printf("no %s\n", err.text);
	fflush(stdout);
	arena_destroy(c.a);
}

int
main(void)
{
	char *line = NULL;
	size_t room = 0;

	kept = arena_create((size_t)4 << 20);
	keys = test_keys_create(kept);
	ours[n_ours++] = (struct oidc_enc_jwk){keys->dec_rsa.kid, OIDC_KEY_RSA, OIDC_RSA_OAEP_256,
					       keys->dec_rsa.pub};
	while (getline(&line, &room, stdin) > 0)
		answer(line);
	free(line);
	arena_destroy(kept);
	return 0;
}
