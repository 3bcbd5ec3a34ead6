/* kontor party follow … rollback: where metadata comes from, and what of it waits. */
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "idp/audit.h"
#include "idp/cli_party.h"

#define MAX_SIGNERS_BYTES ((size_t)64 * 1024)
#define MAX_TEXT_BYTES    ((size_t)16 * 1024 * 1024)
#define MAX_CHANGES_BYTES ((size_t)16 * 1024 * 1024)

bool
cli_party_signers(struct cli *cli, const char **out, struct err *err)
{
	const char *path, *text = "", *one;
	struct saml_keys keys;
	struct bytes file;

	while ((path = cli_value(cli, "--metadata-signer")) != NULL) {
		if (!conf_read_file(cli->a, path, MAX_SIGNERS_BYTES, &file, err) ||
		    !text_from_bytes(cli->a, file, MAX_SIGNERS_BYTES, path, &one, err))
			return false;
		text = arena_printf(cli->a, "%s%s\n", text, one);
	}
	*out = text;
	return text[0] == '\0' || party_signers_parse(cli->a, text, &keys, err);
}

/* ---- what is told ---- */

void
cli_party_tell_changes(struct cli *cli, const struct saml_changes *changes, json_t *o,
		       struct buf *text)
{
	json_put(cli->a, o, "changes", party_changes_json(cli->a, changes));
	for (size_t i = 0; i < changes->n; i++)
		buf_printf(text, "%s: %d %s: %s\n", saml_risk_word(changes->p[i].risk),
			   changes->p[i].number, changes->p[i].rule,
			   text_one_line(cli->a, changes->p[i].text));
}

static void
put_time(struct cli *cli, json_t *o, const char *name, time_t t)
{
	json_put_str(cli->a, o, name, t == 0 ? NULL : clock_text(cli->a, t));
}

void
cli_party_put_source(struct cli *cli, const struct db_source *source, json_t *o)
{
	json_t *m = json_new_object(cli->a);

	if (source == NULL)
		return;
	json_put_str(cli->a, m, "url", source->url);
	json_put_bool(cli->a, m, "signed", source->signers[0] != '\0');
	json_put_bool(cli->a, m, "held", source->held);
	put_time(cli, m, "fetched", source->fetched);
	put_time(cli, m, "next", source->due);
	json_put_i64(cli->a, m, "failures", source->trouble == NULL ? 0 : source->tries);
	json_put_str(cli->a, m, "trouble", source->trouble);
	json_put(cli->a, o, "source", m);
}

static const char *
digest_of(struct cli *cli, const struct db_copy *copy)
{
	return enc_hex(cli->a, copy->sha256);
}

static const char *
word_of(const struct db_copy *copy)
{
	switch (copy->state) {
	case DB_COPY_PENDING:
		return "pending";
	case DB_COPY_REJECTED:
		return "rejected";
	case DB_COPY_REPLACED:
		break;
	}
	return "replaced";
}

static json_t *
copy_json(struct cli *cli, const struct db_copy *copy)
{
	json_t *o = json_new_object(cli->a), *why;

	json_put_str(cli->a, o, "party", copy->party);
	json_put_str(cli->a, o, "state", word_of(copy));
	json_put_str(cli->a, o, "sha256", digest_of(cli, copy));
	put_time(cli, o, "at", copy->at);
	if (copy->changes != NULL &&
	    json_parse_object(cli->a, bytes_of(copy->changes), MAX_CHANGES_BYTES, &why, NULL))
		json_put_all(cli->a, o, why);
	return o;
}

void
cli_party_put_copies(struct cli *cli, const struct db_copy *copies, size_t n, json_t *o)
{
	json_t *list = json_new_array(cli->a);

	for (size_t i = 0; i < n; i++)
		json_push(cli->a, list, copy_json(cli, &copies[i]));
	json_put(cli->a, o, "copies", list);
}

/* Why it waits, from what was stored with it. */
static void
write_reasons(struct cli *cli, const json_t *copy, struct buf *text)
{
	const json_t *changes = json_object_get(copy, "changes");

	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *c = json_array_get(changes, i);

		buf_printf(text, "    %s: %lld %s: %s\n",
			   json_string_value(json_object_get(c, "risk")),
			   (long long)json_integer_value(json_object_get(c, "number")),
			   json_string_value(json_object_get(c, "rule")),
			   text_one_line(cli->a, json_string_value(json_object_get(c, "text"))));
	}
}

/* ---- follow, unfollow, refresh ---- */

enum cli_exit
cli_party_follow(struct cli *cli)
{
	const char *id = cli_word(cli);
	struct db_source source = {.party = id,
				   .url = cli_value(cli, "--metadata-url"),
				   .local_http = cli_flag(cli, "--local-http")};
	json_t *o = json_new_object(cli->a);
	const struct db_party *p;
	struct cli_work work;
	struct err err = {0};

	if (!cli_party_signers(cli, &source.signers, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (id == NULL || source.url == NULL)
		return cli_usage(cli, id == NULL ? "which one? ID is missing"
						 : "which URL? --metadata-url is missing");
	if (!text_starts(source.url, "https://"))
		return cli_usage(cli, "--metadata-url: an https URL is needed");
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) ||
	    !cli_party_find(&work, id, CLI_KIND_SAML, &p, &err))
		return cli_fail(cli, &err);
	struct db_audit audit = cli_audit(&work, AUDIT_PARTY_FOLLOWED);

	audit.party = id;
	audit.details = audit_details(cli->a, "metadata_url", source.url, "signed",
				      source.signers[0] == '\0' ? "no" : "yes", NULL);
	if (!db_source_put(&work.w.db, &source, &audit, work.w.now, &err))
		return cli_fail(cli, &err);
	json_put_str(cli->a, o, "id", id);
	cli_party_put_source(cli, &source, o);
	return cli_tell(cli, o, arena_printf(cli->a, "%s is followed\n", id));
}

/* A verb that takes an ID and changes its source. */
static enum cli_exit
change_source(struct cli *cli, const char *done,
	      bool (*change)(struct cli_work *work, const char *id, struct err *err))
{
	const char *id = cli_word(cli);
	enum cli_exit rc = cli_end(cli);
	json_t *o = json_new_object(cli->a);
	const struct db_source *source;
	const struct db_party *p;
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (id == NULL)
		return cli_usage(cli, "which one? ID is missing");
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) ||
	    !cli_party_find(&work, id, CLI_KIND_SAML, &p, &err) ||
	    !db_source_load(&work.w.db, id, &source, &err))
		return cli_fail(cli, &err);
	if (source == NULL) {
		(void)FAIL(&err, ERR_NOT_FOUND, NULL, "%s is not followed", id);
		return cli_fail(cli, &err);
	}
	if (!change(&work, id, &err))
		return cli_fail(cli, &err);
	json_put_str(cli->a, o, "id", id);
	json_put_str(cli->a, o, "now", done);
	return cli_tell(cli, o, arena_printf(cli->a, "%s is %s\n", id, done));
}

static bool
drop(struct cli_work *work, const char *id, struct err *err)
{
	struct db_audit audit = cli_audit(work, AUDIT_PARTY_FOLLOWED);

	audit.party = id;
	return db_source_drop(&work->w.db, id, &audit, work->w.now, err);
}

static bool
hurry(struct cli_work *work, const char *id, struct err *err)
{
	return db_source_hurry(&work->w.db, id, work->w.now, err);
}

enum cli_exit
cli_party_unfollow(struct cli *cli)
{
	return change_source(cli, "not followed any more", drop);
}

enum cli_exit
cli_party_refresh(struct cli *cli)
{
	return change_source(cli, "fetched as soon as a node looks", hurry);
}

/* ---- changes ---- */

enum cli_exit
cli_party_changes(struct cli *cli)
{
	const char *id = cli_word(cli), *lines = "";
	json_t *o = json_new_object(cli->a);
	const struct db_copy *copies;
	const struct db_party *p;
	struct cli_work work;
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);
	struct err err = {0};
	struct buf text;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if ((id != NULL && !cli_party_find(&work, id, CLI_KIND_SAML, &p, &err)) ||
	    !db_copy_list(&work.w.db, id, id == NULL, &copies, &n, &err))
		return cli_fail(cli, &err);
	cli_party_put_copies(cli, copies, n, o);
	buf_init(&text, cli->a, MAX_TEXT_BYTES);
	for (size_t i = 0; i < n; i++) {
		buf_printf(&text, "%-8s %s  %s  %s\n", word_of(&copies[i]),
			   clock_text(cli->a, copies[i].at), text_one_line(cli->a, copies[i].party),
			   digest_of(cli, &copies[i]));
		write_reasons(cli, json_array_get(json_object_get(o, "copies"), i), &text);
	}
	if (!buf_finish_str(&text, &lines, &err))
		return cli_fail(cli, &err);
	return cli_tell(cli, o, lines);
}

/* ---- approve, reject, rollback ---- */

/* A verb about a copy: which ones it is for, and what becomes of it. */
struct verdict {
	const char *event, *done, *none;
	bool (*takes)(const struct db_copy *copy);
	bool named;  /* by the digest of what was looked at: another may wait by now */
	bool counts; /* it is to count from now on */
	enum db_held held;
};

/* The newest that the verb takes, or the one of this digest. */
static bool
choose(struct cli *cli, const struct verdict *v, const char *digest, const struct db_copy *copies,
       size_t n, const struct db_copy **out, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (v->takes(&copies[i]) &&
		    (digest == NULL || text_eq(digest_of(cli, &copies[i]), digest))) {
			*out = &copies[i];
			return true;
		}
	return FAIL(err, ERR_NOT_FOUND, NULL, digest == NULL ? "%s" : "%s with this digest",
		    v->none);
}

/* Judged as an import is: who approves does not make good what is not. */
static bool
judge(struct cli_work *work, const struct db_party *p, const struct db_copy *copy, json_t *o,
      struct buf *text, struct err *err)
{
	struct db_party row = *p;
	const struct db_source *source;
	struct party_judged judged;
	struct saml_changes changes;

	row.document = copy->document;
	if (!db_source_load(&work->w.db, p->id, &source, err) ||
	    !party_judge(work->w.a, &row,
			 source != NULL && source->local_http ? SAML_LINT_LOCAL_HTTP : 0,
			 work->w.now, &judged, err))
		return false;
	if (party_diff(work->w.a, p, &judged.party, source != NULL && source->signers[0] != '\0',
		       &changes, NULL))
		cli_party_tell_changes(work->cli, &changes, o, text);
	return true;
}

static bool
carry_out(struct cli_work *work, const struct verdict *v, const struct db_party *p,
	  const struct db_copy *copy, struct err *err)
{
	unsigned char base[SHA256_BYTES];
	struct db_audit audit = cli_audit(work, v->event);
	struct db_replace what = {.party = p->id,
				  .base = {base, sizeof(base)},
				  .document = copy->document,
				  .copy = copy,
				  .held = v->held};

	audit.party = p->id;
	audit.details = audit_details(work->w.a, "sha256", enc_hex(work->w.a, copy->sha256), NULL);
	if (!v->counts)
		return db_copy_reject(&work->w.db, copy, &audit, work->w.now, err);
	hash_sha256(p->document, base);
	if (copy->state != DB_COPY_REPLACED && !bytes_eq(copy->base, what.base))
		return FAIL(err, ERR_CONFLICT, NULL,
			    "what counts has changed since this was compared with it: kontor party "
			    "%s",
			    copy->state == DB_COPY_PENDING ? "refresh" : "follow");
	return db_copy_replace(&work->w.db, &what, &audit, work->w.now, err);
}

static enum cli_exit
decide(struct cli *cli, const struct verdict *v)
{
	const char *id = cli_word(cli), *digest = cli_word(cli);
	enum cli_exit rc = cli_end(cli);
	json_t *o = json_new_object(cli->a);
	const struct db_copy *copies, *copy;
	const struct db_party *p;
	struct cli_work work;
	struct err err = {0};
	struct buf text;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	if (id == NULL)
		return cli_usage(cli, "which one? ID is missing");
	if (v->named && digest == NULL)
		return cli_usage(cli, "which copy? DIGEST is missing: kontor party changes");
	buf_init(&text, cli->a, MAX_TEXT_BYTES);
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) ||
	    !cli_party_find(&work, id, CLI_KIND_SAML, &p, &err) ||
	    !db_copy_list(&work.w.db, id, false, &copies, &n, &err) ||
	    !choose(cli, v, digest, copies, n, &copy, &err) ||
	    (v->counts && !judge(&work, p, copy, o, &text, &err)) ||
	    !carry_out(&work, v, p, copy, &err))
		return cli_fail(cli, &err);
	json_put_str(cli->a, o, "id", id);
	json_put_str(cli->a, o, "sha256", digest_of(cli, copy));
	json_put_str(cli->a, o, "now", v->done);
	buf_printf(&text, "%s: %s is %s\n", id, digest_of(cli, copy), v->done);
	return cli_tell(cli, o, text.over ? "" : (const char *)text.p);
}

/* What was rejected as well, upon second thoughts. */
static bool
asks(const struct db_copy *copy)
{
	return copy->state == DB_COPY_PENDING || copy->state == DB_COPY_REJECTED;
}

static bool
waits(const struct db_copy *copy)
{
	return copy->state == DB_COPY_PENDING;
}

static bool
counted(const struct db_copy *copy)
{
	return copy->state == DB_COPY_REPLACED;
}

enum cli_exit
cli_party_approve(struct cli *cli)
{
	static const struct verdict v = {
		AUDIT_PARTY_APPROVED, "approved", "nothing waits", asks, true, true, DB_HELD_NO};

	return decide(cli, &v);
}

enum cli_exit
cli_party_reject(struct cli *cli)
{
	static const struct verdict v = {.event = AUDIT_PARTY_REJECTED,
					 .done = "rejected",
					 .none = "nothing waits",
					 .takes = waits,
					 .named = true};

	return decide(cli, &v);
}

enum cli_exit
cli_party_rollback(struct cli *cli)
{
	static const struct verdict v = {AUDIT_PARTY_ROLLED_BACK,
					 "what counts again",
					 "there is no earlier copy",
					 counted,
					 false,
					 true,
					 DB_HELD_YES};

	return decide(cli, &v);
}
