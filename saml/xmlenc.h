/*
 * XML encryption in one fixed shape (SAML2Core 6, XMLENC 1.1): content under
 * AES-GCM, its key by RSA-OAEP or by ECDH-ES with ConcatKDF and AES key wrap,
 * ciphertext inline.  No CBC, no RSA1_5, no transforms, no references.
 *
 * Encryption proves nothing about who wrote the content: what comes out of
 * decryption goes through xmlsig like anything else.
 */
#ifndef KONTOR_SAML_XMLENC_H
#define KONTOR_SAML_XMLENC_H

#include <openssl/evp.h>

#include "keys/key_ops.h"
#include "saml/xml.h"
#include "saml/xmlw.h"

enum xmlenc_content { XMLENC_A128GCM = 1, XMLENC_A256GCM };

enum xmlenc_transport {
	XMLENC_OAEP_SHA256 = 1, /* xmlenc11#rsa-oaep, SHA-256, mgf1sha256 */
	XMLENC_OAEP_SHA1,       /* xmlenc#rsa-oaep-mgf1p, SHA-1: peers that cannot do better */
	XMLENC_ECDH_ES,         /* ConcatKDF SHA-256, AES key wrap of the content's size */
};

/* Algorithm URIs, for metadata's md:EncryptionMethod; 0 for one that is not ours. */
const char *xmlenc_content_uri(enum xmlenc_content c);
const char *xmlenc_transport_uri(enum xmlenc_transport t);
enum xmlenc_content xmlenc_content_by_uri(const char *uri);
enum xmlenc_transport xmlenc_transport_by_uri(const char *uri);

/* One peer's encryption key with what it understands; the key is of the transport's type. */
struct xmlenc_recipient {
	EVP_PKEY *key; /* from keys/cert.h */
	enum xmlenc_content content;
	enum xmlenc_transport transport;
	struct bytes cert_der; /* tells the peer which key; n 0: not written for RSA */
	const char *name;      /* entityID, for EncryptedKey/@Recipient; NULL: not written */
};

/* Words of a party's record: "aes256-gcm", "rsa-oaep" …  NULL, or 0, for what is not ours. */
const char *xmlenc_content_word(enum xmlenc_content c);
const char *xmlenc_transport_word(enum xmlenc_transport t);
enum xmlenc_content xmlenc_content_by_word(const char *word);
enum xmlenc_transport xmlenc_transport_by_word(const char *word);

/*
 * Encrypt `element` (text that xmlw wrote, standing alone).  *out is the
 * canonical text of <saml:NAME> (EncryptedAssertion, EncryptedID …) for
 * xmlw_canonical.  ERR_INTERNAL: a key that does not fit the transport, or
 * a method that is not in the lists above.
 */
MUST_USE bool xmlenc_encrypt(struct arena *a, struct bytes element, const char *name,
			     const struct xmlenc_recipient *to, struct bytes *out, struct err *err);

/* Our decryption keys, newest first. */
struct xmlenc_keys {
	const struct key_ops *ops;
	const char *const *kid;
	size_t n;
};

/*
 * Open an EncryptedAssertion, EncryptedID or EncryptedAttribute.  *out is a
 * document of one element, parsed with the namespaces in scope at `encrypted`;
 * it proves nothing.  ERR_INPUT with one and the same text for everything that
 * can go wrong after the shape was found in order; ERR_UNAVAILABLE passes through.
 */
MUST_USE bool xmlenc_decrypt(struct arena *a, const struct xml_node *encrypted,
			     const struct xmlenc_keys *keys, struct xml_doc **out, struct err *err);

#endif
