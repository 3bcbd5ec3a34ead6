/* What there is to say of a member's metadata; see member_check.h. */
#include "idp/member_check.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "idp/federation_rules.h"
#include "saml/metadata_diff.h"
#include "saml/names.h"

#define FINDINGS_MOST 400
#define SOON_S        ((time_t)30 * 86400)
#define FIELDS        "TR-03160-2 4.3.2.1"
#define CHANGES       "since what was approved last"

struct telling {
	struct arena *a;
	const struct member_check *what;
	const struct saml_party *idp, *sp; /* NULL: it has not this role */
	struct err why_idp, why_sp;
	const struct xml_node *root; /* NULL: it is no XML */
	struct saml_finding *found;
	size_t n;
};

struct rule {
	enum saml_severity severity;
	const char *id, *clause;
	void (*look)(struct telling *t, const struct rule *r);
};

static void PRINTF_LIKE(3, 4) find(struct telling *t, const struct rule *r, const char *fmt, ...)
{
	va_list ap;

	if (t->n == FINDINGS_MOST)
		return;
	va_start(ap, fmt);
	t->found[t->n++] =
		(struct saml_finding){r->severity, r->id, r->clause, arena_vprintf(t->a, fmt, ap)};
	va_end(ap);
}

/* Role i of 2; NULL: it has not. *word: "idp", "sp". */
static const struct saml_party *
role(const struct telling *t, size_t i, const char **word)
{
	*word = i == 0 ? "idp" : "sp";
	return i == 0 ? t->idp : t->sp;
}

/* ---- the whole ---- */

static void
look_role(struct telling *t, const struct rule *r)
{
	if (t->idp == NULL && t->sp == NULL)
		find(t, r, "it is neither identity provider nor service provider: %s; %s",
		     t->why_idp.text, t->why_sp.text);
}

/* A descriptor for SAML 2.0 that does not read. */
static bool
has_descriptor(const struct telling *t, const char *name)
{
	const struct xml_node *n = t->root == NULL ? NULL : xml_first(t->root);

	for (; n != NULL; n = xml_next(n)) {
		const char *speaks = xml_attr(n, "protocolSupportEnumeration");

		if (xml_is(n, SAML_NS_METADATA, name) && speaks != NULL &&
		    strstr(speaks, SAML_NS_PROTOCOL) != NULL)
			return true;
	}
	return false;
}

static void
look_unreadable(struct telling *t, const struct rule *r)
{
	if (t->idp == NULL && t->sp != NULL && has_descriptor(t, "IDPSSODescriptor"))
		find(t, r, "idp: %s", t->why_idp.text);
	if (t->sp == NULL && t->idp != NULL && has_descriptor(t, "SPSSODescriptor"))
		find(t, r, "sp: %s", t->why_sp.text);
}

static void
look_over(struct telling *t, const struct rule *r)
{
	time_t until = t->what->valid_until;

	if (until != 0 && until <= t->what->now)
		find(t, r, "its validUntil has passed: %s", clock_text(t->a, until));
}

static void
look_soon(struct telling *t, const struct rule *r)
{
	time_t until = t->what->valid_until;

	if (until > t->what->now && until - t->what->now < SOON_S)
		find(t, r, "it is a member until %s and no longer (--until)",
		     clock_text(t->a, until));
}

/* What is published has an end of its own; all else is the member's to say. */
static void
look_fields(struct telling *t, const struct rule *r)
{
	unsigned has = ~0u;
	const char *word;

	for (size_t i = 0; i < 2; i++)
		if (role(t, i, &word) != NULL)
			has &= federation_fields_of(role(t, i, &word)) | FEDERATION_VALID_UNTIL;
	for (unsigned bit = 1; bit <= FEDERATION_CONTACT_OTHER; bit <<= 1)
		if ((has & bit) == 0)
			find(t, r, "it has no %s", federation_fields_text(t->a, bit));
}

/* ---- keys ---- */

static void
look_key_unusable(struct telling *t, const struct rule *r)
{
	const struct saml_party *p;
	const char *word;

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; (p = role(t, i, &word)) != NULL && k < p->n_keys; k++)
			if (p->keys[k].pub == NULL)
				find(t, r, "%s: key %zu cannot be used: %s", word, k + 1,
				     p->keys[k].problem);
}

static void
look_no_key(struct telling *t, const struct rule *r)
{
	if (t->idp != NULL && t->idp->signing.n == 0)
		find(t, r, "idp: there is no key that its answers could be verified by");
}

static void
look_keys(struct telling *t, const struct rule *r)
{
	const struct saml_party *p;
	const char *word;

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; (p = role(t, i, &word)) != NULL && k < p->n_keys; k++) {
			const struct saml_party_key *key = &p->keys[k];

			if (key->pub != NULL)
				find(t, r, "%s: %s for %s, its certificate until %.10s, SHA-256 %s",
				     word, saml_key_words(t->a, key),
				     key->signing && key->encryption ? "signing and encryption"
				     : key->signing                  ? "signing"
								     : "encryption",
				     clock_text(t->a, key->not_after), key->sha256);
		}
}

static void
look_certificate(struct telling *t, const struct rule *r)
{
	const struct saml_party *p;
	const char *word;

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; (p = role(t, i, &word)) != NULL && k < p->n_keys; k++)
			if (p->keys[k].pub != NULL && p->keys[k].not_after <= t->what->now)
				find(t, r, "%s: the certificate of key %zu ended on %.10s", word,
				     k + 1, clock_text(t->a, p->keys[k].not_after));
}

/* ---- endpoints, scopes, the logo ---- */

static void
tell_endpoints(struct telling *t, const struct rule *r, const struct saml_endpoints *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!text_starts(list->p[i].url, "https://"))
			find(t, r, "idp: %s is not an https URL", list->p[i].url);
}

static void
look_endpoints(struct telling *t, const struct rule *r)
{
	if (t->idp == NULL)
		return;
	tell_endpoints(t, r, &t->idp->sso);
	tell_endpoints(t, r, &t->idp->slo);
}

static void
look_no_endpoint(struct telling *t, const struct rule *r)
{
	if (t->idp != NULL && t->idp->sso.n == 0)
		find(t, r, "idp: it is asked neither by Redirect nor by POST");
}

static void
look_no_scope(struct telling *t, const struct rule *r)
{
	if (t->idp != NULL && t->idp->n_scopes == 0)
		find(t, r,
		     "idp: it names no scope, so it speaks for nobody where members are "
		     "held to theirs (scoped)");
}

static void
look_scopes(struct telling *t, const struct rule *r)
{
	for (size_t i = 0; t->idp != NULL && i < t->idp->n_scopes; i++)
		find(t, r, "idp: it speaks for %s", t->idp->scopes[i]);
}

static const struct xml_node *
child(const struct xml_node *n, const char *ns, const char *name)
{
	for (const struct xml_node *c = n == NULL ? NULL : xml_first(n); c != NULL; c = xml_next(c))
		if (xml_is(c, ns, name))
			return c;
	return NULL;
}

static const struct xml_node *
ui_of(const struct saml_party *p)
{
	return child(child(p->role, SAML_NS_METADATA, "Extensions"), SAML_NS_MDUI, "UIInfo");
}

static void
look_no_logo(struct telling *t, const struct rule *r)
{
	const char *word;

	for (size_t i = 0; i < 2; i++)
		if (role(t, i, &word) != NULL &&
		    child(ui_of(role(t, i, &word)), SAML_NS_MDUI, "Logo") == NULL)
			find(t, r, "%s: it has no logo to be shown to people", word);
}

static void
look_logo(struct telling *t, const struct rule *r)
{
	const char *word, *url;

	for (size_t i = 0; i < 2; i++) {
		const struct saml_party *p = role(t, i, &word);
		const struct xml_node *ui = p == NULL ? NULL : ui_of(p);

		for (const struct xml_node *c = ui == NULL ? NULL : xml_first(ui); c != NULL;
		     c = xml_next(c)) {
			if (!xml_is(c, SAML_NS_MDUI, "Logo") || !xml_text(t->a, c, &url, NULL))
				continue;
			url = text_trim(t->a, url);
			if (!text_starts(url, "https://") && !text_starts(url, "data:image/"))
				find(t, r,
				     "%s: its logo %.200s is neither an https URL nor in the "
				     "metadata",
				     word, url);
		}
	}
}

/* ---- what becomes different ---- */

static void
tell_changes(struct telling *t, const struct rule *r, bool grave)
{
	for (size_t i = 0; t->what->before.n > 0 && i < 2; i++) {
		const struct saml_party *was, *is;
		struct saml_changes changes;
		const char *word;

		is = role(t, i, &word);
		if (!saml_metadata_parse_role(t->a, t->what->before, t->what->entity_id, i == 0,
					      &was, NULL))
			was = NULL;
		if (is == NULL && was == NULL)
			continue;
		if (is == NULL || was == NULL) {
			if (grave)
				find(t, r, "%s: it %s this role", word,
				     is == NULL ? "gives up" : "takes on");
			continue;
		}
		saml_metadata_diff(t->a, was, is, true, &changes);
		for (size_t k = 0; k < changes.n; k++)
			if ((changes.p[k].risk <= SAML_RISK_HELD) == grave)
				find(t, r, "%s: %s: %s", word, changes.p[k].rule,
				     changes.p[k].text);
	}
}

static void
look_grave_changes(struct telling *t, const struct rule *r)
{
	tell_changes(t, r, true);
}

static void
look_changes(struct telling *t, const struct rule *r)
{
	tell_changes(t, r, false);
}

static void
look_new(struct telling *t, const struct rule *r)
{
	if (t->what->before.n == 0)
		find(t, r, "nothing of this member has been approved before");
}

/* Gravest first. */
static const struct rule rules[] = {
	{SAML_FATAL, "member-role", "SAML2Metadata 2.4.1", look_role},
	{SAML_FATAL, "member-unreadable", "SAML2Metadata 2.4", look_unreadable},
	{SAML_FATAL, "member-over", FIELDS, look_over},
	{SAML_FATAL, "idp-no-key", "TR-03160-2 4.3.2.8", look_no_key},
	{SAML_FATAL, "idp-no-endpoint", "SAML2Metadata 2.4.3", look_no_endpoint},
	{SAML_FATAL, "idp-endpoint", "SAML2Metadata 2.4.3", look_endpoints},
	{SAML_WARNING, "changed-gravely", CHANGES, look_grave_changes},
	{SAML_WARNING, "member-field", FIELDS, look_fields},
	{SAML_WARNING, "member-key", "TR-03160-2 4.3.2.9", look_key_unusable},
	{SAML_WARNING, "member-soon-over", FIELDS, look_soon},
	{SAML_WARNING, "idp-no-scope", "shibmd:Scope", look_no_scope},
	{SAML_WARNING, "member-logo", "SAML2MDUI 2.1.5", look_logo},
	{SAML_NOTE, "member-new", CHANGES, look_new},
	{SAML_NOTE, "changed", CHANGES, look_changes},
	{SAML_NOTE, "member-certificate", "SAML2MetaIOP 2.6.1", look_certificate},
	{SAML_NOTE, "member-no-logo", "SAML2MDUI 2.1.5", look_no_logo},
	{SAML_FINE, "member-keys", "TR-03160-2 4.3.2.9", look_keys},
	{SAML_FINE, "idp-scopes", "shibmd:Scope", look_scopes},
};

const char *
member_rule_at(size_t i)
{
	return i < ARRAY_LEN(rules) ? rules[i].id : NULL;
}

/* What a portal's metadata are judged by, whoever registers them. */
static void
add_portal(struct telling *t)
{
	const struct saml_finding *found;
	size_t n;

	if (t->sp == NULL)
		return;
	saml_metadata_lint(t->a, t->sp, 0, t->what->now, &found, &n);
	for (size_t i = 0; i < n && t->n < FINDINGS_MOST; i++)
		t->found[t->n++] = found[i];
}

void
member_examine(struct arena *a, const struct member_check *what, struct saml_checked *out)
{
	struct telling t = {.a = a, .what = what};
	struct xml_doc *doc;
	struct saml_finding *sorted = ARENA_ARRAY(a, struct saml_finding, FINDINGS_MOST);
	size_t n = 0;

	t.found = ARENA_ARRAY(a, struct saml_finding, FINDINGS_MOST);
	if (!saml_metadata_parse_role(a, what->document, what->entity_id, true, &t.idp, &t.why_idp))
		t.idp = NULL;
	if (!saml_metadata_parse_role(a, what->document, what->entity_id, false, &t.sp, &t.why_sp))
		t.sp = NULL;
	if (xml_parse(a, what->document, &xml_limits_metadata, &doc, NULL))
		t.root = xml_root(doc);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		rules[i].look(&t, &rules[i]);
	add_portal(&t);
	for (int severity = SAML_FATAL; severity >= SAML_FINE; severity--)
		for (size_t i = 0; i < t.n; i++)
			if ((int)t.found[i].severity == severity)
				sorted[n++] = t.found[i];
	*out = (struct saml_checked){.found = sorted, .n = n};
}
