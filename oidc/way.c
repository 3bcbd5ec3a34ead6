/* The tables of response types and modes; see way.h. */
#include "oidc/way.h"

#include <string.h>

#include "base/text.h"
#include "oidc/error.h"

/* No access token leaves by the browser (docs/decisions/0022). */
static const struct {
	const char *words[2]; /* in any order */
	const char *text;
	enum oidc_type type;
	enum oidc_mode mode; /* unless the request names one */
} types[] = {
	{{"code", NULL}, "code", OIDC_TYPE_CODE, OIDC_MODE_QUERY},
	{{"code", "id_token"}, "code id_token", OIDC_TYPE_CODE_ID_TOKEN, OIDC_MODE_FRAGMENT},
};

static const struct {
	const char *text;
	enum oidc_mode mode; /* 0: the type's own */
	bool jwt;
} modes[] = {
	{"query", OIDC_MODE_QUERY, false},
	{"fragment", OIDC_MODE_FRAGMENT, false},
	{"form_post", OIDC_MODE_FORM_POST, false},
	{"query.jwt", OIDC_MODE_QUERY, true},
	{"fragment.jwt", OIDC_MODE_FRAGMENT, true},
	{"form_post.jwt", OIDC_MODE_FORM_POST, true},
	{"jwt", 0, true},
};

/* Is the text these words, separated by single spaces, each once? */
static bool
is_words(const char *text, const char *const words[2])
{
	size_t first = strcspn(text, " ");

	if (words[1] == NULL)
		return strcmp(text, words[0]) == 0;
	for (int i = 0; i < 2 && text[first] == ' '; i++)
		if (strlen(words[i]) == first && strncmp(text, words[i], first) == 0)
			return strcmp(text + first + 1, words[1 - i]) == 0;
	return false;
}

/* The number of rows: none of ours. */
static size_t
type_row(const char *text)
{
	size_t i = 0;

	while (i < ARRAY_LEN(types) && (text == NULL || !is_words(text, types[i].words)))
		i++;
	return i;
}

static size_t
mode_row(const char *text)
{
	size_t i = 0;

	while (i < ARRAY_LEN(modes) && !text_eq(text, modes[i].text))
		i++;
	return i;
}

enum oidc_type
oidc_type_of(const char *text)
{
	size_t i = type_row(text);

	return i < ARRAY_LEN(types) ? types[i].type : 0;
}

struct oidc_way
oidc_way_of(const char *type, const char *mode)
{
	size_t t = type_row(type), m = mode_row(mode);
	struct oidc_way way = {.mode = OIDC_MODE_QUERY};

	if (t < ARRAY_LEN(types))
		way = (struct oidc_way){types[t].type, types[t].mode, false};
	else if (type != NULL && strstr(type, "token") != NULL)
		way.mode = OIDC_MODE_FRAGMENT; /* where its client listens */
	if (m == ARRAY_LEN(modes))
		return way;
	way.jwt = modes[m].jwt;
	if (modes[m].mode != 0 && (modes[m].mode != OIDC_MODE_QUERY || way.type == OIDC_TYPE_CODE))
		way.mode = modes[m].mode;
	return way;
}

bool
oidc_way_check(const char *type, const char *mode, unsigned registered, struct err *err)
{
	enum oidc_type t = oidc_type_of(type);

	if (type == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "response_type is missing");
	if (t == 0)
		return FAIL(err, ERR_INPUT, OIDC_UNSUPPORTED_RESPONSE_TYPE,
			    "response_type is not one of ours");
	if ((registered & t) == 0)
		return FAIL(err, ERR_INPUT, OIDC_UNAUTHORIZED_CLIENT,
			    "response_type is not one of the client's");
	if (mode == NULL)
		return true;
	size_t m = mode_row(mode);

	if (m == ARRAY_LEN(modes))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST,
			    "response_mode is not one of ours");
	/* Multiple Response Types 5: nothing with a token is put into a query. */
	if (modes[m].mode == OIDC_MODE_QUERY && t != OIDC_TYPE_CODE)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "an ID token in a query");
	return true;
}

struct oidc_strs
oidc_types(struct arena *a)
{
	const char **s = ARENA_ARRAY(a, const char *, ARRAY_LEN(types));

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		s[i] = types[i].text;
	return (struct oidc_strs){s, ARRAY_LEN(types)};
}

struct oidc_strs
oidc_modes(struct arena *a)
{
	const char **s = ARENA_ARRAY(a, const char *, ARRAY_LEN(modes));

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		s[i] = modes[i].text;
	return (struct oidc_strs){s, ARRAY_LEN(modes)};
}
