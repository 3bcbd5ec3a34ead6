/*
 * OpenID Connect CIBA: a client without the person's browser names whom it means, the person
 * answers at our page, and the client asks until it hears what, or is told by a ping.
 */
#include "base/enc.h"
#include "base/text.h"
#include "db/account.h"
#include "idp/fetch.h"
#include "idp/outbox.h"
#include "tests/flow/steps.h"

#define GRANT "urn:openid:params:grant-type:ciba"
#define GRANTS                                                                       \
	",\"grant_types\":[\"authorization_code\",\"refresh_token\",\"" GRANT "\"]," \
	"\"backchannel_token_delivery_mode\":"
#define POLL   GRANTS "\"poll\""
#define NOTIFY "https://stadtportal.example/ping"
#define PING   GRANTS "\"ping\",\"backchannel_client_notification_endpoint\":\"" NOTIFY "\""
#define TOKEN  "8d67dc78-7faa-4d41-aabd-67707b374255"

/* "karl" logs in at the client in a browser, once: the ID token by which it knows him. */
static const char *
karl_was_there(struct world *w)
{
	struct web b, token;

	web_init(&b, w);
	web_init(&token, w);
	web_get(&b, oidc_request_url(w, "openid", ""));
	if (page_of(&b) == LOGIN)
		log_in(&b, "karl");
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(text_starts(b.location, OIDC_BACK "?"));
	web_token(&token, oidc_basic(w), oidc_redeem_form(w, location_param(&b, "code")));
	assert_int_equal(token.status, 200);
	return text_member(web_json(&token), "id_token");
}

static const char *
karl_sub(struct world *w)
{
	return text_member(oidc_token_says(w, karl_was_there(w)), "sub");
}

/* The answer of the endpoint: "" for a request that waits, else the error. */
static const char *
try_begin(struct web *tv, const char *form)
{
	web_as_client(tv, "/oidc/backchannel", form);
	const char *error = text_member(web_json(tv), "error");

	assert_int_equal(tv->status == 200, error == NULL);
	return error == NULL ? "" : error;
}

static const char *
begin(struct web *tv, const char *sub, const char *more)
{
	assert_string_equal(
		try_begin(tv, arena_printf(tv->w->a, "scope=openid+profile&login_hint=%s%s", sub,
					   more)),
		"");
	return text_member(web_json(tv), "auth_req_id");
}

/* The client asks: "" for tokens, else the error. */
static const char *
poll(struct web *tv, const char *auth_req_id)
{
	web_as_client(tv, "/oidc/token",
		      arena_printf(tv->w->a,
				   "grant_type=urn%%3Aopenid%%3Aparams%%3Agrant-type%%3Aciba&"
				   "auth_req_id=%s",
				   auth_req_id));
	const char *error = text_member(web_json(tv), "error");

	assert_int_equal(tv->status == 200, error == NULL);
	return error == NULL ? "" : error;
}

/* "karl" at the list. */
static void
open_list(struct web *b)
{
	web_get(b, "/requests");
	if (page_of(b) == LOGIN)
		log_in(b, "karl");
	assert_true(web_shows(b, "Anfragen von Portalen"));
}

static void
agree(struct web *b)
{
	open_list(b);
	web_submit(b, "/requests", "do=agree");
	if (page_of(b) == CONSENT)
		web_submit(b, "/flow/consent/", "do=agree");
}

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
	assert_string_equal(poll(&tv, id), "authorization_pending");
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
	assert_string_equal(poll(&tv, id), "");
	const json_t *got = oidc_token_says(w, text_member(web_json(&tv), "id_token"));
	const char *token = text_member(web_json(&tv), "access_token");

	assert_string_equal(text_member(got, "sub"), sub);
	assert_non_null(text_member(got, "at_hash"));
	assert_non_null(text_member(got, "acr"));
	assert_int_equal(json_integer_value(json_object_get(got, "auth_time")), w->now - 5);
	assert_null(json_object_get(got, "urn:openid:params:jwt:claim:auth_req_id"));
	web_userinfo(&tv, token);
	assert_int_equal(tv.status, 200);
	assert_non_null(text_member(web_json(&tv), "family_name"));
	/* Once: who asks again takes back what the first got (RFC 9700 4.5). */
	assert_string_equal(poll(&tv, id), "invalid_grant");
	web_userinfo(&tv, token);
	assert_int_equal(tv.status, 401);
	assert_string_equal(world_value(w, "SELECT count(*) FROM audit WHERE event ="
					   " 'request_made'"),
			    "1");
}

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
	assert_string_equal(poll(&tv, id), "access_denied");
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
	assert_string_equal(poll(&tv, id), "access_denied");
	/* The form that agreed or refused, sent once more. */
	web_post(&b, "/requests", "", "do=agree&request=00");
	assert_true(web_shows(&b, "wartet nicht mehr"));
	web_post(&b, "/requests", "", "do=agree&request=zz");
	assert_true(web_shows(&b, "wartet nicht mehr"));
	web_post(&b, "/requests", "", "do=agree");
	assert_true(web_shows(&b, "wartet nicht mehr"));
}

static void
who_asks_too_often_is_slowed_down(void **state)
{
	struct world *w = *state;
	struct web tv;

	web_init(&tv, w);
	world_oidc_client(w, POLL);
	const char *id = begin(&tv, karl_sub(w), "");

	assert_string_equal(poll(&tv, id), "authorization_pending");
	w->now += 3;
	assert_string_equal(poll(&tv, id), "slow_down");
	w->now += 8;
	assert_string_equal(poll(&tv, id), "slow_down");
	w->now += 14;
	assert_string_equal(poll(&tv, id), "authorization_pending");
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
		assert_string_equal(poll(&tv, id), "expired_token");
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
	assert_string_equal(poll(&tv, id), "expired_token");
}

/* ---- whom a client may ask ---- */

/* An unsigned token with these claims under the client's key would need one; see signed. */
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
	assert_string_equal(try_begin(&tv, form), "access_denied");
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

/* ---- who may answer ---- */

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
	assert_string_equal(poll(&tv, id), "authorization_pending");
	/* A page of somebody else's cannot say yes. */
	open_list(&b);
	web_post_from(&b, "https://evil.example", "/requests",
		      arena_printf(w->a, "request=%s&do=agree", handle));
	assert_true(b.status >= 400);
	/* A link asks for nothing, and without a login there is none. */
	web_init(&other, w);
	web_get(&other, arena_printf(w->a, "/requests?request=%s&do=agree", handle));
	assert_int_equal(page_of(&other), LOGIN);
	assert_string_equal(poll(&tv, id), "slow_down");
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
	assert_string_equal(poll(&tv, id), "authorization_pending");
	web_submit(&b, "/requests", "do=agree");
	enter_code(&b);
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(web_shows(&b, "Sie haben zugestimmt"));
	assert_string_equal(poll(&tv, id), "");
	assert_string_equal(
		text_member(oidc_token_says(w, text_member(web_json(&tv), "id_token")), "acr"),
		"substantial");
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
	assert_string_equal(poll(&tv, id), "");
	const char *token = text_member(web_json(&tv), "access_token");

	log_out(&b);
	web_userinfo(&tv, token);
	assert_int_equal(tv.status, 401);
	/* And one that was not asked for yet gives none. */
	id = begin(&tv, sub, "");
	agree(&b);
	log_out(&b);
	assert_string_equal(poll(&tv, id), "invalid_grant");
	/* The account is looked at when tokens are given, not when they are asked for. */
	id = begin(&tv, sub, "");
	agree(&b);
	pg_sql(w->pg, "UPDATE subject SET state = 'disabled' WHERE id IN (SELECT acting FROM"
		      " polled)");
	pg_sql(w->pg, "DELETE FROM session");
	assert_string_equal(poll(&tv, id), "invalid_grant");
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
	assert_string_equal(poll(&tv, id), "");
	id = begin(&tv,
		   text_member(oidc_token_says(w, text_member(web_json(&tv), "id_token")), "sub"),
		   "");
	open_list(&b);
	web_fill_in(&b, "/requests", "do=agree");
	assert_int_equal(web_at_once(&b, NULL, "/requests?notice=request_agreed"), 1);
	assert_string_equal(
		world_value(w, arena_printf(w->a,
					    "SELECT count(*) FROM grant_code WHERE taken_at IS"
					    " NULL AND created = %lld",
					    (long long)w->now)),
		"1");
	assert_string_equal(poll(&tv, id), "");
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
	web_as_client(&tv, "/oidc/token", "grant_type=" GRANT "&auth_req_id=x");
	assert_string_equal(text_member(web_json(&tv), "error"), "unauthorized_client");
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
	world_oidc_client(w, GRANTS "\"poll\"");
	const char *sub = karl_sub(w), *id = begin(&tv, sub, "");

	agree(&b);
	web_as_client(&tv, "/oidc/token", "grant_type=" GRANT);
	assert_string_equal(text_member(web_json(&tv), "error"), "invalid_request");
	assert_string_equal(poll(&tv, "x"), "invalid_grant");
	/* Not as an authorization code: that uses it up. */
	web_as_client(&tv, "/oidc/token", oidc_redeem_form(w, id));
	assert_string_equal(text_member(web_json(&tv), "error"), "invalid_grant");
	assert_string_equal(poll(&tv, id), "invalid_grant");
	/* Not as a device's, and not another client's. */
	id = begin(&tv, sub, "");
	pg_sql(w->pg, "UPDATE polled SET kind = 'device', acting = NULL WHERE state = 'waiting'");
	assert_string_equal(poll(&tv, id), "invalid_grant");
	id = begin(&tv, sub, "");
	pg_sql(w->pg, "UPDATE polled SET party = 'other' WHERE state = 'waiting'");
	assert_string_equal(poll(&tv, id), "invalid_grant");
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
	assert_true(web_shows(&b, "\"" GRANT "\""));
}

/* ---- signed requests ---- */

static void
signing_client(struct world *w, const char *more)
{
	const struct oidc_jwk key = {w->keys->p256.kid, OIDC_ES256, w->keys->p256.pub};
	struct err err = {0};
	const char *jwks;

	ASSERT_OK(oidc_jwks_build(w->a, &(struct oidc_jwks){.keys = &key, .n = 1}, &jwks, &err),
		  &err);
	world_oidc_client(w, arena_printf(w->a, POLL ",\"jwks\":%s%s", jwks, more));
}

#define SIGNED ",\"backchannel_authentication_request_signing_alg\":\"ES256\""

static const char *
sign(struct world *w, const char *members)
{
	const char *text = arena_printf(
		w->a, "{\"iss\":\"" OIDC_CLIENT "\",\"aud\":\"" BASE "\",%s}", members);
	struct key_ops ops = w->keys->ops;
	struct err err = {0};
	const char *compact;
	json_t *claims;

	ASSERT_OK(json_parse_object(w->a, bytes_of(text), 65536, &claims, &err), &err);
	ASSERT_OK(oidc_jws_build(w->a, &ops, w->keys->p256.kid, OIDC_ES256, NULL, claims, &compact,
				 &err),
		  &err);
	return compact;
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
	const char *request = sign(w, arena_printf(a, "\"jti\":\"one\",%s,%s", times, asked));

	assert_string_equal(try_begin(&tv, arena_printf(a, "scope=openid&login_hint=%s", sub)),
			    "invalid_request"); /* it has to be signed */
	assert_string_equal(
		try_begin(&tv, arena_printf(a, "request=%s&binding_message=beside", request)),
		"invalid_request");
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
				arena_printf(a, "request=%s",
					     sign(w, i == 0 ? arena_printf(a, "%s,%s", times, asked)
							    : arena_printf(a, "\"jti\":\"two\",%s",
									   asked)))),
			"invalid_request");
	/* A client that registered no algorithm signs none. */
	signing_client(w, "");
	request = sign(w, arena_printf(a, "\"jti\":\"three\",%s,%s", times, asked));
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

	assert_string_equal(hinted(&tv, sign(w, old)), "expired_login_hint_token");
	assert_string_equal(hinted(&tv, "x.y.z"), "invalid_request");
	assert_string_equal(hinted(&tv, sign(w, good)), "");
}

/* ---- ping ---- */

static struct {
	struct world *w;
	const char *url, *type, *body, *bearer;
	int n_requests;
	long status; /* 0: the network fails */
} far;

static bool
far_post(struct arena *a UNUSED, const struct fetch_post *what, struct fetch_answer *out,
	 struct err *err)
{
	far.n_requests++;
	far.url = arena_strdup(far.w->a, what->url);
	far.type = arena_strdup(far.w->a, what->type);
	far.bearer = arena_strdup(far.w->a, what->bearer);
	far.body = arena_strndup(far.w->a, (const char *)what->body.p, what->body.n);
	assert_non_null(what->inside);
	if (far.status == 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "the network fails");
	*out = (struct fetch_answer){far.status, {NULL, 0}};
	return true;
}

static void
far_answers(struct world *w, long status)
{
	memset(&far, 0, sizeof(far));
	far.w = w;
	far.status = status;
	w->app.post = far_post;
	pg_sql(w->pg, "DELETE FROM outbox");
}

static bool
send_one(struct world *w)
{
	struct arena *a = arena_create(64 << 20);
	struct err err = {0};
	bool sent;

	ASSERT_OK(outbox_send_one(&w->app, a, w->now, &sent, &err), &err);
	arena_destroy(a);
	return sent;
}

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
		assert_string_equal(far.url, NOTIFY);
		assert_string_equal(far.type, "application/json");
		assert_string_equal(far.bearer, TOKEN);
		assert_string_equal(far.body, arena_printf(w->a, "{\"auth_req_id\":\"%s\"}", id));
		assert_string_equal(world_value(w, "SELECT state || result FROM outbox"),
				    "donetold");
		assert_false(send_one(w));
		assert_string_equal(poll(&tv, id), no ? "access_denied" : "");
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

	memset(&post_box, 0, sizeof(post_box));
	post_box.w = w;
	w->app.mail = take_mail;
	w->config.mail_relay = "smtp://127.0.0.1";
	w->config.mail_from = "konto@konto.example";
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

/* What one test asked of a person is no limit for the next. */
static int
fresh(void **state)
{
	struct world *w = *state;

	pg_sql(w->pg, "DELETE FROM polled; DELETE FROM outbox");
	w->config.mail_relay = NULL;
	return steps_fresh(state);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_person_agrees_and_the_client_has_its_tokens),
		T(a_no_is_told_and_stays),
		T(who_asks_too_often_is_slowed_down),
		T(it_waits_as_long_as_asked_within_limits),
		T(a_person_is_named_by_what_the_client_knows_alone),
		T(who_does_not_agree_to_a_client_is_not_asked_by_it),
		T(an_account_that_is_not_active_is_nobody),
		T(a_person_is_asked_within_limits),
		T(nobody_else_answers),
		T(the_level_asked_for_is_logged_in_at),
		T(the_session_that_agreed_ends_the_tokens),
		T(of_many_who_agree_at_once_one_counts),
		T(who_may_not_begin_gets_no_request),
		T(requests_are_for_the_client_and_the_grant_they_are_of),
		T(discovery_tells_of_it),
		T(a_signed_request_counts_once_and_alone),
		T(a_client_signs_whom_it_means),
		T(a_client_is_told_by_a_ping),
		T(what_the_client_answers_to_a_ping_is_taken_for_what_it_is),
		T(a_person_is_written_to),
	};

	return cmocka_run_group_tests_name("flow ciba", tests, steps_setup, world_teardown);
}
