/* kontor client: register OpenID Connect clients and what they may have. */
#include <stdio.h>

#include "base/conf.h"
#include "base/rand.h"
#include "idp/cli_party.h"
#include "idp/client_record.h"

/* ---- kontor client add ---- */

struct client_options {
	const char *from, *display_name;
	bool new_secret;
	json_t *policy;
};

static bool
client_store(struct cli_work *work, const struct client_options *o, struct oidc_client *c,
	     json_t **record, struct err *err)
{
	const struct db_source source = {.party = c->client_id, .url = c->jwks_uri, .signers = ""};
	struct client_record made = {.display_name = o->display_name};
	struct cli_stored stored;

	if (!client_sector_check(work->w.a, &work->config, fetch_get, c, err) ||
	    !cli_party_stored(work, c->client_id, CLI_KIND_OIDC, o->policy, &stored, err))
		return false;
	made.policy = json_text(work->w.a, stored.policy, true);
	if (!client_record_make(&work->w, c, stored.row, o->new_secret, &made, err) ||
	    !cli_party_save(work, &made.row, &source, err))
		return false;
	*record = made.told;
	return true;
}

/* A signer only where a secret has to be sealed: without one no master key file is needed. */
static enum cli_need
need_of(const struct oidc_client *c)
{
	return c->auth_method == OIDC_AUTH_SECRET_JWT ? CLI_SIGNER : CLI_DATABASE;
}

static enum cli_exit
client_add(struct cli *cli)
{
	struct client_options o = {
		.from = cli_word(cli),
		.display_name = cli_value(cli, "--display-name"),
		.new_secret = cli_flag(cli, "--new-secret"),
		.policy = json_new_object(cli->a),
	};
	struct oidc_client_rules rules = party_client_rules(cli->a);
	struct oidc_client *c;
	struct oidc_strs unknown;
	struct cli_work work;
	struct bytes document;
	struct err err = {0};
	json_t *record;

	rules.fapi_unless_said = true;
	if (o.from == NULL)
		return cli_usage(cli, "which client metadata? FILE is missing");
	if (!cli_take_policy(cli, o.policy, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (!conf_read_file(cli->a, o.from, PARTY_METADATA_MAX, &document, &err) ||
	    !oidc_client_parse(cli->a, document, rand_token(cli->a, 16), &rules, &c, &unknown,
			       &err) ||
	    !cli_work_open(cli, need_of(c), &work, &err) ||
	    !client_store(&work, &o, c, &record, &err))
		return cli_fail(cli, &err);
	for (size_t i = 0; i < unknown.n; i++)
		fprintf(stderr, "note: %s: not known here, not kept\n", unknown.s[i]);
	cli_print_json(cli, record);
	return CLI_OK;
}

static enum cli_exit
client_list(struct cli *cli)
{
	return cli_party_list(cli, CLI_KIND_OIDC);
}

static enum cli_exit
client_show(struct cli *cli)
{
	return cli_party_show(cli, CLI_KIND_OIDC);
}

static enum cli_exit
client_enable(struct cli *cli)
{
	return cli_party_change(cli, CLI_KIND_OIDC, CLI_ENABLE);
}

static enum cli_exit
client_disable(struct cli *cli)
{
	return cli_party_change(cli, CLI_KIND_OIDC, CLI_DISABLE);
}

static enum cli_exit
client_remove(struct cli *cli)
{
	return cli_party_change(cli, CLI_KIND_OIDC, CLI_REMOVE);
}

enum cli_exit
cli_client(struct cli *cli)
{
	static const struct cli_verb verbs[] = {
		{"add", client_add},
		{"list", client_list},
		{"show", client_show},
		{"check", cli_client_check},
		{"enable", client_enable},
		{"disable", client_disable},
		{"remove", client_remove},
		{"invite", cli_client_invite},
		{"invited", cli_client_invited},
		{"uninvite", cli_client_uninvite},
		{NULL, NULL},
	};

	return cli_run_verb(cli, verbs);
}
