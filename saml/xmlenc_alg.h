/* Algorithms of XML encryption, for saml/xmlenc*.c: one row each, for both directions. */
#ifndef KONTOR_SAML_XMLENC_ALG_H
#define KONTOR_SAML_XMLENC_ALG_H

#include "saml/xmlenc.h"

#define XMLENC_ELEMENT    "http://www.w3.org/2001/04/xmlenc#Element"
#define XMLENC_CONCAT_KDF "http://www.w3.org/2009/xmlenc11#ConcatKDF"
#define XMLENC_SHA256     "http://www.w3.org/2001/04/xmlenc#sha256"

/* Content encryption, and the key wrap of the same strength. */
struct xmlenc_content_row {
	enum xmlenc_content content;
	const char *word; /* as a party's record names it */
	const char *uri, *key_wrap_uri;
	size_t key_bytes;
};

/* How the content's key gets to a key of that kind (XMLENC 1.1 5.5.2, 5.6.4). */
struct xmlenc_transport_row {
	enum xmlenc_transport transport;
	const char *word;                       /* as a party's record names it */
	const char *key;                        /* as OpenSSL names it: "RSA", "EC" */
	const char *uri, *digest_uri, *mgf_uri; /* NULL: not written */
	enum wrap_alg wrap;                     /* WRAP_NONE: an agreement */
};

/* Rows in the order of preference; NULL past the end. */
const struct xmlenc_content_row *xmlenc_content_at(size_t i);
const struct xmlenc_transport_row *xmlenc_transport_at(size_t i);

/* NULL for another value. */
const struct xmlenc_content_row *xmlenc_content_row(enum xmlenc_content c);
const struct xmlenc_transport_row *xmlenc_transport_row(enum xmlenc_transport t);

#endif
