/* What is asked of a text without reading an aggregate; see aggregate.h. */
#include "saml/aggregate.h"

#include <string.h>

#include "base/text.h"
#include "saml/names.h"
#include "saml/xml_push.h"

static const char stopped[] = "root read";

static const char *
root_start(void *ctx, const struct xml_push_tag *tag)
{
	*(bool *)ctx = xml_push_is(tag, SAML_NS_METADATA, "EntitiesDescriptor");
	return stopped;
}

static const char *
root_end(void *ctx UNUSED, const char *prefix UNUSED, const char *name UNUSED,
	 unsigned depth UNUSED)
{
	return stopped;
}

static const char *
root_text(void *ctx UNUSED, struct bytes text UNUSED)
{
	return NULL;
}

bool
saml_is_aggregate(struct arena *a, struct bytes text)
{
	static const struct xml_push_handler handler = {root_start, root_end, root_text};
	bool is = false;
	struct xml_push *x = xml_push_begin(a, &xml_limits_metadata, &handler, &is);

	/* It is stopped at the first tag, in one of them; what is no XML is no aggregate. */
	return (xml_push_add(x, text, NULL) && xml_push_end(x, NULL)) || is;
}

const char *
saml_said_text(struct arena *a, struct bytes said)
{
	static const struct {
		const char *as;
		size_t n;
		char is;
	} references[] = {{"&amp;", 5, '&'}, {"&lt;", 4, '<'}, {"&gt;", 4, '>'}, {"&#xD;", 5, ' '}};
	char *out = arena_alloc(a, said.n + 1);
	size_t n = 0, step;

	for (size_t i = 0; i < said.n; i += step) {
		out[n] = (char)said.p[i];
		step = 1;
		for (size_t k = 0; said.p[i] == '&' && k < ARRAY_LEN(references); k++)
			if (bytes_start((struct bytes){said.p + i, said.n - i}, references[k].as)) {
				out[n] = references[k].is;
				step = references[k].n;
			}
		n++;
	}
	out[n] = '\0';
	return text_trim(a, out);
}
