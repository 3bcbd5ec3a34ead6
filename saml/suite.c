/* The list of signature algorithms; see suite.h. */
#include "saml/suite.h"

#include <string.h>

#define MORE_2001 "http://www.w3.org/2001/04/xmldsig-more#"
#define MORE_2007 "http://www.w3.org/2007/05/xmldsig-more#"
#define XMLENC    "http://www.w3.org/2001/04/xmlenc#"

/* Best first: metadata lists them in this order (RFC 6931, TR-03116-4). */
static const struct saml_suite suites[] = {
	{"ecdsa-sha256", MORE_2001 "ecdsa-sha256", SIG_ES256, {"EC", "SHA256", false}},
	{"ecdsa-sha384", MORE_2001 "ecdsa-sha384", SIG_NONE, {"EC", "SHA384", false}},
	{"rsa-pss-sha256", MORE_2007 "sha256-rsa-MGF1", SIG_PS256, {"RSA", "SHA256", true}},
	{"rsa-sha256", MORE_2001 "rsa-sha256", SIG_RS256, {"RSA", "SHA256", false}},
	{"rsa-sha512", MORE_2001 "rsa-sha512", SIG_NONE, {"RSA", "SHA512", false}},
};

static const struct {
	const char *uri, *name;
} digests[] = {
	{XMLENC "sha256", "SHA256"},
	{MORE_2001 "sha384", "SHA384"},
	{XMLENC "sha512", "SHA512"},
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
saml_suite_by_alg(enum sig_alg alg)
{
	for (size_t i = 0; i < ARRAY_LEN(suites); i++)
		if (suites[i].make == alg && alg != SIG_NONE)
			return &suites[i];
	return NULL;
}

const char *
saml_digest_by_uri(const char *uri)
{
	for (size_t i = 0; i < ARRAY_LEN(digests); i++)
		if (strcmp(digests[i].uri, uri) == 0)
			return digests[i].name;
	return NULL;
}
