/*
 * How many connections one source may hold: an IPv4 address, an IPv6 /64.  The
 * table has a fixed size; sources that share a place share a count, which can
 * only refuse earlier, never later.
 */
#ifndef KONTOR_IDP_LIMIT_H
#define KONTOR_IDP_LIMIT_H

#include "idp/net.h"

struct limit;

/* most: connections per source.  In `a`; any thread may use it. */
struct limit *limit_create(struct arena *a, unsigned most) __attribute__((returns_nonnull));

/* May this source open one more? */
bool limit_allows(const struct limit *l, const struct net_addr *addr);

/* A connection of the source was opened (+1) or closed (-1). */
void limit_count(struct limit *l, const struct net_addr *addr, int change);

#endif
