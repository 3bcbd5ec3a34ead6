/* Documents: tags, codings, what comes back when nothing changed; and the snapshots around them. */
#include "idp/document.h"

#include <zlib.h>

#include "idp/snapshot.h"
#include "tests/test.h"

static struct arena *a;
static char long_text[4096];

static int
setup(void **state UNUSED)
{
	memset(long_text, 'x', sizeof(long_text) - 1);
	a = arena_create(16 << 20);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

static const struct document *
add(struct documents *docs, const char *path, const char *type, const char *body)
{
	struct document d = {
		.path = path, .type = type, .cache = "public, max-age=60", .body = bytes_of(body)};
	struct err err = {0};

	ASSERT_OK(documents_add(a, docs, &d, &err), &err);
	return documents_find(docs, bytes_of(path));
}

static void
the_right_form_is_chosen(void **state UNUSED)
{
	struct documents docs = {0};
	const struct document *d = add(&docs, "/x.css", "text/css", long_text);
	const struct {
		const char *if_none_match, *accept;
		enum document_form form;
	} cases[] = {
		{"", "", DOCUMENT_PLAIN},
		{"", "gzip", DOCUMENT_GZIP},
		{"", "br, GZIP;q=0.5", DOCUMENT_GZIP},
		{"", "gzip;q=0", DOCUMENT_PLAIN},
		{"", "gzip;q=0.000, br", DOCUMENT_PLAIN},
		{"", "deflate", DOCUMENT_PLAIN},
		{"\"other\"", "", DOCUMENT_PLAIN},
		{d->etag, "", DOCUMENT_NOT_MODIFIED},
		{d->etag + 2, "gzip", DOCUMENT_NOT_MODIFIED},
		{arena_printf(a, "\"a\" , %s", d->etag), "", DOCUMENT_NOT_MODIFIED},
		{"*", "", DOCUMENT_NOT_MODIFIED},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (document_choose(d, bytes_of(cases[i].if_none_match),
				    bytes_of(cases[i].accept)) != cases[i].form)
			fail_msg("case %zu", i);
}

static void
what_is_small_or_compressed_is_left_as_it_is(void **state UNUSED)
{
	struct documents docs = {0};

	assert_int_equal(add(&docs, "/a", "text/css", "tiny")->gzip.n, 0);
	assert_int_equal(add(&docs, "/b", "font/woff2", long_text)->gzip.n, 0);
	assert_true(add(&docs, "/c", "text/css", long_text)->gzip.n > 0);
}

static void
the_compressed_form_is_the_same_text(void **state UNUSED)
{
	struct documents docs = {0};
	const struct document *d = add(&docs, "/c", "text/css", long_text);
	z_stream z = {.next_in = (z_const Bytef *)d->gzip.p, .avail_in = (uInt)d->gzip.n};
	unsigned char out[sizeof(long_text)];

	z.next_out = out;
	z.avail_out = sizeof(out);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, d->body.n);
	assert_memory_equal(out, long_text, d->body.n);
	inflateEnd(&z);
}

static void
further_paths_lead_to_the_same_document(void **state UNUSED)
{
	struct documents docs = {0};
	const struct document *one = add(&docs, "/m", "text/css", "one");
	const struct document *two = add(&docs, "view:2", "text/css", "two");
	struct document_alias list[] = {
		{"/m/c", one}, {"/m/a", two}, {"/m/ab", one}, {"/m/none", NULL}, {"/m/b", two},
	};
	const struct {
		const char *path;
		const struct document *found;
	} cases[] = {
		{"/m", one},       {"/m/a", two}, {"/m/ab", one},   {"/m/b", two},  {"/m/c", one},
		{"/m/none", NULL}, {"/m/", NULL}, {"/m/abc", NULL}, {"/m/d", NULL}, {"", NULL},
	};

	documents_name(&docs, list, ARRAY_LEN(list));
	assert_int_equal(docs.n_alias, 4);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (documents_find(&docs, bytes_of(cases[i].path)) != cases[i].found)
			fail_msg("%s", cases[i].path);
	documents_name(&docs, NULL, 0);
	assert_null(documents_find(&docs, bytes_of("/m/a")));
}

static void
answers_carry_their_headers(void **state UNUSED)
{
	struct documents docs = {0};
	const struct document *d = add(&docs, "/c", "text/css", long_text);
	struct response rs = {0};

	document_answer(d, DOCUMENT_GZIP, &rs);
	assert_int_equal(rs.status, 200);
	assert_string_equal(response_find(&rs, "Content-Encoding"), "gzip");
	assert_string_equal(response_find(&rs, "ETag"), d->etag);
	assert_string_equal(response_find(&rs, "Vary"), "Accept-Encoding");
	assert_null(response_find(&rs, "Access-Control-Allow-Origin"));
	rs = (struct response){0};
	document_answer(d, DOCUMENT_NOT_MODIFIED, &rs);
	assert_int_equal(rs.status, 304);
	assert_int_equal(rs.body.n, 0);
	assert_null(response_find(&rs, "Content-Type"));

	struct document open = *d;

	open.open = true;
	rs = (struct response){0};
	document_answer(&open, DOCUMENT_PLAIN, &rs);
	assert_string_equal(response_find(&rs, "Access-Control-Allow-Origin"), "*");
}

static void
a_path_has_one_document(void **state UNUSED)
{
	struct documents docs = {0};
	struct document d = {.path = "/a", .type = "text/css", .cache = "", .body = bytes_of("")};
	struct err err = {0};

	add(&docs, "/a", "text/css", "1");
	ASSERT_REFUSED(documents_add(a, &docs, &d, &err), &err, ERR_CONFLICT, "/a");
	for (int i = 1; i < DOCUMENTS_MAX; i++)
		add(&docs, arena_printf(a, "/%d", i), "text/css", "1");
	d.path = "/b";
	ASSERT_REFUSED(documents_add(a, &docs, &d, &err), &err, ERR_INTERNAL, "more than");
	assert_null(documents_find(&docs, bytes_of("/b")));
}

static void
embedded_files_become_documents(void **state UNUSED)
{
	static const struct embed_file files[] = {
		{"app.1f2e.css", {(const unsigned char *)"a{}", 3}, ""},
		{"app.1f2e.css.gz", {(const unsigned char *)"z", 1}, ""},
		{"font.woff2", {(const unsigned char *)"w", 1}, ""},
		{"odd", {(const unsigned char *)"?", 1}, ""},
		{NULL, {NULL, 0}, NULL},
	};
	struct documents docs = {0};
	struct err err = {0};

	ASSERT_OK(documents_add_files(a, &docs, files, &err), &err);
	assert_int_equal(docs.n, 3);
	const struct document *d = documents_find(&docs, bytes_of("/static/app.1f2e.css"));

	assert_string_equal(d->type, "text/css; charset=utf-8");
	assert_int_equal(d->gzip.n, 1);
	assert_string_equal(documents_find(&docs, bytes_of("/static/odd"))->type,
			    "application/octet-stream");
	assert_null(documents_find(&docs, bytes_of("/static/app.1f2e.css.gz")));
}

static int gone;

static void
count_gone(void *p UNUSED)
{
	gone++;
}

static void
a_snapshot_lives_until_nobody_holds_it(void **state UNUSED)
{
	struct snapshots all;
	struct snapshot *first = snapshot_create(4096), *second = snapshot_create(4096);

	gone = 0;
	arena_defer(first->a, count_gone, NULL);
	arena_defer(second->a, count_gone, NULL);
	snapshots_init(&all);
	assert_null(snapshot_hold(&all));
	assert_false(snapshot_wait(&all, 0, 1));
	snapshot_publish(&all, first);
	assert_true(snapshot_wait(&all, 0, 0));

	const struct snapshot *held = snapshot_hold(&all);

	snapshot_publish(&all, second);
	assert_int_equal(gone, 0);
	assert_int_equal(held->version, 1);
	snapshot_release(held);
	assert_int_equal(gone, 1);
	assert_int_equal(second->version, 2);
	snapshots_finish(&all);
	assert_int_equal(gone, 2);
	snapshot_release(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_form_is_chosen),
		cmocka_unit_test(what_is_small_or_compressed_is_left_as_it_is),
		cmocka_unit_test(the_compressed_form_is_the_same_text),
		cmocka_unit_test(further_paths_lead_to_the_same_document),
		cmocka_unit_test(answers_carry_their_headers),
		cmocka_unit_test(a_path_has_one_document),
		cmocka_unit_test(embedded_files_become_documents),
		cmocka_unit_test(a_snapshot_lives_until_nobody_holds_it),
	};

	return cmocka_run_group_tests_name("document", tests, setup, teardown);
}
