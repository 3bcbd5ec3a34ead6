/*
 * What a portal asks for beside a person's data: access to other services in the person's name.
 * Shown with the data, agreed to with them, and kept with the consent by names, so that more than
 * was agreed to asks again.
 */
#ifndef KONTOR_IDP_ACCESS_H
#define KONTOR_IDP_ACCESS_H

#include "idp/front.h"

/*
 * *out becomes the `access` of an ask: the resources that are asked for, else those of the party's
 * that one of the scopes is of.  NULL: none.  ERR_INPUT, invalid_target: one that nobody is.
 */
MUST_USE bool access_ask(struct request *rq, const struct party *p, struct oidc_strs resources,
			 struct oidc_strs scopes, json_t **out, struct err *err);

/* Add authorization details (NULL: none) to it, and whether one of them is asked for each time. */
void access_add_details(struct request *rq, const json_t *details, json_t **access,
			bool *each_time);

/* The authorization details of an `access`; NULL: none. */
json_t *access_details(struct arena *a, const json_t *access);

/* Append the names that a consent keeps of it; access NULL: none. */
void access_put_names(struct arena *a, const json_t *access, json_t *names);

/* Are all of them among the n names of a consent? */
bool access_agreed(struct arena *a, const json_t *access, const char *const *names, size_t n);

/* Rows of the consent page; an empty list for nothing. */
json_t *access_rows(struct request *rq, const json_t *access);

/* A name that a consent keeps, as the account page tells it; NULL: it is one of an attribute. */
const char *access_told(struct request *rq, const char *name);

#endif
