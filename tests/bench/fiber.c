/* Fibers; see fiber.h. */
#include "tests/bench/fiber.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK_BYTES ((size_t)512 * 1024) /* only what is touched takes memory */

struct fiber {
	ucontext_t self;
	void (*fn)(void *arg);
	void *arg;
};

static ucontext_t home;
static struct fiber *current;

static void
begin(void)
{
	current->fn(current->arg);
	abort();
}

struct fiber *
fiber_create(void (*fn)(void *arg), void *arg)
{
	struct fiber *f = calloc(1, sizeof(*f));
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (f == NULL || stack == MAP_FAILED || getcontext(&f->self) != 0)
		abort();
	f->fn = fn;
	f->arg = arg;
	f->self.uc_stack = (stack_t){.ss_sp = stack, .ss_size = STACK_BYTES};
	makecontext(&f->self, begin, 0);
	return f;
}

void
fiber_resume(struct fiber *f)
{
	current = f;
	if (swapcontext(&home, &f->self) != 0)
		abort();
	current = NULL;
}

void
fiber_pause(void)
{
	if (swapcontext(&current->self, &home) != 0)
		abort();
}
