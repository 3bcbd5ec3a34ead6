/*
 * SOAP 1.1 envelopes around SAML messages (SAML2Bindings 3.2): reading what a
 * peer sent or answered, writing ours.  An envelope proves nothing: what stands
 * in its Body is verified by its own signature, on the document as received.
 */
#ifndef KONTOR_SAML_SOAP_H
#define KONTOR_SAML_SOAP_H

#include "saml/xml.h"
#include "saml/xmlw.h"

#define SOAP_NS         "http://schemas.xmlsoap.org/soap/envelope/"
#define SOAP_ACTOR_NEXT "http://schemas.xmlsoap.org/soap/actor/next"

/* SAML2Bindings 3.2.3: what a request and an answer are sent as; the header's value is not read. */
#define SOAP_CONTENT_TYPE "text/xml; charset=utf-8"
#define SOAP_ACTION       "http://www.oasis-open.org/committees/security"

extern const struct xmlns xmlns_soap; /* for S:mustUnderstand and S:actor of header blocks */

/* SOAP 1.1 4.4.1; also the proto names of what soap_read refuses. */
#define SOAP_VERSION_MISMATCH "VersionMismatch"
#define SOAP_MUST_UNDERSTAND  "MustUnderstand"
#define SOAP_CLIENT           "Client"
#define SOAP_SERVER           "Server"

struct soap_name {
	const char *ns, *name;
};

struct soap_fault {
	const char *code; /* local name of the QName: one of the above, or the peer's own */
	const char *text; /* faultstring: the peer's words, for the log */
};

struct soap_envelope {
	const struct xml_node *header;  /* NULL: none */
	const struct xml_node *content; /* the one element in Body; NULL: it is a Fault */
	const struct soap_fault *fault; /* NULL: it is none */
};

/*
 * Read an envelope: at most one Header, one Body with exactly one element in it,
 * nothing after it.  Header blocks that are to be understood (S:mustUnderstand="1",
 * without an actor or for the next one) must be in `understood`, a list that ends
 * with a NULL name (NULL: none is); other blocks are passed over.  All points into
 * `a`.  ERR_INPUT with proto SOAP_VERSION_MISMATCH (another envelope, SOAP 1.2 among
 * them), SOAP_MUST_UNDERSTAND or SOAP_CLIENT.
 */
MUST_USE bool soap_read(struct arena *a, struct bytes octets, const struct soap_name *understood,
			struct soap_envelope *out, struct err *err);

/*
 * Write one.  After soap_begin a caller may write a S:Header of its own (open,
 * blocks, close); soap_end puts `message` (a finished element whose root is of
 * namespace ns) into the Body.
 */
void soap_begin(struct xmlw *w, struct arena *a);
MUST_USE bool soap_end(struct xmlw *w, const struct xmlns *ns, struct bytes message,
		       struct bytes *out, struct err *err);

/* Both in one: an envelope without a header. */
MUST_USE bool soap_write(struct arena *a, const struct xmlns *ns, struct bytes message,
			 struct bytes *out, struct err *err);

/*
 * A fault, sent with status 500 (SAML2Bindings 3.2.3.3) for what went wrong before
 * there was a SAML message to answer.  code: one of the above; text: English, and
 * nothing in it that a stranger should not read.
 */
MUST_USE bool soap_write_fault(struct arena *a, const char *code, const char *text,
			       struct bytes *out, struct err *err);

/* The code for a failure: its proto if it is one of the four, else by whose fault it was. */
const char *soap_code_of(const struct err *err);

#endif
