/*
 * A service provider for the tests: "Amt24", its metadata, and the messages it
 * sends, by either binding.  What it signs, it signs with the keys of fixture.h;
 * its certificates are those of test_keys.h.
 */
#ifndef KONTOR_TESTS_SAML_PORTAL_H
#define KONTOR_TESTS_SAML_PORTAL_H

#include "saml/message.h"
#include "saml/response.h"
#include "tests/saml/fixture.h"
#include "tests/saml/support.h"

#define PORTAL_ENTITY       "https://amt24.example/sp"
#define PORTAL_ACS          "https://amt24.example/saml/acs"
#define PORTAL_ACS_ARTIFACT "https://amt24.example/saml/artifact" /* index 2, HTTP-Artifact */
#define PORTAL_SSO          "https://konto.example/saml/sso"      /* ours */
#define PORTAL_SLO          "https://konto.example/saml/slo"      /* ours */
#define PORTAL_ARTIFACT     "https://konto.example/saml/artifact" /* ours */
#define PORTAL_OURS         "https://konto.example/saml/metadata"

/* The formats of NameID it may be given. */
#define PORTAL_NAMEIDS (SAML_NAMEID_IS_TRANSIENT | SAML_NAMEID_IS_PERSISTENT)

/* Messages issued at 18:00:00 on 23 November 2026, with FIXTURE_PLACE. */
extern const char portal_authn_request[], portal_logout_request[], portal_logout_response[];

/* Ten seconds later. */
time_t portal_now(void);

/* The metadata's text, and what we make of it: signing keys are fixture_keys(). */
char *portal_metadata(struct arena *a, const struct test_keys *k);
const struct saml_party *portal_party(struct arena *a, const struct test_keys *k);

/* Every octet but the unreserved ones percent-encoded. */
char *portal_percent(struct arena *a, struct bytes text);

/* base64 of the DEFLATE stream, percent-encoded: the value of SAMLRequest. */
char *portal_packed(struct arena *a, struct bytes xml);

/* A query, signed beside the message; relay may be NULL.  FIXTURE_PLACE is taken out. */
char *portal_query(struct arena *a, const char *param, const char *xml, const char *relay);
char *portal_query_unsigned(struct arena *a, const char *param, const char *xml, const char *relay);

/* "octets&Signature=...": whatever octets, signed as they stand. */
char *portal_sign_query(struct arena *a, const char *octets);

/* A form, signed inside the message at FIXTURE_PLACE (not, if there is none). */
char *portal_form(struct arena *a, const char *param, const char *xml, const char *relay);

/* An envelope around a message as it stands. */
char *portal_enveloped(struct arena *a, const char *xml);

/* Decode and verify a message that came by a signed query. */
MUST_USE bool portal_send(struct arena *a, const struct saml_party *party, const char *param,
			  const char *xml, const struct saml_verified **out, struct err *err);

/* The XML inside a carrier of ours (either binding). */
struct bytes portal_unpack(struct arena *a, const struct saml_carrier *c);

/* The one child of this name, or the text of an element; fail the test when there is none. */
const struct xml_node *portal_child(const struct xml_node *n, const char *ns, const char *name);
const char *portal_text(struct arena *a, const struct xml_node *n);

/* What we say to it of Erika's login at `now` (ID _assertion1, for _request1), and the Response
 * with that, or with another status when there are no facts (ID _response1). */
struct saml_assertion portal_assertion(time_t now);
struct saml_response portal_response(const struct saml_assertion *facts, time_t now);

/* A signer that does not answer. */
extern const struct key_ops portal_no_signer;

#endif
