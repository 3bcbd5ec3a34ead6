/* Verified claims in whole logins: what is told, as it is stored, and what consent takes away. */
#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "tests/flow/world.h"

#define PASSWORD "Lachs-Turmuhr-47"
#define LOGIN    "login_name=erika&password=" PASSWORD "&do=login"

static const char *const erika[] = {"given_names", "Erika", "family_name",
				    "Mustermann",  "email", "erika@example.invalid",
				    NULL};

static int
setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	world_person(*state, "erika", PASSWORD, erika, LEVEL_SUBSTANTIAL);
	world_oidc_party(*state, "{}");
	return world_fresh(state);
}

/* Log in with this claims parameter and agree to what `agree` names; userinfo. */
static const json_t *
told(struct world *w, struct web *b, const char *claims, const char *agree)
{
	const char *more, *code;
	struct err err = {0};
	struct buf buf;

	buf_init(&buf, w->a, 8192);
	buf_str(&buf, "&prompt=consent&claims=");
	enc_percent(&buf, bytes_of(claims));
	ASSERT_OK(buf_finish_str(&buf, &more, &err), &err);
	web_init(b, w);
	web_get(b, oidc_request_url(w, "openid", more));
	if (b->status == 200 && web_field(b, "password") != NULL)
		web_submit(b, "/flow/password/", LOGIN);
	assert_int_equal(b->status, 200);
	web_submit(b, "/flow/consent/", agree);
	assert_int_equal(b->status, 303);
	code = location_param(b, "code");
	assert_non_null(code);
	web_token(b, oidc_basic(w), oidc_redeem_form(w, code));
	assert_int_equal(b->status, 200);
	web_userinfo(b, json_string_value(json_object_get(web_json(b), "access_token")));
	assert_int_equal(b->status, 200);
	return web_json(b);
}

#define ASKED                                                                             \
	"{\"userinfo\":{\"verified_claims\":{\"verification\":{\"trust_framework\":null," \
	"\"assurance_level\":null,\"time\":null},\"claims\":{\"given_name\":null,"        \
	"\"family_name\":null}}}}"

static void
what_was_verified_is_told_as_it_is_stored(void **state)
{
	struct world *w = *state;
	struct web b;
	const json_t *u = told(w, &b, ASKED, "attr_given_names=1&attr_family_name=1&do=agree");
	const json_t *v = json_object_get(u, "verified_claims");

	/* A password alone is a login of level low: what it tells is no surer. */
	assert_string_equal(json_text(w->a, json_object_get(v, "claims"), true),
			    "{\"family_name\":\"Mustermann\",\"given_name\":\"Erika\"}");
	v = json_object_get(v, "verification");
	assert_string_equal(json_string_value(json_object_get(v, "trust_framework")), "eidas");
	assert_string_equal(json_string_value(json_object_get(v, "assurance_level")), "low");
	assert_int_equal(strlen(json_string_value(json_object_get(v, "time"))), 20);
	/* They were asked for in this way and in no other. */
	assert_null(json_object_get(u, "family_name"));
}

static void
what_the_person_does_not_agree_to_is_not_told(void **state)
{
	struct world *w = *state;
	struct web b;
	const json_t *u = told(w, &b, ASKED, "attr_given_names=1&do=agree");

	assert_string_equal(
		json_text(w->a, json_object_get(json_object_get(u, "verified_claims"), "claims"),
			  true),
		"{\"given_name\":\"Erika\"}");
}

static void
what_does_not_meet_the_request_is_not_told(void **state)
{
	struct world *w = *state;
	struct web b;
	const json_t *u = told(
		w, &b,
		"{\"userinfo\":{\"verified_claims\":{\"verification\":{\"trust_framework\":null,"
		"\"assurance_level\":{\"value\":\"high\"}},\"claims\":{\"given_name\":null}}}}",
		"attr_given_names=1&do=agree");

	assert_null(json_object_get(u, "verified_claims"));
	assert_non_null(json_object_get(u, "sub"));
}

/* As `kontor account verify` stores it: what an office was shown, and how it looked at it. */
static void
vouch_for(struct world *w, const char *document, const char *method)
{
	pg_sql(w->pg,
	       arena_printf(w->a,
			    "WITH p AS (INSERT INTO proofing SELECT decode(md5('%s'), 'hex'),"
			    " subject, 'one', 'two', '%s', sha256('e'), %lld, %s FROM attribute"
			    " WHERE name = 'family_name' LIMIT 1 RETURNING id)"
			    " UPDATE attribute SET proofing = (SELECT id FROM p)"
			    " WHERE name = 'family_name'",
			    document, document, (long long)w->now, method));
}

static void
evidence_is_what_an_office_was_shown(void **state)
{
#define EVIDENCE                                                                                 \
	"{\"userinfo\":{\"verified_claims\":{\"verification\":{\"trust_framework\":null,"        \
	"\"evidence\":[{\"type\":{\"value\":\"document\"},\"document_details\":{\"type\":null}," \
	"\"check_details\":[{\"check_method\":null}]}]},\"claims\":{\"given_name\":null,"        \
	"\"family_name\":null}}}}"
	struct world *w = *state;
	struct web b;
	const char *agree = "attr_given_names=1&attr_family_name=1&do=agree";

	/* Nothing says what it rests on. */
	assert_null(json_object_get(told(w, &b, EVIDENCE, agree), "verified_claims"));
	vouch_for(w, "passport", "'in-person'");
	assert_string_equal(
		json_text(w->a, json_object_get(told(w, &b, EVIDENCE, agree), "verified_claims"),
			  true),
		"{\"claims\":{\"family_name\":\"Mustermann\"},\"verification\":{\"evidence\":"
		"[{\"check_details\":[{\"check_method\":\"vpip\"}],\"document_details\":{\"type\":"
		"\"passport\"},\"type\":\"document\"}],\"trust_framework\":\"eidas\"}}");
	/* What has no name there, and what was not said, is left out. */
	vouch_for(w, "library card", "NULL");
	assert_string_equal(
		json_text(w->a, json_object_get(told(w, &b, EVIDENCE, agree), "verified_claims"),
			  true),
		"{\"claims\":{\"family_name\":\"Mustermann\"},\"verification\":{\"evidence\":"
		"[{\"type\":\"document\"}],\"trust_framework\":\"eidas\"}}");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, world_fresh)
	const struct CMUnitTest tests[] = {
		T(what_was_verified_is_told_as_it_is_stored),
		T(what_the_person_does_not_agree_to_is_not_told),
		T(what_does_not_meet_the_request_is_not_told),
		T(evidence_is_what_an_office_was_shown),
	};

	return cmocka_run_group_tests_name("flow verified", tests, setup, world_teardown);
}
