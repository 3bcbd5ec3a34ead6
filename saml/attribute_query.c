/* Reading AttributeQueries; see attribute_query.h. */
#include "saml/attribute_query.h"

#include <string.h>

#include "saml/names.h"
#include "saml/status.h"

static bool
read_subject(struct arena *a, const struct xml_node *root, const struct xmlenc_keys *keys,
	     struct saml_attribute_query *q, struct err *err)
{
	const struct xml_node *subject;

	if (!xml_child(root, SAML_NS_ASSERTION, "Subject", &subject, err) ||
	    !saml_principal_read(a, subject, keys, &q->subject, err))
		return false;
	q->is_confirmed = xml_next(xml_first(subject)) != NULL;
	return true;
}

static bool
is_named(const struct saml_named *p, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(p[i].name, name) == 0)
			return true;
	return false;
}

static bool
read_names(struct arena *a, const struct xml_node *root, struct saml_attribute_query *q,
	   struct err *err)
{
	struct saml_named *p = ARENA_ARRAY(a, struct saml_named, SAML_QUERY_NAMES_MAX);
	size_t n = 0;

	for (const struct xml_node *c = xml_first(root); c != NULL; c = xml_next(c)) {
		const char *name;

		if (!xml_is(c, SAML_NS_ASSERTION, "Attribute"))
			continue;
		if (n == SAML_QUERY_NAMES_MAX)
			return FAIL(err, ERR_INPUT, NULL, "more than %d attributes",
				    SAML_QUERY_NAMES_MAX);
		if (!xml_need_attr(c, "Name", &name, err))
			return false;
		/* SAML2Core 3.3.2.3; by name alone, since that is what we tell them apart by. */
		if (is_named(p, n, name))
			return FAIL(err, ERR_INPUT, NULL, "an attribute is named twice");
		q->names_values = q->names_values || xml_first(c) != NULL;
		p[n++] = (struct saml_named){.name = name};
	}
	q->names = (struct saml_named_list){p, n};
	return true;
}

bool
saml_attribute_query_parse(struct arena *a, const struct saml_verified *v,
			   const struct xmlenc_keys *keys, const struct saml_attribute_query **out,
			   struct err *err)
{
	struct saml_attribute_query *q = ARENA_NEW(a, struct saml_attribute_query);
	const struct xml_node *root;

	/* second line: only requests to sign on are admitted unsigned */
	if (saml_verified_proof(v) != SAML_PROOF_SIGNED)
		return FAIL(err, ERR_DENIED, NULL, "query is not signed");
	if (!saml_header_read(a, v, SAML_ATTRIBUTE_QUERY, &q->header, &root, err) ||
	    !read_subject(a, root, keys, q, err) || !read_names(a, root, q, err))
		return false;
	q->party = saml_verified_party(v);
	*out = q;
	return true;
}

bool
saml_attribute_query_check_wish(const struct saml_attribute_query *q, struct err *err)
{
	if (q->is_confirmed)
		return FAIL(err, ERR_DENIED, SAML_REQUEST_UNSUPPORTED,
			    "the subject is to be confirmed");
	return !q->names_values ||
	       FAIL(err, ERR_DENIED, SAML_INVALID_ATTRIBUTE, "it asks for a certain value");
}
