/*
 * client_credentials (RFC 6749 4.4): a token of the client's own, for a resource that its record
 * names.  No person, no ID token, no refresh token.
 */
#include "idp/grant.h"

#include "idp/app.h"
#include "idp/audit.h"
#include "idp/binding.h"
#include "idp/issue.h"
#include "oidc/error.h"

/* Its own scopes that the resource knows. */
static bool
scopes_of(struct request *rq, const struct issue *i, const char **out, struct err *err)
{
	const char *own = oidc_scope_text(rq->a, i->p->oidc->scopes);
	struct oidc_strs may = oidc_scope_of(rq->a, own, i->resource->oidc->resource_scopes), got;

	if (!oidc_client_scopes_parse(rq->a, &rq->form, may, &got, err))
		return false;
	*out = oidc_scope_text(rq->a, got);
	return true;
}

bool
grant_client_give(struct request *rq, const struct party *p, const struct oidc_client_proof *proof,
		  struct oidc_token_response *out, struct err *err)
{
	const struct oidc_strs resources = p->oidc->resources;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_audit audit = {
		.event = AUDIT_CLIENT_TOKEN,
		.ref = rq->ref,
		.party = p->id,
	};
	struct issue i;
	struct issue_grant of = {0};

	if (!issue_begin(rq, p, proof, &i, err) ||
	    !issue_for_resource(rq, resources.n == 1 ? resources.s[0] : NULL, &i, err))
		return false;
	if (i.resource == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_TARGET, "a token for no resource");
	if (!scopes_of(rq, &i, &of.scope, err) ||
	    !db_token_create(&c, &i.token, p->id, of.scope, &audit, rq->now, err) ||
	    !issue_access_token(rq, &i, &of, err))
		return false;
	*out = (struct oidc_token_response){
		.access_token = i.access_token,
		.expires_in_s = TOKEN_LIVES_S,
		.scope = of.scope,
		.dpop = binding_is_dpop(i.token.cnf),
	};
	return true;
}
