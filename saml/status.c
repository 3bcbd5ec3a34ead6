/* The table of status codes; see status.h. */
#include "saml/status.h"

#include <string.h>

#include "saml/extensions.h"

/* Successes, which come first and have no number. */
#define N_UNLISTED 2

/* Numbers stay what they are: portals' code compares them. */
static const struct status_row {
	const char *name;
	const char *top,
		*sub; /* top NULL: the name is the top-level code; sub NULL: second level */
	const char *message;
	const char *akdb; /* code in an akdb:StatusDetail */
} status_rows[] = {
	{SAML_SUCCESS, NULL, NULL, NULL, NULL},
	{SAML_PARTIAL_LOGOUT, SAML_SUCCESS, SAML_PARTIAL_LOGOUT, NULL,
	 NULL}, /* SAML2Core 3.7.3.2: what we did, succeeded */
	{SAML_REQUESTER, NULL, NULL, "KONTOR-10 request", NULL},
	{SAML_VERSION_MISMATCH, NULL, NULL, "KONTOR-11 version", NULL},
	{SAML_UNSUPPORTED_BINDING, SAML_REQUESTER, SAML_UNSUPPORTED_BINDING, "KONTOR-12 binding",
	 NULL},
	{SAML_REQUEST_UNSUPPORTED, SAML_REQUESTER, SAML_REQUEST_UNSUPPORTED,
	 "KONTOR-13 unsupported", NULL},
	{SAML_REQUEST_DENIED, SAML_REQUESTER, SAML_REQUEST_DENIED, "KONTOR-14 denied", NULL},
	{SAML_INVALID_NAMEID_POLICY, SAML_REQUESTER, SAML_INVALID_NAMEID_POLICY,
	 "KONTOR-15 nameid-policy", NULL},
	{SAML_INVALID_ATTRIBUTE, SAML_REQUESTER, SAML_INVALID_ATTRIBUTE, "KONTOR-16 attribute",
	 NULL},
	{SAML_WHY_TOO_MANY_NAMES, SAML_REQUESTER, SAML_REQUEST_DENIED,
	 "KONTOR-17 " SAML_WHY_TOO_MANY_NAMES, NULL},
	{SAML_NO_SUPPORTED_IDP, SAML_RESPONDER, SAML_NO_SUPPORTED_IDP, "KONTOR-18 no-such-provider",
	 NULL},
	{SAML_UNKNOWN_PRINCIPAL, SAML_REQUESTER, SAML_UNKNOWN_PRINCIPAL, "KONTOR-19 other-person",
	 NULL},
	{SAML_NO_AUTHN_CONTEXT, SAML_REQUESTER, SAML_NO_AUTHN_CONTEXT,
	 "KONTOR-20 level-not-reached", NULL},
	{SAML_NO_PASSIVE, SAML_RESPONDER, SAML_NO_PASSIVE, "KONTOR-21 passive-login", NULL},
	{SAML_WHY_PASSIVE_CONSENT, SAML_RESPONDER, SAML_NO_PASSIVE,
	 "KONTOR-22 " SAML_WHY_PASSIVE_CONSENT, NULL},
	{SAML_WHY_LOGIN_CANCELLED, SAML_RESPONDER, SAML_AUTHN_FAILED,
	 "KONTOR-23 " SAML_WHY_LOGIN_CANCELLED, NULL},
	{SAML_WHY_CONSENT_REFUSED, SAML_RESPONDER, SAML_REQUEST_DENIED,
	 "KONTOR-24 " SAML_WHY_CONSENT_REFUSED, NULL},
	{SAML_WHY_ATTRIBUTE_MISSING, SAML_REQUESTER, SAML_REQUEST_DENIED,
	 "KONTOR-25 " SAML_WHY_ATTRIBUTE_MISSING, "IDP_REQUIRED_ATTRIBUTES_MISSING"},
	{SAML_AUTHN_FAILED, SAML_RESPONDER, SAML_AUTHN_FAILED, "KONTOR-26 login-failed", NULL},
	{SAML_WHY_NO_MEANS, SAML_REQUESTER, SAML_NO_AUTHN_CONTEXT, "KONTOR-27 " SAML_WHY_NO_MEANS,
	 NULL},
	{SAML_WHY_CONSENT_NEEDED, SAML_RESPONDER, SAML_REQUEST_DENIED,
	 "KONTOR-28 " SAML_WHY_CONSENT_NEEDED, NULL},
	{SAML_WHY_NO_SUBJECT, SAML_REQUESTER, SAML_UNKNOWN_PRINCIPAL,
	 "KONTOR-29 " SAML_WHY_NO_SUBJECT, NULL},
	{SAML_AKDB_MISSING, SAML_REQUESTER, SAML_REQUEST_DENIED, "KONTOR-30 " SAML_AKDB_MISSING,
	 SAML_AKDB_MISSING},
	{SAML_AKDB_V1, SAML_REQUESTER, SAML_REQUEST_DENIED, "KONTOR-31 " SAML_AKDB_V1,
	 SAML_AKDB_V1},
	{SAML_AKDB_UNSIGNED, SAML_REQUESTER, SAML_REQUEST_DENIED, "KONTOR-32 " SAML_AKDB_UNSIGNED,
	 SAML_AKDB_UNSIGNED},
	{SAML_AKDB_NO_ATTRIBUTES, SAML_REQUESTER, SAML_REQUEST_DENIED,
	 "KONTOR-33 " SAML_AKDB_NO_ATTRIBUTES, SAML_AKDB_NO_ATTRIBUTES},
	{SAML_AKDB_NAMELESS, SAML_REQUESTER, SAML_REQUEST_DENIED, "KONTOR-34 " SAML_AKDB_NAMELESS,
	 SAML_AKDB_NAMELESS},
	{SAML_AKDB_NO_METHODS, SAML_REQUESTER, SAML_REQUEST_DENIED,
	 "KONTOR-35 " SAML_AKDB_NO_METHODS, SAML_AKDB_NO_METHODS},
	{SAML_AKDB_NO_ORGANIZATION, SAML_REQUESTER, SAML_REQUEST_DENIED,
	 "KONTOR-36 " SAML_AKDB_NO_ORGANIZATION, SAML_AKDB_NO_ORGANIZATION},
	{SAML_PROXY_COUNT_EXCEEDED, SAML_RESPONDER, SAML_PROXY_COUNT_EXCEEDED,
	 "KONTOR-37 proxy-count", NULL},
	{SAML_RESPONDER, NULL, NULL, "KONTOR-90 responder", NULL},
};

static const struct status_row *
row_of(const char *name)
{
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(status_rows); i++)
		if (strcmp(status_rows[i].name, name) == 0)
			return &status_rows[i];
	return &status_rows[ARRAY_LEN(status_rows) - 1];
}

struct saml_status
saml_status_of(const char *name)
{
	const struct status_row *row = row_of(name);

	return (struct saml_status){
		.code = row->top == NULL ? row->name : row->top,
		.subcode = row->sub,
		.message = row->message,
	};
}

struct saml_status
saml_status_detailed(struct arena *a, const char *name, const char *about)
{
	struct saml_status status = saml_status_of(name);
	const char *code = row_of(name)->akdb;

	if (code != NULL) {
		status.detail = saml_akdb_detail(a, code, about == NULL ? status.message : about);
		status.message = "security-msg";
	}
	return status;
}

const char *
saml_status_listed(size_t i)
{
	i += N_UNLISTED;
	return i < ARRAY_LEN(status_rows) ? status_rows[i].message : NULL;
}

const char *
saml_status_reason(const struct err *err)
{
	if (err->proto != NULL)
		return err->proto;
	switch (err->kind) {
	case ERR_INPUT:
	case ERR_DENIED:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
		return SAML_REQUESTER;
	default:
		return SAML_RESPONDER;
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
