/* Evidence of proofings; see evidence.h. */
#include "idp/evidence.h"

#include "base/text.h"

/* As an office names them, and as OpenID Identity Assurance does. */
struct word {
	const char *ours, *told;
};

static const struct word documents[] = {
	{"id-card", "idcard"},
	{"passport", "passport"},
	{"residence-permit", "residence_permit"},
	{"driving-licence", "driving_permit"},
};
static const char *const documents_told[] = {"idcard", "passport", "residence_permit",
					     "driving_permit"};

/* vpip: the document itself, by eye, in the presence of its holder */
static const struct word methods[] = {{"in-person", "vpip"}};
static const char *const methods_told[] = {"vpip"};

static const char *
told(const struct word *words, size_t n, const char *ours)
{
	for (size_t i = 0; i < n; i++)
		if (text_eq(words[i].ours, ours))
			return words[i].told;
	return NULL;
}

bool
evidence_is_method(const char *method)
{
	return told(methods, ARRAY_LEN(methods), method) != NULL;
}

const char *
evidence_methods(struct arena *a)
{
	const char *out = "";

	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		out = arena_printf(a, "%s%s%s", out, i == 0 ? "" : ", ", methods[i].ours);
	return out;
}

static const json_t *
build(struct arena *a, const struct db_proofing *p)
{
	const char *document = told(documents, ARRAY_LEN(documents), p->document_kind),
		   *method = told(methods, ARRAY_LEN(methods), p->method);
	json_t *list = json_new_array(a), *o = json_new_object(a);

	json_put_str(a, o, "type", "document");
	if (document != NULL) {
		json_t *details = json_new_object(a);

		json_put_str(a, details, "type", document);
		json_put(a, o, "document_details", details);
	}
	if (method != NULL) {
		json_t *checks = json_new_array(a), *check = json_new_object(a);

		json_put_str(a, check, "check_method", method);
		json_push(a, checks, check);
		json_put(a, o, "check_details", checks);
	}
	json_push(a, list, o);
	return list;
}

const json_t *
evidence_of(struct arena *a, const struct db_proofing *list, size_t n, struct bytes id)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_eq(id, (struct bytes){list[i].id, sizeof(list[i].id)}))
			return build(a, &list[i]);
	return NULL;
}

struct oidc_strs
evidence_documents(void)
{
	return (struct oidc_strs){documents_told, ARRAY_LEN(documents_told)};
}

struct oidc_strs
evidence_check_methods(void)
{
	return (struct oidc_strs){methods_told, ARRAY_LEN(methods_told)};
}
