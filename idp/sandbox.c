/* Privileges and system calls given up; see sandbox.h. */
#include "idp/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sanitized.h"

/* Calls that end the process: only an intruder makes them. */
static const int denied[] = {
	/* other programs and processes */
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(process_madvise),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(kill),
	SCMP_SYS(tkill),
	SCMP_SYS(rt_sigqueueinfo),
	SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(kcmp),
	SCMP_SYS(perf_event_open),
	/* another user */
	SCMP_SYS(setuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setreuid),
	SCMP_SYS(setregid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresgid),
	SCMP_SYS(setfsuid),
	SCMP_SYS(setfsgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(capset),
	/* where the kernel has had its faults */
	SCMP_SYS(bpf),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(personality),
	SCMP_SYS(modify_ldt),
	SCMP_SYS(vmsplice),
	SCMP_SYS(remap_file_pages),
	SCMP_SYS(name_to_handle_at),
	SCMP_SYS(open_by_handle_at),
	/* the machine */
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot),
	SCMP_SYS(syslog),
	SCMP_SYS(ioperm),
	SCMP_SYS(iopl),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(acct),
	SCMP_SYS(quotactl),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	/* its file systems */
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount),
	SCMP_SYS(fspick),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(mknod),
	SCMP_SYS(mknodat),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
};

bool
sandbox_become(const char *user, struct err *err)
{
	struct passwd *pw;

	if (user == NULL)
		return true;
	pw = getpwnam(user);
	if (pw == NULL)
		return FAIL(err, ERR_INPUT, NULL, "no user %s", user);
	if (initgroups(user, pw->pw_gid) != 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return FAIL(err, ERR_DENIED, NULL, "cannot become %s: %s", user, strerror(errno));
	return true;
}

/* The kernel reads 32 bits of an int; what stands above must not hide it. */
#define IS_INT(arg, value) SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, 0xffffffff, (uint32_t)(value))

/* Memory may be written or run, not both; the linker maps libraries without. */
static bool
deny_code(scmp_filter_ctx ctx)
{
	const scmp_datum_t both = PROT_WRITE | PROT_EXEC;

	return seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(mmap), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, both, both)) == 0 &&
	       seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(mprotect), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)) == 0 &&
	       seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(pkey_mprotect), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)) == 0 &&
	       seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(shmat), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, SHM_EXEC, SHM_EXEC)) == 0;
}

/* Threads yes, processes no.  clone3 hides its flags in memory: libc then takes clone. */
static bool
deny_processes(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0 &&
	       seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
	       seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(tgkill), 1,
				SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid(), 0)) == 0 &&
	       seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(prctl), 1,
				IS_INT(0, PR_SET_DUMPABLE)) == 0 &&
	       seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(ioctl), 1,
				IS_INT(1, TIOCSTI)) == 0;
}

/* An error, not death: getaddrinfo asks for a netlink socket and lives without one. */
static bool
deny_sockets(scmp_filter_ctx ctx)
{
	const uint32_t refused = SCMP_ACT_ERRNO(EAFNOSUPPORT);
	bool ok = seccomp_rule_add(ctx, refused, SCMP_SYS(socket), 1,
				   SCMP_A0(SCMP_CMP_GT, AF_INET6, 0)) == 0;

	for (scmp_datum_t family = 0; ok && family < AF_INET6; family++)
		if (family != AF_UNIX && family != AF_INET)
			ok = seccomp_rule_add(ctx, refused, SCMP_SYS(socket), 1,
					      SCMP_A0(SCMP_CMP_EQ, family, 0)) == 0;
	return ok;
}

static bool
deny_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	bool ok = ctx != NULL && seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
		  seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0;

	for (size_t i = 0; ok && i < ARRAY_LEN(denied); i++)
		ok = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, denied[i], 0) == 0;
	ok = ok && deny_code(ctx) && deny_processes(ctx) && deny_sockets(ctx) &&
	     seccomp_load(ctx) == 0;
	seccomp_release(ctx);
	return ok;
}

bool
sandbox_enter(struct err *err)
{
	const struct rlimit none = {0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return FAIL(err, ERR_INTERNAL, NULL, "process cannot be locked down: %s",
			    strerror(errno));
	if (!SANITIZED && !deny_calls())
		return FAIL(err, ERR_INTERNAL, NULL, "seccomp filter cannot be set");
	return true;
}
