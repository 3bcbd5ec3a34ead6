/*
 * Responses of another provider: as they come, and, where it is XML with an Issuer, signed by the
 * provider that was asked, so that what lies behind the signature is read, too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "saml/answer.h"
#include "saml/sign.h"
#include "tests/saml/fixture.h"
#include "tests/saml/provider.h"

#define AT ((time_t)1795456800)

static void
judge(struct arena *a, const struct test_keys *k, const char *xml)
{
	EVP_PKEY *key = test_signer_pub(k, "ecdsa-sha256");
	const struct saml_party idp = {.entity_id = PROVIDER_ENTITY, .signing = {&key, 1}};
	const struct xmlenc_keys none = {&k->ops, NULL, 0};
	const struct saml_asked asked = {
		.idp = &idp,
		.rule = SAML_ANSWER_RESPONSE,
		.our_entity_id = "https://konto.example/saml/metadata",
		.acs_url = "https://konto.example/saml/acs",
		.request_id = "_request1",
		.asked_at = AT - 60,
	};
	const struct saml_answered *s;
	const struct saml_answer *m;

	if (!saml_answer_decode(a, bytes_of(provider_form_of(a, xml, NULL)), &m, NULL) ||
	    !saml_answer_verify(a, m, &asked, &none, AT, &s, NULL))
		return;
	if (s->outcome == SAML_OUTCOME_LOGIN &&
	    (s->assertion_id == NULL || s->nameid.value[0] == '\0' || s->class_ref == NULL ||
	     s->expires + saml_answer_window.skew_s <= AT))
		abort();
	for (size_t i = 0; i < s->n_attributes; i++)
		for (size_t j = 0; j < s->attributes[i].n_values; j++)
			(void)saml_told_text(a, s->attributes[i].value[j]);
}

/* The same text, canonical and signed behind its Issuer; NULL: there is nothing to sign. */
static const char *
signed_text(struct arena *a, const struct test_keys *k, const char *xml)
{
	static const char after[] = "Issuer>";
	struct saml_signer signer = test_signer(k, "ecdsa-sha256");
	struct saml_to_sign what = {0};
	struct xml_doc *doc;
	struct bytes out;

	if (!xml_parse(a, bytes_of(xml), &xml_limits_message, &doc, NULL) ||
	    !xml_c14n(a, xml_root(doc), NULL, NULL, 1, &what.element, NULL))
		return NULL;
	const char *text = text_of(a, what.element), *end = strstr(text, "</");

	end = end == NULL ? NULL : strstr(end, after);
	what.id = xml_attr(xml_root(doc), "ID");
	if (end == NULL || what.id == NULL)
		return NULL;
	what.element = bytes_of(text);
	what.place = (size_t)(end - text) + strlen(after);
	return saml_sign_enveloped(a, &signer, &what, &out, NULL) ? text_of(a, out) : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(64 << 20);

	if (a == NULL)
		return 0;
	if (size > 0 && size <= 100 << 10 && memchr(data, '\0', size) == NULL) {
		const struct test_keys *k = test_keys_create(a);
		const char *xml = arena_strndup(a, (const char *)data, size);
		const char *proven = signed_text(a, k, xml);

		/* Where the placeholder stands, the test's own signer would sign, well-formed or
		 * not. */
		if (strstr(xml, FIXTURE_PLACE) == NULL)
			judge(a, k, xml);
		if (proven != NULL)
			judge(a, k, proven);
	}
	arena_destroy(a);
	return 0;
}
