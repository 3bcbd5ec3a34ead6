/* What the token endpoint gives beside the code's tokens, and how that ends. */
#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "db/account.h"
#include "idp/publish.h"
#include "oidc/access_token.h"
#include "tests/flow/world.h"
#include "tests/oidc/support.h"

#define PASSWORD "Lachs-Turmuhr-47"
#define LOGIN    "login_name=erika&password=" PASSWORD "&do=login"
#define OFFLINE  "openid email address offline_access"
#define MAY      ",\"grant_types\":[\"authorization_code\",\"refresh_token\"]"

static const char *const erika[] = {"given_names", "Erika",   "family_name",
				    "Mustermann",  "email",   "erika@example.invalid",
				    "locality",    "Dresden", NULL};

static struct subject_id person;

#define POLICY "{\"level-attributes\":\"yes\"%s}"

/* The client with further members of its metadata and of its record. */
static void
register_with(struct world *w, const char *more, const char *policy)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(OIDC_SECRET), digest);
	world_oidc_document(
		w,
		arena_printf(w->a,
			     "{\"metadata\":{\"client_id\":\"" OIDC_CLIENT
			     "\",\"redirect_uris\":[\"" OIDC_BACK
			     "\"]%s%s},\"secret_sha256\":\"%s\"}",
			     strstr(more, "\"scope\"") != NULL
				     ? ""
				     : ",\"scope\":\"openid profile email address offline_access\"",
			     more, enc_hex(w->a, (struct bytes){digest, sizeof(digest)})),
		arena_printf(w->a, POLICY, policy));
}

static void
register_client(struct world *w, const char *more)
{
	register_with(w, more, "");
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

/* What an operator takes out of the record counts for grants that there are, too. */
static void
a_refresh_gives_no_more_than_the_record_of_today(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token =
		text_member(redeem(&b, code_of(&b, OFFLINE, "&prompt=consent")), "refresh_token");

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

/* ---- resource servers ---- */

#define API       "https://api.example/"
#define MAY_API   MAY ",\"resources\":[\"" API "\"]"
#define GRANTS(g) ",\"grant_types\":[" g "],\"resources\":[\"" API "\"]"

static const char *
basic(struct world *w, const char *id)
{
	return arena_printf(w->a, "Basic %s",
			    enc_base64(w->a, bytes_of(arena_printf(w->a, "%s:" OIDC_SECRET, id))));
}

static void
register_api(struct world *w, const char *id, const char *uri, const char *format)
{
	unsigned char digest[SHA256_BYTES];
	const struct db_party party = {
		.id = id, .kind = "oidc", .display_name = id, .policy = "{}", .enabled = true};
	struct db_party row = party;
	struct err err = {0};

	hash_sha256(bytes_of(OIDC_SECRET), digest);
	row.document = bytes_of(arena_printf(
		w->a,
		"{\"metadata\":{\"client_id\":\"%s\",\"grant_types\":[],\"resource_uris\":[\"%s\"],"
		"\"resource_scopes\":[\"read\",\"write\"],\"access_token_format\":\"%s\"},"
		"\"secret_sha256\":\"%s\"}",
		id, uri, format, enc_hex(w->a, (struct bytes){digest, sizeof(digest)})));
	ASSERT_OK(db_party_save(&w->pg->c, &row, NULL, w->now, &(int64_t){0}, &err), &err);
	world_reload(w);
}

static json_t *
introspect_as(struct web *b, const char *who, const char *token)
{
	b->authorization = basic(b->w, who);
	web_program(b, "/oidc/introspect", "application/x-www-form-urlencoded",
		    arena_printf(b->w->a, "token=%s", token));
	if (b->status != 200)
		fail_msg("introspection: %d %s", b->status, b->body);
	return web_json(b);
}

static bool
is_active(const json_t *o)
{
	return json_is_true(json_object_get(o, "active"));
}

static json_t *
own_token(struct web *b, const char *more)
{
	web_token(b, oidc_basic(b->w),
		  arena_printf(b->w->a, "grant_type=client_credentials%s", more));
	return web_json(b);
}

static void
register_all(struct world *w, const char *grants, const char *format)
{
	register_client(w, arena_printf(w->a, "%s,\"scope\":\"openid email read admin\"", grants));
	register_api(w, "api", API, format);
	register_api(w, "other", "https://other.example/", "opaque");
}

static void
a_client_gets_a_token_of_its_own(void **state)
{
	struct world *w = *state;
	struct web b;

	register_all(w, GRANTS("\"client_credentials\""), "opaque");
	web_init(&b, w);
	const json_t *t = own_token(&b, "");
	const char *token = text_member(t, "access_token");

	assert_int_equal(b.status, 200);
	assert_string_equal(text_member(t, "scope"), "read");
	assert_null(text_member(t, "id_token"));
	assert_null(text_member(t, "refresh_token"));
	const json_t *told = introspect_as(&b, "api", token);

	assert_true(is_active(told));
	assert_string_equal(text_member(told, "sub"), OIDC_CLIENT);
	assert_string_equal(text_member(told, "client_id"), OIDC_CLIENT);
	assert_string_equal(text_member(told, "scope"), "read");
	assert_string_equal(text_member(told, "aud"), API);
	assert_null(json_object_get(told, "auth_time"));
	assert_int_equal(userinfo(&b, token), 401);
	/* Neither what the resource does not know, nor what the client may not have. */
	static const char *const refused[][2] = {
		{"&scope=admin", "invalid_scope"},
		{"&scope=write", "invalid_scope"},
		{"&scope=openid", "invalid_scope"},
		{"&resource=https://other.example/", "invalid_target"},
		{"&resource=https://none.example/", "invalid_target"},
		{"&resource=" API "&resource=" API, "invalid_target"},
	};

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const json_t *o = own_token(&b, refused[i][0]);

		assert_int_equal(b.status, 400);
		assert_string_equal(text_member(o, "error"), refused[i][1]);
	}
	world_disable(w, OIDC_CLIENT);
	assert_false(is_active(introspect_as(&b, "api", token)));
}

static void
only_a_resource_server_asks_and_of_its_own_tokens_alone(void **state)
{
	struct world *w = *state;
	struct web b;

	register_all(w, GRANTS("\"authorization_code\",\"refresh_token\",\"client_credentials\""),
		     "opaque");
	web_init(&b, w);
	const char *token = text_member(own_token(&b, ""), "access_token");
	const char *own = text_member(redeem(&b, code_of(&b, "openid", "")), "access_token");

	assert_true(is_active(introspect_as(&b, "api", token)));
	assert_int_equal(json_object_size(introspect_as(&b, "other", token)), 1);
	assert_false(is_active(introspect_as(&b, "api", own)));
	assert_false(is_active(introspect_as(&b, "api", "a.b.c")));
	assert_false(is_active(introspect_as(&b, "api", "x")));
	b.authorization = oidc_basic(w);
	web_program(&b, "/oidc/introspect", "application/x-www-form-urlencoded",
		    arena_printf(w->a, "token=%s", token));
	assert_int_equal(b.status, 403);
	b.authorization = basic(w, "api");
	web_program(&b, "/oidc/introspect", "application/x-www-form-urlencoded", "a=b");
	assert_int_equal(b.status, 400);
	b.authorization = NULL;
	web_program(&b, "/oidc/introspect", "application/x-www-form-urlencoded",
		    arena_printf(w->a, "token=%s", token));
	assert_int_equal(b.status, 401);
	/* Nor does it get tokens. */
	web_token(&b, basic(w, "api"), "grant_type=client_credentials");
	assert_string_equal(text_member(web_json(&b), "error"), "unauthorized_client");
}

/* A person's token for the API. */
static const json_t *
api_tokens(struct web *b)
{
	web_token(b, oidc_basic(b->w),
		  arena_printf(b->w->a, "%s&resource=" API,
			       oidc_redeem_form(b->w, code_of(b, "openid email read", ""))));
	if (b->status != 200)
		fail_msg("token endpoint: %d %s", b->status, b->body);
	return web_json(b);
}

static void
a_token_for_a_resource_tells_it_of_the_login(void **state)
{
	static const char *const formats[] = {"opaque", "jwt"};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		register_all(w, MAY_API, formats[i]);
		web_init(&b, w);
		const json_t *t = api_tokens(&b);
		const char *token = text_member(t, "access_token");
		const json_t *id = id_claims(&b, text_member(t, "id_token"));
		const json_t *told = introspect_as(&b, "api", token);

		assert_string_equal(text_member(t, "scope"), "read");
		assert_int_equal(oidc_access_token_is_jwt(token), i == 1);
		assert_true(is_active(told));
		assert_string_equal(text_member(told, "token_type"), "Bearer");
		assert_string_equal(text_member(told, "acr"), text_member(id, "acr"));
		assert_int_equal(json_integer_value(json_object_get(told, "auth_time")),
				 json_integer_value(json_object_get(id, "auth_time")));
		assert_int_equal(json_integer_value(json_object_get(told, "exp")), w->now + 600);
		/* The person by the name that the API's sector has for it. */
		assert_string_not_equal(text_member(told, "sub"), text_member(id, "sub"));
		assert_int_equal(strlen(text_member(told, "sub")), 43);
		assert_int_equal(userinfo(&b, token), 401);
		if (i == 1)
			assert_string_equal(text_member(id_claims(&b, token), "sub"),
					    text_member(told, "sub"));
		web_get(&b, "/logout");
		web_submit(&b, "/logout", "do=logout");
		assert_false(is_active(introspect_as(&b, "api", token)));
	}
}

/* RFC 9068 2.2, 4 */
static void
a_signed_token_is_no_other(void **state)
{
	struct world *w = *state;
	struct web b;

	register_all(w, MAY_API, "jwt");
	web_init(&b, w);
	const json_t *t = api_tokens(&b);
	const char *token = text_member(t, "access_token");
	const json_t *c = id_claims(&b, token);

	assert_string_equal(text_member(c, "iss"), BASE);
	assert_string_equal(text_member(c, "aud"), API);
	assert_string_equal(text_member(c, "client_id"), OIDC_CLIENT);
	assert_string_equal(text_member(c, "scope"), "read");
	assert_non_null(text_member(c, "acr"));
	assert_int_equal(json_integer_value(json_object_get(c, "exp")), w->now + 600);
	assert_int_equal(json_integer_value(json_object_get(c, "iat")), w->now);
	/* Its name is no token, and an ID token is none either. */
	assert_false(is_active(introspect_as(&b, "api", text_member(c, "jti"))));
	assert_false(is_active(introspect_as(&b, "api", text_member(t, "id_token"))));
	web_get(&b, oidc_request_url(w, "openid", arena_printf(w->a, "&id_token_hint=%s", token)));
	assert_string_equal(location_param(&b, "error"), "invalid_request");
	char *changed = arena_strdup(w->a, token);

	changed[strlen(changed) - 3] ^= 1;
	assert_false(is_active(introspect_as(&b, "api", changed)));
	/* Signed, and revoked all the same. */
	b.authorization = oidc_basic(w);
	web_program(&b, "/oidc/revoke", "application/x-www-form-urlencoded",
		    arena_printf(w->a, "token=%s", token));
	assert_int_equal(b.status, 200);
	assert_false(is_active(introspect_as(&b, "api", token)));
}

/* RFC 9701 5 */
static void
introspection_is_signed_for_who_wants_it(void **state)
{
	struct world *w = *state;
	struct web b;

	register_all(w, GRANTS("\"client_credentials\""), "opaque");
	web_init(&b, w);
	const char *token = text_member(own_token(&b, ""), "access_token");

	b.accept = OIDC_INTROSPECTION_TYPE;
	b.authorization = basic(w, "api");
	web_program(&b, "/oidc/introspect", "application/x-www-form-urlencoded",
		    arena_printf(w->a, "token=%s", token));
	assert_int_equal(b.status, 200);
	assert_string_equal(b.type, OIDC_INTROSPECTION_TYPE);
	const json_t *o = id_claims(&b, b.body);

	assert_string_equal(text_member(o, "iss"), BASE);
	assert_string_equal(text_member(o, "aud"), "api");
	assert_int_equal(json_integer_value(json_object_get(o, "iat")), w->now);
	assert_null(json_object_get(o, "sub"));
	assert_true(is_active(json_object_get(o, "token_introspection")));
}

/* Asked again whatever stands: `boxes` are those left on. */
static void
agree_anew(struct web *b, const char *scope, const char *boxes)
{
	web_get(b, oidc_request_url(b->w, scope, "&prompt=consent"));
	assert_int_equal(b->status, 200);
	web_submit(b, "/flow/consent/", arena_printf(b->w->a, "%sdo=agree", boxes));
	assert_int_equal(b->status, 303);
	assert_non_null(location_param(b, "code"));
}

static void
what_was_agreed_to_less_is_not_told(void **state)
{
	struct world *w = *state;
	struct web b;

	register_all(w, MAY_API, "opaque");
	web_init(&b, w);
	const char *token = text_member(api_tokens(&b), "access_token");
	const char *code = code_of(&b, "openid email read", "");

	/* What was not offered is as it was. */
	agree_anew(&b, "openid read", "");
	assert_true(is_active(introspect_as(&b, "api", token)));
	agree_anew(&b, "openid email read", "");
	assert_false(is_active(introspect_as(&b, "api", token)));
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	assert_int_equal(b.status, 400);
	assert_string_equal(text_member(web_json(&b), "error"), "invalid_grant");
}

static void
only_what_was_offered_and_left_out_ends_a_refresh_token(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *token =
		text_member(redeem(&b, code_of(&b, OFFLINE, "&prompt=consent")), "refresh_token");

	agree_anew(&b, "openid email", "attr_email=1&");
	token = text_member(refreshed(&b, token, ""), "refresh_token");
	agree_anew(&b, "openid profile", "");
	token = text_member(refreshed(&b, token, ""), "refresh_token");
	agree_anew(&b, "openid email", "");
	assert_refused(&b, token, "", "invalid_grant");
}

/* Between the page that asked for it and the code. */
static void
who_takes_the_consent_back_meanwhile_gets_no_code(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid email", "&prompt=consent"));
	web_submit(&b, "/flow/password/", LOGIN);
	pg_sql(w->pg, "CREATE FUNCTION take_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
		      " INSERT INTO consent (acting, party, given, at) SELECT acting, party, false,"
		      " at FROM consent ORDER BY id DESC LIMIT 1; RETURN OLD; END $$;"
		      "CREATE TRIGGER take_back AFTER DELETE ON flow FOR EACH ROW"
		      " EXECUTE FUNCTION take_back()");
	web_submit(&b, "/flow/consent/", "attr_email=1&do=agree");
	pg_sql(w->pg, "DROP FUNCTION take_back CASCADE");
	assert_int_equal(b.status, 303);
	assert_null(location_param(&b, "code"));
	assert_string_equal(location_param(&b, "error"), "access_denied");
}

static void
a_token_is_given_back(void **state)
{
	struct world *w = *state;
	struct web b;

	register_api(w, "api", API, "opaque");
	web_init(&b, w);
	const json_t *t = redeem(&b, code_of(&b, OFFLINE, ""));
	const char *access = text_member(t, "access_token"),
		   *kept = text_member(t, "refresh_token");
	const char *const texts[] = {access, "x", "a.b.c", kept};

	/* By nobody else. */
	b.authorization = basic(w, "api");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		web_program(&b, "/oidc/revoke", "application/x-www-form-urlencoded",
			    arena_printf(w->a, "token=%s", texts[i]));
		assert_int_equal(b.status, 200);
	}
	assert_int_equal(userinfo(&b, access), 200);
	b.authorization = oidc_basic(w);
	web_program(&b, "/oidc/revoke", "application/x-www-form-urlencoded", "token=");
	assert_int_equal(b.status, 400);
	web_program(&b, "/oidc/revoke", "application/x-www-form-urlencoded",
		    arena_printf(w->a, "token=%s&token_type_hint=access_token", access));
	assert_int_equal(b.status, 200);
	assert_int_equal(userinfo(&b, access), 401);
	t = refreshed(&b, kept, "");
	web_program(&b, "/oidc/revoke", "application/x-www-form-urlencoded",
		    arena_printf(w->a, "token=%s", text_member(t, "refresh_token")));
	assert_int_equal(b.status, 200);
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 401);
	assert_refused(&b, text_member(t, "refresh_token"), "", "invalid_grant");
	b.authorization = NULL;
	web_program(&b, "/oidc/revoke", "application/x-www-form-urlencoded", "token=x");
	assert_int_equal(b.status, 401);
}

/* ---- DPoP ---- */

/* A proof by that key, as now, with further claims. */
static const char *
proof_of(struct web *b, enum oidc_alg alg, const char *htm, const char *path, const char *more)
{
	static int n;
	struct oidc_jwk key = public_key(alg, NULL);
	struct world *w = b->w;
	const char *set;
	struct err err = {0};
	json_t *o, *header = json_new_object(w->a);

	key.kid = "k";
	ASSERT_OK(oidc_jwks_build(w->a, &(struct oidc_jwks){.keys = &key, .n = 1}, &set, &err),
		  &err);
	ASSERT_OK(json_parse_object(w->a, bytes_of(set), 65536, &o, &err), &err);
	json_t *jwk = json_array_get(json_object_get(o, "keys"), 0);

	json_object_del(jwk, "kid");
	json_put_str(w->a, header, "typ", "dpop+jwt");
	json_put_str(w->a, header, "alg", oidc_alg_info(alg)->name);
	json_put(w->a, header, "jwk", jwk);
	return token_of(w->a, alg, json_text(w->a, header, false),
			arena_printf(w->a,
				     "{\"jti\":\"j%d\",\"htm\":\"%s\",\"htu\":\"" BASE
				     "%s\",\"iat\":%lld%s}",
				     n++, htm, path, (long long)w->now, more));
}

static const char *
nonce_claim(struct web *b)
{
	return b->dpop_nonce == NULL ? ""
				     : arena_printf(b->w->a, ",\"nonce\":\"%s\"", b->dpop_nonce);
}

/* What the token endpoint says to a proof that has the nonce it told. */
static const json_t *
bound(struct web *b, enum oidc_alg alg, const char *form)
{
	b->dpop = proof_of(b, alg, "POST", "/oidc/token", "");
	web_token(b, oidc_basic(b->w), form);
	assert_int_equal(b->status, 400);
	assert_string_equal(text_member(web_json(b), "error"), "use_dpop_nonce");
	b->dpop = proof_of(b, alg, "POST", "/oidc/token", nonce_claim(b));
	web_token(b, oidc_basic(b->w), form);
	return web_json(b);
}

static int
bound_userinfo(struct web *b, enum oidc_alg alg, const char *token, const char *more)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(token), digest);
	b->dpop = proof_of(
		b, alg, "POST", "/oidc/userinfo",
		arena_printf(b->w->a, ",\"ath\":\"%s\"%s",
			     enc_base64url(b->w->a, (struct bytes){digest, sizeof(digest)}), more));
	b->authorization = arena_printf(b->w->a, "DPoP %s", token);
	web_program(b, "/oidc/userinfo", "application/x-www-form-urlencoded", "");
	return b->status;
}

static void
a_bound_token_is_for_who_has_the_key(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *code = code_of(&b, "openid email", "");
	const json_t *t = bound(&b, OIDC_ES256, oidc_redeem_form(w, code));
	const char *token = text_member(t, "access_token");

	assert_int_equal(b.status, 200);
	assert_non_null(b.dpop_nonce);
	assert_string_equal(text_member(t, "token_type"), "DPoP");
	assert_int_equal(bound_userinfo(&b, OIDC_ES256, token, ""), 200);
	/* The same proof again, the token alone, or another key. */
	web_program(&b, "/oidc/userinfo", "application/x-www-form-urlencoded", "");
	assert_int_equal(b.status, 401);
	assert_non_null(strstr(b.challenge, "DPoP error=\"invalid_dpop_proof\""));
	b.dpop = NULL;
	web_program(&b, "/oidc/userinfo", "application/x-www-form-urlencoded", "");
	assert_int_equal(b.status, 401);
	assert_int_equal(userinfo(&b, token), 401);
	assert_string_equal(text_member(web_json(&b), "error"), "invalid_token");
	assert_int_equal(bound_userinfo(&b, OIDC_EDDSA, token, ""), 401);
	assert_non_null(strstr(b.challenge, "DPoP error=\"invalid_token\""));
	/* A nonce need not be there; one that is has to be ours. */
	assert_int_equal(bound_userinfo(&b, OIDC_ES256, token, ",\"nonce\":\"x\""), 401);
	assert_non_null(strstr(b.challenge, "use_dpop_nonce"));
	assert_int_equal(bound_userinfo(&b, OIDC_ES256, token, nonce_claim(&b)), 200);
	/* One that is not bound does not come by that scheme. */
	b.dpop = NULL;
	token = text_member(redeem(&b, code_of(&b, "openid", "")), "access_token");
	assert_int_equal(bound_userinfo(&b, OIDC_ES256, token, ""), 401);
	b.dpop = NULL;
	assert_int_equal(userinfo(&b, token), 200);
}

static void
a_proof_counts_once_and_does_not_cost_the_code(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *form = oidc_redeem_form(w, code_of(&b, OFFLINE, ""));
	const json_t *t = bound(&b, OIDC_ES256, form);
	const char *kept = text_member(t, "refresh_token");

	/* Refreshed with another key: the client has proven itself otherwise. */
	assert_int_equal(refresh(&b, kept, ""), 400);
	assert_string_equal(text_member(web_json(&b), "error"), "invalid_dpop_proof");
	b.dpop = proof_of(&b, OIDC_EDDSA, "POST", "/oidc/token", nonce_claim(&b));
	t = refreshed(&b, kept, "");
	assert_string_equal(text_member(t, "token_type"), "DPoP");
	assert_int_equal(bound_userinfo(&b, OIDC_EDDSA, text_member(t, "access_token"), ""), 200);
	/* Nonces end. */
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce_claim(&b));
	const char *nonce = nonce_claim(&b);

	w->now += 301;
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce);
	t = refreshed(&b, text_member(t, "refresh_token"), "");
	w->now += 300;
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce);
	assert_refused(&b, text_member(t, "refresh_token"), "", "use_dpop_nonce");
	b.dpop = NULL;
	refreshed(&b, text_member(t, "refresh_token"), "");
}

static void
a_record_may_demand_bound_tokens(void **state)
{
	struct world *w = *state;
	struct web b;

	register_all(w, MAY_API ",\"dpop_bound_access_tokens\":true", "jwt");
	web_init(&b, w);
	const char *form = arena_printf(w->a, "%s&resource=" API,
					oidc_redeem_form(w, code_of(&b, "openid read", "")));

	web_token(&b, oidc_basic(w), form);
	assert_int_equal(b.status, 400);
	assert_string_equal(text_member(web_json(&b), "error"), "invalid_dpop_proof");
	const json_t *t = bound(&b, OIDC_ES256, form);
	const char *token = text_member(t, "access_token");
	const json_t *c = id_claims(&b, token);

	assert_int_equal(strlen(text_member(json_object_get(c, "cnf"), "jkt")), 43);
	b.dpop = NULL;
	const json_t *told = introspect_as(&b, "api", token);

	assert_string_equal(text_member(told, "token_type"), "DPoP");
	assert_true(json_equal(json_object_get(told, "cnf"), json_object_get(c, "cnf")));
}

/* FAPI2SP 5.3.2.1; and a code may be bound before it is given (RFC 9449 10). */
static void
a_profile_or_a_code_may_demand_the_key(void **state)
{
	struct world *w = *state;
	struct oidc_client *client;
	struct web b;

	web_init(&b, w);
	const char *code = code_of(&b, "openid", "");
	const struct snapshot *snap = snapshot_hold(&w->app.snapshots);

	client = (struct oidc_client *)(uintptr_t)party_find(&snap->parties, OIDC_CLIENT)->oidc;
	client->profile = &(struct oidc_profile){"bound", OIDC_CHECK_BOUND_TOKENS};
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	assert_string_equal(text_member(web_json(&b), "error"), "invalid_dpop_proof");
	client->profile = oidc_profile_find("oauth");
	snapshot_release(snap);
	pg_sql(w->pg, "UPDATE grant_code SET cnf = '{\"jkt\":\"x\"}' WHERE taken_at IS NULL");
	const json_t *o = bound(&b, OIDC_ES256, oidc_redeem_form(w, code));

	assert_string_equal(text_member(o, "error"), "invalid_grant");
}

/* RFC 9449 5: who has no other proof is bound to its key for as long as the grant lives. */
static void
the_refresh_token_of_a_public_client_is_for_its_key(void **state)
{
	struct world *w = *state;
	struct web b;

	register_client(w, MAY ",\"token_endpoint_auth_method\":\"none\"");
	web_init(&b, w);
	const char *form = arena_printf(w->a, "%s&client_id=" OIDC_CLIENT,
					oidc_redeem_form(w, code_of(&b, OFFLINE, "")));

	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", "");
	web_token(&b, NULL, form);
	assert_string_equal(text_member(web_json(&b), "error"), "use_dpop_nonce");
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce_claim(&b));
	web_token(&b, NULL, form);
	assert_int_equal(b.status, 200);
	form = arena_printf(w->a,
			    "grant_type=refresh_token&client_id=" OIDC_CLIENT "&refresh_token=%s",
			    text_member(web_json(&b), "refresh_token"));
	const char *nonce = nonce_claim(&b);

	b.dpop = NULL;
	web_token(&b, NULL, form);
	assert_string_equal(text_member(web_json(&b), "error"), "invalid_grant");
	b.dpop = proof_of(&b, OIDC_EDDSA, "POST", "/oidc/token", nonce);
	web_token(&b, NULL, form);
	assert_string_equal(text_member(web_json(&b), "error"), "invalid_grant");
	b.dpop = proof_of(&b, OIDC_ES256, "POST", "/oidc/token", nonce);
	web_token(&b, NULL, form);
	assert_int_equal(b.status, 200);
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
		T(a_refresh_gives_no_more_than_the_record_of_today),
		T(a_profile_may_want_it_to_stay),
		T(what_was_agreed_to_outlives_the_login_and_not_the_consent),
		T(one_of_the_session_ends_with_it),
		T(it_ends_when_it_is_not_used_and_at_last),
		T(who_is_switched_off_gets_nothing),
		T(a_client_gets_a_token_of_its_own),
		T(only_a_resource_server_asks_and_of_its_own_tokens_alone),
		T(a_token_for_a_resource_tells_it_of_the_login),
		T(a_signed_token_is_no_other),
		T(introspection_is_signed_for_who_wants_it),
		T(what_was_agreed_to_less_is_not_told),
		T(only_what_was_offered_and_left_out_ends_a_refresh_token),
		T(who_takes_the_consent_back_meanwhile_gets_no_code),
		T(a_token_is_given_back),
		T(a_bound_token_is_for_who_has_the_key),
		T(a_proof_counts_once_and_does_not_cost_the_code),
		T(a_record_may_demand_bound_tokens),
		T(a_profile_or_a_code_may_demand_the_key),
		T(the_refresh_token_of_a_public_client_is_for_its_key),
	};

	return cmocka_run_group_tests_name("flow tokens", tests, setup, world_teardown);
}
