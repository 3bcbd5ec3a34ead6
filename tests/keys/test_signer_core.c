/* The signer against hostile messages, in every state and role (keys/signer_core.h). */
#include "tests/test.h"

#include "keys/signer_core.h"
#include "tests/keys/test_signer_thread.h"

#define OPS_MAX 20

struct bench {
	struct arena *a;
	struct signer_core *core;
};

static struct bench
bench_start(enum signer_role role)
{
	struct bench b = {.a = arena_create((size_t)8 << 20)};
	struct err err = {0};

	ASSERT_OK(signer_core_create(role, 1, &b.core, &err), &err);
	return b;
}

static void
bench_stop(struct bench *b)
{
	signer_core_destroy(b->core);
	arena_destroy(b->a);
}

struct answer {
	uint8_t code;
	uint64_t number;
	const char *text; /* of an error */
	struct wire_reader fields;
};

static struct answer
tell(struct bench *b, struct bytes message)
{
	struct bytes out = arena_bytes(b->a, signer_core_handle(b->core, 0, message));
	struct wire_header h;
	struct answer got = {.text = ""};

	signer_core_wipe(b->core, 0);
	assert_true(wire_open(out, &h, &got.fields));
	got.code = h.code;
	got.number = h.number;
	if (h.code != ERR_NONE) {
		got.text = wire_text(&got.fields, b->a, 1, 240);
		assert_true(wire_end(&got.fields));
	}
	return got;
}

static void
assert_answer(struct answer got, enum err_kind kind, const char *part)
{
	if (got.code != kind || strstr(got.text, part) == NULL)
		fail_msg("answered as %u: %s", got.code, got.text);
}

static struct bytes
message(struct arena *a, unsigned op, struct bytes fields)
{
	struct bytes out = {0};
	struct buf b;

	wire_begin(&b, a, (uint8_t)op, 42);
	buf_add(&b, fields);
	assert_true(wire_finish(&b, &out, NULL));
	return out;
}

static struct bytes
secrets(struct arena *a, const struct masterfile *mf, size_t instance_n)
{
	struct bytes out = {0};
	struct buf b;

	wire_begin(&b, a, WIRE_SECRETS, 42);
	wire_put_bytes(&b,
		       (struct bytes){(const unsigned char *)"testtesttesttesttesttesttesttesttes"
							     "ttesttesttesttesttesttesttesttest",
				      instance_n});
	wire_put_u8(&b, (uint8_t)mf->n_masters);
	for (size_t i = 0; i < mf->n_masters && i < MASTERFILE_MASTERS_MAX; i++) {
		wire_put_u32(&b, mf->masters[i].generation);
		wire_put_bytes(&b, (struct bytes){mf->masters[i].key, 32});
	}
	wire_put_u8(&b, (uint8_t)mf->n_epochs);
	for (size_t i = 0; i < mf->n_epochs && i < MASTERFILE_EPOCHS_MAX; i++) {
		wire_put_u32(&b, mf->epochs[i].id);
		wire_put_bytes(&b, (struct bytes){mf->epochs[i].key, 32});
	}
	assert_true(wire_finish(&b, &out, NULL));
	return out;
}

static void
give_secrets(struct bench *b)
{
	assert_answer(tell(b, secrets(b->a, test_signer_secrets(), 4)), ERR_NONE, "");
}

static bool
is_known(unsigned op)
{
	return (op >= WIRE_SECRETS && op <= WIRE_REWRAP) || op == WIRE_MAC_CHECK;
}

static void
before_the_secrets_nothing_works_and_after_them_no_second_ones(void **state UNUSED)
{
	struct bench b = bench_start(SIGNER_CLI);

	for (unsigned op = 2; op <= OPS_MAX; op++) {
		struct answer got = tell(&b, message(b.a, op, bytes_of("")));

		assert_answer(got, ERR_DENIED, is_known(op) ? "no secrets yet" : "unknown");
		assert_int_equal(got.number, 42);
	}
	give_secrets(&b);
	assert_answer(tell(&b, secrets(b.a, test_signer_secrets(), 4)), ERR_DENIED,
		      "secrets are there already");
	assert_answer(tell(&b, message(b.a, WIRE_STATUS, bytes_of(""))), ERR_NONE, "");
	bench_stop(&b);
}

/* Each operation and the role that may not do it. */
static void
making_keys_is_for_the_command_line_alone(void **state UNUSED)
{
	struct bench b = bench_start(SIGNER_SERVE);

	give_secrets(&b);
	for (unsigned op = 0; op <= OPS_MAX; op++) {
		struct answer got = tell(&b, message(b.a, op, bytes_of("")));
		bool known = op != WIRE_SECRETS && is_known(op);
		bool cli = op == WIRE_GENERATE || op == WIRE_REWRAP;

		assert_int_equal(known && cli, strstr(got.text, "not for this role") != NULL);
		if (known && !cli && op != WIRE_STATUS)
			assert_answer(got, ERR_INPUT, "malformed request");
	}
	bench_stop(&b);
}

static void
frames_that_are_no_messages_are_answered_and_survived(void **state UNUSED)
{
	struct bench b = bench_start(SIGNER_SERVE);
	struct bytes good, bad;

	give_secrets(&b);
	good = message(b.a, WIRE_STATUS, bytes_of(""));
	for (size_t n = 0; n < good.n; n++) /* truncated anywhere */
		assert_answer(tell(&b, (struct bytes){good.p, n}), ERR_INPUT, "malformed request");
	for (size_t i = 0; i < 5; i++) { /* another length, another version */
		bad = arena_bytes(b.a, good);
		((unsigned char *)(uintptr_t)bad.p)[i] ^= 1;
		assert_answer(tell(&b, bad), ERR_INPUT, "malformed request");
	}
	bad = message(b.a, WIRE_STATUS, bytes_of("x"));
	assert_answer(tell(&b, bad), ERR_INPUT, "malformed request"); /* something after the end */
	bad = (struct bytes){arena_alloc(b.a, WIRE_MAX + 1), WIRE_MAX + 1};
	memcpy((unsigned char *)(uintptr_t)bad.p, "\0\2\0\1\1\2", 6);
	assert_answer(tell(&b, bad), ERR_INPUT, "malformed request"); /* oversize */
	assert_answer(tell(&b, good), ERR_NONE, "");
	bench_stop(&b);
}

/* A field of 4 GiB, in every operation and at every place the message has one. */
static void
lengths_that_lie_are_refused_everywhere(void **state UNUSED)
{
	struct bench b = bench_start(SIGNER_CLI);

	give_secrets(&b);
	for (unsigned op = WIRE_LOAD_KEY; op <= WIRE_MAC_CHECK; op++)
		for (size_t at = 0; at < 60 && is_known(op); at++) {
			unsigned char fields[64] = {0};

			memset(fields + at, 0xff, 4);
			assert_answer(tell(&b, message(b.a, op, (struct bytes){fields, 64})),
				      ERR_INPUT, "malformed request");
		}
	bench_stop(&b);
}

static void
secrets_that_make_no_sense_are_refused(void **state UNUSED)
{
	struct masterfile mf[8];
	struct bench b = bench_start(SIGNER_SERVE);
	struct bytes good = secrets(b.a, test_signer_secrets(), 4);

	for (size_t i = 0; i < ARRAY_LEN(mf); i++)
		mf[i] = *test_signer_secrets();
	mf[0].n_masters = 0;
	mf[1].n_masters = 3;
	mf[2].n_epochs = 0;
	mf[3].n_epochs = 65;
	mf[4].masters[1].generation = mf[4].masters[0].generation;
	mf[5].masters[1].generation = 0;
	mf[6].epochs[2].id = mf[6].epochs[1].id;
	mf[7].epochs[1].id = 1;
	for (size_t i = 0; i < ARRAY_LEN(mf); i++)
		assert_answer(tell(&b, secrets(b.a, &mf[i], 4)), ERR_INPUT, "malformed request");
	assert_answer(tell(&b, secrets(b.a, test_signer_secrets(), 0)), ERR_INPUT, "malformed");
	assert_answer(tell(&b, secrets(b.a, test_signer_secrets(), 65)), ERR_INPUT, "malformed");
	for (size_t n = WIRE_HEADER; n < good.n; n++) {
		struct bytes fields = {good.p + WIRE_HEADER, n - WIRE_HEADER};

		assert_answer(tell(&b, message(b.a, WIRE_SECRETS, fields)), ERR_INPUT, "malformed");
	}
	assert_answer(tell(&b, message(b.a, WIRE_STATUS, bytes_of(""))), ERR_DENIED, "no secrets");
	assert_answer(tell(&b, good), ERR_NONE, "");
	bench_stop(&b);
}

static void
refusals_are_counted(void **state UNUSED)
{
	struct bench b = bench_start(SIGNER_SERVE);
	struct answer got;

	give_secrets(&b);
	for (int i = 0; i < 4; i++)
		tell(&b, message(b.a, 200, bytes_of("")));
	got = tell(&b, message(b.a, WIRE_STATUS, bytes_of("")));
	assert_int_equal(wire_u64(&got.fields), 6);
	assert_int_equal(wire_u64(&got.fields), 4);
	bench_stop(&b);
}

/* A key row sealed by the signer itself, as a load message with one thing changed. */
struct load {
	const char *kid;
	unsigned purpose, type;
	struct bytes spki, sealed;
};

static struct bytes
load_message(struct arena *a, const struct load *l)
{
	struct bytes out = {0};
	struct buf b;

	wire_begin(&b, a, WIRE_LOAD_KEY, 1);
	wire_put_text(&b, l->kid);
	wire_put_u8(&b, (uint8_t)l->purpose);
	wire_put_u8(&b, (uint8_t)l->type);
	wire_put_bytes(&b, l->spki);
	wire_put_bytes(&b, l->sealed);
	assert_true(wire_finish(&b, &out, NULL));
	return out;
}

static struct load
generate(struct bench *b, unsigned purpose, unsigned type)
{
	struct load l = {.purpose = purpose, .type = type};
	struct answer got;
	struct bytes out = {0};
	struct buf w;

	wire_begin(&w, b->a, WIRE_GENERATE, 1);
	wire_put_u8(&w, (uint8_t)purpose);
	wire_put_u8(&w, (uint8_t)type);
	wire_put_u64(&w, 1800000000);
	wire_put_u32(&w, 30);
	assert_true(wire_finish(&w, &out, NULL));
	got = tell(b, out);
	assert_answer(got, ERR_NONE, "");
	l.kid = wire_text(&got.fields, b->a, 1, 64);
	l.spki = wire_bytes(&got.fields, 0, 4096);
	wire_bytes(&got.fields, 0, 4096);
	l.sealed = wire_bytes(&got.fields, 1, 8192);
	assert_true(wire_end(&got.fields));
	return l;
}

static void
a_row_loads_once_and_again_but_never_as_another(void **state UNUSED)
{
	struct bench b = bench_start(SIGNER_CLI);

	give_secrets(&b);
	struct load first = generate(&b, KEY_OIDC_SIGN, KEY_P256), l = first;
	struct load secret = generate(&b, KEY_COOKIE, KEY_SECRET);

	assert_answer(tell(&b, load_message(b.a, &first)), ERR_NONE, "");
	assert_answer(tell(&b, load_message(b.a, &first)), ERR_NONE, "");
	assert_answer(tell(&b, load_message(b.a, &secret)), ERR_NONE, "");
	assert_int_equal(b.core->n_keys, 2);
	l.kid = "bad kid";
	assert_answer(tell(&b, load_message(b.a, &l)), ERR_INPUT, "malformed");
	l = first;
	l.purpose = KEY_SAML_SIGN;
	assert_answer(tell(&b, load_message(b.a, &l)), ERR_INPUT, "does not open");
	l = first;
	l.type = KEY_RSA3072;
	assert_answer(tell(&b, load_message(b.a, &l)), ERR_INPUT, "does not open");
	l = first;
	l.spki = bytes_of("");
	assert_answer(tell(&b, load_message(b.a, &l)), ERR_DENIED, "not of this private key");
	l = first;
	l.sealed = bytes_of("");
	assert_answer(tell(&b, load_message(b.a, &l)), ERR_INPUT, "does not open");
	assert_int_equal(b.core->n_keys, 2);
	bench_stop(&b);
}

/* Two rows that both open but say different keys for one kid: whoever is first stays. */
static void
a_kid_stays_with_its_first_key(void **state UNUSED)
{
	struct bench b = bench_start(SIGNER_CLI);
	struct load l = {.kid = "twice", .purpose = KEY_COOKIE, .type = KEY_SECRET};
	unsigned char plain[32] = {1};
	struct signer_lane *lane = &b.core->lanes[0];
	struct err err = {0};

	give_secrets(&b);
	for (int i = 0; i < 2; i++) {
		struct bytes aad = signer_row_aad(b.a, "test", KEY_COOKIE, KEY_SECRET, "twice");

		plain[0]++;
		ASSERT_OK(seal_write(&lane->masters[1], b.a, aad, (struct bytes){plain, 32},
				     &l.sealed, &err),
			  &err);
		struct answer got = tell(&b, load_message(b.a, &l));

		if (i == 0)
			assert_answer(got, ERR_NONE, "");
		else
			assert_answer(got, ERR_CONFLICT, "another key has this kid");
	}
	bench_stop(&b);
}

static void
the_table_of_keys_has_an_end(void **state UNUSED)
{
	struct bench b = bench_start(SIGNER_CLI);
	struct load l;

	give_secrets(&b);
	for (size_t i = 0; i < SIGNER_KEYS_MAX; i++) {
		l = generate(&b, KEY_COOKIE, KEY_SECRET);
		assert_answer(tell(&b, load_message(b.a, &l)), ERR_NONE, "");
	}
	struct load last = generate(&b, KEY_COOKIE, KEY_SECRET);
	struct bytes kid = {0};
	struct buf w;

	assert_answer(tell(&b, load_message(b.a, &last)), ERR_CONFLICT, "too many keys");
	buf_init(&w, b.a, 100);
	wire_put_text(&w, l.kid);
	assert_true(buf_finish(&w, &kid, NULL));
	assert_answer(tell(&b, message(b.a, WIRE_FORGET_KEY, kid)), ERR_NONE, "");
	assert_answer(tell(&b, message(b.a, WIRE_FORGET_KEY, kid)), ERR_NOT_FOUND, "no such key");
	assert_answer(tell(&b, load_message(b.a, &last)), ERR_NONE, "");
	bench_stop(&b);
}

/* Pseudonyms are kept by portals: the octets under the HMAC may never change. */
static void
a_pseudonym_is_this_value_for_ever(void **state UNUSED)
{
	static const unsigned char want[32] = {0x5c, 0xe0, 0x80, 0xf9, 0x02, 0x88, 0xba, 0x08,
					       0x8d, 0x01, 0x1b, 0xa0, 0x26, 0x9d, 0x17, 0x0d,
					       0x2b, 0x3c, 0x3d, 0xe0, 0xc1, 0x74, 0x67, 0xc6,
					       0x24, 0x78, 0xa3, 0xeb, 0x96, 0x77, 0xc3, 0x31};
	struct bench b = bench_start(SIGNER_CLI);
	struct load l = {.kid = "p", .purpose = KEY_PSEUDONYM, .type = KEY_SECRET};
	unsigned char plain[32] = {7};
	struct bytes aad = {0}, ask = {0};
	struct buf w;
	struct err err = {0};

	give_secrets(&b);
	aad = signer_row_aad(b.a, "test", KEY_PSEUDONYM, KEY_SECRET, "p");
	ASSERT_OK(seal_write(&b.core->lanes[0].masters[0], b.a, aad, (struct bytes){plain, 32},
			     &l.sealed, &err),
		  &err);
	assert_answer(tell(&b, load_message(b.a, &l)), ERR_NONE, "");
	wire_begin(&w, b.a, WIRE_PSEUDONYM, 1);
	wire_put_text(&w, "p");
	wire_put_u8(&w, 1);
	wire_put_text(&w, "local");
	wire_put_bytes(&w, bytes_of("0123456789abcdef"));
	wire_put_text(&w, "amt24");
	assert_true(wire_finish(&w, &ask, NULL));
	struct answer got = tell(&b, ask);

	assert_answer(got, ERR_NONE, "");
	struct bytes mac = wire_bytes(&got.fields, 32, 32);

	assert_true(wire_end(&got.fields));
	assert_memory_equal(mac.p, want, 32);
	bench_stop(&b);
}

static void
a_signer_has_1_to_16_threads(void **state UNUSED)
{
	struct signer_core *core;
	struct err err = {0};

	ASSERT_REFUSED(signer_core_create(SIGNER_SERVE, 0, &core, &err), &err, ERR_INPUT,
		       "0 threads");
	ASSERT_REFUSED(signer_core_create(SIGNER_SERVE, 17, &core, &err), &err, ERR_INPUT,
		       "17 threads");
	signer_core_destroy(NULL);
}

static void
a_request_that_needs_too_much_memory_is_answered(void **state UNUSED)
{
	struct bench b = bench_start(SIGNER_CLI);

	give_secrets(&b);
	arena_destroy(b.core->lanes[0].a);
	b.core->lanes[0].a = arena_create(1000);
	assert_answer(
		tell(&b, message(b.a, WIRE_GENERATE,
				 (struct bytes){(const unsigned char *)"\x01\x01\0\0\0\0kI\xd2\0"
								       "\0\0\0\x1e",
						14})),
		ERR_INTERNAL, "bytes exhausted");
	assert_answer(tell(&b, message(b.a, WIRE_STATUS, bytes_of(""))), ERR_NONE, "");
	bench_stop(&b);
}

/* Nothing of a message stays on the lane. */
static void
a_lane_is_empty_after_each_message(void **state UNUSED)
{
	struct bench b = bench_start(SIGNER_CLI);

	give_secrets(&b);
	generate(&b, KEY_COOKIE, KEY_SECRET);
	assert_int_equal(arena_used(b.core->lanes[0].a), 0);
	bench_stop(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_the_secrets_nothing_works_and_after_them_no_second_ones),
		cmocka_unit_test(making_keys_is_for_the_command_line_alone),
		cmocka_unit_test(frames_that_are_no_messages_are_answered_and_survived),
		cmocka_unit_test(lengths_that_lie_are_refused_everywhere),
		cmocka_unit_test(secrets_that_make_no_sense_are_refused),
		cmocka_unit_test(refusals_are_counted),
		cmocka_unit_test(a_row_loads_once_and_again_but_never_as_another),
		cmocka_unit_test(a_kid_stays_with_its_first_key),
		cmocka_unit_test(the_table_of_keys_has_an_end),
		cmocka_unit_test(a_pseudonym_is_this_value_for_ever),
		cmocka_unit_test(a_signer_has_1_to_16_threads),
		cmocka_unit_test(a_request_that_needs_too_much_memory_is_answered),
		cmocka_unit_test(a_lane_is_empty_after_each_message),
	};

	return cmocka_run_group_tests_name("signer_core", tests, NULL, NULL);
}
