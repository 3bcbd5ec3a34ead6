/* Two other providers; see home.h. */
#include "tests/flow/home.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "db/upstream.h"
#include "idp/federation_take.h"
#include "keys/cert.h"
#include "keys/cert_build.h"
#include "saml/names.h"
#include "tests/saml/fixture.h"
#include "tests/saml/portal.h"

static const struct provider {
	const char *id, *name, *entity, *sso, *suite;
} providers[] = {
	{BADEN, "Servicekonto Baden", PROVIDER_ENTITY, PROVIDER_SSO, "ecdsa-sha256"},
	{HESSEN, "Servicekonto Hessen", HESSEN_IDP, HESSEN_SSO, "ecdsa-sha384"},
};

static bool members; /* they are not registered by hand */

static const struct provider *
provider(const char *id)
{
	for (size_t i = 0; i < ARRAY_LEN(providers); i++)
		if (text_eq(providers[i].id, id))
			return &providers[i];
	fail_msg("no provider %s", id);
	return NULL;
}

void
home_upstream(struct world *w, const char *id, const char *kind, const char *policy)
{
	const struct provider *p = provider(id);
	struct db_upstream row = {
		.id = id,
		.kind = kind,
		.display_name = p->name,
		.document = bytes_of(provider_metadata(w->a, w->keys, p->entity, p->sso, p->suite)),
		.policy = policy,
		.enabled = true,
	};
	struct db_audit audit = {.event = "upstream_saved", .ref = "test"};
	struct err err = {0};

	ASSERT_OK(db_upstream_save(&w->pg->c, &row, &audit, w->now, &err), &err);
	world_reload(w);
}

int
home_setup(void **state)
{
	if (steps_setup(state) != 0)
		return 1;
	home_upstream(*state, BADEN, "fink", CAP_HIGH);
	home_upstream(*state, HESSEN, "saml", "{}");
	return world_fresh(state);
}

/* ---- members of a federation ---- */

#define DAY_S ((time_t)86400)

static struct db_call
call(struct world *w)
{
	return (struct db_call){w->pg->db, w->a, clock_mono_us() + 60 * 1000000LL};
}

const char *
home_id(const char *id)
{
	return members ? provider(id)->entity : id;
}

const char *
home_member(struct world *w, const char *id, const char *scope, const char *more, const char *suite)
{
	const struct provider *p = provider(id);
	const char *text = provider_metadata(w->a, w->keys, p->entity, p->sso,
					     suite == NULL ? p->suite : suite);
	const char *key = strstr(text, "<md:KeyDescriptor");

	return arena_printf(
		w->a,
		"%.*s<md:Extensions><mdui:UIInfo xmlns:mdui=\"" SAML_NS_MDUI
		"\"><mdui:DisplayName xml:lang=\"de\">%s</mdui:DisplayName></mdui:UIInfo>%s%s"
		"</md:Extensions>%s",
		(int)(key - text), text, p->name,
		scope == NULL ? ""
			      : arena_printf(w->a,
					     "<shibmd:Scope xmlns:shibmd=\"" SAML_NS_SHIBMD
					     "\">%s</shibmd:Scope>",
					     scope),
		more == NULL ? "" : more, key);
}

void
home_source(struct world *w, const char *name, const char *rules)
{
	struct db_federation_source s = {.name = name, .kind = DB_FEDERATION_FILE, .rules = rules};
	struct db_call c = call(w);
	struct err err = {0};
	struct bytes der;

	ASSERT_OK(cert_build_for(w->a, fixture_keys().key[0], "verbund", clock_now() - 100, 10000,
				 &der, &err),
		  &err);
	s.signers =
		arena_printf(w->a, "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n",
			     enc_base64(w->a, der));
	ASSERT_OK(db_federation_put(&c, &s, NULL, w->now, &err), &err);
	world_reload(w);
}

void
home_federation(struct world *w, const char *rules)
{
	pg_sql(w->pg, "DELETE FROM federation_source; DELETE FROM federation_suspended");
	w->app.federation = federation_create(w->pg->a, &w->app); /* outlives a test */
	home_source(w, HOME_SOURCE, rules);
}

/* Signed, until in a week. */
static const char *
aggregate(struct world *w, const char *all)
{
	struct fixture f = fixture_request();

	f.text = arena_printf(w->a,
			      "<md:EntitiesDescriptor xmlns:md=\"" SAML_NS_METADATA
			      "\" ID=\"_fed\" validUntil=\"%s\">" FIXTURE_PLACE
			      "%s</md:EntitiesDescriptor>",
			      clock_text(w->a, w->now + 7 * DAY_S), all);
	f.id = "_fed";
	f.suite = saml_suite_by_name("ecdsa-sha256");
	return fixture_sign(w->a, &f);
}

const char *
home_take(struct world *w, const char *name, const char *all)
{
	const struct db_federation_source *source;
	struct federation_taking *t;
	struct federation_taken taken;
	struct db_call c = call(w);
	struct err err = {0};

	ASSERT_OK(db_federation_take(&c, name, 60, w->now, &source, &err), &err);
	ASSERT_OK(federation_take_begin(&c, source, "ref", w->now, &t, &err), &err);
	ASSERT_OK(federation_take_add(t, bytes_of(aggregate(w, all)), &err), &err);
	ASSERT_OK(federation_take_end(t, &taken, &err), &err);
	ASSERT_OK(db_federation_settle(&c, source, &(struct db_federation_end){0}, w->now, &err),
		  &err);
	ASSERT_OK(federation_look(w->app.federation, &err), &err);
	return taken.waits ? taken.changes : NULL;
}

void
home_publish(struct world *w, const char *all)
{
	const char *why = home_take(w, HOME_SOURCE, all);

	if (why != NULL)
		fail_msg("it waits: %s", why);
}

void
home_approve(struct world *w, const char *name)
{
	const struct db_federation_source *source;
	const struct db_federation_copy *copy;
	struct db_call c = call(w);
	struct err err = {0};
	size_t n;

	ASSERT_OK(db_federation_list(&c, name, &source, &n, &err), &err);
	ASSERT_OK(db_federation_copies(&c, name, true, &copy, &n, &err), &err);
	assert_int_equal(n, 1);
	ASSERT_OK(db_federation_decide(&c, copy, true, source->counting.seq, "pruefer", NULL,
				       w->now, &err),
		  &err);
	ASSERT_OK(federation_look(w->app.federation, &err), &err);
}

void
home_suspend(struct world *w, const char *id, bool suspended)
{
	const struct db_federation_suspended s = {
		.entity = provider(id)->entity, .by = "pruefer", .why = "test", .at = w->now};
	struct db_call c = call(w);
	struct err err = {0};

	if (suspended)
		ASSERT_OK(db_federation_suspend(&c, &s, NULL, w->now, &err), &err);
	else
		ASSERT_OK(db_federation_unsuspend(&c, s.entity, NULL, NULL, w->now, &err), &err);
}

void
home_be_members(struct world *w, bool are)
{
	if (are == members)
		return;
	members = are;
	if (!are) {
		home_upstream(w, BADEN, "fink", CAP_HIGH);
		home_upstream(w, HESSEN, "saml", "{}");
		return;
	}
	pg_sql(w->pg, "DELETE FROM upstream");
	home_federation(w, HOME_RULES);
	home_publish(w, arena_printf(w->a, "%s%s", home_member(w, BADEN, BADEN_SCOPE, NULL, NULL),
				     home_member(w, HESSEN, HESSEN_SCOPE, NULL, NULL)));
}

int
home_setup_members(void **state)
{
	if (steps_setup(state) != 0)
		return 1;
	home_be_members(*state, true);
	return world_fresh(state);
}

/* ---- a login ---- */

void
home_choose(struct web *b, const char *id)
{
	if (!web_shows(b, "name=\"to\""))
		web_get(b, arena_printf(b->w->a, "/flow/home/%s", flow_of(b)));
	if (members)
		id = portal_percent(b->w->a, bytes_of(home_id(id)));
	web_submit(b, "/flow/choose/", arena_printf(b->w->a, "to=%s", id));
}

/* All that we sign with: which one it is, the provider's own keys say. */
static struct saml_keys
our_keys(struct world *w)
{
	EVP_PKEY **keys = ARENA_ARRAY(w->a, EVP_PKEY *, 16);
	struct err err = {0};
	const struct key *k;
	struct cert cert;
	size_t n = 0;

	for (size_t i = 0; (k = keyring_shown(w->signer->keys, KEY_SAML_SIGN, &i)) != NULL;) {
		ASSERT_OK(cert_parse(w->a, k->row.cert, &cert, &err), &err);
		keys[n++] = cert.pub;
	}
	return (struct saml_keys){keys, n};
}

struct home_request
home_request(struct web *b)
{
	struct world *w = b->w;
	bool post = web_field(b, "SAMLRequest") != NULL;
	const struct saml_message *m;
	const struct saml_verified *v;
	struct home_request q = {0};
	struct saml_party us = {.entity_id = BASE "/saml/metadata"};
	struct err err = {0};
	struct bytes raw;

	us.signing = our_keys(w);
	if (post)
		raw = bytes_of(
			arena_printf(w->a, "SAMLRequest=%s&RelayState=%s",
				     portal_percent(w->a, bytes_of(web_field(b, "SAMLRequest"))),
				     portal_percent(w->a, bytes_of(web_field(b, "RelayState")))));
	else
		raw = bytes_of(strchr(b->location, '?') + 1);
	ASSERT_OK(saml_message_decode(w->a, post ? SAML_BINDING_POST : SAML_BINDING_REDIRECT, raw,
				      &m, &err),
		  &err);
	ASSERT_OK(saml_message_verify(w->a, m, &us, &v, &err), &err);
	ASSERT_OK(saml_authn_request_parse(w->a, v, &q.r, &err), &err);
	q.relay_state = saml_message_relay_state(m);
	return q;
}

static const char *const family[] = {"Beispiel"}, *const given[] = {"Berta"},
			 *const mail[] = {"berta@example.invalid"},
			 *const handle[] = {"5b1c1f4e-0000-4000-8000-000000000001"};

#define TOLD(oid, v)                                                                             \
	{                                                                                        \
		.name = "urn:oid:" oid, .name_format = SAML_ATTRNAME_URI, .trust_level = "HOCH", \
		.values = v, .n_values = 1                                                       \
	}

static const struct saml_attribute berta[] = {
	TOLD("2.5.4.4", family), TOLD("2.5.4.42", given), TOLD("0.9.2342.19200300.100.1.3", mail),
	TOLD("2.5.4.18", handle), /* of her mailbox there, which is nobody's business here */
};

struct provider_answer
home_answer(struct world *w, const char *id, const struct home_request *q)
{
	const struct provider *of = provider(id);
	struct provider_answer p = provider_answer(q->r->header.id, w->now);

	p.entity = of->entity;
	p.suite = of->suite;
	p.relay_state = q->relay_state;
	p.nameid = "berta-dort";
	p.attributes = berta;
	p.n_attributes = ARRAY_LEN(berta);
	if (members) {
		p.nameid = arena_printf(w->a, "berta-dort@%s",
					text_eq(id, BADEN) ? BADEN_SCOPE : HESSEN_SCOPE);
		p.encrypt_to = home_encrypt_to(w);
	}
	return p;
}

void
home_bring(struct web *b, const struct provider_answer *p)
{
	web_foreign_post(b, "/saml/acs", provider_form(b->w->a, b->w->keys, p));
}

void
home_login(struct web *b, const char *id, const char *inner)
{
	ask(b, "", inner);
	home_choose(b, id);
	struct home_request q = home_request(b);
	struct provider_answer p = home_answer(b->w, id, &q);

	home_bring(b, &p);
}

EVP_PKEY *
home_encrypt_to(struct world *w)
{
	const struct key *k = keyring_active(w->signer->keys, KEY_DECRYPT, KEY_RSA3072);
	struct err err = {0};
	struct cert cert;

	assert_non_null(k);
	ASSERT_OK(cert_parse(w->a, k->row.cert, &cert, &err), &err);
	return cert.pub;
}

struct home_request
home_sent(struct web *b, const char *id)
{
	ask(b, "", "");
	home_choose(b, id);
	return home_request(b);
}

void
home_refused(struct web *b, const char *flow)
{
	assert_int_equal(b->status, 403);
	assert_true(web_shows(b, "gilt hier nicht"));
	web_get(b, arena_printf(b->w->a, "/flow/%s", flow));
	ASSERT_PAGE(b, LOGIN);
}
