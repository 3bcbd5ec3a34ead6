/* kontor federation: where members' signed metadata comes from, what of it waits, whom we know. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/text.h"
#include "idp/audit.h"
#include "idp/cli_federation.h"
#include "idp/cli_party.h"
#include "idp/federation_take.h"

#define MAX_TEXT_BYTES ((size_t)16 * 1024 * 1024)
#define LEASE_S        600
#define READ_BYTES     ((size_t)64 * 1024)

/* ---- what is told ---- */

static void
put_time(struct cli *cli, json_t *o, const char *name, time_t t)
{
	json_put_str(cli->a, o, name, t == 0 ? NULL : clock_text(cli->a, t));
}

static const char *
digest_of(struct cli *cli, const struct db_federation_copy *copy)
{
	return enc_hex(cli->a, copy->digest);
}

static json_t *
copy_json(struct cli *cli, const struct db_federation_copy *copy)
{
	json_t *o = json_new_object(cli->a), *why;

	json_put_str(cli->a, o, "source", copy->source);
	json_put_str(cli->a, o, "state", db_federation_state_word(copy->state));
	json_put_str(cli->a, o, "sha256", digest_of(cli, copy));
	json_put_i64(cli->a, o, "members", copy->members);
	put_time(cli, o, "at", copy->at);
	put_time(cli, o, "valid_until", copy->valid_until);
	json_put_str(cli->a, o, "signer", enc_hex(cli->a, copy->signer));
	json_put_str(cli->a, o, "approved_by", copy->approved_by);
	if (copy->changes != NULL &&
	    json_parse_object(cli->a, bytes_of(copy->changes), MAX_TEXT_BYTES, &why, NULL))
		json_put_all(cli->a, o, why);
	return o;
}

static void
write_copy(struct cli *cli, const json_t *o, struct buf *text)
{
	const json_t *changes = json_object_get(o, "changes");

	buf_printf(text, "%-8s %s  %s  %s  %lld members, until %s\n",
		   json_string_value(json_object_get(o, "state")),
		   json_string_value(json_object_get(o, "at")),
		   json_string_value(json_object_get(o, "source")),
		   json_string_value(json_object_get(o, "sha256")),
		   (long long)json_integer_value(json_object_get(o, "members")),
		   json_string_value(json_object_get(o, "valid_until")));
	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *c = json_array_get(changes, i);
		const char *member = json_string_value(json_object_get(c, "member"));

		buf_printf(text, "    %s %s: %s%s%s\n",
			   json_is_true(json_object_get(c, "held")) ? "held " : "plain",
			   json_string_value(json_object_get(c, "rule")),
			   member == NULL ? "" : text_one_line(cli->a, member),
			   member == NULL ? "" : ": ",
			   text_one_line(cli->a, json_string_value(json_object_get(c, "text"))));
	}
}

static json_t *
source_json(struct cli *cli, const struct db_federation_source *s)
{
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "name", s->name);
	json_put_str(cli->a, o, "kind", db_federation_kind_word(s->kind));
	json_put_str(cli->a, o, "url", s->url);
	put_time(cli, o, "fetched", s->fetched);
	put_time(cli, o, "next", s->due);
	json_put_i64(cli->a, o, "failures", s->trouble == NULL ? 0 : s->tries);
	json_put_str(cli->a, o, "trouble", s->trouble);
	if (s->counting.seq != 0) {
		json_put_str(cli->a, o, "sha256", digest_of(cli, &s->counting));
		json_put_i64(cli->a, o, "members", s->counting.members);
		put_time(cli, o, "valid_until", s->counting.valid_until);
	}
	return o;
}

static enum cli_exit
tell_buf(struct cli *cli, json_t *o, struct buf *text)
{
	const char *lines = "";
	struct err err = {0};

	if (!buf_finish_str(text, &lines, &err))
		return cli_fail(cli, &err);
	return cli_tell(cli, o, lines);
}

static enum cli_exit
tell_now(struct cli *cli, const char *name, const char *value, const char *now)
{
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, name, value);
	json_put_str(cli->a, o, "now", now);
	return cli_tell(cli, o,
			arena_printf(cli->a, "%s is %s\n", text_one_line(cli->a, value), now));
}

bool
cli_federation_find(struct cli_work *work, const char *name,
		    const struct db_federation_source **out, struct err *err)
{
	size_t n;

	return db_federation_list(&work->w.db, name, out, &n, err) &&
	       (n > 0 || FAIL(err, ERR_NOT_FOUND, NULL, "no federation %s", name));
}

/* ---- sources ---- */

static bool
read_rules(struct cli *cli, const char *path, const char **out, struct err *err)
{
	struct federation_rules rules;
	struct bytes file;

	*out = "{}";
	if (path != NULL &&
	    (!conf_read_file(cli->a, path, FEDERATION_RULES_BYTES, &file, err) ||
	     !text_from_bytes(cli->a, file, FEDERATION_RULES_BYTES, path, out, err)))
		return false;
	return federation_rules_parse(cli->a, *out, &rules, err);
}

static enum cli_exit
add(struct cli *cli)
{
	const char *name = cli_word(cli), *rules = cli_value(cli, "--rules"), *certs;
	struct db_federation_source s = {.name = name, .url = cli_value(cli, "--url")};
	struct cli_work work;
	struct err err = {0};
	bool file = cli_flag(cli, "--file");

	if (!cli_party_signers(cli, &certs, &err) || !read_rules(cli, rules, &s.rules, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (name == NULL)
		return cli_usage(cli, "which one? NAME is missing");
	if ((s.url == NULL) != file)
		return cli_usage(cli, "either --url URL or --file is needed");
	if (s.url != NULL && !text_starts(s.url, "https://"))
		return cli_usage(cli, "--url: an https URL is needed");
	if (certs[0] == '\0')
		return cli_usage(cli, "whose signature counts? --metadata-signer is missing");
	s.kind = file ? DB_FEDERATION_FILE : DB_FEDERATION_AGGREGATE;
	s.signers = certs;
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err))
		return cli_fail(cli, &err);
	struct db_audit audit = cli_audit(&work, AUDIT_FEDERATION_SAVED);

	audit.details = audit_details(cli->a, "source", name, "url", s.url, NULL);
	if (!db_federation_put(&work.w.db, &s, &audit, work.w.now, &err))
		return cli_fail(cli, &err);
	return tell_now(cli, "source", name, "saved");
}

static enum cli_exit
list(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *all = json_new_array(cli->a);
	const struct db_federation_source *rows;
	struct cli_work work;
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);
	struct err err = {0};
	struct buf text;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (!db_federation_list(&work.w.db, NULL, &rows, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, MAX_TEXT_BYTES);
	for (size_t i = 0; i < n; i++) {
		const struct db_federation_source *s = &rows[i];

		json_push(cli->a, all, source_json(cli, s));
		buf_printf(&text, "%-16s %-9s %lld members, until %s%s%s\n", s->name,
			   db_federation_kind_word(s->kind), (long long)s->counting.members,
			   s->counting.seq == 0 ? "-" : clock_text(cli->a, s->counting.valid_until),
			   s->trouble == NULL ? "" : "  trouble: ",
			   s->trouble == NULL ? "" : text_one_line(cli->a, s->trouble));
	}
	json_put(cli->a, o, "sources", all);
	return tell_buf(cli, o, &text);
}

/* Its copies, and with `show` its rules. */
static enum cli_exit
tell_copies(struct cli *cli, bool show)
{
	json_t *o = json_new_object(cli->a), *all = json_new_array(cli->a), *rules;
	const char *name = cli_word(cli);
	const struct db_federation_source *s = NULL;
	const struct db_federation_copy *copies;
	struct cli_work work;
	struct err err = {0};
	struct buf text;
	size_t n;

	if (show && name == NULL)
		return cli_usage(cli, "which one? NAME is missing");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	if ((name != NULL && !cli_federation_find(&work, name, &s, &err)) ||
	    !db_federation_copies(&work.w.db, name, !show, &copies, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, MAX_TEXT_BYTES);
	if (show) {
		o = source_json(cli, s);
		if (json_parse_object(cli->a, bytes_of(s->rules), FEDERATION_RULES_BYTES, &rules,
				      NULL))
			json_put(cli->a, o, "rules", rules);
		buf_printf(&text, "%s %s%s%s\nrules: %s\n", s->name,
			   db_federation_kind_word(s->kind), s->url == NULL ? "" : " ",
			   s->url == NULL ? "" : s->url, s->rules);
	}
	for (size_t i = 0; i < n; i++) {
		json_t *one = copy_json(cli, &copies[i]);

		json_push(cli->a, all, one);
		write_copy(cli, one, &text);
	}
	json_put(cli->a, o, "copies", all);
	return tell_buf(cli, o, &text);
}

static enum cli_exit
show(struct cli *cli)
{
	return tell_copies(cli, true);
}

static enum cli_exit
pending(struct cli *cli)
{
	return tell_copies(cli, false);
}

static enum cli_exit
refresh(struct cli *cli)
{
	const char *name = cli_word(cli);
	struct cli_work work;
	struct err err = {0};

	if (name == NULL)
		return cli_usage(cli, "which one? NAME is missing");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	if (!db_federation_hurry(&work.w.db, name, work.w.now, &err))
		return cli_fail(cli, &err);
	return tell_now(cli, "source", name, "fetched as soon as a node looks");
}

static enum cli_exit
drop(struct cli *cli)
{
	const char *name = cli_word(cli);
	struct cli_work work;
	struct err err = {0};

	if (name == NULL)
		return cli_usage(cli, "which one? NAME is missing");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	struct db_audit audit = cli_audit(&work, AUDIT_FEDERATION_REMOVED);

	audit.details = audit_details(cli->a, "source", name, NULL);
	if (!db_federation_drop(&work.w.db, name, &audit, work.w.now, &err))
		return cli_fail(cli, &err);
	return tell_now(cli, "source", name, "removed");
}

/* ---- load ---- */

static void
close_fd(void *p)
{
	close(*(int *)p);
}

/* One pass over the file. */
static bool
take_file(struct cli_work *work, int fd, const struct db_federation_source *s, bool all,
	  struct federation_taking **t, struct federation_taken *out, struct err *err)
{
	unsigned char *b = arena_alloc(work->w.a, READ_BYTES);
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) != 0)
		return FAIL(err, ERR_INPUT, NULL, "not a file that can be read twice");
	if (!federation_take_begin(&work->w.db, s, work->w.ref, work->w.now, t, err))
		return false;
	if (all)
		federation_take_all(*t);
	while ((n = file_read(fd, b, READ_BYTES)) > 0)
		if (!federation_take_add(*t, (struct bytes){b, (size_t)n}, err))
			return false;
	if (n < 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "the file cannot be read");
	return federation_take_end(*t, out, err);
}

static bool
load_file(struct cli_work *work, const char *name, int fd, struct federation_taken *out,
	  struct err *err)
{
	const struct db_federation_source *s;
	struct federation_taking *t;
	bool ok = false;

	if (!db_federation_take(&work->w.db, name, LEASE_S, work->w.now, &s, err))
		return false;
	if (s == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no federation %s", name);
	for (int i = 0; i < 2 && !ok; i++) {
		t = NULL;
		err_clear(err);
		ok = take_file(work, fd, s, i == 1, &t, out, err);
		if (!ok && t != NULL)
			federation_take_abandon(t);
		if (!ok && err->kind != ERR_CONFLICT)
			break;
	}
	struct db_federation_end end = {.due = s->due,
					.etag = s->etag,
					.last_modified = s->last_modified,
					.trouble = ok ? NULL : err->text};

	work->w.db.deadline_us = clock_mono_us() + 10 * 1000000LL;
	return db_federation_settle(&work->w.db, s, &end, work->w.now, ok ? err : NULL) && ok;
}

static enum cli_exit
load(struct cli *cli)
{
	const char *name = cli_word(cli), *path = cli_word(cli);
	json_t *o = json_new_object(cli->a);
	struct federation_taken taken = {.seq = 0};
	int *fd = ARENA_NEW(cli->a, int);
	struct cli_work work;
	struct err err = {0};

	if (name == NULL || path == NULL)
		return cli_usage(cli, name == NULL ? "which one? NAME is missing"
						   : "which file? FILE is missing");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0) {
		(void)FAIL(&err, err_kind_of_errno(errno), NULL, "%s cannot be opened", path);
		return cli_fail(cli, &err);
	}
	arena_defer(cli->a, close_fd, fd);
	if (!load_file(&work, name, *fd, &taken, &err))
		return cli_fail(cli, &err);
	const char *now = taken.seq == 0 ? "the copy that counts"
			  : taken.waits  ? "waiting"
					 : "counting";

	json_put_str(cli->a, o, "source", name);
	json_put_str(cli->a, o, "sha256", enc_hex(cli->a, taken.digest));
	json_put_i64(cli->a, o, "members", (int64_t)taken.members);
	json_put_str(cli->a, o, "now", now);
	return cli_tell(cli, o,
			arena_printf(cli->a, "%s: %s with %zu members is %s\n", name,
				     enc_hex(cli->a, taken.digest), taken.members, now));
}

/* ---- approve, reject, rollback ---- */

struct verdict {
	const char *event, *done, *none;
	enum db_federation_state takes[2];
	bool counts, named; /* by a digest: another may wait by now */
};

static bool
choose(struct cli *cli, const struct verdict *v, const char *digest,
       const struct db_federation_copy *copies, size_t n, const struct db_federation_copy **out,
       struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if ((copies[i].state == v->takes[0] || copies[i].state == v->takes[1]) &&
		    (digest == NULL || text_eq(digest_of(cli, &copies[i]), digest))) {
			*out = &copies[i];
			return true;
		}
	return FAIL(err, ERR_NOT_FOUND, NULL, digest == NULL ? "%s" : "%s with this digest",
		    v->none);
}

static enum cli_exit
decide(struct cli *cli, const struct verdict *v)
{
	const char *name = cli_word(cli), *digest = cli_word(cli), *by = cli_value(cli, "--by");
	const struct db_federation_copy *copies, *copy;
	const struct db_federation_source *s;
	struct cli_work work;
	struct err err = {0};
	size_t n;

	if (name == NULL || (v->named && digest == NULL))
		return cli_usage(cli, name == NULL ? "which one? NAME is missing"
						   : "which copy? DIGEST is missing: "
						     "kontor federation pending");
	if (v->counts && by == NULL)
		return cli_usage(cli, "who decides? --by is missing");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	if (!cli_federation_find(&work, name, &s, &err) ||
	    !db_federation_copies(&work.w.db, name, false, &copies, &n, &err) ||
	    !choose(cli, v, digest, copies, n, &copy, &err))
		return cli_fail(cli, &err);
	if (v->counts && copy->valid_until <= work.w.now) {
		(void)FAIL(&err, ERR_DENIED, NULL, "its validUntil has passed");
		return cli_fail(cli, &err);
	}
	struct db_audit audit = cli_audit(&work, v->event);

	audit.details = audit_details(cli->a, "source", name, "sha256", digest_of(cli, copy), "by",
				      by, NULL);
	if (!db_federation_decide(&work.w.db, copy, v->counts, s->counting.seq, by, &audit,
				  work.w.now, &err))
		return cli_fail(cli, &err);
	return tell_now(cli, "sha256", digest_of(cli, copy), v->done);
}

static enum cli_exit
approve(struct cli *cli)
{
	static const struct verdict v = {.event = AUDIT_FEDERATION_APPROVED,
					 .done = "counting",
					 .none = "no copy waits or was rejected",
					 .takes = {DB_FEDERATION_WAITING, DB_FEDERATION_REJECTED},
					 .counts = true,
					 .named = true};

	return decide(cli, &v);
}

static enum cli_exit
reject(struct cli *cli)
{
	static const struct verdict v = {.event = AUDIT_FEDERATION_REJECTED,
					 .done = "rejected",
					 .none = "no copy waits",
					 .takes = {DB_FEDERATION_WAITING, DB_FEDERATION_WAITING},
					 .named = true};

	return decide(cli, &v);
}

static enum cli_exit
rollback(struct cli *cli)
{
	static const struct verdict v = {.event = AUDIT_FEDERATION_ROLLED_BACK,
					 .done = "counting",
					 .none = "no earlier copy is kept",
					 .takes = {DB_FEDERATION_REPLACED, DB_FEDERATION_REPLACED},
					 .counts = true};

	return decide(cli, &v);
}

/* ---- members ---- */

static enum cli_exit
suspend(struct cli *cli)
{
	struct db_federation_suspended s = {.entity = cli_word(cli),
					    .source = cli_value(cli, "--source"),
					    .by = cli_value(cli, "--by"),
					    .why = cli_value(cli, "--why")};
	const struct db_federation_source *source;
	struct cli_work work;
	struct err err = {0};
	bool known;

	if (s.entity == NULL)
		return cli_usage(cli, "whom? ENTITY is missing");
	if (s.by == NULL || s.why == NULL)
		return cli_usage(cli, "who decides, and why? --by and --why are needed");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	if (s.source != NULL && !cli_federation_find(&work, s.source, &source, &err))
		return cli_fail(cli, &err);
	struct db_audit audit = cli_audit(&work, AUDIT_MEMBER_SUSPENDED);

	audit.details =
		audit_details(cli->a, "member", s.entity, "source", s.source, "by", s.by, NULL);
	if (!db_federation_suspend(&work.w.db, &s, &audit, work.w.now, &err) ||
	    !cli_federation_has(&work, s.source, s.entity, &known, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "member", s.entity);
	json_put_str(cli->a, o, "now", "suspended");
	json_put_bool(cli->a, o, "known", known);
	return cli_tell(cli, o,
			arena_printf(cli->a, "%s is suspended%s\n", text_one_line(cli->a, s.entity),
				     known ? "" : "; but no copy that counts has such a member"));
}

static enum cli_exit
unsuspend(struct cli *cli)
{
	const char *entity = cli_word(cli), *source = cli_value(cli, "--source"),
		   *by = cli_value(cli, "--by");
	struct cli_work work;
	struct err err = {0};

	if (entity == NULL)
		return cli_usage(cli, "whom? ENTITY is missing");
	if (by == NULL)
		return cli_usage(cli, "who decides? --by is missing");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	struct db_audit audit = cli_audit(&work, AUDIT_MEMBER_RESTORED);

	audit.details = audit_details(cli->a, "member", entity, "source", source, "by", by, NULL);
	if (!db_federation_unsuspend(&work.w.db, entity, source, &audit, work.w.now, &err))
		return cli_fail(cli, &err);
	return tell_now(cli, "member", entity, "not suspended any more");
}

static enum cli_exit
suspended(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *all = json_new_array(cli->a);
	const struct db_federation_suspended *rows;
	struct cli_work work;
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);
	struct err err = {0};
	struct buf text;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (!db_federation_suspensions(&work.w.db, &rows, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, MAX_TEXT_BYTES);
	for (size_t i = 0; i < n; i++) {
		json_t *one = json_new_object(cli->a);

		json_put_str(cli->a, one, "member", rows[i].entity);
		json_put_str(cli->a, one, "source", rows[i].source);
		json_put_str(cli->a, one, "by", rows[i].by);
		json_put_str(cli->a, one, "why", rows[i].why);
		put_time(cli, one, "at", rows[i].at);
		json_push(cli->a, all, one);
		buf_printf(&text, "%s  %s  %s: %s (%s)\n", clock_text(cli->a, rows[i].at),
			   text_one_line(cli->a, rows[i].entity), text_one_line(cli->a, rows[i].by),
			   text_one_line(cli->a, rows[i].why),
			   rows[i].source == NULL ? "in every federation" : rows[i].source);
	}
	json_put(cli->a, o, "suspended", all);
	return tell_buf(cli, o, &text);
}

enum cli_exit
cli_federation(struct cli *cli)
{
	static const struct cli_verb verbs[] = {{"add", add},
						{"list", list},
						{"show", show},
						{"refresh", refresh},
						{"load", load},
						{"pending", pending},
						{"approve", approve},
						{"reject", reject},
						{"rollback", rollback},
						{"suspend", suspend},
						{"unsuspend", unsuspend},
						{"suspended", suspended},
						{"remove", drop},
						{"why", cli_federation_why},
						{"statistics", cli_federation_statistics},
						{"member", cli_member},
						{NULL, NULL}};

	return cli_run_verb(cli, verbs);
}
