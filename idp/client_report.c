/* A client's record in plain words; see client_report.h. */
#include "idp/client_report.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "keys/cert.h"
#include "oidc/exchange.h"
#include "oidc/token.h"

#define TEXT_MAX ((size_t)64 * 1024)
#define SOON_S   ((time_t)30 * 86400)

static const char *
list_text(struct arena *a, struct oidc_strs list)
{
	struct buf b;

	buf_init(&b, a, TEXT_MAX);
	for (size_t i = 0; i < list.n; i++)
		buf_printf(&b, "%s%s", i == 0 ? "" : ", ", list.s[i]);
	return b.n == 0 ? NULL : (const char *)b.p;
}

static bool
has_grant(const struct oidc_client *c, const char *grant)
{
	return oidc_strs_have(c->grant_types, grant);
}

/* ---- what it allows ---- */

static const struct {
	enum oidc_check check;
	const char *text;
} checks[] = {
	{OIDC_CHECK_PKCE, "PKCE"},
	{OIDC_CHECK_PUSHED, "pushed requests"},
	{OIDC_CHECK_CODE_ONLY, "codes alone"},
	{OIDC_CHECK_BOUND_TOKENS, "tokens bound to a key"},
	{OIDC_CHECK_KEY_AUTH, "a key or certificate of the client"},
	{OIDC_CHECK_ISSUER_AUDIENCE, "assertions for the issuer alone"},
	{OIDC_CHECK_STRONG_ALGS, "PS256, ES256 or EdDSA"},
	{OIDC_CHECK_STABLE_REFRESH, "refresh tokens that stay"},
	{OIDC_CHECK_TIMED_REQUEST, "signed requests with nbf and exp"},
};

static const char *
profile_text(struct arena *a, const struct oidc_client *c)
{
	const char *s[ARRAY_LEN(checks)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		if ((c->profile->checks & (unsigned)checks[i].check) != 0)
			s[n++] = checks[i].text;
	return n == 0 ? c->profile->name
		      : arena_printf(a, "%s: demands %s", c->profile->name,
				     list_text(a, (struct oidc_strs){s, n}));
}

static const char *
grants_text(struct arena *a, const struct oidc_client *c)
{
	return c->grant_types.n == 0 ? "none: it asks about tokens and gets none"
				     : list_text(a, c->grant_types);
}

/* A word or a flag as the record itself has it. */
static const char *
member_text(struct arena *a, const struct oidc_client *c, const char *name)
{
	return json_string_value(json_object_get(oidc_client_build(a, c), name));
}

static const char *
keys_text(struct arena *a, const struct oidc_client *c)
{
	struct buf b;

	buf_init(&b, a, TEXT_MAX);
	for (size_t i = 0; i < c->jwks.n; i++)
		buf_printf(&b, "%s%s (%s)", i == 0 ? "" : ", ",
			   c->jwks.keys[i].kid == NULL ? "without a kid" : c->jwks.keys[i].kid,
			   oidc_alg_info(c->jwks.keys[i].alg)->name);
	return b.n == 0 ? NULL : (const char *)b.p;
}

static const char *
auth_text(struct arena *a, const struct oidc_client *c)
{
	const char *keys = keys_text(a, c),
		   *method = member_text(a, c, "token_endpoint_auth_method");

	return keys == NULL ? method : arena_printf(a, "%s; keys %s", method, keys);
}

static const char *
types_text(struct arena *a, const struct oidc_client *c)
{
	const struct oidc_strs all = oidc_types(a);
	const char **s = ARENA_ARRAY(a, const char *, all.n);
	size_t n = 0;

	for (size_t i = 0; i < all.n; i++)
		if ((c->response_types & oidc_type_of(all.s[i])) != 0)
			s[n++] = all.s[i];
	return n == 0 ? NULL
		      : arena_printf(a, "%s; by %s", list_text(a, (struct oidc_strs){s, n}),
				     list_text(a, oidc_modes(a)));
}

static const char *
bound_text(struct arena *a UNUSED, const struct oidc_client *c)
{
	if (c->tls_bound)
		return "to its certificate";
	if (c->dpop_bound)
		return "by DPoP";
	return (c->profile->checks & OIDC_CHECK_BOUND_TOKENS) != 0 ? "by DPoP or its certificate"
								   : "where it sends a DPoP proof";
}

static const char *
refresh_text(struct arena *a, const struct oidc_client *c)
{
	return has_grant(c, OIDC_GRANT_REFRESH) ? member_text(a, c, "refresh_tokens") : NULL;
}

static const char *
exchange_text(struct arena *a, const struct oidc_client *c)
{
	if (!has_grant(c, OIDC_GRANT_EXCHANGE))
		return NULL;
	return c->resource_uris.n == 0 ? "of its own tokens, for less scope"
				       : arena_printf(a, "of tokens for it, by %s",
						      member_text(a, c, "token_exchange"));
}

#define LIST_OF(name, field)                                                  \
	static const char *name(struct arena *a, const struct oidc_client *c) \
	{                                                                     \
		return list_text(a, c->field);                                \
	}

LIST_OF(redirects_text, redirect_uris)
LIST_OF(leaves_text, post_logout_redirect_uris)
LIST_OF(scopes_text, scopes)
LIST_OF(targets_text, resources)
LIST_OF(may_act_text, may_act)
LIST_OF(uris_text, resource_uris)
LIST_OF(known_text, resource_scopes)

static const char *
logout_text(struct arena *a, const struct oidc_client *c)
{
	if (c->backchannel_logout_uri != NULL)
		return arena_printf(a, "by a logout token to %s", c->backchannel_logout_uri);
	return c->frontchannel_logout_uri == NULL ? NULL
						  : arena_printf(a, "by a frame in the browser, %s",
								 c->frontchannel_logout_uri);
}

static const char *
subject_text(struct arena *a, const struct oidc_client *c)
{
	return member_text(a, c, "subject_type");
}

static const struct {
	const char *name;
	const char *(*text)(struct arena *a, const struct oidc_client *c); /* NULL: not at all */
} facts[] = {
	{"profile", profile_text},
	{"grants", grants_text},
	{"answers", types_text},
	{"proves itself by", auth_text},
	{"redirects to", redirects_text},
	{"after logout to", leaves_text},
	{"hears of logouts", logout_text},
	{"scopes", scopes_text},
	{"knows people by", subject_text},
	{"tokens are bound", bound_text},
	{"refresh tokens", refresh_text},
	{"asks tokens for", targets_text},
	{"is the resource", uris_text},
	{"knows the scopes", known_text},
	{"exchanges tokens", exchange_text},
	{"acts with its tokens", may_act_text},
};

/* ---- what will give trouble ---- */

/* What of it is wrong; NULL: nothing. */
typedef const char *trouble_fn(struct arena *a, const struct client_report *r);

static bool
needs_keys(const struct oidc_client *c)
{
	return c->auth_method == OIDC_AUTH_PRIVATE_KEY ||
	       c->auth_method == OIDC_AUTH_SELF_SIGNED_TLS || c->require_signed_request;
}

static const char *
no_keys(struct arena *a UNUSED, const struct client_report *r)
{
	return needs_keys(r->p->oidc) && r->p->oidc->jwks.n == 0
		       ? "there is no key that it could prove itself with"
		       : NULL;
}

static const char *
keys_away(struct arena *a, const struct client_report *r)
{
	if (r->keys == NULL || r->keys->trouble == NULL)
		return NULL;
	return arena_printf(a, "cannot be fetched: %s", r->keys->trouble);
}

/* The certificate of a key (RFC 7517 4.7), which clients renew by themselves, or forget to. */
static const char *
old_certificate(struct arena *a, const json_t *key, time_t now)
{
	const char *text = json_string_value(json_array_get(json_object_get(key, "x5c"), 0)),
		   *kid = json_string_value(json_object_get(key, "kid"));
	struct bytes der;
	struct cert cert;

	if (text == NULL)
		return NULL;
	if (kid == NULL)
		kid = "a key";
	if (!dec_base64(a, bytes_of(text), false, &der, NULL) || !cert_parse(a, der, &cert, NULL))
		return arena_printf(a, "the certificate of %s cannot be read", kid);
	if (cert.not_after > now + SOON_S)
		return NULL;
	return arena_printf(a, "the certificate of %s %s %s", kid,
			    cert.not_after > now ? "ends" : "has ended",
			    clock_text(a, cert.not_after));
}

static const char *
old_certificates(struct arena *a, const struct client_report *r)
{
	const json_t *set = r->p->oidc->jwks_json, *key;
	json_t *fetched = NULL;
	const char *what = NULL;
	size_t i;

	if (set == NULL && json_parse_object(a, r->fetched, OIDC_JWKS_MAX_BYTES, &fetched, NULL))
		set = fetched;
	json_array_foreach(json_object_get(set, "keys"), i, key) if (what == NULL) what =
		old_certificate(a, key, r->now);
	return what;
}

void
client_report_calls(const struct oidc_client *c, struct client_call out[CLIENT_CALLS])
{
	out[0] = (struct client_call){"jwks_uri", c->jwks_uri};
	out[1] = (struct client_call){"backchannel_logout_uri", c->backchannel_logout_uri};
	out[2] = (struct client_call){"backchannel_client_notification_endpoint",
				      c->notification_uri};
}

/* Does the URL name an address itself that we send nothing to?  Of names only trying tells. */
static bool
is_forbidden(struct arena *a, const struct net_list *inside, const char *url)
{
	const char *host = url + strcspn(url, ":");
	struct net_addr addr;

	if (!text_starts(host, "://"))
		return false;
	host += strlen("://");
	bool v6 = *host == '[';
	const char *text = v6 ? arena_strndup(a, host + 1, strcspn(host + 1, "]"))
			      : arena_strndup(a, host, strcspn(host, ":/?#"));

	if (text_eq(text, "localhost"))
		text = "127.0.0.1";
	return net_addr_parse(text, &addr) && !fetch_is_public(&addr) &&
	       !net_list_has(inside, &addr);
}

static const char *
forbidden(struct arena *a, const struct client_report *r, size_t i)
{
	struct client_call calls[CLIENT_CALLS];

	client_report_calls(r->p->oidc, calls);
	return calls[i].url == NULL || !is_forbidden(a, r->inside, calls[i].url)
		       ? NULL
		       : arena_printf(a, "%s is not public, and outbound_inside does not name it",
				      calls[i].url);
}

static const char *
keys_inside(struct arena *a, const struct client_report *r)
{
	return forbidden(a, r, 0);
}

static const char *
logout_inside(struct arena *a, const struct client_report *r)
{
	return forbidden(a, r, 1);
}

static const char *
ping_inside(struct arena *a, const struct client_report *r)
{
	return forbidden(a, r, 2);
}

static const char *
plain_redirect(struct arena *a, const struct client_report *r)
{
	struct oidc_strs uris = r->p->oidc->redirect_uris;

	for (size_t i = 0; i < uris.n; i++)
		if (text_starts(uris.s[i], "http://"))
			return arena_printf(a, "%s is not encrypted; for loopback alone",
					    uris.s[i]);
	return NULL;
}

static const char *
shared_secret(struct arena *a UNUSED, const struct client_report *r)
{
	return oidc_client_has_password(r->p->oidc)
		       ? "a secret that both sides know; a key of its own is better"
		       : NULL;
}

static const char *
bearer(struct arena *a UNUSED, const struct client_report *r)
{
	const struct oidc_client *c = r->p->oidc;

	return c->grant_types.n > 0 && !c->dpop_bound && !c->tls_bound &&
			       (c->profile->checks & OIDC_CHECK_BOUND_TOKENS) == 0
		       ? "tokens that are stolen can be used by others"
		       : NULL;
}

static const char *
hears_nothing(struct arena *a UNUSED, const struct client_report *r)
{
	const struct oidc_client *c = r->p->oidc;

	return c->response_types != 0 && c->backchannel_logout_uri == NULL &&
			       c->frontchannel_logout_uri == NULL
		       ? "it is not told when people log out elsewhere"
		       : NULL;
}

static const char *
hears_by_frame(struct arena *a UNUSED, const struct client_report *r)
{
	const struct oidc_client *c = r->p->oidc;

	return c->backchannel_logout_uri == NULL && c->frontchannel_logout_uri != NULL
		       ? "nobody confirms a logout in a frame, and browsers may keep its cookies"
		       : NULL;
}

static const char *
no_resource(struct arena *a, const struct client_report *r)
{
	struct oidc_strs uris = r->p->oidc->resources;

	for (size_t i = 0; i < uris.n; i++)
		if (party_of_resource(r->parties, uris.s[i]) == NULL)
			return arena_printf(a, "%s is nobody's, or disabled", uris.s[i]);
	return NULL;
}

static const char *
no_actor(struct arena *a, const struct client_report *r)
{
	struct oidc_strs ids = r->p->oidc->may_act;

	for (size_t i = 0; i < ids.n; i++) {
		const struct party *p = party_find(r->parties, ids.s[i]);

		if (p == NULL || p->oidc == NULL || !has_grant(p->oidc, OIDC_GRANT_EXCHANGE))
			return arena_printf(a, "%s is no client that exchanges tokens", ids.s[i]);
	}
	return NULL;
}

static const char *
exchanges_nothing(struct arena *a UNUSED, const struct client_report *r)
{
	const struct oidc_client *c = r->p->oidc;

	return has_grant(c, OIDC_GRANT_EXCHANGE) && c->resource_uris.n > 0 && c->resources.n == 0
		       ? "it exchanges tokens, and there is no service to exchange them for"
		       : NULL;
}

static const struct {
	const char *member, *clause;
	trouble_fn *of;
} troubles[] = {
	{"jwks", "RFC 7523 3", no_keys},
	{"jwks_uri", NULL, keys_away},
	{"jwks", "RFC 7517 4.7", old_certificates},
	{"jwks_uri", NULL, keys_inside},
	{"backchannel_logout_uri", NULL, logout_inside},
	{"backchannel_client_notification_endpoint", NULL, ping_inside},
	{"redirect_uris", "RFC 8252 8.3", plain_redirect},
	{"token_endpoint_auth_method", "RFC 9700 2.5", shared_secret},
	{"dpop_bound_access_tokens", "RFC 9700 2.2.1", bearer},
	{"backchannel_logout_uri", NULL, hears_nothing},
	{"backchannel_logout_uri", "Front-Channel Logout 1.0, 4.1", hears_by_frame},
	{"resources", "RFC 8707 2", no_resource},
	{"may_act", NULL, no_actor},
	{"resources", "RFC 8693 2.1", exchanges_nothing},
};

static const char *
keys_from(struct arena *a, const struct client_report *r)
{
	const struct db_source *s = r->keys;

	if (s == NULL)
		return NULL;
	return arena_printf(a, "%s, fetched %s, next %s", s->url,
			    s->fetched == 0 ? "never" : clock_text(a, s->fetched),
			    clock_text(a, s->due));
}

/* What is never told, whatever its requests ask for, is not among these (idp/release.h). */
static const char *
learns_text(struct arena *a, const struct wanted_list learns)
{
	struct buf b;

	buf_init(&b, a, TEXT_MAX);
	for (size_t i = 0; i < learns.n; i++)
		buf_printf(&b, "%s%s%s", i == 0 ? "" : ", ", learns.p[i].at->name,
			   learns.p[i].required ? " (required)" : "");
	return b.n == 0 ? "no attribute of a person" : (const char *)b.p;
}

json_t *
client_report_build(struct arena *a, const struct client_report *r)
{
	json_t *o = json_new_object(a), *allows = json_new_object(a);
	json_t *warnings = json_new_array(a);

	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		json_put_str(a, allows, facts[i].name, facts[i].text(a, r->p->oidc));
	for (size_t i = 0; i < ARRAY_LEN(troubles); i++) {
		const char *what = troubles[i].of(a, r);
		json_t *w = json_new_object(a);

		if (what == NULL)
			continue;
		json_put_str(a, w, "member", troubles[i].member);
		json_put_str(a, w, "what", what);
		json_put_str(a, w, "clause", troubles[i].clause);
		json_push(a, warnings, w);
	}
	if (r->p->oidc->response_types != 0 || has_grant(r->p->oidc, OIDC_GRANT_CIBA) ||
	    has_grant(r->p->oidc, OIDC_GRANT_DEVICE)) {
		json_put_str(a, allows, "learns", learns_text(a, r->p->policy.attributes));
		json_put_str(a, allows, "hears a level up to",
			     level_word(r->p->policy.level_cap, LEVEL_VOCAB_SHORT));
	}
	json_put_str(a, allows, "keys come from", keys_from(a, r));
	json_put(a, o, "allows", allows);
	json_put(a, o, "warnings", warnings);
	return o;
}
