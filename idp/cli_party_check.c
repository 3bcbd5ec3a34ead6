/* kontor party check: tell who builds a portal what is wrong with its metadata, and what works. */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/text.h"
#include "idp/cli_work.h"
#include "idp/fetch.h"
#include "idp/party_check.h"

#define READ_MAX ((size_t)16 * 1024 * 1024) /* what is too long is looked at, to be told so */
#define TEXT_MAX ((size_t)1024 * 1024)

struct check {
	struct cli *cli;
	const char *from, *id, *ca_file;
	bool local;
	json_t *policy;
};

static bool
read_document(const struct check *c, struct bytes *out, struct err *err)
{
	if (c->local && text_starts(c->from, "http://"))
		return fetch_local_url(c->cli->a, c->from, READ_MAX, out, err);
	if (strstr(c->from, "://") != NULL)
		return fetch_url(c->cli->a, c->from, c->ca_file, READ_MAX, out, err);
	return conf_read_file(c->cli->a, c->from, READ_MAX, out, err);
}

/* As it would be registered with these policy options; out->saml NULL: it cannot be read. */
static bool
party_of(const struct check *c, struct bytes document, struct party *out, struct err *err)
{
	const char *policy = json_text(c->cli->a, c->policy, true);
	const struct saml_party *read;

	if (document.n > SAML_METADATA_MAX_BYTES ||
	    !saml_metadata_parse(c->cli->a, document, c->id, &read, NULL))
		return policy_parse(c->cli->a, policy, &out->policy, err);
	const struct db_party row = {
		.id = read->entity_id,
		.kind = "saml",
		.display_name = read->entity_id,
		.document = document,
		.policy = policy,
	};

	return party_parse(c->cli->a, &row, out, err);
}

static void
tell_works(struct arena *a, const struct party_works *works, json_t *o, struct buf *text)
{
	json_t *list = json_new_array(a);

	for (size_t i = 0; i < works->n; i++) {
		json_t *row = json_new_object(a);

		json_put_str(a, row, "what", works->p[i].what);
		json_put_str(a, row, "text", works->p[i].text);
		json_push(a, list, row);
		buf_printf(text, "%-12s%s\n", works->p[i].what, works->p[i].text);
	}
	json_put(a, o, "works", list);
}

/* 0, 1, 2: nothing but notes, a warning, an error. */
static enum cli_exit
exit_of(const struct saml_checked *checked)
{
	enum saml_severity gravest = checked->n > 0 ? checked->found[0].severity : SAML_FINE;

	if (gravest == SAML_FATAL)
		return CLI_USAGE;
	return gravest == SAML_WARNING ? CLI_FAILED : CLI_OK;
}

static enum cli_exit
examine(const struct check *c, struct bytes document)
{
	struct arena *a = c->cli->a;
	struct saml_check_wish wish = {.entity_id = c->id,
				       .flags = c->local ? SAML_LINT_LOCAL_HTTP : 0,
				       .now = clock_now(),
				       .explain = vocabulary_explain};
	json_t *o = json_new_object(a);
	struct saml_checked checked;
	struct party party = {0};
	struct err err = {0};
	const char *out;
	struct buf text;

	if (!party_of(c, document, &party, &err))
		return cli_fail(c->cli, &err);
	wish.known = party.saml;
	saml_metadata_examine(a, document, &wish, &checked);
	buf_init(&text, a, TEXT_MAX);
	party_tell_findings(a, &checked, o, &text);
	json_put_str(a, o, "result", party_severity_word(checked.found[0].severity));
	if (checked.party != NULL) {
		json_put_str(a, o, "id", checked.party->entity_id);
		struct party_works works = party_works(a, &party, wish.now);

		buf_printf(&text, "\n%s:\n",
			   checked.found[0].severity == SAML_FATAL
				   ? "It cannot be registered so; what it would get"
				   : "What it gets when it is registered so");
		tell_works(a, &works, o, &text);
	}
	if (!buf_finish_str(&text, &out, &err))
		return cli_fail(c->cli, &err);
	(void)cli_tell(c->cli, o, out);
	return exit_of(&checked);
}

enum cli_exit
cli_party_check(struct cli *cli)
{
	struct check c = {
		.cli = cli,
		.from = cli_word(cli),
		.id = cli_value(cli, "--id"),
		.ca_file = cli_value(cli, "--ca"),
		.local = cli_flag(cli, "--local-http"),
		.policy = json_new_object(cli->a),
	};
	struct bytes document;
	struct err err = {0};

	if (c.from == NULL)
		return cli_usage(cli, "which metadata? FILE or URL is missing");
	if (!cli_take_policy(cli, c.policy, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (!read_document(&c, &document, &err))
		return cli_fail(cli, &err);
	return examine(&c, document);
}
