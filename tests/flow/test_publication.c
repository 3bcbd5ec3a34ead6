/* A federation's administration: what it publishes of members, when, and who may read what. */
#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "db/member.h"
#include "idp/publication.h"
#include "keys/cert.h"
#include "saml/aggregate.h"
#include "saml/metadata.h"
#include "tests/flow/world.h"
#include "tests/test.h"

#define NAME "urn:example:federation"
#define ONE  "https://one.example/md"
#define TWO  "https://two.example/md"

static struct err err;

/* Nobody is in the register, and we are an administration. */
static int
setup(void **state)
{
	struct world *w;

	if (world_fresh(state) != 0)
		return -1;
	w = *state;
	pg_sql(w->pg, "TRUNCATE member, member_document, member_change, publication,"
		      " publication_member");
	w->config.federation_name = NAME;
	err_clear(&err);
	return 0;
}

static const char *
document(struct world *w, const char *entity_id, const char *until)
{
	return arena_printf(
		w->a,
		"<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" "
		"entityID=\"%s\"%s><md:SPSSODescriptor protocolSupportEnumeration="
		"\"urn:oasis:names:tc:SAML:2.0:protocol\"><md:AssertionConsumerService "
		"index=\"0\" Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" "
		"Location=\"%s/acs\"></md:AssertionConsumerService></md:SPSSODescriptor>"
		"</md:EntityDescriptor>",
		entity_id, until, entity_id);
}

static void
add_document(struct world *w, const char *entity_id, const char *text, time_t until)
{
	const struct db_member_document d = {.entity_id = entity_id,
					     .document = bytes_of(text),
					     .valid_until = until,
					     .brought_by = "one"};
	unsigned char sha256[SHA256_BYTES];

	hash_sha256(d.document, sha256);
	ASSERT_OK(db_member_bring(&w->pg->c, &d, NULL, w->now, &err), &err);
	ASSERT_OK(db_member_approve(&w->pg->c, entity_id, (struct bytes){sha256, SHA256_BYTES},
				    until, "two", NULL, w->now, &err),
		  &err);
}

static void
add(struct world *w, const char *entity_id)
{
	add_document(w, entity_id, document(w, entity_id, ""), 0);
}

static void
suspend(struct world *w, const char *entity_id)
{
	ASSERT_OK(db_member_suspend(&w->pg->c, entity_id, "one", "stolen key", NULL, w->now, &err),
		  &err);
}

/* What a node does every few seconds, and what it then serves. */
static void
keep(struct world *w)
{
	ASSERT_OK(publication_keep(&w->app, &w->pg->c, w->now, &err), &err);
	world_reload(w);
}

static const char *
publications(struct world *w)
{
	return world_value(w, "SELECT count(*) FROM publication");
}

static const char *
query_path(struct world *w, const char *entity_id)
{
	unsigned char sha1[SHA1_BYTES];

	hash_sha1(bytes_of(entity_id), sha1);
	return arena_printf(w->a, PUBLICATION_ENTITIES_PATH "/%%7Bsha1%%7D%s",
			    enc_hex(w->a, (struct bytes){sha1, SHA1_BYTES}));
}

/* The key by which who follows knows us. */
static struct saml_keys
anchor(struct world *w)
{
	const struct key *k = keyring_active(w->signer->keys, KEY_FEDERATION_SIGN, KEY_P256);
	EVP_PKEY **pub = ARENA_NEW(w->a, EVP_PKEY *);
	struct cert cert;

	ASSERT_OK(cert_parse(w->a, k->row.cert, &cert, &err), &err);
	*pub = cert.pub;
	return (struct saml_keys){pub, 1};
}

static bool
note(void *ctx, const struct saml_entity *e, struct err *e_err UNUSED)
{
	struct web *b = ctx;

	assert_string_equal(e->registrar, BASE);
	b->location = arena_printf(b->w->a, "%s%s ", b->location, e->entity_id);
	return true;
}

/* "ONE TWO " in what is served as the whole, verified; "" for none. */
static const char *
served(struct web *b, time_t *until)
{
	struct saml_aggregate_options o = {.keys = anchor(b->w),
					   .max_bytes = 1 << 20,
					   .max_entities = 10,
					   .max_entity_bytes = 1 << 16,
					   .entity = note,
					   .ctx = b};
	struct saml_aggregate_info info;
	struct saml_aggregate *g;

	web_get(b, PUBLICATION_PATH);
	if (b->status == 404)
		return "";
	assert_int_equal(b->status, 200);
	assert_string_equal(b->type, "application/samlmetadata+xml");
	b->location = "";
	g = saml_aggregate_begin(b->w->a, &o);
	ASSERT_OK(saml_aggregate_add(g, bytes_of(b->body), &err) &&
			  saml_aggregate_end(g, &info, &err),
		  &err);
	assert_string_equal(info.name, NAME);
	if (until != NULL)
		*until = info.valid_until;
	return b->location;
}

static void
who_is_no_administration_has_none_of_it(void **state)
{
	struct world *w = *state;
	struct web b;

	add(w, ONE);
	keep(w);
	w->config.federation_name = NULL;
	keep(w);
	assert_string_equal(publications(w), "1");
	web_init(&b, w);
	web_get(&b, PUBLICATION_PATH);
	assert_int_equal(b.status, 404);
	web_get(&b, PUBLICATION_ENTITIES_PATH);
	assert_int_equal(b.status, 404);
	web_get(&b, query_path(w, ONE));
	assert_int_equal(b.status, 404);
	web_get(&b, PUBLICATION_CHANGES_PATH);
	assert_int_equal(b.status, 404);
}

static void
members_are_published_when_they_change(void **state)
{
	struct world *w = *state;
	struct web b;
	time_t until;

	web_init(&b, w);
	keep(w);
	assert_string_equal(publications(w), "0"); /* of nobody nothing is said */
	assert_string_equal(served(&b, NULL), "");
	add(w, ONE);
	keep(w);
	assert_string_equal(served(&b, &until), ONE " ");
	assert_int_equal(until, w->now + 5 * 86400);
	add(w, TWO);
	keep(w);
	keep(w);
	assert_string_equal(publications(w), "2"); /* once for each change */
	assert_string_equal(served(&b, NULL), ONE " " TWO " ");
	web_get(&b, PUBLICATION_ENTITIES_PATH); /* all, as queries ask for it */
	assert_non_null(strstr(b.body, TWO));
	suspend(w, ONE);
	keep(w);
	assert_string_equal(served(&b, NULL), TWO " ");
	suspend(w, TWO);
	keep(w);
	assert_string_equal(served(&b, NULL), "");
	assert_string_equal(world_value(w, "SELECT count(*) FROM audit WHERE event ="
					   " 'metadata_published' AND details->>'by' = 'schedule'"
					   " AND details->>'members' = '0'"),
			    "1");
}

static void
it_is_signed_anew_in_time(void **state)
{
	struct world *w = *state;
	struct web b;
	time_t until;

	web_init(&b, w);
	add(w, ONE);
	keep(w);
	w->now += 6 * 3600 - 1;
	keep(w);
	assert_string_equal(publications(w), "1");
	w->now++;
	keep(w);
	assert_string_equal(publications(w), "2");
	(void)served(&b, &until);
	assert_int_equal(until, w->now + 5 * 86400);
}

static void
a_member_whose_time_is_over_is_left_out(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	add(w, ONE);
	add_document(w, TWO, document(w, TWO, ""), w->now + 100);
	keep(w);
	assert_string_equal(served(&b, NULL), ONE " " TWO " ");
	web_get(&b, query_path(w, TWO));
	assert_non_null(strstr(
		b.body, arena_printf(w->a, "validUntil=\"%s\"", clock_text(w->a, w->now + 100))));
	w->now += 6 * 3600;
	keep(w);
	assert_string_equal(served(&b, NULL), ONE " ");
	web_get(&b, query_path(w, TWO));
	assert_int_equal(b.status, 404);
}

static void
each_member_can_be_asked_for(void **state)
{
	struct world *w = *state;
	const struct saml_party *p;
	const char *path;
	struct bytes text;
	struct web b;

	web_init(&b, w);
	add(w, ONE);
	keep(w);
	path = query_path(w, ONE);
	web_get(&b, path);
	assert_int_equal(b.status, 200);
	assert_string_equal(b.type, "application/samlmetadata+xml");
	ASSERT_OK(saml_metadata_verify(w->a, bytes_of(b.body), ONE, anchor(w), &text, &err), &err);
	ASSERT_OK(saml_metadata_parse(w->a, text, ONE, &p, &err), &err);
	assert_int_equal(p->valid_until, w->now + 5 * 86400);
	assert_int_equal(p->cache_s, 3600);
	web_get(&b, query_path(w, TWO));
	assert_int_equal(b.status, 404);
	web_get(&b, PUBLICATION_ENTITIES_PATH "/"
					      "one");
	assert_int_equal(b.status, 404);
	web_get(&b, arena_printf(w->a, "%.*s", (int)strlen(path) - 2, path));
	assert_int_equal(b.status, 404);
	/* Who is suspended is gone at once, before it is published. */
	suspend(w, ONE);
	web_get(&b, path);
	assert_int_equal(b.status, 404);
}

static void
changes_can_be_followed(void **state)
{
	struct world *w = *state;
	const json_t *o, *list;
	struct web b;

	web_init(&b, w);
	add(w, ONE);
	add(w, TWO);
	suspend(w, ONE);
	web_get(&b, PUBLICATION_CHANGES_PATH "?since=1");
	assert_int_equal(b.status, 200);
	o = web_json(&b);
	list = json_object_get(o, "changes");
	assert_int_equal(json_array_size(list), 2);
	assert_false(json_boolean_value(json_object_get(o, "more")));
	o = json_array_get(list, 0);
	assert_int_equal(json_integer_value(json_object_get(o, "number")), 2);
	assert_string_equal(text_member(o, "entity_id"), TWO);
	assert_string_equal(text_member(o, "what"), "added");
	assert_string_equal(text_member(o, "at"), clock_text(w->a, w->now));
	assert_string_equal(text_member(json_array_get(list, 1), "what"), "suspended");
	web_get(&b, PUBLICATION_CHANGES_PATH);
	assert_int_equal(json_array_size(json_object_get(web_json(&b), "changes")), 3);
	static const char *const wrong[] = {"x", "", "-1", "1x", "9999999999999999999"};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		web_get(&b, arena_printf(w->a, PUBLICATION_CHANGES_PATH "?since=%s", wrong[i]));
		assert_int_equal(b.status, 400);
	}
}

/* ---- what must not be published ---- */

static struct account_work
work_of(struct world *w)
{
	return (struct account_work){.a = w->a,
				     .db = w->pg->c,
				     .signer = w->signer->s,
				     .keyring = w->signer->keys,
				     .ref = "test",
				     .now = w->now};
}

static void
what_would_not_be_read_does_not_take_the_place_of_what_is(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	add(w, ONE);
	keep(w);
	/* As if the database had been written to by hand. */
	add_document(w, TWO, "<md:EntityDescriptor", 0);
	assert_false(publication_keep(&w->app, &w->pg->c, w->now, &err));
	world_reload(w);
	assert_string_equal(served(&b, NULL), ONE " ");
	err_clear(&err);
	add_document(w, TWO, document(w, ONE, ""), 0); /* a member under another's name */
	ASSERT_REFUSED(publication_keep(&w->app, &w->pg->c, w->now, &err), &err, ERR_DENIED,
		       "another name");
	add_document(w, TWO, arena_printf(w->a, "%s%s", document(w, TWO, ""), document(w, TWO, "")),
		     0);
	ASSERT_REFUSED(publication_keep(&w->app, &w->pg->c, w->now, &err), &err, ERR_INPUT, "");
	assert_string_equal(publications(w), "1");
}

static void
of_two_who_publish_one_does(void **state)
{
	struct world *w = *state;
	struct account_work work = work_of(w);
	struct db_publication p;

	add(w, ONE);
	ASSERT_OK(publication_make(&work, &w->config, "one", &p, &err), &err);
	assert_int_equal(p.members, 1);
	/* The younger one comes between: as if it had looked before. */
	pg_sql(w->pg, "UPDATE publication SET base = 1000");
	pg_sql(w->pg, "CREATE FUNCTION faster() RETURNS trigger LANGUAGE plpgsql AS"
		      " 'BEGIN UPDATE publication SET base = NEW.base; RETURN NEW; END'");
	pg_sql(w->pg, "CREATE TRIGGER faster BEFORE INSERT ON publication"
		      " FOR EACH ROW EXECUTE FUNCTION faster()");
	ASSERT_REFUSED(publication_make(&work, &w->config, "one", &p, &err), &err, ERR_CONFLICT,
		       "");
	add(w, TWO);
	ASSERT_OK(publication_keep(&w->app, &w->pg->c, w->now, &err), &err); /* it was done */
	pg_sql(w->pg, "DROP FUNCTION faster CASCADE");
	assert_string_equal(publications(w), "1");
}

static void
without_a_key_nothing_is_published(void **state)
{
	struct world *w = *state;
	struct account_work work = work_of(w);
	struct db_publication p;

	add(w, ONE);
	ASSERT_OK(keyring_create(w->a, NULL, 0, &work.keyring, &err), &err);
	ASSERT_REFUSED(publication_make(&work, &w->config, "one", &p, &err), &err, ERR_UNAVAILABLE,
		       "no active federation-sign key");
	assert_string_equal(publications(w), "0");
}

#define T(test) cmocka_unit_test_setup(test, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(who_is_no_administration_has_none_of_it),
		T(members_are_published_when_they_change),
		T(it_is_signed_anew_in_time),
		T(a_member_whose_time_is_over_is_left_out),
		T(each_member_can_be_asked_for),
		T(changes_can_be_followed),
		T(what_would_not_be_read_does_not_take_the_place_of_what_is),
		T(of_two_who_publish_one_does),
		T(without_a_key_nothing_is_published),
	};

	return cmocka_run_group_tests_name("publication", tests, world_setup, world_teardown);
}
