/* The master key file (keys/masterfile.h). */
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "keys/masterfile.h"

#define K1  "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
#define K2  "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"
#define NOW ((time_t)1800000000)

static char folder[] = "/tmp/kontor-masterfile-XXXXXX";

static int
make_folder(void **state UNUSED)
{
	return mkdtemp(folder) == NULL;
}

static int
remove_folder(void **state UNUSED)
{
	return rmdir(folder);
}

static void
every_line_is_read_in_any_order(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct masterfile mf;
	struct err err = {0};

	ASSERT_OK(masterfile_parse(a,
				   bytes_of("# comment\n\nepoch 7 1800000000 " K2 "\n"
					    "master 3 " K2 "\nmaster 2 " K1 "\n"
					    "epoch 5 1700000000 " K1),
				   &mf, &err),
		  &err);
	assert_int_equal(mf.n_masters, 2);
	assert_int_equal(mf.masters[0].generation, 2);
	assert_int_equal(mf.masters[1].generation, 3);
	assert_int_equal(mf.masters[0].key[31], 1);
	assert_int_equal(mf.n_epochs, 2);
	assert_int_equal(mf.epochs[0].id, 5);
	assert_int_equal(mf.epochs[0].created, 1700000000);
	assert_int_equal(mf.epochs[1].id, 7);
	assert_int_equal(mf.epochs[1].key[0], 2);
	arena_destroy(a);
}

static void
a_wrong_line_is_named_and_not_quoted(void **state UNUSED)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "lacks a master or an epoch"},
		{"master 1 " K1 "\n", "lacks a master or an epoch"},
		{"epoch 1 1 " K1 "\n", "lacks a master or an epoch"},
		{"master 1 " K1 "\nmaster 1 " K2 "\n", "line 2 "},
		{"master 1 " K1 "\nmaster 2 " K1 "\nmaster 3 " K1 "\n", "line 3 "},
		{"epoch 1 1 " K1 "\nepoch 1 2 " K2 "\n", "line 2 "},
		{"master 0 " K1, "line 1 "},
		{"master 4294967296 " K1, "line 1 "},
		{"master -1 " K1, "line 1 "},
		{"master x " K1, "line 1 "},
		{"master 1", "line 1 "},
		{"master 1 " K1 " x", "line 1 "},
		{"master 1 " K1 "=", "line 1 "},
		{"master 1 AQEB", "line 1 "},
		{"epoch 1 " K1, "line 1 "},
		{"epoch 1 0 " K1, "line 1 "},
		{"epoch 0 1 " K1, "line 1 "},
		{"epoch 1 1 " K1 " x", "line 1 "},
		{"epoch 1 1 " K1 " x y", "line 1 "},
		{"era 1 1 " K1, "line 1 "},
		{"epoch 1 1 AQEB", "line 1 "},
		{"key 1 " K1, "line 1 "},
		{" ", "line 1 "},
		{"\nmaster 1 \xff\n", "line 2 "},
	};
	struct arena *a = arena_create(1 << 20);
	struct masterfile mf;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err why = {0};

		assert_false(masterfile_parse(a, bytes_of(rows[i].text), &mf, &why));
		assert_null(strstr(why.text, "AQEB"));
		ASSERT_REFUSED(masterfile_parse(a, bytes_of(rows[i].text), &mf, &err), &err,
			       ERR_INPUT, rows[i].why);
	}
	struct bytes huge = {arena_alloc(a, 16385), 16385};

	ASSERT_REFUSED(masterfile_parse(a, huge, &mf, &err), &err, ERR_INPUT, "too long");
	arena_destroy(a);
}

static void
more_epochs_than_places_are_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	struct masterfile mf;
	struct bytes text;
	struct buf b;
	struct err err = {0};

	buf_init(&b, a, 16384);
	buf_str(&b, "master 1 " K1 "\n");
	for (int i = 1; i <= MASTERFILE_EPOCHS_MAX + 1; i++)
		buf_printf(&b, "epoch %d 1 " K1 "\n", i);
	ASSERT_OK(buf_finish(&b, &text, &err), &err);
	ASSERT_REFUSED(masterfile_parse(a, text, &mf, &err), &err, ERR_INPUT, "line 66 ");
	arena_destroy(a);
}

static bool
same(const struct masterfile *x, const struct masterfile *y)
{
	bool equal = x->n_masters == y->n_masters && x->n_epochs == y->n_epochs;

	for (size_t i = 0; equal && i < x->n_masters; i++)
		equal = x->masters[i].generation == y->masters[i].generation &&
			memcmp(x->masters[i].key, y->masters[i].key, 32) == 0;
	for (size_t i = 0; equal && i < x->n_epochs; i++)
		equal = x->epochs[i].id == y->epochs[i].id &&
			x->epochs[i].created == y->epochs[i].created &&
			memcmp(x->epochs[i].key, y->epochs[i].key, 32) == 0;
	return equal;
}

static bool
is_beside(struct arena *a, const char *path)
{
	return access(arena_printf(a, "%s.new", path), F_OK) == 0 ||
	       access(arena_printf(a, "%s.old", path), F_OK) == 0;
}

/* A whole change, kept. */
static bool
replace(struct arena *a, const struct masterfile *mf, const char *path, struct err *err)
{
	struct masterfile_change c;

	if (!masterfile_change_begin(a, mf, path, &c, err))
		return false;
	bool ok = masterfile_change_apply(&c, err);

	return masterfile_change_end(&c, ok, err) && ok;
}

static void
what_is_written_reads_back_for_its_owner_alone(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	const char *path = arena_printf(a, "%s/master.key", folder);
	struct masterfile mf, again;
	struct stat st;
	struct err err = {0};

	masterfile_init(&mf, NOW);
	ASSERT_OK(masterfile_add_master(&mf, &err), &err);
	while (mf.n_epochs < MASTERFILE_EPOCHS_MAX) /* the longest file there can be */
		ASSERT_OK(masterfile_add_epoch(&mf, NOW + 1, &err), &err);
	ASSERT_OK(masterfile_create(a, &mf, path, &err), &err);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ASSERT_OK(masterfile_read(a, path, &again, &err), &err);
	assert_true(same(&mf, &again));
	ASSERT_REFUSED(masterfile_create(a, &mf, path, &err), &err, ERR_CONFLICT, "exists");
	ASSERT_OK(masterfile_add_master(&mf, &err), &err);
	ASSERT_OK(replace(a, &mf, path, &err), &err);
	ASSERT_OK(masterfile_read(a, path, &again, &err), &err);
	assert_true(same(&mf, &again));
	assert_false(is_beside(a, path));
	assert_int_equal(unlink(path), 0);
	arena_destroy(a);
}

static void
a_change_that_is_not_kept_leaves_the_old_file(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	const char *path = arena_printf(a, "%s/master.key", folder);
	struct masterfile before, after, now;
	struct masterfile_change c;
	struct err err = {0};

	masterfile_init(&before, NOW);
	ASSERT_OK(masterfile_create(a, &before, path, &err), &err);
	after = before;
	ASSERT_OK(masterfile_add_master(&after, &err), &err);
	for (int applied = 0; applied <= 1; applied++) {
		ASSERT_OK(masterfile_change_begin(a, &after, path, &c, &err), &err);
		if (applied == 1)
			ASSERT_OK(masterfile_change_apply(&c, &err), &err);
		ASSERT_OK(masterfile_read(a, path, &now, &err), &err);
		assert_true(same(&now, applied == 1 ? &after : &before));
		ASSERT_OK(masterfile_change_end(&c, false, &err), &err);
		ASSERT_OK(masterfile_read(a, path, &now, &err), &err);
		assert_true(same(&now, &before));
		assert_false(is_beside(a, path));
	}
	/* Killed in between, once; the next change finds what that left. */
	ASSERT_OK(masterfile_change_begin(a, &after, path, &c, &err), &err);
	ASSERT_OK(masterfile_change_apply(&c, &err), &err);
	assert_true(is_beside(a, path));
	ASSERT_OK(replace(a, &before, path, &err), &err);
	ASSERT_OK(masterfile_read(a, path, &now, &err), &err);
	assert_true(same(&now, &before));
	assert_false(is_beside(a, path));
	assert_int_equal(unlink(path), 0);
	arena_destroy(a);
}

static void
a_file_open_to_others_is_refused(void **state UNUSED)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601};
	struct arena *a = arena_create(1 << 20);
	const char *path = arena_printf(a, "%s/open.key", folder);
	struct masterfile mf;
	struct err err = {0};

	masterfile_init(&mf, NOW);
	ASSERT_OK(masterfile_create(a, &mf, path, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		ASSERT_REFUSED(masterfile_read(a, path, &mf, &err), &err, ERR_DENIED, "open to");
	}
	assert_int_equal(chmod(path, 0400), 0);
	ASSERT_OK(masterfile_read(a, path, &mf, &err), &err);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, (gid_t)-1), 0);
		ASSERT_REFUSED(masterfile_read(a, path, &mf, &err), &err, ERR_DENIED,
			       "belongs to somebody else");
	}
	assert_int_equal(unlink(path), 0);
	arena_destroy(a);
}

static void
what_is_no_regular_file_is_refused(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	const char *path = arena_printf(a, "%s/odd", folder);
	struct masterfile mf;
	struct err err = {0};

	ASSERT_REFUSED(masterfile_read(a, path, &mf, &err), &err, ERR_NOT_FOUND, "No such file");
	ASSERT_REFUSED(masterfile_read(a, folder, &mf, &err), &err, ERR_DENIED, "regular");
	assert_int_equal(mkfifo(path, 0600), 0);
	ASSERT_REFUSED(masterfile_read(a, path, &mf, &err), &err, ERR_DENIED, "regular");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	ASSERT_REFUSED(masterfile_read(a, path, &mf, &err), &err, ERR_NOT_FOUND, "symbolic");
	assert_int_equal(unlink(path), 0);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(ftruncate(fd, 20000), 0);
	close(fd);
	ASSERT_REFUSED(masterfile_read(a, path, &mf, &err), &err, ERR_INPUT, "too long");
	assert_int_equal(unlink(path), 0);
	arena_destroy(a);
}

static void
a_folder_that_cannot_be_written_is_an_error(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	const char *path = arena_printf(a, "%s/none/master.key", folder);
	const char *beside = arena_printf(a, "%s/x.new", folder);
	struct masterfile mf;
	struct err err = {0};

	masterfile_init(&mf, NOW);
	ASSERT_REFUSED(replace(a, &mf, path, &err), &err, ERR_UNAVAILABLE, "No such");
	assert_int_equal(mkdir(beside, 0700), 0);
	ASSERT_REFUSED(replace(a, &mf, arena_printf(a, "%s/x", folder), &err), &err,
		       ERR_UNAVAILABLE, "directory");
	assert_int_equal(rmdir(beside), 0);
	ASSERT_REFUSED(replace(a, &mf, folder, &err), &err, ERR_UNAVAILABLE, "not permitted");
	arena_destroy(a);
}

/* A full disk: nothing half written takes the file's place, nothing is left beside it. */
static void
a_write_cut_short_leaves_the_old_file(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	const char *path = arena_printf(a, "%s/master.key", folder);
	struct masterfile mf, again;
	struct rlimit all, few;
	struct err err = {0};

	masterfile_init(&mf, NOW);
	ASSERT_OK(masterfile_create(a, &mf, path, &err), &err);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	few = (struct rlimit){.rlim_cur = 10, .rlim_max = all.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
	ASSERT_REFUSED(replace(a, &mf, path, &err), &err, ERR_UNAVAILABLE, "cannot be written");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	ASSERT_OK(masterfile_read(a, path, &again, &err), &err);
	assert_true(same(&mf, &again));
	assert_false(is_beside(a, path));
	assert_int_equal(unlink(path), 0);
	arena_destroy(a);
}

/* What a write cut short by power left behind is no obstacle. */
static void
a_leftover_beside_is_replaced(void **state UNUSED)
{
	struct arena *a = arena_create(1 << 20);
	const char *path = arena_printf(a, "%s/master.key", folder);
	const char *beside = arena_printf(a, "%s.new", path);
	struct masterfile mf;
	struct err err = {0};

	close(open(beside, O_WRONLY | O_CREAT, 0666));
	masterfile_init(&mf, NOW);
	ASSERT_OK(masterfile_create(a, &mf, path, &err), &err);
	ASSERT_OK(masterfile_read(a, path, &mf, &err), &err);
	assert_int_equal(unlink(path), 0);
	arena_destroy(a);
}

static void
keys_grow_by_generation_and_epoch(void **state UNUSED)
{
	struct masterfile mf, before;
	struct err err = {0};

	masterfile_init(&mf, NOW);
	assert_int_equal(mf.masters[0].generation, 1);
	assert_int_equal(mf.epochs[0].id, 1);
	assert_int_equal(mf.epochs[0].created, NOW);
	before = mf;
	ASSERT_OK(masterfile_add_master(&mf, &err), &err);
	ASSERT_OK(masterfile_add_master(&mf, &err), &err);
	assert_int_equal(mf.n_masters, 2);
	assert_int_equal(mf.masters[0].generation, 2);
	assert_int_equal(mf.masters[1].generation, 3);
	assert_memory_not_equal(mf.masters[0].key, mf.masters[1].key, 32);
	assert_memory_not_equal(mf.masters[0].key, before.masters[0].key, 32);
	ASSERT_OK(masterfile_add_epoch(&mf, NOW + 9, &err), &err);
	ASSERT_OK(masterfile_add_epoch(&mf, NOW + 10, &err), &err);
	assert_int_equal(mf.epochs[1].id, 2);
	assert_int_equal(mf.epochs[1].created, NOW + 9);
	ASSERT_REFUSED(masterfile_drop_epoch(&mf, 3, &err), &err, ERR_DENIED, "in use");
	ASSERT_REFUSED(masterfile_drop_epoch(&mf, 9, &err), &err, ERR_NOT_FOUND, "no epoch 9");
	ASSERT_OK(masterfile_drop_epoch(&mf, 2, &err), &err);
	assert_int_equal(mf.n_epochs, 2);
	assert_int_equal(mf.epochs[1].id, 3);
	static const unsigned char none[32];

	assert_memory_equal(mf.epochs[2].key, none, 32);
}

static void
numbers_and_places_run_out_with_an_error(void **state UNUSED)
{
	struct masterfile mf;
	struct err err = {0};

	masterfile_init(&mf, NOW);
	while (mf.n_epochs < MASTERFILE_EPOCHS_MAX)
		ASSERT_OK(masterfile_add_epoch(&mf, NOW, &err), &err);
	ASSERT_REFUSED(masterfile_add_epoch(&mf, NOW, &err), &err, ERR_CONFLICT, "no room");
	mf.n_epochs = 1;
	mf.epochs[0].id = UINT32_MAX;
	ASSERT_REFUSED(masterfile_add_epoch(&mf, NOW, &err), &err, ERR_CONFLICT, "no room");
	mf.masters[0].generation = UINT32_MAX;
	ASSERT_REFUSED(masterfile_add_master(&mf, &err), &err, ERR_INPUT, "used up");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_read_in_any_order),
		cmocka_unit_test(a_wrong_line_is_named_and_not_quoted),
		cmocka_unit_test(more_epochs_than_places_are_refused),
		cmocka_unit_test(what_is_written_reads_back_for_its_owner_alone),
		cmocka_unit_test(a_change_that_is_not_kept_leaves_the_old_file),
		cmocka_unit_test(a_file_open_to_others_is_refused),
		cmocka_unit_test(what_is_no_regular_file_is_refused),
		cmocka_unit_test(a_folder_that_cannot_be_written_is_an_error),
		cmocka_unit_test(a_write_cut_short_leaves_the_old_file),
		cmocka_unit_test(a_leftover_beside_is_replaced),
		cmocka_unit_test(keys_grow_by_generation_and_epoch),
		cmocka_unit_test(numbers_and_places_run_out_with_an_error),
	};

	return cmocka_run_group_tests_name("masterfile", tests, make_folder, remove_folder);
}
