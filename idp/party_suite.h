/*
 * Which signature suite and which encryption a SAML party gets, and for how long
 * yet: saml/choose.h with our keys and the party's record.
 */
#ifndef KONTOR_IDP_PARTY_SUITE_H
#define KONTOR_IDP_PARTY_SUITE_H

#include "idp/party.h"
#include "keys/keyring.h"
#include "saml/choose.h"

/* Before old suites end for a party it is told of for so long. */
#define PARTY_OLD_WARNS_S ((time_t)180 * 86400)

/* The suite that answers to `p` (a SAML party) are signed with.  Errors are saml_choose_suite's. */
MUST_USE bool party_suite(const struct party *p, const struct keyring *kr, time_t now,
			  const struct saml_suite **out, struct err *err);

/* The one it gets once the keys that are published now are active. */
MUST_USE bool party_suite_next(const struct party *p, const struct keyring *kr, time_t now,
			       const struct saml_suite **out, struct err *err);

/* The same as if we had a key of every type: what its record and its metadata permit. */
MUST_USE bool party_suite_exists(const struct party *p, time_t now, struct err *err);

/*
 * ERR_DENIED, SAML_REQUEST_DENIED: its record demands encrypted assertions, and its metadata have
 * no key for them, so that there never is an answer.
 */
MUST_USE bool party_can_encrypt(const struct party *p, struct err *err);

/* "2027-05-31": the last day on which old suites count; NULL: the party is not marked old. */
const char *party_old_day(struct arena *a, const struct party *p);

/* A sentence once the end is near or past; NULL: nothing to tell. */
const char *party_old_warning(struct arena *a, const struct party *p, time_t now);

/* All of it, for `kontor party show`. */
json_t *party_suite_json(struct arena *a, const struct party *p, const struct keyring *kr,
			 time_t now);

#endif
