/* The members of client metadata, and how they are written; see client.h. */
#include "oidc/client.h"

#include <string.h>

#include "oidc/client_member.h"
#include "oidc/way.h"

static const struct oidc_choice auth_methods[] = {
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
static const struct oidc_choice auth_algs[] = {
	{"HS256", OIDC_HS256},   {"ES256", OIDC_ES256},
	{"ES384", OIDC_ES384},   {"EdDSA", OIDC_EDDSA},
	{"Ed25519", OIDC_EDDSA}, /* RFC 9864 2.2; a record says EdDSA */
	{"PS256", OIDC_PS256},   {"PS384", OIDC_PS384},
	{"RS256", OIDC_RS256},   {NULL, 0},
};

static const struct oidc_choice applications[] = {
	{"web", OIDC_APPLICATION_WEB},
	{"native", OIDC_APPLICATION_NATIVE},
	{NULL, 0},
};

/* What our keys make, if there is one of its type. */
static const struct oidc_choice id_token_algs[] = {
	{"ES256", OIDC_ES256},
	{"RS256", OIDC_RS256},
	{"PS256", OIDC_PS256},
	{"ES384", OIDC_ES384},
	{NULL, 0},
};

static const struct oidc_choice jwe_algs[] = {
	{"ECDH-ES", OIDC_ECDH_ES},
	{"ECDH-ES+A128KW", OIDC_ECDH_ES_A128KW},
	{"ECDH-ES+A256KW", OIDC_ECDH_ES_A256KW},
	{"RSA-OAEP-256", OIDC_RSA_OAEP_256},
	{NULL, 0},
};

static const struct oidc_choice jwe_encs[] = {
	{"A128GCM", OIDC_A128GCM},
	{"A256GCM", OIDC_A256GCM},
	{"A128CBC-HS256", OIDC_A128CBC_HS256},
	{"A256CBC-HS512", OIDC_A256CBC_HS512},
	{NULL, 0},
};

static const struct oidc_choice audiences[] = {
	{"issuer", OIDC_AUDIENCE_ISSUER},
	{"token_endpoint", OIDC_AUDIENCE_TOKEN_ENDPOINT},
	{NULL, 0},
};

static const struct oidc_choice refreshes[] = {
	{"offline", OIDC_REFRESH_OFFLINE},
	{"session", OIDC_REFRESH_SESSION},
	{NULL, 0},
};

static const struct oidc_choice token_formats[] = {
	{"opaque", OIDC_TOKEN_OPAQUE},
	{"jwt", OIDC_TOKEN_JWT},
	{NULL, 0},
};

static const struct oidc_choice exchangers[] = {
	{"delegation", OIDC_EXCHANGER_ACTS},
	{"impersonation", OIDC_EXCHANGER_IMPERSONATES},
	{NULL, 0},
};

static const struct oidc_choice subject_types[] = {
	{"pairwise", OIDC_SUBJECT_PAIRWISE},
	{"public", OIDC_SUBJECT_PUBLIC},
	{NULL, 0},
};

static const struct oidc_choice deliveries[] = {
	{"poll", OIDC_DELIVERY_POLL},
	{"ping", OIDC_DELIVERY_PING},
	{NULL, 0},
};

const struct oidc_member oidc_client_members[] = {
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
	{"subject_type", M_CHOICE, AT(subject_type), 0, subject_types, false, NULL},
	{"response_types", M_TYPES, AT(response_types), 8, NULL, true, NULL},
	{"grant_types", M_LIST, AT(grant_types), 16, NULL, true, "authorization_code"},
	{"refresh_tokens", M_CHOICE, AT(refresh), 0, refreshes, false, NULL},
	{"resource_uris", M_STRS, AT(resource_uris), 8, NULL, true, NULL},
	{"resource_scopes", M_STRS, AT(resource_scopes), 32, NULL, true, NULL},
	{"access_token_format", M_CHOICE, AT(access_token_format), 0, token_formats, false, NULL},
	{"resources", M_STRS, AT(resources), 16, NULL, true, NULL},
	{"token_exchange", M_CHOICE, AT(exchanger), 0, exchangers, false, NULL},
	{"may_act", M_STRS, AT(may_act), 16, NULL, true, NULL},
	{"authorization_details_types", M_STRS, AT(details_types), 32, NULL, true, NULL},
	{"client_secret", M_REFUSED, 0, 0, NULL, true, NULL},
	{"jwks_uri", M_URI, AT(jwks_uri), 0, NULL, true, NULL},
	{"software_statement", M_REFUSED, 0, 0, NULL, true, NULL},
	{"request_uris", M_REFUSED, 0, 0, NULL, true, NULL},
	{"authorization_signed_response_alg", M_CHOICE, AT(response_alg), 0, id_token_algs, false,
	 NULL},
	{"authorization_encrypted_response_alg", M_CHOICE, AT(response_encryption.alg), 0, jwe_algs,
	 true, NULL},
	{"authorization_encrypted_response_enc", M_CHOICE, AT(response_encryption.enc), 0, jwe_encs,
	 true, NULL},
	{"request_object_signing_alg", M_CHOICE, AT(request_object_alg), 0, auth_algs + 1, true,
	 NULL},
	{"backchannel_token_delivery_mode", M_CHOICE, AT(delivery), 0, deliveries, true, NULL},
	{"backchannel_client_notification_endpoint", M_URI, AT(notification_uri), 0, NULL, true,
	 NULL},
	{"backchannel_authentication_request_signing_alg", M_CHOICE, AT(ciba_request_alg), 0,
	 auth_algs + 1, true, NULL},
	{"backchannel_user_code_parameter", M_REFUSED, 0, 0, NULL, true, NULL},
	{"request_object_encryption_alg", M_CHOICE, AT(request_encryption.alg), 0, jwe_algs, true,
	 NULL},
	{"request_object_encryption_enc", M_CHOICE, AT(request_encryption.enc), 0, jwe_encs, true,
	 NULL},
	{"introspection_signed_response_alg", M_CHOICE, AT(introspection_alg), 0, id_token_algs,
	 true, NULL},
	{"require_signed_request_object", M_BOOL, AT(require_signed_request), 0, NULL, true, NULL},
	{"require_pushed_authorization_requests", M_BOOL, AT(require_pushed), 0, NULL, true, NULL},
	{"dpop_bound_access_tokens", M_BOOL, AT(dpop_bound), 0, NULL, true, NULL},
	{"tls_client_certificate_bound_access_tokens", M_BOOL, AT(tls_bound), 0, NULL, true, NULL},
#undef AT
};

const size_t oidc_client_n_members = ARRAY_LEN(oidc_client_members);

_Static_assert(sizeof(enum oidc_auth_method) == sizeof(int) &&
		       sizeof(enum oidc_alg) == sizeof(int) &&
		       sizeof(enum oidc_audience) == sizeof(int) &&
		       sizeof(enum oidc_refresh) == sizeof(int) &&
		       sizeof(enum oidc_token_format) == sizeof(int) &&
		       sizeof(enum oidc_exchanger) == sizeof(int) &&
		       sizeof(enum oidc_subject_type) == sizeof(int) &&
		       sizeof(enum oidc_delivery) == sizeof(int) &&
		       sizeof(enum oidc_jwe_alg) == sizeof(int) &&
		       sizeof(enum oidc_jwe_enc) == sizeof(int) &&
		       sizeof(enum oidc_application) == sizeof(int),
	       "choices are stored as int");

static const void *
field_of(const struct oidc_client *c, const struct oidc_member *m)
{
	return (const char *)c + m->offset;
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
build_choice(struct arena *a, json_t *o, const struct oidc_member *m, const void *in)
{
	int value;

	memcpy(&value, in, sizeof(value));
	for (const struct oidc_choice *c = m->choices; c->word != NULL; c++)
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
build_texts(struct arena *a, json_t *o, const struct oidc_member *m, const struct oidc_client *c)
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
build_member(struct arena *a, json_t *o, const struct oidc_member *m, const struct oidc_client *c)
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
	case M_REFUSED:
		return;
	}
}

json_t *
oidc_client_build(struct arena *a, const struct oidc_client *c)
{
	json_t *o = json_new_object(a);

	for (size_t i = 0; i < oidc_client_n_members; i++)
		build_member(a, o, &oidc_client_members[i], c);
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
words_of(struct arena *a, const struct oidc_choice *choices, size_t n)
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
oidc_client_subject_types(struct arena *a)
{
	return words_of(a, subject_types, ARRAY_LEN(subject_types) - 1);
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

struct oidc_strs
oidc_client_delivery_modes(struct arena *a)
{
	return words_of(a, deliveries, ARRAY_LEN(deliveries) - 1);
}
