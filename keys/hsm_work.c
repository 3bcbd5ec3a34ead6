/* What the HSM process does in the token, one thread with a session each; see hsm_core.h. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "keys/cert.h"
#include "keys/cert_build.h"
#include "keys/envelope.h"
#include "keys/hsm_core.h"
#include "keys/keyring.h"
#include "keys/signer_core.h"
#include "keys/signer_loop.h"
#include "keys/verify.h"

#define ID_BYTES          16
#define LABEL_HEX_BYTES   4
#define CONTENT_KEY_LEAST 16
#define CONTENT_KEY_MOST  64

/* The answer's fields. */
struct work {
	struct hsm_worker *w;
	struct hsm_job *j;
	struct buf out;
};

/*
 * A signature that the row's public key does not verify never leaves: whatever
 * object the token took, and whatever went wrong in it.
 */
static bool
sign_proved(struct hsm_worker *w, const struct p11_object *object, EVP_PKEY *pub, enum sig_alg alg,
	    struct bytes text, struct p11_out *sig, struct err *err)
{
	const struct sig_alg_row *row = sig_alg_row(alg);
	struct hash_digest digest;

	if (row == NULL || !hash_named(row->how.digest, text, &digest))
		return FAIL(err, ERR_DENIED, NULL, "key makes no signatures of this kind");
	if (!p11_sign(w->core->p11, &w->session, object, alg,
		      (struct bytes){digest.octets, digest.n}, sig, err))
		return false;
	if (!verify_signature(&row->how, pub, text, (struct bytes){sig->p, sig->n}))
		return FAIL(err, ERR_UNAVAILABLE, NULL,
			    "HSM: the signature is not one of this key");
	return true;
}

static bool
work_sign(struct work *k, struct err *err)
{
	struct hsm_job *j = k->j;
	struct p11_out *sig = ARENA_NEW(j->a, struct p11_out);

	if (!sign_proved(k->w, &j->key->object, j->key->pub, j->sign, j->in, sig, err))
		return false;
	wire_put_bytes(&k->out, (struct bytes){sig->p, sig->n});
	return true;
}

static bool
work_unwrap(struct work *k, struct err *err)
{
	struct hsm_job *j = k->j;
	struct p11_out *key = ARENA_NEW(j->a, struct p11_out);

	if (!p11_unwrap(k->w->core->p11, &k->w->session, &j->key->object, j->wrap, j->in, key, err))
		return false;
	if (key->n < CONTENT_KEY_LEAST || key->n > CONTENT_KEY_MOST)
		return FAIL(err, ERR_INPUT, NULL, "wrapped key does not open");
	wire_put_bytes(&k->out, (struct bytes){key->p, key->n});
	return true;
}

static bool
work_agree(struct work *k, struct err *err)
{
	struct hsm_job *j = k->j;
	struct p11_out *z = ARENA_NEW(j->a, struct p11_out);
	unsigned char *key = arena_alloc(j->a, j->key_bytes);

	if (!p11_derive(k->w->core->p11, &k->w->session, &j->key->object, j->key->type, j->in, z,
			err))
		return false;
	envelope_concat_kdf((struct bytes){z->p, z->n}, j->info, key, j->key_bytes);
	wire_put_bytes(&k->out, (struct bytes){key, j->key_bytes});
	return true;
}

/* ---- new keys ---- */

struct cert_signing {
	struct hsm_worker *w;
	const struct hsm_key *key;
};

/* The first row whose signatures keys of this type make: RS256 for RSA, which all can verify. */
static const struct sig_alg_row *
alg_first(enum key_type type)
{
	const struct sig_alg_row *row;
	size_t i = 0;

	while ((row = sig_alg_at(i)) != NULL && row->type != type)
		i++;
	return row;
}

static bool
cert_sign(void *ctx, struct arena *a, struct bytes tbs, struct bytes *sig, struct err *err)
{
	const struct cert_signing *s = ctx;
	struct p11_out *out = ARENA_NEW(a, struct p11_out);
	const struct sig_alg_row *row = alg_first(s->key->type);

	if (!sign_proved(s->w, &s->key->object, s->key->pub, row->alg, tbs, out, err))
		return false;
	*sig = (struct bytes){out->p, out->n};
	return true;
}

/* Once in each way that it will be used, before peers are told of it. */
static bool
prove_rsa(struct hsm_worker *w, struct arena *a, const struct hsm_key *k, struct err *err)
{
	static const enum wrap_alg algs[] = {WRAP_RSA_OAEP_SHA256, WRAP_RSA_OAEP_SHA1};
	unsigned char secret[ID_BYTES];
	struct p11_out *got = ARENA_NEW(a, struct p11_out);
	struct bytes wrapped, sent = {secret, sizeof(secret)};
	struct err why = {0};

	rand_bytes(secret, sizeof(secret));
	for (size_t i = 0; i < ARRAY_LEN(algs); i++)
		if (!envelope_wrap_rsa(a, k->pub, algs[i], sent, &wrapped, &why) ||
		    !p11_unwrap(w->core->p11, &w->session, &k->object, algs[i], wrapped, got,
				&why) ||
		    !bytes_eq((struct bytes){got->p, got->n}, sent))
			return FAIL(err, ERR_DENIED, NULL,
				    "the HSM does not open RSA-OAEP with %s: %s",
				    algs[i] == WRAP_RSA_OAEP_SHA1 ? "SHA-1" : "SHA-256", why.text);
	return true;
}

static bool
prove_ecdh(struct hsm_worker *w, struct arena *a, const struct hsm_key *k, struct err *err)
{
	struct p11_out *z = ARENA_NEW(a, struct p11_out);
	struct bytes point, key, info = bytes_of("proof");
	unsigned char ours[32];

	if (!envelope_agree(a, k->pub, info, sizeof(ours), &point, &key, err) ||
	    !p11_derive(w->core->p11, &w->session, &k->object, k->type, point, z, err))
		return false;
	envelope_concat_kdf((struct bytes){z->p, z->n}, info, ours, sizeof(ours));
	return bytes_eq((struct bytes){ours, sizeof(ours)}, key) ||
	       FAIL(err, ERR_DENIED, NULL, "the HSM agrees on another key");
}

static bool
prove(struct hsm_worker *w, struct arena *a, const struct hsm_key *k, struct err *err)
{
	struct p11_out *sig = ARENA_NEW(a, struct p11_out);
	struct bytes text = bytes_of("proof");
	const struct sig_alg_row *row;

	if (k->purpose == KEY_DECRYPT)
		return k->type == KEY_RSA3072 ? prove_rsa(w, a, k, err) : prove_ecdh(w, a, k, err);
	for (size_t i = 0; (row = sig_alg_at(i)) != NULL; i++)
		if (row->type == k->type &&
		    !sign_proved(w, &k->object, k->pub, row->alg, text, sig, err))
			return false;
	return true;
}

/* The object itself: made, or found under the label that was said. */
static bool
object_get(struct hsm_worker *w, struct hsm_job *j, struct p11_object *object, struct err *err)
{
	bool decrypts = j->purpose == KEY_DECRYPT;
	unsigned char *id = arena_alloc(j->a, ID_BYTES);

	if (j->adopt[0] != '\0') {
		object->label = j->adopt;
		return p11_adopt(w->core->p11, &w->session, j->a, j->adopt, j->type, decrypts,
				 &object->id, err);
	}
	rand_bytes(id, ID_BYTES);
	object->id = (struct bytes){id, ID_BYTES};
	object->label =
		arena_printf(j->a, "%.32s-%s-%s", w->core->instance, key_purpose_name(j->purpose),
			     enc_hex(j->a, (struct bytes){id, LABEL_HEX_BYTES}));
	return p11_generate(w->core->p11, &w->session, j->type, decrypts, object, err);
}

/* The certificate that SAML metadata shows, in the instance's name. */
static bool
cert_get(struct hsm_worker *w, struct hsm_job *j, const struct hsm_key *k, struct bytes *cert,
	 struct err *err)
{
	struct cert_signing signing = {w, k};

	*cert = (struct bytes){0};
	if (!key_has_cert(k->purpose, k->type))
		return true;
	if (k->purpose != KEY_DECRYPT)
		return cert_build_signed_by(j->a, k->pub, w->core->instance, j->now, j->cert_days,
					    cert_sign, &signing, cert, err);
	/* A key that only decrypts signs nothing, its own certificate included. */
	return cert_build_for(j->a, k->pub, w->core->instance, j->now, j->cert_days, cert, err);
}

/* All that a row of this object needs; it must work before anybody is told of it. */
static bool
row_make(struct hsm_worker *w, struct hsm_job *j, struct hsm_key *k, struct bytes *cert,
	 struct bytes *sealed, struct err *err)
{
	struct hsm_core *c = w->core;

	if (!p11_public(c->p11, &w->session, j->a, &k->object, j->type, &k->spki, err) ||
	    !cert_spki_parse(j->a, k->spki, &k->pub, err))
		return false;
	k->kid = signer_kid_make(j->a, j->purpose, k->spki);
	return prove(w, j->a, k, err) && cert_get(w, j, k, cert, err) &&
	       hsm_row_seal(c, &c->masters[1][c->n_masters - 1], j->a, k, sealed, err);
}

static bool
work_generate(struct work *k, struct err *err)
{
	struct hsm_job *j = k->j;
	struct hsm_key key = {.purpose = j->purpose, .type = j->type};
	struct bytes cert, sealed;

	if (!object_get(k->w, j, &key.object, err))
		return false;
	if (!row_make(k->w, j, &key, &cert, &sealed, err)) {
		if (j->adopt[0] == '\0')
			p11_remove(k->w->core->p11, &k->w->session, &key.object);
		return false;
	}
	wire_put_text(&k->out, key.kid);
	wire_put_bytes(&k->out, key.spki);
	wire_put_bytes(&k->out, cert);
	wire_put_bytes(&k->out, sealed);
	wire_put_text(&k->out, key.object.label);
	return true;
}

/* ---- is it there? ---- */

/* The keys as they are now, held: in the module nobody waits for a lock of ours. */
static size_t
keys_hold(struct hsm_core *c, struct hsm_key *held[HSM_KEYS_MAX])
{
	pthread_mutex_lock(&c->lock);
	size_t n = c->n_keys;

	for (size_t i = 0; i < n; i++) {
		held[i] = c->keys[i];
		held[i]->refs++;
	}
	pthread_mutex_unlock(&c->lock);
	return n;
}

static bool
work_probe(struct work *k, struct err *err)
{
	struct hsm_core *c = k->w->core;
	struct hsm_key *held[HSM_KEYS_MAX];
	size_t n = keys_hold(c, held), missing = 0;
	bool ok = p11_probe(c->p11, &k->w->session, NULL, err);

	for (size_t i = 0; i < n; i++) {
		struct err why = {0};

		if (ok && !p11_probe(c->p11, &k->w->session, &held[i]->object, &why)) {
			missing += why.kind == ERR_NOT_FOUND;
			ok = why.kind == ERR_NOT_FOUND || FAIL(err, why.kind, NULL, "%s", why.text);
		}
		hsm_key_release(c, held[i]);
	}
	/* One that is missing fails alone; without any this is not the token that it was. */
	return ok && (n == 0 || missing < n ||
		      FAIL(err, ERR_UNAVAILABLE, NULL, "HSM: the token has none of the keys"));
}

/* ---- a job ---- */

static bool
work_op(struct work *k, struct err *err)
{
	switch (k->j->op) {
	case 0:
		return work_probe(k, err);
	case WIRE_SIGN:
		return work_sign(k, err);
	case WIRE_UNWRAP:
		return work_unwrap(k, err);
	case WIRE_AGREE:
		return work_agree(k, err);
	default:
		return work_generate(k, err);
	}
}

static void
work_answer(void *arg)
{
	struct work *k = arg;
	struct bytes answer;

	wire_begin(&k->out, k->j->a, ERR_NONE, k->j->number);
	if (work_op(k, &k->j->err) && wire_finish(&k->out, &answer, &k->j->err))
		k->j->answer = answer;
}

static void
error_answer(void *arg)
{
	struct work *k = arg;
	struct bytes answer;

	wire_begin(&k->out, k->j->a, (uint8_t)k->j->err.kind, k->j->number);
	wire_put_text(&k->out, k->j->err.text);
	if (wire_finish(&k->out, &answer, NULL))
		k->j->answer = answer;
}

void
hsm_job_work(struct hsm_worker *w, struct hsm_job *j)
{
	struct work k = {.w = w, .j = j};

	if (!arena_run(j->a, work_answer, &k))
		(void)FAIL(&j->err, ERR_INTERNAL, NULL, "request needs too much memory");
	/* For who asks, a key whose object is gone is a key that is away. */
	j->missing = j->err.kind == ERR_NOT_FOUND;
	if (j->missing && j->key != NULL)
		j->err.kind = ERR_UNAVAILABLE;
	if (j->err.kind != ERR_NONE && !arena_run(j->a, error_answer, &k))
		j->answer = (struct bytes){0};
	if (j->key != NULL && j->err.kind == ERR_NONE)
		atomic_fetch_add_explicit(&j->key->uses, 1, memory_order_relaxed);
}

/* ---- a thread ---- */

/* With the lock held: the one whose time is over first. */
static struct hsm_job *
job_next(struct hsm_core *c)
{
	struct hsm_job *next = NULL;

	for (uint32_t i = 0; i <= c->n_jobs; i++)
		if (c->jobs[i].state == HSM_JOB_WAITING &&
		    (next == NULL || c->jobs[i].deadline_us < next->deadline_us))
			next = &c->jobs[i];
	return next;
}

/* With the lock held: what this says of the token. */
static void
outcome_note(struct hsm_core *c, const struct hsm_job *j)
{
	if (j->err.kind == ERR_NONE) {
		c->done_us = clock_mono_us();
		c->ready = WIRE_HSM_UP;
		c->trouble[0] = '\0';
		c->done++;
	} else if (j->missing) {
		c->failed++; /* the next look says whether that is the token's fault */
	} else if (j->err.kind == ERR_UNAVAILABLE) {
		c->ready = WIRE_HSM_DOWN;
		c->failed++;
		snprintf(c->trouble, sizeof(c->trouble), "%.*s", (int)sizeof(c->trouble) - 1,
			 j->err.text);
	}
}

/* Answer it, unless that was done in its place, and give the place back. */
static void
job_end(struct hsm_core *c, struct hsm_job *j)
{
	pthread_mutex_lock(&c->lock);
	bool answer = j->state == HSM_JOB_WORKING && j->op != 0;

	outcome_note(c, j);
	j->state = HSM_JOB_ANSWERING;
	pthread_mutex_unlock(&c->lock);
	if (j->err.kind != ERR_NONE)
		atomic_fetch_add_explicit(&c->refused, 1, memory_order_relaxed);
	if (answer && j->answer.n > 0)
		(void)signer_answer_send(c->fd, j->answer);
	hsm_key_release(c, j->key);
	j->key = NULL;
	arena_reset(j->a);
	pthread_mutex_lock(&c->lock);
	j->state = HSM_JOB_FREE;
	pthread_mutex_unlock(&c->lock);
}

static void *
worker_main(void *arg)
{
	struct hsm_worker *w = arg;
	struct hsm_core *c = w->core;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		struct hsm_job *j = job_next(c);

		if (j == NULL) {
			pthread_cond_wait(&c->wake, &c->lock);
			continue;
		}
		j->state = HSM_JOB_WORKING;
		j->begun_us = clock_mono_us();
		pthread_mutex_unlock(&c->lock);
		hsm_job_work(w, j);
		job_end(c, j);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

bool
hsm_workers_start(struct hsm_core *c, struct err *err)
{
	for (uint32_t i = 0; i < c->n_workers; i++) {
		struct hsm_worker *w = &c->workers[i];

		w->core = c;
		w->started = pthread_create(&w->id, NULL, worker_main, w) == 0;
		if (!w->started)
			return FAIL(err, ERR_INTERNAL, NULL, "threads cannot be started");
	}
	return true;
}
