/* OAuth parameters; see param.h. */
#include "oidc/param.h"

#include <string.h>

#include "base/text.h"
#include "oidc/error.h"

#define WORDS_MAX_BYTES 2048

static bool
is_vschar(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

bool
oidc_param_text(const struct params *ps, const char *name, size_t max_bytes, const char **out,
		struct err *err)
{
	const char *value;

	if (params_find(ps, name, &value) > 1)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "%s occurs twice", name);
	if (value != NULL && strlen(value) > max_bytes)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "%s has more than %zu octets",
			    name, max_bytes);
	*out = value != NULL && *value != '\0' ? value : NULL;
	return true;
}

bool
oidc_param(const struct params *ps, const char *name, size_t max_bytes, const char **out,
	   struct err *err)
{
	const char *value;

	if (!oidc_param_text(ps, name, max_bytes, &value, err))
		return false;
	if (value != NULL && !is_vschar(value))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "%s is not plain ASCII", name);
	*out = value;
	return true;
}

bool
oidc_param_words(struct arena *a, const struct params *ps, const char *name, size_t max_words,
		 struct oidc_strs *out, struct err *err)
{
	const char *value, **words = NULL;
	size_t n = 0;

	if (!oidc_param(ps, name, WORDS_MAX_BYTES, &value, err))
		return false;
	if (value != NULL && !text_words(a, value, max_words, &words, &n, err))
		return err_name(err, OIDC_INVALID_REQUEST);
	*out = (struct oidc_strs){words, n};
	return true;
}

bool
oidc_strs_have(struct oidc_strs list, const char *s)
{
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(list.s[i], s) == 0)
			return true;
	return false;
}
