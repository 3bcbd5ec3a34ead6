/* Rendering pages into answers; see show.h. */
#include "idp/show.h"

#include "base/buf.h"
#include "base/enc.h"
#include "idp/app.h"
#include "idp/config.h"
#include "idp/csrf.h"
#include "idp/page.h"
#include "idp/saml_peer.h"

void
show_site_vars(struct arena *a, const struct config *conf, json_t *vars)
{
	json_put_str(a, vars, "site_name", conf->site_name);
	json_put_str(a, vars, "imprint_url", conf->imprint_url);
	json_put_str(a, vars, "privacy_url", conf->privacy_url);
	json_put_str(a, vars, "accessibility_url", conf->accessibility_url);
	json_put_bool(a, vars, "about",
		      conf->imprint_url != NULL || conf->privacy_url != NULL ||
			      conf->accessibility_url != NULL);
}

/* Links of the switch between languages: they set a cookie and lead back here. */
static json_t *
languages(struct request *rq, const char *here)
{
	json_t *list = json_new_array(rq->a), *out = json_new_object(rq->a);

	for (int l = LANG_DE; l <= LANG_EN; l++) {
		json_t *row = json_new_object(rq->a);
		const char *code = lang_code((enum lang)l);
		struct buf url;

		buf_init(&url, rq->a, 8192);
		buf_printf(&url, "/language/%s?to=", code);
		enc_percent(&url, bytes_of(here));
		json_put_str(rq->a, row, "code", code);
		json_put_str(rq->a, row, "url", url.over ? "/" : (const char *)url.p);
		json_put_bool(rq->a, row, "current", rq->lang == (enum lang)l);
		json_push(rq->a, list, row);
	}
	json_put(rq->a, out, "links", list);
	return out;
}

bool
show_page(struct request *rq, struct response *rs, int status, const char *name, json_t *vars,
	  const char *here, struct err *err)
{
	struct bytes html;

	show_site_vars(rq->a, rq->app->config, vars);
	if (here != NULL)
		json_put(rq->a, vars, "languages", languages(rq, here));
	if (!page_render(rq->a, rq->app->pages, name, rq->lang, vars, &html, err))
		return false;
	response_html(rs, status, html);
	return true;
}

bool
show_post(struct request *rq, struct response *rs, const char *action, const struct param *fields,
	  size_t n, const char *portal_name, struct err *err)
{
	json_t *vars = json_new_object(rq->a), *params = json_new_array(rq->a);

	for (size_t i = 0; i < n; i++) {
		json_t *row = json_new_object(rq->a);

		json_put_str(rq->a, row, "param", fields[i].name);
		json_put_str(rq->a, row, "value", fields[i].value);
		json_push(rq->a, params, row);
	}
	json_put_str(rq->a, vars, "action", action);
	json_put_str(rq->a, vars, "portal_name", portal_name);
	json_put(rq->a, vars, "params", params);
	/*
	 * Browsers hold the policy over the whole chain of redirects (CSP3 6.4.1), and where a
	 * portal leads on to from its endpoint is its own affair.
	 */
	rs->form_action = arena_printf(rq->a, "%s https:", url_origin(rq->a, action));
	return show_page(rq, rs, 200, "post_binding", vars, NULL, err);
}

void
show_form_vars(struct request *rq, struct response *rs, json_t *vars, const char *route,
	       const char *tail)
{
	json_put_str(rq->a, vars, "action", arena_printf(rq->a, "%s%s", route, tail));
	json_put_str(rq->a, vars, CSRF_FIELD, csrf_token(rq, rs, route));
}

const char *
show_time(struct arena *a, time_t t)
{
	struct tm tm;

	localtime_r(&t, &tm);
	return arena_printf(a, "%02d.%02d.%04d, %02d:%02d", tm.tm_mday, tm.tm_mon + 1,
			    tm.tm_year + 1900, tm.tm_hour, tm.tm_min);
}
