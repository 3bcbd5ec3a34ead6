/* Shapes of the bytes that keys sign; see shape.h. */
#include "keys/shape.h"

#include <string.h>

#include "base/enc.h"
#include "base/json.h"
#include "base/text.h"
#include "keys/key_type.h"

#define HEADER_MAX         16384 /* octets of a decoded JWS header; a trust chain is long */
#define HEADER_NESTING_MAX 8     /* opening brackets in it */
#define SIG_ALG_MAX        256   /* octets of a SigAlg value as it stands in the query */

/* How often s stands in b. */
static size_t
count(struct bytes b, const char *s)
{
	size_t n = 0, step = strlen(s);
	const unsigned char *at = b.p, *end = b.p + b.n;

	while ((at = memmem(at, (size_t)(end - at), s, step)) != NULL) {
		n++;
		at += step;
	}
	return n;
}

/*
 * XMLDSig 4.3: one SignedInfo as exclusive canonicalization writes it, nothing
 * before or after, elements and attributes only, its SignatureMethod naming alg.
 */
static bool
signed_info_check(struct arena *a, const struct sig_alg_row *row, struct bytes text,
		  struct err *err)
{
	const char *method = arena_printf(a, "<ds:SignatureMethod Algorithm=\"%s\">", row->xml);

	if (!bytes_end(text, "</ds:SignedInfo>") || count(text, "SignedInfo") != 2)
		return FAIL(err, ERR_DENIED, NULL, "not one SignedInfo");
	if (count(text, "<!") + count(text, "<?") > 0 || memchr(text.p, '\0', text.n) != NULL)
		return FAIL(err, ERR_DENIED, NULL, "SignedInfo is not canonical");
	if (count(text, "SignatureMethod ") != 1 || count(text, method) != 1)
		return FAIL(err, ERR_DENIED, NULL, "SignedInfo names another algorithm");
	if (count(text, "<ds:Reference URI=\"") != 1)
		return FAIL(err, ERR_DENIED, NULL, "SignedInfo has not one Reference");
	return true;
}

/* SAML2Bindings 3.4.4.1: SAMLRequest|SAMLResponse=..[&RelayState=..]&SigAlg=.., nothing more. */
static bool
redirect_check(struct arena *a, const struct sig_alg_row *row, struct bytes text, struct err *err)
{
	const char *sig_alg = "&SigAlg=";
	const unsigned char *at = memmem(text.p, text.n, sig_alg, strlen(sig_alg));
	struct bytes value, uri;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] >= 0x7f)
			return FAIL(err, ERR_DENIED, NULL, "query is not URL-encoded");
	if (at == NULL)
		return FAIL(err, ERR_DENIED, NULL, "query does not end in SigAlg");
	value.p = at + strlen(sig_alg);
	value.n = (size_t)(text.p + text.n - value.p);
	size_t before = count((struct bytes){text.p, (size_t)(at - text.p)}, "&");

	if (memchr(value.p, '&', value.n) != NULL || before > 1 ||
	    before != count(text, "&RelayState="))
		return FAIL(err, ERR_DENIED, NULL, "query has other parameters");
	if (value.n > SIG_ALG_MAX || !dec_form(a, value, &uri, NULL) ||
	    !bytes_eq(uri, bytes_of(row->xml)))
		return FAIL(err, ERR_DENIED, NULL, "query names another algorithm");
	return true;
}

/* The typ values of OpenID Federation 1.0 (section 3 and 8): only its key makes them. */
static bool
is_federation_type(const char *typ)
{
	static const char *const types[] = {
		"entity-statement+jwt",
		"resolve-response+jwt",
		"trust-mark+jwt",
		"trust-mark-delegation+jwt",
		"trust-mark-status-response+jwt",
		"explicit-registration-response+jwt",
		"jwk-set+jwt",
	};

	for (size_t i = 0; typ != NULL && i < ARRAY_LEN(types); i++)
		if (strcasecmp(typ, types[i]) == 0)
			return true;
	return false;
}

static bool
jws_header_check(enum key_purpose purpose, const char *kid, const struct sig_alg_row *row,
		 const json_t *header, struct err *err)
{
	const char *alg = NULL, *named = NULL, *typ = NULL;

	if (row->jose == NULL || !json_get_str(header, "alg", &alg, NULL) ||
	    !text_eq(alg, row->jose))
		return FAIL(err, ERR_DENIED, NULL, "header names another algorithm");
	if (!json_get_str(header, "kid", &named, NULL) || !text_eq(named, kid))
		return FAIL(err, ERR_DENIED, NULL, "header names another key");
	if (!json_get_str(header, "typ", &typ, NULL) ||
	    is_federation_type(typ) != (purpose == KEY_FEDERATION_SIGN))
		return FAIL(err, ERR_DENIED, NULL, "header has a type of another purpose");
	return true;
}

/* RFC 7515 5.1: BASE64URL(header) '.' BASE64URL(payload), both JSON objects here. */
static bool
jws_check(struct arena *a, enum key_purpose purpose, const char *kid, const struct sig_alg_row *row,
	  struct bytes text, struct err *err)
{
	const unsigned char *dot = memchr(text.p, '.', text.n);
	struct bytes header, payload;
	json_t *o = NULL;

	if (dot == NULL)
		return FAIL(err, ERR_DENIED, NULL, "not a JWS signing input");
	size_t head_n = (size_t)(dot - text.p);

	if (!dec_base64url(a, (struct bytes){text.p, head_n}, &header, NULL) ||
	    !dec_base64url(a, (struct bytes){dot + 1, text.n - head_n - 1}, &payload, NULL))
		return FAIL(err, ERR_DENIED, NULL, "not a JWS signing input");
	if (!bytes_start(payload, "{") || !bytes_end(payload, "}"))
		return FAIL(err, ERR_DENIED, NULL, "JWS payload is not an object");
	/* Flat objects only: the parser recurses, and our threads have small stacks. */
	if (count(header, "{") + count(header, "[") > HEADER_NESTING_MAX ||
	    !json_parse_object(a, header, HEADER_MAX, &o, NULL))
		return FAIL(err, ERR_DENIED, NULL, "JWS header is not a flat object");
	return jws_header_check(purpose, kid, row, o, err);
}

static bool
is_signed_info(struct bytes text)
{
	return bytes_start(text, "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">");
}

bool
shape_check(struct arena *a, enum key_purpose purpose, const char *kid, enum sig_alg alg,
	    struct bytes text, struct err *err)
{
	const struct sig_alg_row *row = sig_alg_row(alg);

	if (row == NULL)
		return FAIL(err, ERR_DENIED, NULL, "unknown signature algorithm");
	if (text.n == 0 || text.n > SHAPE_TEXT_MAX)
		return FAIL(err, ERR_DENIED, NULL, "%zu octets to sign", text.n);
	switch (purpose) {
	case KEY_SAML_SIGN:
		if (row->xml == NULL)
			return FAIL(err, ERR_DENIED, NULL, "no algorithm of SAML");
		if (is_signed_info(text))
			return signed_info_check(a, row, text, err);
		if (bytes_start(text, "SAMLRequest=") || bytes_start(text, "SAMLResponse="))
			return redirect_check(a, row, text, err);
		return FAIL(err, ERR_DENIED, NULL, "neither SignedInfo nor a Redirect query");
	case KEY_FEDERATION_SIGN:
		if (row->xml != NULL && is_signed_info(text))
			return signed_info_check(a, row, text, err);
		return jws_check(a, purpose, kid, row, text, err);
	case KEY_OIDC_SIGN:
		return jws_check(a, purpose, kid, row, text, err);
	default:
		return FAIL(err, ERR_DENIED, NULL, "key is not for signatures");
	}
}
