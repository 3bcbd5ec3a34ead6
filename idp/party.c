/* Relying parties from their rows; see party.h. */
#include "idp/party.h"

#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "idp/grant.h"
#include "idp/login_scope.h"
#include "idp/saml_peer.h"
#include "oidc/authorize.h"
#include "keys/sign.h"
#include "saml/choose.h"

#define MAX_DOCUMENT_BYTES (1024 * 1024)
#define PUBLIC_CAP         LEVEL_LOW /* of a public client whose policy says nothing */

const char *
party_host(struct arena *a, const char *uri)
{
	const char *from = strstr(uri, "://");

	if (from == NULL)
		return uri;
	from += 3;
	return arena_strndup(a, from, strcspn(from, ":/?#"));
}

static bool
wanted_has(const struct wanted *w, size_t n, const struct attribute *at)
{
	for (size_t i = 0; i < n; i++)
		if (w[i].at == at)
			return true;
	return false;
}

static size_t
table_size(void)
{
	size_t n = 0;

	while (attributes[n].name != NULL)
		n++;
	return n;
}

/*
 * What a SAML party's metadata asks for, when the operator laid down nothing.  What is required
 * says the service that a request is for (saml_attributes.h), not another of them.
 */
static struct wanted_list
wanted_of_saml(struct arena *a, const struct saml_party *saml)
{
	struct wanted *w = ARENA_ARRAY(a, struct wanted, table_size());
	size_t n = 0;

	for (size_t s = 0; s < saml->n_services; s++) {
		for (size_t i = 0; i < saml->services[s].n_attributes; i++) {
			const struct saml_requested_attribute *r = &saml->services[s].attributes[i];

			for (const struct attribute *at = attributes; at->name != NULL; at++)
				if (vocabulary_names(r->name, at) && !wanted_has(w, n, at))
					w[n++] = (struct wanted){at, false, false};
		}
	}
	return (struct wanted_list){w, n};
}

/* The names that a party's metadata uses are those it understands. */
static enum vocabulary
names_of_saml(const struct saml_party *saml)
{
	for (size_t s = 0; s < saml->n_services; s++) {
		for (size_t i = 0; i < saml->services[s].n_attributes; i++) {
			enum vocabulary v = vocabulary_of(saml->services[s].attributes[i].name);

			if (v != VOCABULARY_COUNT)
				return v;
		}
	}
	return VOCABULARY_BUNDID;
}

/* What an OIDC client's scopes stand for, likewise. */
static struct wanted_list
wanted_of_oidc(struct arena *a, const struct oidc_client *oidc)
{
	struct wanted *w = ARENA_ARRAY(a, struct wanted, table_size());
	size_t n = 0;

	for (const struct attribute *at = attributes; at->name != NULL; at++)
		if (oidc_strs_have(oidc->scopes, at->scope))
			w[n++] = (struct wanted){at, false, false};
	return (struct wanted_list){w, n};
}

/* What our record adds to the metadata.  Never another encryption than it says: rather no party. */
static bool
add_record(struct arena *a, const struct saml_party *read, struct party *p, struct err *err)
{
	const struct policy *policy = &p->policy;
	struct saml_party *own = ARENA_NEW(a, struct saml_party);

	*own = *read;
	own->old_until = policy->old_until;
	if ((policy->content != 0 || policy->transport != 0) &&
	    !saml_choose_recipient(own, policy->content, policy->transport, &own->recipient))
		return FAIL(err, ERR_INPUT, NULL,
			    "it has no key for the content or key-transport of its record");
	p->saml = own;
	return true;
}

bool
party_take_metadata(struct arena *a, const struct saml_party *read, struct party *p,
		    struct err *err)
{
	if (!add_record(a, read, p, err))
		return false;
	if (p->policy.vocabulary == LEVEL_VOCAB_COUNT)
		p->policy.vocabulary = LEVEL_VOCAB_STORK;
	p->policy.own_attributes = p->policy.attributes.n > 0;
	if (!p->policy.own_attributes)
		p->policy.attributes = wanted_of_saml(a, p->saml);
	if (p->policy.names == VOCABULARY_COUNT)
		p->policy.names = names_of_saml(p->saml);
	p->sector = p->policy.sector == NULL ? party_host(a, p->id) : p->policy.sector;
	return true;
}

static bool
parse_saml(struct arena *a, const struct db_party *row, struct party *p, struct err *err)
{
	const struct saml_party *read;

	return saml_metadata_parse(a, row->document, row->id, &read, err) &&
	       party_take_metadata(a, read, p, err);
}

struct oidc_strs
party_scopes(struct arena *a, bool can_be_met)
{
	const char **names = ARENA_ARRAY(a, const char *, table_size() + LOGIN_SCOPES_MAX + 2);
	size_t n = 0;

	names[n++] = "openid";
	names[n++] = OIDC_OFFLINE_ACCESS;
	for (const struct attribute *at = attributes; at->name != NULL; at++)
		if (!oidc_strs_have((struct oidc_strs){names, n}, at->scope))
			names[n++] = at->scope;
	login_scope_words(can_be_met, names, &n);
	return (struct oidc_strs){names, n};
}

struct oidc_client_rules
party_client_rules(struct arena *a)
{
	struct oidc_strs given = grant_types(a);
	const char **words = ARENA_ARRAY(a, const char *, given.n + 1);

	for (size_t i = 0; i < given.n; i++)
		words[i] = given.s[i];
	words[given.n] = OIDC_GRANT_IMPLICIT;
	return (struct oidc_client_rules){.scopes = party_scopes(a, false),
					  .grant_types = {words, given.n + 1}};
}

struct bytes
party_secret_label(struct arena *a, const char *client_id)
{
	unsigned char digest[SHA256_BYTES];

	/* A client_id may be as long as a label. */
	hash_sha256(bytes_of(client_id), digest);
	return bytes_of(arena_printf(a, SIGNER_MAC_LABEL "client:%s",
				     enc_hex(a, (struct bytes){digest, sizeof(digest)})));
}

/* Anyone can ask in its name, so it gets what an operator wrote down, and no more. */
static void
bound_public(struct party *p)
{
	if (!p->policy.capped)
		p->policy.level_cap = PUBLIC_CAP;
}

static bool
parse_oidc(struct arena *a, const struct db_party *row, struct party *p, struct err *err)
{
	struct oidc_client_rules rules = party_client_rules(a);
	const json_t *metadata = NULL;
	const char *secret = NULL, *sealed = NULL;
	struct oidc_client *client;
	struct oidc_strs unknown;
	json_t *o;

	if (!json_parse_object(a, row->document, MAX_DOCUMENT_BYTES, &o, err) ||
	    !json_get_object(o, PARTY_OIDC_METADATA, &metadata, err) ||
	    !json_get_str(o, PARTY_OIDC_SECRET, &secret, err) ||
	    !json_get_str(o, PARTY_OIDC_SEALED, &sealed, err))
		return false;
	if (metadata == NULL)
		return FAIL(err, ERR_INPUT, NULL, "no client metadata");
	if (!oidc_client_parse(a, bytes_of(json_text(a, metadata, false)), row->id, &rules, &client,
			       &unknown, err))
		return false;
	if ((secret != NULL && !dec_hex(a, bytes_of(secret), &client->secret_sha256, err)) ||
	    (sealed != NULL &&
	     !dec_base64(a, bytes_of(sealed), false, &client->secret_sealed, err)))
		return false;
	/* Read when they came; if the record has changed since, they wait for the next ones. */
	if (client->jwks_uri != NULL && row->keys.n > 0 &&
	    !oidc_client_take_keys(a, client, row->keys, NULL))
		client->jwks.n = 0;
	if (client->jwks_uri != NULL && row->keys.n > 0)
		hash_sha256(row->keys, p->keys_digest);
	p->oidc = client;
	if (p->policy.vocabulary == LEVEL_VOCAB_COUNT)
		p->policy.vocabulary = LEVEL_VOCAB_SHORT;
	if (client->auth_method == OIDC_AUTH_PUBLIC)
		bound_public(p);
	else if (p->policy.attributes.n == 0)
		p->policy.attributes = wanted_of_oidc(a, client);
	p->sector = p->policy.sector == NULL ? client->sector_host : p->policy.sector;
	if (client->subject_type == OIDC_SUBJECT_PUBLIC)
		p->sector = PARTY_SECTOR_OF_ALL;
	return true;
}

bool
party_parse(struct arena *a, const struct db_party *row, struct party *out, struct err *err)
{
	struct party p = {
		.id = arena_strdup(a, row->id),
		.display_name = arena_strdup(a, row->display_name),
		.enabled = row->enabled,
	};
	struct err why = {0};
	bool known = strcmp(row->kind, "saml") == 0 || strcmp(row->kind, "oidc") == 0;

	if (!known)
		return FAIL(err, ERR_INPUT, NULL, "%s: unknown kind of party", row->id);
	if (!policy_parse(a, row->policy, &p.policy, &why) ||
	    !(row->kind[0] == 's' ? parse_saml : parse_oidc)(a, row, &p, &why))
		return FAIL(err, why.kind, why.proto, "%s: %s", row->id, why.text);
	*out = p;
	return true;
}

static int
by_id(const void *x, const void *y)
{
	const struct party *a = x, *b = y;

	return strcmp(a->id, b->id);
}

static int
by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static bool
is_page(const struct party *p, const char *uri)
{
	return p->enabled && p->oidc->auth_method == OIDC_AUTH_PUBLIC &&
	       text_starts(uri, "https://");
}

static struct oidc_strs
origins_of(struct arena *a, const struct party *p, size_t n)
{
	const char **s;
	size_t most = 0, used = 0;

	for (size_t i = 0; i < n; i++)
		most += p[i].oidc == NULL ? 0 : p[i].oidc->redirect_uris.n;
	s = ARENA_ARRAY(a, const char *, most + 1);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; p[i].oidc != NULL && k < p[i].oidc->redirect_uris.n; k++)
			if (is_page(&p[i], p[i].oidc->redirect_uris.s[k]))
				s[used++] = url_origin(a, p[i].oidc->redirect_uris.s[k]);
	qsort(s, used, sizeof(*s), by_text);
	return (struct oidc_strs){s, used};
}

void
parties_create(struct arena *a, const struct db_party *rows, size_t n, enum level cap,
	       void (*bad)(const char *id, const struct err *err), struct parties *out)
{
	struct party *p = ARENA_ARRAY(a, struct party, n + 1);
	const char **unreadable = ARENA_ARRAY(a, const char *, n + 1);
	size_t used = 0, n_unreadable = 0;

	for (size_t i = 0; i < n; i++) {
		struct err why = {0};

		if (!party_parse(a, &rows[i], &p[used], &why)) {
			bad(rows[i].id, &why);
			unreadable[n_unreadable++] = arena_strdup(a, rows[i].id);
			continue;
		}
		p[used].policy.level_cap = level_min(p[used].policy.level_cap, cap);
		used++;
	}
	qsort(p, used, sizeof(*p), by_id);
	*out = (struct parties){.p = p,
				.n = used,
				.unreadable = {unreadable, n_unreadable},
				.origins = origins_of(a, p, used)};
}

static const struct party *
record_of(const struct parties *parties, const char *id)
{
	struct party key = {.id = id};

	return parties->n == 0 ? NULL : bsearch(&key, parties->p, parties->n, sizeof(key), by_id);
}

const struct party *
party_find(const struct parties *parties, const char *id)
{
	const struct party *p = record_of(parties, id);

	return p != NULL && p->enabled ? p : NULL;
}

bool
party_is_recorded(const struct parties *parties, const char *id)
{
	return record_of(parties, id) != NULL || oidc_strs_have(parties->unreadable, id);
}

const char *
party_purpose(const struct party *party, enum lang lang)
{
	const struct policy *p = &party->policy;

	if (lang == LANG_EN && p->purpose_en != NULL)
		return p->purpose_en;
	return p->purpose_de;
}

const struct party *
party_of_resource(const struct parties *parties, const char *uri)
{
	for (size_t i = 0; i < parties->n; i++) {
		const struct party *p = &parties->p[i];

		if (p->enabled && p->oidc != NULL && oidc_strs_have(p->oidc->resource_uris, uri))
			return p;
	}
	return NULL;
}
