/*
 * Rich authorization requests (RFC 9396).  A type of authorization details is laid down by the
 * operator as JSON: what it is called, which fields it has and what they may hold.  Details are
 * good when they are of such a type, have no other fields and all that are required.
 *
 *	{"type": "termin", "label": {"de": "…", "en": "…"}, "each_time": false, "for_clients":
 *false, "fields": {"actions": {"required": true, "values": ["read"], "label": {…}, "value_labels":
 *{"read": {"de": "…", "en": "…"}}}, "amt": {"kind": "text", "max": 64, "label": {…}}}}
 *
 * Kinds are text (one line), texts (1 to 16 of them), number (an integer), boolean and object (with
 * `fields` of its own, none of which is an object).  locations, actions, datatypes and privileges
 * are texts, identifier is a text (RFC 9396 2.2).
 */
#ifndef KONTOR_OIDC_DETAILS_H
#define KONTOR_OIDC_DETAILS_H

#include "oidc/client.h"

#define OIDC_DETAIL_TYPE_MAX_BYTES (64 * 1024)
#define OIDC_DETAILS_MAX_BYTES     (8 * 1024) /* of one request */
#define OIDC_DETAILS_MAX           8
#define OIDC_DETAIL_ITEMS_MAX      16 /* of one list in one of them */

struct oidc_detail_type {
	const char *name;
	const json_t *label;  /* texts by language */
	const json_t *fields; /* rules by name, in the order of the page */
	bool each_time;       /* asked for anew, whatever was agreed to */
	bool for_clients;     /* a client may have such a token of its own */
};

struct oidc_detail_types {
	const struct oidc_detail_type *p;
	size_t n;
};

/* ERR_INPUT: not a type; the text says where. */
MUST_USE bool oidc_detail_type_parse(struct arena *a, struct bytes json,
				     struct oidc_detail_type *out, struct err *err);

/* NULL: none of that name. */
const struct oidc_detail_type *oidc_detail_type_find(const struct oidc_detail_types *types,
						     const char *name);

/*
 * The parameter authorization_details; NULL: there is none.  ERR_INPUT,
 * invalid_authorization_details (RFC 9396 5): no array of 1 to OIDC_DETAILS_MAX objects, a type
 * that is unknown or not of the client, a field that is unknown, missing, or holds what it may not;
 * a location that is none of the client's resources.
 */
MUST_USE bool oidc_details_parse(struct arena *a, const struct params *ps,
				 const struct oidc_detail_types *types,
				 const struct oidc_client *client, json_t **out, struct err *err);

/* Those that would be taken today; NULL: none, or details is NULL. */
json_t *oidc_details_still(struct arena *a, const json_t *details,
			   const struct oidc_detail_types *types, const struct oidc_client *client);

/*
 * RFC 9396 6: is each of `asked` one of `granted`, or less than it?  Less is a part of the items of
 * an array; all else is equal.  ERR_INPUT, invalid_authorization_details.
 */
MUST_USE bool oidc_details_narrow(const json_t *granted, const json_t *asked, struct err *err);

/* Those that are for this resource: it is among their locations, or they have none. */
json_t *oidc_details_for(struct arena *a, const json_t *details, const char *resource);

/* What a type or field is called, in a language that is ours. */
const char *oidc_detail_label(const json_t *label, const char *lang);

/*
 * What the page says of it: a list of {"field", "key", "values"}, keys and values as the type calls
 * them.
 */
json_t *oidc_detail_facts(struct arena *a, const struct oidc_detail_type *type,
			  const json_t *detail, const char *lang);

#endif
