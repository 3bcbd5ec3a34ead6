/*
 * From received octets to a message that may be read.  struct saml_message is
 * what somebody sent and proves nothing; struct saml_verified is made here and
 * nowhere else, from a signature or from the explicit statement that this party
 * may do without one.  Every reader of content takes the latter.
 */
#ifndef KONTOR_SAML_MESSAGE_H
#define KONTOR_SAML_MESSAGE_H

#include "saml/binding.h"
#include "saml/metadata.h"
#include "saml/xml.h"

enum saml_kind {
	SAML_KIND_NONE = 0,
	SAML_AUTHN_REQUEST,
	SAML_LOGOUT_REQUEST,
	SAML_LOGOUT_RESPONSE,
	SAML_ATTRIBUTE_QUERY,
	SAML_ARTIFACT_RESOLVE,
};

struct saml_message; /* lives in the arena it was decoded into */

/*
 * Decode what came by a binding and find out what it is.  ERR_INPUT: the
 * binding's refusals, XML that is none, a root element we do not take or that
 * came in the wrong parameter, a SOAP fault, no Issuer.
 */
MUST_USE bool saml_message_decode(struct arena *a, enum saml_binding binding, struct bytes raw,
				  const struct saml_message **out, struct err *err);

enum saml_kind saml_message_kind(const struct saml_message *m);
enum saml_binding saml_message_binding(const struct saml_message *m);

/* The entityID that the message claims to be from, to look a party up by.  Never NULL. */
const char *saml_message_issuer(const struct saml_message *m);

/* The request that an answer claims to answer (NULL: none), and whether it claims success: to
 * tell a person what was claimed.  Neither proves anything. */
const char *saml_message_in_response_to(const struct saml_message *m);
bool saml_message_claims_success(const struct saml_message *m);

/* Opaque to us, to be given back; NULL if there was none. */
const char *saml_message_relay_state(const struct saml_message *m);

/* The zero value has proven nothing. */
enum saml_proof {
	SAML_PROOF_NONE = 0,
	SAML_PROOF_SIGNED,
	SAML_PROOF_UNSIGNED, /* there is no signature, and the party's record permits that */
};

struct saml_verified;

/*
 * Verify the signature with the party's signing keys: over the query's octets
 * for Redirect, the enveloped one for POST and SOAP.  The party must be the one that the
 * message names, before and inside the signed octets.  ERR_DENIED: unsigned, or
 * nothing verifies; ERR_INPUT: a signature of another shape.
 */
MUST_USE bool saml_message_verify(struct arena *a, const struct saml_message *m,
				  const struct saml_party *party, const struct saml_verified **out,
				  struct err *err);

/*
 * Take an AuthnRequest that carries no signature of any kind.  ERR_DENIED: the
 * record does not permit it, the party's metadata says that it signs
 * (AuthnRequestsSigned), another kind of message, or there is something of a
 * signature: a bad one is never "unsigned".
 */
MUST_USE bool saml_message_accept_unsigned(struct arena *a, const struct saml_message *m,
					   const struct saml_party *party,
					   const struct saml_policy *policy,
					   const struct saml_verified **out, struct err *err);

/* Whichever of the two the message calls for: verify what is signed, else accept_unsigned. */
MUST_USE bool saml_message_admit(struct arena *a, const struct saml_message *m,
				 const struct saml_party *party, const struct saml_policy *policy,
				 const struct saml_verified **out, struct err *err);

enum saml_proof saml_verified_proof(const struct saml_verified *v);
const struct saml_party *saml_verified_party(const struct saml_verified *v);

/* ---- what all messages have in common (SAML2Core 3.2.1, 3.2.2) ---- */

struct saml_header {
	const char *id;             /* 1..256 octets, never NULL */
	const char *destination;    /* NULL if left out */
	const char *in_response_to; /* responses; NULL if left out */
	time_t issued_at;
	bool is_signed;
	bool other_version; /* than 2.0; of an AuthnRequest alone, which is answered so */
	const struct saml_suite *suite; /* of the signature; NULL: unsigned */
	time_t old_until;               /* of the party: old suites count before it */
};

/*
 * The root of a message of this kind, checked against the schema, with its
 * header.  ERR_INPUT; proto SAML_VERSION_MISMATCH for another Version, unless it is an
 * AuthnRequest that the schema takes all the same: then other_version is true.
 */
MUST_USE bool saml_header_read(struct arena *a, const struct saml_verified *v, enum saml_kind kind,
			       struct saml_header *out, const struct xml_node **root,
			       struct err *err);

/* How far clocks may be apart, and how old a message may be on arrival (skew comes on top). */
struct saml_window {
	int64_t skew_s, max_age_s;
};
extern const struct saml_window saml_window_default; /* 3 and 5 minutes */

/*
 * Destination is `our_url` (mandatory when signed: SAML2Bindings 3.4.5.2,
 * 3.5.5.2), the time of issue lies in the window, and the suite of the signature
 * is one for this party at this time.  ERR_DENIED, proto SAML_REQUEST_DENIED.
 */
MUST_USE bool saml_header_check(const struct saml_header *h, const char *our_url,
				const struct saml_window *window, time_t now, struct err *err);

/*
 * The same in two: whether it was meant for us, without which nobody is answered; and whether it
 * counts, by its suite and its time of issue, of which its sender may be told.
 */
MUST_USE bool saml_header_check_place(const struct saml_header *h, const char *our_url,
				      struct err *err);
MUST_USE bool saml_header_check_worth(const struct saml_header *h, const struct saml_window *window,
				      time_t now, struct err *err);

/*
 * The same by SOAP, where the Destination may be left out (SAML2Bindings 3.2): its sender may not
 * even know to which provider a client takes it.  What is there has to be ours.
 */
MUST_USE bool saml_header_check_place_soap(const struct saml_header *h, const char *our_url,
					   struct err *err);
MUST_USE bool saml_header_check_soap(const struct saml_header *h, const char *our_url,
				     const struct saml_window *window, time_t now, struct err *err);

#endif
