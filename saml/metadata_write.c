/* Writing our metadata; see metadata_write.h. */
#include "saml/metadata_write.h"

#include "base/clock.h"
#include "keys/key_type.h"
#include "saml/names.h"
#include "saml/xmlenc_alg.h"

#define METADATA_MAX ((size_t)1024 * 1024)

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

static void
write_method(struct xmlw *w, const char *uri)
{
	xmlw_open(w, &xmlns_md, "EncryptionMethod");
	xmlw_attr(w, NULL, "Algorithm", uri);
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
		write_method(w, content->uri);
	for (size_t i = 0; (transport = xmlenc_transport_at(i)) != NULL; i++)
		if ((transport->wrap == WRAP_NONE) == ec)
			write_method(w, transport->uri);
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

static void
write_logout_services(struct xmlw *w, const struct saml_description *d)
{
	const struct saml_binding_row *row;

	for (size_t i = 0; (row = saml_binding_at(i)) != NULL; i++)
		if (row->for_logout) /* second line: every binding there is carries it */
			write_endpoint(w, "SingleLogoutService", row,
				       row->id == SAML_BINDING_SOAP ? d->slo_soap_url : d->slo_url);
}

static void
write_sign_on_services(struct xmlw *w, const struct saml_description *d)
{
	const struct saml_binding_row *row;

	for (size_t i = 0; (row = saml_binding_at(i)) != NULL; i++)
		if (row->for_request)
			write_endpoint(w, "SingleSignOnService", row, d->sso_url);
}

static void
write_role(struct xmlw *w, const struct saml_description *d)
{
	xmlw_open(w, &xmlns_md, "IDPSSODescriptor");
	xmlw_attr(w, NULL, "WantAuthnRequestsSigned",
		  d->want_authn_requests_signed ? "true" : "false");
	xmlw_attr(w, NULL, "protocolSupportEnumeration", SAML_NS_PROTOCOL);
	write_keys(w, d);
	write_logout_services(w, d);
	xmlw_element(w, &xmlns_md, "NameIDFormat", SAML_NAMEID_TRANSIENT);
	xmlw_element(w, &xmlns_md, "NameIDFormat", SAML_NAMEID_PERSISTENT);
	write_sign_on_services(w, d);
	for (size_t i = 0; i < d->n_attributes; i++) {
		struct saml_attribute at = d->attributes[i];

		at.n_values = 0;
		saml_attribute_write(w, &at);
	}
	xmlw_close(w);
}

/* ---- people ---- */

static void
write_texts(struct xmlw *w, const char *name, const struct saml_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		xmlw_open(w, &xmlns_md, name);
		xmlw_attr(w, &xmlns_xml, "lang", texts->p[i].lang);
		xmlw_text(w, texts->p[i].text);
		xmlw_close(w);
	}
}

static void
write_organization(struct xmlw *w, const struct saml_description *d)
{
	if (d->organization_name.n == 0)
		return;
	xmlw_open(w, &xmlns_md, "Organization");
	write_texts(w, "OrganizationName", &d->organization_name);
	write_texts(w, "OrganizationDisplayName", &d->organization_display_name);
	write_texts(w, "OrganizationURL", &d->organization_url);
	xmlw_close(w);
}

static void
write_contacts(struct xmlw *w, struct arena *a, const struct saml_description *d)
{
	for (size_t i = 0; i < d->n_contacts; i++) {
		const struct saml_published_contact *c = &d->contacts[i];

		xmlw_open(w, &xmlns_md, "ContactPerson");
		xmlw_attr(w, NULL, "contactType", c->type);
		if (c->company != NULL)
			xmlw_element(w, &xmlns_md, "Company", c->company);
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
	entity.place = xmlw_place(&w);
	write_role(&w, d);
	write_organization(&w, d);
	write_contacts(&w, a, d);
	xmlw_close(&w);
	return xmlw_finish(&w, &entity.element, err) &&
	       saml_sign_enveloped(a, signer, &entity, out, err);
}
