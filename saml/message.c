/* Received, verified and common parts of messages; see message.h. */
#include "saml/message.h"

#include <string.h>

#include "base/text.h"
#include "saml/names.h"
#include "saml/schema.h"
#include "saml/soap.h"
#include "saml/status.h"
#include "saml/value.h"
#include "saml/xmlsig.h"

#define ID_MAX 256

const struct saml_window saml_window_default = {180, 300};

struct saml_message {
	struct saml_wire wire;
	const struct xml_node *root;
	enum saml_kind kind;
	const char *issuer;
};

struct saml_verified {
	enum saml_proof proof;
	const struct saml_party *party;
	enum saml_kind kind;
	const struct xml_node *root;
	const struct saml_suite *suite; /* of its signature; NULL: there is none */
};

/* ---- received ---- */

static const struct kind_row {
	enum saml_kind kind;
	const char *name;
	bool is_response;
} kinds[] = {
	{SAML_AUTHN_REQUEST, "AuthnRequest", false},
	{SAML_LOGOUT_REQUEST, "LogoutRequest", false},
	{SAML_LOGOUT_RESPONSE, "LogoutResponse", true},
	{SAML_ATTRIBUTE_QUERY, "AttributeQuery", false},
	{SAML_ARTIFACT_RESOLVE, "ArtifactResolve", false},
};

static const struct kind_row *
kind_of(const struct xml_node *root)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (xml_is(root, SAML_NS_PROTOCOL, kinds[i].name))
			return &kinds[i];
	return NULL;
}

/* SAML2Core 2.2.5: an entity's name, with no qualifier that would make it another. */
static bool
read_issuer(struct arena *a, const struct xml_node *root, const char **out, struct err *err)
{
	const struct xml_node *issuer;
	const char *text, *format;

	if (!xml_child(root, SAML_NS_ASSERTION, "Issuer", &issuer, err) ||
	    !xml_text(a, issuer, &text, err))
		return false;
	format = xml_attr(issuer, "Format");
	if (format != NULL && strcmp(format, SAML_NAMEID_ENTITY) != 0)
		return FAIL(err, ERR_INPUT, NULL, "Issuer is not an entity");
	if (text[0] == '\0' || !saml_is_uri(text))
		return FAIL(err, ERR_INPUT, NULL, "Issuer is not an entityID");
	*out = text;
	return true;
}

/* The message's element: the document's own, or the content of an envelope. */
static bool
find_root(struct arena *a, struct saml_message *m, struct err *err)
{
	struct soap_envelope envelope;
	struct xml_doc *doc;

	if (m->wire.binding == SAML_BINDING_SOAP) {
		if (!soap_read(a, m->wire.xml, NULL, &envelope, err))
			return false;
		if (envelope.fault != NULL)
			return FAIL(err, ERR_INPUT, NULL, "SOAP fault %s: %s", envelope.fault->code,
				    envelope.fault->text);
		m->root = envelope.content;
		return true;
	}
	if (!xml_parse(a, m->wire.xml, &xml_limits_request, &doc, err))
		return false;
	m->root = xml_root(doc);
	return true;
}

bool
saml_message_decode(struct arena *a, enum saml_binding binding, struct bytes raw,
		    const struct saml_message **out, struct err *err)
{
	struct saml_message *m = ARENA_NEW(a, struct saml_message);
	const struct kind_row *row;

	if (!saml_binding_decode(a, binding, raw, &m->wire, err) || !find_root(a, m, err))
		return false;
	row = kind_of(m->root);
	if (row == NULL)
		return FAIL(err, ERR_INPUT, NULL, "<%s> is no message we take", xml_name(m->root));
	if (binding != SAML_BINDING_SOAP && row->is_response != m->wire.is_response)
		return FAIL(err, ERR_INPUT, NULL, "<%s> came in the wrong parameter", row->name);
	m->kind = row->kind;
	if (!read_issuer(a, m->root, &m->issuer, err))
		return false;
	*out = m;
	return true;
}

enum saml_kind
saml_message_kind(const struct saml_message *m)
{
	return m->kind;
}

enum saml_binding
saml_message_binding(const struct saml_message *m)
{
	return m->wire.binding;
}

const char *
saml_message_issuer(const struct saml_message *m)
{
	return m->issuer;
}

const char *
saml_message_in_response_to(const struct saml_message *m)
{
	return xml_attr(m->root, "InResponseTo");
}

bool
saml_message_claims_success(const struct saml_message *m)
{
	const struct xml_node *status, *code;

	return xml_child_opt(m->root, SAML_NS_PROTOCOL, "Status", &status, NULL) &&
	       status != NULL &&
	       xml_child_opt(status, SAML_NS_PROTOCOL, "StatusCode", &code, NULL) && code != NULL &&
	       text_eq(xml_attr(code, "Value"), SAML_SUCCESS);
}

const char *
saml_message_relay_state(const struct saml_message *m)
{
	return m->wire.relay_state;
}

/* ---- verified ---- */

/* What was signed is the same kind of message from the same sender: only then it may be read. */
static bool
make_verified(struct arena *a, const struct saml_message *m, const struct saml_party *party,
	      const struct saml_signed *sig, const struct saml_verified **out, struct err *err)
{
	const struct xml_node *root = sig != NULL ? saml_signed_root(sig) : m->root;
	const struct kind_row *row = kind_of(root);
	const char *issuer;

	/* second line: what was signed is what was decoded, and its kind and Issuer with it */
	if (!read_issuer(a, root, &issuer, err) || row == NULL || row->kind != m->kind)
		return FAIL(err, ERR_DENIED, NULL, "message is another than it was");
	if (strcmp(issuer, party->entity_id) != 0)
		return FAIL(err, ERR_DENIED, NULL, "message is from another party");
	struct saml_verified *v = ARENA_NEW(a, struct saml_verified);

	*v = (struct saml_verified){
		.proof = sig != NULL ? SAML_PROOF_SIGNED : SAML_PROOF_UNSIGNED,
		.party = party,
		.kind = m->kind,
		.root = root,
		.suite = sig != NULL ? saml_signed_suite(sig) : NULL,
	};
	*out = v;
	return true;
}

static bool
verify_beside(struct arena *a, const struct saml_message *m, const struct saml_party *party,
	      struct saml_signed **out, struct err *err)
{
	const struct xmlsig_octets in = {
		.alg_uri = m->wire.sig_alg,
		.octets = m->wire.octets,
		.sig = m->wire.sig,
		.message = m->wire.xml,
	};

	if (m->wire.sig_alg == NULL)
		return FAIL(err, ERR_DENIED, NULL, "message is not signed");
	return xmlsig_verify_octets(a, &in, party->signing, &xml_limits_request, out, err);
}

bool
saml_message_verify(struct arena *a, const struct saml_message *m, const struct saml_party *party,
		    const struct saml_verified **out, struct err *err)
{
	struct saml_signed *sig;

	if (m->wire.binding == SAML_BINDING_REDIRECT) {
		if (!verify_beside(a, m, party, &sig, err))
			return false;
	} else {
		if (!xmlsig_present(m->root))
			return FAIL(err, ERR_DENIED, NULL, "message is not signed");
		if (!xmlsig_verify(a, m->root, party->signing, &sig, err))
			return false;
	}
	return make_verified(a, m, party, sig, out, err);
}

/* Anything of XML Signature at or below n. */
static bool
has_signature(const struct xml_node *n)
{
	if (strcmp(xml_ns(n), SAML_NS_DS) == 0)
		return true;
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
		if (has_signature(c))
			return true;
	return false;
}

static bool
is_unsigned(const struct saml_message *m)
{
	return m->wire.sig_alg == NULL && !has_signature(m->root);
}

bool
saml_message_accept_unsigned(struct arena *a, const struct saml_message *m,
			     const struct saml_party *party, const struct saml_policy *policy,
			     const struct saml_verified **out, struct err *err)
{
	if (!is_unsigned(m))
		return FAIL(err, ERR_DENIED, NULL, "message has a signature");
	if (m->kind != SAML_AUTHN_REQUEST)
		return FAIL(err, ERR_DENIED, NULL, "only an AuthnRequest may be unsigned");
	if (!policy->accept_unsigned)
		return FAIL(err, ERR_DENIED, NULL, "party must sign its requests");
	/* saml2int SDP-IDP04 */
	if (party->authn_requests_signed)
		return FAIL(err, ERR_DENIED, NULL, "party says that it signs its requests");
	return make_verified(a, m, party, NULL, out, err);
}

bool
saml_message_admit(struct arena *a, const struct saml_message *m, const struct saml_party *party,
		   const struct saml_policy *policy, const struct saml_verified **out,
		   struct err *err)
{
	if (m->kind == SAML_AUTHN_REQUEST && is_unsigned(m))
		return saml_message_accept_unsigned(a, m, party, policy, out, err);
	return saml_message_verify(a, m, party, out, err);
}

enum saml_proof
saml_verified_proof(const struct saml_verified *v)
{
	return v->proof;
}

const struct saml_party *
saml_verified_party(const struct saml_verified *v)
{
	return v->party;
}

/* ---- header ---- */

bool
saml_header_read(struct arena *a, const struct saml_verified *v, enum saml_kind kind,
		 struct saml_header *out, const struct xml_node **root, struct err *err)
{
	struct saml_header h = {.is_signed = v->proof == SAML_PROOF_SIGNED,
				.suite = v->suite,
				.old_until = v->party->old_until};
	const char *version;

	/* second line: nothing makes a verified message without a proof */
	if (v->proof == SAML_PROOF_NONE)
		return FAIL(err, ERR_INTERNAL, NULL, "message is not proven");
	if (v->kind != kind)
		return FAIL(err, ERR_INTERNAL, NULL, "message is of another kind");
	/* Before the schema: what another version looks like is not ours to say. */
	version = xml_attr(v->root, "Version");
	h.other_version = version != NULL && strcmp(version, "2.0") != 0;
	if (h.other_version && kind != SAML_AUTHN_REQUEST)
		return FAIL(err, ERR_INPUT, SAML_VERSION_MISMATCH, "Version is not 2.0");
	if (!saml_schema_check(a, v->root, err) || !xml_need_attr(v->root, "ID", &h.id, err) ||
	    !saml_attr_time(v->root, "IssueInstant", &h.issued_at, err))
		return false;
	if (strlen(h.id) > ID_MAX)
		return FAIL(err, ERR_INPUT, NULL, "ID of %zu octets", strlen(h.id));
	h.destination = xml_attr(v->root, "Destination");
	h.in_response_to = xml_attr(v->root, "InResponseTo");
	*out = h;
	*root = v->root;
	return true;
}

bool
saml_header_check_place(const struct saml_header *h, const char *our_url, struct err *err)
{
	if (h->destination == NULL && h->is_signed)
		return FAIL(err, ERR_DENIED, SAML_REQUEST_DENIED, "signed without Destination");
	if (h->destination != NULL && strcmp(h->destination, our_url) != 0)
		return FAIL(err, ERR_DENIED, SAML_REQUEST_DENIED,
			    "Destination is not this endpoint");
	return true;
}

bool
saml_header_check_worth(const struct saml_header *h, const struct saml_window *window, time_t now,
			struct err *err)
{
	if (h->suite != NULL && h->suite->old && h->old_until <= now)
		return FAIL(err, ERR_DENIED, SAML_REQUEST_DENIED, "signed with %s, which %s",
			    h->suite->name,
			    h->old_until == 0 ? "is for parties marked old alone (old-until)"
					      : "has ended for this party (old-until)");
	if (h->issued_at > now + window->skew_s ||
	    h->issued_at < now - window->max_age_s - window->skew_s)
		return FAIL(err, ERR_DENIED, SAML_REQUEST_DENIED, "IssueInstant is %lld s off",
			    (long long)(now - h->issued_at));
	return true;
}

bool
saml_header_check(const struct saml_header *h, const char *our_url,
		  const struct saml_window *window, time_t now, struct err *err)
{
	return saml_header_check_place(h, our_url, err) &&
	       saml_header_check_worth(h, window, now, err);
}

bool
saml_header_check_place_soap(const struct saml_header *h, const char *our_url, struct err *err)
{
	return h->destination == NULL || saml_header_check_place(h, our_url, err);
}

bool
saml_header_check_soap(const struct saml_header *h, const char *our_url,
		       const struct saml_window *window, time_t now, struct err *err)
{
	return saml_header_check_place_soap(h, our_url, err) &&
	       saml_header_check_worth(h, window, now, err);
}
