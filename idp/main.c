/* The program's entry and its table of commands; a command is a row here and a file cli_*.c. */
#include <stdio.h>

#include "idp/cli.h"

#define CLI_ARENA_BYTES ((size_t)256 * 1024 * 1024)

const struct command commands[] = {
	{"check-config", "Say whether the configuration file is in order.", "\n--document",
	 "Names the first mistake with its line. With --document, prints docs/config.md: every "
	 "key\n"
	 "with type, default and meaning.",
	 cli_check_config},
	{.name = NULL},
};

int
main(int argc, char **argv)
{
	struct arena *a = arena_create(CLI_ARENA_BYTES);

	if (a == NULL) {
		fputs("kontor: out of memory\n", stderr);
		return CLI_FAILED;
	}
	enum cli_exit rc = cli_main(a, commands, argc, argv);

	arena_destroy(a);
	if (fflush(stdout) != 0 && rc == CLI_OK)
		rc = CLI_FAILED;
	return (int)rc;
}
