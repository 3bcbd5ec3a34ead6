/*
 * HTTP-Redirect: DEFLATE, base64 and percent encoding in a query; the signature
 * stands beside the message, over the query's own octets (SAML2Bindings 3.4).
 */
#include <string.h>

#define ZLIB_CONST /* the input is not written to */
#include <zlib.h>

#include "base/enc.h"
#include "saml/binding.h"
#include "saml/names.h"

#define ENCODING_DEFLATE "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
#define SIG_ALG_MAX      256
#define SIGNATURE_MAX    4096

/* Raw DEFLATE in a window of 4 KiB: messages are small, and zlib's default takes 256 KiB each. */
#define WINDOW_BITS (-12)
#define MEM_LEVEL   5

static voidpf
zlib_alloc(voidpf arena, uInt items, uInt size)
{
	return arena_calloc(arena, items, size);
}

static void
zlib_free(voidpf arena, voidpf p)
{
	(void)arena;
	(void)p;
}

/* zlib takes its memory from the arena, so there is nothing to end. */
static z_stream
stream_over(struct arena *a, struct bytes in)
{
	return (z_stream){
		.zalloc = zlib_alloc,
		.zfree = zlib_free,
		.opaque = a,
		.next_in = in.p,
		.avail_in = (uInt)in.n,
	};
}

static bool
inflate_message(struct arena *a, struct bytes in, struct bytes *out, struct err *err)
{
	size_t max =
		in.n < SAML_XML_MAX / SAML_INFLATE_RATIO ? in.n * SAML_INFLATE_RATIO : SAML_XML_MAX;
	unsigned char chunk[4096];
	struct buf b;
	int rc;
	z_stream z = stream_over(a, in);

	/* Z_FINISH: what fits into the chunk, as requests do, needs no window of 32 KiB. */
	if (in.n > SAML_XML_MAX || inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return FAIL(err, ERR_INPUT, NULL, "message of %zu octets", in.n);
	buf_init(&b, a, max);
	do {
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		rc = inflate(&z, Z_FINISH);
		/* What is wrong behind a full chunk is told by the next call. */
		if (rc != Z_STREAM_END && z.avail_out != 0)
			return FAIL(err, ERR_INPUT, NULL, "message is no DEFLATE stream");
		buf_add(&b, (struct bytes){chunk, sizeof(chunk) - z.avail_out});
		if (b.over)
			return FAIL(err, ERR_INPUT, NULL, "message inflates past %zu octets", max);
	} while (rc != Z_STREAM_END);
	if (z.avail_in != 0)
		return FAIL(err, ERR_INPUT, NULL, "octets after the DEFLATE stream");
	return buf_finish(&b, out, err);
}

/* "&name=value" with the value as received. */
static void
add_octets(struct buf *b, const char *name, struct bytes raw)
{
	if (raw.p == NULL)
		return;
	if (b->n > 0)
		buf_char(b, '&');
	buf_str(b, name);
	buf_char(b, '=');
	buf_add(b, raw);
}

static bool
read_signature(struct arena *a, const struct saml_parameters *ps, struct saml_wire *out,
	       struct err *err)
{
	const char *sig;
	struct buf b;

	if ((ps->sig_alg.p != NULL) != (ps->signature.p != NULL))
		return FAIL(err, ERR_INPUT, NULL, "Signature without SigAlg or the reverse");
	if (ps->sig_alg.p == NULL)
		return true;
	/* SAML2Bindings 3.4.4.1: in this order, encoded as the sender chose to. */
	buf_init(&b, a, SAML_URL_MAX * 16);
	add_octets(&b, "SAMLRequest", ps->request);
	add_octets(&b, "SAMLResponse", ps->response);
	add_octets(&b, "RelayState", ps->relay_state);
	add_octets(&b, "SigAlg", ps->sig_alg);
	return buf_finish(&b, &out->octets, err) &&
	       saml_parameter_text(a, ps->sig_alg, SIG_ALG_MAX, "SigAlg", &out->sig_alg, err) &&
	       saml_parameter_text(a, ps->signature, SIGNATURE_MAX, "Signature", &sig, err) &&
	       dec_base64(a, bytes_of(sig), true, &out->sig, err);
}

static bool
decode(struct arena *a, struct bytes raw, struct saml_wire *out, struct err *err)
{
	struct bytes field, packed;
	struct saml_parameters ps;
	const char *encoding;

	if (!saml_parameters_read(a, raw, &ps, err) ||
	    !saml_parameter_text(a, ps.encoding, sizeof(ENCODING_DEFLATE), "SAMLEncoding",
				 &encoding, err))
		return false;
	if (encoding != NULL && strcmp(encoding, ENCODING_DEFLATE) != 0)
		return FAIL(err, ERR_INPUT, NULL, "SAMLEncoding is not DEFLATE");
	out->is_response = ps.response.p != NULL;
	return dec_form(a, out->is_response ? ps.response : ps.request, &field, err) &&
	       dec_base64(a, field, false, &packed, err) &&
	       inflate_message(a, packed, &out->xml, err) &&
	       saml_parameter_text(a, ps.relay_state, SAML_RELAY_STATE_MAX, "RelayState",
				   &out->relay_state, err) &&
	       read_signature(a, &ps, out, err);
}

static bool
deflate_all(z_stream *z, struct arena *a, struct bytes *out)
{
	size_t max = deflateBound(z, z->avail_in);
	unsigned char *p = arena_alloc(a, max);

	z->next_out = p;
	z->avail_out = (uInt)max;
	if (deflate(z, Z_FINISH) != Z_STREAM_END)
		return false;
	*out = (struct bytes){p, max - z->avail_out};
	return true;
}

static bool
deflate_message(struct arena *a, struct bytes in, struct bytes *out, struct err *err)
{
	z_stream z = stream_over(a, in);

	if (in.n > SAML_XML_MAX ||
	    deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK ||
	    !deflate_all(&z, a, out))
		return FAIL(err, ERR_INTERNAL, NULL, "message of %zu octets is not packed", in.n);
	return true;
}

static bool
sign_query(struct arena *a, const struct saml_signer *signer, struct buf *query, struct err *err)
{
	struct bytes octets, sig;

	saml_query_add(query, "SigAlg", signer->suite->uri);
	if (!buf_finish(query, &octets, err) || !saml_sign_octets(a, signer, octets, &sig, err))
		return false;
	saml_query_add(query, "Signature", enc_base64(a, sig));
	return true;
}

static bool
encode(struct arena *a, const struct saml_outgoing *what, struct saml_carrier *out, struct err *err)
{
	struct buf query;
	struct bytes packed;

	if (!deflate_message(a, what->message->element, &packed, err))
		return false;
	buf_init(&query, a, SAML_URL_MAX);
	saml_query_add(&query, what->is_response ? "SAMLResponse" : "SAMLRequest",
		       enc_base64(a, packed));
	if (what->relay_state != NULL)
		saml_query_add(&query, "RelayState", what->relay_state);
	struct saml_carrier carrier = {0};

	if ((what->signer != NULL && !sign_query(a, what->signer, &query, err)) ||
	    !saml_query_end(a, what->url, &query, &carrier.location, err))
		return false;
	*out = carrier;
	return true;
}

const struct saml_binding_row saml_binding_redirect = {
	.id = SAML_BINDING_REDIRECT,
	.uri = SAML_BINDING_URI_REDIRECT,
	.for_request = true,
	.for_logout = true,
	.decode = decode,
	.encode = encode,
};
