/*
 * tests/vectors/saml/{good,bad}/NNN-what.xml, each with a .want beside it: what we
 * make of the document, printed, or how we refuse it.  A new case is two files;
 * with KONTOR_WRITE_WANT set a missing .want is written, to be read by a person.
 *
 * Messages come by a signed Redirect, octet for octet as the file has them, from
 * the portal of portal.h at portal_now().  What is good, the schemas accept too.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/conf.h"
#include "saml/authn_request.h"
#include "saml/logout.h"
#include "saml/names.h"
#include "saml/xmlenc.h"
#include "tests/saml/portal.h"
#include "tests/saml/xsd.h"
#include "tests/test.h"

static struct test_keys *keys;

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
			   e->binding == SAML_BINDING_POST   ? "post"
			   : e->binding == SAML_BINDING_SOAP ? "soap"
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
	static const char *const severities[] = {"note", "warning", "fatal"};
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
read_logout_request(struct arena *a, const struct saml_verified *v, struct buf *b, struct err *err)
{
	const struct saml_logout_request *r;

	if (!saml_logout_request_parse(a, v, NULL, &r, err) ||
	    !saml_logout_request_check(r, PORTAL_SLO, &saml_window_default, portal_now(), err))
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
read_message(struct arena *a, const char *xml, struct buf *b, struct err *err)
{
	const struct saml_party *party = portal_party(a, keys);
	const struct saml_verified *v;
	const struct saml_message *m;
	const char *param = strstr(xml, "LogoutResponse") != NULL ? "SAMLResponse" : "SAMLRequest";

	if (!saml_message_decode(a, SAML_BINDING_REDIRECT,
				 bytes_of(portal_query(a, param, xml, NULL)), &m, err) ||
	    !saml_message_verify(a, m, party, &v, err))
		return false;
	switch (saml_message_kind(m)) {
	case SAML_AUTHN_REQUEST:
		return read_authn_request(a, v, b, err);
	case SAML_LOGOUT_REQUEST:
		return read_logout_request(a, v, b, err);
	default:
		return read_logout_response(a, v, b, err);
	}
}

static bool
read_metadata(struct arena *a, const char *xml, struct buf *b, struct err *err)
{
	const struct saml_party *p;

	if (!saml_metadata_parse(a, bytes_of(xml), NULL, &p, err) ||
	    !saml_metadata_check(a, p, 0, portal_now(), err))
		return false;
	print_party(b, p);
	return true;
}

/* What we make of a file, as its .want should have it. */
static const char *
result_of(struct arena *a, const char *xml, bool *taken)
{
	struct err err = {0};
	const char *out;
	struct buf b;

	buf_init(&b, a, 1 << 20);
	*taken = strstr(xml, "EntityDescriptor") != NULL ? read_metadata(a, xml, &b, &err)
							 : read_message(a, xml, &b, &err);
	if (!*taken) {
		buf_init(&b, a, 1 << 20);
		line(&b, "refused", err_kind_name(err.kind));
		line(&b, "proto", err.proto);
		line(&b, "text", err.text);
	}
	assert_true(buf_finish_str(&b, &out, NULL));
	return out;
}

/* ---- files ---- */

static void
write_want(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
check_file(const char *kind, const char *name)
{
	struct arena *a = arena_create(64 << 20);
	const char *path = arena_printf(a, "%s/%s/%s", VECTORS, kind, name);
	const char *want_path =
		arena_printf(a, "%.*s.want", (int)(strlen(path) - strlen(".xml")), path);
	struct err err = {0};
	struct bytes xml, want;
	bool taken;

	ASSERT_OK(conf_read_file(a, path, 1 << 20, &xml, &err), &err);
	const char *got = result_of(a, text_of(a, xml), &taken);

	if (taken != (strcmp(kind, "good") == 0))
		fail_msg("%s/%s: %s", kind, name, got);
	if (taken)
		assert_schema_valid(a, xml);
	if (!conf_read_file(a, want_path, 1 << 20, &want, NULL)) {
		if (getenv("KONTOR_WRITE_WANT") == NULL)
			fail_msg("%s has no .want; it would be\n%s", path, got);
		write_want(want_path, got);
		want = bytes_of(got);
	}
	if (!bytes_eq(want, bytes_of(got)))
		fail_msg("%s/%s: wanted\n%s\ngot\n%s", kind, name, text_of(a, want), got);
	arena_destroy(a);
}

static int
is_vector(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 4 && strcmp(e->d_name + n - 4, ".xml") == 0;
}

static void
check_folder(const char *kind, int at_least)
{
	char path[512];
	struct dirent **files;

	snprintf(path, sizeof(path), "%s/%s", VECTORS, kind);
	int n = scandir(path, &files, is_vector, alphasort);

	assert_true(n >= at_least);
	for (int i = 0; i < n; i++) {
		check_file(kind, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	print_message("# %d files in %s\n", n, kind);
}

static void
test_good_documents_are_read_as_wanted(void **state)
{
	(void)state;
	check_folder("good", 20);
}

static void
test_bad_documents_are_refused_as_wanted(void **state)
{
	(void)state;
	check_folder("bad", 60);
}

static int
open_keys(void **state)
{
	struct arena *a = arena_create(8 << 20);

	*state = a;
	keys = test_keys_create(a);
	return 0;
}

static int
close_keys(void **state)
{
	arena_destroy(*state);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_documents_are_read_as_wanted),
		cmocka_unit_test(test_bad_documents_are_refused_as_wanted),
	};

	return cmocka_run_group_tests(tests, open_keys, close_keys);
}
