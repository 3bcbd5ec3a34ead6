/*
 * Status codes (SAML2Core 3.2.2.2): what a failure is called on the wire.  The
 * proto name of an err is one of these URIs or one of our reasons; the table in
 * status.c says under which codes each is sent, and with which number.
 */
#ifndef KONTOR_SAML_STATUS_H
#define KONTOR_SAML_STATUS_H

#include "saml/xmlw.h"

#define SAML_STATUS_PREFIX "urn:oasis:names:tc:SAML:2.0:status:"

/* Top-level codes. */
#define SAML_SUCCESS          SAML_STATUS_PREFIX "Success"
#define SAML_REQUESTER        SAML_STATUS_PREFIX "Requester"
#define SAML_RESPONDER        SAML_STATUS_PREFIX "Responder"
#define SAML_VERSION_MISMATCH SAML_STATUS_PREFIX "VersionMismatch"

/* Second-level codes. */
#define SAML_AUTHN_FAILED          SAML_STATUS_PREFIX "AuthnFailed"
#define SAML_INVALID_ATTRIBUTE     SAML_STATUS_PREFIX "InvalidAttrNameOrValue"
#define SAML_INVALID_NAMEID_POLICY SAML_STATUS_PREFIX "InvalidNameIDPolicy"
#define SAML_NO_AUTHN_CONTEXT      SAML_STATUS_PREFIX "NoAuthnContext"
#define SAML_NO_PASSIVE            SAML_STATUS_PREFIX "NoPassive"
#define SAML_PROXY_COUNT_EXCEEDED  SAML_STATUS_PREFIX "ProxyCountExceeded"
#define SAML_NO_SUPPORTED_IDP      SAML_STATUS_PREFIX "NoSupportedIDP"
#define SAML_PARTIAL_LOGOUT        SAML_STATUS_PREFIX "PartialLogout"
#define SAML_REQUEST_DENIED        SAML_STATUS_PREFIX "RequestDenied"
#define SAML_REQUEST_UNSUPPORTED   SAML_STATUS_PREFIX "RequestUnsupported"
#define SAML_UNKNOWN_PRINCIPAL     SAML_STATUS_PREFIX "UnknownPrincipal"
#define SAML_UNSUPPORTED_BINDING   SAML_STATUS_PREFIX "UnsupportedBinding"

/* Reasons of ours, where the codes above are too coarse to act on. */
#define SAML_WHY_LOGIN_CANCELLED   "login-cancelled"
#define SAML_WHY_CONSENT_REFUSED   "consent-refused"
#define SAML_WHY_PASSIVE_CONSENT   "passive-consent"
#define SAML_WHY_CONSENT_NEEDED    "consent-needed"
#define SAML_WHY_ATTRIBUTE_MISSING "required-attribute-missing"
#define SAML_WHY_TOO_MANY_NAMES    "too-many-attributes"
#define SAML_WHY_NO_MEANS          "no-means-allowed"
#define SAML_WHY_NO_SUBJECT        "no-such-person"
/* Those of BundID's interface 9.6, word for word. */
#define SAML_AKDB_MISSING         "akdb-extension-missing"
#define SAML_AKDB_V1              "akdb-extension-v1-deprecated"
#define SAML_AKDB_UNSIGNED        "saml-request-not-signed"
#define SAML_AKDB_NO_ATTRIBUTES   "requested-attributes-empty"
#define SAML_AKDB_NAMELESS        "requested-attributes-missing-name"
#define SAML_AKDB_NO_METHODS      "empty-authentication-methods"
#define SAML_AKDB_NO_ORGANIZATION "organization-display-name-missing"

/* A <samlp:Status>.  Texts are the builder's or static; only `code` is never NULL. */
struct saml_status {
	const char *code;    /* top level */
	const char *subcode; /* second level, or NULL */
	const char *message; /* <samlp:StatusMessage>, shown to the peer, or NULL */
	const char *detail;  /* JSON text of an <akdb:StatusDetail>, or NULL */
};

/*
 * The status for one of the names above: a second-level name brings its
 * top-level code along, all but success the message "KONTOR-24 consent-refused"
 * by which programs and people tell them apart (docs/integrate.md lists them).
 * NULL or a name that is not in the table: Responder.
 */
struct saml_status saml_status_of(const char *name);

/*
 * The same as a party wants it that asked for an akdb:StatusDetail (BundID
 * interface 9.7): one that BundID has a code for is told by that, with `about`
 * (NULL: nothing in particular) as its message.
 */
struct saml_status saml_status_detailed(struct arena *a, const char *name, const char *about);

/* The number and the word of a row, for the documentation's test; NULL past the last. */
const char *saml_status_listed(size_t i);

/*
 * The name of what answers a failure: its proto name; without one, a fault of the
 * sender (INPUT, DENIED, NOT_FOUND, CONFLICT) is Requester, one of ours
 * Responder.  The err's text stays with us.
 */
const char *saml_status_reason(const struct err *err);

/* Write it as <samlp:Status>. */
void saml_status_write(struct xmlw *w, const struct saml_status *status);

#endif
