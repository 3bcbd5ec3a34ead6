/*
 * Redirect URIs.  At registration their form is checked; at a request they are
 * compared octet by octet with the registered ones and with nothing else: no
 * wildcard, no normalization (RFC 9700 4.1.3).  Only the port of a native
 * client's loopback address may differ (RFC 8252 7.3).
 */
#ifndef KONTOR_OIDC_REDIRECT_H
#define KONTOR_OIDC_REDIRECT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/param.h"
#include "oidc/param.h"

#define OIDC_URI_MAX_BYTES 2048

/*
 * Is this a URI that may be registered?  https with a host in lower case, no
 * user info, fragment, wildcard, dot segment or doubtful escape.  With
 * loopback_http also http on 127.0.0.1, [::1], localhost and names below it
 * (RFC 8252 7.3), for development.  ERR_INPUT, invalid_redirect_uri.
 */
MUST_USE bool oidc_uri_check(const char *uri, bool loopback_http, struct err *err);

/*
 * Is it the name of a resource (RFC 8707 2): https as above, or of a scheme that leads nowhere
 * ("urn:example:api"), absolute, without fragment?
 */
bool oidc_uri_names_resource(const char *uri);

/*
 * The same for an application on a person's own device (RFC 8252 7): https, http on
 * loopback as above, or a scheme of its own: a domain's name in reverse, in lower
 * case, with a dot, and a path behind a single slash ("com.example.app:/cb").
 */
MUST_USE bool oidc_uri_check_native(const char *uri, struct err *err);

/*
 * Is `uri` the registered http URI of 127.0.0.1 or [::1], but for the port?  Not of
 * localhost, which may be resolved to something else (RFC 8252 8.3).
 */
bool oidc_uri_is_loopback_of(const char *registered, const char *uri);

/* Is `uri` one of the registered ones, octet by octet?  uri may be NULL: no. */
bool oidc_uri_registered(struct oidc_strs registered, const char *uri);

/* The host of a URI that was admitted here, without port; NULL: it has none (a scheme of its own).
 */
const char *oidc_uri_host(struct arena *a, const char *uri);

/* Has `other` the scheme, host and port of this https URI, octet by octet? */
bool oidc_uri_same_origin(const char *https, const char *other);

/*
 * uri with parameters added to its query, which stays as it is (RFC 6749
 * 3.1.2), or as its fragment, which it has none of yet.  Parameters whose value is NULL are left
 * out.  ERR_INTERNAL: longer than any of our inputs can make it.
 */
MUST_USE bool oidc_uri_with(struct arena *a, const char *uri, bool fragment,
			    const struct param *add, size_t n, const char **out, struct err *err);

#endif
