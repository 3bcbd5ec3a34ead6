/* Writing AuthnRequests; see authn_request_write.h. */
#include "saml/authn_request_write.h"

#include "base/clock.h"
#include "saml/names.h"
#include "saml/nameid.h"

#define REQUEST_MAX ((size_t)64 * 1024)

static const struct xmlns xmlns_akdb_ui = {"classic-ui", SAML_NS_AKDB_UI};
static const struct xmlns xmlns_eidas = {"eidas", SAML_NS_EIDAS};

/* ---- extensions ---- */

static void
write_methods(struct xmlw *w, unsigned methods)
{
	const char *name;

	if (methods == 0)
		return;
	xmlw_open(w, &xmlns_akdb, "AuthnMethods");
	for (size_t i = 0; (name = saml_akdb_method_name(i)) != NULL; i++) {
		xmlw_open(w, &xmlns_akdb, name);
		xmlw_element(w, &xmlns_akdb, "Enabled",
			     (methods & saml_akdb_method_of(name)) != 0 ? "true" : "false");
		xmlw_close(w);
	}
	xmlw_close(w);
}

static void
write_akdb(struct xmlw *w, const struct saml_akdb_ask *ask)
{
	xmlw_open(w, &xmlns_akdb, "AuthenticationRequest");
	xmlw_attr(w, NULL, "EnableStatusDetail", "true");
	xmlw_attr(w, NULL, "Version", "2");
	write_methods(w, ask->methods);
	xmlw_open(w, &xmlns_akdb, "RequestedAttributes");
	for (size_t i = 0; i < ask->attributes.n; i++) {
		xmlw_open(w, &xmlns_akdb, "RequestedAttribute");
		xmlw_attr(w, NULL, "Name", ask->attributes.p[i].name);
		xmlw_attr(w, NULL, "RequiredAttribute",
			  ask->attributes.p[i].required ? "true" : "false");
		xmlw_close(w);
	}
	xmlw_close(w);
	xmlw_open(w, &xmlns_akdb, "DisplayInformation");
	xmlw_open(w, &xmlns_akdb_ui, "Version");
	xmlw_element(w, &xmlns_akdb_ui, "OrganizationDisplayName", ask->organization_display_name);
	if (ask->lang != NULL)
		xmlw_element(w, &xmlns_akdb_ui, "Lang", ask->lang);
	if (ask->online_service_id != NULL)
		xmlw_element(w, &xmlns_akdb_ui, "OnlineServiceId", ask->online_service_id);
	xmlw_close(w);
	xmlw_close(w);
	xmlw_close(w);
}

static void
write_eidas(struct xmlw *w, const struct saml_eidas_ask *ask)
{
	xmlw_element(w, &xmlns_eidas, "SPType", ask->sp_type);
	xmlw_open(w, &xmlns_eidas, "RequestedAttributes");
	for (size_t i = 0; i < ask->attributes.n; i++) {
		xmlw_open(w, &xmlns_eidas, "RequestedAttribute");
		xmlw_attr(w, NULL, "Name", ask->attributes.p[i].name);
		xmlw_attr(w, NULL, "NameFormat", SAML_ATTRNAME_URI);
		xmlw_attr(w, NULL, "isRequired", ask->attributes.p[i].required ? "true" : "false");
		xmlw_close(w);
	}
	xmlw_close(w);
}

static void
write_extensions(struct xmlw *w, const struct saml_authn_ask *ask)
{
	if (ask->akdb == NULL && ask->eidas == NULL)
		return;
	xmlw_open(w, &xmlns_samlp, "Extensions");
	if (ask->akdb != NULL)
		write_akdb(w, ask->akdb);
	if (ask->eidas != NULL)
		write_eidas(w, ask->eidas);
	xmlw_close(w);
}

/* ---- the rest ---- */

static void
write_context(struct xmlw *w, const char *class_ref)
{
	if (class_ref == NULL)
		return;
	xmlw_open(w, &xmlns_samlp, "RequestedAuthnContext");
	xmlw_attr(w, NULL, "Comparison", "minimum");
	xmlw_element(w, &xmlns_saml, "AuthnContextClassRef", class_ref);
	xmlw_close(w);
}

/* SAML2Core 3.4.1.2, 3.4.1.5: whom it is for, and that it is to be answered there itself. */
static void
write_scoping(struct xmlw *w, const struct saml_authn_ask *ask)
{
	if (!ask->scoping)
		return;
	xmlw_open(w, &xmlns_samlp, "Scoping");
	xmlw_attr(w, NULL, "ProxyCount", "0");
	for (size_t i = 0; i < ask->n_requesters; i++)
		xmlw_element(w, &xmlns_samlp, "RequesterID", ask->requesters[i]);
	xmlw_close(w);
}

bool
saml_authn_ask_build(struct arena *a, const struct saml_authn_ask *ask, struct saml_carrier *out,
		     struct err *err)
{
	struct saml_to_sign message = {.id = ask->id};
	const struct saml_outgoing outgoing = {
		.url = ask->url,
		.relay_state = ask->relay_state,
		.message = &message,
		.signer = ask->signer,
	};
	struct xmlw w;

	xmlw_init(&w, a, REQUEST_MAX);
	xmlw_open(&w, &xmlns_samlp, "AuthnRequest");
	xmlw_attr(&w, NULL, "AssertionConsumerServiceURL", ask->acs_url);
	xmlw_attr(&w, NULL, "Destination", ask->url);
	xmlw_attr(&w, NULL, "ForceAuthn", "true");
	xmlw_attr(&w, NULL, "ID", ask->id);
	xmlw_attr(&w, NULL, "IsPassive", "false");
	xmlw_attr(&w, NULL, "IssueInstant", clock_text(a, ask->issued_at));
	xmlw_attr(&w, NULL, "ProtocolBinding", SAML_BINDING_URI_POST);
	xmlw_attr(&w, NULL, "ProviderName", ask->provider_name);
	xmlw_attr(&w, NULL, "Version", "2.0");
	xmlw_element(&w, &xmlns_saml, "Issuer", ask->issuer);
	message.place = xmlw_place(&w);
	write_extensions(&w, ask);
	if (ask->nameid_format != NULL) {
		xmlw_open(&w, &xmlns_samlp, "NameIDPolicy");
		xmlw_attr(&w, NULL, "AllowCreate", "true");
		xmlw_attr(&w, NULL, "Format", ask->nameid_format);
		xmlw_close(&w);
	}
	write_context(&w, ask->class_ref);
	write_scoping(&w, ask);
	xmlw_close(&w);
	return xmlw_finish(&w, &message.element, err) &&
	       saml_binding_encode(a, ask->binding, &outgoing, out, err);
}
