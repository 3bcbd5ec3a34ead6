/* Authorization details (RFC 9396): types, what is of a type, what is less, what is told. */
#include "oidc/details.h"

#include <string.h>

#include "base/text.h"
#include "oidc/error.h"
#include "tests/test.h"

static struct arena *a;

#define LABEL "\"label\":{\"de\":\"Ding\",\"en\":\"Thing\"}"
#define FIELDS                                                                                     \
	"\"locations\":{" LABEL "},\"actions\":{\"required\":true,\"values\":[\"read\","           \
	"\"book\"]," LABEL ",\"value_labels\":{\"book\":{\"de\":\"buchen\",\"en\":\"to book\"}}}," \
	"\"office\":{\"kind\":\"text\",\"max\":8," LABEL "},"                                      \
	"\"count\":{\"kind\":\"number\",\"min\":1,\"max\":5," LABEL "},"                           \
	"\"urgent\":{\"kind\":\"boolean\"," LABEL ",\"value_labels\":{\"true\":{\"de\":\"ja\","    \
	"\"en\":\"yes\"},\"false\":{\"de\":\"nein\",\"en\":\"no\"}}},"                             \
	"\"who\":{\"kind\":\"object\"," LABEL ",\"fields\":{\"name\":{\"kind\":\"text\","          \
	"\"required\":true," LABEL "},\"tags\":{\"kind\":\"texts\"," LABEL "}}}"
#define TYPE "{\"type\":\"date\"," LABEL ",\"fields\":{" FIELDS "}}"

static struct oidc_detail_type the_type;
static struct oidc_detail_types types = {&the_type, 1};
static const char *const resources[] = {"https://api.example/"};
static const char *const names[] = {"date", "gone"};
static const struct oidc_client client = {.resources = {resources, 1}, .details_types = {names, 2}};

static int
setup(void **state UNUSED)
{
	struct err err = {0};

	a = arena_create(16 << 20);
	ASSERT_OK(oidc_detail_type_parse(a, bytes_of(TYPE), &the_type, &err), &err);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

static bool
parse(const char *text, json_t **out, struct err *err)
{
	const struct param p = {"authorization_details", text};
	const struct params ps = {&p, 1};

	*err = (struct err){0};
	return oidc_details_parse(a, &ps, &types, &client, out, err);
}

static json_t *
details(const char *text)
{
	struct err err;
	json_t *out;

	ASSERT_OK(parse(text, &out, &err), &err);
	return out;
}

static void
a_type_says_what_it_is(void **state UNUSED)
{
	assert_string_equal(the_type.name, "date");
	assert_false(the_type.each_time || the_type.for_clients);
	assert_ptr_equal(oidc_detail_type_find(&types, "date"), &the_type);
	assert_null(oidc_detail_type_find(&types, "other"));
	assert_null(oidc_detail_type_find(&types, NULL));
}

static void
an_improper_type_is_refused(void **state UNUSED)
{
#define WITH(rule) "{\"type\":\"t\"," LABEL ",\"fields\":{" rule "}}"
	static const char *const wrong[] = {
		"[]",
		"{" LABEL ",\"fields\":{}}",
		"{\"type\":\"a b\"," LABEL ",\"fields\":{}}",
		"{\"type\":1," LABEL ",\"fields\":{}}",
		"{\"type\":\"t\",\"fields\":{}}",
		"{\"type\":\"t\",\"label\":{\"de\":\"x\"},\"fields\":{}}",
		"{\"type\":\"t\",\"label\":{\"de\":\"x\",\"en\":\"\"},\"fields\":{}}",
		"{\"type\":\"t\",\"label\":{\"de\":\"x\",\"en\":\"a\\nb\"},\"fields\":{}}",
		"{\"type\":\"t\",\"label\":{\"de\":\"x\",\"en\":\"y\",\"fr\":\"z\"},\"fields\":{}}",
		"{\"type\":\"t\"," LABEL "}",
		"{\"type\":\"t\"," LABEL ",\"fields\":[]}",
		"{\"type\":\"t\"," LABEL ",\"fields\":{},\"each_time\":1}",
		"{\"type\":\"t\"," LABEL ",\"fields\":{},\"for_clients\":1}",
		"{\"type\":\"t\"," LABEL ",\"fields\":{},\"other\":1}",
		WITH("\"type\":{\"kind\":\"text\"," LABEL "}"),
		WITH("\"a b\":{\"kind\":\"text\"," LABEL "}"),
		WITH("\"x\":1"),
		WITH("\"x\":{" LABEL "}"),
		WITH("\"x\":{\"kind\":\"other\"," LABEL "}"),
		WITH("\"x\":{\"kind\":1," LABEL "}"),
		WITH("\"x\":{\"kind\":\"text\"}"),
		WITH("\"x\":{\"kind\":\"text\",\"required\":1," LABEL "}"),
		WITH("\"x\":{\"kind\":\"text\",\"min\":\"1\"," LABEL "}"),
		WITH("\"x\":{\"kind\":\"text\",\"max\":\"1\"," LABEL "}"),
		WITH("\"x\":{\"kind\":\"text\",\"max\":0," LABEL "}"),
		WITH("\"x\":{\"kind\":\"texts\",\"max\":1025," LABEL "}"),
		WITH("\"x\":{\"kind\":\"text\",\"values\":1," LABEL "}"),
		WITH("\"x\":{\"kind\":\"number\",\"values\":[\"1\"]," LABEL "}"),
		WITH("\"x\":{\"kind\":\"text\",\"value_labels\":1," LABEL "}"),
		WITH("\"x\":{\"kind\":\"text\",\"value_labels\":{\"y\":{}}," LABEL "}"),
		WITH("\"x\":{\"kind\":\"boolean\"," LABEL "}"),
		WITH("\"x\":{\"kind\":\"boolean\"," LABEL
		     ",\"value_labels\":{\"true\":{\"de\":\"j\","
		     "\"en\":\"y\"}}}"),
		WITH("\"x\":{\"kind\":\"text\",\"other\":1," LABEL "}"),
		WITH("\"x\":{\"kind\":\"text\",\"fields\":{}," LABEL "}"),
		WITH("\"x\":{\"kind\":\"object\"," LABEL "}"),
		WITH("\"x\":{\"kind\":\"object\",\"fields\":{\"y\":1}," LABEL "}"),
		WITH("\"x\":{\"kind\":\"object\",\"fields\":{\"y\":{\"kind\":\"object\","
		     "\"fields\":{}," LABEL "}}," LABEL "}"),
		WITH("\"actions\":{\"kind\":\"text\"," LABEL "}"),
		WITH("\"identifier\":{\"kind\":\"texts\"," LABEL "}"),
		WITH("\"x\":{\"kind\":\"object\",\"fields\":{\"actions\":{" LABEL "}}," LABEL "}"),
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct oidc_detail_type t;
		struct err err = {0};

		if (oidc_detail_type_parse(a, bytes_of(wrong[i]), &t, &err))
			fail_msg("taken: %s", wrong[i]);
		assert_int_equal(err.kind, ERR_INPUT);
	}
}

/* RFC 9396 5 */
static void
what_is_of_a_type_is_taken_and_nothing_else(void **state UNUSED)
{
#define GOOD "\"type\":\"date\",\"actions\":[\"read\"]"
	static const char *const good[] = {
		"[{" GOOD "}]",
		"[{" GOOD ",\"locations\":[\"https://api.example/\"],\"office\":\"Nord\","
		"\"count\":5,\"urgent\":false,\"who\":{\"name\":\"E\",\"tags\":[\"x\",\"y\"]}}]",
		"[{" GOOD "},{" GOOD "},{" GOOD "},{" GOOD "},{" GOOD "},{" GOOD "},{" GOOD
		"},{" GOOD "}]",
	};
	static const char *const wrong[] = {
		"x",
		"{}",
		"[]",
		"[1]",
		"[{}]",
		"[{\"type\":1,\"actions\":[\"read\"]}]",
		"[{\"type\":\"gone\"}]",
		"[{\"type\":\"else\"}]",
		"[{\"type\":\"date\"}]",
		"[{" GOOD "},{\"type\":\"date\"}]",
		"[{" GOOD ",\"other\":1}]",
		"[{" GOOD ",\"privileges\":[\"x\"]}]",
		"[{\"type\":\"date\",\"actions\":\"read\"}]",
		"[{\"type\":\"date\",\"actions\":[]}]",
		"[{\"type\":\"date\",\"actions\":[\"write\"]}]",
		"[{\"type\":\"date\",\"actions\":[1]}]",
		"[{\"type\":\"date\",\"actions\":[\"read\",\"read\",\"read\",\"read\",\"read\","
		"\"read\",\"read\",\"read\",\"read\",\"read\",\"read\",\"read\",\"read\",\"read\","
		"\"read\",\"read\",\"read\"]}]",
		"[{" GOOD ",\"locations\":[\"https://other.example/\"]}]",
		"[{" GOOD ",\"office\":\"\"}]",
		"[{" GOOD ",\"office\":\"123456789\"}]",
		"[{" GOOD ",\"office\":\"a\\tb\"}]",
		"[{" GOOD ",\"office\":\"a\\u202eb\"}]",
		"[{" GOOD ",\"office\":[\"a\"]}]",
		"[{" GOOD ",\"count\":0}]",
		"[{" GOOD ",\"count\":6}]",
		"[{" GOOD ",\"count\":1.5}]",
		"[{" GOOD ",\"count\":\"1\"}]",
		"[{" GOOD ",\"urgent\":\"true\"}]",
		"[{" GOOD ",\"urgent\":null}]",
		"[{" GOOD ",\"who\":\"E\"}]",
		"[{" GOOD ",\"who\":{}}]",
		"[{" GOOD ",\"who\":{\"name\":\"E\",\"type\":\"date\"}}]",
		"[{" GOOD ",\"who\":{\"name\":{\"x\":{}}}}]",
		"[{" GOOD ",\"actions\":[\"read\"]}]",
		"[{" GOOD "},{" GOOD "},{" GOOD "},{" GOOD "},{" GOOD "},{" GOOD "},{" GOOD
		"},{" GOOD "},{" GOOD "}]",
	};
	static const char *const few[] = {"gone"};
	const struct oidc_client other = {.details_types = {few, 1}};
	struct err err;
	json_t *out;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(json_array_size(details(good[i])) > 0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		if (parse(wrong[i], &out, &err))
			fail_msg("taken: %s", wrong[i]);
		assert_string_equal(err.proto, OIDC_INVALID_AUTHORIZATION_DETAILS);
	}
	assert_null(details(""));
	/* Of a type that is not the client's, and too much of it. */
	json_t *fine = details(good[0]);

	assert_int_equal(json_array_size(oidc_details_still(a, fine, &types, &client)), 1);
	assert_null(oidc_details_still(a, fine, &types, &other));
	assert_null(oidc_details_still(a, fine, &(struct oidc_detail_types){NULL, 0}, &client));
	assert_null(oidc_details_still(a, NULL, &types, &client));
	char *much = arena_alloc(a, OIDC_DETAILS_MAX_BYTES + 2);

	memset(much, ' ', OIDC_DETAILS_MAX_BYTES + 1);
	much[OIDC_DETAILS_MAX_BYTES + 1] = '\0';
	assert_false(parse(much, &out, &err));
	assert_string_equal(err.proto, OIDC_INVALID_REQUEST);
}

static void
less_is_a_part_of_what_was_granted(void **state UNUSED)
{
#define BOTH "\"type\":\"date\",\"actions\":[\"read\",\"book\"]"
	const json_t *granted = details("[{" BOTH "},{" GOOD ",\"office\":\"Nord\"}]");
	static const char *const less[] = {
		"[{" BOTH "}]",
		"[{" GOOD "}]",
		"[{\"type\":\"date\",\"actions\":[\"book\"]}]",
		"[{\"actions\":[\"book\",\"read\"],\"type\":\"date\"}]",
		"[{" GOOD ",\"office\":\"Nord\"},{" GOOD "}]",
	};
	static const char *const more[] = {
		"[{" GOOD ",\"office\":\"Sued\"}]",
		"[{" BOTH ",\"office\":\"Nord\"}]",
		"[{" GOOD ",\"count\":1}]",
		"[{" GOOD "},{" GOOD ",\"count\":1}]",
		"[{" GOOD ",\"office\":\"Nord\",\"count\":1}]",
	};
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(less); i++)
		ASSERT_OK(oidc_details_narrow(granted, details(less[i]), &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		err = (struct err){0};
		if (oidc_details_narrow(granted, details(more[i]), &err))
			fail_msg("taken: %s", more[i]);
		assert_string_equal(err.proto, OIDC_INVALID_AUTHORIZATION_DETAILS);
	}
	ASSERT_OK(oidc_details_narrow(granted, NULL, &err), &err);
	assert_false(oidc_details_narrow(NULL, details(less[0]), NULL));
	/* What is no list of things is not taken apart. */
	json_t *empty = json_new_array(a);
	json_t *hollow = details("[{" GOOD "}]");

	json_put(a, json_array_get(hollow, 0), "actions", empty);
	assert_false(oidc_details_narrow(granted, hollow, NULL));
}

static void
a_service_is_told_what_is_for_it(void **state UNUSED)
{
	json_t *all = details("[{" GOOD "},{" GOOD ",\"locations\":[\"https://api.example/\"]}]");

	assert_int_equal(json_array_size(oidc_details_for(a, all, "https://api.example/")), 2);
	assert_int_equal(json_array_size(oidc_details_for(a, all, "https://other.example/")), 1);
	json_array_remove(all, 0);
	assert_null(oidc_details_for(a, all, "https://other.example/"));
	assert_null(oidc_details_for(a, NULL, "https://api.example/"));
}

static void
people_are_told_in_the_words_of_the_type(void **state UNUSED)
{
	json_t *all = details("[{\"who\":{\"tags\":[\"x\",\"y\"],\"name\":\"E\"},\"urgent\":true,"
			      "\"count\":3,\"actions\":[\"book\",\"read\"],\"type\":\"date\"}]");
	json_t *facts = oidc_detail_facts(a, &the_type, json_array_get(all, 0), "en");

	assert_string_equal(
		json_text(a, facts, false),
		"[{\"field\":\"actions\",\"key\":\"Thing\",\"values\":[\"to book\",\"read\"]},"
		"{\"field\":\"count\",\"key\":\"Thing\",\"values\":[\"3\"]},"
		"{\"field\":\"urgent\",\"key\":\"Thing\",\"values\":[\"yes\"]},"
		"{\"field\":\"\",\"key\":\"Thing, Thing\",\"values\":[\"E\"]},"
		"{\"field\":\"\",\"key\":\"Thing, Thing\",\"values\":[\"x\",\"y\"]}]");
	assert_string_equal(oidc_detail_label(the_type.label, "de"), "Ding");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_type_says_what_it_is),
		cmocka_unit_test(an_improper_type_is_refused),
		cmocka_unit_test(what_is_of_a_type_is_taken_and_nothing_else),
		cmocka_unit_test(less_is_a_part_of_what_was_granted),
		cmocka_unit_test(a_service_is_told_what_is_for_it),
		cmocka_unit_test(people_are_told_in_the_words_of_the_type),
	};

	return cmocka_run_group_tests_name("details", tests, setup, teardown);
}
