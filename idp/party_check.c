/* What will happen with a SAML party; see party_check.h. */
#include "idp/party_check.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "idp/party_suite.h"
#include "idp/saml_attributes.h"
#include "saml/names.h"

#define TEXT_MAX ((size_t)256 * 1024)

struct telling {
	struct arena *a;
	struct party_work *p;
	size_t n, max;
};

static void PRINTF_LIKE(3, 4) tell(struct telling *t, const char *what, const char *fmt, ...)
{
	va_list ap;

	if (t->n == t->max)
		return;
	va_start(ap, fmt);
	t->p[t->n++] = (struct party_work){what, arena_vprintf(t->a, fmt, ap)};
	va_end(ap);
}

/* "HTTP-POST" of a binding's URI, "persistent" of a format's. */
static const char *
last_word(const char *uri)
{
	const char *colon = strrchr(uri, ':');

	return colon == NULL ? uri : colon + 1;
}

static void
tell_keys(struct telling *t, const struct saml_party *p)
{
	for (size_t i = 0; i < p->n_keys; i++) {
		const struct saml_party_key *k = &p->keys[i];
		const char *use = k->signing ? k->encryption ? "signing and encryption" : "signing"
					     : "encryption";

		if (k->pub != NULL)
			tell(t, "key", "%zu, for %s: %s, its certificate until %.10s, SHA-256 %s",
			     i + 1, use, saml_key_words(t->a, k), clock_text(t->a, k->not_after),
			     k->sha256);
	}
}

static void
tell_endpoints(struct telling *t, const struct saml_party *p)
{
	const struct saml_endpoint *first = saml_party_acs(p, NULL, -1, SAML_BINDING_NONE);
	const struct saml_endpoint *slo = saml_party_slo(p, SAML_BINDING_SOAP);

	for (size_t i = 0; i < p->acs.n; i++) {
		const struct saml_endpoint *e = &p->acs.p[i];

		tell(t, "answers", "by %s to %s, index %d%s",
		     last_word(saml_binding_find(e->binding)->uri), e->url, e->index,
		     e == first ? ", when a request names none" : "");
	}
	if (slo == NULL)
		slo = saml_party_slo(p, SAML_BINDING_NONE);
	if (slo == NULL)
		tell(t, "logout", "it is not told of logouts");
	else
		tell(t, "logout", "by %s to %s", last_word(saml_binding_find(slo->binding)->uri),
		     slo->url);
}

static void
tell_algorithms(struct telling *t, const struct party *p, time_t now)
{
	const struct saml_sign_wish wish = {p->policy.suite, SAML_SIGN_ALL, now};
	const struct xmlenc_recipient *to = &p->saml->recipient;
	const struct saml_suite *suite;
	struct err why = {0}, no_key = {0};

	if (saml_choose_suite(p->saml, &wish, &suite, &why))
		tell(t, "signature", "Response and assertion: %s", suite->name);
	else
		tell(t, "signature", "none, so there are no answers: %s", why.text);
	if (!party_can_encrypt(p, &no_key))
		tell(t, "encryption", "none, so there are no answers: %s", no_key.text);
	else if (to->key == NULL || p->policy.encrypt == ENCRYPT_NEVER)
		tell(t, "encryption", "none: assertions go in clear");
	else
		tell(t, "encryption", "%s, its key by %s", xmlenc_content_word(to->content),
		     xmlenc_transport_word(to->transport));
}

/* Does a request that names no service require it? */
static bool
service_requires(const struct saml_party *p, const struct attribute *at)
{
	const struct saml_attribute_service *s = saml_party_service(p, -1);

	for (size_t i = 0; s != NULL && i < s->n_attributes; i++)
		if (s->attributes[i].required && vocabulary_names(s->attributes[i].name, at))
			return true;
	return false;
}

static const char *
attribute_words(struct arena *a, const struct party *p)
{
	const char *text = "";
	struct buf b;

	buf_init(&b, a, TEXT_MAX);
	for (size_t i = 0; i < p->policy.attributes.n; i++) {
		const struct wanted *w = &p->policy.attributes.p[i];

		buf_printf(&b, "%s%s", i == 0 ? "" : ", ", vocabulary_name(p->policy.names, w->at));
		if (strcmp(vocabulary_name(p->policy.names, w->at), w->at->name) != 0)
			buf_printf(&b, " (%s)", w->at->name);
		if (w->required || service_requires(p->saml, w->at))
			buf_str(&b, " required");
	}
	(void)!buf_finish_str(&b, &text, NULL);
	return text;
}

/* What it asks to be told of the login itself; only when it is asked for by name. */
static const char *
fact_words(struct arena *a, const struct saml_party *p)
{
	const char *list = "";

	for (size_t s = 0; s < p->n_services; s++)
		for (size_t i = 0; i < p->services[s].n_attributes; i++) {
			const char *name = p->services[s].attributes[i].name;

			if (vocabulary_fact(name) != FACT_COUNT)
				list = arena_printf(a, "%s%s%s", list, *list == '\0' ? "" : ", ",
						    name);
		}
	return list;
}

/* The operator's record goes before what metadata require (front_saml). */
static void
tell_lacking(struct telling *t, const struct party *p)
{
	for (size_t s = 0; !p->policy.own_attributes && s < p->saml->n_services; s++) {
		const struct saml_named_list names =
			saml_attributes_of_service(t->a, &p->saml->services[s]);
		const char *name = saml_attributes_lacking(&names, p);

		if (name == NULL)
			continue;
		tell(t, "no answers",
		     "at service %d, which requires %s: nobody here can be told of it, unless the "
		     "record says what the party gets",
		     p->saml->services[s].index, name);
	}
}

static void
tell_names(struct telling *t, const struct party *p)
{
	const char *facts = fact_words(t->a, p->saml);
	const char *format = saml_party_nameid_format(p->saml, p->policy.nameid_formats);

	tell(t, "name", "%s, when a request does not say",
	     format == NULL ? "none" : last_word(format));
	tell(t, "pseudonym", "that of the sector %s", p->sector);
	tell(t, "level", "in the words of %s", level_vocabulary_name(p->policy.vocabulary));
	if (p->policy.attributes.n == 0)
		tell(t, "attributes", "none, unless the record names some");
	else
		tell(t, "attributes", "in the words of %s: %s", vocabulary_word(p->policy.names),
		     attribute_words(t->a, p));
	if (*facts != '\0')
		tell(t, "login", "what it asks of the login itself: %s", facts);
}

struct party_works
party_works(struct arena *a, const struct party *p, time_t now)
{
	struct telling t = {.a = a,
			    .max = p->saml->n_keys + p->saml->acs.n + p->saml->n_services + 9};

	t.p = ARENA_ARRAY(a, struct party_work, t.max);
	tell(&t, "party", "%s", p->id);
	tell_keys(&t, p->saml);
	tell_endpoints(&t, p->saml);
	tell_algorithms(&t, p, now);
	tell_names(&t, p);
	tell_lacking(&t, p);
	return (struct party_works){t.p, t.n};
}

/* ---- findings ---- */

const char *
party_severity_word(enum saml_severity severity)
{
	static const char *const words[] = {
		[SAML_FINE] = "ok",
		[SAML_NOTE] = "note",
		[SAML_WARNING] = "warning",
		[SAML_FATAL] = "error",
	};

	return words[severity];
}

void
party_tell_findings(struct arena *a, const struct saml_checked *checked, json_t *o,
		    struct buf *text)
{
	json_t *list = json_new_array(a);

	for (size_t i = 0; i < checked->n; i++) {
		const struct saml_finding *f = &checked->found[i];
		const char *severity = party_severity_word(f->severity);
		json_t *row = json_new_object(a);

		json_put_str(a, row, "severity", severity);
		json_put_str(a, row, "rule", f->rule);
		json_put_str(a, row, "clause", f->clause);
		json_put_str(a, row, "text", f->text);
		json_push(a, list, row);
		buf_printf(text, "%s: %s: %s (%s)\n", severity, f->rule, text_one_line(a, f->text),
			   f->clause);
	}
	json_put(a, o, "findings", list);
}
