/* Clients that register themselves: invitations, rules, statements, and what becomes of a record.
 */
#include "base/enc.h"
#include "base/text.h"
#include "db/registration.h"
#include "idp/refusal.h"
#include "idp/registration.h"
#include "oidc/statement.h"
#include "tests/flow/world.h"
#include "tests/oidc/support.h"

#define INVITATION "initial-access-token-of-a-test"

static const char rules_json[] =
	"{\"profiles\":[\"oauth\",\"oidc\"],\"scopes\":[\"openid\",\"email\"],"
	"\"hosts\":[\"portal.example\"],\"grant_types\":[\"authorization_code\","
	"\"refresh_token\"],\"level_cap\":\"substantial\",\"resources\":[\"https://api.example/\"],"
	"\"authorization_details_types\":[\"termin\"]}";

static struct bytes
hash_of(struct world *w, const char *token)
{
	unsigned char *digest = arena_alloc(w->a, SHA256_BYTES);

	hash_sha256(bytes_of(token), digest);
	return (struct bytes){digest, SHA256_BYTES};
}

static void
invite(struct world *w, const char *rules, int64_t count, time_t expires)
{
	const struct db_invitation invitation = {
		.name = "portals", .rules = rules, .remaining = count, .expires = expires};
	struct err err = {0};

	pg_sql(w->pg, "DELETE FROM invitation");
	ASSERT_OK(db_invitation_put(&w->pg->c, &invitation, hash_of(w, INVITATION), NULL, w->now,
				    &err),
		  &err);
}

/* One request of a registrant; the status. */
static int
ask(struct web *b, const char *method, const char *path, const char *token, const char *body)
{
	web_init(b, b->w);
	b->authorization = token == NULL ? NULL : arena_printf(b->w->a, "Bearer %s", token);
	web_method(b, method, path, body);
	world_reload(b->w);
	return b->status;
}

static const char *
told(struct web *b, const char *name)
{
	const char *s = json_string_value(json_object_get(web_json(b), name));

	return s == NULL ? "" : arena_strdup(b->w->a, s);
}

#define METADATA                                                                           \
	"{\"redirect_uris\":[\"https://a.portal.example/cb\"],\"scope\":\"openid email\"," \
	"\"client_name\":\"Amt\",\"token_endpoint_auth_method\":\"client_secret_post\","   \
	"\"resources\":[\"https://api.example/\"],"                                        \
	"\"authorization_details_types\":[\"termin\"]}"

struct registered {
	const char *id, *secret, *token, *path;
};

static struct registered
register_one(struct web *b, const char *metadata)
{
	struct registered r;

	if (ask(b, "POST", REGISTRATION_PATH, INVITATION, metadata) != 201)
		fail_msg("%d %s", b->status, b->body);
	r = (struct registered){
		told(b, "client_id"), told(b, "client_secret"),
		told(b, "registration_access_token"),
		arena_printf(b->w->a, REGISTRATION_PATH "/%s", told(b, "client_id"))};
	assert_string_equal(told(b, "registration_client_uri"),
			    arena_printf(b->w->a, BASE "%s", r.path));
	return r;
}

static const char *
value(struct world *w, const char *sql)
{
	return arena_strdup(w->a, world_value(w, sql));
}

static void
a_client_registers_reads_changes_and_removes_itself(void **state)
{
	struct world *w = *state;
	struct web b = {.w = w};

	invite(w, rules_json, 2, w->now + 60);
	struct registered r = register_one(&b, METADATA);

	assert_int_equal(strlen(r.secret), 43);
	assert_string_equal(told(&b, "profile"), "oauth");
	assert_int_equal(json_integer_value(json_object_get(web_json(&b), "client_id_issued_at")),
			 w->now);
	assert_int_equal(
		json_integer_value(json_object_get(web_json(&b), "client_secret_expires_at")), 0);
	/* The least to begin with, whatever it may ask for later. */
	assert_string_equal(value(w, arena_printf(w->a,
						  "SELECT policy->>'level-cap' FROM party WHERE id "
						  "= '%s'",
						  r.id)),
			    "substantial");
	/* Neither token lies there as it is. */
	assert_string_equal(value(w, arena_printf(w->a,
						  "SELECT count(*) FROM registration WHERE party = "
						  "'%s' AND hash = sha256('%s')",
						  r.id, r.token)),
			    "1");
	/* Its secret proves it: what fails is the code alone. */
	web_init(&b, w);
	web_token(&b, NULL,
		  arena_printf(w->a,
			       "grant_type=authorization_code&code=x&redirect_uri=https%%3A%%2F%%2F"
			       "a.portal.example%%2Fcb&code_verifier=" PKCE_VERIFIER
			       "&client_id=%s&client_secret=%s",
			       r.id, r.secret));
	assert_string_equal(told(&b, "error"), "invalid_grant");
	/* RFC 7592 2.1 */
	assert_int_equal(ask(&b, "GET", r.path, r.token, NULL), 200);
	assert_string_equal(told(&b, "client_name"), "Amt");
	assert_string_equal(told(&b, "registration_access_token"), r.token);
	assert_string_equal(told(&b, "client_secret"), "");
	/* RFC 7592 2.2: the whole record is replaced; the secret stays. */
	assert_int_equal(ask(&b, "PUT", r.path, r.token,
			     arena_printf(w->a,
					  "{\"client_id\":\"%s\",\"redirect_uris\":"
					  "[\"https://portal.example/new\"],"
					  "\"token_endpoint_auth_method\":\"client_secret_post\"}",
					  r.id)),
			 200);
	assert_string_equal(told(&b, "client_name"), "");
	assert_string_equal(told(&b, "client_secret"), "");
	/* What it is refused is counted for it. */
	assert_int_equal(ask(&b, "PUT", r.path, r.token, "{\"client_id\":\"x\"}"), 400);
	struct db_refusal refusal = {.endpoint = ""};

	while (!text_eq(refusal.endpoint, REGISTRATION_PATH "/"))
		assert_true(refusals_take(w->app.refusals, w->a, &refusal));
	assert_true(refusal.proven);
	assert_string_equal(refusal.party, r.id);
	assert_int_equal(ask(&b, "GET", r.path, r.token, NULL), 200);
	assert_non_null(strstr(b.body, "https://portal.example/new"));
	/* RFC 7592 2.3 */
	assert_int_equal(ask(&b, "DELETE", r.path, r.token, NULL), 204);
	assert_int_equal(ask(&b, "GET", r.path, r.token, NULL), 401);
	assert_string_equal(told(&b, "error"), "invalid_token");
	assert_string_equal(value(w, arena_printf(w->a,
						  "SELECT string_agg(event, ' ' ORDER BY seq) FROM "
						  "audit WHERE party = '%s'",
						  r.id)),
			    "client_registered client_changed client_removed");
}

static void
who_was_not_invited_registers_nothing(void **state)
{
	struct world *w = *state;
	struct web b = {.w = w};

	invite(w, rules_json, 1, w->now + 60);
	assert_int_equal(ask(&b, "POST", REGISTRATION_PATH, NULL, METADATA), 401);
	assert_int_equal(ask(&b, "POST", REGISTRATION_PATH, "another-token", METADATA), 401);
	assert_string_equal(told(&b, "error"), "invalid_token");
	/* RFC 9700 4.3.2 */
	assert_int_equal(ask(&b, "POST", REGISTRATION_PATH "?access_token=x", NULL, METADATA), 400);
	/* What was refused has used nothing up; then one, and no second. */
	assert_int_equal(ask(&b, "POST", REGISTRATION_PATH, INVITATION, "{}"), 400);
	register_one(&b, METADATA);
	assert_int_equal(ask(&b, "POST", REGISTRATION_PATH, INVITATION, METADATA), 401);
	invite(w, rules_json, 1, w->now);
	assert_int_equal(ask(&b, "POST", REGISTRATION_PATH, INVITATION, METADATA), 401);
	assert_string_equal(value(w, "SELECT count(*) FROM registration"), "1");
}

static void
anothers_token_opens_no_record(void **state)
{
	static const char *const methods[] = {"GET", "PUT", "DELETE"};
	struct world *w = *state;
	struct web b = {.w = w};

	invite(w, rules_json, 2, w->now + 60);
	struct registered one = register_one(&b, METADATA), two = register_one(&b, METADATA);

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		const char *body = i == 1 ? METADATA : NULL;

		assert_int_equal(ask(&b, methods[i], one.path, two.token, body), 401);
		assert_int_equal(ask(&b, methods[i], one.path, INVITATION, body), 401);
		assert_int_equal(ask(&b, methods[i], one.path, NULL, body), 401);
		assert_int_equal(
			ask(&b, methods[i], REGISTRATION_PATH "/" OIDC_CLIENT, one.token, body),
			401);
	}
	/* An operator who switches a client off has it off. */
	world_disable(w, one.id);
	assert_int_equal(ask(&b, "GET", one.path, one.token, NULL), 401);
	assert_int_equal(ask(&b, "PUT", one.path, one.token, METADATA), 401);
	assert_int_equal(ask(&b, "GET", two.path, two.token, NULL), 200);
}

static void
what_the_invitation_does_not_have_is_refused(void **state)
{
	static const struct {
		const char *members, *error;
	} cases[] = {
		{"\"redirect_uris\":[\"https://evil.example/cb\"]", "invalid_redirect_uri"},
		{"\"redirect_uris\":[\"https://evilportal.example/cb\"]", "invalid_redirect_uri"},
		{"\"redirect_uris\":[\"https://portal.example.evil/cb\"]", "invalid_redirect_uri"},
		{"\"redirect_uris\":[\"example.app.x:/cb\"],\"application_type\":\"native\"",
		 "invalid_redirect_uri"},
		{"\"redirect_uris\":[\"http://127.0.0.1/cb\"],\"application_type\":\"native\"",
		 "invalid_redirect_uri"},
		{"\"redirect_uris\":[\"https://portal.example/*\"]", "invalid_redirect_uri"},
		{"\"post_logout_redirect_uris\":[\"https://evil.example/\"]",
		 "invalid_client_metadata"},
		{"\"logo_uri\":\"https://evil.example/logo\"", "invalid_client_metadata"},
		{"\"policy_uri#de\":\"https://evil.example/\"", "invalid_client_metadata"},
		{"\"jwks_uri\":\"https://evil.example/jwks\"", "invalid_client_metadata"},
		{"\"sector_identifier_uri\":\"https://evil.example/\"", "invalid_client_metadata"},
		{"\"backchannel_logout_uri\":\"https://evil.example/\"", "invalid_client_metadata"},
		{"\"scope\":\"openid profile\"", "invalid_client_metadata"},
		{"\"profile\":\"fapi2\"", "invalid_client_metadata"},
		{"\"grant_types\":[\"client_credentials\"],\"response_types\":[]",
		 "invalid_client_metadata"},
		{"\"resource_uris\":[\"https://portal.example/api\"]", "invalid_client_metadata"},
		{"\"subject_type\":\"public\"", "invalid_client_metadata"},
		{"\"may_act\":[\"api\"]", "invalid_client_metadata"},
		{"\"token_exchange\":\"impersonation\"", "invalid_client_metadata"},
		{"\"resources\":[\"https://portal.example/api\"]", "invalid_client_metadata"},
		{"\"authorization_details_types\":[\"other\"]", "invalid_client_metadata"},
		{"\"client_id\":\"" OIDC_CLIENT "\"", "invalid_client_metadata"},
		{"\"registration_access_token\":\"x\"", "invalid_client_metadata"},
		{"\"client_secret\":\"x\"", "invalid_client_metadata"},
		{"\"software_statement\":\"a.b.c\"", "unapproved_software_statement"},
		{"\"software_statement\":1", "invalid_software_statement"},
	};
	struct world *w = *state;
	struct web b = {.w = w};

	invite(w, rules_json, 1, w->now + 60);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *uris = "\"redirect_uris\":[\"https://portal.example/cb\"],";
		const char *body =
			arena_printf(w->a, "{%s%s}",
				     text_starts(cases[i].members, "\"redirect_uris") ? "" : uris,
				     cases[i].members);

		assert_int_equal(ask(&b, "POST", REGISTRATION_PATH, INVITATION, body), 400);
		if (!text_eq(told(&b, "error"), cases[i].error))
			fail_msg("%s: %s", body, b.body);
	}
	/* The same at a change: the rules are those of the invitation, also when that is gone. */
	struct registered r = register_one(&b, METADATA);

	pg_sql(w->pg, "DELETE FROM invitation");
	for (size_t i = 0; i < 3; i++) {
		const char *body = arena_printf(w->a, "{%s}", cases[i].members);

		assert_int_equal(ask(&b, "PUT", r.path, r.token, body), 400);
		assert_string_equal(told(&b, "error"), cases[i].error);
	}
	assert_int_equal(ask(&b, "PUT", r.path, r.token, "[]"), 400);
	assert_int_equal(ask(&b, "GET", r.path, r.token, NULL), 200);
	assert_non_null(strstr(b.body, "https://a.portal.example/cb"));
}

/* What a registrant leaves out is what it was invited to (RFC 7591 2: scope). */
static void
what_is_not_said_is_what_the_invitation_has(void **state)
{
	struct world *w = *state;
	struct web b = {.w = w};

	invite(w, rules_json, 2, w->now + 60);
	register_one(&b, "{\"redirect_uris\":[\"https://portal.example/cb\"]}");
	assert_string_equal(told(&b, "scope"), "openid email");
	/* What gives nothing need not be in it. */
	register_one(&b, "{\"redirect_uris\":[\"https://portal.example/cb\"],\"scope\":\"openid\","
			 "\"response_types\":[\"code id_token\"],"
			 "\"grant_types\":[\"authorization_code\",\"implicit\"]}");
	assert_string_equal(told(&b, "scope"), "openid");
}

static const char *
with_secret(struct world *w, const char *secret, const char *method)
{
	return arena_printf(w->a,
			    "{\"redirect_uris\":[\"https://portal.example/cb\"],"
			    "\"client_secret\":\"%s\",\"token_endpoint_auth_method\":\"%s\"}",
			    secret, method);
}

/* RFC 7592 2.2: the whole of what was told may come back. */
static void
a_secret_that_comes_back_has_to_be_the_one(void **state)
{
	static const char *const methods[] = {"client_secret_basic", "client_secret_jwt", "none"};
	struct world *w = *state;
	struct web b = {.w = w};

	invite(w, rules_json, 3, w->now + 60);
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct registered r = register_one(
			&b, arena_printf(w->a,
					 "{\"redirect_uris\":[\"https://portal.example/cb\"],"
					 "\"token_endpoint_auth_method\":\"%s\"}",
					 methods[i]));
		const char *right = i < 2 ? r.secret : "x";

		assert_int_equal(ask(&b, "PUT", r.path, r.token, with_secret(w, right, methods[i])),
				 i < 2 ? 200 : 400);
		assert_int_equal(
			ask(&b, "PUT", r.path, r.token, with_secret(w, "another", methods[i])),
			400);
		assert_string_equal(told(&b, "error"), "invalid_client_metadata");
	}
}

static const char *
statement(struct world *w, const char *claims)
{
	return token_of(w->a, OIDC_ES256, "{\"alg\":\"ES256\",\"kid\":\"s1\"}", claims);
}

static void
a_software_statement_stands_over_what_is_asked_for(void **state)
{
	struct world *w = *state;
	struct web b = {.w = w};
	const char *good = statement(w, "{\"iss\":\"https://land.example\",\"client_name\":"
					"\"Vouched for\",\"client_id\":\"" OIDC_CLIENT
					"\",\"redirect_uris\":[\"https://b.portal.example/cb\"]}");
	const struct {
		const char *token, *part;
	} bad[] = {
		{"a.b.c", "base64"},
		{statement(w, "{\"client_name\":\"x\"}"), "iss is missing"},
		{statement(w, "{\"iss\":\"\"}"), "iss is missing"},
		{statement(w, "{\"iss\":\"x\",\"exp\":1}"), "is over"},
		{statement(w, "{\"iss\":\"x\",\"nbf\":9999999999}"), "not begun"},
		{statement(w, "{\"iss\":\"x\",\"iat\":9999999999}"), "not begun"},
		{statement(w, "{\"iss\":\"x\",\"exp\":\"never\"}"), "not an integer"},
		{token_of(w->a, OIDC_ES384, "{\"alg\":\"ES384\",\"kid\":\"s1\"}",
			  "{\"iss\":\"x\"}"),
		 "the key is for ES256"},
		{token_of(w->a, OIDC_ES256, "{\"alg\":\"ES256\",\"kid\":\"s2\"}",
			  "{\"iss\":\"x\"}"),
		 "no key"},
	};
	struct oidc_jwk key = public_key(OIDC_ES256, "s1");
	const struct oidc_jwks signers = {.keys = &key, .n = 1};

	invite(w,
	       arena_printf(w->a, "{\"hosts\":[\"portal.example\"],\"signers\":%s}",
			    public_jwks(w->a, OIDC_ES256, "s1")),
	       1, w->now + 60);
	const struct registered r = register_one(
		&b, arena_printf(w->a,
				 "{\"redirect_uris\":[\"https://a.portal.example/cb\"],"
				 "\"client_name\":\"Claimed\",\"software_statement\":\"%s\"}",
				 good));

	assert_string_equal(told(&b, "client_name"), "Vouched for");
	assert_non_null(strstr(b.body, "https://b.portal.example/cb"));
	assert_null(strstr(b.body, "https://a.portal.example/cb"));
	assert_string_equal(told(&b, "software_statement"), good);
	assert_string_not_equal(r.id, OIDC_CLIENT);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_t *metadata = json_new_object(w->a);
		struct err err = {0};

		json_put_str(w->a, metadata, "software_statement", bad[i].token);
		assert_false(oidc_statement_apply(w->a, metadata, &signers, w->now, &err));
		assert_string_equal(err.proto, "invalid_software_statement");
		if (strstr(err.text, bad[i].part) == NULL)
			fail_msg("%zu: %s", i, err.text);
		err_clear(&err);
	}
}

static void
rules_that_do_not_read_are_refused(void **state)
{
	static const char *const bad[] = {"[]",
					  "{\"profiles\":[\"fapi1\"]}",
					  "{\"profiles\":\"oidc\"}",
					  "{\"hosts\":[1]}",
					  "{\"level_cap\":\"highest\"}",
					  "{\"level_cap\":1}",
					  "{\"resources\":1}",
					  "{\"signers\":{\"keys\":[]}}",
					  "{\"signers\":1}"};
	struct world *w = *state;
	struct registration_rules r;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(registration_rules_parse(w->a, bad[i], &r, &err));
		assert_int_equal(err.kind, ERR_INPUT);
		err_clear(&err);
	}
	ASSERT_OK(registration_rules_parse(w->a, "{}", &r, &err), &err);
	assert_int_equal(r.level_cap, LEVEL_LOW);
	assert_int_equal(r.hosts.n, 0);
	assert_string_equal(r.scopes.s[0], "openid");
}

#define T(name) cmocka_unit_test_setup(name, world_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_client_registers_reads_changes_and_removes_itself),
		T(who_was_not_invited_registers_nothing),
		T(anothers_token_opens_no_record),
		T(what_the_invitation_does_not_have_is_refused),
		T(what_is_not_said_is_what_the_invitation_has),
		T(a_secret_that_comes_back_has_to_be_the_one),
		T(a_software_statement_stands_over_what_is_asked_for),
		T(rules_that_do_not_read_are_refused),
	};

	return cmocka_run_group_tests_name("registration", tests, world_setup, world_teardown);
}
