/* The metadata document; see discovery.h. */
#include "oidc/discovery.h"

#include <string.h>

#include "oidc/client.h"
#include "oidc/dpop.h"
#include "oidc/verified.h"
#include "oidc/way.h"

#define LIST(...)                                               \
	((struct oidc_strs){(const char *const[]){__VA_ARGS__}, \
			    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)})

static void
put_list(struct arena *a, json_t *o, const char *name, struct oidc_strs list)
{
	json_t *array = json_new_array(a);

	for (size_t i = 0; i < list.n; i++)
		json_push_str(a, array, list.s[i]);
	json_put(a, o, name, array);
}

static struct oidc_strs
without(struct arena *a, struct oidc_strs list, const char *word)
{
	const char **s = ARENA_ARRAY(a, const char *, list.n);
	size_t n = 0;

	for (size_t i = 0; i < list.n; i++)
		if (strcmp(list.s[i], word) != 0)
			s[n++] = list.s[i];
	return (struct oidc_strs){s, n};
}

/* What the tables of oidc/ say. */
static void
put_own(struct arena *a, json_t *o, bool certificates)
{
	put_list(a, o, "response_types_supported", oidc_types(a));
	put_list(a, o, "response_modes_supported", oidc_modes(a));
	put_list(a, o, "subject_types_supported", oidc_client_subject_types(a));
	put_list(a, o, "id_token_encryption_alg_values_supported", oidc_client_jwe_algs(a));
	put_list(a, o, "id_token_encryption_enc_values_supported", oidc_client_jwe_encs(a));
	put_list(a, o, "userinfo_encryption_alg_values_supported", oidc_client_jwe_algs(a));
	put_list(a, o, "userinfo_encryption_enc_values_supported", oidc_client_jwe_encs(a));
	put_list(a, o, "authorization_encryption_alg_values_supported", oidc_client_jwe_algs(a));
	put_list(a, o, "authorization_encryption_enc_values_supported", oidc_client_jwe_encs(a));
	put_list(a, o, "token_endpoint_auth_methods_supported",
		 oidc_client_auth_methods(a, certificates));
	put_list(a, o, "token_endpoint_auth_signing_alg_values_supported",
		 oidc_client_auth_algs(a));
	put_list(a, o, "introspection_endpoint_auth_signing_alg_values_supported",
		 oidc_client_auth_algs(a));
	put_list(a, o, "revocation_endpoint_auth_signing_alg_values_supported",
		 oidc_client_auth_algs(a));
	put_list(a, o, "introspection_endpoint_auth_methods_supported",
		 without(a, oidc_client_auth_methods(a, certificates), "none"));
	put_list(a, o, "revocation_endpoint_auth_methods_supported",
		 oidc_client_auth_methods(a, certificates));
	put_list(a, o, "dpop_signing_alg_values_supported", oidc_dpop_algs());
	put_list(a, o, "code_challenge_methods_supported", LIST("S256"));
	put_list(a, o, "prompt_values_supported",
		 LIST("none", "login", "consent", "select_account", "create"));
	put_list(a, o, "claim_types_supported", LIST("normal"));
	json_put_bool(a, o, "claims_parameter_supported", true);
	json_put_bool(a, o, "request_parameter_supported", true);
	put_list(a, o, "request_object_signing_alg_values_supported", oidc_client_request_algs(a));
	put_list(a, o, "request_object_encryption_alg_values_supported", oidc_client_jwe_algs(a));
	put_list(a, o, "request_object_encryption_enc_values_supported", oidc_client_jwe_encs(a));
	json_put_bool(a, o, "request_uri_parameter_supported", false);
	put_list(a, o, "backchannel_token_delivery_modes_supported", oidc_client_delivery_modes(a));
	put_list(a, o, "backchannel_authentication_request_signing_alg_values_supported",
		 oidc_client_request_algs(a));
	json_put_bool(a, o, "backchannel_user_code_parameter_supported", false);
	json_put_bool(a, o, "authorization_response_iss_parameter_supported", true);
	json_put_bool(a, o, "frontchannel_logout_supported", true);
	json_put_bool(a, o, "frontchannel_logout_session_supported", true);
	json_put_bool(a, o, "backchannel_logout_supported", true);
	json_put_bool(a, o, "backchannel_logout_session_supported", true);
}

/* RFC 8705 3.3, 5 */
static void
put_aliases(struct arena *a, json_t *o, const struct oidc_discovery *d)
{
	json_t *aliases = json_new_object(a);

	for (size_t i = 0; i < d->n_mtls_aliases; i++)
		json_put_str(a, aliases, d->mtls_aliases[i].member, d->mtls_aliases[i].url);
	json_put(a, o, "mtls_endpoint_aliases", aliases);
	json_put_bool(a, o, "tls_client_certificate_bound_access_tokens", true);
}

static json_t *
metadata_of(struct arena *a, const struct oidc_discovery *d)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "issuer", d->issuer);
	for (size_t i = 0; i < d->n_endpoints; i++)
		json_put_str(a, o, d->endpoints[i].member, d->endpoints[i].url);
	if (d->n_mtls_aliases > 0)
		put_aliases(a, o, d);
	put_list(a, o, "scopes_supported", d->scopes);
	put_list(a, o, "claims_supported", oidc_claims_of(a, d->claims, d->n_claims));
	json_put_bool(a, o, "verified_claims_supported", true);
	put_list(a, o, "trust_frameworks_supported", LIST(OIDC_TRUST_FRAMEWORK));
	put_list(a, o, "evidence_supported", LIST("document"));
	put_list(a, o, "documents_supported", d->documents);
	put_list(a, o, "documents_check_methods_supported", d->check_methods);
	put_list(a, o, "claims_in_verified_claims_supported",
		 oidc_claims_table(a, d->claims, d->n_verified_claims));
	put_list(a, o, "acr_values_supported", d->acr_values);
	put_list(a, o, "grant_types_supported", d->grant_types);
	if (d->details_types.n > 0)
		put_list(a, o, "authorization_details_types_supported", d->details_types);
	put_list(a, o, "ui_locales_supported", d->ui_locales);
	put_list(a, o, "id_token_signing_alg_values_supported", d->signing_algs);
	put_list(a, o, "userinfo_signing_alg_values_supported", d->signing_algs);
	put_list(a, o, "authorization_signing_alg_values_supported", d->signing_algs);
	put_list(a, o, "introspection_signing_alg_values_supported", d->signing_algs);
	put_own(a, o, d->n_mtls_aliases > 0);
	return o;
}

const char *
oidc_discovery_build(struct arena *a, const struct oidc_discovery *d)
{
	return json_text(a, metadata_of(a, d), false);
}

bool
oidc_discovery_sign(struct arena *a, const struct oidc_discovery *d, const struct key_ops *ops,
		    const char *kid, enum oidc_alg alg, time_t now, const char **json,
		    struct err *err)
{
	json_t *claims = metadata_of(a, d), *o = metadata_of(a, d);
	const char *jwt;

	json_put_str(a, claims, "iss", d->issuer);
	json_put_i64(a, claims, "iat", (int64_t)now);
	/* Not the type of anything that a client takes as a token. */
	if (!oidc_jws_build(a, ops, kid, alg, "server-metadata+jwt", claims, &jwt, err))
		return false;
	json_put_str(a, o, "signed_metadata", jwt);
	*json = json_text(a, o, false);
	return true;
}
