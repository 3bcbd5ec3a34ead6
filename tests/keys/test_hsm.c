/*
 * Keys in an HSM (keys/hsm.h), with SoftHSM behind a module that fails on command
 * (p11_fault.c): made, used, refused; outages; and that nothing else ever signs in
 * their place.
 */
#include "tests/test.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/enc.h"
#include "keys/cert.h"
#include "keys/envelope.h"
#include "keys/hsm_core.h"
#include "tests/keys/test_keys.h"
#include "tests/keys/test_signer_thread.h"
#include "tests/keys/test_token.h"

#define ARENA_BYTES ((size_t)16 << 20)
#define NOW         ((time_t)1800000000)
#define LONG_US     20000000 /* where the HSM is to answer, on whatever machine */
#define SHORT_US    300000   /* where it is not */

/* ---- an HSM process on a thread ---- */

struct hsm {
	struct arena *a;
	struct hsm_core *core;
	pthread_t thread;
	int fds[2]; /* fds[0] is ours */
	bool ended_well;
};

static void *
serve(void *arg)
{
	struct hsm *h = arg;

	h->ended_well = hsm_core_serve(h->core, h->fds[1]);
	return NULL;
}

static struct hsm_settings
settings(int64_t timeout_us)
{
	return (struct hsm_settings){.module = getenv("KONTOR_P11_MODULE"),
				     .token = TEST_TOKEN,
				     .pin = TEST_TOKEN_PIN,
				     .sessions = 2,
				     .queue = 6,
				     .timeout_us = timeout_us};
}

static struct hsm *
start(struct arena *a, enum signer_role role, const struct hsm_settings *s, const char *instance)
{
	struct hsm *h = ARENA_NEW(a, struct hsm);
	struct err err = {0};

	test_token_fault(NULL);
	h->a = a;
	ASSERT_OK(signer_socketpair(h->fds, &err) && hsm_core_create(role, &h->core, &err), &err);
	assert_int_equal(pthread_create(&h->thread, NULL, serve, h), 0);
	if (s != NULL)
		ASSERT_OK(hsm_send_secrets(h->fds[0], instance, test_signer_secrets(), s, LONG_US,
					   &err),
			  &err);
	return h;
}

/* Our end was given away or closed; calls into the module come back. */
static void
stop(struct hsm *h)
{
	test_token_fault(NULL);
	pthread_join(h->thread, NULL);
	hsm_core_destroy(h->core);
	close(h->fds[1]);
}

/* ---- keys ---- */

enum { SAML_P256, OIDC_RSA, DECRYPT_P256, ROWS };
static const struct key_wish wishes[ROWS] = {
	[SAML_P256] = {KEY_SAML_SIGN, KEY_P256, 30},
	[OIDC_RSA] = {KEY_OIDC_SIGN, KEY_RSA3072, 30},
	[DECRYPT_P256] = {KEY_DECRYPT, KEY_P256, 30},
};
static struct key_row rows[ROWS];
static const char *labels[ROWS];

/* A client whose HSM is h, for commands. */
static struct signer *
command_client(struct hsm *h)
{
	struct signer *s;
	struct err err = {0};

	ASSERT_OK(signer_create(-1, LONG_US, &s, &err), &err);
	ASSERT_OK(signer_add_hsm(s, h->fds[0], 10 * LONG_US, &err), &err);
	return s;
}

/* Made once: RSA keys take their time. */
static void
make_rows(void)
{
	static struct arena *kept;
	struct hsm_settings set = settings(LONG_US);
	struct err err = {0};

	if (kept != NULL)
		return;
	kept = arena_create(ARENA_BYTES);
	struct hsm *h = start(kept, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = command_client(h);

	for (size_t i = 0; i < ROWS; i++) {
		ASSERT_OK(signer_hsm_generate(s, kept, &wishes[i], NULL, NOW, &rows[i], &labels[i],
					      &err),
			  &err);
		rows[i].state = KEY_ACTIVE;
	}
	signer_destroy(s);
	stop(h);
}

/* A node: a signer with keys of its own, an HSM with others, which are the active ones. */
struct node {
	struct hsm *hsm;
	struct signer *s;
	const struct keyring *keys;
	struct key_ops ops;
};

static const struct keyring *
mixed_keys(struct arena *a, const struct keyring *sealed)
{
	struct key_row *all = ARENA_ARRAY(a, struct key_row, 32);
	const struct keyring *kr;
	const struct key *k;
	struct err err = {0};
	size_t n = 0;

	for (size_t i = 0; (k = keyring_each(sealed, &i)) != NULL;) {
		all[n] = k->row;
		for (size_t r = 0; r < ROWS; r++)
			if (rows[r].purpose == k->row.purpose && rows[r].type == k->row.type)
				all[n].state = KEY_RETIRED;
		n++;
	}
	for (size_t r = 0; r < ROWS; r++)
		all[n++] = rows[r];
	ASSERT_OK(keyring_create(a, all, n, &kr, &err), &err);
	return kr;
}

static struct node
start_node(struct arena *a, const struct hsm_settings *set)
{
	struct test_signer *t = test_signer_create(a);
	struct node n = {.s = t->s};
	struct err err = {0};

	make_rows();
	n.keys = mixed_keys(a, t->keys);
	n.hsm = start(a, SIGNER_SERVE, set, TEST_INSTANCE);
	ASSERT_OK(signer_add_hsm(n.s, n.hsm->fds[0], LONG_US, &err), &err);
	ASSERT_OK(signer_load(n.s, n.keys, &err), &err);
	n.ops = signer_key_ops(n.s);
	return n;
}

/* The arena ends the signer, whose client closes the HSM's socket. */
static void
stop_node(struct node *n, struct arena *a)
{
	struct hsm h = *n->hsm;

	test_token_fault(NULL);
	shutdown(h.fds[0], SHUT_RDWR);
	stop(&h);
	arena_destroy(a);
}

static struct bytes
text_of(struct arena *a, const char *kid, const char *alg)
{
	return test_jws_input(a, alg, kid);
}

/* A Redirect query that names the algorithm. */
static struct bytes
query(void)
{
	return bytes_of("SAMLResponse=x&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2F"
			"xmldsig-more%23ecdsa-sha256");
}

static bool
sign_saml(struct node *n, struct arena *a, struct err *err)
{
	const struct key *k = keyring_active(n->keys, KEY_SAML_SIGN, KEY_P256);
	struct bytes sig;

	if (!n->ops.sign(n->ops.ctx, a, k->row.kid, SIG_ES256, query(), &sig, err))
		return false;
	assert_true(test_verifies(k->pub, SIG_ES256, query(), sig));
	return true;
}

/* With a key that lies in its row: that works whatever the HSM does. */
static void
sign_elsewhere(struct node *n, struct arena *a)
{
	const struct key *k = keyring_active(n->keys, KEY_OIDC_SIGN, KEY_P256);
	struct err err = {0};
	struct bytes sig;

	assert_int_equal(k->row.place, KEY_SEALED);
	ASSERT_OK(n->ops.sign(n->ops.ctx, a, k->row.kid, SIG_ES256, text_of(a, k->row.kid, "ES256"),
			      &sig, &err),
		  &err);
}

static void
wait_for_signature(struct node *n)
{
	int64_t until = clock_mono_us() + LONG_US;
	struct arena *a = arena_create(ARENA_BYTES);
	struct err err = {0};

	while (!sign_saml(n, a, &err)) {
		if (clock_mono_us() > until)
			fail_msg("it does not come back: %s", err.text);
		err_clear(&err);
		arena_reset(a);
		usleep(20000);
	}
	arena_destroy(a);
}

/* In memory of its own, good until the next look: it may be asked for often. */
static struct signer_hsm
look(struct node *n)
{
	static unsigned char trouble[WIRE_LABEL_MAX];
	struct arena *a = arena_create((size_t)1 << 20);
	struct signer_hsm seen;

	signer_hsm_look(n->s, a, &seen);
	assert_true(strlen(seen.trouble) < sizeof(trouble));
	memcpy(trouble, seen.trouble, strlen(seen.trouble) + 1);
	seen.trouble = (const char *)trouble;
	arena_destroy(a);
	return seen;
}

/* No sealed key was used: all that the signer counts is what was asked of it by name. */
static uint64_t
uses_of_sealed(struct node *n, struct arena *a, enum key_purpose purpose)
{
	struct signer_status status;
	struct err err = {0};
	uint64_t uses = 0;

	ASSERT_OK(signer_status(n->s, a, &status, &err), &err);
	for (size_t i = 0; i < status.n_keys; i++) {
		const struct key *k = keyring_find(n->keys, status.keys[i].kid);

		assert_non_null(k);
		if (k->row.place == KEY_SEALED && k->row.purpose == purpose)
			uses += status.keys[i].uses;
	}
	return uses;
}

/* ---- made and used ---- */

static void
what_was_made_signs_and_agrees(void **state UNUSED)
{
	static const struct {
		enum sig_alg alg;
		const char *name;
	} rsa[] = {{SIG_RS256, "RS256"}, {SIG_PS256, "PS256"}};
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct node n = start_node(a, &set);
	const struct key *oidc = keyring_active(n.keys, KEY_OIDC_SIGN, KEY_RSA3072);
	const struct key *dec = keyring_active(n.keys, KEY_DECRYPT, KEY_P256);
	struct bytes sig, point, ours, theirs, info = bytes_of("info");
	struct signer_hsm seen;
	struct err err = {0};

	ASSERT_OK(sign_saml(&n, a, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(rsa); i++) {
		struct bytes text = text_of(a, oidc->row.kid, rsa[i].name);

		ASSERT_OK(n.ops.sign(n.ops.ctx, a, oidc->row.kid, rsa[i].alg, text, &sig, &err),
			  &err);
		assert_true(test_verifies(oidc->pub, rsa[i].alg, text, sig));
	}
	ASSERT_OK(envelope_agree(a, dec->pub, info, 32, &point, &theirs, &err), &err);
	EVP_PKEY *peer;
	struct bytes spki;

	ASSERT_OK(cert_ec_parse(a, "prime256v1", point, &peer, &err), &err);
	ASSERT_OK(cert_spki_build(a, peer, &spki, &err), &err);
	ASSERT_OK(n.ops.agree(n.ops.ctx, a, dec->row.kid, spki, info, 32, &ours, &err), &err);
	assert_true(bytes_eq(ours, theirs));
	/* Two certificates, both verifiable boxes around the key. */
	for (size_t r = 0; r < ROWS; r++) {
		struct cert cert;

		assert_int_equal(rows[r].cert.n > 0, r != OIDC_RSA);
		if (r != OIDC_RSA)
			ASSERT_OK(cert_parse(a, rows[r].cert, &cert, &err), &err);
	}
	seen = look(&n);
	assert_true(seen.ready && seen.there && seen.needed && seen.done >= 4);
	assert_string_equal(seen.trouble, "");
	assert_int_equal(uses_of_sealed(&n, a, KEY_SAML_SIGN), 0);
	stop_node(&n, a);
}

/* As OpenSSL sees it: self-signed by the key in the token. */
static void
its_certificate_is_signed_by_the_key(void **state UNUSED)
{
	make_rows();
	const unsigned char *p = rows[SAML_P256].cert.p;
	X509 *x = d2i_X509(NULL, &p, (long)rows[SAML_P256].cert.n);

	assert_non_null(x);
	assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
	X509_free(x);
}

static void
the_shape_is_checked_before_the_token_signs(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct node n = start_node(a, &set);
	const char *saml = rows[SAML_P256].kid, *oidc = rows[OIDC_RSA].kid;
	const char *dec = rows[DECRYPT_P256].kid;
	struct bytes out, junk = bytes_of("0123456789abcdef0123456789abcdef");
	struct err err = {0};

	ASSERT_REFUSED(n.ops.sign(n.ops.ctx, a, saml, SIG_ES256, junk, &out, &err), &err,
		       ERR_DENIED, "neither SignedInfo nor a Redirect query");
	ASSERT_REFUSED(
		n.ops.sign(n.ops.ctx, a, oidc, SIG_RS256, text_of(a, saml, "RS256"), &out, &err),
		&err, ERR_DENIED, "");
	ASSERT_REFUSED(n.ops.sign(n.ops.ctx, a, saml, SIG_RS256,
				  bytes_of("SAMLResponse=x&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F"
					   "04%2Fxmldsig-more%23rsa-sha256"),
				  &out, &err),
		       &err, ERR_DENIED, "no signatures of this kind");
	ASSERT_REFUSED(n.ops.sign(n.ops.ctx, a, dec, SIG_ES256, query(), &out, &err), &err,
		       ERR_DENIED, "no such key for this purpose");
	ASSERT_REFUSED(n.ops.unwrap(n.ops.ctx, a, saml, WRAP_RSA_OAEP_SHA1, junk, &out, &err), &err,
		       ERR_DENIED, "no such key for this purpose");
	ASSERT_REFUSED(n.ops.unwrap(n.ops.ctx, a, dec, WRAP_RSA_OAEP_SHA1, junk, &out, &err), &err,
		       ERR_DENIED, "does not unwrap");
	ASSERT_REFUSED(n.ops.agree(n.ops.ctx, a, dec, junk, junk, 32, &out, &err), &err, ERR_INPUT,
		       "not a point of P-256");
	ASSERT_REFUSED(n.ops.agree(n.ops.ctx, a, dec, rows[OIDC_RSA].spki, junk, 32, &out, &err),
		       &err, ERR_INPUT, "not a point of P-256");
	/* A curve of the same size. */
	EVP_PKEY *other = EVP_EC_gen("brainpoolP256r1");
	struct bytes spki;

	ASSERT_OK(cert_spki_build(a, other, &spki, &err), &err);
	EVP_PKEY_free(other);
	ASSERT_REFUSED(n.ops.agree(n.ops.ctx, a, dec, spki, junk, 32, &out, &err), &err, ERR_INPUT,
		       "not a point of P-256");
	ASSERT_REFUSED(n.ops.agree(n.ops.ctx, a, dec, rows[SAML_P256].spki, junk, 8, &out, &err),
		       &err, ERR_DENIED, "does not agree");
	ASSERT_OK(sign_saml(&n, a, &err), &err);
	stop_node(&n, a);
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
	struct arena *a = arena_create(ARENA_BYTES);

	make_rows();
	for (size_t r = 0; r < ROWS; r++) {
		struct peek p = peek(a, labels[r]);

		assert_int_equal(p.found, 1);
		assert_true(p.sensitive && !p.extractable && p.never_extractable && p.private);
		assert_int_equal(p.signs, r != DECRYPT_P256);
		assert_int_equal(p.derives, r == DECRYPT_P256);
	}
	arena_destroy(a);
}

/* Loaded beside what a node has, and used: what the token makes on other curves. */
static void
use_of_another_curve(struct arena *a, struct node *n, const struct key_row *row)
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
	ASSERT_REFUSED(
		n->ops.agree(n->ops.ctx, a, row->kid, rows[SAML_P256].spki, info, 32, &ours, &err),
		&err, ERR_INPUT, type->title);
}

static void
keys_of_other_curves_are_made_and_used(void **state UNUSED)
{
	static const struct key_wish more[] = {
		{KEY_SAML_SIGN, KEY_P384, 30},  {KEY_SAML_SIGN, KEY_BP256, 30},
		{KEY_SAML_SIGN, KEY_BP384, 30}, {KEY_DECRYPT, KEY_P384, 30},
		{KEY_DECRYPT, KEY_BP256, 30},   {KEY_DECRYPT, KEY_BP384, 30},
	};
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct key_row made[ARRAY_LEN(more)];
	const char *label;
	struct cert cert;
	struct err err = {0};
	struct hsm *h = start(a, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = command_client(h);

	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		ASSERT_OK(signer_hsm_generate(s, a, &more[i], NULL, NOW, &made[i], &label, &err),
			  &err);
		ASSERT_OK(cert_parse(a, made[i].cert, &cert, &err), &err);
		assert_true(key_type_fits(more[i].type, cert.pub));
		made[i].state = KEY_ACTIVE;
	}
	signer_destroy(s);
	stop(h);
	struct node n = start_node(a, &set);

	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		use_of_another_curve(a, &n, &made[i]);
	stop_node(&n, a);
}

/* SoftHSM opens OAEP with SHA-1 alone; peers are told of both. */
static void
a_key_that_the_token_cannot_use_is_refused_and_removed(void **state UNUSED)
{
	static const struct key_wish wish = {KEY_DECRYPT, KEY_RSA3072, 30};
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct key_row row;
	const char *label;
	struct err err = {0};

	make_rows();
	CK_ULONG before = peek(a, "").found;
	struct hsm *h = start(a, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = command_client(h);

	ASSERT_REFUSED(signer_hsm_generate(s, a, &wish, NULL, NOW, &row, &label, &err), &err,
		       ERR_DENIED, "does not open RSA-OAEP with SHA-256");
	signer_destroy(s);
	stop(h);
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
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct key_row row;
	const char *label;
	struct err err = {0};

	make_object(a, (struct make){"fit", CK_TRUE, CK_FALSE, CK_TRUE, 1});
	make_object(a, (struct make){"twice", CK_TRUE, CK_FALSE, CK_TRUE, 2});
	make_object(a, (struct make){"twice", CK_TRUE, CK_FALSE, CK_TRUE, 3});
	make_object(a, (struct make){"loose", CK_TRUE, CK_TRUE, CK_TRUE, 4});
	make_object(a, (struct make){"open", CK_FALSE, CK_FALSE, CK_TRUE, 5});
	make_object(a, (struct make){"mute", CK_TRUE, CK_FALSE, CK_FALSE, 6});
	struct hsm *h = start(a, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = command_client(h);

	ASSERT_OK(signer_hsm_generate(s, a, &wish, "fit", NOW, &row, &label, &err), &err);
	assert_string_equal(label, "fit");
	assert_int_equal(row.place, KEY_HSM);
	assert_int_equal(row.state, KEY_PLANNED);
	ASSERT_REFUSED(signer_hsm_generate(s, a, &rsa, "fit", NOW, &row, &label, &err), &err,
		       ERR_DENIED, "of another type");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_REFUSED(
			signer_hsm_generate(s, a, &wish, bad[i].label, NOW, &row, &label, &err),
			&err, ERR_DENIED, bad[i].why);
	signer_destroy(s);
	stop(h);
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
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct node n = start_node(a, &set);
	struct key_row row = rows[SAML_P256], other = rows[OIDC_RSA], sealed, moved;
	static const char why[] = "sealed value does not open";

	row.kid = "another";
	try_row(n.s, a, &row, ERR_INPUT, why);
	row = rows[SAML_P256];
	row.purpose = KEY_OIDC_SIGN;
	try_row(n.s, a, &row, ERR_INPUT, why);
	/* The object of one key in the row of another; its public key in the place of another's. */
	row = rows[SAML_P256];
	row.sealed = other.sealed;
	try_row(n.s, a, &row, ERR_INPUT, why);
	row = rows[SAML_P256];
	row.spki = rows[DECRYPT_P256].spki;
	row.cert = (struct bytes){0};
	try_row(n.s, a, &row, ERR_INPUT, why);
	for (size_t i = 0; i < rows[SAML_P256].sealed.n; i++) {
		row = rows[SAML_P256];
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
	row = rows[SAML_P256];
	row.place = KEY_SEALED;
	row.kid = "moved";
	try_row(n.s, a, &row, ERR_INPUT, why);
	stop_node(&n, a);
}

static void
a_row_of_another_instance_or_token_does_not_load(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US), other = set;
	struct signer *s;

	make_rows();
	struct hsm *h = start(a, SIGNER_SERVE, &set, "other");

	s = command_client(h);
	try_row(s, a, &rows[SAML_P256], ERR_INPUT, "sealed value does not open");
	signer_destroy(s);
	stop(h);
	other.token = "another token";
	h = start(a, SIGNER_SERVE, &other, TEST_INSTANCE);
	s = command_client(h);
	try_row(s, a, &rows[SAML_P256], ERR_DENIED, "lies in token 'kontor test'");
	signer_destroy(s);
	stop(h);
	arena_destroy(a);
}

static void
a_row_is_sealed_anew_by_commands_alone(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct key_row row;
	struct bytes sealed;
	const char *label;
	struct err err = {0};

	make_rows();
	struct hsm *h = start(a, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = command_client(h);

	ASSERT_OK(signer_rewrap(s, a, &rows[SAML_P256], &sealed, &err), &err);
	assert_int_equal(keyring_sealed_under(sealed), 2);
	signer_destroy(s);
	stop(h);
	h = start(a, SIGNER_SERVE, &set, TEST_INSTANCE);
	s = command_client(h);
	ASSERT_REFUSED(signer_rewrap(s, a, &rows[SAML_P256], &sealed, &err), &err, ERR_DENIED,
		       "not for this role");
	ASSERT_REFUSED(signer_hsm_generate(s, a, &wishes[0], NULL, NOW, &row, &label, &err), &err,
		       ERR_DENIED, "not for this role");
	signer_destroy(s);
	stop(h);
	arena_destroy(a);
}

/* ---- outages ---- */

static void
a_signature_that_is_not_the_keys_never_leaves(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct node n = start_node(a, &set);
	struct err err = {0};

	ASSERT_OK(sign_saml(&n, a, &err), &err);
	test_token_fault("wrong");
	ASSERT_REFUSED(sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "is not one of this key");
	test_token_fault(NULL);
	ASSERT_OK(sign_saml(&n, a, &err), &err);
	stop_node(&n, a);
}

/* Whatever a session is lost to, the next one does it, unseen. */
static void
a_lost_session_is_opened_again(void **state UNUSED)
{
	static const char *const lost[] = {"once 0xb3", "once 0x32",  "once 0xe0",
					   "once 0x30", "once 0x101", "once 0x82"};
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct node n = start_node(a, &set);
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
		test_token_fault(lost[i]);
		ASSERT_OK(sign_saml(&n, a, &err), &err);
		assert_int_not_equal(access(test_token_fault_path, F_OK), 0);
	}
	stop_node(&n, a);
}

static void
when_the_token_is_away_nothing_signs_in_its_place(void **state UNUSED)
{
	static const char *const faults[] = {"fail 0xe0", "fail 0x5", "fail 0x30"};
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct node n = start_node(a, &set);
	const char *kid = rows[SAML_P256].kid;
	struct signer_hsm seen;
	struct err err = {0};

	ASSERT_OK(sign_saml(&n, a, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		test_token_fault(faults[i]);
		ASSERT_REFUSED(sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "HSM");
		assert_false(signer_key_ready(n.s, kid));
		assert_true(signer_key_ready(
			n.s, keyring_active(n.keys, KEY_OIDC_SIGN, KEY_P256)->row.kid));
		seen = look(&n);
		assert_false(seen.ready);
		assert_true(seen.failed > i && seen.trouble[0] != '\0');
		sign_elsewhere(&n, a);
		test_token_fault(NULL);
		wait_for_signature(&n);
		seen = look(&n);
		assert_true(seen.ready && signer_key_ready(n.s, kid));
	}
	/* The retired key of the same purpose, which lies in its row, was never touched. */
	assert_int_equal(uses_of_sealed(&n, a, KEY_SAML_SIGN), 0);
	stop_node(&n, a);
}

/* As the HSM's own tools would take one of its keys away. */
static void
remove_object(struct arena *a, const char *label, enum key_type type)
{
	struct p11_options o = {getenv("KONTOR_P11_MODULE"), TEST_TOKEN, TEST_TOKEN_PIN};
	struct p11 *p = p11_create(a, &o);
	struct p11_session s = {0};
	struct p11_object object = {.label = label};
	struct err err = {0};

	ASSERT_OK(p11_adopt(p, &s, a, label, type, false, &object.id, &err), &err);
	p11_remove(p, &s, &object);
	p11_destroy(p);
}

static void
a_key_whose_object_is_gone_fails_alone(void **state UNUSED)
{
	static const struct key_wish wish = {KEY_OIDC_SIGN, KEY_P256, 30};
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct key_row both[2];
	const struct keyring *kr;
	const char *label;
	struct bytes sig;
	struct err err = {0};

	make_rows();
	struct hsm *h = start(a, SIGNER_CLI, &set, TEST_INSTANCE);
	struct signer *s = command_client(h);

	ASSERT_OK(signer_hsm_generate(s, a, &wish, NULL, NOW, &both[0], &label, &err), &err);
	signer_destroy(s);
	stop(h);
	remove_object(a, label, KEY_P256);
	struct node n = start_node(a, &set);

	both[1] = rows[SAML_P256];
	ASSERT_OK(keyring_create(a, both, 2, &kr, &err), &err);
	ASSERT_OK(signer_load(n.s, kr, &err), &err);
	for (int i = 0; i < 5; i++) {
		ASSERT_REFUSED(n.ops.sign(n.ops.ctx, a, both[0].kid, SIG_ES256,
					  text_of(a, both[0].kid, "ES256"), &sig, &err),
			       &err, ERR_UNAVAILABLE, "does not have the key's object");
		ASSERT_OK(sign_saml(&n, a, &err), &err);
		assert_true(look(&n).ready && signer_key_ready(n.s, rows[SAML_P256].kid));
	}
	usleep(1500000); /* an idle token is looked at meanwhile */
	assert_true(look(&n).ready);
	stop_node(&n, a);
}

/* Not only a request finds out: an idle token is looked after. */
static void
an_idle_token_is_seen_to_go_and_to_come(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct node n = start_node(a, &set);
	int64_t until = clock_mono_us() + LONG_US;
	struct signer_hsm seen = {.ready = false};

	for (int up = 1; up >= 0; up--) {
		test_token_fault(up ? NULL : "fail 0xe0");
		do {
			usleep(20000);
			seen = look(&n);
			assert_true(clock_mono_us() < until);
		} while (seen.ready != (up == 1));
	}
	test_token_fault(NULL);
	do {
		usleep(20000);
		seen = look(&n);
		assert_true(clock_mono_us() < until);
	} while (!seen.ready);
	stop_node(&n, a);
}

static void *
ask(void *arg)
{
	struct node *n = arg;
	struct arena *a = arena_create((size_t)1 << 20);
	struct err err = {0};
	bool ok = sign_saml(n, a, &err);

	arena_destroy(a);
	return (void *)(intptr_t)(ok ? ERR_NONE : err.kind);
}

static void
a_stall_is_answered_in_time_and_stops_nothing_else(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(SHORT_US);
	struct node n = start_node(a, &set);
	pthread_t threads[12];
	struct err err = {0};
	void *kind;

	wait_for_signature(&n);
	test_token_fault("stall");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &n), 0);
	sign_elsewhere(&n, a);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], &kind);
		assert_int_equal((intptr_t)kind, ERR_UNAVAILABLE);
	}
	/* By now every session hangs: who asks is told so without waiting. */
	ASSERT_REFUSED(sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "HSM: every session hangs");
	sign_elsewhere(&n, a);
	test_token_fault(NULL);
	wait_for_signature(&n);
	assert_int_equal(uses_of_sealed(&n, a, KEY_SAML_SIGN), 0);
	stop_node(&n, a);
}

/* More at once than the table holds are refused at once, and the rest is done. */
static void
the_queue_is_bounded(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct node n = start_node(a, &set);
	pthread_t threads[12];
	size_t done = 0, refused = 0;
	struct signer_hsm seen;
	void *kind;

	wait_for_signature(&n);
	uint64_t before = atomic_load(&n.hsm->core->refused);

	while (look(&n).jobs > 0) /* an answer is there before its place is free again */
		usleep(10000);
	test_token_fault("stall");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &n), 0);
	do {
		usleep(10000);
		seen = look(&n);
	} while (seen.jobs < set.queue);
	/* The six that found no place have their answer; the six others wait. */
	while (atomic_load(&n.hsm->core->refused) < before + 6)
		usleep(10000);
	test_token_fault(NULL);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], &kind);
		done += (intptr_t)kind == ERR_NONE;
		refused += (intptr_t)kind == ERR_UNAVAILABLE;
	}
	assert_int_equal(done, 6);
	assert_int_equal(refused, 6);
	stop_node(&n, a);
}

/* Then only a new process helps: this one says so, and its like are started again. */
static void
a_call_that_never_comes_back_ends_the_process(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(50000);
	struct hsm *h = start(a, SIGNER_SERVE, &set, TEST_INSTANCE);

	test_token_fault("stall");
	pthread_join(h->thread, NULL); /* by itself, our end being open */
	assert_false(h->ended_well);
	test_token_fault(NULL);
	hsm_core_destroy(h->core);
	close(h->fds[0]);
	close(h->fds[1]);
	arena_destroy(a);
}

static size_t
logins(void)
{
	char path[80], line[16];
	size_t n = 0;

	snprintf(path, sizeof(path), "%s.logins", test_token_fault_path);
	FILE *f = fopen(path, "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n++;
	if (f != NULL)
		fclose(f);
	return n;
}

/* Tokens count wrong PINs, and lock. */
static void
a_pin_that_is_refused_is_not_tried_again(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);

	set.pin = "wrong";
	size_t before = logins();
	struct node n = start_node(a, &set);
	struct err err = {0};

	for (int i = 0; i < 20; i++) {
		ASSERT_REFUSED(sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "CKR_PIN_INCORRECT");
		usleep(20000);
	}
	assert_int_equal(logins(), before + 1);
	sign_elsewhere(&n, a);
	stop_node(&n, a);
}

static void
a_module_or_token_that_is_not_there_is_an_outage(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct err err = {0};

	set.module = "/nowhere/module.so";
	struct node n = start_node(a, &set);

	ASSERT_REFUSED(sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "cannot be loaded");
	sign_elsewhere(&n, a);
	stop_node(&n, a);
	a = arena_create(ARENA_BYTES);
	set.module = "libcrypto.so.3";
	n = start_node(a, &set);
	ASSERT_REFUSED(sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "is no PKCS#11 module");
	stop_node(&n, a);
	arena_destroy(NULL);
}

/* Its rows say that they lie in an HSM, and there is none: no other key, no other answer. */
static void
without_an_hsm_its_keys_are_unavailable(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	struct node n = {.s = t->s};
	struct signer_hsm seen;
	struct err err = {0};

	make_rows();
	n.keys = mixed_keys(a, t->keys);
	n.ops = signer_key_ops(n.s);
	ASSERT_OK(signer_load(n.s, n.keys, &err), &err);
	ASSERT_REFUSED(sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "none is set up");
	assert_false(signer_key_ready(n.s, rows[SAML_P256].kid));
	seen = look(&n);
	assert_true(seen.needed && !seen.there && !seen.ready);
	sign_elsewhere(&n, a);
	assert_int_equal(uses_of_sealed(&n, a, KEY_SAML_SIGN), 0);
	arena_destroy(a);
}

/* A new process in the place of one that died gets the rows, and signs. */
static void
a_process_that_died_is_replaced(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES), *b = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct node n = start_node(a, &set);
	struct hsm first = *n.hsm;
	struct err err = {0};

	ASSERT_OK(sign_saml(&n, a, &err), &err);
	shutdown(first.fds[0], SHUT_RDWR);
	stop(&first);
	ASSERT_REFUSED(sign_saml(&n, a, &err), &err, ERR_UNAVAILABLE, "does not answer");
	assert_false(signer_key_ready(n.s, rows[SAML_P256].kid));
	ASSERT_OK(signer_load(n.s, n.keys, &err), &err); /* goes on without it */
	sign_elsewhere(&n, a);
	n.hsm = start(b, SIGNER_SERVE, &set, TEST_INSTANCE);
	ASSERT_OK(signer_replace_hsm(n.s, n.hsm->fds[0], &err), &err);
	/* Of this one nothing is known, whatever the one before was seen to do. */
	assert_true(signer_key_ready(n.s, rows[SAML_P256].kid));
	wait_for_signature(&n);
	stop_node(&n, a);
	arena_destroy(b);
}

static void *
look_in_a_thread(void *arg)
{
	(void)look(arg);
	return NULL;
}

/* Who asked the one that died finds that out only after there is another. */
static void
what_a_dead_process_was_asked_says_nothing_of_the_next(void **state UNUSED)
{
	static unsigned char asked[WIRE_MAX];
	struct arena *a = arena_create(ARENA_BYTES), *b = arena_create(ARENA_BYTES);
	struct hsm_settings set = settings(LONG_US);
	struct test_signer *t = test_signer_create(a);
	struct node n = {.s = t->s};
	struct err err = {0};
	pthread_t id;
	int deaf[2];

	make_rows();
	ASSERT_OK(signer_load(n.s, mixed_keys(a, t->keys), &err), &err);
	ASSERT_OK(signer_socketpair(deaf, &err), &err);
	ASSERT_OK(signer_add_hsm(n.s, deaf[0], LONG_US, &err), &err);
	assert_int_equal(pthread_create(&id, NULL, look_in_a_thread, &n), 0);
	assert_true(recv(deaf[1], asked, sizeof(asked), 0) > 0);
	n.hsm = start(b, SIGNER_SERVE, &set, TEST_INSTANCE);
	ASSERT_OK(signer_replace_hsm(n.s, n.hsm->fds[0], &err), &err);
	pthread_join(id, NULL);
	assert_true(signer_key_ready(n.s, rows[SAML_P256].kid));
	stop_node(&n, a);
	close(deaf[1]);
	arena_destroy(b);
}

/* What it is told holds no master and no epoch key, only what was derived for its rows. */
static void
the_process_is_told_no_master_key(void **state UNUSED)
{
	static unsigned char told[WIRE_MAX];
	const struct masterfile *mf = test_signer_secrets();
	struct hsm_settings set = settings(LONG_US);
	struct err err = {0};
	int fds[2];

	ASSERT_OK(signer_socketpair(fds, &err), &err);
	ASSERT_REFUSED(hsm_send_secrets(fds[0], TEST_INSTANCE, mf, &set, 1000, &err), &err,
		       ERR_UNAVAILABLE, "");
	ssize_t n = recv(fds[1], told, sizeof(told), 0);

	assert_true(n > 0 &&
		    memmem(told, (size_t)n, TEST_TOKEN_PIN, strlen(TEST_TOKEN_PIN)) != NULL);
	for (size_t i = 0; i < mf->n_masters; i++)
		assert_null(memmem(told, (size_t)n, mf->masters[i].key, MASTERFILE_KEY_BYTES));
	for (size_t i = 0; i < mf->n_epochs; i++)
		assert_null(memmem(told, (size_t)n, mf->epochs[i].key, MASTERFILE_KEY_BYTES));
	close(fds[0]);
	close(fds[1]);
}

/* ---- the PIN's file ---- */

static void
a_pin_file_is_one_line_for_its_owner_alone(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	char path[64], longest[300];
	const char *pin;
	struct err err = {0};

	snprintf(path, sizeof(path), "%s/pin", test_token_folder);
	ASSERT_REFUSED(hsm_pin_read(a, path, &pin, &err), &err, ERR_NOT_FOUND, "PIN file");
	test_token_write(path, TEST_TOKEN_PIN "\n");
	assert_int_equal(chmod(path, 0640), 0);
	ASSERT_REFUSED(hsm_pin_read(a, path, &pin, &err), &err, ERR_DENIED, "open to others");
	assert_int_equal(chmod(path, 0600), 0);
	ASSERT_OK(hsm_pin_read(a, path, &pin, &err), &err);
	assert_string_equal(pin, TEST_TOKEN_PIN);
	test_token_write(path, "1\n2\n");
	ASSERT_REFUSED(hsm_pin_read(a, path, &pin, &err), &err, ERR_INPUT, "one line");
	test_token_write(path, "\n");
	ASSERT_REFUSED(hsm_pin_read(a, path, &pin, &err), &err, ERR_INPUT, "one line");
	memset(longest, 'x', 256);
	longest[256] = '\0';
	test_token_write(path, longest);
	ASSERT_REFUSED(hsm_pin_read(a, path, &pin, &err), &err, ERR_INPUT, "one line");
	longest[255] = '\0';
	test_token_write(path, longest);
	ASSERT_OK(hsm_pin_read(a, path, &pin, &err), &err);
	assert_int_equal(strlen(pin), 255);
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
		cmocka_unit_test(keys_of_other_curves_are_made_and_used),
		cmocka_unit_test(a_key_that_the_token_cannot_use_is_refused_and_removed),
		cmocka_unit_test(an_object_is_taken_by_its_label_if_it_is_fit),
		cmocka_unit_test(a_row_that_was_tampered_with_does_not_load),
		cmocka_unit_test(a_row_of_another_instance_or_token_does_not_load),
		cmocka_unit_test(a_row_is_sealed_anew_by_commands_alone),
		cmocka_unit_test(a_signature_that_is_not_the_keys_never_leaves),
		cmocka_unit_test(a_lost_session_is_opened_again),
		cmocka_unit_test(when_the_token_is_away_nothing_signs_in_its_place),
		cmocka_unit_test(a_key_whose_object_is_gone_fails_alone),
		cmocka_unit_test(an_idle_token_is_seen_to_go_and_to_come),
		cmocka_unit_test(a_stall_is_answered_in_time_and_stops_nothing_else),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(a_call_that_never_comes_back_ends_the_process),
		cmocka_unit_test(a_pin_that_is_refused_is_not_tried_again),
		cmocka_unit_test(a_module_or_token_that_is_not_there_is_an_outage),
		cmocka_unit_test(without_an_hsm_its_keys_are_unavailable),
		cmocka_unit_test(a_process_that_died_is_replaced),
		cmocka_unit_test(what_a_dead_process_was_asked_says_nothing_of_the_next),
		cmocka_unit_test(the_process_is_told_no_master_key),
		cmocka_unit_test(a_pin_file_is_one_line_for_its_owner_alone),
	};

	return cmocka_run_group_tests_name("hsm", tests, test_token_make, test_token_remove);
}
