/*
 * Looks for an instance's keys in the memory of a process:
 *	key_hunt MASTER_KEY_FILE INSTANCE PID ...  <  "KID PURPOSE TYPE SEALED_HEX" a line
 * opens the rows as the signer does and prints for each process "PID MAPS OCTETS", then
 * "PID PLACES NAME" for every key, those found nowhere with 0.  A row of purpose 0 is no key:
 * its octets are looked for as they stand, to show that the hunt finds.  Exits 1 when memory
 * that is there cannot be read: nothing found would then prove nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/enc.h"
#include "keys/keyring.h"
#include "keys/signer_core.h"
#include "tests/keys/needles.h"

#define PAGE        ((uint64_t)4096)
#define PAGES_MAX   ((uint64_t)4096)    /* looked at in one go */
#define SHADOW      ((uint64_t)1 << 36) /* larger maps are the sanitizers' own, or nothing yet */
#define ARENA_BYTES ((size_t)64 << 20)
#define LINE_BYTES  16384
#define PRESENT     ((uint64_t)3 << 62) /* pagemap: in memory, or swapped out */

static _Noreturn void
die(const char *what, const char *why)
{
	fprintf(stderr, "key_hunt: %s: %s\n", what, why);
	exit(1);
}

/* ---- the keys ---- */

struct opener {
	struct arena *a;
	struct masterfile mf;
	struct seal masters[MASTERFILE_MASTERS_MAX];
	const char *instance;
	struct needles *needles;
};

static void
secrets_open(struct opener *o, const char *path)
{
	static struct crypto c;
	struct err err = {0};

	if (!masterfile_read(o->a, path, &o->mf, &err) || !crypto_init(o->a, &c, &err))
		die(path, err.text);
	for (size_t i = 0; i < o->mf.n_masters; i++) {
		const struct master_key *m = &o->mf.masters[i];

		if (!seal_init(o->a, &c, m->generation, m->key, &o->masters[i], &err))
			die(path, err.text);
		needles_add_secret(o->needles, "master",
				   (struct bytes){m->key, MASTERFILE_KEY_BYTES});
	}
	for (size_t i = 0; i < o->mf.n_epochs; i++)
		needles_add_secret(o->needles, "epoch",
				   (struct bytes){o->mf.epochs[i].key, MASTERFILE_KEY_BYTES});
}

static void
row_add(struct opener *o, const char *line)
{
	char kid[WIRE_KID_MAX + 1], hex[LINE_BYTES];
	unsigned purpose, type;
	struct bytes sealed, plain;
	uint32_t generation = 0;
	struct err err = {0};

	if (sscanf(line, "%64s %u %u %16383s", kid, &purpose, &type, hex) != 4 ||
	    !dec_hex(o->a, bytes_of(hex), &sealed, &err))
		die(line, "no row");
	if (purpose == 0) {
		needles_add_secret(o->needles, kid, sealed);
		return;
	}
	if (!seal_key_id(sealed, &generation))
		die(kid, "not sealed");
	for (size_t i = 0; i < o->mf.n_masters; i++) {
		struct bytes aad = signer_row_aad(o->a, o->instance, (enum key_purpose)purpose,
						  (enum key_type)type, kid);

		if (o->masters[i].id != generation)
			continue;
		if (!seal_read(&o->masters[i], o->a, aad, sealed, &plain, &err))
			die(kid, err.text);
		needles_add_key(o->needles, kid, (enum key_type)type, plain);
		return;
	}
	die(kid, "no such master key");
}

static void
rows_add(struct opener *o)
{
	static char line[LINE_BYTES];

	while (fgets(line, sizeof(line), stdin) != NULL)
		row_add(o, line);
}

/* ---- the memory ---- */

struct hunt {
	int mem, pagemap;
	struct needles *needles;
	uint64_t maps, octets;
	unsigned char *buffer;
	uint64_t *pages;
};

static int
proc_open(const char *pid, const char *file)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		die(path, strerror(errno));
	return fd;
}

/* Pages from `at` that are there, one behind the other; at most PAGES_MAX of n. */
static uint64_t
run_of(const uint64_t *pages, uint64_t n, bool present)
{
	uint64_t i = 0;

	while (i < n && ((pages[i] & PRESENT) != 0) == present)
		i++;
	return i;
}

/* Octets beyond the first page are read again with what comes next: a key may lie across. */
static void
stretch_hunt(struct hunt *h, uint64_t at, uint64_t pages)
{
	size_t n = (size_t)(pages * PAGE);
	ssize_t got = pread(h->mem, h->buffer, n, (off_t)at);

	if (got <= 0) {
		if (errno == EFAULT || errno == EIO || errno == ESRCH)
			return; /* unmapped since, or a device's */
		die("memory", strerror(errno));
	}
	h->octets += (uint64_t)got;
	needles_hunt(h->needles, (struct bytes){h->buffer, (size_t)got});
}

static void
map_hunt(struct hunt *h, uint64_t from, uint64_t to)
{
	h->maps++;
	for (uint64_t at = from; at < to;) {
		uint64_t n = (to - at) / PAGE < PAGES_MAX ? (to - at) / PAGE : PAGES_MAX;
		ssize_t got = pread(h->pagemap, h->pages, (size_t)n * 8, (off_t)(at / PAGE * 8));

		if (got < 8)
			die("pagemap", got < 0 ? strerror(errno) : "short");
		n = (uint64_t)got / 8;
		uint64_t skip = run_of(h->pages, n, false), take;

		if (skip > 0) {
			at += skip * PAGE;
			continue;
		}
		take = run_of(h->pages, n, true);
		stretch_hunt(h, at, take);
		/* The last page once more when the stretch was cut by our own buffer. */
		at += (take == PAGES_MAX && at + take * PAGE < to ? take - 1 : take) * PAGE;
	}
}

static void
process_hunt(struct opener *o, const char *pid)
{
	struct hunt h = {.mem = proc_open(pid, "mem"),
			 .pagemap = proc_open(pid, "pagemap"),
			 .needles = o->needles,
			 .buffer = malloc(PAGES_MAX * PAGE),
			 .pages = malloc(PAGES_MAX * 8)};
	FILE *maps = fdopen(proc_open(pid, "maps"), "r");
	char line[4352], mode[5];
	uint64_t from, to;

	if (maps == NULL || h.buffer == NULL || h.pages == NULL)
		die(pid, "out of memory");
	needles_forget(o->needles);
	while (fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, mode) == 3 &&
		    mode[0] == 'r' && to - from < SHADOW && strstr(line, "[vvar") == NULL &&
		    strstr(line, "[vsyscall]") == NULL)
			map_hunt(&h, from, to);
	fclose(maps);
	close(h.mem);
	close(h.pagemap);
	free(h.buffer);
	free(h.pages);
	printf("%s %" PRIu64 " %" PRIu64 "\n", pid, h.maps, h.octets);
	size_t places;
	const char *name;

	for (size_t i = 0; (name = needles_found(o->needles, &i, &places)) != NULL;)
		printf("%s %zu %s\n", pid, places, name);
}

int
main(int argc, char **argv)
{
	struct opener o = {.a = arena_create(ARENA_BYTES)};

	if (argc < 4 || o.a == NULL)
		die("usage", "key_hunt MASTER_KEY_FILE INSTANCE PID ...");
	o.instance = argv[2];
	o.needles = needles_create(o.a);
	secrets_open(&o, argv[1]);
	rows_add(&o);
	for (int i = 3; i < argc; i++)
		process_hunt(&o, argv[i]);
	arena_destroy(o.a);
	return 0;
}
