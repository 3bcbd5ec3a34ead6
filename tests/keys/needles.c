/* Secrets in a haystack; see needles.h. */
#include "tests/keys/needles.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "keys/key_type.h"
#include "keys/private.h"

#define NAMES_MAX  128
#define PIECES_MAX 16384
#define NUMBER_MAX 512 /* octets of the longest RSA number */
#define SLOTS      65536

struct piece {
	unsigned char octets[NEEDLE_BYTES];
	size_t name;
	uint32_t next; /* in its slot; 0: none */
};

struct needles {
	struct arena *a;
	const char *names[NAMES_MAX];
	size_t places[NAMES_MAX];
	size_t n_names;
	struct piece pieces[PIECES_MAX]; /* from 1 */
	uint32_t n_pieces;
	uint32_t slots[SLOTS]; /* the first piece whose first four octets fall here */
};

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "needles: %s\n", what);
	abort();
}

struct needles *
needles_create(struct arena *a)
{
	struct needles *n = ARENA_NEW(a, struct needles);

	n->a = a;
	return n;
}

static uint32_t
slot_of(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return (v * 2654435761u) >> 16;
}

static void
name_add(struct needles *n, const char *name)
{
	need(n->n_names < NAMES_MAX, "too many names");
	n->names[n->n_names++] = arena_strdup(n->a, name);
}

/* A row of one octet is no secret: padding of a number, for one. */
static bool
is_plain(const unsigned char *p)
{
	for (size_t i = 1; i < NEEDLE_BYTES; i++)
		if (p[i] != p[0])
			return false;
	return true;
}

/* Every whole piece of b, for the newest name. */
static void
pieces_add(struct needles *n, struct bytes b)
{
	need(b.n >= NEEDLE_BYTES, "too short to look for");
	for (size_t at = 0; at + NEEDLE_BYTES <= b.n; at += NEEDLE_BYTES) {
		if (is_plain(b.p + at))
			continue;
		need(n->n_pieces + 1 < PIECES_MAX, "too many pieces");
		struct piece *piece = &n->pieces[++n->n_pieces];
		uint32_t *slot = &n->slots[slot_of(b.p + at)];

		memcpy(piece->octets, b.p + at, NEEDLE_BYTES);
		piece->name = n->n_names - 1;
		piece->next = *slot;
		*slot = n->n_pieces;
	}
}

static void
both_ends_add(struct needles *n, struct bytes b)
{
	unsigned char *turned = arena_alloc(n->a, b.n);

	for (size_t i = 0; i < b.n; i++)
		turned[i] = b.p[b.n - 1 - i];
	pieces_add(n, b);
	pieces_add(n, (struct bytes){turned, b.n});
}

void
needles_add_secret(struct needles *n, const char *name, struct bytes secret)
{
	name_add(n, name);
	both_ends_add(n, secret);
	pieces_add(n, bytes_of(enc_hex(n->a, secret)));
	pieces_add(n, bytes_of(enc_base64url(n->a, secret)));
}

static void
number_add(struct needles *n, const char *name, const EVP_PKEY *pkey, const char *param)
{
	unsigned char octets[NUMBER_MAX];
	BIGNUM *bn = NULL;

	need(EVP_PKEY_get_bn_param(pkey, param, &bn) == 1, param);
	/* To whole limbs, as it lies in memory; a short number has zeros before it. */
	int size = (BN_num_bytes(bn) + 7) / 8 * 8;

	need(BN_bn2binpad(bn, octets, size) == size, param);
	name_add(n, arena_printf(n->a, "%s %s", name, param));
	both_ends_add(n, (struct bytes){octets, (size_t)size});
	BN_clear_free(bn);
}

void
needles_add_key(struct needles *n, const char *name, enum key_type type, struct bytes plain)
{
	static const char *const rsa[] = {
		OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
		OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	};
	EVP_PKEY *pkey = NULL;
	struct err err = {0};

	if (type == KEY_SECRET) {
		needles_add_secret(n, name, plain);
		return;
	}
	need(private_key_parse(n->a, type, plain, &pkey, &err), err.text);
	if (!key_type_is_rsa(type))
		number_add(n, name, pkey, OSSL_PKEY_PARAM_PRIV_KEY);
	for (size_t i = 0; key_type_is_rsa(type) && i < ARRAY_LEN(rsa); i++)
		number_add(n, name, pkey, rsa[i]);
}

size_t
needles_hunt(struct needles *n, struct bytes hay)
{
	size_t found = 0;

	for (size_t at = 0; at + NEEDLE_BYTES <= hay.n; at++)
		for (uint32_t i = n->slots[slot_of(hay.p + at)]; i != 0; i = n->pieces[i].next)
			if (memcmp(n->pieces[i].octets, hay.p + at, NEEDLE_BYTES) == 0) {
				n->places[n->pieces[i].name]++;
				found++;
			}
	return found;
}

void
needles_forget(struct needles *n)
{
	memset(n->places, 0, sizeof(n->places));
}

const char *
needles_found(const struct needles *n, size_t *i, size_t *places)
{
	if (*i == n->n_names)
		return NULL;
	*places = n->places[*i];
	return n->names[(*i)++];
}
