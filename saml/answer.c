/*
 * Reading and judging what another identity provider answers; see answer.h.  The order is part of
 * it: first the Response's signature, on the octets as received; then, and only then, what is
 * encrypted is opened; what comes out of that is verified as a plain assertion is; then all that
 * binds it to this login.
 */
#include "saml/answer.h"

#include <string.h>

#include "base/text.h"
#include "saml/names.h"
#include "saml/schema.h"
#include "saml/status.h"
#include "saml/value.h"
#include "saml/xmlsig.h"

#define ID_MAX         256
#define ATTRIBUTES_MAX 256

const struct saml_window saml_answer_window = {60, 300};

struct saml_answer {
	struct saml_wire wire;
	const struct xml_node *root;
};

/* ---- received ---- */

bool
saml_answer_decode(struct arena *a, struct bytes raw, const struct saml_answer **out,
		   struct err *err)
{
	struct saml_answer *m = ARENA_NEW(a, struct saml_answer);
	struct xml_doc *doc;

	if (!saml_binding_decode(a, SAML_BINDING_POST, raw, &m->wire, err))
		return false;
	if (!m->wire.is_response)
		return FAIL(err, ERR_INPUT, NULL, "a request came where answers do");
	if (!xml_parse(a, m->wire.xml, &xml_limits_message, &doc, err))
		return false;
	m->root = xml_root(doc);
	if (!xml_is(m->root, SAML_NS_PROTOCOL, "Response"))
		return FAIL(err, ERR_INPUT, NULL, "<%s> is no Response", xml_name(m->root));
	*out = m;
	return true;
}

const char *
saml_answer_relay_state(const struct saml_answer *m)
{
	return m->wire.relay_state;
}

/* ---- what Response and assertion have in common ---- */

struct judging {
	struct arena *a;
	const struct saml_asked *asked;
	time_t now;
};

static bool
check_issuer(const struct judging *j, const struct xml_node *n, struct err *err)
{
	const struct xml_node *issuer;
	const char *text, *format;

	if (!xml_child(n, SAML_NS_ASSERTION, "Issuer", &issuer, err) ||
	    !xml_text(j->a, issuer, &text, err))
		return false;
	format = xml_attr(issuer, "Format");
	if (format != NULL && strcmp(format, SAML_NAMEID_ENTITY) != 0)
		return FAIL(err, ERR_DENIED, NULL, "Issuer is not an entity");
	return strcmp(text, j->asked->idp->entity_id) == 0 ||
	       FAIL(err, ERR_DENIED, NULL, "<%s> is from another provider than was asked",
		    xml_name(n));
}

/* The time of making: after the request was, and not too long ago. */
static bool
check_made(const struct judging *j, const struct xml_node *n, struct err *err)
{
	const struct saml_window *w = &saml_answer_window;
	int64_t most = j->asked->lifetime_s > 0 ? j->asked->lifetime_s : w->max_age_s;
	time_t at = 0;

	if (!saml_attr_time(n, "IssueInstant", &at, err))
		return false;
	if (at > j->now + w->skew_s)
		return FAIL(err, ERR_DENIED, NULL, "<%s> is from the future", xml_name(n));
	if (at < j->now - most - w->skew_s)
		return FAIL(err, ERR_DENIED, NULL, "<%s> is too old", xml_name(n));
	return at >= j->asked->asked_at - w->skew_s ||
	       FAIL(err, ERR_DENIED, NULL, "<%s> is older than the request", xml_name(n));
}

static bool
check_head(const struct judging *j, const struct xml_node *n, struct err *err)
{
	const char *id;

	if (!text_eq(xml_attr(n, "Version"), "2.0"))
		return FAIL(err, ERR_INPUT, NULL, "Version of <%s> is not 2.0", xml_name(n));
	if (!saml_schema_check(j->a, n, err) || !xml_need_attr(n, "ID", &id, err))
		return false;
	if (strlen(id) > ID_MAX)
		return FAIL(err, ERR_INPUT, NULL, "ID of %zu octets", strlen(id));
	return check_issuer(j, n, err) && check_made(j, n, err);
}

/* An attribute that has to be there and has to be this. */
static bool
check_equal(const struct xml_node *n, const char *name, const char *wanted, struct err *err)
{
	const char *got = xml_attr(n, name);

	if (got == NULL)
		return FAIL(err, ERR_DENIED, NULL, "<%s> has no %s", xml_name(n), name);
	return strcmp(got, wanted) == 0 ||
	       FAIL(err, ERR_DENIED, NULL, "%s of <%s> is another", name, xml_name(n));
}

/* Suites for parties marked old are for as long as they are marked. */
static bool
check_suite(const struct judging *j, const struct saml_signed *s, struct err *err)
{
	const struct saml_suite *suite = saml_signed_suite(s);

	return !suite->old || j->asked->idp->old_until > j->now ||
	       FAIL(err, ERR_DENIED, NULL, "signed with %s, which is for old providers alone",
		    suite->name);
}

static bool
verify(const struct judging *j, const struct xml_node *n, struct saml_signed **out, struct err *err)
{
	return xmlsig_verify(j->a, n, j->asked->idp->signing, out, err) &&
	       check_suite(j, *out, err);
}

/* ---- the Response ---- */

/* NULL in *out: it is not signed, and need not be. */
static bool
verify_response(const struct judging *j, const struct xml_node *root, struct saml_signed **out,
		struct err *err)
{
	*out = NULL;
	if (xmlsig_present(root))
		return verify(j, root, out, err);
	return j->asked->rule == SAML_ANSWER_ASSERTION ||
	       FAIL(err, ERR_DENIED, NULL, "Response is not signed");
}

static enum saml_outcome
outcome_of(const char *top, const char *sub)
{
	/* Requester with RequestDenied is about our request (BundID interface 9.7), not a no. */
	static const struct {
		const char *top, *sub; /* top NULL: any */
		enum saml_outcome outcome;
	} rows[] = {
		{SAML_RESPONDER, SAML_AUTHN_FAILED, SAML_OUTCOME_CANCELLED},
		{NULL, SAML_NO_AUTHN_CONTEXT, SAML_OUTCOME_LEVEL},
		{SAML_RESPONDER, SAML_REQUEST_DENIED, SAML_OUTCOME_REFUSED},
	};

	if (strcmp(top, SAML_SUCCESS) == 0)
		return sub == NULL ? SAML_OUTCOME_LOGIN : SAML_OUTCOME_FAILED;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (text_eq(sub, rows[i].sub) && (rows[i].top == NULL || text_eq(top, rows[i].top)))
			return rows[i].outcome;
	return SAML_OUTCOME_FAILED;
}

static bool
read_status(const struct xml_node *root, struct saml_answered *out, struct err *err)
{
	const struct xml_node *status, *code, *sub;

	if (!xml_child(root, SAML_NS_PROTOCOL, "Status", &status, err) ||
	    !xml_child(status, SAML_NS_PROTOCOL, "StatusCode", &code, err) ||
	    !xml_child_opt(code, SAML_NS_PROTOCOL, "StatusCode", &sub, err) ||
	    !xml_need_attr(code, "Value", &out->status, err))
		return false;
	out->substatus = sub == NULL ? NULL : xml_attr(sub, "Value");
	out->outcome = outcome_of(out->status, out->substatus);
	return true;
}

static bool
has_assertion(const struct xml_node *root)
{
	for (const struct xml_node *n = root; n != NULL; n = xml_next_in_document(n))
		if (xml_is(n, SAML_NS_ASSERTION, "Assertion") ||
		    xml_is(n, SAML_NS_ASSERTION, "EncryptedAssertion"))
			return true;
	return false;
}

/* `root`: of what was proven, where the Response is signed; else as received. */
static bool
check_response(const struct judging *j, const struct xml_node *root, struct saml_answered *out,
	       struct err *err)
{
	return check_head(j, root, err) &&
	       check_equal(root, "Destination", j->asked->acs_url, err) &&
	       check_equal(root, "InResponseTo", j->asked->request_id, err) &&
	       read_status(root, out, err);
}

/* ---- the assertion ---- */

/* The assertion that is verified by itself, or that stands in what was verified. */
static bool
prove_plain(const struct judging *j, const struct xml_node *received,
	    const struct saml_signed *response, const struct xml_node **out, struct err *err)
{
	struct saml_signed *own;

	if (xmlsig_present(received)) {
		if (!verify(j, received, &own, err) ||
		    /* second line: it is the only one, and stands in what was verified */
		    (response != NULL && !saml_signed_holds(response, own, err)))
			return false;
		*out = saml_signed_root(own);
		return true;
	}
	if (j->asked->rule != SAML_ANSWER_RESPONSE)
		return FAIL(err, ERR_DENIED, NULL, "assertion is not signed");
	return saml_signed_assertion(response, out, err);
}

/* Nobody reaches the decryptor whose Response was to be signed and is not. */
static bool
prove_encrypted(const struct judging *j, const struct xml_node *received,
		const struct saml_signed *response, const struct xmlenc_keys *keys,
		const struct xml_node **out, struct err *err)
{
	struct saml_signed *own;
	struct xml_doc *doc;

	if ((response != NULL && !saml_signed_holds_encrypted(j->a, response, received, err)) ||
	    !xmlenc_decrypt(j->a, received, keys, &doc, err))
		return false;
	if (!xml_is(xml_root(doc), SAML_NS_ASSERTION, "Assertion"))
		return FAIL(err, ERR_INPUT, NULL, "EncryptedAssertion holds no Assertion");
	if (xmlsig_present(xml_root(doc))) {
		if (!verify(j, xml_root(doc), &own, err))
			return false;
		*out = saml_signed_root(own);
		return true;
	}
	if (j->asked->rule != SAML_ANSWER_RESPONSE)
		return FAIL(err, ERR_DENIED, NULL, "encrypted assertion is not signed");
	*out = xml_root(doc);
	return true;
}

static bool
prove_assertion(const struct judging *j, const struct saml_answer *m,
		const struct saml_signed *response, const struct xmlenc_keys *keys,
		const struct xml_node **out, struct err *err)
{
	const struct xml_node *received;

	if (!saml_only_assertion(m->root, &received, err))
		return false;
	if (xml_is(received, SAML_NS_ASSERTION, "EncryptedAssertion"))
		return prove_encrypted(j, received, response, keys, out, err);
	if (j->asked->encrypted)
		return FAIL(err, ERR_DENIED, NULL, "assertion is not encrypted");
	return prove_plain(j, received, response, out, err);
}

/* ---- what it says ---- */

/* SAML2Profiles 4.1.4.2, 4.1.4.3: for this request, at this place, and no longer than it says. */
static bool
check_confirmation(const struct judging *j, const struct xml_node *subject, struct err *err)
{
	const struct xml_node *confirmation, *data;
	time_t until = 0;

	if (!xml_child(subject, SAML_NS_ASSERTION, "SubjectConfirmation", &confirmation, err) ||
	    !xml_child(confirmation, SAML_NS_ASSERTION, "SubjectConfirmationData", &data, err))
		return false;
	if (!text_eq(xml_attr(confirmation, "Method"), SAML_CM_BEARER))
		return FAIL(err, ERR_DENIED, NULL, "subject is not confirmed as bearer");
	if (xml_attr(data, "NotBefore") != NULL)
		return FAIL(err, ERR_DENIED, NULL, "SubjectConfirmationData has a NotBefore");
	if (!check_equal(data, "Recipient", j->asked->acs_url, err) ||
	    !check_equal(data, "InResponseTo", j->asked->request_id, err) ||
	    !saml_attr_time(data, "NotOnOrAfter", &until, err))
		return false;
	return j->now < until + saml_answer_window.skew_s ||
	       FAIL(err, ERR_DENIED, NULL, "SubjectConfirmationData has no NotOnOrAfter to come");
}

static bool
read_subject(const struct judging *j, const struct xml_node *assertion,
	     const struct xmlenc_keys *keys, struct saml_answered *out, struct err *err)
{
	const struct xml_node *subject;

	if (!xml_child(assertion, SAML_NS_ASSERTION, "Subject", &subject, err) ||
	    !check_confirmation(j, subject, err) ||
	    !saml_principal_read(j->a, subject, keys, &out->nameid, err))
		return false;
	/* A name that somebody else gave is not this provider's to say. */
	if (out->nameid.name_qualifier != NULL &&
	    strcmp(out->nameid.name_qualifier, j->asked->idp->entity_id) != 0)
		return FAIL(err, ERR_DENIED, NULL, "NameID is a name of another provider's");
	return out->nameid.sp_name_qualifier == NULL ||
	       strcmp(out->nameid.sp_name_qualifier, j->asked->our_entity_id) == 0 ||
	       FAIL(err, ERR_DENIED, NULL, "NameID is a name for somebody else");
}

/* Is one of its <Audience> this one?  NULL is never there. */
static bool
names_audience(const struct judging *j, const struct xml_node *n, const char *wanted, bool *out,
	       struct err *err)
{
	*out = false;
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c)) {
		const char *text;

		if (!xml_text(j->a, c, &text, err))
			return false;
		*out = *out || (wanted != NULL && strcmp(text_trim(j->a, text), wanted) == 0);
	}
	return true;
}

/* SAML2Core 2.5.1.6: may we assert anything to others on the ground of this? */
static bool
check_proxy(const struct judging *j, const struct xml_node *n, struct err *err)
{
	const char *count = xml_attr(n, "Count");
	bool named;

	if (text_eq(count, "0"))
		return FAIL(err, ERR_DENIED, NULL, "ProxyRestriction: for nobody but ourselves");
	if (!names_audience(j, n, j->asked->final_party, &named, err))
		return false;
	return named || xml_first(n) == NULL ||
	       FAIL(err, ERR_DENIED, NULL, "ProxyRestriction: not for this portal");
}

/* All conditions of the schema are known here; any other does not pass it (SAML2Core 2.5.1). */
static bool
check_one_condition(const struct judging *j, const struct xml_node *n, bool *restricted,
		    struct err *err)
{
	bool named;

	if (xml_is(n, SAML_NS_ASSERTION, "ProxyRestriction"))
		return check_proxy(j, n, err);
	if (!xml_is(n, SAML_NS_ASSERTION, "AudienceRestriction"))
		return true;
	if (!names_audience(j, n, j->asked->our_entity_id, &named, err))
		return false;
	*restricted = true;
	return named || FAIL(err, ERR_DENIED, NULL, "assertion is for another audience");
}

static bool
read_conditions(const struct judging *j, const struct xml_node *assertion,
		struct saml_answered *out, struct err *err)
{
	const int64_t skew = saml_answer_window.skew_s;
	const struct xml_node *n;
	bool restricted = false;
	time_t from = 0;

	if (!xml_child(assertion, SAML_NS_ASSERTION, "Conditions", &n, err) ||
	    !saml_attr_time(n, "NotBefore", &from, err) ||
	    !saml_attr_time(n, "NotOnOrAfter", &out->expires, err))
		return false;
	if (from == 0 || out->expires == 0)
		return FAIL(err, ERR_DENIED, NULL, "Conditions do not say from when to when");
	if (j->now < from - skew)
		return FAIL(err, ERR_DENIED, NULL, "NotBefore has not come");
	if (j->now >= out->expires + skew)
		return FAIL(err, ERR_DENIED, NULL, "NotOnOrAfter has passed");
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c))
		if (!check_one_condition(j, c, &restricted, err))
			return false;
	return restricted || FAIL(err, ERR_DENIED, NULL, "assertion is for any audience");
}

static bool
read_context(const struct judging *j, const struct xml_node *statement, struct saml_answered *out,
	     struct err *err)
{
	const struct xml_node *context, *ref;
	const char *text;

	if (!xml_child(statement, SAML_NS_ASSERTION, "AuthnContext", &context, err) ||
	    !xml_child(context, SAML_NS_ASSERTION, "AuthnContextClassRef", &ref, err) ||
	    !xml_text(j->a, ref, &text, err))
		return false;
	out->class_ref = text_trim(j->a, text);
	for (const struct xml_node *c = xml_next(ref); c != NULL; c = xml_next(c)) {
		if (!xml_is(c, SAML_NS_ASSERTION, "AuthenticatingAuthority"))
			continue;
		if (out->n_authorities == SAML_ANSWER_AUTHORITIES_MAX)
			return FAIL(err, ERR_INPUT, NULL, "more than %d AuthenticatingAuthorities",
				    SAML_ANSWER_AUTHORITIES_MAX);
		if (!xml_text(j->a, c, &text, err))
			return false;
		out->authorities[out->n_authorities++] = text_trim(j->a, text);
	}
	return true;
}

/* We always ask for a login of its own (ForceAuthn), so none of before the request will do. */
static bool
read_login(const struct judging *j, const struct xml_node *assertion, struct saml_answered *out,
	   struct err *err)
{
	const int64_t skew = saml_answer_window.skew_s;
	const struct xml_node *n;
	time_t until = 0;

	if (!xml_child(assertion, SAML_NS_ASSERTION, "AuthnStatement", &n, err) ||
	    !saml_attr_time(n, "AuthnInstant", &out->authn_at, err) ||
	    !saml_attr_time(n, "SessionNotOnOrAfter", &until, err))
		return false;
	if (out->authn_at > j->now + skew)
		return FAIL(err, ERR_DENIED, NULL, "AuthnInstant is in the future");
	if (out->authn_at < j->asked->asked_at - skew)
		return FAIL(err, ERR_DENIED, NULL, "the login is older than the request");
	if (until != 0 && j->now >= until + skew)
		return FAIL(err, ERR_DENIED, NULL, "SessionNotOnOrAfter has passed");
	return read_context(j, n, out, err);
}

/* ---- attributes ---- */

static bool
read_attribute(const struct judging *j, const struct xml_node *n, struct saml_told_attribute *out,
	       struct err *err)
{
	const struct xml_node **values =
		ARENA_ARRAY(j->a, const struct xml_node *, SAML_ANSWER_VALUES_MAX);

	out->name_format = xml_attr(n, "NameFormat");
	out->trust_level = xml_attr_ns(n, SAML_NS_AKDB, "TrustLevel");
	out->value = values;
	for (const struct xml_node *c = xml_first(n); c != NULL; c = xml_next(c)) {
		if (out->n_values == SAML_ANSWER_VALUES_MAX)
			return FAIL(err, ERR_INPUT, NULL, "Attribute of more than %d values",
				    SAML_ANSWER_VALUES_MAX);
		values[out->n_values++] = c;
	}
	return xml_need_attr(n, "Name", &out->name, err);
}

static bool
read_attributes(const struct judging *j, const struct xml_node *assertion,
		struct saml_answered *out, struct err *err)
{
	struct saml_told_attribute *list =
		ARENA_ARRAY(j->a, struct saml_told_attribute, ATTRIBUTES_MAX);

	out->attributes = list;
	for (const struct xml_node *s = xml_first(assertion); s != NULL; s = xml_next(s)) {
		if (!xml_is(s, SAML_NS_ASSERTION, "AttributeStatement"))
			continue;
		for (const struct xml_node *c = xml_first(s); c != NULL; c = xml_next(c)) {
			struct saml_told_attribute *at = &list[out->n_attributes];

			if (out->n_attributes == ATTRIBUTES_MAX)
				return FAIL(err, ERR_INPUT, NULL, "more than %d Attributes",
					    ATTRIBUTES_MAX);
			if (!read_attribute(j, c, at, err))
				return false;
			if (saml_told_find(out, at->name) != NULL)
				return FAIL(err, ERR_INPUT, NULL, "two Attributes of one name");
			out->n_attributes++;
		}
	}
	return true;
}

/* ---- all of it ---- */

static bool
read_assertion(const struct judging *j, const struct xml_node *n, const struct xmlenc_keys *keys,
	       struct saml_answered *out, struct err *err)
{
	return check_head(j, n, err) && xml_need_attr(n, "ID", &out->assertion_id, err) &&
	       read_subject(j, n, keys, out, err) && read_conditions(j, n, out, err) &&
	       read_login(j, n, out, err) && read_attributes(j, n, out, err);
}

bool
saml_answer_verify(struct arena *a, const struct saml_answer *m, const struct saml_asked *asked,
		   const struct xmlenc_keys *keys, time_t now, const struct saml_answered **out,
		   struct err *err)
{
	struct saml_answered *told = ARENA_NEW(a, struct saml_answered);
	const struct judging j = {a, asked, now};
	struct saml_signed *response;
	const struct xml_node *assertion;

	if (!verify_response(&j, m->root, &response, err) ||
	    !check_response(&j, response == NULL ? m->root : saml_signed_root(response), told, err))
		return false;
	if (told->outcome != SAML_OUTCOME_LOGIN) {
		if (response == NULL)
			return FAIL(err, ERR_DENIED, NULL, "a failure that nobody signed");
		if (has_assertion(m->root))
			return FAIL(err, ERR_INPUT, NULL, "an assertion comes with a failure");
		*out = told;
		return true;
	}
	if (!prove_assertion(&j, m, response, keys, &assertion, err) ||
	    !read_assertion(&j, assertion, keys, told, err))
		return false;
	*out = told;
	return true;
}

const char *
saml_told_text(struct arena *a, const struct xml_node *value)
{
	const char *text;

	return xml_text(a, value, &text, NULL) ? text_trim(a, text) : NULL;
}

const struct saml_told_attribute *
saml_told_find(const struct saml_answered *s, const char *name)
{
	for (size_t i = 0; i < s->n_attributes; i++)
		if (strcmp(s->attributes[i].name, name) == 0)
			return &s->attributes[i];
	return NULL;
}
