/* From a template and its members to an answer: the members every page has are added here. */
#ifndef KONTOR_IDP_SHOW_H
#define KONTOR_IDP_SHOW_H

#include "base/json.h"
#include "idp/response.h"

struct config;

/*
 * Render web/templates/NAME.html into rs.  `here` is the path the language
 * links lead back to; NULL: this page cannot be had again, so it has none.
 */
MUST_USE bool show_page(struct request *rq, struct response *rs, int status, const char *name,
			json_t *vars, const char *here, struct err *err);

/*
 * The page that takes `fields` to `action` by POST, by itself or by its button.  That is done once:
 * the page cannot be had again in another language.
 */
MUST_USE bool show_post(struct request *rq, struct response *rs, const char *action,
			const struct param *fields, size_t n, const char *portal_name,
			struct err *err);

/* Members of every page: the site's name and the links of the footer. */
void show_site_vars(struct arena *a, const struct config *conf, json_t *vars);

/* Members of a form: "action" (route and tail joined) and its "csrf" token. */
void show_form_vars(struct request *rq, struct response *rs, json_t *vars, const char *route,
		    const char *tail);

/* "23.11.2026, 18:05": German and English readers both take it. */
const char *show_time(struct arena *a, time_t t);

#endif
