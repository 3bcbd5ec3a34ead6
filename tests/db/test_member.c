/* The register of members and what is published of it: by two persons, in order, once. */
#include "db/member.h"

#include <pthread.h>

#include "base/hash.h"
#include "db/publication.h"
#include "tests/db/pg.h"

#define ONE "https://one.example/md"
#define TWO "https://two.example/md"

static const struct db_audit audit = {.event = "member_changed", .ref = "r"};

/* Nobody is in the register. */
static int
setup(void **state)
{
	struct pg *pg = *state;

	if (pg_fresh(state) != 0)
		return -1;
	pg_sql(pg, "TRUNCATE member, member_document, member_change, publication,"
		   " publication_member");
	return 0;
}

static struct bytes
digest(struct pg *pg, const char *text)
{
	unsigned char *out = arena_alloc(pg->a, SHA256_BYTES);

	hash_sha256(bytes_of(text), out);
	return (struct bytes){out, SHA256_BYTES};
}

static void
bring(struct pg *pg, const char *entity_id, const char *text, const char *by)
{
	const struct db_member_document d = {
		.entity_id = entity_id, .document = bytes_of(text), .brought_by = by};

	ASSERT_OK(db_member_bring(&pg->c, &d, &audit, NOW, &pg->err), &pg->err);
}

static bool
approve(struct pg *pg, const char *entity_id, const char *text, const char *by)
{
	return db_member_approve(&pg->c, entity_id, digest(pg, text), 0, by, &audit, NOW + 1,
				 &pg->err);
}

static void
add(struct pg *pg, const char *entity_id, const char *text)
{
	bring(pg, entity_id, text, "one");
	ASSERT_OK(approve(pg, entity_id, text, "two"), &pg->err);
}

/* "ONE:text", ... of what is to be published. */
static const char *
published(struct pg *pg)
{
	const struct db_published *list;
	const char *out = "";
	size_t n;

	ASSERT_OK(db_publication_members(&pg->c, &list, &n, &pg->err), &pg->err);
	for (size_t i = 0; i < n; i++)
		out = arena_printf(pg->a, "%s%s=%.*s ", out, list[i].entity_id,
				   (int)list[i].document.n, (const char *)list[i].document.p);
	return out;
}

/* "added ONE", ... */
static const char *
changes(struct pg *pg, int64_t since)
{
	const struct db_member_change *list;
	const char *out = "";
	size_t n;

	ASSERT_OK(db_member_changes(&pg->c, since, 100, &list, &n, &pg->err), &pg->err);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(list[i].seq, since + 1 + (int64_t)i);
		out = arena_printf(pg->a, "%s%s %s, ", out, list[i].what, list[i].entity_id);
	}
	return out;
}

static const struct db_member *
member(struct pg *pg, const char *entity_id)
{
	const struct db_member *list;
	size_t n;

	ASSERT_OK(db_member_list(&pg->c, entity_id, &list, &n, &pg->err), &pg->err);
	assert_in_range(n, 0, 1);
	return n == 0 ? NULL : list;
}

static void
two_persons_stand_behind_what_counts(void **state)
{
	struct pg *pg = *state;

	int before = pg_audits(pg, audit.event);

	bring(pg, ONE, "a", "one");
	assert_string_equal(published(pg), "");
	ASSERT_REFUSED(approve(pg, ONE, "a", "one"), &pg->err, ERR_CONFLICT, "has brought it");
	ASSERT_REFUSED(approve(pg, ONE, "b", "two"), &pg->err, ERR_CONFLICT, "does not wait");
	ASSERT_REFUSED(approve(pg, TWO, "a", "two"), &pg->err, ERR_CONFLICT, "does not wait");
	assert_string_equal(changes(pg, 0), "");
	ASSERT_OK(approve(pg, ONE, "a", "two"), &pg->err);
	assert_string_equal(published(pg), ONE "=a ");
	assert_string_equal(changes(pg, 0), "added " ONE ", ");
	ASSERT_REFUSED(approve(pg, ONE, "a", "two"), &pg->err, ERR_CONFLICT, "does not wait");
	assert_int_equal(pg_audits(pg, audit.event), before + 2);
}

static void
what_waits_is_replaced_and_may_be_refused(void **state)
{
	struct pg *pg = *state;
	const struct db_member *m;
	const struct db_member_document *d;
	size_t n;

	add(pg, ONE, "a");
	bring(pg, ONE, "b", "one");
	bring(pg, ONE, "c", "two"); /* in its place */
	ASSERT_REFUSED(approve(pg, ONE, "b", "three"), &pg->err, ERR_CONFLICT, "does not wait");
	m = member(pg, ONE);
	assert_true(bytes_eq(m->counts->sha256, digest(pg, "a")));
	assert_string_equal(m->counts->brought_by, "one");
	assert_string_equal(m->counts->decided_by, "two");
	assert_true(bytes_eq(m->waiting->sha256, digest(pg, "c")));
	assert_string_equal(m->waiting->brought_by, "two");
	assert_null(m->waiting->decided_by);
	ASSERT_REFUSED(db_member_reject(&pg->c, ONE, digest(pg, "b"), "two", &audit, NOW, &pg->err),
		       &pg->err, ERR_CONFLICT, "does not wait");
	ASSERT_OK(db_member_reject(&pg->c, ONE, digest(pg, "c"), "two", &audit, NOW, &pg->err),
		  &pg->err);
	assert_null(member(pg, ONE)->waiting);
	assert_string_equal(published(pg), ONE "=a ");
	ASSERT_OK(db_member_documents(&pg->c, ONE, &d, &n, &pg->err), &pg->err);
	assert_int_equal(n, 2);
	assert_int_equal(d[0].state, DB_MEMBER_REJECTED);
	assert_int_equal(d[1].state, DB_MEMBER_APPROVED);
	assert_true(bytes_eq(d[1].document, bytes_of("a")));
	add(pg, ONE, "d");
	assert_string_equal(changes(pg, 1), "changed " ONE ", ");
}

static bool
suspend(struct pg *pg, const char *entity_id, const char *by)
{
	return db_member_suspend(&pg->c, entity_id, by, "stolen key", &audit, NOW + 2, &pg->err);
}

static void
who_is_suspended_is_left_out_until_another_person_says_so(void **state)
{
	struct pg *pg = *state;

	add(pg, ONE, "a");
	add(pg, TWO, "b");
	ASSERT_REFUSED(db_member_resume(&pg->c, ONE, "two", &audit, NOW, &pg->err), &pg->err,
		       ERR_CONFLICT, "no such member");
	ASSERT_REFUSED(db_member_remove(&pg->c, ONE, "two", &audit, NOW, &pg->err), &pg->err,
		       ERR_CONFLICT, "no such member");
	ASSERT_OK(suspend(pg, ONE, "one"), &pg->err);
	ASSERT_REFUSED(suspend(pg, ONE, "two"), &pg->err, ERR_CONFLICT, "not suspended");
	ASSERT_REFUSED(suspend(pg, "urn:x", "two"), &pg->err, ERR_CONFLICT, "not suspended");
	assert_string_equal(published(pg), TWO "=b ");
	assert_string_equal(member(pg, ONE)->suspended_why, "stolen key");
	add(pg, ONE, "c"); /* what it brings meanwhile does not count */
	assert_string_equal(published(pg), TWO "=b ");
	ASSERT_REFUSED(db_member_resume(&pg->c, ONE, "one", &audit, NOW, &pg->err), &pg->err,
		       ERR_CONFLICT, "another person");
	ASSERT_OK(db_member_resume(&pg->c, ONE, "two", &audit, NOW, &pg->err), &pg->err);
	assert_string_equal(published(pg), ONE "=c " TWO "=b ");
	ASSERT_OK(suspend(pg, TWO, "two"), &pg->err);
	ASSERT_REFUSED(db_member_remove(&pg->c, TWO, "two", &audit, NOW, &pg->err), &pg->err,
		       ERR_CONFLICT, "another person");
	ASSERT_OK(db_member_remove(&pg->c, TWO, "one", &audit, NOW, &pg->err), &pg->err);
	assert_null(member(pg, TWO));
	assert_string_equal(changes(pg, 2), "suspended " ONE ", changed " ONE ", resumed " ONE
					    ", suspended " TWO ", removed " TWO ", ");
}

/* ---- publications ---- */

/* Of everything as it is, over `base`. */
static bool
publish(struct pg *pg, int64_t base)
{
	const struct db_published *list;
	struct db_publication p, last;
	struct db_published *signed_;
	unsigned char *sha1;
	size_t n;

	ASSERT_OK(db_publication_last(&pg->c, &last, &p.change, &pg->err), &pg->err);
	ASSERT_OK(db_publication_members(&pg->c, &list, &n, &pg->err), &pg->err);
	signed_ = ARENA_ARRAY(pg->a, struct db_published, n + 1);
	for (size_t i = 0; i < n; i++) {
		sha1 = arena_alloc(pg->a, SHA1_BYTES);
		hash_sha1(bytes_of(list[i].entity_id), sha1);
		signed_[i] = list[i];
		signed_[i].sha1 = (struct bytes){sha1, SHA1_BYTES};
		signed_[i].sha256 = digest(pg, "signed");
	}
	p.at = NOW + 3;
	p.valid_until = NOW + 1000;
	p.sha256 = digest(pg, "all");
	return db_publication_add(&pg->c, &p, base, bytes_of(n == 0 ? "" : "all"), signed_, n,
				  &audit, NOW, &pg->err);
}

static struct db_publication
last(struct pg *pg, int64_t *change)
{
	struct db_publication p;

	ASSERT_OK(db_publication_last(&pg->c, &p, change, &pg->err), &pg->err);
	return p;
}

static struct db_publication_found
find(struct pg *pg, const char *entity_id)
{
	unsigned char *sha1 = arena_alloc(pg->a, SHA1_BYTES);
	struct db_publication_found f;

	hash_sha1(bytes_of(entity_id), sha1);
	ASSERT_OK(db_publication_find(&pg->c, (struct bytes){sha1, SHA1_BYTES}, &f, &pg->err),
		  &pg->err);
	return f;
}

static void
each_publication_comes_after_the_one_before(void **state)
{
	struct pg *pg = *state;
	struct db_publication p;
	struct bytes document;
	int64_t change;

	assert_int_equal(last(pg, &change).seq, 0);
	assert_int_equal(change, 0);
	ASSERT_OK(db_publication_document(&pg->c, &document, &pg->err), &pg->err);
	assert_int_equal(document.n, 0);
	add(pg, ONE, "a");
	ASSERT_OK(publish(pg, 0), &pg->err);
	ASSERT_REFUSED(publish(pg, 0), &pg->err, ERR_CONFLICT, "");
	p = last(pg, &change);
	assert_int_equal(p.change, 1);
	assert_int_equal(change, 1);
	assert_int_equal(p.members, 1);
	assert_int_equal(p.at, NOW + 3);
	assert_int_equal(p.valid_until, NOW + 1000);
	add(pg, TWO, "b");
	assert_int_equal(last(pg, &change).change, 1);
	assert_int_equal(change, 2);
	ASSERT_OK(publish(pg, p.seq), &pg->err);
	assert_int_equal(last(pg, &change).members, 2);
	ASSERT_OK(db_publication_document(&pg->c, &document, &pg->err), &pg->err);
	assert_true(bytes_eq(document, bytes_of("all")));
}

static void
the_last_few_are_kept(void **state)
{
	struct pg *pg = *state;
	const struct db_publication *list;
	int64_t change;
	size_t n;

	add(pg, ONE, "a");
	for (int i = 0; i < DB_PUBLICATIONS_KEPT + 3; i++)
		ASSERT_OK(publish(pg, last(pg, &change).seq), &pg->err);
	ASSERT_OK(db_publication_list(&pg->c, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, DB_PUBLICATIONS_KEPT);
	assert_int_equal(list[0].seq, last(pg, &change).seq);
	assert_string_equal(pg_value(pg, "SELECT count(*) FROM publication_member"),
			    arena_printf(pg->a, "%d", DB_PUBLICATIONS_KEPT));
}

static void
a_member_is_found_by_its_name_until_it_is_suspended(void **state)
{
	struct pg *pg = *state;
	struct db_publication_found f;

	add(pg, ONE, "a");
	assert_int_equal(find(pg, ONE).sha256.n, 0); /* not published yet */
	ASSERT_OK(publish(pg, 0), &pg->err);
	f = find(pg, ONE);
	assert_true(bytes_eq(f.document, bytes_of("a")));
	assert_true(bytes_eq(f.sha256, digest(pg, "signed")));
	assert_int_equal(f.at, NOW + 3);
	assert_int_equal(f.valid_until, NOW + 1000);
	assert_int_equal(find(pg, TWO).sha256.n, 0);
	ASSERT_OK(suspend(pg, ONE, "one"), &pg->err);
	assert_int_equal(find(pg, ONE).sha256.n, 0); /* at once, in what was published before */
	ASSERT_OK(db_member_remove(&pg->c, ONE, "two", &audit, NOW, &pg->err), &pg->err);
	assert_int_equal(find(pg, ONE).sha256.n, 0);
}

static void
nobody_left_is_published_as_such(void **state)
{
	struct pg *pg = *state;
	struct bytes document;
	int64_t change;

	add(pg, ONE, "a");
	ASSERT_OK(publish(pg, 0), &pg->err);
	ASSERT_OK(suspend(pg, ONE, "one"), &pg->err);
	ASSERT_OK(publish(pg, last(pg, &change).seq), &pg->err);
	assert_int_equal(last(pg, &change).members, 0);
	ASSERT_OK(db_publication_document(&pg->c, &document, &pg->err), &pg->err);
	assert_int_equal(document.n, 0);
}

static void
what_was_published_then_counts_again(void **state)
{
	struct pg *pg = *state;
	const char *three = "https://three.example/md";
	int64_t change, first;

	add(pg, ONE, "a");
	add(pg, TWO, "b");
	ASSERT_OK(publish(pg, 0), &pg->err);
	first = last(pg, &change).seq;
	add(pg, ONE, "a2");
	add(pg, three, "c");
	add(pg, TWO, "b2");
	ASSERT_OK(suspend(pg, TWO, "one"), &pg->err);
	ASSERT_OK(publish(pg, first), &pg->err);
	change = last(pg, &change).change;
	ASSERT_OK(db_publication_roll_back(&pg->c, first, &audit, NOW, &pg->err), &pg->err);
	assert_string_equal(published(pg), ONE "=a ");
	assert_string_equal(changes(pg, change),
			    "changed " ONE ", removed https://three.example/md, ");
	/* Of who is suspended nothing is taken back. */
	assert_true(bytes_eq(member(pg, TWO)->counts->sha256, digest(pg, "b2")));
	ASSERT_REFUSED(db_publication_roll_back(&pg->c, first + 100, &audit, NOW, &pg->err),
		       &pg->err, ERR_NOT_FOUND, "");
	assert_string_equal(changes(pg, change + 2), "");
}

/* Who was removed and is registered anew stays as it is: its documents of then are gone. */
static void
who_is_new_or_back_is_told_as_such(void **state)
{
	struct pg *pg = *state;
	int64_t change, first, second;

	add(pg, ONE, "a");
	add(pg, TWO, "b");
	ASSERT_OK(publish(pg, 0), &pg->err);
	first = last(pg, &change).seq;
	ASSERT_OK(suspend(pg, ONE, "one"), &pg->err);
	ASSERT_OK(db_member_remove(&pg->c, ONE, "two", &audit, NOW, &pg->err), &pg->err);
	ASSERT_OK(publish(pg, first), &pg->err);
	second = last(pg, &change).seq;
	add(pg, ONE, "anew");
	change = last(pg, &change).change + 1; /* added */
	ASSERT_OK(db_publication_roll_back(&pg->c, first, &audit, NOW, &pg->err), &pg->err);
	assert_string_equal(published(pg), ONE "=anew " TWO "=b ");
	assert_string_equal(changes(pg, change), "");
	ASSERT_OK(db_publication_roll_back(&pg->c, second, &audit, NOW, &pg->err), &pg->err);
	assert_string_equal(published(pg), TWO "=b ");
	assert_string_equal(changes(pg, change), "removed " ONE ", ");
	add(pg, TWO, "b2");
	ASSERT_OK(publish(pg, second), &pg->err);
	change += 2;
	add(pg, "https://three.example/md", "c");
	ASSERT_OK(publish(pg, last(pg, &(int64_t){0}).seq), &pg->err);
	ASSERT_OK(db_publication_roll_back(&pg->c, second, &audit, NOW, &pg->err), &pg->err);
	ASSERT_OK(db_publication_roll_back(&pg->c, second + 2, &audit, NOW, &pg->err), &pg->err);
	assert_string_equal(changes(pg, change + 3),
			    "added https://three.example/md, changed " TWO ", ");
}

/* The digest is of the document alone: it may have been brought anew for longer. */
static void
until_when_is_approved_too(void **state)
{
	struct pg *pg = *state;
	struct db_member_document d = {.entity_id = ONE,
				       .document = bytes_of("a"),
				       .valid_until = NOW + 100,
				       .brought_by = "one"};

	ASSERT_OK(db_member_bring(&pg->c, &d, &audit, NOW, &pg->err), &pg->err);
	d.valid_until = 0;
	ASSERT_OK(db_member_bring(&pg->c, &d, &audit, NOW, &pg->err), &pg->err);
	ASSERT_REFUSED(db_member_approve(&pg->c, ONE, digest(pg, "a"), NOW + 100, "two", &audit,
					 NOW, &pg->err),
		       &pg->err, ERR_CONFLICT, "not until then");
	ASSERT_OK(approve(pg, ONE, "a", "two"), &pg->err);
}

/* ---- at the same time ---- */

#define THREADS 4
#define ROUNDS  10

struct racer {
	struct pg *pg;
	pthread_t thread;
	int number, done;
};

static void *
race(void *p)
{
	struct racer *r = p;
	struct arena *a = arena_create(64 << 20);
	struct db_call c = {r->pg->c.db, a, r->pg->c.deadline_us};
	struct err err = {0};

	for (int i = 0; i < ROUNDS; i++) {
		const char *id = arena_printf(a, "urn:%d:%d", r->number, i);
		const struct db_member_document d = {
			.entity_id = id, .document = bytes_of("x"), .brought_by = "one"};
		unsigned char sha256[SHA256_BYTES];

		hash_sha256(bytes_of("x"), sha256);
		r->done += db_member_bring(&c, &d, NULL, NOW, &err) &&
			   db_member_approve(&c, id, (struct bytes){sha256, SHA256_BYTES}, 0, "two",
					     NULL, NOW, &err);
	}
	arena_destroy(a);
	return NULL;
}

/* Who follows asks for what came after a number: nothing may come before it later. */
static void
changes_are_numbered_without_a_gap(void **state)
{
	struct racer r[THREADS];
	struct pg *pg = *state;

	for (int i = 0; i < THREADS; i++) {
		r[i] = (struct racer){.pg = pg, .number = i};
		assert_int_equal(pthread_create(&r[i].thread, NULL, race, &r[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(r[i].thread, NULL);
		assert_int_equal(r[i].done, ROUNDS);
	}
	assert_string_equal(pg_value(pg, "SELECT count(*) || ' ' || min(seq) || ' ' || max(seq)"
					 " FROM member_change"),
			    "40 1 40");
}

#define T(test) cmocka_unit_test_setup(test, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(two_persons_stand_behind_what_counts),
		T(what_waits_is_replaced_and_may_be_refused),
		T(who_is_suspended_is_left_out_until_another_person_says_so),
		T(each_publication_comes_after_the_one_before),
		T(the_last_few_are_kept),
		T(a_member_is_found_by_its_name_until_it_is_suspended),
		T(nobody_left_is_published_as_such),
		T(what_was_published_then_counts_again),
		T(who_is_new_or_back_is_told_as_such),
		T(until_when_is_approved_too),
		T(changes_are_numbered_without_a_gap),
	};

	return cmocka_run_group_tests_name("member", tests, pg_setup, pg_teardown);
}
