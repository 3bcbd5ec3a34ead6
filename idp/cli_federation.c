/* kontor federation: what an administration has of members, and what it publishes. */
#include "idp/cli_work.h"

enum cli_exit
cli_federation(struct cli *cli)
{
	static const struct cli_verb verbs[] = {
		{"member", cli_member},
		{"publish", cli_publish},
		{"publications", cli_publications},
		{"rollback", cli_publication_rollback},
		{NULL, NULL},
	};

	return cli_run_verb(cli, verbs);
}
