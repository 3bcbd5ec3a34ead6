/* The table of status codes; see status.h. */
#include "saml/status.h"

#include <string.h>

#include "saml/extensions.h"

static const struct status_row {
	const char *name, *top; /* top NULL: the name is a top-level code itself */
} status_rows[] = {
	{SAML_SUCCESS, NULL},
	{SAML_REQUESTER, NULL},
	{SAML_RESPONDER, NULL},
	{SAML_VERSION_MISMATCH, NULL},
	{SAML_AUTHN_FAILED, SAML_RESPONDER},
	{SAML_INVALID_ATTRIBUTE, SAML_REQUESTER},
	{SAML_INVALID_NAMEID_POLICY, SAML_REQUESTER},
	{SAML_NO_AUTHN_CONTEXT, SAML_REQUESTER},
	{SAML_NO_PASSIVE, SAML_RESPONDER},
	{SAML_NO_SUPPORTED_IDP, SAML_RESPONDER},
	{SAML_PARTIAL_LOGOUT, SAML_SUCCESS}, /* SAML2Core 3.7.3.2: what we did, succeeded */
	{SAML_REQUEST_DENIED, SAML_REQUESTER},
	{SAML_REQUEST_UNSUPPORTED, SAML_REQUESTER},
	{SAML_UNKNOWN_PRINCIPAL, SAML_REQUESTER},
	{SAML_UNSUPPORTED_BINDING, SAML_REQUESTER},
};

struct saml_status
saml_status_of(const char *name)
{
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(status_rows); i++) {
		const struct status_row *row = &status_rows[i];

		if (strcmp(row->name, name) != 0)
			continue;
		if (row->top == NULL)
			return (struct saml_status){.code = row->name};
		return (struct saml_status){.code = row->top, .subcode = row->name};
	}
	return (struct saml_status){.code = SAML_RESPONDER};
}

struct saml_status
saml_status_from_err(const struct err *err)
{
	if (err->proto != NULL)
		return saml_status_of(err->proto);
	switch (err->kind) {
	case ERR_INPUT:
	case ERR_DENIED:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
		return (struct saml_status){.code = SAML_REQUESTER};
	default:
		return (struct saml_status){.code = SAML_RESPONDER};
	}
}

void
saml_status_write(struct xmlw *w, const struct saml_status *status)
{
	xmlw_open(w, &xmlns_samlp, "Status");
	xmlw_open(w, &xmlns_samlp, "StatusCode");
	xmlw_attr(w, NULL, "Value", status->code);
	if (status->subcode != NULL) {
		xmlw_open(w, &xmlns_samlp, "StatusCode");
		xmlw_attr(w, NULL, "Value", status->subcode);
		xmlw_close(w);
	}
	xmlw_close(w);
	if (status->message != NULL)
		xmlw_element(w, &xmlns_samlp, "StatusMessage", status->message);
	if (status->detail != NULL) {
		xmlw_open(w, &xmlns_samlp, "StatusDetail");
		xmlw_element(w, &xmlns_akdb, "StatusDetail", status->detail);
		xmlw_close(w);
	}
	xmlw_close(w);
}
