/*
 * Portals that nobody registered: members of a federation, known by signed metadata alone, may ask
 * about people here (TR-03160-2 4.2.1).  Such a party is made for the request that needs it, from
 * what the federation says at that moment, and is found anew at every later step.
 */
#ifndef KONTOR_IDP_PARTY_MEMBER_H
#define KONTOR_IDP_PARTY_MEMBER_H

#include "idp/party.h"

/*
 * The SAML party of that name: the registered one, else the member.  A record that is disabled or
 * unreadable goes before the member, too.  Lives in rq->a or in the snapshot.  Errors:
 * ERR_NOT_FOUND "portal_unknown": neither; ERR_DENIED "member_closed": suspended, over, left out;
 * ERR_UNAVAILABLE: members are being read, or the database.
 */
MUST_USE bool party_find_saml(struct request *rq, const char *id, const struct party **out,
			      struct err *err);

/* The same of members alone: a flow that began as a member's goes on as one, or not at all. */
MUST_USE bool party_find_member(struct request *rq, const char *id, const struct party **out,
				struct err *err);

static inline bool
party_is_member(const struct party *p)
{
	return p != NULL && p->source != NULL;
}

#endif
