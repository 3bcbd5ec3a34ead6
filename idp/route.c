/* THE MAP; see route.h.  A new endpoint is a row here and a file ep_*.c. */
#include "idp/route.h"

#include "base/buf.h"
#include "idp/consent.h"
#include "idp/cors.h"
#include "idp/document.h"
#include "idp/ep_account.h"
#include "idp/ep_artifact.h"
#include "idp/ep_device.h"
#include "idp/ep_ecp.h"
#include "idp/ep_flow.h"
#include "idp/ep_logout.h"
#include "idp/ep_oidc.h"
#include "idp/ep_query.h"
#include "idp/ep_register.h"
#include "idp/ep_requests.h"
#include "idp/ep_saml.h"
#include "idp/ep_slo.h"
#include "idp/flow.h"
#include "idp/health.h"
#include "idp/home.h"
#include "idp/home_oidc.h"
#include "idp/login.h"
#include "idp/login_home.h"
#include "idp/logout.h"
#include "idp/publication.h"
#include "idp/publish.h"
#include "idp/publish_saml.h"
#include "idp/registration.h"
#include "idp/saml_peer.h"

#define KIB(n) ((uint32_t)(n)*1024)

const struct route routes[] = {
	/* operating */
	{HTTP_GET, "/health/live", health_live, LANE_LOOP, ROUTE_HEALTH | ROUTE_MACHINE, 256, 0,
	 KIB(16), NULL},
	{HTTP_GET, "/health/ready", health_ready, LANE_LOOP, ROUTE_HEALTH | ROUTE_MACHINE, 256, 0,
	 KIB(16), NULL},
	{HTTP_GET, "/metrics", health_metrics, LANE_LIGHT, ROUTE_INTERNAL | ROUTE_MACHINE, 256, 0,
	 KIB(1024), NULL},

	/* the person's own pages */
	{HTTP_GET, "/", ep_start, LANE_LIGHT, 0, 256, 0, KIB(512), NULL},
	{HTTP_GET, "/login", ep_login, LANE_LOGIN, ROUTE_BEGINS, 256, 0, KIB(512), NULL},
	{HTTP_GET, "/language/", ep_language, LANE_LIGHT, ROUTE_PREFIX, 4096, 0, KIB(128), NULL},
	{HTTP_GET, "/account", ep_account_show, LANE_LIGHT, 0, 256, 0, KIB(1024), NULL},
	{HTTP_POST, "/account", ep_account_act, LANE_LOGIN, 0, 256, KIB(16), KIB(512), NULL},
	{HTTP_GET, REQUESTS_PATH, ep_requests_show, LANE_LOGIN, 0, 256, 0, KIB(1024), NULL},
	{HTTP_POST, REQUESTS_PATH, ep_requests_act, LANE_LOGIN, 0, 256, KIB(16), KIB(2048), NULL},
	{HTTP_GET, "/logout", ep_logout, LANE_LOGIN, 0, 256, 0, KIB(512), NULL},
	{HTTP_POST, "/logout", ep_logout, LANE_LOGIN, 0, 256, KIB(16), KIB(512), NULL},

	{HTTP_GET, LOGOUT_PORTALS, logout_portals_handle, LANE_LOGIN, 0, 256, 0, KIB(1024), NULL},
	{HTTP_GET, LOGOUT_NEXT, logout_next_handle, LANE_LOGIN, 0, 256, 0, KIB(1024), NULL},
	{HTTP_GET, LOGOUT_BACK, logout_back_handle, LANE_LOGIN, 0, 256, 0, KIB(1024), NULL},

	/* a login on its way */
	{HTTP_GET, "/flow/", ep_flow_show, LANE_SAML, ROUTE_PREFIX, 256, 0, KIB(2048), NULL},
	{HTTP_GET, FLOW_AGAIN, ep_flow_again, LANE_SAML, 0, 8192, 0, KIB(1024), NULL},
	{HTTP_GET, "/flow/restart/", ep_flow_restart, LANE_LOGIN, ROUTE_PREFIX, 256, 0, KIB(1024),
	 NULL},
	{HTTP_POST, "/flow/password/", login_password_handle, LANE_PASSWORD, ROUTE_PREFIX, 256,
	 KIB(16), KIB(2048), NULL},
	{HTTP_POST, "/flow/totp/", login_totp_handle, LANE_LOGIN, ROUTE_PREFIX, 256, KIB(16),
	 KIB(2048), NULL},
	{HTTP_POST, "/flow/enroll/", login_totp_enroll_handle, LANE_LOGIN, ROUTE_PREFIX, 256,
	 KIB(16), KIB(2048), NULL},
	{HTTP_GET, "/flow/home/", login_home_page, LANE_LOGIN, ROUTE_PREFIX, 1024, 0, KIB(2048),
	 NULL},
	{HTTP_GET, HOME_AWAY_PATH, home_oidc_away, LANE_UPSTREAM, ROUTE_PREFIX, 256, 0, KIB(2048),
	 NULL},
	{HTTP_GET, OIDC_CALLBACK_PATH, home_oidc_callback, LANE_UPSTREAM, ROUTE_PREFIX, KIB(8), 0,
	 KIB(4096), NULL},
	{HTTP_POST, "/flow/choose/", login_home_handle, LANE_SAML, ROUTE_PREFIX, 256, KIB(16),
	 KIB(2048), NULL},
	{HTTP_POST, "/flow/consent/", consent_handle, LANE_SAML, ROUTE_PREFIX, 256, KIB(16),
	 KIB(2048), NULL},
	{HTTP_GET, "/register", ep_register_start, LANE_LIGHT, ROUTE_BEGINS, 4096, 0, KIB(1024),
	 NULL},
	{HTTP_GET, "/register/", ep_register_show, LANE_LIGHT, ROUTE_PREFIX, 256, 0, KIB(1024),
	 NULL},
	{HTTP_POST, "/register/", ep_register_make, LANE_PASSWORD, ROUTE_PREFIX, 256, KIB(64),
	 KIB(2048), NULL},

	/* SAML 2.0 */
	{HTTP_GET, METADATA_PATH, document_handle, LANE_LOOP, ROUTE_MACHINE, 256, 0, KIB(64), NULL},
	{HTTP_GET, METADATA_PATH "/", document_handle, LANE_LOOP, ROUTE_PREFIX, 256, 0, KIB(64),
	 NULL},
	{HTTP_GET, SAML_SSO_PATH, ep_saml_sso, LANE_SAML, ROUTE_BEGINS, KIB(16), 0, KIB(4096),
	 NULL},
	{HTTP_POST, SAML_SSO_PATH, ep_saml_sso, LANE_SAML, ROUTE_PROTOCOL | ROUTE_BEGINS, 256,
	 KIB(512), KIB(8192), NULL},
	{HTTP_POST, SAML_SSO_SOAP_PATH, ep_saml_ecp, LANE_PASSWORD,
	 ROUTE_MACHINE | ROUTE_SOAP | ROUTE_BEGINS, 256, KIB(256), KIB(8192), NULL},
	{HTTP_POST, SAML_ACS_PATH, ep_saml_acs, LANE_SAML, ROUTE_PROTOCOL, 256, KIB(512), KIB(8192),
	 NULL},
	{HTTP_GET, "/saml/unsolicited", ep_saml_unsolicited, LANE_SAML, ROUTE_BEGINS, KIB(8), 0,
	 KIB(2048), NULL},
	{HTTP_GET, SAML_SLO_PATH, ep_saml_slo, LANE_SAML, 0, KIB(16), 0, KIB(4096), NULL},
	{HTTP_POST, SAML_SLO_PATH, ep_saml_slo, LANE_SAML, ROUTE_PROTOCOL, 256, KIB(512), KIB(8192),
	 NULL},
	{HTTP_POST, SAML_SLO_SOAP_PATH, ep_saml_slo_soap, LANE_SAML, ROUTE_MACHINE | ROUTE_SOAP,
	 256, KIB(256), KIB(8192), NULL},
	{HTTP_POST, SAML_ARTIFACT_PATH, ep_saml_artifact, LANE_SAML, ROUTE_MACHINE | ROUTE_SOAP,
	 256, KIB(64), KIB(8192), NULL},

	{HTTP_POST, SAML_ATTRIBUTES_PATH, ep_saml_query, LANE_SAML, ROUTE_MACHINE | ROUTE_SOAP, 256,
	 KIB(256), KIB(8192), NULL},

	/* OpenID Connect */
	{HTTP_GET, DISCOVERY_PATH, document_handle, LANE_LOOP, ROUTE_MACHINE, 256, 0, KIB(64),
	 NULL},
	{HTTP_GET, SERVER_PATH, document_handle, LANE_LOOP, ROUTE_MACHINE, 256, 0, KIB(64), NULL},
	{HTTP_GET, JWKS_PATH, document_handle, LANE_LOOP, ROUTE_MACHINE, 256, 0, KIB(64), NULL},
	{HTTP_GET, "/oidc/authorize", ep_authorize, LANE_SAML, ROUTE_BEGINS | ROUTE_REDEEMS,
	 KIB(16), 0, KIB(2048), "resource"},
	{HTTP_POST, "/oidc/authorize", ep_authorize, LANE_SAML,
	 ROUTE_PROTOCOL | ROUTE_BEGINS | ROUTE_REDEEMS, 256, KIB(64), KIB(2048), "resource"},
	{HTTP_POST, "/oidc/par", ep_par, LANE_TOKEN, ROUTE_MACHINE | ROUTE_CORS | ROUTE_BEGINS, 256,
	 KIB(64), KIB(2048), "resource"},
	{HTTP_POST, "/oidc/backchannel", ep_backchannel, LANE_TOKEN, ROUTE_MACHINE | ROUTE_BEGINS,
	 256, KIB(64), KIB(1024), NULL},
	{HTTP_POST, "/oidc/token", ep_token, LANE_TOKEN, ROUTE_MACHINE | ROUTE_CORS, 256, KIB(64),
	 KIB(1024), "resource audience"},
	{HTTP_POST, "/oidc/introspect", ep_introspect, LANE_TOKEN, ROUTE_MACHINE, 256, KIB(64),
	 KIB(512), NULL},
	{HTTP_POST, "/oidc/revoke", ep_revoke, LANE_TOKEN, ROUTE_MACHINE | ROUTE_CORS, 256, KIB(64),
	 KIB(512), NULL},
	{HTTP_GET, "/oidc/userinfo", ep_userinfo, LANE_TOKEN, ROUTE_MACHINE | ROUTE_CORS, 4096, 0,
	 KIB(512), NULL},
	{HTTP_POST, "/oidc/userinfo", ep_userinfo, LANE_TOKEN, ROUTE_MACHINE | ROUTE_CORS, 256,
	 KIB(16), KIB(512), NULL},
	{HTTP_OPTIONS, "/oidc/par", cors_preflight, LANE_LOOP, ROUTE_MACHINE | ROUTE_CORS, 256, 0,
	 KIB(64), NULL},
	{HTTP_OPTIONS, "/oidc/token", cors_preflight, LANE_LOOP, ROUTE_MACHINE | ROUTE_CORS, 256, 0,
	 KIB(64), NULL},
	{HTTP_OPTIONS, "/oidc/revoke", cors_preflight, LANE_LOOP, ROUTE_MACHINE | ROUTE_CORS, 256,
	 0, KIB(64), NULL},
	{HTTP_OPTIONS, "/oidc/userinfo", cors_preflight, LANE_LOOP, ROUTE_MACHINE | ROUTE_CORS, 256,
	 0, KIB(64), NULL},
	{HTTP_OPTIONS, DEVICE_AUTHORIZATION_PATH, cors_preflight, LANE_LOOP,
	 ROUTE_MACHINE | ROUTE_CORS, 256, 0, KIB(64), NULL},
	{HTTP_GET, "/oidc/logout", ep_oidc_logout, LANE_LOGIN, 0, KIB(16), 0, KIB(1024), NULL},
	{HTTP_POST, "/oidc/logout", ep_oidc_logout, LANE_LOGIN, ROUTE_PROTOCOL, 256, KIB(64),
	 KIB(1024), NULL},

	{HTTP_POST, DEVICE_AUTHORIZATION_PATH, ep_device_authorization, LANE_TOKEN,
	 ROUTE_MACHINE | ROUTE_CORS, 256, KIB(64), KIB(1024), NULL},
	{HTTP_GET, DEVICE_PATH, ep_device, LANE_LOGIN, ROUTE_BEGINS, 256, 0, KIB(512), NULL},
	{HTTP_POST, DEVICE_PATH, ep_device, LANE_LOGIN, ROUTE_BEGINS, 256, KIB(16), KIB(2048),
	 NULL},

	/* clients that register themselves; a sector document may take seconds to come */
	{HTTP_POST, REGISTRATION_PATH, ep_registration_add, LANE_LIGHT, ROUTE_MACHINE, 256, KIB(64),
	 KIB(2048), NULL},
	{HTTP_GET, REGISTRATION_PATH "/", ep_registration_show, LANE_LIGHT,
	 ROUTE_MACHINE | ROUTE_PREFIX, 256, 0, KIB(2048), NULL},
	{HTTP_PUT, REGISTRATION_PATH "/", ep_registration_change, LANE_LIGHT,
	 ROUTE_MACHINE | ROUTE_PREFIX, 256, KIB(64), KIB(2048), NULL},
	{HTTP_DELETE, REGISTRATION_PATH "/", ep_registration_remove, LANE_LIGHT,
	 ROUTE_MACHINE | ROUTE_PREFIX, 256, 0, KIB(512), NULL},

	/* a federation's administration */
	{HTTP_GET, PUBLICATION_PATH, document_handle, LANE_LOOP, ROUTE_MACHINE, 256, 0, KIB(64),
	 NULL},
	{HTTP_GET, PUBLICATION_ENTITIES_PATH, document_handle, LANE_LOOP, ROUTE_MACHINE, 256, 0,
	 KIB(64), NULL},
	{HTTP_GET, PUBLICATION_ENTITIES_PATH "/", ep_entity, LANE_LIGHT,
	 ROUTE_MACHINE | ROUTE_PREFIX, 256, 0, KIB(4096), NULL},
	{HTTP_GET, PUBLICATION_CHANGES_PATH, ep_changes, LANE_LIGHT, ROUTE_MACHINE, 256, 0,
	 KIB(2048), NULL},

	/* what pages are made of */
	{HTTP_GET, "/static/", document_handle, LANE_LOOP, ROUTE_PREFIX, 256, 0, KIB(64), NULL},

	{.path = NULL},
};

static const char *const lane_names[LANE_COUNT] = {"loop",  "light",    "token",   "saml",
						   "login", "upstream", "password"};

const char *
lane_name(enum lane lane)
{
	return (size_t)lane < LANE_COUNT ? lane_names[lane] : "unknown";
}

bool
route_takes_certificates(const struct route *r)
{
	return r->lane == LANE_TOKEN && (r->flags & ROUTE_MACHINE) != 0;
}

size_t
route_count(const struct route *table)
{
	size_t n = 0;

	while (table[n].path != NULL)
		n++;
	return n;
}

static bool
is_shown(const struct route *r, bool internal)
{
	if (r->flags & ROUTE_HEALTH)
		return true;
	return internal == ((r->flags & ROUTE_INTERNAL) != 0);
}

/* How well a row fits: 0 not at all, else longer is better and exact is best. */
static size_t
fit(const struct route *r, struct bytes path, bool internal)
{
	size_t n = 0;

	while (n < path.n && r->path[n] != '\0' && (unsigned char)r->path[n] == path.p[n])
		n++;
	if (r->path[n] != '\0' || !is_shown(r, internal))
		return 0;
	if (n == path.n && !(r->flags & ROUTE_PREFIX))
		return SIZE_MAX;
	return r->flags & ROUTE_PREFIX && path.n > n ? n : 0;
}

static size_t
best_fit(const struct route *table, struct bytes path, bool internal)
{
	size_t best = 0;

	for (const struct route *r = table; r->path != NULL; r++) {
		size_t f = fit(r, path, internal);

		best = f > best ? f : best;
	}
	return best;
}

const struct route *
route_find(const struct route *table, enum http_method method, struct bytes path, bool internal,
	   bool *path_known)
{
	size_t best = best_fit(table, path, internal);

	*path_known = best > 0;
	if (method == HTTP_HEAD)
		method = HTTP_GET;
	for (const struct route *r = table; best > 0 && r->path != NULL; r++)
		if (r->method == method && fit(r, path, internal) == best)
			return r;
	return NULL;
}

const char *
route_methods(struct arena *a, const struct route *table, struct bytes path, bool internal)
{
	static const char *const names[] = {"GET, HEAD", "POST", "HEAD",
					    "OPTIONS",   "PUT",  "DELETE"};
	size_t best = best_fit(table, path, internal);
	const char *out = "";

	for (const struct route *r = table; best > 0 && r->path != NULL; r++)
		if (fit(r, path, internal) == best)
			out = arena_printf(a, "%s%s%s", out, *out == '\0' ? "" : ", ",
					   names[r->method]);
	return out;
}
