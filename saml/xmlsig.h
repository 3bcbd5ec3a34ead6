/*
 * Verified XML.  `struct saml_signed` is made here and nowhere else: it holds
 * a document parsed anew from the very octets whose signature was verified, so
 * that nothing which was not signed can be read (security.md R1 in words: the
 * bytes that were signed are the only bytes we read).
 *
 * Accepted is one shape: an enveloped ds:Signature as direct child in its
 * place, one Reference to the element's own ID, exclusive C14N, an algorithm
 * of saml/suite.h.  KeyInfo is never read: keys come from the caller.
 */
#ifndef KONTOR_SAML_XMLSIG_H
#define KONTOR_SAML_XMLSIG_H

#include "saml/suite.h"
#include "saml/xml.h"

/* Public keys of one party, parsed when its metadata was loaded.  n may be 0: nothing verifies. */
struct saml_keys {
	EVP_PKEY *const *key;
	size_t n;
};

struct saml_signed; /* never made but by the two functions below; lives in their arena */

/* n has a ds:Signature among its children: to tell "unsigned" from "badly signed". */
bool xmlsig_present(const struct xml_node *n);

/*
 * Verify the enveloped signature of n: AuthnRequest, Response, LogoutRequest,
 * LogoutResponse, ArtifactResolve, ArtifactResponse, Assertion,
 * EntityDescriptor or EntitiesDescriptor, in the document as received.
 * ERR_INPUT: no signature or one of another shape; ERR_DENIED: an algorithm
 * that is not permitted, or no key of the caller verifies it.
 */
MUST_USE bool xmlsig_verify(struct arena *a, const struct xml_node *n, struct saml_keys keys,
			    struct saml_signed **out, struct err *err);

/* What a signature says of the one element that it is over. */
struct xmlsig_reference {
	const char *id;          /* of the element, which no element has when it is "" */
	const char *prefix_list; /* InclusiveNamespaces/@PrefixList; NULL: none */
	const char *digest;      /* OpenSSL's name */
	struct bytes digest_value;
	size_t key; /* the caller's key that verified */
	const struct saml_suite *suite;
};

/*
 * Verify what a ds:Signature says, and not yet the element it says it of: for who digests that
 * element in pieces (saml/aggregate.h), with exclusive C14N, leaving out this Signature.  Errors
 * are those of xmlsig_verify.
 */
MUST_USE bool xmlsig_verify_info(struct arena *a, const struct xml_node *signature,
				 struct saml_keys keys, struct xmlsig_reference *out,
				 struct err *err);

/*
 * A signature over octets beside the message (SAML2Bindings 3.4.4.1): `octets`
 * are exactly those received, `message` the XML that the caller decoded from
 * them.  A ds:Signature inside the message is refused.
 */
struct xmlsig_octets {
	const char *alg_uri; /* SigAlg */
	struct bytes octets, sig;
	struct bytes message;
};
MUST_USE bool xmlsig_verify_octets(struct arena *a, const struct xmlsig_octets *in,
				   struct saml_keys keys, const struct xml_limits *limits,
				   struct saml_signed **out, struct err *err);

/* The verified element, without its Signature: the only thing to read from. */
const struct xml_node *saml_signed_root(const struct saml_signed *s);

/* Index of the caller's key that verified, and how. */
size_t saml_signed_key(const struct saml_signed *s);
const struct saml_suite *saml_signed_suite(const struct saml_signed *s);

/* The verified octets: the canonical element, or the message beside the signed octets. */
struct bytes saml_signed_bytes(const struct saml_signed *s);

/*
 * The same in a Response as received, of which nothing is proven: to know which element to verify.
 * `response` is the root of its document.
 */
MUST_USE bool saml_only_assertion(const struct xml_node *response, const struct xml_node **out,
				  struct err *err);

/*
 * The assertion of a verified Response: the only one anywhere in it, plain
 * (saml:Assertion) or encrypted (saml:EncryptedAssertion), and a direct child.
 * None, a second or a nested one is ERR_INPUT; so is a root that is no Response.
 */
MUST_USE bool saml_signed_assertion(const struct saml_signed *response, const struct xml_node **out,
				    struct err *err);

/*
 * An assertion that was verified by itself, on the document as received,
 * belongs to the verified Response: it is the one of saml_signed_assertion,
 * by equal ID.
 */
MUST_USE bool saml_signed_holds(const struct saml_signed *response,
				const struct saml_signed *assertion, struct err *err);

/*
 * `encrypted` (an EncryptedAssertion of the document as received, whose
 * declarations its content may need) is the one inside the verified Response:
 * both have the same canonical form.
 */
MUST_USE bool saml_signed_holds_encrypted(struct arena *a, const struct saml_signed *response,
					  const struct xml_node *encrypted, struct err *err);

#endif
