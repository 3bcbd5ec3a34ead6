/* kontor upstream: other identity providers whose people may log in here. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/text.h"
#include "idp/audit.h"
#include "idp/cli_work.h"
#include "idp/party.h"
#include "idp/upstream.h"

#define METADATA_MAX ((size_t)4 * 1024 * 1024)

static enum cli_exit
tell_change(struct cli *cli, const char *id, const char *now)
{
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "upstream", id);
	json_put_str(cli->a, o, "now", now);
	return cli_tell(cli, o, arena_printf(cli->a, "%s is %s\n", id, now));
}

/* The policy options that are given. */
static bool
take_policy(struct cli *cli, json_t *policy, struct err *err)
{
	for (const struct upstream_key *k = upstream_keys; k->name != NULL; k++) {
		const char *option = arena_printf(cli->a, "--%s", k->name), *value;
		bool first = true;

		while ((value = cli_value(cli, option)) != NULL) {
			if (!first && !k->repeatable)
				return FAIL(err, ERR_INPUT, NULL, "%s: given twice", option);
			first = false;
			if (!upstream_put(cli->a, policy, k->name, value, err))
				return false;
		}
	}
	return true;
}

static bool
load(struct cli *cli, struct cli_work *work, const struct db_upstream **rows, size_t *n,
     struct err *err)
{
	return cli_work_open(cli, CLI_DATABASE, work, err) &&
	       db_upstream_list(&work->w.db, rows, n, err);
}

/* NULL: there is none. */
static const struct db_upstream *
find(const struct db_upstream *rows, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (text_eq(rows[i].id, id))
			return &rows[i];
	return NULL;
}

static const char *
name_of(struct cli *cli, const struct saml_party *p)
{
	const char *name = saml_texts_find(&p->display_name, "de");

	if (name == NULL)
		name = saml_texts_find(&p->organization_display_name, "de");
	return name != NULL ? name : party_host(cli->a, p->entity_id);
}

struct given {
	const char *id, *kind, *display_name, *issuer;
	struct bytes document;
	json_t *policy;
};

/* What was given, over what is there; judged as a node will. */
static bool
make_row(struct cli *cli, const struct given *g, const struct db_upstream *old, time_t now,
	 struct db_upstream *row, struct err *err)
{
	struct upstream judged;
	json_t *policy = json_new_object(cli->a);

	if (old != NULL && !json_parse_object(cli->a, bytes_of(old->policy), 65536, &policy, err))
		return false;
	json_object_update(policy, g->policy);
	*row = (struct db_upstream){
		.id = g->id,
		.kind = g->kind != NULL ? g->kind
			: old != NULL   ? old->kind
					: "saml",
		.display_name = g->display_name != NULL ? g->display_name
				: old != NULL           ? old->display_name
							: "-",
		.document = g->document,
		.issuer = g->issuer,
		.policy = json_text(cli->a, policy, false),
		.enabled = old == NULL || old->enabled,
	};
	if (!upstream_parse(cli->a, row, &judged, err))
		return false;
	if (upstream_is_over(&judged, now))
		return FAIL(err, ERR_INPUT, NULL, "validUntil of the metadata has passed");
	if (text_eq(row->display_name, "-"))
		row->display_name = judged.saml != NULL ? name_of(cli, judged.saml)
							: party_host(cli->a, judged.entity_id);
	return true;
}

static enum cli_exit
upstream_add(struct cli *cli)
{
	struct given g = {.policy = json_new_object(cli->a)};
	const struct db_upstream *rows;
	struct db_upstream row;
	struct cli_work work;
	struct err err = {0};
	const char *file;
	size_t n;

	g.kind = cli_value(cli, "--kind");
	g.display_name = cli_value(cli, "--display-name");
	g.issuer = cli_value(cli, "--issuer");
	if (!take_policy(cli, g.policy, &err))
		return cli_fail(cli, &err);
	g.id = cli_word(cli);
	file = cli_word(cli);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (g.id == NULL || (file == NULL) == (g.issuer == NULL))
		return cli_usage(cli, "which provider? ID, and FILE or --issuer");
	if ((file != NULL && !conf_read_file(cli->a, file, METADATA_MAX, &g.document, &err)) ||
	    !load(cli, &work, &rows, &n, &err) ||
	    !make_row(cli, &g, find(rows, n, g.id), work.w.now, &row, &err))
		return cli_fail(cli, &err);
	struct db_audit audit = cli_audit(&work, AUDIT_UPSTREAM);

	audit.details = audit_details(cli->a, "upstream", row.id, "now", "saved", NULL);
	if (!db_upstream_save(&work.w.db, &row, &audit, work.w.now, &err))
		return cli_fail(cli, &err);
	return tell_change(cli, row.id, row.enabled ? "saved" : "saved; it stays disabled");
}

static json_t *
row_json(struct cli *cli, const struct db_upstream *row, time_t now, bool whole)
{
	json_t *o = json_new_object(cli->a), *policy;
	struct upstream u;
	struct err why = {0};

	json_put_str(cli->a, o, "upstream", row->id);
	json_put_str(cli->a, o, "kind", row->kind);
	json_put_str(cli->a, o, "display_name", row->display_name);
	json_put_bool(cli->a, o, "enabled", row->enabled);
	json_put_str(cli->a, o, "changed", clock_text(cli->a, row->changed));
	if (row->fetched != 0)
		json_put_str(cli->a, o, "fetched", clock_text(cli->a, row->fetched));
	json_put_str(cli->a, o, "trouble", row->trouble);
	if (upstream_parse(cli->a, row, &u, &why) && upstream_is_over(&u, now))
		json_put_str(cli->a, o, "problem", "validUntil of its metadata has passed");
	if (why.kind == ERR_NONE)
		json_put_str(cli->a, o, u.oidc != NULL ? "issuer" : "entity_id", u.entity_id);
	else
		json_put_str(cli->a, o, "problem", why.text);
	if (whole && json_parse_object(cli->a, bytes_of(row->policy), 65536, &policy, NULL))
		json_put(cli->a, o, "policy", policy);
	return o;
}

static enum cli_exit
upstream_list(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *list = json_new_array(cli->a);
	enum cli_exit rc = cli_end(cli);
	const struct db_upstream *rows;
	struct cli_work work;
	struct err err = {0};
	struct buf text;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (!load(cli, &work, &rows, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, (size_t)1024 * 1024);
	for (size_t i = 0; i < n; i++) {
		json_push(cli->a, list, row_json(cli, &rows[i], work.w.now, false));
		buf_printf(&text, "%s  %s  %s%s\n", rows[i].id, rows[i].kind,
			   text_one_line(cli->a, rows[i].display_name),
			   rows[i].enabled ? "" : "  disabled");
	}
	json_put(cli->a, o, "upstreams", list);
	return cli_tell(cli, o, text.over || text.p == NULL ? "" : (const char *)text.p);
}

static enum cli_exit
no_such(struct cli *cli, const char *id)
{
	struct err err = {0};

	(void)!FAIL(&err, ERR_NOT_FOUND, NULL, "%s: no such provider", id);
	return cli_fail(cli, &err);
}

static enum cli_exit
upstream_show(struct cli *cli)
{
	const char *id = cli_word(cli);
	enum cli_exit rc = cli_end(cli);
	const struct db_upstream *rows, *row;
	struct cli_work work;
	struct err err = {0};
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (id == NULL)
		return cli_usage(cli, "which one? ID is missing");
	if (!load(cli, &work, &rows, &n, &err))
		return cli_fail(cli, &err);
	row = find(rows, n, id);
	if (row == NULL)
		return no_such(cli, id);
	cli_print_json(cli, row_json(cli, row, work.w.now, true));
	return CLI_OK;
}

/* now: "enabled", "disabled", "removed" */
static enum cli_exit
change(struct cli *cli, const char *now)
{
	const char *id = cli_word(cli);
	enum cli_exit rc = cli_end(cli);
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (id == NULL)
		return cli_usage(cli, "which one? ID is missing");
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err))
		return cli_fail(cli, &err);
	struct db_audit audit = cli_audit(&work, AUDIT_UPSTREAM);

	audit.details = audit_details(cli->a, "upstream", id, "now", now, NULL);
	if (!(text_eq(now, "removed")
		      ? db_upstream_remove(&work.w.db, id, &audit, work.w.now, &err)
		      : db_upstream_set_enabled(&work.w.db, id, text_eq(now, "enabled"), &audit,
						work.w.now, &err)))
		return err.kind == ERR_NOT_FOUND ? no_such(cli, id) : cli_fail(cli, &err);
	return tell_change(cli, id, now);
}

static enum cli_exit
upstream_enable(struct cli *cli)
{
	return change(cli, "enabled");
}

static enum cli_exit
upstream_disable(struct cli *cli)
{
	return change(cli, "disabled");
}

static enum cli_exit
upstream_remove(struct cli *cli)
{
	return change(cli, "removed");
}

enum cli_exit
cli_upstream(struct cli *cli)
{
	static const struct cli_verb verbs[] = {
		{"add", upstream_add},
		{"list", upstream_list},
		{"show", upstream_show},
		{"enable", upstream_enable},
		{"disable", upstream_disable},
		{"remove", upstream_remove},
		{NULL, NULL},
	};

	return cli_run_verb(cli, verbs);
}
