/* Rows and the master key file; see state.h. */
#include "tests/fail/state.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/text.h"

#define FILE_MOST 65536

/* Partitions are looked at through their table.  Random: keys, hashes, ids, references, times. */
static const char functions[] =
	"CREATE SCHEMA IF NOT EXISTS beside;"
	"CREATE OR REPLACE VIEW beside.tables AS SELECT c.relname::text AS name FROM pg_class c"
	" JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public' WHERE c.relkind "
	"IN ('r', 'p')"
	" AND NOT c.relispartition;"
	"CREATE OR REPLACE FUNCTION beside.masked(t text) RETURNS text IMMUTABLE LANGUAGE sql AS "
	"$f$"
	" SELECT regexp_replace(t, '\\\\x[0-9a-f]*|[0-9a-f]{16,}|[A-Za-z0-9_-]{22,}|[0-9]{9,}"
	"|[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}', '*', 'g') $f$;"
	"CREATE OR REPLACE FUNCTION beside.text(mask boolean) RETURNS text LANGUAGE plpgsql AS $f$"
	" DECLARE name text; part text; whole text := ''; BEGIN"
	" FOR name IN SELECT t.name FROM beside.tables t ORDER BY 1 LOOP"
	"  EXECUTE format('SELECT string_agg(l, E''\\n'' ORDER BY l) FROM (SELECT CASE WHEN $1 THEN"
	"   beside.masked((to_jsonb(r) - ''seq'')::text) ELSE to_jsonb(r)::text END AS l"
	"   FROM public.%I r) s', name) INTO part USING mask;"
	"  whole := whole || name || E'\\n' || coalesce(part || E'\\n', '');"
	" END LOOP; RETURN whole; END $f$;"
	"CREATE OR REPLACE FUNCTION beside.save(place text) RETURNS void LANGUAGE plpgsql AS $f$"
	" DECLARE name text; BEGIN"
	" EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE; CREATE SCHEMA %I', place, place);"
	" FOR name IN SELECT t.name FROM beside.tables t LOOP"
	"  EXECUTE format('CREATE TABLE %I.%I AS SELECT * FROM public.%I', place, name, name);"
	" END LOOP; END $f$;"
	/* Rules of the tables are for the program; "replica" leaves triggers and references out. */
	"CREATE OR REPLACE FUNCTION beside.restore(place text) RETURNS void LANGUAGE plpgsql"
	" SET session_replication_role = replica AS $f$"
	" DECLARE name text; BEGIN"
	" FOR name IN SELECT t.name FROM beside.tables t LOOP"
	"  EXECUTE format('DELETE FROM public.%I; INSERT INTO public.%I OVERRIDING SYSTEM VALUE"
	"   SELECT * FROM %I.%I', name, name, place, name);"
	" END LOOP; END $f$";

void
state_setup(struct pg *pg)
{
	pg_sql(pg, functions);
}

/* What a lost connection had begun is over when its server process is gone. */
static void
await_others_gone(struct pg *pg)
{
	pg_await(pg,
		 "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
		 " AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
		 "0");
}

/* "" for none. */
static const char *
file_text(struct arena *a, const char *path)
{
	struct bytes b;
	struct err err = {0};

	if (access(path, F_OK) != 0)
		return "";
	ASSERT_OK(conf_read_file(a, path, FILE_MOST, &b, &err), &err);
	return arena_strndup(a, (const char *)b.p, b.n);
}

/* Also what is left beside it. */
static const char *
files_text(struct arena *a, const char *path)
{
	return arena_printf(a, "%s%s%s", file_text(a, path),
			    file_text(a, arena_printf(a, "%s.new", path)),
			    file_text(a, arena_printf(a, "%s.old", path)));
}

const char *
state_text(struct pg *pg, const char *file, bool masked)
{
	await_others_gone(pg);
	const char *rows =
		pg_value(pg, masked ? "SELECT beside.text(true)" : "SELECT beside.text(false)");
	const char *lines = files_text(pg->a, file);

	if (masked)
		lines = pg_value(pg, arena_printf(pg->a, "SELECT beside.masked($$%s$$)", lines));
	return arena_printf(pg->a, "%s--\n%s", rows, lines);
}

static const char *
kept_path(struct pg *pg, const char *file, const char *name)
{
	return arena_printf(pg->a, "%s.%s", file, name);
}

static void
copy(struct pg *pg, const char *from, const char *to)
{
	const char *text = file_text(pg->a, from);

	if (*text == '\0') {
		unlink(to);
		return;
	}
	FILE *f = fopen(to, "w");

	assert_non_null(f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

void
state_save(struct pg *pg, const char *file, const char *name)
{
	await_others_gone(pg);
	pg_sql(pg, arena_printf(pg->a, "SELECT beside.save('%s')", name));
	copy(pg, file, kept_path(pg, file, name));
}

void
state_restore(struct pg *pg, const char *file, const char *name)
{
	await_others_gone(pg);
	pg_sql(pg, arena_printf(pg->a, "SELECT beside.restore('%s')", name));
	copy(pg, kept_path(pg, file, name), file);
	unlink(arena_printf(pg->a, "%s.new", file));
	unlink(arena_printf(pg->a, "%s.old", file));
}
