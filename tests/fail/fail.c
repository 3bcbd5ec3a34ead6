/* Failures to order; see fail.h. */
#include "tests/fail/fail.h"

#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sanitized.h"

#define EXPORTED   __attribute__((visibility("default")))
#define CHAIN_MOST 40
#define OWN_FRAMES 3 /* of a chain: note, fails and the function that stands in */
#define PLACES     262144

static struct fail_plan plan;
static atomic_bool armed, under_way, happened;
static atomic_size_t passed;
static _Thread_local bool here, inside;

/* What failed last: the plan's first place, and its chain of callers. */
static void *chain[CHAIN_MOST];
static int chain_n;
static struct fail_plan last;
static size_t last_place;

static uint64_t seen[2 * PLACES];
static size_t distinct[PLACES], n_distinct;

/* ---- which places there are ---- */

/* Remember the chain's hash; false: it was there. */
static bool
is_new(uint64_t hash)
{
	size_t i = hash % (2 * PLACES);

	while (seen[i] != 0 && seen[i] != hash)
		i = (i + 1) % (2 * PLACES);
	if (seen[i] == hash || n_distinct == PLACES)
		return false;
	seen[i] = hash;
	return true;
}

static void
note(size_t n)
{
	void *frames[CHAIN_MOST];
	uint64_t hash = 14695981039346656037u;
	int count = backtrace(frames, CHAIN_MOST);

	for (int i = OWN_FRAMES; i < count; i++)
		hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211u;
	if (is_new(hash | 1))
		distinct[n_distinct++] = n;
}

static bool
fails(enum fail_what what)
{
	if (inside || !atomic_load(&armed) || what != plan.what || here != (plan.who == FAIL_HERE))
		return false;
	size_t n = atomic_fetch_add(&passed, 1) + 1;

	inside = true;
	if (plan.nth == 0 && plan.who == FAIL_HERE)
		note(n);
	bool fail = plan.nth != 0 && (n == plan.nth || (plan.onwards && n > plan.nth));

	if (fail && !atomic_exchange(&happened, true)) {
		chain_n = backtrace(chain, CHAIN_MOST);
		last = plan;
		last_place = n;
	}
	inside = false;
	if (fail)
		errno = what == FAIL_MEMORY ? ENOMEM : plan.error;
	return fail;
}

void
fail_spare(bool spared)
{
	inside = spared;
}

bool
fail_place(enum fail_what what)
{
	return fails(what);
}

/* ---- plans ---- */

static void
on_abort(int sig)
{
	fail_explain();
	raise(sig); /* SA_RESETHAND: the default comes next */
}

void
fail_arm(const struct fail_plan *p)
{
	static bool ready;

	if (!ready) {
		(void)backtrace(chain, 1); /* loads what it needs now */
		sigaction(
			SIGABRT,
			&(struct sigaction){.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND},
			NULL);
		ready = true;
	}
	plan = *p;
	here = true;
	if (p->nth == 0) {
		memset(seen, 0, sizeof(seen));
		n_distinct = 0;
	}
	atomic_store(&passed, 0);
	atomic_store(&happened, false);
	atomic_store(&under_way, true);
	atomic_store(&armed, true);
}

void
fail_pause(void)
{
	here = false;
	atomic_store(&armed, false);
}

void
fail_go_on(void)
{
	here = true;
	atomic_store(&armed, true);
}

void
fail_over(void)
{
	fail_pause();
	atomic_store(&under_way, false);
}

size_t
fail_passed(void)
{
	return atomic_load(&passed);
}

bool
fail_happened(void)
{
	return atomic_load(&happened);
}

const size_t *
fail_distinct(size_t *n)
{
	*n = n_distinct;
	return distinct;
}

#if SANITIZED
void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t n);
void __asan_on_error(void);

/* The sanitizer's report follows. */
EXPORTED void
__asan_on_error(void)
{
	fail_explain();
}

static void
show(void *pc)
{
	char text[400];

	__sanitizer_symbolize_pc((char *)pc - 1, "%f %S", text, sizeof(text));
	printf("#   %s\n", text);
}
#else
static void
show(void *pc)
{
	char **text = backtrace_symbols(&pc, 1);

	printf("#   %s\n", text == NULL ? "?" : text[0]);
	free(text);
}
#endif

void
fail_explain(void)
{
	static const char *const names[] = {"memory", "input", "output", "open", "statement"};

	if (!atomic_exchange(&under_way, false) || chain_n == 0)
		return;
	fail_pause();
	printf("# %s: last failed place %zu%s, called by\n", names[last.what], last_place,
	       last.onwards ? " and all after it" : "");
	for (int i = OWN_FRAMES - 1; i < chain_n; i++)
		show(chain[i]);
	fflush(stdout);
}

/* ---- memory ---- */

/* The allocator behind ours. */
#if SANITIZED
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif

void *REAL(malloc)(size_t n);
void *REAL(calloc)(size_t count, size_t n);
void *REAL(realloc)(void *p, size_t n);
void *REAL(memalign)(size_t align, size_t n);

EXPORTED void *
malloc(size_t n)
{
	return fails(FAIL_MEMORY) ? NULL : REAL(malloc)(n);
}

EXPORTED void *
calloc(size_t count, size_t n)
{
	return fails(FAIL_MEMORY) ? NULL : REAL(calloc)(count, n);
}

EXPORTED void *
realloc(void *p, size_t n)
{
	return fails(FAIL_MEMORY) ? NULL : REAL(realloc)(p, n);
}

EXPORTED void *
reallocarray(void *p, size_t count, size_t n)
{
	if (fails(FAIL_MEMORY) || (n != 0 && count > SIZE_MAX / n))
		return NULL;
	return REAL(realloc)(p, count * n);
}

EXPORTED void *
memalign(size_t align, size_t n)
{
	return fails(FAIL_MEMORY) ? NULL : REAL(memalign)(align, n);
}

EXPORTED void *
aligned_alloc(size_t align, size_t n)
{
	return memalign(align, n);
}

EXPORTED int
posix_memalign(void **out, size_t align, size_t n)
{
	void *p = memalign(align, n);

	if (p == NULL)
		return ENOMEM;
	*out = p;
	return 0;
}

EXPORTED char *
strndup(const char *s, size_t most)
{
	size_t n = strnlen(s, most);
	char *p = malloc(n + 1);

	if (p != NULL) {
		memcpy(p, s, n);
		p[n] = '\0';
	}
	return p;
}

EXPORTED char *
strdup(const char *s)
{
	return strndup(s, SIZE_MAX);
}

/* ---- input and output ---- */

/* Calls that are not of the allocator's go to whatever comes next: a sanitizer's, or libc's. */
#define NEXT(name) next((void *_Atomic *)&name##_next, #name)

static void *
next(void *_Atomic *kept, const char *name)
{
	void *p = atomic_load(kept);

	if (p == NULL) {
		p = dlsym(RTLD_NEXT, name);
		if (p == NULL)
			abort();
		atomic_store(kept, p);
	}
	return p;
}

/*
 * What cannot fail, or not here: an eventfd is memory of the kernel; the signer's own end
 * of its socket belongs to another process in the program.
 */
static bool
is_spared(int fd)
{
	struct stat st;
	int type = 0;
	socklen_t n = sizeof(type);

	if (fd < 0 || !atomic_load(&armed))
		return false;
	if (fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == 0)
		return true;
	return plan.who == FAIL_ELSEWHERE && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
	       type == SOCK_SEQPACKET;
}

#define STAND_IN(what, fd, type, name, params, args)                         \
	EXPORTED type name params;                                           \
	type name params                                                     \
	{                                                                    \
		static void *_Atomic name##_next;                            \
		type(*real) params = (type(*) params)NEXT(name);             \
		return !is_spared(fd) && fails(what) ? (type)-1 : real args; \
	}

/* clang-format off: rows */
STAND_IN(FAIL_INPUT, fd, ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
STAND_IN(FAIL_INPUT, fd, ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
STAND_IN(FAIL_INPUT, fd, ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
STAND_IN(FAIL_INPUT, fd, ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
STAND_IN(FAIL_OUTPUT, fd, ssize_t, send, (int fd, const void *p, size_t n, int flags),
	 (fd, p, n, flags))
STAND_IN(FAIL_OUTPUT, fd, ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags),
	 (fd, m, flags))
STAND_IN(FAIL_OUTPUT, fd, int, fsync, (int fd), (fd))
STAND_IN(FAIL_OUTPUT, -1, int, rename, (const char *from, const char *to), (from, to))
STAND_IN(FAIL_OUTPUT, -1, int, link, (const char *from, const char *to), (from, to))
STAND_IN(FAIL_OPEN, -1, int, socket, (int domain, int type, int protocol), (domain, type, protocol))
STAND_IN(FAIL_OPEN, fd, int, connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))
/* clang-format on */

EXPORTED ssize_t
write(int fd, const void *p, size_t n)
{
	static void *_Atomic write_next;
	ssize_t (*real)(int, const void *, size_t) =
		(ssize_t(*)(int, const void *, size_t))NEXT(write);

	if (is_spared(fd) || !fails(FAIL_OUTPUT))
		return real(fd, p, n);
	return plan.error != 0 || n < 2 ? -1 : real(fd, p, n / 2);
}

EXPORTED int
open(const char *path, int flags, ...)
{
	static void *_Atomic open_next;
	int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))NEXT(open);
	va_list ap;

	va_start(ap, flags);
	mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;

	va_end(ap);
	return fails(FAIL_OPEN) ? -1 : real(path, flags, mode);
}
