/* Requested classes and levels; see saml_level.h. */
#include "idp/saml_level.h"

#include <string.h>

#include "saml/status.h"

#define CLASSES "urn:oasis:names:tc:SAML:2.0:ac:classes:"

/* Classes of the standard that portals ask for when they know no levels. */
static const struct {
	const char *class_ref;
	enum level level;
} standard[] = {
	{CLASSES "unspecified", LEVEL_BASIC},
	{CLASSES "Password", LEVEL_LOW},
	{CLASSES "PasswordProtectedTransport", LEVEL_LOW},
	{CLASSES "TimeSyncToken", LEVEL_SUBSTANTIAL},
	{CLASSES "MobileTwoFactorContract", LEVEL_SUBSTANTIAL},
	{"https://refeds.org/profile/mfa", LEVEL_SUBSTANTIAL},
	{CLASSES "SmartcardPKI", LEVEL_HIGH},
};

enum level
saml_level_of_class(const char *class_ref)
{
	for (size_t i = 0; i < ARRAY_LEN(standard); i++)
		if (strcmp(standard[i].class_ref, class_ref) == 0)
			return standard[i].level;
	return level_from_word(class_ref);
}

/* Lowest and highest level among the classes we know; LEVEL_NONE when we know none. */
static void
range_of(const char *const *class_refs, size_t n, enum level *low, enum level *high)
{
	*low = *high = LEVEL_NONE;
	for (size_t i = 0; i < n; i++) {
		enum level l = saml_level_of_class(class_refs[i]);

		if (l == LEVEL_NONE)
			continue;
		*low = *low == LEVEL_NONE || l < *low ? l : *low;
		*high = l > *high ? l : *high;
	}
}

bool
saml_level_wanted(enum saml_comparison comparison, const char *const *class_refs, size_t n,
		  enum level *least, enum level *most, struct err *err)
{
	enum level low, high;

	range_of(class_refs, n, &low, &high);
	if (n > 0 && low == LEVEL_NONE)
		return FAIL(err, ERR_DENIED, SAML_NO_AUTHN_CONTEXT,
			    "no class we know is asked for");
	if (comparison == SAML_BETTER && high == LEVEL_HIGH)
		return FAIL(err, ERR_DENIED, SAML_NO_AUTHN_CONTEXT, "nothing is better than high");
	switch (n == 0 ? SAML_MINIMUM : comparison) {
	case SAML_EXACT:
		*least = *most = low;
		break;
	case SAML_MINIMUM:
		*least = low;
		*most = LEVEL_HIGH;
		break;
	case SAML_MAXIMUM:
		*least = LEVEL_BASIC;
		*most = high;
		break;
	case SAML_BETTER:
		*least = (enum level)(high + 1);
		*most = LEVEL_HIGH;
		break;
	}
	return true;
}
