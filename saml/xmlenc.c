/* Encrypting for a peer; see xmlenc.h.  Opening is in xmlenc_open.c. */
#include "saml/xmlenc.h"

#include <openssl/objects.h>
#include <string.h>

#include "base/rand.h"
#include "keys/cert.h"
#include "keys/envelope.h"
#include "saml/names.h"
#include "saml/xmlenc_alg.h"

#define XENC          SAML_NS_XENC
#define XENC11        SAML_NS_XENC11
#define DS_SHA1       "http://www.w3.org/2000/09/xmldsig#sha1"

#define KEY_BYTES_MAX 32

/* What an element costs beside its ciphertext: two certificates at most. */
#define MAX_FRAME_BYTES 65536

/* Best first, each. */
static const struct xmlenc_content_row contents[] = {
	{XMLENC_A256GCM, "aes256-gcm", XENC11 "aes256-gcm", XENC "kw-aes256", 32},
	{XMLENC_A128GCM, "aes128-gcm", XENC11 "aes128-gcm", XENC "kw-aes128", 16},
};

static const struct xmlenc_transport_row transports[] = {
	{XMLENC_ECDH_ES, "ecdh-es", "EC", XENC11 "ECDH-ES", NULL, NULL, WRAP_NONE},
	{XMLENC_OAEP_SHA256, "rsa-oaep", "RSA", XENC11 "rsa-oaep", XMLENC_SHA256,
	 XENC11 "mgf1sha256", WRAP_RSA_OAEP_SHA256},
	{XMLENC_OAEP_SHA1, "rsa-oaep-mgf1p", "RSA", XENC "rsa-oaep-mgf1p", DS_SHA1, NULL,
	 WRAP_RSA_OAEP_SHA1},
};

/* ---- the tables ---- */

const struct xmlenc_content_row *
xmlenc_content_at(size_t i)
{
	return i < ARRAY_LEN(contents) ? &contents[i] : NULL;
}

const struct xmlenc_transport_row *
xmlenc_transport_at(size_t i)
{
	return i < ARRAY_LEN(transports) ? &transports[i] : NULL;
}

const struct xmlenc_content_row *
xmlenc_content_row(enum xmlenc_content c)
{
	for (size_t i = 0; i < ARRAY_LEN(contents); i++)
		if (contents[i].content == c)
			return &contents[i];
	return NULL;
}

const char *
xmlenc_content_uri(enum xmlenc_content c)
{
	const struct xmlenc_content_row *row = xmlenc_content_row(c);

	return row != NULL ? row->uri : NULL;
}

enum xmlenc_content
xmlenc_content_by_uri(const char *uri)
{
	for (size_t i = 0; i < ARRAY_LEN(contents); i++)
		if (strcmp(contents[i].uri, uri) == 0)
			return contents[i].content;
	return 0;
}

const struct xmlenc_transport_row *
xmlenc_transport_row(enum xmlenc_transport t)
{
	for (size_t i = 0; i < ARRAY_LEN(transports); i++)
		if (transports[i].transport == t)
			return &transports[i];
	return NULL;
}

const char *
xmlenc_transport_uri(enum xmlenc_transport t)
{
	const struct xmlenc_transport_row *row = xmlenc_transport_row(t);

	return row != NULL ? row->uri : NULL;
}

enum xmlenc_transport
xmlenc_transport_by_uri(const char *uri)
{
	for (size_t i = 0; i < ARRAY_LEN(transports); i++)
		if (strcmp(transports[i].uri, uri) == 0)
			return transports[i].transport;
	return 0;
}

/* ---- the words of a party's record ---- */

const char *
xmlenc_content_word(enum xmlenc_content c)
{
	const struct xmlenc_content_row *row = xmlenc_content_row(c);

	return row != NULL ? row->word : NULL;
}

const char *
xmlenc_transport_word(enum xmlenc_transport t)
{
	const struct xmlenc_transport_row *row = xmlenc_transport_row(t);

	return row != NULL ? row->word : NULL;
}

enum xmlenc_content
xmlenc_content_by_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(contents); i++)
		if (strcmp(contents[i].word, word) == 0)
			return contents[i].content;
	return 0;
}

enum xmlenc_transport
xmlenc_transport_by_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(transports); i++)
		if (strcmp(transports[i].word, word) == 0)
			return transports[i].transport;
	return 0;
}

/* ---- writing ---- */

static void
write_method(struct xmlw *w, const struct xmlns *ns, const char *name, const char *algorithm)
{
	xmlw_open(w, ns, name);
	xmlw_attr(w, NULL, "Algorithm", algorithm);
	xmlw_close(w);
}

static void
write_cipher(struct xmlw *w, struct bytes octets)
{
	xmlw_open(w, &xmlns_xenc, "CipherData");
	xmlw_open(w, &xmlns_xenc, "CipherValue");
	xmlw_base64(w, octets);
	xmlw_close(w);
	xmlw_close(w);
}

static void
write_certificate(struct xmlw *w, struct bytes der)
{
	xmlw_open(w, &xmlns_ds, "X509Data");
	xmlw_open(w, &xmlns_ds, "X509Certificate");
	xmlw_base64(w, der);
	xmlw_close(w);
	xmlw_close(w);
}

/* XMLDSIG 1.1 4.5.2.3.1: a public key as curve and point. */
static void
write_ec_key(struct xmlw *w, const char *curve_uri, struct bytes point)
{
	xmlw_open(w, &xmlns_ds, "KeyValue");
	xmlw_open(w, &xmlns_dsig11, "ECKeyValue");
	xmlw_open(w, &xmlns_dsig11, "NamedCurve");
	xmlw_attr(w, NULL, "URI", curve_uri);
	xmlw_close(w);
	xmlw_open(w, &xmlns_dsig11, "PublicKey");
	xmlw_base64(w, point);
	xmlw_close(w);
	xmlw_close(w);
	xmlw_close(w);
}

/* "urn:oid:" and the curve's object identifier (RFC 3061). */
static bool
curve_uri(struct arena *a, EVP_PKEY *key, const char **out, struct err *err)
{
	char name[64] = "", oid[64];

	/* second line: no name, no identifier */
	if (EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) != 1 ||
	    OBJ_obj2txt(oid, sizeof(oid), OBJ_nid2obj(OBJ_sn2nid(name)), 1) <= 0)
		return FAIL(err, ERR_INTERNAL, NULL, "EC key has no named curve");
	*out = arena_printf(a, "urn:oid:%s", oid);
	return true;
}

static void
open_encrypted_key(struct xmlw *w, const struct xmlenc_recipient *to)
{
	xmlw_open(w, &xmlns_xenc, "EncryptedKey");
	xmlw_attr(w, NULL, "Recipient", to->name);
}

/* XMLENC 1.1 5.5.2. */
static bool
write_oaep_key(struct xmlw *w, const struct xmlenc_recipient *to, struct bytes content_key,
	       struct err *err)
{
	const struct xmlenc_transport_row *row = xmlenc_transport_row(to->transport);
	struct bytes wrapped;

	if (row == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "no such key transport");
	if (!envelope_wrap_rsa(w->buf.a, to->key, row->wrap, content_key, &wrapped, err))
		return false;
	open_encrypted_key(w, to);
	xmlw_open(w, &xmlns_xenc, "EncryptionMethod");
	xmlw_attr(w, NULL, "Algorithm", row->uri);
	write_method(w, &xmlns_ds, "DigestMethod", row->digest_uri);
	if (row->mgf_uri != NULL)
		write_method(w, &xmlns_xenc11, "MGF", row->mgf_uri);
	xmlw_close(w);
	if (to->cert_der.n > 0) {
		xmlw_open(w, &xmlns_ds, "KeyInfo");
		write_certificate(w, to->cert_der);
		xmlw_close(w);
	}
	write_cipher(w, wrapped);
	xmlw_close(w);
	return true;
}

/* XMLENC 1.1 5.6.4: whose key agreed with whose, and how the result became a key. */
static void
write_agreement(struct xmlw *w, const struct xmlenc_recipient *to, const char *curve,
		struct bytes ours, struct bytes theirs)
{
	xmlw_open(w, &xmlns_xenc, "AgreementMethod");
	xmlw_attr(w, NULL, "Algorithm", xmlenc_transport_uri(XMLENC_ECDH_ES));
	xmlw_open(w, &xmlns_xenc11, "KeyDerivationMethod");
	xmlw_attr(w, NULL, "Algorithm", XMLENC_CONCAT_KDF);
	xmlw_open(w, &xmlns_xenc11, "ConcatKDFParams");
	/* One octet that counts padding bits, then nothing: empty strings (5.4.1). */
	xmlw_attr(w, NULL, "AlgorithmID", "00");
	xmlw_attr(w, NULL, "PartyUInfo", "00");
	xmlw_attr(w, NULL, "PartyVInfo", "00");
	write_method(w, &xmlns_ds, "DigestMethod", XMLENC_SHA256);
	xmlw_close(w);
	xmlw_close(w);
	xmlw_open(w, &xmlns_xenc, "OriginatorKeyInfo");
	write_ec_key(w, curve, ours);
	xmlw_close(w);
	xmlw_open(w, &xmlns_xenc, "RecipientKeyInfo");
	if (to->cert_der.n > 0)
		write_certificate(w, to->cert_der);
	else
		write_ec_key(w, curve, theirs);
	xmlw_close(w);
	xmlw_close(w);
}

static bool
write_agreed_key(struct xmlw *w, const struct xmlenc_recipient *to,
		 const struct xmlenc_content_row *content, struct bytes content_key,
		 struct err *err)
{
	struct arena *a = w->buf.a;
	struct bytes ours, theirs, kek, wrapped;
	const char *curve;

	if (!curve_uri(a, to->key, &curve, err) || !cert_ec_point(a, to->key, &theirs, err) ||
	    !envelope_agree(a, to->key, (struct bytes){0}, content->key_bytes, &ours, &kek, err) ||
	    !envelope_wrap_aes(a, kek, content_key, &wrapped, err))
		return false;
	open_encrypted_key(w, to);
	write_method(w, &xmlns_xenc, "EncryptionMethod", content->key_wrap_uri);
	xmlw_open(w, &xmlns_ds, "KeyInfo");
	write_agreement(w, to, curve, ours, theirs);
	xmlw_close(w);
	write_cipher(w, wrapped);
	xmlw_close(w);
	return true;
}

bool
xmlenc_encrypt(struct arena *a, struct bytes element, const char *name,
	       const struct xmlenc_recipient *to, struct bytes *out, struct err *err)
{
	const struct xmlenc_content_row *content = xmlenc_content_row(to->content);
	struct bytes content_key, sealed;
	struct xmlw w;

	if (content == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "no such content encryption");
	unsigned char *key = arena_alloc(a, KEY_BYTES_MAX);

	content_key = (struct bytes){key, content->key_bytes};
	rand_bytes(key, content_key.n);
	if (!envelope_seal(a, content_key, (struct bytes){0}, element, &sealed, err))
		return false;
	xmlw_init(&w, a, sealed.n * 2 + MAX_FRAME_BYTES);
	xmlw_open(&w, &xmlns_saml, name);
	xmlw_open(&w, &xmlns_xenc, "EncryptedData");
	xmlw_attr(&w, NULL, "Type", XMLENC_ELEMENT);
	write_method(&w, &xmlns_xenc, "EncryptionMethod", content->uri);
	xmlw_open(&w, &xmlns_ds, "KeyInfo");
	if (to->transport == XMLENC_ECDH_ES) {
		if (!write_agreed_key(&w, to, content, content_key, err))
			return false;
	} else if (!write_oaep_key(&w, to, content_key, err))
		return false;
	xmlw_close(&w);
	write_cipher(&w, sealed);
	xmlw_close(&w);
	xmlw_close(&w);
	return xmlw_finish(&w, out, err);
}
