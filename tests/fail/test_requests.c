/*
 * Whole logins with a failure at every place in turn: an allocation, a call to the system,
 * a statement.  The person gets what was asked for or is told of a fault of ours, nothing is
 * half written, and the next one finds all as it was.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/text.h"
#include "keys/sign.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "tests/fail/fail.h"
#include "tests/fail/libraries.h"
#include "tests/fail/statement.h"
#include "tests/flow/steps.h"

/* ---- the world that fails ---- */

#define ANSWERS_MOST 40

/* What the browser was answered, request by request. */
struct run {
	struct world *w;
	bool failing;     /* the plan is in force */
	unsigned refused; /* requests that were answered as a fault of ours */
	size_t n;
	const char *answers[ANSWERS_MOST];
};

static struct run *current;
static struct arena *kept;    /* of a whole sweep */
static struct arena *signers; /* that took the place of one that was cut off */

#define RANDOM_LEAST 14 /* a reference id; all else that is random is longer */

/* The key of a new app as a page shows it, and its picture. */
static const char *
past_key(const char *in)
{
	static const char *const shown[][2] = {{"<svg", "</svg>"}, {"kontor-key", "</p>"}};

	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		if (text_starts(in, shown[i][0]))
			return strstr(in, shown[i][1]);
	return in;
}

/* Random values masked: what has so many letters of base64url and the like in a row. */
static const char *
masked(struct arena *a, const struct response *rs)
{
	const char *location = response_find(rs, "Location");
	const char *in = arena_printf(a, "%d %s %.*s", rs->status, location == NULL ? "" : location,
				      (int)rs->body.n, (const char *)rs->body.p);
	char *out = arena_alloc(a, strlen(in) + 1), *o = out;

	while (*(in = past_key(in)) != '\0') {
		size_t n = 0;

		while (isalnum((unsigned char)in[n]) || strchr("-_+/=%.", in[n]) != NULL) {
			if (in[n] == '\0')
				break;
			n++;
		}
		if (n == 0 || n >= RANDOM_LEAST) {
			*o++ = n == 0 ? *in : '*';
			in += n == 0 ? 1 : n;
		} else {
			memcpy(o, in, n);
			o += n;
			in += n;
		}
	}
	return out;
}

/* A whole answer with a reference that the log has, or the plain one of last resort. */
static bool
is_proper_refusal(const struct response *rs)
{
	const char *body = (const char *)rs->body.p;

	if (rs->status != 500 && rs->status != 503)
		return false;
	if (rs->close && strchr(body, '<') == NULL)
		return true;
	for (const char *p = body; *p != '\0'; p++)
		if (strspn(p, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == 4 && p[4] == '-' &&
		    p[9] == '-')
			return strstr(body, "<html") == NULL || strstr(body, "</html>") != NULL;
	return false;
}

/* As the supervisor and the lanes do by themselves. */
static void
heal(struct world *w)
{
	int64_t give_up_us = clock_mono_us() + 60 * 1000000LL;
	struct err err = {0};

	while (!db_ready(w->pg->db) && clock_mono_us() < give_up_us)
		(void)poll(NULL, 0, 5);
	assert_true(db_ready(w->pg->db));
	if (!signer_alive(w->app.signer))
		ASSERT_OK(signer_replace_fd(
				  w->app.signer,
				  test_signer_start(signers, SIGNER_SERVE, test_signer_secrets()),
				  &err),
			  &err);
}

struct serving {
	struct app *app;
	struct arena *a;
	const struct raw_request *raw;
	struct worker *worker;
	struct response *rs;
};

static void *
serve(void *arg)
{
	struct serving *s = arg;

	libraries_know_thread();
	fail_go_on();
	app_handle(s->app, s->a, s->raw, s->worker, s->rs);
	fail_pause();
	return NULL;
}

/* Stands for app_handle: on a thread of its own, which has used no library yet. */
static void
handle(struct app *app, struct arena *a, const struct raw_request *raw, struct worker *worker,
       struct response *rs)
{
	struct serving s = {app, a, raw, worker, rs};
	bool before = fail_happened();
	pthread_t thread;

	if (!current->failing || before) {
		app_handle(app, a, raw, worker, rs);
	} else {
		assert_int_equal(pthread_create(&thread, NULL, serve, &s), 0);
		pthread_join(thread, NULL);
	}
	if (fail_happened() && !before && is_proper_refusal(rs)) {
		current->refused++;
		heal(current->w);
		arena_reset(a);
		*rs = (struct response){0};
		app_handle(app, a, raw, worker, rs); /* what people do: try again */
	}
	assert_true(current->n < ANSWERS_MOST);
	current->answers[current->n++] = masked(kept, rs);
}

/* ---- what people do ---- */

/* Each returns whether it came to its end; what a page lacks ends it. */
typedef bool scenario(struct web *b);

static unsigned serial;

static bool
came(struct web *b, enum page page)
{
	return b->status == 200 && page_of(b) == page;
}

static bool
to_consent(struct web *b, const char *url)
{
	web_get(b, url);
	if (!came(b, LOGIN))
		return false;
	log_in(b, "karl");
	return came(b, CONSENT);
}

static bool
saml_login(struct web *b)
{
	const char *id = arena_printf(b->w->a, "_fail%u", serial++);

	if (!to_consent(b, saml_request_url(b->w, id, "", "")))
		return false;
	web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
	return came(b, ANSWER) && succeeded(b) &&
	       strstr(saml_response_of(b), "erika@example.invalid") != NULL;
}

static bool
oidc_login(struct web *b)
{
	if (!to_consent(b, oidc_request_url(b->w, "openid profile", "")))
		return false;
	web_submit(b, "/flow/consent/", "do=agree");
	const char *code = location_param(b, "code");

	if (code == NULL)
		return false;
	web_token(b, oidc_basic(b->w), oidc_redeem_form(b->w, code));
	const char *token =
		b->status == 200 ? json_string_value(json_object_get(web_json(b), "access_token"))
				 : NULL;

	if (token == NULL)
		return false;
	web_userinfo(b, token);
	return b->status == 200 && json_object_get(web_json(b), "sub") != NULL;
}

static bool
logout(struct web *b)
{
	bool failing = current->failing;

	current->failing = false;
	bool in = saml_login(b);

	current->failing = failing;
	if (!in)
		return false;
	web_get(b, "/logout");
	if (b->status != 200 || !web_shows(b, "action=\"/logout\""))
		return false;
	web_submit(b, "/logout", "do=logout");
	return b->status == 200 && web_cookie(b, "__Host-session") == NULL;
}

/* A portal's word: when it is told that all is over, it is. */
static bool
logout_by_portal(struct web *b)
{
	static const char left[] =
		"SELECT count(*) FROM session_participant WHERE session_index = '%s'";
	struct world *w = b->w;
	bool failing = current->failing;

	current->failing = false;
	bool in = saml_login(b);

	current->failing = failing;
	if (!in)
		return false;
	const char *response = saml_response_of(b), *name = strstr(response, "<saml:NameID");
	const char *index = between(w->a, response, "SessionIndex=\"", "\"");

	assert_string_equal(world_value(w, arena_printf(w->a, left, index)), "1");
	web_get(b, saml_logout_url(w, arena_printf(w->a, "_fail%u", serial++),
				   between(w->a, name, ">", "</saml:NameID>"), index));
	if (!text_starts(b->location, SAML_SLO "?SAMLResponse="))
		return false;
	assert_string_equal(world_value(w, arena_printf(w->a, left, index)), "0");
	return true;
}

/* Up to the page that asks for a code, or that shows a new app. */
static bool
to_second_means(struct web *b, const char *login_name, enum page page)
{
	web_get(b, saml_request_url(b->w, arena_printf(b->w->a, "_fail%u", serial++), "", LEVEL3));
	if (!came(b, LOGIN))
		return false;
	log_in(b, login_name);
	return came(b, page);
}

static bool
give_code(struct web *b)
{
	if (!to_second_means(b, "erika", CODE))
		return false;
	web_submit(b, "/flow/totp/", arena_printf(b->w->a, "code=%s&do=login", world_code(b->w)));
	return came(b, CONSENT);
}

/* Its step counts anew. */
static void
forget_codes(struct world *w)
{
	pg_sql(w->pg, "UPDATE credential SET last_step = 0 WHERE kind = 'totp'");
}

static bool
one_time_code(struct web *b)
{
	forget_codes(b->w);
	if (!give_code(b))
		return false;
	web_submit(b, "/flow/consent/", "do=agree");
	return came(b, ANSWER) && succeeded(b) &&
	       strstr(saml_response_of(b), "STORK-QAA-Level-3") != NULL;
}

/* Never lets anybody in. */
static bool
one_time_code_again(struct web *b)
{
	bool failing = current->failing;
	struct web other;

	current->failing = false;
	forget_codes(b->w);
	web_init(&other, b->w);
	assert_true(give_code(&other));
	current->failing = failing;
	return give_code(b);
}

static bool
app_set_up(struct web *b)
{
	const char *name = arena_printf(b->w->a, "app%u", serial++);
	bool failing = current->failing;

	current->failing = false;
	world_person(b->w, name, PASSWORD, everybody, LEVEL_BASIC);
	current->failing = failing;
	if (!to_second_means(b, name, ENROLL))
		return false;
	web_submit(b, "/flow/enroll/",
		   arena_printf(b->w->a, "code=%s&do=enroll", web_shown_code(b)));
	return came(b, CONSENT);
}

static bool
registration(struct web *b)
{
	web_get(b, "/register");
	if (b->status != 200 || !web_shows(b, "action=\"/register/"))
		return false;
	web_submit(b, "/register/",
		   arena_printf(b->w->a,
				"given_names=Max&family_name=Muster&birth_date_day=1&"
				"birth_date_month=2&birth_date_year=1990&country=DE&"
				"email=max%%40example.invalid&login_name=max%u&"
				"new_password=Pflaume-Regal-83&password_repeat=Pflaume-Regal-83&"
				"store_consent=1&do=register",
				serial++));
	return b->status == 200 && web_cookie(b, "__Host-session") != NULL;
}

/* Never lets anybody in; "true" is that it did. */
static bool
wrong_password(struct web *b)
{
	web_get(b, "/login");
	if (!came(b, LOGIN))
		return false;
	web_submit(b, "/flow/password/", "login_name=karl&password=Falsch-Falsch-1&do=login");
	return web_cookie(b, "__Host-session") != NULL;
}

static bool
wrong_verifier(struct web *b)
{
	bool failing = current->failing;

	current->failing = false;
	if (to_consent(b, oidc_request_url(b->w, "openid", "")))
		web_submit(b, "/flow/consent/", "do=agree");
	current->failing = failing;
	const char *code = location_param(b, "code");

	assert_non_null(code);
	const char *form = oidc_redeem_form(b->w, code), *at = strstr(form, PKCE_VERIFIER);

	web_token(b, oidc_basic(b->w),
		  arena_printf(b->w->a, "%.*sx%s", (int)(at - form), form, at + 1));
	return b->status == 200;
}

/* ---- what programs do, at a portal that one person has agreed to ---- */

#define PROGRAMS "https://bau.example/metadata"
#define ART      "https://bau.example/artifact"

static char paula[64]; /* as that portal knows him */

/* Of a message whose answer shows it; as long as what is masked. */
static const char *
fresh_id(struct world *w)
{
	return arena_printf(w->a, "_of_a_message_%u", serial++);
}

/* The envelope of one more kind, from that portal, sent as a program; its answer. */
static bool
told_by_soap(struct web *b, const char *path, const char *envelope)
{
	web_program(b, path, SOAP_CONTENT_TYPE, envelope);
	return b->status == 200 && web_shows(b, "status:Success\"") && web_shows(b, ">Mustermann<");
}

static bool
sign_on_of_client(struct web *b, const char *password)
{
	struct world *w = b->w;

	w->saml_party = PROGRAMS;
	const char *envelope = ecp_envelope(w, &(struct ecp_asking){.id = fresh_id(w)});

	w->saml_party = NULL;
	b->authorization = ecp_basic(w, "paula", password);
	return told_by_soap(b, ECP_ENDPOINT, envelope);
}

static bool
client_login(struct web *b)
{
	return sign_on_of_client(b, PASSWORD);
}

static bool
client_with_a_wrong_password(struct web *b)
{
	return sign_on_of_client(b, "Falsch-Falsch-1");
}

static bool
attribute_query(struct web *b)
{
	struct world *w = b->w;
	const struct query_asking about = {
		.id = fresh_id(w), .name = paula, .format = SAML_NAMEID_PERSISTENT};

	w->saml_party = PROGRAMS;
	const char *envelope = query_envelope(w, &about);

	w->saml_party = NULL;
	return told_by_soap(b, QUERY_ENDPOINT, envelope);
}

/* A login that the browser carries an artifact away from; NULL: none. */
static const char *
artifact_login(struct web *b)
{
	struct world *w = b->w;

	w->saml_party = PROGRAMS;
	w->acs = ART;
	const char *url = saml_request_url(w, fresh_id(w), "", "");

	w->saml_party = NULL;
	w->acs = NULL;
	web_get(b, url);
	if (!came(b, LOGIN))
		return NULL;
	log_in(b, "paula");
	return b->location != NULL && text_starts(b->location, ART) ? location_param(b, "SAMLart")
								    : NULL;
}

static bool
resolve(struct web *b, const char *artifact)
{
	struct world *w = b->w;

	w->saml_party = PROGRAMS;
	const char *envelope = saml_artifact_envelope(w, fresh_id(w), artifact);

	w->saml_party = NULL;
	return told_by_soap(b, "/saml/artifact", envelope);
}

static bool
login_by_artifact(struct web *b)
{
	const char *artifact = artifact_login(b);

	return artifact != NULL && resolve(b, artifact);
}

/* Never gives anything. */
static bool
artifact_again(struct web *b)
{
	bool failing = current->failing;

	current->failing = false;
	const char *artifact = artifact_login(b);

	assert_non_null(artifact);
	assert_true(resolve(b, artifact));
	current->failing = failing;
	return resolve(b, artifact);
}

/* That portal; paula logs in there once and agrees. */
static void
set_up_programs(struct world *w)
{
	struct web b;

	w->saml_party = PROGRAMS;
	w->saml_acs = "<md:AssertionConsumerService index=\"4\" Binding=\"" SAML_BINDING_URI_PAOS
		      "\" Location=\"" ECP_ACS "\"/><md:AssertionConsumerService index=\"5\" "
		      "Binding=\"" SAML_BINDING_URI_ARTIFACT "\" Location=\"" ART "\"/>";
	world_saml_party(w, "{\"ecp\":\"yes\",\"attribute-query\":\"yes\","
			    "\"attribute\":[\"family_name:required\"]}");
	w->saml_acs = NULL;
	world_person(w, "paula", PASSWORD, everybody, LEVEL_BASIC);
	web_init(&b, w);
	ask(&b, "",
	    "<samlp:NameIDPolicy AllowCreate=\"true\" Format=\"" SAML_NAMEID_PERSISTENT "\"/>");
	log_in(&b, "paula");
	web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_PAGE(&b, ANSWER);
	const char *name = strstr(saml_response_of(&b), "<saml:NameID ");

	assert_non_null(name);
	(void)snprintf(paula, sizeof(paula), "%s", between(w->a, name, ">", "</saml:NameID>"));
	w->saml_party = NULL;
}

static const struct row {
	const char *name;
	scenario *play;
	bool good;
} rows[] = {
	{"SAML login", saml_login, true},
	{"OpenID Connect login and redemption", oidc_login, true},
	{"logout", logout, true},
	{"logout by a portal", logout_by_portal, true},
	{"login with a one-time code", one_time_code, true},
	{"setting up an app", app_set_up, true},
	{"registration", registration, true},
	{"login with a wrong password", wrong_password, false},
	{"redemption with a wrong verifier", wrong_verifier, false},
	{"login with a code that was used", one_time_code_again, false},
	{"login of a client without a browser", client_login, true},
	{"the same with a wrong password", client_with_a_wrong_password, false},
	{"attribute query", attribute_query, true},
	{"SAML login by artifact and its resolution", login_by_artifact, true},
	{"resolution of an artifact that was used", artifact_again, false},
};

/* ---- what must hold of the database ---- */

#define BY_BROWSER " NOT IN (SELECT acting FROM consent WHERE party = '" PROGRAMS "')"

/* Each gives no row. */
static const char *const whole[][2] = {
	{"a session without the audit row of its login, or the other way round",
	 "SELECT 1 WHERE (SELECT count(*) FROM session WHERE acting" BY_BROWSER
	 ") <> (SELECT count(*) FROM audit WHERE event = 'login' AND details->>'method' <> 'totp'"
	 " AND subject" BY_BROWSER ") - (SELECT count(*) FROM audit WHERE event IN"
	 " ('session_ended', 'logout') AND (subject IS NULL OR subject" BY_BROWSER "))"},
	/* Its login is told of, too, where the request turns out to be answered before. */
	{"a program's session without the audit row of its login",
	 "SELECT 1 WHERE (SELECT count(*) FROM session) > (SELECT count(*) FROM audit WHERE event ="
	 " 'login' AND details->>'method' <> 'totp') - (SELECT count(*) FROM audit WHERE event IN"
	 " ('session_ended', 'logout'))"},
	{"a second means of a session that the audit does not know",
	 "SELECT 1 FROM session_proof p JOIN session s USING (sid) WHERE p.method = 'totp' AND NOT"
	 " EXISTS (SELECT FROM audit a WHERE a.event = 'login' AND a.subject = s.acting AND"
	 " a.details->>'method' = 'totp')"},
	{"an app without audit or the other way round",
	 "SELECT 1 WHERE (SELECT count(*) FROM credential WHERE kind = 'totp') <> (SELECT count(*)"
	 " FROM audit WHERE event = 'means_added')"},
	{"a code that nobody was told of in the audit",
	 "SELECT 1 WHERE (SELECT count(*) FROM grant_code) <> (SELECT count(*) FROM audit WHERE"
	 " event = 'assertion' AND party = '" OIDC_CLIENT "')"},
	{"a code without a session that takes part",
	 "SELECT 1 FROM grant_code g JOIN session s USING (sid) WHERE NOT EXISTS (SELECT FROM"
	 " session_participant p WHERE p.sid = g.sid AND p.party = g.party)"},
	{"a token of a code that is not taken", "SELECT 1 FROM access_token t JOIN grant_code g "
						"USING (grant_id) WHERE g.taken_at IS NULL"},
	{"a redemption without a token or a token without redemption",
	 "SELECT 1 WHERE (SELECT count(*) FROM access_token) <> (SELECT count(*) FROM audit WHERE"
	 " event = 'code_redeemed')"},
	{"an assertion without participation, or the other way round",
	 "SELECT 1 WHERE (SELECT count(*) FROM audit WHERE event = 'assertion' AND"
	 " details->>'dialect' = 'saml') < (SELECT count(*) FROM session_participant WHERE dialect "
	 "="
	 " 'saml')"},
	{"a message without the audit row of its assertion, or had without one",
	 "SELECT 1 WHERE (SELECT count(*) FROM artifact) > (SELECT count(*) FROM audit WHERE event "
	 "="
	 " 'assertion' AND details->>'binding' = 'artifact') OR (SELECT count(*) FROM artifact "
	 "WHERE"
	 " taken_at IS NOT NULL) <> (SELECT count(*) FROM audit WHERE event = "
	 "'artifact_resolved')"},
	{"an account without audit, name, means or values",
	 "SELECT 1 FROM subject s WHERE NOT EXISTS (SELECT FROM audit a WHERE a.subject = s.id AND"
	 " a.event = 'account_created') OR NOT EXISTS (SELECT FROM credential c WHERE c.subject ="
	 " s.id) OR NOT EXISTS (SELECT FROM attribute t WHERE t.subject = s.id)"},
	{"a consent without audit or the other way round",
	 "SELECT 1 WHERE (SELECT count(*) FROM consent WHERE given) <> (SELECT count(*) FROM audit"
	 " WHERE event = 'consent_given')"},
};

static void
assert_whole(struct world *w)
{
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (strcmp(world_value(w, whole[i][1]), "1") == 0)
			fail_msg("half written: %s", whole[i][0]);
}

/* ---- one run ---- */

static bool
play(struct world *w, const struct row *row, bool failing, struct run *run)
{
	struct web b;

	*run = (struct run){.w = w, .failing = failing};
	current = run;
	w->handle = handle;
	arena_reset(w->a);
	pg_sql(w->pg, "DELETE FROM attempt_budget");
	web_init(&b, w);
	bool ended = row->play(&b);

	fail_pause();
	return ended;
}

static void
fail_run(struct world *w, const struct row *row, const struct run *clean,
	 const struct fail_plan *plan)
{
	struct run run, after;

	fail_arm(plan);
	fail_pause();
	bool ended = play(w, row, true, &run);

	if (ended && !row->good)
		fail_msg("%s came through", row->name);
	if (row->good && !ended && run.refused == 0)
		fail_msg("%s did not end, and nobody was told why", row->name);
	if (run.refused == 0) {
		assert_int_equal(run.n, clean->n);
		for (size_t i = 0; i < run.n; i++)
			assert_string_equal(run.answers[i], clean->answers[i]);
	}
	heal(w);
	fail_over();
	assert_whole(w);
	if (plan->nth % 8 == 0)
		assert_int_equal(play(w, row, false, &after), row->good);
}

/* ---- sweeps ---- */

static size_t
count_places(struct world *w, const struct row *row, struct fail_plan plan, struct run *clean)
{
	plan.nth = 0;
	fail_arm(&plan);
	fail_pause();
	bool ended = play(w, row, true, clean);

	fail_over();
	if (ended != row->good || clean->refused > 0)
		fail_msg("%s: last answer %s", row->name,
			 clean->n == 0 ? "none" : clean->answers[clean->n - 1]);
	assert_whole(w);
	return fail_passed();
}

/* About `most` of the places, of memory one for each chain of callers; every one at full size. */
static void
sweep_row(struct world *w, const struct row *row, struct fail_plan plan, const char *what,
	  size_t most)
{
	bool chains = plan.what == FAIL_MEMORY && plan.who == FAIL_HERE && test_size(1, 0) == 1;
	struct run clean;
	size_t n_distinct;

	(void)play(w, row, false, &clean); /* makes what lasts, connections too */
	heal(w);
	size_t n = count_places(w, row, plan, &clean);
	const size_t *distinct = fail_distinct(&n_distinct);
	size_t all = chains ? n_distinct : n, step = test_size(1 + all / most, 1);

	for (size_t k = step / 2; k < all; k += step) {
		plan.nth = chains ? distinct[k] : k + 1;
		fail_run(w, row, &clean, &plan);
	}
	print_message("# %s: %s: %zu places\n", what, row->name, n);
}

static void
sweep_all(struct world *w, struct fail_plan plan, const char *what, size_t most)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		kept = arena_create((size_t)1 << 30);
		sweep_row(w, &rows[i], plan, what, most);
		arena_destroy(kept);
	}
}

static void
memory_of_the_request(void **state)
{
	sweep_all(*state, (struct fail_plan){.what = FAIL_MEMORY}, "memory", 8);
}

static void
memory_from_there_on(void **state)
{
	sweep_all(*state, (struct fail_plan){.what = FAIL_MEMORY, .onwards = true}, "no memory", 4);
}

static void
memory_of_database_and_signer(void **state)
{
	sweep_all(*state, (struct fail_plan){.what = FAIL_MEMORY, .who = FAIL_ELSEWHERE},
		  "memory elsewhere", 2);
}

static void
input_and_output(void **state)
{
	static const struct {
		enum fail_what what;
		enum fail_who who;
		int error;
		const char *name;
	} cases[] = {
		{FAIL_INPUT, FAIL_HERE, EINTR, "input interrupted"},
		{FAIL_INPUT, FAIL_HERE, EIO, "input"},
		{FAIL_INPUT, FAIL_ELSEWHERE, ECONNRESET, "database's input"},
		{FAIL_INPUT, FAIL_ELSEWHERE, 0, "database's input short"},
		{FAIL_OUTPUT, FAIL_HERE, EINTR, "output interrupted"},
		{FAIL_OUTPUT, FAIL_HERE, EPIPE, "output"},
		{FAIL_OUTPUT, FAIL_ELSEWHERE, EPIPE, "database's output"},
		{FAIL_OUTPUT, FAIL_ELSEWHERE, 0, "database's output short"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		sweep_all(*state,
			  (struct fail_plan){.what = cases[i].what,
					     .who = cases[i].who,
					     .error = cases[i].error},
			  cases[i].name, 1);
}

static void
statements(void **state)
{
	static const char *const names[] = {
		[STATEMENT_UNSENT] = "statement unsent",
		[STATEMENT_UNHEARD] = "statement unheard",
		[STATEMENT_REFUSED] = "statement refused",
		[STATEMENT_WARNED] = "statement with a warning",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (int who = FAIL_HERE; who <= FAIL_ELSEWHERE; who++) {
			statement_set_fault((enum statement_fault)i);
			sweep_all(*state,
				  (struct fail_plan){.what = FAIL_STATEMENT,
						     .who = (enum fail_who)who},
				  names[i], 1);
		}
}

static int
setup(void **state)
{
	signers = arena_create((size_t)64 << 20);
	if (steps_setup(state) != 0)
		return 1;
	struct world *w = *state;

	world_oidc_party(w, "{\"consent\":\"always\"}");
	set_up_programs(w);
	return 0;
}

/* A signer ends when its client has gone. */
static int
teardown(void **state)
{
	int rc = world_teardown(state);

	arena_destroy(signers);
	return rc;
}

static int
explain(void **state)
{
	struct world *w = *state;

	w->handle = NULL;
	fail_explain();
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_fresh, explain)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(memory_of_the_request), T(memory_from_there_on), T(memory_of_database_and_signer),
		T(input_and_output),      T(statements),
	};

	return cmocka_run_group_tests_name("fail requests", tests, setup, teardown);
}
