/* kontor client check: what a client's record allows, what about it will give trouble, and what
 * did. */
#include "base/buf.h"
#include "base/text.h"
#include "idp/cli_party.h"
#include "idp/client_reach.h"
#include "idp/client_report.h"

#define TEXT_MAX ((size_t)512 * 1024)

/* One that cannot be read is refused everywhere; who asks about another need not hear of it. */
static void
pass_over(const char *id UNUSED, const struct err *err UNUSED)
{
}

static bool
load(struct cli_work *work, const char *id, struct parties *all, struct party *p,
     struct client_report *out, struct err *err)
{
	const struct db_call *c = &work->w.db;
	const struct db_party *row, *rows;
	size_t n;

	if (!cli_party_find(work, id, CLI_KIND_OIDC, &row, err) ||
	    !party_parse(work->w.a, row, p, err) || !db_party_list(c, &rows, &n, err) ||
	    !db_source_load(c, id, &out->keys, err))
		return false;
	parties_create(work->w.a, rows, n, config_level_most(&work->config), pass_over, all);
	out->fetched = row->keys;
	out->inside = &work->config.outbound_inside;
	out->now = work->w.now;
	out->parties = all;
	out->p = p;
	return true;
}

static void
write_reach(struct cli *cli, const json_t *reach, struct buf *b)
{
	const json_t *row;
	size_t i;

	json_array_foreach(reach, i, row)
		buf_printf(b, "%s: %s: %s: %s\n",
			   json_is_true(json_object_get(row, "reached")) ? "reached" : "warning",
			   json_string_value(json_object_get(row, "member")),
			   text_one_line(cli->a, json_string_value(json_object_get(row, "url"))),
			   text_one_line(cli->a, json_string_value(json_object_get(row, "what"))));
}

static void
write_text(struct cli *cli, const struct party *p, json_t *report, struct buf *out)
{
	const json_t *warnings = json_object_get(report, "warnings"), *w;
	const char *name;
	json_t *v;
	size_t i;

	buf_printf(out, "%s, %s: %s\n", text_one_line(cli->a, p->id),
		   p->enabled ? "enabled" : "disabled", text_one_line(cli->a, p->display_name));
	json_object_foreach(json_object_get(report, "allows"), name, v)
		buf_printf(out, "  %-21s %s\n", name, text_one_line(cli->a, json_string_value(v)));
	json_array_foreach(warnings, i, w)
	{
		const char *clause = json_string_value(json_object_get(w, "clause"));

		buf_printf(out, "warning: %s: %s%s%s%s\n",
			   json_string_value(json_object_get(w, "member")),
			   text_one_line(cli->a, json_string_value(json_object_get(w, "what"))),
			   clause == NULL ? "" : " (", clause == NULL ? "" : clause,
			   clause == NULL ? "" : ")");
	}
	write_reach(cli, json_object_get(report, "reach"), out);
}

enum cli_exit
cli_client_check(struct cli *cli)
{
	const char *id = cli_word(cli), *out;
	bool reach = cli_flag(cli, "--reach");
	struct client_report r = {0};
	const struct db_refusal *refusals;
	struct buf text;
	size_t n;
	struct parties all;
	struct party p;
	struct cli_work work;
	struct err err = {0};

	if (id == NULL)
		return cli_usage(cli, "which one? ID is missing");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	if (!load(&work, id, &all, &p, &r, &err) ||
	    !db_refusal_list(&work.w.db, id, &refusals, &n, &err))
		return cli_fail(cli, &err);
	json_t *report = client_report_build(cli->a, &r);

	json_put_str(cli->a, report, "id", p.id);
	json_put_bool(cli->a, report, "enabled", p.enabled);
	if (reach)
		json_put(cli->a, report, "reach", client_reach(cli->a, &work.config, p.oidc));
	buf_init(&text, cli->a, TEXT_MAX);
	write_text(cli, &p, report, &text);
	cli_party_tell_refusals(cli, refusals, n, report, &text);
	return buf_finish_str(&text, &out, &err) ? cli_tell(cli, report, out) : cli_fail(cli, &err);
}
