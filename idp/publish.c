/* Documents about ourselves; see publish.h. */
#include "idp/publish.h"

#include "base/rand.h"
#include "idp/attribute.h"
#include "idp/config.h"
#include "idp/front_oidc.h"
#include "idp/grant.h"
#include "idp/party.h"
#include "idp/saml_peer.h"
#include "oidc/discovery.h"
#include "saml/metadata_write.h"
#include "saml/names.h"

#define METADATA_LIVES_S ((time_t)7 * 86400)
#define DOCUMENT_CACHE   "public, max-age=300"

/* ---- OpenID Connect ---- */

static struct oidc_jwk
jwk_of(const struct key *k)
{
	return (struct oidc_jwk){
		.pkey = k->pub,
		.kid = k->row.kid,
		.alg = k->row.type == KEY_RSA3072 ? OIDC_RS256 : OIDC_ES256,
	};
}

void
publish_jwks(struct arena *a, const struct keyring *kr, struct oidc_jwks *out)
{
	const struct key *k;
	size_t n = 0;

	for (size_t i = 0; keyring_shown(kr, KEY_OIDC_SIGN, &i) != NULL;)
		n++;
	struct oidc_jwk *keys = ARENA_ARRAY(a, struct oidc_jwk, n + 1);

	n = 0;
	for (size_t i = 0; (k = keyring_shown(kr, KEY_OIDC_SIGN, &i)) != NULL;)
		keys[n++] = jwk_of(k);
	*out = (struct oidc_jwks){keys, n};
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
grant_types(struct arena *a)
{
	size_t n = 0;

	while (grants[n].type != NULL)
		n++;
	const char **types = ARENA_ARRAY(a, const char *, n + 1);

	for (size_t i = 0; i < n; i++)
		types[i] = grants[i].type;
	return (struct oidc_strs){types, n};
}

static struct oidc_strs
acr_values(struct arena *a)
{
	const char **words = ARENA_ARRAY(a, const char *, LEVEL_VOCAB_COUNT *LEVEL_HIGH);
	size_t n = 0;

	for (int v = 0; v < LEVEL_VOCAB_COUNT; v++)
		for (int l = LEVEL_BASIC; l <= LEVEL_HIGH; l++)
			if (level_word((enum level)l, (enum level_vocabulary)v) != NULL)
				words[n++] = level_word((enum level)l, (enum level_vocabulary)v);
	return (struct oidc_strs){words, n};
}

static bool
add_discovery(struct app *app, struct snapshot *snap, struct err *err)
{
	static const char *const paths[][2] = {
		{"authorization_endpoint", "/oidc/authorize"}, {"token_endpoint", "/oidc/token"},
		{"userinfo_endpoint", "/oidc/userinfo"},       {"jwks_uri", JWKS_PATH},
		{"end_session_endpoint", "/oidc/logout"},
	};
	static const char *const locales[] = {"de", "en"};
	struct oidc_endpoint *endpoints =
		ARENA_ARRAY(snap->a, struct oidc_endpoint, ARRAY_LEN(paths));
	struct oidc_discovery d = {
		.issuer = app->config->base_url,
		.endpoints = endpoints,
		.n_endpoints = ARRAY_LEN(paths),
		.scopes = party_scopes(snap->a),
		.acr_values = acr_values(snap->a),
		.grant_types = grant_types(snap->a),
		.ui_locales = {locales, ARRAY_LEN(locales)},
	};
	struct document doc = {.path = DISCOVERY_PATH,
			       .type = "application/json",
			       .cache = DOCUMENT_CACHE,
			       .open = true};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		endpoints[i] = (struct oidc_endpoint){
			paths[i][0],
			arena_printf(snap->a, "%s%s", app->config->base_url, paths[i][1])};
	d.claims = oidc_scope_claims(snap->a, &d.n_claims);
	doc.body = bytes_of(oidc_discovery_build(snap->a, &d));
	return documents_add(snap->a, &snap->documents, &doc, err);
}

/* ---- SAML ---- */

static const struct saml_published_key *
published(struct snapshot *snap, enum key_purpose purpose, size_t *n)
{
	const struct key *k;
	size_t used = 0;

	for (size_t i = 0; keyring_shown(snap->keyring, purpose, &i) != NULL;)
		used++;
	struct saml_published_key *keys = ARENA_ARRAY(snap->a, struct saml_published_key, used + 1);

	used = 0;
	for (size_t i = 0; (k = keyring_shown(snap->keyring, purpose, &i)) != NULL;)
		keys[used++] = (struct saml_published_key){k->row.cert, k->row.type};
	*n = used;
	return keys;
}

static struct saml_texts
one_text(struct arena *a, const char *text)
{
	struct saml_text *t = ARENA_NEW(a, struct saml_text);

	*t = (struct saml_text){"de", text};
	return (struct saml_texts){t, 1};
}

/* Functions with a shared mailbox, all four kinds (TR-03160-2 4.3.2.1). */
static const struct saml_published_contact *
contacts(struct arena *a, const struct config *conf, size_t *n)
{
	static const char *const types[] = {"administrative", "technical", "support", "other"};
	struct saml_published_contact *list =
		ARENA_ARRAY(a, struct saml_published_contact, ARRAY_LEN(types));

	*n = conf->contact_email == NULL ? 0 : ARRAY_LEN(types);
	for (size_t i = 0; i < *n; i++)
		list[i] = (struct saml_published_contact){types[i], conf->site_name,
							  conf->contact_email};
	return list;
}

static bool
add_metadata(struct app *app, struct snapshot *snap, time_t now, struct err *err)
{
	const struct config *conf = app->config;
	struct arena *a = snap->a;
	struct saml_description d = {
		.entity_id = conf->entity_id,
		.id = rand_xml_id(a),
		.valid_until = now + METADATA_LIVES_S,
		.sso_url = arena_printf(a, "%s" SAML_SSO_PATH, conf->base_url),
		.slo_url = arena_printf(a, "%s" SAML_SLO_PATH, conf->base_url),
		.slo_soap_url = arena_printf(a, "%s" SAML_SLO_SOAP_PATH, conf->base_url),
		.want_authn_requests_signed = true,
		.organization_name = one_text(a, conf->site_name),
		.organization_display_name = one_text(a, conf->site_name),
		.organization_url = one_text(a, conf->base_url),
	};
	struct document doc = {.path = METADATA_PATH,
			       .type = "application/samlmetadata+xml",
			       .cache = DOCUMENT_CACHE};
	struct saml_signer signer;

	d.signing = published(snap, KEY_SAML_SIGN, &d.n_signing);
	d.encryption = published(snap, KEY_DECRYPT, &d.n_encryption);
	d.attributes = vocabulary_list(a, &d.n_attributes);
	d.contacts = contacts(a, conf, &d.n_contacts);
	return saml_signer_of(a, snap->keyring, app->signer, SIG_ES256, &signer, err) &&
	       saml_metadata_build(a, &d, &signer, &doc.body, err) &&
	       documents_add(a, &snap->documents, &doc, err);
}

/*
 * The metadata of before, which is signed and good for days.  Without an HSM that
 * holds the signing key there is no newer; a portal switched off must not wait for it.
 */
static bool
keep_metadata(struct app *app, struct snapshot *snap, struct err *err)
{
	const struct snapshot *before = snapshot_hold(&app->snapshots);
	const struct document *doc =
		before == NULL ? NULL : documents_find(&before->documents, bytes_of(METADATA_PATH));
	bool ok = true;

	if (doc != NULL) {
		struct document kept = {.path = METADATA_PATH,
					.type = doc->type,
					.cache = doc->cache,
					.body = arena_bytes(snap->a, doc->body)};

		ok = documents_add(snap->a, &snap->documents, &kept, err);
	}
	snapshot_release(before);
	return ok;
}

bool
publish_documents(struct app *app, struct snapshot *snap, time_t now, struct err *err)
{
	if (!add_jwks(snap, err) || !add_discovery(app, snap, err))
		return false;
	if (keyring_active(snap->keyring, KEY_SAML_SIGN, KEY_P256) == NULL)
		return true; /* before the first key: nothing to sign it with, nobody to read it */
	struct err why = {0};

	if (add_metadata(app, snap, now, &why))
		return true;
	if (why.kind != ERR_UNAVAILABLE)
		return FAIL(err, why.kind, why.proto, "%s", why.text);
	snap->stale = true;
	return keep_metadata(app, snap, err);
}
