/* Messages of the signer (keys/wire.h). */
#include "tests/test.h"

#include "keys/wire.h"

static void
fields_come_back_as_they_went(void **state UNUSED)
{
	struct arena *a = arena_create((size_t)1 << 20);
	struct wire_header h;
	struct wire_reader r;
	struct bytes m;
	struct buf b;
	struct err err = {0};

	wire_begin(&b, a, 9, UINT64_C(0x0102030405060708));
	wire_put_u8(&b, 0xfe);
	wire_put_u32(&b, 0xfedcba98);
	wire_put_u64(&b, UINT64_C(0xfedcba9876543210));
	wire_put_bytes(&b, (struct bytes){(const unsigned char *)"a\0b", 3});
	wire_put_text(&b, "Mühlstraße");
	ASSERT_OK(wire_finish(&b, &m, &err), &err);
	assert_true(wire_open(m, &h, &r));
	assert_int_equal(h.code, 9);
	assert_int_equal(h.number, UINT64_C(0x0102030405060708));
	assert_int_equal(wire_u8(&r), 0xfe);
	assert_int_equal(wire_u32(&r), 0xfedcba98);
	assert_int_equal(wire_u64(&r), UINT64_C(0xfedcba9876543210));
	assert_true(
		bytes_eq(wire_bytes(&r, 0, 3), (struct bytes){(const unsigned char *)"a\0b", 3}));
	assert_false(wire_end(&r));
	assert_string_equal(wire_text(&r, a, 1, 12), "Mühlstraße");
	assert_true(wire_end(&r));
	arena_destroy(a);
}

/* What one field of four octets "abcd" reads as within bounds. */
static void
a_field_out_of_bounds_spoils_all_that_follow(void **state UNUSED)
{
	static const struct {
		const char *octets;
		size_t n, min, max;
		bool good;
	} rows[] = {
		{"\0\0\0\4abcd", 8, 4, 4, true},
		{"\0\0\0\4abcd", 8, 5, 9, false},
		{"\0\0\0\4abcd", 8, 0, 3, false},
		{"\0\0\0\5abcd", 8, 0, 9, false},
		{"\xff\xff\xff\xff", 4, 0, SIZE_MAX, false},
		{"\0\0\0", 3, 0, 9, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_reader r = {(const unsigned char *)rows[i].octets, rows[i].n, false};
		struct bytes b = wire_bytes(&r, rows[i].min, rows[i].max);

		assert_int_equal(wire_end(&r), rows[i].good);
		assert_int_equal(b.n, rows[i].good ? 4 : 0);
		if (!rows[i].good)
			assert_int_equal(wire_u8(&r) + wire_u32(&r) + wire_u64(&r), 0);
	}
}

static void
text_with_nul_or_broken_utf8_is_bad(void **state UNUSED)
{
	static const char *const octets[] = {"\0\0\0\2a\0", "\0\0\0\2\xc3\x28"};
	struct arena *a = arena_create(1 << 16);

	for (size_t i = 0; i < ARRAY_LEN(octets); i++) {
		struct wire_reader r = {(const unsigned char *)octets[i], 6, false};

		assert_string_equal(wire_text(&r, a, 0, 9), "");
		assert_false(wire_end(&r));
	}
	arena_destroy(a);
}

static void
a_message_is_no_longer_than_its_packet_may_be(void **state UNUSED)
{
	struct arena *a = arena_create((size_t)1 << 20);
	struct bytes m, most = {arena_alloc(a, WIRE_MAX), WIRE_MAX - WIRE_HEADER - 4};
	struct wire_header h;
	struct wire_reader r;
	struct buf b;
	struct err err = {0};

	wire_begin(&b, a, 1, 1);
	wire_put_bytes(&b, most);
	ASSERT_OK(wire_finish(&b, &m, &err), &err);
	assert_int_equal(m.n, WIRE_MAX);
	assert_true(wire_open(m, &h, &r));
	most.n++;
	wire_begin(&b, a, 1, 1);
	wire_put_bytes(&b, most);
	ASSERT_REFUSED(wire_finish(&b, &m, &err), &err, ERR_INTERNAL, "bytes to write");
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_come_back_as_they_went),
		cmocka_unit_test(a_field_out_of_bounds_spoils_all_that_follow),
		cmocka_unit_test(text_with_nul_or_broken_utf8_is_bad),
		cmocka_unit_test(a_message_is_no_longer_than_its_packet_may_be),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
