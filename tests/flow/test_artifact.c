/* Answers by artifact: the browser carries a name, and the portal has the message for it once. */
#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/account.h"
#include "saml/artifact.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "tests/flow/steps.h"

#define ART "https://amt24.example/artifact"
#define BAU "https://bau.example/metadata"
#define BY_ARTIFACT                                                                     \
	"<md:AssertionConsumerService index=\"1\" Binding=\"" SAML_BINDING_URI_ARTIFACT \
	"\" Location=\"" ART "\"/>"

static int
setup(void **state)
{
	if (steps_setup(state) != 0)
		return 1;
	struct world *w = *state;

	w->saml_acs = BY_ARTIFACT;
	world_saml_party(w, POLICY);
	w->saml_party = BAU;
	world_saml_party(w, "{}");
	w->saml_party = NULL;
	return 0;
}

static int
fresh(void **state)
{
	struct world *w = *state;

	w->acs = ART;
	return steps_fresh(state);
}

static const char *
fresh_id(struct world *w)
{
	static int n;

	return arena_printf(w->a, "_resolve%d", n++);
}

/* The artifact that the browser was sent to the portal with. */
static const char *
artifact_of(struct web *b)
{
	assert_int_equal(b->status, 303);
	if (b->location == NULL || !text_starts(b->location, ART "?SAMLart="))
		fail_msg("led to %s", b->location);
	return location_param(b, "SAMLart");
}

static void
send_soap(struct web *b, const char *envelope)
{
	web_program(b, "/saml/artifact", SOAP_CONTENT_TYPE, envelope);
}

/* What the portal of now gets for it; "" for nothing. */
static const char *
resolve(struct world *w, const char *artifact)
{
	struct web program;

	web_init(&program, w);
	send_soap(&program, saml_artifact_envelope(w, fresh_id(w), artifact));
	return saml_resolved(&program);
}

/* Log "karl" in, and have the artifact. */
static const char *
karl_with_artifact(struct web *b)
{
	ask(b, "", "");
	if (page_of(b) == LOGIN)
		log_in(b, "karl");
	web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
	return artifact_of(b);
}

static const char *
count(struct world *w, const char *event)
{
	return world_value(w, arena_printf(w->a,
					   "SELECT count(*) FROM audit WHERE event = '%s' AND at >="
					   " %lld",
					   event, (long long)w->now - 120));
}

static const char *
refused_as(struct world *w)
{
	return world_value(w, "SELECT details->>'why' || ' ' || party FROM audit WHERE event ="
			      " 'artifact_refused' ORDER BY seq DESC LIMIT 1");
}

#define ASSERT_HAS(text, part) assert_non_null(strstr(text, part))

/* ---- had once ---- */

static void
a_message_is_had_for_its_artifact_once(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *artifact = karl_with_artifact(&b), *message;

	assert_string_equal(location_param(&b, "RelayState"), "state-1");
	assert_string_equal(count(w, "assertion"), "1");
	assert_string_equal(count(w, "artifact_resolved"), "0");
	message = resolve(w, artifact);
	ASSERT_HAS(message, "status:Success");
	ASSERT_HAS(message, "Destination=\"" ART "\"");
	ASSERT_HAS(message, "Recipient=\"" ART "\"");
	ASSERT_HAS(message, ">Mustermann<");
	assert_string_equal(count(w, "artifact_resolved"), "1");
	assert_string_equal(
		world_value(w, "SELECT party || (subject IS NOT NULL) FROM audit WHERE event ="
			       " 'artifact_resolved' ORDER BY seq DESC LIMIT 1"),
		SAML_PARTY "true");
	assert_string_equal(resolve(w, artifact), "");
	assert_string_equal(resolve(w, artifact), "");
	assert_string_equal(count(w, "artifact_resolved"), "1");
	assert_string_equal(count(w, "artifact_refused"), "1");
	assert_string_equal(refused_as(w), "used " SAML_PARTY);
}

static void
who_is_logged_in_gets_one_without_a_page(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	w->saml_party = BAU;
	ask(&b, "", "");
	log_in(&b, "karl");
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	const char *first = artifact_of(&b), *url = saml_request_url(w, fresh_id(w), "", "");

	web_get(&b, url);
	const char *second = artifact_of(&b);

	assert_string_not_equal(first, second);
	/* The request that comes again is answered no second time. */
	web_get(&b, url);
	assert_null(b.location);
	assert_string_equal(world_value(w, "SELECT count(*) FROM artifact WHERE taken_at IS NULL"
					   " AND sid IS NOT NULL"),
			    "2");
	ASSERT_HAS(resolve(w, second), "status:Success");
	ASSERT_HAS(resolve(w, first), "status:Success");
	w->saml_party = NULL;
}

static void
the_request_or_the_metadata_say_that_it_goes_by_artifact(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	karl_with_artifact(&b);
	w->acs = "";
	ask(&b, " ProtocolBinding=\"" SAML_BINDING_URI_ARTIFACT "\"", "");
	web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_HAS(resolve(w, artifact_of(&b)), "status:Success");
	ask(&b, " AssertionConsumerServiceIndex=\"1\"", "");
	web_submit(&b, "/flow/consent/", "do=agree");
	ASSERT_HAS(resolve(w, artifact_of(&b)), "status:Success");
	/* With neither, the default one, which is by POST. */
	ask(&b, "", "");
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_non_null(saml_response_of(&b));
}

static void
a_link_without_a_request_is_answered_by_artifact_too(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_saml_party(w, "{\"unsolicited\":\"yes\"}");
	log_in_aside(&b, "karl");
	web_get(&b, "/saml/unsolicited?providerId=https%3A%2F%2Famt24.example%2Fmetadata"
		    "&shire=https%3A%2F%2Famt24.example%2Fartifact");
	if (page_of(&b) == CONSENT)
		web_submit(&b, "/flow/consent/", "do=agree");
	const char *message = resolve(w, artifact_of(&b));

	world_saml_party(w, POLICY);
	ASSERT_HAS(message, "status:Success");
	assert_null(strstr(message, "InResponseTo"));
}

static void
an_error_goes_by_artifact_too(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	/* At once; before there is a flow; from a page. */
	ask(&b, " IsPassive=\"true\"", "");
	ASSERT_HAS(resolve(w, artifact_of(&b)), "status:NoPassive");
	ask(&b, "", "<samlp:NameIDPolicy Format=\"" SAML_NAMEID_EMAIL "\"/>");
	const char *artifact = artifact_of(&b);

	ASSERT_HAS(resolve(w, artifact), "status:InvalidNameIDPolicy");
	assert_string_equal(resolve(w, artifact), "");
	ask(&b, "", "");
	log_in(&b, "karl");
	web_submit(&b, "/flow/consent/", "do=cancel");
	ASSERT_HAS(resolve(w, artifact_of(&b)), "status:RequestDenied");
	assert_string_equal(count(w, "assertion"), "0");
	assert_string_equal(count(w, "artifact_resolved"), "3");
}

static void
a_flow_of_a_program_from_before_goes_by_post(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	ask(&b, "", "");
	pg_sql(w->pg, "UPDATE flow SET ask = convert_to(regexp_replace(convert_from(ask, 'UTF8'),"
		      " '\"binding\": *4,', ''), 'UTF8')");
	log_in(&b, "karl");
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_non_null(saml_response_of(&b));
}

static void
neither_message_nor_artifact_is_in_the_table(void **state)
{
	struct world *w = *state;
	struct web b;

	pg_sql(w->pg, "DELETE FROM artifact"); /* of other cases */
	web_init(&b, w);
	const char *artifact = karl_with_artifact(&b);
	unsigned char handle[SAML_ARTIFACT_HANDLE_BYTES];
	struct err err = {0};

	ASSERT_OK(saml_artifact_read(w->a, BASE "/saml/metadata", artifact, handle, &err), &err);
	const char *const never[] = {
		enc_hex(w->a, (struct bytes){handle, sizeof(handle)}),
		enc_hex(w->a, bytes_of("Mustermann")),
		enc_hex(w->a, bytes_of("samlp:Response")),
	};

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		assert_string_equal(
			world_value(w, arena_printf(w->a,
						    "SELECT count(*) FROM artifact t WHERE t::text"
						    " LIKE '%%%s%%'",
						    never[i])),
			"0");
	/* Under its own handle alone. */
	const char *other = karl_with_artifact(&b);

	pg_sql(w->pg, "UPDATE artifact SET sealed = (SELECT sealed FROM artifact WHERE sealed IS"
		      " NOT NULL AND sid IS NOT NULL ORDER BY hash LIMIT 1) WHERE sealed IS NOT"
		      " NULL AND hash <> (SELECT hash FROM artifact WHERE sealed IS NOT NULL"
		      " AND sid IS NOT NULL ORDER BY hash LIMIT 1)");
	int opened = 0;
	const char *const both[] = {artifact, other};

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		struct web program;

		web_init(&program, w);
		send_soap(&program, saml_artifact_envelope(w, fresh_id(w), both[i]));
		opened += program.status == 200;
	}
	assert_int_equal(opened, 1);
}

/* ---- whom it is not for ---- */

static void
another_party_gets_nothing(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *artifact = karl_with_artifact(&b);

	w->saml_party = BAU;
	assert_string_equal(resolve(w, artifact), "");
	w->saml_party = NULL;
	assert_string_equal(refused_as(w), "another_party " BAU);
	ASSERT_HAS(resolve(w, artifact), "status:Success");
}

/* Status and fault; the artifact is as good as before. */
static void
refused(struct world *w, const char *envelope, int status)
{
	struct soap_envelope e;
	struct err err = {0};
	struct web program;

	web_init(&program, w);
	send_soap(&program, envelope);
	assert_int_equal(program.status, status);
	ASSERT_OK(soap_read(w->a, bytes_of(program.body), NULL, &e, &err), &err);
	assert_non_null(e.fault);
	ASSERT_HAS(e.fault->text, "Reference: ");
	assert_null(strstr(program.body, "Response"));
	assert_string_equal(world_value(w, "SELECT count(*) FROM artifact WHERE taken_at IS NULL"
					   " AND sid IS NOT NULL"),
			    "1");
}

static void
who_proves_nothing_gets_a_fault(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	pg_sql(w->pg, "DELETE FROM artifact");
	const char *artifact = karl_with_artifact(&b);
	const char *good = saml_artifact_envelope(w, fresh_id(w), artifact);
	const char *sig = strstr(good, "<ds:Signature"), *end = strstr(good, "</ds:Signature>");

	/* Its signature cut out; changed under it. */
	refused(w,
		arena_printf(w->a, "%.*s%s", (int)(sig - good), good,
			     end + strlen("</ds:Signature>")),
		403);
	char *changed = arena_strdup(w->a, good);

	strstr(changed, "<samlp:Artifact>")[strlen("<samlp:Artifact>") + 40] ^= 1;
	refused(w, changed, 403);
	/* Of nobody; in another's name with its own key. */
	w->saml_party = "https://nobody.example/";
	refused(w, saml_artifact_envelope(w, fresh_id(w), artifact), 500);
	w->saml_party = NULL;
	w->saml_suite = "rsa-pss-sha256";
	refused(w, saml_artifact_envelope(w, fresh_id(w), artifact), 403);
	w->saml_suite = NULL;
	/* Switched off. */
	world_disable(w, SAML_PARTY);
	refused(w, good, 500);
	world_saml_party(w, POLICY);
	ASSERT_HAS(resolve(w, artifact), "status:Success");
}

static void
a_request_for_elsewhere_or_another_time_gets_a_fault(void **state)
{
	struct world *w = *state;
	struct web b, program;

	web_init(&b, w);
	web_init(&program, w);
	pg_sql(w->pg, "DELETE FROM artifact");
	const char *artifact = karl_with_artifact(&b);

	/* A LogoutRequest, and what is meant for that endpoint. */
	refused(w, saml_logout_envelope(w, fresh_id(w), "x", NULL), 500);
	web_program(&program, "/saml/slo/soap", SOAP_CONTENT_TYPE,
		    saml_artifact_envelope(w, fresh_id(w), artifact));
	assert_int_equal(program.status, 500);
	/* Times: 3 minutes of skew, and 5 of age on top. */
	time_t now = w->now;
	const char *envelope;

	w->now = now - 481;
	envelope = saml_artifact_envelope(w, fresh_id(w), artifact);
	w->now = now;
	refused(w, envelope, 403);
	w->now = now + 181;
	envelope = saml_artifact_envelope(w, fresh_id(w), artifact);
	w->now = now;
	refused(w, envelope, 403);
	refused(w, "SAMLart=x", 500);
	refused(w, "", 500);
	ASSERT_HAS(resolve(w, artifact), "status:Success");
}

static void
a_request_names_this_endpoint(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	pg_sql(w->pg, "DELETE FROM artifact");
	const char *artifact = karl_with_artifact(&b);

	/* Signed as it stands. */
	w->resolve_at = BASE "/saml/slo/soap";
	refused(w, saml_artifact_envelope(w, fresh_id(w), artifact), 403);
	w->resolve_at = NULL;
	ASSERT_HAS(resolve(w, artifact), "status:Success");
}

static void
what_is_no_artifact_of_ours_gets_nothing_and_leaves_no_trail(void **state)
{
	struct world *w = *state;
	unsigned char handle[SAML_ARTIFACT_HANDLE_BYTES];
	const char *rows = world_value(w, "SELECT count(*) FROM audit");

	rand_bytes(handle, sizeof(handle));
	const char *const texts[] = {
		"x",
		"",
		"AAQAAA==",
		saml_artifact_write(w->a, BASE "/saml/metadata", handle),
		saml_artifact_write(w->a, BASE, handle),
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_string_equal(resolve(w, texts[i]), "");
	assert_string_equal(world_value(w, "SELECT count(*) FROM audit"), rows);
}

/* ---- in time, and while what it rests on stands ---- */

static void
it_lives_for_a_minute(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *artifact = karl_with_artifact(&b);

	w->now += 60;
	assert_string_equal(resolve(w, artifact), "");
	assert_string_equal(refused_as(w), "expired " SAML_PARTY);
	artifact = karl_with_artifact(&b);
	w->now += 59;
	ASSERT_HAS(resolve(w, artifact), "status:Success");
}

static void
after_the_logout_there_is_nothing(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *artifact = karl_with_artifact(&b);

	log_out(&b);
	assert_string_equal(resolve(w, artifact), "");
	assert_string_equal(count(w, "artifact_resolved"), "0");
}

static void
after_the_consent_was_taken_back_there_is_nothing(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *artifact = karl_with_artifact(&b);

	web_post(&b, "/account", "", "do=withdraw&consent=" SAML_PARTY);
	assert_string_equal(resolve(w, artifact), "");
	assert_string_equal(refused_as(w), "consent_withdrawn " SAML_PARTY);
}

static void
after_the_account_was_closed_there_is_nothing(void **state)
{
	static const enum db_subject_state states[] = {DB_DISABLED, DB_DELETED};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		const char *name = arena_printf(w->a, "closed%zu", i);
		struct subject_id id = world_person(w, name, PASSWORD, everybody, LEVEL_BASIC);
		struct err err = {0};
		struct web b;

		web_init(&b, w);
		ask(&b, "", "");
		log_in(&b, name);
		web_submit(&b, "/flow/consent/", "do=agree");
		const char *artifact = artifact_of(&b);

		ASSERT_OK(db_account_set_state(&w->pg->c, id, states[i], NULL, w->now, &err), &err);
		assert_string_equal(resolve(w, artifact), "");
		assert_string_equal(count(w, "artifact_resolved"), "0");
	}
}

#define T(test) cmocka_unit_test_setup(test, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_message_is_had_for_its_artifact_once),
		T(who_is_logged_in_gets_one_without_a_page),
		T(the_request_or_the_metadata_say_that_it_goes_by_artifact),
		T(a_link_without_a_request_is_answered_by_artifact_too),
		T(an_error_goes_by_artifact_too),
		T(a_flow_of_a_program_from_before_goes_by_post),
		T(neither_message_nor_artifact_is_in_the_table),
		T(another_party_gets_nothing),
		T(who_proves_nothing_gets_a_fault),
		T(a_request_for_elsewhere_or_another_time_gets_a_fault),
		T(a_request_names_this_endpoint),
		T(what_is_no_artifact_of_ours_gets_nothing_and_leaves_no_trail),
		T(it_lives_for_a_minute),
		T(after_the_logout_there_is_nothing),
		T(after_the_consent_was_taken_back_there_is_nothing),
		T(after_the_account_was_closed_there_is_nothing),
	};

	return cmocka_run_group_tests_name("artifact", tests, setup, world_teardown);
}
