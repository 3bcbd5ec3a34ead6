/* What the tests of authorization requests share: a client, resource servers, DPoP proofs. */
#ifndef KONTOR_TESTS_FLOW_ASKING_H
#define KONTOR_TESTS_FLOW_ASKING_H

#include "oidc/alg.h"
#include "tests/flow/world.h"

#define API       "https://api.example/"
#define OTHER_API "https://other.example/"
#define ASK_LOGIN "login_name=erika&password=Lachs-Turmuhr-47&do=login"
#define BOTH_APIS ",\"resources\":[\"" API "\",\"" OTHER_API "\"]"
#define CODE_AND_REFRESH                                                                  \
	",\"grant_types\":[\"authorization_code\",\"refresh_token\"],\"refresh_tokens\":" \
	"\"session\""

/* Group fixture: "erika" has an account. */
int asking_setup(void **state);

/* The client with further members of its metadata, and with further members of its policy. */
void asking_client(struct world *w, const char *more);
void asking_client_of(struct world *w, const char *more, const char *policy);

/* The resource servers "api" (Terminvergabe, read and write) and "other" (Postfach, read). */
void asking_apis(struct world *w, const char *format);

/* Log in where a page asks for it, then what the page is, or the answer. */
void asking(struct web *b, const char *scope, const char *more);

/* asking, and agreeing where it is asked for; the code. */
const char *asking_code(struct web *b, const char *scope, const char *more);

/* The answer of the token endpoint: to a code, to a refresh token, with further parameters. */
const json_t *asking_token(struct web *b, const char *code, const char *more);
const json_t *asking_refresh(struct web *b, const char *refresh_token, const char *more);

/* The last answer is this error. */
void asking_refused(struct web *b, const char *error);

const json_t *asking_introspect(struct web *b, const char *who, const char *token);

/* Claims of a token of ours, verified. */
const json_t *asking_claims(struct web *b, const char *token);

const char *asking_text(const json_t *o, const char *name);

/* How that client proves itself, as any of them. */
const char *asking_basic(struct world *w, const char *id);

/* Make b->dpop a proof for a POST to that path, by the test's key of that algorithm. */
void asking_prove(struct web *b, enum oidc_alg alg, const char *path);

/* Its thumbprint. */
const char *asking_jkt(struct world *w, enum oidc_alg alg);

#endif
