/* Random octets; see rand.h. */
#include "base/rand.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/enc.h"

#define BLOCK_BYTES 4096

static _Thread_local unsigned char block[BLOCK_BYTES];
static _Thread_local size_t left;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* In the child of a fork: what lies in the block, the parent gives out too. */
static void
forget(void)
{
	wipe(block, sizeof(block));
	left = 0;
}

static void
prepare(void)
{
	if (pthread_atfork(NULL, NULL, forget) != 0) {
		fputs("kontor: no handler for forks\n", stderr);
		abort();
	}
}

/* From the kernel itself: it needs no memory of ours and does not run dry. */
static void
fill_block(void)
{
	for (size_t at = 0; at < sizeof(block);) {
		ssize_t n = getrandom(block + at, sizeof(block) - at, 0);

		if (n < 0 && errno != EINTR) {
			fputs("kontor: no random octets\n", stderr);
			abort();
		}
		at += n < 0 ? 0 : (size_t)n;
	}
}

void
rand_bytes(void *p, size_t n)
{
	unsigned char *out = p;

	while (n > 0) {
		if (left == 0) {
			pthread_once(&once, prepare);
			fill_block();
			left = sizeof(block);
		}
		size_t take = n < left ? n : left;
		unsigned char *from = block + sizeof(block) - left;

		memcpy(out, from, take);
		wipe(from, take); /* what was given out must not be found here later */
		out += take;
		n -= take;
		left -= take;
	}
}

char *
rand_token(struct arena *a, size_t n)
{
	unsigned char *p = arena_alloc(a, n);

	rand_bytes(p, n);
	return enc_base64url(a, (struct bytes){p, n});
}

char *
rand_xml_id(struct arena *a)
{
	unsigned char r[16];

	rand_bytes(r, sizeof(r));
	return arena_printf(a, "_%s", enc_hex(a, (struct bytes){r, sizeof(r)}));
}
