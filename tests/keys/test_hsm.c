/*
 * Keys in an HSM (keys/hsm.h), with SoftHSM behind a module that fails on command
 * (p11_fault.c): made, used, refused, what lies in the token and in their rows.
 */
#include "tests/test.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "keys/cert.h"
#include "keys/envelope.h"
#include "tests/keys/test_hsm_node.h"
#include "tests/keys/test_keys.h"

/* ---- made and used ---- */

static void
what_was_made_signs_and_agrees(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct test_node n = test_node_start(a, &set);
	const struct key *oidc = keyring_active(n.keys, KEY_OIDC_SIGN, KEY_RSA3072);
	const struct key *dec = keyring_active(n.keys, KEY_DECRYPT, KEY_P256);
	struct bytes sig, point, ours, theirs, info = bytes_of("info");
	struct signer_hsm seen;
	struct err err = {0};

	ASSERT_OK(test_node_sign_saml(&n, a, &err), &err);
	struct bytes text = test_node_text(a, oidc->row.kid, "RS256");

	ASSERT_OK(n.ops.sign(n.ops.ctx, a, oidc->row.kid, SIG_RS256, text, &sig, &err), &err);
	assert_true(test_verifies(oidc->pub, SIG_RS256, text, sig));
	ASSERT_OK(envelope_agree(a, dec->pub, info, 32, &point, &theirs, &err), &err);
	EVP_PKEY *peer;
	struct bytes spki;

	ASSERT_OK(cert_ec_parse(a, "prime256v1", point, &peer, &err), &err);
	ASSERT_OK(cert_spki_build(a, peer, &spki, &err), &err);
	ASSERT_OK(n.ops.agree(n.ops.ctx, a, dec->row.kid, spki, info, 32, &ours, &err), &err);
	assert_true(bytes_eq(ours, theirs));
	/* Two certificates, both verifiable boxes around the key. */
	for (size_t r = 0; r < TEST_HSM_ROWS; r++) {
		struct cert cert;

		assert_int_equal(test_hsm_rows[r].cert.n > 0, r != OIDC_RSA);
		if (r != OIDC_RSA)
			ASSERT_OK(cert_parse(a, test_hsm_rows[r].cert, &cert, &err), &err);
	}
	seen = test_node_look(&n);
	assert_true(seen.ready && seen.there && seen.needed && seen.done >= 4);
	assert_string_equal(seen.trouble, "");
	assert_int_equal(test_node_sealed_uses(&n, a, KEY_SAML_SIGN), 0);
	test_node_stop(&n, a);
}

/* As OpenSSL sees it: self-signed by the key in the token. */
static void
its_certificate_is_signed_by_the_key(void **state UNUSED)
{
	test_hsm_make_rows();
	const unsigned char *p = test_hsm_rows[SAML_P256].cert.p;
	X509 *x = d2i_X509(NULL, &p, (long)test_hsm_rows[SAML_P256].cert.n);

	assert_non_null(x);
	assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
	X509_free(x);
}

static void
the_shape_is_checked_before_the_token_signs(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct test_node n = test_node_start(a, &set);
	const char *saml = test_hsm_rows[SAML_P256].kid, *oidc = test_hsm_rows[OIDC_RSA].kid;
	const char *dec = test_hsm_rows[DECRYPT_P256].kid;
	struct bytes out, junk = bytes_of("0123456789abcdef0123456789abcdef");
	struct err err = {0};

	ASSERT_REFUSED(n.ops.sign(n.ops.ctx, a, saml, SIG_ES256, junk, &out, &err), &err,
		       ERR_DENIED, "neither SignedInfo nor a Redirect query");
	ASSERT_REFUSED(n.ops.sign(n.ops.ctx, a, oidc, SIG_RS256, test_node_text(a, saml, "RS256"),
				  &out, &err),
		       &err, ERR_DENIED, "");
	ASSERT_REFUSED(n.ops.sign(n.ops.ctx, a, saml, SIG_RS256,
				  bytes_of("SAMLResponse=x&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F"
					   "04%2Fxmldsig-more%23rsa-sha256"),
				  &out, &err),
		       &err, ERR_DENIED, "no signatures of this kind");
	ASSERT_REFUSED(n.ops.sign(n.ops.ctx, a, dec, SIG_ES256, test_node_query(), &out, &err),
		       &err, ERR_DENIED, "no such key for this purpose");
	ASSERT_REFUSED(n.ops.unwrap(n.ops.ctx, a, saml, WRAP_RSA_OAEP_SHA1, junk, &out, &err), &err,
		       ERR_DENIED, "no such key for this purpose");
	ASSERT_REFUSED(n.ops.unwrap(n.ops.ctx, a, dec, WRAP_RSA_OAEP_SHA1, junk, &out, &err), &err,
		       ERR_DENIED, "does not unwrap");
	ASSERT_REFUSED(n.ops.agree(n.ops.ctx, a, dec, junk, junk, 32, &out, &err), &err, ERR_INPUT,
		       "not a point of P-256");
	ASSERT_REFUSED(
		n.ops.agree(n.ops.ctx, a, dec, test_hsm_rows[OIDC_RSA].spki, junk, 32, &out, &err),
		&err, ERR_INPUT, "not a point of P-256");
	/* A curve of the same size. */
	EVP_PKEY *other = EVP_EC_gen("brainpoolP256r1");
	struct bytes spki;

	ASSERT_OK(cert_spki_build(a, other, &spki, &err), &err);
	EVP_PKEY_free(other);
	ASSERT_REFUSED(n.ops.agree(n.ops.ctx, a, dec, spki, junk, 32, &out, &err), &err, ERR_INPUT,
		       "not a point of P-256");
	ASSERT_REFUSED(
		n.ops.agree(n.ops.ctx, a, dec, test_hsm_rows[SAML_P256].spki, junk, 8, &out, &err),
		&err, ERR_DENIED, "does not agree");
	ASSERT_OK(test_node_sign_saml(&n, a, &err), &err);
	test_node_stop(&n, a);
}

/* ---- what lies in the token ---- */

struct peek {
	const char *label;
	CK_BBOOL sensitive, extractable, never_extractable, private, signs, derives;
	CK_ULONG found;
};

static CK_RV
peek_run(CK_FUNCTION_LIST *f, struct p11_session *s, void *arg)
{
	struct peek *p = arg;
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof(class)},
				 {CKA_LABEL, (void *)(uintptr_t)p->label, strlen(p->label)}};
	CK_ATTRIBUTE has[] = {{CKA_SENSITIVE, &p->sensitive, 1},
			      {CKA_EXTRACTABLE, &p->extractable, 1},
			      {CKA_NEVER_EXTRACTABLE, &p->never_extractable, 1},
			      {CKA_PRIVATE, &p->private, 1},
			      {CKA_SIGN, &p->signs, 1},
			      {CKA_DERIVE, &p->derives, 1}};
	CK_OBJECT_HANDLE found[8];

	/* An empty label: how many private keys there are at all. */
	f->C_FindObjectsInit(s->handle, wanted, p->label[0] == '\0' ? 1 : 2);
	f->C_FindObjects(s->handle, found, 8, &p->found);
	f->C_FindObjectsFinal(s->handle);
	return p->found == 0 ? CKR_OK : f->C_GetAttributeValue(s->handle, found[0], has, 6);
}

static struct peek
peek(struct arena *a, const char *label)
{
	struct p11_options o = {getenv("KONTOR_P11_MODULE"), TEST_TOKEN, TEST_TOKEN_PIN};
	struct p11 *p = p11_create(a, &o);
	struct p11_session s = {0};
	struct peek found = {.label = label};
	struct err err = {0};

	ASSERT_OK(p11_do(p, &s, &(struct p11_work){"peek", peek_run, &found}, &err), &err);
	p11_destroy(p);
	return found;
}

static void
a_private_key_cannot_leave_the_token(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);

	test_hsm_make_rows();
	for (size_t r = 0; r < TEST_HSM_ROWS; r++) {
		struct peek p = peek(a, test_hsm_labels[r]);

		assert_int_equal(p.found, 1);
		assert_true(p.sensitive && !p.extractable && p.never_extractable && p.private);
		assert_int_equal(p.signs, r != DECRYPT_P256);
		assert_int_equal(p.derives, r == DECRYPT_P256);
	}
	arena_destroy(a);
}

/* Loaded beside what a node has, and used: what the token makes of other types. */
static void
use_of_another_type(struct arena *a, struct test_node *n, const struct key_row *row)
{
	const struct key_type_row *type = key_type_row(row->type);
	const struct keyring *kr;
	const struct key *k;
	struct bytes point, ours, theirs, spki, sig, info = bytes_of("info");
	EVP_PKEY *peer;
	struct err err = {0};

	ASSERT_OK(keyring_create(a, row, 1, &kr, &err), &err);
	ASSERT_OK(signer_load(n->s, kr, &err), &err);
	k = keyring_find(kr, row->kid);
	if (row->type == KEY_RSA_PSS) {
		struct bytes text = test_node_text(a, row->kid, "PS256");

		ASSERT_OK(n->ops.sign(n->ops.ctx, a, row->kid, SIG_PS256_ALONE, text, &sig, &err),
			  &err);
		assert_true(test_verifies(k->pub, SIG_PS256_ALONE, text, sig));
		text = test_node_text(a, row->kid, "RS256");
		ASSERT_REFUSED(n->ops.sign(n->ops.ctx, a, row->kid, SIG_RS256, text, &sig, &err),
			       &err, ERR_DENIED, "no signatures of this kind");
		return;
	}
	if (row->purpose == KEY_SAML_SIGN) {
		enum sig_alg alg = row->type == KEY_P384    ? SIG_ES384
				   : row->type == KEY_BP256 ? SIG_BP256
							    : SIG_BP384;
		struct bytes text = test_redirect_query(a, sig_alg_row(alg)->xml);

		ASSERT_OK(n->ops.sign(n->ops.ctx, a, row->kid, alg, text, &sig, &err), &err);
		assert_int_equal(sig.n, 2 * type->field_bytes);
		assert_true(test_verifies(k->pub, alg, text, sig));
		return;
	}
	ASSERT_OK(envelope_agree(a, k->pub, info, 32, &point, &theirs, &err), &err);
	ASSERT_OK(cert_ec_parse(a, type->curve, point, &peer, &err), &err);
	ASSERT_OK(cert_spki_build(a, peer, &spki, &err), &err);
	ASSERT_OK(n->ops.agree(n->ops.ctx, a, row->kid, spki, info, 32, &ours, &err), &err);
	assert_true(bytes_eq(ours, theirs));
	/* A point of another curve is not even shown to the token. */
	ASSERT_REFUSED(n->ops.agree(n->ops.ctx, a, row->kid, test_hsm_rows[SAML_P256].spki, info,
				    32, &ours, &err),
		       &err, ERR_INPUT, type->title);
}

static void
keys_of_other_types_are_made_and_used(void **state UNUSED)
{
	static const struct key_wish more[] = {
		{KEY_SAML_SIGN, KEY_P384, 30},    {KEY_SAML_SIGN, KEY_BP256, 30},
		{KEY_SAML_SIGN, KEY_BP384, 30},   {KEY_DECRYPT, KEY_P384, 30},
		{KEY_DECRYPT, KEY_BP256, 30},     {KEY_DECRYPT, KEY_BP384, 30},
		{KEY_OIDC_SIGN, KEY_RSA_PSS, 30},
	};
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct key_row made[ARRAY_LEN(more)];
	const char *label;
	struct cert cert;
	struct err err = {0};
	struct test_hsm *h = test_hsm_start(a, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = test_hsm_client(h);

	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		ASSERT_OK(signer_hsm_generate(s, a, &more[i], NULL, TEST_HSM_NOW, &made[i], &label,
					      &err),
			  &err);
		if (more[i].type != KEY_RSA_PSS) {
			ASSERT_OK(cert_parse(a, made[i].cert, &cert, &err), &err);
			assert_true(key_type_fits(more[i].type, cert.pub));
		}
		made[i].state = KEY_ACTIVE;
	}
	signer_destroy(s);
	test_hsm_stop(h);
	struct test_node n = test_node_start(a, &set);

	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		use_of_another_type(a, &n, &made[i]);
	test_node_stop(&n, a);
}

/* SoftHSM opens OAEP with SHA-1 alone; peers are told of both. */
static void
a_key_that_the_token_cannot_use_is_refused_and_removed(void **state UNUSED)
{
	static const struct key_wish wish = {KEY_DECRYPT, KEY_RSA3072, 30};
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct key_row row;
	const char *label;
	struct err err = {0};

	test_hsm_make_rows();
	CK_ULONG before = peek(a, "").found;
	struct test_hsm *h = test_hsm_start(a, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = test_hsm_client(h);

	ASSERT_REFUSED(signer_hsm_generate(s, a, &wish, NULL, TEST_HSM_NOW, &row, &label, &err),
		       &err, ERR_DENIED, "does not open RSA-OAEP with SHA-256");
	signer_destroy(s);
	test_hsm_stop(h);
	assert_int_equal(peek(a, "").found, before);
	arena_destroy(a);
}

struct make {
	const char *label;
	CK_BBOOL sensitive, extractable, signs;
	unsigned char id;
};

static CK_RV
make_run(CK_FUNCTION_LIST *f, struct p11_session *s, void *arg)
{
	static const unsigned char p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
					     0xce, 0x3d, 0x03, 0x01, 0x07};
	struct make *w = arg;
	CK_MECHANISM m = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE label = {CKA_LABEL, (void *)(uintptr_t)w->label, strlen(w->label)};
	CK_ATTRIBUTE id = {CKA_ID, &w->id, 1}, token = {CKA_TOKEN, &yes, 1};
	CK_ATTRIBUTE pub[] = {label, id, token, {CKA_EC_PARAMS, (void *)(uintptr_t)p256, 10}};
	CK_ATTRIBUTE priv[] = {label,
			       id,
			       token,
			       {CKA_SENSITIVE, &w->sensitive, 1},
			       {CKA_EXTRACTABLE, &w->extractable, 1},
			       {CKA_SIGN, &w->signs, 1}};
	CK_OBJECT_HANDLE made[2];

	return f->C_GenerateKeyPair(s->handle, &m, pub, 4, priv, 6, &made[0], &made[1]);
}

/* As an operator's own tool would make it. */
static void
make_object(struct arena *a, struct make m)
{
	struct p11_options o = {getenv("KONTOR_P11_MODULE"), TEST_TOKEN, TEST_TOKEN_PIN};
	struct p11 *p = p11_create(a, &o);
	struct p11_session s = {0};
	struct err err = {0};

	ASSERT_OK(p11_do(p, &s, &(struct p11_work){"make", make_run, &m}, &err), &err);
	p11_destroy(p);
}

static void
an_object_is_taken_by_its_label_if_it_is_fit(void **state UNUSED)
{
	static const struct key_wish wish = {KEY_OIDC_SIGN, KEY_P256, 30};
	static const struct key_wish rsa = {KEY_OIDC_SIGN, KEY_RSA3072, 30};
	static const struct {
		const char *label, *why;
	} bad[] = {{"nobody", "there is none"},
		   {"twice", "there are several"},
		   {"loose", "could be taken out"},
		   {"open", "could be taken out"},
		   {"mute", "does not sign"}};
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct key_row row;
	const char *label;
	struct err err = {0};

	make_object(a, (struct make){"fit", CK_TRUE, CK_FALSE, CK_TRUE, 1});
	make_object(a, (struct make){"twice", CK_TRUE, CK_FALSE, CK_TRUE, 2});
	make_object(a, (struct make){"twice", CK_TRUE, CK_FALSE, CK_TRUE, 3});
	make_object(a, (struct make){"loose", CK_TRUE, CK_TRUE, CK_TRUE, 4});
	make_object(a, (struct make){"open", CK_FALSE, CK_FALSE, CK_TRUE, 5});
	make_object(a, (struct make){"mute", CK_TRUE, CK_FALSE, CK_FALSE, 6});
	struct test_hsm *h = test_hsm_start(a, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = test_hsm_client(h);

	ASSERT_OK(signer_hsm_generate(s, a, &wish, "fit", TEST_HSM_NOW, &row, &label, &err), &err);
	assert_string_equal(label, "fit");
	assert_int_equal(row.place, KEY_HSM);
	assert_int_equal(row.state, KEY_PLANNED);
	ASSERT_REFUSED(signer_hsm_generate(s, a, &rsa, "fit", TEST_HSM_NOW, &row, &label, &err),
		       &err, ERR_DENIED, "of another type");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_REFUSED(signer_hsm_generate(s, a, &wish, bad[i].label, TEST_HSM_NOW, &row,
						   &label, &err),
			       &err, ERR_DENIED, bad[i].why);
	signer_destroy(s);
	test_hsm_stop(h);
	arena_destroy(a);
}

/* ---- rows ---- */

static void
try_row(struct signer *hsm_client, struct arena *a, const struct key_row *row, enum err_kind kind,
	const char *why)
{
	const struct keyring *kr;
	struct err err = {0};

	ASSERT_OK(keyring_create(a, row, 1, &kr, &err), &err);
	ASSERT_REFUSED(signer_load(hsm_client, kr, &err), &err, kind, why);
}

static void
a_row_that_was_tampered_with_does_not_load(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct test_node n = test_node_start(a, &set);
	struct key_row row = test_hsm_rows[SAML_P256], other = test_hsm_rows[OIDC_RSA], sealed,
		       moved;
	static const char why[] = "sealed value does not open";

	row.kid = "another";
	try_row(n.s, a, &row, ERR_INPUT, why);
	row = test_hsm_rows[SAML_P256];
	row.purpose = KEY_OIDC_SIGN;
	try_row(n.s, a, &row, ERR_INPUT, why);
	/* The object of one key in the row of another; its public key in the place of another's. */
	row = test_hsm_rows[SAML_P256];
	row.sealed = other.sealed;
	try_row(n.s, a, &row, ERR_INPUT, why);
	row = test_hsm_rows[SAML_P256];
	row.spki = test_hsm_rows[DECRYPT_P256].spki;
	row.cert = (struct bytes){0};
	try_row(n.s, a, &row, ERR_INPUT, why);
	for (size_t i = 0; i < test_hsm_rows[SAML_P256].sealed.n; i++) {
		row = test_hsm_rows[SAML_P256];
		row.sealed = arena_bytes(a, row.sealed);
		((unsigned char *)(uintptr_t)row.sealed.p)[i] ^= 1;
		try_row(n.s, a, &row, ERR_INPUT, why);
	}
	/* A row of one place said to be of the other. */
	sealed = keyring_active(n.keys, KEY_OIDC_SIGN, KEY_P256)->row;
	moved = sealed;
	moved.place = KEY_HSM;
	moved.kid = "moved";
	try_row(n.s, a, &moved, ERR_INPUT, why);
	row = test_hsm_rows[SAML_P256];
	row.place = KEY_SEALED;
	row.kid = "moved";
	try_row(n.s, a, &row, ERR_INPUT, why);
	test_node_stop(&n, a);
}

static void
a_row_of_another_instance_or_token_does_not_load(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US), other = set;
	struct signer *s;

	test_hsm_make_rows();
	struct test_hsm *h = test_hsm_start(a, SIGNER_SERVE, &set, "other");

	s = test_hsm_client(h);
	try_row(s, a, &test_hsm_rows[SAML_P256], ERR_INPUT, "sealed value does not open");
	signer_destroy(s);
	test_hsm_stop(h);
	other.token = "another token";
	h = test_hsm_start(a, SIGNER_SERVE, &other, TEST_INSTANCE);
	s = test_hsm_client(h);
	try_row(s, a, &test_hsm_rows[SAML_P256], ERR_DENIED, "lies in token 'kontor test'");
	signer_destroy(s);
	test_hsm_stop(h);
	arena_destroy(a);
}

static void
a_row_is_sealed_anew_by_commands_alone(void **state UNUSED)
{
	struct arena *a = arena_create(TEST_HSM_ARENA_BYTES);
	struct hsm_settings set = test_hsm_settings(TEST_HSM_LONG_US);
	struct key_row row;
	struct bytes sealed;
	const char *label;
	struct err err = {0};

	test_hsm_make_rows();
	struct test_hsm *h = test_hsm_start(a, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = test_hsm_client(h);

	ASSERT_OK(signer_rewrap(s, a, &test_hsm_rows[SAML_P256], &sealed, &err), &err);
	assert_int_equal(keyring_sealed_under(sealed), 2);
	signer_destroy(s);
	test_hsm_stop(h);
	h = test_hsm_start(a, SIGNER_SERVE, &set, TEST_INSTANCE);
	s = test_hsm_client(h);
	ASSERT_REFUSED(signer_rewrap(s, a, &test_hsm_rows[SAML_P256], &sealed, &err), &err,
		       ERR_DENIED, "not for this role");
	ASSERT_REFUSED(signer_hsm_generate(s, a, &test_hsm_wishes[0], NULL, TEST_HSM_NOW, &row,
					   &label, &err),
		       &err, ERR_DENIED, "not for this role");
	signer_destroy(s);
	test_hsm_stop(h);
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_made_signs_and_agrees),
		cmocka_unit_test(its_certificate_is_signed_by_the_key),
		cmocka_unit_test(the_shape_is_checked_before_the_token_signs),
		cmocka_unit_test(a_private_key_cannot_leave_the_token),
		cmocka_unit_test(keys_of_other_types_are_made_and_used),
		cmocka_unit_test(a_key_that_the_token_cannot_use_is_refused_and_removed),
		cmocka_unit_test(an_object_is_taken_by_its_label_if_it_is_fit),
		cmocka_unit_test(a_row_that_was_tampered_with_does_not_load),
		cmocka_unit_test(a_row_of_another_instance_or_token_does_not_load),
		cmocka_unit_test(a_row_is_sealed_anew_by_commands_alone),
	};

	return cmocka_run_group_tests_name("hsm", tests, test_token_make, test_token_remove);
}
