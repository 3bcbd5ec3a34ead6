/*
 * OpenID Connect Back-Channel Logout 1.0: clients are told of the end of a session by a logout
 * token, through the outbox, and a logout goes from one dialect to the other.
 */
#include "base/enc.h"
#include "base/text.h"
#include "idp/fetch.h"
#include "idp/outbox.h"
#include "oidc/jwe.h"
#include "oidc/jws.h"
#include "saml/names.h"
#include "tests/flow/client.h"
#include "tests/flow/leave.h"

#define HEARS ",\"backchannel_logout_uri\":\"https://stadtportal.example/out?logout=backchannel\""

static const json_t *
verified(struct world *w, const char *token, const char *typ)
{
	const struct oidc_signed *s = oidc_verified(w, token);

	assert_true(oidc_signed_typ_is(s, typ));
	return oidc_signed_claims(s);
}

static void
log_out_at_home(struct web *b)
{
	web_get(b, "/logout");
	web_submit(b, "/logout", "do=logout");
}

static const char *
row(struct world *w)
{
	return world_value(w, "SELECT state || coalesce(result, '') FROM outbox");
}

static void
a_client_is_told_by_a_logout_token(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, HEARS);
	far_answers(w, 200);
	const char *id_token = karl_at_the_client(&b);
	const json_t *id = verified(w, id_token, "JWT");

	log_out_at_home(&b);
	assert_true(web_shows(&b, "noch keine Antwort"));
	assert_true(send_one(w));
	assert_string_equal(far.url, "https://stadtportal.example/out?logout=backchannel");
	assert_string_equal(far.type, "application/x-www-form-urlencoded");
	assert_true(text_starts(far.body, "logout_token="));
	const json_t *t = verified(w, strchr(far.body, '=') + 1, "logout+jwt");

	assert_string_equal(text_member(t, "iss"), BASE);
	assert_string_equal(text_member(t, "aud"), OIDC_CLIENT);
	assert_string_equal(text_member(t, "sub"), text_member(id, "sub"));
	assert_string_equal(text_member(t, "sid"), text_member(id, "sid"));
	assert_int_equal(json_integer_value(json_object_get(t, "iat")), w->now);
	assert_null(json_object_get(t, "nonce"));
	/* Confirmed, and never sent again. */
	assert_string_equal(row(w), "doneconfirmed");
	assert_false(send_one(w));
	web_get(&b, "/logout/portals");
	assert_true(web_shows(&b, "Sie sind abgemeldet"));
}

/* Of a later program: a node of that will send it.  Whose time is over is put away by any. */
static void
an_item_of_no_kind_of_ours_waits(void **state)
{
	struct world *w = *state;

	far_answers(w, 200);
	pg_sql(w->pg, arena_printf(w->a,
				   "INSERT INTO outbox (id, kind, target, content, state, tries,"
				   " due, lease, created, expires) VALUES ('1', 'of-tomorrow', 't',"
				   " '{}', 'waiting', 0, 1, 0, 1, %lld)",
				   (long long)w->now + 60));
	assert_false(send_one(w));
	assert_string_equal(world_value(w, "SELECT tries FROM outbox"), "0");
	w->now += 60;
	assert_true(send_one(w));
	assert_string_equal(row(w), "failedtime_over");
}

static void
what_the_client_answers_is_told_for_what_it_is(void **state)
{
	static const struct {
		long status;
		const char *row, *shown;
	} cases[] = {
		{204, "doneconfirmed", "Sie sind abgemeldet"},
		{400, "waitingrefused", "wir versuchen es weiter"},
		{201, "waitingstatus", "wir versuchen es weiter"},
		{302, "waitingstatus", "wir versuchen es weiter"},
		{401, "waitingstatus", "wir versuchen es weiter"},
		{503, "waitingstatus", "wir versuchen es weiter"},
		{0, "waitingnot_reached", "wir versuchen es weiter"},
	};
	struct world *w = *state;

	world_oidc_client(w, HEARS);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct web b;

		web_init(&b, w);
		karl_at_the_client(&b);
		far_answers(w, cases[i].status);
		log_out_at_home(&b);
		assert_true(send_one(w));
		assert_string_equal(row(w), cases[i].row);
		web_get(&b, "/logout/portals");
		if (!web_shows(&b, cases[i].shown))
			fail_msg("%ld: not %s", cases[i].status, cases[i].shown);
	}
}

/* An older JWKS, or a clock that is off, refuses what is taken some minutes later. */
static void
a_refusal_counts_when_it_is_repeated(void **state)
{
	/* Seconds between tries, each later than the pause; the last answer is given up on. */
	static const int runs[][4] = {{10, 30, 110, 450}, {700, 700, 0, 0}};
	struct world *w = *state;
	struct web b;

	world_oidc_client(w, HEARS);
	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		web_init(&b, w);
		karl_at_the_client(&b);
		far_answers(w, 400);
		log_out_at_home(&b);
		for (size_t k = 0; k < 4 && runs[i][k] > 0; k++) {
			assert_true(send_one(w));
			assert_string_equal(row(w), "waitingrefused");
			w->now += runs[i][k];
		}
		assert_true(send_one(w));
		assert_string_equal(row(w), "failedrefused");
		web_get(&b, "/logout/portals");
		assert_true(web_shows(&b, "nicht abgemeldet"));
	}
	web_init(&b, w);
	karl_at_the_client(&b);
	far_answers(w, 400);
	log_out_at_home(&b);
	assert_true(send_one(w));
	far.status = 200;
	w->now += 310;
	assert_true(send_one(w));
	assert_string_equal(row(w), "doneconfirmed");
}

/* What is sent is made at the moment of sending: a new token, by the record of then. */
static void
each_try_is_signed_anew(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, HEARS);
	karl_at_the_client(&b);
	far_answers(w, 503);
	log_out_at_home(&b);
	assert_true(send_one(w));
	const char *first = far.body;

	world_oidc_client(w, ",\"id_token_signed_response_alg\":\"RS256\","
			     "\"backchannel_logout_uri\":\"https://stadtportal.example/other\"");
	far.status = 200;
	w->now += 600;
	assert_true(send_one(w));
	assert_string_equal(far.url, "https://stadtportal.example/other");
	struct oidc_jws jws;
	struct err err = {0};

	ASSERT_OK(oidc_jws_parse(w->a, bytes_of(strchr(far.body, '=') + 1), &jws, &err), &err);
	assert_int_equal(jws.alg, OIDC_RS256);
	assert_string_not_equal(
		text_member(verified(w, strchr(first, '=') + 1, "logout+jwt"), "jti"),
		text_member(verified(w, strchr(far.body, '=') + 1, "logout+jwt"), "jti"));
}

static void
a_logout_token_is_encrypted_as_id_tokens_are(void **state)
{
	struct world *w = *state;
	struct oidc_enc_jwk key = {w->keys->dec_p256.kid, OIDC_KEY_P256, OIDC_JWE_ALG_NONE,
				   w->keys->dec_p256.pub};
	struct oidc_jwe_keys portal = {&w->keys->ops, &key, 1};
	struct bytes plain, header;
	struct err err = {0};
	const char *jwks;
	struct web b;

	ASSERT_OK(oidc_jwks_build(w->a, &(struct oidc_jwks){.enc = &key, .n_enc = 1}, &jwks, &err),
		  &err);
	web_init(&b, w);
	world_oidc_client(
		w,
		arena_printf(w->a,
			     HEARS ",\"jwks\":%s,\"id_token_encrypted_response_alg\":\"ECDH-ES\"",
			     jwks));
	karl_at_the_client(&b);
	far_answers(w, 200);
	log_out_at_home(&b);
	assert_true(send_one(w));
	const char *token = strchr(far.body, '=') + 1;

	ASSERT_OK(oidc_jwe_open(w->a, bytes_of(token), &portal, &plain, &err), &err);
	assert_string_equal(
		text_member(verified(w, arena_strndup(w->a, (const char *)plain.p, plain.n),
				     "logout+jwt"),
			    "aud"),
		OIDC_CLIENT);
	/* 2.4: who is to find the key to open it with sees whose it is. */
	ASSERT_OK(dec_base64url(w->a, bytes_of(arena_strndup(w->a, token, strcspn(token, "."))),
				&header, &err),
		  &err);
	assert_non_null(strstr(arena_strndup(w->a, (const char *)header.p, header.n),
			       "\"iss\":\"" BASE "\""));
	world_oidc_client(w, "");
}

static void
what_cannot_be_sent_waits_and_says_why(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, HEARS);
	karl_at_the_client(&b);
	far_answers(w, 200);
	log_out_at_home(&b);
	/* Its record names no such URI any more; then it is disabled; then it is a SAML party. */
	world_oidc_client(w, "");
	assert_true(send_one(w));
	assert_string_equal(row(w), "waitingno_endpoint");
	world_disable(w, OIDC_CLIENT);
	w->now += 600;
	assert_true(send_one(w));
	assert_string_equal(row(w), "waitingno_endpoint");
	pg_sql(w->pg, "UPDATE outbox SET target = '" SAML_PARTY "'");
	w->now += 600;
	assert_true(send_one(w));
	assert_string_equal(row(w), "waitingno_endpoint");
	/* And a content that is none. */
	world_oidc_client(w, HEARS);
	pg_sql(w->pg, "UPDATE outbox SET target = '" OIDC_CLIENT "', content = '{}'");
	w->now += 600;
	assert_true(send_one(w));
	assert_string_equal(row(w), "waitingnot_built");
	assert_int_equal(far.n_requests, 0);
}

/* ---- sessions and their names ---- */

static void
a_session_has_one_name_at_a_client(void **state)
{
	struct world *w = *state;
	struct web b, other;

	web_init(&b, w);
	web_init(&other, w);
	world_oidc_client(w, HEARS);
	far_answers(w, 200);
	const char *first = text_member(verified(w, karl_at_the_client(&b), "JWT"), "sid");
	const char *again = text_member(verified(w, karl_at_the_client(&b), "JWT"), "sid");
	const char *elsewhere = text_member(verified(w, karl_at_the_client(&other), "JWT"), "sid");

	assert_string_equal(first, again);
	assert_string_not_equal(first, elsewhere);
	/* Nor is it a name that anybody else knows. */
	assert_string_equal(world_value(w, arena_printf(w->a,
							"SELECT count(*) FROM session"
							" WHERE sid = '%s'",
							first)),
			    "0");
	log_out_at_home(&b);
	assert_true(send_one(w));
	assert_false(send_one(w));
	assert_string_equal(
		text_member(verified(w, strchr(far.body, '=') + 1, "logout+jwt"), "sid"), first);
	assert_true(is_logged_in(&other));
}

/* Of a session that began under a program whose names were of one login. */
static void
each_name_of_a_session_is_told(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, HEARS);
	karl_at_the_client(&b);
	far_answers(w, 200);
	assert_string_equal(
		world_value(w,
			    "INSERT INTO session_participant (sid, party, dialect, name_id,"
			    " session_index, at, name_format) SELECT sid, party, dialect, name_id,"
			    " 'older', at, name_format FROM session_participant ORDER BY at DESC"
			    " LIMIT 1 RETURNING 1"),
		"1");
	log_out_at_home(&b);
	assert_true(send_one(w));
	const char *first =
		text_member(verified(w, strchr(far.body, '=') + 1, "logout+jwt"), "sid");

	assert_true(send_one(w));
	const char *second =
		text_member(verified(w, strchr(far.body, '=') + 1, "logout+jwt"), "sid");

	assert_true(text_eq(first, "older") != text_eq(second, "older"));
	assert_false(send_one(w));
}

/* ---- across dialects ---- */

static void
a_saml_logout_reaches_the_client(void **state)
{
	struct world *w = *state;
	struct web b, program;

	world_oidc_client(w, HEARS);
	for (int soap = 0; soap < 2; soap++) {
		web_init(&b, w);
		web_init(&program, w);
		struct login at = karl_at_the_portal(&b);

		karl_at_the_client(&b);
		far_answers(w, 200);
		const char *id = logout_id(w);

		if (soap)
			send_soap(&program, saml_logout_envelope(w, id, at.name, at.index));
		else
			web_get(&b, saml_logout_url(w, id, at.name, at.index));
		assert_true(send_one(w));
		assert_string_equal(far.url, "https://stadtportal.example/out?logout=backchannel");
		assert_false(is_logged_in(&b));
		if (soap)
			continue;
		/* All have confirmed: who asked hears so. */
		web_get(&b, "/logout/portals");
		assert_true(text_starts(b.location, SAML_SLO "?SAMLResponse="));
		assert_string_equal(row(w), "doneconfirmed");
	}
}

#define FRAMED                                                                  \
	",\"frontchannel_logout_uri\":\"https://stadtportal.example/out?a=b\"," \
	"\"frontchannel_logout_session_required\":true"

static const char *
frame_src(struct web *b)
{
	const char *src = between(b->w->a, b->body, "<iframe", "</iframe>");

	return src == NULL ? NULL : between(b->w->a, src, " src=\"", "\"");
}

static void
a_client_that_asks_is_told_as_others_are(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, HEARS);
	far_answers(w, 200);
	karl_at_the_portal(&b);
	const char *hint = karl_at_the_client(&b);

	web_get(&b, arena_printf(w->a,
				 "/oidc/logout?state=z&post_logout_redirect_uri=https%%3A%%2F"
				 "%%2Fstadtportal.example%%2Fbye&id_token_hint=%s",
				 hint));
	assert_true(web_shows(&b, "nacheinander zu den Portalen"));
	assert_true(send_one(w));
	assert_string_equal(row(w), "doneconfirmed");
	web_get(&b, "/logout/next");
	assert_true(text_starts(b.location, SAML_SLO "?SAMLRequest="));
	/* It does not answer: said so, and a link leads back to who asked. */
	web_get(&b, "/logout/portals");
	assert_true(web_shows(&b, "keine Antwort erhalten"));
	web_get(&b, "/logout/back");
	assert_string_equal(b.location, "https://stadtportal.example/bye?state=z");
	/* By its frame; and where it says of no way, it is sent back at once. */
	for (int framed = 1; framed >= 0; framed--) {
		world_oidc_client(w, framed ? FRAMED : "");
		hint = karl_at_the_client(&b);
		web_get(&b, arena_printf(w->a,
					 "/oidc/logout?state=y&post_logout_redirect_uri=https%%3A"
					 "%%2F%%2Fstadtportal.example%%2Fbye&id_token_hint=%s",
					 hint));
		assert_int_equal(frame_src(&b) != NULL, framed);
		if (framed)
			web_get(&b, "/logout/back");
		assert_string_equal(b.location, "https://stadtportal.example/bye?state=y");
	}
}

/* Its name in a link proves nothing: a foreign page must not make it miss the logout. */
static void
a_client_that_is_only_named_is_told_like_the_others(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, HEARS);
	karl_at_the_client(&b);
	far_answers(w, 200);
	web_get(&b, "/oidc/logout?client_id=" OIDC_CLIENT "&state=z&post_logout_redirect_uri="
		    "https%3A%2F%2Fstadtportal.example%2Fbye");
	web_submit(&b, "/logout", "do=logout");
	assert_true(send_one(w));
	assert_string_equal(row(w), "doneconfirmed");
	/* It has confirmed: back to where the link wanted the browser. */
	web_get(&b, "/logout/portals");
	assert_string_equal(b.location, "https://stadtportal.example/bye?state=z");
}

static void
without_the_client_s_uri_it_is_said_that_it_cannot_be_told(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, "");
	far_answers(w, 200);
	karl_at_the_client(&b);
	log_out_at_home(&b);
	assert_true(web_shows(&b, "kann von hier nicht"));
	assert_false(send_one(w));
}

/* Who registers for no login any more has no front door that a link could lead to. */
static void
a_client_without_redirect_uris_has_no_link(void **state)
{
	static const char door[] = "href=\"https://stadtportal.example/\"";
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, "");
	karl_at_the_client(&b);
	log_out_at_home(&b);
	assert_non_null(strstr(b.body, door));
	world_oidc_document(w,
			    arena_printf(w->a,
					 "{\"metadata\":{\"grant_types\":[\"client_credentials\"]},"
					 "\"secret_sha256\":\"%s\"}",
					 oidc_secret_digest(w)),
			    "{}");
	web_get(&b, "/logout/portals");
	assert_int_equal(b.status, 200);
	assert_true(web_shows(&b, "Stadtportal"));
	assert_null(strstr(b.body, door));
	world_oidc_client(w, "");
}

/* ---- clients that only a frame reaches (Front-Channel Logout 1.0) ---- */

static void
a_client_without_back_channel_is_framed_by_the_page(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, FRAMED);
	far_answers(w, 200);
	const json_t *id = verified(w, karl_at_the_client(&b), "JWT");

	log_out_at_home(&b);
	assert_string_equal(
		frame_src(&b),
		arena_printf(w->a,
			     "https://stadtportal.example/out?a=b&amp;iss=https%%3A%%2F%%2F"
			     "konto.example&amp;sid=%s",
			     text_member(id, "sid")));
	assert_non_null(strstr(b.csp, "; frame-src https://stadtportal.example"));
	/* Nobody has confirmed anything, and that is said. */
	assert_true(web_shows(&b, "eine Best"));
	assert_true(web_shows(&b, "Nicht alle Portale haben"));
	assert_false(send_one(w));
	/* Again, by who looks again; and nobody else. */
	web_get(&b, "/logout/portals");
	assert_non_null(frame_src(&b));
	struct web other;

	web_init(&other, w);
	web_get(&other, "/logout/portals");
	assert_null(frame_src(&other));
	assert_null(strstr(other.csp, "frame-src"));
}

static void
a_back_channel_goes_before_a_frame(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, HEARS FRAMED);
	far_answers(w, 200);
	karl_at_the_client(&b);
	log_out_at_home(&b);
	assert_null(frame_src(&b));
	assert_true(send_one(w));
}

/* SAML2Core 3.7.3.2: what nobody confirmed is a PartialLogout. */
static void
a_portal_that_asks_hears_that_a_frame_confirms_nothing(void **state)
{
	struct world *w = *state;
	struct web b, program;

	world_oidc_client(w, FRAMED);
	far_answers(w, 200);
	for (int soap = 0; soap < 2; soap++) {
		web_init(&b, w);
		web_init(&program, w);
		struct login at = karl_at_the_portal(&b);

		karl_at_the_client(&b);
		if (soap) {
			send_soap(&program,
				  saml_logout_envelope(w, logout_id(w), at.name, at.index));
			assert_string_equal(soap_status(&program), "Success PartialLogout");
			continue;
		}
		web_get(&b, saml_logout_url(w, logout_id(w), at.name, at.index));
		assert_non_null(frame_src(&b));
		web_get(&b, "/logout/back");
		assert_true(text_starts(b.location, SAML_SLO "?SAMLResponse="));
	}
}

/* The way to SAML portals comes first: a page that is left at once loads nothing. */
static void
frames_wait_for_the_page_that_stays(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, FRAMED);
	far_answers(w, 200);
	karl_at_the_portal(&b);
	karl_at_the_client(&b);
	log_out_at_home(&b);
	assert_true(web_shows(&b, "nacheinander zu den Portalen"));
	assert_null(frame_src(&b));
	web_get(&b, "/logout/next");
	assert_true(text_starts(b.location, SAML_SLO "?SAMLRequest="));
	web_get(&b, "/logout/portals");
	assert_non_null(frame_src(&b));
}

static void
a_frame_of_a_client_that_changed_is_not_claimed(void **state)
{
	struct world *w = *state;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, FRAMED);
	karl_at_the_client(&b);
	log_out_at_home(&b);
	world_oidc_client(w, "");
	web_get(&b, "/logout/portals");
	assert_null(frame_src(&b));
	assert_true(web_shows(&b, "nicht abgemeldet"));
	world_disable(w, OIDC_CLIENT);
	web_get(&b, "/logout/portals");
	assert_null(frame_src(&b));
	assert_true(web_shows(&b, "nicht abgemeldet"));
	/* A content that does not read. */
	world_oidc_client(w, FRAMED);
	assert_string_equal(world_value(w, "UPDATE logout_portal SET content = '{}'"
					   " WHERE hash = (SELECT hash FROM logout"
					   " ORDER BY created DESC LIMIT 1) RETURNING 1"),
			    "1");
	web_get(&b, "/logout/portals");
	assert_true(b.status >= 400);
	/* A session without a name at the client: neither parameter (Front-Channel 1.0, 2). */
	assert_string_equal(world_value(w,
					"UPDATE logout_portal SET content ="
					" '{\"name_id\":\"n\"}' WHERE hash = (SELECT hash"
					" FROM logout ORDER BY created DESC LIMIT 1) RETURNING 1"),
			    "1");
	web_get(&b, "/logout/portals");
	assert_string_equal(frame_src(&b), "https://stadtportal.example/out?a=b");
}

static size_t
times_in(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

/* A framed portal with two names in the latest logout; its origin. */
static const char *
another_frame(struct world *w, int i)
{
	const char *host = arena_printf(w->a, "https://p%02d%050d.%060d.%060d.example", i, 0, 0, 0);
	struct db_party row = {
		.id = arena_printf(w->a, "portal%02d", i),
		.kind = "oidc",
		.display_name = arena_printf(w->a, "Portal %02d", i),
		.document = bytes_of(arena_printf(w->a,
						  "{\"metadata\":{\"redirect_uris\":[\"%s/back\"],"
						  "\"frontchannel_logout_uri\":\"%s/out\","
						  "\"scope\":\"openid\"}}",
						  host, host)),
		.policy = "{}",
		.enabled = true,
	};

	world_party(w, &row);
	pg_sql(w->pg,
	       arena_printf(w->a,
			    "INSERT INTO logout_portal (day, hash, id, party, channel, content,"
			    " state) SELECT day, hash, '%s ' || k, '%s', 'frame',"
			    " '{\"name_id\":\"n\"}', 'waiting' FROM generate_series(1, 2) AS k,"
			    " (SELECT day, hash FROM logout ORDER BY created DESC LIMIT 1) AS l",
			    row.id, row.id));
	return host;
}

static void
a_page_frames_what_its_header_can_allow(void **state)
{
	struct world *w = *state;
	const char *first = NULL, *last = NULL;
	struct web b;

	web_init(&b, w);
	world_oidc_client(w, FRAMED);
	karl_at_the_client(&b);
	log_out_at_home(&b);
	for (int i = 0; i < 25; i++) {
		last = another_frame(w, i);
		first = first == NULL ? last : first;
	}
	web_get(&b, "/logout/portals");
	assert_int_equal(b.status, 200);
	assert_int_equal(times_in(b.csp, first), 1);
	assert_int_equal(times_in(b.body, arena_printf(w->a, " src=\"%s/out", first)), 2);
	/* For who is one too many the page says so, and has a link. */
	assert_true(strlen(b.csp) > 3500 && strlen(b.csp) < 5000);
	assert_null(strstr(b.csp, last));
	assert_int_equal(times_in(b.body, arena_printf(w->a, " src=\"%s/out", last)), 0);
	assert_int_equal(times_in(b.body, arena_printf(w->a, "href=\"%s/\"", last)), 1);
	assert_string_equal(between(w->a, b.body, "Portal 24</dt>", "<br>"),
			    "<dd class=\"kern-description-list-item__value\">nicht abgemeldet");
	assert_non_null(strstr(between(w->a, b.body, "Portal 00</dt>", "<br>"), "eine Best"));
	world_oidc_client(w, "");
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_client_is_told_by_a_logout_token),
		T(what_the_client_answers_is_told_for_what_it_is),
		T(an_item_of_no_kind_of_ours_waits),
		T(a_refusal_counts_when_it_is_repeated),
		T(each_try_is_signed_anew),
		T(a_logout_token_is_encrypted_as_id_tokens_are),
		T(what_cannot_be_sent_waits_and_says_why),
		T(a_session_has_one_name_at_a_client),
		T(each_name_of_a_session_is_told),
		T(a_saml_logout_reaches_the_client),
		T(a_client_that_asks_is_told_as_others_are),
		T(a_client_that_is_only_named_is_told_like_the_others),
		T(without_the_client_s_uri_it_is_said_that_it_cannot_be_told),
		T(a_client_without_redirect_uris_has_no_link),
		T(a_client_without_back_channel_is_framed_by_the_page),
		T(a_back_channel_goes_before_a_frame),
		T(a_portal_that_asks_hears_that_a_frame_confirms_nothing),
		T(frames_wait_for_the_page_that_stays),
		T(a_frame_of_a_client_that_changed_is_not_claimed),
		T(a_page_frames_what_its_header_can_allow),
	};

	return cmocka_run_group_tests_name("flow backchannel", tests, steps_setup, world_teardown);
}
