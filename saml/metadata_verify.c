/* Metadata that somebody signed as a whole; see metadata.h. */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "saml/aggregate.h"
#include "saml/metadata.h"
#include "saml/names.h"

/* Of a party that is read whole later; a group around it is short. */
#define ENTITY_BYTES ((size_t)1024 * 1024)
#define GROUP_BYTES  256
#define ENTITIES     100000

struct wanted {
	struct arena *a;
	const char *entity_id; /* NULL: the only one */
	struct bytes found;    /* n 0: not found */
};

/* It alone, in a group that lasts as long as it does where it stands. */
static bool
keep(struct wanted *w, const struct saml_entity *e, struct err *err)
{
	struct buf b;

	buf_init(&b, w->a, e->text.n + GROUP_BYTES);
	buf_str(&b, "<md:EntitiesDescriptor xmlns:md=\"" SAML_NS_METADATA "\"");
	if (e->valid_until != 0)
		buf_printf(&b, " validUntil=\"%s\"", clock_text(w->a, e->valid_until));
	if (e->cache_s >= 0)
		buf_printf(&b, " cacheDuration=\"PT%jdS\"", (intmax_t)e->cache_s);
	buf_str(&b, ">");
	buf_add(&b, e->text);
	buf_str(&b, "</md:EntitiesDescriptor>");
	return buf_finish(&b, &w->found, err);
}

static bool
look(void *ctx, const struct saml_entity *e, struct err *err)
{
	struct wanted *w = ctx;

	if (w->entity_id != NULL && strcmp(e->entity_id, w->entity_id) != 0)
		return true;
	if (w->found.n > 0)
		return FAIL(err, ERR_INPUT, NULL,
			    w->entity_id != NULL ? "metadata names the entity twice"
						 : "metadata of several entities: name one");
	return keep(w, e, err);
}

static bool
verify_in_aggregate(struct arena *a, struct bytes text, const char *entity_id,
		    struct saml_keys keys, struct bytes *out, struct err *err)
{
	struct wanted w = {.a = a, .entity_id = entity_id};
	const struct saml_aggregate_options o = {.keys = keys,
						 .max_bytes = text.n,
						 .max_entities = ENTITIES,
						 .max_entity_bytes = ENTITY_BYTES,
						 .entity = look,
						 .ctx = &w};
	struct saml_aggregate *g = saml_aggregate_begin(a, &o);
	struct saml_aggregate_info info;

	if (!saml_aggregate_add(g, text, err) || !saml_aggregate_end(g, &info, err))
		return false;
	if (w.found.n == 0)
		return FAIL(err, ERR_NOT_FOUND, NULL, "metadata holds no such entity");
	*out = w.found;
	return true;
}

bool
saml_metadata_verify(struct arena *a, struct bytes text, const char *entity_id,
		     struct saml_keys keys, struct bytes *out, struct err *err)
{
	struct saml_signed *s;
	struct xml_doc *doc;

	if (saml_is_aggregate(a, text))
		return verify_in_aggregate(a, text, entity_id, keys, out, err);
	if (!xml_parse(a, text, &xml_limits_metadata, &doc, err) ||
	    !xmlsig_verify(a, xml_root(doc), keys, &s, err))
		return false;
	*out = saml_signed_bytes(s);
	return true;
}
