/* Words of the command line and what is said about them; see cli.h. */
#include "idp/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/roff.h"
#include "base/text.h"

#define TEXT_MAX_BYTES ((size_t)1024 * 1024)

static const struct {
	enum err_kind kind;
	enum cli_exit code;
} exits[] = {
	{ERR_INPUT, CLI_USAGE},
	{ERR_DENIED, CLI_DENIED},
	{ERR_NOT_FOUND, CLI_NOT_FOUND},
	{ERR_CONFLICT, CLI_CONFLICT},
	{ERR_UNAVAILABLE, CLI_UNAVAILABLE},
};

static const char *const exit_meanings[] = {
	[CLI_OK] = "It worked.",
	[CLI_FAILED] = "It did not work.",
	[CLI_USAGE] = "The command line, a file or the configuration is wrong.",
	[CLI_NOT_FOUND] = "It names something that is not there.",
	[CLI_UNAVAILABLE] = "Database or signer cannot be reached; try again later.",
	[CLI_DENIED] = "It is not allowed.",
	[CLI_CONFLICT] = "It is already there, or was done before.",
};

static void
take(struct cli *cli, int i, int n)
{
	memmove(&cli->argv[i], &cli->argv[i + n],
		(size_t)(cli->argc - i - n) * sizeof(cli->argv[0]));
	cli->argc -= n;
}

bool
cli_flag(struct cli *cli, const char *name)
{
	for (int i = 0; i < cli->argc; i++) {
		if (strcmp(cli->argv[i], name) == 0) {
			take(cli, i, 1);
			return true;
		}
	}
	return false;
}

const char *
cli_value(struct cli *cli, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; i < cli->argc; i++) {
		const char *word = cli->argv[i];

		if (strcmp(word, name) == 0 && i + 1 == cli->argc)
			cli->bare = word; /* left for cli_end to complain of */
		if (strcmp(word, name) == 0 && i + 1 < cli->argc) {
			const char *value = cli->argv[i + 1];

			take(cli, i, 2);
			return value;
		}
		if (strncmp(word, name, n) == 0 && word[n] == '=') {
			take(cli, i, 1);
			return word + n + 1;
		}
	}
	return NULL;
}

const char *
cli_word(struct cli *cli)
{
	if (cli->argc == 0 || text_starts(cli->argv[0], "--"))
		return NULL;
	const char *word = cli->argv[0];

	take(cli, 0, 1);
	return word;
}

enum cli_exit
cli_end(struct cli *cli)
{
	if (cli->argc == 0)
		return CLI_OK;
	if (cli->argv[0] == cli->bare)
		return cli_usage(cli, arena_printf(cli->a, "%s: a value is missing", cli->bare));
	return cli_usage(cli, arena_printf(cli->a, "unexpected '%s'", cli->argv[0]));
}

/* Without memory, what went wrong before may be nobody's mistake: main says it, alone. */
static void
tell(struct cli *cli, const char *kind, const char *text)
{
	if (memory_failed())
		arena_leave(cli->a);
	if (cli->json) {
		json_t *o = json_new_object(cli->a);

		json_put_str(cli->a, o, "error", kind);
		json_put_str(cli->a, o, "text", text);
		fprintf(stderr, "%s\n", json_text(cli->a, o, false));
		return;
	}
	fprintf(stderr, "kontor: %s\n", text_one_line(cli->a, text));
}

enum cli_exit
cli_usage(struct cli *cli, const char *problem)
{
	tell(cli, "usage", problem);
	if (!cli->json)
		fprintf(stderr, "Try 'kontor %s%s--help'.\n",
			cli->command == NULL ? "" : cli->command->name,
			cli->command == NULL ? "" : " ");
	return CLI_USAGE;
}

enum cli_exit
cli_fail(struct cli *cli, const struct err *err)
{
	tell(cli, err_kind_name(err->kind), err->text);
	for (size_t i = 0; i < ARRAY_LEN(exits); i++)
		if (exits[i].kind == err->kind)
			return exits[i].code;
	return CLI_FAILED;
}

void
cli_print(const char *text)
{
	fputs(text, stdout);
}

void
cli_print_json(struct cli *cli, const json_t *o)
{
	printf("%s\n", json_text(cli->a, o, false));
}

bool
cli_config(struct cli *cli, bool check_files, struct config *out, struct err *err)
{
	return config_load(cli->a, cli->config_path, check_files, out, err);
}

/* "NAME ARGUMENTS" for each line of a synopsis; one that begins with a blank goes on the last. */
static void
write_synopsis(struct buf *b, const struct command *c, const char *before, const char *after)
{
	for (const char *s = c->synopsis;;) {
		size_t n = strcspn(s, "\n");

		if (*s == ' ')
			buf_printf(b, "          %.*s%s", (int)n, s, after);
		else
			buf_printf(b, "%skontor %s%s%.*s%s", before, c->name, n > 0 ? " " : "",
				   (int)n, s, after);
		if (s[n] == '\0')
			return;
		s += n + 1;
	}
}

/* "--level LEVEL": what a party may be given beside its metadata. */
static const char *
policy_usage(struct arena *a, const struct policy_key *k)
{
	return arena_printf(a, "--%s %s%s", k->name, k->argument, k->repeatable ? " ..." : "");
}

static const char *
help_of(struct arena *a, const struct command *c)
{
	struct buf b;
	const char *text = "";

	buf_init(&b, a, TEXT_MAX_BYTES);
	write_synopsis(&b, c, "usage: ", "\n");
	buf_printf(&b, "\n%s\n\n%s\n", c->summary, c->help);
	for (const struct policy_key *k = c->policy; k != NULL && k->name != NULL; k++)
		buf_printf(&b, "%s  %-35s %s Default: %s.\n", k == c->policy ? "\nPOLICY:\n" : "",
			   policy_usage(a, k), k->sentence, k->fallback);
	buf_printf(&b, "\nCommon options: --config FILE (default %s), --json, --help\n",
		   CONFIG_FILE_DEFAULT);
	(void)!buf_finish_str(&b, &text, NULL);
	return text;
}

static const char *
overview(struct arena *a, const struct command *table)
{
	struct buf b;
	const char *text = "";

	buf_init(&b, a, TEXT_MAX_BYTES);
	buf_str(&b, "usage: kontor COMMAND [--config FILE] [--json] ...\n\n");
	for (const struct command *c = table; c->name != NULL; c++)
		buf_printf(&b, "  %-14s%s\n", c->name, c->summary);
	buf_str(&b, "  help          Explain a command; --man prints the manual page kontor(1).\n"
		    "\n'kontor COMMAND --help' says the same as 'kontor help COMMAND'.\n");
	(void)!buf_finish_str(&b, &text, NULL);
	return text;
}

static void
roff_command(struct arena *a, struct buf *b, const struct command *c)
{
	buf_printf(b, ".SS %s\n.nf\n", c->name);
	write_synopsis(b, c, "", "\n");
	buf_str(b, ".fi\n.PP\n");
	roff_text(b, c->help);
	for (const struct policy_key *k = c->policy; k != NULL && k->name != NULL; k++) {
		buf_str(b, ".TP\n");
		roff_text(b, policy_usage(a, k));
		roff_text(b, arena_printf(a, "%s Default: %s.", k->sentence, k->fallback));
	}
}

const char *
cli_manual(struct arena *a, const struct command *table)
{
	struct buf b;
	const char *text = "";

	buf_init(&b, a, TEXT_MAX_BYTES);
	buf_printf(&b,
		   ".TH KONTOR 1 \"\" \"kontor %s\" \"\"\n.SH NAME\nkontor \\- identity provider "
		   "for service accounts\n.SH SYNOPSIS\n.B kontor\n.I COMMAND\n[\\-\\-config "
		   "FILE] [\\-\\-json] ...\n.SH COMMANDS\n",
		   KONTOR_VERSION);
	for (const struct command *c = table; c->name != NULL; c++)
		roff_command(a, &b, c);
	buf_str(&b, ".SH EXIT STATUS\n");
	for (size_t i = 0; i < ARRAY_LEN(exit_meanings); i++)
		buf_printf(&b, ".TP\n%zu\n%s\n", i, exit_meanings[i]);
	buf_printf(&b,
		   ".SH FILES\n.TP\n%s\nThe configuration.\n.SH SEE ALSO\n.BR kontor.conf (5)\n",
		   CONFIG_FILE_DEFAULT);
	(void)!buf_finish_str(&b, &text, NULL);
	return text;
}

static const struct command *
find_command(const struct command *table, const char *name)
{
	for (const struct command *c = table; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static enum cli_exit
unknown_command(struct cli *cli, const char *name)
{
	return cli_usage(cli, arena_printf(cli->a, "unknown command '%s'", name));
}

static enum cli_exit
run_help(struct cli *cli, const struct command *table)
{
	bool man = cli_flag(cli, "--man");
	const char *name = man ? NULL : cli_word(cli);
	const struct command *c = name == NULL ? NULL : find_command(table, name);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (name != NULL && c == NULL)
		return unknown_command(cli, name);
	cli_print(man         ? cli_manual(cli->a, table)
		  : c != NULL ? help_of(cli->a, c)
			      : overview(cli->a, table));
	return CLI_OK;
}

static bool
asks_help(struct cli *cli)
{
	return cli_flag(cli, "--help") || cli_flag(cli, "-h");
}

static enum cli_exit
run_command(struct cli *cli, const struct command *table, const char *name)
{
	const struct command *c = find_command(table, name);

	if (c == NULL)
		return unknown_command(cli, name);
	cli->command = c;
	if (asks_help(cli)) {
		cli_print(help_of(cli->a, c));
		return CLI_OK;
	}
	return c->run(cli);
}

enum cli_exit
cli_main(struct arena *a, const struct command *table, int argc, char **argv)
{
	struct cli cli = {.a = a, .argc = argc - 1, .argv = argv + 1};
	const char *path = cli_value(&cli, "--config");

	cli.json = cli_flag(&cli, "--json");
	if (cli.bare != NULL)
		return cli_usage(&cli, "--config: a value is missing");
	const char *name = cli_word(&cli);

	cli.config_path = path == NULL ? CONFIG_FILE_DEFAULT : path;
	if (name == NULL && cli_flag(&cli, "--version")) {
		cli_print("kontor " KONTOR_VERSION "\n");
		return CLI_OK;
	}
	if ((name == NULL && asks_help(&cli)) || text_eq(name, "-h"))
		name = "help";
	if (name == NULL && cli.argc > 0)
		return cli_end(&cli);
	if (name == NULL)
		return cli_usage(&cli, "no command given");
	if (strcmp(name, "help") == 0)
		return run_help(&cli, table);
	return run_command(&cli, table, name);
}
