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

static json_t *
content_of(struct arena *a, const struct db_participant *list, size_t n, size_t first)
{
	json_t *o = json_new_object(a), *sessions = json_new_array(a);

	json_put_str(a, o, "name_id", list[first].name_id);
	json_put_str(a, o, "format", list[first].name_format);
	for (size_t i = first; i < n; i++)
		if (is_told_with(&list[i], &list[first]) && list[i].session_index[0] != '\0' &&
		    json_array_size(sessions) < SAML_SESSION_INDEXES_MAX)
			json_push_str(a, sessions, list[i].session_index);
	json_put(a, o, "sessions", sessions);
	return o;
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

void
logout_plan(void *ctx, struct arena *a, const struct db_participant *list, size_t n,
	    const struct db_told **out, size_t *n_out)
{
	struct logout_plan *plan = ctx;
	struct db_told *told = ARENA_ARRAY(a, struct db_told, n + 1);
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (text_eq(list[i].party, plan->asker) || is_repeated(list, i))
			continue;
		const struct way *w = way_to(plan, party_find(plan->parties, list[i].party));

		told[used++] = (struct db_told){
			.party = list[i].party,
			.channel = w->channel,
			.kind = w->kind,
			.content = json_text(a, content_of(a, list, n, i), false),
		};
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
