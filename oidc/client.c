/* Client metadata both ways, by one table of members; see client.h. */
#include "oidc/client.h"

#include <string.h>

#include "base/text.h"
#include "oidc/error.h"
#include "oidc/redirect.h"
#include "oidc/way.h"

#define CLIENT_ID_MAX_BYTES 256
#define TEXT_MAX_BYTES      512
#define TEXTS_MAX           64
#define LANG_MAX_BYTES      35 /* RFC 5646 4.4.1 */
#define MAX_AGE_LIMIT_S     (365 * 86400)

#define BAD(err, ...)       FAIL((err), ERR_INPUT, OIDC_INVALID_CLIENT_METADATA, __VA_ARGS__)

struct choice {
	const char *word;
	int value;
};

static const struct choice auth_methods[] = {
	{"client_secret_basic", OIDC_AUTH_BASIC},
	{"client_secret_post", OIDC_AUTH_POST},
	{"private_key_jwt", OIDC_AUTH_PRIVATE_KEY},
	{"client_secret_jwt", OIDC_AUTH_SECRET_JWT},
	{"none", OIDC_AUTH_PUBLIC},
	{"tls_client_auth", OIDC_AUTH_TLS},
	{"self_signed_tls_client_auth", OIDC_AUTH_SELF_SIGNED_TLS},
	{NULL, 0},
};

/* The MAC first: request objects are signed, and take what follows. */
static const struct choice auth_algs[] = {
	{"HS256", OIDC_HS256},   {"ES256", OIDC_ES256},
	{"ES384", OIDC_ES384},   {"EdDSA", OIDC_EDDSA},
	{"Ed25519", OIDC_EDDSA}, /* RFC 9864 2.2; a record says EdDSA */
	{"PS256", OIDC_PS256},   {"PS384", OIDC_PS384},
	{"RS256", OIDC_RS256},   {NULL, 0},
};

static const struct choice applications[] = {
	{"web", OIDC_APPLICATION_WEB},
	{"native", OIDC_APPLICATION_NATIVE},
	{NULL, 0},
};

/* What our keys make, if there is one of its type. */
static const struct choice id_token_algs[] = {
	{"ES256", OIDC_ES256},
	{"RS256", OIDC_RS256},
	{"PS256", OIDC_PS256},
	{"ES384", OIDC_ES384},
	{NULL, 0},
};

static const struct choice jwe_algs[] = {
	{"ECDH-ES", OIDC_ECDH_ES},
	{"ECDH-ES+A128KW", OIDC_ECDH_ES_A128KW},
	{"ECDH-ES+A256KW", OIDC_ECDH_ES_A256KW},
	{"RSA-OAEP-256", OIDC_RSA_OAEP_256},
	{NULL, 0},
};

static const struct choice jwe_encs[] = {
	{"A128GCM", OIDC_A128GCM},
	{"A256GCM", OIDC_A256GCM},
	{"A128CBC-HS256", OIDC_A128CBC_HS256},
	{"A256CBC-HS512", OIDC_A256CBC_HS512},
	{NULL, 0},
};

static const struct choice audiences[] = {
	{"issuer", OIDC_AUDIENCE_ISSUER},
	{"token_endpoint", OIDC_AUDIENCE_TOKEN_ENDPOINT},
	{NULL, 0},
};

static const struct choice refreshes[] = {
	{"offline", OIDC_REFRESH_OFFLINE},
	{"session", OIDC_REFRESH_SESSION},
	{NULL, 0},
};

static const struct choice token_formats[] = {
	{"opaque", OIDC_TOKEN_OPAQUE},
	{"jwt", OIDC_TOKEN_JWT},
	{NULL, 0},
};

enum member_type {
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
	M_FIXED,     /* not kept: may only hold the one word that we do anyway */
	M_REFUSED,   /* would promise something we do not do */
};

static const struct member {
	const char *name;
	enum member_type type;
	size_t offset; /* in struct oidc_client */
	size_t max;    /* items of a list */
	const struct choice *choices;
	bool optional;
	const char *fixed; /* M_FIXED, M_LIST */
} members[] = {
#define AT(field) offsetof(struct oidc_client, field)
	{"client_id", M_CLIENT_ID, AT(client_id), 0, NULL, false, NULL},
	{"profile", M_PROFILE, AT(profile), 0, NULL, false, NULL},
	{"client_name", M_TEXT, 0, 0, NULL, true, NULL},
	{"redirect_uris", M_URIS, AT(redirect_uris), 32, NULL, true, NULL},
	{"post_logout_redirect_uris", M_URIS, AT(post_logout_redirect_uris), 32, NULL, true, NULL},
	{"backchannel_logout_uri", M_URI, AT(backchannel_logout_uri), 0, NULL, true, NULL},
	{"backchannel_logout_session_required", M_BOOL, AT(backchannel_logout_session_required), 0,
	 NULL, true, NULL},
	{"frontchannel_logout_uri", M_URI, AT(frontchannel_logout_uri), 0, NULL, true, NULL},
	{"frontchannel_logout_session_required", M_BOOL, AT(frontchannel_logout_session_required),
	 0, NULL, true, NULL},
	{"token_endpoint_auth_method", M_CHOICE, AT(auth_method), 0, auth_methods, false, NULL},
	{"token_endpoint_auth_signing_alg", M_CHOICE, AT(auth_alg), 0, auth_algs, true, NULL},
	{"client_assertion_audience", M_CHOICE, AT(assertion_audience), 0, audiences, false, NULL},
	{"tls_client_auth_subject_dn", M_STR, AT(tls.subject_dn), 0, NULL, true, NULL},
	{"tls_client_auth_san_dns", M_STR, AT(tls.san_dns), 0, NULL, true, NULL},
	{"tls_client_auth_san_uri", M_STR, AT(tls.san_uri), 0, NULL, true, NULL},
	{"tls_client_auth_san_ip", M_STR, AT(tls.san_ip), 0, NULL, true, NULL},
	{"tls_client_auth_san_email", M_STR, AT(tls.san_email), 0, NULL, true, NULL},
	{"jwks", M_KEYS, AT(jwks_json), 0, NULL, true, NULL},
	{"scope", M_WORDS, AT(scopes), 32, NULL, true, NULL},
	{"id_token_signed_response_alg", M_CHOICE, AT(id_token_alg), 0, id_token_algs, false, NULL},
	{"id_token_encrypted_response_alg", M_CHOICE, AT(id_token_encryption.alg), 0, jwe_algs,
	 true, NULL},
	{"id_token_encrypted_response_enc", M_CHOICE, AT(id_token_encryption.enc), 0, jwe_encs,
	 true, NULL},
	{"userinfo_signed_response_alg", M_CHOICE, AT(userinfo_alg), 0, id_token_algs, true, NULL},
	{"userinfo_encrypted_response_alg", M_CHOICE, AT(userinfo_encryption.alg), 0, jwe_algs,
	 true, NULL},
	{"userinfo_encrypted_response_enc", M_CHOICE, AT(userinfo_encryption.enc), 0, jwe_encs,
	 true, NULL},
	{"sector_identifier_uri", M_URI, AT(sector_identifier_uri), 0, NULL, true, NULL},
	{"default_max_age", M_SECONDS, AT(default_max_age_s), 0, NULL, true, NULL},
	{"require_auth_time", M_BOOL, AT(require_auth_time), 0, NULL, true, NULL},
	{"default_acr_values", M_STRS, AT(default_acr_values), 8, NULL, true, NULL},
	{"contacts", M_STRS, AT(contacts), 16, NULL, true, NULL},
	{"client_uri", M_TEXT_URI, 0, 0, NULL, true, NULL},
	{"logo_uri", M_TEXT_URI, 0, 0, NULL, true, NULL},
	{"policy_uri", M_TEXT_URI, 0, 0, NULL, true, NULL},
	{"tos_uri", M_TEXT_URI, 0, 0, NULL, true, NULL},
	{"application_type", M_CHOICE, AT(application), 0, applications, false, NULL},
	{"subject_type", M_FIXED, 0, 0, NULL, true, "pairwise"},
	{"response_types", M_TYPES, AT(response_types), 8, NULL, true, NULL},
	{"grant_types", M_LIST, AT(grant_types), 16, NULL, true, "authorization_code"},
	{"refresh_tokens", M_CHOICE, AT(refresh), 0, refreshes, false, NULL},
	{"resource_uris", M_STRS, AT(resource_uris), 8, NULL, true, NULL},
	{"resource_scopes", M_STRS, AT(resource_scopes), 32, NULL, true, NULL},
	{"access_token_format", M_CHOICE, AT(access_token_format), 0, token_formats, false, NULL},
	{"resources", M_STRS, AT(resources), 16, NULL, true, NULL},
	{"client_secret", M_REFUSED, 0, 0, NULL, true, NULL},
	{"jwks_uri", M_URI, AT(jwks_uri), 0, NULL, true, NULL},
	{"software_statement", M_REFUSED, 0, 0, NULL, true, NULL},
	{"request_uris", M_REFUSED, 0, 0, NULL, true, NULL},
	{"authorization_signed_response_alg", M_CHOICE, AT(response_alg), 0, id_token_algs, false,
	 NULL},
	{"request_object_signing_alg", M_CHOICE, AT(request_object_alg), 0, auth_algs + 1, true,
	 NULL},
	{"request_object_encryption_alg", M_REFUSED, 0, 0, NULL, true, NULL},
	{"require_signed_request_object", M_BOOL, AT(require_signed_request), 0, NULL, true, NULL},
	{"require_pushed_authorization_requests", M_BOOL, AT(require_pushed), 0, NULL, true, NULL},
	{"dpop_bound_access_tokens", M_BOOL, AT(dpop_bound), 0, NULL, true, NULL},
	{"tls_client_certificate_bound_access_tokens", M_BOOL, AT(tls_bound), 0, NULL, true, NULL},
#undef AT
};

_Static_assert(sizeof(enum oidc_auth_method) == sizeof(int) &&
		       sizeof(enum oidc_alg) == sizeof(int) &&
		       sizeof(enum oidc_audience) == sizeof(int) &&
		       sizeof(enum oidc_refresh) == sizeof(int) &&
		       sizeof(enum oidc_token_format) == sizeof(int) &&
		       sizeof(enum oidc_jwe_alg) == sizeof(int) &&
		       sizeof(enum oidc_jwe_enc) == sizeof(int) &&
		       sizeof(enum oidc_application) == sizeof(int),
	       "choices are stored as int");

static void *
field(struct oidc_client *c, const struct member *m)
{
	return (char *)c + m->offset;
}

static const void *
field_of(const struct oidc_client *c, const struct member *m)
{
	return (const char *)c + m->offset;
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
parse_strs(struct arena *a, const json_t *o, const struct member *m, struct oidc_strs *out,
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
parse_list(struct arena *a, const json_t *o, const struct member *m, struct oidc_strs offered,
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
parse_words(struct arena *a, const json_t *o, const struct member *m, struct oidc_strs *out,
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

/* RFC 7591 2: code, unless it says otherwise. */
/* Each once; the code if it is missing, and none at all where the list is empty. */
static bool
parse_types(struct arena *a, const json_t *o, const struct member *m, unsigned *out,
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
parse_profile(const json_t *o, const struct member *m, const struct oidc_profile **out,
	      struct err *err)
{
	const char *name = NULL;

	if (!json_get_str(o, m->name, &name, err))
		return false;
	*out = oidc_profile_find(name);
	return name == NULL || *out != NULL || BAD(err, "%s: not a profile we know", m->name);
}

static bool
parse_choice(const json_t *o, const struct member *m, void *out, struct err *err)
{
	const char *word = m->optional ? NULL : m->choices[0].word;

	if (!json_get_str(o, m->name, &word, err))
		return false;
	if (word == NULL)
		return true;
	for (const struct choice *c = m->choices; c->word != NULL; c++)
		if (strcmp(c->word, word) == 0) {
			memcpy(out, &c->value, sizeof(c->value));
			return true;
		}
	return BAD(err, "%s: not a value we offer", m->name);
}

/* "word" or ["word"]. */
static bool
parse_fixed(const json_t *o, const struct member *m, struct err *err)
{
	const json_t *v = json_object_get(o, m->name);

	if (json_array_size(v) == 1)
		v = json_array_get(v, 0);
	if (is_set(o, m->name) && !text_eq(json_string_value(v), m->fixed))
		return BAD(err, "%s: only %s is offered", m->name, m->fixed);
	return true;
}

static bool
parse_uri(struct arena *a, const json_t *o, const struct member *m, const char **out,
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
parse_str(struct arena *a, const json_t *o, const struct member *m, const char **out,
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
parse_seconds(const json_t *o, const struct member *m, int64_t *out, struct err *err)
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
parse_member(struct arena *a, const json_t *o, const struct member *m, const char *new_id,
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
	case M_FIXED:
		return parse_fixed(o, m, err);
	case M_REFUSED:
		return !is_set(o, m->name) || BAD(err, "%s: not supported", m->name);
	case M_TEXT:
	case M_TEXT_URI:
		break; /* parse_texts */
	}
	return true;
}

/* The row of a member name, its language tag (or "") split off; NULL if unknown. */
static const struct member *
member_of(const char *name, const char **lang)
{
	size_t n = strcspn(name, "#");

	*lang = name[n] == '#' ? name + n + 1 : "";
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct member *m = &members[i];
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
parse_text(struct arena *a, const struct member *m, const char *lang, const json_t *v,
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
		const struct member *m = member_of(name, &lang);

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
	return check_encryption(c, "id_token", &c->id_token_encryption, err) &&
	       check_encryption(c, "userinfo", &c->userinfo_encryption, err);
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
			if (!oidc_uri_check(lists[k].s[i], false, NULL))
				return BAD(err, "%s: not https URIs without a fragment",
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
	enum oidc_alg signs = c->auth_alg != OIDC_ALG_NONE ? c->auth_alg : c->request_object_alg;
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
		    oidc_strs_have(c->grant_types, "authorization_code");

	return oidc_profile_find(fapi ? "fapi2" : "oauth");
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
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (!parse_member(a, o, &members[i], new_id, rules, c, err))
			return err_name(err, OIDC_INVALID_CLIENT_METADATA);
	if (c->profile == NULL)
		c->profile = default_profile(rules, c);
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

static void
build_strs(struct arena *a, json_t *o, const char *name, struct oidc_strs list)
{
	json_t *array = json_new_array(a);

	for (size_t i = 0; i < list.n; i++)
		json_push_str(a, array, list.s[i]);
	json_put(a, o, name, array);
}

static void
build_words(struct arena *a, json_t *o, const char *name, struct oidc_strs list)
{
	const char *text = list.s[0];

	for (size_t i = 1; i < list.n; i++)
		text = arena_printf(a, "%s %s", text, list.s[i]);
	json_put_str(a, o, name, text);
}

static void
build_choice(struct arena *a, json_t *o, const struct member *m, const void *in)
{
	int value;

	memcpy(&value, in, sizeof(value));
	for (const struct choice *c = m->choices; c->word != NULL; c++)
		if (c->value == value) {
			json_put_str(a, o, m->name, c->word);
			return;
		}
}

static void
build_types(struct arena *a, json_t *o, const char *name, unsigned types)
{
	struct oidc_strs all = oidc_types(a);
	const char **s = ARENA_ARRAY(a, const char *, all.n);
	size_t n = 0;

	for (size_t i = 0; i < all.n; i++)
		if ((types & oidc_type_of(all.s[i])) != 0)
			s[n++] = all.s[i];
	build_strs(a, o, name, (struct oidc_strs){s, n});
}

static void
build_texts(struct arena *a, json_t *o, const struct member *m, const struct oidc_client *c)
{
	for (size_t i = 0; i < c->n_texts; i++) {
		const struct oidc_text *t = &c->texts[i];

		if (strcmp(t->member, m->name) == 0)
			json_put_str(a, o,
				     *t->lang == '\0' ? m->name
						      : arena_printf(a, "%s#%s", m->name, t->lang),
				     t->text);
	}
}

static void
build_member(struct arena *a, json_t *o, const struct member *m, const struct oidc_client *c)
{
	const void *in = field_of(c, m);

	switch (m->type) {
	case M_CLIENT_ID:
	case M_URI:
	case M_STR:
		json_put_str(a, o, m->name, *(const char *const *)in);
		return;
	case M_URIS:
	case M_STRS:
		if (((const struct oidc_strs *)in)->n > 0)
			build_strs(a, o, m->name, *(const struct oidc_strs *)in);
		return;
	case M_LIST: /* none at all says something else than a missing one */
		build_strs(a, o, m->name, *(const struct oidc_strs *)in);
		return;
	case M_WORDS:
		build_words(a, o, m->name, *(const struct oidc_strs *)in);
		return;
	case M_SECONDS:
		if (*(const int64_t *)in >= 0)
			json_put_i64(a, o, m->name, *(const int64_t *)in);
		return;
	case M_BOOL:
		json_put_bool(a, o, m->name, *(const bool *)in);
		return;
	case M_TYPES:
		build_types(a, o, m->name, *(const unsigned *)in);
		return;
	case M_PROFILE:
		json_put_str(a, o, m->name, c->profile->name);
		return;
	case M_CHOICE:
		build_choice(a, o, m, in);
		return;
	case M_KEYS:
		if (c->jwks_json != NULL)
			json_put(a, o, m->name, (json_t *)(uintptr_t)c->jwks_json);
		return;
	case M_TEXT:
	case M_TEXT_URI:
		build_texts(a, o, m, c);
		return;
	case M_FIXED:
		json_put_str(a, o, m->name, m->fixed);
		return;
	case M_REFUSED:
		return;
	}
}

json_t *
oidc_client_build(struct arena *a, const struct oidc_client *c)
{
	json_t *o = json_new_object(a);

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		build_member(a, o, &members[i], c);
	return o;
}

/* 2: this very language or a variant of it, 1: untagged, 0: another. */
static int
language_fit(const char *have, const char *want)
{
	size_t n = strlen(want);

	if (*have == '\0')
		return 1;
	return strncmp(have, want, n) == 0 && (have[n] == '\0' || have[n] == '-') ? 2 : 0;
}

const char *
oidc_client_text(const struct oidc_client *c, const char *member, const char *lang)
{
	const char *best = NULL;
	int best_fit = -1;

	for (size_t i = 0; i < c->n_texts; i++) {
		const struct oidc_text *t = &c->texts[i];
		int fit = strcmp(t->member, member) == 0 ? language_fit(t->lang, lang) : -1;

		if (fit > best_fit) {
			best = t->text;
			best_fit = fit;
		}
	}
	return best;
}

static struct oidc_strs
words_of(struct arena *a, const struct choice *choices, size_t n)
{
	const char **s = ARENA_ARRAY(a, const char *, n);

	for (size_t i = 0; i < n; i++)
		s[i] = choices[i].word;
	return (struct oidc_strs){s, n};
}

struct oidc_strs
oidc_client_auth_methods(struct arena *a, bool certificates)
{
	/* those by certificate stand last */
	return words_of(a, auth_methods, ARRAY_LEN(auth_methods) - 1 - (certificates ? 0 : 2));
}

struct oidc_strs
oidc_client_auth_algs(struct arena *a)
{
	return words_of(a, auth_algs, ARRAY_LEN(auth_algs) - 1);
}

struct oidc_strs
oidc_client_request_algs(struct arena *a)
{
	return words_of(a, auth_algs + 1, ARRAY_LEN(auth_algs) - 2);
}

struct oidc_strs
oidc_client_id_token_algs(struct arena *a)
{
	return words_of(a, id_token_algs, ARRAY_LEN(id_token_algs) - 1);
}

struct oidc_strs
oidc_client_jwe_algs(struct arena *a)
{
	return words_of(a, jwe_algs, ARRAY_LEN(jwe_algs) - 1);
}

struct oidc_strs
oidc_client_jwe_encs(struct arena *a)
{
	return words_of(a, jwe_encs, ARRAY_LEN(jwe_encs) - 1);
}
