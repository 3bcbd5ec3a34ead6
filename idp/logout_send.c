/* Telling parties that a session is over; see logout_send.h. */
#include "idp/logout_send.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

/* ---- whom ---- */

/*
 * Of one telling: a LogoutRequest names all sessions of a name (SAML2Core 3.7.1), a logout token
 * one (Back-Channel Logout 1.0, 2.4).
 */
static bool
is_told_with(const struct db_participant *x, const struct db_participant *y)
{
	return text_eq(x->party, y->party) && text_eq(x->name_id, y->name_id) &&
	       (text_eq(x->dialect, "saml") || text_eq(x->session_index, y->session_index));
}

/*
 * Of the sessions that are told together with list[first], the latest first, those from the
 * *next-th of them on, as many as one request may name.
 */
static json_t *
content_of(struct arena *a, const struct db_participant *list, size_t n, size_t first, size_t *next)
{
	json_t *o = json_new_object(a), *sessions = json_new_array(a);
	size_t seen = 0;

	json_put_str(a, o, "name_id", list[first].name_id);
	json_put_str(a, o, "format", list[first].name_format);
	for (size_t i = n; i > first; i--) {
		if (!is_told_with(&list[i - 1], &list[first]) ||
		    list[i - 1].session_index[0] == '\0' || seen++ < *next)
			continue;
		if (json_array_size(sessions) == SAML_SESSION_INDEXES_MAX)
			break;
		json_push_str(a, sessions, list[i - 1].session_index);
	}
	*next += json_array_size(sessions);
	json_put(a, o, "sessions", sessions);
	return o;
}

/* Of how many sessions it is told with list[first]. */
static size_t
count_told_with(const struct db_participant *list, size_t n, size_t first)
{
	size_t count = 0;

	for (size_t i = first; i < n; i++)
		count += is_told_with(&list[i], &list[first]) && list[i].session_index[0] != '\0';
	return count;
}

static bool
is_repeated(const struct db_participant *list, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (is_told_with(&list[i], &list[j]))
			return true;
	return false;
}

static bool
hears_soap(const struct party *p)
{
	return p->saml != NULL && saml_party_slo(p->saml, SAML_BINDING_SOAP) != NULL;
}

static bool
hears_tokens(const struct party *p)
{
	return p->oidc != NULL && p->oidc->backchannel_logout_uri != NULL;
}

static bool
sends_back(const struct party *p)
{
	return p->saml != NULL && saml_party_slo(p->saml, SAML_BINDING_NONE) != NULL;
}

static bool
is_framed(const struct party *p)
{
	return p->oidc != NULL && p->oidc->frontchannel_logout_uri != NULL;
}

/* The first that reaches it: the back channel, then the browser (SAML2Profiles 4.4.3.3). */
static const struct way {
	enum db_channel channel;
	const char *kind; /* of the outbox */
	bool (*reaches)(const struct party *p);
} ways[] = {
	{DB_CHANNEL_OUTBOX, LOGOUT_SAML_KIND, hears_soap},
	{DB_CHANNEL_OUTBOX, LOGOUT_OIDC_KIND, hears_tokens},
	{DB_CHANNEL_FRONT, NULL, sends_back},
	{DB_CHANNEL_FRAME, NULL, is_framed},
};

static const struct way *
way_to(const struct logout_plan *plan, const struct party *p)
{
	static const struct way none = {DB_CHANNEL_NONE, NULL, NULL};

	for (size_t i = 0; p != NULL && i < ARRAY_LEN(ways); i++)
		if ((ways[i].channel == DB_CHANNEL_OUTBOX || plan->by_browser) &&
		    ways[i].reaches(p))
			return &ways[i];
	return &none;
}

/*
 * SAML2Core 3.7.3.2: who asked hears of what it did not name itself, other logins of the session
 * that ends with the one it named.  A client of OpenID Connect is told, too, where
 * it says how (Back-Channel Logout 1.0, 2.5, Front-Channel Logout 1.0, 3).
 */
static bool
knows_already(const struct logout_plan *plan, const struct db_participant *p)
{
	const struct saml_logout_request *r = plan->named;
	const struct party *asker = party_find(plan->parties, p->party);

	if (!text_eq(p->party, plan->asker))
		return false;
	if (asker != NULL && asker->oidc != NULL)
		return way_to(plan, asker)->channel == DB_CHANNEL_NONE;
	return r == NULL || (text_eq(p->name_id, r->nameid.value) &&
			     (r->n_session_indexes == 0 ||
			      text_in(r->session_index, r->n_session_indexes, p->session_index)));
}

/* Of those who took part, those who have to hear of it. */
static const struct db_participant *
hearers(const struct logout_plan *plan, struct arena *a, const struct db_participant *list,
	size_t *n)
{
	struct db_participant *rest = ARENA_ARRAY(a, struct db_participant, *n + 1);
	size_t used = 0;

	for (size_t i = 0; i < *n; i++)
		if (!knows_already(plan, &list[i]))
			rest[used++] = list[i];
	*n = used;
	return rest;
}

void
logout_plan(void *ctx, struct arena *a, const struct db_participant *list, size_t n,
	    const struct db_told **out, size_t *n_out)
{
	struct logout_plan *plan = ctx;
	struct db_told *told = ARENA_ARRAY(a, struct db_told, n + 1);
	size_t used = 0;

	list = hearers(plan, a, list, &n);
	for (size_t i = 0; i < n; i++) {
		if (is_repeated(list, i))
			continue;
		const struct way *w = way_to(plan, party_find(plan->parties, list[i].party));
		size_t sessions = count_told_with(list, n, i), next = 0;

		do
			told[used++] = (struct db_told){
				.party = list[i].party,
				.channel = w->channel,
				.kind = w->kind,
				.content = json_text(a, content_of(a, list, n, i, &next), false),
			};
		while (next < sessions);
	}
	plan->n += used;
	*out = told;
	*n_out = used;
}

/* ---- with what ---- */

bool
logout_content_read(struct arena *a, const char *content, struct logout_content *out,
		    struct err *err)
{
	struct logout_content c = {0};
	const char **sessions = NULL;
	json_t *o;

	if (!json_parse_object(a, bytes_of(content), strlen(content), &o, err) ||
	    !json_get_str(o, "name_id", &c.name_id, err) ||
	    !json_get_str(o, "format", &c.format, err) ||
	    !json_get_strs(a, o, "sessions", SAML_SESSION_INDEXES_MAX, &sessions, &c.n_sessions,
			   err))
		return false;
	if (c.name_id == NULL)
		return FAIL(err, ERR_INTERNAL, NULL, "a stored logout without a name");
	if (c.format != NULL && c.format[0] == '\0')
		c.format = NULL;
	c.sessions = sessions;
	*out = c;
	return true;
}
