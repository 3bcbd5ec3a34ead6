/* Attributes of a subject, and the proofings that raise them. */
#include "db/attribute.h"

#include "db/proofing.h"
#include "tests/db/pg.h"

static const struct db_attribute *
load(struct pg *pg, struct subject_id subject, size_t wanted)
{
	const struct db_attribute *list;
	size_t n;

	ASSERT_OK(db_attribute_load(&pg->c, subject, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, wanted);
	return list;
}

static void
attributes_come_back_sorted_and_are_replaced_by_name(void **state)
{
	struct pg *pg = *state;
	struct subject_id subject = pg_person(pg);
	const struct db_attribute first[] = {{.name = "given_name",
					      .sealed = bytes_of("\001\002"),
					      .level = 1,
					      .source = "self"},
					     {.name = "birth_name",
					      .sealed = bytes_of("\003"),
					      .empty = true,
					      .level = 3,
					      .source = "register",
					      .verified_at = NOW - 5}};
	const struct db_attribute second[] = {
		{.name = "given_name", .sealed = bytes_of("\004"), .level = 2, .source = "mail"}};
	const struct db_audit audit = {.event = "attributes_put", .ref = "r", .subject = &subject};

	ASSERT_OK(db_attribute_put(&pg->c, subject, first, 2, NULL, NOW, &pg->err), &pg->err);
	const struct db_attribute *list = load(pg, subject, 2);

	assert_string_equal(list[0].name, "birth_name");
	assert_true(list[0].empty);
	assert_int_equal(list[0].verified_at, NOW - 5);
	assert_int_equal(list[0].proofing.n, 0);
	assert_string_equal(list[1].name, "given_name");
	assert_int_equal(list[1].verified_at, 0);
	ASSERT_OK(db_attribute_put(&pg->c, subject, second, 1, &audit, NOW, &pg->err), &pg->err);
	list = load(pg, subject, 2);
	assert_true(bytes_eq(list[1].sealed, bytes_of("\004")));
	assert_int_equal(list[1].level, 2);
	assert_string_equal(list[1].source, "mail");
	assert_int_equal(pg_audits(pg, "attributes_put"), 1);
}

static void
all_are_put_or_none(void **state)
{
	struct pg *pg = *state;
	struct subject_id subject = pg_person(pg);
	const struct db_attribute bad[] = {
		{.name = "a", .sealed = bytes_of("1"), .level = 1, .source = "self"},
		{.name = "b", .sealed = bytes_of("1"), .level = 5, .source = "self"}};

	ASSERT_REFUSED(db_attribute_put(&pg->c, subject, bad, 2, NULL, NOW, &pg->err), &pg->err,
		       ERR_DENIED, "attribute_level_check");
	load(pg, subject, 0);
	ASSERT_REFUSED(db_attribute_put(&pg->c, subject_id_create(), bad, 1, NULL, NOW, &pg->err),
		       &pg->err, ERR_NOT_FOUND, "attribute_subject_fkey");
}

static struct db_proofing
proofing_of(struct subject_id subject)
{
	return (struct db_proofing){.id = {subject.octets[0], subject.octets[1]},
				    .subject = subject,
				    .operator1 = "officer-1",
				    .operator2 = "officer-2",
				    .document_kind = "id-card",
				    .method = "in-person",
				    .evidence_hash = {7},
				    .at = NOW};
}

static void
a_proofing_raises_attributes(void **state)
{
	struct pg *pg = *state;
	struct subject_id subject = pg_person(pg);
	const struct db_proofing proofing = proofing_of(subject);
	const struct db_attribute raised = {
		.name = "family_name", .sealed = bytes_of("1"), .level = 3, .source = "proofing"};
	const struct db_audit audit = {.event = "proofed", .ref = "r", .subject = &subject};
	const struct db_proofing *list;
	size_t n;

	ASSERT_OK(db_proofing_record(&pg->c, &proofing, &raised, 1, &audit, &pg->err), &pg->err);
	const struct db_attribute *attribute = load(pg, subject, 1);

	assert_int_equal(attribute->verified_at, NOW);
	assert_memory_equal(attribute->proofing.p, proofing.id, sizeof(proofing.id));
	ASSERT_OK(db_proofing_list(&pg->c, subject, &list, &n, &pg->err), &pg->err);
	assert_int_equal(n, 1);
	assert_memory_equal(list->id, proofing.id, sizeof(proofing.id));
	assert_true(subject_id_eq(list->subject, subject));
	assert_string_equal(list->operator1, "officer-1");
	assert_string_equal(list->operator2, "officer-2");
	assert_string_equal(list->document_kind, "id-card");
	assert_string_equal(list->method, "in-person");
	assert_memory_equal(list->evidence_hash, proofing.evidence_hash, 32);
	assert_int_equal(list->at, NOW);
	assert_int_equal(pg_audits(pg, "proofed"), 1);
}

static void
one_operator_alone_proves_nothing(void **state)
{
	struct pg *pg = *state;
	struct subject_id subject = pg_person(pg);
	struct db_proofing proofing = proofing_of(subject);
	const struct db_attribute raised = {
		.name = "family_name", .sealed = bytes_of("1"), .level = 3, .source = "proofing"};

	proofing.operator2 = proofing.operator1;
	ASSERT_REFUSED(db_proofing_record(&pg->c, &proofing, &raised, 1, NULL, &pg->err), &pg->err,
		       ERR_DENIED, "proofing_two_operators");
	load(pg, subject, 0);
	proofing.operator2 = "";
	ASSERT_REFUSED(db_proofing_record(&pg->c, &proofing, &raised, 1, NULL, &pg->err), &pg->err,
		       ERR_DENIED, "proofing_operator2_check");
	proofing = proofing_of(subject_id_create());
	ASSERT_REFUSED(db_proofing_record(&pg->c, &proofing, &raised, 1, NULL, &pg->err), &pg->err,
		       ERR_NOT_FOUND, "proofing_subject_fkey");
}

#define T(test) cmocka_unit_test_setup(test, pg_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(attributes_come_back_sorted_and_are_replaced_by_name),
		T(all_are_put_or_none),
		T(a_proofing_raises_attributes),
		T(one_operator_alone_proves_nothing),
	};

	return cmocka_run_group_tests_name("attribute", tests, pg_setup, pg_teardown);
}
