/*
 * kontor federation why ENTITY: from the anchor down, why a member is believed, or is not.  Each
 * copy is verified here anew; nothing is told on the ground of a row alone.
 */
#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "idp/cli_federation.h"
#include "idp/config.h"
#include "idp/federation_read.h"

#define MAX_TEXT_BYTES ((size_t)4 * 1024 * 1024)

struct telling {
	struct cli_work *work;
	const char *entity;
	struct buf text;
	json_t *o; /* of the source that is told of */
	bool found, trusted;
	/* Of the sources that have it those of the lowest rank. */
	const char *first, *other; /* names; other: says it differently */
	int64_t rank;
	unsigned char digest[SHA256_BYTES];
};

static void
say(struct telling *t, const char *name, const char *value)
{
	json_put_str(t->work->w.a, t->o, name, value);
	if (value != NULL)
		buf_printf(&t->text, "  %-16s %s\n", name, text_one_line(t->work->w.a, value));
}

static const char *
role_words(unsigned roles)
{
	if (roles == (SAML_ROLE_IDP | SAML_ROLE_SP))
		return "idp sp";
	return roles == SAML_ROLE_IDP ? "idp" : roles == SAML_ROLE_SP ? "sp" : "";
}

static void
say_keys(struct telling *t, struct bytes text, bool idp, json_t *list)
{
	struct arena *a = t->work->w.a;
	const struct saml_party *p;
	struct err err = {0};

	if (!saml_metadata_parse_role(a, text, t->entity, idp, &p, &err)) {
		say(t, "unreadable", err.text);
		return;
	}
	for (size_t i = 0; i < p->n_keys; i++) {
		const struct saml_party_key *k = &p->keys[i];
		const char *use = k->signing && k->encryption ? "signing, encryption"
				  : k->signing                ? "signing"
							      : "encryption";
		json_t *one = json_new_object(a);

		json_put_str(a, one, "role", idp ? "idp" : "sp");
		json_put_str(a, one, "use", use);
		json_put_str(a, one, "sha256", k->sha256);
		json_put_str(a, one, "problem", k->problem);
		json_push(a, list, one);
		buf_printf(&t->text, "  %-16s %s %s %s\n", "key", idp ? "idp" : "sp", use,
			   k->problem != NULL ? k->problem : k->sha256);
	}
	for (size_t i = 0; i < p->n_scopes; i++)
		buf_printf(&t->text, "  %-16s %s\n", "scope", text_one_line(a, p->scopes[i]));
}

/* What a row says of it now: who suspended it, and its text if that is what was signed. */
static bool
say_text(struct telling *t, const struct db_federation_source *s, const struct federation_entry *e,
	 struct err *err)
{
	struct arena *a = t->work->w.a;
	unsigned char digest[SHA256_BYTES];
	json_t *keys = json_new_array(a);
	struct db_federation_said said;

	if (!db_federation_said(&t->work->w.db, s->name, t->entity,
				(struct bytes){e->id, SHA256_BYTES},
				(struct bytes){e->digest, SHA256_BYTES}, &said, err))
		return false;
	say(t, "suspended",
	    said.suspended != NULL ? said.suspended
	    : said.gone            ? "it is gone from a copy that waits or was rejected"
				   : "no");
	t->trusted = said.suspended == NULL && !said.gone;
	if (said.text.n == 0) {
		say(t, "text",
		    said.old ? "another copy counts by now" : "it is not in the database");
		t->trusted = false;
		return true;
	}
	/* Second line: the copy has just been put together of it. */
	hash_sha256(said.text, digest);
	if (!federation_same(digest, e->digest)) {
		say(t, "text", "its row was changed: it is not what was signed");
		t->trusted = false;
		return true;
	}
	if ((e->roles & SAML_ROLE_IDP) != 0)
		say_keys(t, said.text, true, keys);
	if ((e->roles & SAML_ROLE_SP) != 0)
		say_keys(t, said.text, false, keys);
	json_put(a, t->o, "keys", keys);
	return true;
}

static bool
say_policy(struct telling *t, const struct federation_rules *rules, struct err *err)
{
	struct arena *a = t->work->w.a;
	struct federation_policy p;

	if (!federation_policy_of(a, rules, t->entity, config_level_most(&t->work->config), &p,
				  err))
		return false;
	say(t, "level cap", level_word(p.policy.level_cap, LEVEL_VOCAB_SHORT));
	say(t, "lifetime", arena_printf(a, "%lld s", (long long)p.lifetime_s));
	say(t, "speaks for",
	    !p.scoped        ? "anybody"
	    : p.n_scopes > 0 ? "the scopes that an operator named"
			     : "the scopes of its metadata");
	return true;
}

static void
note_rank(struct telling *t, const char *source, int64_t rank, const struct federation_entry *e)
{
	say(t, "rank", arena_printf(t->work->w.a, "%lld", (long long)rank));
	if (t->first != NULL && rank == t->rank && !federation_same(t->digest, e->digest))
		t->other = source;
	if (t->first != NULL && rank >= t->rank)
		return;
	t->first = source;
	t->other = NULL;
	t->rank = rank;
	memcpy(t->digest, e->digest, SHA256_BYTES);
}

static bool
say_member(struct telling *t, const struct db_federation_source *s,
	   const struct federation_rules *rules, const struct federation_entry *e, struct err *err)
{
	struct arena *a = t->work->w.a;
	const char *missing = federation_fields_text(a, e->missing);

	t->found = true;
	say(t, "member sha256", enc_hex(a, (struct bytes){e->digest, SHA256_BYTES}));
	say(t, "member until", clock_text(a, e->valid_until));
	say(t, "roles", role_words(e->roles));
	say(t, "filter", federation_filter_word((enum federation_filter)e->filter));
	if (missing[0] != '\0')
		say(t, "missing", missing);
	if (e->filter != FEDERATION_TAKEN) {
		say(t, "so", federation_filter_sentence((enum federation_filter)e->filter));
		return true;
	}
	note_rank(t, s->name, rules->rank, e);
	if (!say_policy(t, rules, err) || !say_text(t, s, e, err))
		return false;
	if (e->valid_until <= t->work->w.now)
		t->trusted = false;
	say(t, "so",
	    e->valid_until <= t->work->w.now ? "its validUntil has passed: it is refused"
	    : t->trusted                     ? "it is believed"
					     : "it is refused");
	return true;
}

static bool
say_source(struct telling *t, const struct db_federation_source *s, struct err *err)
{
	struct arena *a = t->work->w.a;
	struct federation_rules rules;
	struct federation_reader reader = {.source = s->name, .rules = &rules};
	struct federation_index *index;
	const struct bytes *certs;
	unsigned char id[SHA256_BYTES];
	struct err why = {0};

	buf_printf(&t->text, "%s\n", s->name);
	say(t, "source", s->url == NULL ? "a file" : s->url);
	say(t, "fetched", s->fetched == 0 ? NULL : clock_text(a, s->fetched));
	if (s->counting.seq == 0) {
		say(t, "so", "no copy counts");
		return true;
	}
	say(t, "copy", enc_hex(a, s->counting.digest));
	say(t, "since", clock_text(a, s->counting.at));
	say(t, "approved by", s->counting.approved_by);
	if (!federation_rules_parse(a, s->rules, &rules, err) ||
	    !federation_signers(a, s->signers, &reader.keys, &certs, err))
		return false;
	if (!federation_read_copy(&t->work->w.db, s->counting.seq, &reader, &index, &why)) {
		say(t, "so", arena_printf(a, "the copy does not verify: %s", why.text));
		return true;
	}
	say(t, "signed by", enc_hex(a, certs[index->key]));
	say(t, "valid until", clock_text(a, index->valid_until));
	hash_sha256(bytes_of(t->entity), id);
	const struct federation_entry *e = federation_index_find(index, id);
	bool ok = true;

	if (e == NULL)
		say(t, "so", "it is not in this copy");
	else
		ok = say_member(t, s, &rules, e, err);
	federation_index_release(index);
	return ok;
}

bool
cli_federation_has(struct cli_work *work, const char *source, const char *entity_id, bool *out,
		   struct err *err)
{
	const struct db_federation_source *rows;
	unsigned char id[SHA256_BYTES];
	size_t n;

	*out = false;
	hash_sha256(bytes_of(entity_id), id);
	if (!db_federation_list(&work->w.db, source, &rows, &n, err))
		return false;
	for (size_t i = 0; i < n && !*out; i++) {
		struct federation_rules rules;
		struct federation_reader reader = {.source = rows[i].name, .rules = &rules};
		struct federation_index *index;
		const struct bytes *certs;
		struct err why = {0};

		if (rows[i].counting.seq == 0)
			continue;
		if (!federation_rules_parse(work->w.a, rows[i].rules, &rules, NULL) ||
		    !federation_signers(work->w.a, rows[i].signers, &reader.keys, &certs, NULL) ||
		    !federation_read_copy(&work->w.db, rows[i].counting.seq, &reader, &index,
					  &why)) {
			*out = true;
			return true;
		}
		*out = federation_index_find(index, id) != NULL;
		federation_index_release(index);
	}
	return true;
}

enum cli_exit
cli_federation_why(struct cli *cli)
{
	json_t *o = json_new_object(cli->a), *list = json_new_array(cli->a);
	const struct db_federation_source *rows;
	struct cli_work work;
	struct telling t = {.work = &work, .entity = cli_word(cli)};
	const char *lines = "";
	struct err err = {0};
	size_t n;

	if (t.entity == NULL)
		return cli_usage(cli, "whom? ENTITY is missing");
	enum cli_exit rc = cli_work_begin(cli, CLI_DATABASE, &work);

	if (rc != CLI_OK)
		return rc;
	if (!db_federation_list(&work.w.db, NULL, &rows, &n, &err))
		return cli_fail(cli, &err);
	buf_init(&t.text, cli->a, MAX_TEXT_BYTES);
	for (size_t i = 0; i < n; i++) {
		t.o = json_new_object(cli->a);
		json_put_str(cli->a, t.o, "name", rows[i].name);
		if (!say_source(&t, &rows[i], &err))
			return cli_fail(cli, &err);
		json_push(cli->a, list, t.o);
	}
	json_put_str(cli->a, o, "member", t.entity);
	json_put_bool(cli->a, o, "found", t.found);
	json_put_str(cli->a, o, "source", t.other == NULL ? t.first : NULL);
	json_put_bool(cli->a, o, "disputed", t.other != NULL);
	if (t.other != NULL)
		buf_printf(&t.text,
			   "%s and %s say it differently, and neither goes first (rank): it is"
			   " refused\n",
			   t.first, t.other);
	else if (t.first != NULL)
		buf_printf(&t.text, "%s decides\n", t.first);
	json_put(cli->a, o, "sources", list);
	if (n == 0)
		buf_str(&t.text, "there is no federation\n");
	if (!buf_finish_str(&t.text, &lines, &err))
		return cli_fail(cli, &err);
	(void)cli_tell(cli, o, lines);
	return t.found ? CLI_OK : CLI_NOT_FOUND;
}
