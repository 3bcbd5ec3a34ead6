/*
 * Signed metadata of a federation (SAML2Metadata 2.3.1), verified while it is read: the size of
 * an <md:EntitiesDescriptor> costs time and no memory.  The signature must stand first and is
 * verified before anything behind it is looked at; whether the octets are those that it is over
 * is known at the end.  Until saml_aggregate_end says true, nothing that was told is proven.
 *
 * Accepted is the shape of saml/xmlsig.h, checked by the same code.  What is told of each entity
 * is a document of its own: its exclusive canonical form with the signature's PrefixList, written
 * from what was digested.  Declarations that only a value would need are in
 * neither, but for prefixes of XML Schema.
 */
#ifndef KONTOR_SAML_AGGREGATE_H
#define KONTOR_SAML_AGGREGATE_H

#include "saml/xmlsig.h"

enum saml_role {
	SAML_ROLE_IDP = 1 << 0,
	SAML_ROLE_SP = 1 << 1,
	SAML_ROLE_ATTRIBUTE = 1 << 2, /* an attribute authority */
};

/* An attribute of an entity that is looked for (SAML2MetadataAttr 2.1), by its Name. */
struct saml_mark {
	const char *name, *value;
};
#define SAML_MARKS_MOST      32

#define SAML_ENTITY_ID_BYTES 1024

/*
 * What is said of an identity provider to people: mdui:DisplayName of its role, and
 * OrganizationDisplayName of the role and of the entity, each + 0 in German, + 1 in English, + 2
 * the first one of any language; and mdui:Keywords; and each shibmd:Scope of the role.
 */
enum saml_said {
	SAML_SAID_NAME = 0,
	SAML_SAID_ROLE_ORGANIZATION = 3,
	SAML_SAID_ORGANIZATION = 6,
	SAML_SAID_KEYWORDS = 9,
	SAML_SAID_SCOPES = 17, /* 8 languages of keywords; the rest is not looked for */
	SAML_SAID_MOST = 25,   /* nor are more scopes: n_scopes tells */
};

struct saml_entity {
	const char *entity_id; /* 1..1024 octets */
	const char *registrar; /* mdrpi:RegistrationInfo/@registrationAuthority; "" if none */
	unsigned roles;        /* enum saml_role */
	uint32_t marks;        /* bit i: it has marks[i] */
	time_t valid_until;    /* the earliest of its own and those of its groups; 0: none */
	int64_t cache_s;       /* likewise the shortest cacheDuration; -1: none */
	struct bytes text;     /* the EntityDescriptor as a document */
	/* By enum saml_said, pieces of text for saml_said_text; p NULL: that is not said. */
	struct bytes said[SAML_SAID_MOST];
	/* Where its identity provider is asked: the first of its https locations by Redirect, and
	 * by POST; "": none, or one that is longer than 511 octets. */
	const char *sso[2];
	unsigned n_scopes; /* how many there are */
};
#define SAML_SCOPES_MOST (SAML_SAID_MOST - SAML_SAID_SCOPES)

/* As it reads, without white space around it. */
const char *saml_said_text(struct arena *a, struct bytes said);

struct saml_aggregate_options {
	struct saml_keys keys; /* who may have signed */
	size_t max_bytes, max_entities, max_entity_bytes;
	const struct saml_mark *marks; /* at most SAML_MARKS_MOST */
	size_t n_marks;
	/* Each entity, in the document's order; false with err ends the reading. */
	bool (*entity)(void *ctx, const struct saml_entity *e, struct err *err);
	/*
	 * What stands before, between and behind the entities, likewise; NULL: nobody wants it.
	 * All of this and the entities' texts, joined in the order they are told in, are an
	 * aggregate again: the same signature is over it, and the same is told of it.
	 */
	bool (*around)(void *ctx, struct bytes octets, struct err *err);
	void *ctx;
};

struct saml_aggregate_info {
	const char *name;   /* EntitiesDescriptor/@Name; "" if none */
	const char *id;     /* of the root */
	time_t valid_until; /* of the root; 0: none */
	size_t n_entities;
	size_t key;          /* which of the keys signed it */
	struct bytes digest; /* of the content, as it is signed; in the arena */
	const struct saml_suite *suite;
};

/* The root of a document, as far as it can be read, is an EntitiesDescriptor. */
bool saml_is_aggregate(struct arena *a, struct bytes text);

struct saml_aggregate; /* lives in its arena */

/* *o outlives the reading. */
struct saml_aggregate *saml_aggregate_begin(struct arena *a,
					    const struct saml_aggregate_options *o);

/*
 * The next octets, in pieces of any size.  ERR_INPUT: not signed metadata of this shape, or a
 * cap is passed; ERR_DENIED: nobody of `keys` signed it; else what `entity` said.
 */
MUST_USE bool saml_aggregate_add(struct saml_aggregate *g, struct bytes piece, struct err *err);

/* One of `keys` signed it, as far as it has been read; what, is known at the end. */
bool saml_aggregate_is_signed(const struct saml_aggregate *g);

/* It is whole; ERR_DENIED: its content is not what was signed. */
MUST_USE bool saml_aggregate_end(struct saml_aggregate *g, struct saml_aggregate_info *out,
				 struct err *err);

#endif
