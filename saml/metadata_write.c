/* Writing our metadata; see metadata_write.h. */
#include "saml/metadata_write.h"

#include "base/clock.h"
#include <inttypes.h>
#include <string.h>

#include "keys/cert.h"
#include "keys/key_type.h"
#include "saml/artifact.h"
#include "saml/names.h"
#include "saml/nameid.h"
#include "saml/xmlenc_alg.h"

#define METADATA_MAX    ((size_t)1024 * 1024)
#define REFEDS_SECURITY "http://refeds.org/metadata/contactType/security"

static const struct xmlns xmlns_mdui = {"mdui", SAML_NS_MDUI}, xmlns_alg = {"alg", SAML_NS_ALG},
			  xmlns_mdattr = {"mdattr", SAML_NS_ATTRIBUTE},
			  xmlns_remd = {"remd", SAML_NS_REFEDS};

static void
write_texts(struct xmlw *w, const struct xmlns *ns, const char *name,
	    const struct saml_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		xmlw_open(w, ns, name);
		xmlw_attr(w, &xmlns_xml, "lang", texts->p[i].lang);
		xmlw_text(w, texts->p[i].text);
		xmlw_close(w);
	}
}

static void
write_algorithm(struct xmlw *w, const struct xmlns *ns, const char *name, const char *uri)
{
	xmlw_open(w, ns, name);
	xmlw_attr(w, NULL, "Algorithm", uri);
	xmlw_close(w);
}

/* ---- the entity as a whole ---- */

static void
write_entity_attributes(struct xmlw *w, const struct saml_description *d)
{
	bool any = false;

	for (size_t i = 0; i < d->n_entity_attributes; i++) {
		const struct saml_entity_attribute *at = &d->entity_attributes[i];

		if (at->n_values == 0)
			continue;
		if (!any)
			xmlw_open(w, &xmlns_mdattr, "EntityAttributes");
		any = true;
		xmlw_open(w, &xmlns_saml, "Attribute");
		xmlw_attr(w, NULL, "Name", at->name);
		xmlw_attr(w, NULL, "NameFormat", SAML_ATTRNAME_URI);
		for (size_t v = 0; v < at->n_values; v++)
			xmlw_element(w, &xmlns_saml, "AttributeValue", at->values[v]);
		xmlw_close(w);
	}
	if (any)
		xmlw_close(w);
}

/* An earlier row has the same URI. */
static bool
is_told(const struct saml_suite *s)
{
	const struct saml_suite *before;

	for (size_t i = 0; (before = saml_suite_at(i)) != s; i++)
		if (strcmp(before->uri, s->uri) == 0)
			return true;
	return false;
}

/* SAML2MetaAlgSup 2.3, 2.4: what a peer may sign with, since that is what we verify. */
static void
write_algsupport(struct xmlw *w, struct arena *a, const struct saml_description *d)
{
	const struct saml_suite *s;
	const char *digest;
	int least, most;

	for (size_t i = 0; (digest = saml_digest_at(i)) != NULL; i++)
		write_algorithm(w, &xmlns_alg, "DigestMethod", digest);
	for (size_t i = 0; (s = saml_suite_at(i)) != NULL; i++) {
		if (is_told(s) || (s->old && !d->old))
			continue;
		cert_key_bits(s->how.key, &least, &most);
		xmlw_open(w, &xmlns_alg, "SigningMethod");
		xmlw_attr(w, NULL, "Algorithm", s->uri);
		xmlw_attr(w, NULL, "MinKeySize", arena_printf(a, "%d", least));
		xmlw_attr(w, NULL, "MaxKeySize", arena_printf(a, "%d", most));
		xmlw_close(w);
	}
}

static void
write_entity_extensions(struct xmlw *w, struct arena *a, const struct saml_description *d)
{
	xmlw_open(w, &xmlns_md, "Extensions");
	write_entity_attributes(w, d);
	write_algsupport(w, a, d);
	xmlw_close(w);
}

/* ---- what people are shown ---- */

static void
write_logo(struct xmlw *w, struct arena *a, const struct saml_ui_info *ui)
{
	xmlw_open(w, &xmlns_mdui, "Logo");
	xmlw_attr(w, NULL, "height", arena_printf(a, "%" PRIu64, ui->logo_height));
	xmlw_attr(w, NULL, "width", arena_printf(a, "%" PRIu64, ui->logo_width));
	xmlw_text(w, ui->logo_url);
	xmlw_close(w);
}

static void
write_ui_info(struct xmlw *w, struct arena *a, const struct saml_ui_info *ui)
{
	if (ui->display_name.n == 0)
		return;
	xmlw_open(w, &xmlns_md, "Extensions");
	xmlw_open(w, &xmlns_mdui, "UIInfo");
	write_texts(w, &xmlns_mdui, "DisplayName", &ui->display_name);
	write_texts(w, &xmlns_mdui, "Description", &ui->description);
	write_texts(w, &xmlns_mdui, "InformationURL", &ui->information_url);
	write_texts(w, &xmlns_mdui, "PrivacyStatementURL", &ui->privacy_url);
	if (ui->logo_url != NULL)
		write_logo(w, a, ui);
	xmlw_close(w);
	xmlw_close(w);
}

/* ---- keys ---- */

static void
write_certificate(struct xmlw *w, struct bytes der)
{
	xmlw_open(w, &xmlns_ds, "KeyInfo");
	xmlw_open(w, &xmlns_ds, "X509Data");
	xmlw_open(w, &xmlns_ds, "X509Certificate");
	xmlw_base64(w, der);
	xmlw_close(w);
	xmlw_close(w);
	xmlw_close(w);
}

/* With the digest and the mask that the transport is held to (XMLENC 1.1 5.5.2). */
static void
write_transport(struct xmlw *w, const struct xmlenc_transport_row *row)
{
	xmlw_open(w, &xmlns_md, "EncryptionMethod");
	xmlw_attr(w, NULL, "Algorithm", row->uri);
	if (row->digest_uri != NULL)
		write_algorithm(w, &xmlns_ds, "DigestMethod", row->digest_uri);
	if (row->mgf_uri != NULL)
		write_algorithm(w, &xmlns_xenc11, "MGF", row->mgf_uri);
	xmlw_close(w);
}

/* What we can open with a key of this type. */
static void
write_methods(struct xmlw *w, enum key_type type)
{
	bool ec = key_type_row(type)->curve != NULL;
	const struct xmlenc_transport_row *transport;
	const struct xmlenc_content_row *content;

	for (size_t i = 0; (content = xmlenc_content_at(i)) != NULL; i++)
		write_algorithm(w, &xmlns_md, "EncryptionMethod", content->uri);
	for (size_t i = 0; ec && (content = xmlenc_content_at(i)) != NULL; i++)
		write_algorithm(w, &xmlns_md, "EncryptionMethod", content->key_wrap_uri);
	for (size_t i = 0; (transport = xmlenc_transport_at(i)) != NULL; i++)
		if ((transport->wrap == WRAP_NONE) == ec)
			write_transport(w, transport);
}

static void
write_keys(struct xmlw *w, const struct saml_description *d)
{
	for (size_t i = 0; i < d->n_signing; i++) {
		xmlw_open(w, &xmlns_md, "KeyDescriptor");
		xmlw_attr(w, NULL, "use", "signing");
		write_certificate(w, d->signing[i].cert_der);
		xmlw_close(w);
	}
	for (size_t i = 0; i < d->n_encryption; i++) {
		xmlw_open(w, &xmlns_md, "KeyDescriptor");
		xmlw_attr(w, NULL, "use", "encryption");
		write_certificate(w, d->encryption[i].cert_der);
		write_methods(w, d->encryption[i].type);
		xmlw_close(w);
	}
}

/* ---- services ---- */

static void
write_endpoint(struct xmlw *w, const char *name, const struct saml_binding_row *row,
	       const char *url)
{
	xmlw_open(w, &xmlns_md, name);
	xmlw_attr(w, NULL, "Binding", row->uri);
	xmlw_attr(w, NULL, "Location", url);
	xmlw_close(w);
}

/* SAML2Metadata 2.4.2: artifacts name it by its index. */
static void
write_artifact_service(struct xmlw *w, struct arena *a, const struct saml_description *d)
{
	if (d->artifact_url == NULL)
		return;
	xmlw_open(w, &xmlns_md, "ArtifactResolutionService");
	xmlw_attr(w, NULL, "Binding", SAML_BINDING_URI_SOAP);
	xmlw_attr(w, NULL, "Location", d->artifact_url);
	xmlw_attr(w, NULL, "index", arena_printf(a, "%d", SAML_ARTIFACT_INDEX));
	xmlw_attr(w, NULL, "isDefault", "true");
	xmlw_close(w);
}

static void
write_logout_services(struct xmlw *w, const struct saml_description *d)
{
	const struct saml_binding_row *row;

	for (size_t i = 0; (row = saml_binding_at(i)) != NULL; i++) {
		const char *url = row->id == SAML_BINDING_SOAP ? d->slo_soap_url : d->slo_url;

		if (row->for_logout && url != NULL)
			write_endpoint(w, "SingleLogoutService", row, url);
	}
}

static const char *
sign_on_url(const struct saml_description *d, enum saml_binding binding)
{
	if (binding == SAML_BINDING_SOAP)
		return d->sso_soap_url;
	return binding == SAML_BINDING_POST && d->sso_post_url != NULL ? d->sso_post_url
								       : d->sso_url;
}

static void
write_sign_on_services(struct xmlw *w, const struct saml_description *d)
{
	const struct saml_binding_row *row;

	for (size_t i = 0; (row = saml_binding_at(i)) != NULL; i++) {
		const char *url = sign_on_url(d, row->id);

		if (row->for_request && url != NULL)
			write_endpoint(w, "SingleSignOnService", row, url);
	}
}

static void
write_nameid_formats(struct xmlw *w, unsigned set)
{
	const char *uri;

	while ((uri = saml_nameid_format_first(set)) != NULL) {
		xmlw_element(w, &xmlns_md, "NameIDFormat", uri);
		set &= ~saml_nameid_format_bit(uri);
	}
}

static void
write_attributes(struct xmlw *w, const struct saml_description *d)
{
	for (size_t i = 0; i < d->n_attributes; i++) {
		struct saml_attribute at = d->attributes[i];

		at.n_values = 0;
		saml_attribute_write(w, &at);
	}
}

static void
write_role(struct xmlw *w, struct arena *a, const struct saml_description *d)
{
	xmlw_open(w, &xmlns_md, "IDPSSODescriptor");
	xmlw_attr(w, NULL, "WantAuthnRequestsSigned",
		  d->want_authn_requests_signed ? "true" : "false");
	xmlw_attr(w, NULL, "protocolSupportEnumeration", SAML_NS_PROTOCOL);
	write_ui_info(w, a, &d->ui);
	write_keys(w, d);
	write_artifact_service(w, a, d);
	write_logout_services(w, d);
	write_nameid_formats(w, d->nameid_formats);
	write_sign_on_services(w, d);
	write_attributes(w, d);
	xmlw_close(w);
}

/* SAML2Metadata 2.4.4: ourselves, as other providers know us. */
static void
write_service_provider(struct xmlw *w, struct arena *a, const struct saml_description *d)
{
	if (d->acs_url == NULL)
		return;
	xmlw_open(w, &xmlns_md, "SPSSODescriptor");
	xmlw_attr(w, NULL, "AuthnRequestsSigned", "true");
	xmlw_attr(w, NULL, "WantAssertionsSigned", "true");
	xmlw_attr(w, NULL, "protocolSupportEnumeration", SAML_NS_PROTOCOL);
	write_ui_info(w, a, &d->ui);
	write_keys(w, d);
	write_nameid_formats(w, SAML_NAMEID_IS_TRANSIENT | SAML_NAMEID_IS_PERSISTENT);
	xmlw_open(w, &xmlns_md, "AssertionConsumerService");
	xmlw_attr(w, NULL, "Binding", SAML_BINDING_URI_POST);
	xmlw_attr(w, NULL, "Location", d->acs_url);
	xmlw_attr(w, NULL, "index", "0");
	xmlw_attr(w, NULL, "isDefault", "true");
	xmlw_close(w);
	xmlw_close(w);
}

/* SAML2Metadata 2.4.7: whom to ask for attributes without a login, by the names we give. */
static void
write_attribute_authority(struct xmlw *w, const struct saml_description *d)
{
	unsigned asked_by = SAML_NAMEID_IS_TRANSIENT | SAML_NAMEID_IS_PERSISTENT;

	if (d->attribute_url == NULL)
		return;
	xmlw_open(w, &xmlns_md, "AttributeAuthorityDescriptor");
	xmlw_attr(w, NULL, "protocolSupportEnumeration", SAML_NS_PROTOCOL);
	write_keys(w, d);
	write_endpoint(w, "AttributeService", saml_binding_find(SAML_BINDING_SOAP),
		       d->attribute_url);
	write_nameid_formats(w, d->nameid_formats & asked_by);
	write_attributes(w, d);
	xmlw_close(w);
}

/* ---- people ---- */

static void
write_organization(struct xmlw *w, const struct saml_description *d)
{
	if (d->organization_name.n == 0)
		return;
	xmlw_open(w, &xmlns_md, "Organization");
	write_texts(w, &xmlns_md, "OrganizationName", &d->organization_name);
	write_texts(w, &xmlns_md, "OrganizationDisplayName", &d->organization_display_name);
	write_texts(w, &xmlns_md, "OrganizationURL", &d->organization_url);
	xmlw_close(w);
}

static void
write_contacts(struct xmlw *w, struct arena *a, const struct saml_description *d)
{
	for (size_t i = 0; i < d->n_contacts; i++) {
		const struct saml_published_contact *c = &d->contacts[i];

		xmlw_open(w, &xmlns_md, "ContactPerson");
		xmlw_attr(w, NULL, "contactType", c->type);
		if (c->security != NULL)
			xmlw_attr(w, &xmlns_remd, "contactType", REFEDS_SECURITY);
		if (c->company != NULL)
			xmlw_element(w, &xmlns_md, "Company", c->company);
		if (c->security != NULL)
			xmlw_element(w, &xmlns_md, "GivenName", c->security);
		if (c->email != NULL)
			xmlw_element(w, &xmlns_md, "EmailAddress",
				     arena_printf(a, "mailto:%s", c->email));
		xmlw_close(w);
	}
}

bool
saml_metadata_build(struct arena *a, const struct saml_description *d,
		    const struct saml_signer *signer, struct bytes *out, struct err *err)
{
	struct saml_to_sign entity = {.id = d->id};
	struct xmlw w;

	if (d->n_signing == 0)
		return FAIL(err, ERR_INTERNAL, NULL, "metadata without a signing key");
	xmlw_init(&w, a, METADATA_MAX);
	xmlw_open(&w, &xmlns_md, "EntityDescriptor");
	xmlw_attr(&w, NULL, "ID", d->id);
	xmlw_attr(&w, NULL, "entityID", d->entity_id);
	xmlw_attr(&w, NULL, "validUntil", clock_text(a, d->valid_until));
	xmlw_attr(&w, NULL, "cacheDuration", arena_printf(a, "PT%lldS", (long long)d->cache_s));
	entity.place = xmlw_place(&w);
	write_entity_extensions(&w, a, d);
	write_role(&w, a, d);
	write_service_provider(&w, a, d);
	write_attribute_authority(&w, d);
	write_organization(&w, d);
	write_contacts(&w, a, d);
	xmlw_close(&w);
	return xmlw_finish(&w, &entity.element, err) &&
	       saml_sign_enveloped(a, signer, &entity, out, err);
}
