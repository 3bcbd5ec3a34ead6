/*
 * The operations of the signer, a row of the table at the end each.  Every
 * function reads its fields, has them end where the message ends, and only then
 * acts; what it may touch follows from the key's purpose, never from the caller.
 */
#include "keys/signer_core.h"

#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "keys/cert.h"
#include "keys/cert_build.h"
#include "keys/keyring.h"
#include "keys/shape.h"
#include "keys/sign.h"

#define KEY_ARENA_BYTES ((size_t)256 * 1024)
#define KID_HEX_BYTES   8                     /* random or digest octets in the name of a new key */
#define TIME_MAX        INT64_C(253402300799) /* 9999-12-31: the last that X.509 can say */

static struct signer_key *
key_find(struct signer_core *c, const char *kid)
{
	for (size_t i = 0; i < c->n_keys; i++)
		if (strcmp(c->keys[i]->key.kid, kid) == 0)
			return c->keys[i];
	return NULL;
}

/* The loaded key of this purpose; one text, whether it is not there or for something else. */
static bool
key_use(struct signer_op *o, const char *kid, enum key_purpose purpose, struct signer_key **out,
	struct err *err)
{
	struct signer_key *k = key_find(o->core, kid);

	if (k == NULL || k->key.purpose != purpose)
		return FAIL(err, ERR_DENIED, NULL, "no such key for this purpose");
	atomic_fetch_add_explicit(&k->uses, 1, memory_order_relaxed);
	*out = k;
	return true;
}

static struct bytes
row_aad(struct signer_op *o, enum key_purpose purpose, enum key_type type, const char *kid)
{
	return signer_row_aad(o->a, o->core->instance, purpose, type, kid);
}

/* The lane's newest master cipher, or the one an envelope names; NULL when it is unknown. */
static struct seal *
master_newest(struct signer_op *o)
{
	return &o->lane->masters[o->core->n_masters - 1];
}

static struct seal *
master_find(struct signer_op *o, struct bytes sealed)
{
	uint32_t generation;

	if (!seal_key_id(sealed, &generation))
		return NULL;
	for (size_t i = 0; i < o->core->n_masters; i++)
		if (o->lane->masters[i].id == generation)
			return &o->lane->masters[i];
	return NULL;
}

static bool
row_open(struct signer_op *o, enum key_purpose purpose, enum key_type type, const char *kid,
	 struct bytes sealed, struct bytes *plain, struct err *err)
{
	struct seal *master = master_find(o, sealed);

	if (master == NULL)
		return FAIL(err, ERR_INPUT, NULL, "sealed value does not open");
	return seal_read(master, o->a, row_aad(o, purpose, type, kid), sealed, plain, err);
}

/* Ciphers of one lane for the masters and epochs. */
static bool
lane_take_secrets(struct signer_core *c, struct signer_lane *lane, const struct masterfile *mf,
		  struct err *err)
{
	for (size_t i = 0; i < mf->n_masters; i++)
		if (!seal_init(c->a, &c->crypto, mf->masters[i].generation, mf->masters[i].key,
			       &lane->masters[i], err))
			return false;
	for (size_t i = 0; i < mf->n_epochs; i++)
		if (!seal_init(c->a, &c->crypto, mf->epochs[i].id, mf->epochs[i].key,
			       &lane->epochs[i], err))
			return false;
	return true;
}

static void
key_octets(struct wire_reader *in, unsigned char out[MASTERFILE_KEY_BYTES])
{
	struct bytes key = wire_bytes(in, MASTERFILE_KEY_BYTES, MASTERFILE_KEY_BYTES);

	if (!in->bad)
		memcpy(out, key.p, key.n);
}

/* Both lists come ascending, as masterfile holds them. */
static void
secrets_decode(struct wire_reader *in, struct masterfile *mf)
{
	mf->n_masters = wire_u8(in);
	in->bad |= mf->n_masters < 1 || mf->n_masters > MASTERFILE_MASTERS_MAX;
	for (size_t i = 0; !in->bad && i < mf->n_masters; i++) {
		mf->masters[i].generation = wire_u32(in);
		key_octets(in, mf->masters[i].key);
		in->bad |= i > 0 && mf->masters[i].generation <= mf->masters[i - 1].generation;
	}
	mf->n_epochs = wire_u8(in);
	in->bad |= mf->n_epochs < 1 || mf->n_epochs > MASTERFILE_EPOCHS_MAX;
	for (size_t i = 0; !in->bad && i < mf->n_epochs; i++) {
		mf->epochs[i].id = wire_u32(in);
		key_octets(in, mf->epochs[i].key);
		in->bad |= i > 0 && mf->epochs[i].id <= mf->epochs[i - 1].id;
	}
}

static bool
op_secrets(struct signer_op *o, struct err *err)
{
	struct masterfile *mf = ARENA_NEW(o->a, struct masterfile);
	struct signer_core *c = o->core;
	const char *instance = wire_text(&o->in, o->a, 1, SIGNER_INSTANCE_MAX);

	secrets_decode(&o->in, mf);
	if (!signer_op_end(o, err))
		return false;
	for (size_t i = 0; i < c->n_lanes; i++)
		if (!lane_take_secrets(c, &c->lanes[i], mf, err))
			return false;
	c->instance = arena_strdup(c->a, instance);
	c->n_masters = mf->n_masters;
	c->n_epochs = mf->n_epochs;
	c->has_secrets = true;
	return true;
}

static bool
op_status(struct signer_op *o, struct err *err)
{
	struct signer_core *c = o->core;

	if (!signer_op_end(o, err))
		return false;
	wire_put_u64(&o->out, atomic_load(&c->requests));
	wire_put_u64(&o->out, atomic_load(&c->refused));
	wire_put_u8(&o->out, c->memory_locked);
	wire_put_u32(&o->out, o->lane->masters[c->n_masters - 1].id);
	wire_put_u32(&o->out, o->lane->epochs[c->n_epochs - 1].id);
	wire_put_u32(&o->out, (uint32_t)c->n_keys);
	for (size_t i = 0; i < c->n_keys; i++) {
		wire_put_text(&o->out, c->keys[i]->key.kid);
		wire_put_u64(&o->out, atomic_load(&c->keys[i]->uses));
	}
	return true;
}

/* A key arena that is not taken over by the core goes with the message. */
static void
destroy_arena(void *p)
{
	arena_destroy(*(struct arena **)p);
}

struct load {
	const char *kid;
	enum key_purpose purpose;
	enum key_type type;
	struct bytes spki, sealed;
};

static void
load_decode(struct signer_op *o, struct load *l)
{
	l->kid = wire_text(&o->in, o->a, 1, WIRE_KID_MAX);
	l->purpose = (enum key_purpose)wire_u8(&o->in);
	l->type = (enum key_type)wire_u8(&o->in);
	l->spki = wire_bytes(&o->in, 0, WIRE_SPKI_MAX);
	l->sealed = wire_bytes(&o->in, 0, WIRE_SEALED_KEY_MAX);
	o->in.bad |= !key_kid_is_valid(l->kid);
}

/* A key on its way into an arena of its own, through arena_run. */
struct making {
	struct signer_op *o;
	const struct load *l;
	struct bytes plain;
	struct arena *a;
	struct signer_key *key;
	struct err *err;
	bool ok;
};

/*
 * The row's public half must be the one of its private half: peers encrypt to
 * what the row shows, and whoever could put his own key there would read along.
 */
static void
key_make(void *arg)
{
	struct making *m = arg;
	const struct load *l = m->l;
	struct signer_core *c = m->o->core;
	struct signer_key *k = ARENA_NEW(m->a, struct signer_key);

	k->a = m->a;
	if (!private_key_init(m->a, &c->crypto, l->kid, l->purpose, l->type, m->plain, c->n_lanes,
			      &k->key, m->err))
		return;
	hash_sha256(m->plain, k->digest);
	m->key = k;
	m->ok = bytes_eq(k->key.spki, l->spki) ||
		FAIL(m->err, ERR_DENIED, NULL, "public key is not of this private key");
}

static bool
op_load_key(struct signer_op *o, struct err *err)
{
	struct signer_core *c = o->core;
	struct arena **slot = ARENA_NEW(o->a, struct arena *);
	struct signer_key *k, *there;
	struct bytes plain;
	struct load l;

	load_decode(o, &l);
	if (!signer_op_end(o, err) || !row_open(o, l.purpose, l.type, l.kid, l.sealed, &plain, err))
		return false;
	arena_defer(o->a, destroy_arena, slot);
	*slot = arena_create(KEY_ARENA_BYTES);
	struct making m = {o, &l, plain, *slot, NULL, err, false};

	if (*slot == NULL || !arena_run(*slot, key_make, &m))
		return arena_run_failed(*slot, err);
	if (!m.ok)
		return false;
	k = m.key;
	there = key_find(c, l.kid);
	if (there != NULL &&
	    (there->key.purpose != l.purpose ||
	     !bytes_eq_secret((struct bytes){there->digest, 32}, (struct bytes){k->digest, 32})))
		return FAIL(err, ERR_CONFLICT, NULL, "another key has this kid");
	if (there != NULL)
		return true;
	if (c->n_keys == SIGNER_KEYS_MAX)
		return FAIL(err, ERR_CONFLICT, NULL, "too many keys");
	c->keys[c->n_keys++] = k;
	*slot = NULL; /* the core's from here on */
	return true;
}

static bool
op_forget_key(struct signer_op *o, struct err *err)
{
	const char *kid = wire_text(&o->in, o->a, 1, WIRE_KID_MAX);
	struct signer_core *c = o->core;

	if (!signer_op_end(o, err))
		return false;
	for (size_t i = 0; i < c->n_keys; i++)
		if (strcmp(c->keys[i]->key.kid, kid) == 0) {
			arena_destroy(c->keys[i]->a);
			c->keys[i] = c->keys[--c->n_keys];
			return true;
		}
	return FAIL(err, ERR_NOT_FOUND, NULL, "no such key");
}

static bool
op_sign(struct signer_op *o, struct err *err)
{
	const char *kid = wire_text(&o->in, o->a, 1, WIRE_KID_MAX);
	enum sig_alg alg = (enum sig_alg)wire_u8(&o->in);
	struct bytes text = wire_bytes(&o->in, 1, SHAPE_TEXT_MAX), sig;
	struct signer_key *k;

	if (!signer_op_end(o, err))
		return false;
	k = key_find(o->core, kid);
	if (k == NULL)
		return FAIL(err, ERR_DENIED, NULL, "no such key for this purpose");
	if (!shape_check(o->a, k->key.purpose, kid, alg, text, err) ||
	    !private_key_sign(&k->key, o->lane->index, o->a, alg, text, &sig, err))
		return false;
	atomic_fetch_add_explicit(&k->uses, 1, memory_order_relaxed);
	wire_put_bytes(&o->out, sig);
	return true;
}

static bool
op_unwrap(struct signer_op *o, struct err *err)
{
	const char *kid = wire_text(&o->in, o->a, 1, WIRE_KID_MAX);
	enum wrap_alg alg = (enum wrap_alg)wire_u8(&o->in);
	struct bytes wrapped = wire_bytes(&o->in, 1, WIRE_SPKI_MAX), key;
	struct signer_key *k;

	if (!signer_op_end(o, err) || !key_use(o, kid, KEY_DECRYPT, &k, err) ||
	    !private_key_unwrap(&k->key, o->lane->index, o->a, alg, wrapped, &key, err))
		return false;
	wire_put_bytes(&o->out, key);
	return true;
}

static bool
op_agree(struct signer_op *o, struct err *err)
{
	const char *kid = wire_text(&o->in, o->a, 1, WIRE_KID_MAX);
	struct bytes spki = wire_bytes(&o->in, 1, WIRE_SPKI_MAX);
	struct bytes info = wire_bytes(&o->in, 0, WIRE_SPKI_MAX), key;
	uint32_t key_bytes = wire_u32(&o->in);
	struct signer_key *k;

	if (!signer_op_end(o, err) || !key_use(o, kid, KEY_DECRYPT, &k, err) ||
	    !private_key_agree(&k->key, o->lane->index, o->a, spki, info, key_bytes, &key, err))
		return false;
	wire_put_bytes(&o->out, key);
	return true;
}

/* HMAC with the kept context of a loaded key. */
static bool
hmac_put(struct signer_op *o, struct signer_key *k, struct buf *data, struct err *err)
{
	unsigned char mac[32];
	struct bytes all;

	if (!buf_finish(data, &all, err) ||
	    !crypto_hmac(k->key.lanes[o->lane->index].mac, all, mac, err))
		return false;
	wire_put_bytes(&o->out, (struct bytes){mac, sizeof(mac)});
	return true;
}

static bool
op_mac(struct signer_op *o, struct err *err)
{
	enum key_purpose purpose = (enum key_purpose)wire_u8(&o->in);
	const char *kid = wire_text(&o->in, o->a, 1, WIRE_KID_MAX);
	const char *label = wire_text(&o->in, o->a, 1, WIRE_LABEL_MAX);
	struct bytes data = wire_bytes(&o->in, 0, WIRE_DATA_MAX);
	struct signer_key *k;
	struct buf b;

	if (!signer_op_end(o, err))
		return false;
	if (purpose != KEY_PEPPER && purpose != KEY_LOOKUP && purpose != KEY_AUDIT &&
	    purpose != KEY_COOKIE)
		return FAIL(err, ERR_DENIED, NULL, "purpose makes no digests");
	if (!key_use(o, kid, purpose, &k, err))
		return false;
	buf_init(&b, o->a, WIRE_MAX);
	wire_put_text(&b, label);
	buf_add(&b, data);
	return hmac_put(o, k, &b, err);
}

/* DESIGN 2.8.  The layout under the HMAC can never change: pseudonyms are kept by portals. */
static bool
op_pseudonym(struct signer_op *o, struct err *err)
{
	const char *kid = wire_text(&o->in, o->a, 1, WIRE_KID_MAX);
	uint8_t kind = wire_u8(&o->in);
	const char *origin = wire_text(&o->in, o->a, 1, WIRE_LABEL_MAX * 4);
	struct bytes id = wire_bytes(&o->in, 1, WIRE_LABEL_MAX * 4);
	const char *sector = wire_text(&o->in, o->a, 1, WIRE_LABEL_MAX * 4);
	struct signer_key *k;
	struct buf b;

	if (!signer_op_end(o, err) || !key_use(o, kid, KEY_PSEUDONYM, &k, err))
		return false;
	buf_init(&b, o->a, WIRE_MAX);
	wire_put_u8(&b, kind);
	wire_put_text(&b, origin);
	wire_put_bytes(&b, id);
	wire_put_text(&b, sector);
	return hmac_put(o, k, &b, err);
}

static struct bytes
value_aad(struct signer_op *o, const char *kid, struct bytes label)
{
	const struct bytes parts[] = {bytes_of(kid), label};

	return signer_aad(o->a, "kontor sealed value", o->core->instance, parts, ARRAY_LEN(parts));
}

/* The sealed value names its key before the envelope: length, kid, envelope. */
static bool
op_seal(struct signer_op *o, struct err *err)
{
	const char *kid = wire_text(&o->in, o->a, 1, WIRE_KID_MAX);
	struct bytes label = wire_bytes(&o->in, 1, WIRE_LABEL_MAX);
	struct bytes plain = wire_bytes(&o->in, 0, WIRE_DATA_MAX), envelope, named;
	struct signer_key *k;
	struct buf b;

	if (!signer_op_end(o, err) || !key_use(o, kid, KEY_SEAL, &k, err) ||
	    !seal_write(&k->key.lanes[o->lane->index].seal, o->a, value_aad(o, kid, label), plain,
			&envelope, err))
		return false;
	buf_init(&b, o->a, WIRE_MAX);
	wire_put_u8(&b, (uint8_t)strlen(kid));
	buf_str(&b, kid);
	buf_add(&b, envelope);
	if (!buf_finish(&b, &named, err))
		return false;
	wire_put_bytes(&o->out, named);
	return true;
}

/* A secret sealed under such a label is for checking MACs alone (op_mac_check). */
static bool
is_mac_label(struct bytes label)
{
	return bytes_start(label, SIGNER_MAC_LABEL);
}

static bool
value_open(struct signer_op *o, struct bytes label, struct bytes sealed, struct bytes *plain,
	   struct err *err)
{
	size_t kid_n = sealed.p[0];
	struct signer_key *k;

	if (kid_n == 0 || kid_n >= sealed.n || memchr(sealed.p + 1, '\0', kid_n) != NULL)
		return FAIL(err, ERR_INPUT, NULL, "sealed value does not open");
	const char *kid = arena_strndup(o->a, (const char *)sealed.p + 1, kid_n);
	struct bytes envelope = {sealed.p + 1 + kid_n, sealed.n - 1 - kid_n};

	k = key_find(o->core, kid);
	if (k == NULL || k->key.purpose != KEY_SEAL)
		return FAIL(err, ERR_INPUT, NULL, "sealed value does not open");
	if (!seal_read(&k->key.lanes[o->lane->index].seal, o->a, value_aad(o, kid, label), envelope,
		       plain, err))
		return false;
	atomic_fetch_add_explicit(&k->uses, 1, memory_order_relaxed);
	return true;
}

static bool
op_open(struct signer_op *o, struct err *err)
{
	struct bytes label = wire_bytes(&o->in, 1, WIRE_LABEL_MAX);
	struct bytes sealed = wire_bytes(&o->in, 1, WIRE_DATA_MAX + 512), plain;

	if (!signer_op_end(o, err))
		return false;
	if (is_mac_label(label))
		return FAIL(err, ERR_DENIED, NULL, "what checks MACs does not open");
	if (!value_open(o, label, sealed, &plain, err))
		return false;
	wire_put_bytes(&o->out, plain);
	return true;
}

static bool
op_mac_check(struct signer_op *o, struct err *err)
{
	struct bytes label = wire_bytes(&o->in, 1, WIRE_LABEL_MAX);
	struct bytes sealed = wire_bytes(&o->in, 1, WIRE_VALUE_MAX);
	struct bytes text = wire_bytes(&o->in, 0, WIRE_DATA_MAX);
	struct bytes mac = wire_bytes(&o->in, 0, WIRE_LABEL_MAX), secret;
	unsigned char want[SHA256_BYTES];
	EVP_MAC_CTX *ctx;

	if (!signer_op_end(o, err))
		return false;
	if (!is_mac_label(label))
		return FAIL(err, ERR_DENIED, NULL, "not a label of what checks MACs");
	if (!value_open(o, label, sealed, &secret, err))
		return false;
	/* RFC 7518 3.2: a key as long as the hash at least. */
	if (secret.n < sizeof(want))
		return FAIL(err, ERR_DENIED, NULL, "a secret of fewer than 256 bits");
	if (!crypto_hmac_init(o->a, &o->core->crypto, secret, &ctx, err) ||
	    !crypto_hmac(ctx, text, want, err))
		return false;
	if (!bytes_eq_secret((struct bytes){want, sizeof(want)}, mac))
		return FAIL(err, ERR_DENIED, NULL, "a MAC of another secret or text");
	wire_put_u8(&o->out, 1);
	return true;
}

const char *
signer_kid_make(struct arena *a, enum key_purpose purpose, struct bytes spki)
{
	unsigned char name[SHA256_BYTES];

	if (spki.n == 0)
		rand_bytes(name, sizeof(name));
	else
		hash_sha256(spki, name);
	return arena_printf(a, "%s-%s", key_purpose_name(purpose),
			    enc_hex(a, (struct bytes){name, KID_HEX_BYTES}));
}

/* Public key and, for what SAML metadata shows, a certificate in the instance's name. */
static bool
public_half(struct signer_op *o, enum key_purpose purpose, enum key_type type, struct bytes plain,
	    time_t now, uint32_t days, struct bytes *spki, struct bytes *cert, struct err *err)
{
	EVP_PKEY *pkey;

	*spki = *cert = (struct bytes){0};
	if (type == KEY_SECRET)
		return true;
	if (!private_key_parse(o->a, type, plain, &pkey, err) ||
	    !cert_spki_build(o->a, pkey, spki, err))
		return false;
	if (!key_has_cert(purpose, type))
		return true;
	return cert_build_self_signed(o->a, pkey, o->core->instance, now, days, cert, err);
}

static bool
op_generate(struct signer_op *o, struct err *err)
{
	enum key_purpose purpose = (enum key_purpose)wire_u8(&o->in);
	enum key_type type = (enum key_type)wire_u8(&o->in);
	uint64_t now = wire_u64(&o->in);
	uint32_t days = wire_u32(&o->in);
	struct bytes plain, spki, cert, sealed;
	const char *kid;

	o->in.bad |= now > TIME_MAX;
	if (!signer_op_end(o, err))
		return false;
	if (!key_purpose_takes(purpose, type))
		return FAIL(err, ERR_DENIED, NULL, "a key of this type has no such purpose");
	if (!private_key_generate(o->a, type, &plain, err) ||
	    !public_half(o, purpose, type, plain, (time_t)now, days, &spki, &cert, err))
		return false;
	kid = signer_kid_make(o->a, purpose, spki);
	if (!seal_write(master_newest(o), o->a, row_aad(o, purpose, type, kid), plain, &sealed,
			err))
		return false;
	wire_put_text(&o->out, kid);
	wire_put_bytes(&o->out, spki);
	wire_put_bytes(&o->out, cert);
	wire_put_bytes(&o->out, sealed);
	return true;
}

static bool
op_rewrap(struct signer_op *o, struct err *err)
{
	struct bytes plain, sealed;
	struct load l;

	load_decode(o, &l);
	if (!signer_op_end(o, err) ||
	    !row_open(o, l.purpose, l.type, l.kid, l.sealed, &plain, err) ||
	    !seal_write(master_newest(o), o->a, row_aad(o, l.purpose, l.type, l.kid), plain,
			&sealed, err))
		return false;
	wire_put_bytes(&o->out, sealed);
	return true;
}

#define SERVE (1u << SIGNER_SERVE | 1u << SIGNER_CLI)
#define CLI   (1u << SIGNER_CLI)

const struct signer_op_row signer_ops[] = {
	/* op, roles, writes, first, handle */
	{WIRE_SECRETS, SERVE, true, true, op_secrets},
	{WIRE_STATUS, SERVE, false, false, op_status},
	{WIRE_LOAD_KEY, SERVE, true, false, op_load_key},
	{WIRE_FORGET_KEY, SERVE, true, false, op_forget_key},
	{WIRE_SIGN, SERVE, false, false, op_sign},
	{WIRE_UNWRAP, SERVE, false, false, op_unwrap},
	{WIRE_AGREE, SERVE, false, false, op_agree},
	{WIRE_MAC, SERVE, false, false, op_mac},
	{WIRE_PSEUDONYM, SERVE, false, false, op_pseudonym},
	{WIRE_SEAL, SERVE, false, false, op_seal},
	{WIRE_OPEN, SERVE, false, false, op_open},
	{WIRE_ACCOUNT_NEW, SERVE, false, false, signer_op_account_new},
	{WIRE_ACCOUNT_REWRAP, SERVE, false, false, signer_op_account_rewrap},
	{WIRE_ACCOUNT_SEAL, SERVE, false, false, signer_op_account_seal},
	{WIRE_ACCOUNT_OPEN, SERVE, false, false, signer_op_account_open},
	{WIRE_GENERATE, CLI, false, false, op_generate},
	{WIRE_REWRAP, CLI, false, false, op_rewrap},
	{WIRE_MAC_CHECK, SERVE, false, false, op_mac_check},
	{0},
};
