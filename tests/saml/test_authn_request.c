/* saml/authn_request.c: what is asked, whether it may be answered, and where. */
#include "saml/authn_request.h"

#include "saml/names.h"
#include "saml/status.h"
#include "tests/saml/with_party.h"

static bool
parse(const char *xml, const struct saml_authn_request **r, struct err *err)
{
	const struct saml_verified *v;

	return portal_send(a, party, "SAMLRequest", xml, &v, err) &&
	       saml_authn_request_parse(a, v, r, err);
}

static char *
changed(const char *from, const char *to)
{
	return replace(a, portal_authn_request, from, to);
}

/* Parse what must parse. */
static const struct saml_authn_request *
request(const char *xml)
{
	const struct saml_authn_request *r = NULL;
	struct err err = {0};

	ASSERT_OK(parse(xml, &r, &err), &err);
	return r;
}

static bool
check_at(const struct saml_authn_request *r, time_t now, const struct saml_endpoint **acs,
	 struct err *err)
{
	return saml_authn_request_check(r, PORTAL_SSO, &saml_window_default, now, acs, err);
}

static bool
check(const char *xml, const struct saml_endpoint **acs, struct err *err)
{
	return check_at(request(xml), portal_now(), acs, err);
}

static bool
check_wish_of(const char *xml, unsigned formats, struct saml_wish *wish, struct err *err)
{
	return saml_authn_request_check_wish(request(xml), PORTAL_OURS, formats, wish, err);
}

static bool
check_wish(const char *xml, struct saml_wish *wish, struct err *err)
{
	return saml_authn_request_check_wish(request(xml), PORTAL_OURS, PORTAL_NAMEIDS, wish, err);
}

/* ---- parsing ---- */

static void
test_a_request_is_read_field_by_field(void **state)
{
	const struct saml_authn_request *r = request(portal_authn_request);

	(void)state;
	assert_string_equal(r->header.id, "_request1");
	assert_ptr_equal(r->party, party);
	assert_string_equal(r->acs_url, PORTAL_ACS);
	assert_int_equal(r->acs_index, -1);
	assert_int_equal(r->service_index, -1);
	assert_string_equal(r->protocol_binding, SAML_BINDING_URI_POST);
	assert_false(r->force_authn || r->is_passive);
	assert_null(r->subject);
	assert_true(r->has_nameid_policy && r->allow_create);
	assert_string_equal(r->nameid_format, SAML_NAMEID_TRANSIENT);
	assert_null(r->sp_name_qualifier);
	assert_int_equal(r->comparison, SAML_MINIMUM);
	assert_int_equal(r->n_class_refs, 1);
	assert_string_equal(r->class_refs[0], "STORK-QAA-Level-3");
	assert_null(r->akdb);
}

static void
test_what_is_left_out_has_its_default(void **state)
{
	const char *xml = changed(cut(a, portal_authn_request, "<samlp:NameIDPolicy", "/>"), "");
	const struct saml_authn_request *r = request(replace(
		a, xml,
		cut(a, xml, "<samlp:RequestedAuthnContext", "</samlp:RequestedAuthnContext>"), ""));

	(void)state;
	assert_null(r->nameid_format);
	assert_false(r->has_nameid_policy || r->allow_create);
	assert_int_equal(r->n_class_refs, 0);
	assert_int_equal(r->comparison, SAML_EXACT);
}

static void
test_each_comparison_is_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum saml_comparison want;
	} rows[] = {{" Comparison=\"exact\"", SAML_EXACT},
		    {" Comparison=\"minimum\"", SAML_MINIMUM},
		    {" Comparison=\"maximum\"", SAML_MAXIMUM},
		    {" Comparison=\"better\"", SAML_BETTER},
		    {"", SAML_EXACT}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(
			request(changed(" Comparison=\"minimum\"", rows[i].text))->comparison,
			rows[i].want);
}

static void
test_class_refs_are_opaque_trimmed_and_counted(void **state)
{
	const char *one =
		"<saml:AuthnContextClassRef>STORK-QAA-Level-3</saml:AuthnContextClassRef>";
	const char *other = "<saml:AuthnContextClassRef>\n urn:x </saml:AuthnContextClassRef>";
	char *many = arena_strdup(a, "");
	const struct saml_authn_request *r;
	struct err err = {0};

	(void)state;
	for (int i = 0; i < SAML_CLASS_REFS_MAX; i++)
		many = arena_printf(a, "%s%s", many, other);
	r = request(changed(one, many));
	assert_int_equal(r->n_class_refs, SAML_CLASS_REFS_MAX);
	assert_string_equal(r->class_refs[SAML_CLASS_REFS_MAX - 1], "urn:x");
	many = arena_printf(a, "%s%s", many, other);
	const struct saml_endpoint *acs;

	/* The party can be told, where it is at home. */
	ASSERT_REFUSED(check(changed(one, many), &acs, &err), &err, ERR_DENIED,
		       "more than 16 AuthnContextClassRefs");
	assert_string_equal(acs->url, PORTAL_ACS);
	r = request(changed("STORK-QAA-Level-3", "sehr hohes Maß an Güte"));
	assert_string_equal(r->class_refs[0], "sehr hohes Maß an Güte");
}

static void
test_declarations_are_not_classes(void **state)
{
	static const char one[] =
		"<saml:AuthnContextClassRef>STORK-QAA-Level-3</saml:AuthnContextClassRef>";
	static const char other[] =
		"<saml:AuthnContextDeclRef>STORK-QAA-Level-3</saml:AuthnContextDeclRef>";
	const struct saml_endpoint *acs;
	struct saml_wish wish;
	struct err err = {0};

	(void)state;
	ASSERT_OK(check(changed(one, other), &acs, &err), &err);
	assert_false(check_wish(changed(one, other), &wish, &err));
	assert_string_equal(err.proto, SAML_NO_AUTHN_CONTEXT);
	err = (struct err){0};
	ASSERT_REFUSED(check(changed(one, arena_printf(a, "%s%s", one, other)), &acs, &err), &err,
		       ERR_DENIED, "at once");
}

static void
test_an_acs_index_stands_alone(void **state)
{
	const char *url = " AssertionConsumerServiceURL=\"" PORTAL_ACS "\"";
	const char *binding = " ProtocolBinding=\"" SAML_BINDING_URI_POST "\"";
	const char *index = " AssertionConsumerServiceIndex=\"1\"";
	const struct saml_authn_request *r;
	struct err err = {0};

	(void)state;
	r = request(replace(a, changed(url, index), binding, ""));
	assert_int_equal(r->acs_index, 1);
	ASSERT_REFUSED(parse(changed(binding, index), &r, &err), &err, ERR_INPUT,
		       "AssertionConsumerServiceIndex is not alone");
	ASSERT_REFUSED(parse(changed(url, index), &r, &err), &err, ERR_INPUT,
		       "AssertionConsumerServiceIndex is not alone");
}

static void
test_the_extension_of_an_unsigned_request_is_not_read(void **state)
{
	const char *xml =
		changed(FIXTURE_PLACE, FIXTURE_PLACE
			"<samlp:Extensions><akdb:AuthenticationRequest xmlns:akdb=\"" SAML_NS_AKDB
			"\" Version=\"2\"></akdb:AuthenticationRequest></samlp:Extensions>");
	const struct saml_policy lenient = {.accept_unsigned = true};
	struct saml_party unsigning = *party;
	const struct saml_authn_request *r;
	const struct saml_verified *v;
	const struct saml_message *m;
	struct err err = {0};

	(void)state;
	assert_int_equal(request(xml)->akdb->version, 2);
	unsigning.authn_requests_signed = false;
	ASSERT_OK(saml_message_decode(a, SAML_BINDING_REDIRECT,
				      bytes_of(portal_query_unsigned(a, "SAMLRequest", xml, NULL)),
				      &m, &err),
		  &err);
	ASSERT_OK(saml_message_accept_unsigned(a, m, &unsigning, &lenient, &v, &err), &err);
	ASSERT_OK(saml_authn_request_parse(a, v, &r, &err), &err);
	assert_false(r->header.is_signed);
	assert_null(r->akdb);
	const struct saml_endpoint *acs;

	ASSERT_REFUSED(check(replace(a, xml, " Version=\"2\">", ">"), &acs, &err), &err, ERR_DENIED,
		       "no attribute Version");
	assert_string_equal(acs->url, PORTAL_ACS);
	ASSERT_REFUSED(check(replace(a, xml, " Version=\"2\">", " Version=\"3\">"), &acs, &err),
		       &err, ERR_DENIED, "of another version");
}

static void
test_foreign_extensions_are_passed_over(void **state)
{
	(void)state;
	assert_null(request(changed(FIXTURE_PLACE,
				    "<samlp:Extensions><eidas:SPType"
				    " xmlns:eidas=\"http://eidas.europa.eu/saml-extensions\">public"
				    "</eidas:SPType><x:y xmlns:x=\"urn:x\"><z>1</z></x:y>"
				    "</samlp:Extensions>"))
			    ->akdb);
}

/* ---- may it be answered, and where ---- */

static void
test_the_answer_goes_to_a_registered_address(void **state)
{
	const char *url = " AssertionConsumerServiceURL=\"" PORTAL_ACS "\"";
	const char *plain =
		replace(a, changed(url, ""), " ProtocolBinding=\"" SAML_BINDING_URI_POST "\"", "");
	const struct saml_endpoint *acs;
	struct err err = {0};

	(void)state;
	ASSERT_OK(check(portal_authn_request, &acs, &err), &err);
	assert_string_equal(acs->url, PORTAL_ACS);
	ASSERT_OK(check(changed(PORTAL_ACS, PORTAL_ACS "2"), &acs, &err), &err);
	assert_int_equal(acs->index, 1);
	ASSERT_OK(check(replace(a, plain, " Destination",
				" AssertionConsumerServiceIndex=\"1\" Destination"),
			&acs, &err),
		  &err);
	assert_string_equal(acs->url, PORTAL_ACS "2");
	ASSERT_OK(check(plain, &acs, &err), &err);
	assert_string_equal(acs->url, PORTAL_ACS);
}

static void
test_an_unregistered_address_is_refused(void **state)
{
	static const char *const urls[] = {
		"https://evil.example/saml/acs",
		(PORTAL_ACS "/"),
		(PORTAL_ACS "?x=1"),
		(PORTAL_ACS "#f"),
		"https://amt24.example/saml/ac",
		"https://amt24.example/saml",
		"https://amt24.example/saml/ACS",
		"https://AMT24.example/saml/acs",
		"HTTPS://amt24.example/saml/acs",
		"http://amt24.example/saml/acs",
		"https://amt24.example:443/saml/acs",
		"https://amt24.example@evil.example/saml/acs",
		"https://amt24.example.evil.example/saml/acs",
		"https://user@amt24.example/saml/acs",
		"https://amt24.example/saml/x/../acs",
		"https://amt24.example/saml/%61cs",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		const char *xml = changed("\"" PORTAL_ACS "\"", arena_printf(a, "\"%s\"", urls[i]));
		const struct saml_endpoint *acs = NULL;
		struct err err = {0};

		if (check(xml, &acs, &err))
			fail_msg("%s was taken", urls[i]);
		assert_int_equal(err.kind, ERR_DENIED);
		assert_string_equal(err.proto, SAML_REQUESTER);
		assert_null(acs);
	}
	const struct saml_endpoint *acs;
	struct err err = {0};

	/* Registered, but not for POST: of that it may hear there. */
	assert_false(
		check(changed("\"" PORTAL_ACS "\"", "\"" PORTAL_ACS_ARTIFACT "\""), &acs, &err));
	assert_string_equal(err.proto, SAML_UNSUPPORTED_BINDING);
	assert_string_equal(acs->url, PORTAL_ACS_ARTIFACT);
}

static void
test_an_index_that_is_not_registered_is_refused(void **state)
{
	const char *plain =
		replace(a, changed(" AssertionConsumerServiceURL=\"" PORTAL_ACS "\"", ""),
			" ProtocolBinding=\"" SAML_BINDING_URI_POST "\"", "");
	static const char *const indexes[] = {"3", "7", "65535"};
	const struct saml_endpoint *acs;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(indexes); i++)
		ASSERT_REFUSED(check(replace(a, plain, " Destination",
					     arena_printf(a,
							  " AssertionConsumerServiceIndex=\"%s\""
							  " Destination",
							  indexes[i])),
				     &acs, &err),
			       &err, ERR_DENIED, "no registered AssertionConsumerService");
}

static void
test_another_protocol_binding_is_refused(void **state)
{
	static const char *const uris[] = {SAML_BINDING_URI_REDIRECT, SAML_BINDING_URI_SOAP,
					   "urn:x", ""};
	const struct saml_endpoint *acs;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
		struct err err = {0};

		assert_false(check(changed(SAML_BINDING_URI_POST, uris[i]), &acs, &err));
		assert_int_equal(err.kind, ERR_DENIED);
		assert_string_equal(err.proto, SAML_UNSUPPORTED_BINDING);
		assert_string_equal(acs->url, PORTAL_ACS);
	}
}

/* Where the answer to a request with these attributes goes: its binding; NONE: nowhere. */
static enum saml_binding
answered_by(const char *attributes)
{
	static const char url[] = " AssertionConsumerServiceURL=\"" PORTAL_ACS "\"";
	const char *bare = replace(a, changed(" ProtocolBinding=\"" SAML_BINDING_URI_POST "\"", ""),
				   url, attributes);
	const struct saml_endpoint *acs;
	struct err err = {0};

	if (check(bare, &acs, &err))
		return acs->binding;
	assert_string_equal(err.proto, acs == NULL ? SAML_REQUESTER : SAML_UNSUPPORTED_BINDING);
	return SAML_BINDING_NONE;
}

static void
test_an_artifact_is_answered_with_where_the_metadata_has_it(void **state)
{
#define BY(uri) " ProtocolBinding=\"" uri "\""
#define TO(url) " AssertionConsumerServiceURL=\"" url "\""
	(void)state;
	assert_int_equal(answered_by(""), SAML_BINDING_POST);
	assert_int_equal(answered_by(BY(SAML_BINDING_URI_ARTIFACT)), SAML_BINDING_ARTIFACT);
	assert_int_equal(answered_by(BY(SAML_BINDING_URI_POST)), SAML_BINDING_POST);
	assert_int_equal(answered_by(TO(PORTAL_ACS_ARTIFACT)), SAML_BINDING_ARTIFACT);
	assert_int_equal(answered_by(TO(PORTAL_ACS_ARTIFACT) BY(SAML_BINDING_URI_ARTIFACT)),
			 SAML_BINDING_ARTIFACT);
	assert_int_equal(answered_by(TO(PORTAL_ACS_ARTIFACT) BY(SAML_BINDING_URI_POST)),
			 SAML_BINDING_NONE);
	assert_int_equal(answered_by(TO(PORTAL_ACS) BY(SAML_BINDING_URI_ARTIFACT)),
			 SAML_BINDING_NONE);
	assert_int_equal(answered_by(" AssertionConsumerServiceIndex=\"2\""),
			 SAML_BINDING_ARTIFACT);
}

static void
test_destination_and_time_are_checked(void **state)
{
	const struct saml_authn_request *r = request(portal_authn_request);
	time_t issued = r->header.issued_at;
	const struct saml_endpoint *acs;
	struct err err = {0};

	(void)state;
	ASSERT_REFUSED(check(changed(PORTAL_SSO, PORTAL_SLO), &acs, &err), &err, ERR_DENIED,
		       "Destination is not this endpoint");
	ASSERT_REFUSED(check(changed(" Destination=\"" PORTAL_SSO "\"", ""), &acs, &err), &err,
		       ERR_DENIED, "signed without Destination");
	ASSERT_OK(check_at(r, issued - 180, &acs, &err), &err);
	ASSERT_REFUSED(check_at(r, issued - 181, &acs, &err), &err, ERR_DENIED, "-181 s off");
	ASSERT_OK(check_at(r, issued + 480, &acs, &err), &err);
	ASSERT_REFUSED(check_at(r, issued + 481, &acs, &err), &err, ERR_DENIED, "481 s off");
}

#define PAOS_ACS "https://amt24.example/saml/ecp"

static bool
check_client(const char *xml, const struct saml_endpoint **acs, struct err *err)
{
	struct saml_endpoint e = {.binding = SAML_BINDING_PAOS, .url = PAOS_ACS, .index = 4};
	struct saml_party *able = ARENA_NEW(a, struct saml_party);
	const struct saml_authn_request *r = request(xml);
	struct saml_authn_request of_able = *r;
	struct saml_endpoint *list = ARENA_NEW(a, struct saml_endpoint);

	*able = *party;
	*list = e;
	able->acs_client = (struct saml_endpoints){list, 1};
	of_able.party = able;
	*acs = NULL;
	return saml_authn_request_check_client(&of_able, PORTAL_SSO, &saml_window_default,
					       portal_now(), acs, err);
}

static void
test_a_client_without_a_browser_is_answered_by_paos_alone(void **state)
{
	const char *paos = replace(a, changed(SAML_BINDING_URI_POST, SAML_BINDING_URI_PAOS),
				   "\"" PORTAL_ACS "\"", "\"" PAOS_ACS "\"");
	const char *plain =
		replace(a, replace(a, paos, " AssertionConsumerServiceURL=\"" PAOS_ACS "\"", ""),
			" ProtocolBinding=\"" SAML_BINDING_URI_PAOS "\"", "");
	const struct saml_endpoint *acs;
	struct err err = {0};

	(void)state;
	ASSERT_OK(check_client(paos, &acs, &err), &err);
	assert_string_equal(acs->url, PAOS_ACS);
	assert_int_equal(acs->binding, SAML_BINDING_PAOS);
	ASSERT_OK(check_client(plain, &acs, &err), &err);
	assert_string_equal(acs->url, PAOS_ACS);
	/* Its sender need not know who the provider is; who names one means it. */
	ASSERT_OK(check_client(replace(a, paos, " Destination=\"" PORTAL_SSO "\"", ""), &acs, &err),
		  &err);
	ASSERT_REFUSED(check_client(replace(a, paos, PORTAL_SSO, PORTAL_SLO), &acs, &err), &err,
		       ERR_DENIED, "Destination is not this endpoint");
	ASSERT_REFUSED(check_client(replace(a, paos, "18:00:00Z", "17:51:00Z"), &acs, &err), &err,
		       ERR_DENIED, "s off");
	assert_non_null(acs); /* who may hear of that */
	assert_false(check_client(replace(a, paos, SAML_BINDING_URI_PAOS, SAML_BINDING_URI_POST),
				  &acs, &err));
	assert_string_equal(err.proto, SAML_UNSUPPORTED_BINDING);
	assert_string_equal(acs->url, PAOS_ACS);
	err = (struct err){0};
	/* An endpoint for browsers, one of nobody's, an index of another. */
	ASSERT_REFUSED(check_client(replace(a, paos, PAOS_ACS, PORTAL_ACS), &acs, &err), &err,
		       ERR_DENIED, "by PAOS matches");
	ASSERT_REFUSED(
		check_client(replace(a, paos, PAOS_ACS, "https://evil.example/"), &acs, &err), &err,
		ERR_DENIED, "by PAOS matches");
	ASSERT_REFUSED(check_client(replace(a, plain, " Destination",
					    " AssertionConsumerServiceIndex=\"0\" Destination"),
				    &acs, &err),
		       &err, ERR_DENIED, "by PAOS matches");
	assert_null(acs);
	/* And no browser is answered there. */
	ASSERT_REFUSED(check(paos, &acs, &err), &err, ERR_DENIED,
		       "no registered AssertionConsumerService");
	ASSERT_REFUSED(check(changed(PORTAL_ACS, PAOS_ACS), &acs, &err), &err, ERR_DENIED,
		       "no registered AssertionConsumerService");
}

/*
 * Each attribute and each element, taken out in turn: either the message is
 * refused, or the field is one of those that may be missing.
 */
static void
test_each_field_deleted_in_turn_fails_closed(void **state)
{
	static const struct {
		const char *from, *to; /* what is cut out; to: its end */
		bool optional;
	} fields[] = {
		{" AssertionConsumerServiceURL=\"", "acs\"", true}, /* then the default one */
		{" Destination=\"", "sso\"", false},
		{" ForceAuthn=\"", "false\"", true},
		{" ID=\"", "1\"", false},
		{" IssueInstant=\"", "Z\"", false},
		{" Version=\"", "0\"", false},
		{" ProtocolBinding=\"", "POST\"", true},
		{"<saml:Issuer>", "</saml:Issuer>", false},
		{"<samlp:NameIDPolicy", "/>", true},
		{" AllowCreate=\"", "true\"", true},
		{" Format=\"", "transient\"", true},
		{"<samlp:RequestedAuthnContext", "</samlp:RequestedAuthnContext>", true},
		{" Comparison=\"", "minimum\"", true},
		{"<saml:AuthnContextClassRef>", "</saml:AuthnContextClassRef>", false},
		{"STORK", "3", true}, /* an empty word: no level we know */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *xml =
			changed(cut(a, portal_authn_request, fields[i].from, fields[i].to), "");
		const struct saml_authn_request *r;
		const struct saml_endpoint *acs;
		struct err err = {0};
		bool taken = parse(xml, &r, &err) && check_at(r, portal_now(), &acs, &err);

		if (taken != fields[i].optional)
			fail_msg("without %s: %s", fields[i].from, taken ? "taken" : err.text);
	}
}

/* ---- can we do what it wants ---- */

static void
test_a_name_format_is_chosen(void **state)
{
	static const struct {
		const char *format, *want;
	} rows[] = {
		{SAML_NAMEID_TRANSIENT, SAML_NAMEID_TRANSIENT},
		{SAML_NAMEID_PERSISTENT, SAML_NAMEID_PERSISTENT},
		/* The party's metadata lists persistent. */
		{SAML_NAMEID_UNSPECIFIED, SAML_NAMEID_PERSISTENT},
		{NULL, SAML_NAMEID_PERSISTENT},
	};
	struct saml_wish wish;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *to = rows[i].format == NULL
					 ? ""
					 : arena_printf(a, " Format=\"%s\"", rows[i].format);

		ASSERT_OK(check_wish(changed(" Format=\"" SAML_NAMEID_TRANSIENT "\"", to), &wish,
				     &err),
			  &err);
		assert_string_equal(wish.nameid_format, rows[i].want);
	}
	struct saml_party silent = *party;
	struct saml_authn_request r =
		*request(changed(" Format=\"" SAML_NAMEID_TRANSIENT "\"", ""));

	silent.n_nameid_formats = 0;
	r.party = &silent;
	ASSERT_OK(saml_authn_request_check_wish(&r, PORTAL_OURS, PORTAL_NAMEIDS, &wish, &err),
		  &err);
	assert_string_equal(wish.nameid_format, SAML_NAMEID_TRANSIENT);
}

static bool
refused_with(const char *xml, const char *status)
{
	struct err err = {0};
	struct saml_wish wish;

	return !check_wish(xml, &wish, &err) && err.kind == ERR_DENIED &&
	       strcmp(err.proto, status) == 0;
}

static void
test_a_name_we_do_not_give_is_refused(void **state)
{
	static const char *const formats[] = {
		"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
		"urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted",
		SAML_NAMEID_ENTITY,
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		assert_true(refused_with(changed(SAML_NAMEID_TRANSIENT, formats[i]),
					 SAML_INVALID_NAMEID_POLICY));
}

static void
test_only_the_partys_own_name_space_is_served(void **state)
{
	struct saml_wish wish;
	struct err err = {0};

	(void)state;
	ASSERT_OK(check_wish(changed("<samlp:NameIDPolicy",
				     "<samlp:NameIDPolicy SPNameQualifier=\"" PORTAL_ENTITY "\""),
			     &wish, &err),
		  &err);
	assert_true(refused_with(
		changed("<samlp:NameIDPolicy", "<samlp:NameIDPolicy SPNameQualifier=\"urn:group\""),
		SAML_INVALID_NAMEID_POLICY));
}

static void
test_a_format_is_given_only_where_the_record_allows_it(void **state)
{
	static const struct {
		const char *asked;
		unsigned allowed;
		const char *want; /* NULL: refused */
	} rows[] = {
		{SAML_NAMEID_EMAIL, PORTAL_NAMEIDS, NULL},
		{SAML_NAMEID_EMAIL, PORTAL_NAMEIDS | SAML_NAMEID_IS_EMAIL, SAML_NAMEID_EMAIL},
		{SAML_NAMEID_PERSISTENT, SAML_NAMEID_IS_TRANSIENT, NULL},
		{SAML_NAMEID_TRANSIENT, SAML_NAMEID_IS_PERSISTENT, NULL},
		/* The metadata lists persistent; where that is not to be, what is. */
		{SAML_NAMEID_UNSPECIFIED, PORTAL_NAMEIDS | SAML_NAMEID_IS_EMAIL,
		 SAML_NAMEID_PERSISTENT},
		{SAML_NAMEID_UNSPECIFIED, SAML_NAMEID_IS_TRANSIENT, SAML_NAMEID_TRANSIENT},
		{SAML_NAMEID_UNSPECIFIED, SAML_NAMEID_IS_EMAIL, SAML_NAMEID_EMAIL},
		{SAML_NAMEID_UNSPECIFIED, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct saml_wish wish = {0};
		struct err err = {0};
		bool ok = check_wish_of(changed(SAML_NAMEID_TRANSIENT, rows[i].asked),
					rows[i].allowed, &wish, &err);

		assert_int_equal(ok, rows[i].want != NULL);
		if (ok)
			assert_string_equal(wish.nameid_format, rows[i].want);
		else
			assert_string_equal(err.proto, SAML_INVALID_NAMEID_POLICY);
	}
}

/* SAML2Core 3.4.1.1 with errata E14: a word about names that stay, said with a policy. */
static void
test_without_allow_create_only_who_is_known_may_answer(void **state)
{
	const char *policy = cut(a, portal_authn_request, "<samlp:NameIDPolicy", "/>");
	static const struct {
		const char *policy;
		bool known_only;
	} rows[] = {
		{"<samlp:NameIDPolicy Format=\"" SAML_NAMEID_PERSISTENT "\"/>", true},
		{"<samlp:NameIDPolicy AllowCreate=\"false\" Format=\"" SAML_NAMEID_PERSISTENT
		 "\"/>",
		 true},
		{"<samlp:NameIDPolicy/>", true}, /* the metadata lists persistent */
		{"<samlp:NameIDPolicy AllowCreate=\"1\" Format=\"" SAML_NAMEID_PERSISTENT "\"/>",
		 false},
		{"<samlp:NameIDPolicy Format=\"" SAML_NAMEID_TRANSIENT "\"/>", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct saml_wish wish;
		struct err err = {0};

		ASSERT_OK(check_wish(changed(policy, rows[i].policy), &wish, &err), &err);
		assert_int_equal(wish.known_only, rows[i].known_only);
	}
}

#define SUBJECT(inner)         "<saml:Subject>" inner "</saml:Subject>"
#define NAME(attributes, text) "<saml:NameID" attributes ">" text "</saml:NameID>"

static void
test_the_one_person_asked_for_is_named_as_the_party_knows_it(void **state)
{
	static const struct {
		const char *subject;
		const char *person; /* NULL: refused with status */
		const char *status;
	} rows[] = {
		{SUBJECT(NAME("", "abc")), "abc", NULL},
		{SUBJECT(NAME(" Format=\"" SAML_NAMEID_PERSISTENT "\"", "abc")), "abc", NULL},
		{SUBJECT(NAME(" Format=\"" SAML_NAMEID_UNSPECIFIED "\" NameQualifier=\"" PORTAL_OURS
			      "\" SPNameQualifier=\"" PORTAL_ENTITY "\"",
			      "abc")),
		 "abc", NULL},
		{SUBJECT(NAME(" Format=\"" SAML_NAMEID_TRANSIENT "\"", "abc")), NULL,
		 SAML_UNKNOWN_PRINCIPAL},
		{SUBJECT(NAME(" Format=\"" SAML_NAMEID_EMAIL "\"", "a@b.example")), NULL,
		 SAML_UNKNOWN_PRINCIPAL},
		{SUBJECT(NAME(" NameQualifier=\"https://other.example\"", "abc")), NULL,
		 SAML_UNKNOWN_PRINCIPAL},
		{SUBJECT(NAME(" SPNameQualifier=\"https://other.example\"", "abc")), NULL,
		 SAML_UNKNOWN_PRINCIPAL},
		{SUBJECT(NAME("", "abc") "<saml:SubjectConfirmation Method=\"urn:x\"/>"), NULL,
		 SAML_REQUEST_UNSUPPORTED},
		{SUBJECT("<saml:EncryptedID/>"), NULL, SAML_REQUEST_UNSUPPORTED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *xml = changed(FIXTURE_PLACE,
					  arena_printf(a, FIXTURE_PLACE "%s", rows[i].subject));
		struct saml_wish wish = {0};
		struct err err = {0};

		if (rows[i].person == NULL) {
			assert_true(refused_with(xml, rows[i].status));
			continue;
		}
		ASSERT_OK(check_wish(xml, &wish, &err), &err);
		assert_string_equal(wish.person, rows[i].person);
	}
	const struct saml_authn_request *r;
	struct err err = {0};

	ASSERT_REFUSED(parse(changed(FIXTURE_PLACE, FIXTURE_PLACE SUBJECT(NAME("", ""))), &r, &err),
		       &err, ERR_INPUT, "NameID of 0 octets");
}

static void
test_what_nobody_asked_for_goes_to_a_registered_address_too(void **state)
{
	const struct saml_authn_request *r;
	const struct saml_endpoint *acs;
	struct err err = {0};

	(void)state;
	ASSERT_OK(saml_authn_request_unsolicited(a, party, PORTAL_ACS "2", &r, &acs, &err), &err);
	assert_string_equal(acs->url, PORTAL_ACS "2");
	ASSERT_REFUSED(
		saml_authn_request_unsolicited(a, party, "https://evil.example/", &r, &acs, &err),
		&err, ERR_DENIED, "no registered AssertionConsumerService");
}

#define ENTRY(id)     "<samlp:IDPEntry ProviderID=\"" id "\"/>"
#define SCOPING(list) "<samlp:Scoping ProxyCount=\"0\"><samlp:IDPList>" list "</samlp:IDPList>"
#define SCOPING_END   "<samlp:RequesterID>https://behind.example</samlp:RequesterID></samlp:Scoping>"

static const char *
scoped(const char *list)
{
	const char *end = "</samlp:RequestedAuthnContext>";

	return changed(end, arena_printf(a, "%s" SCOPING("%s") SCOPING_END, end, list));
}

static void
test_a_list_of_providers_says_whether_it_holds_us(void **state)
{
	const char *others = ENTRY("https://other.example"), *us = ENTRY(PORTAL_OURS);
	const char *many = "";
	struct saml_wish wish;
	struct err err = {0};

	(void)state;
	ASSERT_OK(check_wish(scoped(arena_printf(a, "%s%s", others, us)), &wish, &err), &err);
	assert_true(wish.scope_is_ours);
	ASSERT_OK(check_wish(scoped(others), &wish, &err), &err);
	assert_false(wish.scope_is_ours);
	ASSERT_OK(check_wish(scoped(arena_printf(a,
						 "%s<samlp:GetComplete>https://list.example"
						 "</samlp:GetComplete>",
						 others)),
			     &wish, &err),
		  &err);
	assert_false(wish.scope_is_ours);
	/* Scoping without a list leaves it to us. */
	request(replace(a, scoped(""), "<samlp:IDPList></samlp:IDPList>", ""));
	for (int i = 1; i < SAML_IDP_LIST_MAX; i++)
		many = arena_printf(a, "%s%s", many, others);
	ASSERT_OK(check_wish(scoped(arena_printf(a, "%s%s", many, us)), &wish, &err), &err);
	const struct saml_endpoint *acs;

	ASSERT_REFUSED(check(scoped(arena_printf(a, "%s%s%s", many, others, us)), &acs, &err), &err,
		       ERR_DENIED, "more than 64 IDPEntries");
	assert_string_equal(acs->url, PORTAL_ACS);
}

static void
test_the_attribute_set_is_found_by_index(void **state)
{
	const char *with = " AttributeConsumingServiceIndex=\"2\" Destination";
	struct saml_wish wish;
	struct err err = {0};

	(void)state;
	ASSERT_OK(check_wish(portal_authn_request, &wish, &err), &err);
	assert_int_equal(wish.service->index, 1);
	ASSERT_OK(check_wish(changed(" Destination", with), &wish, &err), &err);
	assert_int_equal(wish.service->index, 2);
	assert_true(refused_with(
		changed(" Destination", " AttributeConsumingServiceIndex=\"3\" Destination"),
		SAML_REQUEST_UNSUPPORTED));
	struct saml_party plain = *party;
	struct saml_authn_request r = *request(portal_authn_request);

	plain.n_services = 0;
	r.party = &plain;
	ASSERT_OK(saml_authn_request_check_wish(&r, PORTAL_OURS, PORTAL_NAMEIDS, &wish, &err),
		  &err);
	assert_null(wish.service);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_is_read_field_by_field),
		cmocka_unit_test(test_what_is_left_out_has_its_default),
		cmocka_unit_test(test_each_comparison_is_told_apart),
		cmocka_unit_test(test_class_refs_are_opaque_trimmed_and_counted),
		cmocka_unit_test(test_declarations_are_not_classes),
		cmocka_unit_test(test_an_acs_index_stands_alone),
		cmocka_unit_test(test_the_extension_of_an_unsigned_request_is_not_read),
		cmocka_unit_test(test_foreign_extensions_are_passed_over),
		cmocka_unit_test(test_the_answer_goes_to_a_registered_address),
		cmocka_unit_test(test_an_unregistered_address_is_refused),
		cmocka_unit_test(test_an_index_that_is_not_registered_is_refused),
		cmocka_unit_test(test_another_protocol_binding_is_refused),
		cmocka_unit_test(test_an_artifact_is_answered_with_where_the_metadata_has_it),
		cmocka_unit_test(test_destination_and_time_are_checked),
		cmocka_unit_test(test_a_client_without_a_browser_is_answered_by_paos_alone),
		cmocka_unit_test(test_each_field_deleted_in_turn_fails_closed),
		cmocka_unit_test(test_a_name_format_is_chosen),
		cmocka_unit_test(test_a_name_we_do_not_give_is_refused),
		cmocka_unit_test(test_only_the_partys_own_name_space_is_served),
		cmocka_unit_test(test_a_format_is_given_only_where_the_record_allows_it),
		cmocka_unit_test(test_without_allow_create_only_who_is_known_may_answer),
		cmocka_unit_test(test_the_one_person_asked_for_is_named_as_the_party_knows_it),
		cmocka_unit_test(test_what_nobody_asked_for_goes_to_a_registered_address_too),
		cmocka_unit_test(test_a_list_of_providers_says_whether_it_holds_us),
		cmocka_unit_test(test_the_attribute_set_is_found_by_index),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
