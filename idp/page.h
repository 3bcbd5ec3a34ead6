/*
 * Pages: logic-less templates (web/templates) filled from a JSON object, texts
 * from web/i18n by key.  Every value is escaped for HTML.
 *
 *   {{name}}            value of a member, escaped
 *   {{#list}}..{{/list}} for each item of an array, or once for true / a text / an object
 *   {{^name}}..{{/name}} when it is missing, false, empty
 *   {{t:key}}           text of the page's language; {name} inside it takes a member, escaped
 *   {{>part}}           another template
 */
#ifndef KONTOR_IDP_PAGE_H
#define KONTOR_IDP_PAGE_H

#include "base/json.h"
#include "idp/request.h"

struct pages; /* parsed templates and texts; immutable */

/*
 * Parse the embedded templates and texts; files in theme_dir (NULL: none) of
 * the same name win.  ERR_INPUT names the file and line of an unclosed
 * section, an unknown part, a text key that a language lacks.
 */
MUST_USE bool pages_load(struct arena *a, const char *theme_dir, const struct pages **out,
			 struct err *err);

/* Render "login" with vars.  A missing template is ERR_INTERNAL. */
MUST_USE bool page_render(struct arena *a, const struct pages *p, const char *name, enum lang lang,
			  const json_t *vars, struct bytes *html, struct err *err);

/* A text by key, or the key itself when there is none. */
const char *page_text(const struct pages *p, enum lang lang, const char *key);

#endif
