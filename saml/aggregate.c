/*
 * An aggregate is read twice up to its signature: first for what that says and whether it holds,
 * then, knowing how to digest, from the start.  See aggregate.h.
 */
#include "saml/aggregate.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "saml/canon.h"
#include "saml/names.h"
#include "saml/value.h"
#include "saml/xml_guard.h"

#define KIB ((size_t)1024)

/* The signature ends before that, with certificates that nobody reads. */
#define HEAD_BYTES (256 * KIB)

/* What stands around entities, as one step brings it to the parser. */
#define AROUND_BYTES (256 * KIB)

/* A signature alone. */
#define SIGNATURE_BYTES (64 * KIB)

/* Given to the parser at once; what entities of so much look like at most is told in between. */
#define STEP_BYTES (4 * KIB)

/* Entities that can end within what one step brings to the parser. */
#define PENDING_MOST    512

#define DIGEST_BYTES    (64 * KIB)
#define REGISTRAR_BYTES 255
#define VALUE_BYTES     1023
#define SSO_BYTES       511
#define GROUPS_MOST     8
#define ID_BYTES        255

/* How long something counts, by itself and by what is around it. */
struct lasting {
	time_t until;    /* 0: not said */
	int64_t cache_s; /* -1: not said */
};

/* An entity that is whole, or the one that is being read. */
struct pending {
	char entity_id[SAML_ENTITY_ID_BYTES + 1];
	char registrar[REGISTRAR_BYTES + 1];
	unsigned roles;
	uint32_t marks;
	struct lasting lasting;
	size_t from, to; /* in copy.p */
	size_t around;   /* what stands before it in around.p */
	struct {
		size_t from, to; /* behind `from` above, plus one; 0: not said */
	} said[SAML_SAID_MOST];
	char sso[2][SSO_BYTES + 1];
	unsigned n_scopes;
};

struct saml_aggregate {
	struct arena *a;
	const struct saml_aggregate_options *o;
	struct xml_limits limits;
	struct xml_scope scope;
	struct saml_aggregate_info info;

	/* up to the signature */
	struct xml_push *head; /* NULL: that is done */
	unsigned char *octets; /* what the head was made of */
	size_t n_octets;
	struct xml_out signature;
	bool in_signature, has_signature;
	struct xmlsig_reference ref;
	char id[ID_BYTES + 1], name[SAML_ENTITY_ID_BYTES + 1];

	/* then */
	struct xml_push *body; /* NULL: not begun */
	struct hash_stream *digest;
	struct xml_out digested;
	struct canon canon;
	const char *prefixes[XML_MAX_PREFIXES + 1];
	unsigned skipped; /* depth of the signature while it is passed over; 0: not in it */
	bool passed;      /* it is behind us */
	struct lasting group[GROUPS_MOST];
	unsigned groups; /* EntitiesDescriptors around; one inside another is the next level */

	/* of the entity */
	struct xml_out copy;
	struct canon alone;      /* writes there */
	struct xml_out around;   /* what stands before and behind; */
	struct xml_out *aside;   /* that, or NULL: nobody wants it */
	struct pending *pending; /* n_pending whole ones, then perhaps the one being read */
	size_t n_pending;
	unsigned entity; /* its depth; 0: outside */
	bool in_extensions, in_attributes, in_value;
	uint32_t named; /* marks of the name that the attribute has */
	char value[VALUE_BYTES + 1];
	size_t n_value;

	/* What is said to people, where it is looked for: by depth. */
	struct {
		bool role, organization, extensions, role_organization, ui;
		unsigned depth; /* of what is said just now; 0: nothing is */
		size_t from;
		enum saml_said what;
	} people;
};

/* ---- what a tag says ---- */

/* The attribute's text in out[cap + 1]; "" when there is none. */
static bool
read_text(const struct xml_push_tag *tag, const char *name, char *out, size_t cap)
{
	const struct xml_push_attr *attr = xml_push_attr(tag, name);
	size_t n = attr == NULL ? 0 : attr->value.n;

	if (n > cap)
		return false;
	memcpy(out, attr == NULL ? (const unsigned char *)"" : attr->value.p, n);
	out[n] = '\0';
	return true;
}

#define SHORT_BYTES 63

/* Of the tag and of what is around it, the shorter (SAML2Metadata 2.3.1).  NULL, or a fault. */
static const char *
read_lasting(const struct xml_push_tag *tag, const struct lasting *around, struct lasting *out)
{
	char until_text[SHORT_BYTES + 1], cache_text[SHORT_BYTES + 1];
	struct lasting own = {0, -1};

	if (!read_text(tag, "validUntil", until_text, SHORT_BYTES) ||
	    (xml_push_attr(tag, "validUntil") != NULL &&
	     !clock_parse(until_text, &own.until, NULL)))
		return "validUntil is no time in UTC";
	if (!read_text(tag, "cacheDuration", cache_text, SHORT_BYTES) ||
	    (xml_push_attr(tag, "cacheDuration") != NULL &&
	     !saml_read_duration(cache_text, &own.cache_s)))
		return "cacheDuration is no duration";
	*out = own;
	if (around->until != 0 && (own.until == 0 || around->until < own.until))
		out->until = around->until;
	if (around->cache_s >= 0 && (own.cache_s < 0 || around->cache_s < own.cache_s))
		out->cache_s = around->cache_s;
	return NULL;
}

/* Among the words of a list. */
static bool
has_word(struct bytes list, const char *word)
{
	size_t from = 0;

	for (size_t i = 0; i <= list.n; i++) {
		if (i < list.n && strchr(" \t\r\n", list.p[i]) == NULL)
			continue;
		if (bytes_eq((struct bytes){list.p + from, i - from}, bytes_of(word)))
			return true;
		from = i + 1;
	}
	return false;
}

static const char *
check_root(struct saml_aggregate *g, const struct xml_push_tag *tag)
{
	if (!xml_push_is(tag, SAML_NS_METADATA, "EntitiesDescriptor"))
		return "not an EntitiesDescriptor";
	if (!read_text(tag, "ID", g->id, ID_BYTES) || g->id[0] == '\0')
		return "EntitiesDescriptor has no ID that its signature could name";
	if (!read_text(tag, "Name", g->name, SAML_ENTITY_ID_BYTES))
		return "Name is too long";
	return xml_scope_enter(&g->scope, tag);
}

/* ---- up to the signature ---- */

static const char done[] = "signature read";

static const char *
head_start(void *ctx, const struct xml_push_tag *tag)
{
	struct saml_aggregate *g = ctx;
	const char *fault;

	if (tag->depth == 1)
		return check_root(g, tag);
	if (tag->depth == 2 && !xml_push_is(tag, SAML_NS_DS, "Signature"))
		return "aggregate has no signature in its place";
	fault = xml_scope_enter(&g->scope, tag);
	xml_copy_start(&g->signature, &g->scope, tag, tag->depth == 2);
	g->in_signature = true;
	return g->signature.over ? "signature is too long" : fault;
}

static const char *
head_end(void *ctx, const char *prefix, const char *name, unsigned depth)
{
	struct saml_aggregate *g = ctx;

	if (depth == 1)
		return "aggregate has no signature";
	xml_copy_end(&g->signature, prefix, name);
	xml_scope_leave(&g->scope);
	if (g->signature.over)
		return "signature is too long";
	g->has_signature = depth == 2;
	return g->has_signature ? done : NULL;
}

static const char *
head_text(void *ctx, struct bytes text)
{
	struct saml_aggregate *g = ctx;

	if (!g->in_signature)
		return NULL;
	xml_copy_text(&g->signature, text);
	return g->signature.over ? "signature is too long" : NULL;
}

static const struct xml_push_handler head_handler = {head_start, head_end, head_text};

/* ---- an entity ---- */

static const char *
entity_start(struct saml_aggregate *g, const struct xml_push_tag *tag)
{
	struct pending *p = &g->pending[g->n_pending];
	const char *fault;

	if (g->n_pending == PENDING_MOST || g->info.n_entities == g->o->max_entities)
		return "aggregate has too many entities";
	*p = (struct pending){.from = g->copy.n, .around = g->around.n};
	g->people.depth = 0;
	canon_apart(&g->alone, &g->canon);
	if (!read_text(tag, "entityID", p->entity_id, SAML_ENTITY_ID_BYTES) ||
	    p->entity_id[0] == '\0')
		return "entityID is missing or too long";
	fault = read_lasting(tag, &g->group[g->groups - 1], &p->lasting);
	g->info.n_entities++;
	g->entity = tag->depth;
	return fault;
}

static const struct xml_push_attr *
find_lang(const struct xml_push_tag *tag)
{
	for (size_t i = 0; i < tag->n_attrs; i++)
		if (strcmp(tag->attrs[i].name, "lang") == 0 &&
		    strcmp(tag->attrs[i].ns, SAML_NS_XML) == 0)
			return &tag->attrs[i];
	return NULL;
}

/* What the element says starts when its tag is written (body_start). */
static void
begin_said(struct saml_aggregate *g, const struct xml_push_tag *tag, enum saml_said what)
{
	const struct xml_push_attr *lang = find_lang(tag);

	g->people.depth = tag->depth;
	g->people.what = what;
	if (what >= SAML_SAID_KEYWORDS || lang == NULL)
		return;
	if (bytes_eq(lang->value, bytes_of("de")))
		g->people.what = what + 1;
	else if (bytes_eq(lang->value, bytes_of("en")))
		g->people.what = what + 2;
}

/* Of each kind the first counts. */
static void
keep_said(struct pending *p, unsigned what, size_t from, size_t to)
{
	if (p->said[what].from != 0)
		return;
	p->said[what].from = from + 1;
	p->said[what].to = to + 1;
}

static void
end_said(struct saml_aggregate *g)
{
	struct pending *p = &g->pending[g->n_pending];
	size_t from = g->people.from, to = g->copy.n - p->from;
	unsigned what = g->people.what, i = what;
	unsigned most = what == SAML_SAID_KEYWORDS ? SAML_SAID_SCOPES : SAML_SAID_MOST;

	g->people.depth = 0;
	if (what >= SAML_SAID_KEYWORDS) {
		while (i < most - 1 && p->said[i].from != 0)
			i++;
		keep_said(p, i, from, to);
		return;
	}
	/* begin_said: 0 for any language, 1 and 2 for those that are asked for */
	if (what % 3 != 0)
		keep_said(p, what - 1, from, to);
	keep_said(p, what - what % 3 + 2, from, to);
}

static void
note_sso(struct pending *p, const struct xml_push_tag *tag)
{
	static const char *const bindings[] = {SAML_BINDING_URI_REDIRECT, SAML_BINDING_URI_POST};
	const struct xml_push_attr *binding = xml_push_attr(tag, "Binding");
	const struct xml_push_attr *url = xml_push_attr(tag, "Location");

	for (size_t i = 0; i < ARRAY_LEN(bindings); i++)
		if (binding != NULL && bytes_eq(binding->value, bytes_of(bindings[i])) &&
		    url != NULL && bytes_start(url->value, "https://") && p->sso[i][0] == '\0')
			(void)read_text(tag, "Location", p->sso[i], SSO_BYTES);
}

static void
note_people(struct saml_aggregate *g, const struct xml_push_tag *tag, unsigned depth)
{
	bool named = xml_push_is(tag, SAML_NS_METADATA, "OrganizationDisplayName");

	g->people.depth = 0; /* what holds elements is no text */
	switch (depth) {
	case 1:
		g->people.role = xml_push_is(tag, SAML_NS_METADATA, "IDPSSODescriptor");
		g->people.organization = xml_push_is(tag, SAML_NS_METADATA, "Organization");
		break;
	case 2:
		g->people.extensions =
			g->people.role && xml_push_is(tag, SAML_NS_METADATA, "Extensions");
		g->people.role_organization =
			g->people.role && xml_push_is(tag, SAML_NS_METADATA, "Organization");
		if (g->people.role && xml_push_is(tag, SAML_NS_METADATA, "SingleSignOnService"))
			note_sso(&g->pending[g->n_pending], tag);
		if (g->people.organization && named)
			begin_said(g, tag, SAML_SAID_ORGANIZATION);
		break;
	case 3:
		g->people.ui = g->people.extensions && xml_push_is(tag, SAML_NS_MDUI, "UIInfo");
		if (g->people.extensions && xml_push_is(tag, SAML_NS_SHIBMD, "Scope")) {
			g->pending[g->n_pending].n_scopes++;
			begin_said(g, tag, SAML_SAID_SCOPES);
		}
		if (g->people.role_organization && named)
			begin_said(g, tag, SAML_SAID_ROLE_ORGANIZATION);
		break;
	case 4:
		if (g->people.ui && xml_push_is(tag, SAML_NS_MDUI, "DisplayName"))
			begin_said(g, tag, SAML_SAID_NAME);
		else if (g->people.ui && xml_push_is(tag, SAML_NS_MDUI, "Keywords"))
			begin_said(g, tag, SAML_SAID_KEYWORDS);
		break;
	default:
		break;
	}
}

static void
note_role(struct pending *p, const struct xml_push_tag *tag)
{
	static const struct {
		const char *name;
		unsigned role;
	} roles[] = {{"IDPSSODescriptor", SAML_ROLE_IDP},
		     {"SPSSODescriptor", SAML_ROLE_SP},
		     {"AttributeAuthorityDescriptor", SAML_ROLE_ATTRIBUTE}};
	const struct xml_push_attr *speaks = xml_push_attr(tag, "protocolSupportEnumeration");

	if (speaks == NULL || !has_word(speaks->value, SAML_NS_PROTOCOL))
		return;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (xml_push_is(tag, SAML_NS_METADATA, roles[i].name))
			p->roles |= roles[i].role;
}

static void
note_name(struct saml_aggregate *g, const struct xml_push_tag *tag)
{
	const struct xml_push_attr *name = xml_push_attr(tag, "Name");

	g->named = 0;
	for (size_t i = 0; name != NULL && i < g->o->n_marks; i++)
		if (bytes_eq(name->value, bytes_of(g->o->marks[i].name)))
			g->named |= UINT32_C(1) << i;
}

/* Inside an entity: its roles, and of its extensions who registered it and what it is marked as. */
static const char *
note_tag(struct saml_aggregate *g, const struct xml_push_tag *tag)
{
	struct pending *p = &g->pending[g->n_pending];

	note_people(g, tag, tag->depth - g->entity);
	switch (tag->depth - g->entity) {
	case 1:
		g->in_extensions = xml_push_is(tag, SAML_NS_METADATA, "Extensions");
		note_role(p, tag);
		break;
	case 2:
		g->in_attributes =
			g->in_extensions && xml_push_is(tag, SAML_NS_ATTRIBUTE, "EntityAttributes");
		if (g->in_extensions && xml_push_is(tag, SAML_NS_MDRPI, "RegistrationInfo") &&
		    !read_text(tag, "registrationAuthority", p->registrar, REGISTRAR_BYTES))
			return "registrationAuthority is too long";
		break;
	case 3:
		if (g->in_attributes && xml_push_is(tag, SAML_NS_ASSERTION, "Attribute"))
			note_name(g, tag);
		else
			g->named = 0;
		break;
	case 4:
		g->in_value = g->in_attributes && g->named != 0 &&
			      xml_push_is(tag, SAML_NS_ASSERTION, "AttributeValue");
		g->n_value = 0;
		break;
	default:
		g->in_value = false; /* a value that holds elements is no text */
		break;
	}
	return NULL;
}

static struct bytes
trim(struct bytes b)
{
	while (b.n > 0 && strchr(" \t\r\n", b.p[0]) != NULL)
		b = (struct bytes){b.p + 1, b.n - 1};
	while (b.n > 0 && strchr(" \t\r\n", b.p[b.n - 1]) != NULL)
		b.n--;
	return b;
}

static void
note_value(struct saml_aggregate *g)
{
	struct bytes value = trim((struct bytes){(unsigned char *)g->value, g->n_value});

	for (size_t i = 0; i < g->o->n_marks; i++)
		if ((g->named >> i & 1) != 0 && bytes_eq(value, bytes_of(g->o->marks[i].value)))
			g->pending[g->n_pending].marks |= UINT32_C(1) << i;
	g->in_value = false;
}

/* ---- the whole ---- */

static const char *
group_start(struct saml_aggregate *g, const struct xml_push_tag *tag)
{
	static const struct lasting nothing = {0, -1};

	if (g->groups == GROUPS_MOST)
		return "aggregate has groups within groups too deeply";
	g->groups++;
	return read_lasting(tag, g->groups == 1 ? &nothing : &g->group[g->groups - 2],
			    &g->group[g->groups - 1]);
}

/* What stands directly in the root or in a group of it. */
static const char *
member_start(struct saml_aggregate *g, const struct xml_push_tag *tag)
{
	if (xml_push_is(tag, SAML_NS_METADATA, "EntitiesDescriptor"))
		return group_start(g, tag);
	if (xml_push_is(tag, SAML_NS_METADATA, "EntityDescriptor"))
		return entity_start(g, tag);
	if (tag->depth == 2 && xml_push_is(tag, SAML_NS_DS, "Signature"))
		return "aggregate has two signatures";
	return NULL;
}

static const char *
is_over(const struct saml_aggregate *g)
{
	if (g->copy.over)
		return "an entity is too long";
	return g->around.over ? "what stands around entities is too long" : NULL;
}

static const char *
body_start(void *ctx, const struct xml_push_tag *tag)
{
	struct saml_aggregate *g = ctx;
	const struct xml_push_attr *id = xml_push_attr(tag, "ID");
	const char *fault = NULL;

	if (g->skipped != 0)
		return NULL;
	/* It is the one that the head ended with. */
	if (tag->depth == 2 && !g->passed) {
		g->skipped = 2;
		if (g->aside != NULL)
			xml_out_put(g->aside, (struct bytes){g->signature.p, g->signature.n});
		return NULL;
	}
	if (tag->depth == 1)
		fault = check_root(g, tag);
	else if (id != NULL && bytes_eq(id->value, bytes_of(g->ref.id)))
		fault = "two elements have the same ID";
	else
		fault = xml_scope_enter(&g->scope, tag);
	if (fault == NULL && g->entity == 0 && tag->depth == g->groups + 1)
		fault = tag->depth == 1 ? group_start(g, tag) : member_start(g, tag);
	else if (fault == NULL && g->entity != 0)
		fault = note_tag(g, tag);
	g->digested.also = g->entity == 0 ? g->aside : NULL;
	if (fault == NULL)
		fault = g->entity == 0 ? canon_start(&g->canon, tag)
				       : canon_start_both(&g->canon, &g->alone, tag);
	if (g->people.depth == tag->depth)
		g->people.from = g->copy.n - g->pending[g->n_pending].from;
	return fault == NULL ? is_over(g) : fault;
}

static const char *
entity_end(struct saml_aggregate *g, unsigned depth)
{
	if (g->in_value && depth == g->entity + 4)
		note_value(g);
	if (depth != g->entity)
		return NULL;
	g->pending[g->n_pending].to = g->copy.n;
	g->n_pending++;
	g->entity = 0;
	return NULL;
}

static const char *
body_end(void *ctx, const char *prefix, const char *name, unsigned depth)
{
	struct saml_aggregate *g = ctx;

	if (g->skipped != 0) {
		if (depth == g->skipped) {
			g->skipped = 0;
			g->passed = true;
		}
		return NULL;
	}
	if (g->entity != 0 && g->people.depth == depth)
		end_said(g);
	g->digested.also = g->entity == 0 ? g->aside : NULL;
	canon_end(&g->canon, prefix, name, depth);
	xml_scope_leave(&g->scope);
	if (g->entity != 0) {
		canon_end(&g->alone, prefix, name, depth);
		return entity_end(g, depth);
	}
	if (depth == g->groups)
		g->groups--;
	return NULL;
}

static const char *
body_text(void *ctx, struct bytes text)
{
	struct saml_aggregate *g = ctx;

	if (g->skipped != 0)
		return NULL;
	g->digested.also = g->entity == 0 ? g->aside : &g->copy; /* escaped once, for both */
	canon_text(&g->canon, text);
	if (g->entity == 0)
		return is_over(g);
	if (g->in_value && text.n > VALUE_BYTES - g->n_value)
		g->in_value = false; /* nothing that is looked for is so long */
	if (g->in_value) {
		memcpy(g->value + g->n_value, text.p, text.n);
		g->n_value += text.n;
	}
	return is_over(g);
}

static const struct xml_push_handler body_handler = {body_start, body_end, body_text};

static void
digest_full(void *ctx, struct bytes b)
{
	struct saml_aggregate *g = ctx;

	hash_stream_add(g->digest, b);
}

/* ---- outside the parser ---- */

struct saml_aggregate *
saml_aggregate_begin(struct arena *a, const struct saml_aggregate_options *o)
{
	struct saml_aggregate *g = ARENA_NEW(a, struct saml_aggregate);

	g->a = a;
	g->o = o;
	g->limits = xml_limits_metadata;
	g->limits.max_bytes = o->max_bytes;
	g->limits.max_nodes = o->max_bytes; /* none is shorter than an octet */
	g->octets = arena_alloc(a, HEAD_BYTES);
	g->signature =
		(struct xml_out){.p = arena_alloc(a, SIGNATURE_BYTES), .cap = SIGNATURE_BYTES};
	g->head = xml_push_begin(a, &g->limits, &head_handler, g);
	return g;
}

static bool
tell_one(struct saml_aggregate *g, const struct pending *p, struct err *err)
{
	struct saml_entity e = {.entity_id = p->entity_id,
				.registrar = p->registrar,
				.roles = p->roles,
				.marks = p->marks,
				.valid_until = p->lasting.until,
				.cache_s = p->lasting.cache_s,
				.text = {g->copy.p + p->from, p->to - p->from},
				.sso = {p->sso[0], p->sso[1]},
				.n_scopes = p->n_scopes};

	for (size_t i = 0; i < SAML_SAID_MOST; i++)
		if (p->said[i].from != 0)
			e.said[i] = (struct bytes){e.text.p + p->said[i].from - 1,
						   p->said[i].to - p->said[i].from};
	return g->o->entity(g->o->ctx, &e, err);
}

/* What stands around, up to there. */
static bool
tell_around(struct saml_aggregate *g, size_t *from, size_t to, struct err *err)
{
	struct bytes octets = {g->around.p + *from, to - *from};

	*from = to;
	return octets.n == 0 || g->o->around(g->o->ctx, octets, err);
}

/* Tell of the entities that are whole; the text of one that is not moves to the front. */
static bool
tell(struct saml_aggregate *g, struct err *err)
{
	size_t from = g->copy.n, around = 0;

	for (size_t i = 0; i < g->n_pending; i++)
		if (!tell_around(g, &around, g->pending[i].around, err) ||
		    !tell_one(g, &g->pending[i], err))
			return false;
	/* Nothing of it is written while an entity is read: all is before that one. */
	if (!tell_around(g, &around, g->around.n, err))
		return false;
	g->around.n = 0;
	if (g->entity != 0)
		g->pending[g->n_pending].around = 0;
	if (g->n_pending == 0)
		return true;
	if (g->entity != 0) {
		from = g->pending[g->n_pending].from;
		g->pending[0] = g->pending[g->n_pending];
		g->pending[0].from = 0;
	}
	g->copy.n -= from;
	memmove(g->copy.p, g->copy.p + from, g->copy.n);
	g->n_pending = 0;
	return true;
}

/* In steps, so that what ends within one has room. */
static bool
feed(struct saml_aggregate *g, struct xml_push *x, struct bytes piece, struct err *err)
{
	while (piece.n > 0) {
		struct bytes step = {piece.p, piece.n < STEP_BYTES ? piece.n : STEP_BYTES};

		if (!xml_push_add(x, step, err) || !tell(g, err))
			return false;
		piece = (struct bytes){piece.p + step.n, piece.n - step.n};
	}
	return true;
}

static bool
begin_digest(struct saml_aggregate *g, struct err *err)
{
	xmlChar *prefixes[XML_MAX_PREFIXES + 1] = {NULL};

	if (g->ref.prefix_list != NULL && !xml_prefixes(g->a, g->ref.prefix_list, prefixes, err))
		return false;
	for (size_t i = 0; prefixes[i] != NULL; i++)
		g->prefixes[i] = (const char *)prefixes[i];
	g->digest = hash_stream_begin(g->a, g->ref.digest);
	g->digested = (struct xml_out){.p = arena_alloc(g->a, DIGEST_BYTES),
				       .cap = DIGEST_BYTES,
				       .full = digest_full,
				       .ctx = g};
	g->canon.scope = &g->scope;
	g->canon.out = &g->digested;
	g->canon.prefixes = g->prefixes;
	/* xsi:type says "xs:string", though few signers list the prefix; all that an
	 * undigested declaration of it can do is to make such a name one of XML Schema. */
	g->alone = (struct canon){
		.scope = &g->scope, .out = &g->copy, .prefixes = g->prefixes, .always = SAML_NS_XS};
	return true;
}

/* The signature is whole: does it hold?  Then all is read again, and digested as it says. */
static bool
begin_body(struct saml_aggregate *g, struct err *err)
{
	struct bytes text = {g->signature.p, g->signature.n};
	struct xml_doc *doc;

	if (err != NULL)
		err_clear(err); /* the parser was stopped where the signature ended */
	g->head = NULL;
	if (!xml_parse(g->a, text, &xml_limits_message, &doc, err) ||
	    !xmlsig_verify_info(g->a, xml_root(doc), g->o->keys, &g->ref, err) ||
	    !begin_digest(g, err))
		return false;
	if (strcmp(g->ref.id, g->id) != 0)
		return FAIL(err, ERR_INPUT, NULL, "Reference is not to the element itself");
	g->scope = (struct xml_scope){.n = 0};
	/* An entity may begin behind others that ended in the same step. */
	g->copy.cap = g->o->max_entity_bytes * 2;
	g->copy.p = arena_alloc(g->a, g->copy.cap);
	if (g->o->around != NULL) {
		g->around =
			(struct xml_out){.p = arena_alloc(g->a, AROUND_BYTES), .cap = AROUND_BYTES};
		g->aside = &g->around;
	}
	g->pending = ARENA_ARRAY(g->a, struct pending, PENDING_MOST + 1);
	g->body = xml_push_begin(g->a, &g->limits, &body_handler, g);
	return feed(g, g->body, (struct bytes){g->octets, g->n_octets}, err);
}

/* Pieces up to the one in which the signature ends. */
static bool
add_head(struct saml_aggregate *g, struct bytes piece, struct err *err)
{
	if (piece.n > HEAD_BYTES - g->n_octets)
		return FAIL(err, ERR_INPUT, NULL,
			    "aggregate has no signature in its first %zu octets", HEAD_BYTES);
	memcpy(g->octets + g->n_octets, piece.p, piece.n);
	g->n_octets += piece.n;
	if (xml_push_add(g->head, piece, err))
		return true;
	return g->has_signature && begin_body(g, err);
}

bool
saml_aggregate_add(struct saml_aggregate *g, struct bytes piece, struct err *err)
{
	while (g->head != NULL && piece.n > 0) {
		struct bytes step = {piece.p, piece.n < STEP_BYTES ? piece.n : STEP_BYTES};

		if (!add_head(g, step, err))
			return false;
		piece = (struct bytes){piece.p + step.n, piece.n - step.n};
	}
	return feed(g, g->body, piece, err);
}

bool
saml_aggregate_is_signed(const struct saml_aggregate *g)
{
	return g->body != NULL;
}

bool
saml_aggregate_end(struct saml_aggregate *g, struct saml_aggregate_info *out, struct err *err)
{
	struct hash_digest got;

	if (g->head != NULL && !xml_push_end(g->head, err) &&
	    !(g->has_signature && begin_body(g, err)))
		return false;
	/* second line: the end of a root without a signature is a fault */
	if (g->body == NULL)
		return FAIL(err, ERR_INPUT, NULL, "aggregate has no signature");
	if (!xml_push_end(g->body, err) || !tell(g, err))
		return false;
	hash_stream_add(g->digest, (struct bytes){g->digested.p, g->digested.n});
	hash_stream_end(g->digest, &got);
	if (!bytes_eq((struct bytes){got.octets, got.n}, g->ref.digest_value))
		return FAIL(err, ERR_DENIED, NULL, "content is not what was signed");
	g->info.valid_until = g->group[0].until;
	g->info.id = g->id;
	g->info.name = g->name;
	g->info.key = g->ref.key;
	g->info.digest = g->ref.digest_value;
	g->info.suite = g->ref.suite;
	*out = g->info;
	return true;
}
