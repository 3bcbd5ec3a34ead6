/* Members of federations as parties; see party_member.h. */
#include "idp/party_member.h"

#include "base/text.h"
#include "idp/app.h"
#include "idp/federation.h"
#include "idp/snapshot.h"

/* What consent and error pages call it. */
static const char *
name_of(const struct request *rq, const struct saml_party *saml)
{
	const char *lang = rq->lang == LANG_EN ? "en" : "de", *name;

	name = saml_texts_find(&saml->display_name, lang);
	if (name == NULL)
		name = saml_texts_find(&saml->organization_display_name, lang);
	return name == NULL ? party_host(rq->a, saml->entity_id) : text_one_line(rq->a, name);
}

/*
 * Whatever the federation's rules say: each login anew, agreed to anew, at an account here, told
 * to the one that asks, signed and then encrypted (TR-03160-1 4.3, TR-03160-2 4.3.2).
 */
static struct policy
policy_of(const struct federation_policy *rules)
{
	struct policy p = rules->policy;

	p.sso_group = NULL;
	p.consent = CONSENT_ALWAYS;
	p.encrypt = ENCRYPT_ALWAYS;
	p.home_accounts = false;
	p.subject_id = false;
	p.accept_unsigned = false;
	p.unsolicited = false;
	p.query = false;
	p.ecp = false;
	return p;
}

bool
party_find_member(struct request *rq, const char *id, const struct party **out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct party *p = ARENA_NEW(rq->a, struct party);
	struct federation_member m;
	struct err why = {0};

	if (party_is_recorded(&rq->snap->parties, id))
		return FAIL(err, ERR_NOT_FOUND, "portal_unknown",
			    "a member that has a record here goes by that");
	if (!federation_find(rq->app, &c, id, SAML_ROLE_SP, rq->now, &m, &why))
		return FAIL(err, why.kind,
			    why.kind == ERR_NOT_FOUND ? "portal_unknown"
			    : why.kind == ERR_DENIED  ? "member_closed"
						      : why.proto,
			    "%s", why.text);
	*p = (struct party){
		.id = m.saml->entity_id,
		.display_name = name_of(rq, m.saml),
		.enabled = true,
		.policy = policy_of(m.policy),
		.source = m.source,
		.lifetime_s = m.policy->lifetime_s,
	};
	if (!party_take_metadata(rq->a, m.saml, p, &why))
		return FAIL(err, ERR_DENIED, "member_closed", "%s", why.text);
	/* Not the host alone: who else may be there is not ours to say. */
	if (p->policy.sector == NULL)
		p->sector = p->id;
	*out = p;
	return true;
}

bool
party_find_saml(struct request *rq, const char *id, const struct party **out, struct err *err)
{
	const struct party *p = party_find(&rq->snap->parties, id);

	if (p == NULL)
		return party_find_member(rq, id, out, err);
	*out = p;
	return p->saml != NULL ||
	       FAIL(err, ERR_NOT_FOUND, "portal_unknown", "the sender is no SAML party");
}
