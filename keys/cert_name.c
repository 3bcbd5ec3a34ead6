/* Names in certificates; see cert_name.h. */
#include "keys/cert_name.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

static void
release_x509(void *p)
{
	X509_free(p);
}

static void
release_names(void *p)
{
	GENERAL_NAMES_free(p);
}

static void
release_bio(void *p)
{
	BIO_free(p);
}

static const char *
subject_of(struct arena *a, const X509 *x, unsigned long flags)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;

	arena_defer(a, release_bio, bio);
	if (bio == NULL || X509_NAME_print_ex(bio, X509_get_subject_name(x), 0, flags) < 0)
		return NULL;
	long n = BIO_get_mem_data(bio, &text);

	return n <= 0 ? "" : arena_strndup(a, text, (size_t)n);
}

/* CVE-2009-2408: what has a NUL inside is read by some up to it. */
static bool
text_of(struct arena *a, const ASN1_STRING *s, const char **out)
{
	const unsigned char *p = ASN1_STRING_get0_data(s);
	size_t n = (size_t)ASN1_STRING_length(s);

	if (n == 0 || memchr(p, '\0', n) != NULL)
		return false;
	*out = arena_strndup(a, (const char *)p, n);
	return true;
}

/* *taken is false for a kind that nobody asks for. */
static bool
name_of(struct arena *a, const GENERAL_NAME *g, struct cert_name *out, bool *taken)
{
	*taken = true;
	switch (g->type) {
	case GEN_DNS:
		*out = (struct cert_name){.kind = CERT_NAME_DNS};
		return text_of(a, g->d.dNSName, &out->text);
	case GEN_URI:
		*out = (struct cert_name){.kind = CERT_NAME_URI};
		return text_of(a, g->d.uniformResourceIdentifier, &out->text);
	case GEN_EMAIL:
		*out = (struct cert_name){.kind = CERT_NAME_EMAIL};
		return text_of(a, g->d.rfc822Name, &out->text);
	case GEN_IPADD:
		*out = (struct cert_name){
			.kind = CERT_NAME_IP,
			.octets = arena_bytes(
				a, (struct bytes){ASN1_STRING_get0_data(g->d.iPAddress),
						  (size_t)ASN1_STRING_length(g->d.iPAddress)})};
		return out->octets.n == 4 || out->octets.n == 16;
	default:
		*taken = false;
		return true;
	}
}

bool
cert_names_read(struct arena *a, struct bytes der, struct cert_names *out, struct err *err)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	GENERAL_NAMES *names =
		x == NULL ? NULL : X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	size_t count = names == NULL ? 0 : (size_t)sk_GENERAL_NAME_num(names), n = 0;

	arena_defer(a, release_x509, x);
	arena_defer(a, release_names, names);
	ERR_clear_error();
	if (x == NULL || p != der.p + der.n || count > CERT_NAMES_MAX)
		return FAIL(err, ERR_INPUT, NULL, "not a certificate, or one of too many names");
	struct cert_name *list = ARENA_ARRAY(a, struct cert_name, count + 1);

	for (size_t i = 0; i < count; i++) {
		bool taken;

		if (!name_of(a, sk_GENERAL_NAME_value(names, (int)i), &list[n], &taken))
			return FAIL(err, ERR_INPUT, NULL, "a certificate with a malformed name");
		n += taken ? 1 : 0;
	}
	*out = (struct cert_names){
		subject_of(a, x, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB),
		subject_of(a, x, XN_FLAG_RFC2253), list, n};
	return (out->subject != NULL && out->subject_escaped != NULL) ||
	       FAIL(err, ERR_INPUT, NULL, "a certificate whose subject does not read");
}
