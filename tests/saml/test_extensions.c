/* saml/extensions.c: BundID's extension of requests, as real services write it. */
#include "saml/extensions.h"

#include "saml/names.h"
#include "saml/status.h"
#include "tests/saml/support.h"
#include "tests/arena.h"

#define UI " xmlns:classic-ui=\"" SAML_NS_AKDB_UI "\""
#define DISPLAY(inner)                                              \
	"<akdb:DisplayInformation><classic-ui:Version" UI ">" inner \
	"</classic-ui:Version></akdb:DisplayInformation>"
#define ATTRIBUTES(inner) "<akdb:RequestedAttributes>" inner "</akdb:RequestedAttributes>"

static bool
parse(const char *inner, const struct saml_akdb_request **r, struct err *err)
{
	const char *xml = arena_printf(a,
				       "<samlp:Extensions xmlns:samlp=\"" SAML_NS_PROTOCOL
				       "\" xmlns:akdb=\"" SAML_NS_AKDB "\">%s</samlp:Extensions>",
				       inner);
	struct xml_doc *doc;

	return xml_parse(a, bytes_of(xml), &xml_limits_request, &doc, err) &&
	       saml_akdb_parse(a, xml_root(doc), r, err);
}

static bool
parse_v2(const char *inner, const struct saml_akdb_request **r, struct err *err)
{
	return parse(arena_printf(a,
				  "<akdb:AuthenticationRequest Version=\"2\">%s"
				  "</akdb:AuthenticationRequest>",
				  inner),
		     r, err);
}

static void
test_none_is_none(void **state)
{
	const struct saml_akdb_request *r = (const void *)1;
	struct err err = {0};

	(void)state;
	ASSERT_OK(parse("<x:y xmlns:x=\"urn:x\"/>", &r, &err), &err);
	assert_null(r);
}

/* As the interface description shows it: CDATA, white space, company. */
static void
test_a_full_request_is_read(void **state)
{
	static const char full[] =
		"<akdb:AuthenticationRequest Version=\"2\" EnableStatusDetail=\"true\">\n"
		"<akdb:AuthnMethods><akdb:Benutzername><akdb:Enabled> false </akdb:Enabled>"
		"</akdb:Benutzername><akdb:eID><akdb:Enabled>true</akdb:Enabled></akdb:eID>"
		"<akdb:FINK/><akdb:Future/></akdb:AuthnMethods>"
		"<akdb:RequestedAttributes>\n"
		"<akdb:RequestedAttribute Name=\"urn:oid:2.5.4.42\" "
		"RequiredAttribute=\"true\"/>\n"
		"<akdb:RequestedAttribute Name=\" urn:oid:2.5.4.4\"/>\n"
		"<akdb:Future/></akdb:RequestedAttributes>" DISPLAY(
			"<classic-ui:Purpose><![CDATA[<h1>x</h1>]]></classic-ui:Purpose>"
			"<classic-ui:OrganizationDisplayName>\n   <![CDATA[Amt f\xc3\xbcr "
			"<Dinge>]]>\n  "
			"</classic-ui:OrganizationDisplayName>"
			"<classic-ui:Lang>de</classic-ui:Lang>"
			"<classic-ui:BackURL>https://amt24.example/</classic-ui:BackURL>"
			"<classic-ui:OnlineServiceId> BMI-4711 "
			"</classic-ui:OnlineServiceId>") "</akdb:AuthenticationRequest>";
	const struct saml_akdb_request *r;
	struct err err = {0};

	(void)state;
	ASSERT_OK(parse(full, &r, &err), &err);
	assert_int_equal(r->version, 2);
	assert_true(r->enable_status_detail);
	assert_true(r->names_methods);
	assert_int_equal(r->methods, SAML_AKDB_EID | SAML_AKDB_FINK);
	assert_int_equal(r->attributes.n, 2);
	assert_string_equal(r->attributes.p[0].name, "urn:oid:2.5.4.42");
	assert_true(r->attributes.p[0].required);
	assert_string_equal(r->attributes.p[1].name, "urn:oid:2.5.4.4");
	assert_false(r->attributes.p[1].required);
	assert_string_equal(r->organization_display_name, "Amt f\xc3\xbcr <Dinge>");
	assert_string_equal(r->online_service_id, "BMI-4711");
	assert_string_equal(r->lang, "de");
	assert_string_equal(r->back_url, "https://amt24.example/");
}

static void
test_each_method_has_its_bit(void **state)
{
	static const struct {
		const char *name;
		unsigned bit;
	} rows[] = {{"Authega", SAML_AKDB_AUTHEGA}, {"Benutzername", SAML_AKDB_BENUTZERNAME},
		    {"Diia", SAML_AKDB_DIIA},       {"eID", SAML_AKDB_EID},
		    {"eIDAS", SAML_AKDB_EIDAS},     {"Elster", SAML_AKDB_ELSTER},
		    {"FINK", SAML_AKDB_FINK}};
	const struct saml_akdb_request *r;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ASSERT_OK(parse_v2(arena_printf(a,
						"<akdb:AuthnMethods><akdb:%s/></akdb:AuthnMethods>",
						rows[i].name),
				   &r, &err),
			  &err);
		assert_int_equal(r->methods, rows[i].bit);
	}
	ASSERT_OK(parse_v2("", &r, &err), &err);
	assert_false(r->names_methods);
	assert_null(r->organization_display_name);
	assert_int_equal(r->attributes.n, 0);
	/* All switched off is not the same as nothing said. */
	ASSERT_OK(parse_v2("<akdb:AuthnMethods></akdb:AuthnMethods>", &r, &err), &err);
	assert_true(r->names_methods);
	assert_int_equal(r->methods, 0);
}

static void
test_version_1_is_told_apart(void **state)
{
	const struct saml_akdb_request *r;
	struct err err = {0};

	(void)state;
	ASSERT_OK(
		parse("<akdb:AuthenticationRequest Version=\"1\"><akdb:AllowedMethods>"
		      "<akdb:AuthnMethod> eID </akdb:AuthnMethod><akdb:AuthnMethod>Future"
		      "</akdb:AuthnMethod><x:y xmlns:x=\"urn:x\">Elster</x:y></akdb:AllowedMethods>"
		      "</akdb:AuthenticationRequest>",
		      &r, &err),
		&err);
	assert_int_equal(r->version, 1);
	assert_true(r->names_methods);
	assert_int_equal(r->methods, SAML_AKDB_EID);
	ASSERT_REFUSED(parse("<akdb:AuthenticationRequest Version=\"1\"><akdb:AllowedMethods>"
			     "<akdb:AuthnMethod>eID<b/></akdb:AuthnMethod></akdb:AllowedMethods>"
			     "</akdb:AuthenticationRequest>",
			     &r, &err),
		       &err, ERR_INPUT, "something beside text");
}

static void
test_broken_extensions_are_refused(void **state)
{
	static const struct {
		const char *inner, *why;
	} rows[] = {
		{"<akdb:AuthenticationRequest/>", "no attribute Version"},
		{"<akdb:AuthenticationRequest Version=\"3\"/>", "another version"},
		{"<akdb:AuthenticationRequest Version=\"\"/>", "another version"},
		{"<akdb:AuthenticationRequest Version=\"2\"/><akdb:AuthenticationRequest"
		 " Version=\"2\"/>",
		 "second <AuthenticationRequest>"},
		{"<akdb:AuthenticationRequest Version=\"2\" EnableStatusDetail=\"maybe\"/>",
		 "EnableStatusDetail"},
	};
	static const struct {
		const char *inner, *why;
	} v2[] = {
		{ATTRIBUTES("<akdb:RequestedAttribute Name=\"n\" RequiredAttribute=\"ja\"/>"),
		 "RequiredAttribute"},
		{ATTRIBUTES("") ATTRIBUTES(""), "second <RequestedAttributes>"},
		{"<akdb:AuthnMethods><akdb:eID/><akdb:eID/></akdb:AuthnMethods>", "second <eID>"},
		{"<akdb:AuthnMethods/><akdb:AuthnMethods/>", "second <AuthnMethods>"},
		{"<akdb:AuthnMethods><akdb:eID><akdb:Enabled>ja</akdb:Enabled></akdb:eID>"
		 "</akdb:AuthnMethods>",
		 "neither true nor false"},
		{"<akdb:AuthnMethods><akdb:eID><akdb:Enabled><x/></akdb:Enabled></akdb:eID>"
		 "</akdb:AuthnMethods>",
		 "something beside text"},
		{"<akdb:AuthnMethods><akdb:eID><akdb:Enabled/><akdb:Enabled/></akdb:eID>"
		 "</akdb:AuthnMethods>",
		 "second <Enabled>"},
		{DISPLAY("") DISPLAY(""), "second <DisplayInformation>"},
		{DISPLAY("<classic-ui:Lang>de</classic-ui:Lang><classic-ui:Lang>en"
			 "</classic-ui:Lang>"),
		 "second <Lang>"},
		{DISPLAY("<classic-ui:OnlineServiceId>1</classic-ui:OnlineServiceId>"
			 "<classic-ui:OnlineServiceId>2</classic-ui:OnlineServiceId>"),
		 "second <OnlineServiceId>"},
		{DISPLAY("<classic-ui:BackURL><b>x</b></classic-ui:BackURL>"),
		 "something beside text"},
		{"<akdb:DisplayInformation xmlns:u=\"" SAML_NS_AKDB_UI "\"><u:Version/><u:Version/>"
		 "</akdb:DisplayInformation>",
		 "second <Version>"},
		{DISPLAY("<classic-ui:OrganizationDisplayName><b>x</b>"
			 "</classic-ui:OrganizationDisplayName>"),
		 "something beside text"},
	};
	const struct saml_akdb_request *r;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ASSERT_REFUSED(parse(rows[i].inner, &r, &err), &err, ERR_INPUT, rows[i].why);
	for (size_t i = 0; i < ARRAY_LEN(v2); i++)
		ASSERT_REFUSED(parse_v2(v2[i].inner, &r, &err), &err, ERR_INPUT, v2[i].why);
}

static void
test_numbers_and_lengths_have_limits(void **state)
{
	const struct saml_akdb_request *r;
	char *many = arena_strdup(a, "");
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 300; i++)
		many = arena_printf(a, "%s<akdb:RequestedAttribute Name=\"urn:%d\"/>", many, i);
	ASSERT_OK(parse_v2(arena_printf(a, ATTRIBUTES("%s"), many), &r, &err), &err);
	assert_int_equal(r->attributes.n, 300);
	assert_string_equal(r->attributes.p[299].name, "urn:299");
	ASSERT_OK(parse_v2(arena_printf(a, DISPLAY("<classic-ui:Lang> %01024d </classic-ui:Lang>"),
					1),
			   &r, &err),
		  &err);
	ASSERT_REFUSED(parse_v2(arena_printf(a,
					     DISPLAY("<classic-ui:Lang>%01025d"
						     "</classic-ui:Lang>"),
					     1),
				&r, &err),
		       &err, ERR_INPUT, "<Lang> of 1025 octets");
}

#define ORGANIZATION                                                      \
	DISPLAY("<classic-ui:OrganizationDisplayName>Amt</classic-ui:Org" \
		"anizationDisplayName>")
#define SURNAME ATTRIBUTES("<akdb:RequestedAttribute Name=\"urn:oid:2.5.4.4\"/>")

/* BundID interface 9: what is wrong is named as there, so that a portal's code knows it. */
static void
test_the_rule_of_a_party_is_held(void **state)
{
	static const struct {
		const char *inner; /* NULL: no extension */
		int version;
		bool is_signed;
		const char *v2, *v1, *required; /* why it is refused under each rule */
	} rows[] = {
		{NULL, 0, true, NULL, NULL, SAML_AKDB_MISSING},
		{NULL, 0, false, NULL, NULL, SAML_AKDB_UNSIGNED},
		{ORGANIZATION SURNAME, 2, true, NULL, NULL, NULL},
		{ORGANIZATION SURNAME, 1, true, SAML_AKDB_V1, NULL, SAML_AKDB_V1},
		{SURNAME, 2, true, NULL, NULL, SAML_AKDB_NO_ORGANIZATION},
		{DISPLAY("<classic-ui:OrganizationDisplayName> </classic-ui:OrganizationDisplay"
			 "Name>") SURNAME,
		 2, true, NULL, NULL, SAML_AKDB_NO_ORGANIZATION},
		{ORGANIZATION, 2, true, NULL, NULL, SAML_AKDB_NO_ATTRIBUTES},
		{ORGANIZATION ATTRIBUTES(""), 2, true, NULL, NULL, SAML_AKDB_NO_ATTRIBUTES},
		{"<akdb:AuthnMethods/>" ORGANIZATION SURNAME, 2, true, SAML_AKDB_NO_METHODS,
		 SAML_AKDB_NO_METHODS, SAML_AKDB_NO_METHODS},
		{"<akdb:AuthnMethods><akdb:eID><akdb:Enabled>false</akdb:Enabled></akdb:eID>"
		 "</akdb:AuthnMethods>",
		 2, true, SAML_AKDB_NO_METHODS, SAML_AKDB_NO_METHODS, SAML_AKDB_NO_METHODS},
		{"<akdb:AllowedMethods/>", 1, true, SAML_AKDB_V1, SAML_AKDB_NO_METHODS,
		 SAML_AKDB_V1},
		{ATTRIBUTES("<akdb:RequestedAttribute/>"), 2, true, SAML_AKDB_NAMELESS,
		 SAML_AKDB_NAMELESS, SAML_AKDB_NAMELESS},
		{ATTRIBUTES("<akdb:RequestedAttribute Name=\" \"/>"), 2, true, SAML_AKDB_NAMELESS,
		 SAML_AKDB_NAMELESS, SAML_AKDB_NAMELESS},
		{ATTRIBUTES("<akdb:RequestedAttribute Name=\"urn:oid: 1.2\"/>"), 2, true,
		 SAML_AKDB_NAMELESS, SAML_AKDB_NAMELESS, SAML_AKDB_NAMELESS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const why[] = {[SAML_AKDB_RULE_V2] = rows[i].v2,
					   [SAML_AKDB_RULE_V1] = rows[i].v1,
					   [SAML_AKDB_RULE_REQUIRED] = rows[i].required};
		const struct saml_akdb_request *r = NULL;
		struct err err = {0};

		if (rows[i].inner != NULL)
			ASSERT_OK(parse(arena_printf(a,
						     "<akdb:AuthenticationRequest Version=\"%d\""
						     ">%s</akdb:AuthenticationRequest>",
						     rows[i].version, rows[i].inner),
					&r, &err),
				  &err);
		for (size_t rule = 0; rule < ARRAY_LEN(why); rule++) {
			bool ok = saml_akdb_check(r, rows[i].is_signed, (enum saml_akdb_rule)rule,
						  &err);

			assert_int_equal(ok, why[rule] == NULL);
			if (!ok) {
				assert_int_equal(err.kind, ERR_DENIED);
				assert_string_equal(err.proto, why[rule]);
			}
			err_clear(&err);
		}
	}
}

static void
test_a_name_has_a_limit(void **state)
{
	const struct saml_akdb_request *r;
	struct err err = {0};

	(void)state;
	for (int n = 256; n <= 257; n++) {
		ASSERT_OK(parse_v2(arena_printf(a,
						ATTRIBUTES("<akdb:RequestedAttribute"
							   " Name=\"%0*d\"/>"),
						n, 1),
				   &r, &err),
			  &err);
		assert_int_equal(r->nameless, n > 256);
	}
	/* One is enough, wherever it stands. */
	ASSERT_OK(parse_v2(ATTRIBUTES("<akdb:RequestedAttribute Name=\"\"/>"
				      "<akdb:RequestedAttribute Name=\"urn:oid:2.5.4.4\"/>"),
			   &r, &err),
		  &err);
	assert_true(r->nameless);
}

static void
test_a_text_of_eidas_is_nothing_but_text(void **state)
{
	static const char extensions[] =
		"<samlp:Extensions xmlns:samlp=\"" SAML_NS_PROTOCOL
		"\"><eidas:SPType xmlns:eidas=\"" SAML_NS_EIDAS "\">%s</eidas:SPType>"
		"</samlp:Extensions>";
	struct saml_eidas_request r;
	struct xml_doc *doc;
	struct err err = {0};

	(void)state;
	ASSERT_OK(xml_parse(a, bytes_of(replace(a, extensions, "%s", " public ")),
			    &xml_limits_request, &doc, &err),
		  &err);
	ASSERT_OK(saml_eidas_parse(a, xml_root(doc), &r, &err), &err);
	assert_string_equal(r.sp_type, "public");
	ASSERT_OK(xml_parse(a, bytes_of(replace(a, extensions, "%s", "public<b/>")),
			    &xml_limits_request, &doc, &err),
		  &err);
	ASSERT_REFUSED(saml_eidas_parse(a, xml_root(doc), &r, &err), &err, ERR_INPUT,
		       "something beside text");
}

static void
test_a_status_detail_is_the_json_of_the_interface(void **state)
{
	(void)state;
	assert_string_equal(
		saml_akdb_detail(a, "IDP_REQUIRED_ATTRIBUTES_MISSING", "missing \"x\""),
		"{\"version\":\"1.0\",\"errors\":[{\"code\":\"IDP_REQUIRED_ATTRIBUTES_MISSING\","
		"\"message\":\"missing \\\"x\\\"\"}]}");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none_is_none),
		cmocka_unit_test(test_a_full_request_is_read),
		cmocka_unit_test(test_each_method_has_its_bit),
		cmocka_unit_test(test_version_1_is_told_apart),
		cmocka_unit_test(test_broken_extensions_are_refused),
		cmocka_unit_test(test_numbers_and_lengths_have_limits),
		cmocka_unit_test(test_the_rule_of_a_party_is_held),
		cmocka_unit_test(test_a_name_has_a_limit),
		cmocka_unit_test(test_a_text_of_eidas_is_nothing_but_text),
		cmocka_unit_test(test_a_status_detail_is_the_json_of_the_interface),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
