/* Encodings are strict and reversible. */
#include "base/enc.h"
#include "base/rand.h"
#include "tests/arena.h"

static void
the_vectors_of_rfc_4648_hold(void **state UNUSED)
{
	static const char *const v[][3] = {
		{"", "", ""},
		{"f", "Zg==", "Zg"},
		{"fo", "Zm8=", "Zm8"},
		{"foo", "Zm9v", "Zm9v"},
		{"foob", "Zm9vYg==", "Zm9vYg"},
		{"fooba", "Zm9vYmE=", "Zm9vYmE"},
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct bytes out;

		assert_string_equal(enc_base64(a, bytes_of(v[i][0])), v[i][1]);
		assert_string_equal(enc_base64url(a, bytes_of(v[i][0])), v[i][2]);
		assert_true(dec_base64(a, bytes_of(v[i][1]), false, &out, NULL));
		assert_true(bytes_eq(out, bytes_of(v[i][0])));
		assert_true(dec_base64url(a, bytes_of(v[i][2]), &out, NULL));
		assert_true(bytes_eq(out, bytes_of(v[i][0])));
	}
}

static void
a_value_has_one_spelling(void **state UNUSED)
{
	static const char *const bad_url[] = {"Zg==", "Zh", "Zm9", "Zm 8", "Zm+8", "A", "Zm9vA"};
	static const char *const bad_std[] = {
		"Zg", "Zh==", "Zm9=", "Zg==Zg==", "====", "Z===", "Zm\n8=", "Zm-8"};
	struct bytes out;

	for (size_t i = 0; i < ARRAY_LEN(bad_url); i++)
		assert_false(dec_base64url(a, bytes_of(bad_url[i]), &out, NULL));
	for (size_t i = 0; i < ARRAY_LEN(bad_std); i++)
		assert_false(dec_base64(a, bytes_of(bad_std[i]), false, &out, NULL));
	assert_true(dec_base64(a, bytes_of(" Zm\r\n8=\t"), true, &out, NULL));
	assert_true(bytes_eq(out, bytes_of("fo")));
}

static void
a_pair_of_basic_parts_at_its_first_colon(void **state UNUSED)
{
	static const char *const good[][3] = {
		{"Basic YTpi", "a", "b"},       {"basic   YTpi", "a", "b"},
		{"BASIC YTpiOmM=", "a", "b:c"}, {"Basic Og==", "", ""},
		{"Basic YTo=", "a", ""},
	};
	static const char *const bad[][2] = {
		{"", "not Basic"},
		{"Basic", "not Basic"},
		{"Bearer YTpi", "not Basic"},
		{"BasicYTpi", "not Basic"},
		{"Basic YTp", "base64"},
		{"Basic YTpi ", "base64"},
		{"Basic ", "without colon"},
		{"Basic YQ==", "without colon"},
	};
	struct bytes user, password;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ASSERT_OK(dec_basic(a, good[i][0], &user, &password, &err), &err);
		assert_true(bytes_eq(user, bytes_of(good[i][1])));
		assert_true(bytes_eq(password, bytes_of(good[i][2])));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_REFUSED(dec_basic(a, bad[i][0], &user, &password, &err), &err, ERR_INPUT,
			       bad[i][1]);
}

static void
random_octets_come_back(void **state UNUSED)
{
	for (size_t n = 0; n < 100; n++) {
		unsigned char r[100];
		struct bytes in = {r, n}, out;

		rand_bytes(r, n);
		assert_true(dec_base64url(a, bytes_of(enc_base64url(a, in)), &out, NULL));
		assert_true(bytes_eq(in, out));
		assert_true(dec_hex(a, bytes_of(enc_hex(a, in)), &out, NULL));
		assert_true(bytes_eq_secret(in, out));
	}
}

static void
broken_hex_is_refused(void **state UNUSED)
{
	struct bytes out;

	assert_false(dec_hex(a, bytes_of("abc"), &out, NULL));
	assert_false(dec_hex(a, bytes_of("0g"), &out, NULL));
	assert_true(dec_hex(a, bytes_of("aF"), &out, NULL));
	assert_int_equal(out.p[0], 0xaf);
}

static void
form_values_are_decoded_once_and_whole(void **state UNUSED)
{
	struct bytes out;

	assert_true(dec_form(a, bytes_of("a+b%20c%2Bd%2500"), &out, NULL));
	assert_true(bytes_eq(out, bytes_of("a b c+d%00")));
	static const char *const bad[] = {"%", "%4", "%4g", "a%00b", "%zz"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(dec_form(a, bytes_of(bad[i]), &out, NULL));
}

static const char *
escaped(void (*fn)(struct buf *, const char *), const char *s)
{
	struct buf b;
	const char *out = NULL;

	buf_init(&b, a, 1000);
	fn(&b, s);
	assert_true(buf_finish_str(&b, &out, NULL));
	return out;
}

static void
each_place_has_its_escape(void **state UNUSED)
{
	assert_string_equal(escaped(enc_html, "<a href=\"x\">'&'"),
			    "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
	assert_string_equal(escaped(enc_xml_text, "a<b>&\"\r\n"), "a&lt;b&gt;&amp;\"&#xD;\n");
	assert_string_equal(escaped(enc_xml_attr, "a<b>&\"\t\r\n"),
			    "a&lt;b>&amp;&quot;&#x9;&#xD;&#xA;");
	struct buf b;
	const char *out;

	buf_init(&b, a, 100);
	enc_percent(&b, bytes_of("a b/\xc3\xa4~"));
	assert_true(buf_finish_str(&b, &out, NULL));
	assert_string_equal(out, "a%20b%2F%C3%A4~");
}

static void
tokens_are_long_and_differ(void **state UNUSED)
{
	assert_int_equal(strlen(rand_token(a, 32)), 43);
	assert_string_not_equal(rand_token(a, 32), rand_token(a, 32));
	const char *id = rand_xml_id(a);

	assert_int_equal(id[0], '_');
	assert_int_equal(strlen(id), 33);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_rfc_4648_hold),
		cmocka_unit_test(a_value_has_one_spelling),
		cmocka_unit_test(a_pair_of_basic_parts_at_its_first_colon),
		cmocka_unit_test(random_octets_come_back),
		cmocka_unit_test(broken_hex_is_refused),
		cmocka_unit_test(form_values_are_decoded_once_and_whole),
		cmocka_unit_test(each_place_has_its_escape),
		cmocka_unit_test(tokens_are_long_and_differ),
	};

	return cmocka_run_group_tests_name("enc", tests, setup, teardown);
}
