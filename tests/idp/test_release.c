/* What a portal may learn: never more than registered, asked, held and consented. */
#include "idp/release.h"
#include "tests/arena.h"

#define AT(name) attribute_by_name(name)

static struct held_list
account(void)
{
	struct held *h = ARENA_ARRAY(a, struct held, 4);

	h[0] = (struct held){AT("family_name"), "Mustermann", false,
			     LEVEL_SUBSTANTIAL, "proofing",   0,
			     {NULL, 0}};
	h[1] = (struct held){AT("given_names"), "Erika", false,    LEVEL_SUBSTANTIAL,
			     "proofing",        0,       {NULL, 0}};
	h[2] = (struct held){AT("email"), "e@example.invalid", false, LEVEL_BASIC, "self", 0,
			     {NULL, 0}};
	h[3] = (struct held){AT("birth_name"), "", true,     LEVEL_SUBSTANTIAL,
			     "proofing",       0,  {NULL, 0}};
	return (struct held_list){h, 4};
}

static struct wanted_list
list(const char *const *names, size_t n, bool required)
{
	struct wanted *w = ARENA_ARRAY(a, struct wanted, n + 1);

	for (size_t i = 0; i < n; i++)
		w[i] = (struct wanted){AT(names[i]), required, false};
	return (struct wanted_list){w, n};
}

static const char *const all[] = {"family_name", "given_names", "email", "birth_name"};
static const char *const two[] = {"family_name", "email"};
static const char *const absent[] = {"family_name", "title"};

static void
only_what_is_registered_and_asked_goes_out(void **state UNUSED)
{
	struct release r;

	release_compute(a, list(two, 2, false), list(all, 4, false), account(), LEVEL_SUBSTANTIAL,
			LEVEL_HIGH, &r);
	assert_int_equal(r.n, 2);
	assert_ptr_equal(r.p[0].at, AT("family_name"));
	assert_ptr_equal(r.p[1].at, AT("email"));
	release_compute(a, list(all, 4, false), list(two, 2, false), account(), LEVEL_SUBSTANTIAL,
			LEVEL_HIGH, &r);
	assert_int_equal(r.n, 2);
	release_compute(a, (struct wanted_list){0}, list(all, 4, true), account(),
			LEVEL_SUBSTANTIAL, LEVEL_HIGH, &r);
	assert_int_equal(r.n, 0);
}

static void
where_a_value_is_needed_knowing_that_there_is_none_is_missing_it(void **state UNUSED)
{
	struct wanted w[] = {{AT("email"), true, true}, {AT("birth_name"), true, false}};
	struct release r;

	release_compute(a, list(all, 4, false), (struct wanted_list){w, 2}, account(),
			LEVEL_SUBSTANTIAL, LEVEL_HIGH, &r);
	assert_int_equal(r.n, 2);
	assert_null(r.missing);
	w[1].filled = true;
	release_compute(a, list(all, 4, false), (struct wanted_list){w, 2}, account(),
			LEVEL_SUBSTANTIAL, LEVEL_HIGH, &r);
	assert_int_equal(r.n, 1);
	assert_ptr_equal(r.missing, AT("birth_name"));
}

static void
asking_nothing_gets_nothing(void **state UNUSED)
{
	struct release r;

	release_compute(a, list(all, 4, false), (struct wanted_list){0}, account(),
			LEVEL_SUBSTANTIAL, LEVEL_HIGH, &r);
	assert_int_equal(r.n, 0);
	release_compute(a, list(all, 4, false), list(all, 4, false), account(), LEVEL_SUBSTANTIAL,
			LEVEL_HIGH, &r);
	assert_int_equal(r.n, 4);
	assert_true(r.p[3].verified_empty);
}

static void
asking_twice_releases_once(void **state UNUSED)
{
	static const char *const twice[] = {"email", "email"};
	struct release r;

	release_compute(a, list(all, 4, false), list(twice, 2, false), account(), LEVEL_LOW,
			LEVEL_HIGH, &r);
	assert_int_equal(r.n, 1);
}

static void
no_level_rises(void **state UNUSED)
{
	for (int auth = LEVEL_NONE; auth <= LEVEL_HIGH; auth++) {
		for (int cap = LEVEL_NONE; cap <= LEVEL_HIGH; cap++) {
			struct held_list held = account();
			struct release r;

			release_compute(a, list(all, 4, false), list(all, 4, false), held,
					(enum level)auth, (enum level)cap, &r);
			assert_int_equal(r.n, auth != LEVEL_NONE && cap != LEVEL_NONE ? 4 : 0);
			for (size_t i = 0; i < r.n; i++) {
				assert_in_range(r.p[i].level, LEVEL_BASIC, auth);
				assert_in_range(r.p[i].level, LEVEL_BASIC, cap);
				for (size_t k = 0; k < held.n; k++)
					if (held.p[k].at == r.p[i].at)
						assert_in_range(r.p[i].level, LEVEL_BASIC,
								held.p[k].level);
			}
		}
	}
}

static void
a_required_attribute_that_is_not_held_is_named(void **state UNUSED)
{
	struct release r;

	release_compute(a, list(absent, 2, false), list(absent, 2, true), account(), LEVEL_LOW,
			LEVEL_HIGH, &r);
	assert_ptr_equal(r.missing, AT("title"));
	release_compute(a, list(absent, 2, true), list(absent, 2, false), account(), LEVEL_LOW,
			LEVEL_HIGH, &r);
	assert_ptr_equal(r.missing, AT("title"));
	release_compute(a, list(absent, 2, false), list(absent, 2, false), account(), LEVEL_LOW,
			LEVEL_HIGH, &r);
	assert_null(r.missing);
	/* Nor is one that is held, and not registered. */
	release_compute(a, list(two, 2, false), list(all, 4, true), account(), LEVEL_LOW,
			LEVEL_HIGH, &r);
	assert_ptr_equal(r.missing, AT("given_names"));
	assert_int_equal(r.n, 2);
}

static void
consent_can_only_take_away(void **state UNUSED)
{
	static const char *const names[] = {"email", "phone_number", "given_names"};
	struct release offer, r;
	struct wanted asked[] = {{AT("family_name"), true, false},
				 {AT("email"), false, false},
				 {AT("birth_name"), false, false}};

	release_compute(a, list(all, 4, false), (struct wanted_list){asked, 3}, account(),
			LEVEL_LOW, LEVEL_HIGH, &offer);
	assert_int_equal(offer.n, 3);
	release_consented(a, &offer, names, 3, &r);
	assert_int_equal(r.n, 2);
	assert_ptr_equal(r.p[0].at, AT("family_name"));
	assert_ptr_equal(r.p[1].at, AT("email"));
	release_consented(a, &offer, NULL, 0, &r);
	assert_int_equal(r.n, 1);
}

static void
a_fingerprint_follows_what_was_agreed_to(void **state UNUSED)
{
	struct release x, y;
	struct released items[3];
	struct bytes nobody = {0}, org = bytes_of("org");

	release_compute(a, list(all, 3, false), list(all, 3, false), account(), LEVEL_LOW,
			LEVEL_HIGH, &x);
	const char *first = release_fingerprint(a, &x, "Antrag", nobody);

	assert_int_equal(strlen(first), 64);
	for (size_t i = 0; i < 3; i++)
		items[i] = x.p[2 - i];
	y = (struct release){items, 3, NULL};
	assert_string_equal(first, release_fingerprint(a, &y, "Antrag", nobody));
	items[0].value = "other";
	items[0].level = LEVEL_BASIC;
	assert_string_equal(first, release_fingerprint(a, &y, "Antrag", nobody));
	assert_string_not_equal(first, release_fingerprint(a, &y, "Antrag 2", nobody));
	assert_string_not_equal(first, release_fingerprint(a, &y, "Antrag", org));
	items[0].required = true;
	assert_string_not_equal(first, release_fingerprint(a, &y, "Antrag", nobody));
	items[0].required = false;
	items[0].source = "eid";
	assert_string_not_equal(first, release_fingerprint(a, &y, "Antrag", nobody));
	y.n = 2;
	assert_string_not_equal(first, release_fingerprint(a, &y, "Antrag", nobody));
	y = (struct release){0};
	assert_int_equal(strlen(release_fingerprint(a, &y, NULL, nobody)), 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_registered_and_asked_goes_out),
		cmocka_unit_test(where_a_value_is_needed_knowing_that_there_is_none_is_missing_it),
		cmocka_unit_test(asking_nothing_gets_nothing),
		cmocka_unit_test(asking_twice_releases_once),
		cmocka_unit_test(no_level_rises),
		cmocka_unit_test(a_required_attribute_that_is_not_held_is_named),
		cmocka_unit_test(consent_can_only_take_away),
		cmocka_unit_test(a_fingerprint_follows_what_was_agreed_to),
	};

	return cmocka_run_group_tests_name("release", tests, setup, teardown);
}
