/* Words for levels: what a request's mean, and by which one we answer. */
#include "idp/acr.h"
#include "tests/test.h"

#define CLASSES "urn:oasis:names:tc:SAML:2.0:ac:classes:"
#define EIDAS   "http://eidas.europa.eu/LoA/"

static const struct level_word own[] = {
	{"https://sp.example/zwei", LEVEL_SUBSTANTIAL},
	{"STORK-QAA-Level-1", LEVEL_LOW}, /* as SH-ID has it */
};
static const struct policy plain = {.vocabulary = LEVEL_VOCAB_STORK};
static const struct policy special = {
	.vocabulary = LEVEL_VOCAB_EIDAS, .level_words = own, .n_level_words = ARRAY_LEN(own)};

static void
words_mean_what_the_record_says_then_the_tables(void **state UNUSED)
{
	static const struct {
		const struct policy *policy;
		const char *word;
		level_set set;
	} cases[] = {
		{&plain, "STORK-QAA-Level-1", 1 << LEVEL_BASIC},
		{&special, "STORK-QAA-Level-1", 1 << LEVEL_LOW},
		{&special, "STORK-QAA-Level-3", 1 << LEVEL_SUBSTANTIAL},
		{&plain, "https://sp.example/zwei", 0},
		{&special, "https://sp.example/zwei", 1 << LEVEL_SUBSTANTIAL},
		{&plain, EIDAS "high", 1 << LEVEL_HIGH},
		{&plain, CLASSES "unspecified", 1 << LEVEL_BASIC},
		{&plain, CLASSES "PasswordProtectedTransport", 1 << LEVEL_LOW},
		{&plain, CLASSES "TimeSyncToken", 1 << LEVEL_SUBSTANTIAL},
		{&plain, CLASSES "SmartcardPKI", 1 << LEVEL_HIGH},
		{&plain, "https://refeds.org/profile/mfa", 1 << LEVEL_SUBSTANTIAL},
		{&plain, "stork-qaa-level-3", 0},
		{&plain, EIDAS "high/", 0},
		{&plain, "", 0},
	};
	const char *both[] = {"STORK-QAA-Level-4", "x", EIDAS "low"};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(acr_levels(cases[i].policy, (struct acr_words){&cases[i].word, 1}),
				 cases[i].set);
	assert_int_equal(acr_levels(&plain, (struct acr_words){both, 3}),
			 1 << LEVEL_HIGH | 1 << LEVEL_LOW);
	assert_int_equal(acr_levels(&plain, (struct acr_words){0}), 0);
}

static void
what_was_achieved_is_named_as_it_was_asked(void **state UNUSED)
{
	static const struct {
		const struct policy *policy;
		const char *asked[2];
		size_t n;
		enum level told;
		const char *word;
	} cases[] = {
		/* the very word, also where others mean the same */
		{&plain, {CLASSES "Password"}, 1, LEVEL_LOW, CLASSES "Password"},
		{&plain, {EIDAS "low", "NORMAL"}, 2, LEVEL_LOW, EIDAS "low"},
		{&plain, {"NORMAL", EIDAS "low"}, 2, LEVEL_LOW, "NORMAL"},
		{&special,
		 {"https://sp.example/zwei"},
		 1,
		 LEVEL_SUBSTANTIAL,
		 "https://sp.example/zwei"},
		/* another level, in the vocabulary asked in */
		{&plain, {EIDAS "low"}, 1, LEVEL_HIGH, EIDAS "high"},
		{&special, {"STORK-QAA-Level-3"}, 1, LEVEL_HIGH, "STORK-QAA-Level-4"},
		{&plain, {"urn:x", "substantial"}, 2, LEVEL_HIGH, "high"},
		/* in no vocabulary of ours, or nothing asked: the party's own */
		{&plain, {CLASSES "Password"}, 1, LEVEL_SUBSTANTIAL, "STORK-QAA-Level-3"},
		{&special, {CLASSES "Password"}, 1, LEVEL_SUBSTANTIAL, "https://sp.example/zwei"},
		{&plain, {0}, 0, LEVEL_BASIC, "STORK-QAA-Level-1"},
		{&special, {0}, 0, LEVEL_LOW, "STORK-QAA-Level-1"},
		{&special, {0}, 0, LEVEL_HIGH, EIDAS "high"},
		/* never unspecified; and no word is no word */
		{&plain, {CLASSES "unspecified"}, 1, LEVEL_BASIC, "STORK-QAA-Level-1"},
		{&special, {CLASSES "unspecified"}, 1, LEVEL_BASIC, NULL},
		{&special, {EIDAS "low"}, 1, LEVEL_BASIC, NULL},
		{&plain, {0}, 0, LEVEL_NONE, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *word =
			acr_told(cases[i].policy, (struct acr_words){cases[i].asked, cases[i].n},
				 cases[i].told);

		if (cases[i].word == NULL)
			assert_null(word);
		else
			assert_string_equal(word, cases[i].word);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_mean_what_the_record_says_then_the_tables),
		cmocka_unit_test(what_was_achieved_is_named_as_it_was_asked),
	};

	return cmocka_run_group_tests_name("acr", tests, NULL, NULL);
}
