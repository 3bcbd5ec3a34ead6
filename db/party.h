/*
 * Relying parties: the document they registered with (SAML metadata, RFC 7591
 * client metadata) and the policy that is ours.  Every change is notified
 * ("party"), so that nodes load them again.
 */
#ifndef KONTOR_DB_PARTY_H
#define KONTOR_DB_PARTY_H

#include "db/audit.h"

struct db_party {
	const char *id;   /* entityID or client_id */
	const char *kind; /* "saml", "oidc" */
	const char *display_name;
	struct bytes document;
	const char *policy; /* a JSON object as text */
	int64_t version;    /* counts the changes; 1 at first */
	bool enabled;
	time_t changed;
	struct bytes keys; /* of a client: what its jwks_uri brought last (db/source.h); n 0:
			      nothing. Not saved with it */
};

/*
 * Insert, or replace kind-alike: name, document, policy, enabled.  version and
 * changed are set here; *version is the new one.  Another document of a SAML party
 * leaves the one before as a copy, and its source held (db/source.h).  ERR_CONFLICT:
 * the id belongs to a party of the other kind.  Durable.
 */
MUST_USE bool db_party_save(const struct db_call *c, const struct db_party *party,
			    const struct db_audit *audit, time_t now, int64_t *version,
			    struct err *err);

/* The same within a transaction. */
MUST_USE bool db_party_save_tx(struct db_tx *tx, const struct db_party *party, time_t now,
			       int64_t *version, struct err *err);

/* *out is NULL when there is none. */
MUST_USE bool db_party_load(const struct db_call *c, const char *id, const struct db_party **out,
			    struct err *err);

/* All of them, disabled ones too, sorted by id. */
MUST_USE bool db_party_list(const struct db_call *c, const struct db_party **out, size_t *n,
			    struct err *err);

/* ERR_NOT_FOUND: no such party.  Durable. */
MUST_USE bool db_party_set_enabled(const struct db_call *c, const char *id, bool enabled,
				   const struct db_audit *audit, time_t now, struct err *err);
MUST_USE bool db_party_remove(const struct db_call *c, const char *id, const struct db_audit *audit,
			      time_t now, struct err *err);

#endif
