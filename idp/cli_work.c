/* Database and signer for commands; see cli_work.h. */
#include "idp/cli_work.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "db/key.h"
#include "db/migrate.h"
#include "idp/app.h"
#include "idp/key_rows.h"
#include "idp/sandbox.h"
#include "keys/hsm.h"
#include "keys/masterfile.h"
#include "keys/sign.h"
#include "keys/signer.h"

#define PATIENCE_US       ((int64_t)10 * 1000000)
#define COMMAND_LIMIT_US  ((int64_t)120 * 1000000)
#define SIGNER_TIMEOUT_US ((int64_t)60 * 1000000) /* an RSA key on a busy machine */
#define HSM_TIMEOUT_US    ((int64_t)90 * 1000000) /* longer than its process gives the token */

static void
close_db(void *p)
{
	db_destroy(p);
}

static void
close_signer(void *p)
{
	signer_destroy(p);
}

/* The signer ends by itself when its socket closes. */
static void
wait_for_child(void *p)
{
	waitpid((pid_t)(intptr_t)p, NULL, 0);
}

static bool
start_signer(struct cli_work *work, const struct masterfile *mf, struct err *err)
{
	struct arena *a = work->cli->a;
	struct signer_options options = {.role = SIGNER_CLI, .threads = 1};
	int fds[2];

	if (!signer_socketpair(fds, err))
		return false;
	pid_t pid = fork();

	if (pid < 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "cannot start a signer");
	if (pid == 0)
		_exit(signer_run(fds[1], &options, NULL) ? 0 : 1);
	close(fds[1]);
	arena_defer(a, wait_for_child, (void *)(intptr_t)pid);
	if (!signer_send_secrets(fds[0], work->config.instance, mf, SIGNER_TIMEOUT_US, err)) {
		close(fds[0]);
		return false;
	}
	if (!signer_create(fds[0], SIGNER_TIMEOUT_US, &work->w.signer, err))
		return false;
	arena_defer(a, close_signer, work->w.signer);
	return true;
}

/* In the new process, as the user that nodes run it as: what it makes must be theirs to use. */
static _Noreturn void
become_hsm(const struct config *config, int fd)
{
	const char *user = geteuid() == 0 ? config_hsm_user(config) : NULL;

	_exit(sandbox_become(user, NULL) && sandbox_enter(NULL) && hsm_run(fd, SIGNER_CLI, NULL)
		      ? 0
		      : 1);
}

static bool
start_hsm(struct cli_work *work, const struct masterfile *mf, struct err *err)
{
	struct arena *a = work->cli->a;
	struct hsm_settings settings;
	const char *pin;
	int fds[2];

	if (!hsm_pin_read(a, work->config.hsm_pin_file, &pin, err) || !signer_socketpair(fds, err))
		return false;
	settings = config_hsm(&work->config, pin);
	pid_t pid = fork();

	if (pid < 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "cannot start an HSM process");
	if (pid == 0)
		become_hsm(&work->config, fds[1]);
	close(fds[1]);
	if (!hsm_send_secrets(fds[0], work->config.instance, mf, &settings, SIGNER_TIMEOUT_US,
			      err)) {
		close(fds[0]);
		return false;
	}
	return signer_add_hsm(work->w.signer, fds[0], HSM_TIMEOUT_US, err);
}

/* The processes that hold secrets: forks of a process without threads. */
static bool
start_keepers(struct cli_work *work, enum cli_need need, struct err *err)
{
	struct masterfile *mf = ARENA_NEW(work->cli->a, struct masterfile);

	return masterfile_read(work->cli->a, work->config.master_key_file, mf, err) &&
	       start_signer(work, mf, err) &&
	       (need != CLI_HSM || work->config.hsm_module == NULL || start_hsm(work, mf, err));
}

bool
cli_work_hsm_ready(struct cli_work *work, struct err *err)
{
	int64_t until = clock_mono_us() + PATIENCE_US;
	struct signer_hsm seen;

	for (;;) {
		signer_hsm_look(work->w.signer, work->w.a, &seen);
		if (seen.ready)
			return true;
		if (seen.trouble[0] != '\0')
			return FAIL(err, ERR_UNAVAILABLE, NULL, "%s", seen.trouble);
		if (clock_mono_us() > until)
			return FAIL(err, ERR_UNAVAILABLE, NULL, "HSM: it does not answer");
		usleep(20000);
	}
}

bool
cli_await_db(struct db *db, int64_t until_us)
{
	while (!db_ready(db)) {
		if (clock_mono_us() > until_us)
			return false;
		usleep(5000);
	}
	return true;
}

/* The first answer of the database, waited for. */
static bool
open_db(struct cli_work *work, struct err *err)
{
	struct arena *a = work->cli->a;
	struct db_options options = {
		.conninfo = work->config.database,
		.application_name = "kontor-cli",
		.tx_connections = 1,
		.clock = clock_now,
	};
	struct db_status status;
	struct db *db;

	if (!db_create(&options, &db, err))
		return false;
	arena_defer(a, close_db, db);
	if (!cli_await_db(db, clock_mono_us() + PATIENCE_US)) {
		db_status(db, &status);
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no database: %s", status.trouble);
	}
	work->w.db = (struct db_call){db, a, clock_mono_us() + COMMAND_LIMIT_US};
	return true;
}

bool
cli_work_load_keys(struct cli_work *work, struct err *err)
{
	return key_rows_load(&work->w.db, &work->w.keyring, err) &&
	       signer_load(work->w.signer, work->w.keyring, err);
}

bool
cli_work_open(struct cli *cli, enum cli_need need, struct cli_work *out, struct err *err)
{
	char *ref = arena_alloc(cli->a, REQUEST_REF_BYTES);

	*out = (struct cli_work){.cli = cli};
	if (!cli_config(cli, false, &out->config, err))
		return false;
	app_make_ref(ref);
	out->w = (struct account_work){
		.a = cli->a,
		.password_cost = config_password_cost(&out->config),
		.ref = ref,
		.now = clock_now(),
	};
	/* Judged first, so that no database and no schema are said at once and clearly. */
	if (!db_schema_check(cli->a, out->config.database, db_migrations, err))
		return false;
	if (need != CLI_DATABASE && !start_keepers(out, need, err))
		return false;
	return open_db(out, err) && (need == CLI_DATABASE || cli_work_load_keys(out, err));
}

enum cli_exit
cli_work_begin(struct cli *cli, enum cli_need need, struct cli_work *out)
{
	enum cli_exit rc = cli_end(cli);
	struct err err = {0};

	*out = (struct cli_work){.cli = cli};
	return rc != CLI_OK || cli_work_open(cli, need, out, &err) ? rc : cli_fail(cli, &err);
}

bool
cli_find_account(struct cli_work *work, const char *typed, const struct db_subject **out,
		 struct err *err)
{
	struct bytes lookup;
	const char *name;

	if (!account_login_name(work->w.a, typed, &name, err) ||
	    !account_lookup(&work->w, name, &lookup, err) ||
	    !db_account_find(&work->w.db, lookup, out, err))
		return false;
	return *out != NULL || FAIL(err, ERR_NOT_FOUND, NULL, "no account of this login name");
}

struct db_audit
cli_audit(const struct cli_work *work, const char *event)
{
	return (struct db_audit){.event = event, .ref = work->w.ref};
}

enum cli_exit
cli_run_verb(struct cli *cli, const struct cli_verb *verbs)
{
	const char *word = cli_word(cli);

	for (const struct cli_verb *v = verbs; word != NULL && v->name != NULL; v++)
		if (strcmp(v->name, word) == 0)
			return v->run(cli);
	const char *known = verbs[0].name;

	for (const struct cli_verb *v = verbs + 1; v->name != NULL; v++)
		known = arena_printf(cli->a, "%s, %s", known, v->name);
	return cli_usage(cli, word == NULL
				      ? arena_printf(cli->a, "what to do is missing: %s", known)
				      : arena_printf(cli->a, "cannot '%s', only %s", word, known));
}

enum cli_exit
cli_tell(struct cli *cli, json_t *o, const char *text)
{
	if (cli->json)
		cli_print_json(cli, o);
	else
		cli_print(text);
	return CLI_OK;
}
