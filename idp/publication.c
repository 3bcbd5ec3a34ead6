/* What a federation's administration publishes; see publication.h. */
#include "idp/publication.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/audit.h"
#include "idp/config.h"
#include "idp/gzip.h"
#include "idp/saml_peer.h"
#include "keys/cert.h"
#include "saml/aggregate.h"
#include "saml/publication.h"

#define MAKING_BYTES ((size_t)1024 * 1024 * 1024) /* of virtual memory; see publication_make */
#define MAKING_US    ((int64_t)120 * 1000000)

static struct saml_publication
said(const struct config *conf, time_t now)
{
	return (struct saml_publication){.name = conf->federation_name,
					 .registrar = conf->base_url,
					 .valid_until = now + conf->federation_valid_ms / 1000,
					 .cache_s = conf->federation_cache_ms / 1000};
}

static struct bytes
sha256(struct arena *a, struct bytes b)
{
	unsigned char *p = arena_alloc(a, SHA256_BYTES);

	hash_sha256(b, p);
	return (struct bytes){p, SHA256_BYTES};
}

static struct bytes
sha1(struct arena *a, const char *text)
{
	unsigned char *p = arena_alloc(a, SHA1_BYTES);

	hash_sha1(bytes_of(text), p);
	return (struct bytes){p, SHA1_BYTES};
}

static bool
pack(struct arena *a, struct bytes b, struct bytes *out, struct err *err)
{
	*out = gzip_pack(a, b);
	return out->n > 0 || FAIL(err, ERR_UNAVAILABLE, NULL, "no memory to compress");
}

/* ---- making ---- */

/* Members as they have to come. */
struct expected {
	const struct db_published *rows;
	size_t n, seen;
};

static bool
expect(void *ctx, const struct saml_entity *e, struct err *err)
{
	struct expected *x = ctx;

	if (x->seen == x->n || !text_eq(x->rows[x->seen].entity_id, e->entity_id))
		return FAIL(err, ERR_DENIED, NULL, "%s has a document of another name",
			    x->seen == x->n ? "nobody" : x->rows[x->seen].entity_id);
	x->seen++;
	return true;
}

/* As those who follow read it: what they would refuse must not take the place of what they have. */
static bool
prove(struct arena *a, struct bytes text, const struct saml_signer *signer,
      const struct db_published *rows, size_t n, struct err *err)
{
	struct expected x = {rows, n, 0};
	struct saml_aggregate_options o = {.max_bytes = PUBLICATION_BYTES,
					   .max_entities = n,
					   .max_entity_bytes = PUBLICATION_MEMBER_BYTES * 2,
					   .entity = expect,
					   .ctx = &x};
	struct saml_aggregate_info info;
	struct saml_aggregate *g;
	struct err why = {0};
	struct cert cert;

	if (!cert_parse(a, signer->cert_der, &cert, err))
		return false;
	o.keys = (struct saml_keys){&cert.pub, 1};
	g = saml_aggregate_begin(a, &o);
	if (saml_aggregate_add(g, text, &why) && saml_aggregate_end(g, &info, &why) && x.seen == n)
		return true;
	return FAIL(err, ERR_DENIED, NULL, "what would be published does not verify: %s", why.text);
}

static bool
make_members(const struct account_work *w, const struct saml_publication *p,
	     const struct saml_signer *signer, struct db_published *rows,
	     struct saml_member *members, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct bytes text;

		members[i] = (struct saml_member){.document = rows[i].document,
						  .valid_until = rows[i].valid_until,
						  .registered = rows[i].registered};
		if (!saml_publish_member(w->a, p, &members[i], rand_xml_id(w->a), signer, &text,
					 err) ||
		    !pack(w->a, text, &rows[i].document, err))
			return false;
		rows[i].sha256 = sha256(w->a, text);
		rows[i].sha1 = sha1(w->a, rows[i].entity_id);
	}
	return true;
}

/* Those whose own time is over are nobody's members any more. */
static struct db_published *
still_valid(struct arena *a, const struct db_published *all, size_t *n, time_t now)
{
	struct db_published *list = ARENA_ARRAY(a, struct db_published, *n + 1);
	size_t used = 0;

	for (size_t i = 0; i < *n; i++)
		if (all[i].valid_until == 0 || all[i].valid_until > now)
			list[used++] = all[i];
	*n = used;
	return list;
}

static bool
make_all(const struct account_work *w, const struct config *conf, struct db_published *rows,
	 size_t n, struct db_publication *p, struct bytes *packed, struct err *err)
{
	struct saml_publication what = said(conf, w->now);
	struct saml_member *members = ARENA_ARRAY(w->a, struct saml_member, n + 1);
	const struct saml_suite *suite = saml_suite_first(w->keyring, KEY_FEDERATION_SIGN);
	struct saml_signer signer;
	struct bytes text;

	*packed = p->sha256 = (struct bytes){NULL, 0};
	p->sha256 = sha256(w->a, *packed);
	if (n == 0)
		return true;
	if (suite == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no active federation-sign key");
	if (!saml_signer_of(w->a, w->keyring, w->signer, KEY_FEDERATION_SIGN, suite->make, &signer,
			    err) ||
	    !make_members(w, &what, &signer, rows, members, n, err) ||
	    !saml_publish_all(w->a, &what, members, n, rand_xml_id(w->a), &signer, &text, err) ||
	    !prove(w->a, text, &signer, rows, n, err) || !pack(w->a, text, packed, err))
		return false;
	p->sha256 = sha256(w->a, text);
	return true;
}

bool
publication_make(const struct account_work *w, const struct config *conf, const char *by,
		 struct db_publication *out, struct err *err)
{
	const struct db_published *all;
	struct db_publication last,
		p = {.at = w->now, .valid_until = w->now + conf->federation_valid_ms / 1000};
	struct db_published *rows;
	struct bytes packed;
	size_t n;

	/* What changes while we are at it is published the next time. */
	if (!db_publication_last(&w->db, &last, &p.change, err) ||
	    !db_publication_members(&w->db, &all, &n, err))
		return false;
	rows = still_valid(w->a, all, &n, w->now);
	if (!make_all(w, conf, rows, n, &p, &packed, err))
		return false;
	p.members = (int64_t)n;
	struct db_audit audit = {.event = AUDIT_METADATA_PUBLISHED,
				 .ref = w->ref,
				 .details = audit_details(w->a, "by", by, "members",
							  arena_printf(w->a, "%zu", n), NULL)};

	*out = p;
	return db_publication_add(&w->db, &p, last.seq, packed, rows, n, &audit, w->now, err);
}

/* ---- a node's job ---- */

struct making {
	struct app *app;
	const struct snapshot *snap;
	struct arena *a;
	time_t now;
	struct db_publication made;
	struct err err;
	bool ok;
};

static void
run(void *arg)
{
	struct making *m = arg;
	struct account_work w = {.a = m->a,
				 .db = {m->app->db, m->a, clock_mono_us() + MAKING_US},
				 .signer = m->app->signer,
				 .keyring = m->snap->keyring,
				 .ref = "schedule",
				 .now = m->now};

	m->ok = publication_make(&w, m->app->config, "schedule", &m->made, &m->err);
}

static bool
make_now(struct app *app, time_t now, struct err *err)
{
	struct making m = {.app = app, .now = now, .snap = snapshot_hold(&app->snapshots)};

	if (m.snap == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "nothing is loaded yet");
	m.a = arena_create(MAKING_BYTES);
	if (m.a == NULL || !arena_run(m.a, run, &m))
		m.ok = arena_run_failed(m.a, &m.err);
	snapshot_release(m.snap);
	/* Another node had it done. */
	bool ok =
		m.ok || m.err.kind == ERR_CONFLICT || FAIL(err, m.err.kind, NULL, "%s", m.err.text);

	arena_destroy(m.a);
	return ok;
}

bool
publication_keep(struct app *app, const struct db_call *c, time_t now, struct err *err)
{
	struct db_publication last;
	int64_t change;

	if (app->config->federation_name == NULL)
		return true;
	if (!db_publication_last(c, &last, &change, err))
		return false;
	if (last.change == change &&
	    (last.seq == 0 || now < last.at + app->config->federation_every_ms / 1000))
		return true;
	return make_now(app, now, err);
}

/* ---- what is served ---- */

bool
publication_load(const struct db_call *c, const struct config *conf, struct snapshot *snap,
		 struct err *err)
{
	struct document doc = {
		.path = PUBLICATION_PATH, .type = PUBLICATION_TYPE, .cache = PUBLICATION_CACHE};

	if (conf->federation_name == NULL)
		return true;
	if (!db_publication_document(c, &doc.gzip, err))
		return false;
	if (doc.gzip.n == 0)
		return true;
	if (!gzip_unpack(snap->a, doc.gzip, PUBLICATION_BYTES, &doc.body, err) ||
	    !documents_add(snap->a, &snap->documents, &doc, err))
		return false;
	doc.path = PUBLICATION_ENTITIES_PATH; /* "all", as metadata queries ask for it */
	return documents_add(snap->a, &snap->documents, &doc, err);
}
