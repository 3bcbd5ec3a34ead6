/*
 * XML read in pieces beside XML read whole: what one takes the other takes, but for equal IDs,
 * and both write the same canonical form.  Then the same octets as the rest of an aggregate whose
 * signature holds: they are not what was signed.
 */
#include <stdlib.h>
#include <string.h>

#include "saml/aggregate.h"
#include "tests/saml/fixture.h"
#include "tests/saml/push.h"

static void
compare(struct arena *a, struct bytes text, size_t piece_bytes)
{
	static const char *const prefixes[] = {"a", "#default", NULL};
	struct bytes whole, pieces;
	struct err err = {0};
	struct xml_doc *doc;
	bool same_ids;

	if (!push_through(a, text, &xml_limits_metadata, prefixes, piece_bytes, false, &pieces,
			  &err)) {
		if (xml_parse(a, text, &xml_limits_metadata, &doc, NULL) &&
		    strstr(err.text, "more than the test holds") == NULL &&
		    strstr(err.text, "changes its namespaces too often") == NULL &&
		    strstr(err.text, "too many names") == NULL)
			abort();
		return;
	}
	if (!xml_parse(a, text, &xml_limits_metadata, &doc, &err)) {
		same_ids = strstr(err.text, "same ID") != NULL ||
			   strstr(err.text, "is not an xs:ID") != NULL;
		if (!same_ids)
			abort();
		return;
	}
	if (!xml_c14n(a, xml_root(doc), NULL, "a #default", 0, &whole, NULL) ||
	    !bytes_eq(whole, pieces))
		abort();
}

/* What is told is a document, whatever is said of it at the end. */
static bool
tell(void *ctx, const struct saml_entity *e, struct err *err)
{
	struct xml_doc *doc;

	if (!xml_parse(ctx, e->text, &xml_limits_metadata, &doc, err) &&
	    strstr(err->text, "same ID") == NULL && strstr(err->text, "xs:ID") == NULL)
		abort();
	return true;
}

/* The start of an aggregate up to its signature, which holds, of a content that nobody guesses. */
static const char *
signed_head(struct arena *a)
{
	static char *head;
	struct fixture f = fixture_request();
	char *text;

	if (head != NULL)
		return head;
	f.id = "_fed";
	f.text = "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" "
		 "ID=\"_fed\">" FIXTURE_PLACE
		 "<md:Extensions>7b1f2e0d</md:Extensions></md:EntitiesDescriptor>";
	text = fixture_sign(a, &f);
	*strstr(text, "<md:Extensions>") = '\0';
	head = strdup(text);
	return head;
}

static void
as_aggregate(struct arena *a, struct bytes text, size_t piece_bytes)
{
	struct saml_aggregate_options o = {.keys = fixture_keys(),
					   .max_bytes = 1 << 20,
					   .max_entities = 100,
					   .max_entity_bytes = 65536,
					   .entity = tell,
					   .ctx = a};
	struct saml_aggregate *g = saml_aggregate_begin(a, &o);
	struct saml_aggregate_info info;
	struct err err = {0};

	if (!saml_aggregate_add(g, bytes_of(signed_head(a)), &err))
		abort();
	while (text.n > 0) {
		size_t n = text.n < piece_bytes ? text.n : piece_bytes;

		if (!saml_aggregate_add(g, (struct bytes){text.p, n}, &err))
			return;
		text = (struct bytes){text.p + n, text.n - n};
	}
	if (saml_aggregate_end(g, &info, &err))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(256 << 20);

	if (a == NULL || size < 2 || size > 65536) {
		arena_destroy(a);
		return 0;
	}
	compare(a, (struct bytes){data + 1, size - 1}, 1 + data[0]);
	as_aggregate(a, (struct bytes){data + 1, size - 1}, 1 + data[0]);
	arena_destroy(a);
	return 0;
}
