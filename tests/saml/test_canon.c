/*
 * XML read in pieces and written from its events: the same canonical form that libxml2 makes of
 * the document, the same refusals, whatever the pieces.
 */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tests/saml/push.h"
#include "tests/saml/support.h"

static struct arena *a;
static struct err err;

static int
setup(void **state UNUSED)
{
	a = arena_create(256 << 20);
	err_clear(&err);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

/* As one string, as xml_c14n takes them. */
static const char *
joined(const char *const *prefixes)
{
	const char *list = "";

	for (; prefixes != NULL && *prefixes != NULL; prefixes++)
		list = arena_printf(a, "%s %s", list, *prefixes);
	return list;
}

static void
same_as_libxml2(const char *text, const char *const *prefixes, size_t piece_bytes)
{
	struct xml_doc *doc;
	struct bytes want, got;

	ASSERT_OK(xml_parse(a, bytes_of(text), &test_limits, &doc, &err), &err);
	ASSERT_OK(xml_c14n(a, xml_root(doc), NULL, joined(prefixes), 1, &want, &err), &err);
	ASSERT_OK(push_through(a, bytes_of(text), &test_limits, prefixes, piece_bytes, false, &got,
			       &err),
		  &err);
	if (!bytes_eq(want, got))
		fail_msg("of %s\nlibxml2: %s\nours:    %.*s", text, text_of(a, want), (int)got.n,
			 (const char *)got.p);
}

/* ---- by hand ---- */

static const char *const documents[] = {
	"<a/>",
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><a> x <!-- d -->y</a><!-- e -->\n",
	"<a b='&lt;&amp;&quot;&apos;&gt;&#9;&#10;&#13; \t\n'>&lt;&amp;&quot;&gt;&#13;\t\r\n</a>",
	"<a xmlns='urn:a' xmlns:b='urn:b'><b:c xmlns='' x='1' b:y='2'><d/></b:c></a>",
	"<a xmlns:b='urn:b'><b:c/><b:c><b:d b:x='1'/></b:c></a>",
	"<a xmlns:b='urn:b'><c><b:d xmlns:b='urn:z'><b:e xmlns:b='urn:b'/></b:d></c></a>",
	"<a xmlns='urn:1'><b xmlns='urn:2'><c xmlns='urn:1'><d xmlns=''/></c></b></a>",
	"<p:a xmlns:p='urn:p' xmlns='urn:1'><b xmlns=''><c xmlns='urn:1'/></b></p:a>",
	"<a xml:lang='de' xmlns:z='urn:z' z:b='1' xmlns:y='urn:a' y:c='2' b='3'/>",
	"<a xmlns:xs='urn:xs' xmlns:q='urn:q'><b t='xs:string'/><xs:c/></a>",
	"<a>\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80</a>",
	"<a><![CDATA[x < y & z]]></a>",
	"<a xmlns:b='urn:b' xmlns:c='urn:b'><b:d c:x='1' b:y='2'/></a>",
};

static void
what_libxml2_writes(void **state UNUSED)
{
	static const char *const none[] = {NULL}, *const xs[] = {"xs", NULL};
	static const char *const all[] = {"xs", "q", "b", "#default", "p", NULL};

	for (size_t i = 0; i < ARRAY_LEN(documents); i++)
		for (size_t piece = 1; piece < 20; piece += 6) {
			same_as_libxml2(documents[i], none, piece);
			same_as_libxml2(documents[i], xs, piece);
			same_as_libxml2(documents[i], all, piece);
		}
}

/* ---- by chance ---- */

static uint64_t seed = 1;

static unsigned
below(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static const char *const uris[] = {"urn:a", "urn:b", "urn:c"};
static const char *const prefixes_used[] = {"p", "q", "r"};

static void
random_text(struct buf *b)
{
	static const char *const runs[] = {"x",    " ",        "\n",         "&amp;", "&#13;",
					   "&gt;", "\xc3\xa4", "<!-- c -->", "&lt;",  ""};

	for (unsigned n = below(4); n > 0; n--)
		buf_str(b, runs[below(ARRAY_LEN(runs))]);
}

/* Prefixes p, q, r are declared by the root; elements declare them and the default anew. */
static void
random_element(struct buf *b, unsigned depth)
{
	const char *name = below(2) ? "e" : arena_printf(a, "%s:f", prefixes_used[below(3)]);
	unsigned last = 3;

	buf_printf(b, "<%s", name);
	if (depth == 0)
		buf_str(b, " xmlns:p='urn:a' xmlns:q='urn:b' xmlns:r='urn:c'");
	else
		for (unsigned i = 0; i < 3; i++)
			if (below(4) == 0)
				buf_printf(b, " xmlns:%s='%s'", prefixes_used[i], uris[below(3)]);
	if (below(3) == 0)
		buf_printf(b, " xmlns='%s'", below(3) ? uris[below(3)] : "");
	if (below(2))
		buf_str(b, " z='1' a='&#10;'");
	if (below(3) == 0)
		buf_printf(b, " %s:k='%u'", prefixes_used[last = below(3)], below(9));
	if (below(4) == 0)
		buf_str(b, " xml:lang='de'");
	buf_str(b, ">");
	random_text(b);
	for (unsigned n = depth < 5 ? below(4) : 0; n > 0; n--) {
		random_element(b, depth + 1);
		random_text(b);
	}
	buf_printf(b, "</%s>", name);
}

static void
what_libxml2_writes_of_anything(void **state UNUSED)
{
	static const char *const lists[][4] = {{NULL},
					       {"p", NULL},
					       {"#default", NULL},
					       {"q", "none", NULL},
					       {"p", "#default", "r", NULL}};

	for (size_t i = test_size(1000, 200000); i > 0; i--) {
		struct arena *outer = a;
		const char *text;
		struct buf b;

		a = arena_create(64 << 20);
		buf_init(&b, a, 1 << 20);
		random_element(&b, 0);
		ASSERT_OK(buf_finish_str(&b, &text, &err), &err);
		same_as_libxml2(text, lists[below(ARRAY_LEN(lists))], 1 + below(300));
		arena_destroy(a);
		a = outer;
	}
}

/* ---- copies ---- */

static void
a_copy_stands_alone_and_means_the_same(void **state UNUSED)
{
	const char *text = "<g xmlns='urn:a' xmlns:xs='urn:xs' xmlns:p='urn:p'> <e xmlns:p='urn:q' "
			   "t='xs:string'>&lt;<p:f xmlns=''><h/></p:f></e> </g>";
	struct bytes copy, want, got;

	ASSERT_OK(push_through(a, bytes_of(text), &test_limits, NULL, 5, true, &copy, &err), &err);
	const struct xml_node *alone = parse_xml(a, text_of(a, copy));
	const struct xml_node *inside = xml_first(parse_xml(a, text));
	const char *ns, *name;

	ASSERT_OK(xml_c14n(a, inside, NULL, "xs", 1, &want, &err), &err);
	ASSERT_OK(xml_c14n(a, alone, NULL, "xs", 1, &got, &err), &err);
	assert_string_equal(text_of(a, want), text_of(a, got));
	ASSERT_OK(xml_qname(a, alone, xml_attr(alone, "t"), &ns, &name, &err), &err);
	assert_string_equal(ns, "urn:xs");
}

/* ---- refusals ---- */

static const struct {
	const char *text, *why;
} refused[] = {
	{"", "no XML at all"},
	{"x<a/>", "begins with something else"},
	{"<?xml version=\"1.1\"?><a/>", "another version"},
	{"<?xml version=\"1.0\" encoding=\"latin1\"?><a/>", "not one of UTF-8"},
	{"<!DOCTYPE a><a/>", "DTD or other declaration"},
	{"<a><!ENTITY x 'y'></a>", "DTD or other declaration"},
	{"<a><?php x?></a>", "processing instruction"},
	{"<a>&x;</a>", "XML refused: "},
	{"<a b='&x;'/>", "XML refused: "},
	{"<a><b></a>", "XML refused: "},
	{"<a/><b/>", "XML refused: "},
	{"<a>", "XML refused: "},
	{"<p:a/>", "XML refused: "},
	{"<a xmlns='relative'/>", "namespace name is relative"},
	{"<a xmlns='urn:a&amp;b'/>", "namespace name holds an ampersand"},
	{"<a>\xc3(</a>", "not UTF-8"},
	{"<a>\xe2\x82", "not UTF-8"},
	{"<a>\xff</a>", "not UTF-8"},
};

static void
what_xml_refuses_in_pieces_of_any_size(void **state UNUSED)
{
	struct bytes out;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		for (size_t piece = 1; piece < 9; piece += 7)
			ASSERT_REFUSED(push_through(a, bytes_of(refused[i].text), &test_limits,
						    NULL, piece, false, &out, &err),
				       &err, ERR_INPUT, refused[i].why);
	ASSERT_REFUSED(push_through(a, (struct bytes){(const unsigned char *)"<a>\0</a>", 8},
				    &test_limits, NULL, 3, false, &out, &err),
		       &err, ERR_INPUT, "not UTF-8");
	ASSERT_REFUSED(push_through(a, bytes_of("<a><!-- c --></a>"), &xml_limits_message, NULL, 3,
				    false, &out, &err),
		       &err, ERR_INPUT, "comment in XML");
	ASSERT_REFUSED(push_through(a, bytes_of("<a><![CDATA[x]]></a>"), &xml_limits_message, NULL,
				    3, false, &out, &err),
		       &err, ERR_INPUT, "CDATA section in XML");
	ASSERT_REFUSED(push_through(a, bytes_of("\xef\xbb\xbf<a/>"), &xml_limits_message, NULL, 3,
				    false, &out, &err),
		       &err, ERR_INPUT, "begins with something else");
	ASSERT_OK(push_through(a, bytes_of("\xef\xbb\xbf<a/>"), &xml_limits_metadata, NULL, 1,
			       false, &out, &err),
		  &err);
}

/* n times `from`, then n times `to`. */
static const char *
repeated(size_t n, const char *from, const char *to)
{
	const char *text;
	struct buf b;

	buf_init(&b, a, 64 << 20);
	for (size_t i = 0; i < n; i++)
		buf_str(&b, from);
	for (size_t i = 0; i < n; i++)
		buf_str(&b, to);
	ASSERT_OK(buf_finish_str(&b, &text, &err), &err);
	return text;
}

static void
caps(void **state UNUSED)
{
	struct xml_limits few = test_limits;
	struct bytes out;
	struct buf b;
	const char *text;

	few.max_nodes = 3;
	ASSERT_REFUSED(push_through(a, bytes_of("<a><b/><b/><b/></a>"), &few, NULL, 100, false,
				    &out, &err),
		       &err, ERR_INPUT, "too many elements");
	few = test_limits;
	few.max_bytes = 5;
	ASSERT_REFUSED(push_through(a, bytes_of("<abcd/>"), &few, NULL, 2, false, &out, &err), &err,
		       ERR_INPUT, "more than 5 octets");
	ASSERT_OK(push_through(a, bytes_of(repeated(64, "<a>", "</a>")), &test_limits, NULL, 100,
			       false, &out, &err),
		  &err);
	ASSERT_REFUSED(push_through(a, bytes_of(repeated(65, "<a>", "</a>")), &test_limits, NULL,
				    100, false, &out, &err),
		       &err, ERR_INPUT, "nested too deeply");
	buf_init(&b, a, 64 << 20);
	buf_str(&b, "<a");
	for (int i = 0; i < 65; i++)
		buf_printf(&b, " a%d='1'", i);
	buf_str(&b, "/>");
	ASSERT_OK(buf_finish_str(&b, &text, &err), &err);
	ASSERT_REFUSED(push_through(a, bytes_of(text), &test_limits, NULL, 100, false, &out, &err),
		       &err, ERR_INPUT, "too many attributes");
}

/* Names are kept for the length of a document: a stranger's are not kept without end. */
static void
names_without_end_are_refused(void **state UNUSED)
{
	struct xml_limits limits = {64 << 20, 64 << 20, 64, 0};
	struct bytes out;
	const char *text;
	struct buf b;

	buf_init(&b, a, 64 << 20);
	buf_str(&b, "<a>");
	for (int i = 0; i < 60000; i++)
		buf_printf(&b, "<a_name_of_some_length%d/>", i);
	buf_str(&b, "</a>");
	ASSERT_OK(buf_finish_str(&b, &text, &err), &err);
	ASSERT_REFUSED(push_through(a, bytes_of(text), &limits, NULL, 4096, false, &out, &err),
		       &err, ERR_INPUT, "XML has too many names");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_libxml2_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(what_libxml2_writes_of_anything, setup, teardown),
		cmocka_unit_test_setup_teardown(a_copy_stands_alone_and_means_the_same, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_xml_refuses_in_pieces_of_any_size, setup,
						teardown),
		cmocka_unit_test_setup_teardown(caps, setup, teardown),
		cmocka_unit_test_setup_teardown(names_without_end_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("canon", tests, NULL, NULL);
}
