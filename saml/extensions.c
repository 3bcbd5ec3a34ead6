/* BundID's request extension; see extensions.h. */
#include "saml/extensions.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "saml/names.h"
#include "saml/status.h"
#include "saml/value.h"

#define MAX_NAME_BYTES 256
#define MAX_TEXT_BYTES 1024

const struct xmlns xmlns_akdb = {"akdb", SAML_NS_AKDB};

static const struct {
	const char *name;
	unsigned bit;
} methods[] = {
	{"Authega", SAML_AKDB_AUTHEGA}, {"Benutzername", SAML_AKDB_BENUTZERNAME},
	{"Diia", SAML_AKDB_DIIA},       {"eID", SAML_AKDB_EID},
	{"eIDAS", SAML_AKDB_EIDAS},     {"Elster", SAML_AKDB_ELSTER},
	{"FINK", SAML_AKDB_FINK},
};

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
read_attribute(struct arena *a, const struct xml_node *n, struct saml_akdb_request *r,
	       struct saml_named *out, struct err *err)
{
	const char *name = xml_attr(n, "Name");

	out->name = name == NULL ? "" : text_trim(a, name);
	r->nameless = r->nameless || !text_is_visible_ascii(out->name, MAX_NAME_BYTES);
	return saml_attr_bool(n, "RequiredAttribute", &out->required, err);
}

static bool
read_attributes(struct arena *a, const struct xml_node *root, struct saml_akdb_request *r,
		struct err *err)
{
	struct saml_named *p;
	const struct xml_node *list;
	size_t n = 0, used = 0;

	if (!find_child(root, SAML_NS_AKDB, "RequestedAttributes", &list, err))
		return false;
	if (list == NULL)
		return true;
	for (const struct xml_node *c = xml_first(list); c != NULL; c = xml_next(c))
		n++;
	p = ARENA_ARRAY(a, struct saml_named, n + 1);
	for (const struct xml_node *c = xml_first(list); c != NULL; c = xml_next(c)) {
		if (!xml_is(c, SAML_NS_AKDB, "RequestedAttribute"))
			continue;
		if (!read_attribute(a, c, r, &p[used++], err))
			return false;
	}
	r->attributes = (struct saml_named_list){p, used};
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

const char *
saml_akdb_method_name(size_t i)
{
	return i < ARRAY_LEN(methods) ? methods[i].name : NULL;
}

unsigned
saml_akdb_method_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (text_eq(name, methods[i].name))
			return methods[i].bit;
	return 0;
}

static bool
read_methods(struct arena *a, const struct xml_node *root, struct saml_akdb_request *r,
	     struct err *err)
{
	const struct xml_node *list, *method;

	if (!find_child(root, SAML_NS_AKDB, "AuthnMethods", &list, err))
		return false;
	r->names_methods = list != NULL;
	for (size_t i = 0; list != NULL && i < ARRAY_LEN(methods); i++) {
		bool enabled = false;

		if (!find_child(list, SAML_NS_AKDB, methods[i].name, &method, err) ||
		    (method != NULL && !is_enabled(a, method, &enabled, err)))
			return false;
		if (enabled)
			r->methods |= methods[i].bit;
	}
	return true;
}

/* Version 1: their names as texts. */
static bool
read_old_methods(struct arena *a, const struct xml_node *root, struct saml_akdb_request *r,
		 struct err *err)
{
	const struct xml_node *list;
	const char *name;

	if (!find_child(root, SAML_NS_AKDB, "AllowedMethods", &list, err))
		return false;
	r->names_methods = list != NULL;
	for (const struct xml_node *c = list == NULL ? NULL : xml_first(list); c != NULL;
	     c = xml_next(c)) {
		if (!xml_is(c, SAML_NS_AKDB, "AuthnMethod"))
			continue;
		if (!read_text(a, c, &name, err))
			return false;
		r->methods |= saml_akdb_method_of(name);
	}
	return true;
}

/* What stands in which element, in the order of the interface's examples (9, 10.1). */
static const struct {
	const char *in, *ns, *name;
} places[] = {
	{"AuthenticationRequest", SAML_NS_AKDB, "AuthnMethods"},
	{"AuthenticationRequest", SAML_NS_AKDB, "RequestedAttributes"},
	{"AuthenticationRequest", SAML_NS_AKDB, "DisplayInformation"},
	{"RequestedAttributes", SAML_NS_AKDB, "RequestedAttribute"},
	{"DisplayInformation", SAML_NS_AKDB_UI, "Version"},
	{"Version", SAML_NS_AKDB_UI, "Purpose"},
	{"Version", SAML_NS_AKDB_UI, "OrganizationDisplayName"},
	{"Version", SAML_NS_AKDB_UI, "Lang"},
	{"Version", SAML_NS_AKDB_UI, "BackURL"},
	{"Version", SAML_NS_AKDB_UI, "OnlineServiceId"},
};

static bool
has_place(const struct xml_node *in, const struct xml_node *n)
{
	if (xml_is(in, SAML_NS_AKDB, "AuthnMethods"))
		return strcmp(xml_ns(n), SAML_NS_AKDB) == 0 &&
		       saml_akdb_method_of(xml_name(n)) != 0;
	if (saml_akdb_method_of(xml_name(in)) != 0)
		return xml_is(n, SAML_NS_AKDB, "Enabled");
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (strcmp(places[i].in, xml_name(in)) == 0 &&
		    xml_is(n, places[i].ns, places[i].name))
			return true;
	return false;
}

static bool
check_shape(const struct xml_node *in, struct err *err)
{
	for (const struct xml_node *c = xml_first(in); c != NULL; c = xml_next(c)) {
		if (!has_place(in, c))
			return FAIL(err, ERR_INPUT, NULL, "<%s> has no place in <%s>", xml_name(c),
				    xml_name(in));
		/* Restricted HTML: what it may hold is not said here. */
		if (!xml_is(c, SAML_NS_AKDB_UI, "Purpose") && !check_shape(c, err))
			return false;
	}
	return true;
}

bool
saml_akdb_check_shape(const struct xml_node *extensions, struct err *err)
{
	const struct xml_node *root;

	return find_child(extensions, SAML_NS_AKDB, "AuthenticationRequest", &root, err) &&
	       (root == NULL || check_shape(root, err));
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
	    !(r->version == 1 ? read_old_methods : read_methods)(a, root, r, err))
		return false;
	*out = r;
	return true;
}

/* ---- judging ---- */

static bool
is_old(const struct saml_akdb_request *r, bool is_signed UNUSED)
{
	return r != NULL && r->version == 1;
}

static bool
is_nameless(const struct saml_akdb_request *r, bool is_signed UNUSED)
{
	return r != NULL && r->nameless;
}

static bool
lacks_methods(const struct saml_akdb_request *r, bool is_signed UNUSED)
{
	return r != NULL && r->names_methods && r->methods == 0;
}

static bool
is_unsigned(const struct saml_akdb_request *r UNUSED, bool is_signed)
{
	return !is_signed;
}

static bool
is_missing(const struct saml_akdb_request *r, bool is_signed UNUSED)
{
	return r == NULL;
}

static bool
lacks_organization(const struct saml_akdb_request *r, bool is_signed UNUSED)
{
	return r != NULL &&
	       (r->organization_display_name == NULL || r->organization_display_name[0] == '\0');
}

static bool
lacks_attributes(const struct saml_akdb_request *r, bool is_signed UNUSED)
{
	return r != NULL && r->attributes.n == 0;
}

/* What can be wrong, in the order in which it is told. */
static const struct {
	const char *code;
	bool (*broken)(const struct saml_akdb_request *r, bool is_signed);
	bool required_only; /* of a party that must send it; else of every extension */
} faults[] = {
	{SAML_AKDB_V1, is_old, false},
	{SAML_AKDB_NAMELESS, is_nameless, false},
	{SAML_AKDB_NO_METHODS, lacks_methods, false},
	{SAML_AKDB_UNSIGNED, is_unsigned, true},
	{SAML_AKDB_MISSING, is_missing, true},
	{SAML_AKDB_NO_ORGANIZATION, lacks_organization, true},
	{SAML_AKDB_NO_ATTRIBUTES, lacks_attributes, true},
};

bool
saml_akdb_breaks(const struct saml_akdb_request *r, bool is_signed, const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (strcmp(faults[i].code, code) == 0)
			return faults[i].broken(r, is_signed);
	return false;
}

bool
saml_akdb_check(const struct saml_akdb_request *r, bool is_signed, enum saml_akdb_rule rule,
		struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		if ((faults[i].required_only && rule != SAML_AKDB_RULE_REQUIRED) ||
		    (faults[i].broken == is_old && rule == SAML_AKDB_RULE_V1) ||
		    !faults[i].broken(r, is_signed))
			continue;
		return FAIL(err, ERR_DENIED, faults[i].code, "akdb:AuthenticationRequest: %s",
			    faults[i].code);
	}
	return true;
}

/* ---- eIDAS ---- */

static bool
read_eidas_attribute(struct arena *a, const struct xml_node *n, struct saml_named *out,
		     struct err *err)
{
	const char *name;

	if (!xml_need_attr(n, "Name", &name, err) ||
	    !saml_attr_bool(n, "isRequired", &out->required, err))
		return false;
	out->name = text_trim(a, name);
	return text_is_visible_ascii(out->name, MAX_NAME_BYTES) ||
	       FAIL(err, ERR_INPUT, NULL, "eidas:RequestedAttribute has no proper Name");
}

static bool
read_eidas_attributes(struct arena *a, const struct xml_node *list, struct saml_named_list *out,
		      struct err *err)
{
	struct saml_named *p;
	size_t n = 0, used = 0;

	for (const struct xml_node *c = xml_first(list); c != NULL; c = xml_next(c))
		n++;
	p = ARENA_ARRAY(a, struct saml_named, n + 1);
	for (const struct xml_node *c = xml_first(list); c != NULL; c = xml_next(c))
		if (xml_is(c, SAML_NS_EIDAS, "RequestedAttribute") &&
		    !read_eidas_attribute(a, c, &p[used++], err))
			return false;
	*out = (struct saml_named_list){p, used};
	return true;
}

bool
saml_eidas_parse(struct arena *a, const struct xml_node *extensions, struct saml_eidas_request *out,
		 struct err *err)
{
	const struct xml_node *type, *list;

	*out = (struct saml_eidas_request){0};
	if (!find_child(extensions, SAML_NS_EIDAS, "SPType", &type, err) ||
	    !find_child(extensions, SAML_NS_EIDAS, "RequestedAttributes", &list, err) ||
	    (type != NULL &&
	     !read_text(a, type, &out->sp_type, err))) /* second line: no text is neither word */
		return false;
	if (type != NULL && !text_eq(out->sp_type, "public") && !text_eq(out->sp_type, "private"))
		return FAIL(err, ERR_INPUT, NULL, "SPType is neither public nor private");
	return list == NULL || read_eidas_attributes(a, list, &out->attributes, err);
}

/* ---- answers ---- */

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
