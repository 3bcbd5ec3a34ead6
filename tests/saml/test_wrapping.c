/*
 * Signature wrapping over all that is good: each message and each metadata of
 * tests/vectors/saml/good and of portal.h, and Responses of ours, signed, in the
 * eight shapes of wrap.h under each spelling of an ID, by each binding, plain and
 * encrypted.  Nothing is read but what was signed, and each refusal says why.
 */
#include "tests/test.h"

#include <dirent.h>

#include "base/conf.h"
#include "saml/names.h"
#include "tests/saml/file_key.h"
#include "tests/saml/meaning.h"
#include "tests/saml/with_keys.h"
#include "tests/saml/wrap.h"

static struct arena *scratch;
static const struct saml_party *party;
static EVP_PKEY *decrypts;
static struct key_ops decrypts_ops;
static const char *const any = "any";
static struct xmlenc_keys open_with;
static struct meaning_reader reader;

static int
setup_party(void **state)
{
	if (setup(state) != 0)
		return 1;
	scratch = arena_create(64 << 20);
	party = portal_party(a, keys);
	decrypts = file_key(a, "rsa.key.pem");
	decrypts_ops = file_key_ops(decrypts);
	open_with = (struct xmlenc_keys){&decrypts_ops, &any, 1};
	reader = (struct meaning_reader){party, &open_with};
	return scratch == NULL;
}

static int
teardown_party(void **state)
{
	EVP_PKEY_free(decrypts);
	arena_destroy(scratch);
	return teardown(state);
}

/* ---- the judges ---- */

/* What is attacked: a message of a portal, another document's root, an element inside one. */
enum target { MESSAGE, ROOT, CHILD };

/* Why the evil element of that shape under that ID is refused. */
static const char *
reason(enum target what, int shape, size_t id)
{
	static const char *const reasons[] = {
		[1] = "<Signature> has an unexpected <",
		[2] = "Signature is not in its place",
		[3] = "has no <Signature>",
		[4] = "content is not what was signed",
		[5] = "Reference is not to the element itself",
		[6] = "<Signature> has an unexpected <",
		[7] = "Reference is not to the element itself",
		[8] = "<Signature> has an unexpected <Object>",
	};

	if (strcmp(wrap_id(id), "ID=\"{}\"") == 0)
		return "two elements have the same ID";
	if (strcmp(wrap_id(id), "ID=\"{} \"") == 0)
		return "is not an xs:ID";
	if (what == MESSAGE && shape == 3)
		return "message is not signed";
	if (what == CHILD && (shape == 4 || shape == 7))
		return "has no <Signature>";
	if (wrap_id(id)[0] == '\0' && shape != 2 && shape != 3 && shape != 4)
		return "has no attribute ID";
	return reasons[shape];
}

static void
expect(const char *wanted, const struct err *why, const char *text)
{
	if (strstr(why->text, wanted) == NULL)
		fail_msg("wanted: %s; refused for: %s\n%s", wanted, why->text, text);
	assert_true(why->kind == ERR_INPUT || why->kind == ERR_DENIED);
}

/* Whatever element of the document somebody verifies, what is proven was signed. */
static int
judge_elements(const char *text, struct saml_keys by, const struct bytes *was_signed, size_t n)
{
	struct saml_signed *s;
	struct xml_doc *doc;
	int proven = 0;

	if (!xml_parse(scratch, bytes_of(text), &test_limits, &doc, NULL))
		return 0;
	for (const struct xml_node *e = xml_root(doc); e != NULL; e = xml_next_in_document(e)) {
		if (!xmlsig_present(e) || !xmlsig_verify(scratch, e, by, &s, NULL))
			continue;
		size_t i = 0;

		while (i < n && !bytes_eq(saml_signed_bytes(s), was_signed[i]))
			i++;
		if (i == n)
			fail_msg("proven, but never signed: %s",
				 text_of(scratch, saml_signed_bytes(s)));
		proven++;
	}
	return proven;
}

/* ---- messages ---- */

static const enum saml_binding bindings[] = {SAML_BINDING_POST, SAML_BINDING_SOAP,
					     SAML_BINDING_REDIRECT};

static struct bytes
carried(enum saml_binding binding, const char *xml)
{
	const char *param = strstr(xml, "LogoutResponse") != NULL ? "SAMLResponse" : "SAMLRequest";

	switch (binding) {
	case SAML_BINDING_POST:
		return bytes_of(portal_form(scratch, param, xml, NULL));
	case SAML_BINDING_SOAP:
		return bytes_of(portal_enveloped(scratch, xml));
	default: /* no Signature beside it: the one inside is all there is */
		return bytes_of(portal_query_unsigned(scratch, param, xml, NULL));
	}
}

static int
attack_message(const char *signed_xml)
{
	struct wrap_target t = wrap_target(a, signed_xml);
	const char *meaning;
	int documents = 0;

	t.evil = replace(a, t.bare, "2026-11-23T18:00:00", "2026-11-23T18:00:01");
	for (size_t b = 0; b < ARRAY_LEN(bindings); b++) {
		if (bindings[b] != SAML_BINDING_REDIRECT)
			ASSERT_OK(meaning_of_message(a, bindings[b], carried(bindings[b], t.text),
						     &reader, &meaning, &err),
				  &err);
		for (int shape = 1; shape <= WRAP_SHAPES; shape++)
			for (size_t id = 0; wrap_id(id) != NULL; id++, documents++) {
				const char *text = wrap_message(scratch, shape, &t, id);
				struct err why = {0};

				if (meaning_of_message(scratch, bindings[b],
						       carried(bindings[b], text), &reader,
						       &meaning, &why))
					fail_msg("read as %s: %s", meaning, text);
				/* The binding that cannot wrap: a Signature inside counts for
				 * nothing. */
				bool none = bindings[b] == SAML_BINDING_REDIRECT;

				expect(reason(MESSAGE, none ? 3 : shape, id), &why, text);
				judge_elements(text, fixture_keys(), &t.octets, 1);
				arena_reset(scratch);
			}
	}
	return documents;
}

/* A good text with FIXTURE_PLACE where its Signature belongs, signed. */
static const char *
sign_good(const char *text)
{
	struct fixture f = fixture_request();
	const char *id = strstr(text, " ID=") + strlen(" ID='");

	f.text = text;
	f.id = arena_strndup(a, id, strcspn(id, "\"'"));
	return fixture_sign(a, &f);
}

/* From the root on: what stands before it cannot stand inside another document. */
static const char *
root_of(const char *text)
{
	while (*(text = strchr(text, '<')) == '<' && (text[1] == '?' || text[1] == '!'))
		text = strchr(text, '>');
	return text;
}

static int
each_good(bool metadata, int (*attack)(const char *text))
{
	const char *folder = VECTORS "/good";
	struct dirent **files;
	int n = scandir(folder, &files, NULL, alphasort), documents = 0;

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		const char *name = files[i]->d_name;
		struct bytes xml;

		if (strstr(name, ".xml") != NULL && (name[0] == '4') == metadata) {
			ASSERT_OK(conf_read_file(a, arena_printf(a, "%s/%s", folder, name), 1 << 20,
						 &xml, &err),
				  &err);
			documents += attack(root_of(text_of(a, xml)));
		}
		free(files[i]);
	}
	free(files);
	return documents;
}

static int
attack_good_message(const char *text)
{
	return attack_message(sign_good(wrap_put(a, text, "issuer", FIXTURE_PLACE)));
}

static void
no_wrapped_message_is_read(void **state UNUSED)
{
	int documents = each_good(false, attack_good_message);

	documents += attack_message(sign_good(portal_authn_request));
	documents += attack_message(sign_good(portal_logout_request));
	documents += attack_message(sign_good(portal_logout_response));
	/* Requests and answers, bindings, shapes, spellings of the ID. */
	assert_int_equal(documents, 21 * 3 * 8 * 7);
}

/* ---- metadata ---- */

static int
attack_metadata(const char *text)
{
	const char *name =
		strcspn(text, ">") > strcspn(text, " ") ? strchr(text, ' ') : strchr(text, '>');
	const char *named =
		strstr(text, " ID=\"") != NULL
			? text
			: arena_printf(a, "%.*s ID=\"_m\"%s", (int)(name - text), text, name);
	struct wrap_target t =
		wrap_target(a, sign_good(wrap_put(a, named, "start", FIXTURE_PLACE)));
	const char *meaning;
	int documents = 0;

	/* Answers would go elsewhere. */
	t.evil = replace(a, t.bare, "Location=\"https://", "Location=\"https://evil.");
	ASSERT_OK(meaning_of_signed_metadata(a, bytes_of(t.text), &meaning, &err), &err);
	for (int shape = 1; shape <= WRAP_SHAPES; shape++)
		for (size_t id = 0; wrap_id(id) != NULL; id++, documents++) {
			const char *doc = wrap_message(scratch, shape, &t, id);
			struct err why = {0};

			if (meaning_of_signed_metadata(scratch, bytes_of(doc), &meaning, &why))
				fail_msg("read as %s: %s", meaning, doc);
			expect(reason(ROOT, shape, id), &why, doc);
			judge_elements(doc, fixture_keys(), &t.octets, 1);
			arena_reset(scratch);
		}
	return documents;
}

static void
no_wrapped_metadata_is_read(void **state UNUSED)
{
	int documents = each_good(true, attack_metadata);

	assert_int_equal(documents, 10 * 8 * 7);
}

/* ---- what we write: a portal reads it, and we as a portal of other states' accounts ---- */

static const char *
response(enum saml_sign sign, bool encrypt)
{
	const struct saml_policy policy = {
		.sign = sign, .encrypt = encrypt ? SAML_ENCRYPT_ALWAYS : SAML_ENCRYPT_NEVER};
	const struct saml_assertion facts = portal_assertion(portal_now());
	const struct saml_response r = portal_response(&facts, portal_now());
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	const struct saml_peer to = {party, &policy, &signer};
	struct saml_carrier c;

	ASSERT_OK(saml_response_build(a, &r, &to, &c, &err), &err);
	return text_of(a, portal_unpack(a, &c));
}

static struct saml_keys
our_keys(void)
{
	return (struct saml_keys){&keys->p256.pub, 1};
}

/* The document parses, and this element of it is proven. */
static bool
verify(const char *text, const struct xml_node *(*which)(const struct xml_node *root),
       struct err *why)
{
	struct saml_signed *s;
	struct xml_doc *doc;

	return xml_parse(scratch, bytes_of(text), &xml_limits_message, &doc, why) &&
	       xmlsig_verify(scratch, which(xml_root(doc)), our_keys(), &s, why);
}

/* An assertion of ours taken apart, for somebody else; with the prefixes its signer kept. */
static struct wrap_target
assertion_target(const char *assertion)
{
	struct wrap_target t = wrap_target(a, assertion);
	struct saml_signed *s;

	t.evil = replace(a, t.bare, ">name1<", ">evil<");
	ASSERT_OK(xmlsig_verify(a, parse_xml(a, assertion), our_keys(), &s, &err), &err);
	t.octets = saml_signed_bytes(s);
	return t;
}

static const struct xml_node *
itself(const struct xml_node *root)
{
	return root;
}

/* The Assertion that speaks of somebody else. */
static const struct xml_node *
evil_assertion(const struct xml_node *root)
{
	for (const struct xml_node *n = root; n != NULL; n = xml_next_in_document(n))
		if (xml_is(n, SAML_NS_ASSERTION, "Assertion") &&
		    strcmp(portal_text(scratch,
				       portal_child(portal_child(n, SAML_NS_ASSERTION, "Subject"),
						    SAML_NS_ASSERTION, "NameID")),
			   "evil") == 0)
			return n;
	fail_msg("there is no evil assertion");
	return NULL;
}

static int
attack_response(const char *text)
{
	struct wrap_target t = wrap_target(a, text);
	bool encrypted = strstr(text, "EncryptedAssertion") != NULL;
	int documents = 0;

	/* Another name in it; and where that is not to be seen, for another request. */
	t.evil = encrypted ? replace(a, t.bare, "_request1", "_request2")
			   : replace(a, replace(a, t.bare, ">name1<", ">evil<"),
				     "ID=\"_assertion1\"", "ID=\"_assertion2\"");
	assert_true(verify(t.text, itself, &err));
	for (int shape = 1; shape <= WRAP_SHAPES; shape++)
		for (size_t id = 0; wrap_id(id) != NULL; id++, documents++) {
			const char *doc = wrap_message(scratch, shape, &t, id);
			struct err why = {0};

			assert_false(verify(doc, itself, &why));
			expect(reason(ROOT, shape, id), &why, doc);
			arena_reset(scratch);
		}
	return documents;
}

/* The assertion inside is signed; the Response around it perhaps was. */
static int
attack_assertion(const char *text)
{
	const char *assertion = cut(a, text, "<saml:Assertion ", "</saml:Assertion>");
	struct wrap_target t = assertion_target(assertion);
	int documents = 0;

	for (int shape = 1; shape <= WRAP_SHAPES; shape++)
		for (size_t id = 0; wrap_id(id) != NULL; id++, documents++) {
			const char *doc = replace(scratch, text, assertion,
						  wrap_child(scratch, shape, &t, id));
			struct err why = {0};

			assert_false(verify(doc, evil_assertion, &why));
			expect(reason(CHILD, shape, id), &why, doc);
			assert_false(verify(doc, itself, NULL));
			judge_elements(doc, our_keys(), &t.octets, 1);
			arena_reset(scratch);
		}
	return documents;
}

/* A stranger can encrypt for us whatever he has wrapped. */
static int
attack_encrypted(void)
{
	const char *text = response(SAML_SIGN_ASSERTION, false);
	struct wrap_target t =
		assertion_target(cut(a, text, "<saml:Assertion ", "</saml:Assertion>"));
	struct xmlenc_keys ours = {&keys->ops, (const char *const[]){keys->dec_p256.kid}, 1};
	struct xmlenc_recipient to = {
		.key = keys->dec_p256.pub, .content = XMLENC_A128GCM, .transport = XMLENC_ECDH_ES};
	int documents = 0;

	for (int shape = 1; shape <= WRAP_SHAPES; shape++)
		for (size_t id = 0; wrap_id(id) != NULL; id++, documents++) {
			const char *wrapped = wrap_message(scratch, shape, &t, id);
			const char *wanted = reason(ROOT, shape, id);
			struct err why = {0};
			struct saml_signed *s;
			struct xml_doc *doc;
			struct bytes out;

			ASSERT_OK(xmlenc_encrypt(scratch, bytes_of(wrapped), "EncryptedAssertion",
						 &to, &out, &err),
				  &err);
			assert_false(xmlenc_decrypt(scratch,
						    parse_xml(scratch, text_of(scratch, out)),
						    &ours, &doc, &why) &&
				     xmlsig_verify(scratch, xml_root(doc), our_keys(), &s, &why));
			/* What is wrong with the XML inside is not told to a stranger. */
			if (strstr(wanted, "ID") != NULL && strstr(wanted, "attribute") == NULL)
				wanted = "encrypted element does not open";
			expect(wanted, &why, wrapped);
			judge_elements(wrapped, our_keys(), &t.octets, 1);
			arena_reset(scratch);
		}
	return documents;
}

static void
no_wrapped_response_is_proven(void **state UNUSED)
{
	int documents = attack_response(response(SAML_SIGN_BOTH, false));

	documents += attack_response(response(SAML_SIGN_RESPONSE, false));
	documents += attack_response(response(SAML_SIGN_BOTH, true));
	documents += attack_response(response(SAML_SIGN_RESPONSE, true));
	documents += attack_assertion(response(SAML_SIGN_ASSERTION, false));
	documents += attack_assertion(response(SAML_SIGN_BOTH, false));
	documents += attack_encrypted();
	assert_int_equal(documents, 7 * 8 * 7);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup_party, teardown_party)
	const struct CMUnitTest tests[] = {
		T(no_wrapped_message_is_read),
		T(no_wrapped_metadata_is_read),
		T(no_wrapped_response_is_proven),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
