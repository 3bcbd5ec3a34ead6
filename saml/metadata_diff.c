/* From one version of a party's metadata to the next; see metadata_diff.h. */
#include "saml/metadata_diff.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "saml/metadata_diff_part.h"

#define MAX_CHANGES   200
#define MAX_TEXT      ((size_t)4 * 1024 * 1024)
#define HTTPS_DEFAULT ":443"

void
diff_find(struct diff *d, const char *subject, const char *fmt, ...)
{
	va_list ap;

	if (d->n == MAX_CHANGES)
		return;
	va_start(ap, fmt);
	d->found[d->n++] = (struct saml_change){
		.risk = d->signed_by_pinned && d->rule->unless_signed ? SAML_RISK_PLAIN
								      : d->rule->risk,
		.number = d->rule->number,
		.rule = d->rule->id,
		.subject = subject,
		.text = arena_vprintf(d->a, fmt, ap),
	};
	va_end(ap);
}

/* ---- endpoints ---- */

/* "https://host" in lower case, without the port that needs no saying. */
static const char *
origin_of(struct arena *a, const char *url)
{
	const char *host = strstr(url, "://");
	size_t n = host == NULL ? strlen(url) : (size_t)(host - url) + 3 + strcspn(host + 3, "/?#");
	char *s = arena_strndup(a, url, n);

	for (char *c = s; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	if (text_starts(s, "https://") && n > strlen(HTTPS_DEFAULT) &&
	    strcmp(s + n - strlen(HTTPS_DEFAULT), HTTPS_DEFAULT) == 0)
		s[n - strlen(HTTPS_DEFAULT)] = '\0';
	return s;
}

static bool
has_origin(struct arena *a, const struct saml_endpoints *list, const char *origin)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(origin_of(a, list->p[i].url), origin) == 0 ||
		    strcmp(origin_of(a, list->p[i].response_url), origin) == 0)
			return true;
	return false;
}

static bool
is_told(const struct diff *d, const char *subject)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->found[i].rule == d->rule->id && strcmp(d->found[i].subject, subject) == 0)
			return true;
	return false;
}

/* Origins of `list` where the party had none of these endpoints before. */
static void
find_origins(struct diff *d, const char *what, const struct saml_endpoints *list,
	     const struct saml_endpoints *known, const struct saml_endpoints *also)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *const urls[] = {list->p[i].url, list->p[i].response_url};

		for (size_t u = 0; u < ARRAY_LEN(urls); u++) {
			const char *origin = origin_of(d->a, urls[u]);

			if (!has_origin(d->a, known, origin) &&
			    (also == NULL || !has_origin(d->a, also, origin)) &&
			    !is_told(d, origin))
				diff_find(d, origin, "%s %s is at a place it was not before: %s",
					  what, urls[u], origin);
		}
	}
}

static void
look_acs_host(struct diff *d)
{
	find_origins(d, "AssertionConsumerService", &d->after->acs, &d->before->acs,
		     &d->before->acs_client);
	find_origins(d, "AssertionConsumerService", &d->after->acs_client, &d->before->acs,
		     &d->before->acs_client);
}

static void
look_slo_host(struct diff *d)
{
	find_origins(d, "SingleLogoutService", &d->after->slo, &d->before->slo, &d->before->acs);
}

static bool
has_endpoint(const struct saml_endpoints *list, const struct saml_endpoint *e)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->p[i].binding == e->binding && list->p[i].index == e->index &&
		    list->p[i].is_default == e->is_default && strcmp(list->p[i].url, e->url) == 0 &&
		    strcmp(list->p[i].response_url, e->response_url) == 0)
			return true;
	return false;
}

/* Those of `list` that `other` does not have, word for word. */
static void
find_endpoints(struct diff *d, const char *what, const struct saml_endpoints *list,
	       const struct saml_endpoints *other, const char *verdict)
{
	for (size_t i = 0; i < list->n; i++)
		if (!has_endpoint(other, &list->p[i]))
			diff_find(d, list->p[i].url, "%s %s %s", what, list->p[i].url, verdict);
}

static void
look_acs(struct diff *d)
{
	find_endpoints(d, "AssertionConsumerService", &d->after->acs, &d->before->acs,
		       "is new, or new in this way");
	find_endpoints(d, "AssertionConsumerService", &d->before->acs, &d->after->acs,
		       "is gone, or gone in this way");
	find_endpoints(d, "AssertionConsumerService", &d->after->acs_client, &d->before->acs_client,
		       "is new, or new in this way");
	find_endpoints(d, "AssertionConsumerService", &d->before->acs_client, &d->after->acs_client,
		       "is gone, or gone in this way");
}

static void
look_slo(struct diff *d)
{
	find_endpoints(d, "SingleLogoutService", &d->after->slo, &d->before->slo,
		       "is new, or new in this way");
	find_endpoints(d, "SingleLogoutService", &d->before->slo, &d->after->slo,
		       "is gone, or gone in this way");
}

static void
look_sso_host(struct diff *d)
{
	find_origins(d, "SingleSignOnService", &d->after->sso, &d->before->sso, NULL);
}

static void
look_sso(struct diff *d)
{
	find_endpoints(d, "SingleSignOnService", &d->after->sso, &d->before->sso,
		       "is new, or new in this way");
	find_endpoints(d, "SingleSignOnService", &d->before->sso, &d->after->sso,
		       "is gone, or gone in this way");
}

static void
look_acs_default(struct diff *d)
{
	const struct saml_endpoint *was = saml_party_acs(d->before, NULL, -1, SAML_BINDING_NONE);
	const struct saml_endpoint *is = saml_party_acs(d->after, NULL, -1, SAML_BINDING_NONE);

	if (was != NULL && is != NULL && strcmp(was->url, is->url) != 0)
		diff_find(d, is->url,
			  "answers go to %s when a request names no address, before to %s", is->url,
			  was->url);
}

/* ---- what it demands and asks for ---- */

static void
look_requests_signed(struct diff *d)
{
	if (d->before->authn_requests_signed && !d->after->authn_requests_signed)
		diff_find(d, "", "AuthnRequestsSigned is not true any more");
}

static void
look_assertions_signed(struct diff *d)
{
	if (d->before->want_assertions_signed && !d->after->want_assertions_signed)
		diff_find(d, "", "WantAssertionsSigned is not true any more");
}

static void
look_signed_more(struct diff *d)
{
	if (!d->before->authn_requests_signed && d->after->authn_requests_signed)
		diff_find(d, "AuthnRequestsSigned", "AuthnRequestsSigned is true now");
	if (!d->before->want_assertions_signed && d->after->want_assertions_signed)
		diff_find(d, "WantAssertionsSigned", "WantAssertionsSigned is true now");
}

static void
look_wants_signed(struct diff *d)
{
	if (d->before->want_requests_signed != d->after->want_requests_signed)
		diff_find(d, "", "WantAuthnRequestsSigned is %s",
			  d->after->want_requests_signed ? "true now" : "not true any more");
}

/* A domain it did not speak for. */
static void
look_scope(struct diff *d)
{
	for (size_t i = 0; i < d->after->n_scopes; i++)
		if (!text_in(d->before->scopes, d->before->n_scopes, d->after->scopes[i]))
			diff_find(d, d->after->scopes[i],
				  "it speaks for %s, which it did not before", d->after->scopes[i]);
}

static void
look_scope_gone(struct diff *d)
{
	for (size_t i = 0; i < d->before->n_scopes; i++)
		if (!text_in(d->after->scopes, d->after->n_scopes, d->before->scopes[i]))
			diff_find(d, d->before->scopes[i], "it does not speak for %s any more",
				  d->before->scopes[i]);
}

/* Asked for by any of its services; *required: by one of them as required. */
static bool
asks_for(const struct saml_party *p, const char *name, bool *required)
{
	bool asked = false;

	*required = false;
	for (size_t s = 0; s < p->n_services; s++)
		for (size_t i = 0; i < p->services[s].n_attributes; i++)
			if (strcmp(p->services[s].attributes[i].name, name) == 0) {
				asked = true;
				*required = *required || p->services[s].attributes[i].required;
			}
	return asked;
}

static bool
requires_it(const struct saml_attribute_service *v, const char *name)
{
	for (size_t i = 0; v != NULL && i < v->n_attributes; i++)
		if (v->attributes[i].required && strcmp(v->attributes[i].name, name) == 0)
			return true;
	return false;
}

/* For those who ask by this index, -1: for those who name none; new ones ask nobody yet. */
static bool
becomes_required(const struct diff *d, int index, const char *name)
{
	const struct saml_attribute_service *was = saml_party_service(d->before, index);

	return was != NULL && !requires_it(was, name) &&
	       requires_it(saml_party_service(d->after, index), name);
}

static bool
becomes_required_anywhere(const struct diff *d, const char *name)
{
	for (size_t s = 0; s < d->after->n_services; s++)
		if (becomes_required(d, d->after->services[s].index, name))
			return true;
	return becomes_required(d, -1, name);
}

enum asked { ASKED_ANEW, ASKED_REQUIRED };

static void
find_asked(struct diff *d, enum asked which)
{
	for (size_t s = 0; s < d->after->n_services; s++)
		for (size_t i = 0; i < d->after->services[s].n_attributes; i++) {
			const char *name = d->after->services[s].attributes[i].name;
			bool was, is, known = asks_for(d->before, name, &was);

			(void)asks_for(d->after, name, &is);
			if (is_told(d, name))
				continue;
			if (which == ASKED_ANEW && !known)
				diff_find(d, name, "it asks for \"%s\", which it did not before",
					  name);
			if (which == ASKED_REQUIRED && known &&
			    ((is && !was) || becomes_required_anywhere(d, name)))
				diff_find(d, name, "\"%s\" is required, before it was not", name);
		}
}

static void
look_attribute_new(struct diff *d)
{
	find_asked(d, ASKED_ANEW);
}

static void
look_attribute_required(struct diff *d)
{
	find_asked(d, ASKED_REQUIRED);
}

/* pairwise-id keeps portals from comparing notes; subject-id does not. */
static void
look_subject_id(struct diff *d)
{
	if (!text_eq(d->before->subject_id, d->after->subject_id))
		diff_find(d, d->after->subject_id == NULL ? "" : d->after->subject_id,
			  "subject-id:req is %s, before %s",
			  d->after->subject_id == NULL ? "not stated" : d->after->subject_id,
			  d->before->subject_id == NULL ? "not stated" : d->before->subject_id);
}

/* ---- for how long ---- */

static const char *
until_text(struct arena *a, time_t until)
{
	return until == 0 ? "without end" : clock_text(a, until);
}

/* Where no end is stated there is none. */
static bool
ends_before(time_t x, time_t y)
{
	return x != 0 && (y == 0 || x < y);
}

static void
look_shorter(struct diff *d)
{
	if (ends_before(d->after->valid_until, d->before->valid_until))
		diff_find(d, "", "it is valid for a shorter time: %s, before %s",
			  until_text(d->a, d->after->valid_until),
			  until_text(d->a, d->before->valid_until));
}

static void
look_longer(struct diff *d)
{
	if (ends_before(d->before->valid_until, d->after->valid_until))
		diff_find(d, "", "it is valid for longer: %s, before %s",
			  until_text(d->a, d->after->valid_until),
			  until_text(d->a, d->before->valid_until));
}

static void
look_cache(struct diff *d)
{
	if (d->before->cache_s != d->after->cache_s)
		diff_find(d, "", "cacheDuration has changed");
}

/* ---- what is compared as a whole ---- */

/* What has to be equal, as one text; NULL parts count as empty. */
static const char *
as_text(const struct diff *d, const struct saml_party *p,
	void (*write)(struct buf *b, const struct saml_party *p))
{
	const char *out = "";
	struct buf b;

	buf_init(&b, d->a, MAX_TEXT);
	write(&b, p);
	(void)!buf_finish_str(&b, &out, NULL);
	return out;
}

static bool
differs(const struct diff *d, void (*write)(struct buf *b, const struct saml_party *p))
{
	return strcmp(as_text(d, d->before, write), as_text(d, d->after, write)) != 0;
}

static void
put(struct buf *b, const char *s)
{
	buf_printf(b, "%s\n", s == NULL ? "" : s);
}

static void
put_texts(struct buf *b, const struct saml_texts *t)
{
	for (size_t i = 0; i < t->n; i++) {
		put(b, t->p[i].lang);
		put(b, t->p[i].text);
	}
	put(b, "");
}

static void
put_all(struct buf *b, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(b, list[i]);
	put(b, "");
}

static void
write_name(struct buf *b, const struct saml_party *p)
{
	put_texts(b, &p->display_name);
}

static void
write_people(struct buf *b, const struct saml_party *p)
{
	put_texts(b, &p->organization_name);
	put_texts(b, &p->organization_display_name);
	put_texts(b, &p->organization_url);
	for (size_t i = 0; i < p->n_contacts; i++) {
		put(b, p->contacts[i].type);
		put(b, p->contacts[i].email);
	}
}

static void
write_formats(struct buf *b, const struct saml_party *p)
{
	put_all(b, p->nameid_formats, p->n_nameid_formats);
}

static void
write_services(struct buf *b, const struct saml_party *p)
{
	for (size_t s = 0; s < p->n_services; s++) {
		const struct saml_attribute_service *v = &p->services[s];

		buf_printf(b, "%d %d\n", v->index, v->is_default);
		put_texts(b, &v->name);
		for (size_t i = 0; i < v->n_attributes; i++) {
			put(b, v->attributes[i].name);
			put(b, v->attributes[i].name_format);
			put(b, v->attributes[i].friendly_name);
			put(b, v->attributes[i].required ? "required" : "");
		}
	}
}

static void
write_algorithms(struct buf *b, const struct saml_party *p)
{
	for (size_t i = 0; i < p->n_signing_methods; i++) {
		put(b, p->signing_methods[i].uri);
		buf_printf(b, "%d %d\n", p->signing_methods[i].min_bits,
			   p->signing_methods[i].max_bits);
	}
	put_all(b, p->digest_methods, p->n_digest_methods);
	for (size_t k = 0; k < p->n_keys; k++)
		for (size_t i = 0; i < p->keys[k].n_methods; i++) {
			const struct saml_encryption_method *m = &p->keys[k].methods[i];

			put(b, m->uri);
			put_all(b, m->digests, m->n_digests);
			put_all(b, m->masks, m->n_masks);
		}
}

static const char *
name_of(const struct saml_party *p)
{
	const char *name = saml_texts_find(&p->display_name, "de");

	return name == NULL ? "" : name;
}

static void
look_name(struct diff *d)
{
	if (differs(d, write_name))
		diff_find(d, as_text(d, d->after, write_name),
			  "the name for people is \"%s\" (mdui:DisplayName), before \"%s\"",
			  name_of(d->after), name_of(d->before));
}

static void
look_people(struct diff *d)
{
	if (differs(d, write_people))
		diff_find(d, "", "Organization or ContactPerson has changed");
}

static void
look_formats(struct diff *d)
{
	if (differs(d, write_formats))
		diff_find(d, "", "NameIDFormat has changed");
}

static void
look_services(struct diff *d)
{
	if (differs(d, write_services))
		diff_find(d, "", "AttributeConsumingService has changed");
}

static void
look_algorithms(struct diff *d)
{
	if (differs(d, write_algorithms))
		diff_find(d, "", "the algorithms it lists have changed");
}

static void
look_entity_id(struct diff *d)
{
	if (strcmp(d->before->entity_id, d->after->entity_id) != 0)
		diff_find(d, d->after->entity_id, "it is of another entity: %s",
			  d->after->entity_id);
}

/* ---- the rules ---- */

/* Gravest first: the order of the changes; those `unless_signed` stand between.  Numbers and ids
 * are stable (documents, `--json`). */
static const struct row {
	struct saml_change_rule rule;
	void (*look)(struct diff *d);
} rows[] = {
	{{1, SAML_RISK_REFUSED, "entity-id", "It is of another entity.", false}, look_entity_id},
	{{2, SAML_RISK_HELD, "acs-host",
	  "An AssertionConsumerService at a host, port or scheme where none was.", false},
	 look_acs_host},
	{{3, SAML_RISK_HELD, "slo-host",
	  "A SingleLogoutService at a host, port or scheme where it had no endpoint.", false},
	 look_slo_host},
	{{30, SAML_RISK_HELD, "sso-host",
	  "A SingleSignOnService at a host, port or scheme where none was.", false},
	 look_sso_host},
	{{31, SAML_RISK_HELD, "scope-new", "It speaks for a scope it did not speak for.", false},
	 look_scope},
	{{4, SAML_RISK_HELD, "signing-keys-gone", "It has no signing key any more.", false},
	 look_signing_gone},
	{{5, SAML_RISK_HELD, "encryption-keys-gone",
	  "It has no encryption key any more, or none that we can use: assertions would go in "
	  "clear.",
	  false},
	 look_encryption_gone},
	{{6, SAML_RISK_HELD, "signing-key-replaced",
	  "New signing keys, and none of those before remains beside them.", false},
	 look_signing_replaced},
	{{7, SAML_RISK_HELD, "encryption-key-replaced",
	  "New encryption keys, and none of those before remains beside them.", false},
	 look_encryption_replaced},
	{{8, SAML_RISK_HELD, "encryption-weaker", "Its best key transport uses SHA-1 now.", false},
	 look_encryption_weaker},
	{{9, SAML_RISK_HELD, "requests-unsigned", "AuthnRequestsSigned is not true any more.",
	  false},
	 look_requests_signed},
	{{10, SAML_RISK_HELD, "assertions-unsigned", "WantAssertionsSigned is not true any more.",
	  false},
	 look_assertions_signed},
	{{11, SAML_RISK_HELD, "shorter-validity",
	  "validUntil is earlier, or stated where it was not.", false},
	 look_shorter},
	{{12, SAML_RISK_HELD, "name", "mdui:DisplayName has changed.", false}, look_name},
	{{13, SAML_RISK_HELD, "attribute-new", "It asks for an attribute it did not ask for.",
	  false},
	 look_attribute_new},
	{{14, SAML_RISK_HELD, "attribute-required",
	  "An attribute is required that could be declined.", false},
	 look_attribute_required},
	{{15, SAML_RISK_HELD, "subject-id", "Another subject identifier is asked for.", false},
	 look_subject_id},
	{{16, SAML_RISK_HELD, "recipient-key", "Assertions would be encrypted to another key.",
	  true},
	 look_recipient},
	{{17, SAML_RISK_HELD, "signing-key-new", "A signing key is new.", true}, look_signing_new},
	{{18, SAML_RISK_PLAIN, "acs",
	  "An AssertionConsumerService is new, changed or gone, at a host that was there.", false},
	 look_acs},
	{{19, SAML_RISK_PLAIN, "acs-default", "Another AssertionConsumerService is the default.",
	  false},
	 look_acs_default},
	{{20, SAML_RISK_PLAIN, "slo",
	  "A SingleLogoutService is new, changed or gone, at a host that was there.", false},
	 look_slo},
	{{32, SAML_RISK_PLAIN, "sso",
	  "A SingleSignOnService is new, changed or gone, at a host that was there.", false},
	 look_sso},
	{{33, SAML_RISK_PLAIN, "scope", "It does not speak for a scope any more.", false},
	 look_scope_gone},
	{{34, SAML_RISK_PLAIN, "requests-wanted", "WantAuthnRequestsSigned has changed.", false},
	 look_wants_signed},
	{{21, SAML_RISK_PLAIN, "keys",
	  "An encryption key is new, or a key is gone and another of its use remains.", false},
	 look_keys},
	{{22, SAML_RISK_PLAIN, "certificate", "A key comes in another certificate.", false},
	 look_certificate},
	{{23, SAML_RISK_PLAIN, "signed-more",
	  "AuthnRequestsSigned or WantAssertionsSigned is true now.", false},
	 look_signed_more},
	{{24, SAML_RISK_PLAIN, "services", "AttributeConsumingService has changed.", false},
	 look_services},
	{{25, SAML_RISK_PLAIN, "formats", "NameIDFormat has changed.", false}, look_formats},
	{{26, SAML_RISK_PLAIN, "algorithms", "The algorithms it lists have changed.", false},
	 look_algorithms},
	{{27, SAML_RISK_PLAIN, "people", "Organization or ContactPerson has changed.", false},
	 look_people},
	{{28, SAML_RISK_RENEWAL, "longer-validity", "validUntil is later, or not stated any more.",
	  false},
	 look_longer},
	{{29, SAML_RISK_RENEWAL, "cache-duration", "cacheDuration has changed.", false},
	 look_cache},
};

void
saml_metadata_diff(struct arena *a, const struct saml_party *before, const struct saml_party *after,
		   bool signed_by_pinned, struct saml_changes *out)
{
	struct diff d = {
		.a = a, .before = before, .after = after, .signed_by_pinned = signed_by_pinned};

	d.found = ARENA_ARRAY(a, struct saml_change, MAX_CHANGES);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		d.rule = &rows[i].rule;
		rows[i].look(&d);
	}
	*out = (struct saml_changes){d.found, d.n};
}

enum saml_risk
saml_changes_risk(const struct saml_changes *changes)
{
	return changes->n == 0 ? SAML_RISK_RENEWAL : changes->p[0].risk;
}

void
saml_changes_digest(struct arena *a, const struct saml_changes *changes, enum saml_risk least,
		    unsigned char out[32])
{
	struct bytes *parts = ARENA_ARRAY(a, struct bytes, 2 * changes->n);
	size_t n = 0;

	/* Each with its NUL, so that two texts never read like another two. */
	for (size_t i = 0; i < changes->n && changes->p[i].risk <= least; i++) {
		const char *const texts[] = {changes->p[i].rule, changes->p[i].subject};

		for (size_t t = 0; t < ARRAY_LEN(texts); t++)
			parts[n++] = (struct bytes){(const unsigned char *)texts[t],
						    strlen(texts[t]) + 1};
	}
	hash_sha256_parts(parts, n, out);
}

const char *
saml_risk_word(enum saml_risk risk)
{
	static const char *const words[SAML_RISKS] = {"refused", "held", "plain", "renewal"};

	return words[risk];
}

const struct saml_change_rule *
saml_change_rule_at(size_t i)
{
	return i < ARRAY_LEN(rows) ? &rows[i].rule : NULL;
}
