/* Whole logins in one process; see world.h. */
#include "tests/flow/world.h"

#include <liboath/oath.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "idp/account.h"
#include "idp/login.h"
#include "idp/page.h"
#include "idp/party.h"
#include "idp/publication.h"
#include "idp/publish.h"
#include "idp/reload.h"
#include "idp/route.h"
#include "saml/logout.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "saml/xmlenc.h"
#include "saml/xmlsig.h"

#define ARENA_BYTES ((size_t)512 * 1024 * 1024)

static const unsigned char seed[20] = "12345678901234567890";

/* ---- the world ---- */

static time_t
fake_clock(struct app *app)
{
	return ((const struct world *)app->clock_ctx)->now;
}

bool world_takes_unreadable;

static void
bad_party(const char *id, const struct err *err)
{
	if (!world_takes_unreadable)
		fail_msg("%s: %s", id, err->text);
}

void
world_reload(struct world *w)
{
	struct snapshot *snap = snapshot_create((size_t)64 * 1024 * 1024);
	const struct db_party *rows;
	struct err err = {0};
	size_t n;

	snap->keyring = w->signer->keys;
	ASSERT_OK(db_party_list(&w->pg->c, &rows, &n, &err), &err);
	struct db_party *copies = ARENA_ARRAY(snap->a, struct db_party, n + 1);

	for (size_t i = 0; i < n; i++) {
		copies[i] = rows[i];
		copies[i].document = arena_bytes(snap->a, rows[i].document);
	}
	parties_create(snap->a, copies, n, config_level_most(w->app.config), bad_party,
		       &snap->parties);
	ASSERT_OK(reload_details(&w->pg->c, snap, &err), &err);
	ASSERT_OK(reload_upstreams(&w->pg->c, snap, &err), &err);
	ASSERT_OK(publish_documents(&w->app, snap, w->now, &err), &err);
	ASSERT_OK(publication_load(&w->pg->c, &w->config, snap, &err), &err);
	app_publish(&w->app, snap);
}

static const char *
saml_entity(const struct world *w)
{
	return w->saml_party == NULL ? SAML_PARTY : w->saml_party;
}

static const struct saml_suite *
saml_suite_of(const struct world *w)
{
	return saml_suite_by_name(w->saml_suite == NULL ? "ecdsa-sha256" : w->saml_suite);
}

static const struct test_key *
saml_key_of(const struct world *w)
{
	return test_key_of(w->keys, KEY_SAML_SIGN, key_type_of_sig(saml_suite_of(w)->make));
}

const char *
world_saml_metadata(struct world *w, const char *policy, const char *further)
{
	return arena_printf(
		w->a,
		"<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" "
		"xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" entityID=\"%s\">"
		"<md:SPSSODescriptor AuthnRequestsSigned=\"%s\" protocolSupportEnumeration="
		"\"urn:oasis:names:tc:SAML:2.0:protocol\">%s<md:KeyDescriptor use=\"signing\">"
		"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate>"
		"</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>%s%s"
		"<md:AssertionConsumerService index=\"0\" Binding="
		"\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"" SAML_ACS
		"\"/>%s</md:SPSSODescriptor></md:EntityDescriptor>",
		saml_entity(w), strstr(policy, "accept-unsigned") == NULL ? "true" : "false",
		w->saml_more == NULL
			? ""
			: arena_printf(w->a, "<md:Extensions>%s</md:Extensions>", w->saml_more),
		enc_base64(w->a, saml_key_of(w)->cert), further,
		w->slo != NULL ? w->slo
			       : "<md:SingleLogoutService Binding=\"" SAML_BINDING_URI_REDIRECT
				 "\" Location=\"" SAML_SLO "\"/>",
		w->saml_acs == NULL ? "" : w->saml_acs);
}

void
world_party(struct world *w, const struct db_party *row)
{
	struct db_audit audit = {.event = "party_saved", .ref = "test"};
	struct err err = {0};
	int64_t version;

	ASSERT_OK(db_party_save(&w->pg->c, row, &audit, w->now, &version, &err), &err);
	world_reload(w);
}

void
world_saml_party(struct world *w, const char *policy)
{
	struct db_party row = {.id = saml_entity(w),
			       .kind = "saml",
			       .display_name = "Amt24",
			       .document = bytes_of(world_saml_metadata(w, policy, "")),
			       .policy = policy,
			       .enabled = true};

	world_party(w, &row);
}

void
world_oidc_document(struct world *w, const char *document, const char *policy)
{
	struct db_party row = {
		.id = OIDC_CLIENT,
		.kind = "oidc",
		.display_name = "Stadtportal",
		.document = bytes_of(document),
		.policy = policy,
		.enabled = true,
	};

	world_party(w, &row);
}

const char *
oidc_secret_digest(struct world *w)
{
	unsigned char digest[SHA256_BYTES];

	hash_sha256(bytes_of(OIDC_SECRET), digest);
	return enc_hex(w->a, (struct bytes){digest, sizeof(digest)});
}

static void
register_portal(struct world *w, const char *more, const char *policy)
{
	world_oidc_document(
		w,
		arena_printf(
			w->a,
			"{\"metadata\":{\"client_id\":\"" OIDC_CLIENT
			"\",\"redirect_uris\":[\"" OIDC_BACK "\"],\"post_logout_redirect_uris\":"
			"[\"https://stadtportal.example/bye\"],\"token_endpoint_auth_method\":"
			"\"client_secret_basic\",\"scope\":\"openid profile email address\"%s},"
			"\"secret_sha256\":\"%s\"}",
			more, oidc_secret_digest(w)),
		policy);
}

void
world_oidc_party(struct world *w, const char *policy)
{
	register_portal(w, "", policy);
}

void
world_oidc_client(struct world *w, const char *more)
{
	register_portal(w, more, "{}");
}

void
world_disable(struct world *w, const char *party)
{
	struct db_audit audit = {.event = "party_enabled", .ref = "test"};
	struct err err = {0};

	ASSERT_OK(db_party_set_enabled(&w->pg->c, party, false, &audit, w->now, &err), &err);
	world_reload(w);
}

static struct account_work
work_of(struct world *w)
{
	return (struct account_work){
		.a = w->a,
		.db = w->pg->c,
		.signer = w->signer->s,
		.keyring = w->signer->keys,
		.password_cost = config_password_cost(&w->config),
		.ref = "test",
		.now = w->now,
	};
}

struct subject_id
world_person(struct world *w, const char *login_name, const char *password,
	     const char *const *values, enum level level)
{
	struct held held[32];
	struct account_person person = {
		.login_name = login_name, .password = password, .held = held};
	struct account_work work = work_of(w);
	struct subject_id id;
	struct err err = {0};

	for (; values[0] != NULL; values += 2)
		held[person.n++] =
			(struct held){.at = attribute_by_name(values[0]),
				      .value = values[1] == NULL ? "" : values[1],
				      .verified_empty = values[1] == NULL,
				      .level = level,
				      .source = level > LEVEL_BASIC ? "proofing" : "self",
				      .verified_at = level > LEVEL_BASIC ? w->now : 0};
	ASSERT_OK(account_create(&work, w->worker.memory, &person, &id, &err), &err);
	return id;
}

void
world_totp(struct world *w, struct subject_id id)
{
	struct account_work work = work_of(w);
	struct err err = {0};

	ASSERT_OK(login_totp_add(&work, id, (struct bytes){seed, sizeof(seed)}, &err), &err);
}

static const char *
code_of_seed(struct world *w, const void *bytes, size_t n)
{
	char code[16];

	assert_int_equal(oath_totp_generate(bytes, n, w->now, 30, 0, 6, code), OATH_OK);
	return arena_strdup(w->a, code);
}

const char *
world_code(struct world *w)
{
	return code_of_seed(w, seed, sizeof(seed));
}

static void
make_config(struct world *w)
{
	static const char text[] = "instance = test\nbase_url = " BASE "\n"
				   "listen = 127.0.0.1:1\ndatabase = unused\n"
				   "master_key_file = /dev/null\n"
				   "password_memory = 1MiB\npassword_passes = 1\n";
	struct err err = {0};

	ASSERT_OK(config_parse(w->pg->a, "test.conf", bytes_of(text), false, &w->config, &err),
		  &err);
}

int
world_setup(void **state)
{
	void *made = NULL;
	struct world *w;
	struct err err = {0};

	/* The teardown is called whatever becomes of this, and finds a world or nothing. */
	*state = NULL;
	if (pg_setup(&made) != 0)
		return 1;
	struct pg *pg = made;

	w = ARENA_NEW(pg->a, struct world);
	w->pg = pg;
	w->a = arena_create(ARENA_BYTES);
	w->now = NOW;
	w->keys = test_keys_create(pg->a);
	w->signer = test_signer_create(pg->a);
	make_config(w);
	app_init(&w->app, pg->a, &w->config, routes);
	w->app.clock = fake_clock;
	w->app.clock_ctx = w;
	w->app.db = pg->db;
	w->app.signer = w->signer->s;
	w->worker.lane = LANE_PASSWORD;
	ASSERT_OK(kdf_memory_create(1024, &w->worker.memory, &err), &err);
	*state = w;
	ASSERT_OK(pages_load(pg->a, NULL, &w->app.pages, &err), &err);
	world_saml_party(w, "{}");
	world_oidc_party(w, "{}");
	return 0;
}

int
world_teardown(void **state)
{
	struct world *w = *state;

	if (w == NULL)
		return 0;
	kdf_memory_destroy(w->worker.memory);
	app_finish(&w->app);
	arena_destroy(w->a);
	*state = w->pg;
	return pg_teardown(state);
}

int
world_fresh(void **state)
{
	struct world *w = *state;

	arena_reset(w->a);
	return 0;
}

/* ---- portals ---- */

const char *
between(struct arena *a, const char *text, const char *before, const char *after)
{
	const char *from = strstr(text, before);

	if (from == NULL)
		return NULL;
	from += strlen(before);
	const char *to = strstr(from, after);

	return to == NULL ? NULL : arena_strndup(a, from, (size_t)(to - from));
}

static void
send_message(struct world *w, enum saml_binding binding, const char *path,
	     const struct saml_to_sign *message, struct saml_carrier *out)
{
	struct saml_signer signer = {&w->keys->ops, saml_key_of(w)->kid, saml_suite_of(w), {0}};
	struct saml_outgoing how = {
		.url = arena_printf(w->a, BASE "%s", path),
		.relay_state = w->relay_state == NULL ? "state-1" : w->relay_state,
		.message = message,
		.signer = &signer,
	};
	struct err err = {0};

	ASSERT_OK(saml_binding_encode(w->a, binding, &how, out, &err), &err);
}

static const char *
signed_url(struct world *w, const char *path, const char *xml)
{
	struct saml_to_sign message = {.element = bytes_of(xml)};
	struct saml_carrier carrier;

	send_message(w, SAML_BINDING_REDIRECT, path, &message, &carrier);
	return carrier.location;
}

/* With ask_to instead of ask_from. */
static const char *
changed(struct world *w, const char *xml)
{
	const char *at = w->ask_from == NULL ? NULL : strstr(xml, w->ask_from);

	if (at == NULL)
		return xml;
	return arena_printf(w->a, "%.*s%s%s", (int)(at - xml), xml, w->ask_to,
			    at + strlen(w->ask_from));
}

const char *
saml_request_url(struct world *w, const char *id, const char *extra, const char *inner)
{
	const char *url = w->acs == NULL ? SAML_ACS : w->acs;
	const char *acs = url[0] == '\0'
				  ? ""
				  : arena_printf(w->a, " AssertionConsumerServiceURL=\"%s\"", url);

	return signed_url(
		w, "/saml/sso",
		changed(w,
			arena_printf(
				w->a,
				"<samlp:AuthnRequest "
				"xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
				"xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"%s\" "
				"Version=\"2.0\" IssueInstant=\"%s\" Destination=\"" BASE
				"/saml/sso\"%s%s>"
				"<saml:Issuer>%s</saml:Issuer>%s</samlp:AuthnRequest>",
				id, clock_text(w->a, w->now), acs, extra, saml_entity(w), inner)));
}

const char *
saml_request_form(struct world *w, const char *id)
{
	static const char issuer_end[] = "</saml:Issuer>";
	const char *xml =
		arena_printf(/* canonical, for it is signed as it stands */
			     w->a,
			     "<samlp:AuthnRequest "
			     "xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
			     "AssertionConsumerServiceURL=\"" SAML_ACS "\" Destination=\"" BASE
			     "/saml/sso\" ID=\"%s\" IssueInstant=\"%s\" "
			     "Version=\"2.0\"><saml:Issuer "
			     "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">%s</saml:Issuer>"
			     "</samlp:AuthnRequest>",
			     id, clock_text(w->a, w->now), saml_entity(w));
	struct saml_to_sign message = {.element = bytes_of(xml), .id = id};
	struct saml_carrier carrier;
	struct buf form;

	message.place = (size_t)(strstr(xml, issuer_end) + strlen(issuer_end) - xml);
	send_message(w, SAML_BINDING_POST, "/saml/sso", &message, &carrier);
	buf_init(&form, w->a, (size_t)64 * 1024);
	buf_str(&form, "SAMLRequest=");
	enc_percent(&form, bytes_of(carrier.value));
	return (const char *)form.p;
}

const char *
saml_logout_url(struct world *w, const char *id, const char *name_id, const char *session_index)
{
	const char *index =
		session_index == NULL
			? ""
			: arena_printf(w->a, "<samlp:SessionIndex>%s</samlp:SessionIndex>",
				       session_index);

	return signed_url(
		w, "/saml/slo",
		arena_printf(
			w->a,
			"<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
			"xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"%s\" "
			"Version=\"2.0\" IssueInstant=\"%s\" Destination=\"" BASE "/saml/slo\">"
			"<saml:Issuer>%s</saml:Issuer><saml:NameID>%s</saml:NameID>"
			"%s</samlp:LogoutRequest>",
			id, clock_text(w->a, w->now), saml_entity(w), name_id, index));
}

const char *
saml_logout_envelope(struct world *w, const char *id, const char *name_id,
		     const char *session_index)
{
	struct saml_signer signer = {
		&w->keys->ops, w->keys->p256.kid, saml_suite_by_alg(SIG_ES256), {0}};
	struct saml_logout_send how = {
		.binding = SAML_BINDING_SOAP,
		.url = BASE "/saml/slo/soap",
		.id = id,
		.issuer = saml_entity(w),
		.issued_at = w->now,
		.signer = &signer,
	};
	struct saml_logout_ask what = {.nameid = {.value = name_id},
				       .session_index = &session_index,
				       .n_session_indexes = session_index != NULL};
	struct saml_carrier carrier;
	struct err err = {0};

	ASSERT_OK(saml_logout_request_build(w->a, &how, &what, &carrier, &err), &err);
	return (const char *)arena_bytes(w->a, carrier.envelope).p;
}

const char *
saml_artifact_envelope(struct world *w, const char *id, const char *artifact)
{
	static const char issuer_end[] = "</saml:Issuer>";
	const char *xml =
		arena_printf(/* canonical, for it is signed as it stands */
			     w->a,
			     "<samlp:ArtifactResolve "
			     "xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
			     "Destination=\"%s\" ID=\"%s\" IssueInstant=\"%s\" "
			     "Version=\"2.0\"><saml:Issuer "
			     "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">%s</saml:Issuer>"
			     "<samlp:Artifact>%s</samlp:Artifact></samlp:ArtifactResolve>",
			     w->resolve_at == NULL ? BASE "/saml/artifact" : w->resolve_at, id,
			     clock_text(w->a, w->now), saml_entity(w), artifact);
	struct saml_to_sign message = {.element = bytes_of(xml), .id = id};
	struct saml_carrier carrier;

	message.place = (size_t)(strstr(xml, issuer_end) + strlen(issuer_end) - xml);
	send_message(w, SAML_BINDING_SOAP, "/saml/artifact", &message, &carrier);
	return (const char *)arena_bytes(w->a, carrier.envelope).p;
}

const char *
unsigned_url(struct world *w, const char *url)
{
	return arena_strndup(w->a, url, (size_t)(strstr(url, "&SigAlg=") - url));
}

/* What one of our keys has signed. */
static struct saml_signed *
signed_by_us(struct world *w, const struct xml_node *n)
{
	EVP_PKEY **all = ARENA_ARRAY(w->a, EVP_PKEY *, 16);
	struct saml_keys keys = {.key = all};
	const struct key *k;
	struct saml_signed *verified;
	struct err err = {0};

	for (size_t i = 0; (k = keyring_shown(w->signer->keys, KEY_SAML_SIGN, &i)) != NULL;)
		all[keys.n++] = k->pub;
	ASSERT_OK(xmlsig_verify(w->a, n, keys, &verified, &err), &err);
	return verified;
}

const char *
saml_response_of(struct web *b)
{
	struct world *w = b->w;
	const char *value = web_field(b, "SAMLResponse");
	struct xml_doc *doc;
	struct bytes xml;
	struct err err = {0};

	if (value == NULL)
		return NULL;
	ASSERT_OK(dec_base64(w->a, bytes_of(value), false, &xml, &err), &err);
	ASSERT_OK(xml_parse(w->a, xml, &xml_limits_message, &doc, &err), &err);
	return (const char *)arena_bytes(w->a, saml_signed_bytes(signed_by_us(w, xml_root(doc)))).p;
}

const char *
saml_opened_of(struct web *b)
{
	struct world *w = b->w;
	const char *kids[] = {w->keys->dec_rsa.kid};
	const struct xmlenc_keys keys = {&w->keys->ops, kids, ARRAY_LEN(kids)};
	const char *response = saml_response_of(b);
	struct xml_doc *doc, *opened;
	const struct xml_node *encrypted;
	struct err err = {0};

	if (response == NULL)
		return NULL;
	ASSERT_OK(xml_parse(w->a, bytes_of(response), &xml_limits_message, &doc, &err), &err);
	ASSERT_OK(xml_child_opt(xml_root(doc), SAML_NS_ASSERTION, "EncryptedAssertion", &encrypted,
				&err),
		  &err);
	if (encrypted == NULL)
		return NULL;
	ASSERT_OK(xmlenc_decrypt(w->a, encrypted, &keys, &opened, &err), &err);
	return (const char *)arena_bytes(w->a, saml_signed_bytes(signed_by_us(w, xml_root(opened))))
		.p;
}

const char *
saml_resolved(struct web *b)
{
	struct world *w = b->w;
	const struct xml_node *answer, *message;
	struct soap_envelope envelope;
	struct err err = {0};

	assert_int_equal(b->status, 200);
	ASSERT_OK(soap_read(w->a, bytes_of(b->body), NULL, &envelope, &err), &err);
	assert_non_null(envelope.content);
	answer = saml_signed_root(signed_by_us(w, envelope.content));
	assert_true(xml_is(answer, SAML_NS_PROTOCOL, "ArtifactResponse"));
	ASSERT_OK(xml_child_opt(answer, SAML_NS_PROTOCOL, "Response", &message, &err), &err);
	if (message == NULL)
		return "";
	return (const char *)arena_bytes(w->a, saml_signed_bytes(signed_by_us(w, message))).p;
}

const char *
oidc_request_url(struct world *w, const char *scope, const char *more)
{
	struct buf b;

	buf_init(&b, w->a, 65536);
	buf_str(&b,
		BASE "/oidc/authorize?response_type=code&client_id=" OIDC_CLIENT "&redirect_uri=");
	enc_percent(&b, bytes_of(OIDC_BACK));
	buf_str(&b, "&state=s1&nonce=n1&code_challenge_method=S256&code_challenge="
		    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&scope=");
	enc_percent(&b, bytes_of(scope));
	buf_str(&b, more);
	return (const char *)b.p;
}

const char *
location_param(struct web *b, const char *name)
{
	struct bytes value;

	if (b->location == NULL)
		return NULL;
	const char *found = between(b->w->a, arena_printf(b->w->a, "%s&", b->location),
				    arena_printf(b->w->a, "?%s=", name), "&");

	if (found == NULL)
		found = between(b->w->a, arena_printf(b->w->a, "%s&", b->location),
				arena_printf(b->w->a, "&%s=", name), "&");
	if (found == NULL)
		return NULL;
	assert_true(dec_form(b->w->a, bytes_of(found), &value, NULL));
	return (const char *)arena_bytes(b->w->a, value).p;
}

const char *
web_shown_code(struct web *b)
{
	struct arena *a = b->w->a;
	const char *shown = between(a, b->body, "kontor-key\" translate=\"no\">", "</p>");
	char *text = arena_alloc(a, 256), *to = text, *bytes;
	size_t n;

	assert_non_null(shown);
	for (const char *s = shown; *s != '\0'; s++) {
		if (*s == '<')
			s = strchr(s, '>');
		else if (*s != ' ')
			*to++ = *s;
	}
	*to = '\0';
	assert_int_equal(oath_base32_decode(text, strlen(text), &bytes, &n), OATH_OK);
	const char *code = code_of_seed(b->w, bytes, n);

	free(bytes);
	return code;
}
