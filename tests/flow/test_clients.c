/* How clients prove themselves and what their records allow, through whole logins. */
#include <pthread.h>
#include <unistd.h>

#include <openssl/hmac.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "db/source.h"
#include "idp/client_record.h"
#include "idp/publish.h"
#include "idp/refresh.h"
#include "tests/flow/world.h"
#include "tests/oidc/certificates.h"
#include "tests/oidc/support.h"

#define PASSWORD "Lachs-Turmuhr-47"
#define LOGIN    "login_name=erika&password=" PASSWORD "&do=login"

static const char *const erika[] = {"given_names", "Erika", "email", "erika@example.invalid", NULL};

static int
setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	world_totp(w, world_person(w, "erika", PASSWORD, erika, LEVEL_SUBSTANTIAL));
	return world_fresh(state);
}

/* Register metadata as a command does; the secret that is told, or NULL. */
static const char *
register_client(struct world *w, const char *metadata, const char *policy)
{
	struct account_work work = {.a = w->a, .signer = w->signer->s, .keyring = w->signer->keys};
	struct client_record record = {.policy = policy};
	struct oidc_client_rules rules = party_client_rules(w->a);
	struct oidc_client *c;
	struct oidc_strs unknown;
	struct err err = {0};
	const char *document;

	ASSERT_OK(oidc_client_parse(w->a, bytes_of(metadata), OIDC_CLIENT, &rules, &c, &unknown,
				    &err),
		  &err);
	ASSERT_OK(client_record_make(&work, c, NULL, false, &record, &err), &err);
	ASSERT_OK(text_from_bytes(w->a, record.row.document, 65536, "document", &document, &err),
		  &err);
	world_oidc_document(w, document, policy);
	return json_string_value(json_object_get(record.told, "client_secret"));
}

#define PKCE \
	"&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

/* Log in at the client and agree to all that is asked; the code, at `back`. */
static const char *
code_at(struct web *b, const char *back)
{
	struct world *w = b->w;
	struct buf to;

	buf_init(&to, w->a, 4096);
	enc_percent(&to, bytes_of(back));
	web_get(b, arena_printf(w->a,
				BASE "/oidc/authorize?response_type=code&client_id=" OIDC_CLIENT
				     "&state=s1&nonce=n1&scope=openid%%20email" PKCE
				     "&redirect_uri=%s",
				(const char *)to.p));
	if (b->status == 200 && web_field(b, "password") != NULL)
		web_submit(b, "/flow/password/", LOGIN);
	if (b->status == 200)
		web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
	if (b->status != 303)
		return NULL;
	assert_true(text_starts(b->location, back));
	return location_param(b, "code");
}

/* The form that redeems it, with whatever else proves the client. */
static const char *
redeem_form(struct world *w, const char *code, const char *back, const char *more)
{
	struct buf to;

	buf_init(&to, w->a, 4096);
	enc_percent(&to, bytes_of(back));
	return arena_printf(w->a,
			    "grant_type=authorization_code&code=%s&redirect_uri=%s"
			    "&code_verifier=" PKCE_VERIFIER "%s",
			    code, (const char *)to.p, more);
}

static const char *
by_assertion(struct world *w, const char *assertion)
{
	return arena_printf(w->a,
			    "&client_assertion_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3A"
			    "client-assertion-type%%3Ajwt-bearer&client_assertion=%s",
			    assertion);
}

/* ---- client_secret_jwt ---- */

static const char *
mac_assertion(struct world *w, const char *secret, const char *jti)
{
	const char *claims = arena_printf(w->a,
					  "{\"iss\":\"" OIDC_CLIENT "\",\"sub\":\"" OIDC_CLIENT
					  "\",\"aud\":\"" BASE "\",\"exp\":%lld,\"jti\":\"%s\"}",
					  (long long)w->now + 60, jti);
	const char *input =
		arena_printf(w->a, "%s.%s", enc_base64url(w->a, bytes_of("{\"alg\":\"HS256\"}")),
			     enc_base64url(w->a, bytes_of(claims)));
	unsigned char mac[SHA256_BYTES];

	HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)input, strlen(input),
	     mac, NULL);
	return arena_printf(w->a, "%s.%s", input,
			    enc_base64url(w->a, (struct bytes){mac, sizeof(mac)}));
}

#define MAC_CLIENT                                                           \
	"{\"redirect_uris\":[\"" OIDC_BACK "\"],\"scope\":\"openid email\"," \
	"\"token_endpoint_auth_method\":\"client_secret_jwt\"}"

static void
a_secret_that_signs_is_kept_sealed_and_proves_once(void **state)
{
	struct world *w = *state;
	const char *secret = register_client(w, MAC_CLIENT, "{}");
	const char *document = world_value(
		w, "SELECT convert_from(document, 'UTF8') FROM party WHERE id = '" OIDC_CLIENT "'");
	struct web b;

	web_init(&b, w);
	/* RFC 7518 3.2: 256 bits, in 43 characters. */
	assert_int_equal(strlen(secret), 43);
	assert_non_null(strstr(document, "secret_sealed"));
	assert_null(strstr(document, "secret_sha256"));
	assert_null(strstr(document, secret));
	const char *good = by_assertion(w, mac_assertion(w, secret, "m1"));

	web_token(&b, NULL, redeem_form(w, code_at(&b, OIDC_BACK), OIDC_BACK, good));
	assert_int_equal(b.status, 200);
	web_token(&b, NULL, redeem_form(w, code_at(&b, OIDC_BACK), OIDC_BACK, good));
	assert_int_equal(b.status, 401);
	assert_string_equal(web_member(&b, "error"), "invalid_client");
	/* Another secret, or the secret itself in the place of a proof by it. */
	web_token(&b, NULL,
		  redeem_form(w, code_at(&b, OIDC_BACK), OIDC_BACK,
			      by_assertion(w, mac_assertion(w, OIDC_SECRET, "m2"))));
	assert_int_equal(b.status, 401);
	web_token(&b, NULL,
		  redeem_form(w, code_at(&b, OIDC_BACK), OIDC_BACK,
			      arena_printf(w->a, "&client_id=" OIDC_CLIENT "&client_secret=%s",
					   secret)));
	assert_int_equal(b.status, 401);
	/* The stored value serves its own client alone. */
	world_oidc_document(w,
			    arena_printf(w->a,
					 "{\"metadata\":" MAC_CLIENT ",\"secret_sealed\":\"%s\"}",
					 enc_base64(w->a, bytes_of("not sealed for this"))),
			    "{}");
	web_token(&b, NULL,
		  redeem_form(w, code_at(&b, OIDC_BACK), OIDC_BACK,
			      by_assertion(w, mac_assertion(w, secret, "m3"))));
	assert_int_equal(b.status, 401);
}

/* ---- public and native clients ---- */

#define LOOPBACK "http://127.0.0.1/cb"
#define SCHEME   "example.konto.app:/cb"

#define NATIVE_CLIENT                                                               \
	"{\"application_type\":\"native\",\"token_endpoint_auth_method\":\"none\"," \
	"\"scope\":\"openid email\",\"redirect_uris\":[\"" LOOPBACK "\",\"" SCHEME "\"]}"

static void
a_native_client_gets_what_its_policy_names(void **state)
{
	struct world *w = *state;
	struct web b;

	assert_null(register_client(w, NATIVE_CLIENT, "{\"attribute\":[\"email\"]}"));
	web_init(&b, w);
	const char *back = "http://127.0.0.1:51004/cb";
	const char *code = code_at(&b, back);

	assert_non_null(code);
	web_token(&b, NULL, redeem_form(w, code, back, "&client_id=" OIDC_CLIENT));
	assert_int_equal(b.status, 200);
	web_userinfo(&b, web_member(&b, "access_token"));
	assert_string_equal(web_member(&b, "email"), "erika@example.invalid");
	/* Its own scheme, which the page that leads there has to allow. */
	web_init(&b, w);
	web_get(&b, BASE "/oidc/authorize?response_type=code&client_id=" OIDC_CLIENT
			 "&state=s1&scope=openid" PKCE "&redirect_uri=example.konto.app%3A%2Fcb");
	assert_non_null(strstr(b.csp, "form-action 'self' example.konto.app:"));
	web_submit(&b, "/flow/password/", LOGIN);
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_int_equal(b.status, 303);
	assert_true(text_starts(b.location, SCHEME "?code="));
	/* Without a policy that names them there are no attributes. */
	register_client(w, NATIVE_CLIENT, "{}");
	web_init(&b, w);
	code = code_at(&b, back);
	web_token(&b, NULL, redeem_form(w, code, back, "&client_id=" OIDC_CLIENT));
	assert_int_equal(b.status, 200);
	web_userinfo(&b, web_member(&b, "access_token"));
	assert_null(web_member(&b, "email"));
	assert_non_null(web_member(&b, "sub"));
}

static void
a_code_of_a_public_client_needs_its_verifier(void **state)
{
	struct world *w = *state;
	struct web b;

	register_client(w, NATIVE_CLIENT, "{}");
	web_init(&b, w);
	const char *code = code_at(&b, LOOPBACK);

	web_token(&b, NULL,
		  arena_printf(w->a,
			       "grant_type=authorization_code&code=%s&client_id=" OIDC_CLIENT
			       "&redirect_uri=http%%3A%%2F%%2F127.0.0.1%%2Fcb",
			       code));
	assert_int_equal(b.status, 400);
	assert_string_equal(web_member(&b, "error"), "invalid_grant");
	/* Neither does one with another port than it was sent to. */
	code = code_at(&b, LOOPBACK);
	web_token(&b, NULL,
		  redeem_form(w, code, "http://127.0.0.1:81/cb", "&client_id=" OIDC_CLIENT));
	assert_string_equal(web_member(&b, "error"), "invalid_grant");
	/* Nor is its name enough for a client that has a secret. */
	world_oidc_party(w, "{}");
	code = code_at(&b, OIDC_BACK);
	web_token(&b, NULL, redeem_form(w, code, OIDC_BACK, "&client_id=" OIDC_CLIENT));
	assert_int_equal(b.status, 401);
	assert_string_equal(web_member(&b, "error"), "invalid_client");
}

static void
the_level_a_public_client_learns_is_low_unless_its_policy_says_more(void **state)
{
	static const struct {
		const char *policy, *error;
	} cases[] = {{"{}", "unmet_authentication_requirements"},
		     {"{\"level-cap\":\"substantial\"}", NULL}};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct web b;

		register_client(w, NATIVE_CLIENT, cases[i].policy);
		web_init(&b, w);
		web_get(&b, BASE "/oidc/authorize?response_type=code&client_id=" OIDC_CLIENT
				 "&state=s1&scope=openid" PKCE
				 "&redirect_uri=example.konto.app%3A%2Fcb&claims="
				 "%7B%22id_token%22%3A%7B%22acr%22%3A%7B%22essential%22%3Atrue%2C"
				 "%22values%22%3A%5B%22substantial%22%5D%7D%7D%7D");
		if (cases[i].error == NULL)
			assert_int_equal(b.status, 200);
		else
			assert_string_equal(location_param(&b, "error"), cases[i].error);
	}
}

/* ---- keys at a jwks_uri ---- */

#define JWKS_URI "https://stadtportal.example/jwks"

static struct far {
	struct world *w;
	const char *body; /* NULL: the network fails */
	int64_t fresh_s;
	size_t n_asked;
} far;

static bool
far_get(struct arena *a, const struct fetch_get *what, struct fetch_got *out, struct err *err)
{
	far.n_asked++;
	if (far.body == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "the network fails");
	assert_true(what->max_bytes <= OIDC_JWKS_MAX_BYTES);
	assert_ptr_equal(what->inside, &far.w->config.outbound_inside);
	*out = (struct fetch_got){.fresh_s = far.fresh_s,
				  .body = arena_bytes(a, bytes_of(far.body))};
	return true;
}

/* An assertion by the portal's one key, which says it is `kid`. */
static const char *
key_assertion(struct world *w, const char *kid, const char *jti)
{
	return token_of(w->a, OIDC_ES256,
			arena_printf(w->a, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid),
			arena_printf(w->a,
				     "{\"iss\":\"" OIDC_CLIENT "\",\"sub\":\"" OIDC_CLIENT
				     "\",\"aud\":\"" BASE "\",\"exp\":%lld,\"jti\":\"%s\"}",
				     (long long)w->now + 60, jti));
}

/* What a node does when it looks, and is told of what changed: true, there was something due. */
static bool
look(struct world *w)
{
	struct arena *a = arena_create((size_t)16 << 20);
	struct err err = {0};
	bool did;

	ASSERT_OK(refresh_one(&w->app, a, w->now, &did, &err), &err);
	arena_destroy(a);
	world_reload(w);
	return did;
}

static void
begin_far(struct world *w)
{
	const struct db_source s = {.party = OIDC_CLIENT, .url = JWKS_URI, .signers = ""};
	struct err err = {0};

	register_client(w,
			"{\"redirect_uris\":[\"" OIDC_BACK "\"],\"scope\":\"openid email\","
			"\"token_endpoint_auth_method\":\"private_key_jwt\","
			"\"jwks_uri\":\"" JWKS_URI "\"}",
			"{}");
	pg_sql(w->pg, "DELETE FROM party_source");
	ASSERT_OK(db_source_put(&w->pg->c, &s, NULL, w->now, &err), &err);
	far = (struct far){.w = w, .body = public_jwks(w->a, OIDC_ES256, "k1"), .fresh_s = -1};
	w->app.get = far_get;
}

static int
redeem_with(struct web *b, const char *kid, const char *jti)
{
	struct world *w = b->w;

	web_token(b, NULL,
		  redeem_form(w, code_at(b, OIDC_BACK), OIDC_BACK,
			      by_assertion(w, key_assertion(w, kid, jti))));
	return b->status;
}

static const char *
source_is(struct world *w, const char *column)
{
	return arena_strdup(
		w->a,
		world_value(w,
			    arena_printf(w->a, "SELECT coalesce((%s)::text, '') FROM party_source",
					 column)));
}

static void
a_new_key_is_seen_when_it_is_signed_with(void **state)
{
	struct world *w = *state;
	struct web b;

	begin_far(w);
	web_init(&b, w);
	assert_int_equal(redeem_with(&b, "k1", "a1"), 401); /* nothing was fetched yet */
	assert_true(look(w));
	assert_int_equal(redeem_with(&b, "k1", "a2"), 200);
	assert_false(look(w));
	/* Rotation: the first use of the new one is refused and has it fetched. */
	far.body = public_jwks(w->a, OIDC_ES256, "k2");
	w->now += 60;
	size_t before = far.n_asked;

	assert_int_equal(redeem_with(&b, "k2", "a3"), 401);
	assert_int_equal(far.n_asked, before); /* never within the request */
	assert_true(look(w));
	assert_int_equal(redeem_with(&b, "k2", "a4"), 200);
	assert_int_equal(redeem_with(&b, "k1", "a5"), 401);
	assert_string_equal(world_value(w, "SELECT count(*) FROM audit WHERE event = 'client_keys'"
					   " AND party = '" OIDC_CLIENT "'"),
			    "2");
	/* Whatever is asked for makes no second fetch within a minute. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(redeem_with(&b, arena_printf(w->a, "x%d", i), "a6"), 401);
	assert_false(look(w));
	w->now += 60;
	assert_int_equal(redeem_with(&b, "x9", "a7"), 401);
	assert_true(look(w));
	assert_false(look(w));
	/* A key that is there, and a wrong signature or claim under it, asks nobody. */
	w->now += 60;
	assert_int_equal(redeem_with(&b, "k2", "a4"), 401);
	assert_false(look(w));
}

/* Is the next look due, because of what was just asked?  And never twice within a minute. */
static bool
was_missed(struct world *w)
{
	bool due = look(w);

	w->now += 60;
	return due;
}

static const char *
object_by(struct world *w, const char *kid, const char *more)
{
	return token_of(w->a, OIDC_ES256,
			arena_printf(w->a, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid),
			arena_printf(w->a,
				     "{\"iss\":\"" OIDC_CLIENT "\",\"aud\":\"" BASE
				     "\",\"exp\":%lld,\"nbf\":%lld%s}",
				     (long long)w->now + 60, (long long)w->now, more));
}

/* Wherever something is by a key of the client. */
static void
each_thing_that_a_new_key_makes_has_it_fetched(void **state)
{
	struct world *w = *state;
	struct web b;

	begin_far(w);
	assert_true(look(w));
	w->now += 60;
	web_init(&b, w);
	char *forged = arena_strdup(w->a, key_assertion(w, "k1", "f1"));

	forged[strlen(forged) - 3] = forged[strlen(forged) - 3] == 'A' ? 'B' : 'A';
	web_token(&b, NULL, redeem_form(w, "x", OIDC_BACK, by_assertion(w, forged)));
	assert_int_equal(b.status, 401);
	assert_true(was_missed(w));
	/* One of another time is by the same key. */
	web_get(&b, arena_printf(w->a, BASE "/oidc/authorize?client_id=" OIDC_CLIENT "&request=%s",
				 object_by(w, "k1", ",\"sub\":\"" OIDC_CLIENT "\"")));
	assert_false(was_missed(w));
	web_get(&b, arena_printf(w->a, BASE "/oidc/authorize?client_id=" OIDC_CLIENT "&request=%s",
				 object_by(w, "k2", "")));
	assert_int_equal(b.status, 403);
	assert_true(was_missed(w));
	register_client(w,
			"{\"redirect_uris\":[],\"scope\":\"openid\",\"grant_types\":"
			"[\"urn:openid:params:grant-type:ciba\"],"
			"\"backchannel_token_delivery_mode\":\"poll\","
			"\"backchannel_authentication_request_signing_alg\":\"ES256\","
			"\"token_endpoint_auth_method\":\"private_key_jwt\","
			"\"jwks_uri\":\"" JWKS_URI "\"}",
			"{}");
	for (int hint = 0; hint < 2; hint++) {
		const char *request =
			object_by(w, hint ? "k1" : "k2",
				  arena_printf(w->a,
					       ",\"iat\":%lld,\"jti\":\"j%d\","
					       "\"scope\":\"openid\","
					       "\"login_hint_token\":\"%s\"",
					       (long long)w->now, hint, object_by(w, "k2", "")));

		web_form(&b, "/oidc/backchannel",
			 arena_printf(w->a, "request=%s%s", request,
				      by_assertion(w, key_assertion(w, "k1", hint ? "h1" : "h2"))));
		assert_int_equal(b.status, 400);
		assert_string_equal(web_member(&b, "error"), "invalid_request");
		assert_true(was_missed(w));
	}
}

/* As a node hears of it: a new snapshot once the keys have come. */
static void *
hear_of_keys(void *arg)
{
	struct world *w = arg;
	struct arena *a = arena_create((size_t)16 << 20);
	struct db_call c = {w->app.db, a, clock_mono_us() + (int64_t)20 * 1000000};
	const struct db_party *row;
	struct err err = {0};

	while (clock_mono_us() < c.deadline_us && db_party_load(&c, OIDC_CLIENT, &row, &err) &&
	       !bytes_eq(row->keys, bytes_of(far.body)))
		usleep(5000);
	world_reload(w);
	arena_destroy(a);
	return NULL;
}

/* OpenID Connect Core 10.1.1: signed with a new key, and the server finds it. */
static void
the_first_use_of_a_new_key_waits_for_it(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	pthread_t listener;
	struct arena *a;
	struct web b;

	begin_far(w);
	assert_true(look(w));
	web_init(&b, w);
	w->now += 60;
	const char *code = code_at(&b, OIDC_BACK);

	far.body = public_jwks(w->a, OIDC_ES256, "k2");
	a = arena_create((size_t)1 << 20);
	ASSERT_OK(refresh_start(a, &w->app, &w->app.refresh, &err), &err);
	assert_int_equal(pthread_create(&listener, NULL, hear_of_keys, w), 0);
	web_token(&b, NULL,
		  redeem_form(w, code, OIDC_BACK, by_assertion(w, key_assertion(w, "k2", "n1"))));
	pthread_join(listener, NULL);
	assert_int_equal(b.status, 200);
	/* A request that waits has no other wait. */
	atomic_store(&w->app.keys_awaited, true);
	w->now += 60;
	web_token(&b, NULL,
		  redeem_form(w, "x", OIDC_BACK, by_assertion(w, key_assertion(w, "k3", "n2"))));
	assert_int_equal(b.status, 401);
	atomic_store(&w->app.keys_awaited, false);
	refresh_stop(w->app.refresh);
	w->app.refresh = NULL;
	arena_destroy(a);
}

static void
keys_that_cannot_be_had_are_those_of_before(void **state)
{
	static const char *const bad[] = {NULL, "", "[]", "{\"keys\":[]}",
					  "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"};
	struct world *w = *state;
	struct web b;

	begin_far(w);
	assert_true(look(w));
	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		far.body = bad[i];
		pg_sql(w->pg,
		       arena_printf(w->a, "UPDATE party_source SET due = %lld", (long long)w->now));
		assert_true(look(w));
		assert_string_not_equal(source_is(w, "trouble"), "");
		assert_int_equal(redeem_with(&b, "k1", arena_printf(w->a, "b%zu", i)), 200);
	}
	/* Tried again after a growing pause, and told to whoever operates it. */
	assert_int_equal(atol(source_is(w, "tries")), ARRAY_LEN(bad));
	assert_true(atol(source_is(w, "due")) > w->now + 300);
	far.body = public_jwks(w->a, OIDC_ES256, "k1");
	pg_sql(w->pg, arena_printf(w->a, "UPDATE party_source SET due = %lld", (long long)w->now));
	assert_true(look(w));
	assert_string_equal(source_is(w, "trouble"), "");
}

static void
keys_are_kept_as_long_as_their_server_says_within_bounds(void **state)
{
	static const int64_t cases[][2] = {{-1, 3600}, {0, 300},       {299, 300},
					   {600, 600}, {86400, 86400}, {1 << 30, 86400}};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(refresh_keys_pause_s(cases[i][0]), cases[i][1]);
	begin_far(w);
	far.fresh_s = 600;
	assert_true(look(w));
	/* Up to an eighth sooner. */
	assert_in_range(atol(source_is(w, "due")), w->now + 525, w->now + 600);
}

/* ---- certificates ---- */

#define PROXY "192.0.2.200"

static void
begin_mtls(struct world *w)
{
	struct err err = {0};

	ASSERT_OK(net_list_parse(w->a, PROXY, &w->config.trusted_proxy, &err), &err);
	w->config.mtls_url = "https://mtls.konto.example";
	w->config.mtls_host = "mtls.konto.example";
	world_reload(w);
}

static void
end_mtls(struct world *w)
{
	w->config.trusted_proxy.n = 0;
	w->config.mtls_url = w->config.mtls_host = NULL;
	world_reload(w);
}

/* Redeem a new code by its client_id and this certificate, as our proxy passes it on. */
static int
redeem_shown(struct web *b, const char *certificate, const char *verdict)
{
	struct world *w = b->w;
	struct web program;
	const char *form =
		redeem_form(w, code_at(b, OIDC_BACK), OIDC_BACK, "&client_id=" OIDC_CLIENT);

	web_init(&program, w);
	program.addr = PROXY;
	program.host = "mtls.konto.example";
	program.certificate = certificate;
	program.verdict = verdict;
	web_token(&program, NULL, form);
	return program.status;
}

static void
a_client_proves_itself_by_its_certificate(void **state)
{
	struct world *w = *state;
	struct web b, far_off;

	begin_mtls(w);
	web_init(&b, w);
	const char *mine = client_cert(w->a, key_pair(OIDC_ES256), "c1", "DNS:portal.example",
				       w->now - 60, w->now + 86400);
	const char *other = client_cert(w->a, key_pair(OIDC_ES384), "c1", "DNS:evil.example",
					w->now - 60, w->now + 86400);

	register_client(w,
			"{\"redirect_uris\":[\"" OIDC_BACK "\"],\"scope\":\"openid email\","
			"\"token_endpoint_auth_method\":\"tls_client_auth\","
			"\"tls_client_auth_san_dns\":\"portal.example\"}",
			"{}");
	assert_int_equal(redeem_shown(&b, mine, "0"), 200);
	assert_int_equal(redeem_shown(&b, mine, "18"), 401);
	assert_int_equal(redeem_shown(&b, mine, NULL), 401);
	assert_int_equal(redeem_shown(&b, other, "0"), 401);
	assert_int_equal(redeem_shown(&b, NULL, NULL), 401);
	register_client(w,
			arena_printf(w->a,
				     "{\"redirect_uris\":[\"" OIDC_BACK
				     "\"],\"scope\":\"openid email\","
				     "\"token_endpoint_auth_method\":"
				     "\"self_signed_tls_client_auth\",\"jwks\":%s}",
				     public_jwks(w->a, OIDC_ES256, "k1")),
			"{}");
	assert_int_equal(redeem_shown(&b, mine, "18"), 200);
	assert_int_equal(redeem_shown(&b, other, "0"), 401);
	/* Whoever is not our proxy has not seen any certificate. */
	web_init(&far_off, w);
	far_off.host = "mtls.konto.example";
	far_off.certificate = mine;
	web_token(&far_off, NULL,
		  redeem_form(w, code_at(&b, OIDC_BACK), OIDC_BACK, "&client_id=" OIDC_CLIENT));
	assert_int_equal(far_off.status, 400);
	/* Pages are not for that name: a browser's owner is asked for no certificate. */
	web_init(&far_off, w);
	far_off.host = "mtls.konto.example";
	web_get(&far_off, "/account");
	assert_int_equal(far_off.status, 421);
	web_userinfo(&far_off, "x");
	assert_int_equal(far_off.status, 401);
	end_mtls(w);
	web_userinfo(&far_off, "x");
	assert_int_equal(far_off.status, 421);
}

/* RFC 8705 3: good with the certificate that it was got with, and no other way. */
static void
a_token_is_bound_to_the_certificate(void **state)
{
	struct world *w = *state;
	struct web b, program;

	begin_mtls(w);
	web_init(&b, w);
	const char *mine =
		client_cert(w->a, key_pair(OIDC_ES256), "c1", NULL, w->now - 60, w->now + 86400);
	const char *other =
		client_cert(w->a, key_pair(OIDC_ES384), "c1", NULL, w->now - 60, w->now + 86400);

	register_client(w,
			"{\"redirect_uris\":[\"" OIDC_BACK "\"],\"scope\":\"openid email\","
			"\"tls_client_certificate_bound_access_tokens\":true,"
			"\"token_endpoint_auth_method\":\"none\"}",
			"{}");
	assert_int_equal(redeem_shown(&b, NULL, NULL), 400);
	const char *form =
		redeem_form(w, code_at(&b, OIDC_BACK), OIDC_BACK, "&client_id=" OIDC_CLIENT);

	web_init(&program, w);
	program.addr = PROXY;
	program.host = "mtls.konto.example";
	program.certificate = mine;
	web_token(&program, NULL, form);
	assert_int_equal(program.status, 200);
	const char *token = arena_strdup(w->a, web_member(&program, "access_token"));

	web_userinfo(&program, token);
	assert_int_equal(program.status, 200);
	program.certificate = other;
	web_userinfo(&program, token);
	assert_int_equal(program.status, 401);
	program.certificate = NULL;
	web_userinfo(&program, token);
	assert_int_equal(program.status, 401);
	end_mtls(w);
}

static void
discovery_names_the_endpoints_that_ask_for_certificates(void **state)
{
	struct world *w = *state;
	const json_t *o, *aliases;
	struct err err = {0};
	json_t *document;

	begin_mtls(w);
	const struct document *d =
		documents_find(&w->app.snapshots.current->documents, bytes_of(DISCOVERY_PATH));

	ASSERT_OK(json_parse_object(w->a, d->body, 65536, &document, &err), &err);
	o = document;
	aliases = json_object_get(o, "mtls_endpoint_aliases");
	assert_string_equal(json_string_value(json_object_get(aliases, "token_endpoint")),
			    "https://mtls.konto.example/oidc/token");
	assert_string_equal(json_string_value(json_object_get(aliases, "userinfo_endpoint")),
			    "https://mtls.konto.example/oidc/userinfo");
	assert_null(json_object_get(aliases, "authorization_endpoint"));
	assert_null(json_object_get(aliases, "jwks_uri"));
	end_mtls(w);
}

/* ---- sector_identifier_uri ---- */

static void
a_sector_document_has_to_hold_every_redirect_uri(void **state)
{
	static const struct {
		const char *body, *why; /* why NULL: it does */
	} cases[] = {
		{"[\"https://a.example/\",\"https://b.example/\",\"https://c.example/\"]", NULL},
		{"[\"https://a.example/\"]", "lacks a redirect URI"},
		{"[]", "lacks a redirect URI"},
		{"[\"https://a.example/\",\"https://b.example\"]", "lacks a redirect URI"},
		{"[\"https://a.example/\",1,null]", "lacks a redirect URI"},
		{"{\"uris\":[\"https://a.example/\",\"https://b.example/\"]}", "not an array"},
		{"", "not well-formed"},
		{NULL, "the network fails"},
	};
	struct world *w = *state;
	struct oidc_client_rules rules = party_client_rules(w->a);
	struct oidc_client *c;
	struct oidc_strs unknown;
	struct err err = {0};

	ASSERT_OK(oidc_client_parse(w->a,
				    bytes_of("{\"redirect_uris\":[\"https://a.example/\","
					     "\"https://b.example/\"],\"sector_identifier_uri\":"
					     "\"https://sector.example/\"}"),
				    "c", &rules, &c, &unknown, &err),
		  &err);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		far = (struct far){.w = w, .body = cases[i].body};
		if (cases[i].why == NULL) {
			ASSERT_OK(client_sector_check(w->a, &w->config, far_get, c, &err), &err);
			continue;
		}
		assert_false(client_sector_check(w->a, &w->config, far_get, c, &err));
		assert_string_equal(err.proto, "invalid_client_metadata");
		assert_non_null(strstr(err.text, cases[i].why));
		err_clear(&err);
	}
}

/* ---- grants ---- */

static void
a_grant_that_is_not_registered_is_refused(void **state)
{
	struct world *w = *state;
	struct web b;

	world_oidc_document(w,
			    "{\"metadata\":{\"client_id\":\"" OIDC_CLIENT
			    "\",\"token_endpoint_auth_method\":\"none\","
			    "\"redirect_uris\":[\"" OIDC_BACK "\"]}}",
			    "{}");
	web_init(&b, w);
	const char *code = code_at(&b, OIDC_BACK);

	/* As if the record had changed since: its parsed form only. */
	struct party *p = (struct party *)(uintptr_t)party_find(&w->app.snapshots.current->parties,
								OIDC_CLIENT);

	((struct oidc_client *)(uintptr_t)p->oidc)->grant_types.n = 0;
	web_token(&b, NULL, redeem_form(w, code, OIDC_BACK, "&client_id=" OIDC_CLIENT));
	assert_int_equal(b.status, 400);
	assert_string_equal(web_member(&b, "error"), "unauthorized_client");
	world_reload(w);
	web_token(&b, NULL, redeem_form(w, code, OIDC_BACK, "&client_id=" OIDC_CLIENT));
	assert_int_equal(b.status, 200);
}

#define T(name) cmocka_unit_test_setup(name, world_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_secret_that_signs_is_kept_sealed_and_proves_once),
		T(a_native_client_gets_what_its_policy_names),
		T(a_code_of_a_public_client_needs_its_verifier),
		T(the_level_a_public_client_learns_is_low_unless_its_policy_says_more),
		T(a_new_key_is_seen_when_it_is_signed_with),
		T(each_thing_that_a_new_key_makes_has_it_fetched),
		T(the_first_use_of_a_new_key_waits_for_it),
		T(keys_that_cannot_be_had_are_those_of_before),
		T(keys_are_kept_as_long_as_their_server_says_within_bounds),
		T(a_client_proves_itself_by_its_certificate),
		T(a_token_is_bound_to_the_certificate),
		T(discovery_names_the_endpoints_that_ask_for_certificates),
		T(a_sector_document_has_to_hold_every_redirect_uri),
		T(a_grant_that_is_not_registered_is_refused),
	};

	return cmocka_run_group_tests_name("clients", tests, setup, world_teardown);
}
