/*
 * Requests that wait for a person (OpenID Connect CIBA): who answers them at our page, what counts
 * as an answer, and how the person is told that something waits.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "db/account.h"
#include "idp/fetch.h"
#include "tests/flow/polled.h"

/* ---- who may answer ---- */

static void
a_no_is_told_and_stays(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *sub = karl_sub(w), *id = begin(&tv, sub, "");

	open_list(&b);
	web_submit(&b, "/requests", "do=deny");
	assert_true(web_shows(&b, "Sie haben abgelehnt"));
	assert_string_equal(redeem(&tv, id), "access_denied");
	assert_int_equal(tv.status, 400); /* CIBA Core 1.0, 11 */
	assert_string_equal(world_value(w, "SELECT party FROM audit WHERE event ="
					   " 'request_denied'"),
			    OIDC_CLIENT);
	/* And at the consent. */
	id = begin(&tv, sub, "");
	open_list(&b);
	web_submit(&b, "/requests", "do=agree");
	ASSERT_PAGE(&b, CONSENT);
	web_submit(&b, "/flow/consent/", "do=cancel");
	assert_true(web_shows(&b, "Sie haben abgelehnt"));
	assert_string_equal(redeem(&tv, id), "access_denied");
	/* The form that agreed or refused, sent once more. */
	web_post(&b, "/requests", "", "do=agree&request=00");
	assert_true(web_shows(&b, "wartet nicht mehr"));
	web_post(&b, "/requests", "", "do=agree&request=zz");
	assert_true(web_shows(&b, "wartet nicht mehr"));
	web_post(&b, "/requests", "", "do=agree");
	assert_true(web_shows(&b, "wartet nicht mehr"));
}

static void
nobody_else_answers(void **state)
{
	struct world *w = *state;
	struct web b, other, tv;

	web_init(&b, w);
	web_init(&other, w);
	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *id = begin(&tv, karl_sub(w), "");

	open_list(&b);
	const char *handle = web_field(&b, "request");

	log_in_aside(&other, "erika");
	web_get(&other, "/requests");
	assert_true(web_shows(&other, "wartet keine Anfrage"));
	for (int i = 0; i < 2; i++) {
		web_post(&other, "/requests", "",
			 arena_printf(w->a, "request=%s&do=%s", handle, i ? "agree" : "deny"));
		assert_true(web_shows(&other, "wartet nicht mehr"));
	}
	/* Who takes over the browser between the click and the consent is somebody else, too. */
	web_submit(&b, "/requests", "do=agree");
	ASSERT_PAGE(&b, CONSENT);
	const char *flow = flow_of(&b);

	log_out(&b);
	log_in_aside(&b, "erika");
	web_get(&b, arena_printf(w->a, "/flow/%s", flow));
	if (page_of(&b) == LOGIN)
		log_in(&b, "erika");
	assert_true(web_shows(&b, "anderes Konto"));
	/* Which is no answer. */
	assert_string_equal(redeem(&tv, id), "authorization_pending");
	/* A page of somebody else's cannot say yes. */
	open_list(&b);
	web_post_from(&b, "https://evil.example", "/requests",
		      arena_printf(w->a, "request=%s&do=agree", handle));
	assert_true(b.status >= 400);
	/* A link asks for nothing, and without a login there is none. */
	web_init(&other, w);
	web_get(&other, arena_printf(w->a, "/requests?request=%s&do=agree", handle));
	assert_int_equal(page_of(&other), LOGIN);
	assert_string_equal(redeem(&tv, id), "slow_down");
}

static void
the_level_asked_for_is_logged_in_at(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, POLL);
	/* erika has a second means. */
	struct web e, token;

	web_init(&e, w);
	web_init(&token, w);
	web_get(&e, oidc_request_url(w, "openid", ""));
	log_in(&e, "erika");
	if (page_of(&e) == CONSENT)
		web_submit(&e, "/flow/consent/", "do=agree");
	web_token(&token, oidc_basic(w), oidc_redeem_form(w, location_param(&e, "code")));
	const char *sub =
		text_member(oidc_token_says(w, text_member(web_json(&token), "id_token")), "sub");
	const char *id = begin(&tv, sub, "&acr_values=substantial");

	web_get(&b, "/requests");
	log_in(&b, "erika");
	assert_true(web_shows(&b, "Verlangtes Vertrauensniveau"));
	web_submit(&b, "/requests", "do=agree");
	ASSERT_PAGE(&b, CODE);
	/* Who leaves there has not answered. */
	web_submit(&b, "/flow/totp/", "do=cancel");
	assert_string_equal(b.path, "/requests");
	assert_string_equal(redeem(&tv, id), "authorization_pending");
	web_submit(&b, "/requests", "do=agree");
	enter_code(&b);
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(web_shows(&b, "Sie haben zugestimmt"));
	assert_string_equal(redeem(&tv, id), "");
	assert_string_equal(text_member(oidc_token_says(w, web_member(&tv, "id_token")), "acr"),
			    "substantial");
}

/* Nor is a page that is only looked at, or shown anew. */
static void
nothing_but_a_form_answers(void **state)
{
	struct world *w = *state;
	struct web b, tv, token;

	web_init(&b, w);
	web_init(&tv, w);
	web_init(&token, w);
	world_oidc_client(w, POLL);
	web_get(&b, oidc_request_url(w, "openid", "&acr_values=substantial"));
	log_in(&b, "erika");
	enter_code(&b);
	web_submit(&b, "/flow/consent/", "do=agree");
	const char *sub = text_member(
		oidc_token_says(
			w, text_member(web_redeem(&token, location_param(&b, "code")), "id_token")),
		"sub");

	/* A consent stands, and only the second means is missing. */
	for (int unreachable = 0; unreachable < 2; unreachable++) {
		assert_string_equal(
			try_begin(&tv, arena_printf(w->a,
						    "scope=openid&acr_values=substantial&"
						    "login_hint=%s",
						    sub)),
			"");
		const char *id = web_member(&tv, "auth_req_id");

		web_init(&b, w);
		web_get(&b, "/requests");
		log_in(&b, "erika");
		web_submit(&b, "/requests", "do=agree");
		ASSERT_PAGE(&b, CODE);
		if (unreachable) {
			const char *path = arena_printf(w->a, "/flow/%s", flow_of(&b));

			pg_sql(w->pg, "UPDATE party SET policy = '{\"level\":\"high\"}'");
			world_reload(w);
			web_get(&b, path);
			assert_string_equal(b.path, "/requests");
		} else {
			enter_code(&b);
			ASSERT_PAGE(&b, CONSENT);
			web_get(&b, arena_printf(w->a, "/flow/%s", flow_of(&b)));
			ASSERT_PAGE(&b, CONSENT);
		}
		assert_string_equal(redeem(&tv, id), "authorization_pending");
		if (unreachable)
			break;
		web_submit(&b, "/flow/consent/", "do=agree");
		assert_true(web_shows(&b, "Sie haben zugestimmt"));
		assert_string_equal(redeem(&tv, id), "");
	}
}

static void
the_session_that_agreed_ends_the_tokens(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *sub = karl_sub(w), *id = begin(&tv, sub, "");

	agree(&b);
	assert_string_equal(redeem(&tv, id), "");
	const char *token = web_member(&tv, "access_token");

	log_out(&b);
	web_userinfo(&tv, token);
	assert_int_equal(tv.status, 401);
	/* And one that was not asked for yet gives none. */
	id = begin(&tv, sub, "");
	agree(&b);
	log_out(&b);
	assert_string_equal(redeem(&tv, id), "invalid_grant");
	/* The account is looked at when tokens are given, not when they are asked for. */
	id = begin(&tv, sub, "");
	agree(&b);
	pg_sql(w->pg, "UPDATE subject SET state = 'disabled' WHERE id IN (SELECT acting FROM"
		      " polled)");
	pg_sql(w->pg, "DELETE FROM session");
	assert_string_equal(redeem(&tv, id), "invalid_grant");
	pg_sql(w->pg, "UPDATE subject SET state = 'active'");
}

/* Eight who agree at once with the same form: one answer, one grant. */
static void
of_many_who_agree_at_once_one_counts(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *id = begin(&tv, karl_sub(w), "");

	agree(&b); /* so that a consent stands */
	assert_string_equal(redeem(&tv, id), "");
	id = begin(&tv, text_member(oidc_token_says(w, web_member(&tv, "id_token")), "sub"), "");
	open_list(&b);
	web_fill_in(&b, "/requests", "do=agree");
	assert_int_equal(web_at_once(&b, NULL, "/requests?notice=request_agreed"), 1);
	assert_string_equal(
		world_value(w, arena_printf(w->a,
					    "SELECT count(*) FROM grant_code WHERE taken_at IS"
					    " NULL AND created = %lld",
					    (long long)w->now)),
		"1");
	assert_string_equal(redeem(&tv, id), "");
}

/* ---- mail ---- */

static struct {
	struct world *w;
	const char *to, *from, *message;
	int n;
	enum err_kind refusal;
} post_box;

static bool
take_mail(struct arena *a UNUSED, const struct fetch_mail *what, struct err *err)
{
	post_box.n++;
	post_box.to = arena_strdup(post_box.w->a, what->to);
	post_box.from = arena_strdup(post_box.w->a, what->from);
	post_box.message =
		arena_strndup(post_box.w->a, (const char *)what->message.p, what->message.n);
	return post_box.refusal == ERR_NONE ||
	       FAIL(err, post_box.refusal, NULL, "the relay says no");
}

static void
open_post_box(struct world *w)
{
	memset(&post_box, 0, sizeof(post_box));
	post_box.w = w;
	w->app.mail = take_mail;
	w->config.mail_relay = "smtp://127.0.0.1";
	w->config.mail_from = "konto@konto.example";
}

static const char *
body_of(struct arena *a, const char *message)
{
	const char *encoded = strstr(message, "\r\n\r\n");
	struct bytes plain;
	struct err err = {0};

	assert_non_null(encoded);
	ASSERT_OK(dec_base64(a, bytes_of(encoded + 4), true, &plain, &err), &err);
	return arena_strndup(a, (const char *)plain.p, plain.n);
}

static void
a_person_is_written_to(void **state)
{
	struct world *w = *state;
	struct web tv;

	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *sub = karl_sub(w);

	open_post_box(w);
	pg_sql(w->pg, "DELETE FROM outbox");
	begin(&tv, sub, "&binding_message=Nachricht+7");
	/* What lies there names no address. */
	assert_string_equal(world_value(w, "SELECT content LIKE '%@%' FROM outbox"), "f");
	assert_true(send_one(w));
	assert_string_equal(world_value(w, "SELECT state || result FROM outbox"), "donetaken");
	assert_string_equal(post_box.to, "erika@example.invalid");
	assert_string_equal(post_box.from, "konto@konto.example");
	assert_non_null(strstr(post_box.message, "\r\nTo: <erika@example.invalid>\r\n"));
	assert_non_null(strstr(post_box.message, "\r\nAuto-Submitted: auto-generated\r\n"));
	const char *body = body_of(w->a, post_box.message);

	assert_non_null(strstr(body, "Stadtportal bittet Sie"));
	assert_non_null(strstr(body, "Stadtportal asks you"));
	assert_non_null(strstr(body, "(" BASE "/requests)"));
	assert_null(strstr(body, "{"));
	/* Nothing that a portal wrote, and no name of the request. */
	assert_null(strstr(body, "Nachricht 7"));
	/* A no for good is one. */
	post_box.refusal = ERR_DENIED;
	pg_sql(w->pg, "DELETE FROM outbox; DELETE FROM polled");
	begin(&tv, sub, "");
	assert_true(send_one(w));
	assert_string_equal(world_value(w, "SELECT state || result FROM outbox"), "failedrefused");
	post_box.refusal = ERR_UNAVAILABLE;
	pg_sql(w->pg, "DELETE FROM outbox; DELETE FROM polled");
	begin(&tv, sub, "");
	assert_true(send_one(w));
	assert_string_equal(world_value(w, "SELECT state || result FROM outbox"),
			    "waitingnot_taken");
	/* Whose account is not active by then is not written to. */
	pg_sql(w->pg, "UPDATE subject SET state = 'disabled'");
	post_box.n = 0;
	w->now += 60;
	assert_true(send_one(w));
	assert_int_equal(post_box.n, 0);
	assert_string_equal(world_value(w, "SELECT state || result FROM outbox"), "donenobody");
	pg_sql(w->pg, "UPDATE subject SET state = 'active'");
}

/* ---- what ends by itself ---- */

static void
withdraw(struct web *b)
{
	web_get(b, "/account");
	web_post(b, "/account", "", "do=withdraw&consent=" OIDC_CLIENT);
}

static void
set_state(struct world *w, enum db_subject_state state)
{
	struct db_call c = {w->app.db, w->a, clock_mono_us() + 10000000};
	const struct db_audit audit = {.event = "account_state", .ref = "r"};
	struct subject_id id = {0};
	struct bytes octets;
	struct err err = {0};

	ASSERT_OK(dec_hex(w->a,
			  bytes_of(world_value(w, "SELECT DISTINCT encode(acting, 'hex') FROM"
						  " polled")),
			  &octets, &err),
		  &err);
	memcpy(id.octets, octets.p, sizeof(id.octets));
	ASSERT_OK(db_account_set_state(&c, id, state, &audit, w->now, &err), &err);
}

/* Withdrawn, disabled: what waited is over, and nobody is written to of it. */
static void
what_waits_ends_with_consent_and_account(void **state)
{
	struct world *w = *state;
	struct web b, tv;

	web_init(&tv, w);
	world_oidc_client(w, PING);
	for (int disabled = 0; disabled < 2; disabled++) {
		const char *sub = karl_sub(w), *id;

		far_answers(w, 204);
		open_post_box(w);
		id = begin(&tv, sub, "&binding_message=7&client_notification_token=" TOKEN);
		web_init(&b, w);
		log_in_aside(&b, "karl");
		if (disabled) {
			set_state(w, DB_DISABLED);
			set_state(w, DB_ACTIVE);
			log_in_aside(&b, "karl");
		} else {
			withdraw(&b);
		}
		open_list(&b);
		assert_true(web_shows(&b, "wartet keine Anfrage"));
		assert_string_equal(redeem(&tv, id), "access_denied");
		assert_string_equal(world_value(w, "SELECT count(*) FROM polled WHERE sealed IS"
						   " NOT NULL"),
				    "0");
		while (send_one(w))
			;
		assert_int_equal(post_box.n, 0);
		assert_int_equal(far.n_requests, 1);
		assert_string_equal(world_value(w, "SELECT string_agg(kind || result, ' ' ORDER BY"
						   " kind) FROM outbox"),
				    "ciba-pingtold mailanswered");
		polled_fresh(state);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, polled_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_no_is_told_and_stays),
		T(nobody_else_answers),
		T(the_level_asked_for_is_logged_in_at),
		T(nothing_but_a_form_answers),
		T(the_session_that_agreed_ends_the_tokens),
		T(of_many_who_agree_at_once_one_counts),
		T(a_person_is_written_to),
		T(what_waits_ends_with_consent_and_account),
	};

	return cmocka_run_group_tests_name("flow requests", tests, steps_setup, world_teardown);
}
