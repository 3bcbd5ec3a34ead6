/*
 * Revocation (RFC 7009): a client gives a token back.  A refresh token takes all that its grant
 * gave with it.  What is not its own, or no token at all, is answered the same.
 */
#include "idp/ep_oidc.h"

#include "idp/audit.h"
#include "idp/client_proof.h"
#include "idp/issue.h"
#include "oidc/error.h"

#define TOKEN_MAX_BYTES (16 * 1024)

static bool
revoke(struct request *rq, const struct party *p, const char *text, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_audit audit = {
		.event = AUDIT_GRANT_REVOKED,
		.ref = rq->ref,
		.party = p->id,
		.details = audit_details(rq->a, "why", "given back", NULL),
	};
	bool is_jti;

	text = issue_token_name(rq, text, &is_jti);
	return text == NULL || (db_token_revoke(&c, text, is_jti, p->id, rq->now, err) &&
				db_refresh_revoke(&c, text, p->id, &audit, rq->now, err));
}

bool
ep_revoke(struct request *rq, struct response *rs, struct err *err)
{
	struct oidc_client_proof proof;
	const struct party *p;
	const char *token;

	if (!client_proof_demand(rq, &p, &proof, err) ||
	    !oidc_param(&rq->form, "token", TOKEN_MAX_BYTES, &token, err))
		return false;
	if (token == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "token is missing");
	if (!revoke(rq, p, token, err))
		return false;
	response_json(rs, 200, "{}");
	return true;
}
