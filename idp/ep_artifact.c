/*
 * ArtifactResolutionService (SAML2Profiles 5): who asks is told by its signature.  Whatever
 * the artifact, the answer is an ArtifactResponse with Success; it holds the message only
 * for whom it was made, once and in time (SAML2Core 3.5.3).
 */
#include "idp/ep_artifact.h"

#include "base/rand.h"
#include "idp/app.h"
#include "idp/artifact.h"
#include "idp/config.h"
#include "idp/saml_peer.h"
#include "saml/artifact.h"

bool
ep_saml_artifact(struct request *rq, struct response *rs, struct err *err)
{
	const struct saml_artifact_resolve *r;
	const struct saml_verified *v;
	const struct party *p;
	struct saml_peer peer;
	struct bytes envelope;

	if (!saml_receive_soap(rq, SAML_ARTIFACT_RESOLVE, &p, &v, err) ||
	    !saml_artifact_resolve_parse(rq->a, v, &r, err) ||
	    !saml_artifact_resolve_check(r, saml_our_url(rq, SAML_ARTIFACT_PATH),
					 &saml_window_default, rq->now, err) ||
	    !saml_peer_ready(rq, p, &peer, err))
		return false;
	struct saml_artifact_answer answer = {
		.id = rand_xml_id(rq->a),
		.issuer = rq->app->config->entity_id,
		.in_response_to = r->header.id,
		.issued_at = rq->now,
		.signer = peer.signer,
	};

	if (!artifact_resolve(rq, p, r->artifact, &answer.message, &answer.prefixes, err) ||
	    !saml_artifact_answer_build(rq->a, &answer, &envelope, err))
		return false;
	response_soap(rs, 200, envelope);
	return true;
}
