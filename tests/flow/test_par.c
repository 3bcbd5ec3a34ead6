/* Pushed authorization requests (RFC 9126): pushed, used once, and what is told of a bad one. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "idp/lane.h"
#include "tests/flow/world.h"

#define PASSWORD  "Lachs-Turmuhr-47"
#define LOGIN     "login_name=erika&password=" PASSWORD "&do=login"
#define PREFIX    "urn:ietf:params:oauth:request_uri:"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define REDIRECT  "&redirect_uri=https%3A%2F%2Fstadtportal.example%2Fback"
#define PKCE      "&code_challenge_method=S256&code_challenge=" CHALLENGE
#define LEAST     "response_type=code&scope=openid&client_id=" OIDC_CLIENT REDIRECT PKCE

static const char *const erika[] = {"family_name", "Mustermann", NULL};

static int
setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	world_person(w, "erika", PASSWORD, erika, LEVEL_LOW);
	return world_fresh(state);
}

/* The request_uri of a pushed form, percent-encoded. */
static const char *
pushed(struct web *b, const char *form)
{
	struct buf uri;

	web_as_client(b, "/oidc/par", form);
	if (b->status != 201)
		fail_msg("pushed: %d %s", b->status, b->body);
	buf_init(&uri, b->w->a, 1024);
	enc_percent(&uri, bytes_of(web_member(b, "request_uri")));
	return (const char *)uri.p;
}

static const char *
url_of(struct world *w, const char *client, const char *request_uri)
{
	return arena_printf(w->a, BASE "/oidc/authorize?client_id=%s&request_uri=%s", client,
			    request_uri);
}

static void
expect_gone(struct web *b)
{
	assert_int_equal(b->status, 410);
	assert_null(b->location);
	assert_true(web_shows(b, "Dieser Aufruf gilt nicht mehr"));
}

static void
a_pushed_request_leads_to_a_login(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *uri = pushed(&b, LEAST "&state=s1&nonce=n1");

	assert_true(text_starts(web_member(&b, "request_uri"), PREFIX));
	assert_int_equal(json_integer_value(json_object_get(web_json(&b), "expires_in")), 60);
	/* RFC 9101 5: what stands beside it does not count. */
	web_get(&b,
		arena_printf(w->a, "%s&state=other&prompt=none&redirect_uri=https://evil.example",
			     url_of(w, OIDC_CLIENT, uri)));
	assert_int_equal(b.status, 200);
	web_submit(&b, "/flow/password/", LOGIN);
	if (b.status == 200)
		web_submit(&b, "/flow/consent/", "do=agree");
	assert_true(text_starts(b.location, OIDC_BACK "?"));
	assert_string_equal(location_param(&b, "state"), "s1");
	assert_string_equal(location_param(&b, "iss"), BASE);
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, location_param(&b, "code")));
	assert_int_equal(b.status, 200);
}

static void
it_is_used_once_and_a_reload_goes_on_where_it_led(void **state)
{
	struct world *w = *state;
	struct web b, other;

	web_init(&b, w);
	const char *url = url_of(w, OIDC_CLIENT, pushed(&b, LEAST));

	web_get(&b, url);
	assert_int_equal(b.status, 200);
	const char *flow = b.path;

	web_get(&b, url); /* the page is loaded again */
	assert_int_equal(b.status, 200);
	assert_string_equal(b.path, flow);
	web_init(&other, w); /* who has seen the URL gets nothing by it */
	web_get(&other, url);
	expect_gone(&other);
	web_submit(&b, "/flow/password/", LOGIN);
	if (b.status == 200)
		web_submit(&b, "/flow/consent/", "do=agree");
	assert_non_null(location_param(&b, "code"));
	web_get(&b, url); /* browser's back, once the login is over */
	expect_gone(&b);
	/* With a session that is good enough, once more is as much too often. */
	const char *again = url_of(w, OIDC_CLIENT, pushed(&b, LEAST));

	web_get(&b, again);
	assert_non_null(location_param(&b, "code"));
	web_get(&b, again);
	expect_gone(&b);
}

/* Who is told to come again a little later finds it unused. */
static void
what_led_to_nothing_has_not_used_it_up(void **state)
{
	struct world *w = *state;
	struct lanes_options o = {.clock_us = clock_mono_us}; /* no place anywhere */
	struct web b;

	web_init(&b, w);
	const char *url = url_of(w, OIDC_CLIENT, pushed(&b, LEAST));

	ASSERT_OK(lanes_start(w->a, &o, &w->app.lanes, &w->pg->err), &w->pg->err);
	web_get(&b, url);
	assert_int_equal(b.status, 503);
	lanes_stop(w->app.lanes);
	w->app.lanes = NULL;
	/* Nor when the login cannot be stored. */
	pg_sql(w->pg, "ALTER TABLE flow ADD CONSTRAINT none_more CHECK (false) NOT VALID");
	web_get(&b, url);
	assert_true(b.status >= 400);
	pg_sql(w->pg, "ALTER TABLE flow DROP CONSTRAINT none_more");
	web_get(&b, url);
	assert_int_equal(b.status, 200);
	assert_non_null(web_field(&b, "password"));
	web_submit(&b, "/flow/password/", LOGIN);
	if (b.status == 200)
		web_submit(&b, "/flow/consent/", "do=agree");
	assert_non_null(location_param(&b, "code"));
	web_get(&b, url);
	expect_gone(&b);
	/* Nor when it is answered at once, and the code cannot be. */
	const char *again = url_of(w, OIDC_CLIENT, pushed(&b, LEAST));

	pg_sql(w->pg, "ALTER TABLE grant_code ADD CONSTRAINT none_more CHECK (false) NOT VALID");
	web_get(&b, again);
	assert_true(b.status >= 400);
	pg_sql(w->pg, "ALTER TABLE grant_code DROP CONSTRAINT none_more");
	web_get(&b, again);
	assert_non_null(location_param(&b, "code"));
	web_get(&b, again);
	expect_gone(&b);
}

static void
of_many_at_once_one_is_answered(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", ""));
	web_submit(&b, "/flow/password/", LOGIN);
	if (b.status == 200)
		web_submit(&b, "/flow/consent/", "do=agree");
	const char *url = url_of(w, OIDC_CLIENT, pushed(&b, LEAST));

	assert_int_equal(web_at_once(&b, url + strlen(BASE), OIDC_BACK "?code="), 1);
}

static void
it_lives_a_minute(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *late = pushed(&b, LEAST), *just = pushed(&b, LEAST);

	w->now += 59;
	web_get(&b, url_of(w, OIDC_CLIENT, just));
	assert_int_equal(b.status, 200);
	assert_non_null(web_field(&b, "password"));
	w->now += 1;
	web_get(&b, url_of(w, OIDC_CLIENT, late));
	expect_gone(&b);
}

static void
it_is_the_clients_own(void **state)
{
	struct world *w = *state;
	const char *uri;
	struct web b;

	web_init(&b, w);
	uri = pushed(&b, LEAST);
	web_get(&b, url_of(w, "niemand", uri));
	assert_int_equal(b.status, 400);
	web_get(&b, url_of(w, SAML_PARTY, uri));
	assert_int_equal(b.status, 400);
	web_get(&b, arena_printf(w->a, BASE "/oidc/authorize?request_uri=%s", uri));
	assert_int_equal(b.status, 400);
	web_get(&b, url_of(w, OIDC_CLIENT, PREFIX "x"));
	expect_gone(&b);
	/* None of it has used it up. */
	web_get(&b, url_of(w, OIDC_CLIENT, uri));
	assert_non_null(web_field(&b, "password"));
}

/* The row is of that client alone: a name that another one gives is unknown. */
static void
another_client_cannot_use_it(void **state)
{
	struct world *w = *state;
	struct db_party row = {
		.id = "andere",
		.kind = "oidc",
		.display_name = "Andere",
		.document = bytes_of("{\"metadata\":{\"redirect_uris\":[\"" OIDC_BACK
				     "\"],\"scope\":\"openid\"}}"),
		.policy = "{}",
		.enabled = true,
	};
	struct web b;

	world_party(w, &row);
	web_init(&b, w);
	const char *uri = pushed(&b, LEAST);

	web_get(&b, url_of(w, "andere", uri));
	expect_gone(&b);
	web_get(&b, url_of(w, OIDC_CLIENT, uri));
	assert_non_null(web_field(&b, "password"));
}

static void
what_is_wrong_is_told_at_the_push(void **state)
{
	static const struct {
		const char *form;
		int status;
		const char *error;
	} cases[] = {
		{"response_type=code&scope=openid&client_id=" OIDC_CLIENT PKCE, 400,
		 "invalid_request"},
		{"response_type=code&scope=openid" REDIRECT PKCE, 400, "invalid_request"},
		{"response_type=code&scope=openid&client_id=niemand" REDIRECT PKCE, 400,
		 "invalid_request"},
		{"response_type=code&scope=openid&client_id=" OIDC_CLIENT
		 "&redirect_uri=https%3A%2F%2Fevil.example%2Fback" PKCE,
		 400, "invalid_request"},
		{LEAST "&request_uri=" PREFIX "x", 400, "invalid_request"},
		{LEAST "&request_uri=", 400, "invalid_request"},
		{LEAST "&prompt=none+login", 400, "invalid_request"},
		{LEAST "&state=a&state=b", 400, "invalid_request"},
		{"response_type=token&scope=openid&client_id=" OIDC_CLIENT REDIRECT PKCE, 400,
		 "unsupported_response_type"},
		{"response_type=code&scope=email&client_id=" OIDC_CLIENT REDIRECT PKCE, 400,
		 "invalid_scope"},
		{"response_type=code&scope=openid&client_id=" OIDC_CLIENT REDIRECT, 400,
		 "invalid_request"},
		{LEAST "&id_token_hint=a.b.c", 400, "invalid_request"},
		{LEAST "&claims=%7B%22id_token%22%3A%7B%22acr%22%3A%7B%22essential%22%3Atrue%2C"
		       "%22value%22%3A%22gold%22%7D%7D%7D",
		 400, "unmet_authentication_requirements"},
	};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		web_as_client(&b, "/oidc/par", cases[i].form);
		if (b.status != cases[i].status ||
		    !text_eq(web_member(&b, "error"), cases[i].error))
			fail_msg("case %zu: %d %s", i, b.status, b.body);
	}
}

static void
who_pushes_has_to_prove_itself(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	b.authorization = NULL;
	web_form(&b, "/oidc/par", LEAST);
	assert_int_equal(b.status, 401);
	assert_string_equal(web_member(&b, "error"), "invalid_client");
	b.authorization =
		arena_printf(w->a, "Basic %s", enc_base64(w->a, bytes_of(OIDC_CLIENT ":wrong")));
	web_form(&b, "/oidc/par", LEAST);
	assert_int_equal(b.status, 401);
}

/* RFC 9126 2.3 */
static void
it_is_a_form_that_is_posted(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, BASE "/oidc/par");
	assert_int_equal(b.status, 405);
	b.authorization = oidc_basic(w);
	web_program(&b, "/oidc/par", "application/json", "{}");
	assert_int_equal(b.status, 400);
	web_as_client(&b, "/oidc/par", arena_printf(w->a, "%s&state=%065536d", LEAST, 0));
	assert_int_equal(b.status, 413);
}

static void
register_client(struct world *w, const char *more)
{
	world_oidc_document(w,
			    arena_printf(w->a,
					 "{\"metadata\":{\"redirect_uris\":[\"" OIDC_BACK
					 "\"],\"scope\":\"openid\"%s},\"secret_sha256\":\"%s\"}",
					 more, oidc_secret_digest(w)),
			    "{}");
}

static void
who_has_to_push_gets_nothing_otherwise(void **state)
{
	struct world *w = *state;
	struct web b;

	for (int fapi2 = 0; fapi2 < 2; fapi2++) {
		if (fapi2)
			world_oidc_document(w,
					    "{\"metadata\":{\"profile\":\"fapi2\",\"scope\":"
					    "\"openid\",\"redirect_uris\":[\"" OIDC_BACK
					    "\"],\"token_endpoint_auth_method\":"
					    "\"private_key_jwt\",\"jwks_uri\":"
					    "\"https://stadtportal.example/jwks\"}}",
					    "{}");
		else
			register_client(w, ",\"require_pushed_authorization_requests\":true");
		web_init(&b, w);
		web_get(&b, oidc_request_url(w, "openid", ""));
		assert_int_equal(b.status, 303);
		assert_string_equal(location_param(&b, "error"), "invalid_request");
		assert_string_equal(location_param(&b, "state"), "s1");
		if (fapi2) /* who could push has a key that is not here */
			continue;
		web_get(&b, url_of(w, OIDC_CLIENT, pushed(&b, LEAST)));
		assert_non_null(web_field(&b, "password"));
	}
	register_client(w, ",\"require_pushed_authorization_requests\":false");
	web_get(&b, oidc_request_url(w, "openid", ""));
	assert_non_null(web_field(&b, "password"));
	world_oidc_party(w, "{}");
}

/* Judged again when it is used: the record may have changed since. */
static void
what_the_record_says_by_now_counts(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *uri = pushed(&b, LEAST);

	world_oidc_document(w,
			    "{\"metadata\":{\"redirect_uris\":[\"https://other.example/\"],"
			    "\"scope\":\"openid\"}}",
			    "{}");
	web_get(&b, url_of(w, OIDC_CLIENT, uri));
	assert_int_equal(b.status, 400);
	assert_null(b.location);
	world_oidc_party(w, "{}");
}

static void
neither_the_name_nor_the_request_is_in_the_clear(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_as_client(&b, "/oidc/par",
		      LEAST "&login_hint=erika%40example.invalid&state=visible-state");
	assert_int_equal(b.status, 201);
	const char *uri = web_member(&b, "request_uri");

	assert_string_equal(
		world_value(w, arena_printf(w->a,
					    "SELECT count(*) FROM ticket WHERE"
					    " position('visible-state'::bytea IN data) > 0 OR"
					    " position('erika@'::bytea IN data) > 0 OR"
					    " position('%s'::bytea IN hash || data) > 0",
					    strchr(uri, '.') + 1)),
		"0");
}

/* What the client proved itself by is not kept with the request. */
static void
a_secret_in_the_form_is_not_kept(void **state)
{
	struct world *w = *state;
	struct web b;

	world_oidc_document(w,
			    arena_printf(w->a,
					 "{\"metadata\":{\"redirect_uris\":[\"" OIDC_BACK
					 "\"],\"scope\":\"openid\",\"token_endpoint_auth_method\":"
					 "\"client_secret_post\"},\"secret_sha256\":\"%s\"}",
					 oidc_secret_digest(w)),
			    "{}");
	web_init(&b, w);
	w->now += 1;
	web_form(&b, "/oidc/par", LEAST "&client_secret=" OIDC_SECRET);
	assert_int_equal(b.status, 201);
	const char *with = world_value(w, "SELECT max(length(data)) FROM ticket WHERE created ="
					  " (SELECT max(created) FROM ticket)");

	world_oidc_party(w, "{}");
	w->now += 1;
	web_as_client(&b, "/oidc/par", LEAST);
	assert_string_equal(world_value(w, "SELECT max(length(data)) FROM ticket WHERE created ="
					   " (SELECT max(created) FROM ticket)"),
			    with);
}

static void
a_request_uri_from_elsewhere_is_not_fetched(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid",
				     "&request_uri=https%3A%2F%2Fstadtportal.example%2Frq"));
	assert_int_equal(b.status, 303);
	assert_string_equal(location_param(&b, "error"), "request_uri_not_supported");
	web_get(&b, arena_printf(w->a, "%s&request_uri=%s", oidc_request_url(w, "openid", ""),
				 "x&request_uri=y"));
	assert_int_equal(b.status, 400);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_pushed_request_leads_to_a_login),
		T(it_is_used_once_and_a_reload_goes_on_where_it_led),
		T(what_led_to_nothing_has_not_used_it_up),
		T(of_many_at_once_one_is_answered),
		T(it_lives_a_minute),
		T(it_is_the_clients_own),
		T(another_client_cannot_use_it),
		T(what_is_wrong_is_told_at_the_push),
		T(who_pushes_has_to_prove_itself),
		T(it_is_a_form_that_is_posted),
		T(who_has_to_push_gets_nothing_otherwise),
		T(what_the_record_says_by_now_counts),
		T(neither_the_name_nor_the_request_is_in_the_clear),
		T(a_secret_in_the_form_is_not_kept),
		T(a_request_uri_from_elsewhere_is_not_fetched),
	};

	return cmocka_run_group_tests(tests, setup, world_teardown);
}
