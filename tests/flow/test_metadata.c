/* What peers read about us by SAML: the general view, and what a party reads at its own address. */
#include "base/hash.h"
#include "base/text.h"
#include "idp/publish_saml.h"
#include "saml/names.h"
#include "saml/xmlsig.h"
#include "tests/flow/world.h"
#include "tests/saml/portal.h"
#include "tests/saml/xsd.h"
#include "tests/test.h"

#define MD SAML_NS_METADATA

/* The document at a path: valid by the schemas, its signature good, and by a key of this type. */
static const struct xml_node *
read_view(struct world *w, const char *path, enum key_type type)
{
	const struct key *k = keyring_active(w->signer->keys, KEY_SAML_SIGN, type);
	struct saml_keys ours = {&(EVP_PKEY *){k->pub}, 1};
	struct saml_signed *verified;
	struct err err = {0};
	struct xml_doc *doc;
	struct web b;

	web_init(&b, w);
	web_get(&b, path);
	if (b.status != 200)
		fail_msg("%s: %d", path, b.status);
	assert_schema_valid(w->a, bytes_of(b.body));
	ASSERT_OK(xml_parse(w->a, bytes_of(b.body), &xml_limits_metadata, &doc, &err), &err);
	ASSERT_OK(xmlsig_verify(w->a, xml_root(doc), ours, &verified, &err), &err);
	return saml_signed_root(verified);
}

static const struct xml_node *
nth(const struct xml_node *n, const char *ns, const char *name, size_t i)
{
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
		if (xml_is(c, ns, name) && i-- == 0)
			return c;
	return NULL;
}

static size_t
count(const struct xml_node *n, const char *ns, const char *name)
{
	size_t i = 0;

	while (nth(n, ns, name, i) != NULL)
		i++;
	return i;
}

static const struct xml_node *
role_of(const struct xml_node *entity)
{
	return portal_child(entity, MD, "IDPSSODescriptor");
}

static size_t
keys_for(const struct xml_node *entity, const char *use)
{
	const struct xml_node *k;
	size_t n = 0;

	for (size_t i = 0; (k = nth(role_of(entity), MD, "KeyDescriptor", i)) != NULL; i++)
		n += strcmp(xml_attr(k, "use"), use) == 0;
	return n;
}

static bool
says_format(struct world *w, const struct xml_node *entity, const char *uri)
{
	const struct xml_node *f;

	for (size_t i = 0; (f = nth(role_of(entity), MD, "NameIDFormat", i)) != NULL; i++)
		if (strcmp(portal_text(w->a, f), uri) == 0)
			return true;
	return false;
}

static bool
says_method(const struct xml_node *entity, const char *uri)
{
	const struct xml_node *ext = portal_child(entity, MD, "Extensions"), *m;

	for (size_t i = 0; (m = nth(ext, SAML_NS_ALG, "SigningMethod", i)) != NULL; i++)
		if (strcmp(xml_attr(m, "Algorithm"), uri) == 0)
			return true;
	return false;
}

static const char *
own_path(struct world *w)
{
	return publish_party_path(w->a, SAML_PARTY);
}

static void
the_general_view_shows_every_key(void **state)
{
	struct world *w = *state;
	const struct xml_node *entity = read_view(w, METADATA_PATH, KEY_P256);

	assert_string_equal(xml_attr(entity, "cacheDuration"), "PT21600S");
	assert_int_equal(keys_for(entity, "signing"), 5);
	assert_int_equal(keys_for(entity, "encryption"), 5);
	assert_true(says_format(w, entity, SAML_NAMEID_TRANSIENT));
	assert_true(says_format(w, entity, SAML_NAMEID_PERSISTENT));
	assert_false(says_format(w, entity, SAML_NAMEID_EMAIL));
	assert_false(says_method(entity, saml_suite_by_name("rsa-sha256")->uri));
	assert_true(says_method(entity, saml_suite_by_name("rsa-pss-sha256")->uri));
	assert_true(count(role_of(entity), SAML_NS_ASSERTION, "Attribute") > 20);
	/* Nothing is set up: no contact, no certification. */
	assert_int_equal(count(entity, MD, "ContactPerson"), 0);
	assert_int_equal(count(portal_child(entity, MD, "Extensions"), SAML_NS_ATTRIBUTE,
			       "EntityAttributes"),
			 0);
}

static void
endpoints_are_listed_for_whom_they_answer(void **state)
{
	static const struct {
		const char *policy; /* NULL: the general view */
		size_t sign_on, authorities;
	} views[] = {
		{NULL, 3, 1},
		{"{}", 2, 0},
		{"{\"ecp\":\"yes\"}", 3, 0},
		{"{\"attribute-query\":\"yes\"}", 2, 1},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(views); i++) {
		if (views[i].policy != NULL)
			world_saml_party(w, views[i].policy);
		const struct xml_node *entity = read_view(
			w, views[i].policy == NULL ? METADATA_PATH : own_path(w), KEY_P256);

		assert_int_equal(count(role_of(entity), MD, "SingleSignOnService"),
				 views[i].sign_on);
		assert_int_equal(count(entity, MD, "AttributeAuthorityDescriptor"),
				 views[i].authorities);
	}
	world_saml_party(w, "{}");
}

static void
a_party_reads_what_is_true_for_it(void **state)
{
	struct world *w = *state;
	const struct xml_node *entity;

	world_saml_party(w, "{}");
	entity = read_view(w, own_path(w), KEY_P256);
	assert_int_equal(keys_for(entity, "signing"), 1);
	assert_int_equal(keys_for(entity, "encryption"), 5);
	assert_string_equal(xml_attr(role_of(entity), "WantAuthnRequestsSigned"), "true");

	world_saml_party(w, "{\"suite\":\"es384\",\"nameid\":[\"email\"],"
			    "\"attribute\":[\"email\"],\"accept-unsigned\":\"yes\"}");
	entity = read_view(w, own_path(w), KEY_P384);
	assert_int_equal(keys_for(entity, "signing"), 1);
	assert_true(says_format(w, entity, SAML_NAMEID_EMAIL));
	assert_false(says_format(w, entity, SAML_NAMEID_TRANSIENT));
	assert_string_equal(xml_attr(role_of(entity), "WantAuthnRequestsSigned"), "false");

	/* One that knows RSA alone; what is old counts until its day. */
	world_saml_party(w, "{\"suite\":\"rs256\",\"old-until\":\"2027-05-31\"}");
	entity = read_view(w, own_path(w), KEY_RSA3072);
	assert_int_equal(keys_for(entity, "signing"), 1);
	assert_int_equal(keys_for(entity, "encryption"), 1);
	assert_true(says_method(entity, saml_suite_by_name("rsa-sha256")->uri));
	world_saml_party(w, "{\"suite\":\"rs256\",\"old-until\":\"2020-05-31\"}");
	assert_int_equal(keys_for(read_view(w, own_path(w), KEY_P256), "signing"), 5);
	world_saml_party(w, "{}");
}

static void
a_party_reads_of_the_key_that_follows_also_of_another_type(void **state)
{
	struct world *w = *state;
	const struct keyring *before = w->signer->keys;
	struct key_row rows[32];
	const struct key *k;
	struct err err = {0};
	size_t n = 0;

	for (size_t i = 0; (k = keyring_each(before, &i)) != NULL; n++) {
		rows[n] = k->row;
		if (k->row.purpose == KEY_SAML_SIGN && k->row.type == KEY_P256)
			rows[n].state = KEY_PUBLISHED;
	}
	ASSERT_OK(keyring_create(w->a, rows, n, &w->signer->keys, &err), &err);
	world_saml_party(w, "{}");
	assert_int_equal(keys_for(read_view(w, own_path(w), KEY_P384), "signing"), 2);
	/* Its record names another. */
	world_saml_party(w, "{\"suite\":\"es384\"}");
	assert_int_equal(keys_for(read_view(w, own_path(w), KEY_P384), "signing"), 1);
	w->signer->keys = before;
	world_saml_party(w, "{}");
}

static void
who_is_no_party_has_no_address(void **state)
{
	struct world *w = *state;
	const char *path = own_path(w);
	struct web b;

	web_init(&b, w);
	web_get(&b, path);
	assert_int_equal(b.status, 200);
	web_get(&b, arena_printf(w->a, "%sx", path));
	assert_int_equal(b.status, 404);
	web_get(&b, publish_party_path(w->a, "https://nobody.example/"));
	assert_int_equal(b.status, 404);
	web_get(&b, publish_party_path(w->a, OIDC_CLIENT));
	assert_int_equal(b.status, 404);
	world_disable(w, SAML_PARTY);
	web_get(&b, path);
	assert_int_equal(b.status, 404);
	world_saml_party(w, "{}");
}

static void
parties_of_one_kind_share_a_document(void **state)
{
	struct world *w = *state;
	const char *first = own_path(w);

	world_saml_party(w, "{}");
	w->saml_party = "https://second.example/metadata";
	world_saml_party(w, "{}");
	const struct snapshot *snap = snapshot_hold(&w->app.snapshots);
	const struct document *one = documents_find(&snap->documents, bytes_of(first)),
			      *two = documents_find(
				      &snap->documents,
				      bytes_of(publish_party_path(w->a, w->saml_party)));

	assert_non_null(one);
	assert_ptr_equal(one, two);
	snapshot_release(snap);
	world_disable(w, w->saml_party);
	w->saml_party = NULL;
}

static void
what_is_set_up_is_said(void **state)
{
	static const char more[] =
		"site_description = Ein Konto f\xc3\xbcr alle Portale.\n"
		"logo = 80x60 https://konto.example/logo.png\n"
		"organization_name = Land Beispiel\n"
		"organization_url = https://land.example/\n"
		"privacy_url = https://konto.example/datenschutz\n"
		"contact_email = post@konto.example\n"
		"contact_security = sicherheit@konto.example\n"
		"assurance = low substantial\n"
		"entity_categories = http://refeds.org/category/a http://refeds.org/category/b\n"
		"entity_category_support = http://refeds.org/category/c\n";
	struct world *w = *state;
	const struct config before = w->config;
	struct err err = {0};

	ASSERT_OK(config_parse(w->pg->a, "test.conf",
			       bytes_of(arena_printf(w->a,
						     "instance = test\nbase_url = " BASE "\n"
						     "listen = 127.0.0.1:1\n"
						     "database = unused\n"
						     "master_key_file = /dev/null\n%s",
						     more)),
			       false, &w->config, &err),
		  &err);
	world_saml_party(w, "{}");
	const struct xml_node *entity = read_view(w, METADATA_PATH, KEY_P256);
	const struct xml_node *ext = portal_child(entity, MD, "Extensions");
	const struct xml_node *list = portal_child(ext, SAML_NS_ATTRIBUTE, "EntityAttributes");
	const struct xml_node *org = portal_child(entity, MD, "Organization"), *at;
	const struct xml_node *ui = portal_child(portal_child(role_of(entity), MD, "Extensions"),
						 SAML_NS_MDUI, "UIInfo");
	static const char *const stated[] = {
		"http://eidas.europa.eu/LoA/low", "http://eidas.europa.eu/LoA/substantial",
		"http://bsi.bund.de/eID/LoA/normal", "http://bsi.bund.de/eID/LoA/substantiell"};

	assert_int_equal(count(list, SAML_NS_ASSERTION, "Attribute"), 3);
	at = nth(list, SAML_NS_ASSERTION, "Attribute", 0);
	assert_int_equal(count(at, SAML_NS_ASSERTION, "AttributeValue"), ARRAY_LEN(stated));
	for (size_t i = 0; i < ARRAY_LEN(stated); i++)
		assert_string_equal(
			portal_text(w->a, nth(at, SAML_NS_ASSERTION, "AttributeValue", i)),
			stated[i]);
	at = nth(list, SAML_NS_ASSERTION, "Attribute", 1);
	assert_int_equal(count(at, SAML_NS_ASSERTION, "AttributeValue"), 2);
	at = nth(list, SAML_NS_ASSERTION, "Attribute", 2);
	assert_string_equal(xml_attr(at, "Name"), "http://macedir.org/entity-category-support");
	assert_string_equal(portal_text(w->a, nth(org, MD, "OrganizationName", 0)),
			    "Land Beispiel");
	assert_string_equal(portal_text(w->a, nth(org, MD, "OrganizationURL", 0)),
			    "https://land.example/");
	assert_string_equal(portal_text(w->a, nth(ui, SAML_NS_MDUI, "DisplayName", 0)),
			    "Servicekonto");
	assert_non_null(nth(ui, SAML_NS_MDUI, "Description", 0));
	assert_non_null(nth(ui, SAML_NS_MDUI, "Logo", 0));
	assert_non_null(nth(ui, SAML_NS_MDUI, "PrivacyStatementURL", 0));
	assert_int_equal(count(entity, MD, "ContactPerson"), 4);
	for (size_t i = 0; i < 4; i++) {
		const struct xml_node *c = nth(entity, MD, "ContactPerson", i);
		bool security = xml_attr_ns(c, SAML_NS_REFEDS, "contactType") != NULL;

		assert_int_equal(security, i == 3);
		assert_string_equal(portal_text(w->a, nth(c, MD, "EmailAddress", 0)),
				    security ? "mailto:sicherheit@konto.example"
					     : "mailto:post@konto.example");
	}
	/* What is stated binds: nobody is told of more. */
	const struct snapshot *snap = snapshot_hold(&w->app.snapshots);

	assert_int_equal(party_find(&snap->parties, SAML_PARTY)->policy.level_cap,
			 LEVEL_SUBSTANTIAL);
	snapshot_release(snap);
	w->config = before;
	world_saml_party(w, "{}");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_general_view_shows_every_key, world_fresh),
		cmocka_unit_test_setup(endpoints_are_listed_for_whom_they_answer, world_fresh),
		cmocka_unit_test_setup(a_party_reads_of_the_key_that_follows_also_of_another_type,
				       world_fresh),
		cmocka_unit_test_setup(a_party_reads_what_is_true_for_it, world_fresh),
		cmocka_unit_test_setup(who_is_no_party_has_no_address, world_fresh),
		cmocka_unit_test_setup(parties_of_one_kind_share_a_document, world_fresh),
		cmocka_unit_test_setup(what_is_set_up_is_said, world_fresh),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
