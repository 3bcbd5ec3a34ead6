/* Readers and writers of SAML without memory. */
#include "base/enc.h"
#include "base/memory.h"
#include "saml/artifact.h"
#include "saml/authn_request.h"
#include "saml/logout.h"
#include "saml/metadata_write.h"
#include "saml/names.h"
#include "tests/fail/fail.h"
#include "tests/fail/functions.h"
#include "tests/saml/portal.h"

#define US  "https://konto.example/saml/metadata"
#define NOW ((time_t)1800000000)

static const struct saml_party *party;

static bool
admit(struct arena *a, enum saml_binding binding, const char *in, const struct saml_verified **v,
      struct err *err)
{
	const struct saml_message *m;

	return saml_message_decode(a, binding, bytes_of(in), &m, err) &&
	       saml_message_verify(a, m, party, v, err);
}

static bool
read_authn_request(struct arena *a, enum saml_binding binding, const char *in, const char **text,
		   struct err *err)
{
	const struct saml_authn_request *r;
	const struct saml_endpoint *acs;
	const struct saml_verified *v;
	struct saml_wish wish;

	if (!admit(a, binding, in, &v, err) || !saml_authn_request_parse(a, v, &r, err) ||
	    !saml_authn_request_check(r, PORTAL_SSO, &saml_window_default, portal_now(), &acs,
				      err) ||
	    !saml_authn_request_check_wish(r, US, ~0U, &wish, err))
		return false;
	*text = arena_printf(a, "%s %s %s %zu %s %d", r->header.id, acs->url, wish.nameid_format,
			     r->n_class_refs, r->class_refs[0], r->comparison);
	return true;
}

static bool
authn_redirect(struct arena *a, const char *in, const char **text, struct err *err)
{
	return read_authn_request(a, SAML_BINDING_REDIRECT, in, text, err);
}

static bool
authn_post(struct arena *a, const char *in, const char **text, struct err *err)
{
	return read_authn_request(a, SAML_BINDING_POST, in, text, err);
}

static bool
logout_request(struct arena *a, const char *in, const char **text, struct err *err)
{
	const struct saml_logout_request *r;
	const struct saml_verified *v;

	if (!admit(a, SAML_BINDING_POST, in, &v, err) ||
	    !saml_logout_request_parse(a, v, NULL, &r, err) ||
	    !saml_header_check_place(&r->header, PORTAL_SLO, err) ||
	    !saml_logout_request_check(r, &saml_window_default, portal_now(), err))
		return false;
	*text = arena_printf(a, "%s %s %zu %s", r->header.id, r->nameid.value, r->n_session_indexes,
			     r->session_index[0]);
	return true;
}

static bool
logout_response(struct arena *a, const char *in, const char **text, struct err *err)
{
	const struct saml_logout_response *r;
	const struct saml_verified *v;

	if (!admit(a, SAML_BINDING_REDIRECT, in, &v, err) ||
	    !saml_logout_response_parse(a, v, &r, err) ||
	    !saml_logout_response_check(r, "_ours1", PORTAL_SLO, &saml_window_default, portal_now(),
					err))
		return false;
	*text = r->success ? "success" : "none";
	return true;
}

static bool
metadata(struct arena *a, const char *in, const char **text, struct err *err)
{
	const struct saml_finding *found;
	const struct saml_party *p;
	size_t n = 0;

	if (!saml_metadata_parse(a, bytes_of(in), NULL, &p, err))
		return false;
	saml_metadata_lint(a, p, 0, portal_now(), &found, &n);
	*text = arena_printf(a, "%s acs %zu slo %zu keys %zu of %zu services %zu %s found %zu %s",
			     p->entity_id, p->acs.n, p->slo.n, p->signing.n, p->n_keys,
			     p->n_services, p->recipient.key == NULL ? "plain" : "encrypts", n,
			     n == 0 ? "" : found[0].rule);
	return true;
}

/* The person's name is in a Response that verifies and opens. */
static const char *
opened_response(struct arena *a, const char *made)
{
	struct saml_keys ours = {&keys->rsa.pub, 1};
	const char *kid = keys->dec_rsa.kid;
	struct xmlenc_keys dec = {&keys->ops, &kid, 1};
	const struct xml_node *encrypted;
	struct saml_signed *s, *inner;
	struct xml_doc *doc;
	struct bytes xml;
	struct err err = {0};

	ASSERT_OK(dec_base64(a, bytes_of(made), false, &xml, &err) &&
			  xml_parse(a, xml, &xml_limits_message, &doc, &err) &&
			  xmlsig_verify(a, xml_root(doc), ours, &s, &err) &&
			  saml_signed_assertion(s, &encrypted, &err) &&
			  xmlenc_decrypt(a, encrypted, &dec, &doc, &err) &&
			  xmlsig_verify(a, xml_root(doc), ours, &inner, &err),
		  &err);
	return text_of(a, saml_signed_bytes(inner));
}

/* Built, encrypted and signed: it differs each time, and is read with memory enough. */
static bool
response(struct arena *a, const char *in UNUSED, const char **text, struct err *err)
{
	static const char *const name[] = {"Mustermann"};
	static const struct saml_attribute attributes[] = {{.name = "urn:oid:2.5.4.4",
							    .name_format = SAML_ATTRNAME_URI,
							    .friendly_name = "sn",
							    .trust_level = "HOCH",
							    .values = name,
							    .n_values = 1}};
	static const struct saml_policy policy = {.sign = SAML_SIGN_BOTH};
	struct saml_signer s = {&keys->ops, keys->rsa.kid, saml_suite_by_alg(SIG_RS256), {0}};
	struct saml_assertion assertion = portal_assertion(NOW);

	assertion.attributes = attributes;
	assertion.n_attributes = ARRAY_LEN(attributes);
	const struct saml_response r = portal_response(&assertion, NOW);
	const struct saml_peer peer = {party, &policy, &s};
	struct saml_carrier c;

	if (!saml_response_build(a, &r, &peer, &c, err) || memory_failed())
		return false;
	fail_pause();
	*text = opened_response(a, c.value);
	fail_go_on();
	return true;
}

static bool
decryption(struct arena *a, const char *in, const char **text, struct err *err)
{
	const char *kids[] = {keys->dec_p256.kid, keys->dec_rsa.kid};
	struct xmlenc_keys dec = {&keys->ops, kids, 2};
	struct xml_doc *doc, *open;
	struct bytes out;

	if (!xml_parse(a, bytes_of(in), &xml_limits_message, &doc, err) ||
	    !xmlenc_decrypt(a, xml_root(doc), &dec, &open, err) ||
	    !xml_c14n(a, xml_root(open), NULL, NULL, 0, &out, err))
		return false;
	*text = text_of(a, out);
	return true;
}

static const char *
encrypted(enum xmlenc_transport transport, const struct test_key *key)
{
	struct xmlenc_recipient to = {key->pub, XMLENC_A256GCM, transport, {0}, NULL};
	struct err err = {0};
	struct bytes out;

	ASSERT_OK(
		xmlenc_encrypt(kept, bytes_of("<a b=\"c\">d</a>"), "EncryptedID", &to, &out, &err),
		&err);
	return text_of(kept, out);
}

static bool
our_metadata(struct arena *a, const char *in UNUSED, const char **text, struct err *err)
{
	const struct saml_published_key signing = {keys->rsa.cert, KEY_RSA3072};
	const struct saml_text word = {"de", "Land"};
	struct saml_signer s = {&keys->ops, keys->rsa.kid, saml_suite_by_alg(SIG_RS256), {0}};
	const struct saml_description d = {
		.entity_id = US,
		.id = "_metadata1",
		.valid_until = NOW,
		.sso_url = PORTAL_SSO,
		.slo_url = PORTAL_SLO,
		.sso_soap_url = PORTAL_SSO "/soap",
		.slo_soap_url = PORTAL_SLO "/soap",
		.attribute_url = "https://konto.example/saml/attributes",
		.signing = &signing,
		.encryption = &signing,
		.n_signing = 1,
		.n_encryption = 1,
		.organization_name = {&word, 1},
		.organization_display_name = {&word, 1},
		.organization_url = {&word, 1},
	};
	struct bytes out;

	if (!saml_metadata_build(a, &d, &s, &out, err))
		return false;
	*text = text_of(a, out);
	return true;
}

static bool
artifact_resolve(struct arena *a, const char *in, const char **text, struct err *err)
{
	unsigned char handle[SAML_ARTIFACT_HANDLE_BYTES];
	const struct saml_artifact_resolve *r;
	const struct saml_verified *v;

	if (!admit(a, SAML_BINDING_REDIRECT, in, &v, err) ||
	    !saml_artifact_resolve_parse(a, v, &r, err) ||
	    !saml_artifact_resolve_check(r, PORTAL_ARTIFACT, &saml_window_default, portal_now(),
					 err) ||
	    !saml_artifact_read(a, US, r->artifact, handle, err))
		return false;
	*text = saml_artifact_write(a, US, handle);
	return true;
}

static bool
artifact_answer(struct arena *a, const char *in UNUSED, const char **text, struct err *err)
{
	struct saml_signer s = {&keys->ops, keys->rsa.kid, saml_suite_by_alg(SIG_RS256), {0}};
	const struct saml_artifact_answer what = {
		.id = "_answer1",
		.issuer = US,
		.in_response_to = "_resolve1",
		.issued_at = NOW,
		.message = bytes_of("<samlp:Response xmlns:samlp=\"" SAML_NS_PROTOCOL
				    "\"></samlp:Response>"),
		.signer = &s,
	};
	struct bytes envelope;

	if (!saml_artifact_answer_build(a, &what, &envelope, err))
		return false;
	*text = arena_strndup(a, (const char *)envelope.p, envelope.n);
	return true;
}

/* ---- rows ---- */

#define RESOLVE                                                                  \
	"<samlp:ArtifactResolve xmlns:samlp=\"" SAML_NS_PROTOCOL                 \
	"\" xmlns:saml=\"" SAML_NS_ASSERTION "\" Destination=\"" PORTAL_ARTIFACT \
	"\" ID=\"_r\" IssueInstant=\"2026-11-23T18:00:00Z\" "                    \
	"Version=\"2.0\"><saml:Issuer>" PORTAL_ENTITY                            \
	"</saml:Issuer><samlp:Artifact>%s</samlp:Artifact>"                      \
	"</samlp:ArtifactResolve>"

static void
messages_of_saml(void **state UNUSED)
{
	const char *other =
		replace(kept, portal_authn_request, PORTAL_ACS, "https://evil.example/");
	char *form = portal_form(kept, "SAMLRequest", portal_logout_request, NULL);
	const char *artifact =
		saml_artifact_write(kept, US, (const unsigned char *)"0123456789abcdefghij");
	const struct row rows[] = {
		{"AuthnRequest by Redirect", authn_redirect,
		 portal_query(kept, "SAMLRequest", portal_authn_request, "r"), true},
		{"AuthnRequest by POST", authn_post,
		 portal_form(kept, "SAMLRequest", portal_authn_request, "r"), true},
		{"AuthnRequest to another address", authn_redirect,
		 portal_query(kept, "SAMLRequest", other, "r"), false},
		{"AuthnRequest unsigned", authn_redirect,
		 portal_query_unsigned(kept, "SAMLRequest", portal_authn_request, "r"), false},
		{"AuthnRequest with another's signature", authn_redirect,
		 arena_printf(kept, "%s%s",
			      strtok(portal_query(kept, "SAMLRequest", other, NULL), "&"),
			      strstr(portal_query(kept, "SAMLRequest", portal_authn_request, NULL),
				     "&SigAlg")),
		 false},
		{"LogoutRequest by POST", logout_request, form, true},
		{"LogoutResponse", logout_response,
		 portal_query(kept, "SAMLResponse", portal_logout_response, NULL), true},
		{"ArtifactResolve", artifact_resolve,
		 portal_query(kept, "SAMLRequest", arena_printf(kept, RESOLVE, artifact), NULL),
		 true},
		{"ArtifactResolve of nothing", artifact_resolve,
		 portal_query(kept, "SAMLRequest", arena_printf(kept, RESOLVE, "AAQAAA=="), NULL),
		 false},
		{"ArtifactResponse", artifact_answer, "", true},
		{"metadata", metadata, portal_metadata(kept, keys), true},
		{"metadata without an end", metadata,
		 arena_strndup(kept, portal_metadata(kept, keys), 2000), false},
		{"Response encrypted and signed twice", response, "", true},
		{"EncryptedID for RSA", decryption, encrypted(XMLENC_OAEP_SHA256, &keys->dec_rsa),
		 true},
		{"EncryptedID for P-256", decryption, encrypted(XMLENC_ECDH_ES, &keys->dec_p256),
		 true},
		{"EncryptedID for another key", decryption,
		 encrypted(XMLENC_OAEP_SHA256, &keys->rsa), false},
		{"metadata of our own", our_metadata, "", true},
	};

	functions_sweep(rows, ARRAY_LEN(rows));
}

static int
setup(void **state)
{
	if (functions_setup(state) != 0)
		return 1;
	party = portal_party(kept, keys);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FUNCTIONS_TEST(messages_of_saml),
	};

	return cmocka_run_group_tests_name("fail saml", tests, setup, functions_teardown);
}
