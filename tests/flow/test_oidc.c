/* Whole OpenID Connect logins: portal, login, consent, code, tokens, userinfo, logout. */
#include "base/enc.h"
#include "base/text.h"
#include "oidc/jws.h"
#include "tests/flow/world.h"

#define PASSWORD "Lachs-Turmuhr-47"
#define LOGIN    "login_name=erika&password=" PASSWORD "&do=login"

static const char *const erika[] = {
	"given_names", "Erika",   "family_name", "Mustermann", "email", "erika@example.invalid",
	"locality",    "Dresden", "postal_code", "01067",      NULL};

static int
setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	world_totp(w, world_person(w, "erika", PASSWORD, erika, LEVEL_SUBSTANTIAL));
	world_oidc_party(w, "{\"level-attributes\":\"yes\"}");
	return world_fresh(state);
}

/* Log in and agree as far as pages ask for it; the code. */
static const char *
code_of(struct web *b, const char *scope, const char *more)
{
	web_get(b, oidc_request_url(b->w, scope, more));
	if (b->status == 200 && web_field(b, "password") != NULL)
		web_submit(b, "/flow/password/", LOGIN);
	if (b->status == 200)
		web_submit(b, "/flow/consent/",
			   "attr_given_names=1&attr_family_name=1&attr_email=1&attr_locality=1&"
			   "attr_postal_code=1&do=agree");
	assert_int_equal(b->status, 303);
	assert_true(text_starts(b->location, OIDC_BACK "?"));
	return location_param(b, "code");
}

static void
a_login_gives_tokens_and_claims(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *code = code_of(&b, "openid profile email address", "");

	assert_string_equal(location_param(&b, "state"), "s1");
	assert_string_equal(location_param(&b, "iss"), BASE);
	const json_t *t = web_redeem(&b, code);
	const json_t *id = oidc_token_says(w, text_member(t, "id_token"));

	assert_string_equal(text_member(t, "token_type"), "Bearer");
	assert_string_equal(text_member(id, "iss"), BASE);
	assert_string_equal(text_member(id, "aud"), OIDC_CLIENT);
	assert_string_equal(text_member(id, "nonce"), "n1");
	assert_string_equal(text_member(id, "acr"), "low");
	assert_non_null(text_member(id, "at_hash"));
	assert_non_null(text_member(id, "sid"));
	assert_int_equal(json_integer_value(json_object_get(id, "auth_time")), w->now);
	assert_int_equal(strlen(text_member(id, "sub")), 43);
	assert_null(json_object_get(id, "family_name"));
	web_userinfo(&b, text_member(t, "access_token"));
	const json_t *u = web_json(&b);

	assert_string_equal(text_member(u, "sub"), text_member(id, "sub"));
	assert_string_equal(text_member(u, "family_name"), "Mustermann");
	assert_string_equal(text_member(json_object_get(u, "address"), "locality"), "Dresden");
	assert_string_equal(text_member(json_object_get(u, "claim_levels"), "family_name"), "low");
}

static void
the_pseudonym_is_the_same_in_both_dialects_of_a_sector(void **state)
{
	struct world *w = *state;
	struct web b;

	world_oidc_party(w, "{\"sector\":\"stadt\"}");
	world_saml_party(w, "{\"sector\":\"stadt\",\"attribute\":[\"email\"]}");
	web_init(&b, w);
	const char *code = code_of(&b, "openid email", "");
	const char *sub = text_member(
		oidc_token_says(w, text_member(web_redeem(&b, code), "id_token")), "sub");

	web_get(&b, saml_request_url(w, "_oidc1", "",
				     "<samlp:NameIDPolicy Format=\"urn:oasis:names:tc:SAML:2.0:"
				     "nameid-format:persistent\" AllowCreate=\"true\"/>"));
	web_submit(&b, "/flow/consent/", "attr_email=1&do=agree");
	const char *response = saml_response_of(&b);

	assert_non_null(response);
	assert_non_null(strstr(response, arena_printf(w->a, ">%s</saml:NameID>", sub)));
	world_oidc_party(w, "{\"level-attributes\":\"yes\"}");
}

static void
a_code_is_redeemed_once_and_a_second_use_takes_it_all_back(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *code = code_of(&b, "openid", "");
	const char *token = text_member(web_redeem(&b, code), "access_token");

	web_userinfo(&b, token);
	assert_int_equal(b.status, 200);
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	assert_int_equal(b.status, 400);
	assert_string_equal(web_member(&b, "error"), "invalid_grant");
	web_userinfo(&b, token);
	assert_int_equal(b.status, 401);
	assert_string_equal(world_value(w, "SELECT count(subject) FROM audit WHERE event ="
					   " 'grant_revoked' AND details->>'why' ="
					   " 'code used twice'"),
			    "1");
}

static void
a_code_that_does_not_fit_is_used_up(void **state)
{
	static const char *const forms[] = {
		"grant_type=authorization_code&code=%s&redirect_uri=https%%3A%%2F%%2F"
		"stadtportal.example%%2Fback&code_verifier="
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"grant_type=authorization_code&code=%s&redirect_uri=https%%3A%%2F%%2F"
		"stadtportal.example%%2Fback",
		"grant_type=authorization_code&code=%s&redirect_uri=https%%3A%%2F%%2F"
		"stadtportal.example%%2Fbac&code_verifier=" PKCE_VERIFIER,
	};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const char *code = code_of(&b, "openid", "");
		struct buf form;

		buf_init(&form, w->a, 4096);
		for (const char *p = forms[i]; *p != '\0'; p++) {
			if (p[0] == '%' && p[1] == 's') {
				buf_str(&form, code);
				p++;
			} else if (p[0] == '%' && p[1] == '%') {
				buf_char(&form, '%');
				p++;
			} else {
				buf_char(&form, *p);
			}
		}
		web_token(&b, oidc_basic(w), (const char *)form.p);
		assert_int_equal(b.status, 400);
		web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
		assert_int_equal(b.status, 400);
	}
}

static void
a_code_lives_a_minute(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *code = code_of(&b, "openid", "");

	w->now += 61;
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	assert_int_equal(b.status, 400);
}

static void
a_wrong_secret_is_nobodys(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *code = code_of(&b, "openid", "");

	web_token(&b, arena_printf(w->a, "Basic %s", enc_base64(w->a, bytes_of(OIDC_CLIENT ":x"))),
		  oidc_redeem_form(w, code));
	assert_int_equal(b.status, 401);
	assert_string_equal(web_member(&b, "error"), "invalid_client");
	web_redeem(&b, code); /* it did not cost the code */
}

static void
an_unproven_redirect_gets_a_page(void **state)
{
	struct world *w = *state;
	const char *url = oidc_request_url(w, "openid", "");
	struct web b;

	web_init(&b, w);
	char *evil = arena_strdup(w->a, url);

	memcpy(strstr(evil, "stadtportal.example"), "stadtpirate", 11);
	web_get(&b, evil);
	assert_int_equal(b.status, 400);
	assert_null(b.location);
	web_get(&b, arena_printf(w->a, "%s&client_id=other", url));
	assert_int_equal(b.status, 400);
	assert_null(b.location);
	/* Nobody has a URI to be sent back to. */
	char *nobody = arena_strdup(w->a, url);

	memcpy(strstr(nobody, OIDC_CLIENT), "niemandsoft", strlen(OIDC_CLIENT));
	web_get(&b, nobody);
	assert_int_equal(b.status, 400);
	assert_null(b.location);
}

static void
errors_go_back_by_name(void **state)
{
	static const char *const cases[][2] = {
		{"&prompt=none", "login_required"},
		{"&claims=%7B%22id_token%22%3A%7B%22acr%22%3A%7B%22essential%22%3Atrue%2C%22value"
		 "%22%3A%22high%22%7D%7D%7D",
		 "unmet_authentication_requirements"},
		{"&claims=%7B%22id_token%22%3A%7B%22acr%22%3A%7B%22essential%22%3Atrue%2C%22value"
		 "%22%3A%22gold%22%7D%7D%7D",
		 "unmet_authentication_requirements"},
		{"&request=x", "invalid_request_object"},
	};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		web_init(&b, w);
		web_get(&b, oidc_request_url(w, "openid", cases[i][0]));
		assert_int_equal(b.status, 303);
		assert_string_equal(location_param(&b, "error"), cases[i][1]);
		assert_string_equal(location_param(&b, "iss"), BASE);
		assert_string_equal(location_param(&b, "state"), "s1");
		assert_null(location_param(&b, "code"));
	}
}

static const char *
error_with_hint(struct web *b, const char *hint, const char *more)
{
	web_get(b, oidc_request_url(
			   b->w, "openid",
			   arena_printf(b->w->a, "&prompt=none&id_token_hint=%s%s", hint, more)));
	assert_int_equal(b->status, 303);
	return location_param(b, "error");
}

static void
a_hint_names_the_one_who_may_answer(void **state)
{
	struct world *w = *state;
	struct web b, other;

	world_person(w, "karl", PASSWORD, erika, LEVEL_LOW);
	web_init(&b, w);
	const char *hers = text_member(web_redeem(&b, code_of(&b, "openid", "")), "id_token");

	w->now += 1000; /* expired, and a hint all the same; the session still lives */
	assert_null(error_with_hint(&b, hers, ""));
	assert_non_null(location_param(&b, "code"));
	assert_string_equal(
		error_with_hint(&b, hers,
				"&claims=%7B%22id_token%22%3A%7B%22sub%22%3A%7B%22value%22%3A%22x"
				"%22%7D%7D%7D"),
		"login_required");
	assert_string_equal(error_with_hint(&b, "a.b.c", ""), "invalid_request");

	web_init(&other, w);
	web_get(&other, oidc_request_url(w, "openid", ""));
	web_submit(&other, "/flow/password/", "login_name=karl&password=" PASSWORD "&do=login");
	if (other.status == 200)
		web_submit(&other, "/flow/consent/", "do=agree");
	assert_non_null(location_param(&other, "code"));
	assert_string_equal(error_with_hint(&other, hers, ""), "login_required");
}

static void
a_hint_of_another_client_is_refused(void **state)
{
	static const char claims[] = "{\"iss\":\"" BASE "\",\"aud\":\"other\",\"sub\":\"x\"}";
	struct world *w = *state;
	struct key_ops ops = signer_key_ops(w->signer->s);
	struct err err = {0};
	const char *hint;
	struct web b;
	json_t *o;

	ASSERT_OK(json_parse_object(w->a, bytes_of(claims), sizeof(claims), &o, &err), &err);
	ASSERT_OK(oidc_jws_build(w->a, &ops, test_signer_kid(w->signer, KEY_OIDC_SIGN, KEY_P256),
				 OIDC_ES256, "JWT", o, &hint, &err),
		  &err);
	web_init(&b, w);
	assert_string_equal(error_with_hint(&b, hint, ""), "invalid_request");
}

static void
saying_no_is_access_denied(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", ""));
	web_submit(&b, "/flow/password/", "do=cancel");
	assert_string_equal(location_param(&b, "error"), "access_denied");
}

static void
max_age_asks_for_a_younger_login(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	code_of(&b, "openid", "");
	w->now += 100;
	web_get(&b, oidc_request_url(w, "openid", "&max_age=1000"));
	assert_non_null(location_param(&b, "code"));
	web_get(&b, oidc_request_url(w, "openid", "&max_age=99"));
	assert_int_equal(b.status, 200);
	web_submit(&b, "/flow/password/", LOGIN);
	const json_t *id = oidc_token_says(
		w, text_member(web_redeem(&b, location_param(&b, "code")), "id_token"));

	assert_int_equal(json_integer_value(json_object_get(id, "auth_time")), w->now);
}

static void
acr_values_lead_to_the_second_means(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", "&acr_values=substantial"));
	web_submit(&b, "/flow/password/", LOGIN);
	w->now += 60;
	web_submit(&b, "/flow/totp/", arena_printf(w->a, "code=%s&do=login", world_code(w)));
	if (b.status == 200)
		web_submit(&b, "/flow/consent/", "do=agree");
	const json_t *id = oidc_token_says(
		w, text_member(web_redeem(&b, location_param(&b, "code")), "id_token"));
	const json_t *amr = json_object_get(id, "amr");

	assert_string_equal(text_member(id, "acr"), "substantial");
	assert_int_equal(json_array_size(amr), 3);
	assert_string_equal(json_string_value(json_array_get(amr, 2)), "mfa");
}

/* Core 5.5.1.1; a wish that is not essential is told what there is. */
static void
an_essential_acr_is_answered_by_one_of_its_values(void **state)
{
#define ACR_CLAIM(essential)                                                               \
	"&claims=%7B%22id_token%22%3A%7B%22acr%22%3A%7B%22essential%22%3A" essential "%2C" \
	"%22values%22%3A%5B%22STORK-QAA-Level-4%22%2C%22NORMAL%22%5D%7D%7D%7D"
	static const char *const cases[][2] = {{ACR_CLAIM("true"), "NORMAL"},
					       {ACR_CLAIM("false"), "STORK-QAA-Level-3"}};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	code_of(&b, "openid", "&acr_values=low");
	w->now += 60;
	web_get(&b, "/login?level=substantial");
	web_submit(&b, "/flow/totp/", arena_printf(w->a, "code=%s&do=login", world_code(w)));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *code = code_of(&b, "openid", cases[i][0]);
		const json_t *id =
			oidc_token_says(w, text_member(web_redeem(&b, code), "id_token"));

		assert_string_equal(text_member(id, "acr"), cases[i][1]);
	}
}

static void
openid_alone_releases_nothing_else(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const json_t *t = web_redeem(&b, code_of(&b, "openid", ""));

	web_userinfo(&b, text_member(t, "access_token"));
	assert_int_equal(json_object_size(web_json(&b)), 1);
}

static void
logout_by_the_client_ends_session_and_tokens(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const json_t *t = web_redeem(&b, code_of(&b, "openid", ""));
	const char *hint = text_member(t, "id_token");

	web_get(&b, arena_printf(w->a,
				 "/oidc/logout?post_logout_redirect_uri=https%%3A%%2F%%2F"
				 "evil.example%%2F&id_token_hint=%s",
				 hint));
	assert_int_equal(b.status, 400);
	web_get(&b, arena_printf(w->a,
				 "/oidc/logout?state=z&post_logout_redirect_uri=https%%3A%%2F"
				 "%%2Fstadtportal.example%%2Fbye&id_token_hint=%s",
				 hint));
	assert_int_equal(b.status, 303);
	assert_string_equal(b.location, "https://stadtportal.example/bye?state=z");
	web_userinfo(&b, text_member(t, "access_token"));
	assert_int_equal(b.status, 401);
	web_get(&b, oidc_request_url(w, "openid", "&prompt=none"));
	assert_string_equal(location_param(&b, "error"), "login_required");
	/* Where nobody is logged in there is nothing to end, and nothing to ask. */
	web_get(&b, arena_printf(w->a, "/oidc/logout?id_token_hint=%s", hint));
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, "Sie sind abgemeldet"));
	web_get(&b, "/oidc/logout?id_token_hint=a.b.c");
	assert_int_equal(b.status, 400);
	web_get(&b, "/oidc/logout?state=a&state=b");
	assert_int_equal(b.status, 400);
}

/* RP-Initiated Logout 1.0, 2: without a hint the person is asked, and goes back all the same. */
static void
who_is_asked_comes_back_to_the_client(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	code_of(&b, "openid", "");
	web_get(&b, "/oidc/logout?client_id=" OIDC_CLIENT "&state=z&post_logout_redirect_uri="
		    "https%3A%2F%2Fstadtportal.example%2Fbye");
	assert_int_equal(b.status, 200);
	assert_non_null(strstr(b.csp, "form-action 'self' https://stadtportal.example"));
	web_submit(&b, "/logout", "do=logout");
	/* Nothing has proven that it began this, so the page says what is left there. */
	assert_true(web_shows(&b, "kann von hier nicht abgemeldet werden"));
	web_get(&b, "/logout/back");
	assert_int_equal(b.status, 303);
	assert_string_equal(b.location, "https://stadtportal.example/bye?state=z");
	web_get(&b, oidc_request_url(w, "openid", "&prompt=none"));
	assert_string_equal(location_param(&b, "error"), "login_required");

	/* The form proves nothing: where it leads is judged again. */
	code_of(&b, "openid", "");
	web_get(&b, "/logout");
	web_submit(&b, "/logout",
		   "do=logout&client_id=" OIDC_CLIENT
		   "&post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F");
	assert_int_equal(b.status, 400);
	web_get(&b, oidc_request_url(w, "openid", "&prompt=none"));
	assert_non_null(location_param(&b, "code"));
}

static void
a_hint_of_another_session_is_a_question(void **state)
{
	struct world *w = *state;
	struct web b, other;

	web_init(&b, w);
	const char *hint = text_member(web_redeem(&b, code_of(&b, "openid", "")), "id_token");

	web_init(&other, w);
	code_of(&other, "openid", "");
	web_get(&other, arena_printf(w->a, "/oidc/logout?ui_locales=en&id_token_hint=%s", hint));
	assert_int_equal(other.status, 200);
	assert_true(web_shows(&other, "action=\"/logout\""));
	assert_true(web_shows(&other, "<html lang=\"en\""));
	web_get(&other, oidc_request_url(w, "openid", "&prompt=none"));
	assert_non_null(location_param(&other, "code"));
}

static void
logout_by_post_of_another_site_reaches_the_session(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const json_t *t = web_redeem(&b, code_of(&b, "openid", ""));
	const char *hint = text_member(t, "id_token");

	web_foreign_post(&b, "/oidc/logout", "state=a b"); /* no form, and no URL */
	assert_int_equal(b.status, 400);
	assert_string_equal(b.path, "/oidc/logout");
	web_foreign_post(&b, "/oidc/logout", arena_printf(w->a, "id_token_hint=%s", hint));
	web_userinfo(&b, text_member(t, "access_token"));
	assert_int_equal(b.status, 401);
}

static void
a_link_alone_logs_nobody_out(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	code_of(&b, "openid", "");
	web_get(&b, "/oidc/logout");
	assert_int_equal(b.status, 200);
	web_get(&b, oidc_request_url(w, "openid", "&prompt=none"));
	assert_non_null(location_param(&b, "code"));
}

static void
a_request_without_token_gets_no_error_code(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_userinfo(&b, NULL);
	assert_int_equal(b.status, 401);
}

static void
registration_makes_an_account_on_the_way(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid profile", ""));
	web_get(&b, arena_printf(w->a, "/register/%s", b.path + strlen("/flow/")));
	web_submit(&b, "/register/",
		   "given_names=Max&family_name=Muster&birth_date_day=1&birth_date_month=2&"
		   "birth_date_year=1990&birth_place=Dresden&street_address=Weg+1&"
		   "postal_code=01067&locality=Dresden&country=DE&login_name=max.muster&"
		   "new_password=Pflaume-Regal-83&password_repeat=Pflaume-Regal-83&"
		   "store_consent=1&do=register");
	assert_true(web_shows(&b, "Max"));
	web_submit(&b, "/flow/consent/", "attr_given_names=1&attr_family_name=1&do=agree");
	const json_t *t = web_redeem(&b, location_param(&b, "code"));

	web_userinfo(&b, text_member(t, "access_token"));
	assert_string_equal(web_member(&b, "given_name"), "Max");
}

/* Tries to register a name from an address; the page that says no, or what follows. */
static void
register_from(struct web *b, struct world *w, const char *addr)
{
	web_init(b, w);
	b->addr = addr;
	web_get(b, "/");
	assert_true(web_shows(b, "href=\"/register\""));
	web_get(b, "/register");
	web_submit(b, "/register/",
		   "given_names=Max&family_name=Muster&birth_date_day=1&birth_date_month=2&"
		   "birth_date_year=1990&login_name=one.name&country=DE&"
		   "new_password=Pflaume-Regal-83&password_repeat=Pflaume-Regal-83&"
		   "store_consent=1&do=register");
}

static void
one_subscriber_has_one_budget_for_registering(void **state)
{
	static const char slow[] = "zu viele Versuche";
	struct world *w = *state;
	struct web b;

	for (int i = 0; i < 10; i++) {
		register_from(&b, w, arena_printf(w->a, "2001:db8::%x", i + 1));
		assert_false(web_shows(&b, slow));
	}
	register_from(&b, w, "2001:db8::ffff:1");
	assert_true(web_shows(&b, slow));
	register_from(&b, w, "2001:db8:0:1::1");
	assert_false(web_shows(&b, slow));
}

static void
a_second_means_is_set_up_on_the_way(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "moritz", PASSWORD, erika, LEVEL_BASIC);
	web_init(&b, w);
	web_get(&b, "/login?level=substantial");
	web_submit(&b, "/flow/password/", "login_name=moritz&password=" PASSWORD "&do=login");
	assert_true(web_shows(&b, "<svg"));
	web_submit(&b, "/flow/enroll/", "code=000000&do=enroll");
	assert_true(web_shows(&b, "<svg"));
	assert_string_equal(world_value(w, "SELECT count(*) FROM credential WHERE kind = 'totp'"),
			    "1");
}

static void
log_in_as(struct web *b, const char *login_name)
{
	web_submit(
		b, "/flow/password/",
		arena_printf(b->w->a, "login_name=%s&password=" PASSWORD "&do=login", login_name));
}

/* The person at this browser goes, another one comes. */
static void
change_person(struct web *b, const char *login_name)
{
	web_get(b, "/logout");
	web_submit(b, "/logout", "do=logout");
	web_get(b, "/login");
	log_in_as(b, login_name);
}

static void
a_password_alone_adds_no_means_to_what_an_office_vouched_for(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "proofed", PASSWORD, erika, LEVEL_SUBSTANTIAL);
	web_init(&b, w);
	web_get(&b, "/login?level=substantial");
	log_in_as(&b, "proofed");
	assert_false(web_shows(&b, "<svg"));
	assert_null(web_field(&b, "code"));
}

static void
a_seed_shown_to_one_person_is_not_the_next_ones(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "seen", PASSWORD, erika, LEVEL_BASIC);
	world_person(w, "next", PASSWORD, erika, LEVEL_BASIC);
	web_init(&b, w);
	web_get(&b, "/login?level=substantial");
	log_in_as(&b, "seen");
	const char *page = b.path, *first = between(w->a, b.body, "<svg", "</svg>");

	assert_non_null(first);
	web_get(&b, page);
	assert_string_equal(between(w->a, b.body, "<svg", "</svg>"), first);
	change_person(&b, "next");
	web_get(&b, page);
	const char *second = between(w->a, b.body, "<svg", "</svg>");

	assert_non_null(second);
	assert_string_not_equal(first, second);
}

static void
a_page_shown_to_one_person_is_no_consent_of_the_next(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "asked", PASSWORD, erika, LEVEL_BASIC);
	world_person(w, "other", PASSWORD, erika, LEVEL_BASIC);
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid email", ""));
	log_in_as(&b, "asked");
	const char *shown = b.body;

	assert_non_null(web_field(&b, "offer"));
	change_person(&b, "other");
	b.body = shown;
	web_submit(&b, "/flow/consent/", "attr_email=1&do=agree");
	assert_int_equal(b.status, 200); /* asked now, of this person */
	assert_non_null(web_field(&b, "offer"));
	web_submit(&b, "/flow/consent/", "attr_email=1&do=agree");
	assert_non_null(location_param(&b, "code"));
}

static void
a_login_elsewhere_does_not_shut_out_a_portal_of_another_group(void **state)
{
	struct world *w = *state;
	struct web b;

	world_oidc_party(w, "{\"sso-group\":\"stadt\"}");
	web_init(&b, w);
	web_get(&b, "/login");
	log_in_as(&b, "erika");
	assert_non_null(code_of(&b, "openid", ""));
	/* The session is the group's now. */
	web_get(&b, oidc_request_url(w, "openid", ""));
	assert_non_null(location_param(&b, "code"));
	world_oidc_party(w, "{\"level-attributes\":\"yes\"}");
}

static void
max_age_holds_for_each_means(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	code_of(&b, "openid", ""); /* agreed to, and long over */
	w->now += 3700;
	web_get(&b, oidc_request_url(w, "openid", "&acr_values=substantial"));
	log_in_as(&b, "erika");
	web_submit(&b, "/flow/totp/", arena_printf(w->a, "code=%s&do=login", world_code(w)));
	w->now += 100;
	web_get(&b, oidc_request_url(w, "openid", "&acr_values=substantial&max_age=99"));
	log_in_as(&b, "erika");
	assert_non_null(web_field(&b, "code"));
	web_submit(&b, "/flow/totp/", arena_printf(w->a, "code=%s&do=login", world_code(w)));
	assert_non_null(location_param(&b, "code"));
}

static void
every_page_of_a_login_may_lead_to_its_portal(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "without", PASSWORD, erika, LEVEL_BASIC);
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", "&acr_values=substantial"));
	log_in_as(&b, "without");
	web_submit(&b, "/flow/enroll/", "code=000000&do=enroll");
	assert_true(web_shows(&b, "<svg"));
	assert_non_null(strstr(b.csp, "form-action 'self' https://stadtportal.example"));
	web_submit(&b, "/flow/enroll/", "do=cancel");
	assert_string_equal(location_param(&b, "error"), "access_denied");
}

static void
the_account_page_shows_only_notices_of_ours(void **state)
{
	struct world *w = *state;
	struct web b;

	world_person(w, "max", PASSWORD, erika, LEVEL_BASIC);
	web_init(&b, w);
	web_get(&b, "/login");
	web_submit(&b, "/flow/password/", "login_name=max&password=" PASSWORD "&do=login");
	web_get(&b, "/account?notice=session_ended");
	assert_true(web_shows(&b, "Die Sitzung ist beendet"));
	web_get(&b, "/account?notice=registered%20by%20me");
	assert_int_equal(b.status, 200);
	assert_false(web_shows(&b, "role=\"status\""));
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_login_gives_tokens_and_claims),
		T(the_pseudonym_is_the_same_in_both_dialects_of_a_sector),
		T(a_code_is_redeemed_once_and_a_second_use_takes_it_all_back),
		T(a_code_that_does_not_fit_is_used_up),
		T(a_code_lives_a_minute),
		T(a_wrong_secret_is_nobodys),
		T(an_unproven_redirect_gets_a_page),
		T(errors_go_back_by_name),
		T(a_hint_names_the_one_who_may_answer),
		T(a_hint_of_another_client_is_refused),
		T(saying_no_is_access_denied),
		T(max_age_asks_for_a_younger_login),
		T(acr_values_lead_to_the_second_means),
		T(an_essential_acr_is_answered_by_one_of_its_values),
		T(openid_alone_releases_nothing_else),
		T(logout_by_the_client_ends_session_and_tokens),
		T(who_is_asked_comes_back_to_the_client),
		T(a_hint_of_another_session_is_a_question),
		T(logout_by_post_of_another_site_reaches_the_session),
		T(a_link_alone_logs_nobody_out),
		T(a_request_without_token_gets_no_error_code),
		T(registration_makes_an_account_on_the_way),
		T(one_subscriber_has_one_budget_for_registering),
		T(a_second_means_is_set_up_on_the_way),
		T(a_password_alone_adds_no_means_to_what_an_office_vouched_for),
		T(a_seed_shown_to_one_person_is_not_the_next_ones),
		T(a_page_shown_to_one_person_is_no_consent_of_the_next),
		T(a_login_elsewhere_does_not_shut_out_a_portal_of_another_group),
		T(max_age_holds_for_each_means),
		T(every_page_of_a_login_may_lead_to_its_portal),
		T(the_account_page_shows_only_notices_of_ours),
	};

	return cmocka_run_group_tests_name("flow oidc", tests, setup, world_teardown);
}
