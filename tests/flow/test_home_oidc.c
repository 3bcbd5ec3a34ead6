/*
 * Logging in with the account of another OpenID Provider, which is played here: whole logins, and
 * answers of hostile ones and hostile browsers, none of which is taken.
 */
#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "db/upstream.h"
#include "idp/fetch.h"
#include "idp/upstream_fetch.h"
#include "tests/flow/steps.h"
#include "tests/oidc/support.h"

#define OP     "https://op.example"
#define ID     "stadt"
#define CLIENT "konto-sachsen"
#define POLICY_OP \
	"{\"client-id\":\"" CLIENT "\",\"level-cap\":\"high\",\"attribute-level\":\"low\"}"

/* The provider: what it answers, and what it was asked last. */
static struct op {
	struct world *w;
	/* How it is. */
	bool par, silent_iss, no_claims;
	const char *kid, *alg; /* alg: what its tokens' header says; NULL: ES256 */
	const char *issuer;    /* of its document and tokens */
	/* How its token differs; NULL and 0: it does not. */
	const char *nonce, *aud, *sub, *acr, *more, *id_token;
	int64_t exp_s, auth_s;
	const char *userinfo; /* all of it; NULL: a good one */
	const char *token;    /* answer of the token endpoint; NULL: a good one */
	long status;          /* of the token endpoint; 0: 200 */
	const char *down;     /* the endpoint that does not answer */
	const char *garbled;  /* the document that is none */
	/* What it saw. */
	const char *pushed, *redeemed, *bearer;
	size_t n_gets, n_posts;
	int64_t timeout_ms;
} op;

static const char *
document(struct arena *a)
{
	return arena_printf(
		a,
		"{\"issuer\":\"%s\",\"authorization_endpoint\":\"" OP "/auth\","
		"\"token_endpoint\":\"" OP "/token\",\"jwks_uri\":\"" OP "/jwks\","
		"\"userinfo_endpoint\":\"" OP "/me\",%s\"response_types_supported\":[\"code\"],"
		"\"scopes_supported\":[\"openid\",\"profile\",\"email\"],"
		"\"token_endpoint_auth_methods_supported\":[\"private_key_jwt\"],"
		"\"authorization_response_iss_parameter_supported\":%s,"
		"\"claims_parameter_supported\":%s,\"verified_claims_supported\":true,"
		"\"id_token_signing_alg_values_supported\":[\"ES256\"]}",
		op.issuer,
		op.par ? "\"pushed_authorization_request_endpoint\":\"" OP "/par\"," : "",
		op.silent_iss ? "false" : "true", op.no_claims ? "false" : "true");
}

static bool
op_get(struct arena *a, const struct fetch_get *what, struct fetch_got *out, struct err *err)
{
	bool keys = text_eq(what->url, OP "/jwks");

	op.n_gets++;
	assert_ptr_equal(what->inside, &op.w->config.outbound_inside);
	assert_true(what->max_bytes <= OIDC_PROVIDER_MAX_BYTES);
	if (!keys)
		assert_string_equal(what->url, OP "/.well-known/openid-configuration");
	if (text_eq(op.down, what->url))
		return FAIL(err, ERR_UNAVAILABLE, NULL, "the network fails");
	*out = (struct fetch_got){.fresh_s = -1,
				  .body = bytes_of(text_eq(op.garbled, what->url) ? "{}"
						   : keys ? public_jwks(a, OIDC_ES256, op.kid)
							  : document(a))};
	return true;
}

/* A parameter of a query or form; NULL: it is not there. */
static const char *
param_of(const char *text, const char *name)
{
	struct params ps;
	const char *value = NULL;
	struct err err = {0};

	ASSERT_OK(params_parse(op.w->a, bytes_of(text), NULL, &ps, &err), &err);
	(void)params_find(&ps, name, &value);
	return value;
}

/* What it was asked, by whichever way. */
static const char *
asked(const struct web *b, const char *name)
{
	return param_of(op.pushed != NULL ? op.pushed : strchr(b->location, '?') + 1, name);
}

/* Who asks proves itself by a key of the set that is published for that. */
static void
assert_proven(const char *form)
{
	struct world *w = op.w;
	const struct oidc_signed *s;
	struct oidc_jwks keys;
	struct oidc_jws jws;
	struct err err = {0};
	struct web b;

	web_init(&b, w);
	web_get(&b, "/oidc/jwks");
	ASSERT_OK(oidc_jwks_parse(w->a, json_of(w->a, b.body), OIDC_RS256, &keys, &err), &err);
	ASSERT_OK(oidc_jws_parse(w->a, bytes_of(param_of(form, "client_assertion")), &jws, &err),
		  &err);
	ASSERT_OK(oidc_jws_verify(w->a, &jws, &keys, &s, &err), &err);
	assert_string_equal(text_member(oidc_signed_claims(s), "aud"), op.issuer);
	assert_string_equal(text_member(oidc_signed_claims(s), "sub"), CLIENT);
}

static const char *
id_token(struct web *b)
{
	struct world *w = op.w;
	const char *alg = op.alg == NULL ? "ES256" : op.alg;
	const char *header = arena_printf(w->a, "{\"alg\":\"%s\",\"kid\":\"%s\"}", alg, op.kid);
	const char *claims = arena_printf(
		w->a,
		"{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"%s\",\"nonce\":\"%s\",\"iat\":%lld,"
		"\"exp\":%lld,\"auth_time\":%lld,\"acr\":\"%s\"%s}",
		op.issuer, op.aud == NULL ? CLIENT : op.aud, op.sub == NULL ? "berta" : op.sub,
		op.nonce == NULL ? asked(b, "nonce") : op.nonce, (long long)w->now,
		(long long)w->now + (op.exp_s == 0 ? 300 : op.exp_s), (long long)w->now + op.auth_s,
		op.acr == NULL ? "http://eidas.europa.eu/LoA/substantial" : op.acr,
		op.more == NULL ? "" : op.more);

	if (op.alg != NULL)
		return compact_of(w->a, header, claims, bytes_of(text_eq(alg, "none") ? "" : "xx"));
	return token_of(w->a, OIDC_ES256, header, claims);
}

static struct web *asker; /* whose code is redeemed */

static bool
op_post(struct arena *a, const struct fetch_post *what, struct fetch_answer *out, struct err *err)
{
	const char *body = arena_strndup(op.w->a, (const char *)what->body.p, what->body.n);
	const char *answer = NULL;
	long status = 200;

	op.n_posts++;
	op.timeout_ms = what->timeout_ms;
	assert_ptr_equal(what->inside, &op.w->config.outbound_inside);
	if (text_eq(op.down, what->url))
		return FAIL(err, ERR_UNAVAILABLE, NULL, "the network fails");
	if (text_eq(what->url, OP "/par")) {
		assert_proven(body);
		op.pushed = body;
		status = 201;
		answer = "{\"request_uri\":\"urn:x:1\",\"expires_in\":60}";
	} else if (text_eq(what->url, OP "/token")) {
		assert_proven(body);
		op.redeemed = body;
		status = op.status == 0 ? 200 : op.status;
		answer = op.token != NULL ? op.token
					  : arena_printf(op.w->a,
							 "{\"access_token\":\"at\",\"token_type\":"
							 "\"bearer\",\"id_token\":\"%s\"}",
							 op.id_token != NULL ? op.id_token
									     : id_token(asker));
	} else {
		assert_string_equal(what->url, OP "/me");
		op.bearer = arena_strdup(op.w->a, what->bearer);
		answer = op.userinfo != NULL
				 ? op.userinfo
				 : "{\"sub\":\"berta\",\"family_name\":\"Beispiel\","
				   "\"given_name\":\"Berta\",\"email\":\"berta@example.invalid\","
				   "\"verified_claims\":{\"verification\":{\"trust_framework\":"
				   "\"eidas\",\"assurance_level\":\"high\"},\"claims\":"
				   "{\"family_name\":\"Beispiel-Amtlich\"}}}";
	}
	*out = (struct fetch_answer){status, arena_bytes(a, bytes_of(answer))};
	return true;
}

/* What a node does when it looks, and is told of what changed. */
static bool
look(struct world *w)
{
	struct arena *a = arena_create((size_t)16 << 20);
	struct err err = {0};
	bool did;

	ASSERT_OK(upstream_fetch_one(&w->app, a, w->now, &did, &err), &err);
	arena_destroy(a);
	world_reload(w);
	return did;
}

static void
register_as(struct world *w, const char *id, const char *issuer, const char *policy)
{
	const struct db_upstream row = {.id = id,
					.kind = "oidc",
					.display_name = "Konto der Stadt",
					.issuer = issuer,
					.policy = policy,
					.enabled = true};
	struct db_audit audit = {.event = "upstream", .ref = "test"};
	struct err err = {0};

	ASSERT_OK(db_upstream_save(&w->pg->c, &row, &audit, w->now, &err), &err);
	world_reload(w);
}

static void
op_begin(struct world *w, struct op how)
{
	op = how;
	op.w = w;
	op.kid = how.kid == NULL ? "k1" : how.kid;
	op.issuer = OP;
	w->app.get = op_get;
	w->app.post = op_post;
	pg_sql(w->pg, "DELETE FROM upstream");
	register_as(w, ID, OP, POLICY_OP);
	assert_true(look(w));
}

static int
setup(void **state)
{
	return steps_setup(state);
}

/* ---- a login ---- */

static const char *
code_url(struct web *b, const char *code)
{
	return arena_printf(b->w->a,
			    "/oidc/callback/" ID "?code=%s&state=%s&iss=https%%3A%%2F%%2Fop"
			    ".example",
			    code, asked(b, "state"));
}

static void
choose(struct web *b, const char *id)
{
	if (!web_shows(b, "name=\"to\""))
		web_get(b, arena_printf(b->w->a, "/flow/home/%s", flow_of(b)));
	web_submit(b, "/flow/choose/", arena_printf(b->w->a, "to=%s", id));
}

static const char *came; /* how many had come back when this one left */

static const char *
how_many_came(struct world *w)
{
	return arena_strdup(w->a,
			    world_value(w, "SELECT count(*) FROM flow WHERE home IS NOT NULL"));
}

/* On the way there, from the OIDC portal. */
static void
sent(struct web *b)
{
	came = how_many_came(b->w);
	op.pushed = NULL;
	asker = b;
	web_get(b, oidc_request_url(b->w, "openid profile email", ""));
	choose(b, ID);
	if (text_starts(b->location, "/flow/away/"))
		web_get(b, b->location);
	assert_int_equal(b->status, 303);
	assert_true(text_starts(b->location, OP "/auth?"));
}

static void
come_back(struct web *b)
{
	web_get(b, code_url(b, "c1"));
}

/* As home_refused: nothing of it counts, and the trail has a row. */
static void
refused(struct web *b, int status)
{
	assert_int_equal(b->status, status);
	assert_string_equal(how_many_came(b->w), came);
}

static void
who_has_an_account_there_logs_in_with_it(void **state)
{
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.par = false});
	world_oidc_party(w, "{\"level-attributes\":\"yes\"}");
	web_init(&b, w);
	sent(&b);
	const char *challenge = asked(&b, "code_challenge");

	assert_string_equal(asked(&b, "client_id"), CLIENT);
	assert_string_equal(asked(&b, "response_type"), "code");
	assert_string_equal(asked(&b, "redirect_uri"), BASE "/oidc/callback/" ID);
	assert_string_equal(asked(&b, "scope"), "openid");
	assert_string_equal(asked(&b, "prompt"), "login");
	assert_string_equal(asked(&b, "max_age"), "0");
	assert_string_equal(asked(&b, "ui_locales"), "de");
	assert_string_equal(asked(&b, "code_challenge_method"), "S256");
	assert_non_null(strstr(asked(&b, "acr_values"), "http://eidas.europa.eu/LoA/high"));
	assert_non_null(strstr(asked(&b, "claims"), "\"family_name\":null"));
	assert_non_null(strstr(asked(&b, "claims"), "\"essential\":true"));
	assert_null(strstr(asked(&b, "claims"), "phone_number")); /* the portal does not ask */
	come_back(&b);
	/* What was redeemed fits what was asked. */
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(param_of(op.redeemed, "code_verifier")), digest);
	assert_string_equal(enc_base64url(w->a, (struct bytes){digest, sizeof(digest)}), challenge);
	assert_string_equal(param_of(op.redeemed, "redirect_uri"), BASE "/oidc/callback/" ID);
	assert_string_equal(op.bearer, "at");
	assert_true(op.timeout_ms > 0 && op.timeout_ms <= 3000);
	ASSERT_PAGE(&b, CONSENT);
	assert_true(web_shows(&b, "Konto der Stadt"));
	assert_true(web_shows(&b, "Berta Beispiel-Amtlich"));
	web_submit(&b, "/flow/consent/", "attr_family_name=1&attr_email=1&do=agree");
	const json_t *t = web_redeem(&b, location_param(&b, "code"));
	const json_t *id = oidc_token_says(w, text_member(t, "id_token"));

	assert_true(text_starts(text_member(id, "sub"), "oidc."));
	assert_string_equal(text_member(id, "acr"), "substantial");
	web_userinfo(&b, text_member(t, "access_token"));
	assert_string_equal(web_member(&b, "family_name"), "Beispiel-Amtlich");
	const json_t *levels = json_object_get(web_json(&b), "claim_levels");

	/* Vouched for there at "high", never above the login; what is not, as the policy says. */
	assert_string_equal(text_member(levels, "family_name"), "substantial");
	assert_string_equal(text_member(levels, "email"), "low");
}

static void
what_is_asked_is_pushed_where_that_is_offered(void **state)
{
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.par = true});
	web_init(&b, w);
	sent(&b);
	assert_non_null(op.pushed);
	assert_string_equal(b.location, OP "/auth?client_id=" CLIENT "&request_uri=urn%3Ax%3A1");
	come_back(&b);
	ASSERT_PAGE(&b, CONSENT);
	/* One that cannot be reached leaves the choice. */
	op.down = OP "/par";
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid email", ""));
	choose(&b, ID);
	if (b.location != NULL && text_starts(b.location, "/flow/away/"))
		web_get(&b, b.location);
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, "name=\"to\""));
}

static void
who_takes_no_claims_is_asked_by_scopes(void **state)
{
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.no_claims = true});
	web_init(&b, w);
	sent(&b);
	assert_string_equal(asked(&b, "scope"), "openid profile email");
	assert_null(asked(&b, "claims"));
	come_back(&b);
	ASSERT_PAGE(&b, CONSENT);
}

static void
saml_portals_are_told_who_asserted_it(void **state)
{
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.par = false});
	web_init(&b, w);
	ask(&b, "", "");
	choose(&b, ID);
	asker = &b;
	come_back(&b);
	web_submit(&b, "/flow/consent/", "attr_email=1&do=agree");
	const char *response = saml_response_of(&b);

	assert_non_null(response);
	assert_non_null(strstr(response, "<saml:AuthenticatingAuthority>" OP
					 "</saml:AuthenticatingAuthority>"));
	assert_non_null(strstr(response, ">Beispiel-Amtlich<"));
}

static void
clients_may_name_a_provider(void **state)
{
	static const char *const named[] = {
		"&kc_idp_hint=" ID, "&aarc_idp_hint=" OP,
		"&aarc_idp_hint=https%3A%2F%2Fop.example%3Faarc_idp_hint%3Dhttps%253A%252F%252Fx"};
	static const char *const ignored[] = {"&aarc_idp_hint=https%3A%2F%2Fnobody.example",
					      "&kc_idp_hint=nobody", "&kc_idp_hint="};
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.par = false});
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		web_init(&b, w);
		web_get(&b, oidc_request_url(w, "openid email", named[i]));
		assert_int_equal(b.status, 303);
		assert_true(text_starts(b.location, OP "/auth?"));
	}
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
		web_init(&b, w);
		web_get(&b, oidc_request_url(w, "openid email", ignored[i]));
		ASSERT_PAGE(&b, LOGIN);
	}
	/* Not where the person cannot come from there. */
	world_oidc_party(w, "{\"home-accounts\":\"no\"}");
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid email", named[0]));
	ASSERT_PAGE(&b, LOGIN);
	world_oidc_party(w, "{}");
	/* Once: who comes back without a login has the choice. */
	web_init(&b, w);
	web_get(&b, oidc_request_url(w, "openid email", named[0]));
	web_get(&b, arena_printf(w->a, "/oidc/callback/" ID "?error=server_error&state=%s&iss=" OP,
				 asked(&b, "state")));
	ASSERT_PAGE(&b, LOGIN);
}

/* ---- hostile providers ---- */

#define REFUSALS                                                                   \
	"SELECT count(*) FROM audit WHERE event = 'login_refused' AND details->>'" \
	"upstream' = '" ID "'"

static void
tokens_that_do_not_count_are_refused(void **state)
{
	const struct op cases[] = {
		{.nonce = "another"},
		{.aud = "another"},
		{.exp_s = -61},
		{.auth_s = -600},
		{.acr = "http://eidas.europa.eu/LoA/medium"},
		{.acr = ""},
		{.more = ",\"azp\":\"another\""},
		{.more = ",\"at_hash\":\"AAAAAAAAAAAAAAAAAAAAAA\""},
		{.alg = "none"},
		{.alg = "HS256"},
		{.id_token = "x"},
		{.token = "{\"access_token\":\"at\",\"token_type\":\"Bearer\"}"},
		{.token = "{\"access_token\":\"at\",\"token_type\":\"DPoP\",\"id_token\":\"x\"}"},
		{.token = "<html>"},
		{.status = 400, .token = "{\"error\":\"invalid_grant\"}"},
		{.status = 302, .token = "{}"},
		{.userinfo = "{\"sub\":\"karl\"}"},
		{.userinfo = "{\"sub\":\"karl\",\"sub\":\"berta\"}"},
		{.userinfo = "a.b.c"},
	};
	struct world *w = *state;
	struct web b;

	const char *before = arena_strdup(w->a, world_value(w, REFUSALS));

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		op_begin(w, cases[i]);
		web_init(&b, w);
		sent(&b);
		come_back(&b);
		refused(&b, 403);
	}
	assert_int_equal(atoi(world_value(w, REFUSALS)) - atoi(before), ARRAY_LEN(cases));
}

static void
levels_are_those_agreed(void **state)
{
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.acr = "http://eidas.europa.eu/LoA/high"});
	register_as(w, ID, OP, "{\"client-id\":\"" CLIENT "\",\"level-cap\":\"substantial\"}");
	web_init(&b, w);
	sent(&b);
	come_back(&b);
	refused(&b, 403);
	/* Below what is wanted. */
	op_begin(w, (struct op){.acr = "http://eidas.europa.eu/LoA/low"});
	web_init(&b, w);
	came = how_many_came(w);
	ask(&b, "", LEVEL3);
	choose(&b, ID);
	asker = &b;
	assert_null(strstr(asked(&b, "acr_values"), "LoA/low"));
	come_back(&b);
	refused(&b, 403);
	/* Words of its own. */
	op_begin(w, (struct op){.acr = "urn:stadt:stark"});
	register_as(w, ID, OP,
		    "{\"client-id\":\"" CLIENT "\",\"level-word\":[\"urn:stadt:stark=low\"]}");
	web_init(&b, w);
	sent(&b);
	assert_string_equal(asked(&b, "acr_values"), "urn:stadt:stark");
	come_back(&b);
	ASSERT_PAGE(&b, CONSENT);
}

static void
a_failure_there_is_told_or_leaves_the_choice(void **state)
{
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.par = false});
	static const struct {
		const char *error, *told;
	} cases[] = {
		{"access_denied", "access_denied"},
		{"unmet_authentication_requirements", "unmet_authentication_requirements"},
		{"server_error", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		web_init(&b, w);
		sent(&b);
		web_get(&b, arena_printf(w->a, "/oidc/callback/" ID "?error=%s&state=%s&iss=" OP,
					 cases[i].error, asked(&b, "state")));
		if (cases[i].told != NULL)
			assert_string_equal(location_param(&b, "error"), cases[i].told);
		else
			ASSERT_PAGE(&b, LOGIN);
	}
	/* It is down, or slow, when the code is to be redeemed; or when it is asked of the person.
	 */
	static const char *const down[] = {OP "/token", OP "/me"};

	for (size_t i = 0; i < ARRAY_LEN(down); i++) {
		op.down = down[i];
		web_init(&b, w);
		sent(&b);
		come_back(&b);
		ASSERT_PAGE(&b, LOGIN);
	}
	op.down = NULL;
	op.status = 503;
	web_init(&b, w);
	sent(&b);
	come_back(&b);
	ASSERT_PAGE(&b, LOGIN);
}

/* ---- hostile browsers, and providers that take another's place ---- */

static void
answers_belong_to_one_request_of_one_browser(void **state)
{
	struct world *w = *state;
	struct web b, other;

	op_begin(w, (struct op){.par = false});
	register_as(w, "andere", "https://andere.example", POLICY_OP);
	web_init(&b, w);
	sent(&b);
	const char *good = code_url(&b, "c1"), *state_of = asked(&b, "state");
	size_t posts = op.n_posts;
	const char *const bad[] = {
		/* iss of another, and none, of one that tells it */
		arena_printf(w->a,
			     "/oidc/callback/" ID "?code=c&state=%s&iss=https://andere.example",
			     state_of),
		arena_printf(w->a, "/oidc/callback/" ID "?code=c&state=%s", state_of),
		/* another provider's callback: a mix-up */
		arena_printf(w->a, "/oidc/callback/andere?code=c&state=%s&iss=" OP, state_of),
		/* another request of the same flow */
		arena_printf(w->a, "/oidc/callback/" ID "?code=c&state=%.*s.AAAA&iss=" OP,
			     (int)(strrchr(state_of, '.') - state_of), state_of),
		/* neither, and both */
		arena_printf(w->a, "/oidc/callback/" ID "?state=%s&iss=" OP, state_of),
		arena_printf(w->a, "/oidc/callback/" ID "?code=c&error=x&state=%s&iss=" OP,
			     state_of),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		web_get(&b, bad[i]);
		refused(&b, 403);
	}
	web_get(&b, "/oidc/callback/" ID "?code=c&iss=" OP);
	assert_int_equal(b.status, 403);
	/* Another browser has no part in it. */
	web_init(&other, w);
	web_get(&other, good);
	assert_int_not_equal(other.status, 303);
	assert_string_equal(how_many_came(w), came);
	assert_int_equal(op.n_posts, posts); /* nothing of it went to the provider */
	/* And after all that the good one is good, once. */
	b.location = arena_printf(w->a, "?state=%s&nonce=%s", state_of, "x");
	op.nonce = "x";
	web_get(&b, good);
	refused(&b, 403);
}

static void
an_answer_counts_once(void **state)
{
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.par = false});
	web_init(&b, w);
	sent(&b);
	const char *url = code_url(&b, "c1");

	web_get(&b, url);
	ASSERT_PAGE(&b, CONSENT);
	size_t posts = op.n_posts;

	/* The same page loaded again leads on, and asks nobody. */
	web_get(&b, url);
	ASSERT_PAGE(&b, CONSENT);
	assert_int_equal(op.n_posts, posts);
	/* The token of one login for another of the same person: its nonce is not of that. */
	web_init(&b, w);
	sent(&b);
	op.id_token = id_token(&b);
	sent(&b);
	come_back(&b);
	refused(&b, 403);
}

static void
who_was_switched_off_meanwhile_is_not_believed(void **state)
{
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.par = false});
	web_init(&b, w);
	sent(&b);
	/* Only in the database: this node was not told yet. */
	pg_sql(w->pg, "UPDATE upstream SET enabled = false");
	come_back(&b);
	refused(&b, 403);
	world_reload(w);
	web_get(&b, oidc_request_url(w, "openid email", ""));
	assert_false(web_shows(&b, "/flow/home/"));
}

/* ---- what it says of itself ---- */

static void
its_keys_may_change_without_a_restart(void **state)
{
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.par = false});
	web_init(&b, w);
	size_t gets = op.n_gets;

	assert_false(look(w));
	op.kid = "k2";
	sent(&b);
	come_back(&b);
	refused(&b, 403); /* nobody fetches here, so it is there for the next one */
	assert_int_equal(op.n_gets, gets);
	assert_true(look(w));
	sent(&b);
	come_back(&b);
	ASSERT_PAGE(&b, CONSENT);
	/* Whatever is brought asks once a minute. */
	op.kid = "k3";
	w->now += 30;
	web_init(&b, w);
	sent(&b);
	come_back(&b);
	refused(&b, 403);
	assert_false(look(w));
	w->now += 60;
	sent(&b);
	come_back(&b);
	assert_true(look(w));
}

static void
what_does_not_read_leaves_what_counted(void **state)
{
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.par = false});
	for (int i = 0; i < 3; i++) {
		op.issuer = i == 0 ? "https://andere.example" : OP;
		op.down = i == 1 ? OP "/jwks" : NULL;
		op.garbled = i == 2 ? OP "/jwks" : NULL;
		w->now += 3600;
		assert_true(look(w));
		assert_string_not_equal(
			world_value(w, "SELECT coalesce(trouble, '') FROM upstream_source"), "");
	}
	op.garbled = NULL;
	web_init(&b, w);
	sent(&b);
	come_back(&b);
	ASSERT_PAGE(&b, CONSENT);
	w->now += 3600;
	assert_true(look(w));
	assert_string_equal(world_value(w, "SELECT coalesce(trouble, '') FROM upstream_source"),
			    "");
	/* Before anything was fetched it is not offered; nor what another issuer said. */
	register_as(w, ID, "https://neu.example", POLICY_OP);
	web_get(&b, oidc_request_url(w, "openid email", ""));
	assert_false(web_shows(&b, "/flow/home/"));
}

static void
one_that_hangs_leaves_workers_to_others(void **state)
{
	struct world *w = *state;
	struct web b;

	op_begin(w, (struct op){.par = false});
	web_init(&b, w);
	sent(&b);
	/* As if others waited for it already. */
	for (size_t i = 0; i < ARRAY_LEN(w->app.upstream_calls); i++)
		w->app.upstream_calls[i] = 4;
	come_back(&b);
	ASSERT_PAGE(&b, LOGIN);
	for (size_t i = 0; i < ARRAY_LEN(w->app.upstream_calls); i++) {
		assert_int_equal(w->app.upstream_calls[i], 4);
		w->app.upstream_calls[i] = 3;
	}
	sent(&b);
	come_back(&b);
	ASSERT_PAGE(&b, CONSENT);
	for (size_t i = 0; i < ARRAY_LEN(w->app.upstream_calls); i++) {
		assert_int_equal(w->app.upstream_calls[i], 3);
		w->app.upstream_calls[i] = 0;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_has_an_account_there_logs_in_with_it, steps_fresh),
		cmocka_unit_test_setup(what_is_asked_is_pushed_where_that_is_offered, steps_fresh),
		cmocka_unit_test_setup(who_takes_no_claims_is_asked_by_scopes, steps_fresh),
		cmocka_unit_test_setup(saml_portals_are_told_who_asserted_it, steps_fresh),
		cmocka_unit_test_setup(clients_may_name_a_provider, steps_fresh),
		cmocka_unit_test_setup(tokens_that_do_not_count_are_refused, steps_fresh),
		cmocka_unit_test_setup(levels_are_those_agreed, steps_fresh),
		cmocka_unit_test_setup(a_failure_there_is_told_or_leaves_the_choice, steps_fresh),
		cmocka_unit_test_setup(answers_belong_to_one_request_of_one_browser, steps_fresh),
		cmocka_unit_test_setup(an_answer_counts_once, steps_fresh),
		cmocka_unit_test_setup(who_was_switched_off_meanwhile_is_not_believed, steps_fresh),
		cmocka_unit_test_setup(its_keys_may_change_without_a_restart, steps_fresh),
		cmocka_unit_test_setup(what_does_not_read_leaves_what_counted, steps_fresh),
		cmocka_unit_test_setup(one_that_hangs_leaves_workers_to_others, steps_fresh),
	};

	return cmocka_run_group_tests(tests, setup, world_teardown);
}
