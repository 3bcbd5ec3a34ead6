/*
 * Status codes (SAML2Core 3.2.2.2): what a failure is called on the wire.  The
 * proto name of an err that saml/ raises is one of these URIs; the table in
 * status.c says under which top-level code each is sent.
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
#define SAML_NO_SUPPORTED_IDP      SAML_STATUS_PREFIX "NoSupportedIDP"
#define SAML_PARTIAL_LOGOUT        SAML_STATUS_PREFIX "PartialLogout"
#define SAML_REQUEST_DENIED        SAML_STATUS_PREFIX "RequestDenied"
#define SAML_REQUEST_UNSUPPORTED   SAML_STATUS_PREFIX "RequestUnsupported"
#define SAML_UNKNOWN_PRINCIPAL     SAML_STATUS_PREFIX "UnknownPrincipal"
#define SAML_UNSUPPORTED_BINDING   SAML_STATUS_PREFIX "UnsupportedBinding"

/* A <samlp:Status>.  Texts are the builder's or static; only `code` is never NULL. */
struct saml_status {
	const char *code;    /* top level */
	const char *subcode; /* second level, or NULL */
	const char *message; /* <samlp:StatusMessage>, shown to the peer, or NULL */
	const char *detail;  /* JSON text of an <akdb:StatusDetail>, or NULL */
};

/*
 * The status for one of the names above: a second-level name brings its
 * top-level code along.  NULL or a name that is not in the table: Responder.
 */
struct saml_status saml_status_of(const char *name);

/*
 * The status that answers a failure: by its proto name; without one, a fault of
 * the sender (INPUT, DENIED, NOT_FOUND, CONFLICT) is Requester, one of ours
 * Responder.  The err's text stays with us.
 */
struct saml_status saml_status_from_err(const struct err *err);

/* Write it as <samlp:Status>. */
void saml_status_write(struct xmlw *w, const struct saml_status *status);

#endif
