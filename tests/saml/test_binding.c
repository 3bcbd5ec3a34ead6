/* saml/binding.c, binding_redirect.c, binding_post.c: octets in and out, nothing read twice. */
#include "saml/binding.h"

#include <time.h>
#include <zlib.h>

#include "base/enc.h"
#include "saml/names.h"
#include "tests/saml/portal.h"
#include "tests/test.h"

#define ECDSA "http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23ecdsa-sha256"

static struct arena *a;
static struct test_keys *keys;

static bool
redirect(const char *query, struct saml_wire *out, struct err *err)
{
	return saml_binding_decode(a, SAML_BINDING_REDIRECT, bytes_of(query), out, err);
}

static bool
post(const char *form, struct saml_wire *out, struct err *err)
{
	return saml_binding_decode(a, SAML_BINDING_POST, bytes_of(form), out, err);
}

static void
test_the_table_names_each_binding_once(void **state)
{
	const struct saml_binding_row *row;
	size_t n = 0;

	(void)state;
	for (; (row = saml_binding_at(n)) != NULL; n++) {
		assert_ptr_equal(saml_binding_find(row->id), row);
		assert_ptr_equal(saml_binding_by_uri(row->uri), row);
	}
	assert_int_equal(n, 5);
	assert_null(saml_binding_find(SAML_BINDING_NONE));
	assert_null(saml_binding_by_uri("urn:oasis:names:tc:SAML:2.0:bindings:URI"));
	assert_null(saml_binding_by_uri(NULL));
	/* SAML2Profiles 4.1.2: the Response never travels by Redirect. */
	assert_false(saml_binding_find(SAML_BINDING_REDIRECT)->for_response);
	assert_false(saml_binding_find(SAML_BINDING_SOAP)->for_response);
	/* SAML2Profiles 4.2: and never by PAOS to a browser. */
	assert_false(saml_binding_find(SAML_BINDING_PAOS)->for_response);
	assert_false(saml_binding_find(SAML_BINDING_POST)->for_client);
	/* SAML2Profiles 4.1.2: it may by artifact.  Nothing else goes by it, and nothing comes. */
	assert_true(saml_binding_find(SAML_BINDING_ARTIFACT)->for_response);
	assert_false(saml_binding_find(SAML_BINDING_ARTIFACT)->for_client);
	assert_false(saml_binding_find(SAML_BINDING_ARTIFACT)->for_request);
	assert_false(saml_binding_find(SAML_BINDING_ARTIFACT)->for_logout);
}

static void
test_an_unknown_binding_is_a_fault_of_ours(void **state)
{
	struct saml_carrier c;
	struct saml_wire w;
	struct err err = {0};

	(void)state;
	ASSERT_REFUSED(saml_binding_decode(a, SAML_BINDING_NONE, bytes_of(""), &w, &err), &err,
		       ERR_INTERNAL, "no binding 0");
	ASSERT_REFUSED(
		saml_binding_decode(a, SAML_BINDING_ARTIFACT, bytes_of("SAMLart=x"), &w, &err),
		&err, ERR_INTERNAL, "no binding 4");
	ASSERT_REFUSED(saml_binding_encode(a, SAML_BINDING_NONE, NULL, &c, &err), &err,
		       ERR_INTERNAL, "no binding 0");
	ASSERT_REFUSED(saml_binding_decode(a, SAML_BINDING_PAOS, bytes_of(""), &w, &err), &err,
		       ERR_INTERNAL, "no binding 5");
}

static void
test_a_signed_query_keeps_its_octets(void **state)
{
	const char *query = arena_printf(
		a, "SigAlg=%s&Signature=QUJD&other=%%zz&RelayState=a%%2fb+c&SAMLRequest=%s", ECDSA,
		portal_packed(a, bytes_of("<x/>")));
	struct err err = {0};
	struct saml_wire w;

	(void)state;
	ASSERT_OK(redirect(query, &w, &err), &err);
	assert_int_equal(w.binding, SAML_BINDING_REDIRECT);
	assert_false(w.is_response);
	assert_string_equal(text_of(a, w.xml), "<x/>");
	assert_string_equal(w.relay_state, "a/b c");
	assert_string_equal(w.sig_alg, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256");
	assert_string_equal(text_of(a, w.sig), "ABC");
	/* In the order of the signature base, encoded as received. */
	assert_string_equal(text_of(a, w.octets),
			    arena_printf(a, "SAMLRequest=%s&RelayState=a%%2fb+c&SigAlg=%s",
					 portal_packed(a, bytes_of("<x/>")), ECDSA));
}

static void
test_an_unsigned_query_says_so(void **state)
{
	const char *query = arena_printf(a, "SAMLResponse=%s", portal_packed(a, bytes_of("<x/>")));
	struct err err = {0};
	struct saml_wire w;

	(void)state;
	ASSERT_OK(redirect(query, &w, &err), &err);
	assert_true(w.is_response);
	assert_null(w.sig_alg);
	assert_null(w.relay_state);
	assert_int_equal(w.octets.n, 0);
}

static void
test_an_empty_relay_state_is_kept(void **state)
{
	struct err err = {0};
	struct saml_wire w;

	(void)state;
	ASSERT_OK(post("SAMLRequest=PHgvPg%3D%3D&RelayState=", &w, &err), &err);
	assert_string_equal(w.relay_state, "");
}

static void
test_a_form_may_hold_white_space_in_its_base64(void **state)
{
	struct err err = {0};
	struct saml_wire w;

	(void)state;
	ASSERT_OK(post("SAMLRequest=PHgv%0D%0A+Pg%3D%3D%0D%0A", &w, &err), &err);
	assert_int_equal(w.binding, SAML_BINDING_POST);
	assert_string_equal(text_of(a, w.xml), "<x/>");
}

/* %s: a packed message. */
static const struct {
	const char *query, *why;
} refused[] = {
	/* Governikus Autent SDK 2018: the second one was used after the first was verified. */
	{"SAMLRequest=%s&SAMLRequest=%s", "SAMLRequest occurs twice"},
	{"SAMLRequest=%s&SAMLRequest=", "SAMLRequest occurs twice"},
	{"SAMLRequest=&SAMLRequest=%s", "SAMLRequest occurs twice"},
	{"SAMLRequest=%s&%%53AMLRequest=%s", "parameter name in another spelling"},
	{"%%53AMLRequest=%s", "parameter name in another spelling"},
	{"SAMLReques%%74=%s&SAMLRequest=%s", "parameter name in another spelling"},
	{"SAMLRequest=%s&SAMLResponse=%s", "not exactly one of"},
	{"SAMLResponse=%s&SAMLRequest=%s", "not exactly one of"},
	{"RelayState=x", "not exactly one of"},
	{"", "not exactly one of"},
	{"samlrequest=%s", "not exactly one of"},
	{"SAMLRequest", "SAMLRequest has no value"},
	{"SAMLRequest=%s&RelayState=a&RelayState=a", "RelayState occurs twice"},
	{"SAMLRequest=%s&RelayState=a&Relay%%53tate=a", "parameter name in another spelling"},
	{"SAMLRequest=%s&SigAlg=a&Signature=QUJD&SigAlg=b", "SigAlg occurs twice"},
	{"SAMLRequest=%s&SigAlg=a&Signature=QUJD&Signature=QUJD", "Signature occurs twice"},
	{"SAMLRequest=%s&SigAlg=a", "Signature without SigAlg or the reverse"},
	{"SAMLRequest=%s&Signature=QUJD", "Signature without SigAlg or the reverse"},
	{"SAMLRequest=%s&SAMLEncoding=urn%%3Ax", "SAMLEncoding is not DEFLATE"},
	{"SAMLRequest=%s&SAMLEncoding=a&SAMLEncoding=a", "SAMLEncoding occurs twice"},
	{"SAMLRequest=%s&SAMLEncoding=%%zz", "broken percent escape"},
	{"SAMLRequest=%s&SigAlg=%%zz&Signature=QUJD", "broken percent escape"},
	{"SAMLRequest=%s&SigAlg=a&Signature=%%zz", "broken percent escape"},
	{"SAMLRequest=%%zz", "broken percent escape"},
	{"SAMLRequest=%s&%%zz=1", "broken percent escape"},
	{"SAMLRequest=%s&RelayState=%%zz", "broken percent escape"},
	{"SAMLRequest=%s&RelayState=%%00", "escaped NUL"},
	{"SAMLRequest=%s&RelayState=%%ff", "RelayState"},
	{"SAMLRequest=%s%%0A", "base64"},
	{"SAMLRequest=%s&SigAlg=a&Signature=%%3F", "base64"},
	{"SAMLRequest=AAAA", "no DEFLATE stream"},
	{"SAMLRequest=", "no DEFLATE stream"},
};

static void
test_what_could_be_read_in_two_ways_is_refused(void **state)
{
	const char *packed = portal_packed(a, bytes_of("<x/>"));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct err err = {0};
		struct saml_wire w;
		char *query = arena_strdup(a, refused[i].query);

		while (strstr(query, "%s") != NULL)
			query = replace(a, query, "%s", packed);
		while (strstr(query, "%%") != NULL)
			query = replace(a, query, "%%", "%");
		ASSERT_REFUSED(redirect(query, &w, &err), &err, ERR_INPUT, refused[i].why);
	}
}

static void
test_a_form_with_a_signature_beside_it_is_refused(void **state)
{
	struct err err = {0};
	struct saml_wire w;

	(void)state;
	ASSERT_REFUSED(post("SAMLRequest=PHgvPg%3D%3D&SigAlg=x&Signature=QUJD", &w, &err), &err,
		       ERR_INPUT, "signed inside");
	ASSERT_REFUSED(post("SAMLRequest=PHgvPg%3D%3D&Signature=QUJD", &w, &err), &err, ERR_INPUT,
		       "signed inside");
	ASSERT_REFUSED(post("SAMLRequest=PHgvPg%3D%3D&SigAlg=x", &w, &err), &err, ERR_INPUT,
		       "signed inside");
	ASSERT_REFUSED(post("SAMLRequest=PHgvPg%3D%3D&SAMLRequest=PHgvPg%3D%3D", &w, &err), &err,
		       ERR_INPUT, "occurs twice");
	ASSERT_REFUSED(post("SAMLRequest=PHgvPg", &w, &err), &err, ERR_INPUT, "base64");
	ASSERT_REFUSED(post("SAMLRequest=%zz", &w, &err), &err, ERR_INPUT, "percent");
}

static void
test_relay_state_has_a_limit(void **state)
{
	const char *packed = portal_packed(a, bytes_of("<x/>"));
	struct err err = {0};
	struct saml_wire w;

	(void)state;
	ASSERT_OK(
		redirect(arena_printf(a, "SAMLRequest=%s&RelayState=%01024d", packed, 1), &w, &err),
		&err);
	assert_int_equal(strlen(w.relay_state), 1024);
	ASSERT_REFUSED(
		redirect(arena_printf(a, "SAMLRequest=%s&RelayState=%01025d", packed, 1), &w, &err),
		&err, ERR_INPUT, "RelayState");
	ASSERT_REFUSED(
		post(arena_printf(a, "SAMLRequest=PHgvPg%%3D%%3D&RelayState=%01025d", 1), &w, &err),
		&err, ERR_INPUT, "RelayState");
	ASSERT_REFUSED(saml_binding_decode(a, SAML_BINDING_REDIRECT, (struct bytes){0}, &w, &err),
		       &err, ERR_INPUT, "not exactly one of");
}

static char *
query_of(struct bytes stream)
{
	return arena_printf(a, "SAMLRequest=%s",
			    portal_percent(a, bytes_of(enc_base64(a, stream))));
}

static void
test_octets_after_the_stream_are_refused(void **state)
{
	/* "<x/>" stored, and one octet more. */
	static const unsigned char stored[] = {1, 4, 0, 0xfb, 0xff, '<', 'x', '/', '>', 0};
	struct bytes all = {stored, sizeof(stored)};
	struct err err = {0};
	struct saml_wire w;

	(void)state;
	ASSERT_REFUSED(redirect(query_of(all), &w, &err), &err, ERR_INPUT,
		       "octets after the DEFLATE stream");
	all.n--;
	ASSERT_OK(redirect(query_of(all), &w, &err), &err);
	all.n--;
	ASSERT_REFUSED(redirect(query_of(all), &w, &err), &err, ERR_INPUT, "no DEFLATE stream");
}

/* CVE-2025-25293.  n octets of white space pack at about 1000 to 1. */
static char *
bomb(size_t n)
{
	unsigned char block[65536];
	struct arena *own = arena_create(256 << 20);
	size_t max = n / 500 + 1024;
	unsigned char *out = arena_alloc(own, max);
	z_stream z = {.next_out = out, .avail_out = (uInt)max};

	memset(block, ' ', sizeof(block));
	assert_int_equal(
		deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY),
		Z_OK);
	for (size_t left = n; left > 0;) {
		size_t now = left < sizeof(block) ? left : sizeof(block);

		z.next_in = block;
		z.avail_in = (uInt)now;
		left -= now;
		assert_int_equal(deflate(&z, left == 0 ? Z_FINISH : Z_NO_FLUSH),
				 left == 0 ? Z_STREAM_END : Z_OK);
	}
	deflateEnd(&z);
	struct bytes packed = {out, max - z.avail_out};
	struct buf b;
	const char *query;

	buf_init(&b, a, 16 << 20);
	buf_str(&b, "SAMLRequest=");
	enc_percent(&b, bytes_of(enc_base64(own, packed)));
	assert_true(buf_finish_str(&b, &query, NULL));
	arena_destroy(own);
	return arena_strdup(a, query);
}

static void
test_a_deflate_bomb_is_refused_fast_in_flat_memory(void **state)
{
	static const size_t sizes[] = {256 * 1024 + 1, 1 << 20, 100 << 20};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		const char *query = bomb(sizes[i]);
		struct arena *own = arena_create(16 << 20), *outer = a;
		struct err err = {0};
		struct saml_wire w;
		clock_t start = clock(); /* of the processor: the machine may be busy */

		a = own;
		ASSERT_REFUSED(redirect(query, &w, &err), &err, ERR_INPUT, "inflates past");
		a = outer;
		print_message("# %zu octets from %zu: %lld us, %zu octets of memory\n", sizes[i],
			      strlen(query), (long long)(clock() - start), arena_used(own));
		assert_true(arena_used(own) < (2 << 20));
		assert_true(clock() - start < CLOCKS_PER_SEC / 20);
		arena_destroy(own);
	}
}

static void
test_the_first_kilobyte_of_a_bomb_is_enough_to_refuse_it(void **state)
{
	char *query = bomb(8 << 20);
	struct arena *own = arena_create(16 << 20), *outer = a;
	struct err err = {0};
	struct saml_wire w;

	(void)state;
	/* The stream goes on for ever, as far as the reader can know. */
	query[strlen("SAMLRequest=") + 1024] = '\0';
	a = own;
	ASSERT_REFUSED(redirect(query, &w, &err), &err, ERR_INPUT, "inflates past");
	a = outer;
	assert_true(arena_used(own) < (1 << 20));
	arena_destroy(own);
}

static void
test_more_than_a_message_can_be_is_not_even_unpacked(void **state)
{
	struct err err = {0};
	struct saml_wire w;
	struct bytes noise = {arena_alloc(a, SAML_XML_MAX + 3), SAML_XML_MAX + 3};
	const char *query = arena_printf(a, "SAMLRequest=%s", enc_base64(a, noise));

	(void)state;
	ASSERT_REFUSED(redirect(query, &w, &err), &err, ERR_INPUT, "message of 262147 octets");
}

/* ---- the way out ---- */

static const char message[] = "<a xmlns=\"urn:x\" ID=\"_1\"><b></b></a>";

static struct saml_outgoing
outgoing(const struct saml_to_sign *what, const struct saml_signer *signer, const char *relay)
{
	return (struct saml_outgoing){true, "https://amt24.example/slo", relay, what, signer, false,
				      NULL};
}

static void
test_what_goes_by_redirect_comes_back_and_verifies(void **state)
{
	static const char *const suites[] = {"ecdsa-sha256", "rsa-sha256", "rsa-pss-sha256"};
	const struct saml_to_sign what = {.element = bytes_of(message), .id = "_1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
		struct saml_signer signer = test_signer(keys, suites[i]);
		struct saml_outgoing o = outgoing(&what, &signer, "r&s=t\xc3\xa4");
		struct saml_carrier c;
		struct saml_wire w;
		struct err err = {0};

		ASSERT_OK(saml_binding_encode(a, SAML_BINDING_REDIRECT, &o, &c, &err), &err);
		assert_non_null(strstr(c.location, "https://amt24.example/slo?SAMLResponse="));
		assert_null(c.action);
		ASSERT_OK(redirect(strchr(c.location, '?') + 1, &w, &err), &err);
		assert_true(w.is_response);
		assert_string_equal(text_of(a, w.xml), message);
		assert_string_equal(w.relay_state, "r&s=t\xc3\xa4");
		assert_string_equal(w.sig_alg, signer.suite->uri);
		assert_true(verify_signature(&signer.suite->how,
					     i == 0 ? keys->p256.pub : keys->rsa.pub, w.octets,
					     w.sig));
	}
}

static void
test_a_query_is_added_to_the_one_an_endpoint_has(void **state)
{
	const struct saml_to_sign what = {.element = bytes_of(message), .id = "_1"};
	struct saml_outgoing o = outgoing(&what, NULL, NULL);
	struct saml_carrier c;
	struct err err = {0};

	(void)state;
	o.url = "https://amt24.example/slo?x=1";
	o.is_response = false;
	ASSERT_OK(saml_binding_encode(a, SAML_BINDING_REDIRECT, &o, &c, &err), &err);
	assert_non_null(strstr(c.location, "https://amt24.example/slo?x=1&SAMLRequest="));
	assert_null(strstr(c.location, "RelayState"));
	assert_null(strstr(c.location, "Signature"));
}

static void
test_a_message_too_long_for_an_address_is_not_signed(void **state)
{
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	unsigned char *noise = arena_alloc(a, SAML_XML_MAX + 1);
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i <= SAML_XML_MAX; i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (unsigned char)(x >> 24);
	}
	struct saml_to_sign what = {.element = {noise, SAML_XML_MAX}, .id = "_1"};
	struct saml_outgoing o = outgoing(&what, &signer, NULL);
	struct saml_carrier c;
	struct err err = {0};

	ASSERT_REFUSED(saml_binding_encode(a, SAML_BINDING_REDIRECT, &o, &c, &err), &err,
		       ERR_INTERNAL, "bytes to write");
	o.signer = NULL;
	ASSERT_REFUSED(saml_binding_encode(a, SAML_BINDING_REDIRECT, &o, &c, &err), &err,
		       ERR_INTERNAL, "bytes to write");
	what.element.n++;
	ASSERT_REFUSED(saml_binding_encode(a, SAML_BINDING_REDIRECT, &o, &c, &err), &err,
		       ERR_INTERNAL, "is not packed");
}

static void
test_nothing_goes_out_unsigned_when_the_signer_is_gone(void **state)
{
	struct saml_signer signer = test_signer(keys, "ecdsa-sha256");
	const struct saml_to_sign what = {.element = bytes_of(message), .id = "_1", .place = 29};
	struct saml_outgoing o = outgoing(&what, &signer, NULL);
	struct saml_carrier c;
	struct err err = {0};

	(void)state;
	signer.ops = &portal_no_signer;
	static const enum saml_binding ways[] = {SAML_BINDING_REDIRECT, SAML_BINDING_POST,
						 SAML_BINDING_SOAP, SAML_BINDING_PAOS,
						 SAML_BINDING_ARTIFACT};

	ASSERT_REFUSED(saml_binding_encode(a, SAML_BINDING_ARTIFACT, &o, &c, &err), &err,
		       ERR_INTERNAL, "without an artifact");
	o.artifact = "AAQ";
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		ASSERT_REFUSED(saml_binding_encode(a, ways[i], &o, &c, &err), &err, ERR_UNAVAILABLE,
			       "does not answer");
}

static void
test_a_form_carries_the_signed_message(void **state)
{
	const char *text = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\""
			   " ID=\"_1\"><saml:Issuer>x</saml:Issuer></saml:Assertion>";
	struct saml_signer signer = test_signer(keys, "rsa-sha256");
	const struct saml_to_sign what = {
		.element = bytes_of(text),
		.id = "_1",
		.place = (size_t)(strstr(text, "</saml:Assertion>") - text),
	};
	struct saml_outgoing o = outgoing(&what, &signer, "relay");
	struct saml_keys ours = {&keys->rsa.pub, 1};
	struct saml_signed *verified;
	struct saml_carrier c;
	struct err err = {0};

	(void)state;
	ASSERT_OK(saml_binding_encode(a, SAML_BINDING_POST, &o, &c, &err), &err);
	assert_null(c.location);
	assert_string_equal(c.action, "https://amt24.example/slo");
	assert_string_equal(c.name, "SAMLResponse");
	assert_string_equal(c.relay_state, "relay");
	ASSERT_OK(xmlsig_verify(a, parse_xml(a, text_of(a, portal_unpack(a, &c))), ours, &verified,
				&err),
		  &err);
	o.signer = NULL;
	o.is_response = false;
	ASSERT_OK(saml_binding_encode(a, SAML_BINDING_POST, &o, &c, &err), &err);
	assert_string_equal(c.name, "SAMLRequest");
	assert_string_equal(text_of(a, portal_unpack(a, &c)), text);
}

static int
open_arena(void **state)
{
	(void)state;
	a = arena_create(64 << 20);
	keys = test_keys_create(a);
	return 0;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_destroy(a);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table_names_each_binding_once),
		cmocka_unit_test(test_an_unknown_binding_is_a_fault_of_ours),
		cmocka_unit_test(test_a_signed_query_keeps_its_octets),
		cmocka_unit_test(test_an_unsigned_query_says_so),
		cmocka_unit_test(test_an_empty_relay_state_is_kept),
		cmocka_unit_test(test_a_form_may_hold_white_space_in_its_base64),
		cmocka_unit_test(test_what_could_be_read_in_two_ways_is_refused),
		cmocka_unit_test(test_a_form_with_a_signature_beside_it_is_refused),
		cmocka_unit_test(test_relay_state_has_a_limit),
		cmocka_unit_test(test_octets_after_the_stream_are_refused),
		cmocka_unit_test(test_a_deflate_bomb_is_refused_fast_in_flat_memory),
		cmocka_unit_test(test_the_first_kilobyte_of_a_bomb_is_enough_to_refuse_it),
		cmocka_unit_test(test_more_than_a_message_can_be_is_not_even_unpacked),
		cmocka_unit_test(test_what_goes_by_redirect_comes_back_and_verifies),
		cmocka_unit_test(test_a_query_is_added_to_the_one_an_endpoint_has),
		cmocka_unit_test(test_a_message_too_long_for_an_address_is_not_signed),
		cmocka_unit_test(test_nothing_goes_out_unsigned_when_the_signer_is_gone),
		cmocka_unit_test(test_a_form_carries_the_signed_message),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
