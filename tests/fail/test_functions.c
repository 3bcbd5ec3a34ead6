/*
 * What is a pure function, with every allocation failing in turn: what is good comes out
 * equal or as a failure of ours, what is bad is never taken.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "idp/config.h"
#include "idp/po.h"
#include "idp/template.h"
#include "keys/cert.h"
#include "keys/crypto.h"
#include "keys/masterfile.h"
#include "keys/private.h"
#include "keys/seal.h"
#include "oidc/authorize.h"
#include "oidc/client_auth.h"
#include "oidc/id_token.h"
#include "oidc/logout.h"
#include "oidc/token.h"
#include "saml/authn_request.h"
#include "saml/logout.h"
#include "saml/metadata_write.h"
#include "saml/names.h"
#include "saml/response.h"
#include "tests/fail/fail.h"
#include "tests/keys/test_rsa.h"
#include "tests/keys/test_signer_thread.h"
#include "tests/oidc/support.h"
#include "tests/saml/portal.h"

#define US    "https://konto.example/saml/metadata"
#define NOW   ((time_t)1800000000)
#define BYTES ((size_t)32 << 20)

static struct arena *kept; /* inputs */
static struct test_keys *keys;
static struct test_signer *signer;
static const struct saml_party *party;

/* One function on one input: text is what it made of it, "" for nothing to tell. */
struct row {
	const char *name;
	bool (*run)(struct arena *a, const char *in, const char **text, struct err *err);
	const char *in;
	bool good;
};

/* ---- SAML ---- */

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
	    !saml_logout_request_check(r, PORTAL_SLO, &saml_window_default, portal_now(), err))
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

/* Built, encrypted and signed; what it is is read with memory enough. */
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
	const struct saml_assertion assertion = {
		.id = "_assertion1",
		.issuer = US,
		.audience = PORTAL_ENTITY,
		.recipient = PORTAL_ACS,
		.in_response_to = "_request1",
		.nameid = {"name1", SAML_NAMEID_TRANSIENT, US, PORTAL_ENTITY},
		.issued_at = NOW,
		.not_before = NOW - 60,
		.not_on_or_after = NOW + 300,
		.authn_at = NOW - 5,
		.session_index = "session1",
		.class_ref = "STORK-QAA-Level-3",
		.attributes = attributes,
		.n_attributes = ARRAY_LEN(attributes),
	};
	const struct saml_response r = {
		.id = "_response1",
		.issuer = US,
		.destination = PORTAL_ACS,
		.in_response_to = "_request1",
		.issued_at = NOW,
		.status = saml_status_of(SAML_SUCCESS),
		.assertion = &assertion,
	};
	const struct saml_peer peer = {party, &policy, &s};
	struct saml_carrier c;

	if (!saml_response_build(a, &r, &peer, &c, err))
		return false;
	*text = c.value;
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
		.slo_soap_url = PORTAL_SLO "/soap",
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

/* ---- OpenID Connect ---- */

static bool
token(struct arena *a, const char *in, const char **text, struct err *err)
{
	const char *at = strchr(in, '\n');
	const struct oidc_signed *s;
	struct oidc_jwks set;
	struct oidc_jws jws;
	json_t *o;

	if (!json_parse_object(a, bytes_of(at + 1), 65536, &o, err) ||
	    !oidc_jwks_parse(a, o, OIDC_RS256, &set, err) ||
	    !oidc_jws_parse(a, (struct bytes){(const unsigned char *)in, (size_t)(at - in)}, &jws,
			    err) ||
	    !oidc_jws_verify(a, &jws, &set, &s, err))
		return false;
	*text = json_text(a, oidc_signed_claims(s), true);
	return true;
}

static const char *
token_and_keys(enum oidc_alg alg, const char *name, bool broken)
{
	const char *header = arena_printf(kept, "{\"alg\":\"%s\",\"kid\":\"k\"}", name);
	char *made = arena_strdup(kept, token_of(kept, alg, header, "{\"sub\":\"erika\"}"));

	if (broken)
		made[strlen(made) - 10] = made[strlen(made) - 10] == 'A' ? 'B' : 'A';
	return arena_printf(kept, "%s\n%s", made, public_jwks(kept, alg, "k"));
}

static bool
client(struct arena *a, const char *in, const char **text, struct err *err)
{
	static const char *const scopes[] = {"openid", "profile"};
	static const struct oidc_client_rules rules = {false, {scopes, 2}};
	struct oidc_client *c;
	struct oidc_strs unknown;

	if (!oidc_client_parse(a, bytes_of(in), NULL, &rules, &c, &unknown, err))
		return false;
	*text = json_text(a, oidc_client_build(a, c), true);
	return true;
}

/* What comes before the first line break is the claims parameter. */
static bool
authorize(struct arena *a, const char *in, const char **text, struct err *err)
{
	static const char *const scopes[] = {"openid", "profile"};
	static const struct oidc_client c = {
		.client_id = "c1", .scopes = {scopes, 2}, .default_max_age_s = -1};
	const struct param list[] = {
		{"response_type", "code"},
		{"client_id", "c1"},
		{"redirect_uri", "https://portal.example/back"},
		{"scope", "openid profile"},
		{"code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
		{"code_challenge_method", "S256"},
		{"acr_values", "high substantial"},
		{"prompt", "login consent"},
		{"claims", in},
	};
	const struct params ps = {list, ARRAY_LEN(list)};
	struct oidc_authorize rq;
	struct oidc_start start;

	if (!oidc_authorize_start(&ps, &start, err) || !oidc_authorize_parse(a, &ps, &c, &rq, err))
		return false;
	*text = arena_printf(a, "%zu %u %zu %zu %s %d", rq.scopes.n, rq.prompt, rq.acr.n,
			     rq.claims.n, rq.claims.n == 0 ? "" : rq.claims.p[0].name,
			     rq.claims.n > 0 && rq.claims.p[0].essential);
	return true;
}

static bool
client_auth(struct arena *a, const char *in, const char **text, struct err *err)
{
	static const struct oidc_server server = {"https://idp.example",
						  "https://idp.example/oidc/token"};
	const struct param list[] = {
		{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		{"client_assertion", in}};
	const struct params ps = {list, ARRAY_LEN(list)};
	const struct oidc_jwk key = public_key(OIDC_ES256, "k");
	const struct oidc_client c = {
		.client_id = "c1", .auth_method = OIDC_AUTH_PRIVATE_KEY, .jwks = {&key, 1}};
	struct oidc_client_proof proof = {0};
	struct oidc_client_auth auth;

	if (!oidc_client_auth_parse(a, NULL, &ps, &auth, err) ||
	    !oidc_client_auth_check(a, &auth, &c, &server, NOW, &proof, err))
		return false;
	*text = arena_printf(a, "%s %lld", proof.jti, (long long)proof.jti_expires);
	return proof.client == &c;
}

static const char *
assertion(const char *aud)
{
	return token_of(kept, OIDC_ES256, "{\"alg\":\"ES256\",\"kid\":\"k\"}",
			arena_printf(kept,
				     "{\"iss\":\"c1\",\"sub\":\"c1\",\"aud\":\"%s\","
				     "\"exp\":1800000060,\"jti\":\"j1\"}",
				     aud));
}

static bool
id_token(struct arena *a, const char *in UNUSED, const char **text, struct err *err)
{
	static const char *const amr[] = {"pwd", "otp"};
	struct oidc_id_token t = {
		.issuer = "https://idp.example",
		.sub = "pairwise",
		.client_id = "c1",
		.sid = "s1",
		.nonce = "n1",
		.acr = "substantial",
		.amr = {amr, 2},
		.auth_time = NOW - 60,
		.lifetime_s = 300,
		.access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
	};
	const struct oidc_claim_value values[] = {{"family_name", "Mustermann", false, NULL},
						  {"nationalities", "DE", true, "low"},
						  {"address.locality", "Dresden", false, NULL}};
	const struct oidc_claim wishes[] = {{"family_name", false, true, true},
					    {"nationalities", false, true, true},
					    {"address", false, true, true}};
	const struct oidc_claims wanted = {.p = wishes, .n = 3};
	struct oidc_token_response answer = {
		.access_token = t.access_token, .expires_in_s = 300, .scope = "openid"};
	json_t *claims = json_new_object(a);

	oidc_claims_put(a, values, ARRAY_LEN(values), &wanted, OIDC_IN_ID_TOKEN, claims);
	t.claims = claims;
	if (!oidc_id_token_build(a, &keys->ops, keys->rsa.kid, OIDC_RS256, &t, NOW,
				 &answer.id_token, err))
		return false;
	*text = oidc_token_response_build(a, &answer);
	return true;
}

static bool
hint(struct arena *a, const char *in, const char **text, struct err *err)
{
	const struct oidc_jwk key = {keys->rsa.kid, OIDC_RS256, keys->rsa.pub};
	const struct oidc_jwks ours = {&key, 1};
	struct oidc_hint h;

	if (!oidc_hint_verify(a, in, &ours, "https://idp.example", &h, err))
		return false;
	*text = arena_printf(a, "%s %s %s", h.client_id, h.sub, h.sid);
	return true;
}

static const char *
hint_text(const char *issuer)
{
	struct oidc_id_token t = {.issuer = issuer,
				  .sub = "pairwise",
				  .client_id = "c1",
				  .sid = "s1",
				  .auth_time = NOW,
				  .lifetime_s = 300,
				  .access_token = "a"};
	struct err err = {0};
	const char *out;

	ASSERT_OK(oidc_id_token_build(kept, &keys->ops, keys->rsa.kid, OIDC_RS256, &t, NOW, &out,
				      &err),
		  &err);
	return out;
}

/* ---- keys, files and texts ---- */

static bool
certificate(struct arena *a, const char *in, const char **text, struct err *err)
{
	struct bytes der, spki;
	struct cert c;

	if (!dec_base64(a, bytes_of(in), false, &der, err) || !cert_parse(a, der, &c, err) ||
	    !cert_key_check(c.pub, err) || !cert_spki_build(a, c.pub, &spki, err))
		return false;
	*text = arena_printf(a, "%lld %s %s", (long long)c.not_after,
			     enc_hex(a, (struct bytes){c.sha256, sizeof(c.sha256)}),
			     enc_hex(a, spki));
	return true;
}

static bool
ring(struct arena *a, const char *in, const char **text, struct err *err)
{
	const struct key *k;
	const struct keyring *made;
	struct key_row *rows = ARENA_ARRAY(a, struct key_row, 32);
	size_t n = 0, i = 0;

	while ((k = keyring_each(signer->keys, &i)) != NULL) {
		rows[n] = k->row;
		/* "bad": the certificate of the first key that has one is another's. */
		if (strcmp(in, "bad") == 0 && k->row.cert.n > 0)
			rows[n].cert = keys->p256.cert;
		n++;
	}
	if (!keyring_create(a, rows, n, &made, err))
		return false;
	n = i = 0;
	while ((k = keyring_each(made, &i)) != NULL)
		n += k->pub != NULL;
	k = keyring_active(made, KEY_SAML_SIGN, KEY_P256);
	*text = arena_printf(a, "%zu %s", n, k == NULL ? "none" : k->row.kid);
	return true;
}

static bool
master_file(struct arena *a, const char *in, const char **text, struct err *err)
{
	struct masterfile mf;
	struct bytes out;

	if (!masterfile_parse(a, bytes_of(in), &mf, err) || !masterfile_build(a, &mf, &out, err))
		return false;
	*text = text_of(a, out);
	return true;
}

static bool
private_key(struct arena *a, const char *in, const char **text UNUSED, struct err *err)
{
	enum key_type type = in == test_rsa_keys[0] ? KEY_RSA3072 : KEY_P256;
	enum sig_alg alg = type == KEY_P256 ? SIG_ES256 : SIG_PS256;
	struct bytes plain, sig, input;
	struct private_key k;
	struct crypto c;

	input = test_jws_input(a, type == KEY_P256 ? "ES256" : "PS256", "k");
	if (!dec_base64(a, bytes_of(in), false, &plain, err) || !crypto_init(a, &c, err) ||
	    !private_key_init(a, &c, "k", KEY_OIDC_SIGN, type, plain, 1, &k, err) ||
	    !private_key_sign(&k, 0, a, alg, input, &sig, err))
		return false;
	fail_pause();
	bool verifies = test_verifies(k.pkey, alg, input, sig);

	fail_go_on();
	return verifies;
}

static const char *
new_p256(void)
{
	struct bytes plain;
	struct err err = {0};

	ASSERT_OK(private_key_generate(kept, KEY_P256, &plain, &err), &err);
	return enc_base64(kept, plain);
}

static bool
sealing(struct arena *a, const char *in, const char **text, struct err *err)
{
	static const unsigned char key[32] = {7};
	struct bytes aad = bytes_of("of this row"), sealed, plain;
	struct crypto c;
	struct seal s;

	if (!crypto_init(a, &c, err) || !seal_init(a, &c, 1, key, &s, err) ||
	    !seal_write(&s, a, aad, bytes_of("secret"), &sealed, err) ||
	    !seal_read(&s, a, bytes_of(in), sealed, &plain, err))
		return false;
	*text = text_of(a, plain);
	return true;
}

static bool
configuration(struct arena *a, const char *in, const char **text, struct err *err)
{
	struct config c;

	if (!config_parse(a, "test.conf", bytes_of(in), false, &c, err))
		return false;
	*text = arena_printf(a, "%s %s %zu %s %zu %lld %s", c.instance, c.host, c.n_listen,
			     c.entity_id, c.trusted_proxy.n, (long long)c.stop_grace_ms,
			     c.database);
	return true;
}

static bool
texts(struct arena *a, const char *in, const char **text, struct err *err)
{
	struct template t;
	struct po po;

	if (!po_parse(a, "de.po", bytes_of(in), &po, err) ||
	    !template_parse_message(a, "de.po", 1, po.entries[0].text, &t, err))
		return false;
	*text = arena_printf(a, "%zu %s %zu", po.n, po.entries[0].key, t.n);
	return true;
}

/* ---- one row ---- */

struct trial {
	const struct row *row;
	const struct fail_plan *plan;
	struct arena *a;
	const char *text;
	struct err err;
	bool held, left; /* left: by the arena's exit */
};

static void
run_row(void *arg)
{
	struct trial *t = arg;

	t->held = t->row->run(t->a, t->row->in, &t->text, &t->err);
}

/* Want of memory for a thread's state is fatal to libxml2 itself; see saml/xml.c. */
static void
make_known_to_libxml2(void)
{
	struct arena *a = arena_create(1 << 16);
	struct xml_doc *doc;

	(void)!xml_parse(a, bytes_of("<a/>"), &xml_limits_message, &doc, NULL);
	arena_destroy(a);
}

static void *
run_trial(void *arg)
{
	struct trial *t = arg;

	make_known_to_libxml2();
	fail_arm(t->plan);
	t->left = !arena_run(t->a, run_row, t);
	fail_pause();
	return NULL;
}

/*
 * With this plan, on a thread of its own: what libraries make at its first use of them,
 * they make in each trial.  Its text is kept when there is one.
 */
static struct trial
try_row(const struct row *row, const struct fail_plan *plan)
{
	struct trial t = {.row = row, .plan = plan, .a = arena_create(BYTES), .text = ""};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_trial, &t), 0);
	pthread_join(thread, NULL);
	if (t.held && !t.left)
		t.text = arena_strdup(kept,
				      row->run == response ? opened_response(t.a, t.text) : t.text);
	arena_destroy(t.a);
	return t;
}

/* A refusal blames the input for nothing that is ours. */
static bool
is_ours(const struct trial *t)
{
	return t->left || t->err.kind == ERR_UNAVAILABLE || t->err.kind == ERR_INTERNAL;
}

static void
fail_row(const struct row *row, const struct trial *clean, size_t nth, bool onwards)
{
	const struct fail_plan plan = {FAIL_MEMORY, FAIL_HERE, nth, onwards, 0};
	struct trial t = try_row(row, &plan);

	if (t.held && !t.left) {
		assert_true(row->good);
		assert_string_equal(t.text, clean->text);
	} else if (row->good && !is_ours(&t)) {
		fail_msg("%s: out of memory is told as %s: %s", row->name,
			 err_kind_name(t.err.kind), t.err.text);
	}
	/* The next one finds all as it was. */
	t = try_row(row, &(struct fail_plan){.what = FAIL_MEMORY, .nth = SIZE_MAX});
	assert_int_equal(t.held, row->good);
	assert_string_equal(t.text, clean->text);
	fail_over();
}

static void
sweep_row(const struct row *row)
{

	const struct fail_plan count = {.what = FAIL_MEMORY};
	struct trial clean = try_row(row, &count), again;
	size_t n;

	clean = try_row(row, &count); /* the first one made what lasts */
	if (clean.held != row->good)
		fail_msg("%s: %s", row->name, clean.err.text);
	size_t all = fail_passed();
	const size_t *places = fail_distinct(&n);
	size_t step = test_size(1 + n / 40, 1);

	for (size_t i = 0; i < n; i += step) {
		fail_row(row, &clean, places[i], false);
		fail_row(row, &clean, places[i], true);
	}
	for (size_t i = 1; getenv("KONTOR_TEST_FULL") != NULL && i <= all; i++)
		fail_row(row, &clean, i, false);
	again = try_row(row, &count);
	fail_over();
	assert_int_equal(again.held, row->good);
	assert_string_equal(again.text, clean.text);
	print_message("# %s: %zu places, %zu distinct\n", row->name, all, n);
}

/* ---- all rows ---- */

static int
setup(void **state UNUSED)
{
	kept = arena_create((size_t)512 << 20);
	keys = test_keys_create(kept);
	signer = test_signer_create(kept);
	party = portal_party(kept, keys);
	return 0;
}

static int
teardown(void **state UNUSED)
{
	arena_destroy(kept);
	return 0;
}

static int
explain(void **state UNUSED)
{
	fail_explain();
	return 0;
}

static void
messages_of_saml(void **state UNUSED)
{
	const char *other =
		replace(kept, portal_authn_request, PORTAL_ACS, "https://evil.example/");
	char *form = portal_form(kept, "SAMLRequest", portal_logout_request, NULL);
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

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		sweep_row(&rows[i]);
}

static void
messages_of_openid_connect(void **state UNUSED)
{
	const struct row rows[] = {
		{"token ES256", token, token_and_keys(OIDC_ES256, "ES256", false), true},
		{"token ES256 changed", token, token_and_keys(OIDC_ES256, "ES256", true), false},
		{"token RS256", token, token_and_keys(OIDC_RS256, "RS256", false), true},
		{"token RS256 changed", token, token_and_keys(OIDC_RS256, "RS256", true), false},
		{"token EdDSA", token, token_and_keys(OIDC_EDDSA, "EdDSA", false), true},
		{"token EdDSA changed", token, token_and_keys(OIDC_EDDSA, "EdDSA", true), false},
		{"client", client,
		 arena_printf(kept,
			      "{\"client_id\":\"c1\",\"redirect_uris\":[\"https://p.example/cb\"],"
			      "\"scope\":\"openid profile\",\"client_name#de\":\"Portal\","
			      "\"token_endpoint_auth_method\":\"private_key_jwt\",\"jwks\":%s}",
			      public_jwks(kept, OIDC_ES256, "k")),
		 true},
		{"client without an address", client, "{\"client_id\":\"c1\"}", false},
		{"authorization request", authorize,
		 "{\"id_token\":{\"family_name\":{\"essential\":true}}}", true},
		{"authorization request with broken claims", authorize, "{\"id_token\":[]}", false},
		{"client assertion", client_auth, assertion("https://idp.example"), true},
		{"client assertion for another", client_auth, assertion("https://x.example"),
		 false},
		{"ID token", id_token, "", true},
		{"id_token_hint", hint, hint_text("https://idp.example"), true},
		{"id_token_hint of another", hint, hint_text("https://x.example"), false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		sweep_row(&rows[i]);
}

#define CONF                                                              \
	"instance = test\nbase_url = https://konto.example\n"             \
	"listen = 127.0.0.1:1 unix:/run/kontor/x\ndatabase = host=/run\n" \
	"master_key_file = /dev/null\ntrusted_proxy = 192.0.2.0/24 2001:db8::/32\n"
#define KEY1 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"

static void
keys_and_files(void **state UNUSED)
{
	const char *cert = enc_base64(kept, keys->p256.cert);
	const struct row rows[] = {
		{"certificate", certificate, cert, true},
		{"certificate cut short", certificate, arena_strndup(kept, cert, 200), false},
		{"keyring", ring, "", true},
		{"keyring with another's certificate", ring, "bad", false},
		{"master key file", master_file, "master 1 " KEY1 "\nepoch 1 1700000000 " KEY1 "\n",
		 true},
		{"master key file without an epoch", master_file, "master 1 " KEY1 "\n", false},
		{"private key P-256", private_key, new_p256(), true},
		{"private key RSA", private_key, test_rsa_keys[0], true},
		{"sealed value", sealing, "of this row", true},
		{"sealed value of another row", sealing, "of that row", false},
		{"configuration", configuration, CONF, true},
		{"configuration with an unknown key", configuration, CONF "colour = red\n", false},
		{"texts", texts, "msgid \"\"\nmsgstr \"\"\n\nmsgid \"a\"\nmsgstr \"b {c}\"\n",
		 true},
		{"texts cut short", texts, "msgid \"a\"\nmsgstr \"b {", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		sweep_row(&rows[i]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, NULL, explain)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(messages_of_saml),
		T(messages_of_openid_connect),
		T(keys_and_files),
	};

	return cmocka_run_group_tests_name("fail functions", tests, setup, teardown);
}
