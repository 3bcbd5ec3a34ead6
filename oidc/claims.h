/*
 * Claims: which ones a request asks for (by scope, and by the claims parameter,
 * OpenID Connect Core 5.4, 5.5), and how released values are written.  Which
 * attribute answers to which claim is a table of idp/; here are names only.
 */
#ifndef KONTOR_OIDC_CLAIMS_H
#define KONTOR_OIDC_CLAIMS_H

#include <time.h>

#include "base/json.h"
#include "oidc/param.h"

/* A claim somebody wants. */
struct oidc_claim {
	const char *name; /* "family_name", "address"; language tags cut off */
	bool essential;
	bool in_id_token, in_userinfo; /* neither: only as a verified one */
	/* With no other value (Core 5.5.1); NULL: with any.  An array of those. */
	const json_t *id_token_values, *userinfo_values;
};

struct oidc_claims {
	const struct oidc_claim *p;
	size_t n;
	struct oidc_strs acr; /* values asked for; they are not in p */
	bool acr_essential;   /* only with acr.n > 0 */
	const char *sub;      /* the one subject that may answer; NULL: any */
	const json_t *verified_id_token, *verified_userinfo; /* see verified.h; NULL: not asked */
};

/*
 * Read the claims parameter.  ERR_INPUT, invalid_request: not a JSON object,
 * more than 64 claims, members of another type.  Unknown members are ignored.
 */
MUST_USE bool oidc_claims_parse(struct arena *a, const char *text, struct oidc_claims *out,
				struct err *err);

/* A row of the caller's table: this scope asks for this claim ("address.locality": for address). */
struct oidc_scope_claim {
	const char *scope, *claim;
};

/* The claims of the table, each once; objects by their name. */
struct oidc_strs oidc_claims_table(struct arena *a, const struct oidc_scope_claim *rows, size_t n);

/* They after those of the protocol: what discovery tells. */
struct oidc_strs oidc_claims_of(struct arena *a, const struct oidc_scope_claim *rows, size_t n);

/* *wanted and what `scopes` ask for: at the userinfo endpoint, not essential (Core 5.4). */
void oidc_claims_add_scopes(struct arena *a, const struct oidc_scope_claim *rows, size_t n_rows,
			    struct oidc_strs scopes, struct oidc_claims *wanted);

/* The claim asked for under the first part of `claim` ("address.locality": address); NULL: none. */
const struct oidc_claim *oidc_claims_find(const struct oidc_claims *wanted, const char *claim);

/* The same claims without those that the table has for these scopes, and without their levels. */
json_t *oidc_claims_without(struct arena *a, const json_t *claims,
			    const struct oidc_scope_claim *rows, size_t n_rows,
			    struct oidc_strs scopes);

/*
 * The same claims without those named ("address.locality" is one member of address), their levels,
 * and verified_claims when it has one of them.
 */
json_t *oidc_claims_leave_out(struct arena *a, const json_t *claims, struct oidc_strs names);

/* How a value is written. */
enum oidc_claim_form {
	OIDC_CLAIM_TEXT,
	OIDC_CLAIM_LIST,  /* an array of one text ("nationalities") */
	OIDC_CLAIM_TRUTH, /* "true" or "false" as a boolean ("email_verified") */
};

/* A released value. */
struct oidc_claim_value {
	const char *claim; /* "family_name"; "address.locality" becomes a member of an object */
	const char *text;  /* NULL: verified to be empty, only its level is told */
	enum oidc_claim_form form;
	const char *level;      /* in the client's words; NULL: not told */
	const char *assurance;  /* how surely it was verified, in eIDAS's words; NULL: not */
	time_t verified_at;     /* 0: never */
	const json_t *evidence; /* what that rests on (IDA Schema, 5.4.4), an array; NULL: unsaid */
};

/* The value alone, as a member of the object. */
void oidc_claims_put_value(struct arena *a, json_t *into, const struct oidc_claim_value *v);

enum oidc_place { OIDC_IN_ID_TOKEN, OIDC_IN_USERINFO };

/*
 * Put those values into a set of claims that were asked for at this place, and
 * their levels into the claim claim_levels, an object with the same names.
 */
void oidc_claims_put(struct arena *a, const struct oidc_claim_value *values, size_t n,
		     const struct oidc_claims *wanted, enum oidc_place place, json_t *into);

#endif
