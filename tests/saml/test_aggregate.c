/* Aggregates: what is told of them, and that nothing is proven which was not signed. */
#include "tests/test.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/buf.h"
#include "base/clock.h"
#include "saml/aggregate.h"
#include "saml/metadata.h"
#include "tests/saml/fixture.h"
#include "tests/saml/support.h"

#define MD       "urn:oasis:names:tc:SAML:2.0:metadata"
#define ONE      "https://one.example/saml"
#define TWO      "https://two.example/saml"
#define THREE    "https://three.example/saml"
#define CATEGORY "http://macedir.org/entity-category"

static struct arena *a;
static struct err err;

static int
setup(void **state UNUSED)
{
	a = arena_create(512 << 20);
	err_clear(&err);
	return a == NULL;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(a);
	return 0;
}

static const struct saml_mark marks[] = {
	{CATEGORY, "http://example.org/state"},
	{CATEGORY, "http://example.org/other"},
	{"urn:other", "http://example.org/state"},
};

static const char text[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a federation -->\n"
	"<md:EntitiesDescriptor xmlns:md=\"" MD "\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" "
	"ID=\"_fed\" Name=\"urn:federation\" cacheDuration=\"PT1H\" "
	"validUntil=\"2030-01-02T00:00:00Z\">\n" FIXTURE_PLACE
	"\n<md:Extensions><x xmlns=\"urn:x\"><md:EntityDescriptor entityID=\"urn:aside\"/></x>"
	"</md:Extensions>"
	"<md:EntityDescriptor entityID=\"" ONE "\" validUntil=\"2029-01-01T00:00:00Z\">"
	"<md:Extensions>"
	"<mdrpi:RegistrationInfo xmlns:mdrpi=\"urn:oasis:names:tc:SAML:metadata:rpi\" "
	"registrationAuthority=\"urn:registrar\"/>"
	"<mdattr:EntityAttributes xmlns:mdattr=\"urn:oasis:names:tc:SAML:metadata:attribute\" "
	"xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" "
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">"
	"<saml:Attribute Name=\"" CATEGORY "\"><saml:AttributeValue xsi:type=\"xs:string\">\n "
	"http://example.org/state </saml:AttributeValue></saml:Attribute>"
	"</mdattr:EntityAttributes></md:Extensions>"
	"<md:SPSSODescriptor protocolSupportEnumeration=\"urn:a "
	"urn:oasis:names:tc:SAML:2.0:protocol\">"
	"<md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" "
	"Location=\"" ONE "?a=1&amp;b=2\" index=\"0\"/></md:SPSSODescriptor>"
	"</md:EntityDescriptor>\n"
	"<md:EntitiesDescriptor validUntil=\"2028-01-01T00:00:00Z\" cacheDuration=\"PT1M\">"
	"<EntityDescriptor xmlns=\"" MD "\" entityID=\"" TWO "\">"
	"<IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"/>"
	"<SPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:1.1:protocol\"/>"
	"<AttributeAuthorityDescriptor "
	"protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"/>"
	"</EntityDescriptor></md:EntitiesDescriptor>"
	"<md:EntityDescriptor entityID=\"" THREE "\"><md:Extensions><saml:Attribute "
	"xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" Name=\"" CATEGORY "\">"
	"<saml:AttributeValue>http://example.org/state</saml:AttributeValue></saml:Attribute>"
	"</md:Extensions></md:EntityDescriptor>"
	"</md:EntitiesDescriptor>\n<!-- end -->\n";

static struct fixture
federation(const char *of)
{
	struct fixture f = fixture_request();

	f.text = of;
	f.id = "_fed";
	return f;
}

static const char *
signed_text(const char *of)
{
	struct fixture f = federation(of);

	return fixture_sign(a, &f);
}

/* ---- reading one ---- */

struct told {
	struct saml_entity e[16];
	size_t n;
	bool refuse;
	struct buf joined; /* what is told, in its order */
	struct err around; /* that `around` ends with */
};

static bool
tell(void *ctx, const struct saml_entity *e, struct err *e_err)
{
	struct told *t = ctx;

	if (t->refuse)
		return FAIL(e_err, ERR_UNAVAILABLE, NULL, "no room");
	if (t->n < ARRAY_LEN(t->e)) {
		t->e[t->n] = *e;
		t->e[t->n].entity_id = arena_strdup(a, e->entity_id);
		t->e[t->n].registrar = arena_strdup(a, e->registrar);
		t->e[t->n].text = arena_bytes(a, e->text);
		for (size_t i = 0; i < SAML_SAID_MOST; i++)
			if (e->said[i].p != NULL)
				t->e[t->n].said[i].p = (const unsigned char *)arena_strndup(
					a, (const char *)e->said[i].p, e->said[i].n);
	}
	if (t->joined.a != NULL)
		buf_add(&t->joined, e->text);
	t->n++;
	return true;
}

static bool
join(void *ctx, struct bytes octets, struct err *e_err)
{
	struct told *t = ctx;

	buf_add(&t->joined, octets);
	return t->around.kind == ERR_NONE ||
	       FAIL(e_err, t->around.kind, NULL, "%s", t->around.text);
}

static struct saml_aggregate_options
options(struct told *t)
{
	return (struct saml_aggregate_options){.keys = fixture_keys(),
					       .max_bytes = 64 << 20,
					       .max_entities = 50000,
					       .max_entity_bytes = 65536,
					       .marks = marks,
					       .n_marks = ARRAY_LEN(marks),
					       .entity = tell,
					       .ctx = t};
}

static bool
read_with(const struct saml_aggregate_options *o, struct bytes of, size_t piece_bytes,
	  struct saml_aggregate_info *info, struct err *e)
{
	struct saml_aggregate *g = saml_aggregate_begin(a, o);

	while (of.n > 0) {
		size_t n = of.n < piece_bytes ? of.n : piece_bytes;

		if (!saml_aggregate_add(g, (struct bytes){of.p, n}, e))
			return false;
		of = (struct bytes){of.p + n, of.n - n};
	}
	return saml_aggregate_end(g, info, e);
}

static bool
read_all(const char *of, struct told *t, struct saml_aggregate_info *info, struct err *e)
{
	struct saml_aggregate_options o = options(t);

	*t = (struct told){.n = 0};
	return read_with(&o, bytes_of(of), 4096, info, e);
}

static void
refused(const char *of, enum err_kind kind, const char *why)
{
	struct saml_aggregate_info info;
	struct told t;

	ASSERT_REFUSED(read_all(of, &t, &info, &err), &err, kind, why);
}

static time_t
at(const char *when)
{
	time_t t;

	ASSERT_OK(clock_parse(when, &t, &err), &err);
	return t;
}

/* ---- what is told ---- */

static void
each_entity_is_told_of(void **state UNUSED)
{
	static const size_t pieces[] = {1, 7, 4096, 1 << 20};
	const char *of = signed_text(text);
	struct saml_aggregate_info info;

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct told t = {.n = 0};
		struct saml_aggregate_options o = options(&t);

		ASSERT_OK(read_with(&o, bytes_of(of), pieces[i], &info, &err), &err);
		assert_int_equal(t.n, 3);
		assert_int_equal(info.n_entities, 3);
		assert_string_equal(info.id, "_fed");
		assert_string_equal(info.name, "urn:federation");
		assert_int_equal(info.valid_until, at("2030-01-02T00:00:00Z"));
		assert_int_equal(info.key, 0);
		assert_string_equal(info.suite->name, "ecdsa-sha256");

		assert_string_equal(t.e[0].entity_id, ONE);
		assert_string_equal(t.e[0].registrar, "urn:registrar");
		assert_int_equal(t.e[0].roles, SAML_ROLE_SP);
		assert_int_equal(t.e[0].marks, 1);
		assert_int_equal(t.e[0].valid_until, at("2029-01-01T00:00:00Z"));
		assert_int_equal(t.e[0].cache_s, 3600);

		assert_string_equal(t.e[1].entity_id, TWO);
		assert_string_equal(t.e[1].registrar, "");
		assert_int_equal(t.e[1].roles, SAML_ROLE_IDP | SAML_ROLE_ATTRIBUTE);
		assert_int_equal(t.e[1].marks, 0);
		assert_int_equal(t.e[1].valid_until, at("2028-01-01T00:00:00Z"));
		assert_int_equal(t.e[1].cache_s, 60);

		assert_string_equal(t.e[2].entity_id, THREE);
		assert_int_equal(t.e[2].marks, 0); /* an attribute, but not of the entity */
		assert_int_equal(t.e[2].valid_until, at("2030-01-02T00:00:00Z"));
		assert_int_equal(t.e[2].cache_s, 3600);
	}
}

/* Its text alone is what was digested of it, with the names that the signature's list is for. */
static void
the_text_of_an_entity_is_its_own(void **state UNUSED)
{
	struct fixture f = federation(text);
	const struct saml_party *party;
	struct saml_aggregate_info info;
	const struct xml_node *n;
	const char *ns, *name, *of;
	struct bytes whole;
	struct xml_doc *doc;
	struct told t;
	size_t i = 0;

	f.transform_prefixes = "xs";
	of = fixture_sign(a, &f);
	ASSERT_OK(read_all(of, &t, &info, &err), &err);
	ASSERT_OK(saml_metadata_parse(a, t.e[0].text, ONE, &party, &err), &err);
	assert_string_equal(party->acs.p[0].url, ONE "?a=1&b=2");
	n = xml_first(xml_first(xml_next(xml_first(xml_first(party->entity)))));
	ASSERT_OK(xml_xsi_type(a, n, &ns, &name, &err), &err);
	assert_string_equal(ns, "http://www.w3.org/2001/XMLSchema");

	ASSERT_OK(xml_parse(a, bytes_of(of), &xml_limits_metadata, &doc, &err), &err);
	for (n = xml_root(doc); n != NULL; n = xml_next_in_document(n)) {
		if (!xml_is(n, MD, "EntityDescriptor") ||
		    strcmp(xml_attr(n, "entityID"), "urn:aside") == 0)
			continue;
		ASSERT_OK(xml_c14n(a, n, NULL, "xs", 1, &whole, &err), &err);
		assert_string_equal(text_of(a, whole), text_of(a, t.e[i].text));
		i++;
	}
	assert_int_equal(i, 3);
}

/* Nobody who could add a declaration that is not digested changes what a value means. */
static void
a_declaration_that_is_not_digested_is_not_told(void **state UNUSED)
{
	const char *of = replace(a, signed_text(text), " Name=\"urn:federation\"",
				 " xmlns:evil=\"urn:evil\" Name=\"urn:federation\"");
	struct saml_aggregate_info info;
	struct told t;

	ASSERT_OK(read_all(of, &t, &info, &err), &err);
	for (size_t i = 0; i < t.n; i++)
		assert_null(strstr(text_of(a, t.e[i].text), "urn:evil"));
	of = replace(a, signed_text(text), "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"",
		     "xmlns:xs=\"urn:evil\"");
	ASSERT_OK(read_all(of, &t, &info, &err), &err);
	assert_null(strstr(text_of(a, t.e[0].text), "urn:evil"));
}

/* As read_all, and all that is told, joined. */
static const char *
read_joined(const char *of, struct told *t, struct saml_aggregate_info *info)
{
	struct saml_aggregate_options o = options(t);
	const char *joined;

	*t = (struct told){.n = 0};
	buf_init(&t->joined, a, 1 << 20);
	o.around = join;
	ASSERT_OK(read_with(&o, bytes_of(of), 7, info, &err), &err);
	ASSERT_OK(buf_finish_str(&t->joined, &joined, &err), &err);
	return joined;
}

/* Namespaces that change from without to within, and characters that are written otherwise. */
static const char odd[] =
	"<EntitiesDescriptor xmlns=\"" MD "\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" "
	"xmlns:s=\"http://www.w3.org/2001/XMLSchema\" ID='_fed' "
	"Name=\"a&quot;b&#9;c\">" FIXTURE_PLACE
	"<Extensions><x xmlns=\"urn:x\"><y xmlns=\"\"/></x></Extensions>&#13; &gt; &amp;"
	"<md:EntityDescriptor xmlns:md=\"" MD "\" xmlns=\"\" entityID=\"" ONE "\"><md:Extensions>"
	"<a:b xmlns:a=\"urn:a\" a:c='&lt;\"'><c xml:lang=\"de\">1 &gt; 2&#13;&#10;</c></a:b>"
	"</md:Extensions></md:EntityDescriptor>"
	"<EntitiesDescriptor xmlns:xs=\"urn:xs\"><EntityDescriptor entityID=\"" TWO "\">"
	"<Extensions><c xmlns=\"\"/></Extensions></EntityDescriptor></EntitiesDescriptor>"
	"<n:EntityDescriptor xmlns:n=\"" MD "\" entityID=\"" THREE "\"/></EntitiesDescriptor>";

/* What is stored of it, in parts, is the same again. */
static void
what_is_told_is_an_aggregate_that_says_the_same(void **state UNUSED)
{
	static const char *const texts[] = {text, odd};
	static const char *const prefixes[] = {NULL, "xs", "xs md #default", "#default"};
	struct saml_aggregate_info first, second;
	struct told t, u;

	for (size_t i = 0; i < ARRAY_LEN(texts) * ARRAY_LEN(prefixes); i++) {
		struct fixture f = federation(texts[i / ARRAY_LEN(prefixes)]);

		f.transform_prefixes = prefixes[i % ARRAY_LEN(prefixes)];
		f.pretty = i % 2 != 0;
		const char *joined = read_joined(fixture_sign(a, &f), &t, &first);

		assert_string_equal(read_joined(joined, &u, &second), joined);
		assert_int_equal(u.n, 3);
		for (size_t k = 0; k < 3; k++) {
			assert_string_equal(text_of(a, u.e[k].text), text_of(a, t.e[k].text));
			assert_int_equal(u.e[k].valid_until, t.e[k].valid_until);
		}
		assert_true(bytes_eq(first.digest, second.digest));
		assert_string_equal(second.name, first.name);
		assert_int_equal(second.valid_until, first.valid_until);
		assert_int_equal(second.key, first.key);
	}
}

static void
what_stands_around_can_end_the_reading_and_has_a_cap(void **state UNUSED)
{
	struct told t = {.around = {.kind = ERR_UNAVAILABLE, .text = "no room"}};
	struct saml_aggregate_options o = options(&t);
	struct saml_aggregate_info info;
	struct buf b;
	const char *many;

	o.around = join;
	buf_init(&t.joined, a, 1 << 20);
	ASSERT_REFUSED(read_with(&o, bytes_of(signed_text(text)), 7, &info, &err), &err,
		       ERR_UNAVAILABLE, "no room");
	/* Each of these small ones is written with a long name. */
	buf_init(&b, a, 1 << 20);
	buf_str(&b, "<a:x xmlns:a=\"urn:a\"");
	for (int i = 0; i < 9; i++)
		buf_printf(&b, " xmlns:a%d=\"urn:%0500d\"", i, i);
	buf_str(&b, ">");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "<a%d:x/>", i % 9);
	buf_str(&b, "</a:x>");
	ASSERT_OK(buf_finish_str(&b, &many, &err), &err);
	t = (struct told){.n = 0};
	buf_init(&t.joined, a, 1 << 24);
	ASSERT_REFUSED(read_with(&o,
				 bytes_of(signed_text(
					 replace(a, text, "<x xmlns=\"urn:x\">",
						 arena_printf(a, "%s<x xmlns=\"urn:x\">", many)))),
				 4096, &info, &err),
		       &err, ERR_INPUT, "what stands around entities is too long");
}

#define IDP_OF(more)                                                                \
	"<md:IDPSSODescriptor xmlns:mdui=\"urn:oasis:names:tc:SAML:metadata:ui\" "  \
	"protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">" more \
	"</md:IDPSSODescriptor>"

static void
what_is_said_to_people(void **state UNUSED)
{
	static const char sp_role[] = "<md:SPSSODescriptor protocolSupportEnumeration=\"urn:a "
				      "urn:oasis:names:tc:SAML:2.0:protocol\">";
	static const struct {
		const char *role, *said[SAML_SAID_MOST];
	} rows[] = {
		{IDP_OF("<md:Extensions><mdui:UIInfo><mdui:DisplayName xml:lang=\"fr\">Un</mdui:"
			"DisplayName><mdui:DisplayName xml:lang=\"en\">\n One &amp; &#60;two> "
			"</mdui:DisplayName><mdui:DisplayName "
			"xml:lang=\"de\">Eins</mdui:DisplayName>"
			"<mdui:DisplayName xml:lang=\"de\">Zwei</mdui:DisplayName>"
			"<mdui:Keywords xml:lang=\"de\">a+b</mdui:Keywords><mdui:Keywords "
			"xml:lang=\"en\">c</mdui:Keywords></mdui:UIInfo></md:Extensions>"),
		 {"Eins", "One & <two>", "Un", NULL, NULL, NULL, NULL, NULL, NULL, "a+b", "c"}},
		/* Elsewhere than in the role, or with elements in it, it is no name. */
		{IDP_OF("<md:Extensions><mdui:DisplayName>no</mdui:DisplayName><mdui:UIInfo>"
			"<mdui:DisplayName xml:lang=\"de\">no<x/></mdui:DisplayName>"
			"<md:DisplayName>no</md:DisplayName><mdui:DisplayName/></mdui:UIInfo>"
			"</md:Extensions>") "<md:AttributeAuthorityDescriptor "
					    "protocolSupportEnumeration=\"a\"><md:Extensions>"
					    "<mdui:UIInfo "
					    "xmlns:mdui=\"urn:oasis:names:tc:SAML:metadata:ui\"><"
					    "mdui:DisplayName>"
					    "no</mdui:DisplayName></mdui:UIInfo></"
					    "md:Extensions><md:Organization>"
					    "<md:OrganizationDisplayName>no</"
					    "md:OrganizationDisplayName></md:Organization>"
					    "</md:AttributeAuthorityDescriptor>",
		 {NULL, NULL, ""}},
		{IDP_OF("<md:Organization><md:OrganizationName xml:lang=\"de\">no"
			"</md:OrganizationName><md:OrganizationDisplayName xml:lang=\"en\">Role"
			"</md:OrganizationDisplayName></md:Organization>") "<md:Organization><md:"
									   "OrganizationDisplayName"
									   " xml:lang=\"de\">Amt"
									   "</"
									   "md:"
									   "OrganizationDisplayName"
									   "></md:Organization>",
		 {NULL, NULL, NULL, NULL, "Role", "Role", "Amt", NULL, "Amt"}},
	};
	struct saml_aggregate_info info;
	struct told t;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *of =
			replace(a, text, sp_role, arena_printf(a, "%s%s", rows[i].role, sp_role));

		ASSERT_OK(read_all(signed_text(of), &t, &info, &err), &err);
		for (size_t k = 0; k < SAML_SAID_MOST; k++) {
			const struct bytes *said = &t.e[0].said[k];

			if (rows[i].said[k] == NULL)
				assert_null(said->p);
			else
				assert_string_equal(saml_said_text(a, *said), rows[i].said[k]);
		}
	}
}

static void
every_suite_and_both_prefix_lists_hold(void **state UNUSED)
{
	static const char *const suites[] = {"ecdsa-sha256", "rsa-sha256", "rsa-pss-sha256"};
	struct saml_aggregate_info info;
	struct told t;

	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct fixture f = federation(text);

		f.suite = saml_suite_by_name(suites[i]);
		assert_non_null(f.suite);
		f.transform_prefixes = i == 0 ? "xs md #default" : i == 1 ? "xs" : NULL;
		f.info_prefixes = i == 2 ? "xs md" : NULL;
		f.pretty = i == 1;
		if (i == 2) {
			f.digest = "http://www.w3.org/2001/04/xmlenc#sha512";
			f.digest_md = "SHA512";
		}
		ASSERT_OK(read_all(fixture_sign(a, &f), &t, &info, &err), &err);
		assert_int_equal(info.key, i == 0 ? 0 : 1);
		assert_string_equal(info.suite->name, suites[i]);
	}
}

/* Debian's xmlsec1 signs as federations' tools do. */
static void
what_xmlsec1_signs_is_taken(void **state UNUSED)
{
	const char *empty =
		"<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>"
		"<ds:CanonicalizationMethod "
		"Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>"
		"<ds:SignatureMethod "
		"Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>"
		"<ds:Reference URI=\"#_fed\"><ds:Transforms><ds:Transform "
		"Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>"
		"<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>"
		"</ds:Transforms><ds:DigestMethod "
		"Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue/>"
		"</ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>";
	const char *root = MD ":EntitiesDescriptor";
	EVP_PKEY *key = EVP_RSA_gen(2048);
	const char *argv[] = {
		"xmlsec1",
		"--sign",
		"--privkey-pem",
		pem_file(a, "federation.pem", key),
		"--id-attr:ID",
		root,
		temp_file(a, "federation.xml", bytes_of(replace(a, text, FIXTURE_PLACE, empty))),
		NULL};
	struct saml_aggregate_info info;
	struct told t = {.n = 0};
	struct saml_aggregate_options o = options(&t);
	char *out;

	assert_true(run_program(a, argv, &out));
	o.keys = (struct saml_keys){&key, 1};
	ASSERT_OK(read_with(&o, bytes_of(out), 100, &info, &err), &err);
	assert_int_equal(t.n, 3);
	EVP_PKEY_free(key);
}

/* ---- what is not signed is not believed ---- */

static void
any_octet_changed_is_noticed(void **state UNUSED)
{
	const char *of = signed_text(text);
	struct arena *outer = a;
	size_t n = strlen(of), taken = 0;

	for (size_t i = 0; i < n; i += test_size(3, 1)) {
		struct saml_aggregate_info info;
		struct told t;

		a = arena_create(64 << 20);
		char *changed = arena_strdup(a, of);

		changed[i] = (char)(changed[i] ^ 1);
		if (read_all(changed, &t, &info, NULL)) {
			/* Only what canonical XML does not hold may differ. */
			struct xml_doc *doc;
			const struct xml_node *sig;
			struct bytes was, is;

			ASSERT_OK(xml_parse(a, bytes_of(of), &xml_limits_metadata, &doc, &err),
				  &err);
			sig = xml_first(xml_root(doc));
			ASSERT_OK(xml_c14n(a, xml_root(doc), sig, NULL, 1, &was, &err), &err);
			ASSERT_OK(xml_parse(a, bytes_of(changed), &xml_limits_metadata, &doc, &err),
				  &err);
			sig = xml_first(xml_root(doc));
			ASSERT_OK(xml_c14n(a, xml_root(doc), sig, NULL, 1, &is, &err), &err);
			assert_true(bytes_eq(was, is));
			taken++;
		}
		arena_destroy(a);
	}
	a = outer;
	assert_true(taken < n / 10); /* comments, quotes, white space in tags */
}

static void
only_who_is_trusted_may_sign(void **state UNUSED)
{
	EVP_PKEY *other = EVP_EC_gen("P-256");
	struct saml_aggregate_info info;
	struct told t = {.n = 0};
	struct saml_aggregate_options o = options(&t);

	o.keys = (struct saml_keys){&other, 1};
	ASSERT_REFUSED(read_with(&o, bytes_of(signed_text(text)), 4096, &info, &err), &err,
		       ERR_DENIED, "no key of the sender verifies");
	assert_int_equal(t.n, 0); /* nothing was told before that was known */
	o.keys.n = 0;
	ASSERT_REFUSED(read_with(&o, bytes_of(signed_text(text)), 4096, &info, &err), &err,
		       ERR_DENIED, "no key of the sender verifies");
	EVP_PKEY_free(other);
}

static void
content_of_another_is_refused_at_the_end(void **state UNUSED)
{
	const char *of = signed_text(text);

	refused(replace(a, of, THREE, "https://evil.example/saml"), ERR_DENIED,
		"content is not what was signed");
	refused(replace(a, of, "2030-01-02", "2031-01-02"), ERR_DENIED,
		"content is not what was signed");
	refused(replace(a, of, "</md:EntitiesDescriptor>\n<!-- end",
			"<md:EntityDescriptor entityID=\"urn:added\"/>"
			"</md:EntitiesDescriptor>\n<!-- end"),
		ERR_DENIED, "content is not what was signed");
}

enum when {
	BEFORE,
	AFTER,
	UNSIGNED
}; /* the change is made before it is signed, after that, or it is not */

static const struct {
	const char *from, *to, *why;
	enum when when;
} shapes[] = {
	{FIXTURE_PLACE, "", "no signature in its place", UNSIGNED},
	{FIXTURE_PLACE, "<md:Extensions/>" FIXTURE_PLACE, "no signature in its place", BEFORE},
	{"<md:EntityDescriptor entityID=\"" ONE "\"",
	 "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>"
	 "<md:EntityDescriptor entityID=\"" ONE "\"",
	 "aggregate has two signatures", BEFORE},
	{"ID=\"_fed\"", "", "has no ID that its signature could name", AFTER},
	{"ID=\"_fed\"", "ID=\"\"", "has no ID that its signature could name", AFTER},
	{"ID=\"_fed\"", "ID=\"_other\"", "Reference is not to the element itself", AFTER},
	{"entityID=\"" TWO "\"", "entityID=\"" TWO "\" ID=\"_fed\"",
	 "two elements have the same ID", AFTER},
	{"entityID=\"" TWO "\"", "", "entityID is missing or too long", BEFORE},
	{"entityID=\"" TWO "\"", "entityID=\"\"", "entityID is missing or too long", BEFORE},
	{"validUntil=\"2029-01-01T00:00:00Z\"", "validUntil=\"2029-01-01\"",
	 "validUntil is no time", BEFORE},
	{"validUntil=\"2028-01-01T00:00:00Z\"", "validUntil=\"soon\"", "validUntil is no time",
	 BEFORE},
	{"validUntil=\"2030-01-02T00:00:00Z\"", "validUntil=\"soon\"", "validUntil is no time",
	 BEFORE},
	{"\"PT1H\"", "\"soon\"", "cacheDuration is no duration", BEFORE},
	{"\"PT1M\"", "\"-PT1M\"", "cacheDuration is no duration", BEFORE},
	{"<!-- end -->", "<?php?>", "processing instruction", AFTER},
	{"<!-- a federation -->", "<!DOCTYPE x>", "DTD or other declaration", AFTER},
	{"</md:EntitiesDescriptor>\n<!-- end -->", "", "XML refused: ", AFTER},
	{"</md:EntitiesDescriptor>\n<!-- end -->", "</md:EntitiesDescriptor><more/>",
	 "XML refused: ", AFTER},
};

static void
other_shapes_are_refused(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		const char *of = shapes[i].when == AFTER ? signed_text(text) : text;

		of = replace(a, of, shapes[i].from, shapes[i].to);
		refused(shapes[i].when == BEFORE ? signed_text(of) : of, ERR_INPUT, shapes[i].why);
	}
	refused("", ERR_INPUT, "no XML at all");
	refused("<md:EntitiesDescriptor xmlns:md=\"" MD "\" ID=\"_fed\"/>", ERR_INPUT,
		"aggregate has no signature");
	refused("<md:EntityDescriptor xmlns:md=\"" MD "\" ID=\"_fed\" entityID=\"x\"/>", ERR_INPUT,
		"not an EntitiesDescriptor");
}

static void
caps(void **state UNUSED)
{
	const char *of = signed_text(text);
	struct saml_aggregate_info info;
	struct told t = {.n = 0};
	struct saml_aggregate_options o = options(&t);

	o.max_bytes = 1000;
	ASSERT_REFUSED(read_with(&o, bytes_of(of), 4096, &info, &err), &err, ERR_INPUT,
		       "more than 1000 octets");
	o = options(&t);
	o.max_entities = 2;
	ASSERT_REFUSED(read_with(&o, bytes_of(of), 4096, &info, &err), &err, ERR_INPUT,
		       "too many entities");
	o = options(&t);
	o.max_entity_bytes = 256;
	ASSERT_REFUSED(read_with(&o, bytes_of(of), 4096, &info, &err), &err, ERR_INPUT,
		       "an entity is too long");
	o = options(&t);
	t.refuse = true;
	ASSERT_REFUSED(read_with(&o, bytes_of(of), 4096, &info, &err), &err, ERR_UNAVAILABLE,
		       "no room");
}

static const char *
with_repeated(const char *head, size_t n, const char *unit, const char *tail)
{
	const char *out;
	struct buf b;

	buf_init(&b, a, 64 << 20);
	buf_str(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_str(&b, unit);
	buf_str(&b, tail);
	ASSERT_OK(buf_finish_str(&b, &out, &err), &err);
	return out;
}

#define OPEN "<md:EntitiesDescriptor xmlns:md=\"" MD "\" ID=\"_fed\">"

/* A stranger's octets cost no more than their cap: nothing behind them is looked at. */
static void
a_head_without_end_is_refused(void **state UNUSED)
{
	refused(with_repeated(OPEN, 300000, " ", ""), ERR_INPUT, "no signature in its first");
	refused(with_repeated("", 300000, "\n", ""), ERR_INPUT, "no signature in its first");
	refused(with_repeated(OPEN "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">",
			      20000, "<ds:x/>", ""),
		ERR_INPUT, "signature is too long");
	refused(with_repeated(OPEN "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">",
			      100000, "x", ""),
		ERR_INPUT, "signature is too long");
	refused(with_repeated(OPEN, 12, "<md:EntitiesDescriptor>", ""), ERR_INPUT,
		"no signature in its place");
	refused(signed_text(with_repeated(OPEN FIXTURE_PLACE, 8, "<md:EntitiesDescriptor>",
					  "</md:EntitiesDescriptor></md:EntitiesDescriptor>"
					  "</md:EntitiesDescriptor></md:EntitiesDescriptor>"
					  "</md:EntitiesDescriptor></md:EntitiesDescriptor>"
					  "</md:EntitiesDescriptor></md:EntitiesDescriptor>"
					  "</md:EntitiesDescriptor>")),
		ERR_INPUT, "groups within groups too deeply");
}

static void
a_great_many_small_ones_are_told_of_in_order(void **state UNUSED)
{
	const char *small = "<md:EntityDescriptor entityID=\"e\"/>";
	struct saml_aggregate_info info;
	struct told t;

	ASSERT_OK(read_all(signed_text(with_repeated(OPEN FIXTURE_PLACE, 20000, small,
						     "</md:EntitiesDescriptor>")),
			   &t, &info, &err),
		  &err);
	assert_int_equal(t.n, 20000);
	assert_string_equal(text_of(a, t.e[15].text),
			    "<md:EntityDescriptor xmlns:md=\"" MD "\" entityID=\"e\">"
			    "</md:EntityDescriptor>");
}

/* ---- what is kept of one that a party is followed by ---- */

static void
a_party_keeps_what_is_said_of_it(void **state UNUSED)
{
	const char *of = signed_text(text);
	const struct saml_party *party;
	struct bytes out;

	ASSERT_OK(saml_metadata_verify(a, bytes_of(of), ONE, fixture_keys(), &out, &err), &err);
	assert_null(strstr(text_of(a, out), TWO));
	ASSERT_OK(saml_metadata_parse(a, out, ONE, &party, &err), &err);
	assert_int_equal(party->valid_until, at("2029-01-01T00:00:00Z"));
	assert_int_equal(party->cache_s, 3600);
	ASSERT_OK(saml_metadata_verify(a, bytes_of(of), THREE, fixture_keys(), &out, &err), &err);
	assert_non_null(strstr(text_of(a, out), "validUntil=\"2030-01-02T00:00:00Z\""));

	ASSERT_REFUSED(
		saml_metadata_verify(a, bytes_of(of), "urn:aside", fixture_keys(), &out, &err),
		&err, ERR_NOT_FOUND, "metadata holds no such entity");
	ASSERT_REFUSED(saml_metadata_verify(a, bytes_of(of), NULL, fixture_keys(), &out, &err),
		       &err, ERR_INPUT, "metadata of several entities: name one");
	of = signed_text(replace(a, text, "entityID=\"" THREE, "entityID=\"" ONE));
	ASSERT_REFUSED(saml_metadata_verify(a, bytes_of(of), ONE, fixture_keys(), &out, &err), &err,
		       ERR_INPUT, "metadata names the entity twice");
	ASSERT_REFUSED(saml_metadata_verify(a, bytes_of(replace(a, of, TWO, "urn:two")), TWO,
					    fixture_keys(), &out, &err),
		       &err, ERR_DENIED, "content is not what was signed");
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(each_entity_is_told_of),
		CASE(the_text_of_an_entity_is_its_own),
		CASE(a_declaration_that_is_not_digested_is_not_told),
		CASE(every_suite_and_both_prefix_lists_hold),
		CASE(what_is_told_is_an_aggregate_that_says_the_same),
		CASE(what_stands_around_can_end_the_reading_and_has_a_cap),
		CASE(what_is_said_to_people),
		CASE(what_xmlsec1_signs_is_taken),
		CASE(any_octet_changed_is_noticed),
		CASE(only_who_is_trusted_may_sign),
		CASE(content_of_another_is_refused_at_the_end),
		CASE(other_shapes_are_refused),
		CASE(caps),
		CASE(a_head_without_end_is_refused),
		CASE(a_great_many_small_ones_are_told_of_in_order),
		CASE(a_party_keeps_what_is_said_of_it),
	};

	return cmocka_run_group_tests_name("aggregate", tests, NULL, NULL);
}
