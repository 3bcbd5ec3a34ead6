/* kontor federation member check: what there is to say of what waits, and of what counts. */
#include "base/conf.h"
#include "base/text.h"
#include "idp/cli_member.h"
#include "idp/member_check.h"
#include "idp/party_check.h"
#include "idp/publication.h"

#define TEXT_BYTES ((size_t)16 * 1024 * 1024)

struct checking {
	struct cli_work work;
	struct buf text;
	json_t *list;
	enum saml_severity gravest;
};

static void
check(struct checking *c, const struct db_member_document *d, struct bytes before,
      const char *state)
{
	struct arena *a = c->work.w.a;
	const struct member_check what = {.entity_id = d->entity_id,
					  .document = d->document,
					  .before = before,
					  .valid_until = d->valid_until,
					  .now = c->work.w.now};
	json_t *o = json_new_object(a);
	struct saml_checked checked;

	member_examine(a, &what, &checked);
	json_put_str(a, o, "member", d->entity_id);
	json_put_str(a, o, "state", state);
	buf_printf(&c->text, "%s  %s\n", text_one_line(a, d->entity_id), state);
	party_tell_findings(a, &checked, o, &c->text);
	json_put_str(a, o, "result",
		     party_severity_word(checked.n > 0 ? checked.found[0].severity : SAML_FINE));
	json_push(a, c->list, o);
	if (checked.n > 0 && checked.found[0].severity > c->gravest)
		c->gravest = checked.found[0].severity;
}

/* n 0: it is not there (any more). */
static struct bytes
octets_of(const struct db_member_document *which, const struct db_member_document *all, size_t n)
{
	for (size_t i = 0; which != NULL && i < n; i++)
		if (all[i].seq == which->seq)
			return all[i].document;
	return (struct bytes){NULL, 0};
}

/* What waits beside what counts, else what counts. */
static bool
check_member(struct checking *c, const struct db_member *m, struct err *err)
{
	const struct db_member_document *all, *which = m->waiting != NULL ? m->waiting : m->counts;
	struct db_member_document d;
	size_t n;

	if (which == NULL)
		return true;
	if (!db_member_documents(&c->work.w.db, m->entity_id, &all, &n, err))
		return false;
	d = *which;
	d.entity_id = m->entity_id;
	d.document = octets_of(which, all, n);
	check(c, &d, octets_of(m->counts, all, n),
	      m->waiting != NULL  ? "waiting"
	      : m->suspended != 0 ? "suspended"
				  : "published");
	return true;
}

static bool
check_file(struct checking *c, const char *path, struct err *err)
{
	const struct db_member_document *all;
	struct db_member_document d = {.seq = 0};
	const struct db_member *m;
	struct bytes text;
	size_t n, n_all;

	if (!conf_read_file(c->work.w.a, path, PUBLICATION_MEMBER_BYTES, &text, err) ||
	    !cli_member_read(c->work.w.a, text, &d, err) ||
	    !db_member_list(&c->work.w.db, d.entity_id, &m, &n, err) ||
	    !db_member_documents(&c->work.w.db, d.entity_id, &all, &n_all, err))
		return false;
	check(c, &d, n == 0 ? (struct bytes){NULL, 0} : octets_of(m->counts, all, n_all), "file");
	return true;
}

static bool
check_register(struct checking *c, const char *entity_id, struct err *err)
{
	const struct db_member *members;
	size_t n;

	if (!db_member_list(&c->work.w.db, entity_id, &members, &n, err))
		return false;
	if (entity_id != NULL && n == 0)
		return FAIL(err, ERR_NOT_FOUND, NULL, "%s: nothing of such a member", entity_id);
	for (size_t i = 0; i < n; i++)
		if (!check_member(c, &members[i], err))
			return false;
	return true;
}

enum cli_exit
cli_member_check(struct cli *cli)
{
	static const enum cli_exit exits[] = {[SAML_FINE] = CLI_OK,
					      [SAML_NOTE] = CLI_OK,
					      [SAML_WARNING] = CLI_FAILED,
					      [SAML_FATAL] = CLI_USAGE};
	const char *entity_id = cli_word(cli), *file = cli_value(cli, "--file"), *out;
	struct checking c = {.list = json_new_array(cli->a), .gravest = SAML_FINE};
	json_t *o = json_new_object(cli->a);
	struct err err = {0};

	if (entity_id != NULL && file != NULL)
		return cli_usage(cli, "either ENTITY or --file FILE");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &c.work);

	if (rc != CLI_OK)
		return rc;
	buf_init(&c.text, cli->a, TEXT_BYTES);
	buf_str(&c.text, "");
	if (!(file != NULL ? check_file(&c, file, &err) : check_register(&c, entity_id, &err)))
		return cli_fail(cli, &err);
	json_put(cli->a, o, "members", c.list);
	if (!buf_finish_str(&c.text, &out, &err))
		return cli_fail(cli, &err);
	(void)cli_tell(cli, o, out);
	return exits[c.gravest];
}
