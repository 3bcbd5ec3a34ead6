/*
 * The backchannel authentication endpoint (OpenID Connect CIBA Core 1.0, 7): who the client is,
 * what it asks, and of whom.  A client can name only who has been there before, by the name that
 * it alone knows them by: nobody can be found here, and nobody be bothered by strangers
 * (docs/decisions/0026).
 */
#include "idp/ep_oidc.h"

#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "db/pseudonym.h"
#include "db/seen.h"
#include "idp/access.h"
#include "idp/asking.h"
#include "idp/audit.h"
#include "idp/client_keys.h"
#include "idp/client_proof.h"
#include "idp/config.h"
#include "idp/front_polled.h"
#include "idp/mail.h"
#include "idp/publish.h"
#include "oidc/backchannel.h"
#include "oidc/details.h"
#include "oidc/error.h"
#include "oidc/id_token.h"
#include "oidc/request_object.h"
#include "oidc/token.h"

#define WAITING_OF_CLIENT 1

/* ---- what is asked ---- */

static bool
read_object(struct request *rq, const struct party *p, const char *text,
	    struct oidc_request_object *object, struct err *err)
{
	return oidc_ciba_request_read(rq->a, text, p->oidc, rq->app->config->base_url, rq->now,
				      object, err);
}

/* Nothing counts beside a signed request (7.1.1), and that once: it has a mark. */
static bool
unwrap(struct request *rq, const struct party *p, const char *text, struct params *out,
       struct db_mark **mark, struct err *err)
{
	struct oidc_request_object object = {0};

	if (!oidc_backchannel_check_beside(&rq->form, err))
		return false;
	if (!read_object(rq, p, text, &object, err) &&
	    !(object.unfit && client_keys_again(rq, &p, err) &&
	      read_object(rq, p, text, &object, err)))
		return false;
	*mark = ARENA_NEW(rq->a, struct db_mark);
	**mark = (struct db_mark){"request-object",
				  bytes_of(arena_printf(rq->a, "%s %s", p->id, object.jti)),
				  object.jti_expires};
	*out = object.ps;
	return true;
}

static bool
used_before(struct err *err)
{
	return FAIL(err, ERR_DENIED, OIDC_INVALID_REQUEST, "a request used before");
}

/* It is used up by what it leads to alone; what was used is refused before it costs more. */
static bool
check_unused(struct request *rq, const struct db_mark *mark, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	bool seen = false;

	return (mark == NULL || db_seen_look(&c, mark, rq->now, &seen, err)) &&
	       (!seen || used_before(err));
}

static bool
read_request(struct request *rq, const struct party *p, struct oidc_backchannel *out,
	     struct db_mark **mark, struct err *err)
{
	struct params ps = rq->form;
	const char *text;
	json_t *access; /* only whether there is one */

	if (!oidc_param(&rq->form, "request", OIDC_JWS_MAX_BYTES, &text, err))
		return false;
	if (text == NULL && p->oidc->ciba_request_alg != OIDC_ALG_NONE)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_REQUEST,
			    "a request that should have been signed");
	*mark = NULL;
	return (text == NULL || unwrap(rq, p, text, &ps, mark, err)) &&
	       oidc_backchannel_parse(rq->a, &ps, p->oidc, out, err) &&
	       oidc_details_parse(rq->a, &ps, &rq->snap->details, p->oidc, &out->details, err) &&
	       access_ask(rq, p, out->resources, out->scopes, &access, err) &&
	       check_unused(rq, *mark, err);
}

/* ---- of whom ---- */

static bool
read_hint_token(struct request *rq, const struct party *p, const char *text, bool *unfit,
		const char **sub, struct err *err)
{
	return oidc_login_hint_token_read(rq->a, text, p->oidc, rq->app->config->base_url, rq->now,
					  unfit, sub, err);
}

/* The name that this client knows the person by. */
static bool
sub_of(struct request *rq, const struct party *p, const struct oidc_backchannel *r,
       const char **sub, struct err *err)
{
	const char *issuer = rq->app->config->base_url;
	struct oidc_hint hint = {0};
	struct oidc_jwks ours;
	bool unfit;

	*sub = r->login_hint;
	if (r->login_hint_token != NULL)
		return read_hint_token(rq, p, r->login_hint_token, &unfit, sub, err) ||
		       (unfit && client_keys_again(rq, &p, err) &&
			read_hint_token(rq, p, r->login_hint_token, &unfit, sub, err));
	if (r->id_token_hint == NULL)
		return true;
	publish_jwks(rq->a, rq->snap->keyring, &ours);
	if (!oidc_hint_verify(rq->a, r->id_token_hint, &ours, issuer, &hint, err))
		return false;
	*sub = hint.sub;
	/* Another client knows this person under another name. */
	return text_eq(hint.client_id, p->id) ||
	       FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "a hint of another client");
}

static bool
unknown(struct err *err)
{
	return FAIL(err, ERR_DENIED, OIDC_UNKNOWN_USER_ID, "nobody the client knows");
}

static bool
find_person(struct request *rq, const struct party *p, const struct oidc_backchannel *r,
	    const struct subject_id **out, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const char *sub;

	return sub_of(rq, p, r, &sub, err) && db_pseudonym_subject(&c, p->sector, sub, out, err) &&
	       (*out != NULL || unknown(err));
}

/* ---- and how it is kept ---- */

static time_t
expiry_of(const struct request *rq, const struct oidc_backchannel *r)
{
	const struct config *conf = rq->app->config;
	int64_t most = conf->request_time_most_ms / 1000,
		wish = r->expiry_s > 0 ? r->expiry_s : conf->request_time_ms / 1000;

	return rq->now + (wish < most ? wish : most);
}

static bool
judge(enum db_polled_asked asked, struct err *err)
{
	switch (asked) {
	case DB_POLLED_ASKED:
		return true;
	case DB_POLLED_TOO_MUCH:
		return FAIL(err, ERR_DENIED, OIDC_ACCESS_DENIED,
			    "the person is asked too much already");
	case DB_POLLED_REPEATED:
		return used_before(err);
	case DB_POLLED_NOBODY:
		break;
	}
	return unknown(err);
}

/* What is refused anyway costs no seal. */
static bool
check_limits(struct request *rq, const struct db_polled *polled,
	     const struct db_polled_limits *limits, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	enum db_polled_asked asked;

	return db_polled_may_ask(&c, polled, limits, rq->now, &asked, err) && judge(asked, err);
}

/* What the person is to read, and what the client is told with. */
static bool
seal(struct request *rq, const struct oidc_backchannel *r, struct db_polled *polled,
     const char *auth_req_id, struct db_polled_more *more, struct err *err)
{
	return asking_seal_message(rq, polled->handle, r->message, &polled->sealed, err) &&
	       asking_seal_details(rq, polled->handle, r->details, &polled->details, err) &&
	       asking_ping_content(rq, polled->handle, r->notification_token, auth_req_id,
				   &more->ping, err);
}

static bool
keep(struct request *rq, const struct party *p, const struct oidc_backchannel *r,
     const struct db_mark *mark, struct db_polled *polled, const char **auth_req_id,
     struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct config *conf = rq->app->config;
	const struct db_polled_limits limits = {conf->requests_waiting, WAITING_OF_CLIENT,
						conf->requests_hourly};
	const struct db_audit audit = {.event = AUDIT_REQUEST_MADE,
				       .ref = rq->ref,
				       .subject = polled->acting,
				       .party = p->id};
	struct db_polled_more more = {.pause_s = POLLED_PAUSE_S, .mark = mark};
	enum db_polled_asked asked;

	if (!check_limits(rq, polled, &limits, err))
		return false;
	*auth_req_id = db_dated_create(rq->a, polled->expires);
	more.mail = mail_of_request(rq, polled);
	return seal(rq, r, polled, *auth_req_id, &more, err) &&
	       db_polled_ask(&c, *auth_req_id, polled, &more, &limits, &audit, rq->now, &asked,
			     err) &&
	       judge(asked, err);
}

static struct db_polled
polled_of(struct request *rq, const struct party *p, const struct oidc_backchannel *r,
	  const struct subject_id *who)
{
	unsigned char *handle = arena_alloc(rq->a, 32);

	rand_bytes(handle, 32);
	return (struct db_polled){
		.kind = DB_POLLED_CIBA,
		.handle = {handle, 32},
		.party = p->id,
		.scope = oidc_scope_text(rq->a, r->scopes),
		.acting = who,
		.acr = r->acr.n == 0 ? NULL : oidc_scope_text(rq->a, r->acr),
		.resources = r->resources.n == 0 ? NULL : oidc_scope_text(rq->a, r->resources),
		.expires = expiry_of(rq, r),
	};
}

static bool
take(struct request *rq, struct db_polled *polled, const char **auth_req_id, struct err *err)
{
	const struct subject_id *who;
	struct oidc_client_proof proof;
	struct oidc_backchannel r;
	const struct party *p;
	struct db_mark *mark;

	if (!client_proof_demand(rq, &p, &proof, err))
		return false;
	if (!oidc_strs_have(p->oidc->grant_types, OIDC_GRANT_CIBA))
		return FAIL(err, ERR_DENIED, OIDC_UNAUTHORIZED_CLIENT,
			    "a client that is not registered for CIBA");
	if (!read_request(rq, p, &r, &mark, err) || !find_person(rq, p, &r, &who, err))
		return false;
	*polled = polled_of(rq, p, &r, who);
	return keep(rq, p, &r, mark, polled, auth_req_id, err);
}

bool
ep_backchannel(struct request *rq, struct response *rs, struct err *err)
{
	json_t *o = json_new_object(rq->a);
	struct db_polled polled;
	const char *auth_req_id;

	if (!take(rq, &polled, &auth_req_id, err))
		return false;
	outbox_wake(rq->app->outbox);
	json_put_str(rq->a, o, "auth_req_id", auth_req_id);
	json_put_i64(rq->a, o, "expires_in", polled.expires - rq->now);
	json_put_i64(rq->a, o, "interval", POLLED_PAUSE_S);
	response_json(rs, 200, json_text(rq->a, o, false));
	return true;
}
