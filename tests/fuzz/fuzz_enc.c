/* The strict decoders: whatever one accepts has no second spelling. */
#include <stdlib.h>

#include "base/enc.h"

static void
check_same(const char *again, struct bytes in)
{
	if (!bytes_eq(bytes_of(again), in))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(16 << 20);
	struct bytes in = {data, size}, out;
	struct buf html;

	if (a == NULL || size > 64 << 10) {
		arena_destroy(a);
		return 0;
	}
	if (dec_base64url(a, in, &out, NULL))
		check_same(enc_base64url(a, out), in);
	if (dec_base64(a, in, false, &out, NULL))
		check_same(enc_base64(a, out), in);
	(void)!dec_base64(a, in, true, &out, NULL);
	/* Upper case is read too, so the second round compares. */
	if (dec_hex(a, in, &out, NULL)) {
		char *hex = enc_hex(a, out);
		struct bytes again;

		if (!dec_hex(a, bytes_of(hex), &again, NULL) || !bytes_eq(out, again))
			abort();
	}
	if (dec_form(a, in, &out, NULL)) {
		buf_init(&html, a, 1 << 20);
		enc_percent(&html, out);
	}
	arena_destroy(a);
	return 0;
}
