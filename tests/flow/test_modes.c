/* How answers reach a client: response types, response modes, and PKCE left out. */
#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "tests/flow/world.h"

#define PASSWORD "Lachs-Turmuhr-47"
#define LOGIN    "login_name=erika&password=" PASSWORD "&do=login"
#define AGREE    "attr_family_name=1&do=agree"

static const char *const erika[] = {"family_name", "Mustermann", NULL};

static void
register_client(struct world *w, const char *more)
{
	world_oidc_document(
		w,
		arena_printf(w->a,
			     "{\"metadata\":{\"redirect_uris\":[\"" OIDC_BACK
			     "\"],\"scope\":\"openid profile\",\"response_types\":[\"code\","
			     "\"code id_token\"]%s},\"secret_sha256\":\"%s\"}",
			     more, oidc_secret_digest(w)),
		"{}");
}

static int
setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	world_person(w, "erika", PASSWORD, erika, LEVEL_LOW);
	register_client(w, "");
	return world_fresh(state);
}

/* A request of this response_type, "" for none, and whatever more; log in and agree if asked. */
static void
go(struct web *b, const char *type, const char *more)
{
	struct buf url;

	buf_init(&url, b->w->a, 65536);
	buf_str(&url, BASE "/oidc/authorize?client_id=" OIDC_CLIENT "&redirect_uri=");
	enc_percent(&url, bytes_of(OIDC_BACK));
	buf_str(&url, "&scope=openid%20profile&state=s1");
	if (*type != '\0') {
		buf_str(&url, "&response_type=");
		enc_percent(&url, bytes_of(type));
	}
	buf_str(&url, more);
	web_get(b, (const char *)url.p);
	if (b->status == 200 && web_field(b, "password") != NULL)
		web_submit(b, "/flow/password/", LOGIN);
	if (b->status == 200 && web_field(b, "offer") != NULL)
		web_submit(b, "/flow/consent/", AGREE);
}

#define NONCE     "&nonce=n1"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define PKCE      "&code_challenge_method=S256&code_challenge=" CHALLENGE

static const char *
half_hash(struct world *w, const char *text)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(text), digest);
	return enc_base64url(w->a, (struct bytes){digest, SHA256_BYTES / 2});
}

static void
a_code_comes_by_each_mode(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	go(&b, "code", PKCE "&response_mode=query");
	assert_true(text_starts(b.location, OIDC_BACK "?code="));
	go(&b, "code", PKCE "&response_mode=fragment");
	assert_true(text_starts(b.location, OIDC_BACK "#code="));
	go(&b, "code", PKCE "&response_mode=form_post");
	assert_null(b.location);
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, "action=\"" OIDC_BACK "\""));
	assert_non_null(web_field(&b, "code"));
	assert_string_equal(web_field(&b, "state"), "s1");
	assert_string_equal(web_field(&b, "iss"), BASE);
	/* The page may lead there and nowhere else, by itself or by its button. */
	assert_non_null(strstr(b.csp, "form-action 'self' https://stadtportal.example"));
	assert_non_null(strstr(b.csp, "default-src 'none'"));
	assert_true(web_shows(&b, "<button"));
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, web_field(&b, "code")));
	assert_int_equal(b.status, 200);
}

/* What the client wrote comes back as text, never as markup. */
static void
a_state_in_a_form_is_escaped(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b,
		oidc_request_url(w, "openid", "&prompt=none&response_mode=form_post&login_hint=x"));
	assert_string_equal(web_field(&b, "error"), "login_required");
	char *url = arena_strdup(w->a, oidc_request_url(w, "openid",
							"&prompt=none&response_mode="
							"form_post"));

	memcpy(strstr(url, "state=s1&nonce"), "state=%22&nonc", 14);
	web_get(&b, url);
	assert_true(web_shows(&b, "name=\"state\" value=\"&quot;\""));
}

static void
errors_come_by_the_mode_that_was_asked_for(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	go(&b, "code", PKCE "&prompt=none&response_mode=form_post");
	assert_string_equal(web_field(&b, "error"), "login_required");
	assert_string_equal(web_field(&b, "iss"), BASE);
	assert_null(web_field(&b, "code"));
	go(&b, "code", PKCE "&prompt=none&response_mode=fragment");
	assert_true(text_starts(b.location, OIDC_BACK "#error=login_required"));
	go(&b, "code id_token", PKCE NONCE "&prompt=none");
	assert_true(text_starts(b.location, OIDC_BACK "#error=login_required"));
	go(&b, "code", PKCE "&prompt=none+login&response_mode=form_post");
	assert_string_equal(web_field(&b, "error"), "invalid_request");
	/* Said no on a page, once the flow was stored. */
	web_get(&b, oidc_request_url(w, "openid", "&response_mode=form_post"));
	web_submit(&b, "/flow/password/", "do=cancel");
	assert_string_equal(web_field(&b, "error"), "access_denied");
}

static void
an_id_token_comes_with_the_code(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	go(&b, "code id_token",
	   PKCE NONCE "&response_mode=form_post&claims="
		      "%7B%22id_token%22%3A%7B%22family_name%22%3Anull%7D%7D");
	const char *code = web_field(&b, "code");
	const json_t *front = oidc_token_says(w, web_field(&b, "id_token"));

	assert_string_equal(text_member(front, "nonce"), "n1");
	assert_string_equal(text_member(front, "aud"), OIDC_CLIENT);
	assert_string_equal(text_member(front, "c_hash"), half_hash(w, code));
	assert_string_equal(text_member(front, "s_hash"), half_hash(w, "s1"));
	assert_null(text_member(front, "at_hash"));
	assert_null(text_member(front, "family_name")); /* not through the browser */
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, code));
	const json_t *back = oidc_token_says(w, web_member(&b, "id_token"));

	/* Core 3.3.3.6 */
	assert_string_equal(text_member(back, "sub"), text_member(front, "sub"));
	assert_string_equal(text_member(back, "iss"), text_member(front, "iss"));
	assert_string_equal(text_member(back, "sid"), text_member(front, "sid"));
	assert_string_equal(text_member(back, "nonce"), "n1");
	assert_string_equal(text_member(back, "family_name"), "Mustermann");
	/* In the fragment unless the request says otherwise, words in any order. */
	go(&b, "id_token code", PKCE NONCE);
	assert_true(text_starts(b.location, OIDC_BACK "#code="));
	assert_non_null(strstr(b.location, "&id_token="));
	/* A code alone comes without one. */
	go(&b, "code", PKCE NONCE "&response_mode=form_post");
	assert_null(web_field(&b, "id_token"));
}

static void
what_must_not_go_by_the_browser_does_not(void **state)
{
	static const struct {
		const char *type, *more, *begin;
	} cases[] = {
		{"token", PKCE, "#error=unsupported_response_type"},
		{"code token", PKCE NONCE, "#error=unsupported_response_type"},
		{"code id_token token", PKCE NONCE, "#error=unsupported_response_type"},
		{"id_token", PKCE NONCE, "#error=unsupported_response_type"},
		{"none", PKCE, "?error=unsupported_response_type"},
		{"", PKCE, "?error=invalid_request"},
		{"code id_token", PKCE NONCE "&response_mode=query", "#error=invalid_request"},
		{"code id_token", PKCE, "#error=invalid_request"},
		{"code", PKCE "&response_mode=web_message", "?error=invalid_request"},
	};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		go(&b, cases[i].type, cases[i].more);
		assert_int_equal(b.status, 303);
		if (!text_starts(b.location, arena_printf(w->a, OIDC_BACK "%s", cases[i].begin)))
			fail_msg("case %zu: %s", i, b.location);
	}
	world_oidc_party(w, "{}");
	go(&b, "code id_token", PKCE NONCE);
	assert_true(text_starts(b.location, OIDC_BACK "#error=unauthorized_client"));
	register_client(w, "");
}

static void
redeem(struct web *b, const char *code, const char *verifier)
{
	web_token(b, oidc_basic(b->w),
		  arena_printf(b->w->a,
			       "grant_type=authorization_code&code=%s&redirect_uri="
			       "https%%3A%%2F%%2Fstadtportal.example%%2Fback%s",
			       code, verifier));
}

/* RFC 9700 2.1.1, 4.8.2: left out by who may, and then in both places. */
static void
pkce_is_left_out_in_both_places_or_in_none(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	go(&b, "code", NONCE);
	assert_string_equal(location_param(&b, "error"), "invalid_request");
	register_client(w, ",\"profile\":\"oidc\"");
	go(&b, "code", NONCE);
	redeem(&b, location_param(&b, "code"), "");
	assert_int_equal(b.status, 200);
	/* A challenge that somebody took out of the request. */
	go(&b, "code", NONCE);
	redeem(&b, location_param(&b, "code"), "&code_verifier=" PKCE_VERIFIER);
	assert_int_equal(b.status, 400);
	assert_string_equal(web_member(&b, "error"), "invalid_grant");
	/* A code that was asked for with a challenge is worth nothing without the verifier. */
	go(&b, "code", NONCE PKCE);
	redeem(&b, location_param(&b, "code"), "");
	assert_int_equal(b.status, 400);
	go(&b, "code", NONCE "&code_challenge=" CHALLENGE); /* plain, as it is unsaid */
	assert_string_equal(location_param(&b, "error"), "invalid_request");
	register_client(w, "");
}

static const char *
response_of(struct web *b)
{
	const char *at = b->location == NULL ? NULL : strstr(b->location, "response=");

	return at == NULL ? web_field(b, "response") : at + strlen("response=");
}

/* JARM 2: everything in one signed token that names us, its reader and its end. */
static void
an_answer_may_be_one_signed_token(void **state)
{
	static const struct {
		const char *type, *mode, *begin;
	} cases[] = {
		{"code", "jwt", OIDC_BACK "?response="},
		{"code", "query.jwt", OIDC_BACK "?response="},
		{"code", "fragment.jwt", OIDC_BACK "#response="},
		{"code", "form_post.jwt", NULL},
		{"code id_token", "jwt", OIDC_BACK "#response="},
	};
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *more =
			arena_printf(w->a, PKCE NONCE "&response_mode=%s", cases[i].mode);

		go(&b, cases[i].type, more);
		if (cases[i].begin != NULL)
			assert_true(text_starts(b.location, cases[i].begin));
		const json_t *told = oidc_token_says(w, response_of(&b));

		assert_string_equal(text_member(told, "iss"), BASE);
		assert_string_equal(text_member(told, "aud"), OIDC_CLIENT);
		assert_string_equal(text_member(told, "state"), "s1");
		assert_int_equal(json_integer_value(json_object_get(told, "exp")), w->now + 600);
		assert_int_equal(text_member(told, "id_token") != NULL,
				 strcmp(cases[i].type, "code") != 0);
		web_token(&b, oidc_basic(w), oidc_redeem_form(w, text_member(told, "code")));
		assert_int_equal(b.status, 200);
	}
	go(&b, "code", PKCE "&prompt=none+login&response_mode=jwt");
	assert_string_equal(text_member(oidc_token_says(w, response_of(&b)), "error"),
			    "invalid_request");
	go(&b, "code id_token", PKCE NONCE "&response_mode=query.jwt");
	assert_true(text_starts(b.location, OIDC_BACK "#response="));
	assert_string_equal(text_member(oidc_token_says(w, response_of(&b)), "error"),
			    "invalid_request");
	assert_null(strstr(b.location, "error="));
}

/* Core 3.1.2.1: by POST as by GET; what is unknown is passed over. */
static void
a_request_by_post_is_the_same(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_foreign_post(
		&b, "/oidc/authorize",
		"response_type=code&response_mode=form_post&scope=openid&client_id=" OIDC_CLIENT
		"&redirect_uri=https%3A%2F%2Fstadtportal.example%2Fback"
		"&state=s2&display=page&claims_locales=de&ui_locales=fr+en&vendor=x" PKCE);
	assert_true(web_shows(&b, "<html lang=\"en\""));
	web_submit(&b, "/flow/password/", LOGIN);
	if (b.status == 200 && web_field(&b, "offer") != NULL)
		web_submit(&b, "/flow/consent/", AGREE);
	assert_string_equal(web_field(&b, "state"), "s2");
	assert_non_null(web_field(&b, "code"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_code_comes_by_each_mode),
		T(a_state_in_a_form_is_escaped),
		T(errors_come_by_the_mode_that_was_asked_for),
		T(an_id_token_comes_with_the_code),
		T(what_must_not_go_by_the_browser_does_not),
		T(pkce_is_left_out_in_both_places_or_in_none),
		T(an_answer_may_be_one_signed_token),
		T(a_request_by_post_is_the_same),
	};

	return cmocka_run_group_tests(tests, setup, world_teardown);
}
