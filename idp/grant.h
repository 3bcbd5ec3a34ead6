/*
 * What the token endpoint can give, one row per grant type; discovery follows
 * the table.  A new grant is a file (grant_x.c) and a row.
 */
#ifndef KONTOR_IDP_GRANT_H
#define KONTOR_IDP_GRANT_H

#include "idp/party.h"
#include "oidc/token.h"

struct grant {
	const char *type; /* RFC 6749 grant_type */

	/* Answer for a client that proved itself.  Failures carry the error's name in err.proto. */
	bool (*give)(struct request *rq, const struct party *p,
		     const struct oidc_client_proof *proof, struct oidc_token_response *out,
		     struct err *err);
};

extern const struct grant grants[]; /* ends with a NULL type */
const struct grant *grant_find(const char *type);

/* The names of all. */
struct oidc_strs grant_types(struct arena *a);

/* grant_code.c */
bool grant_code_give(struct request *rq, const struct party *p,
		     const struct oidc_client_proof *proof, struct oidc_token_response *out,
		     struct err *err);

/*
 * Take a code that stands for what a person agreed to, and make of it what the client gets.  It is
 * used up whatever `r` says, the request it has to fit (NULL: that of a client that polls, which
 * has no more to say).
 */
MUST_USE bool grant_code_exchange(struct request *rq, const struct party *p,
				  const struct oidc_client_proof *proof, const char *code,
				  const struct oidc_code_request *r,
				  struct oidc_token_response *out, struct err *err);

/* grant_refresh.c */
bool grant_refresh_give(struct request *rq, const struct party *p,
			const struct oidc_client_proof *proof, struct oidc_token_response *out,
			struct err *err);

/* grant_client.c */
bool grant_client_give(struct request *rq, const struct party *p,
		       const struct oidc_client_proof *proof, struct oidc_token_response *out,
		       struct err *err);

/* grant_polled.c */
bool grant_device_give(struct request *rq, const struct party *p,
		       const struct oidc_client_proof *proof, struct oidc_token_response *out,
		       struct err *err);
bool grant_ciba_give(struct request *rq, const struct party *p,
		     const struct oidc_client_proof *proof, struct oidc_token_response *out,
		     struct err *err);

/* grant_exchange.c */
bool grant_exchange_give(struct request *rq, const struct party *p,
			 const struct oidc_client_proof *proof, struct oidc_token_response *out,
			 struct err *err);

#endif
