/* Another identity provider for the tests; see provider.h. */
#include "tests/saml/provider.h"

#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "keys/key_type.h"
#include "saml/names.h"
#include "saml/status.h"
#include "saml/xmlenc.h"
#include "tests/saml/portal.h"
#include "tests/test.h"

struct provider_answer
provider_answer(const char *request_id, time_t now)
{
	return (struct provider_answer){
		.entity = PROVIDER_ENTITY,
		.sp = "https://konto.example/saml/metadata",
		.acs = "https://konto.example/saml/acs",
		.request_id = request_id,
		.nameid = "QmFkZW4tV3VlcnR0ZW1iZXJn",
		.nameid_format = SAML_NAMEID_PERSISTENT,
		.class_ref = "STORK-QAA-Level-3",
		.now = now,
		.suite = "ecdsa-sha256",
	};
}

static const char *
changed(struct arena *a, const char *text, const struct change *list)
{
	for (size_t i = 0; i < PROVIDER_CHANGES && list[i].from != NULL; i++)
		text = replace(a, text, list[i].from, list[i].to);
	return text;
}

static const char *
sign(struct arena *a, const struct test_keys *k, const struct provider_answer *p, const char *text,
     const char *id)
{
	static const char after[] = "</saml:Issuer>";
	const char *place = strstr(text, after);
	struct saml_signer signer = test_signer(k, p->suite);
	struct saml_to_sign what = {.element = bytes_of(text), .id = id, .prefix_list = "xs"};
	struct bytes out;
	struct err err = {0};

	what.place = place == NULL ? 0 : (size_t)(place - text) + strlen(after);
	ASSERT_OK(saml_sign_enveloped(a, &signer, &what, &out, &err), &err);
	return text_of(a, out);
}

/* The ID that an element has now, whatever was changed. */
static const char *
id_of(struct arena *a, const char *text)
{
	const char *id = strstr(text, " ID=\"");

	return id == NULL ? "_none" : arena_strndup(a, id + 5, strcspn(id + 5, "\""));
}

static const char *
encrypted(struct arena *a, const struct provider_answer *p, const char *assertion)
{
	const struct xmlenc_recipient to = {
		.key = p->encrypt_to, .content = XMLENC_A256GCM, .transport = XMLENC_OAEP_SHA256};
	struct bytes out;
	struct err err = {0};

	ASSERT_OK(xmlenc_encrypt(a, bytes_of(assertion), "EncryptedAssertion", &to, &out, &err),
		  &err);
	return text_of(a, out);
}

static const char *
assertion_of(struct arena *a, const struct test_keys *k, const struct provider_answer *p)
{
	const struct saml_assertion facts = {
		.id = p->assertion_id != NULL ? p->assertion_id
					      : arena_printf(a, "_a%s", p->request_id),
		.issuer = p->entity,
		.audience = p->sp,
		.recipient = p->acs,
		.in_response_to = p->request_id,
		.nameid = {.value = p->nameid,
			   .format = p->nameid_format,
			   .name_qualifier = p->entity,
			   .sp_name_qualifier = p->sp},
		.issued_at = p->now,
		.not_before = p->now - 30,
		.not_on_or_after = p->now + 120,
		.authn_at = p->now,
		.session_index = "_session",
		.class_ref = p->class_ref,
		.attributes = p->attributes,
		.n_attributes = p->n_attributes,
	};
	struct saml_to_sign built;
	struct err err = {0};

	ASSERT_OK(saml_assertion_build(a, &facts, &built, &err), &err);
	const char *text = changed(a, text_of(a, built.element), p->assertion);

	if (!p->unsigned_assertion)
		text = sign(a, k, p, text, id_of(a, text));
	text = changed(a, text, p->signed_assertion);
	return p->encrypt_to == NULL ? text : encrypted(a, p, text);
}

static const char *
status_of(struct arena *a, const struct provider_answer *p)
{
	return arena_printf(
		a,
		"<samlp:Status><samlp:StatusCode Value=\"%s\">%s</samlp:StatusCode></samlp:Status>",
		p->status == NULL ? SAML_SUCCESS : p->status,
		p->substatus == NULL
			? ""
			: arena_printf(a, "<samlp:StatusCode Value=\"%s\"></samlp:StatusCode>",
				       p->substatus));
}

const char *
provider_response(struct arena *a, const struct test_keys *k, const struct provider_answer *p)
{
	const char *text = arena_printf(
		a,
		"<samlp:Response xmlns:samlp=\"" SAML_NS_PROTOCOL
		"\" Destination=\"%s\" ID=\"%s\" InResponseTo=\"%s\" IssueInstant=\"%s\" "
		"Version=\"2.0\"><saml:Issuer xmlns:saml=\"" SAML_NS_ASSERTION
		"\">%s</saml:Issuer>%s%s</samlp:Response>",
		p->acs,
		p->response_id != NULL ? p->response_id : arena_printf(a, "_r%s", p->request_id),
		p->request_id, clock_text(a, p->now), p->entity, status_of(a, p),
		p->status == NULL ? assertion_of(a, k, p) : "");

	text = changed(a, text, p->response);
	if (!p->unsigned_response)
		text = sign(a, k, p, text, id_of(a, text));
	return changed(a, text, p->signed_response);
}

const char *
provider_form_of(struct arena *a, const char *xml, const char *relay_state)
{
	return portal_form(a, "SAMLResponse", xml, relay_state);
}

const char *
provider_form(struct arena *a, const struct test_keys *k, const struct provider_answer *p)
{
	return provider_form_of(a, provider_response(a, k, p), p->relay_state);
}

const char *
provider_metadata(struct arena *a, const struct test_keys *k, const char *entity, const char *sso,
		  const char *suite)
{
	return arena_printf(
		a,
		"<md:EntityDescriptor xmlns:md=\"" SAML_NS_METADATA "\" xmlns:ds=\"" SAML_NS_DS
		"\" entityID=\"%s\"><md:IDPSSODescriptor WantAuthnRequestsSigned=\"true\" "
		"protocolSupportEnumeration=\"" SAML_NS_PROTOCOL
		"\"><md:KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data>"
		"<ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
		"</md:KeyDescriptor><md:SingleSignOnService Binding=\"" SAML_BINDING_URI_REDIRECT
		"\" Location=\"%s\"/><md:SingleSignOnService Binding=\"" SAML_BINDING_URI_POST
		"\" Location=\"%s/post\"/></md:IDPSSODescriptor></md:EntityDescriptor>",
		entity, enc_base64(a, test_signer(k, suite).cert_der), sso, sso);
}
