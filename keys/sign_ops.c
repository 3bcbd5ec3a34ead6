/* The questions to the signer (sign.h), each its fields out and its fields back. */
#include <string.h>

#include "base/enc.h"
#include "keys/sign_call.h"

#define SIGNATURE_MAX   2048
#define CONTENT_KEY_MAX 64
#define MAC_BYTES       32
#define STATUS_MAX      32768
#define NAMED_MAX       (WIRE_KID_MAX + 64) /* what sealing adds at most */

/* The answer is read to its end, or it is none. */
static bool
answer_end(const struct wire_reader *r, struct err *err)
{
	if (!wire_end(r))
		return FAIL(err, ERR_INTERNAL, NULL, "signer's answer is malformed");
	return true;
}

/* The commonest answer: one run of octets, which lies in the call's arena. */
static bool
ask_bytes(struct sign_call *c, size_t max, struct bytes *out, struct err *err)
{
	struct wire_reader r;

	if (!sign_call_ask(c, max + 4, &r, err))
		return false;
	struct bytes b = wire_bytes(&r, 0, max);

	if (!answer_end(&r, err))
		return false;
	*out = b;
	return true;
}

/* Begin a question about a key where it lies. */
static bool
begin_at_key(struct sign_call *c, struct signer *s, struct arena *a, enum wire_op op,
	     const char *kid, struct err *err)
{
	struct signer *asked;

	if (!sign_route(s, kid, &asked, err))
		return false;
	sign_call_begin(c, asked, a, op);
	wire_put_text(&c->fields, kid);
	return true;
}

/* A failure of the HSM is looked into at once, so that the next one need not use anything up. */
static bool
ask_key(struct signer *s, struct sign_call *c, size_t max, struct bytes *out, struct err *err)
{
	struct signer_hsm seen;
	struct err why = {0};

	if (ask_bytes(c, max, out, &why))
		return true;
	if (c->s != s && why.kind == ERR_UNAVAILABLE)
		signer_hsm_look(s, c->a, &seen);
	return FAIL(err, why.kind, why.proto, "%s", why.text);
}

static bool
ops_sign(void *ctx, struct arena *a, const char *kid, enum sig_alg alg, struct bytes text,
	 struct bytes *sig, struct err *err)
{
	struct sign_call c;

	if (!begin_at_key(&c, ctx, a, WIRE_SIGN, kid, err))
		return false;
	wire_put_u8(&c.fields, (uint8_t)alg);
	wire_put_bytes(&c.fields, text);
	return ask_key(ctx, &c, SIGNATURE_MAX, sig, err);
}

static bool
ops_unwrap(void *ctx, struct arena *a, const char *kid, enum wrap_alg alg, struct bytes wrapped,
	   struct bytes *key, struct err *err)
{
	struct sign_call c;

	if (!begin_at_key(&c, ctx, a, WIRE_UNWRAP, kid, err))
		return false;
	wire_put_u8(&c.fields, (uint8_t)alg);
	wire_put_bytes(&c.fields, wrapped);
	return ask_key(ctx, &c, CONTENT_KEY_MAX, key, err);
}

static bool
ops_agree(void *ctx, struct arena *a, const char *kid, struct bytes peer_spki,
	  struct bytes other_info, size_t key_bytes, struct bytes *key, struct err *err)
{
	struct sign_call c;

	if (!begin_at_key(&c, ctx, a, WIRE_AGREE, kid, err))
		return false;
	wire_put_bytes(&c.fields, peer_spki);
	wire_put_bytes(&c.fields, other_info);
	wire_put_u32(&c.fields, (uint32_t)key_bytes);
	return ask_key(ctx, &c, CONTENT_KEY_MAX, key, err);
}

struct key_ops
signer_key_ops(struct signer *s)
{
	return (struct key_ops){
		.ctx = s, .sign = ops_sign, .unwrap = ops_unwrap, .agree = ops_agree};
}

static bool
ask_mac(struct sign_call *c, unsigned char out[MAC_BYTES], struct err *err)
{
	struct bytes mac;

	if (!ask_bytes(c, MAC_BYTES, &mac, err))
		return false;
	if (mac.n != MAC_BYTES)
		return FAIL(err, ERR_INTERNAL, NULL, "signer's answer is malformed");
	memcpy(out, mac.p, MAC_BYTES);
	return true;
}

bool
signer_mac(struct signer *s, struct arena *a, enum key_purpose purpose, const char *kid,
	   const char *label, struct bytes data, unsigned char out[32], struct err *err)
{
	struct sign_call c;

	sign_call_begin(&c, s, a, WIRE_MAC);
	wire_put_u8(&c.fields, (uint8_t)purpose);
	wire_put_text(&c.fields, kid);
	wire_put_text(&c.fields, label);
	wire_put_bytes(&c.fields, data);
	return ask_mac(&c, out, err);
}

bool
signer_pseudonym(struct signer *s, struct arena *a, const char *kid,
		 const struct pseudonym_subject *subject, const char *sector, const char **out,
		 struct err *err)
{
	unsigned char mac[MAC_BYTES];
	struct sign_call c;

	sign_call_begin(&c, s, a, WIRE_PSEUDONYM);
	wire_put_text(&c.fields, kid);
	wire_put_u8(&c.fields, subject->kind);
	wire_put_text(&c.fields, subject->origin);
	wire_put_bytes(&c.fields, subject->id);
	wire_put_text(&c.fields, sector);
	if (!ask_mac(&c, mac, err))
		return false;
	*out = enc_base64url(a, (struct bytes){mac, sizeof(mac)});
	return true;
}

bool
signer_seal(struct signer *s, struct arena *a, const char *kid, struct bytes label,
	    struct bytes plain, struct bytes *sealed, struct err *err)
{
	struct sign_call c;

	sign_call_begin(&c, s, a, WIRE_SEAL);
	wire_put_text(&c.fields, kid);
	wire_put_bytes(&c.fields, label);
	wire_put_bytes(&c.fields, plain);
	return ask_bytes(&c, plain.n + NAMED_MAX, sealed, err);
}

bool
signer_open(struct signer *s, struct arena *a, struct bytes label, struct bytes sealed,
	    struct bytes *plain, struct err *err)
{
	struct sign_call c;

	sign_call_begin(&c, s, a, WIRE_OPEN);
	wire_put_bytes(&c.fields, label);
	wire_put_bytes(&c.fields, sealed);
	return ask_bytes(&c, sealed.n, plain, err);
}

bool
signer_mac_check(struct signer *s, struct arena *a, struct bytes label, struct bytes sealed,
		 struct bytes text, struct bytes mac, struct err *err)
{
	struct sign_call c;
	struct wire_reader r;

	sign_call_begin(&c, s, a, WIRE_MAC_CHECK);
	wire_put_bytes(&c.fields, label);
	wire_put_bytes(&c.fields, sealed);
	wire_put_bytes(&c.fields, text);
	wire_put_bytes(&c.fields, mac);
	if (!sign_call_ask(&c, 1, &r, err))
		return false;
	bool fits = wire_u8(&r) == 1;

	return answer_end(&r, err) &&
	       (fits || FAIL(err, ERR_INTERNAL, NULL, "signer's answer is malformed"));
}

bool
signer_account_new(struct signer *s, struct arena *a, struct bytes account_id,
		   struct bytes *wrapped, struct err *err)
{
	struct sign_call c;

	sign_call_begin(&c, s, a, WIRE_ACCOUNT_NEW);
	wire_put_bytes(&c.fields, account_id);
	return ask_bytes(&c, NAMED_MAX, wrapped, err);
}

bool
signer_account_rewrap(struct signer *s, struct arena *a, struct bytes account_id,
		      struct bytes wrapped, struct bytes *rewrapped, struct err *err)
{
	struct sign_call c;

	sign_call_begin(&c, s, a, WIRE_ACCOUNT_REWRAP);
	wire_put_bytes(&c.fields, account_id);
	wire_put_bytes(&c.fields, wrapped);
	return ask_bytes(&c, NAMED_MAX, rewrapped, err);
}

uint32_t
signer_account_epoch(struct bytes wrapped)
{
	return keyring_sealed_under(wrapped);
}

/* Values out, values back in the same order. */
static bool
account_values(struct signer *s, struct arena *a, enum wire_op op, struct bytes account_id,
	       struct bytes wrapped, const struct account_value *values, size_t n,
	       struct bytes *out, struct err *err)
{
	struct wire_reader r;
	struct sign_call c;

	if (n > ACCOUNT_VALUES_MAX)
		return FAIL(err, ERR_INPUT, NULL, "%zu values in one call", n);
	struct bytes *got = ARENA_ARRAY(a, struct bytes, n);

	sign_call_begin(&c, s, a, op);
	wire_put_bytes(&c.fields, account_id);
	wire_put_bytes(&c.fields, wrapped);
	wire_put_u32(&c.fields, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		wire_put_bytes(&c.fields, values[i].label);
		wire_put_bytes(&c.fields, values[i].data);
	}
	/* Sealing adds less to each value than its label and lengths took on the way there. */
	if (!sign_call_ask(&c, c.fields.n + n * NAMED_MAX, &r, err))
		return false;
	for (size_t i = 0; i < n; i++)
		got[i] = wire_bytes(&r, 0, WIRE_MAX);
	if (!answer_end(&r, err))
		return false;
	if (n > 0)
		memcpy(out, got, n * sizeof(*out));
	return true;
}

bool
signer_account_seal(struct signer *s, struct arena *a, struct bytes account_id,
		    struct bytes wrapped, const struct account_value *values, size_t n,
		    struct bytes *out, struct err *err)
{
	return account_values(s, a, WIRE_ACCOUNT_SEAL, account_id, wrapped, values, n, out, err);
}

bool
signer_account_open(struct signer *s, struct arena *a, struct bytes account_id,
		    struct bytes wrapped, const struct account_value *values, size_t n,
		    struct bytes *out, struct err *err)
{
	return account_values(s, a, WIRE_ACCOUNT_OPEN, account_id, wrapped, values, n, out, err);
}

/* The fields that both kinds of making have in common, out and back. */
static bool
put_wish(struct sign_call *c, const struct key_wish *wish, time_t now, struct err *err)
{
	bool has_cert = key_has_cert(wish->purpose, wish->type);

	if (has_cert && (wish->cert_days < 1 || wish->cert_days > 36500))
		return FAIL(err, ERR_INPUT, NULL, "certificate for %lld days",
			    (long long)wish->cert_days);
	wire_put_u8(&c->fields, (uint8_t)wish->purpose);
	wire_put_u8(&c->fields, (uint8_t)wish->type);
	wire_put_u64(&c->fields, (uint64_t)now);
	wire_put_u32(&c->fields, has_cert ? (uint32_t)wish->cert_days : 0);
	return true;
}

static struct key_row
take_made(struct wire_reader *r, struct arena *a, const struct key_wish *wish, time_t now,
	  enum key_place place)
{
	struct key_row made = {.purpose = wish->purpose,
			       .type = wish->type,
			       .state = KEY_PLANNED,
			       .place = place,
			       .created = now,
			       .state_since = now};

	made.kid = wire_text(r, a, 1, WIRE_KID_MAX);
	made.spki = wire_bytes(r, 0, WIRE_SPKI_MAX);
	made.cert = wire_bytes(r, 0, WIRE_DATA_MAX);
	made.sealed = wire_bytes(r, 1, WIRE_SEALED_KEY_MAX);
	return made;
}

bool
signer_generate(struct signer *s, struct arena *a, const struct key_wish *wish, time_t now,
		struct key_row *row, struct err *err)
{
	struct wire_reader r;
	struct sign_call c;

	sign_call_begin(&c, s, a, WIRE_GENERATE);
	if (!put_wish(&c, wish, now, err) || !sign_call_ask(&c, WIRE_DATA_MAX, &r, err))
		return false;
	struct key_row made = take_made(&r, a, wish, now, KEY_SEALED);

	if (!answer_end(&r, err))
		return false;
	*row = made;
	return true;
}

bool
signer_hsm_generate(struct signer *s, struct arena *a, const struct key_wish *wish,
		    const char *adopt, time_t now, struct key_row *row, const char **object,
		    struct err *err)
{
	struct signer *hsm = sign_hsm_of(s);
	struct wire_reader r;
	struct sign_call c;

	if (hsm == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no HSM is set up");
	sign_call_begin(&c, hsm, a, WIRE_HSM_GENERATE);
	if (!put_wish(&c, wish, now, err))
		return false;
	wire_put_text(&c.fields, adopt == NULL ? "" : adopt);
	if (!sign_call_ask(&c, WIRE_DATA_MAX, &r, err))
		return false;
	struct key_row made = take_made(&r, a, wish, now, KEY_HSM);
	const char *label = wire_text(&r, a, 1, WIRE_LABEL_MAX);

	if (!answer_end(&r, err))
		return false;
	*row = made;
	*object = label;
	return true;
}

/* What its process says, NULL: it does not answer. */
static const char *
hsm_state(struct signer *hsm, struct arena *a, struct signer_hsm *out)
{
	struct err why = {0};
	struct wire_reader r;
	struct sign_call c;

	sign_call_begin(&c, hsm, a, WIRE_HSM_STATE);
	if (!sign_call_ask(&c, STATUS_MAX, &r, &why))
		return arena_strdup(a, why.text);
	out->ready = wire_u8(&r) == WIRE_HSM_UP;
	const char *trouble = wire_text(&r, a, 0, WIRE_LABEL_MAX);

	out->jobs = wire_u32(&r);
	out->done = wire_u64(&r);
	out->failed = wire_u64(&r);
	return answer_end(&r, &why) ? trouble : arena_strdup(a, why.text);
}

void
signer_hsm_look(struct signer *s, struct arena *a, struct signer_hsm *out)
{
	struct signer *hsm = sign_hsm_of(s);
	struct signer_hsm got = {.needed = sign_hsm_needed(s), .there = hsm != NULL};
	unsigned turn = sign_hsm_turn(s);

	got.trouble = hsm == NULL ? "no HSM is set up" : hsm_state(hsm, a, &got);
	/* Not ready and no trouble: it has only just begun. */
	sign_hsm_note(s, turn, !got.ready && got.trouble[0] != '\0');
	*out = got;
}

bool
signer_rewrap(struct signer *s, struct arena *a, const struct key_row *row, struct bytes *sealed,
	      struct err *err)
{
	struct signer *hsm = sign_hsm_of(s);
	struct sign_call c;

	if (row->place == KEY_HSM && hsm == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "key %s lies in an HSM, and none is set up",
			    row->kid);
	sign_call_begin(&c, row->place == KEY_HSM ? hsm : s, a, WIRE_REWRAP);
	wire_put_text(&c.fields, row->kid);
	wire_put_u8(&c.fields, (uint8_t)row->purpose);
	wire_put_u8(&c.fields, (uint8_t)row->type);
	wire_put_bytes(&c.fields, row->spki);
	wire_put_bytes(&c.fields, row->sealed);
	return ask_bytes(&c, WIRE_SEALED_KEY_MAX, sealed, err);
}

static bool
status_of(struct signer *s, struct arena *a, struct signer_status *out, struct err *err)
{
	struct signer_key_count *counts;
	struct signer_status got;
	struct wire_reader r;
	struct sign_call c;

	sign_call_begin(&c, s, a, WIRE_STATUS);
	if (!sign_call_ask(&c, STATUS_MAX, &r, err))
		return false;
	got.requests = wire_u64(&r);
	got.refused = wire_u64(&r);
	got.memory_locked = wire_u8(&r) != 0;
	got.newest_master = wire_u32(&r);
	got.newest_epoch = wire_u32(&r);
	got.n_keys = wire_u32(&r);
	if (r.bad || got.n_keys > STATUS_MAX)
		return answer_end(&(struct wire_reader){.bad = true}, err);
	counts = ARENA_ARRAY(a, struct signer_key_count, got.n_keys);
	for (size_t i = 0; i < got.n_keys; i++) {
		counts[i].kid = wire_text(&r, a, 1, WIRE_KID_MAX);
		counts[i].uses = wire_u64(&r);
	}
	if (!answer_end(&r, err))
		return false;
	got.keys = counts;
	*out = got;
	return true;
}

/* The counts of both, one after the other. */
static void
counts_join(struct arena *a, struct signer_status *all, const struct signer_status *more)
{
	size_t n = all->n_keys + more->n_keys;
	struct signer_key_count *keys = ARENA_ARRAY(a, struct signer_key_count, n);

	for (size_t i = 0; i < n; i++)
		keys[i] = i < all->n_keys ? all->keys[i] : more->keys[i - all->n_keys];
	all->keys = keys;
	all->n_keys = n;
}

bool
signer_status(struct signer *s, struct arena *a, struct signer_status *out, struct err *err)
{
	struct signer *hsm = sign_hsm_of(s);
	struct signer_status own = {0}, its = {0};

	if (!status_of(s, a, &own, err))
		return false;
	if (hsm != NULL && status_of(hsm, a, &its, NULL))
		counts_join(a, &own, &its);
	*out = own;
	return true;
}
