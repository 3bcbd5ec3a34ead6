/* kontor status: can this instance work?  Database, schema, keys, parties. */
#include "db/migrate.h"
#include "db/party.h"
#include "idp/cli_work.h"
#include "idp/key_rows.h"

/* Each thing that an instance cannot serve without. */
static const struct {
	enum key_purpose purpose;
	enum key_type type;
} needed[] = {
	{KEY_SAML_SIGN, KEY_P256},   {KEY_OIDC_SIGN, KEY_P256}, {KEY_SEAL, KEY_SECRET},
	{KEY_PSEUDONYM, KEY_SECRET}, {KEY_PEPPER, KEY_SECRET},  {KEY_LOOKUP, KEY_SECRET},
};

static bool
check_keys(const struct keyring *kr, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (keyring_active(kr, needed[i].purpose, needed[i].type) == NULL)
			return FAIL(err, ERR_NOT_FOUND, NULL,
				    "no active %s key of type %s: run kontor key init",
				    key_purpose_name(needed[i].purpose),
				    key_type_name(needed[i].type));
	return true;
}

enum cli_exit
cli_status(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	const struct keyring *kr;
	const struct db_party *parties;
	struct cli_work work;
	struct err err = {0};
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) ||
	    !db_schema_check(cli->a, work.config.database, db_migrations, &err) ||
	    !key_rows_load(&work.w.db, &kr, &err) || !check_keys(kr, &err) ||
	    !db_party_list(&work.w.db, &parties, &n, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "instance", work.config.instance);
	json_put_bool(cli->a, o, "ok", true);
	json_put_i64(cli->a, o, "clock_skew_s", db_clock_skew_s(work.w.db.db));
	json_put_i64(cli->a, o, "parties", (int64_t)n);
	return cli_tell(cli, o,
			arena_printf(cli->a,
				     "%s: database, schema and keys are in order; "
				     "%zu parties\n",
				     work.config.instance, n));
}
