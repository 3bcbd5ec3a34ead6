/* Opening a test double, its keys and metadata; see simulate.h. */
#include "idp/simulate.h"

#include <string.h>

#include "base/rand.h"
#include "base/text.h"
#include "idp/page.h"
#include "saml/metadata_write.h"
#include "saml/names.h"

#define CERTIFICATE_NAME "Kontor simulate (test double)"
#define VALID_S          ((time_t)7 * 86400)
#define CACHE_S          3600
#define LAST_BYTES       ((size_t)4 * 1024 * 1024)

/* What an HTTP server needs; the rest of it is set below.  No database and no key is ever asked. */
static const char settings[] = "instance = test-double\nbase_url = https://test-double.invalid\n"
			       "database = none\nmaster_key_file = /dev/null\n"
			       "listen = 127.0.0.1:1\n";

struct simulate *
simulate_of(const struct request *rq)
{
	return (struct simulate *)(void *)rq->app; /* the first member */
}

/* ---- opening ---- */

static const char *
name_of(struct arena *a, const struct saml_party *party)
{
	const char *name = saml_texts_find(&party->display_name, "de");

	if (name == NULL)
		name = saml_texts_find(&party->organization_display_name, "de");
	return name == NULL ? party->entity_id : arena_strdup(a, name);
}

static void
end_arena(void *p)
{
	arena_destroy(p);
}

static bool
add_portal(struct arena *a, struct bytes document, struct simulate *s, struct err *err)
{
	struct sim_portal *p = &s->portals[s->n_portals];
	const struct saml_party *read;

	if (!saml_metadata_parse(a, arena_bytes(a, document), NULL, &read, err))
		return false;
	p->party = ARENA_NEW(a, struct saml_party);
	*p->party = *read;
	p->says_signed = read->authn_requests_signed;
	/* Read all the same, to be told what is wrong. */
	p->party->authn_requests_signed = false;
	p->party->old_until = INT64_MAX;
	p->name = name_of(a, read);
	p->last = arena_create(LAST_BYTES);
	if (p->last == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no memory for a portal");
	arena_defer(a, end_arena, p->last);
	for (size_t i = 0; i < s->n_portals; i++)
		if (strcmp(s->portals[i].party->entity_id, read->entity_id) == 0)
			return FAIL(err, ERR_CONFLICT, NULL, "%s is there twice", read->entity_id);
	s->n_portals++;
	return true;
}

static bool
open_portals(struct arena *a, const struct sim_options *o, struct simulate *s, struct err *err)
{
	s->portals = ARENA_ARRAY(a, struct sim_portal, o->n_portals + 1);
	for (size_t i = 0; i < o->n_portals; i++) {
		struct err why = {0};

		if (!add_portal(a, o->portals[i], s, &why))
			return FAIL(err, why.kind, NULL, "portal %zu: %s", i + 1, why.text);
	}
	return true;
}

static bool
open_keys(struct arena *a, const struct sim_options *o, struct simulate *s, struct err *err)
{
	s->suite = saml_suite_by_word(o->suite);
	if (s->suite == NULL || (s->suite->make != SIG_PS256 && s->suite->make != SIG_RS256 &&
				 s->suite->make != SIG_ES256))
		return FAIL(err, ERR_INPUT, NULL, "signature: ps256, rs256 or es256 expected");
	enum key_type type = key_type_of_sig(s->suite->make);
	/* By type, so that a folder serves whatever suite. */
	const struct folder_wish wishes[] = {
		{SIM_KID_SIGN, KEY_SAML_SIGN, type},
		{SIM_KID_STRANGER, KEY_SAML_SIGN, type},
		{SIM_KID_DECRYPT, KEY_DECRYPT, KEY_RSA3072},
	};

	if (!folder_keys_open(a, o->keys, CERTIFICATE_NAME, wishes, ARRAY_LEN(wishes), o->now,
			      &s->keys, err))
		return false;
	s->ops = folder_keys_ops(s->keys);
	return true;
}

/* The name stands in the head of every page, errors included. */
static bool
open_config(struct arena *a, const struct sim_options *o, struct simulate *s, struct err *err)
{
	const char *host = strstr(o->base_url, "://");

	if (!config_parse(a, "test double", bytes_of(settings), false, &s->config, err))
		return false;
	if (host == NULL || strpbrk(host + 3, "/?#@") != NULL || host[3] == '\0')
		return FAIL(err, ERR_INPUT, NULL, "url: http(s)://HOST[:PORT] expected");
	s->config.base_url = o->base_url;
	s->config.host = host + 3;
	s->config.entity_id = arena_printf(a, "%s%s", o->base_url, o->kind->path);
	s->config.site_name = arena_printf(a, "TESTDOUBLE %s", o->kind->title);
	for (int lane = LANE_LIGHT; lane < LANE_COUNT; lane++)
		s->config.workers[lane] = lane == LANE_SAML ? 4 : 1;
	return true;
}

static const char *
url(struct arena *a, const struct sim_options *o, const char *path)
{
	return path == NULL ? NULL : arena_printf(a, "%s%s", o->base_url, path);
}

static void
end_simulate(void *p)
{
	struct simulate *s = p;

	app_finish(&s->app);
	pthread_mutex_destroy(&s->lock);
}

bool
simulate_open(struct arena *a, const struct sim_options *o, struct simulate *s, struct err *err)
{
	struct bytes persons = o->persons.n > 0 ? o->persons : sim_persons_built_in(o->kind);
	struct err why = {0};

	s->kind = o->kind;
	if (!open_config(a, o, s, err) || !open_portals(a, o, s, err) || !open_keys(a, o, s, err))
		return false;
	if (!sim_persons_read(a, o->kind, persons, &s->persons, &why))
		return FAIL(err, why.kind, NULL, "persons: %s", why.text);
	s->entity_id = s->config.entity_id;
	s->post_url = url(a, o, o->kind->post_path);
	s->redirect_url = url(a, o, o->kind->redirect_path);
	s->slo_url = url(a, o, o->kind->slo_path);
	pthread_mutex_init(&s->lock, NULL);
	app_init(&s->app, a, &s->config, simulate_routes(o->kind));
	arena_defer(a, end_simulate, s);
	return pages_load(a, NULL, &s->app.pages, err) &&
	       documents_add_files(a, &s->app.assets, web_static, err) &&
	       simulate_set(s, o->person, o->outcome, err);
}

/* ---- answers without a page ---- */

bool
simulate_set(struct simulate *s, const char *person, const char *outcome, struct err *err)
{
	struct sim_automatic wanted = {
		.person = sim_person_find(&s->persons, person),
		.outcome = sim_outcome_find(s->kind, outcome == NULL ? "success" : outcome),
	};

	if (person != NULL && wanted.person == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no person '%s'", person);
	if (wanted.outcome == NULL)
		return FAIL(err, ERR_NOT_FOUND, NULL, "no outcome '%s'", outcome);
	pthread_mutex_lock(&s->lock);
	s->automatic = wanted;
	pthread_mutex_unlock(&s->lock);
	return true;
}

struct sim_automatic
simulate_automatic(struct simulate *s)
{
	pthread_mutex_lock(&s->lock);
	struct sim_automatic now = s->automatic;

	pthread_mutex_unlock(&s->lock);
	return now;
}

/* ---- what it says of itself ---- */

bool
simulate_signer(struct arena *a UNUSED, const struct simulate *s, const char *kid,
		struct saml_signer *out, struct err *err)
{
	*out = (struct saml_signer){
		.ops = &s->ops,
		.kid = kid,
		.suite = s->suite,
		.cert_der = folder_keys_certificate(s->keys, kid),
	};
	return out->cert_der.n > 0 || FAIL(err, ERR_INTERNAL, NULL, "no key %s", kid);
}

static struct saml_texts
both(struct arena *a, const char *de, const char *en)
{
	struct saml_text *t = ARENA_ARRAY(a, struct saml_text, 2);

	t[0] = (struct saml_text){"de", de};
	t[1] = (struct saml_text){"en", en};
	return (struct saml_texts){t, 2};
}

static const struct saml_attribute *
attributes_of(struct arena *a, const struct sim_kind *k, size_t *n)
{
	*n = 0;
	for (const struct sim_name *name = k->names; name->friendly != NULL; name++)
		++*n;
	struct saml_attribute *list = ARENA_ARRAY(a, struct saml_attribute, *n + 1);

	for (size_t i = 0; i < *n; i++)
		list[i] = (struct saml_attribute){.name = k->names[i].wire,
						  .name_format = k->name_format,
						  .friendly_name = k->names[i].friendly};
	return list;
}

bool
simulate_metadata(struct arena *a, struct simulate *s, time_t now, struct bytes *out,
		  struct err *err)
{
	const char *title = s->kind->title;
	const char *de = arena_printf(a, "TESTDOUBLE %s", title);
	const char *en = arena_printf(a, "TEST DOUBLE %s", title);
	const struct saml_published_key signing = {folder_keys_certificate(s->keys, SIM_KID_SIGN),
						   key_type_of_sig(s->suite->make)};
	const struct saml_published_key encryption = {
		folder_keys_certificate(s->keys, SIM_KID_DECRYPT), KEY_RSA3072};
	struct saml_signer signer;
	struct saml_description d = {
		.entity_id = s->entity_id,
		.id = rand_xml_id(a),
		.valid_until = now + VALID_S,
		.cache_s = CACHE_S,
		.sso_url = s->redirect_url,
		.sso_post_url = s->post_url,
		.slo_url = s->slo_url,
		.want_authn_requests_signed = true,
		.old = true,
		.ui = {.display_name = both(a, de, en),
		       .description =
			       both(a,
				    "Nur zum Testen: meldet erfundene Personen an und darf "
				    "nirgends sonst eingetragen werden.",
				    "For tests only: logs invented persons in and must not be "
				    "registered anywhere else.")},
		.signing = &signing,
		.n_signing = 1,
		.encryption = &encryption,
		.n_encryption = 1,
		.nameid_formats = s->kind->nameid_formats,
		.organization_name = both(a, de, en),
		.organization_display_name = both(a, de, en),
		.organization_url = both(a, s->config.base_url, s->config.base_url),
	};

	d.attributes = attributes_of(a, s->kind, &d.n_attributes);
	return simulate_signer(a, s, SIM_KID_SIGN, &signer, err) &&
	       saml_metadata_build(a, &d, &signer, out, err);
}
