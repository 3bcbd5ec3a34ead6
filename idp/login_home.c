/*
 * The page on which people choose the account of another provider (TR-03160-2 4.2.1.2): those that
 * may be had for this login, found by a search that works without a script, remembered only if
 * one asks for it.
 */
#include "idp/login_home.h"

#include <string.h>

#include "base/text.h"
#include "idp/home.h"
#include "idp/login.h"
#include "idp/saml_peer.h"
#include "idp/show.h"

#define PAGE            "/flow/home/"
#define ROUTE           "/flow/choose/"
#define CHOICE_COOKIE   "home"
#define CHOICE_LIVES_S  (365 * 86400)
#define QUERY_MAX_BYTES 100
#define SHOWN_MOST      50 /* the answer's policy names where each of them is */

/* ASCII in lower case; all else as it is. */
static const char *
folded(struct arena *a, const char *text)
{
	char *out = arena_strdup(a, text);

	for (char *p = out; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return out;
}

static bool
is_found(struct arena *a, const struct upstream *u, const char *query)
{
	return query == NULL || strstr(folded(a, u->display_name), folded(a, query)) != NULL;
}

static void
add_choice(struct flow *f, const struct upstream *u, json_t *list, const char **origins)
{
	struct arena *a = f->rq->a;
	const struct saml_endpoint *sso = saml_party_sso(u->saml, SAML_BINDING_NONE);
	json_t *row = json_new_object(a);

	json_put_str(a, row, "id", u->id);
	json_put_str(a, row, "name", u->display_name);
	json_push(a, list, row);
	*origins = arena_printf(a, "%s %s", *origins, url_origin(a, sso->url));
}

/* Those of before first, then those the operator put first, then the others; each once. */
static bool
in_turn(const struct upstream *u, int turn, const char *remembered)
{
	if (text_eq(u->id, remembered))
		return turn == 0;
	return turn == (u->policy.first ? 1 : 2);
}

static json_t *
choices(struct flow *f, const char *query, const char **origins)
{
	const struct upstreams *all = &f->rq->snap->upstreams;
	const char *remembered = request_cookie(f->rq, CHOICE_COOKIE);
	json_t *list = json_new_array(f->rq->a);

	for (int turn = 0; turn < 3; turn++)
		for (size_t i = 0; i < all->n && json_array_size(list) < SHOWN_MOST; i++)
			if (home_fits(f->rq, &f->ask, &all->p[i]) &&
			    in_turn(&all->p[i], turn, remembered) &&
			    is_found(f->rq->a, &all->p[i], query))
				add_choice(f, &all->p[i], list, origins);
	return list;
}

bool
login_home_show(struct flow *f, const char *problem, struct response *rs, struct err *err)
{
	struct arena *a = f->rq->a;
	json_t *vars = flow_vars(f, ROUTE, rs);
	const char *query = request_query(f->rq, "q");
	const char *origins = rs->form_action == NULL ? "" : rs->form_action;

	if (query != NULL && (*query == '\0' || strlen(query) > QUERY_MAX_BYTES))
		query = NULL;
	json_t *list = choices(f, query, &origins);

	rs->form_action = text_trim(a, origins);
	json_put(a, vars, "choices", list);
	json_put_bool(a, vars, "none", json_array_size(list) == 0);
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

bool
login_home_handle(struct request *rq, struct response *rs, struct err *err)
{
	const char *to = request_form(rq, "to");
	const struct upstream *from;
	struct flow *f;

	if (!login_take_form(rq, FLOW_EVENT_HOME, &f, rs, err))
		return false;
	if (f == NULL)
		return true;
	from = to == NULL ? NULL : upstream_find(&rq->snap->upstreams, to);
	if (from == NULL || !home_fits(rq, &f->ask, from))
		return login_home_show(f, "home_choice", rs, err);
	if (!home_send(f, from, rs, err))
		return false;
	if (request_form(rq, "remember") != NULL)
		response_cookie(rq, rs, CHOICE_COOKIE, from->id, CHOICE_LIVES_S);
	else if (request_cookie(rq, CHOICE_COOKIE) != NULL)
		response_cookie(rq, rs, CHOICE_COOKIE, "", 0);
	return true;
}
