/* What the tests of XML signatures and encryption share: canonical texts, keys, peers, xmlsec1. */
#ifndef KONTOR_TESTS_SAML_SUPPORT_H
#define KONTOR_TESTS_SAML_SUPPORT_H

#include "saml/sign.h"
#include "saml/xml.h"
#include "saml/xmlsig.h"
#include "tests/keys/test_keys.h"

/* s with the first occurrence of `from` replaced; fails the test when there is none. */
char *replace(struct arena *a, const char *s, const char *from, const char *to);

/* What stands in s from the first `from` to the end of the next `to`, both included. */
char *cut(struct arena *a, const char *s, const char *from, const char *to);

/* Octets as a C string (they hold no NUL). */
char *text_of(struct arena *a, struct bytes b);

/* A document as any reader of ours takes it: with comments and with CDATA. */
extern const struct xml_limits test_limits;

/* Parse or fail the test. */
const struct xml_node *parse_xml(struct arena *a, const char *text);

/* A signer of the test keys for a suite of that name, with its certificate. */
struct saml_signer test_signer(const struct test_keys *k, const char *suite);

/* Its public key. */
EVP_PKEY *test_signer_pub(const struct test_keys *k, const char *suite);

/* Run a program; true when it exits with 0.  Its output goes to *out (may be NULL). */
bool run_program(struct arena *a, const char *const *argv, char **out);

/* A file with this content in a directory of the test's own, removed at exit; its path. */
const char *temp_file(struct arena *a, const char *name, struct bytes content);

/* A temp_file with this private key in PEM. */
const char *pem_file(struct arena *a, const char *name, EVP_PKEY *key);

/* Does the xmlsec1 that is installed know a transform of that name? */
bool xmlsec1_knows(struct arena *a, const char *transform);

#endif
