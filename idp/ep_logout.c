/*
 * Ending a session.  An OIDC client that shows an ID token of this very session
 * needs no question; everybody else is asked first, since a link must not be
 * able to log people out (RP-Initiated Logout 1.0, 6).  The page says truthfully
 * which portals hold sessions of their own.
 */
#include "idp/ep_logout.h"

#include "base/text.h"
#include "idp/app.h"
#include "idp/config.h"
#include "idp/front_oidc.h"
#include "idp/logout.h"
#include "idp/party.h"
#include "idp/jose.h"
#include "idp/publish.h"
#include "idp/refusal.h"
#include "idp/saml_peer.h"
#include "idp/session.h"
#include "idp/show.h"
#include "keys/keyring.h"
#include "oidc/logout.h"

#define CONFIRM_PATH "/logout"

/* Those that will be told, each once. */
static json_t *
portal_rows(struct request *rq, const struct db_participant *list, size_t n)
{
	json_t *rows = json_new_array(rq->a), *o = json_new_object(rq->a);

	for (size_t i = 0; i < n; i++) {
		const struct party *p = party_find(&rq->snap->parties, list[i].party);
		json_t *row = json_new_object(rq->a);
		size_t j = 0;

		while (j < i && !text_eq(list[j].party, list[i].party))
			j++;
		if (j < i)
			continue;
		json_put_str(rq->a, row, "name", p == NULL ? list[i].party : p->display_name);
		json_push(rq->a, rows, row);
	}
	json_put(rq->a, o, "portals", rows);
	return o;
}

/* End the browser's session (NULL: there is none any more), tell the others, and then `asker`. */
static bool
end_all(struct request *rq, const struct db_session *s, const char *why,
	const struct logout_asker *asker, struct response *rs, struct err *err)
{
	struct logout l;
	bool ended;

	logout_init(&l, rq, asker);
	if (s != NULL) {
		struct db_audit audit = session_end_audit(rq, s, why);

		if (!logout_end(&l, s->sid, &audit, &ended, err))
			return false;
		response_cookie(rq, rs, SESSION_COOKIE, "", 0);
	}
	return logout_go_on(&l, rs, err);
}

/* The way back that the client asked for goes through the form, and is judged again with it. */
static json_t *
way_back(struct request *rq, const char *client_id, const struct oidc_logout *r)
{
	const struct param given[] = {{"client_id", client_id},
				      {"post_logout_redirect_uri", r->redirect_uri},
				      {"state", r->state}};
	json_t *list = json_new_array(rq->a);

	for (size_t i = 0; i < ARRAY_LEN(given); i++) {
		json_t *row = json_new_object(rq->a);

		if (given[i].value == NULL)
			continue;
		json_put_str(rq->a, row, "param", given[i].name);
		json_put_str(rq->a, row, "value", given[i].value);
		json_push(rq->a, list, row);
	}
	return list;
}

/* p, r, url: who asks and where it wants the browser back; NULL: the person itself, nowhere. */
static bool
show_confirm(struct request *rq, const struct db_session *s, const struct party *p,
	     const struct oidc_logout *r, const char *url, struct response *rs, struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	json_t *vars = json_new_object(rq->a);
	const struct db_participant *list;
	size_t n;

	if (!db_session_participants(&c, s->sid, &list, &n, err))
		return false;
	if (n > 0)
		json_put(rq->a, vars, "open", portal_rows(rq, list, n));
	if (p != NULL)
		json_put_str(rq->a, vars, "portal_name", p->display_name);
	show_form_vars(rq, rs, vars, CONFIRM_PATH, "");
	if (p != NULL && url != NULL) { /* second line: a way back is of somebody */
		json_put(rq->a, vars, "params", way_back(rq, p->id, r));
		rs->form_action = url_origin(rq->a, url);
	}
	return show_page(rq, rs, 200, "logout_confirm", vars, url == NULL ? CONFIRM_PATH : NULL,
			 err);
}

/* The form's client, and where it may get the browser back (NULL: a page of ours). */
static bool
asker_of_form(struct request *rq, struct logout_asker *asker, struct err *err)
{
	struct oidc_logout r = {0};

	if (!oidc_logout_parse(rq->a, &rq->form, &r, err))
		return false;
	const struct party *p =
		r.client_id == NULL ? NULL : party_find(&rq->snap->parties, r.client_id);

	if (!oidc_logout_check(rq->a, &r, NULL, p == NULL ? NULL : p->oidc, &asker->url, err))
		return false;
	/* Nothing proves that it began this: a foreign page's link must not make it miss it. */
	asker->party = asker->url == NULL ? NULL : p;
	asker->unproven = true;
	return true;
}

/* Nobody is logged in here: back to the logout that this browser was at, if it is not done. */
static bool
show_no_session(struct request *rq, struct response *rs, struct err *err)
{
	bool open;

	if (!logout_is_open(rq, &open, err))
		return false;
	if (!open)
		return logout_show_done(rq, rs, err);
	response_redirect(rs, LOGOUT_PORTALS);
	return true;
}

bool
ep_logout(struct request *rq, struct response *rs, struct err *err)
{
	struct logout_asker asker = {0};
	const struct db_session *s;

	if (!session_find(rq, &s, err) ||
	    (rq->method == HTTP_POST && !asker_of_form(rq, &asker, err)))
		return false;
	if (rq->method == HTTP_GET)
		return s != NULL ? show_confirm(rq, s, NULL, NULL, NULL, rs, err)
				 : show_no_session(rq, rs, err);
	if (!text_eq(request_form(rq, "do"), "logout")) {
		response_redirect(rs, "/account");
		return true;
	}
	return end_all(rq, s, "logout by the person", &asker, rs, err);
}

/* ---- by an OIDC client ---- */

/* Does the hint speak of the session in this browser? */
static bool
hint_fits(struct request *rq, const struct oidc_hint *hint, const struct db_session *s, bool *fits,
	  struct err *err)
{
	struct db_call c = {rq->app->db, rq->a, rq->deadline_us};
	const char *sid = NULL;

	*fits = false;
	if (hint == NULL || s == NULL)
		return true;
	if (hint->sid == NULL) /* second line: what has no name is not found */
		return true;
	if (!db_session_of_participant(&c, hint->client_id, hint->sub, hint->sid, rq->now, &sid,
				       err))
		return false;
	*fits = text_eq(sid, s->sid);
	return true;
}

static bool
parse(struct request *rq, struct oidc_logout *r, const struct oidc_hint **hint,
      const struct party **p, const char **url, struct err *err)
{
	const struct params *ps = rq->method == HTTP_GET ? &rq->query : &rq->form;
	struct oidc_hint *h = ARENA_NEW(rq->a, struct oidc_hint);
	struct oidc_jwks ours;

	*hint = NULL;
	if (!oidc_logout_parse(rq->a, ps, r, err))
		return false;
	request_wish_lang(rq, front_oidc_lang(r->ui_locales));
	if (r->id_token_hint != NULL) {
		publish_jwks(rq->a, rq->snap->keyring, &ours);
		if (!jose_hint(rq, r->id_token_hint, &r->id_token_hint, err) ||
		    !oidc_hint_verify(rq->a, r->id_token_hint, &ours, rq->app->config->base_url, h,
				      err))
			return false;
		*hint = h;
	}
	const char *client_id = oidc_logout_client_id(r, *hint);

	*p = client_id == NULL ? NULL : party_find(&rq->snap->parties, client_id);
	refusal_of(rq, *p, false);
	return oidc_logout_check(rq->a, r, *hint, *p == NULL ? NULL : (*p)->oidc, url, err);
}

static bool
by_get(struct request *rq, struct response *rs, struct err *err)
{
	const char *form;

	if (!text_from_bytes(rq->a, rq->body, 8192, "logout request", &form, err))
		return false;
	if (!text_is_visible_ascii(form, 8192))
		return FAIL(err, ERR_INPUT, NULL, "not a form");
	response_redirect(rs, arena_printf(rq->a, "%s?%s", rq->path, form));
	return true;
}

bool
ep_oidc_logout(struct request *rq, struct response *rs, struct err *err)
{
	struct logout_asker asker = {0};
	const struct oidc_hint *hint;
	const struct db_session *s = NULL;
	struct oidc_logout r;
	bool fits;

	/* A cross-site POST brings no Lax cookie: come again by GET, which does. */
	if (rq->method == HTTP_POST && request_cookie(rq, SESSION_COOKIE) == NULL)
		return by_get(rq, rs, err);
	if (!parse(rq, &r, &hint, &asker.party, &asker.url, err) || !session_find(rq, &s, err) ||
	    !hint_fits(rq, hint, s, &fits, err))
		return false;
	if (s != NULL && !fits)
		return show_confirm(rq, s, asker.party, &r, asker.url, rs, err);
	return end_all(rq, s, "logout by an OIDC client", &asker, rs, err);
}
