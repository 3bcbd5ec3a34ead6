/* Access to other services; see access.h. */
#include "idp/access.h"

#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "idp/app.h"
#include "oidc/error.h"
#include "oidc/token.h"

#define RESOURCE "access:" /* and the URI; with a scope of it after a space */
#define DETAIL   "detail:" /* and the type, and the digest of the whole after a space */

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
access_add_details(struct request *rq, const json_t *details, json_t **access, bool *each_time)
{
	for (size_t i = 0; i < json_array_size(details); i++) {
		json_t *item = json_new_object(rq->a), *detail = json_array_get(details, i);
		const char *name = json_string_value(json_object_get(detail, "type"));
		const struct oidc_detail_type *type =
			oidc_detail_type_find(&rq->snap->details, name);

		if (*access == NULL)
			*access = json_new_array(rq->a);
		json_put(rq->a, item, "detail", detail);
		json_push(rq->a, *access, item);
		*each_time = *each_time || (type != NULL && type->each_time);
	}
}

json_t *
access_details(struct arena *a, const json_t *access)
{
	json_t *list = json_new_array(a);

	for (size_t i = 0; i < json_array_size(access); i++) {
		json_t *detail = json_object_get(json_array_get(access, i), "detail");

		if (detail != NULL)
			json_push(a, list, detail);
	}
	return json_array_size(list) == 0 ? NULL : list;
}

/* Not what it says, which may be anything about a person: what it is, so that another asks again.
 */
static const char *
detail_name(struct arena *a, const json_t *detail)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(json_text(a, detail, true)), digest);
	return arena_printf(a, DETAIL "%s %s", json_string_value(json_object_get(detail, "type")),
			    enc_base64url(a, (struct bytes){digest, sizeof(digest)}));
}

void
access_put_names(struct arena *a, const json_t *access, json_t *names)
{
	for (size_t i = 0; i < json_array_size(access); i++) {
		const json_t *item = json_array_get(access, i);
		const json_t *scopes = json_object_get(item, "scopes");
		const json_t *detail = json_object_get(item, "detail");
		const char *uri = json_string_value(json_object_get(item, "resource"));

		if (detail != NULL) {
			json_push_str(a, names, detail_name(a, detail));
			continue;
		}
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

/* Where something is used is a service by its name. */
static void
name_locations(struct request *rq, json_t *facts)
{
	for (size_t i = 0; i < json_array_size(facts); i++) {
		json_t *fact = json_array_get(facts, i), *names = json_new_array(rq->a);
		const json_t *values = json_object_get(fact, "values");

		if (!text_eq(json_string_value(json_object_get(fact, "field")), "locations"))
			continue;
		for (size_t k = 0; k < json_array_size(values); k++)
			json_push_str(
				rq->a, names,
				resource_name(rq, json_string_value(json_array_get(values, k))));
		json_put(rq->a, fact, "values", names);
	}
}

static json_t *
detail_row(struct request *rq, const json_t *detail)
{
	const char *lang = lang_code(rq->lang);
	const char *name = json_string_value(json_object_get(detail, "type"));
	const struct oidc_detail_type *type = oidc_detail_type_find(&rq->snap->details, name);
	json_t *row = json_new_object(rq->a), *facts = json_new_array(rq->a);

	/* Of a type that is gone by now nothing is given. */
	if (type != NULL) {
		facts = oidc_detail_facts(rq->a, type, detail, lang);
		name_locations(rq, facts);
		name = oidc_detail_label(type->label, lang);
	}
	json_put_str(rq->a, row, "name", name);
	json_put(rq->a, row, "facts", facts);
	return row;
}

json_t *
access_rows(struct request *rq, const json_t *access)
{
	json_t *rows = json_new_array(rq->a);

	for (size_t i = 0; i < json_array_size(access); i++) {
		const json_t *item = json_array_get(access, i);
		const char *uri = json_string_value(json_object_get(item, "resource"));
		const json_t *detail = json_object_get(item, "detail");
		json_t *row = json_new_object(rq->a), *scopes = json_object_get(item, "scopes");

		if (detail != NULL) {
			json_push(rq->a, rows, detail_row(rq, detail));
			continue;
		}
		json_put_str(rq->a, row, "name", resource_name(rq, uri));
		json_put(rq->a, row, "scopes", scopes);
		json_put_bool(rq->a, row, "who", json_array_size(scopes) == 0);
		json_push(rq->a, rows, row);
	}
	return rows;
}

const char *
access_told(struct request *rq, const char *name)
{
	if (text_starts(name, DETAIL)) {
		const char *of = name + strlen(DETAIL);
		const struct oidc_detail_type *type;

		of = arena_strndup(rq->a, of, strcspn(of, " "));
		type = oidc_detail_type_find(&rq->snap->details, of);
		return type == NULL ? of : oidc_detail_label(type->label, lang_code(rq->lang));
	}
	if (!text_starts(name, RESOURCE))
		return NULL;
	const char *uri = name + strlen(RESOURCE), *scope = strchr(uri, ' ');

	if (scope == NULL)
		return resource_name(rq, uri);
	uri = arena_strndup(rq->a, uri, (size_t)(scope - uri));
	return arena_printf(rq->a, "%s: %s", resource_name(rq, uri), scope + 1);
}
