/* The table of bindings and what they share: reading parameters; see binding.h. */
#include "saml/binding.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"

static const struct saml_binding_row *const rows[] = {
	&saml_binding_redirect, &saml_binding_post, &saml_binding_soap,
	&saml_binding_artifact, &saml_binding_paos,
};

const struct saml_binding_row *
saml_binding_at(size_t i)
{
	return i < ARRAY_LEN(rows) ? rows[i] : NULL;
}

const struct saml_binding_row *
saml_binding_find(enum saml_binding id)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i]->id == id)
			return rows[i];
	return NULL;
}

const struct saml_binding_row *
saml_binding_by_uri(const char *uri)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (text_eq(rows[i]->uri, uri))
			return rows[i];
	return NULL;
}

bool
saml_binding_decode(struct arena *a, enum saml_binding id, struct bytes raw, struct saml_wire *out,
		    struct err *err)
{
	const struct saml_binding_row *row = saml_binding_find(id);
	struct saml_wire wire = {.binding = id};

	if (row == NULL || row->decode == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "no binding %d", (int)id);
	if (!row->decode(a, raw, &wire, err))
		return false;
	*out = wire;
	return true;
}

bool
saml_binding_encode(struct arena *a, enum saml_binding id, const struct saml_outgoing *what,
		    struct saml_carrier *out, struct err *err)
{
	const struct saml_binding_row *row = saml_binding_find(id);

	if (row == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "no binding %d", (int)id);
	return row->encode(a, what, out, err);
}

/* ---- parameters ---- */

static const struct {
	const char *name;
	size_t offset;
} known[] = {
	{"SAMLRequest", offsetof(struct saml_parameters, request)},
	{"SAMLResponse", offsetof(struct saml_parameters, response)},
	{"RelayState", offsetof(struct saml_parameters, relay_state)},
	{"SigAlg", offsetof(struct saml_parameters, sig_alg)},
	{"Signature", offsetof(struct saml_parameters, signature)},
	{"SAMLEncoding", offsetof(struct saml_parameters, encoding)},
};

/* Where the value of this name belongs; NULL for a name that means nothing here. */
static struct bytes *
place_of(struct saml_parameters *ps, struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (bytes_eq(name, bytes_of(known[i].name)))
			return (struct bytes *)(void *)((char *)ps + known[i].offset);
	return NULL;
}

/*
 * One "name=value".  Verifier and reader must take the same occurrence of a
 * parameter (Governikus Autent SDK 2018, CVE-2025-31335), so there may be one
 * only, spelled as the signature base spells it.
 */
static bool
read_one(struct arena *a, struct bytes pair, struct saml_parameters *ps, struct err *err)
{
	const unsigned char *eq = memchr(pair.p, '=', pair.n);
	size_t name_n = eq != NULL ? (size_t)(eq - pair.p) : pair.n;
	struct bytes name = {pair.p, name_n}, decoded, *place;

	if (!dec_form(a, name, &decoded, err))
		return false;
	place = place_of(ps, decoded);
	if (place == NULL)
		return true;
	if (!bytes_eq(name, decoded))
		return FAIL(err, ERR_INPUT, NULL, "parameter name in another spelling");
	if (place->p != NULL)
		return FAIL(err, ERR_INPUT, NULL, "%.*s occurs twice", (int)name.n,
			    (const char *)name.p);
	if (eq == NULL)
		return FAIL(err, ERR_INPUT, NULL, "%.*s has no value", (int)name.n,
			    (const char *)name.p);
	*place = (struct bytes){eq + 1, pair.n - name_n - 1};
	return true;
}

bool
saml_parameters_read(struct arena *a, struct bytes raw, struct saml_parameters *out,
		     struct err *err)
{
	struct saml_parameters ps = {0};

	while (raw.n > 0) {
		const unsigned char *amp = memchr(raw.p, '&', raw.n);
		size_t n = amp != NULL ? (size_t)(amp - raw.p) : raw.n;

		if (!read_one(a, (struct bytes){raw.p, n}, &ps, err))
			return false;
		n += amp != NULL;
		raw = (struct bytes){raw.p + n, raw.n - n};
	}
	if ((ps.request.p != NULL) == (ps.response.p != NULL))
		return FAIL(err, ERR_INPUT, NULL,
			    "not exactly one of SAMLRequest and SAMLResponse");
	*out = ps;
	return true;
}

bool
saml_parameter_text(struct arena *a, struct bytes raw, size_t max_bytes, const char *name,
		    const char **out, struct err *err)
{
	struct bytes decoded;

	if (raw.p == NULL) {
		*out = NULL;
		return true;
	}
	return dec_form(a, raw, &decoded, err) &&
	       text_from_bytes(a, decoded, max_bytes, name, out, err);
}

void
saml_query_add(struct buf *query, const char *name, const char *value)
{
	if (query->n > 0)
		buf_char(query, '&');
	buf_str(query, name);
	buf_char(query, '=');
	enc_percent(query, bytes_of(value));
}

bool
saml_query_end(struct arena *a, const char *url, struct buf *query, const char **out,
	       struct err *err)
{
	struct buf whole;
	const char *q;

	if (!buf_finish_str(query, &q, err))
		return false;
	buf_init(&whole, a, SAML_URL_MAX);
	buf_str(&whole, url);
	buf_char(&whole, strchr(url, '?') != NULL ? '&' : '?');
	buf_str(&whole, q);
	return buf_finish_str(&whole, out, err);
}
