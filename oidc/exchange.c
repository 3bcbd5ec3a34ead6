/* Requests for token exchange; see exchange.h. */
#include "oidc/exchange.h"

#include "base/text.h"
#include "oidc/access_token.h"
#include "oidc/error.h"
#include "oidc/redirect.h"
#include "oidc/token.h"

#define TOKEN_MAX_BYTES (16 * 1024)
#define TYPE_MAX_BYTES  128
#define TARGETS_MAX     16
#define ACT_MAX_BYTES   8192

/* 2.1: those that may come again; empty ones are absent. */
static bool
parse_targets(struct arena *a, const struct params *form, const char *name, struct oidc_strs *out,
	      struct err *err)
{
	const char **s = ARENA_ARRAY(a, const char *, TARGETS_MAX);
	size_t n = 0;

	for (size_t i = 0; i < form->n; i++) {
		struct params one = {&form->p[i], 1};
		const char *value;

		if (!oidc_param(&one, name, OIDC_URI_MAX_BYTES, &value, err))
			return false;
		if (value == NULL)
			continue;
		if (n == TARGETS_MAX)
			return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "too many of %s", name);
		s[n++] = value;
	}
	*out = (struct oidc_strs){s, n};
	return true;
}

/* A token, and its type, which is there when the token is. */
static bool
parse_token(const struct params *form, const char *name, const char *type_name, const char **out,
	    struct err *err)
{
	const char *type;

	if (!oidc_param(form, name, TOKEN_MAX_BYTES, out, err) ||
	    !oidc_param(form, type_name, TYPE_MAX_BYTES, &type, err))
		return false;
	if ((*out == NULL) != (type == NULL))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "%s and its type go together",
			    name);
	if (type == NULL || text_eq(type, OIDC_TYPE_ACCESS))
		return true;
	if (!text_eq(type, OIDC_TYPE_JWT) || !oidc_access_token_is_jwt(*out))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "%s: a type that is not taken, or not its own", name);
	return true;
}

bool
oidc_exchange_parse(struct arena *a, const struct params *form, struct oidc_exchange *out,
		    struct err *err)
{
	struct oidc_exchange x;

	if (!parse_token(form, "subject_token", "subject_token_type", &x.subject_token, err) ||
	    !parse_token(form, "actor_token", "actor_token_type", &x.actor_token, err) ||
	    !oidc_param(form, "requested_token_type", TYPE_MAX_BYTES, &x.wanted, err) ||
	    !parse_targets(a, form, "resource", &x.resources, err) ||
	    !parse_targets(a, form, "audience", &x.audiences, err) ||
	    !oidc_param_words(a, form, "scope", OIDC_SCOPES_MAX, &x.scopes, err))
		return false;
	if (x.subject_token == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "subject_token is missing");
	if (x.wanted == NULL)
		x.wanted = OIDC_TYPE_ACCESS;
	if (!text_eq(x.wanted, OIDC_TYPE_ACCESS) && !text_eq(x.wanted, OIDC_TYPE_JWT))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "requested_token_type: not one that is given");
	*out = x;
	return true;
}

bool
oidc_exchange_act(struct arena *a, const char *actor, const char *before, const char **out,
		  struct err *err)
{
	json_t *o = json_new_object(a), *was = NULL;
	size_t n = 1;

	if (before != NULL && !json_parse_object(a, bytes_of(before), ACT_MAX_BYTES, &was, err))
		return false;
	for (const json_t *v = was; v != NULL; v = json_object_get(v, "act"))
		n++;
	if (n > OIDC_ACTORS_MAX)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_REQUEST, "a chain of too many actors");
	json_put_str(a, o, "sub", actor);
	if (was != NULL)
		json_put(a, o, "act", was);
	*out = json_text(a, o, false);
	return true;
}
