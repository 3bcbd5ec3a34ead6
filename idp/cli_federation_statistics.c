/*
 * How often members of federations asked about people here.  A handful in a day may be one person
 * that somebody knows of, so small numbers are told as a range.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "db/member_count.h"
#include "idp/cli_federation.h"
#include "idp/level.h"

#define DAYS      31
#define DAYS_MOST 400
#define FEW       5 /* less is not told exactly */
#define TEXT_MAX  ((size_t)16 * 1024 * 1024)

static const char *
number(struct arena *a, int64_t times)
{
	return times < FEW ? arena_printf(a, "1-%d", FEW - 1)
			   : arena_printf(a, "%lld", (long long)times);
}

static bool
days_of(const char *text, int64_t *days)
{
	uint64_t n;

	if (text == NULL)
		return true;
	if (!text_to_u64(text, DAYS_MOST, &n) || n == 0)
		return false;
	*days = (int64_t)n;
	return true;
}

static void
add_row(struct arena *a, const struct db_member_count *m, json_t *all, struct buf *text)
{
	const char *day = arena_strndup(a, clock_text(a, (time_t)m->day * 86400), 10),
		   *level = m->level == LEVEL_NONE
				    ? NULL
				    : level_word((enum level)m->level, LEVEL_VOCAB_SHORT),
		   *times = number(a, m->times);
	json_t *o = json_new_object(a);

	json_put_str(a, o, "day", day);
	json_put_str(a, o, "member", m->member);
	json_put_str(a, o, "outcome", m->outcome);
	json_put_str(a, o, "level", level);
	json_put_str(a, o, "times", times);
	json_push(a, all, o);
	buf_printf(text, "%s  %s  %s%s%s  %s\n", day, text_one_line(a, m->member), m->outcome,
		   level == NULL ? "" : " ", level == NULL ? "" : level, times);
}

enum cli_exit
cli_federation_statistics(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *all = json_new_array(cli->a);
	const struct db_member_count *rows;
	struct cli_work work;
	struct err err = {0};
	struct buf text;
	const char *lines;
	int64_t days = DAYS;
	size_t n;

	if (!days_of(cli_value(cli, "--days"), &days))
		return cli_usage(cli, "--days is a number from 1 to 400");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	if (!db_member_count_list(&work.w.db, work.w.now / 86400 - days + 1, &rows, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, TEXT_MAX);
	for (size_t i = 0; i < n; i++)
		add_row(cli->a, &rows[i], all, &text);
	if (n == 0)
		buf_str(&text, "no member asked about anybody\n");
	json_put(cli->a, o, "counts", all);
	return buf_finish_str(&text, &lines, &err) ? cli_tell(cli, o, lines) : cli_fail(cli, &err);
}
