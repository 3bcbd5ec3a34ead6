/*
 * What stands behind a login fails: each statement and each call of the signer, one in turn.
 * The request says "later" and gives nothing; nothing that failed is taken as done.  The test's
 * own functions stand before the program's (--wrap).
 */
#include "base/text.h"
#include "db/sql.h"
#include "keys/sign.h"
#include "tests/flow/steps.h"

/* ---- failing to order ---- */

static struct {
	bool armed;
	size_t passed, nth; /* nth 0: all are counted, none fails */
	const char *failed; /* what was asked to fail; NULL: nothing yet */
} plan;

static bool
goes_well(const char *name, struct err *err)
{
	if (!plan.armed || ++plan.passed != plan.nth)
		return true;
	plan.failed = name;
	return FAIL(err, ERR_UNAVAILABLE, NULL, "%s: ordered to fail", name);
}

/* Declares the real function and begins the one that stands before it. */
#define STANDS_BEFORE(name, params) \
	bool __real_##name params;  \
	bool __wrap_##name params;  \
	bool __wrap_##name params

/* clang-format off: rows */
STANDS_BEFORE(db_run, (const struct db_call *c, const struct db_statement *st,
		       const struct db_param *p, size_t n, struct db_rows **rows, struct err *err))
{
	return goes_well(st->name, err) && __real_db_run(c, st, p, n, rows, err);
}

STANDS_BEFORE(db_run_all, (const struct db_call *c, struct db_ask *asks, size_t n, struct err *err))
{
	return goes_well(asks[0].statement->name, err) && __real_db_run_all(c, asks, n, err);
}

STANDS_BEFORE(db_run_did, (const struct db_call *c, const struct db_statement *st,
			   const struct db_param *p, size_t n, bool *did, struct err *err))
{
	return goes_well(st->name, err) && __real_db_run_did(c, st, p, n, did, err);
}

STANDS_BEFORE(db_run_found, (const struct db_call *c, const struct db_statement *st,
			     const struct db_param *p, size_t n, struct err *err))
{
	return goes_well(st->name, err) && __real_db_run_found(c, st, p, n, err);
}

STANDS_BEFORE(db_tx_begin, (const struct db_call *c, struct db_tx **out, struct err *err))
{
	return goes_well("begin", err) && __real_db_tx_begin(c, out, err);
}

STANDS_BEFORE(signer_mac,
	      (struct signer * s, struct arena *a, enum key_purpose purpose, const char *kid,
	       const char *label, struct bytes data, unsigned char *out, struct err *err))
{
	return goes_well("mac", err) &&
	       __real_signer_mac(s, a, purpose, kid, label, data, out, err);
}

STANDS_BEFORE(signer_pseudonym, (struct signer * s, struct arena *a, const char *kid,
				 const struct pseudonym_subject *subject, const char *sector,
				 const char **out, struct err *err))
{
	return goes_well("pseudonym", err) &&
	       __real_signer_pseudonym(s, a, kid, subject, sector, out, err);
}

STANDS_BEFORE(signer_seal, (struct signer * s, struct arena *a, const char *kid, struct bytes label,
			    struct bytes plain, struct bytes *sealed, struct err *err))
{
	return goes_well("seal", err) && __real_signer_seal(s, a, kid, label, plain, sealed, err);
}

STANDS_BEFORE(signer_open, (struct signer * s, struct arena *a, struct bytes label,
			    struct bytes sealed, struct bytes *plain, struct err *err))
{
	return goes_well("open", err) && __real_signer_open(s, a, label, sealed, plain, err);
}

STANDS_BEFORE(signer_account_new, (struct signer * s, struct arena *a, struct bytes id,
				   struct bytes *wrapped, struct err *err))
{
	return goes_well("account_new", err) && __real_signer_account_new(s, a, id, wrapped, err);
}

STANDS_BEFORE(signer_account_seal,
	      (struct signer * s, struct arena *a, struct bytes id, struct bytes wrapped,
	       const struct account_value *values, size_t n, struct bytes *out, struct err *err))
{
	return goes_well("account_seal", err) &&
	       __real_signer_account_seal(s, a, id, wrapped, values, n, out, err);
}

STANDS_BEFORE(signer_account_open,
	      (struct signer * s, struct arena *a, struct bytes id, struct bytes wrapped,
	       const struct account_value *values, size_t n, struct bytes *out, struct err *err))
{
	return goes_well("account_open", err) &&
	       __real_signer_account_open(s, a, id, wrapped, values, n, out, err);
}
/* clang-format on */

static struct key_ops real_ops;

static bool
sign(void *ctx, struct arena *a, const char *kid, enum sig_alg alg, struct bytes text,
     struct bytes *sig, struct err *err)
{
	return goes_well("sign", err) && real_ops.sign(ctx, a, kid, alg, text, sig, err);
}

struct key_ops __real_signer_key_ops(struct signer *s);
struct key_ops __wrap_signer_key_ops(struct signer *s);
struct key_ops
__wrap_signer_key_ops(struct signer *s)
{
	real_ops = __real_signer_key_ops(s);
	return (struct key_ops){real_ops.ctx, sign, real_ops.unwrap, real_ops.agree};
}

/* ---- walks ---- */

typedef void (*step)(struct web *b);

static int walk_count; /* makes names of this walk */
static const char *token;

static void
ask_for_more(struct web *b)
{
	ask(b, "", LEVEL3);
}

static void
ask_saml(struct web *b)
{
	ask(b, "", "");
}

static void
ask_passively(struct web *b)
{
	ask(b, " IsPassive=\"true\"", "");
}

static void
ask_by_post(struct web *b)
{
	web_post_from(b, "https://amt24.example", "/saml/sso",
		      saml_request_form(b->w, arena_printf(b->w->a, "_post%d", walk_count)));
}

static void
log_in_erika(struct web *b)
{
	log_in(b, "erika");
}

static void
log_in_karl(struct web *b)
{
	log_in(b, "karl");
}

static void
log_in_wrongly(struct web *b)
{
	web_submit(b, "/flow/password/", "login_name=karl&password=Lachs-Turmuhr-48&do=login");
}

static void
enter_wrong_code(struct web *b)
{
	web_submit(b, "/flow/totp/", "code=000000&do=login");
}

static void
agree(struct web *b)
{
	web_submit(b, "/flow/consent/", "attr_email=1&do=agree");
}

static void
ask_to_log_out(struct web *b)
{
	web_get(b, "/logout");
}

static void
confirm_logout(struct web *b)
{
	web_submit(b, "/logout", "do=logout");
}

static void
cancel(struct web *b)
{
	web_submit(b, "/flow/consent/", "do=cancel");
}

static void
ask_oidc(struct web *b)
{
	web_get(b, oidc_request_url(b->w, "openid profile email", "&prompt=consent"));
}

static void
ask_oidc_passively(struct web *b)
{
	web_get(b, oidc_request_url(b->w, "openid profile", "&prompt=none"));
}

static void
redeem(struct web *b)
{
	web_token(b, oidc_basic(b->w), oidc_redeem_form(b->w, location_param(b, "code")));
	if (b->status == 200)
		token = json_string_value(json_object_get(web_json(b), "access_token"));
}

static void
user_info(struct web *b)
{
	web_userinfo(b, token);
}

static void
register_anew(struct web *b)
{
	web_get(b, "/register");
	if (b->status != 200)
		return;
	web_submit(b, "/register/",
		   arena_printf(b->w->a,
				"given_names=Max&family_name=Muster&birth_date_day=1&"
				"birth_date_month=2&birth_date_year=1990&country=DE&"
				"new_password=Pflaume-Regal-83&password_repeat=Pflaume-Regal-83&"
				"store_consent=1&login_name=new%d&do=register",
				walk_count));
}

static void
ask_for_app(struct web *b)
{
	web_get(b, "/login?level=substantial");
}

static void
set_up_app(struct web *b)
{
	web_submit(b, "/flow/enroll/",
		   arena_printf(b->w->a, "code=%s&do=enroll", web_shown_code(b)));
}

static void
look_at_account(struct web *b)
{
	web_get(b, "/account");
}

static void
withdraw(struct web *b)
{
	web_post(b, "/account", "", "consent=" SAML_PARTY "&do=withdraw");
}

static void
log_out_at_portal(struct web *b)
{
	static const char last[] = "SELECT %s FROM session_participant WHERE dialect = 'saml' "
				   "ORDER BY at DESC LIMIT 1";
	struct world *w = b->w;
	const char *index = world_value(w, arena_printf(w->a, last, "session_index"));
	const char *name = world_value(w, arena_printf(w->a, last, "name_id"));

	web_get(b, saml_logout_url(w, arena_printf(w->a, "_out%d", walk_count), name, index));
}

/* ---- the judge ---- */

/* Later, in whatever words the dialect has for it. */
static bool
said_later(struct web *b)
{
	const char *error = location_param(b, "error"), *response = saml_response_of(b);

	return b->status == 503 || text_eq(error, "temporarily_unavailable") ||
	       text_eq(error, "server_error") ||
	       (response != NULL && strstr(response, "status:Responder") != NULL);
}

/* Whether the order was carried out. */
static bool
go(struct world *w, const step *steps, size_t nth)
{
	struct web b;

	walk_count++;
	w->now += 301; /* guesses and codes count anew, and partitions reach two days ahead */
	web_init(&b, w);
	plan.passed = 0;
	plan.nth = nth;
	plan.failed = NULL;
	for (size_t i = 0; steps[i] != NULL && plan.failed == NULL; i++) {
		plan.armed = true;
		steps[i](&b);
		plan.armed = false;
		if (plan.failed != NULL && (!said_later(&b) || succeeded(&b)))
			fail_msg("step %zu: %s failed, and the answer was %d %s", i, plan.failed,
				 b.status, b.location == NULL ? "" : b.location);
	}
	return plan.failed != NULL;
}

static void
each_failure(void **state, const step *steps)
{
	size_t n = 1;

	while (go(*state, steps, n)) {
		world_fresh(state);
		n++;
	}
	assert_true(n > 1);
}

#define WALK(name, ...)                                   \
	static void name(void **state)                    \
	{                                                 \
		const step steps[] = {__VA_ARGS__, NULL}; \
		each_failure(state, steps);               \
	}

WALK(two_means_consent_and_logout, ask_for_more, log_in_erika, enter_code, agree, ask_saml,
     ask_to_log_out, confirm_logout)
WALK(wrong_guesses, ask_for_more, log_in_wrongly, log_in_erika, enter_wrong_code)
WALK(a_request_by_post_and_no, ask_by_post, log_in_karl, cancel)
WALK(a_passive_request, ask_passively)
WALK(a_code_and_what_it_buys, ask_oidc, log_in_karl, agree, redeem, user_info)
WALK(a_session_and_a_passive_client, ask_oidc, log_in_karl, agree, ask_oidc_passively)
WALK(a_new_account_and_its_app, register_anew, ask_for_app, set_up_app, look_at_account, ask_saml,
     agree, ask_oidc)
WALK(a_consent_taken_back, ask_saml, log_in_karl, agree, look_at_account, withdraw)
WALK(a_logout_by_the_portal, ask_saml, log_in_karl, agree, log_out_at_portal)

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(two_means_consent_and_logout), T(wrong_guesses),
		T(a_request_by_post_and_no),     T(a_passive_request),
		T(a_code_and_what_it_buys),      T(a_session_and_a_passive_client),
		T(a_new_account_and_its_app),    T(a_consent_taken_back),
		T(a_logout_by_the_portal),
	};

	return cmocka_run_group_tests_name("flow outages", tests, steps_setup, world_teardown);
}
