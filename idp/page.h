/*
 * Pages: logic-less templates (web/templates) filled from a JSON object, texts
 * from web/i18n by key.  Every value is escaped for HTML.  The syntax is in
 * idp/template.h, each page's members are in web/README.md.
 *
 * A member that a page shows must be there: {{name}} of a missing member, or of
 * one that is neither text nor integer, is ERR_INTERNAL with the template's file
 * and line, so that a forgotten one is found by the first test and never sent as
 * a form without its token.  What may be missing stands in a section.
 *
 *   {{#list}}..{{/list}}  for each item of an array; once for true, a text, a
 *                         number, an object; not for a missing member, null,
 *                         false, an empty text or array.  Members are looked up
 *                         in the item first, then outwards.
 */
#ifndef KONTOR_IDP_PAGE_H
#define KONTOR_IDP_PAGE_H

#include "base/embed.h"
#include "base/json.h"
#include "idp/request.h"

struct pages; /* parsed templates and texts; immutable */

/* What the build embedded: templates/ and i18n/; and what lies below /static/, whose names hold
 * a digest of the content (kontor.1f2e3d4c.css), some with a gzipped twin (….css.gz). */
extern const struct embed_file web_files[];
extern const struct embed_file web_static[];

/*
 * Parse the embedded templates and texts; files in theme_dir (NULL: none) of
 * the same name win ("templates/login.html" whole, "i18n/de.po" text by text).
 * ERR_INPUT names the file and line of an unclosed section, an unknown part or
 * asset, an unknown text key, a text that one language lacks.
 */
MUST_USE bool pages_load(struct arena *a, const char *theme_dir, const struct pages **out,
			 struct err *err);

/* Render "login" with vars.  A missing template is ERR_INTERNAL. */
MUST_USE bool page_render(struct arena *a, const struct pages *p, const char *name, enum lang lang,
			  const json_t *vars, struct bytes *html, struct err *err);

/* A text by key, not escaped and with its {names}, or the key itself when there is none. */
const char *page_text(const struct pages *p, enum lang lang, const char *key);

#endif
