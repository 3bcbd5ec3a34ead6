/* Our SAML metadata in its views; see publish_saml.h. */
#include "idp/publish_saml.h"

#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "idp/config.h"
#include "idp/home.h"
#include "idp/party.h"
#include "idp/party_suite.h"
#include "idp/saml_peer.h"
#include "saml/metadata_write.h"

#define METADATA_LIVES_S ((time_t)7 * 86400)
#define METADATA_CACHE_S 21600
#define METADATA_FRESH   "public, max-age=300"
#define ID_OCTETS        16 /* of the digest: enough to tell our parties apart */

/* What a document says beside what is the same for all. */
struct view {
	const struct saml_suite *suite; /* it is signed with, as answers to its readers are */
	enum key_type next; /* which answers are signed with once what is published is active */
	unsigned formats;   /* enum saml_nameid_format */
	bool old;           /* readers may sign with RSA PKCS#1 v1.5 */
	bool want_signed;
	bool ecp, query; /* readers may use these endpoints */
	bool general;    /* keys of every type, for readers of any kind */
};

/* Its name among the documents; a view of some parties has none that a request could name. */
static const char *
view_path(struct arena *a, const struct view *v)
{
	if (v->general)
		return METADATA_PATH;
	return arena_printf(a, "view:%s,%s,%u,%d,%d,%d,%d", v->suite->name, key_type_name(v->next),
			    v->formats, v->old, v->want_signed, v->ecp, v->query);
}

const char *
publish_party_path(struct arena *a, const char *entity_id)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(entity_id), digest);
	return arena_printf(a, METADATA_PATH "/%s", enc_hex(a, (struct bytes){digest, ID_OCTETS}));
}

/* ---- what is said ---- */

/* Active, published and retired ones; type 0: of every type, else of either. */
static const struct saml_published_key *
published(struct snapshot *snap, enum key_purpose purpose, enum key_type type, enum key_type other,
	  size_t *n)
{
	const struct key *k;
	size_t used = 0;

	for (size_t i = 0; keyring_shown(snap->keyring, purpose, &i) != NULL;)
		used++;
	struct saml_published_key *keys = ARENA_ARRAY(snap->a, struct saml_published_key, used + 1);

	used = 0;
	for (size_t i = 0; (k = keyring_shown(snap->keyring, purpose, &i)) != NULL;)
		if (type == 0 || k->row.type == type || k->row.type == other)
			keys[used++] = (struct saml_published_key){k->row.cert, k->row.type};
	*n = used;
	return keys;
}

/* Who knows RSA signatures alone knows RSA encryption; any other reader picks what it can. */
static void
add_keys(struct snapshot *snap, const struct view *v, struct saml_description *d)
{
	enum key_type type = key_type_of_sig(v->suite->make);

	d->signing = published(snap, KEY_SAML_SIGN, v->general ? 0 : type, v->next, &d->n_signing);
	d->encryption = published(snap, KEY_DECRYPT, type == KEY_RSA3072 ? type : 0, type,
				  &d->n_encryption);
	if (v->general || d->n_encryption == 0)
		d->encryption = published(snap, KEY_DECRYPT, 0, 0, &d->n_encryption);
}

/* A name or an address, which is the same in both languages; NULL: none. */
static struct saml_texts
both(struct arena *a, const char *text)
{
	struct saml_text *t = ARENA_ARRAY(a, struct saml_text, 2);

	t[0] = (struct saml_text){"de", text};
	t[1] = (struct saml_text){"en", text};
	return (struct saml_texts){t, text == NULL ? 0 : 2};
}

static struct saml_texts
german(struct arena *a, const char *text)
{
	struct saml_texts t = both(a, text);

	t.n = t.n > 0 ? 1 : 0;
	return t;
}

static void
add_contacts(struct arena *a, const struct config *conf, struct saml_description *d)
{
	const struct {
		const char *type, *security, *mailbox;
	} kinds[] = {
		{"administrative", NULL, conf->contact_administrative},
		{"technical", NULL, conf->contact_technical},
		{"support", NULL, conf->contact_support},
		{"other", "Security", conf->contact_security},
	};
	struct saml_published_contact *list =
		ARENA_ARRAY(a, struct saml_published_contact, ARRAY_LEN(kinds));

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char *mailbox =
			kinds[i].mailbox != NULL ? kinds[i].mailbox : conf->contact_email;

		if (mailbox != NULL)
			list[d->n_contacts++] = (struct saml_published_contact){
				kinds[i].type, conf->site_name, mailbox, kinds[i].security};
	}
	d->contacts = list;
}

static void
add_people(struct arena *a, const struct config *conf, struct saml_description *d)
{
	const char *who =
		conf->organization_name != NULL ? conf->organization_name : conf->site_name;
	const char *where =
		conf->organization_url != NULL ? conf->organization_url : conf->base_url;

	d->organization_name = d->organization_display_name = both(a, who);
	d->organization_url = both(a, where);
	d->ui = (struct saml_ui_info){
		.display_name = both(a, conf->site_name),
		.description = german(a, conf->site_description),
		.information_url = both(a, arena_printf(a, "%s/", conf->base_url)),
		.privacy_url = german(a, conf->privacy_url),
		.logo_url = conf->logo_url,
		.logo_width = conf->logo_width,
		.logo_height = conf->logo_height,
	};
	add_contacts(a, conf, d);
}

/* The names that are URIs: eIDAS's and BSI's. */
static struct saml_entity_attribute
assurance(struct arena *a, level_set levels)
{
	static const enum level_vocabulary uris[] = {LEVEL_VOCAB_EIDAS, LEVEL_VOCAB_BSI};
	const char **values = ARENA_ARRAY(a, const char *, ARRAY_LEN(uris) * LEVEL_HIGH);
	size_t n = 0;

	for (size_t v = 0; v < ARRAY_LEN(uris); v++)
		for (enum level l = LEVEL_BASIC; l <= LEVEL_HIGH; l++)
			if ((levels & level_set_range(l, l)) != 0)
				values[n++] = level_word(l, uris[v]);
	return (struct saml_entity_attribute){SAML_ENTITY_ASSURANCE, values, n};
}

static void
add_entity_attributes(struct arena *a, const struct config *conf, struct saml_description *d)
{
	struct saml_entity_attribute *list = ARENA_ARRAY(a, struct saml_entity_attribute, 3);

	list[0] = assurance(a, conf->assurance);
	list[1] = (struct saml_entity_attribute){SAML_ENTITY_CATEGORY, conf->entity_categories.p,
						 conf->entity_categories.n};
	list[2] = (struct saml_entity_attribute){SAML_ENTITY_SUPPORTED,
						 conf->entity_category_support.p,
						 conf->entity_category_support.n};
	d->entity_attributes = list;
	d->n_entity_attributes = 3;
}

static bool
build(struct app *app, struct snapshot *snap, const struct view *v, time_t now, struct bytes *out,
      struct err *err)
{
	const struct config *conf = app->config;
	struct arena *a = snap->a;
	struct saml_description d = {
		.entity_id = conf->entity_id,
		.id = rand_xml_id(a),
		.valid_until = now + METADATA_LIVES_S,
		.cache_s = METADATA_CACHE_S,
		.sso_url = arena_printf(a, "%s" SAML_SSO_PATH, conf->base_url),
		.slo_url = arena_printf(a, "%s" SAML_SLO_PATH, conf->base_url),
		.slo_soap_url = arena_printf(a, "%s" SAML_SLO_SOAP_PATH, conf->base_url),
		.artifact_url = arena_printf(a, "%s" SAML_ARTIFACT_PATH, conf->base_url),
		.want_authn_requests_signed = v->want_signed,
		.nameid_formats = v->formats,
		.old = v->old,
	};
	struct saml_signer signer;

	if (v->ecp)
		d.sso_soap_url = arena_printf(a, "%s" SAML_SSO_SOAP_PATH, conf->base_url);
	if (snap->upstreams.saml || snap->upstreams.members)
		d.acs_url = arena_printf(a, "%s" SAML_ACS_PATH, conf->base_url);
	if (v->query)
		d.attribute_url = arena_printf(a, "%s" SAML_ATTRIBUTES_PATH, conf->base_url);
	add_keys(snap, v, &d);
	add_people(a, conf, &d);
	add_entity_attributes(a, conf, &d);
	d.attributes = vocabulary_list(a, &d.n_attributes);
	return saml_signer_of(a, snap->keyring, app->signer, KEY_SAML_SIGN, v->suite->make, &signer,
			      err) &&
	       saml_metadata_build(a, &d, &signer, out, err);
}

/* ---- views ---- */

/* The party's own; false: there is no signature for it, and nothing more to tell. */
static bool
view_of(const struct party *p, const struct keyring *kr, time_t now, struct view *out)
{
	*out = (struct view){
		.formats = p->policy.nameid_formats,
		.old = p->policy.old_until > now,
		.want_signed = !p->policy.accept_unsigned,
		.ecp = p->policy.ecp,
		.query = p->policy.query,
	};
	const struct saml_suite *next;

	if (!party_suite(p, kr, now, &out->suite, NULL) ||
	    !party_suite_next(p, kr, now, &next, NULL))
		return false;
	out->next = key_type_of_sig(next->make);
	return true;
}

/*
 * The document of before, which is signed and good for days.  Without an HSM that
 * holds the signing key there is no newer; a portal switched off must not wait for it.
 */
static bool
keep(struct app *app, struct snapshot *snap, const char *path, struct err *err)
{
	const struct snapshot *before = snapshot_hold(&app->snapshots);
	const struct document *doc =
		before == NULL ? NULL : documents_find(&before->documents, bytes_of(path));
	bool ok = true;

	if (doc != NULL) {
		struct document kept = {.path = path,
					.type = doc->type,
					.cache = doc->cache,
					.body = arena_bytes(snap->a, doc->body)};

		ok = documents_add(snap->a, &snap->documents, &kept, err);
	}
	snapshot_release(before);
	return ok;
}

/* Made once, however many parties share it; *out NULL: out of reach, and none of before. */
static bool
add_view(struct app *app, struct snapshot *snap, const struct view *v, time_t now,
	 const struct document **out, struct err *err)
{
	struct document doc = {.path = view_path(snap->a, v),
			       .type = "application/samlmetadata+xml",
			       .cache = METADATA_FRESH};
	struct bytes path = bytes_of(doc.path);
	struct err why = {0};
	bool ok = true;

	*out = documents_find(&snap->documents, path);
	if (*out != NULL)
		return true;
	if (build(app, snap, v, now, &doc.body, &why)) {
		ok = documents_add(snap->a, &snap->documents, &doc, err);
	} else if (why.kind == ERR_UNAVAILABLE) {
		snap->stale = true;
		ok = keep(app, snap, doc.path, err);
	} else {
		ok = FAIL(err, why.kind, why.proto, "%s", why.text);
	}
	*out = documents_find(&snap->documents, path);
	return ok;
}

static bool
add_parties(struct app *app, struct snapshot *snap, const struct view *general, time_t now,
	    struct err *err)
{
	struct document_alias *list =
		ARENA_ARRAY(snap->a, struct document_alias, snap->parties.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < snap->parties.n; i++) {
		const struct party *p = &snap->parties.p[i];
		const struct document *doc;
		struct view own;

		if (p->saml == NULL || !p->enabled)
			continue;
		bool has = view_of(p, snap->keyring, now, &own);

		if (!add_view(app, snap, has ? &own : general, now, &doc, err))
			return false;
		list[n++] = (struct document_alias){publish_party_path(snap->a, p->id), doc};
	}
	documents_name(&snap->documents, list, n);
	return true;
}

bool
publish_saml(struct app *app, struct snapshot *snap, time_t now, struct err *err)
{
	struct view general = {
		.suite = saml_suite_first(snap->keyring, KEY_SAML_SIGN),
		.want_signed = true,
		.ecp = true,
		.query = true,
		.general = true,
	};
	const struct document *doc;
	struct policy usual;

	if (general.suite == NULL)
		return true; /* before the first key: nothing to sign it with, nobody to read it */
	if (!policy_parse(snap->a, "{}", &usual, err))
		return false;
	general.formats = usual.nameid_formats;
	return add_view(app, snap, &general, now, &doc, err) &&
	       add_parties(app, snap, &general, now, err);
}
