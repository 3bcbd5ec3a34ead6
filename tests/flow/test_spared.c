/*
 * What a request is spared: no algorithm is fetched, no key and no certificate is parsed
 * while portals get their answers.  The library's functions are counted by standing in for
 * them; fetches that it makes by itself call them too.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tests/flow/world.h"
#include "tests/test.h"

#define PASSWORD "Kleiner-Vogel-7"
#define LOGINS   5
#define EXPORTED __attribute__((visibility("default")))

static atomic_size_t n_calls;
static const char *_Atomic last_call;
static atomic_bool counting;

/* `alg` NULL: not a fetch.  SHA512 is ECDSA's own, for the nonce of each signature. */
static void *
stand_in(const char *name, const char *alg)
{
	void *real = dlsym(RTLD_NEXT, name);

	if (real == NULL)
		abort();
	if (atomic_load(&counting) && (alg == NULL || strcmp(alg, "SHA512") != 0)) {
		atomic_store(&last_call, name);
		atomic_fetch_add(&n_calls, 1);
	}
	return real;
}

/* Each calls the function it stands in for. */
#define COUNTED(type, name, alg, params, args)                                   \
	EXPORTED type *name params;                                              \
	type *name params                                                        \
	{                                                                        \
		type *(*real)params = (type * (*)params) stand_in(#name, (alg)); \
		return real args;                                                \
	}
#define FETCH(type, name)                                                                  \
	COUNTED(type, name, alg, (OSSL_LIB_CTX * ctx, const char *alg, const char *props), \
		(ctx, alg, props))
#define FROM_DER(type, name) \
	COUNTED(type, name, NULL, (type * *a, const unsigned char **in, long n), (a, in, n))

/* clang-format off: rows */
FETCH(EVP_MD, EVP_MD_fetch)
FETCH(EVP_CIPHER, EVP_CIPHER_fetch)
FETCH(EVP_MAC, EVP_MAC_fetch)
FETCH(EVP_KDF, EVP_KDF_fetch)
FETCH(EVP_SIGNATURE, EVP_SIGNATURE_fetch)
FETCH(EVP_KEYEXCH, EVP_KEYEXCH_fetch)
FETCH(EVP_ASYM_CIPHER, EVP_ASYM_CIPHER_fetch)
FETCH(EVP_KEYMGMT, EVP_KEYMGMT_fetch)
FROM_DER(X509, d2i_X509)
FROM_DER(EVP_PKEY, d2i_PUBKEY)
FROM_DER(EVP_PKEY, d2i_AutoPrivateKey)
FROM_DER(PKCS8_PRIV_KEY_INFO, d2i_PKCS8_PRIV_KEY_INFO)
COUNTED(EVP_PKEY, EVP_PKCS82PKEY, NULL, (const PKCS8_PRIV_KEY_INFO *info), (info))
COUNTED(X509, PEM_read_bio_X509, NULL, (BIO * b, X509 **x, pem_password_cb *cb, void *u),
	(b, x, cb, u))
COUNTED(EVP_PKEY, PEM_read_bio_PrivateKey, NULL,
	(BIO * b, EVP_PKEY **x, pem_password_cb *cb, void *u), (b, x, cb, u))
/* clang-format on */

static void
the_counter_counts(void **state UNUSED)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	atomic_store(&n_calls, 0);
	atomic_store(&counting, true);
	assert_int_equal(EVP_Digest("a", 1, digest, NULL, EVP_sha256(), NULL), 1);
	atomic_store(&counting, false);
	assert_true(atomic_load(&n_calls) > 0);
	assert_string_equal(atomic_load(&last_call), "EVP_MD_fetch");
}

/* A browser that has logged in and agreed. */
static void
enter(struct web *b, const char *url)
{
	web_get(b, url);
	web_submit(b, "/flow/password/", "login_name=erika&password=" PASSWORD "&do=login");
	if (web_shows(b, "/flow/consent/"))
		web_submit(b, "/flow/consent/", "do=agree");
}

/* One login and one more warm things up; then none of the library's functions may be called. */
static void
spared(struct web *b, void (*warm)(struct web *b))
{
	warm(b);
	warm(b);
	atomic_store(&n_calls, 0);
	for (int i = 0; i < LOGINS; i++) {
		/* The test's portal may do as it likes: it counts in `warm` alone. */
		warm(b);
	}
	if (atomic_load(&n_calls) > 0)
		fail_msg("%zu calls, %s among them", atomic_load(&n_calls),
			 atomic_load(&last_call));
}

static const char *
fresh_url(struct web *b)
{
	static int n;

	return saml_request_url(b->w, arena_printf(b->w->a, "_spared%d", n++), "", "");
}

static void
warm_saml(struct web *b)
{
	const char *url = fresh_url(b);

	atomic_store(&counting, true);
	web_get(b, url);
	atomic_store(&counting, false);
	assert_non_null(web_field(b, "SAMLResponse"));
}

static void
a_saml_login_fetches_and_parses_nothing(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	enter(&b, fresh_url(&b));
	spared(&b, warm_saml);
}

static void
an_rsa_signature_neither(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"suite\":\"rs256\",\"old-until\":\"2099-12-31\"}");
	web_init(&b, w);
	enter(&b, fresh_url(&b));
	spared(&b, warm_saml);
}

static void
warm_oidc(struct web *b)
{
	const char *url = oidc_request_url(b->w, "openid profile", "");

	atomic_store(&counting, true);
	web_get(b, url);
	const char *code = location_param(b, "code");

	assert_non_null(code);
	web_token(b, oidc_basic(b->w), oidc_redeem_form(b->w, code));
	assert_int_equal(b->status, 200);
	const char *token = between(b->w->a, b->body, "\"access_token\":\"", "\"");

	web_userinfo(b, token);
	atomic_store(&counting, false);
	assert_int_equal(b->status, 200);
}

static void
an_oidc_login_fetches_and_parses_nothing(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	enter(&b, oidc_request_url(w, "openid profile", ""));
	spared(&b, warm_oidc);
}

static int
setup(void **state)
{
	static const char *const person[] = {"given_names", "Erika", "family_name", "Mustermann",
					     NULL};

	if (world_setup(state) != 0)
		return -1;
	world_person(*state, "erika", PASSWORD, person, LEVEL_SUBSTANTIAL);
	return 0;
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_fresh, NULL)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counter_counts),
		T(a_saml_login_fetches_and_parses_nothing),
		T(an_rsa_signature_neither),
		T(an_oidc_login_fetches_and_parses_nothing),
	};

	return cmocka_run_group_tests_name("spared", tests, setup, world_teardown);
}
