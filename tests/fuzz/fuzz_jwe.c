/* oidc_jwe_open: what opens was encrypted by somebody who knew how, and its shape is ours. */
#include <stdlib.h>

#include "base/enc.h"
#include "oidc/compact.h"
#include "oidc/jwe.h"
#include "tests/keys/test_keys.h"

/* RFC 7520 5.5: the seeds hold tokens that were encrypted to this key. */
#define KID    "meriadoc.brandybuck@buckland.example"
#define SECRET "aff907c99f9ad3aae6c4cdf21122bce2bd68b5283e6907154ad911840fa208cf"
#define POINT                                                                \
	"0465eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d" \
	"1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c"

static struct arena *kept;
static struct test_keys *keys;
static struct oidc_enc_jwk enc[3];

static void
start(void)
{
	struct bytes secret, point;

	kept = arena_create((size_t)4 << 20);
	keys = test_keys_create(kept);
	if (!dec_hex(kept, bytes_of(SECRET), &secret, NULL) ||
	    !dec_hex(kept, bytes_of(POINT), &point, NULL))
		abort();
	enc[0] = (struct oidc_enc_jwk){KID, OIDC_KEY_P256, OIDC_JWE_ALG_NONE,
				       test_key_import(keys, KID, KEY_P256, secret, point)->pub};
	enc[1] = (struct oidc_enc_jwk){keys->dec_rsa.kid, OIDC_KEY_RSA, OIDC_RSA_OAEP_256,
				       keys->dec_rsa.pub};
	enc[2] = (struct oidc_enc_jwk){keys->dec_p256.kid, OIDC_KEY_P256, OIDC_JWE_ALG_NONE,
				       keys->dec_p256.pub};
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(16 << 20);
	struct oidc_jwe_keys ours;
	struct bytes in = {data, size}, plain;

	if (a == NULL)
		return 0;
	if (keys == NULL)
		start();
	ours = (struct oidc_jwe_keys){&keys->ops, enc, 3};
	if (oidc_jwe_open(a, in, &ours, &plain, NULL) &&
	    (!oidc_is_jwe(in) || size > OIDC_JWE_MAX_BYTES ||
	     /* the seeds': prose of the RFC, and signed tokens */
	     !(bytes_start(plain, "You can trust us") || bytes_start(plain, "ey"))))
		abort();
	arena_destroy(a);
	return 0;
}
