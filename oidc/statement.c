/* Software statements; see statement.h. */
#include "oidc/statement.h"

#include <string.h>

#include "oidc/error.h"

#define MEMBER        "software_statement"
#define SKEW_S        60
#define BAD(err, ...) FAIL((err), ERR_INPUT, OIDC_INVALID_SOFTWARE_STATEMENT, __VA_ARGS__)

static bool
check_times(const json_t *claims, time_t now, struct err *err)
{
	int64_t exp = INT64_MAX, nbf = now, iat = now;

	if (!json_get_i64(claims, "exp", &exp, err) || !json_get_i64(claims, "nbf", &nbf, err) ||
	    !json_get_i64(claims, "iat", &iat, err))
		return err_name(err, OIDC_INVALID_SOFTWARE_STATEMENT);
	if (exp < now - SKEW_S || nbf > now + SKEW_S || iat > now + SKEW_S)
		return BAD(err, "software_statement: its time has not begun, or is over");
	return true;
}

static bool
verify(struct arena *a, const char *text, const struct oidc_jwks *signers, time_t now,
       const json_t **claims, struct err *err)
{
	const struct oidc_signed *s;
	const char *iss = NULL;
	struct oidc_jws jws;

	if (!oidc_jws_parse(a, bytes_of(text), &jws, err) ||
	    !oidc_jws_verify(a, &jws, signers, &s, err))
		return err_name(err, OIDC_INVALID_SOFTWARE_STATEMENT);
	*claims = oidc_signed_claims(s);
	/* RFC 7591 2.3 */
	if (!json_get_str(*claims, "iss", &iss, err) || iss == NULL || *iss == '\0')
		return BAD(err, "software_statement: iss is missing");
	return check_times(*claims, now, err);
}

/* Of the token, not of the client; and a client's name is for us to give. */
static bool
is_of_token(const char *name)
{
	static const char *const names[] = {"iss", "sub", "aud",       "exp", "nbf",
					    "iat", "jti", "client_id", MEMBER};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

bool
oidc_statement_apply(struct arena *a, json_t *metadata, const struct oidc_jwks *signers, time_t now,
		     struct err *err)
{
	const char *text = NULL, *name;
	const json_t *claims;
	struct err why = {0};
	json_t *v;

	if (!json_get_str(metadata, MEMBER, &text, err))
		return err_name(err, OIDC_INVALID_SOFTWARE_STATEMENT);
	if (text == NULL)
		return true;
	if (signers->n == 0)
		return FAIL(err, ERR_INPUT, OIDC_UNAPPROVED_SOFTWARE_STATEMENT,
			    "software_statement: nobody signs them for this invitation");
	if (!verify(a, text, signers, now, &claims, &why))
		return FAIL(err, why.kind == ERR_DENIED ? ERR_INPUT : why.kind,
			    OIDC_INVALID_SOFTWARE_STATEMENT, "%s", why.text);
	json_object_del(metadata, MEMBER);
	json_object_foreach((json_t *)(uintptr_t)claims, name, v) if (!is_of_token(name))
		json_put(a, metadata, name, v);
	return true;
}
