/* The attribute table; see attribute.h. */
#include "idp/attribute.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define SELF ATTRIBUTE_SELF
#define MINI (ATTRIBUTE_SELF | ATTRIBUTE_MINIMUM)

const struct attribute attributes[] = {
	{"given_names", "given_name", "profile", "attr.given_names", ATTRIBUTE_TEXT, MINI, 200},
	{"family_name", "family_name", "profile", "attr.family_name", ATTRIBUTE_TEXT, MINI, 200},
	{"birth_name", "birth_family_name", "profile", "attr.birth_name", ATTRIBUTE_TEXT, MINI,
	 200},
	{"title", "title", "profile", "attr.title", ATTRIBUTE_TEXT, SELF, 100},
	{"birth_date", "birthdate", "profile", "attr.birth_date", ATTRIBUTE_DATE, MINI, 10},
	{"birth_place", "place_of_birth.locality", "profile", "attr.birth_place", ATTRIBUTE_TEXT,
	 MINI, 200},
	{"nationality", "nationalities", "profile", "attr.nationality", ATTRIBUTE_NATION, SELF, 3},
	{"street_address", "address.street_address", "address", "attr.street_address",
	 ATTRIBUTE_TEXT, MINI, 200},
	{"postal_code", "address.postal_code", "address", "attr.postal_code", ATTRIBUTE_POSTCODE,
	 MINI, 10},
	{"locality", "address.locality", "address", "attr.locality", ATTRIBUTE_TEXT, MINI, 200},
	{"country", "address.country", "address", "attr.country", ATTRIBUTE_COUNTRY, MINI, 2},
	{"email", "email", "email", "attr.email", ATTRIBUTE_EMAIL, SELF, 254},
	{"phone_number", "phone_number", "phone", "attr.phone_number", ATTRIBUTE_TEXT, SELF, 40},
	{NULL, NULL, NULL, NULL, ATTRIBUTE_TEXT, 0, 0},
};

const struct attribute *
attribute_by_name(const char *name)
{
	for (const struct attribute *at = attributes; at->name != NULL; at++)
		if (strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

const struct attribute *
attribute_by_claim(const char *claim)
{
	for (const struct attribute *at = attributes; at->name != NULL; at++)
		if (strcmp(at->claim, claim) == 0)
			return at;
	return NULL;
}

bool
attribute_in_claim(const struct attribute *at, const char *claim)
{
	size_t n = strlen(claim);

	return strncmp(at->claim, claim, n) == 0 && (at->claim[n] == '\0' || at->claim[n] == '.');
}

/* YYYY, YYYY-MM or YYYY-MM-DD of a day that exists (domain: cards hold partial dates). */
static bool
is_date(const char *s)
{
	static const char rest[] = "0000-01-01T00:00:00Z";
	char full[sizeof(rest)];
	size_t n = strlen(s);
	time_t t;

	if (n != 4 && n != 7 && n != 10)
		return false;
	memcpy(full, rest, sizeof(rest));
	memcpy(full, s, n);
	return clock_parse(full, &t, NULL);
}

static bool
is_upper(const char *s, size_t least, size_t most)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return s[n] == '\0' && n >= least && n <= most;
}

/* One '@' with something on both sides and no blanks; whether mail arrives is proven by mail. */
static bool
is_email(const char *s)
{
	const char *at = strchr(s, '@');

	return at != NULL && at != s && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
	       strpbrk(s, " \t<>\"") == NULL && strchr(at, '.') != NULL;
}

static bool
is_postcode(const char *s)
{
	return *s != '\0' &&
	       s[strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz -")] ==
		       '\0';
}

/* No control characters, and not blank alone. */
static bool
is_plain_text(const char *s)
{
	for (const char *p = s; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return s[strspn(s, " ")] != '\0';
}

bool
attribute_check_value(const struct attribute *at, const char *value, struct err *err)
{
	bool fits = is_plain_text(value);

	switch (at->shape) {
	case ATTRIBUTE_TEXT:
		break;
	case ATTRIBUTE_DATE:
		fits = fits && is_date(value);
		break;
	case ATTRIBUTE_COUNTRY:
		fits = fits && is_upper(value, 2, 2);
		break;
	case ATTRIBUTE_NATION:
		fits = fits && is_upper(value, 1, 3);
		break;
	case ATTRIBUTE_EMAIL:
		fits = fits && is_email(value);
		break;
	case ATTRIBUTE_POSTCODE:
		fits = fits && is_postcode(value);
		break;
	}
	if (!fits)
		return FAIL(err, ERR_INPUT, NULL, "%s: not of the expected form", at->name);
	if (strlen(value) > at->max_bytes)
		return FAIL(err, ERR_INPUT, NULL, "%s: longer than %zu bytes", at->name,
			    at->max_bytes);
	return true;
}
