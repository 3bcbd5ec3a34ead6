/* Authorization requests; see authorize.h. */
#include "oidc/authorize.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "oidc/error.h"
#include "oidc/pkce.h"
#include "oidc/redirect.h"

#define ID_MAX_BYTES    256
#define STATE_MAX_BYTES 2048
#define NONCE_MAX_BYTES 512
#define WORD_MAX_BYTES  128
#define TOKEN_MAX_BYTES (16 * 1024)
#define JSON_MAX_BYTES  (8 * 1024)
#define WORDS_MAX       32
#define MAX_AGE_LIMIT_S (365 * 86400)

bool
oidc_authorize_start(const struct params *ps, struct oidc_start *out, struct err *err)
{
	struct oidc_start s;

	if (!oidc_param(ps, "client_id", ID_MAX_BYTES, &s.client_id, err) ||
	    !oidc_param(ps, "redirect_uri", OIDC_URI_MAX_BYTES, &s.redirect_uri, err) ||
	    !oidc_param(ps, "state", STATE_MAX_BYTES, &s.state, err) ||
	    !oidc_param(ps, "response_type", WORD_MAX_BYTES, &s.type, err) ||
	    !oidc_param(ps, "response_mode", WORD_MAX_BYTES, &s.mode, err))
		return false;
	if (s.client_id == NULL || s.redirect_uri == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "client_id or redirect_uri is missing");
	s.way = oidc_way_of(s.type, s.mode);
	*out = s;
	return true;
}

/* Ways to ask that we do not offer; to ignore them would be to answer another question. */
static bool
check_unsupported(const struct params *ps, struct err *err)
{
	static const struct {
		const char *name, *proto;
	} rows[] = {
		{"request_uri", OIDC_REQUEST_URI_NOT_SUPPORTED},
		{"registration", OIDC_REGISTRATION_NOT_SUPPORTED},
	};
	const char *value;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (params_find(ps, rows[i].name, &value) > 0 && *value != '\0')
			return FAIL(err, ERR_INPUT, rows[i].proto, "%s is not supported",
				    rows[i].name);
	return true;
}

/* Core 3.3.2.11: what comes by the browser is bound to the request that asked for it. */
static bool
parse_answer(const struct params *ps, const struct oidc_client *client, const char **nonce,
	     struct err *err)
{
	const char *type, *mode;

	if (!oidc_param(ps, "response_type", WORD_MAX_BYTES, &type, err) ||
	    !oidc_param(ps, "response_mode", WORD_MAX_BYTES, &mode, err) ||
	    !oidc_way_check(type, mode, client->response_types, err) ||
	    !oidc_param(ps, "nonce", NONCE_MAX_BYTES, nonce, err))
		return false;
	if (*nonce == NULL && oidc_type_of(type) == OIDC_TYPE_CODE_ID_TOKEN)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "an ID token without nonce");
	return true;
}

/*
 * RFC 6749 3.3: we may grant less than was asked.  Without openid it is a request for a token for a
 * service, which is of use to whom may have some.
 */
bool
oidc_authorize_scopes(struct arena *a, const struct params *ps, const struct oidc_client *client,
		      struct oidc_strs *out, struct err *err)
{
	struct oidc_strs asked;

	if (!oidc_param_words(a, ps, "scope", WORDS_MAX, &asked, err))
		return false;
	if (!oidc_strs_have(asked, "openid") &&
	    ((client->profile->checks & OIDC_CHECK_OPENID) != 0 || client->resources.n == 0))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_SCOPE, "scope without openid");
	const char **granted = ARENA_ARRAY(a, const char *, client->scopes.n);
	size_t n = 0;

	for (size_t i = 0; i < client->scopes.n; i++)
		if (oidc_strs_have(asked, client->scopes.s[i]))
			granted[n++] = client->scopes.s[i];
	*out = (struct oidc_strs){granted, n};
	return n > 0 ||
	       FAIL(err, ERR_INPUT, OIDC_INVALID_SCOPE, "no scope that the client may have");
}

/* An ID token is told who asks for openid (Core 3.1.2.1). */
static bool
check_plain(const struct params *ps, struct oidc_strs scopes, struct err *err)
{
	const char *type;

	if (!oidc_param(ps, "response_type", WORD_MAX_BYTES, &type, err))
		return false;
	return oidc_strs_have(scopes, "openid") || oidc_type_of(type) == OIDC_TYPE_CODE ||
	       FAIL(err, ERR_INPUT, OIDC_INVALID_SCOPE, "an ID token without openid");
}

/* Who cannot prove itself proves at least that it is who asked. */
static bool
parse_pkce(const struct params *ps, const struct oidc_client *client, const char **challenge,
	   struct err *err)
{
	bool demanded = client->auth_method == OIDC_AUTH_PUBLIC ||
			(client->profile->checks & OIDC_CHECK_PKCE) != 0;
	const char *method;

	return oidc_param(ps, "code_challenge", WORD_MAX_BYTES, challenge, err) &&
	       oidc_param(ps, "code_challenge_method", WORD_MAX_BYTES, &method, err) &&
	       oidc_pkce_check_challenge(*challenge, method, demanded, err);
}

static unsigned
prompt_of(const char *word)
{
	static const struct {
		const char *word;
		enum oidc_prompt prompt;
	} rows[] = {
		{"none", OIDC_PROMPT_NONE},       {"login", OIDC_PROMPT_LOGIN},
		{"consent", OIDC_PROMPT_CONSENT}, {"select_account", OIDC_PROMPT_SELECT_ACCOUNT},
		{"create", OIDC_PROMPT_CREATE},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].word, word) == 0)
			return rows[i].prompt;
	return 0;
}

static bool
parse_prompt(struct arena *a, const struct params *ps, unsigned *out, struct err *err)
{
	struct oidc_strs words;
	unsigned prompt = 0;

	if (!oidc_param_words(a, ps, "prompt", WORDS_MAX, &words, err))
		return false;
	for (size_t i = 0; i < words.n; i++) {
		unsigned one = prompt_of(words.s[i]);

		if (one == 0)
			return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "unknown prompt");
		prompt |= one;
	}
	/* User Registration 1.0, 4: who has no account yet has nothing to choose or to prove. */
	if ((prompt & (OIDC_PROMPT_NONE | OIDC_PROMPT_CREATE)) != 0 && words.n > 1)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "prompt none or create with another");
	*out = prompt;
	return true;
}

static bool
parse_max_age(const struct params *ps, const struct oidc_client *client, int64_t *out,
	      struct err *err)
{
	const char *text;
	uint64_t s;

	if (!oidc_param(ps, "max_age", WORD_MAX_BYTES, &text, err))
		return false;
	if (text == NULL) {
		*out = client->default_max_age_s;
		return true;
	}
	if (!text_to_u64(text, MAX_AGE_LIMIT_S, &s))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "max_age is no number of seconds");
	*out = (int64_t)s;
	return true;
}

/* Core 5.5.1.1: only the claims parameter can make acr essential; acr_values never does. */
static bool
parse_acr(struct arena *a, const struct params *ps, const struct oidc_client *client,
	  struct oidc_authorize *rq, struct err *err)
{
	struct oidc_strs values;

	if (!oidc_param_words(a, ps, "acr_values", OIDC_ACR_MAX, &values, err))
		return false;
	rq->acr = rq->claims.acr.n > 0 ? rq->claims.acr
		  : values.n > 0       ? values
				       : client->default_acr_values;
	rq->acr_essential = rq->claims.acr_essential;
	return true;
}

static bool
parse_claims(struct arena *a, const struct params *ps, struct oidc_claims *out, struct err *err)
{
	const char *text;

	return oidc_param_text(ps, "claims", JSON_MAX_BYTES, &text, err) &&
	       (text == NULL || oidc_claims_parse(a, text, out, err));
}

/* Several may be asked for; which one a token is for is said where it is given. */
bool
oidc_authorize_resources(struct arena *a, const struct params *ps, const struct oidc_client *client,
			 struct oidc_strs *out, struct err *err)
{
	const char **s = ARENA_ARRAY(a, const char *, client->resources.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < ps->n; i++) {
		const char *uri = ps->p[i].value;

		if (strcmp(ps->p[i].name, "resource") != 0 || *uri == '\0' ||
		    oidc_strs_have((struct oidc_strs){s, n}, uri))
			continue;
		if (!oidc_strs_have(client->resources, uri))
			return FAIL(err, ERR_INPUT, OIDC_INVALID_TARGET,
				    "a resource that is not the client's");
		s[n++] = uri;
	}
	*out = (struct oidc_strs){s, n};
	return true;
}

/* RFC 9449 10: the base64url of a SHA-256. */
static bool
parse_key(struct arena *a, const struct params *ps, const char **jkt, struct err *err)
{
	struct bytes digest;

	if (!oidc_param(ps, "dpop_jkt", WORD_MAX_BYTES, jkt, err))
		return false;
	if (*jkt != NULL && (!dec_base64url(a, bytes_of(*jkt), &digest, NULL) || digest.n != 32))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "dpop_jkt is no thumbprint");
	return true;
}

/* AARC-G061 3.1, of hints that are nested the outermost; Keycloak's name for it serves too. */
static bool
parse_idp_hint(struct arena *a, const struct params *ps, const char **out, struct err *err)
{
	const char *nested;

	if (!oidc_param(ps, "aarc_idp_hint", ID_MAX_BYTES, out, err) ||
	    (*out == NULL && !oidc_param(ps, "kc_idp_hint", ID_MAX_BYTES, out, err)))
		return false;
	nested = *out == NULL ? NULL : strstr(*out, "?aarc_idp_hint=");
	if (nested != NULL)
		*out = arena_strndup(a, *out, (size_t)(nested - *out));
	return true;
}

bool
oidc_authorize_parse(struct arena *a, const struct params *ps, const struct oidc_client *client,
		     struct oidc_authorize *out, struct err *err)
{
	struct oidc_authorize rq = {0};

	if (!check_unsupported(ps, err) || !parse_answer(ps, client, &rq.nonce, err) ||
	    !oidc_authorize_scopes(a, ps, client, &rq.scopes, err) ||
	    !check_plain(ps, rq.scopes, err) || !parse_pkce(ps, client, &rq.challenge, err) ||
	    !parse_prompt(a, ps, &rq.prompt, err) ||
	    !parse_max_age(ps, client, &rq.max_age_s, err) ||
	    !parse_claims(a, ps, &rq.claims, err) || !parse_acr(a, ps, client, &rq, err) ||
	    !oidc_param_text(ps, "login_hint", ID_MAX_BYTES, &rq.login_hint, err) ||
	    !oidc_param(ps, "id_token_hint", TOKEN_MAX_BYTES, &rq.id_token_hint, err) ||
	    !parse_idp_hint(a, ps, &rq.idp_hint, err) ||
	    !oidc_param_words(a, ps, "ui_locales", WORDS_MAX, &rq.ui_locales, err) ||
	    !oidc_authorize_resources(a, ps, client, &rq.resources, err) ||
	    !parse_key(a, ps, &rq.dpop_jkt, err))
		return false;
	*out = rq;
	return true;
}
