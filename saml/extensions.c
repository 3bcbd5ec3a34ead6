/* BundID's request extension; see extensions.h. */
#include "saml/extensions.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "saml/names.h"
#include "saml/value.h"

#define MAX_NAME_BYTES 256
#define MAX_TEXT_BYTES 1024

const struct xmlns xmlns_akdb = {"akdb", SAML_NS_AKDB};

/* The children of akdb elements come in any order and with company: each is looked for by name. */
static bool
find_child(const struct xml_node *n, const char *ns, const char *name, const struct xml_node **out,
	   struct err *err)
{
	*out = NULL;
	return n == NULL || xml_child_opt(n, ns, name, out, err);
}

/* White space around a text is the sender's pretty printing. */
static bool
read_text(struct arena *a, const struct xml_node *n, const char **out, struct err *err)
{
	const char *text;

	if (!xml_text_cdata(a, n, &text, err))
		return false;
	text = text_trim(a, text);
	if (strlen(text) > MAX_TEXT_BYTES)
		return FAIL(err, ERR_INPUT, NULL, "<%s> of %zu octets", xml_name(n), strlen(text));
	*out = text;
	return true;
}

static bool
read_child_text(struct arena *a, const struct xml_node *n, const char *name, const char **out,
		struct err *err)
{
	const struct xml_node *child;

	if (!find_child(n, SAML_NS_AKDB_UI, name, &child, err))
		return false;
	return child == NULL || read_text(a, child, out, err);
}

static bool
read_display(struct arena *a, const struct xml_node *root, struct saml_akdb_request *r,
	     struct err *err)
{
	const struct xml_node *display, *ui;

	return find_child(root, SAML_NS_AKDB, "DisplayInformation", &display, err) &&
	       find_child(display, SAML_NS_AKDB_UI, "Version", &ui, err) &&
	       read_child_text(a, ui, "OrganizationDisplayName", &r->organization_display_name,
			       err) &&
	       read_child_text(a, ui, "OnlineServiceId", &r->online_service_id, err) &&
	       read_child_text(a, ui, "Lang", &r->lang, err) &&
	       read_child_text(a, ui, "BackURL", &r->back_url, err);
}

static bool
read_attribute(struct arena *a, const struct xml_node *n, struct saml_akdb_attribute *out,
	       struct err *err)
{
	const char *name;

	if (!xml_need_attr(n, "Name", &name, err) ||
	    !saml_attr_bool(n, "RequiredAttribute", &out->required, err))
		return false;
	out->name = text_trim(a, name);
	if (!text_is_visible_ascii(out->name, MAX_NAME_BYTES))
		return FAIL(err, ERR_INPUT, NULL, "RequestedAttribute has no proper Name");
	return true;
}

static bool
read_attributes(struct arena *a, const struct xml_node *root, struct saml_akdb_request *r,
		struct err *err)
{
	struct saml_akdb_attribute *p;
	const struct xml_node *list;
	size_t n = 0;

	if (!find_child(root, SAML_NS_AKDB, "RequestedAttributes", &list, err))
		return false;
	if (list == NULL)
		return true;
	for (const struct xml_node *c = xml_first(list); c != NULL; c = xml_next(c))
		n++;
	p = ARENA_ARRAY(a, struct saml_akdb_attribute, n + 1);
	for (const struct xml_node *c = xml_first(list); c != NULL; c = xml_next(c)) {
		if (!xml_is(c, SAML_NS_AKDB, "RequestedAttribute"))
			continue;
		if (!read_attribute(a, c, &p[r->n_attributes++], err))
			return false;
	}
	r->attributes = p;
	return true;
}

/* Listed without Enabled, or with true, is offered (BundID interface 9). */
static bool
is_enabled(struct arena *a, const struct xml_node *method, bool *out, struct err *err)
{
	const struct xml_node *enabled;
	const char *text;

	*out = true;
	if (!find_child(method, SAML_NS_AKDB, "Enabled", &enabled, err))
		return false;
	if (enabled == NULL)
		return true;
	if (!read_text(a, enabled, &text, err))
		return false;
	return saml_read_bool(text, out) ||
	       FAIL(err, ERR_INPUT, NULL, "Enabled is neither true nor false");
}

static bool
read_methods(struct arena *a, const struct xml_node *root, struct saml_akdb_request *r,
	     struct err *err)
{
	static const struct {
		const char *name;
		unsigned bit;
	} names[] = {
		{"Authega", SAML_AKDB_AUTHEGA}, {"Benutzername", SAML_AKDB_BENUTZERNAME},
		{"Diia", SAML_AKDB_DIIA},       {"eID", SAML_AKDB_EID},
		{"eIDAS", SAML_AKDB_EIDAS},     {"Elster", SAML_AKDB_ELSTER},
		{"FINK", SAML_AKDB_FINK},
	};
	const struct xml_node *list, *method;

	if (!find_child(root, SAML_NS_AKDB, "AuthnMethods", &list, err))
		return false;
	r->names_methods = list != NULL;
	for (size_t i = 0; list != NULL && i < ARRAY_LEN(names); i++) {
		bool enabled = false;

		if (!find_child(list, SAML_NS_AKDB, names[i].name, &method, err) ||
		    (method != NULL && !is_enabled(a, method, &enabled, err)))
			return false;
		if (enabled)
			r->methods |= names[i].bit;
	}
	return true;
}

bool
saml_akdb_parse(struct arena *a, const struct xml_node *extensions,
		const struct saml_akdb_request **out, struct err *err)
{
	struct saml_akdb_request *r = ARENA_NEW(a, struct saml_akdb_request);
	const struct xml_node *root;
	const char *version;

	if (!find_child(extensions, SAML_NS_AKDB, "AuthenticationRequest", &root, err))
		return false;
	if (root == NULL) {
		*out = NULL;
		return true;
	}
	if (!xml_need_attr(root, "Version", &version, err))
		return false;
	if (!text_eq(version, "1") && !text_eq(version, "2"))
		return FAIL(err, ERR_INPUT, NULL, "akdb:AuthenticationRequest of another version");
	r->version = version[0] - '0';
	if (!saml_attr_bool(root, "EnableStatusDetail", &r->enable_status_detail, err) ||
	    !read_attributes(a, root, r, err) || !read_display(a, root, r, err) ||
	    !read_methods(a, root, r, err))
		return false;
	*out = r;
	return true;
}

const char *
saml_akdb_detail(struct arena *a, const char *code, const char *message)
{
	json_t *detail = json_new_object(a), *errors = json_new_array(a),
	       *error = json_new_object(a);

	json_put_str(a, error, "code", code);
	json_put_str(a, error, "message", message);
	json_push(a, errors, error);
	json_put_str(a, detail, "version", "1.0");
	json_put(a, detail, "errors", errors);
	return json_text(a, detail, false);
}
