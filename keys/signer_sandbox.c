/* Locking the signer's process down; see signer_sandbox.h. */
#include "keys/signer_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sanitized.h"

#define MALLOC_HEAPS 16

/*
 * What computing, memory, other threads' wake-ups and one connected socket need.
 * Three are seen seldom: realloc moves a large block by mremap, OpenSSL seeds its
 * generator anew every hour from getrandom, and a machine whose clock the vDSO
 * cannot read asks for clock_gettime.
 */
static const int allowed[] = {
	SCMP_SYS(recvfrom),  SCMP_SYS(sendto),        SCMP_SYS(poll),   SCMP_SYS(futex),
	SCMP_SYS(brk),       SCMP_SYS(munmap),        SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(getpid), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(exit),      SCMP_SYS(exit_group),
};

/* Memory may be had, but never to be run. */
static const int allowed_without_exec[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};

static bool
rules_add(scmp_filter_ctx ctx)
{
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0) != 0)
			return false;
	for (size_t i = 0; i < ARRAY_LEN(allowed_without_exec); i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed_without_exec[i], 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0)
			return false;
	return true;
}

bool
signer_sandbox_close(struct err *err)
{
	if (SANITIZED)
		return true;
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool ok = ctx != NULL && seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
		  rules_add(ctx) && seccomp_load(ctx) == 0;

	seccomp_release(ctx);
	if (!ok)
		return FAIL(err, ERR_INTERNAL, NULL, "seccomp filter cannot be set");
	return true;
}

static bool
signals_ignore(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (sigaction(signals[i], &ignore, NULL) != 0)
			return false;
	return true;
}

/* Keep one descriptor, above the standard three, which lead nowhere. */
static bool
descriptors_close(int *fd)
{
	int kept = fcntl(*fd, F_DUPFD_CLOEXEC, 3), null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (kept < 0 || null < 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			return false;
	if (kept > 3 && close_range(3, (unsigned)kept - 1, 0) != 0)
		return false;
	*fd = kept;
	return close_range((unsigned)kept + 1, ~0u, 0) == 0;
}

/*
 * All of memory, now and later, or nothing: with a small limit, locking "later"
 * would turn an allocation that would have been served into a failure.
 */
static bool
memory_lock(void)
{
	struct rlimit limit;

	if (SANITIZED)
		return false;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_max == RLIM_INFINITY) {
		limit.rlim_cur = RLIM_INFINITY;
		setrlimit(RLIMIT_MEMLOCK, &limit);
	} else if (geteuid() != 0) {
		return false;
	}
	/* As it is used: stacks and heaps are reserved at many times what is ever touched. */
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

/*
 * glibc's malloc opens files in /proc and /sys: before it first gives a heap back,
 * and to count processors for a ninth thread.  So it gives nothing back, and is
 * told how many heaps to have.
 */
static bool
malloc_settle(void)
{
	return mallopt(M_TRIM_THRESHOLD, INT_MAX) == 1 && mallopt(M_ARENA_MAX, MALLOC_HEAPS) == 1;
}

bool
signer_sandbox_prepare(int *fd, bool *memory_locked, struct err *err)
{
	const struct rlimit none = {0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return FAIL(err, ERR_INTERNAL, NULL, "process cannot be locked down");
	if (!SANITIZED && !malloc_settle())
		return FAIL(err, ERR_INTERNAL, NULL, "malloc cannot be set");
	if (!signals_ignore() || !descriptors_close(fd))
		return FAIL(err, ERR_INTERNAL, NULL, "signals or descriptors cannot be set: %s",
			    strerror(errno));
	/* libc reads the zone file when it first breaks a time down, as certificates do. */
	tzset();
	*memory_locked = memory_lock();
	return true;
}
