/*
 * What the HSM process does without the token: secrets, rows, status, and the
 * judging of requests before they go to it; see hsm_core.h.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "keys/cert.h"
#include "keys/hsm_core.h"
#include "keys/keyring.h"
#include "keys/shape.h"
#include "keys/signer_core.h"

#define KEY_ARENA_BYTES ((size_t)64 * 1024)
#define PLAIN_VERSION   1
#define TIME_MAX        INT64_C(253402300799) /* 9999-12-31: the last that X.509 can say */

static bool
end(const struct wire_reader *in, struct err *err)
{
	return wire_end(in) || FAIL(err, ERR_INPUT, NULL, "malformed request");
}

/* ---- secrets ---- */

static bool
masters_decode(struct hsm_core *c, struct wire_reader *in, struct err *err)
{
	size_t n = wire_u8(in);
	uint32_t before = 0;

	in->bad |= n < 1 || n > MASTERFILE_MASTERS_MAX;
	for (size_t i = 0; !in->bad && i < n; i++) {
		uint32_t generation = wire_u32(in);
		struct bytes key = wire_bytes(in, MASTERFILE_KEY_BYTES, MASTERFILE_KEY_BYTES);

		in->bad |= generation <= before;
		before = generation;
		for (size_t lane = 0; !in->bad && lane < 2; lane++)
			if (!seal_init(c->a, &c->crypto, generation, key.p, &c->masters[lane][i],
				       err))
				return false;
	}
	c->n_masters = in->bad ? 0 : n;
	return true;
}

static bool
do_secrets(struct hsm_core *c, struct wire_reader *in, struct err *err)
{
	const char *instance = wire_text(in, c->message, 1, SIGNER_INSTANCE_MAX);
	struct p11_options o;

	if (!masters_decode(c, in, err))
		return false;
	o.module = wire_text(in, c->message, 1, WIRE_SPKI_MAX);
	o.token = wire_text(in, c->message, 1, WIRE_LABEL_MAX);
	o.pin = wire_text(in, c->message, 1, HSM_PIN_MAX);
	uint32_t sessions = wire_u32(in), queue = wire_u32(in);
	uint64_t timeout_us = wire_u64(in);

	in->bad |= sessions < 1 || sessions > HSM_SESSIONS_MAX || queue < 1 ||
		   queue > HSM_QUEUE_MAX || timeout_us < 1 || timeout_us > INT32_MAX;
	if (!end(in, err))
		return false;
	c->instance = arena_strdup(c->a, instance);
	c->token = arena_strdup(c->a, o.token);
	c->p11 = p11_create(c->a, &o);
	/* A command's one worker seals new rows with ciphers of its own. */
	c->n_workers = c->role == SIGNER_CLI ? 1 : sessions;
	c->n_jobs = queue;
	c->timeout_us = (int64_t)timeout_us;
	c->has_secrets = true;
	return hsm_workers_start(c, err);
}

/* ---- status ---- */

static bool
do_status(struct hsm_core *c, struct wire_reader *in, struct buf *out, struct err *err)
{
	if (!end(in, err))
		return false;
	wire_put_u64(out, atomic_load(&c->requests));
	wire_put_u64(out, atomic_load(&c->refused));
	wire_put_u8(out, c->memory_locked);
	wire_put_u32(out, c->masters[0][c->n_masters - 1].id);
	wire_put_u32(out, 0); /* no epochs here */
	wire_put_u32(out, (uint32_t)c->n_keys);
	for (size_t i = 0; i < c->n_keys; i++) {
		wire_put_text(out, c->keys[i]->kid);
		wire_put_u64(out, atomic_load(&c->keys[i]->uses));
	}
	return true;
}

static bool
do_state(struct hsm_core *c, struct wire_reader *in, struct buf *out, struct err *err)
{
	char trouble[P11_TROUBLE_BYTES];
	uint32_t jobs = 0;

	if (!end(in, err))
		return false;
	pthread_mutex_lock(&c->lock);
	enum wire_hsm ready = c->ready;
	uint64_t done = c->done, failed = c->failed;

	for (uint32_t i = 0; i < c->n_jobs; i++)
		jobs += c->jobs[i].state != HSM_JOB_FREE;
	snprintf(trouble, sizeof(trouble), "%s", c->trouble);
	pthread_mutex_unlock(&c->lock);
	wire_put_u8(out, (uint8_t)ready);
	wire_put_text(out, trouble);
	wire_put_u32(out, jobs);
	wire_put_u64(out, done);
	wire_put_u64(out, failed);
	return true;
}

/* ---- rows ---- */

static struct bytes
row_aad(struct hsm_core *c, struct arena *a, const struct hsm_key *k)
{
	const unsigned char kind[] = {(unsigned char)k->purpose, (unsigned char)k->type};
	const struct bytes parts[] = {{kind, sizeof(kind)}, bytes_of(k->kid), k->spki};

	return signer_aad(a, "kontor hsm key row", c->instance, parts, ARRAY_LEN(parts));
}

bool
hsm_row_seal(struct hsm_core *c, struct seal *master, struct arena *a, const struct hsm_key *k,
	     struct bytes *sealed, struct err *err)
{
	struct bytes plain;
	struct buf b;

	buf_init(&b, a, WIRE_SEALED_KEY_MAX);
	wire_put_u8(&b, PLAIN_VERSION);
	wire_put_text(&b, c->token);
	wire_put_text(&b, k->object.label);
	wire_put_bytes(&b, k->object.id);
	return buf_finish(&b, &plain, err) &&
	       seal_write(master, a, row_aad(c, a, k), plain, sealed, err);
}

static struct seal *
master_find(struct hsm_core *c, struct bytes sealed)
{
	uint32_t generation;

	if (!seal_key_id(sealed, &generation))
		return NULL;
	for (size_t i = 0; i < c->n_masters; i++)
		if (c->masters[0][i].id == generation)
			return &c->masters[0][i];
	return NULL;
}

/* Where the private half lies, from the envelope; k has what the row says in the open. */
static bool
row_open(struct hsm_core *c, struct hsm_key *k, struct bytes sealed, struct err *err)
{
	struct seal *master = master_find(c, sealed);
	struct wire_reader r;
	struct bytes plain;

	if (master == NULL)
		return FAIL(err, ERR_INPUT, NULL, "sealed value does not open");
	if (!seal_read(master, c->message, row_aad(c, c->message, k), sealed, &plain, err))
		return false;
	r = (struct wire_reader){.p = plain.p, .n = plain.n};
	uint8_t version = wire_u8(&r);
	const char *token = wire_text(&r, k->a, 1, WIRE_LABEL_MAX);

	k->object.label = wire_text(&r, k->a, 1, P11_NAME_MAX);
	k->object.id = arena_bytes(k->a, wire_bytes(&r, 1, P11_NAME_MAX));
	if (!wire_end(&r) || version != PLAIN_VERSION)
		return FAIL(err, ERR_INPUT, NULL, "sealed value does not open");
	if (strcmp(token, c->token) != 0)
		return FAIL(err, ERR_DENIED, NULL, "key lies in token '%s', not in '%s'", token,
			    c->token);
	hash_sha256(plain, k->digest);
	return true;
}

/* A key of a row: what peers see of it, and where the rest lies. */
static bool
key_decode(struct hsm_core *c, struct wire_reader *in, struct hsm_key *k, struct bytes *sealed,
	   struct err *err)
{
	k->kid = wire_text(in, k->a, 1, WIRE_KID_MAX);
	k->purpose = (enum key_purpose)wire_u8(in);
	k->type = (enum key_type)wire_u8(in);
	k->spki = arena_bytes(k->a, wire_bytes(in, 1, WIRE_SPKI_MAX));
	*sealed = wire_bytes(in, 1, WIRE_SEALED_KEY_MAX);
	in->bad |= !key_kid_is_valid(k->kid);
	if (!end(in, err))
		return false;
	if (k->type == KEY_SECRET || !key_purpose_takes(k->purpose, k->type))
		return FAIL(err, ERR_DENIED, NULL, "a key of this type has no such purpose");
	return row_open(c, k, *sealed, err) && cert_spki_parse(k->a, k->spki, &k->pub, err);
}

static void
destroy_key(void *p)
{
	struct hsm_key **slot = p;

	if (*slot != NULL)
		arena_destroy((*slot)->a);
}

/* Decoded into an arena of its own, which goes with the message unless it is taken over. */
static struct hsm_key **
key_slot(struct hsm_core *c, struct err *err)
{
	struct hsm_key **slot = ARENA_NEW(c->message, struct hsm_key *);
	struct arena *a;

	*slot = arena_create_with(KEY_ARENA_BYTES, sizeof(**slot), &a);
	if (*slot == NULL) {
		(void)FAIL(err, ERR_UNAVAILABLE, NULL, "out of memory");
		return NULL;
	}
	(*slot)->a = a;
	(*slot)->refs = 1;
	arena_defer(c->message, destroy_key, slot);
	return slot;
}

static bool
do_load(struct hsm_core *c, struct wire_reader *in, struct err *err)
{
	struct hsm_key **slot = key_slot(c, err), *there;
	struct bytes sealed;

	if (slot == NULL || !key_decode(c, in, *slot, &sealed, err))
		return false;
	there = hsm_key_find(c, (*slot)->kid);
	if (there != NULL) {
		bool same = there->purpose == (*slot)->purpose &&
			    bytes_eq((struct bytes){there->digest, 32},
				     (struct bytes){(*slot)->digest, 32});

		hsm_key_release(c, there);
		return same || FAIL(err, ERR_CONFLICT, NULL, "another key has this kid");
	}
	if (c->n_keys == HSM_KEYS_MAX)
		return FAIL(err, ERR_CONFLICT, NULL, "too many keys");
	pthread_mutex_lock(&c->lock);
	c->keys[c->n_keys++] = *slot;
	pthread_mutex_unlock(&c->lock);
	*slot = NULL; /* the core's from here on */
	return true;
}

static bool
do_forget(struct hsm_core *c, struct wire_reader *in, struct err *err)
{
	const char *kid = wire_text(in, c->message, 1, WIRE_KID_MAX);
	struct hsm_key *gone = NULL;

	if (!end(in, err))
		return false;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; gone == NULL && i < c->n_keys; i++)
		if (strcmp(c->keys[i]->kid, kid) == 0) {
			gone = c->keys[i];
			c->keys[i] = c->keys[--c->n_keys];
		}
	pthread_mutex_unlock(&c->lock);
	hsm_key_release(c, gone);
	return gone != NULL || FAIL(err, ERR_NOT_FOUND, NULL, "no such key");
}

static bool
do_rewrap(struct hsm_core *c, struct wire_reader *in, struct buf *out, struct err *err)
{
	struct hsm_key **slot = key_slot(c, err);
	struct bytes sealed, anew;

	if (slot == NULL || !key_decode(c, in, *slot, &sealed, err) ||
	    !hsm_row_seal(c, &c->masters[0][c->n_masters - 1], c->message, *slot, &anew, err))
		return false;
	wire_put_bytes(out, anew);
	return true;
}

bool
hsm_op_is_ours(uint8_t op)
{
	return op != WIRE_SIGN && op != WIRE_UNWRAP && op != WIRE_AGREE && op != WIRE_HSM_GENERATE;
}

bool
hsm_op_do(struct hsm_core *c, uint8_t op, struct wire_reader *in, struct buf *out, struct err *err)
{
	switch (op) {
	case WIRE_HSM_SECRETS:
		return do_secrets(c, in, err);
	case WIRE_STATUS:
		return do_status(c, in, out, err);
	case WIRE_HSM_STATE:
		return do_state(c, in, out, err);
	case WIRE_LOAD_KEY:
		return do_load(c, in, err);
	case WIRE_FORGET_KEY:
		return do_forget(c, in, err);
	default:
		return do_rewrap(c, in, out, err);
	}
}

/* ---- for the token ---- */

/* The loaded key, held by the job; one text, whether it is not there or for something else. */
static bool
job_key(struct hsm_core *c, struct hsm_job *j, const char *kid, bool decrypts, struct err *err)
{
	j->key = hsm_key_find(c, kid);
	if (j->key == NULL || (j->key->purpose == KEY_DECRYPT) != decrypts)
		return FAIL(err, ERR_DENIED, NULL, "no such key for this purpose");
	return true;
}

static bool
decode_sign(struct hsm_core *c, struct hsm_job *j, struct wire_reader *in, struct err *err)
{
	const char *kid = wire_text(in, j->a, 1, WIRE_KID_MAX);

	j->sign = (enum sig_alg)wire_u8(in);
	j->in = arena_bytes(j->a, wire_bytes(in, 1, SHAPE_TEXT_MAX));
	if (!end(in, err) || !job_key(c, j, kid, false, err) ||
	    !shape_check(j->a, j->key->purpose, kid, j->sign, j->in, err))
		return false;
	return key_type_of_sig(j->sign) == j->key->type ||
	       FAIL(err, ERR_DENIED, NULL, "key makes no signatures of this kind");
}

static bool
decode_unwrap(struct hsm_core *c, struct hsm_job *j, struct wire_reader *in, struct err *err)
{
	const char *kid = wire_text(in, j->a, 1, WIRE_KID_MAX);

	j->wrap = (enum wrap_alg)wire_u8(in);
	j->in = arena_bytes(j->a, wire_bytes(in, 1, WIRE_SPKI_MAX));
	if (!end(in, err) || !job_key(c, j, kid, true, err))
		return false;
	return (j->key->type == KEY_RSA3072 &&
		(j->wrap == WRAP_RSA_OAEP_SHA1 || j->wrap == WRAP_RSA_OAEP_SHA256)) ||
	       FAIL(err, ERR_DENIED, NULL, "key does not unwrap in this way");
}

/* The peer's point is judged here: what a token does with one off its curve is not known. */
static bool
decode_agree(struct hsm_core *c, struct hsm_job *j, struct wire_reader *in, struct err *err)
{
	const char *kid = wire_text(in, j->a, 1, WIRE_KID_MAX);
	struct bytes spki = wire_bytes(in, 1, WIRE_SPKI_MAX);
	const struct key_type_row *row;
	EVP_PKEY *peer;

	j->info = arena_bytes(j->a, wire_bytes(in, 0, WIRE_SPKI_MAX));
	j->key_bytes = wire_u32(in);
	if (!end(in, err) || !job_key(c, j, kid, true, err))
		return false;
	row = key_type_row(j->key->type);
	if (row->curve == NULL || j->key_bytes < 16 || j->key_bytes > 64)
		return FAIL(err, ERR_DENIED, NULL, "key does not agree in this way");
	struct err why = {0};

	if (!cert_spki_parse(j->a, spki, &peer, &why) || !key_type_fits(row->type, peer) ||
	    !cert_ec_point(j->a, peer, &j->in, &why) || j->in.n != key_type_point_bytes(row))
		return CRYPTO_FAIL(err, ERR_INPUT, "peer's key is not a point of %s", row->title);
	return true;
}

static bool
decode_generate(struct hsm_job *j, struct wire_reader *in, struct err *err)
{
	j->purpose = (enum key_purpose)wire_u8(in);
	j->type = (enum key_type)wire_u8(in);
	uint64_t now = wire_u64(in);

	j->cert_days = wire_u32(in);
	j->adopt = wire_text(in, j->a, 0, P11_NAME_MAX);
	in->bad |= now > TIME_MAX;
	j->now = (time_t)now;
	if (!end(in, err))
		return false;
	return (j->type != KEY_SECRET && key_purpose_takes(j->purpose, j->type)) ||
	       FAIL(err, ERR_DENIED, NULL, "no key of this purpose and type lies in an HSM");
}

bool
hsm_job_decode(struct hsm_core *c, struct hsm_job *j, struct wire_reader *in, struct err *err)
{
	switch (j->op) {
	case WIRE_SIGN:
		return decode_sign(c, j, in, err);
	case WIRE_UNWRAP:
		return decode_unwrap(c, j, in, err);
	case WIRE_AGREE:
		return decode_agree(c, j, in, err);
	default:
		return decode_generate(j, in, err);
	}
}
