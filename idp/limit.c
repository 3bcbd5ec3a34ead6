/* Connections per source; see limit.h. */
#include "idp/limit.h"

#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/rand.h"

#define PLACES 16384

struct limit {
	unsigned most;
	unsigned char key[16]; /* so that nobody can choose whom he shares a place with */
	atomic_uint count[PLACES];
};

struct limit *
limit_create(struct arena *a, unsigned most)
{
	struct limit *l = ARENA_NEW(a, struct limit);

	l->most = most;
	rand_bytes(l->key, sizeof(l->key));
	return l;
}

static size_t
place_of(const struct limit *l, const struct net_addr *addr)
{
	struct net_addr source = net_addr_source(*addr);
	struct bytes parts[] = {{l->key, sizeof(l->key)}, {source.octets, sizeof(source.octets)}};
	unsigned char digest[SHA256_BYTES];
	size_t place;

	hash_sha256_parts(parts, ARRAY_LEN(parts), digest);
	memcpy(&place, digest, sizeof(place));
	return place % PLACES;
}

bool
limit_allows(const struct limit *l, const struct net_addr *addr)
{
	return atomic_load_explicit(&l->count[place_of(l, addr)], memory_order_relaxed) < l->most;
}

void
limit_count(struct limit *l, const struct net_addr *addr, int change)
{
	atomic_fetch_add_explicit(&l->count[place_of(l, addr)], (unsigned)change,
				  memory_order_relaxed);
}
