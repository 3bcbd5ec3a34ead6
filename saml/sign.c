/* Making enveloped signatures; see sign.h. */
#include "saml/sign.h"

#include <string.h>

#include "base/hash.h"
#include "saml/xmlw.h"

#define EXC_C14N      "http://www.w3.org/2001/10/xml-exc-c14n#"
#define ENVELOPED     "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
#define SIGNATURE_MAX 32768 /* with a certificate */

static const struct xmlns xmlns_ec = {"ec", EXC_C14N};

static void
write_method(struct xmlw *w, const char *name, const char *algorithm)
{
	xmlw_open(w, &xmlns_ds, name);
	xmlw_attr(w, NULL, "Algorithm", algorithm);
	xmlw_close(w);
}

/* XMLDSIG 4.4.3: one Reference, to the element itself. */
static void
write_reference(struct xmlw *w, const struct saml_signer *signer, const struct saml_to_sign *what,
		struct bytes digest)
{
	xmlw_open(w, &xmlns_ds, "Reference");
	xmlw_attr(w, NULL, "URI", arena_printf(w->buf.a, "#%s", what->id));
	xmlw_open(w, &xmlns_ds, "Transforms");
	write_method(w, "Transform", ENVELOPED);
	xmlw_open(w, &xmlns_ds, "Transform");
	xmlw_attr(w, NULL, "Algorithm", EXC_C14N);
	if (what->prefix_list != NULL) {
		xmlw_open(w, &xmlns_ec, "InclusiveNamespaces");
		xmlw_attr(w, NULL, "PrefixList", what->prefix_list);
		xmlw_close(w);
	}
	xmlw_close(w);
	xmlw_close(w);
	write_method(w, "DigestMethod", signer->suite->digest_uri);
	xmlw_open(w, &xmlns_ds, "DigestValue");
	xmlw_base64(w, digest);
	xmlw_close(w);
	xmlw_close(w);
}

static void
write_signed_info(struct xmlw *w, const struct saml_signer *signer, const struct saml_to_sign *what,
		  struct bytes digest)
{
	xmlw_open(w, &xmlns_ds, "SignedInfo");
	write_method(w, "CanonicalizationMethod", EXC_C14N);
	write_method(w, "SignatureMethod", signer->suite->uri);
	write_reference(w, signer, what, digest);
	xmlw_close(w);
}

/* What is signed: SignedInfo as canonicalized alone, so with the declaration of Signature. */
static bool
sign_info(struct arena *a, const struct saml_signer *signer, struct bytes inside, struct bytes *sig,
	  struct err *err)
{
	const char *start = "<ds:SignedInfo>";
	struct bytes alone;
	struct buf b;

	buf_init(&b, a, SIGNATURE_MAX);
	buf_printf(&b, "<ds:SignedInfo xmlns:ds=\"%s\">", xmlns_ds.uri);
	buf_add(&b, (struct bytes){inside.p + strlen(start), inside.n - strlen(start)});
	return buf_finish(&b, &alone, err) && saml_sign_octets(a, signer, alone, sig, err);
}

static void
write_key_info(struct xmlw *w, struct bytes cert)
{
	if (cert.n == 0)
		return;
	xmlw_open(w, &xmlns_ds, "KeyInfo");
	xmlw_open(w, &xmlns_ds, "X509Data");
	xmlw_open(w, &xmlns_ds, "X509Certificate");
	xmlw_base64(w, cert);
	xmlw_close(w);
	xmlw_close(w);
	xmlw_close(w);
}

static bool
build_signature(struct arena *a, const struct saml_signer *signer, const struct saml_to_sign *what,
		struct bytes *out, struct err *err)
{
	const char *digest_name = saml_digest_by_uri(signer->suite->digest_uri);
	struct hash_digest digest;
	struct bytes sig;
	struct xmlw w;

	/* second line: the rows name digests that there are */
	if (digest_name == NULL || !hash_named(digest_name, what->element, &digest))
		return FAIL(err, ERR_INTERNAL, NULL, "no such digest");
	xmlw_init(&w, a, SIGNATURE_MAX);
	xmlw_open(&w, &xmlns_ds, "Signature");
	size_t from = xmlw_place(&w);

	write_signed_info(&w, signer, what, (struct bytes){digest.octets, digest.n});
	size_t to = xmlw_place(&w);

	if (w.fault != NULL || w.buf.over)
		return FAIL(err, ERR_INTERNAL, NULL, "SignedInfo cannot be written");
	if (!sign_info(a, signer, (struct bytes){w.buf.p + from, to - from}, &sig, err))
		return false;
	xmlw_open(&w, &xmlns_ds, "SignatureValue");
	xmlw_base64(&w, sig);
	xmlw_close(&w);
	write_key_info(&w, signer->cert_der);
	xmlw_close(&w);
	return xmlw_finish(&w, out, err);
}

bool
saml_sign_octets(struct arena *a, const struct saml_signer *signer, struct bytes octets,
		 struct bytes *sig, struct err *err)
{
	if (signer->suite->make == SIG_NONE)
		return FAIL(err, ERR_INTERNAL, NULL, "suite %s is not one we sign with",
			    signer->suite->name);
	return signer->ops->sign(signer->ops->ctx, a, signer->kid, signer->suite->make, octets, sig,
				 err);
}

bool
saml_sign_enveloped(struct arena *a, const struct saml_signer *signer,
		    const struct saml_to_sign *what, struct bytes *out, struct err *err)
{
	struct bytes e = what->element, signature;
	struct buf b;

	if (what->place == 0 || what->place >= e.n)
		return FAIL(err, ERR_INTERNAL, NULL, "no place for the signature");
	if (!build_signature(a, signer, what, &signature, err))
		return false;
	buf_init(&b, a, e.n + signature.n);
	buf_add(&b, (struct bytes){e.p, what->place});
	buf_add(&b, signature);
	buf_add(&b, (struct bytes){e.p + what->place, e.n - what->place});
	return buf_finish(&b, out, err);
}
