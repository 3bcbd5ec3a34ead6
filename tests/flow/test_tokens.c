/* What the token endpoint gives beside the code's tokens, and how that ends. */
#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "db/account.h"
#include "idp/publish.h"
#include "oidc/jws.h"
#include "tests/flow/world.h"

#define PASSWORD "Lachs-Turmuhr-47"
#define LOGIN    "login_name=erika&password=" PASSWORD "&do=login"
#define OFFLINE  "openid email address offline_access"
#define MAY      ",\"grant_types\":[\"authorization_code\",\"refresh_token\"]"

static const char *const erika[] = {"given_names", "Erika",   "family_name",
				    "Mustermann",  "email",   "erika@example.invalid",
				    "locality",    "Dresden", NULL};

static struct subject_id person;

/* The client with further members of its metadata. */
static void
register_client(struct world *w, const char *more)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(OIDC_SECRET), digest);
	world_oidc_document(
		w,
		arena_printf(w->a,
			     "{\"metadata\":{\"client_id\":\"" OIDC_CLIENT
			     "\",\"redirect_uris\":[\"" OIDC_BACK
			     "\"],\"scope\":\"openid profile email address offline_access\"%s},"
			     "\"secret_sha256\":\"%s\"}",
			     more, enc_hex(w->a, (struct bytes){digest, sizeof(digest)})),
		"{\"level-attributes\":\"yes\"}");
}

static int
setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	person = world_person(w, "erika", PASSWORD, erika, LEVEL_SUBSTANTIAL);
	return world_fresh(state);
}

static int
fresh(void **state)
{
	struct world *w = *state;

	world_fresh(state);
	register_client(w, MAY);
	return 0;
}

/* Log in and agree as far as pages ask for it; the code. */
static const char *
code_of(struct web *b, const char *scope, const char *more)
{
	web_get(b, oidc_request_url(b->w, scope, more));
	if (b->status == 200 && web_field(b, "password") != NULL)
		web_submit(b, "/flow/password/", LOGIN);
	if (b->status == 200)
		web_submit(b, "/flow/consent/", "attr_email=1&attr_locality=1&do=agree");
	assert_int_equal(b->status, 303);
	return location_param(b, "code");
}

static const char *
text_member(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static json_t *
redeem(struct web *b, const char *code)
{
	web_token(b, oidc_basic(b->w), oidc_redeem_form(b->w, code));
	if (b->status != 200)
		fail_msg("token endpoint: %d %s", b->status, b->body);
	return web_json(b);
}

static int
refresh(struct web *b, const char *token, const char *more)
{
	web_token(
		b, oidc_basic(b->w),
		arena_printf(b->w->a, "grant_type=refresh_token&refresh_token=%s%s", token, more));
	return b->status;
}

static json_t *
refreshed(struct web *b, const char *token, const char *more)
{
	if (refresh(b, token, more) != 200)
		fail_msg("token endpoint: %d %s", b->status, b->body);
	return web_json(b);
}

static void
assert_refused(struct web *b, const char *token, const char *more, const char *error)
{
	assert_int_equal(refresh(b, token, more), 400);
	assert_string_equal(text_member(web_json(b), "error"), error);
}

static const char *
login_offline(struct web *b)
{
	const char *token = text_member(redeem(b, code_of(b, OFFLINE, "")), "refresh_token");

	assert_non_null(token);
	return token;
}

static const json_t *
id_claims(struct web *b, const char *token)
{
	struct world *w = b->w;
	const struct oidc_signed *verified;
	struct oidc_jwks ours;
	struct oidc_jws jws;
	struct err err = {0};

	publish_jwks(w->a, w->signer->keys, &ours);
	ASSERT_OK(oidc_jws_parse(w->a, bytes_of(token), &jws, &err), &err);
	ASSERT_OK(oidc_jws_verify(w->a, &jws, &ours, &verified, &err), &err);
	return oidc_signed_claims(verified);
}

static int
userinfo(struct web *b, const char *access_token)
{
	web_userinfo(b, access_token);
	return b->status;
}

/* ---- refresh tokens ---- */

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
	const json_t *t = redeem(&b, location_param(&b, "code"));

	assert_non_null(text_member(t, "refresh_token"));
	assert_string_equal(text_member(t, "scope"), "openid email address offline_access");
	web_get(&b, "/account");
	assert_true(web_shows(&b, "Abruf auch ohne Anmeldung"));
	/* Agreed to; a login without it is less, and gives none. */
	web_get(&b, oidc_request_url(w, OFFLINE, ""));
	assert_non_null(location_param(&b, "code"));
	web_get(&b, oidc_request_url(w, "openid email address", ""));
	assert_null(text_member(redeem(&b, location_param(&b, "code")), "refresh_token"));
}

static void
an_agreed_login_is_no_offline_access(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "karl", PASSWORD, erika, LEVEL_BASIC);
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
	const json_t *t = redeem(&b, code_of(&b, OFFLINE, ""));

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
	const json_t *first = redeem(&b, code_of(&b, OFFLINE, ""));
	const json_t *before = id_claims(&b, text_member(first, "id_token"));

	w->now += 1000;
	const json_t *t = refreshed(&b, text_member(first, "refresh_token"), "");
	const json_t *after = id_claims(&b, text_member(t, "id_token"));
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
	assert_string_equal(text_member(web_json(&b), "email"), "erika@example.invalid");
}

static void
scope_only_narrows(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token =
		text_member(redeem(&b, code_of(&b, OFFLINE, "&prompt=consent")), "refresh_token");

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
	assert_string_equal(text_member(web_json(&b), "error"), "insufficient_scope");
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
	const json_t *t = redeem(&b, code_of(&b, "openid", ""));

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
	ASSERT_OK(db_account_set_state(&w->pg->c, person, DB_DISABLED, NULL, w->now, &err), &err);
	assert_refused(&b, token, "", "invalid_grant");
	ASSERT_OK(db_account_set_state(&w->pg->c, person, DB_ACTIVE, NULL, w->now, &err), &err);
	assert_refused(&b, token, "", "invalid_grant");
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, NULL)

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
		T(a_profile_may_want_it_to_stay),
		T(what_was_agreed_to_outlives_the_login_and_not_the_consent),
		T(one_of_the_session_ends_with_it),
		T(it_ends_when_it_is_not_used_and_at_last),
		T(who_is_switched_off_gets_nothing),
	};

	return cmocka_run_group_tests_name("flow tokens", tests, setup, world_teardown);
}
