/* Reading and judging AuthnRequests; see authn_request.h. */
#include "saml/authn_request.h"

#include <string.h>

#include "base/text.h"
#include "saml/names.h"
#include "saml/status.h"
#include "saml/value.h"

static bool
read_attributes(const struct xml_node *n, struct saml_authn_request *r, struct err *err)
{
	r->acs_url = xml_attr(n, "AssertionConsumerServiceURL");
	r->protocol_binding = xml_attr(n, "ProtocolBinding");
	if (!saml_attr_short(n, "AssertionConsumerServiceIndex", &r->acs_index, err) ||
	    !saml_attr_short(n, "AttributeConsumingServiceIndex", &r->service_index, err) ||
	    !saml_attr_bool(n, "ForceAuthn", &r->force_authn, err) ||
	    !saml_attr_bool(n, "IsPassive", &r->is_passive, err))
		return false;
	/* SAML2Core 3.4.1: the index is mutually exclusive with URL and ProtocolBinding. */
	if (r->acs_index >= 0 && (r->acs_url != NULL || r->protocol_binding != NULL))
		return FAIL(err, ERR_INPUT, NULL, "AssertionConsumerServiceIndex is not alone");
	return true;
}

static bool
read_nameid_policy(const struct xml_node *n, struct saml_authn_request *r, struct err *err)
{
	const struct xml_node *policy;

	if (!xml_child_opt(n, SAML_NS_PROTOCOL, "NameIDPolicy", &policy, err))
		return false;
	if (policy == NULL)
		return true;
	r->has_nameid_policy = true;
	r->nameid_format = xml_attr(policy, "Format");
	r->sp_name_qualifier = xml_attr(policy, "SPNameQualifier");
	return saml_attr_bool(policy, "AllowCreate", &r->allow_create, err);
}

static enum saml_comparison
comparison_of(const char *word)
{
	static const char *const words[] = {
		[SAML_EXACT] = "exact",
		[SAML_MINIMUM] = "minimum",
		[SAML_MAXIMUM] = "maximum",
		[SAML_BETTER] = "better",
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (text_eq(word, words[i]))
			return (enum saml_comparison)i;
	return SAML_EXACT; /* SAML2Core 3.3.2.2.1 */
}

static bool
read_context(struct arena *a, const struct xml_node *n, struct saml_authn_request *r,
	     struct err *err)
{
	const struct xml_node *context;

	if (!xml_child_opt(n, SAML_NS_PROTOCOL, "RequestedAuthnContext", &context, err))
		return false;
	if (context == NULL)
		return true;
	r->comparison = comparison_of(xml_attr(context, "Comparison"));
	for (const struct xml_node *c = xml_first(context); c != NULL; c = xml_next(c)) {
		const char *text;

		if (xml_is(c, SAML_NS_ASSERTION, "AuthnContextDeclRef")) {
			r->names_declarations = true;
			continue;
		}
		if (r->n_class_refs == SAML_CLASS_REFS_MAX)
			return FAIL(err, ERR_INPUT, NULL, "more than %d AuthnContextClassRefs",
				    SAML_CLASS_REFS_MAX);
		if (!xml_text(a, c, &text, err))
			return false;
		r->class_refs[r->n_class_refs++] = text_trim(a, text);
	}
	/* SAML2Core 3.3.2.2.1 has a choice of the two. */
	return !r->names_declarations || r->n_class_refs == 0 ||
	       FAIL(err, ERR_INPUT, NULL, "AuthnContextClassRef and AuthnContextDeclRef at once");
}

/* The first fault that the party may hear is kept for it; any other is for the page. */
static bool
defer(bool held, struct saml_authn_request *r, const struct err *why, struct err *err)
{
	if (!held && why->kind != ERR_INPUT)
		return FAIL(err, why->kind, why->proto, "%s", why->text);
	if (!held && r->fault.kind == ERR_NONE)
		r->fault = *why;
	return true;
}

/* SAML2Core 3.4.1, 3.4.1.4: the person the answer has to be about. */
static bool
read_subject(struct arena *a, const struct xml_node *n, struct saml_authn_request *r,
	     struct err *err)
{
	const struct xml_node *subject, *nameid;
	struct saml_nameid *name;

	if (!xml_child_opt(n, SAML_NS_ASSERTION, "Subject", &subject, err))
		return false;
	if (subject == NULL)
		return true;
	name = ARENA_NEW(a, struct saml_nameid);
	r->subject = name;
	if (!xml_child_opt(subject, SAML_NS_ASSERTION, "NameID", &nameid, err))
		return false;
	r->subject_is_plain = nameid != NULL && xml_next(xml_first(subject)) == NULL;
	return nameid == NULL || saml_nameid_read(a, nameid, name, err);
}

/* SAML2Core 3.4.1.2: the chain of those that the request is passed on for. */
static bool
read_requesters(struct arena *a, const struct xml_node *scoping, struct saml_authn_request *r,
		struct err *err)
{
	size_t n = 0;

	for (const struct xml_node *c = xml_first(scoping); c != NULL; c = xml_next(c)) {
		const char *text;

		if (!xml_is(c, SAML_NS_PROTOCOL, "RequesterID"))
			continue;
		if (n++ == SAML_REQUESTERS_MAX)
			return FAIL(err, ERR_INPUT, NULL, "more than %d RequesterIDs",
				    SAML_REQUESTERS_MAX);
		if (!xml_text(a, c, &text, err))
			return false;
		text = text_trim(a, text);
		r->requesters = r->requesters == NULL
					? text
					: arena_printf(a, "%s %s", r->requesters, text);
	}
	return true;
}

/* SAML2Core 3.4.1.2, 3.4.1.3.  GetComplete would have us fetch what a stranger names. */
static bool
read_scoping(struct arena *a, const struct xml_node *n, struct saml_authn_request *r,
	     struct err *err)
{
	const struct xml_node *scoping, *list;

	if (!xml_child_opt(n, SAML_NS_PROTOCOL, "Scoping", &scoping, err))
		return false;
	if (scoping == NULL)
		return true;
	const char *count = xml_attr(scoping, "ProxyCount");

	/* A nonNegativeInteger, as the schema check said. */
	r->no_proxy = count != NULL && strpbrk(count, "123456789") == NULL;
	if (!xml_child_opt(scoping, SAML_NS_PROTOCOL, "IDPList", &list, err) ||
	    !read_requesters(a, scoping, r, err))
		return false;
	for (const struct xml_node *c = list == NULL ? NULL : xml_first(list); c != NULL;
	     c = xml_next(c)) {
		if (!xml_is(c, SAML_NS_PROTOCOL, "IDPEntry"))
			continue;
		if (r->n_idp_list == SAML_IDP_LIST_MAX)
			return FAIL(err, ERR_INPUT, NULL, "more than %d IDPEntries",
				    SAML_IDP_LIST_MAX);
		if (!xml_need_attr(c, "ProviderID", &r->idp_list[r->n_idp_list++], err))
			return false;
	}
	return true;
}

static bool
read_extensions(struct arena *a, const struct xml_node *n, struct saml_authn_request *r,
		struct err *err)
{
	const struct xml_node *extensions;

	if (!xml_child_opt(n, SAML_NS_PROTOCOL, "Extensions", &extensions, err))
		return false;
	/* What it says is shown at consent: not on the word of anybody. */
	if (extensions == NULL || !r->header.is_signed)
		return true;
	struct err why = {0};
	bool held = saml_akdb_parse(a, extensions, &r->akdb, &why) &&
		    saml_eidas_parse(a, extensions, &r->eidas, &why);

	return defer(held, r, &why, err);
}

/* SAML2Core 3.4.1: conditions that the party wants of the assertion.  The others we set anyway. */
static bool
read_conditions(const struct xml_node *n, struct saml_authn_request *r, struct err *err)
{
	const struct xml_node *conditions, *once = NULL;

	if (!xml_child_opt(n, SAML_NS_ASSERTION, "Conditions", &conditions, err) ||
	    (conditions != NULL &&
	     !xml_child_opt(conditions, SAML_NS_ASSERTION, "OneTimeUse", &once, err)))
		return false;
	r->one_time_use = once != NULL;
	return true;
}

/* What the schema does not settle, and the party can be told of. */
static bool
read_wishes(struct arena *a, const struct xml_node *root, struct saml_authn_request *r,
	    struct err *err)
{
	struct err version = {0}, context = {0}, scoping = {0};

	if (r->header.other_version)
		(void)!FAIL(&version, ERR_INPUT, SAML_VERSION_MISMATCH, "Version is not 2.0");
	return defer(!r->header.other_version, r, &version, err) &&
	       defer(read_context(a, root, r, &context), r, &context, err) &&
	       defer(read_scoping(a, root, r, &scoping), r, &scoping, err) &&
	       read_extensions(a, root, r, err);
}

bool
saml_authn_request_parse(struct arena *a, const struct saml_verified *v,
			 const struct saml_authn_request **out, struct err *err)
{
	struct saml_authn_request *r = ARENA_NEW(a, struct saml_authn_request);
	const struct xml_node *root;

	r->party = saml_verified_party(v);
	r->acs_index = r->service_index = -1;
	if (!saml_header_read(a, v, SAML_AUTHN_REQUEST, &r->header, &root, err) ||
	    !read_attributes(root, r, err) || !read_nameid_policy(root, r, err) ||
	    !read_subject(a, root, r, err) || !read_conditions(root, r, err) ||
	    !read_wishes(a, root, r, err))
		return false;
	*out = r;
	return true;
}

/* SAML2Core 3.4.1: only a registered URL, or anyone could have assertions about our users posted
 * to themselves. */
static bool
find_acs(const struct saml_authn_request *r, const struct saml_endpoint **acs, struct err *err)
{
	*acs = saml_party_acs(r->party, r->acs_url, r->acs_index, SAML_BINDING_NONE);
	return *acs != NULL || FAIL(err, ERR_DENIED, SAML_REQUESTER,
				    "no registered AssertionConsumerService matches");
}

/* Whom to answer is known: what follows it may hear. */
static bool
check_worth(const struct saml_authn_request *r, const struct saml_window *window, time_t now,
	    struct err *err)
{
	if (!saml_header_check_worth(&r->header, window, now, err))
		return false;
	return r->fault.kind == ERR_NONE ||
	       FAIL(err, ERR_DENIED, r->fault.proto == NULL ? SAML_REQUESTER : r->fault.proto, "%s",
		    r->fault.text);
}

/* That one, by the binding that the request names besides. */
static bool
narrow_acs(const struct saml_authn_request *r, const struct saml_endpoint **acs, struct err *err)
{
	const struct saml_binding_row *by;
	const struct saml_endpoint *narrowed;

	if (r->protocol_binding == NULL)
		return true;
	by = saml_binding_by_uri(r->protocol_binding);
	/* SAML2Profiles 4.1.2: a Response never goes by Redirect. */
	if (by == NULL || !by->for_response)
		return FAIL(err, ERR_DENIED, SAML_UNSUPPORTED_BINDING,
			    "ProtocolBinding is neither HTTP-POST nor HTTP-Artifact");
	narrowed = saml_party_acs(r->party, r->acs_url, r->acs_index, by->id);
	if (narrowed == NULL)
		return FAIL(err, ERR_DENIED, SAML_UNSUPPORTED_BINDING,
			    "no registered AssertionConsumerService has its ProtocolBinding");
	*acs = narrowed;
	return true;
}

bool
saml_authn_request_check(const struct saml_authn_request *r, const char *our_url,
			 const struct saml_window *window, time_t now,
			 const struct saml_endpoint **acs, struct err *err)
{
	*acs = NULL;
	/* SAML2Bindings 3.4.5.2, 3.5.5.2: one for another place is discarded, not answered. */
	return saml_header_check_place(&r->header, our_url, err) && find_acs(r, acs, err) &&
	       check_worth(r, window, now, err) && narrow_acs(r, acs, err);
}

bool
saml_authn_request_check_client(const struct saml_authn_request *r, const char *our_url,
				const struct saml_window *window, time_t now,
				const struct saml_endpoint **acs, struct err *err)
{
	*acs = NULL;
	if (!saml_header_check_place_soap(&r->header, our_url, err))
		return false;
	*acs = saml_party_acs_client(r->party, r->acs_url, r->acs_index);
	if (*acs == NULL)
		return FAIL(err, ERR_DENIED, SAML_REQUESTER,
			    "no registered AssertionConsumerService by PAOS matches");
	if (!check_worth(r, window, now, err))
		return false;
	return r->protocol_binding == NULL ||
	       strcmp(r->protocol_binding, SAML_BINDING_URI_PAOS) == 0 ||
	       FAIL(err, ERR_DENIED, SAML_UNSUPPORTED_BINDING, "ProtocolBinding is not PAOS");
}

bool
saml_authn_request_unsolicited(struct arena *a, const struct saml_party *party, const char *acs_url,
			       const struct saml_authn_request **out,
			       const struct saml_endpoint **acs, struct err *err)
{
	struct saml_authn_request *r = ARENA_NEW(a, struct saml_authn_request);

	r->party = party;
	r->acs_url = acs_url;
	r->acs_index = r->service_index = -1;
	*out = r;
	return find_acs(r, acs, err);
}

/* What the request names, else the first of the party's metadata that it may have, else ours. */
static const char *
format_of(const struct saml_authn_request *r, unsigned allowed)
{
	if (r->nameid_format != NULL && strcmp(r->nameid_format, SAML_NAMEID_UNSPECIFIED) != 0)
		return saml_nameid_format_first(saml_nameid_format_bit(r->nameid_format) & allowed);
	return saml_party_nameid_format(r->party, allowed);
}

static bool
is_ours(const char *qualifier, const char *entity_id)
{
	return qualifier == NULL || strcmp(qualifier, entity_id) == 0;
}

/* May people log in here? */
static bool
scope_has(const struct saml_authn_request *r, const char *our_entity_id)
{
	for (size_t i = 0; i < r->n_idp_list; i++)
		if (strcmp(r->idp_list[i], our_entity_id) == 0)
			return true;
	return r->n_idp_list == 0;
}

/* Only a name that stays can be compared with who logs in; a transient one is gone with its answer.
 */
static bool
check_subject(const struct saml_authn_request *r, const char *our_entity_id, const char **person,
	      struct err *err)
{
	const struct saml_nameid *s = r->subject;

	*person = NULL;
	if (s == NULL)
		return true;
	if (!r->subject_is_plain)
		return FAIL(err, ERR_DENIED, SAML_REQUEST_UNSUPPORTED,
			    "Subject is more or else than a NameID");
	if (s->format != NULL && strcmp(s->format, SAML_NAMEID_UNSPECIFIED) != 0 &&
	    strcmp(s->format, SAML_NAMEID_PERSISTENT) != 0)
		return FAIL(err, ERR_DENIED, SAML_UNKNOWN_PRINCIPAL,
			    "Subject is not named by a persistent NameID");
	if (!is_ours(s->name_qualifier, our_entity_id) ||
	    !is_ours(s->sp_name_qualifier, r->party->entity_id))
		return FAIL(err, ERR_DENIED, SAML_UNKNOWN_PRINCIPAL,
			    "Subject is a name of somebody else's");
	*person = s->value;
	return true;
}

bool
saml_authn_request_check_wish(const struct saml_authn_request *r, const char *our_entity_id,
			      unsigned nameid_formats, struct saml_wish *out, struct err *err)
{
	struct saml_wish wish = {.nameid_format = format_of(r, nameid_formats)};

	wish.scope_is_ours = scope_has(r, our_entity_id);
	if (r->names_declarations)
		return FAIL(err, ERR_DENIED, SAML_NO_AUTHN_CONTEXT,
			    "an AuthnContextDeclRef is asked for");
	if (wish.nameid_format == NULL)
		return FAIL(err, ERR_DENIED, SAML_INVALID_NAMEID_POLICY,
			    "NameIDPolicy wants a format the party is not given");
	if (r->sp_name_qualifier != NULL && strcmp(r->sp_name_qualifier, r->party->entity_id) != 0)
		return FAIL(err, ERR_DENIED, SAML_INVALID_NAMEID_POLICY,
			    "SPNameQualifier is not the party itself");
	if (!check_subject(r, our_entity_id, &wish.person, err))
		return false;
	/* SAML2Core 3.4.1.1, errata E14: it says nothing of names that nobody keeps. */
	wish.known_only = r->has_nameid_policy && !r->allow_create &&
			  strcmp(wish.nameid_format, SAML_NAMEID_PERSISTENT) == 0;
	wish.service = saml_party_service(r->party, r->service_index);
	if (wish.service == NULL && r->service_index >= 0)
		return FAIL(err, ERR_DENIED, SAML_REQUEST_UNSUPPORTED,
			    "no AttributeConsumingService has index %d", r->service_index);
	*out = wish;
	return true;
}
