/*
 * xml_parse under each of the limits, then every reader on every element.  What
 * was accepted has a canonical form, and that form parses to itself.
 */
#include <stdlib.h>
#include <string.h>

#include "saml/xml.h"

static void
read_element(struct arena *a, const struct xml_node *n)
{
	static const struct xml_row rows[] = {{"urn:a", "a", 0, 1, false},
					      {NULL, NULL, 0, 0, true}};
	static const char *const names[] = {"ID", NULL};
	const struct xml_node *c;
	const char *x, *y;
	int n_ok = 0;

	n_ok += xml_child(n, xml_ns(n), "a", &c, NULL);
	n_ok += xml_child_opt(n, "", "b", &c, NULL);
	n_ok += xml_check_children(n, rows, ARRAY_LEN(rows), NULL);
	n_ok += xml_check_attrs(n, names, false, NULL);
	n_ok += xml_need_attr(n, "ID", &x, NULL);
	n_ok += xml_xsi_type(a, n, &x, &y, NULL);
	n_ok += xml_text(a, n, &x, NULL);
	if (n_ok > 7)
		abort();
	if (xml_text_cdata(a, n, &x, NULL) && xml_qname(a, n, x, &x, &y, NULL) && strlen(y) == 0)
		abort();
	x = xml_attr(n, "ID");
	if (x != NULL && xml_find_id(xml_doc_of(n), x) != n)
		abort();
}

static void
same_again(struct arena *a, const struct xml_node *root)
{
	struct xml_limits larger = *xml_doc_limits(xml_doc_of(root));
	struct bytes once, twice;
	struct xml_doc *doc;

	if (!xml_c14n(a, root, NULL, "a #default", 0, &once, NULL))
		abort();
	larger.max_bytes = once.n;
	larger.max_nodes = larger.max_bytes; /* declarations are repeated */
	larger.max_attrs = 2 * larger.max_attrs;
	if (!xml_parse(a, once, &larger, &doc, NULL) ||
	    !xml_c14n(a, xml_root(doc), NULL, "a #default", 0, &twice, NULL) ||
	    !bytes_eq(once, twice))
		abort();
}

static void
try_limits(struct arena *a, struct bytes text, const struct xml_limits *limits)
{
	struct xml_doc *doc, *inner;

	if (!xml_parse(a, text, limits, &doc, NULL))
		return;
	for (const struct xml_node *n = xml_root(doc); n != NULL; n = xml_next_in_document(n))
		read_element(a, n);
	same_again(a, xml_root(doc));
	if (xml_parse_within(a, text, xml_root(doc), limits, &inner, NULL) &&
	    xml_parent(xml_root(inner)) != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(64 << 20);
	struct bytes text = {data, size};

	if (a == NULL || size > 65536) {
		arena_destroy(a);
		return 0;
	}
	try_limits(a, text, &xml_limits_message);
	try_limits(a, text, &xml_limits_request);
	try_limits(a, text, &xml_limits_metadata);
	arena_destroy(a);
	return 0;
}
