/*
 * client_credentials (RFC 6749 4.4): a token of the client's own, for a resource that its record
 * names.  No person, no ID token, no refresh token.
 */
#include "idp/grant.h"

#include "idp/app.h"
#include "idp/audit.h"
#include "idp/binding.h"
#include "idp/issue.h"
#include "oidc/details.h"
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

/* RFC 9396 6: by the client's record, of types that the operator means for clients. */
static bool
details_of(struct request *rq, struct issue *i, struct bytes *extra, struct err *err)
{
	json_t *o = json_new_object(rq->a);

	*extra = (struct bytes){NULL, 0};
	if (i->asked == NULL)
		return true;
	for (size_t k = 0; k < json_array_size(i->asked); k++) {
		const json_t *detail = json_array_get(i->asked, k);
		const struct oidc_detail_type *type = oidc_detail_type_find(
			&rq->snap->details, json_string_value(json_object_get(detail, "type")));

		/* second line: without a type it was refused before */
		if (type == NULL || !type->for_clients)
			return FAIL(err, ERR_DENIED, OIDC_INVALID_AUTHORIZATION_DETAILS,
				    "a type that is for persons to agree to");
	}
	i->details = oidc_details_for(rq->a, i->asked, i->token.audience);
	if (json_array_size(i->details) != json_array_size(i->asked))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_AUTHORIZATION_DETAILS,
			    "a location that the token is not for");
	json_put(rq->a, o, "details", i->details);
	*extra = bytes_of(json_text(rq->a, o, false));
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
	struct bytes extra;

	if (!scopes_of(rq, &i, &of.scope, err) || !details_of(rq, &i, &extra, err) ||
	    !db_token_create(&c, &i.token, p->id, of.scope, extra, &audit, rq->now, err) ||
	    !issue_access_token(rq, &i, &of, err))
		return false;
	*out = (struct oidc_token_response){
		.access_token = i.access_token,
		.expires_in_s = TOKEN_LIVES_S,
		.scope = of.scope,
		.details = i.details,
		.dpop = binding_is_dpop(i.token.cnf),
	};
	return true;
}
