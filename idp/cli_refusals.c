/* What was refused to a party lately: kontor party refused, and part of kontor client check. */
#include "base/clock.h"
#include "base/text.h"
#include "idp/cli_party.h"

#define TEXT_MAX ((size_t)256 * 1024)

static json_t *
refusal_json(struct arena *a, const struct db_refusal *r)
{
	json_t *o = json_new_object(a);

	json_put_bool(a, o, "proven", r->proven);
	json_put_str(a, o, "endpoint", r->endpoint);
	json_put_str(a, o, "error", r->error);
	json_put_str(a, o, "reason", r->reason);
	json_put_i64(a, o, "times", r->times);
	json_put_str(a, o, "first", clock_text(a, r->first));
	json_put_str(a, o, "last", clock_text(a, r->last));
	json_put_str(a, o, "ref", r->ref);
	return o;
}

static void
write_text(struct arena *a, const struct db_refusal *list, size_t n, bool proven, struct buf *text)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		const struct db_refusal *r = &list[i];

		if (r->proven != proven)
			continue;
		if (!any)
			buf_str(text, proven ? "refused lately:\n"
					     : "refused in its name, whoever sent it:\n");
		any = true;
		buf_printf(text, "  %s  %s %s: %s\n", clock_text(a, r->last), r->endpoint, r->error,
			   text_one_line(a, r->reason));
		buf_printf(text, "    reference %s, %lld since %s\n", r->ref, (long long)r->times,
			   clock_text(a, r->first));
	}
}

void
cli_party_tell_refusals(struct cli *cli, const struct db_refusal *list, size_t n, json_t *o,
			struct buf *text)
{
	json_t *rows = json_new_array(cli->a);

	for (size_t i = 0; i < n; i++)
		json_push(cli->a, rows, refusal_json(cli->a, &list[i]));
	json_put(cli->a, o, "refusals", rows);
	write_text(cli->a, list, n, true, text);
	write_text(cli->a, list, n, false, text);
	if (n == 0)
		buf_str(text, "nothing was refused in two weeks\n");
}

enum cli_exit
cli_party_refused(struct cli *cli)
{
	const char *id = cli_word(cli), *out;
	json_t *o = json_new_object(cli->a);
	const struct db_refusal *list;
	const struct db_party *p;
	struct cli_work work;
	struct err err = {0};
	struct buf text;
	size_t n;

	if (id == NULL)
		return cli_usage(cli, "which one? ID is missing");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	if (!cli_party_find(&work, id, CLI_KIND_SAML, &p, &err) ||
	    !db_refusal_list(&work.w.db, id, &list, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, TEXT_MAX);
	json_put_str(cli->a, o, "id", id);
	cli_party_tell_refusals(cli, list, n, o, &text);
	return buf_finish_str(&text, &out, &err) ? cli_tell(cli, o, out) : cli_fail(cli, &err);
}
