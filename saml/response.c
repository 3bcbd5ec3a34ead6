/* Building Responses; see response.h. */
#include "saml/response.h"

#include "base/clock.h"
#include "base/text.h"
#include "saml/xmlenc.h"

#define RESPONSE_MAX ((size_t)2 * 1024 * 1024)

/* Shall the assertion be encrypted?  ERR_DENIED: it should, and cannot. */
static bool
decide_encryption(const struct saml_peer *to, bool *out, struct err *err)
{
	bool can = to->party->recipient.key != NULL;

	if (to->policy->encrypt == SAML_ENCRYPT_ALWAYS && !can)
		return FAIL(err, ERR_DENIED, SAML_REQUEST_DENIED,
			    "party has no key to encrypt for it");
	*out = can && to->policy->encrypt != SAML_ENCRYPT_NEVER;
	return true;
}

/* What goes into a Response, and the prefixes of values in it that show; all zero: nothing. */
struct inside {
	struct bytes element;
	const char *prefix_list;
};

/* Sign first, then encrypt (TR-03160-2 4.3.2.8). */
static bool
build_assertion(struct arena *a, const struct saml_assertion *facts, const struct saml_peer *to,
		struct inside *out, struct err *err)
{
	struct saml_to_sign assertion = {0};
	bool encrypt;

	if (!decide_encryption(to, &encrypt, err) ||
	    !saml_assertion_build(a, facts, &assertion, err))
		return false;
	if (to->policy->sign != SAML_SIGN_RESPONSE &&
	    !saml_sign_enveloped(a, to->signer, &assertion, &assertion.element, err))
		return false;
	if (encrypt && !xmlenc_encrypt(a, assertion.element, "EncryptedAssertion",
				       &to->party->recipient, &assertion.element, err))
		return false;
	out->element = assertion.element;
	out->prefix_list = encrypt ? NULL : assertion.prefix_list;
	return true;
}

static bool
write_response(struct arena *a, const struct saml_response *r, const struct inside *inside,
	       struct saml_to_sign *out, struct err *err)
{
	struct xmlw w;

	xmlw_init(&w, a, RESPONSE_MAX);
	xmlw_open(&w, &xmlns_samlp, "Response");
	xmlw_attr(&w, NULL, "Destination", r->destination);
	xmlw_attr(&w, NULL, "ID", r->id);
	xmlw_attr(&w, NULL, "InResponseTo", r->in_response_to);
	xmlw_attr(&w, NULL, "IssueInstant", clock_text(a, r->issued_at));
	xmlw_attr(&w, NULL, "Version", "2.0");
	xmlw_element(&w, &xmlns_saml, "Issuer", r->issuer);
	out->place = xmlw_place(&w);
	out->id = r->id;
	out->prefix_list = inside->prefix_list;
	saml_status_write(&w, &r->status);
	xmlw_canonical(&w, &xmlns_saml, inside->element);
	xmlw_close(&w);
	return xmlw_finish(&w, &out->element, err);
}

bool
saml_response_build(struct arena *a, const struct saml_response *r, const struct saml_peer *to,
		    struct saml_carrier *out, struct err *err)
{
	struct saml_to_sign response = {0};
	struct inside inside = {0};

	if (text_eq(r->status.code, SAML_SUCCESS) != (r->assertion != NULL))
		return FAIL(err, ERR_INTERNAL, NULL, "status and assertion do not fit");
	if (r->assertion != NULL && !build_assertion(a, r->assertion, to, &inside, err))
		return false;
	if (!write_response(a, r, &inside, &response, err))
		return false;
	const struct saml_outgoing message = {
		.is_response = true,
		.url = r->destination,
		.relay_state = r->relay_state,
		.message = &response,
		.signer = r->assertion != NULL && to->policy->sign == SAML_SIGN_ASSERTION
				  ? NULL
				  : to->signer,
		.request_signed = r->request_signed,
		.artifact = r->artifact,
	};

	return saml_binding_encode(a, r->binding, &message, out, err);
}
