/*
 * What commands that change something need: the database, and when secrets are
 * touched a signer of the command's own, with the rights to make keys.
 */
#ifndef KONTOR_IDP_CLI_WORK_H
#define KONTOR_IDP_CLI_WORK_H

#include "idp/account.h"
#include "idp/cli.h"

struct cli_work {
	struct cli *cli;
	struct config config;
	struct account_work w; /* signer and keyring NULL without CLI_SIGNER */
};

enum cli_need {
	CLI_DATABASE = 0,
	CLI_SIGNER = 1, /* the master key file is read and a signer started */
	CLI_HSM = 2,    /* and, where an HSM is set up, a process for it */
};

/* Everything is closed with the arena.  ERR_UNAVAILABLE: no database in 10 s, no signer. */
MUST_USE bool cli_work_open(struct cli *cli, enum cli_need need, struct cli_work *out,
			    struct err *err);

/* The same once there are no more arguments (cli_end): CLI_OK, else what the command exits with. */
enum cli_exit cli_work_begin(struct cli *cli, enum cli_need need, struct cli_work *out);

/* Wait until the database answers; until_us: by clock_mono_us.  False: it did not. */
MUST_USE bool cli_await_db(struct db *db, int64_t until_us);

/* Wait for what the HSM shows first.  ERR_UNAVAILABLE: that it does not work, or none is set up. */
MUST_USE bool cli_work_hsm_ready(struct cli_work *work, struct err *err);

/* Read the keys anew after a change. */
MUST_USE bool cli_work_load_keys(struct cli_work *work, struct err *err);

/* The account of a login name as typed.  ERR_INPUT: not one; ERR_NOT_FOUND: nobody's. */
MUST_USE bool cli_find_account(struct cli_work *work, const char *typed,
			       const struct db_subject **out, struct err *err);

/* An audit row by a command: subject, party and details are the caller's. */
struct db_audit cli_audit(const struct cli_work *work, const char *event);

/*
 * A subcommand: "kontor key list".  Takes the next word and runs the row of that
 * name, else complains.
 */
struct cli_verb {
	const char *name;
	enum cli_exit (*run)(struct cli *cli);
};
enum cli_exit cli_run_verb(struct cli *cli, const struct cli_verb *verbs);

/* Of cli_party.c: the policy options that are given, as a JSON object. */
MUST_USE bool cli_take_policy(struct cli *cli, json_t *policy, struct err *err);

/* kontor party check FILE|URL */
enum cli_exit cli_party_check(struct cli *cli);

/* kontor federation member … */
enum cli_exit cli_member(struct cli *cli);

/* Print `o` as JSON with --json, else `text`. */
enum cli_exit cli_tell(struct cli *cli, json_t *o, const char *text);

#endif
