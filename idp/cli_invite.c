/* kontor client invite, invited, uninvite: who may register clients without a command. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/registration.h"
#include "idp/audit.h"
#include "idp/cli_party.h"
#include "idp/registration.h"

#define TOKEN_BYTES   32
#define COUNT_MOST    10000
#define DAYS_UNSAID   7
#define DAYS_MOST     366
#define DAY_S         ((time_t)86400)
#define SIGNERS_BYTES ((size_t)64 * 1024)

struct invite_options {
	const char *name;
	uint64_t count, days;
	json_t *rules;
};

/* A list of the rules, from an option that may come again. */
static void
take_list(struct cli *cli, json_t *rules, const char *option, const char *member)
{
	json_t *list = json_new_array(cli->a);
	const char *value;

	while ((value = cli_value(cli, option)) != NULL)
		json_push_str(cli->a, list, value);
	if (json_array_size(list) > 0)
		json_put(cli->a, rules, member, list);
}

static bool
take_number(struct cli *cli, const char *option, uint64_t least_said, uint64_t most, uint64_t *out,
	    struct err *err)
{
	const char *value = cli_value(cli, option);

	*out = least_said;
	return value == NULL || (text_to_u64(value, most, out) && *out > 0) ||
	       FAIL(err, ERR_INPUT, NULL, "%s: a number from 1 to %llu expected", option,
		    (unsigned long long)most);
}

static bool
take_signers(struct cli *cli, json_t *rules, struct err *err)
{
	const char *path = cli_value(cli, "--statement-signers");
	struct bytes file;
	json_t *set;

	if (path == NULL)
		return true;
	if (!conf_read_file(cli->a, path, SIGNERS_BYTES, &file, err) ||
	    !json_parse_object(cli->a, file, SIGNERS_BYTES, &set, err))
		return false;
	json_put(cli->a, rules, "signers", set);
	return true;
}

static bool
take_options(struct cli *cli, struct invite_options *o, struct err *err)
{
	struct registration_rules rules;

	o->rules = json_new_object(cli->a);
	take_list(cli, o->rules, "--profile", "profiles");
	take_list(cli, o->rules, "--scope", "scopes");
	take_list(cli, o->rules, "--grant-type", "grant_types");
	take_list(cli, o->rules, "--host", "hosts");
	take_list(cli, o->rules, "--resource", "resources");
	take_list(cli, o->rules, "--subject-type", "subject_types");
	take_list(cli, o->rules, "--details-type", "authorization_details_types");
	json_put_str(cli->a, o->rules, "level_cap", cli_value(cli, "--level-cap"));
	return take_number(cli, "--count", 1, COUNT_MOST, &o->count, err) &&
	       take_number(cli, "--days", DAYS_UNSAID, DAYS_MOST, &o->days, err) &&
	       take_signers(cli, o->rules, err) &&
	       registration_rules_parse(cli->a, json_text(cli->a, o->rules, false), &rules, err);
}

enum cli_exit
cli_client_invite(struct cli *cli)
{
	struct invite_options o = {.name = cli_word(cli)};
	const char *token = rand_token(cli->a, TOKEN_BYTES);
	json_t *told = json_new_object(cli->a);
	unsigned char digest[SHA256_BYTES];
	struct cli_work work;
	struct err err = {0};

	if (o.name == NULL)
		return cli_usage(cli, "which name? NAME is missing");
	if (!take_options(cli, &o, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	struct db_audit audit = cli_audit(&work, AUDIT_CLIENT_INVITED);
	const struct db_invitation invitation = {
		.name = o.name,
		.rules = json_text(cli->a, o.rules, true),
		.remaining = (int64_t)o.count,
		.expires = work.w.now + (time_t)o.days * DAY_S,
	};

	audit.details = audit_details(cli->a, "invitation", o.name, NULL);
	hash_sha256(bytes_of(token), digest);
	if (!db_invitation_put(&work.w.db, &invitation, (struct bytes){digest, sizeof(digest)},
			       &audit, work.w.now, &err))
		return cli_fail(cli, &err);
	json_put_str(cli->a, told, "name", o.name);
	json_put_str(cli->a, told, "registration_endpoint",
		     arena_printf(cli->a, "%s" REGISTRATION_PATH, work.config.base_url));
	json_put_str(cli->a, told, "initial_access_token", token);
	json_put_str(cli->a, told, "expires", clock_text(cli->a, invitation.expires));
	cli_print_json(cli, told);
	return CLI_OK;
}

static json_t *
invitation_json(struct cli *cli, const struct db_invitation *invitation, time_t now)
{
	json_t *o = json_new_object(cli->a), *rules;

	json_put_str(cli->a, o, "name", invitation->name);
	json_put_i64(cli->a, o, "remaining", invitation->remaining);
	json_put_str(cli->a, o, "expires", clock_text(cli->a, invitation->expires));
	json_put_bool(cli->a, o, "counts", invitation->remaining > 0 && invitation->expires > now);
	if (json_parse_object(cli->a, bytes_of(invitation->rules), SIGNERS_BYTES * 2, &rules, NULL))
		json_put(cli->a, o, "rules", rules);
	return o;
}

enum cli_exit
cli_client_invited(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *list = json_new_array(cli->a);
	const struct db_invitation *all;
	struct cli_work work;
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);
	struct err err = {0};
	struct buf text;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (!db_invitation_list(&work.w.db, &all, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, (size_t)1024 * 1024);
	for (size_t i = 0; i < n; i++) {
		json_push(cli->a, list, invitation_json(cli, &all[i], work.w.now));
		buf_printf(&text, "%s  %lld left until %s\n", text_one_line(cli->a, all[i].name),
			   (long long)all[i].remaining, clock_text(cli->a, all[i].expires));
	}
	json_put(cli->a, o, "invitations", list);
	return cli_tell(cli, o, text.over || text.p == NULL ? "" : (const char *)text.p);
}

enum cli_exit
cli_client_uninvite(struct cli *cli)
{
	const char *name = cli_word(cli);
	enum cli_exit rc = cli_end(cli);
	json_t *o = json_new_object(cli->a);
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (name == NULL)
		return cli_usage(cli, "which one? NAME is missing");
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err))
		return cli_fail(cli, &err);
	struct db_audit audit = cli_audit(&work, AUDIT_CLIENT_INVITED);

	audit.details = audit_details(cli->a, "invitation", name, "now", "taken back", NULL);
	if (!db_invitation_drop(&work.w.db, name, &audit, work.w.now, &err))
		return cli_fail(cli, &err);
	json_put_str(cli->a, o, "name", name);
	json_put_str(cli->a, o, "now", "taken back");
	return cli_tell(cli, o, arena_printf(cli->a, "%s is taken back\n", name));
}
