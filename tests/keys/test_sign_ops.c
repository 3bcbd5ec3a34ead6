/* Every operation of the signer, over a real socket (keys/sign_ops.c). */
#include "tests/test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "base/hash.h"
#include "keys/cert.h"
#include "tests/keys/test_keys.h"
#include "tests/keys/test_signer_thread.h"

#define ARENA_BYTES ((size_t)16 << 20)
#define NOW         ((time_t)1800000000)
#define ID          bytes_of("0123456789abcdef")

static void
a_signature_comes_back_and_is_counted(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	const struct key *k = keyring_active(t->keys, KEY_OIDC_SIGN, KEY_P256);
	struct key_ops ops = signer_key_ops(t->s);
	struct bytes text = test_jws_input(a, "ES256", k->row.kid), sig;
	struct signer_status status;
	struct err err = {0};

	for (int i = 0; i < 3; i++) {
		ASSERT_OK(ops.sign(ops.ctx, a, k->row.kid, SIG_ES256, text, &sig, &err), &err);
		assert_true(test_verifies(k->pub, SIG_ES256, text, sig));
	}
	ASSERT_REFUSED(ops.sign(ops.ctx, a, k->row.kid, SIG_ES256, bytes_of("no"), &sig, &err),
		       &err, ERR_DENIED, "signer: not a JWS signing input");
	ASSERT_OK(signer_status(t->s, a, &status, &err), &err);
	assert_int_equal(status.refused, 1);
	assert_int_equal(status.newest_master, 2);
	assert_int_equal(status.newest_epoch, 7);
	assert_false(status.memory_locked);
	for (size_t i = 0; i < status.n_keys; i++)
		assert_int_equal(status.keys[i].uses,
				 strcmp(status.keys[i].kid, k->row.kid) == 0 ? 3 : 0);
	arena_destroy(a);
}

static void
a_key_does_nothing_outside_its_purpose(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	struct key_ops ops = signer_key_ops(t->s);
	const char *saml = test_signer_kid(t, KEY_SAML_SIGN, KEY_P256);
	const char *pepper = test_signer_kid(t, KEY_PEPPER, KEY_SECRET);
	const char *cookie = test_signer_kid(t, KEY_COOKIE, KEY_SECRET);
	struct bytes out, label = bytes_of("l");
	const char *pseudonym;
	unsigned char mac[32];
	struct pseudonym_subject subject = {1, "local", ID};
	struct err err = {0};
	static const char why[] = "no such key for this purpose";

	ASSERT_REFUSED(
		ops.sign(ops.ctx, a, saml, SIG_ES256, test_jws_input(a, "ES256", saml), &out, &err),
		&err, ERR_DENIED, "neither SignedInfo");
	ASSERT_REFUSED(ops.sign(ops.ctx, a, pepper, SIG_ES256, test_jws_input(a, "ES256", pepper),
				&out, &err),
		       &err, ERR_DENIED, "not for signatures");
	ASSERT_REFUSED(ops.sign(ops.ctx, a, "nobody", SIG_ES256, label, &out, &err), &err,
		       ERR_DENIED, why);
	ASSERT_REFUSED(ops.unwrap(ops.ctx, a, saml, WRAP_RSA_OAEP_SHA256, label, &out, &err), &err,
		       ERR_DENIED, why);
	ASSERT_REFUSED(ops.agree(ops.ctx, a, saml, label, label, 32, &out, &err), &err, ERR_DENIED,
		       why);
	ASSERT_REFUSED(signer_mac(t->s, a, KEY_COOKIE, pepper, "l", label, mac, &err), &err,
		       ERR_DENIED, why);
	ASSERT_REFUSED(signer_mac(t->s, a, KEY_PSEUDONYM,
				  test_signer_kid(t, KEY_PSEUDONYM, KEY_SECRET), "l", label, mac,
				  &err),
		       &err, ERR_DENIED, "purpose makes no digests");
	ASSERT_REFUSED(signer_pseudonym(t->s, a, cookie, &subject, "sector", &pseudonym, &err),
		       &err, ERR_DENIED, why);
	ASSERT_REFUSED(signer_seal(t->s, a, cookie, label, label, &out, &err), &err, ERR_DENIED,
		       why);
	arena_destroy(a);
}

static void
a_content_key_opens_in_both_ways(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	struct key_ops ops = signer_key_ops(t->s);
	const struct key *rsa = keyring_active(t->keys, KEY_DECRYPT, KEY_RSA3072);
	const struct key *p256 = keyring_active(t->keys, KEY_DECRYPT, KEY_P256);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(rsa->pub, NULL);
	unsigned char wrapped[1024];
	size_t n = sizeof(wrapped);
	struct bytes key;
	struct err err = {0};

	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING);
	assert_int_equal(EVP_PKEY_encrypt(ctx, wrapped, &n, ID.p, ID.n), 1);
	EVP_PKEY_CTX_free(ctx);
	ASSERT_OK(ops.unwrap(ops.ctx, a, rsa->row.kid, WRAP_RSA_OAEP_SHA1,
			     (struct bytes){wrapped, n}, &key, &err),
		  &err);
	assert_true(bytes_eq(key, ID));
	ASSERT_OK(ops.agree(ops.ctx, a, p256->row.kid, p256->row.spki, ID, 32, &key, &err), &err);
	assert_int_equal(key.n, 32);
	ASSERT_REFUSED(ops.agree(ops.ctx, a, p256->row.kid, p256->row.spki, ID, (size_t)1 << 33,
				 &key, &err),
		       &err, ERR_DENIED, "does not agree");
	arena_destroy(a);
}

static void
a_keyed_digest_depends_on_key_label_and_data(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	const char *lookup = test_signer_kid(t, KEY_LOOKUP, KEY_SECRET);
	const char *audit = test_signer_kid(t, KEY_AUDIT, KEY_SECRET);
	static const struct {
		enum key_purpose purpose;
		const char *label, *data;
	} rows[] = {{KEY_LOOKUP, "login", "erika"},
		    {KEY_LOOKUP, "login", "max"},
		    {KEY_LOOKUP, "logine", "rika"},
		    {KEY_AUDIT, "login", "erika"},
		    {KEY_LOOKUP, "login", ""}};
	unsigned char macs[ARRAY_LEN(rows)][32], again[32];
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int round = 0; round < 2; round++)
			ASSERT_OK(signer_mac(t->s, a, rows[i].purpose,
					     rows[i].purpose == KEY_LOOKUP ? lookup : audit,
					     rows[i].label, bytes_of(rows[i].data),
					     round == 0 ? macs[i] : again, &err),
				  &err);
	assert_memory_equal(macs[ARRAY_LEN(rows) - 1], again, 32);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(macs[i], macs[j], 32);
	arena_destroy(a);
}

static void
a_pseudonym_depends_on_every_field(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	const char *kid = test_signer_kid(t, KEY_PSEUDONYM, KEY_SECRET);
	const struct {
		struct pseudonym_subject subject;
		const char *sector;
	} rows[] = {
		{{1, "local", ID}, "amt24"},
		{{2, "local", ID}, "amt24"},
		{{1, "https://other.example", ID}, "amt24"},
		{{1, "local", bytes_of("0123456789abcdeg")}, "amt24"},
		{{1, "local", ID}, "service-bw"},
		{{1, "loca", bytes_of("l0123456789abcdef")}, "amt24"},
	};
	const char *got[ARRAY_LEN(rows)], *again;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ASSERT_OK(signer_pseudonym(t->s, a, kid, &rows[i].subject, rows[i].sector, &got[i],
					   &err),
			  &err);
		assert_int_equal(strlen(got[i]), 43);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(got[i], got[j]);
	}
	ASSERT_OK(signer_pseudonym(t->s, a, kid, &rows[0].subject, rows[0].sector, &again, &err),
		  &err);
	assert_string_equal(again, got[0]);
	arena_destroy(a);
}

static void
a_sealed_value_opens_under_its_label_alone(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	const char *kid = test_signer_kid(t, KEY_SEAL, KEY_SECRET);
	struct bytes label = bytes_of("totp:1"), sealed, plain;
	struct err err = {0};

	ASSERT_OK(signer_seal(t->s, a, kid, label, ID, &sealed, &err), &err);
	ASSERT_OK(signer_open(t->s, a, label, sealed, &plain, &err), &err);
	assert_true(bytes_eq(plain, ID));
	ASSERT_REFUSED(signer_open(t->s, a, bytes_of("totp:2"), sealed, &plain, &err), &err,
		       ERR_INPUT, "sealed value does not open");
	for (size_t i = 0; i < sealed.n; i++) {
		struct bytes bad = arena_bytes(a, sealed);

		((unsigned char *)(uintptr_t)bad.p)[i] ^= 1;
		ASSERT_REFUSED(signer_open(t->s, a, label, bad, &plain, &err), &err, ERR_INPUT,
			       "sealed value does not open");
	}
	for (size_t n = 1; n < sealed.n; n++)
		ASSERT_REFUSED(
			signer_open(t->s, a, label, (struct bytes){sealed.p, n}, &plain, &err),
			&err, ERR_INPUT, "sealed value does not open");
	ASSERT_REFUSED(signer_open(t->s, a, label, bytes_of(""), &plain, &err), &err, ERR_INPUT,
		       "malformed");
	ASSERT_REFUSED(signer_open(t->s, a, bytes_of(""), sealed, &plain, &err), &err, ERR_INPUT,
		       "malformed");
	ASSERT_OK(signer_seal(t->s, a, kid, label, bytes_of(""), &sealed, &err), &err);
	ASSERT_OK(signer_open(t->s, a, label, sealed, &plain, &err), &err);
	assert_int_equal(plain.n, 0);
	arena_destroy(a);
}

static void
a_mac_is_checked_by_the_secret_sealed_for_it(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	const char *kid = test_signer_kid(t, KEY_SEAL, KEY_SECRET);
	struct bytes label = bytes_of("mac:c1"), text = bytes_of("header.claims"), sealed, weak;
	/* as long as a client's: longer than the hash, shorter than its block */
	struct bytes secret = bytes_of("0123456789012345678901234567890123456789012");
	unsigned char out[SHA256_BYTES];
	struct bytes mac = {out, sizeof(out)}, plain;
	struct err err = {0};

	HMAC(EVP_sha256(), secret.p, (int)secret.n, text.p, text.n, out, NULL);
	ASSERT_OK(signer_seal(t->s, a, kid, label, secret, &sealed, &err), &err);
	ASSERT_OK(signer_mac_check(t->s, a, label, sealed, text, mac, &err), &err);
	ASSERT_REFUSED(signer_mac_check(t->s, a, label, sealed, bytes_of("another"), mac, &err),
		       &err, ERR_DENIED, "another secret or text");
	ASSERT_REFUSED(
		signer_mac_check(t->s, a, label, sealed, text, (struct bytes){out, 31}, &err), &err,
		ERR_DENIED, "another secret or text");
	ASSERT_REFUSED(signer_mac_check(t->s, a, label, sealed, text, bytes_of(""), &err), &err,
		       ERR_DENIED, "another secret or text");
	ASSERT_REFUSED(signer_mac_check(t->s, a, bytes_of("mac:c2"), sealed, text, mac, &err), &err,
		       ERR_INPUT, "does not open");
	ASSERT_REFUSED(signer_mac_check(t->s, a, bytes_of("totp:1"), sealed, text, mac, &err), &err,
		       ERR_DENIED, "not a label");
	ASSERT_REFUSED(signer_open(t->s, a, label, sealed, &plain, &err), &err, ERR_DENIED,
		       "does not open");
	/* RFC 7518 3.2 */
	ASSERT_OK(signer_seal(t->s, a, kid, label, (struct bytes){secret.p, 31}, &weak, &err),
		  &err);
	HMAC(EVP_sha256(), secret.p, 31, text.p, text.n, out, NULL);
	ASSERT_REFUSED(signer_mac_check(t->s, a, label, weak, text, mac, &err), &err, ERR_DENIED,
		       "fewer than 256 bits");
	arena_destroy(a);
}

static void
an_accounts_values_open_with_its_key_and_their_labels(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	struct account_value values[3] = {{bytes_of("name"), bytes_of("Mustermann")},
					  {bytes_of("given"), bytes_of("Erika")},
					  {bytes_of("empty"), bytes_of("")}};
	struct account_value sealed_values[3];
	struct bytes wrapped, other, out[3], sealed[3];
	struct err err = {0};

	ASSERT_OK(signer_account_new(t->s, a, ID, &wrapped, &err), &err);
	ASSERT_OK(signer_account_new(t->s, a, ID, &other, &err), &err);
	assert_int_equal(signer_account_epoch(wrapped), 7);
	ASSERT_OK(signer_account_seal(t->s, a, ID, wrapped, values, 3, sealed, &err), &err);
	for (size_t i = 0; i < 3; i++)
		sealed_values[i] = (struct account_value){values[i].label, sealed[i]};
	ASSERT_OK(signer_account_open(t->s, a, ID, wrapped, sealed_values, 3, out, &err), &err);
	for (size_t i = 0; i < 3; i++)
		assert_true(bytes_eq(out[i], values[i].data));
	ASSERT_REFUSED(signer_account_open(t->s, a, ID, other, sealed_values, 3, out, &err), &err,
		       ERR_INPUT, "sealed value does not open");
	ASSERT_REFUSED(signer_account_open(t->s, a, bytes_of("another account!"), wrapped,
					   sealed_values, 3, out, &err),
		       &err, ERR_INPUT, "sealed value does not open");
	sealed_values[2].label = bytes_of("name");
	ASSERT_REFUSED(signer_account_open(t->s, a, ID, wrapped, sealed_values, 3, out, &err), &err,
		       ERR_INPUT, "sealed value does not open");
	ASSERT_OK(signer_account_open(t->s, a, ID, wrapped, sealed_values, 0, out, &err), &err);
	arena_destroy(a);
}

static void
a_wrapped_key_with_any_octet_another_is_refused(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	struct bytes wrapped, again;
	struct err err = {0};

	ASSERT_OK(signer_account_new(t->s, a, ID, &wrapped, &err), &err);
	for (size_t i = 0; i < wrapped.n; i++) {
		struct bytes bad = arena_bytes(a, wrapped);
		bool epoch = i >= 1 && i <= 4; /* names an epoch key that is not there */

		((unsigned char *)(uintptr_t)bad.p)[i] ^= 0x80;
		ASSERT_REFUSED(signer_account_rewrap(t->s, a, ID, bad, &again, &err), &err,
			       epoch ? ERR_NOT_FOUND : ERR_INPUT, epoch ? "epoch" : "not open");
	}
	arena_destroy(a);
}

static void
too_many_or_too_long_values_are_refused(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	struct account_value *values = ARENA_ARRAY(a, struct account_value, 257);
	struct bytes wrapped, *out = ARENA_ARRAY(a, struct bytes, 257);
	struct bytes long_one = {arena_alloc(a, 70000), 65536}, part = {long_one.p, 16384};
	struct err err = {0};

	for (size_t i = 0; i < 257; i++)
		values[i] = (struct account_value){bytes_of("l"), bytes_of("v")};
	ASSERT_OK(signer_account_new(t->s, a, ID, &wrapped, &err), &err);
	ASSERT_OK(signer_account_seal(t->s, a, ID, wrapped, values, 256, out, &err), &err);
	ASSERT_REFUSED(signer_account_seal(t->s, a, ID, wrapped, values, 257, out, &err), &err,
		       ERR_INPUT, "257 values");
	for (size_t i = 0; i < 6; i++) /* as much as the header promises */
		values[i].data = part;
	ASSERT_OK(signer_account_seal(t->s, a, ID, wrapped, values, 6, out, &err), &err);
	values[0].data = long_one;
	ASSERT_OK(signer_account_seal(t->s, a, ID, wrapped, values, 1, out, &err), &err);
	values[0].data = out[0];
	ASSERT_OK(signer_account_open(t->s, a, ID, wrapped, values, 1, out, &err), &err);
	assert_true(bytes_eq(out[0], long_one));
	values[0].data = long_one;
	values[0].data.n++;
	ASSERT_REFUSED(signer_account_seal(t->s, a, ID, wrapped, values, 1, out, &err), &err,
		       ERR_INPUT, "malformed request");
	for (size_t i = 0; i < 9; i++)
		values[i].data = part;
	ASSERT_REFUSED(signer_account_seal(t->s, a, ID, wrapped, values, 9, out, &err), &err,
		       ERR_INTERNAL, "bytes to write");
	arena_destroy(a);
}

/* An account key of an old epoch moves to the newest; one whose epoch is destroyed is gone. */
static void
account_keys_follow_the_epochs(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct masterfile *mf = ARENA_NEW(a, struct masterfile);
	struct signer *before, *after;
	struct bytes wrapped, rewrapped, again, sealed, plain;
	struct account_value v = {bytes_of("name"), bytes_of("Mustermann")};
	struct err err = {0};

	*mf = *test_signer_secrets();
	mf->n_epochs = 2; /* 4 and 5 */
	ASSERT_OK(signer_create(test_signer_start(a, SIGNER_SERVE, mf), TEST_TIMEOUT_US, &before,
				&err),
		  &err);
	ASSERT_OK(signer_account_new(before, a, ID, &wrapped, &err), &err);
	ASSERT_OK(signer_account_seal(before, a, ID, wrapped, &v, 1, &sealed, &err), &err);
	signer_destroy(before);
	assert_int_equal(signer_account_epoch(wrapped), 5);
	ASSERT_OK(signer_create(test_signer_start(a, SIGNER_SERVE, test_signer_secrets()),
				TEST_TIMEOUT_US, &after, &err),
		  &err);
	ASSERT_OK(signer_account_rewrap(after, a, ID, wrapped, &rewrapped, &err), &err);
	assert_int_equal(signer_account_epoch(rewrapped), 7);
	ASSERT_OK(signer_account_rewrap(after, a, ID, rewrapped, &again, &err), &err);
	assert_true(bytes_eq(rewrapped, again));
	v.data = sealed;
	ASSERT_OK(signer_account_open(after, a, ID, rewrapped, &v, 1, &plain, &err), &err);
	assert_true(bytes_eq(plain, bytes_of("Mustermann")));
	ASSERT_REFUSED(signer_account_rewrap(after, a, bytes_of("x"), wrapped, &again, &err), &err,
		       ERR_INPUT, "does not open");
	signer_destroy(after);

	mf->epochs[0] = mf->epochs[1]; /* epoch 5 destroyed */
	mf->epochs[0].id = 6;
	mf->n_epochs = 1;
	ASSERT_OK(signer_create(test_signer_start(a, SIGNER_SERVE, mf), TEST_TIMEOUT_US, &after,
				&err),
		  &err);
	ASSERT_REFUSED(signer_account_open(after, a, ID, wrapped, &v, 1, &plain, &err), &err,
		       ERR_NOT_FOUND, "epoch key 5 is not there");
	signer_destroy(after);
	assert_int_equal(signer_account_epoch(bytes_of("short")), 0);
	arena_destroy(a);
}

static struct signer *
cli(struct arena *a, const struct masterfile *mf)
{
	struct signer *s;
	struct err err = {0};

	ASSERT_OK(signer_create(test_signer_start(a, SIGNER_CLI, mf), TEST_TIMEOUT_US, &s, &err),
		  &err);
	return s;
}

static void
a_generated_key_has_its_public_half_and_certificate(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct signer *s = cli(a, test_signer_secrets());
	struct key_wish wish = {KEY_SAML_SIGN, KEY_P256, 365};
	const struct keyring *kr;
	struct key_row row;
	struct cert cert;
	EVP_PKEY *pub;
	struct err err = {0};

	ASSERT_OK(signer_generate(s, a, &wish, NOW, &row, &err), &err);
	assert_true(strncmp(row.kid, "saml-sign-", 10) == 0);
	assert_int_equal(row.state, KEY_PLANNED);
	assert_int_equal(row.created, NOW);
	assert_int_equal(keyring_sealed_under(row.sealed), 2);
	ASSERT_OK(cert_parse(a, row.cert, &cert, &err), &err);
	ASSERT_OK(cert_spki_parse(a, row.spki, &pub, &err), &err);
	assert_int_equal(EVP_PKEY_eq(cert.pub, pub), 1);
	assert_int_equal(cert.not_after, NOW + (time_t)365 * 86400);
	ASSERT_OK(keyring_create(a, &row, 1, &kr, &err), &err);
	wish = (struct key_wish){KEY_OIDC_SIGN, KEY_P256, 0};
	ASSERT_OK(signer_generate(s, a, &wish, NOW, &row, &err), &err);
	assert_int_equal(row.cert.n, 0);
	wish = (struct key_wish){KEY_DECRYPT, KEY_RSA3072, 1};
	ASSERT_OK(signer_generate(s, a, &wish, NOW, &row, &err), &err);
	ASSERT_OK(keyring_create(a, &row, 1, &kr, &err), &err);
	wish = (struct key_wish){KEY_COOKIE, KEY_SECRET, 0};
	ASSERT_OK(signer_generate(s, a, &wish, NOW, &row, &err), &err);
	assert_int_equal(row.cert.n + row.spki.n, 0);
	signer_destroy(s);
	arena_destroy(a);
}

static void
keys_that_make_no_sense_are_not_generated(void **state UNUSED)
{
	static const struct {
		struct key_wish wish;
		time_t now;
		enum err_kind kind;
		const char *why;
	} rows[] = {
		{{KEY_COOKIE, KEY_P256, 0}, NOW, ERR_DENIED, "no such purpose"},
		{{KEY_SAML_SIGN, KEY_SECRET, 365}, NOW, ERR_DENIED, "no such purpose"},
		{{(enum key_purpose)0, KEY_SECRET, 0}, NOW, ERR_DENIED, "no such purpose"},
		{{KEY_SAML_SIGN, KEY_P256, 0}, NOW, ERR_INPUT, "for 0 days"},
		{{KEY_DECRYPT, KEY_P256, 36501}, NOW, ERR_INPUT, "for 36501 days"},
		{{KEY_DECRYPT, KEY_P256, (INT64_C(1) << 32) + 30}, NOW, ERR_INPUT, "for 429496"},
		{{KEY_COOKIE, KEY_SECRET, 0}, -1, ERR_INPUT, "malformed request"},
	};
	struct arena *a = arena_create(ARENA_BYTES);
	struct signer *s = cli(a, test_signer_secrets());
	struct key_row row;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_REFUSED(signer_generate(s, a, &rows[i].wish, rows[i].now, &row, &err), &err,
			       rows[i].kind, rows[i].why);
	signer_destroy(s);
	arena_destroy(a);
}

static void
a_serving_signer_makes_and_rewraps_no_keys(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	const struct key *k = keyring_active(t->keys, KEY_OIDC_SIGN, KEY_P256);
	struct key_wish wish = {KEY_OIDC_SIGN, KEY_P256, 0};
	struct key_row row;
	struct bytes sealed;
	struct err err = {0};

	ASSERT_REFUSED(signer_generate(t->s, a, &wish, NOW, &row, &err), &err, ERR_DENIED,
		       "not for this role");
	ASSERT_REFUSED(signer_rewrap(t->s, a, &k->row, &sealed, &err), &err, ERR_DENIED,
		       "not for this role");
	arena_destroy(a);
}

/* Rewrapping carries a row from the older master key to the newer; then the older may go. */
static void
a_rewrapped_row_opens_without_the_old_master_key(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct masterfile *mf = ARENA_NEW(a, struct masterfile);
	struct key_wish wish = {KEY_OIDC_SIGN, KEY_P256, 0};
	const struct keyring *kr;
	struct key_row row;
	struct bytes sealed;
	struct err err = {0};

	*mf = *test_signer_secrets();
	mf->n_masters = 1;
	struct signer *old = cli(a, mf), *both = cli(a, test_signer_secrets());

	ASSERT_OK(signer_generate(old, a, &wish, NOW, &row, &err), &err);
	assert_int_equal(keyring_sealed_under(row.sealed), 1);
	ASSERT_OK(keyring_create(a, &row, 1, &kr, &err), &err);
	ASSERT_OK(signer_load(both, kr, &err), &err);
	ASSERT_OK(signer_rewrap(both, a, &row, &sealed, &err), &err);
	assert_int_equal(keyring_sealed_under(sealed), 2);
	mf->masters[0] = test_signer_secrets()->masters[1];
	struct signer *new = cli(a, mf);

	ASSERT_REFUSED(signer_load(new, kr, &err), &err, ERR_INPUT, "does not open");
	row.sealed = sealed;
	ASSERT_OK(keyring_create(a, &row, 1, &kr, &err), &err);
	ASSERT_OK(signer_load(new, kr, &err), &err);
	ASSERT_OK(signer_load(both, kr, &err), &err); /* the same key again, sealed anew */
	signer_destroy(old);
	signer_destroy(both);
	signer_destroy(new);
	arena_destroy(a);
}

/* Everything a row is bound to: another instance, purpose, kid, type, public key. */
static void
a_row_that_was_tampered_with_does_not_load(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	const struct key *k = keyring_active(t->keys, KEY_SAML_SIGN, KEY_P256);
	const struct key *other = keyring_active(t->keys, KEY_DECRYPT, KEY_P256);
	struct key_row rows[4];
	const struct keyring *kr;
	struct err err = {0};

	for (size_t i = 0; i < 4; i++)
		rows[i] = k->row;
	rows[0].purpose = KEY_FEDERATION_SIGN;
	rows[1].kid = "another";
	rows[2].spki = other->row.spki; /* peers would encrypt to whoever put it there */
	rows[2].cert = other->row.cert;
	rows[3].sealed = other->row.sealed;
	struct signer *s = cli(a, test_signer_secrets());

	for (size_t i = 0; i < 4; i++) {
		ASSERT_OK(keyring_create(a, &rows[i], 1, &kr, &err), &err);
		ASSERT_REFUSED(signer_load(s, kr, &err), &err, i == 2 ? ERR_DENIED : ERR_INPUT,
			       i == 2 ? "not of this private key" : "does not open");
	}
	signer_destroy(s);
	arena_destroy(a);
}

static void
a_row_of_another_instance_does_not_load(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	int fd = test_signer_start(a, SIGNER_SERVE, NULL);
	struct signer *s;
	struct err err = {0};

	ASSERT_OK(
		signer_send_secrets(fd, "elsewhere", test_signer_secrets(), TEST_TIMEOUT_US, &err),
		&err);
	ASSERT_OK(signer_create(fd, TEST_TIMEOUT_US, &s, &err), &err);
	ASSERT_REFUSED(signer_load(s, t->keys, &err), &err, ERR_INPUT, "does not open");
	signer_destroy(s);
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_comes_back_and_is_counted),
		cmocka_unit_test(a_key_does_nothing_outside_its_purpose),
		cmocka_unit_test(a_content_key_opens_in_both_ways),
		cmocka_unit_test(a_keyed_digest_depends_on_key_label_and_data),
		cmocka_unit_test(a_pseudonym_depends_on_every_field),
		cmocka_unit_test(a_sealed_value_opens_under_its_label_alone),
		cmocka_unit_test(a_mac_is_checked_by_the_secret_sealed_for_it),
		cmocka_unit_test(an_accounts_values_open_with_its_key_and_their_labels),
		cmocka_unit_test(a_wrapped_key_with_any_octet_another_is_refused),
		cmocka_unit_test(too_many_or_too_long_values_are_refused),
		cmocka_unit_test(account_keys_follow_the_epochs),
		cmocka_unit_test(a_generated_key_has_its_public_half_and_certificate),
		cmocka_unit_test(keys_that_make_no_sense_are_not_generated),
		cmocka_unit_test(a_serving_signer_makes_and_rewraps_no_keys),
		cmocka_unit_test(a_rewrapped_row_opens_without_the_old_master_key),
		cmocka_unit_test(a_row_that_was_tampered_with_does_not_load),
		cmocka_unit_test(a_row_of_another_instance_does_not_load),
	};

	return cmocka_run_group_tests_name("sign_ops", tests, NULL, NULL);
}
