/* What another provider's answer means in our words; see home_part.h. */
#include "idp/home_part.h"

#include <string.h>

#include "base/enc.h"
#include "base/rand.h"
#include "base/text.h"
#include "idp/config.h"
#include "saml/extensions.h"
#include "saml/names.h"

#define IDENTITY_MAX 1024
#define PROVED_BY    "urn:oid:1.3.6.1.4.1.25484.494450.2" /* AssertionProvedBy */

/* ---- level ---- */

enum level
home_level_of_word(const struct upstream *from, const char *word)
{
	for (size_t i = 0; i < from->policy.n_level_words; i++)
		if (text_eq(from->policy.level_words[i].word, word))
			return from->policy.level_words[i].level;
	return level_from_word(word);
}

/* The only value of an attribute, as text; NULL: it is not there, or not so. */
static const char *
only_text(struct arena *a, const struct saml_answered *s, const char *name)
{
	const struct saml_told_attribute *at = saml_told_find(s, name);

	return at == NULL || at->n_values != 1 ? NULL : saml_told_text(a, at->value[0]);
}

/* The lowest that the kind's attributes say; any that is missing says nothing. */
static bool
level_of_attributes(struct request *rq, const struct upstream *from, const struct saml_answered *s,
		    enum level *out, struct err *err)
{
	const char **names;
	size_t n;

	*out = LEVEL_HIGH;
	if (!text_words(rq->a, from->kind->level, 4, &names, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		*out = level_min(*out, home_level_of_word(from, only_text(rq->a, s, names[i])));
	return true;
}

bool
home_level_fits(const struct upstream *from, enum level told, enum level wanted, struct err *err)
{
	if (told == LEVEL_NONE)
		return FAIL(err, ERR_DENIED, NULL, "a level that we do not know");
	if (told > from->policy.level_cap)
		return FAIL(err, ERR_DENIED, NULL, "a level above the provider's cap");
	return told >= wanted || FAIL(err, ERR_DENIED, NULL, "a level below what was asked");
}

static bool
level_of(struct request *rq, const struct upstream *from, enum level wanted,
	 const struct saml_answered *s, enum level *out, struct err *err)
{
	*out = home_level_of_word(from, s->class_ref);
	if (from->kind->level != NULL && !level_of_attributes(rq, from, s, out, err))
		return false;
	return home_level_fits(from, *out, wanted, err);
}

/* ---- who ---- */

/* A name that does not last is told of this login alone: another one each time. */
static const char *
passing_name(struct arena *a)
{
	return arena_printf(a, "passing %s", rand_token(a, 16));
}

static bool
name_of(struct request *rq, const struct upstream *from, const struct saml_answered *s,
	const char **out, struct err *err)
{
	const char *by =
		from->policy.identify != NULL ? from->policy.identify : from->kind->identify;

	if (by == NULL && !text_eq(s->nameid.format, SAML_NAMEID_PERSISTENT))
		*out = NULL;
	else if (by == NULL || strcmp(by, "nameid") == 0)
		*out = s->nameid.value;
	else
		*out = only_text(rq->a, s, by);
	if (*out != NULL && ((*out)[0] == '\0' || strlen(*out) > IDENTITY_MAX))
		return FAIL(err, ERR_DENIED, NULL, "a person's name of %zu octets", strlen(*out));
	return true;
}

bool
home_is_in_scope(const struct upstream *from, const char *identity)
{
	const char *at = identity == NULL ? NULL : strrchr(identity, '@');

	if (!from->policy.scoped)
		return true;
	for (size_t i = 0; at != NULL && i < from->policy.n_scopes; i++)
		if (strcmp(at + 1, from->policy.scopes[i]) == 0)
			return true;
	return false;
}

static bool
identity_of(struct request *rq, const struct upstream *from, const struct saml_answered *s,
	    const char **out, struct err *err)
{
	if (!name_of(rq, from, s, out, err))
		return false;
	if (!home_is_in_scope(from, *out))
		return FAIL(err, ERR_DENIED, NULL, "somebody whom the provider may not speak for");
	if (*out == NULL)
		*out = passing_name(rq->a);
	return true;
}

/* ---- attributes ---- */

/* The organisation account writes dd.MM.yyyy. */
static const char *
date_of(struct arena *a, const char *text)
{
	if (strlen(text) != 10 || text[2] != '.' || text[5] != '.')
		return text;
	return arena_printf(a, "%s-%.2s-%.2s", text + 6, text + 3, text);
}

const char *
home_value_of(struct arena *a, const struct attribute *at, const char *text)
{
	const char *value;

	if (text == NULL || !text_nfc(a, text, &value, NULL))
		return NULL;
	if (at->shape == ATTRIBUTE_DATE)
		value = date_of(a, value);
	/* As cards have it (BundID interface 6). */
	if (at->shape == ATTRIBUTE_COUNTRY && strcmp(value, "D") == 0)
		value = "DE";
	return attribute_check_value(at, value, NULL) ? value : NULL;
}

/* An address in one value stands for several of ours, and is none of them. */
static bool
is_one_of_ours(const char *name, const struct attribute *at)
{
	size_t n = 0;

	if (!vocabulary_names(name, at))
		return false;
	for (const struct attribute *other = attributes; other->name != NULL; other++)
		n += vocabulary_names(name, other);
	return n == 1;
}

static enum level
level_of_attribute(const struct upstream *from, const struct saml_told_attribute *told,
		   enum level login)
{
	enum level level = told->trust_level != NULL       ? level_from_word(told->trust_level)
			   : from->kind->levels_attributes ? from->policy.attribute_level
							   : login;

	return level_min(level, login);
}

void
home_put_held(struct arena *a, json_t *list, const struct attribute *at, const char *value,
	      enum level level)
{
	json_t *row = json_new_object(a);

	json_put_str(a, row, "name", at->name);
	json_put_str(a, row, "value", value);
	json_put_i64(a, row, "level", level);
	json_push(a, list, row);
}

static void
add_held(struct request *rq, const struct upstream *from, const struct saml_answered *s,
	 const struct attribute *at, enum level login, json_t *list)
{
	for (size_t i = 0; i < s->n_attributes; i++) {
		const struct saml_told_attribute *told = &s->attributes[i];

		if (!is_one_of_ours(told->name, at) || told->n_values != 1)
			continue;
		const char *value = home_value_of(rq->a, at, saml_told_text(rq->a, told->value[0]));
		enum level level = level_of_attribute(from, told, login);

		if (value == NULL || level == LEVEL_NONE)
			continue;
		home_put_held(rq->a, list, at, value, level);
		return;
	}
}

static json_t *
held_of(struct request *rq, const struct upstream *from, const struct saml_answered *s,
	enum level login)
{
	json_t *list = json_new_array(rq->a);

	for (const struct attribute *at = attributes; at->name != NULL; at++)
		if (from->policy.attributes.n == 0 || release_wants(from->policy.attributes, at))
			add_held(rq, from, s, at, login, list);
	return list;
}

/* ---- all of it ---- */

/* Only what plainly says no is one (xs:boolean). */
static bool
is_real_account(struct arena *a, const struct saml_answered *s)
{
	const char *test = only_text(a, s, "IstTestkonto");

	return saml_told_find(s, "IstTestkonto") == NULL || text_eq(test, "false") ||
	       text_eq(test, "0");
}

/* How it was proved there, where that is a word that portals know. */
static const char *
proved_by(struct request *rq, const struct upstream *from, const struct saml_answered *s)
{
	const char *word = only_text(rq->a, s, PROVED_BY);

	return word != NULL && from->kind->akdb && saml_akdb_method_of(word) != 0
		       ? word
		       : from->kind->proved_by;
}

static json_t *
authorities_of(struct arena *a, const struct upstream *from, const struct saml_answered *s)
{
	json_t *list = json_new_array(a);

	json_push_str(a, list, from->entity_id);
	for (size_t i = 0; i < s->n_authorities; i++)
		json_push_str(a, list, s->authorities[i]);
	return list;
}

/*
 * SAML2Core 3.4.1.5.1: whom we told that it is not to ask anybody else (ProxyCount 0) speaks for
 * itself; and nobody tells us what we told him.
 */
static bool
check_authorities(struct request *rq, const struct upstream *from, const struct saml_answered *s,
		  struct err *err)
{
	for (size_t i = 0; i < s->n_authorities; i++) {
		if (text_eq(s->authorities[i], rq->app->config->entity_id))
			return FAIL(err, ERR_DENIED, NULL, "a login that was ours");
		if (from->kind->scoping && !text_eq(s->authorities[i], from->saml->entity_id))
			return FAIL(err, ERR_DENIED, NULL, "it asked somebody else: %s",
				    text_one_line(rq->a, s->authorities[i]));
	}
	return true;
}

bool
home_read(struct request *rq, const struct upstream *from, enum level wanted,
	  const struct saml_answered *s, json_t **out, struct err *err)
{
	json_t *o = json_new_object(rq->a);
	const char *identity;
	enum level level;

	*out = o;
	json_put_str(rq->a, o, "upstream", from->id);
	json_put_i64(rq->a, o, "outcome", s->outcome);
	if (s->outcome != SAML_OUTCOME_LOGIN)
		return true;
	if (!is_real_account(rq->a, s))
		return FAIL(err, ERR_DENIED, NULL, "a test account");
	if (!check_authorities(rq, from, s, err) || !level_of(rq, from, wanted, s, &level, err) ||
	    !identity_of(rq, from, s, &identity, err))
		return false;
	json_put_i64(rq->a, o, "level", level);
	json_put_i64(rq->a, o, "at", (int64_t)s->authn_at);
	json_put_str(rq->a, o, "identity", identity);
	json_put_str(rq->a, o, "proved_by", proved_by(rq, from, s));
	json_put(rq->a, o, "authorities", authorities_of(rq->a, from, s));
	json_put(rq->a, o, "held", held_of(rq, from, s, level));
	return true;
}
