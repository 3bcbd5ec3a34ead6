/*
 * signer_core_handle: whatever arrives on the signer's socket gets one well-formed
 * answer.  The first octet says what the rest is: 0: a whole packet; else: the
 * operation whose fields follow, framed here, so that the fuzzer need not guess
 * lengths.  Secrets and keys are fixed, so that sealed seeds open.
 */
#include <stdlib.h>

#include "base/enc.h"
#include "keys/signer_core.h"
#include "tests/keys/test_rsa.h"
#include "tests/keys/test_signer_thread.h"

static struct signer_core *core;
static struct bytes p256_der; /* PKCS#8, made at the start: its signatures are random anyway */

/* Put in without the way over a message. */
static void
key_add(const char *kid, enum key_purpose purpose, enum key_type type, struct bytes plain)
{
	struct arena *a = arena_create((size_t)1 << 18);
	struct signer_key *k = ARENA_NEW(a, struct signer_key);

	k->a = a;
	if (!private_key_init(a, &core->crypto, kid, purpose, type, plain, 1, &k->key, NULL))
		abort();
	core->keys[core->n_keys++] = k;
}

/* One of each purpose, under its name as kid, and an RSA key to decrypt with. */
static void
keys_add(struct arena *a)
{
	static const unsigned char octets[PRIVATE_SECRET_BYTES] = {1};
	struct bytes rsa, secret = {octets, sizeof(octets)};

	for (int i = KEY_SAML_SIGN; i <= KEY_AUDIT; i++) {
		enum key_purpose purpose = (enum key_purpose)i;
		bool pair = key_purpose_takes(purpose, KEY_P256);

		key_add(key_purpose_name(purpose), purpose, pair ? KEY_P256 : KEY_SECRET,
			pair ? p256_der : secret);
	}
	if (!dec_base64(a, bytes_of(test_rsa_keys[1]), false, &rsa, NULL))
		abort();
	key_add("decrypt-rsa", KEY_DECRYPT, KEY_RSA3072, rsa);
}

static struct bytes
frame(struct arena *a, uint8_t op, struct bytes fields)
{
	struct bytes message = {0};
	struct buf b;

	wire_begin(&b, a, op, 1);
	buf_add(&b, fields);
	return wire_finish(&b, &message, NULL) ? message : (struct bytes){0};
}

static struct bytes
secrets(struct arena *a)
{
	const struct masterfile *mf = test_signer_secrets();
	struct bytes message = {0};
	struct buf b;

	wire_begin(&b, a, WIRE_SECRETS, 1);
	wire_put_text(&b, TEST_INSTANCE);
	wire_put_u8(&b, (uint8_t)mf->n_masters);
	for (size_t i = 0; i < mf->n_masters; i++) {
		wire_put_u32(&b, mf->masters[i].generation);
		wire_put_bytes(&b, (struct bytes){mf->masters[i].key, MASTERFILE_KEY_BYTES});
	}
	wire_put_u8(&b, (uint8_t)mf->n_epochs);
	for (size_t i = 0; i < mf->n_epochs; i++) {
		wire_put_u32(&b, mf->epochs[i].id);
		wire_put_bytes(&b, (struct bytes){mf->epochs[i].key, MASTERFILE_KEY_BYTES});
	}
	return wire_finish(&b, &message, NULL) ? message : (struct bytes){0};
}

static void
handle(struct bytes message)
{
	struct bytes answer = signer_core_handle(core, 0, message);
	struct wire_header h;
	struct wire_reader r;

	if (!wire_open(answer, &h, &r) || h.code > ERR_INTERNAL)
		abort();
	signer_core_wipe(core, 0);
}

/* A signer with everything loaded; made anew when an input changed it. */
static void
start(struct arena *a)
{
	static struct arena *forever;

	if (forever == NULL) {
		forever = arena_create((size_t)1 << 16);
		if (!private_key_generate(forever, KEY_P256, &p256_der, NULL))
			abort();
	}
	if (!signer_core_create(SIGNER_CLI, 1, &core, NULL))
		abort();
	handle(secrets(a));
	keys_add(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create((size_t)1 << 20);

	if (a == NULL || size < 1 || size > WIRE_MAX) {
		arena_destroy(a);
		return 0;
	}
	if (core == NULL)
		start(a);
	struct bytes rest = {data + 1, size - 1};
	uint8_t op = data[0] != 0 ? data[0] : rest.n > 5 ? rest.p[5] : 0;
	bool makes_rsa = op == WIRE_GENERATE; /* a second each: not one input's worth */

	if (!makes_rsa || size < 3 || !key_type_is_rsa((enum key_type)data[2]))
		handle(data[0] == 0 ? rest : frame(a, data[0], rest));
	if (op == WIRE_LOAD_KEY || op == WIRE_FORGET_KEY) {
		signer_core_destroy(core);
		core = NULL;
	}
	arena_destroy(a);
	return 0;
}
