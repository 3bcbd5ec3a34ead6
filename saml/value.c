/* Judging and reading values; see value.h. */
#include "saml/value.h"

#include <string.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/text.h"

#define MAX_URI_BYTES    2048
#define MAX_LOGO_BYTES   (64 * 1024) /* data: URIs hold the picture itself */
#define MAX_STRING_BYTES 4096

bool
saml_read_bool(const char *text, bool *out)
{
	bool yes = text_eq(text, "true") || text_eq(text, "1");

	if (!yes && !text_eq(text, "false") && !text_eq(text, "0"))
		return false;
	*out = yes;
	return true;
}

bool
saml_read_short(const char *text, int *out)
{
	uint64_t v;

	if (strlen(text) > 5 || !text_to_u64(text, UINT16_MAX, &v))
		return false;
	*out = (int)v;
	return true;
}

/* Digits and one of the designators, which must come in their order; *s moves past them. */
static bool
take_duration_part(const char **s, const char **designators, uint64_t *n, char *which)
{
	size_t digits = strspn(*s, "0123456789");
	char number[8] = "";
	const char *d;

	if (digits >= sizeof(number) || (*s)[digits] == '\0')
		return false;
	d = strchr(*designators, (*s)[digits]);
	if (d == NULL)
		return false;
	memcpy(number, *s, digits);
	*which = *d;
	*designators = d + 1;
	*s += digits + 1;
	return text_to_u64(number, UINT32_MAX, n);
}

bool
saml_read_duration(const char *text, int64_t *out_s)
{
	static const struct {
		char date, time;
		int64_t s;
	} units[] = {{'Y', 0, 31536000}, {'M', 0, 2592000}, {'D', 0, 86400},
		     {0, 'H', 3600},     {0, 'M', 60},      {0, 'S', 1}};
	const char *designators = "YMD";
	bool in_time = false, any = false;
	int64_t total = 0;

	if (*text++ != 'P')
		return false;
	while (*text != '\0') {
		uint64_t n;
		char which;

		if (*text == 'T' && !in_time) {
			text++;
			in_time = true;
			designators = "HMS";
		}
		if (!take_duration_part(&text, &designators, &n, &which))
			return false;
		for (size_t i = 0; i < ARRAY_LEN(units); i++)
			if ((in_time ? units[i].time : units[i].date) == which)
				total += (int64_t)n * units[i].s;
		any = true;
	}
	if (!any)
		return false;
	*out_s = total;
	return true;
}

static bool
is_scheme(const char *s, size_t n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	return memchr(letters, s[0], sizeof(letters) - 1) != NULL &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.") >= n;
}

/* RFC 3986 3.2: what stands between "//" and the path; a port is digits. */
static bool
is_authority(const char *s, size_t n)
{
	const char *at = memrchr(s, '@', n);
	const char *host = at != NULL ? at + 1 : s;
	const char *colon = memchr(host, ':', (size_t)(s + n - host));

	if (colon == NULL)
		return true;
	return colon + 1 + strspn(colon + 1, "0123456789") >= s + n;
}

bool
saml_is_uri(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-._~:/?#@!$&'()*+,;=%";
	static const char hex[] = "0123456789ABCDEFabcdef";
	size_t n = strlen(text), head = strcspn(text, ":/?#");
	const char *fragment = strchr(text, '#'), *rest = text;

	if (strspn(text, allowed) != n)
		return false;
	if (fragment != NULL && strchr(fragment + 1, '#') != NULL)
		return false;
	for (const char *p = strchr(text, '%'); p != NULL; p = strchr(p + 1, '%'))
		if (strspn(p + 1, hex) < 2)
			return false;
	if (text[head] == ':') {
		if (!is_scheme(text, head))
			return false;
		rest = text + head + 1;
	}
	return strncmp(rest, "//", 2) != 0 || is_authority(rest + 2, strcspn(rest + 2, "/?#"));
}

/* Stricter than xs:NCName: ASCII.  Only for values that repeat an ID of ours. */
static bool
is_ascii_ncname(const char *s)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	return *s != '\0' && strchr(first, *s) != NULL &&
	       s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			   "0123456789_.-")] == '\0';
}

static const char *const type_names[] = {
	[SAML_T_STRING] = "a short string",
	[SAML_T_URI] = "a URI",
	[SAML_T_LOGO] = "a URI",
	[SAML_T_POSITIVE] = "a positive number",
	[SAML_T_URIS] = "a list of URIs",
	[SAML_T_BOOL] = "an xs:boolean",
	[SAML_T_TIME] = "an xs:dateTime in UTC",
	[SAML_T_DURATION] = "an xs:duration",
	[SAML_T_SHORT] = "an xs:unsignedShort",
	[SAML_T_COUNT] = "a count",
	[SAML_T_ID] = "an xs:ID",
	[SAML_T_NCNAME] = "an xs:NCName",
	[SAML_T_BASE64] = "base64",
	[SAML_T_INTEGER] = "a number",
	[SAML_T_COMPARISON] = "a comparison",
	[SAML_T_KEY_USE] = "a key use",
	[SAML_T_CONTACT] = "a contact type",
};

static bool
is_word_of(const char *text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static bool
are_uris(struct arena *a, const char *text)
{
	char *list = arena_strdup(a, text);

	while (*(list += strspn(list, " \t\r\n")) != '\0') {
		size_t n = strcspn(list, " \t\r\n");

		if (!saml_is_uri(arena_strndup(a, list, n)))
			return false;
		list += n;
	}
	return true;
}

bool
saml_value_is(struct arena *a, const char *text, enum saml_type type)
{
	static const char *const comparisons[] = {"exact", "minimum", "maximum", "better", NULL};
	static const char *const uses[] = {"signing", "encryption", NULL};
	static const char *const contacts[] = {"technical", "support", "administrative",
					       "billing",   "other",   NULL};
	struct bytes octets;
	int64_t duration;
	uint64_t count;
	time_t t;
	bool b;
	int v;

	switch (type) {
	case SAML_T_STRING:
		return strlen(text) <= MAX_STRING_BYTES;
	case SAML_T_URI:
		return strlen(text) <= MAX_URI_BYTES && saml_is_uri(text);
	case SAML_T_LOGO:
		return strlen(text) <= MAX_LOGO_BYTES && saml_is_uri(text);
	case SAML_T_URIS:
		return are_uris(a, text);
	case SAML_T_BOOL:
		return saml_read_bool(text, &b);
	case SAML_T_TIME:
		return clock_parse(text, &t, NULL);
	case SAML_T_DURATION:
		return saml_read_duration(text, &duration);
	case SAML_T_SHORT:
		return saml_read_short(text, &v);
	case SAML_T_COUNT:
		return text_to_u64(text, INT32_MAX, &count);
	case SAML_T_INTEGER: /* serial numbers have up to 20 octets */
		return text[0] != '\0' && strlen(text) <= 50 &&
		       text[strspn(text, "0123456789")] == '\0';
	case SAML_T_POSITIVE:
		return text_to_u64(text, INT32_MAX, &count) && count > 0;
	case SAML_T_ID:
		return strlen(text) <= MAX_STRING_BYTES;
	case SAML_T_NCNAME:
		return is_ascii_ncname(text);
	case SAML_T_BASE64:
		return dec_base64(a, bytes_of(text), true, &octets, NULL);
	case SAML_T_COMPARISON:
		return is_word_of(text, comparisons);
	case SAML_T_KEY_USE:
		return is_word_of(text, uses);
	case SAML_T_CONTACT:
		return is_word_of(text, contacts);
	}
	return false;
}

const char *
saml_type_name(enum saml_type type)
{
	return type_names[type];
}

bool
saml_is_language(const char *s)
{
	static const char alnum[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (size_t letters = ARRAY_LEN(alnum) - 11;; letters = ARRAY_LEN(alnum) - 1) {
		size_t n = 0;

		while (s[n] != '\0' && memchr(alnum, s[n], letters) != NULL)
			n++;
		if (n < 1 || n > 8)
			return false;
		if (s[n] == '\0')
			return true;
		if (s[n] != '-')
			return false;
		s += n + 1;
	}
}

/* ---- attributes by type ---- */

static bool
refuse_attr(const struct xml_node *n, const char *name, struct err *err)
{
	return FAIL(err, ERR_INPUT, NULL, "%s of <%s> is malformed", name, xml_name(n));
}

bool
saml_attr_bool(const struct xml_node *n, const char *name, bool *out, struct err *err)
{
	const char *value = xml_attr(n, name);

	return value == NULL || saml_read_bool(value, out) || refuse_attr(n, name, err);
}

bool
saml_attr_short(const struct xml_node *n, const char *name, int *out, struct err *err)
{
	const char *value = xml_attr(n, name);

	return value == NULL || saml_read_short(value, out) || refuse_attr(n, name, err);
}

bool
saml_attr_time(const struct xml_node *n, const char *name, time_t *out, struct err *err)
{
	const char *value = xml_attr(n, name);

	return value == NULL || clock_parse(value, out, err);
}

bool
saml_attr_duration(const struct xml_node *n, const char *name, int64_t *out_s, struct err *err)
{
	const char *value = xml_attr(n, name);

	return value == NULL || saml_read_duration(value, out_s) || refuse_attr(n, name, err);
}
