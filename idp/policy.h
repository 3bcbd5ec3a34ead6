/*
 * What the operator laid down for a party when registering it: the least level,
 * attributes, sector, signature suite and so on.  One table names every key; the
 * command line, the stored JSON and the manual page follow it.
 */
#ifndef KONTOR_IDP_POLICY_H
#define KONTOR_IDP_POLICY_H

#include "base/json.h"
#include "idp/release.h"
#include "idp/vocabulary.h"
#include "keys/key_ops.h"
#include "saml/extensions.h"
#include "saml/nameid.h"
#include "saml/xmlenc.h"

enum policy_encrypt { ENCRYPT_AUTO, ENCRYPT_NEVER, ENCRYPT_ALWAYS };
enum policy_create { CREATE_ASKED, CREATE_ALWAYS };
enum policy_consent { CONSENT_CHANGED, CONSENT_ALWAYS };

/* A word of the party's own for a level, in requests and in answers. */
struct level_word {
	const char *word;
	enum level level;
};

struct policy {
	enum level level;     /* least level of every login; LEVEL_NONE: what the request asks */
	enum level level_cap; /* nothing above it is told to this party */
	bool capped;          /* by its own record; else level_cap is the default */
	struct wanted_list attributes;   /* registered; nothing else ever goes out */
	bool own_attributes;             /* by its own record; else its metadata or scopes say */
	const char *sector;              /* registered name; NULL: the party's own default */
	enum sig_alg suite;              /* SIG_NONE: the best that the party can */
	time_t old_until;                /* RSA PKCS#1 v1.5 counts before it; 0: never */
	enum xmlenc_content content;     /* 0: the best that the party can */
	enum xmlenc_transport transport; /* 0: likewise */
	enum level_vocabulary vocabulary;
	const struct level_word *level_words; /* before those of the vocabulary */
	size_t n_level_words;
	const char *sso_group; /* sessions of this group are taken; NULL: never, each login anew */
	enum policy_consent consent;
	enum policy_encrypt encrypt; /* SAML assertions; AUTO: when the party has a key */
	unsigned nameid_formats;   /* enum saml_nameid_format: how it may be told who somebody is */
	enum policy_create create; /* of a persistent NameID; see the table */
	enum saml_akdb_rule akdb;  /* of BundID's extension in its requests */
	enum vocabulary names;     /* of attributes; VOCABULARY_COUNT: its metadata says */
	bool subject_id;           /* may get an identifier that others get as well */
	bool unsolicited;          /* SAML answers that it did not ask for */
	bool query;                /* SAML attribute queries, without a login */
	bool ecp;                  /* SAML sign-on by clients without a browser */
	bool accept_unsigned;      /* SAML requests without any signature */
	bool tell_address;         /* the browser's, in SAML assertions */
	bool level_attributes;     /* also send levels as an attribute/claim of their own */
	bool home_accounts;        /* people may come with an account of another provider */
	const char *purpose_de, *purpose_en; /* shown at consent; NULL: none */
	const char *home_url;                /* where "back to the portal" leads; NULL: nowhere */
};

/*
 * Read the stored JSON object.  Missing keys take their defaults; an unknown
 * key, a word that is none, an unknown attribute is ERR_INPUT and named.
 */
MUST_USE bool policy_parse(struct arena *a, const char *json, struct policy *out, struct err *err);

/* One key of the table, for the command line ("--level") and the manual. */
struct policy_key {
	const char *name;     /* as in JSON and after "--" */
	const char *argument; /* "LEVEL", "yes|no" */
	const char *fallback; /* in words */
	const char *sentence;
	bool repeatable;
	bool (*read)(struct arena *a, const json_t *v, struct policy *p, struct err *err);
};

extern const struct policy_key policy_keys[]; /* ends with a NULL name */

/*
 * Set one key in the JSON object from its command-line text; repeatable keys
 * add.  ERR_INPUT: unknown key.  The value is judged by policy_parse.
 */
MUST_USE bool policy_put(struct arena *a, json_t *policy, const char *key, const char *text,
			 struct err *err);

#endif
