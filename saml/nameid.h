/* <saml:NameID>: by which name a party knows a person (SAML2Core 2.2.3, 8.3). */
#ifndef KONTOR_SAML_NAMEID_H
#define KONTOR_SAML_NAMEID_H

#include "saml/xmlenc.h"
#include "saml/xmlw.h"

struct saml_nameid {
	const char *value;             /* 1..256 characters */
	const char *format;            /* NULL: none stated */
	const char *name_qualifier;    /* our entityID; NULL: none */
	const char *sp_name_qualifier; /* the party's; NULL: none */
};

/* ERR_INPUT: empty, too long, not a text. */
MUST_USE bool saml_nameid_read(struct arena *a, const struct xml_node *n, struct saml_nameid *out,
			       struct err *err);

/*
 * The same of a parent that holds a NameID or an EncryptedID, as its schema has seen to.  keys
 * NULL: what is encrypted is not opened.  ERR_INPUT besides: it does not open, or holds another
 * thing; ERR_DENIED, ERR_UNAVAILABLE: xmlenc_decrypt's.
 */
MUST_USE bool saml_principal_read(struct arena *a, const struct xml_node *parent,
				  const struct xmlenc_keys *keys, struct saml_nameid *out,
				  struct err *err);

void saml_nameid_write(struct xmlw *w, const struct saml_nameid *nameid);

/* Formats a party may be named by, as bits; in this order when nothing else decides. */
enum saml_nameid_format {
	SAML_NAMEID_IS_TRANSIENT = 1 << 0,
	SAML_NAMEID_IS_PERSISTENT = 1 << 1,
	SAML_NAMEID_IS_EMAIL = 1 << 2,
};

/* The bit of a format's URI; 0: one we do not give. */
unsigned saml_nameid_format_bit(const char *uri);

/* The URI of the first format in the set; NULL for none. */
const char *saml_nameid_format_first(unsigned set);

#endif
