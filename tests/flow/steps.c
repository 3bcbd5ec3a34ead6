/* What the tests of single steps share; see steps.h. */
#include "tests/flow/steps.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "saml/names.h"
#include "saml/xmlw.h"

const char *const everybody[] = {"given_names", "Erika", "family_name",
				 "Mustermann",  "email", "erika@example.invalid",
				 NULL};

struct subject_id erika_id;

int
steps_setup(void **state)
{
	if (world_setup(state) != 0)
		return 1;
	struct world *w = *state;

	erika_id = world_person(w, "erika", PASSWORD, everybody, LEVEL_SUBSTANTIAL);
	world_totp(w, erika_id);
	world_person(w, "karl", PASSWORD, everybody, LEVEL_BASIC);
	world_saml_party(w, POLICY);
	return world_fresh(state);
}

int
steps_fresh(void **state)
{
	struct world *w = *state;

	w->now += 1800;
	return world_fresh(state);
}

void
ask(struct web *b, const char *extra, const char *inner)
{
	static int counter;

	web_get(b,
		saml_request_url(b->w, arena_printf(b->w->a, "_step%d", counter++), extra, inner));
}

void
log_in(struct web *b, const char *login_name)
{
	web_submit(
		b, "/flow/password/",
		arena_printf(b->w->a, "login_name=%s&password=" PASSWORD "&do=login", login_name));
}

void
enter_code(struct web *b)
{
	b->w->now += 60; /* a step counts once */
	web_submit(b, "/flow/totp/", arena_printf(b->w->a, "code=%s&do=login", world_code(b->w)));
}

void
log_out(struct web *b)
{
	web_get(b, "/logout");
	web_submit(b, "/logout", "do=logout");
}

void
log_in_aside(struct web *b, const char *login_name)
{
	web_get(b, "/login");
	log_in(b, login_name);
}

enum page
page_of(struct web *b)
{
	if (web_field(b, "SAMLResponse") != NULL || location_param(b, "code") != NULL)
		return ANSWER;
	if (web_field(b, "password") != NULL)
		return LOGIN;
	if (web_shows(b, "<svg"))
		return ENROLL;
	if (web_field(b, "code") != NULL)
		return CODE;
	if (web_field(b, "offer") != NULL)
		return CONSENT;
	return web_shows(b, "fehlt eine Angabe") ? MISSING : OTHER;
}

bool
succeeded(struct web *b)
{
	const char *response = saml_response_of(b);

	return response != NULL && strstr(response, "status:Success") != NULL;
}

void
forge(struct web *b, const char *page, const char *route, const char *flow, const char *fields)
{
	struct web old = *b;

	old.body = page;
	const char *offer = web_field(&old, "offer");

	web_post(b, route, flow,
		 arena_printf(b->w->a, "offer=%s&%s", offer == NULL ? "" : offer, fields));
}

const char *
flow_of(const struct web *b)
{
	assert_true(text_starts(b->path, "/flow/"));
	return b->path + strlen("/flow/");
}

/* ---- a client without a browser ---- */

void
ecp_portal(struct world *w, const char *policy)
{
	w->saml_acs = "<md:AssertionConsumerService index=\"4\" Binding=\"" SAML_BINDING_URI_PAOS
		      "\" Location=\"" ECP_ACS "\"/>";
	world_saml_party(w, policy);
	w->saml_acs = NULL;
}

const char *
ecp_id(struct world *w)
{
	static int n;

	return arena_printf(w->a, "_ecp%d", n++);
}

static void
write_inner(struct xmlw *w, const struct ecp_asking *how)
{
	if (how->person != NULL) {
		xmlw_open(w, &xmlns_saml, "Subject");
		xmlw_element(w, &xmlns_saml, "NameID", how->person);
		xmlw_close(w);
	}
	if (how->format != NULL) {
		xmlw_open(w, &xmlns_samlp, "NameIDPolicy");
		xmlw_attr(w, NULL, "Format", how->format);
		xmlw_attr(w, NULL, "AllowCreate", how->create);
		xmlw_close(w);
	}
	if (how->level != NULL) {
		xmlw_open(w, &xmlns_samlp, "RequestedAuthnContext");
		xmlw_attr(w, NULL, "Comparison", "minimum");
		xmlw_element(w, &xmlns_saml, "AuthnContextClassRef", how->level);
		xmlw_close(w);
	}
}

const char *
ecp_envelope(struct world *w, const struct ecp_asking *how)
{
	const char *issuer = w->saml_party == NULL ? SAML_PARTY : w->saml_party;
	struct saml_signer signer = {
		&w->keys->ops, w->keys->p256.kid, saml_suite_by_alg(SIG_ES256), {0}};
	struct saml_to_sign message = {.id = how->id == NULL ? ecp_id(w) : how->id};
	struct saml_outgoing send = {.message = &message, .signer = &signer};
	struct saml_carrier carrier;
	struct err err = {0};
	struct xmlw x;

	xmlw_init(&x, w->a, 65536);
	xmlw_open(&x, &xmlns_samlp, "AuthnRequest");
	xmlw_attr(&x, NULL, "AssertionConsumerServiceURL",
		  how->no_acs ? NULL
		  : how->acs  ? how->acs
			      : ECP_ACS);
	xmlw_attr(&x, NULL, "Destination", how->destination);
	xmlw_attr(&x, NULL, "ForceAuthn", how->force);
	xmlw_attr(&x, NULL, "ID", message.id);
	xmlw_attr(&x, NULL, "IsPassive", how->passive);
	xmlw_attr(&x, NULL, "IssueInstant", clock_text(w->a, w->now));
	xmlw_attr(&x, NULL, "ProtocolBinding",
		  how->no_acs    ? NULL
		  : how->binding ? how->binding
				 : SAML_BINDING_URI_PAOS);
	xmlw_attr(&x, NULL, "Version", "2.0");
	xmlw_element(&x, &xmlns_saml, "Issuer", issuer);
	message.place = xmlw_place(&x);
	write_inner(&x, how);
	xmlw_close(&x);
	ASSERT_OK(xmlw_finish(&x, &message.element, &err), &err);
	ASSERT_OK(saml_binding_encode(w->a, SAML_BINDING_SOAP, &send, &carrier, &err), &err);
	return (const char *)arena_bytes(w->a, carrier.envelope).p;
}

const char *
ecp_basic(struct world *w, const char *name, const char *password)
{
	return arena_printf(
		w->a, "Basic %s",
		enc_base64(w->a, bytes_of(arena_printf(w->a, "%s:%s", name, password))));
}

/* ---- an attribute query ---- */

static const char *
query_id(struct world *w)
{
	static int n;

	return arena_printf(w->a, "_query%d", n++);
}

static void
write_query(struct xmlw *x, const struct query_asking *how)
{
	xmlw_open(x, &xmlns_saml, "Subject");
	xmlw_open(x, &xmlns_saml, "NameID");
	xmlw_attr(x, NULL, "Format", how->format);
	xmlw_attr(x, NULL, "NameQualifier", how->qualifier);
	xmlw_attr(x, NULL, "SPNameQualifier", how->sp_qualifier);
	xmlw_text(x, how->name);
	xmlw_close(x);
	if (how->confirm) {
		xmlw_open(x, &xmlns_saml, "SubjectConfirmation");
		xmlw_attr(x, NULL, "Method", SAML_CM_BEARER);
		xmlw_close(x);
	}
	xmlw_close(x);
	for (size_t i = 0; i < ARRAY_LEN(how->asked) && how->asked[i] != NULL; i++) {
		xmlw_open(x, &xmlns_saml, "Attribute");
		xmlw_attr(x, NULL, "Name", how->asked[i]);
		if (i == 0 && how->value != NULL)
			xmlw_element(x, &xmlns_saml, "AttributeValue", how->value);
		xmlw_close(x);
	}
}

const char *
query_envelope(struct world *w, const struct query_asking *how)
{
	struct saml_signer signer = {
		&w->keys->ops, w->keys->p256.kid, saml_suite_by_alg(SIG_ES256), {0}};
	struct saml_to_sign message = {.id = how->id == NULL ? query_id(w) : how->id};
	struct saml_outgoing send = {.message = &message, .signer = &signer};
	struct saml_carrier carrier;
	struct err err = {0};
	struct xmlw x;

	xmlw_init(&x, w->a, 65536);
	xmlw_open(&x, &xmlns_samlp, "AttributeQuery");
	xmlw_attr(&x, NULL, "Destination", how->destination);
	xmlw_attr(&x, NULL, "ID", message.id);
	xmlw_attr(&x, NULL, "IssueInstant", clock_text(w->a, w->now));
	xmlw_attr(&x, NULL, "Version", "2.0");
	xmlw_element(&x, &xmlns_saml, "Issuer", w->saml_party == NULL ? SAML_PARTY : w->saml_party);
	message.place = xmlw_place(&x);
	write_query(&x, how);
	xmlw_close(&x);
	ASSERT_OK(xmlw_finish(&x, &message.element, &err), &err);
	ASSERT_OK(saml_binding_encode(w->a, SAML_BINDING_SOAP, &send, &carrier, &err), &err);
	return (const char *)arena_bytes(w->a, carrier.envelope).p;
}
