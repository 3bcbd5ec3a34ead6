/*
 * What is kept between the steps of a login is read as strictly as what comes from outside: a
 * row that another release left, or that somebody changed, gives an error and never half an answer.
 */
#include "base/enc.h"
#include "base/text.h"
#include "idp/ask.h"
#include "keys/sign.h"
#include "tests/flow/steps.h"

#define AGREE "attr_email=1&do=agree"

/* Put a JSON value (NULL: nothing) at a place, "state,id", of a column of the newest rows. */
static void
plant(struct world *w, const char *table, const char *column, const char *place, const char *value)
{
	struct arena *a = w->a;
	const char *now = value == NULL ? arena_printf(a, "#- '{%s}'", place)
					: arena_printf(a, ", '{%s}', '%s'", place, value);
	const char *old = arena_printf(a, "convert_from(%s, 'UTF8')::jsonb", column);
	const char *sql =
		arena_printf(a,
			     "WITH u AS (UPDATE %s SET %s = convert_to((%s%s %s%s)::text, 'UTF8')"
			     " WHERE created = %lld RETURNING 1) SELECT count(*) > 0 FROM u",
			     table, column, value == NULL ? "" : "jsonb_set(", old, now,
			     value == NULL ? "" : ")", (long long)w->now);

	assert_string_equal(world_value(w, sql), "t");
}

struct planted {
	const char *place, *value;
};

static bool
answered(struct web *b)
{
	return saml_response_of(b) != NULL || b->location != NULL;
}

static void
begin(struct web *b, struct world *w, bool oidc)
{
	web_init(b, w);
	w->now += 2; /* the rows of this turn */
	if (oidc)
		web_get(b, oidc_request_url(w, "openid email", "&prompt=consent"));
	else
		ask(b, "", "");
	ASSERT_PAGE(b, LOGIN);
}

static void
no_answer_comes_of(struct world *w, bool oidc, const struct planted *rows, size_t n, int ways)
{
	struct web b;

	for (size_t i = 0; i < n; i++) {
		/* By yes and by no; the row changes before the last step. */
		for (int no = 0; no < ways; no++) {
			begin(&b, w, oidc);
			log_in(&b, "karl");
			ASSERT_PAGE(&b, CONSENT);
			web_fill_in(&b, "/flow/consent/", no ? "do=cancel" : AGREE);
			plant(w, "flow", "ask", rows[i].place, rows[i].value);
			web_submit_again(&b);
			if (b.status < 400 || answered(&b))
				fail_msg("%s = %s: %d", rows[i].place,
					 rows[i].value == NULL ? "" : rows[i].value, b.status);
		}
	}
}

static void
a_saml_request_that_does_not_read_is_not_answered(void **state)
{
	static const struct planted rows[] = {
		{"state,id", "5"},          {"state,acs", "5"},    {"state,acs", NULL},
		{"state,relay_state", "5"}, {"state,nameid", "5"}, {"state,detail", "5"},
		{"state,once", "5"},
	};

	static const struct planted told[] = {
		{"state,online_service", "5"},  {"state,sp_type", "5"}, {"state,names", "5"},
		{"state,names", "\"klingon\""}, {"state,named", "5"},   {"state,facts", "5"},
	};

	no_answer_comes_of(*state, false, rows, ARRAY_LEN(rows), 2);
	no_answer_comes_of(*state, false, told, ARRAY_LEN(told), 1);
}

static void
an_oidc_request_that_does_not_read_is_not_answered(void **state)
{
	static const struct planted rows[] = {
		{"state,redirect_uri", "5"},
		{"state,redirect_uri", NULL},
		{"state,state", "5"},
		{"state,nonce", "5"},
		{"state,challenge", "5"},
		{"state,scope", "5"},
		{"state,scope", NULL},
		{"state,claims", "5"},
		{"state,claims", "[{\"name\": 5}]"},
		{"state,claims", "[{\"name\": \"email\", \"id_token\": 5}]"},
		{"state,claims", "[{\"name\": \"email\", \"userinfo\": 5}]"},
		{"state,redirect_uri", "\"https://evil.example/\""},
	};

	no_answer_comes_of(*state, true, rows, ARRAY_LEN(rows), 2);
}

/* One more than may be asked for, each a good one. */
static const char *
too_many_attributes(struct arena *a)
{
	const char *row = "{\"name\": \"email\", \"required\": false}", *all = row;

	for (size_t i = 0; i < ASK_NAMES_MAX; i++)
		all = arena_printf(a, "%s, %s", all, row);
	return arena_printf(a, "[%s]", all);
}

static void
what_was_asked_and_does_not_read_is_no_login(void **state)
{
	struct world *w = *state;
	const struct planted rows[] = {
		{"front", "5"},
		{"front", "\"palmistry\""},
		{"party", "5"},
		{"levels", "\"x\""},
		{"names_attributes", "5"},
		{"wanted", "5"},
		{"wanted", "[{\"name\": 5, \"required\": false}]"},
		{"wanted", "[{\"name\": \"email\", \"required\": 5}]"},
		{"wanted", "[{\"name\": \"email\", \"required\": true, \"filled\": 5}]"},
		{"wanted", "[{\"name\": \"star_sign\", \"required\": false}]"},
		{"wanted", too_many_attributes(w->a)},
		{"force", "5"},
		{"passive", "5"},
		{"consent_anew", "5"},
		{"max_age_s", "\"x\""},
		{"lang", "5"},
		{"service", "5"},
		{"person", "5"},
		{"known_only", "5"},
		{"login_hint", "5"},
		{"replay", "5"},
		{"replay_expires", "\"x\""},
		{"state", "5"},
	};
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin(&b, w, false);
		plant(w, "flow", "ask", rows[i].place, rows[i].value);
		web_get(&b, b.path);
		if (b.status < 400 || answered(&b))
			fail_msg("%s = %s: %d", rows[i].place, rows[i].value, b.status);
	}
	begin(&b, w, false);
	assert_string_equal(world_value(w, arena_printf(w->a,
							"UPDATE flow SET ask = 'x' WHERE created ="
							" %lld RETURNING 1",
							(long long)w->now)),
			    "1");
	web_get(&b, b.path);
	assert_true(b.status >= 400);
}

static void
words_for_levels_that_do_not_read_reach_none(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", LEVEL3);
	ASSERT_PAGE(&b, LOGIN);
	plant(w, "flow", "ask", "state,classes", "5");
	web_get(&b, b.path);
	assert_non_null(strstr(saml_response_of(&b), "NoAuthnContext"));
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid",
				     "&claims=%7B%22id_token%22%3A%7B%22acr%22%3A%7B%22essential"
				     "%22%3Atrue%2C%22value%22%3A%22low%22%7D%7D%7D"));
	ASSERT_PAGE(&b, LOGIN);
	plant(w, "flow", "ask", "state,acr", "5");
	web_get(&b, b.path);
	assert_string_equal(location_param(&b, "error"), "unmet_authentication_requirements");
}

static void
a_hint_that_does_not_open_is_not_shown(void **state)
{
	static const char *const hints[] = {"\"=\"", "\"AAAA\""};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		begin(&b, w, true);
		plant(w, "flow", "ask", "login_hint", hints[i]);
		web_get(&b, b.path);
		assert_true(b.status >= 400);
	}
}

static void
an_app_that_waits_and_does_not_read_is_not_set_up(void **state)
{
	static const struct planted rows[] = {
		{"totp_id", "5"},        {"totp_id", "\"zz\""}, {"totp_id", "\"00\""},
		{"totp_seed", "5"},      {"totp_for", "5"},     {"totp_seed", "\"=\""},
		{"totp_seed", "\"AA\""},
	};
	static const char *const parts[] = {"totp_id", "totp_seed", "totp_for"};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(rows) + ARRAY_LEN(parts); i++) {
		web_init(&b, w);
		w->now += 2;
		ask(&b, "", LEVEL3);
		log_in(&b, "karl");
		ASSERT_PAGE(&b, ENROLL);
		const char *page = b.path, *code = web_shown_code(&b), *flow = flow_of(&b);

		if (i >= ARRAY_LEN(rows)) { /* a part of it: none waits, and another is offered */
			plant(w, "flow", "progress", parts[i - ARRAY_LEN(rows)], NULL);
			web_get(&b, page);
			ASSERT_PAGE(&b, ENROLL);
			assert_string_not_equal(web_shown_code(&b), code);
			continue;
		}
		web_fill_in(&b, "/flow/enroll/", arena_printf(w->a, "code=%s&do=enroll", code));
		plant(w, "flow", "progress", rows[i].place, rows[i].value);
		web_submit_again(&b);
		assert_true(b.status >= 400);
		web_post(&b, "/flow/enroll/", flow, "code=&do=enroll");
		assert_true(b.status >= 400);
		web_get(&b, page);
		assert_true(b.status >= 400);
	}
}

static void
an_app_is_not_set_up_where_none_waits(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", LEVEL3);
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CODE);
	web_post(&b, "/flow/enroll/", flow_of(&b), "code=&do=enroll");
	ASSERT_PAGE(&b, CODE);
}

static void
a_stored_consent_that_does_not_read_releases_nothing(void **state)
{
	struct world *w = *state;
	struct web b;

	world_saml_party(w, "{\"attribute\":[\"family_name:required\",\"email\"]}");
	begin(&b, w, false);
	log_in(&b, "karl");
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", AGREE);
	assert_true(succeeded(&b));
	assert_string_not_equal(
		world_value(w, "UPDATE consent SET attributes = '[5]' WHERE given RETURNING 1"),
		"");
	ask(&b, "", "");
	assert_true(b.status >= 400);
	web_post(&b, "/account", "", "do=withdraw&consent=" SAML_PARTY);
	ask(&b, "", "");
	ASSERT_PAGE(&b, CONSENT);
	world_saml_party(w, POLICY);
}

/* ---- codes ---- */

static const char *
code_of(struct web *b, struct world *w)
{
	begin(b, w, true);
	log_in(b, "karl");
	web_submit(b, "/flow/consent/", AGREE);
	ASSERT_PAGE(b, ANSWER);
	return location_param(b, "code");
}

static bool
gives_a_token(struct web *b, const char *code)
{
	web_token(b, oidc_basic(b->w), oidc_redeem_form(b->w, code));
	assert_true(b->status == 200 || b->status >= 400);
	return b->status == 200;
}

static void
a_code_that_does_not_read_gives_no_token(void **state)
{
	static const struct planted rows[] = {
		{"acr", "5"}, {"sid", "5"}, {"amr", "5"}, {"auth_time", "\"x\""}};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *code = code_of(&b, w);

		plant(w, "grant_code", "extra", rows[i].place, rows[i].value);
		assert_false(gives_a_token(&b, code));
	}
	const char *code = code_of(&b, w);

	assert_string_not_equal(world_value(w, "UPDATE grant_code SET extra = 'x'"
					       " WHERE taken_at IS NULL RETURNING 1"),
				"");
	assert_false(gives_a_token(&b, code));
}

static void
seal_anew(struct world *w, const char *text)
{
	const char *grant = world_value(w, "SELECT encode(grant_id, 'hex') FROM grant_code"
					   " WHERE taken_at IS NULL ORDER BY created DESC LIMIT 1");
	const char *whose = arena_printf(w->a,
					 " FROM subject s JOIN grant_code g ON g.acting = s.id"
					 " WHERE g.grant_id = '\\x%s'",
					 grant);
	const struct account_value value = {bytes_of(arena_printf(w->a, "grant:%s", grant)),
					    bytes_of(text)};
	struct bytes id, key, sealed;
	struct err err = {0};

	ASSERT_OK(dec_hex(w->a,
			  bytes_of(world_value(
				  w, arena_printf(w->a, "SELECT encode(s.id, 'hex')%s", whose))),
			  &id, &err),
		  &err);
	ASSERT_OK(dec_hex(w->a,
			  bytes_of(world_value(
				  w, arena_printf(w->a, "SELECT encode(s.account_key, 'hex')%s",
						  whose))),
			  &key, &err),
		  &err);
	ASSERT_OK(signer_account_seal(w->signer->s, w->a, id, key, &value, 1, &sealed, &err), &err);
	assert_string_equal(world_value(w, arena_printf(w->a,
							"UPDATE grant_code SET sealed = %s"
							" WHERE grant_id = '\\x%s' RETURNING 1",
							pg_hex(w->pg, sealed), grant)),
			    "1");
}

static void
sealed_claims_that_do_not_read_give_no_token(void **state)
{
	static const char *const texts[] = {"x", "{\"sub\":5}", "{\"sub\":\"s\",\"id_token\":5}",
					    "{\"sub\":\"s\",\"userinfo\":5}",
					    "{\"id_token\":{},\"userinfo\":{}}"};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *code = code_of(&b, w);

		seal_anew(w, texts[i]);
		assert_false(gives_a_token(&b, code));
	}
	const char *code = code_of(&b, w);

	seal_anew(w, "{\"sub\":\"s\",\"id_token\":{},\"userinfo\":{}}");
	assert_true(gives_a_token(&b, code));
	/* What does not open is no fault of the client's. */
	code = code_of(&b, w);
	pg_sql(w->pg, "UPDATE grant_code SET sealed = '\\x0102' WHERE taken_at IS NULL");
	assert_false(gives_a_token(&b, code));
	assert_int_equal(b.status, 503);
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_saml_request_that_does_not_read_is_not_answered),
		T(an_oidc_request_that_does_not_read_is_not_answered),
		T(what_was_asked_and_does_not_read_is_no_login),
		T(words_for_levels_that_do_not_read_reach_none),
		T(a_hint_that_does_not_open_is_not_shown),
		T(an_app_that_waits_and_does_not_read_is_not_set_up),
		T(an_app_is_not_set_up_where_none_waits),
		T(a_stored_consent_that_does_not_read_releases_nothing),
		T(a_code_that_does_not_read_gives_no_token),
		T(sealed_claims_that_do_not_read_give_no_token),
	};

	return cmocka_run_group_tests_name("flow kept", tests, steps_setup, world_teardown);
}
