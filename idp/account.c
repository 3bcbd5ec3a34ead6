/* Accounts for pages and portals; see account.h. */
#include "idp/account.h"

#include <string.h>

#include "base/buf.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/pseudonym.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/password.h"
#include "keys/sign.h"

/* First octet of a sealed attribute value: what the rest is. */
#define VALUE_TEXT  't'
#define VALUE_EMPTY 'e' /* verified: there is none */

struct account_work
account_work_of(const struct request *rq)
{
	return (struct account_work){
		.a = rq->a,
		.db = {rq->app->db, rq->a, rq->deadline_us},
		.signer = rq->app->signer,
		.keyring = rq->snap->keyring,
		.password_cost = config_password_cost(rq->app->config),
		.ref = rq->ref,
		.now = rq->now,
	};
}

bool
account_login_name(struct arena *a, const char *typed, const char **out, struct err *err)
{
	/* Not normalized: NFC makes letters of ASCII out of others (Kelvin sign), and one person of
	 * two. */
	char *name = text_trim(a, typed);
	size_t n = strlen(name);

	if (n < 3 || n > LOGIN_NAME_MAX_BYTES)
		return FAIL(err, ERR_INPUT, NULL, "login name: 3 to %d bytes",
			    LOGIN_NAME_MAX_BYTES);
	for (char *p = name; *p != '\0'; p++) {
		if ((unsigned char)*p <= 0x20 || *p == 0x7f)
			return FAIL(err, ERR_INPUT, NULL, "login name: blank or control character");
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	*out = name;
	return true;
}

/* The kid of the active secret of a purpose. */
static bool
secret_kid(const struct account_work *w, enum key_purpose purpose, const char **out,
	   struct err *err)
{
	const struct key *k = keyring_active(w->keyring, purpose, KEY_SECRET);

	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active %s key",
			    key_purpose_name(purpose));
	*out = k->row.kid;
	return true;
}

bool
account_lookup(const struct account_work *w, const char *login_name, struct bytes *out,
	       struct err *err)
{
	unsigned char *mac = arena_alloc(w->a, 32);
	const char *kid;

	if (!secret_kid(w, KEY_LOOKUP, &kid, err) ||
	    !signer_mac(w->signer, w->a, KEY_LOOKUP, kid, "login-name", bytes_of(login_name), mac,
			err))
		return false;
	*out = (struct bytes){mac, 32};
	return true;
}

static struct bytes
id_bytes(struct arena *a, struct subject_id id)
{
	return arena_bytes(a, (struct bytes){id.octets, sizeof(id.octets)});
}

/* What the signer opened, as text; the first octet says whether it is one. */
static bool
read_value(struct arena *a, struct bytes plain, struct held *h, struct err *err)
{
	if (plain.n == 0 || (plain.p[0] != VALUE_TEXT && plain.p[0] != VALUE_EMPTY))
		return FAIL(err, ERR_INTERNAL, NULL, "%s: not a stored value", h->at->name);
	h->verified_empty = plain.p[0] == VALUE_EMPTY;
	return text_from_bytes(a, (struct bytes){plain.p + 1, plain.n - 1}, h->at->max_bytes,
			       h->at->name, &h->value, err);
}

bool
account_open(const struct account_work *w, const struct db_subject *subject,
	     const struct db_attribute *rows, size_t n, struct held_list *out, struct err *err)
{
	struct account_value *values = ARENA_ARRAY(w->a, struct account_value, n + 1);
	struct bytes *plain = ARENA_ARRAY(w->a, struct bytes, n + 1);
	struct held *held = ARENA_ARRAY(w->a, struct held, n + 1);
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		const struct attribute *at = attribute_by_name(rows[i].name);

		if (at == NULL)
			continue;
		values[used] = (struct account_value){bytes_of(at->name), rows[i].sealed};
		held[used++] = (struct held){.at = at,
					     .level = (enum level)rows[i].level,
					     .source = rows[i].source,
					     .verified_at = rows[i].verified_at,
					     .proofing = rows[i].proofing};
	}
	if (used > 0 && !signer_account_open(w->signer, w->a, id_bytes(w->a, subject->id),
					     subject->account_key, values, used, plain, err))
		return false;
	for (size_t i = 0; i < used; i++)
		if (!read_value(w->a, plain[i], &held[i], err))
			return false;
	*out = (struct held_list){held, used};
	return true;
}

bool
account_attributes(const struct account_work *w, const struct db_subject *subject,
		   struct held_list *out, struct err *err)
{
	const struct db_attribute *rows;
	size_t n;

	return db_attribute_load(&w->db, subject->id, &rows, &n, err) &&
	       account_open(w, subject, rows, n, out, err);
}

bool
account_seal(const struct account_work *w, struct subject_id id, struct bytes account_key,
	     const struct held *held, size_t n, struct db_attribute *out, struct err *err)
{
	struct account_value *values = ARENA_ARRAY(w->a, struct account_value, n + 1);
	struct bytes *sealed = ARENA_ARRAY(w->a, struct bytes, n + 1);

	for (size_t i = 0; i < n; i++) {
		const char *text;

		if (!text_nfc(w->a, held[i].verified_empty ? "" : held[i].value, &text, err))
			return false;
		char *v = arena_printf(w->a, "%c%s",
				       held[i].verified_empty ? VALUE_EMPTY : VALUE_TEXT, text);

		values[i] = (struct account_value){bytes_of(held[i].at->name), bytes_of(v)};
	}
	if (n > 0 && !signer_account_seal(w->signer, w->a, id_bytes(w->a, id), account_key, values,
					  n, sealed, err))
		return false;
	for (size_t i = 0; i < n; i++)
		out[i] = (struct db_attribute){
			.name = held[i].at->name,
			.sealed = sealed[i],
			.empty = held[i].verified_empty,
			.level = (int)held[i].level,
			.source = held[i].source,
			.verified_at = held[i].verified_at,
		};
	return true;
}

/* Whose the key of a value is that belongs to no account. */
static const char own_id[16] = "no account here";

#define OWN_KEY_MAX 255 /* octets, wrapped; one octet before it says how many */

/* A key made for this value alone, before it. */
static bool
own_seal(const struct request *rq, const char *label, struct bytes plain, struct bytes *sealed,
	 struct err *err)
{
	const struct account_value value = {bytes_of(label), plain};
	const struct bytes id = {(const unsigned char *)own_id, sizeof(own_id)};
	struct bytes key, inner;
	struct buf b;

	if (!signer_account_new(rq->app->signer, rq->a, id, &key, err) ||
	    !signer_account_seal(rq->app->signer, rq->a, id, key, &value, 1, &inner, err))
		return false;
	if (key.n > OWN_KEY_MAX) /* second line: the signer makes them shorter */
		return FAIL(err, ERR_INTERNAL, NULL, "a wrapped key of %zu octets", key.n);
	buf_init(&b, rq->a, 1 + key.n + inner.n);
	buf_char(&b, (char)key.n);
	buf_add(&b, key);
	buf_add(&b, inner);
	return buf_finish(&b, sealed, err);
}

static bool
own_open(const struct request *rq, const char *label, struct bytes sealed, struct bytes *plain,
	 struct err *err)
{
	const struct bytes id = {(const unsigned char *)own_id, sizeof(own_id)};
	size_t n = sealed.n == 0 ? 0 : sealed.p[0];

	if (sealed.n <= 1 + n)
		return FAIL(err, ERR_INPUT, NULL, "a sealed value cut short");
	const struct account_value value = {bytes_of(label), {sealed.p + 1 + n, sealed.n - 1 - n}};

	return signer_account_open(rq->app->signer, rq->a, id, (struct bytes){sealed.p + 1, n},
				   &value, 1, plain, err);
}

bool
account_value_seal(const struct request *rq, const struct account_lock *of, const char *label,
		   struct bytes plain, struct bytes *sealed, struct err *err)
{
	const struct account_value value = {bytes_of(label), plain};

	if (of == NULL)
		return own_seal(rq, label, plain, sealed, err);
	return signer_account_seal(rq->app->signer, rq->a, id_bytes(rq->a, of->id), of->key, &value,
				   1, sealed, err);
}

bool
account_value_open(const struct request *rq, const struct account_lock *of, const char *label,
		   struct bytes sealed, struct bytes *plain, struct err *err)
{
	const struct account_value value = {bytes_of(label), sealed};
	struct err why = {0};

	if (of == NULL ? own_open(rq, label, sealed, plain, &why)
		       : signer_account_open(rq->app->signer, rq->a, id_bytes(rq->a, of->id),
					     of->key, &value, 1, plain, &why))
		return true;
	/* It is there, and we cannot read it: no fault of who asks. */
	return FAIL(err,
		    why.kind == ERR_NOT_FOUND || why.kind == ERR_INPUT ? ERR_UNAVAILABLE : why.kind,
		    NULL, "%s", why.text);
}

bool
account_create(const struct account_work *w, struct kdf_memory *memory,
	       const struct account_person *person, struct subject_id *out, struct err *err)
{
	struct db_attribute *rows = ARENA_ARRAY(w->a, struct db_attribute, person->n + 1);
	struct db_credential password = {.kind = DB_PASSWORD, .level = LEVEL_LOW};
	struct db_account_new account = {
		.subject = {.id = subject_id_create(), .kind = DB_PERSON, .origin = DB_LOCAL},
		.credentials = &password,
		.n_credentials = 1,
		.attributes = rows,
		.n_attributes = person->n,
	};
	struct subject_id id = account.subject.id;
	struct db_audit audit = {
		.event = AUDIT_ACCOUNT_CREATED,
		.ref = w->ref,
		.subject = &id,
	};

	rand_bytes(password.id, sizeof(password.id));
	if (!account_lookup(w, person->login_name, &account.lookup, err) ||
	    !password_hash(w, memory, person->password, &password.secret, err) ||
	    !signer_account_new(w->signer, w->a, id_bytes(w->a, id), &account.subject.account_key,
				err) ||
	    !account_seal(w, id, account.subject.account_key, person->held, person->n, rows, err) ||
	    !db_account_create(&w->db, &account, &audit, w->now, err))
		return false;
	*out = id;
	return true;
}

static bool
make_pseudonym(const struct account_work *w, const struct db_subject *subject, const char *sector,
	       const struct key **with, const char **out, struct err *err)
{
	bool foreign = subject->origin == DB_FOREIGN;
	struct pseudonym_subject who = {
		.kind = (uint8_t)subject->kind,
		.origin = foreign ? subject->issuer : "local",
		.id = foreign ? bytes_of(subject->foreign_id) : id_bytes(w->a, subject->id),
	};
	const struct key *k = keyring_active(w->keyring, KEY_PSEUDONYM, KEY_SECRET);

	if (k == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active pseudonym key");
	*with = k;
	return signer_pseudonym(w->signer, w->a, k->row.kid, &who, sector, out, err);
}

bool
account_pseudonym_made(const struct account_work *w, const struct db_subject *subject,
		       const char *sector, const char **out, struct err *err)
{
	const struct key *k;

	return make_pseudonym(w, subject, sector, &k, out, err);
}

bool
account_pseudonym(const struct account_work *w, const struct db_subject *subject,
		  const char *sector, const char *kept, const char **out, struct err *err)
{
	const struct key *k;
	const char *made;

	if (kept != NULL) {
		*out = kept;
		return true;
	}
	return make_pseudonym(w, subject, sector, &k, &made, err) &&
	       db_pseudonym_keep(&w->db, subject->id, sector, k->row.generation, made, w->now, out,
				 err);
}

static const char *
held_value(struct held_list held, const char *name)
{
	for (size_t i = 0; i < held.n; i++)
		if (strcmp(held.p[i].at->name, name) == 0)
			return held.p[i].value;
	return "";
}

const char *
account_person_name(struct arena *a, struct held_list held)
{
	return text_trim(a, arena_printf(a, "%s %s", held_value(held, "given_names"),
					 held_value(held, "family_name")));
}
