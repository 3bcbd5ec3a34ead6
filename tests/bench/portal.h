/*
 * The portals of the bench.  Each has a name ("es256", "rs256", "enc") and is both a SAML party
 * https://portal.example/NAME and an OIDC client bench-NAME; they differ in how they are answered.
 * "tokens" and "tokensrs" ask for offline access as well; "api", "apies" and "apirs" are OIDC
 * clients without logins.  Those whose names end in "provider" belong to npm's oidc-provider, "php"
 * to SimpleSAMLphp.
 */
#ifndef KONTOR_TESTS_BENCH_PORTAL_H
#define KONTOR_TESTS_BENCH_PORTAL_H

#include "tests/bench/client.h"

#define BENCH_ENTITY "https://portal.example/"
#define BENCH_BACK   "https%3A%2F%2Fportal.example%2Fback"

struct bench_portal;

/* Where a provider has what; NULL: it has not. */
struct bench_provider {
	const char *authorize, *token, *userinfo, *introspect, *metadata, *sso;
	const char *login_action,
		*login; /* beginning of the form's action; its fields, a number goes behind */
};
const struct bench_provider *bench_provider(const struct bench_portal *p);

/*
 * Knows the provider by its metadata.  The client's secret comes from the variable
 * BENCH_SECRET_NAME, the key that opens encrypted assertions (PKCS#8 DER, P-256) from the file that
 * BENCH_DECRYPT_KEY names; each of `threads` threads may use its own lane of it.
 */
struct bench_portal *bench_portal_open(struct arena *a, struct client *c, const char *name,
				       size_t threads);

/* Header line that authenticates the OIDC client. */
const char *bench_authorization(const struct bench_portal *p);

/* Path and query of an authorization request, of a fresh AuthnRequest. */
const char *bench_authorize_path(const struct bench_portal *p);
const char *bench_saml_path(const struct bench_portal *p, struct arena *a);

/*
 * What a portal checks: the provider's signature over the Response, Success inside it, and the
 * assertion, which an encrypting portal opens with its key.
 */
bool bench_saml_accepted(const struct bench_portal *p, struct arena *a, size_t thread,
			 struct bytes base64);

#endif
