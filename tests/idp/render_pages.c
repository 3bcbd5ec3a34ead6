/*
 * Writes every sample page in every language into a folder, for the browser
 * tests and for looking at:  render_pages SAMPLES.json OUT_FOLDER
 */
#include <stdio.h>
#include <stdlib.h>

#include "idp/page.h"
#include "tests/idp/samples.h"

struct job {
	struct arena *a;
	const char *samples, *out;
	struct err err;
	bool ok;
};

static bool
write_file(struct arena *a, const char *folder, const char *name, struct bytes data,
	   struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", folder, name);
	FILE *f = fopen(path, "wb");

	if (f == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "cannot write %s", path);
	bool whole = fwrite(data.p, 1, data.n, f) == data.n;

	return (fclose(f) == 0 && whole) || FAIL(err, ERR_INTERNAL, NULL, "cannot write %s", path);
}

static bool
render_all(struct job *j)
{
	struct arena *a = j->a;
	const struct pages *pages;
	struct samples samples;
	struct bytes html;

	if (!pages_load(a, NULL, &pages, &j->err) ||
	    !samples_load(a, j->samples, &samples, &j->err))
		return false;
	for (const struct embed_file *f = web_static; f->name != NULL; f++)
		if (!write_file(a, j->out, f->name, f->data, &j->err))
			return false;
	for (size_t i = 0; i < samples.n; i++)
		for (enum lang lang = LANG_DE; lang <= LANG_EN; lang++) {
			const char *name =
				arena_printf(a, "%s.%s.html", samples.p[i].name, lang_code(lang));

			if (!page_render(a, pages, samples.p[i].page, lang, samples.p[i].vars,
					 &html, &j->err) ||
			    !write_file(a, j->out, name, html, &j->err))
				return false;
		}
	return true;
}

static void
run(void *arg)
{
	struct job *j = arg;

	j->ok = render_all(j);
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: render_pages SAMPLES.json OUT_FOLDER\n");
		return 2;
	}
	struct job j = {
		.a = arena_create((size_t)64 * 1024 * 1024), .samples = argv[1], .out = argv[2]};

	if (j.a == NULL || !arena_run(j.a, run, &j) || !j.ok) {
		fprintf(stderr, "render_pages: %s\n", j.err.text);
		return 1;
	}
	arena_destroy(j.a);
	return 0;
}
