/* Rich authorization requests (RFC 9396): asked for, shown, agreed to, told. */
#include "base/enc.h"
#include "base/text.h"
#include "db/detail_type.h"
#include "tests/flow/asking.h"

#define FORM      "application/x-www-form-urlencoded"
#define RESOURCE  "&resource=" API
#define OTHER     "&resource=" OTHER_API
#define L(de, en) "\"label\":{\"de\":\"" de "\",\"en\":\"" en "\"}"

#define REVOKED   "SELECT count(*) FROM audit WHERE details->>'why' = 'code did not fit'"

static const char termin[] = "{\"type\":\"termin\"," L(
	"Termine beim Amt",
	"Appointments") ",%s\"fields\":{"
			"\"locations\":{" L(
				"Wo",
				"Where") "},\"actions\":{\"required\":true,"
					 "\"values\":[\"lesen\",\"buchen\"]," L(
						 "Was das Portal darf",
						 "What the portal may do") ","
									   "\"value_labels\":{"
									   "\"buchen\":{\"de\":"
									   "\"Einen Termin "
									   "buchen\",\"en\":\"Book "
									   "one\"}}},"
									   "\"amt\":{\"kind\":"
									   "\"text\"," L(
										   "Amt",
										   "Office") "}}}";

#define READ "{\"type\":\"termin\",\"actions\":[\"lesen\"]}"
#define BOOK "{\"type\":\"termin\",\"actions\":[\"buchen\"]}"
#define ALL  "{\"type\":\"termin\",\"actions\":[\"lesen\",\"buchen\"],\"amt\":\"Nord <i>\"}"
#define SOME "{\"type\":\"termin\",\"actions\":[\"lesen\"],\"amt\":\"Nord <i>\"}"
#define AT_NOBODY \
	"{\"type\":\"termin\",\"actions\":[\"lesen\"],\"locations\":[\"https://x.example/\"]}"
#define AT_API "{\"type\":\"termin\",\"actions\":[\"lesen\"],\"locations\":[\"" API "\"]}"

static void
save_type(struct world *w, const char *more)
{
	const struct db_detail_type type = {.name = "termin",
					    .document = bytes_of(arena_printf(w->a, termin, more))};
	struct err err = {0};

	ASSERT_OK(db_detail_type_save(&w->pg->c, &type, NULL, w->now, &err), &err);
	world_reload(w);
}

static int
fresh_as(void **state, const char *format, const char *more)
{
	struct world *w = *state;

	world_fresh(state);
	pg_sql(w->pg, "DELETE FROM consent");
	asking_client(w, arena_printf(w->a,
				      ",\"grant_types\":[\"authorization_code\",\"refresh_token\","
				      "\"client_credentials\"],\"refresh_tokens\":\"session\","
				      "\"authorization_details_types\":[\"termin\",\"other\"]%s",
				      more));
	save_type(w, "");
	asking_apis(w, format);
	return 0;
}

static int
fresh(void **state)
{
	return fresh_as(state, "opaque", "");
}

/* "&authorization_details=" and that list. */
static const char *
with(struct world *w, const char *list)
{
	struct buf b;

	buf_init(&b, w->a, 65536);
	buf_str(&b, "&authorization_details=");
	enc_percent(&b, bytes_of(arena_printf(w->a, "[%s]", list)));
	return (const char *)b.p;
}

/* The details that are told. */
static const char *
told(struct web *b, const json_t *o)
{
	const json_t *list = json_object_get(o, "authorization_details");
	const char *text = list == NULL ? "" : json_text(b->w->a, list, false);

	return list == NULL ? text : arena_strndup(b->w->a, text + 1, strlen(text) - 2);
}

static const char *
introspected(struct web *b, const json_t *t)
{
	return told(b, asking_introspect(b, "api", asking_text(t, "access_token")));
}

static void
details_are_shown_agreed_to_and_told(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	asking(&b, "openid", with(w, ALL));
	assert_true(web_shows(&b, "Termine beim Amt"));
	assert_true(web_shows(&b, "Was das Portal darf"));
	assert_true(web_shows(&b, "<li>lesen</li>"));
	assert_true(web_shows(&b, "<li>Einen Termin buchen</li>"));
	assert_true(web_shows(&b, "<li>Nord &lt;i&gt;</li>"));
	assert_false(web_shows(&b, "Wer Sie dort sind"));
	web_submit(&b, "/flow/consent/", "do=agree");
	const json_t *t = asking_token(&b, location_param(&b, "code"), RESOURCE);

	assert_string_equal(told(&b, t), ALL);
	assert_string_equal(introspected(&b, t), ALL);
	t = asking_refresh(&b, asking_text(t, "refresh_token"), "");
	assert_string_equal(told(&b, t), ALL);
	web_get(&b, "/account");
	assert_true(web_shows(&b, "Zugriff auf Termine beim Amt"));
	assert_string_equal(world_value(w, "SELECT count(*) FROM consent WHERE attributes::text"
					   " LIKE '%Nord%'"),
			    "0");
	/* In the person's language. */
	asking(&b, "openid", arena_printf(w->a, "%s&prompt=consent&ui_locales=en", with(w, ALL)));
	assert_true(web_shows(&b, "Appointments"));
	assert_true(web_shows(&b, "<li>Book one</li>"));
}

/* ---- without a browser of the client's ---- */

#define CIBA   "urn:openid:params:grant-type:ciba"
#define DEVICE "urn:ietf:params:oauth:grant-type:device_code"
#define HAS_POLLS                                                         \
	",\"grant_types\":[\"authorization_code\",\"" CIBA "\",\"" DEVICE \
	"\"],\"backchannel_token_delivery_mode\":\"poll\","               \
	"\"authorization_details_types\":[\"termin\"]"

/* "erika" at the client, once: the name by which it asks for her. */
static const char *
erika_sub(struct web *b)
{
	const json_t *t = asking_token(b, asking_code(b, "openid", ""), "");

	return asking_text(oidc_token_says(b->w, asking_text(t, "id_token")), "sub");
}

/* What asks with these parameters: its auth_req_id or device code; NULL: it is refused. */
static const char *
ask_to_poll(struct web *tv, const char *sub, bool device, const char *more)
{
	struct arena *a = tv->w->a;

	if (device)
		web_as_client(tv, "/oidc/device_authorization",
			      arena_printf(a, "scope=openid%s", more));
	else
		web_as_client(tv, "/oidc/backchannel",
			      arena_printf(a, "scope=openid&login_hint=%s%s", sub, more));
	return web_member(tv, device ? "device_code" : "auth_req_id");
}

/* The person says that the device is theirs, or that they will answer: at the consent. */
static void
go_to_consent(struct web *b, struct web *tv, bool device)
{
	web_get(b, device ? web_member(tv, "verification_uri_complete") : "/requests");
	web_submit(b, device ? "/device" : "/requests", "do=agree");
	assert_non_null(web_field(b, "offer"));
}

static const json_t *
redeemed(struct web *tv, bool device, const char *code, const char *more)
{
	web_as_client(tv, "/oidc/token",
		      arena_printf(tv->w->a, "grant_type=%s&%s=%s%s", device ? DEVICE : CIBA,
				   device ? "device_code" : "auth_req_id", code, more));
	return web_json(tv);
}

static void
who_polls_asks_for_them_too(void **state)
{
	struct world *w = *state;
	struct arena *a = w->a;
	struct web b, tv;

	web_init(&b, w);
	web_init(&tv, w);
	asking_client(w, HAS_POLLS);
	const char *sub = erika_sub(&b), *asked = arena_printf(a, "%s" RESOURCE, with(w, ALL));

	for (int device = 0; device < 2; device++) {
		/* Once more: what is told in details is always shown. */
		for (int again = 0; again < 2; again++) {
			const char *code = ask_to_poll(&tv, sub, device, asked);

			assert_non_null(code);
			assert_string_equal(
				world_value(w, "SELECT count(*) FROM polled WHERE encode(details,"
					       " 'escape') LIKE '%Nord%'"),
				"0");
			go_to_consent(&b, &tv, device);
			assert_true(web_shows(&b, "<li>Einen Termin buchen</li>"));
			assert_true(web_shows(&b, "<li>Nord &lt;i&gt;</li>"));
			assert_true(web_shows(&b, "Terminvergabe"));
			web_submit(&b, "/flow/consent/", "do=agree");
			assert_string_equal(world_value(w, "SELECT count(*) FROM polled WHERE"
							   " details IS NOT NULL"),
					    "0");
			const json_t *t = redeemed(
				&tv, device, code,
				arena_printf(a, "%s%s", with(w, SOME), again ? "" : RESOURCE));

			assert_string_equal(told(&tv, t), SOME);
			if (!again)
				assert_string_equal(introspected(&tv, t), SOME);
		}
		/* More than was agreed to, and elsewhere. */
		for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
			const char *code = ask_to_poll(
				&tv, sub, device, arena_printf(a, "%s" RESOURCE, with(w, READ)));

			assert_non_null(code);
			go_to_consent(&b, &tv, device);
			web_submit(&b, "/flow/consent/", "do=agree");
			redeemed(&tv, device, code, elsewhere ? OTHER : with(w, ALL));
			assert_string_equal(web_member(&tv, "error"),
					    elsewhere ? "invalid_target"
						      : "invalid_authorization_details");
			redeemed(&tv, device, code, "");
			assert_string_equal(web_member(&tv, "error"), "invalid_grant");
		}
		pg_sql(w->pg, "DELETE FROM polled");
		assert_null(ask_to_poll(&tv, sub, device, with(w, "{\"type\":\"x\"}")));
		assert_string_equal(web_member(&tv, "error"), "invalid_authorization_details");
		assert_null(ask_to_poll(&tv, sub, device, "&resource=https://x.example/"));
		assert_string_equal(web_member(&tv, "error"), "invalid_target");
		world_disable(w, "other");
		assert_null(ask_to_poll(&tv, sub, device, OTHER));
		assert_string_equal(web_member(&tv, "error"), "invalid_target");
		asking_apis(w, "opaque");
	}
	/* What is not there any more is not on the list, which is shown all the same. */
	assert_non_null(ask_to_poll(&tv, sub, false, RESOURCE));
	world_disable(w, "api");
	web_get(&b, "/requests");
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, "wartet keine Anfrage"));
}

/* A type that is changed or removed while its page is shown. */
static void
what_is_agreed_to_is_what_was_shown(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	asking(&b, "openid", with(w, ALL));
	for (int gone = 0; gone < 2; gone++) {
		pg_sql(w->pg,
		       gone ? "DELETE FROM detail_type"
			    : "UPDATE detail_type SET document = convert_to(replace(convert_from("
			      "document, 'UTF8'), 'Einen Termin buchen', 'Alles'), 'UTF8')");
		world_reload(w);
		web_submit(&b, "/flow/consent/", "do=agree");
		assert_non_null(web_field(&b, "offer")); /* shown anew */
		assert_int_equal(web_shows(&b, "<li>Alles</li>"), !gone);
		assert_int_equal(web_shows(&b, "Termine beim Amt"), !gone);
	}
	assert_string_equal(world_value(w, "SELECT count(*) FROM consent"), "0");
	web_submit(&b, "/flow/consent/", "do=agree");
	/* Of what is gone nothing is given. */
	assert_string_equal(told(&b, asking_token(&b, location_param(&b, "code"), "")), "");
}

static void
what_was_not_agreed_to_asks_again(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	asking_code(&b, "openid", with(w, READ "," SOME));
	web_get(&b, oidc_request_url(w, "openid", with(w, SOME)));
	assert_non_null(location_param(&b, "code"));
	web_get(&b, oidc_request_url(w, "openid", ""));
	assert_non_null(location_param(&b, "code"));
	web_get(&b, oidc_request_url(w, "openid", with(w, BOOK "&prompt=none")));
	asking_refused(&b, "invalid_authorization_details");
	web_get(&b,
		oidc_request_url(w, "openid", arena_printf(w->a, "%s&prompt=none", with(w, BOOK))));
	asking_refused(&b, "consent_required");
	/* A type may want to be asked for each time. */
	save_type(w, "\"each_time\":true,");
	web_get(&b, oidc_request_url(w, "openid", with(w, SOME)));
	assert_int_equal(b.status, 200);
	web_submit(&b, "/flow/consent/", "do=cancel");
	asking_refused(&b, "access_denied");
}

/* RFC 9396 5 */
static void
details_that_are_of_no_type_are_refused(void **state)
{
	static const char *const wrong[] = {
		"{\"type\":\"termin\"}",
		"{\"type\":\"other\"}",
		"{\"type\":\"termin\",\"actions\":[\"lesen\"],\"x\":1}",
		"{\"type\":\"termin\",\"actions\":[\"lesen\"]},1",
		AT_NOBODY,
	};
	struct world *w = *state;
	struct err err = {0};
	struct web b;

	web_init(&b, w);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		web_get(&b, oidc_request_url(w, "openid", with(w, wrong[i])));
		asking_refused(&b, "invalid_authorization_details");
		assert_string_equal(location_param(&b, "state"), "s1");
	}
	/* Pushed: told before anybody is asked. */
	b.authorization = oidc_basic(w);
	web_program(&b, "/oidc/par", FORM,
		    strchr(oidc_request_url(w, "openid", with(w, wrong[0])), '?') + 1);
	assert_int_equal(b.status, 400);
	asking_refused(&b, "invalid_authorization_details");
	/* A type that is gone, and one that the client may not ask for. */
	ASSERT_OK(db_detail_type_remove(&w->pg->c, "termin", NULL, w->now, &err), &err);
	world_reload(w);
	web_get(&b, oidc_request_url(w, "openid", with(w, READ)));
	asking_refused(&b, "invalid_authorization_details");
	save_type(w, "");
	asking_client(w, "");
	web_get(&b, oidc_request_url(w, "openid", with(w, READ)));
	asking_refused(&b, "invalid_authorization_details");
}

/* RFC 9396 6 */
static void
a_token_has_less_where_less_is_asked_for(void **state)
{
	static const char *const formats[] = {"opaque", "jwt"};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		fresh_as(state, formats[i], "");
		web_init(&b, w);
		const char *less = arena_printf(w->a, RESOURCE "%s", with(w, SOME));
		const json_t *t = asking_token(&b, asking_code(&b, "openid", with(w, ALL)), less);

		assert_string_equal(told(&b, t), SOME);
		assert_string_equal(introspected(&b, t), SOME);
		if (i == 1)
			assert_string_equal(
				told(&b, asking_claims(&b, asking_text(t, "access_token"))), SOME);
		/* The grant is what it was; the next token has less or all again. */
		t = asking_refresh(&b, asking_text(t, "refresh_token"), RESOURCE);
		assert_string_equal(introspected(&b, t), ALL);
		t = asking_refresh(&b, asking_text(t, "refresh_token"), less);
		assert_string_equal(told(&b, t), SOME);
		assert_string_equal(introspected(&b, t), SOME);
		const char *refresh = asking_text(t, "refresh_token");

		asking_refresh(&b, refresh, with(w, BOOK));
		asking_refused(&b, "invalid_authorization_details");
		/* More than was granted costs the code, and what it gave. */
		const char *before = world_value(w, REVOKED);

		asking_token(&b, asking_code(&b, "openid", with(w, SOME)), with(w, ALL));
		asking_refused(&b, "invalid_authorization_details");
		assert_string_not_equal(world_value(w, REVOKED), before);
		/* Malformed: it does not. */
		const char *code = asking_code(&b, "openid", with(w, SOME));

		asking_token(&b, code, with(w, "1"));
		asking_refused(&b, "invalid_authorization_details");
		assert_string_equal(told(&b, asking_token(&b, code, "")), SOME);
	}
}

static void
details_are_for_the_services_they_name(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	asking(&b, "openid read", arena_printf(w->a, OTHER "%s", with(w, AT_API)));
	assert_true(web_shows(&b, "<li>Terminvergabe</li>"));
	web_submit(&b, "/flow/consent/", "do=agree");
	const json_t *t = asking_token(&b, location_param(&b, "code"), RESOURCE);

	assert_string_equal(introspected(&b, t), AT_API);
	t = asking_refresh(&b, asking_text(t, "refresh_token"), OTHER);
	assert_string_equal(told(&b, t), "");
	assert_string_equal(
		told(&b, asking_introspect(&b, "other", asking_text(t, "access_token"))), "");
}

/* A token can be had for it, so what it knows of the scope is shown and kept. */
static void
the_scopes_of_a_place_are_agreed_to(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	asking(&b, "openid write", arena_printf(w->a, OTHER "%s", with(w, AT_API)));
	assert_true(web_shows(&b, "write"));
	web_submit(&b, "/flow/consent/", "do=agree");
	assert_string_equal(world_value(w, "SELECT attributes::text LIKE '%access:" API
					   " write\"%' FROM consent"
					   " ORDER BY id DESC LIMIT 1"),
			    "t");
}

#define EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"

/* What was released stays with the first token: nothing is told of it, and nothing breaks. */
static void
an_exchanged_token_has_no_details(void **state)
{
	static const char record[] = "{\"metadata\":{\"client_id\":\"api\",\"resource_uris\":"
				     "[\"" API "\"],\"resource_scopes\":[\"read\"],"
				     "\"resources\":[\"" OTHER_API "\"],\"scope\":\"read\","
				     "\"grant_types\":[\"" EXCHANGE "\"]},"
				     "\"secret_sha256\":\"%s\"}";
	struct world *w = *state;

	fresh_as(state, "opaque", ",\"may_act\":[\"api\"]");
	const struct db_party api = {
		.id = "api",
		.kind = "oidc",
		.display_name = "Terminvergabe",
		.policy = "{}",
		.enabled = true,
		.document = bytes_of(arena_printf(w->a, record, oidc_secret_digest(w)))};
	struct web b;

	world_party(w, &api);
	web_init(&b, w);
	const json_t *t = asking_token(
		&b,
		asking_code(&b, "openid read", arena_printf(w->a, RESOURCE "%s", with(w, READ))),
		RESOURCE);

	assert_string_equal(introspected(&b, t), READ);
	web_token(&b, asking_basic(w, "api"),
		  arena_printf(w->a,
			       "grant_type=" EXCHANGE "&subject_token_type="
			       "urn:ietf:params:oauth:token-type:access_token&subject_token=%s",
			       asking_text(t, "access_token")));
	assert_int_equal(b.status, 200);
	const json_t *of = asking_introspect(&b, "other", web_member(&b, "access_token"));

	assert_true(json_is_true(json_object_get(of, "active")));
	assert_string_equal(told(&b, of), "");
}

static void
what_the_record_and_the_type_say_today_counts(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	const json_t *t =
		asking_token(&b, asking_code(&b, "openid", with(w, READ "," SOME)), RESOURCE);
	const char *refresh = asking_text(t, "refresh_token");

	pg_sql(w->pg, "UPDATE detail_type SET document = replace(convert_from(document, 'UTF8'),"
		      " '\"amt\"', '\"stelle\"')::bytea");
	world_reload(w);
	t = asking_refresh(&b, refresh, RESOURCE);
	assert_string_equal(told(&b, t), READ);
	assert_string_equal(introspected(&b, t), READ);
	asking_client(w, CODE_AND_REFRESH);
	t = asking_refresh(&b, asking_text(t, "refresh_token"), RESOURCE);
	assert_string_equal(told(&b, t), "");
	assert_string_equal(introspected(&b, t), "");
	/* A type that does not read is none; all else goes on. */
	pg_sql(w->pg, "UPDATE detail_type SET document = 'x'");
	world_reload(w);
	web_get(&b, oidc_request_url(w, "openid", ""));
	assert_non_null(location_param(&b, "code"));
}

static const json_t *
own(struct web *b, const char *more)
{
	web_token(b, oidc_basic(b->w),
		  arena_printf(b->w->a, "grant_type=client_credentials%s", more));
	return web_json(b);
}

static void
a_client_has_those_that_are_meant_for_clients(void **state)
{
	static const char *const formats[] = {"opaque", "jwt"};
	struct world *w = *state;
	struct web b;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		fresh_as(state, formats[i], "");
		web_init(&b, w);
		own(&b, arena_printf(w->a, RESOURCE "%s", with(w, AT_API)));
		asking_refused(&b, "invalid_authorization_details");
		save_type(w, "\"for_clients\":true,");
		const json_t *t =
			own(&b, arena_printf(w->a, RESOURCE "%s", with(w, AT_API "," READ)));

		assert_string_equal(told(&b, t), AT_API "," READ);
		assert_string_equal(introspected(&b, t), AT_API "," READ);
		if (i == 1)
			assert_string_equal(
				told(&b, asking_claims(&b, asking_text(t, "access_token"))),
				AT_API "," READ);
		own(&b, arena_printf(w->a, OTHER "%s", with(w, READ "," AT_API)));
		asking_refused(&b, "invalid_authorization_details");
		t = own(&b, RESOURCE);
		assert_string_equal(introspected(&b, t), "");
	}
}

static void
discovery_names_the_types(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	struct web b;

	web_init(&b, w);
	web_get(&b, "/.well-known/openid-configuration");
	assert_true(web_shows(&b, "\"authorization_details_types_supported\":[\"termin\"]"));
	ASSERT_OK(db_detail_type_remove(&w->pg->c, "termin", NULL, w->now, &err), &err);
	assert_false(db_detail_type_remove(&w->pg->c, "termin", NULL, w->now, &err));
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	world_reload(w);
	web_get(&b, "/.well-known/openid-configuration");
	assert_false(web_shows(&b, "authorization_details"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(details_are_shown_agreed_to_and_told),
		T(who_polls_asks_for_them_too),
		T(what_is_agreed_to_is_what_was_shown),
		T(what_was_not_agreed_to_asks_again),
		T(details_that_are_of_no_type_are_refused),
		T(a_token_has_less_where_less_is_asked_for),
		T(details_are_for_the_services_they_name),
		T(the_scopes_of_a_place_are_agreed_to),
		T(an_exchanged_token_has_no_details),
		T(what_the_record_and_the_type_say_today_counts),
		T(a_client_has_those_that_are_meant_for_clients),
		T(discovery_names_the_types),
	};

	return cmocka_run_group_tests_name("flow details", tests, asking_setup, world_teardown);
}
