/* saml/choose.c: which of our algorithms a party gets, by its metadata, its keys and our record. */
#include "saml/choose.h"

#include "base/enc.h"
#include "keys/cert.h"
#include "keys/key_type.h"
#include "saml/names.h"
#include "tests/saml/portal.h"
#include "tests/saml/with_keys.h"
#include "tests/saml/xsd.h"

#define NOW  ((time_t)1764000000)
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define PSS  "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
#define XENC "http://www.w3.org/2001/04/xmlenc#"
#define X11  "http://www.w3.org/2009/xmlenc11#"

/* ---- parties ---- */

static char *
descriptor(const char *use, enum key_purpose purpose, enum key_type type, const char *methods)
{
	return arena_printf(
		a,
		"<md:KeyDescriptor use=\"%s\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s"
		"</ds:X509Certificate></ds:X509Data></ds:KeyInfo>%s</md:KeyDescriptor>",
		use, enc_base64(a, test_key_of(keys, purpose, type)->cert), methods);
}

/* The portal's metadata with these keys, and these extensions of its role and of the entity. */
static const struct saml_party *
party(const char *role, const char *entity, const char *descriptors)
{
	char *xml = portal_metadata(a, keys);
	const struct saml_party *p = NULL;

	for (int i = 0; i < 2; i++)
		xml = replace(a, xml, cut(a, xml, "<md:KeyDescriptor", "</md:KeyDescriptor>"),
			      i == 0 ? "{KEYS}" : "");
	xml = replace(a, xml, "{KEYS}", descriptors);
	xml = replace(a, xml, "<md:Extensions>", arena_printf(a, "<md:Extensions>%s", role));
	if (*entity != '\0') {
		const char *open = cut(a, xml, "<md:EntityDescriptor", ">");

		xml = replace(a, xml, open,
			      arena_printf(a, "%s<md:Extensions>%s</md:Extensions>", open, entity));
	}
	ASSERT_OK(saml_metadata_parse(a, bytes_of(xml), NULL, &p, &err), &err);
	assert_schema_valid(a, bytes_of(xml));
	return p;
}

#define ALG_NS           " xmlns:alg=\"urn:oasis:names:tc:SAML:metadata:algsupport\""
#define METHOD(uri)      "<alg:SigningMethod" ALG_NS " Algorithm=\"" uri "\"/>"
#define SIZED(uri, size) "<alg:SigningMethod" ALG_NS " " size " Algorithm=\"" uri "\"/>"
#define DIGEST(uri)      "<alg:DigestMethod" ALG_NS " Algorithm=\"" uri "\"/>"

static const struct saml_party *
with_methods(const char *methods)
{
	return party(methods, "", descriptor("signing", KEY_SAML_SIGN, KEY_RSA3072, ""));
}

static const struct saml_party *
with_signing_key(enum key_type type)
{
	return party("", "", descriptor("signing", KEY_SAML_SIGN, type, ""));
}

static unsigned
bit(enum sig_alg alg)
{
	return 1u << alg;
}

#define USUAL (bit(SIG_ES256) | bit(SIG_RS256) | bit(SIG_PS256))

static enum sig_alg
chosen(const struct saml_party *p, struct saml_sign_wish wish)
{
	const struct saml_suite *s = NULL;

	wish.now = NOW;
	ASSERT_OK(saml_choose_suite(p, &wish, &s, &err), &err);
	return s->make;
}

static void
refused(const struct saml_party *p, struct saml_sign_wish wish, enum err_kind kind, const char *why)
{
	const struct saml_suite *s = NULL;

	wish.now = NOW;
	err_clear(&err);
	ASSERT_REFUSED(saml_choose_suite(p, &wish, &s, &err), &err, kind, why);
	assert_null(s);
}

/* ---- signatures ---- */

static void
without_a_word_of_it_a_party_gets_the_first_row(void **state UNUSED)
{
	assert_int_equal(chosen(with_methods(""), (struct saml_sign_wish){.have = USUAL}),
			 SIG_ES256);
	assert_int_equal(chosen(with_methods(""), (struct saml_sign_wish){.have = SAML_SIGN_ALL}),
			 SIG_ES256);
}

static void
the_first_row_that_it_lists_is_taken(void **state UNUSED)
{
	static const struct {
		const char *methods;
		enum sig_alg alg;
	} rows[] = {
		{METHOD(PSS), SIG_PS256},
		{METHOD(MORE "rsa-sha256") METHOD(PSS), SIG_PS256},
		{METHOD("http://www.w3.org/2000/09/xmldsig#rsa-sha1") METHOD(PSS), SIG_PS256},
		{METHOD(PSS) METHOD(MORE "ecdsa-sha256"), SIG_ES256},
		{METHOD(MORE "ecdsa-sha384"), SIG_ES384},
		{METHOD(MORE "ecdsa-sha384") METHOD(MORE "ecdsa-sha256"), SIG_ES256},
		/* What we only verify is nothing to answer with. */
		{METHOD(MORE "ecdsa-sha512") METHOD(PSS), SIG_PS256},
		{DIGEST(XENC "sha256"), SIG_ES256},
		{DIGEST(MORE "sha384"), SIG_ES384},
		{DIGEST(MORE "sha384") DIGEST(XENC "sha256"), SIG_ES256},
		{DIGEST(XENC "sha256") METHOD(MORE "ecdsa-sha384") METHOD(PSS), SIG_PS256},
		{SIZED(MORE "ecdsa-sha256", "MinKeySize=\"384\"") METHOD(PSS), SIG_PS256},
		{SIZED(MORE "ecdsa-sha256", "MaxKeySize=\"255\"") METHOD(PSS), SIG_PS256},
		{SIZED(MORE "ecdsa-sha256", "MinKeySize=\"256\" MaxKeySize=\"256\""), SIG_ES256},
		{SIZED(PSS, "MinKeySize=\"2048\" MaxKeySize=\"4096\""), SIG_PS256},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct saml_party *p = with_methods(rows[i].methods);

		assert_int_equal(chosen(p, (struct saml_sign_wish){.have = SAML_SIGN_ALL}),
				 rows[i].alg);
		assert_null(saml_party_signing_problem(p));
	}
}

static void
a_list_of_the_role_goes_before_one_of_the_entity(void **state UNUSED)
{
	const char *key = descriptor("signing", KEY_SAML_SIGN, KEY_RSA3072, "");
	struct saml_sign_wish all = {.have = SAML_SIGN_ALL};

	assert_int_equal(chosen(party("", METHOD(PSS), key), all), SIG_PS256);
	assert_int_equal(chosen(party(METHOD(MORE "ecdsa-sha256"), METHOD(PSS), key), all),
			 SIG_ES256);
	/* Each list by itself. */
	assert_int_equal(
		chosen(party(METHOD(MORE "ecdsa-sha384"), DIGEST(MORE "sha384"), key), all),
		SIG_ES384);
}

static void
a_party_that_signs_on_a_curve_is_answered_on_it(void **state UNUSED)
{
	static const struct {
		enum key_type type;
		enum sig_alg alg;
	} rows[] = {{KEY_P256, SIG_ES256},
		    {KEY_P384, SIG_ES384},
		    {KEY_BP256, SIG_BP256},
		    {KEY_BP384, SIG_BP384},
		    {KEY_RSA3072, SIG_ES256}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct saml_party *p = with_signing_key(rows[i].type);

		assert_int_equal(chosen(p, (struct saml_sign_wish){.have = SAML_SIGN_ALL}),
				 rows[i].alg);
		/* If we have a key there. */
		assert_int_equal(chosen(p, (struct saml_sign_wish){.have = USUAL}), SIG_ES256);
	}
	/* On several: the first row among them. */
	const struct saml_party *p =
		party("", "",
		      arena_printf(a, "%s%s", descriptor("signing", KEY_SAML_SIGN, KEY_BP256, ""),
				   descriptor("signing", KEY_SAML_SIGN, KEY_P384, "")));

	assert_int_equal(chosen(p, (struct saml_sign_wish){.have = SAML_SIGN_ALL}), SIG_ES384);
	/* One URI, two curves: listed is the algorithm, not the curve. */
	p = party(METHOD(MORE "ecdsa-sha256"), "",
		  descriptor("signing", KEY_SAML_SIGN, KEY_BP256, ""));

	assert_int_equal(chosen(p, (struct saml_sign_wish){.have = SAML_SIGN_ALL}), SIG_BP256);
	/* A key that only decrypts says nothing about signatures. */
	p = party("", "", descriptor("encryption", KEY_DECRYPT, KEY_BP256, ""));
	assert_int_equal(chosen(p, (struct saml_sign_wish){.have = SAML_SIGN_ALL}), SIG_ES256);
}

static void
what_our_record_names_is_taken_or_nothing(void **state UNUSED)
{
	const struct saml_party *p = with_methods("");

	assert_int_equal(chosen(p, (struct saml_sign_wish){SIG_PS256, USUAL, 0}), SIG_PS256);
	assert_int_equal(chosen(p, (struct saml_sign_wish){SIG_BP256, SAML_SIGN_ALL, 0}),
			 SIG_BP256);
	refused(p, (struct saml_sign_wish){SIG_ES384, USUAL, 0}, ERR_UNAVAILABLE,
		"no active saml-sign key of type p384");
	refused(with_methods(METHOD(MORE "ecdsa-sha256")),
		(struct saml_sign_wish){SIG_PS256, USUAL, 0}, ERR_DENIED, "its metadata permit");
	refused(with_methods(METHOD(MORE "ecdsa-sha384")), (struct saml_sign_wish){.have = USUAL},
		ERR_UNAVAILABLE, "of type p384");
}

static void
sha1_is_never_chosen(void **state UNUSED)
{
	static const char *const lists[] = {
		METHOD("http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
		METHOD("http://www.w3.org/2000/09/xmldsig#rsa-sha1")
			METHOD("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"),
		DIGEST("http://www.w3.org/2000/09/xmldsig#sha1"),
		METHOD(PSS) DIGEST("http://www.w3.org/2000/09/xmldsig#sha1"),
		METHOD("http://www.w3.org/2007/05/xmldsig-more#rsa-pss"),
		SIZED(MORE "ecdsa-sha256", "MaxKeySize=\"160\""),
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct saml_party *p = with_methods(lists[i]);
		const struct saml_finding *found;
		size_t n;

		refused(p, (struct saml_sign_wish){.have = SAML_SIGN_ALL}, ERR_DENIED,
			"its metadata permit");
		assert_non_null(strstr(saml_party_signing_problem(p), "TR-03116-4"));
		saml_metadata_lint(a, p, 0, NOW, &found, &n);
		assert_int_equal(found[0].severity, SAML_FATAL);
		assert_string_equal(found[0].rule, "signing-methods");
		assert_non_null(strstr(found[0].text, "TR-03116-4"));
	}
}

static void
pkcs1_is_for_parties_marked_old_until_their_day(void **state UNUSED)
{
	struct saml_party p = *with_methods(METHOD(MORE "rsa-sha256"));
	struct saml_sign_wish all = {.have = SAML_SIGN_ALL};
	const struct saml_finding *found;
	size_t n;

	refused(&p, all, ERR_DENIED, "rsa-sha256 is for parties marked old alone");
	saml_metadata_lint(a, &p, 0, NOW, &found, &n);
	assert_string_equal(found[0].rule, "old-signatures");
	assert_int_equal(found[0].severity, SAML_FATAL);
	p.old_until = NOW + 1;
	assert_int_equal(chosen(&p, all), SIG_RS256);
	saml_metadata_lint(a, &p, 0, NOW, &found, &n);
	assert_true(n == 0 || strcmp(found[0].rule, "old-signatures") != 0);
	p.old_until = NOW;
	refused(&p, all, ERR_DENIED, "rsa-sha256 has ended for this party");
	/* Who is marked old and can do better gets the better. */
	p = *with_methods("");
	p.old_until = NOW + 1;
	assert_int_equal(chosen(&p, all), SIG_ES256);
	assert_int_equal(chosen(&p, (struct saml_sign_wish){SIG_RS256, USUAL, 0}), SIG_RS256);
}

static void
signing_methods_are_read_as_the_schema_has_them(void **state UNUSED)
{
	static const char *const bad[] = {
		"<alg:SigningMethod" ALG_NS "/>",   "<alg:DigestMethod" ALG_NS "/>",
		SIZED(PSS, "MinKeySize=\"0\""),     SIZED(PSS, "MinKeySize=\"-1\""),
		SIZED(PSS, "MaxKeySize=\"65536\""), SIZED(PSS, "MaxKeySize=\"many\""),
		"<alg:SigningMethods" ALG_NS "/>",
	};
	const struct saml_party *p;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *xml = replace(a, portal_metadata(a, keys), "<md:Extensions>",
				    arena_printf(a, "<md:Extensions>%s", bad[i]));

		err_clear(&err);
		assert_false(saml_metadata_parse(a, bytes_of(xml), NULL, &p, &err));
		assert_int_equal(err.kind, ERR_INPUT);
	}
}

/* ---- encryption ---- */

#define ENC(uri)        "<md:EncryptionMethod Algorithm=\"" uri "\"/>"
#define ENC_OF(uri, in) "<md:EncryptionMethod Algorithm=\"" uri "\">" in "</md:EncryptionMethod>"
#define DS_DIGEST(uri)  "<ds:DigestMethod Algorithm=\"" uri "\"/>"
#define MGF(uri)        "<x:MGF xmlns:x=\"" X11 "\" Algorithm=\"" uri "\"/>"
#define GCM128          ENC(X11 "aes128-gcm")
#define GCM256          ENC(X11 "aes256-gcm")
#define CBC             ENC(XENC "aes128-cbc") ENC(XENC "aes256-cbc") ENC(XENC "tripledes-cbc")
#define OAEP            ENC(X11 "rsa-oaep")
#define MGF1P           ENC(XENC "rsa-oaep-mgf1p")
#define RSA15           ENC(XENC "rsa-1_5")
#define ECDH            ENC(X11 "ECDH-ES")
#define SHA1_URI        "http://www.w3.org/2000/09/xmldsig#sha1"

static const struct saml_party *
with_encryption(enum key_type type, const char *methods)
{
	return party("", "", descriptor("encryption", KEY_DECRYPT, type, methods));
}

static void
what_a_key_lists_is_heeded(void **state UNUSED)
{
	static const struct {
		enum key_type type;
		const char *methods;
		enum xmlenc_content content;
		enum xmlenc_transport transport;
	} rows[] = {
		{KEY_RSA3072, "", XMLENC_A128GCM, XMLENC_OAEP_SHA256},
		{KEY_RSA3072, GCM128 GCM256 MGF1P OAEP, XMLENC_A256GCM, XMLENC_OAEP_SHA256},
		{KEY_RSA3072, CBC GCM128 RSA15 MGF1P, XMLENC_A128GCM, XMLENC_OAEP_SHA1},
		{KEY_RSA3072, GCM256, XMLENC_A256GCM, XMLENC_OAEP_SHA256},
		/* OAEP with the digests that it lists. */
		{KEY_RSA3072, ENC_OF(X11 "rsa-oaep", DS_DIGEST(XENC "sha256")), XMLENC_A128GCM,
		 XMLENC_OAEP_SHA256},
		{KEY_RSA3072,
		 ENC_OF(X11 "rsa-oaep", DS_DIGEST(XENC "sha256") MGF(X11 "mgf1sha256")) MGF1P,
		 XMLENC_A128GCM, XMLENC_OAEP_SHA256},
		{KEY_RSA3072, ENC_OF(X11 "rsa-oaep", DS_DIGEST(SHA1_URI)) MGF1P, XMLENC_A128GCM,
		 XMLENC_OAEP_SHA1},
		{KEY_RSA3072,
		 ENC_OF(X11 "rsa-oaep", DS_DIGEST(XENC "sha256") MGF(X11 "mgf1sha1")) MGF1P,
		 XMLENC_A128GCM, XMLENC_OAEP_SHA1},
		{KEY_RSA3072,
		 ENC_OF(X11 "rsa-oaep", DS_DIGEST(SHA1_URI))
			 ENC_OF(X11 "rsa-oaep", DS_DIGEST(XENC "sha256")) MGF1P,
		 XMLENC_A128GCM, XMLENC_OAEP_SHA256},
		{KEY_P256, "", XMLENC_A128GCM, XMLENC_ECDH_ES},
		{KEY_P384, GCM256 ECDH, XMLENC_A256GCM, XMLENC_ECDH_ES},
		{KEY_BP256, GCM128 ECDH ENC(XENC "kw-aes128"), XMLENC_A128GCM, XMLENC_ECDH_ES},
		/* The wrap has the content's size: what TR-03116-4 demands, and no more. */
		{KEY_P256, GCM256 GCM128 ECDH ENC(XENC "kw-aes128"), XMLENC_A128GCM,
		 XMLENC_ECDH_ES},
		{KEY_BP384, RSA15 GCM256 ECDH ENC(XENC "kw-aes256"), XMLENC_A256GCM,
		 XMLENC_ECDH_ES},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct saml_party *p = with_encryption(rows[i].type, rows[i].methods);

		assert_int_equal(p->recipient.content, rows[i].content);
		assert_int_equal(p->recipient.transport, rows[i].transport);
		assert_null(saml_key_encryption_problem(&p->keys[0]));
	}
}

static void
cbc_and_rsa15_are_never_chosen(void **state UNUSED)
{
	static const struct {
		enum key_type type;
		const char *methods, *clause;
	} rows[] = {
		{KEY_RSA3072, CBC, "XMLENC 1.1 5.2.4"},
		{KEY_RSA3072, CBC OAEP, "XMLENC 1.1 5.2.4"},
		{KEY_RSA3072, ENC(X11 "aes192-gcm"), "XMLENC 1.1 5.2.4"},
		{KEY_RSA3072, GCM256 RSA15, "XMLENC 1.1 5.5.2"},
		{KEY_RSA3072, ENC_OF(X11 "rsa-oaep", DS_DIGEST(SHA1_URI)), "XMLENC 1.1 5.5.2"},
		{KEY_RSA3072, ENC_OF(XENC "rsa-oaep-mgf1p", DS_DIGEST(XENC "sha512")),
		 "XMLENC 1.1 5.5.2"},
		{KEY_P256, CBC ECDH, "XMLENC 1.1 5.2.4"},
		/* A list for keys of another kind. */
		{KEY_P256, GCM256 OAEP, "XMLENC 1.1 5.6"},
		{KEY_P384, GCM256 ENC(X11 "dh-es"), "XMLENC 1.1 5.6"},
		{KEY_P256, GCM256 ECDH ENC(XENC "kw-aes128"), "XMLENC 1.1 5.2.4"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct saml_party *p = with_encryption(rows[i].type, rows[i].methods);
		const struct saml_finding *found;
		size_t n;

		assert_null(p->recipient.key);
		saml_metadata_lint(a, p, 0, NOW, &found, &n);
		assert_int_equal(found[0].severity, SAML_FATAL);
		assert_string_equal(found[0].rule, "encryption-methods");
		assert_non_null(strstr(found[0].text, "TR-03116-4"));
		assert_non_null(strstr(found[0].text, rows[i].clause));
	}
}

static void
a_key_that_takes_the_best_goes_before_one_that_does_not(void **state UNUSED)
{
	const char *old = descriptor("encryption", KEY_DECRYPT, KEY_RSA3072, GCM128 MGF1P);
	const char *new = descriptor("encryption", KEY_DECRYPT, KEY_P384, GCM256 ECDH);
	const char *none = descriptor("encryption", KEY_DECRYPT, KEY_P256, CBC);
	const struct saml_party *p = party("", "", arena_printf(a, "%s%s%s", none, old, new));

	assert_int_equal(p->recipient.transport, XMLENC_ECDH_ES);
	assert_int_equal(p->recipient.content, XMLENC_A256GCM);
	p = party("", "", arena_printf(a, "%s%s", none, old));
	assert_int_equal(p->recipient.transport, XMLENC_OAEP_SHA1);
	/* Of two as good as each other, the first; of two that are not the best, too. */
	p = party("", "",
		  arena_printf(a, "%s%s", old,
			       descriptor("encryption", KEY_DECRYPT, KEY_RSA3072, GCM256 MGF1P)));
	assert_int_equal(p->recipient.content, XMLENC_A128GCM);
	p = party(
		"", "",
		arena_printf(a, "%s%s", descriptor("encryption", KEY_DECRYPT, KEY_BP256, ""), new));
	assert_true(key_type_fits(KEY_BP256, p->recipient.key));
}

static void
what_our_record_names_is_used_for_encryption_or_nothing(void **state UNUSED)
{
	const struct saml_party *p = with_encryption(KEY_RSA3072, "");
	struct xmlenc_recipient to = {0};

	assert_true(saml_choose_recipient(p, XMLENC_A256GCM, XMLENC_OAEP_SHA1, &to));
	assert_int_equal(to.content, XMLENC_A256GCM);
	assert_int_equal(to.transport, XMLENC_OAEP_SHA1);
	assert_false(saml_choose_recipient(p, 0, XMLENC_ECDH_ES, &to));
	p = with_encryption(KEY_RSA3072, GCM128 OAEP);
	assert_false(saml_choose_recipient(p, XMLENC_A256GCM, 0, &to));
	assert_false(saml_choose_recipient(p, 0, XMLENC_OAEP_SHA1, &to));
	assert_true(saml_choose_recipient(p, XMLENC_A128GCM, XMLENC_OAEP_SHA256, &to));
	p = party("", "", descriptor("signing", KEY_SAML_SIGN, KEY_RSA3072, ""));
	assert_false(saml_choose_recipient(p, 0, 0, &to));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(without_a_word_of_it_a_party_gets_the_first_row),
		T(the_first_row_that_it_lists_is_taken),
		T(a_list_of_the_role_goes_before_one_of_the_entity),
		T(a_party_that_signs_on_a_curve_is_answered_on_it),
		T(what_our_record_names_is_taken_or_nothing),
		T(sha1_is_never_chosen),
		T(pkcs1_is_for_parties_marked_old_until_their_day),
		T(signing_methods_are_read_as_the_schema_has_them),
		T(what_a_key_lists_is_heeded),
		T(cbc_and_rsa15_are_never_chosen),
		T(a_key_that_takes_the_best_goes_before_one_that_does_not),
		T(what_our_record_names_is_used_for_encryption_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
