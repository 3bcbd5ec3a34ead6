/*
 * Whole logins in one process: the real route table, database, pages and
 * signer; no socket, and a clock that the test turns.  A struct web is a
 * browser: it keeps cookies, follows redirects and fills in forms.
 */
#ifndef KONTOR_TESTS_FLOW_WORLD_H
#define KONTOR_TESTS_FLOW_WORLD_H

#include "base/json.h"
#include "db/party.h"
#include "idp/app.h"
#include "idp/config.h"
#include "oidc/jws.h"
#include "tests/db/pg.h"
#include "tests/keys/test_keys.h"
#include "tests/keys/test_signer_thread.h"

#define BASE        "https://konto.example"

#define SAML_PARTY  "https://amt24.example/metadata"
#define SAML_ACS    "https://amt24.example/acs"
#define SAML_SLO    "https://amt24.example/slo"
#define OIDC_CLIENT "stadtportal"
#define OIDC_BACK   "https://stadtportal.example/back"
#define OIDC_SECRET "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

struct world {
	struct pg *pg;
	struct arena *a; /* for the test; emptied by world_fresh */
	struct config config;
	struct app app;
	struct worker worker;
	struct test_signer *signer;
	struct test_keys *keys; /* of the portals */
	time_t now;
	const char *relay_state; /* of what the SAML portal sends; NULL: "state-1" */
	const char *saml_party;  /* who the SAML portal is for now; NULL: SAML_PARTY */
	const char *acs;         /* where it wants its answer; NULL: SAML_ACS, "": unsaid */
	const char *ask_from,
		*ask_to;        /* a text of its AuthnRequest, and what it is; NULL: as it is */
	const char *resolve_at; /* Destination of its ArtifactResolve; NULL: our endpoint */
	const char *slo;        /* its SingleLogoutServices, as XML; NULL: SAML_SLO by Redirect */
	const char *saml_suite; /* what it signs with, and has a key for; NULL: ecdsa-sha256 */
	const char *saml_acs;   /* further AssertionConsumerServices, as XML; NULL: none */
	const char *saml_more;  /* put into its metadata's role extensions; NULL: nothing */

	/* What answers the browser's requests; NULL: app_handle. */
	void (*handle)(struct app *app, struct arena *a, const struct raw_request *raw,
		       struct worker *worker, struct response *rs);
};

/* cmocka group fixtures: *state becomes a struct world with both portals registered. */
int world_setup(void **state);
int world_teardown(void **state);

/* cmocka test fixture: forget what the test before left. */
int world_fresh(void **state);

/*
 * Register or change a portal: policy as JSON ("{}").  The new snapshot is there at once.
 * The SAML portal's metadata says that it signs its requests, unless the policy takes unsigned
 * ones.
 */
void world_saml_party(struct world *w, const char *policy);
/* Its metadata alone, of whoever it is for now; further: put before its SingleLogoutService. */
const char *world_saml_metadata(struct world *w, const char *policy, const char *further);
void world_oidc_party(struct world *w, const char *policy);
/* That client, with further members of its metadata (",\"x\":1"). */
void world_oidc_client(struct world *w, const char *more);
/* The same client with a whole document of its own, as `kontor client add` keeps it. */
void world_oidc_document(struct world *w, const char *document, const char *policy);
void world_party(struct world *w, const struct db_party *row); /* any other */
void world_disable(struct world *w, const char *party);

/* A new snapshot of what the database holds, as a node makes it when told of a change. */
void world_reload(struct world *w);
extern bool world_takes_unreadable; /* a party's row that does not parse is no failure */

/*
 * An account with a password and these attributes, names and values (NULL: verified that there is
 * none), at this level.  Returns its id.
 */
struct subject_id world_person(struct world *w, const char *login_name, const char *password,
			       const char *const *attributes, enum level level);

/* Give it a one-time-code app with a fixed seed. */
void world_totp(struct world *w, struct subject_id id);

/* The code of that app now. */
const char *world_code(struct world *w);

/* The first column of a statement's first row, "" for none. */
#define world_value(w, sql) pg_value((w)->pg, (sql))

/* ---- the browser ---- */

struct web {
	struct world *w;
	const char *cookies[80][2];
	size_t n_cookies;
	int status;
	const char *location; /* of the last answer; NULL */
	const char *body, *csp;
	const char *type;           /* Content-Type of the last answer */
	const char *challenge;      /* WWW-Authenticate of the last answer; NULL */
	const char *path;           /* of the last request */
	const char *addr;           /* where it comes from; NULL: 192.0.2.1 */
	const char *authorization;  /* that web_program sends; NULL: none */
	const char *host;           /* that it asks; NULL: "konto.example" */
	const char *certificate;    /* Client-Cert; NULL: none */
	const char *verdict;        /* of the proxy on it */
	const char *dpop, *accept;  /* headers of the next requests of programs; NULL: none */
	const char *dpop_nonce;     /* DPoP-Nonce of the last answer; NULL */
	const char *cache, *pragma; /* Cache-Control and Pragma of it; NULL */
	const char *origin;         /* of a page whose script asks next; NULL: a program, no page */
	const char *allow_origin, *allow_headers, *exposed; /* Access-Control-* of the answer */
};

void web_init(struct web *b, struct world *w);

/* A GET of a path or of a URL of ours; redirects to ourselves are followed. */
void web_get(struct web *b, const char *url);

/* A POST as another site's page would send it: no cookies, no Origin of ours. */
void web_foreign_post(struct web *b, const char *path, const char *form);

/* A POST with this browser's cookies, as a page of that origin (NULL: unsaid) would send it. */
void web_post_from(struct web *b, const char *origin, const char *path, const char *form);

/*
 * Fill in the page's first form whose action begins with `action` and send it:
 * its hidden fields, and `fields` ("a=b&c=d", encoded).
 */
void web_submit(struct web *b, const char *action, const char *fields);

/* As web_submit, but nothing is sent yet: web_submit_again or web_at_once does it. */
void web_fill_in(struct web *b, const char *action, const char *fields);

/* The same form sent again as it was (double click, replay). */
void web_submit_again(struct web *b);

/*
 * A form of ours that no page showed: sent to a route row and what follows it,
 * with the token and Origin that its page would have had.
 */
void web_post(struct web *b, const char *route, const char *tail, const char *fields);

/*
 * The last form, or a GET of `path` when that is not NULL, sent WEB_AT_ONCE times
 * at once.  Returns how many answers show `sign` or lead to a URL that begins with it.
 */
#define WEB_AT_ONCE 8
size_t web_at_once(struct web *b, const char *path, const char *sign);

/* The value of a hidden field of the page; NULL: none. */
const char *web_field(struct web *b, const char *name);

/* The code now of an app set up with the key that the page shows. */
const char *web_shown_code(struct web *b);

bool web_shows(const struct web *b, const char *text);
const char *web_cookie(const struct web *b, const char *name);

/* A program's request: no cookies. */
void web_token(struct web *b, const char *authorization, const char *form);
void web_userinfo(struct web *b, const char *token);

/* A program's POST of that type of content; no cookies. */
void web_program(struct web *b, const char *path, const char *type, const char *body);

/* The same with a form as its body. */
void web_form(struct web *b, const char *path, const char *form);

/* The same, and the client says who it is as in oidc_basic. */
void web_as_client(struct web *b, const char *path, const char *form);

/* The same by any method, with a JSON body; NULL: none. */
void web_method(struct web *b, const char *method, const char *path, const char *body);

/* The answer, which is a JSON object. */
json_t *web_json(struct web *b);

/* A member of an object, or of the answer, that is a text; NULL: none. */
const char *text_member(const json_t *o, const char *name);
const char *web_member(struct web *b, const char *name);

/* What the token endpoint gives for this code; the test fails if it gives nothing. */
json_t *web_redeem(struct web *b, const char *code);

/* ---- portals ---- */

/* URL of a signed AuthnRequest by Redirect; `extra` are further attributes, `inner` elements. */
const char *saml_request_url(struct world *w, const char *id, const char *extra, const char *inner);

/* The Response on the page, its signature verified; NULL when there is none. */
const char *saml_response_of(struct web *b);

/*
 * The assertion that lies encrypted in that Response, opened by the portal's key, its own signature
 * verified; NULL when there is none.
 */
const char *saml_opened_of(struct web *b);

/* One as the body of a form, signed inside. */
const char *saml_request_form(struct world *w, const char *id);

/* URL of a signed LogoutRequest by Redirect; session_index NULL: all of that name. */
const char *saml_logout_url(struct world *w, const char *id, const char *name_id,
			    const char *session_index);

/* The same as a SOAP envelope for our endpoint, from whoever the SAML portal is for now. */
const char *saml_logout_envelope(struct world *w, const char *id, const char *name_id,
				 const char *session_index);

/* An ArtifactResolve as a SOAP envelope, from whoever the SAML portal is for now. */
const char *saml_artifact_envelope(struct world *w, const char *id, const char *artifact);

/*
 * The message in the ArtifactResponse on the page, both signatures verified; "" when there is
 * none in it.
 */
const char *saml_resolved(struct web *b);

/* The same URL without its signature. */
const char *unsigned_url(struct world *w, const char *url);

/* The text between <...Name...>value</ of the first element or attribute named so. */
const char *between(struct arena *a, const char *text, const char *before, const char *after);

#define PKCE_VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

/* URL of an authorization request; `more` are further parameters ("&prompt=none"). */
const char *oidc_request_url(struct world *w, const char *scope, const char *more);

/* Of OIDC_SECRET, in hex, as a document holds it. */
const char *oidc_secret_digest(struct world *w);

/* How the client proves who it is, and its form that redeems a code, at web_token. */
const char *oidc_basic(struct world *w);
const char *oidc_redeem_form(struct world *w, const char *code);

/* A token of ours, its signature verified, and what it says. */
const struct oidc_signed *oidc_verified(struct world *w, const char *token);
const json_t *oidc_token_says(struct world *w, const char *token);

/* A parameter of the URL the browser was sent to; NULL: none. */
const char *location_param(struct web *b, const char *name);

#endif
