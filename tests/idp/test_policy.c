/* Party policies: every key reads its words and nothing else. */
#include "idp/policy.h"
#include "tests/arena.h"

static void
an_empty_policy_is_the_careful_default(void **state UNUSED)
{
	struct policy p;
	struct err err = {0};

	ASSERT_OK(policy_parse(a, "{}", &p, &err), &err);
	assert_int_equal(p.level, LEVEL_NONE);
	assert_int_equal(p.level_cap, LEVEL_HIGH);
	assert_int_equal(p.attributes.n, 0);
	assert_int_equal(p.suite, SIG_NONE);
	assert_int_equal(p.old_until, 0);
	assert_int_equal(p.content, 0);
	assert_int_equal(p.transport, 0);
	assert_string_equal(p.sso_group, "portalverbund");
	assert_false(p.accept_unsigned);
	assert_false(p.ecp);
	assert_false(p.query);
	assert_int_equal(p.encrypt, ENCRYPT_AUTO);
	assert_int_equal(p.consent, CONSENT_CHANGED);
}

static void
what_the_command_line_sets_is_read_back(void **state UNUSED)
{
	static const char *const set[][2] = {
		{"level", "substanziell"},
		{"level-cap", "low"},
		{"attribute", "family_name:required"},
		{"attribute", "email"},
		{"sector", "amt24"},
		{"suite", "rs256"},
		{"old-until", "2027-05-31"},
		{"content", "aes256-gcm"},
		{"key-transport", "rsa-oaep-mgf1p"},
		{"vocabulary", "eidas"},
		{"level-word", "https://sp.example/?a=zwei=niedrig"},
		{"sso-group", "never"},
		{"consent", "always"},
		{"encrypt", "always"},
		{"nameid", "persistent"},
		{"nameid", "email"},
		{"create", "always"},
		{"akdb", "required"},
		{"attribute-names", "ekona"},
		{"subject-id", "yes"},
		{"accept-unsigned", "yes"},
		{"unsolicited", "yes"},
		{"attribute-query", "yes"},
		{"ecp", "yes"},
		{"address", "yes"},
		{"level-attributes", "yes"},
		{"purpose-de", "Antrag"},
		{"purpose-en", "Application"},
		{"home", "https://amt24.example/"},
	};
	json_t *o = json_new_object(a);
	struct policy p;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(set); i++)
		ASSERT_OK(policy_put(a, o, set[i][0], set[i][1], &err), &err);
	ASSERT_OK(policy_parse(a, json_text(a, o, false), &p, &err), &err);
	assert_int_equal(p.level, LEVEL_SUBSTANTIAL);
	assert_int_equal(p.level_cap, LEVEL_LOW);
	assert_int_equal(p.attributes.n, 2);
	assert_true(p.attributes.p[0].required);
	assert_false(p.attributes.p[1].required);
	assert_string_equal(p.attributes.p[1].at->name, "email");
	assert_string_equal(p.sector, "amt24");
	assert_int_equal(p.suite, SIG_RS256);
	assert_int_equal(p.old_until, 1811808000); /* to the end of that day */
	assert_int_equal(p.content, XMLENC_A256GCM);
	assert_int_equal(p.transport, XMLENC_OAEP_SHA1);
	assert_int_equal(p.vocabulary, LEVEL_VOCAB_EIDAS);
	assert_int_equal(p.n_level_words, 1);
	assert_string_equal(p.level_words[0].word, "https://sp.example/?a=zwei");
	assert_int_equal(p.level_words[0].level, LEVEL_LOW);
	assert_null(p.sso_group);
	assert_int_equal(p.consent, CONSENT_ALWAYS);
	assert_int_equal(p.encrypt, ENCRYPT_ALWAYS);
	assert_int_equal(p.nameid_formats, SAML_NAMEID_IS_PERSISTENT | SAML_NAMEID_IS_EMAIL);
	assert_int_equal(p.create, CREATE_ALWAYS);
	assert_int_equal(p.akdb, SAML_AKDB_RULE_REQUIRED);
	assert_int_equal(p.names, VOCABULARY_EKONA);
	assert_true(p.subject_id);
	assert_true(p.accept_unsigned && p.unsolicited && p.query && p.ecp && p.level_attributes);
	assert_true(p.tell_address);
	assert_string_equal(p.purpose_en, "Application");
	assert_string_equal(p.home_url, "https://amt24.example/");
}

static void
a_word_that_is_none_is_named(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{"{\"lvel\":\"low\"}", "unknown key 'lvel'"},
		{"{\"level\":\"LOW\"}", "level: not a level"},
		{"{\"level\":3}", "level: not a level"},
		{"{\"level-cap\":\"\"}", "level-cap: not a level"},
		{"{\"attribute\":\"email\"}", "a list of at most"},
		{"{\"attribute\":[\"shoe_size\"]}", "unknown attribute 'shoe_size'"},
		{"{\"attribute\":[1]}", "unknown attribute ''"},
		{"{\"attribute\":[\"email:maybe\"]}", "NAME or NAME:required"},
		{"{\"attribute\":[\"email\",\"email:required\"]}", "email: named twice"},
		{"{\"sector\":\"a b\"}", "sector: 1 to 256 visible"},
		{"{\"sector\":7}", "sector: 1 to 256 visible"},
		{"{\"suite\":\"hs256\"}", "suite: auto, es256"},
		{"{\"suite\":7}", "suite: auto, es256"},
		{"{\"suite\":\"rsa-sha512\"}", "suite: auto, es256"},
		{"{\"old-until\":\"2027-02-29\"}", "old-until: a day as YYYY-MM-DD"},
		{"{\"old-until\":\"2027-1-1\"}", "old-until: a day as YYYY-MM-DD"},
		{"{\"old-until\":\"2027-01-01T00:00:00Z\"}", "old-until: a day as YYYY-MM-DD"},
		{"{\"old-until\":20270101}", "old-until: a day as YYYY-MM-DD"},
		{"{\"content\":\"aes256-cbc\"}", "content: auto, aes128-gcm"},
		{"{\"content\":null}", "content: auto, aes128-gcm"},
		{"{\"key-transport\":\"rsa-1_5\"}", "key-transport: auto, rsa-oaep"},
		{"{\"key-transport\":1}", "key-transport: auto, rsa-oaep"},
		{"{\"vocabulary\":\"x\"}", "vocabulary: stork"},
		{"{\"vocabulary\":null}", "vocabulary: stork"},
		{"{\"level-word\":\"x=low\"}", "level-word: a list of at most"},
		{"{\"level-word\":[1]}", "level-word: WORD=LEVEL"},
		{"{\"level-word\":[\"low\"]}", "level-word: WORD=LEVEL"},
		{"{\"level-word\":[\"x=\"]}", "level-word: '' is no level"},
		{"{\"level-word\":[\"=low\"]}", "level-word: a word of 1 to 256"},
		{"{\"level-word\":[\"a b=low\"]}", "level-word: a word of 1 to 256"},
		{"{\"level-word\":[\"x=low\",\"x=high\"]}", "level-word: x: named twice"},
		{"{\"level-word\":[\"1=low\",\"2=low\",\"3=low\",\"4=low\",\"5=low\",\"6=low\","
		 "\"7=low\",\"8=low\",\"9=low\",\"a=low\",\"b=low\",\"c=low\",\"d=low\",\"e=low\","
		 "\"f=low\",\"g=low\",\"h=low\"]}",
		 "level-word: a list of at most 16"},
		{"{\"sso-group\":\"\"}", "sso-group: 1 to 256"},
		{"{\"consent\":\"never\"}", "consent: changed or always"},
		{"{\"encrypt\":\"no\"}", "encrypt: auto, never"},
		{"{\"attribute-names\":\"saml\"}", "attribute-names: bundid, basic"},
		{"{\"akdb\":\"v3\"}", "akdb: v2, v1 or required"},
		{"{\"nameid\":[]}", "nameid: transient, persistent"},
		{"{\"nameid\":\"email\"}", "nameid: transient, persistent"},
		{"{\"nameid\":[\"email\",\"entity\"]}", "nameid: transient, persistent"},
		{"{\"nameid\":[\"email\",\"email\"]}", "nameid: transient, persistent"},
		{"{\"create\":\"yes\"}", "create: asked or always"},
		{"{\"accept-unsigned\":true}", "accept-unsigned: yes or no"},
		{"{\"unsolicited\":true}", "unsolicited: yes or no"},
		{"{\"subject-id\":true}", "subject-id: yes or no"},
		{"{\"ecp\":true}", "ecp: yes or no"},
		{"{\"attribute-query\":true}", "attribute-query: yes or no"},
		{"{\"level-attributes\":\"ja\"}", "level-attributes: yes or no"},
		{"{\"address\":\"ja\"}", "address: yes or no"},
		{"{\"purpose-de\":\"\"}", "purpose-de: a text"},
		{"{\"purpose-en\":7}", "purpose-en: a text"},
		{"{\"home\":\"http://amt24.example/\"}", "home: an https URL"},
		{"{\"home\":\"https://amt24.example/a b\"}", "home: an https URL"},
		{"{\"home\":7}", "home: an https URL"},
		{"{\"vocabulary\":\"eidas\",\"level-cap\":\"basic\"}", "eidas has no word"},
		{"[]", "not an object"},
	};
	struct policy p;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(policy_parse(a, cases[i][0], &p, &err), &err, ERR_INPUT,
			       cases[i][1]);
	ASSERT_REFUSED(policy_put(a, json_new_object(a), "lvel", "low", &err), &err, ERR_INPUT,
		       "unknown key");
}

/* {"key": "text"} with one letter n times between what comes before and after. */
static const char *
with_letters(const char *before, size_t n, const char *after)
{
	char *letters = arena_alloc(a, n + 1);

	memset(letters, 'x', n);
	return arena_printf(a, "{%s%s%s}", before, letters, after);
}

static void
what_is_too_long_is_refused(void **state UNUSED)
{
	static const char *const rows = "\"family_name\",", *const last = "\"email\"";
	const char *list = "";
	struct policy p;
	struct err err = {0};

	ASSERT_OK(policy_parse(a, with_letters("\"purpose-de\":\"", 500, "\""), &p, &err), &err);
	ASSERT_REFUSED(policy_parse(a, with_letters("\"purpose-de\":\"", 501, "\""), &p, &err),
		       &err, ERR_INPUT, "purpose-de: a text of 1 to 500");
	for (int i = 0; i < 64; i++)
		list = arena_printf(a, "%s%s", list, rows);
	/* Their number is judged before their names. */
	ASSERT_REFUSED(
		policy_parse(a, arena_printf(a, "{\"attribute\":[%s%s]}", list, last), &p, &err),
		&err, ERR_INPUT, "attribute: a list of at most 64");
	ASSERT_REFUSED(
		policy_parse(a,
			     arena_printf(a, "{\"attribute\":[%.*s]}", (int)strlen(list) - 1, list),
			     &p, &err),
		&err, ERR_INPUT, "family_name: named twice");
}

static void
auto_leaves_it_to_the_metadata(void **state UNUSED)
{
	struct policy p;
	struct err err = {0};

	ASSERT_OK(policy_parse(a,
			       "{\"suite\":\"auto\",\"content\":\"auto\",\"key-transport\":"
			       "\"auto\"}",
			       &p, &err),
		  &err);
	assert_int_equal(p.suite, SIG_NONE);
	assert_int_equal(p.content, 0);
	assert_int_equal(p.transport, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_policy_is_the_careful_default),
		cmocka_unit_test(what_the_command_line_sets_is_read_back),
		cmocka_unit_test(a_word_that_is_none_is_named),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(auto_leaves_it_to_the_metadata),
	};

	return cmocka_run_group_tests_name("policy", tests, setup, teardown);
}
