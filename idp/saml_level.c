/* Requested classes and levels; see saml_level.h. */
#include "idp/saml_level.h"

#include "saml/status.h"

/* Without the levels that the party has no word for: they cannot be told. */
static level_set
with_words(const struct policy *policy, struct acr_words asked, level_set set)
{
	for (int l = LEVEL_BASIC; l <= LEVEL_HIGH; l++)
		if (acr_told(policy, asked, (enum level)l) == NULL)
			set &= ~level_set_range((enum level)l, (enum level)l);
	return set;
}

bool
saml_level_wanted(const struct policy *policy, enum saml_comparison comparison,
		  struct acr_words asked, level_set *out, struct err *err)
{
	level_set set = acr_levels(policy, asked);
	enum level low = level_set_least(set), high = level_set_best(set, LEVEL_HIGH);

	if (asked.n == 0) {
		*out = LEVEL_SET_ANY;
		return true;
	}
	if (set == 0)
		return FAIL(err, ERR_DENIED, SAML_NO_AUTHN_CONTEXT,
			    "no class we know is asked for");
	if (comparison == SAML_BETTER && high == LEVEL_HIGH)
		return FAIL(err, ERR_DENIED, SAML_NO_AUTHN_CONTEXT, "nothing is better than high");
	switch (comparison) {
	case SAML_EXACT: /* one of them */
		*out = set;
		break;
	case SAML_MINIMUM: /* as strong as one of them */
		*out = level_set_range(low, LEVEL_HIGH);
		break;
	case SAML_MAXIMUM: /* no stronger than one of them */
		*out = level_set_range(LEVEL_BASIC, high);
		break;
	case SAML_BETTER: /* stronger than any of them */
		*out = level_set_range((enum level)(high + 1), LEVEL_HIGH);
		break;
	}
	*out = with_words(policy, asked, *out);
	return *out != 0 ||
	       FAIL(err, ERR_DENIED, SAML_NO_AUTHN_CONTEXT, "no word for what is asked for");
}
