/* Writing assertions; see assertion.h. */
#include "saml/assertion.h"

#include "base/clock.h"
#include "saml/names.h"

#define ASSERTION_MAX ((size_t)1024 * 1024)

/* SAML2Profiles 4.1.4.2: bearer, with all that binds it to this request and this endpoint. */
static void
write_confirmation(struct xmlw *w, struct arena *a, const struct saml_assertion *f)
{
	xmlw_open(w, &xmlns_saml, "SubjectConfirmation");
	xmlw_attr(w, NULL, "Method", SAML_CM_BEARER);
	xmlw_open(w, &xmlns_saml, "SubjectConfirmationData");
	xmlw_attr(w, NULL, "Address", f->address);
	xmlw_attr(w, NULL, "InResponseTo", f->in_response_to);
	xmlw_attr(w, NULL, "NotOnOrAfter", clock_text(a, f->not_on_or_after));
	xmlw_attr(w, NULL, "Recipient", f->recipient);
	xmlw_close(w);
	xmlw_close(w);
}

static void
write_subject(struct xmlw *w, struct arena *a, const struct saml_assertion *f)
{
	xmlw_open(w, &xmlns_saml, "Subject");
	saml_nameid_write(w, &f->nameid);
	if (f->recipient != NULL)
		write_confirmation(w, a, f);
	xmlw_close(w);
}

static void
write_conditions(struct xmlw *w, struct arena *a, const struct saml_assertion *f)
{
	xmlw_open(w, &xmlns_saml, "Conditions");
	xmlw_attr(w, NULL, "NotBefore", clock_text(a, f->not_before));
	xmlw_attr(w, NULL, "NotOnOrAfter", clock_text(a, f->not_on_or_after));
	xmlw_open(w, &xmlns_saml, "AudienceRestriction");
	xmlw_element(w, &xmlns_saml, "Audience", f->audience);
	xmlw_close(w);
	if (f->one_time_use)
		xmlw_element(w, &xmlns_saml, "OneTimeUse", NULL);
	xmlw_close(w);
}

static void
write_authn(struct xmlw *w, struct arena *a, const struct saml_assertion *f)
{
	xmlw_open(w, &xmlns_saml, "AuthnStatement");
	xmlw_attr(w, NULL, "AuthnInstant", clock_text(a, f->authn_at));
	xmlw_attr(w, NULL, "SessionIndex", f->session_index);
	if (f->session_not_on_or_after != 0)
		xmlw_attr(w, NULL, "SessionNotOnOrAfter",
			  clock_text(a, f->session_not_on_or_after));
	if (f->address != NULL) {
		xmlw_open(w, &xmlns_saml, "SubjectLocality");
		xmlw_attr(w, NULL, "Address", f->address);
		xmlw_close(w);
	}
	xmlw_open(w, &xmlns_saml, "AuthnContext");
	xmlw_element(w, &xmlns_saml, "AuthnContextClassRef", f->class_ref);
	for (size_t i = 0; i < f->n_authorities; i++)
		xmlw_element(w, &xmlns_saml, "AuthenticatingAuthority", f->authorities[i]);
	xmlw_close(w);
	xmlw_close(w);
}

static void
write_attributes(struct xmlw *w, const struct saml_assertion *f)
{
	if (f->n_attributes == 0)
		return;
	xmlw_open(w, &xmlns_saml, "AttributeStatement");
	for (size_t i = 0; i < f->n_attributes; i++)
		saml_attribute_write(w, &f->attributes[i]);
	xmlw_close(w);
}

/* Prefixes that occur in values of xsi:type alone; the list that the signature names them by. */
static const char *
declare_types(struct xmlw *w, struct arena *a, const struct saml_assertion *f)
{
	const struct xmlns *other = NULL;

	for (size_t i = 0; i < f->n_attributes && other == NULL; i++)
		other = f->attributes[i].type_ns;
	xmlw_declare(w, &xmlns_xs);
	if (other == NULL)
		return xmlns_xs.prefix;
	xmlw_declare(w, other);
	return arena_printf(a, "%s %s", other->prefix, xmlns_xs.prefix);
}

bool
saml_assertion_build(struct arena *a, const struct saml_assertion *f, struct saml_to_sign *out,
		     struct err *err)
{
	struct saml_to_sign done = {.id = f->id};
	struct xmlw w;

	xmlw_init(&w, a, ASSERTION_MAX);
	xmlw_open(&w, &xmlns_saml, "Assertion");
	done.prefix_list = declare_types(&w, a, f);
	xmlw_attr(&w, NULL, "ID", f->id);
	xmlw_attr(&w, NULL, "IssueInstant", clock_text(a, f->issued_at));
	xmlw_attr(&w, NULL, "Version", "2.0");
	xmlw_element(&w, &xmlns_saml, "Issuer", f->issuer);
	done.place = xmlw_place(&w);
	write_subject(&w, a, f);
	write_conditions(&w, a, f);
	if (f->authn_at != 0)
		write_authn(&w, a, f);
	write_attributes(&w, f);
	xmlw_close(&w);
	if (!xmlw_finish(&w, &done.element, err))
		return false;
	*out = done;
	return true;
}
