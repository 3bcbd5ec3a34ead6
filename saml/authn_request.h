/*
 * <samlp:AuthnRequest>: what a service provider asks of us (SAML2Core 3.4.1).
 *
 * Parsing takes a verified message and says what it asks.  Checking comes in two
 * steps, since a refusal may go back to the party only once it is known where
 * to: first whether this request may be answered at all and where, then whether
 * we can do what it wants.  Nothing here does I/O or knows the time by itself.
 */
#ifndef KONTOR_SAML_AUTHN_REQUEST_H
#define KONTOR_SAML_AUTHN_REQUEST_H

#include "saml/extensions.h"
#include "saml/message.h"
#include "saml/nameid.h"

enum saml_comparison { SAML_EXACT = 0, SAML_MINIMUM, SAML_MAXIMUM, SAML_BETTER };

#define SAML_CLASS_REFS_MAX 16
#define SAML_IDP_LIST_MAX   64
#define SAML_REQUESTERS_MAX 8

struct saml_authn_request {             /* points into the arena given to _parse() */
	struct saml_header header;      /* all zero when unsolicited */
	const struct saml_party *party; /* the verified sender, never NULL */
	const char *acs_url;            /* NULL: use the index, else the default */
	int acs_index;                  /* -1 if absent; never set with acs_url */
	const char *protocol_binding;   /* NULL if absent */
	int service_index;              /* AttributeConsumingServiceIndex, -1 if absent */
	bool force_authn, is_passive;
	const struct saml_nameid *subject; /* the one person asked for; NULL: any */
	bool subject_is_plain; /* a NameID and nothing else, which is what we can judge */
	bool has_nameid_policy, allow_create;
	const char *nameid_format;     /* NULL if absent */
	const char *sp_name_qualifier; /* NULL if absent */
	enum saml_comparison comparison;
	const char *class_refs[SAML_CLASS_REFS_MAX]; /* opaque words, most wanted first */
	size_t n_class_refs;                         /* 0: nothing asked */
	bool names_declarations;                 /* AuthnContextDeclRef, of which we know none */
	const char *idp_list[SAML_IDP_LIST_MAX]; /* Scoping: only these may authenticate */
	size_t n_idp_list;                       /* 0: any */
	bool no_proxy;          /* Scoping: a ProxyCount of 0, nobody else is to be asked */
	const char *requesters; /* Scoping: for whom it asks, URIs with blanks between; NULL */
	/* Of extensions nothing is read in unsigned requests (BundID interface 9). */
	const struct saml_akdb_request *akdb; /* NULL if absent */
	struct saml_eidas_request eidas;
	bool one_time_use; /* its Conditions want that of the assertion */

	/*
	 * What was found wrong that the party itself may hear: another Version, extensions that
	 * do not read, more than can be judged.  kind ERR_NONE: nothing.
	 */
	struct err fault;
};

/*
 * ERR_INPUT: not as the schema or SAML2Core 3.4.1 has it, so that it is not known whom to answer
 * where.
 */
MUST_USE bool saml_authn_request_parse(struct arena *a, const struct saml_verified *v,
				       const struct saml_authn_request **out, struct err *err);

/*
 * Decide whether this request may be answered at `now`, and where the answer
 * goes: *acs becomes an endpoint registered in the party's metadata, never one
 * that only the request names.  our_url is the endpoint that took it.
 *
 * Failures are ERR_DENIED.  When it was not meant for us (Destination), or no endpoint of its
 * sender is named, *acs is NULL, and they end on a page of ours.  Else *acs is where the refusal,
 * with its status, may go: nothing is told there but that.
 */
MUST_USE bool saml_authn_request_check(const struct saml_authn_request *r, const char *our_url,
				       const struct saml_window *window, time_t now,
				       const struct saml_endpoint **acs, struct err *err);

/*
 * The same for a request that a client without a browser brought (SAML2Profiles 4.2): the answer
 * goes to an endpoint by PAOS, and the Destination, which its sender may not have known, may be
 * left out.
 */
MUST_USE bool saml_authn_request_check_client(const struct saml_authn_request *r,
					      const char *our_url, const struct saml_window *window,
					      time_t now, const struct saml_endpoint **acs,
					      struct err *err);

/*
 * What a party would ask that did not (SAML2Profiles 4.1.5): no ID, no wish.
 * acs_url NULL: the default endpoint.  ERR_DENIED: not a registered one.
 */
MUST_USE bool saml_authn_request_unsolicited(struct arena *a, const struct saml_party *party,
					     const char *acs_url,
					     const struct saml_authn_request **out,
					     const struct saml_endpoint **acs, struct err *err);

/* What is to be given, as far as metadata and request decide it. */
struct saml_wish {
	bool scope_is_ours;        /* else Scoping lists other identity providers alone */
	const char *nameid_format; /* URI of one of enum saml_nameid_format */
	const char *person; /* persistent NameID of the only one who may answer; NULL: anybody */
	bool known_only;    /* only who has a persistent NameID already (AllowCreate false) */
	const struct saml_attribute_service *service; /* NULL: metadata names none */
};

/*
 * Decide whether we can do what it wants.  nameid_formats: those the party may
 * be given, as bits.  Failures are ERR_DENIED with the status to answer the
 * party with: SAML_INVALID_NAMEID_POLICY, SAML_REQUEST_UNSUPPORTED,
 * SAML_UNKNOWN_PRINCIPAL, SAML_NO_AUTHN_CONTEXT.  Whether we can send people to who is listed in
 * Scoping is the caller's to say (SAML_NO_SUPPORTED_IDP).
 */
MUST_USE bool saml_authn_request_check_wish(const struct saml_authn_request *r,
					    const char *our_entity_id, unsigned nameid_formats,
					    struct saml_wish *out, struct err *err);

#endif
