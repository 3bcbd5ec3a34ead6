/* Reading, changing and writing the master key file; see masterfile.h. */
#include "keys/masterfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/text.h"
#include "keys/secretfile.h"

#define FILE_MAX  16384 /* octets */
#define LINE_MAX_ 200
#define WORDS_MAX 5 /* one more than a line may have */

static bool
key_parse(struct arena *a, const char *word, unsigned char out[MASTERFILE_KEY_BYTES])
{
	struct bytes key;

	if (!dec_base64url(a, bytes_of(word), &key, NULL) || key.n != MASTERFILE_KEY_BYTES)
		return false;
	memcpy(out, key.p, MASTERFILE_KEY_BYTES);
	return true;
}

static bool
number_parse(const char *word, uint64_t max, uint64_t *out)
{
	return text_to_u64(word, max, out) && *out > 0;
}

/* Keep the list ascending; false when the number is there or the list is full. */
static bool
master_insert(struct masterfile *mf, const struct master_key *m)
{
	size_t i = mf->n_masters;

	if (i == MASTERFILE_MASTERS_MAX)
		return false;
	for (; i > 0 && mf->masters[i - 1].generation >= m->generation; i--) {
		if (mf->masters[i - 1].generation == m->generation)
			return false;
		mf->masters[i] = mf->masters[i - 1];
	}
	mf->masters[i] = *m;
	mf->n_masters++;
	return true;
}

static bool
epoch_insert(struct masterfile *mf, const struct epoch_key *e)
{
	size_t i = mf->n_epochs;

	if (i == MASTERFILE_EPOCHS_MAX)
		return false;
	for (; i > 0 && mf->epochs[i - 1].id >= e->id; i--) {
		if (mf->epochs[i - 1].id == e->id)
			return false;
		mf->epochs[i] = mf->epochs[i - 1];
	}
	mf->epochs[i] = *e;
	mf->n_epochs++;
	return true;
}

static bool
master_parse(struct arena *a, struct masterfile *mf, const char *const *words, size_t n)
{
	struct master_key m;
	uint64_t generation;

	if (n != 3 || !number_parse(words[1], UINT32_MAX, &generation) ||
	    !key_parse(a, words[2], m.key))
		return false;
	m.generation = (uint32_t)generation;
	bool ok = master_insert(mf, &m);

	wipe(&m, sizeof(m));
	return ok;
}

static bool
epoch_parse(struct arena *a, struct masterfile *mf, const char *const *words, size_t n)
{
	struct epoch_key e;
	uint64_t id, created;

	if (n != 4 || !number_parse(words[1], UINT32_MAX, &id) ||
	    !number_parse(words[2], INT64_MAX / 2, &created) || !key_parse(a, words[3], e.key))
		return false;
	e.id = (uint32_t)id;
	e.created = (time_t)created;
	bool ok = epoch_insert(mf, &e);

	wipe(&e, sizeof(e));
	return ok;
}

static bool
line_parse(struct arena *a, struct bytes line, struct masterfile *mf)
{
	const char *text, **words;
	size_t n;

	if (line.n == 0 || line.p[0] == '#')
		return true;
	if (!text_from_bytes(a, line, LINE_MAX_, "line", &text, NULL) ||
	    !text_words(a, text, WORDS_MAX, &words, &n, NULL) || n == 0)
		return false;
	if (strcmp(words[0], "master") == 0)
		return master_parse(a, mf, words, n);
	return strcmp(words[0], "epoch") == 0 && epoch_parse(a, mf, words, n);
}

bool
masterfile_parse(struct arena *a, struct bytes text, struct masterfile *out, struct err *err)
{
	struct masterfile *mf = ARENA_NEW(a, struct masterfile);
	size_t number = 1;

	if (text.n > FILE_MAX)
		return FAIL(err, ERR_INPUT, NULL, "master key file is too long");
	for (size_t at = 0; at < text.n; number++) {
		const unsigned char *p = text.p + at, *end = memchr(p, '\n', text.n - at);
		size_t n = end != NULL ? (size_t)(end - p) : text.n - at;

		if (!line_parse(a, (struct bytes){p, n}, mf))
			return FAIL(err, ERR_INPUT, NULL, "master key file: line %zu is wrong",
				    number);
		at += n + 1;
	}
	if (mf->n_masters == 0 || mf->n_epochs == 0)
		return FAIL(err, ERR_INPUT, NULL, "master key file lacks a master or an epoch");
	*out = *mf;
	return true;
}

bool
masterfile_build(struct arena *a, const struct masterfile *mf, struct bytes *text, struct err *err)
{
	struct buf b;

	buf_init(&b, a, FILE_MAX);
	buf_str(&b,
		"# Master keys of this instance.  Keep a copy apart from the database's backups;\n"
		"# without it no key and no account opens.\n");
	for (size_t i = 0; i < mf->n_masters; i++) {
		struct bytes key = {mf->masters[i].key, MASTERFILE_KEY_BYTES};

		buf_printf(&b, "master %u %s\n", mf->masters[i].generation, enc_base64url(a, key));
	}
	for (size_t i = 0; i < mf->n_epochs; i++) {
		struct bytes key = {mf->epochs[i].key, MASTERFILE_KEY_BYTES};

		buf_printf(&b, "epoch %u %lld %s\n", mf->epochs[i].id,
			   (long long)mf->epochs[i].created, enc_base64url(a, key));
	}
	return buf_finish(&b, text, err);
}

bool
masterfile_read(struct arena *a, const char *path, struct masterfile *out, struct err *err)
{
	struct bytes text;

	return secretfile_read(a, "master key file", path, FILE_MAX, &text, err) &&
	       masterfile_parse(a, text, out, err);
}

static void
close_fd(void *p)
{
	close((int)(intptr_t)p);
}

/* Where it lies: entries, too, must survive a power cut.  Closed with the arena. */
static bool
folder_open(struct arena *a, const char *path, int *out, struct err *err)
{
	int fd = open(dirname(arena_strdup(a, path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: folder: %s", path, strerror(errno));
	arena_defer(a, close_fd, (void *)(intptr_t)fd);
	*out = fd;
	return true;
}

/* Left over from a write cut short. */
static bool
leftover_remove(const char *path, struct err *err)
{
	if (unlink(path) != 0 && errno != ENOENT)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: %s", path, strerror(errno));
	return true;
}

static bool
beside_write(struct arena *a, const struct masterfile *mf, const char *beside, struct err *err)
{
	struct bytes text;

	if (!masterfile_build(a, mf, &text, err) || !leftover_remove(beside, err))
		return false;
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: %s", beside, strerror(errno));
	bool written = file_write(fd, text) && fsync(fd) == 0;

	if (close(fd) == 0 && written)
		return true;
	unlink(beside);
	return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: cannot be written", beside);
}

static bool
folder_sync(int folder, const char *path, struct err *err)
{
	return fsync(folder) == 0 ||
	       FAIL(err, ERR_UNAVAILABLE, NULL, "%s: folder cannot be synced", path);
}

bool
masterfile_create(struct arena *a, const struct masterfile *mf, const char *path, struct err *err)
{
	const char *beside = arena_printf(a, "%s.new", path);
	int folder;

	if (!folder_open(a, path, &folder, err) || !beside_write(a, mf, beside, err))
		return false;
	if (renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE) != 0) {
		enum err_kind kind = errno == EEXIST ? ERR_CONFLICT : ERR_UNAVAILABLE;
		const char *why = strerror(errno);

		unlink(beside);
		return FAIL(err, kind, NULL, "%s: %s", path, why);
	}
	if (folder_sync(folder, path, err))
		return true;
	unlink(path);
	return false;
}

bool
masterfile_change_begin(struct arena *a, const struct masterfile *mf, const char *path,
			struct masterfile_change *out, struct err *err)
{
	struct masterfile_change c = {.path = path,
				      .fresh = arena_printf(a, "%s.new", path),
				      .old = arena_printf(a, "%s.old", path)};

	if (!folder_open(a, path, &c.folder, err) || !leftover_remove(c.old, err) ||
	    !beside_write(a, mf, c.fresh, err))
		return false;
	*out = c;
	return true;
}

bool
masterfile_change_apply(struct masterfile_change *c, struct err *err)
{
	c->applied = link(c->path, c->old) == 0 && rename(c->fresh, c->path) == 0;
	if (!c->applied)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: %s", c->path, strerror(errno));
	return folder_sync(c->folder, c->path, err);
}

bool
masterfile_change_end(struct masterfile_change *c, bool keep, struct err *err)
{
	bool back = c->applied && !keep;

	if (back && rename(c->old, c->path) != 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: the new file stays: %s", c->path,
			    strerror(errno));
	unlink(c->fresh);
	unlink(c->old);
	return fsync(c->folder) == 0 || !back ||
	       FAIL(err, ERR_UNAVAILABLE, NULL, "%s: folder cannot be synced", c->path);
}

void
masterfile_init(struct masterfile *mf, time_t now)
{
	*mf = (struct masterfile){.n_masters = 1, .n_epochs = 1};
	mf->masters[0].generation = 1;
	rand_bytes(mf->masters[0].key, MASTERFILE_KEY_BYTES);
	mf->epochs[0].id = 1;
	mf->epochs[0].created = now;
	rand_bytes(mf->epochs[0].key, MASTERFILE_KEY_BYTES);
}

bool
masterfile_add_master(struct masterfile *mf, struct err *err)
{
	struct master_key m = {.generation = mf->masters[mf->n_masters - 1].generation + 1};

	if (m.generation == 0)
		return FAIL(err, ERR_INPUT, NULL, "master key generations are used up");
	if (mf->n_masters == MASTERFILE_MASTERS_MAX) {
		mf->masters[0] = mf->masters[1];
		mf->n_masters--;
	}
	rand_bytes(m.key, sizeof(m.key));
	mf->masters[mf->n_masters++] = m;
	wipe(&m, sizeof(m));
	return true;
}

bool
masterfile_add_epoch(struct masterfile *mf, time_t now, struct err *err)
{
	struct epoch_key e = {.id = mf->epochs[mf->n_epochs - 1].id + 1, .created = now};

	if (mf->n_epochs == MASTERFILE_EPOCHS_MAX || e.id == 0)
		return FAIL(err, ERR_CONFLICT, NULL, "no room for another epoch key");
	rand_bytes(e.key, sizeof(e.key));
	mf->epochs[mf->n_epochs++] = e;
	wipe(&e, sizeof(e));
	return true;
}

bool
masterfile_drop_epoch(struct masterfile *mf, uint32_t id, struct err *err)
{
	size_t i = 0;

	while (i < mf->n_epochs && mf->epochs[i].id != id)
		i++;
	if (i == mf->n_epochs)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no epoch %u", id);
	if (i == mf->n_epochs - 1)
		return FAIL(err, ERR_DENIED, NULL, "epoch %u is in use", id);
	memmove(&mf->epochs[i], &mf->epochs[i + 1], (mf->n_epochs - i - 1) * sizeof(mf->epochs[0]));
	mf->n_epochs--;
	wipe(&mf->epochs[mf->n_epochs], sizeof(mf->epochs[0]));
	return true;
}
