/* Client metadata read by the table of members; see client.h. */
#include <string.h>

#include "base/text.h"
#include "oidc/client.h"
#include "oidc/client_member.h"
#include "oidc/error.h"
#include "oidc/redirect.h"
#include "oidc/way.h"

#define CLIENT_ID_MAX_BYTES 256
#define TEXT_MAX_BYTES      512
#define TEXTS_MAX           64
#define LANG_MAX_BYTES      35 /* RFC 5646 4.4.1 */
#define MAX_AGE_LIMIT_S     (365 * 86400)

#define BAD(err, ...)       FAIL((err), ERR_INPUT, OIDC_INVALID_CLIENT_METADATA, __VA_ARGS__)

static void *
field(struct oidc_client *c, const struct oidc_member *m)
{
	return (char *)c + m->offset;
}

/* Text for people: UTF-8 by the JSON parser, without control characters. */
static bool
check_text(const char *name, const char *s, struct err *err)
{
	if (*s == '\0' || strlen(s) > TEXT_MAX_BYTES)
		return BAD(err, "%s: empty or too long", name);
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return BAD(err, "%s: control character", name);
	return true;
}

/* There, and neither null nor false, which say as much as nothing (RFC 7591 2). */
static bool
is_set(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return v != NULL && !json_is_null(v) && !json_is_false(v);
}

static bool
is_empty_list(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return json_is_array(v) && json_array_size(v) == 0;
}

static bool
parse_id(struct arena *a, const json_t *o, const char *new_id, const char **out, struct err *err)
{
	const char *id = new_id;

	if (!json_get_str(o, "client_id", &id, err))
		return false;
	if (id == NULL || !text_is_visible_ascii(id, CLIENT_ID_MAX_BYTES))
		return BAD(err, "client_id: missing, too long or not visible ASCII");
	*out = arena_strdup(a, id);
	return true;
}

static bool
parse_strs(struct arena *a, const json_t *o, const struct oidc_member *m, struct oidc_strs *out,
	   struct err *err)
{
	const char **s = NULL;
	size_t n = 0;

	if (!json_get_strs(a, o, m->name, m->max, &s, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (m->type != M_URIS && !check_text(m->name, s[i], err))
			return false;
	*out = (struct oidc_strs){s, n};
	return true;
}

/* Each once, and among what is offered; the row's own word always is. */
static bool
parse_list(struct arena *a, const json_t *o, const struct oidc_member *m, struct oidc_strs offered,
	   struct oidc_strs *out, struct err *err)
{
	const char **s = ARENA_ARRAY(a, const char *, 1);
	size_t n = 1;

	s[0] = m->fixed;
	if (json_is_array(json_object_get(o, m->name)) || is_set(o, m->name)) {
		n = 0;
		if (!json_get_strs(a, o, m->name, m->max, &s, &n, err))
			return false;
	}
	for (size_t i = 0; i < n; i++)
		if ((strcmp(s[i], m->fixed) != 0 && !oidc_strs_have(offered, s[i])) ||
		    oidc_strs_have((struct oidc_strs){s, i}, s[i]))
			return BAD(err, "%s: %s is not offered, or is there twice", m->name,
				   text_is_visible_ascii(s[i], 64) ? s[i] : "a value");
	*out = (struct oidc_strs){s, n};
	return true;
}

static bool
parse_words(struct arena *a, const json_t *o, const struct oidc_member *m, struct oidc_strs *out,
	    struct err *err)
{
	const char *text = "openid", **words;
	size_t n;

	if (!json_get_str(o, m->name, &text, err) || !check_text(m->name, text, err) ||
	    !text_words(a, text, m->max, &words, &n, err))
		return false;
	*out = (struct oidc_strs){words, n};
	return true;
}

/* Each once; the code if it is missing, and none at all where the list is empty. */
static bool
parse_types(struct arena *a, const json_t *o, const struct oidc_member *m, unsigned *out,
	    struct err *err)
{
	const char **s;
	size_t n;

	*out = 0;
	if (!is_set(o, m->name) && !json_is_array(json_object_get(o, m->name))) {
		*out = OIDC_TYPE_CODE;
		return true;
	}
	if (!json_get_strs(a, o, m->name, m->max, &s, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		enum oidc_type type = oidc_type_of(s[i]);

		if (type == 0 || (*out & type) != 0)
			return BAD(err, "%s: not one that is offered, or there twice", m->name);
		*out |= type;
	}
	return true;
}

static bool
parse_profile(const json_t *o, const struct oidc_member *m, const struct oidc_profile **out,
	      struct err *err)
{
	const char *name = NULL;

	if (!json_get_str(o, m->name, &name, err))
		return false;
	*out = oidc_profile_find(name);
	return name == NULL || *out != NULL || BAD(err, "%s: not a profile we know", m->name);
}

static bool
parse_choice(const json_t *o, const struct oidc_member *m, void *out, struct err *err)
{
	const char *word = m->optional ? NULL : m->choices[0].word;

	if (!json_get_str(o, m->name, &word, err))
		return false;
	if (word == NULL)
		return true;
	for (const struct oidc_choice *c = m->choices; c->word != NULL; c++)
		if (strcmp(c->word, word) == 0) {
			memcpy(out, &c->value, sizeof(c->value));
			return true;
		}
	return BAD(err, "%s: not a value we offer", m->name);
}

static bool
parse_uri(struct arena *a, const json_t *o, const struct oidc_member *m, const char **out,
	  struct err *err)
{
	const char *uri = NULL;

	if (!json_get_str(o, m->name, &uri, err))
		return false;
	if (uri != NULL && !oidc_uri_check(uri, false, NULL))
		return BAD(err, "%s: not an https URI", m->name);
	*out = arena_strdup(a, uri);
	return true;
}

static bool
parse_str(struct arena *a, const json_t *o, const struct oidc_member *m, const char **out,
	  struct err *err)
{
	const char *text = NULL;

	if (!json_get_str(o, m->name, &text, err) ||
	    (text != NULL && !check_text(m->name, text, err)))
		return false;
	*out = arena_strdup(a, text);
	return true;
}

static bool
parse_seconds(const json_t *o, const struct oidc_member *m, int64_t *out, struct err *err)
{
	int64_t s = -1;

	if (!json_get_i64(o, m->name, &s, err))
		return false;
	if (is_set(o, m->name) && (s < 0 || s > MAX_AGE_LIMIT_S))
		return BAD(err, "%s: out of range", m->name);
	*out = s;
	return true;
}

static bool
parse_member(struct arena *a, const json_t *o, const struct oidc_member *m, const char *new_id,
	     const struct oidc_client_rules *rules, struct oidc_client *c, struct err *err)
{
	void *out = field(c, m);

	switch (m->type) {
	case M_CLIENT_ID:
		return parse_id(a, o, new_id, out, err);
	case M_URIS:
	case M_STRS:
		return parse_strs(a, o, m, out, err);
	case M_URI:
		return parse_uri(a, o, m, out, err);
	case M_WORDS:
		return parse_words(a, o, m, out, err);
	case M_LIST:
		return parse_list(a, o, m, rules->grant_types, out, err);
	case M_STR:
		return parse_str(a, o, m, out, err);
	case M_SECONDS:
		return parse_seconds(o, m, out, err);
	case M_BOOL:
		return json_get_bool(o, m->name, out, err);
	case M_PROFILE:
		return parse_profile(o, m, out, err);
	case M_CHOICE:
		return parse_choice(o, m, out, err);
	case M_KEYS:
		return json_get_object(o, m->name, out, err);
	case M_TYPES:
		return parse_types(a, o, m, out, err);
	case M_REFUSED:
		/* an empty list says as much as nothing */
		return !is_set(o, m->name) || is_empty_list(o, m->name) ||
		       BAD(err, "%s: not supported", m->name);
	case M_TEXT:
	case M_TEXT_URI:
		break; /* parse_texts */
	}
	return true;
}

/* The row of a member name, its language tag (or "") split off; NULL if unknown. */
static const struct oidc_member *
member_of(const char *name, const char **lang)
{
	size_t n = strcspn(name, "#");

	*lang = name[n] == '#' ? name + n + 1 : "";
	for (size_t i = 0; i < oidc_client_n_members; i++) {
		const struct oidc_member *m = &oidc_client_members[i];
		bool tagged_ok = m->type == M_TEXT || m->type == M_TEXT_URI;

		if (strlen(m->name) == n && strncmp(m->name, name, n) == 0)
			return name[n] == '\0' || tagged_ok ? m : NULL;
	}
	return NULL;
}

static bool
is_language_tag(const char *s)
{
	return strlen(s) <= LANG_MAX_BYTES &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] ==
		       '\0';
}

static bool
parse_text(struct arena *a, const struct oidc_member *m, const char *lang, const json_t *v,
	   struct oidc_text *out, struct err *err)
{
	const char *text = json_string_value(v);

	if (text == NULL || !is_language_tag(lang))
		return BAD(err, "%s: not a text, or a bad language tag", m->name);
	if (m->type == M_TEXT_URI && !oidc_uri_check(text, false, NULL))
		return BAD(err, "%s: not an https URI", m->name);
	if (!check_text(m->name, text, err))
		return false;
	*out = (struct oidc_text){m->name, arena_strdup(a, lang), arena_strdup(a, text)};
	return true;
}

/* The members that are texts, and the names of those we do not know. */
static bool
parse_texts(struct arena *a, json_t *o, struct oidc_client *c, struct oidc_strs *unknown,
	    struct err *err)
{
	struct oidc_text *texts = ARENA_ARRAY(a, struct oidc_text, json_object_size(o));
	const char **names = ARENA_ARRAY(a, const char *, json_object_size(o));
	size_t n_texts = 0, n_names = 0;
	const char *name, *lang;
	json_t *v;

	json_object_foreach(o, name, v)
	{
		const struct oidc_member *m = member_of(name, &lang);

		if (m == NULL)
			names[n_names++] = arena_strdup(a, name);
		else if ((m->type == M_TEXT || m->type == M_TEXT_URI) &&
			 !parse_text(a, m, lang, v, &texts[n_texts++], err))
			return false;
	}
	if (n_texts > TEXTS_MAX)
		return BAD(err, "more than %d texts", TEXTS_MAX);
	c->texts = texts;
	c->n_texts = n_texts;
	*unknown = (struct oidc_strs){names, n_names};
	return true;
}

/*
 * OpenID Connect Registration 2, Core 8.1: the host of all URIs, or of the one that speaks for
 * them.  Loopback and schemes of their own are nobody's: who has only those is a sector alone.
 */
static void
find_sector(struct arena *a, struct oidc_client *c)
{
	const char *uri = c->sector_identifier_uri;

	if (uri == NULL && c->redirect_uris.n > 0 && text_starts(c->redirect_uris.s[0], "https://"))
		uri = c->redirect_uris.s[0];
	c->sector_host =
		uri == NULL ? arena_printf(a, "client:%s", c->client_id) : oidc_uri_host(a, uri);
}

/* Registration 2: enc needs alg, and has a default. */
static bool
check_encryption(const struct oidc_client *c, const char *of, struct oidc_encryption *e,
		 struct err *err)
{
	if (e->alg == OIDC_JWE_ALG_NONE)
		return e->enc == OIDC_ENC_NONE ||
		       BAD(err, "%s_encrypted_response_enc: without an alg", of);
	if (e->enc == OIDC_ENC_NONE)
		e->enc = OIDC_A128CBC_HS256;
	/* Those of a jwks_uri are judged when they come. */
	return (c->jwks_uri != NULL && c->jwks.n + c->jwks.n_enc == 0) ||
	       oidc_jwks_find_enc(&c->jwks, e->alg) != NULL ||
	       BAD(err, "jwks: no key to encrypt to with %s", oidc_jwe_alg_info(e->alg)->name);
}

/* Whoever takes what opens for what we said needs our signature in it. */
static bool
check_answers(struct oidc_client *c, struct err *err)
{
	if (c->userinfo_encryption.alg != OIDC_JWE_ALG_NONE && c->userinfo_alg == OIDC_ALG_NONE)
		return BAD(err, "userinfo_encrypted_response_alg: needs "
				"userinfo_signed_response_alg");
	/* What it may encrypt to us with; it need not (Registration 2). */
	if (c->request_encryption.enc != OIDC_ENC_NONE &&
	    c->request_encryption.alg == OIDC_JWE_ALG_NONE)
		return BAD(err, "request_object_encryption_enc: without an alg");
	if (c->request_encryption.alg != OIDC_JWE_ALG_NONE &&
	    c->request_encryption.enc == OIDC_ENC_NONE)
		c->request_encryption.enc = OIDC_A128CBC_HS256;
	return check_encryption(c, "id_token", &c->id_token_encryption, err) &&
	       check_encryption(c, "userinfo", &c->userinfo_encryption, err) &&
	       check_encryption(c, "authorization", &c->response_encryption, err);
}

/* Front-Channel Logout 1.0, 2: scheme, host and port are those of a redirect_uri. */
static bool
check_frontchannel(const struct oidc_client *c, struct err *err)
{
	const char *uri = c->frontchannel_logout_uri;

	for (size_t i = 0; uri != NULL && i < c->redirect_uris.n; i++)
		if (oidc_uri_same_origin(uri, c->redirect_uris.s[i]))
			return true;
	return uri == NULL ||
	       BAD(err, "frontchannel_logout_uri: not of the origin of a redirect_uri");
}

/* RFC 8707 2: absolute URIs without a fragment; scopes are words (RFC 6749 3.3). */
static bool
check_resources(const struct oidc_client *c, struct err *err)
{
	const struct oidc_strs lists[] = {c->resource_uris, c->resources};

	for (size_t k = 0; k < ARRAY_LEN(lists); k++)
		for (size_t i = 0; i < lists[k].n; i++)
			if (!oidc_uri_names_resource(lists[k].s[i]))
				return BAD(err,
					   "%s: not URIs (https, or a name as urn:) without a "
					   "fragment",
					   k == 0 ? "resource_uris" : "resources");
	for (size_t i = 0; i < c->resource_scopes.n; i++)
		if (strpbrk(c->resource_scopes.s[i], " \"\\") != NULL ||
		    !text_is_visible_ascii(c->resource_scopes.s[i], TEXT_MAX_BYTES))
			return BAD(err, "resource_scopes: not words");
	return c->resource_scopes.n == 0 || c->resource_uris.n > 0 ||
	       BAD(err, "resource_scopes: of no resource_uris");
}

static bool
read_keys(struct arena *a, const json_t *set, struct oidc_client *c, struct err *err)
{
	/* An RSA key that does not say its algorithm is for what the record says. */
	enum oidc_alg signs = c->auth_alg != OIDC_ALG_NONE             ? c->auth_alg
			      : c->request_object_alg != OIDC_ALG_NONE ? c->request_object_alg
								       : c->ciba_request_alg;
	bool rsa = oidc_alg_info(signs)->key == OIDC_KEY_RSA;

	return oidc_jwks_parse(a, set, rsa ? signs : OIDC_ALG_NONE, &c->jwks, err);
}

bool
oidc_client_take_keys(struct arena *a, struct oidc_client *c, struct bytes json, struct err *err)
{
	struct oidc_client with = *c;
	json_t *set;

	if (!json_parse_object(a, json, OIDC_JWKS_MAX_BYTES, &set, err) ||
	    !read_keys(a, set, &with, err) || !check_answers(&with, err) ||
	    !oidc_client_check_keys(&with, err))
		return false;
	*c = with;
	return true;
}

/* FAPI 2.0 for whom people log in at and who can prove itself; an application on somebody's device
 * cannot, and an API asks nobody to log in. */
static const struct oidc_profile *
default_profile(const struct oidc_client_rules *rules, const struct oidc_client *c)
{
	bool fapi = rules->fapi_unless_said && c->auth_method != OIDC_AUTH_PUBLIC &&
		    (oidc_strs_have(c->grant_types, "authorization_code") ||
		     c->delivery != OIDC_DELIVERY_NONE);

	return oidc_profile_find(fapi ? "fapi2" : "oauth");
}

/* Registration 2: RS256; Core 9: the token endpoint, which is taken beside the issuer. */
static void
take_defaults(const json_t *o, struct oidc_client *c)
{
	if ((c->profile->checks & OIDC_CHECK_SAFE_UNSAID) != 0)
		return;
	if (!is_set(o, "id_token_signed_response_alg"))
		c->id_token_alg = OIDC_RS256;
	if (!is_set(o, "client_assertion_audience"))
		c->assertion_audience = OIDC_AUDIENCE_TOKEN_ENDPOINT;
}

bool
oidc_client_parse(struct arena *a, struct bytes json, const char *new_id,
		  const struct oidc_client_rules *rules, struct oidc_client **out,
		  struct oidc_strs *unknown, struct err *err)
{
	struct oidc_client *c = ARENA_NEW(a, struct oidc_client);
	json_t *o;

	if (!json_parse_object(a, json, OIDC_CLIENT_MAX_BYTES, &o, err))
		return err_name(err, OIDC_INVALID_CLIENT_METADATA);
	for (size_t i = 0; i < oidc_client_n_members; i++)
		if (!parse_member(a, o, &oidc_client_members[i], new_id, rules, c, err))
			return err_name(err, OIDC_INVALID_CLIENT_METADATA);
	if (c->profile == NULL)
		c->profile = default_profile(rules, c);
	take_defaults(o, c);
	/* Who says nothing of response types and nobody logs in at has none. */
	if (json_object_get(o, "response_types") == NULL &&
	    !oidc_strs_have(c->grant_types, "authorization_code"))
		c->response_types = 0;
	if (!parse_texts(a, o, c, unknown, err) ||
	    (c->jwks_json != NULL && !read_keys(a, c->jwks_json, c, err)) ||
	    !check_frontchannel(c, err) || !check_resources(c, err) || !check_answers(c, err) ||
	    !oidc_client_check(rules, c, err))
		return err_name(err, OIDC_INVALID_CLIENT_METADATA);
	find_sector(a, c);
	*out = c;
	return true;
}
