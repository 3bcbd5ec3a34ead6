/*
 * What an authorization request wants back, and how that travels: response_type and
 * response_mode (OAuth 2.0 Multiple Response Type Encoding Practices, OAuth 2.0 Form Post
 * Response Mode, JARM), each a table.
 */
#ifndef KONTOR_OIDC_WAY_H
#define KONTOR_OIDC_WAY_H

#include "base/err.h"
#include "oidc/param.h"

/* Bits, so that a client's record can hold several.  Zero: one that we do not know. */
enum oidc_type {
	OIDC_TYPE_CODE = 1,
	OIDC_TYPE_CODE_ID_TOKEN = 2,
};

enum oidc_mode {
	OIDC_MODE_QUERY = 1,
	OIDC_MODE_FRAGMENT,
	OIDC_MODE_FORM_POST,
};

struct oidc_way {
	enum oidc_type type;
	enum oidc_mode mode; /* always one: errors have to travel, too */
	bool jwt;            /* as one signed token (JARM 2.3) */
};

/* The type that a text names, its words in any order; 0: none of ours. */
enum oidc_type oidc_type_of(const char *text);

/*
 * How an answer travels, errors about these very parameters included: by the mode that is asked
 * for, or by the type's own when that is unknown or would put an ID token into a query.  Both
 * may be NULL: the request had none.
 */
struct oidc_way oidc_way_of(const char *type, const char *mode);

/*
 * May a client registered for `types` (of enum oidc_type) have that answer?  ERR_INPUT:
 * invalid_request (no type, another mode, a query for an ID token),
 * unsupported_response_type, unauthorized_client (ours, but not its own).
 */
MUST_USE bool oidc_way_check(const char *type, const char *mode, unsigned types, struct err *err);

/* For discovery. */
struct oidc_strs oidc_types(struct arena *a);
struct oidc_strs oidc_modes(struct arena *a);

#endif
