/* Words of the command line, exit codes, help and manual. */
#include "idp/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "keys/masterfile.h"
#include "tests/test.h"

static struct arena *a;
static struct cli seen;
static const char *seen_value, *seen_word;
static bool seen_flag;

static enum cli_exit
run_look(struct cli *cli)
{
	seen_value = cli_value(cli, "--state");
	seen_flag = cli_flag(cli, "--all");
	seen_word = cli_word(cli);
	seen = *cli;
	return cli_end(cli);
}

static const struct {
	const char *word;
	enum err_kind kind;
	enum cli_exit code;
} kinds[] = {
	{"input", ERR_INPUT, CLI_USAGE},
	{"denied", ERR_DENIED, CLI_DENIED},
	{"missing", ERR_NOT_FOUND, CLI_NOT_FOUND},
	{"conflict", ERR_CONFLICT, CLI_CONFLICT},
	{"later", ERR_UNAVAILABLE, CLI_UNAVAILABLE},
	{"fault", ERR_INTERNAL, CLI_FAILED},
};

static enum cli_exit
run_fail(struct cli *cli)
{
	const char *word = cli_word(cli);
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (text_eq(word, kinds[i].word))
			(void)!FAIL(&err, kinds[i].kind, NULL, "it did not work");
	return cli_fail(cli, &err);
}

static const struct command table[] = {
	{"look", "Look around.", "[--all] WORD\n--state STATE\n    [--more]",
	 "Looks.\n\n.Dotted -line\\.", run_look, NULL},
	{"fail", "Fail.", "KIND", "Fails.", run_fail, NULL},
	{"party", "Portals.", "add FILE", "Registers.", cli_party, policy_keys},
	{"client", "Clients.", "add FILE", "Registers.", cli_client, policy_keys},
	{"check-config", "Check.", "", "Checks.", cli_check_config, NULL},
	{.name = NULL},
};

/* Output of the call is kept; both streams go to one file. */
static char said[16384];

static enum cli_exit
call(const char *line)
{
	char *argv[16], *words = arena_strdup(a, line);
	const char **list;
	size_t n;
	int saved[2] = {dup(1), dup(2)}, argc = 0;
	FILE *f = tmpfile();

	argv[argc++] = (char *)(uintptr_t) "kontor";
	assert_true(text_words(a, words, 14, &list, &n, NULL));
	for (size_t i = 0; i < n; i++)
		argv[argc++] = (char *)(uintptr_t)list[i];
	fflush(NULL);
	dup2(fileno(f), 1);
	dup2(fileno(f), 2);
	enum cli_exit rc = cli_main(a, table, argc, argv);

	fflush(NULL);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	rewind(f);
	said[fread(said, 1, sizeof(said) - 1, f)] = '\0';
	fclose(f);
	return rc;
}

static int
setup(void **state UNUSED)
{
	a = arena_create(64 << 20);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

static void
words_are_taken_in_any_order(void **state UNUSED)
{
	assert_int_equal(call("look x --state=active --all --json --config /a"), CLI_OK);
	assert_string_equal(seen_value, "active");
	assert_true(seen_flag && seen.json);
	assert_string_equal(seen_word, "x");
	assert_string_equal(seen.config_path, "/a");
	assert_int_equal(call("--config=/b look --state active"), CLI_OK);
	assert_string_equal(seen_value, "active");
	assert_null(seen_word);
	assert_false(seen_flag || seen.json);
	assert_string_equal(seen.config_path, "/b");
	assert_int_equal(call("look"), CLI_OK);
	assert_string_equal(seen.config_path, CONFIG_FILE_DEFAULT);
}

static void
what_is_not_understood_is_said(void **state UNUSED)
{
	assert_int_equal(call("look x y"), CLI_USAGE);
	assert_non_null(strstr(said, "kontor: unexpected 'y'"));
	assert_int_equal(call("look --colour"), CLI_USAGE);
	assert_non_null(strstr(said, "unexpected '--colour'"));
	assert_int_equal(call("dance"), CLI_USAGE);
	assert_non_null(strstr(said, "unknown command 'dance'"));
	assert_int_equal(call(""), CLI_USAGE);
	assert_non_null(strstr(said, "no command given"));
	assert_int_equal(call("look --state"), CLI_USAGE);
	assert_non_null(strstr(said, "--state: a value is missing"));
	assert_int_equal(call("look --config"), CLI_USAGE);
	assert_non_null(strstr(said, "--config: a value is missing"));
	assert_int_equal(call("--colour"), CLI_USAGE);
	assert_non_null(strstr(said, "unexpected '--colour'"));
	assert_int_equal(call("help me"), CLI_USAGE);
	assert_non_null(strstr(said, "unknown command 'me'"));
	assert_int_equal(call("help look there"), CLI_USAGE);
	assert_int_equal(call("party dance"), CLI_USAGE);
	assert_non_null(strstr(said, "cannot 'dance', only add, check,"));
	assert_int_equal(call("party"), CLI_USAGE);
	assert_non_null(strstr(said, "what to do is missing: add, check,"));
}

/* A floor that is misspelled must not register a portal without one. */
static void
a_slip_in_the_policy_is_found_before_anything_is_done(void **state UNUSED)
{
	static const char *const kinds_of_party[] = {"party", "client"};

	for (size_t i = 0; i < ARRAY_LEN(kinds_of_party); i++) {
		assert_int_equal(call(arena_printf(a, "%s add /nowhere --level high --cap low",
						   kinds_of_party[i])),
				 CLI_USAGE);
		assert_non_null(strstr(said, "unexpected '--cap'"));
		assert_int_equal(call(arena_printf(a, "%s add /nowhere --level low --level high",
						   kinds_of_party[i])),
				 CLI_USAGE);
		assert_non_null(strstr(said, "--level: given twice"));
	}
}

static void
each_kind_of_failure_has_its_code(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		assert_int_equal(call(arena_printf(a, "fail %s", kinds[i].word)), kinds[i].code);
	call("fail denied --json");
	assert_non_null(strstr(said, "\"error\":\"denied\""));
	assert_non_null(strstr(said, "\"text\":\"it did not work\""));
}

static void
help_and_manual_come_from_the_table(void **state UNUSED)
{
	assert_int_equal(call("look --help"), CLI_OK);
	assert_non_null(strstr(said, "usage: kontor look [--all] WORD\n"
				     "usage: kontor look --state STATE\n"
				     "              [--more]\n"));
	assert_int_equal(call("help look"), CLI_OK);
	assert_non_null(strstr(said, "usage: kontor look [--all] WORD\n"));
	assert_int_equal(call("look -h"), CLI_OK);
	assert_non_null(strstr(said, "usage: kontor look [--all] WORD\n"));
	assert_int_equal(call("-h"), CLI_OK);
	assert_non_null(strstr(said, "  look          Look around.\n"));
	assert_int_equal(call("--help"), CLI_OK);
	assert_non_null(strstr(said, "  look          Look around.\n"));
	assert_non_null(strstr(said, "  help          Explain a command"));
	assert_int_equal(call("--version"), CLI_OK);
	assert_int_equal(strncmp(said, "kontor ", 7), 0);
	assert_int_equal(call("help --man"), CLI_OK);
	assert_non_null(strstr(said, ".SS look\n"));
	assert_non_null(strstr(said, "Looks.\n.PP\n\\&.Dotted \\-line\\e.\n"));
	assert_non_null(strstr(said, ".SH EXIT STATUS\n.TP\n0\n"));
	assert_non_null(strstr(said, ".TP\n\\-\\-level\\-cap LEVEL\n"));
	assert_int_equal(call("help party"), CLI_OK);
	assert_non_null(strstr(said, "\nPOLICY:\n  --level LEVEL "));
	assert_non_null(strstr(said, "  --attribute NAME[:required] ... "));
}

/* A file of its own with this text; the caller unlinks it. */
static const char *
file_with(const char *text)
{
	char *path = arena_strdup(a, "/tmp/kontor-test-XXXXXX");
	int fd = mkstemp(path);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static void
the_configuration_is_checked(void **state UNUSED)
{
	struct masterfile *mf = ARENA_NEW(a, struct masterfile);
	const char *master = file_with("");

	masterfile_init(mf, 1);
	assert_int_equal(unlink(master), 0);
	assert_true(masterfile_create(a, mf, master, NULL));
	const char *good = arena_printf(a,
					"instance = a\nbase_url = https://k\nlisten = 127.0.0.1:1\n"
					"database = dbname=x\nmaster_key_file = %s\n",
					master);
	const char *path = file_with(good),
		   *bad = file_with(arena_printf(a, "%scolour = red\n", good));

	assert_int_equal(call(arena_printf(a, "check-config --config %s", path)), CLI_OK);
	assert_non_null(strstr(said, ": in order\n"));
	assert_int_equal(call(arena_printf(a, "check-config --json --config %s", path)), CLI_OK);
	assert_non_null(strstr(said, "\"ok\":true"));
	assert_int_equal(call(arena_printf(a, "check-config --config %s", bad)), CLI_USAGE);
	assert_non_null(strstr(said, ":6: unknown key 'colour'"));
	unlink(master);
	unlink(bad);
	assert_int_equal(call(arena_printf(a, "check-config --config %s", path)), CLI_USAGE);
	assert_non_null(strstr(said, ":5: master_key_file: "));
	unlink(path);
	assert_int_equal(call(arena_printf(a, "check-config --config %s", path)), CLI_NOT_FOUND);
	assert_int_equal(call("check-config --document"), CLI_OK);
	assert_int_equal(strncmp(said, "# Configuration\n", 16), 0);
	assert_int_equal(call("check-config now"), CLI_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_taken_in_any_order),
		cmocka_unit_test(what_is_not_understood_is_said),
		cmocka_unit_test(a_slip_in_the_policy_is_found_before_anything_is_done),
		cmocka_unit_test(each_kind_of_failure_has_its_code),
		cmocka_unit_test(help_and_manual_come_from_the_table),
		cmocka_unit_test(the_configuration_is_checked),
	};

	return cmocka_run_group_tests_name("cli", tests, setup, teardown);
}
