/*
 * Signed XML as peers and attackers make it: any text, any shape of SignedInfo,
 * keys of the tests' own.  (What we sign ourselves comes from saml/sign.h.)
 */
#ifndef KONTOR_TESTS_SAML_FIXTURE_H
#define KONTOR_TESTS_SAML_FIXTURE_H

#include "saml/xmlsig.h"

#define FIXTURE_PLACE "{SIGNATURE}" /* where in the text the Signature goes */
#define FIXTURE_ISSUER                                                       \
	"<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">" \
	"https://portal.example/saml</saml:Issuer>"

struct fixture {
	const char *text;               /* with FIXTURE_PLACE */
	const char *id;                 /* of the element that is signed */
	const struct saml_suite *suite; /* ecdsa-sha256 if not changed */
	const char *digest, *digest_md; /* DigestMethod, and OpenSSL's name of it */
	const char *transform_prefixes; /* PrefixList of the transform; NULL: none */
	const char *info_prefixes;      /* PrefixList of CanonicalizationMethod; NULL: none */
	const char *info_from,
		*info_to;     /* a change to SignedInfo before it is signed; NULL: none */
	const char *key_info; /* put after SignatureValue; NULL: none */
	bool pretty;          /* white space inside the Signature */
};

/* An AuthnRequest, to be changed at will. */
struct fixture fixture_request(void);

/* The text with its Signature. */
char *fixture_sign(struct arena *a, const struct fixture *f);

/* The signature over other octets, as the suite makes it. */
struct bytes fixture_sign_octets(struct arena *a, const struct saml_suite *suite,
				 struct bytes octets);

/* The public keys that verify fixtures: EC, then RSA.  They live as long as the program. */
struct saml_keys fixture_keys(void);

/* xmlsig_verify with them. */
MUST_USE bool fixture_verify(struct arena *a, const struct xml_node *n, struct saml_signed **out,
			     struct err *err);

#endif
