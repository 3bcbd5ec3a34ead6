/* Reading and building logout messages; see logout.h. */
#include "saml/logout.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "saml/names.h"
#include "saml/value.h"

#define LOGOUT_MAX ((size_t)64 * 1024)

/* ---- reading ---- */

static bool
read_session_indexes(struct arena *a, const struct xml_node *root, struct saml_logout_request *r,
		     struct err *err)
{
	for (const struct xml_node *c = xml_first(root); c != NULL; c = xml_next(c)) {
		if (!xml_is(c, SAML_NS_PROTOCOL, "SessionIndex"))
			continue;
		if (r->n_session_indexes == SAML_SESSION_INDEXES_MAX)
			return FAIL(err, ERR_INPUT, NULL, "more than %d SessionIndexes",
				    SAML_SESSION_INDEXES_MAX);
		if (!xml_text(a, c, &r->session_index[r->n_session_indexes++], err))
			return false;
	}
	return true;
}

static bool
need_signed(const struct saml_verified *v, struct err *err)
{
	return saml_verified_proof(v) == SAML_PROOF_SIGNED ||
	       FAIL(err, ERR_DENIED, NULL, "logout message is not signed");
}

bool
saml_logout_request_parse(struct arena *a, const struct saml_verified *v,
			  const struct xmlenc_keys *keys, const struct saml_logout_request **out,
			  struct err *err)
{
	struct saml_logout_request *r = ARENA_NEW(a, struct saml_logout_request);
	const struct xml_node *root;

	if (!need_signed(v, err) ||
	    !saml_header_read(a, v, SAML_LOGOUT_REQUEST, &r->header, &root, err) ||
	    !saml_attr_time(root, "NotOnOrAfter", &r->not_on_or_after, err) ||
	    !saml_principal_read(a, root, keys, &r->nameid, err) ||
	    !read_session_indexes(a, root, r, err))
		return false;
	r->party = saml_verified_party(v);
	r->reason = xml_attr(root, "Reason");
	*out = r;
	return true;
}

bool
saml_logout_request_check(const struct saml_logout_request *r, const struct saml_window *window,
			  time_t now, struct err *err)
{
	if (!saml_header_check_worth(&r->header, window, now, err))
		return false;
	if (r->not_on_or_after != 0 && now >= r->not_on_or_after + window->skew_s)
		return FAIL(err, ERR_DENIED, SAML_REQUEST_DENIED, "NotOnOrAfter has passed");
	return true;
}

/* Success at the top, and no PartialLogout below it (SAML2Core 3.7.3.2). */
static bool
read_status(const struct xml_node *root, struct saml_logout_response *r, struct err *err)
{
	const struct xml_node *status, *code, *sub;
	const char *top;

	if (!xml_child(root, SAML_NS_PROTOCOL, "Status", &status, err) ||
	    !xml_child(status, SAML_NS_PROTOCOL, "StatusCode", &code, err) ||
	    !xml_child_opt(code, SAML_NS_PROTOCOL, "StatusCode", &sub, err) ||
	    !xml_need_attr(code, "Value", &top, err))
		return false;
	r->success = strcmp(top, SAML_SUCCESS) == 0 && sub == NULL;
	r->unknown = sub != NULL && text_eq(xml_attr(sub, "Value"), SAML_UNKNOWN_PRINCIPAL);
	r->may_come_better = strcmp(top, SAML_RESPONDER) == 0 && sub == NULL;
	return true;
}

bool
saml_logout_response_parse(struct arena *a, const struct saml_verified *v,
			   const struct saml_logout_response **out, struct err *err)
{
	struct saml_logout_response *r = ARENA_NEW(a, struct saml_logout_response);
	const struct xml_node *root;

	if (!need_signed(v, err) ||
	    !saml_header_read(a, v, SAML_LOGOUT_RESPONSE, &r->header, &root, err) ||
	    !read_status(root, r, err))
		return false;
	if (r->header.in_response_to == NULL)
		return FAIL(err, ERR_INPUT, NULL, "LogoutResponse without InResponseTo");
	r->party = saml_verified_party(v);
	*out = r;
	return true;
}

bool
saml_logout_response_check(const struct saml_logout_response *r, const char *request_id,
			   const char *our_url, const struct saml_window *window, time_t now,
			   struct err *err)
{
	if (!saml_header_check(&r->header, our_url, window, now, err))
		return false;
	if (strcmp(r->header.in_response_to, request_id) != 0)
		return FAIL(err, ERR_DENIED, NULL, "LogoutResponse answers another request");
	return true;
}

/* ---- building ---- */

static void
open_message(struct xmlw *w, struct arena *a, const char *name, const struct saml_logout_send *how)
{
	xmlw_init(w, a, LOGOUT_MAX);
	xmlw_open(w, &xmlns_samlp, name);
	xmlw_attr(w, NULL, "Destination", how->url);
	xmlw_attr(w, NULL, "ID", how->id);
	xmlw_attr(w, NULL, "IssueInstant", clock_text(a, how->issued_at));
	xmlw_attr(w, NULL, "Version", "2.0");
}

static bool
send_message(struct xmlw *w, struct arena *a, const struct saml_logout_send *how, size_t place,
	     bool is_response, struct saml_carrier *out, struct err *err)
{
	struct saml_to_sign message = {.place = place, .id = how->id};
	const struct saml_outgoing outgoing = {
		.is_response = is_response,
		.url = how->url,
		.relay_state = how->relay_state,
		.message = &message,
		.signer = how->signer,
	};

	xmlw_close(w);
	return xmlw_finish(w, &message.element, err) &&
	       saml_binding_encode(a, how->binding, &outgoing, out, err);
}

bool
saml_logout_request_build(struct arena *a, const struct saml_logout_send *how,
			  const struct saml_logout_ask *what, struct saml_carrier *out,
			  struct err *err)
{
	struct xmlw w;

	open_message(&w, a, "LogoutRequest", how);
	if (what->not_on_or_after != 0)
		xmlw_attr(&w, NULL, "NotOnOrAfter", clock_text(a, what->not_on_or_after));
	xmlw_attr(&w, NULL, "Reason", what->reason);
	xmlw_element(&w, &xmlns_saml, "Issuer", how->issuer);
	size_t place = xmlw_place(&w);

	saml_nameid_write(&w, &what->nameid);
	for (size_t i = 0; i < what->n_session_indexes; i++)
		xmlw_element(&w, &xmlns_samlp, "SessionIndex", what->session_index[i]);
	return send_message(&w, a, how, place, false, out, err);
}

bool
saml_logout_response_build(struct arena *a, const struct saml_logout_send *how,
			   const char *in_response_to, const struct saml_status *status,
			   struct saml_carrier *out, struct err *err)
{
	struct xmlw w;

	open_message(&w, a, "LogoutResponse", how);
	xmlw_attr(&w, NULL, "InResponseTo", in_response_to);
	xmlw_element(&w, &xmlns_saml, "Issuer", how->issuer);
	size_t place = xmlw_place(&w);

	saml_status_write(&w, status);
	return send_message(&w, a, how, place, true, out, err);
}
