/* What goes astray: forms of logins that are over, messages too old, keys and endpoints that lack.
 */
#include "base/text.h"
#include "idp/login.h"
#include "idp/saml_peer.h"
#include "tests/flow/steps.h"

#define AGREE "attr_email=1&do=agree"

static void
agree_if_asked(struct web *b)
{
	if (page_of(b) == CONSENT)
		web_submit(b, "/flow/consent/", AGREE);
}

/* ---- logins and sessions that are not there ---- */

static void
forms_of_no_login_say_that_it_is_over(void **state)
{
	static const char *const pages[] = {"/flow/", "/flow/restart/", "/register/"};
	static const char *const forms[] = {"/flow/password/", "/flow/totp/", "/flow/enroll/",
					    "/flow/consent/", "/register/"};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, "/login"); /* for the cookie of forms */
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		web_get(&b, arena_printf(w->a, "%snone", pages[i]));
		assert_int_equal(b.status, 410);
	}
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		web_post(&b, forms[i], "none", "do=cancel");
		assert_int_equal(b.status, 410);
		web_post(&b, forms[i], "none", "code=123456&do=login");
		assert_int_equal(b.status, 410);
	}
}

static void
sessions_that_give_no_level_are_not_listed(void **state)
{
	static const char row[] = "name=\"session\" value=";
	struct world *w = *state;
	struct web b, old;

	web_init(&old, w);
	log_in_aside(&old, "karl");
	w->now += 1800;
	web_init(&b, w);
	log_in_aside(&b, "karl");
	assert_true(web_shows(&b, row));
	w->now += 1801; /* an hour without the other; it is not over yet */
	web_get(&b, "/account");
	assert_null(web_field(&b, "password"));
	assert_false(web_shows(&b, row));
}

static void
a_session_of_a_means_that_we_do_not_know_is_none(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	log_in_aside(&b, "karl");
	assert_string_not_equal(
		world_value(w, "UPDATE session_proof SET method = 'palmistry' RETURNING 1"), "");
	web_get(&b, "/account");
	ASSERT_PAGE(&b, LOGIN);
}

/* ---- attributes ---- */

static void
what_is_verified_to_be_empty_is_no_text(void **state)
{
	static const char *const nothing[] = {"family_name", "Muster", "birth_name", NULL, NULL};
	struct world *w = *state;
	struct web b;

	world_person(w, "ines", PASSWORD, nothing, LEVEL_BASIC);
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid profile", ""));
	log_in(&b, "ines");
	web_submit(&b, "/flow/consent/", "attr_birth_name=1&attr_family_name=1&do=agree");
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, location_param(&b, "code")));
	web_userinfo(&b, json_string_value(json_object_get(web_json(&b), "access_token")));
	assert_string_equal(json_string_value(json_object_get(web_json(&b), "family_name")),
			    "Muster");
	assert_null(json_object_get(web_json(&b), "birth_family_name"));
	assert_null(json_object_get(web_json(&b), "claim_levels")); /* its record says nothing */
}

/* ---- means ---- */

static void
a_password_that_is_blocked_opens_nothing(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "gesa", PASSWORD, everybody, LEVEL_BASIC);
	web_init(&b, w);
	log_in_aside(&b, "gesa");
	assert_non_null(web_cookie(&b, "__Host-session"));
	assert_string_equal(
		world_value(w, "UPDATE credential SET blocked = true WHERE kind = 'password' AND"
			       " created = (SELECT max(created) FROM credential) RETURNING 1"),
		"1");
	web_init(&b, w);
	log_in_aside(&b, "gesa");
	assert_null(web_cookie(&b, "__Host-session"));
	ASSERT_PAGE(&b, LOGIN);
}

static void
one_attribute_that_an_office_vouches_for_is_enough(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "hanna", PASSWORD, everybody, LEVEL_BASIC);
	web_init(&b, w);
	ask(&b, "", LEVEL3);
	log_in(&b, "hanna");
	for (size_t i = 0; everybody[i] != NULL; i += 2) {
		static const char of_hers[] =
			"UPDATE attribute SET level = %d WHERE name = '%s' AND subject ="
			" (SELECT acting FROM session ORDER BY created DESC LIMIT 1) RETURNING 1";

		ASSERT_PAGE(&b, ENROLL);
		assert_string_equal(world_value(w, arena_printf(w->a, of_hers, LEVEL_SUBSTANTIAL,
								everybody[i])),
				    "1");
		web_get(&b, b.path);
		ASSERT_PAGE(&b, OTHER); /* an app is not set up with the password alone */
		assert_string_equal(
			world_value(w, arena_printf(w->a, of_hers, LEVEL_BASIC, everybody[i])),
			"1");
		web_get(&b, b.path);
	}
}

/* ---- SAML messages that are signed and none the less not taken ---- */

static void
a_request_too_old_or_for_another_place_is_not_taken(void **state)
{
	struct world *w = *state;
	const char *sso = saml_request_url(w, "_stray_old", "", ""),
		   *slo = saml_logout_url(w, "_stray_old", "name", NULL);
	struct web b;

	web_init(&b, w);
	w->now += 1800;
	/* Too old: of that the portal hears. */
	web_get(&b, sso);
	assert_non_null(strstr(saml_response_of(&b), "KONTOR-14 denied"));
	web_get(&b, slo);
	assert_true(text_starts(b.location, SAML_SLO "?SAMLResponse="));
	ask(&b, "", "<samlp:NameIDPolicy Format=\"x\" AllowCreate=\"perhaps\"/>");
	assert_int_equal(b.status, 400);
	web_get(&b, saml_logout_url(w, "_stray_empty", "", NULL));
	assert_int_equal(b.status, 400);
	web_get(&b, saml_logout_url(w, "_stray_spaced", "a b", NULL));
	assert_true(
		text_starts(b.location, SAML_SLO "?SAMLResponse=")); /* of nobody: all is over */
}

static void
a_logout_of_nobody_ends_nothing(void **state)
{
	struct world *w = *state;
	const char *before;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	agree_if_asked(&b);
	before = world_value(w, "SELECT count(*) FROM session");
	web_get(&b, saml_logout_url(w, "_stray_nobody", "nobody", "_nothing"));
	assert_true(text_starts(b.location, SAML_SLO "?SAMLResponse="));
	assert_string_equal(world_value(w, "SELECT count(*) FROM session"), before);
	assert_non_null(web_cookie(&b, "__Host-session"));
}

#define PERSISTENT                                                                \
	"<samlp:NameIDPolicy Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:" \
	"persistent\" AllowCreate=\"true\"/>"

static void
a_logout_of_all_ends_the_cookie_of_whichever_asks(void **state)
{
	struct world *w = *state;
	struct web b[3];

	for (int asks = 0; asks < 3; asks++) {
		const char *name = NULL;

		for (int i = 0; i < 3; i++) {
			web_init(&b[i], w);
			ask(&b[i], "", PERSISTENT);
			log_in(&b[i], "karl");
			agree_if_asked(&b[i]);
			name = between(w->a, strstr(saml_response_of(&b[i]), "<saml:NameID"), ">",
				       "<");
		}
		web_get(&b[asks],
			saml_logout_url(w, arena_printf(w->a, "_stray_all%d", asks), name, NULL));
		assert_null(web_cookie(&b[asks], "__Host-session"));
	}
}

static void
a_portal_without_an_endpoint_for_it_cannot_log_out(void **state)
{
	struct world *w = *state;
	struct web b;

	w->slo = "";
	world_saml_party(w, POLICY);
	web_init(&b, w);
	web_get(&b, saml_logout_url(w, "_stray_slo", "nobody", "_nothing"));
	assert_int_equal(b.status, 400);
	w->slo = NULL;
	world_saml_party(w, POLICY);
}

/* ---- logout by a client ---- */

static void
a_logout_form_is_short_and_plain(void **state)
{
	struct world *w = *state;
	char *state_of = memset(arena_alloc(w->a, 9001), 'a', 9000);
	struct web b;

	web_init(&b, w);
	web_post_from(&b, NULL, "/oidc/logout", "state=z");
	assert_int_equal(b.status, 200);
	assert_true(text_starts(b.path, "/oidc/logout?state=z"));
	web_post_from(&b, NULL, "/oidc/logout", "state=\xc3\xa4");
	assert_int_equal(b.status, 400);
	web_post_from(&b, NULL, "/oidc/logout", arena_printf(w->a, "state=%s", state_of));
	assert_int_equal(b.status, 400);
	web_get(&b, "/logout");
	log_in_aside(&b, "karl");
	web_get(&b, "/logout");
	web_submit(&b, "/logout", arena_printf(w->a, "do=logout&state=%s", state_of));
	assert_int_equal(b.status, 400);
	web_get(&b, "/account");
	assert_null(web_field(&b, "password"));
}

#define BYE "&post_logout_redirect_uri=https%3A%2F%2Fstadtportal.example%2Fbye"

static void
a_logout_says_who_asks_and_what_is_left(void **state)
{
	static const char also[] = "ebenfalls abgemeldet",
			  left[] = "kann von hier nicht abgemeldet werden",
			  hint[] = "Oder schließen Sie alle Fenster";
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	log_in_aside(&b, "karl");
	web_get(&b, "/logout");
	assert_false(web_shows(&b, also));
	assert_false(web_shows(&b, "bittet darum"));
	web_submit(&b, "/logout", "do=logout");
	assert_true(web_shows(&b, "Ihre Sitzung beim Servicekonto ist beendet"));
	assert_false(web_shows(&b, left) || web_shows(&b, hint));

	w->slo = ""; /* there is no way to tell it */
	world_saml_party(w, POLICY);
	ask(&b, "", "");
	log_in(&b, "karl");
	agree_if_asked(&b);
	web_get(&b, "/logout");
	assert_true(web_shows(&b, also) && web_shows(&b, "Amt24"));
	web_get(&b, "/oidc/logout?client_id=" OIDC_CLIENT BYE);
	assert_true(web_shows(&b, "Stadtportal bittet darum"));
	assert_null(web_field(&b, "state"));
	web_get(&b, "/oidc/logout?client_id=" OIDC_CLIENT);
	assert_true(web_shows(&b, "Stadtportal bittet darum"));
	assert_null(strstr(b.csp, "form-action 'self' https"));
	web_submit(&b, "/logout", "do=logout");
	assert_true(web_shows(&b, left) && web_shows(&b, hint) && web_shows(&b, "Amt24"));
	w->slo = NULL;
	world_saml_party(w, POLICY);
}

static size_t
times_shown(const struct web *b, const char *text)
{
	size_t n = 0;

	for (const char *at = b->body; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

static void
a_portal_that_was_told_twice_is_listed_once(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "karl");
	agree_if_asked(&b);
	web_get(&b, "/logout");
	size_t once = times_shown(&b, "Amt24");

	assert_true(once > 0);
	ask(&b, "", "");
	agree_if_asked(&b);
	assert_string_equal(world_value(w,
					"SELECT count(*) FROM session_participant WHERE sid ="
					" (SELECT sid FROM session ORDER BY created DESC LIMIT 1)"),
			    "2");
	web_get(&b, "/logout");
	assert_int_equal(times_shown(&b, "Amt24"), once);
}

/* ---- no key for it ---- */

/* All keys of a purpose in another state, as between two of them. */
static void
set_keys(struct world *w, enum key_purpose purpose, enum key_state to)
{
	const struct key *k;

	for (size_t i = 0; (k = keyring_each(w->signer->keys, &i)) != NULL;)
		if (k->row.purpose == purpose)
			((struct key *)(uintptr_t)k)->row.state = to;
}

static void
without_a_key_nothing_goes_in_its_place(void **state)
{
	struct world *w = *state;
	struct web b, other;
	struct err err = {0};

	web_init(&b, w);
	set_keys(w, KEY_SAML_SIGN, KEY_RETIRED);
	ask(&b, " IsPassive=\"true\"", "");
	assert_int_equal(b.status, 503);
	web_get(&b, saml_logout_url(w, "_stray_key", "nobody", "_nothing"));
	assert_int_equal(b.status, 503);
	set_keys(w, KEY_SAML_SIGN, KEY_ACTIVE);

	set_keys(w, KEY_COOKIE, KEY_RETIRED);
	ask(&b, "", LEVEL3);
	log_in(&b, "karl");
	assert_int_equal(b.status, 503);
	set_keys(w, KEY_COOKIE, KEY_ACTIVE);

	ask(&b, "", LEVEL3);
	set_keys(w, KEY_SEAL, KEY_RETIRED);
	log_in(&b, "karl");
	assert_int_equal(b.status, 503); /* the app's key cannot be kept */
	web_get(&b, oidc_request_url(w, "openid", "&login_hint=karl"));
	assert_string_equal(location_param(&b, "error"), "temporarily_unavailable");
	struct account_work work = {.a = w->a,
				    .db = w->pg->c,
				    .signer = w->signer->s,
				    .keyring = w->signer->keys,
				    .ref = "test",
				    .now = w->now};

	assert_false(login_totp_add(&work, erika_id, bytes_of("12345678901234567890"), &err));
	assert_int_equal(err.kind, ERR_UNAVAILABLE);
	err_clear(&err);
	web_init(&other, w);
	web_get(&other, oidc_request_url(w, "openid", "&prompt=consent"));
	log_in(&other, "karl");
	ASSERT_PAGE(&other, CONSENT);
	web_submit(&other, "/flow/consent/", "do=agree");
	/* What is released is under the account's own key. */
	const char *code = location_param(&other, "code");

	set_keys(w, KEY_SEAL, KEY_ACTIVE);
	/* And with a key, it is added to somebody only. */
	assert_false(
		login_totp_add(&work, subject_id_create(), bytes_of("12345678901234567890"), &err));

	set_keys(w, KEY_OIDC_SIGN, KEY_RETIRED);
	web_token(&other, oidc_basic(w), oidc_redeem_form(w, code));
	assert_int_equal(other.status, 503);
	set_keys(w, KEY_OIDC_SIGN, KEY_ACTIVE);
	web_token(&other, oidc_basic(w), oidc_redeem_form(w, code)); /* it has kept */
	assert_int_equal(other.status, 200);
}

static void
only_keys_for_opening_open(void **state)
{
	struct world *w = *state;
	const struct snapshot *snap = snapshot_hold(&w->app.snapshots);
	struct request rq = {.a = w->a, .app = &w->app, .snap = snap};
	struct xmlenc_keys keys;
	size_t shown = 0;

	for (size_t i = 0; keyring_shown(snap->keyring, KEY_DECRYPT, &i) != NULL;)
		shown++;
	saml_decryption_keys(&rq, &keys);
	assert_int_equal(keys.n, shown);
	assert_true(shown > 0);
	for (size_t i = 0; i < keys.n; i++)
		assert_int_equal(keyring_find(snap->keyring, keys.kid[i])->row.purpose,
				 KEY_DECRYPT);
	set_keys(w, KEY_DECRYPT, KEY_RETIRED);
	saml_decryption_keys(&rq, &keys);
	assert_int_equal(keys.n, shown);
	set_keys(w, KEY_DECRYPT, KEY_GONE);
	saml_decryption_keys(&rq, &keys);
	assert_int_equal(keys.n, 0);
	set_keys(w, KEY_DECRYPT, KEY_ACTIVE);
	snapshot_release(snap);
}

/* ---- the token endpoint ---- */

static const char *
error_of(struct web *b)
{
	return json_string_value(json_object_get(web_json(b), "error"));
}

static void
a_token_is_asked_for_in_one_way_and_by_its_name(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_token(&b, oidc_basic(w), "code=x");
	assert_string_equal(error_of(&b), "invalid_request");
	web_token(&b, oidc_basic(w), "grant_type=password&username=karl&password=x");
	assert_string_equal(error_of(&b), "unsupported_grant_type");
	web_token(&b, oidc_basic(w), "grant_type=authorization_code");
	assert_string_equal(error_of(&b), "invalid_request");
	web_token(&b, oidc_basic(w),
		  "grant_type=authorization_code&code=x&client_id=" OIDC_CLIENT
		  "&client_secret=" OIDC_SECRET);
	assert_int_equal(b.status, 400);
	assert_string_equal(error_of(&b), "invalid_request");
	web_userinfo(&b, NULL);
	assert_int_equal(b.status, 401);
	web_userinfo(&b, "nothing");
	assert_int_equal(b.status, 401);
}

/* ---- proofs ---- */

static void
the_time_of_a_level_is_the_latest_that_proved_it(void **state UNUSED)
{
	const struct db_proof proofs[] = {
		{LEVEL_LOW, "password", 10},
		{LEVEL_SUBSTANTIAL, "totp", 50},
		{LEVEL_SUBSTANTIAL, "totp", 40},
		{LEVEL_LOW, "password", 70},
	};
	const struct db_session s = {.proofs = proofs, .n_proofs = ARRAY_LEN(proofs)};

	assert_int_equal(session_proved_at(&s, LEVEL_LOW), 70);
	assert_int_equal(session_proved_at(&s, LEVEL_SUBSTANTIAL), 50);
	assert_int_equal(session_proved_at(&s, LEVEL_HIGH), 0);
}

static void
methods_are_named_once_and_those_we_know(void **state)
{
	struct world *w = *state;
	const struct db_proof proofs[] = {
		{LEVEL_LOW, "password", w->now},
		{LEVEL_LOW, "palmistry", w->now}, /* of a release that knew more */
		{LEVEL_LOW, "password", w->now - 1},
		{LEVEL_SUBSTANTIAL, "totp", w->now},
	};
	struct db_session s = {.proofs = proofs, .n_proofs = 3, .last_used = w->now};
	struct request rq = {.a = w->a, .now = w->now};
	const struct party p = {.policy = {.sso_group = "x"}};
	struct flow f = {.rq = &rq, .session = &s, .ask = {.party = &p, .max_age_s = -1}};
	size_t n;
	const char **amr = login_amr(&f, &n);

	assert_int_equal(n, 1);
	assert_string_equal(amr[0], "pwd");
	s.n_proofs = 4;
	amr = login_amr(&f, &n);
	assert_int_equal(n, 3);
	assert_string_equal(amr[1], "otp");
	assert_string_equal(amr[2], "mfa");
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(forms_of_no_login_say_that_it_is_over),
		T(sessions_that_give_no_level_are_not_listed),
		T(a_session_of_a_means_that_we_do_not_know_is_none),
		T(what_is_verified_to_be_empty_is_no_text),
		T(a_password_that_is_blocked_opens_nothing),
		T(one_attribute_that_an_office_vouches_for_is_enough),
		T(a_request_too_old_or_for_another_place_is_not_taken),
		T(a_logout_of_nobody_ends_nothing),
		T(a_logout_of_all_ends_the_cookie_of_whichever_asks),
		T(a_portal_without_an_endpoint_for_it_cannot_log_out),
		T(a_logout_form_is_short_and_plain),
		T(a_logout_says_who_asks_and_what_is_left),
		T(a_portal_that_was_told_twice_is_listed_once),
		T(without_a_key_nothing_goes_in_its_place),
		T(only_keys_for_opening_open),
		T(a_token_is_asked_for_in_one_way_and_by_its_name),
		T(the_time_of_a_level_is_the_latest_that_proved_it),
		T(methods_are_named_once_and_those_we_know),
	};

	return cmocka_run_group_tests_name("flow strays", tests, steps_setup, world_teardown);
}
