/*
 * Answers, good and deliberately broken; see simulate.h.  What is broken is a fact told to the
 * writer, or is done to the finished message, as somebody on the way would.
 */
#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/net.h"
#include "idp/simulate.h"
#include "saml/names.h"

#define ASSERTION_LIVES_S 300
#define ASSERTION_SKEW_S  60
#define LONG_AGO_S        7200
#define INTERFACE_VERSION "2025-05"
#define CLASS_UNSPECIFIED "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
#define ELSEWHERE         "https://elsewhere.example/test-double"
#define KEPT_BYTES        ((size_t)1024 * 1024)
#define XML_MAX           ((size_t)2 * 1024 * 1024)

struct sim_build {
	const struct sim_choice *choice;
	enum level level;
	struct saml_policy policy;
	const char *kid;
	bool test_account, repeat;
	struct saml_assertion assertion;
	struct saml_response response;
};

/* ---- what a login is told as ---- */

/* The same in each run, so that a portal meets the same person again. */
static void
derive(const char *what, const char *whom, const char *for_whom, unsigned char out[SHA256_BYTES])
{
	const struct bytes zero = {(const unsigned char *)"", 1};
	const struct bytes parts[] = {
		bytes_of("kontor simulate"), zero, bytes_of(what), zero, bytes_of(whom), zero,
		bytes_of(for_whom)};

	hash_sha256_parts(parts, ARRAY_LEN(parts), out);
}

static const char *
pseudonym(struct arena *a, const char *whom, const char *for_whom)
{
	unsigned char digest[SHA256_BYTES];

	derive("pseudonym", whom, for_whom, digest);
	return enc_base64url(a, (struct bytes){digest, sizeof(digest)});
}

/* RFC 9562 5.8: version 8, of a digest. */
static const char *
uuid(struct arena *a, const char *what, const char *whom)
{
	unsigned char d[SHA256_BYTES];

	derive(what, whom, "", d);
	const char *hex = enc_hex(a, (struct bytes){d, 16});

	return arena_printf(a, "%.8s-%.4s-8%.3s-9%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17,
			    hex + 20);
}

/* BundID's pseudonym is one for each host (its interface 6.2). */
static const char *
host_of(struct arena *a, const char *entity_id)
{
	const char *host = strstr(entity_id, "://");

	return host == NULL ? entity_id : arena_strndup(a, host + 3, strcspn(host + 3, ":/?#"));
}

static const char *
pseudonym_of(const struct sim_case *c, const struct sim_person *p)
{
	const char *entity_id = c->portal->party->entity_id;

	if (c->s->kind->of == SIM_ORGANISATION)
		return arena_printf(c->a, "du-%s",
				    pseudonym(c->a,
					      p->organisation == NULL ? p->id : p->organisation,
					      entity_id));
	return p->temporary ? NULL : pseudonym(c->a, p->id, host_of(c->a, entity_id));
}

static const char *
class_of(const struct sim_case *c, enum level level)
{
	if (c->s->kind->of == SIM_ORGANISATION)
		return CLASS_UNSPECIFIED;
	const char *word = level_word(level, LEVEL_VOCAB_STORK);

	return word == NULL ? "STORK-QAA-Level-0" : word;
}

static const char *
level_told(const struct sim_case *c, enum level level)
{
	static const char *const words[] = {
		[LEVEL_NONE] = "unbekannt", [LEVEL_BASIC] = "basisregistrierung",
		[LEVEL_LOW] = "niedrig",    [LEVEL_SUBSTANTIAL] = "substanziell",
		[LEVEL_HIGH] = "hoch",
	};

	return c->s->kind->of == SIM_ORGANISATION ? words[level] : class_of(c, level);
}

/* NULL: there is none. */
static const char *
fact_of(const struct sim_case *c, const struct sim_build *b, enum sim_fact fact)
{
	const struct sim_person *p = b->choice->person;
	const char *name = pseudonym_of(c, p);

	switch (fact) {
	case SIM_PSEUDONYM:
		return name;
	case SIM_OLD_PSEUDONYM:
		return name == NULL ? NULL
				    : arena_printf(c->a, "VT::de.akdb.bpk.sso@%s::%s::%lld",
						   host_of(c->a, c->portal->party->entity_id), name,
						   (long long)c->now * 1000);
	case SIM_LEVEL:
		return level_told(c, b->level);
	case SIM_PROVED_BY:
		return p->method;
	case SIM_VERSION:
		return INTERFACE_VERSION;
	case SIM_MAILBOX:
		return p->temporary ? NULL : uuid(c->a, "mailbox", p->id);
	case SIM_APPLICATION:
		return uuid(c->a, "application", c->r->header.id);
	case SIM_MFA:
		return b->level > LEVEL_BASIC ? "true" : "false";
	case SIM_TEST_ACCOUNT:
		return b->test_account ? "true" : "false";
	case SIM_HELD:
		break;
	}
	return NULL;
}

static const char *const *
one(struct arena *a, const char *value)
{
	const char **values = ARENA_ARRAY(a, const char *, 1);

	values[0] = value;
	return values;
}

/* False: there is no such thing of this person, or it is not given. */
static bool
tell(const struct sim_case *c, const struct sim_build *b, const struct sim_name *name,
     struct saml_attribute *out)
{
	const struct sim_kind *k = c->s->kind;
	const struct sim_value *held = sim_person_value(b->choice->person, name);
	const char *text = held != NULL ? held->text : fact_of(c, b, name->fact);
	enum level level = level_min(held != NULL ? held->level : b->level, b->level);

	if ((text == NULL && held == NULL) ||
	    text_in(b->choice->withheld, b->choice->n_withheld, name->friendly))
		return false;
	*out = (struct saml_attribute){
		.name = name->wire, .name_format = k->name_format, .friendly_name = name->friendly};
	if (k->of == SIM_BUNDID)
		out->trust_level = level_trust_word(level);
	if (text != NULL) {
		out->values = one(c->a, text);
		out->n_values = 1;
	} else {
		out->type_ns = k->type_ns;
		out->type = "AdresseType";
		out->parts = held->parts;
		out->n_parts = held->n_parts;
	}
	return true;
}

/* BundID tells what was asked for; *lacking: what was required and is not there. */
static void
tell_asked(const struct sim_case *c, struct sim_build *b, const char **lacking)
{
	const struct saml_named_list *asked = &c->r->akdb->attributes;
	struct saml_attribute *list = ARENA_ARRAY(c->a, struct saml_attribute, asked->n + 1);
	size_t n = 0;

	for (size_t i = 0; i < asked->n; i++) {
		const struct sim_name *name = sim_name_by_wire(c->s->kind, asked->p[i].name);
		bool again = false;

		for (size_t j = 0; j < i && !again; j++)
			again = strcmp(asked->p[j].name, asked->p[i].name) == 0;
		if (again || (name != NULL && tell(c, b, name, &list[n]) && ++n > 0))
			continue;
		if (asked->p[i].required)
			*lacking = asked->p[i].name;
	}
	b->assertion.attributes = list;
	b->assertion.n_attributes = n;
}

/* The organisation account tells all it has. */
static void
tell_all(const struct sim_case *c, struct sim_build *b)
{
	const struct sim_name *names = c->s->kind->names;
	size_t most = 0, n = 0;

	while (names[most].friendly != NULL)
		most++;
	struct saml_attribute *list = ARENA_ARRAY(c->a, struct saml_attribute, most + 1);

	for (size_t i = 0; i < most; i++)
		if (tell(c, b, &names[i], &list[n]))
			n++;
	b->assertion.attributes = list;
	b->assertion.n_attributes = n;
}

static struct saml_nameid
nameid_of(const struct sim_case *c, const struct sim_person *p)
{
	bool lasts = c->s->kind->of == SIM_ORGANISATION;
	const char *entity_id = c->portal->party->entity_id;

	return (struct saml_nameid){
		.value = lasts ? arena_printf(c->a, "ek-%s", pseudonym(c->a, p->id, entity_id))
			       : rand_xml_id(c->a),
		.format = lasts ? SAML_NAMEID_PERSISTENT : SAML_NAMEID_TRANSIENT,
		.name_qualifier = c->s->entity_id,
		.sp_name_qualifier = entity_id,
	};
}

/* ---- what can be wrong with it ---- */

static void
make_expired(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->assertion.not_before -= LONG_AGO_S;
	b->assertion.not_on_or_after -= LONG_AGO_S;
}

static void
make_early(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->assertion.not_before += LONG_AGO_S;
	b->assertion.not_on_or_after += LONG_AGO_S;
}

static void
make_audience(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->assertion.audience = ELSEWHERE;
}

static void
make_recipient(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->assertion.recipient = ELSEWHERE;
}

static void
make_destination(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->response.destination = ELSEWHERE;
}

static void
make_issuer(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->response.issuer = b->assertion.issuer = ELSEWHERE;
}

static void
make_request(struct sim_case *c, struct sim_build *b)
{
	b->response.in_response_to = b->assertion.in_response_to = rand_xml_id(c->a);
}

static void
make_unsolicited(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->response.in_response_to = b->assertion.in_response_to = NULL;
}

static void
make_lower(struct sim_case *c, struct sim_build *b)
{
	enum level wanted = sim_level_wanted(c);

	b->level = wanted > LEVEL_NONE ? wanted - 1 : LEVEL_BASIC;
}

static void
make_plain(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->policy.encrypt = SAML_ENCRYPT_NEVER;
}

/* The assertion is not, and the Response's signature is cut out afterwards. */
static void
make_unsigned(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->policy.sign = SAML_SIGN_RESPONSE;
}

static void
make_stranger(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->kid = SIM_KID_STRANGER;
}

static void
make_repeated(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->repeat = true;
}

static void
make_test_account(struct sim_case *c UNUSED, struct sim_build *b)
{
	b->test_account = true;
}

static const char *
find_text(struct bytes in, const char *what)
{
	return memmem(in.p, in.n, what, strlen(what));
}

static bool
cut_signature(struct sim_case *c, struct bytes xml, struct bytes *out, struct err *err)
{
	static const char end[] = "</ds:Signature>";
	const char *text = (const char *)xml.p;
	const char *from = find_text(xml, "<ds:Signature "), *to = find_text(xml, end);

	if (from == NULL || to == NULL || to < from) /* second line: the writer has just made it */
		return FAIL(err, ERR_INTERNAL, NULL, "no signature to cut out");
	to += strlen(end);
	*out = bytes_of(arena_printf(c->a, "%.*s%.*s", (int)(from - text), text,
				     (int)(xml.n - (size_t)(to - text)), to));
	return true;
}

/* A letter of what is encrypted: the signature over the Response does not hold any more. */
static bool
alter(struct sim_case *c, struct bytes xml, struct bytes *out, struct err *err)
{
	static const char end[] = "</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>";
	char *text = arena_strndup(c->a, (const char *)xml.p, xml.n);
	char *at = strstr(text, end);

	if (at == NULL || at - text < 64) /* second line: the writer has just encrypted */
		return FAIL(err, ERR_INTERNAL, NULL, "nothing encrypted to alter");
	at[-32] = at[-32] == 'A' ? 'B' : 'A';
	*out = bytes_of(text);
	return true;
}

static bool
repeat_message(struct sim_case *c, struct bytes xml UNUSED, struct bytes *out, struct err *err)
{
	pthread_mutex_lock(&c->s->lock);
	const char *message =
		c->portal->message == NULL ? NULL : arena_strdup(c->a, c->portal->message);

	pthread_mutex_unlock(&c->s->lock);
	if (message == NULL)
		return FAIL(err, ERR_CONFLICT, NULL, "there is no answer yet to be repeated");
	*out = bytes_of(message);
	return true;
}

#define BOTH      (SIM_BUNDID | SIM_ORGANISATION)
#define RESPONDER SAML_RESPONDER

/* Good ones first. */
static const struct sim_outcome outcomes[] = {
	{"success", BOTH, false, NULL, NULL, NULL, NULL},
	{"cancelled", BOTH, false, RESPONDER, SAML_AUTHN_FAILED, NULL, NULL},
	{"level-not-reached", BOTH, false, RESPONDER, SAML_NO_AUTHN_CONTEXT, NULL, NULL},
	{"consent-refused", BOTH, false, RESPONDER, SAML_REQUEST_DENIED, NULL, NULL},
	{"technical-error", BOTH, false, RESPONDER, NULL, NULL, NULL},
	{"test-account", SIM_ORGANISATION, false, NULL, NULL, make_test_account, NULL},
	{"expired", BOTH, true, NULL, NULL, make_expired, NULL},
	{"not-yet-valid", BOTH, true, NULL, NULL, make_early, NULL},
	{"wrong-audience", BOTH, true, NULL, NULL, make_audience, NULL},
	{"wrong-recipient", BOTH, true, NULL, NULL, make_recipient, NULL},
	{"wrong-destination", BOTH, true, NULL, NULL, make_destination, NULL},
	{"wrong-issuer", BOTH, true, NULL, NULL, make_issuer, NULL},
	{"wrong-in-response-to", BOTH, true, NULL, NULL, make_request, NULL},
	{"unsolicited", BOTH, true, NULL, NULL, make_unsolicited, NULL},
	{"lower-level", BOTH, true, NULL, NULL, make_lower, NULL},
	{"unencrypted", BOTH, true, NULL, NULL, make_plain, NULL},
	{"unsigned", BOTH, true, NULL, NULL, make_unsigned, cut_signature},
	{"stranger", BOTH, true, NULL, NULL, make_stranger, NULL},
	{"altered", BOTH, true, NULL, NULL, NULL, alter},
	{"replayed", BOTH, true, NULL, NULL, NULL, repeat_message},
	{"same-assertion", BOTH, true, NULL, NULL, make_repeated, NULL},
};

const struct sim_outcome *
sim_outcome_at(size_t i)
{
	return i < ARRAY_LEN(outcomes) ? &outcomes[i] : NULL;
}

const struct sim_outcome *
sim_outcome_find(const struct sim_kind *k, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
		if ((outcomes[i].of & k->of) != 0 && text_eq(outcomes[i].name, name))
			return &outcomes[i];
	return NULL;
}

/* ---- making it ---- */

/* What is told instead of a person. */
static bool
send_status(struct sim_case *c, const struct saml_status *status, struct saml_carrier *out,
	    struct err *err)
{
	const struct saml_policy policy = {.encrypt = SAML_ENCRYPT_ALWAYS};
	const struct saml_response response = {
		.id = rand_xml_id(c->a),
		.issuer = c->s->entity_id,
		.binding = SAML_BINDING_POST,
		.destination = c->acs->url,
		.in_response_to = c->r->header.id,
		.relay_state = saml_message_relay_state(c->m),
		.issued_at = c->now,
		.status = *status,
	};
	struct saml_signer signer;
	const struct saml_peer peer = {c->portal->party, &policy, &signer};

	return simulate_signer(c->a, c->s, SIM_KID_SIGN, &signer, err) &&
	       saml_response_build(c->a, &response, &peer, out, err);
}

/* The messages of our own statuses are Kontor's; a detail is as BundID has it. */
static struct saml_status
status_named(const struct sim_case *c, const char *name, const char *about)
{
	bool detail = c->r->akdb != NULL && c->r->akdb->enable_status_detail;
	struct saml_status status =
		detail ? saml_status_detailed(c->a, name, about) : saml_status_of(name);

	if (status.detail == NULL)
		status.message = NULL;
	return status;
}

bool
sim_refuse(struct sim_case *c, struct saml_carrier *out, struct err *err)
{
	if (c->status == NULL)
		return FAIL(err, ERR_DENIED, NULL, "nobody can be told of this");
	const struct saml_status status = status_named(c, c->status, c->status);

	return send_status(c, &status, out, err);
}

static struct sim_build
begin(struct sim_case *c, const struct sim_choice *choice)
{
	struct net_addr addr;
	struct sim_build b = {
		.choice = choice,
		.level = choice->level != LEVEL_NONE ? choice->level : choice->person->level,
		.policy = {.sign = SAML_SIGN_BOTH, .encrypt = SAML_ENCRYPT_ALWAYS},
		.kid = SIM_KID_SIGN,
		.assertion = {.id = rand_xml_id(c->a),
			      .issuer = c->s->entity_id,
			      .audience = c->portal->party->entity_id,
			      .recipient = c->acs->url,
			      .in_response_to = c->r->header.id,
			      .nameid = nameid_of(c, choice->person),
			      .issued_at = c->now,
			      .not_before = c->now - ASSERTION_SKEW_S,
			      .not_on_or_after = c->now + ASSERTION_LIVES_S,
			      .authn_at = c->now,
			      .session_index = rand_xml_id(c->a)},
		.response = {.id = rand_xml_id(c->a),
			     .issuer = c->s->entity_id,
			     .binding = SAML_BINDING_POST,
			     .destination = c->acs->url,
			     .in_response_to = c->r->header.id,
			     .relay_state = saml_message_relay_state(c->m),
			     .issued_at = c->now,
			     .status = {.code = SAML_SUCCESS}},
	};

	if (c->address != NULL && net_addr_parse(c->address, &addr))
		b.assertion.address = c->address;
	return b;
}

static void
keep(void *arg)
{
	struct sim_case *c = arg;
	struct sim_portal *p = c->portal;

	p->assertion_id = arena_strdup(p->last, p->assertion_id);
	p->message = arena_strdup(p->last, p->message);
}

/* For who wants it again. */
static void
remember(struct sim_case *c, const struct sim_build *b, struct bytes xml)
{
	struct sim_portal *p = c->portal;

	pthread_mutex_lock(&c->s->lock);
	arena_reset(p->last);
	p->assertion_id = b->assertion.id;
	p->message = arena_strndup(c->a, (const char *)xml.p, xml.n);
	if (!arena_run(p->last, keep, c))
		p->assertion_id = p->message = NULL;
	pthread_mutex_unlock(&c->s->lock);
}

static bool
same_assertion(struct sim_case *c, struct sim_build *b, struct err *err)
{
	pthread_mutex_lock(&c->s->lock);
	const char *id = c->portal->assertion_id == NULL
				 ? NULL
				 : arena_strdup(c->a, c->portal->assertion_id);

	pthread_mutex_unlock(&c->s->lock);
	if (id == NULL)
		return FAIL(err, ERR_CONFLICT, NULL, "there is no answer yet to be repeated");
	b->assertion.id = id;
	return true;
}

static bool
send_login(struct sim_case *c, struct sim_build *b, struct saml_carrier *out, struct err *err)
{
	const struct sim_outcome *o = b->choice->outcome;
	struct saml_signer signer;
	const struct saml_peer peer = {c->portal->party, &b->policy, &signer};
	struct bytes xml;

	b->assertion.class_ref = class_of(c, b->level);
	b->response.assertion = &b->assertion;
	if ((b->repeat && !same_assertion(c, b, err)) ||
	    !simulate_signer(c->a, c->s, b->kid, &signer, err) ||
	    !saml_response_build(c->a, &b->response, &peer, out, err))
		return false;
	/* The form goes to the portal whatever the message says. */
	out->action = c->acs->url;
	if (!dec_base64(c->a, bytes_of(out->value), true, &xml, err)) /* second line: it is ours */
		return false;
	if (o->after != NULL) {
		if (!o->after(c, xml, &xml, err))
			return false;
		out->value = enc_base64(c->a, xml);
	} else if (!o->broken) {
		remember(c, b, xml);
	}
	return true;
}

/* What a provider would say instead of yes; NULL: nothing stands against it. */
static const char *
obstacle(struct sim_case *c, const struct sim_build *b)
{
	if (b->choice->outcome->broken)
		return NULL;
	if (!sim_method_allowed(c, b->choice->person))
		return SAML_WHY_NO_MEANS;
	return b->level < sim_level_wanted(c) ? SAML_NO_AUTHN_CONTEXT : NULL;
}

bool
sim_answer(struct sim_case *c, const struct sim_choice *choice, struct saml_carrier *out,
	   struct err *err)
{
	const struct sim_outcome *o = choice->outcome;
	struct sim_build b = begin(c, choice);
	const char *why = NULL, *lacking = NULL;

	if (o->code != NULL) {
		const struct saml_status status = {.code = o->code, .subcode = o->subcode};

		return send_status(c, &status, out, err);
	}
	if (o->before != NULL)
		o->before(c, &b);
	if (c->s->kind->of == SIM_BUNDID)
		tell_asked(c, &b, &lacking);
	else
		tell_all(c, &b);
	why = obstacle(c, &b);
	if (why == NULL && lacking != NULL && !o->broken)
		why = SAML_WHY_ATTRIBUTE_MISSING;
	if (why != NULL) {
		const struct saml_status status = status_named(c, why, lacking);

		return send_status(c, &status, out, err);
	}
	return send_login(c, &b, out, err);
}
