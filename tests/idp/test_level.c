/* Levels: words, limits of TR-03160-1 table 2, arithmetic of 2.3, 2.5, 4.1, 4.3. */
#include "idp/level.h"
#include "tests/test.h"

static void
every_spelling_names_its_level(void **state UNUSED)
{
	static const struct {
		const char *word;
		enum level level;
	} cases[] = {
		{"STORK-QAA-Level-1", LEVEL_BASIC},
		{"STORK-QAA-Level-2", LEVEL_LOW},
		{"STORK-QAA-Level-3", LEVEL_SUBSTANTIAL},
		{"STORK-QAA-Level-4", LEVEL_HIGH},
		{"http://eidas.europa.eu/LoA/low", LEVEL_LOW},
		{"http://eidas.europa.eu/LoA/substantial", LEVEL_SUBSTANTIAL},
		{"http://eidas.europa.eu/LoA/high", LEVEL_HIGH},
		{"http://bsi.bund.de/eID/LoA/undefined", LEVEL_BASIC},
		{"http://bsi.bund.de/eID/LoA/normal", LEVEL_LOW},
		{"http://bsi.bund.de/eID/LoA/substantiell", LEVEL_SUBSTANTIAL},
		{"http://bsi.bund.de/eID/LoA/hoch", LEVEL_HIGH},
		{"basic", LEVEL_BASIC},
		{"low", LEVEL_LOW},
		{"substantial", LEVEL_SUBSTANTIAL},
		{"high", LEVEL_HIGH},
		{"SUBSTANTIELL", LEVEL_SUBSTANTIAL},
		{"substanziell", LEVEL_SUBSTANTIAL},
		{"hoch", LEVEL_HIGH},
		{"STORK-QAA-Level-5", LEVEL_NONE},
		{"stork-qaa-level-1", LEVEL_NONE},
		{"", LEVEL_NONE},
		{NULL, LEVEL_NONE},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(level_from_word(cases[i].word), cases[i].level);
}

static void
what_we_answer_is_what_we_read(void **state UNUSED)
{
	for (int v = 0; v < LEVEL_VOCAB_COUNT; v++) {
		enum level_vocabulary back = LEVEL_VOCAB_COUNT;
		const char *name = level_vocabulary_name((enum level_vocabulary)v);

		assert_true(level_vocabulary_from_name(name, &back));
		assert_int_equal(back, v);
		for (int l = LEVEL_NONE; l <= LEVEL_HIGH; l++) {
			const char *w = level_word((enum level)l, (enum level_vocabulary)v);

			if (w != NULL)
				assert_int_equal(level_from_word(w), l);
		}
	}
	assert_null(level_word(LEVEL_BASIC, LEVEL_VOCAB_EIDAS));
	assert_null(level_word(LEVEL_NONE, LEVEL_VOCAB_STORK));
	assert_null(level_word(LEVEL_HIGH + 1, LEVEL_VOCAB_STORK));
	assert_null(level_word(LEVEL_LOW, LEVEL_VOCAB_COUNT));
	assert_string_equal(level_trust_word(LEVEL_BASIC), "UNTERGEORDNET");
	assert_string_equal(level_trust_word(LEVEL_HIGH), "HOCH");
	assert_null(level_trust_word(LEVEL_NONE));
}

/* TR-03160-1 table 2, at the second and one past it. */
static void
a_session_steps_down_at_the_limits_of_table_2(void **state UNUSED)
{
	static const struct {
		enum level proof;
		int64_t age_s, idle_s;
		enum level left;
	} cases[] = {
		{LEVEL_HIGH, 0, 0, LEVEL_HIGH},
		{LEVEL_HIGH, 1800, 300, LEVEL_HIGH},
		{LEVEL_HIGH, 1801, 300, LEVEL_SUBSTANTIAL},
		{LEVEL_HIGH, 1800, 301, LEVEL_SUBSTANTIAL},
		{LEVEL_SUBSTANTIAL, 7200, 1800, LEVEL_SUBSTANTIAL},
		{LEVEL_SUBSTANTIAL, 7201, 1800, LEVEL_LOW},
		{LEVEL_SUBSTANTIAL, 7200, 1801, LEVEL_LOW},
		{LEVEL_HIGH, 7201, 0, LEVEL_LOW},
		{LEVEL_LOW, 43200, 3600, LEVEL_LOW},
		{LEVEL_LOW, 43201, 0, LEVEL_NONE},
		{LEVEL_LOW, 43200, 3601, LEVEL_NONE},
		{LEVEL_BASIC, 43200, 3600, LEVEL_BASIC},
		{LEVEL_BASIC, 43201, 3600, LEVEL_NONE},
		{LEVEL_NONE, 0, 0, LEVEL_NONE},
	};
	time_t now = 1800000000;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct level_proof p = {cases[i].proof, now - cases[i].age_s};

		assert_int_equal(level_of_session(&p, 1, now - cases[i].idle_s, now),
				 cases[i].left);
	}
}

static void
several_proofs_each_have_their_own_clock(void **state UNUSED)
{
	time_t now = 1800000000;
	struct level_proof p[] = {{LEVEL_LOW, now - 40000}, {LEVEL_SUBSTANTIAL, now - 7000}};

	assert_int_equal(level_of_session(p, 2, now, now), LEVEL_SUBSTANTIAL);
	assert_int_equal(level_of_session(p, 2, now + 500, now + 500), LEVEL_LOW);
	assert_int_equal(level_of_session(p, 0, now, now), LEVEL_NONE);
}

static void
a_proof_from_the_future_is_not_stretched(void **state UNUSED)
{
	struct level_proof p = {LEVEL_LOW, 1800000100};

	assert_int_equal(level_of_session(&p, 1, 1800000100, 1800000000), LEVEL_LOW);
}

static void
the_account_maximum_is_the_best_means(void **state UNUSED)
{
	const enum level password[] = {LEVEL_LOW}, both[] = {LEVEL_LOW, LEVEL_SUBSTANTIAL};
	const enum level basic[] = {LEVEL_BASIC};

	assert_int_equal(level_account_max(NULL, 0), LEVEL_NONE);
	assert_int_equal(level_account_max(password, 1), LEVEL_LOW);
	assert_int_equal(level_account_max(basic, 1),
			 LEVEL_LOW); /* TR-03160-1 2.3: at least niedrig */
	assert_int_equal(level_account_max(both, 2), LEVEL_SUBSTANTIAL);
}

static void
a_means_is_registered_at_its_level_or_at_the_accounts_best(void **state UNUSED)
{
	/* TR-03160-1 4.1: authenticated at the target level, or at the maximum if that is lower. */
	assert_true(level_may_register(LEVEL_SUBSTANTIAL, LEVEL_LOW, LEVEL_LOW));
	assert_true(level_may_register(LEVEL_SUBSTANTIAL, LEVEL_SUBSTANTIAL, LEVEL_HIGH));
	assert_true(level_may_register(LEVEL_HIGH, LEVEL_SUBSTANTIAL, LEVEL_SUBSTANTIAL));
	assert_false(level_may_register(LEVEL_SUBSTANTIAL, LEVEL_LOW, LEVEL_SUBSTANTIAL));
	assert_false(level_may_register(LEVEL_HIGH, LEVEL_LOW, LEVEL_SUBSTANTIAL));
	assert_false(level_may_register(LEVEL_LOW, LEVEL_NONE, LEVEL_NONE));
	assert_false(level_may_register(LEVEL_NONE, LEVEL_LOW, LEVEL_LOW));
}

static void
a_released_level_is_the_least_of_three(void **state UNUSED)
{
	for (int x = 0; x <= LEVEL_HIGH; x++)
		for (int y = 0; y <= LEVEL_HIGH; y++)
			for (int z = 0; z <= LEVEL_HIGH; z++) {
				int r = (int)level_released((enum level)x, (enum level)y,
							    (enum level)z);

				assert_true(r <= x && r <= y && r <= z);
				assert_true(r == x || r == y || r == z);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_names_its_level),
		cmocka_unit_test(what_we_answer_is_what_we_read),
		cmocka_unit_test(a_session_steps_down_at_the_limits_of_table_2),
		cmocka_unit_test(several_proofs_each_have_their_own_clock),
		cmocka_unit_test(a_proof_from_the_future_is_not_stretched),
		cmocka_unit_test(the_account_maximum_is_the_best_means),
		cmocka_unit_test(a_means_is_registered_at_its_level_or_at_the_accounts_best),
		cmocka_unit_test(a_released_level_is_the_least_of_three),
	};

	return cmocka_run_group_tests_name("level", tests, NULL, NULL);
}
