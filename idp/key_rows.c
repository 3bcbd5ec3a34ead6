/* Keys between database and keyring; see key_rows.h. */
#include "idp/key_rows.h"

static struct key_row
from_db(const struct db_key *k)
{
	return (struct key_row){
		.kid = k->kid,
		.purpose = (enum key_purpose)k->purpose,
		.type = (enum key_type)k->type,
		.state = (enum key_state)k->state,
		.place = (enum key_place)k->place,
		.generation = k->generation,
		.spki = k->spki,
		.cert = k->certificate,
		.sealed = k->sealed,
		.created = k->created,
		.state_since = k->state_since,
	};
}

struct db_key
key_row_to_db(const struct key_row *row)
{
	return (struct db_key){
		.kid = row->kid,
		.purpose = (int)row->purpose,
		.type = (int)row->type,
		.state = (enum db_key_state)row->state,
		.place = (enum db_key_place)row->place,
		.spki = row->spki,
		.certificate = row->cert,
		.sealed = row->sealed,
	};
}

bool
key_rows_load(const struct db_call *c, const struct keyring **out, struct err *err)
{
	const struct db_key *rows;
	size_t n;

	if (!db_key_list(c, &rows, &n, err))
		return false;
	struct key_row *keys = ARENA_ARRAY(c->a, struct key_row, n + 1);

	for (size_t i = 0; i < n; i++)
		keys[i] = from_db(&rows[i]);
	return keyring_create(c->a, keys, n, out, err);
}
