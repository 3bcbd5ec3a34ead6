/* What handlers read: parameters once each, languages, the client's address. */
#include "idp/app.h"

#include <stdio.h>

#include "base/text.h"
#include "idp/config.h"
#include "idp/route.h"
#include <openssl/ec.h>

#include "oidc/certificate.h"
#include "tests/idp/raw.h"
#include "tests/oidc/certificates.h"
#include "tests/arena.h"

static void
parameters_are_decoded(void **state UNUSED)
{
	struct params ps;
	struct err err = {0};
	const char *v;

	ASSERT_OK(params_parse(a, bytes_of("&a=1+2%263&&%c3%a4=%C3%BC&flag&=x&e=&c=d=e&"), NULL,
			       &ps, &err),
		  &err);
	assert_int_equal(ps.n, 6);
	assert_int_equal(params_find(&ps, "a", &v), 1);
	assert_string_equal(v, "1 2&3");
	assert_int_equal(params_find(&ps, "\xc3\xa4", &v), 1);
	assert_string_equal(v, "\xc3\xbc");
	assert_int_equal(params_find(&ps, "flag", &v), 1);
	assert_string_equal(v, "");
	assert_int_equal(params_find(&ps, "c", &v), 1);
	assert_string_equal(v, "d=e");
	ASSERT_OK(params_parse(a, (struct bytes){NULL, 0}, NULL, &ps, &err), &err);
	assert_int_equal(ps.n, 0);
}

static void
only_names_marked_repeatable_come_twice(void **state UNUSED)
{
	struct params ps;
	struct err err = {0};
	const char *v;

	ASSERT_OK(params_parse(a, bytes_of("resource=a&resource=b&aud=c&aud=d"), "resource aud",
			       &ps, &err),
		  &err);
	assert_int_equal(params_find(&ps, "resource", &v), 2);
	assert_string_equal(v, "a");
	/* Governikus 2018: the second SAMLResponse was used after the first was verified. */
	ASSERT_REFUSED(params_parse(a, bytes_of("SAMLResponse=a&SAMLResponse=b"), NULL, &ps, &err),
		       &err, ERR_INPUT, "given twice");
	ASSERT_REFUSED(
		params_parse(a, bytes_of("SAMLResponse=a&SAML%52esponse=b"), "resource", &ps, &err),
		&err, ERR_INPUT, "given twice");
	ASSERT_REFUSED(params_parse(a, bytes_of("res=a&res=b"), "resource", &ps, &err), &err,
		       ERR_INPUT, "given twice");
}

static void
broken_parameters_are_refused(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{"a=%4", "broken percent escape"},
		{"a=%00", "escaped NUL"},
		{"a=%ff", "not UTF-8"},
		{"%ff=a", "not UTF-8"},
	};
	struct params ps;
	struct err err = {0};
	char many[(REQUEST_PARAMS_MAX + 1) * 8], *p = many;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ASSERT_REFUSED(params_parse(a, bytes_of(cases[i][0]), NULL, &ps, &err), &err,
			       ERR_INPUT, cases[i][1]);
	for (int i = 0; i <= REQUEST_PARAMS_MAX; i++)
		p += snprintf(p, 8, "%d&", i);
	ASSERT_REFUSED(params_parse(a, bytes_of(many), NULL, &ps, &err), &err, ERR_INPUT,
		       "more than");
}

static void
the_better_language_is_chosen(void **state UNUSED)
{
	static const struct {
		const char *value;
		enum lang lang;
	} cases[] = {
		{NULL, LANG_DE},
		{"", LANG_DE},
		{"fr", LANG_DE},
		{"en", LANG_EN},
		{"EN-gb", LANG_EN},
		{"de-DE,de;q=0.9,en;q=0.8", LANG_DE},
		{"en-US,en;q=0.9,de;q=0.8", LANG_EN},
		{"de;q=0.5, en;q=0.501", LANG_EN},
		{"en;q=0, de;q=0", LANG_DE},
		{"en;q=1.5", LANG_DE},
		{"en;q=", LANG_DE},
		{"en;x=1", LANG_DE},
		{"en;q=0.12345", LANG_DE},
		{"en;q= ", LANG_DE},
		{"en;q=2", LANG_DE},
		{"en;q=1x", LANG_DE},
		{"en;q=1./", LANG_DE},
		{"en;q=0.:", LANG_DE},
		{"en;\tq=0.9\t", LANG_EN},
		{"english", LANG_DE},
		{"e", LANG_DE},
		{",,en ; q=0.3 ,", LANG_EN},
		{"*", LANG_DE},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (request_accept_language(cases[i].value) != cases[i].lang)
			fail_msg("%s", cases[i].value);
}

static const struct route prefix_route = {HTTP_POST, "/flow/", NULL,  LANE_LOGIN, ROUTE_PREFIX,
					  1024,      1024,     65536, "resource"};

/* Gate and parse, as the edge does it. */
static bool
parse(struct config *config, const char *line, const char *headers, const char *body,
      struct request *rq, struct err *err)
{
	static struct app app;
	struct raw_text t;
	struct gate_head head;

	app.config = config;
	raw_text_init(&t, line, headers);
	t.raw.body = bytes_of(body);
	assert_int_equal(gate_check(&t.raw, &head), GATE_PASS);
	*rq = (struct request){.a = a, .app = &app, .route = &prefix_route};
	return request_parse(rq, &t.raw, &head, err);
}

static void
a_request_is_taken_apart(void **state UNUSED)
{
	struct config config = {0};
	struct request rq;
	struct err err = {0};

	ASSERT_OK(parse(&config, "POST /flow/abc?x=1 HTTP/1.1",
			"Host: k\nContent-Length: 7\nX-Odd: 1\nCookie: x=\xff; __Host-lang=en\n"
			"Content-Type: application/x-www-form-urlencoded; charset=utf-8",
			"name=ja", &rq, &err),
		  &err);
	assert_string_equal(rq.path, "/flow/abc");
	assert_string_equal(rq.path_tail, "abc");
	assert_string_equal(rq.query_raw, "x=1");
	assert_string_equal(request_query(&rq, "x"), "1");
	assert_string_equal(request_form(&rq, "name"), "ja");
	assert_string_equal(request_param(&rq, "name"), "ja");
	assert_null(request_param(&rq, "x"));
	assert_string_equal(request_header(&rq, "host"), "k");
	assert_null(request_header(&rq, "x-odd"));
	assert_string_equal(request_cookie(&rq, "lang"), "en");
	assert_null(request_header(&rq, "cookie"));
	assert_int_equal(rq.lang, LANG_EN);
	assert_string_equal(rq.client_addr, "192.0.2.1");
	/* Handlers know no HEAD: it is a GET of which the edge sends no body. */
	ASSERT_OK(parse(&config, "HEAD /flow/abc HTTP/1.1", "Host: k", "", &rq, &err), &err);
	assert_int_equal(rq.method, HTTP_GET);
}

static void
a_wish_for_a_language_yields_to_the_persons_choice(void **state UNUSED)
{
	static const char *const tags[][2] = {{"de", "de"},  {"EN-gb", "en"}, {"de-AT-1996", "de"},
					      {"den", NULL}, {"d", NULL},     {"", NULL},
					      {"fr", NULL},  {NULL, NULL}};
	struct config config = {0};
	struct request rq;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		assert_true(text_eq(lang_code_of_tag(tags[i][0]), tags[i][1]) ||
			    tags[i][1] == lang_code_of_tag(tags[i][0]));
	ASSERT_OK(parse(&config, "GET /flow/abc HTTP/1.1", "Host: k\nAccept-Language: de", "", &rq,
			&err),
		  &err);
	request_wish_lang(&rq, NULL);
	assert_int_equal(rq.lang, LANG_DE);
	request_wish_lang(&rq, "fr");
	assert_int_equal(rq.lang, LANG_DE);
	request_wish_lang(&rq, "en");
	assert_int_equal(rq.lang, LANG_EN);
	ASSERT_OK(parse(&config, "GET /flow/abc HTTP/1.1", "Host: k\nCookie: __Host-lang=de", "",
			&rq, &err),
		  &err);
	request_wish_lang(&rq, "en");
	assert_int_equal(rq.lang, LANG_DE);
}

static void
a_body_of_another_type_is_no_form(void **state UNUSED)
{
	struct config config = {0};
	struct request rq;
	struct err err = {0};

	ASSERT_OK(parse(&config, "POST /flow/a HTTP/1.1",
			"Host: k\nContent-Length: 3\nContent-Type: application/json", "a=b", &rq,
			&err),
		  &err);
	assert_int_equal(rq.form.n, 0);
	assert_int_equal(rq.body.n, 3);
	ASSERT_OK(parse(&config, "POST /flow/a HTTP/1.1",
			"Host: k\nContent-Length: 3\n"
			"Content-Type: application/x-www-form-urlencoded ; charset=utf-8",
			"a=b", &rq, &err),
		  &err);
	assert_int_equal(rq.form.n, 1);
	ASSERT_OK(parse(&config, "POST /flow/a HTTP/1.1",
			"Host: k\nContent-Length: 3\n"
			"Content-Type: application/x-www-form-urlencodedx",
			"a=b", &rq, &err),
		  &err);
	assert_int_equal(rq.form.n, 0);
}

static void
only_a_trusted_proxy_names_the_client(void **state UNUSED)
{
	struct config config = {0};
	struct request rq;
	struct err err = {0};
	const char *line = "POST /flow/a HTTP/1.1";
	const char *one = "Host: k\nContent-Length: 0\nX-Forwarded-For: 198.51.100.7";

	ASSERT_OK(parse(&config, line, one, "", &rq, &err), &err);
	assert_string_equal(rq.client_addr, "192.0.2.1");

	ASSERT_OK(net_list_parse(a, "192.0.2.0/24", &config.trusted_proxy, &err), &err);
	ASSERT_OK(parse(&config, line, one, "", &rq, &err), &err);
	assert_string_equal(rq.client_addr, "198.51.100.7");
	ASSERT_OK(parse(&config, line, "Host: k\nContent-Length: 0", "", &rq, &err), &err);
	assert_string_equal(rq.client_addr, "192.0.2.1");
	ASSERT_REFUSED(parse(&config, line,
			     "Host: k\nContent-Length: 0\nX-Forwarded-For: 1.2.3.4, 5.6.7.8", "",
			     &rq, &err),
		       &err, ERR_INPUT, "not one address");
	ASSERT_REFUSED(parse(&config, line,
			     "Host: k\nContent-Length: 0\nX-Forwarded-For: 1.2.3.4\n"
			     "X-Forwarded-For: 5.6.7.8",
			     "", &rq, &err),
		       &err, ERR_INPUT, "not one address");
}

/* The header is a proof only because nobody but our proxy can send it. */
static void
only_a_trusted_proxy_shows_a_certificate(void **state UNUSED)
{
	struct config config = {.mtls_host = "mtls.k"};
	struct request rq;
	struct err err = {0};
	const char *line = "POST /flow/a HTTP/1.1";
	EVP_PKEY *key = EVP_EC_gen("P-256");
	const char *cert = client_cert(a, key, "c1", NULL, 1700000000, 1800000000);
	const char *head = arena_printf(
		a, "Host: mtls.k\nContent-Length: 0\nX-Client-Cert-Verify: 0\nClient-Cert: %s",
		cert);

	EVP_PKEY_free(key);
	ASSERT_REFUSED(parse(&config, line, head, "", &rq, &err), &err, ERR_INPUT,
		       "not from a proxy of ours");
	ASSERT_REFUSED(parse(&config, line, "Host: k\nContent-Length: 0\nX-Client-Cert-Verify: 0",
			     "", &rq, &err),
		       &err, ERR_INPUT, "not from a proxy of ours");
	assert_null(rq.certificate);
	ASSERT_OK(net_list_parse(a, "192.0.2.0/24", &config.trusted_proxy, &err), &err);
	ASSERT_OK(parse(&config, line, head, "", &rq, &err), &err);
	assert_non_null(rq.certificate);
	assert_true(rq.certificate->verified);
	ASSERT_OK(parse(&config, line, "Host: mtls.k\nContent-Length: 0", "", &rq, &err), &err);
	assert_null(rq.certificate);
	/* A verdict on nothing, a certificate where none is asked for, what is none. */
	ASSERT_REFUSED(parse(&config, line,
			     "Host: mtls.k\nContent-Length: 0\nX-Client-Cert-Verify: 0", "", &rq,
			     &err),
		       &err, ERR_INPUT, "no certificates are asked for");
	ASSERT_REFUSED(parse(&config, line,
			     arena_printf(a, "Host: k\nContent-Length: 0\nClient-Cert: %s", cert),
			     "", &rq, &err),
		       &err, ERR_INPUT, "no certificates are asked for");
	ASSERT_REFUSED(parse(&config, line,
			     "Host: mtls.k\nContent-Length: 0\nClient-Cert: :AA==:", "", &rq, &err),
		       &err, ERR_INPUT, "certificate");
	config.mtls_host = NULL;
	ASSERT_REFUSED(parse(&config, line, head, "", &rq, &err), &err, ERR_INPUT,
		       "no certificates are asked for");
}

static void
what_is_wrong_in_any_part_is_refused(void **state UNUSED)
{
	struct config config = {0};
	struct request rq;
	struct err err = {0};
	const char *form = "Host: k\nContent-Length: 7\n"
			   "Content-Type: application/x-www-form-urlencoded";

	ASSERT_REFUSED(parse(&config, "POST /flow/a?x=1&x=2 HTTP/1.1", form, "", &rq, &err), &err,
		       ERR_INPUT, "given twice");
	ASSERT_REFUSED(parse(&config, "POST /flow/a HTTP/1.1", form, "a=1&a=2", &rq, &err), &err,
		       ERR_INPUT, "given twice");
	ASSERT_OK(parse(&config, "POST /flow/a HTTP/1.1", form, "resource=1&resource=2", &rq, &err),
		  &err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_decoded),
		cmocka_unit_test(only_names_marked_repeatable_come_twice),
		cmocka_unit_test(broken_parameters_are_refused),
		cmocka_unit_test(the_better_language_is_chosen),
		cmocka_unit_test(a_request_is_taken_apart),
		cmocka_unit_test(a_wish_for_a_language_yields_to_the_persons_choice),
		cmocka_unit_test(a_body_of_another_type_is_no_form),
		cmocka_unit_test(only_a_trusted_proxy_names_the_client),
		cmocka_unit_test(only_a_trusted_proxy_shows_a_certificate),
		cmocka_unit_test(what_is_wrong_in_any_part_is_refused),
	};

	return cmocka_run_group_tests_name("request", tests, setup, teardown);
}
