/*
 * The members of a client's metadata as a table, which client.c writes by and client_read.c
 * reads by.  Nobody else's business; see client.h.
 */
#ifndef KONTOR_OIDC_CLIENT_MEMBER_H
#define KONTOR_OIDC_CLIENT_MEMBER_H

#include "oidc/client.h"

/* A word and the int that it stands for; rows end with a NULL word. */
struct oidc_choice {
	const char *word;
	int value;
};

enum oidc_member_type {
	M_CLIENT_ID, /* const char *, given by the caller if missing */
	M_URIS,      /* oidc_strs, judged by oidc_client_check */
	M_URI,       /* const char * */
	M_STR,       /* const char * */
	M_STRS,      /* oidc_strs */
	M_WORDS,     /* oidc_strs, in one text */
	M_LIST,      /* oidc_strs of what is offered; the row's word if it is missing */
	M_SECONDS,   /* int64_t */
	M_BOOL,      /* bool */
	M_PROFILE,   /* a row of oidc_profiles */
	M_CHOICE,    /* an enum; the first choice unless `optional` */
	M_KEYS,      /* jwks_json; the keys are read when their algorithm is known */
	M_TEXT,      /* a row of texts, with language tags */
	M_TEXT_URI,  /* likewise, https */
	M_TYPES,     /* unsigned, of enum oidc_type */
	M_REFUSED,   /* would promise something we do not do */
};

struct oidc_member {
	const char *name;
	enum oidc_member_type type;
	size_t offset; /* in struct oidc_client */
	size_t max;    /* items of a list */
	const struct oidc_choice *choices;
	bool optional;
	const char *fixed; /* M_LIST: what it holds if it is missing */
};

extern const struct oidc_member oidc_client_members[];
extern const size_t oidc_client_n_members;

#endif
