/*
 * An AuthnRequest as XML, taken unsigned from whomever it names: parsing and both
 * checks.  An answer never goes anywhere but to a registered address.
 */
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "saml/authn_request.h"
#include "saml/names.h"

static const struct saml_endpoint acs[] = {
	{SAML_BINDING_POST, "https://amt24.example/saml/acs", "", 0, true, true},
	{SAML_BINDING_POST, "https://amt24.example/saml/acs2", "", 1, false, false},
};
static const struct saml_endpoint by_paos = {
	SAML_BINDING_PAOS, "https://amt24.example/saml/ecp", "", 4, false, false};
static const struct saml_attribute_service services[] = {{.index = 1}, {.index = 2}};

static void
read_request(struct arena *a, const struct saml_message *m)
{
	const struct saml_policy lenient = {.accept_unsigned = true};
	const struct saml_party party = {
		.entity_id = saml_message_issuer(m),
		.acs = {acs, ARRAY_LEN(acs)},
		.acs_client = {&by_paos, 1},
		.services = services,
		.n_services = ARRAY_LEN(services),
	};
	const struct saml_authn_request *r;
	const struct saml_endpoint *to;
	const struct saml_verified *v;
	struct saml_wish wish;

	if (!saml_message_accept_unsigned(a, m, &party, &lenient, &v, NULL) ||
	    !saml_authn_request_parse(a, v, &r, NULL))
		return;
	if (r->akdb != NULL || r->header.is_signed || r->n_class_refs > SAML_CLASS_REFS_MAX)
		abort();
	if (saml_authn_request_check(r, "https://konto.example/saml/sso", &saml_window_default,
				     r->header.issued_at, &to, NULL) &&
	    to != &acs[0] && to != &acs[1])
		abort();
	if (saml_authn_request_check_client(r, "https://konto.example/saml/sso/soap",
					    &saml_window_default, r->header.issued_at, &to, NULL) &&
	    to != &by_paos)
		abort();
	if (saml_authn_request_check_wish(r, "https://konto.example", 7, &wish, NULL) &&
	    strcmp(wish.nameid_format, SAML_NAMEID_TRANSIENT) != 0 &&
	    strcmp(wish.nameid_format, SAML_NAMEID_PERSISTENT) != 0)
		abort();
}

/* The extension is read of signed requests only, so it is read here by itself. */
static void
read_extension(struct arena *a, struct bytes xml)
{
	const struct saml_akdb_request *r;
	const struct xml_node *extensions;
	struct xml_doc *doc;

	if (xml_parse(a, xml, &xml_limits_request, &doc, NULL) &&
	    xml_child_opt(xml_root(doc), SAML_NS_PROTOCOL, "Extensions", &extensions, NULL) &&
	    extensions != NULL)
		(void)!saml_akdb_parse(a, extensions, &r, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(64 << 20);
	const struct saml_message *m;
	const char *form;
	struct buf b;

	if (a == NULL || size > 256 << 10) {
		arena_destroy(a);
		return 0;
	}
	buf_init(&b, a, 4 << 20);
	buf_str(&b, "SAMLRequest=");
	enc_percent(&b, bytes_of(enc_base64(a, (struct bytes){data, size})));
	if (buf_finish_str(&b, &form, NULL) &&
	    saml_message_decode(a, SAML_BINDING_POST, bytes_of(form), &m, NULL))
		read_request(a, m);
	read_extension(a, (struct bytes){data, size});
	arena_destroy(a);
	return 0;
}
