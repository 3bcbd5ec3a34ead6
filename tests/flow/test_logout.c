/* Single logout: who may end which session, who is told of it and how, and what is said of it. */
#include <stdatomic.h>

#include "base/text.h"
#include "idp/route.h"
#include "saml/logout.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "tests/flow/steps.h"

/* ---- what a portal knows ---- */

struct login {
	const char *name, *index; /* NameID and SessionIndex that the portal was told */
};

static struct login
login_of(struct web *b)
{
	const char *response = saml_response_of(b);
	struct arena *a = b->w->a;

	assert_non_null(response);
	const char *element = between(a, response, "<saml:NameID", "</saml:NameID>");

	return (struct login){strchr(element, '>') + 1,
			      between(a, response, "SessionIndex=\"", "\"")};
}

/* Log "karl" in at the SAML portal of now. */
static struct login
karl_at_the_portal(struct web *b)
{
	ask(b, "", "");
	if (page_of(b) == LOGIN)
		log_in(b, "karl");
	if (page_of(b) == CONSENT)
		web_submit(b, "/flow/consent/", "do=agree");
	return login_of(b);
}

static const char *
fresh_id(struct world *w)
{
	static int n;

	return arena_printf(w->a, "_logout%d", n++);
}

static bool
is_logged_in(struct web *b)
{
	web_get(b, "/account");
	return page_of(b) != LOGIN;
}

/* ---- SOAP ---- */

static void
send_soap(struct web *b, const char *envelope)
{
	web_program(b, "/saml/slo/soap", SOAP_CONTENT_TYPE, envelope);
}

/* The status and second-level status of the signed answer ("Success", "Success PartialLogout"). */
static const char *
soap_status(struct web *b)
{
	struct world *w = b->w;
	const struct key *k = keyring_active(w->signer->keys, KEY_SAML_SIGN, KEY_P256);
	struct saml_party us = {.entity_id = BASE "/saml/metadata", .signing = {&k->pub, 1}};
	const struct saml_verified *v;
	const struct saml_logout_response *r;
	const struct saml_message *m;
	struct err err = {0};

	assert_int_equal(b->status, 200);
	ASSERT_OK(saml_message_decode(w->a, SAML_BINDING_SOAP, bytes_of(b->body), &m, &err), &err);
	ASSERT_OK(saml_message_verify(w->a, m, &us, &v, &err), &err);
	ASSERT_OK(saml_logout_response_parse(w->a, v, &r, &err), &err);
	assert_null(r->header.destination);
	return r->success ? "Success"
			  : arena_strdup(w->a, strstr(b->body, "PartialLogout") != NULL
						       ? "Success PartialLogout"
						       : "another");
}

static void
a_portal_ends_its_session_by_soap(void **state)
{
	struct world *w = *state;
	struct web b, program;

	web_init(&b, w);
	web_init(&program, w);
	struct login at = karl_at_the_portal(&b);

	assert_true(is_logged_in(&b));
	send_soap(&program, saml_logout_envelope(w, fresh_id(w), at.name, "_another"));
	assert_string_equal(soap_status(&program), "Success");
	assert_true(is_logged_in(&b));
	send_soap(&program, saml_logout_envelope(w, fresh_id(w), at.name, at.index));
	assert_string_equal(soap_status(&program), "Success");
	assert_null(strstr(program.body, "__Host-"));
	assert_false(is_logged_in(&b));
}

static void
a_soap_request_that_is_not_the_issuers_ends_nothing(void **state)
{
	struct world *w = *state;
	struct web b, program;

	web_init(&b, w);
	web_init(&program, w);
	struct login at = karl_at_the_portal(&b);
	const char *envelope = saml_logout_envelope(w, fresh_id(w), at.name, at.index);

	/* Changed under its signature; its signature cut out; another's name over it. */
	const char *changed = arena_printf(w->a, "%s", envelope);
	char *value = strstr(changed, at.index);

	value[strlen(at.index) - 1] ^= 1;
	send_soap(&program, changed);
	assert_int_equal(program.status, 403);
	const char *sig = strstr(envelope, "<ds:Signature"), *end = strstr(envelope, "</ds:Sign"
										     "ature>");

	assert_non_null(sig);
	send_soap(&program, arena_printf(w->a, "%.*s%s", (int)(sig - envelope), envelope,
					 end + strlen("</ds:Signature>")));
	assert_int_equal(program.status, 403);
	assert_non_null(strstr(program.body, "<faultcode>S:Client</faultcode>"));
	w->saml_party = "https://nobody.example/";
	send_soap(&program, saml_logout_envelope(w, fresh_id(w), at.name, at.index));
	assert_int_equal(program.status, 500);
	/* A party of its own name may end its own sessions only. */
	w->saml_party = "https://other.example/metadata";
	world_saml_party(w, "{}");
	send_soap(&program, saml_logout_envelope(w, fresh_id(w), at.name, at.index));
	w->saml_party = NULL;
	assert_string_equal(soap_status(&program), "Success");
	assert_true(is_logged_in(&b));
	send_soap(&program, envelope);
	assert_false(is_logged_in(&b));
}

static void
what_is_no_soap_request_gets_a_fault(void **state)
{
	struct world *w = *state;
	struct web b;
	struct soap_envelope e;
	struct err err = {0};

	web_init(&b, w);
	static const char *const bad[] = {"", "<x/>", "SAMLRequest=x",
					  "<S:Envelope xmlns:S=\"" SOAP_NS
					  "\"><S:Body><x/></S:Body></S:Envelope>"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		send_soap(&b, bad[i]);
		assert_int_equal(b.status, 500);
		ASSERT_OK(soap_read(w->a, bytes_of(b.body), NULL, &e, &err), &err);
		assert_string_equal(e.fault->code, SOAP_CLIENT);
		assert_non_null(strstr(e.fault->text, "Reference: "));
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_portal_ends_its_session_by_soap),
		T(a_soap_request_that_is_not_the_issuers_ends_nothing),
		T(what_is_no_soap_request_gets_a_fault),
	};

	return cmocka_run_group_tests(tests, steps_setup, world_teardown);
}
