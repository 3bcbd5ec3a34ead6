/* kontor migrate: bring the schema up to date. */
#include "base/clock.h"
#include "db/migrate.h"
#include "idp/cli_work.h"

enum cli_exit
cli_migrate(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	struct db_migrated done;
	struct config config;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (!cli_config(cli, false, &config, &err) ||
	    !db_migrate(cli->a, config.database, db_migrations, clock_now(), &done, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_i64(cli->a, o, "from", done.from);
	json_put_i64(cli->a, o, "to", done.to);
	return cli_tell(cli, o,
			arena_printf(cli->a, "schema version %lld (was %lld)\n", (long long)done.to,
				     (long long)done.from));
}
