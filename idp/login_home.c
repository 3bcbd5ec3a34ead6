/*
 * The page on which people choose the account of another provider (TR-03160-2 4.2.1.2): those that
 * may be had for this login, found by a search that works without a script, remembered only if
 * one asks for it.
 */
#include "idp/login_home.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"
#include "idp/config.h"
#include "idp/federation.h"
#include "idp/home.h"
#include "idp/login.h"
#include "idp/saml_peer.h"
#include "idp/search.h"
#include "idp/show.h"

#define PAGE            "/flow/home/"
#define ROUTE           "/flow/choose/"
#define CHOICE_COOKIE   "home"
#define CHOICE_LIVES_S  (365 * 86400)
#define QUERY_MAX_BYTES 100
#define SHOWN_MOST      50 /* the answer's policy names where each of them is */

/* What the page lists, as it is put together. */
struct choosing {
	struct flow *f;
	const struct search *search; /* NULL: all of them */
	const char *remembered;      /* id; NULL: none */
	json_t *list;
	const char *origins;
	size_t found;
};

/* An id, as a cookie keeps it: an entityID may hold what a cookie may not. */
static const char *
remember_of(struct arena *a, const struct upstream *u)
{
	return u->source == NULL ? u->id
				 : arena_printf(a, ".%s", enc_base64url(a, bytes_of(u->id)));
}

static const char *
remembered(const struct request *rq)
{
	const char *kept = request_cookie(rq, CHOICE_COOKIE);
	struct bytes id;

	if (kept == NULL || kept[0] != '.')
		return kept;
	return dec_base64url(rq->a, bytes_of(kept + 1), &id, NULL)
		       ? arena_strndup(rq->a, (const char *)id.p, id.n)
		       : NULL;
}

static void
add_choice(struct choosing *c, const char *id, const char *name, const char *origin)
{
	struct arena *a = c->f->rq->a;
	json_t *row;

	c->found++;
	if (json_array_size(c->list) == SHOWN_MOST)
		return;
	row = json_new_object(a);
	json_put_str(a, row, "id", id);
	json_put_str(a, row, "name", name);
	json_push(a, c->list, row);
	c->origins = arena_printf(a, "%s %s", c->origins, origin);
}

/* Those of before first, then those the operator put first, then the others; each once. */
enum turn { REMEMBERED, FIRST, OTHERS, TURNS };

static void
add_registered(struct choosing *c, enum turn turn)
{
	struct request *rq = c->f->rq;
	const struct upstreams *all = &rq->snap->upstreams;

	for (size_t i = 0; i < all->n; i++) {
		const struct upstream *u = &all->p[i];
		const char *texts[] = {u->display_name, party_host(rq->a, u->entity_id)};
		enum turn its = text_eq(u->id, c->remembered) ? REMEMBERED
				: u->policy.first             ? FIRST
							      : OTHERS;

		if (its == turn && home_fits(rq, &c->f->ask, u) &&
		    (c->search == NULL || search_finds(c->search, texts, ARRAY_LEN(texts))))
			add_choice(c, u->id, u->display_name, url_origin(rq->a, upstream_url(u)));
	}
}

static void
add_member(struct choosing *c, const struct federation_choice *m)
{
	struct request *rq = c->f->rq;
	const char *texts[] = {m->de, m->en, m->keywords, m->origin + strlen("https://")};

	/* Who was registered by hand stands there as such. */
	if ((c->search == NULL || search_finds(c->search, texts, ARRAY_LEN(texts))) &&
	    upstream_of_entity(&rq->snap->upstreams, m->entity_id) == NULL)
		add_choice(c, m->entity_id, rq->lang == LANG_EN ? m->en : m->de, m->origin);
}

static void
add_members(struct choosing *c, enum turn turn, const struct federation_choice *const *p, size_t n)
{
	const struct request *rq = c->f->rq;
	enum level wanted = flow_wanted_level(&c->f->ask);

	if (turn == FIRST || !home_offered(rq, &c->f->ask) ||
	    config_level_most(rq->app->config) < wanted)
		return;
	for (size_t i = 0; i < n; i++)
		if (p[i]->home_cap >= wanted &&
		    text_eq(p[i]->entity_id, c->remembered) == (turn == REMEMBERED))
			add_member(c, p[i]);
}

/* *complete: false while there may be more. */
static void
choose(struct choosing *c, bool *complete)
{
	const struct request *rq = c->f->rq;
	const struct federation_choice *const *members;
	size_t n;

	federation_choices(rq->app, rq->a, rq->now, &members, &n, complete);
	for (int turn = REMEMBERED; turn < TURNS; turn++) {
		add_registered(c, (enum turn)turn);
		add_members(c, (enum turn)turn, members, n);
	}
}

bool
login_home_show(struct flow *f, const char *problem, struct response *rs, struct err *err)
{
	struct arena *a = f->rq->a;
	json_t *vars = flow_vars(f, ROUTE, rs);
	const char *query = request_query(f->rq, "q");
	bool complete;

	if (query != NULL && strlen(query) > QUERY_MAX_BYTES)
		query = NULL;
	struct choosing c = {
		.f = f,
		.search = query == NULL ? NULL : search_create(a, query),
		.remembered = remembered(f->rq),
		.list = json_new_array(a),
		.origins = rs->form_action == NULL ? "" : rs->form_action,
	};

	choose(&c, &complete);
	rs->form_action = text_trim(a, c.origins);
	json_put(a, vars, "choices", c.list);
	json_put_bool(a, vars, "none", c.found == 0);
	json_put_bool(a, vars, "more", c.found > SHOWN_MOST);
	json_put_str(a, vars, "shown", arena_printf(a, "%d", SHOWN_MOST));
	json_put_str(a, vars, "found", arena_printf(a, "%zu", c.found));
	json_put_bool(a, vars, "loading", !complete);
	json_put_str(a, vars, "query", query == NULL ? "" : query);
	json_put_str(a, vars, "search_action", flow_path(f, PAGE));
	json_put_bool(a, vars, "remembered", request_cookie(f->rq, CHOICE_COOKIE) != NULL);
	json_put_str(a, vars, "problem", problem);
	if (flow_wanted_level(&f->ask) <= login_reachable())
		json_put_str(a, vars, "local_url", flow_path(f, "/flow/"));
	return show_page(f->rq, rs, 200, "login_home", vars, flow_path(f, PAGE), err);
}

bool
login_home_page(struct request *rq, struct response *rs, struct err *err)
{
	struct flow *f;

	if (!flow_load(rq, rs, &f, err))
		return false;
	if (f == NULL || !flow_take_event(f, FLOW_EVENT_HOME, rs))
		return true;
	if (home_reach(rq, &f->ask) == LEVEL_NONE)
		return flow_lead_on(f, rs);
	return login_home_show(f, NULL, rs, err);
}

/* Nobody knows it; or it is known, and may not be asked now. */
static const char *
problem_of_refusal(const struct err *why)
{
	return why->kind == ERR_NOT_FOUND ? "home_choice" : "home_gone";
}

bool
login_home_handle(struct request *rq, struct response *rs, struct err *err)
{
	const char *to = request_form(rq, "to");
	const struct upstream *from;
	struct err why = {0};
	struct flow *f;

	if (!login_take_form(rq, FLOW_EVENT_HOME, &f, rs, err))
		return false;
	if (f == NULL)
		return true;
	if (to == NULL)
		return login_home_show(f, "home_choice", rs, err);
	if (!home_upstream_find(rq, to, &from, &why))
		return home_is_refused(&why) ? login_home_show(f, problem_of_refusal(&why), rs, err)
					     : FAIL(err, why.kind, why.proto, "%s", why.text);
	if (!home_fits(rq, &f->ask, from))
		return login_home_show(f, "home_choice", rs, err);
	if (!home_send(f, from, rs, err))
		return false;
	if (request_form(rq, "remember") != NULL)
		response_cookie(rq, rs, CHOICE_COOKIE, remember_of(rq->a, from), CHOICE_LIVES_S);
	else if (request_cookie(rq, CHOICE_COOKIE) != NULL)
		response_cookie(rq, rs, CHOICE_COOKIE, "", 0);
	return true;
}
