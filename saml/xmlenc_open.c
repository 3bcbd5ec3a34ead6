/*
 * Opening what a peer encrypted for us; see xmlenc.h.  First the shape of the
 * ciphertext, with an error text for each fault (it is public anyway); then the
 * keys and the content, where every failure looks alike.
 */
#include <openssl/objects.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/text.h"
#include "keys/cert.h"
#include "keys/envelope.h"
#include "saml/names.h"
#include "saml/xmlenc_alg.h"

/* For several recipients, or generations of our keys; more would only cost us time. */
#define MAX_KEYS             4

#define MAX_OTHER_INFO_BYTES 1024

struct sealed {
	const struct xml_node *whole; /* what xmlenc_decrypt was given */
	const struct xmlenc_content_row *content;
	struct bytes cipher;
	const struct xml_node *key[MAX_KEYS]; /* xenc:EncryptedKey */
	size_t n_keys;
};

/* ---- shape ---- */

/* CipherData with an inline CipherValue: no CipherReference. */
static bool
read_cipher(struct arena *a, const struct xml_node *n, struct bytes *out, struct err *err)
{
	static const struct xml_row rows[] = {{SAML_NS_XENC, "CipherValue", 1, 1, false}};
	const char *text;

	return xml_check_children(n, rows, ARRAY_LEN(rows), err) &&
	       xml_text(a, xml_first(n), &text, err) &&
	       dec_base64(a, bytes_of(text), true, out, err);
}

/* The EncryptedKey children of n; KeyInfo may name keys in other ways, which are not read. */
static bool
collect_keys(const struct xml_node *n, struct sealed *out, struct err *err)
{
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c)) {
		if (!xml_is(c, SAML_NS_XENC, "EncryptedKey"))
			continue;
		if (out->n_keys == MAX_KEYS)
			return FAIL(err, ERR_INPUT, NULL, "more than %d encrypted keys", MAX_KEYS);
		out->key[out->n_keys++] = c;
	}
	return true;
}

static const struct xmlenc_content_row *
content_by_uri(const char *uri)
{
	return xmlenc_content_row(xmlenc_content_by_uri(uri));
}

static bool
read_data(struct arena *a, const struct xml_node *data, struct sealed *out, struct err *err)
{
	static const struct xml_row rows[] = {
		{SAML_NS_XENC, "EncryptionMethod", 1, 1, false},
		{SAML_NS_DS, "KeyInfo", 0, 1, false},
		{SAML_NS_XENC, "CipherData", 1, 1, false},
	};
	const char *type = xml_attr(data, "Type"), *algorithm;
	const struct xml_node *method = xml_first(data), *info, *cipher;

	if (type != NULL && strcmp(type, XMLENC_ELEMENT) != 0)
		return FAIL(err, ERR_INPUT, NULL, "encrypted data is not an element");
	if (!xml_check_children(data, rows, ARRAY_LEN(rows), err) ||
	    !xml_check_children(method, NULL, 0, err) ||
	    !xml_need_attr(method, "Algorithm", &algorithm, err) ||
	    !xml_child_opt(data, SAML_NS_DS, "KeyInfo", &info, err) ||
	    !xml_child(data, SAML_NS_XENC, "CipherData", &cipher, err))
		return false;
	out->content = content_by_uri(algorithm);
	if (out->content == NULL)
		return FAIL(err, ERR_DENIED, NULL, "content encryption is not permitted");
	return (info == NULL || collect_keys(info, out, err)) &&
	       read_cipher(a, cipher, &out->cipher, err);
}

/* SAML2Core 2.2.4: EncryptedKey inside EncryptedData's KeyInfo, or beside EncryptedData. */
static bool
read_sealed(struct arena *a, const struct xml_node *n, struct sealed *out, struct err *err)
{
	static const char *const names[] = {"EncryptedAssertion", "EncryptedID",
					    "EncryptedAttribute"};
	static const struct xml_row rows[] = {
		{SAML_NS_XENC, "EncryptedData", 1, 1, false},
		{SAML_NS_XENC, "EncryptedKey", 0, 0, false},
	};
	size_t i = 0;

	while (i < ARRAY_LEN(names) && !xml_is(n, SAML_NS_ASSERTION, names[i]))
		i++;
	if (i == ARRAY_LEN(names))
		return FAIL(err, ERR_INPUT, NULL, "<%s> is nothing encrypted", xml_name(n));
	if (!xml_check_children(n, rows, ARRAY_LEN(rows), err) ||
	    !read_data(a, xml_first(n), out, err) || !collect_keys(n, out, err))
		return false;
	return out->n_keys > 0 || FAIL(err, ERR_INPUT, NULL, "no encrypted key comes along");
}

/* ---- the content key ---- */

struct attempt {
	const struct key_ops *ops;
	const char *kid;
	const struct xml_node *method, *info; /* of the EncryptedKey; info may be NULL */
	struct bytes cipher;
};

static const char *
algorithm_of(const struct xml_node *n, const char *fallback)
{
	const char *algorithm = n != NULL ? xml_attr(n, "Algorithm") : fallback;

	return algorithm != NULL ? algorithm : "";
}

/* XMLENC 1.1 5.5: digest and mask are both SHA-256 or both SHA-1; no OAEPparams. */
static bool
read_oaep(const struct xml_node *method, enum wrap_alg *out, struct err *err)
{
	static const struct xml_row rows[] = {
		{SAML_NS_DS, "DigestMethod", 0, 2, false},
		{SAML_NS_XENC11, "MGF", 0, 0, true},
	};
	const struct xmlenc_transport_row *old = xmlenc_transport_row(XMLENC_OAEP_SHA1),
					  *new = xmlenc_transport_row(XMLENC_OAEP_SHA256);
	const struct xml_node *digest = NULL, *mgf = NULL;

	if (!xml_check_children(method, rows, ARRAY_LEN(rows), err) ||
	    !xml_child_opt(method, SAML_NS_DS, "DigestMethod", &digest, err) ||
	    !xml_child_opt(method, SAML_NS_XENC11, "MGF", &mgf, err))
		return false;
	const char *d = algorithm_of(digest, old->digest_uri);
	const char *m = algorithm_of(mgf, SAML_NS_XENC11 "mgf1sha1");
	bool is_new = strcmp(algorithm_of(method, NULL), new->uri) == 0;

	if (is_new && strcmp(d, new->digest_uri) == 0 && strcmp(m, new->mgf_uri) == 0)
		*out = new->wrap;
	else if (strcmp(d, old->digest_uri) == 0 && strcmp(m, SAML_NS_XENC11 "mgf1sha1") == 0)
		*out = old->wrap;
	else
		return FAIL(err, ERR_INPUT, NULL, "OAEP with other digests");
	return true;
}

/* XMLENC 1.1 5.4.1: hexadecimal; the first octet counts padding bits, of which there are none. */
static bool
add_info(struct arena *a, const struct xml_node *params, const char *name, struct buf *b,
	 struct err *err)
{
	const char *hex = xml_attr(params, name);
	struct bytes octets;

	if (hex == NULL || hex[0] == '\0')
		return true;
	if (!dec_hex(a, bytes_of(hex), &octets, err))
		return false;
	if (octets.p[0] != 0)
		return FAIL(err, ERR_INPUT, NULL, "%s is not of whole octets", name);
	buf_add(b, (struct bytes){octets.p + 1, octets.n - 1});
	return true;
}

static bool
read_other_info(struct arena *a, const struct xml_node *method, struct bytes *out, struct err *err)
{
	static const char *const names[] = {"AlgorithmID", "PartyUInfo", "PartyVInfo",
					    "SuppPubInfo", "SuppPrivInfo"};
	const struct xml_node *derivation, *params, *digest;
	struct buf b;

	if (!xml_child(method, SAML_NS_XENC11, "KeyDerivationMethod", &derivation, err) ||
	    !xml_child(derivation, SAML_NS_XENC11, "ConcatKDFParams", &params, err) ||
	    !xml_child(params, SAML_NS_DS, "DigestMethod", &digest, err))
		return false;
	if (strcmp(algorithm_of(derivation, NULL), XMLENC_CONCAT_KDF) != 0 ||
	    strcmp(algorithm_of(digest, NULL), XMLENC_SHA256) != 0)
		return FAIL(err, ERR_INPUT, NULL, "key derivation is not ConcatKDF with SHA-256");
	buf_init(&b, a, MAX_OTHER_INFO_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!add_info(a, params, names[i], &b, err))
			return false;
	return buf_finish(&b, out, err);
}

/* The peer's key as DER: curve by object identifier (RFC 3061), point uncompressed. */
static bool
read_originator(struct arena *a, const struct xml_node *method, struct bytes *spki, struct err *err)
{
	const struct xml_node *n = method, *curve, *key;
	struct bytes point = {0};
	const char *uri, *text;
	EVP_PKEY *pub = NULL;

	if (!xml_child(n, SAML_NS_XENC, "OriginatorKeyInfo", &n, err) ||
	    !xml_child(n, SAML_NS_DS, "KeyValue", &n, err) ||
	    !xml_child(n, SAML_NS_DSIG11, "ECKeyValue", &n, err) ||
	    !xml_child(n, SAML_NS_DSIG11, "NamedCurve", &curve, err) ||
	    !xml_child(n, SAML_NS_DSIG11, "PublicKey", &key, err) ||
	    !xml_need_attr(curve, "URI", &uri, err) || !xml_text(a, key, &text, err) ||
	    /* second line: nothing is no point */
	    !dec_base64(a, bytes_of(text), true, &point, err))
		return false;
	if (!text_starts(uri, "urn:oid:"))
		return FAIL(err, ERR_INPUT, NULL, "curve is not named by its object identifier");
	const char *name = OBJ_nid2sn(OBJ_txt2nid(uri + strlen("urn:oid:")));

	/* second line: without a key there is none to write */
	return cert_ec_parse(a, name != NULL ? name : "", point, &pub, err) &&
	       cert_spki_build(a, pub, spki, err);
}

static bool
open_agreed(struct arena *a, const struct attempt *t, size_t kek_bytes, struct bytes *key,
	    struct err *err)
{
	const struct xml_node *method;
	struct bytes other_info = {0}, spki = {0}, kek = {0};

	if (t->info == NULL)
		return FAIL(err, ERR_INPUT, NULL, "wrapped key without agreement");
	if (!xml_child(t->info, SAML_NS_XENC, "AgreementMethod", &method, err))
		return false;
	if (xmlenc_transport_by_uri(algorithm_of(method, NULL)) != XMLENC_ECDH_ES)
		return FAIL(err, ERR_INPUT, NULL, "agreement is not ECDH-ES");
	return read_other_info(a, method, &other_info, err) &&
	       read_originator(a, method, &spki, err) &&
	       t->ops->agree(t->ops->ctx, a, t->kid, spki, other_info, kek_bytes, &kek, err) &&
	       /* second line: a key that did not come is of no size */
	       envelope_unwrap_aes(a, kek, t->cipher, key, err);
}

static bool
open_key(struct arena *a, const struct attempt *t, struct bytes *key, struct err *err)
{
	const char *algorithm = algorithm_of(t->method, NULL);
	enum xmlenc_transport transport = xmlenc_transport_by_uri(algorithm);
	const struct xmlenc_content_row *row;
	enum wrap_alg wrap;

	if (transport == XMLENC_OAEP_SHA256 || transport == XMLENC_OAEP_SHA1)
		return read_oaep(t->method, &wrap, err) &&
		       t->ops->unwrap(t->ops->ctx, a, t->kid, wrap, t->cipher, key, err);
	for (size_t i = 0; (row = xmlenc_content_at(i)) != NULL; i++)
		if (strcmp(algorithm, row->key_wrap_uri) == 0)
			return open_agreed(a, t, row->key_bytes, key, err);
	return FAIL(err, ERR_INPUT, NULL, "key transport is not permitted");
}

/* ---- all of it ---- */

static bool
try_key(struct arena *a, const struct sealed *s, const struct xml_node *key_node,
	const struct key_ops *ops, const char *kid, struct xml_doc **out, struct err *err)
{
	struct attempt t = {.ops = ops, .kid = kid};
	struct bytes key = {0}, plain = {0};
	const struct xml_node *cipher;

	/* second line: no method is none that is permitted */
	if (!xml_child(key_node, SAML_NS_XENC, "EncryptionMethod", &t.method, err) ||
	    !xml_child_opt(key_node, SAML_NS_DS, "KeyInfo", &t.info, err) ||
	    !xml_child(key_node, SAML_NS_XENC, "CipherData", &cipher, err) ||
	    !read_cipher(a, cipher, &t.cipher, err) || !open_key(a, &t, &key, err))
		return false;
	if (key.n != s->content->key_bytes)
		return FAIL(err, ERR_INPUT, NULL, "content key of another size");
	/* second line: what did not open is left empty, and nothing is no XML */
	return envelope_open(a, key, (struct bytes){0}, s->cipher, &plain, err) &&
	       xml_parse_within(a, plain, s->whole, xml_doc_limits(xml_doc_of(s->whole)), out, err);
}

bool
xmlenc_decrypt(struct arena *a, const struct xml_node *encrypted, const struct xmlenc_keys *keys,
	       struct xml_doc **out, struct err *err)
{
	struct sealed s = {.whole = encrypted};

	if (!read_sealed(a, encrypted, &s, err))
		return false;
	for (size_t i = 0; i < s.n_keys; i++)
		for (size_t k = 0; k < keys->n; k++) {
			struct err e = {0};

			if (try_key(a, &s, s.key[i], keys->ops, keys->kid[k], out, &e))
				return true;
			if (e.kind == ERR_UNAVAILABLE)
				return FAIL(err, ERR_UNAVAILABLE, NULL, "%s", e.text);
		}
	return FAIL(err, ERR_INPUT, NULL, "encrypted element does not open");
}
