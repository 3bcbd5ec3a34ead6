/*
 * What a service provider says about itself in an <md:EntityDescriptor>
 * (SAML2Metadata): where answers may go, which keys it has, what it asks for; and what an
 * identity provider says, of which we ask: where requests go, for whom it speaks.
 * Parsed once when the party is registered or loaded, immutable afterwards.
 *
 * Parsing believes the octets: they come from the operator's hand or out of a
 * verified aggregate.  Whether what they say is wise, saml_metadata_lint tells.
 */
#ifndef KONTOR_SAML_METADATA_H
#define KONTOR_SAML_METADATA_H

#include "saml/binding.h"
#include "saml/xmlenc.h"
#include "saml/xmlsig.h"

struct saml_endpoint {
	enum saml_binding binding;
	const char *url;
	const char *response_url; /* where answers go; url when the party names no other */
	int index;                /* ACS only, else -1 */
	bool is_default, default_said;
};

struct saml_endpoints {
	const struct saml_endpoint *p;
	size_t n;
};

/* A text in the languages it comes in. */
struct saml_texts {
	const struct saml_text {
		const char *lang, *text;
	} * p;
	size_t n;
};

struct saml_requested_attribute {
	const char *name;
	const char *name_format;   /* NULL if left out */
	const char *friendly_name; /* for people only; NULL */
	bool required;
};

struct saml_attribute_service {
	int index;
	bool is_default;
	struct saml_texts name;
	const struct saml_requested_attribute *attributes;
	size_t n_attributes;
};

/* md:EncryptionMethod: what it names, and what it restricts OAEP to (none listed: nothing). */
struct saml_encryption_method {
	const char *uri;
	const char *const *digests; /* ds:DigestMethod/@Algorithm */
	size_t n_digests;
	const char *const *masks; /* xenc11:MGF/@Algorithm */
	size_t n_masks;
};

/* alg:SigningMethod (SAML2MetaAlgSup 2.4). */
struct saml_signing_method {
	const char *uri;
	int min_bits, max_bits; /* of the key; 0: not stated */
};

struct saml_party_key {
	bool signing, encryption;
	EVP_PKEY *pub;       /* lives with the party; NULL: unusable, `problem` says why */
	const char *problem; /* NULL when usable */
	time_t not_before,
		not_after;  /* of the certificate: reported, not judged (SAML2MetaIOP 2.6.1) */
	struct bytes cert;  /* DER; empty when unusable */
	const char *sha256; /* of the certificate, hex; NULL when unusable */
	bool old_digest;    /* the certificate is signed over SHA-1 or MD5: reported only */
	const struct saml_encryption_method *methods;
	size_t n_methods;
};

struct saml_contact {
	const char *type;  /* technical, support, administrative, billing, other */
	const char *email; /* first one, without mailto:; NULL */
};

struct saml_party {
	const char *entity_id; /* never NULL, a URI of 1..1024 octets */
	time_t valid_until;    /* the earliest of all that apply; 0: not stated */
	int64_t cache_s;       /* likewise; -1: not stated */
	bool has_id;           /* an ID attribute at the EntityDescriptor */
	bool is_idp;           /* read in that role: acs, acs_client and services are empty */
	bool authn_requests_signed, want_assertions_signed;
	bool want_requests_signed; /* of an identity provider */
	const char *const *nameid_formats;
	size_t n_nameid_formats;
	struct saml_endpoints acs;        /* those by a binding we send Responses by */
	struct saml_endpoints acs_client; /* those for clients without a browser (PAOS) */
	size_t n_acs_skipped;             /* those by another */
	struct saml_endpoints sso;        /* of an identity provider: those we ask by */
	struct saml_endpoints slo;        /* those by a binding we have */
	const struct saml_party_key *keys;
	size_t n_keys;
	struct saml_keys signing; /* the usable ones, for saml_message_verify */
	const struct saml_signing_method *signing_methods; /* what it verifies; n 0: not stated */
	size_t n_signing_methods;
	const char *const *digest_methods; /* alg:DigestMethod/@Algorithm; n 0: not stated */
	size_t n_digest_methods;
	struct xmlenc_recipient recipient; /* key NULL: we cannot encrypt for this party */
	const struct saml_attribute_service *services;
	size_t n_services;
	const char *subject_id; /* subject-id:req: "subject-id", "pairwise-id", "any"; NULL: none */
	const char *const
		*scopes; /* shibmd:Scope of an identity provider, no regular expressions */
	size_t n_scopes;
	struct saml_texts
		keywords; /* mdui:Keywords: words separated by blanks, '+' for one inside */
	struct saml_texts display_name, organization_name, organization_display_name,
		organization_url;
	const struct saml_contact *contacts;
	size_t n_contacts;
	time_t old_until; /* old suites are for it before this time; 0: never.  Not from its
			     metadata: set by who keeps our record of it */
	const struct xml_node *entity, *role; /* as they stand in the document, which lives on */
};

/*
 * Read one service provider: the EntityDescriptor that is the root, or the one
 * named entity_id inside an EntitiesDescriptor (NULL: there must be only one).
 * Everything lives in `a`.  ERR_INPUT: not metadata as the schema has it, no
 * SPSSODescriptor for SAML 2.0; ERR_NOT_FOUND: no such entity.  Keys that are
 * too weak or unreadable do not refuse the whole: see `problem`.
 */
MUST_USE bool saml_metadata_parse(struct arena *a, struct bytes text, const char *entity_id,
				  const struct saml_party **out, struct err *err);

/* The same of a document that is parsed already, and that saml_schema_check has passed. */
MUST_USE bool saml_metadata_read(struct arena *a, const struct xml_doc *doc, const char *entity_id,
				 const struct saml_party **out, struct err *err);

/* Both for one role of it: the one IDPSSODescriptor for SAML 2.0 with idp, else as above. */
MUST_USE bool saml_metadata_parse_role(struct arena *a, struct bytes text, const char *entity_id,
				       bool idp, const struct saml_party **out, struct err *err);
MUST_USE bool saml_metadata_read_role(struct arena *a, const struct xml_doc *doc,
				      const char *entity_id, bool idp,
				      const struct saml_party **out, struct err *err);

/*
 * Of metadata that somebody signed as a whole, what it says of entity_id (NULL: there must be only
 * one): *out are the octets
 * under the root's own signature by one of these keys, canonical, and nothing else may be read.
 * Of an aggregate it is that entity alone, in a group that says how long it counts.  Whose the
 * keys are is the caller's to say; certificates' dates do not count (SAML2MetaIOP 2.6.1).
 * Errors are xmlsig_verify's; ERR_NOT_FOUND: an aggregate without it; ERR_INPUT: one with two.
 */
MUST_USE bool saml_metadata_verify(struct arena *a, struct bytes text, const char *entity_id,
				   struct saml_keys keys, struct bytes *out, struct err *err);

/*
 * Where a Response goes: the registered AssertionConsumerService that equals
 * `url` octet for octet, or has this index (-1: none asked), or, with neither,
 * the default one (SAML2Metadata 2.2.3), of those by `binding` (NONE: by any).  NULL: none
 * matches.
 */
const struct saml_endpoint *saml_party_acs(const struct saml_party *party, const char *url,
					   int index, enum saml_binding binding);

/* The same of those for clients without a browser, which no other request is answered at. */
const struct saml_endpoint *saml_party_acs_client(const struct saml_party *party, const char *url,
						  int index);

/* The first SingleLogoutService by this binding (SAML_BINDING_NONE: by any through the browser);
 * NULL: none. */
const struct saml_endpoint *saml_party_slo(const struct saml_party *party,
					   enum saml_binding binding);

/* Of an identity provider, the first SingleSignOnService by this binding (NONE: by any); NULL:
 * none. */
const struct saml_endpoint *saml_party_sso(const struct saml_party *party,
					   enum saml_binding binding);

/* The AttributeConsumingService of this index; -1: the default one.  NULL: none. */
const struct saml_attribute_service *saml_party_service(const struct saml_party *party, int index);

/* The first NameIDFormat it lists that is in `allowed` (enum saml_nameid_format), else the first of
 * `allowed`: how it is told who somebody is when a request does not say.  NULL: none is allowed. */
const char *saml_party_nameid_format(const struct saml_party *party, unsigned allowed);

/* The text in `lang`, else the first one, else NULL. */
const char *saml_texts_find(const struct saml_texts *texts, const char *lang);

/* ---- what our own record says about a party beside its metadata ---- */

enum saml_sign { SAML_SIGN_BOTH = 0, SAML_SIGN_RESPONSE, SAML_SIGN_ASSERTION };
enum saml_encrypt { SAML_ENCRYPT_AUTO = 0, SAML_ENCRYPT_NEVER, SAML_ENCRYPT_ALWAYS };

/* The zero value is the strict one. */
struct saml_policy {
	bool accept_unsigned; /* AuthnRequests without any signature */
	enum saml_sign sign;
	enum saml_encrypt encrypt; /* AUTO: when the party has a key */
};

/* ---- findings ---- */

enum saml_severity { SAML_FINE, SAML_NOTE, SAML_WARNING, SAML_FATAL };

struct saml_finding {
	enum saml_severity severity;
	const char *rule;   /* static and stable: "acs-url" */
	const char *clause; /* where it is written: "SAML2Metadata 2.2.2"; static */
	const char *text;   /* a sentence for operators and who builds the portal */
};

enum saml_lint_flag { SAML_LINT_LOCAL_HTTP = 1 }; /* http to this machine itself is fine (demos) */

/*
 * What an operator should know before the party is registered, gravest first: those of the rules
 * that need no look at the document itself.  saml/metadata_check.h has all of them.
 */
void saml_metadata_lint(struct arena *a, const struct saml_party *party, unsigned flags, time_t now,
			const struct saml_finding **out, size_t *n);

/* ERR_DENIED with the text of the first fatal finding, if there is one. */
MUST_USE bool saml_metadata_check(struct arena *a, const struct saml_party *party, unsigned flags,
				  time_t now, struct err *err);

#endif
