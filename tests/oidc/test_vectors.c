/*
 * Tokens and key sets of tests/vectors/oidc: those in good/ are taken, those in bad/
 * are refused as the file beside says, word for word.
 */
#include "tests/oidc/fixture.h"
#include "tests/oidc/support.h"

#include <dirent.h>
#include <string.h>

#include "base/enc.h"
#include "oidc/jwe.h"
#include "tests/keys/test_keys.h"

#define KID "meriadoc.brandybuck@buckland.example"

static struct oidc_jwks keys;
static struct oidc_jwe_keys ours;
static struct oidc_enc_jwk enc;

/* Whose tokens they are (keys.jwks), and our key to decrypt with: that of RFC 7520 5.5. */
static int
setup_keys(void **state)
{
	struct test_keys *k;
	struct bytes text, d = {NULL, 0}, point = {NULL, 0};
	json_t *set;

	setup(state);
	k = test_keys_create(a);
	text = vector_read(a, "keys.jwks");
	ASSERT_OK(
		json_parse_object(a, text, text.n, &set, &err) &&
			oidc_jwks_parse(a, set, OIDC_ALG_NONE, &keys, &err) &&
			dec_base64url(a, bytes_of("r_kHyZ-a06rmxM3yESK84r1otSg-aQcVStkRhA-iCM8"),
				      &d, &err) &&
			dec_hex(a,
				bytes_of("0465eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de"
					 "439c08551d1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca"
					 "7ca7e9eecd0084d19c"),
				&point, &err),
		&err);
	enc = (struct oidc_enc_jwk){KID, OIDC_KEY_P256, OIDC_JWE_ALG_NONE,
				    test_key_import(k, KID, KEY_P256, d, point)->pub};
	ours = (struct oidc_jwe_keys){&k->ops, &enc, 1};
	return 0;
}

/* As a request that came: a key set, or a token, encrypted or not, that must be signed. */
static bool
take(const char *name)
{
	struct bytes text = vector_read(a, name);
	const struct oidc_signed *s;
	struct oidc_jwks set;
	struct oidc_jws jws;
	json_t *o;

	if (bytes_end(bytes_of(name), ".jwks"))
		return json_parse_object(a, text, text.n, &o, &err) &&
		       oidc_jwks_parse(a, o, OIDC_ALG_NONE, &set, &err);
	return (bytes_end(bytes_of(name), ".jwe") ? oidc_jwe_open_jws(a, text, &ours, &jws, &err)
						  : oidc_jws_parse(a, text, &jws, &err)) &&
	       oidc_jws_verify(a, &jws, &keys, &s, &err);
}

static size_t
each(const char *folder, void (*judge)(const char *name))
{
	DIR *d = opendir(arena_printf(a, "%s/%s", VECTORS, folder));
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (bytes_end(bytes_of(e->d_name), ".jws") ||
		    bytes_end(bytes_of(e->d_name), ".jwe") ||
		    bytes_end(bytes_of(e->d_name), ".jwks")) {
			err_clear(&err);
			judge(arena_printf(a, "%s/%s", folder, e->d_name));
			n++;
		}
	closedir(d);
	return n;
}

static void
judge_good(const char *name)
{
	if (!take(name))
		fail_msg("%s: %s", name, err.text);
}

static void
judge_bad(const char *name)
{
	const char *dot = strrchr(name, '.'), *number = strchr(name, '/') + 1;
	const char *want = arena_printf(a, "%.*s.want", (int)(dot - name), name);
	struct bytes readme = vector_read(a, "bad/README.md"), said = vector_read(a, want);

	if (take(name))
		fail_msg("%s was taken", name);
	const char *got = arena_printf(a, "%s: %s", err_kind_name(err.kind), err.text);

	if (!bytes_eq(bytes_of(got), said))
		fail_msg("%s: %s", name, got);
	number = arena_printf(a, "`%.3s`", number);
	if (memmem(readme.p, readme.n, number, strlen(number)) == NULL)
		fail_msg("%s is not in the table", name);
}

static void
what_is_in_order_is_taken(void **state UNUSED)
{
	assert_true(each("good", judge_good) >= 4);
}

static void
each_incident_is_refused_for_its_reason(void **state UNUSED)
{
	assert_true(each("bad", judge_bad) >= 29);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_order_is_taken),
		cmocka_unit_test(each_incident_is_refused_for_its_reason),
	};

	return cmocka_run_group_tests_name("vectors", tests, setup_keys, teardown);
}
