/* saml/xml.c and xml_read.c: what is refused at the door, and what readers see. */
#include "tests/test.h"

#include <stdlib.h>

#include "saml/xml.h"

static struct arena *a;
static struct err err;

static int
setup(void **state)
{
	(void)state;
	a = arena_create(512 << 20);
	err_clear(&err);
	return a == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	arena_destroy(a);
	return 0;
}

static const struct xml_node *
parse_with(const char *text, const struct xml_limits *limits)
{
	struct xml_doc *doc;

	ASSERT_OK(xml_parse(a, bytes_of(text), limits, &doc, &err), &err);
	return xml_root(doc);
}

static const struct xml_node *
parse(const char *text)
{
	return parse_with(text, &xml_limits_message);
}

struct refusal {
	const char *text, *part;
};

static void
refuse_all(const struct refusal *rows, size_t n, const struct xml_limits *limits)
{
	for (size_t i = 0; i < n; i++) {
		struct xml_doc *doc = NULL;

		size_t len = strlen(rows[i].text);
		unsigned char *exact = malloc(len); /* the sanitizer sees a look behind its end */

		memcpy(exact, rows[i].text, len);
		bool taken = xml_parse(a, (struct bytes){exact, len}, limits, &doc, &err);

		free(exact);
		if (taken)
			fail_msg("not refused: %.200s", rows[i].text);
		if (err.kind != ERR_INPUT || strstr(err.text, rows[i].part) == NULL)
			fail_msg("%.200s: refused otherwise: %s", rows[i].text, err.text);
		err_clear(&err);
		assert_null(doc);
	}
}

static void
what_is_no_closed_xml_is_refused(void **state)
{
	static const struct refusal rows[] = {
		{"", "no XML"},
		{"<a>", "XML refused"},
		{"<a></b>", "XML refused"},
		{"<a/><b/>", "XML refused"},
		{"<a/>text", "XML refused"},
		{"text<a/>", "begins with"},
		{"<a/></a>", "XML refused"},
		{"<a b='1' b='2'/>", "XML refused"},
		{"<a b=\"<\"/>", "XML refused"},
		{"<a>&nbsp;</a>", "XML refused"},
		{"<a>&#0;</a>", "XML refused"},
		{"<a>&#xFFFE;</a>", "XML refused"},
		{"<a>\x01</a>", "XML refused"},
		{"<a>\xff</a>", "not UTF-8"},
		{"<a>\xed\xa0\x80</a>", "not UTF-8"},
		{"\xef\xbb\xbf<a/>", "begins with"},
		{"\xfe\xff<a/>", "begins with"},
		{"<a>]]></a>", "XML refused"},
	};

	(void)state;
	refuse_all(rows, ARRAY_LEN(rows), &xml_limits_message);
	static const char zero[] = "<a>\0</a>", zero_after[] = "<a/>\0<b/>";
	struct xml_doc *doc;

	ASSERT_REFUSED(xml_parse(a, (struct bytes){(const unsigned char *)zero, sizeof(zero) - 1},
				 &xml_limits_message, &doc, &err),
		       &err, ERR_INPUT, "not UTF-8");
	ASSERT_REFUSED(
		xml_parse(a,
			  (struct bytes){(const unsigned char *)zero_after, sizeof(zero_after) - 1},
			  &xml_limits_message, &doc, &err),
		&err, ERR_INPUT, "not UTF-8");
}

static void
namespace_errors_and_warnings_are_refused(void **state)
{
	/* libxml2 2.9.14 calls several of these well-formed. */
	static const struct refusal rows[] = {
		{"<p:a/>", "XML refused"},
		{"<a p:b=''/>", "XML refused"},
		{"<a xmlns:p='urn:x' xmlns:q='urn:x' p:b='1' q:b='2'/>", "XML refused"},
		{"<a xmlns:xml='urn:x'/>", "XML refused"},
		{"<a xmlns:xmlns='urn:x'/>", "XML refused"},
		{"<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", "XML refused"},
		{"<a xmlns:p=''/>", "XML refused"},
		{"<a xmlns='relative'/>", "relative"},
		{"<a xmlns:p='1'/>", "relative"},
		{"<a><b xmlns:p='//x'/></a>", "relative"},
		{"<a xmlns:p=':x'/>", "XML refused"},
		{"<a xmlns:p='urn:x?&amp;b'/>", "ampersand"},
		{"<a xmlns='urn:x?&#38;b'/>", "ampersand"},
		{"<a xmlns:p='urn:x?&amp;quot; c=&amp;quot;'/>", "XML refused"},
		{"<a xmlns:p='urn:a b'/>", "XML refused"},
		{"<a:b:c xmlns:a='urn:x'/>", "XML refused"},
		{"<a xml:id='not a name'/>", "XML refused"},
	};

	(void)state;
	refuse_all(rows, ARRAY_LEN(rows), &xml_limits_message);
}

static void
a_dtd_and_what_comes_with_it_is_refused_before_libxml2_sees_it(void **state)
{
	static const struct refusal rows[] = {
		{"<!DOCTYPE a><a/>", "DTD"},
		{"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "DTD"},
		{"<!DOCTYPE a [<!ENTITY l0 'lol'><!ENTITY l1 '&l0;&l0;&l0;&l0;&l0;&l0;&l0;'>"
		 "<!ENTITY l2 '&l1;&l1;&l1;&l1;&l1;&l1;&l1;&l1;'>]><a>&l2;</a>",
		 "DTD"},
		{"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "DTD"},
		{"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "DTD"},
		{"<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1/'> %x;]><a/>", "DTD"},
		{"<!DOCTYPE a [<!ATTLIST a ID ID #IMPLIED>]><a ID='x'/>", "DTD"},
		{"<a><!ENTITY x 'y'></a>", "DTD"},
	};

	(void)state;
	refuse_all(rows, ARRAY_LEN(rows), &xml_limits_message);
	refuse_all(rows, ARRAY_LEN(rows), &xml_limits_request);
	refuse_all(rows, ARRAY_LEN(rows), &xml_limits_metadata);
}

static void
comments_instructions_and_cdata_are_refused_in_messages(void **state)
{
	static const struct refusal rows[] = {
		{"<!-- c --><a/>", "comment"},
		{"<a>admin@x<!---->.evil</a>", "comment"},
		{"<a/><!-- c -->", "comment"},
		{"<a><?pi?></a>", "processing instruction"},
		{"<a>admin@x<?x?>.evil</a>", "processing instruction"},
		{"<?pi?><a/>", "processing instruction"},
		{"<a/><?pi?>", "processing instruction"},
		{"<a><![CDATA[x]]></a>", "CDATA"},
	};
	static const struct refusal in_files[] = {
		{"<a><?pi?></a>", "processing instruction"},
		{"<?xml-stylesheet href='x'?><a/>", "version"},
		{"<a><![CDATA[x]]></a>", "CDATA"},
	};

	(void)state;
	refuse_all(rows, ARRAY_LEN(rows), &xml_limits_message);
	refuse_all(rows, 7, &xml_limits_request);
	refuse_all(in_files, ARRAY_LEN(in_files), &xml_limits_metadata);
}

static void
only_a_utf8_declaration_of_version_1_0_passes(void **state)
{
	static const struct refusal rows[] = {
		{"<?xml version='1.1'?><a/>", "version"},
		{"<?xml?><a/>", "version"},
		{"<?xmlversion='1.0'?><a/>", "version"},
		{"<?xml version=1.0?><a/>", "version"},
		{"<?xml version=x1.0x?><a/>", "version"},
		{"<?xml versiom='1.0'?><a/>", "version"},
		{"<?xml version='1.0\"?><a/>", "version"},
		{"<?xml version", "version"},
		{"<?xml version '1.0'?><a/>", "version"},
		{"<?xml version=", "version"},
		{"<?xml version='1.0", "version"},
		{"<?xml version='1.0' encoding='UTF-7'?><a/>", "UTF-8"},
		{"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "UTF-8"},
		{"<?xml version='1.0'encoding='UTF-8'?><a/>", "UTF-8"},
		{"<?xml version='1.0' standalone='perhaps'?><a/>", "UTF-8"},
		{"<?xml version='1.0' encoding='UTF-8'", "UTF-8"},
		{"<?xml version='1.0'?><?xml version='1.0' encoding='UTF-7'?><a/>", "instruction"},
		{" <?xml version='1.0'?><a/>", "instruction"},
	};

	(void)state;
	refuse_all(rows, ARRAY_LEN(rows), &xml_limits_message);
	parse("<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\" ?>\n<a/>\n");
	parse("<?xml version='1.0'?><a/>");
	parse(" <a/> ");
	parse_with("\xef\xbb\xbf<?xml version='1.0'?><!-- c --><a/>", &xml_limits_metadata);
}

static char *
repeat(const char *before, const char *what, int n, const char *after)
{
	size_t len = strlen(what);
	char *s = arena_alloc(a, strlen(before) + len * (size_t)n + strlen(after) + 1);
	char *p = s + strlen(before);

	memcpy(s, before, strlen(before));
	for (int i = 0; i < n; i++, p += len)
		memcpy(p, what, len);
	memcpy(p, after, strlen(after));
	return s;
}

static void
size_depth_and_counts_have_ends(void **state)
{
	struct xml_limits small = {100, 10, 3, 0};
	struct refusal rows[] = {
		{repeat("<a>", "x", 94, "</a>"), "octets, at most 100"},
		{"<a><b c=''/><b c=''/><b c=''/><b c=''/><b c=''/></a>", "too many elements"},
		{"<a b='' c='' d='' e=''/>", "too many attributes"},
		{"<a b='' c='' d='' xmlns='urn:x'/>", "too many attributes"},
		{"<a b='>' c=\">\" d='\"' e=''/>", "too many attributes"},
		{"<a></a ><a b='' c='' d='' e=''", "too many attributes"},
	};

	(void)state;
	refuse_all(rows, ARRAY_LEN(rows), &small);
	parse_with("<a b='' c='' xmlns='urn:x'><b/><b/><b/><b/><b/><b/></a>", &small);
	parse_with("<a b='\"\"' c=\"''\" d='='>'' \"\" '' ''</a>", &small);
	parse(repeat(repeat("", "<a>", XML_MAX_DEPTH, ""), "</a>", XML_MAX_DEPTH, ""));
	struct refusal deep[] = {
		{repeat(repeat("", "<a>", XML_MAX_DEPTH + 1, ""), "</a>", XML_MAX_DEPTH + 1, ""),
		 "too deeply"},
		{repeat("", "<a>", 80000, ""), "too deeply"},
		{repeat("<a xmlns='urn:", "x", XML_MAX_NS_BYTES, "'/>"), "namespace name"},
	};
	refuse_all(deep, ARRAY_LEN(deep), &xml_limits_message);
	parse(repeat("<a xmlns='urn:", "x", XML_MAX_NS_BYTES - 4, "'/>"));
}

/* Nested elements, each with n declarations. */
static char *
nest(int levels, int n)
{
	char *start = arena_strdup(a, "<a"), *text = arena_strdup(a, "");

	for (int i = 0; i < n; i++)
		start = arena_printf(a, "%s xmlns:p%d='urn:x'", start, i);
	for (int i = 0; i < levels; i++)
		text = arena_printf(a, "%s>%s</a>", start, text);
	return text;
}

static void
declarations_in_scope_have_an_end(void **state UNUSED)
{
	const struct refusal rows[] = {
		{nest(43, 3), "declarations in scope"},
		{nest(3, 43), "declarations in scope"},
	};

	refuse_all(rows, ARRAY_LEN(rows), &xml_limits_message);
	parse(nest(42, 3));
	parse(nest(64, 2));
	/* Beside each other they do not add up. */
	parse(arena_printf(a, "<a>%s%s%s</a>", nest(20, 6), nest(20, 6), nest(20, 6)));
}

static void
ids_are_unique_and_only_the_attribute_named_so(void **state)
{
	static const struct refusal rows[] = {
		{"<a ID='x'><b ID='x'/></a>", "same ID"},
		{"<a ID='x'><b ID='y'/><b ID='z'/><c><d ID='y'/></c></a>", "same ID"},
		{"<a ID=''/>", "not an xs:ID"},
		{"<a ID='1'/>", "not an xs:ID"},
		{"<a ID='a:b'/>", "not an xs:ID"},
		{"<a ID='xpointer(/)'/>", "not an xs:ID"},
	};
	const struct xml_node *n;

	(void)state;
	refuse_all(rows, ARRAY_LEN(rows), &xml_limits_message);
	n = parse("<a ID='m' xmlns:p='urn:x'><b ID='z'/><c ID='b'><d ID='a'/></c>"
		  "<e xml:id='i1' id='i2' Id='i3' p:ID='i4'/></a>");
	const struct xml_doc *doc = xml_doc_of(n);

	assert_ptr_equal(xml_find_id(doc, "m"), n);
	assert_string_equal(xml_name(xml_find_id(doc, "z")), "b");
	assert_string_equal(xml_name(xml_find_id(doc, "b")), "c");
	assert_string_equal(xml_name(xml_find_id(doc, "a")), "d");
	assert_null(xml_find_id(doc, "i1"));
	assert_null(xml_find_id(doc, "i2"));
	assert_null(xml_find_id(doc, "i3"));
	assert_null(xml_find_id(doc, "i4"));
	assert_null(xml_find_id(xml_doc_of(parse("<a/>")), "a"));
}

static void
readers_walk_by_namespace_and_name(void **state)
{
	const struct xml_node *n = parse("<r xmlns='urn:a' xmlns:b='urn:b'> <b:x/>\n<x/><y "
					 "xmlns=''/>t</r>");
	const struct xml_node *c;

	(void)state;
	assert_true(xml_is(n, "urn:a", "r"));
	assert_false(xml_is(n, "urn:b", "r"));
	assert_null(xml_parent(n));
	assert_null(xml_next(n));
	c = xml_first(n);
	assert_true(xml_is(c, "urn:b", "x"));
	assert_ptr_equal(xml_parent(c), n);
	c = xml_next(c);
	assert_true(xml_is(c, "urn:a", "x"));
	c = xml_next(c);
	assert_true(xml_is(c, "", "y"));
	assert_string_equal(xml_ns(c), "");
	assert_null(xml_next(c));
	assert_null(xml_first(c));
	const char *seen = "";

	for (n = parse("<a>x<b><c/>y</b><d/><e><f><g/></f></e> </a>"); n != NULL;
	     n = xml_next_in_document(n))
		seen = arena_printf(a, "%s%s", seen, xml_name(n));
	assert_string_equal(seen, "abcdefg");
}

static void
a_child_is_there_once_or_refused(void **state)
{
	const struct xml_node *n = parse("<r xmlns='urn:a'><x/><x xmlns='urn:b'/><y/><y/></r>");
	const struct xml_node *c;

	(void)state;
	ASSERT_OK(xml_child(n, "urn:a", "x", &c, &err), &err);
	assert_string_equal(xml_ns(c), "urn:a");
	ASSERT_OK(xml_child_opt(n, "urn:b", "x", &c, &err), &err);
	assert_string_equal(xml_ns(c), "urn:b");
	ASSERT_OK(xml_child_opt(n, "urn:c", "x", &c, &err), &err);
	assert_null(c);
	ASSERT_REFUSED(xml_child(n, "urn:c", "x", &c, &err), &err, ERR_INPUT, "has no <x>");
	ASSERT_REFUSED(xml_child(n, "urn:a", "y", &c, &err), &err, ERR_INPUT, "second <y>");
	ASSERT_REFUSED(xml_child_opt(n, "urn:a", "y", &c, &err), &err, ERR_INPUT, "second <y>");
}

static void
the_sequence_of_children_is_checked(void **state)
{
	static const struct xml_row rows[] = {
		{"urn:a", "one", 1, 1, false}, {"urn:a", "some", 0, 2, false},
		{"urn:a", "x", 1, 0, false},   {"urn:b", "y", 0, 0, true},
		{NULL, NULL, 0, 1, false},
	};
	static const struct {
		const char *inside, *part;
	} cases[] = {
		{"<one/><x/>", NULL},
		{" <one/> <some/><some/> <x/><b:y/><x/> <b:z/>\n", NULL},
		{"<one/><b:y/>", NULL},
		{"", "lacks <one>"},
		{"<x/>", "lacks <one>"},
		{"<one/>", "lacks <x>"},
		{"<one/><one/><x/>", "lacks <x>"},
		{"<some/><one/><x/>", "lacks <one>"},
		{"<one/><some/><some/><some/><x/>", "lacks <x>"},
		{"<one/><x/><x/><z/>", "unexpected <z>"},
		{"<one/><x/><b:z/><b:z/>", "unexpected <z>"},
		{"<one/><x/><b:z/><x/>", "unexpected <x>"},
		{"<b:one/><x/>", "lacks <one>"},
		{"<one/>text<x/>", "text beside"},
		{"<one/><![CDATA[ ]]><x/>", "text beside"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct xml_node *n = parse_with(
			arena_printf(a, "<r xmlns='urn:a' xmlns:b='urn:b'>%s</r>", cases[i].inside),
			&xml_limits_request);

		if (cases[i].part == NULL)
			ASSERT_OK(xml_check_children(n, rows, ARRAY_LEN(rows), &err), &err);
		else
			ASSERT_REFUSED(xml_check_children(n, rows, ARRAY_LEN(rows), &err), &err,
				       ERR_INPUT, cases[i].part);
	}
	static const struct xml_row other[] = {{NULL, NULL, 1, 1, false}};

	ASSERT_REFUSED(xml_check_children(parse("<a/>"), other, 1, &err), &err, ERR_INPUT,
		       "lacks <any other>");
	ASSERT_OK(xml_check_children(parse_with("<a><!-- c --></a>", &xml_limits_metadata), NULL, 0,
				     &err),
		  &err);
}

static const struct xml_node *
element_with(const char *attrs)
{
	return parse(arena_printf(a,
				  "<r xmlns:p='urn:p' "
				  "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' %s/>",
				  attrs));
}

static void
unexpected_attributes_are_found(void **state)
{
	static const char *const names[] = {"a", "b", NULL};

	(void)state;
	ASSERT_OK(xml_check_attrs(element_with(""), names, false, &err), &err);
	ASSERT_OK(xml_check_attrs(element_with("a='' b='' xsi:type='x' xml:lang='de'"), names,
				  false, &err),
		  &err);
	ASSERT_OK(xml_check_attrs(element_with("p:c=''"), names, true, &err), &err);
	ASSERT_REFUSED(xml_check_attrs(element_with("p:a=''"), names, false, &err), &err, ERR_INPUT,
		       "unexpected attribute a");
	ASSERT_REFUSED(xml_check_attrs(element_with("a='' c=''"), names, true, &err), &err,
		       ERR_INPUT, "unexpected attribute c");
}

static void
attributes_are_read_decoded(void **state)
{
	const struct xml_node *n = parse("<r a='1&amp;2&#38;3&lt;&#xe4;' b='' p:a='other' "
					 "xmlns:p='urn:p' c=' x\ny '/>");
	const char *v;

	(void)state;
	assert_string_equal(xml_attr(n, "a"), "1&2&3<\xc3\xa4");
	assert_string_equal(xml_attr(n, "b"), "");
	assert_string_equal(xml_attr(n, "c"), " x y ");
	assert_string_equal(xml_attr_ns(n, "urn:p", "a"), "other");
	assert_null(xml_attr(n, "d"));
	assert_null(xml_attr(n, "xmlns"));
	assert_null(xml_attr_ns(n, "urn:q", "a"));
	ASSERT_OK(xml_need_attr(n, "b", &v, &err), &err);
	ASSERT_REFUSED(xml_need_attr(n, "d", &v, &err), &err, ERR_INPUT, "no attribute d");
}

static void
text_is_whole_or_refused(void **state)
{
	const char *t;

	(void)state;
	ASSERT_OK(xml_text(a, parse("<r> a&amp;b&#x20;c\r\n</r>"), &t, &err), &err);
	assert_string_equal(t, " a&b c\n");
	ASSERT_OK(xml_text(a, parse("<r/>"), &t, &err), &err);
	assert_string_equal(t, "");
	ASSERT_REFUSED(xml_text(a, parse("<r>a<b/>c</r>"), &t, &err), &err, ERR_INPUT,
		       "beside text");
	ASSERT_REFUSED(
		xml_text(a, parse_with("<r>admin<!---->.evil</r>", &xml_limits_metadata), &t, &err),
		&err, ERR_INPUT, "beside text");

	const struct xml_node *n = parse_with("<r> <![CDATA[a<b]]>&amp;c</r>", &xml_limits_request);

	ASSERT_REFUSED(xml_text(a, n, &t, &err), &err, ERR_INPUT, "beside text");
	ASSERT_OK(xml_text_cdata(a, n, &t, &err), &err);
	assert_string_equal(t, " a<b&c");
}

static void
qnames_resolve_in_scope(void **state)
{
	const struct xml_node *n =
		parse("<r xmlns='urn:d' xmlns:p='urn:p' xmlns:xsi='http://www.w3.org/2001/"
		      "XMLSchema-instance'><v xmlns:p='urn:inner' xsi:type=' p:T '><w "
		      "xmlns=''/></v></r>");
	const struct xml_node *v = xml_first(n), *w = xml_first(v);
	const char *ns, *name;

	(void)state;
	ASSERT_OK(xml_xsi_type(a, v, &ns, &name, &err), &err);
	assert_string_equal(ns, "urn:inner");
	assert_string_equal(name, "T");
	ASSERT_OK(xml_qname(a, n, "p:T", &ns, &name, &err), &err);
	assert_string_equal(ns, "urn:p");
	ASSERT_OK(xml_qname(a, v, "T", &ns, &name, &err), &err);
	assert_string_equal(ns, "urn:d");
	ASSERT_OK(xml_qname(a, w, "T", &ns, &name, &err), &err);
	assert_string_equal(ns, "");
	ASSERT_OK(xml_qname(a, parse("<r/>"), "T", &ns, &name, &err), &err);
	assert_string_equal(ns, "");
	ASSERT_OK(xml_xsi_type(a, n, &ns, &name, &err), &err);
	assert_null(ns);
	assert_null(name);
	ASSERT_REFUSED(xml_qname(a, n, "q:T", &ns, &name, &err), &err, ERR_INPUT, "undeclared");
	ASSERT_REFUSED(xml_xsi_type(a,
				    parse("<r xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"
					  " xsi:type='q:T'/>"),
				    &ns, &name, &err),
		       &err, ERR_INPUT, "undeclared");
	static const char *const broken[] = {"", ":", "p:", ":T", "p:q:T", "p: T", "a b", "1"};

	for (size_t i = 0; i < ARRAY_LEN(broken); i++)
		ASSERT_REFUSED(xml_qname(a, n, broken[i], &ns, &name, &err), &err, ERR_INPUT,
			       "not a QName");
}

static void
assert_c14n(const struct xml_node *n, const struct xml_node *skip, const char *list,
	    const char *want)
{
	struct bytes got;

	ASSERT_OK(xml_c14n(a, n, skip, list, 0, &got, &err), &err);
	assert_string_equal(arena_strndup(a, (const char *)got.p, got.n), want);
}

static void
the_canonical_form_is_exclusive(void **state)
{
	const struct xml_node *n =
		parse_with("<r xmlns:p='urn:p' xmlns:q='urn:q' xmlns='urn:d'><!-- c -->"
			   "<p:x b='2' a='1&#10;' q:c=''>t&gt;<y/></p:x><z/></r>",
			   &xml_limits_metadata);
	const struct xml_node *x = xml_first(n), *z = xml_next(x);
	struct bytes got;

	(void)state;
	assert_c14n(n, NULL, NULL,
		    "<r xmlns=\"urn:d\"><p:x xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" a=\"1&#xA;\" "
		    "b=\"2\" q:c=\"\">t&gt;<y></y></p:x><z></z></r>");
	assert_c14n(x, NULL, NULL,
		    "<p:x xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" a=\"1&#xA;\" b=\"2\" "
		    "q:c=\"\">t&gt;<y xmlns=\"urn:d\"></y></p:x>");
	assert_c14n(n, x, NULL, "<r xmlns=\"urn:d\"><z></z></r>");
	assert_c14n(n, x, " q\np ",
		    "<r xmlns=\"urn:d\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\"><z></z></r>");
	assert_c14n(z, NULL, "q unknown", "<z xmlns=\"urn:d\" xmlns:q=\"urn:q\"></z>");
	assert_c14n(x, xml_first(x), "#default",
		    "<p:x xmlns=\"urn:d\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" a=\"1&#xA;\" "
		    "b=\"2\" q:c=\"\">t&gt;</p:x>");
	ASSERT_OK(xml_c14n(a, z, NULL, NULL, 21, &got, &err), &err);
	assert_int_equal(got.n, 21);
	ASSERT_REFUSED(xml_c14n(a, z, NULL, NULL, 22, &got, &err), &err, ERR_INPUT, "too short");
	ASSERT_REFUSED(xml_c14n(a, z, z, NULL, 0, &got, &err), &err, ERR_INPUT, "too short");
	ASSERT_REFUSED(xml_c14n(a, z, NULL, "a b c d e f g h i j k l m n o p q", 0, &got, &err),
		       &err, ERR_INPUT, "PrefixList");
}

static void
octets_can_be_parsed_as_if_inside_an_element(void **state)
{
	const struct xml_node *n =
		parse("<r xmlns='urn:d' xmlns:p='urn:p' ID='i'><v xmlns:p='urn:i' "
		      "xmlns:q='urn:q'><w xmlns=''/></v></r>");
	const struct xml_node *w = xml_first(xml_first(n));
	struct xml_doc *doc;

	(void)state;
	ASSERT_OK(xml_parse_within(a, bytes_of("<p:x ID='i'><y/></p:x>"), w, &xml_limits_message,
				   &doc, &err),
		  &err);
	assert_true(xml_is(xml_root(doc), "urn:i", "x"));
	assert_null(xml_parent(xml_root(doc)));
	assert_null(xml_next(xml_root(doc)));
	assert_string_equal(xml_ns(xml_first(xml_root(doc))), "");
	assert_ptr_equal(xml_find_id(doc, "i"), xml_root(doc));
	assert_c14n(xml_root(doc), NULL, NULL, "<p:x xmlns:p=\"urn:i\" ID=\"i\"><y></y></p:x>");
	ASSERT_OK(xml_parse_within(a, bytes_of("<y/>"), n, &xml_limits_message, &doc, &err), &err);
	assert_string_equal(xml_ns(xml_root(doc)), "urn:d");

	ASSERT_REFUSED(
		xml_parse_within(a, bytes_of("<![CDATA[]]>"), n, &xml_limits_request, &doc, &err),
		&err, ERR_INPUT, "not one element");
	static const struct refusal rows[] = {
		{"", "no XML"},
		{" ", "not one element"},
		{"text", "not one element"},
		{"<x/> ", "not one element"},
		{" <x/>", "not one element"},
		{"<x/><y/>", "not one element"},
		{"<z:x/>", "XML refused"},
		{"</context><context>", "XML refused"},
		{"<x/></context><x/>", "XML refused"},
		{"<x ID='1'/>", "not an xs:ID"},
		{"<?xml version='1.0'?><x/>", "instruction"},
		{"<!--c--><x/>", "comment"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_REFUSED(xml_parse_within(a, bytes_of(rows[i].text), n, &xml_limits_message,
						&doc, &err),
			       &err, ERR_INPUT, rows[i].part);
}

static struct arena *tight;
static bool tight_done;

static void
work_in_a_tight_arena(void *arg)
{
	struct xml_doc *doc;
	struct bytes text;

	(void)arg;
	if (xml_parse(tight, bytes_of("<a ID='x'><b ID='y'>t</b></a>"), &xml_limits_message, &doc,
		      NULL) &&
	    xml_c14n(tight, xml_root(doc), NULL, "p", 0, &text, NULL) &&
	    xml_parse_within(tight, text, xml_root(doc), &xml_limits_message, &doc, NULL))
		tight_done = true;
}

static void
a_full_arena_leaves_nothing_behind(void **state)
{
	size_t cap = 0;

	(void)state;
	/* Each allocation in turn leaves by arena_run's exit; the sanitizer finds what leaks. */
	for (tight_done = false; !tight_done && cap < 1 << 20; cap += 16) {
		tight = arena_create(cap);
		assert_non_null(tight);
		if (arena_run(tight, work_in_a_tight_arena, NULL))
			assert_true(tight_done);
		arena_destroy(tight);
	}
	assert_true(tight_done);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_is_no_closed_xml_is_refused),
		T(namespace_errors_and_warnings_are_refused),
		T(a_dtd_and_what_comes_with_it_is_refused_before_libxml2_sees_it),
		T(comments_instructions_and_cdata_are_refused_in_messages),
		T(only_a_utf8_declaration_of_version_1_0_passes),
		T(size_depth_and_counts_have_ends),
		T(declarations_in_scope_have_an_end),
		T(ids_are_unique_and_only_the_attribute_named_so),
		T(readers_walk_by_namespace_and_name),
		T(a_child_is_there_once_or_refused),
		T(the_sequence_of_children_is_checked),
		T(unexpected_attributes_are_found),
		T(attributes_are_read_decoded),
		T(text_is_whole_or_refused),
		T(qnames_resolve_in_scope),
		T(the_canonical_form_is_exclusive),
		T(octets_can_be_parsed_as_if_inside_an_element),
		T(a_full_arena_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
