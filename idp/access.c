/* Access to other services; see access.h. */
#include "idp/access.h"

#include <string.h>

#include "base/text.h"
#include "idp/app.h"
#include "oidc/error.h"
#include "oidc/token.h"

#define RESOURCE "access:" /* and the URI; with a scope of it after a space */

static json_t *
resource_item(struct arena *a, const char *uri, struct oidc_strs scopes)
{
	json_t *item = json_new_object(a), *list = json_new_array(a);

	for (size_t i = 0; i < scopes.n; i++)
		json_push_str(a, list, scopes.s[i]);
	json_put_str(a, item, "resource", uri);
	json_put(a, item, "scopes", list);
	return item;
}

bool
access_ask(struct request *rq, const struct party *p, struct oidc_strs resources,
	   struct oidc_strs scopes, json_t **out, struct err *err)
{
	const char *scope = oidc_scope_text(rq->a, scopes);
	struct oidc_strs all = resources.n > 0 ? resources : p->oidc->resources;
	json_t *access = json_new_array(rq->a);

	for (size_t i = 0; i < all.n; i++) {
		const struct party *at = party_of_resource(&rq->snap->parties, all.s[i]);

		if (at == NULL && resources.n > 0)
			return FAIL(err, ERR_INPUT, OIDC_INVALID_TARGET, "no such resource");
		struct oidc_strs of = {NULL, 0};

		if (at != NULL)
			of = oidc_scope_of(rq->a, scope, at->oidc->resource_scopes);
		if (resources.n > 0 || of.n > 0)
			json_push(rq->a, access, resource_item(rq->a, all.s[i], of));
	}
	*out = json_array_size(access) == 0 ? NULL : access;
	return true;
}

void
access_put_names(struct arena *a, const json_t *access, json_t *names)
{
	for (size_t i = 0; i < json_array_size(access); i++) {
		const json_t *item = json_array_get(access, i);
		const json_t *scopes = json_object_get(item, "scopes");
		const char *uri = json_string_value(json_object_get(item, "resource"));

		json_push_str(a, names, arena_printf(a, RESOURCE "%s", uri));
		for (size_t k = 0; k < json_array_size(scopes); k++)
			json_push_str(a, names,
				      arena_printf(a, RESOURCE "%s %s", uri,
						   json_string_value(json_array_get(scopes, k))));
	}
}

bool
access_agreed(struct arena *a, const json_t *access, const char *const *names, size_t n)
{
	json_t *wanted = json_new_array(a);

	access_put_names(a, access, wanted);
	for (size_t i = 0; i < json_array_size(wanted); i++)
		if (!text_in(names, n, json_string_value(json_array_get(wanted, i))))
			return false;
	return true;
}

/* Who it is by now; its URI when it is nobody. */
static const char *
resource_name(struct request *rq, const char *uri)
{
	const struct party *at = party_of_resource(&rq->snap->parties, uri);

	return at == NULL ? uri : at->display_name;
}

json_t *
access_rows(struct request *rq, const json_t *access)
{
	json_t *rows = json_new_array(rq->a);

	for (size_t i = 0; i < json_array_size(access); i++) {
		const json_t *item = json_array_get(access, i);
		const char *uri = json_string_value(json_object_get(item, "resource"));
		json_t *row = json_new_object(rq->a);

		json_put_str(rq->a, row, "name", resource_name(rq, uri));
		json_put(rq->a, row, "scopes", json_object_get(item, "scopes"));
		json_push(rq->a, rows, row);
	}
	return rows;
}

const char *
access_told(struct request *rq, const char *name)
{
	if (!text_starts(name, RESOURCE))
		return NULL;
	const char *uri = name + strlen(RESOURCE), *scope = strchr(uri, ' ');

	if (scope == NULL)
		return resource_name(rq, uri);
	uri = arena_strndup(rq->a, uri, (size_t)(scope - uri));
	return arena_printf(rq->a, "%s: %s", resource_name(rq, uri), scope + 1);
}
