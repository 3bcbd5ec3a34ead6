/* saml_metadata_parse, the questions asked of its result, the lint, and the whole check. */
#include <stdlib.h>
#include <string.h>

#include "saml/metadata_check.h"

static void
ask(struct arena *a, const struct saml_party *p)
{
	const struct saml_finding *found;
	const struct saml_endpoint *acs;
	size_t n;

	for (int i = -1; i < 3; i++) {
		acs = saml_party_acs(p, NULL, i, SAML_BINDING_NONE);
		if (acs != NULL && acs->binding != SAML_BINDING_POST &&
		    acs->binding != SAML_BINDING_ARTIFACT)
			abort();
		(void)saml_party_service(p, i);
	}
	for (size_t i = 0; i < p->acs_client.n; i++)
		if (p->acs_client.p[i].binding != SAML_BINDING_PAOS)
			abort();
	for (size_t i = 0; i < p->acs.n; i++) {
		acs = saml_party_acs(p, p->acs.p[i].url, -1, SAML_BINDING_NONE);
		if (acs == NULL || strcmp(acs->url, p->acs.p[i].url) != 0)
			abort();
	}
	saml_metadata_lint(a, p, 0, 1795456810, &found, &n);
	if (saml_metadata_check(a, p, 0, 1795456810, NULL) !=
	    (n == 0 || found[0].severity != SAML_FATAL))
		abort();
}

/* What can be registered has no error in it, and what has none can be read. */
static void
examine(struct arena *a, struct bytes text)
{
	const struct saml_check_wish wish = {.now = 1795456810};
	const struct saml_party *p;
	struct saml_checked c;

	saml_metadata_examine(a, text, &wish, &c);
	if (saml_metadata_parse(a, text, NULL, &p, NULL) != (c.party != NULL))
		abort();
	if (c.n == 0 || (c.party == NULL && c.found[0].severity != SAML_FATAL))
		abort();
	if (c.party != NULL && saml_metadata_check(a, c.party, 0, wish.now, NULL) !=
				       (c.found[0].severity != SAML_FATAL))
		abort();
	for (size_t i = 1; i < c.n; i++)
		if (c.found[i].severity > c.found[i - 1].severity)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(64 << 20);
	const struct saml_party *p;

	if (a == NULL)
		return 0;
	if (size <= 512 << 10 && saml_metadata_parse(a, (struct bytes){data, size}, NULL, &p, NULL))
		ask(a, p);
	if (size <= 512 << 10)
		examine(a, (struct bytes){data, size});
	arena_destroy(a);
	return 0;
}
