/* Browsers that an account has logged in with, and strangers who guess meanwhile. */
#include "base/text.h"
#include "db/credential.h"
#include "idp/config.h"
#include "tests/flow/steps.h"

#define KNOWN "__Host-known"
#define SLOW  "zu viele Versuche"

static struct subject_id karl_id, otto_id;

static int
setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	erika_id = world_person(w, "erika", PASSWORD, everybody, LEVEL_SUBSTANTIAL);
	world_totp(w, erika_id);
	world_totp(w, erika_id);
	karl_id = world_person(w, "karl", PASSWORD, everybody, LEVEL_BASIC);
	otto_id = world_person(w, "otto", PASSWORD, everybody, LEVEL_BASIC);
	return world_fresh(state);
}

/* At the start of a window, so that none ends within a test. */
static int
fresh(void **state)
{
	struct world *w = *state;

	w->now += 1800 - w->now % 900;
	return world_fresh(state);
}

/* A browser that holds this cookie (NULL: none) and no other, at the login page. */
static void
open_browser(struct web *b, struct world *w, const char *known, const char *page)
{
	web_init(b, w);
	if (known != NULL) {
		b->cookies[0][0] = KNOWN;
		b->cookies[0][1] = known;
		b->n_cookies = 1;
	}
	web_get(b, page);
}

static bool
gets_in(struct world *w, const char *known, const char *login_name)
{
	struct web b;

	open_browser(&b, w, known, "/login");
	log_in(&b, login_name);
	assert_int_equal(b.status, 200);
	assert_int_not_equal(web_cookie(&b, "__Host-session") != NULL, web_shows(&b, SLOW));
	return !web_shows(&b, SLOW);
}

/* The cookie that a browser with `known` has after a login. */
static const char *
known_after(struct world *w, const char *known, const char *login_name)
{
	struct web b;

	open_browser(&b, w, known, "/login");
	log_in(&b, login_name);
	assert_non_null(web_cookie(&b, "__Host-session"));
	assert_non_null(web_cookie(&b, KNOWN));
	return web_cookie(&b, KNOWN);
}

static void
guess(struct web *b, const char *login_name, int n)
{
	while (n-- > 0)
		web_submit(
			b, "/flow/password/",
			arena_printf(b->w->a, "login_name=%s&password=guess&do=login", login_name));
}

/* A stranger elsewhere, until a browser that nobody knows is refused. */
static void
use_up(struct world *w, const char *login_name)
{
	struct web b;

	open_browser(&b, w, NULL, "/login");
	b.addr = "198.51.100.7";
	guess(&b, login_name, 10);
	assert_false(web_shows(&b, SLOW));
	assert_false(gets_in(w, NULL, login_name));
}

static void
a_known_browser_gets_in_while_a_stranger_guesses(void **state)
{
	struct world *w = *state;
	struct web b;

	open_browser(&b, w, NULL, "/login");
	assert_null(web_cookie(&b, KNOWN));
	guess(&b, "otto", 1);
	assert_null(web_cookie(&b, KNOWN));
	log_in(&b, "karl");
	log_out(&b);
	assert_null(web_cookie(&b, "__Host-session"));
	use_up(w, "karl");
	assert_true(gets_in(w, web_cookie(&b, KNOWN), "karl"));
	web_get(&b, "/login");
	log_in(&b, "karl");
	assert_non_null(web_cookie(&b, "__Host-session"));
	/* ... and a browser that becomes known only now waits. */
	assert_false(gets_in(w, NULL, "karl"));
	w->now += 900;
	assert_true(gets_in(w, NULL, "karl"));
}

static void
a_mark_that_we_did_not_make_counts_for_nothing(void **state)
{
	struct world *w = *state;
	struct arena *a = w->a;
	const char *good = known_after(w, NULL, "karl"), *other = known_after(w, NULL, "karl");
	size_t n = strlen(good), at[] = {0, 21, 23, 40, n - 2};

	assert_int_equal(n, 66);
	assert_string_not_equal(good, other);
	use_up(w, "karl");
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		char *forged = arena_strdup(a, good);

		forged[at[i]] = forged[at[i]] == 'A' ? 'B' : 'A';
		assert_false(gets_in(w, forged, "karl"));
	}
	for (size_t cut = 1; cut < n; cut += 11)
		assert_false(gets_in(w, arena_strndup(a, good, n - cut), "karl"));
	assert_false(gets_in(w, arena_strndup(a, good, 22), "karl"));
	assert_false(gets_in(w, arena_strndup(a, good, 23), "karl"));
	assert_false(gets_in(w, "", "karl"));
	assert_false(gets_in(w, arena_printf(a, "%sA", good), "karl"));
	/* another browser's mark */
	assert_false(gets_in(w, arena_printf(a, "%.22s%s", good, other + 22), "karl"));
	/* a browser of a name alone has proved nothing, and gets another name */
	assert_string_not_equal(
		arena_strndup(a, known_after(w, arena_strndup(a, good, 22), "otto"), 22),
		arena_strndup(a, good, 22));
	/* more than we write */
	const char *m = good + 22;

	assert_true(gets_in(w, arena_printf(a, "%s%s%s%s%s%s", good, m, m, m, m, m), "karl"));
	assert_false(gets_in(w, arena_printf(a, "%s%s%s%s%s%s%s", good, m, m, m, m, m, m), "karl"));
	assert_true(gets_in(w, good, "karl"));
}

static void
a_mark_is_of_one_account(void **state)
{
	struct world *w = *state;
	const char *known = known_after(w, NULL, "karl");

	use_up(w, "otto");
	assert_false(gets_in(w, known, "otto"));
	assert_true(gets_in(w, known, "karl"));
}

static const struct db_credential *
means_of(struct world *w, struct subject_id id, enum db_credential_kind kind)
{
	const struct db_credential *list;
	struct db_call c = {w->pg->db, w->a, w->pg->c.deadline_us};
	struct err err = {0};
	size_t n, i = 0;

	ASSERT_OK(db_credential_list(&c, id, &list, &n, &err), &err);
	while (i < n && list[i].kind != kind)
		i++;
	assert_true(i < n);
	return &list[i];
}

static void
set_blocked(struct world *w, const struct db_credential *means, bool blocked)
{
	struct db_audit audit = {.event = "means_blocked", .ref = "test"};
	struct err err = {0};

	ASSERT_OK(db_credential_set_blocked(&w->pg->c, means->id, blocked, &audit, w->now, &err),
		  &err);
}

static void
a_mark_ends_with_the_password(void **state)
{
	struct world *w = *state;
	const char *known = known_after(w, NULL, "karl"), *of_otto = known_after(w, NULL, "otto");
	const struct db_credential *of_karl = means_of(w, karl_id, DB_PASSWORD);
	struct db_audit audit = {.event = "means_changed", .ref = "test"};
	struct err err = {0};
	struct web b;
	bool replaced;

	use_up(w, "karl");
	assert_true(gets_in(w, known, "karl"));
	/* blocked */
	set_blocked(w, of_karl, true);
	open_browser(&b, w, known, "/login");
	guess(&b, "karl", 1);
	assert_true(web_shows(&b, SLOW));
	set_blocked(w, of_karl, false);
	assert_true(gets_in(w, known, "karl"));
	/* replaced, here by the same password under another salt */
	ASSERT_OK(db_credential_replace_secret(&w->pg->c, of_karl->id, of_karl->secret,
					       means_of(w, otto_id, DB_PASSWORD)->secret, &audit,
					       w->now, &replaced, &err),
		  &err);
	assert_true(replaced);
	assert_false(gets_in(w, known, "karl"));
	assert_false(gets_in(w, of_otto, "karl"));
	w->now += 900;
	known = known_after(w, known, "karl");
	use_up(w, "karl");
	assert_true(gets_in(w, known, "karl"));
}

static void
a_password_stored_anew_keeps_its_browser(void **state)
{
	struct world *w = *state;
	int64_t before = w->config.password_passes;
	const char *known;

	known = known_after(w, NULL, "karl");
	w->config.password_passes = before + 1;
	known = known_after(w, known, "karl");
	use_up(w, "karl");
	assert_true(gets_in(w, known, "karl"));
	w->config.password_passes = before;
}

static void
a_known_browser_has_a_budget_too(void **state)
{
	struct world *w = *state;
	const char *known = known_after(w, NULL, "karl"), *second = known_after(w, NULL, "karl");
	struct web b;

	open_browser(&b, w, known, "/login");
	guess(&b, "karl", 10);
	assert_false(web_shows(&b, SLOW));
	guess(&b, "karl", 1);
	assert_true(web_shows(&b, SLOW));
	assert_false(gets_in(w, known, "karl"));
	/* It is nobody else's. */
	assert_true(gets_in(w, second, "karl"));
	assert_true(gets_in(w, NULL, "karl"));
	w->now += 900;
	for (int i = 0; i < 12; i++)
		assert_true(gets_in(w, known, "karl"));
}

static void
a_shared_browser_is_known_to_the_newest(void **state)
{
	static const char *const names[] = {"kim0", "kim1", "kim2", "kim3", "kim4", "kim5", "kim6"};
	struct world *w = *state;
	const char *known = NULL, *device = NULL;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		world_person(w, names[i], PASSWORD, everybody, LEVEL_BASIC);
		known = known_after(w, known, names[i]);
		device = i == 0 ? known : device;
		assert_int_equal(strlen(known), 22 + (i < 6 ? i + 1 : 6) * 44);
		assert_memory_equal(known, device, 22);
	}
	/* one who comes again is the newest, once */
	known = known_after(w, known_after(w, known, names[1]), names[1]);
	assert_int_equal(strlen(known), 22 + 6 * 44);
	known = known_after(w, known, "karl");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		use_up(w, names[i]);
		assert_int_equal(gets_in(w, known, names[i]), i == 1 || i > 2);
		w->now += 900; /* the source's attempts */
	}
}

static void
guess_codes(struct web *b)
{
	for (int i = 0; i < 10; i++)
		web_submit(b, "/flow/totp/", "code=000000&do=login");
	assert_false(web_shows(b, SLOW));
	web_submit(b, "/flow/totp/", "code=000000&do=login");
	assert_true(web_shows(b, SLOW));
}

static void
a_code_makes_a_browser_known_and_a_password_does_not(void **state)
{
	struct world *w = *state;
	struct web owner, thief;
	const char *known;

	open_browser(&owner, w, NULL, "/login?level=substantial");
	log_in(&owner, "erika");
	enter_code(&owner);
	assert_null(web_field(&owner, "code"));
	known = web_cookie(&owner, KNOWN);
	assert_int_equal(strlen(known), 22 + 2 * 44);
	/* Who has the password logs in as often as wanted, and gets no more guesses by that. */
	open_browser(&thief, w, NULL, "/login?level=substantial");
	log_in(&thief, "erika");
	guess_codes(&thief);
	for (int i = 0; i < 2; i++) {
		open_browser(&thief, w, i == 0 ? NULL : web_cookie(&thief, KNOWN),
			     "/login?level=substantial");
		log_in(&thief, "erika");
		assert_non_null(web_cookie(&thief, KNOWN));
		enter_code(&thief);
		assert_true(web_shows(&thief, SLOW));
	}
	/* The password may be stored anew on the way: the code's mark is its own. */
	w->config.password_passes++;
	open_browser(&owner, w, known, "/login?level=substantial");
	log_in(&owner, "erika");
	w->config.password_passes--;
	enter_code(&owner);
	assert_null(web_field(&owner, "code"));
	known = web_cookie(&owner, KNOWN);
	/* An app that is blocked takes its marks along ... */
	set_blocked(w, means_of(w, erika_id, DB_TOTP), true);
	open_browser(&owner, w, known, "/login?level=substantial");
	log_in(&owner, "erika");
	enter_code(&owner);
	assert_true(web_shows(&owner, SLOW));
	set_blocked(w, means_of(w, erika_id, DB_TOTP), false);
	/* ... and the owner's browser has its own ten */
	open_browser(&owner, w, known, "/login?level=substantial");
	log_in(&owner, "erika");
	guess_codes(&owner);
}

static const char *
alert_after(struct world *w, const char *known, const char *login_name)
{
	struct web b;

	open_browser(&b, w, known, "/login");
	guess(&b, login_name, 1);
	assert_int_equal(b.status, 200);
	assert_true(known == NULL ? web_cookie(&b, KNOWN) == NULL
				  : text_eq(web_cookie(&b, KNOWN), known));
	const char *alert = between(w->a, b.body, "role=\"alert\"", "<form");

	assert_non_null(alert);
	return alert;
}

static void
with_a_mark_or_without_it_reads_the_same(void **state)
{
	struct world *w = *state;
	const char *known = known_after(w, NULL, "karl");
	const char *wrong = alert_after(w, NULL, "karl"), *slow;
	struct web b;

	assert_string_equal(alert_after(w, known, "karl"), wrong);
	assert_string_equal(alert_after(w, known, "nobody"), wrong);
	assert_string_equal(alert_after(w, NULL, "nobody"), wrong);
	use_up(w, "nobody-else");
	slow = alert_after(w, NULL, "nobody-else");
	assert_string_equal(alert_after(w, known, "nobody-else"), slow);
	open_browser(&b, w, known, "/login");
	guess(&b, "karl", 9);
	assert_string_equal(alert_after(w, known, "karl"), slow);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_known_browser_gets_in_while_a_stranger_guesses),
		T(a_mark_that_we_did_not_make_counts_for_nothing),
		T(a_mark_is_of_one_account),
		T(a_mark_ends_with_the_password),
		T(a_password_stored_anew_keeps_its_browser),
		T(a_known_browser_has_a_budget_too),
		T(a_shared_browser_is_known_to_the_newest),
		T(a_code_makes_a_browser_known_and_a_password_does_not),
		T(with_a_mark_or_without_it_reads_the_same),
	};

	return cmocka_run_group_tests_name("flow known", tests, setup, world_teardown);
}
