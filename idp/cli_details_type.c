/* kontor details-type: what clients may ask for in detail (RFC 9396), and what it is called. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/text.h"
#include "db/detail_type.h"
#include "idp/audit.h"
#include "idp/cli_work.h"
#include "oidc/details.h"

static enum cli_exit
tell_change(struct cli *cli, const char *name, const char *now)
{
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "type", name);
	json_put_str(cli->a, o, "now", now);
	return cli_tell(cli, o, arena_printf(cli->a, "%s is %s\n", name, now));
}

static enum cli_exit
type_add(struct cli *cli)
{
	const char *file = cli_word(cli);
	enum cli_exit rc = cli_end(cli);
	struct oidc_detail_type type;
	struct db_detail_type row;
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (file == NULL)
		return cli_usage(cli, "which type? FILE is missing");
	if (!conf_read_file(cli->a, file, OIDC_DETAIL_TYPE_MAX_BYTES, &row.document, &err) ||
	    !oidc_detail_type_parse(cli->a, row.document, &type, &err) ||
	    !cli_work_open(cli, CLI_DATABASE, &work, &err))
		return cli_fail(cli, &err);
	struct db_audit audit = cli_audit(&work, AUDIT_DETAILS_TYPE);

	row.name = type.name;
	audit.details = audit_details(cli->a, "type", type.name, "now", "saved", NULL);
	if (!db_detail_type_save(&work.w.db, &row, &audit, work.w.now, &err))
		return cli_fail(cli, &err);
	return tell_change(cli, type.name, "saved");
}

static enum cli_exit
type_remove(struct cli *cli)
{
	const char *name = cli_word(cli);
	enum cli_exit rc = cli_end(cli);
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (name == NULL)
		return cli_usage(cli, "which one? TYPE is missing");
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err))
		return cli_fail(cli, &err);
	struct db_audit audit = cli_audit(&work, AUDIT_DETAILS_TYPE);

	audit.details = audit_details(cli->a, "type", name, "now", "removed", NULL);
	if (!db_detail_type_remove(&work.w.db, name, &audit, work.w.now, &err))
		return cli_fail(cli, &err);
	return tell_change(cli, name, "removed");
}

static bool
load(struct cli *cli, const struct db_detail_type **rows, size_t *n, struct err *err)
{
	struct cli_work work;

	return cli_work_open(cli, CLI_DATABASE, &work, err) &&
	       db_detail_type_list(&work.w.db, rows, n, err);
}

static enum cli_exit
type_list(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *list = json_new_array(cli->a);
	enum cli_exit rc = cli_end(cli);
	const struct db_detail_type *rows;
	struct err err = {0};
	struct buf text;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (!load(cli, &rows, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, (size_t)1024 * 1024);
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_new_object(cli->a);

		json_put_str(cli->a, row, "type", rows[i].name);
		json_put_str(cli->a, row, "changed", clock_text(cli->a, rows[i].changed));
		json_push(cli->a, list, row);
		buf_printf(&text, "%s  since %s\n", text_one_line(cli->a, rows[i].name),
			   clock_text(cli->a, rows[i].changed));
	}
	json_put(cli->a, o, "types", list);
	return cli_tell(cli, o, text.over || text.p == NULL ? "" : (const char *)text.p);
}

/* As it was written, to be changed and added again. */
static enum cli_exit
type_show(struct cli *cli)
{
	const char *name = cli_word(cli);
	enum cli_exit rc = cli_end(cli);
	const struct db_detail_type *rows;
	struct err err = {0};
	json_t *o;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (name == NULL)
		return cli_usage(cli, "which one? TYPE is missing");
	if (!load(cli, &rows, &n, &err))
		return cli_fail(cli, &err);
	for (size_t i = 0; i < n; i++)
		if (text_eq(rows[i].name, name)) {
			if (!json_parse_object(cli->a, rows[i].document, OIDC_DETAIL_TYPE_MAX_BYTES,
					       &o, &err))
				return cli_fail(cli, &err);
			cli_print_json(cli, o);
			return CLI_OK;
		}
	(void)!FAIL(&err, ERR_NOT_FOUND, NULL, "%s: no such type", name);
	return cli_fail(cli, &err);
}

enum cli_exit
cli_details_type(struct cli *cli)
{
	static const struct cli_verb verbs[] = {
		{"add", type_add},       {"list", type_list}, {"show", type_show},
		{"remove", type_remove}, {NULL, NULL},
	};

	return cli_run_verb(cli, verbs);
}
