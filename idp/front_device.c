/*
 * Devices as asks, outcomes as grants under the device's code; see front_device.h.  The person's
 * word counts once: the row is settled before the grant is written, so that of two who agree at
 * once, or of a yes and a no, one counts.
 */
#include "idp/front_device.h"

#include "base/enc.h"
#include "base/log.h"
#include "base/text.h"
#include "idp/app.h"
#include "idp/flow.h"
#include "idp/front_oidc.h"
#include "idp/show.h"

#define SCOPES_MAX 64

bool
front_device_ask(struct request *rq, const struct party *p, const struct db_device *device,
		 struct bytes user, struct ask *out, struct err *err)
{
	const struct oidc_client *client = p->oidc;
	struct oidc_authorize r = {
		.max_age_s = client->default_max_age_s,
		.acr = client->default_acr_values,
	};
	const struct oidc_start start = {.redirect_uri = ""}; /* nobody is sent back */
	const char **scopes;

	if (!text_words(rq->a, device->scope, SCOPES_MAX, &scopes, &r.scopes.n, err))
		return false;
	r.scopes.s = scopes;
	if (!front_oidc_ask(rq, p, &start, &r, out, err))
		return false;
	out->front = &front_device;
	/* Who is talked into it has to see for what: a consent of before is no word for this device
	 * (RFC 8628 5.4). */
	out->consent_anew = true;
	json_put_str(rq->a, out->state, "device", enc_hex(rq->a, user));
	json_put_i64(rq->a, out->state, "device_expires", device->expires);
	return true;
}

bool
front_device_end(struct request *rq, const struct party *p, bool agreed, struct response *rs,
		 struct err *err)
{
	json_t *vars = json_new_object(rq->a);

	json_put_str(rq->a, vars, "portal_name", p->display_name);
	json_put_bool(rq->a, vars, "agreed", agreed);
	return show_page(rq, rs, 200, "device_done", vars, NULL, err);
}

static bool
state_read(const struct flow *f, struct bytes *user, time_t *expires, struct err *err)
{
	const char *hex = NULL;
	int64_t at = 0;

	if (!json_get_str(f->ask.state, "device", &hex, err) ||
	    !json_get_i64(f->ask.state, "device_expires", &at, err))
		return false;
	if (hex == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "a stored ask of no device");
	*expires = (time_t)at;
	return dec_hex(f->rq->a, bytes_of(hex), user, err);
}

static bool
build(struct flow *f, struct response *rs, struct err *err)
{
	struct front_oidc_made *made = ARENA_NEW(f->rq->a, struct front_oidc_made);
	struct bytes user;
	time_t expires;

	if (!state_read(f, &user, &expires, err) || !front_oidc_make(f, expires, made, err) ||
	    !front_device_end(f->rq, f->ask.party, true, rs, err))
		return false;
	f->built = made;
	return true;
}

/* Where that fails, too, the device waits until its time is over. */
static void
take_back(struct flow *f, struct bytes user)
{
	struct db_call c = {f->rq->app->db, f->rq->a, f->rq->deadline_us};
	struct err why = {0};

	if (!db_device_take_back(&c, user, &why))
		log_err(LOG_LVL_WARN, "device_left", &why, "ref", f->rq->ref, NULL);
}

static bool
record(struct flow *f, struct err *err)
{
	struct request *rq = f->rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const struct front_oidc_made *made = f->built;
	struct db_audit audit = front_oidc_audit(f);
	struct db_dated code;
	struct bytes user;
	time_t expires;
	bool first, stands;

	if (!state_read(f, &user, &expires, err) ||
	    !db_device_answer(&c, user, true, rq->now, &first, &code, err))
		return false;
	if (!first)
		return FAIL(err, ERR_NOT_FOUND, NULL,
			    "the device was answered before, or its time is over");
	if (!db_grant_create_at(&c, &code, &made->grant, &made->participant, &audit, rq->now,
				&stands, err)) {
		take_back(f, user);
		return false;
	}
	if (!stands)
		take_back(f, user);
	f->withdrawn = !stands;
	return true;
}

/* Whatever the reason: the device hears no, and the person a page. */
static bool
refuse(struct flow *f, enum flow_state why UNUSED, struct response *rs, struct err *err)
{
	struct request *rq = f->rq;
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	struct db_dated code;
	struct bytes user;
	time_t expires;
	bool first;

	return state_read(f, &user, &expires, err) &&
	       db_device_answer(&c, user, false, rq->now, &first, &code, err) &&
	       front_device_end(rq, f->ask.party, false, rs, err);
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

const struct front front_device = {"device", build, record, refuse, level_word_of, origins};
