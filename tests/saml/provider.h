/*
 * Another identity provider for the tests: it signs, encrypts and answers as the specification
 * has it, or with one thing changed.  What is changed before a signature is signed as it is: a
 * hostile provider has good keys.
 */
#ifndef KONTOR_TESTS_SAML_PROVIDER_H
#define KONTOR_TESTS_SAML_PROVIDER_H

#include "saml/answer.h"
#include "saml/assertion.h"
#include "tests/saml/support.h"

#define PROVIDER_ENTITY "https://konto.baden.example/idp"
#define PROVIDER_SSO    "https://konto.baden.example/sso"

/* A text put in place of another. */
struct change {
	const char *from, *to;
};

#define PROVIDER_CHANGES 6

struct provider_answer {
	const char *entity, *sp, *acs, *request_id;
	const char *response_id, *assertion_id; /* NULL: made from the request's */
	const char *relay_state;                /* NULL: none */
	const char *nameid, *nameid_format;
	const char *class_ref;
	const char *status, *substatus; /* NULL: success, with an assertion */
	const struct saml_attribute *attributes;
	size_t n_attributes;
	time_t now;
	const char *suite; /* it signs with that key of test_keys */
	bool unsigned_response, unsigned_assertion;
	EVP_PKEY *encrypt_to; /* RSA; NULL: not encrypted */
	/* Texts changed: in the assertion before it is signed and after, in the Response likewise.
	 */
	struct change assertion[PROVIDER_CHANGES], signed_assertion[PROVIDER_CHANGES];
	struct change response[PROVIDER_CHANGES], signed_response[PROVIDER_CHANGES];
};

/* A good one, of `now`, at STORK-QAA-Level-3, by ES256. */
struct provider_answer provider_answer(const char *request_id, time_t now);

/* The XML of the Response; and the form that a browser posts. */
const char *provider_response(struct arena *a, const struct test_keys *k,
			      const struct provider_answer *p);
const char *provider_form(struct arena *a, const struct test_keys *k,
			  const struct provider_answer *p);

/* The form of any XML. */
const char *provider_form_of(struct arena *a, const char *xml, const char *relay_state);

/* Its metadata, with that key. */
const char *provider_metadata(struct arena *a, const struct test_keys *k, const char *entity,
			      const char *sso, const char *suite);

#endif
