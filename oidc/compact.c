/* Dots and headers; see compact.h. */
#include "oidc/compact.h"

#include <string.h>

#include "base/enc.h"
#include "base/text.h"

#define HEADER_MAX_BYTES 4096

size_t
oidc_compact_parts(struct bytes compact)
{
	size_t n = 1;

	for (size_t i = 0; i < compact.n; i++)
		n += compact.p[i] == '.';
	return n;
}

bool
oidc_compact_split(struct bytes compact, struct bytes *part, size_t n, struct err *err)
{
	size_t have = oidc_compact_parts(compact), from = 0, k = 0;

	if (have != n)
		return FAIL(err, ERR_INPUT, NULL, "token of %zu parts, wanted %zu", have, n);
	for (size_t i = 0; i <= compact.n; i++) {
		if (i < compact.n && compact.p[i] != '.')
			continue;
		part[k++] = (struct bytes){compact.p + from, i - from};
		from = i + 1;
	}
	return true;
}

/* `key` is the member of those that may say whose key is used which is there; NULL: none may be. */
static bool
parse(struct arena *a, struct bytes part, size_t n, const char *key, json_t **out, struct err *err)
{
	static const char *const refused[] = {
		"crit", "b64", "zip", "jku", "jwk", "x5u", "x5c",
	};
	struct bytes text;
	json_t *header, *v;
	const char *name;

	if (!dec_base64url(a, part, &text, err) ||
	    !json_parse_object(a, text, HEADER_MAX_BYTES, &header, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (json_object_get(header, refused[i]) != NULL && !text_eq(refused[i], key))
			return FAIL(err, ERR_INPUT, NULL, "header %s is refused", refused[i]);
	/* Null is no text, and no way to leave a member out (RFC 7515 4.1.4). */
	json_object_foreach(header, name, v)
	{
		if (json_is_null(v))
			return FAIL(err, ERR_INPUT, NULL, "a header member is null");
	}
	/* A signed token does not say how it is encrypted. */
	if (n == OIDC_JWS_PARTS && json_object_get(header, "enc") != NULL)
		return FAIL(err, ERR_INPUT, NULL, "header enc is refused");
	*out = header;
	return true;
}

bool
oidc_header_parse(struct arena *a, struct bytes part, size_t n, json_t **out, struct err *err)
{
	return parse(a, part, n, NULL, out, err);
}

bool
oidc_header_parse_with_key(struct arena *a, struct bytes part, json_t **out, const json_t **jwk,
			   struct err *err)
{
	json_t *header;

	*jwk = NULL;
	if (!parse(a, part, OIDC_JWS_PARTS, "jwk", &header, err) ||
	    !json_get_object(header, "jwk", jwk, err))
		return false;
	if (*jwk == NULL || json_object_get(header, "kid") != NULL)
		return FAIL(err, ERR_INPUT, NULL, "header without a key of its own, or with a kid");
	*out = header;
	return true;
}
