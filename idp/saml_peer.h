/* What every SAML answer needs: our names and URLs, the party's policy and our key for it. */
#ifndef KONTOR_IDP_SAML_PEER_H
#define KONTOR_IDP_SAML_PEER_H

#include "idp/party.h"
#include "idp/response.h"
#include "keys/keyring.h"
#include "saml/message.h"
#include "saml/response.h"
#include "saml/xmlenc.h"

struct signer;

#define SAML_SSO_PATH        "/saml/sso"
#define SAML_SSO_SOAP_PATH   "/saml/sso/soap"
#define SAML_SLO_PATH        "/saml/slo"
#define SAML_SLO_SOAP_PATH   "/saml/slo/soap"
#define SAML_ATTRIBUTES_PATH "/saml/attributes"
#define SAML_ARTIFACT_PATH   "/saml/artifact"

/* "https://konto.example" and a path of ours. */
const char *saml_our_url(const struct request *rq, const char *path);

/* By which binding a browser brought a message. */
enum saml_binding saml_binding_of(const struct request *rq);

/* A message, with the party or member it claims to be from; nothing is verified yet. */
MUST_USE bool saml_receive(struct request *rq, enum saml_binding binding,
			   const struct saml_message **m, const struct party **p, struct err *err);

/* It is of the kind this endpoint takes. */
MUST_USE bool saml_expect(const struct saml_message *m, enum saml_kind kind, struct err *err);

/* It is of that kind, and a signature by a key of the party's metadata proves it. */
MUST_USE bool saml_prove(struct request *rq, const struct saml_message *m, const struct party *p,
			 enum saml_kind kind, const struct saml_verified **v, struct err *err);

/*
 * What the endpoints by SOAP begin with: a request of that kind, proven.  Who reads it checks its
 * header (saml_header_check) against saml_our_url of the endpoint.
 */
MUST_USE bool saml_receive_soap(struct request *rq, enum saml_kind kind, const struct party **p,
				const struct saml_verified **v, struct err *err);

/*
 * Whom we write to, and the active key of the suite it gets (party_suite).  ERR_DENIED:
 * there is no suite for it any more; ERR_UNAVAILABLE: no key.
 */
MUST_USE bool saml_peer_of(struct request *rq, const struct party *p, struct saml_peer *out,
			   struct err *err);

/*
 * The same before something is used up: ERR_UNAVAILABLE too when the key that will sign is
 * known to be out of reach, so that it stays for another attempt.
 */
MUST_USE bool saml_peer_ready(struct request *rq, const struct party *p, struct saml_peer *out,
			      struct err *err);

/* The first suite in the table that an active key of this purpose makes, none of old ones, as
 * for a party that says nothing; NULL: none. */
const struct saml_suite *saml_suite_first(const struct keyring *kr, enum key_purpose purpose);

/* The key for other messages (logout, our metadata: KEY_SAML_SIGN). */
MUST_USE bool saml_signer_of(struct arena *a, const struct keyring *kr, struct signer *signer,
			     enum key_purpose purpose, enum sig_alg alg, struct saml_signer *out,
			     struct err *err);

/* Our decryption keys, for an EncryptedID. */
void saml_decryption_keys(struct request *rq, struct xmlenc_keys *out);

/* Take a message to a party: a redirect, the page that posts it, or the answer to its SOAP. */
MUST_USE bool saml_send(struct request *rq, const struct saml_carrier *carrier,
			const struct party *p, struct response *rs, struct err *err);

/* "https://portal.example:8443" of a URL, for CSP form-action. */
const char *url_origin(struct arena *a, const char *url);

#endif
