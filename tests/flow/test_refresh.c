/* Metadata fetched again: what counts at once, what waits, what is refused, and what ends. */
#include "idp/refresh.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "tests/flow/steps.h"

#define URL "https://amt24.example/metadata.xml"

/* ---- the party's server ---- */

static struct far {
	struct world *w;
	const char *body; /* NULL: the network fails */
	bool same;
	struct fetch_known known; /* that it tells */
	size_t n_asked;
	struct fetch_get last; /* what it was asked */
} far;

static bool
far_get(struct arena *a, const struct fetch_get *what, struct fetch_got *out, struct err *err)
{
	far.n_asked++;
	far.last = *what;
	far.last.url = arena_strdup(far.w->a, what->url);
	if (what->known.etag != NULL)
		far.last.known.etag = arena_strdup(far.w->a, what->known.etag);
	if (far.body == NULL && !far.same)
		return FAIL(err, ERR_UNAVAILABLE, NULL, "the network fails");
	*out = (struct fetch_got){.same = far.same, .known = far.known};
	if (!far.same)
		out->body = arena_bytes(a, bytes_of(far.body));
	return true;
}

/* ---- what is there ---- */

static const char *
value(struct world *w, const char *sql)
{
	return arena_strdup(w->a, world_value(w, sql));
}

static const char *
counts(struct world *w)
{
	return value(w, "SELECT convert_from(document, 'UTF8') FROM party WHERE id = '" SAML_PARTY
			"'");
}

static const char *
source(struct world *w, const char *column)
{
	return value(
		w, arena_printf(w->a, "SELECT coalesce((%s)::text, '') FROM party_source", column));
}

static const char *
copies(struct world *w)
{
	return value(w, "SELECT coalesce(string_agg(state, ' ' ORDER BY seq DESC), '')"
			" FROM party_copy");
}

/* The rules of the last audit row of this event since the test began; "" for none. */
static const char *
audited(struct world *w, const char *event)
{
	return value(w, arena_printf(w->a,
				     "SELECT details->>'rules' FROM audit WHERE event = '%s' AND "
				     "at >= %lld ORDER BY at DESC LIMIT 1",
				     event, (long long)w->now));
}

static const char *
edited(struct world *w, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	if (at == NULL)
		fail_msg("no %s", from);
	return arena_printf(w->a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* The SAML party, with metadata that takes signed requests, followed and fetched as it is. */
static void
begin(struct world *w)
{
	const struct db_source s = {.party = SAML_PARTY, .url = URL, .signers = ""};
	struct err err = {0};

	pg_sql(w->pg, "DELETE FROM party_source; DELETE FROM party_copy");
	world_saml_party(w, "{}");
	pg_sql(w->pg, "DELETE FROM party_copy");
	ASSERT_OK(db_source_put(&w->pg->c, &s, NULL, w->now, &err), &err);
	far = (struct far){.w = w, .body = counts(w)};
	w->app.get = far_get;
}

/* What a node does when it looks: true, there was something due. */
static bool
look(struct world *w)
{
	struct arena *a = arena_create((size_t)128 << 20);
	struct err err = {0};
	bool did;

	ASSERT_OK(refresh_one(&w->app, a, w->now, &did, &err), &err);
	arena_destroy(a);
	world_reload(w);
	return did;
}

/* The next time it is due. */
static void
look_again(struct world *w)
{
	w->now += 60;
	pg_sql(w->pg, "UPDATE party_source SET due = 0"); /* days of the test are few */
	assert_true(look(w));
}

static void
fetch(struct world *w, const char *body)
{
	far.body = body;
	look_again(w);
}

/* What an operator does about the copy that waits. */
static void
approve(struct world *w)
{
	const struct db_copy *list;
	struct err err = {0};
	size_t n;

	ASSERT_OK(db_copy_list(&w->pg->c, SAML_PARTY, true, &list, &n, &err), &err);
	assert_int_equal(n, 1);
	const struct db_replace what = {.party = SAML_PARTY,
					.base = list[0].base,
					.document = list[0].document,
					.copy = &list[0],
					.held = DB_HELD_NO};

	ASSERT_OK(db_copy_replace(&w->pg->c, &what, NULL, w->now, &err), &err);
	world_reload(w);
}

/* Fetched, judged, and refused: what counts stays. */
static void
fetch_in_vain(struct world *w, const char *body, const char *why)
{
	const char *before = counts(w);

	fetch(w, body);
	assert_string_equal(counts(w), before);
	if (strstr(source(w, "trouble"), why) == NULL)
		fail_msg("%s: %s", why, source(w, "trouble"));
}

#define ACS_END "Location=\"" SAML_ACS "\""
#define ROLE    "<md:SPSSODescriptor "

static const char *
until(struct world *w, const char *text, time_t t)
{
	return edited(w, text, ROLE,
		      arena_printf(w->a, ROLE "validUntil=\"%s\" ", clock_text(w->a, t)));
}

/* ---- tests ---- */

static void
what_has_not_changed_changes_nothing(void **state)
{
	struct world *w = *state;
	const char *version;

	begin(w);
	version = value(w, "SELECT version FROM party WHERE id = '" SAML_PARTY "'");
	far.known = (struct fetch_known){"\"e1\"", NULL};
	assert_true(look(w));
	assert_false(look(w)); /* not before it is due */
	assert_string_equal(far.last.url, URL);
	assert_int_equal(far.last.max_bytes, PARTY_METADATA_MAX);
	assert_ptr_equal(far.last.inside, &w->config.outbound_inside);
	assert_null(far.last.known.etag);
	assert_string_equal(source(w, "etag"), "\"e1\"");
	far.same = true;
	look_again(w);
	assert_string_equal(far.last.known.etag, "\"e1\"");
	assert_string_equal(source(w, "fetched"), arena_printf(w->a, "%lld", (long long)w->now));
	assert_string_equal(source(w, "trouble"), "");
	assert_string_equal(value(w, "SELECT version FROM party WHERE id = '" SAML_PARTY "'"),
			    version);
	assert_string_equal(copies(w), "");
	assert_int_equal(far.n_asked, 2);
}

static void
what_is_not_grave_counts_at_once(void **state)
{
	struct world *w = *state;
	const char *more;

	begin(w);
	more = edited(w, far.body, ACS_END,
		      ACS_END
		      " /><md:AssertionConsumerService index=\"5\" Binding=\""
		      "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"" SAML_ACS
		      "/new\"");
	fetch(w, more);
	assert_string_equal(counts(w), more);
	assert_string_equal(copies(w), "replaced");
	assert_string_equal(audited(w, "party_refreshed"), "acs");
	/* The same for another time: no copy is worth keeping. */
	const char *renewed = edited(w, more, ROLE, ROLE "cacheDuration=\"PT2H\" ");

	fetch(w, renewed);
	assert_string_equal(counts(w), renewed);
	assert_string_equal(copies(w), "replaced");
	assert_string_equal(audited(w, "party_refreshed"), "cache-duration");
	/* Two hours it said, less an eighth at most. */
	long due = strtol(source(w, "due"), NULL, 10) - (long)w->now;

	assert_in_range(due, 7200 - 900, 7200);
}

static void
what_is_grave_waits_and_is_asked_once(void **state)
{
	struct world *w = *state;
	const char *good, *evil, *worse;

	begin(w);
	good = far.body;
	evil = edited(w, good, ACS_END, "Location=\"https://evil.example/acs\"");
	fetch(w, evil);
	assert_string_equal(counts(w), good);
	assert_string_equal(copies(w), "pending");
	assert_string_equal(audited(w, "party_held"), "acs-host acs acs-default");
	assert_string_equal(source(w, "trouble"), "");
	assert_non_null(strstr(value(w, "SELECT changes::text FROM party_copy"), "evil.example"));
	/* Once more, signed anew so to say: it is not another question. */
	fetch(w, edited(w, evil, ROLE, ROLE "cacheDuration=\"PT3H\" "));
	assert_string_equal(audited(w, "party_held"), "");
	assert_string_equal(value(w, "SELECT position('PT3H' in convert_from(document, 'UTF8'))"
				     " FROM party_copy"),
			    "0");
	/* Another question takes its place. */
	worse = edited(w, evil, "AuthnRequestsSigned=\"true\"", "AuthnRequestsSigned=\"false\"");
	fetch(w, worse);
	assert_string_equal(copies(w), "pending");
	assert_string_equal(audited(w, "party_held"), "acs-host requests-unsigned acs acs-default");
	/* And what is there no longer waits no longer. */
	fetch(w, good);
	assert_string_equal(copies(w), "");
	assert_string_equal(counts(w), good);
}

static void
what_was_rejected_is_not_asked_again(void **state)
{
	struct world *w = *state;
	const struct db_copy *list;
	struct err err = {0};
	const char *good, *evil;
	size_t n;

	begin(w);
	good = far.body;
	evil = edited(w, good, ACS_END, "Location=\"https://evil.example/acs\"");
	fetch(w, evil);
	ASSERT_OK(db_copy_list(&w->pg->c, SAML_PARTY, true, &list, &n, &err), &err);
	ASSERT_OK(db_copy_reject(&w->pg->c, &list[0], NULL, w->now, &err), &err);
	/* It is trouble: nobody is told otherwise that what counts is not renewed. */
	fetch_in_vain(w, edited(w, evil, ROLE, ROLE "cacheDuration=\"PT3H\" "),
		      "what was rejected is still served");
	assert_string_equal(source(w, "tries"), "1");
	assert_string_equal(copies(w), "rejected");
	assert_string_equal(audited(w, "party_held"), "");
	assert_string_equal(counts(w), good);
	fetch(w, edited(w, good, ACS_END, "Location=\"https://other.example/acs\""));
	assert_string_equal(copies(w), "pending rejected");
}

static long
pause_now(struct world *w)
{
	return strtol(source(w, "due"), NULL, 10) - (long)w->now;
}

/* Whoever serves what waits does not say how often it is fetched. */
static void
what_waits_does_not_set_the_pace(void **state)
{
	struct world *w = *state;

	begin(w);
	fetch(w, until(w, edited(w, far.body, ACS_END, "Location=\"https://evil.example/acs\""),
		       w->now + 700));
	assert_string_equal(copies(w), "pending");
	assert_in_range(pause_now(w), 6 * 3600 * 7 / 8, 6 * 3600);
}

/* More than a look may take: it ends, is told as this party's trouble, and tried again later. */
static bool
get_too_much(struct arena *a, const struct fetch_get *what, struct fetch_got *out, struct err *err)
{
	(void)arena_alloc(a, (size_t)512 << 20);
	return far_get(a, what, out, err);
}

static void
what_takes_too_much_memory_is_settled(void **state)
{
	struct world *w = *state;

	begin(w);
	w->app.get = get_too_much;
	look_again(w);
	assert_non_null(strstr(source(w, "trouble"), "exhausted"));
	assert_string_equal(source(w, "tries"), "1");
	assert_string_equal(source(w, "lease"), "0");
	assert_in_range(pause_now(w), 60 - 60 / 8, 60);
	w->app.get = far_get;
	look_again(w);
	assert_string_equal(source(w, "trouble"), "");
}

/* A copy that waits may run out; then the newer one has to be looked at. */
static void
what_runs_out_while_it_waits_gives_way(void **state)
{
	struct world *w = *state;
	const char *evil;

	begin(w);
	evil = edited(w, far.body, ACS_END, "Location=\"https://evil.example/acs\"");
	fetch(w, until(w, evil, w->now + 600));
	fetch(w, until(w, evil, w->now + 90 * 86400));
	assert_string_equal(audited(w, "party_held"), "");
	w->now += 600;
	look_again(w);
	assert_string_equal(audited(w, "party_held"), "acs-host shorter-validity acs acs-default");
	assert_string_equal(copies(w), "pending");
}

static void
after_an_operators_own_hand_all_waits(void **state)
{
	struct world *w = *state;
	const char *theirs;

	begin(w);
	theirs = edited(w, far.body, "/slo\"", "/slo-new\"");
	w->saml_more = "<alg:DigestMethod xmlns:alg=\"urn:oasis:names:tc:SAML:metadata:algsupport\""
		       " Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>";
	world_saml_party(w, "{}"); /* an import */
	w->saml_more = NULL;
	const char *ours = counts(w);

	assert_string_equal(source(w, "held"), "true");
	fetch(w, theirs);
	assert_string_equal(counts(w), ours);
	assert_string_equal(copies(w), "pending replaced");
	assert_string_equal(audited(w, "party_held"), "slo algorithms");
	/* What says the same counts even so. */
	const char *renewed = edited(w, ours, ROLE, ROLE "cacheDuration=\"PT3H\" ");

	fetch(w, renewed);
	assert_string_equal(counts(w), renewed);
	assert_string_equal(source(w, "held"), "true");
}

static void
what_would_not_be_imported_is_refused(void **state)
{
	struct world *w = *state;
	const char *good;

	begin(w);
	good = far.body;
	fetch_in_vain(w, "<md:EntityDescriptor", "");
	fetch_in_vain(w, "", "");
	fetch_in_vain(w, edited(w, good, SAML_PARTY, "https://evil.example/metadata"),
		      "no such entity");
	fetch_in_vain(w, edited(w, good, ACS_END, "Location=\"http://amt24.example/acs\""),
		      "acs-url");
	fetch_in_vain(w, until(w, good, w->now), "expired");
	fetch_in_vain(w, edited(w, good, "<ds:X509Certificate>", "<ds:X509Certificate>AAAA"),
		      "unusable-key");
	fetch_in_vain(w, NULL, "the network fails");
	assert_string_equal(source(w, "tries"), "7");
	assert_string_equal(copies(w), "");
	/* Its record says with what it is encrypted to: rather the key there was. */
	pg_sql(w->pg, "UPDATE party SET policy = '{\"suite\": \"rs256\", \"old-until\":"
		      " \"2020-01-01\"}' WHERE id = '" SAML_PARTY "'");
	fetch_in_vain(w, edited(w, good, "/slo\"", "/slo-new\""), "");
	pg_sql(w->pg, "UPDATE party SET policy = '{}' WHERE id = '" SAML_PARTY "'");
	fetch(w, good);
	assert_string_equal(source(w, "tries"), "0");
	assert_string_equal(source(w, "trouble"), "");
}

/* Signers are pinned: an unsigned document is none, whatever else is right with it. */
static void
without_the_signature_that_is_demanded_nothing_is_read(void **state)
{
	struct world *w = *state;
	struct err err = {0};

	begin(w);
	const struct db_source s = {.party = SAML_PARTY,
				    .url = URL,
				    .signers = arena_printf(w->a,
							    "-----BEGIN CERTIFICATE-----\n%s\n"
							    "-----END CERTIFICATE-----\n",
							    enc_base64(w->a, w->keys->p256.cert))};

	ASSERT_OK(db_source_put(&w->pg->c, &s, NULL, w->now, &err), &err);
	fetch_in_vain(w, edited(w, far.body, "/slo\"", "/slo-new\""), "no <Signature>");
}

static void
signers_are_certificates(void **state)
{
	struct world *w = *state;
	const char *one = arena_printf(w->a,
				       "x\n-----BEGIN CERTIFICATE-----\n%s\n"
				       "-----END CERTIFICATE-----\n",
				       enc_base64(w->a, w->keys->p256.cert));
	const char *many = "";
	struct saml_keys keys;
	struct err err = {0};

	ASSERT_OK(party_signers_parse(w->a, arena_printf(w->a, "%s%s", one, one), &keys, &err),
		  &err);
	assert_int_equal(keys.n, 2);
	assert_int_equal(EVP_PKEY_eq(keys.key[1], w->keys->p256.pub), 1);
	ASSERT_REFUSED(party_signers_parse(w->a, "", &keys, &err), &err, ERR_INPUT,
		       "no certificate");
	ASSERT_REFUSED(party_signers_parse(w->a, "-----BEGIN CERTIFICATE-----\nAAAA", &keys, &err),
		       &err, ERR_INPUT, "without its end");
	ASSERT_REFUSED(party_signers_parse(
			       w->a, "-----BEGIN CERTIFICATE-----\nAAAA-----END CERTIFICATE-----",
			       &keys, &err),
		       &err, ERR_INPUT, "");
	for (int i = 0; i < 9; i++)
		many = arena_printf(w->a, "%s%s", many, one);
	ASSERT_REFUSED(party_signers_parse(w->a, many, &keys, &err), &err, ERR_INPUT,
		       "more than 8");
}

static void
a_failure_is_tried_again_later_and_later(void **state)
{
	struct world *w = *state;
	static const int64_t pauses[] = {60, 120, 240, 480, 960, 1920, 3600, 3600};
	struct saml_party p = {.cache_s = -1};

	begin(w);
	far.body = NULL;
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
		assert_int_equal(refresh_retry_s((int64_t)i + 1), pauses[i]);
		assert_true(look(w));
		long due = strtol(source(w, "due"), NULL, 10) - (long)w->now;

		assert_in_range(due, pauses[i] - pauses[i] / 8, pauses[i]);
		w->now += due - 1;
		assert_false(look(w));
		w->now++;
	}
	assert_int_equal(refresh_pause_s(&p, w->now), 6 * 3600);
	p.cache_s = 60;
	assert_int_equal(refresh_pause_s(&p, w->now), 3600);
	p.cache_s = 30 * 86400;
	assert_int_equal(refresh_pause_s(&p, w->now), 86400);
	p.valid_until = w->now + 4000;
	assert_int_equal(refresh_pause_s(&p, w->now), 2000);
	p.valid_until = w->now + 10;
	assert_int_equal(refresh_pause_s(&p, w->now), 300);
	p.valid_until = w->now - 10;
	assert_int_equal(refresh_pause_s(&p, w->now), 300);
}

/* A node that dies over it: another one does it, when the lease is over. */
static void
what_a_node_left_undone_is_done_by_another(void **state)
{
	struct world *w = *state;
	const struct db_source_taken *t;
	struct err err = {0};

	begin(w);
	ASSERT_OK(db_source_take(&w->pg->c, 60, w->now, &t, &err), &err);
	assert_non_null(t);
	assert_false(look(w));
	w->now += 60;
	assert_true(look(w));
	assert_string_equal(source(w, "trouble"), "");
	assert_int_equal(far.n_asked, 1);
}

/* An operator imports while it is fetched: what it was compared with is there no longer. */
static const char *imported;

static bool
get_meanwhile(struct arena *a, const struct fetch_get *what, struct fetch_got *out, struct err *err)
{
	pg_sql(far.w->pg, imported);
	return far_get(a, what, out, err);
}

static void
what_was_compared_with_has_to_be_there_still(void **state)
{
	static const char *const froms[] = {ACS_END, "/slo\""};
	static const char *const tos[] = {"Location=\"https://evil.example/acs\"", "/slo-new\""};
	struct world *w = *state;
	const char *good;

	begin(w);
	good = far.body;
	for (size_t i = 0; i < ARRAY_LEN(froms); i++) {
		imported =
			"UPDATE party SET document = document || ' '::bytea WHERE id = '" SAML_PARTY
			"'";
		w->app.get = get_meanwhile;
		fetch(w, edited(w, good, froms[i], tos[i]));
		assert_non_null(strstr(source(w, "trouble"), "changed meanwhile"));
		assert_string_equal(copies(w), "");
		w->app.get = far_get;
	}
}

/* To the end of the login whose page is shown. */
static void
go_through(struct web *b)
{
	log_in(b, "karl");
	if (page_of(b) == CONSENT)
		web_submit(b, "/flow/consent/", "do=agree");
}

static void
what_ends_is_refused_until_it_is_renewed(void **state)
{
	struct world *w = *state;
	const char *good;
	struct web b;

	begin(w);
	good = far.body;
	world_saml_party(w, "{\"unsolicited\":\"yes\"}");
	pg_sql(w->pg, arena_printf(w->a,
				   "UPDATE party SET document = convert_to('%s', 'UTF8')"
				   " WHERE id = '" SAML_PARTY "'",
				   until(w, good, w->now + 3600)));
	world_reload(w);
	web_init(&b, w);
	web_get(&b, saml_request_url(w, "_before", "", ""));
	ASSERT_PAGE(&b, LOGIN);
	w->now += 3599;
	web_get(&b, saml_request_url(w, "_last", "", ""));
	ASSERT_PAGE(&b, LOGIN);
	w->now += 1;
	/* Neither asked, nor answered, nor logged out by it. */
	go_through(&b);
	assert_int_equal(b.status, 403);
	assert_null(saml_response_of(&b));
	web_get(&b, saml_request_url(w, "_after", "", ""));
	assert_int_equal(b.status, 403);
	assert_true(web_shows(&b, "abgelaufen"));
	web_get(&b, "/saml/unsolicited?providerId=" SAML_PARTY);
	assert_int_equal(b.status, 403);
	web_get(&b, saml_logout_url(w, "_out", "name", NULL));
	assert_int_equal(b.status, 403);
	/* Nothing newer is no news. */
	far.same = true;
	far.known = (struct fetch_known){"x", NULL};
	look_again(w);
	assert_non_null(strstr(source(w, "trouble"), "validUntil has passed"));
	far.same = false;
	pg_sql(w->pg, "UPDATE party_source SET held = false");
	fetch(w, until(w, good, w->now + 30 * 86400));
	web_get(&b, saml_request_url(w, "_again", "", ""));
	assert_true(succeeded(&b));
}

/* ---- a key is replaced ---- */

static const char *
key_xml(struct world *w, enum key_type type)
{
	return arena_printf(
		w->a,
		"<md:KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s"
		"</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
		enc_base64(w->a, test_key_of(w->keys, KEY_SAML_SIGN, type)->cert));
}

/* A request signed so is taken. */
static bool
takes(struct world *w, const char *suite)
{
	static int n;
	struct web b;

	w->saml_suite = suite;
	web_init(&b, w);
	web_get(&b, saml_request_url(w, arena_printf(w->a, "_key%d", n++), "", ""));
	w->saml_suite = NULL;
	return page_of(&b) == LOGIN;
}

#define OLD_KEY "ecdsa-sha256"
#define NEW_KEY "ecdsa-sha384"

static void
a_key_rolls_over_under_way_and_not_at_one_blow(void **state)
{
	struct world *w = *state;
	const char *with_old, *with_both, *with_new;
	struct web b;

	begin(w);
	with_old = far.body;
	with_both = edited(w, with_old, key_xml(w, KEY_P256),
			   arena_printf(w->a, "%s%s", key_xml(w, KEY_P256), key_xml(w, KEY_P384)));
	with_new = edited(w, with_old, key_xml(w, KEY_P256), key_xml(w, KEY_P384));
	assert_true(takes(w, OLD_KEY));
	assert_false(takes(w, NEW_KEY));
	/* Without overlap: the old one counts on. */
	fetch(w, with_new);
	assert_string_equal(audited(w, "party_held"), "signing-key-replaced signing-key-new keys");
	assert_true(takes(w, OLD_KEY));
	assert_false(takes(w, NEW_KEY));
	/* A login begun with the old one ends after both count. */
	web_init(&b, w);
	web_get(&b, saml_request_url(w, "_rolling", "", ""));
	fetch(w, with_both);
	assert_string_equal(audited(w, "party_held"), "signing-key-new");
	assert_string_equal(audited(w, "party_refreshed"), "");
	assert_false(takes(w, NEW_KEY));
	approve(w);
	assert_string_equal(counts(w), with_both);
	assert_string_equal(copies(w), "replaced");
	go_through(&b);
	assert_true(succeeded(&b));
	assert_true(takes(w, OLD_KEY));
	assert_true(takes(w, NEW_KEY));
	/* The new one was there beside the old one: that may go. */
	fetch(w, with_new);
	assert_string_equal(audited(w, "party_refreshed"), "keys");
	assert_false(takes(w, OLD_KEY));
	assert_true(takes(w, NEW_KEY));
}

#define T(f) cmocka_unit_test_setup(f, steps_fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_has_not_changed_changes_nothing),
		T(what_is_not_grave_counts_at_once),
		T(what_is_grave_waits_and_is_asked_once),
		T(what_was_rejected_is_not_asked_again),
		T(what_waits_does_not_set_the_pace),
		T(what_takes_too_much_memory_is_settled),
		T(what_runs_out_while_it_waits_gives_way),
		T(after_an_operators_own_hand_all_waits),
		T(what_would_not_be_imported_is_refused),
		T(without_the_signature_that_is_demanded_nothing_is_read),
		T(signers_are_certificates),
		T(a_failure_is_tried_again_later_and_later),
		T(what_a_node_left_undone_is_done_by_another),
		T(what_was_compared_with_has_to_be_there_still),
		T(what_ends_is_refused_until_it_is_renewed),
		T(a_key_rolls_over_under_way_and_not_at_one_blow),
	};

	return cmocka_run_group_tests(tests, steps_setup, world_teardown);
}
