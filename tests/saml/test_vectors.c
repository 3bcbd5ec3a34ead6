/*
 * tests/vectors/saml/{good,bad}/NNN-what.xml, each with a .want beside it: what we
 * make of the document, printed, or how we refuse it.  A new case is two files;
 * with KONTOR_WRITE_WANT set a missing .want is written, to be read by a person.
 *
 * Messages come by a signed Redirect, octet for octet as the file has them, from
 * the portal of portal.h at portal_now().  NNN-what.post.xml comes by POST,
 * NNN-what.soap.xml by SOAP: {SIGNATURE} in it is the portal's Signature over the
 * root, {SIGNATURE _x} one over the element of that ID.  NNN-what.query is the query
 * of a Redirect with names in braces (see `fillings`).  What is good, the schemas
 * accept too.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "tests/saml/file_key.h"
#include "tests/saml/meaning.h"
#include "tests/saml/xsd.h"
#include "tests/test.h"

static struct test_keys *keys;

/* ---- how it comes ---- */

/* "{SIGNATURE}" or "{SIGNATURE _id}" replaced by a Signature of the portal. */
static const char *
signed_text(struct arena *a, const char *text)
{
	const char *at = strstr(text, "{SIGNATURE");
	struct fixture f = fixture_request();

	if (at == NULL)
		return text;
	const char *place = arena_strndup(a, at, strcspn(at, "}") + 1);
	const char *id = strchr(place, ' ') != NULL ? strchr(place, ' ') + 1
						    : strstr(text, " ID=\"") + strlen(" ID=\"");

	f.id = arena_strndup(a, id, strcspn(id, "\"}"));
	f.text = replace(a, text, place, FIXTURE_PLACE);
	return signed_text(a, fixture_sign(a, &f));
}

static const char *
packed(struct arena *a, const char *xml)
{
	return portal_packed(a, bytes_of(replace(a, xml, FIXTURE_PLACE, "")));
}

/* What stands for what in a .query; {SIGN} ends it: a Signature over all before it. */
static const char *
filled_query(struct arena *a, const char *text)
{
	const char *evil = replace(a, portal_authn_request, "_request1", "_evil1");
	const struct {
		const char *name, *value;
	} fillings[] = {
		{"{AUTHN}", packed(a, portal_authn_request)},
		{"{EVIL}", packed(a, evil)},
		{"{LOGOUT}", packed(a, portal_logout_request)},
		{"{ANSWER}", packed(a, portal_logout_response)},
		{"{ECDSA}",
		 portal_percent(a,
				bytes_of("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"))},
		{"{RSA}",
		 portal_percent(a, bytes_of("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"))},
	};

	text = arena_strndup(a, text, strcspn(text, "\n"));
	for (size_t i = 0; i < ARRAY_LEN(fillings); i++)
		while (strstr(text, fillings[i].name) != NULL)
			text = replace(a, text, fillings[i].name, fillings[i].value);
	const char *sign = strstr(text, "{SIGN}");

	if (sign == NULL)
		return text;
	return arena_printf(a, "%s%s",
			    portal_sign_query(a, arena_strndup(a, text, (size_t)(sign - text))),
			    sign + strlen("{SIGN}"));
}

static bool
ends(const char *name, const char *end)
{
	return strlen(name) > strlen(end) && strcmp(name + strlen(name) - strlen(end), end) == 0;
}

static bool
read_file(struct arena *a, const char *name, const char *text, const char **out, struct err *err)
{
	const char *param = strstr(text, "LogoutResponse") != NULL ? "SAMLResponse" : "SAMLRequest";
	EVP_PKEY *key = file_key(a, "rsa.key.pem");
	struct key_ops ops = file_key_ops(key);
	static const char *const kid = "any";
	const struct xmlenc_keys open = {&ops, &kid, 1};
	const struct meaning_reader reader = {portal_party(a, keys), &open};
	enum saml_binding binding = SAML_BINDING_REDIRECT;
	bool taken;

	if (ends(name, ".query")) {
		text = filled_query(a, text);
	} else if (ends(name, ".soap.xml")) {
		binding = SAML_BINDING_SOAP;
		text = signed_text(a, text);
	} else if (ends(name, ".post.xml")) {
		binding = SAML_BINDING_POST;
		text = portal_form(a, param, signed_text(a, text), NULL);
	} else if (strstr(text, "EntityDescriptor") == NULL) {
		text = portal_query(a, param, text, NULL);
	} else {
		binding = SAML_BINDING_NONE;
	}
	taken = binding == SAML_BINDING_NONE
			? meaning_of_metadata(a, bytes_of(text), out, err)
			: meaning_of_message(a, binding, bytes_of(text), &reader, out, err);
	EVP_PKEY_free(key);
	return taken;
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
		arena_printf(a, "%.*s.want", (int)(strrchr(path, '.') - path), path);
	struct err err = {0};
	struct bytes xml, want;
	const char *got;

	ASSERT_OK(conf_read_file(a, path, 1 << 20, &xml, &err), &err);
	bool taken = read_file(a, name, text_of(a, xml), &got, &err);

	if (!taken)
		got = meaning_of_refusal(a, &err);
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
	return ends(e->d_name, ".xml") || ends(e->d_name, ".query");
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

/* bad/README.md: each incident has its documents ("none" says why not), and each from 500 to 599
 * stands for one. */
static void
test_each_incident_has_its_documents(void **state)
{
	struct arena *a = *state;
	struct err err = {0};
	bool named[1000] = {false};
	struct bytes text;

	ASSERT_OK(conf_read_file(a, VECTORS "/bad/README.md", 1 << 16, &text, &err), &err);
	char *rows = strstr(text_of(a, text), "| --- | --- |\n"), *row;

	assert_non_null(rows);
	strsep(&rows, "\n");
	while ((row = strsep(&rows, "\n")) != NULL && row[0] == '|') {
		int n = 0, last = -1;

		for (const char *p = row; (p = strchr(p, '`')) != NULL; p++) {
			if (strspn(p + 1, "0123456789") != 3 || p[4] != '`')
				continue;
			int number = atoi(p + 1);

			/* "`500` to `506`" */
			if (last >= 0 && p - row > 4 && strncmp(p - 4, " to ", 4) == 0)
				while (last < number)
					named[last++] = true;
			named[number] = true;
			last = number;
			n++;
		}
		if (n == 0 && strstr(row, "| none: ") == NULL)
			fail_msg("no document for %s", row);
	}
	struct dirent **files;
	int n = scandir(VECTORS "/bad", &files, is_vector, alphasort);
	bool there[1000] = {false};

	for (int i = 0; i < n; i++) {
		int number = atoi(files[i]->d_name);

		there[number] = true;
		if (number / 100 == 5 && !named[number])
			fail_msg("%s stands for no incident", files[i]->d_name);
		free(files[i]);
	}
	free(files);
	for (int i = 100; i < 1000; i++)
		if (named[i] && !there[i])
			fail_msg("there is no document %d", i);
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
		cmocka_unit_test(test_each_incident_has_its_documents),
	};

	return cmocka_run_group_tests(tests, open_keys, close_keys);
}
