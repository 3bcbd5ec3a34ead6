/* Rules of registration; see registration.h. */
#include "idp/registration.h"

#include <string.h>

#include "base/text.h"
#include "oidc/error.h"
#include "oidc/redirect.h"
#include "oidc/statement.h"
#include "oidc/token.h"

#define RULES_BYTES   ((size_t)128 * 1024)
#define LIST_MAX      64
#define SCHEME_OF_OWN "native"
#define ANY_HOST      "*"

#define BAD(err, ...) FAIL((err), ERR_INPUT, OIDC_INVALID_CLIENT_METADATA, __VA_ARGS__)

static bool
read_list(struct arena *a, const json_t *o, const char *name, const char *least,
	  struct oidc_strs *out, struct err *err)
{
	const char **s = NULL;
	size_t n = 0;

	if (!json_get_strs(a, o, name, LIST_MAX, &s, &n, err))
		return false;
	if (n == 0 && least != NULL) {
		s = ARENA_ARRAY(a, const char *, 1);
		s[n++] = least;
	}
	*out = (struct oidc_strs){s, n};
	return true;
}

bool
registration_rules_parse(struct arena *a, const char *json, struct registration_rules *out,
			 struct err *err)
{
	struct registration_rules r = {.level_cap = LEVEL_LOW};
	const char *cap = NULL;
	const json_t *signers = NULL;
	json_t *o;

	if (!json_parse_object(a, bytes_of(json), RULES_BYTES, &o, err) ||
	    !read_list(a, o, "profiles", "oauth", &r.profiles, err) ||
	    !read_list(a, o, "scopes", "openid", &r.scopes, err) ||
	    !read_list(a, o, "grant_types", "authorization_code", &r.grant_types, err) ||
	    !read_list(a, o, "hosts", NULL, &r.hosts, err) ||
	    !read_list(a, o, "resources", NULL, &r.resources, err) ||
	    !read_list(a, o, "subject_types", "pairwise", &r.subject_types, err) ||
	    !read_list(a, o, "authorization_details_types", NULL, &r.details_types, err) ||
	    !json_get_str(o, "level_cap", &cap, err) ||
	    !json_get_object(o, "signers", &signers, err) ||
	    (signers != NULL && !oidc_jwks_parse(a, signers, OIDC_ALG_NONE, &r.signers, err)))
		return false;
	if (cap != NULL && (r.level_cap = level_from_word(cap)) == LEVEL_NONE)
		return FAIL(err, ERR_INPUT, NULL, "%s is no level", cap);
	for (size_t i = 0; i < r.profiles.n; i++)
		if (oidc_profile_find(r.profiles.s[i]) == NULL)
			return FAIL(err, ERR_INPUT, NULL, "%s is no profile", r.profiles.s[i]);
	*out = r;
	return true;
}

/* ---- what is asked for ---- */

static bool
host_fits(const char *rule, const char *host)
{
	size_t n = strlen(host), m = strlen(rule);

	if (strcmp(rule, ANY_HOST) == 0 || strcmp(rule, host) == 0)
		return true;
	return n > m && host[n - m - 1] == '.' && strcmp(host + n - m, rule) == 0;
}

static bool
check_uri(struct arena *a, const struct registration_rules *rules, const char *name,
	  const char *uri, struct err *err)
{
	const char *host = oidc_uri_host(a, uri);

	for (size_t i = 0; i < rules->hosts.n; i++)
		if (host == NULL ? strcmp(rules->hosts.s[i], SCHEME_OF_OWN) == 0
				 : host_fits(rules->hosts.s[i], host))
			return true;
	return BAD(err, "%s: not at a host of this invitation", name);
}

static bool
check_uris(struct arena *a, const struct registration_rules *rules, const struct oidc_client *c,
	   struct err *err)
{
	const struct {
		const char *name, *uri;
	} single[] = {{"jwks_uri", c->jwks_uri},
		      {"sector_identifier_uri", c->sector_identifier_uri},
		      {"backchannel_logout_uri", c->backchannel_logout_uri},
		      {"frontchannel_logout_uri", c->frontchannel_logout_uri}};

	for (size_t i = 0; i < c->redirect_uris.n; i++)
		if (!check_uri(a, rules, "redirect_uris", c->redirect_uris.s[i], err)) {
			err->proto = OIDC_INVALID_REDIRECT_URI;
			return false;
		}
	for (size_t i = 0; i < c->post_logout_redirect_uris.n; i++)
		if (!check_uri(a, rules, "post_logout_redirect_uris",
			       c->post_logout_redirect_uris.s[i], err))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(single); i++)
		if (single[i].uri != NULL &&
		    !check_uri(a, rules, single[i].name, single[i].uri, err))
			return false;
	/* RFC 7591 5: links that persons are shown lead to who was invited. */
	for (size_t i = 0; i < c->n_texts; i++)
		if (text_starts(c->texts[i].text, "https://") &&
		    strcmp(c->texts[i].member, "client_name") != 0 &&
		    !check_uri(a, rules, c->texts[i].member, c->texts[i].text, err))
			return false;
	return true;
}

static bool
check_list(struct oidc_strs allowed, struct oidc_strs asked, const char *name, struct err *err)
{
	for (size_t i = 0; i < asked.n; i++)
		if (!oidc_strs_have(allowed, asked.s[i]))
			return BAD(err, "%s: %s is not of this invitation", name, asked.s[i]);
	return true;
}

/* What gives nothing needs no invitation. */
static bool
check_grants(const struct registration_rules *rules, const struct oidc_client *c, struct err *err)
{
	for (size_t i = 0; i < c->grant_types.n; i++)
		if (!text_eq(c->grant_types.s[i], OIDC_GRANT_IMPLICIT) &&
		    !check_list(rules->grant_types, (struct oidc_strs){&c->grant_types.s[i], 1},
				"grant_types", err))
			return false;
	return true;
}

static bool
check_rules(struct arena *a, const struct registration_rules *rules, const struct oidc_client *c,
	    struct err *err)
{
	const struct oidc_strs profile = {&c->profile->name, 1};

	/* Whose tokens it would be shown, whoever the service of that address is. */
	if (c->resource_uris.n > 0)
		return BAD(err, "resource_uris: for the operator to say");
	if (c->subject_type == OIDC_SUBJECT_PUBLIC &&
	    !oidc_strs_have(rules->subject_types, "public"))
		return BAD(err, "subject_type: public is not of this invitation");
	/* Who may act in whose name. */
	if (c->may_act.n > 0 || c->exchanger != OIDC_EXCHANGER_ACTS)
		return BAD(err, "may_act, token_exchange: for the operator to say");
	return check_list(rules->profiles, profile, "profile", err) &&
	       check_list(rules->scopes, c->scopes, "scope", err) && check_grants(rules, c, err) &&
	       check_list(rules->details_types, c->details_types, "authorization_details_types",
			  err) &&
	       check_list(rules->resources, c->resources, "resources", err) &&
	       check_uris(a, rules, c, err);
}

/* RFC 7592 2.2: a client says who it is by the same name, and nothing that is ours to say. */
static bool
check_name(json_t *metadata, const char *client_id, struct err *err)
{
	static const char *const ours[] = {"registration_access_token", "registration_client_uri",
					   "client_secret_expires_at", "client_id_issued_at"};
	const char *id = client_id;

	if (!json_get_str(metadata, "client_id", &id, err))
		return err_name(err, OIDC_INVALID_CLIENT_METADATA);
	if (id != NULL && strcmp(id, client_id) != 0)
		return BAD(err, "client_id: not the one of this registration");
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (json_object_get(metadata, ours[i]) != NULL)
			return BAD(err, "%s: not for a client to say", ours[i]);
	return true;
}

/* A profile that nobody asks for is the first of those that may be, a scope all of them (RFC 7591
 * 2).
 */
static void
put_unsaid(struct arena *a, json_t *metadata, const struct registration_rules *rules)
{
	if (json_object_get(metadata, "profile") == NULL)
		json_put_str(a, metadata, "profile", rules->profiles.s[0]);
	if (json_object_get(metadata, "scope") == NULL)
		json_put_str(a, metadata, "scope", oidc_scope_text(a, rules->scopes));
}

/* RFC 7592 2.2: it may say what its secret is, and nothing else. */
static bool
take_secret(struct arena *a, json_t *metadata, const char **out, struct err *err)
{
	if (out == NULL)
		return true;
	*out = NULL;
	if (!json_get_str(metadata, "client_secret", out, err))
		return err_name(err, OIDC_INVALID_CLIENT_METADATA);
	*out = arena_strdup(a, *out);
	json_object_del(metadata, "client_secret");
	return true;
}

bool
registration_read(struct arena *a, const struct registration_rules *rules, struct bytes body,
		  const char *client_id, time_t now, struct oidc_client **out,
		  const char **statement, const char **secret, struct err *err)
{
	const struct oidc_client_rules offered = party_client_rules(a);
	struct oidc_strs unknown;
	json_t *metadata;

	*statement = NULL;
	if (!json_parse_object(a, body, OIDC_CLIENT_MAX_BYTES, &metadata, err))
		return err_name(err, OIDC_INVALID_CLIENT_METADATA);
	if (!json_get_str(metadata, "software_statement", statement, err))
		return err_name(err, OIDC_INVALID_SOFTWARE_STATEMENT);
	*statement = arena_strdup(a, *statement);
	if (!oidc_statement_apply(a, metadata, &rules->signers, now, err) ||
	    !check_name(metadata, client_id, err) || !take_secret(a, metadata, secret, err))
		return false;
	json_object_del(metadata, "client_id");
	put_unsaid(a, metadata, rules);
	return oidc_client_parse(a, bytes_of(json_text(a, metadata, false)), client_id, &offered,
				 out, &unknown, err) &&
	       check_rules(a, rules, *out, err);
}

const char *
registration_policy(struct arena *a, const struct registration_rules *rules)
{
	json_t *o = json_new_object(a);

	json_put_str(a, o, "level-cap", level_word(rules->level_cap, LEVEL_VOCAB_SHORT));
	return json_text(a, o, false);
}
