/*
 * A client: its registered metadata (RFC 7591, OpenID Connect Registration 2),
 * read into an immutable struct and written back as the registered record.
 * One table of members serves both ways.  How a client becomes registered, and
 * what else the operator lays down for it, is idp/'s business.
 */
#ifndef KONTOR_OIDC_CLIENT_H
#define KONTOR_OIDC_CLIENT_H

#include "base/hash.h"
#include "oidc/jwk.h"
#include "oidc/param.h"
#include "oidc/profile.h"
#include "oidc/way.h"

#define OIDC_CLIENT_MAX_BYTES (64 * 1024)

/*
 * How a client proves itself (RFC 7591 2).  Zero is "not at all": refused everywhere.
 * A public client proves nothing but that it has the code's verifier (RFC 6749 2.1).
 */
enum oidc_auth_method {
	OIDC_AUTH_NONE = 0,
	OIDC_AUTH_BASIC,           /* client_secret_basic */
	OIDC_AUTH_POST,            /* client_secret_post */
	OIDC_AUTH_PRIVATE_KEY,     /* private_key_jwt */
	OIDC_AUTH_SECRET_JWT,      /* client_secret_jwt: HS256 */
	OIDC_AUTH_PUBLIC,          /* none */
	OIDC_AUTH_TLS,             /* tls_client_auth (RFC 8705 2.1) */
	OIDC_AUTH_SELF_SIGNED_TLS, /* self_signed_tls_client_auth (RFC 8705 2.2) */
};

/* By which name a certificate is the client's (RFC 8705 2.1.2); NULL but for one. */
struct oidc_tls_names {
	const char *subject_dn; /* RFC 4514, compared as it stands */
	const char *san_dns, *san_uri, *san_ip, *san_email;
};

enum oidc_application {
	OIDC_APPLICATION_WEB = 0,
	OIDC_APPLICATION_NATIVE = 1, /* on a person's own device (RFC 8252) */
};

/* Where the audience of a client's assertions may point. */
enum oidc_audience {
	OIDC_AUDIENCE_ISSUER = 0,
	OIDC_AUDIENCE_TOKEN_ENDPOINT = 1, /* a written exception for one client */
};

/* Which refresh tokens a client gets whose grant_types have refresh_token. */
enum oidc_refresh {
	OIDC_REFRESH_OFFLINE = 0, /* where offline_access was agreed to (Core 11) */
	OIDC_REFRESH_SESSION = 1, /* else one that ends with the person's session at us */
};

/* How a client hears that a person has answered (CIBA Core 1.0, 5); push is not offered. */
enum oidc_delivery {
	OIDC_DELIVERY_NONE = 0, /* it asks for nobody there */
	OIDC_DELIVERY_POLL,
	OIDC_DELIVERY_PING,
};

/* What an access token for a resource is to it. */
enum oidc_token_format {
	OIDC_TOKEN_OPAQUE = 0, /* a name, to be introspected */
	OIDC_TOKEN_JWT = 1,    /* RFC 9068 */
};

/* What a client that may exchange tokens is in those that it gets. */
enum oidc_exchanger {
	OIDC_EXCHANGER_ACTS = 0,         /* who acts for the person: the claim act names it */
	OIDC_EXCHANGER_IMPERSONATES = 1, /* not to be told from the person */
};

/* By which names a client knows people (Core 8). */
enum oidc_subject_type {
	OIDC_SUBJECT_PAIRWISE = 0, /* one in each sector */
	OIDC_SUBJECT_PUBLIC = 1,   /* the same as every other client that has this */
};

/* A text for people, perhaps in a language (RFC 7591 2.2: "client_name#de"). */
struct oidc_text {
	const char *member; /* "client_name" */
	const char *lang;   /* "" if untagged */
	const char *text;
};

/* How an answer is encrypted; alg OIDC_JWE_ALG_NONE: not at all. */
struct oidc_encryption {
	enum oidc_jwe_alg alg;
	enum oidc_jwe_enc enc;
};

struct oidc_client {
	const char *client_id;              /* 1..256 visible ASCII characters */
	const struct oidc_profile *profile; /* never NULL */
	enum oidc_application application;
	struct oidc_strs redirect_uris; /* n 0: a client that nobody logs in at */
	struct oidc_strs post_logout_redirect_uris;
	struct oidc_strs grant_types;
	enum oidc_refresh refresh;
	const char *backchannel_logout_uri;  /* NULL if absent */
	const char *frontchannel_logout_uri; /* likewise; of an origin of redirect_uris */
	bool backchannel_logout_session_required, frontchannel_logout_session_required;
	/* A resource server: what its URIs are, which scopes it has, what tokens for it look like.
	 */
	struct oidc_strs resource_uris, resource_scopes; /* n 0: none */
	enum oidc_token_format access_token_format;
	bool dpop_bound;            /* dpop_bound_access_tokens (RFC 9449 5.2) */
	struct oidc_strs resources; /* URIs of others that it may ask tokens for (RFC 8707) */
	enum oidc_exchanger exchanger;
	struct oidc_strs may_act; /* clients that may exchange tokens which this one was given */
	struct oidc_strs
		details_types; /* of authorization details that it may ask for (RFC 9396 10) */
	enum oidc_auth_method auth_method;
	enum oidc_alg auth_alg; /* OIDC_ALG_NONE: the alg of each of its keys */
	enum oidc_audience assertion_audience;
	struct oidc_tls_names tls; /* for tls_client_auth */
	bool tls_bound;            /* its access tokens are bound to its certificate (RFC 8705 3) */
	struct oidc_jwks jwks;     /* n 0: none known */
	const json_t *jwks_json;   /* NULL: they are elsewhere, or nowhere */
	const char *jwks_uri;      /* NULL if absent; see oidc_client_take_keys */
	/* n 0: none.  Not metadata: set by who loads the client. */
	struct bytes secret_sha256; /* for client_secret_basic and client_secret_post */
	struct bytes secret_sealed; /* for client_secret_jwt; see struct oidc_mac */
	struct oidc_strs scopes;    /* openid among them */
	enum oidc_alg id_token_alg, userinfo_alg; /* userinfo: OIDC_ALG_NONE: plain JSON */
	struct oidc_encryption id_token_encryption, userinfo_encryption;
	enum oidc_subject_type subject_type;
	const char *sector_identifier_uri; /* NULL if absent */
	const char *sector_host;           /* what it proposes as sector; never NULL: the host of
					      its URIs, or for want of one a name of its own */
	int64_t default_max_age_s;         /* -1 if absent */
	bool require_auth_time;
	unsigned response_types;    /* of enum oidc_type */
	enum oidc_alg response_alg; /* of authorization responses that are signed (JARM 3) */
	struct oidc_encryption response_encryption; /* of them */
	enum oidc_alg request_object_alg;           /* OIDC_ALG_NONE: the alg of each of its keys */
	struct oidc_encryption request_encryption;  /* what it may encrypt them with */
	enum oidc_alg introspection_alg; /* of signed introspection; OIDC_ALG_NONE: id_token_alg */
	enum oidc_delivery delivery;     /* of answers to CIBA requests */
	const char *notification_uri;    /* of ping; NULL if absent */
	enum oidc_alg ciba_request_alg;  /* OIDC_ALG_NONE: its CIBA requests are not signed */
	bool require_signed_request;     /* RFC 9101 10.5 */
	bool require_pushed;             /* of authorization requests (RFC 9126 6) */
	struct oidc_strs default_acr_values, contacts;
	const struct oidc_text *texts;
	size_t n_texts;
};

/* What this server offers to all clients. */
struct oidc_client_rules {
	struct oidc_strs scopes;
	struct oidc_strs grant_types; /* beside the code's, which all have */
	bool fapi_unless_said;        /* new clients that name no profile: fapi2, not oauth */
};

/*
 * Read metadata.  new_id is the client_id if the document names none; it may
 * be NULL, then the document must.  *unknown lists the members we do not know
 * and do not keep.  ERR_INPUT with invalid_redirect_uri or
 * invalid_client_metadata, the text names the member.  Members that ask for a
 * protection we do not give (encryption, jwks_uri, signed requests, ...) are
 * refused rather than ignored, as is a record that contradicts its profile.
 */
MUST_USE bool oidc_client_parse(struct arena *a, struct bytes json, const char *new_id,
				const struct oidc_client_rules *rules, struct oidc_client **out,
				struct oidc_strs *unknown, struct err *err);

/*
 * What no single member can tell: that URIs, keys, ways of authentication, grants and the
 * profile go together (client_check.c).  Part of oidc_client_parse.
 */
MUST_USE bool oidc_client_check(const struct oidc_client_rules *rules, const struct oidc_client *c,
				struct err *err);

/* The part of it that is about the keys: does the profile take them? */
MUST_USE bool oidc_client_check_keys(const struct oidc_client *c, struct err *err);

/*
 * The keys of c are those of this key set, which its jwks_uri brought.  ERR_INPUT: it does not
 * read, or holds what c's profile does not take; c is as before.
 */
MUST_USE bool oidc_client_take_keys(struct arena *a, struct oidc_client *c, struct bytes json,
				    struct err *err);

/* May an answer go there?  One of its redirect URIs, octet by octet; see oidc_uri_is_loopback_of.
 */
bool oidc_client_redirects_to(const struct oidc_client *c, const char *uri);

/* The same for its post_logout_redirect_uris. */
bool oidc_client_leaves_to(const struct oidc_client *c, const char *uri);

/* Does it prove itself with a secret that we keep a hash of? */
bool oidc_client_has_password(const struct oidc_client *c);

/* Does it prove itself by its certificate? */
bool oidc_client_has_tls(const struct oidc_client *c);

/* The registered record as JSON: every member as it now holds, without the secret. */
json_t *oidc_client_build(struct arena *a, const struct oidc_client *c);

/* A text in this language, else untagged, else in any; NULL when there is none. */
const char *oidc_client_text(const struct oidc_client *c, const char *member, const char *lang);

/* Names of the methods and algorithms a client may register, for discovery; certificates: where
 * they are asked for. */
struct oidc_strs oidc_client_auth_methods(struct arena *a, bool certificates);
struct oidc_strs oidc_client_auth_algs(struct arena *a);
struct oidc_strs oidc_client_request_algs(struct arena *a);
struct oidc_strs oidc_client_id_token_algs(struct arena *a);
struct oidc_strs oidc_client_subject_types(struct arena *a);
struct oidc_strs oidc_client_jwe_algs(struct arena *a);
struct oidc_strs oidc_client_jwe_encs(struct arena *a);
struct oidc_strs oidc_client_delivery_modes(struct arena *a);

#endif
