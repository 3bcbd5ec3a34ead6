/* Signed authorization requests (RFC 9101), by value and pushed. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "idp/jose.h"
#include "idp/lane.h"
#include "keys/keyring.h"
#include "oidc/jwe.h"
#include "tests/flow/client.h"

#define LOGIN "login_name=erika&password=" PASSWORD "&do=login"
#define LEAST                                                                                 \
	"\"response_type\":\"code\",\"redirect_uri\":\"" OIDC_BACK "\",\"scope\":\"openid\"," \
	"\"client_id\":\"" OIDC_CLIENT "\",\"state\":\"signed\","                             \
	"\"code_challenge_method\":\"S256\",\"code_challenge\":"                              \
	"\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\""

static const char *const erika[] = {"family_name", "Mustermann", NULL};

static void
register_client(struct world *w, const char *more)
{
	world_oidc_document(
		w,
		arena_printf(w->a,
			     "{\"metadata\":{\"redirect_uris\":[\"" OIDC_BACK
			     "\"],\"scope\":\"openid\",\"jwks\":%s%s},\"secret_sha256\":\"%s\"}",
			     client_jwks(w), more, oidc_secret_digest(w)),
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

static const char *
object(struct world *w, const char *members)
{
	return client_signs(w, "oauth-authz-req+jwt",
			    arena_printf(w->a, "\"iat\":%lld,%s", (long long)w->now, members));
}

static void
ask_with(struct web *b, const char *request, const char *beside)
{
	web_get(b,
		arena_printf(b->w->a, BASE "/oidc/authorize?client_id=" OIDC_CLIENT "&request=%s%s",
			     request, beside));
}

static void
finish(struct web *b)
{
	if (b->status == 200 && web_field(b, "password") != NULL)
		web_submit(b, "/flow/password/", LOGIN);
	if (b->status == 200 && web_field(b, "offer") != NULL)
		web_submit(b, "/flow/consent/", "do=agree");
}

#define BACK "&redirect_uri=https%3A%2F%2Fstadtportal.example%2Fback"

static void
what_is_signed_counts_and_nothing_beside_it(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask_with(&b, object(w, LEAST),
		 "&response_type=token&scope=openid&state=beside&prompt=none&redirect_uri="
		 "https%3A%2F%2Fevil.example%2F");
	finish(&b);
	assert_true(text_starts(b.location, OIDC_BACK "?code="));
	assert_string_equal(location_param(&b, "state"), "signed");
	web_token(&b, oidc_basic(w), oidc_redeem_form(w, location_param(&b, "code")));
	assert_int_equal(b.status, 200);
	/* What the object lacks is not made up from what stands beside it. */
	ask_with(&b, object(w, "\"response_type\":\"code\",\"scope\":\"openid\""), BACK);
	assert_int_equal(b.status, 400);
	assert_null(b.location);
}

static void
an_improper_object_is_told_where_the_client_listens(void **state)
{
	struct world *w = *state;
	const char *good = object(w, LEAST);
	struct web b;

	web_init(&b, w);
	char *forged = arena_strdup(w->a, good);

	forged[strlen(forged) - 3] = forged[strlen(forged) - 3] == 'A' ? 'B' : 'A';
	ask_with(&b, forged, BACK "&state=beside&response_type=code");
	assert_string_equal(location_param(&b, "error"), "invalid_request_object");
	assert_string_equal(location_param(&b, "state"), "beside");
	ask_with(&b, forged, BACK "&response_mode=form_post&response_type=code");
	assert_string_equal(web_field(&b, "error"), "invalid_request_object");
	ask_with(&b, forged, "&redirect_uri=https%3A%2F%2Fevil.example%2F");
	assert_int_equal(b.status, 403);
	assert_null(b.location);
	ask_with(&b, forged, "");
	assert_int_equal(b.status, 403);
	/* Nobody's object, or another client's name. */
	web_get(&b, arena_printf(w->a, BASE "/oidc/authorize?request=%s%s", good, BACK));
	assert_int_equal(b.status, 400);
	web_get(&b, arena_printf(w->a, BASE "/oidc/authorize?client_id=andere&request=%s%s", good,
				 BACK));
	assert_int_equal(b.status, 400);
	assert_null(b.location);
}

/* Encrypted to us, and signed inside: encryption alone proves nothing. */
static void
it_may_be_encrypted_to_us(void **state)
{
	struct world *w = *state;
	const char *good = object(w, LEAST), *sealed, *bare;
	struct oidc_enc_jwk to;
	const struct key *k = NULL;
	struct err err = {0};
	struct web b;

	for (size_t i = 0; k == NULL || !jose_enc_jwk(k, &to);)
		assert_non_null(k = keyring_shown(w->signer->keys, KEY_DECRYPT, &i));
	ASSERT_OK(oidc_jwe_build(w->a, &to,
				 to.type == OIDC_KEY_RSA ? OIDC_RSA_OAEP_256 : OIDC_ECDH_ES_A256KW,
				 OIDC_A256GCM, "JWT", NULL, bytes_of(good), &sealed, &err),
		  &err);
	web_init(&b, w);
	ask_with(&b, sealed, "");
	assert_non_null(web_field(&b, "password"));
	ASSERT_OK(oidc_jwe_build(
			  w->a, &to,
			  to.type == OIDC_KEY_RSA ? OIDC_RSA_OAEP_256 : OIDC_ECDH_ES_A256KW,
			  OIDC_A256GCM, NULL, NULL,
			  bytes_of("{\"iss\":\"" OIDC_CLIENT "\",\"aud\":\"" BASE "\"," LEAST "}"),
			  &bare, &err),
		  &err);
	ask_with(&b, bare, BACK);
	assert_string_equal(location_param(&b, "error"), "invalid_request_object");
}

static void
an_object_with_a_jti_counts_once(void **state)
{
	struct world *w = *state;
	const char *once = object(w, LEAST ",\"jti\":\"once-1\"");
	struct web b, other;

	web_init(&b, w);
	ask_with(&b, once, "");
	assert_non_null(web_field(&b, "password"));
	const char *flow = b.path;

	ask_with(&b, once, ""); /* the page is loaded again */
	assert_string_equal(b.path, flow);
	web_init(&other, w);
	ask_with(&other, once, "");
	assert_int_equal(other.status, 410);
	finish(&b);
	ask_with(&b, once, "");
	assert_int_equal(b.status, 410);
	/* Without one it may come again. */
	ask_with(&other, object(w, LEAST), "");
	assert_non_null(web_field(&other, "password"));
	ask_with(&other, object(w, LEAST), "");
	assert_non_null(web_field(&other, "password"));
}

static void
it_is_pushed_as_well(void **state)
{
	struct world *w = *state;
	const char *once = object(w, LEAST ",\"jti\":\"once-2\",\"prompt\":\"login\"");
	struct buf uri;
	struct web b;

	web_init(&b, w);
	/* The form's own parameters do not count (RFC 9126 3). */
	web_as_client(&b, "/oidc/par",
		      arena_printf(w->a,
				   "client_id=" OIDC_CLIENT "&state=beside&prompt=none&request=%s",
				   once));
	assert_int_equal(b.status, 201);
	buf_init(&uri, w->a, 1024);
	enc_percent(&uri, bytes_of(web_member(&b, "request_uri")));
	web_as_client(&b, "/oidc/par",
		      arena_printf(w->a, "client_id=" OIDC_CLIENT "&request=%s", once));
	assert_int_equal(b.status, 400);
	assert_string_equal(web_member(&b, "error"), "invalid_request_object");
	/* RFC 9126 3: who has proven itself need not say again who it is. */
	web_as_client(&b, "/oidc/par", arena_printf(w->a, "request=%s", object(w, LEAST)));
	assert_int_equal(b.status, 201);
	web_as_client(
		&b, "/oidc/par",
		arena_printf(w->a, "request=%s",
			     object(w, "\"client_id\":\"andere\",\"response_type\":\"code\"")));
	assert_int_equal(b.status, 400);
	assert_string_equal(web_member(&b, "error"), "invalid_request_object");
	web_get(&b,
		arena_printf(w->a, BASE "/oidc/authorize?client_id=" OIDC_CLIENT "&request_uri=%s",
			     (const char *)uri.p));
	finish(&b);
	assert_string_equal(location_param(&b, "state"), "signed");
	web_as_client(&b, "/oidc/par", "client_id=" OIDC_CLIENT "&request=a.b.c");
	assert_int_equal(b.status, 400);
	assert_string_equal(web_member(&b, "error"), "invalid_request_object");
}

/* Who is told to come again a little later finds it unused. */
static void
what_led_to_nothing_has_not_used_it_up(void **state)
{
	struct world *w = *state;
	struct lanes_options o = {.clock_us = clock_mono_us}; /* no place anywhere */
	const char *once = object(w, LEAST ",\"jti\":\"once-3\"");
	const char *form = arena_printf(w->a, "client_id=" OIDC_CLIENT "&request=%s",
					object(w, LEAST ",\"jti\":\"once-4\""));
	struct web b;

	web_init(&b, w);
	ASSERT_OK(lanes_start(w->a, &o, &w->app.lanes, &w->pg->err), &w->pg->err);
	ask_with(&b, once, "");
	assert_int_equal(b.status, 503);
	lanes_stop(w->app.lanes);
	w->app.lanes = NULL;
	ask_with(&b, once, "");
	assert_non_null(web_field(&b, "password"));
	finish(&b);
	/* The session is good enough: it is answered at once, or not at all. */
	const char *direct = object(w, LEAST ",\"jti\":\"once-5\"");

	pg_sql(w->pg, "ALTER TABLE grant_code ADD CONSTRAINT none_more CHECK (false) NOT VALID");
	ask_with(&b, direct, "");
	assert_true(b.status >= 400);
	pg_sql(w->pg, "ALTER TABLE grant_code DROP CONSTRAINT none_more");
	ask_with(&b, direct, "");
	assert_non_null(location_param(&b, "code"));
	ask_with(&b, direct, "");
	assert_int_equal(b.status, 410);
	/* Nor when it cannot be kept that was pushed. */
	pg_sql(w->pg, "ALTER TABLE ticket ADD CONSTRAINT none_more CHECK (false) NOT VALID");
	web_as_client(&b, "/oidc/par", form);
	assert_true(b.status >= 400);
	pg_sql(w->pg, "ALTER TABLE ticket DROP CONSTRAINT none_more");
	web_as_client(&b, "/oidc/par", form);
	assert_int_equal(b.status, 201);
	/* What was pushed is used up everywhere. */
	ask_with(&b, strstr(form, "request=") + strlen("request="), "");
	assert_int_equal(b.status, 410);
}

static void
who_has_to_sign_gets_nothing_otherwise(void **state)
{
	struct world *w = *state;
	struct buf uri;
	struct web b;

	register_client(w, ",\"require_signed_request_object\":true");
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid", ""));
	assert_string_equal(location_param(&b, "error"), "invalid_request");
	web_as_client(&b, "/oidc/par",
		      "response_type=code&scope=openid&client_id=" OIDC_CLIENT BACK
		      "&code_challenge_method=S256&code_challenge="
		      "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
	assert_int_equal(b.status, 400);
	assert_string_equal(web_member(&b, "error"), "invalid_request");
	ask_with(&b, object(w, LEAST), "");
	assert_non_null(web_field(&b, "password"));
	/* Signed when it was pushed is signed. */
	web_as_client(&b, "/oidc/par",
		      arena_printf(w->a, "client_id=" OIDC_CLIENT "&request=%s", object(w, LEAST)));
	buf_init(&uri, w->a, 1024);
	enc_percent(&uri, bytes_of(web_member(&b, "request_uri")));
	web_get(&b,
		arena_printf(w->a, BASE "/oidc/authorize?client_id=" OIDC_CLIENT "&request_uri=%s",
			     (const char *)uri.p));
	assert_non_null(web_field(&b, "password"));
	register_client(w, "");
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_signed_counts_and_nothing_beside_it),
		T(an_improper_object_is_told_where_the_client_listens),
		T(it_may_be_encrypted_to_us),
		T(an_object_with_a_jti_counts_once),
		T(it_is_pushed_as_well),
		T(what_led_to_nothing_has_not_used_it_up),
		T(who_has_to_sign_gets_nothing_otherwise),
	};

	return cmocka_run_group_tests(tests, setup, world_teardown);
}
