/* Refresh tokens: who gets one, what it gives, and how it ends. */
#include "base/text.h"
#include "db/account.h"
#include "tests/flow/tokens.h"

static void
offline_access_is_agreed_to_and_gives_a_refresh_token(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, OFFLINE, ""));
	web_submit(&b, "/flow/password/", LOGIN);
	assert_true(web_shows(&b, "nicht angemeldet"));
	web_submit(&b, "/flow/consent/", "attr_email=1&do=agree");
	const json_t *t = web_redeem(&b, location_param(&b, "code"));

	assert_non_null(text_member(t, "refresh_token"));
	assert_string_equal(text_member(t, "scope"), "openid email address offline_access");
	web_get(&b, "/account");
	assert_true(web_shows(&b, "Abruf auch ohne Anmeldung"));
	/* Agreed to; a login without it is less, and gives none. */
	web_get(&b, oidc_request_url(w, OFFLINE, ""));
	assert_non_null(location_param(&b, "code"));
	web_get(&b, oidc_request_url(w, "openid email address", ""));
	assert_null(text_member(web_redeem(&b, location_param(&b, "code")), "refresh_token"));
}

static void
an_agreed_login_is_no_offline_access(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "karl", PASSWORD, tokens_erika, LEVEL_BASIC);
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid email address", ""));
	web_submit(&b, "/flow/password/", "login_name=karl&password=" PASSWORD "&do=login");
	assert_false(web_shows(&b, "nicht angemeldet"));
	web_submit(&b, "/flow/consent/", "attr_email=1&do=agree");
	assert_non_null(location_param(&b, "code"));
	web_get(&b, oidc_request_url(w, OFFLINE, ""));
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, "nicht angemeldet"));
}

static void
who_may_not_refresh_gets_no_such_token(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = login_offline(&b);

	register_client(w, "");
	const json_t *t = web_redeem(&b, code_of(&b, OFFLINE, ""));

	assert_null(text_member(t, "refresh_token"));
	assert_string_equal(text_member(t, "scope"), "openid email address");
	assert_refused(&b, token, "", "unauthorized_client");
}

/* Core 12.2 */
static void
a_refresh_gives_tokens_of_the_same_login(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const json_t *first = web_redeem(&b, code_of(&b, OFFLINE, ""));
	const json_t *before = oidc_token_says(w, text_member(first, "id_token"));

	w->now += 1000;
	const json_t *t = refreshed(&b, text_member(first, "refresh_token"), "");
	const json_t *after = oidc_token_says(w, text_member(t, "id_token"));
	static const char *const same[] = {"iss", "sub", "aud", "acr", "sid"};

	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		assert_string_equal(text_member(before, same[i]), text_member(after, same[i]));
	assert_int_equal(json_integer_value(json_object_get(after, "auth_time")),
			 json_integer_value(json_object_get(before, "auth_time")));
	assert_int_equal(json_integer_value(json_object_get(after, "iat")), w->now);
	assert_null(json_object_get(after, "nonce"));
	assert_string_equal(text_member(t, "scope"), "openid email address offline_access");
	assert_string_not_equal(text_member(t, "refresh_token"),
				text_member(first, "refresh_token"));
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 200);
	assert_string_equal(web_member(&b, "email"), "erika@example.invalid");
}

static void
scope_only_narrows(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = text_member(web_redeem(&b, code_of(&b, OFFLINE, "&prompt=consent")),
					"refresh_token");

	assert_refused(&b, token, "&scope=openid+profile", "invalid_scope");
	const json_t *t = refreshed(&b, token, "&scope=openid+address");

	assert_string_equal(text_member(t, "scope"), "openid address");
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 200);
	const json_t *u = web_json(&b);

	assert_null(json_object_get(u, "email"));
	assert_null(json_object_get(json_object_get(u, "claim_levels"), "email"));
	assert_string_equal(text_member(json_object_get(u, "address"), "locality"), "Dresden");
	/* The refresh token's own scope is what it was. */
	t = refreshed(&b, text_member(t, "refresh_token"), "");
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 200);
	assert_non_null(json_object_get(web_json(&b), "email"));
	/* Without openid there is neither ID token nor userinfo. */
	t = refreshed(&b, text_member(t, "refresh_token"), "&scope=email");
	assert_null(text_member(t, "id_token"));
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 403);
	assert_string_equal(web_member(&b, "error"), "insufficient_scope");
}

static void
a_lost_answer_is_asked_for_again(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = login_offline(&b);
	const char *next = text_member(refreshed(&b, token, ""), "refresh_token");

	w->now += 20;
	assert_string_equal(text_member(refreshed(&b, token, ""), "refresh_token"), next);
	refreshed(&b, next, "");
}

static void
a_used_token_ends_all_of_the_grant(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = login_offline(&b);
	const char *next = text_member(refreshed(&b, token, ""), "refresh_token");
	const json_t *last = refreshed(&b, next, "");

	assert_refused(&b, token, "", "invalid_grant");
	assert_refused(&b, text_member(last, "refresh_token"), "", "invalid_grant");
	assert_int_equal(userinfo(&b, text_member(last, "access_token")), 401);
	assert_string_equal(world_value(w, "SELECT count(subject) FROM audit WHERE event ="
					   " 'grant_revoked' AND details->>'why' ="
					   " 'refresh token used twice'"),
			    "1");
	assert_refused(&b, "x", "", "invalid_grant");
	assert_refused(&b, "", "", "invalid_request");
}

/* What an operator takes out of the record counts for grants that there are, too. */
static void
a_refresh_gives_no_more_than_the_record_of_today(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = text_member(web_redeem(&b, code_of(&b, OFFLINE, "&prompt=consent")),
					"refresh_token");

	register_with(w, MAY, ",\"attribute\":[\"locality\",\"street_address\"]");
	const json_t *t = refreshed(&b, token, "");

	assert_string_equal(text_member(t, "scope"), OFFLINE);
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 200);
	const json_t *u = web_json(&b);

	assert_null(json_object_get(u, "email"));
	assert_null(json_object_get(json_object_get(u, "claim_levels"), "email"));
	assert_string_equal(text_member(json_object_get(u, "address"), "locality"), "Dresden");

	register_client(w, MAY ",\"scope\":\"openid email offline_access\"");
	t = refreshed(&b, text_member(t, "refresh_token"), "");
	assert_string_equal(text_member(t, "scope"), "openid email offline_access");
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 200);
	u = web_json(&b);
	assert_non_null(json_object_get(u, "email"));
	assert_null(json_object_get(u, "address"));

	/* It was told more than it may be told now. */
	token = text_member(t, "refresh_token");
	register_with(w, MAY, ",\"level-cap\":\"basic\"");
	assert_refused(&b, token, "", "invalid_grant");
	register_client(w, MAY);
	refreshed(&b, token, "");
}

/* A code as well; it gives nothing where more was agreed to than may be given. */
static void
a_code_gives_no_more_than_the_record_of_today(void **state)
{
	static const char live[] = "SELECT count(*) FROM access_token WHERE revoked_at IS NULL";
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *code = code_of(&b, OFFLINE, "");

	register_with(w, MAY, ",\"attribute\":[\"locality\",\"street_address\"]");
	assert_int_equal(userinfo(&b, text_member(web_redeem(&b, code), "access_token")), 200);
	const json_t *u = web_json(&b);

	assert_null(json_object_get(u, "email"));
	assert_string_equal(text_member(json_object_get(u, "address"), "locality"), "Dresden");
	const char *before = arena_strdup(w->a, world_value(w, live));

	for (int level = 0; level < 2; level++) {
		register_client(w, MAY);
		code = code_of(&b, OFFLINE, "");
		if (level)
			register_with(w, MAY, ",\"level-cap\":\"basic\"");
		else
			register_client(w, MAY ",\"scope\":\"openid email offline_access\"");
		web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
		assert_int_equal(b.status, 400);
		assert_string_equal(web_member(&b, "error"), "invalid_grant");
	}
	assert_string_equal(world_value(w, live), before);
}

/* FAPI2SP 5.3.2.1 */
static void
a_profile_may_want_it_to_stay(void **state)
{
	struct world *w = *state;
	struct oidc_client *client;
	struct web b;

	web_init(&b, w);
	const char *token = login_offline(&b);
	const struct snapshot *snap = snapshot_hold(&w->app.snapshots);

	client = (struct oidc_client *)(uintptr_t)party_find(&snap->parties, OIDC_CLIENT)->oidc;
	client->profile = &(struct oidc_profile){"stable", OIDC_CHECK_STABLE_REFRESH};
	for (int i = 0; i < 3; i++) {
		w->now += 100;
		assert_string_equal(text_member(refreshed(&b, token, ""), "refresh_token"), token);
	}
	client->profile = oidc_profile_find("oauth");
	snapshot_release(snap);
}

static void
what_was_agreed_to_outlives_the_login_and_not_the_consent(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = login_offline(&b);

	web_get(&b, "/logout");
	web_submit(&b, "/logout", "do=logout");
	const json_t *t = refreshed(&b, token, "");

	web_get(&b, "/login");
	web_submit(&b, "/flow/password/", LOGIN);
	web_get(&b, "/account");
	w->now += 1;
	web_post(&b, "/account", "", "do=withdraw&consent=" OIDC_CLIENT);
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 401);
	assert_refused(&b, text_member(t, "refresh_token"), "", "invalid_grant");
}

static void
one_of_the_session_ends_with_it(void **state)
{
	struct world *w = *state;
	struct web b;

	register_client(w, MAY ",\"refresh_tokens\":\"session\"");
	web_init(&b, w);
	const json_t *t = web_redeem(&b, code_of(&b, "openid", ""));

	assert_string_equal(text_member(t, "scope"), "openid");
	t = refreshed(&b, text_member(t, "refresh_token"), "");
	web_get(&b, "/logout");
	web_submit(&b, "/logout", "do=logout");
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 401);
	assert_refused(&b, text_member(t, "refresh_token"), "", "invalid_grant");
}

static void
it_ends_when_it_is_not_used_and_at_last(void **state)
{
	struct world *w = *state;
	time_t start = w->now;
	struct web b;

	web_init(&b, w);
	const char *idle = login_offline(&b);
	const char *token = login_offline(&b);

	for (int day = 29; day < 90; day += 29) {
		w->now = start + day * (time_t)86400;
		pg_sql(w->pg,
		       arena_printf(w->a, "SELECT partitions_maintain(0, %lld, %lld)",
				    (long long)w->now / 86400, (long long)w->now / 86400 + 1));
		token = text_member(refreshed(&b, token, ""), "refresh_token");
	}
	assert_refused(&b, idle, "", "invalid_grant");
	w->now = start + 90 * (time_t)86400;
	assert_refused(&b, token, "", "invalid_grant");
	w->now = start;
}

static void
who_is_switched_off_gets_nothing(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	struct web b;

	web_init(&b, w);
	const char *token = login_offline(&b);

	world_disable(w, OIDC_CLIENT);
	assert_int_equal(refresh(&b, token, ""), 401);
	register_client(w, MAY);
	token = text_member(refreshed(&b, token, ""), "refresh_token");
	ASSERT_OK(db_account_set_state(&w->pg->c, tokens_person, DB_DISABLED, NULL, w->now, &err),
		  &err);
	assert_refused(&b, token, "", "invalid_grant");
	ASSERT_OK(db_account_set_state(&w->pg->c, tokens_person, DB_ACTIVE, NULL, w->now, &err),
		  &err);
	assert_refused(&b, token, "", "invalid_grant");
}

static void
only_what_was_offered_and_left_out_ends_a_refresh_token(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token = text_member(web_redeem(&b, code_of(&b, OFFLINE, "&prompt=consent")),
					"refresh_token");

	agree_anew(&b, "openid email", "attr_email=1&");
	token = text_member(refreshed(&b, token, ""), "refresh_token");
	agree_anew(&b, "openid profile", "");
	token = text_member(refreshed(&b, token, ""), "refresh_token");
	agree_anew(&b, "openid email", "");
	assert_refused(&b, token, "", "invalid_grant");
}

#define T(f) cmocka_unit_test_setup_teardown(f, tokens_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(offline_access_is_agreed_to_and_gives_a_refresh_token),
		T(an_agreed_login_is_no_offline_access),
		T(who_may_not_refresh_gets_no_such_token),
		T(a_refresh_gives_tokens_of_the_same_login),
		T(scope_only_narrows),
		T(a_lost_answer_is_asked_for_again),
		T(a_used_token_ends_all_of_the_grant),
		T(a_refresh_gives_no_more_than_the_record_of_today),
		T(a_code_gives_no_more_than_the_record_of_today),
		T(a_profile_may_want_it_to_stay),
		T(what_was_agreed_to_outlives_the_login_and_not_the_consent),
		T(one_of_the_session_ends_with_it),
		T(it_ends_when_it_is_not_used_and_at_last),
		T(who_is_switched_off_gets_nothing),
		T(only_what_was_offered_and_left_out_ends_a_refresh_token),
	};

	return cmocka_run_group_tests_name("flow offline", tests, tokens_setup, world_teardown);
}
