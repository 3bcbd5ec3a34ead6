/* Computing what may be released; see release.h. */
#include "idp/release.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"

static const struct wanted *
wanted_find(struct wanted_list list, const struct attribute *at)
{
	for (size_t i = 0; i < list.n; i++)
		if (list.p[i].at == at)
			return &list.p[i];
	return NULL;
}

bool
release_wants(struct wanted_list list, const struct attribute *at)
{
	return wanted_find(list, at) != NULL;
}

static const struct held *
held_find(struct held_list list, const struct attribute *at)
{
	for (size_t i = 0; i < list.n; i++)
		if (list.p[i].at == at)
			return &list.p[i];
	return NULL;
}

static bool
already_in(const struct released *items, size_t n, const struct attribute *at)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].at == at)
			return true;
	return false;
}

void
release_compute(struct arena *a, struct wanted_list registered, struct wanted_list asked,
		struct held_list held, enum level authentication, enum level cap,
		struct release *out)
{
	struct released *items = ARENA_ARRAY(a, struct released, asked.n + 1);
	const struct attribute *missing = NULL;
	size_t n = 0;

	for (size_t i = 0; i < asked.n; i++) {
		const struct wanted *w = &asked.p[i], *r = wanted_find(registered, w->at);

		if (already_in(items, n, w->at))
			continue;
		const struct held *h = r == NULL ? NULL : held_find(held, w->at);
		bool required = w->required || (r != NULL && r->required);
		enum level level =
			h == NULL ? LEVEL_NONE : level_released(h->level, authentication, cap);

		if (level == LEVEL_NONE || (w->filled && h->verified_empty)) {
			missing = missing == NULL && required ? w->at : missing;
			continue;
		}
		items[n++] = (struct released){w->at,     h->value, h->verified_empty, level,
					       h->source, required, h->verified_at,    h->proofing};
	}
	*out = (struct release){items, n, missing};
}

void
release_consented(struct arena *a, const struct release *offer, const char *const *names,
		  size_t n_names, struct release *out)
{
	struct released *items = ARENA_ARRAY(a, struct released, offer->n + 1);
	size_t n = 0;

	for (size_t i = 0; i < offer->n; i++)
		if (offer->p[i].required || text_in(names, n_names, offer->p[i].at->name))
			items[n++] = offer->p[i];
	*out = (struct release){items, n, offer->missing};
}

static int
by_name(const void *x, const void *y)
{
	const struct released *a = x, *b = y;

	return strcmp(a->at->name, b->at->name);
}

/* Length before content, so that no two lists write the same octets. */
static void
add_part(struct buf *b, struct bytes part)
{
	buf_printf(b, "%zu:", part.n);
	buf_add(b, part);
}

const char *
release_fingerprint(struct arena *a, const struct release *offer, const char *purpose,
		    struct bytes represented)
{
	struct released *sorted = ARENA_ARRAY(a, struct released, offer->n + 1);
	unsigned char digest[SHA256_BYTES];
	struct buf b;

	if (offer->n > 0)
		memcpy(sorted, offer->p, offer->n * sizeof(*sorted));
	qsort(sorted, offer->n, sizeof(*sorted), by_name);
	buf_init(&b, a, 256 * 1024);
	for (size_t i = 0; i < offer->n; i++) {
		add_part(&b, bytes_of(sorted[i].at->name));
		add_part(&b, bytes_of(sorted[i].source));
		buf_char(&b, sorted[i].required ? 'r' : 'o');
	}
	add_part(&b, bytes_of(purpose == NULL ? "" : purpose));
	add_part(&b, represented);
	hash_sha256((struct bytes){b.p, b.n}, digest);
	return enc_hex(a, (struct bytes){digest, sizeof(digest)});
}
