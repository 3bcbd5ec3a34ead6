/* The portals of the bench: a SAML party and an OIDC client with a secret. */
#ifndef KONTOR_TESTS_BENCH_PORTAL_H
#define KONTOR_TESTS_BENCH_PORTAL_H

#include "tests/bench/client.h"

#define BENCH_PARTY    "https://portal.example/metadata"
#define BENCH_BACK     "https%3A%2F%2Fportal.example%2Fback"
#define BENCH_PASSWORD "Lachs-Turmuhr-Wiese-47"

struct bench_portal;

/* Knows Kontor by its metadata; the secret comes from the variable BENCH_CLIENT_SECRET. */
struct bench_portal *bench_portal_open(struct arena *a, struct client *c);

/* Header line that authenticates the OIDC client. */
const char *bench_authorization(const struct bench_portal *p);

/* Path and query of a fresh AuthnRequest. */
const char *bench_saml_path(const struct bench_portal *p, struct arena *a);

/* What a portal checks: Kontor's signature over the Response, and Success inside it. */
bool bench_saml_accepted(const struct bench_portal *p, struct arena *a, struct bytes base64);

#endif
