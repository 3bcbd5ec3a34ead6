/* kontor check-config: is the file in order?  And its manual, from the same rows. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/conf.h"
#include "db/db.h"
#include "idp/cli.h"
#include "idp/page.h"
#include "keys/hsm.h"
#include "keys/masterfile.h"
#include "keys/tls_pair.h"

#define PEM_MAX_BYTES ((size_t)256 * 1024)

/* A file whose lines are understood, and what it names. */
struct looked {
	struct cli *cli;
	struct bytes text;
	struct config config;
};

static bool
wrong(const struct looked *l, const char *key, const char *why, struct err *err)
{
	return FAIL(err, ERR_INPUT, NULL, "%s:%u: %s: %s", l->cli->config_path,
		    conf_line(l->text, key), key, why);
}

/* A file that is not in order, or cannot be looked at now. */
static bool
wrong_file(const struct looked *l, const char *key, const struct err *why, struct err *err)
{
	if (why->kind == ERR_UNAVAILABLE)
		return FAIL(err, why->kind, NULL, "%s: %s", key, why->text);
	return wrong(l, key, why->text, err);
}

static bool
look_at_users(const struct looked *l, struct err *err)
{
	const struct config *c = &l->config;

	if (c->user != NULL && getpwnam(c->user) == NULL)
		return wrong(l, "user", "no such user", err);
	if (c->signer_user != NULL && getpwnam(c->signer_user) == NULL)
		return wrong(l, "signer_user", "no such user", err);
	if (c->hsm_user != NULL && getpwnam(c->hsm_user) == NULL)
		return wrong(l, "hsm_user", "no such user", err);
	if (c->listen_group != NULL && getgrnam(c->listen_group) == NULL)
		return wrong(l, "listen_group", "no such group", err);
	return true;
}

static bool
look_at_tls(const struct looked *l, struct err *err)
{
	struct arena *a = l->cli->a;
	const struct config *c = &l->config;
	struct bytes cert, key;
	struct err why = {0};

	if (c->tls_key == NULL ||
	    (conf_read_file(a, c->tls_certificate, PEM_MAX_BYTES, &cert, &why) &&
	     conf_read_file(a, c->tls_key, PEM_MAX_BYTES, &key, &why) &&
	     tls_pair_check(cert, key, &why)))
		return true;
	return wrong_file(l, "tls_certificate", &why, err);
}

/* What serve would stumble over: the files are read as it reads them. */
static bool
look(const struct looked *l, struct err *err)
{
	struct arena *a = l->cli->a;
	struct masterfile *mf = ARENA_NEW(a, struct masterfile);
	const struct pages *pages;
	struct stat theme;
	const char *pin;
	struct err why = {0};

	if (!masterfile_read(a, l->config.master_key_file, mf, &why))
		return wrong_file(l, "master_key_file", &why, err);
	if (l->config.hsm_pin_file != NULL && !hsm_pin_read(a, l->config.hsm_pin_file, &pin, &why))
		return wrong_file(l, "hsm_pin_file", &why, err);
	if (l->config.theme_dir != NULL &&
	    (stat(l->config.theme_dir, &theme) != 0 || !S_ISDIR(theme.st_mode)))
		return wrong(l, "theme_dir", "no such folder", err);
	if (!pages_load(a, l->config.theme_dir, &pages, &why))
		return wrong_file(l, "theme_dir", &why, err);
	if (!db_conninfo_check(l->config.database, &why))
		return wrong(l, "database", why.text, err);
	return look_at_users(l, err) && look_at_tls(l, err);
}

enum cli_exit
cli_check_config(struct cli *cli)
{
	bool document = cli_flag(cli, "--document"), man = cli_flag(cli, "--man");
	enum cli_exit rc = cli_end(cli);
	struct looked l = {.cli = cli};
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (document || man) {
		cli_print(man ? config_manual(cli->a) : config_document(cli->a));
		return CLI_OK;
	}
	if (!conf_read_file(cli->a, cli->config_path, CONFIG_FILE_MAX_BYTES, &l.text, &err) ||
	    !config_parse(cli->a, cli->config_path, l.text, true, &l.config, &err) ||
	    !look(&l, &err))
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
