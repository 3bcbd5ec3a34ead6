/* The state table of a login; see flow_state.h. */
#include "idp/flow_state.h"

typedef bool (*flow_guard)(const struct flow_facts *f);

static bool
expired(const struct flow_facts *f)
{
	return f->expired;
}

static bool
party_gone(const struct flow_facts *f)
{
	return !f->party_enabled;
}

static bool
unreachable(const struct flow_facts *f)
{
	return f->wanted > f->reachable;
}

static bool
home_cancelled(const struct flow_facts *f)
{
	return f->home_cancelled;
}

static bool
home_refused(const struct flow_facts *f)
{
	return f->home_refused;
}

static bool
home_below(const struct flow_facts *f)
{
	return f->home_below;
}

static bool
below_level(const struct flow_facts *f)
{
	return !f->session_usable || f->session == LEVEL_NONE || f->session < f->wanted;
}

static bool
passive_below_level(const struct flow_facts *f)
{
	return f->passive && below_level(f);
}

static bool
no_session(const struct flow_facts *f)
{
	return !f->session_usable || f->session == LEVEL_NONE;
}

static bool
other_person(const struct flow_facts *f)
{
	return f->other_person;
}

static bool
required_missing(const struct flow_facts *f)
{
	return f->required_missing;
}

static bool
passive_consent(const struct flow_facts *f)
{
	return f->passive && f->consent_needed;
}

static bool
consent_needed(const struct flow_facts *f)
{
	return f->consent_needed;
}

static bool
always(const struct flow_facts *f UNUSED)
{
	return true;
}

/* In order: the first guard that holds names the state. */
static const struct {
	flow_guard guard;
	enum flow_state state;
} rules[] = {
	{party_gone, FLOW_PARTY_GONE},
	{expired, FLOW_EXPIRED},
	{unreachable, FLOW_UNREACHABLE},
	{home_cancelled, FLOW_CANCELLED},
	{home_refused, FLOW_REFUSED},
	{home_below, FLOW_UNREACHABLE},
	{passive_below_level, FLOW_PASSIVE_LOGIN},
	{no_session, FLOW_LOGIN},
	{below_level, FLOW_STEP_UP},
	{other_person, FLOW_OTHER_PERSON},
	{required_missing, FLOW_MISSING},
	{passive_consent, FLOW_PASSIVE_CONSENT},
	{consent_needed, FLOW_CONSENT},
	{always, FLOW_ANSWER},
};

/* Each event with the states that take it, as bits. */
#define IN(state) (1U << (state))
static const unsigned event_states[FLOW_EVENT_COUNT] = {
	[FLOW_EVENT_LOGIN] = IN(FLOW_LOGIN),
	[FLOW_EVENT_STEP_UP] = IN(FLOW_STEP_UP),
	[FLOW_EVENT_HOME] = IN(FLOW_LOGIN) | IN(FLOW_STEP_UP),
	[FLOW_EVENT_CONSENT] = IN(FLOW_CONSENT),
	[FLOW_EVENT_CANCEL] =
		/* At an answer: what was asked was settled elsewhere since the page was shown. */
	IN(FLOW_LOGIN) | IN(FLOW_STEP_UP) | IN(FLOW_MISSING) | IN(FLOW_CONSENT) | IN(FLOW_ANSWER),
	[FLOW_EVENT_RESTART] = IN(FLOW_EXPIRED),
};

static const char *const state_names[FLOW_STATE_COUNT] = {
	[FLOW_EXPIRED] = "expired",
	[FLOW_PARTY_GONE] = "party_gone",
	[FLOW_CANCELLED] = "cancelled",
	[FLOW_REFUSED] = "refused",
	[FLOW_UNREACHABLE] = "unreachable",
	[FLOW_PASSIVE_LOGIN] = "passive_login",
	[FLOW_LOGIN] = "login",
	[FLOW_STEP_UP] = "step_up",
	[FLOW_OTHER_PERSON] = "other_person",
	[FLOW_MISSING] = "missing",
	[FLOW_PASSIVE_CONSENT] = "passive_consent",
	[FLOW_CONSENT] = "consent",
	[FLOW_ANSWER] = "answer",
};

static const char *const event_names[FLOW_EVENT_COUNT] = {
	[FLOW_EVENT_LOGIN] = "login",   [FLOW_EVENT_STEP_UP] = "step_up",
	[FLOW_EVENT_HOME] = "home",     [FLOW_EVENT_CONSENT] = "consent",
	[FLOW_EVENT_CANCEL] = "cancel", [FLOW_EVENT_RESTART] = "restart",
};

enum flow_state
flow_state_of(const struct flow_facts *facts)
{
	size_t i = 0;

	while (!rules[i].guard(facts))
		i++;
	return rules[i].state;
}

bool
flow_event_allowed(enum flow_state state, enum flow_event event)
{
	if ((unsigned)event >= FLOW_EVENT_COUNT || (unsigned)state >= FLOW_STATE_COUNT)
		return false;
	return (event_states[event] & IN(state)) != 0;
}

const char *
flow_state_name(enum flow_state state)
{
	return (unsigned)state < FLOW_STATE_COUNT ? state_names[state] : "unknown";
}

const char *
flow_event_name(enum flow_event event)
{
	return (unsigned)event < FLOW_EVENT_COUNT ? event_names[event] : "unknown";
}
