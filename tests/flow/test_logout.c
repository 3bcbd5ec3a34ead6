/* Single logout: who may end which session, who is told of it and how, and what is said of it. */
#include "base/buf.h"
#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/fetch.h"
#include "idp/outbox.h"
#include "saml/logout.h"
#include "saml/names.h"
#include "saml/soap.h"
#include "tests/flow/leave.h"
#include "tests/saml/xsd.h"

/* ---- other portals ---- */

#define BAU       "https://bau.example/metadata"
#define WOHN      "https://wohn.example/metadata"
#define SOAP_SLO  "<md:SingleLogoutService Binding=\"" SAML_BINDING_URI_SOAP "\" Location=\"%s\"/>"
#define FRONT_SLO "<md:SingleLogoutService Binding=\"%s\" Location=\"%s\"/>"

static void
portal_by_soap(struct world *w, const char *entity, const char *url)
{
	w->saml_party = entity;
	w->slo = arena_printf(w->a, SOAP_SLO, url);
	world_saml_party(w, "{}");
	w->slo = NULL;
	w->saml_party = NULL;
}

static void
portal_by_browser(struct world *w, const char *entity, const char *binding, const char *url)
{
	w->saml_party = entity;
	w->slo = arena_printf(w->a, FRONT_SLO, binding, url);
	world_saml_party(w, "{}");
	w->slo = NULL;
	w->saml_party = NULL;
}

/* A portal without any SingleLogoutService. */
static void
portal_that_cannot(struct world *w, const char *entity)
{
	w->saml_party = entity;
	w->slo = "";
	world_saml_party(w, "{}");
	w->slo = NULL;
	w->saml_party = NULL;
}

static struct login
karl_at(struct web *b, const char *entity)
{
	b->w->saml_party = entity;
	struct login at = karl_at_the_portal(b);

	b->w->saml_party = NULL;
	return at;
}

/* What a portal answers. */
struct answering {
	const char *issuer, *in_response_to; /* NULL: of the request */
	const char *url;                     /* Destination; NULL: none */
	const char *status;
	bool is_unsigned;
	bool by_another; /* signed with a key of nobody's */
};

static struct saml_carrier
portal_answer(struct world *w, enum saml_binding binding, const struct answering *how)
{
	struct saml_signer signer = {
		&w->keys->ops, w->keys->p256.kid, saml_suite_by_alg(SIG_ES256), {0}};
	struct saml_status status = saml_status_of(how->status);
	struct saml_logout_send send = {
		.binding = binding,
		.url = how->url,
		.id = rand_xml_id(w->a),
		.issuer = how->issuer,
		.issued_at = w->now,
		.signer = how->is_unsigned ? NULL : &signer,
	};
	struct saml_carrier c;
	struct err err = {0};

	if (how->by_another)
		signer = (struct saml_signer){
			&w->keys->ops, w->keys->rsa.kid, saml_suite_by_name("rsa-sha256"), {0}};
	ASSERT_OK(saml_logout_response_build(w->a, &send, how->in_response_to, &status, &c, &err),
		  &err);
	return c;
}

/* ---- a portal's own end of the back channel ---- */

static struct {
	struct world *w;
	const char *url, *body; /* of the last request */
	int n_requests;
	struct answering how;
	long status;     /* of HTTP; 0: the network fails */
	const char *raw; /* an answer that is none; NULL: by `how` */
} far;

static bool
far_post(struct arena *a, const struct fetch_post *what, struct fetch_answer *out, struct err *err)
{
	struct world *w = far.w;
	struct answering how = far.how;
	const struct saml_message *m;

	far.n_requests++;
	far.url = arena_strdup(w->a, what->url);
	far.body = (const char *)arena_bytes(w->a, what->body).p;
	assert_schema_valid(w->a, what->body);
	if (far.status == 0)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "the network fails");
	ASSERT_OK(saml_message_decode(w->a, SAML_BINDING_SOAP, what->body, &m, err), err);
	if (how.in_response_to == NULL)
		how.in_response_to = between(w->a, far.body, " ID=\"", "\"");
	struct bytes body = far.raw != NULL ? bytes_of(far.raw)
					    : portal_answer(w, SAML_BINDING_SOAP, &how).envelope;

	*out = (struct fetch_answer){far.status, arena_bytes(a, body)};
	return true;
}

/* The SOAP portal at the other end, which confirms. */
static void
far_confirms(struct world *w, const char *issuer)
{
	memset(&far, 0, sizeof(far));
	far.w = w;
	far.status = 200;
	far.how = (struct answering){.issuer = issuer, .status = SAML_SUCCESS};
	w->app.post = far_post;
}

static bool
send_one(struct world *w)
{
	struct arena *a = arena_create(64 << 20);
	struct err err = {0};
	bool sent;

	ASSERT_OK(outbox_send_one(&w->app, a, w->now, &sent, &err), &err);
	arena_destroy(a);
	return sent;
}

static void
nothing_waits(struct world *w)
{
	pg_sql(w->pg, "DELETE FROM outbox");
}

static void
log_out_at_home(struct web *b)
{
	web_get(b, "/logout");
	web_submit(b, "/logout", "do=logout");
}

static void
a_portal_that_hears_soap_is_told_by_the_outbox(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	nothing_waits(w);
	portal_by_soap(w, BAU, "https://bau.example/soap");
	struct login at = karl_at(&b, BAU);

	far_confirms(w, BAU);
	assert_false(send_one(w));
	log_out_at_home(&b);
	assert_true(web_shows(&b, "noch keine Antwort"));
	assert_false(is_logged_in(&b));
	assert_true(send_one(w));
	assert_string_equal(far.url, "https://bau.example/soap");
	/* Of us, for it, in the words it knows; signed. */
	const struct key *k = keyring_active(w->signer->keys, KEY_SAML_SIGN, KEY_P256);
	struct saml_party us = {.entity_id = BASE "/saml/metadata", .signing = {&k->pub, 1}};
	const struct saml_logout_request *r;
	const struct saml_verified *v;
	const struct saml_message *m;
	struct err err = {0};

	ASSERT_OK(saml_message_decode(w->a, SAML_BINDING_SOAP, bytes_of(far.body), &m, &err), &err);
	ASSERT_OK(saml_message_verify(w->a, m, &us, &v, &err), &err);
	ASSERT_OK(saml_logout_request_parse(w->a, v, NULL, &r, &err), &err);
	ASSERT_OK(saml_header_check_place(&r->header, "https://bau.example/soap", &err), &err);
	ASSERT_OK(saml_logout_request_check(r, &saml_window_default, w->now, &err), &err);
	assert_string_equal(r->nameid.value, at.name);
	assert_string_equal(r->nameid.format, SAML_NAMEID_TRANSIENT);
	assert_string_equal(r->nameid.name_qualifier, BASE "/saml/metadata");
	assert_string_equal(r->nameid.sp_name_qualifier, BAU);
	assert_int_equal(r->n_session_indexes, 1);
	assert_string_equal(r->session_index[0], at.index);
	/* Once acknowledged, never again; and the page has nothing left to say. */
	assert_false(send_one(w));
	w->now += 86400;
	assert_false(send_one(w));
	w->now -= 86400;
	web_get(&b, "/logout/portals");
	assert_true(web_shows(&b, "Sie sind abgemeldet"));
	assert_null(web_cookie(&b, "__Host-logout"));
}

static void
what_a_portal_answers_is_told_for_what_it_is(void **state)
{
	static const struct {
		long status;
		struct answering how;
		const char *raw, *shown, *row;
	} cases[] = {
		{200,
		 {BAU, NULL, NULL, SAML_UNKNOWN_PRINCIPAL, false, false},
		 NULL,
		 NULL,
		 "doneconfirmed"},
		{200,
		 {BAU, NULL, NULL, SAML_SUCCESS, true, false},
		 NULL,
		 "nach eigener Angabe",
		 "doneclaimed"},
		{200,
		 {BAU, NULL, NULL, SAML_SUCCESS, false, true},
		 NULL,
		 "nach eigener Angabe",
		 "doneclaimed"},
		{200,
		 {BAU, NULL, NULL, SAML_RESPONDER, true, false},
		 NULL,
		 "nicht abgemeldet",
		 "waitingnot_proven"},
		{200,
		 {BAU, "_x", NULL, SAML_SUCCESS, true, false},
		 NULL,
		 "nicht abgemeldet",
		 "waitingnot_proven"},
		{200,
		 {BAU, "_x", NULL, SAML_SUCCESS, false, false},
		 NULL,
		 "nicht abgemeldet",
		 "waitinganother_request"},
		{200,
		 {SAML_PARTY, NULL, NULL, SAML_SUCCESS, false, false},
		 NULL,
		 "nach eigener Angabe",
		 "doneclaimed"},
		{200,
		 {BAU, NULL, NULL, SAML_PARTIAL_LOGOUT, false, false},
		 NULL,
		 "nicht abgemeldet",
		 "failedrefused"},
		{200,
		 {BAU, NULL, NULL, SAML_REQUEST_DENIED, false, false},
		 NULL,
		 "nicht abgemeldet",
		 "failedrefused"},
		{200,
		 {BAU, NULL, NULL, SAML_RESPONDER, false, false},
		 NULL,
		 "nicht abgemeldet",
		 "waitingrefused"},
		{200,
		 {BAU, NULL, NULL, SAML_SUCCESS, false, false},
		 "<x/>",
		 "nicht abgemeldet",
		 "waitingnot_an_answer"},
		{500,
		 {BAU, NULL, NULL, SAML_SUCCESS, false, false},
		 NULL,
		 "nicht abgemeldet",
		 "waitingstatus"},
		{0,
		 {BAU, NULL, NULL, SAML_SUCCESS, false, false},
		 NULL,
		 "nicht abgemeldet",
		 "waitingnot_reached"},
	};
	struct world *w = *state;

	portal_by_soap(w, BAU, "https://bau.example/soap");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct web b;

		web_init(&b, w);
		nothing_waits(w);
		karl_at(&b, BAU);
		far_confirms(w, BAU);
		far.how = cases[i].how;
		far.status = cases[i].status;
		far.raw = cases[i].raw;
		log_out_at_home(&b);
		assert_true(send_one(w));
		assert_string_equal(world_value(w, "SELECT state || result FROM outbox"),
				    cases[i].row);
		web_get(&b, "/logout/portals");
		if (cases[i].shown != NULL && !web_shows(&b, cases[i].shown))
			fail_msg("case %zu: not %s", i, cases[i].shown);
		/* Who has to log out there by hand is led there. */
		if (cases[i].shown != NULL)
			assert_true(web_shows(&b, "href=\"https://amt24.example/\""));
	}
}

static void
a_portal_that_fails_is_tried_until_its_time_is_over(void **state)
{
	struct world *w = *state;
	time_t began = w->now;
	struct web b;
	int tries = 0;

	web_init(&b, w);
	nothing_waits(w);
	portal_by_soap(w, BAU, "https://bau.example/soap");
	karl_at(&b, BAU);
	far_confirms(w, BAU);
	far.status = 503;
	log_out_at_home(&b);
	assert_true(send_one(w));
	assert_false(send_one(w));
	w->now += 4;
	assert_false(send_one(w));
	w->now += 4;
	assert_true(send_one(w));
	for (; w->now < began + 86400 + 7200; w->now += 600)
		tries += send_one(w);
	assert_in_range(tries, 15, 30);
	assert_string_equal(world_value(w, "SELECT state FROM outbox"), "failed");
	/* One that comes back is told at last. */
	nothing_waits(w);
	w->now = began;
	karl_at(&b, BAU);
	log_out_at_home(&b);
	assert_true(send_one(w));
	far.status = 200;
	w->now += 3600;
	assert_true(send_one(w));
	assert_string_equal(world_value(w, "SELECT state || result FROM outbox"), "doneconfirmed");
}

/* ---- through the browser ---- */

/* Where the browser was sent: the ID of the LogoutRequest it carries. */
static const char *
carried_request(struct web *b, const char *url)
{
	struct arena *a = b->w->a;
	struct saml_wire wire;
	struct err err = {0};
	const char *raw;

	if (b->location != NULL && text_starts(b->location, url)) {
		raw = strchr(b->location, '?') + 1;
		ASSERT_OK(saml_binding_decode(a, SAML_BINDING_REDIRECT, bytes_of(raw), &wire, &err),
			  &err);
	} else {
		struct bytes xml;

		assert_true(web_shows(b, arena_printf(a, "action=\"%s\"", url)));
		ASSERT_OK(dec_base64(a, bytes_of(web_field(b, "SAMLRequest")), false, &xml, &err),
			  &err);
		wire.xml = xml;
	}
	return between(a, (const char *)arena_bytes(a, wire.xml).p, " ID=\"", "\"");
}

static void
come_back(struct web *b, const struct answering *how)
{
	struct saml_carrier c = portal_answer(b->w, SAML_BINDING_REDIRECT, how);

	web_get(b, arena_printf(b->w->a, "/saml/slo%s", strchr(c.location, '?')));
}

static struct answering
yes_of(const char *issuer, const char *request)
{
	return (struct answering){.issuer = issuer,
				  .in_response_to = request,
				  .url = BASE "/saml/slo",
				  .status = SAML_SUCCESS};
}

static void
the_browser_is_led_from_portal_to_portal(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	portal_by_browser(w, BAU, SAML_BINDING_URI_REDIRECT, "https://bau.example/slo");
	portal_by_browser(w, WOHN, SAML_BINDING_URI_POST, "https://wohn.example/slo");
	karl_at(&b, BAU);
	karl_at(&b, WOHN);
	log_out_at_home(&b);
	assert_true(web_shows(&b, "nacheinander zu den Portalen"));
	assert_false(is_logged_in(&b));
	web_get(&b, "/logout/next");
	struct answering yes = yes_of(BAU, carried_request(&b, "https://bau.example/slo"));

	come_back(&b, &yes);
	/* And on to the next, by POST. */
	yes = yes_of(WOHN, carried_request(&b, "https://wohn.example/slo"));
	assert_non_null(strstr(b.csp, "https://wohn.example"));
	struct saml_carrier c = portal_answer(w, SAML_BINDING_POST, &yes);
	struct buf form;

	buf_init(&form, w->a, 65536);
	buf_str(&form, "SAMLResponse=");
	enc_percent(&form, bytes_of(c.value));
	/* A cross-site POST brings no cookie; the redirect after it does. */
	web_post_from(&b, "https://wohn.example", "/saml/slo", (const char *)form.p);
	assert_true(web_shows(&b, "Sie sind abgemeldet"));
}

static void
a_portal_that_does_not_answer_stops_none_of_the_others(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	portal_by_browser(w, BAU, SAML_BINDING_URI_REDIRECT, "https://bau.example/slo");
	portal_by_browser(w, WOHN, SAML_BINDING_URI_REDIRECT, "https://wohn.example/slo");
	karl_at(&b, BAU);
	karl_at(&b, WOHN);
	log_out_at_home(&b);
	web_get(&b, "/logout/next");
	const char *first = carried_request(&b, "https://bau.example/slo");

	/* The person goes back in the browser, to wherever. */
	web_get(&b, "/logout");
	assert_string_equal(b.path, "/logout/portals");
	assert_true(web_shows(&b, "noch nicht vollst"));
	assert_true(web_shows(&b, "keine Antwort erhalten"));
	assert_true(web_shows(&b, "href=\"/logout/next\""));
	web_get(&b, "/logout/next");
	struct answering yes = yes_of(WOHN, carried_request(&b, "https://wohn.example/slo"));

	come_back(&b, &yes);
	assert_true(web_shows(&b, "Nicht alle Portale haben"));
	assert_true(web_shows(&b, "keine Antwort erhalten"));
	assert_true(web_shows(&b, "vom Portal best"));
	/* Its answer counts when it comes after all. */
	yes = yes_of(BAU, first);
	come_back(&b, &yes);
	assert_true(web_shows(&b, "Sie sind abgemeldet"));
}

/* One that a message cannot be made for: it is passed over, and said to be left. */
static void
a_portal_that_cannot_be_sent_to_stops_none_of_the_others(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	portal_by_browser(w, BAU, SAML_BINDING_URI_REDIRECT, "https://bau.example/slo");
	portal_by_browser(w, WOHN, SAML_BINDING_URI_REDIRECT, "https://wohn.example/slo");
	karl_at(&b, BAU);
	karl_at(&b, WOHN);
	assert_string_not_equal(world_value(w, "UPDATE party SET policy = '{\"suite\":\"rs256\","
					       "\"old-until\":\"2020-01-01\"}' WHERE id = '" BAU
					       "' RETURNING 1"),
				"");
	world_reload(w);
	log_out_at_home(&b);
	web_get(&b, "/logout/next");
	struct answering yes = yes_of(WOHN, carried_request(&b, "https://wohn.example/slo"));

	come_back(&b, &yes);
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, "Nicht alle Portale haben"));
	assert_true(web_shows(&b, "vom Portal best"));
	assert_string_equal(world_value(w, "SELECT state FROM logout_portal WHERE party = '" BAU
					   "' AND hash = (SELECT hash FROM logout ORDER BY created"
					   " DESC LIMIT 1)"),
			    "failed");
}

static void
an_answer_counts_once_and_only_from_whom_was_asked(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	portal_by_browser(w, BAU, SAML_BINDING_URI_REDIRECT, "https://bau.example/slo");
	portal_by_browser(w, WOHN, SAML_BINDING_URI_REDIRECT, "https://wohn.example/slo");
	karl_at(&b, BAU);
	log_out_at_home(&b);
	web_get(&b, "/logout/next");
	const char *request = carried_request(&b, "https://bau.example/slo");
	struct answering how = yes_of(WOHN, request);

	/* Signed by another party, and to another request. */
	come_back(&b, &how);
	assert_true(web_shows(&b, "keine Antwort erhalten"));
	how = yes_of(BAU, "_x");
	come_back(&b, &how);
	assert_true(web_shows(&b, "keine Antwort erhalten"));
	/* What is not proven is a claim, and stays one: each request has one answer. */
	how = yes_of(BAU, request);
	how.is_unsigned = true;
	come_back(&b, &how);
	assert_true(web_shows(&b, "nach eigener Angabe"));
	how.is_unsigned = false;
	come_back(&b, &how);
	assert_true(web_shows(&b, "nach eigener Angabe"));
}

static void
what_else_comes_through_the_browser_is_a_claim_or_a_no(void **state)
{
	static const struct {
		struct answering how;
		int64_t late_s;
		const char *shown;
	} cases[] = {
		{{BAU, NULL, BASE "/saml/slo", SAML_SUCCESS, false, true},
		 0,
		 "nach eigener Angabe"},
		{{BAU, NULL, "https://other.example/", SAML_SUCCESS, false, false},
		 0,
		 "nach eigener Angabe"},
		{{BAU, NULL, BASE "/saml/slo", SAML_SUCCESS, false, false},
		 1000,
		 "nach eigener Angabe"},
		{{BAU, NULL, BASE "/saml/slo", SAML_RESPONDER, true, false}, 0, "nicht abgemeldet"},
		{{BAU, NULL, BASE "/saml/slo", SAML_RESPONDER, false, false},
		 0,
		 "nicht abgemeldet"},
		{{BAU, NULL, BASE "/saml/slo", SAML_PARTIAL_LOGOUT, false, false},
		 0,
		 "nicht abgemeldet"},
	};
	struct world *w = *state;

	portal_by_browser(w, BAU, SAML_BINDING_URI_REDIRECT, "https://bau.example/slo");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct answering how = cases[i].how;
		struct web b;

		web_init(&b, w);
		karl_at(&b, BAU);
		log_out_at_home(&b);
		web_get(&b, "/logout/next");
		how.in_response_to = carried_request(&b, "https://bau.example/slo");
		struct saml_carrier c = portal_answer(w, SAML_BINDING_REDIRECT, &how);

		w->now += cases[i].late_s;
		web_get(&b, arena_printf(w->a, "/saml/slo%s", strchr(c.location, '?')));
		w->now -= cases[i].late_s;
		if (!web_shows(&b, cases[i].shown))
			fail_msg("case %zu: not %s: %s", i, cases[i].shown, b.body);
	}
}

static void
nobody_elses_browser_sees_or_drives_a_logout(void **state)
{
	struct world *w = *state;
	struct web b, other;

	web_init(&b, w);
	web_init(&other, w);
	portal_by_browser(w, BAU, SAML_BINDING_URI_REDIRECT, "https://bau.example/slo");
	karl_at(&b, BAU);
	log_out_at_home(&b);
	static const char *const paths[] = {"/logout/portals", "/logout/next", "/logout/back"};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		web_get(&other, paths[i]);
		assert_string_equal(other.path, "/logout");
		assert_true(web_shows(&other, "Sie sind abgemeldet"));
	}
	/* And it is over in an hour. */
	w->now += 3601;
	web_get(&b, "/logout/next");
	assert_string_equal(b.path, "/logout");
	w->now -= 3601;
}

/* ---- asked for by a portal ---- */

/* The status in the LogoutResponse that the browser carries back, and its RelayState. */
static bool
answered(struct web *b, const char *request, const char *status)
{
	struct arena *a = b->w->a;
	struct saml_wire wire;
	struct err err = {0};

	assert_true(text_starts(b->location, SAML_SLO "?SAMLResponse="));
	assert_string_equal(location_param(b, "RelayState"), "state-1");
	ASSERT_OK(saml_binding_decode(a, SAML_BINDING_REDIRECT,
				      bytes_of(strchr(b->location, '?') + 1), &wire, &err),
		  &err);
	const char *xml = (const char *)arena_bytes(a, wire.xml).p;

	assert_non_null(strstr(xml, arena_printf(a, "InResponseTo=\"%s\"", request)));
	return (strstr(xml, "PartialLogout") != NULL) == text_eq(status, SAML_PARTIAL_LOGOUT) &&
	       strstr(xml, "status:Success") != NULL;
}

static void
a_portal_that_asks_is_answered_when_all_have_confirmed(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	nothing_waits(w);
	portal_by_soap(w, BAU, "https://bau.example/soap");
	portal_by_browser(w, WOHN, SAML_BINDING_URI_REDIRECT, "https://wohn.example/slo");
	struct login at = karl_at_the_portal(&b);

	karl_at(&b, BAU);
	karl_at(&b, WOHN);
	far_confirms(w, BAU);
	const char *id = logout_id(w);

	const char *url = saml_logout_url(w, id, at.name, at.index);

	web_get(&b, url);
	assert_false(is_logged_in(&b));
	assert_true(send_one(w));
	web_get(&b, "/logout/next");
	struct answering yes = yes_of(WOHN, carried_request(&b, "https://wohn.example/slo"));

	come_back(&b, &yes);
	assert_true(answered(&b, id, SAML_SUCCESS));
	/* Who asked is not told again. */
	assert_int_equal(far.n_requests, 1);
	assert_false(send_one(w));
	/* The same request once more: of what became of the first nothing is claimed. */
	web_get(&b, url);
	assert_true(answered(&b, id, SAML_PARTIAL_LOGOUT));
}

static void
a_portal_that_asks_is_told_what_was_not_reached(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	nothing_waits(w);
	portal_by_soap(w, BAU, "https://bau.example/soap");
	portal_that_cannot(w, WOHN);
	struct login at = karl_at_the_portal(&b);

	karl_at(&b, BAU);
	karl_at(&b, WOHN);
	far_confirms(w, BAU);
	far.how.is_unsigned = true;
	const char *id = logout_id(w);

	web_get(&b, saml_logout_url(w, id, at.name, at.index));
	assert_true(send_one(w));
	web_get(&b, "/logout/portals");
	assert_true(web_shows(&b, "nach eigener Angabe"));
	assert_true(web_shows(&b, "kann von hier nicht"));
	assert_true(web_shows(&b, "href=\"/logout/back\""));
	web_get(&b, "/logout/back");
	assert_true(answered(&b, id, SAML_PARTIAL_LOGOUT));
}

#define WAITING "SELECT count(*) FROM logout_portal WHERE channel IN ('front', 'frame')"

static void
a_portal_that_asks_by_soap_is_told_the_truth(void **state)
{
	struct world *w = *state;
	const char *before = world_value(w, WAITING);
	struct web b, program;

	portal_by_soap(w, BAU, "https://bau.example/soap");
	portal_by_browser(w, WOHN, SAML_BINDING_URI_REDIRECT, "https://wohn.example/slo");
	for (int by_browser = 0; by_browser < 2; by_browser++) {
		web_init(&b, w);
		web_init(&program, w);
		nothing_waits(w);
		far_confirms(w, BAU);
		struct login at = karl_at_the_portal(&b);

		/* By the outbox, which nobody serves here; there is no browser to send anywhere. */
		karl_at(&b, by_browser ? WOHN : BAU);
		const char *request = saml_logout_envelope(w, logout_id(w), at.name, at.index);

		send_soap(&program, request);
		assert_string_equal(soap_status(&program), "Success PartialLogout");
		/* No better when it asks once more. */
		send_soap(&program, request);
		assert_string_equal(soap_status(&program), "Success PartialLogout");
		assert_int_equal(send_one(w), !by_browser);
	}
	/* Nothing was left waiting for a browser. */
	assert_string_equal(world_value(w, WAITING), before);
}

static void
sessions_that_end_without_a_page_are_told_too(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	nothing_waits(w);
	portal_by_soap(w, BAU, "https://bau.example/soap");
	karl_at(&b, BAU);
	far_confirms(w, BAU);
	/* Another person logs in at the same browser. */
	web_get(&b, "/login");
	web_get(&b, saml_request_url(w, logout_id(w), " ForceAuthn=\"true\"", ""));
	log_in(&b, "erika");
	assert_true(send_one(w));
	assert_string_equal(far.url, "https://bau.example/soap");
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_portal_that_hears_soap_is_told_by_the_outbox),
		T(what_a_portal_answers_is_told_for_what_it_is),
		T(a_portal_that_fails_is_tried_until_its_time_is_over),
		T(the_browser_is_led_from_portal_to_portal),
		T(a_portal_that_does_not_answer_stops_none_of_the_others),
		T(a_portal_that_cannot_be_sent_to_stops_none_of_the_others),
		T(an_answer_counts_once_and_only_from_whom_was_asked),
		T(what_else_comes_through_the_browser_is_a_claim_or_a_no),
		T(nobody_elses_browser_sees_or_drives_a_logout),
		T(a_portal_that_asks_is_answered_when_all_have_confirmed),
		T(a_portal_that_asks_is_told_what_was_not_reached),
		T(a_portal_that_asks_by_soap_is_told_the_truth),
		T(sessions_that_end_without_a_page_are_told_too),
	};

	return cmocka_run_group_tests(tests, steps_setup, world_teardown);
}
