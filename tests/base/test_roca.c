/* The mark of ROCA keys: on numbers made as those chips made them, and on no others. */
#include "tests/test.h"

#include <openssl/bn.h>

#include "base/rand.h"
#include "base/roca.h"

/* a power of 65537, which has the mark by construction, plus `more` */
static struct bytes
power(struct arena *a, unsigned exponent, unsigned long more)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *g = BN_new(), *e = BN_new(), *r = BN_new();

	assert_true(BN_set_word(g, 65537) == 1 && BN_set_word(e, exponent) == 1);
	assert_true(BN_exp(r, g, e, ctx) == 1 && BN_add_word(r, more) == 1);
	unsigned char *p = arena_alloc(a, (size_t)BN_num_bytes(r));
	const size_t n = (size_t)BN_bn2bin(r, p);

	BN_free(g);
	BN_free(e);
	BN_free(r);
	BN_CTX_free(ctx);
	return (struct bytes){p, n};
}

static void
the_mark_is_seen(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);

	for (unsigned e = 120; e < 140; e++)
		assert_true(roca_marked(power(a, e, 0)));
	assert_true(roca_marked((struct bytes){(const unsigned char *)"\x01", 1}));
	arena_destroy(a);
}

static void
other_numbers_have_none(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	unsigned char n[256];

	for (unsigned e = 120; e < 140; e++)
		assert_false(roca_marked(power(a, e, 2)));
	for (int i = 0; i < 1000; i++) {
		rand_bytes(n, sizeof(n));
		assert_false(roca_marked((struct bytes){n, sizeof(n)}));
	}
	assert_false(roca_marked((struct bytes){NULL, 0}));
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mark_is_seen),
		cmocka_unit_test(other_numbers_have_none),
	};

	return cmocka_run_group_tests_name("roca", tests, NULL, NULL);
}
