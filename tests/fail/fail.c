/* Failures to order; see fail.h. */
#include "tests/fail/fail.h"

#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sanitized.h"

#define EXPORTED   __attribute__((visibility("default")))
#define CHAIN_MOST 40
#define OWN_FRAMES 3 /* of a chain: note, fails and the function that stands in */
#define PLACES     262144

static struct fail_plan plan;
static atomic_bool armed;
static _Thread_local bool here, inside;
static bool forked;
static int voice = STDOUT_FILENO;

/* What processes that are forked meanwhile count in as well. */
static struct shared {
	atomic_size_t passed;
	atomic_bool under_way, happened, crashed;

	/* What failed last: the plan's first place, and its chain of callers. */
	void *chain[CHAIN_MOST];
	int chain_n;
	struct fail_plan last;
	size_t last_place;
} * sh;

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
	uint64_t hash = 14695981039346656037u ^ plan.what ^ (uint64_t)plan.onwards << 8;
	int count = backtrace(frames, CHAIN_MOST);

	if (plan.near > 0 && count > OWN_FRAMES + (int)plan.near)
		count = OWN_FRAMES + (int)plan.near;
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
	size_t n = atomic_fetch_add(&sh->passed, 1) + 1;

	inside = true;
	if (plan.nth == 0 && plan.who == FAIL_HERE)
		note(n);
	bool fail = plan.nth != 0 && (n == plan.nth || (plan.onwards && n > plan.nth));

	if (fail && !atomic_exchange(&sh->happened, true)) {
		sh->chain_n = backtrace(sh->chain, CHAIN_MOST);
		sh->last = plan;
		sh->last_place = n;
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
	atomic_store(&sh->crashed, true);
	fail_explain();
	raise(sig); /* SA_RESETHAND: the default comes next */
}

/* Another process is never "here". */
static void
note_fork(void)
{
	here = false;
	forked = true;
}

static void
get_ready(void)
{
	const struct sigaction act = {.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND};

	if (sh != NULL)
		return;
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED || pthread_atfork(NULL, NULL, note_fork) != 0)
		abort();
	(void)backtrace(sh->chain, 1); /* loads what it needs now */
	sigaction(SIGABRT, &act, NULL);
}

void
fail_arm(const struct fail_plan *p)
{
	get_ready();
	plan = *p;
	here = true;
	if (p->nth == 0) {
		if (p->near == 0)
			memset(seen, 0, sizeof(seen));
		n_distinct = 0;
	}
	atomic_store(&sh->passed, 0);
	atomic_store(&sh->happened, false);
	atomic_store(&sh->crashed, false);
	atomic_store(&sh->under_way, true);
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
	atomic_store(&sh->under_way, false);
}

size_t
fail_passed(void)
{
	return atomic_load(&sh->passed);
}

bool
fail_happened(void)
{
	return sh != NULL && atomic_load(&sh->happened);
}

bool
fail_crashed(void)
{
	return atomic_load(&sh->crashed);
}

const size_t *
fail_distinct(size_t *n)
{
	*n = n_distinct;
	return distinct;
}

#if SANITIZED
void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t n);
void __sanitizer_set_report_fd(void *fd);
void __asan_on_error(void);

/* The sanitizer's report follows. */
EXPORTED void
__asan_on_error(void)
{
	if (sh != NULL)
		atomic_store(&sh->crashed, true);
	fail_explain();
}

static void
show(void *pc)
{
	char text[400];

	__sanitizer_symbolize_pc((char *)pc - 1, "%f %S", text, sizeof(text));
	dprintf(voice, "#   %s\n", text);
}

void
fail_speak(int out, int err)
{
	voice = out;
	__sanitizer_set_report_fd((void *)(intptr_t)err);
}
#else
static void
show(void *pc)
{
	char **text = backtrace_symbols(&pc, 1);

	dprintf(voice, "#   %s\n", text == NULL ? "?" : text[0]);
	free(text);
}

void
fail_speak(int out, int err)
{
	(void)err;
	voice = out;
}
#endif

void
fail_explain(void)
{
	static const char *const names[] = {"memory", "input", "output", "open", "statement"};

	if (sh == NULL || !atomic_exchange(&sh->under_way, false) || sh->chain_n == 0)
		return;
	fail_pause();
	fflush(stdout);
	dprintf(voice, "# %s: last failed place %zu%s, errno %d, called by\n", names[sh->last.what],
		sh->last_place, sh->last.onwards ? " and all after it" : "", sh->last.error);
	for (int i = OWN_FRAMES - 1; i < sh->chain_n; i++)
		show(sh->chain[i]);
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
 * What cannot fail, or not here: an eventfd is memory of the kernel; the end of its socket
 * that a signer has which is a thread belongs to another process in the program.
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
	bool packets = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type != SOCK_STREAM;

	/* A packet goes and comes whole. */
	return packets && ((plan.who == FAIL_ELSEWHERE && !forked) || plan.error == 0);
}

/* A socket fails when its other end has gone; then it has. */
static ssize_t
lose(int fd)
{
	int error = errno;

	if (error != EINTR && shutdown(fd, SHUT_RDWR) == 0)
		error = ECONNRESET;
	errno = error;
	return -1;
}

#define STAND_IN(what, fd, type, name, params, args)                                            \
	EXPORTED type name params;                                                              \
	type name params                                                                        \
	{                                                                                       \
		static void *_Atomic name##_next;                                               \
		type(*real) params = (type(*) params)NEXT(name);                                \
		return plan.error != 0 && !is_spared(fd) && fails(what) ? (type)-1 : real args; \
	}

/* What may do less than it was asked to: the call has `n` octets. */
#define CUT_SHORT(what, name, params, args)                                      \
	EXPORTED ssize_t name params;                                            \
	ssize_t name params                                                      \
	{                                                                        \
		static void *_Atomic name##_next;                                \
		ssize_t(*real) params = (ssize_t(*) params)NEXT(name);           \
		if ((plan.error == 0 && n < 2) || is_spared(fd) || !fails(what)) \
			return real args;                                        \
		n = plan.error == 0 ? n / 2 : 0;                                 \
		return n == 0 ? lose(fd) : real args;                            \
	}

/* What gives the number of the error. */
#define STAND_IN_CODE(what, name, params, args)                             \
	EXPORTED int name params;                                           \
	int name params                                                     \
	{                                                                   \
		static void *_Atomic name##_next;                           \
		int(*real) params = (int(*) params)NEXT(name);              \
		return plan.error != 0 && fails(what) ? EAGAIN : real args; \
	}

/* clang-format off: rows */
CUT_SHORT(FAIL_INPUT, read, (int fd, void *p, size_t n), (fd, p, n))
CUT_SHORT(FAIL_INPUT, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
CUT_SHORT(FAIL_INPUT, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
STAND_IN(FAIL_INPUT, fd, ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
CUT_SHORT(FAIL_OUTPUT, write, (int fd, const void *p, size_t n), (fd, p, n))
CUT_SHORT(FAIL_OUTPUT, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
STAND_IN(FAIL_OUTPUT, fd, ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags),
	 (fd, m, flags))
STAND_IN(FAIL_OUTPUT, fd, int, fsync, (int fd), (fd))
STAND_IN(FAIL_OUTPUT, -1, int, rename, (const char *from, const char *to), (from, to))
STAND_IN(FAIL_OUTPUT, -1, int, renameat2,
	 (int dir, const char *from, int to_dir, const char *to, unsigned flags),
	 (dir, from, to_dir, to, flags))
STAND_IN(FAIL_OUTPUT, -1, int, link, (const char *from, const char *to), (from, to))
STAND_IN(FAIL_OPEN, -1, int, socket, (int domain, int type, int protocol), (domain, type, protocol))
STAND_IN(FAIL_OPEN, -1, int, socketpair, (int domain, int type, int protocol, int fds[2]),
	 (domain, type, protocol, fds))
STAND_IN(FAIL_OPEN, fd, int, connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))
STAND_IN(FAIL_OPEN, -1, int, memfd_create, (const char *name, unsigned flags), (name, flags))
STAND_IN(FAIL_OPEN, -1, int, eventfd, (unsigned first, int flags), (first, flags))
STAND_IN(FAIL_OPEN, -1, int, epoll_create1, (int flags), (flags))
STAND_IN(FAIL_OPEN, -1, int, dup, (int fd), (fd))
STAND_IN(FAIL_OPEN, -1, pid_t, fork, (void), ())
STAND_IN_CODE(FAIL_OPEN, pthread_create,
	      (pthread_t * id, const pthread_attr_t *attr, void *(*fn)(void *), void *arg),
	      (id, attr, fn, arg))
/* clang-format on */

/* AddressSanitizer asks for it as a thread begins, and takes memory for given. */
EXPORTED int
pthread_getattr_np(pthread_t id, pthread_attr_t *attr)
{
	static void *_Atomic pthread_getattr_np_next;
	int (*real)(pthread_t, pthread_attr_t *) =
		(int (*)(pthread_t, pthread_attr_t *))NEXT(pthread_getattr_np);
	bool before = inside;

	inside = true;
	int rc = real(id, attr);

	inside = before;
	return rc;
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
