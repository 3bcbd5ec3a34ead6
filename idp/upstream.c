/* Other identity providers; see upstream.h. */
#include "idp/upstream.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "oidc/redirect.h"
#include "saml/names.h"

#define POLICY_MAX_BYTES  65536
#define ID_MAX            32
#define LIST_MAX          64

#define BPK2              "urn:oid:1.3.6.1.4.1.25484.494450.3"
#define PERSON_IDENTIFIER "http://eidas.europa.eu/attributes/naturalperson/PersonIdentifier"

const struct upstream_kind upstream_kinds[] = {
	{.name = "saml",
	 .sentence = "any SAML 2.0 identity provider",
	 .proved_by = "FINK",
	 .prefix = "saml.",
	 .binding = SAML_BINDING_REDIRECT,
	 .vocabulary = LEVEL_VOCAB_STORK,
	 .names = VOCABULARY_BUNDID,
	 .nameid_format = SAML_NAMEID_PERSISTENT,
	 .scoping = true,
	 .levels_attributes = true},
	{.name = "fink",
	 .sentence = "the account service of another state (TR-03160-2)",
	 .proved_by = "FINK",
	 .prefix = "fink.",
	 .binding = SAML_BINDING_REDIRECT,
	 .vocabulary = LEVEL_VOCAB_STORK,
	 .names = VOCABULARY_BUNDID,
	 .nameid_format = SAML_NAMEID_PERSISTENT,
	 .scoping = true,
	 .levels_attributes = true},
	{.name = "bundid",
	 .sentence = "BundID or BayernID (akdb extension, version 2)",
	 .proved_by = "FINK",
	 .prefix = "bundid.",
	 .binding = SAML_BINDING_POST, /* its requests are long (its interface 8.1) */
	 .vocabulary = LEVEL_VOCAB_STORK,
	 .names = VOCABULARY_BUNDID,
	 .identify = BPK2,
	 .akdb = true,
	 .levels_attributes = true},
	{.name = "organisation",
	 .sentence = "the organisation account (EKONA)",
	 .proved_by = "Elster",
	 .prefix = "organisation.",
	 .binding = SAML_BINDING_POST,
	 .vocabulary = LEVEL_VOCAB_COUNT, /* it is not asked for a class */
	 .names = VOCABULARY_EKONA,
	 .nameid_format = SAML_NAMEID_PERSISTENT,
	 .identify = "DatenuebermittlerPseudonymId",
	 .level = "ElsterVertrauensniveauAuthentifizierung ElsterVertrauensniveauIdentifizierung"},
	{.name = "eidas",
	 .sentence = "the eIDAS node",
	 .proved_by = "eIDAS",
	 .prefix = "eidas.",
	 .binding = SAML_BINDING_POST,
	 .vocabulary = LEVEL_VOCAB_EIDAS,
	 .names = VOCABULARY_EIDAS,
	 .nameid_format = SAML_NAMEID_PERSISTENT,
	 .identify = PERSON_IDENTIFIER,
	 .eidas = true},
	{.name = "oidc",
	 .sentence = "any OpenID Provider (give --issuer in place of FILE)",
	 .proved_by = "FINK",
	 .prefix = "oidc.",
	 .vocabulary = LEVEL_VOCAB_EIDAS,
	 .oidc = true,
	 .levels_attributes = true},
	{0},
};

const struct upstream_kind *
upstream_kind_find(const char *name)
{
	for (const struct upstream_kind *k = upstream_kinds; k->name != NULL; k++)
		if (text_eq(k->name, name))
			return k;
	return NULL;
}

/* ---- what the operator laid down ---- */

static bool
read_level(const json_t *v, enum level *out, struct err *err)
{
	*out = level_from_word(json_string_value(v));
	return *out != LEVEL_NONE ||
	       FAIL(err, ERR_INPUT, NULL, "not a level: basic, low, substantial, high");
}

static bool
read_cap(struct arena *a UNUSED, const json_t *v, struct upstream_policy *p, struct err *err)
{
	return read_level(v, &p->level_cap, err);
}

static bool
read_attribute_level(struct arena *a UNUSED, const json_t *v, struct upstream_policy *p,
		     struct err *err)
{
	return read_level(v, &p->attribute_level, err);
}

static bool
read_attributes(struct arena *a, const json_t *v, struct upstream_policy *p, struct err *err)
{
	size_t n = json_array_size(v);
	struct wanted *w = ARENA_ARRAY(a, struct wanted, n + 1);

	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(v, i));

		w[i].at = name == NULL ? NULL : attribute_by_name(name);
		if (w[i].at == NULL)
			return FAIL(err, ERR_INPUT, NULL, "unknown attribute '%s'",
				    name == NULL ? "" : name);
	}
	p->attributes = (struct wanted_list){w, n};
	return true;
}

/* WORD=LEVEL; the word is opaque and may hold "=" itself. */
static bool
read_words(struct arena *a, const json_t *v, struct upstream_policy *p, struct err *err)
{
	size_t n = json_array_size(v);
	struct level_word *w = ARENA_ARRAY(a, struct level_word, n + 1);

	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(v, i));
		const char *equals = text == NULL ? NULL : strrchr(text, '=');

		w[i].level = equals == NULL ? LEVEL_NONE : level_from_word(equals + 1);
		if (w[i].level == LEVEL_NONE || equals == text)
			return FAIL(err, ERR_INPUT, NULL, "WORD=LEVEL expected");
		w[i].word = arena_strndup(a, text, (size_t)(equals - text));
	}
	p->level_words = w;
	p->n_level_words = n;
	return true;
}

static bool
read_signed(struct arena *a UNUSED, const json_t *v, struct upstream_policy *p, struct err *err)
{
	static const char *const words[] = {"both", "response", "assertion"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (text_eq(json_string_value(v), words[i])) {
			p->sign = (enum saml_answer_signed)i;
			return true;
		}
	return FAIL(err, ERR_INPUT, NULL, "both, response or assertion expected");
}

static bool
read_yes_no(const json_t *v, bool *out, struct err *err)
{
	*out = text_eq(json_string_value(v), "yes");
	return *out || text_eq(json_string_value(v), "no") ||
	       FAIL(err, ERR_INPUT, NULL, "yes or no expected");
}

static bool
read_encrypted(struct arena *a UNUSED, const json_t *v, struct upstream_policy *p, struct err *err)
{
	return read_yes_no(v, &p->encrypted, err);
}

static bool
read_first(struct arena *a UNUSED, const json_t *v, struct upstream_policy *p, struct err *err)
{
	return read_yes_no(v, &p->first, err);
}

static bool
read_name(struct arena *a, const json_t *v, const char **out, struct err *err)
{
	const char *s = json_string_value(v);

	if (s == NULL || !text_is_visible_ascii(s, 256))
		return FAIL(err, ERR_INPUT, NULL, "1 to 256 visible ASCII characters expected");
	*out = arena_strdup(a, s);
	return true;
}

static bool
read_identify(struct arena *a, const json_t *v, struct upstream_policy *p, struct err *err)
{
	return read_name(a, v, &p->identify, err);
}

static bool
read_service(struct arena *a, const json_t *v, struct upstream_policy *p, struct err *err)
{
	return read_name(a, v, &p->service_id, err);
}

static bool
read_client_id(struct arena *a, const json_t *v, struct upstream_policy *p, struct err *err)
{
	return read_name(a, v, &p->client_id, err);
}

static bool
read_signing_alg(struct arena *a UNUSED, const json_t *v, struct upstream_policy *p,
		 struct err *err)
{
	const char *name = json_string_value(v);

	p->signing_alg = name == NULL ? OIDC_ALG_NONE : oidc_alg_find(name);
	return p->signing_alg != OIDC_ALG_NONE ||
	       FAIL(err, ERR_INPUT, NULL,
		    "not an algorithm: ES256, ES384, EdDSA, PS256, PS384, "
		    "RS256");
}

static bool
read_scopes(struct arena *a, const json_t *v, struct upstream_policy *p, struct err *err)
{
	size_t n = json_array_size(v);
	const char **scopes = ARENA_ARRAY(a, const char *, n + 1);

	for (size_t i = 0; i < n; i++)
		if (!read_name(a, json_array_get(v, i), &scopes[i], err))
			return false;
	p->scopes = scopes;
	p->n_scopes = n;
	p->scoped = n > 0;
	return true;
}

/* The day counts to its end, in UTC. */
static bool
read_old_until(struct arena *a, const json_t *v, struct upstream_policy *p, struct err *err)
{
	const char *s = json_string_value(v);
	time_t day;

	if (s == NULL || strlen(s) != strlen("YYYY-MM-DD") ||
	    !clock_parse(arena_printf(a, "%sT00:00:00Z", s), &day, NULL))
		return FAIL(err, ERR_INPUT, NULL, "a day as YYYY-MM-DD expected");
	p->old_until = day + 86400;
	return true;
}

const struct upstream_key upstream_keys[] = {
	{"level-cap", "LEVEL", "substantial",
	 "The highest level it may tell of; who tells of more is not believed.", false, read_cap},
	{"attribute", "NAME", "all we know", "An attribute that is taken from it.", true,
	 read_attributes},
	{"attribute-level", "LEVEL", "none: they are left out",
	 "The level of attributes that come without one.", false, read_attribute_level},
	{"level-word", "WORD=LEVEL", "those of all vocabularies",
	 "An AuthnContextClassRef of its own.", true, read_words},
	{"signed", "both|response|assertion", "both",
	 "What it signs: the Response, the assertion, or both.", false, read_signed},
	{"encrypted", "yes|no", "no", "Refuse assertions that are not encrypted.", false,
	 read_encrypted},
	{"identify", "NAME", "by its kind",
	 "The attribute that names a person for good; nameid: the NameID does.", false,
	 read_identify},
	{"scope", "DOMAIN", "none",
	 "What its identifiers have to end with, after an @; it speaks for nobody else.", true,
	 read_scopes},
	{"old-until", "YYYY-MM-DD", "never",
	 "The last day on which RSA PKCS#1 v1.5 signatures of it count.", false, read_old_until},
	{"first", "yes|no", "no", "Stand before the others in the list of providers.", false,
	 read_first},
	{"service-id", "TEXT", "none", "The OnlineServiceId that BundID gave us.", false,
	 read_service},
	{"client-id", "TEXT", "none", "The client_id that an OpenID Provider gave us.", false,
	 read_client_id},
	{"signing-alg", "ALG", "as its keys say; RSA keys that do not: RS256",
	 "The one algorithm of an OpenID Provider's ID tokens.", false, read_signing_alg},
	{0},
};

static const struct upstream_key *
key_find(const char *name)
{
	for (const struct upstream_key *k = upstream_keys; k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

static bool
policy_read(struct arena *a, const char *json, struct upstream_policy *out, struct err *err)
{
	struct upstream_policy p = {.level_cap = LEVEL_SUBSTANTIAL,
				    .vocabulary = LEVEL_VOCAB_COUNT,
				    .names = VOCABULARY_COUNT};
	json_t *o, *v;
	const char *name;

	if (!json_parse_object(a, bytes_of(json), POLICY_MAX_BYTES, &o, err))
		return false;
	json_object_foreach(o, name, v)
	{
		const struct upstream_key *k = key_find(name);
		struct err why = {0};

		if (k == NULL)
			return FAIL(err, ERR_INPUT, NULL, "policy: unknown key '%s'", name);
		if (k->repeatable && (!json_is_array(v) || json_array_size(v) > LIST_MAX))
			return FAIL(err, ERR_INPUT, NULL, "policy: %s: a list of at most %d", name,
				    LIST_MAX);
		if (!k->read(a, v, &p, &why))
			return FAIL(err, ERR_INPUT, NULL, "policy: %s: %s", name, why.text);
	}
	*out = p;
	return true;
}

bool
upstream_put(struct arena *a, json_t *policy, const char *key, const char *text, struct err *err)
{
	const struct upstream_key *k = key_find(key);
	json_t *list = json_object_get(policy, key);

	if (k == NULL)
		return FAIL(err, ERR_INPUT, NULL, "policy: unknown key '%s'", key);
	if (!k->repeatable) {
		json_put_str(a, policy, key, text);
		return true;
	}
	if (list == NULL)
		json_put(a, policy, key, list = json_new_array(a));
	json_push_str(a, list, text);
	return true;
}

/* ---- the list ---- */

bool
upstream_is_id(const char *id)
{
	size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return id[n] == '\0' && n >= 1 && n <= ID_MAX;
}

bool
upstream_read_keys(struct arena *a, struct bytes text, enum oidc_alg signing_alg,
		   struct oidc_jwks *out, struct err *err)
{
	bool rsa = oidc_alg_info(signing_alg)->key == OIDC_KEY_RSA;
	json_t *set;

	return json_parse_object(a, text, OIDC_JWKS_MAX_BYTES, &set, err) &&
	       oidc_jwks_parse(a, set, rsa ? signing_alg : OIDC_RS256, out, err);
}

/* What was fetched is no part of what an operator gave: it may be missing, and read anew later. */
static bool
read_oidc(struct arena *a, const struct db_upstream *row, struct upstream *out, struct err *err)
{
	struct upstream_oidc *o = ARENA_NEW(a, struct upstream_oidc);
	struct oidc_provider *p = ARENA_NEW(a, struct oidc_provider);

	if (row->issuer == NULL || !oidc_uri_check(row->issuer, false, NULL))
		return FAIL(err, ERR_INPUT, NULL, "an issuer is needed: https://HOST...");
	if (out->policy.client_id == NULL)
		return FAIL(err, ERR_INPUT, NULL, "a client-id is needed, as the provider gave it");
	out->entity_id = arena_strdup(a, row->issuer);
	o->client_id = out->policy.client_id;
	o->keys_text = arena_bytes(a, row->keys);
	if (row->discovery.n > 0 && oidc_provider_parse(a, row->discovery, row->issuer, p, NULL) &&
	    upstream_read_keys(a, o->keys_text, out->policy.signing_alg, &o->keys, NULL))
		o->provider = p;
	out->oidc = o;
	return true;
}

static bool
read_saml(struct arena *a, const struct db_upstream *row, struct upstream *out, struct err *err)
{
	const struct saml_party *read;
	struct saml_party *party;

	if (!saml_metadata_parse_role(a, arena_bytes(a, row->document), NULL, true, &read, err))
		return false;
	if (saml_party_sso(read, SAML_BINDING_NONE) == NULL)
		return FAIL(err, ERR_INPUT, NULL,
			    "it has no SingleSignOnService by HTTP-Redirect or HTTP-POST");
	if (read->signing.n == 0)
		return FAIL(err, ERR_INPUT, NULL, "it has no usable key to sign with");
	party = ARENA_NEW(a, struct saml_party);
	*party = *read;
	party->old_until = out->policy.old_until;
	out->entity_id = party->entity_id;
	out->saml = party;
	return true;
}

bool
upstream_parse(struct arena *a, const struct db_upstream *row, struct upstream *out,
	       struct err *err)
{
	*out = (struct upstream){
		.id = arena_strdup(a, row->id),
		.kind = upstream_kind_find(row->kind),
		.display_name = arena_strdup(a, row->display_name),
		.enabled = row->enabled,
	};
	if (!upstream_is_id(row->id))
		return FAIL(err, ERR_INPUT, NULL,
			    "an id of 1 to 32 letters a to z, digits and - expected");
	if (out->kind == NULL)
		return FAIL(err, ERR_INPUT, NULL, "no kind '%s'", row->kind);
	return policy_read(a, row->policy, &out->policy, err) &&
	       (out->kind->oidc ? read_oidc(a, row, out, err) : read_saml(a, row, out, err));
}

const char *
upstream_url(const struct upstream *u)
{
	if (u->saml != NULL)
		return saml_party_sso(u->saml, SAML_BINDING_NONE)->url;
	return u->oidc->provider == NULL ? NULL : u->oidc->provider->authorization_endpoint;
}

void
upstreams_create(struct arena *a, const struct db_upstream *rows, size_t n,
		 void (*bad)(const char *id, const struct err *err), struct upstreams *out)
{
	struct upstream *list = ARENA_ARRAY(a, struct upstream, n + 1);
	struct err why = {0};
	size_t used = 0;

	for (size_t i = 0; i < n; i++, err_clear(&why))
		if (upstream_parse(a, &rows[i], &list[used], &why))
			used++;
		else
			bad(rows[i].id, &why);
	*out = (struct upstreams){.p = list, .n = used};
	for (size_t i = 0; i < used; i++)
		out->saml = out->saml || list[i].saml != NULL;
}

const struct upstream *
upstream_find(const struct upstreams *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (text_eq(list->p[i].id, id))
			return &list->p[i];
	return NULL;
}

const struct upstream *
upstream_of_entity(const struct upstreams *list, const char *entity_id)
{
	for (size_t i = 0; i < list->n; i++)
		if (text_eq(list->p[i].entity_id, entity_id))
			return &list->p[i];
	return NULL;
}

bool
upstream_is_over(const struct upstream *u, time_t now)
{
	return u->saml != NULL && u->saml->valid_until != 0 && now >= u->saml->valid_until;
}

enum level
upstreams_reach(const struct upstreams *list)
{
	enum level most = LEVEL_NONE;

	for (size_t i = 0; i < list->n; i++)
		if (list->p[i].enabled && upstream_url(&list->p[i]) != NULL &&
		    list->p[i].policy.level_cap > most)
			most = list->p[i].policy.level_cap;
	return most;
}
