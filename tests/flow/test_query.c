/* Attribute queries: who is told what about whom without a login, and who hears nothing. */
#include "base/enc.h"
#include "base/text.h"
#include "keys/sign.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "saml/xmlsig.h"
#include "tests/flow/signing.h"
#include "tests/flow/steps.h"
#include "tests/saml/xsd.h"

#define POLICY_OF(more) \
	"{\"attribute-query\":\"yes\",\"attribute\":[\"family_name:required\",\"email\"]" more "}"
#define FAMILY   "urn:oid:2.5.4.4"
#define GIVEN    "urn:oid:2.5.4.42"
#define EMAIL    "urn:oid:0.9.2342.19200300.100.1.3"
#define NOBODY   "KONTOR-29 no-such-person"
#define PAIRWISE "urn:oasis:names:tc:SAML:attribute:pairwise-id"

/* ---- before the signer ---- */

static bool hsm_is_away;
static size_t n_opened; /* accounts */

bool __real_signer_key_ready(struct signer *s, const char *kid);
bool __wrap_signer_key_ready(struct signer *s, const char *kid);
bool
__wrap_signer_key_ready(struct signer *s, const char *kid)
{
	return !hsm_is_away && __real_signer_key_ready(s, kid);
}

bool __real_signer_account_open(struct signer *s, struct arena *a, struct bytes id,
				struct bytes wrapped, const struct account_value *values, size_t n,
				struct bytes *out, struct err *err);
bool __wrap_signer_account_open(struct signer *s, struct arena *a, struct bytes id,
				struct bytes wrapped, const struct account_value *values, size_t n,
				struct bytes *out, struct err *err);
bool
__wrap_signer_account_open(struct signer *s, struct arena *a, struct bytes id, struct bytes wrapped,
			   const struct account_value *values, size_t n, struct bytes *out,
			   struct err *err)
{
	n_opened++;
	return __real_signer_account_open(s, a, id, wrapped, values, n, out, err);
}

/* ---- asking ---- */

static void
query(struct web *b, const char *body)
{
	web_program(b, QUERY_ENDPOINT, SOAP_CONTENT_TYPE, body);
}

/* The signed Response. */
static const char *
response_of(struct web *b)
{
	struct world *w = b->w;
	const struct key *k = keyring_active(w->signer->keys, KEY_SAML_SIGN, KEY_P256);
	struct saml_keys ours = {.key = &k->pub, .n = 1};
	struct soap_envelope e;
	struct saml_signed *sig;
	struct err err = {0};

	assert_int_equal(b->status, 200);
	assert_schema_valid(w->a, bytes_of(b->body));
	ASSERT_OK(soap_read(w->a, bytes_of(b->body), NULL, &e, &err), &err);
	ASSERT_OK(xmlsig_verify(w->a, e.content, ours, &sig, &err), &err);
	return (const char *)arena_bytes(w->a, saml_signed_bytes(sig)).p;
}

/* "Success", or the StatusMessage. */
static const char *
status_of(struct web *b)
{
	const char *response = response_of(b);
	const char *message = between(b->w->a, response, "<samlp:StatusMessage>", "</samlp:");

	if (message == NULL) {
		assert_non_null(strstr(response, "status:Success\""));
		assert_non_null(strstr(response, "<saml:AttributeStatement>"));
		return "Success";
	}
	assert_null(strstr(response, "<saml:Assertion"));
	return message;
}

/* Ask about one by all there is. */
static const char *
status_about(struct world *w, const char *name, const char *format)
{
	struct web b;

	web_init(&b, w);
	query(&b, query_envelope(w, &(struct query_asking){.name = name, .format = format}));
	return status_of(&b);
}

#define ASSERT_ABOUT(w, name, status) assert_string_equal(status_about(w, name, NULL), (status))

static void
assert_fault(struct web *b, int status)
{
	struct soap_envelope e;
	struct err err = {0};

	assert_int_equal(b->status, status);
	ASSERT_OK(soap_read(b->w->a, bytes_of(b->body), NULL, &e, &err), &err);
	assert_non_null(e.fault);
	assert_null(strstr(b->body, "Assertion"));
}

/* Karl agrees at the portal; its name for him.  `b` stays logged in. */
static const char *
karl_agrees(struct web *b, const char *format, const char *boxes)
{
	ask(b, "",
	    arena_printf(b->w->a, "<samlp:NameIDPolicy AllowCreate=\"true\" Format=\"%s\"/>",
			 format));
	if (page_of(b) == LOGIN)
		log_in(b, "karl");
	if (page_of(b) == CONSENT)
		web_submit(b, "/flow/consent/", arena_printf(b->w->a, "do=agree%s", boxes));
	ASSERT_PAGE(b, ANSWER);
	return strchr(between(b->w->a, saml_response_of(b), "<saml:NameID", "</saml:NameID>"),
		      '>') +
	       1;
}

static const char *
lasting(struct web *b)
{
	return karl_agrees(b, SAML_NAMEID_PERSISTENT, "&attr_email=on");
}

static void
withdraw(struct web *b)
{
	web_get(b, "/account");
	web_post(b, "/account", "", "consent=" SAML_PARTY "&do=withdraw");
}

static int
fresh(void **state)
{
	struct world *w = *state;
	struct web b;

	if (steps_fresh(state) != 0)
		return 1;
	while_signing(w->pg, NULL);
	hsm_is_away = false;
	pg_sql(w->pg, "DELETE FROM session");
	world_saml_party(w, POLICY_OF(""));
	web_init(&b, w);
	log_in_aside(&b, "karl");
	withdraw(&b);
	log_out(&b);
	return 0;
}

static void
what_was_agreed_to_is_told(void **state)
{
	struct world *w = *state;
	struct web b, portal;

	web_init(&b, w);
	web_init(&portal, w);
	const char *name = lasting(&b);

	query(&portal, query_envelope(w, &(struct query_asking){.name = name,
								.format = SAML_NAMEID_PERSISTENT,
								.qualifier = BASE "/saml/metadata",
								.sp_qualifier = SAML_PARTY,
								.destination = BASE QUERY_ENDPOINT,
								.asked = {FAMILY, EMAIL}}));
	const char *response = response_of(&portal);

	assert_string_equal(status_of(&portal), "Success");
	assert_non_null(strstr(response, arena_printf(w->a, ">%s</saml:NameID>", name)));
	assert_non_null(strstr(response, "<saml:Audience>" SAML_PARTY "</saml:Audience>"));
	assert_non_null(strstr(response, ">Mustermann<"));
	assert_non_null(strstr(response, ">erika@example.invalid<"));
	assert_non_null(strstr(response, "InResponseTo=\"_query"));
	/* Nothing of a login, and nobody to confirm. */
	assert_null(strstr(response, "AuthnStatement"));
	assert_null(strstr(response, "SubjectConfirmation"));
	assert_null(strstr(response, "Destination"));
	assert_non_null(strstr(response, "TrustLevel=\"UNTERGEORDNET\""));
	assert_string_equal(
		world_value(w, "SELECT event || party || (details->>'attributes') FROM audit "
			       "ORDER BY seq DESC LIMIT 1"),
		"attributes_told" SAML_PARTY "[\"family_name\",\"email\"]");
	log_out(&b);
	ASSERT_ABOUT(w, name, "Success");
}

static void
levels_are_those_of_a_login_that_lasts(void **state)
{
	struct world *w = *state;
	struct web b, portal;

	web_init(&b, w);
	web_init(&portal, w);
	pg_sql(w->pg, "UPDATE attribute SET level = 3 WHERE name = 'family_name'");
	const char *name = lasting(&b);
	const struct query_asking how = {.name = name, .asked = {FAMILY}};

	query(&portal, query_envelope(w, &how));
	assert_non_null(strstr(response_of(&portal), "TrustLevel=\"NORMAL\""));
	world_saml_party(w, POLICY_OF(",\"level\":\"substantial\""));
	ASSERT_ABOUT(w, name, NOBODY);
	world_saml_party(w, POLICY_OF(",\"level\":\"low\""));
	ASSERT_ABOUT(w, name, "Success");
	/* What was proven elsewhere does not count where sessions are not taken. */
	world_saml_party(w, POLICY_OF(",\"sso-group\":\"never\""));
	query(&portal, query_envelope(w, &how));
	assert_non_null(strstr(response_of(&portal), "TrustLevel=\"UNTERGEORDNET\""));
	world_saml_party(w, POLICY_OF(",\"sso-group\":\"others\""));
	query(&portal, query_envelope(w, &how));
	assert_non_null(strstr(response_of(&portal), "TrustLevel=\"UNTERGEORDNET\""));
	world_saml_party(w, POLICY_OF(",\"level-cap\":\"basic\",\"level-attributes\":\"yes\""));
	query(&portal, query_envelope(w, &how));
	assert_non_null(strstr(response_of(&portal), "TrustLevel=\"UNTERGEORDNET\""));
	assert_non_null(strstr(response_of(&portal), ">surname=STORK-QAA-Level-1<"));
	w->now += 3601; /* past the longest idle time */
	world_saml_party(w, POLICY_OF(",\"level\":\"low\""));
	ASSERT_ABOUT(w, name, NOBODY);
	world_saml_party(w, POLICY_OF(""));
	query(&portal, query_envelope(w, &how));
	assert_non_null(strstr(response_of(&portal), "TrustLevel=\"UNTERGEORDNET\""));
}

static void
nothing_else_is_told(void **state)
{
	struct world *w = *state;
	struct web b, portal;

	web_init(&b, w);
	web_init(&portal, w);
	const char *name = lasting(&b);

	query(&portal,
	      query_envelope(w, &(struct query_asking){.name = name, .asked = {FAMILY, GIVEN}}));
	assert_string_equal(status_of(&portal), "Success");
	assert_non_null(strstr(portal.body, ">Mustermann<"));
	assert_null(strstr(portal.body, ">Erika<"));
	query(&portal,
	      query_envelope(w, &(struct query_asking){.name = name, .asked = {GIVEN, "urn:x"}}));
	assert_string_equal(status_of(&portal), "KONTOR-16 attribute");
	/* The box was not ticked. */
	withdraw(&b);
	assert_string_equal(karl_agrees(&b, SAML_NAMEID_PERSISTENT, ""), name);
	query(&portal, query_envelope(w, &(struct query_asking){.name = name}));
	assert_string_equal(status_of(&portal), "Success");
	assert_non_null(strstr(portal.body, ">Mustermann<"));
	assert_null(strstr(portal.body, "erika@example.invalid"));
	query(&portal, query_envelope(w, &(struct query_asking){.name = name, .asked = {EMAIL}}));
	assert_string_equal(status_of(&portal), "KONTOR-16 attribute");
}

static void
whoever_has_not_agreed_is_nobody(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *name = lasting(&b);
	static const char *const policies[] = {
		POLICY_OF(",\"consent\":\"always\""),
		POLICY_OF(",\"purpose-de\":\"Wohngeld\""),
		"{\"attribute-query\":\"yes\",\"attribute\":[\"family_name\",\"email:required\"]}",
		POLICY_OF(",\"sector\":\"another\""),
	};

	ASSERT_ABOUT(w, "nobody", NOBODY);
	ASSERT_ABOUT(w, name, "Success");
	n_opened = 0;
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		world_saml_party(w, policies[i]);
		ASSERT_ABOUT(w, name, NOBODY);
		/* As for nobody, the signer is not asked where no consent can stand. */
		assert_int_equal(n_opened > 0, i > 0);
	}
	world_saml_party(w, POLICY_OF(""));
	/* Another source is another consent. */
	pg_sql(w->pg, "UPDATE attribute SET source = 'register' WHERE name = 'family_name'");
	ASSERT_ABOUT(w, name, NOBODY);
	pg_sql(w->pg, "UPDATE attribute SET source = 'self' WHERE name = 'family_name'");
	ASSERT_ABOUT(w, name, "Success");
	pg_sql(w->pg, "UPDATE subject SET state = 'disabled'");
	ASSERT_ABOUT(w, name, NOBODY);
	pg_sql(w->pg, "UPDATE subject SET state = 'active'");
	withdraw(&b);
	n_opened = 0;
	ASSERT_ABOUT(w, name, NOBODY);
	assert_int_equal(n_opened, 0);
	assert_string_equal(world_value(w, "SELECT details->>'why' FROM audit WHERE event = "
					   "'query_refused' ORDER BY seq DESC LIMIT 1"),
			    "no consent stands");
}

static void
a_name_is_of_the_party_it_was_given_to(void **state)
{
	struct world *w = *state;
	struct web b, portal;

	web_init(&b, w);
	web_init(&portal, w);
	const char *name = lasting(&b);

	/* In the same sector the name is the same; the consent is not. */
	w->saml_party = "https://amt24.example/another";
	world_saml_party(w, POLICY_OF(""));
	ASSERT_ABOUT(w, name, NOBODY);
	w->saml_party = NULL;
	ASSERT_ABOUT(w, name, "Success");
	static const struct query_asking others[] = {
		{.qualifier = "https://other.example/"},
		{.sp_qualifier = "https://other.example/"},
		{.format = SAML_NAMEID_EMAIL},
		{.format = SAML_NAMEID_TRANSIENT},
		{.format = "urn:x"},
	};

	log_out(&b);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct query_asking how = others[i];

		how.name = name;
		query(&portal, query_envelope(w, &how));
		assert_string_equal(status_of(&portal), NOBODY);
	}
}

static void
a_transient_name_is_one_for_as_long_as_its_login(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const char *name = karl_agrees(&b, SAML_NAMEID_TRANSIENT, "&attr_email=on");

	assert_string_equal(status_about(w, name, SAML_NAMEID_TRANSIENT), "Success");
	ASSERT_ABOUT(w, name, NOBODY);
	w->saml_party = "https://amt24.example/another";
	world_saml_party(w, POLICY_OF(""));
	assert_string_equal(status_about(w, name, SAML_NAMEID_TRANSIENT), NOBODY);
	w->saml_party = NULL;
	log_out(&b);
	assert_string_equal(status_about(w, name, SAML_NAMEID_TRANSIENT), NOBODY);
	name = karl_agrees(&b, SAML_NAMEID_TRANSIENT, "");
	assert_string_equal(status_about(w, name, SAML_NAMEID_TRANSIENT), "Success");
	w->now += 3601;
	assert_string_equal(status_about(w, name, SAML_NAMEID_TRANSIENT), NOBODY);
}

static void
a_pairwise_id_is_a_name_too(void **state)
{
	struct world *w = *state;
	struct web b;
	struct bytes octets;

	web_init(&b, w);
	const char *name = lasting(&b);

	assert_true(dec_base64url(w->a, bytes_of(name), &octets, NULL));
	const char *hex = enc_hex(w->a, octets);

	assert_string_equal(status_about(w, arena_printf(w->a, "%s@konto.example", hex), PAIRWISE),
			    "Success");
	assert_string_equal(status_about(w, arena_printf(w->a, "%s@KONTO.example", hex), PAIRWISE),
			    "Success");
	assert_string_equal(status_about(w, arena_printf(w->a, "%s@evil.example", hex), PAIRWISE),
			    NOBODY);
	assert_string_equal(status_about(w, hex, PAIRWISE), NOBODY);
	assert_string_equal(status_about(w, "x@konto.example", PAIRWISE), NOBODY);
	assert_string_equal(status_about(w, name, PAIRWISE), NOBODY);
}

static void
only_a_party_whose_record_says_so_is_told(void **state)
{
	struct world *w = *state;
	struct web b, portal;

	web_init(&b, w);
	web_init(&portal, w);
	const char *name = lasting(&b);

	world_saml_party(w, "{\"attribute\":[\"family_name:required\",\"email\"]}");
	ASSERT_ABOUT(w, name, "KONTOR-14 denied");
	ASSERT_ABOUT(w, "nobody", "KONTOR-14 denied");
	world_saml_party(w, POLICY_OF(""));
	query(&portal, query_envelope(w, &(struct query_asking){.name = name, .confirm = true}));
	assert_string_equal(status_of(&portal), "KONTOR-13 unsupported");
	query(&portal,
	      query_envelope(w, &(struct query_asking){
					.name = name, .asked = {FAMILY}, .value = "Mustermann"}));
	assert_string_equal(status_of(&portal), "KONTOR-16 attribute");
	/* Rather nothing than in clear. */
	world_saml_party(w, POLICY_OF(",\"encrypt\":\"always\""));
	query(&portal, query_envelope(w, &(struct query_asking){.name = name}));
	assert_string_equal(status_of(&portal), "KONTOR-14 denied");
}

static void
a_query_is_proven_and_counts_once(void **state)
{
	struct world *w = *state;
	struct web b, portal;

	web_init(&b, w);
	web_init(&portal, w);
	const char *name = lasting(&b);
	const char *good = query_envelope(w, &(struct query_asking){.name = name});
	char *changed = arena_strdup(w->a, good);
	char *value = strstr(changed, name);

	value[0] = value[0] == 'x' ? 'y' : 'x';
	query(&portal, changed);
	assert_fault(&portal, 403);
	const char *sig = strstr(good, "<ds:Signature"), *end = strstr(good, "</ds:Signature>");

	query(&portal, arena_printf(w->a, "%.*s%s", (int)(sig - good), good,
				    end + strlen("</ds:Signature>")));
	assert_fault(&portal, 403);
	w->now += 481;
	query(&portal, good);
	assert_fault(&portal, 403);
	w->now -= 481;
	query(&portal, query_envelope(w, &(struct query_asking){.name = name,
								.destination = BASE "/saml/sso"}));
	assert_fault(&portal, 403);
	query(&portal,
	      query_envelope(w, &(struct query_asking){.name = name, .asked = {FAMILY, FAMILY}}));
	assert_fault(&portal, 500);
	query(&portal, ecp_envelope(w, &(struct ecp_asking){0}));
	assert_fault(&portal, 500);
	w->saml_party = "https://nobody.example/";
	query(&portal, query_envelope(w, &(struct query_asking){.name = name}));
	w->saml_party = NULL;
	assert_fault(&portal, 500);
	/* While the key is out of reach it is not used up. */
	hsm_is_away = true;
	query(&portal, good);
	assert_fault(&portal, 503);
	hsm_is_away = false;
	query(&portal, good);
	assert_string_equal(status_of(&portal), "Success");
	const char *told = world_value(w, "SELECT count(*) FROM audit WHERE event = "
					  "'attributes_told'");

	query(&portal, good);
	assert_fault(&portal, 500);
	assert_string_equal(
		world_value(w, "SELECT count(*) FROM audit WHERE event = 'attributes_told'"), told);
}

/* Whatever was acknowledged before the answer leaves holds for it. */
static void
what_ends_while_it_is_signed_is_not_told(void **state)
{
	static const struct {
		const char *format, *ends, *begins;
	} rows[] = {
		{NULL,
		 "INSERT INTO consent (acting, party, given, at) SELECT acting, party, false, at"
		 " FROM consent WHERE party = '" SAML_PARTY "' ORDER BY id DESC LIMIT 1",
		 NULL},
		{NULL, "UPDATE subject SET state = 'disabled'",
		 "UPDATE subject SET state = 'active'"},
		{SAML_NAMEID_TRANSIENT, "DELETE FROM session", NULL},
	};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *format = rows[i].format;

		web_init(&b, w);
		const char *name = karl_agrees(&b, format == NULL ? SAML_NAMEID_PERSISTENT : format,
					       "&attr_email=on");
		const char *told = world_value(w, "SELECT count(*) FROM audit WHERE event = "
						  "'attributes_told'");

		while_signing(w->pg, rows[i].ends);
		assert_string_equal(status_about(w, name, format), NOBODY);
		assert_string_equal(world_value(w, "SELECT count(*) FROM audit WHERE event = "
						   "'attributes_told'"),
				    told);
		assert_string_equal(world_value(w, "SELECT details->>'why' FROM audit WHERE event "
						   "= 'query_refused' ORDER BY seq DESC LIMIT 1"),
				    "ended while it was answered");
		if (rows[i].begins != NULL)
			pg_sql(w->pg, rows[i].begins);
	}
	/* A session that proved a level may not end; one that nothing rests on may. */
	web_init(&b, w);
	const char *name = lasting(&b);

	while_signing(w->pg, "DELETE FROM session");
	ASSERT_ABOUT(w, name, NOBODY);
	ASSERT_ABOUT(w, name, "Success");
	web_init(&b, w);
	lasting(&b);
	pg_sql(w->pg, "UPDATE session_proof SET level = 1");
	while_signing(w->pg, "DELETE FROM session");
	ASSERT_ABOUT(w, name, "Success");
}

#define T(name) cmocka_unit_test_setup(name, fresh)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(what_was_agreed_to_is_told),
		T(levels_are_those_of_a_login_that_lasts),
		T(nothing_else_is_told),
		T(whoever_has_not_agreed_is_nobody),
		T(a_name_is_of_the_party_it_was_given_to),
		T(a_transient_name_is_one_for_as_long_as_its_login),
		T(a_pairwise_id_is_a_name_too),
		T(only_a_party_whose_record_says_so_is_told),
		T(a_query_is_proven_and_counts_once),
		T(what_ends_while_it_is_signed_is_not_told),
	};

	return cmocka_run_group_tests(tests, steps_setup, world_teardown);
}
