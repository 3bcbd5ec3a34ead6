/*
 * Enveloped signatures that we make, over text that saml/xmlw.h wrote: digest
 * of the text, SignedInfo in canonical form, one signature by the signer, all
 * joined.  No tree is built (reference: SAML2Core 5.4, XMLDSIG 1.1).
 */
#ifndef KONTOR_SAML_SIGN_H
#define KONTOR_SAML_SIGN_H

#include "keys/key_ops.h"
#include "saml/suite.h"

/* Who signs and how; everything outlives the call. */
struct saml_signer {
	const struct key_ops *ops;
	const char *kid;
	const struct saml_suite *suite; /* a row with `make` */
	struct bytes cert_der;          /* written as KeyInfo/X509Data; n 0: no KeyInfo */
};

/* What is signed: the text of one element, as xmlw_finish gave it. */
struct saml_to_sign {
	struct bytes element;
	size_t place;            /* xmlw_place where the Signature belongs: after Issuer */
	const char *id;          /* the element's ID */
	const char *prefix_list; /* prefixes declared for values ("xs"); NULL: none */
};

/* The joined text.  Errors are key_ops' own, or ERR_INTERNAL for a request that makes no sense. */
MUST_USE bool saml_sign_enveloped(struct arena *a, const struct saml_signer *signer,
				  const struct saml_to_sign *what, struct bytes *out,
				  struct err *err);

/* The signature over other octets (Redirect binding, SAML2Bindings 3.4.4.1). */
MUST_USE bool saml_sign_octets(struct arena *a, const struct saml_signer *signer,
			       struct bytes octets, struct bytes *sig, struct err *err);

#endif
