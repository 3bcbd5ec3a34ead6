/* What the HTTP process gives up; each look happens in a process of its own.  Calls:
 * test_seccomp.c. */
#include "idp/sandbox.h"

#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

/* The wait status of fn in a child. */
static int
in_child(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
enter(void)
{
	struct err err = {0};

	if (!sandbox_enter(&err))
		_exit(1);
}

static void
look_at_limits(void)
{
	struct rlimit core;

	enter();
	if (prctl(PR_GET_DUMPABLE) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		_exit(2);
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
		_exit(3);
}

static void
no_core_no_ptrace_no_new_privileges(void **state UNUSED)
{
	assert_int_equal(in_child(look_at_limits), 0);
}

static void
become_nobody(void)
{
	struct err err = {0};
	struct passwd *pw = getpwnam("nobody");

	if (pw == NULL || !sandbox_become("nobody", &err))
		_exit(1);
	if (getuid() != pw->pw_uid || geteuid() != pw->pw_uid || getgid() != pw->pw_gid)
		_exit(2);
	/* There is no way back. */
	if (setuid(0) == 0 || sandbox_become("root", &err) || err.kind != ERR_DENIED)
		_exit(3);
}

static void
another_user_is_for_good(void **state UNUSED)
{
	if (geteuid() != 0) { /* then there is nobody to become */
		struct err err = {0};

		assert_false(sandbox_become("nobody", &err));
		return;
	}
	assert_int_equal(in_child(become_nobody), 0);
}

static void
no_user_stays_and_an_unknown_one_is_refused(void **state UNUSED)
{
	struct err err = {0};

	ASSERT_OK(sandbox_become(NULL, &err), &err);
	ASSERT_REFUSED(sandbox_become("no-such-user", &err), &err, ERR_INPUT, "no user");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_core_no_ptrace_no_new_privileges),
		cmocka_unit_test(another_user_is_for_good),
		cmocka_unit_test(no_user_stays_and_an_unknown_one_is_refused),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
