/*
 * The command line: one table of commands (main.c) from which usage, --help
 * and the manual page come.  A command is a row there and a file cli_*.c.
 */
#ifndef KONTOR_IDP_CLI_H
#define KONTOR_IDP_CLI_H

#include "base/json.h"
#include "idp/config.h"
#include "idp/policy.h"

/* What the process ends with; scripts rely on it: append, never renumber. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,      /* it did not work; also a fault of ours */
	CLI_USAGE = 2,       /* the command line or the configuration is wrong */
	CLI_NOT_FOUND = 3,   /* it names something that is not there */
	CLI_UNAVAILABLE = 4, /* database or signer cannot be reached: try again */
	CLI_DENIED = 5,      /* well-formed, but not allowed */
	CLI_CONFLICT = 6,    /* already there, or used before */
};

/* One call of the program.  Everything lives until it ends. */
struct cli {
	struct arena *a;
	const struct command *command;
	const char *config_path;
	bool json; /* results and errors as one JSON object */
	int argc;  /* words not yet taken */
	char **argv;
	const char *bare; /* an option that stands last, without its value; NULL: none */
};

struct command {
	const char *name, *summary;
	const char
		*synopsis; /* what may follow the name; a usage a line, more of it after blanks */
	const char *help;  /* paragraphs separated by empty lines */
	enum cli_exit (*run)(struct cli *cli);
	const struct policy_key *policy; /* options that help explains too; NULL: none */
};

extern const struct command commands[]; /* ends with a NULL name */

/* Take "--name" out of the words; false: not given. */
bool cli_flag(struct cli *cli, const char *name);

/* Take "--name VALUE" or "--name=VALUE"; NULL: not given. */
const char *cli_value(struct cli *cli, const char *name);

/* Take the next word; NULL: none left.  A word that begins with "--" is never one. */
const char *cli_word(struct cli *cli);

/* Nothing may be left; else says what, and CLI_USAGE. */
enum cli_exit cli_end(struct cli *cli);

/* Complain about the command line. */
enum cli_exit cli_usage(struct cli *cli, const char *problem);

/* Tell a failure, and the exit code that fits its kind. */
enum cli_exit cli_fail(struct cli *cli, const struct err *err);

/* Print a result. */
void cli_print(const char *text);
void cli_print_json(struct cli *cli, const json_t *o);

/* Read the configuration file that --config names; check_files as in config_load. */
MUST_USE bool cli_config(struct cli *cli, bool check_files, struct config *out, struct err *err);

/* Parse the common words and run the command they name. */
enum cli_exit cli_main(struct arena *a, const struct command *table, int argc, char **argv);

/* The manual page kontor(1), roff for man(7). */
const char *cli_manual(struct arena *a, const struct command *table);

enum cli_exit cli_serve(struct cli *cli);
enum cli_exit cli_check_config(struct cli *cli);
enum cli_exit cli_migrate(struct cli *cli);
enum cli_exit cli_key(struct cli *cli);
enum cli_exit cli_party(struct cli *cli);
enum cli_exit cli_client(struct cli *cli);
enum cli_exit cli_details_type(struct cli *cli);
enum cli_exit cli_federation(struct cli *cli);
enum cli_exit cli_upstream(struct cli *cli);
enum cli_exit cli_account(struct cli *cli);
enum cli_exit cli_audit_trail(struct cli *cli);
enum cli_exit cli_restored(struct cli *cli);
enum cli_exit cli_status(struct cli *cli);
enum cli_exit cli_simulate(struct cli *cli);

#endif
