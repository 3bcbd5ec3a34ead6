/* Namespaces and identifiers of SAML 2.0 that more than one file writes or compares. */
#ifndef KONTOR_SAML_NAMES_H
#define KONTOR_SAML_NAMES_H

#define SAML_NS_PROTOCOL          "urn:oasis:names:tc:SAML:2.0:protocol"
#define SAML_NS_ASSERTION         "urn:oasis:names:tc:SAML:2.0:assertion"
#define SAML_NS_METADATA          "urn:oasis:names:tc:SAML:2.0:metadata"
#define SAML_NS_MDUI              "urn:oasis:names:tc:SAML:metadata:ui"
#define SAML_NS_ALG               "urn:oasis:names:tc:SAML:metadata:algsupport"
#define SAML_NS_XS                "http://www.w3.org/2001/XMLSchema"
#define SAML_NS_XSI               "http://www.w3.org/2001/XMLSchema-instance"
#define SAML_NS_DS                "http://www.w3.org/2000/09/xmldsig#"
#define SAML_NS_DSIG11            "http://www.w3.org/2009/xmldsig11#"
#define SAML_NS_XENC              "http://www.w3.org/2001/04/xmlenc#"
#define SAML_NS_XENC11            "http://www.w3.org/2009/xmlenc11#"
#define SAML_NS_XML               "http://www.w3.org/XML/1998/namespace"
#define SAML_NS_AKDB              "https://www.akdb.de/request/2018/09"
#define SAML_NS_AKDB_UI           "https://www.akdb.de/request/2018/09/classic-ui/v1"

#define SAML_NS_ECP               "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"
#define SAML_NS_EIDAS             "http://eidas.europa.eu/saml-extensions"
#define SAML_NS_ATTRIBUTE         "urn:oasis:names:tc:SAML:metadata:attribute"
#define SAML_NS_REFEDS            "http://refeds.org/metadata"
#define SAML_NS_SHIBMD            "urn:mace:shibboleth:metadata:1.0"
#define SAML_NS_MDRPI             "urn:oasis:names:tc:SAML:metadata:rpi"

#define SAML_BINDING_URI_REDIRECT "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
#define SAML_BINDING_URI_POST     "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
#define SAML_BINDING_URI_SOAP     "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
#define SAML_BINDING_URI_ARTIFACT "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
#define SAML_BINDING_URI_PAOS     "urn:oasis:names:tc:SAML:2.0:bindings:PAOS"

/* SAML2Core 8.3 */
#define SAML_NAMEID_UNSPECIFIED "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
#define SAML_NAMEID_PERSISTENT  "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
#define SAML_NAMEID_TRANSIENT   "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
#define SAML_NAMEID_EMAIL       "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
#define SAML_NAMEID_ENTITY      "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

/* SAML2Core 8.2 */
#define SAML_ATTRNAME_URI   "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
#define SAML_ATTRNAME_BASIC "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"

/* SAML2Profiles 3.3 */
#define SAML_CM_BEARER "urn:oasis:names:tc:SAML:2.0:cm:bearer"

#endif
