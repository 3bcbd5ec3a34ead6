/*
 * A copy of a federation's signed metadata, read: verified in one pass (saml/aggregate.h), members
 * filtered, and of each member only what is needed to find it and to know its text again.  Memory
 * is some 100 octets a member, and a name for those that people choose from.
 */
#ifndef KONTOR_IDP_FEDERATION_READ_H
#define KONTOR_IDP_FEDERATION_READ_H

#include <stdatomic.h>

#include "base/hash.h"
#include "db/federation.h"
#include "idp/federation_claims.h"
#include "idp/federation_rules.h"

struct federation_entry {
	unsigned char id[SHA256_BYTES];     /* of the entityID; first, for federation_id_order */
	unsigned char digest[SHA256_BYTES]; /* of its text */
	time_t valid_until;                 /* never 0 */
	uint16_t missing;                   /* enum federation_field */
	uint8_t roles;                      /* of those that are taken */
	uint8_t filter;                     /* enum federation_filter */
};

/* Two SHA-256 of what everybody may know. */
static inline bool
federation_same(const unsigned char *x, const unsigned char *y)
{
	return bytes_eq((struct bytes){x, SHA256_BYTES}, (struct bytes){y, SHA256_BYTES});
}

/* For qsort and bsearch: of whatever begins with an id. */
int federation_id_order(const void *x, const void *y);

/* Of one copy; immutable, counted. */
struct federation_index {
	struct arena *a; /* owns everything below */
	atomic_uint refs;
	unsigned char digest[SHA256_BYTES];  /* of the octets that came; not of a stored copy */
	unsigned char content[SHA256_BYTES]; /* stands for what is signed, whoever signed it */
	size_t octets;
	time_t valid_until; /* of the whole */
	size_t key;         /* which of the signers signed it */
	size_t n;
	const struct federation_entry *p; /* sorted by id */
	size_t n_filtered[FEDERATION_FILTERS];
	const struct federation_named {
		struct federation_choice choice;
		time_t valid_until;
	} * named; /* identity providers that are not hidden, by `de` */
	size_t n_named;
	struct federation_claims claims; /* of identity providers that speak for scopes alone */
};

struct federation_reader {
	const char *source; /* its name */
	const struct federation_rules *rules;
	struct saml_keys keys;
	/* Each member as it is read, before anything is proven; NULL: nobody wants it. */
	bool (*member)(void *ctx, const struct federation_entry *e, const struct saml_entity *said,
		       struct err *err);
	/* What stands around them, in between (saml/aggregate.h); NULL likewise. */
	bool (*around)(void *ctx, struct bytes octets, struct err *err);
	void *ctx;
};

struct federation_reading; /* lives in its arena, and *o outlives it */
struct federation_reading *federation_read_begin(struct arena *a,
						 const struct federation_reader *o);

/* The next octets.  Errors are saml_aggregate_add's; ERR_INPUT also: one of the rules' caps. */
MUST_USE bool federation_read_add(struct federation_reading *r, struct bytes piece,
				  struct err *err);

/*
 * It is whole, and *out held once for the caller.  ERR_DENIED: the content is not what was signed;
 * ERR_INPUT: an entityID twice, no validUntil.
 */
MUST_USE bool federation_read_end(struct federation_reading *r, struct federation_index **out,
				  struct err *err);

void federation_index_hold(struct federation_index *index);
void federation_index_release(struct federation_index *index); /* NULL is fine */

/* NULL: it has none of this id. */
const struct federation_entry *federation_index_find(const struct federation_index *index,
						     const unsigned char id[SHA256_BYTES]);

/*
 * Read a stored copy, put together of its pieces and of members' texts, a few at a time.
 * ERR_INTERNAL: one is damaged or missing; else as above.
 */
MUST_USE bool federation_read_copy(const struct db_call *c, int64_t seq,
				   const struct federation_reader *o, struct federation_index **out,
				   struct err *err);

/*
 * A piece: the letter FEDERATION_AROUND, how many octets, 4 of them
 * big-endian, and so many that stand around members; or FEDERATION_MEMBER, the digest of a
 * member's text, and how long that is, likewise; and so on.
 */
#define FEDERATION_PIECE_BYTES  ((size_t)64 * 1024)
#define FEDERATION_AROUND       'a'
#define FEDERATION_AROUND_BYTES (1 + 4)
#define FEDERATION_MEMBER       'm'
#define FEDERATION_MEMBER_BYTES (1 + SHA256_BYTES + 4)

/* What is stored may be so many times as long as the caps let come. */
#define FEDERATION_STORED 2

/* The keys of a source's certificates, and of each the SHA-256 of the certificate. */
MUST_USE bool federation_signers(struct arena *a, const char *pem, struct saml_keys *keys,
				 const struct bytes **sha256, struct err *err);

#endif
