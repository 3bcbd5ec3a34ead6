/* Building snapshots; see reload.h. */
#include "idp/reload.h"

#include "base/clock.h"
#include "base/log.h"
#include "db/detail_type.h"
#include "db/federation.h"
#include "db/party.h"
#include "idp/config.h"
#include "idp/federation_rules.h"
#include "idp/key_rows.h"
#include "idp/publication.h"
#include "idp/publish.h"
#include "keys/sign.h"

#define SNAPSHOT_BYTES  ((size_t)256 * 1024 * 1024)
#define RELOAD_LIMIT_US ((int64_t)20 * 1000000)

static void
bad_party(const char *id, const struct err *err)
{
	log_err(LOG_LVL_ERROR, "party_unusable", err, "party", id, NULL);
}

bool
reload_details(const struct db_call *c, struct snapshot *snap, struct err *err)
{
	struct oidc_detail_type *types;
	const struct db_detail_type *rows;
	struct err why = {0};
	size_t n, used = 0;

	if (!db_detail_type_list(c, &rows, &n, err))
		return false;
	types = ARENA_ARRAY(snap->a, struct oidc_detail_type, n + 1);
	for (size_t i = 0; i < n; i++, err_clear(&why))
		if (oidc_detail_type_parse(snap->a, rows[i].document, &types[used], &why))
			used++;
		else
			log_err(LOG_LVL_ERROR, "detail_type_unusable", &why, "type", rows[i].name,
				NULL);
	snap->details = (struct oidc_detail_types){types, used};
	return true;
}

static void
bad_upstream(const char *id, const struct err *err)
{
	log_err(LOG_LVL_ERROR, "upstream_unusable", err, "upstream", id, NULL);
}

static bool
takes_providers(struct arena *a, const struct db_federation_source *source)
{
	struct federation_rules rules;

	return federation_rules_parse(a, source->rules, &rules, NULL) &&
	       (rules.roles & SAML_ROLE_IDP) != 0;
}

/* Is there a federation whose identity providers are taken?  What they say is not looked at. */
static bool
reload_members(const struct db_call *c, bool *out, struct err *err)
{
	const struct db_federation_source *rows;
	size_t n;

	*out = false;
	if (!db_federation_list(c, NULL, &rows, &n, err))
		return false;
	for (size_t i = 0; i < n && !*out; i++)
		*out = takes_providers(c->a, &rows[i]);
	return true;
}

bool
reload_upstreams(const struct db_call *c, struct snapshot *snap, struct err *err)
{
	const struct db_upstream *rows;
	size_t n;

	if (!db_upstream_list(c, &rows, &n, err))
		return false;
	upstreams_create(snap->a, rows, n, bad_upstream, &snap->upstreams);
	return reload_members(c, &snap->upstreams.members, err);
}

struct reloading {
	struct app *app;
	struct snapshot *snap;
	time_t now;
	struct err *err;
	bool ok;
};

static bool
fill(struct app *app, struct snapshot *snap, time_t now, struct err *err)
{
	struct db_call c = {app->db, snap->a, clock_mono_us() + RELOAD_LIMIT_US};
	const struct db_party *rows;
	size_t n;

	if (!key_rows_load(&c, &snap->keyring, err) ||
	    !signer_load(app->signer, snap->keyring, err) || !db_party_list(&c, &rows, &n, err) ||
	    !reload_details(&c, snap, err) || !reload_upstreams(&c, snap, err))
		return false;
	parties_create(snap->a, rows, n, config_level_most(app->config), bad_party, &snap->parties);
	return publish_documents(app, snap, now, err) &&
	       publication_load(&c, app->config, snap, err);
}

static void
run(void *arg)
{
	struct reloading *r = arg;

	r->ok = fill(r->app, r->snap, r->now, r->err);
}

bool
app_reload(struct app *app, time_t now, struct err *err)
{
	struct snapshot *snap = snapshot_create(SNAPSHOT_BYTES);
	struct reloading r = {app, snap, now, err, false};

	if (snap == NULL)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "no memory for a snapshot");
	if (!arena_run(snap->a, run, &r))
		r.ok = arena_run_failed(snap->a, err);
	if (!r.ok) {
		snapshot_release(snap);
		return false;
	}
	app_publish(app, snap);
	return true;
}
