/* Reading a party's metadata; see metadata.h. */
#include "saml/metadata.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "keys/cert.h"
#include "saml/choose.h"
#include "saml/nameid.h"
#include "saml/names.h"
#include "saml/schema.h"
#include "saml/value.h"

#define ENTITY_ID_MAX  1024
#define SUBJECT_ID_REQ "urn:oasis:names:tc:SAML:profiles:subject-id:req"
#define MAX_PER_ROLE   256 /* endpoints, keys, services of one role, attributes of a service */

/* ---- children of one name ---- */

static size_t
count_children(const struct xml_node *n, const char *ns, const char *name)
{
	size_t count = 0;

	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
		count += xml_is(c, ns, name);
	return count;
}

/* The first child of this name from c on, c included. */
static const struct xml_node *
skip_to(const struct xml_node *c, const char *ns, const char *name)
{
	while (c != NULL && !xml_is(c, ns, name))
		c = xml_next(c);
	return c;
}

#define EACH_CHILD(c, n, ns, name)                                                  \
	for (const struct xml_node *c = skip_to(xml_first(n), ns, name); c != NULL; \
	     c = skip_to(xml_next(c), ns, name))

static bool
check_count(const struct xml_node *n, size_t count, struct err *err)
{
	return count <= MAX_PER_ROLE ||
	       FAIL(err, ERR_INPUT, NULL, "<%s> has %zu children of one kind", xml_name(n), count);
}

static bool
read_trimmed(struct arena *a, const struct xml_node *n, const char **out, struct err *err)
{
	const char *text;

	if (!xml_text(a, n, &text, err))
		return false;
	*out = text_trim(a, text);
	return true;
}

/* The texts of all children of a name, in `out`; languages with them. */
static bool
read_texts(struct arena *a, const struct xml_node *n, const char *ns, const char *name,
	   struct saml_texts *out, struct err *err)
{
	size_t max = count_children(n, ns, name), i = 0;
	struct saml_text *p = ARENA_ARRAY(a, struct saml_text, max);

	EACH_CHILD(c, n, ns, name)
	{
		p[i].lang = xml_attr_ns(c, SAML_NS_XML, "lang");
		if (!read_trimmed(a, c, &p[i].text, err))
			return false;
		i++;
	}
	*out = (struct saml_texts){p, i};
	return true;
}

/* ---- the entity ---- */

static bool
find_entity(const struct xml_node *n, const char *entity_id, const struct xml_node **found,
	    struct err *err)
{
	if (xml_is(n, SAML_NS_METADATA, "EntityDescriptor")) {
		if (entity_id != NULL && !text_eq(xml_attr(n, "entityID"), entity_id))
			return true;
		if (*found != NULL)
			return FAIL(err, ERR_INPUT, NULL,
				    entity_id != NULL ? "metadata names the entity twice"
						      : "metadata of several entities: name one");
		*found = n;
		return true;
	}
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
		if ((xml_is(c, SAML_NS_METADATA, "EntityDescriptor") ||
		     xml_is(c, SAML_NS_METADATA, "EntitiesDescriptor")) &&
		    !find_entity(c, entity_id, found, err))
			return false;
	return true;
}

static bool
speaks_saml2(struct arena *a, const struct xml_node *role, bool *out, struct err *err)
{
	const char *supported, **words;
	size_t n;

	if (!xml_need_attr(role, "protocolSupportEnumeration", &supported, err) ||
	    !text_words(a, text_trim(a, supported), 32, &words, &n, err))
		return false;
	*out = false;
	for (size_t i = 0; i < n; i++)
		*out = *out || strcmp(words[i], SAML_NS_PROTOCOL) == 0;
	return true;
}

static bool
find_role(struct arena *a, const struct xml_node *entity, bool idp, const struct xml_node **out,
	  struct err *err)
{
	const char *what = idp ? "identity provider" : "service provider";
	const struct xml_node *found = NULL;

	EACH_CHILD(c, entity, SAML_NS_METADATA, idp ? "IDPSSODescriptor" : "SPSSODescriptor")
	{
		bool fits;

		if (!speaks_saml2(a, c, &fits, err))
			return false;
		if (!fits)
			continue;
		if (found != NULL)
			return FAIL(err, ERR_INPUT, NULL, "entity is %s twice",
				    idp ? "an identity provider" : "a service provider");
		found = c;
	}
	if (found == NULL)
		return FAIL(err, ERR_INPUT, NULL, "entity is no SAML 2.0 %s", what);
	*out = found;
	return true;
}

/* Validity of the role and of everything around it: the earliest counts (SAML2Metadata 2.3.1). */
static bool
read_validity(const struct xml_node *role, struct saml_party *p, struct err *err)
{
	for (const struct xml_node *n = role; n != NULL; n = xml_parent(n)) {
		int64_t cache_s = -1;
		time_t until = 0;

		if (!saml_attr_time(n, "validUntil", &until, err) ||
		    !saml_attr_duration(n, "cacheDuration", &cache_s, err))
			return false;
		if (until != 0 && (p->valid_until == 0 || until < p->valid_until))
			p->valid_until = until;
		if (cache_s >= 0 && (p->cache_s < 0 || cache_s < p->cache_s))
			p->cache_s = cache_s;
	}
	return true;
}

/* ---- endpoints ---- */

static bool
read_endpoint(const struct xml_node *n, struct saml_endpoint *out, struct err *err)
{
	const char *response;

	if (!xml_need_attr(n, "Location", &out->url, err) ||
	    !saml_attr_short(n, "index", &out->index, err) ||
	    !saml_attr_bool(n, "isDefault", &out->is_default, err))
		return false;
	response = xml_attr(n, "ResponseLocation");
	out->response_url = response != NULL ? response : out->url;
	out->default_said = xml_attr(n, "isDefault") != NULL;
	return true;
}

static bool
takes_responses(const struct saml_binding_row *row)
{
	return row->for_response;
}

static bool
takes_client_responses(const struct saml_binding_row *row)
{
	return row->for_client;
}

static bool
takes_requests(const struct saml_binding_row *row)
{
	return row->for_request && row->id != SAML_BINDING_SOAP && row->id != SAML_BINDING_PAOS;
}

static bool
takes_logout(const struct saml_binding_row *row)
{
	return row->for_logout;
}

static bool
read_endpoints(struct arena *a, const struct xml_node *role, const char *name,
	       bool (*fits)(const struct saml_binding_row *), struct saml_endpoints *out,
	       size_t *skipped, struct err *err)
{
	size_t max = count_children(role, SAML_NS_METADATA, name), n = 0;
	struct saml_endpoint *p = ARENA_ARRAY(a, struct saml_endpoint, max);

	if (!check_count(role, max, err))
		return false;
	EACH_CHILD(c, role, SAML_NS_METADATA, name)
	{
		const struct saml_binding_row *row = saml_binding_by_uri(xml_attr(c, "Binding"));

		if (row == NULL || !fits(row))
			continue;
		p[n] = (struct saml_endpoint){.binding = row->id, .index = -1};
		if (!read_endpoint(c, &p[n], err))
			return false;
		n++;
	}
	*skipped = max - n;
	*out = (struct saml_endpoints){p, n};
	return true;
}

/* ---- keys ---- */

/* A certificate is a box around a key; what is wrong with one is told, not fatal here. */
static void
take_certificate(struct arena *a, const struct xml_node *node, struct saml_party_key *key)
{
	struct err problem = {0};
	const char *text;
	struct bytes der;
	struct cert cert;

	if (!xml_text(a, node, &text, &problem) ||
	    /* second line: the schema has refused what is no base64 */
	    !dec_base64(a, bytes_of(text), true, &der, &problem) ||
	    !cert_parse(a, der, &cert, &problem)) {
		key->problem = arena_strdup(a, problem.text);
		return;
	}
	key->pub = cert.pub;
	key->cert = der;
	key->not_before = cert.not_before;
	key->not_after = cert.not_after;
	key->sha256 = enc_hex(a, (struct bytes){cert.sha256, sizeof(cert.sha256)});
	key->old_digest = cert.old_digest;
}

/* SAML2MetaIOP 2.6.1: one certificate, at ds:X509Data/ds:X509Certificate; nothing else of KeyInfo.
 */
static bool
read_key_info(struct arena *a, const struct xml_node *descriptor, struct saml_party_key *key,
	      struct err *err)
{
	const struct xml_node *info, *data, *cert = NULL;

	if (!xml_child(descriptor, SAML_NS_DS, "KeyInfo", &info, err))
		return false;
	data = skip_to(xml_first(info), SAML_NS_DS, "X509Data");
	if (data != NULL)
		cert = skip_to(xml_first(data), SAML_NS_DS, "X509Certificate");
	if (cert == NULL)
		key->problem = "key without a certificate";
	else if (skip_to(xml_next(cert), SAML_NS_DS, "X509Certificate") != NULL)
		key->problem = "several certificates for one key";
	else
		take_certificate(a, cert, key);
	return true;
}

/* @Algorithm of all children of a name. */
static size_t
read_algorithms(struct arena *a, const struct xml_node *n, const char *ns, const char *name,
		const char *const **out)
{
	const char **uris = ARENA_ARRAY(a, const char *, count_children(n, ns, name));
	size_t i = 0;

	EACH_CHILD(c, n, ns, name)
	uris[i++] = xml_attr(c, "Algorithm");
	*out = uris;
	return i;
}

static void
read_methods(struct arena *a, const struct xml_node *descriptor, struct saml_party_key *key)
{
	size_t max = count_children(descriptor, SAML_NS_METADATA, "EncryptionMethod"), i = 0;
	struct saml_encryption_method *methods = ARENA_ARRAY(a, struct saml_encryption_method, max);

	EACH_CHILD(c, descriptor, SAML_NS_METADATA, "EncryptionMethod")
	{
		struct saml_encryption_method *m = &methods[i++];

		m->uri = xml_attr(c, "Algorithm");
		m->n_digests = read_algorithms(a, c, SAML_NS_DS, "DigestMethod", &m->digests);
		m->n_masks = read_algorithms(a, c, SAML_NS_XENC11, "MGF", &m->masks);
	}
	key->methods = methods;
	key->n_methods = i;
}

static bool
read_keys(struct arena *a, const struct xml_node *role, struct saml_party *p, struct err *err)
{
	size_t n = count_children(role, SAML_NS_METADATA, "KeyDescriptor"), i = 0;
	struct saml_party_key *keys = ARENA_ARRAY(a, struct saml_party_key, n);

	if (!check_count(role, n, err))
		return false;
	EACH_CHILD(c, role, SAML_NS_METADATA, "KeyDescriptor")
	{
		const char *use = xml_attr(c, "use");

		/* SAML2Metadata 2.4.1.1: no use means both. */
		keys[i].signing = use == NULL || strcmp(use, "signing") == 0;
		keys[i].encryption = use == NULL || strcmp(use, "encryption") == 0;
		read_methods(a, c, &keys[i]);
		if (!read_key_info(a, c, &keys[i], err))
			return false;
		i++;
	}
	p->keys = keys;
	p->n_keys = n;
	return true;
}

static void
collect_signing(struct arena *a, struct saml_party *p)
{
	EVP_PKEY **keys = ARENA_ARRAY(a, EVP_PKEY *, p->n_keys);
	size_t n = 0;

	for (size_t i = 0; i < p->n_keys; i++)
		if (p->keys[i].signing && p->keys[i].pub != NULL)
			keys[n++] = p->keys[i].pub;
	p->signing = (struct saml_keys){keys, n};
}

/* ---- which signatures it verifies ---- */

/* The extensions of the role, else those of the entity, if there is such a child in them. */
static const struct xml_node *
alg_extensions(const struct xml_node *entity, const struct xml_node *role, const char *name)
{
	const struct xml_node *const places[] = {role, entity};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const struct xml_node *n =
			skip_to(xml_first(places[i]), SAML_NS_METADATA, "Extensions");

		if (n != NULL && count_children(n, SAML_NS_ALG, name) > 0)
			return n;
	}
	return NULL;
}

static bool
read_signing_method(const struct xml_node *n, struct saml_signing_method *out, struct err *err)
{
	out->uri = xml_attr(n, "Algorithm");
	return saml_attr_short(n, "MinKeySize", &out->min_bits, err) &&
	       saml_attr_short(n, "MaxKeySize", &out->max_bits, err);
}

/* SAML2MetaAlgSup 2.3, 2.4. */
static bool
read_algsupport(struct arena *a, const struct xml_node *entity, const struct xml_node *role,
		struct saml_party *p, struct err *err)
{
	const struct xml_node *digests = alg_extensions(entity, role, "DigestMethod");
	const struct xml_node *signing = alg_extensions(entity, role, "SigningMethod");

	if (digests != NULL)
		p->n_digest_methods = read_algorithms(a, digests, SAML_NS_ALG, "DigestMethod",
						      &p->digest_methods);
	if (signing == NULL)
		return true;
	size_t max = count_children(signing, SAML_NS_ALG, "SigningMethod"), i = 0;
	struct saml_signing_method *methods = ARENA_ARRAY(a, struct saml_signing_method, max);

	EACH_CHILD(c, signing, SAML_NS_ALG, "SigningMethod")
	if (!read_signing_method(c, &methods[i++], err))
		return false;
	p->signing_methods = methods;
	p->n_signing_methods = i;
	return true;
}

/* ---- what it asks for ---- */

static bool
read_requested(const struct xml_node *n, struct saml_requested_attribute *out, struct err *err)
{
	out->name_format = xml_attr(n, "NameFormat");
	out->friendly_name = xml_attr(n, "FriendlyName");
	return xml_need_attr(n, "Name", &out->name, err) &&
	       saml_attr_bool(n, "isRequired", &out->required, err);
}

static bool
read_service(struct arena *a, const struct xml_node *n, struct saml_attribute_service *out,
	     struct err *err)
{
	size_t max = count_children(n, SAML_NS_METADATA, "RequestedAttribute"), i = 0;
	struct saml_requested_attribute *p = ARENA_ARRAY(a, struct saml_requested_attribute, max);

	if (!check_count(n, max, err) || !saml_attr_short(n, "index", &out->index, err) ||
	    !saml_attr_bool(n, "isDefault", &out->is_default, err) ||
	    !read_texts(a, n, SAML_NS_METADATA, "ServiceName", &out->name, err))
		return false;
	EACH_CHILD(c, n, SAML_NS_METADATA, "RequestedAttribute")
	if (!read_requested(c, &p[i++], err))
		return false;
	out->attributes = p;
	out->n_attributes = i;
	return true;
}

static bool
read_services(struct arena *a, const struct xml_node *role, struct saml_party *p, struct err *err)
{
	size_t max = count_children(role, SAML_NS_METADATA, "AttributeConsumingService"), i = 0;
	struct saml_attribute_service *services =
		ARENA_ARRAY(a, struct saml_attribute_service, max);

	if (!check_count(role, max, err))
		return false;
	EACH_CHILD(c, role, SAML_NS_METADATA, "AttributeConsumingService")
	if (!read_service(a, c, &services[i++], err))
		return false;
	p->services = services;
	p->n_services = i;
	return true;
}

static bool
read_formats(struct arena *a, const struct xml_node *role, struct saml_party *p, struct err *err)
{
	size_t max = count_children(role, SAML_NS_METADATA, "NameIDFormat"), i = 0;
	const char **formats = ARENA_ARRAY(a, const char *, max);

	EACH_CHILD(c, role, SAML_NS_METADATA, "NameIDFormat")
	if (!read_trimmed(a, c, &formats[i++], err))
		return false;
	p->nameid_formats = formats;
	p->n_nameid_formats = i;
	return true;
}

/* ---- what people see ---- */

/* mdui (SAML2MDUI 2.1) stands in the role's extensions. */
static bool
read_display_name(struct arena *a, const struct xml_node *role, struct saml_party *p,
		  struct err *err)
{
	const struct xml_node *extensions, *ui = NULL;

	if (!xml_child_opt(role, SAML_NS_METADATA, "Extensions", &extensions, err))
		return false;
	if (extensions != NULL && !xml_child_opt(extensions, SAML_NS_MDUI, "UIInfo", &ui, err))
		return false;
	return ui == NULL ||
	       (read_texts(a, ui, SAML_NS_MDUI, "DisplayName", &p->display_name, err) &&
		read_texts(a, ui, SAML_NS_MDUI, "Keywords", &p->keywords, err));
}

/* For whom it speaks; of one that is a pattern we do not know whom it means. */
static bool
read_scopes(struct arena *a, const struct xml_node *role, struct saml_party *p, struct err *err)
{
	const struct xml_node *extensions;
	size_t n = 0;

	if (!xml_child_opt(role, SAML_NS_METADATA, "Extensions", &extensions, err))
		return false;
	size_t max = extensions == NULL ? 0 : count_children(extensions, SAML_NS_SHIBMD, "Scope");
	const char **scopes = ARENA_ARRAY(a, const char *, max);

	if (extensions == NULL)
		return true;
	EACH_CHILD(c, extensions, SAML_NS_SHIBMD, "Scope")
	{
		bool regexp = false;

		if (!saml_attr_bool(c, "regexp", &regexp, err) ||
		    !read_trimmed(a, c, &scopes[n], err))
			return false;
		n += !regexp;
	}
	p->scopes = scopes;
	p->n_scopes = n;
	return true;
}

/* SAML V2.0 Subject Identifier Attributes 3.5.1: an entity attribute says which one is needed. */
static bool
read_subject_id(struct arena *a, const struct xml_node *entity, struct saml_party *p,
		struct err *err)
{
	static const char *const known[] = {"subject-id", "pairwise-id", "any"};
	const struct xml_node *extensions, *attributes = NULL, *value;
	const char *text;

	if (!xml_child_opt(entity, SAML_NS_METADATA, "Extensions", &extensions, err) ||
	    (extensions != NULL &&
	     !xml_child_opt(extensions, SAML_NS_ATTRIBUTE, "EntityAttributes", &attributes, err)))
		return false;
	if (attributes == NULL)
		return true;
	EACH_CHILD(at, attributes, SAML_NS_ASSERTION, "Attribute")
	{
		if (!text_eq(xml_attr(at, "Name"), SUBJECT_ID_REQ))
			continue;
		if (!xml_child_opt(at, SAML_NS_ASSERTION, "AttributeValue", &value, err) ||
		    (value != NULL && !xml_text(a, value, &text, err)))
			return false;
		for (size_t i = 0; value != NULL && i < ARRAY_LEN(known); i++)
			if (text_eq(text_trim(a, text), known[i]))
				p->subject_id = known[i];
	}
	return true;
}

static bool
read_organization(struct arena *a, const struct xml_node *n, struct saml_party *p, struct err *err)
{
	return read_texts(a, n, SAML_NS_METADATA, "OrganizationName", &p->organization_name, err) &&
	       read_texts(a, n, SAML_NS_METADATA, "OrganizationDisplayName",
			  &p->organization_display_name, err) &&
	       read_texts(a, n, SAML_NS_METADATA, "OrganizationURL", &p->organization_url, err);
}

static bool
read_contacts(struct arena *a, const struct xml_node *entity, struct saml_party *p, struct err *err)
{
	size_t max = count_children(entity, SAML_NS_METADATA, "ContactPerson"), i = 0;
	struct saml_contact *contacts = ARENA_ARRAY(a, struct saml_contact, max);

	if (!check_count(entity, max, err))
		return false;
	EACH_CHILD(c, entity, SAML_NS_METADATA, "ContactPerson")
	{
		const struct xml_node *mail =
			skip_to(xml_first(c), SAML_NS_METADATA, "EmailAddress");

		contacts[i].type = xml_attr(c, "contactType");
		if (mail != NULL && !read_trimmed(a, mail, &contacts[i].email, err))
			return false;
		if (mail != NULL && text_starts(contacts[i].email, "mailto:"))
			contacts[i].email += strlen("mailto:");
		i++;
	}
	p->contacts = contacts;
	p->n_contacts = i;
	return true;
}

/* The role's own Organization, else the entity's. */
static bool
read_people(struct arena *a, const struct xml_node *entity, const struct xml_node *role,
	    struct saml_party *p, struct err *err)
{
	const struct xml_node *organization;

	if (!read_display_name(a, role, p, err) || !read_subject_id(a, entity, p, err) ||
	    !read_contacts(a, entity, p, err) ||
	    !xml_child_opt(role, SAML_NS_METADATA, "Organization", &organization, err))
		return false;
	if (organization == NULL &&
	    !xml_child_opt(entity, SAML_NS_METADATA, "Organization", &organization, err))
		return false;
	return organization == NULL || read_organization(a, organization, p, err);
}

/* ---- all together ---- */

static bool
read_role(struct arena *a, const struct xml_node *role, struct saml_party *p, struct err *err)
{
	size_t skipped;

	if (!saml_attr_bool(role, "AuthnRequestsSigned", &p->authn_requests_signed, err) ||
	    !saml_attr_bool(role, "WantAssertionsSigned", &p->want_assertions_signed, err) ||
	    !read_endpoints(a, role, "AssertionConsumerService", takes_responses, &p->acs,
			    &p->n_acs_skipped, err) ||
	    !read_endpoints(a, role, "AssertionConsumerService", takes_client_responses,
			    &p->acs_client, &skipped, err) ||
	    !read_endpoints(a, role, "SingleLogoutService", takes_logout, &p->slo, &skipped, err) ||
	    !read_keys(a, role, p, err) || !read_services(a, role, p, err) ||
	    !read_formats(a, role, p, err))
		return false;
	p->n_acs_skipped -= p->acs_client.n;
	collect_signing(a, p);
	(void)saml_choose_recipient(p, 0, 0, &p->recipient);
	return true;
}

static bool
read_idp(struct arena *a, const struct xml_node *role, struct saml_party *p, struct err *err)
{
	size_t skipped;

	return saml_attr_bool(role, "WantAuthnRequestsSigned", &p->want_requests_signed, err) &&
	       read_endpoints(a, role, "SingleSignOnService", takes_requests, &p->sso, &skipped,
			      err) &&
	       read_scopes(a, role, p, err);
}

bool
saml_metadata_parse(struct arena *a, struct bytes text, const char *entity_id,
		    const struct saml_party **out, struct err *err)
{
	return saml_metadata_parse_role(a, text, entity_id, false, out, err);
}

bool
saml_metadata_parse_role(struct arena *a, struct bytes text, const char *entity_id, bool idp,
			 const struct saml_party **out, struct err *err)
{
	struct xml_doc *doc;

	return xml_parse(a, text, &xml_limits_metadata, &doc, err) &&
	       saml_schema_check(a, xml_root(doc), err) &&
	       saml_metadata_read_role(a, doc, entity_id, idp, out, err);
}

bool
saml_metadata_read(struct arena *a, const struct xml_doc *doc, const char *entity_id,
		   const struct saml_party **out, struct err *err)
{
	return saml_metadata_read_role(a, doc, entity_id, false, out, err);
}

bool
saml_metadata_read_role(struct arena *a, const struct xml_doc *doc, const char *entity_id, bool idp,
			const struct saml_party **out, struct err *err)
{
	struct saml_party *p = ARENA_NEW(a, struct saml_party);
	const struct xml_node *entity = NULL, *role;

	if (!find_entity(xml_root(doc), entity_id, &entity, err))
		return false;
	if (entity == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "metadata holds no such entity");
	if (!xml_need_attr(entity, "entityID", &p->entity_id, err))
		return false;
	if (p->entity_id[0] == '\0' || strlen(p->entity_id) > ENTITY_ID_MAX)
		return FAIL(err, ERR_INPUT, NULL, "entityID of %zu octets", strlen(p->entity_id));
	p->has_id = xml_attr(entity, "ID") != NULL;
	p->cache_s = -1;
	p->is_idp = idp;
	if (!find_role(a, entity, idp, &role, err) || !read_validity(role, p, err) ||
	    !read_role(a, role, p, err) || (idp && !read_idp(a, role, p, err)) ||
	    !read_algsupport(a, entity, role, p, err) || !read_people(a, entity, role, p, err))
		return false;
	p->entity = entity;
	p->role = role;
	*out = p;
	return true;
}

/* ---- questions ---- */

/* How much rather than others this one is the default (SAML2Metadata 2.2.3). */
static int
default_rank(const struct saml_endpoint *e)
{
	return e->is_default ? 3 : e->default_said ? 1 : 2;
}

static bool
is_wanted(const struct saml_endpoint *e, const char *url, int index)
{
	if (url != NULL)
		return strcmp(e->url, url) == 0;
	return index < 0 || e->index == index;
}

static const struct saml_endpoint *
find_endpoint(const struct saml_endpoints *list, const char *url, int index,
	      enum saml_binding binding)
{
	const struct saml_endpoint *best = NULL;
	bool by_default = url == NULL && index < 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct saml_endpoint *e = &list->p[i];

		if ((binding == SAML_BINDING_NONE || binding == e->binding) &&
		    is_wanted(e, url, index) &&
		    (best == NULL || (by_default && default_rank(e) > default_rank(best))))
			best = e;
	}
	return best;
}

const struct saml_endpoint *
saml_party_acs(const struct saml_party *party, const char *url, int index,
	       enum saml_binding binding)
{
	return find_endpoint(&party->acs, url, index, binding);
}

const struct saml_endpoint *
saml_party_acs_client(const struct saml_party *party, const char *url, int index)
{
	return find_endpoint(&party->acs_client, url, index, SAML_BINDING_NONE);
}

const struct saml_endpoint *
saml_party_slo(const struct saml_party *party, enum saml_binding binding)
{
	for (size_t i = 0; i < party->slo.n; i++) {
		enum saml_binding has = party->slo.p[i].binding;

		if (binding == SAML_BINDING_NONE ? has != SAML_BINDING_SOAP : has == binding)
			return &party->slo.p[i];
	}
	return NULL;
}

const struct saml_endpoint *
saml_party_sso(const struct saml_party *party, enum saml_binding binding)
{
	return find_endpoint(&party->sso, NULL, -1, binding);
}

const struct saml_attribute_service *
saml_party_service(const struct saml_party *party, int index)
{
	for (size_t i = 0; i < party->n_services; i++)
		if (index >= 0 ? party->services[i].index == index : party->services[i].is_default)
			return &party->services[i];
	return index < 0 && party->n_services > 0 ? &party->services[0] : NULL;
}

const char *
saml_party_nameid_format(const struct saml_party *party, unsigned allowed)
{
	for (size_t i = 0; i < party->n_nameid_formats; i++) {
		unsigned bit = saml_nameid_format_bit(party->nameid_formats[i]) & allowed;

		if (bit != 0)
			return saml_nameid_format_first(bit);
	}
	return saml_nameid_format_first(allowed);
}

const char *
saml_texts_find(const struct saml_texts *texts, const char *lang)
{
	for (size_t i = 0; i < texts->n; i++)
		if (text_eq(texts->p[i].lang, lang))
			return texts->p[i].text;
	return texts->n > 0 ? texts->p[0].text : NULL;
}
