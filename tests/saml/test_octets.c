/*
 * Each octet of signed messages flipped in turn, as they travel: whatever is still
 * taken means what it meant.  (A few are: another spelling of an escape, white space
 * that no signature covers.)
 */
#include "tests/test.h"

#include "tests/saml/meaning.h"
#include "tests/saml/with_keys.h"

static struct arena *scratch;
static struct meaning_reader reader;

static int
setup_reader(void **state)
{
	if (setup(state) != 0)
		return 1;
	scratch = arena_create(64 << 20);
	reader.party = portal_party(a, keys);
	return scratch == NULL;
}

static int
teardown_reader(void **state)
{
	arena_destroy(scratch);
	return teardown(state);
}

static bool
meaning(enum saml_binding binding, struct bytes raw, const char **out, struct err *e)
{
	return binding == SAML_BINDING_NONE
		       ? meaning_of_signed_metadata(scratch, raw, out, e)
		       : meaning_of_message(scratch, binding, raw, &reader, out, e);
}

/* Three bits of every octet, in turn; all eight at full size. */
static void
flip_each(enum saml_binding binding, const char *text)
{
	size_t n = strlen(text);
	unsigned char *raw = (unsigned char *)arena_strdup(a, text);
	const struct bytes octets = {raw, n};
	const char *before, *after;
	int taken = 0;

	ASSERT_OK(meaning(binding, octets, &before, &err), &err);
	before = arena_strdup(a, before);
	for (size_t i = 0; i < n; i++) {
		for (size_t b = 0; b < test_size(3, 8); b++) {
			size_t bit = (i + 3 * b) % 8;
			struct err why = {0};

			raw[i] = (unsigned char)text[i] ^ (unsigned char)(1U << bit);
			if (meaning(binding, octets, &after, &why)) {
				if (strcmp(before, after) != 0)
					fail_msg("octet %zu, bit %zu: %s\nis read as\n%s", i, bit,
						 (const char *)raw, after);
				taken++;
			} else if (why.kind != ERR_INPUT && why.kind != ERR_DENIED) {
				fail_msg("octet %zu, bit %zu: refused as %s: %s", i, bit,
					 err_kind_name(why.kind), why.text);
			}
			arena_reset(scratch);
		}
		raw[i] = (unsigned char)text[i];
	}
	print_message("# %zu octets: %d flips taken for what they were\n", n, taken);
}

static const char *
signed_soap(void)
{
	struct fixture f = fixture_request();

	f.text = portal_logout_request;
	f.id = "_logout1";
	return portal_enveloped(a, fixture_sign(a, &f));
}

static void
no_flipped_bit_of_an_authn_request_by_redirect_changes_its_meaning(void **state UNUSED)
{
	flip_each(SAML_BINDING_REDIRECT,
		  portal_query(a, "SAMLRequest", portal_authn_request, "relay1"));
}

static void
no_flipped_bit_of_an_authn_request_by_post_changes_its_meaning(void **state UNUSED)
{
	flip_each(SAML_BINDING_POST, portal_form(a, "SAMLRequest", portal_authn_request, NULL));
}

static void
no_flipped_bit_of_a_logout_request_by_post_changes_its_meaning(void **state UNUSED)
{
	flip_each(SAML_BINDING_POST, portal_form(a, "SAMLRequest", portal_logout_request, NULL));
}

static void
no_flipped_bit_of_a_logout_request_by_soap_changes_its_meaning(void **state UNUSED)
{
	flip_each(SAML_BINDING_SOAP, signed_soap());
}

static void
no_flipped_bit_of_metadata_changes_its_meaning(void **state UNUSED)
{
	struct fixture f = fixture_request();

	f.text = replace(a, portal_metadata(a, keys), "><md:SPSSODescriptor",
			 " ID=\"_m\">" FIXTURE_PLACE "<md:SPSSODescriptor");
	f.id = "_m";
	flip_each(SAML_BINDING_NONE, fixture_sign(a, &f));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup_reader, teardown_reader)
	const struct CMUnitTest tests[] = {
		T(no_flipped_bit_of_an_authn_request_by_redirect_changes_its_meaning),
		T(no_flipped_bit_of_an_authn_request_by_post_changes_its_meaning),
		T(no_flipped_bit_of_a_logout_request_by_post_changes_its_meaning),
		T(no_flipped_bit_of_a_logout_request_by_soap_changes_its_meaning),
		T(no_flipped_bit_of_metadata_changes_its_meaning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
