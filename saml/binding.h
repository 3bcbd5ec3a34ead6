/*
 * How a message travels: through the browser (SAML2Bindings 3.4, 3.5), from server
 * to server (3.2), or first by a name that is brought by the browser and then resolved
 * (3.6): octets of a query, a form or a body in, the carried XML out, and the way back.  One row
 * per binding; metadata lists the rows.  Nothing here looks into the message.
 */
#ifndef KONTOR_SAML_BINDING_H
#define KONTOR_SAML_BINDING_H

#include "base/buf.h"
#include "base/err.h"
#include "saml/sign.h"

/* Stored in rows: append, never renumber. */
enum saml_binding {
	SAML_BINDING_NONE = 0,
	SAML_BINDING_REDIRECT = 1,
	SAML_BINDING_POST = 2,
	SAML_BINDING_SOAP = 3,
	SAML_BINDING_ARTIFACT = 4,
	SAML_BINDING_PAOS = 5,
};

/* SAML2Bindings 3.4.3 asks for at most 80 octets of RelayState; real senders take more. */
#define SAML_RELAY_STATE_MAX 1024

#define SAML_URL_MAX         ((size_t)64 * 1024) /* of a query, or a URL with one */

/* XML after decoding; a DEFLATE stream may not grow more than this many times (CVE-2025-25293). */
#define SAML_XML_MAX       ((size_t)256 * 1024)
#define SAML_INFLATE_RATIO 100

/* What arrived: nothing of it is proven. */
struct saml_wire {
	enum saml_binding binding;
	bool is_response;        /* it came as SAMLResponse; SOAP does not say */
	struct bytes xml;        /* SOAP: the whole envelope */
	const char *relay_state; /* opaque; NULL if there was none */
	const char *sig_alg;     /* Redirect: SigAlg; NULL: no signature beside the message */
	struct bytes octets;     /* what that signature is over, as received */
	struct bytes sig;
};

/* A message to be sent. */
struct saml_outgoing {
	bool is_response;
	const char *url;         /* the peer's endpoint */
	const char *relay_state; /* NULL: none */
	const struct saml_to_sign *message;
	const struct saml_signer *signer; /* NULL: the message goes as it is */
	bool request_signed;              /* PAOS: the request that it answers was */
	const char *artifact;             /* HTTP-Artifact: what names it; else NULL */
};

/* What the browser is to do with it, or what is sent as the body of a request or an answer. */
struct saml_carrier {
	struct bytes envelope;     /* SOAP; n 0: for the browser */
	struct bytes kept;         /* HTTP-Artifact: the message, for who resolves it; else n 0 */
	const char *kept_prefixes; /* of values in it (saml_to_sign); NULL: none */
	const char *location;      /* be redirected there; NULL: post a form instead */
	const char *action;        /* the form's target */
	const char *name, *value;  /* its message field */
	const char *relay_state;   /* its RelayState field; NULL: none */
};

struct saml_binding_row {
	enum saml_binding id;
	const char *uri;
	bool for_request;  /* we take AuthnRequests by it */
	bool for_response; /* we send Responses by it, through a browser */
	bool for_client;   /* we send Responses by it, through a client that is none */
	bool for_logout;
	/* NULL: nothing comes to us by it. */
	bool (*decode)(struct arena *a, struct bytes raw, struct saml_wire *out, struct err *err);
	bool (*encode)(struct arena *a, const struct saml_outgoing *what, struct saml_carrier *out,
		       struct err *err);
};

/* Row i in the table's order; NULL past the end. */
const struct saml_binding_row *saml_binding_at(size_t i);

/* NULL when there is no such row. */
const struct saml_binding_row *saml_binding_find(enum saml_binding id);
const struct saml_binding_row *saml_binding_by_uri(const char *uri);

/*
 * Decode what came by `id`: the query's octets for Redirect, the form's octets
 * for POST, the body for SOAP, as received and undecoded.  ERR_INPUT: a binding we take
 * nothing by (HTTP-Artifact), not exactly one of SAMLRequest and SAMLResponse, a protocol parameter
 * twice or with its name in another spelling, a value that does not decode, a bomb.  Unknown
 * parameters are passed over unread.
 */
MUST_USE bool saml_binding_decode(struct arena *a, enum saml_binding id, struct bytes raw,
				  struct saml_wire *out, struct err *err);

/* Sign (beside the message or inside it) and wrap.  Errors: the signer's, or ERR_INTERNAL. */
MUST_USE bool saml_binding_encode(struct arena *a, enum saml_binding id,
				  const struct saml_outgoing *what, struct saml_carrier *out,
				  struct err *err);

/* ---- between binding.c and binding_*.c ---- */

/* The parameters bindings know, each still as received; p NULL when it did not occur. */
struct saml_parameters {
	struct bytes request, response, relay_state, sig_alg, signature, encoding;
};

MUST_USE bool saml_parameters_read(struct arena *a, struct bytes raw, struct saml_parameters *out,
				   struct err *err);

/* Decode one of them; *out = NULL when it did not occur. */
MUST_USE bool saml_parameter_text(struct arena *a, struct bytes raw, size_t max_bytes,
				  const char *name, const char **out, struct err *err);

/* Append a parameter to a query, encoded; put a finished one behind a URL. */
void saml_query_add(struct buf *query, const char *name, const char *value);
MUST_USE bool saml_query_end(struct arena *a, const char *url, struct buf *query, const char **out,
			     struct err *err);

extern const struct saml_binding_row saml_binding_redirect, saml_binding_post, saml_binding_soap,
	saml_binding_artifact, saml_binding_paos;

#endif
