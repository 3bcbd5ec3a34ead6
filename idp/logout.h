/*
 * Single logout: sessions end first, then everybody who took part is told, by the outbox or by
 * the browser, and one page says what became of it.  Who asked is answered last.
 *
 * The browser is bound to its logout by a cookie; no URL names it.
 */
#ifndef KONTOR_IDP_LOGOUT_H
#define KONTOR_IDP_LOGOUT_H

#include "idp/audit.h"
#include "idp/party.h"
#include "idp/response.h"
#include "saml/logout.h"

#define LOGOUT_COOKIE  "logout"
#define LOGOUT_PORTALS "/logout/portals"
#define LOGOUT_NEXT    "/logout/next"
#define LOGOUT_BACK    "/logout/back"

/* Whom to answer in the end; all NULL: nobody, the person came by itself. */
struct logout_asker {
	const struct party *party;
	const char *request;                     /* SAML: the id of its LogoutRequest */
	const struct saml_logout_request *named; /* that request, until all is ended; NULL */
	enum saml_binding binding;
	const char *relay_state;
	const char *url; /* OpenID Connect: where it wants the browser; NULL: a page of ours */
	bool unproven; /* OpenID Connect: anybody may have named it, so it hears like the others */
	bool left;     /* SAML: sessions that it meant live on; set before the first one ends */
};

struct logout {
	struct request *rq;
	struct logout_asker asker;
	const char *handle; /* NULL: nobody asks what became of it */
	size_t n_told;      /* parties told or to be told, over all sessions ended so far */
	bool again;         /* its request came before: what became of the others is not known */
};

/* Who has the handle may ask what became of it: a browser, or the program that asked by SOAP. */
void logout_init(struct logout *l, struct request *rq, const struct logout_asker *asker);

/*
 * End a session and write down who has to hear of it, in one durable transaction.
 * *ended is false when it was over before.
 */
MUST_USE bool logout_end(struct logout *l, const char *sid, const struct db_audit *audit,
			 bool *ended, struct err *err);

/* Without a page: who can be told by the outbox is told, nobody asks. */
MUST_USE bool logout_quietly(struct request *rq, const char *sid, const struct db_audit *audit,
			     struct err *err);

/* All sessions are ended: lead the browser on, to the parties or to the end. */
MUST_USE bool logout_go_on(struct logout *l, struct response *rs, struct err *err);

/* Answer a request of a SAML party that ends nothing: with this status. */
MUST_USE bool logout_refuse(struct request *rq, const struct logout_asker *asker,
			    const char *status, struct response *rs, struct err *err);

/* Does a logout of this browser still go on? */
MUST_USE bool logout_is_open(struct request *rq, bool *open, struct err *err);

/*
 * For who asked without a browser: wait until all are told or a moment is over.  *all: each
 * has confirmed, and no session is left.
 */
MUST_USE bool logout_wait(struct logout *l, bool *all, struct err *err);

/* The pages of a logout; GET. */
bool logout_portals_handle(struct request *rq, struct response *rs, struct err *err);
bool logout_next_handle(struct request *rq, struct response *rs, struct err *err);
bool logout_back_handle(struct request *rq, struct response *rs, struct err *err);

/* The page at the end of a logout that nobody else had to hear of. */
MUST_USE bool logout_show_done(struct request *rq, struct response *rs, struct err *err);

#endif
