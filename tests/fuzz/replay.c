/*
 * Replays the seeds of a fuzz target as plain test cases: `replay_x DIR|FILE...`
 * feeds each file to LLVMFuzzerTestOneInput and prints one TAP line.
 *
 * Every seed runs in a child of its own, so that one crash hides no other seed,
 * and within limits of time and memory: a parser that is only slow or only
 * greedy fails too.  Finding new inputs is libFuzzer's work (`./dev fuzz`).
 */
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SEED_MAX_CPU_S
#define SEED_MAX_CPU_S 10 /* under sanitizers; of the processor, however busy */
#endif

enum {
	SEED_MAX_S = 120,                 /* for what waits and computes nothing */
	SEED_MAX_KIB = 256 * 1024,        /* resident, on top of what an empty run needs */
	SEED_MAX_BYTES = 4 * 1024 * 1024, /* a larger file is no seed */
	SEEDS_MAX = 4096,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

struct seed_list {
	char *paths[SEEDS_MAX];
	size_t n;
};

static _Noreturn void
bail_out(const char *why, const char *what)
{
	printf("Bail out! %s: %s\n", what, why);
	exit(1);
}

static void
list_add(struct seed_list *list, const char *path)
{
	if (list->n == SEEDS_MAX)
		bail_out("too many seeds", path);
	list->paths[list->n] = strdup(path);
	if (list->paths[list->n++] == NULL)
		bail_out("out of memory", path);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
list_folder(struct seed_list *list, const char *folder)
{
	DIR *d = opendir(folder);
	size_t before = list->n;

	if (d == NULL)
		bail_out("cannot be opened", folder);
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		char path[4096];

		if (e->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >= (int)sizeof(path))
			bail_out("the path is too long", folder);
		list_add(list, path);
	}
	closedir(d);
	/* A target without seeds would pass without having tested anything. */
	if (list->n == before)
		bail_out("holds no seed", folder);
	qsort(list->paths + before, list->n - before, sizeof(list->paths[0]), by_name);
}

/* The file in an allocation of exactly its size, so that ASan sees one octet too far. */
static uint8_t *
seed_read(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	struct stat st;

	if (f == NULL || fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
		bail_out("cannot be read", path);
	if (st.st_size > SEED_MAX_BYTES)
		bail_out("is too large for a seed", path);
	*size = (size_t)st.st_size;

	uint8_t *data = malloc(*size > 0 ? *size : 1);

	if (data == NULL || fread(data, 1, *size, f) != *size)
		bail_out("cannot be read", path);
	fclose(f);
	return data;
}

/*
 * Run one input in a child.  Returns its wait status; *peak_kib is the most
 * memory it had resident.  exit(), not _exit(), so that leaks are looked for.
 */
static int
seed_run(const uint8_t *data, size_t size, long *peak_kib)
{
	struct rusage used;
	int status;

	fflush(NULL);
	pid_t pid = fork();

	if (pid < 0)
		bail_out("fork failed", "replay");
	if (pid == 0) {
		const struct rlimit cpu = {SEED_MAX_CPU_S, SEED_MAX_CPU_S + 1};

		if (setrlimit(RLIMIT_CPU, &cpu) != 0)
			exit(1);
		alarm(SEED_MAX_S);
		LLVMFuzzerTestOneInput(data, size);
		exit(0);
	}
	if (wait4(pid, &status, 0, &used) != pid)
		bail_out("wait4 failed", "replay");
	*peak_kib = used.ru_maxrss;
	return status;
}

static bool
seed_judge(const char *path, int status, long extra_kib)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		printf("# %s: computed for more than %d s\n", path, SEED_MAX_CPU_S);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("# %s: took more than %d s\n", path, SEED_MAX_S);
	else if (WIFSIGNALED(status))
		printf("# %s: ended by signal %d\n", path, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		printf("# %s: ended with status %d\n", path, WEXITSTATUS(status));
	else if (extra_kib > SEED_MAX_KIB)
		printf("# %s: took %ld KiB of memory, %d allowed\n", path, extra_kib, SEED_MAX_KIB);
	else
		return true;
	return false;
}

int
main(int argc, char **argv)
{
	static struct seed_list list;
	long idle_kib;
	int failed = 0;

	if (LLVMFuzzerInitialize != NULL)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			list_folder(&list, argv[i]);
		else
			list_add(&list, argv[i]);
	}
	if (list.n == 0)
		bail_out("no seed named", argv[0]);
	if (seed_run((const uint8_t *)"", 0, &idle_kib) != 0)
		bail_out("the empty input fails", argv[0]);

	printf("1..%zu\n", list.n);
	for (size_t i = 0; i < list.n; i++) {
		size_t size;
		long peak_kib;
		uint8_t *data = seed_read(list.paths[i], &size);
		int status = seed_run(data, size, &peak_kib);
		bool ok = seed_judge(list.paths[i], status, peak_kib - idle_kib);
		const char *slash = strrchr(list.paths[i], '/');

		printf("%s %zu - %s\n", ok ? "ok" : "not ok", i + 1,
		       slash != NULL ? slash + 1 : list.paths[i]);
		failed += !ok;
		free(data);
		free(list.paths[i]);
	}
	return failed > 0;
}
