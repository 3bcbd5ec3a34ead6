/* JSON from outside. */
#include <stdlib.h>

#include "base/json.h"
#include "tests/arena.h"

static void
what_is_not_one_clean_object_is_refused(void **state UNUSED)
{
	static const char *const bad[] = {
		"",
		"[]",
		"1",
		"{",
		"{}x",
		"{} {}",
		"{\"a\":1,\"a\":2}",
		"{'a':1}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\xff\"}",
		"{\"a\":01}",
	};
	json_t *j;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ASSERT_REFUSED(json_parse_object(a, bytes_of(bad[i]), 1000, &j, &err), &err,
			       ERR_INPUT, "JSON");
	ASSERT_OK(json_parse_array(a, bytes_of("[1,[2]]"), 7, &j, &err), &err);
	assert_int_equal(json_array_size(j), 2);
	ASSERT_REFUSED(json_parse_array(a, bytes_of("{}"), 7, &j, &err), &err, ERR_INPUT,
		       "not an array");
	ASSERT_REFUSED(json_parse_array(a, bytes_of("[1],"), 7, &j, &err), &err, ERR_INPUT,
		       "not well-formed");
	ASSERT_REFUSED(json_parse_object(a, bytes_of("{\"a\":12}"), 7, &j, &err), &err, ERR_INPUT,
		       "8 bytes");
}

static void
depth_is_capped(void **state UNUSED)
{
	char deep[3000];
	json_t *j;
	struct err err = {0};

	for (int levels = 31; levels <= 32; levels++) {
		size_t n = 0;

		memcpy(deep, "{\"a\":", 5);
		n = 5;
		for (int i = 0; i < levels; i++)
			deep[n++] = '[';
		for (int i = 0; i < levels; i++)
			deep[n++] = ']';
		deep[n++] = '}';
		struct bytes text = {(unsigned char *)deep, n};

		if (levels == 31)
			ASSERT_OK(json_parse_object(a, text, sizeof(deep), &j, &err), &err);
		else
			ASSERT_REFUSED(json_parse_object(a, text, sizeof(deep), &j, &err), &err,
				       ERR_INPUT, "deeper");
	}
}

static void
members_are_read_by_type(void **state UNUSED)
{
	json_t *j;
	const json_t *sub = NULL;
	const char *s = "kept", **list;
	bool b = false;
	int64_t i = 5;
	size_t n;
	struct err err = {0};

	ASSERT_OK(json_parse_object(a,
				    bytes_of("{\"s\":\"t\",\"b\":true,\"i\":-7,\"l\":[\"x\",\"y\"],"
					     "\"o\":{},\"z\":null,\"m\":[1]}"),
				    1000, &j, &err),
		  &err);
	ASSERT_OK(json_get_str(j, "absent", &s, &err) && json_get_str(j, "z", &s, &err), &err);
	assert_string_equal(s, "kept");
	ASSERT_OK(json_get_str(j, "s", &s, &err), &err);
	assert_string_equal(s, "t");
	ASSERT_OK(json_get_bool(j, "b", &b, &err) && json_get_i64(j, "i", &i, &err), &err);
	assert_true(b);
	assert_int_equal(i, -7);
	ASSERT_OK(json_get_strs(a, j, "l", 2, &list, &n, &err), &err);
	assert_int_equal(n, 2);
	assert_string_equal(list[1], "y");
	ASSERT_OK(json_get_object(j, "o", &sub, &err), &err);
	assert_non_null(sub);
	ASSERT_REFUSED(json_get_str(j, "i", &s, &err), &err, ERR_INPUT, "i is not a string");
	ASSERT_REFUSED(json_get_bool(j, "i", &b, &err), &err, ERR_INPUT, "i is not true");
	ASSERT_REFUSED(json_get_i64(j, "s", &i, &err), &err, ERR_INPUT, "s is not an integer");
	ASSERT_REFUSED(json_get_array(j, "s", &sub, &err), &err, ERR_INPUT, "s is not an array");
	ASSERT_REFUSED(json_get_object(j, "l", &sub, &err), &err, ERR_INPUT, "l is not an object");
	ASSERT_REFUSED(json_get_strs(a, j, "l", 1, &list, &n, &err), &err, ERR_INPUT, "2 items");
	ASSERT_REFUSED(json_get_strs(a, j, "m", 1, &list, &n, &err), &err, ERR_INPUT, "other than");
}

static void
objects_are_written_compactly(void **state UNUSED)
{
	json_t *o = json_new_object(a), *l = json_new_array(a);

	json_put_str(a, o, "b", "x");
	json_put_str(a, o, "none", NULL);
	json_put_i64(a, o, "a", 1);
	json_put_bool(a, o, "t", true);
	json_push_str(a, l, "y");
	json_put(a, o, "l", l);
	json_push(a, l, o = json_deep_copy(o));
	assert_string_equal(json_text(a, json_keep(a, o), true),
			    "{\"a\":1,\"b\":\"x\",\"l\":[\"y\"],\"t\":true}");
	assert_string_equal(json_text(a, o, false),
			    "{\"b\":\"x\",\"a\":1,\"t\":true,\"l\":[\"y\"]}");
}

/* jansson's printer is the oracle: every octet, every type, nested, in both orders. */
static void
text_is_as_jansson_writes_it(void **state UNUSED)
{
	char all[0x80] = {0};
	json_t *o, *in = json_new_object(a);
	struct err err = {0};

	ASSERT_OK(
		json_parse_object(
			a,
			bytes_of("{\"z\":[],\"y\":{},\"x\":[1,-2,[true,false,null,{\"b\":0.5,"
				 "\"a\":1e300}]],\"w\":\"/\\u00e4\\ud83d\\ude00\\\\\",\"\\\"\":3.0,"
				 "\"m\":9223372036854775807}"),
			1000, &o, &err),
		&err);
	for (int c = 1; c < 0x80; c++)
		all[c - 1] = (char)c;
	json_put_str(a, in, all, all);
	json_put(a, o, "in", in);
	for (int sorted = 0; sorted < 2; sorted++) {
		char *expected = json_dumps(o, JSON_COMPACT | (sorted ? JSON_SORT_KEYS : 0));

		assert_string_equal(json_text(a, o, sorted), expected);
		free(expected);
	}
}

static void
put_what_is_not_text(void *p)
{
	json_put_str(p, json_new_object(p), "a", "\xc3(");
}

static void
what_is_not_utf8_is_not_written(void **state UNUSED)
{
	struct arena *other = arena_create(4096);

	assert_false(arena_run(other, put_what_is_not_text, other));
	arena_destroy(other);
}

static void
members_of_another_object_are_taken_over(void **state UNUSED)
{
	json_t *o = json_new_object(a), *from = json_new_object(a);

	json_put_str(a, o, "x", "old");
	json_put_str(a, from, "x", "new");
	json_put_str(a, from, "y", "1");
	json_put_all(a, o, from);
	json_put_all(a, o, NULL);
	assert_string_equal(json_text(a, o, false), "{\"x\":\"new\",\"y\":\"1\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_one_clean_object_is_refused),
		cmocka_unit_test(depth_is_capped),
		cmocka_unit_test(members_are_read_by_type),
		cmocka_unit_test(objects_are_written_compactly),
		cmocka_unit_test(text_is_as_jansson_writes_it),
		cmocka_unit_test(what_is_not_utf8_is_not_written),
		cmocka_unit_test(members_of_another_object_are_taken_over),
	};

	return cmocka_run_group_tests_name("json", tests, setup, teardown);
}
