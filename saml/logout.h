/*
 * Single logout (SAML2Core 3.7, SAML2Profiles 4.4): requests that ask us to end
 * a session, our answers, and the same the other way round.  Which sessions are
 * meant and whether they were ended is idp/'s business.
 */
#ifndef KONTOR_SAML_LOGOUT_H
#define KONTOR_SAML_LOGOUT_H

#include "saml/assertion.h"
#include "saml/message.h"
#include "saml/status.h"

#define SAML_SESSION_INDEXES_MAX 32

/* ---- from a party ---- */

struct saml_logout_request {
	struct saml_header header;
	const struct saml_party *party; /* the verified sender */
	struct saml_nameid nameid;      /* qualifiers and format NULL when left out */
	const char *session_index[SAML_SESSION_INDEXES_MAX];
	size_t n_session_indexes; /* 0: every session of that person with this party */
	time_t not_on_or_after;   /* 0: not stated */
	const char *reason;       /* NULL; the sender's word */
};

/*
 * ERR_DENIED: the message is not signed (CVE-2016-8638: whoever could forge one
 * could end anybody's session); ERR_INPUT: not as the schema has it, an
 * EncryptedID that does not open.  `keys` may be NULL: then none opens.
 */
MUST_USE bool saml_logout_request_parse(struct arena *a, const struct saml_verified *v,
					const struct xmlenc_keys *keys,
					const struct saml_logout_request **out, struct err *err);

/*
 * Time of issue and NotOnOrAfter, of which its sender may be told; first whether it was meant for
 * us (saml_header_check_place).  ERR_DENIED, proto SAML_REQUEST_DENIED.
 */
MUST_USE bool saml_logout_request_check(const struct saml_logout_request *r,
					const struct saml_window *window, time_t now,
					struct err *err);

struct saml_logout_response {
	struct saml_header header; /* in_response_to is never NULL */
	const struct saml_party *party;
	bool success;         /* and not merely partial */
	bool unknown;         /* it knows no such person: there is no session to end */
	bool may_come_better; /* the fault is on its side (Responder): worth another try */
};

/* ERR_DENIED: not signed; ERR_INPUT: not as the schema has it, no InResponseTo. */
MUST_USE bool saml_logout_response_parse(struct arena *a, const struct saml_verified *v,
					 const struct saml_logout_response **out, struct err *err);

/* Destination, time of issue, and that it answers `request_id`. */
MUST_USE bool saml_logout_response_check(const struct saml_logout_response *r,
					 const char *request_id, const char *our_url,
					 const struct saml_window *window, time_t now,
					 struct err *err);

/* ---- to a party ---- */

/* How a message of ours goes out. */
struct saml_logout_send {
	enum saml_binding binding;
	const char *url;         /* of the party's SingleLogoutService: its url or response_url;
				  * NULL: the answer to a SOAP request */
	const char *relay_state; /* NULL: none */
	const char *id;          /* fresh */
	const char *issuer;      /* our entityID */
	time_t issued_at;
	const struct saml_signer *signer; /* logout always goes signed */
};

struct saml_logout_ask {
	struct saml_nameid nameid; /* as the assertion had it */
	const char *const *session_index;
	size_t n_session_indexes;
	time_t not_on_or_after; /* 0: left out */
	const char *reason;     /* a URI of SAML2Core 3.7.3; NULL: none */
};

/* ERR_INTERNAL: a value XML cannot hold; the signer's own errors.  In both. */
MUST_USE bool saml_logout_request_build(struct arena *a, const struct saml_logout_send *how,
					const struct saml_logout_ask *what,
					struct saml_carrier *out, struct err *err);

MUST_USE bool saml_logout_response_build(struct arena *a, const struct saml_logout_send *how,
					 const char *in_response_to,
					 const struct saml_status *status, struct saml_carrier *out,
					 struct err *err);

#endif
