/* The list of signature algorithms; see suite.h. */
#include "saml/suite.h"

#include <string.h>

#define MORE_2001 "http://www.w3.org/2001/04/xmldsig-more#"
#define MORE_2007 "http://www.w3.org/2007/05/xmldsig-more#"
#define XMLENC    "http://www.w3.org/2001/04/xmlenc#"

#define SHA256    XMLENC "sha256"
#define SHA384    MORE_2001 "sha384"
#define SHA512    XMLENC "sha512"

/*
 * Best first: what a party gets, and what metadata lists, follow this order (RFC
 * 6931, TR-03116-4 "SAML/XML Security").  What we make has a digest of the curve's
 * size; what is verified has any of SHA-2 on any curve of keys/cert.h, as
 * TR-03116-4 permits it.
 */
static const struct saml_suite suites[] = {
	{"ecdsa-sha256",
	 "es256",
	 MORE_2001 "ecdsa-sha256",
	 SHA256,
	 SIG_ES256,
	 {"EC", "SHA256", false},
	 false},
	{"ecdsa-sha384",
	 "es384",
	 MORE_2001 "ecdsa-sha384",
	 SHA384,
	 SIG_ES384,
	 {"EC", "SHA384", false},
	 false},
	{"ecdsa-sha256-brainpool",
	 "bp256",
	 MORE_2001 "ecdsa-sha256",
	 SHA256,
	 SIG_BP256,
	 {"EC", "SHA256", false},
	 false},
	{"ecdsa-sha384-brainpool",
	 "bp384",
	 MORE_2001 "ecdsa-sha384",
	 SHA384,
	 SIG_BP384,
	 {"EC", "SHA384", false},
	 false},
	{"ecdsa-sha512",
	 NULL,
	 MORE_2001 "ecdsa-sha512",
	 SHA512,
	 SIG_NONE,
	 {"EC", "SHA512", false},
	 false},
	{"rsa-pss-sha256",
	 "ps256",
	 MORE_2007 "sha256-rsa-MGF1",
	 SHA256,
	 SIG_PS256,
	 {"RSA", "SHA256", true},
	 false},
	{"rsa-pss-sha384",
	 NULL,
	 MORE_2007 "sha384-rsa-MGF1",
	 SHA384,
	 SIG_NONE,
	 {"RSA", "SHA384", true},
	 false},
	{"rsa-pss-sha512",
	 NULL,
	 MORE_2007 "sha512-rsa-MGF1",
	 SHA512,
	 SIG_NONE,
	 {"RSA", "SHA512", true},
	 false},
	{"rsa-sha256",
	 "rs256",
	 MORE_2001 "rsa-sha256",
	 SHA256,
	 SIG_RS256,
	 {"RSA", "SHA256", false},
	 true},
	{"rsa-sha512",
	 NULL,
	 MORE_2001 "rsa-sha512",
	 SHA512,
	 SIG_NONE,
	 {"RSA", "SHA512", false},
	 true},
};

static const struct {
	const char *uri, *name;
} digests[] = {
	{SHA256, "SHA256"},
	{SHA384, "SHA384"},
	{SHA512, "SHA512"},
};

const struct saml_suite *
saml_suite_at(size_t i)
{
	return i < ARRAY_LEN(suites) ? &suites[i] : NULL;
}

const struct saml_suite *
saml_suite_by_uri(const char *uri)
{
	for (size_t i = 0; i < ARRAY_LEN(suites); i++)
		if (strcmp(suites[i].uri, uri) == 0)
			return &suites[i];
	return NULL;
}

const struct saml_suite *
saml_suite_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(suites); i++)
		if (strcmp(suites[i].name, name) == 0)
			return &suites[i];
	return NULL;
}

const struct saml_suite *
saml_suite_by_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(suites); i++)
		if (suites[i].word != NULL && strcmp(suites[i].word, word) == 0)
			return &suites[i];
	return NULL;
}

const struct saml_suite *
saml_suite_by_alg(enum sig_alg alg)
{
	for (size_t i = 0; i < ARRAY_LEN(suites); i++)
		if (suites[i].make == alg && alg != SIG_NONE)
			return &suites[i];
	return NULL;
}

const char *
saml_digest_at(size_t i)
{
	return i < ARRAY_LEN(digests) ? digests[i].uri : NULL;
}

const char *
saml_digest_by_uri(const char *uri)
{
	for (size_t i = 0; i < ARRAY_LEN(digests); i++)
		if (strcmp(digests[i].uri, uri) == 0)
			return digests[i].name;
	return NULL;
}
