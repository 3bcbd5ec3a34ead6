/*
 * What stands behind a login fails: each statement and each call of the signer, one in turn.
 * The request says "later" and gives nothing; nothing that failed is taken as done.  The test's
 * own functions stand before the program's (--wrap).
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"
#include "db/partition.h"
#include "db/sql.h"
#include "keys/sign.h"
#include "saml/names.h"
#include "saml/soap.h"
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

/* Away, as an HSM may be; it says nothing of why. */
STANDS_BEFORE(signer_key_ready, (struct signer * s, const char *kid))
{
	return goes_well("key_ready", NULL) && __real_signer_key_ready(s, kid);
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
static const char *token, *id_token, *url_of_logout;

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
	if (b->status != 200)
		return;
	token = json_string_value(json_object_get(web_json(b), "access_token"));
	id_token = json_string_value(json_object_get(web_json(b), "id_token"));
}

static void
log_out_by_hint(struct web *b)
{
	web_get(b, arena_printf(b->w->a, "/oidc/logout?id_token_hint=%s", id_token));
}

/* By artifact, which the portal then has the message for. */
static void
ask_for_artifact(struct web *b)
{
	b->w->acs = "https://amt24.example/artifact";
	ask(b, "", "");
	b->w->acs = NULL;
}

static void
resolve(struct web *b)
{
	const char *artifact = location_param(b, "SAMLart");

	assert_non_null(artifact);
	web_program(b, "/saml/artifact", SOAP_CONTENT_TYPE,
		    saml_artifact_envelope(b->w, arena_printf(b->w->a, "_art%d", walk_count),
					   artifact));
	if (plan.failed == NULL)
		assert_non_null(strstr(saml_resolved(b), "status:Success"));
}

/* An answer that tells of nobody. */
static void
ask_passively_for_artifact(struct web *b)
{
	b->w->acs = "https://amt24.example/artifact";
	ask_passively(b);
	b->w->acs = NULL;
}

/* With a verifier that does not fit: the code is used up. */
static void
redeem_wrongly(struct web *b)
{
	char *form = arena_strdup(b->w->a, oidc_redeem_form(b->w, location_param(b, "code")));

	form[strlen(form) - 1] ^= 1;
	web_token(b, oidc_basic(b->w), form);
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
look_at_start(struct web *b)
{
	web_get(b, "/");
}

/* In another browser; this one, which has a session of its own, ends it. */
static void
end_the_other(struct web *b)
{
	struct world *w = b->w;
	struct web other;

	plan.armed = false;
	web_init(&other, w);
	log_in_aside(&other, "karl");
	plan.armed = true;
	web_post(b, "/account", "",
		 arena_printf(w->a, "do=end_session&session=%s",
			      world_value(w, "SELECT sid FROM session"
					     " ORDER BY created DESC, last_used DESC LIMIT 1")));
}

static void
ask_with_hint(struct web *b)
{
	web_get(b, oidc_request_url(b->w, "openid", "&prompt=consent&login_hint=karl"));
}

/* A name by address is not this portal's. */
static void
ask_amiss(struct web *b)
{
	ask(b, "",
	    "<samlp:NameIDPolicy Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:"
	    "emailAddress\"/>");
}

#define LINK "/saml/unsolicited?providerId=https%3A%2F%2Famt24.example%2Fmetadata"

static void
follow_link(struct web *b)
{
	plan.armed = false;
	world_saml_party(b->w, "{\"unsolicited\":\"yes\"}");
	plan.armed = true;
	web_get(b, LINK);
	plan.armed = false;
	world_saml_party(b->w, POLICY);
}

static void
follow_link_amiss(struct web *b)
{
	plan.armed = false;
	world_saml_party(b->w, "{\"unsolicited\":\"yes\",\"nameid\":[\"email\"]}");
	plan.armed = true;
	web_get(b, LINK);
	plan.armed = false;
	world_saml_party(b->w, POLICY);
}

static void
begin_again_too_late(struct web *b)
{
	const char *again = arena_printf(b->w->a, "/flow/restart/%s", flow_of(b));

	b->w->now += 3700;
	web_get(b, again);
}

/* The settings have risen since the password was stored, by another login. */
static void
log_in_dearly(struct web *b)
{
	struct world *w = b->w;
	struct web other;

	plan.armed = false;
	web_init(&other, w);
	log_in_aside(&other, "karl");
	assert_non_null(web_cookie(&other, "__Host-session"));
	plan.armed = true;
	w->config.password_passes++;
	log_in(b, "karl");
	w->config.password_passes--;
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

	url_of_logout = saml_logout_url(w, arena_printf(w->a, "_out%d", walk_count), name, index);
	web_get(b, url_of_logout);
}

/* From no browser that is known, of which the other walks have made some. */
static void
guess_too_often(struct web *b, step guess)
{
	for (int i = 0; i < 11; i++) {
		plan.armed = i == 10;
		guess(b);
	}
}

static void
guess_passwords(struct web *b)
{
	guess_too_often(b, log_in_wrongly);
}

static void
guess_codes(struct web *b)
{
	guess_too_often(b, enter_wrong_code);
}

/* Without naming a session: each one of that person. */
static void
log_out_everywhere(struct web *b)
{
	const char *name = world_value(b->w, "SELECT name_id FROM session_participant WHERE dialect"
					     " = 'saml' ORDER BY at DESC LIMIT 1");

	web_get(b, saml_logout_url(b->w, arena_printf(b->w->a, "_all%d", walk_count), name, NULL));
}

static void
go_to_next(struct web *b)
{
	web_get(b, "/logout/next");
}

static void
look_what_came_of_it(struct web *b)
{
	web_get(b, "/logout/portals");
}

static void
go_back(struct web *b)
{
	web_get(b, "/logout/back");
}

static void
ask_anew(struct web *b)
{
	ask(b, " ForceAuthn=\"true\"", "");
}

/* The name that the consent page has told is gone before it is given. */
static void
forget_names(struct web *b)
{
	pg_sql(b->w->pg, "DELETE FROM pseudonym");
}

static void
log_out_at_client(struct web *b)
{
	web_get(b, "/oidc/logout?client_id=" OIDC_CLIENT);
}

#define ELSEWHERE "https://bau.example/metadata"

/* At another portal, in the same session. */
static void
ask_elsewhere(struct web *b)
{
	plan.armed = false;
	b->w->saml_party = ELSEWHERE;
	world_saml_party(b->w, POLICY);
	plan.armed = true;
	ask(b, "", "");
	b->w->saml_party = NULL;
}

/* The first portal, of its own session with us; the other is to be told. */
static void
log_out_by_soap(struct web *b)
{
	static const char first[] = "SELECT %s FROM session_participant WHERE party = '" SAML_PARTY
				    "' ORDER BY at DESC LIMIT 1";
	struct world *w = b->w;
	const char *index = world_value(w, arena_printf(w->a, first, "session_index"));
	const char *name = world_value(w, arena_printf(w->a, first, "name_id"));

	web_program(
		b, "/saml/slo/soap", "text/xml",
		saml_logout_envelope(w, arena_printf(w->a, "_soap%d", walk_count), name, index));
}

/* An answer to nothing we asked; unsigned, it is a claim. */
static void
claim_to_have_logged_out(struct web *b)
{
	struct arena *a = b->w->a;
	const char *xml = arena_printf(
		a,
		"<samlp:LogoutResponse xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
		"xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_claim%d\" "
		"InResponseTo=\"_x\" Version=\"2.0\" IssueInstant=\"%s\"><saml:Issuer>" SAML_PARTY
		"</saml:Issuer><samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:"
		"status:Success\"/></samlp:Status></samlp:LogoutResponse>",
		walk_count, clock_text(a, b->w->now));

	struct buf form;

	buf_init(&form, a, 65536);
	buf_str(&form, "SAMLResponse=");
	enc_percent(&form, bytes_of(enc_base64(a, bytes_of(xml))));
	web_foreign_post(b, "/saml/slo", (const char *)form.p);
}

/* ---- the judge ---- */

/* Later, in whatever words the dialect has for it. */
static bool
said_later(struct web *b)
{
	const char *error = location_param(b, "error"), *response = saml_response_of(b);

	/* A portal that could not be told of a logout is named as such. */
	return b->status == 503 || text_eq(error, "temporarily_unavailable") ||
	       text_eq(error, "server_error") || web_shows(b, ">nicht abgemeldet") ||
	       (response != NULL && strstr(response, "status:Responder") != NULL);
}

/* Whether the order was carried out. */
static bool
go(struct world *w, const step *steps, size_t nth)
{
	struct web b;

	walk_count++;
	w->now += 301; /* guesses and codes count anew */
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
	struct world *w = *state;
	struct db_partitions partitions;
	size_t n = 1;

	/* They reach two days ahead. */
	ASSERT_OK(db_partitions_maintain(&w->pg->c, w->now, &partitions, &w->pg->err), &w->pg->err);
	while (go(w, steps, n)) {
		world_fresh(state);
		n++;
	}
	assert_true(n > 1);
	world_saml_party(w, POLICY);
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
WALK(a_message_by_artifact, ask_for_artifact, log_in_karl, agree, resolve)
WALK(an_error_by_artifact, ask_passively_for_artifact)
WALK(a_consent_taken_back, ask_saml, log_in_karl, agree, look_at_account, withdraw)
WALK(a_logout_by_the_portal, ask_saml, log_in_karl, agree, log_out_at_portal)
WALK(a_logout_everywhere, ask_saml, log_in_karl, agree, log_out_everywhere)
WALK(a_logout_that_leads_through_portals, ask_saml, log_in_karl, agree, ask_to_log_out,
     confirm_logout, ask_to_log_out, go_to_next, claim_to_have_logged_out, look_what_came_of_it,
     go_back)
WALK(a_logout_by_soap, ask_saml, log_in_karl, agree, ask_elsewhere, agree, log_out_by_soap)
WALK(somebody_else_at_the_same_browser, ask_saml, log_in_karl, ask_anew, log_in_erika)
WALK(a_name_that_is_made_with_the_answer, ask_saml, log_in_karl, forget_names, agree, ask_oidc,
     forget_names, agree)
WALK(a_logout_at_a_client, ask_oidc, log_in_karl, agree, log_out_at_client)
WALK(a_code_that_does_not_fit, ask_oidc, log_in_karl, agree, redeem_wrongly)
WALK(guesses_at_a_password, ask_saml, guess_passwords)
WALK(guesses_at_a_code, ask_for_more, log_in_erika, guess_codes)
WALK(a_hint_and_a_logout_by_it, ask_with_hint, log_in_karl, agree, redeem, log_out_by_hint)
WALK(a_look_around_and_another_session, ask_saml, log_in_karl, look_at_start, end_the_other)
WALK(requests_that_are_refused_at_once, ask_amiss, follow_link_amiss)
WALK(a_link_without_a_request, ask_saml, log_in_karl, agree, follow_link)
/* Agreed to before, in the browser. */
static void
sign_on_without_it(struct web *b)
{
	static const struct ecp_asking any;
	struct web program;

	plan.armed = false;
	ecp_portal(b->w, "{\"attribute\":[\"family_name:required\",\"email\"],\"ecp\":\"yes\"}");
	web_init(&program, b->w);
	program.authorization = ecp_basic(b->w, "karl", PASSWORD);
	plan.armed = true;
	web_program(&program, ECP_ENDPOINT, "text/xml", ecp_envelope(b->w, &any));
	plan.armed = false;
	world_saml_party(b->w, POLICY);
	if (plan.failed == NULL)
		assert_non_null(strstr(program.body, "status:Success"));
	else
		assert_null(strstr(program.body, "<saml:Assertion"));
	b->status = program.status;
	b->body = "";
}

WALK(a_program_signs_on, ask_saml, log_in_karl, agree, sign_on_without_it)
/* About whoever logged in, by the name that the portal has for that login. */
static void
ask_about(struct web *b)
{
	static const char last[] =
		"SELECT name_id FROM session_participant ORDER BY at DESC LIMIT 1";
	struct query_asking how = {.format = SAML_NAMEID_TRANSIENT};
	struct web program;

	plan.armed = false;
	world_saml_party(b->w, "{\"attribute\":[\"family_name:required\",\"email\"],"
			       "\"attribute-query\":\"yes\"}");
	how.name = world_value(b->w, last);
	web_init(&program, b->w);
	plan.armed = true;
	web_program(&program, QUERY_ENDPOINT, "text/xml", query_envelope(b->w, &how));
	plan.armed = false;
	world_saml_party(b->w, POLICY);
	if (plan.failed == NULL)
		assert_non_null(strstr(program.body, "status:Success"));
	else
		assert_null(strstr(program.body, "<saml:Assertion"));
	b->status = program.status;
	b->body = "";
}

/* Identifiers that are computed with the answer. */
static void
ask_for_identifiers(struct web *b)
{
	plan.armed = false;
	world_saml_party(b->w, "{\"attribute\":[\"family_name:required\",\"email\"],"
			       "\"consent\":\"always\",\"subject-id\":\"yes\"}");
	plan.armed = true;
	ask(b, "",
	    "<samlp:Extensions xmlns:eidas=\"http://eidas.europa.eu/saml-extensions\">"
	    "<eidas:SPType>public</eidas:SPType><eidas:RequestedAttributes>"
	    "<eidas:RequestedAttribute Name=\"urn:oasis:names:tc:SAML:attribute:subject-id\""
	    " isRequired=\"false\"/></eidas:RequestedAttributes></samlp:Extensions>");
}

WALK(a_name_for_all_portals, ask_for_identifiers, log_in_karl, agree)
WALK(a_query_about_somebody, ask_saml, log_in_karl, agree, ask_about)
WALK(a_login_begun_again, ask_saml, begin_again_too_late)
WALK(a_password_stored_anew, ask_saml, log_in_dearly)

/* The same message again, as a browser sends it when it is told "later". */
static bool
log_out_again(struct world *w, size_t nth)
{
	static const char sessions[] = "SELECT count(*) FROM session_participant";
	struct web b;

	walk_count++;
	w->now += 301;
	web_init(&b, w);
	ask_saml(&b);
	log_in_karl(&b);
	agree(&b);
	assert_string_equal(world_value(w, sessions), "1");
	plan.passed = 0;
	plan.nth = nth;
	plan.failed = NULL;
	plan.armed = true;
	log_out_at_portal(&b);
	plan.armed = false;
	if (plan.failed != NULL)
		web_get(&b, url_of_logout);
	assert_true(text_starts(b.location, SAML_SLO "?SAMLResponse="));
	if (strcmp(world_value(w, sessions), "0") != 0)
		fail_msg("%s failed, and the logout that came again ended nothing", plan.failed);
	return plan.failed != NULL;
}

static void
a_logout_that_failed_ends_the_session_when_it_comes_again(void **state)
{
	struct world *w = *state;
	size_t n = 1;

	for (pg_sql(w->pg, "DELETE FROM session"); log_out_again(w, n); n++)
		world_fresh(state);
	assert_true(n > 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, steps_fresh, NULL)

static int
setup(void **state)
{
	if (steps_setup(state) != 0)
		return 1;
	struct world *w = *state;

	w->saml_acs =
		"<md:AssertionConsumerService index=\"1\" Binding=\"" SAML_BINDING_URI_ARTIFACT
		"\" Location=\"https://amt24.example/artifact\"/>";
	world_saml_party(w, POLICY);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(two_means_consent_and_logout),
		T(wrong_guesses),
		T(a_request_by_post_and_no),
		T(a_passive_request),
		T(a_code_and_what_it_buys),
		T(a_session_and_a_passive_client),
		T(a_new_account_and_its_app),
		T(a_message_by_artifact),
		T(an_error_by_artifact),
		T(a_consent_taken_back),
		T(a_logout_by_the_portal),
		T(a_logout_everywhere),
		T(a_logout_that_leads_through_portals),
		T(a_logout_by_soap),
		T(somebody_else_at_the_same_browser),
		T(a_name_that_is_made_with_the_answer),
		T(a_logout_at_a_client),
		T(a_code_that_does_not_fit),
		T(guesses_at_a_password),
		T(guesses_at_a_code),
		T(a_hint_and_a_logout_by_it),
		T(a_look_around_and_another_session),
		T(requests_that_are_refused_at_once),
		T(a_link_without_a_request),
		T(a_program_signs_on),
		T(a_name_for_all_portals),
		T(a_query_about_somebody),
		T(a_login_begun_again),
		T(a_password_stored_anew),
		T(a_logout_that_failed_ends_the_session_when_it_comes_again),
	};

	return cmocka_run_group_tests_name("flow outages", tests, setup, world_teardown);
}
