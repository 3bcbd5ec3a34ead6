/* The envelope of secrets at rest (keys/seal.h). */
#include "tests/test.h"

#include "keys/seal.h"

static const unsigned char key_1[32] = {1}, key_2[32] = {2};

struct bench {
	struct arena *a;
	struct crypto c;
	struct seal seal;
	struct err err;
};

static struct bench
bench_start(void)
{
	struct bench b = {.a = arena_create(1 << 22)};

	ASSERT_OK(crypto_init(b.a, &b.c, &b.err), &b.err);
	ASSERT_OK(seal_init(b.a, &b.c, 7, key_1, &b.seal, &b.err), &b.err);
	return b;
}

static void
what_is_sealed_opens_again(void **state UNUSED)
{
	struct bench b = bench_start();
	struct bytes sealed, plain, aad = bytes_of("whose");
	static const char *const texts[] = {"", "x", "a longer secret that spans several blocks"};
	uint32_t id = 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		ASSERT_OK(seal_write(&b.seal, b.a, aad, bytes_of(texts[i]), &sealed, &b.err),
			  &b.err);
		assert_int_equal(sealed.n, strlen(texts[i]) + SEAL_OVERHEAD);
		assert_true(seal_key_id(sealed, &id));
		assert_int_equal(id, 7);
		ASSERT_OK(seal_read(&b.seal, b.a, aad, sealed, &plain, &b.err), &b.err);
		assert_true(bytes_eq(plain, bytes_of(texts[i])));
	}
	arena_destroy(b.a);
}

static void
a_flip_of_any_octet_is_refused_with_one_text(void **state UNUSED)
{
	struct bench b = bench_start();
	struct bytes sealed, plain, aad = bytes_of("whose");

	ASSERT_OK(seal_write(&b.seal, b.a, aad, bytes_of("secret"), &sealed, &b.err), &b.err);
	for (size_t i = 0; i < sealed.n * 8; i++) {
		struct bytes bad = arena_bytes(b.a, sealed);

		((unsigned char *)(uintptr_t)bad.p)[i / 8] ^= (unsigned char)(1 << i % 8);
		ASSERT_REFUSED(seal_read(&b.seal, b.a, aad, bad, &plain, &b.err), &b.err, ERR_INPUT,
			       "sealed value does not open");
	}
	for (size_t n = 0; n < sealed.n; n++)
		ASSERT_REFUSED(
			seal_read(&b.seal, b.a, aad, (struct bytes){sealed.p, n}, &plain, &b.err),
			&b.err, ERR_INPUT, "sealed value does not open");
	arena_destroy(b.a);
}

static void
it_opens_only_with_its_key_and_its_associated_data(void **state UNUSED)
{
	struct bench b = bench_start();
	struct bytes sealed, plain, aad = bytes_of("whose");

	ASSERT_OK(seal_write(&b.seal, b.a, aad, bytes_of("secret"), &sealed, &b.err), &b.err);
	ASSERT_REFUSED(seal_read(&b.seal, b.a, bytes_of("mine"), sealed, &plain, &b.err), &b.err,
		       ERR_INPUT, "sealed value does not open");
	ASSERT_OK(seal_rekey(&b.seal, 7, key_2, &b.err), &b.err);
	ASSERT_REFUSED(seal_read(&b.seal, b.a, aad, sealed, &plain, &b.err), &b.err, ERR_INPUT,
		       "sealed value does not open");
	ASSERT_OK(seal_rekey(&b.seal, 8, key_1, &b.err), &b.err);
	ASSERT_REFUSED(seal_read(&b.seal, b.a, aad, sealed, &plain, &b.err), &b.err, ERR_INPUT,
		       "sealed value does not open");
	ASSERT_OK(seal_rekey(&b.seal, 7, key_1, &b.err), &b.err);
	ASSERT_OK(seal_read(&b.seal, b.a, aad, sealed, &plain, &b.err), &b.err);
	arena_destroy(b.a);
}

static void
no_two_envelopes_share_a_nonce(void **state UNUSED)
{
	struct bench b = bench_start();
	struct bytes first, second;

	ASSERT_OK(seal_write(&b.seal, b.a, bytes_of(""), bytes_of("x"), &first, &b.err), &b.err);
	ASSERT_OK(seal_write(&b.seal, b.a, bytes_of(""), bytes_of("x"), &second, &b.err), &b.err);
	assert_memory_not_equal(first.p + 5, second.p + 5, 12);
	arena_destroy(b.a);
}

static void
too_much_is_refused_before_it_is_sealed(void **state UNUSED)
{
	struct bench b = bench_start();
	struct bytes out, huge = {key_1, (size_t)1 << 31};

	ASSERT_REFUSED(seal_write(&b.seal, b.a, huge, bytes_of("x"), &out, &b.err), &b.err,
		       ERR_INTERNAL, "too much");
	ASSERT_REFUSED(seal_write(&b.seal, b.a, bytes_of("x"), huge, &out, &b.err), &b.err,
		       ERR_INTERNAL, "too much");
	ASSERT_REFUSED(seal_read(&b.seal, b.a, huge, bytes_of("x"), &out, &b.err), &b.err,
		       ERR_INPUT, "does not open");
	arena_destroy(b.a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_opens_again),
		cmocka_unit_test(a_flip_of_any_octet_is_refused_with_one_text),
		cmocka_unit_test(it_opens_only_with_its_key_and_its_associated_data),
		cmocka_unit_test(no_two_envelopes_share_a_nonce),
		cmocka_unit_test(too_much_is_refused_before_it_is_sealed),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
