/* Access tokens: of a client itself and for resources, what is told of them, and how they end. */
#include "base/text.h"
#include "oidc/access_token.h"
#include "tests/flow/tokens.h"

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
	const char *own = text_member(web_redeem(&b, code_of(&b, "openid", "")), "access_token");

	assert_true(is_active(introspect_as(&b, "api", token)));
	assert_int_equal(json_object_size(introspect_as(&b, "other", token)), 1);
	assert_false(is_active(introspect_as(&b, "api", own)));
	assert_false(is_active(introspect_as(&b, "api", "a.b.c")));
	assert_false(is_active(introspect_as(&b, "api", "x")));
	b.authorization = oidc_basic(w);
	web_form(&b, "/oidc/introspect", arena_printf(w->a, "token=%s", token));
	assert_int_equal(b.status, 403);
	b.authorization = basic(w, "api");
	web_form(&b, "/oidc/introspect", "a=b");
	assert_int_equal(b.status, 400);
	b.authorization = NULL;
	web_form(&b, "/oidc/introspect", arena_printf(w->a, "token=%s", token));
	assert_int_equal(b.status, 401);
	/* Nor does it get tokens. */
	web_token(&b, basic(w, "api"), "grant_type=client_credentials");
	assert_string_equal(web_member(&b, "error"), "unauthorized_client");
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
		const json_t *id = oidc_token_says(w, text_member(t, "id_token"));
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
			assert_string_equal(text_member(oidc_token_says(w, token), "sub"),
					    text_member(told, "sub"));
		web_get(&b, "/logout");
		web_submit(&b, "/logout", "do=logout");
		assert_false(is_active(introspect_as(&b, "api", token)));
	}
}

/* Core 8: at every client that has it, in all that names the person. */
static void
a_public_subject_is_one_and_the_same(void **state)
{
	static const char *const types[] = {"", ",\"subject_type\":\"public\""};
	const char *names[ARRAY_LEN(types)];
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		register_all(w, arena_printf(w->a, MAY_API "%s", types[i]), "opaque");
		if (i == 1) {
			pg_sql(w->pg, "UPDATE party SET document = convert_to(replace("
				      "convert_from(document, 'UTF8'), '\"grant_types\":[]',"
				      " '\"grant_types\":[],\"subject_type\":\"public\"'), 'UTF8')"
				      " WHERE id = 'api'");
			world_reload(w);
		}
		web_init(&b, w);
		const json_t *t = api_tokens(&b);
		const char *told = text_member(
			introspect_as(&b, "api", text_member(t, "access_token")), "sub");

		names[i] = text_member(oidc_token_says(w, text_member(t, "id_token")), "sub");
		assert_int_equal(text_eq(told, names[i]), i == 1);
		t = web_redeem(&b, code_of(&b, "openid", ""));
		assert_int_equal(userinfo(&b, text_member(t, "access_token")), 200);
		assert_string_equal(web_member(&b, "sub"), names[i]);
	}
	assert_string_not_equal(names[0], names[1]);
	assert_int_equal(strlen(names[1]), 43);
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
	const json_t *c = oidc_token_says(w, token);

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
	web_form(&b, "/oidc/revoke", arena_printf(w->a, "token=%s", token));
	assert_int_equal(b.status, 200);
	assert_false(is_active(introspect_as(&b, "api", token)));
}

/* RFC 9701 5 */
/* RFC 6749 alone: a token for a service, and nothing of the person for who asks for it. */
static void
without_openid_it_is_a_token_for_a_service(void **state)
{
	struct world *w = *state;
	struct web b;

	register_all(w, MAY_API, "opaque");
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "read email",
				     "&claims=%7B%22id_token%22%3A%7B%22email%22%3Anull%7D%7D"));
	web_submit(&b, "/flow/password/", LOGIN);
	assert_null(strstr(b.body, "attr_email"));
	if (b.status == 200)
		web_submit(&b, "/flow/consent/", "do=agree");
	web_token(&b, oidc_basic(w),
		  arena_printf(w->a, "%s&resource=" API,
			       oidc_redeem_form(w, location_param(&b, "code"))));
	assert_int_equal(b.status, 200);
	const json_t *t = web_json(&b);

	assert_null(json_object_get(t, "id_token"));
	assert_string_equal(text_member(t, "scope"), "read");
	assert_true(is_active(introspect_as(&b, "api", text_member(t, "access_token"))));
	/* Ours is none for userinfo. */
	t = web_redeem(&b, code_of(&b, "read", ""));
	assert_null(json_object_get(t, "id_token"));
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 403);
	/* And by the certified profile it is an error, as for who has no service to ask for. */
	register_all(w, MAY_API ",\"profile\":\"oidc\"", "opaque");
	web_get(&b, oidc_request_url(w, "read", ""));
	assert_string_equal(location_param(&b, "error"), "invalid_scope");
	register_client(w, MAY);
	web_get(&b, oidc_request_url(w, "email", ""));
	assert_string_equal(location_param(&b, "error"), "invalid_scope");
}

static enum oidc_alg
alg_of(struct web *b)
{
	struct oidc_jws jws;
	struct err err = {0};

	ASSERT_OK(oidc_jws_parse(b->w->a, bytes_of(b->body), &jws, &err), &err);
	return jws.alg;
}

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
	web_form(&b, "/oidc/introspect", arena_printf(w->a, "token=%s", token));
	assert_int_equal(b.status, 200);
	assert_string_equal(b.type, OIDC_INTROSPECTION_TYPE);
	const json_t *o = oidc_token_says(w, b.body);

	assert_string_equal(text_member(o, "iss"), BASE);
	assert_string_equal(text_member(o, "aud"), "api");
	assert_int_equal(json_integer_value(json_object_get(o, "iat")), w->now);
	assert_null(json_object_get(o, "sub"));
	assert_true(is_active(json_object_get(o, "token_introspection")));
	/* RFC 9701 6: the algorithm that its record names for it. */
	assert_int_equal(alg_of(&b), OIDC_ES256);
	const struct snapshot *snap = snapshot_hold(&w->app.snapshots);
	struct oidc_client *c =
		(struct oidc_client *)(uintptr_t)party_find(&snap->parties, "api")->oidc;

	c->introspection_alg = OIDC_RS256;
	snapshot_release(snap);
	web_form(&b, "/oidc/introspect", arena_printf(w->a, "token=%s", token));
	assert_int_equal(alg_of(&b), OIDC_RS256);
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
	assert_string_equal(web_member(&b, "error"), "invalid_grant");
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
	const json_t *t = web_redeem(&b, code_of(&b, OFFLINE, ""));
	const char *access = text_member(t, "access_token"),
		   *kept = text_member(t, "refresh_token");
	const char *const texts[] = {access, "x", "a.b.c", kept};

	/* By nobody else. */
	b.authorization = basic(w, "api");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		web_form(&b, "/oidc/revoke", arena_printf(w->a, "token=%s", texts[i]));
		assert_int_equal(b.status, 200);
	}
	assert_int_equal(userinfo(&b, access), 200);
	b.authorization = oidc_basic(w);
	web_form(&b, "/oidc/revoke", "token=");
	assert_int_equal(b.status, 400);
	web_form(&b, "/oidc/revoke",
		 arena_printf(w->a, "token=%s&token_type_hint=access_token", access));
	assert_int_equal(b.status, 200);
	assert_int_equal(userinfo(&b, access), 401);
	t = refreshed(&b, kept, "");
	web_form(&b, "/oidc/revoke",
		 arena_printf(w->a, "token=%s", text_member(t, "refresh_token")));
	assert_int_equal(b.status, 200);
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 401);
	assert_refused(&b, text_member(t, "refresh_token"), "", "invalid_grant");
	b.authorization = NULL;
	web_form(&b, "/oidc/revoke", "token=x");
	assert_int_equal(b.status, 401);
}

/* RFC 6749 3.2, 5.1; RFC 7009 2.1, RFC 7662 2.1, RFC 8628 3.1 and the like: posted, never in a URL.
 */
static void
tokens_are_posted_for_and_kept_nowhere(void **state)
{
	static const char *const posted[] = {"/oidc/token",       "/oidc/par",
					     "/oidc/introspect",  "/oidc/revoke",
					     "/oidc/backchannel", "/oidc/device_authorization"};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(posted); i++) {
		web_method(&b, "GET", posted[i], NULL);
		assert_int_equal(b.status, 405);
	}
	web_method(&b, "GET", "/oidc/token?grant_type=client_credentials", NULL);
	assert_int_equal(b.status, 405);
	const json_t *t = web_redeem(&b, code_of(&b, "openid", ""));

	assert_non_null(text_member(t, "id_token"));
	assert_string_equal(b.cache, "no-store");
	assert_string_equal(b.pragma, "no-cache");
	assert_int_equal(userinfo(&b, text_member(t, "access_token")), 200);
	assert_string_equal(b.cache, "no-store");
}

#define T(f) cmocka_unit_test_setup_teardown(f, tokens_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_client_gets_a_token_of_its_own),
		T(only_a_resource_server_asks_and_of_its_own_tokens_alone),
		T(a_token_for_a_resource_tells_it_of_the_login),
		T(a_public_subject_is_one_and_the_same),
		T(a_signed_token_is_no_other),
		T(without_openid_it_is_a_token_for_a_service),
		T(introspection_is_signed_for_who_wants_it),
		T(what_was_agreed_to_less_is_not_told),
		T(who_takes_the_consent_back_meanwhile_gets_no_code),
		T(a_token_is_given_back),
		T(tokens_are_posted_for_and_kept_nowhere),
	};

	return cmocka_run_group_tests_name("flow tokens", tests, tokens_setup, world_teardown);
}
