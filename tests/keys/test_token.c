/* A SoftHSM token for tests; see test_token.h. */
#include "tests/keys/test_token.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

char test_token_folder[] = "/tmp/kontor-hsm-XXXXXX", test_token_fault_path[64];

void
test_token_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* A whole file at once: the module never reads half of it. */
void
test_token_fault(const char *command)
{
	char beside[80];

	if (command == NULL) {
		unlink(test_token_fault_path);
		return;
	}
	snprintf(beside, sizeof(beside), "%s.new", test_token_fault_path);
	test_token_write(beside, command);
	assert_int_equal(rename(beside, test_token_fault_path), 0);
}

static void
run(const char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)!freopen("/dev/null", "w", stdout);
		execvp(argv[0], (char **)(uintptr_t)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
test_token_make(void **state UNUSED)
{
	char path[64], text[160];
	const char *const init[] = {
		"softhsm2-util", "--init-token", "--free", "--label",      TEST_TOKEN,
		"--so-pin",      "0000",         "--pin",  TEST_TOKEN_PIN, NULL};

	assert_non_null(mkdtemp(test_token_folder));
	snprintf(test_token_fault_path, sizeof(test_token_fault_path), "%s/fault",
		 test_token_folder);
	snprintf(path, sizeof(path), "%s/tokens", test_token_folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(text, sizeof(text), "directories.tokendir = %s\nobjectstore.backend = file\n",
		 path);
	snprintf(path, sizeof(path), "%s/softhsm2.conf", test_token_folder);
	test_token_write(path, text);
	setenv("SOFTHSM2_CONF", path, 1);
	setenv("KONTOR_P11_FAULT", test_token_fault_path, 1);
	run(init);
	return 0;
}

int
test_token_remove(void **state UNUSED)
{
	const char *const words[] = {"rm", "-rf", test_token_folder, NULL};

	run(words);
	return 0;
}
