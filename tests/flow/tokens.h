/*
 * What the tests of tokens share: "erika" at a client that may refresh, APIs as resource servers,
 * and proofs of a key.
 */
#ifndef KONTOR_TESTS_FLOW_TOKENS_H
#define KONTOR_TESTS_FLOW_TOKENS_H

#include "tests/flow/world.h"
#include "tests/oidc/support.h"

#define PASSWORD "Lachs-Turmuhr-47"
#define LOGIN    "login_name=erika&password=" PASSWORD "&do=login"
#define OFFLINE  "openid email address offline_access"
#define MAY      ",\"grant_types\":[\"authorization_code\",\"refresh_token\"]"

/* Her attributes, and who she is. */
extern const char *const tokens_erika[];
extern struct subject_id tokens_person;

/* cmocka fixtures: of the group, and of each test, before which the client has MAY. */
int tokens_setup(void **state);
int tokens_fresh(void **state);

/* The client with further members of its metadata and of its policy. */
void register_with(struct world *w, const char *more, const char *policy);
void register_client(struct world *w, const char *more);

/* Log in and agree as far as pages ask for it; the code. */
const char *code_of(struct web *b, const char *scope, const char *more);

/* Asked again whatever stands: `boxes` are those left on. */
void agree_anew(struct web *b, const char *scope, const char *boxes);

/* What the token endpoint says to a refresh token; `more` are further parameters. */
int refresh(struct web *b, const char *token, const char *more);
json_t *refreshed(struct web *b, const char *token, const char *more);
void assert_refused(struct web *b, const char *token, const char *more, const char *error);

/* A login for OFFLINE: its refresh token. */
const char *login_offline(struct web *b);

/* The status that userinfo answers with. */
int userinfo(struct web *b, const char *access_token);

/* ---- resource servers ---- */

#define API       "https://api.example/"
#define MAY_API   MAY ",\"resources\":[\"" API "\"]"
#define GRANTS(g) ",\"grant_types\":[" g "],\"resources\":[\"" API "\"]"

/* How a client of that id proves itself; all have the same secret. */
const char *basic(struct world *w, const char *id);

/* A resource server at that URI that knows the scopes read and write. */
void register_api(struct world *w, const char *id, const char *uri, const char *format);

/* The client with these grants, "api" at API and "other" elsewhere. */
void register_all(struct world *w, const char *grants, const char *format);

json_t *introspect_as(struct web *b, const char *who, const char *token);
bool is_active(const json_t *o);

/* What the token endpoint says to client_credentials with further parameters. */
json_t *own_token(struct web *b, const char *more);

/* A person's tokens, the access token for API. */
const json_t *api_tokens(struct web *b);

/* ---- DPoP ---- */

/* A proof by the key of that algorithm, as now, with further claims. */
const char *proof_of(struct web *b, enum oidc_alg alg, const char *htm, const char *path,
		     const char *more);

/* The same for a whole URL. */
const char *proof_at(struct web *b, enum oidc_alg alg, const char *htm, const char *url,
		     const char *more);

/* The claim of the nonce that was told last, "" for none. */
const char *nonce_claim(struct web *b);

/* What the token endpoint says to a proof that has the nonce it told. */
const json_t *bound(struct web *b, enum oidc_alg alg, const char *form);

/* The status of userinfo with that key's proof for this token. */
int bound_userinfo(struct web *b, enum oidc_alg alg, const char *token, const char *more);

#endif
