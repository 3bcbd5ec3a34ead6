/* Shared by the tests of single logout; see leave.h. */
#include "tests/flow/leave.h"

#include "saml/logout.h"
#include "saml/soap.h"

struct login
login_of(struct web *b)
{
	const char *response = saml_response_of(b);
	struct arena *a = b->w->a;

	assert_non_null(response);
	const char *element = between(a, response, "<saml:NameID", "</saml:NameID>");

	return (struct login){strchr(element, '>') + 1,
			      between(a, response, "SessionIndex=\"", "\"")};
}

struct login
karl_at_the_portal(struct web *b)
{
	ask(b, "", "");
	if (page_of(b) == LOGIN)
		log_in(b, "karl");
	if (page_of(b) == CONSENT)
		web_submit(b, "/flow/consent/", "do=agree");
	return login_of(b);
}

const char *
logout_id(struct world *w)
{
	static int n;

	return arena_printf(w->a, "_logout%d", n++);
}

bool
is_logged_in(struct web *b)
{
	web_get(b, "/account");
	return page_of(b) != LOGIN;
}

void
send_soap(struct web *b, const char *envelope)
{
	web_program(b, "/saml/slo/soap", SOAP_CONTENT_TYPE, envelope);
}

const char *
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
