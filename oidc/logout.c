/* RP-initiated logout; see logout.h. */
#include "oidc/logout.h"

#include <string.h>

#include "oidc/error.h"
#include "oidc/redirect.h"

#define ID_MAX_BYTES    256
#define STATE_MAX_BYTES 2048
#define LOCALES_MAX     32

bool
oidc_logout_parse(struct arena *a, const struct params *ps, struct oidc_logout *out,
		  struct err *err)
{
	struct oidc_logout rq;

	if (!oidc_param(ps, "id_token_hint", OIDC_JWS_MAX_BYTES, &rq.id_token_hint, err) ||
	    !oidc_param(ps, "client_id", ID_MAX_BYTES, &rq.client_id, err) ||
	    !oidc_param(ps, "post_logout_redirect_uri", OIDC_URI_MAX_BYTES, &rq.redirect_uri,
			err) ||
	    !oidc_param(ps, "state", STATE_MAX_BYTES, &rq.state, err) ||
	    !oidc_param_words(a, ps, "ui_locales", LOCALES_MAX, &rq.ui_locales, err))
		return false;
	*out = rq;
	return true;
}

const char *
oidc_logout_client_id(const struct oidc_logout *rq, const struct oidc_hint *hint)
{
	return hint != NULL ? hint->client_id : rq->client_id;
}

bool
oidc_logout_check(struct arena *a, const struct oidc_logout *rq, const struct oidc_hint *hint,
		  const struct oidc_client *client, const char **url, struct err *err)
{
	if (hint != NULL && rq->client_id != NULL && strcmp(hint->client_id, rq->client_id) != 0)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "hint of another client");
	if (rq->redirect_uri == NULL) {
		*url = NULL;
		return true;
	}
	if (client == NULL || !oidc_client_leaves_to(client, rq->redirect_uri))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "post_logout_redirect_uri is not registered");
	const struct param state = {"state", rq->state};

	return oidc_uri_with(a, rq->redirect_uri, false, &state, 1, url, err);
}
