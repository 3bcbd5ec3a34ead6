/* Internet addresses as text, and lists of networks: who is a proxy of ours. */
#ifndef KONTOR_IDP_NET_H
#define KONTOR_IDP_NET_H

#include <sys/socket.h>

#include "base/arena.h"
#include "base/err.h"

/* IPv6, or IPv4 mapped into it (::ffff:a.b.c.d), so that there is one form of each. */
struct net_addr {
	unsigned char octets[16];
};

struct net {
	struct net_addr addr;
	unsigned bits; /* of the mapped form: 128 for a single address */
};

/* Zero: empty. `local` says that the other end of a Unix socket belongs to it. */
struct net_list {
	const struct net *nets;
	size_t n;
	bool local;
};

#define NET_TEXT_BYTES 48

MUST_USE bool net_addr_parse(const char *text, struct net_addr *out);

/* The address of a socket's other end as text: "192.0.2.1", "2001:db8::1", "unix". */
void net_addr_text(const struct sockaddr *sa, char out[NET_TEXT_BYTES]);

/* False: not an Internet address (a Unix socket). */
MUST_USE bool net_addr_of(const struct sockaddr *sa, struct net_addr *out);

/* The part of an address that one subscriber controls: all of IPv4, the /64 of IPv6. */
struct net_addr net_addr_source(struct net_addr addr);

/* Words separated by spaces: "unix", "192.0.2.1", "10.0.0.0/8", "2001:db8::/32". */
MUST_USE bool net_list_parse(struct arena *a, const char *text, struct net_list *out,
			     struct err *err);

bool net_list_has(const struct net_list *list, const struct net_addr *addr);

/* The same for what net_addr_text wrote. */
bool net_list_has_text(const struct net_list *list, const char *text);

#endif
