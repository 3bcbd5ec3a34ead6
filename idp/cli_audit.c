/* kontor audit: what happened, as the audit trail holds it; ids and rules, never values. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "idp/audit.h"
#include "idp/cli_work.h"

#define LIMIT_MOST 100000
#define LIMIT      100

struct listing {
	struct db_audit_query query;
	const char *login;
};

static bool
known_event(const char *name)
{
	for (const struct audit_event *e = audit_events; e->name != NULL; e++)
		if (text_eq(e->name, name))
			return true;
	return false;
}

static bool
take_query(struct cli *cli, struct listing *l, struct err *err)
{
	const char *limit = cli_value(cli, "--limit");
	uint64_t n = LIMIT;

	l->login = cli_value(cli, "--login");
	l->query.party = cli_value(cli, "--party");
	l->query.event = cli_value(cli, "--event");
	l->query.ref = cli_value(cli, "--ref");
	if (limit != NULL && (!text_to_u64(limit, LIMIT_MOST, &n) || n == 0))
		return FAIL(err, ERR_INPUT, NULL, "--limit: 1 to %d expected", LIMIT_MOST);
	if (l->query.event != NULL && !known_event(l->query.event))
		return FAIL(err, ERR_INPUT, NULL,
			    "--event: unknown event '%s': kontor audit events", l->query.event);
	l->query.limit = (int64_t)n;
	return true;
}

static const char *
subject_text(struct arena *a, const struct subject_id *id)
{
	return id == NULL ? NULL : enc_hex(a, (struct bytes){id->octets, sizeof(id->octets)});
}

static bool
row_json(struct arena *a, const struct db_audit_row *row, json_t *list, struct err *err)
{
	json_t *o = json_new_object(a), *details;

	if (!json_parse_object(a, bytes_of(row->audit.details), 65536, &details, err))
		return false;
	json_put_i64(a, o, "seq", row->seq);
	json_put_i64(a, o, "at", (int64_t)row->at);
	json_put_str(a, o, "event", row->audit.event);
	json_put_str(a, o, "ref", row->audit.ref);
	json_put_str(a, o, "subject", subject_text(a, row->audit.subject));
	json_put_str(a, o, "party", row->audit.party);
	json_put(a, o, "details", details);
	json_push(a, list, o);
	return true;
}

static void
row_text(struct arena *a, const struct db_audit_row *row, struct buf *text)
{
	const char *party = row->audit.party;

	buf_printf(text, "%s %-18s %s %s%s%s\n", clock_text(a, row->at), row->audit.event,
		   row->audit.ref, party == NULL ? "" : party, party == NULL ? "" : " ",
		   row->audit.details);
}

/* The login name is known by its keyed hash alone, so it takes the signer. */
static bool
open_work(struct cli *cli, struct listing *l, struct cli_work *work, struct err *err)
{
	const struct db_subject *subject;

	if (!cli_work_open(cli, l->login == NULL ? CLI_DATABASE : CLI_SIGNER, work, err))
		return false;
	if (l->login == NULL)
		return true;
	if (!cli_find_account(work, l->login, &subject, err))
		return false;
	l->query.subject = &subject->id;
	return true;
}

static enum cli_exit
audit_list(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *list = json_new_array(cli->a);
	const struct db_audit_row *rows;
	struct listing l = {0};
	struct cli_work work;
	struct err err = {0};
	struct buf text;
	const char *out;
	size_t n;

	if (!take_query(cli, &l, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (!open_work(cli, &l, &work, &err) ||
	    !db_audit_list(&work.w.db, &l.query, &rows, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, (size_t)64 * 1024 * 1024);
	for (size_t i = 0; i < n; i++) {
		row_text(cli->a, &rows[i], &text);
		if (cli->json && !row_json(cli->a, &rows[i], list, &err))
			return cli_fail(cli, &err);
	}
	json_put(cli->a, o, "events", list);
	if (!buf_finish_str(&text, &out, &err))
		return cli_fail(cli, &err);
	return cli_tell(cli, o, out);
}

static enum cli_exit
audit_names(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	json_t *o = json_new_object(cli->a);
	const char *text = "";

	if (rc != CLI_OK)
		return rc;
	for (const struct audit_event *e = audit_events; e->name != NULL; e++) {
		json_put_str(cli->a, o, e->name, e->sentence);
		text = arena_printf(cli->a, "%s%-20s %s\n", text, e->name, e->sentence);
	}
	return cli_tell(cli, o, text);
}

enum cli_exit
cli_audit_trail(struct cli *cli)
{
	static const struct cli_verb verbs[] = {
		{"list", audit_list},
		{"events", audit_names},
		{NULL, NULL},
	};

	return cli_run_verb(cli, verbs);
}
