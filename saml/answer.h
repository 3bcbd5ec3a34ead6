/*
 * The answer of another identity provider to an AuthnRequest of ours (SAML2Profiles 4.1.4):
 * from the octets of a form to what may be believed of a login there.  struct saml_answer is
 * what somebody's browser brought and proves nothing; struct saml_answered is made by
 * saml_answer_verify and nowhere else, from the provider that was asked, for the request that was
 * sent, at the place it was sent from, in its time.
 *
 * Whatever a check needs and does not find is a refusal.
 */
#ifndef KONTOR_SAML_ANSWER_H
#define KONTOR_SAML_ANSWER_H

#include "saml/message.h"
#include "saml/nameid.h"

struct saml_answer; /* lives in the arena it was decoded into */

/* Take apart what came by HTTP-POST: `raw` is the form as received.  ERR_INPUT. */
MUST_USE bool saml_answer_decode(struct arena *a, struct bytes raw, const struct saml_answer **out,
				 struct err *err);

/* To look up what was asked, which alone says whom to believe.  NULL: there was none. */
const char *saml_answer_relay_state(const struct saml_answer *m);

/* What the provider has to sign at least.  What it signs beside that has to verify, too. */
enum saml_answer_signed {
	SAML_ANSWER_BOTH = 0,  /* Response and assertion */
	SAML_ANSWER_RESPONSE,  /* the Response, whose octets then hold the assertion */
	SAML_ANSWER_ASSERTION, /* the assertion; a Response that reports a failure proves nothing */
};

/* What was asked. */
struct saml_asked {
	const struct saml_party *idp; /* whom: nobody else's answer counts */
	enum saml_answer_signed rule;
	const char *our_entity_id, *acs_url;
	const char *request_id;
	const char *final_party; /* entityID of who is told at last; NULL: none that has one */
	time_t asked_at;
	bool encrypted;     /* a plain assertion is refused */
	int64_t lifetime_s; /* after it was made it counts so long; 0: five minutes */
};

#define SAML_ANSWER_AUTHORITIES_MAX 8
#define SAML_ANSWER_VALUES_MAX      16

struct saml_told_attribute {
	const char *name, *name_format;      /* format NULL: left out */
	const char *trust_level;             /* akdb:TrustLevel; NULL: none */
	const struct xml_node *const *value; /* saml:AttributeValue elements */
	size_t n_values;
};

enum saml_outcome {
	SAML_OUTCOME_FAILED = 0, /* what else went wrong there */
	SAML_OUTCOME_CANCELLED,  /* the person did not log in there */
	SAML_OUTCOME_LEVEL,      /* the level asked is not to be had there */
	SAML_OUTCOME_REFUSED,    /* the person did not consent */
	SAML_OUTCOME_LOGIN,      /* all below is set, and only then */
};

struct saml_answered {
	enum saml_outcome outcome;
	const char *status, *substatus; /* for the log; NULL */
	const char *assertion_id;       /* to be marked as used, once, by issuer ... */
	time_t expires;                 /* ... until this time, which is the assertion's own */
	struct saml_nameid nameid;
	const char *class_ref;
	time_t authn_at;
	const char *authorities[SAML_ANSWER_AUTHORITIES_MAX]; /* who asserted before it */
	size_t n_authorities;
	const struct saml_told_attribute *attributes; /* no two of one name */
	size_t n_attributes;
};

/* Clocks a minute apart, and five minutes on the way. */
extern const struct saml_window saml_answer_window;

/*
 * ERR_DENIED: not signed as the rule wants, of another provider, for another request, place or
 * audience, out of its time, with a condition that we do not know or cannot keep; ERR_INPUT: not
 * as the schema has it, not exactly one assertion, what does not open.  `keys` open encrypted
 * assertions, of Responses whose signature has been verified, or by a rule that does without.
 */
MUST_USE bool saml_answer_verify(struct arena *a, const struct saml_answer *m,
				 const struct saml_asked *asked, const struct xmlenc_keys *keys,
				 time_t now, const struct saml_answered **out, struct err *err);

/* The text of a value that is plain text; NULL: it holds elements.  Trimmed. */
const char *saml_told_text(struct arena *a, const struct xml_node *value);

/* The attribute of this name; NULL: none. */
const struct saml_told_attribute *saml_told_find(const struct saml_answered *s, const char *name);

#endif
