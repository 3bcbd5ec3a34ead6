/* The strict decoders: whatever one accepts has no second spelling. */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"

static void
check_same(const char *again, struct bytes in)
{
	if (!bytes_eq(bytes_of(again), in))
		abort();
}

/* Both halves, joined and encoded, are what came. */
static void
check_basic(struct arena *a, struct bytes in)
{
	struct bytes user, password;
	const char *again;

	if (memchr(in.p, '\0', in.n) != NULL ||
	    !dec_basic(a, arena_strndup(a, (const char *)in.p, in.n), &user, &password, NULL))
		return;
	if (memchr(user.p, ':', user.n) != NULL || password.p != user.p + user.n + 1)
		abort();
	again = enc_base64(a, (struct bytes){user.p, user.n + 1 + password.n});
	if (!bytes_end(in, again))
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
	check_basic(a, in);
	arena_destroy(a);
	return 0;
}
