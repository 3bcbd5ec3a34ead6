/* Addresses and networks; see net.h. */
#include "idp/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool
same(const unsigned char *a, const unsigned char *b, size_t n)
{
	return bytes_eq((struct bytes){a, n}, (struct bytes){b, n});
}

static bool
is_v4(const struct net_addr *addr)
{
	return same(addr->octets, mapped, sizeof(mapped));
}

bool
net_addr_parse(const char *text, struct net_addr *out)
{
	struct net_addr addr;

	memcpy(addr.octets, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, addr.octets + 12) != 1 &&
	    inet_pton(AF_INET6, text, addr.octets) != 1)
		return false;
	*out = addr;
	return true;
}

bool
net_addr_of(const struct sockaddr *sa, struct net_addr *out)
{
	if (sa != NULL && sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		memcpy(out->octets, mapped, sizeof(mapped));
		memcpy(out->octets + 12, &in.sin_addr, 4);
		return true;
	}
	if (sa != NULL && sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		memcpy(out->octets, &in6.sin6_addr, 16);
		return true;
	}
	return false;
}

void
net_addr_text(const struct sockaddr *sa, char out[NET_TEXT_BYTES])
{
	struct net_addr addr;
	bool known = net_addr_of(sa, &addr);

	snprintf(out, NET_TEXT_BYTES, "unix");
	if (known && is_v4(&addr))
		inet_ntop(AF_INET, addr.octets + 12, out, NET_TEXT_BYTES);
	else if (known)
		inet_ntop(AF_INET6, addr.octets, out, NET_TEXT_BYTES);
}

struct net_addr
net_addr_source(struct net_addr addr)
{
	if (!is_v4(&addr))
		memset(addr.octets + 8, 0, 8);
	return addr;
}

static bool
parse_net(struct arena *a, const char *word, struct net *out, struct err *err)
{
	const char *slash = strchr(word, '/');
	size_t n = slash == NULL ? strlen(word) : (size_t)(slash - word);
	uint64_t bits = 0;

	if (!net_addr_parse(arena_strndup(a, word, n), &out->addr))
		return FAIL(err, ERR_INPUT, NULL, "'%s' is not an address", word);
	unsigned most = is_v4(&out->addr) ? 32 : 128;

	if (slash != NULL && !text_to_u64(slash + 1, most, &bits))
		return FAIL(err, ERR_INPUT, NULL, "'%s': prefix of 0 to %u bits expected", word,
			    most);
	out->bits = slash == NULL ? 128 : (unsigned)bits + (128 - most);
	return true;
}

bool
net_list_parse(struct arena *a, const char *text, struct net_list *out, struct err *err)
{
	const char **words;
	size_t n;
	struct net_list list = {0};

	if (!text_words(a, text, 64, &words, &n, err))
		return false;
	struct net *nets = ARENA_ARRAY(a, struct net, n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], "unix") == 0)
			list.local = true;
		else if (!parse_net(a, words[i], &nets[list.n++], err))
			return false;
	}
	list.nets = nets;
	*out = list;
	return true;
}

static bool
net_has(const struct net *net, const struct net_addr *addr)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (!same(net->addr.octets, addr->octets, whole))
		return false;
	return rest == 0 || ((net->addr.octets[whole] ^ addr->octets[whole]) >> (8 - rest)) == 0;
}

bool
net_list_has(const struct net_list *list, const struct net_addr *addr)
{
	for (size_t i = 0; i < list->n; i++)
		if (net_has(&list->nets[i], addr))
			return true;
	return false;
}

bool
net_list_has_text(const struct net_list *list, const char *text)
{
	struct net_addr addr;

	if (strcmp(text, "unix") == 0)
		return list->local;
	return net_addr_parse(text, &addr) && net_list_has(list, &addr);
}
