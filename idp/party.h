/*
 * The relying parties, as the snapshot holds them: each row of the database
 * parsed once, SAML metadata or OIDC registration beside the operator's policy.
 */
#ifndef KONTOR_IDP_PARTY_H
#define KONTOR_IDP_PARTY_H

#include "db/party.h"
#include "idp/policy.h"
#include "idp/request.h"
#include "oidc/client.h"
#include "saml/metadata.h"

/* The sector of all who know people by one name: SAML's subject-id, and public subjects (Core 8).
 */
#define PARTY_SECTOR_OF_ALL "urn:oasis:names:tc:SAML:attribute:subject-id"

struct party {
	const char *id; /* entityID or client_id */
	const char *display_name;
	bool enabled;
	struct policy policy;
	const char *sector;            /* never NULL: the policy's, else the dialect's default */
	const struct saml_party *saml; /* exactly one of the two is set */
	const struct oidc_client *oidc;
	unsigned char keys_digest[SHA256_BYTES]; /* of what its jwks_uri brought; else zero */

	/* Of a member of a federation, made for one request (idp/party_member.h); else NULL, 0. */
	const char *source; /* the federation's name here */
	int64_t lifetime_s; /* of answers */
};

struct parties {
	const struct party *p; /* sorted by id */
	size_t n;
	struct oidc_strs unreadable; /* ids of rows that did not parse */
	/* https origins that public clients come back to, sorted, each once or more often. */
	struct oidc_strs origins;
};

/* Members of an OIDC party's document: its metadata, the SHA-256 of its secret in hex. */
#define PARTY_OIDC_METADATA "metadata"
#define PARTY_OIDC_SECRET   "secret_sha256"
#define PARTY_OIDC_SEALED   "secret_sealed" /* for client_secret_jwt, in base64 */

/*
 * The scopes a client may register: openid, offline_access, those of the attribute table and of
 * login_scope.h; can_be_met: of the latter those alone that some login meets.
 */
struct oidc_strs party_scopes(struct arena *a, bool can_be_met);

/* What clients may register at all, by our tables. */
struct oidc_client_rules party_client_rules(struct arena *a);

/* Under which label the secret of a client lies sealed (keys/sign.h). */
struct bytes party_secret_label(struct arena *a, const char *client_id);

/* A row of the database as a party; what does not parse is ERR_INPUT and names the party. */
MUST_USE bool party_parse(struct arena *a, const struct db_party *row, struct party *out,
			  struct err *err);

/*
 * All rows, none told of a level above `cap`; one that does not parse is left out and handed to
 * `bad` (it is then refused everywhere, and the log says so), so that one party never stops the
 * others.
 */
void parties_create(struct arena *a, const struct db_party *rows, size_t n, enum level cap,
		    void (*bad)(const char *id, const struct err *err), struct parties *out);

/* The client record that is this resource (RFC 8707); NULL: none, or disabled. */
const struct party *party_of_resource(const struct parties *parties, const char *uri);

/* NULL: none, or disabled. */
const struct party *party_find(const struct parties *parties, const char *id);

/* Is there a record of that name, also one that is disabled or unreadable? */
bool party_is_recorded(const struct parties *parties, const char *id);

/*
 * Metadata as `p`, whose id and policy are set: where the policy says nothing, the metadata do.
 * ERR_INPUT: it has no key of the kind that its policy demands.
 */
MUST_USE bool party_take_metadata(struct arena *a, const struct saml_party *read, struct party *p,
				  struct err *err);

/* "https://host:port/x" -> "host", by which BundID's portals and pseudonyms go. */
const char *party_host(struct arena *a, const char *uri);

/* What the consent page and error pages call it, and why it asks. */
const char *party_purpose(const struct party *party, enum lang lang);

#endif
