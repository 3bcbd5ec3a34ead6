/*
 * Clients register themselves (RFC 7591) with an invitation, and read, change and delete their
 * registration (RFC 7592).  Each has a token of its own kind; nothing here knows a session.
 */
#include "idp/ep_oidc.h"

#include <string.h>

#include "base/clock.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/registration.h"
#include "idp/app.h"
#include "idp/audit.h"
#include "idp/client_record.h"
#include "idp/config.h"
#include "idp/refusal.h"
#include "idp/registration.h"
#include "oidc/error.h"
#include "oidc/userinfo.h"

#define TOKEN_BYTES  32
#define ID_BYTES     16
#define SEEN_WAIT_US ((int64_t)500000)

static bool
no_token(struct err *err)
{
	return FAIL(err, ERR_DENIED, OIDC_INVALID_TOKEN, "no such token for this");
}

/* The SHA-256 of the request's bearer token. */
static bool
bearer(struct request *rq, const char **token, struct bytes *hash, struct err *err)
{
	static const struct params none = {NULL, 0};
	unsigned char *digest = arena_alloc(rq->a, SHA256_BYTES);

	bool dpop;

	if (!oidc_bearer_parse(request_header(rq, "authorization"), &none, &rq->query, token, &dpop,
			       err))
		return false;
	if (dpop) /* tokens of this kind are bound to nothing */
		return no_token(err);
	hash_sha256(bytes_of(*token), digest);
	*hash = (struct bytes){digest, SHA256_BYTES};
	return true;
}

static const char *
uri_of(struct request *rq, const char *id)
{
	return arena_printf(rq->a, "%s" REGISTRATION_PATH "/%s", rq->app->config->base_url, id);
}

static void
answer(struct request *rq, struct response *rs, int status, const char *token, const char *id,
       json_t *told)
{
	/* RFC 7592 3 */
	json_put_str(rq->a, told, "registration_client_uri", uri_of(rq, id));
	json_put_str(rq->a, told, "registration_access_token", token);
	response_json(rs, status, json_text(rq->a, told, false));
}

/* Judge the row as every node will. */
static bool
judge(struct request *rq, const struct db_party *row, struct err *err)
{
	struct party p;

	return party_parse(rq->a, row, &p, err) || err_name(err, OIDC_INVALID_CLIENT_METADATA);
}

/*
 * Who registers asks with the new name at once: wait a moment until this node has it.  Others
 * are told by the database likewise.
 */
static void
await_seen(struct request *rq, const char *id)
{
	int64_t until_us = clock_mono_us() + SEEN_WAIT_US, left_us;
	struct snapshots *snapshots = &rq->app->snapshots;
	bool seen = false;

	while (!seen && (left_us = until_us - clock_mono_us()) > 0) {
		const struct snapshot *snap = snapshot_hold(snapshots);
		uint64_t version = snap->version;

		seen = party_find(&snap->parties, id) != NULL;
		snapshot_release(snap);
		if (!seen && !snapshot_wait(snapshots, version, left_us / 1000))
			return;
	}
}

/* ---- RFC 7591 ---- */

static bool
store_new(struct request *rq, struct bytes invitation, const struct db_invitation *inv,
	  const struct oidc_client *c, const char *token, struct client_record *record,
	  struct err *err)
{
	struct db_call call = {rq->app->db, rq->a, rq->deadline_us};
	unsigned char digest[SHA256_BYTES];
	const struct db_source source = {.party = c->client_id, .url = c->jwks_uri, .signers = ""};
	struct db_registration r = {c->client_id, {digest, sizeof(digest)}, inv->name, inv->rules};
	struct db_audit audit = {
		.event = AUDIT_CLIENT_REGISTERED,
		.ref = rq->ref,
		.party = c->client_id,
		.details = audit_details(rq->a, "invitation", inv->name, NULL),
	};
	struct account_work work = account_work_of(rq);
	struct err why = {0};

	hash_sha256(bytes_of(token), digest);
	if (!client_record_make(&work, c, NULL, true, record, err) || !judge(rq, &record->row, err))
		return false;
	if (db_registration_make(&call, invitation, &r, &record->row, &source, &audit, rq->now,
				 &why))
		return true;
	return why.kind == ERR_DENIED ? no_token(err)
				      : FAIL(err, why.kind, why.proto, "%s", why.text);
}

bool
ep_registration_add(struct request *rq, struct response *rs, struct err *err)
{
	struct db_call call = {rq->app->db, rq->a, rq->deadline_us};
	const char *id = rand_token(rq->a, ID_BYTES), *own = rand_token(rq->a, TOKEN_BYTES);
	const char *token, *statement;
	const struct db_invitation *inv;
	struct registration_rules rules;
	struct client_record record = {0};
	struct oidc_client *c;
	struct bytes hash;

	if (!bearer(rq, &token, &hash, err) || !db_invitation_find(&call, hash, rq->now, &inv, err))
		return false;
	if (inv == NULL)
		return no_token(err);
	if (!registration_rules_parse(rq->a, inv->rules, &rules, err) ||
	    !registration_read(rq->a, &rules, rq->body, id, rq->now, &c, &statement, NULL, err) ||
	    !client_sector_check(rq->a, rq->app->config, rq->app->get, c, err))
		return false;
	record.policy = registration_policy(rq->a, &rules);
	if (!store_new(rq, hash, inv, c, own, &record, err))
		return false;
	json_put_i64(rq->a, record.told, "client_id_issued_at", (int64_t)rq->now);
	/* RFC 7591 3.2.1: unmodified */
	json_put_str(rq->a, record.told, "software_statement", statement);
	await_seen(rq, id);
	answer(rq, rs, 201, own, id, record.told);
	return true;
}

/* ---- RFC 7592 ---- */

struct mine {
	const char *id, *token;
	const struct db_registration *registration;
	const struct db_party *row;
};

/* The registration that the path names and the token is of. */
static bool
find_mine(struct request *rq, struct mine *out, struct err *err)
{
	struct db_call call = {rq->app->db, rq->a, rq->deadline_us};
	struct bytes hash;

	out->id = rq->path_tail;
	if (!bearer(rq, &out->token, &hash, err) ||
	    !db_registration_find(&call, out->id, hash, &out->registration, err) ||
	    !db_party_load(&call, out->id, &out->row, err))
		return false;
	/* RFC 7592 2: also of a client that is not there, or switched off. */
	if (out->registration == NULL || out->row == NULL || !out->row->enabled)
		return no_token(err);
	refusal_of(rq, party_find(&rq->snap->parties, out->id), true);
	return true;
}

bool
ep_registration_show(struct request *rq, struct response *rs, struct err *err)
{
	struct mine m;
	struct party p;

	if (!find_mine(rq, &m, err) || !party_parse(rq->a, m.row, &p, err))
		return false;
	answer(rq, rs, 200, m.token, m.id, oidc_client_build(rq->a, p.oidc));
	return true;
}

static bool
check_secret(struct request *rq, const struct mine *m, const char *secret, struct err *err)
{
	struct account_work work = account_work_of(rq);
	struct party p;

	return secret == NULL || (party_parse(rq->a, m->row, &p, err) &&
				  client_secret_check(&work, p.oidc, secret, err));
}

bool
ep_registration_change(struct request *rq, struct response *rs, struct err *err)
{
	struct db_call call = {rq->app->db, rq->a, rq->deadline_us};
	struct account_work work = account_work_of(rq);
	struct db_audit audit = {.event = AUDIT_CLIENT_CHANGED, .ref = rq->ref};
	struct registration_rules rules;
	struct client_record record = {0};
	const char *statement, *secret;
	struct oidc_client *c;
	int64_t version;
	struct mine m;

	if (!find_mine(rq, &m, err) ||
	    !registration_rules_parse(rq->a, m.registration->rules, &rules, err) ||
	    !registration_read(rq->a, &rules, rq->body, m.id, rq->now, &c, &statement, &secret,
			       err) ||
	    !check_secret(rq, &m, secret, err) ||
	    !client_sector_check(rq->a, rq->app->config, rq->app->get, c, err))
		return false;
	const struct db_source source = {.party = m.id, .url = c->jwks_uri, .signers = ""};

	audit.party = m.id;
	record.policy = m.row->policy; /* the operator's, whatever the client wants */
	if (!client_record_make(&work, c, m.row, false, &record, err) ||
	    !judge(rq, &record.row, err) ||
	    !db_source_save_party(&call, &record.row, &source, &audit, rq->now, &version, err))
		return false;
	json_put_str(rq->a, record.told, "software_statement", statement);
	answer(rq, rs, 200, m.token, m.id, record.told);
	return true;
}

bool
ep_registration_remove(struct request *rq, struct response *rs, struct err *err)
{
	struct db_call call = {rq->app->db, rq->a, rq->deadline_us};
	struct db_audit audit = {.event = AUDIT_CLIENT_REMOVED, .ref = rq->ref};
	struct mine m;

	if (!find_mine(rq, &m, err))
		return false;
	audit.party = m.id;
	if (!db_party_remove(&call, m.id, &audit, rq->now, err))
		return false;
	rs->status = 204;
	return true;
}
