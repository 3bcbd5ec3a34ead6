/* What is told of a login itself: by how many means it was, and how long it lasts. */
#include "base/clock.h"
#include "base/text.h"
#include "tests/flow/steps.h"

#define FORCED " ForceAuthn=\"true\""
#define EXACT_LOW                                                                       \
	"<samlp:RequestedAuthnContext Comparison=\"exact\"><saml:AuthnContextClassRef>" \
	"STORK-QAA-Level-2</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"
#define MFA                                                                        \
	"<samlp:Extensions><akdb:AuthenticationRequest "                           \
	"xmlns:akdb=\"https://www.akdb.de/request/2018/09\" Version=\"2\">"        \
	"<akdb:RequestedAttributes><akdb:RequestedAttribute "                      \
	"Name=\"urn:oid:1.3.6.1.4.1.25484.494450.7\"/></akdb:RequestedAttributes>" \
	"</akdb:AuthenticationRequest></samlp:Extensions>"

static int
fresh(void **state)
{
	steps_fresh(state);
	world_saml_party(*state, "{\"attribute\":[\"email\"]}");
	world_oidc_party(*state, "{\"attribute\":[\"email\"]}");
	return 0;
}

static void
agree(struct web *b)
{
	if (page_of(b) == CONSENT)
		web_submit(b, "/flow/consent/", "do=agree");
	ASSERT_PAGE(b, ANSWER);
}

/* ---- means ---- */

static const char *
mfa_of(struct web *b)
{
	agree(b);
	const char *at = strstr(saml_response_of(b), "Name=\"urn:oid:1.3.6.1.4.1.25484.494450.7\"");

	assert_non_null(at);
	return between(b->w->a, strstr(at, "<saml:AttributeValue"), ">", "<");
}

static void
a_means_used_twice_is_one(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", MFA);
	log_in(&b, "karl");
	assert_string_equal(mfa_of(&b), "false");
	w->now += 5;
	ask(&b, FORCED, MFA);
	log_in(&b, "karl");
	assert_string_equal(mfa_of(&b), "false");
}

static void
two_means_are_two_while_both_count(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", MFA LEVEL3);
	log_in(&b, "erika");
	enter_code(&b);
	assert_string_equal(mfa_of(&b), "true");
	/* Who is told less was none the less there by both. */
	ask(&b, "", MFA EXACT_LOW);
	assert_string_equal(mfa_of(&b), "true");
	/* A login of its own rests on what it was given. */
	ask(&b, FORCED, MFA);
	log_in(&b, "erika");
	assert_string_equal(mfa_of(&b), "false");
	ask(&b, FORCED, MFA LEVEL3);
	log_in(&b, "erika");
	enter_code(&b);
	assert_string_equal(mfa_of(&b), "true");
	/* Half an hour without a use, and the code counts no more (TR-03160-1 table 2). */
	w->now += 1801;
	ask(&b, "", MFA);
	assert_string_equal(mfa_of(&b), "false");
}

/* The amr of an ID token, as one text. */
static const char *
amr_of(struct web *b)
{
	struct world *w = b->w;

	agree(b);
	const json_t *id = oidc_token_says(
		w, text_member(web_redeem(b, location_param(b, "code")), "id_token"));

	return json_text(w->a, json_object_get(id, "amr"), false);
}

static void
a_client_is_told_the_means_that_count(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", "&acr_values=substantial"));
	log_in(&b, "erika");
	enter_code(&b);
	assert_string_equal(amr_of(&b), "[\"pwd\",\"otp\",\"mfa\"]");
	web_get(&b, oidc_request_url(w, "openid", ""));
	assert_string_equal(amr_of(&b), "[\"pwd\",\"otp\",\"mfa\"]");
	w->now += 10;
	web_get(&b, oidc_request_url(w, "openid", "&prompt=login"));
	log_in(&b, "erika");
	assert_string_equal(amr_of(&b), "[\"pwd\"]");
	/* By their age: the password of just now is young enough, the code is not. */
	w->now += 20;
	web_get(&b, oidc_request_url(w, "openid", "&max_age=25"));
	assert_string_equal(amr_of(&b), "[\"pwd\"]");
	web_get(&b, oidc_request_url(w, "openid", "&max_age=300"));
	assert_string_equal(amr_of(&b), "[\"pwd\",\"otp\",\"mfa\"]");
}

/* ---- time ---- */

static const char *
attr_of(struct web *b, const char *name)
{
	return between(b->w->a, saml_response_of(b), arena_printf(b->w->a, " %s=\"", name), "\"");
}

#define ASSERT_ENDS(b, at) \
	assert_string_equal(attr_of(b, "SessionNotOnOrAfter"), clock_text((b)->w->a, at))

static void
a_session_of_a_password_lasts_twelve_hours(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	agree(&b);
	time_t proved = w->now;

	ASSERT_ENDS(&b, proved + 12 * 3600);
	w->now += 1800;
	ask(&b, "", "");
	ASSERT_ENDS(&b, proved + 12 * 3600);
	/* Given again, it counts from then on. */
	ask(&b, FORCED, "");
	log_in(&b, "karl");
	ASSERT_ENDS(&b, w->now + 12 * 3600);
}

static void
a_session_of_two_means_lasts_two_hours(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", LEVEL3);
	log_in(&b, "erika");
	time_t proved = w->now;

	enter_code(&b);
	agree(&b);
	ASSERT_ENDS(&b, w->now + 2 * 3600);
	/* The password of another login makes no old code young. */
	time_t stepped = w->now;

	w->now += 600;
	ask(&b, FORCED, "");
	log_in(&b, "erika");
	ask(&b, "", LEVEL3);
	ASSERT_ENDS(&b, stepped + 2 * 3600);
	assert_true(stepped > proved);
	/* Who is told less may stay for as long as that lasts. */
	ask(&b, "", EXACT_LOW);
	ASSERT_ENDS(&b, w->now + 12 * 3600);
}

/* What rests on a password ends with it, whatever was given since (TR-03160-1 table 2). */
static void
a_portal_is_told_no_end_after_our_own(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	log_in_aside(&b, "erika");
	time_t proved = w->now;

	for (int half_hours = 0; half_hours < 23; half_hours++) {
		w->now += 1800;
		web_get(&b, "/account");
	}
	ask(&b, "", LEVEL3);
	enter_code(&b);
	agree(&b);
	ASSERT_ENDS(&b, proved + 12 * 3600);
	ask(&b, "", EXACT_LOW);
	ASSERT_ENDS(&b, proved + 12 * 3600);
	w->now = proved + 12 * 3600 + 1;
	ask(&b, " IsPassive=\"true\"", "");
	assert_non_null(strstr(saml_response_of(&b), "NoPassive"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_means_used_twice_is_one),
		T(two_means_are_two_while_both_count),
		T(a_client_is_told_the_means_that_count),
		T(a_session_of_a_password_lasts_twelve_hours),
		T(a_session_of_two_means_lasts_two_hours),
		T(a_portal_is_told_no_end_after_our_own),
	};

	return cmocka_run_group_tests(tests, steps_setup, world_teardown);
}
