/*
 * Portals that nobody registered: members of a federation that ask about people here.  "baden" and
 * "hessen" are account services of other states, as service providers.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "db/federation.h"
#include "db/member_count.h"
#include "idp/federation.h"
#include "saml/names.h"
#include "tests/flow/home.h"
#include "tests/flow/leave.h"

#define BADEN_SP  "https://konto.baden.example/sp"
#define HESSEN_SP "https://konto.hessen.example/sp"
#define RULES     "{\"approval\":\"whole\",\"gone-percent\":100}"

#define EMAIL_WANTED                                                                         \
	"<md:AttributeConsumingService index=\"3\"><md:ServiceName xml:lang=\"de\">Konto"    \
	"</md:ServiceName><md:RequestedAttribute isRequired=\"true\" Name=\"urn:oid:2.5.4.4" \
	"\"/><md:RequestedAttribute Name=\"urn:oid:0.9.2342.19200300.100.1.3\"/>"            \
	"</md:AttributeConsumingService>"

static struct bytes
encryption_cert(struct world *w)
{
	return w->keys->dec_rsa.cert;
}

/* Its metadata; without an encryption key, if wanted. */
static const char *
member(struct world *w, const char *id, const char *suite, bool encrypts)
{
	const char *key = arena_printf(
		w->a,
		"<md:KeyDescriptor use=\"encryption\"><ds:KeyInfo><ds:X509Data>"
		"<ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
		"</md:KeyDescriptor>",
		enc_base64(w->a, encryption_cert(w)));

	w->saml_party = id;
	w->saml_suite = suite;
	w->saml_acs = EMAIL_WANTED;
	w->saml_more = arena_printf(w->a,
				    "<mdui:UIInfo xmlns:mdui=\"" SAML_NS_MDUI
				    "\"><mdui:DisplayName xml:lang=\"de\">Servicekonto %s"
				    "</mdui:DisplayName></mdui:UIInfo>",
				    text_eq(id, BADEN_SP) ? "Baden" : "Hessen");
	const char *text = world_saml_metadata(w, "{}", encrypts ? key : "");

	w->saml_acs = w->saml_more = NULL;
	return text;
}

/* The portal of the next requests. */
static void
be(struct world *w, const char *id)
{
	w->saml_party = id;
	w->saml_suite = text_eq(id, HESSEN_SP) ? "ecdsa-sha384" : NULL;
}

static void
publish(struct world *w)
{
	const char *baden = member(w, BADEN_SP, NULL, true);

	home_publish(w,
		     arena_printf(w->a, "%s%s", baden, member(w, HESSEN_SP, "ecdsa-sha384", true)));
	be(w, BADEN_SP);
}

static int
setup(void **state)
{
	if (steps_setup(state) != 0)
		return 1;
	home_federation(*state, RULES);
	publish(*state);
	return world_fresh(state);
}

static int
fresh(void **state)
{
	struct world *w = *state;

	if (steps_fresh(state) != 0)
		return 1;
	be(w, BADEN_SP);
	return 0;
}

/* As setup has it. */
static void
undo(struct world *w)
{
	pg_sql(w->pg, "DELETE FROM party WHERE id = '" BADEN_SP "'");
	home_federation(w, RULES);
	publish(w);
}

static void
suspend(struct world *w, const char *entity)
{
	const struct db_federation_suspended s = {
		.entity = entity, .by = "pruefer", .why = "test", .at = w->now};
	struct err err = {0};

	ASSERT_OK(db_federation_suspend(&w->pg->c, &s, NULL, w->now, &err), &err);
}

static void
agree(struct web *b)
{
	web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
}

static bool
is_error(struct web *b, int status)
{
	return b->status == status && web_field(b, "SAMLResponse") == NULL;
}

/* ---- a login ---- */

static void
a_member_asks_and_is_answered(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	ASSERT_PAGE(&b, LOGIN);
	assert_true(web_shows(&b, "Servicekonto Baden"));
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CONSENT);
	agree(&b);
	const char *told = saml_opened_of(&b);

	assert_non_null(told);
	assert_non_null(strstr(told, ">Mustermann<"));
	assert_non_null(strstr(told, ">erika@example.invalid<"));
	assert_non_null(strstr(told, "<saml:Audience>" BADEN_SP "</saml:Audience>"));
	assert_non_null(strstr(told, "Recipient=\"" SAML_ACS "\""));
	/* Nobody's name is outside. */
	assert_null(strstr(saml_response_of(&b), "Mustermann"));
}

static void
an_answer_lives_one_to_two_minutes(void **state)
{
	static const int seconds[] = {60, 120};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
		home_federation(w,
				arena_printf(w->a, "{\"policy\":{\"lifetime\":%d}}", seconds[i]));
		publish(w);
		web_init(&b, w);
		ask(&b, "", "");
		log_in(&b, "erika");
		agree(&b);
		const char *told = saml_opened_of(&b);

		assert_non_null(told);
		assert_non_null(strstr(told, arena_printf(w->a,
							  "<saml:Conditions NotBefore=\"%s\" "
							  "NotOnOrAfter=\"%s\">",
							  clock_text(w->a, w->now),
							  clock_text(w->a, w->now + seconds[i]))));
		assert_null(strstr(told, "SessionNotOnOrAfter"));
	}
	undo(w);
}

static void
a_members_level_is_capped(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	home_federation(w, "{\"policy\":{\"level-cap\":\"low\"}}");
	publish(w);
	ask(&b, "", LEVEL3);
	assert_non_null(strstr(saml_response_of(&b), "NoAuthnContext"));
	undo(w);
}

static void
consent_is_asked_each_time_and_not_kept(void **state)
{
	struct world *w = *state;
	struct web b;

	for (int i = 0; i < 2; i++) {
		web_init(&b, w);
		ask(&b, "", "");
		log_in(&b, "erika");
		ASSERT_PAGE(&b, CONSENT);
		web_submit(&b, "/flow/consent/", "do=agree"); /* without the address */
		assert_null(strstr(saml_opened_of(&b), "erika@example.invalid"));
	}
	assert_string_equal(
		world_value(w, "SELECT count(*) FROM consent WHERE party = '" BADEN_SP "'"), "0");
}

/* ---- no session ---- */

static void
no_session_is_made_and_none_is_used(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *before = world_value(w, "SELECT count(*) FROM session");

	ask(&b, "", "");
	log_in(&b, "erika");
	agree(&b);
	assert_non_null(saml_opened_of(&b));
	assert_null(web_cookie(&b, "__Host-session"));
	assert_string_equal(world_value(w, "SELECT count(*) FROM session"), before);
	assert_false(is_logged_in(&b));
	/* The next request of the same member begins at the beginning. */
	ask(&b, "", "");
	ASSERT_PAGE(&b, LOGIN);
	/* Who is logged in here proves it anew, and stays logged in. */
	log_in_aside(&b, "karl");
	assert_true(is_logged_in(&b));
	ask(&b, "", "");
	ASSERT_PAGE(&b, LOGIN);
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CONSENT);
	assert_true(web_shows(&b, "Erika"));
	agree(&b);
	assert_non_null(saml_opened_of(&b));
	assert_true(is_logged_in(&b));
	/* Without a page there is nobody. */
	ask(&b, " IsPassive=\"true\"", "");
	assert_non_null(strstr(saml_response_of(&b), "NoPassive"));
}

static void
a_login_counts_in_the_browser_that_gave_the_proof(void **state)
{
	struct world *w = *state;
	struct web b, planted;

	web_init(&planted, w);
	ask(&planted, "", "");
	b = planted; /* the flow's cookie was planted there */
	const char *flow = flow_of(&b);

	log_in(&b, "erika");
	ASSERT_PAGE(&b, CONSENT);
	web_get(&planted, arena_printf(w->a, "/flow/%s", flow));
	ASSERT_PAGE(&planted, LOGIN);
	web_get(&b, arena_printf(w->a, "/flow/%s", flow));
	ASSERT_PAGE(&b, CONSENT);
}

static void
both_steps_of_a_login_count(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, " AttributeConsumingServiceIndex=\"3\"", LEVEL3);
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CODE);
	enter_code(&b);
	ASSERT_PAGE(&b, CONSENT);
	agree(&b);
	assert_non_null(strstr(saml_opened_of(&b), "STORK-QAA-Level-3"));
}

static void
the_way_back_is_an_orderly_answer(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	web_submit(&b, "/flow/password/", "do=cancel");
	assert_non_null(strstr(saml_response_of(&b), "AuthnFailed"));
	ask(&b, "", "");
	log_in(&b, "erika");
	web_submit(&b, "/flow/consent/", "do=cancel");
	assert_non_null(strstr(saml_response_of(&b), "RequestDenied"));
}

static void
who_is_told_is_known_by_another_name_to_each(void **state)
{
	static const char persistent[] =
		"<samlp:NameIDPolicy Format=\"" SAML_NAMEID_PERSISTENT "\" AllowCreate=\"true\"/>";
	static const char *const asking[] = {BADEN_SP, BADEN_SP, HESSEN_SP};
	const char *names[ARRAY_LEN(asking)];
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(asking); i++) {
		be(w, asking[i]);
		web_init(&b, w);
		ask(&b, "", persistent);
		log_in(&b, "erika");
		agree(&b);
		names[i] = between(w->a, saml_opened_of(&b), "SPNameQualifier=", "</saml:NameID>");
		names[i] = strchr(names[i], '>') + 1;
	}
	assert_string_equal(names[0], names[1]);
	assert_string_not_equal(names[0], names[2]);
	assert_string_equal(world_value(w, "SELECT count(*) FROM pseudonym WHERE sector LIKE"
					   " '%baden.example%'"),
			    "0");
}

static void
a_logout_finds_nothing_to_end(void **state)
{
	struct world *w = *state;
	struct web b, other;

	web_init(&other, w);
	log_in_aside(&other, "erika");
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "erika");
	agree(&b);
	const char *told = saml_opened_of(&b);
	const char *index = between(w->a, told, "SessionIndex=\"", "\"");

	web_get(&b, saml_logout_url(w, logout_id(w), "_whoever", index));
	assert_int_equal(b.status, 303);
	assert_true(text_starts(b.location, SAML_SLO "?"));
	send_soap(&b, saml_logout_envelope(w, logout_id(w), "_whoever", index));
	assert_string_equal(soap_status(&b), "Success");
	assert_true(is_logged_in(&other));
}

static void
the_person_sees_whom_it_is_for(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "",
	    "<samlp:Scoping ProxyCount=\"0\"><samlp:RequesterID>https://amt.example/a"
	    "</samlp:RequesterID><samlp:RequesterID>https://amt.example/b</samlp:RequesterID>"
	    "</samlp:Scoping>");
	log_in(&b, "erika");
	ASSERT_PAGE(&b, CONSENT);
	assert_true(web_shows(&b, "Servicekonto Baden"));
	assert_true(web_shows(&b, "https://amt.example/a<br>"));
	assert_true(web_shows(&b, "https://amt.example/b<br>"));
	assert_true(web_shows(&b, "ffentliche Stelle"));
	agree(&b);
	assert_non_null(saml_opened_of(&b));
}

/* Tables with a row in which the text stands, as it is or as octets. */
static const char *
tables_with(struct world *w, const char *text)
{
	return world_value(
		w,
		arena_printf(
			w->a,
			"SELECT coalesce(string_agg(tablename, ' '), '') FROM pg_tables WHERE"
			" schemaname = current_schema() AND"
			" (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM"
			" %%I x WHERE x::text LIKE %%L OR x::text LIKE %%L', tablename, '%%%s%%',"
			" '%%%s%%'), false, true, '')))[1]::text <> '0'",
			text, enc_hex(w->a, bytes_of(text))));
}

static void
nothing_of_a_person_is_left(void **state)
{
	struct world *w = *state;
	struct web b, left;

	/* The person's account and what happened before are no part of this. */
	pg_sql(w->pg, "DELETE FROM flow");
	pg_sql(w->pg,
	       "CREATE TABLE before AS SELECT max(seq) AS seq, 'erika_look' AS look FROM audit");
	web_init(&b, w);
	ask(&b, "", "");
	log_in(&b, "erika");
	agree(&b);
	const char *name = between(w->a, saml_opened_of(&b), "<saml:NameID", "</saml:NameID>");

	web_init(&left, w);
	ask(&left, "", "");
	log_in(&left, "erika");
	ASSERT_PAGE(&left, CONSENT); /* and nobody goes on */
	assert_non_null(strstr(tables_with(w, "erika_look"), "before"));
	assert_string_equal(tables_with(w, strchr(name, '>') + 1), "");
	assert_string_equal(tables_with(w, "Mustermann"), "");
	assert_string_equal(tables_with(w, "erika@example.invalid"), "");
	assert_string_equal(
		world_value(w, "SELECT count(*) FROM audit, before WHERE audit.seq > before.seq"
			       " AND subject IS NOT NULL AND party IS NOT NULL"),
		"0");
	assert_string_equal(world_value(w, "SELECT count(*) FROM flow WHERE acting IS NOT NULL AND"
					   " party = '" BADEN_SP "'"),
			    "1");
	/* The flow that was left goes with its day (db/partition.h), long before seven days. */
	assert_string_equal(world_value(w, arena_printf(w->a,
							"SELECT count(*) FROM flow WHERE expires >"
							" %lld OR day <> expires / 86400",
							(long long)w->now + 86400)),
			    "0");
	pg_sql(w->pg, "DROP TABLE before");
}

static const char *
counted(struct world *w, const char *outcome)
{
	return world_value(w, arena_printf(w->a,
					   "SELECT string_agg(level || ':' || times, ' ' ORDER BY"
					   " level) FROM member_count WHERE member = '" BADEN_SP
					   "' AND day = %lld AND outcome = '%s'",
					   (long long)w->now / 86400, outcome));
}

static void
members_are_counted_and_no_persons(void **state)
{
	const struct db_member_count *rows;
	struct world *w = *state;
	struct err err = {0};
	struct web b;
	int64_t gone;
	size_t n;

	pg_sql(w->pg, "DELETE FROM member_count");
	for (int i = 0; i < 2; i++) {
		web_init(&b, w);
		ask(&b, "", "");
		log_in(&b, "erika");
		agree(&b);
		ask(&b, " IsPassive=\"true\"", "");
	}
	ask(&b, "", LEVEL3);
	log_in(&b, "erika");
	enter_code(&b);
	agree(&b);
	ask(&b, "", "");
	web_submit(&b, "/flow/password/", "do=cancel");
	ask(&b, "",
	    "<samlp:NameIDPolicy Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:"
	    "X509SubjectName\"/>");
	assert_string_equal(counted(w, "answer"), "2:2 3:1");
	assert_string_equal(counted(w, "passive_login"), "0:2");
	assert_string_equal(counted(w, "cancelled"), "0:1");
	assert_string_equal(counted(w, "request"), "0:1");
	/* Registered parties are not. */
	w->saml_party = NULL;
	ask(&b, " IsPassive=\"true\"", "");
	ASSERT_OK(db_member_count_list(&w->pg->c, w->now / 86400, &rows, &n, &err), &err);
	assert_int_equal(n, 5);
	assert_string_equal(rows[0].member, BADEN_SP);
	ASSERT_OK(db_member_count_list(&w->pg->c, w->now / 86400 + 1, &rows, &n, &err), &err);
	assert_int_equal(n, 0);
	ASSERT_OK(db_member_count_sweep(&w->pg->c, w->now / 86400, 10, clock_now(), &gone, &err),
		  &err);
	assert_int_equal(gone, 0);
	ASSERT_OK(
		db_member_count_sweep(&w->pg->c, w->now / 86400 + 1, 10, clock_now(), &gone, &err),
		&err);
	assert_int_equal(gone, 5);
}

/* ---- who is refused ---- */

static void
only_what_a_member_signed_counts(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	web_get(&b, unsigned_url(w, saml_request_url(w, "_mp1", "", "")));
	assert_true(is_error(&b, 403));
	/* By the key of another member. */
	w->saml_suite = "ecdsa-sha384";
	ask(&b, "", "");
	assert_true(is_error(&b, 403));
	be(w, BADEN_SP);
	w->acs = "https://evil.example/acs";
	ask(&b, "", "");
	w->acs = NULL;
	assert_true(is_error(&b, 403) || is_error(&b, 400));
	be(w, "https://nobody.example/sp");
	ask(&b, "", "");
	assert_true(is_error(&b, 404));
	assert_true(web_shows(&b, "kennen wir nicht"));
}

static void
a_request_counts_once(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *url = saml_request_url(w, "_mp_once", "", "");

	web_get(&b, url);
	ASSERT_PAGE(&b, LOGIN);
	const char *path = b.path;

	web_get(&b, url); /* browser back */
	assert_string_equal(b.path, path);
	log_in(&b, "erika");
	agree(&b);
	assert_non_null(saml_opened_of(&b));
	web_get(&b, url);
	assert_true(is_error(&b, 410));
}

static void
a_member_without_a_key_for_us_bothers_nobody(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	home_publish(w, member(w, BADEN_SP, NULL, false));
	be(w, BADEN_SP);
	ask(&b, "", "");
	assert_non_null(strstr(saml_response_of(&b), "RequestDenied"));
	undo(w);
}

static void
a_record_goes_before_the_member(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_saml_party(w, "{\"attribute\":[\"family_name\"],\"encrypt\":\"never\"}");
	ask(&b, "", "");
	assert_true(web_shows(&b, "Amt24"));
	world_disable(w, BADEN_SP);
	ask(&b, "", "");
	assert_true(is_error(&b, 404));
	/* And one that cannot be read. */
	pg_sql(w->pg, "UPDATE party SET enabled = true, document = 'x' WHERE id = '" BADEN_SP "'");
	world_takes_unreadable = true;
	world_reload(w);
	world_takes_unreadable = false;
	ask(&b, "", "");
	assert_true(is_error(&b, 404));
	pg_sql(w->pg, "DELETE FROM party WHERE id = '" BADEN_SP "'");
	world_reload(w);
	ask(&b, "", "");
	assert_true(web_shows(&b, "Servicekonto Baden"));
}

static void
suspended(struct world *w)
{
	suspend(w, BADEN_SP);
}

static void
gone(struct world *w)
{
	home_publish(w, member(w, HESSEN_SP, "ecdsa-sha384", true));
	be(w, BADEN_SP);
}

static void
left_out(struct world *w)
{
	home_federation(w, "{\"deny\":[\"" BADEN_SP "\"]}");
	publish(w);
}

static void
recorded(struct world *w)
{
	world_saml_party(w, "{}");
}

static const struct {
	const char *name;
	void (*happens)(struct world *w);
	int status;
} meanwhile[] = {
	{"suspended", suspended, 403},
	{"gone", gone, 404},
	{"left out", left_out, 403},
	{"recorded", recorded, 404},
};

static void
who_is_no_member_any_more_gets_nothing(void **state)
{
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(meanwhile); i++) {
		print_message("%s\n", meanwhile[i].name);
		web_init(&b, w);
		ask(&b, "", "");
		log_in(&b, "erika");
		ASSERT_PAGE(&b, CONSENT);
		meanwhile[i].happens(w);
		agree(&b);
		assert_true(is_error(&b, meanwhile[i].status));
		undo(w);
	}
	suspended(w);
	web_init(&b, w);
	ask(&b, "", "");
	assert_true(is_error(&b, 403));
	assert_true(web_shows(&b, "zurzeit nicht zugelassen"));
	/* The other one goes on. */
	be(w, HESSEN_SP);
	ask(&b, "", "");
	ASSERT_PAGE(&b, LOGIN);
	undo(w);
}

static void
while_members_are_read_it_may_be_tried_again(void **state)
{
	struct world *w = *state;
	struct federation *read = w->app.federation;
	struct web b;

	web_init(&b, w);
	const char *url = saml_request_url(w, "_mp_loading", "", "");

	w->app.federation = federation_create(w->pg->a, &w->app);
	web_get(&b, url);
	assert_true(is_error(&b, 503));
	w->app.federation = read;
	web_get(&b, url);
	ASSERT_PAGE(&b, LOGIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_member_asks_and_is_answered, fresh),
		cmocka_unit_test_setup(an_answer_lives_one_to_two_minutes, fresh),
		cmocka_unit_test_setup(a_members_level_is_capped, fresh),
		cmocka_unit_test_setup(consent_is_asked_each_time_and_not_kept, fresh),
		cmocka_unit_test_setup(no_session_is_made_and_none_is_used, fresh),
		cmocka_unit_test_setup(a_login_counts_in_the_browser_that_gave_the_proof, fresh),
		cmocka_unit_test_setup(both_steps_of_a_login_count, fresh),
		cmocka_unit_test_setup(the_way_back_is_an_orderly_answer, fresh),
		cmocka_unit_test_setup(who_is_told_is_known_by_another_name_to_each, fresh),
		cmocka_unit_test_setup(a_logout_finds_nothing_to_end, fresh),
		cmocka_unit_test_setup(the_person_sees_whom_it_is_for, fresh),
		cmocka_unit_test_setup(members_are_counted_and_no_persons, fresh),
		cmocka_unit_test_setup(only_what_a_member_signed_counts, fresh),
		cmocka_unit_test_setup(a_request_counts_once, fresh),
		cmocka_unit_test_setup(a_member_without_a_key_for_us_bothers_nobody, fresh),
		cmocka_unit_test_setup(a_record_goes_before_the_member, fresh),
		cmocka_unit_test_setup(who_is_no_member_any_more_gets_nothing, fresh),
		cmocka_unit_test_setup(while_members_are_read_it_may_be_tried_again, fresh),
		cmocka_unit_test_setup(nothing_of_a_person_is_left, fresh),
	};

	return cmocka_run_group_tests(tests, setup, world_teardown);
}
