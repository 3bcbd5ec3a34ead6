/*
 * What the filters of the signer and of the HTTP process do with each system
 * call: made from inside the real filter, in a process of its own, also from a
 * thread that was there before the filter and by the other ways into the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "idp/sandbox.h"
#include "keys/signer_sandbox.h"
#include "tests/test.h"

/* The kernel takes the lower half of an int; a filter that compares all of it is passed by. */
#define HIGH(value) ((long)((1UL << 32) | (unsigned long)(value)))
#define X32         0x40000000L

enum process { NO_FILTER, SIGNER, HTTP };

/* LIVES: the filter lets it pass, whatever it then says.  Else the errno that is answered instead.
 */
enum fate { LIVES = 0, DIES = -1 };

struct call {
	const char *name;
	long nr; /* -1: fn */
	long arg[4];
	int signer, http; /* enum fate or errno */
	long (*fn)(void);
};

static char page[4096];

static void *
end_at_once(void *arg)
{
	return arg;
}

static long
make_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, end_at_once, NULL);
}

/* By mremap, as libc does it for large blocks. */
static long
move_a_block(void)
{
	char *p = malloc(300000);
	char *moved = p == NULL ? NULL : realloc(p, 30000000);

	free(moved == NULL ? p : moved);
	return moved == NULL ? -1 : 0;
}

static long
turn_to_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long
kill_parent(void)
{
	return syscall(SYS_kill, getppid(), 0);
}

static long
signal_parents_thread(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static long
signal_itself(void)
{
	return syscall(SYS_tgkill, getpid(), gettid(), 0);
}

#ifdef __x86_64__
/* The child has our stack: it must not touch it. */
static long
make_vfork(void)
{
	long r = SYS_vfork;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %1, %%eax\n\t"
			 "xor %%edi, %%edi\n\t"
			 "syscall\n"
			 "1:"
			 : "+a"(r)
			 : "i"(SYS_exit)
			 : "rcx", "r11", "rdi", "memory");
	return r;
}

static long
call_by_interrupt(long nr)
{
	long r = nr;

	__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
	return r;
}

static long
getpid_by_interrupt(void)
{
	return call_by_interrupt(20);
}

static long
fork_by_interrupt(void)
{
	return call_by_interrupt(2);
}
#endif

#define P(p) ((long)(uintptr_t)(p))
/* A call that neither process needs. */
#define NEITHER(name, ...)                                          \
	{                                                           \
#name, SYS_##name, {__VA_ARGS__ }, DIES, DIES, NULL \
	}
/* A call that only the signer does without. */
#define HTTP_ONLY(name, ...)                                         \
	{                                                            \
#name, SYS_##name, {__VA_ARGS__ }, DIES, LIVES, NULL \
	}
#define BOTH(name, ...)                                               \
	{                                                             \
#name, SYS_##name, {__VA_ARGS__ }, LIVES, LIVES, NULL \
	}

static const struct call calls[] = {
	/* files, sockets */
	HTTP_ONLY(openat, AT_FDCWD, P("/etc/hostname"), O_RDONLY),
	HTTP_ONLY(write, 2, P(page), 0),
	HTTP_ONLY(socket, AF_UNIX, SOCK_STREAM, 0),
	HTTP_ONLY(socket, AF_INET, SOCK_STREAM, 0),
	HTTP_ONLY(socket, AF_INET6, SOCK_STREAM, 0),
	HTTP_ONLY(connect, -1, 0, 0),
	HTTP_ONLY(bind, -1, 0, 0),
	HTTP_ONLY(accept4, -1, 0, 0, 0),
	HTTP_ONLY(recvmsg, -1, 0, 0),
	HTTP_ONLY(sendmsg, -1, 0, 0),
	HTTP_ONLY(dup, 2),
	HTTP_ONLY(restart_syscall, 0),
	HTTP_ONLY(fcntl, 2, F_GETFD),
	HTTP_ONLY(close, -1),
	HTTP_ONLY(ioctl, 2, FIONREAD, 0),
	{"socket AF_NETLINK", SYS_socket, {AF_NETLINK, SOCK_RAW, 0}, DIES, EAFNOSUPPORT, NULL},
	{"socket AF_PACKET", SYS_socket, {AF_PACKET, SOCK_RAW, 0}, DIES, EAFNOSUPPORT, NULL},
	{"socket AF_ALG", SYS_socket, {AF_ALG, SOCK_SEQPACKET, 0}, DIES, EAFNOSUPPORT, NULL},
	{"socket AF_VSOCK", SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}, DIES, EAFNOSUPPORT, NULL},
	{"socket AF_AX25, hidden",
	 SYS_socket,
	 {HIGH(AF_AX25), SOCK_STREAM, 0},
	 DIES,
	 EAFNOSUPPORT,
	 NULL},
	{"ioctl TIOCSTI", SYS_ioctl, {-1, TIOCSTI, P(page)}, DIES, DIES, NULL},
	{"ioctl TIOCSTI, hidden", SYS_ioctl, {-1, HIGH(TIOCSTI), P(page)}, DIES, DIES, NULL},
	/* other programs and processes */
	NEITHER(execve, P("/bin/true"), 0, 0),
	NEITHER(execveat, -1, P(""), 0, 0),
	NEITHER(fork, 0),
	NEITHER(clone, SIGCHLD, 0, 0, 0),
	{"clone, hidden", SYS_clone, {HIGH(SIGCHLD), 0, 0, 0}, DIES, DIES, NULL},
	{"clone3", SYS_clone3, {P(page), 88}, DIES, ENOSYS, NULL},
	{"a thread", -1, {0}, DIES, LIVES, make_thread},
	NEITHER(ptrace, PTRACE_TRACEME, 0, 0, 0),
	NEITHER(process_vm_readv, 1, 0, 0, 0),
	NEITHER(process_vm_writev, 1, 0, 0, 0),
	NEITHER(process_madvise, -1, 0, 0, 0),
	NEITHER(pidfd_getfd, -1, 0, 0),
	NEITHER(pidfd_send_signal, -1, 0, 0, 0),
	NEITHER(kcmp, 1, 1, 0, 0),
	NEITHER(perf_event_open, 0, 0, 0, 0),
	NEITHER(tkill, 1, 0),
	NEITHER(rt_sigqueueinfo, 1, 0, 0),
	NEITHER(rt_tgsigqueueinfo, 1, 1, 0, 0),
	{"kill the parent", -1, {0}, DIES, DIES, kill_parent},
	{"tgkill the parent", -1, {0}, DIES, DIES, signal_parents_thread},
	{"tgkill itself", -1, {0}, DIES, LIVES, signal_itself},
	/* locks that it was put behind */
	{"prctl PR_SET_DUMPABLE", SYS_prctl, {PR_SET_DUMPABLE, 1, 0, 0}, DIES, DIES, NULL},
	{"prctl PR_SET_DUMPABLE, hidden",
	 SYS_prctl,
	 {HIGH(PR_SET_DUMPABLE), 1, 0, 0},
	 DIES,
	 DIES,
	 NULL},
	NEITHER(personality, ADDR_NO_RANDOMIZE),
	{"mmap to write and run",
	 SYS_mmap,
	 {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS},
	 DIES,
	 DIES,
	 NULL},
	{"mmap to run",
	 SYS_mmap,
	 {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS},
	 DIES,
	 LIVES,
	 NULL},
	{"mprotect to run", -1, {0}, DIES, DIES, turn_to_code},
	{"pkey_mprotect to run", SYS_pkey_mprotect, {0, 4096, PROT_EXEC, -1}, DIES, DIES, NULL},
	{"shmat to run", SYS_shmat, {-1, 0, SHM_EXEC}, DIES, DIES, NULL},
	NEITHER(modify_ldt, 0, 0, 0),
	NEITHER(remap_file_pages, 0, 0, 0, 0),
	/* another user */
	NEITHER(setuid, -1),
	NEITHER(setgid, -1),
	NEITHER(setreuid, -1, -1),
	NEITHER(setregid, -1, -1),
	NEITHER(setresuid, -1, -1, -1),
	NEITHER(setresgid, -1, -1, -1),
	NEITHER(setfsuid, -1),
	NEITHER(setfsgid, -1),
	NEITHER(setgroups, 0, 0),
	NEITHER(capset, 0, 0),
	/* where the kernel has had its faults */
	NEITHER(bpf, -1, 0, 0),
	NEITHER(userfaultfd, 0),
	NEITHER(io_uring_setup, 1, 0),
	NEITHER(io_uring_enter, -1, 0, 0, 0),
	NEITHER(io_uring_register, -1, 0, 0, 0),
	NEITHER(add_key, 0, 0, 0, 0),
	NEITHER(request_key, 0, 0, 0, 0),
	NEITHER(keyctl, 0, 0, 0, 0),
	NEITHER(vmsplice, -1, 0, 0, 0),
	NEITHER(name_to_handle_at, -1, 0, 0, 0),
	NEITHER(open_by_handle_at, -1, 0, 0),
	/* the machine */
	NEITHER(init_module, 0, 0, 0),
	NEITHER(finit_module, -1, 0, 0),
	NEITHER(delete_module, 0, 0),
	NEITHER(kexec_load, 0, 0, 0, -1),
	NEITHER(kexec_file_load, -1, -1, 0, 0),
	NEITHER(reboot, 0, 0, 0),
	NEITHER(syslog, 10, 0, 0),
	NEITHER(ioperm, -1, 0, 0),
	NEITHER(iopl, 4),
	NEITHER(swapon, 0, 0),
	NEITHER(swapoff, 0),
	NEITHER(acct, P("/dev/null")),
	NEITHER(quotactl, -1, 0, 0, 0),
	NEITHER(settimeofday, 1, 0),
	NEITHER(clock_settime, -1, 0),
	NEITHER(clock_adjtime, -1, 0),
	NEITHER(adjtimex, 0),
	NEITHER(sethostname, 0, -1),
	NEITHER(setdomainname, 0, -1),
	/* its file systems */
	NEITHER(mount, 0, 0, 0, 0),
	NEITHER(umount2, 0, 0),
	NEITHER(pivot_root, 0, 0),
	NEITHER(chroot, 0),
	NEITHER(move_mount, -1, 0, -1, 0),
	NEITHER(open_tree, -1, 0, 0),
	NEITHER(fsopen, 0, 0),
	NEITHER(fsconfig, -1, 0, 0, 0),
	NEITHER(fsmount, -1, 0, 0),
	NEITHER(fspick, -1, 0, 0),
	NEITHER(mount_setattr, -1, 0, 0, 0),
	NEITHER(mknod, 0, 0, 0),
	NEITHER(mknodat, -1, 0, 0, 0),
	NEITHER(setns, -1, 0),
	NEITHER(unshare, 0),
/* other ways into the kernel */
#ifdef __x86_64__
	{"vfork", -1, {0}, DIES, DIES, make_vfork},
	{"vfork", -1, {0}, DIES, DIES, make_vfork},
	{"getpid as x32", X32 | SYS_getpid, {0}, DIES, DIES, NULL},
	{"execve as x32", X32 | 520, {0}, DIES, DIES, NULL},
	{"getpid by int 0x80", -1, {0}, DIES, DIES, getpid_by_interrupt},
	{"fork by int 0x80", -1, {0}, DIES, DIES, fork_by_interrupt},
#endif
	/* what each needs */
	BOTH(getpid, 0),
	BOTH(futex, P(page), 1, 0, 0),
	BOTH(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS),
	BOTH(clock_gettime, CLOCK_MONOTONIC, P(page)),
	{"realloc", -1, {0}, LIVES, LIVES, move_a_block},
	BOTH(getrandom, P(page), 16, 0),
};

static void
lock(enum process p)
{
	bool locked;
	int fd;

	if (p == HTTP && !sandbox_enter(NULL))
		_exit(101);
	if (p != SIGNER)
		return;
	fd = dup(2);
	if (!signer_sandbox_prepare(&fd, &locked, NULL) || !signer_sandbox_close(NULL))
		_exit(102);
}

static int
make(const struct call *c)
{
	long r = c->nr < 0 ? c->fn()
			   : syscall(c->nr, c->arg[0], c->arg[1], c->arg[2], c->arg[3], -1, 0);

	return r == -1 ? errno : 0;
}

struct early {
	const struct call *call;
	pthread_barrier_t locked;
};

static void *
make_in_thread(void *arg)
{
	struct early *e = arg;

	pthread_barrier_wait(&e->locked);
	_exit(make(e->call));
}

/* DIES, or the call's errno; 0: it had none. */
static int
fate_of(const struct call *c, enum process p, bool from_thread)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct early e = {.call = c};
		pthread_t t;

		pthread_barrier_init(&e.locked, NULL, 2);
		if (from_thread && pthread_create(&t, NULL, make_in_thread, &e) != 0)
			_exit(103);
		if (from_thread)
			usleep(20000); /* its start makes calls of its own */
		lock(p);
		if (!from_thread)
			_exit(make(c));
		pthread_barrier_wait(&e.locked);
		pthread_join(t, NULL);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return DIES;
	if (!WIFEXITED(status) || (WEXITSTATUS(status) > 100 && WEXITSTATUS(status) < 104))
		fail_msg("%s: status %x", c->name, status);
	return WEXITSTATUS(status);
}

static void
check(const struct call *c, enum process p, bool from_thread)
{
	int wanted = p == SIGNER ? c->signer : c->http, fate = fate_of(c, p, from_thread);

	if (wanted == LIVES ? fate == DIES : fate != wanted)
		fail_msg("%s in the %s: %d, not %d", c->name, p == HTTP ? "HTTP process" : "signer",
			 fate, wanted);
}

static void
the_signer_makes_no_call_but_its_own(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		check(&calls[i], SIGNER, false);
}

static void
the_http_process_makes_no_intruders_call(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		check(&calls[i], HTTP, false);
}

static void
threads_from_before_are_bound_too(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i += 7) {
		check(&calls[i], SIGNER, true);
		check(&calls[i], HTTP, true);
	}
}

/* What dies above dies of the filter. */
static void
without_a_filter_no_call_dies(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		const struct call *c = &calls[i];

#ifdef __x86_64__
		if (c->fn == getpid_by_interrupt || c->fn == fork_by_interrupt)
			continue; /* a kernel may be built without */
#endif
		if (fate_of(c, NO_FILTER, false) == DIES)
			fail_msg("%s dies of something else", c->name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_signer_makes_no_call_but_its_own),
		cmocka_unit_test(the_http_process_makes_no_intruders_call),
		cmocka_unit_test(threads_from_before_are_bound_too),
		cmocka_unit_test(without_a_filter_no_call_dies),
	};

	return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
