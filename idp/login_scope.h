/*
 * Scopes that say who has to log in, and how surely, for portals that know no acr: the words of
 * brokers that cities run.  They demand, where acr_values only wish; what was met is in the scope
 * of the token's answer.
 */
#ifndef KONTOR_IDP_LOGIN_SCOPE_H
#define KONTOR_IDP_LOGIN_SCOPE_H

#include "idp/level.h"
#include "oidc/param.h"

#define LOGIN_SCOPES_MAX 7

/* Append the words; can_be_met: those alone that some login meets. */
void login_scope_words(bool can_be_met, const char **words, size_t *n);

/* The level that they demand; LEVEL_NONE: none.  The highest, as each of them is to be met. */
enum level login_scope_least(struct oidc_strs scopes);

/* Is the account of a person what they ask for?  Who names several kinds takes any of them. */
bool login_scope_is_for_persons(struct oidc_strs scopes);

/* Is it a kind that a person's account is not? */
bool login_scope_is_of_others(const char *scope);

#endif
