/*
 * saml/answer.c: what another provider answers is believed when all of it is right, and refused,
 * for its own reason, when one thing is not; each of them under good signatures.
 */
#include "tests/test.h"

#include "base/clock.h"
#include "base/enc.h"
#include "saml/names.h"
#include "saml/status.h"
#include "tests/saml/provider.h"
#include "tests/saml/with_keys.h"
#include "tests/saml/wrap.h"

#define REQUEST "_request1"
#define PORTAL  "https://amt24.example/metadata"
#define NOW     ((time_t)1795456800)

static struct saml_asked asked;
static struct xmlenc_keys open_with;
static unsigned opened; /* how often our key was used */

static bool
watched_unwrap(void *ctx, struct arena *arena, const char *kid, enum wrap_alg alg,
	       struct bytes wrapped, struct bytes *key, struct err *e)
{
	opened++;
	return keys->ops.unwrap(ctx, arena, kid, alg, wrapped, key, e);
}

static int
setup_provider(void **state)
{
	static struct key_ops ops;
	static const char *kid;

	if (setup(state) != 0)
		return 1;
	ops = keys->ops;
	ops.unwrap = watched_unwrap;
	kid = keys->dec_rsa.kid;
	open_with = (struct xmlenc_keys){&ops, &kid, 1};
	opened = 0;
	asked = (struct saml_asked){
		.our_entity_id = "https://konto.example/saml/metadata",
		.acs_url = "https://konto.example/saml/acs",
		.request_id = REQUEST,
		.final_party = PORTAL,
		.asked_at = NOW - 60,
	};
	ASSERT_OK(
		saml_metadata_parse_role(a,
					 bytes_of(provider_metadata(a, keys, PROVIDER_ENTITY,
								    PROVIDER_SSO, "ecdsa-sha256")),
					 NULL, true, &asked.idp, &err),
		&err);
	return 0;
}

static bool
judge_form(const char *form, const struct saml_answered **out)
{
	const struct saml_answer *m;

	err_clear(&err);
	*out = NULL;
	return saml_answer_decode(a, bytes_of(form), &m, &err) &&
	       saml_answer_verify(a, m, &asked, &open_with, NOW, out, &err);
}

static bool
judge(const struct provider_answer *p, const struct saml_answered **out)
{
	return judge_form(provider_form(a, keys, p), out);
}

static const struct saml_answered *
taken(const struct provider_answer *p)
{
	const struct saml_answered *got;

	if (!judge(p, &got))
		fail_msg("refused: %s", err.text);
	return got;
}

static void
refused(const struct provider_answer *p, const char *why)
{
	const struct saml_answered *got;

	if (judge(p, &got))
		fail_msg("taken, though: %s", why);
	assert_null(got);
	if (strstr(err.text, why) == NULL)
		fail_msg("wanted: %s; refused for: %s", why, err.text);
	assert_true(err.kind == ERR_INPUT || err.kind == ERR_DENIED);
}

static struct provider_answer
good(void)
{
	return provider_answer(REQUEST, NOW);
}

/* ---- what is taken ---- */

static void
a_good_answer_says_who_logged_in(void **state UNUSED)
{
	static const char *const name[] = {"Mustermann"}, *const mail[] = {"e@example.invalid"};
	const struct saml_attribute list[] = {
		{.name = "urn:oid:2.5.4.4",
		 .name_format = SAML_ATTRNAME_URI,
		 .trust_level = "HOCH",
		 .values = name,
		 .n_values = 1},
		{.name = "urn:oid:0.9.2342.19200300.100.1.3",
		 .name_format = SAML_ATTRNAME_URI,
		 .values = mail,
		 .n_values = 1},
	};
	struct provider_answer p = good();

	p.attributes = list;
	p.n_attributes = ARRAY_LEN(list);
	p.assertion[0] = (struct change){"</saml:AuthnContext>",
					 "<saml:AuthenticatingAuthority>https://other.example/"
					 "</saml:AuthenticatingAuthority></saml:AuthnContext>"};
	for (int encrypt = 0; encrypt < 2; encrypt++) {
		p.encrypt_to = encrypt ? keys->dec_rsa.pub : NULL;
		const struct saml_answered *got = taken(&p);
		const struct saml_told_attribute *at = saml_told_find(got, "urn:oid:2.5.4.4");

		assert_int_equal(got->outcome, SAML_OUTCOME_LOGIN);
		assert_string_equal(got->nameid.value, "QmFkZW4tV3VlcnR0ZW1iZXJn");
		assert_string_equal(got->class_ref, "STORK-QAA-Level-3");
		assert_string_equal(got->assertion_id, "_a" REQUEST);
		assert_int_equal(got->authn_at, NOW);
		assert_int_equal(got->expires, NOW + 120);
		assert_int_equal(got->n_authorities, 1);
		assert_string_equal(got->authorities[0], "https://other.example/");
		assert_int_equal(got->n_attributes, 2);
		assert_non_null(at);
		assert_string_equal(at->trust_level, "HOCH");
		assert_string_equal(saml_told_text(a, at->value[0]), "Mustermann");
		assert_null(saml_told_find(got, "urn:oid:2.5.4.42"));
	}
	assert_int_equal(opened, 1);
}

static void
each_rule_wants_its_signatures(void **state UNUSED)
{
	for (int rule = SAML_ANSWER_BOTH; rule <= SAML_ANSWER_ASSERTION; rule++)
		for (int encrypt = 0; encrypt < 2; encrypt++)
			for (int which = 0; which < 4; which++) {
				struct provider_answer p = good();
				bool response = (which & 1) != 0, assertion = (which & 2) != 0;
				const struct saml_answered *got;

				asked.rule = (enum saml_answer_signed)rule;
				p.unsigned_response = !response;
				p.unsigned_assertion = !assertion;
				p.encrypt_to = encrypt ? keys->dec_rsa.pub : NULL;
				opened = 0;
				bool wanted = (response || rule == SAML_ANSWER_ASSERTION) &&
					      (assertion || rule == SAML_ANSWER_RESPONSE);

				assert_int_equal(judge(&p, &got), wanted);
				/* Strangers do not reach the decryptor. */
				if (!response && rule != SAML_ANSWER_ASSERTION)
					assert_int_equal(opened, 0);
			}
}

static void
failures_are_told_when_they_are_signed(void **state UNUSED)
{
	static const struct {
		const char *top, *sub;
		enum saml_outcome outcome;
	} rows[] = {
		{SAML_RESPONDER, SAML_AUTHN_FAILED, SAML_OUTCOME_CANCELLED},
		{SAML_REQUESTER, SAML_AUTHN_FAILED, SAML_OUTCOME_FAILED},
		{SAML_RESPONDER, SAML_NO_AUTHN_CONTEXT, SAML_OUTCOME_LEVEL},
		{SAML_REQUESTER, SAML_NO_AUTHN_CONTEXT, SAML_OUTCOME_LEVEL},
		{SAML_RESPONDER, SAML_REQUEST_DENIED, SAML_OUTCOME_REFUSED},
		{SAML_REQUESTER, SAML_REQUEST_DENIED, SAML_OUTCOME_FAILED},
		{SAML_RESPONDER, NULL, SAML_OUTCOME_FAILED},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct provider_answer p = good();

		p.status = rows[i].top;
		p.substatus = rows[i].sub;
		const struct saml_answered *got = taken(&p);

		assert_int_equal(got->outcome, rows[i].outcome);
		assert_null(got->assertion_id);
	}
	struct provider_answer p = good();

	p.status = SAML_RESPONDER;
	p.unsigned_response = true;
	refused(&p, "Response is not signed");
	asked.rule = SAML_ANSWER_ASSERTION;
	refused(&p, "a failure that nobody signed");
}

static void
success_and_failure_do_not_come_together(void **state UNUSED)
{
	struct provider_answer p = good();

	p.response[0] = (struct change){SAML_SUCCESS, SAML_RESPONDER};
	refused(&p, "an assertion comes with a failure");
	p = good();
	p.response[0] = (struct change){"<samlp:StatusCode Value=\"" SAML_SUCCESS "\">",
					"<samlp:StatusCode Value=\"" SAML_SUCCESS
					"\"><samlp:StatusCode Value=\"" SAML_PARTIAL_LOGOUT
					"\"></samlp:StatusCode>"};
	refused(&p, "an assertion comes with a failure");
}

/* ---- one thing wrong, signed ---- */

#define ONE_MORE_CONFIRMATION                                                                \
	"<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:holder-of-key\">" \
	"</saml:SubjectConfirmation></saml:Subject>"

static const struct {
	const char *from, *to, *why;
} in_assertion[] = {
	/* whose */
	{">" PROVIDER_ENTITY "</saml:Issuer>", ">https://evil.example/idp</saml:Issuer>",
	 "from another provider than was asked"},
	{"<saml:Issuer>", "<saml:Issuer Format=\"urn:x\">", "Issuer is not an entity"},
	{"NameQualifier=\"" PROVIDER_ENTITY "\"", "NameQualifier=\"https://evil.example/\"",
	 "NameID is a name of another provider's"},
	{"SPNameQualifier=\"https://konto.example/saml/metadata\"",
	 "SPNameQualifier=\"https://evil.example/\"", "NameID is a name for somebody else"},
	/* for which request, place and audience */
	{" InResponseTo=\"" REQUEST "\"", " InResponseTo=\"_other\"", "InResponseTo of"},
	{" InResponseTo=\"" REQUEST "\"", "", "has no InResponseTo"},
	{" Recipient=\"https://konto.example/saml/acs\"", " Recipient=\"https://evil.example/acs\"",
	 "Recipient of"},
	{" Recipient=\"https://konto.example/saml/acs\"", "", "has no Recipient"},
	{"<saml:Audience>https://konto.example/saml/metadata",
	 "<saml:Audience>https://evil.example/", "for another audience"},
	{"<saml:AudienceRestriction><saml:Audience>https://konto.example/saml/metadata"
	 "</saml:Audience></saml:AudienceRestriction>",
	 "", "for any audience"},
	{"</saml:AudienceRestriction>",
	 "</saml:AudienceRestriction><saml:AudienceRestriction><saml:Audience>https://"
	 "other.example/"
	 "</saml:Audience></saml:AudienceRestriction>",
	 "for another audience"},
	/* how it is confirmed */
	{"cm:bearer", "cm:sender-vouches", "not confirmed as bearer"},
	{"</saml:Subject>", ONE_MORE_CONFIRMATION, "second <SubjectConfirmation>"},
	{" InResponseTo=\"" REQUEST "\"",
	 " InResponseTo=\"" REQUEST "\" NotBefore=\"2026-11-23T17:00:00Z\"", "has a NotBefore"},
	/* conditions */
	{"</saml:AudienceRestriction>",
	 "</saml:AudienceRestriction><saml:ProxyRestriction Count=\"0\"></saml:ProxyRestriction>",
	 "for nobody but ourselves"},
	{"</saml:AudienceRestriction>",
	 "</saml:AudienceRestriction><saml:ProxyRestriction><saml:Audience>https://other.example/"
	 "</saml:Audience></saml:ProxyRestriction>",
	 "not for this portal"},
	{"</saml:AudienceRestriction>",
	 "</saml:AudienceRestriction><x:Condition xmlns:x=\"urn:x\"></x:Condition>",
	 "unexpected <Condition>"},
	/* what there is of it */
	{"Version=\"2.0\"", "Version=\"2.1\"", "Version of"},
	{"</saml:Conditions>", "</saml:Conditions><saml:Advice></saml:Advice>",
	 "lacks <AuthnStatement>"},
	{"</saml:AuthnStatement>",
	 "</saml:AuthnStatement><saml:AuthnStatement AuthnInstant=\"2026-11-23T18:00:00Z\">"
	 "<saml:AuthnContext><saml:AuthnContextClassRef>x</saml:AuthnContextClassRef>"
	 "</saml:AuthnContext></saml:AuthnStatement>",
	 "second <AuthnStatement>"},
	{"<saml:AuthnContextClassRef>STORK-QAA-Level-3</saml:AuthnContextClassRef>", "",
	 "lacks <AuthnContextClassRef>"},
	{"</saml:AuthnStatement>",
	 "</saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name=\"a\">"
	 "</saml:Attribute><saml:Attribute Name=\"a\"></saml:Attribute></saml:AttributeStatement>",
	 "two Attributes of one name"},
};

static void
one_thing_wrong_in_the_assertion_is_enough(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(in_assertion); i++)
		for (int encrypt = 0; encrypt < 2; encrypt++) {
			struct provider_answer p = good();

			p.encrypt_to = encrypt ? keys->dec_rsa.pub : NULL;
			p.assertion[0] = (struct change){in_assertion[i].from, in_assertion[i].to};
			refused(&p, in_assertion[i].why);
		}
}

static void
one_thing_wrong_in_the_response_is_enough(void **state UNUSED)
{
	static const struct {
		const char *from, *to, *why;
	} rows[] = {
		{">" PROVIDER_ENTITY "</saml:Issuer><samlp:Status>",
		 ">https://evil.example/idp</saml:Issuer><samlp:Status>",
		 "from another provider than was asked"},
		{" InResponseTo=\"" REQUEST "\" IssueInstant", " IssueInstant",
		 "has no InResponseTo"},
		{" InResponseTo=\"" REQUEST "\" IssueInstant",
		 " InResponseTo=\"_other\" IssueInstant", "InResponseTo of"},
		{" Destination=\"https://konto.example/saml/acs\"", "", "has no Destination"},
		{" Destination=\"https://konto.example/saml/acs\"",
		 " Destination=\"https://konto.example/saml/sso\"", "Destination of"},
		{"Version=\"2.0\"><saml:Issuer xmlns", "Version=\"1.1\"><saml:Issuer xmlns",
		 "Version of <Response>"},
		{"<samlp:Status><samlp:StatusCode Value=\"" SAML_SUCCESS
		 "\"></samlp:StatusCode></samlp:Status>",
		 "", "lacks <Status>"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct provider_answer p = good();

		p.response[0] = (struct change){rows[i].from, rows[i].to};
		refused(&p, rows[i].why);
		/* Also where the rule does without its signature. */
		asked.rule = SAML_ANSWER_ASSERTION;
		p.unsigned_response = true;
		refused(&p, rows[i].why);
		asked.rule = SAML_ANSWER_BOTH;
	}
}

/* ---- time ---- */

enum when { ISSUED, RESPONSE_ISSUED, NOT_BEFORE, NOT_AFTER, CONFIRMED_UNTIL, LOGIN, SESSION };

static const char *
attr_of(enum when when, time_t at)
{
	static const char *const names[] = {"IssueInstant",       "IssueInstant", "NotBefore",
					    "NotOnOrAfter",       "NotOnOrAfter", "AuthnInstant",
					    "SessionNotOnOrAfter"};

	return arena_printf(a, "%s=\"%s\"", names[when], clock_text(a, at));
}

static struct provider_answer
timed(enum when when, time_t at)
{
	struct provider_answer p = good();
	const char *to = attr_of(when, at);

	switch (when) {
	case ISSUED:
		p.assertion[0] = (struct change){attr_of(ISSUED, NOW), to};
		break;
	case RESPONSE_ISSUED:
		p.response[0] = (struct change){
			arena_printf(a, "%s Version=\"2.0\"><saml:Issuer xmlns",
				     attr_of(ISSUED, NOW)),
			arena_printf(a, "%s Version=\"2.0\"><saml:Issuer xmlns", to)};
		break;
	case NOT_BEFORE:
		p.assertion[0] = (struct change){attr_of(NOT_BEFORE, NOW - 30), to};
		break;
	case NOT_AFTER:
		p.assertion[0] = (struct change){
			arena_printf(a, "%s><saml:Aud", attr_of(NOT_AFTER, NOW + 120)),
			arena_printf(a, "%s><saml:Aud", to)};
		break;
	case CONFIRMED_UNTIL:
		p.assertion[0] = (struct change){
			arena_printf(a, "%s Recipient", attr_of(NOT_AFTER, NOW + 120)),
			arena_printf(a, "%s Recipient", to)};
		break;
	case LOGIN:
		p.assertion[0] = (struct change){attr_of(LOGIN, NOW), to};
		break;
	case SESSION:
		p.assertion[0] =
			(struct change){"SessionIndex=\"_session\"",
					arena_printf(a, "SessionIndex=\"_session\" %s", to)};
		break;
	}
	return p;
}

static void
each_time_counts_to_the_second(void **state UNUSED)
{
	/* The last moment that is taken and the first that is not; skew 60 s, asked 60 s ago. */
	static const struct {
		enum when when;
		int fine, wrong;
		const char *why;
	} rows[] = {
		{ISSUED, 60, 61, "from the future"},
		{RESPONSE_ISSUED, 60, 61, "from the future"},
		{ISSUED, -120, -121, "older than the request"},
		{RESPONSE_ISSUED, -120, -121, "older than the request"},
		{NOT_BEFORE, 60, 61, "NotBefore has not come"},
		{NOT_AFTER, -59, -60, "NotOnOrAfter has passed"},
		{CONFIRMED_UNTIL, -59, -60, "no NotOnOrAfter to come"},
		{LOGIN, 60, 61, "AuthnInstant is in the future"},
		{LOGIN, -120, -121, "older than the request"},
		{SESSION, -59, -60, "SessionNotOnOrAfter has passed"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct provider_answer fine = timed(rows[i].when, NOW + rows[i].fine);
		struct provider_answer wrong = timed(rows[i].when, NOW + rows[i].wrong);

		taken(&fine);
		refused(&wrong, rows[i].why);
	}
	asked.asked_at = NOW - 3600;
	struct provider_answer fine = timed(ISSUED, NOW - 360), old = timed(ISSUED, NOW - 361);

	taken(&fine);
	refused(&old, "too old");
}

static void
times_that_are_not_said_are_refused(void **state UNUSED)
{
	struct provider_answer p = good();

	p.assertion[0] = (struct change){arena_printf(a, "%s ", attr_of(NOT_BEFORE, NOW - 30)), ""};
	refused(&p, "do not say from when to when");
	p.assertion[0] = (struct change){
		arena_printf(a, " %s><saml:Aud", attr_of(NOT_AFTER, NOW + 120)), "><saml:Aud"};
	refused(&p, "do not say from when to when");
	p.assertion[0] = (struct change){
		arena_printf(a, "%s Recipient", attr_of(NOT_AFTER, NOW + 120)), "Recipient"};
	refused(&p, "no NotOnOrAfter to come");
	p.assertion[0] = (struct change){arena_printf(a, "%s ", attr_of(LOGIN, NOW)), ""};
	refused(&p, "no attribute AuthnInstant");
}

/* ---- signatures ---- */

static void
who_signs_with_another_key_is_not_believed(void **state UNUSED)
{
	struct provider_answer p = good();

	p.suite = "rsa-pss-sha256";
	refused(&p, "no key of the sender verifies");
	/* The right Response around an assertion that another signed. */
	struct provider_answer whole = good(), inner = good();

	inner.suite = "rsa-pss-sha256";
	whole.response[0] = (struct change){
		"</samlp:Response>", arena_printf(a, "%s</samlp:Response>",
						  cut(a, provider_response(a, keys, &inner),
						      "<saml:Assertion", "</saml:Assertion>"))};
	whole.status = SAML_SUCCESS;
	refused(&whole, "no key of the sender verifies");
}

static void
what_is_changed_after_signing_is_refused(void **state UNUSED)
{
	struct provider_answer p = good();

	p.signed_assertion[0] = (struct change){"Level-3", "Level-4"};
	p.unsigned_response = true;
	asked.rule = SAML_ANSWER_ASSERTION;
	refused(&p, "content is not what was signed");
	p.unsigned_response = false;
	refused(&p, "content is not what was signed");
	asked.rule = SAML_ANSWER_RESPONSE;
	refused(&p, "content is not what was signed");
	p = good();
	p.signed_response[0] = (struct change){"Level-3", "Level-4"};
	for (int rule = SAML_ANSWER_BOTH; rule <= SAML_ANSWER_ASSERTION; rule++) {
		asked.rule = (enum saml_answer_signed)rule;
		refused(&p, "content is not what was signed");
	}
}

static void
an_old_suite_counts_while_the_record_says_so(void **state UNUSED)
{
	struct saml_party old;
	struct provider_answer p = good();

	ASSERT_OK(saml_metadata_parse_role(a,
					   bytes_of(provider_metadata(a, keys, PROVIDER_ENTITY,
								      PROVIDER_SSO, "rsa-sha256")),
					   NULL, true, &asked.idp, &err),
		  &err);
	p.suite = "rsa-sha256";
	refused(&p, "for old providers alone");
	old = *asked.idp;
	old.old_until = NOW + 1;
	asked.idp = &old;
	taken(&p);
	old.old_until = NOW;
	refused(&p, "for old providers alone");
}

/* ---- exactly one assertion ---- */

static void
there_is_one_assertion_or_none_is_taken(void **state UNUSED)
{
	struct provider_answer p = good(), other = good();

	other.assertion_id = "_other";
	const char *another =
		cut(a, provider_response(a, keys, &other), "<saml:Assertion", "</saml:Assertion>");
	static const char *const places[][2] = {
		{"<saml:Assertion ", "%s<saml:Assertion "},   /* before */
		{"</samlp:Response>", "%s</samlp:Response>"}, /* after */
		{"</saml:Issuer><samlp:Status>",              /* in extensions */
		 "</saml:Issuer><samlp:Extensions><x:x xmlns:x=\"urn:x\">%s</x:x>"
		 "</samlp:Extensions><samlp:Status>"},
	};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const char *mark = strstr(places[i][1], "%s");
		const char *to = arena_printf(
			a, "%s%s%s", arena_strndup(a, places[i][1], (size_t)(mark - places[i][1])),
			another, mark + 2);

		p.response[0] = (struct change){places[i][0], to};
		refused(&p, "more than one assertion");
	}
	/* One plain, one encrypted. */
	other.encrypt_to = keys->dec_rsa.pub;
	const char *sealed = cut(a, provider_response(a, keys, &other), "<saml:EncryptedAssertion",
				 "</saml:EncryptedAssertion>");

	p.response[0] = (struct change){"</samlp:Response>",
					arena_printf(a, "%s</samlp:Response>", sealed)};
	refused(&p, "more than one assertion");
	assert_int_equal(opened, 0);
	p = good();
	p.status = SAML_SUCCESS; /* and nothing else */
	refused(&p, "no assertion of its own");
}

static void
an_assertion_inside_what_was_encrypted_is_the_only_one(void **state UNUSED)
{
	struct provider_answer p = good();

	p.encrypt_to = keys->dec_rsa.pub;
	p.unsigned_assertion = true;
	refused(&p, "encrypted assertion is not signed");
	p.unsigned_response = true;
	asked.rule = SAML_ANSWER_ASSERTION;
	refused(&p, "encrypted assertion is not signed");
	/* Another root than an Assertion. */
	asked.rule = SAML_ANSWER_RESPONSE;
	p.unsigned_response = false;
	p.signed_assertion[0] = (struct change){"<saml:Assertion ", "<saml:Advice "};
	p.signed_assertion[1] = (struct change){"</saml:Assertion>", "</saml:Advice>"};
	refused(&p, "holds no Assertion");
}

static void
a_plain_one_will_not_do_where_it_is_to_be_encrypted(void **state UNUSED)
{
	struct provider_answer p = good();

	asked.encrypted = true;
	refused(&p, "assertion is not encrypted");
	p.encrypt_to = keys->dec_rsa.pub;
	taken(&p);
}

static void
what_does_not_open_is_refused(void **state UNUSED)
{
	struct provider_answer p = good();

	p.encrypt_to = test_key_of(keys, KEY_SAML_SIGN, KEY_RSA3072)->pub;
	refused(&p, "does not open");
}

/* ---- wrapping ---- */

static void
no_shape_of_wrapping_is_believed(void **state UNUSED)
{
	struct provider_answer p = good();
	int documents = 0;

	for (int part = 0; part < 2; part++) {
		const char *whole = provider_response(a, keys, &p);
		const char *target =
			part == 0 ? whole : cut(a, whole, "<saml:Assertion", "</saml:Assertion>");

		if (part == 1) {
			p.unsigned_response = true;
			asked.rule = SAML_ANSWER_ASSERTION;
			whole = provider_response(a, keys, &p);
			target = cut(a, whole, "<saml:Assertion", "</saml:Assertion>");
		}
		struct wrap_target t = wrap_target(a, target);

		t.evil = replace(a, t.bare, "QmFkZW4tV3VlcnR0ZW1iZXJn", "RXZpbA");
		for (int shape = 1; shape <= WRAP_SHAPES; shape++)
			for (size_t id = 0; wrap_id(id) != NULL; id++) {
				const struct saml_answered *got;
				const char *xml = part == 0 ? wrap_message(a, shape, &t, id)
							    : replace(a, whole, target,
								      wrap_child(a, shape, &t, id));

				documents++;
				if (judge_form(provider_form_of(a, xml, NULL), &got))
					fail_msg("shape %d is taken: %s", shape, xml);
			}
	}
	assert_true(documents > 30);
}

static void
what_is_no_response_is_refused(void **state UNUSED)
{
	const struct saml_answer *m;

	assert_false(saml_answer_decode(a, bytes_of("SAMLRequest=PGEvPg%3D%3D"), &m, &err));
	assert_non_null(strstr(err.text, "a request came"));
	err_clear(&err);
	assert_false(saml_answer_decode(a, bytes_of("SAMLResponse=PGEvPg%3D%3D"), &m, &err));
	assert_non_null(strstr(err.text, "is no Response"));
	err_clear(&err);
	assert_false(saml_answer_decode(
		a, bytes_of("SAMLResponse=PGEvPg%3D%3D&SAMLResponse=PGEvPg%3D%3D"), &m, &err));
}

static void
relay_state_is_given_back(void **state UNUSED)
{
	struct provider_answer p = good();
	const struct saml_answer *m;

	p.relay_state = "20780.abc";
	ASSERT_OK(saml_answer_decode(a, bytes_of(provider_form(a, keys, &p)), &m, &err), &err);
	assert_string_equal(saml_answer_relay_state(m), "20780.abc");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup_provider, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_good_answer_says_who_logged_in),
		CASE(each_rule_wants_its_signatures),
		CASE(failures_are_told_when_they_are_signed),
		CASE(success_and_failure_do_not_come_together),
		CASE(one_thing_wrong_in_the_assertion_is_enough),
		CASE(one_thing_wrong_in_the_response_is_enough),
		CASE(each_time_counts_to_the_second),
		CASE(times_that_are_not_said_are_refused),
		CASE(who_signs_with_another_key_is_not_believed),
		CASE(what_is_changed_after_signing_is_refused),
		CASE(an_old_suite_counts_while_the_record_says_so),
		CASE(there_is_one_assertion_or_none_is_taken),
		CASE(an_assertion_inside_what_was_encrypted_is_the_only_one),
		CASE(a_plain_one_will_not_do_where_it_is_to_be_encrypted),
		CASE(what_does_not_open_is_refused),
		CASE(no_shape_of_wrapping_is_believed),
		CASE(what_is_no_response_is_refused),
		CASE(relay_state_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
