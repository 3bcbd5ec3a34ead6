/* kontor status: can this instance work?  Database, schema, clock, keys, parties. */
#include "base/buf.h"
#include "base/text.h"
#include "idp/cli_work.h"
#include "idp/federation_take.h"
#include "idp/party_metadata.h"
#include "idp/party_suite.h"

/* Each thing that an instance cannot serve without. */
static const struct {
	enum key_purpose purpose;
	enum key_type type;
} needed[] = {
	{KEY_SAML_SIGN, KEY_P256},   {KEY_OIDC_SIGN, KEY_P256}, {KEY_SEAL, KEY_SECRET},
	{KEY_PSEUDONYM, KEY_SECRET}, {KEY_PEPPER, KEY_SECRET},  {KEY_LOOKUP, KEY_SECRET},
	{KEY_COOKIE, KEY_SECRET},
};

static bool
check_keys(const struct keyring *kr, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (keyring_active(kr, needed[i].purpose, needed[i].type) == NULL)
			return FAIL(err, ERR_NOT_FOUND, NULL,
				    "no active %s key of type %s: run kontor key init",
				    key_purpose_name(needed[i].purpose),
				    key_type_name(needed[i].type));
	return true;
}

#define SKEW_MOST_S 2 /* a node further off reports not ready */

static bool
check_clock(const struct cli_work *work, struct err *err)
{
	int64_t skew = db_clock_skew_s(work->w.db.db);

	if (skew >= -SKEW_MOST_S && skew <= SKEW_MOST_S)
		return true;
	return FAIL(err, ERR_UNAVAILABLE, NULL, "our clock and the database's are %lld s apart",
		    (long long)skew);
}

static void
warn(struct cli_work *work, const struct party *p, const char *text, json_t *warnings,
     struct buf *lines)
{
	json_t *o = json_new_object(work->w.a);

	json_put_str(work->w.a, o, "party", p->id);
	json_put_str(work->w.a, o, "text", text);
	json_push(work->w.a, warnings, o);
	buf_printf(lines, "warning: %s: %s\n", text_one_line(work->w.a, p->id),
		   text_one_line(work->w.a, text));
}

/* Metadata that is over or cannot be fetched any more. */
static void
warn_of_metadata(struct cli_work *work, const struct party *p, const struct db_source *source,
		 json_t *warnings, struct buf *lines)
{
	const char *end = party_end_warning(work->w.a, p, source, work->w.now);

	if (end != NULL)
		warn(work, p, end, warnings, lines);
	if (source != NULL && source->trouble != NULL)
		warn(work, p,
		     arena_printf(work->w.a, "its metadata cannot be fetched: %s", source->trouble),
		     warnings, lines);
}

/* What does not keep the instance from working, but this party, today or soon. */
static void
warn_of_party(struct cli_work *work, const struct party *p, const struct db_source *source,
	      json_t *warnings, struct buf *lines)
{
	const struct saml_suite *suite;
	const char *old;
	struct err why = {0};

	if (p->enabled && p->oidc != NULL && source != NULL && source->trouble != NULL)
		warn(work, p,
		     arena_printf(work->w.a, "its keys cannot be fetched: %s", source->trouble),
		     warnings, lines);
	if (p->saml == NULL || !p->enabled)
		return;
	warn_of_metadata(work, p, source, warnings, lines);
	old = party_old_warning(work->w.a, p, work->w.now);
	if (old != NULL)
		warn(work, p, old, warnings, lines);
	if (!party_suite(p, work->w.keyring, work->w.now, &suite, &why))
		warn(work, p, why.text, warnings, lines);
}

static const struct db_source *
source_of(const struct db_source *list, size_t n, const char *party)
{
	for (size_t i = 0; i < n; i++)
		if (text_eq(list[i].party, party))
			return &list[i];
	return NULL;
}

/* What an operator has not decided. */
static bool
warn_of_waiting(struct cli_work *work, json_t *warnings, struct buf *lines, struct err *err)
{
	const struct db_copy *copies;
	size_t n;

	if (!db_copy_list(&work->w.db, NULL, true, &copies, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		warn(work, &(struct party){.id = copies[i].party},
		     "a change of its metadata waits: kontor party changes", warnings, lines);
	return true;
}

static bool
check_parties(struct cli_work *work, size_t *n, json_t *warnings, struct buf *lines,
	      struct err *err)
{
	const struct db_source *sources;
	const struct db_party *rows;
	struct party parsed;
	size_t n_sources;

	if (!db_party_list(&work->w.db, &rows, n, err) ||
	    !db_source_list(&work->w.db, &sources, &n_sources, err))
		return false;
	for (size_t i = 0; i < *n; i++) {
		if (!party_parse(work->w.a, &rows[i], &parsed, err))
			return false;
		warn_of_party(work, &parsed, source_of(sources, n_sources, parsed.id), warnings,
			      lines);
	}
	return warn_of_waiting(work, warnings, lines, err);
}

static void
warn_of_source(struct cli_work *work, const struct db_federation_source *s, json_t *warnings,
	       struct buf *lines)
{
	const struct party name = {.id = s->name};
	const char *end = federation_end_warning(work->w.a, s, work->w.now);

	if (end != NULL)
		warn(work, &name, end, warnings, lines);
	if (s->trouble != NULL)
		warn(work, &name,
		     arena_printf(work->w.a, "its metadata is not taken: %s", s->trouble), warnings,
		     lines);
	if (s->counting.seq == 0)
		warn(work, &name, "no copy of its metadata counts", warnings, lines);
}

/* What their members do not notice until it is too late. */
static bool
check_federations(struct cli_work *work, json_t *warnings, struct buf *lines, struct err *err)
{
	const struct db_federation_source *list;
	const struct db_federation_copy *copies;
	size_t n, n_copies;

	if (!db_federation_list(&work->w.db, NULL, &list, &n, err) ||
	    !db_federation_copies(&work->w.db, NULL, true, &copies, &n_copies, err))
		return false;
	for (size_t i = 0; i < n; i++)
		warn_of_source(work, &list[i], warnings, lines);
	for (size_t i = 0; i < n_copies; i++)
		warn(work, &(struct party){.id = copies[i].source},
		     "a copy of its metadata waits: kontor federation pending", warnings, lines);
	return true;
}

/* Of the keys that lie in an HSM: is it there, with all of them? */
static bool
check_hsm(struct cli_work *work, struct err *err)
{
	const struct key *k;

	for (size_t i = 0; (k = keyring_each(work->w.keyring, &i)) != NULL;)
		if (k->row.place == KEY_HSM && k->row.state == KEY_ACTIVE)
			return cli_work_hsm_ready(work, err);
	return true;
}

enum cli_exit
cli_status(struct cli *cli)
{
	enum cli_exit rc = cli_end(cli);
	json_t *o = json_new_object(cli->a), *warnings = json_new_array(cli->a);
	const char *lines = "";
	struct cli_work work;
	struct err err = {0};
	struct buf text;
	size_t n;

	if (rc != CLI_OK)
		return rc;
	buf_init(&text, cli->a, (size_t)1024 * 1024);
	/* With the signer: keys that do not open under this master key file sign nothing. */
	if (!cli_work_open(cli, CLI_HSM, &work, &err) || !check_clock(&work, &err) ||
	    !check_keys(work.w.keyring, &err) || !check_hsm(&work, &err) ||
	    !check_parties(&work, &n, warnings, &text, &err) ||
	    !check_federations(&work, warnings, &text, &err) ||
	    !buf_finish_str(&text, &lines, &err))
		return cli_fail(cli, &err);
	json_put_str(cli->a, o, "instance", work.config.instance);
	json_put_bool(cli->a, o, "ok", true);
	json_put_i64(cli->a, o, "clock_skew_s", db_clock_skew_s(work.w.db.db));
	json_put_i64(cli->a, o, "parties", (int64_t)n);
	json_put(cli->a, o, "warnings", warnings);
	return cli_tell(cli, o,
			arena_printf(cli->a,
				     "%s%s: database, schema, clock and keys are in order; "
				     "%zu parties\n",
				     lines, work.config.instance, n));
}
