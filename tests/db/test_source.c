/* Where metadata comes from and its copies: taken by one node, replaced by what was looked at. */
#include "db/source.h"

#include <pthread.h>

#include "base/hash.h"
#include "tests/db/pg.h"

#define PARTY "https://amt.example/sp"

static struct bytes
digest(struct pg *pg, const char *text)
{
	unsigned char *out = arena_alloc(pg->a, SHA256_BYTES);

	hash_sha256(bytes_of(text), out);
	return (struct bytes){out, SHA256_BYTES};
}

/* Rows of the trail stay: each test has a reference of its own. */
static const char *ref;

static const char *
audited(struct pg *pg, const char *event)
{
	return pg_value(pg, arena_printf(pg->a,
					 "SELECT count(*) FROM audit WHERE event = '%s' AND ref = "
					 "'%s'",
					 event, ref));
}

static void
save(struct pg *pg, const char *id, const char *kind, const char *document)
{
	struct db_party party = {.id = id,
				 .kind = kind,
				 .display_name = "Amt",
				 .document = bytes_of(document),
				 .policy = "{}",
				 .enabled = true};
	int64_t version;

	ASSERT_OK(db_party_save(&pg->c, &party, NULL, NOW, &version, &pg->err), &pg->err);
}

static const char *
counts(struct pg *pg)
{
	return pg_value(pg,
			"SELECT convert_from(document, 'UTF8') FROM party WHERE id = '" PARTY "'");
}

static void
follow(struct pg *pg, const char *party, time_t now)
{
	const struct db_source s = {.party = party, .url = "https://amt.example/md", .signers = ""};

	ASSERT_OK(db_source_put(&pg->c, &s, NULL, now, &pg->err), &pg->err);
}

/* One party with the document "one", followed since NOW. */
static void
begin(struct pg *pg)
{
	static int round;

	ref = arena_printf(pg->a, "r%d", ++round);
	pg_sql(pg, "DELETE FROM party");
	save(pg, PARTY, "saml", "one");
	follow(pg, PARTY, NOW);
}

static const struct db_source_taken *
take(struct pg *pg, time_t now)
{
	const struct db_source_taken *t;

	ASSERT_OK(db_source_take(&pg->c, 60, now, &t, &pg->err), &pg->err);
	return t;
}

static const struct db_source *
load(struct pg *pg)
{
	const struct db_source *s;

	ASSERT_OK(db_source_load(&pg->c, PARTY, &s, &pg->err), &pg->err);
	return s;
}

static void
settle(struct pg *pg, const struct db_source_taken *t, time_t due, const char *etag,
       const char *trouble, time_t now)
{
	const struct db_source_end end = {.due = due, .etag = etag, .trouble = trouble};

	ASSERT_OK(db_source_settle(&pg->c, t, &end, now, &pg->err), &pg->err);
}

/* "pending one", …: newest first. */
static const char *
copies(struct pg *pg)
{
	return pg_value(pg, "SELECT coalesce(string_agg(state || ' ' ||"
			    " convert_from(document, 'UTF8'), ', ' ORDER BY seq DESC), '')"
			    " FROM party_copy WHERE party = '" PARTY "'");
}

static bool
hold(struct pg *pg, const char *base, const char *document, const char *asked)
{
	const struct db_copy copy = {.party = PARTY,
				     .document = bytes_of(document),
				     .base = digest(pg, base),
				     .asked = digest(pg, asked),
				     .changes = "{}"};
	const struct db_audit audit = {.event = "party_held", .ref = ref, .party = PARTY};

	return db_copy_hold(&pg->c, &copy, &audit, NOW + 1, &pg->err);
}

static const struct db_copy *
copy_in(struct pg *pg, enum db_copy_state in)
{
	const struct db_copy *list;
	size_t n;

	ASSERT_OK(db_copy_list(&pg->c, PARTY, false, &list, &n, &pg->err), &pg->err);
	for (size_t i = 0; i < n; i++)
		if (list[i].state == in)
			return &list[i];
	return NULL;
}

static bool
replace(struct pg *pg, const char *base, const char *document, const struct db_copy *copy,
	bool forget, enum db_held held)
{
	const struct db_replace what = {.party = PARTY,
					.base = digest(pg, base),
					.document = bytes_of(document),
					.copy = copy,
					.forget = forget,
					.held = held};
	const struct db_audit audit = {.event = "party_refreshed", .ref = ref, .party = PARTY};

	return db_copy_replace(&pg->c, &what, &audit, NOW + 2, &pg->err);
}

/* ---- sources ---- */

static void
a_party_is_followed_until_it_is_not(void **state)
{
	struct pg *pg = *state;
	struct db_source s = {.party = "urn:none", .url = "https://x.example/", .signers = ""};
	const struct db_source *list;
	size_t n;

	begin(pg);
	const struct db_audit audit = {.event = "party_followed", .ref = ref};

	ASSERT_REFUSED(db_source_put(&pg->c, &s, &audit, NOW, &pg->err), &pg->err, ERR_NOT_FOUND,
		       "source_put");
	assert_string_equal(audited(pg, "party_followed"), "0");
	settle(pg, take(pg, NOW), NOW + 9, "\"e\"", "no answer", NOW);
	assert_string_equal(load(pg)->trouble, "no answer");
	assert_int_equal(load(pg)->tries, 1);
	/* Another address: all begins anew. */
	s = (struct db_source){
		.party = PARTY, .url = "https://y.example/", .signers = "PEM", .local_http = true};
	pg_sql(pg, "UPDATE party_source SET held = true");
	ASSERT_OK(hold(pg, "one", "evil", "q"), &pg->err);
	ASSERT_OK(db_copy_reject(&pg->c, copy_in(pg, DB_COPY_PENDING), NULL, NOW, &pg->err),
		  &pg->err);
	ASSERT_OK(db_source_put(&pg->c, &s, &audit, NOW + 5, &pg->err), &pg->err);
	assert_string_equal(audited(pg, "party_followed"), "1");
	assert_string_equal(copies(pg), "");
	ASSERT_OK(db_source_list(&pg->c, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].party, PARTY);
	assert_string_equal(list[0].url, "https://y.example/");
	assert_string_equal(list[0].signers, "PEM");
	assert_true(list[0].local_http);
	assert_false(list[0].held);
	assert_null(list[0].etag);
	assert_null(list[0].trouble);
	assert_int_equal(list[0].tries, 0);
	assert_int_equal(list[0].fetched, 0);
	assert_int_equal(list[0].due, NOW + 5);
	ASSERT_OK(db_source_drop(&pg->c, PARTY, NULL, NOW, &pg->err), &pg->err);
	assert_null(load(pg));
	ASSERT_REFUSED(db_source_drop(&pg->c, PARTY, NULL, NOW, &pg->err), &pg->err, ERR_NOT_FOUND,
		       "source_drop");
	ASSERT_REFUSED(db_source_hurry(&pg->c, PARTY, NOW, &pg->err), &pg->err, ERR_NOT_FOUND,
		       "source_hurry");
}

static void
a_party_and_its_source_are_stored_together(void **state)
{
	struct pg *pg = *state;
	struct db_party party = {.id = PARTY,
				 .kind = "saml",
				 .display_name = "Amt",
				 .document = bytes_of("two"),
				 .policy = "{}",
				 .enabled = true};
	struct db_source s = {.party = PARTY, .url = "", .signers = ""};
	int64_t version;

	begin(pg);
	const struct db_audit audit = {.event = "party_with_source", .ref = ref};

	ASSERT_REFUSED(db_source_save_party(&pg->c, &party, &s, &audit, NOW, &version, &pg->err),
		       &pg->err, ERR_DENIED, "some_text_is_not_empty");
	assert_string_equal(counts(pg), "one");
	assert_string_equal(copies(pg), "");
	s.url = "https://z.example/";
	ASSERT_OK(db_source_save_party(&pg->c, &party, &s, &audit, NOW, &version, &pg->err),
		  &pg->err);
	assert_int_equal(version, 2);
	assert_string_equal(counts(pg), "two");
	assert_string_equal(load(pg)->url, "https://z.example/");
	assert_false(load(pg)->held); /* it is what came from there */
	assert_string_equal(audited(pg, "party_with_source"), "1");
}

static const char *
keys(struct pg *pg)
{
	const struct db_party *p;

	ASSERT_OK(db_party_load(&pg->c, PARTY, &p, &pg->err), &pg->err);
	return p->keys.n == 0 ? "" : arena_strndup(pg->a, (const char *)p->keys.p, p->keys.n);
}

static bool
bring(struct pg *pg, const struct db_source_taken *t, const char *text)
{
	const struct db_audit audit = {.event = "client_keys", .ref = ref, .party = PARTY};

	return db_source_keys(&pg->c, t, bytes_of(text), &audit, NOW, &pg->err);
}

/* The keys of a client lie beside where they come from, and go with that. */
static void
a_clients_keys_are_kept_with_their_source(void **state)
{
	struct pg *pg = *state;
	struct db_party party = {.id = PARTY,
				 .kind = "oidc",
				 .display_name = "Amt",
				 .document = bytes_of("{}"),
				 .policy = "{}",
				 .enabled = true};
	struct db_source s = {.party = PARTY, .url = "https://amt.example/jwks", .signers = ""};
	const struct db_source_taken *t;
	int64_t version;

	begin(pg);
	pg_sql(pg, "DELETE FROM party");
	ASSERT_OK(db_source_save_party(&pg->c, &party, &s, NULL, NOW, &version, &pg->err),
		  &pg->err);
	assert_string_equal(keys(pg), "");
	t = take(pg, NOW);
	assert_string_equal(t->party.kind, "oidc");
	assert_int_equal(t->party.keys.n, 0);
	ASSERT_OK(bring(pg, t, "one"), &pg->err);
	settle(pg, t, NOW + 100, NULL, NULL, NOW);
	assert_string_equal(keys(pg), "one");
	assert_string_equal(audited(pg, "client_keys"), "1");
	/* Who was at it too long, or asked elsewhere, brings nothing. */
	ASSERT_REFUSED(bring(pg, t, "late"), &pg->err, ERR_CONFLICT, "changed meanwhile");
	t = take(pg, NOW + 100);
	assert_true(bytes_eq(t->party.keys, bytes_of("one")));
	/* The same place again: they stay.  Another: they are not its. */
	ASSERT_OK(db_source_save_party(&pg->c, &party, &s, NULL, NOW, &version, &pg->err),
		  &pg->err);
	assert_string_equal(keys(pg), "one");
	t = take(pg, NOW);
	s.url = "https://amt.example/other";
	ASSERT_OK(db_source_save_party(&pg->c, &party, &s, NULL, NOW, &version, &pg->err),
		  &pg->err);
	assert_string_equal(keys(pg), "");
	ASSERT_OK(db_source_put(&pg->c, &s, NULL, NOW, &pg->err), &pg->err);
	pg_sql(pg, "UPDATE party_source SET tries = 1");
	ASSERT_REFUSED(bring(pg, t, "of before"), &pg->err, ERR_CONFLICT, "changed meanwhile");
	s.url = NULL;
	ASSERT_OK(db_source_save_party(&pg->c, &party, &s, NULL, NOW, &version, &pg->err),
		  &pg->err);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM party_source"), "0");
}

static void
a_missed_key_makes_it_due_once_in_a_while(void **state)
{
	struct pg *pg = *state;
	bool did;

	begin(pg);
	settle(pg, take(pg, NOW), NOW + 1000, "\"e\"", NULL, NOW);
	ASSERT_OK(db_source_miss(&pg->c, PARTY, 60, NOW + 10, &did, &pg->err), &pg->err);
	assert_true(did);
	assert_int_equal(load(pg)->due, NOW + 10);
	assert_string_equal(load(pg)->etag, "\"e\"");
	ASSERT_OK(db_source_miss(&pg->c, PARTY, 60, NOW + 69, &did, &pg->err), &pg->err);
	assert_false(did);
	settle(pg, take(pg, NOW + 69), NOW + 1000, NULL, NULL, NOW + 69);
	ASSERT_OK(db_source_miss(&pg->c, PARTY, 60, NOW + 70, &did, &pg->err), &pg->err);
	assert_true(did);
	assert_int_equal(load(pg)->due, NOW + 70);
	/* One that is due already stays so. */
	ASSERT_OK(db_source_miss(&pg->c, PARTY, 60, NOW + 200, &did, &pg->err), &pg->err);
	assert_int_equal(load(pg)->due, NOW + 70);
	ASSERT_OK(db_source_miss(&pg->c, "urn:none", 60, NOW + 999, &did, &pg->err), &pg->err);
	assert_false(did);
}

static void
what_is_due_is_taken_by_one(void **state)
{
	struct pg *pg = *state;
	const struct db_source_taken *t;

	begin(pg);
	assert_null(take(pg, NOW - 1));
	t = take(pg, NOW);
	assert_string_equal(t->source.party, PARTY);
	assert_string_equal(t->source.url, "https://amt.example/md");
	assert_int_equal(t->source.tries, 1);
	assert_true(bytes_eq(t->party.document, bytes_of("one")));
	assert_string_equal(t->party.policy, "{}");
	assert_string_equal(t->party.kind, "saml");
	assert_true(bytes_eq(t->base, digest(pg, "one")));
	assert_int_equal(t->pending.n, 0);
	assert_int_equal(t->rejected.n, 0);
	assert_null(take(pg, NOW));
	assert_null(take(pg, NOW + 59));
	/* Its node is gone: another one has it when the lease is over. */
	const struct db_source_taken *u = take(pg, NOW + 60);

	assert_int_equal(u->source.tries, 2);
	settle(pg, t, NOW + 999, "\"late\"", NULL,
	       NOW + 61); /* it was not: too late all the same */
	assert_null(load(pg)->etag);
	settle(pg, u, NOW + 100, "\"e\"", "slow", NOW + 61);
	assert_string_equal(load(pg)->etag, "\"e\"");
	assert_string_equal(load(pg)->trouble, "slow");
	assert_int_equal(load(pg)->fetched, 0);
	assert_null(take(pg, NOW + 99));
	u = take(pg, NOW + 100);
	assert_int_equal(u->source.tries, 3);
	settle(pg, u, NOW + 200, "\"f\"", NULL, NOW + 101);
	assert_int_equal(load(pg)->tries, 0);
	assert_int_equal(load(pg)->fetched, NOW + 101);
	assert_null(load(pg)->trouble);
	/* In haste, as if nothing were known. */
	ASSERT_OK(db_source_hurry(&pg->c, PARTY, NOW + 110, &pg->err), &pg->err);
	u = take(pg, NOW + 110);
	assert_null(u->source.etag);
	settle(pg, u, NOW + 120, NULL, NULL, NOW + 110);
	/* In haste while a node is at it: once more. */
	pg_sql(pg, "UPDATE party_source SET due = 0, lease = 0");
	u = take(pg, NOW + 130);
	ASSERT_OK(db_source_hurry(&pg->c, PARTY, NOW + 131, &pg->err), &pg->err);
	settle(pg, u, NOW + 900, "\"g\"", NULL, NOW + 132);
	assert_int_equal(load(pg)->due, NOW + 131);
	assert_null(load(pg)->etag);
	assert_int_equal(load(pg)->tries, 0);
	/* Of a party that is switched off nobody asks. */
	ASSERT_OK(db_party_set_enabled(&pg->c, PARTY, false, NULL, NOW, &pg->err), &pg->err);
	assert_null(take(pg, NOW + 500));
}

struct racer {
	struct pg *pg;
	struct db_call c;
	size_t n;
};

static void *
race(void *arg)
{
	struct racer *r = arg;
	const struct db_source_taken *t;
	struct err err = {0};

	while (db_source_take(&r->c, 60, NOW, &t, &err) && t != NULL)
		r->n++;
	return NULL;
}

static void
two_nodes_take_each_once(void **state)
{
	struct pg *pg = *state;
	struct racer racers[4];
	pthread_t threads[4];
	struct db *other = pg_connect(pg);
	size_t n = 0, all = 40;

	pg_sql(pg, "DELETE FROM party");
	for (size_t i = 0; i < all; i++) {
		const char *id = arena_printf(pg->a, "urn:p:%zu", i);

		save(pg, id, "saml", id);
		follow(pg, id, NOW);
	}
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		racers[i] = (struct racer){pg, pg_call(pg, i % 2 == 0 ? pg->db : other), 0};
		racers[i].c.a = arena_create(8 << 20);
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(racers); i++) {
		pthread_join(threads[i], NULL);
		n += racers[i].n;
		arena_destroy(racers[i].c.a);
	}
	assert_string_equal(pg_value(pg, "SELECT max(tries) FROM party_source"), "1");
	/* Who lost a race for a row may have seen none: then some are left for the next look. */
	while (take(pg, NOW) != NULL)
		n++;
	assert_int_equal(n, all);
	db_destroy(other);
}

static void
they_are_counted(void **state)
{
	struct pg *pg = *state;
	struct db_source_counts n;

	begin(pg);
	ASSERT_OK(db_source_count(&pg->c, &n, &pg->err), &pg->err);
	assert_int_equal(n.followed, 1);
	assert_int_equal(n.failing, 0);
	assert_int_equal(n.pending, 0);
	settle(pg, take(pg, NOW), NOW + 9, NULL, "no answer", NOW);
	ASSERT_OK(hold(pg, "one", "two", "q"), &pg->err);
	ASSERT_OK(db_source_count(&pg->c, &n, &pg->err), &pg->err);
	assert_int_equal(n.failing, 1);
	assert_int_equal(n.pending, 1);
}

/* ---- copies ---- */

static void
an_import_keeps_what_was_and_holds_what_comes(void **state)
{
	struct pg *pg = *state;

	begin(pg);
	ASSERT_OK(hold(pg, "one", "evil", "q"), &pg->err);
	pg_sql(pg, "UPDATE party_source SET etag = 'e'");
	save(pg, PARTY, "saml", "one"); /* the same: nothing of it changes */
	assert_string_equal(copies(pg), "pending evil");
	assert_false(load(pg)->held);
	save(pg, PARTY, "saml", "two");
	assert_string_equal(copies(pg), "replaced one");
	assert_true(load(pg)->held);
	assert_null(load(pg)->etag);
	for (int i = 3; i < 12; i++)
		save(pg, PARTY, "saml", arena_printf(pg->a, "%d", i));
	assert_string_equal(copies(pg),
			    "replaced 10, replaced 9, replaced 8, replaced 7, replaced 6");
	/* A client's document holds its secret's hash: none is kept. */
	save(pg, "client", "oidc", "{\"a\":1}");
	save(pg, "client", "oidc", "{\"a\":2}");
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM party_copy WHERE party = 'client'"),
			    "0");
}

static void
what_waits_is_approved_as_it_was_looked_at(void **state)
{
	struct pg *pg = *state;

	begin(pg);
	ASSERT_REFUSED(hold(pg, "other", "two", "q"), &pg->err, ERR_CONFLICT, "copy_hold");
	ASSERT_OK(hold(pg, "one", "two", "q"), &pg->err);
	ASSERT_OK(hold(pg, "one", "three", "r"), &pg->err); /* takes its place */
	assert_string_equal(copies(pg), "pending three");
	assert_string_equal(audited(pg, "party_held"), "2");
	const struct db_copy *c = copy_in(pg, DB_COPY_PENDING);

	assert_true(bytes_eq(c->sha256, digest(pg, "three")));
	assert_true(bytes_eq(c->base, digest(pg, "one")));
	assert_true(bytes_eq(c->asked, digest(pg, "r")));
	assert_string_equal(c->changes, "{}");
	assert_int_equal(c->at, NOW + 1);
	const struct db_source_taken *t = take(pg, NOW);

	assert_true(bytes_eq(t->pending, digest(pg, "r")));
	assert_true(bytes_eq(t->pending_document, bytes_of("three")));
	/* Not another document, not upon another, and only once. */
	ASSERT_REFUSED(replace(pg, "one", "two", c, false, DB_HELD_NO), &pg->err, ERR_CONFLICT,
		       "copy_replace");
	ASSERT_REFUSED(replace(pg, "two", "three", c, false, DB_HELD_NO), &pg->err, ERR_CONFLICT,
		       "copy_replace");
	assert_string_equal(copies(pg), "pending three");
	assert_string_equal(counts(pg), "one");
	assert_string_equal(audited(pg, "party_refreshed"), "0");
	pg_sql(pg, "UPDATE party_source SET held = true, etag = 'e', due = 0");
	ASSERT_OK(replace(pg, "one", "three", c, false, DB_HELD_NO), &pg->err);
	assert_string_equal(counts(pg), "three");
	assert_string_equal(copies(pg), "replaced one");
	assert_string_equal(audited(pg, "party_refreshed"), "1");
	assert_string_equal(pg_value(pg, "SELECT version FROM party WHERE id = '" PARTY "'"), "2");
	assert_false(load(pg)->held);
	assert_null(load(pg)->etag);
	assert_int_equal(load(pg)->due, NOW + 2);
	ASSERT_REFUSED(replace(pg, "three", "three", c, false, DB_HELD_NO), &pg->err, ERR_CONFLICT,
		       "copy_replace");
}

static void
a_refresh_keeps_what_was_unless_it_says_the_same(void **state)
{
	struct pg *pg = *state;

	begin(pg);
	ASSERT_OK(hold(pg, "one", "evil", "q"), &pg->err);
	pg_sql(pg, "UPDATE party_source SET held = true, etag = 'e'");
	ASSERT_OK(replace(pg, "one", "one, renewed", NULL, true, DB_HELD_AS_IS), &pg->err);
	assert_string_equal(counts(pg), "one, renewed");
	assert_string_equal(copies(pg), "");
	assert_true(load(pg)->held);
	assert_string_equal(load(pg)->etag, "e");
	for (int i = 0; i < 8; i++)
		ASSERT_OK(replace(pg, i == 0 ? "one, renewed" : arena_printf(pg->a, "%d", i - 1),
				  arena_printf(pg->a, "%d", i), NULL, false, DB_HELD_AS_IS),
			  &pg->err);
	assert_string_equal(copies(pg),
			    "replaced 6, replaced 5, replaced 4, replaced 3, replaced 2");
	ASSERT_OK(replace(pg, "7", "7 renewed", NULL, true, DB_HELD_AS_IS), &pg->err);
	assert_string_equal(copies(pg),
			    "replaced 6, replaced 5, replaced 4, replaced 3, replaced 2");
}

static void
a_rollback_changes_places_and_holds_what_comes(void **state)
{
	struct pg *pg = *state;

	begin(pg);
	ASSERT_OK(replace(pg, "one", "two", NULL, false, DB_HELD_AS_IS), &pg->err);
	ASSERT_OK(replace(pg, "two", "one", copy_in(pg, DB_COPY_REPLACED), false, DB_HELD_YES),
		  &pg->err);
	assert_string_equal(counts(pg), "one");
	assert_string_equal(copies(pg), "replaced two");
	assert_true(load(pg)->held);
}

static void
what_was_rejected_is_remembered_once(void **state)
{
	struct pg *pg = *state;
	const struct db_copy *c;

	begin(pg);
	const struct db_audit audit = {.event = "party_rejected", .ref = ref};

	ASSERT_OK(hold(pg, "one", "zero", "z"), &pg->err);
	c = copy_in(pg, DB_COPY_PENDING);
	ASSERT_OK(hold(pg, "one", "two", "q"), &pg->err); /* not what was looked at */
	ASSERT_REFUSED(db_copy_reject(&pg->c, c, &audit, NOW, &pg->err), &pg->err, ERR_CONFLICT,
		       "copy_reject");
	assert_string_equal(copies(pg), "pending two");
	c = copy_in(pg, DB_COPY_PENDING);
	ASSERT_OK(db_copy_reject(&pg->c, c, &audit, NOW, &pg->err), &pg->err);
	assert_string_equal(copies(pg), "rejected two");
	ASSERT_REFUSED(db_copy_reject(&pg->c, c, &audit, NOW, &pg->err), &pg->err, ERR_CONFLICT,
		       "copy_reject");
	ASSERT_OK(hold(pg, "one", "three", "r"), &pg->err);
	assert_string_equal(copies(pg), "pending three, rejected two");
	const struct db_source_taken *t = take(pg, NOW);

	assert_true(bytes_eq(t->rejected, digest(pg, "q")));
	assert_true(bytes_eq(t->pending, digest(pg, "r")));
	ASSERT_OK(db_copy_reject(&pg->c, copy_in(pg, DB_COPY_PENDING), &audit, NOW, &pg->err),
		  &pg->err);
	assert_string_equal(copies(pg), "rejected three");
	assert_string_equal(audited(pg, "party_rejected"), "2");
	/* Upon second thoughts. */
	ASSERT_OK(replace(pg, "one", "three", copy_in(pg, DB_COPY_REJECTED), false, DB_HELD_NO),
		  &pg->err);
	assert_string_equal(copies(pg), "replaced one");
	/* All of it goes with the party. */
	ASSERT_OK(db_party_remove(&pg->c, PARTY, NULL, NOW, &pg->err), &pg->err);
	assert_string_equal(copies(pg), "");
	assert_null(load(pg));
}

#define T(f) cmocka_unit_test_setup(f, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_party_is_followed_until_it_is_not),
		T(a_party_and_its_source_are_stored_together),
		T(a_clients_keys_are_kept_with_their_source),
		T(a_missed_key_makes_it_due_once_in_a_while),
		T(what_is_due_is_taken_by_one),
		T(two_nodes_take_each_once),
		T(they_are_counted),
		T(an_import_keeps_what_was_and_holds_what_comes),
		T(what_waits_is_approved_as_it_was_looked_at),
		T(a_refresh_keeps_what_was_unless_it_says_the_same),
		T(a_rollback_changes_places_and_holds_what_comes),
		T(what_was_rejected_is_remembered_once),
	};

	return cmocka_run_group_tests(tests, pg_setup, pg_teardown);
}
