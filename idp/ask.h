/* An ask as a flow row keeps it: JSON of names only, so that any node and any release reads it. */
#ifndef KONTOR_IDP_ASK_H
#define KONTOR_IDP_ASK_H

#include "idp/front.h"

/* Attributes one request may name; a front refuses more, ask_read reads no more. */
#define ASK_NAMES_MAX 64

/* Compact JSON. */
struct bytes ask_write(struct arena *a, const struct ask *ask);

/*
 * The reverse, among registered parties alone.  A party that is gone or disabled, a front or an
 * attribute that is no longer known: ERR_NOT_FOUND.
 */
MUST_USE bool ask_read(struct arena *a, struct bytes json, const struct parties *parties,
		       struct ask *out, struct err *err);

/* The same, also of members of federations: errors of party_find_member are further ones. */
MUST_USE bool ask_load(struct request *rq, struct bytes json, struct ask *out, struct err *err);

#endif
