/* What no single member of a client's metadata can tell; see client.h. */
#include "oidc/client.h"

#include <string.h>

#include "base/text.h"
#include "oidc/error.h"
#include "oidc/redirect.h"
#include "oidc/token.h"
#include "oidc/way.h"

#define BAD(err, ...) FAIL((err), ERR_INPUT, OIDC_INVALID_CLIENT_METADATA, __VA_ARGS__)

static bool
demands(const struct oidc_client *c, enum oidc_check check)
{
	return (c->profile->checks & (unsigned)check) != 0;
}

bool
oidc_client_has_password(const struct oidc_client *c)
{
	return c->auth_method == OIDC_AUTH_BASIC || c->auth_method == OIDC_AUTH_POST;
}

bool
oidc_client_has_tls(const struct oidc_client *c)
{
	return c->auth_method == OIDC_AUTH_TLS || c->auth_method == OIDC_AUTH_SELF_SIGNED_TLS;
}

/* ---- where answers go ---- */

static bool
may_go_to(const struct oidc_client *c, struct oidc_strs registered, const char *uri)
{
	if (oidc_uri_registered(registered, uri))
		return true;
	for (size_t i = 0; uri != NULL && i < registered.n; i++)
		if (c->application == OIDC_APPLICATION_NATIVE &&
		    oidc_uri_is_loopback_of(registered.s[i], uri))
			return true;
	return false;
}

bool
oidc_client_redirects_to(const struct oidc_client *c, const char *uri)
{
	return may_go_to(c, c->redirect_uris, uri);
}

bool
oidc_client_leaves_to(const struct oidc_client *c, const char *uri)
{
	return may_go_to(c, c->post_logout_redirect_uris, uri);
}

static bool
check_uris(const struct oidc_client *c, struct oidc_strs uris, struct err *err)
{
	for (size_t i = 0; i < uris.n; i++)
		if (c->application == OIDC_APPLICATION_NATIVE
			    ? !oidc_uri_check_native(uris.s[i], err)
			    : !oidc_uri_check(uris.s[i], false, err))
			return false;
	return true;
}

/* "https://host:port" of one and the other. */
static bool
same_host(const char *a, const char *b)
{
	size_t n = strcspn(a + 8, ":/?");

	return strcspn(b + 8, ":/?") == n && strncmp(a, b, 8 + n) == 0;
}

/* OpenID Connect Registration 2, Core 8.1. */
static bool
check_sector(const struct oidc_client *c, struct err *err)
{
	struct oidc_strs uris = c->redirect_uris;
	const char *first = NULL;

	for (size_t i = 0; i < uris.n && c->sector_identifier_uri == NULL; i++) {
		if (!text_starts(uris.s[i], "https://"))
			continue;
		if (first != NULL && !same_host(first, uris.s[i]))
			return BAD(err, "redirect_uris of several hosts need a "
					"sector_identifier_uri");
		first = uris.s[i];
	}
	return true;
}

/* ---- what it may ask for ---- */

/* Registration 2: a grant of codes has a response type, and the other way round. */
static bool
check_grants(const struct oidc_client *c, struct err *err)
{
	bool code = oidc_strs_have(c->grant_types, "authorization_code");

	if (c->grant_types.n == 0 && c->resource_uris.n == 0)
		return BAD(err, "grant_types: none");
	if (code && c->redirect_uris.n == 0)
		return BAD(err, "redirect_uris: missing or empty");
	if (code != (c->response_types != 0))
		return BAD(err, "response_types and grant_types do not go together");
	/* RFC 6749 4.4: by a client that proves itself; of a device its code is the proof (RFC 8628
	 * 3.1). */
	for (size_t i = 0; c->auth_method == OIDC_AUTH_PUBLIC && i < c->grant_types.n; i++)
		if (!text_eq(c->grant_types.s[i], OIDC_GRANT_CODE) &&
		    !text_eq(c->grant_types.s[i], OIDC_GRANT_IMPLICIT) &&
		    !text_eq(c->grant_types.s[i], OIDC_GRANT_DEVICE) &&
		    !text_eq(c->grant_types.s[i], "refresh_token"))
			return BAD(err, "grant_types: %s is not for a public client",
				   c->grant_types.s[i]);
	/* OpenID Connect Registration 2: what that response type needs, and nothing is given by. */
	if (oidc_strs_have(c->grant_types, OIDC_GRANT_IMPLICIT) &&
	    (c->response_types & OIDC_TYPE_CODE_ID_TOKEN) == 0)
		return BAD(err, "grant_types: implicit is for code id_token alone");
	return true;
}

/* Without a login, and of plain OAuth, there is no openid to ask for. */
static bool
check_scopes(const struct oidc_client_rules *rules, const struct oidc_client *c, struct err *err)
{
	for (size_t i = 0; i < c->scopes.n; i++)
		/* Those of resources are judged when a token for one is asked for. */
		if (!oidc_strs_have(rules->scopes, c->scopes.s[i]) && c->resources.n == 0)
			return BAD(err, "scope: %s is not offered", c->scopes.s[i]);
	bool plain = !demands(c, OIDC_CHECK_OPENID) && c->resources.n > 0;

	return ((c->response_types == 0 || plain) && c->delivery == OIDC_DELIVERY_NONE) ||
	       oidc_strs_have(c->scopes, "openid") || BAD(err, "scope: openid is missing");
}

/* CIBA Core 1.0, 4. */
static bool
check_ciba(const struct oidc_client *c, struct err *err)
{
	bool grant = oidc_strs_have(c->grant_types, OIDC_GRANT_CIBA);

	if (grant != (c->delivery != OIDC_DELIVERY_NONE))
		return BAD(err, "backchannel_token_delivery_mode: what " OIDC_GRANT_CIBA
				" needs, and nothing else does");
	if ((c->delivery == OIDC_DELIVERY_PING) != (c->notification_uri != NULL))
		return BAD(err, "backchannel_client_notification_endpoint: what ping needs, and "
				"nothing else does");
	if (c->ciba_request_alg == OIDC_ALG_NONE)
		return !grant || !demands(c, OIDC_CHECK_CIBA) ||
		       BAD(err, "backchannel_authentication_request_signing_alg: the profile "
				"takes signed requests alone (FAPI-CIBA 5.2.2)");
	if (!grant)
		return BAD(err, "backchannel_authentication_request_signing_alg: without "
				"" OIDC_GRANT_CIBA);
	return c->jwks.n > 0 || c->jwks_uri != NULL ||
	       BAD(err, "jwks: signed requests need keys, or a jwks_uri");
}

/* ---- how it proves itself ---- */

/* RFC 8705 2.1.2: exactly one name, and for none but whom it is meant for. */
static bool
check_tls(const struct oidc_client *c, struct err *err)
{
	const char *const names[] = {c->tls.subject_dn, c->tls.san_dns, c->tls.san_uri,
				     c->tls.san_ip, c->tls.san_email};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		n += names[i] == NULL ? 0 : 1;
	if (n != (c->auth_method == OIDC_AUTH_TLS ? 1 : 0))
		return BAD(err, "tls_client_auth: one tls_client_auth_* member, and it alone");
	if (c->tls_bound && c->dpop_bound)
		return BAD(err, "dpop_bound_access_tokens and "
				"tls_client_certificate_bound_access_tokens: one of them");
	if (c->auth_method == OIDC_AUTH_SELF_SIGNED_TLS && c->jwks.n == 0 && c->jwks_uri == NULL)
		return BAD(err, "jwks: self_signed_tls_client_auth needs keys, or a jwks_uri");
	return true;
}

static bool
check_auth(const struct oidc_client *c, struct err *err)
{
	bool mac = c->auth_method == OIDC_AUTH_SECRET_JWT;

	/* RFC 7591 2: never both. */
	if (c->jwks_json != NULL && c->jwks_uri != NULL)
		return BAD(err, "jwks and jwks_uri: one of them");
	if (c->auth_method == OIDC_AUTH_PRIVATE_KEY && c->jwks.n == 0 && c->jwks_uri == NULL)
		return BAD(err, "jwks: private_key_jwt needs keys, or a jwks_uri");
	if (c->require_signed_request && c->jwks.n == 0 && c->jwks_uri == NULL)
		return BAD(err, "jwks: signed requests need keys, or a jwks_uri");
	if (c->auth_alg != OIDC_ALG_NONE && mac != (c->auth_alg == OIDC_HS256))
		return BAD(err, "token_endpoint_auth_signing_alg: HS256 is what "
				"client_secret_jwt signs with, and nothing else does");
	/* RFC 9700 2.1.1: nothing else binds a code to who asked for it. */
	if (c->auth_method == OIDC_AUTH_PUBLIC && !demands(c, OIDC_CHECK_PKCE))
		return BAD(err, "profile: a public client needs one that demands PKCE");
	/* RFC 7662 4: else whoever says that name learns what a token is worth. */
	if (c->auth_method == OIDC_AUTH_PUBLIC && c->resource_uris.n > 0)
		return BAD(err, "resource_uris: of a client that proves nothing");
	return check_tls(c, err);
}

/* FAPI2SP 5.4.1 */
static bool
is_strong(enum oidc_alg alg)
{
	return alg == OIDC_PS256 || alg == OIDC_ES256 || alg == OIDC_EDDSA;
}

#define STRONG_ALONE "the profile takes PS256, ES256 and EdDSA alone (FAPI2SP 5.4.1)"

bool
oidc_client_check_keys(const struct oidc_client *c, struct err *err)
{
	for (size_t i = 0; demands(c, OIDC_CHECK_STRONG_ALGS) && i < c->jwks.n; i++)
		if (!is_strong(c->jwks.keys[i].alg))
			return BAD(err, "jwks: " STRONG_ALONE);
	return true;
}

static bool
check_algs(const struct oidc_client *c, struct err *err)
{
	if (c->auth_alg != OIDC_ALG_NONE && !is_strong(c->auth_alg))
		return BAD(err, "token_endpoint_auth_signing_alg: " STRONG_ALONE);
	if (!is_strong(c->id_token_alg))
		return BAD(err, "id_token_signed_response_alg: " STRONG_ALONE);
	if (c->introspection_alg != OIDC_ALG_NONE && !is_strong(c->introspection_alg))
		return BAD(err, "introspection_signed_response_alg: " STRONG_ALONE);
	if (c->ciba_request_alg != OIDC_ALG_NONE && !is_strong(c->ciba_request_alg))
		return BAD(err, "backchannel_authentication_request_signing_alg: " STRONG_ALONE);
	return true;
}

/* A record that contradicts its profile is refused, with the clause that says why. */
static bool
check_profile(const struct oidc_client *c, struct err *err)
{
	if (demands(c, OIDC_CHECK_KEY_AUTH) && c->auth_method != OIDC_AUTH_PRIVATE_KEY &&
	    !oidc_client_has_tls(c))
		return BAD(err, "token_endpoint_auth_method: the profile takes private_key_jwt "
				"and mTLS alone (FAPI2SP 5.3.2.1): give one of them, or another "
				"profile");
	if (demands(c, OIDC_CHECK_ISSUER_AUDIENCE) && c->assertion_audience != OIDC_AUDIENCE_ISSUER)
		return BAD(err, "client_assertion_audience: the profile takes the issuer alone "
				"(FAPI2SP 5.3.2.1)");
	if (demands(c, OIDC_CHECK_CODE_ONLY) &&
	    (c->response_types & ~(unsigned)OIDC_TYPE_CODE) != 0)
		return BAD(err, "response_types: the profile takes code alone (FAPI2SP 5.3.2.1)");
	return oidc_client_check_keys(c, err) &&
	       (!demands(c, OIDC_CHECK_STRONG_ALGS) || check_algs(c, err));
}

bool
oidc_client_check(const struct oidc_client_rules *rules, const struct oidc_client *c,
		  struct err *err)
{
	return check_uris(c, c->redirect_uris, err) &&
	       check_uris(c, c->post_logout_redirect_uris, err) && check_sector(c, err) &&
	       check_grants(c, err) && check_scopes(rules, c, err) && check_auth(c, err) &&
	       check_ciba(c, err) && check_profile(c, err);
}
