/* PKCE; see pkce.h. */
#include "oidc/pkce.h"

#include <string.h>

#include "base/enc.h"
#include "base/hash.h"
#include "base/text.h"
#include "oidc/error.h"

#define CHALLENGE_CHARS    43 /* 32 octets in base64url */
#define VERIFIER_MIN_CHARS 43
#define VERIFIER_MAX_CHARS 128

#define BASE64URL          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define UNRESERVED         BASE64URL ".~"

bool
oidc_pkce_check_challenge(const char *challenge, const char *method, bool demanded, struct err *err)
{
	if (challenge == NULL && method == NULL && !demanded)
		return true;
	if (challenge == NULL)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "code_challenge is missing");
	if (!text_eq(method, "S256"))
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "code_challenge_method not S256");
	if (strlen(challenge) != CHALLENGE_CHARS || strspn(challenge, BASE64URL) != CHALLENGE_CHARS)
		return FAIL(err, ERR_INPUT, OIDC_INVALID_REQUEST, "code_challenge is no digest");
	return true;
}

bool
oidc_pkce_check_verifier(struct arena *a, const char *challenge, const char *verifier,
			 struct err *err)
{
	unsigned char digest[SHA256_BYTES];

	if (challenge == NULL && verifier == NULL)
		return true;
	if (challenge == NULL || verifier == NULL)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT,
			    "code_verifier or its challenge is missing");
	size_t n = strlen(verifier);

	if (n < VERIFIER_MIN_CHARS || n > VERIFIER_MAX_CHARS || strspn(verifier, UNRESERVED) != n)
		return FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT, "code_verifier is malformed");
	hash_sha256(bytes_of(verifier), digest);
	const char *ours = enc_base64url(a, (struct bytes){digest, sizeof(digest)});

	if (!bytes_eq_secret(bytes_of(ours), bytes_of(challenge)))
		return FAIL(err, ERR_DENIED, OIDC_INVALID_GRANT, "code_verifier does not fit");
	return true;
}
