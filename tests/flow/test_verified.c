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

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, world_fresh)
	const struct CMUnitTest tests[] = {
		T(what_was_verified_is_told_as_it_is_stored),
		T(what_the_person_does_not_agree_to_is_not_told),
		T(what_does_not_meet_the_request_is_not_told),
	};

	return cmocka_run_group_tests_name("flow verified", tests, setup, world_teardown);
}
