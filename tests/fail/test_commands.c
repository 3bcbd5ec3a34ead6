/*
 * The program's commands with a failure at every place in turn.  A command that fails says so,
 * by its exit code and in one sentence, and leaves rows and master key file as they were or
 * changed as a whole, each change with its audit row; called again, it works.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/fail/libraries.h"
#include "tests/fail/said.h"
#include "tests/fail/state.h"
#include "tests/fail/statement.h"

#define PASSWORD "Lachs-Turmuhr-Wiese-47\n"
#define PARTY    "https://amt.example/sp"
#define KEY_OF   "SELECT kid FROM key WHERE purpose = 2 AND type = 1 AND state = "

/* A copy with another logo, so to say, waits. */
#define WAITS                                                                               \
	"INSERT INTO party_copy (party, state, document, sha256, base, asked, changes, at)" \
	" SELECT id, 'pending', document || ' '::bytea, sha256(document || ' '::bytea),"    \
	" sha256(document), sha256(''), '{\"changes\":[]}', 1 FROM party"

#define WAITING "SELECT encode(sha256, 'hex') FROM party_copy WHERE state = 'pending'"

/* ---- commands ---- */

/* A command is a row. */
static const struct row {
	const char *words;           /* %d: the folder; %s: what `find` finds */
	const char *in;              /* standard input; NULL: empty */
	const char *const before[5]; /* commands that come first, without failures */
	const char *sql, *find;      /* SQL that comes after them */
	bool bare;                   /* there is no master key file yet */
	bool steps; /* several changes, each with its audit row: some may stand without the rest */
} rows[] = {
	{.words = "key init", .sql = "DELETE FROM key", .bare = true, .steps = true},
	{.words = "key init", .sql = "DELETE FROM key WHERE purpose > 8", .steps = true},
	{.words = "key generate oidc-sign p256"},
	{.words = "key publish %s",
	 .before = {"key generate oidc-sign p256"},
	 .find = KEY_OF "'planned'"},
	{.words = "key activate %s --emergency",
	 .before = {"key generate oidc-sign p256"},
	 .sql = "UPDATE key SET state = 'published' WHERE state = 'planned'",
	 .find = KEY_OF "'published'"},
	{.words = "key retire %s",
	 .before = {"key generate oidc-sign p256"},
	 .sql = "UPDATE key SET state = 'published' WHERE state = 'planned'",
	 .find = KEY_OF "'published'"},
	{.words = "key destroy %s",
	 .before = {"key generate oidc-sign p256"},
	 .sql = "UPDATE key SET state = 'retired' WHERE state = 'planned'",
	 .find = KEY_OF "'retired'"},
	{.words = "key master"},
	{.words = "key rewrap", .before = {"key master", "key epoch"}, .steps = true},
	{.words = "key epoch"},
	{.words = "key destroy-epochs",
	 .before = {"key epoch", "key rewrap", "key epoch", "key rewrap"},
	 .sql = "UPDATE epoch_settled SET at = at - 31 * 86400",
	 .steps = true},
	{.words = "key list"},
	{.words = "key epochs"},
	{.words = "party add %d/sp.xml --attribute family_name"},
	{.words = "party add %d/sp.xml --display-name Amt", .before = {"party add %d/sp.xml"}},
	{.words = "party disable " PARTY, .before = {"party add %d/sp.xml"}},
	{.words = "party enable " PARTY, .before = {"party add %d/sp.xml", "party disable " PARTY}},
	{.words = "party remove " PARTY, .before = {"party add %d/sp.xml"}},
	{.words = "party add %d/new.xml --metadata-url https://amt.example/md",
	 .before = {"party add %d/sp.xml"}},
	{.words = "party add %d/new.xml --dry-run", .before = {"party add %d/sp.xml"}},
	{.words = "party follow " PARTY " --metadata-url https://amt.example/md",
	 .before = {"party add %d/sp.xml"}},
	{.words = "party unfollow " PARTY,
	 .before = {"party add %d/sp.xml",
		    "party follow " PARTY " --metadata-url https://amt.example/md"}},
	{.words = "party refresh " PARTY,
	 .before = {"party add %d/sp.xml",
		    "party follow " PARTY " --metadata-url https://amt.example/md"}},
	{.words = "party changes", .before = {"party add %d/sp.xml"}, .sql = WAITS},
	{.words = "party approve " PARTY " %s",
	 .before = {"party add %d/sp.xml"},
	 .sql = WAITS,
	 .find = WAITING},
	{.words = "party reject " PARTY " %s",
	 .before = {"party add %d/sp.xml"},
	 .sql = WAITS,
	 .find = WAITING},
	{.words = "party rollback " PARTY,
	 .before = {"party add %d/sp.xml", "party add %d/new.xml",
		    "party follow " PARTY " --metadata-url https://amt.example/md"}},
	{.words = "party list", .before = {"party add %d/sp.xml"}},
	{.words = "party show " PARTY, .before = {"party add %d/sp.xml"}},
	{.words = "client add %d/client.json"},
	{.words = "client add %d/client.json --new-secret",
	 .before = {"client add %d/client.json"}},
	{.words = "client disable stadt", .before = {"client add %d/client.json"}},
	{.words = "client remove stadt", .before = {"client add %d/client.json"}},
	{.words = "client show stadt --json", .before = {"client add %d/client.json"}},
	{.words = "account add max --attribute given_names=Max", .in = PASSWORD},
	{.words = "account verify erika --operator A --operator B --document id-card --evidence "
		  "%d/sp.xml --attribute birth_date=1964-08-12 --empty birth_name"},
	{.words = "account totp erika"},
	{.words = "account show erika"},
	{.words = "account disable erika"},
	{.words = "account enable erika", .before = {"account disable erika"}},
	{.words = "account delete erika"},
	{.words = "account deleted", .before = {"account delete erika"}},
	{.words = "account delete-again %d/ledger", .steps = true},
	{.words = "audit list --login erika"},
	{.words = "restored"},
	{.words = "status"},
	{.words = "check-config"},
};

#define METADATA                                                                                   \
	"<md:EntityDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' entityID='" PARTY    \
	"'><md:SPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'>" \
	"<md:AssertionConsumerService Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST' "   \
	"Location='https://amt.example/acs' index='0' isDefault='true'/></md:SPSSODescriptor>"     \
	"</md:EntityDescriptor>"
#define CLIENT                                                                         \
	"{\"client_id\":\"stadt\",\"profile\":\"oauth\",\"redirect_uris\":[\"https://" \
	"stadt.example/cb\"],"                                                         \
	"\"token_endpoint_auth_method\":\"client_secret_basic\",\"scope\":\"openid\"}"

/* ---- the instance ---- */

static char folder[] = "/tmp/kontor-fail-XXXXXX";
static const char *master;

static void
write_file(struct pg *pg, const char *name, const char *text)
{
	FILE *f = fopen(arena_printf(pg->a, "%s/%s", folder, name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

/* Words with their %d and %s filled in, and the configuration. */
static const char *
whole_words(struct pg *pg, const char *words, const char *found)
{
	const char *out = "";

	for (const char *p; (p = strchr(words, '%')) != NULL; words = p + 2)
		out = arena_printf(pg->a, "%s%.*s%s", out, (int)(p - words), words,
				   p[1] == 'd' ? folder : found);
	return arena_printf(pg->a, "%s%s --config %s/kontor.conf", out, words, folder);
}

static struct said
run(struct pg *pg, const char *words, const char *in, const struct fail_plan *plan)
{
	return said_run(pg->a, words, in == NULL ? "" : in, NULL, plan);
}

static void
run_well(struct pg *pg, const char *words, const char *in)
{
	struct said s = run(pg, whole_words(pg, words, ""), in, NULL);

	if (s.rc != CLI_OK)
		fail_msg("%s: %d %s", words, s.rc, s.err);
}

static int
setup(void **state)
{
	if (pg_setup_bare(state) != 0 || mkdtemp(folder) == NULL)
		return 1;
	struct pg *pg = *state;
	static char path[sizeof(folder) + 20];

	snprintf(path, sizeof(path), "%s/master.key", folder);
	master = path;
	write_file(pg, "kontor.conf",
		   arena_printf(pg->a,
				"instance = test\nbase_url = https://konto.example\n"
				"listen = 127.0.0.1:1\ndatabase = %s\nmaster_key_file = %s\n"
				"password_memory = 1MiB\npassword_passes = 1\n",
				pg->conninfo, master));
	state_setup(pg);
	run_well(pg, "migrate", NULL);
	run_well(pg, "key init", NULL);
	run_well(pg, "account add erika --attribute given_names=Erika", PASSWORD);
	run_well(pg, "account add moritz", PASSWORD);
	write_file(pg, "ledger",
		   pg_value(pg, "SELECT string_agg(encode(id, 'hex'), E'\n') FROM subject"));
	write_file(pg, "sp.xml", METADATA);
	write_file(pg, "new.xml", METADATA "<!-- new -->");
	write_file(pg, "client.json", CLIENT);
	state_save(pg, master, "world");
	return 0;
}

/* ---- one run ---- */

/* A row made ready: how all is before it and, in its masked form, after it. */
struct ready {
	const struct row *row;
	const char *words, *before, *masked_before, *after, *out;
	bool only_reads;
};

/* Exit code and sentence of a failure that is nobody's mistake. */
static void
assert_told(const struct ready *r, const struct said *s)
{
	const char *text = s->err, *end = strchr(text, '\n');

	/* A new master key file is spoken of, or there is none. */
	if (r->row->bare && access(master, F_OK) == 0) {
		assert_non_null(strstr(text, "keep a copy apart"));
		text = end + 1;
		end = strchr(text, '\n');
	}
	if (s->rc != CLI_FAILED && s->rc != CLI_UNAVAILABLE)
		fail_msg("%s: ended with %d: %s", r->words, s->rc, s->err);
	if ((!text_starts(text, "kontor: ") && !text_starts(text, "{\"error\":")) || end == NULL ||
	    end[1] != '\0')
		fail_msg("%s: ended with %d and said: '%s'", r->words, s->rc, s->err);
}

/* What a run left; returns whether anything is other than before. */
static bool
assert_whole(struct pg *pg, const struct ready *r, const struct said *s)
{
	bool changed = strcmp(state_text(pg, master, false), r->before) != 0;
	const char *now = changed ? state_text(pg, master, true) : r->masked_before;

	if (s->rc != CLI_OK)
		assert_told(r, s);
	if (s->rc == CLI_OK || (changed && !r->row->steps))
		assert_string_equal(now, r->after);
	if (s->rc == CLI_OK && r->only_reads)
		assert_string_equal(s->out, r->out);
	return changed;
}

static void
assert_works(struct pg *pg, const struct ready *r)
{
	struct said s = run(pg, r->words, r->row->in, NULL);

	if (s.rc != CLI_OK)
		fail_msg("%s, again: %d: %s", r->words, s.rc, s.err);
	assert_string_equal(state_text(pg, master, true), r->after);
}

static void
run_failing(struct pg *pg, const struct ready *r, const struct fail_plan *plan)
{
	struct arena *outer = pg->a;

	pg->a = arena_create((size_t)64 << 20); /* for this one run */
	struct said s = run(pg, r->words, r->row->in, plan);

	if (fail_crashed())
		fail_msg("%s: a process of it crashed", r->words);
	bool changed = assert_whole(pg, r, &s), again = plan->nth % 4 == 0;

	fail_over();
	if (again && (!changed || r->row->steps))
		assert_works(pg, r);
	if (changed || (again && !r->only_reads))
		state_restore(pg, master, "row");
	arena_destroy(pg->a);
	pg->a = outer;
}

/* ---- sweeps ---- */

static struct ready
make_ready(struct pg *pg, const struct row *row)
{
	struct ready r = {.row = row};

	state_restore(pg, master, "world");
	for (size_t i = 0; row->before[i] != NULL; i++)
		run_well(pg, row->before[i], NULL);
	if (row->sql != NULL)
		pg_sql(pg, row->sql);
	if (row->bare)
		unlink(master);
	r.words = whole_words(pg, row->words, row->find == NULL ? "" : pg_value(pg, row->find));
	state_save(pg, master, "row");
	r.before = state_text(pg, master, false);
	r.masked_before = state_text(pg, master, true);
	struct said s = run(pg, r.words, row->in, NULL); /* makes what lasts */

	if (s.rc != CLI_OK)
		fail_msg("%s: %d %s", r.words, s.rc, s.err);
	r.out = s.out;
	r.after = state_text(pg, master, true);
	r.only_reads = strcmp(state_text(pg, master, false), r.before) == 0;
	state_restore(pg, master, "row");
	assert_string_equal(state_text(pg, master, false), r.before);
	return r;
}

struct kind {
	const char *name;
	struct fail_plan plan;
	enum statement_fault fault;
	bool waits; /* the command looks for a database for ten seconds */
};

static const struct kind kinds[] = {
	{.name = "memory", .plan = {.what = FAIL_MEMORY}},
	{.name = "no memory from there on", .plan = {.what = FAIL_MEMORY, .onwards = true}},
	{.name = "memory elsewhere", .plan = {.what = FAIL_MEMORY, .who = FAIL_ELSEWHERE}},
	{.name = "no memory elsewhere",
	 .plan = {.what = FAIL_MEMORY, .who = FAIL_ELSEWHERE, .onwards = true},
	 .waits = true},
	{.name = "input", .plan = {.what = FAIL_INPUT, .error = EIO}},
	{.name = "input interrupted", .plan = {.what = FAIL_INPUT, .error = EINTR}},
	{.name = "input short", .plan = {.what = FAIL_INPUT}},
	{.name = "input elsewhere",
	 .plan = {.what = FAIL_INPUT, .who = FAIL_ELSEWHERE, .error = ECONNRESET}},
	{.name = "input elsewhere short", .plan = {.what = FAIL_INPUT, .who = FAIL_ELSEWHERE}},
	{.name = "output", .plan = {.what = FAIL_OUTPUT, .error = ENOSPC}},
	{.name = "output interrupted", .plan = {.what = FAIL_OUTPUT, .error = EINTR}},
	{.name = "output short", .plan = {.what = FAIL_OUTPUT}},
	{.name = "output elsewhere",
	 .plan = {.what = FAIL_OUTPUT, .who = FAIL_ELSEWHERE, .error = EPIPE}},
	{.name = "output elsewhere short", .plan = {.what = FAIL_OUTPUT, .who = FAIL_ELSEWHERE}},
	{.name = "opening", .plan = {.what = FAIL_OPEN, .error = EMFILE}},
	{.name = "opening elsewhere",
	 .plan = {.what = FAIL_OPEN, .who = FAIL_ELSEWHERE, .error = EMFILE}},
	{.name = "statement unsent", .plan = {.what = FAIL_STATEMENT}, .fault = STATEMENT_UNSENT},
	{.name = "statement unheard", .plan = {.what = FAIL_STATEMENT}, .fault = STATEMENT_UNHEARD},
	{.name = "statement refused", .plan = {.what = FAIL_STATEMENT}, .fault = STATEMENT_REFUSED},
	{.name = "statement with a warning",
	 .plan = {.what = FAIL_STATEMENT},
	 .fault = STATEMENT_WARNED},
	{.name = "statement elsewhere unsent",
	 .plan = {.what = FAIL_STATEMENT, .who = FAIL_ELSEWHERE},
	 .fault = STATEMENT_UNSENT},
	{.name = "statement elsewhere unheard",
	 .plan = {.what = FAIL_STATEMENT, .who = FAIL_ELSEWHERE},
	 .fault = STATEMENT_UNHEARD},
	{.name = "statement elsewhere refused",
	 .plan = {.what = FAIL_STATEMENT, .who = FAIL_ELSEWHERE},
	 .fault = STATEMENT_REFUSED},
	{.name = "statement elsewhere with a warning",
	 .plan = {.what = FAIL_STATEMENT, .who = FAIL_ELSEWHERE},
	 .fault = STATEMENT_WARNED},
};

/* So many callers tell one place from another, whichever command it is. */
#define NEAR      12
#define ALL_MOST  100000
#define ROTATION  ARRAY_LEN(kinds)
#define ELSEWHERE 4

/*
 * How many of a row's places.  At full size every one that no row before has had, of what is
 * elsewhere a few; else each kind takes its turn with one.
 */
static size_t
places_wanted(const struct kind *kind, size_t row, size_t k)
{
	if (getenv("KONTOR_TEST_FULL") == NULL)
		return !kind->waits && (row + k) % ROTATION == 0;
	if (kind->waits)
		return row % 8 == 0;
	return kind->plan.who == FAIL_HERE ? ALL_MOST : ELSEWHERE;
}

static size_t
sweep_kind(struct pg *pg, const struct ready *r, const struct kind *kind, size_t most)
{
	struct fail_plan plan = kind->plan;
	bool here = plan.who == FAIL_HERE;
	size_t n, n_run = 0;

	plan.near = NEAR;
	statement_set_fault(kind->fault);
	struct said s = run(pg, r->words, r->row->in, &plan);
	const size_t *distinct = fail_distinct(&n);

	fail_over();
	assert_int_equal(s.rc, CLI_OK);
	if (!r->only_reads)
		state_restore(pg, master, "row");
	size_t all = here ? n : fail_passed(), step = 1 + all / most;

	for (size_t i = step / 2; i < all; i += step, n_run++) {
		plan.nth = here ? distinct[i] : i + 1;
		run_failing(pg, r, &plan);
	}
	return n_run;
}

/* Results that cannot be told are no success, however much of them was. */
static void
assert_output_matters(struct pg *pg, const struct ready *r)
{
	struct said s =
		said_run(pg->a, r->words, r->row->in == NULL ? "" : r->row->in, "/dev/full", NULL);

	(void)assert_whole(pg, r, &s);
	assert_int_equal(s.rc, CLI_FAILED);
	state_restore(pg, master, "row");
}

static void
every_command(void **state)
{
	struct pg *pg = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		arena_reset(pg->a);
		struct ready r = make_ready(pg, &rows[i]);
		size_t n = 0;

		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			if (places_wanted(&kinds[k], i, k) > 0)
				n += sweep_kind(pg, &r, &kinds[k], places_wanted(&kinds[k], i, k));
		assert_output_matters(pg, &r);
		print_message("# %s: %zu places failed\n", rows[i].words, n);
	}
}

static int
teardown(void **state)
{
	return pg_teardown(state);
}

static int
explain(void **state UNUSED)
{
	fail_explain();
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, pg_fresh, explain)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_command),
	};

	return cmocka_run_group_tests_name("fail commands", tests, setup, teardown);
}
