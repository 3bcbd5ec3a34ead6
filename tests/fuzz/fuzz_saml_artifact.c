/*
 * ArtifactResolve as XML, signed beside it by the party it names: parsing, checking and
 * reading its artifact; and the octets as an artifact's text.
 */
#include <stdlib.h>
#include <string.h>

#include "saml/artifact.h"
#include "tests/fuzz/fuzz_signed.h"

#define US "https://konto.example/saml/metadata"

static void
read_artifact(struct arena *a, const char *text)
{
	unsigned char handle[SAML_ARTIFACT_HANDLE_BYTES], again[SAML_ARTIFACT_HANDLE_BYTES];

	if (!saml_artifact_read(a, US, text, handle, NULL))
		return;
	/* It is one that we can have written. */
	if (!saml_artifact_read(a, US, saml_artifact_write(a, US, handle), again, NULL) ||
	    memcmp(handle, again, sizeof(handle)) != 0)
		abort();
}

static void
read_message(struct arena *a, struct bytes xml)
{
	const struct saml_artifact_resolve *r;
	const struct saml_verified *v;
	struct saml_party party;

	if (!fuzz_signed(a, "SAMLRequest", xml, &party, &v) ||
	    saml_verified_proof(v) != SAML_PROOF_SIGNED ||
	    !saml_artifact_resolve_parse(a, v, &r, NULL))
		return;
	if (r->party != &party || !r->header.is_signed)
		abort();
	(void)!saml_artifact_resolve_check(r, "https://konto.example/saml/artifact",
					   &saml_window_default, r->header.issued_at, NULL);
	read_artifact(a, r->artifact);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(64 << 20);

	if (a == NULL)
		return 0;
	if (size > 0 && size <= 200 << 10) {
		read_message(a, (struct bytes){data, size});
		if (memchr(data, 0, size) == NULL)
			read_artifact(a, arena_strndup(a, (const char *)data, size));
	}
	arena_destroy(a);
	return 0;
}
