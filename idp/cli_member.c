/*
 * kontor federation member …: the register of a federation's
 * administration.  What is published of a member was brought by one person and approved by
 * another.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "idp/audit.h"
#include "idp/cli_member.h"
#include "idp/publication.h"
#include "saml/names.h"
#include "saml/publication.h"
#include "saml/schema.h"
#include "saml/value.h"

#define NAME_MOST  200
#define TEXT_BYTES ((size_t)4 * 1024 * 1024)

/* Who does it, as the operator names them: no login of ours, so it is only written down. */
static bool
take_by(struct cli *cli, const char **out, struct err *err)
{
	*out = cli_value(cli, "--by");
	if (*out == NULL || **out == '\0' || strlen(*out) > NAME_MOST)
		return FAIL(err, ERR_INPUT, NULL, "--by NAME says who does it (1 to %d octets)",
			    NAME_MOST);
	return true;
}

static enum cli_exit
tell_change(struct cli *cli, const char *entity_id, const char *now)
{
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "member", entity_id);
	json_put_str(cli->a, o, "now", now);
	return cli_tell(cli, o,
			arena_printf(cli->a, "%s is %s\n", text_one_line(cli->a, entity_id), now));
}

/* A command with one word, --by and perhaps --why, that changes the register. */
struct call {
	struct cli_work work;
	const char *word, *by, *why;
};

static enum cli_exit
begin(struct cli *cli, const char *what, bool why, enum cli_need need, struct call *out)
{
	struct err err = {0};
	enum cli_exit rc;

	*out = (struct call){.word = cli_word(cli)};
	if (!take_by(cli, &out->by, &err))
		return cli_fail(cli, &err);
	out->why = why ? cli_value(cli, "--why") : NULL;
	if (out->word == NULL && what != NULL)
		return cli_usage(cli, arena_printf(cli->a, "which one? %s is missing", what));
	if (why && (out->why == NULL || *out->why == '\0'))
		return cli_usage(cli, "--why TEXT is missing");
	rc = cli_end(cli);
	if (rc != CLI_OK)
		return rc;
	return cli_work_open(cli, need, &out->work, &err) ? CLI_OK : cli_fail(cli, &err);
}

/* ---- what is brought ---- */

bool
cli_member_read(struct arena *a, struct bytes text, struct db_member_document *out, struct err *err)
{
	struct xml_limits limits = xml_limits_metadata;
	const struct xml_node *root;
	struct xml_doc *doc;

	limits.max_bytes = PUBLICATION_MEMBER_BYTES;
	if (!xml_parse(a, text, &limits, &doc, err))
		return false;
	root = xml_root(doc);
	if (!xml_is(root, SAML_NS_METADATA, "EntityDescriptor"))
		return FAIL(err, ERR_INPUT, NULL, "the file is not one md:EntityDescriptor");
	return saml_schema_check(a, root, err) &&
	       xml_need_attr(root, "entityID", &out->entity_id, err) &&
	       saml_attr_time(root, "validUntil", &out->valid_until, err) &&
	       saml_member_document(a, text, &out->document, err);
}

/*
 * What stands in place of the document's own validUntil, which is for those who fetch it from the
 * member: members renew it every few days, and two persons do not look so often.
 */
static bool
read_until(struct arena *a, const char *s, struct db_member_document *d, struct err *err)
{
	time_t day;

	if (s == NULL)
		return true;
	d->valid_until = 0;
	if (text_eq(s, "never"))
		return true;
	if (strlen(s) != strlen("YYYY-MM-DD") ||
	    !clock_parse(arena_printf(a, "%sT00:00:00Z", s), &day, NULL))
		return FAIL(err, ERR_INPUT, NULL, "--until: a day as YYYY-MM-DD, or never");
	d->valid_until = day + 86400;
	return true;
}

static enum cli_exit
member_submit(struct cli *cli)
{
	struct db_member_document d = {.seq = 0};
	struct err err = {0};
	struct bytes text;
	struct call c;
	const char *until = cli_value(cli, "--until");
	enum cli_exit rc = begin(cli, "FILE", false, CLI_DATABASE, &c);

	if (rc != CLI_OK)
		return rc;
	d.brought_by = c.by;
	if (!conf_read_file(cli->a, c.word, PUBLICATION_MEMBER_BYTES, &text, &err) ||
	    !cli_member_read(cli->a, text, &d, &err) || !read_until(cli->a, until, &d, &err))
		return cli_fail(cli, &err);
	if (d.valid_until != 0 && d.valid_until <= c.work.w.now) {
		(void)!FAIL(&err, ERR_INPUT, NULL, "validUntil has passed");
		return cli_fail(cli, &err);
	}
	unsigned char sha256[SHA256_BYTES];

	hash_sha256(d.document, sha256);
	const char *digest = enc_hex(cli->a, (struct bytes){sha256, SHA256_BYTES});
	struct db_audit audit = cli_audit(&c.work, AUDIT_MEMBER_BROUGHT);

	audit.party = d.entity_id;
	audit.details = audit_details(cli->a, "by", c.by, "digest", digest, "until", until, NULL);
	if (!db_member_bring(&c.work.w.db, &d, &audit, c.work.w.now, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "member", d.entity_id);
	json_put_str(cli->a, o, "now", "waiting");
	json_put_str(cli->a, o, "digest", digest);
	if (d.valid_until != 0)
		json_put_str(cli->a, o, "valid_until", clock_text(cli->a, d.valid_until));
	return cli_tell(cli, o,
			arena_printf(cli->a,
				     "%s waits for a second person:\n"
				     "kontor federation member approve %s %s --by NAME%s%s\n%s",
				     d.entity_id, d.entity_id, digest,
				     until == NULL ? "" : " --until ", until == NULL ? "" : until,
				     d.valid_until == 0
					     ? ""
					     : arena_printf(cli->a,
							    "it is a member until %s, then no more "
							    "(--until)\n",
							    clock_text(cli->a, d.valid_until))));
}

/* ---- decisions ---- */

/*
 * Until when the second person takes it to be a member: as the document says, or as --until does.
 * Who brought it can bring it anew for another time, with the same digest.
 */
static bool
seen_until(struct cli *cli, const struct call *c, struct bytes sha256, const char *until,
	   int64_t *out, struct err *err)
{
	const struct db_member_document *d;
	struct db_member_document said = {.seq = 0};
	size_t n;

	if (!db_member_documents(&c->work.w.db, c->word, &d, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (d[i].state == DB_MEMBER_WAITING && bytes_eq(d[i].sha256, sha256) &&
		    !cli_member_read(cli->a, d[i].document, &said, err))
			return false;
	if (!read_until(cli->a, until, &said, err))
		return false;
	*out = said.valid_until;
	return true;
}

static bool
decide(struct cli *cli, struct call *c, const char *digest, const char *until, bool approve,
       struct err *err)
{
	int64_t valid_until = 0;
	struct db_audit audit = cli_audit(&c->work, AUDIT_MEMBER_DECIDED);
	struct bytes sha256;

	if (digest == NULL || !dec_hex(cli->a, bytes_of(digest), &sha256, NULL) ||
	    sha256.n != SHA256_BYTES)
		return FAIL(err, ERR_INPUT, NULL, "DIGEST of 64 hexadecimal digits expected");
	audit.party = c->word;
	audit.details = audit_details(cli->a, "by", c->by, "digest", digest, "now",
				      approve ? "approved" : "rejected", NULL);
	if (!approve)
		return db_member_reject(&c->work.w.db, c->word, sha256, c->by, &audit,
					c->work.w.now, err);
	return seen_until(cli, c, sha256, until, &valid_until, err) &&
	       db_member_approve(&c->work.w.db, c->word, sha256, valid_until, c->by, &audit,
				 c->work.w.now, err);
}

static enum cli_exit
member_decide(struct cli *cli, bool approve)
{
	const char *entity_id = cli_word(cli), *digest = cli_word(cli);
	const char *until = approve ? cli_value(cli, "--until") : NULL;
	struct err err = {0};
	struct call c;
	enum cli_exit rc;

	if (entity_id == NULL || digest == NULL)
		return cli_usage(cli, "which one? ENTITY and DIGEST are needed");
	rc = begin(cli, NULL, false, CLI_DATABASE, &c);
	if (rc != CLI_OK)
		return rc;
	c.word = entity_id;
	return decide(cli, &c, digest, until, approve, &err)
		       ? tell_change(cli, entity_id, approve ? "approved" : "rejected")
		       : cli_fail(cli, &err);
}

static enum cli_exit
member_approve(struct cli *cli)
{
	return member_decide(cli, true);
}

static enum cli_exit
member_reject(struct cli *cli)
{
	return member_decide(cli, false);
}

/* ---- how members stand ---- */

static enum cli_exit
member_stand(struct cli *cli, const char *now)
{
	bool suspend = text_eq(now, "suspended");
	struct err err = {0};
	struct call c;
	enum cli_exit rc = begin(cli, "ENTITY", suspend, CLI_DATABASE, &c);
	bool ok;

	if (rc != CLI_OK)
		return rc;
	struct db_audit audit = cli_audit(&c.work, AUDIT_MEMBER_STANDING);
	const struct account_work *w = &c.work.w;

	audit.party = c.word;
	audit.details = audit_details(cli->a, "by", c.by, "now", now, "why", c.why, NULL);
	if (suspend)
		ok = db_member_suspend(&w->db, c.word, c.by, c.why, &audit, w->now, &err);
	else if (text_eq(now, "resumed"))
		ok = db_member_resume(&w->db, c.word, c.by, &audit, w->now, &err);
	else
		ok = db_member_remove(&w->db, c.word, c.by, &audit, w->now, &err);
	return ok ? tell_change(cli, c.word, now) : cli_fail(cli, &err);
}

static enum cli_exit
member_suspend(struct cli *cli)
{
	return member_stand(cli, "suspended");
}

static enum cli_exit
member_resume(struct cli *cli)
{
	return member_stand(cli, "resumed");
}

static enum cli_exit
member_remove(struct cli *cli)
{
	return member_stand(cli, "removed");
}

/* ---- showing ---- */

static const char *
standing(const struct db_member *m)
{
	if (m->suspended != 0)
		return "suspended";
	return m->counts == NULL ? "new" : "published";
}

static void
tell_document(struct cli *cli, const char *name, const struct db_member_document *d, json_t *o,
	      struct buf *text)
{
	json_t *row = json_new_object(cli->a);

	if (d == NULL)
		return;
	const char *digest = enc_hex(cli->a, d->sha256);

	json_put_str(cli->a, row, "digest", digest);
	json_put_str(cli->a, row, "brought_by", d->brought_by);
	json_put_str(cli->a, row, "brought", clock_text(cli->a, d->brought));
	buf_printf(text, "    %s %s, brought by %s %s", name, digest,
		   text_one_line(cli->a, d->brought_by), clock_text(cli->a, d->brought));
	if (d->decided_by != NULL) {
		json_put_str(cli->a, row, "decided_by", d->decided_by);
		json_put_str(cli->a, row, "decided", clock_text(cli->a, d->decided));
		buf_printf(text, ", approved by %s %s", text_one_line(cli->a, d->decided_by),
			   clock_text(cli->a, d->decided));
	}
	if (d->valid_until != 0) {
		json_put_str(cli->a, row, "valid_until", clock_text(cli->a, d->valid_until));
		buf_printf(text, ", until %s", clock_text(cli->a, d->valid_until));
	}
	buf_str(text, "\n");
	json_put(cli->a, o, name, row);
}

static json_t *
tell_member(struct cli *cli, const struct db_member *m, struct buf *text)
{
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "member", m->entity_id);
	json_put_str(cli->a, o, "state", standing(m));
	json_put_str(cli->a, o, "registered", clock_text(cli->a, m->registered));
	buf_printf(text, "%s  %s\n", text_one_line(cli->a, m->entity_id), standing(m));
	if (m->suspended != 0) {
		json_put_str(cli->a, o, "suspended", clock_text(cli->a, m->suspended));
		json_put_str(cli->a, o, "suspended_by", m->suspended_by);
		json_put_str(cli->a, o, "why", m->suspended_why);
		buf_printf(text, "    suspended by %s %s: %s\n",
			   text_one_line(cli->a, m->suspended_by), clock_text(cli->a, m->suspended),
			   text_one_line(cli->a, m->suspended_why));
	}
	tell_document(cli, "counts", m->counts, o, text);
	tell_document(cli, "waiting", m->waiting, o, text);
	return o;
}

static enum cli_exit
member_list(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *list = json_new_array(cli->a);
	const struct db_member *members;
	struct cli_work work;
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);
	struct err err = {0};
	const char *out;
	struct buf text;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (!db_member_list(&work.w.db, NULL, &members, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, TEXT_BYTES);
	buf_str(&text, "");
	for (size_t i = 0; i < n; i++)
		json_push(cli->a, list, tell_member(cli, &members[i], &text));
	json_put(cli->a, o, "members", list);
	return buf_finish_str(&text, &out, &err) ? cli_tell(cli, o, out) : cli_fail(cli, &err);
}

/* The document that waits, else the one that counts, as it is kept. */
static enum cli_exit
member_show(struct cli *cli)
{
	const struct db_member_document *d;
	const struct db_member *m;
	const char *entity_id = cli_word(cli);
	struct cli_work work;
	struct err err = {0};
	enum cli_exit rc;
	size_t n_members, n = 0;

	if (entity_id == NULL)
		return cli_usage(cli, "which one? ENTITY is missing");
	rc = cli_work_begin(cli, CLI_DATABASE, &work);
	if (rc != CLI_OK)
		return rc;
	if (!db_member_list(&work.w.db, entity_id, &m, &n_members, &err) ||
	    !db_member_documents(&work.w.db, entity_id, &d, &n, &err))
		return cli_fail(cli, &err);
	const struct db_member_document *shown = n_members == 0       ? NULL
						 : m->waiting != NULL ? m->waiting
								      : m->counts;

	for (size_t i = 0; i < n; i++)
		if (shown != NULL && d[i].seq == shown->seq) {
			cli_print((const char *)d[i].document.p);
			cli_print("\n");
			return CLI_OK;
		}
	(void)!FAIL(&err, ERR_NOT_FOUND, NULL, "%s: nothing of such a member",
		    text_one_line(cli->a, entity_id));
	return cli_fail(cli, &err);
}

/* ---- publications ---- */

static json_t *
tell_publication(struct cli *cli, const struct db_publication *p, struct buf *text)
{
	json_t *o = json_new_object(cli->a);

	json_put_i64(cli->a, o, "number", p->seq);
	json_put_i64(cli->a, o, "members", p->members);
	json_put_str(cli->a, o, "at", clock_text(cli->a, p->at));
	json_put_str(cli->a, o, "valid_until", clock_text(cli->a, p->valid_until));
	json_put_str(cli->a, o, "digest", enc_hex(cli->a, p->sha256));
	buf_printf(text, "%lld  %s  %lld members, until %s\n", (long long)p->seq,
		   clock_text(cli->a, p->at), (long long)p->members,
		   clock_text(cli->a, p->valid_until));
	return o;
}

static enum cli_exit
member_publish(struct cli *cli)
{
	struct db_publication made;
	struct err err = {0};
	const char *out;
	struct buf text;
	struct call c;
	int64_t change;
	enum cli_exit rc = begin(cli, NULL, false, CLI_SIGNER | CLI_HSM, &c);

	if (rc != CLI_OK)
		return rc;
	if (c.work.config.federation_name == NULL)
		(void)!FAIL(&err, ERR_DENIED, NULL,
			    "federation_name is not set: this instance administrates none");
	buf_init(&text, cli->a, TEXT_BYTES);
	if (err.kind != ERR_NONE ||
	    !publication_make(&c.work.w, &c.work.config, c.by, &made, &err) ||
	    !db_publication_last(&c.work.w.db, &made, &change, &err))
		return cli_fail(cli, &err);
	json_t *o = tell_publication(cli, &made, &text);

	return buf_finish_str(&text, &out, &err) ? cli_tell(cli, o, out) : cli_fail(cli, &err);
}

static enum cli_exit
member_publications(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *list = json_new_array(cli->a);
	const struct db_publication *p;
	struct cli_work work;
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);
	struct err err = {0};
	const char *out;
	struct buf text;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (!db_publication_list(&work.w.db, &p, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, TEXT_BYTES);
	buf_str(&text, "");
	for (size_t i = 0; i < n; i++)
		json_push(cli->a, list, tell_publication(cli, &p[i], &text));
	json_put(cli->a, o, "publications", list);
	return buf_finish_str(&text, &out, &err) ? cli_tell(cli, o, out) : cli_fail(cli, &err);
}

static enum cli_exit
member_rollback(struct cli *cli)
{
	struct err err = {0};
	struct call c;
	uint64_t seq;
	enum cli_exit rc = begin(cli, "NUMBER", false, CLI_DATABASE, &c);

	if (rc != CLI_OK)
		return rc;
	if (!text_to_u64(c.word, INT64_MAX, &seq)) {
		(void)!FAIL(&err, ERR_INPUT, NULL, "%s: not the number of a publication",
			    text_one_line(cli->a, c.word));
		return cli_fail(cli, &err);
	}
	struct db_audit audit = cli_audit(&c.work, AUDIT_REGISTER_ROLLED_BACK);

	audit.details = audit_details(cli->a, "by", c.by, "to", c.word, NULL);
	if (!db_publication_roll_back(&c.work.w.db, (int64_t)seq, &audit, c.work.w.now, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_i64(cli->a, o, "number", (int64_t)seq);
	return cli_tell(cli, o,
			"What that publication had counts again; it is signed and published anew "
			"within seconds.\n");
}

enum cli_exit
cli_member(struct cli *cli)
{
	static const struct cli_verb verbs[] = {
		{"submit", member_submit},
		{"approve", member_approve},
		{"reject", member_reject},
		{"suspend", member_suspend},
		{"resume", member_resume},
		{"remove", member_remove},
		{"list", member_list},
		{"show", member_show},
		{"publish", member_publish},
		{"publications", member_publications},
		{"rollback", member_rollback},
		{"check", cli_member_check},
		{NULL, NULL},
	};

	return cli_run_verb(cli, verbs);
}
