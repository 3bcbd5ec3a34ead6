/* Logout tokens; see logout_token.h. */
#include "oidc/logout_token.h"

#include "base/json.h"

#define EVENT "http://schemas.openid.net/event/backchannel-logout"

bool
oidc_logout_token_build(struct arena *a, const struct key_ops *ops, const char *kid,
			enum oidc_alg alg, const struct oidc_logout_token *t, time_t now,
			const char **compact, struct err *err)
{
	json_t *o = json_new_object(a), *events = json_new_object(a);

	json_put_str(a, o, "iss", t->issuer);
	json_put_str(a, o, "sub", t->sub);
	json_put_str(a, o, "aud", t->client_id);
	json_put_i64(a, o, "iat", now);
	json_put_i64(a, o, "exp", now + OIDC_LOGOUT_TOKEN_LIVES_S);
	json_put_str(a, o, "jti", t->jti);
	json_put_str(a, o, "sid", t->sid);
	json_put(a, events, EVENT, json_new_object(a));
	json_put(a, o, "events", events);
	/* No nonce, and a type of its own: never an ID token (4.1). */
	return oidc_jws_build(a, ops, kid, alg, "logout+jwt", o, compact, err);
}
