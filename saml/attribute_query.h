/*
 * <samlp:AttributeQuery>: what a party asks about a person it was told of before (SAML2Core
 * 3.3.2.3, SAML2Profiles 6).  Whether and what it is told is idp/'s.
 */
#ifndef KONTOR_SAML_ATTRIBUTE_QUERY_H
#define KONTOR_SAML_ATTRIBUTE_QUERY_H

#include "saml/extensions.h"
#include "saml/message.h"
#include "saml/nameid.h"

#define SAML_QUERY_NAMES_MAX 64

struct saml_attribute_query { /* points into the arena given to _parse() */
	struct saml_header header;
	const struct saml_party *party; /* the verified sender */
	struct saml_nameid subject;
	bool is_confirmed;            /* it wants the subject confirmed, which we do not judge */
	struct saml_named_list names; /* n 0: whatever there is */
	bool names_values;            /* it asks whether an attribute has a certain value */
};

/*
 * keys open an EncryptedID.  ERR_DENIED: not signed; ERR_INPUT: not as the schema has it, one name
 * twice, more than SAML_QUERY_NAMES_MAX of them.
 */
MUST_USE bool saml_attribute_query_parse(struct arena *a, const struct saml_verified *v,
					 const struct xmlenc_keys *keys,
					 const struct saml_attribute_query **out, struct err *err);

/*
 * Can we judge what it asks?  Failures are ERR_DENIED with the status to answer the party with:
 * SAML_REQUEST_UNSUPPORTED, SAML_INVALID_ATTRIBUTE.
 */
MUST_USE bool saml_attribute_query_check_wish(const struct saml_attribute_query *q,
					      struct err *err);

#endif
