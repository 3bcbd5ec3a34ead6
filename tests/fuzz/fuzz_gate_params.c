/*
 * The gate and what reads after it: first line of the input is the request line,
 * the next up to an empty line are headers, the rest is a form.  Whatever passes
 * must be readable without surprise.
 */
#include <stdlib.h>
#include <string.h>

#include "idp/app.h"
#include "idp/config.h"
#include "idp/route.h"
#include "tests/idp/raw.h"

static const struct route route = {HTTP_POST, "/",   NULL,    LANE_LIGHT, ROUTE_PREFIX,
				   65536,     65536, 1 << 20, "resource"};

static void
check_params(const struct params *ps)
{
	const char *v;

	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->p[i].name, "resource") != 0 &&
		    params_find(ps, ps->p[i].name, &v) != 1)
			abort();
}

static void
read_request(struct arena *a, const struct raw_request *raw, const struct gate_head *head)
{
	static struct config config;
	static struct app app = {.config = &config};
	struct request rq = {.a = a, .app = &app, .route = &route};

	if (head->path.n == 0 || head->path.p[0] != '/' ||
	    memchr(head->path.p, '%', head->path.n) != NULL)
		abort();
	if (!request_parse(&rq, raw, head, NULL))
		return;
	check_params(&rq.query);
	check_params(&rq.form);
	check_params(&rq.cookies);
	if (strlen(rq.query_raw) != head->query.n)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_create(16 << 20);
	char *text, *headers, *body;
	struct raw_text t;
	struct gate_head head;

	if (a == NULL || size > 64 << 10 || memchr(data, 0, size) != NULL) {
		arena_destroy(a);
		return 0;
	}
	text = arena_strndup(a, (const char *)data, size);
	headers = strchrnul(text, '\n');
	if (*headers != '\0')
		*headers++ = '\0';
	body = strstr(headers, "\n\n");
	if (body != NULL) {
		*body = '\0';
		body += 2;
	}
	raw_text_init(&t, text, headers);
	t.raw.body = bytes_of(body == NULL ? "" : body);
	if (gate_check(&t.raw, &head) == GATE_PASS)
		read_request(a, &t.raw, &head);
	arena_destroy(a);
	return 0;
}
