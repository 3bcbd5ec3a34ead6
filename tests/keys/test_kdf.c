/* Password hashes (keys/kdf.h). */
#include "tests/test.h"

#include <argon2.h>

#include "base/enc.h"
#include "keys/kdf.h"
#include "tests/keys/test_signer_thread.h"

#define ARENA_BYTES ((size_t)16 << 20)

/* Cheap, for tests that are not about the cost. */
static struct kdf_cost
cheap(const char *pepper)
{
	return (struct kdf_cost){.m_kib = 64, .t = 1, .p = 1, .pepper = pepper};
}

static struct kdf_memory *
memory(uint32_t m_kib)
{
	struct kdf_memory *m;
	struct err err = {0};

	ASSERT_OK(kdf_memory_create(m_kib, &m, &err), &err);
	return m;
}

/* Against libargon2's own entry point, which allocates for itself. */
static void
the_hash_is_argon2id(void **state UNUSED)
{
	static const struct kdf_cost costs[] = {
		{KDF_DEFAULT_M_KIB, KDF_DEFAULT_T, KDF_DEFAULT_P, NULL},
		{64, 1, 1, NULL},
		{100, 3, 4, NULL},
		{1027, 2, 2, NULL},
	};
	static const unsigned char salt[16] = "0123456789abcde";
	struct kdf_memory *m = memory(64);
	unsigned char got[32], want[32];
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(costs); i++) {
		ASSERT_OK(kdf_argon2id(m, &costs[i], bytes_of("Passwort"), salt, got, &err), &err);
		assert_int_equal(argon2id_hash_raw(costs[i].t, costs[i].m_kib, costs[i].p,
						   "Passwort", 8, salt, 16, want, 32),
				 ARGON2_OK);
		assert_memory_equal(got, want, 32);
	}
	kdf_memory_destroy(m);
}

static void
nothing_stays_in_the_memory(void **state UNUSED)
{
	const struct kdf_cost cost = {.m_kib = 64, .t = 1, .p = 1};
	struct kdf_memory *m = memory(64);
	/* The first word of struct kdf_memory is the block. */
	const unsigned char *block = *(unsigned char **)m;
	unsigned char got[32];
	struct err err = {0};

	ASSERT_OK(kdf_argon2id(m, &cost, bytes_of("Passwort"),
			       (const unsigned char *)"0123456789abcdef", got, &err),
		  &err);
	for (size_t i = 0; i < (size_t)64 * 1024; i++)
		assert_int_equal(block[i], 0);
	kdf_memory_destroy(m);
}

static void
costs_out_of_range_and_long_passwords_are_refused(void **state UNUSED)
{
	static const struct kdf_cost costs[] = {
		{7, 1, 1, NULL},
		{15, 1, 2, NULL},
		{64, 0, 1, NULL},
		{64, 17, 1, NULL},
		{64, 1, 0, NULL},
		{64, 1, 5, NULL},
		{(1u << 20) + 1, 1, 1, NULL},
	};
	static const unsigned char salt[16], big[KDF_PASSWORD_MAX + 1];
	struct kdf_memory *m = memory(64);
	const struct kdf_cost good = {64, 1, 1, NULL};
	unsigned char raw[32];
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(costs); i++)
		ASSERT_REFUSED(kdf_argon2id(m, &costs[i], bytes_of("x"), salt, raw, &err), &err,
			       ERR_INTERNAL, "out of range");
	ASSERT_OK(kdf_argon2id(m, &good, (struct bytes){big, KDF_PASSWORD_MAX}, salt, raw, &err),
		  &err);
	ASSERT_REFUSED(kdf_argon2id(m, &good, (struct bytes){big, sizeof(big)}, salt, raw, &err),
		       &err, ERR_INPUT, "longer than 1024");
	ASSERT_OK(kdf_argon2id(m, &good, bytes_of(""), salt, raw, &err), &err);
	kdf_memory_destroy(m);
	kdf_memory_destroy(NULL);
	ASSERT_REFUSED(kdf_memory_create(0, &m, &err), &err, ERR_UNAVAILABLE, "no 0 KiB");
	ASSERT_REFUSED(kdf_memory_create(UINT32_MAX, &m, &err), &err, ERR_UNAVAILABLE, "KiB");
}

static void
a_password_matches_its_record_and_no_other(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	struct kdf_cost cost = cheap(test_signer_kid(t, KEY_PEPPER, KEY_SECRET));
	struct kdf_memory *m = memory(64);
	const char *record, *second;
	bool matches = false;
	struct err err = {0};

	ASSERT_OK(kdf_hash(m, t->s, a, &cost, bytes_of("Sonnenblume7"), &record, &err), &err);
	ASSERT_OK(kdf_hash(m, t->s, a, &cost, bytes_of("Sonnenblume7"), &second, &err), &err);
	assert_string_not_equal(record, second); /* another salt */
	assert_true(strncmp(record, "$argon2id$v=19$m=64,t=1,p=1,keyid=pepper-", 40) == 0);
	ASSERT_OK(kdf_verify(m, t->s, a, record, &cost, bytes_of("Sonnenblume7"), &matches, &err),
		  &err);
	assert_true(matches);
	static const char *const wrong[] = {"Sonnenblume8", "", "sonnenblume7", "Sonnenblume7 "};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		ASSERT_OK(kdf_verify(m, t->s, a, record, &cost, bytes_of(wrong[i]), &matches, &err),
			  &err);
		assert_false(matches);
	}
	kdf_memory_destroy(m);
	arena_destroy(a);
}

/* The hash without the pepper is worth nothing: Argon2's raw output is not in the record. */
static void
the_record_holds_the_peppered_tag(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	const char *kid = test_signer_kid(t, KEY_PEPPER, KEY_SECRET);
	struct kdf_cost cost = cheap(kid);
	struct kdf_memory *m = memory(64);
	const char *record = arena_printf(
		a, "$argon2id$v=19$m=64,t=1,p=1,keyid=%s$AAAAAAAAAAAAAAAAAAAAAA$", kid);
	unsigned char raw[32], salt[16] = {0}, tag[32];
	bool matches = true;
	struct err err = {0};

	ASSERT_OK(kdf_argon2id(m, &cost, bytes_of("x"), salt, raw, &err), &err);
	ASSERT_OK(signer_mac(t->s, a, KEY_PEPPER, kid, "password", (struct bytes){raw, 32}, tag,
			     &err),
		  &err);
	const char *bare =
		arena_printf(a, "%s%s", record, enc_base64url(a, (struct bytes){raw, 32}));
	const char *peppered =
		arena_printf(a, "%s%s", record, enc_base64url(a, (struct bytes){tag, 32}));

	ASSERT_OK(kdf_verify(m, t->s, a, bare, &cost, bytes_of("x"), &matches, &err), &err);
	assert_false(matches);
	ASSERT_OK(kdf_verify(m, t->s, a, peppered, &cost, bytes_of("x"), &matches, &err), &err);
	assert_true(matches);
	kdf_memory_destroy(m);
	arena_destroy(a);
}

static void
an_unknown_account_takes_the_same_way_and_never_matches(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	struct kdf_cost cost = cheap(test_signer_kid(t, KEY_PEPPER, KEY_SECRET));
	struct kdf_memory *m = memory(64);
	struct signer_status before, after;
	bool matches = true;
	struct err err = {0};

	ASSERT_OK(signer_status(t->s, a, &before, &err), &err);
	ASSERT_OK(kdf_verify(m, t->s, a, NULL, &cost, bytes_of("x"), &matches, &err), &err);
	assert_false(matches);
	ASSERT_OK(signer_status(t->s, a, &after, &err), &err);
	assert_int_equal(after.requests, before.requests + 2); /* the pepper, and this status */
	ASSERT_REFUSED(kdf_verify(m, t->s, a, NULL,
				  &(struct kdf_cost){.m_kib = 1, .t = 1, .p = 1, .pepper = "x"},
				  bytes_of("x"), &matches, &err),
		       &err, ERR_INTERNAL, "out of range");
	kdf_memory_destroy(m);
	arena_destroy(a);
}

static void
a_signer_that_is_away_or_lacks_the_pepper_is_an_error(void **state UNUSED)
{
	struct arena *a = arena_create(ARENA_BYTES);
	struct test_signer *t = test_signer_create(a);
	struct kdf_cost cost = cheap("nobody");
	struct kdf_memory *m = memory(64);
	struct signer *away;
	const char *record;
	struct err err = {0};

	ASSERT_REFUSED(kdf_hash(m, t->s, a, &cost, bytes_of("x"), &record, &err), &err, ERR_DENIED,
		       "no such key");
	ASSERT_OK(signer_create(-1, 1000, &away, &err), &err);
	ASSERT_REFUSED(kdf_hash(m, away, a, &cost, bytes_of("x"), &record, &err), &err,
		       ERR_UNAVAILABLE, "does not answer");
	signer_destroy(away);
	kdf_memory_destroy(m);
	arena_destroy(a);
}

#define SALT "AAAAAAAAAAAAAAAAAAAAAA"
#define TAG  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void
a_record_in_any_other_spelling_is_refused(void **state UNUSED)
{
	static const char *const records[] = {
		"",
		"$argon2i$v=19$m=64,t=1,p=1,keyid=k$" SALT "$" TAG,
		"$argon2id$v=16$m=64,t=1,p=1,keyid=k$" SALT "$" TAG,
		"$argon2id$v=19$m=64,t=1,p=1$" SALT "$" TAG,
		"$argon2id$v=19$m=64,p=1,t=1,keyid=k$" SALT "$" TAG,
		"$argon2id$v=19$m=,t=1,p=1,keyid=k$" SALT "$" TAG,
		"$argon2id$v=19$m=64x,t=1,p=1,keyid=k$" SALT "$" TAG,
		"$argon2id$v=19$m=99999999,t=1,p=1,keyid=k$" SALT "$" TAG,
		"$argon2id$v=19$m=64,t=17,p=1,keyid=k$" SALT "$" TAG,
		"$argon2id$v=19$m=64,t=1,p=5,keyid=k$" SALT "$" TAG,
		"$argon2id$v=19$m=64,t=1,p=1,keyid=$" SALT "$" TAG,
		"$argon2id$v=19$m=64,t=1,p=1,keyid=a b$" SALT "$" TAG,
		"$argon2id$v=19$m=64,t=1,p=1,keyid=k$" SALT,
		"$argon2id$v=19$m=64,t=1,p=1,keyid=k$" SALT "$",
		"$argon2id$v=19$m=64,t=1,p=1,keyid=k$" SALT "A$" TAG,
		"$argon2id$v=19$m=64,t=1,p=1,keyid=k$" SALT "$" TAG "A",
		"$argon2id$v=19$m=64,t=1,p=1,keyid=k$" SALT "$" TAG "$",
		"$argon2id$v=19$m=64,t=1,p=1,keyid=k$" SALT "$" TAG " ",
	};
	struct arena *a = arena_create(ARENA_BYTES);
	struct kdf_cost cost = cheap("k");
	struct kdf_memory *m = memory(64);
	struct signer *away;
	bool matches;
	struct err err = {0};

	ASSERT_OK(signer_create(-1, 1000, &away, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		ASSERT_REFUSED(
			kdf_verify(m, away, a, records[i], &cost, bytes_of("x"), &matches, &err),
			&err, ERR_INTERNAL, "cannot be read");
		assert_true(kdf_needs_rehash(a, records[i], &cost));
	}
	signer_destroy(away);
	kdf_memory_destroy(m);
	arena_destroy(a);
}

static void
a_record_of_another_cost_or_pepper_wants_rehashing(void **state UNUSED)
{
	static const struct {
		struct kdf_cost cost;
		bool wants;
	} rows[] = {
		{{64, 1, 1, "k"}, false}, {{65, 1, 1, "k"}, true}, {{64, 2, 1, "k"}, true},
		{{64, 1, 2, "k"}, true},  {{64, 1, 1, "l"}, true},
	};
	struct arena *a = arena_create(1 << 16);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(
			kdf_needs_rehash(a, "$argon2id$v=19$m=64,t=1,p=1,keyid=k$" SALT "$" TAG,
					 &rows[i].cost),
			rows[i].wants);
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_argon2id),
		cmocka_unit_test(nothing_stays_in_the_memory),
		cmocka_unit_test(costs_out_of_range_and_long_passwords_are_refused),
		cmocka_unit_test(a_password_matches_its_record_and_no_other),
		cmocka_unit_test(the_record_holds_the_peppered_tag),
		cmocka_unit_test(an_unknown_account_takes_the_same_way_and_never_matches),
		cmocka_unit_test(a_signer_that_is_away_or_lacks_the_pepper_is_an_error),
		cmocka_unit_test(a_record_in_any_other_spelling_is_refused),
		cmocka_unit_test(a_record_of_another_cost_or_pepper_wants_rehashing),
	};

	return cmocka_run_group_tests_name("kdf", tests, NULL, NULL);
}
