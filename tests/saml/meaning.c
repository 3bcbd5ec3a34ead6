/* What is read from documents; see meaning.h. */
#include "tests/saml/meaning.h"

#include "base/clock.h"
#include "base/enc.h"
#include "saml/artifact.h"
#include "saml/authn_request.h"
#include "saml/logout.h"
#include "saml/names.h"
#include "saml/xmlenc.h"
#include "tests/test.h"

/* ---- printing ---- */

static void
line(struct buf *b, const char *name, const char *value)
{
	if (value != NULL)
		buf_printf(b, "%s: %s\n", name, value);
}

static void
number(struct buf *b, const char *name, long long value)
{
	buf_printf(b, "%s: %lld\n", name, value);
}

static void
flag(struct buf *b, const char *name, bool value)
{
	if (value)
		buf_printf(b, "%s\n", name);
}

static void
moment(struct buf *b, const char *name, time_t t)
{
	if (t != 0)
		line(b, name, clock_text(b->a, t));
}

static void
print_header(struct buf *b, const struct saml_header *h)
{
	line(b, "id", h->id);
	line(b, "destination", h->destination);
	line(b, "in-response-to", h->in_response_to);
	moment(b, "issued", h->issued_at);
}

static void
print_akdb(struct buf *b, const struct saml_akdb_request *r)
{
	number(b, "akdb-version", r->version);
	flag(b, "akdb-status-detail", r->enable_status_detail);
	if (r->names_methods)
		buf_printf(b, "akdb-methods: %#x\n", r->methods);
	for (size_t i = 0; i < r->attributes.n; i++)
		buf_printf(b, "akdb-attribute: %s%s\n", r->attributes.p[i].name,
			   r->attributes.p[i].required ? " required" : "");
	line(b, "akdb-name", r->organization_display_name);
	line(b, "akdb-service", r->online_service_id);
	line(b, "akdb-lang", r->lang);
	line(b, "akdb-back", r->back_url);
}

static void
print_authn_request(struct buf *b, const struct saml_authn_request *r,
		    const struct saml_endpoint *acs, const struct saml_wish *wish)
{
	static const char *const comparisons[] = {"exact", "minimum", "maximum", "better"};

	print_header(b, &r->header);
	line(b, "answer-to", acs->url);
	line(b, "name-format", wish->nameid_format);
	if (wish->service != NULL)
		number(b, "service", wish->service->index);
	flag(b, "force", r->force_authn);
	flag(b, "passive", r->is_passive);
	flag(b, "create", r->allow_create);
	if (r->n_class_refs > 0)
		line(b, "comparison", comparisons[r->comparison]);
	for (size_t i = 0; i < r->n_class_refs; i++)
		line(b, "class", r->class_refs[i]);
	if (r->akdb != NULL)
		print_akdb(b, r->akdb);
	line(b, "eidas-sp-type", r->eidas.sp_type);
	for (size_t i = 0; i < r->eidas.attributes.n; i++)
		buf_printf(b, "eidas-attribute: %s%s\n", r->eidas.attributes.p[i].name,
			   r->eidas.attributes.p[i].required ? " required" : "");
	flag(b, "once", r->one_time_use);
}

static void
print_logout_request(struct buf *b, const struct saml_logout_request *r)
{
	print_header(b, &r->header);
	line(b, "name", r->nameid.value);
	line(b, "name-format", r->nameid.format);
	line(b, "name-qualifier", r->nameid.name_qualifier);
	line(b, "sp-name-qualifier", r->nameid.sp_name_qualifier);
	for (size_t i = 0; i < r->n_session_indexes; i++)
		line(b, "session", r->session_index[i]);
	moment(b, "not-on-or-after", r->not_on_or_after);
	line(b, "reason", r->reason);
}

static void
print_endpoints(struct buf *b, const char *what, const struct saml_endpoints *es)
{
	for (size_t i = 0; i < es->n; i++) {
		const struct saml_endpoint *e = &es->p[i];

		buf_printf(b, "%s: %s %d %s", what,
			   e->binding == SAML_BINDING_POST       ? "post"
			   : e->binding == SAML_BINDING_SOAP     ? "soap"
			   : e->binding == SAML_BINDING_PAOS     ? "paos"
			   : e->binding == SAML_BINDING_ARTIFACT ? "artifact"
								 : "redirect",
			   e->index, e->url);
		if (e->response_url != e->url)
			buf_printf(b, " response %s", e->response_url);
		buf_str(b, e->is_default ? " default\n" : "\n");
	}
}

static void
print_texts(struct buf *b, const char *what, const struct saml_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		buf_printf(b, "%s: [%s] %s\n", what, texts->p[i].lang, texts->p[i].text);
}

static void
print_keys(struct buf *b, const struct saml_party *p)
{
	for (size_t i = 0; i < p->n_keys; i++) {
		const struct saml_party_key *k = &p->keys[i];

		buf_printf(b, "key:%s%s %s\n", k->signing ? " signing" : "",
			   k->encryption ? " encryption" : "",
			   k->problem != NULL ? k->problem : k->sha256);
	}
	if (p->recipient.key != NULL)
		buf_printf(b, "encrypt: %s %s\n", xmlenc_content_uri(p->recipient.content),
			   xmlenc_transport_uri(p->recipient.transport));
}

static void
print_services(struct buf *b, const struct saml_party *p)
{
	for (size_t s = 0; s < p->n_services; s++) {
		const struct saml_attribute_service *service = &p->services[s];

		buf_printf(b, "service: %d%s\n", service->index,
			   service->is_default ? " default" : "");
		print_texts(b, "service-name", &service->name);
		for (size_t i = 0; i < service->n_attributes; i++)
			buf_printf(b, "attribute: %s%s\n", service->attributes[i].name,
				   service->attributes[i].required ? " required" : "");
	}
}

static void
print_party(struct buf *b, const struct saml_party *p)
{
	static const char *const severities[] = {"fine", "note", "warning", "fatal"};
	const struct saml_finding *found;
	size_t n;

	line(b, "entity", p->entity_id);
	moment(b, "valid-until", p->valid_until);
	if (p->cache_s >= 0)
		number(b, "cache-s", p->cache_s);
	flag(b, "signs-requests", p->authn_requests_signed);
	flag(b, "wants-signed", p->want_assertions_signed);
	for (size_t i = 0; i < p->n_nameid_formats; i++)
		line(b, "name-format", p->nameid_formats[i]);
	print_endpoints(b, "acs", &p->acs);
	print_endpoints(b, "acs", &p->acs_client);
	print_endpoints(b, "slo", &p->slo);
	print_keys(b, p);
	print_services(b, p);
	print_texts(b, "display-name", &p->display_name);
	print_texts(b, "organization", &p->organization_display_name);
	for (size_t i = 0; i < p->n_contacts; i++)
		buf_printf(b, "contact: %s %s\n", p->contacts[i].type,
			   p->contacts[i].email != NULL ? p->contacts[i].email : "-");
	saml_metadata_lint(b->a, p, 0, portal_now(), &found, &n);
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s: %s: %s\n", severities[found[i].severity], found[i].rule,
			   found[i].text);
}

/* ---- reading ---- */

static bool
read_authn_request(struct arena *a, const struct saml_verified *v, struct buf *b, struct err *err)
{
	const struct saml_authn_request *r;
	const struct saml_endpoint *acs;
	struct saml_wish wish;

	if (!saml_authn_request_parse(a, v, &r, err) ||
	    !saml_authn_request_check(r, PORTAL_SSO, &saml_window_default, portal_now(), &acs,
				      err) ||
	    !saml_akdb_check(r->akdb, r->header.is_signed, SAML_AKDB_RULE_V1, err) ||
	    !saml_authn_request_check_wish(r, PORTAL_OURS, PORTAL_NAMEIDS, &wish, err))
		return false;
	print_authn_request(b, r, acs, &wish);
	return true;
}

static bool
read_logout_request(struct arena *a, const struct saml_verified *v, const struct xmlenc_keys *open,
		    struct buf *b, struct err *err)
{
	const struct saml_logout_request *r;

	if (!saml_logout_request_parse(a, v, open, &r, err) ||
	    !saml_header_check_place(&r->header, PORTAL_SLO, err) ||
	    !saml_logout_request_check(r, &saml_window_default, portal_now(), err))
		return false;
	print_logout_request(b, r);
	return true;
}

static bool
read_logout_response(struct arena *a, const struct saml_verified *v, struct buf *b, struct err *err)
{
	const struct saml_logout_response *r;

	if (!saml_logout_response_parse(a, v, &r, err) ||
	    !saml_logout_response_check(r, "_ours1", PORTAL_SLO, &saml_window_default, portal_now(),
					err))
		return false;
	print_header(b, &r->header);
	flag(b, "success", r->success);
	return true;
}

static bool
read_artifact_resolve(struct arena *a, const struct saml_verified *v, struct buf *b,
		      struct err *err)
{
	unsigned char handle[SAML_ARTIFACT_HANDLE_BYTES];
	const struct saml_artifact_resolve *r;

	if (!saml_artifact_resolve_parse(a, v, &r, err) ||
	    !saml_artifact_resolve_check(r, PORTAL_ARTIFACT, &saml_window_default, portal_now(),
					 err) ||
	    !saml_artifact_read(a, PORTAL_OURS, r->artifact, handle, err))
		return false;
	print_header(b, &r->header);
	line(b, "handle", enc_hex(a, (struct bytes){handle, sizeof(handle)}));
	return true;
}

static bool
read_message(struct arena *a, const struct saml_message *m, const struct meaning_reader *reader,
	     struct buf *b, struct err *err)
{
	const struct saml_verified *v;

	if (!saml_message_verify(a, m, reader->party, &v, err))
		return false;
	line(b, "relay", saml_message_relay_state(m));
	switch (saml_message_kind(m)) {
	case SAML_AUTHN_REQUEST:
		return read_authn_request(a, v, b, err);
	case SAML_LOGOUT_REQUEST:
		return read_logout_request(a, v, reader->open, b, err);
	case SAML_ARTIFACT_RESOLVE:
		return read_artifact_resolve(a, v, b, err);
	default:
		return read_logout_response(a, v, b, err);
	}
}

static const char *
finished(struct buf *b)
{
	const char *out;

	assert_true(buf_finish_str(b, &out, NULL));
	return out;
}

bool
meaning_of_message(struct arena *a, enum saml_binding binding, struct bytes raw,
		   const struct meaning_reader *reader, const char **out, struct err *err)
{
	const struct saml_message *m;
	struct buf b;

	buf_init(&b, a, 1 << 20);
	if (!saml_message_decode(a, binding, raw, &m, err) || !read_message(a, m, reader, &b, err))
		return false;
	*out = finished(&b);
	return true;
}

bool
meaning_of_metadata(struct arena *a, struct bytes text, const char **out, struct err *err)
{
	const struct saml_party *p;
	struct buf b;

	buf_init(&b, a, 1 << 20);
	if (!saml_metadata_parse(a, text, NULL, &p, err) ||
	    !saml_metadata_check(a, p, 0, portal_now(), err))
		return false;
	print_party(&b, p);
	*out = finished(&b);
	return true;
}

bool
meaning_of_signed_metadata(struct arena *a, struct bytes text, const char **out, struct err *err)
{
	struct saml_signed *s;
	struct xml_doc *doc;

	return xml_parse(a, text, &xml_limits_metadata, &doc, err) &&
	       fixture_verify(a, xml_root(doc), &s, err) &&
	       meaning_of_metadata(a, saml_signed_bytes(s), out, err);
}

const char *
meaning_of_refusal(struct arena *a, const struct err *err)
{
	struct buf b;

	buf_init(&b, a, 1 << 12);
	line(&b, "refused", err_kind_name(err->kind));
	line(&b, "proto", err->proto);
	line(&b, "text", err->text);
	return finished(&b);
}
