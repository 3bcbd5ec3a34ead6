/* saml/xmlw.c: what is written is its own canonical form, or not written. */
#include "tests/test.h"

#include "saml/xmlw.h"
#include "tests/saml/support.h"

static struct arena *a;
static struct err err;
static struct xmlw w;

static int
setup(void **state UNUSED)
{
	a = arena_create(4 << 20);
	err_clear(&err);
	xmlw_init(&w, a, 1 << 16);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

/* The text so far, once it was found to be canonical (with this PrefixList). */
static const char *
finish_with(const char *prefix_list)
{
	struct bytes text, again;

	ASSERT_OK(xmlw_finish(&w, &text, &err), &err);
	ASSERT_OK(xml_c14n(a, parse_xml(a, text_of(a, text)), NULL, prefix_list, 0, &again, &err),
		  &err);
	assert_string_equal(text_of(a, text), text_of(a, again));
	return text_of(a, text);
}

static void
prefixes_are_declared_where_first_used_and_sorted(void **state UNUSED)
{
	xmlw_open(&w, &xmlns_samlp, "Response");
	xmlw_attr(&w, NULL, "Version", "2.0");
	xmlw_attr(&w, NULL, "ID", "_1");
	xmlw_element(&w, &xmlns_saml, "Issuer", "x");
	xmlw_open(&w, &xmlns_saml, "Assertion");
	xmlw_attr(&w, &xmlns_xsi, "type", "saml:T");
	xmlw_attr(&w, &xmlns_xml, "lang", "de");
	xmlw_attr(&w, &xmlns_ds, "a", "1");
	xmlw_attr(&w, NULL, "z", "2");
	xmlw_attr(&w, NULL, "b", NULL);
	xmlw_open(&w, &xmlns_saml, "Subject");
	xmlw_attr(&w, &xmlns_xsi, "nil", "true");
	xmlw_close(&w);
	xmlw_element(&w, &xmlns_ds, "X", NULL);
	xmlw_close(&w);
	xmlw_close(&w);
	assert_string_equal(
		finish_with(NULL),
		"<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_1\" "
		"Version=\"2.0\">"
		"<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">x</saml:Issuer>"
		"<saml:Assertion xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" "
		"xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" "
		"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" z=\"2\" "
		"ds:a=\"1\" xsi:type=\"saml:T\" xml:lang=\"de\"><saml:Subject "
		"xsi:nil=\"true\"></saml:Subject>"
		"<ds:X></ds:X></saml:Assertion></samlp:Response>");
}

static void
values_are_escaped_and_come_back(void **state UNUSED)
{
	static const char *const values[] = {
		"",
		"\"><saml:Attribute Name='x'>",
		"a\tb\nc\rd",
		"&amp; &lt; ]]> <![CDATA[ <!-- -->",
		"Zo\xc3\xab \xe1\xba\x9e \xf0\x9f\x94\x91",
		" leading and trailing ",
		"\xef\xbf\xbd",
	};

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		const char *got;

		xmlw_init(&w, a, 1 << 16);
		xmlw_open(&w, &xmlns_saml, "A");
		xmlw_attr(&w, NULL, "v", values[i]);
		xmlw_text(&w, values[i]);
		xmlw_close(&w);
		const struct xml_node *n = parse_xml(a, finish_with(NULL));

		assert_string_equal(xml_attr(n, "v"), values[i]);
		ASSERT_OK(xml_text(a, n, &got, &err), &err);
		assert_string_equal(got, values[i]);
	}
}

static void
a_prefix_for_values_is_declared_on_request(void **state UNUSED)
{
	xmlw_open(&w, &xmlns_saml, "A");
	for (int i = 0; i < 2; i++) {
		xmlw_open(&w, &xmlns_saml, "V");
		xmlw_declare(&w, &xmlns_xs);
		xmlw_attr(&w, &xmlns_xsi, "type", "xs:string");
		xmlw_text(&w, "x");
		xmlw_close(&w);
	}
	xmlw_close(&w);
	assert_non_null(strstr(finish_with("xs"), "<saml:V xmlns:xs=\"http://www.w3.org/2001/"
						  "XMLSchema\" xmlns:xsi="));
}

static void
a_finished_element_is_put_in_as_it_is(void **state UNUSED)
{
	struct bytes inner;
	struct xmlw in;

	xmlw_init(&in, a, 1 << 16);
	xmlw_element(&in, &xmlns_saml, "Assertion", "x");
	ASSERT_OK(xmlw_finish(&in, &inner, &err), &err);
	xmlw_open(&w, &xmlns_samlp, "Response");
	xmlw_element(&w, &xmlns_saml, "Issuer", "x");
	assert_int_equal(xmlw_place(&w), w.buf.n);
	xmlw_canonical(&w, &xmlns_saml, inner);
	xmlw_close(&w);
	assert_non_null(strstr(finish_with(NULL), text_of(a, inner)));
}

static void
what_is_declared_already_is_not_declared_again(void **state UNUSED)
{
	struct bytes inner;
	struct xmlw in;

	xmlw_init(&in, a, 1 << 16);
	xmlw_open(&in, &xmlns_samlp, "Response");
	xmlw_attr(&in, NULL, "ID", "_1");
	xmlw_element(&in, &xmlns_saml, "Issuer", "x");
	xmlw_close(&in);
	ASSERT_OK(xmlw_finish(&in, &inner, &err), &err);
	xmlw_open(&w, &xmlns_samlp, "ArtifactResponse");
	xmlw_element(&w, &xmlns_saml, "Issuer", "x");
	xmlw_canonical(&w, &xmlns_samlp, inner);
	xmlw_close(&w);
	assert_non_null(strstr(finish_with(NULL), "<samlp:Response ID=\"_1\"><saml:Issuer xmlns:"));
}

static void
octets_become_base64(void **state UNUSED)
{
	xmlw_open(&w, &xmlns_ds, "X");
	xmlw_base64(&w, bytes_of("any carnal pleas"));
	xmlw_close(&w);
	assert_non_null(strstr(finish_with(NULL), ">YW55IGNhcm5hbCBwbGVhcw==<"));
}

static void
refuse(const char *part)
{
	struct bytes text;

	ASSERT_REFUSED(xmlw_finish(&w, &text, &err), &err, ERR_INTERNAL, part);
	xmlw_init(&w, a, 1 << 16);
}

static void
characters_that_xml_has_not_are_refused(void **state UNUSED)
{
	static const char *const values[] = {"\x01",         "a\x0b", "\x1f",        "\xef\xbf\xbe",
					     "\xef\xbf\xbf", "\xff",  "\xed\xa0\x80"};

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		xmlw_element(&w, &xmlns_saml, "A", values[i]);
		refuse("text is not XML");
		xmlw_open(&w, &xmlns_saml, "A");
		xmlw_attr(&w, NULL, "a", values[i]);
		xmlw_close(&w);
		refuse("value is not XML");
	}
}

static void
misuse_is_refused(void **state UNUSED)
{
	refuse("not finished");
	xmlw_open(&w, &xmlns_saml, "A");
	refuse("not finished");
	xmlw_open(&w, &xmlns_saml, "A");
	xmlw_text(&w, "x");
	refuse("not finished");
	xmlw_text(&w, "x");
	xmlw_close(&w);
	refuse("outside the root"); /* what was wrong first */
	xmlw_close(&w);
	refuse("closed more");
	xmlw_text(&w, "x");
	refuse("outside the root");
	xmlw_element(&w, &xmlns_saml, "A", NULL);
	xmlw_element(&w, &xmlns_saml, "A", NULL);
	refuse("second root");
	xmlw_attr(&w, NULL, "a", "x");
	refuse("without a start tag");
	xmlw_declare(&w, &xmlns_xs);
	refuse("without a start tag");
	xmlw_open(&w, &xmlns_saml, "A");
	xmlw_text(&w, "x");
	xmlw_attr(&w, NULL, "a", "x");
	xmlw_close(&w);
	refuse("without a start tag");
	xmlw_open(&w, &xmlns_saml, "A");
	xmlw_attr(&w, NULL, "a", "x");
	xmlw_attr(&w, NULL, "b", "x");
	xmlw_attr(&w, NULL, "a", "y");
	xmlw_close(&w);
	refuse("attribute twice");
	xmlw_open(&w, &xmlns_saml, "A");
	xmlw_canonical(&w, &xmlns_saml, bytes_of("<saml:B xmlns:saml=\"urn:x\"></saml:B>"));
	xmlw_close(&w);
	refuse("does not declare its prefix");
	xmlw_open(&w, &xmlns_saml, "A");
	xmlw_canonical(&w, &xmlns_saml, bytes_of("<saml:B></saml:B>"));
	xmlw_close(&w);
	refuse("does not declare its prefix");
	for (int i = 0; i <= XMLW_MAX_DEPTH; i++)
		xmlw_open(&w, &xmlns_saml, "A");
	refuse("too deeply");
	xmlw_open(&w, &xmlns_saml, "A");
	for (int i = 0; i <= XMLW_MAX_ATTRS; i++)
		xmlw_attr(&w, NULL, arena_printf(a, "a%d", i), "x");
	refuse("one too many");
	xmlw_open(&w, &xmlns_saml, "A");
	for (int i = 0; i <= XMLW_MAX_ATTRS; i++)
		xmlw_declare(&w, &xmlns_xs);
	refuse("one too many");
	for (int d = 0; d < 4; d++) {
		xmlw_open(&w, &xmlns_saml, "A");
		for (int i = 0; i < XMLW_MAX_ATTRS; i++) {
			struct xmlns *ns = ARENA_NEW(a, struct xmlns);

			*ns = (struct xmlns){arena_printf(a, "p%d-%d", d, i), "urn:x"};
			xmlw_declare(&w, ns);
		}
	}
	xmlw_text(&w, "x");
	refuse("too many prefixes");
	xmlw_init(&w, a, 64);
	xmlw_element(&w, &xmlns_saml, "A", "longer than sixty-four octets with its start tag");
	refuse("");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(prefixes_are_declared_where_first_used_and_sorted),
		T(values_are_escaped_and_come_back),
		T(a_prefix_for_values_is_declared_on_request),
		T(a_finished_element_is_put_in_as_it_is),
		T(what_is_declared_already_is_not_declared_again),
		T(octets_become_base64),
		T(characters_that_xml_has_not_are_refused),
		T(misuse_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
