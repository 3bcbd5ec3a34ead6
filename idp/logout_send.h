/*
 * Telling a party that a session is over: whom by which way, with what, and what its answer
 * is worth.  Used by the page that takes the browser there and by the outbox.
 */
#ifndef KONTOR_IDP_LOGOUT_SEND_H
#define KONTOR_IDP_LOGOUT_SEND_H

#include "db/logout.h"
#include "idp/outbox.h"
#include "saml/logout.h"

/* Kinds in the outbox. */
#define LOGOUT_SAML_KIND     "saml-logout"
#define LOGOUT_OIDC_KIND     "oidc-logout"
#define LOGOUT_SEND_LIMIT_MS 8000

/* Results in the outbox that say how a party took it. */
#define LOGOUT_CONFIRMED "confirmed"
#define LOGOUT_CLAIMED   "claimed"

/*
 * Whom to tell of those who took part, and by which way: each name with all its sessions, in as
 * many requests as that takes, or (OpenID Connect) each session by itself.  `asker` (NULL: none)
 * knows already of what it `named` (NULL: all that it was told of the session); a client of OpenID
 * Connect is told all the same, where it says how.  by_browser: there
 * is a browser that can be sent to parties.
 */
struct logout_plan {
	const struct parties *parties;
	const char *asker;
	const struct saml_logout_request *named;
	bool by_browser;
	size_t n; /* out: how many are told or would have to be, over all calls */
};
#define LOGOUT_TRIED_S 86400 /* a party that cannot be reached is tried for so long */
void logout_plan(void *plan, struct arena *a, const struct db_participant *list, size_t n,
		 const struct db_told **out, size_t *n_out);

/* One of these contents.  ERR_INTERNAL: it is none. */
struct logout_content {
	const char *name_id;
	const char *format; /* of the NameID; NULL: none */
	const char *const *sessions;
	size_t n_sessions;
};
MUST_USE bool logout_content_read(struct arena *a, const char *content, struct logout_content *out,
				  struct err *err);

/* The request for one of these contents to a SAML party of this id.  ERR_INTERNAL: not a content.
 */
MUST_USE bool logout_ask_read(struct arena *a, const char *content, const char *entity_id,
			      const char *party, time_t now, struct saml_logout_ask *out,
			      struct err *err);

/* What a signed answer says. */
enum db_told_state logout_state_of(const struct saml_logout_response *r);

/* By SOAP (SAML2Profiles 4.4.3.4). */
struct outbox_outcome logout_send_saml(const struct outbox_try *t, struct err *err);

/*
 * What a frame has to show for a client (Front-Channel Logout 1.0, 3): its URI with iss and sid.
 * NULL: it has none now.  ERR_INTERNAL: not a content.
 */
MUST_USE bool logout_frame_url(struct arena *a, const struct party *p, const char *content,
			       const char *issuer, const char **url, struct err *err);

/* By a logout token (Back-Channel Logout 1.0, 2.5). */
struct outbox_outcome logout_send_oidc(const struct outbox_try *t, struct err *err);

#endif
