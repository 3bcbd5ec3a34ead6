/* kontor check-config: is the file in order?  And its manual, from the same rows. */
#include <stdio.h>

#include "idp/cli.h"

enum cli_exit
cli_check_config(struct cli *cli)
{
	bool document = cli_flag(cli, "--document"), man = cli_flag(cli, "--man");
	enum cli_exit rc = cli_end(cli);
	struct config config;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (document || man) {
		cli_print(man ? config_manual(cli->a) : config_document(cli->a));
		return CLI_OK;
	}
	if (!cli_config(cli, true, &config, &err))
		return cli_fail(cli, &err);
	if (cli->json) {
		json_t *o = json_new_object(cli->a);

		json_put_str(cli->a, o, "file", cli->config_path);
		json_put_bool(cli->a, o, "ok", true);
		cli_print_json(cli, o);
	} else {
		cli_print(arena_printf(cli->a, "%s: in order\n", cli->config_path));
	}
	return CLI_OK;
}
