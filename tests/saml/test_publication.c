/* saml/publication.c: what an administration publishes, read by our verifiers, the schemas and
 * xmlsec1. */
#include "saml/publication.h"

#include <string.h>

#include "base/clock.h"
#include "saml/aggregate.h"
#include "saml/metadata.h"
#include "saml/names.h"
#include "saml/schema.h"
#include "tests/saml/support.h"
#include "tests/saml/xsd.h"
#include "tests/test.h"

#define MD        SAML_NS_METADATA
#define SAML      "urn:oasis:names:tc:SAML:2.0:protocol"
#define REGISTRAR "https://federation.example"
#define CATEGORY  "http://macedir.org/entity-category"
#define ACS(host)                                                     \
	"AssertionConsumerService index=\"0\" "                       \
	"Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" " \
	"Location=\"https://" host "/acs?a=1&amp;b=2\""

static struct arena *a;
static struct test_keys *keys;
static struct err err;

static int
setup(void **state UNUSED)
{
	a = arena_create(512 << 20);
	keys = test_keys_create(a);
	err_clear(&err);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

/* With a signature, an ID and a registrar of its own, and a type that only a value names. */
static const char with_extensions[] =
	"<?xml version=\"1.0\"?><!-- by hand -->\n"
	"<md:EntityDescriptor xmlns:md=\"" MD "\" xmlns:xs=\"" SAML_NS_XS "\" ID=\"_own\" "
	"cacheDuration=\"P9D\" validUntil=\"2031-01-01T00:00:00Z\" entityID=\"urn:one\">"
	"<ds:Signature xmlns:ds=\"" SAML_NS_DS "\"><ds:SignedInfo/></ds:Signature>"
	"<md:Extensions><mdrpi:RegistrationInfo xmlns:mdrpi=\"" SAML_NS_MDRPI "\" "
	"registrationAuthority=\"urn:claimed\"><mdrpi:RegistrationPolicy xml:lang=\"en\">"
	"urn:policy</mdrpi:RegistrationPolicy></mdrpi:RegistrationInfo>"
	"<mdattr:EntityAttributes xmlns:mdattr=\"" SAML_NS_ATTRIBUTE
	"\" xmlns:saml=\"" SAML_NS_ASSERTION "\" xmlns:xsi=\"" SAML_NS_XSI
	"\"><saml:Attribute Name=\"" CATEGORY "\">"
	"<saml:AttributeValue xsi:type=\"xs:string\">urn:state</saml:AttributeValue>"
	"</saml:Attribute></mdattr:EntityAttributes></md:Extensions>"
	"<md:SPSSODescriptor ID=\"_role\" protocolSupportEnumeration=\"" SAML
	"\"><md:" ACS("one.example") "/>"
				     "</md:SPSSODescriptor></md:EntityDescriptor>";

/* Without Extensions, in the default namespace, with our prefix for it further down. */
static const char in_default[] =
	"<EntityDescriptor xmlns=\"" MD "\" entityID=\"urn:two\">\n"
	"<md:SPSSODescriptor xmlns:md=\"" MD "\" protocolSupportEnumeration=\"" SAML "\"><md:" ACS(
		"two.example") "/></md:SPSSODescriptor><Organization><OrganizationName "
			       "xml:lang=\"de\">"
			       "&lt;Zwei&gt; &amp; "
			       "\xc3\xa4</OrganizationName><OrganizationDisplayName "
			       "xml:lang=\"de\">Zwei</OrganizationDisplayName><OrganizationURL "
			       "xml:lang=\"de\">https://two.example/</OrganizationURL></"
			       "Organization>"
			       "</EntityDescriptor>";

/* With our prefix for something else, and a type of another vocabulary. */
static const char with_others[] =
	"<m:EntityDescriptor xmlns:m=\"" MD "\" xmlns:md=\"urn:other\" xmlns:xs=\"urn:not-schema\" "
	"entityID=\"urn:three\"><m:Extensions><md:x xmlns:xsi=\"" SAML_NS_XSI
	"\" xmlns:xsd=\"urn:ekona\" xsi:type=\" xsd:AdresseType\" md:a=\"1\">\n</md:x>"
	"</m:Extensions><m:SPSSODescriptor protocolSupportEnumeration=\"" SAML
	"\"><m:" ACS("three.example") "/></m:SPSSODescriptor></m:EntityDescriptor>";

static time_t
at(const char *when)
{
	time_t t;

	ASSERT_OK(clock_parse(when, &t, &err), &err);
	return t;
}

static struct saml_publication
publication(void)
{
	return (struct saml_publication){.name = "urn:federation",
					 .registrar = REGISTRAR,
					 .valid_until = at("2030-01-02T00:00:00Z"),
					 .cache_s = 3600};
}

static struct saml_member
member(const char *text)
{
	struct saml_member m = {.registered = at("2026-11-26T10:00:00Z")};

	ASSERT_OK(saml_member_document(a, bytes_of(text), &m.document, &err), &err);
	return m;
}

static const char *
all_of(const struct saml_member *members, size_t n)
{
	struct saml_publication p = publication();
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	struct bytes out;

	ASSERT_OK(saml_publish_all(a, &p, members, n, "_all", &signer, &out, &err), &err);
	return text_of(a, out);
}

static const char *
one_of(const struct saml_member *m)
{
	struct saml_publication p = publication();
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	struct bytes out;

	ASSERT_OK(saml_publish_member(a, &p, m, "_one", &signer, &out, &err), &err);
	return text_of(a, out);
}

/* ---- all of them ---- */

struct told {
	struct saml_entity e[8];
	size_t n;
};

static bool
tell(void *ctx, const struct saml_entity *e, struct err *e_err UNUSED)
{
	struct told *t = ctx;

	assert_true(t->n < ARRAY_LEN(t->e));
	t->e[t->n] = *e;
	t->e[t->n].entity_id = arena_strdup(a, e->entity_id);
	t->e[t->n].registrar = arena_strdup(a, e->registrar);
	t->e[t->n++].text = arena_bytes(a, e->text);
	return true;
}

static void
read_back(const char *text, struct told *t, struct saml_aggregate_info *info)
{
	static const struct saml_mark marks[] = {{CATEGORY, "urn:state"}};
	struct saml_aggregate_options o = {.keys = {&keys->p256.pub, 1},
					   .max_bytes = 64 << 20,
					   .max_entities = 100,
					   .max_entity_bytes = 65536,
					   .marks = marks,
					   .n_marks = 1,
					   .entity = tell,
					   .ctx = t};
	struct saml_aggregate *g = saml_aggregate_begin(a, &o);

	*t = (struct told){.n = 0};
	ASSERT_OK(saml_aggregate_add(g, bytes_of(text), &err) && saml_aggregate_end(g, info, &err),
		  &err);
}

static void
who_follows_reads_each_member(void **state UNUSED)
{
	const struct saml_member members[] = {member(with_extensions), member(in_default),
					      member(with_others)};
	static const char *const ids[] = {"urn:one", "urn:two", "urn:three"};
	const char *text = all_of(members, 3);
	struct saml_aggregate_info info;
	struct told t;

	read_back(text, &t, &info);
	assert_string_equal(info.name, "urn:federation");
	assert_string_equal(info.id, "_all");
	assert_int_equal(info.valid_until, at("2030-01-02T00:00:00Z"));
	assert_int_equal(t.n, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct saml_party *p;

		assert_string_equal(t.e[i].entity_id, ids[i]);
		assert_string_equal(t.e[i].registrar, REGISTRAR);
		assert_int_equal(t.e[i].valid_until, at("2030-01-02T00:00:00Z"));
		assert_int_equal(t.e[i].cache_s, 3600);
		ASSERT_OK(saml_metadata_parse(a, t.e[i].text, ids[i], &p, &err), &err);
		assert_int_equal(p->acs.n, 1);
	}
	assert_int_equal(t.e[0].marks, 1); /* its type is told, too */
	assert_non_null(strstr(text, "xmlns:xs=\"" SAML_NS_XS "\""));
	assert_non_null(strstr(text, "&lt;Zwei&gt; &amp; \xc3\xa4"));
}

static void
what_is_ours_to_say_no_member_says(void **state UNUSED)
{
	const struct saml_member members[] = {member(with_extensions)};
	const char *text = all_of(members, 1), *alone = one_of(members);
	static const char *const theirs[] = {"urn:claimed", "urn:policy", "_own",   "_role",
					     "P9D",         "2031-01-01", "by hand"};

	for (size_t i = 0; i < ARRAY_LEN(theirs); i++) {
		assert_null(strstr(text, theirs[i]));
		assert_null(strstr(alone, theirs[i]));
	}
	/* Ours is the only signature. */
	assert_null(strstr(strstr(text, "<ds:Signature ") + 1, "<ds:Signature "));
	assert_null(strstr(strstr(alone, "<ds:Signature ") + 1, "<ds:Signature "));
	assert_non_null(strstr(alone, "<mdrpi:RegistrationInfo xmlns:mdrpi=\"" SAML_NS_MDRPI
				      "\" registrationAuthority=\"" REGISTRAR
				      "\" registrationInstant=\"2026-11-26T10:00:00Z\">"));
	assert_non_null(strstr(alone, "ID=\"_one\" cacheDuration=\"PT3600S\""));
}

static void
a_member_that_ends_earlier_ends_earlier(void **state UNUSED)
{
	struct saml_member m = member(in_default);
	struct saml_aggregate_info info;
	struct told t;

	m.valid_until = at("2027-06-01T00:00:00Z");
	read_back(all_of(&m, 1), &t, &info);
	assert_int_equal(t.e[0].valid_until, at("2027-06-01T00:00:00Z"));
	assert_int_equal(info.valid_until, at("2030-01-02T00:00:00Z"));
	assert_non_null(strstr(one_of(&m), "validUntil=\"2027-06-01T00:00:00Z\""));
}

static void
xmlsec1_verifies_it(void **state UNUSED)
{
	const struct saml_member members[] = {member(with_extensions), member(in_default),
					      member(with_others)};
	const struct {
		const char *text, *root;
	} documents[] = {
		{all_of(members, 3), MD ":EntitiesDescriptor"},
		{one_of(&members[0]), MD ":EntityDescriptor"},
		{one_of(&members[1]), MD ":EntityDescriptor"},
		{one_of(&members[2]), MD ":EntityDescriptor"},
	};

	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		const char *argv[] = {"xmlsec1",
				      "--verify",
				      "--pubkey-cert-der",
				      temp_file(a, "anchor.der", keys->p256.cert),
				      "--id-attr:ID",
				      documents[i].root,
				      temp_file(a, "published.xml", bytes_of(documents[i].text)),
				      NULL};

		assert_true(run_program(a, argv, NULL));
	}
}

/* ---- one ---- */

static void
a_member_alone_is_signed(void **state UNUSED)
{
	const char *texts[] = {with_extensions, in_default, with_others};
	struct saml_keys ours = {&keys->p256.pub, 1};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct saml_member m = member(texts[i]);
		const char *text = one_of(&m);
		struct saml_signed *verified;
		struct bytes out;

		ASSERT_OK(xmlsig_verify(a, parse_xml(a, text), ours, &verified, &err), &err);
		ASSERT_OK(saml_schema_check(a, saml_signed_root(verified), &err), &err);
		ASSERT_OK(saml_metadata_verify(a, bytes_of(text), NULL, ours, &out, &err), &err);
		if (i < 2) /* the schema has no element of urn:other that must be known */
			assert_schema_valid(a, bytes_of(text));
	}
}

static void
what_is_no_member_is_not_published(void **state UNUSED)
{
	struct saml_publication p = publication();
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	struct saml_member m = member(
		replace(a, replace(a, in_default, "<EntityDescriptor", "<EntitiesDescriptor"),
			"</EntityDescriptor>", "</EntitiesDescriptor>"));
	struct bytes out;

	ASSERT_REFUSED(saml_publish_member(a, &p, &m, "_i", &signer, &out, &err), &err, ERR_INPUT,
		       "not one EntityDescriptor");
	ASSERT_REFUSED(saml_publish_all(a, &p, &m, 1, "_i", &signer, &out, &err), &err, ERR_INPUT,
		       "not one EntityDescriptor");
	ASSERT_REFUSED(saml_publish_all(a, &p, &m, 0, "_i", &signer, &out, &err), &err, ERR_INPUT,
		       "no member");
	/* A document that would end the root, and one with more than a member. */
	m.document = bytes_of("</md:EntitiesDescriptor>");
	ASSERT_REFUSED(saml_publish_all(a, &p, &m, 1, "_i", &signer, &out, &err), &err, ERR_INPUT,
		       "");
	m.document = bytes_of(arena_printf(a, "%s%s", in_default, in_default));
	ASSERT_REFUSED(saml_publish_all(a, &p, &m, 1, "_i", &signer, &out, &err), &err, ERR_INPUT,
		       "more than one EntityDescriptor");
}

static void
types_of_other_prefixes_are_refused(void **state UNUSED)
{
	static const struct {
		const char *prefix;
		bool usual;
	} cases[] = {{"xs:", true}, {"xsd:", true}, {"x:", false}, {"xsdx:", false}, {":", false}};
	struct bytes out;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *text = arena_printf(
			a,
			"<EntityDescriptor xmlns=\"" MD "\" entityID=\"urn:x\">"
			"<x xmlns:xsi=\"" SAML_NS_XSI "\" xsi:type=\"%st\"/></EntityDescriptor>",
			cases[i].prefix);

		if (cases[i].usual)
			ASSERT_OK(saml_member_document(a, bytes_of(text), &out, &err), &err);
		else
			ASSERT_REFUSED(saml_member_document(a, bytes_of(text), &out, &err), &err,
				       ERR_INPUT, "not xs: or xsd:");
	}
}

static void
a_signer_that_fails_is_told(void **state UNUSED)
{
	struct saml_publication p = publication();
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	struct saml_member m = member(in_default);
	struct bytes out;

	signer.kid = "nobody's";
	assert_false(saml_publish_member(a, &p, &m, "_i", &signer, &out, &err));
	assert_false(saml_publish_all(a, &p, &m, 1, "_i", &signer, &out, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_follows_reads_each_member),
		cmocka_unit_test(what_is_ours_to_say_no_member_says),
		cmocka_unit_test(a_member_that_ends_earlier_ends_earlier),
		cmocka_unit_test(xmlsec1_verifies_it),
		cmocka_unit_test(a_member_alone_is_signed),
		cmocka_unit_test(what_is_no_member_is_not_published),
		cmocka_unit_test(types_of_other_prefixes_are_refused),
		cmocka_unit_test(a_signer_that_fails_is_told),
	};

	return cmocka_run_group_tests_name("publication", tests, setup, teardown);
}
