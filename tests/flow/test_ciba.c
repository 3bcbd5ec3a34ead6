/*
 * OpenID Connect CIBA: a client without the person's browser names whom it means, the person
 * answers at our page, and the client asks until it hears what, or is told by a ping.
 */
#include "base/text.h"
#include "tests/flow/polled.h"

/* ---- the whole of it ---- */

static void
a_person_agrees_and_the_client_has_its_tokens(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *sub = karl_sub(w);
	const char *id = begin(&tv, sub, "&binding_message=Wohngeld+WG-4711");

	assert_true(strlen(id) >= 43);
	assert_int_equal(json_integer_value(json_object_get(web_json(&tv), "expires_in")), 600);
	assert_int_equal(json_integer_value(json_object_get(web_json(&tv), "interval")), 5);
	assert_string_equal(redeem(&tv, id), "authorization_pending");
	web_get(&b, "/account");
	log_in(&b, "karl");
	assert_true(web_shows(&b, "Ein Portal wartet auf Ihre Antwort"));
	open_list(&b);
	assert_true(web_shows(&b, "Stadtportal"));
	assert_true(web_shows(&b, "Wohngeld WG-4711"));
	web_submit(&b, "/requests", "do=agree");
	ASSERT_PAGE(&b, CONSENT); /* profile was not agreed to yet */
	web_submit(&b, "/flow/consent/", "attr_family_name=1&do=agree");
	assert_string_equal(b.path, "/requests?notice=request_agreed");
	assert_true(web_shows(&b, "Sie haben zugestimmt"));
	assert_true(web_shows(&b, "wartet keine Anfrage"));
	w->now += 5;
	assert_string_equal(redeem(&tv, id), "");
	const json_t *got = oidc_token_says(w, web_member(&tv, "id_token"));
	const char *token = web_member(&tv, "access_token");

	assert_string_equal(text_member(got, "sub"), sub);
	assert_non_null(text_member(got, "at_hash"));
	assert_non_null(text_member(got, "acr"));
	assert_int_equal(json_integer_value(json_object_get(got, "auth_time")), w->now - 5);
	assert_null(json_object_get(got, "urn:openid:params:jwt:claim:auth_req_id"));
	web_userinfo(&tv, token);
	assert_int_equal(tv.status, 200);
	assert_non_null(web_member(&tv, "family_name"));
	/* Once; who asks again, in this way or another, takes nothing back. */
	for (int i = 0; i < 2; i++) {
		if (i > 0)
			web_as_client(&tv, "/oidc/token", oidc_redeem_form(w, id));
		else
			redeem(&tv, id);
		assert_string_equal(web_member(&tv, "error"), "invalid_grant");
		web_userinfo(&tv, token);
		assert_int_equal(tv.status, 200);
	}
	assert_string_equal(world_value(w, "SELECT count(*) FROM audit WHERE event ="
					   " 'request_made'"),
			    "1");
}

static void
who_asks_too_often_is_slowed_down(void **state)
{
	struct world *w = *state;
	struct web tv;

	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *id = begin(&tv, karl_sub(w), "");

	assert_string_equal(redeem(&tv, id), "authorization_pending");
	w->now += 3;
	assert_string_equal(redeem(&tv, id), "slow_down");
	w->now += 8;
	assert_string_equal(redeem(&tv, id), "slow_down");
	w->now += 14;
	assert_string_equal(redeem(&tv, id), "authorization_pending");
}

static void
it_waits_as_long_as_asked_within_limits(void **state)
{
	static const struct {
		const char *more;
		int expires_in;
	} cases[] = {{"&requested_expiry=120", 120}, {"&requested_expiry=86400", 3600}, {"", 600}};
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *sub = karl_sub(w);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *id = begin(&tv, sub, cases[i].more);

		assert_int_equal(json_integer_value(json_object_get(web_json(&tv), "expires_in")),
				 cases[i].expires_in);
		w->now += cases[i].expires_in;
		assert_string_equal(redeem(&tv, id), "expired_token");
		open_list(&b);
		assert_true(web_shows(&b, "wartet keine Anfrage"));
	}
	/* And while the person is at the consent. */
	const char *id = begin(&tv, sub, "");

	open_list(&b);
	web_submit(&b, "/requests", "do=agree");
	ASSERT_PAGE(&b, CONSENT);
	w->now += 600;
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_in_range(b.status, 400, 499);
	assert_string_equal(redeem(&tv, id), "expired_token");
}

/* ---- whom a client may ask ---- */

static void
a_person_is_named_by_what_the_client_knows_alone(void **state)
{
	struct world *w = *state;
	struct arena *a = w->a;
	struct web tv;

	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *token = karl_was_there(w);

	/* By the ID token, also when it has expired. */
	w->now += 3600;
	assert_string_equal(try_begin(&tv, arena_printf(a, "scope=openid&id_token_hint=%s", token)),
			    "");
	/* Not by what others know: the login name, the name at another sector, nothing. */
	assert_string_equal(try_begin(&tv, "scope=openid&login_hint=karl"), "unknown_user_id");
	assert_string_equal(
		try_begin(&tv,
			  "scope=openid&login_hint=sub-of-nobody-0000000000000000000000000000"),
		"unknown_user_id");
	pg_sql(w->pg, "UPDATE pseudonym SET sector = 'other.example'");
	assert_string_equal(try_begin(&tv, arena_printf(a, "scope=openid&id_token_hint=%s", token)),
			    "unknown_user_id");
}

/* Nor does it ask who has taken the consent back, or who is known to it from elsewhere alone. */
static void
who_does_not_agree_to_a_client_is_not_asked_by_it(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *form = arena_printf(w->a, "scope=openid&login_hint=%s", karl_sub(w));

	log_in_aside(&b, "karl");
	web_get(&b, "/account");
	web_post(&b, "/account", "", "do=withdraw&consent=" OIDC_CLIENT);
	assert_string_equal(try_begin(&tv, form), "unknown_user_id");
	karl_was_there(w);
	assert_string_equal(try_begin(&tv, form), "");
	pg_sql(w->pg,
	       "DELETE FROM polled; UPDATE consent SET party = 'other' WHERE party = '" OIDC_CLIENT
	       "'");
	assert_string_equal(try_begin(&tv, form), "unknown_user_id");
}

static void
an_account_that_is_not_active_is_nobody(void **state)
{
	struct world *w = *state;
	struct web tv;

	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *sub = karl_sub(w), *form;

	form = arena_printf(w->a, "scope=openid&login_hint=%s", sub);
	pg_sql(w->pg, "UPDATE subject SET state = 'disabled' WHERE id IN (SELECT subject FROM"
		      " pseudonym)");
	assert_string_equal(try_begin(&tv, form), "unknown_user_id");
	pg_sql(w->pg, "UPDATE subject SET state = 'active'");
	assert_string_equal(try_begin(&tv, form), "");
}

/* A portal cannot wear a person down (docs/threats.md). */
static void
a_person_is_asked_within_limits(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *sub = karl_sub(w);
	const char *form = arena_printf(w->a, "scope=openid&login_hint=%s", sub);

	/* One of this client at a time. */
	assert_string_equal(try_begin(&tv, form), "");
	/* It costs no work of the signer, which there is none of here. */
	struct signer *signer = w->app.signer;

	w->app.signer = NULL;
	assert_string_equal(try_begin(&tv, arena_printf(w->a, "%s&binding_message=more", form)),
			    "access_denied");
	w->app.signer = signer;
	assert_int_equal(tv.status, 403);
	/* Five in an hour, whatever became of them. */
	for (int i = 0; i < 4; i++) {
		open_list(&b);
		web_submit(&b, "/requests", "do=deny");
		assert_string_equal(try_begin(&tv, form), "");
	}
	open_list(&b);
	web_submit(&b, "/requests", "do=deny");
	assert_string_equal(try_begin(&tv, form), "access_denied");
	w->now += 3600;
	assert_string_equal(try_begin(&tv, form), "");
	/* Three of all clients. */
	pg_sql(w->pg, "UPDATE polled SET party = 'other'");
	pg_sql(w->pg, "INSERT INTO polled (hash, user_hash, day, code, party, scope, state, pause,"
		      " soon, created, expires, kind, acting) SELECT sha256(n::text::bytea),"
		      " sha256(n::text::bytea), day, code, 'other' || n, scope, state, pause, soon,"
		      " created, expires, kind, acting FROM polled, generate_series(1, 2) n"
		      " WHERE state = 'waiting'");
	assert_string_equal(try_begin(&tv, form), "access_denied");
	pg_sql(w->pg, "DELETE FROM polled WHERE party = 'other1'");
	assert_string_equal(try_begin(&tv, form), "");
}

/* ---- who may ask at all ---- */

static void
who_may_not_begin_gets_no_request(void **state)
{
	struct world *w = *state;
	struct web tv;

	web_init(&tv, w);
	world_oidc_client(w, "");
	const char *sub = karl_sub(w);
	const char *form = arena_printf(w->a, "scope=openid&login_hint=%s", sub);

	assert_string_equal(try_begin(&tv, form), "unauthorized_client");
	web_as_client(&tv, "/oidc/token", "grant_type=" CIBA_GRANT "&auth_req_id=x");
	assert_string_equal(web_member(&tv, "error"), "unauthorized_client");
	world_oidc_client(w, POLL);
	tv.authorization = "Basic eDp5";
	web_program(&tv, "/oidc/backchannel", "application/x-www-form-urlencoded", form);
	assert_int_equal(tv.status, 401);
	assert_string_equal(try_begin(&tv, arena_printf(w->a, "scope=profile&login_hint=%s", sub)),
			    "invalid_scope");
	assert_string_equal(try_begin(&tv, "scope=openid"), "invalid_request");
	assert_string_equal(try_begin(&tv, arena_printf(w->a, "%s&binding_message=a%%0Ab", form)),
			    "invalid_binding_message");
	/* Not signed, and so not by an algorithm. */
	assert_string_equal(try_begin(&tv, "request=x"), "invalid_request");
}

static void
requests_are_for_the_client_and_the_grant_they_are_of(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, CIBA_GRANTS "\"poll\"");
	const char *sub = karl_sub(w), *id = begin(&tv, sub, "");

	agree(&b);
	web_as_client(&tv, "/oidc/token", "grant_type=" CIBA_GRANT);
	assert_string_equal(web_member(&tv, "error"), "invalid_request");
	assert_string_equal(redeem(&tv, "x"), "invalid_grant");
	/* Not as an authorization code: that uses it up. */
	web_as_client(&tv, "/oidc/token", oidc_redeem_form(w, id));
	assert_string_equal(web_member(&tv, "error"), "invalid_grant");
	assert_string_equal(redeem(&tv, id), "invalid_grant");
	/* Not as a device's, and not another client's. */
	id = begin(&tv, sub, "");
	pg_sql(w->pg, "UPDATE polled SET kind = 'device', acting = NULL WHERE state = 'waiting'");
	assert_string_equal(redeem(&tv, id), "invalid_grant");
	id = begin(&tv, sub, "");
	pg_sql(w->pg, "UPDATE polled SET party = 'other' WHERE state = 'waiting'");
	assert_string_equal(redeem(&tv, id), "invalid_grant");
	/* A party that is gone is not on the list. */
	id = begin(&tv, sub, "");
	world_disable(w, OIDC_CLIENT);
	open_list(&b);
	assert_true(web_shows(&b, "wartet keine Anfrage"));
	web_post(&b, "/requests", "",
		 arena_printf(w->a, "do=agree&request=%s",
			      world_value(w, "SELECT encode(user_hash, 'hex') FROM polled WHERE"
					     " party = '" OIDC_CLIENT "' AND state = 'waiting'")));
	assert_true(web_shows(&b, "wartet nicht mehr"));
}

static void
discovery_tells_of_it(void **state)
{
	struct web b;

	web_init(&b, *state);
	web_get(&b, "/.well-known/openid-configuration");
	const json_t *o = web_json(&b);

	assert_string_equal(text_member(o, "backchannel_authentication_endpoint"),
			    BASE "/oidc/backchannel");
	assert_true(web_shows(&b, "\"backchannel_token_delivery_modes_supported\":[\"poll\","
				  "\"ping\"]"));
	assert_true(web_shows(&b, "\"backchannel_user_code_parameter_supported\":false"));
	assert_true(json_array_size(json_object_get(
			    o, "backchannel_authentication_request_signing_alg_values_supported")) >
		    0);
	assert_true(web_shows(&b, "\"" CIBA_GRANT "\""));
}

/* ---- signed requests ---- */

#define SIGNED ",\"backchannel_authentication_request_signing_alg\":\"ES256\""

static void
signing_client(struct world *w, const char *more)
{
	world_oidc_client(w, arena_printf(w->a, POLL ",\"jwks\":%s%s", client_jwks(w), more));
}

static void
a_signed_request_counts_once_and_alone(void **state)
{
	struct world *w = *state;
	struct arena *a = w->a;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	signing_client(w, SIGNED);
	const char *sub = karl_sub(w);
	const char *times =
		arena_printf(a, "\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld", (long long)w->now,
			     (long long)w->now, (long long)w->now + 300);
	const char *asked = arena_printf(a,
					 "\"scope\":\"openid\",\"login_hint\":\"%s\","
					 "\"requested_expiry\":90,\"binding_message\":\"Grün 7\"",
					 sub);
	const char *request =
		client_signs(w, NULL, arena_printf(a, "\"jti\":\"one\",%s,%s", times, asked));

	assert_string_equal(try_begin(&tv, arena_printf(a, "scope=openid&login_hint=%s", sub)),
			    "invalid_request"); /* it has to be signed */
	assert_string_equal(
		try_begin(&tv, arena_printf(a, "request=%s&binding_message=beside", request)),
		"invalid_request");
	/* What leads to nothing has not used it up. */
	signing_client(w, "");
	begin(&tv, sub, "");
	signing_client(w, SIGNED);
	assert_string_equal(try_begin(&tv, arena_printf(a, "request=%s", request)),
			    "access_denied");
	pg_sql(w->pg, "DELETE FROM polled");
	assert_string_equal(try_begin(&tv, arena_printf(a, "request=%s", request)), "");
	assert_int_equal(json_integer_value(json_object_get(web_json(&tv), "expires_in")), 90);
	open_list(&b);
	assert_true(web_shows(&b, "Grün 7"));
	w->now += 90;
	assert_string_equal(try_begin(&tv, arena_printf(a, "request=%s", request)),
			    "invalid_request");
	/* Each of them is needed. */
	for (int i = 0; i < 2; i++)
		assert_string_equal(
			try_begin(
				&tv,
				arena_printf(
					a, "request=%s",
					client_signs(w, NULL,
						     i == 0 ? arena_printf(a, "%s,%s", times, asked)
							    : arena_printf(a, "\"jti\":\"two\",%s",
									   asked)))),
			"invalid_request");
	/* A client that registered no algorithm signs none. */
	signing_client(w, "");
	request = client_signs(w, NULL, arena_printf(a, "\"jti\":\"three\",%s,%s", times, asked));
	assert_string_equal(try_begin(&tv, arena_printf(a, "request=%s", request)),
			    "invalid_request");
}

static const char *
hinted(struct web *tv, const char *token)
{
	return try_begin(tv, arena_printf(tv->w->a, "scope=openid&login_hint_token=%s", token));
}

static void
a_client_signs_whom_it_means(void **state)
{
	struct world *w = *state;
	struct arena *a = w->a;
	struct web tv;

	web_init(&tv, w);
	signing_client(w, "");
	const char *sub = karl_sub(w);
	const char *who = arena_printf(
		a, "\"sub_id\":{\"format\":\"iss_sub\",\"iss\":\"" BASE "\",\"sub\":\"%s\"}", sub);
	const char *old = arena_printf(a, "\"exp\":%lld,%s", (long long)w->now - 60, who),
		   *good = arena_printf(a, "\"exp\":%lld,%s", (long long)w->now + 60, who);

	assert_string_equal(hinted(&tv, client_signs(w, NULL, old)), "expired_login_hint_token");
	assert_string_equal(hinted(&tv, "x.y.z"), "invalid_request");
	assert_string_equal(hinted(&tv, client_signs(w, NULL, good)), "");
}

/* ---- ping ---- */

static void
a_client_is_told_by_a_ping(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, PING);
	const char *sub = karl_sub(w);

	assert_string_equal(try_begin(&tv, arena_printf(w->a, "scope=openid&login_hint=%s", sub)),
			    "invalid_request"); /* no token to tell it with */
	for (int no = 0; no < 2; no++) {
		far_answers(w, 204);
		const char *id = begin(&tv, sub, "&client_notification_token=" TOKEN);

		/* Neither is in the database to be read. */
		assert_string_equal(
			world_value(w, "SELECT count(*) FROM polled WHERE ping LIKE '%" TOKEN "%'"),
			"0");
		assert_false(send_one(w));
		if (no) {
			open_list(&b);
			web_submit(&b, "/requests", "do=deny");
		} else {
			agree(&b);
		}
		assert_true(send_one(w));
		assert_int_equal(far.n_requests, 1);
		assert_string_equal(far.url, NOTIFY);
		assert_string_equal(far.type, "application/json");
		assert_string_equal(far.bearer, TOKEN);
		assert_string_equal(far.body, arena_printf(w->a, "{\"auth_req_id\":\"%s\"}", id));
		assert_string_equal(world_value(w, "SELECT state || result FROM outbox"),
				    "donetold");
		assert_false(send_one(w));
		assert_string_equal(redeem(&tv, id), no ? "access_denied" : "");
	}
}

static void
what_the_client_answers_to_a_ping_is_taken_for_what_it_is(void **state)
{
	static const struct {
		long status;
		const char *row;
	} cases[] = {{200, "donetold"},      {201, "waitingstatus"},   {302, "waitingstatus"},
		     {401, "failedrefused"}, {404, "failedrefused"},   {429, "waitingstatus"},
		     {500, "waitingstatus"}, {0, "waitingnot_reached"}};
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, PING);
	const char *sub = karl_sub(w);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		far_answers(w, cases[i].status);
		pg_sql(w->pg, "DELETE FROM polled");
		begin(&tv, sub, "&client_notification_token=" TOKEN);
		agree(&b);
		assert_true(send_one(w));
		assert_string_equal(world_value(w, "SELECT state || result FROM outbox"),
				    cases[i].row);
	}
	/* Too early: what was agreed to is not there yet. */
	far_answers(w, 204);
	pg_sql(w->pg, "DELETE FROM polled");
	begin(&tv, sub, "&client_notification_token=" TOKEN);
	agree(&b);
	pg_sql(w->pg, "DELETE FROM grant_code");
	assert_true(send_one(w));
	assert_int_equal(far.n_requests, 0);
	assert_string_equal(world_value(w, "SELECT state || result FROM outbox"),
			    "waitingnot_built");
	/* Its client polls now. */
	world_oidc_client(w, POLL);
	w->now += 60;
	assert_true(send_one(w));
	assert_int_equal(far.n_requests, 0);
	assert_string_equal(world_value(w, "SELECT state || result FROM outbox"),
			    "waitingno_endpoint");
}

static void
who_has_asked_by_itself_is_not_told(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, PING);
	const char *sub = karl_sub(w);

	for (int gone = 0; gone < 2; gone++) {
		far_answers(w, 204);
		const char *id = begin(&tv, sub, "&client_notification_token=" TOKEN);

		agree(&b);
		if (gone)
			pg_sql(w->pg, "DELETE FROM polled");
		else
			assert_string_equal(redeem(&tv, id), "");
		assert_true(send_one(w));
		assert_int_equal(far.n_requests, 0);
		assert_string_equal(world_value(w, "SELECT state || result FROM outbox"),
				    "donehad");
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, polled_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_person_agrees_and_the_client_has_its_tokens),
		T(who_asks_too_often_is_slowed_down),
		T(it_waits_as_long_as_asked_within_limits),
		T(a_person_is_named_by_what_the_client_knows_alone),
		T(who_does_not_agree_to_a_client_is_not_asked_by_it),
		T(an_account_that_is_not_active_is_nobody),
		T(a_person_is_asked_within_limits),
		T(who_may_not_begin_gets_no_request),
		T(requests_are_for_the_client_and_the_grant_they_are_of),
		T(discovery_tells_of_it),
		T(a_signed_request_counts_once_and_alone),
		T(a_client_signs_whom_it_means),
		T(a_client_is_told_by_a_ping),
		T(what_the_client_answers_to_a_ping_is_taken_for_what_it_is),
		T(who_has_asked_by_itself_is_not_told),
	};

	return cmocka_run_group_tests_name("flow ciba", tests, steps_setup, world_teardown);
}
