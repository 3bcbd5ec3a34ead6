/* The public view of our keys (keys/keyring.h). */
#include "tests/test.h"

#include "keys/keyring.h"
#include "tests/keys/test_keys.h"

#define NOW ((time_t)1800000000)
#define DAY ((time_t)86400)

static struct test_keys *t;
static struct arena *forever;

static int
setup(void **state UNUSED)
{
	forever = arena_create(1 << 20);
	t = test_keys_create(forever);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(forever);
	return 0;
}

static struct key_row
row_of(const char *kid, enum key_purpose purpose, enum key_type type, enum key_state state)
{
	struct key_row row = {.kid = kid,
			      .place = KEY_SEALED,
			      .purpose = purpose,
			      .type = type,
			      .state = state,
			      .created = NOW - DAY,
			      .state_since = NOW - DAY};

	if (type == KEY_P256)
		row.spki = t->p256.spki;
	if (type == KEY_RSA3072)
		row.spki = t->rsa.spki;
	return row;
}

#define P256(kid, state) row_of((kid), KEY_OIDC_SIGN, KEY_P256, (state))

static const struct keyring *
ring(struct arena *a, const struct key_row *rows, size_t n)
{
	const struct keyring *kr = NULL;
	struct err err = {0};

	ASSERT_OK(keyring_create(a, rows, n, &kr, &err), &err);
	return kr;
}

static void
keys_are_found_by_kid_and_by_what_they_are_active_for(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct key_row rows[] = {
		P256("old", KEY_RETIRED),
		P256("now", KEY_ACTIVE),
		row_of("rsa", KEY_OIDC_SIGN, KEY_RSA3072, KEY_ACTIVE),
		row_of("saml", KEY_SAML_SIGN, KEY_P256, KEY_ACTIVE),
		row_of("pepper", KEY_PEPPER, KEY_SECRET, KEY_ACTIVE),
	};
	size_t n = 0, i = 0;

	rows[3].cert = t->p256.cert;
	const struct keyring *kr = ring(a, rows, ARRAY_LEN(rows));

	assert_string_equal(keyring_active(kr, KEY_OIDC_SIGN, KEY_P256)->row.kid, "now");
	assert_string_equal(keyring_active(kr, KEY_OIDC_SIGN, KEY_RSA3072)->row.kid, "rsa");
	assert_string_equal(keyring_active(kr, KEY_PEPPER, KEY_SECRET)->row.kid, "pepper");
	assert_null(keyring_active(kr, KEY_COOKIE, KEY_SECRET));
	assert_non_null(keyring_find(kr, "old")->pub);
	assert_null(keyring_find(kr, "pepper")->pub);
	assert_null(keyring_find(kr, "nobody"));
	assert_int_equal(keyring_find(kr, "saml")->cert_not_after, 1577836800 + 10958 * DAY);
	while (keyring_each(kr, &i) != NULL)
		n++;
	assert_int_equal(n, ARRAY_LEN(rows));
	arena_destroy(a);
}

static void
peers_see_the_active_key_first_then_what_comes_then_what_was(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct key_row rows[] = {
		P256("r1", KEY_RETIRED),   P256("gone", KEY_GONE),       P256("p1", KEY_PUBLISHED),
		P256("p2", KEY_PUBLISHED), P256("planned", KEY_PLANNED), P256("a", KEY_ACTIVE),
		P256("r2", KEY_RETIRED),
	};
	static const char *const want[] = {"a", "p2", "p1", "r1", "r2"};
	const struct key *k;
	size_t n = 0;

	rows[3].created = NOW; /* the younger first; equal ages by kid */
	const struct keyring *kr = ring(a, rows, ARRAY_LEN(rows));

	for (size_t i = 0; (k = keyring_shown(kr, KEY_OIDC_SIGN, &i)) != NULL; n++)
		assert_string_equal(k->row.kid, want[n]);
	assert_int_equal(n, ARRAY_LEN(want));
	arena_destroy(a);
}

static void
nobody_is_shown_a_retired_decryption_key_or_a_secret(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct key_row rows[] = {
		row_of("was", KEY_DECRYPT, KEY_P256, KEY_RETIRED),
		row_of("is", KEY_DECRYPT, KEY_P256, KEY_ACTIVE),
		row_of("s", KEY_COOKIE, KEY_SECRET, KEY_ACTIVE),
	};
	const struct keyring *kr = ring(a, rows, ARRAY_LEN(rows));
	size_t i = 0;

	assert_string_equal(keyring_shown(kr, KEY_DECRYPT, &i)->row.kid, "is");
	assert_null(keyring_shown(kr, KEY_DECRYPT, &i));
	i = 0;
	assert_null(keyring_shown(kr, KEY_COOKIE, &i));
	arena_destroy(a);
}

static void
rows_that_do_not_fit_together_are_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	const struct keyring *kr;
	struct err err = {0};
	struct key_row twice[] = {P256("k", KEY_ACTIVE), P256("k", KEY_RETIRED)};
	struct key_row two[] = {P256("k", KEY_ACTIVE), P256("l", KEY_ACTIVE)};
	struct key_row *many = ARENA_ARRAY(a, struct key_row, 1025);

	ASSERT_REFUSED(keyring_create(a, twice, 2, &kr, &err), &err, ERR_CONFLICT, "occurs twice");
	ASSERT_REFUSED(keyring_create(a, two, 2, &kr, &err), &err, ERR_CONFLICT,
		       "second active oidc-sign p256");
	ASSERT_REFUSED(keyring_create(a, many, 1025, &kr, &err), &err, ERR_INPUT, "too many");
	arena_destroy(a);
}

static void
a_row_that_is_wrong_in_itself_is_refused(void **state UNUSED)
{
	struct key_row bad_kid = P256("a b", KEY_ACTIVE), empty_kid = P256("", KEY_ACTIVE);
	struct key_row long_kid = P256("k", KEY_ACTIVE);
	struct key_row purpose = P256("k", KEY_ACTIVE), type = purpose, in_state = purpose;
	struct key_row rsa_spki = purpose, p256_spki = purpose, no_spki = purpose;
	struct key_row cert = purpose, not_cert = purpose;
	struct key_row secret = row_of("k", KEY_COOKIE, KEY_SECRET, KEY_ACTIVE);
	struct arena *a = arena_create(1 << 20);
	const struct keyring *kr;
	struct err err = {0};

	long_kid.kid = "k2345678901234567890123456789012345678901234567890123456789012345"; /* 65 */
	purpose.purpose = (enum key_purpose)99;
	type.type = KEY_SECRET;
	in_state.state = (enum key_state)9;
	rsa_spki.spki = t->rsa.spki;
	p256_spki.type = KEY_RSA3072;
	no_spki.spki = bytes_of("");
	cert.cert = t->rsa.cert;
	not_cert.cert = bytes_of("x");
	secret.spki = t->p256.spki;
	const struct {
		const struct key_row *row;
		const char *why;
	} rows[] = {
		{&bad_kid, "kid is malformed"},
		{&empty_kid, "kid is malformed"},
		{&long_kid, "kid is malformed"},
		{&purpose, "purpose, type or state is unknown"},
		{&type, "purpose, type or state is unknown"},
		{&in_state, "purpose, type or state is unknown"},
		{&rsa_spki, "of another type"},
		{&p256_spki, "of another type"},
		{&no_spki, "empty"},
		{&cert, "certificate is for another key"},
		{&not_cert, "not a DER certificate"},
		{&secret, "a secret has no public half"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_REFUSED(keyring_create(a, rows[i].row, 1, &kr, &err), &err, ERR_INPUT,
			       rows[i].why);
	arena_destroy(a);
}

/* Every pair of states: what the house allows for signing keys and for secrets. */
static void
only_the_listed_moves_exist(void **state UNUSED)
{
	static const bool pair_moves[6][6] = {
		[KEY_PLANNED] = {[KEY_PUBLISHED] = true, [KEY_GONE] = true},
		[KEY_PUBLISHED] = {[KEY_ACTIVE] = true, [KEY_RETIRED] = true},
		[KEY_ACTIVE] = {[KEY_RETIRED] = true},
		[KEY_RETIRED] = {[KEY_GONE] = true},
	};
	struct arena *a = arena_create(1 << 22);
	struct key_move move;
	struct err err = {0};

	for (int from = KEY_PLANNED; from <= KEY_GONE; from++)
		for (int to = 0; to <= 6; to++) {
			bool known = to >= KEY_PLANNED && to <= KEY_GONE;
			bool pair = known && pair_moves[from][to];
			bool secret = pair || (from == KEY_PLANNED && to == KEY_ACTIVE);
			struct key_row rows[] = {
				P256("k", (enum key_state)from),
				row_of("s", KEY_COOKIE, KEY_SECRET, (enum key_state)from),
			};
			const struct keyring *kr = ring(a, rows, 2);

			err_clear(&err);
			assert_int_equal(keyring_move_check(kr, "k", (enum key_state)to, DAY, NOW,
							    &move, &err),
					 pair);
			assert_int_equal(err.kind, pair ? ERR_NONE : ERR_DENIED);
			assert_int_equal(keyring_move_check(kr, "s", (enum key_state)to, DAY, NOW,
							    &move, NULL),
					 secret);
		}
	arena_destroy(a);
}

static void
activation_retires_the_one_before_and_haste_is_noted(void **state UNUSED)
{
	static const struct {
		time_t since;
		bool emergency;
	} rows[] = {{NOW - DAY, false}, {NOW - DAY + 1, true}, {NOW, true}};
	struct arena *a = arena_create(1 << 20);
	struct key_move move;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct key_row keys[] = {
			P256("next", KEY_PUBLISHED),
			P256("now", KEY_ACTIVE),
			row_of("rsa", KEY_OIDC_SIGN, KEY_RSA3072, KEY_ACTIVE),
		};

		keys[0].state_since = rows[i].since;
		ASSERT_OK(keyring_move_check(ring(a, keys, 3), "next", KEY_ACTIVE, DAY, NOW, &move,
					     &err),
			  &err);
		assert_string_equal(move.retired_kid, "now");
		assert_int_equal(move.emergency, rows[i].emergency);
	}
	arena_destroy(a);
}

static void
the_first_key_and_a_new_secret_are_no_emergency(void **state UNUSED)
{
	struct key_row rows[] = {
		P256("first", KEY_PUBLISHED),
		row_of("s1", KEY_COOKIE, KEY_SECRET, KEY_ACTIVE),
		row_of("s2", KEY_COOKIE, KEY_SECRET, KEY_PLANNED),
	};
	struct arena *a = arena_create(1 << 20);
	const struct keyring *kr = ring(a, rows, 3);
	struct key_move move;
	struct err err = {0};

	ASSERT_OK(keyring_move_check(kr, "first", KEY_ACTIVE, DAY * 9, NOW, &move, &err), &err);
	assert_null(move.retired_kid);
	assert_false(move.emergency);
	ASSERT_OK(keyring_move_check(kr, "s2", KEY_ACTIVE, DAY * 9, NOW, &move, &err), &err);
	assert_string_equal(move.retired_kid, "s1");
	assert_false(move.emergency);
	ASSERT_REFUSED(keyring_move_check(kr, "nobody", KEY_ACTIVE, 0, NOW, &move, &err), &err,
		       ERR_NOT_FOUND, "no key has this kid");
	arena_destroy(a);
}

static void
every_name_leads_back_to_its_number(void **state UNUSED)
{
	enum key_purpose purpose = KEY_AUDIT;
	enum key_type type = KEY_SECRET;
	enum key_state at = KEY_GONE;

	for (int i = KEY_SAML_SIGN; i <= KEY_AUDIT; i++) {
		assert_true(key_purpose_from_name(key_purpose_name((enum key_purpose)i), &purpose));
		assert_int_equal(purpose, i);
	}
	for (int i = KEY_P256; i <= KEY_RSA_PSS; i++) {
		assert_true(key_type_from_name(key_type_name((enum key_type)i), &type));
		assert_int_equal(type, i);
	}
	for (int i = KEY_PLANNED; i <= KEY_GONE; i++) {
		assert_true(key_state_from_name(key_state_name((enum key_state)i), &at));
		assert_int_equal(at, i);
	}
	assert_false(key_purpose_from_name("sign", &purpose));
	assert_false(key_type_from_name("", &type));
	assert_false(key_state_from_name("Active", &at));
	assert_null(key_purpose_name((enum key_purpose)11));
	assert_null(key_type_name((enum key_type)0));
	assert_null(key_type_name((enum key_type)(KEY_RSA_PSS + 1)));
	assert_null(key_state_name((enum key_state)6));
}

static void
purposes_take_pairs_or_secrets_never_both(void **state UNUSED)
{
	for (int p = 0; p <= KEY_AUDIT + 1; p++) {
		bool known = p >= KEY_SAML_SIGN && p <= KEY_AUDIT;
		bool pair = known && p <= KEY_DECRYPT;

		assert_int_equal(key_purpose_takes((enum key_purpose)p, KEY_P256), pair);
		assert_int_equal(key_purpose_takes((enum key_purpose)p, KEY_RSA3072), pair);
		assert_int_equal(key_purpose_takes((enum key_purpose)p, KEY_P384), pair);
		assert_int_equal(key_purpose_takes((enum key_purpose)p, KEY_RSA_PSS),
				 p == KEY_OIDC_SIGN || p == KEY_FEDERATION_SIGN);
		for (int type = KEY_BP256; type <= KEY_BP384;
		     type++) /* JOSE has no name for them */
			assert_int_equal(
				key_purpose_takes((enum key_purpose)p, (enum key_type)type),
				p == KEY_SAML_SIGN || p == KEY_DECRYPT);
		assert_int_equal(key_purpose_takes((enum key_purpose)p, KEY_SECRET),
				 known && !pair);
		assert_false(key_purpose_takes((enum key_purpose)p, (enum key_type)0));
		assert_int_equal(key_has_cert((enum key_purpose)p, KEY_P256),
				 pair && p != KEY_OIDC_SIGN);
		assert_false(key_has_cert((enum key_purpose)p, KEY_RSA_PSS));
		assert_false(key_has_cert((enum key_purpose)p, KEY_SECRET));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_found_by_kid_and_by_what_they_are_active_for),
		cmocka_unit_test(peers_see_the_active_key_first_then_what_comes_then_what_was),
		cmocka_unit_test(nobody_is_shown_a_retired_decryption_key_or_a_secret),
		cmocka_unit_test(rows_that_do_not_fit_together_are_refused),
		cmocka_unit_test(a_row_that_is_wrong_in_itself_is_refused),
		cmocka_unit_test(only_the_listed_moves_exist),
		cmocka_unit_test(activation_retires_the_one_before_and_haste_is_noted),
		cmocka_unit_test(the_first_key_and_a_new_secret_are_no_emergency),
		cmocka_unit_test(every_name_leads_back_to_its_number),
		cmocka_unit_test(purposes_take_pairs_or_secrets_never_both),
	};

	return cmocka_run_group_tests_name("keyring", tests, setup, teardown);
}
