/*
 * Verifying XML signatures; see xmlsig.h.  libxml2 canonicalizes, OpenSSL
 * verifies, and what lies between is this file: one check of the shape of
 * SignedInfo, made on the very octets whose signature is verified
 * (docs/decisions/0003).  xmlsec1 is the oracle in the tests.
 */
#include "saml/xmlsig.h"

#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "saml/names.h"

#define EXC_C14N "http://www.w3.org/2001/10/xml-exc-c14n#"

/* Nothing that is signed is shorter; canonical "nothing" has been signed elsewhere. */
#define LEAST_SIGNED_BYTES 64

struct saml_signed {
	const struct xml_node *root;
	struct bytes bytes;
	size_t key;
	const struct saml_suite *suite;
};

/* What may be signed, and whether its Signature follows the Issuer (SAML2Core 5.4.1). */
static const struct {
	const char *ns, *name;
	bool after_issuer;
} signable[] = {
	{SAML_NS_PROTOCOL, "AuthnRequest", true},
	{SAML_NS_PROTOCOL, "Response", true},
	{SAML_NS_PROTOCOL, "LogoutRequest", true},
	{SAML_NS_PROTOCOL, "LogoutResponse", true},
	{SAML_NS_PROTOCOL, "AttributeQuery", true},
	{SAML_NS_PROTOCOL, "ArtifactResolve", true},
	{SAML_NS_PROTOCOL, "ArtifactResponse", true},
	{SAML_NS_ASSERTION, "Assertion", true},
	{SAML_NS_METADATA, "EntityDescriptor", false},
	{SAML_NS_METADATA, "EntitiesDescriptor", false},
};

/* ---- where it stands ---- */

bool
xmlsig_present(const struct xml_node *n)
{
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
		if (xml_is(c, SAML_NS_DS, "Signature"))
			return true;
	return false;
}

static bool
find_signature(const struct xml_node *n, const struct xml_node **out, struct err *err)
{
	const struct xml_node *c = xml_first(n), *only;
	size_t i = 0;

	while (i < ARRAY_LEN(signable) && !xml_is(n, signable[i].ns, signable[i].name))
		i++;
	if (i == ARRAY_LEN(signable))
		return FAIL(err, ERR_INPUT, NULL, "<%s> is nothing that is signed", xml_name(n));
	if (!xml_child(n, SAML_NS_DS, "Signature", &only, err))
		return false;
	if (signable[i].after_issuer && xml_is(c, SAML_NS_ASSERTION, "Issuer"))
		c = xml_next(c);
	if (c != only)
		return FAIL(err, ERR_INPUT, NULL, "Signature is not in its place");
	*out = only;
	return true;
}

/* ---- what it says ---- */

struct parts {
	const struct xml_node *info;
	struct bytes value;
};

static bool
read_base64(struct arena *a, const struct xml_node *n, struct bytes *out, struct err *err)
{
	const char *text;

	return xml_text(a, n, &text, err) && dec_base64(a, bytes_of(text), true, out, err);
}

static bool
split_signature(struct arena *a, const struct xml_node *sig, struct parts *out, struct err *err)
{
	static const struct xml_row rows[] = {
		{SAML_NS_DS, "SignedInfo", 1, 1, false},
		{SAML_NS_DS, "SignatureValue", 1, 1, false},
		{SAML_NS_DS, "KeyInfo", 0, 1, false}, /* never looked into */
	};

	if (!xml_check_children(sig, rows, ARRAY_LEN(rows), err))
		return false;
	out->info = xml_first(sig);
	return read_base64(a, xml_next(out->info), &out->value, err);
}

/* An element with Algorithm and nothing in it: no HMACOutputLength, no parameters. */
static bool
read_algorithm(const struct xml_node *n, const char **out, struct err *err)
{
	static const char *const names[] = {"Algorithm", NULL};

	return xml_check_attrs(n, names, false, err) && xml_check_children(n, NULL, 0, err) &&
	       xml_need_attr(n, "Algorithm", out, err);
}

/* Exclusive C14N without comments, perhaps with a PrefixList (RFC 3741 4). */
static bool
read_c14n(const struct xml_node *n, const char **prefix_list, struct err *err)
{
	static const char *const names[] = {"Algorithm", NULL};
	static const char *const list_names[] = {"PrefixList", NULL};
	static const struct xml_row rows[] = {{EXC_C14N, "InclusiveNamespaces", 0, 1, false}};
	const struct xml_node *list = xml_first(n);
	const char *algorithm;

	if (!xml_need_attr(n, "Algorithm", &algorithm, err))
		return false;
	if (strcmp(algorithm, EXC_C14N) != 0)
		return FAIL(err, ERR_DENIED, NULL, "canonicalization is not exclusive C14N");
	if (!xml_check_attrs(n, names, false, err) ||
	    !xml_check_children(n, rows, ARRAY_LEN(rows), err))
		return false;
	*prefix_list = NULL;
	return list == NULL || (xml_check_attrs(list, list_names, false, err) &&
				xml_check_children(list, NULL, 0, err) &&
				xml_need_attr(list, "PrefixList", prefix_list, err));
}

/* Exactly enveloped-signature, then exclusive C14N (SAML2Core 5.4.4). */
static bool
read_transforms(const struct xml_node *n, struct xmlsig_reference *out, struct err *err)
{
	static const char *const none[] = {NULL};
	static const struct xml_row rows[] = {{SAML_NS_DS, "Transform", 2, 2, false}};
	const struct xml_node *first = xml_first(n);
	const char *algorithm;

	if (!xml_check_attrs(n, none, false, err) ||
	    !xml_check_children(n, rows, ARRAY_LEN(rows), err) ||
	    !read_algorithm(first, &algorithm, err))
		return false;
	if (strcmp(algorithm, SAML_NS_DS "enveloped-signature") != 0)
		return FAIL(err, ERR_DENIED, NULL, "first transform is not enveloped-signature");
	return read_c14n(xml_next(first), &out->prefix_list, err);
}

static bool
read_reference(struct arena *a, const struct xml_node *n, struct xmlsig_reference *out,
	       struct err *err)
{
	static const char *const names[] = {"URI", NULL};
	static const struct xml_row rows[] = {
		{SAML_NS_DS, "Transforms", 1, 1, false},
		{SAML_NS_DS, "DigestMethod", 1, 1, false},
		{SAML_NS_DS, "DigestValue", 1, 1, false},
	};
	const struct xml_node *c = xml_first(n);
	const char *algorithm, *uri;

	if (!xml_check_attrs(n, names, false, err) ||
	    !xml_check_children(n, rows, ARRAY_LEN(rows), err) ||
	    !xml_need_attr(n, "URI", &uri, err) || !read_transforms(c, out, err) ||
	    !read_algorithm(c = xml_next(c), &algorithm, err) ||
	    !read_base64(a, xml_next(c), &out->digest_value, err))
		return false;
	out->id = uri[0] == '#' ? uri + 1 : "";
	out->digest = saml_digest_by_uri(algorithm);
	return out->digest != NULL || FAIL(err, ERR_DENIED, NULL, "DigestMethod is not permitted");
}

/* The one check of SignedInfo's shape (XMLDSIG 4.4). */
static bool
read_info(struct arena *a, const struct xml_node *n, struct xmlsig_reference *out, struct err *err)
{
	static const char *const none[] = {NULL};
	static const struct xml_row rows[] = {
		{SAML_NS_DS, "CanonicalizationMethod", 1, 1, false},
		{SAML_NS_DS, "SignatureMethod", 1, 1, false},
		{SAML_NS_DS, "Reference", 1, 1, false},
	};
	const struct xml_node *method;
	const char *algorithm;

	if (!xml_check_attrs(n, none, false, err) ||
	    !xml_check_children(n, rows, ARRAY_LEN(rows), err))
		return false;
	method = xml_next(xml_first(n));
	if (!read_algorithm(method, &algorithm, err))
		return false;
	out->suite = saml_suite_by_uri(algorithm);
	if (out->suite == NULL)
		return FAIL(err, ERR_DENIED, NULL, "SignatureMethod is not permitted");
	return read_reference(a, xml_next(method), out, err);
}

/* ---- whether it holds ---- */

static bool
check_signature(const struct saml_suite *suite, struct bytes text, struct bytes sig,
		struct saml_keys keys, size_t *key, struct err *err)
{
	for (size_t i = 0; i < keys.n; i++)
		if (verify_signature(&suite->how, keys.key[i], text, sig)) {
			*key = i;
			return true;
		}
	return FAIL(err, ERR_DENIED, NULL, "no key of the sender verifies the signature");
}

static bool
check_digest(const struct xmlsig_reference *info, struct bytes text, struct err *err)
{
	struct hash_digest got;

	if (!hash_named(info->digest, text, &got) ||
	    !bytes_eq((struct bytes){got.octets, got.n}, info->digest_value))
		return FAIL(err, ERR_DENIED, NULL, "content is not what was signed");
	return true;
}

/* The one maker of struct saml_signed: `bytes` have been proven. */
static bool
make_signed(struct arena *a, struct saml_signed proven, const struct xml_limits *limits,
	    struct saml_signed **out, struct err *err)
{
	struct saml_signed *s = ARENA_NEW(a, struct saml_signed);
	struct xml_limits own = *limits;
	struct xml_doc *doc;

	/* What came was not too long; its canonical form may be longer. */
	own.max_bytes = proven.bytes.n;
	if (!xml_parse(a, proven.bytes, &own, &doc, err))
		return false;
	*s = proven;
	s->root = xml_root(doc);
	*out = s;
	return true;
}

/*
 * Canonicalize SignedInfo as the received one asks for, then read it from those
 * octets alone: what is verified and what is obeyed are the same.  Its shape is
 * looked at before, too: one that is not ours is not worth canonicalizing for a
 * stranger, and a comment in it is nobody's habit.
 */
bool
xmlsig_verify_info(struct arena *a, const struct xml_node *signature, struct saml_keys keys,
		   struct xmlsig_reference *out, struct err *err)
{
	struct parts parts = {0};
	const char *prefix_list;
	struct xml_doc *doc;
	struct bytes text;

	if (!split_signature(a, signature, &parts, err) || !read_info(a, parts.info, out, err) ||
	    !read_c14n(xml_first(parts.info), &prefix_list, err))
		return false;
	/* second line: no shape is known that passes as received and not as canonical text */
	if (!xml_c14n(a, parts.info, NULL, prefix_list, LEAST_SIGNED_BYTES, &text, err) ||
	    !xml_parse(a, text, &xml_limits_message, &doc, err) ||
	    !read_info(a, xml_root(doc), out, err))
		return false;
	return check_signature(out->suite, text, parts.value, keys, &out->key, err);
}

bool
xmlsig_verify(struct arena *a, const struct xml_node *n, struct saml_keys keys,
	      struct saml_signed **out, struct err *err)
{
	struct saml_signed proven = {0};
	struct xmlsig_reference ref = {0};
	const struct xml_node *sig;
	const char *id;

	if (!find_signature(n, &sig, err) || !xml_need_attr(n, "ID", &id, err) ||
	    !xmlsig_verify_info(a, sig, keys, &ref, err))
		return false;
	if (strcmp(ref.id, id) != 0)
		return FAIL(err, ERR_INPUT, NULL, "Reference is not to the element itself");
	if (!xml_c14n(a, n, sig, ref.prefix_list, LEAST_SIGNED_BYTES, &proven.bytes, err) ||
	    !check_digest(&ref, proven.bytes, err))
		return false;
	proven.key = ref.key;
	proven.suite = ref.suite;
	return make_signed(a, proven, xml_doc_limits(xml_doc_of(n)), out, err);
}

bool
xmlsig_verify_octets(struct arena *a, const struct xmlsig_octets *in, struct saml_keys keys,
		     const struct xml_limits *limits, struct saml_signed **out, struct err *err)
{
	struct saml_signed proven = {.bytes = in->message, .suite = saml_suite_by_uri(in->alg_uri)};
	struct saml_signed *s;

	if (proven.suite == NULL)
		return FAIL(err, ERR_DENIED, NULL, "SigAlg is not permitted");
	if (!check_signature(proven.suite, in->octets, in->sig, keys, &proven.key, err) ||
	    !make_signed(a, proven, limits, &s, err))
		return false;
	/* SAML2Bindings 3.4.4.1: removed by the sender, or two signatures say two things. */
	if (xmlsig_present(s->root))
		return FAIL(err, ERR_INPUT, NULL, "message is signed inside and beside");
	*out = s;
	return true;
}

/* ---- reading what was proven ---- */

const struct xml_node *
saml_signed_root(const struct saml_signed *s)
{
	return s->root;
}

size_t
saml_signed_key(const struct saml_signed *s)
{
	return s->key;
}

const struct saml_suite *
saml_signed_suite(const struct saml_signed *s)
{
	return s->suite;
}

struct bytes
saml_signed_bytes(const struct saml_signed *s)
{
	return s->bytes;
}

bool
saml_only_assertion(const struct xml_node *response, const struct xml_node **out, struct err *err)
{
	const struct xml_node *found = NULL;

	if (!xml_is(response, SAML_NS_PROTOCOL, "Response"))
		return FAIL(err, ERR_INPUT, NULL, "<%s> is no Response", xml_name(response));
	for (const struct xml_node *n = response; n != NULL; n = xml_next_in_document(n)) {
		if (!xml_is(n, SAML_NS_ASSERTION, "Assertion") &&
		    !xml_is(n, SAML_NS_ASSERTION, "EncryptedAssertion"))
			continue;
		if (found != NULL)
			return FAIL(err, ERR_INPUT, NULL, "Response has more than one assertion");
		found = n;
	}
	if (found == NULL || xml_parent(found) != response)
		return FAIL(err, ERR_INPUT, NULL, "Response has no assertion of its own");
	*out = found;
	return true;
}

bool
saml_signed_assertion(const struct saml_signed *response, const struct xml_node **out,
		      struct err *err)
{
	return saml_only_assertion(response->root, out, err);
}

bool
saml_signed_holds(const struct saml_signed *response, const struct saml_signed *assertion,
		  struct err *err)
{
	const struct xml_node *inside;
	const char *id, *inside_id;

	if (!saml_signed_assertion(response, &inside, err) ||
	    !xml_need_attr(inside, "ID", &inside_id, err) ||
	    !xml_need_attr(assertion->root, "ID", &id, err))
		return false;
	if (!xml_is(assertion->root, SAML_NS_ASSERTION, "Assertion") ||
	    !xml_is(inside, SAML_NS_ASSERTION, "Assertion") || strcmp(id, inside_id) != 0)
		return FAIL(err, ERR_INPUT, NULL, "assertion is not the one of the Response");
	return true;
}

bool
saml_signed_holds_encrypted(struct arena *a, const struct saml_signed *response,
			    const struct xml_node *encrypted, struct err *err)
{
	const struct xml_node *inside;
	struct bytes x, y;

	if (!saml_signed_assertion(response, &inside, err) ||
	    /* second line: its name and namespace alone are long enough */
	    !xml_c14n(a, inside, NULL, NULL, LEAST_SIGNED_BYTES, &x, err) ||
	    !xml_c14n(a, encrypted, NULL, NULL, LEAST_SIGNED_BYTES, &y, err))
		return false;
	if (!xml_is(inside, SAML_NS_ASSERTION, "EncryptedAssertion") || !bytes_eq(x, y))
		return FAIL(err, ERR_INPUT, NULL, "ciphertext is not the one of the Response");
	return true;
}
