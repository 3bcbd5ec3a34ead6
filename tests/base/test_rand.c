/* Random octets (base/rand.h). */
#include "tests/test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/rand.h"

static void
no_two_draws_are_equal(void **state UNUSED)
{
	unsigned char draws[64][16];

	for (size_t i = 0; i < 64; i++) {
		rand_bytes(draws[i], sizeof(draws[i]));
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(draws[i], draws[j], sizeof(draws[i]));
	}
}

static void
a_draw_may_be_longer_than_a_block(void **state UNUSED)
{
	static unsigned char big[10000];

	rand_bytes(big, sizeof(big));
	for (size_t i = 0; i + 16 < sizeof(big); i += 16)
		assert_memory_not_equal(big + i, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	rand_bytes(big, 0);
}

/* A process and its child must not draw the same nonces and tokens. */
static void
a_forked_child_draws_other_octets(void **state UNUSED)
{
	unsigned char mine[32], childs[32];
	int ends[2], status;

	rand_bytes(mine, 1); /* a block is begun */
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();

	if (child == 0) {
		rand_bytes(childs, sizeof(childs));
		_exit(write(ends[1], childs, sizeof(childs)) != (ssize_t)sizeof(childs));
	}
	rand_bytes(mine, sizeof(mine));
	assert_int_equal(read(ends[0], childs, sizeof(childs)), sizeof(childs));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_memory_not_equal(mine, childs, sizeof(mine));
	close(ends[0]);
	close(ends[1]);
}

static void
tokens_and_ids_have_their_form(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 16);

	assert_int_equal(strlen(rand_token(a, 32)), 43);
	assert_int_equal(strlen(rand_xml_id(a)), 33);
	assert_int_equal(rand_xml_id(a)[0], '_');
	arena_destroy(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_draws_are_equal),
		cmocka_unit_test(a_draw_may_be_longer_than_a_block),
		cmocka_unit_test(a_forked_child_draws_other_octets),
		cmocka_unit_test(tokens_and_ids_have_their_form),
	};

	return cmocka_run_group_tests_name("rand", tests, NULL, NULL);
}
