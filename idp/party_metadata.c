/* Metadata before it counts; see party_metadata.h. */
#include "idp/party_metadata.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "idp/config.h"
#include "idp/party_suite.h"
#include "idp/vocabulary.h"
#include "keys/cert.h"

#define FETCH_LIMIT_MS 20000
#define ACCEPT         "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.8"
#define PEM_BEGIN      "-----BEGIN CERTIFICATE-----"
#define PEM_END        "-----END CERTIFICATE-----"
#define SIGNERS_MAX    8
#define END_WARNS_S    ((time_t)7 * 86400)

/* ---- from its URL ---- */

/* The next certificate of *pem, which goes on behind it; *out.n 0: there is none. */
static bool
next_pem(struct arena *a, const char **pem, struct bytes *out, struct err *err)
{
	const char *from = strstr(*pem, PEM_BEGIN), *to;

	*out = (struct bytes){NULL, 0};
	if (from == NULL)
		return true;
	from += strlen(PEM_BEGIN);
	to = strstr(from, PEM_END);
	if (to == NULL)
		return FAIL(err, ERR_INPUT, NULL, "a certificate in PEM without its end");
	*pem = to + strlen(PEM_END);
	return dec_base64(a, (struct bytes){(const unsigned char *)from, (size_t)(to - from)}, true,
			  out, err);
}

bool
party_signers_certs(struct arena *a, const char *pem, const struct bytes **out, size_t *n,
		    struct err *err)
{
	struct bytes *ders = ARENA_ARRAY(a, struct bytes, SIGNERS_MAX), der;

	for (*n = 0;; ders[(*n)++] = der) {
		if (!next_pem(a, &pem, &der, err))
			return false;
		if (der.n == 0)
			break;
		if (*n == SIGNERS_MAX)
			return FAIL(err, ERR_INPUT, NULL, "more than %d certificates", SIGNERS_MAX);
	}
	*out = ders;
	return *n > 0 || FAIL(err, ERR_INPUT, NULL, "no certificate in PEM");
}

bool
party_signers_parse(struct arena *a, const char *pem, struct saml_keys *out, struct err *err)
{
	EVP_PKEY **keys = ARENA_ARRAY(a, EVP_PKEY *, SIGNERS_MAX);
	const struct bytes *ders;
	size_t n;

	if (!party_signers_certs(a, pem, &ders, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct cert cert;

		if (!cert_parse(a, ders[i], &cert, err))
			return false;
		keys[i] = cert.pub;
	}
	*out = (struct saml_keys){keys, n};
	return true;
}

bool
party_metadata_fetch(struct arena *a, const struct config *config, party_get_fn get,
		     const struct db_source *source, struct fetch_got *out, struct err *err)
{
	const struct fetch_get what = {
		.url = source->url,
		.ca_file = config->outbound_ca,
		.accept = ACCEPT,
		.known = {source->etag, source->last_modified},
		.max_bytes = PARTY_METADATA_MAX,
		.timeout_ms = FETCH_LIMIT_MS,
		.inside = &config->outbound_inside,
	};
	struct saml_keys signers;

	if (!get(a, &what, out, err))
		return false;
	if (out->same || source->signers[0] == '\0')
		return true;
	return party_signers_parse(a, source->signers, &signers, err) &&
	       saml_metadata_verify(a, out->body, source->party, signers, &out->body, err);
}

/* ---- before it counts ---- */

bool
party_judge(struct arena *a, const struct db_party *row, unsigned flags, time_t now,
	    struct party_judged *out, struct err *err)
{
	struct saml_checked *c = &out->checked;

	*out = (struct party_judged){.checked.n = 0};
	if (!party_parse(a, row, &out->party, err))
		return false;
	const struct saml_check_wish wish = {.entity_id = row->id,
					     .flags = flags,
					     .now = now,
					     .known = out->party.saml,
					     .explain = vocabulary_explain};

	saml_metadata_examine(a, row->document, &wish, c);
	while (c->n > 0 && c->found[c->n - 1].severity == SAML_FINE)
		c->n--;
	if (c->n > 0 && c->found[0].severity == SAML_FATAL)
		return FAIL(err, ERR_DENIED, NULL, "%s: %s (%s)", c->found[0].rule,
			    c->found[0].text, c->found[0].clause);
	return party_suite_exists(&out->party, now, err) && party_can_encrypt(&out->party, err);
}

bool
party_diff(struct arena *a, const struct db_party *before, const struct party *after,
	   bool signed_by_pinned, struct saml_changes *out, struct err *err)
{
	struct party was;

	if (!party_parse(a, before, &was, err))
		return false;
	saml_metadata_diff(a, was.saml, after->saml, signed_by_pinned, out);
	return true;
}

json_t *
party_changes_json(struct arena *a, const struct saml_changes *changes)
{
	json_t *list = json_new_array(a);

	for (size_t i = 0; i < changes->n; i++) {
		json_t *o = json_new_object(a);

		json_put_i64(a, o, "number", changes->p[i].number);
		json_put_str(a, o, "rule", changes->p[i].rule);
		json_put_str(a, o, "risk", saml_risk_word(changes->p[i].risk));
		json_put_str(a, o, "text", changes->p[i].text);
		json_push(a, list, o);
	}
	return list;
}

const char *
party_changes_rules(struct arena *a, const struct saml_changes *changes)
{
	const char *rules = "";

	/* They come rule by rule. */
	for (size_t i = 0; i < changes->n; i++)
		if (i == 0 || changes->p[i].rule != changes->p[i - 1].rule)
			rules = arena_printf(a, "%s%s%s", rules, i == 0 ? "" : " ",
					     changes->p[i].rule);
	return rules;
}

/* ---- while it counts ---- */

bool
party_is_over(const struct party *p, time_t now)
{
	return p->saml != NULL && p->saml->valid_until != 0 && p->saml->valid_until <= now;
}

bool
party_check_time(const struct party *p, time_t now, struct err *err)
{
	return !party_is_over(p, now) || FAIL(err, ERR_DENIED, "portal_over",
					      "validUntil of the party's metadata has passed");
}

const char *
party_end_warning(struct arena *a, const struct party *p, const struct db_source *source,
		  time_t now)
{
	if (party_is_over(p, now))
		return arena_printf(a, "its metadata ended on %s (validUntil): it is refused",
				    clock_text(a, p->saml->valid_until));
	if (p->saml == NULL || p->saml->valid_until == 0 ||
	    p->saml->valid_until - now > END_WARNS_S || (source != NULL && source->trouble == NULL))
		return NULL;
	return arena_printf(a, "its metadata ends on %s (validUntil)",
			    clock_text(a, p->saml->valid_until));
}
