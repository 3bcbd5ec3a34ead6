/*
 * Extensions of requests (SAML2Core 3.2.1) that we understand: BundID's
 * <akdb:AuthenticationRequest>, by which a service names the attributes it wants
 * and what is shown at consent, and those of eIDAS.  What we do not know is
 * passed over.  And the <akdb:StatusDetail> that answers such a request.
 */
#ifndef KONTOR_SAML_EXTENSIONS_H
#define KONTOR_SAML_EXTENSIONS_H

#include "saml/xml.h"
#include "saml/xmlw.h"

extern const struct xmlns xmlns_akdb;

/* Means of login that a request lists, as bits. */
enum saml_akdb_method {
	SAML_AKDB_AUTHEGA = 1 << 0,
	SAML_AKDB_BENUTZERNAME = 1 << 1,
	SAML_AKDB_DIIA = 1 << 2,
	SAML_AKDB_EID = 1 << 3,
	SAML_AKDB_EIDAS = 1 << 4,
	SAML_AKDB_ELSTER = 1 << 5,
	SAML_AKDB_FINK = 1 << 6,
};

/* An attribute that a request names. */
struct saml_named {
	const char *name; /* "urn:oid:2.5.4.42" */
	bool required;
};

struct saml_named_list {
	const struct saml_named *p;
	size_t n; /* as many as the message holds: the caller has a bound */
};

struct saml_akdb_request {
	int version;               /* 1 or 2 */
	bool enable_status_detail; /* wants an akdb:StatusDetail with an error */
	bool names_methods;        /* it lists methods: only `methods` may be offered */
	unsigned methods;          /* enum saml_akdb_method: listed and not disabled */
	struct saml_named_list attributes;
	bool nameless;                         /* one was listed without a proper Name */
	const char *organization_display_name; /* NULL if absent; trimmed, as all texts here */
	const char *online_service_id;         /* NULL if absent */
	const char *lang;                      /* NULL if absent */
	const char *back_url; /* NULL; the sender's word: only for origins registered for it */
};

/*
 * Read the extension inside <samlp:Extensions>; *out = NULL when there is none.
 * CDATA and white space around texts are accepted here (BundID interface 10.1).
 * ERR_INPUT: a second one, another version, a text past its limit.
 */
MUST_USE bool saml_akdb_parse(struct arena *a, const struct xml_node *extensions,
			      const struct saml_akdb_request **out, struct err *err);

/* What a party has to say in it. */
enum saml_akdb_rule {
	SAML_AKDB_RULE_V2,       /* nothing; what it says, in version 2 */
	SAML_AKDB_RULE_V1,       /* nothing; version 1 is taken, too */
	SAML_AKDB_RULE_REQUIRED, /* the four things of BundID interface 9 */
};

/*
 * Hold a request to the rule; r NULL: it has no extension, or an unsigned one.
 * Failures are ERR_DENIED and named as BundID names them (SAML_AKDB_* of
 * saml/status.h).
 */
MUST_USE bool saml_akdb_check(const struct saml_akdb_request *r, bool is_signed,
			      enum saml_akdb_rule rule, struct err *err);

/* Is this one of those things (SAML_AKDB_*) wrong with it?  For who tells all that is. */
bool saml_akdb_breaks(const struct saml_akdb_request *r, bool is_signed, const char *code);

/*
 * Nothing stands in the extension but what BundID's interface 9 names, in its place: stricter than
 * saml_akdb_parse, which passes over what it does not know.  ERR_INPUT.
 */
MUST_USE bool saml_akdb_check_shape(const struct xml_node *extensions, struct err *err);

struct saml_eidas_request {
	const char *sp_type; /* "public", "private"; NULL if absent */
	struct saml_named_list attributes;
};

/*
 * Read eIDAS's SPType and RequestedAttributes (eIDAS SAML Message Format 2.3.2).
 * ERR_INPUT: one of them twice, another type, an attribute without a proper name.
 */
MUST_USE bool saml_eidas_parse(struct arena *a, const struct xml_node *extensions,
			       struct saml_eidas_request *out, struct err *err);

/* The method of this name, "eID"; 0: none. */
unsigned saml_akdb_method_of(const char *name);

/* Method i of the table; NULL past the last. */
const char *saml_akdb_method_name(size_t i);

/* The JSON text of saml_status.detail: one error with its code and message (BundID 9.7). */
const char *saml_akdb_detail(struct arena *a, const char *code, const char *message);

#endif
