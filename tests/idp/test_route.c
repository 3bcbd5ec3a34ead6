/* The map: exact before prefix, long prefix before short, and what THE table may hold. */
#include "idp/route.h"

#include <string.h>

#include "tests/test.h"

static const struct route table[] = {
	{.method = HTTP_GET, .path = "/a"},
	{.method = HTTP_POST, .path = "/a"},
	{.method = HTTP_GET, .path = "/f/", .flags = ROUTE_PREFIX},
	{.method = HTTP_GET, .path = "/f/x/", .flags = ROUTE_PREFIX},
	{.method = HTTP_GET, .path = "/f/x/y"},
	{.method = HTTP_POST, .path = "/p/", .flags = ROUTE_PREFIX},
	{.method = HTTP_GET, .path = "/m", .flags = ROUTE_INTERNAL},
	{.method = HTTP_GET, .path = "/h", .flags = ROUTE_HEALTH},
	{.path = NULL},
};

static int
index_of(enum http_method method, const char *path, bool internal, bool *known)
{
	const struct route *r = route_find(table, method, bytes_of(path), internal, known);

	return r == NULL ? -1 : (int)(r - table);
}

static void
the_best_row_is_found(void **state UNUSED)
{
	static const struct {
		enum http_method method;
		const char *path;
		bool internal;
		int row;
		bool known;
	} cases[] = {
		{HTTP_GET, "/a", false, 0, true},       {HTTP_HEAD, "/a", false, 0, true},
		{HTTP_POST, "/a", false, 1, true},      {HTTP_OPTIONS, "/a", false, -1, true},
		{HTTP_GET, "/a/", false, -1, false},    {HTTP_GET, "/ab", false, -1, false},
		{HTTP_GET, "/", false, -1, false},      {HTTP_GET, "/f/1", false, 2, true},
		{HTTP_GET, "/f/", false, -1, false},    {HTTP_GET, "/f", false, -1, false},
		{HTTP_GET, "/f/x/z", false, 3, true},   {HTTP_GET, "/f/x/y", false, 4, true},
		{HTTP_POST, "/f/x/y", false, -1, true}, {HTTP_GET, "/p/1", false, -1, true},
		{HTTP_GET, "/m", false, -1, false},     {HTTP_GET, "/m", true, 6, true},
		{HTTP_GET, "/h", false, 7, true},       {HTTP_GET, "/h", true, 7, true},
		{HTTP_GET, "/a", true, -1, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool known;

		if (index_of(cases[i].method, cases[i].path, cases[i].internal, &known) !=
			    cases[i].row ||
		    known != cases[i].known)
			fail_msg("case %zu: %s", i, cases[i].path);
	}
}

static void
a_path_says_what_it_answers_to(void **state UNUSED)
{
	struct arena *a = arena_create(4096);

	assert_string_equal(route_methods(a, table, bytes_of("/a"), false), "GET, HEAD, POST");
	assert_string_equal(route_methods(a, table, bytes_of("/p/1"), false), "POST");
	assert_string_equal(route_methods(a, table, bytes_of("/none"), false), "");
	arena_destroy(a);
}

/* A row that breaks one of these rules would be a hole or dead. */
static void
every_row_of_the_map_is_sound(void **state UNUSED)
{
	for (const struct route *r = routes; r->path != NULL; r++) {
		size_t n = strlen(r->path);
		bool known;

		assert_int_equal(r->path[0], '/');
		assert_non_null(r->handle);
		assert_true(r->lane < LANE_COUNT);
		assert_true(r->arena_bytes > r->max_body_bytes + r->max_query_bytes);
		/* The front page is no prefix, or it would answer for everything. */
		assert_int_equal((r->flags & ROUTE_PREFIX) != 0, n > 1 && r->path[n - 1] == '/');
		if (r->method == HTTP_GET || r->lane == LANE_LOOP)
			assert_int_equal(r->max_body_bytes, 0);
		if (r->lane == LANE_LOOP)
			assert_true(r->method == HTTP_GET || r->method == HTTP_OPTIONS);
		for (const struct route *s = routes; s < r; s++)
			assert_false(s->method == r->method && strcmp(s->path, r->path) == 0);
		if (!(r->flags & ROUTE_PREFIX))
			assert_ptr_equal(route_find(routes, r->method, bytes_of(r->path),
						    r->flags & ROUTE_INTERNAL, &known),
					 r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_row_is_found),
		cmocka_unit_test(a_path_says_what_it_answers_to),
		cmocka_unit_test(every_row_of_the_map_is_sound),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
