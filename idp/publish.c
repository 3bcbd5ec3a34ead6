/* Documents about ourselves; see publish.h. */
#include "idp/publish.h"

#include <string.h>

#include "idp/claim_made.h"
#include "idp/config.h"
#include "idp/evidence.h"
#include "idp/front_oidc.h"
#include "idp/grant.h"
#include "idp/jose.h"
#include "idp/login.h"
#include "idp/party.h"
#include "idp/publish_saml.h"
#include "idp/registration.h"
#include "keys/sign.h"
#include "oidc/discovery.h"

#define DOCUMENT_CACHE "public, max-age=300"

/* ---- OpenID Connect ---- */

void
publish_jwks(struct arena *a, const struct keyring *kr, struct oidc_jwks *out)
{
	struct oidc_jwks set = {0};
	struct oidc_enc_jwk *enc;
	struct oidc_jwk *keys;
	const struct key *k;
	size_t n = 1;

	for (size_t i = 0; keyring_each(kr, &i) != NULL;)
		n++;
	keys = ARENA_ARRAY(a, struct oidc_jwk, n);
	enc = ARENA_ARRAY(a, struct oidc_enc_jwk, n);
	for (size_t i = 0; (k = keyring_shown(kr, KEY_OIDC_SIGN, &i)) != NULL;)
		keys[set.n++] = jose_jwk(k);
	for (size_t i = 0; (k = keyring_shown(kr, KEY_DECRYPT, &i)) != NULL;)
		set.n_enc += jose_enc_jwk(k, &enc[set.n_enc]) ? 1 : 0;
	set.keys = keys;
	set.enc = enc;
	*out = set;
}

static bool
add_jwks(struct snapshot *snap, struct err *err)
{
	struct document doc = {.path = JWKS_PATH,
			       .type = "application/jwk-set+json",
			       .cache = DOCUMENT_CACHE,
			       .open = true};
	struct oidc_jwks set;
	const char *json;

	publish_jwks(snap->a, snap->keyring, &set);
	if (!oidc_jwks_build(snap->a, &set, &json, err))
		return false;
	doc.body = bytes_of(json);
	return documents_add(snap->a, &snap->documents, &doc, err);
}

static struct oidc_strs
acr_values(struct arena *a)
{
	const char **words = ARENA_ARRAY(a, const char *, LEVEL_VOCAB_COUNT *LEVEL_HIGH);
	size_t n = 0;

	/* None that no login reaches. */
	for (int v = 0; v < LEVEL_VOCAB_COUNT; v++)
		for (int l = LEVEL_BASIC; l <= (int)login_reachable(); l++)
			if (level_word((enum level)l, (enum level_vocabulary)v) != NULL)
				words[n++] = level_word((enum level)l, (enum level_vocabulary)v);
	return (struct oidc_strs){words, n};
}

/* The endpoints that are also served where clients show certificates. */
static size_t
mtls_aliases(struct app *app, struct arena *a, const char *const paths[][2], size_t n,
	     struct oidc_endpoint *out)
{
	size_t used = 0;

	for (size_t i = 0; i < n && app->config->mtls_url != NULL; i++)
		for (const struct route *r = app->routes; r->path != NULL; r++)
			if (strcmp(r->path, paths[i][1]) == 0 && route_takes_certificates(r)) {
				out[used++] = (struct oidc_endpoint){
					paths[i][0], arena_printf(a, "%s%s", app->config->mtls_url,
								  paths[i][1])};
				break;
			}
	return used;
}

static struct oidc_strs
details_types(struct snapshot *snap)
{
	const char **names = ARENA_ARRAY(snap->a, const char *, snap->details.n + 1);

	for (size_t i = 0; i < snap->details.n; i++)
		names[i] = snap->details.p[i].name;
	return (struct oidc_strs){names, snap->details.n};
}

static struct oidc_discovery
discovery_of(struct app *app, struct snapshot *snap)
{
	static const char *const paths[][2] = {
		{"authorization_endpoint", "/oidc/authorize"},
		{"token_endpoint", "/oidc/token"},
		{"introspection_endpoint", "/oidc/introspect"},
		{"revocation_endpoint", "/oidc/revoke"},
		{"userinfo_endpoint", "/oidc/userinfo"},
		{"jwks_uri", JWKS_PATH},
		{"end_session_endpoint", "/oidc/logout"},
		{"device_authorization_endpoint", "/oidc/device_authorization"},
		{"backchannel_authentication_endpoint", "/oidc/backchannel"},
		{"registration_endpoint", REGISTRATION_PATH},
		{"pushed_authorization_request_endpoint", "/oidc/par"},
	};
	static const char *const locales[] = {"de", "en"};
	struct oidc_endpoint *endpoints =
		ARENA_ARRAY(snap->a, struct oidc_endpoint, ARRAY_LEN(paths));
	struct oidc_endpoint *aliases =
		ARENA_ARRAY(snap->a, struct oidc_endpoint, ARRAY_LEN(paths));
	struct oidc_discovery d = {
		.mtls_aliases = aliases,
		.n_mtls_aliases = mtls_aliases(app, snap->a, paths, ARRAY_LEN(paths), aliases),
		.issuer = app->config->base_url,
		.endpoints = endpoints,
		.n_endpoints = ARRAY_LEN(paths),
		.scopes = party_scopes(snap->a, true),
		.documents = evidence_documents(),
		.check_methods = evidence_check_methods(),
		.acr_values = acr_values(snap->a),
		.grant_types = grant_types(snap->a),
		.details_types = details_types(snap),
		.ui_locales = {locales, ARRAY_LEN(locales)},
		.signing_algs = jose_signing_algs(snap->a, snap->keyring),
	};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		endpoints[i] = (struct oidc_endpoint){
			paths[i][0],
			arena_printf(snap->a, "%s%s", app->config->base_url, paths[i][1])};
	d.claims = claim_rows(snap->a, &d.n_verified_claims, &d.n_claims);
	return d;
}

/*
 * signed_metadata may be missing (RFC 8414 2.1): without a key that can sign it the rest is as
 * true, and a snapshot that is stale is made anew.
 */
static bool
sign_discovery(struct app *app, struct snapshot *snap, const struct oidc_discovery *d, time_t now,
	       struct bytes *body, struct err *err)
{
	const struct key *k = keyring_active(snap->keyring, KEY_OIDC_SIGN, KEY_P256);
	struct key_ops ops = signer_key_ops(app->signer);
	struct err why = {0};
	const char *json;

	if (k == NULL)
		return true;
	if (oidc_discovery_sign(snap->a, d, &ops, k->row.kid, OIDC_ES256, now, &json, &why))
		*body = bytes_of(json);
	else if (why.kind == ERR_UNAVAILABLE)
		snap->stale = true;
	else
		return FAIL(err, why.kind, why.proto, "%s", why.text);
	return true;
}

static bool
add_discovery(struct app *app, struct snapshot *snap, time_t now, struct err *err)
{
	struct oidc_discovery d = discovery_of(app, snap);
	struct document doc = {.path = DISCOVERY_PATH,
			       .type = "application/json",
			       .cache = DOCUMENT_CACHE,
			       .body = bytes_of(oidc_discovery_build(snap->a, &d)),
			       .open = true};

	if (!documents_add(snap->a, &snap->documents, &doc, err) ||
	    !sign_discovery(app, snap, &d, now, &doc.body, err))
		return false;
	doc.path = SERVER_PATH;
	return documents_add(snap->a, &snap->documents, &doc, err);
}

bool
publish_documents(struct app *app, struct snapshot *snap, time_t now, struct err *err)
{
	return add_jwks(snap, err) && add_discovery(app, snap, now, err) &&
	       publish_saml(app, snap, now, err);
}
