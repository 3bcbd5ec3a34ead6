/*
 * Compact serializations (RFC 7515 3.1, RFC 7516 3.1) and their headers: what a
 * signed token and an encrypted one have in common.
 */
#ifndef KONTOR_OIDC_COMPACT_H
#define KONTOR_OIDC_COMPACT_H

#include "base/json.h"

#define OIDC_JWS_PARTS 3
#define OIDC_JWE_PARTS 5

/* How many parts dots make of it. */
size_t oidc_compact_parts(struct bytes compact);

/* What lies between the dots.  ERR_INPUT: not exactly n parts. */
MUST_USE bool oidc_compact_split(struct bytes compact, struct bytes *part, size_t n,
				 struct err *err);

/*
 * The header in its first part, for a token of n parts.  ERR_INPUT: base64url
 * that is not strict, more than 4 KiB, not a JSON object, duplicate members,
 * one that is null, and members that change what is protected, how it is read, or whose key is
 * used: crit, b64, zip, jku, jwk, x5u, x5c; enc in a signed token.
 */
MUST_USE bool oidc_header_parse(struct arena *a, struct bytes part, size_t n, json_t **out,
				struct err *err);

/* The same of a signed token that has to bring its own key (jwk), and does not name it. */
MUST_USE bool oidc_header_parse_with_key(struct arena *a, struct bytes part, json_t **out,
					 const json_t **jwk, struct err *err);

#endif
