/*
 * The keys of accounts: random, one each, wrapped under the epoch key that only
 * the master key file holds.  What is sealed under them opens as long as that
 * epoch key exists; a deleted account's backups close with it.
 */
#include "keys/signer_core.h"

#include <string.h>

#include "base/rand.h"

#define ID_MAX     64
#define VALUES_MAX 256
#define WRAPPED    (PRIVATE_SECRET_BYTES + SEAL_OVERHEAD)

/* A wrapped key is bound to its account, a value to its label. */
static struct bytes
wrap_aad(struct signer_op *o, struct bytes account_id)
{
	return signer_aad(o->a, "kontor account key", o->core->instance, &account_id, 1);
}

static struct bytes
value_aad(struct signer_op *o, struct bytes label)
{
	return signer_aad(o->a, "kontor account value", o->core->instance, &label, 1);
}

static struct seal *
epoch_newest(struct signer_op *o)
{
	return &o->lane->epochs[o->core->n_epochs - 1];
}

/* The account's key, from WRAPPED octets; ERR_NOT_FOUND when its epoch was destroyed. */
static bool
key_unwrap(struct signer_op *o, struct bytes account_id, struct bytes wrapped, struct bytes *key,
	   struct err *err)
{
	struct seal *epoch = NULL;
	uint32_t id;

	if (!seal_key_id(wrapped, &id))
		return FAIL(err, ERR_INPUT, NULL, "sealed value does not open");
	for (size_t i = 0; i < o->core->n_epochs; i++)
		if (o->lane->epochs[i].id == id)
			epoch = &o->lane->epochs[i];
	if (epoch == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "epoch key %u is not there", id);
	return seal_read(epoch, o->a, wrap_aad(o, account_id), wrapped, key, err);
}

bool
signer_op_account_new(struct signer_op *o, struct err *err)
{
	struct bytes id = wire_bytes(&o->in, 1, ID_MAX), wrapped;
	unsigned char *key = arena_alloc(o->a, PRIVATE_SECRET_BYTES);

	if (!signer_op_end(o, err))
		return false;
	rand_bytes(key, PRIVATE_SECRET_BYTES);
	if (!seal_write(epoch_newest(o), o->a, wrap_aad(o, id),
			(struct bytes){key, PRIVATE_SECRET_BYTES}, &wrapped, err))
		return false;
	wire_put_bytes(&o->out, wrapped);
	return true;
}

bool
signer_op_account_rewrap(struct signer_op *o, struct err *err)
{
	struct bytes id = wire_bytes(&o->in, 1, ID_MAX);
	struct bytes wrapped = wire_bytes(&o->in, WRAPPED, WRAPPED), key;
	uint32_t epoch = 0;

	if (!signer_op_end(o, err) || !key_unwrap(o, id, wrapped, &key, err))
		return false;
	if (seal_key_id(wrapped, &epoch) && epoch != epoch_newest(o)->id &&
	    !seal_write(epoch_newest(o), o->a, wrap_aad(o, id), key, &wrapped, err))
		return false;
	wire_put_bytes(&o->out, wrapped);
	return true;
}

struct value {
	struct bytes label, data;
};

/*
 * Account, wrapped key, then pairs of label and data; the account's key is then
 * in the lane's cipher.  NULL: refused.
 */
static const struct value *
values_decode(struct signer_op *o, size_t data_max, uint32_t *n, struct err *err)
{
	struct bytes id = wire_bytes(&o->in, 1, ID_MAX);
	struct bytes wrapped = wire_bytes(&o->in, WRAPPED, WRAPPED), key;
	struct value *values;

	*n = wire_u32(&o->in);
	o->in.bad |= *n > VALUES_MAX;
	values = ARENA_ARRAY(o->a, struct value, o->in.bad ? 0 : *n);
	for (uint32_t i = 0; !o->in.bad && i < *n; i++) {
		values[i].label = wire_bytes(&o->in, 1, WIRE_LABEL_MAX);
		values[i].data = wire_bytes(&o->in, 0, data_max);
	}
	if (!signer_op_end(o, err) || !key_unwrap(o, id, wrapped, &key, err) ||
	    !seal_rekey(&o->lane->account, 0, key.p, err))
		return NULL;
	return values;
}

typedef bool (*value_fn)(struct seal *s, struct arena *a, struct bytes aad, struct bytes in,
			 struct bytes *out, struct err *err);

/* Seal or open each; the account's key leaves the cipher afterwards. */
static bool
values_handle(struct signer_op *o, size_t data_max, value_fn fn, struct err *err)
{
	static const unsigned char no_key[PRIVATE_SECRET_BYTES];
	struct bytes out;
	uint32_t n;
	const struct value *values = values_decode(o, data_max, &n, err);
	bool ok = values != NULL;

	for (uint32_t i = 0; ok && i < n; i++) {
		ok = fn(&o->lane->account, o->a, value_aad(o, values[i].label), values[i].data,
			&out, err);
		if (ok)
			wire_put_bytes(&o->out, out);
	}
	return seal_rekey(&o->lane->account, 0, no_key, err) && ok;
}

bool
signer_op_account_seal(struct signer_op *o, struct err *err)
{
	return values_handle(o, WIRE_DATA_MAX, seal_write, err);
}

bool
signer_op_account_open(struct signer_op *o, struct err *err)
{
	return values_handle(o, WIRE_DATA_MAX + SEAL_OVERHEAD, seal_read, err);
}
