/*
 * What will happen with a SAML party: which endpoints, signature, encryption, names
 * and attributes it gets, by the same tables and choices that its answers are made by.
 */
#ifndef KONTOR_IDP_PARTY_CHECK_H
#define KONTOR_IDP_PARTY_CHECK_H

#include "idp/party.h"
#include "saml/metadata_check.h"

/* A line for people. */
struct party_work {
	const char *what; /* "signature"; static */
	const char *text;
};

struct party_works {
	const struct party_work *p;
	size_t n;
};

/* `p` is a SAML party; as if we had a key of every type. */
struct party_works party_works(struct arena *a, const struct party *p, time_t now);

/* "error", "warning", "note", "ok". */
const char *party_severity_word(enum saml_severity severity);

/* Findings as lines "warning: valid-until: text (clause)", and in `o` as an array. */
void party_tell_findings(struct arena *a, const struct saml_checked *checked, json_t *o,
			 struct buf *text);

#endif
