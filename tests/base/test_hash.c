/* base/hash.c: SHA-256 against FIPS 180-4 examples. */
#include "base/hash.h"
#include "base/enc.h"
#include "tests/test.h"

static const struct {
	const char *text, *hex;
} examples[] = {
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void
known_answers_hold(void **state)
{
	struct arena *a = arena_create(64 * 1024);
	unsigned char out[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		hash_sha256(bytes_of(examples[i].text), out);
		assert_string_equal(enc_hex(a, (struct bytes){out, sizeof(out)}), examples[i].hex);
	}
	arena_destroy(a);
}

static void
parts_count_as_joined(void **state)
{
	const struct bytes parts[] = {bytes_of("a"), {NULL, 0}, bytes_of("bc")};
	unsigned char joined[SHA256_BYTES], whole[SHA256_BYTES];

	(void)state;
	hash_sha256_parts(parts, ARRAY_LEN(parts), joined);
	hash_sha256(bytes_of("abc"), whole);
	assert_memory_equal(joined, whole, sizeof(whole));
}

static void
the_digest_is_the_named_one(void **state UNUSED)
{
	static const struct {
		const char *name;
		size_t n;
		unsigned char first;
	} cases[] = {{"SHA256", 32, 0xba}, {"SHA384", 48, 0xcb}, {"SHA512", 64, 0xdd}};
	struct hash_digest d;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(hash_named(cases[i].name, bytes_of("abc"), &d));
		assert_int_equal(d.n, cases[i].n);
		assert_int_equal(d.octets[0], cases[i].first);
	}
	assert_false(hash_named("SHA1", bytes_of("abc"), &d));
	assert_false(hash_named("MD5", bytes_of("abc"), &d));
}

static void
a_name_by_sha1_is_as_fips_180_has_it(void **state UNUSED)
{
	struct arena *a = arena_create(64 * 1024);
	unsigned char out[SHA1_BYTES];

	hash_sha1(bytes_of("abc"), out);
	assert_string_equal(enc_hex(a, (struct bytes){out, sizeof(out)}),
			    "a9993e364706816aba3e25717850c26c9cd0d89d");
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_is_the_named_one),
		cmocka_unit_test(a_name_by_sha1_is_as_fips_180_has_it),
		cmocka_unit_test(known_answers_hold),
		cmocka_unit_test(parts_count_as_joined),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
