/* saml_metadata_parse, the questions asked of its result, and the lint. */
#include <stdlib.h>
#include <string.h>

#include "saml/metadata.h"

static void
ask(struct arena *a, const struct saml_party *p)
{
	const struct saml_finding *found;
	const struct saml_endpoint *acs;
	size_t n;

	for (int i = -1; i < 3; i++) {
		acs = saml_party_acs(p, NULL, i);
		if (acs != NULL && acs->binding != SAML_BINDING_POST)
			abort();
		(void)saml_party_service(p, i);
	}
	for (size_t i = 0; i < p->acs.n; i++) {
		acs = saml_party_acs(p, p->acs.p[i].url, -1);
		if (acs == NULL || strcmp(acs->url, p->acs.p[i].url) != 0)
			abort();
	}
	saml_metadata_lint(a, p, 0, 1795456810, &found, &n);
	if (saml_metadata_check(a, p, 0, 1795456810, NULL) !=
	    (n == 0 || found[0].severity != SAML_FATAL))
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
	arena_destroy(a);
	return 0;
}
