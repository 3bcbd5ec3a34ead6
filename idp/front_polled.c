/*
 * Clients that ask until somebody has answered: their rows as asks, outcomes as grants under the
 * client's code; see front_polled.h.  The person's word counts once: the row is settled with the
 * grant, so that of two who agree at once, or of a yes and a no, one counts.
 */
#include "idp/front_polled.h"

#include "base/enc.h"
#include "base/text.h"
#include "idp/app.h"
#include "idp/asking.h"
#include "idp/audit.h"
#include "idp/ep_device.h"
#include "idp/ep_requests.h"
#include "idp/flow.h"
#include "idp/front_oidc.h"
#include "idp/outbox.h"
#include "idp/show.h"
#include "oidc/token.h"

/* ---- asking ---- */

static bool
words_of(struct arena *a, const char *text, size_t max, struct oidc_strs *out, struct err *err)
{
	const char **words = NULL;

	*out = (struct oidc_strs){0};
	if (text != NULL && !text_words(a, text, max, &words, &out->n, err))
		return false;
	out->s = words;
	return true;
}

bool
front_polled_ask(struct request *rq, const struct party *p, const struct db_polled *polled,
		 const char *person, struct ask *out, struct err *err)
{
	bool device = text_eq(polled->kind, DB_POLLED_DEVICE);
	struct oidc_authorize r = {.max_age_s = p->oidc->default_max_age_s};
	const struct oidc_start start = {.redirect_uri = ""}; /* nobody is sent back */

	if (!words_of(rq->a, polled->scope, OIDC_SCOPES_MAX, &r.scopes, err) ||
	    !words_of(rq->a, polled->acr, OIDC_ACR_MAX, &r.acr, err) ||
	    !words_of(rq->a, polled->resources, p->oidc->resources.n, &r.resources, err) ||
	    !asking_open_details(rq, polled, &r.details, err))
		return false;
	if (r.acr.n == 0)
		r.acr = p->oidc->default_acr_values;
	if (!front_oidc_ask(rq, p, &start, &r, out, err))
		return false;
	out->front = device ? &front_device : &front_ciba;
	/* Who is talked into it has to see for what: a consent of before is no word for this device
	 * (RFC 8628 5.4), nor for what is told in details. */
	out->consent_anew = device || r.details != NULL;
	out->person = person;
	json_put_str(rq->a, out->state, "handle", enc_hex(rq->a, polled->handle));
	json_put_i64(rq->a, out->state, "polled_expires", polled->expires);
	return true;
}

/* ---- the page at the end ---- */

static bool
show_end(struct request *rq, const struct party *p, const char *kind, bool agreed,
	 struct response *rs, struct err *err)
{
	json_t *vars = json_new_object(rq->a);

	if (text_eq(kind, DB_POLLED_CIBA)) {
		ep_requests_lead(rq, rs, agreed ? "request_agreed" : "request_denied");
		return true;
	}
	json_put_str(rq->a, vars, "portal_name", p->display_name);
	json_put_bool(rq->a, vars, "agreed", agreed);
	return show_page(rq, rs, 200, "device_done", vars, NULL, err);
}

static bool
too_late(struct err *err)
{
	return FAIL(err, ERR_NOT_FOUND, NULL, "it was answered before, or its time is over");
}

bool
front_polled_deny(struct request *rq, const struct party *p, const char *kind, struct bytes handle,
		  const struct subject_id *acting, struct response *rs, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct db_audit audit = {
		.event = AUDIT_REQUEST_DENIED, .ref = rq->ref, .subject = acting, .party = p->id};
	bool first;

	if (!db_polled_deny(&c, handle, acting, &audit, rq->now, &first, err))
		return false;
	if (!first) /* perhaps with a yes, in another tab */
		return too_late(err);
	if (!show_end(rq, p, kind, false, rs, err))
		return false;
	outbox_wake(rq->app->outbox);
	return true;
}

/* ---- answering ---- */

static bool
state_read(const struct flow *f, struct bytes *handle, time_t *expires, struct err *err)
{
	const char *hex = NULL;
	int64_t at = 0;

	if (!json_get_str(f->ask.state, "handle", &hex, err) ||
	    !json_get_i64(f->ask.state, "polled_expires", &at, err))
		return false;
	if (hex == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "a stored ask of nobody who polls");
	*expires = (time_t)at;
	return dec_hex(f->rq->a, bytes_of(hex), handle, err);
}

static bool
build(struct flow *f, struct response *rs, struct err *err)
{
	struct front_oidc_made *made = ARENA_NEW(f->rq->a, struct front_oidc_made);
	struct bytes handle;
	time_t expires;

	if (!state_read(f, &handle, &expires, err) || !front_oidc_make(f, expires, made, err) ||
	    !show_end(f->rq, f->ask.party, f->ask.front->name, true, rs, err))
		return false;
	f->built = made;
	return true;
}

static bool
record(struct flow *f, struct err *err)
{
	struct request *rq = f->rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct front_oidc_made *made = f->built;
	struct db_audit audit = front_oidc_audit(f);
	enum db_polled_said said;
	struct bytes handle;
	time_t expires;

	if (!state_read(f, &handle, &expires, err) ||
	    !db_polled_agree(&c, handle, &made->grant, &made->participant, &audit, rq->now, &said,
			     err))
		return false;
	if (said == DB_POLLED_TOO_LATE)
		return too_late(err);
	f->withdrawn = said == DB_POLLED_WITHDRAWN;
	outbox_wake(rq->app->outbox);
	return true;
}

/* To where it can be answered. */
static bool
lead_aside(struct flow *f, const char *kind, const char *notice, struct response *rs)
{
	if (text_eq(kind, DB_POLLED_CIBA))
		ep_requests_lead(f->rq, rs, notice);
	else
		response_redirect(rs, DEVICE_PATH);
	return true;
}

/* Whoever only looks, or reloads, settles nothing. */
static bool
deny(struct flow *f, const char *kind, struct response *rs, struct err *err)
{
	struct bytes handle;
	time_t expires;

	if (f->rq->method != HTTP_POST)
		return lead_aside(f, kind, NULL, rs);
	return state_read(f, &handle, &expires, err) &&
	       front_polled_deny(f->rq, f->ask.party, kind, handle,
				 f->session == NULL ? NULL : &f->session->acting, rs, err);
}

/* Whatever the reason: the device hears no, and the person a page. */
static bool
refuse_device(struct flow *f, enum flow_state why UNUSED, struct response *rs, struct err *err)
{
	return deny(f, DB_POLLED_DEVICE, rs, err);
}

/*
 * Who does not log in, or is somebody else, has not answered: it waits for whom it is for, and is
 * on their list.
 */
static bool
refuse_ciba(struct flow *f, enum flow_state why, struct response *rs, struct err *err)
{
	if (why != FLOW_CANCELLED && why != FLOW_OTHER_PERSON)
		return deny(f, DB_POLLED_CIBA, rs, err);
	return lead_aside(f, DB_POLLED_CIBA, why == FLOW_OTHER_PERSON ? "request_other" : NULL, rs);
}

static const char *
level_word_of(struct arena *a, const struct ask *ask, enum level told)
{
	return front_oidc.level_word(a, ask, told);
}

/* From here nobody is sent anywhere. */
static const char *
origins(struct arena *a UNUSED, const struct ask *ask UNUSED)
{
	return NULL;
}

const struct front front_device = {DB_POLLED_DEVICE, true,          build,  record,
				   refuse_device,    level_word_of, origins};
const struct front front_ciba = {DB_POLLED_CIBA, true,          build,  record,
				 refuse_ciba,    level_word_of, origins};
