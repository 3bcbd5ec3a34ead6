/*
 * The device grant (RFC 8628): a device without a browser gets two codes, a person at a browser
 * answers for it, and the device asks until it hears what.
 */
#include "base/text.h"
#include "tests/flow/polled.h"

#define DEVICE ",\"grant_types\":[\"authorization_code\",\"" DEVICE_GRANT "\"]"

/* A device begins: its codes. */
static json_t *
begin_device(struct web *tv)
{
	web_as_client(tv, "/oidc/device_authorization", "scope=openid+profile");
	assert_int_equal(tv->status, 200);
	return web_json(tv);
}

static const char *
ask_again(struct web *tv, const json_t *codes)
{
	return redeem_device(tv, text_member(codes, "device_code"));
}

/* "karl" types the code and says yes, up to the page that asks for consent. */
static void
agree_to(struct web *b, const json_t *codes)
{
	web_get(b, "/device");
	web_submit(b, "/device",
		   arena_printf(b->w->a, "user_code=%s&do=look", text_member(codes, "user_code")));
	assert_true(web_shows(b, "Ist das Ihr Ger"));
	web_submit(b, "/device", "do=agree");
	if (page_of(b) == LOGIN)
		log_in(b, "karl");
	ASSERT_PAGE(b, CONSENT);
}

static void
a_person_agrees_and_the_device_has_its_tokens(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	const json_t *codes = begin_device(&tv);

	assert_string_equal(text_member(codes, "verification_uri"), BASE "/device");
	assert_string_equal(
		text_member(codes, "verification_uri_complete"),
		arena_printf(w->a, BASE "/device?user_code=%s", text_member(codes, "user_code")));
	assert_int_equal(json_integer_value(json_object_get(codes, "expires_in")), 600);
	assert_int_equal(json_integer_value(json_object_get(codes, "interval")), 5);
	assert_int_equal(strlen(text_member(codes, "user_code")), 9);
	assert_string_equal(ask_again(&tv, codes), "authorization_pending");
	agree_to(&b, codes);
	w->now += 5;
	assert_string_equal(ask_again(&tv, codes), "authorization_pending");
	web_submit(&b, "/flow/consent/", "attr_family_name=1&do=agree");
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, "Ihr Ger"));
	assert_true(web_shows(&b, "ist angemeldet"));
	w->now += 5;
	assert_string_equal(ask_again(&tv, codes), "");
	const char *token = web_member(&tv, "access_token");

	assert_non_null(web_member(&tv, "id_token"));
	web_userinfo(&tv, token);
	assert_int_equal(tv.status, 200);
	assert_non_null(web_member(&tv, "family_name"));
	/* Once; who asks again takes nothing back. */
	assert_string_equal(ask_again(&tv, codes), "invalid_grant");
	web_userinfo(&tv, token);
	assert_int_equal(tv.status, 200);
}

static void
the_session_that_agreed_ends_the_tokens(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	const json_t *codes = begin_device(&tv);

	agree_to(&b, codes);
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_string_equal(ask_again(&tv, codes), "");
	const char *token = web_member(&tv, "access_token");

	log_out(&b);
	web_userinfo(&tv, token);
	assert_int_equal(tv.status, 401);
	/* And one that was not asked for yet gives none. */
	codes = begin_device(&tv);
	agree_to(&b, codes);
	web_submit(&b, "/flow/consent/", "do=agree");
	log_out(&b);
	assert_string_equal(ask_again(&tv, codes), "invalid_grant");
}

static void
a_no_is_told_and_stays(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	/* On the page that asks whose device it is. */
	const json_t *codes = begin_device(&tv);

	web_get(&b, text_member(codes, "verification_uri_complete"));
	assert_true(web_shows(&b, text_member(codes, "user_code")));
	assert_true(web_shows(&b, "Stadtportal"));
	assert_true(web_shows(&b, "Keine Beh"));
	web_submit(&b, "/device", "do=deny");
	assert_true(web_shows(&b, "nicht angemeldet"));
	assert_string_equal(ask_again(&tv, codes), "access_denied");
	assert_int_equal(tv.status, 400); /* RFC 6749 5.2 */
	web_get(&b, text_member(codes, "verification_uri_complete"));
	assert_true(web_shows(&b, "Diesen Code gibt es nicht"));
	/* And at the consent; the device is asked about even where a consent stands. */
	for (int stands = 0; stands < 2; stands++) {
		codes = begin_device(&tv);
		agree_to(&b, codes);
		web_submit(&b, "/flow/consent/", stands ? "do=cancel" : "do=agree");
		assert_string_equal(ask_again(&tv, codes), stands ? "access_denied" : "");
	}
	assert_true(web_shows(&b, "nicht angemeldet"));
}

/* RFC 8628 3.1: who cannot keep a secret says its name. */
static void
a_public_device_says_its_name(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_document(w,
			    "{\"metadata\":{\"redirect_uris\":[\"" OIDC_BACK
			    "\"],\"scope\":\"openid\",\"token_endpoint_auth_method\":"
			    "\"none\"" DEVICE "}}",
			    "{}");
	web_form(&tv, "/oidc/device_authorization", "scope=openid&client_id=" OIDC_CLIENT);
	assert_int_equal(tv.status, 200);
	const json_t *codes = web_json(&tv);

	agree_to(&b, codes);
	web_submit(&b, "/flow/consent/", "do=agree");
	web_form(&tv, "/oidc/token",
		 arena_printf(w->a,
			      "client_id=" OIDC_CLIENT
			      "&grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3A"
			      "device_code&device_code=%s",
			      text_member(codes, "device_code")));
	assert_int_equal(tv.status, 200);
	assert_non_null(web_member(&tv, "access_token"));
	/* And a secret that it does not have is not passed over. */
	web_as_client(&tv, "/oidc/device_authorization", "scope=openid");
	assert_int_equal(tv.status, 401);
}

/* What happens once the flow is taken, before the answer is recorded. */
static void
just_before_the_yes(struct world *w, const char *sql)
{
	pg_sql(w->pg, arena_printf(w->a,
				   "CREATE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS $$"
				   " BEGIN %s; RETURN NULL; END $$; CREATE TRIGGER ends AFTER"
				   " DELETE ON flow FOR EACH ROW EXECUTE FUNCTION ends()",
				   sql));
}

/* A consent that is withdrawn is a no, which the device hears; who is logged out has said nothing.
 */
static void
what_ends_in_the_moment_of_the_yes_gives_nothing(void **state)
{
	static const struct {
		const char *sql, *heard;
	} cases[] = {
		{"INSERT INTO consent (acting, party, given, at) SELECT acting, party, false, at"
		 " FROM consent WHERE party = '" OIDC_CLIENT "' ORDER BY id DESC LIMIT 1",
		 "access_denied"},
		{"DELETE FROM session", "authorization_pending"},
	};
	struct world *w = *state;
	struct web b, tv;

	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		web_init(&b, w);
		const json_t *codes = begin_device(&tv);

		agree_to(&b, codes);
		just_before_the_yes(w, cases[i].sql);
		web_submit(&b, "/flow/consent/", "do=agree");
		pg_sql(w->pg, "DROP TRIGGER ends ON flow; DROP FUNCTION ends");
		assert_false(web_shows(&b, "ist angemeldet"));
		assert_string_equal(ask_again(&tv, codes), cases[i].heard);
	}
}

/* A node that dies between the word and what it gives has heard nothing: it can be said again. */
static void
a_yes_is_there_with_its_grant_or_not_at_all(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	const json_t *codes = begin_device(&tv);

	agree_to(&b, codes);
	pg_sql(w->pg, "CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
		      " RAISE disk_full; END $$; CREATE TRIGGER breaks BEFORE INSERT ON"
		      " grant_code FOR EACH ROW EXECUTE FUNCTION breaks()");
	web_submit(&b, "/flow/consent/", "do=agree");
	pg_sql(w->pg, "DROP TRIGGER breaks ON grant_code; DROP FUNCTION breaks");
	assert_in_range(b.status, 500, 599);
	assert_string_equal(world_value(w, "SELECT count(*) FROM polled WHERE state = 'agreed'"
					   " AND NOT EXISTS (SELECT FROM grant_code g WHERE"
					   " g.hash = polled.code)"),
			    "0");
	assert_string_equal(ask_again(&tv, codes), "authorization_pending");
	agree_to(&b, codes);
	web_submit(&b, "/flow/consent/", "do=agree");
	w->now += 5;
	assert_string_equal(ask_again(&tv, codes), "");
}

static void
who_asks_too_often_is_slowed_down(void **state)
{
	struct world *w = *state;
	struct web tv;

	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	const json_t *codes = begin_device(&tv);

	assert_string_equal(ask_again(&tv, codes), "authorization_pending");
	w->now += 3;
	assert_string_equal(ask_again(&tv, codes), "slow_down");
	w->now += 8;
	assert_string_equal(ask_again(&tv, codes), "slow_down");
	w->now += 14;
	assert_string_equal(ask_again(&tv, codes), "authorization_pending");
}

static void
its_time_is_over_for_both(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	const json_t *codes = begin_device(&tv);

	agree_to(&b, codes);
	w->now += 600;
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(b.status >= 400);
	assert_string_equal(ask_again(&tv, codes), "expired_token");
	web_get(&b, text_member(codes, "verification_uri_complete"));
	assert_true(web_shows(&b, "Diesen Code gibt es nicht"));
}

/* The first word counts, whoever else typed the code. */
static void
of_two_who_answer_one_counts(void **state)
{
	struct world *w = *state;
	struct web b, other, tv;

	web_init(&b, w);
	web_init(&other, w);
	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	const json_t *codes = begin_device(&tv);

	agree_to(&b, codes);
	agree_to(&other, codes);
	web_submit(&other, "/flow/consent/", "do=agree");
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_in_range(b.status, 400, 499); /* no fault of ours */
	assert_string_equal(ask_again(&tv, codes), "");
	/* A no after the yes changes nothing, and is not told as one. */
	const char *denied =
		world_value(w, "SELECT count(*) FROM audit WHERE event = 'request_denied'");

	codes = begin_device(&tv);
	agree_to(&b, codes);
	agree_to(&other, codes);
	web_submit(&other, "/flow/consent/", "do=agree");
	web_submit(&b, "/flow/consent/", "do=cancel");
	assert_in_range(b.status, 400, 499);
	assert_false(web_shows(&b, "nicht angemeldet"));
	assert_string_equal(world_value(w, "SELECT count(*) FROM audit WHERE event ="
					   " 'request_denied'"),
			    denied);
	assert_string_equal(ask_again(&tv, codes), "");
}

/* Eight devices with one code: one has tokens. */
static void
of_many_redemptions_one_succeeds(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	const json_t *codes = begin_device(&tv);

	agree_to(&b, codes);
	web_submit(&b, "/flow/consent/", "do=agree");
	int good = 0;

	for (int i = 0; i < 8; i++)
		good += text_eq(ask_again(&tv, codes), "");
	assert_int_equal(good, 1);
}

static void
codes_are_for_the_client_and_the_grant_they_are_of(void **state)
{
	struct world *w = *state;
	struct web b, tv;
	struct arena *a = w->a;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	const json_t *codes = begin_device(&tv);

	agree_to(&b, codes);
	web_submit(&b, "/flow/consent/", "do=agree");
	/* Not as an authorization code: that uses it up. */
	web_as_client(&tv, "/oidc/token", oidc_redeem_form(w, text_member(codes, "device_code")));
	assert_string_equal(web_member(&tv, "error"), "invalid_grant");
	assert_string_equal(ask_again(&tv, codes), "invalid_grant");
	/* Another client's, and nobody's. */
	codes = begin_device(&tv);
	assert_string_equal(world_value(w, "UPDATE device SET party = 'other' WHERE state ="
					   " 'waiting' RETURNING 1"),
			    "1");
	assert_string_equal(ask_again(&tv, codes), "invalid_grant");
	web_as_client(&tv, "/oidc/token",
		      arena_printf(a, "grant_type=%s&device_code=x",
				   "urn:ietf:params:oauth:grant-type:device_code"));
	assert_string_equal(web_member(&tv, "error"), "invalid_grant");
	web_as_client(&tv, "/oidc/token", "grant_type=" DEVICE_GRANT);
	assert_string_equal(web_member(&tv, "error"), "invalid_request");
	/* Its party is gone: the code leads to nobody. */
	codes = begin_device(&tv);
	world_disable(w, OIDC_CLIENT);
	web_get(&b, text_member(codes, "verification_uri_complete"));
	assert_true(web_shows(&b, "Diesen Code gibt es nicht"));
}

static void
discovery_tells_of_it(void **state)
{
	struct web b;

	web_init(&b, *state);
	web_get(&b, "/.well-known/openid-configuration");
	assert_string_equal(web_member(&b, "device_authorization_endpoint"),
			    BASE "/oidc/device_authorization");
	assert_true(web_shows(&b, "\"" DEVICE_GRANT "\""));
}

static void
who_may_not_begin_gets_no_codes(void **state)
{
	struct world *w = *state;
	struct web tv;

	web_init(&tv, w);
	world_oidc_client(w, "");
	web_as_client(&tv, "/oidc/device_authorization", "scope=openid");
	assert_string_equal(web_member(&tv, "error"), "unauthorized_client");
	web_as_client(&tv, "/oidc/token", "grant_type=" DEVICE_GRANT "&device_code=x");
	assert_string_equal(web_member(&tv, "error"), "unauthorized_client");
	world_oidc_client(w, DEVICE);
	tv.authorization = "Basic eDp5";
	web_form(&tv, "/oidc/device_authorization", "scope=openid");
	assert_int_equal(tv.status, 401);
	web_as_client(&tv, "/oidc/device_authorization", "scope=profile");
	assert_string_equal(web_member(&tv, "error"), "invalid_scope");
	web_as_client(&tv, "/oidc/device_authorization", "scope=openid&scope=openid");
	assert_string_equal(web_member(&tv, "error"), "invalid_request");
}

/* ---- what is typed ---- */

static void
a_code_is_read_as_people_type_it(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	const char *code = text_member(begin_device(&tv), "user_code");
	char lower[16];
	size_t n = 0;

	for (const char *p = code; *p != '\0'; p++)
		if (*p != '-')
			lower[n++] = (char)(*p + 32);
	lower[n] = '\0';
	web_get(&b, "/device");
	web_submit(&b, "/device",
		   arena_printf(w->a, "user_code=+%.3s+%s&do=look", lower, lower + 3));
	assert_true(web_shows(&b, "Ist das Ihr Ger"));
	/* And nothing else is: too short, too long, of other letters, empty. */
	static const char *const others[] = {"BCDF-GHJ", "BCDF-GHJKL", "BCDF-GHJA", "", "BCDFGHJ1"};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		web_get(&b, "/device");
		web_submit(&b, "/device", arena_printf(w->a, "user_code=%s&do=look", others[i]));
		assert_true(web_shows(&b, "Diesen Code gibt es nicht"));
	}
}

/* RFC 8628 5.1: guesses cost attempts, whichever way they come, and a right code none. */
static void
guesses_are_counted(void **state)
{
	struct world *w = *state;
	struct web b, tv;
	int seen = 0;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	b.addr = "192.0.2.77";
	const char *url = text_member(begin_device(&tv), "verification_uri_complete");

	for (int i = 0; i < 300; i++)
		web_get(&b, url);
	assert_true(web_shows(&b, "Ist das Ihr Ger"));
	for (; seen < 300; seen++) {
		web_get(&b, "/device?user_code=BCDF-GHJK");
		if (!web_shows(&b, "Diesen Code gibt es nicht"))
			break;
	}
	assert_in_range(seen, 1, 200);
	/* The right one is not looked at either, until the window is over. */
	web_get(&b, url);
	assert_false(web_shows(&b, "Ist das Ihr Ger"));
}

/* A page of somebody else's cannot say yes (RFC 8628 5.4). */
static void
the_word_is_the_person_s_own(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, DEVICE);
	const json_t *codes = begin_device(&tv);

	web_get(&b, "/device");
	web_post_from(&b, "https://evil.example", "/device",
		      arena_printf(w->a, "do=agree&user_code=%s", text_member(codes, "user_code")));
	assert_true(b.status >= 400);
	/* A link asks, and no more. */
	web_get(&b,
		arena_printf(w->a, "%s&do=agree", text_member(codes, "verification_uri_complete")));
	assert_false(text_starts(b.path, "/flow/"));
	assert_string_equal(ask_again(&tv, codes), "authorization_pending");
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_person_agrees_and_the_device_has_its_tokens),
		T(the_session_that_agreed_ends_the_tokens),
		T(a_no_is_told_and_stays),
		T(a_public_device_says_its_name),
		T(what_ends_in_the_moment_of_the_yes_gives_nothing),
		T(a_yes_is_there_with_its_grant_or_not_at_all),
		T(who_asks_too_often_is_slowed_down),
		T(its_time_is_over_for_both),
		T(of_two_who_answer_one_counts),
		T(of_many_redemptions_one_succeeds),
		T(codes_are_for_the_client_and_the_grant_they_are_of),
		T(who_may_not_begin_gets_no_codes),
		T(discovery_tells_of_it),
		T(a_code_is_read_as_people_type_it),
		T(guesses_are_counted),
		T(the_word_is_the_person_s_own),
	};

	return cmocka_run_group_tests_name("flow device", tests, steps_setup, world_teardown);
}
