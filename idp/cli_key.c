/* kontor key: make keys, show them, move them through their lives. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "db/epoch.h"
#include "db/key.h"
#include "db/migrate.h"
#include "idp/audit.h"
#include "idp/cli_work.h"
#include "idp/epoch.h"
#include "idp/key_rows.h"
#include "keys/masterfile.h"
#include "keys/sign.h"

#define BATCH_ARENA_BYTES  ((size_t)16 * 1024 * 1024)
#define BATCH_LIMIT_US     ((int64_t)60 * 1000000)
#define RECORD_ARENA_BYTES ((size_t)1024 * 1024)
#define RECORD_LIMIT_US    ((int64_t)10 * 1000000)
#define CERT_DAYS          3650
#define PEM_BYTES          65536
#define PEM_LINE           64                    /* RFC 7468 2 */
#define MIN_PUBLISHED_S    ((int64_t)14 * 86400) /* longest cache of SAML peers */

/* What an instance needs before it can serve. */
static const struct key_wish first_keys[] = {
	{KEY_SAML_SIGN, KEY_P256, CERT_DAYS}, {KEY_SAML_SIGN, KEY_RSA3072, CERT_DAYS},
	{KEY_OIDC_SIGN, KEY_P256, CERT_DAYS}, {KEY_OIDC_SIGN, KEY_RSA3072, CERT_DAYS},
	{KEY_DECRYPT, KEY_P256, CERT_DAYS},   {KEY_DECRYPT, KEY_RSA3072, CERT_DAYS},
	{KEY_SEAL, KEY_SECRET, CERT_DAYS},    {KEY_PSEUDONYM, KEY_SECRET, CERT_DAYS},
	{KEY_PEPPER, KEY_SECRET, CERT_DAYS},  {KEY_LOOKUP, KEY_SECRET, CERT_DAYS},
	{KEY_COOKIE, KEY_SECRET, CERT_DAYS},  {KEY_AUDIT, KEY_SECRET, CERT_DAYS},
};

static const char *
day_text(struct arena *a, time_t t)
{
	return t == 0 ? "-" : arena_strndup(a, clock_text(a, t), 10);
}

/* Where a new key is to lie. */
struct key_where {
	bool hsm;
	const char *adopt;  /* label of the object that it is; NULL: one is made */
	const char *object; /* label of the object that it became */
};

static bool
add_key(struct cli_work *work, const struct key_wish *wish, struct key_where *where,
	enum db_key_state state, const char **kid, struct err *err)
{
	struct db_audit audit = cli_audit(work, AUDIT_KEY_ADDED);
	struct account_work *w = &work->w;
	struct key_row row;
	int64_t generation;

	if (where->hsm ? !signer_hsm_generate(w->signer, w->a, wish, where->adopt, w->now, &row,
					      &where->object, err)
		       : !signer_generate(w->signer, w->a, wish, w->now, &row, err))
		return false;
	struct db_key k = key_row_to_db(&row);

	k.state = state;
	audit.details =
		audit_details(work->w.a, "kid", row.kid, "purpose", key_purpose_name(row.purpose),
			      "type", key_type_name(row.type), "object", where->object, NULL);
	*kid = row.kid;
	return db_key_add(&work->w.db, &k, &audit, work->w.now, &generation, err);
}

/* ---- kontor key init ---- */

/* A file that was made now; it goes again with a failure before it was spoken of. */
struct made_master {
	const char *path;
	bool made, told;
};

static void
forget_untold(void *p)
{
	const struct made_master *m = p;

	if (m->made && !m->told)
		unlink(m->path);
}

static bool
init_master(struct cli *cli, struct made_master *m, struct err *err)
{
	struct masterfile *mf = ARENA_NEW(cli->a, struct masterfile);
	struct err why = {0};
	const char *path = m->path;

	arena_defer(cli->a, forget_untold, m);
	if (masterfile_read(cli->a, path, mf, &why))
		return true;
	if (why.kind != ERR_NOT_FOUND)
		return FAIL(err, why.kind, NULL, "%s", why.text);
	masterfile_init(mf, clock_now());
	m->made = masterfile_create(cli->a, mf, path, err);
	return m->made;
}

static enum cli_exit
key_init(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	struct cli_work work;
	struct config config;
	struct made_master *master = ARENA_NEW(cli->a, struct made_master);
	struct err err = {0};
	int64_t made = 0;

	if (rc != CLI_OK)
		return rc;
	if (!cli_config(cli, false, &config, &err) ||
	    !db_schema_check(cli->a, config.database, db_migrations, &err))
		return cli_fail(cli, &err);
	master->path = config.master_key_file;
	if (!init_master(cli, master, &err))
		return cli_fail(cli, &err);
	if (!cli_work_open(cli, CLI_SIGNER, &work, &err)) {
		/* What was sealed before is lost on a new file; the old one has to come back. */
		if (master->made && err.kind == ERR_INPUT) {
			err_clear(&err);
			(void)FAIL(&err, ERR_DENIED, NULL,
				   "the database holds keys of another master key file: bring it "
				   "to %s",
				   config.master_key_file);
		}
		return cli_fail(cli, &err);
	}
	master->told = true;
	if (master->made)
		fputs("kontor: master key file made; keep a copy apart from the database and its "
		      "backups\n",
		      stderr);
	for (size_t i = 0; i < ARRAY_LEN(first_keys); i++) {
		const struct key_wish *wish = &first_keys[i];
		struct key_where where = {.hsm = false};
		const char *kid;

		if (keyring_active(work.w.keyring, wish->purpose, wish->type) != NULL)
			continue;
		if (!add_key(&work, wish, &where, DB_KEY_ACTIVE, &kid, &err))
			return cli_fail(cli, &err);
		made++;
	}
	json_t *o = json_new_object(cli->a);

	json_put_bool(cli->a, o, "master_key_made", master->made);
	json_put_i64(cli->a, o, "keys_made", made);
	return cli_tell(cli, o, arena_printf(cli->a, "%lld keys made\n", (long long)made));
}

/* ---- kontor key list ---- */

#define LIST_LINE "%-32s %-15s %-7s %-9s %-6s %-10s %s\n"

static json_t *
key_json(struct arena *a, const struct key *k)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "kid", k->row.kid);
	json_put_str(a, o, "purpose", key_purpose_name(k->row.purpose));
	json_put_str(a, o, "type", key_type_name(k->row.type));
	json_put_str(a, o, "state", key_state_name(k->row.state));
	json_put_str(a, o, "place", key_place_name(k->row.place));
	json_put_i64(a, o, "generation", k->row.generation);
	json_put_i64(a, o, "sealed_under", keyring_sealed_under(k->row.sealed));
	json_put_i64(a, o, "created", (int64_t)k->row.created);
	json_put_i64(a, o, "state_since", (int64_t)k->row.state_since);
	json_put_i64(a, o, "certificate_not_after", (int64_t)k->cert_not_after);
	return o;
}

static enum cli_exit
key_list(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	json_t *list = json_new_array(cli->a), *o = json_new_object(cli->a);
	const struct keyring *kr;
	const struct key *k;
	struct cli_work work;
	struct err err = {0};
	struct buf text;
	const char *out;

	if (rc != CLI_OK)
		return rc;
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) || !key_rows_load(&work.w.db, &kr, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, 1024 * 1024);
	buf_printf(&text, LIST_LINE, "KID", "PURPOSE", "TYPE", "STATE", "PLACE", "SINCE",
		   "VALID UNTIL");
	for (size_t i = 0; (k = keyring_each(kr, &i)) != NULL;) {
		json_push(cli->a, list, key_json(cli->a, k));
		buf_printf(&text, LIST_LINE, k->row.kid, key_purpose_name(k->row.purpose),
			   key_type_name(k->row.type), key_state_name(k->row.state),
			   key_place_name(k->row.place), day_text(cli->a, k->row.state_since),
			   day_text(cli->a, k->cert_not_after));
	}
	json_put(cli->a, o, "keys", list);
	if (!buf_finish_str(&text, &out, &err))
		return cli_fail(cli, &err);
	return cli_tell(cli, o, out);
}

/* For those who pin the key by it. */
static enum cli_exit
key_certificate(struct cli *cli)
{
	const char *kid = cli_word(cli);
	const struct keyring *kr;
	const struct key *k;
	struct cli_work work;
	struct err err = {0};
	enum cli_exit rc;

	if (kid == NULL)
		return cli_usage(cli, "which one? KID is missing");
	rc = cli_work_begin(cli, CLI_DATABASE, &work);
	if (rc != CLI_OK)
		return rc;
	if (!key_rows_load(&work.w.db, &kr, &err))
		return cli_fail(cli, &err);
	k = keyring_find(kr, kid);
	if (k == NULL || k->row.cert.n == 0) {
		(void)!FAIL(&err, ERR_NOT_FOUND, NULL, "%s: no key with a certificate",
			    text_one_line(cli->a, kid));
		return cli_fail(cli, &err);
	}
	const char *base64 = enc_base64(cli->a, k->row.cert);
	json_t *o = json_new_object(cli->a);
	struct buf text;
	const char *pem;

	buf_init(&text, cli->a, PEM_BYTES);
	buf_str(&text, "-----BEGIN CERTIFICATE-----\n");
	for (size_t i = 0; i < strlen(base64); i += PEM_LINE)
		buf_printf(&text, "%.*s\n", PEM_LINE, base64 + i);
	buf_str(&text, "-----END CERTIFICATE-----\n");
	if (!buf_finish_str(&text, &pem, &err))
		return cli_fail(cli, &err);
	json_put_str(cli->a, o, "kid", kid);
	json_put_str(cli->a, o, "certificate", pem);
	return cli_tell(cli, o, pem);
}

/* ---- kontor key generate ---- */

static enum cli_exit
key_generate(struct cli *cli)
{
	const char *purpose = cli_word(cli), *type = cli_word(cli), *kid;
	bool hsm = cli_flag(cli, "--hsm");
	struct key_where where = {.hsm = hsm, .adopt = cli_value(cli, "--hsm-object")};
	enum cli_exit rc = cli_end(cli);
	struct key_wish wish = {.cert_days = CERT_DAYS};
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (purpose == NULL || type == NULL || !key_purpose_from_name(purpose, &wish.purpose) ||
	    !key_type_from_name(type, &wish.type) || !key_purpose_takes(wish.purpose, wish.type))
		return cli_usage(cli, "a purpose and a type that fits it are needed");
	if (hsm && where.adopt != NULL)
		return cli_usage(cli, "--hsm makes a key, --hsm-object takes one that is there");
	where.hsm = hsm || where.adopt != NULL;
	if (where.hsm && wish.type == KEY_SECRET)
		return cli_usage(cli, "a secret does not lie in an HSM");
	if (!cli_work_open(cli, where.hsm ? CLI_HSM : CLI_SIGNER, &work, &err) ||
	    !add_key(&work, &wish, &where, DB_KEY_PLANNED, &kid, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "kid", kid);
	json_put_str(cli->a, o, "state", key_state_name(KEY_PLANNED));
	json_put_str(cli->a, o, "object", where.object);
	if (where.hsm)
		fprintf(stderr, "kontor: in the HSM it is called '%s'\n", where.object);
	return cli_tell(cli, o, arena_printf(cli->a, "%s\n", kid));
}

/* ---- kontor key publish | activate | retire | destroy ---- */

static enum cli_exit
key_move(struct cli *cli, enum key_state to)
{
	const char *kid = cli_word(cli);
	bool emergency_ok = cli_flag(cli, "--emergency");
	enum cli_exit rc = cli_end(cli);
	const struct keyring *kr;
	struct key_move move;
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (kid == NULL)
		return cli_usage(cli, "which key? KID is missing");
	if (emergency_ok && to != KEY_ACTIVE)
		return cli_usage(cli, "--emergency is for activate");
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) ||
	    !key_rows_load(&work.w.db, &kr, &err) ||
	    !keyring_move_check(kr, kid, to, MIN_PUBLISHED_S, work.w.now, &move, &err))
		return cli_fail(cli, &err);
	if (move.emergency && !emergency_ok) {
		(void)FAIL(&err, ERR_DENIED, NULL,
			   "peers may not have seen this key yet; say --emergency to do it all the "
			   "same");
		return cli_fail(cli, &err);
	}
	struct db_audit audit = cli_audit(&work, AUDIT_KEY_MOVED);

	audit.details =
		audit_details(cli->a, "kid", kid, "to", key_state_name(to), "retired",
			      move.retired_kid, "emergency", move.emergency ? "yes" : NULL, NULL);
	if (!db_key_move(&work.w.db, kid, (enum db_key_state)to, &audit, work.w.now, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "kid", kid);
	json_put_str(cli->a, o, "state", key_state_name(to));
	json_put_str(cli->a, o, "retired", move.retired_kid);
	if (to == KEY_GONE && keyring_find(kr, kid)->row.place == KEY_HSM)
		fputs("kontor: its object is still in the HSM: remove it there\n", stderr);
	return cli_tell(cli, o, arena_printf(cli->a, "%s: %s\n", kid, key_state_name(to)));
}

static enum cli_exit
key_publish(struct cli *cli)
{
	return key_move(cli, KEY_PUBLISHED);
}

static enum cli_exit
key_activate(struct cli *cli)
{
	return key_move(cli, KEY_ACTIVE);
}

static enum cli_exit
key_retire(struct cli *cli)
{
	return key_move(cli, KEY_RETIRED);
}

static enum cli_exit
key_destroy(struct cli *cli)
{
	return key_move(cli, KEY_GONE);
}

/* ---- kontor key master | rewrap ---- */

static bool
read_masterfile(struct cli_work *work, struct masterfile **out, struct err *err)
{
	*out = ARENA_NEW(work->w.a, struct masterfile);
	return masterfile_read(work->w.a, work->config.master_key_file, *out, err);
}

/* A change of the file and its audit row. */
struct recorded {
	struct cli_work *work;
	struct db_audit audit;
	struct masterfile_change change;
	struct arena *a; /* of what happens while the file is already another one */
	bool done;
	struct err *err;
};

static void
record(void *arg)
{
	struct recorded *r = arg;
	struct db_call c = {r->work->w.db.db, r->a, clock_mono_us() + RECORD_LIMIT_US};

	r->done = db_audit_add(&c, &r->audit, r->work->w.now, r->err);
}

/* What nobody heard the outcome of may have been written all the same. */
static void
look_for_record(void *arg)
{
	struct recorded *r = arg;
	struct db_call c = {r->work->w.db.db, r->a, clock_mono_us() + RECORD_LIMIT_US};
	const struct db_audit_query query = {
		.event = r->audit.event, .ref = r->audit.ref, .limit = MASTERFILE_EPOCHS_MAX};
	const struct db_audit_row *rows;
	size_t n;
	struct err why = {0};

	if (!cli_await_db(c.db, c.deadline_us) || !db_audit_list(&c, &query, &rows, &n, &why))
		return;
	/* One call may have several of the event. */
	for (size_t i = 0; i < n; i++)
		r->done |= strcmp(rows[i].audit.details, r->audit.details) == 0;
}

/*
 * The file first, since an audit row cannot be taken back: without its row it is put back.
 * From there to the end nothing leaves this function, whatever lacks.
 */
static bool
change_recorded(struct recorded *r, struct err *err)
{
	struct err why = {0};

	r->err = &why;
	if (masterfile_change_apply(&r->change, &why)) {
		if (!arena_run(r->a, record, r))
			r->done = arena_run_failed(r->a, &why);
		arena_reset(r->a);
		if (!r->done && !arena_run(r->a, look_for_record, r))
			r->done = false;
	}
	if (!masterfile_change_end(&r->change, r->done, err))
		return false;
	return r->done || FAIL(err, why.kind, NULL, "%s", why.text);
}

static bool
write_masterfile(struct cli_work *work, const struct masterfile *mf, const char *event,
		 const char *number, struct err *err)
{
	struct recorded r = {.work = work, .audit = cli_audit(work, event)};

	/* As the database writes it. */
	r.audit.details = arena_printf(work->w.a, "{\"number\": \"%s\"}", number);
	if (!masterfile_change_begin(work->w.a, mf, work->config.master_key_file, &r.change, err))
		return false;
	r.a = arena_create(RECORD_ARENA_BYTES);
	if (r.a == NULL) {
		(void)!masterfile_change_end(&r.change, false, NULL);
		return FAIL(err, ERR_UNAVAILABLE, NULL, "out of memory");
	}
	bool ok = change_recorded(&r, err);

	arena_destroy(r.a);
	return ok;
}

/* The file holds two: a third pushes out the first, and what it seals would be lost. */
static bool
check_first_is_unused(struct cli_work *work, const struct masterfile *mf, struct err *err)
{
	const struct keyring *kr;
	const struct key *k;

	if (mf->n_masters < MASTERFILE_MASTERS_MAX)
		return true;
	if (!key_rows_load(&work->w.db, &kr, err))
		return false;
	for (size_t i = 0; (k = keyring_each(kr, &i)) != NULL;)
		if (k->row.state != KEY_GONE && keyring_sealed_under(k->row.sealed) !=
							mf->masters[mf->n_masters - 1].generation)
			return FAIL(err, ERR_DENIED, NULL,
				    "%s is still sealed under an older master key: run kontor key "
				    "rewrap first",
				    k->row.kid);
	return true;
}

static const char *
number_text(struct arena *a, uint32_t number)
{
	return arena_printf(a, "%u", number);
}

static enum cli_exit
key_master(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	struct masterfile *mf;
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) || !read_masterfile(&work, &mf, &err) ||
	    !check_first_is_unused(&work, mf, &err) || !masterfile_add_master(mf, &err))
		return cli_fail(cli, &err);
	uint32_t made = mf->masters[mf->n_masters - 1].generation;

	if (!write_masterfile(&work, mf, AUDIT_MASTER_ADDED, number_text(cli->a, made), &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_i64(cli->a, o, "master_generation", made);
	return cli_tell(cli, o,
			arena_printf(cli->a,
				     "master key %u added; bring the file to all nodes and restart "
				     "them, then run kontor key rewrap\n",
				     made));
}

/* Key rows under the newest master key. */
static bool
rewrap_keys(struct cli_work *work, int64_t *done, struct err *err)
{
	struct signer_status status;
	const struct key *k;

	*done = 0;
	if (!signer_status(work->w.signer, work->w.a, &status, err))
		return false;
	for (size_t i = 0; (k = keyring_each(work->w.keyring, &i)) != NULL;) {
		struct bytes sealed;
		bool replaced;

		if (k->row.state == KEY_GONE ||
		    keyring_sealed_under(k->row.sealed) == status.newest_master)
			continue;
		if (!signer_rewrap(work->w.signer, work->w.a, &k->row, &sealed, err) ||
		    !db_key_rewrap(&work->w.db, k->row.kid, k->row.sealed, sealed, &replaced, err))
			return false;
		*done += replaced;
	}
	return true;
}

static bool
rewrap_accounts(struct cli_work *work, int64_t *total, struct err *err)
{
	*total = 0;
	for (;;) {
		struct arena *a = arena_create(BATCH_ARENA_BYTES);
		struct db_call c = {work->w.db.db, a, clock_mono_us() + BATCH_LIMIT_US};
		int64_t done = 0;

		if (a == NULL)
			return FAIL(err, ERR_UNAVAILABLE, NULL, "out of memory");
		bool ok = epoch_rewrap(work->w.signer, &c, clock_now(), &done, err);

		arena_destroy(a);
		*total += done;
		if (!ok || done == 0)
			return ok;
	}
}

static enum cli_exit
key_rewrap(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	int64_t keys, accounts;
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (!cli_work_open(cli, CLI_HSM, &work, &err) || !rewrap_keys(&work, &keys, &err) ||
	    !rewrap_accounts(&work, &accounts, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_i64(cli->a, o, "keys", keys);
	json_put_i64(cli->a, o, "accounts", accounts);
	return cli_tell(cli, o,
			arena_printf(cli->a, "%lld keys and %lld accounts rewrapped\n",
				     (long long)keys, (long long)accounts));
}

/* ---- kontor key epoch | epochs | destroy-epochs ---- */

#define EPOCH_LINE "%-8s %-11s %9s  %s\n"

static enum cli_exit
key_epoch(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	struct masterfile *mf;
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) || !read_masterfile(&work, &mf, &err) ||
	    !masterfile_add_epoch(mf, work.w.now, &err))
		return cli_fail(cli, &err);
	uint32_t made = mf->epochs[mf->n_epochs - 1].id;

	if (!write_masterfile(&work, mf, AUDIT_EPOCH_ADDED, number_text(cli->a, made), &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_i64(cli->a, o, "epoch", made);
	return cli_tell(
		cli, o,
		arena_printf(cli->a,
			     "epoch key %u added; bring the file to all nodes, then reload "
			     "them; ten minutes later they begin to wrap accounts under it\n",
			     made));
}

/* When the key of an epoch may be destroyed; 0: it still wraps accounts, or is the newest. */
static bool
epoch_ends(struct cli_work *work, const struct masterfile *mf, size_t i, time_t *out,
	   struct err *err)
{
	time_t since = 0;

	if (i + 1 < mf->n_epochs &&
	    !db_epoch_unused_since(&work->w.db, mf->epochs[i].id, &since, err))
		return false;
	*out = since == 0 ? 0 : since + (time_t)(work->config.backup_time_ms / 1000);
	return true;
}

static int64_t
accounts_of(const struct db_epoch_use *uses, size_t n, uint32_t epoch)
{
	for (size_t i = 0; i < n; i++)
		if (uses[i].epoch == epoch)
			return uses[i].accounts;
	return 0;
}

static bool
list_epochs(struct cli_work *work, json_t *list, struct buf *text, struct err *err)
{
	struct arena *a = work->w.a;
	const struct db_epoch_use *uses;
	struct masterfile *mf;
	size_t n;

	if (!read_masterfile(work, &mf, err) || !db_epoch_uses(&work->w.db, &uses, &n, err))
		return false;
	buf_printf(text, EPOCH_LINE, "EPOCH", "SINCE", "ACCOUNTS", "KEPT UNTIL");
	for (size_t i = 0; i < mf->n_epochs; i++) {
		const struct epoch_key *e = &mf->epochs[i];
		int64_t accounts = accounts_of(uses, n, e->id);
		json_t *o = json_new_object(a);
		time_t ends;

		if (!epoch_ends(work, mf, i, &ends, err))
			return false;
		json_put_i64(a, o, "epoch", e->id);
		json_put_i64(a, o, "created", (int64_t)e->created);
		json_put_i64(a, o, "accounts", accounts);
		json_put_i64(a, o, "kept_until", (int64_t)ends);
		json_push(a, list, o);
		buf_printf(text, EPOCH_LINE, number_text(a, e->id), day_text(a, e->created),
			   arena_printf(a, "%lld", (long long)accounts), day_text(a, ends));
	}
	return true;
}

static enum cli_exit
key_epochs(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	json_t *list = json_new_array(cli->a), *o = json_new_object(cli->a);
	struct cli_work work;
	struct err err = {0};
	struct buf text;
	const char *out;

	if (rc != CLI_OK)
		return rc;
	buf_init(&text, cli->a, 65536);
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) ||
	    !list_epochs(&work, list, &text, &err) || !buf_finish_str(&text, &out, &err))
		return cli_fail(cli, &err);
	json_put(cli->a, o, "epochs", list);
	return cli_tell(cli, o, out);
}

/* Every epoch key whose time is over, oldest first; one that stays keeps those after it. */
static bool
destroy_epochs(struct cli_work *work, int64_t *done, struct err *err)
{
	struct masterfile *mf;

	*done = 0;
	if (!read_masterfile(work, &mf, err))
		return false;
	for (;;) {
		uint32_t id = mf->epochs[0].id;
		time_t ends;

		if (!epoch_ends(work, mf, 0, &ends, err))
			return false;
		if (ends == 0 || ends > work->w.now)
			return true;
		if (!masterfile_drop_epoch(mf, id, err) ||
		    !write_masterfile(work, mf, AUDIT_EPOCH_DESTROYED, number_text(work->w.a, id),
				      err))
			return false;
		(*done)++;
	}
}

static enum cli_exit
key_destroy_epochs(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	struct cli_work work;
	struct err err = {0};
	int64_t done;

	if (rc != CLI_OK)
		return rc;
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) || !destroy_epochs(&work, &done, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_i64(cli->a, o, "destroyed", done);
	return cli_tell(cli, o,
			arena_printf(cli->a, "%lld epoch keys destroyed%s\n", (long long)done,
				     done == 0 ? ""
					       : "; do the same on all nodes and with every copy "
						 "of the file"));
}

enum cli_exit
cli_key(struct cli *cli)
{
	static const struct cli_verb verbs[] = {
		{"init", key_init},
		{"list", key_list},
		{"certificate", key_certificate},
		{"generate", key_generate},
		{"publish", key_publish},
		{"activate", key_activate},
		{"retire", key_retire},
		{"destroy", key_destroy},
		{"master", key_master},
		{"rewrap", key_rewrap},
		{"epoch", key_epoch},
		{"epochs", key_epochs},
		{"destroy-epochs", key_destroy_epochs},
		{NULL, NULL},
	};

	return cli_run_verb(cli, verbs);
}
