/* kontor serve: the supervisor, or one of the children it starts as this same program. */
#include <unistd.h>

#include "base/text.h"
#include "idp/child.h"
#include "idp/cli.h"
#include "idp/sandbox.h"
#include "idp/supervisor.h"
#include "keys/hsm.h"
#include "keys/signer.h"

enum cli_exit
cli_serve(struct cli *cli)
{
	const char *child = cli_value(cli, "--child");
	enum cli_exit rc = cli_end(cli);
	struct signer_options signer = {.role = SIGNER_SERVE};
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (child == NULL)
		return supervisor_run(cli);
	if (text_eq(child, "http"))
		return child_run(SUPERVISOR_CHILD_FD);
	if (text_eq(child, "signer"))
		return signer_run(SUPERVISOR_CHILD_FD, &signer, &err) ? CLI_OK
								      : cli_fail(cli, &err);
	/* Ended in this way, since threads may be in the module. */
	if (text_eq(child, "hsm"))
		_exit(sandbox_enter(&err) && hsm_run(SUPERVISOR_CHILD_FD, SIGNER_SERVE, &err)
			      ? CLI_OK
			      : CLI_FAILED);
	return cli_usage(cli, "--child is for the supervisor");
}
