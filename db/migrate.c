/*
 * Migrations; see migrate.h.  The history is a table; comparing it with the
 * program's files decides everything, so that part is one function.
 */
#include "db/migrate.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "db/conn.h"

#define SHORT_US (10 * 1000000LL)
#define LONG_US  (3600 * 1000000LL)

struct applied {
	const char *name, *sha256;
	int64_t programs_from;
};

struct history {
	struct arena *a;
	const struct embed_file *files;
	size_t n_files;
	const struct applied *applied; /* versions 1..n_applied */
	size_t n_applied;
};

static void
close_conn(void *p)
{
	conn_close(p);
}

static void
clear_result(void *p)
{
	PQclear(p);
}

/* A statement outside the tables: *res is tied to the arena.  `params` are texts. */
static bool
ask(struct arena *a, struct conn *c, const char *what, const char *sql, int n,
    const char *const *params, int64_t us, const PGresult **out, struct err *err)
{
	PGresult *res = NULL;
	bool sent = n == 0 ? PQsendQuery(c->pg, sql) == 1
			   : PQsendQueryParams(c->pg, sql, n, NULL, params, NULL, NULL, 0) == 1;

	if (!sent || conn_answer(c, clock_mono_us() + us, &res) != CONN_READY)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: connection lost", what);
	arena_defer(a, clear_result, res);
	if (!conn_result_ok(res))
		return conn_fail(err, what, res);
	if (out != NULL)
		*out = res;
	return true;
}

/* "0003_short_lived.sql" is version 3. */
static bool
version_of(const char *name, uint64_t *out)
{
	char digits[5] = "";

	if (strlen(name) < 5 || name[4] != '_')
		return false;
	memcpy(digits, name, 4);
	return text_to_u64(digits, 9999, out);
}

/* The first line of a file: "-- programs from NNNN". */
static bool
programs_from(const struct embed_file *file, uint64_t *out)
{
	static const char begin[] = "-- programs from ";
	const size_t n = sizeof(begin) - 1;
	char digits[5] = "";

	if (file->data.n < n + 5 || !bytes_start(file->data, begin) || file->data.p[n + 4] != '\n')
		return false;
	memcpy(digits, file->data.p + n, 4);
	return text_to_u64(digits, 9999, out);
}

/* The files are numbered 0001, 0002, … and say from which programs on they can be used. */
static bool
check_files(const struct history *h, struct err *err)
{
	uint64_t number;

	for (size_t i = 0; i < h->n_files; i++) {
		if (!version_of(h->files[i].name, &number) || number != i + 1)
			return FAIL(err, ERR_DENIED, NULL, "%s is not migration %zu",
				    h->files[i].name, i + 1);
		if (!programs_from(&h->files[i], &number) || number < 1 || number > i + 1)
			return FAIL(err, ERR_DENIED, NULL,
				    "%s does not begin with \"-- programs from NNNN\"",
				    h->files[i].name);
	}
	return true;
}

/* What was applied is what we have, as far as both go. */
static bool
check_applied(const struct history *h, struct err *err)
{
	for (size_t i = 0; i < h->n_applied && i < h->n_files; i++) {
		if (strcmp(h->applied[i].sha256, h->files[i].sha256) != 0)
			return FAIL(err, ERR_DENIED, NULL, "%s was changed after it was applied",
				    h->files[i].name);
	}
	return true;
}

static bool
read_applied(struct history *h, struct conn *c, struct err *err)
{
	const PGresult *res = NULL;
	uint64_t version, from;

	if (!ask(h->a, c, "migrations",
		 "SELECT version, name, sha256, programs_from FROM schema_migration"
		 " ORDER BY version",
		 0, NULL, SHORT_US, &res, err))
		return false;
	h->n_applied = (size_t)PQntuples(res);
	struct applied *list = ARENA_ARRAY(h->a, struct applied, h->n_applied);

	for (int i = 0; i < PQntuples(res); i++) {
		if (!text_to_u64(PQgetvalue(res, i, 0), 9999, &version) ||
		    version != (uint64_t)i + 1)
			return FAIL(err, ERR_DENIED, NULL, "migration %d is missing", i + 1);
		if (!text_to_u64(PQgetvalue(res, i, 3), 9999, &from))
			return FAIL(err, ERR_DENIED, NULL, "migration %d is damaged", i + 1);
		list[i] = (struct applied){.name = arena_strdup(h->a, PQgetvalue(res, i, 1)),
					   .sha256 = arena_strdup(h->a, PQgetvalue(res, i, 2)),
					   .programs_from = (int64_t)from};
	}
	h->applied = list;
	return true;
}

static bool
open_admin(struct history *h, const char *conninfo, struct conn **out, struct err *err)
{
	struct conn *c = ARENA_NEW(h->a, struct conn);

	arena_defer(h->a, close_conn, c);
	if (!conn_open(c, conninfo, "kontor", CONN_ADMIN, err))
		return false;
	/* Text is UTF-8 everywhere (base/text.h). */
	if (strcmp(PQparameterStatus(c->pg, "server_encoding"), "UTF8") != 0)
		return FAIL(err, ERR_DENIED, NULL, "the database's encoding is not UTF8");
	*out = c;
	return true;
}

static struct history
history_of(struct arena *a, const struct embed_file *files)
{
	struct history h = {.a = a, .files = files};

	while (files[h.n_files].name != NULL)
		h.n_files++;
	return h;
}

/* One file and its row, together or not at all. */
static bool
apply(struct history *h, struct conn *c, size_t i, time_t now, struct err *err)
{
	const struct embed_file *file = &h->files[i];
	uint64_t from = 0;
	bool known = programs_from(file, &from);
	const char *const row[] = {arena_printf(h->a, "%zu", i + 1), file->name, file->sha256,
				   arena_printf(h->a, "%llu", (unsigned long long)from),
				   arena_printf(h->a, "%lld", (long long)now)};

	c->warned = false;
	if (!known || !ask(h->a, c, file->name, "BEGIN", 0, NULL, SHORT_US, NULL, err) ||
	    !ask(h->a, c, file->name, (const char *)file->data.p, 0, NULL, LONG_US, NULL, err) ||
	    !ask(h->a, c, file->name,
		 "INSERT INTO schema_migration (version, name, sha256, programs_from, applied)"
		 " VALUES ($1::bigint, $2, $3, $4::bigint, $5::bigint)",
		 ARRAY_LEN(row), row, SHORT_US, NULL, err) ||
	    !ask(h->a, c, file->name, "COMMIT", 0, NULL, SHORT_US, NULL, err))
		return false;
	if (c->warned)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: outcome unknown", file->name);
	return true;
}

static bool
migrate(struct history *h, struct conn *c, time_t now, struct err *err)
{
	if (!ask(h->a, c, "lock", "SELECT pg_advisory_lock(hashtext('kontor migrate'))", 0, NULL,
		 SHORT_US, NULL, err) ||
	    !ask(h->a, c, "migrations",
		 "CREATE TABLE IF NOT EXISTS schema_migration (version bigint PRIMARY KEY,"
		 " name text NOT NULL, sha256 text NOT NULL, programs_from bigint NOT NULL,"
		 " applied bigint NOT NULL)",
		 0, NULL, SHORT_US, NULL, err) ||
	    !read_applied(h, c, err) || !check_applied(h, err))
		return false;
	if (h->n_applied > h->n_files)
		return FAIL(err, ERR_DENIED, NULL,
			    "the schema (%zu) is newer than this program (%zu)", h->n_applied,
			    h->n_files);
	for (size_t i = h->n_applied; i < h->n_files; i++)
		if (!apply(h, c, i, now, err))
			return false;
	return true;
}

bool
db_migrate(struct arena *a, const char *conninfo, const struct embed_file *files, time_t now,
	   struct db_migrated *out, struct err *err)
{
	struct history h = history_of(a, files);
	struct conn *c;

	if (!check_files(&h, err) || !open_admin(&h, conninfo, &c, err))
		return false;
	bool held = migrate(&h, c, now, err);

	conn_close(c); /* and with it goes the lock */
	if (held)
		*out = (struct db_migrated){.from = (int64_t)h.n_applied, .to = (int64_t)h.n_files};
	return held;
}

static bool
check(struct history *h, struct conn *c, struct err *err)
{
	const PGresult *res = NULL;

	if (!ask(h->a, c, "migrations",
		 "SELECT 1 WHERE to_regclass('schema_migration') IS NOT NULL", 0, NULL, SHORT_US,
		 &res, err) ||
	    (PQntuples(res) == 1 && !read_applied(h, c, err)) || !check_applied(h, err))
		return false;
	if (h->n_applied < h->n_files)
		return FAIL(err, ERR_DENIED, NULL,
			    "the schema (%zu) is older than this program (%zu): kontor migrate",
			    h->n_applied, h->n_files);
	for (size_t i = h->n_files; i < h->n_applied; i++)
		if (h->applied[i].programs_from > (int64_t)h->n_files)
			return FAIL(err, ERR_DENIED, NULL, "%s needs a newer program",
				    h->applied[i].name);
	return true;
}

bool
db_schema_check(struct arena *a, const char *conninfo, const struct embed_file *files,
		struct err *err)
{
	struct history h = history_of(a, files);
	struct conn *c;

	if (!check_files(&h, err) || !open_admin(&h, conninfo, &c, err))
		return false;
	bool held = check(&h, c, err);

	conn_close(c);
	return held;
}
