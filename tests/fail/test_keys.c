/* Keys, files and texts, read and written without memory. */
#include "base/enc.h"
#include "base/hash.h"
#include "idp/config.h"
#include "idp/po.h"
#include "idp/template.h"
#include "keys/cert.h"
#include "keys/crypto.h"
#include "keys/masterfile.h"
#include "keys/private.h"
#include "keys/seal.h"
#include "tests/fail/fail.h"
#include "tests/fail/functions.h"
#include "tests/keys/test_rsa.h"
#include "tests/keys/test_signer_thread.h"
#include "tests/saml/support.h"

#define NOW ((time_t)1800000000)

static struct test_signer *signer;

static bool
certificate(struct arena *a, const char *in, const char **text, struct err *err)
{
	struct bytes der, spki;
	struct cert c;

	if (!dec_base64(a, bytes_of(in), false, &der, err) || !cert_parse(a, der, &c, err) ||
	    !cert_key_check(c.pub, err) || !cert_spki_build(a, c.pub, &spki, err))
		return false;
	*text = arena_printf(a, "%lld %s %s", (long long)c.not_after,
			     enc_hex(a, (struct bytes){c.sha256, sizeof(c.sha256)}),
			     enc_hex(a, spki));
	return true;
}

static bool
ring(struct arena *a, const char *in, const char **text, struct err *err)
{
	const struct key *k;
	const struct keyring *made;
	struct key_row *rows = ARENA_ARRAY(a, struct key_row, 32);
	size_t n = 0, i = 0;

	while ((k = keyring_each(signer->keys, &i)) != NULL) {
		rows[n] = k->row;
		/* "bad": the certificate of the first key that has one is another's. */
		if (strcmp(in, "bad") == 0 && k->row.cert.n > 0)
			rows[n].cert = keys->p256.cert;
		n++;
	}
	if (!keyring_create(a, rows, n, &made, err))
		return false;
	n = i = 0;
	while ((k = keyring_each(made, &i)) != NULL)
		n += k->pub != NULL;
	k = keyring_active(made, KEY_SAML_SIGN, KEY_P256);
	*text = arena_printf(a, "%zu %s", n, k == NULL ? "none" : k->row.kid);
	return true;
}

static bool
master_file(struct arena *a, const char *in, const char **text, struct err *err)
{
	struct masterfile mf;
	struct bytes out;

	if (!masterfile_parse(a, bytes_of(in), &mf, err) || !masterfile_build(a, &mf, &out, err))
		return false;
	*text = text_of(a, out);
	return true;
}

static bool
private_key(struct arena *a, const char *in, const char **text UNUSED, struct err *err)
{
	enum key_type type = in == test_rsa_keys[0] ? KEY_RSA3072 : KEY_P256;
	enum sig_alg alg = type == KEY_P256 ? SIG_ES256 : SIG_PS256;
	struct bytes plain, sig, input;
	struct private_key k;
	struct crypto c;

	input = test_jws_input(a, type == KEY_P256 ? "ES256" : "PS256", "k");
	if (!dec_base64(a, bytes_of(in), false, &plain, err) || !crypto_init(a, &c, err) ||
	    !private_key_init(a, &c, "k", KEY_OIDC_SIGN, type, plain, 1, &k, err) ||
	    !private_key_sign(&k, 0, a, alg, input, &sig, err))
		return false;
	fail_pause();
	bool verifies = test_verifies(k.pkey, alg, input, sig);

	fail_go_on();
	return verifies;
}

static const char *
new_p256(void)
{
	struct bytes plain;
	struct err err = {0};

	ASSERT_OK(private_key_generate(kept, KEY_P256, &plain, &err), &err);
	return enc_base64(kept, plain);
}

static bool
sealing(struct arena *a, const char *in, const char **text, struct err *err)
{
	static const unsigned char key[32] = {7};
	struct bytes aad = bytes_of("of this row"), sealed, plain;
	struct crypto c;
	struct seal s;

	if (!crypto_init(a, &c, err) || !seal_init(a, &c, 1, key, &s, err) ||
	    !seal_write(&s, a, aad, bytes_of("secret"), &sealed, err) ||
	    !seal_read(&s, a, bytes_of(in), sealed, &plain, err))
		return false;
	*text = text_of(a, plain);
	return true;
}

static bool
configuration(struct arena *a, const char *in, const char **text, struct err *err)
{
	struct config c;

	if (!config_parse(a, "test.conf", bytes_of(in), false, &c, err))
		return false;
	*text = arena_printf(a, "%s %s %zu %s %zu %lld %s", c.instance, c.host, c.n_listen,
			     c.entity_id, c.trusted_proxy.n, (long long)c.stop_grace_ms,
			     c.database);
	return true;
}

static bool
texts(struct arena *a, const char *in, const char **text, struct err *err)
{
	struct template t;
	struct po po;

	if (!po_parse(a, "de.po", bytes_of(in), &po, err) ||
	    !template_parse_message(a, "de.po", 1, po.entries[0].text, &t, err))
		return false;
	*text = arena_printf(a, "%zu %s %zu", po.n, po.entries[0].key, t.n);
	return true;
}

/* ---- rows ---- */

#define CONF                                                              \
	"instance = test\nbase_url = https://konto.example\n"             \
	"listen = 127.0.0.1:1 unix:/run/kontor/x\ndatabase = host=/run\n" \
	"master_key_file = /dev/null\ntrusted_proxy = 192.0.2.0/24 2001:db8::/32\n"
#define KEY1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"

static void
keys_and_files(void **state UNUSED)
{
	const char *cert = enc_base64(kept, keys->p256.cert);
	const struct row rows[] = {
		{"certificate", certificate, cert, true},
		{"certificate cut short", certificate, arena_strndup(kept, cert, 200), false},
		{"keyring", ring, "", true},
		{"keyring with another's certificate", ring, "bad", false},
		{"master key file", master_file, "master 1 " KEY1 "\nepoch 1 1700000000 " KEY1 "\n",
		 true},
		{"master key file without an epoch", master_file, "master 1 " KEY1 "\n", false},
		{"private key P-256", private_key, new_p256(), true},
		{"private key RSA", private_key, test_rsa_keys[0], true},
		{"sealed value", sealing, "of this row", true},
		{"sealed value of another row", sealing, "of that row", false},
		{"configuration", configuration, CONF, true},
		{"configuration with an unknown key", configuration, CONF "colour = red\n", false},
		{"texts", texts, "msgid \"\"\nmsgstr \"\"\n\nmsgid \"a\"\nmsgstr \"b {c}\"\n",
		 true},
		{"texts cut short", texts, "msgid \"a\"\nmsgstr \"b {", false},
	};

	functions_sweep(rows, ARRAY_LEN(rows));
}

static int
setup(void **state)
{
	if (functions_setup(state) != 0)
		return 1;
	signer = test_signer_create(kept);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FUNCTIONS_TEST(keys_and_files),
	};

	return cmocka_run_group_tests_name("fail keys", tests, setup, functions_teardown);
}
