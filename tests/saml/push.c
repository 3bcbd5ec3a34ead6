/* See push.h. */
#include "tests/saml/push.h"

#define OUT_BYTES ((size_t)1024 * 1024)

struct through {
	struct xml_scope scope;
	struct canon canon;
	struct xml_out out;
	bool copy;
};

static const char *
on_start(void *ctx, const struct xml_push_tag *tag)
{
	struct through *t = ctx;
	const char *fault = xml_scope_enter(&t->scope, tag);

	if (fault != NULL)
		return fault;
	if (!t->copy)
		return canon_start(&t->canon, tag);
	if (tag->depth > 1)
		xml_copy_start(&t->out, &t->scope, tag, tag->depth == 2);
	return NULL;
}

static const char *
on_end(void *ctx, const char *prefix, const char *name, unsigned depth)
{
	struct through *t = ctx;

	if (!t->copy)
		canon_end(&t->canon, prefix, name, depth);
	else if (depth > 1)
		xml_copy_end(&t->out, prefix, name);
	xml_scope_leave(&t->scope);
	return NULL;
}

static const char *
on_text(void *ctx, struct bytes text)
{
	struct through *t = ctx;

	if (!t->copy)
		canon_text(&t->canon, text);
	else if (t->scope.depth > 1)
		xml_copy_text(&t->out, text);
	return NULL;
}

bool
push_through(struct arena *a, struct bytes text, const struct xml_limits *limits,
	     const char *const *prefixes, size_t piece_bytes, bool copy, struct bytes *out,
	     struct err *err)
{
	static const struct xml_push_handler handler = {on_start, on_end, on_text};
	struct through *t = ARENA_NEW(a, struct through);
	struct xml_push *x = xml_push_begin(a, limits, &handler, t);

	t->out = (struct xml_out){.p = arena_alloc(a, OUT_BYTES), .cap = OUT_BYTES};
	t->canon.scope = &t->scope;
	t->canon.out = &t->out;
	t->canon.prefixes = prefixes;
	t->copy = copy;
	while (text.n > 0) {
		size_t n = text.n < piece_bytes ? text.n : piece_bytes;

		if (!xml_push_add(x, (struct bytes){text.p, n}, err))
			return false;
		text = (struct bytes){text.p + n, text.n - n};
	}
	if (!xml_push_end(x, err))
		return false;
	if (t->out.over)
		return FAIL(err, ERR_INPUT, NULL, "more than the test holds");
	*out = (struct bytes){t->out.p, t->out.n};
	return true;
}
