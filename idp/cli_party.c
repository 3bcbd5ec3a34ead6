/* kontor party and kontor client: register relying parties and what they may have. */
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/audit.h"
#include "idp/cli_party.h"
#include "idp/key_rows.h"
#include "idp/party_check.h"
#include "idp/party_suite.h"
#include "idp/publish_saml.h"

/* ---- policy options, the same for both kinds ---- */

/* The policy options that are given, before anything else is done: a slip registers nothing. */
bool
cli_take_policy(struct cli *cli, json_t *policy, struct err *err)
{
	for (const struct policy_key *k = policy_keys; k->name != NULL; k++) {
		const char *option = arena_printf(cli->a, "--%s", k->name), *value;
		bool first = true;

		while ((value = cli_value(cli, option)) != NULL) {
			if (!first && !k->repeatable)
				return FAIL(err, ERR_INPUT, NULL, "%s: given twice", option);
			first = false;
			if (!policy_put(cli->a, policy, k->name, value, err))
				return false;
		}
	}
	return true;
}

/* What the commands call a row of the other kind. */
static const char *
words_of_kind(const char *kind)
{
	return text_eq(kind, CLI_KIND_OIDC) ? "an OpenID Connect client (kontor client)"
					    : "a SAML party (kontor party)";
}

bool
cli_party_find(struct cli_work *work, const char *id, const char *kind, const struct db_party **out,
	       struct err *err)
{
	if (!db_party_load(&work->w.db, id, out, err))
		return false;
	if (*out == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "%s is not registered", id);
	return text_eq((*out)->kind, kind) ||
	       FAIL(err, ERR_NOT_FOUND, NULL, "%s is %s", id, words_of_kind((*out)->kind));
}

bool
cli_party_stored(struct cli_work *work, const char *id, const char *kind, const json_t *given,
		 struct cli_stored *out, struct err *err)
{
	if (!db_party_load(&work->w.db, id, &out->row, err))
		return false;
	if (out->row != NULL && !text_eq(out->row->kind, kind))
		return FAIL(err, ERR_CONFLICT, NULL, "%s is registered already, as %s", id,
			    words_of_kind(out->row->kind));
	if (out->row == NULL)
		out->policy = json_new_object(work->w.a);
	else if (!json_parse_object(work->w.a, bytes_of(out->row->policy), 65536, &out->policy,
				    err))
		return false;
	/* A key that is given replaces what is stored, a repeatable one as a whole. */
	json_put_all(work->w.a, out->policy, given);
	return true;
}

bool
cli_party_save(struct cli_work *work, struct db_party *row, const struct db_source *source,
	       struct err *err)
{
	struct db_audit audit = cli_audit(work, AUDIT_PARTY_SAVED);
	struct party parsed;
	int64_t version;

	audit.party = row->id;
	audit.details = audit_details(work->w.a, "kind", row->kind, "metadata_url",
				      source == NULL ? NULL : source->url, NULL);
	if (!party_parse(work->w.a, row, &parsed, err))
		return false;
	if (source != NULL)
		return db_source_save_party(&work->w.db, row, source, &audit, work->w.now, &version,
					    err);
	return db_party_save(&work->w.db, row, &audit, work->w.now, &version, err);
}

/* ---- kontor party add ---- */

static bool
is_url(const char *from)
{
	return strstr(from, "://") != NULL;
}

static bool
read_document(struct cli *cli, const char *from, const char *ca_file, struct bytes *out,
	      struct err *err)
{
	if (is_url(from))
		return fetch_url(cli->a, from, ca_file, PARTY_METADATA_MAX, out, err);
	return conf_read_file(cli->a, from, PARTY_METADATA_MAX, out, err);
}

static const char *
name_of_saml(const struct saml_party *p)
{
	const char *name = saml_texts_find(&p->display_name, "de");

	if (name == NULL)
		name = saml_texts_find(&p->organization_display_name, "de");
	return name == NULL ? p->entity_id : name;
}

struct party_options {
	const char *from, *id, *display_name, *ca_file;
	struct db_source source; /* url NULL: it is not followed from now on */
	bool dry_run;
	unsigned lint;
	json_t *policy;
};

/* What is to be registered, and what is there. */
struct incoming {
	const struct saml_party *saml;
	struct cli_stored stored;
	struct db_party row;
	struct party_judged judged;
};

/* From where it is followed, as the nodes will. */
static bool
fetch_metadata(struct cli_work *work, const struct party_options *o, struct bytes *out,
	       struct err *err)
{
	struct db_source source = o->source;
	struct fetch_got got;

	source.party = o->id;
	if (!party_metadata_fetch(work->w.a, &work->config, fetch_get, &source, &got, err))
		return false;
	*out = got.body;
	return true;
}

/* The row as it would be stored. */
static bool
make_row(struct cli_work *work, const struct party_options *o, struct bytes document,
	 struct incoming *in, struct err *err)
{
	const char *name = o->display_name;

	if ((in->saml == NULL &&
	     !saml_metadata_parse(work->w.a, document, o->id, &in->saml, err)) ||
	    !cli_party_stored(work, in->saml->entity_id, CLI_KIND_SAML, o->policy, &in->stored,
			      err))
		return false;
	const struct db_party *was = in->stored.row;

	if (name == NULL)
		name = was == NULL ? name_of_saml(in->saml) : was->display_name;
	in->row = (struct db_party){
		.id = in->saml->entity_id,
		.kind = CLI_KIND_SAML,
		.display_name = name,
		.document = document,
		.policy = json_text(work->w.a, in->stored.policy, true),
		.enabled = was == NULL || was->enabled,
	};
	return true;
}

static bool
party_store(struct cli_work *work, const struct party_options *o, struct incoming *in,
	    struct err *err)
{
	struct db_source source = o->source;

	source.party = in->row.id;
	source.local_http = (o->lint & SAML_LINT_LOCAL_HTTP) != 0;
	return o->dry_run ||
	       cli_party_save(work, &in->row, source.url == NULL ? NULL : &source, err);
}

/* What our keys and the time say of it, beside the findings. */
static void
report_suite(struct cli_work *work, const struct party *p, json_t *o, struct buf *text)
{
	json_t *suite = party_suite_json(work->w.a, p, work->w.keyring, work->w.now);
	const char *problem = json_string_value(json_object_get(suite, "problem"));
	const char *warning = json_string_value(json_object_get(suite, "warning"));

	if (problem != NULL)
		buf_printf(text, "warning: suite: %s\n", problem);
	if (warning != NULL)
		buf_printf(text, "warning: old-until: %s\n", warning);
	json_put(work->w.a, o, "suite", suite);
}

/* Where the party reads our metadata. */
static const char *
our_metadata_for(const struct cli_work *work, const char *id)
{
	return arena_printf(work->w.a, "%s%s", work->config.base_url,
			    publish_party_path(work->w.a, id));
}

/* Findings and changes, then all that keeps it from being registered. */
static bool
judge(struct cli_work *work, const struct party_options *o, struct incoming *in, json_t *result,
      struct buf *text, struct err *err)
{
	struct saml_changes changes;
	struct err why = {0};
	bool good = party_judge(work->w.a, &in->row, o->lint, work->w.now, &in->judged, &why);

	json_put_str(work->w.a, result, "id", in->saml->entity_id);
	party_tell_findings(work->w.a, &in->judged.checked, result, text);
	if (!good) {
		*err = why;
		return false;
	}
	if (in->stored.row != NULL &&
	    party_diff(work->w.a, in->stored.row, &in->judged.party,
		       o->from == NULL && o->source.signers[0] != '\0', &changes, NULL))
		cli_party_tell_changes(work->cli, &changes, result, text);
	return true;
}

/* An operator's own hand stops what comes by itself (db/party.h): let them know. */
static void
tell_held(struct cli_work *work, const char *id, json_t *o, struct buf *text)
{
	const struct db_source *source;

	if (!db_source_load(&work->w.db, id, &source, NULL) || source == NULL)
		return;
	cli_party_put_source(work->cli, source, o);
	if (source->held)
		buf_str(text, "what its URL brings waits for approval from now on, until it is "
			      "followed anew\n");
}

static enum cli_exit
add(struct cli *cli, const struct party_options *o)
{
	json_t *result = json_new_object(cli->a);
	struct bytes document = {NULL, 0};
	struct incoming in = {.saml = NULL};
	struct cli_work work = {.cli = cli};
	struct err err = {0};
	struct buf text;

	buf_init(&text, cli->a, (size_t)1024 * 1024);
	/* A file that is not there, or no metadata, needs no database to be told. */
	if ((o->from != NULL && (!read_document(cli, o->from, o->ca_file, &document, &err) ||
				 !saml_metadata_parse(cli->a, document, o->id, &in.saml, &err))) ||
	    !cli_work_open(cli, CLI_DATABASE, &work, &err) ||
	    (o->from == NULL && !fetch_metadata(&work, o, &document, &err)) ||
	    !make_row(&work, o, document, &in, &err) ||
	    !key_rows_load(&work.w.db, &work.w.keyring, &err) ||
	    !judge(&work, o, &in, result, &text, &err) || !party_store(&work, o, &in, &err))
		return cli_fail(cli, &err);
	report_suite(&work, &in.judged.party, result, &text);
	json_put_bool(cli->a, result, "enabled", in.row.enabled);
	json_put_bool(cli->a, result, "dry_run", o->dry_run);
	json_put_str(cli->a, result, "metadata_url", our_metadata_for(&work, in.row.id));
	buf_printf(&text, "%s %s%s\nour metadata for it: %s\n", in.row.id,
		   o->dry_run ? "would be registered; nothing has changed" : "is registered",
		   in.row.enabled ? "" : "; it stays disabled", our_metadata_for(&work, in.row.id));
	if (!o->dry_run)
		tell_held(&work, in.row.id, result, &text);
	return cli_tell(cli, result, text.over ? "" : (const char *)text.p);
}

static enum cli_exit
party_add(struct cli *cli)
{
	struct party_options o = {
		.from = cli_word(cli),
		.id = cli_value(cli, "--id"),
		.display_name = cli_value(cli, "--display-name"),
		.ca_file = cli_value(cli, "--ca"),
		.source.url = cli_value(cli, "--metadata-url"),
		.dry_run = cli_flag(cli, "--dry-run"),
		.lint = cli_flag(cli, "--local-http") ? SAML_LINT_LOCAL_HTTP : 0,
		.policy = json_new_object(cli->a),
	};
	struct err err = {0};

	if (o.from == NULL && o.source.url == NULL)
		return cli_usage(cli, "which metadata? FILE, URL or --metadata-url is missing");
	if (o.ca_file != NULL && (o.from == NULL || !is_url(o.from)))
		return cli_usage(cli, "--ca is for a URL");
	if (!cli_party_signers(cli, &o.source.signers, &err) ||
	    !cli_take_policy(cli, o.policy, &err))
		return cli_fail(cli, &err);
	enum cli_exit rc = cli_end(cli);

	if (rc != CLI_OK)
		return rc;
	if (o.source.url == NULL && o.source.signers[0] != '\0')
		return cli_usage(cli, "--metadata-signer is for --metadata-url");
	if (o.source.url != NULL && !text_starts(o.source.url, "https://"))
		return cli_usage(cli, "--metadata-url: an https URL is needed");
	return add(cli, &o);
}

/* ---- list, show, enable, disable, remove: the same for both kinds ---- */

static json_t *
party_json(struct arena *a, const struct db_party *p)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "id", p->id);
	json_put_str(a, o, "kind", p->kind);
	json_put_str(a, o, "display_name", p->display_name);
	json_put_bool(a, o, "enabled", p->enabled);
	json_put_i64(a, o, "version", p->version);
	json_put_i64(a, o, "changed", (int64_t)p->changed);
	return o;
}

/* What is to be known of a party's metadata at a glance; NULL: nothing. */
static const char *
metadata_state(struct cli_work *work, const struct db_party *row, const struct db_source *source,
	       bool waits)
{
	struct party p;

	if (text_eq(row->kind, CLI_KIND_SAML) && party_parse(work->w.a, row, &p, NULL) &&
	    party_is_over(&p, work->w.now))
		return "metadata is over";
	if (waits)
		return "a change waits";
	if (source == NULL || source->trouble == NULL)
		return NULL;
	return text_eq(row->kind, CLI_KIND_SAML) ? "metadata cannot be fetched"
						 : "keys cannot be fetched";
}

/* Parties with where their metadata comes from; both are sorted by id. */
struct listed {
	const struct db_party *p;
	const struct db_source *sources;
	const struct db_copy *waiting;
	size_t n, n_sources, n_waiting;
};

static bool
load_all(struct cli_work *work, struct listed *l, struct err *err)
{
	const struct db_call *c = &work->w.db;

	return db_party_list(c, &l->p, &l->n, err) &&
	       db_source_list(c, &l->sources, &l->n_sources, err) &&
	       db_copy_list(c, NULL, true, &l->waiting, &l->n_waiting, err);
}

static void
list_one(struct cli_work *work, const struct listed *l, const struct db_party *p, json_t *list,
	 struct buf *text)
{
	const struct db_source *source = NULL;
	struct cli *cli = work->cli;
	json_t *o = party_json(cli->a, p);
	bool waits = false;

	for (size_t i = 0; i < l->n_sources && source == NULL; i++)
		if (strcmp(l->sources[i].party, p->id) == 0)
			source = &l->sources[i];
	for (size_t i = 0; i < l->n_waiting; i++)
		waits = waits || strcmp(l->waiting[i].party, p->id) == 0;
	const char *state = metadata_state(work, p, source, waits);

	cli_party_put_source(cli, source, o);
	json_put_str(cli->a, o, "metadata_state", state);
	json_push(cli->a, list, o);
	buf_printf(text, "%-8s %s  %s%s%s%s\n", p->enabled ? "enabled" : "disabled",
		   text_one_line(cli->a, p->id), text_one_line(cli->a, p->display_name),
		   state == NULL ? "" : "  (", state == NULL ? "" : state,
		   state == NULL ? "" : ")");
}

enum cli_exit
cli_party_list(struct cli *cli, const char *kind)
{
	enum cli_exit rc = cli_end(cli);
	json_t *list = json_new_array(cli->a), *o = json_new_object(cli->a);
	struct cli_work work;
	struct listed l;
	struct err err = {0};
	struct buf text;
	const char *out;

	if (rc != CLI_OK)
		return rc;
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) || !load_all(&work, &l, &err))
		return cli_fail(cli, &err);
	buf_init(&text, cli->a, (size_t)16 * 1024 * 1024);
	for (size_t i = 0; i < l.n; i++)
		if (strcmp(l.p[i].kind, kind) == 0)
			list_one(&work, &l, &l.p[i], list, &text);
	json_put(cli->a, o, "parties", list);
	if (!buf_finish_str(&text, &out, &err))
		return cli_fail(cli, &err);
	return cli_tell(cli, o, out);
}

/* Where its metadata or keys come from, and what only a SAML party has. */
static bool
show_source(struct cli_work *work, const struct db_party *p, json_t *o, struct err *err)
{
	struct cli *cli = work->cli;
	const struct db_source *source;
	const struct db_copy *copies;
	struct party party;
	size_t n;

	if (!db_source_load(&work->w.db, p->id, &source, err))
		return false;
	cli_party_put_source(cli, source, o);
	if (!text_eq(p->kind, CLI_KIND_SAML))
		return true;
	if (!db_copy_list(&work->w.db, p->id, false, &copies, &n, err))
		return false;
	cli_party_put_copies(cli, copies, n, o);
	if (!party_parse(cli->a, p, &party, NULL))
		return true;
	json_put_str(cli->a, o, "warning", party_end_warning(cli->a, &party, source, work->w.now));
	json_put(cli->a, o, "suite",
		 party_suite_json(cli->a, &party, work->w.keyring, work->w.now));
	json_put_str(cli->a, o, "metadata_url", our_metadata_for(work, p->id));
	return true;
}

enum cli_exit
cli_party_show(struct cli *cli, const char *kind)
{
	const char *id = cli_word(cli);
	enum cli_exit rc = cli_end(cli);
	const struct db_party *p;
	struct cli_work work;
	struct err err = {0};
	json_t *policy, *o;
	const char *document;

	if (rc != CLI_OK)
		return rc;
	if (id == NULL)
		return cli_usage(cli, "which one? ID is missing");
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) ||
	    !cli_party_find(&work, id, kind, &p, &err) ||
	    !key_rows_load(&work.w.db, &work.w.keyring, &err))
		return cli_fail(cli, &err);
	if (!json_parse_object(cli->a, bytes_of(p->policy), 65536, &policy, &err) ||
	    !text_from_bytes(cli->a, p->document, PARTY_METADATA_MAX, "document", &document, &err))
		return cli_fail(cli, &err);
	o = party_json(cli->a, p);
	json_put(cli->a, o, "policy", policy);
	if (!show_source(&work, p, o, &err))
		return cli_fail(cli, &err);
	json_put_str(cli->a, o, "document", document);
	cli_print_json(cli, o);
	return CLI_OK;
}

static bool
apply(struct cli_work *work, const char *id, const char *kind, enum cli_change what,
      struct err *err)
{
	struct db_audit audit =
		cli_audit(work, what == CLI_REMOVE ? AUDIT_PARTY_REMOVED : AUDIT_PARTY_ENABLED);
	const struct db_party *p;

	if (!cli_party_find(work, id, kind, &p, err))
		return false;
	audit.party = id;
	if (what == CLI_REMOVE)
		return db_party_remove(&work->w.db, id, &audit, work->w.now, err);
	audit.details =
		audit_details(work->w.a, "enabled", what == CLI_ENABLE ? "yes" : "no", NULL);
	return db_party_set_enabled(&work->w.db, id, what == CLI_ENABLE, &audit, work->w.now, err);
}

enum cli_exit
cli_party_change(struct cli *cli, const char *kind, enum cli_change what)
{
	static const char *const done[] = {"enabled", "disabled", "removed"};
	const char *id = cli_word(cli);
	enum cli_exit rc = cli_end(cli);
	struct cli_work work;
	struct err err = {0};

	if (rc != CLI_OK)
		return rc;
	if (id == NULL)
		return cli_usage(cli, "which one? ID is missing");
	if (!cli_work_open(cli, CLI_DATABASE, &work, &err) || !apply(&work, id, kind, what, &err))
		return cli_fail(cli, &err);
	json_t *o = json_new_object(cli->a);

	json_put_str(cli->a, o, "id", id);
	json_put_str(cli->a, o, "now", done[what]);
	return cli_tell(cli, o, arena_printf(cli->a, "%s is %s\n", id, done[what]));
}

static enum cli_exit
party_list(struct cli *cli)
{
	return cli_party_list(cli, CLI_KIND_SAML);
}

static enum cli_exit
party_show(struct cli *cli)
{
	return cli_party_show(cli, CLI_KIND_SAML);
}

static enum cli_exit
party_enable(struct cli *cli)
{
	return cli_party_change(cli, CLI_KIND_SAML, CLI_ENABLE);
}

static enum cli_exit
party_disable(struct cli *cli)
{
	return cli_party_change(cli, CLI_KIND_SAML, CLI_DISABLE);
}

static enum cli_exit
party_remove(struct cli *cli)
{
	return cli_party_change(cli, CLI_KIND_SAML, CLI_REMOVE);
}

enum cli_exit
cli_party(struct cli *cli)
{
	static const struct cli_verb verbs[] = {
		{"add", party_add},
		{"check", cli_party_check},
		{"list", party_list},
		{"show", party_show},
		{"refused", cli_party_refused},
		{"enable", party_enable},
		{"disable", party_disable},
		{"remove", party_remove},
		{"follow", cli_party_follow},
		{"unfollow", cli_party_unfollow},
		{"refresh", cli_party_refresh},
		{"changes", cli_party_changes},
		{"approve", cli_party_approve},
		{"reject", cli_party_reject},
		{"rollback", cli_party_rollback},
		{NULL, NULL},
	};

	return cli_run_verb(cli, verbs);
}
