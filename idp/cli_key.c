/* kontor key: make keys, show them, move them through their lives. */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "db/key.h"
#include "idp/audit.h"
#include "idp/cli_work.h"
#include "idp/key_rows.h"
#include "keys/masterfile.h"
#include "keys/sign.h"

#define CERT_DAYS       3650
#define MIN_PUBLISHED_S ((int64_t)14 * 86400) /* longest cache of SAML peers */

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

static bool
add_key(struct cli_work *work, const struct key_wish *wish, enum db_key_state state,
	const char **kid, struct err *err)
{
	struct db_audit audit = cli_audit(work, AUDIT_KEY_ADDED);
	struct key_row row;
	int64_t generation;

	if (!signer_generate(work->w.signer, work->w.a, wish, work->w.now, &row, err))
		return false;
	struct db_key k = key_row_to_db(&row);

	k.state = state;
	audit.details =
		audit_details(work->w.a, "kid", row.kid, "purpose", key_purpose_name(row.purpose),
			      "type", key_type_name(row.type), NULL);
	*kid = row.kid;
	return db_key_add(&work->w.db, &k, &audit, work->w.now, &generation, err);
}

/* ---- kontor key init ---- */

static bool
init_master(struct cli *cli, const char *path, bool *made, struct err *err)
{
	struct masterfile *mf = ARENA_NEW(cli->a, struct masterfile);
	struct err why = {0};

	*made = false;
	if (masterfile_read(cli->a, path, mf, &why))
		return true;
	if (why.kind != ERR_NOT_FOUND)
		return FAIL(err, why.kind, NULL, "%s", why.text);
	masterfile_init(mf, clock_now());
	*made = true;
	return masterfile_write(cli->a, mf, path, false, err);
}

static enum cli_exit
key_init(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	struct cli_work work;
	struct config config;
	struct err err = {0};
	bool master_made;
	int64_t made = 0;

	if (rc != CLI_OK)
		return rc;
	if (!cli_config(cli, false, &config, &err) ||
	    !init_master(cli, config.master_key_file, &master_made, &err) ||
	    !cli_work_open(cli, CLI_SIGNER, &work, &err))
		return cli_fail(cli, &err);
	for (size_t i = 0; i < ARRAY_LEN(first_keys); i++) {
		const struct key_wish *wish = &first_keys[i];
		const char *kid;

		if (keyring_active(work.w.keyring, wish->purpose, wish->type) != NULL)
			continue;
		if (!add_key(&work, wish, DB_KEY_ACTIVE, &kid, &err))
			return cli_fail(cli, &err);
		made++;
	}
	json_t *o = json_new_object(cli->a);

	json_put_bool(cli->a, o, "master_key_made", master_made);
	json_put_i64(cli->a, o, "keys_made", made);
	return cli_tell(cli, o,
			arena_printf(cli->a, "%s%lld keys made\n",
				     master_made ? "master key file made; keep a copy apart from "
						   "the database and its backups\n"
						 : "",
				     (long long)made));
}

/* ---- kontor key list ---- */

static json_t *
key_json(struct arena *a, const struct key *k)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "kid", k->row.kid);
	json_put_str(a, o, "purpose", key_purpose_name(k->row.purpose));
	json_put_str(a, o, "type", key_type_name(k->row.type));
	json_put_str(a, o, "state", key_state_name(k->row.state));
	json_put_i64(a, o, "generation", k->row.generation);
	json_put_i64(a, o, "created", (int64_t)k->row.created);
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
	for (size_t i = 0; (k = keyring_each(kr, &i)) != NULL;) {
		json_push(cli->a, list, key_json(cli->a, k));
		buf_printf(&text, "%-24s %-16s %-8s %-10s %s  %s\n", k->row.kid,
			   key_purpose_name(k->row.purpose), key_type_name(k->row.type),
			   key_state_name(k->row.state), day_text(cli->a, k->row.created),
			   day_text(cli->a, k->cert_not_after));
	}
	json_put(cli->a, o, "keys", list);
	if (!buf_finish_str(&text, &out, &err))
		return cli_fail(cli, &err);
	return cli_tell(cli, o, out);
}

/* ---- kontor key generate ---- */

static enum cli_exit
key_generate(struct cli *cli)
{
	const char *purpose = cli_word(cli), *type = cli_word(cli), *kid;
	enum cli_exit rc = cli_end(cli);
	struct key_wish wish = {.cert_days = CERT_DAYS};
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (purpose == NULL || type == NULL || !key_purpose_from_name(purpose, &wish.purpose) ||
	    !key_type_from_name(type, &wish.type) || !key_purpose_takes(wish.purpose, wish.type))
		return cli_usage(cli, "a purpose and a type that fits it are needed");
	if (!cli_work_open(cli, CLI_SIGNER, &work, &err) ||
	    !add_key(&work, &wish, DB_KEY_PLANNED, &kid, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "kid", kid);
	json_put_str(cli->a, o, "state", key_state_name(KEY_PLANNED));
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

/* ---- kontor key master | epoch | rewrap ---- */

static enum cli_exit
change_masterfile(struct cli *cli, bool epoch)
{
	enum cli_exit rc = cli_end(cli);
	struct masterfile *mf = ARENA_NEW(cli->a, struct masterfile);
	struct config config;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (!cli_config(cli, false, &config, &err) ||
	    !masterfile_read(cli->a, config.master_key_file, mf, &err) ||
	    !(epoch ? masterfile_add_epoch(mf, clock_now(), &err)
		    : masterfile_add_master(mf, &err)) ||
	    !masterfile_write(cli->a, mf, config.master_key_file, true, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_i64(cli->a, o, "master_generation", mf->masters[mf->n_masters - 1].generation);
	json_put_i64(cli->a, o, "epoch", mf->epochs[mf->n_epochs - 1].id);
	return cli_tell(cli, o,
			"added; bring the file to all nodes and restart their signers, then run "
			"kontor key rewrap\n");
}

static enum cli_exit
key_master(struct cli *cli)
{
	return change_masterfile(cli, false);
}

static enum cli_exit
key_epoch(struct cli *cli)
{
	return change_masterfile(cli, true);
}

static enum cli_exit
key_rewrap(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	const struct key *k;
	struct cli_work work;
	struct err err = {0};
	int64_t done = 0;

	if (rc != CLI_OK)
		return rc;
	if (!cli_work_open(cli, CLI_SIGNER, &work, &err))
		return cli_fail(cli, &err);
	for (size_t i = 0; (k = keyring_each(work.w.keyring, &i)) != NULL;) {
		struct bytes sealed;
		bool replaced;

		if (k->row.state == KEY_GONE)
			continue;
		if (!signer_rewrap(work.w.signer, cli->a, &k->row, &sealed, &err) ||
		    !db_key_rewrap(&work.w.db, k->row.kid, k->row.sealed, sealed, &replaced, &err))
			return cli_fail(cli, &err);
		done += replaced;
	}
	json_t *o = json_new_object(cli->a);

	json_put_i64(cli->a, o, "rewrapped", done);
	return cli_tell(cli, o, arena_printf(cli->a, "%lld keys rewrapped\n", (long long)done));
}

enum cli_exit
cli_key(struct cli *cli)
{
	static const struct cli_verb verbs[] = {
		{"init", key_init},
		{"list", key_list},
		{"generate", key_generate},
		{"publish", key_publish},
		{"activate", key_activate},
		{"retire", key_retire},
		{"destroy", key_destroy},
		{"master", key_master},
		{"epoch", key_epoch},
		{"rewrap", key_rewrap},
		{NULL, NULL},
	};

	return cli_run_verb(cli, verbs);
}
