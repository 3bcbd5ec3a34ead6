/*
 * The public view of our keys; see keyring.h.  Everything about a state is a row
 * of a table here: where it leads, where it is shown.
 */
#include "keys/keyring.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/hash.h"
#include "keys/cert.h"
#include "keys/seal.h"

#define KEYS_MAX 1024 /* rows; a thousand rotations are a sign of a fault */
#define KID_MAX  64

struct keyring {
	const struct key *keys; /* as peers are to see them: active, published, retired, rest */
	size_t n;
};

struct name_row {
	int number;
	const char *name;
};

static const struct name_row purposes[] = {
	{KEY_SAML_SIGN, "saml-sign"},
	{KEY_OIDC_SIGN, "oidc-sign"},
	{KEY_FEDERATION_SIGN, "federation-sign"},
	{KEY_DECRYPT, "decrypt"},
	{KEY_SEAL, "seal"},
	{KEY_PSEUDONYM, "pseudonym"},
	{KEY_PEPPER, "pepper"},
	{KEY_LOOKUP, "lookup"},
	{KEY_COOKIE, "cookie"},
	{KEY_AUDIT, "audit"},
	{0, NULL},
};

static const struct name_row states[] = {
	{KEY_PLANNED, "planned"}, {KEY_PUBLISHED, "published"}, {KEY_ACTIVE, "active"},
	{KEY_RETIRED, "retired"}, {KEY_GONE, "gone"},           {0, NULL},
};

static const struct name_row places[] = {
	{KEY_SEALED, "sealed"},
	{KEY_HSM, "hsm"},
	{0, NULL},
};

static const char *
name_of(const struct name_row *rows, int number)
{
	for (; rows->name != NULL; rows++)
		if (rows->number == number)
			return rows->name;
	return NULL;
}

static int
number_of(const struct name_row *rows, const char *name)
{
	for (; rows->name != NULL; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows->number;
	return 0;
}

const char *
key_purpose_name(enum key_purpose purpose)
{
	return name_of(purposes, (int)purpose);
}

const char *
key_state_name(enum key_state state)
{
	return name_of(states, (int)state);
}

const char *
key_place_name(enum key_place place)
{
	return name_of(places, (int)place);
}

bool
key_purpose_from_name(const char *name, enum key_purpose *out)
{
	int n = number_of(purposes, name);

	if (n != 0)
		*out = (enum key_purpose)n;
	return n != 0;
}

bool
key_state_from_name(const char *name, enum key_state *out)
{
	int n = number_of(states, name);

	if (n != 0)
		*out = (enum key_state)n;
	return n != 0;
}

bool
key_purpose_takes(enum key_purpose purpose, enum key_type type)
{
	const struct key_type_row *row = key_type_row(type);

	if (key_purpose_name(purpose) == NULL || row == NULL)
		return false;
	switch (purpose) {
	case KEY_SAML_SIGN:
	case KEY_DECRYPT:
		return row->saml;
	case KEY_OIDC_SIGN:
	case KEY_FEDERATION_SIGN:
		return row->jose;
	default:
		return type == KEY_SECRET;
	}
}

bool
key_has_cert(enum key_purpose purpose, enum key_type type)
{
	const struct key_type_row *row = key_type_row(type);

	return row != NULL && row->saml &&
	       (purpose == KEY_SAML_SIGN || purpose == KEY_DECRYPT ||
		purpose == KEY_FEDERATION_SIGN);
}

bool
key_kid_is_valid(const char *kid)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_";
	size_t n = strlen(kid);

	return n >= 1 && n <= KID_MAX && strspn(kid, allowed) == n;
}

uint32_t
keyring_sealed_under(struct bytes sealed)
{
	uint32_t generation = 0;

	return seal_key_id(sealed, &generation) ? generation : 0;
}

/* What peers see first: the lower, the earlier; 0: never shown. */
static int
shown_rank(const struct key *k)
{
	switch (k->row.state) {
	case KEY_ACTIVE:
		return 1;
	case KEY_PUBLISHED:
		return 2;
	case KEY_RETIRED:
		return k->row.purpose == KEY_DECRYPT ? 0 : 3;
	case KEY_PLANNED:
	case KEY_GONE:
		break;
	}
	return 0;
}

static bool
cert_fill(struct arena *a, struct key *k, struct err *err)
{
	struct cert cert;

	if (k->row.cert.n == 0)
		return true;
	if (!cert_parse(a, k->row.cert, &cert, err))
		return false;
	if (EVP_PKEY_eq(cert.pub, k->pub) != 1)
		return FAIL(err, ERR_INPUT, NULL, "key %s: certificate is for another key",
			    k->row.kid);
	memcpy(k->cert_sha256, cert.sha256, sizeof(k->cert_sha256));
	k->cert_not_after = cert.not_after;
	return true;
}

static bool
key_fill(struct arena *a, const struct key_row *row, struct key *k, struct err *err)
{
	if (!key_kid_is_valid(row->kid))
		return FAIL(err, ERR_INPUT, NULL, "a key's kid is malformed");
	if (!key_purpose_takes(row->purpose, row->type) || key_state_name(row->state) == NULL)
		return FAIL(err, ERR_INPUT, NULL, "key %s: purpose, type or state is unknown",
			    row->kid);
	if (key_place_name(row->place) == NULL ||
	    (row->place == KEY_HSM && row->type == KEY_SECRET))
		return FAIL(err, ERR_INPUT, NULL, "key %s: lies where it cannot", row->kid);
	k->row = *row;
	k->row.kid = arena_strdup(a, row->kid);
	k->row.spki = arena_bytes(a, row->spki);
	k->row.cert = arena_bytes(a, row->cert);
	k->row.sealed = arena_bytes(a, row->sealed);
	if (row->type == KEY_SECRET) {
		if (row->spki.n + row->cert.n > 0)
			return FAIL(err, ERR_INPUT, NULL, "key %s: a secret has no public half",
				    row->kid);
		return true;
	}
	hash_sha256(k->row.spki, k->spki_sha256);
	if (!cert_spki_parse(a, k->row.spki, &k->pub, err))
		return false;
	if (!key_type_fits(row->type, k->pub))
		return FAIL(err, ERR_INPUT, NULL, "key %s: public key is of another type",
			    row->kid);
	return cert_fill(a, k, err);
}

/* Does the earlier-or-equal key x come before y among those shown? */
static bool
goes_before(const struct key *x, const struct key *y)
{
	int rx = shown_rank(x), ry = shown_rank(y);

	if (rx != ry)
		return rx != 0 && (ry == 0 || rx < ry);
	if (x->row.created != y->row.created)
		return x->row.created > y->row.created;
	return strcmp(x->row.kid, y->row.kid) < 0;
}

/* Put k at its place among the n keys before it. */
static void
insert(struct key *keys, size_t n, const struct key *k)
{
	while (n > 0 && goes_before(k, &keys[n - 1])) {
		keys[n] = keys[n - 1];
		n--;
	}
	keys[n] = *k;
}

bool
keyring_create(struct arena *a, const struct key_row *rows, size_t n, const struct keyring **out,
	       struct err *err)
{
	struct keyring *kr = ARENA_NEW(a, struct keyring);

	if (n > KEYS_MAX)
		return FAIL(err, ERR_INPUT, NULL, "%zu keys are too many", n);
	struct key *keys = ARENA_ARRAY(a, struct key, n);

	kr->keys = keys;
	for (size_t i = 0; i < n; i++) {
		struct key k = {0};

		if (!key_fill(a, &rows[i], &k, err))
			return false;
		if (keyring_find(kr, k.row.kid) != NULL)
			return FAIL(err, ERR_CONFLICT, NULL, "key %s occurs twice", k.row.kid);
		if (k.row.state == KEY_ACTIVE &&
		    keyring_active(kr, k.row.purpose, k.row.type) != NULL)
			return FAIL(err, ERR_CONFLICT, NULL, "key %s is the second active %s %s",
				    k.row.kid, key_purpose_name(k.row.purpose),
				    key_type_name(k.row.type));
		insert(keys, kr->n++, &k);
	}
	*out = kr;
	return true;
}

const struct key *
keyring_active(const struct keyring *kr, enum key_purpose purpose, enum key_type type)
{
	for (size_t i = 0; i < kr->n; i++) {
		const struct key_row *row = &kr->keys[i].row;

		if (row->state == KEY_ACTIVE && row->purpose == purpose && row->type == type)
			return &kr->keys[i];
	}
	return NULL;
}

const struct key *
keyring_find(const struct keyring *kr, const char *kid)
{
	for (size_t i = 0; i < kr->n; i++)
		if (strcmp(kr->keys[i].row.kid, kid) == 0)
			return &kr->keys[i];
	return NULL;
}

const struct key *
keyring_each(const struct keyring *kr, size_t *i)
{
	return *i < kr->n ? &kr->keys[(*i)++] : NULL;
}

const struct key *
keyring_shown(const struct keyring *kr, enum key_purpose purpose, size_t *i)
{
	for (const struct key *k; (k = keyring_each(kr, i)) != NULL;)
		if (k->row.purpose == purpose && k->row.type != KEY_SECRET && shown_rank(k) != 0)
			return k;
	return NULL;
}

/* Every move there is.  A key that peers have seen cannot become unseen, only retire. */
static const struct move_row {
	enum key_state from, to;
	bool secret_only;
} moves[] = {
	{KEY_PLANNED, KEY_PUBLISHED, false},
	{KEY_PLANNED, KEY_ACTIVE, true}, /* nobody sees a secret: publishing means nothing */
	{KEY_PLANNED, KEY_GONE, false},
	{KEY_PUBLISHED, KEY_ACTIVE, false},
	{KEY_PUBLISHED, KEY_RETIRED, false},
	{KEY_ACTIVE, KEY_RETIRED, false},
	{KEY_RETIRED, KEY_GONE, false},
};

static bool
move_exists(enum key_state from, enum key_state to, enum key_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(moves); i++)
		if (moves[i].from == from && moves[i].to == to &&
		    (!moves[i].secret_only || type == KEY_SECRET))
			return true;
	return false;
}

bool
keyring_move_check(const struct keyring *kr, const char *kid, enum key_state to,
		   int64_t min_published_s, time_t now, struct key_move *out, struct err *err)
{
	const struct key *k = keyring_find(kr, kid), *active;
	struct key_move move = {0};

	if (k == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no key has this kid");
	if (key_state_name(to) == NULL || !move_exists(k->row.state, to, k->row.type))
		return FAIL(err, ERR_DENIED, NULL, "key %s: no move from %s to %s", kid,
			    key_state_name(k->row.state),
			    key_state_name(to) != NULL ? key_state_name(to) : "an unknown state");
	/* state_since of a published key is when peers began to see it. */
	active = to == KEY_ACTIVE ? keyring_active(kr, k->row.purpose, k->row.type) : NULL;
	if (active != NULL) {
		move.retired_kid = active->row.kid;
		move.emergency =
			k->row.type != KEY_SECRET && now - k->row.state_since < min_published_s;
	}
	*out = move;
	return true;
}
