/* Taking a copy of a federation's metadata; see federation_take.h. */
#include "idp/federation_take.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/text.h"
#include "idp/audit.h"
#include "saml/metadata_diff.h"

#define BATCH_ENTRIES 64
#define BATCH_BYTES   ((size_t)256 * 1024)
#define USED_MOST     1024
#define SCRATCH_BYTES ((size_t)96 * 1024 * 1024)
#define DB_LIMIT_US   ((int64_t)10 * 1000000)

#define LISTED_MOST   200 /* changes that are told one by one */
#define COMPARED_MOST 1000
#define GONE_FEW      3 /* members that are taken out at once */
#define LEFT_BYTES    (2 * (size_t)SHA256_BYTES)

const struct federation_whole_rule federation_whole_rules[] = {
	{"signer", "Another of the pinned keys signed it.", true},
	{"rolled-back", "An operator let an earlier copy count: what changes that waits.", true},
	{"shorter-validity", "validUntil is earlier than of the copy that counts.", true},
	{"members-gone", "More members than one are gone, and more than gone-percent says.", true},
	{"many-changed", "More members have changed than are compared one by one.", true},
	{"uncompared", "What counts of a member cannot be read, to compare with it.", true},
	{"role-new", "A member has a role that it did not have.", true},
	{"scope-taken", "A member speaks for a scope of another one.", true},
	{"unreadable", "The copy that counts cannot be read any more, to compare with it.", true},
	{"first", "It is the first copy of this source.", false},
	{"member-new", "A member is new.", false},
	{"member-back", "A member is there again: it is compared with what was said of it last.",
	 false},
	{"member-gone", "A member is gone, or left out by a filter.", false},
	{"renewed", "It says the same of all members for another time.", false},
	{NULL, NULL, false},
};

struct federation_taking {
	struct db_call c; /* results live in scratch */
	struct arena *a, *scratch;
	const struct db_federation_source *source;
	const char *ref;
	time_t now;
	struct federation_rules rules;
	struct saml_keys keys;
	const struct bytes *certs; /* of each key the certificate's SHA-256 */
	struct federation_reader reader;
	struct federation_reading *reading;
	struct federation_index *base; /* NULL: nothing counts */
	struct bytes left;             /* those who were members once: id, digest of text, joined */
	struct bytes gone, gone_said;  /* those who are not any more: ids, digests of texts */
	bool all;
	int64_t seq, n_pieces;

	unsigned char *piece;
	size_t n_piece, n_stored;
	unsigned char *index, *blob, *used, *before; /* batches of texts */
	size_t n_index, n_blob, n_used, n_before, blob_most;

	json_t *listed; /* changes, told one by one */
	struct buf asked;
	struct hash_stream *changes; /* of members: which, and what became of them */
	const char *question;        /* that, as a word; NULL until all is read */
	size_t n_new, n_gone, n_changed, n_compared;
	bool held, unreadable;
};

/* ---- what is told ---- */

static const struct federation_whole_rule *
whole_rule(const char *name)
{
	size_t i = 0;

	while (strcmp(federation_whole_rules[i].rule, name) != 0)
		i++;
	return &federation_whole_rules[i];
}

/* Graver ones are told however many others are. */
static void
tell(struct federation_taking *t, const char *rule, bool held, const char *entity,
     const char *subject, const char *text)
{
	json_t *o = json_new_object(t->a);

	t->held = t->held || held;
	if (held)
		buf_printf(&t->asked, "%s\n%s\n%s\n", rule, entity, subject);
	if (entity[0] != '\0' &&
	    json_array_size(t->listed) >= (held ? 2 * LISTED_MOST : LISTED_MOST))
		return;
	json_put_str(t->a, o, "rule", rule);
	json_put_bool(t->a, o, "held", held);
	json_put_str(t->a, o, "member", entity[0] == '\0' ? NULL : entity);
	json_put_str(t->a, o, "text", text);
	json_push(t->a, t->listed, o);
}

static void
tell_whole(struct federation_taking *t, const char *rule, const char *entity, const char *text)
{
	const struct federation_whole_rule *r = whole_rule(rule);

	tell(t, rule, r->held, entity, "", text == NULL ? r->sentence : text);
}

/* Who was refused once for that is asked for again if it is said of others, or by another. */
static void
tell_of(struct federation_taking *t, const char *rule, const char *subject, const char *text)
{
	const struct federation_whole_rule *r = whole_rule(rule);

	tell(t, rule, r->held, "", subject, text == NULL ? r->sentence : text);
}

static void
note_change(struct federation_taking *t, const unsigned char id[SHA256_BYTES],
	    const unsigned char digest[SHA256_BYTES])
{
	hash_stream_add(t->changes, (struct bytes){id, SHA256_BYTES});
	hash_stream_add(t->changes, (struct bytes){digest, SHA256_BYTES});
}

/* ---- rows ---- */

static void
refresh_call(struct federation_taking *t)
{
	arena_reset(t->scratch);
	t->c.deadline_us = clock_mono_us() + DB_LIMIT_US;
}

static bool
flush_piece(struct federation_taking *t, struct err *err)
{
	if (t->n_piece == 0)
		return true;
	refresh_call(t);
	struct bytes piece = {t->piece, t->n_piece};

	t->n_piece = 0;
	return db_federation_piece_add(&t->c, t->seq, t->n_pieces++, piece, err);
}

/* What the copy becomes of it is read with a cap, too. */
static bool
count_stored(struct federation_taking *t, size_t n, struct err *err)
{
	t->n_stored += n;
	return t->n_stored <= FEDERATION_STORED * t->rules.bytes_most ||
	       FAIL(err, ERR_INPUT, NULL, "it becomes too long with its namespaces");
}

static void
put_number(struct federation_taking *t, size_t n)
{
	uint32_t number = htobe32((uint32_t)n);

	memcpy(t->piece + t->n_piece, &number, sizeof(number));
	t->n_piece += sizeof(number);
}

static bool
around(void *ctx, struct bytes octets, struct err *err)
{
	struct federation_taking *t = ctx;
	size_t n;

	if (!count_stored(t, octets.n, err))
		return false;
	for (; octets.n > 0; octets = (struct bytes){octets.p + n, octets.n - n}) {
		if (FEDERATION_PIECE_BYTES - t->n_piece <= FEDERATION_AROUND_BYTES &&
		    !flush_piece(t, err))
			return false;
		n = FEDERATION_PIECE_BYTES - t->n_piece - FEDERATION_AROUND_BYTES;
		n = n < octets.n ? n : octets.n;
		t->piece[t->n_piece++] = FEDERATION_AROUND;
		put_number(t, n);
		memcpy(t->piece + t->n_piece, octets.p, n);
		t->n_piece += n;
	}
	return true;
}

static bool
refer(struct federation_taking *t, const unsigned char digest[SHA256_BYTES], size_t length,
      struct err *err)
{
	if (!count_stored(t, length, err) ||
	    (FEDERATION_PIECE_BYTES - t->n_piece < FEDERATION_MEMBER_BYTES && !flush_piece(t, err)))
		return false;
	t->piece[t->n_piece++] = FEDERATION_MEMBER;
	memcpy(t->piece + t->n_piece, digest, SHA256_BYTES);
	t->n_piece += SHA256_BYTES;
	put_number(t, length);
	return true;
}

static bool
flush_texts(struct federation_taking *t, struct err *err)
{
	struct bytes index = {t->index, t->n_index}, blob = {t->blob, t->n_blob};

	if (t->n_index == 0)
		return true;
	refresh_call(t);
	t->n_index = t->n_blob = 0;
	return db_federation_texts_add(&t->c, t->source->name, t->seq, index, blob, err);
}

static bool
flush_used(struct federation_taking *t, struct err *err)
{
	struct bytes digests = {t->used, t->n_used};
	int64_t n;

	if (t->n_used == 0)
		return true;
	refresh_call(t);
	t->n_used = 0;
	if (!db_federation_texts_use(&t->c, t->source->name, t->seq, digests, &n, err))
		return false;
	return (size_t)n == digests.n / SHA256_BYTES ||
	       FAIL(err, ERR_CONFLICT, NULL, "texts of members are missing in the database");
}

/* Those may be missing: then nobody finds them. */
static bool
flush_before(struct federation_taking *t, struct err *err)
{
	struct bytes digests = {t->before, t->n_before};
	int64_t n;

	if (t->n_before == 0)
		return true;
	refresh_call(t);
	t->n_before = 0;
	return db_federation_texts_use(&t->c, t->source->name, t->seq, digests, &n, err);
}

static bool
add_text(struct federation_taking *t, const unsigned char digest[SHA256_BYTES], struct bytes text,
	 struct err *err)
{
	uint32_t at, length = htobe32((uint32_t)text.n);

	if (((t->n_blob > 0 && t->n_blob + text.n > BATCH_BYTES) ||
	     t->n_index == BATCH_ENTRIES * (size_t)DB_FEDERATION_INDEX_BYTES) &&
	    !flush_texts(t, err))
		return false;
	/* Second line: the aggregate's reader has said so before. */
	if (text.n > t->blob_most)
		return FAIL(err, ERR_INPUT, NULL, "an entity is too long");
	at = htobe32((uint32_t)t->n_blob);
	memcpy(t->index + t->n_index, digest, SHA256_BYTES);
	memcpy(t->index + t->n_index + SHA256_BYTES, &at, sizeof(at));
	memcpy(t->index + t->n_index + SHA256_BYTES + sizeof(at), &length, sizeof(length));
	memcpy(t->blob + t->n_blob, text.p, text.n);
	t->n_index += DB_FEDERATION_INDEX_BYTES;
	t->n_blob += text.n;
	return true;
}

static bool
use_text(struct federation_taking *t, const unsigned char digest[SHA256_BYTES], struct err *err)
{
	if (t->n_used == USED_MOST * (size_t)SHA256_BYTES && !flush_used(t, err))
		return false;
	memcpy(t->used + t->n_used, digest, SHA256_BYTES);
	t->n_used += SHA256_BYTES;
	return true;
}

/* Who is in it still, though otherwise, is known as before by nodes that have not read it yet. */
static bool
keep_before(struct federation_taking *t, const unsigned char digest[SHA256_BYTES], struct err *err)
{
	if (t->n_before == USED_MOST * (size_t)SHA256_BYTES && !flush_before(t, err))
		return false;
	memcpy(t->before + t->n_before, digest, SHA256_BYTES);
	t->n_before += SHA256_BYTES;
	return true;
}

/* ---- a member ---- */

/* What was said of it last; out->n 0: that cannot be told any more. */
static bool
text_before(struct federation_taking *t, const unsigned char said[SHA256_BYTES], struct bytes *out,
	    struct err *err)
{
	unsigned char digest[SHA256_BYTES];
	const struct bytes *text;

	*out = (struct bytes){NULL, 0};
	if (!db_federation_texts(&t->c, t->source->name, (struct bytes){said, SHA256_BYTES}, &text,
				 err))
		return false;
	hash_sha256(text[0], digest);
	if (federation_same(digest, said))
		*out = text[0];
	return true;
}

static void
compare_role(struct federation_taking *t, const struct saml_entity *said, struct bytes before,
	     bool idp)
{
	const struct saml_party *was, *is;
	struct saml_changes changes;

	/* What does not read is not used. */
	if (!saml_metadata_parse_role(t->scratch, said->text, said->entity_id, idp, &is, NULL))
		return;
	/* Else a copy in which it does not read would be the way around all rules. */
	if (!saml_metadata_parse_role(t->scratch, before, said->entity_id, idp, &was, NULL)) {
		tell_whole(t, "uncompared", said->entity_id, NULL);
		return;
	}
	saml_metadata_diff(t->scratch, was, is, true, &changes);
	for (size_t i = 0; i < changes.n && changes.p[i].risk <= SAML_RISK_HELD; i++)
		tell(t, changes.p[i].rule, true, said->entity_id, changes.p[i].subject,
		     changes.p[i].text);
}

/* With what was said before, in these roles. */
static bool
compare(struct federation_taking *t, const struct federation_entry *is,
	const unsigned char was[SHA256_BYTES], unsigned roles, const struct saml_entity *said,
	struct err *err)
{
	struct bytes before;

	if (t->rules.approval == FEDERATION_WHOLE)
		return true;
	if (++t->n_compared > COMPARED_MOST)
		return true;
	if ((is->roles & ~roles) != 0)
		tell_whole(t, "role-new", said->entity_id, NULL);
	refresh_call(t);
	if (!text_before(t, was, &before, err))
		return false;
	if (before.n == 0)
		tell_whole(t, "uncompared", said->entity_id, NULL);
	for (unsigned role = SAML_ROLE_IDP; before.n > 0 && role <= SAML_ROLE_SP; role <<= 1)
		if ((is->roles & roles & role) != 0)
			compare_role(t, said, before, role == SAML_ROLE_IDP);
	return true;
}

/* One that was not taken a copy ago. */
static bool
newcomer(struct federation_taking *t, const struct federation_entry *e,
	 const struct saml_entity *said, struct err *err)
{
	const unsigned char *left = NULL;

	if (t->left.n > 0)
		left = bsearch(e->id, t->left.p, t->left.n / LEFT_BYTES, LEFT_BYTES,
			       federation_id_order);
	tell_whole(t, left == NULL ? "member-new" : "member-back", said->entity_id, NULL);
	if (left == NULL || federation_same(left + SHA256_BYTES, e->digest))
		return true;
	/* Else taking it out for the length of a copy would be the way around all rules. */
	return compare(t, e, left + SHA256_BYTES, e->roles, said, err);
}

static bool
member(void *ctx, const struct federation_entry *e, const struct saml_entity *said, struct err *err)
{
	struct federation_taking *t = ctx;
	const struct federation_entry *was =
		t->base == NULL ? NULL : federation_index_find(t->base, e->id);
	bool same = was != NULL && federation_same(was->digest, e->digest);
	bool taken = e->filter == FEDERATION_TAKEN;
	bool was_taken = was != NULL && was->filter == FEDERATION_TAKEN;

	if (taken && t->base != NULL && !(was_taken && same))
		note_change(t, e->id, e->digest);
	if (taken && !was_taken && t->base != NULL) {
		t->n_new++;
		if (!newcomer(t, e, said, err))
			return false;
	}
	if (taken && was_taken && !same) {
		t->n_changed++;
		if (!compare(t, e, was->digest, was->roles, said, err) ||
		    !keep_before(t, was->digest, err))
			return false;
	}
	if (!refer(t, e->digest, said->text.n, err))
		return false;
	return same && !t->all ? use_text(t, e->digest, err)
			       : add_text(t, e->digest, said->text, err);
}

/* ---- the whole ---- */

static void
release(void *p)
{
	federation_index_release(p);
}

static void
destroy(void *p)
{
	arena_destroy(p);
}

static bool
is_pinned(const struct federation_taking *t, struct bytes signer)
{
	for (size_t i = 0; i < t->keys.n; i++)
		if (bytes_eq(t->certs[i], signer))
			return true;
	return false;
}

/* Read what counts, to compare with: what we verified ourselves, not what a row says. */
static bool
read_base(struct federation_taking *t, const struct db_call *c, struct err *err)
{
	struct federation_reader reader = t->reader;

	reader.member = NULL;
	reader.around = NULL;
	if (t->source->counting.seq == 0)
		return true;
	struct err why = {0};

	if (federation_read_copy(c, t->source->counting.seq, &reader, &t->base, &why)) {
		arena_defer(t->a, release, t->base);
		refresh_call(t);
		if (!db_federation_left(&t->c, t->source->name, &t->left, err))
			return false;
		t->left = arena_bytes(t->a, t->left);
		return true;
	}
	/* Signed by a key that is not pinned any more: there is nothing to compare with. */
	if (why.kind == ERR_DENIED && !is_pinned(t, t->source->counting.signer))
		return true;
	if (why.kind == ERR_UNAVAILABLE)
		return FAIL(err, why.kind, why.proto, "%s", why.text);
	log_err(LOG_LVL_ERROR, "federation_unusable", &why, "source", t->source->name, NULL);
	t->unreadable = t->all = true;
	return true;
}

bool
federation_take_begin(const struct db_call *c, const struct db_federation_source *source,
		      const char *ref, time_t now, struct federation_taking **out, struct err *err)
{
	struct federation_taking *t = ARENA_NEW(c->a, struct federation_taking);

	t->a = c->a;
	t->scratch = arena_create(SCRATCH_BYTES);
	arena_defer(c->a, destroy, t->scratch);
	if (t->scratch == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no memory to take a copy");
	t->c = (struct db_call){c->db, t->scratch, 0};
	t->source = source;
	t->ref = ref;
	t->now = now;
	if (!federation_rules_parse(c->a, source->rules, &t->rules, err) ||
	    !federation_signers(c->a, source->signers, &t->keys, &t->certs, err))
		return false;
	t->reader = (struct federation_reader){.source = source->name,
					       .rules = &t->rules,
					       .keys = t->keys,
					       .member = member,
					       .around = around,
					       .ctx = t};
	t->listed = json_new_array(c->a);
	buf_init(&t->asked, c->a, (size_t)4 * 1024 * 1024);
	t->changes = hash_stream_begin(c->a, "SHA256");
	t->piece = arena_alloc(c->a, FEDERATION_PIECE_BYTES);
	t->index = arena_alloc(c->a, BATCH_ENTRIES * (size_t)DB_FEDERATION_INDEX_BYTES);
	/* One that is longer than a batch is one. */
	t->blob_most = BATCH_BYTES + 2 * t->rules.member_bytes_most;
	t->blob = arena_alloc(c->a, t->blob_most);
	t->used = arena_alloc(c->a, USED_MOST * (size_t)SHA256_BYTES);
	t->before = arena_alloc(c->a, USED_MOST * (size_t)SHA256_BYTES);
	if (!read_base(t, c, err))
		return false;
	refresh_call(t);
	if (!db_federation_begin(&t->c, source, now, &t->seq, err))
		return false;
	t->reading = federation_read_begin(c->a, &t->reader);
	*out = t;
	return true;
}

void
federation_take_all(struct federation_taking *t)
{
	t->all = true;
}

void
federation_take_abandon(struct federation_taking *t)
{
	struct err err = {0};

	refresh_call(t);
	if (t->seq != 0 && !db_federation_abandon(&t->c, t->source->name, t->seq, &err))
		log_err(LOG_LVL_WARN, "federation_unsettled", &err, "source", t->source->name,
			NULL);
}

bool
federation_take_add(struct federation_taking *t, struct bytes piece, struct err *err)
{
	/* Of what a stranger sends no row is written: his signature is seen before. */
	return federation_read_add(t->reading, piece, err);
}

/* ---- its end ---- */

static bool
check_time(const struct federation_taking *t, const struct federation_index *index, struct err *err)
{
	if (index->valid_until <= t->now)
		return FAIL(err, ERR_DENIED, NULL, "its validUntil has passed: %s",
			    clock_text(t->a, index->valid_until));
	if (index->valid_until - t->now > t->rules.validity_most_s)
		return FAIL(err, ERR_DENIED, NULL, "its validUntil is too far off (valid-days): %s",
			    clock_text(t->a, index->valid_until));
	return true;
}

/* Members that counted and do not any more. */
static void
find_gone(struct federation_taking *t, const struct federation_index *index)
{
	size_t counted = t->base == NULL ? 0 : t->base->n_filtered[FEDERATION_TAKEN];
	unsigned char *gone = arena_alloc(t->a, counted * SHA256_BYTES);
	unsigned char *said = arena_alloc(t->a, counted * SHA256_BYTES);

	for (size_t i = 0; t->base != NULL && i < t->base->n; i++) {
		const struct federation_entry *was = &t->base->p[i];
		const struct federation_entry *is = federation_index_find(index, was->id);

		if (was->filter != FEDERATION_TAKEN ||
		    (is != NULL && is->filter == FEDERATION_TAKEN))
			continue;
		memcpy(gone + t->n_gone * SHA256_BYTES, was->id, SHA256_BYTES);
		memcpy(said + t->n_gone * SHA256_BYTES, was->digest, SHA256_BYTES);
		t->n_gone++;
		hash_stream_add(t->changes, (struct bytes){was->id, SHA256_BYTES});
	}
	t->gone = (struct bytes){gone, t->n_gone * SHA256_BYTES};
	t->gone_said = (struct bytes){said, t->n_gone * SHA256_BYTES};
}

/* Who speaks for what another one spoke for before, or does so now. */
static void
judge_scopes(struct federation_taking *t, const struct federation_index *index)
{
	static const struct federation_claims none;
	const struct federation_claims *was = t->base == NULL ? &none : &t->base->claims;

	for (size_t i = 0; i < index->claims.n; i++) {
		const struct federation_claim *c = &index->claims.p[i], *other;

		if (c->named || federation_claims_has(was, c->scope, c->entity_id))
			continue;
		other = federation_claims_other(was, c->scope, c->entity_id, false);
		if (other == NULL)
			other = federation_claims_other(&index->claims, c->scope, c->entity_id,
							false);
		if (other != NULL)
			tell(t, "scope-taken", whole_rule("scope-taken")->held, c->entity_id,
			     c->scope,
			     arena_printf(t->a, "it speaks for %s, as does or did %s",
					  text_one_line(t->a, c->scope), other->entity_id));
	}
}

/* What became different as a whole; *gone: whom nobody is to believe while it waits. */
static void
judge(struct federation_taking *t, const struct federation_index *index, struct bytes *gone)
{
	struct hash_digest changes;

	find_gone(t, index);
	*gone = t->gone;
	hash_stream_end(t->changes, &changes);
	t->question = enc_hex(t->a, (struct bytes){changes.octets, changes.n});
	judge_scopes(t, index);
	if (t->base == NULL) {
		tell_of(t, t->unreadable ? "unreadable" : "first",
			enc_hex(t->a, (struct bytes){index->content, SHA256_BYTES}), NULL);
		return;
	}
	if (!bytes_eq(t->certs[index->key], t->source->counting.signer))
		tell_of(t, "signer", enc_hex(t->a, t->certs[index->key]), NULL);
	if (index->valid_until < t->base->valid_until)
		tell_of(t, "shorter-validity", clock_text(t->a, index->valid_until),
			arena_printf(t->a, "validUntil is %s, of the copy that counts %s",
				     clock_text(t->a, index->valid_until),
				     clock_text(t->a, t->base->valid_until)));
	if (t->n_compared > COMPARED_MOST)
		tell_of(t, "many-changed", t->question, NULL);
	if (t->n_gone > 0)
		tell_whole(t, "member-gone", "", arena_printf(t->a, "%zu are gone", t->n_gone));
	/* One is what taking a member out looks like: that must not wait, however few they are. */
	if (t->n_gone > 1 &&
	    t->n_gone * 100 > t->base->n_filtered[FEDERATION_TAKEN] * (size_t)t->rules.gone_most) {
		tell_of(t, "members-gone", t->question,
			arena_printf(t->a, "%zu of %zu members are gone", t->n_gone,
				     t->base->n_filtered[FEDERATION_TAKEN]));
		/* Whoever could make all of them go need not be believed in that either; a few
		 * are what an incident looks like. */
		if (t->n_gone > GONE_FEW || 2 * t->n_gone > t->base->n_filtered[FEDERATION_TAKEN])
			*gone = (struct bytes){NULL, 0};
	}
	if (t->n_new + t->n_gone + t->n_changed == 0)
		tell_whole(t, "renewed", "", NULL);
	else if (t->source->rolled_back)
		tell_of(t, "rolled-back", t->question, NULL);
}

static const char *
changes_text(struct federation_taking *t, const struct federation_index *index)
{
	json_t *o = json_new_object(t->a), *left = json_new_object(t->a);

	json_put_i64(t->a, o, "members", (int64_t)index->n_filtered[FEDERATION_TAKEN]);
	json_put_i64(t->a, o, "new", (int64_t)t->n_new);
	json_put_i64(t->a, o, "gone", (int64_t)t->n_gone);
	json_put_i64(t->a, o, "changed", (int64_t)t->n_changed);
	for (unsigned i = FEDERATION_TAKEN + 1; i < FEDERATION_FILTERS; i++)
		if (index->n_filtered[i] > 0)
			json_put_i64(t->a, left, federation_filter_word((enum federation_filter)i),
				     (int64_t)index->n_filtered[i]);
	json_put(t->a, o, "left_out", left);
	json_put(t->a, o, "changes", t->listed);
	return json_text(t->a, o, false);
}

/* The copy that was rejected, if what is asked is the same again. */
static bool
was_rejected(struct federation_taking *t, const struct db_federation_copy *copy, bool *out,
	     struct err *err)
{
	const struct db_federation_copy *list;
	size_t n;

	*out = false;
	refresh_call(t);
	if (!db_federation_copies(&t->c, t->source->name, false, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		*out = *out || (list[i].state == DB_FEDERATION_REJECTED &&
				bytes_eq(list[i].asked, copy->asked));
	return true;
}

/* It is not taken: what waited is not served any more, and these are gone. */
static bool
served(struct federation_taking *t, struct bytes gone, struct err *err)
{
	refresh_call(t);
	return db_federation_served(&t->c, t->source, t->source->counting.seq, gone, err);
}

static bool
conclude(struct federation_taking *t, const struct db_federation_copy *copy, struct err *err)
{
	struct db_audit audit = {.event = t->held ? AUDIT_FEDERATION_HELD : AUDIT_FEDERATION_TAKEN,
				 .ref = t->ref,
				 .details = audit_details(t->a, "source", t->source->name, "sha256",
							  enc_hex(t->a, copy->digest), NULL)};
	bool rejected = false;

	if (t->held && !was_rejected(t, copy, &rejected, err))
		return false;
	/* Whom it leaves out is not believed for that. */
	if (rejected && !served(t, copy->gone, err))
		return false;
	if (rejected)
		return FAIL(err, ERR_DENIED, NULL, "what was rejected is still served");
	refresh_call(t);
	if (t->n_gone > 0 &&
	    !db_federation_left_add(&t->c, t->source->name, t->gone, t->gone_said, t->now, err))
		return false;
	refresh_call(t);
	if (!db_federation_conclude(&t->c, t->source, copy, t->source->counting.seq, &audit, t->now,
				    err))
		return false;
	log_event(t->held ? LOG_LVL_WARN : LOG_LVL_INFO,
		  t->held ? "federation_held" : "federation_taken", "source", t->source->name,
		  "sha256", enc_hex(t->a, copy->digest), "ref", t->ref, NULL);
	refresh_call(t);
	return t->held || db_federation_tidy(&t->c, t->source->name, t->now, err);
}

static bool
end_with(struct federation_taking *t, const struct federation_index *index,
	 struct federation_taken *out, struct err *err)
{
	unsigned char *asked = arena_alloc(t->a, SHA256_BYTES);
	struct bytes gone, question;

	*out = (struct federation_taken){
		.digest = arena_bytes(t->a, (struct bytes){index->digest, SHA256_BYTES}),
		.members = index->n_filtered[FEDERATION_TAKEN],
		.valid_until = index->valid_until};
	if (!check_time(t, index, err))
		return false;
	/* The very same: nothing becomes different, and nothing is to be kept. */
	if (t->base != NULL && federation_same(index->content, t->base->content) &&
	    index->key == t->base->key) {
		federation_take_abandon(t);
		return served(t, (struct bytes){NULL, 0}, err);
	}
	if (!flush_piece(t, err) || !flush_texts(t, err) || !flush_used(t, err) ||
	    !flush_before(t, err))
		return false;
	judge(t, index, &gone);
	if (t->rules.approval == FEDERATION_ALL && t->base != NULL &&
	    t->n_new + t->n_gone + t->n_changed > 0)
		tell(t, "approval", true, "", t->question, "Every change waits.");
	if (!buf_finish(&t->asked, &question, err))
		return false;
	hash_sha256(question, asked);
	struct db_federation_copy copy = {.seq = t->seq,
					  .state = t->held ? DB_FEDERATION_WAITING
							   : DB_FEDERATION_COUNTING,
					  .digest = out->digest,
					  .octets = (int64_t)index->octets,
					  .members = (int64_t)out->members,
					  .valid_until = index->valid_until,
					  .signer = t->certs[index->key],
					  .changes = changes_text(t, index),
					  .asked = {asked, t->held ? SHA256_BYTES : 0},
					  .gone = t->held ? gone : (struct bytes){NULL, 0}};

	out->seq = t->seq;
	out->waits = t->held;
	out->changes = copy.changes;
	return conclude(t, &copy, err);
}

bool
federation_take_end(struct federation_taking *t, struct federation_taken *out, struct err *err)
{
	struct federation_index *index;

	if (!federation_read_end(t->reading, &index, err))
		return false;
	arena_defer(t->a, release, index);
	return end_with(t, index, out, err);
}
