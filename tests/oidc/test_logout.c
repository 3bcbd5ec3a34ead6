/* RP-initiated logout: whose it is, and where it may lead. */
#include "tests/oidc/fixture.h"

#include "oidc/error.h"
#include "oidc/logout.h"

#define BYE "https://portal.example/bye"

static const char *const uris[] = {BYE};
static const struct oidc_client client = {.client_id = "c1",
					  .post_logout_redirect_uris = {uris, 1}};
static const struct oidc_hint hint = {"c1", "sub", "s1"};

static const struct param list[] = {
	{"id_token_hint", "a.b.c"}, {"client_id", "c1"},     {"post_logout_redirect_uri", BYE},
	{"state", "x y"},           {"ui_locales", "de en"}, {"logout_hint", "ignored"},
};

static void
a_request_is_read(void **state UNUSED)
{
	struct oidc_logout rq;

	ASSERT_OK(oidc_logout_parse(a, &(struct params){list, 6}, &rq, &err), &err);
	assert_string_equal(rq.id_token_hint, "a.b.c");
	assert_string_equal(rq.client_id, "c1");
	assert_string_equal(rq.redirect_uri, BYE);
	assert_string_equal(rq.state, "x y");
	assert_int_equal(rq.ui_locales.n, 2);
	ASSERT_OK(oidc_logout_parse(a, &(struct params){NULL, 0}, &rq, &err), &err);
	assert_null(rq.id_token_hint);
	assert_null(oidc_logout_client_id(&rq, NULL));
	for (size_t i = 0; i < 5; i++) {
		const struct param twice[] = {list[i], list[i]};

		ASSERT_REFUSED(oidc_logout_parse(a, &(struct params){twice, 2}, &rq, &err), &err,
			       ERR_INPUT, "twice");
	}
}

static void
the_verified_hint_says_whose_it_is(void **state UNUSED)
{
	const struct oidc_logout rq = {.client_id = "c2"};

	assert_string_equal(oidc_logout_client_id(&rq, NULL), "c2");
	assert_string_equal(oidc_logout_client_id(&rq, &hint), "c1");
}

static void
only_registered_places_are_led_to(void **state UNUSED)
{
	static const struct {
		struct oidc_logout rq;
		bool with_hint, with_client;
		const char *url, *part; /* part NULL: passes */
	} cases[] = {
		{{.redirect_uri = NULL, .state = "s"}, false, false, NULL, NULL},
		{{.redirect_uri = BYE}, true, true, BYE, NULL},
		{{.redirect_uri = BYE, .state = "a&b"}, true, true, BYE "?state=a%26b", NULL},
		{{.redirect_uri = BYE, .client_id = "c1"}, true, true, BYE, NULL},
		{{.redirect_uri = BYE, .client_id = "c1"}, false, true, BYE, NULL},
		{{.redirect_uri = BYE, .client_id = "c2"}, true, true, NULL, "another client"},
		{{.redirect_uri = NULL, .client_id = "c2"}, true, true, NULL, "another client"},
		{{.redirect_uri = BYE}, false, false, NULL, "not registered"},
		{{.redirect_uri = BYE "/"}, true, true, NULL, "not registered"},
		{{.redirect_uri = "https://evil.example/"}, true, true, NULL, "not registered"},
		{{.redirect_uri = "//evil.example/"}, true, true, NULL, "not registered"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct oidc_hint *h = cases[i].with_hint ? &hint : NULL;
		const struct oidc_client *c = cases[i].with_client ? &client : NULL;
		const char *url = "unset";

		if (cases[i].part != NULL) {
			ASSERT_REFUSED(oidc_logout_check(a, &cases[i].rq, h, c, &url, &err), &err,
				       ERR_INPUT, cases[i].part);
			assert_string_equal(url, "unset");
			continue;
		}
		ASSERT_OK(oidc_logout_check(a, &cases[i].rq, h, c, &url, &err), &err);
		if (cases[i].url == NULL)
			assert_null(url);
		else
			assert_string_equal(url, cases[i].url);
	}
}

static void
a_place_with_too_long_a_state_is_not_led_to(void **state UNUSED)
{
	char *longer = arena_alloc(a, 32768);
	const struct oidc_logout rq = {.redirect_uri = BYE, .state = longer};
	const char *url;

	memset(longer, '&', 32767);
	longer[32767] = '\0';
	ASSERT_REFUSED(oidc_logout_check(a, &rq, &hint, &client, &url, &err), &err, ERR_INTERNAL,
		       "bytes to write");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(the_verified_hint_says_whose_it_is),
		cmocka_unit_test(only_registered_places_are_led_to),
		cmocka_unit_test(a_place_with_too_long_a_state_is_not_led_to),
	};

	return cmocka_run_group_tests_name("logout", tests, setup, teardown);
}
