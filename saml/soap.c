/* SOAP 1.1 envelopes; see soap.h. */
#include "saml/soap.h"

#include <string.h>

#include "base/text.h"

#define ENVELOPE_MAX ((size_t)512 * 1024)

const struct xmlns xmlns_soap = {"S", SOAP_NS};

/* ---- reading ---- */

static bool
is_understood(const struct xml_node *block, const struct soap_name *understood)
{
	for (; understood != NULL && understood->name != NULL; understood++)
		if (xml_is(block, understood->ns, understood->name))
			return true;
	return false;
}

/* SOAP 1.1 4.2.2, 4.2.3: a block for somebody further on is not ours to understand. */
static bool
check_block(const struct xml_node *block, const struct soap_name *understood, struct err *err)
{
	const char *must = xml_attr_ns(block, SOAP_NS, "mustUnderstand");
	const char *actor = xml_attr_ns(block, SOAP_NS, "actor");

	if (xml_ns(block)[0] == '\0')
		return FAIL(err, ERR_INPUT, NULL, "SOAP header block of no namespace");
	if (must == NULL || strcmp(must, "0") == 0)
		return true;
	if (strcmp(must, "1") != 0)
		return FAIL(err, ERR_INPUT, NULL, "mustUnderstand is neither 0 nor 1");
	if (actor != NULL && actor[0] != '\0' && strcmp(actor, SOAP_ACTOR_NEXT) != 0)
		return true;
	return is_understood(block, understood) ||
	       FAIL(err, ERR_INPUT, SOAP_MUST_UNDERSTAND, "SOAP header <%s> is not known here",
		    xml_name(block));
}

static bool
check_header(const struct xml_node *header, const struct soap_name *understood, struct err *err)
{
	static const struct xml_row blocks[] = {{NULL, NULL, 0, 0, false}};

	if (!xml_check_children(header, blocks, ARRAY_LEN(blocks), err))
		return false;
	for (const struct xml_node *b = xml_first(header); b != NULL; b = xml_next(b))
		if (!check_block(b, understood, err))
			return false;
	return true;
}

/* SOAP 1.1 4.4: its parts are of no namespace, in this order. */
static bool
read_fault(struct arena *a, const struct xml_node *n, const struct soap_fault **out,
	   struct err *err)
{
	static const struct xml_row parts[] = {
		{"", "faultcode", 1, 1, false},
		{"", "faultstring", 1, 1, false},
		{"", "faultactor", 0, 1, false},
		{"", "detail", 0, 1, false},
	};
	struct soap_fault *f = ARENA_NEW(a, struct soap_fault);
	const char *code, *ns;

	if (!xml_check_children(n, parts, ARRAY_LEN(parts), err))
		return false;
	const struct xml_node *first = xml_first(n);

	if (!xml_text(a, first, &code, err) || !xml_qname(a, first, code, &ns, &f->code, err) ||
	    !xml_text(a, xml_next(first), &f->text, err))
		return false;
	*out = f;
	return true;
}

static bool
read_body(struct arena *a, const struct xml_node *body, struct soap_envelope *out, struct err *err)
{
	static const struct xml_row one[] = {
		{SOAP_NS, "Fault", 1, 1, false},
		{NULL, NULL, 1, 1, true},
	};

	if (!xml_check_children(body, one, ARRAY_LEN(one), err))
		return false;
	const struct xml_node *content = xml_first(body);

	if (xml_is(content, SOAP_NS, "Fault"))
		return read_fault(a, content, &out->fault, err);
	out->content = content;
	return true;
}

static bool
read_parts(struct arena *a, const struct xml_node *root, const struct soap_name *understood,
	   struct soap_envelope *out, struct err *err)
{
	static const struct xml_row parts[] = {
		{SOAP_NS, "Header", 0, 1, false},
		{SOAP_NS, "Body", 1, 1, false},
	};
	const struct xml_node *body;

	/* Elements behind the Body, which SOAP 1.1 allows, belong to no message of SAML. */
	if (!xml_check_children(root, parts, ARRAY_LEN(parts), err) ||
	    !xml_child_opt(root, SOAP_NS, "Header", &out->header, err) ||
	    !xml_child(root, SOAP_NS, "Body", &body, err))
		return false;
	if (out->header != NULL && !check_header(out->header, understood, err))
		return false;
	return read_body(a, body, out, err);
}

bool
soap_read(struct arena *a, struct bytes octets, const struct soap_name *understood,
	  struct soap_envelope *out, struct err *err)
{
	struct soap_envelope envelope = {0};
	struct xml_doc *doc;

	/* What it carries may have CDATA where xml_text_cdata reads, as by other bindings. */
	if (!xml_parse(a, octets, &xml_limits_request, &doc, err))
		return err_name(err, SOAP_CLIENT);
	if (!xml_is(xml_root(doc), SOAP_NS, "Envelope"))
		return FAIL(err, ERR_INPUT, SOAP_VERSION_MISMATCH, "<%s> is no SOAP 1.1 envelope",
			    xml_name(xml_root(doc)));
	if (!read_parts(a, xml_root(doc), understood, &envelope, err))
		return err_name(err, SOAP_CLIENT);
	*out = envelope;
	return true;
}

/* ---- writing ---- */

void
soap_begin(struct xmlw *w, struct arena *a)
{
	xmlw_init(w, a, ENVELOPE_MAX);
	xmlw_open(w, &xmlns_soap, "Envelope");
}

bool
soap_end(struct xmlw *w, const struct xmlns *ns, struct bytes message, struct bytes *out,
	 struct err *err)
{
	xmlw_open(w, &xmlns_soap, "Body");
	xmlw_canonical(w, ns, message);
	xmlw_close(w);
	xmlw_close(w);
	return xmlw_finish(w, out, err);
}

bool
soap_write(struct arena *a, const struct xmlns *ns, struct bytes message, struct bytes *out,
	   struct err *err)
{
	struct xmlw w;

	soap_begin(&w, a);
	return soap_end(&w, ns, message, out, err);
}

bool
soap_write_fault(struct arena *a, const char *code, const char *text, struct bytes *out,
		 struct err *err)
{
	struct xmlw w;

	soap_begin(&w, a);
	xmlw_open(&w, &xmlns_soap, "Body");
	xmlw_open(&w, &xmlns_soap, "Fault");
	xmlw_element(&w, NULL, "faultcode", arena_printf(a, "%s:%s", xmlns_soap.prefix, code));
	xmlw_element(&w, NULL, "faultstring", text);
	xmlw_close(&w);
	xmlw_close(&w);
	xmlw_close(&w);
	return xmlw_finish(&w, out, err);
}

const char *
soap_code_of(const struct err *err)
{
	static const char *const codes[] = {SOAP_VERSION_MISMATCH, SOAP_MUST_UNDERSTAND,
					    SOAP_CLIENT, SOAP_SERVER};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (text_eq(err->proto, codes[i]))
			return codes[i];
	switch (err->kind) {
	case ERR_INPUT:
	case ERR_DENIED:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
		return SOAP_CLIENT;
	default:
		return SOAP_SERVER;
	}
}
