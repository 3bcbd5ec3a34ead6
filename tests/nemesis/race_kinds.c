/* The kinds of one-time things; see race.h. */
#include "tests/nemesis/race.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "keys/crypto.h"

#define KEY_MAX_BYTES 4096
#define LIVES_S       240

#define VERIFIER      "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE     "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define ASSERTION     "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
#define DEVICE        "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
#define CIBA          "urn%3Aopenid%3Aparams%3Agrant-type%3Aciba"
#define TOKEN         "/oidc/token"

/* ---- what a client makes ---- */

struct race_key *
race_key_open(struct arena *a, size_t lanes)
{
	struct race_key *k = ARENA_NEW(a, struct race_key);
	struct crypto *crypto = ARENA_NEW(a, struct crypto);
	unsigned char *der = arena_alloc(a, KEY_MAX_BYTES);
	const char *file = getenv("RACE_KEY");
	FILE *f = file == NULL ? NULL : fopen(file, "rbe");
	size_t n = f == NULL ? 0 : fread(der, 1, KEY_MAX_BYTES, f);
	struct err err = {0};

	if (f != NULL)
		fclose(f);
	k->jwk = getenv("RACE_JWK");
	if (!crypto_init(a, crypto, &err) ||
	    !private_key_init(a, crypto, "race", KEY_OIDC_SIGN, KEY_P256, (struct bytes){der, n},
			      lanes, &k->key, &err)) {
		fprintf(stderr, "race: RACE_KEY: %s\n", err.text);
		exit(1);
	}
	return k;
}

/* header and claims: members of their objects. */
static const char *
sign(struct racer *r, const char *header, const char *claims)
{
	struct arena *a = r->program.a;
	const char *head = arena_printf(a, "{\"alg\":\"ES256\",%s}", header);
	const char *body = arena_printf(a, "{%s}", claims);
	const char *input = arena_printf(a, "%s.%s", enc_base64url(a, bytes_of(head)),
					 enc_base64url(a, bytes_of(body)));
	struct bytes signature;
	struct err err = {0};

	if (!private_key_sign(&r->key->key, r->number, a, SIG_ES256, bytes_of(input), &signature,
			      &err)) {
		fprintf(stderr, "race: %s\n", err.text);
		exit(1);
	}
	return arena_printf(a, "%s.%s", input, enc_base64url(a, signature));
}

/* The claims that name who says it, to whom, when, and once. */
static const char *
claims_of(struct racer *r)
{
	long long now = clock_now();

	return arena_printf(r->program.a,
			    "\"iss\":\"%s\",\"aud\":\"https://%s\",\"iat\":%lld,"
			    "\"nbf\":%lld,\"exp\":%lld,\"jti\":\"%s\"",
			    r->client_id, r->host, now, now, now + LIVES_S,
			    rand_token(r->program.a, 16));
}

/* Parameters by which it proves itself. */
static const char *
assertion(struct racer *r)
{
	const char *claims =
		arena_printf(r->program.a, "%s,\"sub\":\"%s\"", claims_of(r), r->client_id);

	return arena_printf(r->program.a, "client_assertion_type=%s&client_assertion=%s", ASSERTION,
			    sign(r, "\"kid\":\"race\"", claims));
}

/* A header line for the token endpoint. */
static const char *
proof(struct racer *r)
{
	struct arena *a = r->program.a;
	const char *header = arena_printf(a, "\"typ\":\"dpop+jwt\",\"jwk\":%s", r->key->jwk);
	const char *claims = arena_printf(
		a,
		"\"htm\":\"POST\",\"htu\":\"https://%s" TOKEN "\",\"iat\":%lld,\"jti\":\"%s\","
		"\"nonce\":\"%s\"",
		r->host, (long long)clock_now(), rand_token(a, 16), r->program.dpop_nonce);

	return arena_printf(a, "DPoP: %s\r\n", sign(r, header, claims));
}

/* ---- what is asked and answered ---- */

const char *
race_member(struct arena *a, const char *json, const char *name)
{
	const char *quoted = arena_printf(a, "\"%s\":\"", name);
	const char *at = json == NULL ? NULL : strstr(json, quoted);

	if (at == NULL)
		return NULL;
	at += strlen(quoted);
	return arena_strndup(a, at, strcspn(at, "\""));
}

bool
race_ask(struct racer *r, const char *path, const char *form, const char *extra)
{
	r->program.status = 0;
	return client_send(&r->program, path, form, extra);
}

static const char *
told(struct racer *r, const char *name)
{
	return r->program.status < 300 ? race_member(r->program.a, r->program.body, name) : NULL;
}

static bool
hold(struct racer *r, const char *text)
{
	return text != NULL &&
	       snprintf(r->held, sizeof(r->held), "%s", text) < (int)sizeof(r->held);
}

static void
all_alike(struct race_use uses[RACE_USES_MAX], const char *path, const char *form,
	  const char *extra)
{
	for (size_t i = 0; i < RACE_USES_MAX; i++)
		uses[i] = (struct race_use){path, form, extra};
}

static const char *
redemption(struct racer *r, const char *code, const char *more)
{
	return arena_printf(
		r->program.a,
		"grant_type=authorization_code&code=%s&redirect_uri=%s&code_verifier=%s%s", code,
		BENCH_BACK, VERIFIER, more);
}

/* At an authorization request that is answered at once; NULL: it was not. */
static const char *
code_at(struct racer *r, const char *path)
{
	struct client *c = &r->browser;

	if (!client_send(c, path, NULL, "") || c->status != 303)
		return NULL;
	return client_location_param(c, "code");
}

/* ---- code ---- */

static bool
code_prepare(struct racer *r, struct race_use uses[RACE_USES_MAX])
{
	const char *code = code_at(r, bench_authorize_path(r->portal));

	if (code != NULL)
		all_alike(uses, TOKEN, redemption(r, code, ""), bench_authorization(r->portal));
	return code != NULL;
}

/* What userinfo says to the token that was given. */
static bool
userinfo_is(struct racer *r, const char *answer, int status)
{
	struct arena *a = r->program.a;
	const char *token = race_member(a, answer, "access_token");

	return race_ask(r, bench_provider(r->portal)->userinfo, NULL,
			arena_printf(a, "Authorization: Bearer %s\r\n", token)) &&
	       r->program.status == status;
}

/* A second use takes back what the first gave (RFC 6749 4.1.2), the refresh token as well. */
static bool
code_after(struct racer *r, const char *answer)
{
	struct arena *a = r->program.a;

	return userinfo_is(r, answer, 401) &&
	       race_ask(r, TOKEN,
			arena_printf(a, "grant_type=refresh_token&refresh_token=%s",
				     race_member(a, answer, "refresh_token")),
			bench_authorization(r->portal)) &&
	       r->program.status == 400 && strstr(r->program.body, "invalid_grant") != NULL;
}

/* ---- pushed requests and request objects ---- */

/* Where the browser goes with a request that was pushed; NULL: it was not taken. */
static const char *
push(struct racer *r, const char *more, const char *extra)
{
	struct arena *a = r->program.a;
	const char *query = strchr(bench_authorize_path(r->portal), '?') + 1;

	if (!race_ask(r, "/oidc/par", arena_printf(a, "%s%s", query, more), extra) ||
	    r->program.status != 201)
		return NULL;
	return arena_printf(a, "/oidc/authorize?client_id=%s&request_uri=%s", r->client_id,
			    told(r, "request_uri"));
}

static bool
pushed_prepare(struct racer *r, struct race_use uses[RACE_USES_MAX])
{
	const char *path = push(r, "", bench_authorization(r->portal));

	if (path != NULL)
		all_alike(uses, path, NULL, "");
	return path != NULL;
}

static bool
object_prepare(struct racer *r, struct race_use uses[RACE_USES_MAX])
{
	struct arena *a = r->program.a;
	const char *claims = arena_printf(
		a,
		"%s,\"response_type\":\"code\",\"client_id\":\"%s\",\"scope\":\"openid profile\","
		"\"redirect_uri\":\"https://portal.example/back\",\"state\":\"s\",\"nonce\":\"n\","
		"\"code_challenge_method\":\"S256\",\"code_challenge\":\"" CHALLENGE "\"",
		claims_of(r), r->client_id);
	const char *object = sign(r, "\"kid\":\"race\",\"typ\":\"oauth-authz-req+jwt\"", claims);

	all_alike(uses,
		  arena_printf(a, "/oidc/authorize?client_id=%s&request=%s", r->client_id, object),
		  NULL, "");
	return true;
}

/* ---- refresh tokens ---- */

static bool
refresh_begin(struct racer *r)
{
	const char *code = code_at(r, bench_authorize_path(r->portal));

	return code != NULL &&
	       race_ask(r, TOKEN, redemption(r, code, ""), bench_authorization(r->portal)) &&
	       hold(r, told(r, "refresh_token"));
}

static bool
refresh_prepare(struct racer *r, struct race_use uses[RACE_USES_MAX])
{
	all_alike(uses, TOKEN,
		  arena_printf(r->program.a, "grant_type=refresh_token&refresh_token=%s", r->held),
		  bench_authorization(r->portal));
	return true;
}

/* The successor is the one that goes on. */
static bool
refresh_after(struct racer *r, const char *answer)
{
	const char *next = race_member(r->program.a, answer, "refresh_token");

	return strcmp(r->held, next) != 0 && hold(r, next);
}

/* FAPI 2.0: pushed, and proven by a key in two ways; the token stays as it is. */
static const char *
stable_ask(struct racer *r)
{
	return push(r, arena_printf(r->program.a, "&%s", assertion(r)), "");
}

static bool
stable_begin(struct racer *r)
{
	const char *path = stable_ask(r), *code = path == NULL ? NULL : code_at(r, path);

	/* The first is told the nonce, and leaves the code as it is. */
	for (int i = 0; code != NULL && i < 2; i++)
		if (!race_ask(r, TOKEN,
			      redemption(r, code, arena_printf(r->program.a, "&%s", assertion(r))),
			      proof(r)))
			return false;
	return code != NULL && hold(r, told(r, "refresh_token"));
}

static bool
stable_prepare(struct racer *r, struct race_use uses[RACE_USES_MAX])
{
	for (size_t i = 0; i < RACE_USES_MAX; i++)
		uses[i] = (struct race_use){
			TOKEN,
			arena_printf(r->program.a, "grant_type=refresh_token&refresh_token=%s&%s",
				     r->held, assertion(r)),
			proof(r)};
	return true;
}

static bool
stable_after(struct racer *r, const char *answer)
{
	return strcmp(r->held, race_member(r->program.a, answer, "refresh_token")) == 0;
}

/* ---- proofs of clients ---- */

#define CREDENTIALS "grant_type=client_credentials&scope=read"

static bool
assertion_prepare(struct racer *r, struct race_use uses[RACE_USES_MAX])
{
	all_alike(uses, TOKEN, arena_printf(r->program.a, CREDENTIALS "&%s", assertion(r)), "");
	return true;
}

/* Who brings no proof is told the nonce. */
static bool
dpop_begin(struct racer *r)
{
	return race_ask(r, TOKEN, CREDENTIALS,
			arena_printf(r->program.a, "%s%s", bench_authorization(r->portal),
				     proof(r))) &&
	       r->program.dpop_nonce[0] != '\0';
}

static bool
dpop_prepare(struct racer *r, struct race_use uses[RACE_USES_MAX])
{
	all_alike(uses, TOKEN, CREDENTIALS,
		  arena_printf(r->program.a, "%s%s", bench_authorization(r->portal), proof(r)));
	return true;
}

/* ---- devices, and persons who are named ---- */

/* Who polls and asks once more takes nothing back. */
static bool
polled_after(struct racer *r, const char *answer)
{
	return userinfo_is(r, answer, 200);
}

static bool
device_prepare(struct racer *r, struct race_use uses[RACE_USES_MAX])
{
	struct client *b = &r->browser;

	if (!race_ask(r, "/oidc/device_authorization", "scope=openid%20profile",
		      bench_authorization(r->portal)) ||
	    r->program.status != 200)
		return false;
	const char *page = arena_printf(b->a, "/device?user_code=%s", told(r, "user_code"));

	/* A look that an outage cuts short counts as a wrong one of this address. */
	snprintf(b->from, sizeof(b->from), "10.%zu.%zu.%zu", r->number, b->requests / 250 % 250,
		 b->requests % 250);

	if (!client_get(b, page) || !client_submit(b, "/device", "do=agree") ||
	    !client_submit(b, "/flow/consent/", "do=agree&attr_family_name=1") || b->status != 200)
		return false;
	all_alike(uses, TOKEN,
		  arena_printf(r->program.a, "grant_type=%s&device_code=%s", DEVICE,
			       told(r, "device_code")),
		  bench_authorization(r->portal));
	return true;
}

/* The name by which the client knows the person. */
static bool
ciba_begin(struct racer *r)
{
	const char *code = code_at(r, bench_authorize_path(r->portal));
	struct arena *a = r->program.a;
	struct bytes claims;

	if (code == NULL ||
	    !race_ask(r, TOKEN, redemption(r, code, ""), bench_authorization(r->portal)))
		return false;
	const char *token = told(r, "id_token");
	const char *from = token == NULL ? NULL : strchr(token, '.');

	if (from == NULL)
		return false;
	from = arena_strndup(a, from + 1, strcspn(from + 1, "."));
	return dec_base64url(a, bytes_of(from), &claims, NULL) &&
	       hold(r, race_member(a, arena_strndup(a, (const char *)claims.p, claims.n), "sub"));
}

/* Of each person one waits at a time; what an outage left is answered first. */
static bool
ciba_prepare(struct racer *r, struct race_use uses[RACE_USES_MAX])
{
	struct client *b = &r->browser;

	if (!race_ask(r, "/oidc/backchannel",
		      arena_printf(r->program.a, "scope=openid%%20profile&login_hint=%s", r->held),
		      bench_authorization(r->portal)))
		return false;
	const char *id = told(r, "auth_req_id");

	if (!client_get(b, "/requests") ||
	    !client_submit(b, "/requests", id == NULL ? "do=deny" : "do=agree") || id == NULL ||
	    b->status != 200) /* nobody knows whether that was a yes */
		return false;
	all_alike(uses, TOKEN, arena_printf(r->program.a, "grant_type=%s&auth_req_id=%s", CIBA, id),
		  bench_authorization(r->portal));
	return true;
}

/* ---- the table ---- */

static const struct race_kind kinds[] = {
	{.name = "code",
	 .logs_in = true,
	 .prepare = code_prepare,
	 .given = "refresh_token",
	 .refused = 400,
	 .why = "invalid_grant",
	 .after = code_after},
	{.name = "pushed",
	 .logs_in = true,
	 .by_browser = true,
	 .prepare = pushed_prepare,
	 .refused = 410,
	 .why = ""},
	{.name = "object",
	 .logs_in = true,
	 .by_browser = true,
	 .prepare = object_prepare,
	 .refused = 410,
	 .why = ""},
	{.name = "refresh",
	 .logs_in = true,
	 .alike = true,
	 .begin = refresh_begin,
	 .prepare = refresh_prepare,
	 .given = "refresh_token",
	 .after = refresh_after},
	{.name = "stable",
	 .logs_in = true,
	 .alike = true,
	 .ask = stable_ask,
	 .begin = stable_begin,
	 .prepare = stable_prepare,
	 .given = "refresh_token",
	 .after = stable_after},
	{.name = "assertion",
	 .prepare = assertion_prepare,
	 .given = "access_token",
	 .refused = 401,
	 .why = "invalid_client"},
	{.name = "dpop",
	 .begin = dpop_begin,
	 .prepare = dpop_prepare,
	 .given = "access_token",
	 .refused = 400,
	 .why = "invalid_dpop_proof"},
	{.name = "device",
	 .logs_in = true,
	 .prepare = device_prepare,
	 .given = "access_token",
	 .refused = 400,
	 .why = "invalid_grant",
	 .after = polled_after},
	{.name = "ciba",
	 .logs_in = true,
	 .begin = ciba_begin,
	 .prepare = ciba_prepare,
	 .given = "access_token",
	 .refused = 400,
	 .why = "invalid_grant",
	 .after = polled_after},
};

const struct race_kind *
race_kind_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}
