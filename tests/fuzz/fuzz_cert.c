/* cert_parse and cert_spki_parse: the key of an accepted certificate is itself accepted. */
#include <stdlib.h>

#include <openssl/evp.h>

#include "keys/cert.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create((size_t)1 << 20);
	struct bytes input = {data, size};
	struct bytes spki;
	struct cert cert;
	EVP_PKEY *pub;

	if (a == NULL)
		return 0;
	if (cert_parse(a, input, &cert, NULL) &&
	    (!cert_spki_build(a, cert.pub, &spki, NULL) || !cert_spki_parse(a, spki, &pub, NULL) ||
	     EVP_PKEY_eq(pub, cert.pub) != 1))
		abort();
	(void)!cert_spki_parse(a, input, &pub, NULL);
	arena_destroy(a);
	return 0;
}
