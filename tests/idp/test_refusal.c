/* Refusals are collected in memory of a fixed size, whatever is sent. */
#include "idp/refusal.h"

#include "base/text.h"
#include "idp/app.h"
#include "idp/route.h"
#include "oidc/error.h"
#include "tests/arena.h"

static struct app app;
static const struct oidc_client client;
static struct party parties[40];
static const struct route token = {.path = "/oidc/token"}, par = {.path = "/oidc/par"};

static int
begin(void **state)
{
	(void)state;
	setup(NULL);
	for (size_t i = 0; i < ARRAY_LEN(parties); i++)
		parties[i] = (struct party){.id = arena_printf(a, "client-%zu", i),
					    .oidc = (struct oidc_client *)(uintptr_t)&client};
	app.refusals = refusals_create(a);
	return 0;
}

static struct request
request_of(const struct party *p, bool proven)
{
	struct request rq = {.a = a, .app = &app, .route = &token, .now = 100, .ref = "R-1"};

	refusal_of(&rq, p, proven);
	return rq;
}

static void
refuse(const struct request *rq, enum err_kind kind, const char *proto, const char *text)
{
	struct err err = {0};

	(void)!FAIL(&err, kind, proto, "%s", text);
	refusal_note(rq, &err);
}

static size_t
take_all(struct db_refusal *last)
{
	size_t n = 0;

	while (refusals_take(app.refusals, a, last))
		n++;
	return n;
}

static void
the_same_is_counted_once_more(void **state UNUSED)
{
	struct request rq = request_of(&parties[0], true);
	struct db_refusal r;

	refuse(&rq, ERR_DENIED, OIDC_INVALID_GRANT, "used");
	rq.now = 160;
	memcpy(rq.ref, "R-2", 4);
	refuse(&rq, ERR_DENIED, OIDC_INVALID_GRANT, "used");
	assert_true(refusals_take(app.refusals, a, &r));
	assert_string_equal(r.party, "client-0");
	assert_true(r.proven);
	assert_string_equal(r.endpoint, "/oidc/token");
	assert_string_equal(r.error, "invalid_grant");
	assert_string_equal(r.reason, "used");
	assert_string_equal(r.ref, "R-2");
	assert_int_equal(r.times, 2);
	assert_int_equal(r.first, 100);
	assert_int_equal(r.last, 160);
	assert_false(refusals_take(app.refusals, a, &r));
	/* Other texts, errors, endpoints and parties are others; the party's name comes first. */
	refuse(&rq, ERR_DENIED, OIDC_INVALID_GRANT, "used");
	refuse(&rq, ERR_DENIED, OIDC_INVALID_GRANT, "old");
	refuse(&rq, ERR_DENIED, OIDC_INVALID_SCOPE, "old");
	rq.route = &par;
	refuse(&rq, ERR_DENIED, OIDC_INVALID_SCOPE, "old");
	rq = request_of(&parties[1], true);
	refuse(&rq, ERR_DENIED, OIDC_INVALID_GRANT, "used");
	assert_int_equal(take_all(&r), 5);
}

static void
what_says_nothing_of_the_client_is_not_counted(void **state UNUSED)
{
	struct request rq = request_of(&parties[0], true), nobody = request_of(NULL, true);
	struct db_refusal r;

	refuse(&nobody, ERR_DENIED, OIDC_INVALID_CLIENT, "no such client");
	refuse(&rq, ERR_UNAVAILABLE, NULL, "the database");
	refuse(&rq, ERR_INTERNAL, NULL, "a fault of ours");
	refuse(&rq, ERR_INPUT, OIDC_AUTHORIZATION_PENDING, "nobody has answered");
	refuse(&rq, ERR_INPUT, OIDC_USE_DPOP_NONCE, "no nonce");
	refuse(&rq, ERR_INPUT, OIDC_DPOP_RESOURCE_NONCE, "no nonce");
	refusal_note(&rq, &(struct err){0});
	assert_int_equal(take_all(&r), 0);
}

/* A name that is only claimed neither replaces one that was proven nor speaks for it. */
static void
a_proof_stays(void **state UNUSED)
{
	struct request rq = request_of(&parties[0], false);
	struct db_refusal r;

	refuse(&rq, ERR_DENIED, OIDC_INVALID_CLIENT, "no proof");
	assert_true(refusals_take(app.refusals, a, &r));
	assert_false(r.proven);
	refusal_of(&rq, &parties[0], true);
	refusal_of(&rq, &parties[1], false);
	refuse(&rq, ERR_DENIED, OIDC_INVALID_GRANT, "used");
	assert_true(refusals_take(app.refusals, a, &r));
	assert_true(r.proven);
	assert_string_equal(r.party, "client-0");
}

static void
a_saml_party_has_the_name_that_it_was_refused_by(void **state UNUSED)
{
	struct party p = {.id = "https://amt.example/sp"};
	struct request rq = request_of(&p, false);
	struct db_refusal r;

	refuse(&rq, ERR_DENIED, "portal_request", "");
	assert_true(refusals_take(app.refusals, a, &r));
	assert_string_equal(r.error, "portal_request");
	assert_string_equal(r.reason, "unsaid");
	refuse(&rq, ERR_CONFLICT, NULL, "x");
	assert_true(refusals_take(app.refusals, a, &r));
	assert_string_equal(r.error, "conflict");
}

static void
a_flood_takes_no_more_room(void **state UNUSED)
{
	struct request own = request_of(&parties[0], true);
	struct db_refusal r;
	size_t of_first = 0, proven = 0, n = 0;

	/* Of one party in whose name anybody writes, and of many. */
	for (int i = 0; i < 2000; i++) {
		struct request rq = request_of(&parties[i < 1000 ? 0 : i % 40], false);

		refuse(&rq, ERR_INPUT, OIDC_INVALID_REQUEST, arena_printf(a, "reason %d", i));
	}
	refuse(&own, ERR_DENIED, OIDC_INVALID_GRANT, "its own");
	for (; refusals_take(app.refusals, a, &r); n++) {
		proven += r.proven;
		of_first += !r.proven && text_eq(r.party, "client-0");
		assert_true(!r.proven || text_eq(r.reason, "its own"));
	}
	assert_int_equal(n, REFUSALS_MOST + 1);
	assert_int_equal(proven, 1);
	assert_int_equal(of_first, REFUSALS_OF_PARTY);
	/* And again: what was taken out has made room. */
	refuse(&own, ERR_DENIED, OIDC_INVALID_GRANT, "its own");
	assert_int_equal(take_all(&r), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_same_is_counted_once_more),
		T(what_says_nothing_of_the_client_is_not_counted),
		T(a_proof_stays),
		T(a_saml_party_has_the_name_that_it_was_refused_by),
		T(a_flood_takes_no_more_room),
	};

	return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
